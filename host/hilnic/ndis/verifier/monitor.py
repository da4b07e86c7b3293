# SPDX-License-Identifier: Apache-2.0
"""V13: hooks for descriptor rings and DMA. A miniport, a bus model or a simulator's monitor calls them.

    ring = RingMonitor(ndis, actor=adapter, name="tx0", size=256)
    ring.posted(index)      the driver gave a descriptor to the device      (free -> device)
    ring.completed(index)   the device gave it back                         (device -> driver)
    ring.consumed(index)    the driver took the result                      (driver -> free)

Indices run freely as u32 and are masked at use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hilnic.ndis.ndis import Ndis

_FREE, _DEVICE, _DRIVER = "free", "device", "driver"
_U32 = 0xFFFFFFFF


class RingMonitor:
    """Owner of every descriptor of one ring (RG-01, RG-02, RG-03)."""

    __slots__ = ("_actor", "_ndis", "_owners", "consumer", "name", "producer", "size")

    def __init__(self, ndis: Ndis, actor: Any, name: str, size: int, start: int = 0) -> None:
        self._ndis = ndis
        self._actor = actor
        self.name = name
        self.size = size
        self.producer = self.consumer = start & _U32
        self._owners = [_FREE] * size

    def __repr__(self) -> str:
        return f"Ring({self.name}, producer={self.producer:#x}, consumer={self.consumer:#x}, size={self.size})"

    def posted(self, index: int) -> None:
        """The driver hands a descriptor over; the producer advances."""
        if (self.producer - self.consumer) & _U32 >= self.size:
            self._ndis.violation("RG-01", self._actor, self, f"descriptor {index:#x} posted into a full ring")
            return
        self._move(index, _FREE, _DEVICE)
        self.producer = (index + 1) & _U32

    def completed(self, index: int) -> None:
        """The device reports a descriptor done."""
        self._move(index, _DEVICE, _DRIVER)

    def consumed(self, index: int) -> None:
        """The driver has taken the result; the slot is free."""
        self._move(index, _DRIVER, _FREE)
        self.consumer = (self.consumer + 1) & _U32

    def reset(self, start: int = 0) -> None:
        """The queue was stopped and its idle state acknowledged: every descriptor is free again."""
        self.producer = self.consumer = start & _U32
        self._owners = [_FREE] * self.size

    def _move(self, index: int, expected: str, owner: str) -> None:
        slot = index % self.size
        if self._owners[slot] != expected:
            detail = f"descriptor {index:#x} belongs to the {self._owners[slot]}, not {expected}"
            self._ndis.violation("RG-03", self._actor, self, detail)
            return
        self._owners[slot] = owner


class DmaMonitor:
    """No DMA outside of mappings or after the device was stopped (RG-11, RG-12)."""

    __slots__ = ("_actor", "_ndis", "stopped")

    def __init__(self, ndis: Ndis, actor: Any) -> None:
        self._ndis = ndis
        self._actor = actor
        self.stopped = False

    def __repr__(self) -> str:
        return f"Dma({'stopped' if self.stopped else 'running'})"

    def access(self, address: int, length: int, write: bool, mapped: bool = True) -> None:
        """A bus monitor reports one access of the device."""
        kind = "write" if write else "read"
        if self.stopped:
            self._ndis.violation("RG-12", self._actor, self, f"{kind} of {length} bytes at {address:#x} after the stop")
        elif not mapped:
            self._ndis.violation("RG-11", self._actor, self, f"{kind} of {length} bytes at {address:#x} is not mapped")

    def stop(self) -> None:
        """The device acknowledged that it is idle."""
        self.stopped = True

    def start(self) -> None:
        """The device was enabled again."""
        self.stopped = False

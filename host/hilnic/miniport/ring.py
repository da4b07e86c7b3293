# SPDX-License-Identifier: Apache-2.0
"""The two rings of a queue, as the driver sees them (docs/nic.md, section 2).

All indices are free-running u32 and are masked where memory is touched, so full and empty need no spare slot (RG-02)
and 2^32 is a lap boundary like any other (RG-01).

    descriptor ring, 16 bytes each                 completion ring, 32 bytes each
    the driver produces, the NIC consumes          the NIC produces, the driver consumes

      consumer      producer   reserved              index
         v             v          v                    v
     . . D D D D D D D w w w w w . . .             . . C C C C o o o o o o . .
         |<- NIC's  ->|<-written->|                    |<new>|  phase of `o` is still the last lap's

    free = size - (reserved - consumer)            entry i is new when its phase bit is phase_of(i, size)

`post` writes at `reserved`; `publish` is wmb, producer = reserved, doorbell (RG-04); `retire` takes back what the NIC
consumed. Each descriptor so has one owner at any time (RG-03): the driver writes between reserved and consumer + size
only, and what a completion gives back must have been the NIC's, otherwise the device broke its contract.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hilnic.hw.descriptors import (
    COMPLETION_BYTES,
    COMPLETION_PHASE_BYTE,
    COMPLETION_STRUCT,
    TX_DESCRIPTOR_BYTES,
    phase_of,
)
from hilnic.hw.device import DeviceFault
from hilnic.hw.memory import HostMemory
from hilnic.ndis import Adapter, RingMonitor

__all__ = ["DESCRIPTOR_BYTES", "CompletionRing", "DescriptorRing", "RingMemory", "RingPair", "make_rings"]

DESCRIPTOR_BYTES = TX_DESCRIPTOR_BYTES  # of both directions
_U32 = 0xFFFFFFFF


class RingMemory(Protocol):
    """Memory that the driver shares with the NIC for a ring."""

    @property
    def address(self) -> int:
        """Bus address."""
        ...

    @property
    def view(self) -> memoryview:
        """The bytes."""
        ...


RingPair = tuple[RingMemory, RingMemory]
"""Where a queue's descriptors and completions lie."""


class DescriptorRing:
    """The producer's side of a descriptor ring."""

    __slots__ = (
        "_doorbell",
        "_mask",
        "_memory",
        "address",
        "consumer",
        "monitor",
        "name",
        "producer",
        "reserved",
        "size",
    )

    def __init__(
        self, name: str, memory: HostMemory, address: int, size: int, start: int, doorbell: Callable[[int], None]
    ) -> None:
        if size & (size - 1) or size < 2:
            raise ValueError(f"{name}: a ring of {size} descriptors is no power of two")
        self.name, self.size, self.address = name, size, address
        self._memory, self._mask, self._doorbell = memory, size - 1, doorbell
        self.monitor: RingMonitor | None = None  # V13 watches each descriptor change its owner
        self.consumer = self.producer = self.reserved = start & _U32

    def __repr__(self) -> str:
        """The three indices."""
        return f"<{self.name} ring of {self.size}: {self.consumer}..{self.producer}..{self.reserved}>"

    @property
    def free(self) -> int:
        """Descriptors that may be written."""
        return self.size - ((self.reserved - self.consumer) & _U32)

    @property
    def outstanding(self) -> int:
        """Descriptors written and not yet given back."""
        return (self.reserved - self.consumer) & _U32

    def post(self, descriptor: bytes) -> int:
        """Write the next descriptor; its end index. Whoever posts has looked at `free`."""
        index = self.reserved
        if (index - self.consumer) & _U32 >= self.size:
            raise IndexError(f"{self!r} is full")
        self._memory.store(self.address + (index & self._mask) * DESCRIPTOR_BYTES, descriptor)
        self.reserved = (index + 1) & _U32
        return self.reserved

    def publish(self) -> bool:
        """Hand everything posted to the NIC: barrier, then one doorbell; False if there was nothing new."""
        if self.producer == self.reserved:
            return False
        self._memory.wmb()
        if self.monitor is not None:
            for offset in range((self.reserved - self.producer) & _U32):
                self.monitor.posted((self.producer + offset) & _U32)
        self.producer = self.reserved
        self._doorbell(self.producer)
        return True

    def retire(self, index: int) -> int:
        """Take back everything up to `index`, which a completion named; how many descriptors that is."""
        count = (index - self.consumer) & _U32
        if not 0 < count <= (self.producer - self.consumer) & _U32:
            raise DeviceFault(f"completion index {index} is for nothing posted in {self!r}", engine=self.name)
        if self.monitor is not None:
            for offset in range(count):
                self.monitor.completed((self.consumer + offset) & _U32)
                self.monitor.consumed((self.consumer + offset) & _U32)
        self.consumer = index
        return count


class CompletionRing:
    """The consumer's side of a completion ring; tells new entries by the phase bit and reads no register."""

    __slots__ = ("_mask", "_view", "address", "armed", "index", "name", "size")

    def __init__(self, name: str, view: memoryview, address: int, size: int, start: int) -> None:
        if size & (size - 1) or size < 2:
            raise ValueError(f"{name}: a ring of {size} completions is no power of two")
        self.name, self.address, self.size = name, address, size
        self._mask = size - 1
        self._view = view[: size * COMPLETION_BYTES]
        self.index = start & _U32
        self.armed: int | None = None
        """The index of the last re-arm; None before the first."""
        self._preset()

    def __repr__(self) -> str:
        """Where we stand."""
        return f"<{self.name} completions of {self.size}: at {self.index}>"

    def _preset(self) -> None:
        """Give every entry the phase that is not expected there next."""
        self._view[:] = bytes(len(self._view))
        for index in range(self.index, self.index + self.size):
            self._view[(index & self._mask) * COMPLETION_BYTES + COMPLETION_PHASE_BYTE] = 1 ^ phase_of(index, self.size)

    def pending(self) -> bool:
        """Is there a completion to take?"""
        index = self.index
        phase = self._view[(index & self._mask) * COMPLETION_BYTES + COMPLETION_PHASE_BYTE] & 1
        return phase == (not index & self.size)

    def take(self) -> tuple[int, int, int, int, int] | None:
        """The next completion as (index, length, status, cause, frame_length); None if there is none."""
        index = self.index
        offset = (index & self._mask) * COMPLETION_BYTES
        if self._view[offset + COMPLETION_PHASE_BYTE] & 1 != (not index & self.size):
            return None
        self.index = (index + 1) & _U32
        unit = COMPLETION_STRUCT.unpack_from(self._view, offset)
        return unit[0], unit[1], unit[2], unit[3], unit[11]


def make_rings(
    adapter: Adapter,
    memory: HostMemory,
    name: str,
    places: RingPair,
    size: int,
    start: int,
    doorbell: Callable[[int], None],
) -> tuple[DescriptorRing, CompletionRing]:
    """The rings of a queue, empty, in their places; watched by V13 in `verify=full`."""
    descriptors, completions = places
    ring = DescriptorRing(name, memory, descriptors.address, size, start, doorbell)
    if adapter.ndis.verify == "full":
        ring.monitor = RingMonitor(adapter.ndis, adapter, name, size, start)
    return ring, CompletionRing(name, completions.view, completions.address, size, start)

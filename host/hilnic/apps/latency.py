# SPDX-License-Identifier: Apache-2.0
"""Latencies of single frames on an idle NIC, in ns of simulated time.

doorbell_to_preamble: from the doorbell's arrival at the NIC's register bus to the first preamble octet.
sfd_to_indication: from the SFD on the wire to the call of the protocol; that time includes the CPU's charges.
last_octet_to_interrupt: from the end of the frame's last octet to the interrupt message at the NIC's pin. The message
follows the visible completion, so this bounds the time to that from above.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hilnic.apps.traffic import Traffic
from hilnic.hw import regs
from hilnic.hw.timing import TimingModel
from hilnic.wire.fcs import FCS_OCTETS
from hilnic.wire.link import NS_PER_OCTET, PREAMBLE_OCTETS, Link, WireFrame

__all__ = ["Latencies", "Spread", "measure"]


@dataclass(frozen=True, slots=True)
class Spread:
    """Least, middle and most of some values, in cycles of the system clock."""

    min: float
    median: float
    max: float

    @classmethod
    def of(cls, values_ns: list[float], cycle_ns: float) -> Spread | None:
        """None when there are no values."""
        if not values_ns:
            return None
        ordered = sorted(value / cycle_ns for value in values_ns)
        return cls(*(round(ordered[place], 1) for place in (0, len(ordered) // 2, -1)))


@dataclass(slots=True)
class Latencies:
    """What was seen, one value per frame."""

    doorbell_to_preamble: list[float] = field(default_factory=list)
    sfd_to_indication: list[float] = field(default_factory=list)
    last_octet_to_interrupt: list[float] = field(default_factory=list)


async def measure(
    traffic: Traffic,
    link: Link,
    samples: int,
    arrival_ns: Callable[[], float],
    interrupt_ns: Callable[[], float],
) -> Latencies:
    """Send single frames, and listen.

    `arrival_ns` and `interrupt_ns` tell when the last frame towards the NIC had its first octet after the SFD, and when
    the NIC last sent an interrupt.
    """
    found = Latencies()
    watch = _Watch(traffic, link, found, arrival_ns, interrupt_ns)
    for _ in range(samples):
        await traffic.single()
    watch.end()
    return found


class _Watch:
    """Listens at doorbell, wire and indication while single frames pass."""

    def __init__(
        self,
        traffic: Traffic,
        link: Link,
        found: Latencies,
        arrival_ns: Callable[[], float],
        interrupt_ns: Callable[[], float],
    ) -> None:
        self._traffic, self._found, self._arrival_ns, self._interrupt_ns = traffic, found, arrival_ns, interrupt_ns
        self._cpu = traffic.stack.cpu
        self._device: Any = traffic.stack.device
        self._write = self._device.write32
        self._posted_ns = getattr(self._device, "timing", TimingModel()).posted_write_ns
        self._doorbell_ns = 0
        self._octet_ns: float = 0
        setattr(self._device, "write32", self._on_write)  # noqa: B010 - a method, on this instance alone
        traffic.on_indication = self._indicated
        link.connect(self._on_frame)

    def end(self) -> None:
        """Stop listening."""
        del self._device.write32
        self._traffic.on_indication = _nothing

    def _on_write(self, offset: int, value: int) -> None:
        if offset == regs.tx_doorbell(0):
            self._doorbell_ns = self._device.issue_time() + self._posted_ns
        self._write(offset, value)

    def _on_frame(self, frame: WireFrame) -> None:
        if self._traffic.load.dir != "roundtrip":
            self._traffic.on_wire_frame(frame)
        self._octet_ns = frame.time_ns
        preamble = frame.time_ns - NS_PER_OCTET * (PREAMBLE_OCTETS + 1)
        self._found.doorbell_to_preamble.append(preamble - self._doorbell_ns)

    def _indicated(self) -> None:
        looped = self._traffic.load.dir == "roundtrip"
        octet_ns = self._octet_ns if looped else self._arrival_ns()
        octets = self._traffic.octets + FCS_OCTETS
        self._found.sfd_to_indication.append(self._cpu.now_ns() - octet_ns + NS_PER_OCTET)
        self._found.last_octet_to_interrupt.append(self._interrupt_ns() - octet_ns - NS_PER_OCTET * octets)


def _nothing() -> None:
    """Nobody listens."""

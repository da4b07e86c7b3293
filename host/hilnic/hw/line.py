# SPDX-License-Identifier: Apache-2.0
"""A level-triggered interrupt line that several cards share, and the bridge that puts a card with messages onto it.

    NIC --message, vector n--> CardOnLine: causes |= 1 << n ---\\
                                                                 InterruptLine: low while any card has a cause
    NIC --message, vector m--> CardOnLine: causes |= 1 << m ---/        |
                                                                 every ISR in turn until one claims; again while low

The causes stand until the ISR of that card acknowledges them. Without an ISR a card does not pull the line, as with the
Interrupt Disable bit of a PCI function.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from hilnic.hw.device import Device
from hilnic.hw.memory import HostMemory

__all__ = ["CardOnLine", "InterruptLine", "LinePin"]

STORM = 1000
"""So often in a row every ISR may be asked; then the line is stuck."""


class LinePin:
    """One card's pin: what it has to say, and whom the line asks."""

    def __init__(self, line: InterruptLine, name: str) -> None:
        self.name = name
        self.causes = 0
        """A bit for each vector that was signalled and not acknowledged; the ISR may read it at DIRQL."""
        self.accesses = 0
        """Acknowledgements and register writes; a claim on an interrupt of another card shows in it."""
        self.isr: Callable[[], bool] | None = None
        self._line = line
        line.pins.append(self)

    def __repr__(self) -> str:
        """Name and causes."""
        return f"<LinePin {self.name}: causes {self.causes:#x}>"

    def connect(self, isr: Callable[[], bool] | None) -> None:
        """Whom the line asks; None: nobody, and the card does not pull it."""
        self.isr = isr
        self._line.look()

    def asserted(self) -> bool:
        """Does this card pull the line?"""
        return bool(self.causes) and self.isr is not None

    def signal(self, vector: int) -> None:
        """A message of the card behind the bridge."""
        self.causes |= 1 << vector
        self._line.look()

    def acknowledge(self, causes: int) -> None:
        """Let go of these causes."""
        self.accesses += 1
        self.causes &= ~causes


class InterruptLine:
    """The wire itself, with the interrupt controller's end."""

    def __init__(self) -> None:
        self.pins: list[LinePin] = []
        self.asked = 0
        """Calls of ISRs."""
        self._looking = False

    def __repr__(self) -> str:
        """Its cards."""
        return f"<InterruptLine {self.pins}>"

    def look(self) -> None:
        """While a card pulls the line: ask each ISR, in the order of the pins, until one claims the interrupt."""
        if self._looking:
            return
        self._looking = True
        try:
            for _ in range(STORM):
                if not any(pin.asserted() for pin in self.pins):
                    return
                self._ask()
        finally:
            self._looking = False
        raise RuntimeError(f"an interrupt storm: nobody lets go of {self!r}")

    def _ask(self) -> None:
        for pin in self.pins:
            if pin.isr is not None:
                self.asked += 1
                if pin.isr():
                    return


class CardOnLine:
    """A Device whose messages pull a shared line instead."""

    def __init__(self, device: Device, line: InterruptLine, name: str, vectors: int) -> None:
        self.device = device
        self.pin = LinePin(line, name)
        for vector in range(vectors):
            device.connect_interrupt(vector, partial(self.pin.signal, vector))

    def __repr__(self) -> str:
        """Its pin and what is behind it."""
        return f"<CardOnLine {self.pin} of {self.device!r}>"

    @property
    def memory(self) -> HostMemory:
        """The host's."""
        return self.device.memory

    @memory.setter
    def memory(self, memory: HostMemory) -> None:
        self.device.memory = memory

    @property
    def issue_time(self) -> Callable[[], int]:
        """When a write is issued."""
        return self.device.issue_time

    @issue_time.setter
    def issue_time(self, now_ns: Callable[[], int]) -> None:
        self.device.issue_time = now_ns

    def write32(self, offset: int, value: int) -> None:
        """Post a write."""
        self.pin.accesses += 1
        self.device.write32(offset, value)

    async def read32(self, offset: int) -> int:
        """Read a register; raises BusError."""
        return await self.device.read32(offset)

    def connect_interrupt(self, vector: int, handler: Callable[[], None] | None) -> None:
        """There are no messages in front of the bridge."""
        del handler
        raise TypeError(f"{self!r} has a line, vector {vector} cannot be connected")

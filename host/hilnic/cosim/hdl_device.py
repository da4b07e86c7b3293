# SPDX-License-Identifier: Apache-2.0
"""The Device port on the Verilog: register accesses go into the C library's queue, interrupts come back.

The CPU's write reaches the NIC `posted_write_ns` after its issue; a read takes the same way there, behind all writes,
and the rest of `register_read_ns` back. After a surprise removal reads answer all ones, writes and messages are lost.
"""

from __future__ import annotations

from collections.abc import Callable

from cocotb.triggers import Event

from hilnic.cosim.clock import SimClock
from hilnic.hw.device import BusError
from hilnic.hw.memory import HostMemory
from hilnic.hw.timing import TimingModel

__all__ = ["HdlDevice"]

_ALL_ONES = 0xFFFF_FFFF


class HdlDevice:
    """One card of the bench."""

    def __init__(self, card: int, clock: SimClock, memory: HostMemory, timing: TimingModel) -> None:
        self.card, self.memory, self.timing = card, memory, timing
        self.issue_time: Callable[[], int] = clock.now_ns
        self._clock, self._push = clock, clock.library.csr_push
        self._posted_ns = timing.posted_write_ns
        self._handlers: dict[int, Callable[[], None]] = {}
        self._reads: dict[int, tuple[Event, list[int]]] = {}
        self._tag = 0
        self.interrupts = 0
        self.unclaimed_interrupts = 0
        self.removed = False
        self.writes_after_removal = 0

    def __repr__(self) -> str:
        """Which card, and what is on its way."""
        return f"<HdlDevice card {self.card}, {len(self._reads)} reads under way>"

    def write32(self, offset: int, value: int) -> None:
        """Post a write; returns at once, never fails."""
        if self.removed:
            self.writes_after_removal += 1
            return
        due = self._clock.epoch_ps + (self.issue_time() + self._posted_ns) * 1000
        self._push(self.card, 1, offset, value & 0xFFFF_FFFF, due, 0)

    async def read32(self, offset: int) -> int:
        """Read a register after all posted writes; raises BusError."""
        if self.removed:
            await self._clock.sleep(self.timing.register_read_ns)
            return _ALL_ONES
        self._tag += 1
        tag, event, answer = self._tag, Event(), []  # type: int, Event, list[int]
        self._reads[tag] = (event, answer)
        due = self._clock.epoch_ps + (self.issue_time() + self._posted_ns) * 1000
        self._push(self.card, 0, offset, 0, due, tag)
        await event.wait()
        response, value = answer[0] >> 32, answer[0] & 0xFFFF_FFFF
        if response:
            raise BusError(offset, response)
        return value

    def connect_interrupt(self, vector: int, handler: Callable[[], None] | None) -> None:
        """Who is called for a vector's messages; None disconnects."""
        if handler is None:
            self._handlers.pop(vector, None)
        else:
            self._handlers[vector] = handler

    def on_answer(self, tag: int, answer: int) -> None:
        """A register read has come back (from the harness)."""
        if tag in self._reads:
            event, place = self._reads.pop(tag)
            place.append(answer)
            event.set()

    def on_interrupt(self, vector: int) -> None:
        """An interrupt message has arrived (from the harness)."""
        self.interrupts += 1
        handler = None if self.removed else self._handlers.get(vector)
        if handler is None:
            self.unclaimed_interrupts += 1
        else:
            handler()

    def remove(self) -> None:
        """The card is pulled: reads under way answer all ones, like all later ones."""
        self.removed = True
        for tag in list(self._reads):
            self.on_answer(tag, _ALL_ONES)

    def insert(self) -> None:
        """A card is there again, fresh from its reset."""
        self.removed, self.writes_after_removal = False, 0

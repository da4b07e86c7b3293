# SPDX-License-Identifier: Apache-2.0
"""The bench `tb_nic` as Python drives it: clocks, reset, settings, and one `Card` per NIC with its ports.

    harness = Harness(dut, timing=TimingModel(), seed=7)
    await harness.start()                    # clocks run, the NICs are out of reset
    card = harness.cards[0]                  # card.device, card.link, card.memory, card.settings, card.statistics

A breach of a checker, a stray DMA access or a hang ends the test with an exception from the pump.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cocotb

from hilnic.cosim import hostmem
from hilnic.cosim.artefacts import Recorder
from hilnic.cosim.clock import SimClock
from hilnic.cosim.hdl_device import HdlDevice
from hilnic.cosim.hostmem import Library
from hilnic.cosim.link import HdlLink, Record
from hilnic.cosim.watchdog import Watchdog
from hilnic.hw.device import DeviceFault
from hilnic.hw.memory import HostMemory
from hilnic.hw.timing import TimingModel
from hilnic.hw.trace import Trace
from hilnic.hw.trace_rows import CallRow, EventRow
from hilnic.wire.link import WireFrame

__all__ = ["ALIGNED", "Card", "Clocks", "Harness", "ProtocolBreach", "usual_clocks"]

_READERS = {0: "TX descriptor read", 1: "RX descriptor read", 2: "TX data read"}
_WRITERS = {0: "RX data write", 1: "completion write"}
_MEGABYTE = 1 << 20


class ProtocolBreach(Exception):
    """A checker's rule was broken: rule id, message with the signal, card and time."""

    def __init__(self, rule: str, message: str, card: int, time_ns: int) -> None:
        super().__init__(f"{rule} card {card} @{time_ns} ns: {message}")
        self.rule, self.message, self.card, self.time_ns = rule, message, card, time_ns


@dataclass(frozen=True, slots=True)
class Clocks:
    """Periods in ps (parts per million as fractions are fine: 8000.8) and phases of one card's three clocks."""

    system_ps: float = 8000
    rx_ps: float = 8000
    tx_ps: float = 8000
    phases_ps: tuple[int, int, int] = (0, 1300, 3700)

    @property
    def periods_fs(self) -> tuple[int, int, int]:
        """In femtoseconds, as the C library wants them."""
        return round(self.system_ps * 1000), round(self.rx_ps * 1000), round(self.tx_ps * 1000)


ALIGNED = Clocks(phases_ps=(0, 0, 0))
"""Edges of all clocks together: a third of the simulator's time steps."""


def usual_clocks() -> Clocks:
    """Of a card whose test chooses none: three phases, or ALIGNED where the catalogue sets HILNIC_CLOCKS so.

    The catalogue does that for long runs which are not about the crossings.
    """
    return ALIGNED if os.environ.get("HILNIC_CLOCKS") == "aligned" else Clocks()


class Card:
    """One NIC of the bench and what surrounds it."""

    def __init__(self, index: int, clock: SimClock, memory: HostMemory, timing: TimingModel, clocks: Clocks) -> None:
        self.index, self.memory, self.clocks = index, memory, clocks
        self.library = clock.library
        self.device = HdlDevice(index, clock, memory, timing)
        self.link = HdlLink(index, clock)
        self.settings = self.library.shared.settings[index]
        self.statistics = self.library.shared.statistics[index]
        self._apply(timing)
        memory.now_ns = clock.now_ns
        pointers = memory.pointers()
        self.library.attach(
            index, pointers.base, pointers.size, pointers.host, pointers.device,
            pointers.device_read, pointers.device_write,
        )  # fmt: skip

    def __repr__(self) -> str:
        """Number and traffic."""
        return f"<Card {self.index}: {self.statistics.tx_frames} frames sent, {self.statistics.rx_frames} received>"

    def _apply(self, timing: TimingModel) -> None:
        s = self.settings
        s.read_ps, s.write_ps = timing.dma_read_ns * 1000, timing.write_response_ns * 1000
        s.csr_return_ps = max(0, timing.register_read_ns - timing.posted_write_ns) * 1000
        s.irq_ps = timing.interrupt_ns * 1000
        s.jitter_percent, s.stall_percent = timing.jitter_percent, timing.stall_percent
        s.bandwidth_percent, s.reorder, s.seed = timing.bandwidth_percent, int(timing.reorder), timing.seed
        s.deliver, s.link_up = 1, 1

    def stop_clock(self, which: int) -> None:
        """Stop a MAC clock (hostmem.RX, hostmem.TX) at its next rising edge."""
        self.settings.run[which] = 0
        self.library.shared.settings[0].reload = 1

    def start_clock(self, which: int) -> None:
        """Let a stopped clock run again, after its phase."""
        self.settings.run[which] = 1
        self.library.shared.settings[0].reload = 1

    def inject_read_error(self, n: int, response: int = 2) -> None:
        """Answer the n-th read burst from now on (from 1) with SLVERR (2) or DECERR (3)."""
        self.library.inject(self.index, 0, n, response)

    def inject_write_error(self, n: int, response: int = 2) -> None:
        """Answer the n-th write burst from now on (from 1) with SLVERR (2) or DECERR (3)."""
        self.library.inject(self.index, 1, n, response)


class Harness:
    """All cards of the bench, for one test."""

    def __init__(
        self,
        dut: Any,
        *,
        timing: TimingModel | None = None,
        clocks: Sequence[Clocks] = (),
        cards: int = 1,
        memory_bytes: int = 32 * _MEGABYTE,
        seed: int = 0,
        limit_ns: int = 200_000_000,
        one_host: bool = False,
    ) -> None:
        """`one_host`: all cards are in the same host, and so use the same memory."""
        self.dut = dut
        self.timing = (timing or TimingModel()).with_seed(seed) if timing is None or not timing.seed else timing
        self.library = Library(Path(os.environ["HILNIC_HOSTMEM"]))
        self.library.reset_all()
        self.clock = SimClock(self.library)
        memories = [HostMemory(memory_bytes, weak=self.timing.weak) for _ in range(1 if one_host else cards)]
        self.cards = [
            Card(
                index, self.clock, memories[0 if one_host else index], self.timing,
                clocks[index] if index < len(clocks) else usual_clocks(),
            )
            for index in range(cards)
        ]  # fmt: skip
        self.clock.on_event = self._on_event
        self.watchdog = Watchdog(self.library, self.clock, cards, dut, limit_ns)
        self._pump: Any = None
        self.recorder = Recorder.of_current_test(cards)
        self.trace = self.recorder.trace if self.recorder is not None else Trace()
        """For `Stack(trace=...)`: the host's events beside those of the wire."""
        if self.recorder is not None:
            for card in self.cards:
                card.link.tap = self._tap(self.recorder, card.index)
        if os.environ.get("HILNIC_WAVES"):
            events, calls = EventRow(dut.events, self.clock.now_ns), CallRow(dut.calls)

            def show(time_ns: int, kind: str, fields: dict[str, Any]) -> None:
                events.show(time_ns, kind, fields)
                calls.show(time_ns, kind, fields)

            self.trace.listen(show)

    def _tap(self, recorder: Recorder, index: int) -> Record:
        """Into the captures; where the Verilog connects two cards, what one sends is what the other receives."""
        other = self.cards[-1 - index]
        own, others = recorder.on_wire(index), recorder.on_wire(other.index)

        def tap(from_nic: bool, frame: WireFrame) -> None:
            own(from_nic, frame)
            if from_nic and other.settings.wire_mode == hostmem.WIRE_CROSS:
                others(False, frame)

        return tap

    def __repr__(self) -> str:
        """Cards and time."""
        return f"<Harness {self.cards} at {self.clock.now_ns()} ns>"

    @property
    def now_ns(self) -> int:
        """Simulated time since the test's start."""
        return self.clock.now_ns()

    async def sleep(self, delay_ns: int) -> None:
        """Let simulated time pass."""
        await self.clock.sleep(delay_ns)

    # --- start and reset ----------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Stop and restart all clocks in a defined phase, then release the reset: equal seeds give equal runs."""
        self._pump = cocotb.start_soon(self._listen())
        await self.clock.sleep(100)  # the reset reaches NICs that the last test left in the middle of something
        self.library.shared.breach.count = 0  # of theirs
        self.clock.on_wake = self.check
        for card in self.cards:
            self.library.reset_card(card.index)
            _set_clocks(card, Clocks(), (card.index == 0, False, False))
        self.cards[0].settings.reload = 1
        await self.clock.sleep(200)
        for card in self.cards:
            _set_clocks(card, card.clocks, (True, True, True))
        self.cards[0].settings.reload = 1
        self.clock.start_epoch()
        await self.clock.sleep(100)
        if os.environ.get("HILNIC_ENDS") == "cocotbext":
            self._attach_cocotbext()  # now that no pin is unknown any more
        await self.release_reset()
        self.watchdog.start()

    def _attach_cocotbext(self) -> None:
        from hilnic.cosim.cocotbext_ends import CocotbextEnds  # costs a second, and scapy

        for card in self.cards:
            pins = self.dut.gen_card[card.index].u_card.gen_bare.u_pins
            CocotbextEnds(pins, card.index, self.clock, card.link, self.timing.seed)

    async def release_reset(self) -> None:
        """Let all NICs out of reset and give them the time to see it."""
        for card in self.cards:
            card.settings.reset_n = 1
        await self.clock.sleep(200)

    async def hard_reset(self, card: Card) -> None:
        """Assert a card's rst_ni for 20 cycles; what was outstanding is gone."""
        card.settings.reset_n = 0
        await self.clock.sleep(80)
        self.library.reset_card(card.index)
        await self.clock.sleep(80)
        card.settings.reset_n = 1
        await self.clock.sleep(200)

    async def remove(self, card: Card) -> None:
        """Surprise removal: DMA and interrupts stop in the middle of a burst, reads answer all ones."""
        card.settings.reset_n = 0
        card.device.remove()
        await self.clock.sleep(80)
        self.library.reset_card(card.index)

    async def insert(self, card: Card) -> None:
        """Put a removed card back: a NIC after power-on."""
        await self.clock.sleep(80)
        card.device.insert()
        card.settings.reset_n = 1
        await self.clock.sleep(200)

    def stop(self) -> None:
        """End of the test: the NICs go back into reset."""
        for card in self.cards:
            card.settings.reset_n = 0
        if self._pump is not None:
            self._pump.cancel()
        if self.recorder is not None:
            self.recorder.close()

    async def _listen(self) -> None:
        wake = self.dut.wake.value_change
        pump = self.clock.pump
        while True:
            await wake
            pump()

    # --- what the simulator says --------------------------------------------------------------------------------------

    def check(self) -> None:
        """Raise what a checker or the memory has reported."""
        breach = self.library.shared.breach
        if not breach.count:
            return
        time_ns = self.clock.to_ns(breach.time_ps)
        if breach.rule.startswith("DMA"):
            names = _READERS if "read" in breach.message else _WRITERS
            raise DeviceFault(
                f"{breach.rule}: {breach.message} (card {breach.card})", address=breach.address, length=breach.length,
                engine=names.get(breach.id, f"id {breach.id}"), time_ns=time_ns,
            )  # fmt: skip
        place = f", 0x{breach.address:x}+{breach.length} id {breach.id}" if breach.length else ""
        raise ProtocolBreach(breach.rule, f"{breach.message}{place}", breach.card, time_ns)

    def breached_rules(self) -> tuple[str, ...]:
        """Ids of the rules of the first report and of all others at its time."""
        breach = self.library.shared.breach
        return (breach.rule, *breach.also) if breach.count else ()

    def _on_event(self, event: hostmem.Event) -> None:
        time_ps, _, kind, card, a, b, _ = event
        target = self.cards[card]
        if kind == hostmem.EVENT_IRQ:
            target.device.on_interrupt(a)
        elif kind == hostmem.EVENT_FRAME:
            if time_ps >= self.clock.epoch_ps:  # else cut by the reset that ended the test before
                target.link.on_frame(time_ps, a, b)
        elif kind == hostmem.EVENT_CSR:
            target.device.on_answer(a, b)
        else:
            target.link.on_sent(time_ps, a)


def _set_clocks(card: Card, clocks: Clocks, run: tuple[bool, bool, bool]) -> None:
    for which in range(hostmem.CLOCKS):
        card.settings.run[which] = int(run[which])
        card.settings.period_fs[which] = clocks.periods_fs[which]
        card.settings.phase_ps[which] = clocks.phases_ps[which]

# SPDX-License-Identifier: Apache-2.0
"""Cards without registers, for a miniport that brings hardware of its own; and a case played in virtual time.

`parameters.resources` of the miniport is the `Port`: `transmit(frame)` for what goes out; `on_receive`, `on_link` for
what comes in.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hilnic.hw.clock import VirtualClock
from hilnic.hw.cpu import HostCpu
from hilnic.hw.memory import HostMemory
from hilnic.testing.ndistest.bed import Bed, Case, Hear, Outcome, Register, Slot, described, run_case
from hilnic.testing.ndistest.stuck import NeverReturned, returning
from hilnic.wire.link import Link, Receiver, WireFrame, as_wire_frame

__all__ = ["LIMIT_NS", "MEMORY_BYTES", "Cable", "Port", "TappedWire", "left_over", "play", "port_bed"]

MEMORY_BYTES = 16 << 20
LIMIT_NS = 100_000_000
"""Of simulated time, for one case."""
_SLICE_NS = 1_000_000
_FLIGHT_NS = 700


class Port:
    """A card without registers: one end of the wire, for the miniport above it and for the cable below."""

    def __init__(self, clock: VirtualClock) -> None:
        self.on_receive: Callable[[bytes], None] = lambda _: None
        self.on_link: Callable[[bool], None] = lambda _: None
        self._clock = clock
        self._receiver: Receiver = lambda _: None
        self._hear: Hear = lambda *_: None

    def tap(self, hear: Hear) -> None:
        """Who is told of every frame, the last one named."""
        self._hear = hear

    def transmit(self, frame: bytes) -> None:
        """The miniport's side: a frame goes out, padded, and arrives later."""
        out = as_wire_frame(frame)
        self._hear(True, out)
        self._clock.call_at(self._clock.now_ns() + _FLIGHT_NS, lambda: self._receiver(out))

    def send(self, frame: bytes | WireFrame, at: int | None = None) -> None:
        """The cable's side: a frame comes in."""
        came = as_wire_frame(frame)
        self._hear(False, came)
        when = self._clock.now_ns() if at is None else at
        self._clock.call_at(when, lambda: self.on_receive(came.data) if came.fcs_ok and not came.error else None)

    def connect(self, receiver: Receiver) -> None:
        """Who gets what goes out."""
        self._receiver = receiver


class TappedWire:
    """A Link on a Link that tells of every frame: of what the card sends, and of what is sent to it."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._receiver: Receiver = lambda _: None
        self._hear: Hear = lambda *_: None
        link.connect(self._out)

    def tap(self, hear: Hear) -> None:
        """Who is told, the last one named."""
        self._hear = hear

    def _out(self, frame: WireFrame) -> None:
        self._hear(True, frame)
        self._receiver(frame)

    def send(self, frame: bytes | WireFrame, at: int | None = None) -> None:
        """Link.send."""
        self._hear(False, as_wire_frame(frame))
        self._link.send(frame, at)

    def connect(self, receiver: Receiver) -> None:
        """Link.connect."""
        self._receiver = receiver


class Cable:
    """Joins two wire ends; what is sent while it is out is lost."""

    def __init__(self, *cards: Any) -> None:
        self.is_in = True
        for one, other in zip(cards, reversed(cards), strict=True):
            if one is not other:
                one.connect(lambda frame, other=other: other.send(frame) if self.is_in else None)


def left_over(memory: HostMemory) -> Callable[[], list[object]]:
    """What a host has not given back."""
    return lambda: [*memory.live_mappings(), *memory.leaks()]


def port_bed(cards: int, register: Register, **options: Any) -> tuple[VirtualClock, Bed]:
    """A bare port in each slot."""
    clock = VirtualClock()
    ports, slots = [Port(clock) for _ in range(cards)], []
    for port in ports:
        memory = HostMemory(MEMORY_BYTES)
        slots.append(Slot(HostCpu(clock, memory), port, port, left_over(memory), tap=port.tap))
    line = Cable(*ports)

    def set_cable(up: bool) -> None:
        line.is_in = up
        for port in ports:
            port.on_link(up)

    return clock, Bed(slots, register, set_cable, **options)


def play(case: Case, clock: VirtualClock, bed: Bed) -> Outcome:
    """Run one case in virtual time; a driver that hangs, or raises out of a DPC, fails it too."""
    work = run_case(case, bed)
    task = clock.start(work)
    task.observe()
    try:
        while not task.done() and clock.now_ns() < LIMIT_NS:
            with returning():
                clock.run_until(clock.now_ns() + _SLICE_NS)
        if task.done():
            outcome: Outcome = task.result()
            return outcome
    except NeverReturned as stuck:
        return _broken_off(case, bed, work, str(stuck))
    except Exception as error:  # raised by a driver, out of whatever the clock ran
        return _broken_off(case, bed, work, described(error))
    return _broken_off(case, bed, work, f"no end within {LIMIT_NS // 1_000_000} ms of simulated time")


def _broken_off(case: Case, bed: Bed, work: Any, sentence: str) -> Outcome:
    """A case that does not come to its end: what happened, who waits for whom, and what the verifier saw before."""
    failures = *bed.violations(), sentence, *bed.waiting()
    with suppress(RuntimeError):
        work.close()
    return Outcome(case.name, failures)

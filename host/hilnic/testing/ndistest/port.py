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
from hilnic.testing.ndistest.bed import Bed, Case, Outcome, Register, Slot, run_case
from hilnic.wire.link import Receiver, WireFrame, as_wire_frame

__all__ = ["LIMIT_NS", "MEMORY_BYTES", "Cable", "Port", "left_over", "play", "port_bed"]

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

    def transmit(self, frame: bytes) -> None:
        """The miniport's side: a frame goes out, padded, and arrives later."""
        out = as_wire_frame(frame)
        self._clock.call_at(self._clock.now_ns() + _FLIGHT_NS, lambda: self._receiver(out))

    def send(self, frame: bytes | WireFrame, at: int | None = None) -> None:
        """The cable's side: a frame comes in."""
        came = as_wire_frame(frame)
        when = self._clock.now_ns() if at is None else at
        self._clock.call_at(when, lambda: self.on_receive(came.data) if came.fcs_ok and not came.error else None)

    def connect(self, receiver: Receiver) -> None:
        """Who gets what goes out."""
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
        slots.append(Slot(HostCpu(clock, memory), port, port, left_over(memory)))
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
            clock.run_until(clock.now_ns() + _SLICE_NS)
    except Exception as error:  # raised by a driver, out of whatever the clock ran
        with suppress(RuntimeError):
            work.close()
        return Outcome(case.name, (f"{type(error).__name__}: {error}".splitlines()[0],))
    if not task.done():
        with suppress(RuntimeError):
            work.close()
        return Outcome(case.name, (f"no end within {LIMIT_NS // 1_000_000} ms of simulated time",))
    outcome: Outcome = task.result()
    return outcome

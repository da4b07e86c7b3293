# SPDX-License-Identifier: Apache-2.0
"""The Clock port over the simulator.

Python wakes only when the bench's `wake` signal changes: an event of the C library is due, or the time that this clock
asked for has come. Everything that is due runs then, in order of time. A callback so runs at the first edge of card 0's
system clock at or after its time. Time zero is the start of the test, not of the simulation, because many tests share
one simulator process.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Coroutine
from typing import Any

import cocotb
from cocotb import simulator
from cocotb.triggers import Event

from hilnic.cosim import hostmem
from hilnic.cosim.hostmem import Library

__all__ = ["SimClock", "simulation_ps"]

Dispatch = Callable[[hostmem.Event], None]


def simulation_ps() -> int:
    """Simulation time; the benches are built with 1 ps."""
    high, low = simulator.get_sim_time()
    return int(high << 32 | low)


class _Call:
    """A callback that has been asked for; `function` is None once it ran or was cancelled."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[[], None]) -> None:
        self.function: Callable[[], None] | None = function

    def cancel(self) -> bool:
        pending = self.function is not None
        self.function = None
        return pending


class SimClock:
    """Simulated time and everything that happens on the host's side at a time."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.epoch_ps = simulation_ps()
        self.on_event: Dispatch = _nobody
        self.on_wake: Callable[[], None] = _nothing
        self._heap: list[tuple[int, int, _Call]] = []
        self._sequence = 0
        self._busy = False

    def __repr__(self) -> str:
        """Time and backlog."""
        return f"<SimClock {self.now_ns()} ns, {len(self._heap)} pending>"

    def start_epoch(self) -> None:
        """Time zero is now."""
        self.epoch_ps = simulation_ps()

    def now_ns(self) -> int:
        """Time since the test's start in ns."""
        return (simulation_ps() - self.epoch_ps) // 1000

    def to_ns(self, absolute_ps: int) -> int:
        """The test's time in ns of an absolute simulation time."""
        return (absolute_ps - self.epoch_ps) // 1000

    def to_ps(self, time_ns: int) -> int:
        """The absolute simulation time of a time of the test."""
        return self.epoch_ps + time_ns * 1000

    def call_at(self, time_ns: int, function: Callable[[], None]) -> _Call:
        """Call a plain function at a time; a time that has passed means now."""
        call = _Call(function)
        self._sequence += 1
        heapq.heappush(self._heap, (time_ns, self._sequence, call))
        if not self._busy:
            self._arm()
        return call

    def create_event(self) -> Event:
        """A new event, not set."""
        return Event()

    async def sleep(self, delay_ns: int) -> None:
        """Wait for a span of simulated time."""
        event = Event()
        self.call_at(self.now_ns() + delay_ns, event.set)
        await event.wait()

    def start(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine beside the others; an exception nobody awaits fails the test."""
        return cocotb.start_soon(coroutine)

    @property
    def pending(self) -> int:
        """Callbacks that still wait, cancelled ones included."""
        return len(self._heap)

    def _arm(self) -> None:
        """Tell the simulator when to wake Python next; a reported breach has asked for now."""
        shared = self.library.shared
        if shared.breach.count == 0:
            shared.timer_ps = self.epoch_ps + self._heap[0][0] * 1000 if self._heap else hostmem.NEVER

    def pump(self) -> None:
        """Run everything that is due; called at each change of `wake`."""
        self._busy = True
        try:
            now_ps = simulation_ps()
            self.on_wake()
            for event in self.library.drain(now_ps):
                self.on_event(event)
            self._run_due((now_ps - self.epoch_ps) // 1000)
        finally:
            self._busy = False
        self._arm()

    def _run_due(self, now_ns: int) -> None:
        heap = self._heap
        while heap and heap[0][0] <= now_ns:
            call = heapq.heappop(heap)[2]
            function = call.function
            if function is not None:
                call.function = None
                function()


def _nobody(event: hostmem.Event) -> None:
    """Events before a harness listens."""


def _nothing() -> None:
    """The default of `on_wake`."""

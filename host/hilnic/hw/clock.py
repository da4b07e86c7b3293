# SPDX-License-Identifier: Apache-2.0
"""Simulated time: the Clock port, and `VirtualClock`, its implementation without a simulator.

Everything above awaits only what a clock hands out (`Event.wait()`, `sleep()`), so the same coroutines run here and,
over `cosim.clock.SimClock`, inside cocotb. Times are integers in nanoseconds. Callbacks of equal time run in the order
in which they were asked for, hence a run is a function of its inputs alone.
"""

from __future__ import annotations

import heapq
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, Protocol

__all__ = ["Clock", "Deadlock", "Event", "Handle", "Task", "VirtualClock"]


class Handle(Protocol):
    """A callback that has been asked for."""

    def cancel(self) -> bool:
        """Forget the callback; True if it had not run yet."""
        ...


class Event(Protocol):
    """A latch: once set it stays set, and everybody who waits goes on."""

    def set(self) -> None:
        """Wake all who wait, at the current time."""
        ...

    def is_set(self) -> bool:
        """Has it been set?"""
        ...

    def wait(self) -> Awaitable[None]:
        """Return at once if set, otherwise when it is set."""
        ...


class Task(Protocol):
    """A started coroutine."""

    def done(self) -> bool:
        """Has it ended, well or badly?"""
        ...


class Clock(Protocol):
    """Who knows the time and runs things later."""

    def now_ns(self) -> int:
        """Simulated time in ns."""
        ...

    def call_at(self, time_ns: int, function: Callable[[], None]) -> Handle:
        """Call a plain function at a time; a time that has passed means now."""
        ...

    def create_event(self) -> Event:
        """A new event, not set."""
        ...

    def sleep(self, delay_ns: int) -> Awaitable[None]:
        """Wait for a span of simulated time."""
        ...

    def start(self, coroutine: Coroutine[Any, Any, Any]) -> Task:
        """Run a coroutine beside the others; an exception nobody awaits stops the clock."""
        ...


class Deadlock(RuntimeError):
    """Nothing is left to happen and the awaited coroutine has not ended."""


class _Call:
    """One heap entry; `function` is None once it ran or was cancelled."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[[], None]) -> None:
        self.function: Callable[[], None] | None = function

    def cancel(self) -> bool:
        pending = self.function is not None
        self.function = None
        return pending


class _Suspend:
    """What a waiting coroutine yields: the event that will resume it."""

    __slots__ = ("event",)

    def __init__(self, event: VirtualEvent) -> None:
        self.event = event

    def __await__(self) -> Generator[VirtualEvent, None, None]:
        if not self.event.is_set():
            yield self.event


class VirtualEvent:
    """An event of a `VirtualClock`."""

    __slots__ = ("_clock", "_set", "_waiters")

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._set = False
        self._waiters: list[Callable[[], None]] = []

    def set(self) -> None:
        """Resume everybody at the current time, in the order of waiting."""
        self._set = True
        waiters, self._waiters = self._waiters, []
        for resume in waiters:
            self._clock.call_at(self._clock.now_ns(), resume)

    def is_set(self) -> bool:
        """Has it been set?"""
        return self._set

    def wait(self) -> Awaitable[None]:
        """Awaitable that ends when the event is set."""
        return _Suspend(self)

    def notify(self, resume: Callable[[], None]) -> None:
        """Call `resume` once when the event is set."""
        self._waiters.append(resume)


class VirtualTask:
    """A coroutine under way; `await task.wait()` gives its result or raises its exception."""

    __slots__ = ("_clock", "_coroutine", "_error", "_finished", "_observed", "_result")

    def __init__(self, clock: VirtualClock, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._clock = clock
        self._coroutine = coroutine
        self._finished = VirtualEvent(clock)
        self._result: Any = None
        self._error: BaseException | None = None
        self._observed = False

    def __del__(self) -> None:
        """A run may end before its background tasks do."""
        self._coroutine.close()

    def done(self) -> bool:
        """Has it ended, well or badly?"""
        return self._finished.is_set()

    def result(self) -> Any:
        """The coroutine's result; raises its exception."""
        if not self.done():
            raise RuntimeError("the task has not ended")
        if self._error is not None:
            raise self._error
        return self._result

    async def wait(self) -> Any:
        """Wait for the end, then the result."""
        self._observed = True
        await self._finished.wait()
        return self.result()

    def observe(self) -> None:
        """Declare that somebody will look at the result, so an exception need not stop the clock."""
        self._observed = True

    def step(self) -> None:
        """Run the coroutine to its next wait."""
        try:
            event = self._coroutine.send(None)
        except StopIteration as stop:
            self._result = stop.value
            self._finished.set()
        except BaseException as error:
            self._error = error
            self._finished.set()
            if not self._observed:
                raise
        else:
            self._wait_for(event)

    def _wait_for(self, event: object) -> None:
        if not isinstance(event, VirtualEvent):
            raise TypeError(f"a coroutine of this clock awaited a foreign object: {event!r}")
        event.notify(self.step)


class VirtualClock:
    """A heap of callbacks; time jumps from one to the next."""

    __slots__ = ("_heap", "_now", "_sequence")

    def __init__(self, start_ns: int = 0) -> None:
        self._now = start_ns
        self._sequence = 0
        self._heap: list[tuple[int, int, _Call]] = []

    def __repr__(self) -> str:
        """Time and backlog."""
        return f"<VirtualClock {self._now} ns, {len(self._heap)} pending>"

    def now_ns(self) -> int:
        """Simulated time in ns."""
        return self._now

    def call_at(self, time_ns: int, function: Callable[[], None]) -> Handle:
        """Call a plain function at a time; a time that has passed means now."""
        call = _Call(function)
        self._sequence += 1
        heapq.heappush(self._heap, (max(time_ns, self._now), self._sequence, call))
        return call

    def create_event(self) -> VirtualEvent:
        """A new event, not set."""
        return VirtualEvent(self)

    async def sleep(self, delay_ns: int) -> None:
        """Wait for a span of simulated time."""
        event = VirtualEvent(self)
        self.call_at(self._now + delay_ns, event.set)
        await event.wait()

    def start(self, coroutine: Coroutine[Any, Any, Any]) -> VirtualTask:
        """Run a coroutine beside the others, from the current time on."""
        task = VirtualTask(self, coroutine)
        self.call_at(self._now, task.step)
        return task

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run until the coroutine ends; its result. Deadlock if nothing is left that could end it."""
        task = self.start(coroutine)
        task.observe()
        while not task.done():
            if not self._run_next():
                coroutine.close()
                raise Deadlock(f"nothing left to happen at {self._now} ns and {coroutine!r} still waits")
        return task.result()

    def run_until(self, time_ns: int) -> None:
        """Run everything due up to and including a time, and stand there."""
        heap = self._heap
        while heap and heap[0][0] <= time_ns:
            self._run_next()
        self._now = max(self._now, time_ns)

    def run_idle(self) -> None:
        """Run until nothing is left to happen."""
        while self._run_next():
            pass

    def _run_next(self) -> bool:
        """Run the next live callback; False if there is none."""
        while self._heap:
            time_ns, _, call = heapq.heappop(self._heap)
            function = call.function
            if function is not None:
                call.function = None
                self._now = time_ns
                function()
                return True
        return False

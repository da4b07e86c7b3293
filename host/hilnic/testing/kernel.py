# SPDX-License-Identifier: Apache-2.0
"""`VirtualKernel`: a whole operating system, deterministic, in virtual time, with no hardware below it.

kernel = VirtualKernel()
ndis = Ndis(kernel)
status, adapter = kernel.run(start_adapter(ndis, driver, "nic0"))
"""

from __future__ import annotations

import heapq
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, TypeVar

from hilnic.ndis import Irql

__all__ = ["VirtualEvent", "VirtualKernel", "VirtualMapper", "VirtualRegion", "VirtualTimer", "VirtualTrace"]

T = TypeVar("T")

BASE_ADDRESS = 0x1_0000_0000


class VirtualEvent:
    """A notification event; awaiting it suspends a coroutine until it is set."""

    __slots__ = ("_kernel", "_set", "_waiters")

    def __init__(self, kernel: VirtualKernel) -> None:
        self._kernel = kernel
        self._set = False
        self._waiters: list[Callable[[], None]] = []

    def set(self) -> None:
        """Wake everybody who waits, in the order they came."""
        self._set = True
        waiters, self._waiters = self._waiters, []
        for resume in waiters:
            self._kernel.call_at(self._kernel.now_ns(), resume)

    def is_set(self) -> bool:
        """Whether a wait would end at once."""
        return self._set

    def wait(self) -> Awaitable[None]:
        """Wait at PASSIVE_LEVEL."""
        return self

    def add_waiter(self, resume: Callable[[], None]) -> None:
        """Call `resume` once the event is set."""
        self._waiters.append(resume)

    def __await__(self) -> Generator[VirtualEvent, None, None]:
        while not self._set:
            yield self


class VirtualRegion:
    """Memory with an address."""

    __slots__ = ("address", "view")

    def __init__(self, address: int, size: int) -> None:
        self.address = address
        self.view = memoryview(bytearray(size))

    def __repr__(self) -> str:
        return f"VirtualRegion({self.address:#x}, {len(self.view)} bytes)"


class VirtualTimer:
    """A pending timer."""

    __slots__ = ("fired", "live")

    def __init__(self) -> None:
        self.live = True
        self.fired = False

    def cancel(self) -> bool:
        """True when it had not fired."""
        pending = self.live and not self.fired
        self.live = False
        return pending


class VirtualTrace:
    """Keeps the events as (time, kind, fields)."""

    __slots__ = ("_now", "enabled", "events")

    def __init__(self, now: Callable[[], int], enabled: bool) -> None:
        self._now = now
        self.enabled = enabled
        self.events: list[tuple[int, str, dict[str, Any]]] = []

    def emit(self, kind: str, /, **fields: Any) -> None:
        """Record one event."""
        self.events.append((self._now(), kind, fields))


class VirtualKernel:
    """The Kernel port over a heap of events."""

    def __init__(self, trace: bool = False) -> None:
        self.irql: Any = Irql.PASSIVE
        self.trace = VirtualTrace(self.now_ns, trace)
        self.yield_point: Callable[[str], None] = _no_yield
        self.regions: dict[int, VirtualRegion] = {}
        self.fail_allocations = 0  # that many allocations from now on raise MemoryError
        self._now = 0
        self._sequence = 0
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._watchdogs: list[tuple[int, int, Callable[[], None], VirtualTimer]] = []
        self._next_address = BASE_ADDRESS

    def now_ns(self) -> int:
        """Virtual time."""
        return self._now

    def call_at(self, time_ns: int, routine: Callable[[], None]) -> None:
        """Run `routine` at a time; equal times run in the order of this call."""
        self._sequence += 1
        heapq.heappush(self._heap, (max(time_ns, self._now), self._sequence, routine))

    def queue_dpc(self, routine: Callable[[], None]) -> None:
        """Run `routine` at DISPATCH_LEVEL."""
        self.call_at(self._now, lambda: self._at_dispatch(routine))

    def _at_dispatch(self, routine: Callable[[], None]) -> None:
        before, self.irql = self.irql, Irql.DISPATCH
        try:
            routine()
        finally:
            self.irql = before

    def set_timer(self, delay_ns: int, routine: Callable[[], None]) -> VirtualTimer:
        """Run `routine` as a DPC after `delay_ns`."""
        timer = VirtualTimer()

        def fire() -> None:
            if timer.live:
                timer.fired = True
                self._at_dispatch(routine)

        self.call_at(self._now + delay_ns, fire)
        return timer

    def set_watchdog(self, delay_ns: int, routine: Callable[[], None]) -> VirtualTimer:
        """A timer that keeps nobody busy: it fires as time passes, or when somebody waits and nothing else happens."""
        timer = VirtualTimer()
        self._sequence += 1
        heapq.heappush(self._watchdogs, (self._now + delay_ns, self._sequence, routine, timer))
        return timer

    def queue_work_item(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a coroutine at PASSIVE_LEVEL."""
        self.call_at(self._now, lambda: self._step(work(), []))

    def create_event(self) -> VirtualEvent:
        """A new event, not set."""
        return VirtualEvent(self)

    def sleep(self, delay_ns: int) -> Awaitable[None]:
        """Wait in virtual time."""
        event = self.create_event()
        self.call_at(self._now + delay_ns, event.set)
        return event.wait()

    def allocate(self, size: int, alignment: int = 64) -> VirtualRegion:
        """Memory, or MemoryError while `fail_allocations` lasts."""
        if self.fail_allocations:
            self.fail_allocations -= 1
            raise MemoryError(f"injected: {size} bytes")
        address = -(-self._next_address // alignment) * alignment
        self._next_address = address + size
        region = self.regions[address] = VirtualRegion(address, size)
        return region

    def free(self, region: Any) -> None:
        """Give memory back, poisoned."""
        region.view[:] = b"\xdd" * len(region.view)
        del self.regions[region.address]

    def charge_frames(self, count: int) -> None:
        """CPU time is free here."""

    def stall(self, duration_ns: int) -> None:
        """A busy CPU costs nothing here either."""

    # The event loop.

    def start(self, work: Coroutine[Any, Any, T]) -> list[T]:
        """Start a coroutine; the list gets its result."""
        result: list[T] = []
        self.call_at(self._now, lambda: self._step(work, result))
        return result

    def run(self, work: Coroutine[Any, Any, T] | None = None) -> T:
        """Run until `work` has ended, or everything has when there is none; an exception of any routine comes out."""
        result = [] if work is None else self.start(work)
        while not (result and work is not None):
            if self._heap:
                self.step()
            elif work is None or not self._bark(None):
                break
        if work is not None and not result:
            work.close()
            raise RuntimeError(f"deadlock: {work!r} waits and nothing is left to happen")
        return result[0] if result else None  # type: ignore[return-value]

    def run_for(self, duration_ns: int) -> None:
        """Let virtual time pass."""
        end = self._now + duration_ns
        while self._heap and self._heap[0][0] <= end:
            self.step()
        while self._bark(end):
            pass
        self._now = end

    def due(self, later: bool) -> bool:
        """Whether an event is due now or, with `later`, at any time."""
        return bool(self._heap) and (later or self._heap[0][0] <= self._now)

    def step(self) -> None:
        """Run the next event, with time moving on to it; a watchdog that is due earlier comes first."""
        if self._bark(self._heap[0][0]):
            return
        self._now, _, routine = heapq.heappop(self._heap)
        routine()

    def _bark(self, end: int | None) -> bool:
        """Fire the next watchdog that nobody has cancelled, if it is due by `end`; whether one did."""
        while self._watchdogs and (end is None or self._watchdogs[0][0] <= end):
            time_ns, _, routine, timer = heapq.heappop(self._watchdogs)
            if timer.live:
                timer.fired = True
                self._now = max(self._now, time_ns)
                self._at_dispatch(routine)
                return True
        return False

    def _step(self, work: Coroutine[Any, Any, Any], result: list[Any]) -> None:
        try:
            event = work.send(None)
        except StopIteration as stop:
            result.append(stop.value)
            return
        event.add_waiter(lambda: self._step(work, result))


class VirtualMapper:
    """An IOMMU that only keeps the books: which mappings are live (IT-08)."""

    def __init__(self) -> None:
        self.live: set[tuple[int, int, int, int]] = set()
        self._count = 0

    def map(self, address: int, length: int, direction: Any, /) -> tuple[int, int, int, int]:
        """Map a range."""
        self._count += 1
        mapping = (self._count, address, length, int(direction))
        self.live.add(mapping)
        return mapping

    def unmap(self, mapping: Any, /) -> None:
        """Undo a mapping, once."""
        self.live.remove(mapping)


def _no_yield(name: str) -> None:
    """Nobody pre-empts."""

# SPDX-License-Identifier: Apache-2.0
"""NDIS timers and work items of a driver; both belong to an adapter and must be gone when its halt ends (ST-18)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from hilnic.ndis.faults import failed
from hilnic.ndis.kernel import Timer
from hilnic.ndis.wdk import release_forgotten, wdk

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.ndis import Ndis


class TimerObject:
    """NdisAllocateTimerObject's handle."""

    __slots__ = ("_timer", "adapter", "context", "function", "ndis", "period_ns")

    def __init__(self, adapter: Adapter, function: Callable[[Any], None], context: Any) -> None:
        self.ndis: Ndis = adapter.ndis
        self.adapter = adapter
        self.function = adapter.ndis.guarded(function, adapter)
        self.context = context
        self.period_ns = 0
        self._timer: Timer | None = None

    @property
    def pending(self) -> bool:
        """Whether it will fire."""
        return self._timer is not None

    def arm(self, delay_ns: int) -> None:
        """Start or restart."""
        self.cancel()
        self._timer = self.ndis.kernel.set_timer(delay_ns, self._fire)

    def cancel(self) -> bool:
        """Stop; True when it was pending."""
        timer, self._timer = self._timer, None
        return timer is not None and timer.cancel()

    def _fire(self) -> None:
        self._timer = None
        if self.period_ns:
            self.arm(self.period_ns)
        try:
            self.function(self.context)
        except Exception as error:
            failed(self.adapter, "a timer", error)
        if self.ndis.held_locks:
            release_forgotten(self.ndis, "a timer's function")

    def __repr__(self) -> str:
        return f"TimerObject({self.adapter.name}, {'pending' if self.pending else 'idle'})"


@wdk("NdisAllocateTimerObject")
def allocate_timer_object(adapter: Adapter, function: Callable[[Any], None], context: Any = None) -> TimerObject:
    """A timer that calls function(context) at DISPATCH_LEVEL."""
    if not callable(function):
        raise TypeError(f"{function!r} is no function")
    timer = TimerObject(adapter, function, context)
    adapter.timers.append(timer)
    return timer


@wdk("NdisSetTimerObject")
def set_timer_object(timer: TimerObject, delay_ns: int, period_ns: int = 0) -> None:
    """Fire once after `delay_ns`, then every `period_ns` when that is not 0."""
    timer.period_ns = period_ns
    timer.arm(delay_ns)


@wdk("NdisCancelTimerObject")
def cancel_timer_object(timer: TimerObject) -> bool:
    """Stop; True when it was pending."""
    timer.period_ns = 0
    return timer.cancel()


@wdk("NdisFreeTimerObject")
def free_timer_object(timer: TimerObject) -> None:
    """Give the timer back; it has been cancelled before."""
    if timer.pending:
        timer.ndis.violation("ST-18", timer.adapter, timer, "freed while pending")
    if timer in timer.adapter.timers:
        timer.adapter.timers.remove(timer)


@wdk("NdisQueueIoWorkItem")
def queue_io_work_item(
    adapter: Adapter, routine: Callable[[Any], Coroutine[Any, Any, None]], context: Any = None
) -> None:
    """Run the coroutine routine(context) at PASSIVE_LEVEL; halt waits until it has ended (IT-05)."""
    if not callable(routine):
        raise TypeError(f"{routine!r} is no routine")

    async def work() -> None:
        try:
            if not adapter.driver.faulted:
                await routine(context)
        except Exception as error:
            failed(adapter, "a work item", error)
        finally:
            adapter.work_items -= 1

    adapter.work_items += 1
    adapter.ndis.kernel.queue_work_item(work)

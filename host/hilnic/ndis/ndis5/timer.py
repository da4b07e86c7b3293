# SPDX-License-Identifier: Apache-2.0
"""Timers of 5.x miniports: as the core's, but a serialized miniport's function runs in its turn (C5-03)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hilnic.ndis.adapter import Adapter
from hilnic.ndis.ndis5 import miniport_edge
from hilnic.ndis.timer import TimerObject
from hilnic.ndis.wdk import wdk

if TYPE_CHECKING:
    from hilnic.ndis.ndis5.miniport_edge import MiniportEdge

_NS_PER_MS = 1_000_000


class MiniportTimer(TimerObject):
    """NDIS_MINIPORT_TIMER: one that has fired and waits for its turn can still be cancelled."""

    __slots__ = ("_edge", "_is_waiting", "_work")

    def __init__(self, edge: MiniportEdge, work: Callable[[Any], None], context: Any) -> None:
        super().__init__(edge.adapter, self._await_turn, context)
        self._edge = edge
        self._work = work
        self._is_waiting = False

    @property
    def pending(self) -> bool:
        """Whether its function will be called."""
        return super().pending or self._is_waiting

    def cancel(self) -> bool:
        """Stop; True when the function had not been called yet."""
        was_waiting, self._is_waiting = self._is_waiting, False
        return super().cancel() or was_waiting

    def _await_turn(self, context: Any) -> None:
        self._is_waiting = True
        self._edge.lock.run(lambda: self._call(context))

    def _call(self, context: Any) -> None:
        if self._is_waiting:
            self._is_waiting = False
            self._work(context)


@wdk("NdisMInitializeTimer")
def initialize_timer(adapter: Adapter, function: Callable[[Any], None], context: Any = None) -> MiniportTimer | None:
    """A timer that calls function(context) at DISPATCH_LEVEL; cancelled before halt ends (C5-12)."""
    edge = miniport_edge.edge_of(adapter, "NdisMInitializeTimer")
    if edge is None:
        return None
    timer = MiniportTimer(edge, function, context)
    adapter.timers.append(timer)
    return timer


@wdk("NdisMSetTimer")
def set_timer(timer: TimerObject, milliseconds: int) -> None:
    """Fire once."""
    timer.period_ns = 0
    timer.arm(milliseconds * _NS_PER_MS)


@wdk("NdisMSetPeriodicTimer")
def set_periodic_timer(timer: TimerObject, milliseconds: int) -> None:
    """Fire every so often."""
    timer.period_ns = milliseconds * _NS_PER_MS
    timer.arm(timer.period_ns)


@wdk("NdisMCancelTimer")
def cancel_timer(timer: TimerObject) -> bool:
    """Stop; True when it was pending."""
    timer.period_ns = 0
    return timer.cancel()

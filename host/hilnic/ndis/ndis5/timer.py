# SPDX-License-Identifier: Apache-2.0
"""Timers of 5.x miniports: as the core's, but a serialized miniport's function runs in its turn (C5-03)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hilnic.ndis.adapter import Adapter
from hilnic.ndis.ndis5 import miniport_edge
from hilnic.ndis.timer import TimerObject
from hilnic.ndis.wdk import wdk

_NS_PER_MS = 1_000_000


@wdk("NdisMInitializeTimer")
def initialize_timer(adapter: Adapter, function: Callable[[Any], None], context: Any = None) -> TimerObject | None:
    """A timer that calls function(context) at DISPATCH_LEVEL; cancelled before halt ends (C5-12)."""
    edge = miniport_edge.edge_of(adapter, "NdisMInitializeTimer")
    if edge is None:
        return None
    timer = TimerObject(adapter, lambda with_context: edge.lock.run(lambda: function(with_context)), context)
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

# SPDX-License-Identifier: Apache-2.0
"""The lock that NDIS holds around the handlers of a serialized miniport (S5-03, C5-03, CL-10).

What comes while a handler runs waits and is done when that handler has returned, in the order it came. A deserialized
miniport has no such lock: everything is called at once, and the driver protects itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from hilnic.ndis.kernel import Event, Irql, Kernel


class Serializer:
    """One miniport's turn: `run` for work at DISPATCH_LEVEL, `async with` around work at PASSIVE_LEVEL."""

    __slots__ = ("_events", "_kernel", "_waiting", "is_busy", "serialized")

    def __init__(self, kernel: Kernel, serialized: bool) -> None:
        self._kernel = kernel
        self.serialized = serialized
        self.is_busy = False
        self._waiting: deque[Callable[[], None]] = deque()
        self._events: deque[Event] = deque()

    def run(self, work: Callable[[], None]) -> None:
        """Do `work` at DISPATCH_LEVEL: now, or when the handler that runs has returned."""
        if not self.serialized:
            at_dispatch(self._kernel, work)
        elif self.is_busy:
            self._waiting.append(work)
        else:
            self.is_busy = True
            try:
                at_dispatch(self._kernel, work)
            finally:
                self._leave()

    async def __aenter__(self) -> None:
        while self.serialized and self.is_busy:
            turn = self._kernel.create_event()
            self._events.append(turn)
            await turn.wait()
        self.is_busy = True

    async def __aexit__(self, *exc: object) -> None:
        self._leave()

    def _leave(self) -> None:
        """The turn is over: do what came meanwhile, then let the next one who waits in."""
        try:
            while self._waiting:
                at_dispatch(self._kernel, self._waiting.popleft())
        finally:
            self.is_busy = False
            if self._events:
                self._events.popleft().set()


def at_dispatch(kernel: Kernel, work: Callable[..., Any], *args: Any) -> Any:
    """Call at DISPATCH_LEVEL, whatever the level was."""
    before = kernel.irql
    if before >= Irql.DISPATCH:
        return work(*args)
    kernel.irql = Irql.DISPATCH
    try:
        return work(*args)
    finally:
        kernel.irql = before

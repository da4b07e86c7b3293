# SPDX-License-Identifier: Apache-2.0
"""Something that is said again until somebody answers, or until it has been said often enough."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

__all__ = ["Clock", "Exchange"]


class Clock(Protocol):
    """Time and timers, as NDIS's kernel port has them."""

    def now_ns(self) -> int:
        """The time."""
        ...

    def set_timer(self, delay_ns: int, routine: Callable[[], None]) -> Any:
        """Call `routine` once, later; the answer has `cancel`."""
        ...


class Exchange:
    """Begins at once; `say` None: there is nothing to say, only to wait for."""

    def __init__(
        self, clock: Clock, every_ns: int, times: int, say: Callable[[], None] | None, give_up: Callable[[], None]
    ) -> None:
        self._clock, self._every_ns, self._times = clock, every_ns, times
        self._say, self._give_up = say, give_up
        self._left = times
        self._timer: Any = None
        self._speak()

    def _speak(self) -> None:
        self._left -= 1
        self._timer = self._clock.set_timer(self._every_ns, self._unanswered)
        if self._say is not None:
            self._say()

    def _unanswered(self) -> None:
        self._timer = None
        if self._left > 0:
            self._speak()
        else:
            self._give_up()

    def again(self) -> None:
        """Say it now, besides."""
        if self._say is not None:
            self._say()

    def encourage(self) -> None:
        """The other side is alive: all the patience again."""
        self._left = max(self._left, self._times - 1)

    def end(self) -> None:
        """It is answered, or nobody wants to know any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

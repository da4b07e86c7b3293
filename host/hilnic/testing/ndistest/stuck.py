# SPDX-License-Identifier: Apache-2.0
"""A handler that never returns: simulated time stands still, so only the processor's own clock can tell (DPC watchdog).

The clock is the process's user time (ITIMER_VIRTUAL): what others use does not count, and SIGALRM is left alone.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from hilnic.ndis.verifier.place import frame_place

__all__ = ["LIMIT_S", "NeverReturned", "returning"]

LIMIT_S = 20.0
"""CPU seconds for what happens within one slice of simulated time."""


class NeverReturned(BaseException):
    """Not an Exception: it goes through every driver's and NDIS's own handlers to whoever waits."""


@contextmanager
def returning() -> Iterator[None]:
    """The block raises NeverReturned, where it is, when it uses more than LIMIT_S; in the main thread only."""
    is_possible = threading.current_thread() is threading.main_thread() and not any(
        signal.getitimer(signal.ITIMER_VIRTUAL)
    )
    if not is_possible:
        yield
        return

    def late(number: int, frame: FrameType | None) -> None:
        del number
        raise NeverReturned(f"no return within {LIMIT_S:g} s of CPU time, at {frame_place(frame) or 'no driver'}")

    before = signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)

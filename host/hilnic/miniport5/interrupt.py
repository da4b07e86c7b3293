# SPDX-License-Identifier: Apache-2.0
"""One interrupt line for all causes, as a card for NDIS 5 has it: vector 0 of the NIC.

MiniportISR only says that the line is ours. MiniportHandleInterrupt takes completions, and MiniportEnableInterrupt
re-arms the queues; the NIC had masked them when it sent the interrupt. The line does not tell whether link or errors
had a part in it, and their register cannot be read at DISPATCH_LEVEL. So after each interrupt a work item reads it: at
once when there was no completion, else within `MISC_WITHIN_MS`, so that traffic costs one read in a while.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from hilnic import ndis
from hilnic.ndis import ndis5

__all__ = ["LINE", "MISC_WITHIN_MS", "MiscWatch"]

LINE = 0
MISC_WITHIN_MS = 1


class MiscWatch:
    """Has the causes of link and errors read after interrupts; `look` runs at PASSIVE_LEVEL, once at a time."""

    __slots__ = ("_adapter", "_look", "_looking", "_stopped", "_timer", "_wanted")

    def __init__(self, adapter: ndis.Adapter, look: Callable[[], Awaitable[None]]) -> None:
        self._adapter, self._look = adapter, look
        self._wanted = self._looking = self._stopped = False
        timer = ndis5.initialize_timer(adapter, self._expired)
        assert timer is not None
        self._timer = timer

    def note(self, explained: bool) -> None:
        """An interrupt came; `explained` when the queues had something to do with it."""
        if not explained:
            self._queue()
        elif not self._timer.pending and not self._stopped:
            ndis5.set_timer(self._timer, MISC_WITHIN_MS)

    def _expired(self, context: Any) -> None:
        del context
        self._queue()

    def _queue(self) -> None:
        self._wanted = not self._stopped
        if self._wanted and not self._looking:
            self._looking = True
            ndis.queue_io_work_item(self._adapter, self._work, None)

    async def _work(self, context: Any) -> None:
        """Look; once more when an interrupt came while it looked."""
        del context
        try:
            while self._wanted and not self._stopped:
                self._wanted = False
                await self._look()
        finally:
            self._looking = False

    def stop(self) -> None:
        """From halt: no more looks."""
        self._stopped = True
        ndis5.cancel_timer(self._timer)

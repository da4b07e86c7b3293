# SPDX-License-Identifier: Apache-2.0
"""All connections behind one interrupt vector: who has completions, whose turn it is, who is to be re-armed.

A message says only that some queue of the vector has something new. The board knows which (`miniport_co/board.py`), so
a look costs the connections that have work, not those that exist. A queue is masked once it has sent its interrupt;
what was looked at since is re-armed with its index, everything else still is (RG-06).
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Protocol

from hilnic.miniport_co.board import CompletionBoard

__all__ = ["ConnectionQueues", "ServedQueue"]


class ServedQueue(Protocol):
    """One direction of a connection."""

    def serve(self, budget: int) -> int:
        """Take completions; how many of at most `budget`."""
        ...

    def rearm(self) -> None:
        """Unmask its interrupt if it may be masked."""
        ...


class Running(Protocol):
    """The adapter."""

    @property
    def queues_running(self) -> bool:
        """Are completions to be looked for?"""
        ...


class ConnectionQueues:
    """What the poller of the connections' vector looks at."""

    def __init__(self, nic: Running, board: CompletionBoard, slots: int) -> None:
        self._nic, self._board = nic, board
        self._queues: list[ServedQueue | None] = [None] * slots
        self._served: set[int] = set()
        self._next = 0  # the slot that is served first

    def __repr__(self) -> str:
        """Which slots wait for their re-arm."""
        return f"<ConnectionQueues: {sorted(self._served)} to be re-armed, {self._board}>"

    @property
    def queues_running(self) -> bool:
        """Are completions to be looked for?"""
        return self._nic.queues_running

    def place(self, slot: int, queue: ServedQueue | None) -> None:
        """A queue comes into its slot, or leaves it."""
        self._queues[slot] = queue
        if queue is None:
            self._served.discard(slot)
            self._board.unwatch(slot)

    def collect(self, budget: int) -> tuple[int, bool]:
        """Serve the slots that have completions, in turn, until the budget is spent.

        Is there more? Only those that were served are asked: what comes to another one meanwhile finds it armed, or
        waiting for the re-arm, which fires at once.
        """
        ready = self._board.ready()
        first = bisect_left(ready, self._next)
        turn = ready[first:] + ready[:first]
        taken = 0
        for slot in turn:
            if taken >= budget:
                self._next = slot
                return taken, True
            queue = self._queues[slot]
            if queue is not None:
                taken += queue.serve(budget - taken)
                self._served.add(slot)
        return taken, any(self._board.has_news(slot) for slot in turn)

    def rearm(self) -> None:
        """Those that were served since the last time."""
        for slot in self._served:
            queue = self._queues[slot]
            if queue is not None:
                queue.rearm()
        self._served.clear()

# SPDX-License-Identifier: Apache-2.0
"""Which transmit queue begins the next frame; with more queues a frame costs no more, for only those listed are seen.

offer --> | active list | --head: enabled, with a descriptor--> begins a frame, and goes to the list's end
                          --head: neither--> leaves the list until it is offered again
"""

from collections import deque

from hilnic.hw.regs import QueueState
from hilnic.model.queue import Queue


class Scheduler:
    """Round robin over the queues that have descriptors."""

    def __init__(self) -> None:
        self._active: deque[Queue] = deque()
        self._listed: set[Queue] = set()

    def __repr__(self) -> str:
        """The list, its head first."""
        return f"<Scheduler {[queue.number for queue in self._active]}>"

    def offer(self, queue: Queue) -> None:
        """The queue may have a frame to send."""
        if queue not in self._listed:
            self._listed.add(queue)
            self._active.append(queue)

    def next(self) -> Queue | None:
        """The queue whose turn it is; None when no queue has a descriptor."""
        while self._active:
            queue = self._active.popleft()
            if queue.state is QueueState.ENABLED and queue.cache:
                self._active.append(queue)
                return queue
            self._listed.remove(queue)
        return None

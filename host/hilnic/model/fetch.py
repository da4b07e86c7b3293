# SPDX-License-Identifier: Apache-2.0
"""Descriptor prefetch: one read per queue at a time, never past the producer, the ring's end or a burst."""

import struct
from collections.abc import Callable

from hilnic.hw.descriptors import TX_DESCRIPTOR_BYTES
from hilnic.hw.regs import AxiReadId, Cause, QueueState
from hilnic.model.build import Build
from hilnic.model.dma import Dma
from hilnic.model.queue import U32, Direction, Queue

_WORDS = struct.Struct("<QQ")


class Fetch:
    """Keeps the descriptor caches filled."""

    def __init__(self, dma: Dma, build: Build) -> None:
        self._dma, self._build = dma, build
        self.on_fetched: Callable[[Queue], None] = lambda _queue: None
        self.taking: Callable[[Queue], bool] = lambda _queue: False

    def kick(self, queue: Queue) -> None:
        """Start a read if there is something to read and room for it."""
        wanted = queue.state is QueueState.ENABLED or self.taking(queue)
        if queue.fetching or queue.fetch_failed or not wanted:
            return
        start = queue.fetched & (queue.size - 1)
        address = queue.ring + start * TX_DESCRIPTOR_BYTES
        burst = self._build.max_burst_bytes - address % self._build.max_burst_bytes
        posted = (queue.producer - queue.fetched) & U32
        room = self._build.cache_depth - len(queue.cache)
        count = min(posted, room, queue.size - start, burst // TX_DESCRIPTOR_BYTES)
        if count > 0:
            queue.fetching = True
            ident = AxiReadId.RX_DESCRIPTORS if queue.direction is Direction.RX else AxiReadId.TX_DESCRIPTORS
            self._dma.read(ident, address, count * TX_DESCRIPTOR_BYTES, lambda data: self._arrived(queue, count, data))

    def _arrived(self, queue: Queue, count: int, data: bytes | None) -> None:
        queue.fetching = False
        if data is None:
            queue.fetch_failed = True
            queue.fail(Cause.FETCH_ERROR, queue.fetched)
        else:
            queue.cache.extend(_WORDS.iter_unpack(data))
            queue.fetched = (queue.fetched + count) & U32
            self.kick(queue)
        self.on_fetched(queue)

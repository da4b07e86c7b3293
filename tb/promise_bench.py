# SPDX-License-Identifier: Apache-2.0
"""What the promises of docs/nic.md are written in (tb/promise_*.py): a card by hand, and their collection by name."""

from __future__ import annotations

from by_hand import RxQueue

from hilnic.hw import regs
from hilnic.hw.regs import QueueState, RxCounter

PROMISES = {}


def promise(function):
    """Collect a promise under its name."""
    PROMISES[function.__name__] = function
    return function


class Bench:
    """One card by hand: what it sends, and the words of the promises."""

    def __init__(self, harness):
        self.harness, self.card = harness, harness.cards[0]
        self.write, self.read = self.card.device.write32, self.card.device.read32
        self.link, self.wire = self.card.link, []
        self.link.connect(lambda one: self.wire.append(one.data))

    async def run(self, nanoseconds=10_000):
        await self.harness.sleep(nanoseconds)

    async def until(self, condition, limit_ns=40_000):
        """True as soon as it holds, False when it does not within the limit."""
        end = self.harness.now_ns + limit_ns
        while not condition():
            if self.harness.now_ns > end:
                return False
            await self.harness.sleep(500)
        return True

    async def rx(self, *names):
        """Receive counters by name."""
        return [await self.read(regs.rx_counter(RxCounter[name])) for name in names]

    async def queue(self, kind, number=0, **options):
        """An enabled queue; `registers` are written before."""
        registers = options.pop("registers", {})
        queue = kind(self.card, number, **options)
        queue.buffer_bytes = registers.pop(regs.QUEUE_BUF_SIZE, 2048)
        for register, value in registers.items():
            self.write(queue.page() + register, value)
        queue.enable()
        assert await queue.state() & 7 == QueueState.ENABLED
        return queue

    async def receiver(self, buffers=12, **options):
        """An enabled receive queue with posted buffers."""
        queue = await self.queue(RxQueue, size=16, **options)
        if buffers:
            queue.post(buffers)
            queue.doorbell()
            await self.run(3_000)
        return queue

    async def hear(self, *frames):
        """Send frames to the NIC and wait until they are in."""
        for data in frames:
            self.link.send(data)
        await self.until(lambda: self.link.backlog == 0, 2_000_000)
        await self.run(5_000)


class Messages:
    """Times of the messages of one vector."""

    def __init__(self, bench, vector):
        self.times = []
        bench.card.device.connect_interrupt(vector, lambda: self.times.append(bench.harness.now_ns))

    def __len__(self):
        return len(self.times)

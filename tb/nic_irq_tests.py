# SPDX-License-Identifier: Apache-2.0
"""Interrupt messages: none is lost, none is sent without cause, however completions and re-arms interleave."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, ClassVar

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge

MASK32 = 0xFFFFFFFF
PROMPT = 16  # cycles an unmoderated message takes when the others are quiet


def ahead(a: int, b: int) -> int:
    """How far free-running index `a` is past `b`, signed."""
    return ((a - b + 0x80000000) & MASK32) - 0x80000000


@dataclass(slots=True)
class Queue:
    """What the host knows of a queue."""

    number: int  # = vector
    rx: int
    queue: int
    visible: int
    rearmed: int = 0
    armed: bool = False
    since: int = 0  # cycle of the re-arm or of the first completion beyond it, whichever was later
    messages: int = 0

    @property
    def behind(self) -> int:
        return max(0, ahead(self.visible, self.rearmed))


class Bench:
    """`bench = await Bench(dut).begin()`, a second one takes over; every message is checked when it comes."""

    _tasks: ClassVar[list[Any]] = []

    def __init__(self, dut: Any, seed: int = 1, start: int = 0xFFFFFFF0) -> None:
        self.dut, self.rng, self.cycle = dut, random.Random(seed), 0
        tx, rx = int(dut.NumTxQueues.value), int(dut.NumRxQueues.value)
        numbers = [(0, q) for q in range(tx)] + [(1, q) for q in range(rx)]
        self.queues = [Queue(n, rx, q, start) for n, (rx, q) in enumerate(numbers)]
        self.misc = self.misc_sent = 0
        self.checking = True

    async def begin(self, count: int = 0, ticks: int = 0) -> Bench:
        d = self.dut
        while Bench._tasks:
            Bench._tasks.pop().cancel()
        self.spawn(Clock(d.clk_i, 8, "ns", impl="gpi").start())
        for handle in d:
            if handle._name.endswith(("_i", "_ni")) and handle._name != "clk_i":
                handle.value = 0
        self.moderate(count, ticks)
        await self.wait(3)
        d.rst_ni.value = 1
        self.spawn(self._watch())
        await self.wait(2)
        while int(d.busy_o.value):
            await self.wait(1)
        for q in self.queues:
            await self.start(q, q.visible)
        return self

    def spawn(self, coroutine: Any) -> None:
        self._tasks.append(cocotb.start_soon(coroutine))

    def moderate(self, count: int, ticks: int) -> None:
        self.count, self.ticks = count, ticks
        self.dut.mod_count_i.value, self.dut.mod_ticks_i.value = count, ticks

    async def wait(self, cycles: int) -> None:
        for _ in range(cycles):
            await RisingEdge(self.dut.clk_i)

    async def start(self, q: Queue, index: int) -> None:
        d = self.dut
        d.start_valid_i.value, d.start_dir_i.value, d.start_queue_i.value, d.start_cpl_index_i.value = (
            1,
            q.rx,
            q.queue,
            index,
        )
        await self.wait(1)
        d.start_valid_i.value = 0
        await self.wait(12)
        q.visible, q.armed = index, False

    async def complete(self, q: Queue, count: int = 1) -> None:
        """`count` completions become visible, one after the other."""
        d = self.dut
        for _ in range(count):
            d.vis_valid_i.value, d.vis_dir_i.value, d.vis_queue_i.value = 1, q.rx, q.queue
            d.vis_index_i.value = q.visible + 1 & MASK32
            await self.wait(1)
            while not int(d.vis_ready_o.value):
                await self.wait(1)
            d.vis_valid_i.value = 0
            before = q.behind
            q.visible = q.visible + 1 & MASK32
            if not before and q.behind:
                q.since = self.cycle

    async def rearm(self, q: Queue, index: int) -> None:
        d = self.dut
        d.rearm_valid_i.value, d.rearm_dir_i.value, d.rearm_queue_i.value, d.rearm_index_i.value = (
            1,
            q.rx,
            q.queue,
            index,
        )
        await self.wait(1)
        while not int(d.rearm_ready_o.value):
            await self.wait(1)
        d.rearm_valid_i.value = 0
        q.rearmed, q.armed, q.since = index, True, self.cycle

    async def flush(self, q: Queue) -> None:
        d = self.dut
        d.flush_valid_i.value, d.flush_dir_i.value, d.flush_queue_i.value = 1, q.rx, q.queue
        await self.wait(1)
        while not int(d.flush_done_o.value):
            await self.wait(1)
        d.flush_valid_i.value = 0

    async def message(self, q: Queue, within: int) -> int:
        """Cycles until the queue's next message."""
        before, start = q.messages, self.cycle
        for _ in range(within):
            if q.messages > before:
                return self.cycle - start
            await self.wait(1)
        raise AssertionError(f"no message of queue {q.number} within {within} cycles")

    async def _watch(self) -> None:
        last = 0
        while True:
            await RisingEdge(self.dut.clk_i)
            self.cycle += 1
            now = int(self.dut.irq_o.value)
            assert not now & last, "a message longer than one cycle"
            last = now
            if now:
                assert now & now - 1 == 0
                self._message(now.bit_length() - 1)

    def _message(self, vector: int) -> None:
        q = self.queues[vector]
        if vector == 0 and self.misc > self.misc_sent and not (q.armed and q.behind):
            self.misc_sent += 1
            return
        assert not self.checking or (q.armed and q.behind), f"message of queue {vector} without cause"
        q.armed = False
        q.messages += 1


@cocotb.test()
async def a_queue_is_masked_until_its_first_re_arm(dut: Any) -> None:
    bench = await Bench(dut).begin()
    q = bench.queues[-1]
    await bench.complete(q, 3)
    await bench.wait(100)
    assert q.messages == 0
    await bench.rearm(q, q.visible - 3 & MASK32)
    assert await bench.message(q, PROMPT) <= PROMPT


@cocotb.test()
async def a_completion_of_an_armed_queue_sends_once_and_masks(dut: Any) -> None:
    bench = await Bench(dut).begin()
    q = bench.queues[0]
    await bench.rearm(q, q.visible)
    await bench.complete(q)
    await bench.message(q, PROMPT)
    await bench.complete(q, 5)
    await bench.wait(100)
    assert q.messages == 1


@cocotb.test()
async def a_consumer_that_saw_the_completion_first_is_not_disturbed(dut: Any) -> None:
    bench = await Bench(dut).begin()
    q = bench.queues[0]
    await bench.rearm(q, q.visible + 2 & MASK32)
    await bench.complete(q, 2)
    await bench.wait(100)
    assert q.messages == 0
    await bench.complete(q)
    await bench.message(q, PROMPT)


@cocotb.test()
async def moderation_by_count_sends_at_the_nth_completion(dut: Any) -> None:
    bench = await Bench(dut).begin(count=5)
    q = bench.queues[-1]
    for _ in range(3):
        await bench.rearm(q, q.visible)
        before = q.messages
        await bench.complete(q, 4)
        await bench.wait(300)
        assert q.messages == before
        await bench.complete(q)
        await bench.message(q, PROMPT)


@cocotb.test()
async def moderation_by_time_sends_that_many_ticks_after_the_first_completion(dut: Any) -> None:
    bench = await Bench(dut).begin(count=200, ticks=1000)
    late = 4 * 2 * 2 ** max(1, (max(len(bench.queues) // 2, 2) - 1).bit_length()) + 16
    for q in bench.queues[:: max(1, len(bench.queues) // 4)]:
        await bench.rearm(q, q.visible)
        await bench.wait(bench.rng.randrange(500))
        await bench.complete(q)
        first = bench.cycle
        await bench.wait(300)
        await bench.complete(q, 2)
        await bench.message(q, 3000)
        assert 1000 <= bench.cycle - first <= 1000 + late


@cocotb.test()
async def the_longest_time_is_kept_and_so_is_no_time_at_all(dut: Any) -> None:
    bench = await Bench(dut).begin(count=200, ticks=65535)
    q = bench.queues[0]
    await bench.rearm(q, q.visible)
    await bench.complete(q)
    assert 65400 <= await bench.message(q, 67000) <= 65535 + 1100
    bench.moderate(3, 0)
    await bench.rearm(q, q.visible)
    await bench.complete(q, 2)
    await bench.wait(3000)
    assert q.messages == 1
    bench.moderate(2, 0)  # changing the rule does not strand what waits
    await bench.message(q, 2200)


@cocotb.test()
async def disabling_sends_what_is_pending_and_masks(dut: Any) -> None:
    bench = await Bench(dut).begin(count=10, ticks=0)
    q, other = bench.queues[0], bench.queues[-1]
    await bench.rearm(q, q.visible)
    await bench.complete(q, 2)
    await bench.rearm(other, other.visible)
    before = q.messages
    await bench.flush(q)
    await bench.wait(1)
    assert q.messages == before + 1
    await bench.flush(other)
    await bench.rearm(q, q.visible - 1 & MASK32)
    q.armed = False
    await bench.wait(200)
    assert (q.messages, other.messages) == (before + 1, 0)


@cocotb.test()
async def misc_messages_go_out_on_vector_0_beside_the_queues(dut: Any) -> None:
    bench = await Bench(dut).begin()
    q = bench.queues[-1]
    for _ in range(10):
        await bench.rearm(q, q.visible)
        dut.misc_fire_i.value = 1
        bench.misc += 1
        await bench.wait(1)
        dut.misc_fire_i.value = 0
        await bench.complete(q)
        await bench.message(q, PROMPT)
        await bench.wait(20)
    assert bench.misc_sent == 10


@cocotb.test()
async def clearing_forgets_indices_and_answers_re_arms_meanwhile(dut: Any) -> None:
    bench = await Bench(dut).begin()
    q = bench.queues[-1]
    dut.csr_dir_i.value, dut.csr_queue_i.value = q.rx, q.queue
    await bench.complete(q, 2)
    await bench.wait(10)
    assert int(dut.csr_index_o.value) == q.visible
    dut.clear_i.value = 1
    await bench.wait(1)
    dut.clear_i.value = 0
    await bench.wait(2)
    await bench.rearm(q, 5)
    q.armed = False
    while int(dut.busy_o.value):
        await bench.wait(1)
    assert int(dut.csr_index_o.value) == 0
    await bench.wait(50)
    assert q.messages == 0


async def host_lives_by_messages(dut: Any, seed: int, count: int, ticks: int, steps: int = 400) -> None:
    """A host that consumes only when a message came must consume everything, whatever collides."""
    bench = await Bench(dut, seed).begin(count, ticks)
    rng = bench.rng
    live = bench.queues if len(bench.queues) <= 8 else rng.sample(bench.queues, 8)
    consumed = {q.number: q.visible for q in live}
    produced = dict(consumed)

    async def hardware() -> None:
        for _ in range(steps):
            q = rng.choice(live)
            await bench.complete(q, rng.choice((1, 1, 1, 2, 7)))
            produced[q.number] = q.visible
            await bench.wait(rng.choice((0, 0, 1, 2, 3, 5, 40)))

    async def host(q: Queue, bus: cocotb.triggers.Lock) -> None:
        handled = 0
        while True:
            async with bus:
                await bench.rearm(q, consumed[q.number])
            while q.messages == handled:
                await bench.wait(1)
            handled = q.messages
            await bench.wait(rng.choice((0, 1, 2, 3, 4, 10, 60)))
            early = rng.choice((0, 0, 1)) if ahead(produced[q.number], q.visible) else 0
            consumed[q.number] = q.visible + early & MASK32

    bus = cocotb.triggers.Lock()
    for q in live:
        bench.spawn(host(q, bus))
    await hardware()
    patience = 400 + 24 * len(bench.queues) + 4 * ticks
    if ticks or count <= 1:
        for _ in range(patience):
            await bench.wait(1)
        assert consumed == {q.number: q.visible for q in live}


@cocotb.test()
async def no_message_is_lost_without_moderation(dut: Any) -> None:
    for seed in range(3):
        await host_lives_by_messages(dut, seed, 0, 0)


@cocotb.test()
async def no_message_is_lost_with_moderation(dut: Any) -> None:
    for seed, (count, ticks) in enumerate(((1, 0), (4, 50), (8, 1), (255, 300))):
        await host_lives_by_messages(dut, seed, count, ticks)


@cocotb.test()
async def a_re_arm_in_any_cycle_around_a_completion_sends_exactly_once(dut: Any) -> None:
    bench = await Bench(dut, 9).begin()
    for offset in range(24):
        for q in (bench.queues[0], bench.queues[-1]):
            index, before = q.visible, q.messages
            task = cocotb.start_soon(bench.complete(q))
            await bench.wait(offset % 12)
            if offset >= 12:
                other = bench.queues[0 if q.number else -1]
                dut.start_valid_i.value, dut.start_dir_i.value, dut.start_queue_i.value = 1, other.rx, other.queue
                dut.start_cpl_index_i.value = other.visible
                await bench.wait(1)
                dut.start_valid_i.value = 0
            await bench.rearm(q, index)
            await task
            await bench.wait(3 * PROMPT)
            assert q.messages == before + 1, offset

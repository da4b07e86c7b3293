# SPDX-License-Identifier: Apache-2.0
"""Promises of docs/nic.md about rings, doorbells, completions and interrupts."""

from __future__ import annotations

from by_hand import TxQueue
from promise_bench import Messages, promise
from stack_bench import frame

from hilnic.hw import regs
from hilnic.hw.regs import Cause, QueueState

# --- rings and doorbells ----------------------------------------------------------------------------------------------


@promise
async def a_producer_beyond_the_ring_stops_the_queue(bench):
    sender = await bench.queue(TxQueue, size=16)
    bench.write(regs.tx_doorbell(0), 17)
    await bench.run(3_000)
    status = await sender.state()
    assert (status & 7, status >> 8) == (QueueState.ERROR, Cause.PRODUCER_RANGE)


@promise
async def indices_pass_2_to_the_32(bench):
    sender = await bench.queue(TxQueue, size=16, start=0xFFFF_FFFC)
    for number in range(8):
        sender.post(frame(number))
        sender.doorbell()
        assert await bench.until(lambda number=number: len(bench.wire) > number), f"frame {number} is not sent"
    assert bench.wire == [frame(number) for number in range(8)]


@promise
async def doorbells_at_any_moment_are_heard(bench):
    sender = await bench.queue(TxQueue, size=16)
    for number, delay in enumerate(range(0, 320, 16)):
        sender.post(frame(2 * number))
        sender.doorbell()
        await bench.run(delay)
        sender.post(frame(2 * number + 1))
        sender.doorbell()
        heard = await bench.until(lambda number=number: len(bench.wire) == 2 * number + 2, 6_000)
        assert heard, f"a doorbell {delay} ns after another one was lost"


@promise
async def a_queue_is_idle_only_when_its_fetches_are(bench):
    """Judged by RING-09: descriptors are being fetched, for a transmitter that is off, when the queue is disabled."""
    bench.write(regs.CTRL, 0)
    sender = await bench.queue(TxQueue, size=16)
    sender.post(frame(1))
    sender.doorbell()
    bench.card.settings.withhold_r_until = bench.harness.clock.to_ps(bench.harness.now_ns + 20_000)
    await bench.run(1_000)
    bench.write(sender.page() + regs.QUEUE_CTRL, 0)
    begun = bench.harness.now_ns
    while await sender.state() & 7 != QueueState.DISABLED:
        assert bench.harness.now_ns < begun + 100_000
    assert bench.harness.now_ns > begun + 15_000


# --- completions and interrupts ---------------------------------------------------------------------------------------


@promise
async def a_failed_completion_write_stops_its_queue(bench):
    sender = await bench.queue(TxQueue, size=16)
    bench.card.inject_write_error(2)
    for number in range(3):
        sender.post(frame(number))
        sender.doorbell()
        await bench.run(5_000)
    status = await sender.state()
    assert (status & 7, status >> 8) == (QueueState.ERROR, Cause.COMPLETION_ERROR)
    assert await bench.read(sender.page() + regs.QUEUE_CPL_PRODUCED) == 1
    assert await bench.read(sender.page() + regs.QUEUE_ERROR_INDEX) == 1


@promise
async def a_re_arm_that_is_behind_fires_at_once(bench):
    receiver = await bench.receiver()
    messages = Messages(bench, receiver.vector)
    await bench.hear(frame(1))
    assert len(messages) == 0, "the queue is masked until its first re-arm"
    receiver.rearm()
    assert await bench.until(lambda: len(messages) == 1, 3_000)


@promise
async def moderation_counts_and_the_timer_brings_the_rest(bench):
    receiver = await bench.receiver(registers={regs.QUEUE_MOD_COUNT: 4, regs.QUEUE_MOD_TICKS: 2_000})
    messages = Messages(bench, receiver.vector)
    receiver.rearm()
    await bench.hear(*[frame(n) for n in range(3)])
    assert len(messages) == 0
    bench.link.send(frame(3))
    assert await bench.until(lambda: len(messages) == 1, 5_000), "the fourth completion sends nothing"
    assert len(receiver.poll()) == 4
    receiver.rearm()
    began = bench.harness.now_ns
    bench.link.send(frame(4))
    assert await bench.until(lambda: len(messages) == 2, 25_000), "the timer sends nothing"
    assert messages.times[-1] - began > 16_000


@promise
async def a_disable_sends_the_pending_interrupt(bench):
    receiver = await bench.receiver(registers={regs.QUEUE_MOD_COUNT: 10})
    messages = Messages(bench, receiver.vector)
    receiver.rearm()
    await bench.hear(frame(1))
    assert len(messages) == 0
    bench.write(receiver.page() + regs.QUEUE_CTRL, 0)
    assert await bench.until(lambda: len(messages) == 1, 5_000)

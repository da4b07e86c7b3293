# SPDX-License-Identifier: Apache-2.0
"""Interrupt messages: auto-mask, re-arm, moderation by count and time, misc causes."""

from hilnic.hw import regs
from hilnic.hw.regs import Cause, QueueState
from hilnic.testing.conformance import CheckBench, check
from hilnic.testing.nic_adapter import Direction

VECTOR = 2
LATE_NS = 4000


async def _send(bench: CheckBench, count: int) -> None:
    for _ in range(count):
        bench.nic.post_tx(0, [bench.frame(60)])
    await bench.completions(Direction.TX, count)
    await bench.settle(LATE_NS)


def _expect(bench: CheckBench, count: int, what: str, vector: int = VECTOR) -> None:
    bench.expect(bench.interrupts[vector], count, f"messages of vector {vector} {what}")


@check("registers")
async def interrupts_are_masked_until_the_first_rearm(bench: CheckBench) -> None:
    """A queue sends nothing after enable until it is armed; a re-arm that is behind then fires at once."""
    await bench.enable(Direction.TX, vector=VECTOR)
    bench.nic.post_tx(0, [bench.frame(60)])
    await bench.settle()
    _expect(bench, 0, "before the first re-arm")
    bench.nic.rearm(Direction.TX, 0)
    await bench.settle(LATE_NS)
    _expect(bench, 1, "after a re-arm that is behind")


@check("registers")
async def interrupts_mask_themselves(bench: CheckBench) -> None:
    """One message per re-arm, however many completions follow; a re-arm that is up to date waits for the next one."""
    await bench.enable(Direction.TX, vector=VECTOR)
    bench.nic.rearm(Direction.TX, 0)
    await _send(bench, 1)
    _expect(bench, 1, "after the first completion")
    await _send(bench, 3)
    _expect(bench, 1, "while masked")
    bench.nic.rearm(Direction.TX, 0)
    await bench.settle(LATE_NS)
    _expect(bench, 1, "after a re-arm with nothing new")
    await _send(bench, 1)
    _expect(bench, 2, "after the next completion")


@check("registers")
async def interrupts_come_after_their_completion_is_visible(bench: CheckBench) -> None:
    """When the message arrives the completion lies in memory."""
    await bench.enable(Direction.RX, vector=VECTOR)
    seen: list[int] = []
    handler = lambda: seen.append(len(bench.nic.poll(Direction.RX, 0)))  # noqa: E731
    bench.device.connect_interrupt(VECTOR, handler)
    bench.nic.post_rx(0, 4)
    for number, length in enumerate((60, 300, 1514), 1):
        bench.nic.rearm(Direction.RX, 0)
        await bench.settle(2000)
        bench.peer.send(bench.frame(length))
        await bench.until(lambda n=number: len(seen) == n, "the frame's message")  # type: ignore[misc]
    bench.expect(seen, [1, 1, 1], "completions visible at each message")


@check("registers")
async def moderation_counts_completions(bench: CheckBench) -> None:
    """With MOD_COUNT 4 and no timer three completions are silent, the fourth sends."""
    await bench.enable(Direction.TX, vector=VECTOR, mod_count=4)
    bench.nic.rearm(Direction.TX, 0)
    await _send(bench, 3)
    _expect(bench, 0, "after three of four")
    await _send(bench, 1)
    _expect(bench, 1, "after the fourth")


@check("registers")
async def moderation_has_a_timer(bench: CheckBench) -> None:
    """MOD_TICKS after the first unreported completion the message goes, though the count is not reached."""
    period_ps = await bench.device.read32(regs.SYS_CLK_PS)
    ticks = 20_000_000 // period_ps  # 20 us
    await bench.enable(Direction.TX, vector=VECTOR, mod_count=100, mod_ticks=ticks)
    bench.nic.rearm(Direction.TX, 0)
    await bench.settle(25_000)
    _expect(bench, 0, "without a completion")
    await _send(bench, 2)
    _expect(bench, 0, "before the timer")
    start = bench.clock.now_ns()
    await bench.until(lambda: bench.interrupts[VECTOR], "the timer's message", 30_000)
    bench.expect(bench.clock.now_ns() - start < 20_000, True, "the timer ran from the first completion")


@check("registers")
async def a_rearm_that_is_behind_fires_whatever_the_moderation(bench: CheckBench) -> None:
    """Unreported completions at re-arm are reported at once."""
    await bench.enable(Direction.TX, vector=VECTOR, mod_count=100)
    bench.nic.post_tx(0, [bench.frame(60)])
    await bench.settle()
    bench.nic.rearm(Direction.TX, 0)
    await bench.settle(LATE_NS)
    _expect(bench, 1, "at re-arm")


@check("registers")
async def disable_reports_what_moderation_held_back(bench: CheckBench) -> None:
    """An armed queue with unreported completions sends before it is disabled, and is silent afterwards."""
    await bench.enable(Direction.TX, vector=VECTOR, mod_count=100)
    bench.nic.rearm(Direction.TX, 0)
    await _send(bench, 1)
    _expect(bench, 0, "held back")
    await bench.nic.disable(Direction.TX, 0)
    await bench.settle(LATE_NS)
    _expect(bench, 1, "at disable")


@check("registers")
async def queues_use_their_own_vectors(bench: CheckBench) -> None:
    """Each queue's messages come on its vector."""
    vectors = {}
    for direction in (Direction.TX, Direction.RX):
        vectors[direction] = bench.nic_1g.vectors - 1 - direction
        await bench.enable(direction, vector=vectors[direction])
        bench.nic.rearm(direction, 0)
    bench.nic.post_rx(0, 1)
    bench.peer.send(bench.frame(60))
    await bench.settle()
    _expect(bench, 1, "after a received frame", vectors[Direction.RX])
    _expect(bench, 0, "after a received frame", vectors[Direction.TX])
    await _send(bench, 1)
    _expect(bench, 1, "after a sent frame", vectors[Direction.TX])


@check("registers")
async def misc_reports_queue_errors_on_vector_0(bench: CheckBench) -> None:
    """Queue errors send vector 0 once; writing MISC_CAUSE re-arms, and a cause that still stands sends again."""
    clear = regs.MISC_CAUSE_LINK_CHANGE | regs.MISC_CAUSE_TX_QUEUE_ERROR | regs.MISC_CAUSE_RX_QUEUE_ERROR
    bench.device.write32(regs.MISC_CAUSE, clear)
    bench.device.write32(regs.MISC_ENABLE, regs.MISC_ENABLE_TX_QUEUE_ERROR | regs.MISC_ENABLE_RX_QUEUE_ERROR)
    await bench.enable(Direction.TX, size=4)
    bench.device.write32(regs.tx_doorbell(0), 5)
    await bench.settle(LATE_NS)
    _expect(bench, 1, "after a queue error", 0)
    await bench.enable(Direction.RX, size=4)
    bench.device.write32(regs.rx_doorbell(0), 5)
    await bench.settle(LATE_NS)
    _expect(bench, 1, "while disarmed", 0)
    both = regs.MISC_CAUSE_TX_QUEUE_ERROR | regs.MISC_CAUSE_RX_QUEUE_ERROR
    bench.expect(await bench.device.read32(regs.MISC_CAUSE), both, "MISC_CAUSE")
    bench.device.write32(regs.MISC_CAUSE, regs.MISC_CAUSE_TX_QUEUE_ERROR)
    await bench.settle(LATE_NS)
    _expect(bench, 2, "re-armed with the cause standing", 0)
    bench.device.write32(regs.MISC_CAUSE, clear)
    await bench.settle(LATE_NS)
    _expect(bench, 2, "after the cause was cleared", 0)
    bench.expect(await bench.device.read32(regs.MISC_CAUSE), 0, "MISC_CAUSE")
    bench.expect((await bench.nic_1g.state(Direction.TX, 0))[:2], (QueueState.ERROR, Cause.PRODUCER_RANGE), "state")


@check("link", "registers")
async def misc_reports_link_changes(bench: CheckBench) -> None:
    """A link that goes and comes sets the cause, STATUS follows, frames are not affected."""
    clear = regs.MISC_CAUSE_LINK_CHANGE
    bench.device.write32(regs.MISC_CAUSE, clear)
    bench.device.write32(regs.MISC_ENABLE, regs.MISC_ENABLE_LINK_CHANGE)
    await bench.settle(2000)
    bench.interrupts.clear()
    for up in (False, True):
        bench.controls.set_link(up)
        await bench.settle(LATE_NS)
        status = await bench.device.read32(regs.STATUS)
        bench.expect(bool(status & regs.STATUS_LINK_UP), up, "STATUS.link_up")
        bench.expect(await bench.device.read32(regs.MISC_CAUSE), clear, "MISC_CAUSE")
        bench.device.write32(regs.MISC_CAUSE, clear)
        await bench.settle(LATE_NS)
    _expect(bench, 2, "after two changes", 0)

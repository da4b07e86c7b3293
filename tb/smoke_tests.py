# SPDX-License-Identifier: Apache-2.0
"""The thin thread by hand: registers, descriptors, frames on the wire, no driver."""

import cocotb
from by_hand import RxQueue, TxQueue, started

from hilnic.cosim.hostmem import WIRE_LOOP
from hilnic.hw import regs

FRAME = bytes.fromhex("ffffffffffff 02484e000001 88b5") + bytes(range(46))


@cocotb.test()
async def the_nic_introduces_itself(dut):
    harness = await started(dut)
    assert await harness.cards[0].device.read32(regs.ID) == regs.ID_VALUE
    harness.stop()


@cocotb.test()
async def a_posted_descriptor_becomes_a_frame_and_a_completion(dut):
    harness = await started(dut)
    card, seen, fired = harness.cards[0], [], []
    card.link.connect(seen.append)
    card.device.connect_interrupt(1, lambda: fired.append(harness.now_ns))
    queue = TxQueue(card)
    queue.enable()
    queue.rearm()
    queue.post(FRAME)
    queue.doorbell()
    await harness.sleep(20_000)
    assert [frame.data for frame in seen] == [FRAME]
    (completion,) = queue.poll()
    assert completion.index == 1 and completion.status == 1 | 2 | 4 and len(fired) == 1
    harness.stop()


@cocotb.test()
async def a_frame_from_the_wire_lands_in_a_posted_buffer(dut):
    harness = await started(dut)
    card, fired = harness.cards[0], []
    card.device.connect_interrupt(2, lambda: fired.append(harness.now_ns))
    queue = RxQueue(card)
    queue.enable()
    queue.post(4)
    queue.doorbell()
    queue.rearm()
    await harness.sleep(5_000)
    card.link.send(FRAME)
    await harness.sleep(20_000)
    assert queue.frames() == [FRAME] and len(fired) == 1
    harness.stop()


@cocotb.test()
async def looped_frames_at_line_rate_keep_the_smallest_gap_and_all_arrive(dut):
    harness = await started(dut)
    card = harness.cards[0]
    card.settings.wire_mode, card.settings.deliver = WIRE_LOOP, 0
    tx, rx = TxQueue(card, size=128), RxQueue(card, size=128)
    tx.enable()
    rx.enable()
    rx.post(110)
    rx.doorbell()
    for _ in range(100):
        tx.post(FRAME)
    await harness.sleep(10_000)
    tx.doorbell()
    await harness.sleep(100 * 84 * 8 + 10_000)
    assert rx.frames() == [FRAME] * 100
    assert {gap: count for gap, count in enumerate(card.statistics.gaps) if count} == {12: 99, 63: 1}
    harness.stop()

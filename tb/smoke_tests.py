# SPDX-License-Identifier: Apache-2.0
"""The thin thread by hand: registers, descriptors, frames on the wire, no driver."""

import time

import cocotb
from by_hand import RxQueue, TxQueue, started

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
async def how_fast_is_idle(dut):
    harness = await started(dut)
    start = time.process_time()
    cycles = harness.cards[0].statistics.cycles
    await harness.sleep(200_000)
    cycles = harness.cards[0].statistics.cycles - cycles
    dut._log.info("IDLE %d cycles, %.0f cycles/s", cycles, cycles / (time.process_time() - start))
    harness.stop()


@cocotb.test()
async def how_fast_is_a_loop(dut):
    harness = await started(dut)
    card = harness.cards[0]
    card.settings.wire_mode = 1
    card.settings.deliver = 0
    tx, rx = TxQueue(card, size=256), RxQueue(card, size=256)
    for queue in (tx, rx):
        queue.enable()
    rx.post(250)
    rx.doorbell()
    await harness.sleep(5000)
    start = time.process_time()
    cycles = card.statistics.cycles
    for _ in range(200):
        tx.post(FRAME)
    tx.doorbell()
    await harness.sleep(672 * 200 + 10_000)
    cycles = card.statistics.cycles - cycles
    wall = time.process_time() - start
    assert len(rx.frames()) == 200
    dut._log.info("LOOP %d cycles, %.0f cycles/s, gaps %s", cycles, cycles / wall, [(i, g) for i, g in enumerate(card.statistics.gaps) if g])
    harness.stop()

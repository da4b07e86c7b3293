# SPDX-License-Identifier: Apache-2.0
"""The mapped netlist of nic_1g in place of its source: what the tools made of it still moves frames."""

import cocotb
from by_hand import RxQueue, TxQueue, started

from hilnic.hw import regs

SIZES = (60, 61, 62, 63, 64, 65, 66, 67, 99, 200)  # a netlist is slow


def frame(size: int) -> bytes:
    return bytes.fromhex("ffffffffffff 02484e000001 88b5") + bytes(n * 7 & 0xFF for n in range(size - 14))


@cocotb.test()
async def the_netlist_introduces_itself(dut):
    harness = await started(dut)
    assert await harness.cards[0].device.read32(regs.ID) == regs.ID_VALUE
    harness.stop()


@cocotb.test()
async def the_netlist_sends_ten_frames(dut):
    harness = await started(dut)
    card, seen = harness.cards[0], []
    card.link.connect(seen.append)
    queue = TxQueue(card)
    queue.enable()
    for size in SIZES:
        queue.post(frame(size), cuts=(size // 3,), offset=size % 8)
    queue.doorbell()
    await harness.sleep(20_000)
    assert [came.data for came in seen] == [frame(size) for size in SIZES]
    assert all(completion.status & 1 for completion in queue.poll())
    harness.stop()


@cocotb.test()
async def the_netlist_receives_ten_frames(dut):
    harness = await started(dut)
    card = harness.cards[0]
    queue = RxQueue(card)
    queue.enable()
    queue.post(len(SIZES))
    queue.doorbell()
    await harness.sleep(5_000)
    for size in SIZES:
        card.link.send(frame(size))
    await harness.sleep(20_000)
    assert queue.frames() == [frame(size) for size in SIZES]
    harness.stop()

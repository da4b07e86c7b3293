# SPDX-License-Identifier: Apache-2.0
"""Promises of docs/nic.md about registers, counters and the link."""

from __future__ import annotations

from by_hand import TxQueue
from promise_bench import Messages, promise
from stack_bench import frame

from hilnic.hw import regs
from hilnic.hw.device import BusError
from hilnic.hw.regs import TxCounter


@promise
async def registers_are_mapped_kept_and_reset_as_the_datasheet_says(bench):
    try:
        await bench.read(0x0F0)
    except BusError:
        pass
    else:
        raise AssertionError("a register that is not mapped answers OKAY")
    values = {regs.SCRATCH: 0x1234_5678, regs.RX_FILTER: 0x3F, regs.MAX_FRAME: 9018, regs.HASH_LO: 0xA5A5_A5A5}
    for offset, value in values.items():
        bench.write(offset, value)
    assert [await bench.read(offset) for offset in values] == list(values.values())
    bench.write(regs.CTRL, regs.CTRL_SOFT_RESET)
    while await bench.read(regs.CTRL) & regs.CTRL_SOFT_RESET:
        pass
    assert [await bench.read(offset) for offset in values] == [0x1234_5678, 0, 1518, 0]


@promise
async def a_link_change_sends_vector_0_once(bench):
    messages = Messages(bench, 0)
    bench.write(regs.MISC_CAUSE, 7)
    bench.write(regs.MISC_ENABLE, regs.MISC_ENABLE_LINK_CHANGE)
    await bench.run(3_000)
    before = len(messages)
    bench.card.settings.link_up = 0
    await bench.run(5_000)
    assert len(messages) == before + 1
    assert await bench.read(regs.MISC_CAUSE) == regs.MISC_CAUSE_LINK_CHANGE
    assert not await bench.read(regs.STATUS) & regs.STATUS_LINK_UP


@promise
async def counters_agree_with_the_wire_and_pass_2_to_the_32(bench):
    sender = await bench.queue(TxQueue, size=16)
    frames, octets = regs.tx_counter(TxCounter.FRAMES), regs.tx_counter(TxCounter.OCTETS)
    bench.write(frames, 0xFFFF_FFFF)
    bench.write(frames + 4, 0)
    assert await bench.read(frames) == 0xFFFF_FFFF
    sender.post(frame(1, 20))
    sender.post(frame(2, 100))
    sender.doorbell()
    await bench.run()
    assert await bench.read(frames + 4) == 0, "the high word is not the one of the low word's reading"
    assert [await bench.read(frames), await bench.read(frames + 4)] == [1, 1]
    assert await bench.read(octets) == 64 + 104

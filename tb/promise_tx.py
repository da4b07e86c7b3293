# SPDX-License-Identifier: Apache-2.0
"""Promises of docs/nic.md about transmission: padding, fragments, malformed frames, turns."""

from __future__ import annotations

from by_hand import TxQueue
from promise_bench import promise
from stack_bench import frame, padded

from hilnic.hw import regs
from hilnic.hw.descriptors import TxDescriptor
from hilnic.hw.memory import Direction
from hilnic.hw.regs import Cause


@promise
async def padding_is_zero(bench):
    sender = await bench.queue(TxQueue, size=16)
    frames = [frame(9, 20), frame(9, 59)]
    for data in frames:
        sender.post(data)
    sender.doorbell()
    await bench.until(lambda: len(bench.wire) == 2)
    assert bench.wire == [padded(data) for data in frames]


@promise
async def fragments_of_any_length_and_place_join_to_one_frame(bench):
    sender, frames = await bench.queue(TxQueue, size=64), []
    for offset in range(8):
        for number in range(2):
            data = frame(len(frames), 70)
            first = 15 + (offset + 4 * number) % 8
            sender.post(data, cuts=(first, first + 3 + offset), offset=offset)
            frames.append(data)
    sender.doorbell()
    await bench.until(lambda: len(bench.wire) == len(frames))
    assert bench.wire == frames


@promise
async def malformed_frames_end_with_their_cause_and_are_not_sent(bench):
    sender = await bench.queue(TxQueue, size=16)

    def put(length, *, sop=True, kind=0, reserved=0):
        region = bench.card.memory.allocate(64)
        bench.card.memory.map(region.address, 64, Direction.TO_DEVICE)
        packed = int.from_bytes(TxDescriptor(region.address, length, sop, True, kind).pack(), "little")
        sender.put((packed | reserved << 96).to_bytes(16, "little"))

    put(0)
    put(60, reserved=1)
    put(60, kind=5)
    put(13)
    put(60, sop=False)
    sender.post(frame(1))
    sender.doorbell()
    await bench.until(lambda: bool(bench.wire))
    await bench.run()
    causes = [Cause.ZERO_LENGTH, Cause.RESERVED_BITS, Cause.BAD_KIND, Cause.TOO_SHORT, Cause.BAD_SOP, 0]
    assert [one.cause for one in sender.poll()] == causes
    assert bench.wire == [frame(1)]


@promise
async def queues_take_turns(bench):
    bench.write(regs.CTRL, 0)
    senders = [await bench.queue(TxQueue, n, size=16) for n in range(2)]
    for sender in senders:
        for n in range(4):
            sender.post(frame(10 * sender.number + n))
        sender.doorbell()
    await bench.run(4_000)
    bench.write(regs.CTRL, regs.CTRL_TX_ENABLE)
    await bench.until(lambda: len(bench.wire) == 8)
    assert sorted(bench.wire) == sorted(frame(10 * q + n) for q in range(2) for n in range(4))
    assert {data[17] // 10 for data in bench.wire[2:4]} == {data[17] // 10 for data in bench.wire[4:6]} == {0, 1}

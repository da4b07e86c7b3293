# SPDX-License-Identifier: Apache-2.0
"""Promises of docs/nic.md about reception: the MAC, the filter, buffers and their drops."""

from __future__ import annotations

from by_hand import TxQueue
from promise_bench import promise
from stack_bench import BROADCAST, OWN, PEER, frame

from hilnic.hw import regs
from hilnic.hw.regs import Cause, CompletionStatus
from hilnic.wire.link import WireFrame

GROUP, OTHER = b"\x01\0\x5e\0\0\1", b"\x01\0\x5e\0\0\2"
SOP, EOP = CompletionStatus.SOP, CompletionStatus.EOP


@promise
async def bad_frames_are_dropped_each_with_its_cause(bench):
    queue = await bench.receiver()
    bad = [
        WireFrame(frame(1, 100), fcs_ok=False), WireFrame(frame(2, 100), error=True), WireFrame(frame(3, 40)),
        WireFrame(frame(4, 1515)),
    ]  # fmt: skip
    await bench.hear(*bad, frame(5, 100))
    assert queue.frames() == [frame(5, 100)]
    assert await bench.rx("DROP_FCS", "DROP_RX_ER", "DROP_RUNT", "DROP_OVERSIZE") == [1, 1, 1, 1]
    assert await bench.rx("WIRE_FRAMES", "DELIVERED_FRAMES") == [5, 1]


@promise
async def any_preamble_and_a_lost_carrier_are_taken_as_the_standard_says(bench):
    queue = await bench.receiver()
    await bench.hear(WireFrame(frame(1), preamble=1), WireFrame(frame(2), preamble=15))
    await bench.hear(WireFrame(b"\x55" * 30, preamble=7, sfd=False))
    bench.link.send_cut(WireFrame(frame(3)), 30)
    bench.link.send_symbols([1 << 9 | 0x0E] * 3)
    bench.link.send_symbols([1 << 9 | 0x0F] * 3)
    await bench.hear(frame(4))
    assert queue.frames() == [frame(1), frame(2), frame(4)]
    assert await bench.rx("MISSING_SFD", "FRAGMENTS", "FALSE_CARRIER", "WIRE_FRAMES") == [1, 1, 1, 4]


@promise
async def length_errors_are_counted_and_delivered(bench):
    queue = await bench.receiver()
    header = OWN + PEER
    frames = [header + length.to_bytes(2, "big") + bytes(60) for length in (60, 61, 1510)]
    await bench.hear(*frames)
    assert queue.frames() == frames
    assert await bench.rx("IN_RANGE_LENGTH_ERRORS", "OUT_OF_RANGE_LENGTH") == [1, 1]


def set_own_address(bench, own=OWN):
    bench.write(regs.MAC_ADDR_LO, int.from_bytes(own[:4], "little"))
    bench.write(regs.MAC_ADDR_HI, int.from_bytes(own[4:], "little"))


def set_entry(bench, entry, group, *, valid=True, queue=None):
    bench.write(regs.exact_lo(entry), int.from_bytes(group[:4], "little"))
    steer = 0 if queue is None else regs.EXACT_HI_STEER | queue << 16
    bench.write(regs.exact_hi(entry), int.from_bytes(group[4:], "little") | steer | valid * regs.EXACT_HI_VALID)


@promise
async def the_filter_takes_what_it_is_set_to_and_nothing_else(bench):
    queue = await bench.receiver()
    set_own_address(bench)
    set_entry(bench, 0, GROUP)
    set_entry(bench, 1, OTHER, valid=False)
    near, near_group = OWN[:5] + b"\x77", GROUP[:5] + b"\x77"
    everybody = [OWN, near, BROADCAST, GROUP, near_group, OTHER]
    for bits, accepted in (
        (0, []),
        (regs.RX_FILTER_OWN_UNICAST | regs.RX_FILTER_MULTICAST_EXACT, [OWN, GROUP]),
        (regs.RX_FILTER_BROADCAST, [BROADCAST]),
    ):
        bench.write(regs.RX_FILTER, bits)
        await bench.run(1_000)
        await bench.hear(*[frame(0, destination=to) for to in everybody])
        assert [data[:6] for data in queue.frames()] == accepted, hex(bits)


@promise
async def the_hash_table_of_the_datasheet_is_the_one_of_the_nic(bench):
    queue = await bench.receiver()
    bench.write(regs.RX_FILTER, regs.RX_FILTER_MULTICAST_HASH)
    table = {"01005e000001": 31, "333300000001": 62, "01005e7ffffa": 43, "01005e0000fb": 15, "0180c2000000": 25}
    groups = {bytes.fromhex(text): bit for text, bit in table.items()}
    for group, bit in groups.items():
        bench.write(regs.HASH_LO, (1 << bit) & 0xFFFF_FFFF)
        bench.write(regs.HASH_HI, 1 << bit >> 32)
        await bench.run(1_000)
        await bench.hear(*[frame(0, destination=other) for other in groups])
        assert [data[:6] for data in queue.frames()] == [group], group.hex()


@promise
async def a_steered_group_goes_to_its_queue(bench):
    first, second = await bench.receiver(), await bench.receiver(number=1)
    bench.write(regs.RX_FILTER, regs.RX_FILTER_MULTICAST_EXACT)
    set_entry(bench, 3, GROUP, queue=1)
    set_entry(bench, 4, OTHER)
    await bench.run(1_000)
    await bench.hear(frame(1, destination=GROUP), frame(2, destination=OTHER))
    assert second.frames() == [frame(1, destination=GROUP)]
    assert first.frames() == [frame(2, destination=OTHER)]


@promise
async def nothing_moves_while_a_direction_is_off(bench):
    receiver, sender = await bench.receiver(), await bench.queue(TxQueue, size=16)
    bench.write(regs.CTRL, regs.CTRL_RX_ENABLE)
    sender.post(frame(1))
    sender.doorbell()
    await bench.run()
    assert bench.wire == [], "sent while tx_enable is off"
    bench.write(regs.CTRL, regs.CTRL_TX_ENABLE)
    await bench.run(1_000)
    await bench.hear(frame(2))
    assert bench.wire == [frame(1)]
    assert receiver.frames() == [] and await bench.rx("DROP_DISABLED") == [1]


@promise
async def without_descriptors_whole_frames_are_dropped_and_counted(bench):
    queue = await bench.receiver(buffers=0)
    frames = [frame(n, 1000) for n in range(8)]
    await bench.hear(*frames)
    dropped, full = await bench.rx("DROP_NO_DESCRIPTOR", "DROP_BUFFER_FULL")
    assert dropped > 0
    queue.post(8)
    queue.doorbell()
    await bench.run()
    delivered = queue.frames()
    assert len(delivered) == 8 - dropped - full and all(data in frames for data in delivered)
    assert await bench.rx("WIRE_FRAMES", "DELIVERED_FRAMES") == [8, len(delivered)]


@promise
async def a_frame_over_several_buffers_has_its_lengths_and_flags(bench):
    queue = await bench.receiver(registers={regs.QUEUE_BUF_SIZE: 64})
    await bench.hear(frame(1, 150), frame(2, 64))
    done = queue.poll()
    assert [one.length for one in done] == [64, 64, 22, 64]
    assert [one.status & (SOP | EOP) for one in done] == [SOP, 0, EOP, SOP | EOP]
    assert [one.frame_length for one in done] == [150, 150, 150, 64]
    assert b"".join(bytes(region.view[:64]) for region in queue.buffers[:3])[:150] == frame(1, 150)


@promise
async def a_bus_error_on_data_costs_its_frame_only(bench):
    sender, receiver = await bench.queue(TxQueue, size=16), await bench.receiver()
    bench.card.inject_read_error(2)  # burst 1 brings the descriptors
    sender.post(frame(1, 100))
    sender.post(frame(2, 100))
    sender.doorbell()
    await bench.run()
    assert [one.cause for one in sender.poll()] == [Cause.BUS_ERROR, 0] and bench.wire == [frame(2, 100)]
    bench.card.inject_write_error(1)
    await bench.hear(frame(3, 100), frame(4, 100))
    assert [one.cause for one in receiver.poll()] == [Cause.BUS_ERROR, 0]
    assert await bench.rx("DROP_DMA", "DELIVERED_FRAMES") == [1, 1]

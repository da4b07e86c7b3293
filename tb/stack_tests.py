# SPDX-License-Identifier: Apache-2.0
"""The whole stack on one card of Verilog: frames of every length and layout, and rings of every size.

Each test's `finish` also shows that a halt leaves nothing outstanding (ST-18, ST-19).
"""

import os
import random

import cocotb
from stack_bench import HARD, finish, frame, layout, one, padded

from hilnic.ndis import NdisStatus
from hilnic.wire.link import WireFrame

FAST = os.environ.get("HILNIC_SIM") == "verilator"
"""Random tests take more rounds on the faster simulator."""


# --- lengths and layouts ----------------------------------------------------------------------------------------------


@cocotb.test()
async def frames_of_every_length_class_go_out_and_come_in_byte_for_byte(dut):
    """S6-01, S6-13: 14 octets to the longest frame, a completion for each."""
    host = await one(dut)
    lengths = [14, 15, 17, 31, 59, 60, 61, 63, 64, 65, 127, 128, 129, 255, 256, 257, 511, 513, 1023, 1513, 1514]
    await host.both([frame(n, length) for n, length in enumerate(lengths)])
    assert host.binding.statuses == []
    await finish(host)


@cocotb.test()
async def a_short_frame_is_padded_with_zeros_and_nothing_behind_it_leaks(dut):
    """S6-13: the memory behind each frame is full of 0xA5; the sender's bytes stay as they are."""
    host = await one(dut)
    nbls = [host.layouts.build(frame(length, length), tail=64) for length in range(14, 61)]
    host.layouts.send_nbls(nbls)
    await host.until(lambda: len(host.layouts.completed) == 47)
    assert host.sent == [frame(length, length).ljust(60, b"\0") for length in range(14, 61)]
    for length, nbl in zip(range(14, 61), nbls, strict=True):
        mdl = nbl.first_net_buffer.mdl_chain
        assert bytes(mdl.view[: mdl.byte_count]) == frame(length, length) + b"\xa5" * 64
    await finish(host)


@cocotb.test()
async def fragments_of_any_length_at_any_alignment_are_sent_as_one_frame(dut):
    """RG-15, MD-26, S6-04: 1 to 8 pieces, empty ones among them, with head room that belongs to nobody."""
    host, draw = await one(dut), random.Random(15)
    frames, nbls = [], []
    for number in range(200 if FAST else 40):
        data, head = frame(number, draw.randrange(14, 400)), draw.choice((0, 0, 1, 7, 13))
        cuts = sorted(draw.randrange(14 + head, head + len(data) + 1) for _ in range(draw.randrange(8)))
        frames.append(data)
        nbls.append(layout(host.layouts, data, cuts, head, lambda: draw.randrange(64)))
    for nbl in nbls:
        host.layouts.send_nbls([nbl])
    await host.until(lambda: len(host.layouts.completed) == len(nbls))
    assert host.sent == [padded(data) for data in frames]
    assert {status for _, status in host.layouts.completed} == {NdisStatus.SUCCESS}
    await finish(host)


@cocotb.test()
async def a_frame_in_64_pieces_of_a_byte_arrives_whole(dut):
    """RG-09: more pieces than the driver hands to the NIC one by one."""
    host = await one(dut)
    data = frame(7, 64)
    host.layouts.send_nbls([layout(host.layouts, data, list(range(1, 64)), 0, lambda: 3)])
    host.layouts.send_nbls([layout(host.layouts, frame(8, 200), list(range(1, 200)), 0, lambda: 5)])
    await host.until(lambda: len(host.layouts.completed) == 2)
    assert host.sent == [data, frame(8, 200)]
    await finish(host)


@cocotb.test()
async def a_frame_with_more_pieces_than_the_ring_is_copied_and_sent(dut):
    """RG-09: 20 pieces through a ring of 8, among ordinary frames, without a deadlock."""
    host = await one(dut, tx_ring=8)
    frames = [frame(n, 100 + n) for n in range(12)]
    for number, data in enumerate(frames):
        cuts = list(range(14, 94, 4)) if number % 3 == 1 else [20]
        host.layouts.send_nbls([layout(host.layouts, data, cuts, 0, lambda: 1)])
    await host.until(lambda: len(host.layouts.completed) == 12)
    assert host.sent == frames
    await finish(host)


@cocotb.test()
async def pieces_before_and_across_a_4_kib_border_are_read_right(dut):
    """RG-15: starts 0 to 63 bytes before the border, lengths 1 to 65 (all pairs on Verilator, a sample on Icarus)."""
    host, draw = await one(dut, tx_moderation=(8, 500)), random.Random(4)
    pages = [host.stack.cpu.allocate(2 * 4096, 4096) for _ in range(40)]
    pairs = [(start, length) for start in range(64) for length in range(1, 66)]
    chosen = pairs if FAST else draw.sample(pairs, 60)
    for page in pages:
        page.view[:] = draw.randbytes(2 * 4096)
    for first in range(0, len(chosen), 40):
        batch, expected = chosen[first : first + 40], []
        del host.wire[:]
        nbls = []
        for page, (start, length) in zip(pages, batch, strict=False):
            place = 4096 - start
            expected.append(frame(first, 60) + bytes(page.view[place : place + length]))
            nbls.append(layout(host.layouts, frame(first, 60), [], 0, lambda: 0, tail=(page, place, length)))
        host.layouts.send_nbls(nbls)
        await host.until(lambda: host.layouts.in_flight == 0)
        assert host.sent == expected, batch
        host.layouts.forget()
    for page in pages:
        host.stack.cpu.free(page)
    await finish(host)


@cocotb.test()
async def a_frame_that_is_too_long_or_too_short_is_refused_and_nothing_of_it_is_sent(dut):
    """S6-14: INVALID_LENGTH, the error is counted, the frames beside it go out."""
    host = await one(dut)
    host.send(frame(1, 1514), frame(2, 1515), frame(3, 13), frame(4, 60))
    await host.idle()
    await host.run(20_000)
    assert host.sent == [frame(1, 1514), frame(4, 60)]
    assert host.binding.statuses == [NdisStatus.INVALID_LENGTH] * 2
    assert (await host.statistics()).if_out_errors == 2
    await finish(host)


# --- rings ------------------------------------------------------------------------------------------------------------


@cocotb.test()
async def more_frames_than_descriptors_are_accepted_at_once_and_sent_in_order(dut):
    """S6-10, S6-11: 64 NBLs in one call through a ring of 4."""
    host = await one(dut, tx_ring=4)
    frames = [frame(n) for n in range(64)]
    host.send(*frames)
    assert host.binding.outstanding == 64
    await host.idle()
    assert host.sent == frames and host.binding.statuses == []
    await finish(host)


@cocotb.test()
async def a_frame_that_does_not_fit_into_the_ring_waits_as_a_whole(dut):
    """RG-08: frames of three pieces through a ring of 4; each one is whole on the wire."""
    host = await one(dut, tx_ring=4)
    frames = [frame(n, 90 + n) for n in range(24)]
    host.send(*frames, fragments=3)
    await host.idle()
    assert host.sent == frames
    await finish(host)


@cocotb.test()
async def an_nbl_of_many_frames_completes_once_with_its_last_frame(dut):
    """RG-07, RG-05, S6-02: three NET_BUFFERs in four pieces each, a single one before and behind."""
    host = await one(dut, tx_ring=16)
    frames = [frame(n, 100) for n in range(5)]
    seen = []
    host.raw.on_completed = lambda binding, nbl: seen.append(len(host.sent))
    build = host.binding.build
    host.binding.send_nbls([build(frames[:1]), build(frames[1:4], fragments=4), build(frames[4:])])
    await host.idle()
    assert host.sent == frames
    assert len(seen) == 3 and seen == sorted(seen) and seen[1] >= 4
    await finish(host)


@cocotb.test()
@cocotb.parametrize(size=[2, 4, 64])
async def a_ring_of_any_size_carries_everything_in_order(dut, size):
    """RG-02: full is not empty."""
    host = await one(dut, tx_ring=size, rx_ring=size, rx_buffers=2 * size, rx_low_water=0)
    frames = [frame(n, 60 + n) for n in range(70)]
    host.send(*frames, fragments=2)
    for data in frames:
        host.inject(WireFrame(data, ifg=12 if size == 64 else 400))
    await host.idle()
    await host.until(lambda: len(host.received) == 70)
    assert (host.sent, host.received) == (frames, frames)
    await finish(host)


@cocotb.test()
@cocotb.parametrize(start=[0xFFFF_FFF0, 0xFFFF_FFFF])
async def indices_that_pass_2_to_the_32_change_nothing(dut, start):
    """RG-01: presets right before the wrap."""
    host = await one(dut, start_index=start, tx_ring=8, rx_ring=8, rx_buffers=16, rx_low_water=0)
    await host.both([frame(n, 80) for n in range(40)], fragments=2)
    assert host.nic.tx.ring.producer < 1000
    await finish(host)


@cocotb.test()
@cocotb.parametrize(seed=range(3 if FAST else 1))
async def stalls_reordering_and_weak_memory_change_no_result(dut, seed):
    """RG-04, RG-13, RG-03: descriptors reach the NIC at the barrier only; the ring monitor follows every owner."""
    host, draw = await one(dut, timing=HARD, seed=seed + 1, tx_ring=32, rx_ring=32), random.Random(seed)
    for _ in range(8 if FAST else 2):
        frames = [frame(n, draw.randrange(14, 1515)) for n in range(25)]
        incoming = [frame(n, draw.randrange(60, 1515)) for n in range(25)]
        await host.both(frames, incoming, fragments=draw.randrange(1, 6))
    await finish(host)


@cocotb.test()
async def a_frame_that_comes_between_the_last_look_and_the_re_arm_is_not_forgotten(dut):
    """RG-06: a second frame in steps of 64 ns over the whole time of interrupt, DPC and re-arm."""
    host = await one(dut)
    for delay in range(0, 3200, 64):
        have = len(host.received)
        now = host.harness.now_ns
        host.card.link.send(frame(1), at=now)
        host.card.link.send(frame(2), at=now + delay)
        await host.until(lambda have=have: len(host.received) == have + 2, limit_ns=20_000, what=f"frame at {delay} ns")
    await finish(host)

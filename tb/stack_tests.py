# SPDX-License-Identifier: Apache-2.0
"""The whole stack on one card of Verilog: what a protocol sends is on the wire, what the wire brings is indicated.

Each test's `finish` also shows that a halt leaves nothing outstanding (ST-18, ST-19).
One module, because each is a simulator process of its own, whose start costs more than most tests
(docs/architecture.md); the sections are its themes.
"""

import os
import random

import cocotb
from stack_bench import BROADCAST, HARD, OWN, PEER, finish, frame, layout, one, padded

from hilnic import ndis
from hilnic.cosim import hostmem
from hilnic.hw import regs
from hilnic.hw.descriptors import RX_DESCRIPTOR_STRUCT
from hilnic.hw.timing import TimingModel
from hilnic.miniport.filter import hash_index
from hilnic.miniport.rx import Receiver
from hilnic.ndis import NdisStatus, PacketFilter
from hilnic.testing import expect_violation
from hilnic.testing.special_pool import PoolCorruption
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


# --- completion -------------------------------------------------------------------------------------------------------


@cocotb.test()
@cocotb.parametrize(seed=range(2 if FAST else 1))
async def load_that_begins_and_ends_at_any_moment_is_polled_and_every_frame_comes(dut, seed):
    """RG-06: bursts at line rate in both directions, each followed by silence and one more frame at a random moment."""
    host, draw = await one(dut, timing=HARD, seed=seed), random.Random(seed)
    incoming = 0
    for _ in range(20 if FAST else 4):
        burst = [frame(incoming + n) for n in range(draw.randrange(1, 60))]
        host.inject(*burst)
        host.send(*burst)
        await host.until(lambda: host.card.link.backlog == 0)
        await host.run(draw.randrange(15_000))
        host.inject(frame(incoming + len(burst)))
        incoming += len(burst) + 1
        await host.until(lambda incoming=incoming: len(host.received) == incoming, what="the frame behind the burst")
        await host.idle()
    assert host.received == [frame(n) for n in range(incoming)]
    assert host.card.device.interrupts < incoming // 2
    await finish(host)


@cocotb.test()
async def a_buffer_overwritten_in_its_completion_was_read_before(dut):
    """S6-18: each completion poisons its buffer; the wire has the original bytes."""
    host = await one(dut)

    def poison(binding, nbl):
        for nb in nbl.net_buffers():
            nb.mdl_chain.region.view[:] = b"\xee" * len(nb.mdl_chain.region.view)

    host.raw.on_completed = poison
    frames = [frame(n, 1514 if n % 2 else 60) for n in range(40)]
    for data in frames:
        host.send(data, fragments=3)
    await host.idle()
    assert host.sent == frames
    await finish(host)


@cocotb.test()
async def a_completion_may_be_far_from_the_wire_and_the_frame_is_right_all_the_same(dut):
    """S6-17: the transmit clock stands for 10 000 cycles; buffers are poisoned at completion."""
    host = await one(dut, stall_ns=1_000_000)
    host.raw.on_completed = lambda binding, nbl: nbl.first_net_buffer.mdl_chain.region.view.__setitem__(
        slice(0, 60), b"\xee" * 60
    )
    host.card.stop_clock(hostmem.TX)
    frames = [frame(n) for n in range(10)]
    host.send(*frames)
    await host.run(80_000)
    assert host.sent == []
    host.card.start_clock(hostmem.TX)
    await host.idle()
    await host.until(lambda: len(host.sent) == 10)
    assert host.sent == frames
    await finish(host)


# --- receive ----------------------------------------------------------------------------------------------------------


@cocotb.test()
async def bad_frames_are_counted_and_never_indicated(dut):
    """R6-17: wrong FCS, RX_ER, runt and oversize, a good frame between any two."""
    host = await one(dut)
    bad = [
        WireFrame(frame(1, 100), fcs_ok=False), WireFrame(frame(2, 100), error=True), WireFrame(frame(3, 40)),
        WireFrame(frame(4, 1515)), WireFrame(frame(5, 40), fcs_ok=False), WireFrame(frame(6, 2000), fcs_ok=False),
    ]  # fmt: skip
    for number, one_bad in enumerate(bad):
        host.inject(one_bad, frame(100 + number))
    await host.until(lambda: len(host.received) == len(bad))
    await host.run(10_000)
    assert host.received == [frame(100 + number) for number in range(len(bad))]
    assert (await host.statistics()).if_in_errors == len(bad)
    await finish(host)


def _hold(binding, nbls, count, flags):
    if not flags & ndis.ReceiveFlags.RESOURCES:
        binding.hold(nbls)


@cocotb.test()
async def without_buffers_frames_are_dropped_and_counted_and_traffic_resumes(dut):
    """R6-18: the protocol keeps every buffer; what it holds stays intact (R6-06); all is well when it lets go."""
    host = await one(dut, raw={"on_receive": _hold}, rx_ring=8, rx_buffers=8, rx_low_water=0)
    frames = [frame(n, 1514) for n in range(36)]
    host.inject(*frames)
    await host.until(lambda: host.card.link.backlog == 0, limit_ns=2_000_000)
    await host.run(10_000)
    held = [nbl.first_net_buffer.tobytes() for nbl in host.binding._held]
    discards = (await host.statistics()).if_in_discards
    assert held == frames[:8] and discards > 0
    host.raw.on_receive = None
    host.binding.release()
    await host.until(lambda: len(host.received) == 36 - 8 - discards)
    host.inject(*frames[:20])
    await host.until(lambda: host.received[-20:] == frames[:20])
    await finish(host)


@cocotb.test()
async def when_buffers_get_scarce_frames_are_lent_for_the_call_only_until_they_come_back(dut):
    """R6-19, R6-21, R6-22: RESOURCES from the low-water mark on, gone after the returns; nothing lost or overtaken."""
    seen = []

    def receive(binding, nbls, count, flags):
        lent = bool(flags & ndis.ReceiveFlags.RESOURCES)
        seen.extend((nbl.first_net_buffer.tobytes(), lent) for nbl in ndis.walk(nbls))
        if not lent:
            binding.hold(nbls)

    host = await one(dut, raw={"on_receive": receive}, rx_ring=16, rx_buffers=24, rx_low_water=8)
    frames = [frame(n) for n in range(60)]
    host.inject(*frames[:40])
    await host.until(lambda: len(seen) == 40)
    assert seen == [(data, n >= 16) for n, data in enumerate(frames[:40])]
    host.binding.release()
    host.inject(*frames[40:50])
    await host.until(lambda: len(seen) == 50)
    assert seen[40:] == [(data, False) for data in frames[40:50]]
    assert (await host.statistics()).if_in_discards == 0
    await finish(host)


@cocotb.test()
@cocotb.parametrize(mtu_and_buffer=[(1500, 64), (9000, 2048), *([(1500, 256), (9000, 16384)] if FAST else [])])
async def a_frame_longer_than_a_buffer_takes_several_and_overruns_none(dut, mtu_and_buffer):
    """RG-10: a stray byte behind a buffer would be a DeviceFault; a longer frame than the maximum is dropped."""
    mtu, buffer = mtu_and_buffer
    host = await one(dut, mtu=mtu, rx_buffer_bytes=buffer, rx_buffer_offset=3, raw={"buffer_bytes": 9100})
    lengths = [60, buffer - 1, buffer, buffer + 1, 2 * buffer, 2 * buffer + 1, mtu + 14]
    frames = [frame(n, min(mtu + 14, max(60, length))) for n, length in enumerate(lengths)]
    host.inject(frame(99, mtu + 15))
    await host.both(frames)
    assert (await host.statistics()).if_in_errors == 1
    await finish(host)


# --- filter, statistics, moderation, link -----------------------------------------------------------------------------

GROUP, OTHER_GROUP = b"\x01\0\x5e\0\0\1", b"\x01\0\x5e\0\0\2"
DESTINATIONS = {"own": OWN, "stranger": b"\x02\xaa\0\0\0\1", "group": GROUP, "other": OTHER_GROUP, "all": BROADCAST}
ACCEPTED = {
    0: set(),
    PacketFilter.DIRECTED: {"own"},
    PacketFilter.MULTICAST: {"group"},
    PacketFilter.ALL_MULTICAST: {"group", "other"},
    PacketFilter.BROADCAST: {"all"},
    PacketFilter.PROMISCUOUS: set(DESTINATIONS),
    PacketFilter.DIRECTED | PacketFilter.MULTICAST | PacketFilter.BROADCAST: {"own", "group", "all"},
}


@cocotb.test()
async def each_packet_filter_lets_in_what_it_says(dut):
    """OI-10, OI-11: the matrix of filters and destinations, in the NIC as well as at the protocol."""
    host = await one(dut)
    await host.binding.set_multicast_list([GROUP])
    for packet_filter, accepted in ACCEPTED.items():
        await host.binding.set_filter(packet_filter)
        await host.run(5_000)
        before, have = await host.rx_counters(), len(host.received)
        host.inject(*[frame(0, destination=destination) for destination in DESTINATIONS.values()])
        await host.until(lambda: host.card.link.backlog == 0)
        await host.run(8_000)
        after = await host.rx_counters()
        names = {name for name, a in DESTINATIONS.items() if frame(0, destination=a) in host.received[have:]}
        assert names == accepted, packet_filter
        assert after["DELIVERED_FRAMES"] - before["DELIVERED_FRAMES"] == len(accepted)
        assert after["DROP_FILTERED"] - before["DROP_FILTERED"] == 5 - len(accepted)
    await finish(host)


def _colliding(address):
    """Another group address in the same hash bucket."""
    for number in range(1, 100_000):
        other = b"\x01\0\x5e" + number.to_bytes(3, "big")
        if other != address and hash_index(other) == hash_index(address):
            return other
    raise AssertionError("64 buckets and no collision")


@cocotb.test()
async def a_stranger_in_a_hash_bucket_passes_the_nic_and_not_ndis(dut):
    """OI-12: 32 groups in the exact table, the 33rd in the hash; a collision is filtered once more above the driver."""
    host = await one(dut)
    groups = [b"\x01\0\x5e\x01\0" + bytes([n]) for n in range(33)]
    stranger = _colliding(groups[32])
    await host.binding.set_filter(PacketFilter.MULTICAST)
    await host.binding.set_multicast_list(groups)
    await host.run(20_000)
    frames = [frame(n, destination=group) for n, group in enumerate(groups)]
    host.inject(frame(99, destination=stranger), *frames)
    await host.until(lambda: len(host.received) >= 33)
    counters = await host.rx_counters()
    assert host.received == frames
    assert counters["DELIVERED_FRAMES"] == 34
    await finish(host)


@cocotb.test()
async def statistics_agree_with_the_wire_and_every_frame_has_one_fate(dut):
    """OI-13: random good and bad traffic; wire frames = delivered + the sum of all drop causes."""
    host, draw, wired = await one(dut), random.Random(3), []
    await host.binding.set_filter(PacketFilter.DIRECTED | PacketFilter.BROADCAST)
    await host.run(5_000)
    totals = dict.fromkeys(DESTINATIONS, (0, 0))
    for number in range(400 if FAST else 60):
        name = draw.choice(list(DESTINATIONS))
        data = frame(number, draw.choice((60, draw.randrange(60, 1515))), destination=DESTINATIONS[name])
        host.send(data)
        packets, octets = totals[name]
        totals[name] = packets + 1, octets + len(data)
        wired.append(WireFrame(data, fcs_ok=draw.random() > 0.1, error=draw.random() < 0.1))
    host.inject(*wired)
    await host.idle()
    await host.until(lambda: host.card.link.backlog == 0, limit_ns=20_000_000)
    await host.run(20_000)
    info, rx, tx = await host.statistics(), await host.rx_counters(), await host.tx_counters()
    good = [one_frame for one_frame in wired if one_frame.fcs_ok and not one_frame.error]
    assert rx["WIRE_FRAMES"] == len(wired) and rx["WIRE_OCTETS"] == sum(len(w.octets) for w in wired)
    assert rx["WIRE_FRAMES"] == rx["DELIVERED_FRAMES"] + sum(v for k, v in rx.items() if k.startswith("DROP_"))
    assert info.if_in_errors == len(wired) - len(good)
    assert info.if_hc_in_ucast_pkts == sum(w.data[:6] == OWN for w in good)
    assert info.if_hc_in_broadcast_octets == sum(len(w.data) for w in good if w.data[:6] == BROADCAST)
    unicast = [totals[name] for name in ("own", "stranger")]
    assert info.if_hc_out_ucast_octets == sum(octets for _, octets in unicast)
    assert info.if_hc_out_multicast_pkts == totals["group"][0] + totals["other"][0]
    assert tx["FRAMES"] == len(host.wire) == len(wired) and tx["OCTETS"] == sum(len(w.octets) for w in host.wire)
    assert info.broken_identity() is None
    await finish(host)


@cocotb.test()
async def moderation_by_count_saves_interrupts_and_the_timer_brings_the_rest(dut):
    """docs/nic.md section 8: eight frames per interrupt; three that come alone are reported when the ticks are over."""
    host = await one(dut, rx_moderation=(8, 6_000))
    before = host.card.device.interrupts
    host.inject(*[WireFrame(frame(n), ifg=500) for n in range(32)])  # a DPC is over before the next one comes
    await host.until(lambda: len(host.received) == 32)
    assert host.card.device.interrupts - before == 4
    began = host.harness.now_ns
    host.inject(*[frame(n) for n in range(3)])
    await host.until(lambda: len(host.received) == 35)
    assert host.harness.now_ns - began > 6_000 * 8
    assert host.card.device.interrupts - before == 5
    await finish(host)


@cocotb.test()
async def a_dpc_stops_at_its_budget_and_comes_again(dut):
    """IT-03: a flood with a budget of 4 frames per DPC loses nothing."""
    sizes = []

    def receive(binding, nbls, count, flags):
        sizes.append(count)
        binding.received.extend(nbl.first_net_buffer.tobytes() for nbl in ndis.walk(nbls))
        binding.return_nbls(nbls)

    host = await one(dut, raw={"on_receive": receive}, dpc_budget=4, rx_moderation=(32, 2000))
    frames = [frame(n) for n in range(100)]
    host.inject(*frames)
    await host.until(lambda: len(host.received) == 100)
    assert host.received == frames and max(sizes) == 4
    await finish(host)


@cocotb.test()
async def pulling_and_plugging_the_cable_is_indicated_each_time(dut):
    """OI-16."""
    host = await one(dut)
    for up in (0, 1, 0, 1):
        host.card.settings.link_up = up
        await host.run(20_000)
    states = [indication.buffer.media_connect_state for indication in host.binding.status_indications]
    assert states == [ndis.MediaConnectState.DISCONNECTED, ndis.MediaConnectState.CONNECTED] * 2
    await finish(host)


# --- speed and long runs ----------------------------------------------------------------------------------------------


@cocotb.test()
@cocotb.parametrize(fragments=[1, 4])
async def line_rate_of_shortest_frames_in_both_directions_without_a_drop(dut, fragments):
    """RG-13: the default timing model; 84 octets per frame on the wire, gap 12 between any two."""
    total, count = (1000 if FAST else 200), [0]

    def receive(binding, nbls, number, flags):
        count[0] += number
        binding.return_nbls(nbls)

    host = await one(dut, raw={"on_receive": receive})
    host.inject(*[frame(1)] * total)
    sent = 0
    while sent < total:
        burst = min(64 - host.binding.outstanding, total - sent)
        if burst:
            host.send(*[frame(1)] * burst, fragments=fragments)
            sent += burst
        await host.run(1_000)
    await host.idle()
    await host.until(lambda: count[0] == total)
    gaps = {gap: number for gap, number in enumerate(host.card.statistics.gaps) if number}
    assert gaps.get(12, 0) >= total - 2, gaps
    counters = await host.rx_counters()
    assert counters["DELIVERED_FRAMES"] == total
    await finish(host)


@cocotb.test()
@cocotb.parametrize(seed=range(2 if FAST else 1))
async def random_full_duplex_traffic_arrives_in_order_through_small_rings(dut, seed):
    """S6-11, R6-22, RG-03: jitter, random sizes, calls of 1 to 12 NBLs, gaps of 8 to 40."""
    timing = TimingModel(jitter_percent=60, stall_percent=10, weak=True)
    host = await one(dut, timing=timing, seed=seed + 5, tx_ring=16, rx_ring=64, rx_buffers=128, verify="full")
    draw, sent, wired = random.Random(seed), [], []
    for _ in range(60 if FAST else 12):
        out = [frame(len(sent) + n, draw.randrange(14, 600)) for n in range(draw.randrange(1, 13))]
        host.send(*out, fragments=draw.choice((1, 2, 5)))
        sent += [padded(data) for data in out]
        for _ in range(draw.randrange(6)):
            data = frame(len(wired), draw.randrange(60, 900), source=PEER)
            wired.append(data)
            host.inject(WireFrame(data, ifg=draw.randrange(8, 40)))
        await host.run(draw.randrange(1_000, 20_000))
    await host.idle()
    await host.until(lambda: len(host.received) == len(wired), limit_ns=20_000_000)
    assert host.sent == sent and host.received == wired
    assert regs.TxCounter.DROP_DMA.name in await host.tx_counters()
    await finish(host)


@cocotb.test()
async def a_dma_write_past_a_buffer_that_the_mapping_allows_is_found_by_the_special_pool(dut):
    """verify=full: a mutant driver maps and posts its buffers from their second byte on; V14 sees the frame changed."""
    right = Receiver.allocate

    def post_a_byte_too_far(receiver):
        right(receiver)
        for buffer in receiver._buffers:
            buffer.address += 1
            buffer.descriptor = RX_DESCRIPTOR_STRUCT.pack(buffer.address, 0)

    Receiver.allocate = post_a_byte_too_far
    try:
        host = await one(dut, verify="full", rx_buffer_bytes=256, rx_buffers=64, rx_ring=16, tx_ring=16)
    finally:
        Receiver.allocate = right
    with expect_violation(host.stack.host, "V14"):
        host.inject(frame(1, 255))
        await host.run()
        host.stack.special_pool.check()
        host.inject(frame(2, 256))
        await host.run()
    try:
        host.stack.special_pool.check()
    except PoolCorruption as found:
        assert "written behind" in str(found) and "256 bytes" in str(found)
    else:
        raise AssertionError("nobody has noticed")
    host.harness.stop()


@cocotb.test()
async def all_memory_of_a_clean_run_lies_between_guards_that_stay_whole(dut):
    """verify=full: rings, buffers and frames; weak ordering, small rings, a reset and a halt."""
    host = await one(
        dut, verify="full", timing=HARD, seed=3, rx_buffer_bytes=256, rx_ring=32, rx_buffers=64, tx_ring=16
    )
    for _ in range(3):
        await host.both([frame(n, 60 + 97 * n) for n in range(15)], fragments=3)
        await ndis.reset_adapter(host.stack.adapter)
        host.stack.special_pool.check()
    await finish(host)

# SPDX-License-Identifier: Apache-2.0
"""Drivers of either NDIS version over the Verilog NIC: the frames on the wire are those of the packets, byte for byte.

Each test's `finish` also shows that nothing is left anywhere: no packet, no list, no mapping, no burst (XL-22).
"""

import os
import random
import struct

import cocotb
from stack_bench import BROADCAST, HARD, OWN, PEER, finish, frame, padded
from xlate_bench import CORNERS, corner

from hilnic import ndis
from hilnic.ndis import NdisStatus, Oid
from hilnic.ndis.ndis5 import PacketFlags, set_packet_cancel_id
from hilnic.testing.expect import expect_violation

FAST = os.environ.get("HILNIC_SIM") == "verilator"
ROUNDS = 60 if FAST else 12
LENGTHS = [14, 15, 31, 59, 60, 61, 64, 127, 128, 255, 257, 511, 1023, 1513, 1514]


def out(number: int, length: int = 60) -> bytes:
    """A frame to the peer that says which one it is."""
    return frame(number, length, PEER, OWN)


# --- both directions, all corners -------------------------------------------------------------------------------------


@cocotb.test()
@cocotb.parametrize(which=CORNERS)
async def frames_of_every_length_go_out_and_come_in_byte_for_byte(dut, which):
    """XL-02, XL-03, XL-09, XL-10, XL-11, XL-15, XL-19, XL-21: one completion each; no copy on the direct ways."""
    host = await corner(dut, *which)
    frames = [out(n, length) for n, length in enumerate(LENGTHS)]
    incoming = [frame(n, length) for n, length in enumerate(LENGTHS)]
    host.inject(*incoming)
    host.up.go(*frames)
    await host.settled(len(frames))
    await host.until(lambda: len(host.up.received) == len(incoming), what="all frames received")
    assert host.sent == [padded(data) for data in frames]
    assert host.up.received == [padded(data) for data in incoming]
    # a lookahead becomes a whole frame of NDIS's own for a 6.x protocol; nothing else is copied
    copied = sum(len(padded(data)) for data in incoming) if which == ("6", "5 lookahead") else 0
    assert (host.copies, host.up.live) == (copied, 0)
    await finish(host)


@cocotb.test()
@cocotb.parametrize(which=CORNERS)
async def buffers_of_any_length_and_alignment_are_one_frame(dut, which):
    """XL-02, XL-04, XL-06, XL-15, RG-15: lists of several frames with head and tail room, over a bus out of order."""
    host, draw = await corner(dut, *which, timing=HARD, seed=5), random.Random(5)
    frames = [out(n, draw.randrange(14, 700)) for n in range(ROUNDS)]
    for first in range(0, len(frames), 6):
        host.up.go(*frames[first : first + 6], draw=draw)
        await host.run(draw.randrange(4_000))
    await host.settled(len(frames))
    await host.until(lambda: len(host.sent) == len(frames))
    assert host.sent == [padded(data) for data in frames]
    assert host.copies == 0
    await finish(host)


@cocotb.test()
@cocotb.parametrize(which=[each for each in CORNERS if "5 lookahead" not in each])  # there nothing is kept or scarce
async def what_is_kept_stays_intact_while_the_ring_goes_round(dut, which):
    """XL-10, R5-01, R6-06: held at random; short of buffers frames come as RESOURCES, and all of them arrive."""
    host, draw = await corner(dut, *which, rx_ring=16, rx_buffers=32, rx_low_water=8), random.Random(7)
    frames = [frame(n, draw.randrange(60, 400)) for n in range(ROUNDS * 3)]
    for first in range(0, len(frames), 30):
        host.up.keep(first % 60 == 0)
        host.inject(*frames[first : first + 30])
        await host.until(lambda: host.card.link.backlog == 0)
        await host.run(15_000)
        for each in draw.sample(host.up.kept, len(host.up.kept)):
            assert any(each_bytes(each) == data for data in frames[first : first + 30])
            host.up.give_back(each)
    await host.until(lambda: len(host.up.received) == len(frames))
    assert host.up.received == frames
    assert 0 < host.up.scarce < len(frames)
    assert (host.stack.adapter.receives_outstanding, host.up.live) == (0, 0)
    await finish(host)


def each_bytes(held) -> bytes:
    """The frame of a packet or of a list."""
    return held.tobytes() if hasattr(held, "tobytes") else held.first_net_buffer.tobytes()


@cocotb.test()
@cocotb.parametrize(which=CORNERS)
async def traffic_in_both_directions_over_pauses_is_whole(dut, which):
    """XL-13, XL-22, ST-23: what was accepted is on the wire once; what a pause refuses says so, and nothing is lost."""
    host, draw = await corner(dut, *which), random.Random(11)
    accepted = 0
    for number in range(ROUNDS):
        host.up.go(*[out(3 * number + n, draw.randrange(60, 300)) for n in range(3)], draw=draw)
        host.inject(frame(number))
        await host.run(draw.randrange(3_000))
        if number % 6 == 5:
            await ndis.pause_adapter(host.stack.adapter)
            host.up.go(out(1_000_000 + number))
            await ndis.restart_adapter(host.stack.adapter)
            accepted += 1
    await host.until(lambda: host.up.ended == 3 * ROUNDS + accepted)
    refused = [status for status in host.up.results if status != NdisStatus.SUCCESS]
    well = len(host.up.results) - len(refused)
    await host.until(lambda: len(host.sent) == well)
    assert len(refused) >= accepted
    assert set(refused) <= {NdisStatus.FAILURE, NdisStatus.PAUSED, NdisStatus.REQUEST_ABORTED, NdisStatus.SEND_ABORTED}
    assert host.up.live == 0
    await finish(host)


# --- what differs between the versions --------------------------------------------------------------------------------


@cocotb.test()
@cocotb.parametrize(asked=[True, False])
async def a_5_protocol_hears_itself_unless_it_says_no(dut, asked):
    """XL-07, LB-12: a mixed array goes down in order; what asks for it comes back once, marked, and is on the wire."""
    host = await corner(dut, "5 packet")
    frames = [frame(n, 60, OWN, OWN) for n in range(6)]
    packets = [host.up.build(data) for data in frames]
    wanted = []
    for number, packet in enumerate(packets):
        if asked and number % 3 == 0:
            wanted.append(frames[number])
        else:
            packet.flags = int(PacketFlags.DONT_LOOPBACK)
    ndis.ndis5.send_packets(host.up.open, packets)
    await host.settled(6)
    await host.until(lambda: len(host.sent) == 6)
    await host.run(10_000)
    assert host.sent == frames
    assert host.up.received == wanted
    await finish(host)


@cocotb.test()
async def a_packet_for_loopback_only_never_reaches_the_wire(dut):
    """LB-10, XL-07."""
    host = await corner(dut, "5 packet")
    host.up.go(frame(1, 60, OWN, OWN), flags=int(PacketFlags.LOOPBACK_ONLY))
    host.up.go(out(2))
    await host.settled(2)
    await host.until(lambda: host.up.received == [frame(1, 60, OWN, OWN)])
    assert host.sent == [out(2)]
    await finish(host)


@cocotb.test()
async def a_frame_that_is_too_long_is_an_invalid_packet(dut):
    """XL-13, S5-11: the wire is silent."""
    host = await corner(dut, "5 packet")
    host.up.go(out(1), out(2, 1600), out(3))
    await host.until(lambda: host.up.ended == 3)
    assert sorted(host.up.results) == [NdisStatus.SUCCESS, NdisStatus.SUCCESS, NdisStatus.INVALID_PACKET]
    await host.until(lambda: len(host.sent) == 2)
    assert host.sent == [out(1), out(3)]
    await finish(host)


@cocotb.test()
async def a_list_with_one_frame_that_is_too_long_fails_as_a_whole_when_all_its_packets_have_ended(dut):
    """XL-04, XL-05, XL-13: its other frames are on the wire; the lists around it end well."""
    host = await corner(dut, "6", "5")
    good, bad, last = (host.up.build(*each) for each in ([out(1)], [out(2), out(3, 1600), out(4)], [out(5), out(6)]))
    host.up.send_nbls([good, bad, last])
    await host.until(lambda: len(host.up.completed) == 3)
    assert dict(host.up.completed) == {
        good: NdisStatus.SUCCESS, bad: NdisStatus.INVALID_LENGTH, last: NdisStatus.SUCCESS
    }  # fmt: skip
    await host.until(lambda: len(host.sent) == 5)
    assert host.sent == [out(1), out(2), out(4), out(5), out(6)]
    await finish(host)


@cocotb.test()
async def a_cancelled_packet_is_aborted_or_on_the_wire(dut):
    """CN-09, XL-12, XL-13: the wire has exactly the frames that ended well."""
    host = await corner(dut, "5 packet", tx_ring=8)
    packets = [host.up.laid_out(out(n, 600), random.Random(n)) for n in range(40)]
    for number, packet in enumerate(packets):
        set_packet_cancel_id(packet, "AB"[number % 2])
    ndis.ndis5.send_packets(host.up.open, packets)
    await host.run(3_000)
    ndis.ndis5.cancel_send_packets(host.up.open, "A")
    await host.until(lambda: host.up.ended == 40)
    ended = dict(host.up.completed)
    assert {ended[packet] for packet in packets[1::2]} == {NdisStatus.SUCCESS}
    assert NdisStatus.REQUEST_ABORTED in {ended[packet] for packet in packets[::2]}
    well = [packet.tobytes() for packet in packets if ended[packet] == NdisStatus.SUCCESS]
    await host.until(lambda: len(host.sent) == len(well))
    assert host.sent == well
    await finish(host)


@cocotb.test()
async def a_5_protocol_hears_of_the_cable_in_its_own_words(dut):
    """XL-14: disconnect; connect and speed."""
    host = await corner(dut, "5 packet")
    for up in (0, 1):
        host.card.settings.link_up = up
        await host.run(20_000)
    codes = [code for code, _ in host.up.statuses]
    assert codes == [NdisStatus.MEDIA_DISCONNECT, NdisStatus.MEDIA_CONNECT, NdisStatus.LINK_SPEED_CHANGE]
    assert host.up.statuses[-1][1] == struct.pack("<I", 10_000_000)
    assert host.up.status_completes == 3
    await finish(host)


@cocotb.test()
async def a_5_protocol_reads_the_counters_of_the_nic(dut):
    """XL-20, OI-06: 4 and 8 bytes, its words for what is wrong; the counters are those of the wire."""
    host = await corner(dut, "5 packet")
    host.up.go(*[out(n) for n in range(5)])
    host.inject(*[frame(n) for n in range(7)])
    await host.settled(5)
    await host.until(lambda: len(host.up.received) == 7 and len(host.sent) == 5)
    assert await host.up.query(Oid.OID_GEN_XMIT_OK, 4) == (NdisStatus.SUCCESS, struct.pack("<I", 5))
    assert await host.up.query(Oid.OID_GEN_RCV_OK, 8) == (NdisStatus.SUCCESS, struct.pack("<Q", 7))
    assert (await host.up.query(Oid.OID_GEN_RCV_OK, 3))[0] is NdisStatus.INVALID_LENGTH
    assert (await host.up.query(Oid.OID_PNP_QUERY_POWER ^ 0x00770000, 4))[0] is NdisStatus.INVALID_OID
    await finish(host)


@cocotb.test()
async def the_kth_allocation_fails_in_traffic_and_no_frame_is_lost_unnoticed(dut):
    """XL-08: RESOURCES for exactly the packets that had no memory; received frames without are counted."""
    host, draw = await corner(dut, "5 packet"), random.Random(13)
    translation = host.up.open.xlate
    translation.lists.fault = lambda: draw.randrange(4) == 0
    frames = [out(n) for n in range(ROUNDS)]
    packets = host.up.go(*frames)
    await host.until(lambda: host.up.ended == ROUNDS)
    ended = dict(host.up.completed)
    well = [data for packet, data in zip(packets, frames, strict=True) if ended[packet] == NdisStatus.SUCCESS]
    assert set(ended.values()) == {NdisStatus.SUCCESS, NdisStatus.RESOURCES}
    await host.until(lambda: len(host.sent) == len(well))
    assert host.sent == well
    translation.packets.fault = lambda: draw.randrange(4) == 0
    host.inject(*[frame(n) for n in range(ROUNDS)])
    await host.until(lambda: len(host.up.received) + translation.dropped == ROUNDS)
    assert 0 < translation.dropped < ROUNDS
    assert host.stack.adapter.receives_outstanding == 0
    await finish(host)


# --- several protocols ------------------------------------------------------------------------------------------------


@cocotb.test()
async def protocols_of_both_versions_share_what_is_for_all(dut):
    """XL-10, R6-08, R5-04: three receivers, each holds for a while; the buffer is the NIC's after the last of them."""
    host = await corner(dut, ["5 packet", "6", "5 lookahead"], rx_ring=16, rx_buffers=64, rx_low_water=4)
    frames = [frame(n, 100, BROADCAST) for n in range(ROUNDS)]
    for up in host.ups:
        up.keep()
    for first in range(0, len(frames), 10):
        host.inject(*frames[first : first + 10])
        await host.until(lambda: host.card.link.backlog == 0)
        await host.run(10_000)
        here = len(frames[first : first + 10])
        assert [len(up.kept) for up in host.ups] == [here, here, 0]
        for up in (host.ups[first // 10 % 2], host.ups[1 - first // 10 % 2]):
            assert host.stack.adapter.receives_outstanding > 0
            while up.kept:
                up.give_back(up.kept[0])
    await host.until(lambda: all(len(up.received) == len(frames) for up in host.ups))
    assert [up.received for up in host.ups] == [frames] * 3
    assert host.stack.adapter.receives_outstanding == 0
    await finish(host)


@cocotb.test()
async def unbinding_and_binding_in_traffic_leaves_nothing_translated(dut):
    """XL-22, C5-15: a 5.x protocol comes and goes while a 6.x one sends on."""
    host = await corner(dut, ["6", "5 packet"])
    five = host.ups[1]
    for number in range(ROUNDS // 4):
        host.up.go(*[out(n) for n in range(3)])
        five.go(out(number), flags=int(PacketFlags.DONT_LOOPBACK))
        host.inject(frame(number, 60, BROADCAST))
        await host.run(2_000)
        binding = five.open
        await ndis.unbind_protocol(binding.core)
        assert (binding.xlate.live(), five.binding) == (0, None)
        assert len(five.completed) == number + 1
        await ndis.bind_protocol(five.driver, host.stack.adapter)
        await five.listen()
    await host.settled(3 * (ROUNDS // 4))
    await finish(host)


# --- the verifier -----------------------------------------------------------------------------------------------------


@cocotb.test()
async def an_ndis_5_call_of_the_nic_s_miniport_is_refused(dut):
    """XL-16: the adapter is of NDIS 6; traffic goes on afterwards."""
    host = await corner(dut, "5 packet")
    with expect_violation(host.stack.host, "XL-16"):
        ndis.ndis5.indicate_receive_packet(host.stack.adapter, [])
    host.up.go(out(1))
    await host.settled(1)
    await finish(host)


@cocotb.test()
@cocotb.parametrize(which=CORNERS)
async def full_verification_is_silent_over_real_traffic(dut, which):
    """XL-01, XL-12, XL-15: every handler gets its own version's structures, both sides say the same."""
    host, draw = await corner(dut, *which, verify="full"), random.Random(17)
    frames = [out(n, draw.randrange(60, 300)) for n in range(10)]
    host.up.go(*frames, draw=draw)
    host.inject(*[frame(n, draw.randrange(60, 300)) for n in range(10)])
    await host.settled(10)
    await host.until(lambda: len(host.up.received) == 10 and len(host.sent) == 10)
    assert host.sent == frames
    assert host.stack.host.report.violations == []
    await finish(host)

# SPDX-License-Identifier: Apache-2.0
"""A 5.x protocol sends over a 6.x miniport."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilnic import ndis
from hilnic.ndis import MacOptions, NblInfo, NdisStatus, SendFlags, ndis5
from hilnic.ndis.ndis5 import PacketFlags, PacketInfo, ProtocolOptions
from hilnic.ndis.ndis5.packet import Packet
from hilnic.testing import NdisBench, expect_violation


def build(b, *frames: bytes, cuts=(), flags: int = 0) -> list[Packet]:
    packets = [b.fp.build(frame, cuts) for frame in frames]
    for packet in packets:
        packet.flags = flags
    return packets


def statuses(b) -> list[int]:
    return [status for _, status in b.fp.completed]


@pytest.mark.rule("XL-02")
def test_a_packet_is_a_list_of_one_frame_on_the_same_buffers(five_over_six, verify):
    b = five_over_six(verify=verify)
    (packet,) = build(b, b.frame(size=100), cuts=(14, 20))
    b.fp.send_packets(packet)
    (nbl,) = b.fm.captured
    nb = nbl.first_net_buffer
    assert nb.next is None
    assert list(ndis.walk_mdls(nb.mdl_chain)) == list(packet.buffers())
    assert (nb.data_offset, nb.data_length, nb.current_mdl_offset) == (0, 100, 0)
    assert b.fm.sent_frames == [packet.tobytes()]
    b.fm.complete_all()


@pytest.mark.rule("XL-02", "S5-16")
@pytest.mark.mutant("S5-16")
def test_the_length_is_that_of_the_buffers_however_stale_the_counts_are(five_over_six):
    b = five_over_six()
    (packet,) = build(b, b.frame(size=100))
    packet.total_length, packet.valid_counts = 9, True
    with expect_violation(b.ndis, "S5-16"):
        b.fp.send_packets(packet)
    assert b.fm.captured[0].first_net_buffer.data_length == 100
    b.fm.complete_all()


@pytest.mark.rule("XL-03", "XL-13")
@pytest.mark.parametrize(
    ("six", "five"),
    [
        (NdisStatus.SUCCESS, NdisStatus.SUCCESS),
        (NdisStatus.SEND_ABORTED, NdisStatus.REQUEST_ABORTED),
        (NdisStatus.INVALID_LENGTH, NdisStatus.INVALID_PACKET),
        (NdisStatus.RESOURCES, NdisStatus.RESOURCES),
        (NdisStatus.FAILURE, NdisStatus.FAILURE),
    ],
)
def test_the_completed_list_is_the_packet_again_with_a_status_of_ndis_5(five_over_six, six, five):
    b = five_over_six()
    (packet,) = build(b, b.frame())
    b.fp.send_packets(packet)
    b.fm.complete_all(status=six)
    assert b.fp.completed == [(packet, five)]
    assert b.fp.xlate.live() == 0


@pytest.mark.rule("XL-03")
@pytest.mark.parametrize("mode", ["off", "fast"])
def test_ten_thousand_packets_leave_nothing_behind(five_over_six, mode):
    b = five_over_six(verify=mode, completion="inline")
    packets = build(b, *b.frames(20), flags=PacketFlags.DONT_LOOPBACK)
    for _ in range(500):
        b.fp.send_packets(*packets)
    assert len(b.fp.completed) == 10_000
    assert b.fp.xlate.live() == 0
    assert b.fp.xlate.translated == 10_000


@pytest.mark.rule("XL-19")
def test_lists_completed_in_one_call_are_as_many_callbacks(five_over_six, completion):
    b = five_over_six(completion=completion)
    packets = build(b, *b.frames(6))
    b.fp.send_packets(*packets)
    b.run()
    assert [packet for packet, _ in b.fp.completed] == packets


@pytest.mark.rule("XL-19")
def test_completions_in_any_order_find_their_packets(five_over_six):
    b = five_over_six()
    one, two, three = build(b, *b.frames(3))
    b.fp.send_packets(one, two, three)
    first, second, third = b.fm.captured
    b.fm.complete(third, first)
    b.fm.complete(second, status=NdisStatus.FAILURE)
    assert b.fp.completed == [(three, 0), (one, 0), (two, NdisStatus.FAILURE)]


@pytest.mark.rule("XL-07")
@pytest.mark.parametrize(
    ("packet_flags", "options", "asked"),
    [
        (0, 0, True),
        (PacketFlags.DONT_LOOPBACK, 0, False),
        (0, ProtocolOptions.NO_LOOPBACK, False),
        (PacketFlags.DONT_LOOPBACK, ProtocolOptions.NO_LOOPBACK, False),
    ],
)
def test_a_packet_asks_for_loopback_unless_it_says_otherwise(five_over_six, packet_flags, options, asked):
    b = five_over_six()
    b.fp.binding.protocol_options = options
    b.fp.send_packets(*build(b, b.frame(), flags=packet_flags))
    ((flags, _),) = b.fm.calls
    assert bool(flags & SendFlags.CHECK_FOR_LOOPBACK) == asked
    b.fm.complete_all()


@pytest.mark.rule("XL-07")
def test_an_array_of_mixed_wishes_goes_down_in_runs_and_in_order(five_over_six):
    b = five_over_six()
    packets = build(b, *b.frames(6))
    for packet, never in zip(packets, [0, 0, 1, 0, 1, 1], strict=True):
        packet.flags = PacketFlags.DONT_LOOPBACK * never
    b.fp.send_packets(*packets)
    loops = [bool(flags & SendFlags.CHECK_FOR_LOOPBACK) for flags, _ in b.fm.calls]
    assert (loops, [number for _, number in b.fm.calls]) == ([True, False, True, False], [2, 1, 1, 2])
    assert b.fm.sent_frames == [packet.tobytes() for packet in packets]
    b.fm.complete_all()


@pytest.mark.rule("XL-07")
def test_the_dispatch_flag_is_set_where_it_is_true(five_over_six):
    b = five_over_six()
    one, two = build(b, *b.frames(2))
    b.fp.send_packets(one)
    b.kernel.queue_dpc(lambda: b.fp.send_packets(two))
    b.run()
    assert [flags & SendFlags.DISPATCH_LEVEL for flags, _ in b.fm.calls] == [0, SendFlags.DISPATCH_LEVEL]
    b.fm.complete_all()


@pytest.mark.rule("LB-09", "LB-10")
@pytest.mark.parametrize("nic_loops", [False, True])
def test_a_packet_for_loopback_only_comes_back_and_never_goes_out(five_over_six, nic_loops):
    b = five_over_six(completion="inline")
    if nic_loops:
        attributes = b.fm.adapter.attributes
        b.fm.adapter.attributes = replace(attributes, mac_options=attributes.mac_options & ~MacOptions.NO_LOOPBACK)
    before, only, after = build(b, *b.frames(3))
    only.flags = int(PacketFlags.LOOPBACK_ONLY)
    b.fp.send_packets(before, only, after)
    b.run()
    assert b.fm.sent_frames == [before.tobytes(), after.tobytes()]
    assert b.fp.received.count(only.tobytes()) == 1
    assert dict(b.fp.completed) == dict.fromkeys((before, only, after), 0)
    assert b.fp.xlate.live() == 0


@pytest.mark.rule("XL-08")
@pytest.mark.parametrize("kth", range(7))
def test_a_packet_without_memory_completes_with_resources_and_the_others_go_out(five_over_six, kth):
    b = five_over_six(completion="inline")
    asked = iter(range(100))
    b.fp.xlate.lists.fault = lambda: next(asked) == kth
    packets = build(b, *b.frames(6))
    b.fp.send_packets(*packets)
    expected = dict.fromkeys(packets, NdisStatus.SUCCESS)
    if kth < 6:
        expected[packets[kth]] = NdisStatus.RESOURCES
    assert dict(b.fp.completed) == expected
    assert len(b.fp.completed) == 6
    assert b.fm.sent_frames == [packet.tobytes() for number, packet in enumerate(packets) if number != kth]


@pytest.mark.rule("XL-12")
def test_the_information_of_a_packet_is_that_of_its_list(five_over_six, verify):
    b = five_over_six(verify=verify)
    (packet,) = build(b, b.frame(), flags=2)
    packet.packet_info[PacketInfo.IEEE_8021Q] = 5 | 100 << 4
    ndis5.set_packet_cancel_id(packet, "stop")
    b.fp.send_packets(packet)
    info = b.fm.captured[0].net_buffer_list_info
    assert (info[NblInfo.IEEE_8021Q], info[NblInfo.CANCEL_ID]) == (5 | 100 << 4, "stop")
    b.fm.complete_all()


@pytest.mark.rule("XL-12")
def test_a_list_that_is_used_again_has_no_stale_information(five_over_six):
    b = five_over_six(verify="off", completion="inline")
    tagged, plain = build(b, *b.frames(2))
    tagged.packet_info[PacketInfo.IEEE_8021Q] = 7
    b.fp.send_packets(tagged)
    b.fm.completion = "hold"
    b.fp.send_packets(plain)
    assert b.fm.captured[0].net_buffer_list_info == [None] * 16
    b.fm.complete_all()


@pytest.mark.rule("XL-13")
def test_a_paused_adapter_fails_the_packets_in_words_of_ndis_5(five_over_six):
    b = five_over_six()
    b.run(ndis.pause_adapter(b.fm.adapter))
    b.fp.send_packets(*build(b, *b.frames(2)))
    assert statuses(b) == [NdisStatus.FAILURE] * 2
    assert b.fp.xlate.translated == 0


@pytest.mark.rule("XL-13")
def test_a_removed_adapter_says_so(five_over_six):
    b = five_over_six()
    b.fm.adapter.removed = True
    b.fm.adapter.update_bindings()
    b.fp.send_packets(*build(b, b.frame()))
    assert statuses(b) == [NdisStatus.NOT_ACCEPTED]


def test_a_protocol_may_send_again_from_its_completion(five_over_six):
    b = five_over_six(completion="inline")
    (packet,) = build(b, b.frame())
    b.fp.again = 49
    b.fp.send_packets(packet)
    assert len(b.fp.completed) == 50


layouts = st.lists(st.integers(0, 400), max_size=12)


@pytest.mark.rule("XL-15", "XL-21")
@settings(max_examples=25, deadline=None)
@given(length=st.integers(14, 9018), cuts=layouts, filler=st.integers(0, 255))
def test_the_bytes_of_every_layout_arrive_and_none_is_copied(drivers, length, cuts, filler):
    b = NdisBench(protocol=drivers.Protocol5, miniport=drivers.Jumbo, completion="inline")
    whole = bytes([filler]) * 6 + bytes(n & 0xFF for n in range(length - 6))
    cuts = [14, *cuts]  # the media header lies in one buffer (S5-15)
    fitting = [cut for n, cut in enumerate(cuts) if sum(cuts[: n + 1]) <= length]
    b.fp.send_packets(b.fp.build(whole, fitting))
    assert b.fm.sent_frames == [whole]
    assert statuses(b) == [0]
    assert b.ndis.xlate_copies == 0
    b.stop()


@pytest.mark.rule("XL-12")
def test_the_result_of_a_large_send_reaches_the_5_sender(five_over_six):
    b = five_over_six()
    (packet,) = build(b, b.frame())
    packet.packet_info[PacketInfo.TCP_LARGE_SEND] = 1460
    b.fp.send_packets(packet)
    (nbl,) = b.fm.captured
    nbl.net_buffer_list_info[NblInfo.TCP_LARGE_SEND] = 64000
    b.fm.complete_all()
    assert packet.packet_info[PacketInfo.TCP_LARGE_SEND] == 64000


@pytest.mark.rule("XL-22")
def test_an_unbound_protocol_leaves_no_pool_behind(five_over_six):
    b = five_over_six()
    pools = {b.fp.xlate.packets, b.fp.xlate.lists}
    assert pools <= set(b.ndis.pools)
    b.run(ndis.unbind_protocol(b.fp.binding.core))
    assert not pools & set(b.ndis.pools)


@pytest.mark.rule("XL-12", "OF-09")
@pytest.mark.parametrize(("status", "left"), [(NdisStatus.SUCCESS, 1460 | 34 << 20), (NdisStatus.SEND_ABORTED, 1460)])
def test_only_a_large_send_that_went_well_tells_how_much_went_out(five_over_six, status, left):
    b = five_over_six()
    packet = b.fp.build(bytes(12) + b"\x08\x00\x45" + bytes(1000))
    packet.packet_info[PacketInfo.TCP_LARGE_SEND] = 1460
    b.fp.send_packets(packet)
    b.fm.complete_all(status)  # a miniport that writes no result: the word is what went down
    assert packet.packet_info[PacketInfo.TCP_LARGE_SEND] == left

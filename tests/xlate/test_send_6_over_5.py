# SPDX-License-Identifier: Apache-2.0
"""A 6.x protocol sends over a 5.x miniport."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilnic import ndis
from hilnic.ndis import NblInfo, NdisStatus, SendFlags
from hilnic.ndis.ndis5 import PacketFlags, PacketInfo
from hilnic.testing import NdisBench


def frames_of(b, count: int) -> list[bytes]:
    return b.frames(count)


@pytest.mark.rule("XL-04")
def test_each_frame_of_a_list_is_a_packet_and_the_list_completes_with_the_last(six_over_five, verify):
    b = six_over_five(verify=verify)
    frames = b.frames(3)
    nbl = b.fp.build(*frames)
    b.fp.send_nbls([nbl])
    one, two, three = b.fm.captured
    assert b.fm.sent_frames == frames
    b.fm.complete(three)
    b.fm.complete(one)
    assert b.fp.completed == []
    b.fm.complete(two)
    assert b.fp.completed == [(nbl, NdisStatus.SUCCESS)]
    assert b.fm.xlate.live() == 0


@pytest.mark.rule("XL-04")
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_packets_may_complete_in_any_order(six_over_five, order):
    b = six_over_five()
    nbl = b.fp.build(*b.frames(3))
    b.fp.send_nbls([nbl])
    packets = list(b.fm.captured)
    for number in order:
        assert b.fp.completed == []
        b.fm.complete(packets[number])
    assert b.fp.completed == [(nbl, 0)]


@pytest.mark.rule("XL-05", "XL-13")
@pytest.mark.parametrize(
    ("ended", "combined"),
    [
        ([NdisStatus.SUCCESS, NdisStatus.SUCCESS, NdisStatus.SUCCESS], NdisStatus.SUCCESS),
        ([NdisStatus.SUCCESS, NdisStatus.INVALID_PACKET, NdisStatus.SUCCESS], NdisStatus.INVALID_LENGTH),
        ([NdisStatus.SUCCESS, NdisStatus.REQUEST_ABORTED, NdisStatus.FAILURE], NdisStatus.SEND_ABORTED),
        ([NdisStatus.RESOURCES, NdisStatus.FAILURE, NdisStatus.SUCCESS], NdisStatus.RESOURCES),
        ([NdisStatus.SUCCESS, NdisStatus.SUCCESS, NdisStatus.RESET_IN_PROGRESS], NdisStatus.RESET_IN_PROGRESS),
    ],
)
def test_the_list_has_the_status_of_the_first_packet_that_failed(six_over_five, ended, combined):
    b = six_over_five()
    b.fp.send_nbls([b.fp.build(*b.frames(3))])
    for packet, status in zip(list(b.fm.captured), ended, strict=True):
        b.fm.complete(packet, status=status)
    assert [status for _, status in b.fp.completed] == [combined]


@pytest.mark.rule("XL-04")
def test_a_chain_of_lists_is_one_array_of_packets_in_order(six_over_five, completion):
    b = six_over_five(completion=completion)
    nbls = [b.fp.build(*b.frames(count)) for count in (1, 3, 2)]
    b.fp.send_nbls(nbls)
    b.run()
    assert (len(b.fm.arrays), len(b.fm.sent_frames)) == (1, 6)
    assert b.fm.sent_frames == [frame for count in (1, 3, 2) for frame in b.frames(count)]
    assert b.fp.completed == [(nbl, 0) for nbl in nbls]


@pytest.mark.rule("XL-06", "XL-21")
@pytest.mark.parametrize("head", [1, 2, 13, 14, 15, 100, 200])
def test_head_room_is_passed_over_by_a_partial_descriptor(six_over_five, head, verify):
    b = six_over_five(verify=verify)
    frame = b.frame(size=120)
    (nbl,) = b.fp.send(frame, head=head)
    mdl = nbl.first_net_buffer.mdl_chain
    before = (mdl.region, mdl.byte_offset, mdl.byte_count, mdl.next)
    (packet,) = b.fm.captured
    assert packet.tobytes() == frame
    assert packet.head is not mdl
    assert packet.head.address == mdl.address + head
    assert (mdl.region, mdl.byte_offset, mdl.byte_count, mdl.next) == before
    assert b.ndis.xlate_copies == 0
    b.fm.complete(packet)


@pytest.mark.rule("XL-06")
def test_without_head_and_tail_room_the_packet_has_the_mdls_themselves(six_over_five):
    b = six_over_five()
    (nbl,) = b.fp.send(b.frame(size=120), cuts=(14, 40))
    (packet,) = b.fm.captured
    assert list(packet.buffers()) == list(ndis.walk_mdls(nbl.first_net_buffer.mdl_chain))
    assert (packet.length(), packet.buffer_count, packet.tail.next) == (120, 3, None)
    b.fm.complete(packet)


@pytest.mark.rule("XL-06")
def test_head_room_that_fills_whole_mdls_needs_no_partial_descriptor(six_over_five):
    b = six_over_five()
    (nbl,) = b.fp.send(b.frame(size=120), cuts=(8, 8), head=16)
    (packet,) = b.fm.captured
    assert packet.head is nbl.first_net_buffer.mdl_chain.next.next
    assert packet.tobytes() == b.frame(size=120)
    b.fm.complete(packet)


@pytest.mark.rule("XL-06")
@pytest.mark.parametrize("cuts", [(), (14,), (14, 0, 30), (60,), (14, 46, 60)])
@pytest.mark.parametrize(("head", "tail"), [(0, 1), (0, 50), (7, 50), (14, 200)])
def test_the_chain_of_a_packet_ends_where_the_frame_does(six_over_five, cuts, head, tail):
    b = six_over_five()
    frame = b.frame(size=60)
    nbl = b.fp.build(frame, cuts=[cut for n, cut in enumerate(cuts) if sum(cuts[: n + 1]) <= 60], head=head, tail=tail)
    b.fp.send_nbls([nbl])
    (packet,) = b.fm.captured
    assert packet.tobytes() == frame
    assert packet.length() == 60
    b.fm.complete(packet)


@pytest.mark.rule("XL-07")
@pytest.mark.parametrize(
    ("flags", "silent"),
    [(0, True), (SendFlags.CHECK_FOR_LOOPBACK, False)],
)
def test_a_packet_says_dont_loop_back_unless_it_was_asked_for(six_over_five, flags, silent):
    b = six_over_five()
    b.fp.send(b.frame(), b.frame(), flags=flags)
    assert [bool(packet.flags & PacketFlags.DONT_LOOPBACK) for packet in b.fm.captured] == [silent] * 2
    b.fm.complete(*list(b.fm.captured))


@pytest.mark.rule("XL-08")
@pytest.mark.parametrize("kth", range(7))
def test_a_list_without_memory_for_all_its_packets_is_not_begun(six_over_five, kth):
    b = six_over_five(completion="inline")
    asked = iter(range(100))
    b.fm.xlate.packets.fault = lambda: next(asked) == kth
    nbls = [b.fp.build(*b.frames(count)) for count in (1, 3, 2)]
    b.fp.send_nbls(nbls)
    # the k-th allocation belongs to this list, where the ones that failed before took fewer
    failing = [0, 1, 1, 1, 2, 2][kth] if kth < 6 else None
    assert dict(b.fp.completed) == {
        nbl: NdisStatus.RESOURCES if number == failing else NdisStatus.SUCCESS for number, nbl in enumerate(nbls)
    }
    assert len(b.fp.completed) == 3
    went_out = [frame for number, count in enumerate((1, 3, 2)) if number != failing for frame in b.frames(count)]
    assert b.fm.sent_frames == went_out
    assert b.fm.xlate.live() == 0


@pytest.mark.rule("XL-12")
def test_every_packet_has_the_information_of_its_list(six_over_five, verify):
    b = six_over_five(verify=verify)
    nbl = b.fp.build(*b.frames(2))
    nbl.net_buffer_list_info[NblInfo.IEEE_8021Q] = 3 | 7 << 4
    nbl.net_buffer_list_info[NblInfo.CANCEL_ID] = "stop"
    b.fp.send_nbls([nbl])
    for packet in b.fm.captured:
        assert packet.packet_info[PacketInfo.IEEE_8021Q] == 3 | 7 << 4
        assert packet.packet_info[PacketInfo.CANCEL_ID] == "stop"
    b.fm.complete(*list(b.fm.captured))


@pytest.mark.rule("XL-12")
def test_a_large_send_of_version_2_is_refused_and_never_goes_out(six_over_five):
    b = six_over_five()
    nbl = b.fp.build(b.frame())
    nbl.net_buffer_list_info[NblInfo.TCP_LARGE_SEND] = 1460 | 1 << 31
    b.fp.send_nbls([nbl])
    assert b.fp.completed == [(nbl, NdisStatus.FAILURE)]
    assert b.fm.captured == []


@pytest.mark.rule("XL-12")
def test_the_result_of_a_large_send_reaches_the_sender(six_over_five):
    b = six_over_five()
    nbl = b.fp.build(b.frame())
    nbl.net_buffer_list_info[NblInfo.TCP_LARGE_SEND] = 1460 | 34 << 20
    b.fp.send_nbls([nbl])
    (packet,) = b.fm.captured
    assert packet.packet_info[PacketInfo.TCP_LARGE_SEND] == 1460
    packet.packet_info[PacketInfo.TCP_LARGE_SEND] = 20
    b.fm.complete(packet)
    assert nbl.net_buffer_list_info[NblInfo.TCP_LARGE_SEND] == 20


@pytest.mark.rule("XL-22")
def test_ten_thousand_frames_leave_nothing_behind(bench, drivers):
    b = bench(miniport=drivers.Miniport5, completion="inline")
    nbls = [b.fp.build(*b.frames(4)) for _ in range(5)]
    for _ in range(500):
        b.fp.send_nbls(nbls)
    assert len(b.fp.completed) == 2500
    assert (b.fm.xlate.translated, b.fm.xlate.live()) == (10_000, 0)
    b.fp.completed = [(nbl, 0) for nbl in nbls]


@pytest.mark.rule("XL-15", "XL-21")
@settings(max_examples=25)
@given(
    length=st.integers(14, 9018),
    head=st.integers(0, 200),
    tail=st.integers(0, 50),
    cuts=st.lists(st.integers(0, 400), max_size=12),
)
def test_the_bytes_of_every_layout_arrive_and_none_is_copied(drivers, length, head, tail, cuts):
    b = NdisBench(miniport=drivers.Miniport5, completion="inline")
    whole = bytes(n & 0xFF for n in range(length))
    total = head + length + tail
    fitting = [cut for n, cut in enumerate(cuts) if sum(cuts[: n + 1]) <= total]
    nbl = b.fp.build(whole, cuts=fitting, head=head, tail=tail)
    b.fp.send_nbls([nbl])
    assert b.fm.sent_frames == [whole]
    assert b.fp.completed == [(nbl, 0)]
    assert b.ndis.xlate_copies == 0
    b.stop()


@pytest.mark.rule("XL-07")
def test_a_packet_says_whether_it_was_sent_at_dispatch_level(six_over_five):
    b = six_over_five()
    b.fp.send(b.frame())
    b.kernel.queue_dpc(lambda: b.fp.send(b.frame(1), flags=SendFlags.DISPATCH_LEVEL))
    b.run()
    assert [bool(packet.flags & PacketFlags.SENT_AT_DPC) for packet in b.fm.captured] == [False, True]
    b.fm.complete_all()


@pytest.mark.rule("XL-06", "S5-15")
def test_the_first_buffer_of_a_packet_is_not_an_empty_one(six_over_five):
    b = six_over_five()
    (nbl,) = b.fp.send(b.frame(), cuts=(0, 0, 30))
    (packet,) = b.fm.captured
    assert packet.head is nbl.first_net_buffer.mdl_chain.next.next
    assert packet.head.byte_count == 30
    b.fm.complete_all()


@pytest.mark.rule("XL-12", "OF-09")
def test_a_large_send_that_failed_leaves_the_list_s_word_as_it_was(six_over_five):
    b = six_over_five()
    nbl = b.fp.build(bytes(12) + b"\x08\x00\x45" + bytes(1000))
    nbl.net_buffer_list_info[ndis.NblInfo.TCP_LARGE_SEND] = 1460 | 34 << 20
    b.fp.send_nbls([nbl])
    b.fm.complete_all(NdisStatus.FAILURE)
    assert b.fp.completed == [(nbl, NdisStatus.FAILURE)]
    assert nbl.net_buffer_list_info[ndis.NblInfo.TCP_LARGE_SEND] == 1460 | 34 << 20


@pytest.mark.rule("S6-21", "XL-04")
def test_a_list_without_a_frame_comes_back_too(six_over_five):
    b = six_over_five(verify="off")
    nbls = [b.fp.build(b.frame()) for _ in range(2)]
    nb, nbls[0].first_net_buffer = nbls[0].first_net_buffer, None
    b.fp.send_nbls(nbls)
    b.fm.complete_all()
    assert b.fp.completed == [(nbls[0], NdisStatus.FAILURE), (nbls[1], NdisStatus.SUCCESS)]
    nbls[0].first_net_buffer = nb

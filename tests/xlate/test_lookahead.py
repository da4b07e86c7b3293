# SPDX-License-Identifier: Apache-2.0
"""A 5.x protocol without ProtocolReceivePacket over a 6.x miniport: lookahead, transfer, ReceiveComplete (XL-11)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilnic.ndis import NdisStatus, ReceiveFlags, ndis5
from hilnic.testing import NdisBench, expect_violation
from hilnic.testing.packets import free_built_packet


@pytest.fixture
def looking(bench, drivers):
    """The bench; `b.fp` sees the first `looks` bytes and transfers the rest."""

    def make(looks: int = 64, **options) -> NdisBench:
        b = bench(protocol=drivers.LookaheadProtocol5, miniport=drivers.Jumbo, **options)
        b.fp.looks = looks
        return b

    return make


@pytest.mark.rule("XL-11", "R5-16", "R5-18", "R5-26")
@pytest.mark.parametrize("length", [14, 60, 100, 142, 143, 300, 1514])
@pytest.mark.parametrize("looks", [0, 64, 128, 1500])
def test_header_lookahead_and_transfer_make_the_frame(looking, looks, length):
    b = looking(looks)
    frame = b.frame(size=1514)[:length]
    b.fm.indicate(frame)
    assert b.fp.received == [frame]


@pytest.mark.rule("XL-11", "R5-13", "XL-21")
@pytest.mark.parametrize(
    ("cuts", "copied"), [((), 0), ((14,), 300), ((14, 60), 300), ((100,), 300), ((14, 0, 7, 200), 300), ((200,), 300)]
)
def test_a_frame_in_several_mdls_is_shown_in_one_piece_and_the_copy_counts(looking, cuts, copied):
    b = looking(looks=1500, verify="off")
    b.fm.indicate(b.frame(size=300), cuts=cuts)
    assert b.fp.received == [b.frame(size=300)]
    assert b.ndis.xlate_copies == copied


@pytest.mark.rule("XL-11", "XL-21")
def test_what_is_transferred_counts_as_copied(looking):
    b = looking(looks=100, verify="off")
    b.fm.indicate(b.frame(size=300))
    assert b.ndis.xlate_copies == 300 - 14 - 100


@pytest.mark.rule("XL-11", "R5-23")
def test_receive_complete_comes_at_the_end_of_the_list(looking):
    b = looking()
    order = []
    received, completed = b.fp.binding.receive_handler, b.fp.binding.receive_complete_handler

    def receive(*arguments):
        order.append("receive")
        return received(*arguments)

    def complete(*arguments):
        order.append("complete")
        return completed(*arguments)

    b.fp.binding.receive_handler, b.fp.binding.receive_complete_handler = receive, complete
    nbls = b.fm.indicate(*b.frames(3))
    assert order == ["receive"] * 3 + ["complete"]
    assert (b.fm.returned, b.fm.return_calls) == (nbls, 1)


@pytest.mark.rule("XL-11", "R5-07")
def test_scarce_frames_come_by_receive_too(looking):
    b = looking()
    b.fm.indicate(*b.frames(2), flags=ReceiveFlags.RESOURCES)
    assert b.fp.received == b.frames(2)
    assert b.fm.return_calls == 0


@pytest.mark.rule("XL-11", "R5-17")
def test_the_buffers_are_poisoned_afterwards(looking):
    b = looking()
    b.fm.indicate(b.frame(size=200))
    header, lookahead = b.fp.last
    assert bytes(header) == b"\xdd" * 14
    assert set(bytes(ndis5.copy_lookahead_data(lookahead))) == {0xDD}


@pytest.mark.rule("XL-11", "R5-19", "R5-20")
@pytest.mark.parametrize(
    ("offset", "number", "room", "expected"),
    [
        (0, 286, 286, (NdisStatus.SUCCESS, 286)),
        (285, 1, 10, (NdisStatus.SUCCESS, 1)),
        (286, 0, 10, (NdisStatus.SUCCESS, 0)),
        (0, 286, 50, (NdisStatus.SUCCESS, 50)),
        (1, 286, 286, (NdisStatus.FAILURE, 0)),
        (287, 0, 10, (NdisStatus.FAILURE, 0)),
    ],
)
def test_the_corners_of_a_transfer(looking, offset, number, room, expected):
    b = looking()
    answers = []

    def receive(protocol, receive_context, header, lookahead, packet_size):
        packet = protocol.build(bytes(room))
        answers.append(ndis5.transfer_data(protocol.binding, receive_context, offset, number, packet))
        protocol.received.append(packet.tobytes())
        free_built_packet(packet)
        return NdisStatus.SUCCESS

    b.fp.binding.receive_handler = receive
    b.fm.indicate(b.frame(size=300), cuts=(20, 100))
    assert answers == [expected]
    moved = expected[1]
    assert b.fp.received[0][:moved] == b.frame(size=300)[14 + offset : 14 + offset + moved]


@pytest.mark.rule("XL-11", "R5-22")
def test_a_transfer_is_for_the_current_indication_only(looking):
    b = looking()
    kept = []

    def receive(protocol, receive_context, header, lookahead, packet_size):
        kept.append(receive_context)
        return NdisStatus.NOT_ACCEPTED

    b.fp.binding.receive_handler = receive
    b.fm.indicate(b.frame())
    packet = b.fp.build(bytes(10))
    with expect_violation(b.ndis, "R5-22"):
        assert ndis5.transfer_data(b.fp.binding, kept[0], 0, 10, packet) == (NdisStatus.FAILURE, 0)
    free_built_packet(packet)


@pytest.mark.rule("XL-11", "OB-04")
def test_the_packet_behind_a_receive_has_the_list_s_information(looking):
    b = looking()
    tags = []

    def receive(protocol, receive_context, header, lookahead, packet_size):
        packet = ndis5.get_received_packet(protocol.binding, receive_context)
        tags.append(packet.packet_info[ndis5.PacketInfo.IEEE_8021Q])
        return NdisStatus.SUCCESS

    b.fp.binding.receive_handler = receive
    nbl = b.fm.build(b.frame())
    nbl.net_buffer_list_info[4] = 7 << 4 | 3
    b.fm.indicate_nbls([nbl])
    assert tags == [7 << 4 | 3]


@pytest.mark.rule("XL-11", "XL-15")
@settings(max_examples=25)
@given(
    length=st.integers(14, 9018),
    looks=st.sampled_from([0, 64, 128, 256, 1500]),
    head=st.integers(0, 100),
    cuts=st.lists(st.integers(0, 400), max_size=8),
    scarce=st.booleans(),
)
def test_every_layout_is_rebuilt_byte_for_byte(drivers, length, looks, head, cuts, scarce):
    b = NdisBench(protocol=drivers.LookaheadProtocol5, miniport=drivers.Jumbo)
    b.fp.looks = looks
    whole = b.fm.mac_address + bytes(n & 0xFF for n in range(length - 6))
    fitting = [cut for n, cut in enumerate(cuts) if sum(cuts[: n + 1]) <= head + length]
    b.fm.indicate(whole, cuts=fitting, head=head, flags=int(ReceiveFlags.RESOURCES) * scarce)
    assert b.fp.received == [whole]
    b.stop()

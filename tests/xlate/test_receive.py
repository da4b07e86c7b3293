# SPDX-License-Identifier: Apache-2.0
"""Frames that come up across the versions."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilnic import ndis
from hilnic.ndis import NblFlags, NblInfo, NdisStatus, ReceiveFlags, ndis5
from hilnic.ndis.ndis5 import PacketFlags, PacketInfo
from hilnic.testing import NdisBench
from hilnic.testing.im5 import FunctionalIntermediate5
from hilnic.testing.protocol5 import FunctionalProtocol5

RESOURCES = int(ReceiveFlags.RESOURCES)

# A 5.x miniport under 6.x protocols.


def packets_of(b, *frames: bytes, cuts=(), status: int = NdisStatus.SUCCESS):
    return [b.fm.build(frame, cuts, status) for frame in frames]


@pytest.mark.rule("XL-09")
def test_an_indicated_packet_is_a_list_of_one_frame_on_the_same_buffers(six_over_five, verify):
    b = six_over_five(verify=verify)
    b.fp.hold = True
    (packet,) = packets_of(b, b.frame(size=100), cuts=(14, 40))
    b.fm.indicate_packets([packet])
    (nbl,) = b.fp.held
    nb = nbl.first_net_buffer
    assert (nb.next, nb.data_offset, nb.data_length) == (None, 0, 100)
    assert list(ndis.walk_mdls(nb.mdl_chain)) == list(packet.buffers())
    assert b.fp.received == [b.frame(size=100)]
    assert b.fm.returned == []
    b.fp.give_back()
    assert b.fm.returned == [packet]
    assert b.fm.xlate.live() == 0


@pytest.mark.rule("XL-09")
@pytest.mark.parametrize("hold", [False, True])
def test_runs_with_and_without_resources_keep_their_order(six_over_five, hold):
    b = six_over_five()
    b.fp.hold = hold
    scarce = [0, 1, 1, 0, 1, 0, 0]
    packets = packets_of(b, *b.frames(7))
    for packet, is_scarce in zip(packets, scarce, strict=True):
        packet.oob.status = NdisStatus.RESOURCES if is_scarce else NdisStatus.SUCCESS
    b.fm.indicate_packets(packets)
    assert b.fp.received == b.frames(7)
    assert [bool(flags & RESOURCES) for flags in b.fp.receive_flags] == [False, True, False, True, False]
    assert len(b.fp.held) == (4 if hold else 0)
    if hold:
        b.fp.give_back()
    assert sorted(b.fm.returned, key=packets.index) == packets
    assert b.fm.xlate.live() == 0


@pytest.mark.rule("XL-09")
def test_a_packet_goes_back_once_when_the_last_of_several_protocols_has_returned_it(six_over_five):
    b = six_over_five(protocols=3)
    for fp in b.fps:
        fp.hold = True
    (packet,) = packets_of(b, b.frame(destination=b"\xff" * 6))
    b.fm.indicate_packets([packet])
    assert [fp.received for fp in b.fps] == [[packet.tobytes()]] * 3
    for fp in b.fps:
        assert b.fm.returned == []
        fp.give_back()
    assert b.fm.returned == [packet]


@pytest.mark.rule("XL-09")
def test_a_packet_that_nobody_wants_goes_back_at_once(six_over_five):
    b = six_over_five()
    (packet,) = packets_of(b, b.frame(destination=bytes.fromhex("02484e000077")))
    b.fm.indicate_packets([packet])
    assert b.fm.returned == [packet]
    assert b.fp.received == []


@pytest.mark.rule("XL-12")
def test_a_received_packet_s_information_is_that_of_its_list(six_over_five):
    b = six_over_five()
    b.fp.hold = True
    (packet,) = packets_of(b, b.frame())
    packet.flags = int(PacketFlags.IS_LOOPBACK_PACKET)
    packet.packet_info[PacketInfo.IEEE_8021Q] = 5
    packet.packet_info[PacketInfo.TCP_IP_CHECKSUM] = 0b101000
    b.fm.indicate_packets([packet])
    (nbl,) = b.fp.held
    info = nbl.net_buffer_list_info
    assert (info[NblInfo.IEEE_8021Q], info[NblInfo.TCP_IP_CHECKSUM]) == (5, 0b101000)
    assert info[NblInfo.FRAME_TYPE] == 0x88B5
    assert nbl.nbl_flags == NblFlags.IS_LOOPBACK_PACKET
    b.fp.give_back()


@pytest.mark.rule("XL-08")
@pytest.mark.parametrize("kth", range(4))
def test_a_packet_without_memory_is_not_seen_above_and_still_comes_back(six_over_five, kth):
    b = six_over_five()
    asked = iter(range(100))
    b.fm.xlate.lists.fault = lambda: next(asked) == kth
    packets = packets_of(b, *b.frames(4))
    b.fm.indicate_packets(packets)
    assert b.fp.received == [frame for number, frame in enumerate(b.frames(4)) if number != kth]
    assert sorted(b.fm.returned, key=packets.index) == packets
    assert b.fm.xlate.dropped == 1


# A 5.x protocol over a 6.x miniport.


@pytest.mark.rule("XL-10")
def test_a_received_list_is_a_packet_on_the_same_buffers(five_over_six, verify):
    b = five_over_six(verify=verify)
    b.fp.references = 1
    (nbl,) = b.fm.indicate(b.frame(size=100), cuts=(14, 40))
    (packet,) = b.fp.held
    assert list(packet.buffers()) == list(ndis.walk_mdls(nbl.first_net_buffer.mdl_chain))
    assert (packet.length(), packet.oob.header_size, packet.oob.status) == (100, 14, NdisStatus.SUCCESS)
    assert b.fm.returned == []
    b.fp.give_back(packet)
    assert b.fm.returned == [nbl]
    assert b.fp.xlate.live() == 0


@pytest.mark.rule("XL-10")
def test_what_the_protocol_does_not_keep_goes_back_in_one_call(five_over_six):
    b = five_over_six()
    nbls = b.fm.indicate(*b.frames(5))
    assert b.fp.received == b.frames(5)
    assert b.fm.returned == nbls
    assert (b.fm.return_calls, b.fp.receive_completes) == (1, 1)


@pytest.mark.rule("XL-10")
def test_resources_is_the_status_of_every_packet_and_nothing_is_kept(five_over_six):
    b = five_over_six()
    b.fp.references = 1
    nbls = b.fm.indicate(*b.frames(3), flags=ReceiveFlags.RESOURCES)
    assert b.fp.oob_statuses == [NdisStatus.RESOURCES] * 3
    assert (b.fm.returned, b.fm.return_calls) == (nbls, 0)
    assert b.fp.xlate.live() == 0


@pytest.mark.rule("XL-10")
def test_packets_are_returned_in_any_order(five_over_six):
    b = five_over_six()
    b.fp.references = 1
    one, two, three = b.fm.indicate(*b.frames(3))
    first, second, third = b.fp.held
    for packet in (third, first, second):
        b.fp.give_back(packet)
    assert b.fm.returned == [three, one, two]


@pytest.mark.rule("XL-10")
def test_a_frame_that_was_advanced_or_has_tail_room_is_its_used_data_alone(five_over_six):
    b = five_over_six()
    b.fp.references = 1
    nbl = b.fm.build(b.frame(size=100), cuts=(30,), head=30, tail=20)
    b.fm.indicate_nbls([nbl])
    (packet,) = b.fp.held
    assert packet.tobytes() == b.frame(size=100)
    b.fp.give_back(packet)


@pytest.mark.rule("XL-10")
def test_two_protocols_of_either_version_share_a_frame(drivers):
    b = NdisBench(protocols=2, protocol=drivers.Protocol5)
    for fp in b.fps:
        fp.references = 1
    (nbl,) = b.fm.indicate(b.frame(destination=b"\xff" * 6))
    one, two = b.fps
    (packet,) = one.held
    one.give_back(packet)
    assert b.fm.returned == []
    assert two.held[0].tobytes() == two.received[0]
    two.give_back(two.held[0])
    assert b.fm.returned == [nbl]
    b.stop()


@pytest.mark.rule("XL-12")
def test_a_received_list_s_information_is_that_of_its_packet(five_over_six):
    b = five_over_six()
    nbl = b.fm.build(b.frame())
    nbl.net_buffer_list_info[NblInfo.IEEE_8021Q] = 5
    nbl.net_buffer_list_info[NblInfo.HASH_VALUE] = 0x12345678
    nbl.nbl_flags = int(NblFlags.IS_LOOPBACK_PACKET)
    b.fp.references = 1
    b.fm.indicate_nbls([nbl])
    (packet,) = b.fp.held
    assert packet.packet_info[PacketInfo.IEEE_8021Q] == 5
    assert packet.flags == PacketFlags.IS_LOOPBACK_PACKET
    assert ndis5.get_packet_cancel_id(packet) is None
    b.fp.give_back(packet)


@pytest.mark.rule("XL-08")
@pytest.mark.parametrize("scarce", [False, True])
@pytest.mark.parametrize("kth", range(4))
def test_a_list_without_memory_is_not_seen_above_and_still_comes_back(five_over_six, kth, scarce):
    b = five_over_six()
    asked = iter(range(100))
    b.fp.xlate.packets.fault = lambda: next(asked) == kth
    nbls = b.fm.indicate(*b.frames(4), flags=RESOURCES * scarce)
    assert b.fp.received == [frame for number, frame in enumerate(b.frames(4)) if number != kth]
    assert sorted(b.fm.returned, key=nbls.index) == nbls
    assert b.fp.xlate.dropped == 1


# Both.


@pytest.mark.rule("XL-15", "XL-21")
@settings(max_examples=25)
@given(
    length=st.integers(14, 9018),
    head=st.integers(0, 200),
    cuts=st.lists(st.integers(0, 400), max_size=12),
    scarce=st.booleans(),
)
def test_the_bytes_of_every_layout_come_up_in_5_and_none_is_copied(drivers, length, head, cuts, scarce):
    b = NdisBench(protocol=drivers.Protocol5)
    whole = b.fm.mac_address + bytes(n & 0xFF for n in range(length - 6))
    fitting = [cut for n, cut in enumerate(cuts) if sum(cuts[: n + 1]) <= head + length]
    b.fm.indicate(whole, cuts=fitting, head=head, flags=RESOURCES * scarce)
    assert b.fp.received == [whole]
    assert b.ndis.xlate_copies == 0
    b.stop()


@pytest.mark.rule("XL-15", "XL-21")
@settings(max_examples=25)
@given(length=st.integers(14, 9018), cuts=st.lists(st.integers(0, 400), max_size=12), scarce=st.booleans())
def test_the_bytes_of_every_layout_come_up_in_6_and_none_is_copied(drivers, length, cuts, scarce):
    b = NdisBench(miniport=drivers.Miniport5)
    whole = b.fm.mac_address + bytes(n & 0xFF for n in range(length - 6))
    fitting = [cut for n, cut in enumerate(cuts) if sum(cuts[: n + 1]) <= length]
    status = NdisStatus.RESOURCES if scarce else NdisStatus.SUCCESS
    b.fm.indicate_packets(packets_of(b, whole, cuts=fitting, status=status))
    assert b.fp.received == [whole]
    assert b.ndis.xlate_copies == 0
    b.stop()


@pytest.mark.rule("OB-08", "XL-12")
def test_a_packet_that_is_used_again_has_nothing_of_its_last_use(five_over_six):
    b = five_over_six(verify="off")
    b.fp.references = 1
    tagged = b.fm.build(b.frame(), head=3)
    tagged.net_buffer_list_info[NblInfo.IEEE_8021Q] = 5
    tagged.net_buffer_list_info[NblInfo.MEDIA_SPECIFIC] = b"cell"
    tagged.nbl_flags = int(NblFlags.IS_LOOPBACK_PACKET)
    b.fm.indicate_nbls([tagged])
    (packet,) = b.fp.held
    packet.protocol_reserved[0] = "mine"
    b.fp.give_back(packet)
    b.fm.indicate(b.frame(1))
    (again,) = b.fp.held
    assert again is packet
    assert (again.packet_info, again.flags, again.protocol_reserved[0]) == ([None] * 12, 0, None)
    assert again.oob.media_specific_information == b""
    assert again.tobytes() == b.frame(1)
    b.fp.give_back(again)


@pytest.mark.rule("OB-08", "XL-12")
def test_a_list_that_is_used_again_has_no_mark_of_its_last_use(bench, drivers):
    b = bench(miniport=drivers.Miniport5, verify="off")
    b.fp.hold = True
    looped, plain = packets_of(b, *b.frames(2))
    looped.flags = int(PacketFlags.IS_LOOPBACK_PACKET)
    b.fm.indicate_packets([looped])
    (nbl,) = b.fp.held
    assert nbl.nbl_flags == NblFlags.IS_LOOPBACK_PACKET
    b.fp.give_back()
    b.fm.indicate_packets([plain])
    assert (b.fp.held, nbl.nbl_flags) == ([nbl], 0)
    b.fp.give_back()


# A 5.x intermediate driver between the two.


class Lending(FunctionalIntermediate5):
    """Lets the protocols above look during the call only."""

    def pass_up(self, miniport, packet):
        """The packet itself, with RESOURCES."""
        ndis5.set_packet_status(packet, NdisStatus.RESOURCES)
        ndis5.indicate_receive_packet(miniport.adapter, [packet])
        return 0


@pytest.mark.rule("XL-10", "OB-01")
def test_a_list_goes_back_although_an_intermediate_driver_lent_its_packet(bench):
    b = bench(protocols=0)
    im = Lending(b.ndis, b.fm.name)
    b.run(im.start())
    up = FunctionalProtocol5(b.ndis, "up", adapter_name="im5.0")
    b.run(up.start())
    b.run(up.listen())
    b.run()
    b.fm.indicate(b.frame())
    assert up.received == [b.frame()]
    assert b.fm.adapter.receives_outstanding == 0
    b.run(up.stop())
    b.run(im.stop())

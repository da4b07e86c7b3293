# SPDX-License-Identifier: Apache-2.0
"""Out-of-band information slot by slot and bit by bit, both ways (XL-12)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilnic.ndis import NblFlags, NblInfo
from hilnic.ndis.ndis5 import PacketFlags, PacketInfo
from hilnic.ndis.ndis5.packet import OutOfBand
from hilnic.ndis.xlate import oob

IPV4_TCP = bytes(12) + b"\x08\x00" + b"\x45" + bytes(40)
"""An Ethernet frame with a TCP header at 34."""


class Buffer:
    """As much of an Mdl as the header parser reads."""

    def __init__(self, data: bytes) -> None:
        self.view = memoryview(data)


class Packet:
    """A packet that only has information."""

    def __init__(self, *pieces: bytes, flags: int = 0, media: bytes = b"") -> None:
        self.pieces = pieces
        self.flags = flags
        self.oob = OutOfBand()
        self.oob.media_specific_information = media
        self.packet_info = oob.EMPTY_5.copy()

    def buffers(self):
        return (Buffer(piece) for piece in self.pieces)


class List:
    """An NBL that only has information."""

    def __init__(self, nbl_flags: int = 0) -> None:
        self.nbl_flags = nbl_flags
        self.net_buffer_list_info = oob.EMPTY_6.copy()


def packet_with(slot: PacketInfo, value, frame: bytes = IPV4_TCP) -> Packet:
    packet = Packet(frame)
    packet.packet_info[slot] = value
    return packet


def list_with(slot: NblInfo, value) -> List:
    nbl = List()
    nbl.net_buffer_list_info[slot] = value
    return nbl


def only(info: list, slot: int):
    """The value of `slot`; every other one is empty."""
    assert [n for n, value in enumerate(info) if value is not None] == [slot]
    return info[slot]


HANDLE = object()


@pytest.mark.rule("XL-12")
@pytest.mark.parametrize(
    ("five", "value", "six", "expected"),
    [
        (PacketInfo.TCP_IP_CHECKSUM, 0b00101, NblInfo.TCP_IP_CHECKSUM, 0b00101 | 34 << 16),
        (PacketInfo.TCP_IP_CHECKSUM, 0b01001, NblInfo.TCP_IP_CHECKSUM, 0b01001 | 34 << 16),
        (PacketInfo.TCP_IP_CHECKSUM, 0b10001, NblInfo.TCP_IP_CHECKSUM, 0b10001),
        (PacketInfo.TCP_LARGE_SEND, 1460, NblInfo.TCP_LARGE_SEND, 1460 | 34 << 20),
        (PacketInfo.IEEE_8021Q, 5 | 1 << 3 | 100 << 4, NblInfo.IEEE_8021Q, 5 | 1 << 3 | 100 << 4),
        (PacketInfo.CANCEL_ID, HANDLE, NblInfo.CANCEL_ID, HANDLE),
        (PacketInfo.IPSEC, HANDLE, NblInfo.IPSEC_V1, HANDLE),
        (PacketInfo.CLASSIFICATION_HANDLE, HANDLE, NblInfo.CLASSIFICATION_HANDLE, HANDLE),
    ],
)
def test_a_send_slot_both_ways(five, value, six, expected):
    nbl, back = List(), Packet(IPV4_TCP)
    oob.send_to_6(packet_with(five, value), nbl)
    assert only(nbl.net_buffer_list_info, six) == expected
    oob.send_to_5(nbl, back)
    assert only(back.packet_info, five) == value


@pytest.mark.rule("XL-12")
@pytest.mark.parametrize(
    ("five", "value", "six"),
    [
        *((PacketInfo.TCP_IP_CHECKSUM, 1 << bit, NblInfo.TCP_IP_CHECKSUM) for bit in range(6)),
        (PacketInfo.IEEE_8021Q, 0xFFFF, NblInfo.IEEE_8021Q),
        (PacketInfo.IPSEC, HANDLE, NblInfo.IPSEC_V1),
        (PacketInfo.CLASSIFICATION_HANDLE, HANDLE, NblInfo.CLASSIFICATION_HANDLE),
    ],
)
def test_a_receive_slot_both_ways(five, value, six):
    nbl, back = List(), Packet()
    oob.receive_to_6(packet_with(five, value), nbl, None)
    assert only(nbl.net_buffer_list_info, six) == value
    oob.receive_to_5(nbl, back)
    assert only(back.packet_info, five) == value


@pytest.mark.rule("XL-12")
@pytest.mark.parametrize(
    "slot",
    [
        PacketInfo.SCATTER_GATHER_LIST,
        PacketInfo.ORIGINAL_PACKET,
        PacketInfo.ORIGINAL_NET_BUFFER_LIST,
        PacketInfo.CACHED_NET_BUFFER_LIST,
        PacketInfo.SHORT_PACKET_PADDING,
    ],
)
def test_what_belongs_to_ndis_5_alone_stays_there(slot):
    sent, received = List(), List()
    oob.send_to_6(packet_with(slot, 1), sent)
    oob.receive_to_6(packet_with(slot, 1), received, None)
    assert sent.net_buffer_list_info == received.net_buffer_list_info == oob.EMPTY_6


@pytest.mark.rule("XL-12")
@pytest.mark.parametrize(
    "slot",
    [
        NblInfo.HASH_VALUE,
        NblInfo.HASH_INFO,
        NblInfo.WFP,
        NblInfo.IPSEC_V2_TUNNEL,
        NblInfo.IPSEC_V2_HEADER,
        NblInfo.CORRELATION_ID,
        NblInfo.FILTERING_INFO,
        NblInfo.MEDIA_SPECIFIC_EX,
    ],
)
def test_what_belongs_to_ndis_6_alone_stays_there(slot):
    sent, received = Packet(), Packet()
    oob.send_to_5(list_with(slot, 1), sent)
    oob.receive_to_5(list_with(slot, 1), received)
    assert sent.packet_info == received.packet_info == oob.EMPTY_5


@pytest.mark.rule("XL-12")
def test_no_push_and_frame_type_of_a_receive_have_no_place_in_5():
    packet = Packet()
    nbl = list_with(NblInfo.TCP_RECV_NO_PUSH, 1)
    nbl.net_buffer_list_info[NblInfo.FRAME_TYPE] = 0x0806
    oob.receive_to_5(nbl, packet)
    assert packet.packet_info == oob.EMPTY_5
    assert packet.flags == 0


@pytest.mark.rule("XL-12")
def test_the_frame_type_is_new_in_6():
    nbl = List()
    oob.receive_to_6(Packet(), nbl, 0x86DD)
    assert only(nbl.net_buffer_list_info, NblInfo.FRAME_TYPE) == 0x86DD


@pytest.mark.rule("XL-12")
def test_the_protocol_id_lies_in_the_flags_of_a_packet_and_in_a_slot_of_a_list():
    nbl, back = List(), Packet(flags=PacketFlags.DONT_LOOPBACK)
    oob.send_to_6(Packet(flags=PacketFlags.DONT_LOOPBACK | 2), nbl)
    assert only(nbl.net_buffer_list_info, NblInfo.FRAME_TYPE) == 2
    oob.send_to_5(nbl, back)
    assert back.flags == PacketFlags.DONT_LOOPBACK | 2


@pytest.mark.rule("XL-12")
@pytest.mark.parametrize("way", ["send", "receive"])
def test_media_specific_information_both_ways(way):
    nbl, back = List(), Packet()
    if way == "send":
        oob.send_to_6(Packet(media=b"cell"), nbl)
        oob.send_to_5(nbl, back)
    else:
        oob.receive_to_6(Packet(media=b"cell"), nbl, None)
        oob.receive_to_5(nbl, back)
    assert only(nbl.net_buffer_list_info, NblInfo.MEDIA_SPECIFIC) == b"cell"
    assert back.oob.media_specific_information == b"cell"


@pytest.mark.rule("XL-12")
def test_the_loopback_mark_is_a_flag_on_both_sides_and_never_a_checksum_bit():
    nbl, back = List(), Packet()
    looped = packet_with(PacketInfo.TCP_IP_CHECKSUM, 1 << 6)
    looped.flags = int(PacketFlags.IS_LOOPBACK_PACKET)
    oob.receive_to_6(looped, nbl, None)
    assert nbl.nbl_flags == NblFlags.IS_LOOPBACK_PACKET
    assert not nbl.net_buffer_list_info[NblInfo.TCP_IP_CHECKSUM]
    oob.receive_to_5(nbl, back)
    assert back.flags == PacketFlags.IS_LOOPBACK_PACKET


@pytest.mark.rule("XL-12")
def test_a_large_send_tells_how_much_went_out_both_ways():
    nbl, packet = list_with(NblInfo.TCP_LARGE_SEND, 1460 | 34 << 20), packet_with(PacketInfo.TCP_LARGE_SEND, 64000)
    oob.send_result_to_6(packet, nbl)
    assert nbl.net_buffer_list_info[NblInfo.TCP_LARGE_SEND] == 64000
    packet.packet_info[PacketInfo.TCP_LARGE_SEND] = 1460
    oob.send_result_to_5(nbl, packet)
    assert packet.packet_info[PacketInfo.TCP_LARGE_SEND] == 64000


@pytest.mark.rule("XL-12")
def test_an_ordinary_send_gets_no_result():
    nbl, packet = List(), Packet()
    oob.send_result_to_6(packet, nbl)
    oob.send_result_to_5(nbl, packet)
    assert (nbl.net_buffer_list_info, packet.packet_info) == (oob.EMPTY_6, oob.EMPTY_5)


@pytest.mark.rule("XL-12")
def test_a_large_send_of_version_2_has_no_form_in_5():
    assert oob.expressible_in_5(List())
    assert oob.expressible_in_5(list_with(NblInfo.TCP_LARGE_SEND, 1460 | 34 << 20))
    assert not oob.expressible_in_5(list_with(NblInfo.TCP_LARGE_SEND, 1460 | 1 << 31))


@pytest.mark.rule("XL-12")
@given(st.integers(0, 0x1F), st.integers(0, 0xFFFFF), st.integers(0, 0xFFFF), st.integers(0, 0xF))
def test_the_round_trip_of_a_send_is_the_identity(checksum, mss, tag, protocol):
    packet, nbl, back = Packet(IPV4_TCP, flags=protocol), List(), Packet(IPV4_TCP)
    packet.packet_info[PacketInfo.TCP_IP_CHECKSUM] = checksum or None
    packet.packet_info[PacketInfo.TCP_LARGE_SEND] = mss or None
    packet.packet_info[PacketInfo.IEEE_8021Q] = tag or None
    oob.send_to_6(packet, nbl)
    oob.send_to_5(nbl, back)
    assert (back.packet_info, back.flags) == (packet.packet_info, packet.flags)


VLAN_IPV4 = bytes(12) + b"\x81\x00\x00\x05\x08\x00" + b"\x46" + bytes(60)
IPV6_UDP = bytes(12) + b"\x86\xdd" + bytes(6) + b"\x11" + bytes(60)
IPV6_HOP_BY_HOP = bytes(12) + b"\x86\xdd" + bytes(6) + b"\x00" + bytes(33) + b"\x06\x01" + bytes(40)


@pytest.mark.rule("XL-12")
@pytest.mark.parametrize(
    ("frame", "offset"),
    [
        (IPV4_TCP, 34),
        (VLAN_IPV4, 18 + 24),
        (IPV6_UDP, 54),
        (IPV6_HOP_BY_HOP, 54 + 16),
        (bytes(12) + b"\x08\x06" + bytes(46), 0),
        (b"", 0),
        (IPV6_UDP[:30], 0),
    ],
)
def test_ndis_finds_the_transport_header_for_6(frame, offset):
    assert oob.transport_header_offset(frame) == offset


@pytest.mark.rule("XL-12")
@pytest.mark.parametrize("cut", [0, 1, 13, 14, 15, 33, 55])
def test_the_header_is_found_wherever_the_buffers_are_cut(cut):
    nbl = List()
    packet = Packet(IPV4_TCP[:cut], b"", IPV4_TCP[cut:])
    packet.packet_info[PacketInfo.TCP_IP_CHECKSUM] = 0b101
    oob.send_to_6(packet, nbl)
    assert nbl.net_buffer_list_info[NblInfo.TCP_IP_CHECKSUM] == 0b101 | 34 << 16

# SPDX-License-Identifier: Apache-2.0
"""Protocol headers: what is emitted parses back, views survive garbage, known octets are read as the RFCs say."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilnic.wire.arp import ArpPacket, ArpView, Operation
from hilnic.wire.checksum import checksum, ones_sum
from hilnic.wire.ethernet import EthernetFrame, EthernetView, EtherType, Tag, padded, parse_address
from hilnic.wire.icmp import IcmpEcho, IcmpType, IcmpView
from hilnic.wire.ipv4 import Ipv4Packet, Ipv4View, format_ip, parse_ip
from hilnic.wire.malformed import Malformed
from hilnic.wire.udp import UdpDatagram, UdpView

u16 = st.integers(0, 0xFFFF)
u8 = st.integers(0, 0xFF)
ips = st.binary(min_size=4, max_size=4)
stations = st.binary(min_size=6, max_size=6).map(lambda a: bytes([a[0] & 0xFE]) + a[1:])
tags = st.builds(
    Tag,
    st.integers(0, 4095),
    st.integers(0, 7),
    st.booleans(),
    st.sampled_from([EtherType.VLAN, EtherType.SERVICE_VLAN]),
)
frames = st.builds(
    EthernetFrame,
    st.binary(min_size=6, max_size=6),
    stations,
    u16.filter(lambda t: t not in {EtherType.VLAN, EtherType.SERVICE_VLAN}),
    st.binary(max_size=80),
    st.lists(tags, max_size=2).map(tuple),
)
arps = st.builds(ArpPacket, st.sampled_from(Operation), stations, ips, stations, ips)
options = st.integers(0, 10).flatmap(lambda n: st.binary(min_size=4 * n, max_size=4 * n))
packets = st.builds(
    Ipv4Packet,
    ips,
    ips,
    u8,
    st.binary(max_size=80),
    u8,
    u16,
    st.booleans(),
    st.booleans(),
    st.integers(0, 8191),
    u8,
    options,
)
echoes = st.builds(IcmpEcho, st.sampled_from(IcmpType), u16, u16, st.binary(max_size=80))
datagrams = st.builds(UdpDatagram, u16, u16, st.binary(max_size=80))


@given(frames)
def test_an_ethernet_frame_survives_the_wire(frame: EthernetFrame) -> None:
    assert EthernetFrame.parse(frame.emit()) == frame


@given(arps)
def test_an_arp_packet_survives_the_wire_and_padding(packet: ArpPacket) -> None:
    assert ArpPacket.parse(padded(packet.emit())) == packet


@given(packets)
def test_an_ipv4_packet_survives_the_wire_and_padding(packet: Ipv4Packet) -> None:
    assert Ipv4Packet.parse(packet.emit() + bytes(20)) == packet


@given(echoes)
def test_an_echo_survives_the_wire(echo: IcmpEcho) -> None:
    assert IcmpEcho.parse(echo.emit()) == echo


@given(datagrams, ips, ips)
def test_a_datagram_survives_the_wire(datagram: UdpDatagram, source: bytes, destination: bytes) -> None:
    assert UdpDatagram.parse(datagram.emit(source, destination), source, destination) == datagram


@pytest.mark.parametrize("view", [EthernetView, ArpView, Ipv4View, IcmpView, UdpView])
@given(data=st.binary(max_size=70))
def test_a_view_reads_any_garbage(view: Callable[[bytes], object], data: bytes) -> None:
    seen = view(data)
    names = [name for name in dir(type(seen)) if isinstance(getattr(type(seen), name), property)]
    assert names
    assert all(getattr(seen, name) is not None for name in names)
    assert repr(seen).startswith("<")


@given(st.binary(max_size=70))
def test_parsers_refuse_garbage_with_a_reason_or_give_a_value_that_emits(data: bytes) -> None:
    for parser in (EthernetFrame, ArpPacket, Ipv4Packet, IcmpEcho):
        try:
            value = parser.parse(data)  # type: ignore[attr-defined]
        except Malformed as error:
            reason = str(error)
        else:
            reason = "" if data.startswith(value.emit()) or isinstance(value, Ipv4Packet) else "lost octets"
            assert reason == ""
            continue
        assert reason


@given(st.binary(max_size=64).filter(lambda data: len(data) % 2 == 0))
def test_the_checksum_makes_the_sum_all_ones(data: bytes) -> None:
    assert ones_sum(data + checksum(data).to_bytes(2, "big")) == 0xFFFF


def test_the_checksum_of_the_rfc_example() -> None:
    assert ones_sum(bytes.fromhex("0001f203f4f5f6f7")) == 0xDDF2  # RFC 1071, section 3


def test_the_checksum_of_a_known_ipv4_header() -> None:
    header = bytes.fromhex("45000073000040004011 0000 c0a80001c0a800c7".replace(" ", ""))
    assert checksum(header) == 0xB861


@given(st.binary(min_size=1, max_size=40), st.integers(0, 1000))
def test_a_sum_may_be_made_in_two_pieces(data: bytes, cut: int) -> None:
    even = cut % (len(data) + 1) & ~1
    assert ones_sum(data[even:], ones_sum(data[:even])) == ones_sum(data)


@given(packets, st.integers(0, 159))
def test_a_flipped_header_bit_is_refused(packet: Ipv4Packet, bit: int) -> None:
    octets = bytearray(packet.emit())
    octets[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Malformed):
        Ipv4Packet.parse(octets)


def test_a_datagram_without_checksum_is_legal() -> None:
    octets = bytearray(UdpDatagram(1, 2, b"x").emit(bytes(4), bytes(4)))
    octets[6:8] = b"\0\0"
    assert UdpDatagram.parse(octets, bytes(4), bytes(4)).payload == b"x"


def test_a_datagram_of_other_addresses_is_refused() -> None:
    octets = UdpDatagram(1, 2, b"x").emit(parse_ip("10.0.0.1"), parse_ip("10.0.0.2"))
    with pytest.raises(Malformed, match="checksum"):
        UdpDatagram.parse(octets, parse_ip("10.0.0.1"), parse_ip("10.0.0.3"))


def test_a_computed_udp_checksum_of_zero_is_sent_as_all_ones() -> None:
    source, plain = bytes(4), UdpDatagram(0, 0, b"\0\0").emit(bytes(4), bytes(4))
    value = int.from_bytes(plain[6:8], "big")
    assert UdpDatagram(0, 0, value.to_bytes(2, "big")).emit(source, source)[6:8] == b"\xff\xff"


def test_a_request_is_answered_to_its_sender() -> None:
    me, you = parse_address("02:00:00:00:00:01"), parse_address("02-00-00-00-00-02")
    request = ArpPacket(Operation.REQUEST, me, parse_ip("10.0.0.1"), bytes(6), parse_ip("10.0.0.2"))
    reply = request.reply(you)
    assert (reply.operation, reply.sender_hardware, reply.target_hardware) == (Operation.REPLY, you, me)
    assert (format_ip(reply.sender_ip), format_ip(reply.target_ip)) == ("10.0.0.2", "10.0.0.1")


def test_an_echo_reply_carries_the_request_s_data() -> None:
    assert IcmpEcho(IcmpType.ECHO_REQUEST, 1, 2, b"abc").reply() == IcmpEcho(IcmpType.ECHO_REPLY, 1, 2, b"abc")


@pytest.mark.parametrize(
    "make",
    [
        lambda: EthernetFrame(bytes(5), bytes(6), 0, b""),
        lambda: EthernetFrame(bytes(6), b"\1" + bytes(5), 0, b""),
        lambda: EthernetFrame(bytes(6), bytes(6), EtherType.VLAN, b""),
        lambda: Tag(4096),
        lambda: Tag(1, protocol=0x0800),
        lambda: Ipv4Packet(bytes(4), bytes(4), 256, b""),
        lambda: Ipv4Packet(bytes(4), bytes(4), 1, bytes(65516)),
        lambda: Ipv4Packet(bytes(4), bytes(4), 1, b"", options=b"abc"),
        lambda: ArpPacket(Operation.REPLY, bytes(6), bytes(3), bytes(6), bytes(4)),
        lambda: UdpDatagram(65536, 0, b""),
        lambda: IcmpEcho(IcmpType.ECHO_REPLY, -1, 0),
        lambda: parse_ip("10.0.0.256"),
        lambda: parse_address("02:00"),
    ],
)
def test_an_illegal_value_cannot_be_made(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        make()

# SPDX-License-Identifier: Apache-2.0
"""The ipv4 protocol over a functional miniport: what it answers, what it leaves alone, what it asks."""

from collections.abc import Iterator

import pytest

from hilnic.ndis.status import NdisStatus
from hilnic.protocols.ipv4 import Ipv4Protocol
from hilnic.testing.bench import PEER, NdisBench
from hilnic.testing.miniport import MAC_ADDRESS
from hilnic.wire.arp import ArpPacket, Operation
from hilnic.wire.ethernet import EthernetFrame, EtherType
from hilnic.wire.icmp import IcmpEcho, IcmpType
from hilnic.wire.ipv4 import IpProtocol, Ipv4Packet
from hilnic.wire.udp import UdpDatagram

US, THEM = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))


class Host:
    """The protocol, and the peer's side of the wire."""

    def __init__(self) -> None:
        self.bench = NdisBench(protocols=0, completion="inline")
        self.ipv4 = Ipv4Protocol(US, MAC_ADDRESS)
        self.bench.run(self.ipv4.register(self.bench.ndis))
        assert self.bench.start_status is NdisStatus.SUCCESS

    def hears(self, ethertype: int, payload: bytes, destination: bytes = MAC_ADDRESS) -> list[EthernetFrame]:
        """What the protocol sends after this frame (padded to 60 octets) came in."""
        before = len(self.sent)
        frame = EthernetFrame(destination, PEER, ethertype, payload).emit().ljust(60, b"\0")
        self.bench.fm.indicate(frame)
        self.bench.run()
        return self.sent[before:]

    @property
    def sent(self) -> list[EthernetFrame]:
        return [EthernetFrame.parse(frame) for frame in self.bench.fm.sent_frames]


@pytest.fixture
def host() -> Iterator[Host]:
    host = Host()
    yield host
    host.bench.run(host.ipv4.deregister())
    host.bench.stop()


def echo(data: bytes = b"ping", destination: bytes = US) -> bytes:
    message = IcmpEcho(IcmpType.ECHO_REQUEST, 7, 1, data).emit()
    return Ipv4Packet(THEM, destination, IpProtocol.ICMP, message).emit()


def test_an_arp_request_for_its_address_is_answered(host: Host) -> None:
    request = ArpPacket(Operation.REQUEST, PEER, THEM, bytes(6), US)
    (answer,) = host.hears(EtherType.ARP, request.emit(), b"\xff" * 6)
    assert answer.destination == PEER
    assert ArpPacket.parse(answer.payload) == request.reply(MAC_ADDRESS)


def test_an_arp_request_for_another_address_is_not_answered(host: Host) -> None:
    request = ArpPacket(Operation.REQUEST, PEER, THEM, bytes(6), bytes((10, 0, 0, 9)))
    assert host.hears(EtherType.ARP, request.emit(), b"\xff" * 6) == []
    assert host.ipv4.neighbours[THEM] == PEER


@pytest.mark.parametrize("size", [0, 1, 18, 1472])
def test_an_echo_request_comes_back_with_its_data(host: Host, size: int) -> None:
    data = bytes(i & 0xFF for i in range(size))
    (answer,) = host.hears(EtherType.IPV4, echo(data))
    packet = Ipv4Packet.parse(answer.payload)
    assert (packet.source, packet.destination) == (US, THEM)
    assert IcmpEcho.parse(packet.payload) == IcmpEcho(IcmpType.ECHO_REPLY, 7, 1, data)


def test_an_echo_request_for_another_host_is_counted_and_left_alone(host: Host) -> None:
    assert host.hears(EtherType.IPV4, echo(destination=bytes((10, 0, 0, 9)))) == []
    assert host.ipv4.statistics().not_for_us == 1


def test_a_datagram_to_the_echo_port_comes_back(host: Host) -> None:
    datagram = UdpDatagram(4000, 7, b"hello").emit(THEM, US)
    (answer,) = host.hears(EtherType.IPV4, Ipv4Packet(THEM, US, IpProtocol.UDP, datagram).emit())
    packet = Ipv4Packet.parse(answer.payload)
    assert UdpDatagram.parse(packet.payload, US, THEM) == UdpDatagram(7, 4000, b"hello")


def test_a_datagram_to_another_port_is_left_alone(host: Host) -> None:
    datagram = UdpDatagram(4000, 8, b"hello").emit(THEM, US)
    assert host.hears(EtherType.IPV4, Ipv4Packet(THEM, US, IpProtocol.UDP, datagram).emit()) == []


def test_a_damaged_packet_is_counted_and_left_alone(host: Host) -> None:
    packet = bytearray(echo())
    packet[10] ^= 1
    assert host.hears(EtherType.IPV4, bytes(packet)) == []
    assert host.ipv4.statistics().malformed == 1


def test_a_ping_nobody_answers_times_out(host: Host) -> None:
    with pytest.raises(TimeoutError):
        host.bench.run(host.ipv4.ping(THEM, timeout_ns=1000))


def test_who_asks_for_the_same_address_at_the_same_time_gets_the_same_answer(host: Host) -> None:
    kernel = host.bench.kernel
    asked = [kernel.start(host.ipv4.resolve(THEM)) for _ in range(2)]
    kernel.run_for(0)
    reply = ArpPacket(Operation.REPLY, PEER, THEM, MAC_ADDRESS, US)
    host.hears(EtherType.ARP, reply.emit())
    assert asked == [[PEER], [PEER]]


def test_a_ping_is_resolved_by_arp_and_measured(host: Host) -> None:
    other = Host()

    passed = {host: 0, other: 0}

    def cable() -> None:
        for sender, receiver in ((host, other), (other, host)):
            frames = sender.bench.fm.sent_frames[passed[sender] :]
            passed[sender] += len(frames)
            for frame in frames:
                receiver.bench.fm.indicate(frame)
        other.bench.run()

    other.ipv4.address = THEM
    for delay in range(1, 10):
        host.bench.kernel.set_timer(delay * 1000, cable)
    assert 0 < host.bench.run(host.ipv4.ping(THEM)) <= 10_000
    other.bench.run(other.ipv4.deregister())
    other.bench.stop()

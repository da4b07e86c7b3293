# SPDX-License-Identifier: Apache-2.0
"""A small IPv4 host as an NDIS protocol driver: ARP (RFC 826), ICMP echo (RFC 792) and UDP echo (RFC 862).

It answers ARP requests for its address, echo requests, and datagrams to port 7, each from inside its receive handler,
and can ping others itself. No fragments, no options that matter, no routing: every destination is on the link.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hilnic import ndis
from hilnic.ndis.kernel import Event
from hilnic.protocols.raw import RawBinding, RawProtocol
from hilnic.protocols.raw5 import RawBinding5, RawProtocol5
from hilnic.wire.arp import ArpPacket, Operation
from hilnic.wire.ethernet import EthernetFrame, EthernetView, EtherType
from hilnic.wire.icmp import IcmpEcho, IcmpType
from hilnic.wire.ipv4 import IpProtocol, Ipv4Packet
from hilnic.wire.malformed import Malformed
from hilnic.wire.udp import UdpDatagram

__all__ = ["Ipv4Protocol", "Ipv4Statistics"]

ECHO_PORT = 7
PACKET_FILTER = ndis.PacketFilter.DIRECTED | ndis.PacketFilter.BROADCAST
_BROADCAST = b"\xff" * 6
_IDENTIFIER = 0x4E44  # of our own echo requests


@dataclass(frozen=True, slots=True)
class Ipv4Statistics:
    """Messages by kind."""

    arp_replies: int
    echo_replies: int
    udp_echoes: int
    malformed: int
    not_for_us: int


@dataclass(slots=True, eq=False)
class _Question:
    """Somebody waits for an answer from the wire, or for the end of his patience."""

    done: Event
    answer: Any = None


class Ipv4Protocol:
    """One host: `address` is four octets, `hardware` the adapter's address. Register it like any protocol driver."""

    def __init__(self, address: bytes, hardware: bytes, *, name: str = "ipv4") -> None:
        self.address, self.hardware = address, hardware
        self.raw = self._make_raw(name)
        self.neighbours: dict[bytes, bytes] = {}
        """Hardware address of each IPv4 address that spoke to us."""
        self._waiting: dict[object, list[_Question]] = {}
        self._counts = dict.fromkeys(Ipv4Statistics.__slots__, 0)
        self._sequence = 0

    def __repr__(self) -> str:
        """Address and traffic."""
        return f"<Ipv4Protocol {'.'.join(map(str, self.address))} {self.statistics()}>"

    def _make_raw(self, name: str) -> RawProtocol | RawProtocol5:
        return RawProtocol(name=name, packet_filter=PACKET_FILTER, on_receive=self._received)

    def statistics(self) -> Ipv4Statistics:
        """Counts since the start."""
        return Ipv4Statistics(**self._counts)

    async def register(self, host: ndis.Ndis) -> None:
        """Register with NDIS."""
        await self.raw.register(host)

    async def deregister(self) -> None:
        """Unbind and leave NDIS."""
        await self.raw.deregister()

    # --- receive ------------------------------------------------------------------------------------------------------

    def _received(self, binding: RawBinding, nbls: ndis.NetBufferList, count: int, flags: int) -> None:
        """Copy each frame, give the NBLs back, then answer."""
        del count
        frames = [nbl.first_net_buffer.tobytes() for nbl in ndis.walk(nbls) if nbl.first_net_buffer is not None]
        if not flags & ndis.ReceiveFlags.RESOURCES:
            binding.return_nbls(nbls)
        self._reply(binding, frames)

    def _reply(self, binding: RawBinding | RawBinding5, frames: list[bytes]) -> None:
        answers = [answer for frame in frames if (answer := self._answer(frame)) is not None]
        if answers and binding.running:
            binding.send(*answers)

    def _answer(self, frame: bytes) -> bytes | None:
        view = EthernetView(frame)
        try:
            if view.ethertype == EtherType.ARP:
                return self._arp(ArpPacket.parse(view.payload))
            if view.ethertype == EtherType.IPV4:
                return self._ipv4(Ipv4Packet.parse(view.payload), view.source)
        except Malformed:
            self._counts["malformed"] += 1
        return None

    def _arp(self, packet: ArpPacket) -> bytes | None:
        self.neighbours[packet.sender_ip] = packet.sender_hardware
        self._wake(("arp", packet.sender_ip), packet)
        if packet.operation != Operation.REQUEST or packet.target_ip != self.address:
            return None
        self._counts["arp_replies"] += 1
        return self._frame(packet.sender_hardware, EtherType.ARP, packet.reply(self.hardware).emit())

    def _ipv4(self, packet: Ipv4Packet, source: bytes) -> bytes | None:
        if packet.destination != self.address:
            self._counts["not_for_us"] += 1
            return None
        if packet.is_fragment:
            return None
        self.neighbours[packet.source] = source
        if packet.protocol == IpProtocol.ICMP:
            return self._icmp(packet, source)
        if packet.protocol == IpProtocol.UDP:
            return self._udp(packet, source)
        return None

    def _icmp(self, packet: Ipv4Packet, source: bytes) -> bytes | None:
        echo = IcmpEcho.parse(packet.payload)
        if echo.type == IcmpType.ECHO_REPLY:
            self._wake(("echo", echo.identifier, echo.sequence), echo)
            return None
        self._counts["echo_replies"] += 1
        return self._to(source, packet.source, IpProtocol.ICMP, echo.reply().emit())

    def _udp(self, packet: Ipv4Packet, source: bytes) -> bytes | None:
        datagram = UdpDatagram.parse(packet.payload, packet.source, packet.destination)
        if datagram.destination_port != ECHO_PORT:
            return None
        self._counts["udp_echoes"] += 1
        answer = UdpDatagram(ECHO_PORT, datagram.source_port, datagram.payload)
        return self._to(source, packet.source, IpProtocol.UDP, answer.emit(self.address, packet.source))

    # --- send ---------------------------------------------------------------------------------------------------------

    def _frame(self, destination: bytes, ethertype: int, payload: bytes) -> bytes:
        return EthernetFrame(destination, self.hardware, ethertype, payload).emit()

    def _to(self, hardware: bytes, destination: bytes, protocol: int, payload: bytes) -> bytes:
        return self._frame(hardware, EtherType.IPV4, Ipv4Packet(self.address, destination, protocol, payload).emit())

    async def resolve(self, address: bytes, timeout_ns: int = 1_000_000) -> bytes:
        """The hardware address of a neighbour, asked for by ARP; TimeoutError when nobody answers."""
        if address not in self.neighbours:
            request = ArpPacket(Operation.REQUEST, self.hardware, self.address, bytes(6), address)
            await self._ask(("arp", address), self._frame(_BROADCAST, EtherType.ARP, request.emit()), timeout_ns)
        return self.neighbours[address]

    async def ping(self, address: bytes, data: bytes = b"hilnic", timeout_ns: int = 10_000_000) -> int:
        """One echo; the round trip in ns of simulated time.

        TimeoutError when no answer comes, ValueError when it comes with other data.
        """
        hardware = await self.resolve(address, timeout_ns)
        self._sequence = (self._sequence + 1) & 0xFFFF
        echo = IcmpEcho(IcmpType.ECHO_REQUEST, _IDENTIFIER, self._sequence, data)
        frame = self._to(hardware, address, IpProtocol.ICMP, echo.emit())
        start = self.raw.handle.ndis.kernel.now_ns()
        reply = await self._ask(("echo", _IDENTIFIER, self._sequence), frame, timeout_ns)
        if reply.data != data:
            raise ValueError(f"the echo came back changed: {reply!r}")
        return self.raw.handle.ndis.kernel.now_ns() - start

    async def _ask(self, key: object, frame: bytes, timeout_ns: int) -> Any:
        """Send a frame and wait for the answer that carries this key."""
        kernel = self.raw.handle.ndis.kernel
        question = _Question(kernel.create_event())
        askers = self._waiting.setdefault(key, [])
        askers.append(question)
        timer = kernel.set_timer(timeout_ns, question.done.set)
        for binding in self.raw.bindings.values():
            binding.send(frame)
        await question.done.wait()
        timer.cancel()
        askers.remove(question)
        if not askers:
            self._waiting.pop(key, None)
        if question.answer is None:
            raise TimeoutError(f"no answer to {key} within {timeout_ns} ns")
        return question.answer

    def _wake(self, key: object, answer: object) -> None:
        for question in self._waiting.get(key, ()):
            question.answer = answer
            question.done.set()

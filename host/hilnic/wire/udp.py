# SPDX-License-Identifier: Apache-2.0
"""UDP over IPv4 (RFC 768)."""

import struct
from dataclasses import dataclass
from typing import Self

from hilnic.wire.checksum import checksum
from hilnic.wire.ipv4 import IpProtocol, pseudo_header_sum
from hilnic.wire.malformed import Malformed, number, require_range

HEADER_OCTETS = 8
_HEADER = struct.Struct(">HHHH")


class UdpView:
    """Reads a datagram of any octets; what is not there reads as zero."""

    __slots__ = ("buffer",)

    def __init__(self, buffer: bytes | bytearray | memoryview) -> None:
        self.buffer = memoryview(buffer)

    @property
    def source_port(self) -> int:
        """Source port."""
        return number(self.buffer, 0, 2)

    @property
    def destination_port(self) -> int:
        """Destination port."""
        return number(self.buffer, 2, 2)

    @property
    def length(self) -> int:
        """Length with header, as the datagram says."""
        return number(self.buffer, 4, 2)

    @property
    def checksum(self) -> int:
        """The checksum field; 0: none."""
        return number(self.buffer, 6, 2)

    @property
    def payload(self) -> memoryview:
        """What lies between header and length."""
        return self.buffer[HEADER_OCTETS : max(self.length, HEADER_OCTETS)]

    def problem(self, source: bytes, destination: bytes) -> str:
        """Why this is no legal datagram between these addresses, "" if it is one."""
        if len(self.buffer) < HEADER_OCTETS:
            return f"UDP needs {HEADER_OCTETS} octets, {len(self.buffer)} are left"
        if not HEADER_OCTETS <= self.length <= len(self.buffer):
            return f"length {self.length} in {len(self.buffer)} octets"
        if not self.checksum:
            return ""
        start = pseudo_header_sum(source, destination, IpProtocol.UDP, self.length)
        return "checksum" if checksum(self.buffer[: self.length], start) else ""

    def __repr__(self) -> str:
        """Ports and length."""
        return f"<UDP {self.source_port} > {self.destination_port} {self.length} octets>"


@dataclass(frozen=True, slots=True)
class UdpDatagram:
    """A legal datagram; the checksum is computed with the addresses of its packet."""

    source_port: int
    destination_port: int
    payload: bytes

    def __post_init__(self) -> None:
        require_range(self.source_port, 16, "the source port")
        require_range(self.destination_port, 16, "the destination port")
        require_range(HEADER_OCTETS + len(self.payload), 16, "the length")

    def emit(self, source: bytes, destination: bytes) -> bytes:
        """The octets for a packet between these addresses."""
        length = HEADER_OCTETS + len(self.payload)
        body = bytearray(_HEADER.pack(self.source_port, self.destination_port, length, 0) + self.payload)
        check = checksum(body, pseudo_header_sum(source, destination, IpProtocol.UDP, length))
        body[6:8] = (check or 0xFFFF).to_bytes(2, "big")  # a computed 0 is sent as all ones: 0 means none
        return bytes(body)

    @classmethod
    def parse(cls, buffer: bytes | bytearray | memoryview, source: bytes, destination: bytes) -> Self:
        """The datagram in these octets; Malformed if there is none."""
        view = UdpView(buffer)
        problem = view.problem(source, destination)
        if problem:
            raise Malformed(problem)
        return cls(view.source_port, view.destination_port, bytes(view.payload))

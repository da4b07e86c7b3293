# SPDX-License-Identifier: Apache-2.0
"""IPv4 packets (RFC 791). Addresses are 4 octets."""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from hilnic.wire.checksum import checksum, ones_sum
from hilnic.wire.malformed import Malformed, number, octets, require_octets, require_range

HEADER_OCTETS = 20
_HEADER = struct.Struct(">BBHHHBBH4s4s")


class IpProtocol(IntEnum):
    """Protocols that this project speaks."""

    ICMP = 1
    UDP = 17


def parse_ip(text: str) -> bytes:
    """Four octets of "10.0.0.1"."""
    parts = text.split(".")
    if len(parts) != 4 or not all(part.isdecimal() and int(part) < 256 for part in parts):
        raise ValueError(f"{text!r} is no IPv4 address")
    return bytes(int(part) for part in parts)


def format_ip(address: bytes) -> str:
    """10.0.0.1."""
    return ".".join(str(octet) for octet in address)


def pseudo_header_sum(source: bytes, destination: bytes, protocol: int, length: int) -> int:
    """Ones' complement sum of what UDP and TCP checksum beside themselves (RFC 768)."""
    return ones_sum(source + destination + protocol.to_bytes(2, "big") + length.to_bytes(2, "big"))


class Ipv4View:
    """Reads a packet of any octets; what is not there reads as zero."""

    __slots__ = ("buffer",)

    def __init__(self, buffer: bytes | bytearray | memoryview) -> None:
        self.buffer = memoryview(buffer)

    @property
    def version(self) -> int:
        """4."""
        return number(self.buffer, 0, 1) >> 4

    @property
    def header_octets(self) -> int:
        """Length of the header with options, as the packet says."""
        return 4 * (number(self.buffer, 0, 1) & 0xF)

    @property
    def total_octets(self) -> int:
        """Length of the packet, as the packet says."""
        return number(self.buffer, 2, 2)

    @property
    def protocol(self) -> int:
        """What the payload is."""
        return number(self.buffer, 9, 1)

    @property
    def source(self) -> bytes:
        """Source address."""
        return octets(self.buffer, 12, 4)

    @property
    def destination(self) -> bytes:
        """Destination address."""
        return octets(self.buffer, 16, 4)

    @property
    def payload(self) -> memoryview:
        """What lies between header and total length; padding is outside."""
        return self.buffer[self.header_octets : max(self.total_octets, self.header_octets)]

    @property
    def problem(self) -> str:
        """Why this is no legal packet, "" if it is one."""
        if len(self.buffer) < HEADER_OCTETS:
            return f"IPv4 needs {HEADER_OCTETS} octets, {len(self.buffer)} are left"
        if self.version != 4:
            return f"version {self.version}"
        if not HEADER_OCTETS <= self.header_octets <= self.total_octets <= len(self.buffer):
            return f"header {self.header_octets}, total {self.total_octets} octets in {len(self.buffer)}"
        if number(self.buffer, 6, 2) & 0x8000:
            return "the reserved flag is set"
        return "header checksum" if checksum(self.buffer[: self.header_octets]) else ""

    def __repr__(self) -> str:
        """Addresses, protocol and length."""
        ends = f"{format_ip(self.source)} > {format_ip(self.destination)}"
        return f"<IPv4 {ends} protocol {self.protocol} {self.total_octets} octets>"


@dataclass(frozen=True, slots=True)
class Ipv4Packet:
    """A legal packet; the checksum is computed, never stored. `fragment_offset` is in units of 8 octets."""

    source: bytes
    destination: bytes
    protocol: int
    payload: bytes
    ttl: int = 64
    identification: int = 0
    dont_fragment: bool = False
    more_fragments: bool = False
    fragment_offset: int = 0
    type_of_service: int = 0
    options: bytes = b""

    def __post_init__(self) -> None:
        require_octets(self.source, 4, "the source")
        require_octets(self.destination, 4, "the destination")
        for value, bits, what in (
            (self.protocol, 8, "protocol"),
            (self.ttl, 8, "ttl"),
            (self.identification, 16, "identification"),
            (self.fragment_offset, 13, "fragment_offset"),
            (self.type_of_service, 8, "type_of_service"),
            (HEADER_OCTETS + len(self.options) + len(self.payload), 16, "the total length"),
        ):
            require_range(value, bits, what)
        if len(self.options) % 4 or len(self.options) > 40:
            raise ValueError(f"{len(self.options)} octets of options: a multiple of 4, up to 40")

    @property
    def is_fragment(self) -> bool:
        """More fragments follow, or this is not the first."""
        return self.more_fragments or self.fragment_offset > 0

    def emit(self) -> bytes:
        """Header with its checksum, then the payload."""
        length = HEADER_OCTETS + len(self.options)
        flags = self.dont_fragment << 14 | self.more_fragments << 13 | self.fragment_offset
        header = bytearray(
            _HEADER.pack(
                0x40 | length // 4,
                self.type_of_service,
                length + len(self.payload),
                self.identification,
                flags,
                self.ttl,
                self.protocol,
                0,
                self.source,
                self.destination,
            )
        )
        header += self.options
        header[10:12] = checksum(header).to_bytes(2, "big")
        return bytes(header) + self.payload

    @classmethod
    def parse(cls, buffer: bytes | bytearray | memoryview) -> Self:
        """The packet in these octets, Ethernet padding ignored; Malformed if there is none."""
        view = Ipv4View(buffer)
        if view.problem:
            raise Malformed(view.problem)
        _, service, _, identification, flags, ttl, protocol, _, source, destination = _HEADER.unpack_from(view.buffer)
        return cls(
            source,
            destination,
            protocol,
            bytes(view.payload),
            ttl,
            identification,
            bool(flags & 0x4000),
            bool(flags & 0x2000),
            flags & 0x1FFF,
            service,
            bytes(view.buffer[HEADER_OCTETS : view.header_octets]),
        )

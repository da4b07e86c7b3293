# SPDX-License-Identifier: Apache-2.0
"""Ethernet frames without FCS (IEEE 802.3 3.1.1) and their VLAN tags (802.1Q 9.6).

`EthernetView` reads anything; `EthernetFrame` is always legal. Addresses are 6 octets in transmission order.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from hilnic.wire.malformed import Malformed, number, octets, require_octets, require_range

ADDRESS_OCTETS = 6
HEADER_OCTETS = 14
TAG_OCTETS = 4
SHORTEST_FRAME = 60
BROADCAST = b"\xff" * ADDRESS_OCTETS


class EtherType(IntEnum):
    """Types that this project speaks."""

    IPV4 = 0x0800
    ARP = 0x0806
    VLAN = 0x8100
    PPPOE_DISCOVERY = 0x8863
    PPPOE_SESSION = 0x8864
    SERVICE_VLAN = 0x88A8


_TAGS = (EtherType.VLAN, EtherType.SERVICE_VLAN)


def format_address(address: bytes) -> str:
    """02:00:00:00:00:01."""
    return address.hex(":")


def parse_address(text: str) -> bytes:
    """Six octets of hexadecimal digits, separated by colons or hyphens."""
    address = bytes.fromhex(text.replace(":", "").replace("-", ""))
    require_octets(address, ADDRESS_OCTETS, "an Ethernet address")
    return address


def is_group(address: bytes) -> bool:
    """Multicast or broadcast: the first bit on the wire is set (802.3 3.2.3)."""
    return bool(address[0] & 1)


def padded(frame: bytes) -> bytes:
    """The frame with zero padding to the shortest length (802.3 4.2.3.3)."""
    return frame.ljust(SHORTEST_FRAME, b"\0")


@dataclass(frozen=True, slots=True)
class Tag:
    """A VLAN tag."""

    vlan: int
    priority: int = 0
    drop_eligible: bool = False
    protocol: int = EtherType.VLAN

    def __post_init__(self) -> None:
        require_range(self.vlan, 12, "a VLAN id")
        require_range(self.priority, 3, "a priority")
        if self.protocol not in _TAGS:
            raise ValueError(f"0x{self.protocol:04x} announces no tag")

    @property
    def control(self) -> int:
        """The two octets after the tag's type."""
        return self.priority << 13 | self.drop_eligible << 12 | self.vlan


class EthernetView:
    """Reads a frame of any octets; what is not there reads as zero."""

    __slots__ = ("buffer",)

    def __init__(self, buffer: bytes | bytearray | memoryview) -> None:
        self.buffer = memoryview(buffer)

    @property
    def destination(self) -> bytes:
        """Destination address."""
        return octets(self.buffer, 0, ADDRESS_OCTETS)

    @property
    def source(self) -> bytes:
        """Source address."""
        return octets(self.buffer, ADDRESS_OCTETS, ADDRESS_OCTETS)

    @property
    def tags(self) -> tuple[Tag, ...]:
        """All VLAN tags, the outer one first."""
        found = []
        for offset in range(12, self._type_offset, TAG_OCTETS):
            control = number(self.buffer, offset + 2, 2)
            protocol = number(self.buffer, offset, 2)
            found.append(Tag(control & 0xFFF, control >> 13, bool(control & 0x1000), protocol))
        return tuple(found)

    @property
    def _type_offset(self) -> int:
        """Where the type stands: after complete tags."""
        offset = 12
        while offset + TAG_OCTETS < len(self.buffer) and number(self.buffer, offset, 2) in _TAGS:
            offset += TAG_OCTETS
        return offset

    @property
    def ethertype(self) -> int:
        """Type or length field, behind the tags."""
        return number(self.buffer, self._type_offset, 2)

    @property
    def payload(self) -> memoryview:
        """Everything behind the type, padding included."""
        return self.buffer[self._type_offset + 2 :]

    @property
    def problem(self) -> str:
        """Why this is no legal frame, "" if it is one."""
        if len(self.buffer) < self._type_offset + 2:
            return f"{len(self.buffer)} octets hold no Ethernet header"
        if self.ethertype in _TAGS:
            return "a VLAN tag is cut"
        return "the source is a group address" if is_group(self.source) else ""

    def __repr__(self) -> str:
        """Addresses, type and length."""
        return (
            f"<{format_address(self.source)} > {format_address(self.destination)} "
            f"0x{self.ethertype:04x} {len(self.buffer)} octets>"
        )


@dataclass(frozen=True, slots=True)
class EthernetFrame:
    """A legal frame; `ethertype` up to 1500 is a length field and says nothing about padding here."""

    destination: bytes
    source: bytes
    ethertype: int
    payload: bytes
    tags: tuple[Tag, ...] = ()

    def __post_init__(self) -> None:
        require_octets(self.destination, ADDRESS_OCTETS, "the destination")
        require_octets(self.source, ADDRESS_OCTETS, "the source")
        require_range(self.ethertype, 16, "the type")
        if is_group(self.source):
            raise ValueError("the source is a group address")
        if self.ethertype in _TAGS:
            raise ValueError("the type announces a tag: use tags")

    def emit(self) -> bytes:
        """The octets, without padding and FCS."""
        tags = b"".join(t.protocol.to_bytes(2, "big") + t.control.to_bytes(2, "big") for t in self.tags)
        return b"".join((self.destination, self.source, tags, self.ethertype.to_bytes(2, "big"), self.payload))

    @classmethod
    def parse(cls, buffer: bytes | bytearray | memoryview) -> Self:
        """The frame in these octets (padding stays in the payload); Malformed if there is none."""
        view = EthernetView(buffer)
        if view.problem:
            raise Malformed(view.problem)
        return cls(view.destination, view.source, view.ethertype, bytes(view.payload), view.tags)

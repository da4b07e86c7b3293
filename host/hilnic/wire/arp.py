# SPDX-License-Identifier: Apache-2.0
"""ARP for IPv4 over Ethernet (RFC 826)."""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from hilnic.wire.ethernet import ADDRESS_OCTETS, EtherType, format_address
from hilnic.wire.ipv4 import format_ip
from hilnic.wire.malformed import Malformed, number, octets, require_octets

OCTETS = 28
HARDWARE_ETHERNET = 1
_HEAD = struct.Struct(">HHBBH")


class Operation(IntEnum):
    """What the sender wants."""

    REQUEST = 1
    REPLY = 2


class ArpView:
    """Reads a packet of any octets; what is not there reads as zero."""

    __slots__ = ("buffer",)

    def __init__(self, buffer: bytes | bytearray | memoryview) -> None:
        self.buffer = memoryview(buffer)

    @property
    def operation(self) -> int:
        """1 request, 2 reply."""
        return number(self.buffer, 6, 2)

    @property
    def sender_hardware(self) -> bytes:
        """Sender's Ethernet address."""
        return octets(self.buffer, 8, ADDRESS_OCTETS)

    @property
    def sender_ip(self) -> bytes:
        """Sender's IPv4 address."""
        return octets(self.buffer, 14, 4)

    @property
    def target_hardware(self) -> bytes:
        """Target's Ethernet address; not known in a request."""
        return octets(self.buffer, 18, ADDRESS_OCTETS)

    @property
    def target_ip(self) -> bytes:
        """Target's IPv4 address."""
        return octets(self.buffer, 24, 4)

    @property
    def problem(self) -> str:
        """Why this is no legal packet, "" if it is one."""
        if len(self.buffer) < OCTETS:
            return f"ARP has {OCTETS} octets, {len(self.buffer)} are left"
        if _HEAD.unpack_from(self.buffer)[:4] != (HARDWARE_ETHERNET, EtherType.IPV4, ADDRESS_OCTETS, 4):
            return "not IPv4 over Ethernet"
        return "" if self.operation in {1, 2} else f"operation {self.operation}"

    def __repr__(self) -> str:
        """Who asks or tells what."""
        return f"<ARP {self.operation} {format_ip(self.sender_ip)} is {format_address(self.sender_hardware)}>"


@dataclass(frozen=True, slots=True)
class ArpPacket:
    """A legal request or reply."""

    operation: Operation
    sender_hardware: bytes
    sender_ip: bytes
    target_hardware: bytes
    target_ip: bytes

    def __post_init__(self) -> None:
        require_octets(self.sender_hardware, ADDRESS_OCTETS, "sender_hardware")
        require_octets(self.target_hardware, ADDRESS_OCTETS, "target_hardware")
        require_octets(self.sender_ip, 4, "sender_ip")
        require_octets(self.target_ip, 4, "target_ip")

    def emit(self) -> bytes:
        """The 28 octets."""
        head = _HEAD.pack(HARDWARE_ETHERNET, EtherType.IPV4, ADDRESS_OCTETS, 4, self.operation)
        return b"".join((head, self.sender_hardware, self.sender_ip, self.target_hardware, self.target_ip))

    @classmethod
    def parse(cls, buffer: bytes | bytearray | memoryview) -> Self:
        """The packet in these octets, padding ignored; Malformed if there is none."""
        view = ArpView(buffer)
        if view.problem:
            raise Malformed(view.problem)
        operation = Operation(view.operation)
        return cls(operation, view.sender_hardware, view.sender_ip, view.target_hardware, view.target_ip)

    def reply(self, hardware: bytes) -> Self:
        """What the owner of `target_ip` answers to this request."""
        return type(self)(Operation.REPLY, hardware, self.target_ip, self.sender_hardware, self.sender_ip)

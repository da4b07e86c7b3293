# SPDX-License-Identifier: Apache-2.0
"""ICMP echo (RFC 792)."""

import struct
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Self

from hilnic.wire.checksum import checksum
from hilnic.wire.malformed import Malformed, number, require_range

HEADER_OCTETS = 8
_HEADER = struct.Struct(">BBHHH")


class IcmpType(IntEnum):
    """The two messages that are built."""

    ECHO_REPLY = 0
    ECHO_REQUEST = 8


class IcmpView:
    """Reads a message of any octets; what is not there reads as zero."""

    __slots__ = ("buffer",)

    def __init__(self, buffer: bytes | bytearray | memoryview) -> None:
        self.buffer = memoryview(buffer)

    @property
    def type(self) -> int:
        """Which message."""
        return number(self.buffer, 0, 1)

    @property
    def code(self) -> int:
        """Its variant."""
        return number(self.buffer, 1, 1)

    @property
    def identifier(self) -> int:
        """Of an echo: who asks."""
        return number(self.buffer, 4, 2)

    @property
    def sequence(self) -> int:
        """Of an echo: which of them."""
        return number(self.buffer, 6, 2)

    @property
    def data(self) -> memoryview:
        """Of an echo: what comes back."""
        return self.buffer[HEADER_OCTETS:]

    @property
    def problem(self) -> str:
        """Why this is no legal echo, "" if it is one."""
        if len(self.buffer) < HEADER_OCTETS:
            return f"ICMP echo needs {HEADER_OCTETS} octets, {len(self.buffer)} are left"
        if (self.type, self.code) not in {(0, 0), (8, 0)}:
            return f"type {self.type} code {self.code} is no echo"
        return "checksum" if checksum(self.buffer) else ""

    def __repr__(self) -> str:
        """Type and numbers."""
        return f"<ICMP {self.type}/{self.code} {self.identifier}:{self.sequence} {len(self.data)} octets>"


@dataclass(frozen=True, slots=True)
class IcmpEcho:
    """A legal echo request or reply."""

    type: IcmpType
    identifier: int
    sequence: int
    data: bytes = b""

    def __post_init__(self) -> None:
        require_range(self.identifier, 16, "identifier")
        require_range(self.sequence, 16, "sequence")

    def emit(self) -> bytes:
        """The message with its checksum."""
        message = bytearray(_HEADER.pack(self.type, 0, 0, self.identifier, self.sequence) + self.data)
        message[2:4] = checksum(message).to_bytes(2, "big")
        return bytes(message)

    @classmethod
    def parse(cls, buffer: bytes | bytearray | memoryview) -> Self:
        """The echo in these octets; Malformed if there is none."""
        view = IcmpView(buffer)
        if view.problem:
            raise Malformed(view.problem)
        return cls(IcmpType(view.type), view.identifier, view.sequence, bytes(view.data))

    def reply(self) -> Self:
        """What is answered to this request."""
        return replace(self, type=IcmpType.ECHO_REPLY)

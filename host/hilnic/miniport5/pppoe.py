# SPDX-License-Identifier: Apache-2.0
"""PPP over Ethernet on the wire (RFC 2516): the headers of both stages, and the tags of discovery.

| Ethernet 14: to, from, 0x8863 or 0x8864 | 0x11 | code | session id | length | `length` bytes | padding |
discovery: tags, each | type 2 | length 2 | value |;  session: code 0, a PPP frame from its protocol field on
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

__all__ = ["HEADERS", "Code", "DiscoveryFrame", "Tag", "discovery_frame", "parse_discovery"]

DISCOVERY, SESSION = 0x8863, 0x8864
"""EtherTypes of the stages."""
VERSION_AND_TYPE = 0x11
HEADERS = struct.Struct(">6s6sHBBHH")
PPPOE_BYTES = 6
LONGEST_PADI = 1484
"""Bytes of a PADI with its PPPoE header, that a relay may add its tag."""
BROADCAST = b"\xff" * 6
NO_SESSION, RESERVED_SESSION = 0, 0xFFFF
_TAG = struct.Struct(">HH")
TAG_BYTES = _TAG.size


class Code(IntEnum):
    """What a frame is; SESSION is that of the other stage."""

    SESSION = 0x00
    PADO = 0x07
    PADI = 0x09
    PADR = 0x19
    PADS = 0x65
    PADT = 0xA7


class Tag(IntEnum):
    """Types of tags (RFC 2516, appendix A)."""

    END_OF_LIST = 0x0000
    SERVICE_NAME = 0x0101
    AC_NAME = 0x0102
    HOST_UNIQ = 0x0103
    AC_COOKIE = 0x0104
    RELAY_SESSION_ID = 0x0110
    SERVICE_NAME_ERROR = 0x0201
    AC_SYSTEM_ERROR = 0x0202
    GENERIC_ERROR = 0x0203


ERRORS = frozenset({Tag.SERVICE_NAME_ERROR, Tag.AC_SYSTEM_ERROR, Tag.GENERIC_ERROR})
Tags = Iterable[tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class DiscoveryFrame:
    """A whole discovery frame that came in; `tags` in order, without the end of the list."""

    source: bytes
    code: int
    session_id: int
    tags: tuple[tuple[int, bytes], ...]

    def values(self, tag: Tag) -> list[bytes]:
        """Of every tag of this type."""
        return [value for kind, value in self.tags if kind == tag]

    @property
    def is_error(self) -> bool:
        """Does the other side refuse?"""
        return any(kind in ERRORS for kind, _ in self.tags)


def discovery_frame(destination: bytes, source: bytes, code: Code, session_id: int, tags: Tags) -> bytes:
    """A frame to send, without padding."""
    body = b"".join(_TAG.pack(kind, len(value)) + value for kind, value in tags)
    return HEADERS.pack(destination, source, DISCOVERY, VERSION_AND_TYPE, code, session_id, len(body)) + body


def parse_discovery(data: bytes) -> DiscoveryFrame | None:
    """None when the frame is not a whole one: another version, a length or a tag beyond its end, from a group."""
    if len(data) < HEADERS.size:
        return None
    _, source, _, version, code, session_id, length = HEADERS.unpack_from(data)
    body = data[HEADERS.size : HEADERS.size + length]
    if version != VERSION_AND_TYPE or len(body) < length or source[0] & 1:
        return None
    tags = _parse_tags(body)
    return None if tags is None else DiscoveryFrame(source, code, session_id, tags)


def _parse_tags(body: bytes) -> tuple[tuple[int, bytes], ...] | None:
    tags: list[tuple[int, bytes]] = []
    at = 0
    while at < len(body):
        if at + _TAG.size > len(body):
            return None
        kind, length = _TAG.unpack_from(body, at)
        if kind == Tag.END_OF_LIST:
            break
        at += _TAG.size + length
        if at > len(body):
            return None
        tags.append((kind, body[at - length : at]))
    return tuple(tags)

# SPDX-License-Identifier: Apache-2.0
"""PPP over Ethernet (RFC 2516): frames of both stages, and an access concentrator for the far end of a link.

The miniport has a codec of its own (miniport5/pppoe.py): here the octets are written down a second time.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Self

from hilnic.wire.ethernet import BROADCAST, EthernetFrame, EtherType
from hilnic.wire.malformed import Malformed

__all__ = ["AccessConcentrator", "PppoeCode", "PppoeFrame", "PppoeTag"]

VERSION_AND_TYPE = 0x11
_HEAD = struct.Struct(">BBHH")
_TAG = struct.Struct(">HH")


class PppoeCode(IntEnum):
    """What a frame is."""

    SESSION = 0x00
    PADO = 0x07
    PADI = 0x09
    PADR = 0x19
    PADS = 0x65
    PADT = 0xA7


class PppoeTag(IntEnum):
    """Types of tags (appendix A)."""

    END_OF_LIST = 0x0000
    SERVICE_NAME = 0x0101
    AC_NAME = 0x0102
    HOST_UNIQ = 0x0103
    AC_COOKIE = 0x0104
    RELAY_SESSION_ID = 0x0110
    SERVICE_NAME_ERROR = 0x0201
    AC_SYSTEM_ERROR = 0x0202
    GENERIC_ERROR = 0x0203


_TO_BRING_BACK = frozenset({PppoeTag.AC_COOKIE, PppoeTag.RELAY_SESSION_ID})


@dataclass(frozen=True, slots=True)
class PppoeFrame:
    """What follows the EtherType."""

    code: int
    session_id: int
    payload: bytes

    def emit(self) -> bytes:
        """The octets, without padding."""
        return _HEAD.pack(VERSION_AND_TYPE, self.code, self.session_id, len(self.payload)) + self.payload

    @classmethod
    def parse(cls, buffer: bytes) -> Self:
        """The frame in these octets, padding ignored; Malformed if there is none."""
        if len(buffer) < _HEAD.size:
            raise Malformed(f"PPPoE has {_HEAD.size} octets of header, {len(buffer)} are left")
        version, code, session_id, length = _HEAD.unpack_from(buffer)
        payload = bytes(buffer[_HEAD.size : _HEAD.size + length])
        if version != VERSION_AND_TYPE or len(payload) != length:
            raise Malformed("another version, or shorter than it says")
        return cls(code, session_id, payload)

    @classmethod
    def discovery(cls, code: int, session_id: int, tags: dict[int, bytes]) -> Self:
        """A frame of the discovery stage with these tags, in order."""
        return cls(code, session_id, b"".join(_TAG.pack(kind, len(value)) + value for kind, value in tags.items()))

    @property
    def tags(self) -> dict[int, bytes]:
        """Of a discovery frame; Malformed when one does not fit or comes twice."""
        found: dict[int, bytes] = {}
        rest = self.payload
        while rest:
            if len(rest) < _TAG.size or len(rest) < _TAG.size + _TAG.unpack_from(rest)[1]:
                raise Malformed("a tag goes beyond the frame")
            kind, length = _TAG.unpack_from(rest)
            if kind in found:
                raise Malformed(f"tag {kind:#06x} twice")
            found[kind] = rest[_TAG.size : _TAG.size + length]
            rest = rest[_TAG.size + length :]
        return found


@dataclass(slots=True)
class AccessConcentrator:
    """Answers a host by the book: PADI with PADO, PADR with PADS; whoever owns the wire calls `receive`."""

    send: Callable[[bytes], None]
    address: bytes
    name: bytes = b"ac"
    services: tuple[bytes, ...] = (b"",)
    next_session: int = 0x1234
    extra: dict[int, bytes] = field(default_factory=lambda: {PppoeTag.AC_COOKIE: b"cookie"})
    """Tags of an offer; the host has to bring cookie and relay tags back."""
    deaf_to: int = 0
    """That many discovery frames more go unanswered."""
    heard: list[PppoeFrame] = field(default_factory=list)
    """Discovery frames of hosts, in order."""
    sessions: dict[int, bytes] = field(default_factory=dict)
    """Session id -> the host's address."""

    def receive(self, data: bytes) -> None:
        """A frame from the wire; what is no discovery is nobody's here."""
        frame = EthernetFrame.parse(data)
        if frame.ethertype != EtherType.PPPOE_DISCOVERY or frame.destination not in {self.address, BROADCAST}:
            return
        heard = PppoeFrame.parse(frame.payload)
        self.heard.append(heard)
        if self.deaf_to:
            self.deaf_to -= 1
        elif heard.code == PppoeCode.PADI:
            self._offer(frame.source, heard.tags)
        elif heard.code == PppoeCode.PADR:
            self._confirm(frame.source, heard.tags)
        elif heard.code == PppoeCode.PADT:
            self.sessions.pop(heard.session_id, None)

    def answer(self, host: bytes, code: int, session_id: int, tags: dict[int, bytes]) -> None:
        """Send a discovery frame."""
        payload = PppoeFrame.discovery(code, session_id, tags).emit()
        self.send(EthernetFrame(host, self.address, EtherType.PPPOE_DISCOVERY, payload).emit())

    def terminate(self, session_id: int) -> None:
        """PADT."""
        self.answer(self.sessions.pop(session_id), PppoeCode.PADT, session_id, {})

    def _offer(self, host: bytes, tags: dict[int, bytes]) -> None:
        service = tags[PppoeTag.SERVICE_NAME]
        if service in self.services:
            offer: dict[int, bytes] = {PppoeTag.AC_NAME: self.name, PppoeTag.SERVICE_NAME: service}
            offer[PppoeTag.HOST_UNIQ] = tags[PppoeTag.HOST_UNIQ]
            self.answer(host, PppoeCode.PADO, 0, offer | self.extra)

    def _confirm(self, host: bytes, tags: dict[int, bytes]) -> None:
        back: dict[int, bytes] = {kind: tags[kind] for kind in (PppoeTag.SERVICE_NAME, PppoeTag.HOST_UNIQ)}
        given = {kind: value for kind, value in self.extra.items() if kind in _TO_BRING_BACK}
        if any(tags.get(kind) != value for kind, value in given.items()):
            self.answer(host, PppoeCode.PADS, 0, {**back, PppoeTag.GENERIC_ERROR: b"no cookie of mine"})
            return
        session_id, self.next_session = self.next_session, self.next_session + 1
        self.sessions[session_id] = host
        self.answer(host, PppoeCode.PADS, session_id, back)

# SPDX-License-Identifier: Apache-2.0
"""Messages to octets and back. Whatever the octets are, `decode` gives a message or raises DecodeError, nothing else.

octet 0      protocol discriminator
octet 1      version
octet 2      message type
octet 3      transaction
octet 4-5    bit 15: sent to the side that allotted the reference; 14-0 call reference, 0 = the link
octet 6-7    length of the information elements
octet 8-11   verification tag
octet 12-17  destination station
octet 18-23  source station
octet 24..   information elements; what follows them is padding
"""

from __future__ import annotations

import struct
from enum import Enum
from typing import Any, NamedTuple, get_args

from hilnic.signalling.causes import Cause
from hilnic.signalling.contents import BadLength
from hilnic.signalling.elements import Element
from hilnic.signalling.messages import GLOBAL_REFERENCE, HIGHEST_REFERENCE, LAYOUTS, Header, Layout, Message, Scope

PROTOCOL_DISCRIMINATOR = 0x48
VERSION = 1
ELEMENTS_TYPE = 0x48
"""The type of call manager parameters that are information elements one after the other."""
HEADER_OCTETS = 24
LONGEST_MESSAGE = 512
MOST_ELEMENTS = 16
"""In one message, also of kinds not known here."""
_KINDS: dict[int, type[Any]] = {kind.IDENTIFIER: kind for kind in get_args(Element)}
_HEADER = struct.Struct(">BBBBHHI6s6s")
_ELEMENT = struct.Struct(">BBH")
_TO_ORIGINATOR = 0x8000
_REFUSE_IF_UNKNOWN = 1


class Malformed(Enum):
    """What is wrong with the octets; the value is the cause to answer with."""

    TOO_SHORT = (1, Cause.INCORRECT_MESSAGE_LENGTH)
    TOO_LONG = (2, Cause.INCORRECT_MESSAGE_LENGTH)
    TRUNCATED = (3, Cause.INCORRECT_MESSAGE_LENGTH)
    OTHER_PROTOCOL = (4, Cause.PROTOCOL_ERROR)
    OTHER_VERSION = (5, Cause.PROTOCOL_ERROR)
    UNKNOWN_MESSAGE = (6, Cause.MESSAGE_NOT_IMPLEMENTED)
    WRONG_REFERENCE = (7, Cause.INVALID_CALL_REFERENCE)
    ELEMENT_OVERRUN = (8, Cause.INCORRECT_MESSAGE_LENGTH)
    TOO_MANY_ELEMENTS = (9, Cause.PROTOCOL_ERROR)
    UNKNOWN_ELEMENT = (10, Cause.ELEMENT_NOT_IMPLEMENTED)
    REPEATED_ELEMENT = (11, Cause.INVALID_ELEMENT_CONTENTS)
    WRONG_ELEMENT_LENGTH = (12, Cause.INVALID_ELEMENT_CONTENTS)
    WRONG_ELEMENT_VALUE = (13, Cause.INVALID_ELEMENT_CONTENTS)
    MISSING_ELEMENT = (14, Cause.MANDATORY_ELEMENT_MISSING)

    @property
    def cause(self) -> Cause:
        """The cause to answer with, if an answer is due."""
        return self.value[1]


class DecodeError(ValueError):
    """The octets are no message.

    `header` is None when not even that is legible, and `message_type` then is 0; `element` is the identifier of the
    information element at fault, 0 for none.
    """

    def __init__(
        self, kind: Malformed, text: str = "", header: Header | None = None, message_type: int = 0, element: int = 0
    ) -> None:
        super().__init__(f"{kind.name}: {text}" if text else kind.name)
        self.kind, self.header, self.message_type, self.element = kind, header, message_type, element


class Packet(NamedTuple):
    """What came: header and message."""

    header: Header
    message: Message


def encode(header: Header, message: Message) -> bytes:
    """The octets of a message; ValueError when it would be longer than LONGEST_MESSAGE."""
    elements = b"".join(
        _element(part.element.IDENTIFIER, value.pack())
        for part in LAYOUTS[message.TYPE].parts
        if (value := getattr(message, part.name)) is not None
    )
    if HEADER_OCTETS + len(elements) > LONGEST_MESSAGE:
        raise ValueError(f"{type(message).__name__} of {HEADER_OCTETS + len(elements)} octets")
    reference = header.reference | (_TO_ORIGINATOR if header.to_originator else 0)
    head = (PROTOCOL_DISCRIMINATOR, header.version, message.TYPE, header.transaction, reference)
    return _HEADER.pack(*head, len(elements), header.tag, header.destination, header.source) + elements


def _element(identifier: int, contents: bytes) -> bytes:
    return _ELEMENT.pack(identifier, _REFUSE_IF_UNKNOWN, len(contents)) + contents


def decode(octets: bytes | bytearray | memoryview) -> Packet:
    """The message in the octets; DecodeError says what is wrong with them. Padding behind it is left alone."""
    header, message_type, body = _split(bytes(octets))
    layout = LAYOUTS.get(message_type)
    if layout is None:
        raise DecodeError(Malformed.UNKNOWN_MESSAGE, hex(message_type), header, message_type)
    of_the_link = header.reference == GLOBAL_REFERENCE
    if layout.scope is not Scope.EITHER and (layout.scope is Scope.LINK) is not of_the_link:
        raise DecodeError(Malformed.WRONG_REFERENCE, str(header.reference), header, message_type)
    try:
        return Packet(header, layout.message(**_elements(layout, body)))
    except DecodeError as error:
        error.header, error.message_type = header, message_type
        raise


def encode_elements(*elements: Element) -> bytes:
    """Information elements one after the other: how call parameters carry addresses and user data."""
    return b"".join(_element(element.IDENTIFIER, element.pack()) for element in elements)


def decode_elements(octets: bytes) -> dict[type[Any], Any]:
    """By class; DecodeError for anything that is not wholly known, and each once."""
    found: dict[type[Any], Any] = {}
    for identifier, _, contents in _walk(octets):
        element = _KINDS.get(identifier)
        if element is None:
            raise DecodeError(Malformed.UNKNOWN_ELEMENT, hex(identifier), element=identifier)
        if element in found:
            raise DecodeError(Malformed.REPEATED_ELEMENT, element.__name__, element=identifier)
        found[element] = _unpack(element, contents)
    return found


def _split(octets: bytes) -> tuple[Header, int, bytes]:
    """(header, message type, the information elements)."""
    if len(octets) < HEADER_OCTETS:
        raise DecodeError(Malformed.TOO_SHORT, f"{len(octets)} octets")
    discriminator, version, message_type, transaction, reference, length, *rest = _HEADER.unpack_from(octets)
    if discriminator != PROTOCOL_DISCRIMINATOR:
        raise DecodeError(Malformed.OTHER_PROTOCOL, hex(discriminator))
    value, to_originator = reference & HIGHEST_REFERENCE, bool(reference & _TO_ORIGINATOR)
    tag, destination, source = rest
    header = Header(destination, source, tag, value, to_originator, transaction, version)
    if version != VERSION:
        raise DecodeError(Malformed.OTHER_VERSION, str(version), header, message_type)
    if HEADER_OCTETS + length > LONGEST_MESSAGE:
        raise DecodeError(Malformed.TOO_LONG, f"{length} octets of elements", header, message_type)
    if HEADER_OCTETS + length > len(octets):
        raise DecodeError(Malformed.TRUNCATED, f"{len(octets)} octets", header, message_type)
    return header, message_type, octets[HEADER_OCTETS : HEADER_OCTETS + length]


def _elements(layout: Layout, body: bytes) -> dict[str, Any]:
    """The fields of the message."""
    parts = {part.element.IDENTIFIER: part for part in layout.parts}
    fields: dict[str, Any] = {}
    for identifier, instruction, contents in _walk(body):
        part = parts.get(identifier)
        if part is None:
            if instruction & _REFUSE_IF_UNKNOWN:
                raise DecodeError(Malformed.UNKNOWN_ELEMENT, hex(identifier), element=identifier)
            continue
        if part.name in fields:
            raise DecodeError(Malformed.REPEATED_ELEMENT, part.name, element=identifier)
        fields[part.name] = _unpack(part.element, contents)
    for part in layout.parts:
        if part.mandatory and part.name not in fields:
            raise DecodeError(Malformed.MISSING_ELEMENT, part.name, element=part.element.IDENTIFIER)
    return fields


def _walk(body: bytes) -> list[tuple[int, int, bytes]]:
    """(identifier, instruction, contents) of each information element."""
    found: list[tuple[int, int, bytes]] = []
    at = 0
    while at < len(body):
        if len(found) == MOST_ELEMENTS:
            raise DecodeError(Malformed.TOO_MANY_ELEMENTS)
        if at + _ELEMENT.size > len(body):
            raise DecodeError(Malformed.ELEMENT_OVERRUN)
        identifier, instruction, length = _ELEMENT.unpack_from(body, at)
        at += _ELEMENT.size
        if at + length > len(body):
            raise DecodeError(Malformed.ELEMENT_OVERRUN, element=identifier)
        found.append((identifier, instruction, body[at : at + length]))
        at += length
    return found


def _unpack(element: type[Any], contents: bytes) -> Any:
    try:
        return element.unpack(contents)
    except BadLength as error:
        kind = Malformed.WRONG_ELEMENT_LENGTH
        raise DecodeError(kind, f"{element.__name__}: {error}", element=element.IDENTIFIER) from error
    except ValueError as error:
        kind = Malformed.WRONG_ELEMENT_VALUE
        raise DecodeError(kind, f"{element.__name__}: {error}", element=element.IDENTIFIER) from error

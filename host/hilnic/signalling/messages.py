# SPDX-License-Identifier: Apache-2.0
"""The messages: one frozen dataclass each, whose fields are its information elements; what may be None is optional.

Names and, where there is one, the type code are those of Q.2931, Q.2971 (parties) and Q.2963.1 (modification).
"""

from __future__ import annotations

import types
import typing
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from hilnic.signalling.contract import TrafficContract
from hilnic.signalling.elements import (
    CalledAddress,
    CallingAddress,
    CallState,
    CauseElement,
    ConnectionIdentifier,
    EndpointReference,
    GroupAddress,
    Incarnation,
    UserData,
    Versions,
)


class MessageType(IntEnum):
    """Octet 2 of the header."""

    CALL_PROCEEDING = 0x02
    SETUP = 0x05
    CONNECT = 0x07
    CONNECT_ACKNOWLEDGE = 0x0F
    RESTART = 0x46
    RELEASE = 0x4D
    RESTART_ACKNOWLEDGE = 0x4E
    RELEASE_COMPLETE = 0x5A
    STATUS_ENQUIRY = 0x75
    STATUS = 0x7D
    ADD_PARTY = 0x80
    ADD_PARTY_ACKNOWLEDGE = 0x81
    ADD_PARTY_REJECT = 0x82
    DROP_PARTY = 0x83
    DROP_PARTY_ACKNOWLEDGE = 0x84
    PARTY_ALERTING = 0x85
    MODIFY_REQUEST = 0x88
    MODIFY_ACKNOWLEDGE = 0x89
    MODIFY_REJECT = 0x8A


class Scope(IntEnum):
    """What a message speaks of."""

    LINK = 0
    CALL = 1
    EITHER = 2


GLOBAL_REFERENCE = 0
HIGHEST_REFERENCE = 0x7FFF


@dataclass(frozen=True, slots=True)
class Header:
    """Octets 0 to 23 but for type and length.

    `reference` is GLOBAL_REFERENCE for the link, else the call's number at the side that allotted it; `to_originator`
    is set in what is sent to that side. `transaction` numbers requests within a call; an answer repeats it. `tag` is
    the receiver's incarnation, 0 in RESTART. The signalling VC reaches every station, hence the two addresses.
    """

    destination: bytes
    source: bytes
    tag: int = 0
    reference: int = GLOBAL_REFERENCE
    to_originator: bool = False
    transaction: int = 0
    version: int = 1


@dataclass(frozen=True, slots=True)
class Setup:
    """A call is wanted."""

    TYPE: ClassVar = MessageType.SETUP
    called: CalledAddress
    calling: CallingAddress
    contract: TrafficContract
    connection: ConnectionIdentifier
    group: GroupAddress | None = None
    endpoint: EndpointReference | None = None
    user_data: UserData | None = None


@dataclass(frozen=True, slots=True)
class CallProceeding:
    """SETUP has arrived; the called client is being asked."""

    TYPE: ClassVar = MessageType.CALL_PROCEEDING


@dataclass(frozen=True, slots=True)
class Connect:
    """The called client accepts; the contract and the one VLAN id that hold."""

    TYPE: ClassVar = MessageType.CONNECT
    contract: TrafficContract
    connection: ConnectionIdentifier
    user_data: UserData | None = None


@dataclass(frozen=True, slots=True)
class ConnectAcknowledge:
    """The calling side has activated the connection."""

    TYPE: ClassVar = MessageType.CONNECT_ACKNOWLEDGE


@dataclass(frozen=True, slots=True)
class Release:
    """The sender has left the call and sends nothing on its connection any more."""

    TYPE: ClassVar = MessageType.RELEASE
    cause: CauseElement
    user_data: UserData | None = None


@dataclass(frozen=True, slots=True)
class ReleaseComplete:
    """The sender knows nothing of the call any more."""

    TYPE: ClassVar = MessageType.RELEASE_COMPLETE
    cause: CauseElement
    user_data: UserData | None = None


@dataclass(frozen=True, slots=True)
class Restart:
    """The sender's end of the link begins anew; calls of its former incarnation are gone."""

    TYPE: ClassVar = MessageType.RESTART
    SCOPE: ClassVar = Scope.LINK
    versions: Versions
    incarnation: Incarnation


@dataclass(frozen=True, slots=True)
class RestartAcknowledge:
    """The answer: the version chosen (lowest = highest), or a range when there is none in common."""

    TYPE: ClassVar = MessageType.RESTART_ACKNOWLEDGE
    SCOPE: ClassVar = Scope.LINK
    versions: Versions
    incarnation: Incarnation


@dataclass(frozen=True, slots=True)
class StatusEnquiry:
    """What is the state of this call, or of the link?"""

    TYPE: ClassVar = MessageType.STATUS_ENQUIRY
    SCOPE: ClassVar = Scope.EITHER


@dataclass(frozen=True, slots=True)
class Status:
    """The sender's state of the call or of the link, and why it says so."""

    TYPE: ClassVar = MessageType.STATUS
    SCOPE: ClassVar = Scope.EITHER
    cause: CauseElement
    state: CallState


@dataclass(frozen=True, slots=True)
class AddParty:
    """A further party is wanted for a multipoint call; the VLAN id is the call's."""

    TYPE: ClassVar = MessageType.ADD_PARTY
    called: CalledAddress
    calling: CallingAddress
    contract: TrafficContract
    connection: ConnectionIdentifier
    group: GroupAddress
    endpoint: EndpointReference
    user_data: UserData | None = None


@dataclass(frozen=True, slots=True)
class PartyAlerting:
    """ADD PARTY has arrived; the called client is being asked."""

    TYPE: ClassVar = MessageType.PARTY_ALERTING
    endpoint: EndpointReference


@dataclass(frozen=True, slots=True)
class AddPartyAcknowledge:
    """The called client takes part."""

    TYPE: ClassVar = MessageType.ADD_PARTY_ACKNOWLEDGE
    endpoint: EndpointReference
    user_data: UserData | None = None


@dataclass(frozen=True, slots=True)
class AddPartyReject:
    """It does not."""

    TYPE: ClassVar = MessageType.ADD_PARTY_REJECT
    cause: CauseElement
    endpoint: EndpointReference | None = None
    user_data: UserData | None = None


@dataclass(frozen=True, slots=True)
class DropParty:
    """The root drops the party, or the party leaves."""

    TYPE: ClassVar = MessageType.DROP_PARTY
    cause: CauseElement
    endpoint: EndpointReference
    user_data: UserData | None = None


@dataclass(frozen=True, slots=True)
class DropPartyAcknowledge:
    """The sender knows nothing of the party any more."""

    TYPE: ClassVar = MessageType.DROP_PARTY_ACKNOWLEDGE
    cause: CauseElement
    endpoint: EndpointReference | None = None


@dataclass(frozen=True, slots=True)
class ModifyRequest:
    """The originator of an active call wants this contract instead."""

    TYPE: ClassVar = MessageType.MODIFY_REQUEST
    contract: TrafficContract


@dataclass(frozen=True, slots=True)
class ModifyAcknowledge:
    """The other side has it."""

    TYPE: ClassVar = MessageType.MODIFY_ACKNOWLEDGE
    contract: TrafficContract


@dataclass(frozen=True, slots=True)
class ModifyReject:
    """The old contract stays."""

    TYPE: ClassVar = MessageType.MODIFY_REJECT
    cause: CauseElement


Message = (
    Setup
    | CallProceeding
    | Connect
    | ConnectAcknowledge
    | Release
    | ReleaseComplete
    | Restart
    | RestartAcknowledge
    | StatusEnquiry
    | Status
    | AddParty
    | PartyAlerting
    | AddPartyAcknowledge
    | AddPartyReject
    | DropParty
    | DropPartyAcknowledge
    | ModifyRequest
    | ModifyAcknowledge
    | ModifyReject
)


@dataclass(frozen=True, slots=True)
class Part:
    """A field of a message: its name, the class of its element, and whether it must be there."""

    name: str
    element: type[typing.Any]
    mandatory: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """What the codec and the message table of docs/signalling.md know of a message."""

    message: type[typing.Any]
    scope: Scope
    parts: tuple[Part, ...]


def _layout(message: type[typing.Any]) -> Layout:
    parts = []
    for name, kind in typing.get_type_hints(message).items():
        if typing.get_origin(kind) is ClassVar or kind is ClassVar:
            continue
        optional = isinstance(kind, types.UnionType)
        element = typing.get_args(kind)[0] if optional else kind
        parts.append(Part(name, element, not optional))
    return Layout(message, getattr(message, "SCOPE", Scope.CALL), tuple(parts))


LAYOUTS: dict[int, Layout] = {kind.TYPE: _layout(kind) for kind in typing.get_args(Message)}
"""By message type."""

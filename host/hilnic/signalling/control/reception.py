# SPDX-License-Identifier: Apache-2.0
"""From octets to the input of a leg or of a link; what belongs to neither is answered here, and leaves nothing behind.

The order of the checks: a message (codec), for this station, of a peer with a link, of both ends' present incarnation,
of a leg that there is, allowed in that direction, not late. What fails one is counted (`Counted`) and changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilnic.signalling.causes import Cause
from hilnic.signalling.codec import DecodeError, Malformed, decode
from hilnic.signalling.control.actions import VERSIONS
from hilnic.signalling.control.leg import Leg, Link
from hilnic.signalling.control.limits import Counted
from hilnic.signalling.control.states import LegInput, LegState, LinkInput, LinkState
from hilnic.signalling.elements import CallState, CauseElement, Incarnation
from hilnic.signalling.messages import (
    GLOBAL_REFERENCE,
    AddParty,
    AddPartyReject,
    DropParty,
    DropPartyAcknowledge,
    Header,
    Message,
    MessageType,
    Release,
    ReleaseComplete,
    Restart,
    RestartAcknowledge,
    Setup,
    Status,
    StatusEnquiry,
)

if TYPE_CHECKING:
    from hilnic.signalling.control.machine import CallControl

_M = MessageType
_INPUTS: dict[MessageType, LegInput] = {
    kind: LegInput[kind.name] for kind in _M if kind.name in LegInput.__members__ and kind is not _M.MODIFY_REQUEST
} | {_M.MODIFY_REQUEST: LegInput.MODIFY_REQUESTED}
_FROM_ORIGINATOR = frozenset({_M.SETUP, _M.CONNECT_ACKNOWLEDGE, _M.ADD_PARTY, _M.MODIFY_REQUEST})
_TO_ORIGINATOR = frozenset(
    {
        _M.CALL_PROCEEDING,
        _M.CONNECT,
        _M.PARTY_ALERTING,
        _M.ADD_PARTY_ACKNOWLEDGE,
        _M.ADD_PARTY_REJECT,
        _M.MODIFY_ACKNOWLEDGE,
        _M.MODIFY_REJECT,
    }
)
_ENDS = frozenset({_M.RELEASE_COMPLETE, _M.ADD_PARTY_REJECT, _M.DROP_PARTY_ACKNOWLEDGE, _M.STATUS})
"""What is never answered, so that no two stations answer each other for ever."""
_UP = frozenset({LinkState.UP, LinkState.ENQUIRY})


def receive(control: CallControl, octets: bytes) -> None:
    """One message from the signalling VC."""
    control.statistics.received += 1
    try:
        header, message = decode(octets)
    except DecodeError as error:
        _count(control, Counted.MALFORMED)
        _answer_malformed(control, error)
        return
    if not _is_for(control, header):
        _count(control, Counted.NOT_FOR_US)
    elif isinstance(message, Restart):
        _restart(control, header, message)
    elif isinstance(message, RestartAcknowledge):
        _restart_acknowledge(control, header, message)
    else:
        link = _link_of(control, header)
        if link is not None:
            _message(control, link, header, message)


def _count(control: CallControl, why: Counted) -> None:
    control.statistics.not_taken[why] += 1


def _is_for(control: CallControl, header: Header) -> bool:
    return header.destination == control.address != header.source and not header.source[0] & 1


def _restart(control: CallControl, header: Header, message: Restart) -> None:
    """The peer's end begins a new life, or says again that it has."""
    link = control.link_to(header.source)
    if link is None:
        _count(control, Counted.TOO_MANY)
        return
    number, known = message.incarnation.number, link.peer_incarnation
    if message.versions.lowest > VERSIONS.highest or message.versions.highest < VERSIONS.lowest:
        answer = RestartAcknowledge(VERSIONS, Incarnation(link.incarnation))
        control.transmit_to(header.source, answer, tag=number)
        _no_common_version(control, link)
    elif known == 0:
        control.link_input(link, LinkInput.RESTART, message)
    elif number == known:
        control.link_input(link, LinkInput.RESTART_REPEATED, message)
    elif (number - known) & 0xFFFFFFFF < 1 << 31:
        control.link_input(link, LinkInput.RESTART, message)
    else:
        _count(control, Counted.OLD_RESTART)


def _restart_acknowledge(control: CallControl, header: Header, message: RestartAcknowledge) -> None:
    link = control.links.get(header.source)
    if link is None or header.tag != link.incarnation:
        _count(control, Counted.STRANGE_TAG)
    elif VERSIONS.lowest <= message.versions.lowest == message.versions.highest <= VERSIONS.highest:
        if not control.link_input(link, LinkInput.RESTART_ACKNOWLEDGE, message):
            _count(control, Counted.LATE)
    else:
        _no_common_version(control, link)


def _no_common_version(control: CallControl, link: Link) -> None:
    link.failure = Cause.INCOMPATIBLE_DESTINATION
    control.link_input(link, LinkInput.NO_COMMON_VERSION)


def _link_of(control: CallControl, header: Header) -> Link | None:
    """The link of a message of the present incarnations, which shows that the peer is there; None: it is not."""
    link = control.links.get(header.source)
    if link is None:
        _count(control, Counted.UNKNOWN_PEER)
        return None
    if header.tag != link.incarnation or link.state not in _UP:
        _count(control, Counted.STRANGE_TAG)
        control.link_input(link, LinkInput.STRANGE_TAG)
        return None
    link.heard = True
    if link.state is LinkState.ENQUIRY:
        control.link_input(link, LinkInput.HEARD)
    return link


def _message(control: CallControl, link: Link, header: Header, message: Message) -> None:
    if header.reference == GLOBAL_REFERENCE:
        if isinstance(message, StatusEnquiry):
            control.link_input(link, LinkInput.STATUS_ENQUIRY)
        return  # the peer's STATUS is good for having come
    leg = link.legs.get((header.to_originator, header.reference))
    if message.TYPE in (_FROM_ORIGINATOR if header.to_originator else _TO_ORIGINATOR):
        _incompatible(control, link, header, message, leg)
    elif leg is None:
        _of_no_leg(control, link, header, message)
    else:
        _of_leg(control, leg, header, message)


def _of_leg(control: CallControl, leg: Leg, header: Header, message: Message) -> None:
    event = _event(leg, header, message)
    if event is None:
        _count(control, Counted.LATE)
    elif event is LegInput.STATUS and _reports_error(message):
        _count(control, Counted.REPORTED)
    elif not control.leg_input(leg, event, message):
        _incompatible(control, leg.link, header, message, leg)


def _event(leg: Leg, header: Header, message: Message) -> LegInput | None:
    """The leg's input; None for what belongs to an older request."""
    if isinstance(message, Status) and message.state.value == LegState.NULL:
        return LegInput.STATUS_NULL
    if message.TYPE in {_M.MODIFY_ACKNOWLEDGE, _M.MODIFY_REJECT} and header.transaction != leg.transaction:
        return None
    if message.TYPE is _M.MODIFY_REQUEST:
        ahead = (header.transaction - leg.transaction) & 0xFF
        if ahead == 0:
            return LegInput.MODIFY_REPEATED
        if ahead >= 0x80:
            return None
        if leg.state is LegState.ACTIVE:
            leg.transaction = header.transaction
    return _INPUTS[message.TYPE]


def _reports_error(message: Message) -> bool:
    return isinstance(message, Status) and message.cause.cause >= Cause.INVALID_CALL_REFERENCE


def _of_no_leg(control: CallControl, link: Link, header: Header, message: Message) -> None:
    """A new call, or what is left of one that is over."""
    if isinstance(message, Setup | AddParty):
        _invitation(control, link, header, message)
        return
    _count(control, Counted.LATE)
    if isinstance(message, Release | DropParty):
        if not header.to_originator:
            link.note_reference(header.reference)  # SETUP may yet come, overtaken
        ended: Message = ReleaseComplete(_UNKNOWN) if isinstance(message, Release) else DropPartyAcknowledge(_UNKNOWN)
        _answer(control, link, header, ended)
    elif isinstance(message, StatusEnquiry):
        asked = CauseElement(Cause.RESPONSE_TO_STATUS_ENQUIRY)
        _answer(control, link, header, Status(asked, CallState(LegState.NULL)))
    elif message.TYPE not in _ENDS or (isinstance(message, Status) and message.state.value != LegState.NULL):
        _answer(control, link, header, Status(_UNKNOWN, CallState(LegState.NULL)))


def _invitation(control: CallControl, link: Link, header: Header, message: Setup | AddParty) -> None:
    if link.is_used(header.reference):
        _count(control, Counted.LATE)
        _answer(control, link, header, _refusal(message.TYPE, _UNKNOWN))
    elif control.leg_count >= control.limits.legs or link.incoming >= control.limits.incoming_legs:
        _count(control, Counted.TOO_MANY)
        link.note_reference(header.reference)  # refused once, refused for ever: the answers may overtake each other
        _answer(control, link, header, _refusal(message.TYPE, CauseElement(Cause.RESOURCE_UNAVAILABLE)))
    else:
        link.note_reference(header.reference)
        leg = control.add_leg(link, header.reference, False, message)
        control.leg_input(leg, _INPUTS[message.TYPE], message)


def _incompatible(control: CallControl, link: Link, header: Header, message: Message, leg: Leg | None) -> None:
    """A message that the state, or its direction, does not allow."""
    _count(control, Counted.WRONG_STATE)
    if message.TYPE not in _ENDS:
        cause = CauseElement(Cause.MESSAGE_NOT_COMPATIBLE_WITH_STATE)
        _answer(control, link, header, Status(cause, CallState(leg.state if leg else LegState.NULL)))


def _answer_malformed(control: CallControl, error: DecodeError) -> None:
    """Say what is wrong to a peer that can be told; a message that may itself be such an answer gets none.

    A shortened message counts as lost: its sender repeats it.
    """
    header = error.header
    if (
        header is None
        or error.kind is Malformed.TRUNCATED
        or not _is_for(control, header)
        or error.message_type in _ENDS
    ):
        return
    link = control.links.get(header.source)
    if link is None or header.tag != link.incarnation or link.state not in _UP:
        return
    cause = CauseElement(error.kind.cause, error.element)
    leg = link.legs.get((header.to_originator, header.reference))
    if leg is None and error.message_type in {_M.SETUP, _M.ADD_PARTY} and header.reference != GLOBAL_REFERENCE:
        link.note_reference(header.reference)
        _answer(control, link, header, _refusal(error.message_type, cause))
    else:
        state: int = leg.state if leg is not None else LegState.NULL
        if header.reference == GLOBAL_REFERENCE:
            state = link.state
        _answer(control, link, header, Status(cause, CallState(state)))


def _refusal(message_type: int, cause: CauseElement) -> Message:
    return AddPartyReject(cause) if message_type == _M.ADD_PARTY else ReleaseComplete(cause)


def _answer(control: CallControl, link: Link, header: Header, message: Message) -> None:
    """To where the message came from, without a leg."""
    control.transmit(
        link,
        message,
        reference=header.reference,
        to_originator=not header.to_originator,
        transaction=header.transaction,
    )


_UNKNOWN = CauseElement(Cause.INVALID_CALL_REFERENCE)

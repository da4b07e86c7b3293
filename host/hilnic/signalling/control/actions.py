# SPDX-License-Identifier: Apache-2.0
"""What the actions of the tables do. `data` comes with the input: a message, or what the owner's request says."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from hilnic.signalling.causes import Cause
from hilnic.signalling.codec import VERSION
from hilnic.signalling.control import primitives
from hilnic.signalling.control.leg import Leg, Link
from hilnic.signalling.control.states import Action, LegInput, LinkState
from hilnic.signalling.elements import CallState, CauseElement, EndpointReference, Incarnation, UserData, Versions
from hilnic.signalling.messages import (
    AddParty,
    CallProceeding,
    ConnectAcknowledge,
    DropParty,
    DropPartyAcknowledge,
    Message,
    ModifyAcknowledge,
    ModifyReject,
    ModifyRequest,
    PartyAlerting,
    Release,
    ReleaseComplete,
    Restart,
    RestartAcknowledge,
    Status,
    StatusEnquiry,
)

if TYPE_CHECKING:
    from hilnic.signalling.control.machine import CallControl

VERSIONS = Versions(VERSION, VERSION)
LegAction = Callable[["CallControl", Leg, Any], None]
LinkAction = Callable[["CallControl", Link, Any], None]


def repeat(control: CallControl, leg: Leg, data: Any = None) -> None:
    """Send the leg's last request or answer again."""
    del data
    if leg.last is not None:
        control.statistics.repeated += 1
        control.transmit(leg.link, leg.last, leg)


def repeat_on_link(control: CallControl, link: Link) -> None:
    """Send again what the link's state waits for an answer to."""
    if link.state is LinkState.ENQUIRY:
        control.transmit(link, StatusEnquiry())
    else:
        _send_restart(control, link, None)


def endpoint(leg: Leg) -> EndpointReference:
    """Of a party's leg."""
    assert isinstance(leg.invitation, AddParty)
    return leg.invitation.endpoint


def _send(make: Callable[[Leg, Any], Message], keep: bool, control: CallControl, leg: Leg, data: Any) -> None:
    message = make(leg, data)
    if keep:
        leg.last = message
    control.transmit(leg.link, message, leg)


def _why(data: tuple[Cause, bytes]) -> tuple[CauseElement, UserData | None]:
    """Cause and user data of what ends a call."""
    cause, user_data = data
    return CauseElement(cause), UserData(user_data) if user_data else None


def _send_modify_request(control: CallControl, leg: Leg, data: Any) -> None:
    leg.transaction = (leg.transaction + 1) & 0xFF
    _send(lambda _leg, contract: ModifyRequest(contract), True, control, leg, data)


def _count_anew(control: CallControl, leg: Leg, data: Any) -> None:
    """The peer is alive and at work: it has all the attempts again."""
    del control, data
    leg.transmissions = 1


def _setup_indication(control: CallControl, leg: Leg, data: Any) -> None:
    control.emit(primitives.SetupIndication(leg, data))


def _proceeding_indication(control: CallControl, leg: Leg, data: Any) -> None:
    del data
    control.emit(primitives.ProceedingIndication(leg))


def _setup_confirm(control: CallControl, leg: Leg, data: Any) -> None:
    control.emit(primitives.SetupConfirm(leg, data))


def _setup_complete_indication(control: CallControl, leg: Leg, data: Any) -> None:
    del data
    control.emit(primitives.SetupCompleteIndication(leg))


def _release_indication(control: CallControl, leg: Leg, data: Any) -> None:
    cause, user_data = reason(data)
    control.emit(primitives.ReleaseIndication(leg, cause, user_data))


def _release_confirm(control: CallControl, leg: Leg, data: Any) -> None:
    del data
    control.remove_leg(leg)
    control.emit(primitives.ReleaseConfirm(leg))


def _modify_indication(control: CallControl, leg: Leg, data: Any) -> None:
    control.emit(primitives.ModifyIndication(leg, data.contract))


def _modify_confirm(control: CallControl, leg: Leg, data: Any) -> None:
    if isinstance(data, ModifyAcknowledge):
        control.emit(primitives.ModifyConfirm(leg, data.contract, None))
    else:
        control.emit(primitives.ModifyConfirm(leg, None, data.cause.cause))


def _fail_link(control: CallControl, leg: Leg, data: Any) -> None:
    """Whoever answers no message of one leg is not there."""
    control.fail_link(leg.link, reason(data)[0])


def reason(data: Any) -> tuple[Cause, bytes]:
    """Why a leg ended, of a message or of the machine's own (cause, user data)."""
    if isinstance(data, tuple):
        return data
    if isinstance(data, Status):
        return Cause.MESSAGE_NOT_COMPATIBLE_WITH_STATE, b""
    user_data = getattr(data, "user_data", None)
    return data.cause.cause, user_data.data if user_data else b""


def _status(leg: Leg, data: Any) -> Status:
    asked = isinstance(data, StatusEnquiry)
    cause = Cause.RESPONSE_TO_STATUS_ENQUIRY if asked else Cause.NORMAL_UNSPECIFIED
    return Status(CauseElement(cause), CallState(leg.state))


def _drop_party(leg: Leg, data: Any) -> DropParty:
    cause, user_data = _why(data)
    return DropParty(cause, endpoint(leg), user_data)


_NORMAL = CauseElement(Cause.NORMAL_CALL_CLEARING)
_A = Action
LEG_ACTIONS: dict[Action, LegAction] = {
    _A.SEND_SETUP: partial(_send, lambda leg, _: leg.invitation, True),
    _A.SEND_CALL_PROCEEDING: partial(_send, lambda _leg, _: CallProceeding(), False),
    _A.SEND_CONNECT: partial(_send, lambda _, answer: answer, True),
    _A.SEND_CONNECT_ACKNOWLEDGE: partial(_send, lambda _leg, _: ConnectAcknowledge(), False),
    _A.SEND_RELEASE: partial(_send, lambda _, data: Release(*_why(data)), True),
    _A.SEND_RELEASE_COMPLETE: partial(_send, lambda _leg, _: ReleaseComplete(_NORMAL), False),
    _A.SEND_STATUS: partial(_send, _status, False),
    _A.SEND_MODIFY_REQUEST: _send_modify_request,
    _A.SEND_MODIFY_ACKNOWLEDGE: partial(_send, lambda _, contract: ModifyAcknowledge(contract), True),
    _A.SEND_MODIFY_REJECT: partial(_send, lambda _, cause: ModifyReject(CauseElement(cause)), True),
    _A.SEND_ADD_PARTY: partial(_send, lambda leg, _: leg.invitation, True),
    _A.SEND_PARTY_ALERTING: partial(_send, lambda leg, _: PartyAlerting(endpoint(leg)), False),
    _A.SEND_ADD_PARTY_ACKNOWLEDGE: partial(_send, lambda _, answer: answer, True),
    _A.SEND_DROP_PARTY: partial(_send, _drop_party, True),
    _A.SEND_DROP_PARTY_ACKNOWLEDGE: partial(_send, lambda leg, _: DropPartyAcknowledge(_NORMAL, endpoint(leg)), False),
    _A.REPEAT: repeat,
    _A.COUNT_ANEW: _count_anew,
    _A.SETUP_INDICATION: _setup_indication,
    _A.SETUP_CONFIRM: _setup_confirm,
    _A.SETUP_COMPLETE_INDICATION: _setup_complete_indication,
    _A.PROCEEDING_INDICATION: _proceeding_indication,
    _A.RELEASE_INDICATION: _release_indication,
    _A.RELEASE_CONFIRM: _release_confirm,
    _A.MODIFY_INDICATION: _modify_indication,
    _A.MODIFY_CONFIRM: _modify_confirm,
    _A.FAIL_LINK: _fail_link,
}


def _send_restart(control: CallControl, link: Link, data: Any) -> None:
    del data
    control.transmit(link, Restart(VERSIONS, Incarnation(link.incarnation)), tag=0)


def _send_restart_acknowledge(control: CallControl, link: Link, data: Any) -> None:
    del data
    control.transmit(link, RestartAcknowledge(VERSIONS, Incarnation(link.incarnation)))


def _send_link_enquiry(control: CallControl, link: Link, data: Any) -> None:
    del data
    control.transmit(link, StatusEnquiry())


def _send_link_status(control: CallControl, link: Link, data: Any) -> None:
    del data
    cause = CauseElement(Cause.RESPONSE_TO_STATUS_ENQUIRY)
    control.transmit(link, Status(cause, CallState(link.state)))


def _learn_peer(control: CallControl, link: Link, data: Any) -> None:
    """Its messages' references begin anew."""
    del control
    link.peer_incarnation = data.incarnation.number
    link.forget_references()


def _start_legs(control: CallControl, link: Link, data: Any) -> None:
    del data
    waiting, link.waiting = link.waiting, []
    for leg in waiting:
        control.leg_input(leg, LegInput.SETUP_REQUEST)


def _restart_legs(control: CallControl, link: Link, data: Any) -> None:
    """Legs that the peer has answered for are gone; what it may not have heard of is said to it again."""
    del data
    for leg in link.started_legs():
        control.leg_input(leg, LegInput.PEER_RESTARTED, (Cause.TEMPORARY_FAILURE, b""))


def _end_legs(control: CallControl, link: Link, data: Any) -> None:
    del data
    for leg in list(link.legs.values()):
        control.leg_input(leg, LegInput.LINK_FAILED, (link.failure, b""))


def _new_incarnation(control: CallControl, link: Link, data: Any) -> None:
    """What the peer still sends to the former one has another tag."""
    del data
    link.incarnation = control.incarnation(above=link.incarnation)
    link.peer_incarnation = 0


LINK_ACTIONS: dict[Action, LinkAction] = {
    _A.SEND_RESTART: _send_restart,
    _A.SEND_RESTART_ACKNOWLEDGE: _send_restart_acknowledge,
    _A.SEND_LINK_ENQUIRY: _send_link_enquiry,
    _A.SEND_LINK_STATUS: _send_link_status,
    _A.LEARN_PEER: _learn_peer,
    _A.START_LEGS: _start_legs,
    _A.RESTART_LEGS: _restart_legs,
    _A.END_LEGS: _end_legs,
    _A.NEW_INCARNATION: _new_incarnation,
}

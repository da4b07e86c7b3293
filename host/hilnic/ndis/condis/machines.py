# SPDX-License-Identifier: Apache-2.0
"""State machines of CoNDIS as data (V6): address family, SAP, VC, call, party; docs/condis.md prints them.

A pair of state and event that is not in its table is a violation of the rule that RULES names for the event.
"""

from __future__ import annotations

from enum import Enum
from typing import Any


class AfState(Enum):
    """An address family as one client has opened it."""

    OPENING = "Opening"
    OPEN = "Open"
    CLOSING = "Closing"
    CLOSED = "Closed"


class AfEvent(Enum):
    """What moves it."""

    OPENED = "opened"
    OPEN_FAILED = "open failed"
    CLOSE = "close"
    CLOSED = "closed"
    CLOSE_REFUSED = "close refused"


class SapState(Enum):
    """A service access point."""

    REGISTERING = "Registering"
    REGISTERED = "Registered"
    DEREGISTERING = "Deregistering"
    CLOSED = "Closed"


class SapEvent(Enum):
    """What moves it."""

    REGISTERED = "registered"
    REGISTER_FAILED = "register failed"
    DEREGISTER = "deregister"
    DEREGISTERED = "deregistered"
    DEREGISTER_FAILED = "deregister failed"


class VcState(Enum):
    """A virtual connection, as the miniport knows it."""

    CREATED = "Created"
    ACTIVATING = "Activating"
    ACTIVE = "Active"
    REACTIVATING = "Reactivating"
    DEACTIVATING = "Deactivating"
    DELETED = "Deleted"


class VcEvent(Enum):
    """What moves it."""

    ACTIVATE = "activate"
    ACTIVATED = "activated"
    ACTIVATE_FAILED = "activate failed"
    DEACTIVATE = "deactivate"
    DEACTIVATED = "deactivated"
    DEACTIVATE_FAILED = "deactivate failed"
    DELETE = "delete"


class CallState(Enum):
    """The call on a VC, as client and call manager know it; a VC carries one call in its life."""

    IDLE = "Idle"
    MAKING = "Making"  # make_call is with the call manager
    OFFERED = "Offered"  # incoming_call is with the client
    WITHDRAWN = "Withdrawn"  # the caller has gone before the client answered
    ACCEPTED = "Accepted"
    CONNECTED = "Connected"
    MODIFYING = "Modifying"  # modify_call_qos is with the call manager
    LEAVING = "Leaving"  # the other side has closed while it was
    REMOTE_CLOSED = "RemoteClosed"
    ABORTING = "Aborting"  # closed by the client while make_call or modify_call_qos is with the call manager
    CLOSING = "Closing"
    CLOSED = "Closed"


class CallEvent(Enum):
    """What moves it."""

    MAKE = "make"
    MADE = "made"
    MAKE_FAILED = "make failed"
    OFFER = "offer"
    ACCEPT = "accept"
    REJECT = "reject"
    CONNECTED = "connected"
    MODIFY = "modify"
    MODIFIED = "modified"
    REMOTE_CLOSE = "remote close"
    CLOSE = "close"
    CLOSED = "closed"


class PartyState(Enum):
    """One party of a multipoint call."""

    ADDING = "Adding"
    ADDED = "Added"
    LEAVING = "Leaving"  # it has gone, and the client has to drop it
    DROPPING = "Dropping"
    DROPPED = "Dropped"


class PartyEvent(Enum):
    """What moves it."""

    ADDED = "added"
    ADD_FAILED = "add failed"
    REMOTE_DROP = "remote drop"
    DROP = "drop"
    DROPPED = "dropped"
    DROP_FAILED = "drop failed"
    CALL_CLOSED = "call closed"


_A, _AE = AfState, AfEvent
AF_MACHINE: dict[AfState, dict[AfEvent, AfState]] = {
    _A.OPENING: {_AE.OPENED: _A.OPEN, _AE.OPEN_FAILED: _A.CLOSED},
    _A.OPEN: {_AE.CLOSE: _A.CLOSING},
    _A.CLOSING: {_AE.CLOSED: _A.CLOSED, _AE.CLOSE_REFUSED: _A.OPEN},
    _A.CLOSED: {},
}

_S, _SE = SapState, SapEvent
SAP_MACHINE: dict[SapState, dict[SapEvent, SapState]] = {
    _S.REGISTERING: {_SE.REGISTERED: _S.REGISTERED, _SE.REGISTER_FAILED: _S.CLOSED},
    _S.REGISTERED: {_SE.DEREGISTER: _S.DEREGISTERING},
    _S.DEREGISTERING: {_SE.DEREGISTERED: _S.CLOSED, _SE.DEREGISTER_FAILED: _S.REGISTERED},
    _S.CLOSED: {},
}

_V, _VE = VcState, VcEvent
VC_MACHINE: dict[VcState, dict[VcEvent, VcState]] = {
    _V.CREATED: {_VE.ACTIVATE: _V.ACTIVATING, _VE.DELETE: _V.DELETED},
    _V.ACTIVATING: {_VE.ACTIVATED: _V.ACTIVE, _VE.ACTIVATE_FAILED: _V.CREATED},
    _V.ACTIVE: {_VE.ACTIVATE: _V.REACTIVATING, _VE.DEACTIVATE: _V.DEACTIVATING},
    _V.REACTIVATING: {_VE.ACTIVATED: _V.ACTIVE, _VE.ACTIVATE_FAILED: _V.ACTIVE},
    _V.DEACTIVATING: {_VE.DEACTIVATED: _V.CREATED, _VE.DEACTIVATE_FAILED: _V.ACTIVE},
    _V.DELETED: {},
}

_C, _CE = CallState, CallEvent
CALL_MACHINE: dict[CallState, dict[CallEvent, CallState]] = {
    _C.IDLE: {_CE.MAKE: _C.MAKING, _CE.OFFER: _C.OFFERED},
    _C.MAKING: {_CE.MADE: _C.CONNECTED, _CE.MAKE_FAILED: _C.IDLE, _CE.CLOSE: _C.ABORTING},
    _C.OFFERED: {_CE.ACCEPT: _C.ACCEPTED, _CE.REJECT: _C.CLOSED, _CE.REMOTE_CLOSE: _C.WITHDRAWN},
    _C.WITHDRAWN: {_CE.ACCEPT: _C.REMOTE_CLOSED, _CE.REJECT: _C.CLOSED, _CE.CLOSE: _C.CLOSING},
    _C.ACCEPTED: {_CE.CONNECTED: _C.CONNECTED, _CE.REMOTE_CLOSE: _C.REMOTE_CLOSED, _CE.CLOSE: _C.CLOSING},
    _C.CONNECTED: {_CE.MODIFY: _C.MODIFYING, _CE.REMOTE_CLOSE: _C.REMOTE_CLOSED, _CE.CLOSE: _C.CLOSING},
    _C.MODIFYING: {_CE.MODIFIED: _C.CONNECTED, _CE.REMOTE_CLOSE: _C.LEAVING, _CE.CLOSE: _C.ABORTING},
    _C.LEAVING: {_CE.MODIFIED: _C.REMOTE_CLOSED, _CE.CLOSE: _C.ABORTING},
    _C.REMOTE_CLOSED: {_CE.CLOSE: _C.CLOSING},
    _C.ABORTING: {_CE.MADE: _C.CLOSING, _CE.MAKE_FAILED: _C.CLOSING, _CE.MODIFIED: _C.CLOSING},
    _C.CLOSING: {_CE.CLOSED: _C.CLOSED},
    _C.CLOSED: {},
}

_P, _PE = PartyState, PartyEvent
PARTY_MACHINE: dict[PartyState, dict[PartyEvent, PartyState]] = {
    _P.ADDING: {_PE.ADDED: _P.ADDED, _PE.ADD_FAILED: _P.DROPPED, _PE.CALL_CLOSED: _P.DROPPED},
    _P.ADDED: {_PE.REMOTE_DROP: _P.LEAVING, _PE.DROP: _P.DROPPING, _PE.CALL_CLOSED: _P.DROPPED},
    _P.LEAVING: {_PE.DROP: _P.DROPPING, _PE.CALL_CLOSED: _P.DROPPED},
    _P.DROPPING: {_PE.DROPPED: _P.DROPPED, _PE.DROP_FAILED: _P.ADDED},
    _P.DROPPED: {},
}

MACHINES: dict[str, dict[Any, dict[Any, Any]]] = {
    "af": AF_MACHINE,
    "sap": SAP_MACHINE,
    "vc": VC_MACHINE,
    "call": CALL_MACHINE,
    "party": PARTY_MACHINE,
}
"""Kind of object -> its table."""

RULES: dict[Enum, str] = {
    # the client's next request comes on a dead handle, or before its time
    _AE.CLOSE: "CC-04",
    _SE.DEREGISTER: "CC-04",
    _PE.DROP: "CC-04",
    _VE.ACTIVATE: "CC-09",
    _VE.DEACTIVATE: "CC-10",
    _VE.DELETE: "CC-12",
    _CE.MAKE: "CC-26",
    _CE.MODIFY: "CC-26",
    _CE.CLOSE: "CC-26",
    _CE.OFFER: "CC-15",
    _CE.CONNECTED: "CC-15",
    _CE.REMOTE_CLOSE: "CC-20",
    _PE.REMOTE_DROP: "CC-19",
    _PE.CALL_CLOSED: "CC-18",
}
"""Whose breach a missing pair is; what is not here is an answer or a completion of nothing that pends: CC-21."""


def rule_of(event: Enum) -> str:
    """The rule that forbids the event where the table has no pair for it."""
    return RULES.get(event, "CC-21")

# SPDX-License-Identifier: Apache-2.0
"""Calls that come to a client of the stand-alone call manager, and the end of calls of either kind."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from hilnic.ndis import NdisStatus, condis
from hilnic.ndis.condis import CallFlags, CallParameters
from hilnic.protocols import cm_outgoing
from hilnic.protocols.cm_outgoing import NOTHING, admit_change
from hilnic.protocols.cm_parameters import Unreadable, contract_of, incoming_parameters, status_of
from hilnic.protocols.cm_vc import CmParty, CmVc
from hilnic.signalling import Cause, ConnectionIdentifier, TrafficContract
from hilnic.signalling.control import Leg
from hilnic.signalling.elements import LONGEST_USER_DATA
from hilnic.signalling.messages import AddParty, AddPartyAcknowledge, Connect, Setup

if TYPE_CHECKING:
    from hilnic.protocols.cm_binding import CmBinding, CmSap

# An incoming call.


def arrived(manager: CmBinding, leg: Leg, message: Setup | AddParty) -> None:
    """SETUP or ADD PARTY: a client, an id, a place on the line, a VC; then it is activated and offered (CC-15)."""
    sap = manager.saps.get(message.called.selector)
    if sap is None:
        manager.control.release(leg, Cause.UNALLOCATED_NUMBER)
        return
    vc = CmVc(manager, sap.af, None, is_incoming=True)
    vc.leg_begun(leg, vc)
    vc.leg, vc.peer, vc.group, vc.priority = leg, leg.link.peer, message.group, message.connection.priority
    is_multipoint = message.group is not None
    vc.contract = replace(message.contract, backward=NOTHING) if is_multipoint else message.contract
    offered = message.connection.vlan_ids[:1] if is_multipoint else message.connection.vlan_ids
    chosen = manager.ids.choose(offered)
    if chosen is None:
        manager.control.release(leg, Cause.CONNECTION_NOT_AVAILABLE)
        return
    vc.vlan_ids = (chosen,)
    if not manager.line.admit(vc, vc.contract.backward):
        manager.control.release(leg, Cause.USER_CELL_RATE_NOT_AVAILABLE)
        return
    _, handle = condis.co_create_vc(manager.open_handle, sap.af.handle, vc)
    if handle is None:
        manager.line.release(vc)
        manager.control.release(leg, Cause.RESOURCE_UNAVAILABLE)
        return
    vc.handle = handle
    manager.vcs.append(vc)
    vc.af.vcs += 1
    vc.asked = incoming_parameters(message.called, message.calling, vc.contract, message.user_data, is_multipoint)
    vc.activate(vc.agreed(vc.contract), partial(_offer, vc, sap))


def _offer(vc: CmVc, sap: CmSap, status: NdisStatus) -> None:
    if status is not NdisStatus.SUCCESS:
        _give_up(vc, Cause.RESOURCE_UNAVAILABLE)
    elif vc.ended is not None:
        _give_up(vc, Cause.NORMAL_CALL_CLEARING)
    elif vc.manager.saps.get(sap.selector) is not sap:  # deregistered meanwhile
        _give_up(vc, Cause.UNALLOCATED_NUMBER)
    else:
        vc.is_offered = True
        vc.parameters.flags &= ~int(CallFlags.CALL_PARAMETERS_CHANGED)  # the client's to set
        answer = condis.cm_dispatch_incoming_call(sap.handle, vc.handle, vc.parameters)
        if answer is not NdisStatus.PENDING:
            answered(vc, answer, vc.parameters)


def answered(vc: CmVc, status: NdisStatus, parameters: CallParameters) -> None:
    """ProtocolCmIncomingCallComplete, or the answer at once."""
    if status is not NdisStatus.SUCCESS:
        _give_up(vc, Cause.CALL_REJECTED)
    elif parameters.flags & CallFlags.CALL_PARAMETERS_CHANGED:
        _accept_changed(vc, parameters)
    else:
        _accept(vc)


def _accept_changed(vc: CmVc, parameters: CallParameters) -> None:
    """The client wants other parameters than those offered: what it sends may be less, not more."""
    try:
        contract = contract_of(parameters, as_caller=False)
    except Unreadable:
        contract = vc.contract
    if contract.backward.promised <= vc.contract.backward.promised:
        vc.contract = contract
        vc.manager.line.admit(vc, contract.backward)
    vc.activate(vc.agreed(vc.contract), lambda _: _accept(vc))


def _accept(vc: CmVc) -> None:
    leg = vc.leg
    assert leg is not None
    if isinstance(leg.invitation, AddParty):
        vc.manager.control.accept(leg, AddPartyAcknowledge(leg.invitation.endpoint))
    else:
        vc.manager.control.accept(leg, Connect(vc.contract, ConnectionIdentifier(vc.vlan_ids, vc.priority)))


def _give_up(vc: CmVc, cause: Cause) -> None:
    """The VC of a call that is not to be goes down and away (CC-16); its client hears no more of it."""
    vc.is_offered = False

    def down() -> None:
        assert vc.leg is not None
        vc.manager.control.release(vc.leg, cause)
        vc.manager.later(partial(discard, vc))

    vc.take_down(down)


def discard(vc: CmVc) -> None:
    """Delete a VC of the call manager's own."""
    if not vc.is_deleted and condis.co_delete_vc(vc.handle) is NdisStatus.SUCCESS:
        vc.is_deleted = True
        vc.manager.vcs.remove(vc)
        vc.af.vcs -= 1


def connected(vc: CmVc) -> None:
    """The calling side is ready: data may flow."""
    if not vc.is_closing:
        condis.cm_dispatch_call_connected(vc.handle)


# What the originator changes.


def change(vc: CmVc, leg: Leg, contract: TrafficContract) -> None:
    """MODIFY REQUEST: if the line allows it, activate and tell the client (CC-25)."""
    if vc.is_closing or not admit_change(vc, vc.contract.backward, contract.backward):
        vc.manager.control.refuse_modify(leg, Cause.USER_CELL_RATE_NOT_AVAILABLE)
        return

    def done(status: NdisStatus) -> None:
        if status is NdisStatus.SUCCESS and vc.manager.control.accept_modify(leg, contract):
            vc.contract = contract
            if not vc.is_closing:
                condis.cm_dispatch_incoming_call_qos_change(vc.handle, vc.parameters)
        else:
            vc.manager.control.refuse_modify(leg, Cause.QUALITY_OF_SERVICE_UNAVAILABLE)
        vc.manager.line.admit(vc, vc.contract.backward)

    vc.activate(vc.agreed(contract), done)


# The end.


def ended(vc: CmVc, leg: Leg, cause: Cause, data: bytes) -> None:
    """The peer has ended a point-to-point call, or the network has."""
    status = status_of(cause)
    if leg is not vc.leg or vc.is_closing:
        vc.manager.control.release(leg, Cause.NORMAL_CALL_CLEARING)
    elif vc.is_making:
        if not cm_outgoing.refused(vc, cause):
            cm_outgoing.failed(vc, status, data)
    elif vc.is_incoming and not vc.is_offered:
        vc.ended = (status, data)
    else:
        if vc.modifying is not None:
            cm_outgoing.abort(vc)
        condis.cm_dispatch_incoming_close_call(vc.handle, status, data)


def close_call(vc: CmVc, party: CmParty | None, data: bytes) -> NdisStatus:
    """ProtocolCmCloseCall: nothing flows any more, then the peer is told (CC-26)."""
    vc.is_closing, vc.close_data = True, data[:LONGEST_USER_DATA]
    cm_outgoing.abort(vc)
    vc.take_down(partial(_closed, vc, party))
    return NdisStatus.PENDING


def _closed(vc: CmVc, party: CmParty | None) -> None:
    leg = vc.leg if party is None else party.leg
    if leg is not None:
        vc.manager.control.release(leg, Cause.NORMAL_CALL_CLEARING, vc.close_data)
    vc.manager.later(partial(_complete_close, vc, party))


def _complete_close(vc: CmVc, party: CmParty | None) -> None:
    vc.parties.clear()
    vc.leg, vc.is_closing = None, False
    condis.cm_complete_close_call(vc.handle, NdisStatus.SUCCESS, None if party is None else party.handle)
    if vc.is_incoming:
        discard(vc)

# SPDX-License-Identifier: Apache-2.0
"""Calls that a client of the stand-alone call manager makes: make, parties, modify."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from hilnic.ndis import NdisStatus, condis
from hilnic.ndis.condis import CallParameters, MediaFlags, PartyHandle
from hilnic.protocols.cm_parameters import Addresses, Unreadable, contract_of, read_addresses, status_of
from hilnic.protocols.cm_vc import CmParty, CmVc
from hilnic.signalling import (
    CallingAddress,
    Cause,
    ConnectionIdentifier,
    EndpointReference,
    Flow,
    Service,
    TrafficContract,
)
from hilnic.signalling.control import Leg
from hilnic.signalling.messages import AddParty, Connect, Setup

CANDIDATES = 4
"""VLAN ids in an offer."""
ATTEMPTS = 3
"""Offers until the peer has one of the ids free."""
NOTHING = Flow(service=Service.NO_TRAFFIC)
Answer = tuple[NdisStatus, CmParty | None]


def make_call(vc: CmVc, parameters: CallParameters, party: PartyHandle | None) -> Answer:
    """ProtocolCmMakeCall: a place on the line, VLAN ids, then SETUP."""
    manager = vc.manager
    try:
        addresses = read_addresses(parameters)
        contract = contract_of(parameters)
    except Unreadable as error:
        return error.status, None
    if addresses.called.station == manager.address:
        return NdisStatus.NO_ROUTE_TO_DESTINATION, None
    if party is not None:  # the root sends, the parties receive
        contract = replace(contract, backward=NOTHING)
    if (admitted := _admit(vc, contract, parameters)) is None:
        return NdisStatus.CELLRATE_NOT_AVAILABLE, None
    vc.asked, vc.contract, vc.peer = parameters, admitted, addresses.called.station
    vc.attempts, vc.next_party_id = 0, 1
    status = _set_up(vc, addresses, party is not None)
    if status is not NdisStatus.PENDING:
        manager.line.release(vc)
        return status, None
    vc.is_making = True
    if party is None:
        return status, None
    first = CmParty(vc, party, addresses.called.station)
    first.leg = vc.leg
    vc.parties.append(first)
    return status, first


def _admit(vc: CmVc, contract: TrafficContract, parameters: CallParameters) -> TrafficContract | None:
    """The contract, less if the client allows that and the line demands it; None when it is too much."""
    line = vc.manager.line
    if line.admit(vc, contract.forward):
        return contract
    if parameters.media.flags & MediaFlags.ROUND_DOWN_FLOW and line.free > 0:
        forward = replace(contract.forward, rate=line.free)
        line.admit(vc, forward)
        return replace(contract, forward=forward)
    return None


def _set_up(vc: CmVc, addresses: Addresses, is_multipoint: bool) -> NdisStatus:
    """Offer VLAN ids to the peer."""
    manager = vc.manager
    vc.attempts += 1
    vc.vlan_ids = manager.ids.offer_multipoint() if is_multipoint else manager.ids.offer(vc.peer, CANDIDATES)
    if not vc.vlan_ids:
        return NdisStatus.VC_NOT_AVAILABLE
    vc.group = manager.group if is_multipoint else None
    calling = addresses.calling or CallingAddress(manager.address)
    setup = Setup(
        addresses.called,
        CallingAddress(manager.address, calling.selector),
        vc.contract,
        ConnectionIdentifier(vc.vlan_ids, vc.priority),
        vc.group,
        EndpointReference(0) if is_multipoint else None,
        addresses.user_data,
    )
    leg = manager.control.setup(setup)
    if leg is None:
        vc.free_ids()
        return NdisStatus.RESOURCES
    vc.leg = leg
    vc.leg_begun(leg, vc)
    return NdisStatus.PENDING


def confirmed(vc: CmVc, leg: Leg, message: Connect) -> None:
    """CONNECT: activate what has been agreed, then tell both sides."""
    if not vc.is_making:
        return  # the client has closed meanwhile
    chosen, promised = message.connection.vlan_ids, message.contract.forward.promised
    if len(chosen) != 1 or chosen[0] not in vc.vlan_ids or promised > vc.contract.forward.promised:
        vc.manager.control.release(leg, Cause.CONNECTION_NOT_AVAILABLE)
        _not_made(vc, NdisStatus.VC_NOT_AVAILABLE)
        return
    vc.free_ids(chosen[0])
    vc.contract = message.contract
    vc.manager.line.admit(vc, vc.contract.forward)
    vc.activate(vc.agreed(vc.contract), partial(_activated, vc, leg))


def _activated(vc: CmVc, leg: Leg, status: NdisStatus) -> None:
    if not vc.is_making:
        return  # a close waits to take it down
    if status is not NdisStatus.SUCCESS:
        vc.manager.control.release(leg, Cause.RESOURCE_UNAVAILABLE)
        _not_made(vc, status)
    elif vc.ended is None:  # else it waits to be taken down
        vc.is_making = False
        vc.manager.control.complete(leg)
        first = vc.parties[0] if vc.parties else None
        handle = None if first is None else first.handle
        condis.cm_complete_make_call(vc.handle, NdisStatus.SUCCESS, handle, first, vc.parameters)


def failed(vc: CmVc, status: NdisStatus, data: bytes) -> None:
    """The call that is being made has ended: the VC goes down first if it is up."""
    vc.ended = (status, data)
    vc.take_down(partial(_not_made, vc, status if status is not NdisStatus.SUCCESS else NdisStatus.NOT_ACCEPTED))


def refused(vc: CmVc, cause: Cause) -> bool:
    """The peer has none of the ids free: offer others. False when it is another matter, or has been tried enough."""
    if cause is not Cause.CONNECTION_NOT_AVAILABLE or vc.attempts >= ATTEMPTS or vc.group is not None:
        return False
    if vc.is_activating:
        return False  # it has taken one of them before
    before, old = vc.vlan_ids, vc.leg
    status = _set_up(vc, read_addresses(vc.asked), is_multipoint=False)
    vc.manager.ids.give_back(*before)
    if old is not None:
        vc.manager.control.release(old, Cause.NORMAL_CALL_CLEARING)
    return status is NdisStatus.PENDING


def _not_made(vc: CmVc, status: NdisStatus) -> None:
    if vc.leg is not None:
        vc.manager.control.release(vc.leg, Cause.NORMAL_CALL_CLEARING)
    vc.manager.line.release(vc)
    vc.leg = vc.ended = None
    vc.free_ids()
    vc.parties.clear()
    if vc.is_making:
        vc.is_making = False
        condis.cm_complete_make_call(vc.handle, status, None, None, vc.asked)


# Parties.


def add_party(vc: CmVc, parameters: CallParameters, handle: PartyHandle) -> Answer:
    """ProtocolCmAddParty: the VLAN id and the contract are the call's."""
    manager = vc.manager
    try:
        addresses = read_addresses(parameters)
    except Unreadable as error:
        return error.status, None
    station = addresses.called.station
    if vc.group is None or station == manager.address or any(each.station == station for each in vc.parties):
        return NdisStatus.INVALID_ADDRESS, None
    party = CmParty(vc, handle, station)
    invitation = AddParty(
        addresses.called,
        CallingAddress(manager.address),
        vc.contract,
        ConnectionIdentifier(vc.vlan_ids, vc.priority),
        vc.group,
        EndpointReference(vc.next_party_id),
        addresses.user_data,
    )
    party.leg = manager.control.setup(invitation)
    if party.leg is None:
        return NdisStatus.RESOURCES, None
    vc.next_party_id = (vc.next_party_id + 1) & 0x7FFF
    vc.leg_begun(party.leg, party)
    party.asked = parameters
    vc.parties.append(party)
    return NdisStatus.PENDING, party


def party_confirmed(party: CmParty) -> None:
    """ADD PARTY ACKNOWLEDGE."""
    asked, party.asked = party.asked, None
    assert asked is not None
    condis.cm_complete_add_party(party.handle, NdisStatus.SUCCESS, party, asked)


def party_left(party: CmParty, status: NdisStatus, data: bytes) -> None:
    """A party has refused, left or failed: an add ends; one of many is dropped; the last one's end closes (CC-19)."""
    vc = party.vc
    asked, party.asked = party.asked, None
    if asked is not None:
        vc.parties.remove(party)
        drop_leg(party)
        why = NdisStatus.NOT_ACCEPTED if status is NdisStatus.SUCCESS else status
        condis.cm_complete_add_party(party.handle, why, None, asked)
    elif vc.is_closing or party not in vc.parties:
        drop_leg(party)
    else:
        party.has_left = True
        if any(each.is_there for each in vc.parties):
            condis.cm_dispatch_incoming_drop_party(party.handle, status, data)
        else:
            condis.cm_dispatch_incoming_close_call(vc.handle, status, data)


def drop_party(party: CmParty, data: bytes) -> NdisStatus:
    """ProtocolCmDropParty; the others hear on."""
    party.vc.parties.remove(party)
    drop_leg(party, data)
    return NdisStatus.SUCCESS


def drop_leg(party: CmParty, data: bytes = b"") -> None:
    """End a party's leg, whoever wants that."""
    assert party.leg is not None
    party.vc.manager.control.release(party.leg, Cause.NORMAL_CALL_CLEARING, data)


# Quality of service.


def modify_call_qos(vc: CmVc, parameters: CallParameters) -> NdisStatus:
    """ProtocolCmModifyCallQoS: the originator's right, point to point."""
    if vc.is_incoming or vc.group is not None or vc.leg is None:
        return NdisStatus.NOT_SUPPORTED
    try:
        contract = contract_of(parameters)
    except Unreadable as error:
        return error.status
    if not admit_change(vc, vc.contract.forward, contract.forward):
        return NdisStatus.CELLRATE_NOT_AVAILABLE
    if not vc.manager.control.modify(vc.leg, contract):
        return NdisStatus.FAILURE
    vc.modifying = (parameters, contract)
    return NdisStatus.PENDING


def admit_change(vc: CmVc, old: Flow, new: Flow) -> bool:
    """Until it is settled the line keeps the larger of the two promises."""
    return new.promised <= old.promised or vc.manager.line.admit(vc, new)


def modify_confirmed(vc: CmVc, contract: TrafficContract | None, cause: Cause | None) -> None:
    """The peer has it, or not."""
    if vc.modifying is None:
        return  # closed meanwhile, or the way back to the old contract
    if contract is None:
        assert cause is not None
        _modified(vc, status_of(cause), None)
        return
    vc.asked = vc.modifying[0]
    vc.activate(vc.agreed(contract), partial(_reactivated, vc, contract))


def _reactivated(vc: CmVc, contract: TrafficContract, status: NdisStatus) -> None:
    if vc.modifying is None:
        return
    if status is not NdisStatus.SUCCESS and vc.leg is not None:
        vc.manager.control.modify(vc.leg, vc.contract)  # the old one again at the peer, too
    _modified(vc, status, contract if status is NdisStatus.SUCCESS else None)


def _modified(vc: CmVc, status: NdisStatus, contract: TrafficContract | None) -> None:
    assert vc.modifying is not None
    asked, _ = vc.modifying
    vc.modifying = None
    vc.contract = contract or vc.contract
    vc.manager.line.admit(vc, vc.contract.forward)
    condis.cm_complete_modify_call_qos(vc.handle, status, vc.parameters if contract else asked)


def abort(vc: CmVc) -> None:
    """A close ends what is still with the call manager (CC-26)."""
    if vc.is_making:
        vc.is_making = False
        condis.cm_complete_make_call(vc.handle, NdisStatus.REQUEST_ABORTED, None, None, vc.asked)
    if vc.modifying is not None:
        _modified(vc, NdisStatus.REQUEST_ABORTED, None)

# SPDX-License-Identifier: Apache-2.0
"""Parties of a multipoint call. The first one comes with cl_make_call, the last one goes with cl_close_call (CC-18)."""

from __future__ import annotations

from typing import Any

from hilnic.ndis.condis.answers import answered, completed
from hilnic.ndis.condis.call import ask_call_manager, family_of, is_clients, seal, unseal
from hilnic.ndis.condis.callout import ask, is_stale, tell
from hilnic.ndis.condis.handles import PartyHandle, VcHandle
from hilnic.ndis.condis.machines import CallState, PartyEvent, PartyState
from hilnic.ndis.condis.parameters import CallParameters
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk

_FAILED = (NdisStatus.FAILURE, None)
ADD, DROP = "add", "drop"
_THERE = frozenset({PartyState.ADDING, PartyState.ADDED, PartyState.LEAVING})
_DROPPABLE = frozenset({PartyState.ADDED, PartyState.LEAVING})
_TALKING = frozenset({CallState.CONNECTED, CallState.MODIFYING})


@wdk("NdisClAddParty", callout=True)
def cl_add_party(vc: VcHandle, party_context: Any, parameters: CallParameters) -> tuple[NdisStatus, PartyHandle | None]:
    """One more party for a connected multipoint call. PENDING: add_party_complete follows; CC-13 as in cl_make_call."""
    call = vc.vc.call
    if not is_clients(vc, "NdisClAddParty") or not call.parties or call.state not in _TALKING:
        return _FAILED
    party = PartyHandle(vc.vc, party_context)
    call.parties.append(party)
    seal(party, parameters)
    party.pending.add(ADD)
    status, cm_context = ask_call_manager(vc.vc, "add_party", parameters, party, refused=_FAILED)
    if not answered(party, ADD, family_of(vc.vc).provider.actor, status):
        return NdisStatus.PENDING, party
    _added(party, status, cm_context, parameters)
    return NdisStatus(status), party if status is NdisStatus.SUCCESS else None


def _added(party: PartyHandle, status: NdisStatus, cm_context: Any, parameters: CallParameters) -> None:
    actor = family_of(party.vc).provider.actor
    unseal(party, parameters)
    if status is NdisStatus.SUCCESS:
        party.cm_context = cm_context
        party.step(PartyEvent.ADDED, actor)
    else:
        party.step(PartyEvent.ADD_FAILED, actor)
        party.vc.call.parties.remove(party)


def complete_add(party: PartyHandle, status: NdisStatus, cm_context: Any, parameters: CallParameters) -> None:
    """A call manager ends add_party."""
    if completed(party, ADD, family_of(party.vc).provider.actor, status):
        _added(party, status, cm_context, parameters)
        _tell_client(party, "add_party_complete", status, party, parameters)


@wdk("NdisClDropParty", callout=True)
def cl_drop_party(party: PartyHandle, buffer: bytes = b"") -> NdisStatus:
    """Let a party go, or confirm that it has gone (incoming_drop_party). PENDING: drop_party_complete follows.

    FAILURE: it is the only one, which goes with the call (CC-18).
    """
    vc = party.vc
    assert vc.client is not None
    if is_stale(party, vc.client.actor, "NdisClDropParty", party.state not in _DROPPABLE):
        return NdisStatus.FAILURE
    if sum(each.state in _THERE for each in vc.call.parties) == 1:
        return NdisStatus.FAILURE
    party.step(PartyEvent.DROP, vc.client.actor)
    party.pending.add(DROP)
    provider = family_of(vc).provider
    status = ask(provider.actor, "drop_party", provider.handlers.drop_party, party.cm_context, buffer)
    if not answered(party, DROP, provider.actor, status):
        return NdisStatus.PENDING
    _dropped(party, status)
    return NdisStatus(status)


def _dropped(party: PartyHandle, status: NdisStatus) -> None:
    actor = family_of(party.vc).provider.actor
    if status is NdisStatus.SUCCESS:
        party.step(PartyEvent.DROPPED, actor)
        party.vc.call.parties.remove(party)
    else:
        party.step(PartyEvent.DROP_FAILED, actor)


def complete_drop(party: PartyHandle, status: NdisStatus) -> None:
    """A call manager ends drop_party."""
    if completed(party, DROP, family_of(party.vc).provider.actor, status):
        _dropped(party, status)
        _tell_client(party, "drop_party_complete", status)


def dispatch_incoming_drop(party: PartyHandle, status: NdisStatus, buffer: bytes) -> None:
    """A party has left; the last one's leaving closes the call instead (CC-19)."""
    actor = family_of(party.vc).provider.actor
    if [each for each in party.vc.call.parties if each.state is PartyState.ADDED] == [party]:
        party.ndis.violation("CC-19", actor, party, "the last party leaves by incoming_close_call")
        return
    if party.step(PartyEvent.REMOTE_DROP, actor):
        _tell_client(party, "incoming_drop_party", status, buffer)


def _tell_client(party: PartyHandle, name: str, *args: Any) -> None:
    af = family_of(party.vc)
    tell(af.binding, name, getattr(af.handlers, name), party.client_context, *args)

# SPDX-License-Identifier: Apache-2.0
"""Calls: what a client begins (make, close, modify QoS), and what a call manager tells it.

    outgoing   cl_make_call -> cm's make_call, which activates the VC -> make_call_complete: connected (CC-14)
    incoming   incoming.py
    end        cl_close_call -> cm's close_call, which deactivates the VC -> close_call_complete
               cm_dispatch_incoming_close_call -> client's incoming_close_call -> cl_close_call (CC-20)

The functions without a WDK name here are a call manager's, which calls them as cm_ (cm.py) or mcm_ (mcm.py).
"""

from __future__ import annotations

from typing import Any

from hilnic.ndis.condis import receive
from hilnic.ndis.condis.answers import answered, completed
from hilnic.ndis.condis.callout import ask, is_stale, tell
from hilnic.ndis.condis.constants import CallFlags
from hilnic.ndis.condis.handles import AfHandle, Call, PartyHandle, Role, Vc, VcHandle
from hilnic.ndis.condis.machines import CallEvent, CallState, PartyEvent, PartyState, VcState
from hilnic.ndis.condis.parameters import CallParameters
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.verifier.watchdog import SECOND
from hilnic.ndis.wdk import wdk

_FAILED = (NdisStatus.FAILURE, None)
MAKE, MODIFY, CLOSE = "make", "modify", "close"
_CHANGED, _MULTIPOINT = int(CallFlags.CALL_PARAMETERS_CHANGED), int(CallFlags.MULTIPOINT_VC)
ACTIVE = frozenset({VcState.ACTIVE, VcState.REACTIVATING})
_LEFT = frozenset({CallState.REMOTE_CLOSED, CallState.WITHDRAWN, CallState.LEAVING})
_TALKING = frozenset({CallState.CONNECTED, CallState.MODIFYING})
_PRESENT = frozenset({PartyState.ADDED, PartyState.LEAVING})
CLOSE_LIMIT_S = 10
"""A client answers incoming_close_call within this time (CC-20)."""


def is_clients(vc: VcHandle, call: str) -> bool:
    """Whether a client calls, with its own live handle."""
    if is_stale(vc.vc, vc.actor, call, not vc.is_live):
        return False
    if vc.role is not Role.CLIENT:
        vc.ndis.violation("OI-21", vc.actor, vc, f"{call} wants the client's handle of the VC")
        return False
    return True


def family_of(vc: Vc) -> AfHandle:
    """The address family of a VC that has a client."""
    assert vc.af is not None
    return vc.af


def tell_client(vc: Vc, name: str, *args: Any) -> None:
    """Call a handler of the client's that gets its VC context."""
    assert vc.client is not None
    tell(vc.client.actor, name, getattr(family_of(vc).handlers, name), vc.client.context, *args)


def ask_call_manager(vc: Vc, name: str, *args: Any, refused: Any = NdisStatus.FAILURE) -> Any:
    """Ask a handler of the call manager's that gets its VC context."""
    assert vc.call_manager is not None
    provider = family_of(vc).provider
    return ask(provider.actor, name, getattr(provider.handlers, name), vc.call_manager.context, *args, refused=refused)


# What belongs to the call manager for a while (CC-13).


def seal(call: Call | PartyHandle, parameters: CallParameters) -> None:
    """The call manager has the parameters now."""
    call.sealed, call.seal = parameters, parameters.copy()


def unseal(call: Call | PartyHandle, answer: CallParameters) -> None:
    """It gives them back, or others: a difference that is not announced is somebody's breach."""
    given, before = call.sealed, call.seal
    call.sealed = call.seal = None
    if given is None or before is None:
        return
    vc = call.vc
    if given != before and not given.flags & _CHANGED:
        detail = "the parameters changed while the call manager had them, without CALL_PARAMETERS_CHANGED"
        vc.ndis.violation("CC-13", vc.client, call, detail)
    elif answer is not given and answer != before and not answer.flags & _CHANGED:
        vc.ndis.violation("CC-13", vc.call_manager, call, "other parameters, without CALL_PARAMETERS_CHANGED")


# Outgoing calls.


@wdk("NdisClMakeCall", callout=True)
def cl_make_call(
    vc: VcHandle, parameters: CallParameters, party_context: Any = None
) -> tuple[NdisStatus, PartyHandle | None]:
    """Call somebody. PENDING: make_call_complete follows; `parameters` are the call manager's until then (CC-13).

    With a party context, or MULTIPOINT_VC in the flags, the call may get more parties; the handle is the first one's.
    """
    call = vc.vc.call
    is_multipoint = party_context is not None or bool(parameters.flags & _MULTIPOINT)
    if not is_clients(vc, "NdisClMakeCall") or not call.step(CallEvent.MAKE, vc.actor):
        return _FAILED
    party = None
    if is_multipoint:
        party = PartyHandle(vc.vc, party_context)
        call.parties.append(party)
    seal(call, parameters)
    call.pending.add(MAKE)
    status, cm_context = ask_call_manager(vc.vc, "make_call", parameters, party, refused=_FAILED)
    if not answered(call, MAKE, family_of(vc.vc).provider.actor, status):
        return NdisStatus.PENDING, party
    _made(vc.vc, status, cm_context, parameters)
    return NdisStatus(status), party if status is NdisStatus.SUCCESS else None


def complete_make(handle: VcHandle, status: NdisStatus, cm_party_context: Any, parameters: CallParameters) -> None:
    """A call manager ends make_call."""
    vc = handle.vc
    if completed(vc.call, MAKE, handle.actor, status):
        party = vc.call.parties[0] if vc.call.parties else None
        _made(vc, status, cm_party_context, parameters)
        tell_client(vc, "make_call_complete", status, party if status is NdisStatus.SUCCESS else None, parameters)


def _made(vc: Vc, status: NdisStatus, cm_context: Any, parameters: CallParameters) -> None:
    call = vc.call
    actor = family_of(vc).provider.actor
    unseal(call, parameters)
    party = call.parties[0] if call.parties else None
    if status is NdisStatus.SUCCESS:
        if vc.state not in ACTIVE:
            vc.ndis.violation("CC-14", actor, call, f"the call is made and its VC is {vc.state.value}")
        call.parameters = parameters.copy()
        if party is not None:
            party.cm_context = cm_context
            party.step(PartyEvent.ADDED, actor)
        call.step(CallEvent.MADE, actor)
    else:
        if party is not None:
            party.step(PartyEvent.ADD_FAILED, actor)
            call.parties.remove(party)
        call.step(CallEvent.MAKE_FAILED, actor)
    receive.settle_early(vc)


# The end of a call.


@wdk("NdisClCloseCall", callout=True)
def cl_close_call(vc: VcHandle, party: PartyHandle | None = None, buffer: bytes = b"") -> NdisStatus:
    """End a call in whatever state it is (CC-26); `party` is the last one of a multipoint call (CC-18).

    Every send has come back before, and none follows (CC-17). PENDING: close_call_complete follows. Sends that are out
    nevertheless come back first, all of them, before the call manager hears of the close.
    """
    if not is_clients(vc, "NdisClCloseCall"):
        return NdisStatus.FAILURE
    call = vc.vc.call
    if len(call.parties) > 1:
        vc.ndis.violation("CC-18", vc.actor, call, f"closed with {len(call.parties)} parties")
        return NdisStatus.FAILURE
    if any(each.state in _PRESENT and each is not party for each in call.parties):
        vc.ndis.violation("CC-18", vc.actor, call, "closed without the handle of its last party")
        return NdisStatus.FAILURE
    if vc.vc.sends_outstanding:
        vc.ndis.violation("CC-17", vc.actor, call, f"closed with {vc.vc.sends_outstanding} sends outstanding")
    return begin_close(vc, party, buffer)


def begin_close(vc: VcHandle, party: PartyHandle | None, buffer: bytes) -> NdisStatus:
    """End the call; what is still out comes back before the call manager hears of it."""
    call = vc.vc.call
    if not call.step(CallEvent.CLOSE, vc.actor):
        return NdisStatus.FAILURE
    if call.watch is not None:
        call.watch.cancel()
        call.watch = None
    receive.drop_early(vc.vc)
    call.pending.add(CLOSE)
    call.closing = (party, buffer)
    if vc.vc.sends_outstanding:
        call.is_draining = True
        return NdisStatus.PENDING
    return _ask_close(vc.vc)


def _ask_close(vc: Vc) -> NdisStatus:
    party, buffer = vc.call.closing
    context = None if party is None else party.cm_context
    status = ask_call_manager(vc, "close_call", context, buffer)
    if not answered(vc.call, CLOSE, family_of(vc).provider.actor, status):
        return NdisStatus.PENDING
    _closed(vc)
    return NdisStatus(status)


def go_on_closing(vc: Vc) -> None:
    """The last send of a call that was closed too early has come back."""
    vc.call.is_draining = False
    party, _ = vc.call.closing
    status = _ask_close(vc)
    if status is not NdisStatus.PENDING:
        tell_client(vc, "close_call_complete", status, None if party is None else party.client_context)


def complete_close(handle: VcHandle, status: NdisStatus) -> None:
    """A call manager ends close_call."""
    vc = handle.vc
    if completed(vc.call, CLOSE, handle.actor, status):
        party, _ = vc.call.closing
        _closed(vc)
        tell_client(vc, "close_call_complete", status, None if party is None else party.client_context)


def _closed(vc: Vc) -> None:
    """The call is over; what was with the call manager when it was closed has to have ended before."""
    call, actor = vc.call, family_of(vc).provider.actor
    for operation in call.pending & {MAKE, MODIFY}:
        vc.ndis.violation("CC-26", actor, call, f"closed before {operation} was completed")
        call.pending.discard(operation)
        parameters = call.sealed or CallParameters()
        if operation == MAKE:
            _made(vc, NdisStatus.REQUEST_ABORTED, None, parameters)
            tell_client(vc, "make_call_complete", NdisStatus.REQUEST_ABORTED, None, parameters)
        else:
            _modified(vc, NdisStatus.REQUEST_ABORTED, parameters)
            tell_client(vc, "modify_call_qos_complete", NdisStatus.REQUEST_ABORTED, parameters)
    call.step(CallEvent.CLOSED, actor)
    for party in call.parties:
        party.step(PartyEvent.CALL_CLOSED, actor)
    call.parties.clear()


def dispatch_incoming_close(handle: VcHandle, status: NdisStatus, buffer: bytes) -> None:
    """The other side, or the network, has ended the call: the client answers by cl_close_call (CC-20)."""
    vc, call = handle.vc, handle.vc.call
    if call.is_draining or not call.step(CallEvent.REMOTE_CLOSE, handle.actor):
        return  # while it drains the client has closed already, which the call manager cannot know yet

    def late() -> None:
        call.watch = None
        if call.state in _LEFT:
            detail = f"incoming_close_call not answered by a close within {CLOSE_LIMIT_S} s"
            vc.ndis.violation("CC-20", vc.client and vc.client.actor, call, detail)

    if vc.ndis.verifier is not None:
        call.watch = vc.ndis.kernel.set_watchdog(CLOSE_LIMIT_S * SECOND, late)
    tell_client(vc, "incoming_close_call", status, buffer)


# Quality of service.


@wdk("NdisClModifyCallQoS", callout=True)
def cl_modify_call_qos(vc: VcHandle, parameters: CallParameters) -> NdisStatus:
    """Ask for other call parameters (CC-25). PENDING: modify_call_qos_complete follows; CC-13 as in cl_make_call."""
    call = vc.vc.call
    if not is_clients(vc, "NdisClModifyCallQoS") or not call.step(CallEvent.MODIFY, vc.actor):
        return NdisStatus.FAILURE
    seal(call, parameters)
    call.pending.add(MODIFY)
    status = ask_call_manager(vc.vc, "modify_call_qos", parameters)
    if not answered(call, MODIFY, family_of(vc.vc).provider.actor, status):
        return NdisStatus.PENDING
    _modified(vc.vc, status, parameters)
    return NdisStatus(status)


def complete_modify(handle: VcHandle, status: NdisStatus, parameters: CallParameters) -> None:
    """A call manager ends modify_call_qos."""
    if completed(handle.vc.call, MODIFY, handle.actor, status):
        _modified(handle.vc, status, parameters)
        tell_client(handle.vc, "modify_call_qos_complete", status, parameters)


def _modified(vc: Vc, status: NdisStatus, parameters: CallParameters) -> None:
    unseal(vc.call, parameters)
    if status is NdisStatus.SUCCESS:
        vc.call.parameters = parameters.copy()
    vc.call.step(CallEvent.MODIFIED, family_of(vc).provider.actor)


def dispatch_qos_change(handle: VcHandle, parameters: CallParameters) -> None:
    """The network has changed the call's parameters; a client that cannot live with them closes (CC-25)."""
    vc = handle.vc
    if vc.call.state not in _TALKING:
        vc.ndis.violation("CC-25", handle.actor, vc.call, f"QoS change while {vc.call.state.value}")
        return
    vc.call.parameters = parameters.copy()
    tell_client(vc, "incoming_call_qos_change", parameters)

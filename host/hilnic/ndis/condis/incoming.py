# SPDX-License-Identifier: Apache-2.0
"""Incoming calls: a call manager offers one, the client answers, and it is connected (CC-15).

cm   cm_dispatch_incoming_call on an active VC -> client's incoming_call -> its answer, at once or by
     cl_complete_incoming_call -> cm's incoming_call_complete
cm   cm_dispatch_call_connected -> client's call_connected: data may flow
"""

from __future__ import annotations

from hilnic.ndis.condis import receive
from hilnic.ndis.condis.answers import answered, completed
from hilnic.ndis.condis.call import ACTIVE, ask_call_manager, is_clients, tell_client
from hilnic.ndis.condis.callout import ask, is_stale
from hilnic.ndis.condis.handles import SapHandle, Vc, VcHandle
from hilnic.ndis.condis.machines import CallEvent, SapState
from hilnic.ndis.condis.parameters import CallParameters
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk

OFFER = "incoming call"


def dispatch_incoming(sap: SapHandle, handle: VcHandle, parameters: CallParameters) -> NdisStatus:
    """Offer a call to whoever has registered the SAP; its VC is active (CC-15).

    The client's answer, or PENDING: incoming_call_complete follows. INVALID_SAP: the SAP is being deregistered.
    """
    vc, call = handle.vc, handle.vc.call
    if is_stale(sap, handle.actor, "DispatchIncomingCall", sap.state is SapState.CLOSED) or sap.af is not vc.af:
        return NdisStatus.FAILURE
    if sap.state is not SapState.REGISTERED:
        return NdisStatus.INVALID_SAP
    if vc.state not in ACTIVE:
        vc.ndis.violation("CC-15", handle.actor, call, f"offered while its VC is {vc.state.value}")
        return NdisStatus.FAILURE
    if not call.step(CallEvent.OFFER, handle.actor):
        return NdisStatus.FAILURE
    call.parameters = parameters.copy()
    call.pending.add(OFFER)
    assert vc.client is not None
    af = sap.af
    status = ask(
        af.binding, "incoming_call", af.handlers.incoming_call, sap.client_context, vc.client.context, parameters
    )
    if not answered(call, OFFER, af.binding, status):
        return NdisStatus.PENDING
    _offer_answered(vc, status)
    return NdisStatus(status)


@wdk("NdisClIncomingCallComplete", callout=True)
def cl_complete_incoming_call(vc: VcHandle, status: NdisStatus, parameters: CallParameters) -> None:
    """A client accepts (SUCCESS) or rejects a call for which it has answered PENDING."""
    if is_clients(vc, "NdisClIncomingCallComplete") and completed(vc.vc.call, OFFER, vc.actor, status):
        _offer_answered(vc.vc, status)
        ask_call_manager(vc.vc, "incoming_call_complete", status, parameters)


def _offer_answered(vc: Vc, status: NdisStatus) -> None:
    assert vc.client is not None
    vc.call.step(CallEvent.ACCEPT if status is NdisStatus.SUCCESS else CallEvent.REJECT, vc.client.actor)
    if status is not NdisStatus.SUCCESS and vc.call.watch is not None:
        vc.call.watch.cancel()
        vc.call.watch = None
    receive.settle_early(vc)


def dispatch_connected(handle: VcHandle) -> None:
    """An incoming call is up: data may flow (CC-15)."""
    vc = handle.vc
    if vc.call.step(CallEvent.CONNECTED, handle.actor):
        if vc.state not in ACTIVE:
            vc.ndis.violation("CC-15", handle.actor, vc.call, f"connected while its VC is {vc.state.value}")
        tell_client(vc, "call_connected")
        receive.settle_early(vc)

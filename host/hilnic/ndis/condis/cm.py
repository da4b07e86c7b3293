# SPDX-License-Identifier: Apache-2.0
"""What a stand-alone call manager calls: NdisCm. It is a protocol: VCs, data and requests are NdisCo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic.ndis.binding import Binding
from hilnic.ndis.condis import activation, address_family, call, incoming, party, sap
from hilnic.ndis.condis import vc as virtual_connection
from hilnic.ndis.condis.handles import AfHandle, PartyHandle, SapHandle, VcHandle, core_binding
from hilnic.ndis.condis.parameters import CallParameters, CoAddressFamily
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk

if TYPE_CHECKING:
    from hilnic.ndis.ndis5.protocol_edge import BindingEdge

# Address families and SAPs.


@wdk("NdisCmRegisterAddressFamilyEx", irql="PASSIVE", callout=True)
def cm_register_address_family(binding: Binding, family: CoAddressFamily) -> NdisStatus:
    """Offer the services of a stand-alone call manager; FAILURE when another one offers this family here (CC-01)."""
    handlers = None if binding.co is None else binding.co.call_manager
    return address_family.register(binding.adapter, binding, family, handlers)


@wdk("NdisCmDeregisterAddressFamily", irql="PASSIVE")
def cm_deregister_address_family(binding: Binding | BindingEdge, family: CoAddressFamily) -> NdisStatus:
    """Offer it no more; NOT_ACCEPTED while clients have it open: they are asked to leave first."""
    core = core_binding(binding)
    return address_family.deregister(core.adapter, core, family)


@wdk("NdisCmOpenAddressFamilyComplete", callout=True)
def cm_complete_open_address_family(af: AfHandle, status: NdisStatus, cm_af_context: Any) -> None:
    """End an open that was answered with PENDING; the call manager's context comes with it."""
    address_family.complete_open(af, status, cm_af_context)


@wdk("NdisCmCloseAddressFamilyComplete", callout=True)
def cm_complete_close_address_family(af: AfHandle, status: NdisStatus) -> None:
    """End a close that was answered with PENDING."""
    address_family.complete_close(af, status)


@wdk("NdisCmNotifyCloseAddressFamily", irql="PASSIVE", callout=True)
def cm_notify_close_address_family(af: AfHandle) -> NdisStatus:
    """Ask the client to leave. PENDING: notify_close_af_complete follows; FAILURE: it is leaving already."""
    return address_family.notify_close(af)


@wdk("NdisCmRegisterSapComplete", callout=True)
def cm_complete_register_sap(sap_handle: SapHandle, status: NdisStatus, cm_sap_context: Any) -> None:
    """End a registration that was answered with PENDING; the call manager's context comes with it."""
    sap.complete_register(sap_handle, status, cm_sap_context)


@wdk("NdisCmDeregisterSapComplete", callout=True)
def cm_complete_deregister_sap(sap_handle: SapHandle, status: NdisStatus) -> None:
    """End a deregistration that was answered with PENDING."""
    sap.complete_deregister(sap_handle, status)


# Virtual connections.


@wdk("NdisCmActivateVc", callout=True)
def cm_activate_vc(vc: VcHandle, parameters: CallParameters) -> NdisStatus:
    """Have the miniport activate the VC; again: with new parameters, and a failure leaves the old ones (CC-09).

    PENDING: activate_vc_complete follows.
    """
    if not virtual_connection.is_call_managers(vc, "NdisCmActivateVc", mcm=False):
        return NdisStatus.FAILURE
    return activation.activate(vc, parameters)


@wdk("NdisCmDeactivateVc", callout=True)
def cm_deactivate_vc(vc: VcHandle) -> NdisStatus:
    """Have the miniport deactivate the VC, after its last send and last held receive (CC-10).

    PENDING: deactivate_vc_complete follows.
    """
    if not virtual_connection.is_call_managers(vc, "NdisCmDeactivateVc", mcm=False):
        return NdisStatus.FAILURE
    return activation.deactivate(vc)


# Calls.


@wdk("NdisCmMakeCallComplete", callout=True)
def cm_complete_make_call(
    vc: VcHandle,
    status: NdisStatus,
    party_handle: PartyHandle | None,
    cm_party_context: Any,
    parameters: CallParameters,
) -> None:
    """End make_call: SUCCESS only when the VC is active (CC-14).

    The party is the one that make_call was given. Changed parameters carry CALL_PARAMETERS_CHANGED (CC-13).
    """
    del party_handle
    if virtual_connection.is_call_managers(vc, "NdisCmMakeCallComplete", mcm=False):
        call.complete_make(vc, status, cm_party_context, parameters)


@wdk("NdisCmCloseCallComplete", callout=True)
def cm_complete_close_call(vc: VcHandle, status: NdisStatus, party_handle: PartyHandle | None = None) -> None:
    """End close_call; make_call and modify_call_qos have been completed before (CC-26)."""
    del party_handle
    if virtual_connection.is_call_managers(vc, "NdisCmCloseCallComplete", mcm=False):
        call.complete_close(vc, status)


@wdk("NdisCmModifyCallQoSComplete", callout=True)
def cm_complete_modify_call_qos(vc: VcHandle, status: NdisStatus, parameters: CallParameters) -> None:
    """End modify_call_qos (CC-25)."""
    if virtual_connection.is_call_managers(vc, "NdisCmModifyCallQoSComplete", mcm=False):
        call.complete_modify(vc, status, parameters)


@wdk("NdisCmDispatchCallConnected", callout=True)
def cm_dispatch_call_connected(vc: VcHandle) -> None:
    """An incoming call that the client has accepted is up (CC-15)."""
    if virtual_connection.is_call_managers(vc, "NdisCmDispatchCallConnected", mcm=False):
        incoming.dispatch_connected(vc)


@wdk("NdisCmDispatchIncomingCallQoSChange", callout=True)
def cm_dispatch_incoming_call_qos_change(vc: VcHandle, parameters: CallParameters) -> None:
    """The network has changed the call's parameters (CC-25)."""
    if virtual_connection.is_call_managers(vc, "NdisCmDispatchIncomingCallQoSChange", mcm=False):
        call.dispatch_qos_change(vc, parameters)


@wdk("NdisCmDispatchIncomingCloseCall", callout=True)
def cm_dispatch_incoming_close_call(vc: VcHandle, close_status: NdisStatus, buffer: bytes = b"") -> None:
    """The other side or the network has ended the call: the client answers by cl_close_call (CC-20)."""
    if virtual_connection.is_call_managers(vc, "NdisCmDispatchIncomingCloseCall", mcm=False):
        call.dispatch_incoming_close(vc, close_status, buffer)


@wdk("NdisCmDispatchIncomingCall", callout=True)
def cm_dispatch_incoming_call(sap_handle: SapHandle, vc: VcHandle, parameters: CallParameters) -> NdisStatus:
    """Offer a call to the client that has registered the SAP, on an active VC created for it (CC-15).

    The client's answer, or PENDING: incoming_call_complete follows. INVALID_SAP: the SAP is being deregistered (CC-06).
    """
    if not virtual_connection.is_call_managers(vc, "NdisCmDispatchIncomingCall", mcm=False):
        return NdisStatus.FAILURE
    return incoming.dispatch_incoming(sap_handle, vc, parameters)


# Parties.


@wdk("NdisCmAddPartyComplete", callout=True)
def cm_complete_add_party(
    party_handle: PartyHandle, status: NdisStatus, cm_party_context: Any, parameters: CallParameters
) -> None:
    """End add_party; the call manager's context comes with it."""
    party.complete_add(party_handle, status, cm_party_context, parameters)


@wdk("NdisCmDropPartyComplete", callout=True)
def cm_complete_drop_party(party_handle: PartyHandle, status: NdisStatus) -> None:
    """End drop_party."""
    party.complete_drop(party_handle, status)


@wdk("NdisCmDispatchIncomingDropParty", callout=True)
def cm_dispatch_incoming_drop_party(party_handle: PartyHandle, drop_status: NdisStatus, buffer: bytes = b"") -> None:
    """A party, not the last one, has left: the client answers by cl_drop_party (CC-19)."""
    party.dispatch_incoming_drop(party_handle, drop_status, buffer)

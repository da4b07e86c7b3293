# SPDX-License-Identifier: Apache-2.0
"""What an integrated call manager, an MCM, calls: NdisMCm. It is the miniport and its call manager in one.

It creates and deletes its VCs here, does what a miniport does for them itself, and tells NDIS. What it has in common
with a stand-alone one (cm.py) is in the modules that both hand on to: here is each name, and who may call it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic.ndis.condis import activation, address_family, call, co_oid, incoming, party, sap
from hilnic.ndis.condis import vc as virtual_connection
from hilnic.ndis.condis.handles import AfHandle, PartyHandle, Role, SapHandle, VcHandle
from hilnic.ndis.condis.parameters import CallParameters, CoAddressFamily
from hilnic.ndis.oid_request import OidRequest
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter

# Address families and SAPs.


@wdk("NdisMCmRegisterAddressFamilyEx", irql="PASSIVE", callout=True)
def mcm_register_address_family(adapter: Adapter, family: CoAddressFamily) -> NdisStatus:
    """Offer the services of an integrated call manager; FAILURE when another one offers this family here (CC-01)."""
    handlers = None if adapter.co is None else adapter.co.call_manager
    return address_family.register(adapter, None, family, handlers)


@wdk("NdisMCmDeregisterAddressFamily", irql="PASSIVE")
def mcm_deregister_address_family(adapter: Adapter, family: CoAddressFamily) -> NdisStatus:
    """Offer it no more; NOT_ACCEPTED while clients have it open: they are asked to leave first."""
    return address_family.deregister(adapter, None, family)


@wdk("NdisMCmOpenAddressFamilyComplete", callout=True)
def mcm_complete_open_address_family(af: AfHandle, status: NdisStatus, cm_af_context: Any) -> None:
    """End an open that was answered with PENDING; the call manager's context comes with it."""
    address_family.complete_open(af, status, cm_af_context)


@wdk("NdisMCmCloseAddressFamilyComplete", callout=True)
def mcm_complete_close_address_family(af: AfHandle, status: NdisStatus) -> None:
    """End a close that was answered with PENDING."""
    address_family.complete_close(af, status)


@wdk("NdisMCmNotifyCloseAddressFamily", irql="PASSIVE", callout=True)
def mcm_notify_close_address_family(af: AfHandle) -> NdisStatus:
    """Ask the client to leave. PENDING: notify_close_af_complete follows; FAILURE: it is leaving already."""
    return address_family.notify_close(af)


@wdk("NdisMCmRegisterSapComplete", callout=True)
def mcm_complete_register_sap(sap_handle: SapHandle, status: NdisStatus, cm_sap_context: Any) -> None:
    """End a registration that was answered with PENDING; the call manager's context comes with it."""
    sap.complete_register(sap_handle, status, cm_sap_context)


@wdk("NdisMCmDeregisterSapComplete", callout=True)
def mcm_complete_deregister_sap(sap_handle: SapHandle, status: NdisStatus) -> None:
    """End a deregistration that was answered with PENDING."""
    sap.complete_deregister(sap_handle, status)


# Virtual connections.


@wdk("NdisMCmCreateVc", callout=True)
def mcm_create_vc(adapter: Adapter, af: AfHandle, vc_context: Any) -> virtual_connection.VcAnswer:
    """A VC for an incoming call: the client's create_vc is called, the miniport's is not (CC-22)."""
    return virtual_connection.create_for_mcm(adapter, af, vc_context)


@wdk("NdisMCmDeleteVc", callout=True)
def mcm_delete_vc(vc: VcHandle) -> NdisStatus:
    """Delete what mcm_create_vc made; see co_delete_vc for the answers (CC-12)."""
    if not virtual_connection.is_call_managers(vc, "NdisMCmDeleteVc", mcm=True):
        return NdisStatus.FAILURE
    return virtual_connection.delete(vc, "NdisMCmDeleteVc")


@wdk("NdisMCmActivateVc")
def mcm_activate_vc(vc: VcHandle, parameters: CallParameters) -> NdisStatus:
    """Tell NDIS that the VC is active, with these parameters; again: that they are new (CC-09)."""
    if not virtual_connection.is_call_managers(vc, "NdisMCmActivateVc", mcm=True):
        return NdisStatus.FAILURE
    return activation.activate_by_mcm(vc, parameters)


@wdk("NdisMCmDeactivateVc", callout=True)
def mcm_deactivate_vc(vc: VcHandle) -> NdisStatus:
    """Tell NDIS that the VC is inactive: every send has completed and every receive is back (CC-10)."""
    if not virtual_connection.is_call_managers(vc, "NdisMCmDeactivateVc", mcm=True):
        return NdisStatus.FAILURE
    return activation.deactivate_by_mcm(vc)


# Calls.


@wdk("NdisMCmMakeCallComplete", callout=True)
def mcm_complete_make_call(
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
    if virtual_connection.is_call_managers(vc, "NdisMCmMakeCallComplete", mcm=True):
        call.complete_make(vc, status, cm_party_context, parameters)


@wdk("NdisMCmCloseCallComplete", callout=True)
def mcm_complete_close_call(vc: VcHandle, status: NdisStatus, party_handle: PartyHandle | None = None) -> None:
    """End close_call; make_call and modify_call_qos have been completed before (CC-26)."""
    del party_handle
    if virtual_connection.is_call_managers(vc, "NdisMCmCloseCallComplete", mcm=True):
        call.complete_close(vc, status)


@wdk("NdisMCmModifyCallQoSComplete", callout=True)
def mcm_complete_modify_call_qos(vc: VcHandle, status: NdisStatus, parameters: CallParameters) -> None:
    """End modify_call_qos (CC-25)."""
    if virtual_connection.is_call_managers(vc, "NdisMCmModifyCallQoSComplete", mcm=True):
        call.complete_modify(vc, status, parameters)


@wdk("NdisMCmDispatchCallConnected", callout=True)
def mcm_dispatch_call_connected(vc: VcHandle) -> None:
    """An incoming call that the client has accepted is up (CC-15)."""
    if virtual_connection.is_call_managers(vc, "NdisMCmDispatchCallConnected", mcm=True):
        incoming.dispatch_connected(vc)


@wdk("NdisMCmDispatchIncomingCallQoSChange", callout=True)
def mcm_dispatch_incoming_call_qos_change(vc: VcHandle, parameters: CallParameters) -> None:
    """The network has changed the call's parameters (CC-25)."""
    if virtual_connection.is_call_managers(vc, "NdisMCmDispatchIncomingCallQoSChange", mcm=True):
        call.dispatch_qos_change(vc, parameters)


@wdk("NdisMCmDispatchIncomingCloseCall", callout=True)
def mcm_dispatch_incoming_close_call(vc: VcHandle, close_status: NdisStatus, buffer: bytes = b"") -> None:
    """The other side or the network has ended the call: the client answers by cl_close_call (CC-20)."""
    if virtual_connection.is_call_managers(vc, "NdisMCmDispatchIncomingCloseCall", mcm=True):
        call.dispatch_incoming_close(vc, close_status, buffer)


@wdk("NdisMCmDispatchIncomingCall", callout=True)
def mcm_dispatch_incoming_call(sap_handle: SapHandle, vc: VcHandle, parameters: CallParameters) -> NdisStatus:
    """Offer a call to the client that has registered the SAP, on an active VC created for it (CC-15).

    The client's answer, or PENDING: incoming_call_complete follows. INVALID_SAP: the SAP is being deregistered (CC-06).
    """
    if not virtual_connection.is_call_managers(vc, "NdisMCmDispatchIncomingCall", mcm=True):
        return NdisStatus.FAILURE
    return incoming.dispatch_incoming(sap_handle, vc, parameters)


# Parties.


@wdk("NdisMCmAddPartyComplete", callout=True)
def mcm_complete_add_party(
    party_handle: PartyHandle, status: NdisStatus, cm_party_context: Any, parameters: CallParameters
) -> None:
    """End add_party; the call manager's context comes with it."""
    party.complete_add(party_handle, status, cm_party_context, parameters)


@wdk("NdisMCmDropPartyComplete", callout=True)
def mcm_complete_drop_party(party_handle: PartyHandle, status: NdisStatus) -> None:
    """End drop_party."""
    party.complete_drop(party_handle, status)


@wdk("NdisMCmDispatchIncomingDropParty", callout=True)
def mcm_dispatch_incoming_drop_party(party_handle: PartyHandle, drop_status: NdisStatus, buffer: bytes = b"") -> None:
    """A party, not the last one, has left: the client answers by cl_drop_party (CC-19)."""
    party.dispatch_incoming_drop(party_handle, drop_status, buffer)


# Requests.


@wdk("NdisMCmOidRequest", callout=True)
def mcm_oid_request(
    af: AfHandle, vc: VcHandle | None, party_handle: PartyHandle | None, request: OidRequest
) -> NdisStatus:
    """Ask a client. PENDING: oid_request_complete follows."""
    return co_oid.ask_peer(af, Role.CALL_MANAGER, vc, party_handle, request)

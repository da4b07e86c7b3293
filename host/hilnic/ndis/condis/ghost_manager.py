# SPDX-License-Identifier: Apache-2.0
"""The ghost of a call manager, stand-alone or integrated: it hangs up, deactivates, and asks its clients to leave."""

from __future__ import annotations

from typing import Any

from hilnic.ndis.condis import activation, address_family, call, party, sap
from hilnic.ndis.condis import vc as virtual_connection
from hilnic.ndis.condis.characteristics import CallManagerHandlers
from hilnic.ndis.condis.ghost_answers import OVER, agree, nothing, refuse, refuse_two, until
from hilnic.ndis.condis.handles import AfHandle, Provider, Vc, VcHandle
from hilnic.ndis.condis.machines import CALL_MACHINE, CallEvent, VcState
from hilnic.ndis.condis.parameters import CallParameters
from hilnic.ndis.status import NdisStatus


def haunt_manager(provider: Provider) -> None:
    """The call manager is out."""
    provider.handlers = MANAGER
    for af in provider.opens:
        af.cm_context = af
        for each in af.saps:
            each.cm_context = each
    for vc in _vcs_of(provider):
        assert vc.call_manager is not None
        vc.call_manager.context = vc.call_manager
        for member in vc.call.parties:
            member.cm_context = member


def _vcs_of(provider: Provider) -> list[Vc]:
    return [vc for vc in provider.adapter.co.vcs if vc.provider is provider]


def _close_family(af: AfHandle) -> NdisStatus:
    return NdisStatus.NOT_ACCEPTED if af.vcs or af.saps else NdisStatus.SUCCESS


def _close_call(handle: VcHandle, *_: Any) -> NdisStatus:
    vc = handle.vc
    if call.MAKE in vc.call.pending:
        call.complete_make(handle, NdisStatus.REQUEST_ABORTED, None, vc.call.sealed or CallParameters())
    if call.MODIFY in vc.call.pending:
        call.complete_modify(handle, NdisStatus.REQUEST_ABORTED, vc.call.sealed or CallParameters())
    status = _deactivate(handle)
    if status is not NdisStatus.PENDING:
        _discard_later(handle)
        return NdisStatus.SUCCESS
    return status


def _deactivate(handle: VcHandle) -> NdisStatus:
    """Make the VC inactive; PENDING: it will be."""
    vc = handle.vc
    if vc.state is VcState.CREATED:
        return NdisStatus.SUCCESS
    if vc.state is not VcState.ACTIVE:
        return NdisStatus.PENDING
    if not handle.is_mcm:
        return activation.deactivate(handle)
    if vc.sends_outstanding or vc.receives_outstanding:
        return NdisStatus.PENDING
    return activation.deactivate_by_mcm(handle)


def go_on(handle: VcHandle, *_: Any) -> None:
    """An activation or a deactivation has ended: so does a close that waited for it."""
    vc = handle.vc
    if call.MAKE in vc.call.pending:
        call.complete_make(handle, NdisStatus.FAILURE, None, vc.call.sealed or CallParameters())
    if _deactivate(handle) is NdisStatus.PENDING:
        return
    if call.CLOSE in vc.call.pending:
        call.complete_close(handle, NdisStatus.SUCCESS)
    _discard(handle)


def _offer_answered(handle: VcHandle, status: NdisStatus, parameters: CallParameters) -> None:
    del parameters
    if status is NdisStatus.SUCCESS:
        _hang_up(handle)
    elif _deactivate(handle) is not NdisStatus.PENDING:
        _discard(handle)


def _hang_up(handle: VcHandle) -> None:
    if CallEvent.REMOTE_CLOSE in CALL_MACHINE[handle.vc.call.state]:
        call.dispatch_incoming_close(handle, NdisStatus.FAILURE, b"")


def _discard_later(handle: VcHandle) -> None:
    handle.ndis.kernel.queue_dpc(lambda: _discard(handle))


def _discard(handle: VcHandle) -> None:
    """A VC of the call manager's own goes when it has no call."""
    vc = handle.vc
    if handle.is_live and handle is vc.creator and vc.state is VcState.CREATED and vc.call.state in OVER:
        virtual_connection.delete(handle, "the ghost of a call manager")


MANAGER = CallManagerHandlers(
    create_vc=refuse_two,
    delete_vc=agree,
    open_af=refuse_two,
    close_af=_close_family,
    register_sap=refuse_two,
    deregister_sap=agree,
    make_call=refuse_two,
    close_call=_close_call,
    incoming_call_complete=_offer_answered,
    add_party=refuse_two,
    drop_party=agree,
    modify_call_qos=refuse,
    activate_vc_complete=go_on,
    deactivate_vc_complete=go_on,
    notify_close_af_complete=nothing,
    oid_request=refuse,
    oid_request_complete=nothing,
)


def end_pending(provider: Provider) -> None:
    """What waited for the call manager ends; the other side of every call is told that it is over."""
    for af in list(provider.opens):
        for each in list(af.saps):
            _end_sap(each)
    for vc in _vcs_of(provider):
        _end_vc(vc)
    for af in list(provider.opens):
        if address_family.OPEN in af.pending:
            address_family.complete_open(af, NdisStatus.FAILURE, None)
        elif address_family.CLOSE in af.pending:
            address_family.complete_close(af, _close_family(af))


def _end_sap(each: Any) -> None:
    if sap.REGISTER in each.pending:
        sap.complete_register(each, NdisStatus.FAILURE, None)
    elif sap.DEREGISTER in each.pending:
        sap.complete_deregister(each, NdisStatus.SUCCESS)


def _end_vc(vc: Vc) -> None:
    handle = vc.call_manager
    assert handle is not None
    for member in list(vc.call.parties):
        if party.ADD in member.pending:
            party.complete_add(member, NdisStatus.FAILURE, None, member.sealed or CallParameters())
        elif party.DROP in member.pending:
            party.complete_drop(member, NdisStatus.SUCCESS)
    if call.CLOSE in vc.call.pending and not vc.call.is_draining:
        if _close_call(handle) is not NdisStatus.PENDING:
            call.complete_close(handle, NdisStatus.SUCCESS)
        return
    if call.MAKE in vc.call.pending:
        call.complete_make(handle, NdisStatus.FAILURE, None, vc.call.sealed or CallParameters())
    if call.MODIFY in vc.call.pending:
        call.complete_modify(handle, NdisStatus.FAILURE, vc.call.sealed or CallParameters())
    _hang_up(handle)
    if vc.call.state in OVER:
        go_on(handle)


async def stop_offering(provider: Provider) -> None:
    """The clients are told, asked to leave, and waited for."""
    end_pending(provider)
    for af in list(provider.opens):
        address_family.notify_close(af)
    await until(provider.ndis, lambda: not provider.opens and not _vcs_of(provider))
    address_family.deregister(provider.adapter, provider.binding, provider.family)

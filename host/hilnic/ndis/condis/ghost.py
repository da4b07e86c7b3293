# SPDX-License-Identifier: Apache-2.0
"""A CoNDIS driver whose handler has raised (ndis/faults.py): a ghost ends its calls, so that its peers are left clean.

At once the ghost's handlers stand in for the driver's, and every context of the driver's becomes NDIS's own object.
From the work item that takes the driver out, `leave` ends what was pending and waits until the last family is closed:
a client's ghost closes its calls, a call manager's deactivates VCs and asks the clients to leave.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hilnic.ndis.condis import address_family, call, incoming, party, sap
from hilnic.ndis.condis import vc as virtual_connection
from hilnic.ndis.condis.characteristics import CallManagerHandlers, ClientHandlers
from hilnic.ndis.condis.handles import AfHandle, Provider, Vc, VcHandle
from hilnic.ndis.condis.machines import CALL_MACHINE, AfState, CallEvent, CallState, SapState, VcState
from hilnic.ndis.condis.parameters import CallParameters
from hilnic.ndis.flags import ReceiveFlags
from hilnic.ndis.nbl import NetBufferList
from hilnic.ndis.receive import return_net_buffer_lists
from hilnic.ndis.status import NdisStatus

if TYPE_CHECKING:
    from hilnic.ndis.binding import Binding
    from hilnic.ndis.ndis import Ndis

_REFUSED = (NdisStatus.FAILURE, None)
_OVER = frozenset({CallState.IDLE, CallState.CLOSED})
_PATIENCE_NS = 4_000_000_000


def _nothing(*_: Any) -> None:
    """A ghost takes what it is told."""


def _refuse(*_: Any) -> NdisStatus:
    return NdisStatus.FAILURE


def _refuse_two(*_: Any) -> tuple[NdisStatus, None]:
    return _REFUSED


def _agree(*_: Any) -> NdisStatus:
    return NdisStatus.SUCCESS


CLIENT = ClientHandlers(
    create_vc=_refuse_two,
    delete_vc=_agree,
    open_af_complete=_nothing,
    close_af_complete=_nothing,
    register_sap_complete=_nothing,
    deregister_sap_complete=_nothing,
    make_call_complete=_nothing,
    modify_call_qos_complete=_nothing,
    close_call_complete=_nothing,
    add_party_complete=_nothing,
    drop_party_complete=_nothing,
    incoming_call=_refuse,
    incoming_call_qos_change=_nothing,
    incoming_close_call=_nothing,
    incoming_drop_party=_nothing,
    call_connected=_nothing,
    notify_close_af=_agree,
    oid_request=_refuse,
    oid_request_complete=_nothing,
)


def haunt_binding(binding: Binding) -> None:
    """The protocol is out: nothing reaches it any more."""
    co = binding.co
    co.notify_handler = None
    co.status_handler = _nothing
    if not hasattr(binding.context, "haunt"):  # a 5.x driver's edge has its own ghost, and translates on
        co.receive_handler, co.complete_handler = _returner(binding), _nothing
    for af in co.opens:
        af.handlers, af.client_context = CLIENT, af
        for each in af.saps:
            each.client_context = each
        for vc in af.vcs:
            vc.client.context = vc.client
            for member in vc.call.parties:
                member.client_context = member
    for provider in co.providers:
        haunt_manager(provider)


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


def _returner(binding: Binding) -> Callable[..., None]:
    def give_back(_: Any, __: Any, nbls: NetBufferList, ___: int, flags: int) -> None:
        if not flags & ReceiveFlags.RESOURCES:
            return_net_buffer_lists(binding, nbls)

    return give_back


async def _until(ndis: Ndis, is_done: Callable[[], bool]) -> bool:
    """Wait, ever longer, for what others have to do; False when they do not."""
    delay = 1000
    while not is_done():
        if delay > _PATIENCE_NS:
            return False
        await ndis.kernel.sleep(delay)
        delay *= 2
    return True


async def leave(binding: Binding) -> None:
    """From the work item: end everything that a client or a call manager has on this binding."""
    for af in list(binding.co.opens):
        await _leave_family(af)
    for provider in list(binding.co.providers):
        await stop_offering(provider)


# A client.


async def _leave_family(af: AfHandle) -> None:
    for vc in list(af.vcs):
        await _end_call(vc)
    for each in list(af.saps):
        await _until(af.ndis, lambda each=each: each.state is not SapState.REGISTERING)  # type: ignore[misc]
        if each.state is SapState.REGISTERED:
            sap.cl_deregister_sap(each)
        await _until(af.ndis, lambda each=each: each not in af.saps)  # type: ignore[misc]
    if address_family.LEAVE in af.pending:
        address_family.cl_complete_notify_close_address_family(af, NdisStatus.SUCCESS)
    await _until(af.ndis, lambda: af.state is not AfState.OPENING)
    if af.state is AfState.OPEN:
        address_family.cl_close_address_family(af)
    await _until(af.ndis, lambda: af.state is AfState.CLOSED)


async def _end_call(vc: Vc) -> None:
    client = vc.client
    assert client is not None
    if incoming.OFFER in vc.call.pending:
        incoming.cl_complete_incoming_call(client, NdisStatus.FAILURE, vc.call.parameters or CallParameters())
    if CallEvent.CLOSE in CALL_MACHINE[vc.call.state]:
        call.begin_close(client, vc.call.parties[-1] if vc.call.parties else None, b"")
    await _until(vc.ndis, lambda: not client.is_live or vc.call.state in _OVER)
    if vc.creator is client:
        await _until(vc.ndis, lambda: vc.state is VcState.CREATED)
        virtual_connection.co_delete_vc(client)
    else:
        await _until(vc.ndis, lambda: not client.is_live)


# A call manager.


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
        return virtual_connection.deactivate(handle)
    if vc.sends_outstanding or vc.receives_outstanding:
        return NdisStatus.PENDING
    return virtual_connection.deactivate_by_mcm(handle)


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
    if handle.is_live and handle is vc.creator and vc.state is VcState.CREATED and vc.call.state in _OVER:
        virtual_connection.delete(handle, "the ghost of a call manager")


MANAGER = CallManagerHandlers(
    create_vc=_refuse_two,
    delete_vc=_agree,
    open_af=_refuse_two,
    close_af=_close_family,
    register_sap=_refuse_two,
    deregister_sap=_agree,
    make_call=_refuse_two,
    close_call=_close_call,
    incoming_call_complete=_offer_answered,
    add_party=_refuse_two,
    drop_party=_agree,
    modify_call_qos=_refuse,
    activate_vc_complete=go_on,
    deactivate_vc_complete=go_on,
    notify_close_af_complete=_nothing,
    oid_request=_refuse,
    oid_request_complete=_nothing,
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
    if vc.call.state in _OVER:
        go_on(handle)


async def stop_offering(provider: Provider) -> None:
    """The clients are told, asked to leave, and waited for."""
    end_pending(provider)
    for af in list(provider.opens):
        address_family.notify_close(af)
    await _until(provider.ndis, lambda: not provider.opens and not _vcs_of(provider))
    address_family.deregister(provider.adapter, provider.binding, provider.family)

# SPDX-License-Identifier: Apache-2.0
"""Virtual connections: create and delete, synchronous in every driver that takes part (activation.py has the rest).

    creator   co_create_vc -> peer's create_vc -> miniport's create_vc       a failure of one undoes the other (CC-07)

For an MCM NDIS asks its call manager's half instead of a miniport.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic.ndis.binding import Binding
from hilnic.ndis.condis.callout import ask, is_stale
from hilnic.ndis.condis.handles import AfHandle, Role, Vc, VcHandle, core_binding
from hilnic.ndis.condis.machines import AfState, CallState, VcEvent, VcState
from hilnic.ndis.states import BindingState
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.ndis5.protocol_edge import BindingEdge

_FAILED = (NdisStatus.FAILURE, None)
_IN_USE = frozenset({VcState.ACTIVATING, VcState.ACTIVE, VcState.REACTIVATING})
_WITHOUT_CALL = frozenset({CallState.IDLE, CallState.CLOSED})

VcAnswer = tuple[NdisStatus, VcHandle | None]

# Create.


@wdk("NdisCoCreateVc", callout=True)
def co_create_vc(binding: Binding | BindingEdge, af: AfHandle | None, vc_context: Any) -> VcAnswer:
    """A VC for an outgoing call (client), for an incoming one, or, af None, for itself (call manager).

    Everybody has answered when this returns. The status of the driver that failed; FAILURE: not this binding's af.
    """
    binding = core_binding(binding)
    if binding.adapter.co is None or binding.co is None:
        return NdisStatus.NOT_SUPPORTED, None
    if binding.state in {BindingState.CLOSING, BindingState.UNBOUND}:
        return NdisStatus.CLOSING, None
    if af is None:
        if not binding.co.providers:
            return _FAILED
        return _create(binding.adapter, None, Role.CALL_MANAGER, binding, vc_context)
    is_client = af.binding is binding
    if not is_client and af.provider.binding is not binding:
        return _FAILED
    if is_client and is_stale(af, binding, "NdisCoCreateVc", af.state is not AfState.OPEN):
        return _FAILED
    if af.state is not AfState.OPEN:
        return NdisStatus.CLOSING, None
    return _create(binding.adapter, af, Role.CLIENT if is_client else Role.CALL_MANAGER, binding, vc_context)


def create_for_mcm(adapter: Adapter, af: AfHandle, context: Any) -> VcAnswer:
    """A VC for an incoming call that an integrated call manager has."""
    if af.provider.adapter is not adapter or not af.provider.is_mcm:
        return _FAILED
    if af.state is not AfState.OPEN:
        return NdisStatus.CLOSING, None
    return _create(adapter, af, Role.CALL_MANAGER, None, context)


def _create(adapter: Adapter, af: AfHandle | None, role: Role, binding: Binding | None, context: Any) -> VcAnswer:
    co = adapter.co
    co.last_number += 1
    vc = Vc(adapter, af, co.last_number)
    own = vc.creator = _handle(vc, role, binding)
    own.context = context
    vc.provider = binding.co.providers[0] if af is None and binding is not None else af and af.provider
    status = NdisStatus.SUCCESS
    if af is not None:
        status = _create_at_peer(vc, af, Role.CALL_MANAGER if role is Role.CLIENT else Role.CLIENT)
    if status is NdisStatus.SUCCESS and vc.call_manager is not None and vc.call_manager.binding is None:
        vc.miniport = vc.call_manager
    elif status is NdisStatus.SUCCESS:
        status = _create_at_miniport(vc)
        if status is not NdisStatus.SUCCESS and af is not None:
            _delete_at_peer(vc)
    if status is not NdisStatus.SUCCESS:
        own.is_live = False
        return status, None
    vc.user = own if vc.client is None else vc.client
    co.vcs.append(vc)
    if af is not None:
        af.vcs.append(vc)
    return status, own


def _handle(vc: Vc, role: Role, binding: Binding | None) -> VcHandle:
    handle = VcHandle(vc, role, binding)
    handle.forwards = binding is not None and binding.forwards
    if role is Role.CLIENT:
        vc.client = handle
    elif role is Role.CALL_MANAGER:
        vc.call_manager = handle
    else:
        vc.miniport = handle
    return handle


def _create_at_peer(vc: Vc, af: AfHandle, role: Role) -> NdisStatus:
    if role is Role.CLIENT:
        handle, create, context = _handle(vc, role, af.binding), af.handlers.create_vc, af.client_context
    else:
        provider = af.provider
        handle, create, context = _handle(vc, role, provider.binding), provider.handlers.create_vc, af.cm_context
    status, handle.context = ask(handle.actor, "create_vc", create, context, handle, refused=_FAILED)
    if status is NdisStatus.PENDING:
        vc.ndis.violation("CC-07", handle.actor, vc, "create_vc answered PENDING")
        _delete_at_peer(vc)
        status = NdisStatus.FAILURE
    handle.is_live = status is NdisStatus.SUCCESS
    return NdisStatus(status)


def _create_at_miniport(vc: Vc) -> NdisStatus:
    adapter = vc.adapter
    create = adapter.co.handlers.create_vc
    if create is None:
        return NdisStatus.NOT_SUPPORTED
    handle = _handle(vc, Role.MINIPORT, None)
    status, handle.context = ask(adapter, "create_vc", create, adapter.context, handle, refused=_FAILED)
    if status is NdisStatus.PENDING:
        vc.ndis.violation("CC-07", adapter, vc, "create_vc answered PENDING")
        ask(adapter, "delete_vc", adapter.co.handlers.delete_vc, handle.context)
        status = NdisStatus.FAILURE
    handle.is_live = status is NdisStatus.SUCCESS
    return NdisStatus(status)


# Delete.


@wdk("NdisCoDeleteVc", callout=True)
def co_delete_vc(vc: VcHandle) -> NdisStatus:
    """Its creator deletes an inactive VC without a call; the handles are dead when this returns SUCCESS (CC-12).

    NOT_ACCEPTED: it is active, or has a call. CLOSING: its deactivation is under way.
    """
    if vc.binding is None:
        vc.ndis.violation("CC-22", vc.actor, vc.vc, "NdisCoDeleteVc of a miniport call manager")
        return NdisStatus.FAILURE
    return delete(vc, "NdisCoDeleteVc")


def delete(handle: VcHandle, call: str) -> NdisStatus:
    """Delete the VC for whoever has this handle."""
    vc = handle.vc
    if is_stale(vc, handle.actor, call, not handle.is_live):
        return NdisStatus.FAILURE
    if handle is not vc.creator:
        vc.ndis.violation("CC-12", handle.actor, vc, f"deleted, but {vc.creator!r} has created it")
        return NdisStatus.FAILURE
    if vc.state in _IN_USE or vc.call.state not in _WITHOUT_CALL:
        return NdisStatus.NOT_ACCEPTED
    if vc.state is VcState.DEACTIVATING:
        return NdisStatus.CLOSING
    if not handle.is_mcm:
        status = ask(vc.adapter, "delete_vc", vc.adapter.co.handlers.delete_vc, vc.miniport.context)
        if not _is_final(vc, vc.adapter, status):
            return NdisStatus.FAILURE
        if status is not NdisStatus.SUCCESS:
            return NdisStatus(status)
    vc.step(VcEvent.DELETE, handle.actor)
    if vc.af is not None:
        _delete_at_peer(vc)
        vc.af.vcs.remove(vc)
    vc.adapter.co.vcs.remove(vc)
    for each in (vc.client, vc.call_manager, vc.miniport):
        if each is not None:
            each.is_live = False
    return NdisStatus.SUCCESS


def _delete_at_peer(vc: Vc) -> None:
    af = vc.af
    assert af is not None
    if vc.creator is vc.client:
        peer, handlers = vc.call_manager, af.provider.handlers
    else:
        peer, handlers = vc.client, af.handlers  # type: ignore[assignment]
    assert peer is not None
    _is_final(vc, peer.actor, ask(peer.actor, "delete_vc", handlers.delete_vc, peer.context))


def _is_final(vc: Vc, actor: Any, status: Any) -> bool:
    if status is NdisStatus.PENDING:
        vc.ndis.violation("CC-07", actor, vc, "delete_vc answered PENDING")
        return False
    return True


# Whose handle is it.


def is_call_managers(vc: VcHandle, call: str, mcm: bool) -> bool:
    """Whether a call manager calls, with its own live handle, in the form that is its: NdisCm or NdisMCm (CC-22)."""
    if is_stale(vc.vc, vc.actor, call, not vc.is_live):
        return False
    if vc.role is not Role.CALL_MANAGER:
        vc.ndis.violation("OI-21", vc.actor, vc, f"{call} wants the call manager's handle of the VC")
        return False
    if (vc.binding is None) is not mcm:
        vc.ndis.violation("CC-22", vc.actor, vc.vc, f"{call} is not for this kind of call manager")
        return False
    return True


def is_miniports(vc: VcHandle, call: str) -> bool:
    """Whether the miniport calls, with its own live handle."""
    if is_stale(vc.vc, vc.adapter, call, not vc.is_live):
        return False
    if vc is not vc.vc.miniport:
        vc.ndis.violation("OI-21", vc.actor, vc, f"{call} wants the miniport's handle of the VC")
        return False
    return True

# SPDX-License-Identifier: Apache-2.0
"""Data on VCs, down: client or call manager -> NDIS -> miniport, and each completion back to the handle it came from.

A list's source handle is the sender's VC handle (CD-03). What cannot go down NDIS completes itself: VC_NOT_ACTIVATED
before the VC is active (CC-08), CLOSING once the call is being closed (CC-17), else as on the binding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic.ndis.condis import call
from hilnic.ndis.condis.handles import Role, Vc, VcHandle
from hilnic.ndis.condis.loopback import loop_back
from hilnic.ndis.condis.machines import CallState, VcState
from hilnic.ndis.condis.vc import is_miniports
from hilnic.ndis.faults import failed
from hilnic.ndis.flags import NblInfo, SendFlags
from hilnic.ndis.nbl import NblQueue, NetBufferList, classify, walk
from hilnic.ndis.send import number_frames, trace_completions
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk

if TYPE_CHECKING:
    from hilnic.ndis.binding import Binding

_CHECK_FOR_LOOPBACK = int(SendFlags.CHECK_FOR_LOOPBACK)
_CANCEL_ID = int(NblInfo.CANCEL_ID)
_CARRYING = frozenset({VcState.ACTIVE, VcState.REACTIVATING})
_CONNECTED = frozenset({CallState.CONNECTED, CallState.MODIFYING, CallState.REMOTE_CLOSED, CallState.LEAVING})
_CLOSED = frozenset({CallState.ABORTING, CallState.CLOSING, CallState.CLOSED})
_DEEPEST = 8
"""Sends inside of each other's completions before NDIS takes them one by one (S6-24)."""


@wdk("NdisCoSendNetBufferLists", callout=True)
def co_send_net_buffer_lists(vc: VcHandle, nbls: NetBufferList | None, send_flags: int = 0) -> None:
    """Send a chain whose source_handle is `vc` on an active VC; one completion per list follows (CD-01, CD-02).

    The completion may run inside this call (A20).
    """
    if vc.binding is None:
        vc.ndis.violation("CC-22", vc.actor, vc.vc, "NdisCoSendNetBufferLists of a miniport")
        return
    if vc.ndis.vc_ledger is not None:
        nbls = vc.ndis.vc_ledger.sent(vc, nbls, send_flags)
    if nbls is None:
        return
    number = number_frames(vc.ndis, vc, nbls)
    refusal = refusal_of(vc)
    if refusal is not None:
        complete_by_ndis(vc, nbls, send_flags, refusal)
        return
    connection, adapter = vc.vc, vc.vc.adapter
    connection.sends_outstanding += number
    vc.binding.sends_outstanding += number
    adapter.sends_outstanding += number
    if send_flags & _CHECK_FOR_LOOPBACK:
        loop_back(connection, nbls)
    if connection.sending >= _DEEPEST or connection.deferred:
        connection.deferred.append((vc, nbls, send_flags))
    else:
        connection.sending += 1
        try:
            _to_miniport(connection, nbls, send_flags)
        finally:
            connection.sending -= 1
    if connection.deferred and not connection.sending:
        _send_deferred(connection)


def refusal_of(vc: VcHandle) -> NdisStatus | None:
    """How NDIS answers a send now; None = it goes down."""
    connection, state = vc.vc, vc.vc.call.state
    if not vc.is_live:
        vc.ndis.violation("CC-04", vc.actor, connection, "STALE_HANDLE in NdisCoSendNetBufferLists")
        return NdisStatus.CLOSING
    if vc.role is Role.CLIENT and state in _CLOSED:
        vc.ndis.violation("CC-17", vc.actor, connection.call, f"sent while the call is {state.value}")
        return NdisStatus.CLOSING
    if connection.state not in _CARRYING:
        return NdisStatus.VC_NOT_ACTIVATED
    if vc.role is Role.CLIENT and state not in _CONNECTED:
        vc.ndis.violation("CC-15", vc.actor, connection.call, f"sent while the call is {state.value}")
        return NdisStatus.VC_NOT_ACTIVATED
    assert vc.binding is not None
    return vc.binding.refusal


def _to_miniport(vc: Vc, nbls: NetBufferList, send_flags: int) -> None:
    try:
        vc.adapter.co.send_handler(vc.miniport.context, nbls, send_flags)
    except Exception as error:
        failed(vc.adapter, "send_net_buffer_lists", error)


def _send_deferred(vc: Vc) -> None:
    """Sends from inside of completions, too deep for the stack: in order, by the outermost call (S6-24)."""
    vc.sending = _DEEPEST
    try:
        while vc.deferred:
            sender, nbls, send_flags = vc.deferred.pop(0)
            if vc.state in _CARRYING:
                _to_miniport(vc, nbls, send_flags)
            else:
                _give_back(sender, nbls, send_flags, NdisStatus.VC_NOT_ACTIVATED)
    finally:
        vc.sending = 0


def cancel_deferred(vc: Vc, binding: Binding, cancel_id: Any) -> None:
    """End what NDIS keeps of this binding's sends with this id; the rest stays in order (CN-10)."""
    kept, vc.deferred = vc.deferred, []
    for sender, nbls, send_flags in kept:
        stays, ends = NblQueue(), NblQueue()
        for nbl in walk(nbls):
            is_meant = sender.binding is binding and nbl.net_buffer_list_info[_CANCEL_ID] == cancel_id
            (ends if is_meant else stays).append(nbl)
        if stays.first is not None:
            vc.deferred.append((sender, stays.first, send_flags))
        if ends.first is not None:
            _give_back(sender, ends.first, send_flags, NdisStatus.SEND_ABORTED)


def _give_back(sender: VcHandle, nbls: NetBufferList, send_flags: int, status: NdisStatus) -> None:
    """Complete what NDIS has kept."""
    number = sum(1 for _ in walk(nbls))
    sender.adapter.sends_outstanding -= number
    complete_by_ndis(sender, nbls, send_flags, status)
    count_down(sender, number)


def complete_by_ndis(sender: VcHandle, nbls: NetBufferList, send_flags: int, status: NdisStatus) -> None:
    """Complete lists that never reached the miniport."""
    nbl: NetBufferList | None = nbls
    while nbl is not None:
        nbl.status = status
        nbl = nbl.next
    if sender.ndis.verifier is not None:
        sender.ndis.verifier.refused(nbls)
    _tell(sender, nbls, send_flags & 1)


@wdk("NdisMCoSendNetBufferListsComplete", callout=True)
def mco_complete_send_net_buffer_lists(vc: VcHandle, nbls: NetBufferList | None, send_complete_flags: int = 0) -> None:
    """A miniport gives lists of this VC back, `status` set in each: any order, any grouping (CD-04)."""
    ndis = vc.ndis
    if not is_miniports(vc, "NdisMCoSendNetBufferListsComplete"):
        return
    if ndis.vc_ledger is not None:
        nbls = ndis.vc_ledger.completed(vc, nbls)
    if nbls is None:
        return
    if ndis.trace.enabled:
        trace_completions(ndis, nbls)
    source, number = nbls.source_handle, 0
    nbl: NetBufferList | None = nbls
    while nbl is not None and nbl.source_handle is source:
        number += 1
        nbl = nbl.next
    if nbl is None:
        _deliver(source, nbls, number, send_complete_flags)
        return
    for sender, chain, members in classify(nbls, _source_of):
        _deliver(sender, chain, members, send_complete_flags)


def _source_of(nbl: NetBufferList) -> Any:
    return nbl.source_handle


def _deliver(sender: VcHandle, nbls: NetBufferList, number: int, flags: int) -> None:
    sender.adapter.sends_outstanding -= number
    _tell(sender, nbls, flags)
    count_down(sender, number)


def _tell(sender: VcHandle, nbls: NetBufferList, flags: int) -> None:
    binding: Any = sender.binding
    try:
        binding.co.complete_handler(sender.context, nbls, flags)
    except Exception as error:
        failed(binding, "send_net_buffer_lists_complete", error)


def count_down(sender: VcHandle, number: int) -> None:
    """So many sends of a VC are their sender's again: a close that waits for them goes on (CD-12)."""
    binding: Any = sender.binding
    vc = sender.vc
    vc.sends_outstanding -= number
    binding.sends_outstanding -= number
    if vc.call.is_draining and not vc.sends_outstanding:
        call.go_on_closing(vc)
    binding.check_close()

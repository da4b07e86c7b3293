# SPDX-License-Identifier: Apache-2.0
"""The send path: protocol -> NDIS -> miniport, and every completion back to where the source handle points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic.ndis.flags import DEFAULT_PORT_NUMBER
from hilnic.ndis.nbl import NetBufferList, classify
from hilnic.ndis.states import BindingState
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.binding import Binding
    from hilnic.ndis.ndis import Ndis


@wdk("NdisSendNetBufferLists", callout=True)
def send_net_buffer_lists(
    binding: Binding, nbls: NetBufferList | None, port_number: int = DEFAULT_PORT_NUMBER, send_flags: int = 0
) -> None:
    """Send a chain of NBLs whose source_handle is `binding`; each comes back by one completion (S6-01, S6-02).

    From the call on the sender owns nothing of them. The completion may run inside this call (A20).
    """
    ndis = binding.ndis
    if ndis.verifier is not None:
        nbls = ndis.verifier.sent(binding, nbls)
    if nbls is None:
        return
    number = _number_frames(ndis, binding, nbls)
    refusal = binding.refusal
    if refusal is None and port_number != DEFAULT_PORT_NUMBER:
        refusal = NdisStatus.INVALID_PORT
    if refusal is not None:
        _refuse(binding, nbls, number, port_number, send_flags, refusal)
        return
    binding.sends_outstanding += number
    adapter = binding.adapter
    adapter.sends_outstanding += number
    adapter.send_handler(adapter.context, nbls, port_number, send_flags)


def _number_frames(ndis: Ndis, binding: Binding, nbls: NetBufferList) -> int:
    """Count the NBLs and give each frame the id that follows it to the wire."""
    number = 0
    tracing = ndis.trace.enabled
    nbl: NetBufferList | None = nbls
    while nbl is not None:
        number += 1
        nb = nbl.first_net_buffer
        while nb is not None:
            ndis.last_frame_id = nb.frame_id = ndis.last_frame_id + 1
            if tracing:
                ndis.trace.emit("nbl.send", frame=nb.frame_id, nbl=nbl.id, binding=binding.name, bytes=nb.data_length)
            nb = nb.next
        nbl = nbl.next
    return number


def _refuse(
    binding: Binding, nbls: NetBufferList, number: int, port_number: int, send_flags: int, status: NdisStatus
) -> None:
    """NDIS answers for the miniport: held over a reset (older profiles), or completed at once with `status`."""
    ndis = binding.ndis
    if status is NdisStatus.RESET_IN_PROGRESS and ndis.profile.hold_sends_during_reset:
        binding.sends_outstanding += number
        binding.adapter.held_sends.append((binding, nbls, number, port_number, send_flags))
        return
    if binding.state in {BindingState.PAUSED, BindingState.OPENING}:
        ndis.warning("S6-25", binding, nbls, f"sent while {binding.state.value}")
    complete_by_ndis(binding, nbls, send_flags, status)


def complete_by_ndis(binding: Binding, nbls: NetBufferList, send_flags: int, status: NdisStatus) -> None:
    """Complete NBLs that never reached the miniport."""
    nbl: NetBufferList | None = nbls
    while nbl is not None:
        nbl.status = status
        nbl = nbl.next
    if binding.ndis.verifier is not None:
        binding.ndis.verifier.refused(binding, nbls)
    binding.complete_handler(binding.context, nbls, send_flags & 1)  # the DISPATCH_LEVEL bit is the same in both words


def release_held_sends(adapter: Adapter) -> None:
    """The reset is over: what was held goes down in order, or is answered by the state of now (ST-14)."""
    held, adapter.held_sends = adapter.held_sends, []
    for binding, nbls, number, port_number, send_flags in held:
        if binding.refusal is None:
            adapter.sends_outstanding += number
            adapter.send_handler(adapter.context, nbls, port_number, send_flags)
        else:
            binding.sends_outstanding -= number
            complete_by_ndis(binding, nbls, send_flags, binding.refusal)
            binding.check_close()


@wdk("NdisMSendNetBufferListsComplete", callout=True)
def complete_send_net_buffer_lists(adapter: Adapter, nbls: NetBufferList | None, send_complete_flags: int = 0) -> None:
    """A miniport gives NBLs back, `status` set in each; any order, any grouping (S6-03).

    Each goes to the binding that its source_handle names (S6-08); one callback when all are of one sender (A9).
    """
    ndis = adapter.ndis
    if ndis.verifier is not None:
        nbls = ndis.verifier.completed(adapter, nbls)
    if nbls is None:
        return
    if ndis.trace.enabled:
        _trace_completions(ndis, nbls)
    source = nbls.source_handle
    number = 0
    nbl: NetBufferList | None = nbls
    while nbl is not None and nbl.source_handle is source:
        number += 1
        nbl = nbl.next
    if nbl is None:
        _deliver(adapter, source, nbls, number, send_complete_flags)
    else:
        for sender, chain, members in classify(nbls, _source_of):
            _deliver(adapter, sender, chain, members, send_complete_flags)


def _source_of(nbl: NetBufferList) -> Any:
    return nbl.source_handle


def _deliver(adapter: Adapter, binding: Binding, nbls: NetBufferList, number: int, flags: int) -> None:
    adapter.sends_outstanding -= number
    binding.sends_outstanding -= number
    binding.complete_handler(binding.context, nbls, flags)
    if binding.close_event is not None:
        binding.check_close()


def _trace_completions(ndis: Ndis, nbls: NetBufferList) -> None:
    nbl: NetBufferList | None = nbls
    while nbl is not None:
        nb = nbl.first_net_buffer
        while nb is not None:
            ndis.trace.emit("nbl.complete", frame=nb.frame_id, nbl=nbl.id, status=nbl.status)
            nb = nb.next
        nbl = nbl.next


@wdk("NdisCancelSendNetBufferLists", callout=True)
def cancel_send_net_buffer_lists(binding: Binding, cancel_id: Any) -> None:
    """Ask the miniport to give up queued NBLs with this cancel id; a request only (CN-02)."""
    handler = binding.adapter.driver.characteristics.cancel_send
    if handler is not None:
        handler(binding.adapter.context, cancel_id)


@wdk("NdisGeneratePartialCancelId")
def generate_partial_cancel_id(ndis: Ndis) -> int:
    """The high byte for a driver's cancel ids (CN-04)."""
    ndis.last_cancel_id = (ndis.last_cancel_id + 1) & 0xFF
    return ndis.last_cancel_id

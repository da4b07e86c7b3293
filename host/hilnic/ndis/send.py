# SPDX-License-Identifier: Apache-2.0
"""The send path: protocol -> NDIS -> miniport, and every completion back to where the source handle points."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from hilnic.ndis.faults import failed
from hilnic.ndis.flags import DEFAULT_PORT_NUMBER, NblInfo
from hilnic.ndis.loopback import CHECK_FOR_LOOPBACK, loop_back
from hilnic.ndis.nbl import NblQueue, NetBufferList, classify, count, walk
from hilnic.ndis.states import BindingState
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.verifier.wire_watch import tell_ended
from hilnic.ndis.wdk import wdk

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.binding import Binding
    from hilnic.ndis.condis.handles import VcHandle
    from hilnic.ndis.filter import FilterModule
    from hilnic.ndis.ndis import Ndis
    from hilnic.ndis.verifier.batch import Batch

    KeptSend = tuple[Binding, NetBufferList, int, int, int]

_CANCEL_ID = int(NblInfo.CANCEL_ID)
_DEEPEST = 8
"""Sends inside of each other's completions before NDIS takes them one by one (S6-24)."""


@wdk("NdisSendNetBufferLists", callout=True)
def send_net_buffer_lists(
    binding: Binding, nbls: NetBufferList | None, port_number: int = DEFAULT_PORT_NUMBER, send_flags: int = 0
) -> None:
    """Send a chain of NBLs whose source_handle is `binding`; each comes back by one completion (S6-01, S6-02).

    From the call on the sender owns nothing of them. The completion may run inside this call (A20).
    """
    ndis = binding.ndis
    if ndis.verifier is not None:
        nbls = ndis.verifier.sent(binding, nbls, send_flags)
    if nbls is None:
        return
    number = number_frames(ndis, binding, nbls, None if ndis.verifier is None else ndis.verifier.whole)
    refusal = binding.refusal
    if refusal is None and port_number != DEFAULT_PORT_NUMBER:
        refusal = NdisStatus.INVALID_PORT
    if refusal is not None:
        _refuse(binding, nbls, number, port_number, send_flags, refusal)
        return
    binding.sends_outstanding += number
    adapter = binding.adapter
    if (send_flags | adapter.loopback) & CHECK_FOR_LOOPBACK:
        loop_back(binding, nbls, send_flags)
    if adapter.sending >= _DEEPEST or adapter.deferred_sends:
        adapter.deferred_sends.append((binding, nbls, number, port_number, send_flags))
    else:
        adapter.sending += 1
        try:
            _enter(adapter, nbls, number, port_number, send_flags)
        finally:
            adapter.sending -= 1
    if adapter.deferred_sends and not adapter.sending:
        _send_deferred(adapter)


def _send_deferred(adapter: Adapter) -> None:
    """Sends from inside of completions of sends, too deep for the stack: in order, by the outermost call (S6-24)."""
    adapter.sending = _DEEPEST
    try:
        while adapter.deferred_sends:
            _go_on(adapter, *adapter.deferred_sends.popleft())
    finally:
        adapter.sending = 0


def _enter(adapter: Adapter, nbls: NetBufferList, number: int, port_number: int, send_flags: int) -> None:
    """Into the driver stack at its top: the first filter that sees sends, or the miniport."""
    if adapter.top_sender is None:
        adapter.sends_outstanding += number
        try:
            adapter.send_handler(adapter.context, nbls, port_number, send_flags)
        except Exception as error:
            failed(adapter, "send_net_buffer_lists", error)
    else:
        pass_down(adapter.top_sender, nbls, port_number, send_flags)


def pass_down(module: FilterModule, nbls: NetBufferList, port_number: int, send_flags: int) -> None:
    """Give a chain that is sent to the filter module that is next below."""
    verifier = module.ndis.verifier
    if verifier is None or module.cancel_handler is not None:
        try:
            module.send_handler(module.context, nbls, port_number, send_flags)
        except Exception as error:
            failed(module, "send_net_buffer_lists", error)
    else:
        given = verifier.queueable(nbls)
        try:
            module.send_handler(module.context, nbls, port_number, send_flags)
        except Exception as error:
            failed(module, "send_net_buffer_lists", error)
        if not module.driver.faulted:
            verifier.check_queue(module, given)


def to_miniport(
    adapter: Adapter, nbls: NetBufferList, port_number: int, send_flags: int, whole: Batch | None = None
) -> None:
    """Give the miniport what has come down through the filters, or turn it round when its state forbids a send."""
    if adapter.refusal is not None:
        for nbl in walk(nbls):
            nbl.status = adapter.refusal
        if adapter.ndis.verifier is not None:
            adapter.ndis.verifier.refused(nbls, adapter.bottom_completer)
        climb(adapter.bottom_completer, nbls, send_flags & 1)
        return
    adapter.sends_outstanding += count(nbls) if whole is None else whole.number
    try:
        adapter.send_handler(adapter.context, nbls, port_number, send_flags)
    except Exception as error:
        failed(adapter, "send_net_buffer_lists", error)


def number_frames(ndis: Ndis, source: Binding | VcHandle, nbls: NetBufferList, whole: Batch | None = None) -> int:
    """Count the NBLs and give each frame the id that follows it to the wire; what an IM driver sends on has one."""
    number = 0
    has_ids = source.forwards
    tracing = ndis.trace.enabled
    if whole is not None and not has_ids and not tracing:
        return _number_whole(ndis, whole)
    nbl: NetBufferList | None = nbls
    while nbl is not None:
        number += 1
        nb = nbl.first_net_buffer
        while nb is not None:
            if not has_ids or not nb.frame_id:
                ndis.last_frame_id = nb.frame_id = ndis.last_frame_id + 1
            if tracing:
                ndis.trace.emit("nbl.send", frame=nb.frame_id, nbl=nbl.id, binding=source.name, bytes=nb.data_length)
            nb = nb.next
        nbl = nbl.next
    return number


def _number_whole(ndis: Ndis, whole: Batch) -> int:
    """The same for a batch: the verifier knows the lists, which have one frame each."""
    frame_id = ndis.last_frame_id
    for nbl in whole.members:
        frame_id += 1
        nbl.first_net_buffer.frame_id = frame_id  # type: ignore[union-attr]
    ndis.last_frame_id = frame_id
    return whole.number


def number_own_frames(module: FilterModule, nbls: NetBufferList) -> None:
    """The frames of a filter's own lists get their ids where the filter sends them."""
    ndis = module.ndis
    nbl: NetBufferList | None = nbls
    while nbl is not None:
        if nbl.source_handle is module:
            for nb in nbl.net_buffers():
                ndis.last_frame_id = nb.frame_id = ndis.last_frame_id + 1
                if ndis.trace.enabled:
                    ndis.trace.emit(
                        "nbl.send", frame=nb.frame_id, nbl=nbl.id, binding=module.name, bytes=nb.data_length
                    )
        nbl = nbl.next


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
        binding.ndis.verifier.refused(nbls)
    try:
        binding.complete_handler(binding.context, nbls, send_flags & 1)
    except Exception as error:
        failed(binding, "send_net_buffer_lists_complete", error)


def release_held_sends(adapter: Adapter) -> None:
    """The reset is over: what was held goes down, or is answered by the state of now (ST-14).

    In order, and before anything that is sent from inside of it (S6-12).
    """
    held, adapter.held_sends = adapter.held_sends, []
    for binding, nbls, _, _, send_flags in held:
        if binding.refusal is None and (send_flags | adapter.loopback) & CHECK_FOR_LOOPBACK:
            loop_back(binding, nbls, send_flags)
    adapter.deferred_sends += held
    if not adapter.sending:
        _send_deferred(adapter)


def _go_on(
    adapter: Adapter, binding: Binding, nbls: NetBufferList, number: int, port_number: int, send_flags: int
) -> None:
    """What NDIS has kept goes down, or is answered by the state of now."""
    if binding.refusal is None:
        _enter(adapter, nbls, number, port_number, send_flags)
    else:
        _give_back(binding, nbls, number, send_flags, binding.refusal)


def _give_back(binding: Binding, nbls: NetBufferList, number: int, send_flags: int, status: NdisStatus) -> None:
    """Complete what NDIS has kept."""
    binding.sends_outstanding -= number
    complete_by_ndis(binding, nbls, send_flags, status)
    binding.check_close()


@wdk("NdisMSendNetBufferListsComplete", callout=True)
def complete_send_net_buffer_lists(adapter: Adapter, nbls: NetBufferList | None, send_complete_flags: int = 0) -> None:
    """A miniport gives NBLs back, `status` set in each; any order, any grouping (S6-03).

    Each goes to the binding that its source_handle names (S6-08); one callback when all are of one sender (A9).
    """
    ndis = adapter.ndis
    whole = None
    if ndis.verifier is not None:
        nbls = ndis.verifier.completed(adapter, nbls)
        whole = ndis.verifier.whole
    if nbls is None:
        return
    if ndis.trace.enabled:
        trace_completions(ndis, nbls)
    if adapter.wire_watch is not None:
        tell_ended(adapter.wire_watch, nbls)
    if adapter.bottom_completer is not None:
        adapter.sends_outstanding -= count(nbls) if whole is None else whole.number
        climb(adapter.bottom_completer, nbls, send_complete_flags)
        return
    if whole is not None:
        adapter.sends_outstanding -= whole.number
        _deliver(whole.source, nbls, whole.number, send_complete_flags)
        return
    source = nbls.source_handle
    number = 0
    nbl: NetBufferList | None = nbls
    while nbl is not None and nbl.source_handle is source:
        number += 1
        nbl = nbl.next
    if nbl is None:
        adapter.sends_outstanding -= number
        _deliver(source, nbls, number, send_complete_flags)
    else:
        adapter.sends_outstanding -= count(nbls)
        _deliver_by_source(nbls, send_complete_flags)


def climb(module: FilterModule | None, nbls: NetBufferList, flags: int, whole: Batch | None = None) -> None:
    """Give completed NBLs to the next filter above, or, where there is none, each to its sender: a `whole` has one."""
    if module is None and whole is not None:
        _deliver(whole.source, nbls, whole.number, flags)
    elif module is None:
        _deliver_by_source(nbls, flags)
    else:
        try:
            module.complete_handler(module.context, nbls, flags)
        except Exception as error:
            failed(module, "send_net_buffer_lists_complete", error)


def _deliver_by_source(nbls: NetBufferList, flags: int) -> None:
    for sender, chain, members in classify(nbls, _source_of):
        _deliver(sender, chain, members, flags)


def _source_of(nbl: NetBufferList) -> Any:
    return nbl.source_handle


def _deliver(binding: Binding, nbls: NetBufferList, number: int, flags: int) -> None:
    binding.sends_outstanding -= number
    try:
        binding.complete_handler(binding.context, nbls, flags)
    except Exception as error:
        failed(binding, "send_net_buffer_lists_complete", error)
    if binding.close_event is not None:
        binding.check_close()


def trace_completions(ndis: Ndis, nbls: NetBufferList) -> None:
    """One event per frame that is done."""
    nbl: NetBufferList | None = nbls
    while nbl is not None:
        nb = nbl.first_net_buffer
        while nb is not None:
            ndis.trace.emit("nbl.complete", frame=nb.frame_id, nbl=nbl.id, status=nbl.status)
            nb = nb.next
        nbl = nbl.next


@wdk("NdisCancelSendNetBufferLists", callout=True)
def cancel_send_net_buffer_lists(binding: Binding, cancel_id: Any) -> None:
    """Ask NDIS, the filters and the miniport to give up queued NBLs with this cancel id; a request only (CN-02).

    NDIS and the filters look at this binding's NBLs alone; the miniport knows no bindings (CN-06). No id, no match.
    """
    if not cancel_id:
        return
    adapter = binding.adapter
    adapter.held_sends = _without(adapter.held_sends, binding, cancel_id)
    adapter.deferred_sends = deque(_without(adapter.deferred_sends, binding, cancel_id))
    if adapter.co is not None:
        adapter.co.cancel(binding, cancel_id)
    cancel_below(adapter, 0, cancel_id)


def _without(kept: Iterable[KeptSend], binding: Binding, cancel_id: Any) -> list[KeptSend]:
    """The queue without the binding's NBLs of this id, which end with SEND_ABORTED; the order of the others stays."""
    left: list[KeptSend] = []
    for entry in kept:
        sender, nbls, _, port_number, send_flags = entry
        if sender is not binding:
            left.append(entry)
            continue
        stays, ends = NblQueue(), NblQueue()
        for nbl in walk(nbls):
            (ends if nbl.net_buffer_list_info[_CANCEL_ID] == cancel_id else stays).append(nbl)
        if stays.first is not None:
            left.append((sender, stays.first, stays.count, port_number, send_flags))
        if ends.first is not None:
            _give_back(binding, ends.first, ends.count, send_flags, NdisStatus.SEND_ABORTED)
    return left


def cancel_below(adapter: Adapter, position: int, cancel_id: Any) -> None:
    """Ask the first driver from filter number `position` on that can cancel; a filter asks on itself (IM-07)."""
    for module in adapter.filters[position:]:
        if module.cancel_handler is not None:
            module.cancel_forwarded = False
            module.cancel_handler(module.context, cancel_id)
            if not module.cancel_forwarded:
                adapter.ndis.violation("IM-07", module, module, f"cancel of {cancel_id!r} was not passed on")
            return
    handler = adapter.driver.characteristics.cancel_send
    if handler is not None:
        try:
            handler(adapter.context, cancel_id)
        except Exception as error:
            failed(adapter, "cancel_send", error)


@wdk("NdisGeneratePartialCancelId")
def generate_partial_cancel_id(ndis: Ndis) -> int:
    """The high byte for a driver's cancel ids (CN-04)."""
    ndis.last_cancel_id = (ndis.last_cancel_id + 1) & 0xFF
    return ndis.last_cancel_id

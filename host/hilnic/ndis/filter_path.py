# SPDX-License-Identifier: Apache-2.0
"""What a filter module calls on the data path: send, complete, indicate, return, cancel and status, to its neighbours.

A filter sends, completes, indicates and returns what it was given with the source handle untouched, and its own lists
with itself as the source handle; the completions and returns of its own end with it (IM-12).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic.ndis import receive, send
from hilnic.ndis.flags import DEFAULT_PORT_NUMBER, ReceiveFlags
from hilnic.ndis.nbl import NblQueue, NetBufferList, chain, walk
from hilnic.ndis.receive import Route
from hilnic.ndis.states import FilterState
from hilnic.ndis.status_indication import StatusIndication, report_above
from hilnic.ndis.wdk import wdk

if TYPE_CHECKING:
    from hilnic.ndis.filter import FilterModule

_RESOURCES = int(ReceiveFlags.RESOURCES)
_WORKING = {FilterState.RUNNING, FilterState.PAUSING, FilterState.RESTARTING}


@wdk("NdisFSendNetBufferLists", callout=True)
def filter_send_net_buffer_lists(
    module: FilterModule, nbls: NetBufferList | None, port_number: int = DEFAULT_PORT_NUMBER, send_flags: int = 0
) -> None:
    """Send down what was given from above, or lists of its own; each comes back to the filter's completion handler."""
    ndis = module.ndis
    whole = None
    if ndis.verifier is not None:
        nbls = ndis.verifier.sent_on(module, nbls)
        whole = ndis.verifier.whole
    if nbls is None:
        return
    if ndis.trace.enabled:
        _trace(module, "filter.send", nbls)
    if whole is None:  # else none is the filter's own
        send.number_own_frames(module, nbls)
    if module.lower_sender is None:
        send.to_miniport(module.adapter, nbls, port_number, send_flags, whole)
    else:
        send.pass_down(module.lower_sender, nbls, port_number, send_flags)


@wdk("NdisFSendNetBufferListsComplete", callout=True)
def filter_complete_send_net_buffer_lists(
    module: FilterModule, nbls: NetBufferList | None, send_complete_flags: int = 0
) -> None:
    """Complete upwards what was given from above, sent on or not, `status` set in each."""
    ndis = module.ndis
    whole = None
    if ndis.verifier is not None:
        nbls = ndis.verifier.completed_on(module, nbls)
        whole = ndis.verifier.whole
    if nbls is None:
        return
    if ndis.trace.enabled:
        _trace(module, "filter.complete", nbls)
    send.climb(module.upper_completer, nbls, send_complete_flags, whole)


@wdk("NdisFIndicateReceiveNetBufferLists", callout=True)
def filter_indicate_receive_net_buffer_lists(
    module: FilterModule, nbls: NetBufferList | None, port_number: int, count: int, receive_flags: int = 0
) -> None:
    """Indicate upwards what was given from below, or lists of its own; own ones come back to the return handler.

    With RESOURCES the filter has them all back when the call returns.
    """
    ndis = module.ndis
    if module.state not in _WORKING:
        ndis.violation("R6-16", module, module, f"receive indicated while {module.state.value}")
        return
    if ndis.verifier is not None:
        nbls = ndis.verifier.indicated_on(module, nbls, count, receive_flags)
    if nbls is None:
        return
    plain = _begin(module, nbls)
    if ndis.trace.enabled:
        _trace(module, "filter.indicate", nbls)
    if receive_flags & _RESOURCES:
        _lend(module, nbls, port_number, receive_flags)
    elif module.upper_receiver is not None:
        receive.pass_up(module.upper_receiver, nbls, port_number, count, receive_flags)
    elif plain:
        receive.deliver(module.adapter, module.adapter.receivers, nbls, port_number, count, receive_flags)
    else:
        for route, members in _by_route(nbls):
            receivers = module.adapter.receivers if route is None else route.receivers
            if members.first is not None:
                receive.deliver(module.adapter, receivers, members.first, port_number, members.count, receive_flags)


def _begin(module: FilterModule, nbls: NetBufferList) -> bool:
    """The filter's own lists begin their way up here; True when every list may go to everybody."""
    plain = True
    nbl: NetBufferList | None = nbls
    while nbl is not None:
        if nbl.source_handle is module:
            nbl.ndis_receivers, nbl.ndis_below, nbl.ndis_route = 1, None, None
        elif nbl.ndis_route is not None:
            plain = False
        nbl = nbl.next
    return plain


def _by_route(nbls: NetBufferList) -> list[tuple[Route | None, NblQueue]]:
    """The chain cut by who may have it, order kept."""
    queues: dict[Route | None, NblQueue] = {}
    for nbl in walk(nbls):
        queues.setdefault(nbl.ndis_route, NblQueue()).append(nbl)
    return list(queues.items())


def _lend(module: FilterModule, nbls: NetBufferList, port_number: int, flags: int) -> None:
    """RESOURCES: whoever is above looks at the lists during the call."""
    verifier = module.ndis.verifier
    originals = list(walk(nbls))
    states = [] if verifier is None else verifier.held_states(module, originals)
    if module.upper_receiver is not None:
        receive.pass_up(module.upper_receiver, nbls, port_number, len(originals), flags)
        if verifier is not None:
            verifier.taken_back(module.upper_receiver, originals)
    else:
        for route, members in _by_route(nbls):
            receivers = module.adapter.receivers if route is None else route.receivers
            if members.first is not None:
                receive.lend(module.adapter, receivers, members.first, port_number, flags)
    chain(originals)
    if verifier is not None:
        verifier.lent_back(module, states)


@wdk("NdisFReturnNetBufferLists", callout=True)
def filter_return_net_buffer_lists(module: FilterModule, nbls: NetBufferList | None, return_flags: int = 0) -> None:
    """Give back to below what was given from below, seen above or not."""
    ndis = module.ndis
    if ndis.verifier is not None:
        nbls = ndis.verifier.returned_on(module, nbls)
    if nbls is None:
        return
    if ndis.trace.enabled:
        _trace(module, "filter.return", nbls)
    if module.lower_returner is None:
        receive.to_miniport(module.adapter, nbls, return_flags)
    else:
        receive.pass_down(module.lower_returner, nbls, return_flags)


@wdk("NdisFCancelSendNetBufferLists", callout=True)
def filter_cancel_send_net_buffer_lists(module: FilterModule, cancel_id: Any) -> None:
    """Pass a cancel on, after the filter's own queue has been searched (IM-07)."""
    module.cancel_forwarded = True
    send.cancel_below(module.adapter, module.position + 1, cancel_id)


@wdk("NdisFIndicateStatus", callout=True)
def filter_indicate_status(module: FilterModule, indication: StatusIndication) -> None:
    """Pass a status on upwards, or report one of its own; not to call it swallows the status (OI-20)."""
    report_above(module.adapter, module.position, indication)


def _trace(module: FilterModule, kind: str, nbls: NetBufferList) -> None:
    for nbl in walk(nbls):
        frame = 0 if nbl.first_net_buffer is None else nbl.first_net_buffer.frame_id
        module.ndis.trace.emit(kind, frame=frame, nbl=nbl.id, filter=module.name)

# SPDX-License-Identifier: Apache-2.0
"""Data on VCs, up: miniport -> NDIS -> the one driver whose VC it is, and the returns back down.

An indication belongs to one VC and its lists to that VC's user alone (CD-08); he returns them by
NdisReturnNetBufferLists, one by one, in any order, mixed with others (CD-06). What arrives before the call is connected
waits here, for the frames may overtake the signalling; what arrives after its close goes home unseen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hilnic.ndis.condis.handles import Role, Vc, VcHandle
from hilnic.ndis.condis.machines import CallState, VcState
from hilnic.ndis.faults import failed
from hilnic.ndis.flags import ReceiveFlags
from hilnic.ndis.nbl import NblQueue, NetBufferList, chain, walk
from hilnic.ndis.states import ADAPTER_OPERATIONS, Operation
from hilnic.ndis.wdk import wdk

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.binding import Binding

_RESOURCES = int(ReceiveFlags.RESOURCES)
_CARRYING = frozenset({VcState.ACTIVE, VcState.REACTIVATING, VcState.DEACTIVATING})
_CONNECTED = frozenset({CallState.CONNECTED, CallState.MODIFYING, CallState.REMOTE_CLOSED, CallState.LEAVING})
_COMING = frozenset({CallState.MAKING, CallState.OFFERED, CallState.ACCEPTED, CallState.IDLE})

Home = Callable[[NetBufferList], None]


class VcRoute:
    """Which VC a list came up on, and where it goes home to: the miniport, or `home`."""

    __slots__ = ("home", "vc")

    def __init__(self, vc: Vc, home: Home | None = None) -> None:
        self.vc = vc
        self.home = home


@wdk("NdisMCoIndicateReceiveNetBufferLists", callout=True)
def mco_indicate_receive_net_buffer_lists(
    vc: VcHandle, nbls: NetBufferList | None, count: int, receive_flags: int = 0
) -> None:
    """Indicate frames of one active VC: one NB per list, source_handle = `vc`, `count` = length of the list.

    Without RESOURCES each list comes back once by return_net_buffer_lists, possibly inside this call. With RESOURCES
    the miniport owns them again when the call returns (CD-09).
    """
    connection, adapter = vc.vc, vc.adapter
    if not may_indicate(vc):
        adapter.ndis.violation(*breach(vc))
        if nbls is not None and not receive_flags & _RESOURCES:
            to_miniport(adapter, nbls, 0)  # dropped
        return
    if adapter.ndis.vc_ledger is not None:
        if adapter.throttle is not None:
            adapter.throttle.account(count)
        nbls = adapter.ndis.vc_ledger.indicated(vc, nbls, count, receive_flags)
    if nbls is not None:
        indicate(connection, nbls, receive_flags)


def may_indicate(vc: VcHandle) -> bool:
    """Whether the miniport may indicate on this VC now."""
    is_up = Operation.INDICATE in ADAPTER_OPERATIONS[vc.adapter.state]
    return is_up and vc is vc.vc.miniport and vc.vc.state in _CARRYING


def breach(vc: VcHandle) -> tuple[str, Any, Any, str]:
    """What is wrong with an indication on this VC now: rule, actor, object, detail."""
    adapter, connection = vc.adapter, vc.vc
    if vc is not connection.miniport:
        return "OI-21", vc.actor, vc, "an indication wants the miniport's handle of the VC"
    if not vc.is_live:
        return "CC-04", adapter, connection, "STALE_HANDLE in NdisMCoIndicateReceiveNetBufferLists"
    if connection.state not in _CARRYING:
        return "CC-08", adapter, connection, f"receive indicated while {connection.state.value}"
    return "R6-16", adapter, adapter, f"receive indicated while {adapter.state.value}"


def indicate(vc: Vc, nbls: NetBufferList, flags: int, home: Home | None = None) -> None:
    """Lists of the miniport, or of NDIS's own that go home to `home`, go up to the VC's user."""
    number = _begin(vc, nbls, VcRoute(vc, home))
    is_lent = bool(flags & _RESOURCES)
    if home is None and not is_lent:
        vc.adapter.receives_outstanding += number
        vc.receives_outstanding += number
    if is_lent:
        _lend(vc, nbls, number, flags)
    else:
        pass_up(vc, lambda: _deliver(vc, nbls, number, flags), lambda: go_home(vc.adapter, nbls, 0))


def pass_up(vc: Vc, deliver: Callable[[], None], drop: Callable[[], None]) -> None:
    """Deliver now, or when the call is connected, in order; or drop."""
    if is_deliverable(vc) and not vc.early:
        deliver()
    elif is_deliverable(vc) or _is_coming(vc):
        vc.early.append((deliver, drop))
    else:
        drop()


def _begin(vc: Vc, nbls: NetBufferList, route: VcRoute) -> int:
    ndis = vc.ndis
    number = 0
    for nbl in walk(nbls):
        number += 1
        nbl.ndis_receivers, nbl.ndis_route = 1, route
        nb = nbl.first_net_buffer
        if nb is not None:
            if not nb.frame_id:
                ndis.last_frame_id = nb.frame_id = ndis.last_frame_id + 1
            if ndis.trace.enabled:
                ndis.trace.emit("nbl.indicate", frame=nb.frame_id, nbl=nbl.id, adapter=vc.name, bytes=nb.data_length)
    return number


def is_deliverable(vc: Vc) -> bool:
    """Whether the user gets data now: its binding listens, and a client's call is connected (CC-15)."""
    user = vc.user
    assert user.binding is not None
    return user.binding.receives and (user.role is not Role.CLIENT or vc.call.state in _CONNECTED)


def _is_coming(vc: Vc) -> bool:
    user = vc.user
    assert user.binding is not None
    return user.binding.receives and user.role is Role.CLIENT and vc.call.state in _COMING


def _deliver(vc: Vc, nbls: NetBufferList, number: int, flags: int) -> None:
    user = vc.user
    binding: Any = user.binding
    binding.receives_outstanding += number
    if vc.ndis.verifier is not None:
        vc.ndis.verifier.delivered(binding, nbls, number, lent=False)
    _call(binding, user, nbls, number, flags)


def _call(binding: Any, user: VcHandle, nbls: NetBufferList, number: int, flags: int) -> None:
    try:
        binding.co.receive_handler(binding.context, user.context, nbls, number, flags)
    except Exception as error:
        failed(binding, "receive_net_buffer_lists", error)


def _lend(vc: Vc, nbls: NetBufferList, number: int, flags: int) -> None:
    """RESOURCES: the user looks at the lists during the call, then they are the miniport's again."""
    originals = list(walk(nbls))
    verifier = vc.ndis.verifier
    binding = vc.user.binding
    if is_deliverable(vc):
        assert binding is not None
        flush_early(vc)  # what came before goes first (CD-07)
        if verifier is not None:
            verifier.delivered(binding, nbls, number, lent=True)
        _call(binding, vc.user, nbls, number, flags)
        if verifier is not None:
            verifier.taken_back(binding, originals)
    chain(originals)
    if verifier is not None:
        verifier.came_home(vc.adapter, nbls, lent=True)
    for nbl in originals:
        _end(nbl)


# What came before its call was connected.


def settle_early(vc: Vc) -> None:
    """The call has moved on: what waits goes up from a DPC, or home."""
    if vc.early and is_deliverable(vc):
        vc.ndis.kernel.queue_dpc(lambda: flush_early(vc))
    elif not _is_coming(vc):
        drop_early(vc)


def flush_early(vc: Vc) -> None:
    """Deliver what has waited, or send it home."""
    early, vc.early = vc.early, []
    for deliver, drop in early:
        (deliver if is_deliverable(vc) else drop)()


def drop_early(vc: Vc) -> None:
    """The call will not be connected, or is being closed: what waits goes home unseen."""
    early, vc.early = vc.early, []
    for _, drop in early:
        drop()


# Back down.


def take_returns(binding: Binding, home: NblQueue, return_flags: int) -> NblQueue:
    """Of lists that a binding has returned, those of VCs go home by themselves; the others are answered."""
    others, of_vcs = NblQueue(), NblQueue()
    for nbl in walk(home.take()):
        (of_vcs if isinstance(nbl.ndis_route, VcRoute) else others).append(nbl)
    if of_vcs.first is not None:
        go_home(binding.adapter, of_vcs.first, return_flags)
    return others


def go_home(adapter: Adapter, nbls: NetBufferList, return_flags: int) -> None:
    """Unchanged, then poisoned, then the miniport's, or whoever's NDIS has indicated them for."""
    ndis = adapter.ndis
    if ndis.verifier is not None:
        ndis.verifier.came_home(adapter, nbls)
    of_miniport = NblQueue()
    for nbl in walk(nbls):
        route: VcRoute = nbl.ndis_route
        if ndis.trace.enabled and nbl.first_net_buffer is not None:
            ndis.trace.emit("nbl.return", frame=nbl.first_net_buffer.frame_id, nbl=nbl.id, adapter=route.vc.name)
        _end(nbl)
        if route.home is None:
            route.vc.receives_outstanding -= 1
            of_miniport.append(nbl)
        else:
            nbl.next = None
            route.home(nbl)
    adapter.receives_outstanding -= of_miniport.count
    if of_miniport.first is not None:
        to_miniport(adapter, of_miniport.first, return_flags)


def to_miniport(adapter: Adapter, nbls: NetBufferList, return_flags: int) -> None:
    """MiniportReturnNetBufferLists."""
    try:
        adapter.return_handler(adapter.context, nbls, return_flags)
    except Exception as error:
        failed(adapter, "return_net_buffer_lists", error)


def _end(nbl: NetBufferList) -> None:
    """Nobody above holds the list any more."""
    nbl.ndis_receivers = 0
    nbl.ndis_route = None
    if nbl.first_net_buffer is not None:
        nbl.first_net_buffer.frame_id = 0

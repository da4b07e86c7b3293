# SPDX-License-Identifier: Apache-2.0
"""The receive path: miniport -> NDIS -> every binding whose filter asks for the frame, and the returns back down.

One receiver: it gets the miniport's own list. Several: the first gets the original and every other a clone over the
same bytes, so that each object has one owner; the original goes back when the last of them has returned (R6-08).
With RESOURCES everybody looks at the originals in turn and nobody may keep them (R6-04, R6-05).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hilnic.ndis.clone import describe_same_frames
from hilnic.ndis.copy import copy_receive_net_buffer_list_info
from hilnic.ndis.faults import failed
from hilnic.ndis.flags import ReceiveFlags
from hilnic.ndis.nbl import NblQueue, NetBufferList, chain, walk
from hilnic.ndis.own_copy import copy_frame, free_copy
from hilnic.ndis.states import ADAPTER_OPERATIONS, Operation
from hilnic.ndis.verifier.wire_watch import tell_received
from hilnic.ndis.wdk import wdk

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.binding import Binding
    from hilnic.ndis.filter import FilterModule
    from hilnic.ndis.ndis import Ndis

_RESOURCES = int(ReceiveFlags.RESOURCES)


class Route:
    """Where NBLs of NDIS's own go: up to `receivers` alone, and home to `home` instead of the miniport."""

    __slots__ = ("home", "receivers")

    def __init__(self, receivers: tuple[Binding, ...], home: Callable[[NetBufferList], None] | None) -> None:
        self.receivers = receivers
        self.home = home


@wdk("NdisMIndicateReceiveNetBufferLists", callout=True)
def indicate_receive_net_buffer_lists(
    adapter: Adapter, nbls: NetBufferList | None, port_number: int, count: int, receive_flags: int = 0
) -> None:
    """Indicate received frames, one NB per NBL, source_handle = adapter, `count` = length of the list.

    Without RESOURCES each NBL comes back once by return_net_buffer_lists, possibly inside this call. With RESOURCES the
    miniport owns them again when the call returns, and no return follows. The bytes are poisoned at that moment.
    """
    ndis = adapter.ndis
    verifier = ndis.verifier
    if Operation.INDICATE not in ADAPTER_OPERATIONS[adapter.state]:
        ndis.violation("R6-16", adapter, adapter, f"receive indicated while {adapter.state.value}")
        if nbls is not None and not receive_flags & _RESOURCES:
            try:
                adapter.return_handler(adapter.context, nbls, 0)  # dropped
            except Exception as error:
                failed(adapter, "return_net_buffer_lists", error)
        return
    if verifier is not None:
        if adapter.throttle is not None:
            adapter.throttle.account(count)
        nbls = verifier.indicated(adapter, nbls, count, receive_flags)
    if nbls is None:
        return
    if adapter.wire_watch is not None:
        tell_received(adapter.wire_watch, nbls)
    number = _number_frames(ndis, adapter, nbls)
    if receive_flags & _RESOURCES:
        if ndis.profile.copy_lent_receives:
            _copy_and_indicate(adapter, nbls, port_number, receive_flags)
        else:
            _lend_from_below(adapter, adapter.receivers, nbls, port_number, number, receive_flags)
        return
    adapter.receives_outstanding += number
    if adapter.bottom_receiver is None:
        deliver(adapter, adapter.receivers, nbls, port_number, number, receive_flags)
    else:
        pass_up(adapter.bottom_receiver, nbls, port_number, number, receive_flags)


def indicate_to(
    adapter: Adapter,
    receivers: tuple[Binding, ...],
    nbls: NetBufferList | None,
    port_number: int,
    count: int,
    receive_flags: int = 0,
    home: Callable[[NetBufferList], None] | None = None,
) -> None:
    """NDIS indicates NBLs itself as if the miniport had: through the filters, to those of `receivers` that accept them.

    source_handle = adapter, one NB each. When they are given back, each goes to `home(nbl)`, or to the miniport's
    return handler when it is None. With RESOURCES they are the caller's again when the call returns.
    """
    if adapter.ndis.verifier is not None:
        nbls = adapter.ndis.verifier.indicated(adapter, nbls, count, receive_flags)
    if nbls is None:
        return
    number = _number_frames(adapter.ndis, adapter, nbls)
    route = Route(receivers, home)
    for nbl in walk(nbls):
        nbl.ndis_route = route
    if receive_flags & _RESOURCES:
        _lend_from_below(adapter, receivers, nbls, port_number, number, receive_flags)
        return
    if home is None:
        adapter.receives_outstanding += number
    if adapter.bottom_receiver is None:
        deliver(adapter, receivers, nbls, port_number, number, receive_flags)
    else:
        pass_up(adapter.bottom_receiver, nbls, port_number, number, receive_flags)


def _copy_and_indicate(adapter: Adapter, nbls: NetBufferList, port_number: int, flags: int) -> None:
    """RESOURCES by profile: copies of NDIS's own go up without the flag, the originals are home at once (R6-07)."""
    copies = NblQueue()
    for nbl in walk(nbls):
        copy = copy_frame(adapter, nbl.first_net_buffer) if nbl.first_net_buffer is not None else None
        if copy is not None:
            copy_receive_net_buffer_list_info(copy, nbl)
            copy.nbl_flags = nbl.nbl_flags
            copies.append(copy)
    if adapter.ndis.verifier is not None:
        adapter.ndis.verifier.came_home(adapter, nbls, lent=True)
    for nbl in walk(nbls):
        _end_indication(nbl)
    number = copies.count
    if number:
        indicate_to(adapter, adapter.receivers, copies.take(), port_number, number, flags & ~_RESOURCES, free_copy)


def _number_frames(ndis: Ndis, adapter: Adapter, nbls: NetBufferList) -> int:
    """Count the NBLs; a frame without an id from the wire gets one here."""
    number = 0
    tracing = ndis.trace.enabled
    nbl: NetBufferList | None = nbls
    while nbl is not None:
        number += 1
        if nbl.ndis_receivers:  # an intermediate driver indicates on what it has received
            nbl.ndis_below = (nbl.ndis_receivers, nbl.ndis_original, nbl.ndis_route, nbl.ndis_below)
            nbl.ndis_original = nbl.ndis_route = None
        nbl.ndis_receivers = 1
        nb = nbl.first_net_buffer
        if nb is not None:
            if not nb.frame_id:
                ndis.last_frame_id = nb.frame_id = ndis.last_frame_id + 1
            if tracing:
                ndis.trace.emit(
                    "nbl.indicate", frame=nb.frame_id, nbl=nbl.id, adapter=adapter.name, bytes=nb.data_length
                )
        nbl = nbl.next
    return number


def pass_up(module: FilterModule, nbls: NetBufferList, port_number: int, number: int, flags: int) -> None:
    """Give a chain to the filter module that is next above."""
    if module.ndis.verifier is not None:
        module.ndis.verifier.handed_up(module, nbls, number, lent=bool(flags & _RESOURCES))
    try:
        module.receive_handler(module.context, nbls, port_number, number, flags)
    except Exception as error:
        failed(module, "receive_net_buffer_lists", error)


def deliver(
    adapter: Adapter, receivers: tuple[Binding, ...], nbls: NetBufferList, port_number: int, number: int, flags: int
) -> None:
    """Give a chain, not a lent one, to those of `receivers` that accept its frames; what nobody wants goes home."""
    if len(receivers) == 1:
        _deliver_to_one(receivers[0], nbls, port_number, number, flags)
    else:
        _deliver_to_many(adapter, receivers, nbls, port_number, flags)


def _deliver_to_one(binding: Binding, nbls: NetBufferList, port_number: int, number: int, flags: int) -> None:
    nbl: NetBufferList | None = nbls
    while nbl is not None and binding.accepts(nbl):
        nbl = nbl.next
    if nbl is None:
        _deliver(binding, nbls, port_number, number, flags)
        return
    wanted, unwanted = NblQueue(), NblQueue()
    for each in walk(nbls):
        (wanted if binding.accepts(each) else unwanted).append(each)
    if wanted.first is not None:
        _deliver(binding, wanted.first, port_number, wanted.count, flags)
    _go_home(binding.adapter, unwanted, 0)


def _deliver_to_many(
    adapter: Adapter, receivers: tuple[Binding, ...], nbls: NetBufferList, port_number: int, flags: int
) -> None:
    queues = [NblQueue() for _ in receivers]
    unwanted = NblQueue()
    for nbl in walk(nbls):
        takers = [queue for queue, binding in zip(queues, receivers, strict=True) if binding.accepts(nbl)]
        nbl.ndis_receivers = len(takers)
        for queue in takers[1:]:
            queue.append(_clone(adapter.ndis, nbl))
        (takers[0] if takers else unwanted).append(nbl)
    for binding, queue in zip(receivers, queues, strict=True):
        if queue.first is not None:
            _deliver(binding, queue.first, port_number, queue.count, flags)
    _go_home(adapter, unwanted, 0)


def _clone(ndis: Ndis, original: NetBufferList) -> NetBufferList:
    """NDIS's own second description of a received frame, for one more receiver."""
    ndis.last_nbl_id += 1
    clone = ndis.net_buffer_list_type(ndis.fan_out_pool, ndis.last_nbl_id)
    describe_same_frames(original, clone)
    clone.parent_net_buffer_list = original
    clone.source_handle = original.source_handle
    clone.net_buffer_list_info = original.net_buffer_list_info.copy()
    clone.nbl_flags = original.nbl_flags
    clone.flags = original.flags
    clone.ndis_original = original
    clone.ndis_receivers = 1
    if ndis.verifier is not None:
        ndis.verifier.allocated(clone)
        site = original.pool.live.get(original)
        if site is not None:
            ndis.fan_out_pool.live[clone] = site
    return clone


def _deliver(binding: Binding, nbls: NetBufferList, port_number: int, number: int, flags: int) -> None:
    binding.receives_outstanding += number
    if binding.ndis.verifier is not None:
        binding.ndis.verifier.delivered(binding, nbls, number, lent=False)
    try:
        binding.receive_handler(binding.context, nbls, port_number, number, flags)
    except Exception as error:
        failed(binding, "receive_net_buffer_lists", error)


def _lend_from_below(
    adapter: Adapter, receivers: tuple[Binding, ...], nbls: NetBufferList, port_number: int, number: int, flags: int
) -> None:
    """RESOURCES: filters and protocols look at the list during the call; then the miniport owns it again."""
    module = adapter.bottom_receiver
    if module is None:
        lend(adapter, receivers, nbls, port_number, flags)
    else:
        originals = list(walk(nbls))
        pass_up(module, nbls, port_number, number, flags)
        if adapter.ndis.verifier is not None:
            adapter.ndis.verifier.taken_back(module, originals)
        chain(originals)
    if adapter.ndis.verifier is not None:
        adapter.ndis.verifier.came_home(adapter, nbls, lent=True)
    for nbl in walk(nbls):
        _end_indication(nbl)


def lend(adapter: Adapter, receivers: tuple[Binding, ...], nbls: NetBufferList, port_number: int, flags: int) -> None:
    """RESOURCES: each receiver sees, during the call, those of the originals that it asks for."""
    verifier = adapter.ndis.verifier
    originals = list(walk(nbls))
    for binding in receivers:
        members = [nbl for nbl in originals if binding.accepts(nbl)]
        first = chain(members)
        if first is not None:
            if verifier is not None:
                verifier.delivered(binding, first, len(members), lent=True)
            try:
                binding.receive_handler(binding.context, first, port_number, len(members), flags)
            except Exception as error:
                failed(binding, "receive_net_buffer_lists", error)
            if verifier is not None:
                verifier.taken_back(binding, members)
    chain(originals)


def _end_indication(nbl: NetBufferList) -> None:
    """Nobody above holds the NBL any more: at home, or an intermediate driver's as it was."""
    if nbl.ndis_below is not None:
        nbl.ndis_receivers, nbl.ndis_original, nbl.ndis_route, nbl.ndis_below = nbl.ndis_below
        return
    nbl.ndis_receivers = 0
    nbl.ndis_route = None
    if nbl.first_net_buffer is not None:
        nbl.first_net_buffer.frame_id = 0


@wdk("NdisReturnNetBufferLists", callout=True)
def return_net_buffer_lists(binding: Binding, nbls: NetBufferList | None, return_flags: int = 0) -> None:
    """A protocol gives received NBLs back: any order, any mix of indications of this binding (R6-03).

    The miniport gets each one when its last receiver has returned it (R6-08).
    """
    ndis = binding.ndis
    whole = None
    if ndis.verifier is not None:
        nbls = ndis.verifier.returned(binding, nbls)
        whole = ndis.verifier.whole
    home = NblQueue()
    if whole is not None and whole.is_held_once():
        number = home.count = whole.number
        home.first = nbls
    else:
        number = _take_back(ndis, nbls, home)
    binding.receives_outstanding -= number
    if binding.co is not None:
        home = binding.co.take_returns(home, return_flags)
    _go_home(binding.adapter, home, return_flags)
    if binding.close_event is not None:
        binding.check_close()


def _take_back(ndis: Ndis, nbls: NetBufferList | None, home: NblQueue) -> int:
    """Count the lists that a receiver returns; `home` gets the originals that were held nowhere else."""
    number = 0
    for nbl in walk(nbls):
        number += 1
        original = nbl.ndis_original or nbl
        if original is not nbl and ndis.verifier is not None:
            ndis.verifier.clone_returned(nbl)
            ndis.fan_out_pool.live.pop(nbl, None)
        original.ndis_receivers -= 1
        if not original.ndis_receivers:
            home.append(original)
    return number


def _go_home(adapter: Adapter, home: NblQueue, return_flags: int) -> None:
    """Give lists that no protocol holds any more to the filters, and through them to the miniport."""
    nbls = home.first
    if nbls is None:
        return
    if adapter.top_returner is None:
        to_miniport(adapter, nbls, return_flags)
    else:
        pass_down(adapter.top_returner, nbls, return_flags, home.count)


def pass_down(module: FilterModule, nbls: NetBufferList, return_flags: int, number: int | None = None) -> None:
    """Give a chain that comes back to the filter module that is next below; no `number` = all that this call has."""
    if module.ndis.verifier is not None:
        module.ndis.verifier.handed_down(module, nbls, number)
    try:
        module.return_handler(module.context, nbls, return_flags)
    except Exception as error:
        failed(module, "return_net_buffer_lists", error)


def to_miniport(adapter: Adapter, nbls: NetBufferList, return_flags: int) -> None:
    """The list is home: unchanged, then poisoned, then the miniport's, or whoever's NDIS has indicated it for."""
    ndis = adapter.ndis
    if ndis.verifier is not None:
        ndis.verifier.came_home(adapter, nbls)
    number = 0
    plain = True
    nbl: NetBufferList | None = nbls
    while nbl is not None:
        number += 1
        nb = nbl.first_net_buffer
        if ndis.trace.enabled and nb is not None:
            ndis.trace.emit("nbl.return", frame=nb.frame_id, nbl=nbl.id, adapter=adapter.name)
        if nbl.ndis_below is not None or nbl.ndis_route is not None:
            plain = False
        else:
            nbl.ndis_receivers = 0
            if nb is not None:
                nb.frame_id = 0
        nbl = nbl.next
    if plain:
        adapter.receives_outstanding -= number
        try:
            adapter.return_handler(adapter.context, nbls, return_flags)
        except Exception as error:
            failed(adapter, "return_net_buffer_lists", error)
    else:
        _sort_home(adapter, nbls, return_flags)


def _sort_home(adapter: Adapter, nbls: NetBufferList, return_flags: int) -> None:
    """Some are NDIS's own, or on their way through an intermediate driver."""
    of_miniport = NblQueue()
    for nbl in walk(nbls):
        home = nbl.ndis_route.home if nbl.ndis_route is not None else None
        _end_indication(nbl)
        if home is None:
            of_miniport.append(nbl)
        else:
            nbl.next = None
            home(nbl)
    adapter.receives_outstanding -= of_miniport.count
    if of_miniport.first is not None:
        try:
            adapter.return_handler(adapter.context, of_miniport.first, return_flags)
        except Exception as error:
            failed(adapter, "return_net_buffer_lists", error)

# SPDX-License-Identifier: Apache-2.0
"""Loopback: who on the same adapter gets a copy of a frame that is sent (LB-01 to LB-09, LB-12).

    the sender        only if the send asks for it (CHECK_FOR_LOOPBACK) and its own receive filter wants the frame
    other bindings    if somebody listens in: PROMISCUOUS without NO_LOCAL, or ALL_LOCAL, on an adapter with a second
                      binding or a filter that receives; then each whose own filter wants the frame, NO_LOCAL none
    filter modules    see all of this on its way up, and while somebody listens in also what nobody above them wants

A copy is a frame of NDIS's own, made before the miniport gets the list, of what the sender has written: checksums may
be unfinished, which is why its checksum slot says nothing (LB-08). It is delivered from a DPC, so a sender that answers
its own frames does not recurse, and lives on when the send completes (LB-07). On an adapter whose MAC options lack
NO_LOOPBACK the hardware loops, and NDIS does not (LB-09), but for what the miniport does not get at all (LB-10).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from hilnic.ndis import receive
from hilnic.ndis.ethernet import destination, filter_accepts
from hilnic.ndis.flags import MacOptions, NblFlags, NblInfo, NdisMedium, PacketFilter, ReceiveFlags, SendFlags
from hilnic.ndis.nbl import NblQueue, NetBufferList, walk
from hilnic.ndis.own_copy import copy_frame, free_copy
from hilnic.ndis.states import ADAPTER_OPERATIONS, Operation

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.binding import Binding
    from hilnic.ndis.net_buffer import NetBuffer

LOOPING_MEDIA = (NdisMedium.MEDIUM_802_3, NdisMedium.MEDIUM_802_5)
CHECK_FOR_LOOPBACK = int(SendFlags.CHECK_FOR_LOOPBACK)
_ALL_LOCAL, _NO_LOCAL = int(PacketFilter.ALL_LOCAL), int(PacketFilter.NO_LOCAL)
_PROMISCUOUS = int(PacketFilter.PROMISCUOUS)
_IS_LOOPBACK = int(NblFlags.IS_LOOPBACK_PACKET)
_NO_LOOPBACK = int(MacOptions.NO_LOOPBACK)
_DISPATCH = int(ReceiveFlags.DISPATCH_LEVEL)
_VLAN = int(NblInfo.IEEE_8021Q)


class Listener(Protocol):
    """A binding as the decision sees it."""

    packet_filter: int
    multicast_list: frozenset[bytes]


L = TypeVar("L", bound=Listener)


@dataclass(frozen=True, slots=True)
class Station:
    """The adapter as the decision sees it."""

    address: bytes
    medium: NdisMedium = NdisMedium.MEDIUM_802_3
    filter_receives: bool = False  # a filter module with a receive handler is attached
    literal: bool = False  # Profile.loopback_algorithm: CHECK_FOR_LOOPBACK opens the door for other bindings too (A15)


def listens_in(station: Station, listeners: Sequence[Listener]) -> bool:
    """Whether somebody wants what others on the adapter send, and there is more than one to be served (LB-03)."""
    if station.medium not in LOOPING_MEDIA or not (len(listeners) > 1 or station.filter_receives):
        return False
    return any(
        one.packet_filter & _ALL_LOCAL or (one.packet_filter & _PROMISCUOUS and not one.packet_filter & _NO_LOCAL)
        for one in listeners
    )


def wants(station: Station, one: Listener, address: bytes) -> bool:
    """Whether a local frame to `address` passes a binding's own filter (R6-15)."""
    if one.packet_filter & _ALL_LOCAL:
        return True
    return filter_accepts(one.packet_filter, station.address, one.multicast_list, address)


def looped_to(
    station: Station, listeners: Sequence[L], sender: L | None, check_for_loopback: bool, address: bytes
) -> tuple[L, ...]:
    """Who gets a copy of a frame to `address` that `sender` sends: the whole decision, a function of its arguments."""
    if station.medium not in LOOPING_MEDIA:
        return ()
    opened = listens_in(station, listeners) or (station.literal and check_for_loopback)
    chosen = []
    for one in listeners:
        asked = check_for_loopback if one is sender else opened and not one.packet_filter & _NO_LOCAL
        if asked and wants(station, one, address):
            chosen.append(one)
    return tuple(chosen)


# The adapter's part.


def station_of(adapter: Adapter) -> Station:
    """What the decision needs to know of an adapter."""
    attributes = adapter.attributes
    literal = adapter.ndis.profile.loopback_algorithm == "literal"
    return Station(attributes.mac_address, attributes.media_type, adapter.bottom_receiver is not None, literal)


def always(adapter: Adapter) -> int:
    """The flag that every send of the adapter has as if it were set; 0 while nobody listens in, or the NIC loops."""
    if not adapter.attributes.mac_options & _NO_LOOPBACK:
        return 0
    return CHECK_FOR_LOOPBACK if listens_in(station_of(adapter), adapter.bindings) else 0


def loop_back(binding: Binding, nbls: NetBufferList, send_flags: int, *, only: bool = False) -> None:
    """Copy what somebody on this adapter wants of a chain that is about to be sent; with `only` it is not sent."""
    adapter = binding.adapter
    if not only and not adapter.attributes.mac_options & _NO_LOOPBACK:
        return  # the NIC does it
    station = station_of(adapter)
    asked = bool(send_flags & CHECK_FOR_LOOPBACK)
    for_filters = station.filter_receives and listens_in(station, adapter.bindings)
    for nbl in walk(nbls):
        for nb in nbl.net_buffers():
            receivers = looped_to(station, adapter.bindings, binding, asked, destination(nb))
            if receivers or for_filters:
                _queue(adapter, receivers, nbl, nb)


def _queue(adapter: Adapter, receivers: tuple[Binding, ...], nbl: NetBufferList, nb: NetBuffer) -> None:
    copy = copy_frame(adapter, nb)
    if copy is None:
        return
    copy.nbl_flags |= _IS_LOOPBACK
    copy.net_buffer_list_info[_VLAN] = nbl.net_buffer_list_info[_VLAN]
    if not adapter.looped:
        adapter.ndis.kernel.queue_dpc(lambda: _deliver(adapter))
    adapter.looped.append((receivers, copy))


def _deliver(adapter: Adapter) -> None:
    """The DPC: one indication for each run of frames with the same receivers, in the order of the sends."""
    looped, adapter.looped = adapter.looped, []
    ready = Operation.INDICATE in ADAPTER_OPERATIONS[adapter.state]
    run = NblQueue()
    for number, (receivers, nbl) in enumerate(looped):
        if not ready:
            free_copy(nbl)
            continue
        run.append(nbl)
        if number + 1 == len(looped) or looped[number + 1][0] != receivers:
            present = tuple(binding for binding in receivers if binding in adapter.receivers)
            count = run.count
            receive.indicate_to(adapter, present, run.take(), 0, count, _DISPATCH, free_copy)


def accepts(binding: Binding, nbl: NetBufferList, address: bytes) -> bool:
    """Whether a binding gets a loopback frame: it was chosen at the send, or the hardware loops and not NO_LOCAL."""
    if nbl.pool is binding.ndis.copy_pool:
        return True
    if binding.packet_filter & _NO_LOCAL:
        return False
    return wants(station_of(binding.adapter), binding, address)

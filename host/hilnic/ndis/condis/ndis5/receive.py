# SPDX-License-Identifier: Apache-2.0
"""Packets on VCs, up: NdisMCoIndicateReceivePacket -> ProtocolCoReceivePacket, whose answer is how many returns follow.

    miniport 5, client 5   the packets themselves
    miniport 5, client 6   one list of one NET_BUFFER per packet; the translation holds one reference to each (XL-09)
    miniport 6, client 5   one packet per list (XL-10)

NdisMCoReceiveComplete then gives ProtocolReceiveComplete to those that have received something (CD-11).
"""

from __future__ import annotations

from itertools import groupby
from typing import Any

from hilnic.ndis.adapter import Adapter
from hilnic.ndis.condis import receive as co_receive
from hilnic.ndis.condis.handles import Vc, VcHandle
from hilnic.ndis.flags import ReceiveFlags
from hilnic.ndis.kernel import Irql
from hilnic.ndis.nbl import NblQueue, NetBufferList, walk
from hilnic.ndis.ndis5 import receive
from hilnic.ndis.ndis5.levels import Level
from hilnic.ndis.ndis5.miniport_edge import MiniportEdge, edge_of
from hilnic.ndis.ndis5.packet import Packet
from hilnic.ndis.ndis5.protocol_edge import BindingEdge
from hilnic.ndis.ndis5.serializer import at_dispatch
from hilnic.ndis.receive import return_net_buffer_lists
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk
from hilnic.ndis.xlate import check, objects, oob

_RESOURCES = int(ReceiveFlags.RESOURCES)
_DISPATCH_LEVEL = int(ReceiveFlags.DISPATCH_LEVEL)

# From a 5.x miniport.


@wdk("NdisMCoIndicateReceivePacket", callout=True)
def mco_indicate_receive_packet(vc: VcHandle, packets: list[Packet]) -> None:
    """Indicate packets of one active VC, OOB status SUCCESS or RESOURCES in each.

    return_packet is called for each but the scarce ones, possibly inside this call: such a miniport is deserialized.
    """
    edge = edge_of(vc.adapter, "NdisMCoIndicateReceivePacket")
    if edge is None:
        return
    if not co_receive.may_indicate(vc):
        vc.ndis.violation(*co_receive.breach(vc))
        for packet in packets:
            _drop(edge, packet)
        return
    if edge.ledger is not None:
        packets = [packet for packet in packets if edge.ledger.indicated(edge, packet, has_header=False)]
    route = MiniportRoute(vc.vc, edge)
    user = vc.vc.user
    assert user.binding is not None
    if isinstance(user.binding.context, BindingEdge):
        for packet in packets:
            at_dispatch(vc.ndis.kernel, _indicate, route, packet, user.binding.context)
    else:
        at_dispatch(vc.ndis.kernel, _indicate_as_lists, route, packets)


def _is_scarce(packet: Packet) -> bool:
    return packet.oob.status == NdisStatus.RESOURCES


def _drop(edge: MiniportEdge, packet: Packet) -> None:
    """Nobody sees it: its miniport gets it back like any other."""
    if not _is_scarce(packet):
        edge.packet_returned(packet)


class MiniportRoute:
    """Packets of a VC on their way home to the miniport."""

    __slots__ = ("edge", "vc")

    def __init__(self, vc: Vc, edge: MiniportEdge) -> None:
        self.vc = vc
        self.edge = edge

    @property
    def flags(self) -> int:
        """The miniport's attributes, which the ledger asks for."""
        return self.edge.flags

    def began(self, number: int) -> None:
        """So many packets are above."""
        self.vc.receives_outstanding += number
        self.vc.adapter.receives_outstanding += number

    def packet_returned(self, packet: Packet) -> None:
        """Nobody above holds the packet any more."""
        self.began(-1)
        self.edge.packet_returned(packet)

    def __repr__(self) -> str:
        return f"MiniportRoute({self.vc.name})"


def _indicate(route: MiniportRoute, packet: Packet, receiver: BindingEdge) -> None:
    """One packet for a 5.x user: now, or when the call is connected; a scarce one now or never."""
    vc, edge = route.vc, route.edge
    if _is_scarce(packet):
        if co_receive.is_deliverable(vc):
            co_receive.flush_early(vc)
            level = receive.begin(route, packet, shared=False)
            receive.give_on_vc(packet, level, receiver, receiver.co_receive_handler, vc.user.context)
            receive.settle(packet, level)
        return
    co_receive.pass_up(vc, lambda: _give(route, packet, receiver), lambda: edge.packet_returned(packet))


def _give(route: MiniportRoute, packet: Packet, receiver: BindingEdge) -> None:
    level = receive.begin(route, packet, shared=False)
    route.began(1)
    receive.give_on_vc(packet, level, receiver, receiver.co_receive_handler, route.vc.user.context)
    if receive.settle(packet, level):
        route.packet_returned(packet)


def _indicate_as_lists(route: MiniportRoute, packets: list[Packet]) -> None:
    """Packets for a 6.x user become lists; those marked RESOURCES go up in calls of their own, order kept (XL-09)."""
    vc, edge = route.vc, route.edge
    flags = _DISPATCH_LEVEL if vc.ndis.kernel.irql == Irql.DISPATCH else 0
    for scarce, members in groupby(packets, _is_scarce):
        run, begun = NblQueue(), []
        for packet in members:
            level = receive.begin(route, packet, shared=False)
            begun.append((packet, level))
            nbl = _list_of(edge, vc, packet, level, scarce)
            if nbl is not None:
                run.append(nbl)
        if not scarce:
            route.began(len(begun))
        if run.first is not None:
            _send_up(edge, vc, run, flags | (_RESOURCES if scarce else 0))
        for packet, level in begun:
            if receive.settle(packet, level) and not scarce:
                route.packet_returned(packet)


def _list_of(edge: MiniportEdge, vc: Vc, packet: Packet, level: Level, scarce: bool) -> NetBufferList | None:
    nbl = edge.xlate.lists.take(packet, vc.miniport)
    if nbl is None:
        edge.xlate.dropped += 1
        return None
    nbl.miniport_reserved[0] = packet
    oob.receive_to_6(packet, nbl, None)
    edge.xlate.translated += 1
    objects.note(edge.ndis, "receive 5>6", nbl, packet)
    if edge.ndis.verifier is not None:
        assert nbl.first_net_buffer is not None
        check.received(edge, nbl, nbl.first_net_buffer, packet)
    if not scarce:
        level.add(None, 1)
    return nbl


def _send_up(edge: MiniportEdge, vc: Vc, run: NblQueue, flags: int) -> None:
    count, members = run.count, list(walk(run.first))
    nbls: Any = run.take()
    if vc.ndis.vc_ledger is not None:
        nbls = vc.ndis.vc_ledger.indicated(vc.miniport, nbls, count, flags)
    if nbls is not None:
        co_receive.indicate(vc, nbls, flags, lambda nbl: _list_home(edge, nbl))
    if flags & _RESOURCES:
        for nbl in members:
            edge.xlate.lists.give(nbl)


def _list_home(edge: MiniportEdge, nbl: NetBufferList) -> None:
    """The user has given a list back: the translation's reference is paid."""
    packet: Packet = nbl.miniport_reserved[0]
    if edge.xlate.lists.give(nbl):
        receive.release(packet, None)


@wdk("NdisMCoReceiveComplete", callout=True)
def mco_receive_complete(adapter: Adapter) -> None:
    """The end of one or several indications: every 5.x protocol that has received something hears of it (CD-11)."""
    if edge_of(adapter, "NdisMCoReceiveComplete") is None:
        return
    for binding in list(adapter.bindings):
        if isinstance(binding.context, BindingEdge):
            binding.context.receive_complete()


# To a 5.x client, from a 6.x miniport.


def lists_to_packets(edge: BindingEdge, vc_context: Any, nbls: NetBufferList, count: int, flags: int) -> None:
    """Give received lists to a 5.x client, one packet at a time; what it does not keep goes back in one call."""
    del count
    scarce = bool(flags & _RESOURCES)
    translation = edge.xlate
    outer, translation.returning = translation.returning, NblQueue()
    for nbl in walk(nbls):
        packet = _packet_of(edge, nbl, scarce)
        if packet is not None:
            level = receive.begin(translation, packet, shared=False)
            at_dispatch(edge.ndis.kernel, receive.give_on_vc, packet, level, edge, edge.co_receive_handler, vc_context)
            if receive.settle(packet, level):
                translation.packet_returned(packet)
        elif not scarce:
            translation.returning.append(nbl)
    edge.receive_complete()
    done, translation.returning = translation.returning, outer
    if done.first is not None:
        return_net_buffer_lists(edge.core, done.take(), flags & _DISPATCH_LEVEL)


def _packet_of(edge: BindingEdge, nbl: NetBufferList, scarce: bool) -> Packet | None:
    nb = nbl.first_net_buffer
    assert nb is not None
    packet = edge.xlate.packets.take(nbl, nb)
    if packet is None:
        edge.xlate.dropped += 1
        return None
    if scarce:
        packet.oob.status = NdisStatus.RESOURCES
        packet.wrapper_reserved = None  # nothing goes back: the list is lent for the call, and its lender's again then
    packet.oob.header_size = 0  # what comes on a VC has no header
    oob.receive_to_5(nbl, packet)
    edge.xlate.translated += 1
    objects.note(edge.ndis, "receive 6>5", nbl, packet)
    if edge.ndis.verifier is not None:
        check.received(edge, nbl, nb, packet)
    return packet

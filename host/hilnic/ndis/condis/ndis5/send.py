# SPDX-License-Identifier: Apache-2.0
"""Packets on VCs, down: NdisCoSendPackets -> MiniportCoSendPackets -> NdisMCoSendComplete -> ProtocolCoSendComplete.

    client 5, miniport 5   the packets themselves
    client 5, miniport 6   one list of one NET_BUFFER per packet (XL-17)
    client 6, miniport 5   one packet per NET_BUFFER, in order, in one array (XL-18); a list ends with its last packet

Each packet ends by one completion with a final status; there is no status in the packet, and no queue in NDIS (CD-10).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic.ndis.condis import send as co_send
from hilnic.ndis.condis.handles import Vc, VcHandle
from hilnic.ndis.condis.vc import is_miniports
from hilnic.ndis.flags import SendFlags
from hilnic.ndis.nbl import NblQueue, NetBufferList, walk
from hilnic.ndis.ndis5 import dma, levels
from hilnic.ndis.ndis5.levels import Level
from hilnic.ndis.ndis5.miniport_edge import MiniportEdge, edge_of
from hilnic.ndis.ndis5.packet import Packet
from hilnic.ndis.ndis5.protocol_edge import BindingEdge
from hilnic.ndis.ndis5.serializer import at_dispatch
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk
from hilnic.ndis.xlate import check, objects, oob, status

if TYPE_CHECKING:
    from hilnic.ndis.ndis5.levels import SendRoute

_DISPATCH_LEVEL = int(SendFlags.DISPATCH_LEVEL)

# From a 5.x client.


@wdk("NdisCoSendPackets", callout=True)
def co_send_packets(vc: VcHandle, packets: list[Packet]) -> None:
    """Send packets on an active VC in this order; one co_send_complete follows for each, perhaps inside this call."""
    binding = vc.binding
    edge: Any = None if binding is None else binding.context
    if not isinstance(edge, BindingEdge):
        vc.ndis.violation("XL-16", vc.actor, vc, "NdisCoSendPackets called by a driver of NDIS 6")
        return
    if edge.ledger is not None:
        packets = [packet for packet in packets if edge.ledger.sent(edge, packet, has_header=False)]
    refusal = co_send.refusal_of(vc)
    if refusal is not None:
        for packet in packets:
            _tell(vc, edge, packet, status.to_5(refusal))
        return
    for packet in packets:
        _number(vc, packet)
    if isinstance(vc.adapter.context, MiniportEdge):
        _send_directly(vc, edge, packets)
    else:
        _send_as_lists(vc, edge, packets)


def _number(vc: VcHandle, packet: Packet) -> None:
    ndis = vc.ndis
    ndis.last_frame_id = packet.frame_id = ndis.last_frame_id + 1
    if ndis.trace.enabled:
        ndis.trace.emit("packet.send", frame=packet.frame_id, packet=packet.id, binding=vc.name, bytes=packet.length())


def _tell(vc: VcHandle, edge: BindingEdge, packet: Packet, ended: int) -> None:
    """ProtocolCoSendComplete."""
    at_dispatch(vc.ndis.kernel, edge.co_send_complete_handler, vc.context, packet, ended)


class ClientRoute:
    """A packet that goes to a 5.x miniport as it is comes back to its client."""

    __slots__ = ("edge", "vc")

    def __init__(self, vc: VcHandle, edge: BindingEdge) -> None:
        self.vc = vc
        self.edge = edge

    def send_completed(self, packet: Packet, ended: int) -> None:
        """The miniport, or NDIS for it, is done."""
        self.vc.adapter.sends_outstanding -= 1
        _tell(self.vc, self.edge, packet, ended)
        co_send.count_down(self.vc, 1)

    def __repr__(self) -> str:
        return repr(self.vc)


def _send_directly(vc: VcHandle, edge: BindingEdge, packets: list[Packet]) -> None:
    connection, binding = vc.vc, edge.core
    connection.sends_outstanding += len(packets)
    binding.sends_outstanding += len(packets)
    vc.adapter.sends_outstanding += len(packets)
    _to_miniport(connection, packets, ClientRoute(vc, edge))


def _send_as_lists(vc: VcHandle, edge: BindingEdge, packets: list[Packet]) -> None:
    """The client's packets become lists; what finds no memory ends with RESOURCES behind the rest (XL-08)."""
    run, failed = NblQueue(), []
    for packet in packets:
        nbl = edge.xlate.lists.take(packet, vc)
        if nbl is None:
            failed.append(packet)
            continue
        level = Level(edge, up=False)
        levels.push(packet, level)
        if edge.ledger is not None:
            edge.ledger.handed_down(packet, level, edge, vc.adapter)
        nbl.protocol_reserved[0] = packet
        oob.send_to_6(packet, nbl)
        edge.xlate.translated += 1
        objects.note(vc.ndis, "send 5>6", nbl, packet)
        if vc.ndis.verifier is not None:
            assert nbl.first_net_buffer is not None
            check.sent(edge, nbl, nbl.first_net_buffer, packet)
        run.append(nbl)
    if run.first is not None:
        co_send.co_send_net_buffer_lists(vc, run.take(), 0)
    for packet in failed:
        _tell(vc, edge, packet, NdisStatus.RESOURCES)


def lists_completed(vc_context: Any, nbls: NetBufferList, flags: int) -> None:
    """The lists made of a 5.x client's packets are done: one completion per packet (XL-17, XL-19)."""
    del vc_context, flags
    for nbl in walk(nbls):
        vc: VcHandle = nbl.source_handle
        assert vc.binding is not None
        edge: BindingEdge = vc.binding.context
        packet: Packet = nbl.protocol_reserved[0]
        ended = nbl.status
        oob.send_result_to_5(nbl, packet)
        edge.xlate.lists.give(nbl)
        translated = status.to_5(ended)
        if vc.ndis.verifier is not None:
            check.ended(edge, packet, ended, translated)
        level = levels.pop(packet)
        if edge.ledger is not None:
            edge.ledger.came_back(packet, level, vc.adapter)
        _tell(vc, edge, packet, translated)


# To a 5.x miniport.


def _to_miniport(vc: Vc, packets: list[Packet], route: SendRoute) -> None:
    """MiniportCoSendPackets, and what the miniport may not do in it."""
    edge: MiniportEdge = vc.adapter.context
    for packet in packets:
        level = Level(route, up=False)
        if not levels.push(packet, level):
            vc.ndis.violation("OB-06", route, packet, "passed on although its packet stack has no location left")
        if edge.ledger is not None:
            edge.ledger.handed_down(packet, level, route, vc.adapter)
        if edge.maps_sends:
            dma.map_packet(edge, packet)
        packet.oob.status = NdisStatus.PENDING
        edge.co_sends[packet] = vc
    array = packets.copy()
    at_dispatch(vc.ndis.kernel, edge.co_send_handler, vc.miniport.context, array)
    if array != packets:
        vc.ndis.violation("S5-10", vc.adapter, vc, "the array of packets was changed")
    for packet in packets:
        if packet in edge.co_sends and packet.oob.status != NdisStatus.PENDING:
            vc.ndis.violation("CD-10", vc.adapter, packet, f"answered by its OOB status, {packet.oob.status:#010x}")


class ListRoute:
    """Packets that stand for the NET_BUFFERs of lists of a VC."""

    __slots__ = ("vc",)

    def __init__(self, vc: Vc) -> None:
        self.vc = vc

    def send_completed(self, packet: Packet, ended: int) -> None:
        """A 5.x miniport is done with one; the list ends with its last, by the first failure (XL-05, XL-18)."""
        edge: MiniportEdge = self.vc.adapter.context
        nbl: NetBufferList = packet.wrapper_reserved
        translated = status.to_6(ended)
        if self.vc.ndis.verifier is not None:
            check.ended(edge, nbl, translated, ended)
        oob.send_result_to_6(packet, nbl)
        edge.xlate.packets.give(packet)
        reserved = nbl.miniport_reserved
        if translated and not reserved[1]:
            reserved[1] = translated
        reserved[0] -= 1
        if not reserved[0]:
            nbl.next, nbl.status = None, reserved[1]
            co_send.mco_complete_send_net_buffer_lists(self.vc.miniport, nbl)

    def __repr__(self) -> str:
        return f"ListRoute({self.vc.name})"


def lists_to_packets(vc_context: Any, nbls: NetBufferList, send_flags: int) -> None:
    """A 6.x sender's lists for a 5.x miniport: a list without memory for all of it is not begun (XL-08)."""
    del vc_context
    vc: Vc = nbls.source_handle.vc
    edge: MiniportEdge = vc.adapter.context
    ready: list[Packet] = []
    failed = NblQueue()
    for nbl in walk(nbls):
        packets = _packets_of(edge, nbl) if oob.expressible_in_5(nbl) else None
        if packets is None:
            nbl.status = NdisStatus.RESOURCES if oob.expressible_in_5(nbl) else NdisStatus.FAILURE
            failed.append(nbl)
        else:
            ready += packets
    if ready:
        _to_miniport(vc, ready, ListRoute(vc))
    if failed.first is not None:
        co_send.mco_complete_send_net_buffer_lists(vc.miniport, failed.take(), send_flags & _DISPATCH_LEVEL)


def _packets_of(edge: MiniportEdge, nbl: NetBufferList) -> list[Packet] | None:
    packets: list[Packet] = []
    for nb in nbl.net_buffers():
        packet = edge.xlate.packets.take(nbl, nb)
        if packet is None:
            for begun in packets:
                edge.xlate.packets.give(begun)
            return None
        oob.send_to_5(nbl, packet)
        packets.append(packet)
        objects.note(edge.ndis, "send 6>5", nbl, packet)
        if edge.ndis.verifier is not None:
            check.sent(edge, nbl, nb, packet)
    nbl.miniport_reserved[0] = len(packets)
    nbl.miniport_reserved[1] = NdisStatus.SUCCESS
    edge.xlate.translated += len(packets)
    return packets


@wdk("NdisMCoSendComplete", callout=True)
def mco_send_complete(vc: VcHandle, packet: Packet, ended: int) -> None:
    """A 5.x miniport ends a packet that it holds on this VC: once, with a final status (CD-10)."""
    edge = edge_of(vc.adapter, "NdisMCoSendComplete")
    if edge is None or not is_miniports(vc, "NdisMCoSendComplete"):
        return
    if edge.co_sends.get(packet) is not vc.vc:
        if edge.ledger is not None:
            edge.ledger.unknown_completion(edge, packet)
        return
    if ended == NdisStatus.PENDING:
        vc.ndis.violation("CD-10", vc.adapter, packet, "completed with PENDING")
        ended = NdisStatus.FAILURE
    del edge.co_sends[packet]
    if edge.maps_sends:
        dma.unmap_packet(edge, packet)
    if vc.ndis.trace.enabled:
        vc.ndis.trace.emit("packet.complete", frame=packet.frame_id, packet=packet.id, status=int(ended))
    level = levels.top(packet)
    assert level is not None
    if edge.ledger is not None:
        edge.ledger.completed(edge, packet, ended)
    levels.pop(packet)
    if edge.ledger is not None:
        edge.ledger.came_back(packet, level, vc.adapter)
    at_dispatch(vc.ndis.kernel, level.route.send_completed, packet, ended)
    edge.check_idle()

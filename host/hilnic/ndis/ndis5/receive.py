# SPDX-License-Identifier: Apache-2.0
"""Full-packet receives: NdisMIndicateReceivePacket, the count that each protocol answers, NdisReturnPackets (R5).

Each packet is shown to the bindings one after the other, the same packet to all (R5-04). What their handlers answer
adds up; when as many returns have been paid, the miniport has it back (R5-01 to R5-03). A return that comes before
its handler has answered counts against the answer (A3). With OOB status RESOURCES nobody may keep it (R5-07).
Indications and returns are one file, because they keep one account.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hilnic.ndis.adapter import Adapter
from hilnic.ndis.ndis5 import levels, lookahead, miniport_edge, owned, protocol_edge
from hilnic.ndis.ndis5.levels import Level, ReceiveRoute
from hilnic.ndis.ndis5.packet import Packet
from hilnic.ndis.ndis5.serializer import at_dispatch
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk
from hilnic.ndis.xlate import rx

if TYPE_CHECKING:
    from hilnic.ndis.binding import Binding
    from hilnic.ndis.ndis5.miniport_edge import MiniportEdge
    from hilnic.ndis.ndis5.protocol_edge import BindingEdge

# From the miniport.


@wdk("NdisMIndicateReceivePacket", callout=True)
def indicate_receive_packet(adapter: Adapter, packets: list[Packet]) -> None:
    """Indicate full packets, OOB status SUCCESS or RESOURCES in each. The list stays the miniport's (R5-10).

    Serialized: afterwards each status says whose the packet is; SUCCESS and RESOURCES = the miniport's again, PENDING =
    it comes back by return_packet (R5-08). Deserialized: return_packet is called for each but the scarce ones (R5-09).
    """
    edge = miniport_edge.edge_of(adapter, "NdisMIndicateReceivePacket")
    if edge is None:
        return
    ndis = adapter.ndis
    if not miniport_edge.may_indicate(edge):
        _drop(edge, packets)
        return
    ledger = edge.ledger
    if ledger is not None:
        packets = [packet for packet in packets if ledger.indicated(edge, packet)]
        _check_stickiness(edge, packets)
    else:
        packets = packets.copy()
    if adapter.wire_watch is not None:
        for packet in packets:
            adapter.wire_watch.received(packet)
    at_dispatch(ndis.kernel, _indicate, edge, packets)


def _drop(edge: MiniportEdge, packets: list[Packet]) -> None:
    """Nobody sees these: a deserialized miniport gets them by its handler, like any other."""
    for packet in packets:
        if not edge.lock.serialized and packet.oob.status != NdisStatus.RESOURCES:
            edge.packet_returned(packet)


def _check_stickiness(edge: MiniportEdge, packets: list[Packet]) -> None:
    """A2: some NDIS versions take RESOURCES as valid for all that follow in the array; a mixture is frowned upon."""
    scarce = [packet.oob.status == NdisStatus.RESOURCES for packet in packets]
    if scarce != sorted(scarce):
        edge.ndis.warning("R5-07", edge.adapter, edge.adapter, "RES_NOT_STICKY: RESOURCES followed by SUCCESS")


def _indicate(edge: MiniportEdge, packets: list[Packet]) -> None:
    adapter = edge.adapter
    if adapter.filters:
        receivers: list[BindingEdge] = []
        others = adapter.receivers
    else:
        receivers = protocol_edge.edges_of(adapter)
        others = tuple(protocol_edge.bindings_of_6(adapter))
    begun = [(packet, begin(edge, packet, len(receivers) + len(others) > 1)) for packet in packets]
    for packet, level in begun:
        _offer(packet, level, receivers, len(packets) > 1)
    if others or adapter.filters:
        rx.packets_to_nbls(edge, packets, others)
    for packet, level in begun:
        _settle_for_miniport(edge, packet, level)
    for receiver in receivers:
        receiver.receive_complete()


def _settle_for_miniport(edge: MiniportEdge, packet: Packet, level: Level) -> None:
    if not settle(packet, level):
        packet.oob.status = NdisStatus.PENDING
    elif level.is_lent:
        return
    elif edge.lock.serialized:
        packet.oob.status = NdisStatus.SUCCESS
    else:
        edge.packet_returned(packet)


# Any packet, whoever indicates it.


def present(packet: Packet, route: ReceiveRoute, receivers: Sequence[BindingEdge]) -> None:
    """Show a packet of NDIS's own to the receivers; `route.packet_returned` follows, perhaps inside this call."""
    level = begin(route, packet, len(receivers) > 1)
    at_dispatch(packet.ndis.kernel, _offer, packet, level, receivers, False)
    if settle(packet, level):
        route.packet_returned(packet)


def present_looped(
    edge: MiniportEdge, packet: Packet, receivers: Sequence[BindingEdge], others: tuple[Binding, ...]
) -> None:
    """Show a looped copy to those that were chosen, whatever their filters say now."""
    level = begin(owned.ROUTE, packet, len(receivers) + len(others) > 1)
    for receiver in receivers:
        _give(packet, level, receiver, in_array=False)
    if others:
        rx.packets_to_nbls(edge, [packet], others)
    if settle(packet, level):
        owned.ROUTE.packet_returned(packet)
    for receiver in receivers:
        receiver.receive_complete()


def pass_up(edge: MiniportEdge, packet: Packet, receivers: tuple[Binding, ...]) -> None:
    """Give a packet of NDIS's own to 6.x drivers over a 5.x miniport."""
    level = begin(owned.ROUTE, packet, shared=False)
    rx.packets_to_nbls(edge, [packet], receivers)
    if settle(packet, level):
        owned.ROUTE.packet_returned(packet)


def begin(route: Any, packet: Packet, shared: bool) -> Level:
    """A packet is about to be shown to somebody, and comes back to `route`."""
    ndis = packet.ndis
    level = Level(route, up=True)
    level.is_lent = packet.oob.status == NdisStatus.RESOURCES
    level.shared = shared
    if not levels.push(packet, level):
        ndis.violation("OB-06", route, packet, "passed on although its packet stack has no location left")
    if not packet.frame_id:
        ndis.last_frame_id = packet.frame_id = ndis.last_frame_id + 1
    if ndis.trace.enabled:
        ndis.trace.emit("packet.indicate", frame=packet.frame_id, packet=packet.id, bytes=packet.length())
    ledger = ndis.ndis5.ledger
    if ledger is not None:
        ledger.handed_up(packet, level, route)
    return level


def _offer(packet: Packet, level: Level, receivers: Sequence[BindingEdge], in_array: bool) -> None:
    """One receiver after the other, each after the one before has answered (R5-04, R5-11)."""
    head = packet.head
    if head is None:
        return
    header = bytes(head.view[:6]) if head.byte_count >= 6 else packet.tobytes()[:6]
    for edge in receivers:
        if edge.accepts(header):
            _give(packet, level, edge, in_array)


def _give(packet: Packet, level: Level, edge: BindingEdge, in_array: bool) -> None:
    ndis = packet.ndis
    if edge.ledger is not None:
        edge.ledger.given(packet, edge)
    edge.is_receive_complete_due = True
    by_receive = edge.receive_packet_handler is None or (level.is_lent and _prefers_receive(edge))
    ndis.ndis5.running.append(edge)
    level.calling = edge
    try:
        if by_receive:
            if in_array or packet.oob.media_specific_information:
                ndis.warning("R5-14", edge, packet, "packets in arrays or with out-of-band data want ReceivePacket")
            lookahead.receive_whole(edge, packet)
        else:
            _account(packet, level, edge, edge.receive_packet_handler(edge.context, packet))
    finally:
        level.calling = None
        ndis.ndis5.running.pop()


def _prefers_receive(edge: BindingEdge) -> bool:
    """A1: older NDIS versions give RESOURCES packets to ProtocolReceive."""
    return edge.ndis.profile.resources_via_receive and edge.receive_handler is not None


def give_on_vc(packet: Packet, level: Level, edge: BindingEdge, handler: Any, vc_context: Any) -> None:
    """Show a packet to the user of a VC, who answers how many returns will come."""
    ndis = packet.ndis
    if edge.ledger is not None:
        edge.ledger.given(packet, edge)
    edge.is_receive_complete_due = True
    ndis.ndis5.running.append(edge)
    level.calling = edge
    try:
        _account(packet, level, edge, handler(edge.context, vc_context, packet))
    finally:
        level.calling = None
        ndis.ndis5.running.pop()


def _account(packet: Packet, level: Level, edge: BindingEdge, references: int) -> None:
    """The handler has answered how many returns will come."""
    ndis = packet.ndis
    if level.is_lent:
        if references:
            ndis.violation("R5-07", edge, packet, f"answered {references} for a RESOURCES packet")
        return
    level.add(edge, references)
    edge.core.receives_outstanding += references
    if level.holders[edge] < 0:
        if not edge.core.driver.faulted:  # else it raised after it had returned
            ndis.violation("R5-05", edge, packet, f"{-level.holders[edge]} returns more than it answered")
        _forgive(level, edge)
    edge.core.check_close()


def _forgive(level: Level, edge: BindingEdge) -> None:
    """In a run that collects violations the count goes on from nothing."""
    surplus = level.holders[edge]
    level.add(edge, -surplus)
    edge.core.receives_outstanding -= surplus


def settle(packet: Packet, level: Level) -> bool:
    """Every receiver has been called: True when nobody has kept the packet, which is then home."""
    level.is_settled = True
    if level.outstanding:
        return False
    return _come_home(packet, level)


def _come_home(packet: Packet, level: Level) -> bool:
    """The last reference is paid; False while an intermediate driver has the packet out further up."""
    ndis = packet.ndis
    if levels.top(packet) is not level:
        ndis.violation("R5-34", level.route, packet, "returned while drivers above still hold it")
        return False
    levels.pop(packet)
    if level.unnamed:
        _clear_holders(level)
    if ndis.trace.enabled:
        ndis.trace.emit("packet.return", frame=packet.frame_id, packet=packet.id)
    if packet.stack_index < 0:
        packet.frame_id = 0
    ledger = ndis.ndis5.ledger
    if ledger is not None:
        ledger.came_home(packet, level, level.route)
    return True


def _clear_holders(level: Level) -> None:
    """Returns without a name have paid for the rest."""
    for edge in _owing(level):
        edge.core.receives_outstanding -= level.holders.pop(edge)
        edge.core.check_close()


# Returns.


@wdk("NdisReturnPackets", callout=True, array=True)
def return_packets(packets: Sequence[Packet], binding: BindingEdge | None = None) -> None:
    """Each entry of the list, which is not empty, pays one reference (R5-01); also from inside a handler (A3).

    The WDK's call names no binding. With `binding` the count is kept per protocol exactly. Without it the payer is the
    binding whose handler runs, or the only one that holds the packet; of several it stays unknown, nobody is charged,
    and all of them count as holders, for a close too, until the packet is home.
    """
    ndis = packets[0].ndis
    for packet in packets:
        holder = binding or _running_holder(packet)
        level = levels.level_of(packet, holder)
        if level is None:
            ndis.violation("R5-05", binding or ndis, packet, "returned, but it is not indicated")
        elif level.is_lent:
            ndis.violation("R5-07", binding or holder or ndis, packet, "returned although it is RESOURCES")
        elif holder is None and len(owing := _owing(level)) > 1:
            _release_unnamed(packet, level)
        else:
            release(packet, holder or (owing[0] if owing else level.calling))


def _running_holder(packet: Packet) -> BindingEdge | None:
    """The binding in whose handler the return is made, when it owes one or has not answered yet."""
    running = packet.ndis.ndis5.running
    if not running:
        return None
    edge = running[-1]
    level = levels.level_of(packet, edge)
    return edge if level is not None and (level.holders.get(edge, 0) > 0 or level.calling is edge) else None


def _owing(level: Level) -> list[BindingEdge]:
    return [edge for edge, owed in level.holders.items() if owed > 0 and edge is not None]


def _release_unnamed(packet: Packet, level: Level) -> None:
    """One of several holders has paid, who knows which."""
    level.unnamed += 1
    level.outstanding -= 1
    if level.is_settled and not level.outstanding:
        if _come_home(packet, level):
            level.route.packet_returned(packet)
        else:
            level.unnamed -= 1  # the return did not count
            level.outstanding += 1


def release(packet: Packet, holder: BindingEdge | None) -> None:
    """One reference of `holder` is paid; None is the translation."""
    ndis = packet.ndis
    level = levels.level_of(packet, holder)
    if level is None:
        ndis.violation("R5-05", holder or ndis, packet, "returned, but it is not indicated")
        return
    owed = level.holders.get(holder, 0)
    early = holder is not None and holder is level.calling
    if owed <= 0 and not early:
        ndis.violation("R5-05", holder or ndis, packet, "returned more often than it was held")
        return
    if early and owed <= 0:
        _note_early(packet, holder)
    level.add(holder, -1)
    if holder is not None:
        holder.core.receives_outstanding -= 1
    if level.is_settled and not level.outstanding:
        if _come_home(packet, level):
            level.route.packet_returned(packet)
        else:
            level.add(holder, 1)  # the return did not count
    if holder is not None:
        holder.core.check_close()


def _note_early(packet: Packet, holder: BindingEdge | None) -> None:
    """A3: a return before the handler has answered is tolerated, or forbidden in the strict profile (R5-06)."""
    ndis = packet.ndis
    report = ndis.violation if ndis.profile.early_return_is_error else ndis.warning
    report("R5-06", holder, packet, "EARLY_RETURN: returned before ProtocolReceivePacket has answered")

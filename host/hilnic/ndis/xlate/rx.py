# SPDX-License-Identifier: Apache-2.0
"""Receives across the versions.

5 -> 6: each indicated packet becomes a list of one NET_BUFFER; those marked RESOURCES go up in calls of their own with
the receive flag, order kept (XL-09). 6 -> 5: each list becomes a packet, RESOURCES its out-of-band status; the list
goes back when the packet's references are paid (XL-10).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from hilnic.ndis.ethernet import HEADER_SIZE
from hilnic.ndis.flags import NdisMedium, ReceiveFlags
from hilnic.ndis.kernel import Irql
from hilnic.ndis.nbl import NblQueue, NetBufferList, walk
from hilnic.ndis.receive import indicate_to, return_net_buffer_lists
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.xlate import check, objects, oob

if TYPE_CHECKING:
    from hilnic.ndis.binding import Binding
    from hilnic.ndis.ndis5.packet import Packet
    from hilnic.ndis.net_buffer import NetBuffer
    from hilnic.ndis.xlate.ports import BindingPort, MiniportPort

_RESOURCES = int(ReceiveFlags.RESOURCES)
_DISPATCH_LEVEL = int(ReceiveFlags.DISPATCH_LEVEL)

# A 5.x miniport under 6.x drivers.


def packets_to_nbls(edge: MiniportPort, packets: Sequence[Packet], receivers: tuple[Binding, ...]) -> None:
    """Indicate packets to those of `receivers` that want them, and to the filters, as lists.

    For each packet that is not RESOURCES the translation holds one reference until its list has come back. A packet
    for which there is no memory is not seen above; the miniport gets it back like any other.
    """
    at_dispatch = _DISPATCH_LEVEL if edge.ndis.kernel.irql == Irql.DISPATCH else 0
    for scarce, members in groupby(packets, _is_scarce):
        run = NblQueue()
        for packet in members:
            nbl = _nbl_of(edge, packet)
            if nbl is not None:
                run.append(nbl)
                if not scarce:
                    edge.hold(packet)
        if run.first is None:
            continue
        number = run.count
        if scarce:
            lent = list(walk(run.first))
            indicate_to(edge.adapter, receivers, run.take(), 0, number, at_dispatch | _RESOURCES)
            for nbl in lent:
                edge.xlate.lists.give(nbl)
        else:
            indicate_to(edge.adapter, receivers, run.take(), 0, number, at_dispatch)


def _is_scarce(packet: Packet) -> bool:
    return packet.oob.status == NdisStatus.RESOURCES


def _nbl_of(edge: MiniportPort, packet: Packet) -> NetBufferList | None:
    translation = edge.xlate
    nbl = translation.lists.take(packet, edge.adapter)
    if nbl is None:
        translation.dropped += 1
        return None
    nbl.miniport_reserved[0] = packet
    nb = nbl.first_net_buffer
    assert nb is not None
    oob.receive_to_6(packet, nbl, _frame_type(edge, nb))
    translation.translated += 1
    objects.note(edge.ndis, "receive 5>6", nbl, packet)
    if edge.ndis.verifier is not None:
        check.received(edge, nbl, nb, packet)
    return nbl


def _frame_type(edge: MiniportPort, nb: NetBuffer) -> int | None:
    """The EtherType, where NDIS 6 drivers look for it first (R6-14)."""
    if edge.adapter.attributes.media_type is not NdisMedium.MEDIUM_802_3 or nb.data_length < HEADER_SIZE:
        return None
    return int.from_bytes(nb.tobytes(HEADER_SIZE)[12:14], "big")


def nbls_returned(edge: MiniportPort, nbls: NetBufferList) -> None:
    """Everybody above has given these lists back: the translation's references are paid."""
    for nbl in walk(nbls):
        packet: Packet = nbl.miniport_reserved[0]
        if edge.xlate.lists.give(nbl):
            edge.release(packet)


# A 5.x protocol over a 6.x miniport.


def nbls_to_packets(edge: BindingPort, nbls: NetBufferList, receive_flags: int) -> None:
    """Give received lists to a 5.x protocol, one packet at a time in list order, then ReceiveComplete.

    What the protocol does not keep goes back at the end in one call; a list without memory for its packet is not seen.
    """
    scarce = bool(receive_flags & _RESOURCES)
    translation = edge.xlate
    outer, translation.returning = translation.returning, NblQueue()
    for nbl in walk(nbls):
        packet = _packet_of(edge, nbl, scarce)
        if packet is not None:
            edge.deliver(packet, translation)
        elif not scarce:
            translation.returning.append(nbl)
    edge.receive_complete()
    done, translation.returning = translation.returning, outer
    if done.first is not None:
        return_net_buffer_lists(edge.core, done.take(), receive_flags & _DISPATCH_LEVEL)


def packet_returned(edge: BindingPort, packet: Packet) -> None:
    """Nobody holds the packet any more: its list goes back, with others while a receive handler runs (XL-10)."""
    translation = edge.xlate
    nbl: NetBufferList | None = packet.wrapper_reserved
    if not translation.packets.give(packet) or nbl is None:
        return
    if translation.returning is not None:
        translation.returning.append(nbl)
    else:
        nbl.next = None
        return_net_buffer_lists(edge.core, nbl)


def _packet_of(edge: BindingPort, nbl: NetBufferList, scarce: bool) -> Packet | None:
    translation = edge.xlate
    nb = nbl.first_net_buffer
    assert nb is not None
    packet = translation.packets.take(nbl, nb)
    if packet is None:
        translation.dropped += 1
        return None
    if scarce:
        packet.oob.status = NdisStatus.RESOURCES
        packet.wrapper_reserved = None  # nothing goes back: the list is lent for the call, and its lender's again then
    packet.oob.header_size = HEADER_SIZE
    oob.receive_to_5(nbl, packet)
    translation.translated += 1
    objects.note(edge.ndis, "receive 6>5", nbl, packet)
    if edge.ndis.verifier is not None:
        check.received(edge, nbl, nb, packet)
    return packet

# SPDX-License-Identifier: Apache-2.0
"""Sends across the versions.

5 -> 6: each packet becomes a list of one NET_BUFFER on the same buffers (XL-02); a call's packets go down in runs of
equal loopback wish (XL-07). 6 -> 5: each NET_BUFFER becomes a packet (XL-04); the list completes when the last of its
packets has, with the status of the first that failed (XL-05).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hilnic.ndis.flags import SendFlags
from hilnic.ndis.kernel import Irql
from hilnic.ndis.loopback import loop_back
from hilnic.ndis.nbl import NblQueue, NetBufferList, walk
from hilnic.ndis.ndis5.constants import PacketFlags, ProtocolOptions
from hilnic.ndis.send import complete_send_net_buffer_lists, send_net_buffer_lists
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.xlate import check, objects, oob, status

if TYPE_CHECKING:
    from hilnic.ndis.ndis5.packet import Packet
    from hilnic.ndis.xlate.ports import BindingPort, MiniportPort

_DONT_LOOPBACK = int(PacketFlags.DONT_LOOPBACK)
_LOOPBACK_ONLY = int(PacketFlags.LOOPBACK_ONLY)
_SENT_AT_DPC = int(PacketFlags.SENT_AT_DPC)
_SUCCESS = NdisStatus.SUCCESS
_NO_LOOPBACK = int(ProtocolOptions.NO_LOOPBACK)
_DISPATCH_LEVEL = int(SendFlags.DISPATCH_LEVEL)
_CHECK_FOR_LOOPBACK = int(SendFlags.CHECK_FOR_LOOPBACK)

# A 5.x protocol over a 6.x miniport.


def packets_to_nbls(edge: BindingPort, packets: Sequence[Packet]) -> None:
    """Send packets of a 5.x protocol as lists; each comes back by `packet_sent`, possibly inside this call.

    What cannot be translated for want of memory completes with RESOURCES behind the rest, which goes on (XL-08).
    What is for loopback only is looped and goes no further (LB-10).
    """
    binding = edge.core
    never_loop = bool(edge.protocol_options & _NO_LOOPBACK)
    at_dispatch = _DISPATCH_LEVEL if edge.ndis.kernel.irql == Irql.DISPATCH else 0
    ended: list[tuple[Packet, NdisStatus]] = []
    run, run_flags = NblQueue(), 0
    for packet in packets:
        nbl = _nbl_of(edge, packet)
        if nbl is None:
            ended.append((packet, NdisStatus.RESOURCES))
            continue
        flags = at_dispatch | (0 if never_loop or packet.flags & _DONT_LOOPBACK else _CHECK_FOR_LOOPBACK)
        if packet.flags & _LOOPBACK_ONLY:
            loop_back(binding, nbl, flags, only=True)
            edge.xlate.lists.give(nbl)
            ended.append((packet, NdisStatus.SUCCESS))
            continue
        if flags != run_flags and run.first is not None:
            send_net_buffer_lists(binding, run.take(), 0, run_flags)
        run_flags = flags
        run.append(nbl)
    if run.first is not None:
        send_net_buffer_lists(binding, run.take(), 0, run_flags)
    for packet, status_5 in ended:
        edge.packet_sent(packet, status_5)


def _nbl_of(edge: BindingPort, packet: Packet) -> NetBufferList | None:
    translation = edge.xlate
    nbl = translation.lists.take(packet, edge.core)
    if nbl is None:
        return None
    nbl.protocol_reserved[0] = packet
    oob.send_to_6(packet, nbl)
    translation.translated += 1
    objects.note(edge.ndis, "send 5>6", nbl, packet)
    if edge.ndis.verifier is not None:
        assert nbl.first_net_buffer is not None
        check.sent(edge, nbl, nbl.first_net_buffer, packet)
    return nbl


def nbls_completed(edge: BindingPort, nbls: NetBufferList) -> None:
    """The lists of `packets_to_nbls` come back: one ProtocolSendComplete per packet, whatever the grouping (XL-19)."""
    lists = edge.xlate.lists
    for nbl in walk(nbls):
        packet: Packet = nbl.protocol_reserved[0]
        ended = nbl.status
        if ended == _SUCCESS:
            oob.send_result_to_5(nbl, packet)
        if not lists.give(nbl):
            continue
        translated = status.to_5(ended)
        if edge.ndis.trace.enabled:
            edge.ndis.trace.emit("packet.complete", frame=packet.frame_id, packet=packet.id, status=int(translated))
        if edge.ndis.verifier is not None and not (ended is _SUCCESS is translated):
            check.ended(edge, packet, ended, translated)
        edge.packet_sent(packet, translated)


# A 6.x sender over a 5.x miniport.


def nbls_to_packets(edge: MiniportPort, nbls: NetBufferList, send_flags: int) -> None:
    """Send lists to a 5.x miniport as packets, in order, in one `edge.submit`.

    A list that cannot be translated as a whole is not begun: it completes with RESOURCES (XL-08), or with FAILURE when
    NDIS 5 has no words for what it asks (a large send of version 2).
    """
    packet_flags = 0 if send_flags & _CHECK_FOR_LOOPBACK else _DONT_LOOPBACK
    if send_flags & _DISPATCH_LEVEL:
        packet_flags |= _SENT_AT_DPC
    ready: list[Packet] = []
    failed = NblQueue()
    for nbl in walk(nbls):
        if not oob.expressible_in_5(nbl):
            nbl.status = NdisStatus.FAILURE
            failed.append(nbl)
            continue
        packets = _packets_of(edge, nbl, packet_flags)
        if packets:
            ready += packets
        else:  # a list without a frame is nothing to send (S6-21)
            nbl.status = NdisStatus.RESOURCES if packets is None else NdisStatus.FAILURE
            failed.append(nbl)
    if ready:
        edge.submit(ready, edge.xlate)
    if failed.first is not None:
        complete_send_net_buffer_lists(edge.adapter, failed.take(), send_flags & _DISPATCH_LEVEL)


def _packets_of(edge: MiniportPort, nbl: NetBufferList, packet_flags: int) -> list[Packet] | None:
    """One packet per NET_BUFFER, or None, and nothing is left behind."""
    translation = edge.xlate
    packets: list[Packet] = []
    for nb in nbl.net_buffers():
        packet = translation.packets.take(nbl, nb)
        if packet is None:
            for begun in packets:
                translation.packets.give(begun)
            return None
        packet.flags = packet_flags
        oob.send_to_5(nbl, packet)
        packets.append(packet)
        objects.note(edge.ndis, "send 6>5", nbl, packet)
        if edge.ndis.verifier is not None:
            check.sent(edge, nbl, nb, packet)
    nbl.miniport_reserved[0] = len(packets)
    nbl.miniport_reserved[1] = NdisStatus.SUCCESS
    translation.translated += len(packets)
    return packets


def packet_completed(edge: MiniportPort, packet: Packet, ended: int) -> None:
    """A 5.x miniport gives a translated packet back; the last one of a list completes it (XL-04, XL-05)."""
    nbl: NetBufferList = packet.wrapper_reserved
    translated = status.to_6(ended)
    if edge.ndis.verifier is not None:
        check.ended(edge, nbl, translated, ended)
    if translated == NdisStatus.SUCCESS:
        oob.send_result_to_6(packet, nbl)
    if not edge.xlate.packets.give(packet):
        return
    reserved = nbl.miniport_reserved
    if translated and not reserved[1]:
        reserved[1] = translated
    reserved[0] -= 1
    if not reserved[0]:
        nbl.next, nbl.status = None, reserved[1]
        complete_send_net_buffer_lists(edge.adapter, nbl)

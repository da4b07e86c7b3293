# SPDX-License-Identifier: Apache-2.0
"""The send calls of NDIS 5: protocol -> miniport, and the completions back (S5).

On a 5.x adapter without filters a packet goes to the miniport's queue as it is; otherwise the translation makes a
NET_BUFFER_LIST of it. What loops back does so before the miniport gets the packet.
"""

from __future__ import annotations

from typing import Any

from hilnic.ndis import send as core_send
from hilnic.ndis.adapter import Adapter
from hilnic.ndis.ndis5 import levels, loopback
from hilnic.ndis.ndis5.constants import PacketFlags, PacketInfo
from hilnic.ndis.ndis5.levels import Level
from hilnic.ndis.ndis5.miniport_edge import MiniportEdge, edge_of
from hilnic.ndis.ndis5.packet import Packet
from hilnic.ndis.ndis5.protocol_edge import BindingEdge, is_foreign
from hilnic.ndis.ndis5.serializer import at_dispatch
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk
from hilnic.ndis.xlate import status as xlate_status
from hilnic.ndis.xlate import tx

_CANCEL_ID = int(PacketInfo.CANCEL_ID)
_LOOPBACK_ONLY = int(PacketFlags.LOOPBACK_ONLY)


@wdk("NdisSend", callout=True)
def send(binding: BindingEdge, packet: Packet) -> NdisStatus:
    """Send one packet. A final status: it is the sender's again. PENDING: one send_complete follows (S5-01)."""
    if is_foreign(binding, "NdisSend"):
        return NdisStatus.FAILURE
    if binding.ledger is not None and not binding.ledger.sent(binding, packet):
        return NdisStatus.FAILURE
    refusal = _refusal(binding)
    if refusal is not None:
        return refusal
    _number(binding, packet)
    lower = binding.lower
    if lower is None:
        _translate(binding, [packet])
        return NdisStatus.PENDING
    loopback.loop(binding, lower, packet)
    if packet.flags & _LOOPBACK_ONLY:
        return NdisStatus.SUCCESS
    binding.core.sends_outstanding += 1
    return lower.queue.submit_one(packet, binding)


@wdk("NdisSendPackets", callout=True)
def send_packets(binding: BindingEdge, packets: list[Packet]) -> None:
    """Send packets in this order; one send_complete follows for each, possibly inside this call (S5-02)."""
    if is_foreign(binding, "NdisSendPackets"):
        return
    if binding.ledger is not None:
        packets = [packet for packet in packets if binding.ledger.sent(binding, packet)]
    refusal = _refusal(binding)
    if refusal is not None:
        for packet in packets:
            at_dispatch(binding.ndis.kernel, binding.send_complete_handler, binding.context, packet, refusal)
        return
    for packet in packets:
        _number(binding, packet)
    lower = binding.lower
    if lower is None:
        _translate(binding, packets)
    else:
        _send_directly(binding, lower, packets)


def _send_directly(binding: BindingEdge, lower: MiniportEdge, packets: list[Packet]) -> None:
    going = []
    for packet in packets:
        loopback.loop(binding, lower, packet)
        if packet.flags & _LOOPBACK_ONLY:
            at_dispatch(binding.ndis.kernel, binding.send_complete_handler, binding.context, packet, NdisStatus.SUCCESS)
        else:
            going.append(packet)
    if going:
        binding.core.sends_outstanding += len(going)
        lower.queue.submit(going, binding)


def _refusal(binding: BindingEdge) -> NdisStatus | None:
    """How NDIS answers for the miniport, in NDIS 5's words; None = the packet goes down, or is held over a reset."""
    refusal = binding.core.refusal
    if refusal is None:
        return None
    if refusal is NdisStatus.RESET_IN_PROGRESS and binding.ndis.profile.hold_sends_during_reset:
        return None
    return NdisStatus(xlate_status.to_5(refusal))


def _number(binding: BindingEdge, packet: Packet) -> None:
    """Give the frame the id that follows it to the wire; what an intermediate driver sends on keeps the one it has."""
    ndis = binding.ndis
    if not packet.frame_id or binding.driver.upper_edge is None:
        ndis.last_frame_id = packet.frame_id = ndis.last_frame_id + 1
    if ndis.trace.enabled:
        ndis.trace.emit(
            "packet.send", frame=packet.frame_id, packet=packet.id, binding=binding.core.name, bytes=packet.length()
        )


def _translate(binding: BindingEdge, packets: list[Packet]) -> None:
    """The packets go on as NET_BUFFER_LISTs; each comes back by `packet_sent`."""
    for packet in packets:
        level = Level(binding, up=False)
        levels.push(packet, level)
        if binding.ledger is not None:
            binding.ledger.handed_down(packet, level, binding, binding.core.adapter)
    tx.packets_to_nbls(binding, packets)


@wdk("NdisMSendComplete", callout=True)
def send_complete(adapter: Adapter, packet: Packet, status: int) -> None:
    """A miniport ends a packet that it held: once, with a final status (S5-07, S5-12)."""
    edge = edge_of(adapter, "NdisMSendComplete")
    if edge is not None:
        if adapter.ndis.trace.enabled:
            adapter.ndis.trace.emit("packet.complete", frame=packet.frame_id, packet=packet.id, status=int(status))
        at_dispatch(adapter.ndis.kernel, edge.queue.completed, packet, status)


@wdk("NdisMSendResourcesAvailable", callout=True)
def send_resources_available(adapter: Adapter) -> None:
    """A serialized miniport that refused packets with RESOURCES can take some now (S5-04); others never call it."""
    edge = edge_of(adapter, "NdisMSendResourcesAvailable")
    if edge is None:
        return
    if not edge.lock.serialized:
        adapter.ndis.violation("S5-06", adapter, adapter, "NdisMSendResourcesAvailable of a deserialized driver")
        return
    edge.queue.resume()


@wdk("NdisCancelSendPackets", callout=True)
def cancel_send_packets(binding: BindingEdge, cancel_id: Any) -> None:
    """Ask to give up this binding's packets with this cancel id; each still ends once (CN-09). No id, no match (CN-07).

    Those that are given up end with REQUEST_ABORTED.
    """
    if is_foreign(binding, "NdisCancelSendPackets") or not cancel_id:
        return
    lower = binding.lower
    if lower is None:
        core_send.cancel_send_net_buffer_lists(binding.core, cancel_id)
        return

    def matches(packet: Packet) -> bool:
        level = levels.top(packet)
        return packet.packet_info[_CANCEL_ID] == cancel_id and level is not None and level.route is binding

    lower.cancel(cancel_id, matches)

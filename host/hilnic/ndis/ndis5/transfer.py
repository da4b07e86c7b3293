# SPDX-License-Identifier: Apache-2.0
"""NdisTransferData: the part of a receive that the lookahead did not show (R5-18 to R5-22, R5-26)."""

from __future__ import annotations

from typing import Any

from hilnic.ndis.adapter import Adapter
from hilnic.ndis.flags import NdisMedium
from hilnic.ndis.ndis5 import miniport_edge, whole
from hilnic.ndis.ndis5.buffers import scatter
from hilnic.ndis.ndis5.characteristics import TransferAnswer
from hilnic.ndis.ndis5.lookahead import Indication
from hilnic.ndis.ndis5.packet import Packet
from hilnic.ndis.ndis5.protocol_edge import BindingEdge, is_foreign
from hilnic.ndis.ndis5.serializer import at_dispatch
from hilnic.ndis.states import BindingState
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk


@wdk("NdisTransferData", callout=True)
def transfer_data(
    binding: BindingEdge, receive_context: Any, byte_offset: int, number: int, packet: Packet
) -> TransferAnswer:
    """Copy `number` bytes of the frame, from `byte_offset` behind its header on, to the start of the caller's packet.

    (status, bytes moved). Only for the current indication (R5-22). FAILURE when the range ends behind the frame; a
    destination that is too short is filled and no more. PENDING: transfer_data_complete follows once, and until then
    the packet is the miniport's (R5-21).
    """
    if is_foreign(binding, "NdisTransferData"):
        return NdisStatus.FAILURE, 0
    refusal = _refusal(binding)
    if refusal is not None:
        return refusal, 0
    if not isinstance(receive_context, Indication) or not receive_context.is_current:
        binding.ndis.violation("R5-22", binding, receive_context, "transfer outside of its indication")
        return NdisStatus.FAILURE, 0
    if byte_offset < 0 or number < 0 or byte_offset + number > receive_context.packet_size:
        return NdisStatus.FAILURE, 0
    if binding.ledger is not None and not binding.ledger.transfer_begins(binding, packet):
        return NdisStatus.FAILURE, 0
    room = min(number, packet.length())
    if receive_context.packet is None:
        return _from_miniport(binding, receive_context, byte_offset, room, packet)
    moved = _from_packet(receive_context.packet, byte_offset, room, packet)
    _ends(binding, packet)
    return NdisStatus.SUCCESS, moved


def _refusal(binding: BindingEdge) -> NdisStatus | None:
    if binding.medium is NdisMedium.WAN:
        return NdisStatus.FAILURE  # a WAN frame is indicated as a whole (R5-28)
    if binding.core.state in {BindingState.CLOSING, BindingState.UNBOUND}:
        return NdisStatus.REQUEST_ABORTED
    return NdisStatus.RESET_IN_PROGRESS if binding.core.adapter.resetting else None


def _from_packet(source: Packet, offset: int, number: int, packet: Packet) -> int:
    """NDIS itself serves what was indicated as a full packet (R5-26)."""
    start = source.oob.header_size + offset
    moved = scatter(packet, 0, source.tobytes()[start : start + number])
    packet.ndis.xlate_copies += moved
    return moved


def _ends(binding: BindingEdge, packet: Packet) -> None:
    if binding.ledger is not None:
        binding.ledger.transfer_ends(packet)


def _from_miniport(
    binding: BindingEdge, indication: Indication, offset: int, number: int, packet: Packet
) -> TransferAnswer:
    """MiniportTransferData, called inside the indication although the miniport's turn is taken."""
    edge = indication.edge
    assert edge is not None
    if edge.transfer_handler is None:
        _ends(binding, packet)
        return NdisStatus.FAILURE, 0
    edge.transfers[packet] = binding
    binding.core.receives_outstanding += 1
    answer: TransferAnswer = at_dispatch(
        edge.ndis.kernel,
        edge.transfer_handler,
        edge.context,
        indication.receive_context,
        offset,
        number,
        packet,
    )
    if answer[0] is NdisStatus.PENDING:
        return answer
    if edge.transfers.pop(packet, None) is None:  # it has ended: by the miniport, or by NDIS, for it has been taken out
        if not edge.adapter.driver.faulted:
            edge.ndis.violation("R5-21", edge.adapter, packet, "a transfer answered and completed as well")
        return NdisStatus.PENDING, 0
    binding.core.receives_outstanding -= 1
    _ends(binding, packet)
    return answer


@wdk("NdisMTransferDataComplete", callout=True)
def transfer_data_complete(adapter: Adapter, packet: Packet, status: NdisStatus, moved: int) -> None:
    """A miniport ends a transfer that it answered with PENDING, or is about to (R5-21)."""
    edge = miniport_edge.edge_of(adapter, "NdisMTransferDataComplete")
    if edge is None:
        return
    if packet not in edge.transfers:
        adapter.ndis.violation("R5-21", adapter, packet, "a transfer completed that does not pend")
    else:
        complete(edge, packet, status, moved)


def complete(edge: miniport_edge.MiniportEdge, packet: Packet, status: NdisStatus, moved: int) -> None:
    """A transfer that pends has ended: whoever waits for it is told."""
    waiting, kernel = edge.transfers.pop(packet), edge.ndis.kernel
    if isinstance(waiting, whole.Assembly):
        at_dispatch(kernel, waiting.transferred, status, moved)
        return
    _ends(waiting, packet)
    at_dispatch(kernel, waiting.transfer_complete_handler, waiting.context, packet, status, moved)
    waiting.core.receives_outstanding -= 1
    waiting.core.check_close()


@wdk("NdisGetReceivedPacket")
def get_received_packet(binding: BindingEdge, receive_context: Any) -> Packet | None:
    """The packet behind a ProtocolReceive, for its out-of-band data (OB-04); None when there is only a lookahead."""
    if is_foreign(binding, "NdisGetReceivedPacket"):
        return None
    if isinstance(receive_context, Indication) and receive_context.is_current:
        return receive_context.packet
    binding.ndis.violation("R5-22", binding, receive_context, "asked for outside of its indication")
    return None

# SPDX-License-Identifier: Apache-2.0
"""WAN miniports of NDIS 5: whole frames in one buffer, sent with room around them, never by lookahead (R5-28, S5-13).

WanPacket:  | header_padding | current_length bytes of frame | tail_padding |
                             ^ current_offset                               the padding may be written to below
"""

from __future__ import annotations

from typing import Any

from hilnic.ndis.adapter import Adapter
from hilnic.ndis.kernel import Region
from hilnic.ndis.ndis5 import miniport_edge, protocol_edge
from hilnic.ndis.ndis5.miniport_edge import MiniportEdge
from hilnic.ndis.ndis5.protocol_edge import BindingEdge, is_foreign
from hilnic.ndis.ndis5.serializer import at_dispatch
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk
from hilnic.ndis.xlate import status as xlate_status


class WanPacket:
    """NDIS_WAN_PACKET: one frame in `region`, between `header_padding` and `tail_padding` bytes of room."""

    __slots__ = (
        "current_length",
        "current_offset",
        "header_padding",
        "miniport_reserved",
        "protocol_reserved",
        "region",
        "tail_padding",
    )

    def __init__(self, region: Region, header_padding: int, length: int, tail_padding: int) -> None:
        if header_padding + length + tail_padding > len(region.view):
            raise ValueError("the frame and its padding do not fit into the buffer")
        self.region = region
        self.header_padding = header_padding
        self.tail_padding = tail_padding
        self.current_offset = header_padding
        self.current_length = length
        self.protocol_reserved: list[Any] = [None, None, None, None]
        self.miniport_reserved: list[Any] = [None, None, None, None]

    @property
    def frame(self) -> memoryview:
        """The bytes to send."""
        return self.region.view[self.current_offset : self.current_offset + self.current_length]

    def __repr__(self) -> str:
        return f"WanPacket({self.current_length} bytes)"


@wdk("WanMiniportSend", callout=True)
def wan_send(binding: BindingEdge, link_handle: Any, packet: WanPacket) -> NdisStatus:
    """Send one frame over a link. A final status: done. PENDING: one wan_send_complete follows.

    NOT_SUPPORTED on another medium; FAILURE for a packet that has been sent and has not come back (S5-08).
    """
    if is_foreign(binding, "MiniportWanSend"):
        return NdisStatus.FAILURE
    edge = binding.direct
    if edge is None or edge.wan_send_handler is None:
        return NdisStatus.NOT_SUPPORTED
    if packet in edge.wan_sends:
        binding.ndis.violation("S5-08", binding, packet, "sent again while it pends")
        return NdisStatus.FAILURE
    refusal = binding.core.refusal
    if refusal is not None:
        return NdisStatus(xlate_status.to_5(refusal))
    binding.core.sends_outstanding += 1
    binding.core.adapter.sends_outstanding += 1
    edge.wan_sends[packet] = binding
    answer: list[NdisStatus] = []
    edge.lock.run(lambda: answer.append(_hand_over(edge, link_handle, packet)))
    if not answer:
        edge.wan_late.add(packet)  # it waits for the miniport's turn: the answer will be a completion
        return NdisStatus.PENDING
    return answer[0]


def _hand_over(edge: MiniportEdge, link_handle: Any, packet: WanPacket) -> NdisStatus:
    status: NdisStatus = edge.wan_send_handler(edge.context, link_handle, packet)
    if status is NdisStatus.PENDING or packet not in edge.wan_sends:
        return NdisStatus.PENDING
    if packet in edge.wan_late:
        complete(edge, packet, status)
    else:
        _ended(edge, packet)
    return status


def _ended(edge: MiniportEdge, packet: WanPacket) -> BindingEdge:
    binding: BindingEdge = edge.wan_sends.pop(packet)
    edge.wan_late.discard(packet)
    binding.core.sends_outstanding -= 1
    binding.core.adapter.sends_outstanding -= 1
    binding.core.check_close()
    edge.check_idle()
    return binding


def complete(edge: MiniportEdge, packet: WanPacket, status: NdisStatus) -> None:
    """The frame goes back to the binding that sent it."""
    binding = _ended(edge, packet)
    at_dispatch(edge.ndis.kernel, binding.wan_send_complete_handler, binding.context, packet, status)


@wdk("NdisMWanSendComplete", callout=True)
def wan_send_complete(adapter: Adapter, packet: WanPacket, status: NdisStatus) -> None:
    """A WAN miniport ends a frame that it answered with PENDING."""
    edge = miniport_edge.edge_of(adapter, "NdisMWanSendComplete")
    if edge is None:
        return
    if packet not in edge.wan_sends:
        adapter.ndis.violation("S5-12", adapter, packet, "completed, but this miniport does not hold it")
        return
    complete(edge, packet, status)


@wdk("NdisMWanIndicateReceive", callout=True)
def wan_indicate_receive(adapter: Adapter, link_context: Any, frame: memoryview) -> NdisStatus:
    """Indicate one whole frame of a link, valid during the call: SUCCESS when a protocol took it, else NOT_ACCEPTED."""
    edge = miniport_edge.edge_of(adapter, "NdisMWanIndicateReceive")
    if edge is None:
        return NdisStatus.FAILURE
    if not miniport_edge.may_indicate(edge):
        return NdisStatus.FAILURE
    answers = []
    for receiver in protocol_edge.edges_of(adapter):
        if receiver.wan_receive_handler is not None:
            receiver.is_receive_complete_due = True
            handler, context = receiver.wan_receive_handler, receiver.context
            answers.append(at_dispatch(adapter.ndis.kernel, handler, context, link_context, frame))
    return NdisStatus.SUCCESS if NdisStatus.SUCCESS in answers else NdisStatus.NOT_ACCEPTED


@wdk("NdisMWanIndicateReceiveComplete", callout=True)
def wan_indicate_receive_complete(adapter: Adapter, link_context: Any) -> None:
    """One or more frames of a link have been indicated."""
    del link_context
    for receiver in protocol_edge.edges_of(adapter):
        receiver.receive_complete()

# SPDX-License-Identifier: Apache-2.0
"""Whole frames for NDIS 6 drivers above a miniport that indicates lookaheads.

NDIS copies header and lookahead into memory of its own, has the miniport transfer what is missing, and gives the packet
over that memory to the translation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic.ndis.mdl import Mdl
from hilnic.ndis.ndis5 import miniport_edge, owned, receive
from hilnic.ndis.ndis5.packet import Packet
from hilnic.ndis.ndis5.packet_pool import free_packet
from hilnic.ndis.ndis5.serializer import at_dispatch
from hilnic.ndis.status import NdisStatus

if TYPE_CHECKING:
    from hilnic.ndis.ndis5.miniport_edge import MiniportEdge


class Assembly:
    """One frame that waits for its transfer."""

    __slots__ = ("destination", "edge", "frame", "receivers")

    def __init__(self, edge: MiniportEdge, frame: Packet, destination: Packet, receivers: tuple[Any, ...]) -> None:
        self.edge = edge
        self.frame = frame
        self.destination = destination
        self.receivers = receivers

    def transferred(self, status: NdisStatus, moved: int) -> None:
        """The rest is there, or the frame is lost; so it is to whoever has been paused or closed meanwhile (R6-16)."""
        if self.edge.ledger is not None:
            self.edge.ledger.transfer_ends(self.destination)
        complete = status is NdisStatus.SUCCESS and moved == self.destination.length()
        free_packet(self.destination)
        adapter = self.edge.adapter
        receivers = tuple(binding for binding in self.receivers if binding in adapter.receivers)
        if complete and (receivers or adapter.filters) and miniport_edge.may_indicate(self.edge):
            self.edge.ndis.xlate_copies += moved
            receive.pass_up(self.edge, self.frame, receivers)
        else:
            owned.free(self.frame)


def put_together(
    edge: MiniportEdge,
    receive_context: Any,
    header: memoryview,
    lookahead: memoryview,
    packet_size: int,
    receivers: tuple[Any, ...],
) -> None:
    """Make the frame and pass it up; without memory, or when the transfer fails, it is lost to NDIS 6."""
    seen = len(header) + len(lookahead)
    rest = packet_size - len(lookahead)
    frame = owned.make(edge.ndis, seen + rest, len(header))
    if frame is None or frame.head is None:
        return
    frame.head.view[: len(header)] = header
    frame.head.view[len(header) : seen] = lookahead
    edge.ndis.ndis5.copies += 1
    edge.ndis.xlate_copies += seen
    if not rest:
        receive.pass_up(edge, frame, receivers)
        return
    if edge.transfer_handler is None:
        owned.free(frame)
        return
    destination = owned.describe(edge.ndis, Mdl(frame.head.region, seen, rest))
    assembly = Assembly(edge, frame, destination, receivers)
    if edge.ledger is not None:
        edge.ledger.transfer_begins(edge, destination)
    edge.transfers[destination] = assembly
    status, moved = at_dispatch(
        edge.ndis.kernel, edge.transfer_handler, edge.context, receive_context, len(lookahead), rest, destination
    )
    if status is not NdisStatus.PENDING and edge.transfers.pop(destination, None) is not None:
        assembly.transferred(status, moved)

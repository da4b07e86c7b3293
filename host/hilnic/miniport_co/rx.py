# SPDX-License-Identifier: Apache-2.0
"""Receive of a connection: the adapter's receiver with buffers of its own; the header is not shown, nor is padding."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hilnic import ndis
from hilnic.miniport.rx import Receiver, RxBuffer, RxStatistics
from hilnic.miniport_co.header import ADDRESS_BYTES, sdu_bytes
from hilnic.miniport_co.on_board import ReceiverOnBoard
from hilnic.ndis import condis
from hilnic.ndis.condis.vlan_media import HEADER_BYTES

if TYPE_CHECKING:
    from hilnic.miniport_co.connection import Connection

__all__ = ["VcReceiver"]

_U32 = 0xFFFFFFFF


class VcReceiver(ReceiverOnBoard, Receiver):
    """The receive queue of one connection."""

    def __init__(self, connection: Connection, slot: int) -> None:
        connections, nic = connection.connections, connection.connections.nic
        super().__init__(
            nic.handle, nic.hardware, nic.memory, connections.dma, connection.config, connection.entry.queue
        )
        self._connection, self._board, self._slot = connection, connections.board, slot
        self.source = connection.vc
        self.header_bytes = HEADER_BYTES
        self._discarded = 0

    def poll(self, budget: int) -> bool:
        """Indicate at most `budget` SDUs; True if there are more."""
        more = super().poll(budget)
        self._board.seen(self._slot)
        return more

    def serve(self, budget: int) -> int:
        """For the poller: how many buffers were taken."""
        before = self.completions.index
        self.poll(budget)
        return (self.completions.index - before) & _U32

    def data_length(self, first: RxBuffer, length: int) -> int:
        """Bytes of the SDU; 0 when the frame has none, or is for another station."""
        if not self._is_for_us(first):
            return 0
        view, at = first.region.view, first.start + HEADER_BYTES
        return sdu_bytes(view[at - 2] << 8 | view[at - 1], length)

    def from_wire(self, first: RxBuffer) -> bytes:
        """With the header and the tag that the NIC has taken out."""
        start = bytes(first.region.view[first.start : first.start + HEADER_BYTES])
        return self._connection.on_wire(start + first.nb.tobytes())

    def _is_for_us(self, first: RxBuffer) -> bool:
        return bytes(first.region.view[first.start : first.start + ADDRESS_BYTES]) in self._connection.heard_at

    def _refuse(self, buffers: list[RxBuffer], cause: int) -> None:
        """What is for another station is no error: a switch floods, and ids are a matter between two stations."""
        if cause or self._is_for_us(buffers[0]):
            super()._refuse(buffers, cause)
        else:
            self._discarded += 1
            self._recycle(buffers)

    def statistics(self) -> RxStatistics:
        """Counts of now."""
        return replace(super().statistics(), discarded=self._discarded)

    def hand_up(self, nbls: ndis.NetBufferList | None, count: int, flags: int) -> None:
        """NdisMCoIndicateReceiveNetBufferLists."""
        condis.mco_indicate_receive_net_buffer_lists(self._connection.vc, nbls, count, flags)

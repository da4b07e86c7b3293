# SPDX-License-Identifier: Apache-2.0
"""Transmit of a connection: the adapter's transmitter, with a header of the miniport's before each SDU.

The headers lie in a ring of their own, a place for each descriptor, so an SDU stays where its owner has it. The tag is
the NIC's work, and so is the contract: what the shaper holds back waits in the ring, then in the software queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilnic import ndis
from hilnic.miniport.tx import Transmitter
from hilnic.miniport.tx_frame import Element, TxFrame
from hilnic.miniport_co.header import HEADER_STRIDE, header
from hilnic.miniport_co.on_board import TransmitterOnBoard
from hilnic.ndis import condis
from hilnic.ndis.condis.vlan_media import HEADER_BYTES

if TYPE_CHECKING:
    from hilnic.miniport_co.connection import Connection

__all__ = ["VcTransmitter"]


class VcTransmitter(TransmitterOnBoard, Transmitter):
    """The transmit queue of one connection."""

    def __init__(self, connection: Connection, slot: int) -> None:
        connections, nic = connection.connections, connection.connections.nic
        super().__init__(
            nic.handle, nic.hardware, nic.memory, connections.dma, connection.config, connection.entry.queue
        )
        self._connection, self._board, self._slot = connection, connections.board, slot
        self._max_fragments -= 1  # the header takes a descriptor

    def is_sendable(self, nb: ndis.NetBuffer) -> bool:
        """Is the SDU within the contract?"""
        return 1 <= nb.data_length <= self._connection.max_sdu

    def framed(self, frame: TxFrame, elements: list[Element]) -> list[Element]:
        """The header first. Its place is free: it goes with the next descriptor, of which there is one."""
        ring = self.ring
        place = self._headers.address + (ring.reserved & (ring.size - 1)) * HEADER_STRIDE
        self._memory.store(place, header(self._connection.addresses, frame.length))
        return [Element(place, HEADER_BYTES), *elements]

    def on_wire(self, nb: ndis.NetBuffer, tag: bytes | None) -> bytes:
        """With the header and the NIC's tag."""
        del tag
        return self._connection.on_wire(header(self._connection.addresses, nb.data_length) + nb.tobytes())

    def hand_back(self, nbls: ndis.NetBufferList, flags: int) -> None:
        """NdisMCoSendNetBufferListsComplete."""
        condis.mco_complete_send_net_buffer_lists(self._connection.vc, nbls, flags)

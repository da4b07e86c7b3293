# SPDX-License-Identifier: Apache-2.0
"""Transmit of a 5.x connection: packets, with a header of the miniport's before each SDU; see `tx`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hilnic.miniport5.tx import Element
from hilnic.miniport5.tx_packets import PacketTransmitter
from hilnic.miniport_co.header import HEADER_STRIDE, header
from hilnic.miniport_co.on_board import TransmitterOnBoard
from hilnic.ndis import NdisStatus
from hilnic.ndis.condis import ndis5 as condis5
from hilnic.ndis.condis.vlan_media import HEADER_BYTES
from hilnic.ndis.ndis5 import Packet

if TYPE_CHECKING:
    from hilnic.miniport_co.connection5 import PacketConnection

__all__ = ["VcPacketTransmitter"]


class VcPacketTransmitter(TransmitterOnBoard, PacketTransmitter):
    """The transmit queue of one connection."""

    header_elements = 1

    def __init__(self, connection: PacketConnection, slot: int) -> None:
        super().__init__(connection.nic, connection.entry.queue, connection.config)
        self._connection, self._board, self._slot = connection, connection.connections.board, slot
        self._max_fragments -= self.header_elements

    def is_sendable(self, packet: Packet) -> bool:
        """Is the SDU within the contract?"""
        return 1 <= packet.length() <= self._connection.max_sdu

    def framed(self, packet: Packet, elements: Sequence[Element]) -> Sequence[Element]:
        """The header first; when the frame fits, its place goes with the next descriptor and is free."""
        ring = self.ring
        if len(elements) + self.header_elements > ring.free:
            return [Element(0, 0), *elements]  # it has to wait
        place = self._headers.address + (ring.reserved & (ring.size - 1)) * HEADER_STRIDE
        self._nic.memory.store(place, header(self._connection.addresses, packet.length()))
        return [Element(place, HEADER_BYTES), *elements]

    def on_wire(self, packet: Packet) -> bytes:
        """With the header and the NIC's tag."""
        return self._connection.on_wire(header(self._connection.addresses, packet.length()) + packet.tobytes())

    def hand_back(self, packet: Packet, status: NdisStatus) -> None:
        """NdisMCoSendComplete."""
        condis5.mco_send_complete(self._connection.vc, packet, status)

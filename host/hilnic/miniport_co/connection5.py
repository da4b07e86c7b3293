# SPDX-License-Identifier: Apache-2.0
"""A connection of the 5.x driver: packets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilnic.miniport_co.connection import Connection
from hilnic.miniport_co.entry import VcEntry
from hilnic.miniport_co.rx5 import VcPacketReceiver
from hilnic.miniport_co.tx5 import VcPacketTransmitter
from hilnic.ndis import NdisStatus, condis
from hilnic.ndis.condis import ndis5 as condis5
from hilnic.ndis.ndis5 import Packet

if TYPE_CHECKING:
    from hilnic.miniport_co.connections import Connections
    from hilnic.miniport_co.nic5 import CoNic5

__all__ = ["Connection5", "PacketConnection"]


class PacketConnection(Connection):
    """One with queues of packets."""

    tx: VcPacketTransmitter | None
    rx: VcPacketReceiver | None

    def __init__(self, nic: CoNic5, all_of_them: Connections, vc: condis.VcHandle, entry: VcEntry) -> None:
        super().__init__(all_of_them, vc, entry)
        self.nic = nic


class Connection5(PacketConnection):
    """Queues that complete and indicate packets."""

    def make_queues(self, slot: int) -> tuple[VcPacketTransmitter, VcPacketReceiver]:
        """Of packets."""
        return VcPacketTransmitter(self, slot), VcPacketReceiver(self, slot + 1)

    def send_packets(self, packets: list[Packet]) -> None:
        """MiniportCoSendPackets."""
        if self.tx is not None:
            self.tx.send_packets(packets)
            return
        for packet in packets:
            condis5.mco_send_complete(self.vc, packet, NdisStatus.VC_NOT_ACTIVATED)

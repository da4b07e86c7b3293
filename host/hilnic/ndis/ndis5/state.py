# SPDX-License-Identifier: Apache-2.0
"""What one `Ndis` keeps for its NDIS 5 side: `ndis.ndis5`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilnic.ndis.ndis5.packet import Packet

if TYPE_CHECKING:
    from hilnic.ndis.ndis import Ndis
    from hilnic.ndis.verifier.packet_ledger import PacketLedger


class Ndis5:
    """The packet numbers, and the verifier's ledger of packets (None with verify=off)."""

    __slots__ = ("last_packet_id", "ledger", "ndis", "packet_type")

    def __init__(self, ndis: Ndis, ledger: PacketLedger | None) -> None:
        self.ndis = ndis
        self.ledger = ledger
        self.packet_type: type[Packet] = Packet
        self.last_packet_id = 0

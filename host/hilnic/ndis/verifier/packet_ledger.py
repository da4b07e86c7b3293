# SPDX-License-Identifier: Apache-2.0
"""The ledger of NDIS_PACKETs: one owner per packet at any time, as ledger.py does for NET_BUFFER_LISTs (V1, V4, V5)."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from hilnic.ndis.violation import HistoryEntry

if TYPE_CHECKING:
    from hilnic.ndis.ndis import Ndis
    from hilnic.ndis.ndis5.packet import Packet


class PacketState(Enum):
    """Where a packet is."""

    HOME = "with its owner"
    SENT = "sent"
    INDICATED = "indicated"
    TRANSFER = "being filled by NdisTransferData"
    FREED = "freed"


class PacketCustody:
    """Who has the packet, what it looked like when it was handed over, and what happened to it."""

    __slots__ = ("history", "owner", "shadow", "state")

    def __init__(self, owner: Any) -> None:
        self.state = PacketState.HOME
        self.owner = owner
        self.shadow: Any = None
        self.history: list[HistoryEntry] = []


class PacketLedger:
    """Called by ndis5 at every hand-over."""

    __slots__ = ("ndis",)

    def __init__(self, ndis: Ndis) -> None:
        self.ndis = ndis

    def allocated(self, packet: Packet) -> None:
        """A packet left its pool."""
        custody = packet.ndis_custody = PacketCustody(packet.pool.owner)
        custody.history.append((self.ndis.kernel.now_ns(), "allocated by", custody.owner))

    def freed(self, packet: Packet) -> bool:
        """A packet goes back to its pool: False when it may not."""
        custody = packet.ndis_custody
        if custody.state is PacketState.HOME:
            custody.state = PacketState.FREED
            return True
        detail = "freed twice" if custody.state is PacketState.FREED else f"freed while {custody.state.value}"
        self.ndis.violation("S5-12", custody.owner, packet, detail)
        return False

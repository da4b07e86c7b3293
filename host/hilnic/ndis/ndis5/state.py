# SPDX-License-Identifier: Apache-2.0
"""What one `Ndis` keeps for its NDIS 5 side: `ndis.ndis5`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilnic.ndis.ndis5.packet import Packet

if TYPE_CHECKING:
    from hilnic.ndis.ndis import Ndis
    from hilnic.ndis.ndis5.packet_pool import PacketPool
    from hilnic.ndis.ndis5.protocol_edge import BindingEdge
    from hilnic.ndis.verifier.packet_ledger import PacketLedger


def _checked() -> type[Packet]:
    from hilnic.ndis.verifier.packet_access import CheckedPacket

    return CheckedPacket


class Ndis5:
    """The packet numbers, the verifier's ledger of packets (None with verify=off), and whose receive handler runs."""

    __slots__ = ("copies", "last_packet_id", "ledger", "ndis", "own_pool", "packet_type", "running")

    def __init__(self, ndis: Ndis, ledger: PacketLedger | None) -> None:
        self.ndis = ndis
        self.ledger = ledger
        self.packet_type: type[Packet] = Packet if ndis.verify != "full" else _checked()
        self.last_packet_id = 0
        self.running: list[BindingEdge] = []  # innermost last: a return inside a handler is that binding's
        self.copies = 0  # packets that were copied because they lie in several buffers, or loop back
        self.own_pool: PacketPool | None = None

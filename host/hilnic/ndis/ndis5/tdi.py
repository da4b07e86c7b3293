# SPDX-License-Identifier: Apache-2.0
"""Chained receives of a highest-level protocol's clients (TDI): each reads a received packet until it returns it.

The protocol makes one `Tsdu` per interested client and answers their number from ProtocolReceivePacket; each client's
TdiReturnChainedReceives pays one reference (R5-33).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hilnic.ndis.ndis5.packet import Packet
from hilnic.ndis.ndis5.protocol_edge import BindingEdge
from hilnic.ndis.ndis5.receive import return_packets
from hilnic.ndis.wdk import wdk

if TYPE_CHECKING:
    from hilnic.ndis.ndis import Ndis


class Tsdu:
    """One client's descriptor of a received packet: read-only access until it is returned."""

    __slots__ = ("_packet", "binding", "client", "is_returned", "ndis")

    def __init__(self, binding: BindingEdge, packet: Packet, client: Any) -> None:
        self.ndis: Ndis = binding.ndis
        self.binding = binding
        self._packet = packet
        self.client = client
        self.is_returned = False

    def tobytes(self) -> bytes:
        """The frame; only before the client has returned it."""
        if self.is_returned:
            self.ndis.violation("R5-33", self.client, self, "read after TdiReturnChainedReceives")
        return self._packet.tobytes()

    def give_back(self) -> None:
        """The client's reference is paid, once."""
        if self.is_returned:
            self.ndis.violation("R5-33", self.client, self, "returned twice")
            return
        self.is_returned = True
        return_packets([self._packet], self.binding)

    def __repr__(self) -> str:
        return f"Tsdu({self._packet!r} for {self.client!r})"


@wdk("TdiReturnChainedReceives", callout=True, array=True)
def tdi_return_chained_receives(tsdus: Sequence[Tsdu]) -> None:
    """A client is done with these receives, at any time and from any level up to DISPATCH_LEVEL."""
    for tsdu in tsdus:
        tsdu.give_back()

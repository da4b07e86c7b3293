# SPDX-License-Identifier: Apache-2.0
"""Packets of NDIS's own: looped copies, and frames put together from a lookahead and its transfer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilnic.ndis.mdl import Mdl
from hilnic.ndis.ndis5.packet import Packet
from hilnic.ndis.ndis5.packet_pool import PacketPool, allocate_packet, free_packet

if TYPE_CHECKING:
    from hilnic.ndis.ndis import Ndis

_UNBOUNDED = 1 << 30


class OwnedRoute:
    """Takes NDIS's packets back and frees them with their memory."""

    def packet_returned(self, packet: Packet) -> None:
        """The last reference is paid."""
        free(packet)


ROUTE = OwnedRoute()


def make(ndis: Ndis, size: int, header_size: int, flags: int = 0) -> Packet | None:
    """A packet over `size` bytes of new memory; None when there is none."""
    try:
        region = ndis.kernel.allocate(size)
    except MemoryError:
        return None
    packet = describe(ndis, Mdl(region, 0, size))
    packet.flags = flags
    packet.oob.header_size = header_size
    return packet


def describe(ndis: Ndis, mdl: Mdl) -> Packet:
    """A packet of NDIS's own over memory that is there."""
    state = ndis.ndis5
    if state.own_pool is None:
        state.own_pool = PacketPool(ndis, _UNBOUNDED, 0, "NDIS's own packets")
    packet = allocate_packet(state.own_pool)[1]
    assert packet is not None
    packet.head = packet.tail = mdl
    packet.valid_counts = False
    return packet


def free(packet: Packet) -> None:
    """Give packet and memory back."""
    assert packet.head is not None
    packet.ndis.kernel.free(packet.head.region)
    free_packet(packet)

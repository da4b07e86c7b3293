# SPDX-License-Identifier: Apache-2.0
"""Building NDIS_PACKETs with any buffer layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hilnic.ndis import Mdl, ndis5

__all__ = ["build_packet", "fill_info", "free_built_packet"]


def build_packet(pool: ndis5.PacketPool, frame: bytes, cuts: Sequence[int] = ()) -> ndis5.Packet:
    """A packet of `pool` over new memory; `cuts` are the lengths of the leading buffers, the last takes the rest."""
    status, packet = ndis5.allocate_packet(pool)
    assert packet is not None, status
    at = 0
    for length in [*cuts, len(frame) - sum(cuts)]:
        region = pool.ndis.kernel.allocate(max(length, 1))
        region.view[:length] = frame[at : at + length]
        ndis5.chain_buffer_at_back(packet, Mdl(region, 0, length))
        at += length
    return packet


def fill_info(packet: ndis5.Packet, info: Mapping[int, Any] | None) -> None:
    """Per-packet information by PacketInfo slot."""
    for slot, value in (info or {}).items():
        packet.packet_info[slot] = value


def free_built_packet(packet: ndis5.Packet) -> None:
    """Free a packet made by `build_packet`, with its memory."""
    kernel = packet.ndis.kernel
    for mdl in list(packet.buffers()):
        kernel.free(mdl.region)
    ndis5.free_packet(packet)

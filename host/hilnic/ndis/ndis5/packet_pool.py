# SPDX-License-Identifier: Apache-2.0
"""Pools of packet descriptors and of buffer descriptors (NdisAllocatePacketPoolEx, NdisAllocateBufferPool).

A pool is bounded: what it cannot give is refused with RESOURCES. It knows its owner, so that a leak can be named (V9).
"""

from __future__ import annotations

from typing import Any

from hilnic.ndis.kernel import Region
from hilnic.ndis.mdl import Mdl
from hilnic.ndis.ndis5.constants import MAXIMUM_DESCRIPTORS
from hilnic.ndis.ndis5.packet import Packet
from hilnic.ndis.pool import LivePool, allocation_site
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk


class PacketPool(LivePool):
    """NdisAllocatePacketPoolEx's handle: `number` descriptors, and `overflow` more when they are out."""

    __slots__ = ("free", "number", "overflow", "size")

    poisons = True
    """Received bytes are poisoned when such a packet is home (V3); False where it only stands for somebody else's."""

    def __init__(self, owner: Any, number: int, overflow: int, tag: str) -> None:
        super().__init__(owner, tag)
        self.number = number
        self.overflow = overflow
        self.size = number + overflow
        self.free: list[Packet] = []


class BufferPool(LivePool):
    """NdisAllocateBufferPool's handle: at most `number` descriptors."""

    __slots__ = ("number",)

    def __init__(self, owner: Any, number: int, tag: str) -> None:
        super().__init__(owner, tag)
        self.number = number


@wdk("NdisAllocatePacketPoolEx")
def allocate_packet_pool(
    handle: Any, number: int, overflow: int = 0, tag: str = ""
) -> tuple[NdisStatus, PacketPool | None]:
    """A pool owned by `handle`; RESOURCES when it asks for more than 0xFFFF descriptors."""
    if number <= 0 or overflow < 0 or number + overflow > MAXIMUM_DESCRIPTORS:
        return NdisStatus.RESOURCES, None
    return NdisStatus.SUCCESS, PacketPool(handle, number, overflow, tag)


@wdk("NdisFreePacketPool")
def free_packet_pool(pool: PacketPool) -> None:
    """Destroy an empty pool; live packets are a leak (MD-21)."""
    _free_pool(pool)


@wdk("NdisAllocatePacket")
def allocate_packet(pool: PacketPool) -> tuple[NdisStatus, Packet | None]:
    """A packet without buffers, its out-of-band data reset (OB-08); RESOURCES when the pool is out."""
    if len(pool.live) >= pool.size:
        return NdisStatus.RESOURCES, None
    ndis = pool.ndis
    packet = pool.free.pop() if pool.free else new_packet(pool)
    packet.reset()
    pool.live[packet] = allocation_site(2)
    if ndis.ndis5.ledger is not None:
        ndis.ndis5.ledger.allocated(packet)
    return NdisStatus.SUCCESS, packet


def new_packet(pool: PacketPool) -> Packet:
    """One more descriptor of this pool."""
    state = pool.ndis.ndis5
    state.last_packet_id += 1
    return state.packet_type(pool, state.last_packet_id)


@wdk("NdisFreePacket")
def free_packet(packet: Packet) -> None:
    """Give the packet back to its pool, once; its buffers stay their owner's."""
    pool = packet.pool
    ledger = pool.ndis.ndis5.ledger
    if ledger is not None and not ledger.freed(packet):
        return
    if pool.live.pop(packet, None) is None:
        pool.ndis.violation("S5-12", pool.owner, packet, "freed twice")
    else:
        pool.free.append(packet)


@wdk("NdisReinitializePacket")
def reinitialize_packet(packet: Packet) -> None:
    """Ready for another use: no buffers, out-of-band data and per-packet information reset (OB-08)."""
    protocol_reserved, miniport_reserved = packet.protocol_reserved, packet.miniport_reserved
    packet.reset()
    packet.protocol_reserved, packet.miniport_reserved = protocol_reserved, miniport_reserved


@wdk("NdisPacketPoolUsage")
def packet_pool_usage(pool: PacketPool) -> int:
    """How many descriptors of the pool are in use."""
    return len(pool.live)


@wdk("NdisAllocateBufferPool")
def allocate_buffer_pool(handle: Any, number: int, tag: str = "") -> tuple[NdisStatus, BufferPool | None]:
    """A pool of buffer descriptors owned by `handle`."""
    return NdisStatus.SUCCESS, BufferPool(handle, number, tag)


@wdk("NdisFreeBufferPool")
def free_buffer_pool(pool: BufferPool) -> None:
    """Destroy an empty pool; live descriptors are a leak (MD-21)."""
    _free_pool(pool)


@wdk("NdisAllocateBuffer")
def allocate_buffer(
    pool: BufferPool, region: Region, offset: int = 0, length: int | None = None
) -> tuple[NdisStatus, Mdl | None]:
    """A descriptor of `length` bytes of `region` from `offset` on (all that follow when None); RESOURCES when out."""
    if len(pool.live) >= pool.number:
        return NdisStatus.RESOURCES, None
    size = len(region.view) - offset if length is None else length
    mdl = Mdl(region, offset, size, pool.ndis)
    mdl.ndis_reserved = pool
    pool.live[mdl] = allocation_site(2)
    return NdisStatus.SUCCESS, mdl


@wdk("NdisFreeBuffer")
def free_buffer(mdl: Mdl) -> None:
    """The descriptor goes back to its pool, the memory stays its owner's."""
    pool = mdl.ndis_reserved
    if not isinstance(pool, BufferPool) or mdl not in pool.live:
        mdl.ndis.violation("MD-18", mdl, mdl, "freed, but no buffer pool has it")
        return
    del pool.live[mdl]


def _free_pool(pool: PacketPool | BufferPool) -> None:
    if pool.live:
        pool.ndis.violation("MD-21", pool.owner, pool, "live objects: " + "; ".join(pool.leaks()))
    if pool in pool.ndis.pools:
        pool.ndis.pools.remove(pool)

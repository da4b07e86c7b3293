# SPDX-License-Identifier: Apache-2.0
"""Pools of NET_BUFFER_LISTs and NET_BUFFERs, and MDL allocation.

Every object knows its pool and every pool its owner, so that a leak can be named with its allocation site (V9).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from types import CodeType
from typing import TYPE_CHECKING, Any

from hilnic.ndis.context import depth, first_block, is_aligned
from hilnic.ndis.kernel import Region
from hilnic.ndis.mdl import Mdl
from hilnic.ndis.nbl import NetBufferList
from hilnic.ndis.net_buffer import NetBuffer
from hilnic.ndis.verifier.freed_mdl import bury
from hilnic.ndis.wdk import wdk

if TYPE_CHECKING:
    from hilnic.ndis.ndis import Ndis

Site = tuple[CodeType, int]


@dataclass(frozen=True, slots=True)
class NetBufferListPoolParameters:
    """NET_BUFFER_LIST_POOL_PARAMETERS.

    Every NBL has `context_size` bytes of context, besides what it asks for; with `data_size` (which needs
    `allocate_net_buffer`) it has an NB over an MDL over that much memory, all of it freed with it.
    """

    allocate_net_buffer: bool = True
    context_size: int = 0
    data_size: int = 0
    tag: str = ""


class LivePool:
    """Live objects and where they were allocated."""

    __slots__ = ("live", "ndis", "owner", "tag")

    def __init__(self, owner: Any, tag: str) -> None:
        self.ndis: Ndis = owner.ndis
        self.owner = owner
        self.tag = tag
        self.live: dict[Any, Site] = {}
        self.ndis.pools.append(self)

    def leaks(self) -> list[str]:
        """One line per live object: what, whose, allocated where."""
        return [
            f"{item!r} of {self.owner!r} {self.tag} allocated at {describe_site(site)}"
            for item, site in self.live.items()
        ]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.tag or self.owner!r}, {len(self.live)} live)"


class NetBufferListPool(LivePool):
    """NdisAllocateNetBufferListPool's handle."""

    __slots__ = ("parameters",)

    poisons = True
    """Received bytes are poisoned when such an NBL is home (V3); False where it only stands for somebody else's."""

    def __init__(self, owner: Any, parameters: NetBufferListPoolParameters) -> None:
        super().__init__(owner, parameters.tag)
        self.parameters = parameters


class NetBufferPool(LivePool):
    """NdisAllocateNetBufferPool's handle; `data_size`: bytes that allocate_net_buffer_mdl_and_data gives each NB."""

    __slots__ = ("data_size",)

    def __init__(self, owner: Any, tag: str, data_size: int) -> None:
        super().__init__(owner, tag)
        self.data_size = data_size


def allocation_site(depth: int) -> Site:
    """The driver's line that asked for an object: `depth` frames above the caller (V9)."""
    frame = sys._getframe(depth + 1)
    return frame.f_code, frame.f_lineno


def describe_site(site: Site) -> str:
    """The site as file:line in function."""
    code, line = site
    return f"{code.co_filename}:{line} in {code.co_name}"


@wdk("NdisAllocateNetBufferListPool")
def allocate_net_buffer_list_pool(handle: Any, parameters: NetBufferListPoolParameters) -> NetBufferListPool:
    """Create a pool owned by `handle` (an Ndis, adapter, binding or driver handle)."""
    return NetBufferListPool(handle, parameters)


@wdk("NdisFreeNetBufferListPool")
def free_net_buffer_list_pool(pool: NetBufferListPool) -> None:
    """Destroy an empty pool; live NBLs are a leak (MD-21)."""
    _free_pool(pool)


@wdk("NdisAllocateNetBufferPool")
def allocate_net_buffer_pool(handle: Any, tag: str = "", data_size: int = 0) -> NetBufferPool:
    """Create a pool of NET_BUFFERs owned by `handle`."""
    return NetBufferPool(handle, tag, data_size)


@wdk("NdisFreeNetBufferPool")
def free_net_buffer_pool(pool: NetBufferPool) -> None:
    """Destroy an empty pool; live NBs are a leak (MD-21)."""
    _free_pool(pool)


def _free_pool(pool: LivePool) -> None:
    if pool.live:
        pool.ndis.violation("MD-21", pool.owner, pool, "live objects: " + "; ".join(pool.leaks()))
    if pool in pool.ndis.pools:
        pool.ndis.pools.remove(pool)


@wdk("NdisAllocateNetBufferList")
def allocate_net_buffer_list(
    pool: NetBufferListPool, context_size: int = 0, context_backfill: int = 0
) -> NetBufferList:
    """An NBL with what its pool says: nothing, one empty NB, or one NB over the pool's data size of memory.

    `context_size` bytes of context are the caller's, `context_backfill` more are for the drivers below (MD-20).
    MemoryError when the data cannot be had.
    """
    nbl = new_nbl(pool, context_size, context_backfill)
    parameters = pool.parameters
    if parameters.data_size:
        nbl.first_net_buffer = _over_new_memory(pool, parameters.data_size)
    elif parameters.allocate_net_buffer:
        nbl.first_net_buffer = pool.ndis.net_buffer_type(pool)
    return nbl


@wdk("NdisAllocateNetBufferAndNetBufferList")
def allocate_net_buffer_and_net_buffer_list(
    pool: NetBufferListPool,
    context_size: int = 0,
    context_backfill: int = 0,
    mdl: Mdl | None = None,
    data_offset: int = 0,
    data_length: int = 0,
) -> NetBufferList:
    """An NBL with one NB over the MDL chain; the pool must have been created for the pair, without data (MD-17)."""
    if not pool.parameters.allocate_net_buffer or pool.parameters.data_size:
        pool.ndis.violation("MD-17", pool.owner, pool, "the pool is not for an NBL with an NB over the caller's MDLs")
    _check_span(pool, mdl, data_offset, data_length)
    nbl = new_nbl(pool, context_size, context_backfill)
    nbl.first_net_buffer = pool.ndis.net_buffer_type(pool, mdl, data_offset, data_length)
    return nbl


def new_nbl(pool: NetBufferListPool, context_size: int = 0, unused: int = 0) -> NetBufferList:
    """An NBL without NB, live in its pool, allocated by the caller's caller."""
    ndis = pool.ndis
    reserved = pool.parameters.context_size
    if not is_aligned(context_size, unused, reserved):
        ndis.violation("MD-20", pool.owner, pool, f"a context of {reserved} + {context_size} + {unused} bytes")
    ndis.last_nbl_id += 1
    nbl = ndis.net_buffer_list_type(pool, ndis.last_nbl_id)
    if context_size or unused or reserved:
        nbl.context = first_block(context_size, unused + reserved)
    pool.live[nbl] = allocation_site(3)
    if ndis.verifier is not None:
        ndis.verifier.allocated(nbl)
    return nbl


def _check_span(pool: LivePool, mdl: Mdl | None, data_offset: int, data_length: int) -> None:
    """Without an MDL, offset and length are 0 (MD-16)."""
    if mdl is None and (data_offset or data_length):
        pool.ndis.violation("MD-16", pool.owner, pool, f"no MDL, but offset {data_offset} and length {data_length}")


def _over_new_memory(pool: NetBufferPool | NetBufferListPool, size: int) -> NetBuffer:
    """A NET_BUFFER over one MDL over `size` bytes, all of it NDIS's, the whole of it unused head."""
    mdl = Mdl(pool.ndis.kernel.allocate(size), 0, size, pool.ndis)
    nb = pool.ndis.net_buffer_type(pool, mdl, size, 0)
    nb.ndis_data = mdl
    return nb


@wdk("NdisFreeNetBufferList")
def free_net_buffer_list(nbl: NetBufferList) -> None:
    """Give the NBL back to its pool with the NB allocated together with it; other NBs stay their owner's (MD-18)."""
    release(nbl)


def release(nbl: NetBufferList) -> bool:
    """Take the NBL out of its pool with what the pool gave it; False when it may not be freed."""
    pool = nbl.pool
    ndis = pool.ndis
    if ndis.verifier is not None and not ndis.verifier.freed(nbl):
        return False
    if nbl.context is not None and depth(nbl):
        ndis.violation("MD-19", pool.owner, nbl, f"freed with {depth(nbl)} pieces of context on it")
    pool.live.pop(nbl, None)
    if pool.parameters.data_size and nbl.first_net_buffer is not None:
        _free_data(nbl.first_net_buffer)
    return True


@wdk("NdisAllocateNetBuffer")
def allocate_net_buffer(
    pool: NetBufferPool, mdl: Mdl | None = None, data_offset: int = 0, data_length: int = 0
) -> NetBuffer:
    """A NET_BUFFER over the MDL chain; without an MDL, offset and length are 0 (MD-16)."""
    _check_span(pool, mdl, data_offset, data_length)
    nb = pool.ndis.net_buffer_type(pool, mdl, data_offset, data_length)
    pool.live[nb] = allocation_site(2)
    return nb


@wdk("NdisAllocateNetBufferMdlAndData")
def allocate_net_buffer_mdl_and_data(pool: NetBufferPool) -> NetBuffer | None:
    """A NET_BUFFER with an MDL and the pool's data size of memory, all of it head room: retreat, then write.

    None when there is no memory, or the pool has no data size. `free_net_buffer` frees everything.
    """
    if not pool.data_size:
        return None
    try:
        nb = _over_new_memory(pool, pool.data_size)
    except MemoryError:
        return None
    pool.live[nb] = allocation_site(2)
    return nb


@wdk("NdisFreeNetBuffer")
def free_net_buffer(nb: NetBuffer) -> None:
    """Give the NET_BUFFER back to its pool; MDLs stay their owner's, unless the pool made them (MD-18)."""
    if nb.pool.live.pop(nb, None) is None:
        nb.ndis.violation("MD-18", nb.pool.owner, nb, "freed twice, or it came with its NBL and goes with it")
        return
    _free_data(nb)


def _free_data(nb: NetBuffer) -> None:
    mdl, nb.ndis_data = nb.ndis_data, None
    if mdl is not None:
        nb.ndis.kernel.free(mdl.region)


@wdk("NdisAllocateMdl")
def allocate_mdl(handle: Any, region: Region, byte_offset: int = 0, byte_count: int | None = None) -> Mdl:
    """An MDL over `byte_count` bytes of `region` (all that follow `byte_offset` when None)."""
    size = len(region.view) - byte_offset if byte_count is None else byte_count
    ndis: Ndis = handle.ndis
    return ndis.new_mdl(region, byte_offset, size)


@wdk("NdisFreeMdl")
def free_mdl(mdl: Mdl) -> None:
    """The descriptor goes, the memory stays its owner's."""
    ndis: Ndis = mdl.ndis
    if ndis.verifier is not None and mdl not in ndis.mdls:
        ndis.violation("MD-18", ndis, mdl, "freed twice, or it is not its caller's to free")
    elif ndis.verifier is not None:
        bury(mdl)
    ndis.forget_mdl(mdl)

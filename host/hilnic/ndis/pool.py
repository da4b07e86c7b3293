# SPDX-License-Identifier: Apache-2.0
"""Pools of NET_BUFFER_LISTs and NET_BUFFERs, MDL allocation, and clones.

Every object knows its pool and every pool its owner, so that a leak can be named with its allocation site (V9).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from types import CodeType
from typing import TYPE_CHECKING, Any

from hilnic.ndis.kernel import Region
from hilnic.ndis.mdl import Mdl
from hilnic.ndis.nbl import NetBufferList
from hilnic.ndis.net_buffer import NetBuffer
from hilnic.ndis.wdk import wdk

if TYPE_CHECKING:
    from hilnic.ndis.ndis import Ndis

Site = tuple[CodeType, int]

ALLOCATION_ALIGNMENT = 16
"""MEMORY_ALLOCATION_ALIGNMENT on a 64-bit host."""


@dataclass(frozen=True, slots=True)
class NetBufferListPoolParameters:
    """NET_BUFFER_LIST_POOL_PARAMETERS; every NBL has `context_size` bytes of context, besides what it asks for."""

    allocate_net_buffer: bool = True
    context_size: int = 0
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

    def __init__(self, owner: Any, parameters: NetBufferListPoolParameters) -> None:
        super().__init__(owner, parameters.tag)
        self.parameters = parameters


class NetBufferPool(LivePool):
    """NdisAllocateNetBufferPool's handle."""

    __slots__ = ()


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
def allocate_net_buffer_pool(handle: Any, tag: str = "") -> NetBufferPool:
    """Create a pool of NET_BUFFERs owned by `handle`."""
    return NetBufferPool(handle, tag)


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
    """An empty NBL (with one empty NB when the pool allocates them)."""
    nbl = _new_nbl(pool, context_size + context_backfill)
    if pool.parameters.allocate_net_buffer:
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
    """An NBL with one NB over the MDL chain; the pool must have been created for the pair (MD-17)."""
    if not pool.parameters.allocate_net_buffer:
        pool.ndis.violation("MD-17", pool.owner, pool, "the pool is for NBLs alone")
    nbl = _new_nbl(pool, context_size + context_backfill)
    nbl.first_net_buffer = pool.ndis.net_buffer_type(pool, mdl, data_offset, data_length)
    return nbl


def _new_nbl(pool: NetBufferListPool, more_context: int) -> NetBufferList:
    ndis = pool.ndis
    context_size = pool.parameters.context_size + more_context
    if context_size % ALLOCATION_ALIGNMENT:
        ndis.violation("MD-20", pool.owner, pool, f"a context of {context_size} bytes")
    ndis.last_nbl_id += 1
    nbl = ndis.net_buffer_list_type(pool, ndis.last_nbl_id)
    if context_size:
        nbl.context = bytearray(context_size)
    pool.live[nbl] = allocation_site(3)
    if ndis.verifier is not None:
        ndis.verifier.allocated(nbl)
    return nbl


@wdk("NdisFreeNetBufferList")
def free_net_buffer_list(nbl: NetBufferList) -> None:
    """Give the NBL back to its pool with the NB allocated together with it; other NBs stay their owner's (MD-18)."""
    verifier = nbl.pool.ndis.verifier
    if verifier is not None and not verifier.freed(nbl):
        return
    nbl.pool.live.pop(nbl, None)


@wdk("NdisAllocateNetBuffer")
def allocate_net_buffer(
    pool: NetBufferPool, mdl: Mdl | None = None, data_offset: int = 0, data_length: int = 0
) -> NetBuffer:
    """A NET_BUFFER over the MDL chain; without an MDL, offset and length are 0 (MD-16)."""
    nb = pool.ndis.net_buffer_type(pool, mdl, data_offset, data_length)
    pool.live[nb] = allocation_site(2)
    return nb


@wdk("NdisFreeNetBuffer")
def free_net_buffer(nb: NetBuffer) -> None:
    """Give the NET_BUFFER back to its pool; its MDLs stay their owner's."""
    nb.pool.live.pop(nb, None)


@wdk("NdisAllocateMdl")
def allocate_mdl(handle: Any, region: Region, byte_offset: int = 0, byte_count: int | None = None) -> Mdl:
    """An MDL over `byte_count` bytes of `region` (all that follow `byte_offset` when None)."""
    size = len(region.view) - byte_offset if byte_count is None else byte_count
    ndis: Ndis = handle.ndis
    return ndis.new_mdl(region, byte_offset, size)


@wdk("NdisFreeMdl")
def free_mdl(mdl: Mdl) -> None:
    """The descriptor goes, the memory stays its owner's."""
    mdl.ndis.forget_mdl(mdl)


@wdk("NdisAllocateCloneNetBufferList")
def allocate_clone_net_buffer_list(
    original: NetBufferList, nbl_pool: NetBufferListPool, nb_pool: NetBufferPool | None = None, flags: int = 0
) -> NetBufferList:
    """A new NBL over the same bytes, beginning at the used data, without context (MD-22).

    The original must not be completed or returned before `free_clone_net_buffer_list`; `child_ref_count` is the
    driver's to maintain (MD-25).
    """
    del nb_pool, flags
    clone = _new_nbl(nbl_pool, 0)
    clone.parent_net_buffer_list = original
    describe_same_frames(original, clone)
    if original.ndis_custody is not None:
        original.ndis_custody.clones += 1
    return clone


@wdk("NdisFreeCloneNetBufferList")
def free_clone_net_buffer_list(clone: NetBufferList, flags: int = 0) -> None:
    """Free a clone; the original is untouched."""
    del flags
    original = clone.parent_net_buffer_list
    verifier = clone.pool.ndis.verifier
    if verifier is not None and not verifier.freed(clone):
        return
    clone.pool.live.pop(clone, None)
    if original is not None and original.ndis_custody is not None:
        original.ndis_custody.clones -= 1


def describe_same_frames(original: NetBufferList, clone: NetBufferList) -> None:
    """Give `clone` one NB per NB of `original`, over new MDLs that describe the used bytes alone."""
    ndis = clone.pool.ndis
    before: NetBuffer | None = None
    for nb in original.net_buffers():
        head: Mdl | None = None
        tail: Mdl | None = None
        for mdl, offset, length in nb.used():
            piece = Mdl(mdl.region, mdl.byte_offset + offset, length)
            if tail is None:
                head = piece
            else:
                tail.next = piece
            tail = piece
        copy = ndis.net_buffer_type(clone.pool, head, 0, nb.data_length)
        copy.frame_id = nb.frame_id
        if before is None:
            clone.first_net_buffer = copy
        else:
            before.next = copy
        before = copy

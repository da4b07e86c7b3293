# SPDX-License-Identifier: Apache-2.0
"""NBLs derived from another one: new descriptions of the same bytes. Clones here, fragments in fragment.py.

A derived list has no context, knows its parent, and is freed by the function that matches its allocation. Until then
the parent is not completed or returned (MD-22); `child_ref_count` of the parent is the driver's to maintain (MD-25).
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import TYPE_CHECKING

from hilnic.ndis.mdl import Mdl
from hilnic.ndis.nbl import NetBufferList
from hilnic.ndis.net_buffer import NetBuffer
from hilnic.ndis.pool import NetBufferListPool, NetBufferPool, allocation_site, new_nbl, release
from hilnic.ndis.wdk import wdk

if TYPE_CHECKING:
    from hilnic.ndis.ndis import Ndis


class CloneFlags(IntEnum):
    """NDIS_CLONE_FLAGS_*."""

    RESERVED = 0x1
    USE_ORIGINAL_MDLS = 0x2


@wdk("NdisAllocateCloneNetBufferList")
def allocate_clone_net_buffer_list(
    original: NetBufferList,
    nbl_pool: NetBufferListPool | None = None,
    nb_pool: NetBufferPool | None = None,
    flags: int = 0,
) -> NetBufferList:
    """A new NBL over the same bytes, beginning at the used data, without context (MD-22).

    NDIS's own pools serve where none is named. With CloneFlags.USE_ORIGINAL_MDLS the chain is the original's own, from
    its current MDL on; else new MDLs describe the used bytes alone.
    """
    clone = new_nbl(nbl_pool or original.ndis.fan_out_pool)
    if flags & CloneFlags.USE_ORIGINAL_MDLS:
        _share_mdls(original, clone, nb_pool)
    else:
        describe_same_frames(original, clone, nb_pool)
    derive(original, clone)
    return clone


@wdk("NdisFreeCloneNetBufferList")
def free_clone_net_buffer_list(clone: NetBufferList, flags: int = 0) -> None:
    """Free a clone with its NET_BUFFERs and the MDLs made for it; the original is untouched."""
    del flags  # a shared MDL chain is never ours to free
    free_derived(clone)


def describe_same_frames(original: NetBufferList, clone: NetBufferList, nb_pool: NetBufferPool | None = None) -> None:
    """Give `clone` one NB per NB of `original`, over new MDLs that describe the used bytes alone."""
    before: NetBuffer | None = None
    for nb in original.net_buffers():
        copy = new_net_buffer(clone, nb_pool, describe(nb, 0, nb.data_length), nb.data_length)
        copy.frame_id = nb.frame_id
        before = follow(clone, before, copy)


def _share_mdls(original: NetBufferList, clone: NetBufferList, nb_pool: NetBufferPool | None) -> None:
    before: NetBuffer | None = None
    for nb in original.net_buffers():
        copy = new_net_buffer(clone, nb_pool, nb.current_mdl, nb.data_length, nb.current_mdl_offset)
        copy.frame_id = nb.frame_id
        before = follow(clone, before, copy)


# What fragments and reassembled lists are made of, too.


def describe(nb: NetBuffer, start: int, length: int) -> Mdl | None:
    """New MDLs over `length` used bytes of `nb` from `start` on; None when there are none."""
    head: Mdl | None = None
    tail: Mdl | None = None
    for mdl, offset, size in _span(nb, start, length):
        piece = Mdl(mdl.region, mdl.byte_offset + offset, size, nb.ndis)
        if tail is None:
            head = piece
        else:
            tail.next = piece
        tail = piece
    return head


def _span(nb: NetBuffer, start: int, length: int) -> Iterator[tuple[Mdl, int, int]]:
    """Bytes start to start + length of the used data as (mdl, offset in that mdl, length)."""
    for mdl, offset, size in nb.used():
        if start >= size:
            start -= size
            continue
        take = min(size - start, length)
        if take <= 0:
            return
        yield mdl, offset + start, take
        length -= take
        start = 0


def new_net_buffer(
    nbl: NetBufferList, nb_pool: NetBufferPool | None, mdl: Mdl | None, length: int, offset: int = 0
) -> NetBuffer:
    """A NET_BUFFER for a derived list, from the pool that the driver named or from the list's own."""
    nb = nbl.ndis.net_buffer_type(nb_pool or nbl.pool, mdl, offset if mdl is not None else 0, length)
    if nb_pool is not None:
        nb_pool.live[nb] = allocation_site(3)
    return nb


def follow(nbl: NetBufferList, before: NetBuffer | None, nb: NetBuffer) -> NetBuffer:
    """Link `nb` behind `before`, or as the first one of `nbl`; gives `nb`, to be the next `before`."""
    if before is None:
        nbl.first_net_buffer = nb
    else:
        before.next = nb
    return nb


def derive(original: NetBufferList, derived: NetBufferList) -> None:
    """Note who comes of whom: the original may not go home before (MD-22)."""
    derived.parent_net_buffer_list = original
    if original.ndis_custody is not None:
        original.ndis_custody.cloned()


def free_derived(derived: NetBufferList) -> None:
    """Free a derived list and its NET_BUFFERs; its MDLs were NDIS's and describe its parent's bytes."""
    original = derived.parent_net_buffer_list
    if original is None:
        ndis: Ndis = derived.ndis
        ndis.violation("MD-22", derived.pool.owner, derived, "freed as a clone, but it comes of no other list")
        return
    if not release(derived):
        return
    derived.parent_net_buffer_list = None
    for nb in derived.net_buffers():
        nb.pool.live.pop(nb, None)
    if original.ndis_custody is not None:
        original.ndis_custody.clones -= 1

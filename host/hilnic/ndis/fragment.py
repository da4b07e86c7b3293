# SPDX-License-Identifier: Apache-2.0
"""Fragments of a list's frames, and one frame out of many: both describe the bytes of their parent (MD-23, MD-24).

    parent    NB |--------- used ---------|  NB |---- used ----|
    fragment     |skip|-max-|-max-|-rest-|      |skip|-max-|r|      a NB each, `data_offset_delta` new bytes in front
    reassembled  |skip|------------------|  +   |skip|-------|      one NB, likewise

An IP layer below NDIS splits the payload and writes a header into the delta of each fragment; the way back skips the
headers with `start_offset`.
"""

from __future__ import annotations

from hilnic.ndis.clone import derive, describe, follow, free_derived, new_net_buffer
from hilnic.ndis.mdl import Mdl
from hilnic.ndis.nbl import NetBufferList
from hilnic.ndis.net_buffer import NetBuffer, advance_net_buffer_data_start, retreat_net_buffer_data_start
from hilnic.ndis.pool import NetBufferListPool, NetBufferPool, new_nbl
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk


@wdk("NdisAllocateFragmentNetBufferList")
def allocate_fragment_net_buffer_list(
    original: NetBufferList,
    nbl_pool: NetBufferListPool | None,
    nb_pool: NetBufferPool | None,
    start_offset: int,
    maximum_length: int,
    data_offset_delta: int = 0,
    data_backfill: int = 0,
    flags: int = 0,
) -> NetBufferList | None:
    """A list with one NET_BUFFER per fragment of at most `maximum_length` bytes; no fragment crosses two frames.

    The first `start_offset` bytes of each frame are left out. `data_offset_delta` bytes of new used data stand before
    each fragment, with `data_backfill` unused ones when memory had to be allocated. None without memory.
    """
    del flags
    if maximum_length <= 0 or min(start_offset, data_offset_delta, data_backfill) < 0:
        detail = f"fragments of {maximum_length} bytes from {start_offset} on, {data_offset_delta} in front"
        original.ndis.violation("MD-23", original.pool.owner, original, detail)
        return None
    fragments = new_nbl(nbl_pool or original.ndis.fan_out_pool)
    before: NetBuffer | None = None
    for nb in original.net_buffers():
        for start in range(start_offset, nb.data_length, maximum_length):
            length = min(maximum_length, nb.data_length - start)
            piece = new_net_buffer(fragments, nb_pool, describe(nb, start, length), length)
            before = follow(fragments, before, piece)
    derive(original, fragments)
    return _with_head(fragments, data_offset_delta, data_backfill)


@wdk("NdisFreeFragmentNetBufferList")
def free_fragment_net_buffer_list(fragments: NetBufferList, data_offset_delta: int = 0, flags: int = 0) -> None:
    """Advance each fragment by `data_offset_delta`, the value of the allocation, and free everything."""
    del flags
    _take_head(fragments, data_offset_delta)
    free_derived(fragments)


@wdk("NdisAllocateReassembledNetBufferList")
def allocate_reassembled_net_buffer_list(
    fragments: NetBufferList,
    nbl_pool: NetBufferListPool | None,
    start_offset: int,
    data_offset_delta: int = 0,
    data_backfill: int = 0,
    flags: int = 0,
) -> NetBufferList | None:
    """A list with one NET_BUFFER over all frames of `fragments`, each without its first `start_offset` bytes.

    `data_offset_delta` and `data_backfill` as for fragments. None without memory.
    """
    del flags
    if min(start_offset, data_offset_delta, data_backfill) < 0:
        detail = f"reassembled from {start_offset} on, {data_offset_delta} in front"
        fragments.ndis.violation("MD-24", fragments.pool.owner, fragments, detail)
        return None
    whole = new_nbl(nbl_pool or fragments.ndis.fan_out_pool)
    head: Mdl | None = None
    tail: Mdl | None = None
    total = 0
    for nb in fragments.net_buffers():
        length = max(0, nb.data_length - start_offset)
        piece = describe(nb, start_offset, length)
        if tail is None:
            head = tail = piece
        else:
            tail.next = piece
        while tail is not None and tail.next is not None:
            tail = tail.next
        total += length
    whole.first_net_buffer = new_net_buffer(whole, None, head, total)
    derive(fragments, whole)
    return _with_head(whole, data_offset_delta, data_backfill)


@wdk("NdisFreeReassembledNetBufferList")
def free_reassembled_net_buffer_list(whole: NetBufferList, data_offset_delta: int = 0, flags: int = 0) -> None:
    """Advance by `data_offset_delta`, the value of the allocation, and free everything."""
    del flags
    _take_head(whole, data_offset_delta)
    free_derived(whole)


def _with_head(nbl: NetBufferList, delta: int, backfill: int) -> NetBufferList | None:
    """Room in front of every frame, or nothing is left of the list."""
    done: list[NetBuffer] = []
    for nb in nbl.net_buffers():
        if retreat_net_buffer_data_start(nb, delta, backfill) is not NdisStatus.SUCCESS:
            for earlier in done:
                advance_net_buffer_data_start(earlier, delta)
            free_derived(nbl)
            return None
        done.append(nb)
    return nbl


def _take_head(nbl: NetBufferList, delta: int) -> None:
    for nb in nbl.net_buffers():
        advance_net_buffer_data_start(nb, delta)

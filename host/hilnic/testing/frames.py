# SPDX-License-Identifier: Apache-2.0
"""Building NET_BUFFER_LISTs with any MDL layout: cuts, head room, tail room, empty MDLs, garbage around the data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TypeVar

from hilnic.ndis import (
    Mdl,
    NetBuffer,
    NetBufferList,
    NetBufferListPool,
    allocate_mdl,
    allocate_net_buffer_and_net_buffer_list,
    free_mdl,
    free_net_buffer_list,
    link,
    walk_mdls,
)

__all__ = ["GARBAGE", "build_nbl", "ethernet", "free_nbl", "in_parts"]

T = TypeVar("T")

GARBAGE = 0xA5


def ethernet(destination: bytes, source: bytes, payload: bytes = b"", ether_type: int = 0x88B5) -> bytes:
    """A frame without FCS and without padding; the default EtherType is the one for experiments."""
    return destination + source + ether_type.to_bytes(2, "big") + payload


def in_parts(items: Sequence[T], parts: Sequence[int]) -> Iterator[list[T]]:
    """The items in lists of these lengths; the last list has the rest, if there is one."""
    at = iter(items)
    yield from (list(islice(at, count)) for count in parts)
    if rest := list(at):
        yield rest


def build_nbl(
    pool: NetBufferListPool, *frames: bytes, cuts: Sequence[int] = (), head: int = 0, tail: int = 0
) -> NetBufferList:
    """An NBL with one NB per frame.

    `cuts` are the lengths of the leading MDLs (0 gives an empty MDL), the last MDL takes the rest. `head` bytes in
    front of the data and `tail` bytes behind it are in the chain but unused, filled with garbage.
    """
    nbl: NetBufferList | None = None
    before: NetBuffer | None = None
    for frame in frames:
        chain = _chain(pool, frame, cuts, head, tail)
        if nbl is None or before is None:
            nbl = allocate_net_buffer_and_net_buffer_list(pool, 0, 0, chain, head, len(frame))
            before = nbl.first_net_buffer
        else:
            before.next = pool.ndis.net_buffer_type(pool, chain, head, len(frame))
            before = before.next
    assert nbl is not None
    return nbl


def _chain(pool: NetBufferListPool, frame: bytes, cuts: Sequence[int], head: int, tail: int) -> Mdl:
    content = bytes([GARBAGE]) * head + frame + bytes([GARBAGE]) * tail
    lengths = list(cuts)
    lengths.append(len(content) - sum(lengths))
    if lengths[-1] < 0:
        raise ValueError(f"cuts {cuts} are longer than {len(content)} bytes")
    mdls, at = [], 0
    for length in lengths:
        region = pool.ndis.kernel.allocate(max(length, 1) + 32)
        region.view[:] = bytes([GARBAGE]) * len(region.view)
        region.view[16 : 16 + length] = content[at : at + length]
        mdls.append(allocate_mdl(pool, region, 16, length))
        at += length
    return link(*mdls)


def free_nbl(nbl: NetBufferList) -> None:
    """Free an NBL made by `build_nbl`, with its MDLs and their memory."""
    for nb in nbl.net_buffers():
        for mdl in list(walk_mdls(nb.mdl_chain)):
            region = mdl.region
            free_mdl(mdl)
            nbl.ndis.kernel.free(region)
    free_net_buffer_list(nbl)

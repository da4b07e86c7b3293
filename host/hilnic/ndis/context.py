# SPDX-License-Identifier: Apache-2.0
"""NET_BUFFER_LIST_CONTEXT: each driver's private memory on an NBL that passes through it, a stack (MD-19, MD-20).

nbl.context -> block -> block -> None        newest first; more blocks only when the first has no room
block.data:  [ unused, for the next driver | used: pieces of the drivers, newest first ]
             |<-------- offset ----------->|
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk

if TYPE_CHECKING:
    from hilnic.ndis.nbl import NetBufferList

ALLOCATION_ALIGNMENT = 16
"""MEMORY_ALLOCATION_ALIGNMENT on a 64-bit host."""


class NetBufferListContext:
    """One block of context; opaque to every driver but through the functions below."""

    __slots__ = ("data", "next", "offset", "pieces", "region")

    def __init__(self, data: memoryview, offset: int, region: Any = None) -> None:
        self.next: NetBufferListContext | None = None
        self.data = data
        self.offset = offset
        self.pieces: list[int] = []  # sizes of what drivers have allocated in this block, oldest first
        self.region = region  # the kernel's memory, None for a block that came with the NBL

    def __len__(self) -> int:
        """Bytes of the block, used or not (the Size member)."""
        return len(self.data)


def first_block(context_size: int, unused: int) -> NetBufferListContext | None:
    """The block that an NBL is born with: `context_size` bytes of its allocator's behind `unused` ones."""
    if not context_size + unused:
        return None
    return NetBufferListContext(memoryview(bytearray(unused + context_size)), unused)


def is_aligned(*sizes: int) -> bool:
    """Whether each size may be asked for (MD-20)."""
    return all(size >= 0 and size % ALLOCATION_ALIGNMENT == 0 for size in sizes)


@wdk("NdisAllocateNetBufferListContext")
def allocate_net_buffer_list_context(
    nbl: NetBufferList, context_size: int, context_backfill: int = 0, tag: str = ""
) -> NdisStatus:
    """Put `context_size` bytes on top of the NBL's context stack; `net_buffer_list_context_data_start` gives them.

    In the unused space there is, or in a new block with `context_backfill` bytes more for the next driver. RESOURCES
    without memory. To be freed before the NBL goes back to where it came from, last one first (MD-19).
    """
    del tag
    ndis = nbl.ndis
    if not is_aligned(context_size, context_backfill):
        ndis.violation("MD-20", nbl.pool.owner, nbl, f"a context of {context_size} + {context_backfill} bytes")
        return NdisStatus.FAILURE
    block = nbl.context
    if block is None or block.offset < context_size:
        try:
            region = ndis.kernel.allocate(context_size + context_backfill)
        except MemoryError:
            return NdisStatus.RESOURCES
        size = context_size + context_backfill
        block = NetBufferListContext(region.view[:size], size, region)
        block.next = nbl.context
        nbl.context = block
    block.offset -= context_size
    block.pieces.append(context_size)
    return NdisStatus.SUCCESS


@wdk("NdisFreeNetBufferListContext")
def free_net_buffer_list_context(nbl: NetBufferList, context_size: int) -> None:
    """Take the newest piece off the stack; any other size than the newest one's breaks the order (MD-19)."""
    block = nbl.context
    if block is None or not block.pieces or block.pieces[-1] != context_size:
        newest = block.pieces[-1] if block is not None and block.pieces else "nothing"
        nbl.ndis.violation("MD-19", nbl.pool.owner, nbl, f"freed {context_size} bytes, on top is {newest}")
        return
    block.offset += block.pieces.pop()
    if not block.pieces and block.region is not None:
        nbl.context = block.next
        nbl.ndis.kernel.free(block.region)


@wdk("NET_BUFFER_LIST_CONTEXT_DATA_START", irql="any")
def net_buffer_list_context_data_start(nbl: NetBufferList) -> memoryview:
    """The used context from the newest piece on, writable; empty when there is none."""
    block = nbl.context
    return memoryview(b"") if block is None else block.data[block.offset :]


@wdk("NET_BUFFER_LIST_CONTEXT_DATA_SIZE", irql="any")
def net_buffer_list_context_data_size(nbl: NetBufferList) -> int:
    """Bytes that `net_buffer_list_context_data_start` gives."""
    block = nbl.context
    return 0 if block is None else len(block.data) - block.offset


def depth(nbl: NetBufferList) -> int:
    """How many pieces lie on the stack."""
    total, block = 0, nbl.context
    while block is not None:
        total += len(block.pieces)
        block = block.next
    return total

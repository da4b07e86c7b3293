# SPDX-License-Identifier: Apache-2.0
"""NET_BUFFER: one frame in a chain of MDLs, and the NDIS services that move its data start.

mdl_chain:  | unused head | used data: data_length bytes | unused tail |
            |<-data_offset->|
current_mdl + current_mdl_offset name the same byte as data_offset (MD-01, MD-02).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from hilnic.ndis.mdl import Mdl, chain_fault, chain_length, is_circular, refuse_circle, walk_mdls
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk

if TYPE_CHECKING:
    from hilnic.ndis.nbl import NetBufferList
    from hilnic.ndis.ndis import Ndis
    from hilnic.ndis.pool import NetBufferListPool, NetBufferPool

PAGE_SIZE = 4096

AllocateMdl = Callable[[int], Mdl]
FreeMdl = Callable[[Mdl], None]


class NetBuffer:
    """One frame. Comes from a pool; belongs to whoever owns its NET_BUFFER_LIST."""

    __slots__ = (
        "checksum_bias",
        "current_mdl",
        "current_mdl_offset",
        "data_length",
        "data_offset",
        "frame_id",
        "mdl_chain",
        "miniport_reserved",
        "ndis_data",
        "ndis_reserved",
        "next",
        "pool",
        "protocol_reserved",
        "scatter_gather_list",
    )

    def __init__(
        self,
        pool: NetBufferPool | NetBufferListPool,
        mdl: Mdl | None = None,
        data_offset: int = 0,
        data_length: int = 0,
    ) -> None:
        self.pool = pool
        self.next: NetBuffer | None = None
        self.mdl_chain = mdl
        self.data_offset = data_offset
        self.data_length = data_length
        self.current_mdl = mdl
        self.current_mdl_offset = data_offset
        self.checksum_bias = 0
        self.frame_id = 0
        self.protocol_reserved: list[Any] = [None, None, None, None, None, None]
        self.miniport_reserved: list[Any] = [None, None, None, None]
        self.scatter_gather_list: Any = None
        self.ndis_reserved: Any = None
        self.ndis_data: Mdl | None = None  # MDL and memory that came with the NB from its pool
        if mdl is not None and data_offset >= mdl.byte_count:
            locate_current_mdl(self)

    @property
    def ndis(self) -> Ndis:
        """The NDIS instance this object belongs to."""
        return self.pool.ndis

    def used(self) -> Iterator[tuple[Mdl, int, int]]:
        """The used data as (mdl, offset in that mdl, length); zero-length MDLs are skipped (MD-27)."""
        mdl, offset, left = self.current_mdl, self.current_mdl_offset, self.data_length
        refuse_circle(mdl)
        while mdl is not None and left > 0:
            piece = min(mdl.byte_count - offset, left)
            if piece > 0:
                yield mdl, offset, piece
                left -= piece
            mdl, offset = mdl.next, 0

    def tobytes(self, limit: int | None = None) -> bytes:
        """A copy of the used data, or of its first `limit` bytes."""
        wanted = self.data_length if limit is None else min(limit, self.data_length)
        mdl, offset = self.current_mdl, self.current_mdl_offset
        if mdl is not None and mdl.byte_count - offset >= wanted:
            start = mdl.byte_offset + offset
            return bytes(mdl.region.view[start : start + wanted])
        return b"".join(bytes(m.view[o : o + n]) for m, o, n in self.used())[:wanted]

    def __repr__(self) -> str:
        mdls = "in a circle" if is_circular(self.mdl_chain) else sum(1 for _ in walk_mdls(self.mdl_chain))
        return f"NetBuffer(offset={self.data_offset}, length={self.data_length}, mdls={mdls})"


def locate_current_mdl(nb: NetBuffer) -> None:
    """Set current_mdl and current_mdl_offset from data_offset: the MDL that holds the first used byte.

    Empty MDLs in front of the first used byte are passed over; when nothing is used the last MDL stays current.
    """
    mdl, offset = nb.mdl_chain, nb.data_offset
    refuse_circle(mdl)
    while mdl is not None and offset >= mdl.byte_count and mdl.next is not None:
        offset -= mdl.byte_count
        mdl = mdl.next
    nb.current_mdl = mdl
    nb.current_mdl_offset = offset


@wdk("NdisAdjustNetBufferCurrentMdl", irql="any")
def adjust_net_buffer_current_mdl(nb: NetBuffer) -> None:
    """Recompute current_mdl and current_mdl_offset after the owner changed data_offset (MD-02)."""
    locate_current_mdl(nb)


@wdk("NdisRetreatNetBufferDataStart")
def retreat_net_buffer_data_start(
    nb: NetBuffer, delta: int, backfill: int = 0, allocate_mdl_handler: AllocateMdl | None = None
) -> NdisStatus:
    """Grow the used data by `delta` bytes at its front.

    Inside the unused head only the fields move (MD-04). Beyond it a new MDL for the missing bytes plus `backfill` is
    linked in front (MD-05), by `allocate_mdl_handler(size)` when the caller brings one (MD-08). Without memory nothing
    changes and the answer is RESOURCES (MD-06).
    """
    if delta < 0 or backfill < 0:
        nb.ndis.violation("MD-04", nb.pool.owner, nb, f"retreat by {delta} with {backfill} more")
        return NdisStatus.FAILURE
    if delta <= nb.data_offset:
        nb.data_offset -= delta
        nb.data_length += delta
        locate_current_mdl(nb)
        return NdisStatus.SUCCESS
    # The MDL covers what the head lacks; the head that is there stays used data without a gap.
    missing = delta - nb.data_offset
    try:
        front = (allocate_mdl_handler or _allocator(nb))(missing + backfill)
    except MemoryError:
        return NdisStatus.RESOURCES
    front.ndis_reserved = _BY_NDIS if allocate_mdl_handler is None else _BY_DRIVER
    front.next = nb.mdl_chain
    nb.mdl_chain = front
    nb.data_offset = front.byte_count - missing
    nb.data_length += delta
    locate_current_mdl(nb)
    return NdisStatus.SUCCESS


@wdk("NdisAdvanceNetBufferDataStart")
def advance_net_buffer_data_start(
    nb: NetBuffer, delta: int, free_mdl: bool = True, free_mdl_handler: FreeMdl | None = None
) -> None:
    """Shrink the used data by `delta` bytes at its front: the reverse of retreat (MD-07).

    With `free_mdl`, MDLs at the front that retreat allocated and that hold no used byte any more are unlinked and
    freed, by `free_mdl_handler` if an allocate_mdl_handler made them (MD-08); no other MDL is ever touched, so parsing
    received data by advance is safe (MD-09).
    """
    if not 0 <= delta <= nb.data_length:
        nb.ndis.violation("MD-07", nb.pool.owner, nb, f"advance by {delta} of {nb.data_length} used bytes")
        return
    nb.data_offset += delta
    nb.data_length -= delta
    while free_mdl and (front := nb.mdl_chain) is not None and front.ndis_reserved in _RETREATED:
        if nb.data_offset < front.byte_count:
            break
        if (front.ndis_reserved is _BY_DRIVER) != (free_mdl_handler is not None):
            nb.ndis.violation("MD-08", nb.pool.owner, nb, f"{front!r} was {front.ndis_reserved}")
            break
        nb.data_offset -= front.byte_count
        nb.mdl_chain = front.next
        (free_mdl_handler or _deallocator(nb))(front)
    locate_current_mdl(nb)


@wdk("NdisRetreatNetBufferListDataStart")
def retreat_net_buffer_list_data_start(
    nbl: NetBufferList, delta: int, backfill: int = 0, allocate_mdl_handler: AllocateMdl | None = None,
    free_mdl_handler: FreeMdl | None = None,
) -> NdisStatus:  # fmt: skip
    """Retreat every NET_BUFFER of the list, or none: what was done is undone when one fails (MD-10)."""
    done: list[tuple[NetBuffer, Mdl | None]] = []
    for nb in nbl.net_buffers():
        before = nb.mdl_chain
        status = retreat_net_buffer_data_start(nb, delta, backfill, allocate_mdl_handler)
        if status is not NdisStatus.SUCCESS:
            for earlier, chain in done:
                advance_net_buffer_data_start(earlier, delta, earlier.mdl_chain is not chain, free_mdl_handler)
            return status
        done.append((nb, before))
    return NdisStatus.SUCCESS


@wdk("NdisAdvanceNetBufferListDataStart")
def advance_net_buffer_list_data_start(
    nbl: NetBufferList, delta: int, free_mdl: bool = True, free_mdl_handler: FreeMdl | None = None
) -> None:
    """Advance every NET_BUFFER of the list."""
    for nb in nbl.net_buffers():
        advance_net_buffer_data_start(nb, delta, free_mdl, free_mdl_handler)


@wdk("NdisQueryNetBufferPhysicalCount", irql="any")
def query_net_buffer_physical_count(nb: NetBuffer) -> int:
    """How many pages of memory the used data touches: the SG elements it needs at most, page by page."""
    pages = 0
    for mdl, offset, length in nb.used():
        in_page = (mdl.address + offset) % PAGE_SIZE
        pages += (in_page + length + PAGE_SIZE - 1) // PAGE_SIZE
    return pages


@wdk("NdisGetDataBuffer")
def get_data_buffer(
    nb: NetBuffer,
    bytes_needed: int,
    storage: bytearray | memoryview | None = None,
    align_multiple: int = 1,
    align_offset: int = 0,
) -> memoryview | None:
    """Read access to the first `bytes_needed` bytes of the used data.

    Contiguous and aligned so that (address - align_offset) is a multiple of align_multiple: the bytes in place.
    Otherwise a copy in `storage` (writing there does not change the packet, MD-14), or None when there is no storage
    (MD-12, MD-13). None too when the frame is shorter (MD-11).
    """
    mdl, offset = nb.current_mdl, nb.current_mdl_offset
    if bytes_needed > nb.data_length or mdl is None:
        return None
    if mdl.byte_count - offset >= bytes_needed and (mdl.address + offset - align_offset) % align_multiple == 0:
        return mdl.view[offset : offset + bytes_needed]
    if storage is None:
        return None
    copied = 0
    for piece, start, length in nb.used():
        take = min(length, bytes_needed - copied)
        storage[copied : copied + take] = piece.view[start : start + take]
        copied += take
        if copied == bytes_needed:
            break
    return memoryview(storage)[:bytes_needed]


_BY_NDIS, _BY_DRIVER = "allocated by retreat itself", "allocated by a driver's handler"
_RETREATED = (_BY_NDIS, _BY_DRIVER)


def _allocator(nb: NetBuffer) -> AllocateMdl:
    ndis = nb.ndis

    def allocate(size: int) -> Mdl:
        return ndis.new_mdl(ndis.kernel.allocate(size), 0, size)

    return allocate


def _deallocator(nb: NetBuffer) -> FreeMdl:
    ndis = nb.ndis

    def free(mdl: Mdl) -> None:
        ndis.forget_mdl(mdl)
        ndis.kernel.free(mdl.region)

    return free


def layout_error(nb: NetBuffer) -> tuple[str, str] | None:
    """The layout rule that `nb` breaks, as (rule id, what is wrong), or None."""
    fault = chain_fault(nb.mdl_chain)
    if fault is not None:
        return "OI-21", fault
    if nb.data_offset < 0 or nb.data_length < 0 or nb.data_offset + nb.data_length > chain_length(nb.mdl_chain):
        return (
            "MD-03",
            f"offset {nb.data_offset} + length {nb.data_length} exceed the {chain_length(nb.mdl_chain)} bytes",
        )
    if nb.data_length == 0:
        return None
    head = 0
    for mdl in walk_mdls(nb.mdl_chain):
        if mdl is nb.current_mdl:
            if head + nb.current_mdl_offset == nb.data_offset:
                return None
            return "MD-02", f"current MDL points at byte {head + nb.current_mdl_offset}, not {nb.data_offset}"
        head += mdl.byte_count
    return "MD-02", "current MDL is not in the chain"

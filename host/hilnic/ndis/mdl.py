# SPDX-License-Identifier: Apache-2.0
"""MDL: a memory descriptor list entry, one virtually contiguous piece of a buffer.

region.view:  [ ........ | byte_offset ->  byte_count bytes of this MDL  | ........ ]
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from hilnic.ndis.kernel import Region


class Mdl:
    """`byte_count` bytes of `region`, beginning `byte_offset` into it; `next` continues the chain."""

    __slots__ = ("byte_count", "byte_offset", "ndis", "ndis_reserved", "next", "region")

    def __init__(self, region: Region, byte_offset: int, byte_count: int, ndis: Any = None) -> None:
        self.next: Mdl | None = None
        self.ndis = ndis  # the instance whose leak ledger this MDL is in, if it is a driver's
        self.region = region
        self.byte_offset = byte_offset
        self.byte_count = byte_count
        self.ndis_reserved: Any = None

    @property
    def address(self) -> int:
        """Bus address of the first byte."""
        return self.region.address + self.byte_offset

    @property
    def view(self) -> memoryview:
        """The bytes this MDL describes, writable."""
        return self.region.view[self.byte_offset : self.byte_offset + self.byte_count]

    def __repr__(self) -> str:
        return f"Mdl({self.address:#x}, {self.byte_count} bytes)"


def is_circular(first: Any) -> bool:
    """Whether a chain that is linked by `next` comes back to itself (R. P. Brent's way: it holds on to one member)."""
    held, steps, turn = None, 0, 1
    while first is not None:
        if first is held:
            return True
        steps += 1
        if steps == turn:
            held, steps, turn = first, 0, turn * 2
        first = first.next
    return False


def refuse_circle(first: Any) -> None:
    """ValueError when a chain that is linked by `next` comes back to itself: nobody could walk it."""
    if first is not None and first.next is not None and is_circular(first):
        raise ValueError("the chain of buffers is cyclic")


def describes_its_memory(mdl: Mdl) -> bool:
    """Whether the bytes that it describes are there."""
    return 0 <= mdl.byte_offset <= mdl.byte_offset + mdl.byte_count <= len(mdl.region.view)


def chain_fault(first: Mdl | None) -> str | None:
    """What is wrong with a chain that a driver has made: a circle, or a piece outside of its memory."""
    if first is not None and first.next is not None and is_circular(first):
        return "the chain of buffers is cyclic"
    while first is not None:
        if not describes_its_memory(first):
            return (
                f"{first!r} from byte {first.byte_offset} on describes more than the {len(first.region.view)} there are"
            )
        first = first.next
    return None


def walk_mdls(first: Mdl | None) -> Iterator[Mdl]:
    """Every MDL of a chain, first to last; ValueError when there is no last one."""
    refuse_circle(first)
    while first is not None:
        yield first
        first = first.next


def chain_length(first: Mdl | None) -> int:
    """Bytes that a chain describes; ValueError when it has no end."""
    refuse_circle(first)
    total = 0
    while first is not None:
        total += first.byte_count
        first = first.next
    return total


def link(*mdls: Mdl) -> Mdl:
    """Chain the MDLs in this order and return the first."""
    for before, after in pairwise(mdls):
        before.next = after
    return mdls[0]

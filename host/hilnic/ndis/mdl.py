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


def walk_mdls(first: Mdl | None) -> Iterator[Mdl]:
    """Every MDL of a chain, first to last."""
    while first is not None:
        yield first
        first = first.next


def chain_length(first: Mdl | None) -> int:
    """Bytes that a chain describes."""
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

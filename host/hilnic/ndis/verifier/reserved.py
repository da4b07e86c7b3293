# SPDX-License-Identifier: Apache-2.0
"""MD-28: whose the Scratch and Reserved fields of an NBL and its NBs are, checked with verify=full.

A sender finds its ProtocolReserved fields again at the completion, an indicating miniport its MiniportReserved fields
at the return. Everything else is lost at the hand-over: NDIS scribbles over it, so that nobody lives on leftovers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hilnic.ndis.nbl import NetBufferList


class _Lost:
    """What stands in a field whose owner has changed."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "LOST"


LOST = _Lost()

Kept = list[Any]
"""The fields that come back to their owner, of the NBL and of its NBs in order."""


def sender_fields(nbl: NetBufferList) -> Kept:
    """What belongs to the sender while the list is below it."""
    kept = list(nbl.protocol_reserved)
    for nb in nbl.net_buffers():
        kept += nb.protocol_reserved
    return kept


def miniport_fields(nbl: NetBufferList) -> Kept:
    """What belongs to the miniport while the list is above it."""
    kept = list(nbl.miniport_reserved)
    for nb in nbl.net_buffers():
        kept += nb.miniport_reserved
    return kept


def same(before: Kept, after: Kept) -> bool:
    """The very same objects."""
    return len(before) == len(after) and all(old is new for old, new in zip(before, after, strict=True))


def scribble_below(nbl: NetBufferList) -> None:
    """The list goes down: the miniport's fields and the scratch hold nothing that means anything."""
    nbl.scratch = LOST
    nbl.miniport_reserved[:] = [LOST] * len(nbl.miniport_reserved)
    for nb in nbl.net_buffers():
        nb.miniport_reserved[:] = [LOST] * len(nb.miniport_reserved)


def scribble_above(nbl: NetBufferList) -> None:
    """The list goes up: likewise the protocol's fields and the scratch."""
    nbl.scratch = LOST
    nbl.protocol_reserved[:] = [LOST] * len(nbl.protocol_reserved)
    for nb in nbl.net_buffers():
        nb.protocol_reserved[:] = [LOST] * len(nb.protocol_reserved)

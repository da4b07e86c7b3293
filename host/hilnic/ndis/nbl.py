# SPDX-License-Identifier: Apache-2.0
"""NET_BUFFER_LIST: what is sent, indicated, completed and returned; and the verbs on chains of them.

    nbls -> NBL -> NBL -> NBL -> None          linked by next; not part of the restored form (S6-05)
             |
             NB -> NB -> None                  first_net_buffer; one frame each
             |
             MDL -> MDL -> None                mdl_chain; the bytes

Example: complete the first half of what was captured.

    done, rest = split(nbls, count(nbls) // 2)
    for nbl in walk(done):
        nbl.status = NdisStatus.SUCCESS
    complete_send_net_buffer_lists(adapter, done)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from hilnic.ndis.flags import NBL_INFO_SLOTS
from hilnic.ndis.mdl import refuse_circle
from hilnic.ndis.net_buffer import NetBuffer
from hilnic.ndis.status import NdisStatus

if TYPE_CHECKING:
    from hilnic.ndis.context import NetBufferListContext
    from hilnic.ndis.ndis import Ndis
    from hilnic.ndis.pool import NetBufferListPool


class NetBufferList:
    """One or more frames with one status and one set of out-of-band information. Comes from a pool.

    `scratch` is the current owner's; `protocol_reserved` comes back to the sender, `miniport_reserved` is free for the
    miniport while it owns the list (MD-28). Names that begin with `ndis_` are NDIS's own.
    """

    __slots__ = (
        "child_ref_count",
        "context",
        "first_net_buffer",
        "flags",
        "id",
        "miniport_reserved",
        "nbl_flags",
        "ndis_below",
        "ndis_custody",
        "ndis_original",
        "ndis_receivers",
        "ndis_route",
        "net_buffer_list_info",
        "next",
        "parent_net_buffer_list",
        "pool",
        "protocol_reserved",
        "scratch",
        "source_handle",
        "status",
    )

    def __init__(self, pool: NetBufferListPool, identity: int) -> None:
        self.pool = pool
        self.next: NetBufferList | None = None
        self.first_net_buffer: NetBuffer | None = None
        self.context: NetBufferListContext | None = None
        self.parent_net_buffer_list: NetBufferList | None = None
        self.protocol_reserved: list[Any] = [None, None, None, None]
        self.miniport_reserved: list[Any] = [None, None]
        self.scratch: Any = None
        self.source_handle: Any = None
        self.nbl_flags = 0
        self.child_ref_count = 0
        self.flags = 0
        self.status: int = NdisStatus.SUCCESS
        self.net_buffer_list_info: list[Any] = [None] * NBL_INFO_SLOTS
        self.id = identity
        self.ndis_receivers = 0  # bindings that still hold a received list, 0 when it is at home
        self.ndis_original: NetBufferList | None = None  # set in a fan-out clone
        self.ndis_below: tuple[int, NetBufferList | None, Any, Any] | None = None  # these three of an IM's lower edge
        self.ndis_route: Any = None  # who may have it and where it goes home to, when no miniport has indicated it
        self.ndis_custody: Any = None  # the verifier's record

    @property
    def ndis(self) -> Ndis:
        """The NDIS instance this object belongs to."""
        return self.pool.ndis

    def net_buffers(self) -> Iterator[NetBuffer]:
        """The NET_BUFFERs, first to last."""
        nb = self.first_net_buffer
        refuse_circle(nb)
        while nb is not None:
            yield nb
            nb = nb.next

    def __repr__(self) -> str:
        return f"NBL#{self.id}"


def walk(first: NetBufferList | None) -> Iterator[NetBufferList]:
    """Every NBL of a chain; the successor is read first, so the body may hand the NBL over or relink it."""
    while first is not None:
        following = first.next
        yield first
        first = following


def count(first: NetBufferList | None) -> int:
    """How many NBLs the chain has."""
    total = 0
    while first is not None:
        total += 1
        first = first.next
    return total


def last(first: NetBufferList) -> NetBufferList:
    """The NBL at the end of the chain."""
    while first.next is not None:
        first = first.next
    return first


def append(first: NetBufferList | None, more: NetBufferList | None) -> NetBufferList | None:
    """Link chain `more` behind chain `first` and return the head; O(length of `first`), see NblQueue for O(1)."""
    if first is None:
        return more
    last(first).next = more
    return first


def chain(nbls: Iterable[NetBufferList]) -> NetBufferList | None:
    """Link the given NBLs in order; None when there are none."""
    queue = NblQueue()
    for nbl in nbls:
        queue.append(nbl)
    return queue.take()


def split(first: NetBufferList | None, number: int) -> tuple[NetBufferList | None, NetBufferList | None]:
    """Cut the chain behind its first `number` NBLs: (head, rest)."""
    if number <= 0 or first is None:
        return None, first
    at = first
    for _ in range(number - 1):
        if at.next is None:
            break
        at = at.next
    rest, at.next = at.next, None
    return first, rest


def classify(first: NetBufferList | None, key: Callable[[NetBufferList], Any]) -> list[tuple[Any, NetBufferList, int]]:
    """Cut the chain into one chain per key, in order of first appearance: (key, chain, count); order kept in each."""
    queues: dict[Any, NblQueue] = {}
    for nbl in walk(first):
        queues.setdefault(key(nbl), NblQueue()).append(nbl)
    return [(k, queue.first, queue.count) for k, queue in queues.items() if queue.first is not None]


class NblQueue:
    """A counted queue of NBLs linked by `next`: O(1) append of one, O(1) take of all."""

    __slots__ = ("_last", "count", "first")

    def __init__(self) -> None:
        self.first: NetBufferList | None = None
        self._last: NetBufferList | None = None
        self.count = 0

    def append(self, nbl: NetBufferList) -> None:
        """Put one NBL at the end; its `next` is overwritten."""
        nbl.next = None
        if self._last is None:
            self.first = nbl
        else:
            self._last.next = nbl
        self._last = nbl
        self.count += 1

    def extend(self, nbls: NetBufferList | None) -> None:
        """Put a whole chain at the end."""
        for nbl in walk(nbls):
            self.append(nbl)

    def popleft(self) -> NetBufferList | None:
        """Take the first NBL, unlinked, or None."""
        nbl = self.first
        if nbl is not None:
            self.first, nbl.next = nbl.next, None
            self.count -= 1
            if self.first is None:
                self._last = None
        return nbl

    def take(self) -> NetBufferList | None:
        """Take the whole chain."""
        first, self.first, self._last, self.count = self.first, None, None, 0
        return first

    def __len__(self) -> int:
        return self.count

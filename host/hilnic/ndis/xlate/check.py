# SPDX-License-Identifier: Apache-2.0
"""V12: both sides of a translation say the same; XL-01: no driver gets the other version's structures.

XL-15 stands for the bytes, XL-12 for the out-of-band values, XL-13 for how a send ended. The bytes are
equal when both sides describe the same memory: `fast` compares the descriptions, `full` the bytes too.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from hilnic.ndis.nbl import NetBufferList
from hilnic.ndis.ndis5.packet import Packet
from hilnic.ndis.net_buffer import NetBuffer
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.xlate import oob

if TYPE_CHECKING:
    from hilnic.ndis.ndis import Ndis

Piece = tuple[Any, int, int]
"""(region, offset in it, length), never empty."""

_FAILURE_BIT = 0x80000000
_SUCCESS = NdisStatus.SUCCESS


def sent(edge: Any, nbl: NetBufferList, nb: NetBuffer, packet: Packet) -> None:
    """A packet and a NET_BUFFER of a send, whichever was there first."""
    head = packet.head
    if (
        head is None
        or nb.current_mdl is not head
        or head.next is not None
        or nb.current_mdl_offset
        or nb.data_length != head.byte_count
        or edge.ndis.guard is not None
    ):
        _frame(edge, nb, packet)  # not the plain case: one whole piece, the very same on both sides
    difference = oob.send_difference(packet, nbl)
    if difference is not None:
        edge.ndis.violation("XL-12", edge, packet, difference)


def received(edge: Any, nbl: NetBufferList, nb: NetBuffer, packet: Packet) -> None:
    """A packet and a NET_BUFFER of a receive, whichever was there first."""
    _frame(edge, nb, packet)
    difference = oob.receive_difference(packet, nbl)
    if difference is not None:
        edge.ndis.violation("XL-12", edge, packet, difference)


def ended(edge: Any, subject: Any, six: int, five: int) -> None:
    """How a send ended, on both sides: success is success, and shortage of resources or a reset keep their name."""
    if six is _SUCCESS and five is _SUCCESS:
        return
    went_well = five < _FAILURE_BIT and five != NdisStatus.NOT_ACCEPTED
    same = went_well == (six == NdisStatus.SUCCESS)
    if six in _KEPT or five in _KEPT:
        same = six == five
    if not same:
        edge.ndis.violation("XL-13", edge, subject, f"{six:#010x} in NDIS 6 is {five:#010x} in NDIS 5")


_KEPT = frozenset({NdisStatus.RESOURCES, NdisStatus.RESET_IN_PROGRESS, NdisStatus.PENDING})


def typed(ndis: Ndis, handler: Callable[..., Any], actor: Any, name: str) -> Callable[..., Any]:
    """The handler with WDK name `name`, which only ever gets the structures of its own version (XL-01; full).

    Handlers whose name speaks of NetBufferLists get those, all others packets, single or in an array.
    """
    if not name or inspect.iscoroutinefunction(handler):
        return handler
    foreign = (Packet,) if "NetBufferList" in name else (NetBufferList, NetBuffer)

    @functools.wraps(handler)
    def call(*args: Any) -> Any:
        for argument in args[1:]:
            first = argument[0] if isinstance(argument, list) and argument else argument
            if isinstance(first, foreign):
                ndis.violation("XL-01", actor, first, f"given to {name}")
        return handler(*args)

    return call


def _frame(edge: Any, nb: NetBuffer, packet: Packet) -> None:
    head = packet.head
    if head is not None and nb.current_mdl is head and head.next is None and not nb.current_mdl_offset:
        differs = nb.data_length != head.byte_count  # one whole piece, the very same on both sides
    else:
        differs = list(_pieces_of(nb)) != list(_buffers_of(packet))
    if differs:
        edge.ndis.violation("XL-15", edge, packet, f"{packet.length()} bytes do not lie where the {nb!r} has them")
    elif edge.ndis.guard is not None and nb.tobytes() != packet.tobytes():
        edge.ndis.violation("XL-15", edge, packet, f"its bytes are not those of {nb!r}")


def _pieces_of(nb: NetBuffer) -> Iterator[Piece]:
    for mdl, offset, length in nb.used():
        yield mdl.region, mdl.byte_offset + offset, length


def _buffers_of(packet: Packet) -> Iterator[Piece]:
    for mdl in packet.buffers():
        if mdl.byte_count:
            yield mdl.region, mdl.byte_offset, mdl.byte_count

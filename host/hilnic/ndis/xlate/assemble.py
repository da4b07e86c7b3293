# SPDX-License-Identifier: Apache-2.0
"""A 5.x miniport that shows lookahead, under 6.x drivers, which only know whole frames.

NDIS copies header and lookahead into memory of its own, has the miniport transfer what is missing, and indicates a list
over that memory. These are the only copies on this way; `ndis.xlate_copies` counts their bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hilnic.ndis.ethernet import filter_accepts
from hilnic.ndis.flags import NdisMedium
from hilnic.ndis.mdl import Mdl
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.xlate import rx

if TYPE_CHECKING:
    from hilnic.ndis.binding import Binding
    from hilnic.ndis.ndis5.packet import Packet
    from hilnic.ndis.xlate.ports import MiniportPort

Transfer = Callable[[int, int, "Packet"], tuple[NdisStatus, int]]
"""(byte offset behind the header, bytes, packet) -> (status, bytes moved); PENDING: `transfer_completed` follows."""


def lookahead_to_nbl(
    edge: MiniportPort,
    receivers: tuple[Binding, ...],
    header: memoryview,
    lookahead: memoryview,
    packet_size: int,
    transfer: Transfer,
) -> None:
    """Make a whole frame of a lookahead indication for those of `receivers` that want it, and for the filters.

    `packet_size` excludes the header. A frame for which there is no memory, or whose rest the miniport cannot transfer,
    is dropped and counted.
    """
    if not edge.adapter.filters and not any(_wants(binding, header) for binding in receivers):
        return
    known = len(header) + min(len(lookahead), packet_size)
    whole = _allocate(edge, len(header) + packet_size)
    if whole is None or whole.head is None:
        edge.xlate.dropped += 1
        return
    whole.head.view[: len(header)] = header
    whole.head.view[len(header) : known] = lookahead[:packet_size]
    whole.oob.header_size = len(header)
    edge.ndis.xlate_copies += known
    whole.wrapper_reserved = receivers
    missing = len(header) + packet_size - known
    if not missing:
        _indicate(edge, whole)
        return
    rest = edge.xlate.packets.blank(Mdl(whole.head.region, known, missing))
    if rest is None:
        _drop(edge, whole)
        return
    rest.wrapper_reserved = whole
    status, moved = transfer(known - len(header), missing, rest)
    if status is not NdisStatus.PENDING:
        transfer_completed(edge, rest, status, moved)


def transfer_completed(edge: MiniportPort, rest: Packet, status: int, moved: int) -> None:
    """The miniport has transferred what was missing, inside the call or later."""
    whole: Packet = rest.wrapper_reserved
    complete = status == NdisStatus.SUCCESS and moved == rest.length()
    edge.xlate.packets.give(rest)
    if not complete:
        _drop(edge, whole)
        return
    edge.ndis.xlate_copies += moved
    _indicate(edge, whole)


def dissolve(edge: MiniportPort, whole: Packet) -> None:
    """The frame has come back from everybody: its memory is free again."""
    assert whole.head is not None
    region = whole.head.region
    if edge.xlate.packets.give(whole):
        edge.ndis.kernel.free(region)


def _allocate(edge: MiniportPort, size: int) -> Packet | None:
    """A packet over `size` bytes of NDIS's own, or None without memory for both."""
    try:
        region = edge.ndis.kernel.allocate(size)
    except MemoryError:
        return None
    packet = edge.xlate.packets.blank(Mdl(region, 0, size))
    if packet is None:
        edge.ndis.kernel.free(region)
    return packet


def _indicate(edge: MiniportPort, whole: Packet) -> None:
    if not rx.indicate_one(edge, whole, whole.wrapper_reserved):
        dissolve(edge, whole)


def _drop(edge: MiniportPort, whole: Packet) -> None:
    edge.xlate.dropped += 1
    dissolve(edge, whole)


def _wants(binding: Binding, header: memoryview) -> bool:
    attributes = binding.adapter.attributes
    if attributes.media_type is not NdisMedium.MEDIUM_802_3:
        return True
    destination = bytes(header[:6])
    return filter_accepts(binding.packet_filter, attributes.mac_address, binding.multicast_list, destination)

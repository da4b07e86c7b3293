# SPDX-License-Identifier: Apache-2.0
"""Buffer chains of a packet: link, unlink, query, walk, copy. An NDIS_BUFFER is an `Mdl`."""

from __future__ import annotations

from typing import NamedTuple

from hilnic.ndis.mdl import Mdl
from hilnic.ndis.ndis5.packet import Packet
from hilnic.ndis.wdk import wdk


class PacketQuery(NamedTuple):
    """NdisQueryPacket's answer: pages the frame lies in, descriptors, the first of them, bytes."""

    physical_buffer_count: int
    buffer_count: int
    first_buffer: Mdl | None
    total_packet_length: int


@wdk("NdisChainBufferAtFront")
def chain_buffer_at_front(packet: Packet, mdl: Mdl) -> None:
    """Put the chain that begins with `mdl` before the packet's buffers."""
    last = _last_of_others(packet, mdl)
    last.next = packet.head
    if packet.head is None:
        packet.tail = last
    packet.head = mdl
    packet.valid_counts = False


@wdk("NdisChainBufferAtBack")
def chain_buffer_at_back(packet: Packet, mdl: Mdl) -> None:
    """Put the chain that begins with `mdl` behind the packet's buffers."""
    last = _last_of_others(packet, mdl)
    if packet.tail is None:
        packet.head = mdl
    else:
        packet.tail.next = mdl
    packet.tail = last
    packet.valid_counts = False


@wdk("NdisUnchainBufferAtFront")
def unchain_buffer_at_front(packet: Packet) -> Mdl | None:
    """Take the first buffer off; None when there is none."""
    mdl = packet.head
    if mdl is not None:
        packet.head, mdl.next = mdl.next, None
        if packet.head is None:
            packet.tail = None
        packet.valid_counts = False
    return mdl


@wdk("NdisUnchainBufferAtBack")
def unchain_buffer_at_back(packet: Packet) -> Mdl | None:
    """Take the last buffer off; None when there is none."""
    last = packet.tail
    if last is None:
        return None
    if packet.head is last:
        packet.head = packet.tail = None
    else:
        before = next((mdl for mdl in packet.buffers() if mdl.next is last), None)
        if before is not None:
            before.next = None
        packet.tail = before
    packet.valid_counts = False
    return last


@wdk("NdisQueryPacket")
def query_packet(packet: Packet) -> PacketQuery:
    """Counts and length; computed from the chain when they are not valid (S5-16)."""
    if not packet.valid_counts:
        packet.count()
    return PacketQuery(packet.physical_count, packet.buffer_count, packet.head, packet.total_length)


@wdk("NdisRecalculatePacketCounts")
def recalculate_packet_counts(packet: Packet) -> None:
    """Compute the counts from the chain now."""
    packet.count()


def query_buffer(mdl: Mdl) -> tuple[memoryview, int]:
    """NdisQueryBuffer: the bytes of one descriptor, and how many."""
    return mdl.view, mdl.byte_count


def get_next_buffer(mdl: Mdl) -> Mdl | None:
    """NdisGetNextBuffer."""
    return mdl.next


@wdk("NdisGetFirstBufferFromPacket")
def get_first_buffer_from_packet(packet: Packet) -> tuple[Mdl | None, memoryview, int, int]:
    """(first descriptor, its bytes, their number, the frame's length)."""
    mdl = packet.head
    view = memoryview(b"") if mdl is None else mdl.view
    return mdl, view, len(view), packet.length()


@wdk("NdisCopyFromPacketToPacket")
def copy_from_packet_to_packet(
    destination: Packet, destination_offset: int, number: int, source: Packet, source_offset: int
) -> int:
    """Copy up to `number` bytes between chains, stopping at the shorter side; answers how many."""
    end = max(0, min(number, source.length() - source_offset))
    return scatter(destination, destination_offset, source.tobytes()[source_offset : source_offset + end])


def scatter(packet: Packet, offset: int, data: bytes | memoryview) -> int:
    """Write `data` into the packet's buffers from byte `offset` on; answers how much found room."""
    done = 0
    for mdl in packet.buffers():
        if offset >= mdl.byte_count:
            offset -= mdl.byte_count
            continue
        size = min(mdl.byte_count - offset, len(data) - done)
        if size <= 0:
            break
        mdl.view[offset : offset + size] = data[done : done + size]
        done += size
        offset = 0
    return done


def _last_of_others(packet: Packet, mdl: Mdl) -> Mdl:
    """The end of a chain that is to be linked to the packet's; ValueError where that would make a circle."""
    seen = {mdl}
    while mdl.next is not None:
        mdl = mdl.next
        if mdl in seen:
            raise ValueError("the chain of buffers is cyclic")
        seen.add(mdl)
    if mdl is packet.tail:
        raise ValueError("the packet has these buffers already")
    return mdl

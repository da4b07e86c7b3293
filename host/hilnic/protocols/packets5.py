# SPDX-License-Identifier: Apache-2.0
"""The packets of an NDIS 5 protocol: made with memory of their own, kept with it after a send and used again.

All buffers of a packet describe one piece of memory. `protocol_reserved` has how many there are, None for a packet that
is too long to be of use again, and that memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hilnic import ndis
from hilnic.ndis import ndis5
from hilnic.ndis.ndis5 import Packet

__all__ = ["PacketStore"]

_HEADER_BYTES = 14
_BUFFERS_PER_PACKET = 8


class PacketStore:
    """A packet pool of `number` descriptors, and a buffer pool; MemoryError when NDIS has none of that size."""

    def __init__(self, handle: ndis.ProtocolDriver, number: int, buffer_bytes: int, tag: str) -> None:
        self._kernel = handle.ndis.kernel
        self._buffer_bytes = buffer_bytes
        _, packets = ndis5.allocate_packet_pool(handle, number, tag=tag)
        _, buffers = ndis5.allocate_buffer_pool(handle, _BUFFERS_PER_PACKET * number, tag=tag)
        if packets is None or buffers is None:
            raise MemoryError(f"no pool of {number} packets")
        self._packets, self._buffers = packets, buffers
        self._spare: dict[int, list[Packet]] = {}

    def build(self, frames: Sequence[bytes], fragments: int = 1) -> list[Packet]:
        """A packet of so many buffers for each frame; RuntimeError, and nothing is taken, when there are not enough."""
        packets: list[Packet] = []
        for frame in frames:
            packet = self._take(max(self._buffer_bytes, len(frame)), fragments)
            if packet is None:
                for built in packets:
                    self.keep(built)
                raise RuntimeError(f"no packet of {fragments} buffers is left")
            assert packet.head is not None
            _fill(packet.head, frame, fragments)
            packet.valid_counts = False
            packets.append(packet)
        return packets

    def empty(self, size: int) -> Packet | None:
        """A packet of one buffer of `size` bytes, for NdisTransferData; None when there is no more."""
        return self._new(size, 1)

    def keep(self, packet: Packet) -> None:
        """Put a packet of `build` aside for the next frame; an unusual one goes back to where it came from."""
        fragments = packet.protocol_reserved[0]
        if fragments is None:
            self.free(packet)
        else:
            self._spare.setdefault(fragments, []).append(packet)

    def free(self, packet: Packet) -> None:
        """Buffers, memory and packet go back."""
        region = packet.protocol_reserved[1]
        while (mdl := ndis5.unchain_buffer_at_front(packet)) is not None:
            ndis5.free_buffer(mdl)
        self._kernel.free(region)
        ndis5.free_packet(packet)

    def close(self) -> None:
        """Everything is back: the pools go."""
        self._free_spare()
        ndis5.free_packet_pool(self._packets)
        ndis5.free_buffer_pool(self._buffers)

    def _free_spare(self) -> None:
        for packets in self._spare.values():
            for packet in packets:
                self.free(packet)
        self._spare.clear()

    def _take(self, size: int, fragments: int) -> Packet | None:
        spare = self._spare.get(fragments)
        if not spare or size > self._buffer_bytes:
            fresh = self._new(size, fragments)
            if fresh is None and self._spare:  # what lies aside has other numbers of buffers
                self._free_spare()
                fresh = self._new(size, fragments)
            return fresh
        packet = spare.pop()
        chain = packet.head
        assert chain is not None
        ndis5.reinitialize_packet(packet)
        ndis5.chain_buffer_at_front(packet, chain)
        return packet

    def _new(self, size: int, fragments: int) -> Packet | None:
        """So many descriptors of one new piece of memory; None, and nothing is taken, when something is short."""
        try:
            region = self._kernel.allocate(size)
        except MemoryError:
            return None
        _, packet = ndis5.allocate_packet(self._packets)
        if packet is None:
            self._kernel.free(region)
            return None
        packet.protocol_reserved[:2] = fragments if size == self._buffer_bytes else None, region
        for _ in range(fragments):
            _, mdl = ndis5.allocate_buffer(self._buffers, region)
            if mdl is None:
                self.free(packet)
                return None
            ndis5.chain_buffer_at_back(packet, mdl)
        return packet


def _fill(mdl: ndis.Mdl, frame: bytes, fragments: int) -> None:
    """Copy a frame into the memory of a chain and cut it over the descriptors; the first has the header (S5-15)."""
    mdl.region.view[: len(frame)] = frame
    piece: ndis.Mdl | None = mdl
    header = min(_HEADER_BYTES, len(frame))
    cuts = [header + (len(frame) - header) * number // fragments for number in range(1, fragments + 1)]
    for start, end in pairwise([0, *cuts]):
        assert piece is not None
        piece.byte_offset, piece.byte_count = start, end - start
        piece = piece.next

# SPDX-License-Identifier: Apache-2.0
"""The bytes of an NDIS_PACKET as a C driver finds them: where the out-of-band block lies behind the descriptor (OB-10).

    | private part | MiniportReserved[2], WrapperReserved[2], Reserved[2] | ProtocolReserved | OOB block | extension |
                                                                                           ^ NdisPacketOobOffset

Python drivers use the macros. This is for who has to show a packet to foreign code, or to people in a dump.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hilnic.ndis.ndis5.constants import PACKET_INFO_SLOTS
from hilnic.ndis.ndis5.packet import Packet

_RESERVED_POINTERS = 6
_OOB_ALIGNMENT = 8  # of its 64-bit times


@dataclass(frozen=True, slots=True)
class Layout:
    """The parts for one width of pointer.

    Private: PhysicalCount, TotalLength, Head, Tail, Pool, Count, Flags, ValidCounts, NdisPacketFlags, OobOffset.
    OOB: TimeToSend or TimeSent, TimeReceived, HeaderSize, SizeMediaSpecificInfo, MediaSpecificInformation, Status.
    """

    private: struct.Struct
    out_of_band: struct.Struct
    pointer: struct.Struct

    def oob_offset(self, protocol_reserved: int) -> int:
        """Where the out-of-band block is behind `protocol_reserved` bytes of the protocol's own."""
        end = self.private.size + _RESERVED_POINTERS * self.pointer.size + protocol_reserved
        return -(-end // _OOB_ALIGNMENT) * _OOB_ALIGNMENT

    def size(self, protocol_reserved: int) -> int:
        """Bytes of the whole descriptor."""
        extension = PACKET_INFO_SLOTS * self.pointer.size
        return self.oob_offset(protocol_reserved) + self.out_of_band.size + extension


LAYOUT_32 = Layout(struct.Struct("<IIIIIIIBBH"), struct.Struct("<QQIIII"), struct.Struct("<I"))
LAYOUT_64 = Layout(struct.Struct("<IIQQQIIBBH4x"), struct.Struct("<QQIIQI4x"), struct.Struct("<Q"))


def pack(packet: Packet, layout: Layout, protocol_reserved: int, address_of: Callable[[Any], int]) -> bytes:
    """The descriptor's bytes, reserved areas zero; `address_of` gives each object an address, None is 0."""
    data = bytearray(layout.size(protocol_reserved))
    offset = layout.oob_offset(protocol_reserved)
    length, chain = packet.length(), (packet.head, packet.tail, packet.pool)
    pointers = [0 if item is None else address_of(item) for item in chain]
    counts = (packet.buffer_count, packet.flags, packet.valid_counts, 0, offset)
    layout.private.pack_into(data, 0, packet.physical_count, length, *pointers, *counts)
    oob = packet.oob
    media = oob.media_specific_information
    times = (oob.time_to_send or oob.time_sent, oob.time_received)
    block = (oob.header_size, len(media), address_of(media) if media else 0, oob.status)
    layout.out_of_band.pack_into(data, offset, *times, *block)
    at = offset + layout.out_of_band.size
    for value in packet.packet_info:
        layout.pointer.pack_into(data, at, 0 if value is None else address_of(value))
        at += layout.pointer.size
    return bytes(data)

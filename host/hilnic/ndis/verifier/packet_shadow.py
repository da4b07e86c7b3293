# SPDX-License-Identifier: Apache-2.0
"""What a packet looked like when it was handed over, and poison when its validity ends (V2, V3); as shadow.py."""

from __future__ import annotations

from operator import itemgetter
from typing import Any, NamedTuple
from zlib import crc32

from hilnic.ndis.ndis5.constants import PacketInfo
from hilnic.ndis.ndis5.packet import Packet
from hilnic.ndis.verifier.shadow import POISON

_POISON_BYTES = bytes([POISON]) * 65536
_POISON_WORD = int.from_bytes(bytes([POISON]) * 8, "little")
_own_info = itemgetter(
    PacketInfo.CLASSIFICATION_HANDLE, PacketInfo.IEEE_8021Q, PacketInfo.ORIGINAL_PACKET, PacketInfo.CANCEL_ID
)  # the other slots carry results back, or are NDIS's


class SentShadow(NamedTuple):
    """Of a packet that was sent."""

    buffers: list[Any]
    crc: int
    out_of_band: tuple[Any, ...]
    protocol_reserved: list[Any]


ReceivedShadow = tuple[list[Any], int]


def take_sent(packet: Packet) -> SentShadow:
    """Everything that the miniport must leave as it is."""
    oob = packet.oob
    out_of_band = (oob.time_to_send, oob.header_size, oob.media_specific_information)
    info = _own_info(packet.packet_info)
    buffers, crc = _look(packet)
    return SentShadow(buffers, crc, out_of_band + info, packet.protocol_reserved.copy())


def sent_change(packet: Packet, before: SentShadow) -> tuple[str, str] | None:
    """The rule that a completed packet breaks and what changed, or None."""
    now = take_sent(packet)
    if now.buffers != before.buffers:
        return "S5-10", "its buffer chain differs from the submitted one"
    if now.out_of_band != before.out_of_band:
        return "S5-10", "its out-of-band data differs from the submitted one"
    if now.crc != before.crc:
        return "S5-08", "TOUCH_WHILE_PENDING: its bytes differ from the submitted ones"
    if now.protocol_reserved != before.protocol_reserved:
        return "S5-14", "ProtocolReserved differs from the submitted one"
    return None


def take_received(packet: Packet) -> ReceivedShadow:
    """What a receiver must leave as it is."""
    return _look(packet)


def received_change(packet: Packet, before: ReceivedShadow) -> bool:
    """Whether it differs from the indicated form."""
    return take_received(packet) != before


def poison(packet: Packet) -> None:
    """Fill bytes and out-of-band block with 0xDD, status excepted: it tells the miniport whose the packet is.

    The bytes of a translated packet are its list's, which may have other holders.
    """
    if packet.pool.poisons:
        for mdl in packet.buffers():
            fill(mdl.view)
    oob = packet.oob
    oob.time_to_send = oob.time_sent = oob.time_received = _POISON_WORD
    oob.header_size = _POISON_WORD & 0xFFFFFFFF
    oob.media_specific_information = bytes([POISON]) * len(oob.media_specific_information)


def fill(view: memoryview) -> None:
    """Poison a piece of memory."""
    for at in range(0, len(view), len(_POISON_BYTES)):
        piece = view[at : at + len(_POISON_BYTES)]
        piece[:] = _POISON_BYTES[: len(piece)]


def _look(packet: Packet) -> tuple[list[Any], int]:
    """Identity and extent of every buffer, and the CRC-32 of the bytes."""
    buffers: list[Any] = []
    crc = 0
    mdl = packet.head
    while mdl is not None:
        region, start, length = mdl.region, mdl.byte_offset, mdl.byte_count
        buffers += (mdl, region, start, length)
        crc = crc32(region.view[start : start + length], crc)
        mdl = mdl.next
    return buffers, crc

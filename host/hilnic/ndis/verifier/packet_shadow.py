# SPDX-License-Identifier: Apache-2.0
"""What a packet looked like when it was handed over, and poison when its validity ends (V2, V3); as shadow.py."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

from hilnic.ndis.mdl import is_circular
from hilnic.ndis.ndis5.constants import PACKET_INFO_SLOTS, PacketInfo
from hilnic.ndis.ndis5.packet import Packet
from hilnic.ndis.verifier.shadow import POISON, POISON_BYTES

_POISON_WORD = int.from_bytes(bytes([POISON]) * 8, "little")
_POISON_SIZE = _POISON_WORD & 0xFFFFFFFF
_EMPTY_INFO: list[Any] = [None] * PACKET_INFO_SLOTS
_NOTHING = (None, None, None, None)
_own_info = itemgetter(
    PacketInfo.CLASSIFICATION_HANDLE, PacketInfo.IEEE_8021Q, PacketInfo.ORIGINAL_PACKET, PacketInfo.CANCEL_ID
)  # the other slots carry results back, or are NDIS's

Buffers = tuple[Any, ...]
"""Of each buffer: the descriptor, its region, where it begins in that, how long it is."""

SentShadow = tuple[Buffers, bytes | None, tuple[Any, ...], list[Any]]
"""(buffers, their bytes if they were kept, out-of-band data, protocol_reserved)."""

ReceivedShadow = tuple[Buffers, bytes]

_OTHER_CHAIN = "its buffer chain differs from the submitted one"
_CIRCLE: ReceivedShadow = (("a circle",), b"")
"""A chain without an end, which no packet had when it was handed over."""


def take_sent(packet: Packet, keep_bytes: bool) -> SentShadow:
    """Everything that the miniport must leave as it is."""
    oob = packet.oob
    info = packet.packet_info
    own = _NOTHING if info == _EMPTY_INFO else _own_info(info)
    out_of_band = (oob.time_to_send, oob.header_size, oob.media_specific_information, own)
    mdl = packet.head
    if mdl is None or mdl.next is not None:
        buffers, data = take_received(packet)
        return buffers, data if keep_bytes else None, out_of_band, packet.protocol_reserved.copy()
    region, start, length = mdl.region, mdl.byte_offset, mdl.byte_count  # one piece, as most are
    one = region.view[start : start + length].tobytes() if keep_bytes else None
    return (mdl, region, start, length), one, out_of_band, packet.protocol_reserved.copy()


def take_piece(packet: Packet) -> Buffers | None:
    """Where a packet's one buffer lies, for sends that are not looked at as a whole; None: it has more, or none."""
    mdl = packet.head
    return None if mdl is None or mdl.next is not None else (mdl, mdl.region, mdl.byte_offset, mdl.byte_count)


def sent_change(packet: Packet, before: SentShadow | Buffers) -> tuple[str, str] | None:
    """The rule that a completed packet breaks and what changed, or None."""
    if before[0].__class__ is not tuple:
        return None if take_piece(packet) == before else ("S5-10", _OTHER_CHAIN)
    now = take_sent(packet, before[1] is not None)
    if now == before:
        return None
    if now[0] != before[0]:
        return "S5-10", _OTHER_CHAIN
    if now[2] != before[2]:
        return "S5-10", "its out-of-band data differs from the submitted one"
    if now[1] != before[1]:
        return "S5-08", "TOUCH_WHILE_PENDING: its bytes differ from the submitted ones"
    return "S5-14", "ProtocolReserved differs from the submitted one"


def take_received(packet: Packet) -> ReceivedShadow:
    """What a receiver must leave as it is: identity and extent of every buffer, and the bytes."""
    mdl = packet.head
    if mdl is not None and mdl.next is None:  # one piece, as most are
        region, start, length = mdl.region, mdl.byte_offset, mdl.byte_count
        return (mdl, region, start, length), region.view[start : start + length].tobytes()
    if is_circular(mdl):
        return _CIRCLE
    buffers: list[Any] = []
    pieces = []
    while mdl is not None:
        region, start, length = mdl.region, mdl.byte_offset, mdl.byte_count
        buffers += (mdl, region, start, length)
        pieces.append(region.view[start : start + length])
        mdl = mdl.next
    return tuple(buffers), b"".join(pieces)


def received_change(packet: Packet, before: ReceivedShadow) -> bool:
    """Whether it differs from the indicated form."""
    return take_received(packet) != before


def poison(packet: Packet) -> None:
    """Fill bytes and out-of-band block with 0xDD, status excepted: it tells the miniport whose the packet is.

    The bytes of a translated packet are its list's, which may have other holders.
    """
    mdl = packet.head if packet.pool.poisons and not is_circular(packet.head) else None
    while mdl is not None:
        fill(mdl.view)
        mdl = mdl.next
    oob = packet.oob
    oob.time_to_send = oob.time_sent = oob.time_received = _POISON_WORD
    oob.header_size = _POISON_SIZE
    if oob.media_specific_information:
        oob.media_specific_information = POISON_BYTES[: len(oob.media_specific_information)]


def fill(view: memoryview) -> None:
    """Poison a piece of memory."""
    size = len(view)
    if size <= len(POISON_BYTES):
        view[:] = POISON_BYTES[:size]
        return
    for at in range(0, size, len(POISON_BYTES)):
        piece = view[at : at + len(POISON_BYTES)]
        piece[:] = POISON_BYTES[: len(piece)]

# SPDX-License-Identifier: Apache-2.0
"""Out-of-band information: NDIS 5's per-packet slots <-> NDIS 6's per-list slots (XL-12).

Values are plain numbers (the ULONG of the union) or the objects that a pointer slot names; None is "not set".

    slot             NDIS 5            NDIS 6            sends                receives
    checksum         0                 0                 bits + TCP offset    same bits, never the loopback bit
    IPsec            1                 1                 same                 same
    large send       2 (MSS)           2 (LSOv1 word)    word <-> MSS         -
    classification   3                 3                 same                 same
    802.1Q           6                 4                 same 16 bits         same 16 bits
    cancel id        8                 5                 same                 -
    media specific   OOB block         6                 same bytes           same bytes
    protocol id      flags, low 4      7                 same                 -
    frame type       the header        7                 -                    EtherType, 6 only
    loopback mark    flags 0x100       NblFlags 0x8000   -                    same

What one side has no place for is left out: scatter/gather, padding and cached list of NDIS 5, its times; hash, WFP,
IPsecV2, correlation and filtering of NDIS 6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hilnic.ndis.flags import NBL_INFO_SLOTS, NblFlags, NblInfo
from hilnic.ndis.ndis5.constants import PACKET_INFO_SLOTS, PacketFlags, PacketInfo

if TYPE_CHECKING:
    from hilnic.ndis.nbl import NetBufferList
    from hilnic.ndis.ndis5.packet import Packet

EMPTY_5: Final[list[Any]] = [None] * PACKET_INFO_SLOTS
EMPTY_6: Final[list[Any]] = [None] * NBL_INFO_SLOTS

# Checksum words. The low bits have the same order in both versions, send and receive each.
SEND_CHECKSUM_BITS: Final = 0x1F  # IsIPv4, IsIPv6, TCP, UDP, IP header
RECEIVE_CHECKSUM_BITS: Final = 0x3F  # TCP, UDP, IP failed; TCP, UDP, IP succeeded. Bit 6 (loopback) is NDIS's own (A12)
_TRANSPORT_CHECKSUM: Final = 0x0C
_OFFSET_SHIFT: Final = 16
_OFFSET_MASK: Final = 0x3FF

# Large send words of NDIS 6: MSS 20 bits, TCP header offset 10 bits, one bit reserved (V2: IP version), one the type.
LARGE_SEND_V2: Final = 0x80000000
_MSS_MASK: Final = 0xFFFFF
_LSO_OFFSET_SHIFT: Final = 20
_PAYLOAD_MASK: Final = 0x3FFFFFFF

TAG_BITS: Final = 0xFFFF  # UserPriority:3, CanonicalFormatId:1, VlanId:12

_CHECKSUM5, _CHECKSUM6 = int(PacketInfo.TCP_IP_CHECKSUM), int(NblInfo.TCP_IP_CHECKSUM)
_LSO5, _LSO6 = int(PacketInfo.TCP_LARGE_SEND), int(NblInfo.TCP_LARGE_SEND)
_TAG5, _TAG6 = int(PacketInfo.IEEE_8021Q), int(NblInfo.IEEE_8021Q)
_CANCEL5, _CANCEL6 = int(PacketInfo.CANCEL_ID), int(NblInfo.CANCEL_ID)
_IPSEC5, _IPSEC6 = int(PacketInfo.IPSEC), int(NblInfo.IPSEC_V1)
_CLASS5, _CLASS6 = int(PacketInfo.CLASSIFICATION_HANDLE), int(NblInfo.CLASSIFICATION_HANDLE)
_MEDIA6 = int(NblInfo.MEDIA_SPECIFIC)
_PROTOCOL_ID6 = _FRAME_TYPE6 = int(NblInfo.FRAME_TYPE)
_PROTOCOL_ID_MASK = int(PacketFlags.PROTOCOL_ID_MASK)
_LOOPED5, _LOOPED6 = int(PacketFlags.IS_LOOPBACK_PACKET), int(NblFlags.IS_LOOPBACK_PACKET)

# Words.


def send_checksum_to_6(word: int, transport_offset: int) -> int:
    """NDIS 6 wants the offset of the TCP or UDP header where NDIS 5 lets the NIC find it."""
    bits = word & SEND_CHECKSUM_BITS
    if bits & _TRANSPORT_CHECKSUM:
        bits |= (transport_offset & _OFFSET_MASK) << _OFFSET_SHIFT
    return bits


def send_checksum_to_5(word: int) -> int:
    """The five bits that NDIS 5 knows."""
    return word & SEND_CHECKSUM_BITS


def receive_checksum(word: int) -> int:
    """Failed and succeeded bits, alike in both; the loopback bit does not leave NDIS (A12)."""
    return word & RECEIVE_CHECKSUM_BITS


def large_send_to_6(mss: int, transport_offset: int) -> int:
    """An MSS as the LsoV1Transmit word."""
    return mss & _MSS_MASK | (transport_offset & _OFFSET_MASK) << _LSO_OFFSET_SHIFT


def large_send_to_5(word: int) -> int:
    """The MSS of an LsoV1Transmit word."""
    return word & _MSS_MASK


def large_send_result(payload: int) -> int:
    """TCP payload bytes that went out: NDIS 5's word and LsoV1TransmitComplete are the same 30 bits (OF-09)."""
    return payload & _PAYLOAD_MASK


def expressible_in_5(nbl: NetBufferList) -> bool:
    """False for a large send of version 2: a 5.x miniport would cut it by the rules of version 1 (OF-10)."""
    word = nbl.net_buffer_list_info[_LSO6]
    return not (word and word & LARGE_SEND_V2)


# Whole objects, sends.


def send_to_6(packet: Packet, nbl: NetBufferList) -> None:
    """Copy what a 5.x protocol says of a packet it sends into an NBL without information."""
    protocol_id = packet.flags & _PROTOCOL_ID_MASK
    source, target = packet.packet_info, nbl.net_buffer_list_info
    if protocol_id:
        target[_PROTOCOL_ID6] = protocol_id
    if packet.oob.media_specific_information:
        target[_MEDIA6] = packet.oob.media_specific_information
    if source == EMPTY_5:
        return
    checksum, mss, tag = source[_CHECKSUM5], source[_LSO5], source[_TAG5]
    if checksum or mss:
        offset = transport_header_offset(_headers(packet))
        if checksum:
            target[_CHECKSUM6] = send_checksum_to_6(checksum, offset)
        if mss:
            target[_LSO6] = large_send_to_6(mss, offset)
    if tag:
        target[_TAG6] = tag & TAG_BITS
    target[_IPSEC6] = source[_IPSEC5]
    target[_CLASS6] = source[_CLASS5]
    target[_CANCEL6] = source[_CANCEL5]


def send_to_5(nbl: NetBufferList, packet: Packet) -> None:
    """Copy what a 6.x sender says of a list into one of the packets made of it, which has no information yet."""
    source = nbl.net_buffer_list_info
    if source == EMPTY_6:
        return
    target = packet.packet_info
    checksum, large_send, tag = source[_CHECKSUM6], source[_LSO6], source[_TAG6]
    if checksum:
        target[_CHECKSUM5] = send_checksum_to_5(checksum)
    if large_send:
        target[_LSO5] = large_send_to_5(large_send)
    if tag:
        target[_TAG5] = tag & TAG_BITS
    if source[_MEDIA6]:
        packet.oob.media_specific_information = source[_MEDIA6]
    if source[_PROTOCOL_ID6]:
        packet.flags |= source[_PROTOCOL_ID6] & _PROTOCOL_ID_MASK
    target[_IPSEC5] = source[_IPSEC6]
    target[_CLASS5] = source[_CLASS6]
    target[_CANCEL5] = source[_CANCEL6]


def send_result_to_5(nbl: NetBufferList, packet: Packet) -> None:
    """After a large send the slot says how much payload went out; the sender's packet learns it."""
    result = nbl.net_buffer_list_info[_LSO6]
    if result is not None:
        packet.packet_info[_LSO5] = large_send_result(result)


def send_result_to_6(packet: Packet, nbl: NetBufferList) -> None:
    """The reverse: a 5.x miniport wrote the payload into its packet's slot."""
    if nbl.net_buffer_list_info[_LSO6] is not None:
        nbl.net_buffer_list_info[_LSO6] = large_send_result(packet.packet_info[_LSO5] or 0)


# Whole objects, receives.


def receive_to_6(packet: Packet, nbl: NetBufferList, frame_type: int | None) -> None:
    """Copy what a 5.x miniport says of a packet it indicates; `frame_type` is the EtherType, None without one."""
    target = nbl.net_buffer_list_info
    target[_FRAME_TYPE6] = frame_type
    if packet.flags & _LOOPED5:
        nbl.nbl_flags |= _LOOPED6
    if packet.oob.media_specific_information:
        target[_MEDIA6] = packet.oob.media_specific_information
    source = packet.packet_info
    if source == EMPTY_5:
        return
    checksum, tag = source[_CHECKSUM5], source[_TAG5]
    if checksum:
        target[_CHECKSUM6] = receive_checksum(checksum)
    if tag:
        target[_TAG6] = tag & TAG_BITS
    target[_IPSEC6] = source[_IPSEC5]
    target[_CLASS6] = source[_CLASS5]


def receive_to_5(nbl: NetBufferList, packet: Packet) -> None:
    """Copy what a 6.x miniport says of a list it indicates into the packet made of it."""
    if nbl.nbl_flags & _LOOPED6:
        packet.flags |= _LOOPED5
    source, target = nbl.net_buffer_list_info, packet.packet_info
    checksum, tag = source[_CHECKSUM6], source[_TAG6]
    if checksum:
        target[_CHECKSUM5] = receive_checksum(checksum)
    if tag:
        target[_TAG5] = tag & TAG_BITS
    if source[_MEDIA6]:
        packet.oob.media_specific_information = source[_MEDIA6]
    target[_IPSEC5] = source[_IPSEC6]
    target[_CLASS5] = source[_CLASS6]


# Do both say the same? (V12; a relation of its own, which does not use the translation above.)

_SEND_PAIRS: Final = (
    ("checksum", _CHECKSUM5, _CHECKSUM6, SEND_CHECKSUM_BITS),
    ("large send", _LSO5, _LSO6, _MSS_MASK),
    ("802.1Q", _TAG5, _TAG6, TAG_BITS),
)
_RECEIVE_PAIRS: Final = (
    ("checksum", _CHECKSUM5, _CHECKSUM6, RECEIVE_CHECKSUM_BITS),
    ("802.1Q", _TAG5, _TAG6, TAG_BITS),
)
_SAME_OBJECTS: Final = (("IPsec", _IPSEC5, _IPSEC6), ("classification", _CLASS5, _CLASS6))


def send_difference(packet: Packet, nbl: NetBufferList) -> str | None:
    """What packet and list of one send say differently, or None."""
    protocol_id = packet.flags & _PROTOCOL_ID_MASK
    if not protocol_id and packet.packet_info == EMPTY_5 and nbl.net_buffer_list_info == EMPTY_6:
        return "media-specific information" if packet.oob.media_specific_information else None
    if protocol_id != (nbl.net_buffer_list_info[_PROTOCOL_ID6] or 0) & _PROTOCOL_ID_MASK:
        return "protocol id"
    objects = (*_SAME_OBJECTS, ("cancel id", _CANCEL5, _CANCEL6))
    return _difference(packet, nbl, _SEND_PAIRS, objects)


def receive_difference(packet: Packet, nbl: NetBufferList) -> str | None:
    """What packet and list of one receive say differently, or None."""
    if bool(packet.flags & _LOOPED5) != bool(nbl.nbl_flags & _LOOPED6):
        return "loopback mark"
    return _difference(packet, nbl, _RECEIVE_PAIRS, _SAME_OBJECTS)


def _difference(
    packet: Packet,
    nbl: NetBufferList,
    numbers: tuple[tuple[str, int, int, int], ...],
    objects: tuple[tuple[str, int, int], ...],
) -> str | None:
    five, six = packet.packet_info, nbl.net_buffer_list_info
    if (packet.oob.media_specific_information or None) != (six[_MEDIA6] or None):
        return "media-specific information"
    if five == EMPTY_5 and six == EMPTY_6:
        return None
    for name, slot5, slot6, mask in numbers:
        if (five[slot5] or 0) & mask != (six[slot6] or 0) & mask:
            return f"{name}: {five[slot5]} in the packet, {six[slot6]} in the list"
    for name, slot5, slot6 in objects:
        if five[slot5] is not six[slot6]:
            return f"{name}: {five[slot5]!r} in the packet, {six[slot6]!r} in the list"
    return None


# The offset that NDIS 6 asks for.

_ETHER_IPV4, _ETHER_IPV6, _ETHER_VLAN = 0x0800, 0x86DD, 0x8100
_IPV6_EXTENSIONS: Final = frozenset({0, 43, 60})  # hop-by-hop, routing, destination options: 8 + 8 * length bytes
_HEADERS_LENGTH: Final = 256


def transport_header_offset(frame: bytes) -> int:
    """Bytes from the frame's start to its TCP or UDP header; 0 when the headers given do not lead there."""
    at = 12
    ether_type = int.from_bytes(frame[at : at + 2], "big")
    if ether_type == _ETHER_VLAN:
        at += 4
        ether_type = int.from_bytes(frame[at : at + 2], "big")
    at += 2
    if ether_type == _ETHER_IPV4 and len(frame) > at:
        return at + (frame[at] & 0xF) * 4
    if ether_type == _ETHER_IPV6 and len(frame) >= at + 40:
        header, at = frame[at + 6], at + 40
        while header in _IPV6_EXTENSIONS and len(frame) >= at + 2:
            header, at = frame[at], at + 8 + 8 * frame[at + 1]
        return at
    return 0


def _headers(packet: Packet) -> bytes:
    """The first bytes of the frame, read for their lengths and thrown away."""
    headers = b""
    for mdl in packet.buffers():
        headers += bytes(mdl.view[: _HEADERS_LENGTH - len(headers)])
        if len(headers) == _HEADERS_LENGTH:
            break
    return headers

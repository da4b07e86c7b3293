# SPDX-License-Identifier: Apache-2.0
"""The little of IEEE 802.3 that NDIS itself needs: the destination address, for per-binding receive filtering."""

from __future__ import annotations

from hilnic.ndis.flags import PacketFilter
from hilnic.ndis.net_buffer import NetBuffer

HEADER_SIZE = 14
VLAN_TAG_SIZE = 4
MAXIMUM_PAYLOAD = 1500
BROADCAST = b"\xff" * 6

_VLAN_TYPES = (b"\x81\x00", b"\x88\xa8")
_IPV4, _IPV6 = b"\x08\x00", b"\x86\xdd"
_IPV6_EXTENSIONS, _IPV6_FRAGMENT = frozenset({0, 43, 44, 60}), 44
_TCP, _UDP = 6, 17
_DIRECTED = int(PacketFilter.DIRECTED)
_MULTICAST = int(PacketFilter.MULTICAST)
_ALL_MULTICAST = int(PacketFilter.ALL_MULTICAST)
_BROADCAST = int(PacketFilter.BROADCAST)
_PROMISCUOUS = int(PacketFilter.PROMISCUOUS)


def destination(nb: NetBuffer) -> bytes:
    """The first six bytes of the frame (fewer when the frame is shorter), wherever the MDLs cut it."""
    mdl, offset = nb.current_mdl, nb.current_mdl_offset
    if mdl is not None and nb.data_length >= 6 and mdl.byte_count - offset >= 6:
        start = mdl.byte_offset + offset
        return bytes(mdl.region.view[start : start + 6])
    return nb.tobytes(6)


def ether_type(nb: NetBuffer) -> int:
    """The EtherType of the frame as it lies there, a VLAN tag's included; 0 when the frame ends before it."""
    header = nb.tobytes(HEADER_SIZE)
    return int.from_bytes(header[12:14], "big") if len(header) == HEADER_SIZE else 0


def header_length(frame: bytes) -> int:
    """Bytes up to the end of the headers that a receiver parses: MAC, VLAN tags, IP and what extends it, TCP or UDP.

    `frame` may be a leading part of the frame; what lies beyond it counts as far as the part tells.
    """
    at = _type_position(frame)
    kind, at = frame[at : at + 2], at + 2
    if kind == _IPV4 and len(frame) > at:
        return _transport_end(frame, at + 4 * (frame[at] & 15), frame[at + 9] if len(frame) > at + 9 else 0)
    if kind == _IPV6 and len(frame) > at + 6:
        protocol, at = frame[at + 6], at + 40
        while protocol in _IPV6_EXTENSIONS and len(frame) > at + 1:
            protocol, at = frame[at], at + (8 if protocol == _IPV6_FRAGMENT else 8 * (frame[at + 1] + 1))
        return _transport_end(frame, at, protocol)
    return at


def carries_ip(frame: bytes) -> bool:
    """Whether an IP header follows the MAC header and its VLAN tags."""
    at = _type_position(frame)
    return frame[at : at + 2] in {_IPV4, _IPV6}


def _type_position(frame: bytes) -> int:
    at = 12
    while frame[at : at + 2] in _VLAN_TYPES:
        at += VLAN_TAG_SIZE
    return at


def _transport_end(frame: bytes, at: int, protocol: int) -> int:
    if protocol == _TCP:
        return at + (4 * (frame[at + 12] >> 4) if len(frame) > at + 12 else 20)
    return at + 8 if protocol == _UDP else at


def is_multicast(address: bytes) -> bool:
    """A group address: the low bit of the first byte (802.3 clause 3.2.3), broadcast included."""
    return bool(address) and bool(address[0] & 1)


def filter_accepts(packet_filter: int, own_address: bytes, multicast_list: frozenset[bytes], address: bytes) -> bool:
    """Whether a receive filter asks for a frame sent to `address` (R6-15; OID_GEN_CURRENT_PACKET_FILTER)."""
    if packet_filter & _PROMISCUOUS:
        return True
    if address == own_address:
        return bool(packet_filter & _DIRECTED)
    if address == BROADCAST:
        return bool(packet_filter & _BROADCAST)
    if is_multicast(address):
        return bool(packet_filter & _ALL_MULTICAST) or (bool(packet_filter & _MULTICAST) and address in multicast_list)
    return False

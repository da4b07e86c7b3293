# SPDX-License-Identifier: Apache-2.0
"""The little of IEEE 802.3 that NDIS itself needs: the destination address, for per-binding receive filtering."""

from __future__ import annotations

from hilnic.ndis.flags import PacketFilter
from hilnic.ndis.net_buffer import NetBuffer

HEADER_SIZE = 14
VLAN_TAG_SIZE = 4
MAXIMUM_PAYLOAD = 1500
BROADCAST = b"\xff" * 6

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

# SPDX-License-Identifier: Apache-2.0
"""OID_GEN_STATISTICS: the counters of NDIS_STATISTICS_INFO, their bytes, and the identities they obey (OI-13)."""

from __future__ import annotations

import struct
from dataclasses import astuple, dataclass
from enum import IntEnum

from hilnic.ndis.oids import Oid

_LAYOUT = struct.Struct("<BBHI18Q")
_OBJECT_TYPE_DEFAULT = 0x80


class StatisticsFlags(IntEnum):
    """NDIS_STATISTICS_FLAGS_VALID_*."""

    DIRECTED_FRAMES_RCV = 0x1
    MULTICAST_FRAMES_RCV = 0x2
    BROADCAST_FRAMES_RCV = 0x4
    BYTES_RCV = 0x8
    RCV_DISCARDS = 0x10
    RCV_ERROR = 0x20
    DIRECTED_FRAMES_XMIT = 0x40
    MULTICAST_FRAMES_XMIT = 0x80
    BROADCAST_FRAMES_XMIT = 0x100
    BYTES_XMIT = 0x200
    XMIT_ERROR = 0x400
    XMIT_DISCARDS = 0x8000
    DIRECTED_BYTES_RCV = 0x10000
    MULTICAST_BYTES_RCV = 0x20000
    BROADCAST_BYTES_RCV = 0x40000
    DIRECTED_BYTES_XMIT = 0x80000
    MULTICAST_BYTES_XMIT = 0x100000
    BROADCAST_BYTES_XMIT = 0x200000


ALL_STATISTICS = 0x3F87FF


@dataclass(frozen=True, slots=True)
class StatisticsInfo:
    """NDIS_STATISTICS_INFO after its header; octets count whole frames without FCS."""

    if_in_discards: int = 0
    if_in_errors: int = 0
    if_hc_in_octets: int = 0
    if_hc_in_ucast_pkts: int = 0
    if_hc_in_multicast_pkts: int = 0
    if_hc_in_broadcast_pkts: int = 0
    if_hc_out_octets: int = 0
    if_hc_out_ucast_pkts: int = 0
    if_hc_out_multicast_pkts: int = 0
    if_hc_out_broadcast_pkts: int = 0
    if_out_errors: int = 0
    if_out_discards: int = 0
    if_hc_in_ucast_octets: int = 0
    if_hc_in_multicast_octets: int = 0
    if_hc_in_broadcast_octets: int = 0
    if_hc_out_ucast_octets: int = 0
    if_hc_out_multicast_octets: int = 0
    if_hc_out_broadcast_octets: int = 0

    def pack(self, supported: int = ALL_STATISTICS) -> bytes:
        """The bytes of the OID's answer."""
        return _LAYOUT.pack(_OBJECT_TYPE_DEFAULT, 1, _LAYOUT.size, supported, *astuple(self))

    @classmethod
    def parse(cls, data: bytes) -> StatisticsInfo:
        """The reverse of `pack`."""
        return cls(*_LAYOUT.unpack_from(data)[4:])

    def broken_identity(self) -> str | None:
        """The first identity that does not hold (octets = unicast + multicast + broadcast), or None (OI-13)."""
        for way in ("in", "out"):
            total = getattr(self, f"if_hc_{way}_octets")
            parts = sum(getattr(self, f"if_hc_{way}_{kind}_octets") for kind in ("ucast", "multicast", "broadcast"))
            if total != parts:
                return f"{way} octets {total} != {parts} = ucast + multicast + broadcast"
        return None


def bad_header(data: bytes) -> str | None:
    """What is wrong with the object header of an answer: type, revision, size (OI-21)."""
    if len(data) < _LAYOUT.size:
        return f"{len(data)} bytes for a structure of {_LAYOUT.size}"
    kind, revision, size = data[0], data[1], int.from_bytes(data[2:4], "little")
    if (kind, revision, size) == (_OBJECT_TYPE_DEFAULT, 1, _LAYOUT.size):
        return None
    return f"object header type {kind:#x}, revision {revision}, size {size}"


def _packets(way: str) -> tuple[str, ...]:
    return tuple(f"if_hc_{way}_{kind}_pkts" for kind in ("ucast", "multicast", "broadcast"))


COUNTER_OIDS: dict[int, tuple[str, ...]] = {
    Oid.OID_GEN_XMIT_OK: _packets("out"),
    Oid.OID_GEN_RCV_OK: _packets("in"),
    Oid.OID_GEN_XMIT_ERROR: ("if_out_errors",),
    Oid.OID_GEN_RCV_ERROR: ("if_in_errors",),
    Oid.OID_GEN_RCV_NO_BUFFER: ("if_in_discards",),
    Oid.OID_GEN_RCV_DISCARDS: ("if_in_discards",),
    Oid.OID_GEN_XMIT_DISCARDS: ("if_out_discards",),
    Oid.OID_GEN_BYTES_RCV: ("if_hc_in_octets",),
    Oid.OID_GEN_BYTES_XMIT: ("if_hc_out_octets",),
    Oid.OID_GEN_DIRECTED_BYTES_XMIT: ("if_hc_out_ucast_octets",),
    Oid.OID_GEN_DIRECTED_FRAMES_XMIT: ("if_hc_out_ucast_pkts",),
    Oid.OID_GEN_MULTICAST_BYTES_XMIT: ("if_hc_out_multicast_octets",),
    Oid.OID_GEN_MULTICAST_FRAMES_XMIT: ("if_hc_out_multicast_pkts",),
    Oid.OID_GEN_BROADCAST_BYTES_XMIT: ("if_hc_out_broadcast_octets",),
    Oid.OID_GEN_BROADCAST_FRAMES_XMIT: ("if_hc_out_broadcast_pkts",),
    Oid.OID_GEN_DIRECTED_BYTES_RCV: ("if_hc_in_ucast_octets",),
    Oid.OID_GEN_DIRECTED_FRAMES_RCV: ("if_hc_in_ucast_pkts",),
    Oid.OID_GEN_MULTICAST_BYTES_RCV: ("if_hc_in_multicast_octets",),
    Oid.OID_GEN_MULTICAST_FRAMES_RCV: ("if_hc_in_multicast_pkts",),
    Oid.OID_GEN_BROADCAST_BYTES_RCV: ("if_hc_in_broadcast_octets",),
    Oid.OID_GEN_BROADCAST_FRAMES_RCV: ("if_hc_in_broadcast_pkts",),
}
"""Single-counter OIDs that NDIS answers out of OID_GEN_STATISTICS: the fields to add up."""


def counter_value(info: StatisticsInfo, oid: int) -> int:
    """The value of a single-counter OID."""
    return sum(getattr(info, name) for name in COUNTER_OIDS[oid])

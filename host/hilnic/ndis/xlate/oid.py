# SPDX-License-Identifier: Apache-2.0
"""Requests in the words of the other version (XL-20): statuses, counters, statistics, attributes, lists of OIDs.

NDIS 6 asks for one block of 64-bit statistics, NDIS 5 for one counter at a time, of 32 or 64 bits. `Counters` makes a
64-bit view of a miniport's 32-bit ones by counting how often each has begun again at zero.
"""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable
from dataclasses import fields
from typing import Final

from hilnic.ndis.driver import GeneralAttributes
from hilnic.ndis.ethernet import MAXIMUM_PAYLOAD
from hilnic.ndis.flags import MediaConnectState, MediaDuplexState, RequestType
from hilnic.ndis.oid_request import OidRequest, answer_counter, answer_query, query
from hilnic.ndis.oids import Oid
from hilnic.ndis.statistics import COUNTER_OIDS, StatisticsFlags, StatisticsInfo
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.xlate import link

Ask = Callable[[OidRequest], Awaitable[NdisStatus]]
"""Gives one request to a 5.x miniport (query or set handler) and waits for its end; the status is a 5.x one."""

# Statuses of requests; those of sends are in status.py.

_TO_5: Final[dict[int, NdisStatus]] = {
    NdisStatus.BUFFER_TOO_SHORT: NdisStatus.INVALID_LENGTH,
    NdisStatus.NOT_SUPPORTED: NdisStatus.INVALID_OID,
    NdisStatus.PAUSED: NdisStatus.FAILURE,
    NdisStatus.LOW_POWER_STATE: NdisStatus.FAILURE,
}


def status_to_5(status: int) -> NdisStatus:
    """How a 6.x answer to a request reads for a 5.x protocol."""
    return _TO_5.get(status) or NdisStatus(status)


def status_to_6(request_type: RequestType, status: int) -> NdisStatus:
    """How a 5.x miniport's answer reads for NDIS 6; only a query that is too small is BUFFER_TOO_SHORT."""
    if status == NdisStatus.INVALID_OID:
        return NdisStatus.NOT_SUPPORTED
    if status == NdisStatus.INVALID_LENGTH and request_type is not RequestType.SET_INFORMATION:
        return NdisStatus.BUFFER_TOO_SHORT
    return NdisStatus(status)


# Lists of OIDs.

ONLY_5: Final[frozenset[int]] = frozenset({Oid.OID_GEN_PROTOCOL_OPTIONS, Oid.OID_GEN_MAXIMUM_SEND_PACKETS})
"""What NDIS answers for a 6.x miniport that knows nothing of packets."""

ONLY_6: Final[frozenset[int]] = frozenset(
    {
        Oid.OID_GEN_STATISTICS,
        Oid.OID_GEN_LINK_STATE,
        Oid.OID_GEN_LINK_PARAMETERS,
        Oid.OID_GEN_INTERRUPT_MODERATION,
        Oid.OID_GEN_RECEIVE_SCALE_CAPABILITIES,
        Oid.OID_GEN_RECEIVE_SCALE_PARAMETERS,
        Oid.OID_GEN_RECEIVE_HASH,
    }
)
"""What means nothing to a 5.x driver."""

_MADE_FOR_6: Final[frozenset[int]] = frozenset({Oid.OID_GEN_STATISTICS, Oid.OID_GEN_LINK_STATE})


def supported_list_to_5(oids: bytes) -> bytes:
    """OID_GEN_SUPPORTED_LIST of a 6.x adapter for a 5.x protocol."""
    return _list((set(_numbers(oids)) - ONLY_6) | ONLY_5)


def supported_list_to_6(oids: bytes) -> tuple[Oid, ...]:
    """OID_GEN_SUPPORTED_LIST of a 5.x miniport for GeneralAttributes.supported_oids; unknown numbers are left out."""
    known = {oid.value for oid in Oid}
    return tuple(Oid(oid) for oid in sorted((set(_numbers(oids)) & known - ONLY_5) | _MADE_FOR_6))


def _numbers(data: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])


def _list(oids: set[int]) -> bytes:
    return struct.pack(f"<{len(oids)}I", *sorted(oids))


# Counters.


class Counters:
    """64-bit views of the counters of one 5.x miniport; a 32-bit one that went back has gone round once."""

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: dict[int, tuple[int, int]] = {}  # OID -> (high part, last low part)

    def widen(self, oid: int, answer: bytes) -> int:
        """The value behind a counter's answer of 4 or 8 bytes."""
        value = int.from_bytes(answer, "little")
        if len(answer) > 4:
            return value
        high, last = self._seen.get(oid, (0, 0))
        if value < last:
            high += 1
        self._seen[oid] = high, value
        return high << 32 | value


_FLAGS: Final[dict[str, StatisticsFlags]] = {
    "if_in_discards": StatisticsFlags.RCV_DISCARDS,
    "if_in_errors": StatisticsFlags.RCV_ERROR,
    "if_hc_in_octets": StatisticsFlags.BYTES_RCV,
    "if_hc_in_ucast_pkts": StatisticsFlags.DIRECTED_FRAMES_RCV,
    "if_hc_in_multicast_pkts": StatisticsFlags.MULTICAST_FRAMES_RCV,
    "if_hc_in_broadcast_pkts": StatisticsFlags.BROADCAST_FRAMES_RCV,
    "if_hc_out_octets": StatisticsFlags.BYTES_XMIT,
    "if_hc_out_ucast_pkts": StatisticsFlags.DIRECTED_FRAMES_XMIT,
    "if_hc_out_multicast_pkts": StatisticsFlags.MULTICAST_FRAMES_XMIT,
    "if_hc_out_broadcast_pkts": StatisticsFlags.BROADCAST_FRAMES_XMIT,
    "if_out_errors": StatisticsFlags.XMIT_ERROR,
    "if_out_discards": StatisticsFlags.XMIT_DISCARDS,
    "if_hc_in_ucast_octets": StatisticsFlags.DIRECTED_BYTES_RCV,
    "if_hc_in_multicast_octets": StatisticsFlags.MULTICAST_BYTES_RCV,
    "if_hc_in_broadcast_octets": StatisticsFlags.BROADCAST_BYTES_RCV,
    "if_hc_out_ucast_octets": StatisticsFlags.DIRECTED_BYTES_XMIT,
    "if_hc_out_multicast_octets": StatisticsFlags.MULTICAST_BYTES_XMIT,
    "if_hc_out_broadcast_octets": StatisticsFlags.BROADCAST_BYTES_XMIT,
}

_TOTALS: Final = {
    f"if_hc_{way}_octets": tuple(f"if_hc_{way}_{kind}_octets" for kind in ("ucast", "multicast", "broadcast"))
    for way in ("in", "out")
}
"""Fields that are the sum of others (OI-13): the block is consistent although its parts are asked one by one."""

STATISTICS_SOURCES: Final[dict[str, int]] = {"if_in_discards": Oid.OID_GEN_RCV_NO_BUFFER} | {
    names[0]: oid
    for oid, names in COUNTER_OIDS.items()
    if len(names) == 1 and names[0] not in _TOTALS and oid != Oid.OID_GEN_RCV_DISCARDS
}
"""Field of NDIS_STATISTICS_INFO -> the 5.x counter that it comes from."""


async def statistics(ask: Ask, counters: Counters) -> tuple[StatisticsInfo, int]:
    """NDIS_STATISTICS_INFO of a 5.x miniport, and its valid flags: only what the miniport counts is claimed."""
    values = dict.fromkeys((field.name for field in fields(StatisticsInfo)), 0)
    supported = 0
    for name, oid in STATISTICS_SOURCES.items():
        value = await read_counter(ask, counters, oid)
        if value is not None:
            values[name] = value
            supported |= _FLAGS[name]
    for name, parts in _TOTALS.items():
        values[name] = sum(values[part] for part in parts)
        if all(supported & _FLAGS[part] for part in parts):
            supported |= _FLAGS[name]
    return StatisticsInfo(**values), supported


async def read_counter(ask: Ask, counters: Counters, oid: int) -> int | None:
    """The 64-bit view of one counter; None when the miniport does not know it."""
    request = query(oid, 8)
    if await ask(request) is not NdisStatus.SUCCESS:
        return None
    return counters.widen(oid, request.answer())


# A 6.x request to a 5.x miniport.


async def ask_miniport_5(ask: Ask, counters: Counters, request: OidRequest) -> NdisStatus:
    """Serve one 6.x request by what a 5.x miniport knows; the status is a 6.x one."""
    if request.request_type is not RequestType.SET_INFORMATION:
        if request.oid == Oid.OID_GEN_STATISTICS:
            info, supported = await statistics(ask, counters)
            return answer_query(request, info.pack(supported))
        if request.oid in COUNTER_OIDS:
            value = await read_counter(ask, counters, request.oid)
            return NdisStatus.NOT_SUPPORTED if value is None else answer_counter(request, value)
    return status_to_6(request.request_type, await ask(request))


_LIST_BYTES: Final = 1024
_ATTRIBUTES: Final[dict[int, int]] = {
    Oid.OID_802_3_CURRENT_ADDRESS: 6,
    Oid.OID_802_3_PERMANENT_ADDRESS: 6,
    Oid.OID_802_3_MAXIMUM_LIST_SIZE: 4,
    Oid.OID_GEN_MAXIMUM_FRAME_SIZE: 4,
    Oid.OID_GEN_MAXIMUM_LOOKAHEAD: 4,
    Oid.OID_GEN_MAC_OPTIONS: 4,
    Oid.OID_GEN_LINK_SPEED: 4,
    Oid.OID_GEN_MEDIA_CONNECT_STATUS: 4,
    Oid.OID_GEN_SUPPORTED_LIST: _LIST_BYTES,
}
"""What NDIS asks a 5.x miniport once, after its MiniportInitialize -> size of the buffer."""


async def read_attributes(ask: Ask) -> dict[int, bytes]:
    """The answers to all of the above that the miniport gives; one that needs more room is asked for once more."""
    answers: dict[int, bytes] = {}
    for oid, size in _ATTRIBUTES.items():
        request = query(oid, size)
        status = await ask(request)
        if status is NdisStatus.INVALID_LENGTH and request.bytes_needed > size:
            request = query(oid, request.bytes_needed)
            status = await ask(request)
        if status is NdisStatus.SUCCESS:
            answers[oid] = request.answer()
    return answers


def general_attributes(answers: dict[int, bytes]) -> GeneralAttributes:
    """What a 6.x miniport would have set at initialize, from a 5.x miniport's answers (OID -> bytes)."""

    def number(oid: Oid, default: int) -> int:
        return int.from_bytes(answers[oid], "little") if oid in answers else default

    address = answers.get(Oid.OID_802_3_CURRENT_ADDRESS) or answers.get(Oid.OID_802_3_PERMANENT_ADDRESS) or bytes(6)
    speed = number(Oid.OID_GEN_LINK_SPEED, 0) * link.SPEED_UNIT
    state = link.media_connect_state(number(Oid.OID_GEN_MEDIA_CONNECT_STATUS, 0))
    now = speed if state is MediaConnectState.CONNECTED else link.UNKNOWN_SPEED
    mtu = number(Oid.OID_GEN_MAXIMUM_FRAME_SIZE, MAXIMUM_PAYLOAD)
    defaults = GeneralAttributes(mac_address=address)
    return GeneralAttributes(
        mac_address=address,
        permanent_mac_address=answers.get(Oid.OID_802_3_PERMANENT_ADDRESS, b""),
        mtu_size=mtu,
        lookahead_size=number(Oid.OID_GEN_MAXIMUM_LOOKAHEAD, mtu),
        max_xmit_link_speed=speed,
        max_rcv_link_speed=speed,
        xmit_link_speed=now,
        rcv_link_speed=now,
        media_connect_state=state,
        media_duplex_state=MediaDuplexState.UNKNOWN,
        mac_options=number(Oid.OID_GEN_MAC_OPTIONS, 0),
        supported_packet_filters=defaults.supported_packet_filters,
        max_multicast_list_size=number(Oid.OID_802_3_MAXIMUM_LIST_SIZE, 0),
        supported_oids=supported_list_to_6(answers.get(Oid.OID_GEN_SUPPORTED_LIST, b"")),
    )

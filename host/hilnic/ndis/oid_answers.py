# SPDX-License-Identifier: Apache-2.0
"""What NDIS answers for the miniport (OI-09), and how it merges what several bindings ask for (OI-10, OI-11)."""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from hilnic.ndis.ethernet import HEADER_SIZE, is_multicast
from hilnic.ndis.flags import PacketFilter, RequestType
from hilnic.ndis.oid_request import OidRequest, answer_query, set_information, take_set
from hilnic.ndis.oids import Oid
from hilnic.ndis.statistics import COUNTER_OIDS as _COUNTERS
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.status_indication import LinkState
from hilnic.ndis.xlate import link as xlate_link

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.binding import Binding

ADDRESS_SIZE = 6
_ANSWERED_BY_NDIS = PacketFilter.ALL_LOCAL | PacketFilter.NO_LOCAL  # about loopback: no miniport's business


def _u32(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def _link(binding: Binding) -> LinkState:
    return binding.adapter.link_state or LinkState()


def _media_state(binding: Binding) -> bytes:
    return _u32(xlate_link.media_state(_link(binding).media_connect_state))


def _multicast_union(binding: Binding) -> bytes:
    return b"".join(merged_multicast(binding.adapter))


QUERIES: dict[int, Callable[[Binding], bytes]] = {
    Oid.OID_GEN_SUPPORTED_LIST: lambda b: _u32(
        *sorted({*b.adapter.attributes.supported_oids, *QUERIES, *_SET_CHECKS, *_COUNTERS})
    ),
    Oid.OID_GEN_MEDIA_SUPPORTED: lambda b: _u32(b.adapter.attributes.media_type),
    Oid.OID_GEN_MEDIA_IN_USE: lambda b: _u32(b.adapter.attributes.media_type),
    Oid.OID_GEN_MAXIMUM_LOOKAHEAD: lambda b: _u32(b.adapter.attributes.lookahead_size),
    Oid.OID_GEN_CURRENT_LOOKAHEAD: lambda b: _u32(max(other.lookahead for other in b.adapter.bindings)),
    Oid.OID_GEN_MAXIMUM_FRAME_SIZE: lambda b: _u32(b.adapter.attributes.mtu_size),
    Oid.OID_GEN_MAXIMUM_TOTAL_SIZE: lambda b: _u32(b.adapter.attributes.mtu_size + HEADER_SIZE),
    Oid.OID_GEN_LINK_SPEED: lambda b: _u32(min(_link(b).xmit_link_speed // 100, 0xFFFFFFFF)),
    Oid.OID_GEN_LINK_STATE: lambda b: _link(b).pack(),
    Oid.OID_GEN_MEDIA_CONNECT_STATUS: _media_state,
    Oid.OID_GEN_MAC_OPTIONS: lambda b: _u32(b.adapter.attributes.mac_options),
    Oid.OID_GEN_CURRENT_PACKET_FILTER: lambda b: _u32(b.packet_filter),
    Oid.OID_GEN_DRIVER_VERSION: lambda b: struct.pack("<H", b.adapter.driver.characteristics.ndis_version),
    Oid.OID_GEN_RESET_COUNTS: lambda b: _u32(b.adapter.reset_count),
    Oid.OID_802_3_PERMANENT_ADDRESS: lambda b: (
        b.adapter.attributes.permanent_mac_address or b.adapter.attributes.mac_address
    ),
    Oid.OID_802_3_CURRENT_ADDRESS: lambda b: b.adapter.attributes.mac_address,
    Oid.OID_802_3_MULTICAST_LIST: _multicast_union,
    Oid.OID_802_3_MAXIMUM_LIST_SIZE: lambda b: _u32(b.adapter.attributes.max_multicast_list_size),
}
"""Queries that never reach the miniport."""


def answer(binding: Binding, request: OidRequest) -> NdisStatus | None:
    """NDIS's own final answer, or None when the request has to go to the miniport."""
    if request.request_type is RequestType.SET_INFORMATION:
        check = _SET_CHECKS.get(request.oid)
        return check(binding, request) if check is not None else None
    from_attributes = QUERIES.get(request.oid)
    return answer_query(request, from_attributes(binding)) if from_attributes is not None else None


def _check_filter(binding: Binding, request: OidRequest) -> NdisStatus | None:
    status, data = take_set(request, 4)
    if status is not NdisStatus.SUCCESS:
        return status
    wanted = int.from_bytes(data, "little")
    supported = binding.adapter.attributes.supported_packet_filters | _ANSWERED_BY_NDIS
    return NdisStatus.NOT_SUPPORTED if wanted & ~supported else None


def _check_multicast(binding: Binding, request: OidRequest) -> NdisStatus | None:
    if len(request.buffer) % ADDRESS_SIZE:
        request.bytes_needed = len(request.buffer) // ADDRESS_SIZE * ADDRESS_SIZE
        return NdisStatus.INVALID_LENGTH
    wanted = _addresses(bytes(request.buffer))
    others = {address for b in binding.adapter.bindings if b is not binding for address in b.multicast_list}
    if not all(is_multicast(address) for address in wanted):
        return NdisStatus.MULTICAST_FULL
    if len(others | wanted) > binding.adapter.attributes.max_multicast_list_size:
        return NdisStatus.MULTICAST_FULL
    return None


def _set_lookahead(binding: Binding, request: OidRequest) -> NdisStatus | None:
    status, data = take_set(request, 4)
    if status is not NdisStatus.SUCCESS:
        return status
    wanted = int.from_bytes(data, "little")
    if wanted > binding.adapter.attributes.lookahead_size:
        return NdisStatus.INVALID_LENGTH
    binding.lookahead = wanted
    return NdisStatus.SUCCESS


def _set_protocol_options(binding: Binding, request: OidRequest) -> NdisStatus | None:
    status, data = take_set(request, 4)
    if status is NdisStatus.SUCCESS:
        binding.protocol_options = int.from_bytes(data, "little")
    return status


def _refuse_power(binding: Binding, request: OidRequest) -> NdisStatus | None:
    """Power is the system's to set (power.py), not a protocol's."""
    del binding, request
    return NdisStatus.NOT_SUPPORTED


def _check_address(binding: Binding, request: OidRequest) -> NdisStatus | None:
    """One address more or less in the binding's own list: a multicast one, and room for it."""
    status, address = take_set(request, ADDRESS_SIZE)
    if status is not NdisStatus.SUCCESS:
        return status
    known = address in binding.multicast_list
    if request.oid == Oid.OID_802_3_DELETE_MULTICAST_ADDRESS:
        return None if known else NdisStatus.MULTICAST_NOT_FOUND
    if known:
        return NdisStatus.MULTICAST_EXISTS
    merged = {*merged_multicast(binding.adapter), address}
    fits = is_multicast(address) and len(merged) <= binding.adapter.attributes.max_multicast_list_size
    return None if fits else NdisStatus.MULTICAST_FULL


_SET_CHECKS: dict[int, Callable[[Binding, OidRequest], NdisStatus | None]] = {
    Oid.OID_GEN_CURRENT_PACKET_FILTER: _check_filter,
    Oid.OID_802_3_MULTICAST_LIST: _check_multicast,
    Oid.OID_802_3_ADD_MULTICAST_ADDRESS: _check_address,
    Oid.OID_802_3_DELETE_MULTICAST_ADDRESS: _check_address,
    Oid.OID_GEN_CURRENT_LOOKAHEAD: _set_lookahead,
    Oid.OID_GEN_PROTOCOL_OPTIONS: _set_protocol_options,
    Oid.OID_PNP_SET_POWER: _refuse_power,
}


def _addresses(data: bytes) -> frozenset[bytes]:
    return frozenset(data[at : at + ADDRESS_SIZE] for at in range(0, len(data), ADDRESS_SIZE))


def merged_filter(adapter: Adapter) -> int:
    """The OR over all bindings (OI-10)."""
    merged = 0
    for binding in adapter.bindings:
        merged |= binding.packet_filter
    return merged & ~_ANSWERED_BY_NDIS


def merged_multicast(adapter: Adapter) -> tuple[bytes, ...]:
    """The union over all bindings, in order of address (OI-11)."""
    return tuple(sorted({address for binding in adapter.bindings for address in binding.multicast_list}))


async def _set_filter(adapter: Adapter, binding: Binding | None, request: OidRequest) -> NdisStatus:
    before = 0 if binding is None else binding.packet_filter
    if binding is not None:
        binding.packet_filter = int.from_bytes(request.buffer[:4], "little")
    status = await write_filter(adapter)
    if binding is not None and status is not NdisStatus.SUCCESS:
        binding.packet_filter = before
    adapter.update_loopback()
    return status


async def _set_multicast(adapter: Adapter, binding: Binding | None, request: OidRequest) -> NdisStatus:
    before = frozenset[bytes]() if binding is None else binding.multicast_list
    if binding is not None:
        binding.multicast_list = _addresses(bytes(request.buffer))
        request.bytes_read = len(request.buffer)
    status = await write_multicast(adapter)
    if binding is not None and status is not NdisStatus.SUCCESS:
        binding.multicast_list = before
    return status


async def _set_address(adapter: Adapter, binding: Binding | None, request: OidRequest) -> NdisStatus:
    """One address more or less; the miniport gets the whole union, as for a list."""
    if binding is None:
        return NdisStatus.INVALID_STATE
    before, address = binding.multicast_list, frozenset({bytes(request.buffer[:ADDRESS_SIZE])})
    binding.multicast_list = (
        before - address if request.oid == Oid.OID_802_3_DELETE_MULTICAST_ADDRESS else before | address
    )
    status = await write_multicast(adapter)
    if status is not NdisStatus.SUCCESS:
        binding.multicast_list = before
    return status


async def write_filter(adapter: Adapter, force: bool = False) -> NdisStatus:
    """Give the miniport the OR, unless it has it already."""
    merged = merged_filter(adapter)
    if merged == adapter.merged_filter and not force:
        return NdisStatus.SUCCESS
    request = set_information(Oid.OID_GEN_CURRENT_PACKET_FILTER, _u32(merged))
    status = await adapter.oids.call_miniport(request)
    if status is NdisStatus.SUCCESS:
        adapter.merged_filter = merged
    return status


async def write_multicast(adapter: Adapter, force: bool = False) -> NdisStatus:
    """Give the miniport the union, unless it has it already."""
    merged = merged_multicast(adapter)
    if merged == adapter.merged_multicast and not force:
        return NdisStatus.SUCCESS
    request = set_information(Oid.OID_802_3_MULTICAST_LIST, b"".join(merged))
    status = await adapter.oids.call_miniport(request)
    if status is NdisStatus.SUCCESS:
        adapter.merged_multicast = merged
    return status


MERGED_SETS: dict[int, Callable[[Adapter, Binding | None, OidRequest], Awaitable[NdisStatus]]] = {
    Oid.OID_GEN_CURRENT_PACKET_FILTER: _set_filter,
    Oid.OID_802_3_MULTICAST_LIST: _set_multicast,
    Oid.OID_802_3_ADD_MULTICAST_ADDRESS: _set_address,
    Oid.OID_802_3_DELETE_MULTICAST_ADDRESS: _set_address,
}

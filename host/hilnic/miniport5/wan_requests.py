# SPDX-License-Identifier: Apache-2.0
"""OID_WAN_* of the WAN miniport, and the two of NDISTAPI that begin and end a call; all are answered at once.

The line device is always open: hdLine means nothing here. A call's address is the PPPoE service name, empty for any.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from hilnic.miniport5.discovery import ENDPOINTS, Call
from hilnic.ndis import NdisStatus, Oid
from hilnic.ndis.ndis5 import (
    NdisRequest,
    TapiMakeCall,
    WanHeaderFormat,
    WanInfo,
    WanLinkInfo,
    WanMediumSubtype,
    WanQuality,
    parse_drop,
)
from hilnic.ndis.ndis5.wan_info import DROP_BYTES, LINK_INFO_BYTES, MAKE_CALL_BYTES

if TYPE_CHECKING:
    from hilnic.miniport5.wan import WanNic

__all__ = ["OIDS", "change", "query"]

_ANY_ADDRESS = (1 << 64) - 1
_PPP_PROTOCOL_BYTES = 2
_SNAP = b"\x80\0\0\0"


def _u32(value: int) -> bytes:
    return int(value).to_bytes(4, "little")


def _info(nic: WanNic) -> bytes:
    """NDIS_WAN_INFO: a net packet has neither our headers nor PPP's; memory is any."""
    link = nic.link_info(0)
    return WanInfo(
        max_frame_size=link.max_send_frame_size - _PPP_PROTOCOL_BYTES,
        max_transmit=nic.config.tx_ring,
        header_padding=link.header_padding,
        tail_padding=link.tail_padding,
        endpoints=ENDPOINTS,
        memory_flags=0,
        highest_acceptable_address=_ANY_ADDRESS,
        framing_bits=link.send_framing_bits,
        desired_accm=0,
    ).pack()


_KNOWN: dict[int, Callable[[WanNic], bytes]] = {
    Oid.OID_WAN_PERMANENT_ADDRESS: lambda nic: nic.config.mac_address,
    Oid.OID_WAN_CURRENT_ADDRESS: lambda nic: nic.config.mac_address,
    Oid.OID_WAN_QUALITY_OF_SERVICE: lambda _: _u32(WanQuality.RAW),
    Oid.OID_WAN_MEDIUM_SUBTYPE: lambda _: _u32(WanMediumSubtype.PPPOE),
    Oid.OID_WAN_HEADER_FORMAT: lambda _: _u32(WanHeaderFormat.ETHERNET),
    Oid.OID_WAN_LINE_COUNT: lambda _: _u32(ENDPOINTS),
    Oid.OID_WAN_GET_INFO: _info,
}


def query(nic: WanNic, request: NdisRequest) -> NdisStatus | None:
    """The answer; None when the OID is nothing of WAN's."""
    known = _KNOWN.get(request.oid)
    if known is not None:
        return request.reply(known(nic))
    asked = _QUERIES.get(request.oid)
    return None if asked is None else asked(nic, request)


def change(nic: WanNic, request: NdisRequest) -> NdisStatus | None:
    """Likewise for a set."""
    asked = _SETS.get(request.oid)
    return None if asked is None else asked(nic, request)


def _get_link_info(nic: WanNic, request: NdisRequest) -> NdisStatus:
    if len(request.buffer) < LINK_INFO_BYTES:
        return request.reply(bytes(LINK_INFO_BYTES))
    call = _link(nic, request)
    return NdisStatus.INVALID_DATA if call is None else request.reply(call.info.pack())


def _set_link_info(nic: WanNic, request: NdisRequest) -> NdisStatus:
    """Frames may become shorter than the link could carry; the framing is PPPoE's, or 0: as it comes."""
    status, data = request.take(LINK_INFO_BYTES)
    if status is not NdisStatus.SUCCESS:
        return status
    call, wanted = _link(nic, request), WanLinkInfo.parse(data)
    if call is None:
        return NdisStatus.INVALID_DATA
    best = nic.link_info(call.handle)
    framings = {0, best.send_framing_bits}
    right = 0 < wanted.max_send_frame_size <= best.max_send_frame_size
    right &= 0 < wanted.max_recv_frame_size <= best.max_recv_frame_size
    right &= wanted.header_padding >= best.header_padding
    right &= {wanted.send_framing_bits, wanted.recv_framing_bits} <= framings
    right &= not (wanted.send_compression_bits or wanted.recv_compression_bits)
    if not right:
        return NdisStatus.INVALID_DATA
    call.info = replace(wanted, send_framing_bits=best.send_framing_bits, recv_framing_bits=best.recv_framing_bits)
    return NdisStatus.SUCCESS


def _link(nic: WanNic, request: NdisRequest) -> Call | None:
    """The line that is up and meant."""
    call = nic.discovery.calls.get(WanLinkInfo.parse(request.buffer).ndis_link_handle)
    return call if call in nic.discovery.links.values() else None


def _set_header_format(nic: WanNic, request: NdisRequest) -> NdisStatus:
    del nic
    status, data = request.take(4)
    if status is NdisStatus.SUCCESS and int.from_bytes(data, "little") != WanHeaderFormat.ETHERNET:
        return NdisStatus.INVALID_DATA
    return status


def _set_protocol_type(nic: WanNic, request: NdisRequest) -> NdisStatus:
    """An NLPID: one byte, or six with an EtherType. PPP says it in each frame, so there is nothing to remember."""
    del nic
    length = len(request.buffer)
    if length not in (1, 1 + len(_SNAP) + 1):
        request.bytes_read, request.bytes_needed = 0, 1
        return NdisStatus.INVALID_LENGTH
    status, data = request.take(length)
    return status if length == 1 or data.startswith(_SNAP) else NdisStatus.INVALID_DATA


def _set_packet_filter(nic: WanNic, request: NdisRequest) -> NdisStatus:
    """NDIS sets it after a reset; the frames of a session come whatever it is."""
    del nic
    return request.take(4)[0]


def _make_call(nic: WanNic, request: NdisRequest) -> NdisStatus:
    """The call is begun; a line that goes up, or LINE_CALLSTATE, tells how it went."""
    if len(request.buffer) < MAKE_CALL_BYTES:
        return request.reply(bytes(MAKE_CALL_BYTES))
    wanted = TapiMakeCall.parse(request.buffer)
    if wanted is None:
        return NdisStatus.INVALID_DATA
    call = nic.discovery.dial(wanted.address, wanted.ht_call)
    if call is None:
        return NdisStatus.RESOURCES if nic.link.up else NdisStatus.NO_CABLE
    return request.reply(replace(wanted, hd_call=call.handle).pack())


def _drop(nic: WanNic, request: NdisRequest) -> NdisStatus:
    status, data = request.take(DROP_BYTES)
    if status is not NdisStatus.SUCCESS:
        return status
    call = nic.discovery.calls.get(parse_drop(data))
    if call is None:
        return NdisStatus.INVALID_DATA
    nic.discovery.hang_up(call)
    return NdisStatus.SUCCESS


_QUERIES: dict[int, Callable[[WanNic, NdisRequest], NdisStatus]] = {
    Oid.OID_WAN_GET_LINK_INFO: _get_link_info,
    Oid.OID_TAPI_MAKE_CALL: _make_call,
}
_SETS: dict[int, Callable[[WanNic, NdisRequest], NdisStatus]] = {
    Oid.OID_GEN_CURRENT_PACKET_FILTER: _set_packet_filter,
    Oid.OID_WAN_SET_LINK_INFO: _set_link_info,
    Oid.OID_WAN_HEADER_FORMAT: _set_header_format,
    Oid.OID_WAN_PROTOCOL_TYPE: _set_protocol_type,
    Oid.OID_TAPI_DROP: _drop,
}
OIDS = frozenset(int(oid) for oid in (*_KNOWN, *_QUERIES, *_SETS))

# SPDX-License-Identifier: Apache-2.0
"""The characteristics of NDIS 5 drivers: their handlers, and what a registration must name (C5-01, R5-14).

`ctx` is what the driver gave NDIS for the adapter (set_attributes_ex) or for the binding (open_adapter). Handlers
marked (P) run at PASSIVE_LEVEL and may be coroutine functions; the others are plain and run at DISPATCH_LEVEL.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hilnic.ndis.driver import NetPnpEvent
from hilnic.ndis.flags import DevicePnpEvent, NdisMedium, NdisVersion
from hilnic.ndis.ndis5.packet import Packet
from hilnic.ndis.status import NdisStatus

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.binding import BindContext, UnbindContext
    from hilnic.ndis.condis.handles import VcHandle
    from hilnic.ndis.condis.parameters import CallParameters, CoAddressFamily
    from hilnic.ndis.ndis5.request import NdisRequest
    from hilnic.ndis.ndis5.wan import WanPacket

VERSIONS = {(5, 0): NdisVersion.NDIS_5_0, (5, 1): NdisVersion.NDIS_5_1}
"""What a registration may name; 3.x and 4.0 are not here (A19)."""

InitializeAnswer = tuple[NdisStatus, NdisMedium | None]
TransferAnswer = tuple[NdisStatus, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class MiniportCharacteristics5:
    """NDIS50_MINIPORT_CHARACTERISTICS, and of 5.1 cancel_send_packets, pnp_event_notify and shutdown."""

    name: str
    initialize: Callable[[Adapter, Any, Sequence[NdisMedium]], InitializeAnswer | Awaitable[InitializeAnswer]]  # (P)
    halt: Callable[[Any], Awaitable[None] | None]  # (P)
    reset: Callable[[Any], tuple[NdisStatus, bool]]  # (status, addressing_reset)
    query_information: Callable[[Any, NdisRequest], NdisStatus]
    set_information: Callable[[Any, NdisRequest], NdisStatus]
    send: Callable[[Any, Packet, int], NdisStatus] | None = None  # (ctx, packet, flags)
    send_packets: Callable[[Any, list[Packet]], None] | None = None
    return_packet: Callable[[Any, Packet], None] | None = None
    transfer_data: Callable[[Any, Any, int, int, Packet], TransferAnswer] | None = None  # (ctx, rctx, offset, n, p)
    check_for_hang: Callable[[Any], bool] | None = None
    isr: Callable[[Any], tuple[bool, bool]] | None = None  # DIRQL: (recognized, queue_handle_interrupt)
    handle_interrupt: Callable[[Any], None] | None = None
    enable_interrupt: Callable[[Any], None] | None = None
    disable_interrupt: Callable[[Any], None] | None = None
    wan_send: Callable[[Any, Any, WanPacket], NdisStatus] | None = None  # (ctx, link_handle, packet)
    cancel_send_packets: Callable[[Any, Any], None] | None = None  # 5.1: (ctx, cancel_id)
    pnp_event_notify: Callable[[Any, DevicePnpEvent], None] | None = None  # 5.1
    shutdown: Callable[[Any], None] | None = None  # 5.1
    co_create_vc: Callable[[Any, VcHandle], tuple[NdisStatus, Any]] | None = None  # (ctx, vc) -> (status, vc_ctx)
    co_delete_vc: Callable[[Any], NdisStatus] | None = None  # (vc_ctx)
    co_activate_vc: Callable[[Any, CallParameters], NdisStatus] | None = None  # (vc_ctx, parameters)
    co_deactivate_vc: Callable[[Any], NdisStatus] | None = None  # (vc_ctx)
    co_send_packets: Callable[[Any, list[Packet]], None] | None = None  # (vc_ctx, packets)
    co_request: Callable[[Any, Any, NdisRequest], NdisStatus] | None = None  # (ctx, vc_ctx or None, request)
    version: tuple[int, int] = (5, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolCharacteristics5:
    """NDIS50_PROTOCOL_CHARACTERISTICS. At least one of `receive` and `receive_packet` is there (R5-14, A17)."""

    name: str
    bind_adapter: Callable[[Any, BindContext, str], NdisStatus | Awaitable[NdisStatus]]  # (P) (driver, context, name)
    unbind_adapter: Callable[[Any, UnbindContext], NdisStatus | Awaitable[NdisStatus]]  # (P) (ctx, unbind_context)
    open_adapter_complete: Callable[[Any, NdisStatus], None]
    close_adapter_complete: Callable[[Any, NdisStatus], None]
    send_complete: Callable[[Any, Packet, int], None]
    request_complete: Callable[[Any, NdisRequest, NdisStatus], None]
    reset_complete: Callable[[Any, NdisStatus], None]
    status: Callable[[Any, NdisStatus, Any], None]  # (ctx, code, buffer)
    status_complete: Callable[[Any], None]
    receive: Callable[[Any, Any, Any, Any, int], NdisStatus] | None = None  # (ctx, rctx, header, lookahead, size)
    receive_complete: Callable[[Any], None] | None = None
    receive_packet: Callable[[Any, Packet], int] | None = None  # how many return_packets will follow
    transfer_data_complete: Callable[[Any, Packet, NdisStatus, int], None] | None = None  # (ctx, packet, status, moved)
    pnp_event: Callable[[Any, NetPnpEvent], NdisStatus | Awaitable[NdisStatus]] | None = None  # (P)
    wan_receive: Callable[[Any, Any, memoryview], NdisStatus] | None = None  # (ctx, link_context, frame)
    wan_send_complete: Callable[[Any, WanPacket, NdisStatus], None] | None = None
    co_receive_packet: Callable[[Any, Any, Packet], int] | None = None  # (ctx, vc_ctx, packet)
    co_send_complete: Callable[[Any, Packet, int], None] | None = None  # (vc_ctx, packet, status)
    co_status: Callable[[Any, Any, NdisStatus, Any], None] | None = None  # (ctx, vc_ctx or None, code, buffer)
    co_af_register_notify: Callable[[Any, CoAddressFamily], Any] | None = None  # PASSIVE: (ctx, family)
    version: tuple[int, int] = (5, 1)


_ONLY_5_1 = ("cancel_send_packets", "pnp_event_notify", "shutdown")
_MINIPORT_NEEDS = ("initialize", "halt", "reset", "query_information", "set_information")
_CO_MINIPORT_NEEDS = ("co_activate_vc", "co_deactivate_vc", "co_request")
_PROTOCOL_NEEDS = (
    "bind_adapter",
    "unbind_adapter",
    "open_adapter_complete",
    "close_adapter_complete",
    "send_complete",
    "request_complete",
    "reset_complete",
    "status",
    "status_complete",
)


def check_miniport(characteristics: MiniportCharacteristics5) -> NdisStatus:
    """BAD_VERSION or BAD_CHARACTERISTICS, or SUCCESS (C5-01)."""
    if characteristics.version not in VERSIONS:
        return NdisStatus.BAD_VERSION
    sends = (
        characteristics.send,
        characteristics.send_packets,
        characteristics.wan_send,
        characteristics.co_send_packets,
    )
    lacks = _lacks(characteristics, _MINIPORT_NEEDS) or not any(sends)
    lacks |= characteristics.co_send_packets is not None and _lacks(characteristics, _CO_MINIPORT_NEEDS)
    lacks |= (characteristics.isr is None) != (characteristics.handle_interrupt is None)
    if characteristics.version == (5, 0):
        lacks |= any(getattr(characteristics, name) is not None for name in _ONLY_5_1)
    return NdisStatus.BAD_CHARACTERISTICS if lacks else NdisStatus.SUCCESS


def check_protocol(characteristics: ProtocolCharacteristics5, receive_required: bool) -> NdisStatus:
    """The same for a protocol; `receive_required`: A17's alternative, ProtocolReceive is a must."""
    if characteristics.version not in VERSIONS:
        return NdisStatus.BAD_VERSION
    c = characteristics
    lacks = _lacks(c, _PROTOCOL_NEEDS)
    lacks |= not any((c.receive, c.receive_packet, c.wan_receive, c.co_receive_packet))
    lacks |= receive_required and c.receive is None
    lacks |= c.receive is not None and (c.receive_complete is None or c.transfer_data_complete is None)
    lacks |= (c.wan_receive is None) != (c.wan_send_complete is None)
    return NdisStatus.BAD_CHARACTERISTICS if lacks else NdisStatus.SUCCESS


def _lacks(characteristics: Any, names: Sequence[str]) -> bool:
    return any(getattr(characteristics, name) is None for name in names)

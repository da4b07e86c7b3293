# SPDX-License-Identifier: Apache-2.0
"""Driver registration: the characteristics of miniport and protocol drivers, and what NDIS keeps of each.

Handlers get the driver's own context first, so an unbound method of the driver's class fits as it is. Handlers marked
(P) run at PASSIVE_LEVEL and may be coroutine functions; the others are plain and run at DISPATCH_LEVEL or below.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hilnic.ndis.faults import contained
from hilnic.ndis.flags import (
    DevicePnpEvent,
    HaltAction,
    MacOptions,
    MediaConnectState,
    MediaDuplexState,
    NdisMedium,
    NdisVersion,
    NetEvent,
    PacketFilter,
    PauseReason,
    ShutdownAction,
)
from hilnic.ndis.kernel import Event
from hilnic.ndis.nbl import NetBufferList
from hilnic.ndis.oids import Oid
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.binding import BindContext, Binding, UnbindContext
    from hilnic.ndis.condis.characteristics import CoHandlers
    from hilnic.ndis.ndis import Ndis
    from hilnic.ndis.oid_request import OidRequest
    from hilnic.ndis.status_indication import StatusIndication

Answer = NdisStatus | Awaitable[NdisStatus]
ResetAnswer = tuple[NdisStatus, bool]

STANDARD_FILTERS = (
    PacketFilter.DIRECTED
    | PacketFilter.MULTICAST
    | PacketFilter.ALL_MULTICAST
    | PacketFilter.BROADCAST
    | PacketFilter.PROMISCUOUS
)


@dataclass(frozen=True, slots=True)
class InitializeParameters:
    """NDIS_MINIPORT_INIT_PARAMETERS: the adapter's name and what the bus gave it (a Device port, for our NIC)."""

    name: str
    resources: Any = None


@dataclass(frozen=True, slots=True)
class PauseParameters:
    """NDIS_MINIPORT_PAUSE_PARAMETERS."""

    reason: PauseReason


@dataclass(frozen=True, slots=True)
class RestartParameters:
    """NDIS_MINIPORT_RESTART_PARAMETERS."""


@dataclass(frozen=True, slots=True)
class RegistrationAttributes:
    """NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES: must come before GeneralAttributes."""

    adapter_context: Any
    attribute_flags: int = 0
    check_for_hang_seconds: int = 0  # 0 = NDIS's default of 2 s when there is a handler


@dataclass(frozen=True, slots=True)
class GeneralAttributes:
    """NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES; speeds in bit/s, mtu_size without the MAC header."""

    mac_address: bytes
    permanent_mac_address: bytes = b""
    media_type: NdisMedium = NdisMedium.MEDIUM_802_3
    mtu_size: int = 1500
    lookahead_size: int = 1500
    max_xmit_link_speed: int = 1_000_000_000
    max_rcv_link_speed: int = 1_000_000_000
    xmit_link_speed: int = 1_000_000_000
    rcv_link_speed: int = 1_000_000_000
    media_connect_state: MediaConnectState = MediaConnectState.CONNECTED
    media_duplex_state: MediaDuplexState = MediaDuplexState.FULL
    mac_options: int = MacOptions.TRANSFERS_NOT_PEND | MacOptions.COPY_LOOKAHEAD_DATA | MacOptions.NO_LOOPBACK
    supported_packet_filters: int = STANDARD_FILTERS
    max_multicast_list_size: int = 32
    supported_statistics: int = 0
    supported_oids: tuple[Oid, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MiniportCharacteristics:
    """NDIS_MINIPORT_DRIVER_CHARACTERISTICS; `ctx` below is RegistrationAttributes.adapter_context."""

    name: str
    initialize: Callable[[Adapter, Any, InitializeParameters], Answer]  # (P) (adapter, driver_context, parameters)
    halt: Callable[[Any, HaltAction], Awaitable[None] | None]  # (P) (ctx, action)
    pause: Callable[[Any, PauseParameters], Answer]  # (P) SUCCESS or PENDING
    restart: Callable[[Any, RestartParameters], Answer]  # (P)
    send_net_buffer_lists: Callable[[Any, NetBufferList, int, int], None]  # (ctx, nbls, port_number, send_flags)
    return_net_buffer_lists: Callable[[Any, NetBufferList, int], None]  # (ctx, nbls, return_flags)
    oid_request: Callable[[Any, OidRequest], Answer]  # (P) one at a time
    cancel_send: Callable[[Any, Any], None] | None = None  # (ctx, cancel_id)
    cancel_oid_request: Callable[[Any, int], None] | None = None  # (ctx, request_id)
    reset: Callable[[Any], ResetAnswer | Awaitable[ResetAnswer]] | None = None  # (P) (status, addressing_reset)
    direct_oid_request: Callable[[Any, OidRequest], NdisStatus] | None = None  # not one at a time
    cancel_direct_oid_request: Callable[[Any, int], None] | None = None  # (ctx, request_id)
    check_for_hang: Callable[[Any], bool | Awaitable[bool]] | None = None  # (P)
    device_pnp_event_notify: Callable[[Any, DevicePnpEvent], None] | None = None
    shutdown: Callable[[Any, ShutdownAction], None] | None = None
    set_options: Callable[[MiniportDriver, Any], NdisStatus] | None = None  # at registration: (driver, driver_context)
    ndis_version: NdisVersion = NdisVersion.NDIS_6_30


@dataclass(frozen=True, slots=True)
class BindParameters:
    """NDIS_BIND_PARAMETERS: what a protocol learns about the adapter that it may open."""

    adapter_name: str
    media_type: NdisMedium
    mtu_size: int
    mac_address: bytes
    media_connect_state: MediaConnectState
    xmit_link_speed: int
    rcv_link_speed: int
    mac_options: int
    supported_packet_filters: int
    max_multicast_list_size: int
    lookahead_size: int


@dataclass(frozen=True, slots=True)
class OpenParameters:
    """NDIS_OPEN_PARAMETERS; `frame_types`: the EtherTypes that the binding wants, none for all (R6-14)."""

    frame_types: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class NetPnpEvent:
    """NET_PNP_EVENT_NOTIFICATION: Pause carries the reason in `buffer`."""

    event: NetEvent
    buffer: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolCharacteristics:
    """NDIS_PROTOCOL_DRIVER_CHARACTERISTICS; `ctx` below is the binding_context given to open_adapter."""

    name: str
    bind_adapter: Callable[[Any, BindContext, BindParameters], Answer]  # (P) (driver_context, bind_context, parameters)
    unbind_adapter: Callable[[Any, Any], Answer]  # (P) (unbind_context, ctx)
    receive_net_buffer_lists: Callable[[Any, NetBufferList, int, int, int], None]  # (ctx, nbls, port, count, flags)
    send_net_buffer_lists_complete: Callable[[Any, NetBufferList, int], None]  # (ctx, nbls, send_complete_flags)
    open_adapter_complete: Callable[[Any, NdisStatus], None] | None = None
    close_adapter_complete: Callable[[Any], None] | None = None
    net_pnp_event: Callable[[Any, NetPnpEvent], Answer] | None = None  # (P)
    oid_request_complete: Callable[[Any, OidRequest, NdisStatus], None] | None = None
    direct_oid_request_complete: Callable[[Any, OidRequest, NdisStatus], None] | None = None
    status: Callable[[Any, StatusIndication], None] | None = None
    set_options: Callable[[ProtocolDriver, Any], NdisStatus] | None = None  # at registration: (driver, driver_context)
    ndis_version: NdisVersion = NdisVersion.NDIS_6_30


class MiniportDriver:
    """NdisMRegisterMiniportDriver's handle."""

    __slots__ = (
        "adapters",
        "characteristics",
        "co_handlers",
        "context",
        "faulted",
        "initializing",
        "lower_edge",
        "ndis",
        "waiting",
    )

    def __init__(self, ndis: Ndis, characteristics: MiniportCharacteristics, context: Any) -> None:
        self.ndis = ndis
        self.initializing: list[str] = []  # virtual adapters to come
        self.waiting: list[Event] = []  # of an intermediate driver: its handlers that wait, set when it is taken out
        self.lower_edge: ProtocolDriver | None = None  # of an intermediate driver: NdisIMAssociateMiniport
        self.faulted = False  # a handler raised, and the driver is being taken out
        self.characteristics: MiniportCharacteristics = contained(self, characteristics)
        self.context = context
        self.co_handlers: CoHandlers | None = None  # of a connection-oriented miniport
        self.adapters: list[Adapter] = []

    def __repr__(self) -> str:
        return f"MiniportDriver({self.characteristics.name})"


class ProtocolDriver:
    """NdisRegisterProtocolDriver's handle."""

    __slots__ = (
        "bindings",
        "binds",
        "characteristics",
        "co_handlers",
        "context",
        "faulted",
        "ndis",
        "unbinds",
        "upper_edge",
        "waiting",
    )

    def __init__(self, ndis: Ndis, characteristics: ProtocolCharacteristics, context: Any) -> None:
        self.ndis = ndis
        self.upper_edge: MiniportDriver | None = None  # of an intermediate driver: NdisIMAssociateMiniport
        self.binds: list[BindContext] = []  # that have not ended
        self.unbinds: list[UnbindContext] = []  # likewise
        self.waiting: list[Event] = []  # of an intermediate driver: its handlers that wait, set when it is taken out
        self.faulted = False  # a handler raised, and the driver is being taken out
        self.characteristics: ProtocolCharacteristics = contained(self, characteristics)
        self.context = context
        self.co_handlers: CoHandlers | None = None  # of a client or a call manager
        self.bindings: list[Binding] = []

    def __repr__(self) -> str:
        return f"ProtocolDriver({self.characteristics.name})"


def _set_options(driver: MiniportDriver | ProtocolDriver) -> None:
    """MiniportSetOptions, ProtocolSetOptions; a driver that refuses its own options has none."""
    set_options: Any = driver.characteristics.set_options
    if set_options is not None and set_options(driver, driver.context) is not NdisStatus.SUCCESS:
        driver.co_handlers = None


@wdk("NdisMRegisterMiniportDriver", irql="PASSIVE")
def register_miniport_driver(
    ndis: Ndis, characteristics: MiniportCharacteristics, driver_context: Any = None
) -> MiniportDriver:
    """Driver entry of a miniport; adapters follow by `start_adapter`."""
    driver = MiniportDriver(ndis, characteristics, driver_context)
    ndis.miniport_drivers.append(driver)
    _set_options(driver)
    return driver


@wdk("NdisMDeregisterMiniportDriver", irql="PASSIVE")
def deregister_miniport_driver(driver: MiniportDriver) -> None:
    """Unload; every adapter has been halted before (BC7C 0x0A)."""
    if driver.faulted or driver not in driver.ndis.miniport_drivers:
        _gone(driver)
        return
    if driver.adapters:
        driver.ndis.violation("ST-19", driver, driver, f"unloaded with live adapters {driver.adapters}")
    driver.ndis.leaks_of(driver)
    driver.ndis.miniport_drivers.remove(driver)


@wdk("NdisRegisterProtocolDriver", irql="PASSIVE")
async def register_protocol_driver(
    ndis: Ndis, characteristics: ProtocolCharacteristics, driver_context: Any = None
) -> ProtocolDriver:
    """Driver entry of a protocol; NDIS offers it every adapter before this returns."""
    from hilnic.ndis.pnp import bind_protocol

    protocol = ProtocolDriver(ndis, characteristics, driver_context)
    ndis.protocol_drivers.append(protocol)
    _set_options(protocol)
    for adapter in list(ndis.adapters):
        await bind_protocol(protocol, adapter)
    return protocol


@wdk("NdisDeregisterProtocolDriver", irql="PASSIVE")
async def deregister_protocol_driver(protocol: ProtocolDriver) -> None:
    """Unload: unbinds from every adapter first; NBLs still allocated are leaks (ST-21)."""
    from hilnic.ndis.pnp import unbind_protocol

    if protocol not in protocol.ndis.protocol_drivers:
        _gone(protocol)
        return
    for binding in list(protocol.bindings):
        await unbind_protocol(binding)
    if not protocol.faulted:  # else NDIS does the rest
        protocol.ndis.protocol_drivers.remove(protocol)
        protocol.ndis.leaks_of(protocol)


def _gone(driver: MiniportDriver | ProtocolDriver) -> None:
    """Deregistered already: by NDIS, after a fault, or by its owner, who does it twice."""
    if not driver.faulted:
        driver.ndis.violation("ST-21", driver, driver, "deregistered twice")

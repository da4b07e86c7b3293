# SPDX-License-Identifier: Apache-2.0
"""The drivers' entries: three NDIS 5.1 drivers for one NIC, one line per handler (NdisMRegisterMiniport)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from hilnic import ndis
from hilnic.miniport.config import NicConfig
from hilnic.miniport5.ethernet import LookaheadNic, PacketNic
from hilnic.miniport5.nic import InitializeAnswer, Nic5
from hilnic.miniport5.requests import query_information, set_information
from hilnic.miniport5.wan import WanNic
from hilnic.ndis import NdisMedium, NdisStatus, ndis5
from hilnic.ndis.ndis5 import MiniportCharacteristics5

__all__ = ["CHARACTERISTICS", "DriverKind", "Settings", "register"]

DriverKind = Literal["packets", "lookahead", "wan"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What an adapter of these drivers is told: the driver context."""

    config: NicConfig = field(default_factory=NicConfig)
    seed: int = 0
    """Which transfers pend."""


async def _initialize_packets(
    adapter: ndis.Adapter, settings: Settings, mediums: Sequence[NdisMedium]
) -> InitializeAnswer:
    nic = PacketNic(adapter, ndis5.query_adapter_resources(adapter), settings.config)
    return await nic.initialize(mediums)


async def _initialize_lookahead(
    adapter: ndis.Adapter, settings: Settings, mediums: Sequence[NdisMedium]
) -> InitializeAnswer:
    nic = LookaheadNic(adapter, ndis5.query_adapter_resources(adapter), settings.config, settings.seed)
    return await nic.initialize(mediums)


async def _initialize_wan(adapter: ndis.Adapter, settings: Settings, mediums: Sequence[NdisMedium]) -> InitializeAnswer:
    nic = WanNic(adapter, ndis5.query_adapter_resources(adapter), settings.config)
    return await nic.initialize(mediums)


def _isr(nic: Nic5) -> tuple[bool, bool]:
    """MiniportISR at DIRQL: messages are not shared, so it is ours."""
    return True, nic.hardware.present


def _pnp_event(nic: Nic5, event: ndis.DevicePnpEvent) -> None:
    if event == ndis.DevicePnpEvent.SURPRISE_REMOVED and nic.hardware.present:
        nic.surprise_removed()


def _send(nic: LookaheadNic, packet: ndis5.Packet, flags: int) -> NdisStatus:
    del flags
    return nic.tx.send(packet)


def _cancel(nic: PacketNic, cancel_id: Any) -> None:
    nic.tx.cancel(cancel_id)


_COMMON = MiniportCharacteristics5(
    name="nic_1g_5",
    initialize=_initialize_packets,
    halt=Nic5.halt,
    reset=Nic5.reset,
    query_information=query_information,
    set_information=set_information,
    check_for_hang=Nic5.check_for_hang,
    isr=_isr,
    handle_interrupt=Nic5.handle_interrupt,
    enable_interrupt=Nic5.rearm,
    pnp_event_notify=_pnp_event,
    shutdown=Nic5.shut_down,
)

CHARACTERISTICS: dict[DriverKind, MiniportCharacteristics5] = {
    "packets": replace(
        _COMMON,
        send_packets=lambda nic, packets: nic.tx.send_packets(packets),
        return_packet=lambda nic, packet: nic.rx.give_back(packet),
        cancel_send_packets=_cancel,
    ),
    "lookahead": replace(
        _COMMON,
        name="nic_1g_5_lookahead",
        initialize=_initialize_lookahead,
        send=_send,
        transfer_data=lambda nic, shown, offset, number, packet: nic.rx.transfer_data(shown, offset, number, packet),
    ),
    "wan": replace(
        _COMMON,
        name="nic_1g_wan",
        initialize=_initialize_wan,
        halt=WanNic.halt,
        wan_send=lambda nic, link_handle, packet: nic.tx.wan_send(link_handle, packet),
    ),
}


def register(host: ndis.Ndis, kind: DriverKind, settings: Settings | None = None) -> ndis.MiniportDriver:
    """DriverEntry: every adapter started with this driver gets `settings`."""
    status, driver = ndis5.register_miniport(host, CHARACTERISTICS[kind], settings or Settings())
    if driver is None:
        raise RuntimeError(f"NdisMRegisterMiniport: {NdisStatus(status).name}")
    return driver

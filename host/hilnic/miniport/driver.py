# SPDX-License-Identifier: Apache-2.0
"""The driver's entry: its characteristics, one line per handler (NdisMRegisterMiniportDriver)."""

from __future__ import annotations

from typing import Any

from hilnic import ndis
from hilnic.miniport.adapter import NicAdapter
from hilnic.miniport.config import NicConfig
from hilnic.miniport.oids import oid_request

__all__ = ["CHARACTERISTICS", "register"]


async def _initialize(
    adapter: ndis.Adapter, config: NicConfig | None, parameters: ndis.InitializeParameters
) -> ndis.NdisStatus:
    return await NicAdapter(adapter, parameters.resources, config or NicConfig()).initialize()


async def _halt(nic: NicAdapter, action: ndis.HaltAction) -> None:
    del action
    await nic.halt()


async def _pause(nic: NicAdapter, parameters: ndis.PauseParameters) -> ndis.NdisStatus:
    del parameters
    return await nic.pause()


async def _restart(nic: NicAdapter, parameters: ndis.RestartParameters) -> ndis.NdisStatus:
    del parameters
    return await nic.restart()


def _send(nic: NicAdapter, nbls: ndis.NetBufferList, port_number: int, send_flags: int) -> None:
    del port_number, send_flags
    nic.tx.send(nbls)


def _return(nic: NicAdapter, nbls: ndis.NetBufferList, return_flags: int) -> None:
    del return_flags
    nic.rx.give_back(nbls)


def _cancel(nic: NicAdapter, cancel_id: Any) -> None:
    nic.tx.cancel(cancel_id)


def _pnp_event(nic: NicAdapter, event: ndis.DevicePnpEvent) -> None:
    if event == ndis.DevicePnpEvent.SURPRISE_REMOVED and nic.hardware.present:
        nic.surprise_removed()


def _shutdown(nic: NicAdapter, action: ndis.ShutdownAction) -> None:
    del action
    nic.shut_down()


CHARACTERISTICS = ndis.MiniportCharacteristics(
    name="nic_1g",
    initialize=_initialize,
    halt=_halt,
    pause=_pause,
    restart=_restart,
    send_net_buffer_lists=_send,
    return_net_buffer_lists=_return,
    oid_request=oid_request,
    cancel_send=_cancel,
    reset=NicAdapter.reset,
    check_for_hang=NicAdapter.check_for_hang,
    device_pnp_event_notify=_pnp_event,
    shutdown=_shutdown,
)


def register(host: ndis.Ndis, config: NicConfig | None = None) -> ndis.MiniportDriver:
    """DriverEntry: every adapter started with this driver gets `config`."""
    return ndis.register_miniport_driver(host, CHARACTERISTICS, config)

# SPDX-License-Identifier: Apache-2.0
"""The 6.x driver's entry: the handlers of `miniport.driver`, and the connection-oriented ones beside them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hilnic import ndis
from hilnic.miniport import driver as connectionless
from hilnic.miniport_co.adapter import CoNic
from hilnic.miniport_co.config import CoConfig
from hilnic.miniport_co.connection6 import Connection6
from hilnic.miniport_co.oids import co_oid_request
from hilnic.miniport_co.vc_handlers import activate_vc, create_vc, deactivate_vc, delete_vc
from hilnic.ndis import NdisStatus, condis

__all__ = ["CHARACTERISTICS", "CO_CHARACTERISTICS", "register"]


async def _initialize(
    adapter: ndis.Adapter, config: CoConfig | None, parameters: ndis.InitializeParameters
) -> NdisStatus:
    return await CoNic(adapter, parameters.resources, config or CoConfig()).initialize()


def _return(nic: CoNic, nbls: ndis.NetBufferList, return_flags: int) -> None:
    del return_flags
    nic.give_back(nbls)


def _set_options(driver: ndis.MiniportDriver, context: Any) -> NdisStatus:
    del context
    return condis.set_optional_handlers(driver, CO_CHARACTERISTICS)


def _send(connection: Connection6, nbls: ndis.NetBufferList, send_flags: int) -> None:
    del send_flags
    connection.send(nbls)


CO_CHARACTERISTICS = condis.MiniportCoCharacteristics(
    create_vc=create_vc,
    delete_vc=delete_vc,
    activate_vc=activate_vc,
    deactivate_vc=deactivate_vc,
    send_net_buffer_lists=_send,
    oid_request=co_oid_request,
)

CHARACTERISTICS = replace(
    connectionless.CHARACTERISTICS,
    name="nic_1g_co",
    initialize=_initialize,
    return_net_buffer_lists=_return,
    cancel_send=CoNic.cancel,
    check_for_hang=CoNic.check_for_hang,
    set_options=_set_options,
)


def register(host: ndis.Ndis, config: CoConfig | None = None) -> ndis.MiniportDriver:
    """DriverEntry: every adapter started with this driver gets `config`."""
    return ndis.register_miniport_driver(host, CHARACTERISTICS, config)

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


def _create(nic: CoNic, vc: condis.VcHandle) -> tuple[NdisStatus, Any]:
    return nic.connections.create(vc)


def _activate(connection: Connection6, parameters: condis.CallParameters) -> NdisStatus:
    return connection.connections.activate(
        connection, parameters, lambda status: condis.mco_complete_activate_vc(connection.vc, status, parameters)
    )


def _deactivate(connection: Connection6) -> NdisStatus:
    return connection.connections.deactivate(
        connection, lambda status: condis.mco_complete_deactivate_vc(connection.vc, status)
    )


def _delete(connection: Connection6) -> NdisStatus:
    return connection.connections.delete(connection)


def _send(connection: Connection6, nbls: ndis.NetBufferList, send_flags: int) -> None:
    del send_flags
    connection.send(nbls)


CO_CHARACTERISTICS = condis.MiniportCoCharacteristics(
    create_vc=_create,
    delete_vc=_delete,
    activate_vc=_activate,
    deactivate_vc=_deactivate,
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

# SPDX-License-Identifier: Apache-2.0
"""The 5.x driver's entry: the handlers of the deserialized Ethernet driver, and those of connections beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hilnic import ndis
from hilnic.miniport5 import driver as connectionless
from hilnic.miniport5.nic import InitializeAnswer
from hilnic.miniport_co.config import CoConfig
from hilnic.miniport_co.connection5 import Connection5
from hilnic.miniport_co.nic5 import CoNic5
from hilnic.miniport_co.oids5 import co_request
from hilnic.miniport_co.vc_handlers import activate_vc, create_vc, deactivate_vc, delete_vc
from hilnic.ndis import NdisMedium, NdisStatus, ndis5
from hilnic.ndis.ndis5 import Packet

__all__ = ["CHARACTERISTICS", "register"]


async def _initialize(adapter: ndis.Adapter, config: CoConfig, mediums: Sequence[NdisMedium]) -> InitializeAnswer:
    return await CoNic5(adapter, ndis5.query_adapter_resources(adapter), config).initialize(mediums)


def _send(connection: Connection5, packets: list[Packet]) -> None:
    connection.send_packets(packets)


def _cancel(nic: CoNic5, cancel_id: Any) -> None:
    nic.tx.cancel(cancel_id)
    nic.connections.cancel(cancel_id)


CHARACTERISTICS = replace(
    connectionless.CHARACTERISTICS["packets"],
    name="nic_1g_co_5",
    initialize=_initialize,
    handle_interrupt=CoNic5.handle_interrupt,
    enable_interrupt=CoNic5.rearm,
    check_for_hang=CoNic5.check_for_hang,
    return_packet=CoNic5.return_packet,
    cancel_send_packets=_cancel,
    co_create_vc=create_vc,
    co_delete_vc=delete_vc,
    co_activate_vc=activate_vc,
    co_deactivate_vc=deactivate_vc,
    co_send_packets=_send,
    co_request=co_request,
)


def register(host: ndis.Ndis, config: CoConfig | None = None) -> ndis.MiniportDriver:
    """DriverEntry: every adapter started with this driver gets `config`."""
    status, driver = ndis5.register_miniport(host, CHARACTERISTICS, config or CoConfig())
    if driver is None:
        raise RuntimeError(f"NdisMRegisterMiniport: {NdisStatus(status).name}")
    return driver

# SPDX-License-Identifier: Apache-2.0
"""The 5.x driver with an integrated call manager: the connection-oriented driver, and `hilnic.mcm` in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hilnic import ndis
from hilnic.mcm.half5 import Mcm5
from hilnic.mcm.vc import McmVc
from hilnic.miniport5.nic import InitializeAnswer
from hilnic.miniport_co import driver5 as stand_alone
from hilnic.miniport_co.config import CoConfig
from hilnic.miniport_co.mcm_board import McmBoard, never
from hilnic.miniport_co.nic5 import CoNic5
from hilnic.miniport_co.oids5 import co_request
from hilnic.miniport_co.signals5 import SignalConnection5
from hilnic.ndis import NdisMedium, NdisStatus, ndis5
from hilnic.ndis.ndis5 import NdisRequest, Packet

__all__ = ["McmNic5", "register"]


class McmNic5(McmBoard, CoNic5):
    """The MiniportAdapterContext of the driver with a call manager."""

    async def _start(self) -> None:
        await super()._start()
        await self.add_call_manager(Mcm5, lambda entry: SignalConnection5(self, self.connections, entry, self.mcm.hear))


async def _initialize(adapter: ndis.Adapter, config: CoConfig, mediums: Sequence[NdisMedium]) -> InitializeAnswer:
    return await McmNic5(adapter, ndis5.query_adapter_resources(adapter), config).initialize(mediums)


def _send(vc: McmVc, packets: list[Packet]) -> None:
    vc.data.send_packets(packets)


def _co_request(nic: McmNic5, vc: McmVc | None, request: NdisRequest) -> NdisStatus:
    return co_request(nic, None if vc is None else vc.data, request)


CHARACTERISTICS = replace(
    stand_alone.CHARACTERISTICS,
    name="nic_1g_mcm_5",
    initialize=_initialize,
    co_create_vc=None,
    co_delete_vc=None,
    co_activate_vc=never,
    co_deactivate_vc=never,
    co_send_packets=_send,
    co_request=_co_request,
)


def register(host: ndis.Ndis, config: CoConfig | None = None) -> ndis.MiniportDriver:
    """DriverEntry: every adapter started with this driver gets `config`."""
    status, driver = ndis5.register_miniport(host, CHARACTERISTICS, config or CoConfig())
    if driver is None:
        raise RuntimeError(f"NdisMRegisterMiniport: {NdisStatus(status).name}")
    return driver

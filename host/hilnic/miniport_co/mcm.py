# SPDX-License-Identifier: Apache-2.0
"""The 6.x driver with an integrated call manager: the connection-oriented driver, and `hilnic.mcm` in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hilnic import ndis
from hilnic.mcm.half import HANDLERS, Mcm
from hilnic.mcm.vc import McmVc
from hilnic.miniport.adapter import Step
from hilnic.miniport.bring_up import require
from hilnic.miniport_co import driver as stand_alone
from hilnic.miniport_co.adapter import CoNic
from hilnic.miniport_co.config import CoConfig
from hilnic.miniport_co.mcm_board import McmBoard, McmConfig, never
from hilnic.miniport_co.oids import co_oid_request
from hilnic.miniport_co.signals import SignalConnection
from hilnic.ndis import NdisStatus, condis

__all__ = ["McmConfig", "McmNic", "register"]


class McmNic(McmBoard, CoNic):
    """The MiniportAdapterContext of the driver with a call manager."""

    def initialization_steps(self) -> list[Step]:
        """The call manager comes last: then it can be called."""
        return [*super().initialization_steps(), self._make_mcm]

    async def _make_mcm(self) -> None:
        await self.add_call_manager(Mcm, lambda entry: SignalConnection(self.connections, entry, self.mcm.hear))


async def _initialize(
    adapter: ndis.Adapter, config: CoConfig | None, parameters: ndis.InitializeParameters
) -> NdisStatus:
    return await McmNic(adapter, parameters.resources, config or CoConfig()).initialize()


def _set_options(driver: ndis.MiniportDriver, context: Any) -> NdisStatus:
    del context
    require(condis.set_optional_handlers(driver, CO_CHARACTERISTICS))
    return condis.set_optional_handlers(driver, HANDLERS)


def _send(vc: McmVc, nbls: ndis.NetBufferList, send_flags: int) -> None:
    del send_flags
    vc.data.send(nbls)


def _oid_request(nic: McmNic, vc: McmVc | None, request: ndis.OidRequest) -> NdisStatus:
    return co_oid_request(nic, None if vc is None else vc.data, request)


CO_CHARACTERISTICS = condis.MiniportCoCharacteristics(
    activate_vc=never, deactivate_vc=never, send_net_buffer_lists=_send, oid_request=_oid_request
)
CHARACTERISTICS = replace(
    stand_alone.CHARACTERISTICS, name="nic_1g_mcm", initialize=_initialize, set_options=_set_options
)


def register(host: ndis.Ndis, config: CoConfig | None = None) -> ndis.MiniportDriver:
    """DriverEntry: every adapter started with this driver gets `config`."""
    return ndis.register_miniport_driver(host, CHARACTERISTICS, config)

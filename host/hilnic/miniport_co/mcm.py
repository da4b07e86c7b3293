# SPDX-License-Identifier: Apache-2.0
"""The 6.x driver with an integrated call manager: the connection-oriented driver, and `hilnic.mcm` in it.

What NDIS would ask a miniport to do for a VC, the call manager's half asks here (`mcm.half.Board`). The signalling has
a connection of its own, which takes an entry of the NIC's table, but no VC of NDIS's (CC-22).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from hilnic import ndis
from hilnic.mcm.half import HANDLERS, SIGNALLING_VLAN_ID, Mcm
from hilnic.mcm.peer import Settings
from hilnic.mcm.vc import McmVc
from hilnic.miniport.adapter import Step
from hilnic.miniport.bring_up import require
from hilnic.miniport_co import driver as stand_alone
from hilnic.miniport_co.adapter import CoNic
from hilnic.miniport_co.config import CoConfig
from hilnic.miniport_co.connection6 import Connection6
from hilnic.miniport_co.connections import Done
from hilnic.miniport_co.oids import co_oid_request
from hilnic.miniport_co.signals import SignalConnection
from hilnic.ndis import NdisStatus, condis
from hilnic.ndis.condis.vlan_media import BROADCAST, VlanMedia

__all__ = ["McmConfig", "McmNic", "register"]

_HIGHEST_PRIORITY = 7


@dataclass(frozen=True, slots=True)
class McmConfig(CoConfig):
    """Settings of an adapter with a call manager; a CoConfig does, too."""

    signalling: Settings = field(default_factory=Settings)
    """Timers and limits of the signalling."""


class McmNic(CoNic):
    """The MiniportAdapterContext of the driver with a call manager."""

    mcm: Mcm
    signals: SignalConnection

    def initialization_steps(self) -> list[Step]:
        """The call manager comes last: then it can be called."""
        return [*super().initialization_steps(), self._make_mcm]

    async def _make_mcm(self) -> None:
        config = self.connections.config
        settings = config.signalling if isinstance(config, McmConfig) else None
        self.mcm = Mcm(self.handle, self, self.config.mac_address, config.committed_bytes, settings)
        await self._make_signals()
        require(self.mcm.start())
        self._undo.push(self.mcm.stop)

    async def _make_signals(self) -> None:
        parameters = condis.CallParameters()
        parameters.media.specific = VlanMedia(SIGNALLING_VLAN_ID, _HIGHEST_PRIORITY, BROADCAST).pack()
        entry = self.connections.take_entry()
        self.signals = SignalConnection(self.connections, entry, self.mcm.hear)
        self.connections.by_entry[entry.number] = self.signals
        self._undo.push(self.signals.close)
        require(await self.signals.activate(self.connections.contract_of(parameters)))

    # What the call manager's half wants.

    def create(self, handle: condis.VcHandle) -> Connection6 | None:
        """An entry for a VC."""
        _, connection = self.connections.create(handle)
        assert connection is None or isinstance(connection, Connection6)
        return connection

    def delete(self, data: Connection6) -> None:
        """The entry is free again."""
        self.connections.delete(data)

    async def activate(self, data: Connection6, parameters: condis.CallParameters) -> NdisStatus:
        """As MiniportCoActivateVc, to its end."""
        return await self._wait_for(lambda done: self.connections.activate(data, parameters, done))

    async def deactivate(self, data: Connection6) -> None:
        """As MiniportCoDeactivateVc, to its end."""
        await self._wait_for(lambda done: self.connections.deactivate(data, done))

    async def _wait_for(self, begin: Callable[[Done], NdisStatus]) -> NdisStatus:
        ended, answer = self.kernel.create_event(), []

        def done(status: NdisStatus) -> None:
            answer.append(status)
            ended.set()

        status = begin(done)
        if status is not NdisStatus.PENDING:
            return status
        await ended.wait()
        return answer[0]

    def signal(self, octets: bytes) -> None:
        """To everybody."""
        self.signals.say(octets)


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


def _never(*_: Any) -> NdisStatus:
    """NDIS does not ask a driver with a call manager of its own (CC-22)."""
    return NdisStatus.NOT_SUPPORTED


CO_CHARACTERISTICS = condis.MiniportCoCharacteristics(
    activate_vc=_never, deactivate_vc=_never, send_net_buffer_lists=_send, oid_request=_oid_request
)
CHARACTERISTICS = replace(
    stand_alone.CHARACTERISTICS, name="nic_1g_mcm", initialize=_initialize, set_options=_set_options
)


def register(host: ndis.Ndis, config: CoConfig | None = None) -> ndis.MiniportDriver:
    """DriverEntry: every adapter started with this driver gets `config`."""
    return ndis.register_miniport_driver(host, CHARACTERISTICS, config)

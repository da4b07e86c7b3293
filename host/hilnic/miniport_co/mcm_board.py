# SPDX-License-Identifier: Apache-2.0
"""What a miniport of either version does for the integrated call manager in it (`mcm.half.Board`).

What NDIS would ask a miniport to do for a VC, the call manager's half asks here. The signalling has a connection of
its own, which takes an entry of the NIC's table, but no VC of NDIS's (CC-22).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hilnic.mcm.half import Mcm
from hilnic.mcm.peer import Settings
from hilnic.mcm.terms import own_vc
from hilnic.miniport.bring_up import Refused, UndoStack, require
from hilnic.miniport_co.config import CoConfig
from hilnic.miniport_co.connection import Connection
from hilnic.miniport_co.connections import Connections, Done
from hilnic.miniport_co.entry import VcEntry
from hilnic.miniport_co.signals import Signals
from hilnic.ndis import NdisStatus, condis

__all__ = ["McmBoard", "McmConfig"]


@dataclass(frozen=True, slots=True)
class McmConfig(CoConfig):
    """Settings of an adapter with a call manager; a CoConfig does, too."""

    signalling: Settings = field(default_factory=Settings)
    """Timers and limits of the signalling."""


class McmBoard:
    """A part of the MiniportAdapterContext, whose other part has connections."""

    mcm: Mcm
    signals: Signals
    connections: Connections
    kernel: Any
    _undo: UndoStack

    async def add_call_manager(self, kind: type[Mcm], make_signals: Callable[[VcEntry], Signals]) -> None:
        """The last step of MiniportInitialize: from now on it can be called; Refused, MemoryError."""
        nic, config = self.connections.nic, self.connections.config
        settings = config.signalling if isinstance(config, McmConfig) else None
        self.mcm = kind(nic.handle, self, nic.config.mac_address, config.committed_bytes, settings)
        entry = self.connections.take_entry()
        self.signals = self.connections.by_entry[entry.number] = make_signals(entry)
        self._undo.push(self.signals.close)
        contract = self.connections.contract_of(own_vc())
        if not self.connections.affords(self.signals, contract):
            raise Refused(NdisStatus.CELLRATE_NOT_AVAILABLE)
        require(await self.signals.activate(contract))
        require(self.mcm.start())
        self._undo.push(self.mcm.stop)

    # What the call manager's half wants.

    def create(self, handle: condis.VcHandle) -> Connection | None:
        """An entry for a VC."""
        _, connection = self.connections.create(handle)
        return connection

    def delete(self, data: Connection) -> None:
        """The entry is free again."""
        self.connections.delete(data)

    async def activate(self, data: Connection, parameters: condis.CallParameters) -> NdisStatus:
        """As MiniportCoActivateVc, to its end."""
        return await self._wait_for(lambda done: self.connections.activate(data, parameters, done))

    async def deactivate(self, data: Connection) -> None:
        """As MiniportCoDeactivateVc, to its end."""
        await self._wait_for(lambda done: self.connections.deactivate(data, done))

    async def _wait_for(self, begin: Callable[[Done], NdisStatus]) -> NdisStatus:
        ended, answer = self.kernel.create_event(), list[NdisStatus]()

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


def never(*_: Any) -> NdisStatus:
    """NDIS does not ask a driver with a call manager of its own for a VC (CC-22)."""
    return NdisStatus.NOT_SUPPORTED

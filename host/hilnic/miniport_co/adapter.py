# SPDX-License-Identifier: Apache-2.0
"""The 6.x adapter with connections: everything of `miniport.adapter`, and the NIC's VC table beside it.

The connectionless queues keep their vector; all connections share the next one (`miniport_co/queues.py`). Whatever
stops or starts the adapter stops or starts each active connection.
"""

from __future__ import annotations

from typing import Any

from hilnic import ndis
from hilnic.hw.device import Device
from hilnic.miniport.adapter import NicAdapter, Step
from hilnic.miniport.hardware import allocate_ring
from hilnic.miniport_co.config import CoConfig
from hilnic.miniport_co.connection import Connection
from hilnic.miniport_co.connection6 import Connection6
from hilnic.miniport_co.connections import Connections
from hilnic.miniport_co.link import CoLink
from hilnic.ndis import NdisStatus

__all__ = ["CoNic"]


class CoNic(NicAdapter):
    """The MiniportAdapterContext of the connection-oriented driver."""

    link: CoLink

    def __init__(self, adapter: ndis.Adapter, device: Device, config: CoConfig) -> None:
        super().__init__(adapter, device, config.nic)
        self.connections = Connections(self, config, config.nic.vector + 1, Connection6)

    def make_link(self) -> CoLink:
        """Link changes are told on connections too."""
        return CoLink(self.handle, self.hardware, self.connections)

    # --- initialize ---------------------------------------------------------------------------------------------------

    def initialization_steps(self) -> list[Step]:
        """The board's memory comes after the DMA handle, and before the interrupts, whose poller looks at it."""
        steps = super().initialization_steps()
        steps.insert(1, self.connections.find)
        steps.insert(steps.index(self._make_receiver) + 1, self._make_board)
        return steps

    async def _make_board(self) -> None:
        self.connections.dma = self._dma
        memory = allocate_ring(self._dma, self.connections.board_bytes)
        self._undo.push(lambda: ndis.free_shared_memory(memory))
        self.connections.allocate(memory)

    def _make_pollers(self) -> None:
        super()._make_pollers()
        self._add_poller(self.connections.of_connection, self.connections.queues)

    # --- what the adapter's life does to connections ------------------------------------------------------------------

    async def _start_queues(self) -> bool:
        return await super()._start_queues() and await self.connections.start()

    async def _disable_queues(self) -> bool:
        silent = await self.connections.silence()
        return await super()._disable_queues() and silent

    def _collect(self) -> None:
        super()._collect()
        self.connections.collect()

    def _end_traffic(self, status: NdisStatus) -> None:
        self.connections.end(status)
        super()._end_traffic(status)

    async def start_afresh(self, without: Connection) -> None:
        """A connection did not become idle: a soft reset ends it, and everything else begins again."""
        await self.hardware.soft_reset(self.config.timeout_ns)
        self._collect()
        self._end_traffic(NdisStatus.RESET_IN_PROGRESS)
        without.contract = None
        self._program()
        await self._start_queues()

    async def check_for_hang(self) -> bool:
        """MiniportCheckForHangEx: connections too."""
        hangs = await super().check_for_hang()
        return self.connections.hang() or hangs

    async def _drain_transmitter(self) -> None:
        self.connections.refuse(NdisStatus.PAUSED)
        await super()._drain_transmitter()
        for connection in self.connections.active():
            if connection.tx is not None:
                await self._drain(connection.tx, self.config.stall_ns)

    async def pause(self) -> NdisStatus:
        """MiniportPause: also what connections have accepted goes out, and what they have indicated comes back."""
        status = await super().pause()
        for connection in self.connections.active():
            if connection.rx is not None:
                await connection.rx.wait_until_returned()
        return status

    # --- data ---------------------------------------------------------------------------------------------------------

    def give_back(self, nbls: ndis.NetBufferList) -> None:
        """MiniportReturnNetBufferLists: each to the receiver that it came from, whatever the mixture (CD-06)."""
        of_receiver: dict[Any, ndis.NblQueue] = {}
        for nbl in ndis.walk(nbls):
            receiver = nbl.miniport_reserved[0][0].receiver
            of_receiver.setdefault(receiver, ndis.NblQueue()).append(nbl)
        for receiver, queue in of_receiver.items():
            receiver.give_back(queue.take())

    def cancel(self, cancel_id: Any) -> None:
        """MiniportCancelSend, for connections too (CN-10)."""
        self.tx.cancel(cancel_id)
        self.connections.cancel(cancel_id)

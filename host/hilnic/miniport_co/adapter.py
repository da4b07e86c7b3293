# SPDX-License-Identifier: Apache-2.0
"""The 6.x adapter with connections: everything of `miniport.adapter`, and the NIC's VC table beside it.

Connectionless queues keep queue 0 and their vector. Entry e of the table has the queues e + 1, and all of them share
one more vector (`miniport_co/queues.py`). Whatever stops or starts the adapter stops or starts each active connection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from hilnic import ndis
from hilnic.hw import regs
from hilnic.hw.device import Device
from hilnic.miniport.adapter import NicAdapter, Step
from hilnic.miniport.hardware import allocate_ring
from hilnic.miniport_co.board import CompletionBoard
from hilnic.miniport_co.config import CoConfig
from hilnic.miniport_co.connection import Connection
from hilnic.miniport_co.contract import Contract, Unfit, contract_of
from hilnic.miniport_co.entry import VcEntry
from hilnic.miniport_co.queues import ConnectionQueues
from hilnic.miniport_co.table import Table, read_table
from hilnic.ndis import NdisStatus, condis

__all__ = ["CoNic", "Done"]

Done = Callable[[NdisStatus], None]
"""Who hears of the end of what pends: NDIS, or a call manager in the same driver."""


class CoNic(NicAdapter):
    """The MiniportAdapterContext of the connection-oriented driver."""

    board: CompletionBoard
    connection_queues: ConnectionQueues
    table: Table

    def __init__(self, adapter: ndis.Adapter, device: Device, config: CoConfig) -> None:
        super().__init__(adapter, device, config.nic)
        self.co_config = config
        self.connection_config = config.of_connection(config.nic.vector)
        self.memory = device.memory

    @property
    def dma(self) -> ndis.DmaHandle:
        """The adapter's scatter/gather handle."""
        handle: ndis.DmaHandle = self._dma
        return handle

    # --- initialize ---------------------------------------------------------------------------------------------------

    def initialization_steps(self) -> list[Step]:
        """The board's memory comes after the DMA handle, and before the interrupts, whose poller looks at it."""
        steps = super().initialization_steps()
        steps.insert(1, self._find_table)
        steps.insert(steps.index(self._make_receiver) + 1, self._make_board)
        return steps

    async def _find_table(self) -> None:
        self.table = await read_table(self.hardware, self.co_config)
        self.connection_config = self.co_config.of_connection(self.table.vector)

    async def _make_board(self) -> None:
        config, slots = self.co_config, 2 * self.table.entries
        size = max(config.tx_ring, config.rx_ring)
        memory = allocate_ring(self.dma, CompletionBoard.bytes_for(slots, size))
        self._undo.push(lambda: ndis.free_shared_memory(memory))
        self.board = CompletionBoard(memory, slots, size)
        self.connection_queues = ConnectionQueues(self, self.board, slots)

    def _make_pollers(self) -> None:
        super()._make_pollers()
        self._add_poller(self.table.vector, self.connection_queues)

    # --- connections --------------------------------------------------------------------------------------------------

    def create_vc(self, vc: condis.VcHandle) -> tuple[NdisStatus, Connection | None]:
        """MiniportCoCreateVc: an entry, or RESOURCES."""
        number = self.table.take()
        if number is None or not self.hardware.present:
            return NdisStatus.RESOURCES, None
        connection = Connection(self, vc, VcEntry(self.hardware, number, self.table.queue(number)))
        self.table.connections[number] = connection
        return NdisStatus.SUCCESS, connection

    def delete_vc(self, connection: Connection) -> NdisStatus:
        """MiniportCoDeleteVc: the entry is free again (CC-12)."""
        if connection.contract is not None:
            return NdisStatus.CLOSING if connection.is_leaving else NdisStatus.NOT_ACCEPTED
        self.table.give_back(connection.entry.number)
        return NdisStatus.SUCCESS

    def active(self) -> Iterator[Connection]:
        """The connections that have a contract."""
        return (c for c in list(self.table.connections.values()) if c.contract is not None)

    def activate_vc(self, connection: Connection, parameters: condis.CallParameters, done: Done) -> NdisStatus:
        """MiniportCoActivateVc: judged at once, done by a work item that tells `done` what came of it."""
        try:
            contract = contract_of(parameters, self.config.mtu, self.table.cycle_ps)
        except Unfit as unfit:
            return unfit.status
        if not self._affords(connection, contract):
            return NdisStatus.CELLRATE_NOT_AVAILABLE

        async def work(context: Any) -> None:
            del context
            async with self._turn:
                status = await connection.activate(contract) if self.hardware.present else NdisStatus.NOT_ACCEPTED
            done(status)

        ndis.queue_io_work_item(self.handle, work, None)
        return NdisStatus.PENDING

    def _affords(self, connection: Connection, contract: Contract) -> bool:
        """Can the line keep this promise beside those already made?"""
        others = sum(c.contract.committed for c in self.active() if c is not connection and c.contract)
        return not contract.committed or others + contract.committed <= self.co_config.committed_bytes

    def deactivate_vc(self, connection: Connection, done: Done) -> NdisStatus:
        """MiniportCoDeactivateVc, likewise."""
        connection.is_leaving = True

        async def work(context: Any) -> None:
            del context
            async with self._turn:
                await connection.take_down(NdisStatus.REQUEST_ABORTED)
            await connection.release()
            connection.is_leaving = False
            done(NdisStatus.SUCCESS)

        ndis.queue_io_work_item(self.handle, work, None)
        return NdisStatus.PENDING

    async def start_afresh(self, silenced: Connection) -> None:
        """A connection did not become idle: a soft reset ends it, and everything else begins again."""
        await self.hardware.soft_reset(self.config.timeout_ns)
        self._collect()
        self._end_traffic(NdisStatus.RESET_IN_PROGRESS)
        silenced.contract = None
        self._program()
        await self._start_queues()

    # --- what the adapter's life does to them -------------------------------------------------------------------------

    async def _start_queues(self) -> bool:
        if not await super()._start_queues():
            return False
        self.hardware.write(regs.VC_SCHED, self.co_config.quantum)
        return all([await connection.start() is NdisStatus.SUCCESS for connection in self.active()])

    async def _disable_queues(self) -> bool:
        silent = [await connection.silence() for connection in self.active()]
        return await super()._disable_queues() and all(silent)

    def _collect(self) -> None:
        super()._collect()
        for connection in self.active():
            connection.collect()

    def _end_traffic(self, status: NdisStatus) -> None:
        super()._end_traffic(status)
        for connection in self.active():
            connection.end(status)

    async def _drain_transmitter(self) -> None:
        for connection in self.active():
            if connection.tx is not None:
                connection.tx.refusal = NdisStatus.PAUSED
        await super()._drain_transmitter()
        for connection in self.active():
            if connection.tx is not None:
                await self._drain(connection.tx, self.config.stall_ns)

    async def pause(self) -> NdisStatus:
        """MiniportPause: also what connections have accepted goes out, and what they have indicated comes back."""
        status = await super().pause()
        for connection in self.active():
            if connection.rx is not None:
                await connection.rx.wait_until_returned()
        return status

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
        for connection in self.active():
            if connection.tx is not None:
                connection.tx.cancel(cancel_id)

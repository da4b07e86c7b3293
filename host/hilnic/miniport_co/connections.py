# SPDX-License-Identifier: Apache-2.0
"""All connections of an adapter of either version: entries of the NIC's table, contracts, what is done to all.

Connectionless queues keep queue 0. Entry e of the table has the queues e + 1. What changes a connection is judged at
once and done by a work item, one at a time with everything else that starts or stops queues (the adapter's `turn`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from hilnic import ndis
from hilnic.hw import regs
from hilnic.hw.memory import HostMemory
from hilnic.miniport.bring_up import Refused
from hilnic.miniport.config import NicConfig
from hilnic.miniport.hardware import Hardware
from hilnic.miniport_co.board import CompletionBoard
from hilnic.miniport_co.config import CoConfig
from hilnic.miniport_co.connection import Connection
from hilnic.miniport_co.contract import Contract, Unfit, contract_of
from hilnic.miniport_co.entry import VcEntry
from hilnic.miniport_co.link import CoLink, CoLink5
from hilnic.miniport_co.queues import ConnectionQueues
from hilnic.ndis import NdisStatus, condis
from hilnic.ndis.waiting import Mutex

__all__ = ["ConnectedNic", "Connections", "Done"]

Done = Callable[[NdisStatus], None]
"""Who hears of the end of what pends: NDIS, or a call manager in the same driver."""
MakeConnection = Callable[["Connections", condis.VcHandle, VcEntry], Connection]
_FIRST_QUEUE = 1


class ConnectedNic(Protocol):
    """The adapter of either version, as its connections need it."""

    handle: ndis.Adapter
    config: NicConfig
    hardware: Hardware
    memory: HostMemory
    turn: Mutex
    kernel: Any

    @property
    def link(self) -> CoLink | CoLink5:
        """What tells of link changes, and of new contracts."""
        ...

    @property
    def queues_running(self) -> bool:
        """Are completions to be looked for?"""
        ...

    async def start_afresh(self, without: Connection) -> None:
        """Soft reset, because a connection did not become idle; then everything else begins again."""
        ...


class Connections:
    """`by_entry`: those that are created; `queues` and `board` when `allocate` has been called."""

    queues: ConnectionQueues
    board: CompletionBoard

    def __init__(self, nic: ConnectedNic, config: CoConfig, vector: int, make: MakeConnection) -> None:
        self.nic, self.config = nic, config
        self.of_connection = config.of_connection(vector)
        self.by_entry: dict[int, Connection] = {}
        self.entries = self._cycle_ps = 0
        self.dma: Any = None
        """The adapter's scatter/gather handle, for queues that map what is sent themselves."""
        self._make = make
        self._free: list[int] = []

    def __repr__(self) -> str:
        """How many there are."""
        return f"<Connections {len(self.by_entry)} of {self.entries}>"

    # --- what there is ------------------------------------------------------------------------------------------------

    async def find(self) -> None:
        """Ask the NIC what it has; Refused when that is no connection at all."""
        read = self.nic.hardware.read
        queues = await read(regs.QUEUES)
        tx = (queues & regs.QUEUES_NUM_TX_QUEUES) >> regs.QUEUES_NUM_TX_QUEUES_LSB
        rx = (queues & regs.QUEUES_NUM_RX_QUEUES) >> regs.QUEUES_NUM_RX_QUEUES_LSB
        vectors = (await read(regs.CAPS0) & regs.CAPS0_NUM_VECTORS) >> regs.CAPS0_NUM_VECTORS_LSB
        self.entries = min(await read(regs.NUM_VCS), tx - _FIRST_QUEUE, rx - _FIRST_QUEUE, self.config.most_vcs)
        self._cycle_ps = await read(regs.SYS_CLK_PS)
        built = await read(regs.FEATURES) & regs.FEATURES_VIRTUAL_CONNECTIONS
        if not built or self.entries < 1 or self.of_connection.vector >= vectors:
            raise Refused(NdisStatus.NOT_SUPPORTED)
        self._free = list(reversed(range(self.entries)))

    @property
    def board_bytes(self) -> int:
        """The shared memory that `allocate` wants."""
        return CompletionBoard.bytes_for(2 * self.entries, self._longest_ring)

    @property
    def _longest_ring(self) -> int:
        return max(self.config.tx_ring, self.config.rx_ring)

    def allocate(self, memory: Any) -> None:
        """The completion rings of all connections lie in `memory`."""
        self.board = CompletionBoard(memory, 2 * self.entries, self._longest_ring)
        self.queues = ConnectionQueues(self.nic, self.board, 2 * self.entries)

    # --- what NDIS asks for -------------------------------------------------------------------------------------------

    def create(self, vc: condis.VcHandle) -> tuple[NdisStatus, Connection | None]:
        """MiniportCoCreateVc: an entry, or RESOURCES."""
        if not self._free or not self.nic.hardware.present:
            return NdisStatus.RESOURCES, None
        entry = self.take_entry()
        connection = self.by_entry[entry.number] = self._make(self, vc, entry)
        return NdisStatus.SUCCESS, connection

    def take_entry(self) -> VcEntry:
        """An entry with its queues; there is one."""
        number = self._free.pop()
        return VcEntry(self.nic.hardware, number, _FIRST_QUEUE + number)

    def delete(self, connection: Connection) -> NdisStatus:
        """MiniportCoDeleteVc: the entry is free again (CC-12)."""
        if connection.contract is not None:
            return NdisStatus.CLOSING if connection.is_leaving else NdisStatus.NOT_ACCEPTED
        del self.by_entry[connection.entry.number]
        self._free.append(connection.entry.number)
        return NdisStatus.SUCCESS

    def activate(self, connection: Connection, parameters: condis.CallParameters, done: Done) -> NdisStatus:
        """MiniportCoActivateVc, also of an active one: refused at once, or PENDING and then `done`."""
        try:
            contract = self.contract_of(parameters)
        except Unfit as unfit:
            return unfit.status
        if not self.affords(connection, contract):
            return NdisStatus.CELLRATE_NOT_AVAILABLE

        async def work(context: Any) -> None:
            del context
            before = connection.contract
            async with self.nic.turn:
                there = self.nic.hardware.present
                status = await connection.activate(contract) if there else NdisStatus.NOT_ACCEPTED
            done(status)
            if status is NdisStatus.SUCCESS and before is not None and connection.is_known:
                self.nic.link.tell_of(connection)

        ndis.queue_io_work_item(self.nic.handle, work, None)
        return NdisStatus.PENDING

    def contract_of(self, parameters: condis.CallParameters) -> Contract:
        """What they ask of this NIC; Unfit when it cannot."""
        return contract_of(parameters, self.nic.config.mtu, self._cycle_ps)

    def affords(self, connection: Connection, contract: Contract) -> bool:
        """Can the line keep this promise beside those already made?"""
        others = sum(each.contract.committed for each in self.active() if each is not connection and each.contract)
        return not contract.committed or others + contract.committed <= self.config.committed_bytes

    def deactivate(self, connection: Connection, done: Done) -> NdisStatus:
        """MiniportCoDeactivateVc: PENDING, then `done`."""
        connection.is_leaving = True

        async def work(context: Any) -> None:
            del context
            async with self.nic.turn:
                await connection.take_down(NdisStatus.REQUEST_ABORTED)
            await connection.release()
            connection.is_leaving = False
            done(NdisStatus.SUCCESS)

        ndis.queue_io_work_item(self.nic.handle, work, None)
        return NdisStatus.PENDING

    # --- what the adapter's life does to them -------------------------------------------------------------------------

    def active(self) -> Iterator[Connection]:
        """Those that have a contract."""
        return (connection for connection in list(self.by_entry.values()) if connection.contract is not None)

    def now_ns(self) -> int:
        """The time, as the adapter's kernel has it."""
        now: int = self.nic.kernel.now_ns()
        return now

    def hang(self) -> bool:
        """Does the transmit queue of one of them make no progress (ST-16)?"""
        return any(connection.hangs() for connection in self.active())

    def known(self) -> Iterator[Connection]:
        """Those of them that NDIS knows."""
        return (connection for connection in self.active() if connection.is_known)

    async def start(self) -> bool:
        """Bring every active one up; a connectionless frame without a buffer is dropped, lest they wait behind it."""
        self.nic.hardware.write(regs.VC_SCHED, self.config.quantum | regs.VC_SCHED_RX_NO_WAIT)
        return all([await connection.start() is NdisStatus.SUCCESS for connection in self.active()])

    async def silence(self) -> bool:
        """Stop all of them in the NIC; True once nothing is outstanding there."""
        return all([await connection.silence() for connection in self.active()])

    def collect(self) -> None:
        """Take what the NIC completed before it stopped."""
        for connection in self.active():
            connection.collect()

    def end(self, status: NdisStatus) -> None:
        """Buffers come back, sends end."""
        for connection in self.active():
            connection.end(status)

    def refuse(self, status: NdisStatus) -> None:
        """No more sends are accepted."""
        for connection in self.active():
            if connection.tx is not None:
                connection.tx.refusal = connection.tx.refusal or status

    def cancel(self, cancel_id: Any) -> None:
        """MiniportCancelSend (CN-10)."""
        for connection in self.active():
            if connection.tx is not None:
                connection.tx.cancel(cancel_id)

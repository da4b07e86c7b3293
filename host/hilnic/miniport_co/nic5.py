# SPDX-License-Identifier: Apache-2.0
"""The 5.x adapter with connections: the deserialized Ethernet driver, and the NIC's VC table beside it.

All queues, those of connections too, share the line; the board says which have completions.
"""

from __future__ import annotations

from functools import partial

from hilnic import ndis
from hilnic.hw.device import Device
from hilnic.miniport5.ethernet import PacketNic
from hilnic.miniport5.interrupt import LINE
from hilnic.miniport_co.config import CoConfig
from hilnic.miniport_co.connection import Connection
from hilnic.miniport_co.connection5 import Connection5
from hilnic.miniport_co.connections import Connections
from hilnic.miniport_co.link import CoLink5
from hilnic.ndis import NdisStatus, ndis5
from hilnic.ndis.condis import ndis5 as condis5
from hilnic.ndis.ndis5 import Packet

__all__ = ["CoNic5"]

_EVERYTHING = 1 << 30


class CoNic5(PacketNic):
    """The MiniportAdapterContext of the connection-oriented driver of NDIS 5."""

    link: CoLink5

    def __init__(self, adapter: ndis.Adapter, device: Device, config: CoConfig) -> None:
        super().__init__(adapter, device, config.nic)
        self.connections = Connections(self, config, LINE, partial(Connection5, self))

    def make_link(self) -> CoLink5:
        """Link changes are told on connections too."""
        return CoLink5(self.handle, self.hardware, self.connections)

    async def make_more(self) -> None:
        """The table, and the board's memory."""
        await self.connections.find()
        memory = ndis5.allocate_shared_memory(self.handle, self.connections.board_bytes)
        if memory is None:
            raise MemoryError(f"no {self.connections.board_bytes} bytes for completions")
        self._undo.push(lambda: ndis5.free_shared_memory(memory))
        self.connections.allocate(memory)

    # --- interrupt ----------------------------------------------------------------------------------------------------

    def handle_interrupt(self) -> None:
        """MiniportHandleInterrupt: what connections have first, for the rest may be nothing."""
        taken = 0
        if self.queues_running:
            taken = self.connections.queues.collect(_EVERYTHING)[0] + self.tx.reap()
            taken += self.rx.poll(self.config.dpc_budget)
            condis5.mco_receive_complete(self.handle)
        if self.hardware.present:
            self.misc.note(taken > 0)

    def rearm(self) -> None:
        """MiniportEnableInterrupt: every queue that was looked at."""
        super().rearm()
        if self.queues_running:
            self.connections.queues.rearm()

    # --- what the adapter's life does to connections ------------------------------------------------------------------

    async def _start_queues(self) -> bool:
        return await super()._start_queues() and await self.connections.start()

    async def disable_queues(self) -> bool:
        """Those of connections too."""
        silent = await self.connections.silence()
        return await super().disable_queues() and silent

    def _end_traffic(self, status: NdisStatus) -> None:
        self.connections.collect()
        self.connections.end(status)
        super()._end_traffic(status)

    async def start_afresh(self, without: Connection) -> None:
        """A connection did not become idle: a soft reset ends it, and everything else begins again."""
        await self.hardware.soft_reset(self.config.timeout_ns)
        self._end_traffic(NdisStatus.RESET_IN_PROGRESS)
        without.contract = None
        self._program()
        await self._start_queues()

    def check_for_hang(self) -> bool:
        """MiniportCheckForHang: connections too."""
        hangs = super().check_for_hang()
        return self.connections.hang() or hangs

    # --- data ---------------------------------------------------------------------------------------------------------

    def return_packet(self, packet: Packet) -> None:
        """MiniportReturnPacket: to the receiver that it came from."""
        packet.miniport_reserved[0][0].receiver.give_back(packet)

# SPDX-License-Identifier: Apache-2.0
"""One virtual connection of either version: its contract, its pair of queues, its entry in the NIC's table.

    create      an entry and its queues are taken                       (no memory yet)
    activate    rings and buffers; queues enabled, then the entry       -> data
    again       the entry's page is written and applied: the new contract from the next frame on
    deactivate  the transmit queue stops, then the entry drains, then the receive queue; held SDUs come back
    delete      the entry is free for another

The transmit queue stops before the entry, because what waits in it would otherwise go out without a tag. While the
adapter is paused, nothing of this touches the NIC; a restart brings every active connection up.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Protocol

from hilnic.hw import regs
from hilnic.miniport.hardware import QueuePage
from hilnic.miniport.ring import CompletionRing
from hilnic.miniport.rx import RxStatistics
from hilnic.miniport.tx_frame import TxStatistics
from hilnic.miniport_co.contract import Contract
from hilnic.miniport_co.entry import VcEntry
from hilnic.miniport_co.header import with_tag
from hilnic.miniport_co.queues import ServedQueue
from hilnic.ndis import NdisStatus, condis

if TYPE_CHECKING:
    from hilnic.miniport_co.connections import Connections

__all__ = ["Connection", "ReceiveQueue", "TransmitQueue"]

_REFUSALS = {
    regs.Cause.VID_TAKEN: NdisStatus.VC_NOT_AVAILABLE,
    regs.Cause.QUEUE_TAKEN: NdisStatus.VC_NOT_AVAILABLE,
}


class Queue(ServedQueue, Protocol):
    """What both directions of both versions can do."""

    page: QueuePage

    def allocate(self) -> None:
        """Make rings and what belongs to them; MemoryError when there is not enough."""
        ...

    def free(self) -> None:
        """Give back what there is."""
        ...

    async def start(self) -> bool:
        """Configure and enable."""
        ...


class TransmitQueue(Queue, Protocol):
    """Down."""

    refusal: NdisStatus | None
    completions: CompletionRing

    @property
    def busy(self) -> bool:
        """Is anything waiting or in flight?"""
        ...

    def reap(self) -> int:
        """Take completions."""
        ...

    def abort(self, status: NdisStatus) -> None:
        """End everything that has not been sent."""
        ...

    def cancel(self, cancel_id: Any) -> None:
        """End what waits with this id."""
        ...

    def statistics(self) -> TxStatistics:
        """Counts of now."""
        ...


class ReceiveQueue(Queue, Protocol):
    """Up."""

    def drain(self) -> None:
        """Take everything that the NIC completed before it stopped."""
        ...

    def reclaim(self) -> None:
        """Take back the posted buffers."""
        ...

    async def wait_until_returned(self) -> None:
        """Wait until the stack has returned everything."""
        ...

    def statistics(self) -> RxStatistics:
        """Counts of now."""
        ...


class Connection(ABC):
    """The MiniportVcContext; subclasses know what data is."""

    is_known = True
    """Whether it is a VC of NDIS's."""

    def __init__(self, all_of_them: Connections, vc: condis.VcHandle, entry: VcEntry) -> None:
        self.connections, self.vc, self.entry = all_of_them, vc, entry
        self.config = all_of_them.of_connection
        self.contract: Contract | None = None
        """What was agreed last; None while the connection is not active."""
        self.is_leaving = False
        self.addresses = b""
        self.heard_at: frozenset[bytes] = frozenset()
        """Destinations of its frames: on a switch others may have a call with its VLAN id (CD-08)."""
        self.max_sdu = 0
        """Bytes of the longest SDU that may be sent; 0 when none may: a queue that no VC has sends without a tag."""
        self._mark: tuple[int, int] = (0, 0)  # completions taken, and the time at which that was new
        self.tx: TransmitQueue | None = None
        self.rx: ReceiveQueue | None = None

    def __repr__(self) -> str:
        """Entry, contract and queues."""
        return f"<Connection {self.entry.number}: {self.contract} {self.tx} {self.rx}>"

    @abstractmethod
    def make_queues(self, slot: int) -> tuple[TransmitQueue, ReceiveQueue]:
        """Queues for the entry, with the slots `slot` and `slot + 1` of the board."""

    # --- life ---------------------------------------------------------------------------------------------------------

    async def activate(self, contract: Contract) -> NdisStatus:
        """Bring it up, or change its contract; when that fails everything is as before (CC-09)."""
        if self.contract is None:
            return await self._bring_up(contract)
        if contract.identity != self.contract.identity:
            return NdisStatus.INVALID_DATA  # as the NIC would say, which is not asked while the adapter is paused
        if self.connections.nic.queues_running:
            cause = await self.entry.apply(contract, self.connections.config.quantum)
            if cause:
                return _refusal(cause)
        self._agree(contract)
        return NdisStatus.SUCCESS

    async def _bring_up(self, contract: Contract) -> NdisStatus:
        taken = {each.contract.media.vlan_id for each in self.connections.active() if each.contract}
        if contract.media.vlan_id in taken:  # the NIC says so too, but not while the adapter is paused
            return NdisStatus.VC_NOT_AVAILABLE
        try:
            self._allocate()
        except MemoryError:
            self._free()
            return NdisStatus.RESOURCES
        self._agree(contract)
        status = await self.start() if self.connections.nic.queues_running else NdisStatus.SUCCESS
        if status is not NdisStatus.SUCCESS:
            await self.take_down(status)
            await self.release()
        return status

    def _agree(self, contract: Contract) -> None:
        self.contract = contract
        self.max_sdu = contract.max_sdu if contract.transmits else 0
        destination, own = contract.media.destination, self.connections.nic.config.mac_address
        self.addresses, self.heard_at = destination + own, frozenset({destination, own})

    def _allocate(self) -> None:
        slot = 2 * self.entry.number
        self.tx, self.rx = self.make_queues(slot)
        for number, queue in ((slot, self.tx), (slot + 1, self.rx)):
            queue.allocate()
            self.connections.queues.place(number, queue)

    def _free(self) -> None:
        for slot, queue in ((2 * self.entry.number, self.tx), (2 * self.entry.number + 1, self.rx)):
            if queue is not None:
                self.connections.queues.place(slot, None)
                queue.free()
        self.tx = self.rx = None

    async def take_down(self, status: NdisStatus) -> None:
        """No frame of it is left in the NIC; what was not sent ends with `status`."""
        if self.connections.nic.queues_running and not await self.silence():
            await self.connections.nic.start_afresh(self)
        self.collect()
        self.end(status)
        self.contract = None

    async def release(self) -> None:
        """Nothing of it is with NDIS any more (CC-10): its memory goes."""
        if self.rx is not None:
            await self.rx.wait_until_returned()
        self._free()

    def hangs(self) -> bool:
        """Has nothing that was given to the NIC come back since the last call, for longer than the contract delays it?

        A frame waits for its tokens, and for the line, which others have, too.
        """
        tx, now = self.tx, self.connections.now_ns()
        taken, since = self._mark
        if (
            tx is None
            or self.contract is None
            or not tx.busy
            or tx.refusal is not None
            or taken != tx.completions.index
        ):
            self._mark = (0 if tx is None else tx.completions.index, now)
            return False
        return now - since > self.contract.longest_wait_ns + self.config.stall_ns

    def on_wire(self, frame: bytes) -> bytes:
        """A frame with header as the wire has it, for the trace."""
        return frame if self.contract is None else with_tag(frame, self.contract.media)

    # --- queues -------------------------------------------------------------------------------------------------------

    async def start(self) -> NdisStatus:
        """Enable the queues, then the entry, which wants them enabled."""
        assert self.tx is not None
        assert self.rx is not None
        assert self.contract is not None
        if not (await self.rx.start() and await self.tx.start()):
            return NdisStatus.FAILURE
        cause = await self.entry.apply(self.contract, self.connections.config.quantum)
        if cause:
            return _refusal(cause)
        self.tx.rearm()
        self.rx.rearm()
        return NdisStatus.SUCCESS

    async def silence(self) -> bool:
        """Stop in the NIC; True once nothing of it is outstanding there (RG-12)."""
        assert self.tx is not None
        assert self.rx is not None
        self.tx.refusal = self.tx.refusal or NdisStatus.VC_NOT_ACTIVATED
        timeout = self.connections.nic.config.timeout_ns
        sent = await self.tx.page.disable(timeout)
        drained = await self.entry.deactivate(timeout)
        return await self.rx.page.disable(timeout) and sent and drained

    def collect(self) -> None:
        """Take what the NIC completed before it stopped."""
        nic = self.connections.nic
        if self.tx is not None and self.rx is not None and nic.queues_running and nic.hardware.present:
            self.tx.reap()
            self.rx.drain()

    def end(self, status: NdisStatus) -> None:
        """The NIC does nothing for it any more: buffers come back, sends end."""
        if self.tx is not None and self.rx is not None:
            self.rx.reclaim()
            self.tx.refusal = self.tx.refusal or status
            self.tx.abort(status)


def _refusal(cause: int) -> NdisStatus:
    """Why the NIC did not take the page, in NDIS's words."""
    return _REFUSALS.get(regs.Cause(cause), NdisStatus.INVALID_DATA)

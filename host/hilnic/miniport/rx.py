# SPDX-License-Identifier: Apache-2.0
"""Receive: buffers down to the NIC, frames up to NDIS, returned frames back to buffers.

            free -> posted (the NIC's, in ring order) -> filled -> indicated -----> lent to the stack -> free
                                                              \\-> RESOURCES: back when the call returns -> free

Every buffer has its MDL, NET_BUFFER and NET_BUFFER_LIST from the start. A frame longer than a buffer chains the MDLs of
the following ones behind its first (RG-10). A buffer is mapped for the device only while it is posted (RG-11), so what
a protocol holds cannot change (R6-06). With fewer than `rx_low_water` buffers left, frames are lent for the call only
(R6-19), in a call of their own (R6-21), and stay in order (R6-22).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from hilnic import ndis
from hilnic.hw import regs
from hilnic.hw.descriptors import COMPLETION_BYTES, RX_DESCRIPTOR_STRUCT
from hilnic.hw.device import DeviceFault
from hilnic.hw.memory import Direction, HostMemory, Mapping
from hilnic.miniport.config import NicConfig
from hilnic.miniport.hardware import Hardware, QueuePage, allocate_ring
from hilnic.miniport.ring import DESCRIPTOR_BYTES, RingPair, make_rings
from hilnic.miniport.vlan import TAG_BYTES, PriorityVlanTag, is_from_vlan, slot_of, take_out

__all__ = ["Receiver", "RxBuffer", "RxStatistics"]

_EOP = int(regs.CompletionStatus.EOP)
_ERROR = int(regs.CompletionStatus.ERROR)
_LOOPBACK = int(regs.CompletionStatus.LOOPBACK)
_IS_LOOPBACK = int(ndis.NblFlags.IS_LOOPBACK_PACKET)
_FROM_DEVICE = int(Direction.FROM_DEVICE)
_FRAME_TYPE = int(ndis.NblInfo.FRAME_TYPE)
_TAG_SLOT = int(ndis.NblInfo.IEEE_8021Q)
_DISPATCH = int(ndis.ReceiveFlags.DISPATCH_LEVEL)
_RESOURCES = int(ndis.ReceiveFlags.RESOURCES)


@dataclass(frozen=True, slots=True)
class RxStatistics:
    """Frames by fate, and buffers by place, since initialization."""

    indicated: int
    indicated_with_resources: int
    errors: int
    discarded: int
    buffers_posted: int
    buffers_free: int
    buffers_lent: int


class RxBuffer:
    """A receive buffer with the objects that describe it."""

    __slots__ = ("address", "descriptor", "mapping", "mdl", "nb", "nbl", "receiver", "region", "start")

    def __init__(
        self, receiver: Receiver, region: ndis.Region, mdl: ndis.Mdl, nbl: ndis.NetBufferList, start: int
    ) -> None:
        nb = nbl.first_net_buffer
        assert nb is not None
        self.receiver = receiver
        self.region, self.mdl, self.nbl, self.nb, self.start = region, mdl, nbl, nb, start
        self.address = region.address + start
        self.descriptor = RX_DESCRIPTOR_STRUCT.pack(self.address, 0)
        self.mapping: Mapping | None = None


class Receiver:
    """One receive queue of the driver with its buffer pool."""

    def __init__(
        self,
        adapter: ndis.Adapter,
        hardware: Hardware,
        memory: HostMemory,
        dma: ndis.DmaHandle,
        config: NicConfig,
        queue: int = 0,
    ) -> None:
        self.page = QueuePage.rx(hardware, queue)
        self.running = False
        self.moderated = True
        self.lent = 0
        """Buffers that the stack holds."""
        self.source: Any = adapter
        """The SourceHandle of what is indicated."""
        self.header_bytes = 0
        """Bytes before what is shown of a frame."""
        self._adapter, self._memory, self._config, self._number = adapter, memory, config, queue
        self._kernel = hardware.kernel
        self._trace: Any = hardware.kernel.trace
        self._free: deque[RxBuffer] = deque()
        self._posted: deque[RxBuffer] = deque()
        self._frame: list[RxBuffer] = []
        self._polling = False
        self._drained: Any = None
        self._indicated = self._with_resources = self._errors = self._discarded = 0
        self.vlan_id = 0  # OID_GEN_VLAN_ID
        self._dma = dma
        self._shared: list[ndis.SharedMemory] = []
        self._buffers: list[RxBuffer] = []
        self._pool: ndis.NetBufferListPool | None = None

    def __repr__(self) -> str:
        """Where the buffers are."""
        places = f"{len(self._posted)} posted, {len(self._free)} free, {self.lent} lent"
        return f"<Receiver {self._number}: {places}, {self.ring}>"

    def _new_rings(self) -> None:
        config, doorbell = self._config, self.page.ring_doorbell
        self.ring, self.completions = make_rings(
            self._adapter, self._memory, f"rx{self._number}", self._places, config.rx_ring, config.start_index, doorbell
        )

    # --- life ---------------------------------------------------------------------------------------------------------

    def allocate(self) -> None:
        """Make rings and buffers; MemoryError when there is not enough (`free` then gives back what there is)."""
        config = self._config
        self._places = self.allocate_rings()
        self._pool = ndis.allocate_net_buffer_list_pool(self._adapter, ndis.NetBufferListPoolParameters(tag="receive"))
        for _ in range(config.rx_buffers):
            region = self._kernel.allocate(config.rx_buffer_bytes + config.rx_buffer_offset)
            mdl = ndis.allocate_mdl(self._adapter, region, config.rx_buffer_offset, config.rx_buffer_bytes)
            nbl = ndis.allocate_net_buffer_and_net_buffer_list(self._pool, 0, 0, mdl, 0, 0)
            buffer = RxBuffer(self, region, mdl, nbl, config.rx_buffer_offset)
            self._buffers.append(buffer)
            self._free.append(buffer)
        self._new_rings()

    def allocate_rings(self) -> RingPair:
        """Memory for both rings; MemoryError when there is not enough."""
        return self.share(self._config.rx_ring * DESCRIPTOR_BYTES), self.share(self._config.rx_ring * COMPLETION_BYTES)

    def share(self, length: int) -> ndis.SharedMemory:
        """Shared memory that `free` gives back; MemoryError when there is none."""
        shared = allocate_ring(self._dma, length)
        self._shared.append(shared)
        return shared

    def free(self) -> None:
        """Give back all memory; the queue is stopped and nothing is lent."""
        for buffer in self._buffers:
            ndis.free_net_buffer_list(buffer.nbl)
            ndis.free_mdl(buffer.mdl)
            self._kernel.free(buffer.region)
        if self._pool is not None:
            ndis.free_net_buffer_list_pool(self._pool)
        for shared in reversed(self._shared):
            ndis.free_shared_memory(shared)

    async def start(self) -> bool:
        """Configure and enable the queue and post buffers."""
        self._new_rings()
        self.page.configure_rings(self.ring, self.completions, self._config.vector)
        self.page.configure(buf_size=self._config.rx_buffer_bytes)
        self.moderate(self.moderated)
        if not await self.page.enable():
            return False
        self.running = True
        self._refill()
        self.ring.publish()
        return True

    def moderate(self, on: bool) -> None:
        """Interrupts as configured, or one per completion; allowed at any time."""
        self.moderated = on
        count, ticks = self._config.rx_moderation if on else (1, 0)
        self.page.configure(mod_count=count, mod_ticks=ticks)

    def drain(self) -> None:
        """Take everything that the NIC completed before it stopped."""
        while self.poll(self._config.dpc_budget):
            pass

    def reclaim(self) -> None:
        """Take back the posted buffers; nothing of the queue may be outstanding in the NIC."""
        self.running = False
        self._free.extend(self._frame)  # half a frame
        self._frame = []
        for buffer in self._posted:
            self._unmap(buffer)
            self._free.append(buffer)
        self._posted.clear()

    async def wait_until_returned(self) -> None:
        """Wait until the stack has returned every frame (ST-03)."""
        while self.lent:
            self._drained = self._kernel.create_event()
            await self._drained.wait()

    def statistics(self) -> RxStatistics:
        """Counts of now."""
        return RxStatistics(
            self._indicated,
            self._with_resources,
            self._errors,
            self._discarded,  # of another VLAN; without buffers the NIC drops frames itself
            len(self._posted),
            len(self._free),
            self.lent,
        )

    # --- down: buffers ------------------------------------------------------------------------------------------------

    def _refill(self) -> None:
        """Post free buffers while the ring has room; `publish` is the caller's."""
        ring, free, posted, memory = self.ring, self._free, self._posted, self._memory
        length = self._config.rx_buffer_bytes
        for _ in range(min(ring.free, len(free))):
            buffer = free.popleft()
            buffer.mapping = memory.map(buffer.address, length, _FROM_DEVICE)
            ring.post(buffer.descriptor)
            posted.append(buffer)

    def _unmap(self, buffer: RxBuffer) -> None:
        if buffer.mapping is not None:
            self._memory.unmap(buffer.mapping)
            buffer.mapping = None

    def give_back(self, nbls: ndis.NetBufferList) -> None:
        """MiniportReturnNetBufferLists: any order, any mix, also from inside the indication (R6-03, R6-20)."""
        for nbl in ndis.walk(nbls):
            buffers = nbl.miniport_reserved[0]
            self.lent -= len(buffers)
            self._recycle(buffers)
        if self.running and not self._polling:
            self._refill()
            self.ring.publish()
        if not self.lent and self._drained is not None:
            self._drained.set()

    def _recycle(self, buffers: list[RxBuffer]) -> None:
        """Dissolve a frame into its buffers."""
        for buffer in buffers:
            buffer.mdl.next = None
        self._free.extend(buffers)

    # --- up: frames ---------------------------------------------------------------------------------------------------

    def poll(self, budget: int) -> bool:
        """Indicate at most `budget` received frames; True if there are more."""
        kept, scarce = ndis.NblQueue(), ndis.NblQueue()
        taken, lending = 0, self.lent
        limit = len(self._buffers) - self._config.rx_low_water if self._config.rx_low_water else len(self._buffers)
        while taken < budget and (completion := self.completions.take()) is not None:
            index, _, status, cause, length = completion
            self._take_buffer(index)
            if not status & _EOP:
                continue
            taken += 1
            buffers, self._frame = self._frame, []
            shown = self.data_length(buffers[0], length) if self.header_bytes else length
            if status & _ERROR or not shown:
                self._refuse(buffers, cause)
                continue
            if self.vlan_id and not is_from_vlan(buffers[0].region.view[buffers[0].start :], self.vlan_id):
                self._discarded += 1
                self._recycle(buffers)
                continue
            nbl = self._assemble(buffers, shown, status & _LOOPBACK)
            lending += len(buffers)
            (scarce if lending > limit else kept).append(nbl)
        if taken:
            self._deliver(taken, kept, scarce)
        return taken == budget and self.completions.pending()

    def _take_buffer(self, index: int) -> None:
        """The oldest posted buffer has been filled, or the device broke its contract."""
        if self.ring.retire(index) != 1:
            raise DeviceFault(f"completion {index} skips a buffer of {self!r}", engine=self.ring.name)
        buffer = self._posted.popleft()
        self._unmap(buffer)
        self._frame.append(buffer)

    def _assemble(self, buffers: list[RxBuffer], length: int, looped: int) -> ndis.NetBufferList:
        """Describe a frame: one NBL, one NB (R6-11), the MDLs of its buffers."""
        first = buffers[0]
        for before, after in pairwise(buffers):
            before.mdl.next = after.mdl
        nb, nbl = first.nb, first.nbl
        nb.mdl_chain = nb.current_mdl = first.mdl
        nb.data_offset = nb.current_mdl_offset = self.header_bytes
        nb.data_length = length
        nbl.source_handle = self.source
        nbl.status = 0
        nbl.nbl_flags = _IS_LOOPBACK if looped else 0
        nbl.miniport_reserved[0] = buffers
        if self._trace.enabled:
            nb.frame_id = self._trace.find("rx", self.from_wire(first))
            self._trace.emit(
                "rx.completion",
                frame=nb.frame_id,
                nbl=nbl.id,
                queue=self._number,
                index=self.ring.consumer,
                bytes=length,
            )
        if self._config.priority_vlan_tag is not None:
            self._untag(first, self._config.priority_vlan_tag)
        if not self.header_bytes:
            view, start = first.region.view, first.start + nb.data_offset
            nbl.net_buffer_list_info[_FRAME_TYPE] = view[start + 12] << 8 | view[start + 13]
        return nbl

    def from_wire(self, first: RxBuffer) -> bytes:
        """A frame as the wire has had it, for the trace."""
        return first.nb.tobytes()

    @staticmethod
    def _untag(first: RxBuffer, option: PriorityVlanTag) -> None:
        """Take the frame's 802.1Q tag out and say in its slot what was in it (OB-09)."""
        tag = take_out(first.region.view[first.start :])
        if tag is not None:
            first.nb.data_offset = first.nb.current_mdl_offset = TAG_BYTES
            first.nb.data_length -= TAG_BYTES
        first.nbl.net_buffer_list_info[_TAG_SLOT] = tag and slot_of(tag, option)

    def _refuse(self, buffers: list[RxBuffer], cause: int) -> None:
        """A frame that the NIC could not deliver whole: counted, never indicated (R6-17)."""
        self._errors += 1
        if self._trace.enabled:
            self._trace.emit("rx.error", queue=self._number, index=self.ring.consumer, cause=cause)
        self._recycle(buffers)

    def _deliver(self, taken: int, kept: ndis.NblQueue, scarce: ndis.NblQueue) -> None:
        """Indicate, then refill the ring with what came back meanwhile; one doorbell."""
        self._kernel.charge_frames(taken)
        flags = _DISPATCH if self._kernel.irql == ndis.Irql.DISPATCH else 0
        self._polling = True
        try:
            if kept.first is not None:
                self._hand_over(kept, flags)
            if scarce.first is not None:
                self._lend(scarce, flags | _RESOURCES)
        finally:
            self._polling = False
        if self.running:
            self._refill()
            self.ring.publish()

    def _hand_over(self, kept: ndis.NblQueue, flags: int) -> None:
        """Indicate: the frames are the stack's until it returns them."""
        self._indicated += kept.count
        for nbl in ndis.walk(kept.first):
            self.lent += len(nbl.miniport_reserved[0])
        self.hand_up(kept.first, kept.count, flags)

    def _lend(self, scarce: ndis.NblQueue, flags: int) -> None:
        """Indicate with RESOURCES: the frames are ours again when the call returns (R6-04)."""
        frames = [nbl.miniport_reserved[0] for nbl in ndis.walk(scarce.first)]
        self._with_resources += scarce.count
        self.hand_up(scarce.first, scarce.count, flags)
        for buffers in frames:
            self._recycle(buffers)

    def data_length(self, first: RxBuffer, length: int) -> int:
        """Bytes that are shown of a frame of `length` bytes behind its header; 0 when it may not be shown."""
        del first
        return length - self.header_bytes

    def hand_up(self, nbls: ndis.NetBufferList | None, count: int, flags: int) -> None:
        """NdisMIndicateReceiveNetBufferLists."""
        ndis.indicate_receive_net_buffer_lists(self._adapter, nbls, 0, count, flags)

    def rearm(self) -> None:
        """Unmask the interrupt if it may be masked: it fired only if completions were taken since the re-arm."""
        completions = self.completions
        if completions.armed != completions.index:
            completions.armed = completions.index
            self.page.ring_rearm(completions.index)

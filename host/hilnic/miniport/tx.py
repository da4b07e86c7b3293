# SPDX-License-Identifier: Apache-2.0
"""Transmit: NET_BUFFER_LISTs to descriptors, and completions back to NET_BUFFER_LISTs.

    send -> waiting ---------> in flight ------------------> done -> complete upwards
            (software queue,   (descriptors are the NIC's,   (the NBL's last NET_BUFFER
             no limit, S6-10)   in ring order)                has come back, RG-07)

Zero copy: each piece of the MDL chain becomes one descriptor, through NDIS's scatter/gather service, with an 802.1Q
tag among them where the option says so (vlan.py). The head of the waiting queue goes only when all its descriptors fit
(RG-08); frames never overtake each other (S6-11). A list with more pieces than the ring can take is copied first
(RG-09). One doorbell per call.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import Any

from hilnic import ndis
from hilnic.hw import regs
from hilnic.hw.descriptors import COMPLETION_BYTES, TX_DESCRIPTOR_EOP_IN_BITS_80, TX_DESCRIPTOR_STRUCT
from hilnic.hw.descriptors import TX_DESCRIPTOR_SOP_IN_BITS_80 as SOP
from hilnic.hw.device import DeviceFault
from hilnic.hw.memory import Direction, HostMemory
from hilnic.miniport.config import NicConfig
from hilnic.miniport.hardware import Hardware, QueuePage, allocate_ring
from hilnic.miniport.ring import DESCRIPTOR_BYTES, RingPair, make_rings
from hilnic.miniport.tx_frame import Element, TxFrame, TxStatistics, used
from hilnic.miniport.vlan import TAG_BYTES, TagMemory, add_tag, is_for_another_vlan, tag_of

__all__ = ["Transmitter"]

EOP = TX_DESCRIPTOR_EOP_IN_BITS_80
MINIMUM_FRAME = 14
_DISPATCH = int(ndis.SendCompleteFlags.DISPATCH_LEVEL)
_OK = int(regs.CompletionStatus.OK)
_LENGTH_CAUSES = {regs.Cause.TOO_SHORT, regs.Cause.TOO_LONG}
_CUTS = {regs.Cause.NO_EOP, regs.Cause.FETCH_ERROR}
_U32 = 0xFFFFFFFF
_VLAN_TAGS = (b"\x81\x00", b"\x88\xa8")
_TAG_SLOT = int(ndis.NblInfo.IEEE_8021Q)
_pack = TX_DESCRIPTOR_STRUCT.pack


class Transmitter:
    """One transmit queue of the driver."""

    def __init__(
        self,
        adapter: ndis.Adapter,
        hardware: Hardware,
        memory: HostMemory,
        dma: ndis.DmaHandle,
        config: NicConfig,
        queue: int = 0,
    ) -> None:
        self.page = QueuePage.tx(hardware, queue)
        self.refusal: ndis.NdisStatus | None = ndis.NdisStatus.PAUSED
        """Why sends are refused now; None while they are accepted."""
        self.moderated = True
        self.running = False
        """May frames go to the NIC? Also while a pause drains what was accepted before."""
        self._adapter, self._memory, self._dma, self._config = adapter, memory, dma, config
        self._kernel = hardware.kernel
        self._trace: Any = hardware.kernel.trace
        self._number = queue
        self._waiting: deque[TxFrame] = deque()
        self._in_flight: deque[TxFrame] = deque()
        self._done = ndis.NblQueue()
        self._pumping = False
        self._max_fragments = min(config.max_fragments, config.tx_ring)
        self._sent = self._errors = self._refused = self._aborted = self._copied = 0
        self.vlan_id = 0  # OID_GEN_VLAN_ID
        self._shared: list[ndis.SharedMemory] = []
        self._bounces: list[ndis.Region] = []

    def __repr__(self) -> str:
        """What is where."""
        return (
            f"<Transmitter {self._number}: {len(self._waiting)} waiting, {len(self._in_flight)} in flight, {self.ring}>"
        )

    def _new_rings(self) -> None:
        config, doorbell = self._config, self.page.ring_doorbell
        self.ring, self.completions = make_rings(
            self._adapter, self._memory, f"tx{self._number}", self._places, config.tx_ring, config.start_index, doorbell
        )

    # --- life ---------------------------------------------------------------------------------------------------------

    def allocate(self) -> None:
        """Make rings and copy buffers; MemoryError when there is not enough (`free` then gives back what there is)."""
        self._places = self.allocate_rings()
        if self._config.priority_vlan_tag:
            tags = self.share(self._config.tx_ring * TAG_BYTES)
            self._tags = TagMemory(self._memory, tags.address, self._config.tx_ring)
        for _ in range(self._config.bounce_buffers):
            self._bounces.append(self._kernel.allocate(self._config.max_frame + 4))
        self._new_rings()

    def allocate_rings(self) -> RingPair:
        """Memory for both rings; MemoryError when there is not enough."""
        return self.share(self._config.tx_ring * DESCRIPTOR_BYTES), self.share(self._config.tx_ring * COMPLETION_BYTES)

    def share(self, length: int) -> ndis.SharedMemory:
        """Shared memory that `free` gives back; MemoryError when there is none."""
        shared = allocate_ring(self._dma, length)
        self._shared.append(shared)
        return shared

    async def start(self) -> bool:
        """Configure and enable the queue; sends are accepted from now on."""
        self._new_rings()
        self.page.configure_rings(self.ring, self.completions, self._config.vector)
        self.moderate(self.moderated)
        if not await self.page.enable():
            return False
        self.refusal, self.running = None, True
        return True

    def moderate(self, on: bool) -> None:
        """Interrupts as configured, or one per completion; allowed at any time."""
        self.moderated = on
        count, ticks = self._config.tx_moderation if on else (1, 0)
        self.page.configure(mod_count=max(1, min(count, self._config.tx_ring // 8)), mod_ticks=ticks)

    def free(self) -> None:
        """Give back all memory; the queue is stopped and empty."""
        for region in self._bounces:
            self._kernel.free(region)
        for shared in reversed(self._shared):
            ndis.free_shared_memory(shared)

    @property
    def busy(self) -> bool:
        """Is any NET_BUFFER waiting or in flight?"""
        return bool(self._waiting or self._in_flight)

    def statistics(self) -> TxStatistics:
        """Counts of now."""
        queued = len(self._waiting) + len(self._in_flight)
        return TxStatistics(self._sent, self._errors, self._refused, self._aborted, self._copied, queued)

    # --- down ---------------------------------------------------------------------------------------------------------

    def send(self, nbls: ndis.NetBufferList) -> None:
        """Accept NBLs, all of them (S6-10); what cannot be sent completes with the reason."""
        refused = ndis.NblQueue()
        for nbl in ndis.walk(nbls):
            status = self.refusal if self.refusal is not None else self._verdict(nbl)
            if status is None:
                self._accept(nbl)
            else:
                nbl.status = status
                refused.append(nbl)
        self._pump()
        self._complete(self._done)
        self._complete(refused)

    def _verdict(self, nbl: ndis.NetBufferList) -> ndis.NdisStatus | None:
        """INVALID_LENGTH if any frame of the list is too long or too short: then none of them is sent (S6-14).

        FAILURE if any is for another VLAN than the NIC's.
        """
        nb = nbl.first_net_buffer
        while nb is not None:
            if not self.is_sendable(nb):
                self._refused += sum(1 for _ in nbl.net_buffers())
                return ndis.NdisStatus.INVALID_LENGTH
            if self.vlan_id and is_for_another_vlan(nbl.net_buffer_list_info[_TAG_SLOT], nb.tobytes, self.vlan_id):
                self._refused += sum(1 for _ in nbl.net_buffers())
                return ndis.NdisStatus.FAILURE
            nb = nb.next
        return None

    def is_sendable(self, nb: ndis.NetBuffer) -> bool:
        """Is the frame as long as the NIC takes it? A VLAN tag may make it four octets longer."""
        longest = self._config.max_frame - 4
        return MINIMUM_FRAME <= nb.data_length <= longest or (
            longest < nb.data_length <= longest + 4 and nb.tobytes(14)[12:] in _VLAN_TAGS
        )

    def _accept(self, nbl: ndis.NetBufferList) -> None:
        frames, nb, slot = 0, nbl.first_net_buffer, nbl.net_buffer_list_info[_TAG_SLOT]
        while nb is not None:
            tag = tag_of(slot, self._config.priority_vlan_tag, nb.tobytes, self.vlan_id)
            self._waiting.append(TxFrame(self, nbl, nb, tag))
            frames += 1
            if self._trace.enabled:
                nb.frame_id = self._trace.tag("tx", self.on_wire(nb, tag), nb.frame_id)
            nb = nb.next
        nbl.status = ndis.NdisStatus.SUCCESS
        nbl.miniport_reserved[0] = frames

    def on_wire(self, nb: ndis.NetBuffer, tag: bytes | None) -> bytes:
        """A frame as the wire will have it, for the trace."""
        return add_tag(nb.tobytes(), tag)

    def _pump(self) -> None:
        """Move waiting frames to the ring, oldest first, as long as whole frames fit; one doorbell."""
        if self._pumping:
            return
        self._pumping = True
        try:
            posted = self._post_waiting()
        finally:
            self._pumping = False
        if posted:
            self._kernel.charge_frames(posted)
            self.ring.publish()
            if self._trace.enabled:
                self._trace.emit("tx.doorbell", queue=self._number, producer=self.ring.producer)

    def _post_waiting(self) -> int:
        posted, waiting, ring = 0, self._waiting, self.ring
        while waiting and self.running and ring.free:
            frame = waiting[0]
            if not frame.requested and not self._request(frame):
                continue
            if not self._post(frame):
                break
            waiting.popleft()
            self._in_flight.append(frame)
            posted += 1
        return posted

    def _request(self, frame: TxFrame) -> bool:
        """Ask for the scatter/gather list; it may come inside of this call or later (IT-06). False: no memory."""
        frame.requested = True
        status = ndis.allocate_net_buffer_sg_list(self._dma, frame.nb, frame, ndis.SG_LIST_WRITE_TO_DEVICE)
        if status == ndis.NdisStatus.SUCCESS:
            return True
        self._waiting.popleft()
        self._refused += 1
        self._release(frame, ndis.NdisStatus.RESOURCES)
        return False

    def process_sg_list(self, sg_list: ndis.ScatterGatherList, frame: TxFrame) -> None:
        """MiniportProcessSGList: the list of one frame is there."""
        frame.sg_list = sg_list
        if frame.given_up is not None:
            self._release(frame, frame.given_up)
            self._complete(self._done)
        else:
            self._pump()

    def _post(self, frame: TxFrame) -> bool:
        """Write a frame's descriptors; False if it has to wait, for its list, for descriptors or for a copy buffer."""
        if frame.sg_list is None:
            return False
        elements = used(frame.sg_list, frame.nb.current_mdl_offset)
        if frame.tag is not None:
            elements = self._tags.tagged(self.ring.reserved, elements, frame.tag)
        if len(elements) > self._max_fragments:
            if not self._bounces:
                return False
            elements = [self._copy(frame)]
        elements = self.framed(frame, elements)
        ring, last = self.ring, len(elements) - 1
        if last >= ring.free:
            return False
        flags = SOP
        for number, (address, length) in enumerate(elements):
            if number == last:
                flags |= EOP
            ring.post(_pack(address, length, flags, 0, 0))
            flags = 0
        frame.end = ring.reserved
        if self._trace.enabled:
            self._trace.emit(
                "tx.descriptors", frame=frame.nb.frame_id, queue=self._number, end=frame.end, count=len(elements)
            )
        return True

    def framed(self, frame: TxFrame, elements: list[Element]) -> list[Element]:
        """What goes to the NIC for a frame: here the protocol's bytes are the whole of it."""
        del frame
        return elements

    def _copy(self, frame: TxFrame) -> Element:
        """Gather a frame with too many pieces into one buffer (RG-09)."""
        region = self._bounces.pop()
        data = add_tag(frame.nb.tobytes(), frame.tag)
        region.view[: len(data)] = data
        mapping = self._memory.map(region.address, len(data), Direction.TO_DEVICE)
        frame.bounce = (region, mapping)
        self._copied += 1
        return Element(region.address, len(data))

    # --- up -----------------------------------------------------------------------------------------------------------

    def reap(self) -> int:
        """Take completions, refill the ring, complete what is whole; how many frames came back."""
        taken = 0
        while (completion := self.completions.take()) is not None:
            index, _, status, cause, _ = completion
            self._end_frame(index, status, cause)
            taken += 1
        if taken:
            if self._waiting:
                self._pump()
            self._complete(self._done)
        return taken

    def _end_frame(self, index: int, status: int, cause: int) -> None:
        if not self._in_flight or not self._ends(self._in_flight[0], index, cause):
            raise DeviceFault(f"completion {index} does not end the oldest frame of {self!r}", engine=self.ring.name)
        frame = self._in_flight.popleft()
        self.ring.retire(index)
        if self._trace.enabled:
            self._trace.emit("tx.completion", frame=frame.nb.frame_id, queue=self._number, index=index, cause=cause)
        if status & _OK:
            self._sent += 1
            self._release(frame, ndis.NdisStatus.SUCCESS)
        else:
            self._errors += 1
            length = cause in _LENGTH_CAUSES
            self._release(frame, ndis.NdisStatus.INVALID_LENGTH if length else ndis.NdisStatus.FAILURE)

    def _ends(self, frame: TxFrame, index: int, cause: int) -> bool:
        """Is `index` the frame's end, or a cut in it? A failing queue may end a frame amid its descriptors."""
        start = self.ring.consumer
        return index == frame.end or (cause in _CUTS and 0 < (index - start) & _U32 < (frame.end - start) & _U32)

    def _release(self, frame: TxFrame, status: ndis.NdisStatus) -> None:
        """The device is done with a frame: free its list (IT-06); its NBL is done with its last frame (RG-07)."""
        if frame.bounce is not None:
            region, mapping = frame.bounce
            self._memory.unmap(mapping)
            self._bounces.append(region)
        if frame.sg_list is not None:
            ndis.free_net_buffer_sg_list(self._dma, frame.sg_list, frame.nb)
        nbl = frame.nbl
        if status:
            nbl.status = status
        left = nbl.miniport_reserved[0] = nbl.miniport_reserved[0] - 1
        if not left:
            self._done.append(nbl)

    def _complete(self, queue: ndis.NblQueue) -> None:
        nbls = queue.take()
        if nbls is not None:
            flags = _DISPATCH if self._kernel.irql == ndis.Irql.DISPATCH else 0
            self.hand_back(nbls, flags)

    def hand_back(self, nbls: ndis.NetBufferList, flags: int) -> None:
        """NdisMSendNetBufferListsComplete."""
        ndis.complete_send_net_buffer_lists(self._adapter, nbls, flags)

    def _give_up(self, frame: TxFrame, status: ndis.NdisStatus) -> None:
        """Release a frame, at once or when its scatter/gather list, which NDIS is still making, has come (IT-06)."""
        if frame.requested and frame.sg_list is None:
            frame.given_up = status
        else:
            self._release(frame, status)

    def abort(self, status: ndis.NdisStatus) -> None:
        """End everything that has not been sent, with a reason; nothing of the queue may be outstanding in the NIC."""
        self.running = False
        for frame in (*self._in_flight, *self._waiting):
            self._aborted += 1
            self._give_up(frame, status)
        self._in_flight.clear()
        self._waiting.clear()
        self._complete(self._done)

    def cancel(self, cancel_id: Any) -> None:
        """MiniportCancelSend: NBLs of this id end with SEND_ABORTED, whole or not at all.

        One of which a frame has gone to the NIC goes on and ends with SUCCESS: a status speaks for all frames (CN-08).
        """
        waiting = Counter(frame.nbl for frame in self._waiting)
        slot = ndis.NblInfo.CANCEL_ID
        whole = {
            nbl
            for nbl, frames in waiting.items()
            if nbl.net_buffer_list_info[slot] == cancel_id and frames == sum(1 for _ in nbl.net_buffers())
        }
        kept: deque[TxFrame] = deque()
        for frame in self._waiting:
            if frame.nbl in whole:
                self._aborted += 1
                self._give_up(frame, ndis.NdisStatus.SEND_ABORTED)
            else:
                kept.append(frame)
        self._waiting = kept
        self._complete(self._done)

    def rearm(self) -> None:
        """Unmask the interrupt if it may be masked: it fired only if completions were taken since the re-arm."""
        completions = self.completions
        if completions.armed != completions.index:
            completions.armed = completions.index
            self.page.ring_rearm(completions.index)

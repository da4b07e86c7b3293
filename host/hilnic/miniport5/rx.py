# SPDX-License-Identifier: Apache-2.0
"""Receive: the ring and the buffers that all NDIS 5 drivers of the NIC share.

            free -> posted (the NIC's, in ring order) -> filled -> indicated ... -> free

Completions are taken by their phase bits; a frame longer than a buffer takes several (RG-10). How frames are shown to
NDIS, and where their buffers lie, is each driver's.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from typing import TYPE_CHECKING, Any

from hilnic import ndis
from hilnic.hw import regs
from hilnic.hw.descriptors import COMPLETION_BYTES, RX_DESCRIPTOR_STRUCT
from hilnic.hw.device import DeviceFault
from hilnic.miniport.config import NicConfig
from hilnic.miniport.hardware import QueuePage
from hilnic.miniport.ring import DESCRIPTOR_BYTES, RingPair, make_rings
from hilnic.miniport.rx import RxStatistics
from hilnic.miniport.vlan import TAG_BYTES, add_tag, is_from_vlan, take_out
from hilnic.miniport5.interrupt import LINE
from hilnic.ndis import ndis5

if TYPE_CHECKING:
    from hilnic.miniport5.nic import Nic5

__all__ = ["HEADER_BYTES", "Buffer", "Frame", "ReceiveRing"]

HEADER_BYTES = 14
_EOP = int(regs.CompletionStatus.EOP)
_ERROR = int(regs.CompletionStatus.ERROR)
_LOOPBACK = int(regs.CompletionStatus.LOOPBACK)


class Buffer:
    """A receive buffer."""

    __slots__ = ("address", "descriptor", "view")

    def __init__(self, address: int, view: memoryview) -> None:
        self.address, self.view = address, view
        self.descriptor = RX_DESCRIPTOR_STRUCT.pack(address, 0)


class Frame:
    """A received frame and the buffers that it lies in."""

    __slots__ = ("buffers", "is_looped", "length", "start", "tag")

    def __init__(self, buffers: list[Any], length: int, is_looped: bool) -> None:
        self.buffers, self.length, self.is_looped = buffers, length, is_looped
        self.start = 0  # of the frame in its first buffer
        self.tag: bytes | None = None
        """The 802.1Q tag that was taken out of it."""

    def untag(self) -> None:
        """Take the tag out, if there is one (OB-09)."""
        self.tag = take_out(self.buffers[0].view)
        if self.tag is not None:
            self.start = TAG_BYTES
            self.length -= TAG_BYTES

    def read(self, start: int, number: int) -> bytes | memoryview:
        """`number` bytes from byte `start` on; a view when they lie in one buffer."""
        size = len(self.buffers[0].view)
        start += self.start
        first, offset = divmod(start, size)
        if offset + number <= size:
            view: memoryview = self.buffers[first].view
            return view[offset : offset + number]
        pieces = b"".join(bytes(buffer.view) for buffer in self.buffers[first : (start + number - 1) // size + 1])
        return pieces[offset : offset + number]

    def tobytes(self) -> bytes:
        """The whole frame."""
        return bytes(self.read(0, self.length))


class ReceiveRing(ABC):
    """One receive queue with its buffers. `indicate` shows frames to NDIS."""

    def __init__(self, nic: Nic5, queue: int = 0, config: NicConfig | None = None) -> None:
        self.page = QueuePage.rx(nic.hardware, queue)
        self.running = False
        self.moderated = True
        self.lent = 0
        """Buffers that the protocols hold."""
        self._nic, self._adapter, self._config, self._number = nic, nic.handle, config or nic.config, queue
        self._kernel, self._memory = nic.kernel, nic.memory
        self._trace: Any = nic.kernel.trace
        self._buffers: list[Any] = []
        self._free: deque[Any] = deque()
        self._posted: deque[Any] = deque()
        self._frame: list[Any] = []
        self._polling = False
        self.vlan_id = 0  # OID_GEN_VLAN_ID
        self._indicated = self._with_resources = self._errors = self._discarded = 0
        self._shared: list[ndis.SharedMemory] = []

    def __repr__(self) -> str:
        """Where the buffers are."""
        places = f"{len(self._posted)} posted, {len(self._free)} free, {self.lent} lent"
        return f"<{type(self).__name__}: {places}, {self.ring}>"

    # --- what the drivers say -----------------------------------------------------------------------------------------

    @abstractmethod
    def make_buffers(self) -> None:
        """Fill `_buffers`; MemoryError when there is not enough."""

    def free_buffers(self) -> None:  # noqa: B027 - nothing is a good answer
        """The reverse, where shared memory is not all of it."""

    def map(self, buffer: Any) -> None:  # noqa: B027 - nothing is a good answer
        """The NIC is about to own the buffer."""

    def unmap(self, buffer: Any) -> None:  # noqa: B027 - nothing is a good answer
        """It does so no more."""

    @abstractmethod
    def indicate(self, frames: list[Frame]) -> None:
        """Show frames to NDIS; their buffers come back by `recycle`."""

    # --- life ---------------------------------------------------------------------------------------------------------

    def _new_rings(self) -> None:
        config, doorbell = self._config, self.page.ring_doorbell
        self.ring, self.completions = make_rings(
            self._adapter, self._memory, f"rx{self._number}", self._places, config.rx_ring, config.start_index, doorbell
        )

    def share(self, length: int) -> ndis.SharedMemory:
        """Shared memory that `free` gives back; MemoryError when there is none."""
        shared = ndis5.allocate_shared_memory(self._adapter, length, regs.BASE_ALIGNMENT)
        if shared is None:
            raise MemoryError(f"no {length} bytes of shared memory")
        self._shared.append(shared)
        return shared

    def allocate_rings(self) -> RingPair:
        """Memory for both rings; MemoryError when there is not enough."""
        return self.share(self._config.rx_ring * DESCRIPTOR_BYTES), self.share(self._config.rx_ring * COMPLETION_BYTES)

    def allocate(self) -> None:
        """Make rings and buffers; MemoryError when there is not enough (`free` then gives back what there is)."""
        self._places = self.allocate_rings()
        self.make_buffers()
        self._free.extend(self._buffers)
        self._new_rings()

    def free(self) -> None:
        """Give back all memory; the queue is stopped and nothing is lent."""
        self.free_buffers()
        for shared in reversed(self._shared):
            ndis5.free_shared_memory(shared)

    async def start(self) -> bool:
        """Configure and enable the queue and post buffers."""
        self._new_rings()
        self.page.configure_rings(self.ring, self.completions, LINE)
        self.page.configure(buf_size=self._config.rx_buffer_bytes)
        self.moderate(self.moderated)
        if not await self.page.enable():
            return False
        self.running = True
        self._refill()
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
        for buffer in self._posted:
            self.unmap(buffer)
        self._free.extend(self._frame)  # half a frame
        self._free.extend(self._posted)
        self._frame = []
        self._posted.clear()

    def statistics(self) -> RxStatistics:
        """Counts of now."""
        return RxStatistics(
            self._indicated,
            self._with_resources,
            self._errors,
            self._discarded,
            len(self._posted),
            len(self._free),
            self.lent,
        )

    # --- buffers ------------------------------------------------------------------------------------------------------

    def _refill(self) -> None:
        """Post free buffers while the ring has room; one doorbell."""
        for _ in range(min(self.ring.free, len(self._free))):
            buffer = self._free.popleft()
            self.map(buffer)
            self.ring.post(buffer.descriptor)
            self._posted.append(buffer)
        self.ring.publish()

    def recycle(self, buffers: list[Any]) -> None:
        """Buffers are the driver's again."""
        self._free.extend(buffers)
        if self.running and not self._polling:
            self._refill()

    # --- frames -------------------------------------------------------------------------------------------------------

    def poll(self, budget: int) -> int:
        """Take at most `budget` received frames and indicate them; how many there were."""
        frames: list[Frame] = []
        taken = 0
        while taken < budget and (completion := self.completions.take()) is not None:
            index, _, status, cause, length = completion
            self._take_buffer(index)
            if not status & _EOP:
                continue
            taken += 1
            buffers, self._frame = self._frame, []
            if status & _ERROR:
                self._refuse(buffers, cause)
            elif self.vlan_id and not is_from_vlan(buffers[0].view, self.vlan_id):
                self._discarded += 1
                self._free.extend(buffers)
            else:
                frames.append(self._frame_of(buffers, length, bool(status & _LOOPBACK)))
        if taken:
            self._deliver(taken, frames)
        return taken

    def _frame_of(self, buffers: list[Any], length: int, is_looped: bool) -> Frame:
        frame = Frame(buffers, length, is_looped)
        if self._config.priority_vlan_tag is not None:
            frame.untag()
        return frame

    def _take_buffer(self, index: int) -> None:
        """The oldest posted buffer has been filled, or the device broke its contract."""
        if self.ring.retire(index) != 1:
            raise DeviceFault(f"completion {index} skips a buffer of {self!r}", engine=self.ring.name)
        buffer = self._posted.popleft()
        self.unmap(buffer)
        self._frame.append(buffer)

    def _refuse(self, buffers: list[Any], cause: int) -> None:
        """A frame that the NIC could not deliver whole: counted, never indicated."""
        self._errors += 1
        if self._trace.enabled:
            self._trace.emit("rx.error", queue=self._number, index=self.ring.consumer, cause=cause)
        self._free.extend(buffers)

    def _deliver(self, taken: int, frames: list[Frame]) -> None:
        """Indicate, then refill the ring with what came back meanwhile; one doorbell."""
        self._kernel.charge_frames(taken)
        self._polling = True
        try:
            self.indicate(frames)
        finally:
            self._polling = False
        if self.running:
            self._refill()

    def trace_completion(self, frame: Frame) -> int:
        """Tell the trace of the frame; gives the id that it has had since the wire, 0 without a trace."""
        if not self._trace.enabled:
            return 0
        found: int = self._trace.find("rx", self.from_wire(frame))
        self._trace.emit("rx.completion", frame=found, queue=self._number, index=self.ring.consumer, bytes=frame.length)
        return found

    def from_wire(self, frame: Frame) -> bytes:
        """A frame as the wire has had it, for the trace."""
        return add_tag(frame.tobytes(), frame.tag)

    def rearm(self) -> None:
        """Unmask the interrupt if it may be masked: it fired only if completions were taken since the re-arm."""
        completions = self.completions
        if completions.armed != completions.index:
            completions.armed = completions.index
            self.page.ring_rearm(completions.index)

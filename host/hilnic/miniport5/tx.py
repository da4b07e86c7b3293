# SPDX-License-Identifier: Apache-2.0
"""Transmit: the ring that all NDIS 5 drivers of the NIC share.

Zero copy: each piece of a frame becomes one descriptor. Frames go when all their descriptors fit (RG-08) and come back
in order. A frame with more pieces than the ring can take is copied first (RG-09).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hilnic import ndis
from hilnic.hw import regs
from hilnic.hw.descriptors import COMPLETION_BYTES, TX_DESCRIPTOR_EOP_IN_BITS_80, TX_DESCRIPTOR_STRUCT
from hilnic.hw.descriptors import TX_DESCRIPTOR_SOP_IN_BITS_80 as SOP
from hilnic.hw.device import DeviceFault
from hilnic.miniport.config import NicConfig
from hilnic.miniport.hardware import QueuePage
from hilnic.miniport.ring import DESCRIPTOR_BYTES, RingPair, make_rings
from hilnic.miniport.tx import MINIMUM_FRAME
from hilnic.miniport.tx_frame import TxStatistics
from hilnic.miniport.vlan import TAG_BYTES, TagMemory, is_for_another_vlan, tag_of
from hilnic.miniport5.interrupt import LINE
from hilnic.ndis import NdisStatus, ndis5
from hilnic.ndis.ndis5 import Packet

if TYPE_CHECKING:
    from hilnic.miniport5.nic import Nic5

__all__ = ["Element", "InFlight", "TransmitRing", "is_sendable"]

EOP = TX_DESCRIPTOR_EOP_IN_BITS_80
Element = ndis.ScatterGatherElement
_OK = int(regs.CompletionStatus.OK)
_LENGTH_CAUSES = {regs.Cause.TOO_SHORT, regs.Cause.TOO_LONG}
_CUTS = {regs.Cause.NO_EOP, regs.Cause.FETCH_ERROR}
_U32 = 0xFFFFFFFF
_VLAN_TAGS = (b"\x81\x00", b"\x88\xa8")
_TAG_SLOT = int(ndis5.PacketInfo.IEEE_8021Q)
_pack = TX_DESCRIPTOR_STRUCT.pack


def is_sendable(packet: Packet, config: NicConfig) -> bool:
    """Is the frame as long as the NIC takes it? A VLAN tag may make it four octets longer (S5-11)."""
    longest, length = config.max_frame - 4, packet.length()
    if MINIMUM_FRAME <= length <= longest:
        return True
    return longest < length <= longest + 4 and packet.tobytes()[12:14] in _VLAN_TAGS


class InFlight:
    """One frame that the NIC has; `owner` is what the driver was given to send."""

    __slots__ = ("bounce", "end", "frame_id", "mapped", "owner")

    def __init__(self, owner: Any, frame_id: int, end: int) -> None:
        self.owner = owner
        self.frame_id = frame_id
        self.end = end
        self.bounce: ndis.SharedMemory | None = None
        self.mapped: list[tuple[ndis.Mdl, int]] = []


class TransmitRing(ABC):
    """One transmit queue. `done` gets each frame back."""

    def __init__(self, nic: Nic5, queue: int = 0, config: NicConfig | None = None) -> None:
        self.page = QueuePage.tx(nic.hardware, queue)
        self.refusal: NdisStatus | None = NdisStatus.FAILURE
        """Why sends are refused now; None while they are accepted."""
        self.moderated = True
        self.running = False
        """May frames go to the NIC?"""
        self._nic, self._adapter, self._config, self._number = nic, nic.handle, config or nic.config, queue
        self._kernel = nic.kernel
        self._trace: Any = nic.kernel.trace
        self._in_flight: deque[InFlight] = deque()
        self._max_fragments = min(self._config.max_fragments, self._config.tx_ring)
        self._sent = self._errors = self._refused = self._aborted = self._copied = 0
        self.vlan_id = 0  # OID_GEN_VLAN_ID
        self._shared: list[ndis.SharedMemory] = []
        self._bounces: list[ndis.SharedMemory] = []

    def __repr__(self) -> str:
        """What is where."""
        return f"<{type(self).__name__}: {len(self._in_flight)} in flight, {self.ring}>"

    @abstractmethod
    def done(self, frame: InFlight, status: NdisStatus) -> None:
        """The NIC is done with a frame, or will never be: complete it."""

    def after_reap(self) -> None:  # noqa: B027 - nothing is a good answer
        """Descriptors have become free."""

    # --- life ---------------------------------------------------------------------------------------------------------

    def _new_rings(self) -> None:
        config, doorbell = self._config, self.page.ring_doorbell
        self.ring, self.completions = make_rings(
            self._adapter,
            self._nic.memory,
            f"tx{self._number}",
            self._places,
            config.tx_ring,
            config.start_index,
            doorbell,
        )

    def allocate(self) -> None:
        """Make rings and copy buffers; MemoryError when there is not enough (`free` then gives back what there is)."""
        config = self._config
        self._places = self.allocate_rings()
        if config.priority_vlan_tag:
            tags = self.share(config.tx_ring * TAG_BYTES)
            self._tags = TagMemory(self._nic.memory, tags.address, config.tx_ring)
        self._bounces = [self.share(config.max_frame + 4) for _ in range(config.bounce_buffers)]
        self._new_rings()

    def allocate_rings(self) -> RingPair:
        """Memory for both rings; MemoryError when there is not enough."""
        return self.share(self._config.tx_ring * DESCRIPTOR_BYTES), self.share(self._config.tx_ring * COMPLETION_BYTES)

    def share(self, length: int) -> ndis.SharedMemory:
        """Shared memory that `free` gives back; MemoryError when there is none."""
        shared = ndis5.allocate_shared_memory(self._adapter, length, regs.BASE_ALIGNMENT)
        if shared is None:
            raise MemoryError(f"no {length} bytes of shared memory")
        self._shared.append(shared)
        return shared

    async def start(self) -> bool:
        """Configure and enable the queue; sends are accepted from now on."""
        self._new_rings()
        self.page.configure_rings(self.ring, self.completions, LINE)
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
        for shared in reversed(self._shared):
            ndis5.free_shared_memory(shared)

    @property
    def busy(self) -> bool:
        """Does anything wait to be sent, or for its completion?"""
        return bool(self._in_flight)

    def statistics(self) -> TxStatistics:
        """Counts of now."""
        return TxStatistics(self._sent, self._errors, self._refused, self._aborted, self._copied, len(self._in_flight))

    # --- down ---------------------------------------------------------------------------------------------------------

    def tag_of(self, packet: Packet) -> bytes | None:
        """The 802.1Q tag that the NIC finds in the packet's slot (OB-09)."""
        slot = packet.packet_info[_TAG_SLOT]
        return tag_of(slot, self._config.priority_vlan_tag, lambda size: packet.tobytes()[:size], self.vlan_id)

    def is_for_another_vlan(self, packet: Packet) -> bool:
        """Whether it is for another VLAN than the NIC's (OID_GEN_VLAN_ID)."""
        slot = packet.packet_info[_TAG_SLOT]
        return bool(self.vlan_id) and is_for_another_vlan(slot, lambda size: packet.tobytes()[:size], self.vlan_id)

    def tagged(self, elements: Sequence[Element], tag: bytes | None) -> Sequence[Element]:
        """A frame's pieces with its tag among them; there is a free descriptor."""
        return self._tags.tagged(self.ring.reserved, elements, tag) if tag else elements

    def place(self, owner: Any, frame_id: int, elements: Sequence[Element]) -> InFlight:
        """Write the descriptors of a frame that fits into the ring; `publish` is the caller's."""
        last, flags = len(elements) - 1, SOP
        for number, (address, length) in enumerate(elements):
            if number == last:
                flags |= EOP
            self.ring.post(_pack(address, length, flags, 0, 0))
            flags = 0
        frame = InFlight(owner, frame_id, self.ring.reserved)
        self._in_flight.append(frame)
        if self._trace.enabled:
            self._trace.emit("tx.descriptors", frame=frame_id, queue=self._number, end=frame.end, count=len(elements))
        return frame

    def publish(self, frames: int) -> None:
        """One doorbell for what was placed."""
        self._kernel.charge_frames(frames)
        self.ring.publish()
        if self._trace.enabled:
            self._trace.emit("tx.doorbell", queue=self._number, producer=self.ring.producer)

    def gather(self, data: bytes) -> ndis.SharedMemory:
        """Copy a frame with too many pieces into one buffer, of which there is one (RG-09)."""
        bounce = self._bounces.pop()
        self._nic.memory.store(bounce.address, data)
        self._copied += 1
        return bounce

    # --- up -----------------------------------------------------------------------------------------------------------

    def reap(self) -> int:
        """Take completions, then complete what they end; how many frames came back."""
        ended: list[tuple[InFlight, NdisStatus]] = []
        while (completion := self.completions.take()) is not None:
            index, _, status, cause, _ = completion
            ended.append(self._end_frame(index, status, cause))
        for frame, result in ended:
            self._release(frame, result)
        if ended:
            self.after_reap()
        return len(ended)

    def _end_frame(self, index: int, status: int, cause: int) -> tuple[InFlight, NdisStatus]:
        if not self._in_flight or not self._ends(self._in_flight[0], index, cause):
            raise DeviceFault(f"completion {index} does not end the oldest frame of {self!r}", engine=self.ring.name)
        frame = self._in_flight.popleft()
        self.ring.retire(index)
        if self._trace.enabled:
            self._trace.emit("tx.completion", frame=frame.frame_id, queue=self._number, index=index, cause=cause)
        if status & _OK:
            self._sent += 1
            return frame, NdisStatus.SUCCESS
        self._errors += 1
        return frame, NdisStatus.INVALID_PACKET if cause in _LENGTH_CAUSES else NdisStatus.FAILURE

    def _ends(self, frame: InFlight, index: int, cause: int) -> bool:
        """Is `index` the frame's end, or a cut in it? A failing queue may end a frame amid its descriptors."""
        start = self.ring.consumer
        return index == frame.end or (cause in _CUTS and 0 < (index - start) & _U32 < (frame.end - start) & _U32)

    def _release(self, frame: InFlight, status: NdisStatus) -> None:
        if frame.bounce is not None:
            self._bounces.append(frame.bounce)
        self.done(frame, status)

    def abort(self, status: NdisStatus) -> None:
        """End everything that has not been sent, with a reason; nothing of the queue may be outstanding in the NIC."""
        self.running = False
        ending, self._in_flight = self._in_flight, deque()
        for frame in ending:
            self._aborted += 1
            self._release(frame, status)

    def rearm(self) -> None:
        """Unmask the interrupt if it may be masked: it fired only if completions were taken since the re-arm."""
        completions = self.completions
        if completions.armed != completions.index:
            completions.armed = completions.index
            self.page.ring_rearm(completions.index)

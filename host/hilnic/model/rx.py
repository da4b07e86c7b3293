# SPDX-License-Identifier: Apache-2.0
"""The receive half: every carrier is judged, counted once and dropped for one reason, or written to posted buffers.

MAC or loopback --ingress: first of disabled, rx_er, oversize, runt, fcs, filtered, buffer full--> frame buffer
head of the buffer --waits for descriptors; queue off, pressure--> writes --all responses--> completions
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hilnic.hw import regs
from hilnic.hw.regs import AxiWriteId, Cause, CompletionStatus, QueueState, RxCounter, VcCounter
from hilnic.model.build import Build
from hilnic.model.completer import Completer
from hilnic.model.dma import Dma
from hilnic.model.fetch import Fetch
from hilnic.model.filter import Verdict, look_up
from hilnic.model.mac import Carrier, judge
from hilnic.model.queue import Queue
from hilnic.model.registers import Registers
from hilnic.model.statistics import SHORTEST_WIRE, Counters, count_delivered, size_class
from hilnic.model.vc import ADDRESS_OCTETS, TAG_OCTETS, Vc, VcTable
from hilnic.wire.ethernet import HEADER_OCTETS
from hilnic.wire.fcs import FCS_OCTETS
from hilnic.wire.link import WireFrame

WORD = 8
MOST_HEADERS = 512
LEAST_WIRE_DELIVERED = HEADER_OCTETS + FCS_OCTETS
_DROPS = {
    Cause.RX_ER: RxCounter.DROP_RX_ER,
    Cause.OVERSIZE: RxCounter.DROP_OVERSIZE,
    Cause.RUNT: RxCounter.DROP_RUNT,
    Cause.FCS_ERROR: RxCounter.DROP_FCS,
}


@dataclass(slots=True)
class RxFrame:
    """A frame from the frame buffer to its completions."""

    data: bytes
    verdict: Verdict
    cause: Cause
    looped: bool
    queue: Queue | None
    vc: Vc | None = None
    vlan: int = 0
    needed: int = 0  # descriptors; 0: not begun
    taken: list[int] = field(default_factory=list)  # index past each descriptor
    writing: int = 0
    written: bool = False  # nothing more will be written

    @property
    def words(self) -> int:
        """Room in the frame buffer."""
        return -(-len(self.data) // WORD)


class Rx:
    """All receive queues."""

    def __init__(
        self,
        registers: Registers,
        queues: Sequence[Queue],
        dma: Dma,
        fetch: Fetch,
        completer: Completer,
        build: Build,
        vcs: VcTable,
    ) -> None:
        self._registers, self._queues, self._dma, self._vcs = registers, queues, dma, vcs
        self._fetch, self._completer = fetch, completer
        self.counters = Counters(len(RxCounter))
        self._buffer: deque[RxFrame] = deque()
        self._records: deque[RxFrame] = deque()
        self._words = self._free = build.rx_buf_bytes // WORD
        self._kicking = self._kick_again = False
        self.resetting = False
        self.on_done: Callable[[Queue], None] = lambda _queue: None
        self.on_room: Callable[[], None] = lambda: None

    def __repr__(self) -> str:
        """What is under way."""
        return f"<Rx buffered {len(self._buffer)} free {self._free} words, records {len(self._records)}>"

    @property
    def idle(self) -> bool:
        """Is nothing buffered or being written?"""
        return not self._buffer and not self._records

    @property
    def has_room(self) -> bool:
        """Does a longest frame fit? If not, a head that waits for descriptors is dropped."""
        longest = (self._registers.value(regs.MAX_FRAME) + 4 + WORD - 1) // WORD
        return self._free >= min(longest, self._words) and len(self._buffer) < MOST_HEADERS

    # ---- ingress ----

    def receive(self, frame: WireFrame) -> None:
        """A carrier has ended on the wire."""
        keep = bool(self._registers.value(regs.MAC_CFG) & regs.MAC_CFG_KEEP_FCS)
        self._ingress(judge(frame, self._registers.value(regs.MAX_FRAME), keep), looped=False)

    def loop(self, data: bytes) -> None:
        """A frame comes round through the loopback."""
        octets = max(len(data) + FCS_OCTETS, SHORTEST_WIRE)
        self._ingress(Carrier(data, octets), looped=True)

    def _ingress(self, carrier: Carrier, looped: bool) -> None:
        if carrier.false_carrier or carrier.missing_sfd:
            self.counters.add(RxCounter.MISSING_SFD if carrier.missing_sfd else RxCounter.FALSE_CARRIER)
            return
        self._classify(carrier)
        drop = self._drop_at_once(carrier, looped)
        if drop is None:
            drop = self._accept(carrier, looped)
        if drop is not None:
            self.counters.add(drop)

    def _drop_at_head(self, frame: RxFrame, drop: RxCounter) -> None:
        self.counters.add(drop)
        if frame.vc is not None:
            frame.vc.counters.add(VcCounter.RX_DROPS)

    def _classify(self, carrier: Carrier) -> None:
        """The counters of every wire frame, whatever becomes of it."""
        count, octets, bad = self.counters.add, carrier.wire_octets, carrier.fcs_bad
        count(RxCounter.WIRE_FRAMES)
        count(RxCounter.WIRE_OCTETS, octets)
        if carrier.runt:
            count(RxCounter.FRAGMENTS if bad else RxCounter.UNDERSIZE)
        elif carrier.oversize:
            count(RxCounter.JABBERS if bad else RxCounter.OVERSIZE_GOOD)
        else:
            count(RxCounter.PKTS_64 + size_class(octets))
            if bad:
                count(RxCounter.CRC_ALIGN_ERRORS)
        if carrier.length_mismatch:
            count(RxCounter.IN_RANGE_LENGTH_ERRORS)
        if carrier.length_out_of_range:
            count(RxCounter.OUT_OF_RANGE_LENGTH)

    def _drop_at_once(self, carrier: Carrier, looped: bool) -> RxCounter | None:
        control = self._registers.value(regs.CTRL)
        looping = bool(control & regs.CTRL_LOOPBACK)
        if not control & regs.CTRL_RX_ENABLE or self.resetting or (looping and not looped):
            return RxCounter.DROP_DISABLED
        pass_bad = self._registers.value(regs.MAC_CFG) & regs.MAC_CFG_PASS_BAD
        if carrier.cause and not (pass_bad and carrier.wire_octets >= LEAST_WIRE_DELIVERED):
            return _DROPS[carrier.cause]
        return None

    def _accept(self, carrier: Carrier, looped: bool) -> RxCounter | None:
        """Filter, then into the buffer; the reason when it does not get there."""
        verdict = look_up(self._registers, carrier.data[:6])
        vc = None if carrier.cause else self._vcs.of_frame(carrier.data)
        if vc is None and not verdict.accept:
            return RxCounter.DROP_FILTERED
        cause = carrier.cause
        if carrier.length_mismatch and self._registers.value(regs.MAC_CFG) & regs.MAC_CFG_PASS_BAD:
            cause = Cause.LENGTH_MISMATCH
        frame = self._framed(carrier, verdict, cause, looped, vc)
        if frame.words > self._free or len(self._buffer) >= MOST_HEADERS:
            if vc is not None:
                vc.counters.add(VcCounter.RX_DROPS)
            return RxCounter.DROP_BUFFER_FULL
        self._vcs.enter(vc)
        self._free -= frame.words
        self._buffer.append(frame)
        self.kick()
        return None

    def _framed(self, carrier: Carrier, verdict: Verdict, cause: Cause, looped: bool, vc: Vc | None) -> RxFrame:
        """The frame as it goes to its queue: a VC's without its tag."""
        data = carrier.data
        if vc is None or vc.contract is None or vc.contract.rx_queue is None:
            queue = self._queues[verdict.queue] if verdict.queue < len(self._queues) else None
            return RxFrame(data, verdict, cause, looped, queue)
        tag_end = ADDRESS_OCTETS + TAG_OCTETS
        tci = int.from_bytes(data[tag_end - 2 : tag_end], "big")
        untagged = data[:ADDRESS_OCTETS] + data[tag_end:]
        return RxFrame(untagged, verdict, cause, looped, self._queues[vc.contract.rx_queue], vc, tci)

    # ---- the head of the buffer ----

    def kick(self) -> None:
        """Something has changed: go on as far as possible (a kick from inside is seen by the loop that runs)."""
        self._kick_again = True
        if self._kicking:
            return
        self._kicking = True
        while self._kick_again:
            self._kick_again = False
            while self._buffer and self._serve(self._buffer[0]):
                pass
        self._kicking = False

    def _serve(self, frame: RxFrame) -> bool:
        """Move the head on; False while it has to wait."""
        if not frame.needed:
            drop = self._reason_to_drop(frame)
            if drop is not None:
                self._leave(frame)
                self._drop_at_head(frame, drop)
                self._vcs.leave(frame.vc)
                return True
            return self._claim(frame)
        return self._write_next(frame)

    def _reason_to_drop(self, frame: RxFrame) -> RxCounter | None:
        queue = frame.queue
        if self.resetting:
            return RxCounter.DROP_DISABLED
        if queue is None or queue.state is not QueueState.ENABLED:
            return RxCounter.DROP_QUEUE_OFF
        short = queue.posted < -(-len(frame.data) // queue.buf_size)
        waits = frame.vc is None and self.has_room and not self._never_waits and not self._vcs.is_overdue
        return RxCounter.DROP_NO_DESCRIPTOR if short and not waits else None

    @property
    def _never_waits(self) -> bool:
        """VC_SCHED.rx_no_wait."""
        return bool(self._registers.value(regs.VC_SCHED) & regs.VC_SCHED_RX_NO_WAIT)

    def _claim(self, frame: RxFrame) -> bool:
        """Begin the frame when enough descriptors for all of it are posted."""
        queue = frame.queue
        assert queue is not None
        needed = -(-len(frame.data) // queue.buf_size)
        if queue.posted < needed:
            return False
        frame.needed = needed
        queue.busy += 1
        self._records.append(frame)
        return True

    def _write_next(self, frame: RxFrame) -> bool:
        """Write the bytes of the next buffer."""
        queue = frame.queue
        assert queue is not None
        if self._dma.writes_are_backed_up:
            return False
        if not queue.cache:
            self._fetch.kick(queue)
            if not queue.fetching:
                self._break(frame)
            return not queue.fetching
        address, _ = queue.pop()
        self._fetch.kick(queue)
        start = len(frame.taken) * queue.buf_size
        frame.taken.append(queue.consumed)
        frame.writing += 1
        frame.written = len(frame.taken) == frame.needed
        if frame.written:
            self._leave(frame)
        data = memoryview(frame.data)[start : start + queue.buf_size]
        self._dma.write(AxiWriteId.RX_DATA, address, data, lambda ok: self._answered(frame, ok))
        return True

    def _break(self, frame: RxFrame) -> None:
        """A descriptor could not be fetched: the buffers taken come back with the cause; a lost write outranks it."""
        if frame.cause is not Cause.BUS_ERROR:
            frame.cause = Cause.FETCH_ERROR
        frame.written = True
        self._leave(frame)
        self._drain()

    def _leave(self, frame: RxFrame) -> None:
        """Out of the frame buffer."""
        self._buffer.remove(frame)
        self._free += frame.words
        self.on_room()

    def is_taking(self, queue: Queue) -> bool:
        """Does a frame that has begun still need descriptors of this queue?"""
        head = self._buffer[0] if self._buffer else None
        return head is not None and bool(head.needed) and head.queue is queue

    # ---- completions ----

    def _answered(self, frame: RxFrame, ok: bool) -> None:
        frame.writing -= 1
        if not ok:
            frame.cause = Cause.BUS_ERROR
        self._drain()

    def _drain(self) -> None:
        while self._records and self._records[0].written and not self._records[0].writing:
            self._complete(self._records.popleft())

    def _complete(self, frame: RxFrame) -> None:
        """Count the frame and complete each of its buffers."""
        queue = frame.queue
        assert queue is not None
        if frame.cause in {Cause.BUS_ERROR, Cause.FETCH_ERROR}:
            self._drop_at_head(frame, RxCounter.DROP_DMA)
        else:
            verdict = frame.verdict
            count_delivered(self.counters, len(frame.data), verdict.broadcast, verdict.multicast)
            if frame.vc is not None:
                frame.vc.counters.add(VcCounter.RX_FRAMES)
                frame.vc.counters.add(VcCounter.RX_OCTETS, len(frame.data))
        left = len(frame.taken) or 1

        def done() -> None:
            nonlocal left
            left -= 1
            if not left:
                queue.busy -= 1
                self._vcs.leave(frame.vc)
                self.on_done(queue)

        for number, index in enumerate(frame.taken):
            length = min(queue.buf_size, len(frame.data) - number * queue.buf_size)
            status = self._status(frame, number)
            self._completer.write(queue, index, length, status, frame.cause, len(frame.data), done, vlan=frame.vlan)
        if not frame.taken:
            done()

    def _status(self, frame: RxFrame, number: int) -> CompletionStatus:
        verdict = frame.verdict
        status = CompletionStatus.ERROR if frame.cause else CompletionStatus.OK
        for present, bit in (
            (number == 0, CompletionStatus.SOP),
            (number == len(frame.taken) - 1, CompletionStatus.EOP),
            (verdict.own, CompletionStatus.OWN_UNICAST),
            (verdict.broadcast, CompletionStatus.BROADCAST),
            (verdict.multicast, CompletionStatus.MULTICAST),
            (frame.looped, CompletionStatus.LOOPBACK),
        ):
            if present:
                status |= bit
        return status

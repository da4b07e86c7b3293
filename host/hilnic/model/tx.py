# SPDX-License-Identifier: Apache-2.0
"""The transmit half: descriptors to frames, frames to the wire, verdicts to completions (docs/nic.md sections 5 and 8).

queues --round robin per frame--> taking --checked, room reserved--> records (in order)
                                                                        | data of all pieces read
completions <--in order-- records <--verdict-- MAC or loopback <-- fifo +
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from hilnic.hw import regs
from hilnic.hw.clock import Clock
from hilnic.hw.descriptors import TX_DESCRIPTOR_RESERVED, TxDescriptor
from hilnic.hw.regs import AxiReadId, Cause, CompletionStatus, DescriptorKind, QueueState, TxCounter, VcCounter
from hilnic.model.build import Build
from hilnic.model.completer import Completer
from hilnic.model.dma import Dma
from hilnic.model.fetch import Fetch
from hilnic.model.mac import PIPELINE_NS, Mac
from hilnic.model.queue import Queue
from hilnic.model.registers import Registers
from hilnic.model.scheduler import Scheduler
from hilnic.model.statistics import SHORTEST_WIRE, Counters, count_sent
from hilnic.model.vc import ADDRESS_OCTETS, TAG_OCTETS, Contract, Vc, VcTable
from hilnic.wire.ethernet import HEADER_OCTETS
from hilnic.wire.fcs import FCS_OCTETS

MOST_RECORDS = 32
WORD = 8
_TAGS = (b"\x81\x00", b"\x88\xa8")
_DROPS = {
    Cause.BUS_ERROR: TxCounter.DROP_DMA,
    Cause.FETCH_ERROR: TxCounter.DROP_DMA,
    Cause.MAC_ABORT: TxCounter.DROP_ABORT,
    Cause.FLUSHED: TxCounter.DROP_FLUSHED,
}


@dataclass(slots=True)
class TxFrame:
    """A frame from its first descriptor to its completion; `cause` is None while it may still become good."""

    queue: Queue
    vc: Vc | None = None
    contract: Contract | None = None  # of the VC when the frame began
    index: int = 0
    pieces: list[tuple[int, int]] = field(default_factory=list)
    total: int = 0
    taken: int = 0
    ended: bool = False
    bad: Cause = Cause.NONE
    chunks: list[bytes | None] = field(default_factory=list)
    data: bytes = b""
    final: bool = False
    flushed: bool = False
    looped: bool = False
    wire_octets: int = 0

    @property
    def tag(self) -> bytes:
        """What the VC puts behind the source address."""
        return self.contract.tag if self.contract is not None else b""

    @property
    def words(self) -> int:
        """Room in the frame buffer."""
        return -(-(self.total + len(self.tag)) // WORD)


class Tx:
    """All transmit queues."""

    def __init__(
        self,
        clock: Clock,
        registers: Registers,
        queues: Sequence[Queue],
        dma: Dma,
        fetch: Fetch,
        completer: Completer,
        mac: Mac,
        build: Build,
        vcs: VcTable,
    ) -> None:
        self._clock, self._registers, self._queues, self._dma = clock, registers, queues, dma
        self._fetch, self._completer, self._mac, self._vcs = fetch, completer, mac, vcs
        self.counters = Counters(len(TxCounter))
        self._taking: TxFrame | None = None
        self._scheduler = Scheduler(clock, build, registers)
        self._scheduler.on_ready = self.kick
        vcs.now = lambda: self._scheduler.now
        self._records: deque[TxFrame] = deque()
        self._fifo: deque[TxFrame] = deque()
        self._sending = False
        self._build = build
        self._room = build.tx_buf_bytes // WORD
        self._buffer_words = self._room
        self._clock_stopped = False
        self._kicking = self._kick_again = False
        self.loop: Callable[[bytes], None] = lambda _data: None
        self.loop_has_room: Callable[[], bool] = lambda: True
        self.on_done: Callable[[Queue], None] = lambda _queue: None

    def __repr__(self) -> str:
        """What is under way."""
        return f"<Tx taking {self._taking} records {len(self._records)} fifo {len(self._fifo)} room {self._room}>"

    @property
    def idle(self) -> bool:
        """Is no frame between its first descriptor and its completion?"""
        return self._taking is None and not self._records

    def is_taking(self, queue: Queue) -> bool:
        """Does a frame of this queue still need descriptors?"""
        return self._taking is not None and self._taking.queue is queue and not self._taking.ended

    def fetched(self, queue: Queue) -> None:
        """Descriptors of a queue have come, or will not."""
        self._scheduler.offer(queue)
        self.kick()

    def reconsider(self, queues: Iterable[Queue]) -> None:
        """The VCs of these queues are not what they were."""
        self._scheduler.reconsider(queues)

    def kick(self) -> None:
        """Something has changed: go on as far as possible (a kick from inside is seen by the loop that runs)."""
        self._kick_again = True
        if self._kicking:
            return
        self._kicking = True
        while self._kick_again:
            self._kick_again = False
            while self._advance():
                pass
        self._kicking = False

    def _advance(self) -> bool:
        if self._taking is None:
            return self._begin()
        return self._launch(self._taking) if self._taking.ended else self._take(self._taking)

    # ---- descriptors ----

    def _begin(self) -> bool:
        """Start a frame of the next queue that has a descriptor."""
        if not self._registers.value(regs.CTRL) & regs.CTRL_TX_ENABLE or len(self._records) >= MOST_RECORDS:
            return False
        queue = self._scheduler.next()
        if queue is None:
            return False
        self._taking = TxFrame(queue, queue.vc, queue.vc.contract if queue.vc is not None else None)
        queue.busy += 1
        self._vcs.enter(queue.vc)
        return True

    def _take(self, frame: TxFrame) -> bool:
        """Take the frame's next descriptor, or see that there will be none."""
        queue = frame.queue
        if not queue.cache:
            self._fetch.kick(queue)
            stuck = not queue.fetching and (queue.state is not QueueState.ENABLED or queue.fetch_failed)
            if stuck:
                frame.bad = frame.bad or (Cause.FETCH_ERROR if queue.fetch_failed else Cause.NO_EOP)
                frame.ended = True
            return stuck
        low, high = queue.pop()
        self._fetch.kick(queue)
        self._add(frame, low, high)
        return True

    def _add(self, frame: TxFrame, low: int, high: int) -> None:
        """Judge a descriptor; the first malformed one decides (section 8)."""
        word = low | high << 64
        descriptor = TxDescriptor.unpack(word.to_bytes(16, "little"))
        first, frame.taken = not frame.taken, frame.taken + 1
        frame.index = frame.queue.consumed
        if not frame.bad:
            frame.bad = _malformed(descriptor, word, first)
        frame.pieces.append((descriptor.address, descriptor.length))
        frame.total += descriptor.length
        frame.ended = descriptor.eop or frame.taken == frame.queue.size
        if frame.ended and not frame.bad:
            frame.bad = self._bad_as_a_whole(frame, descriptor.eop)

    def _bad_as_a_whole(self, frame: TxFrame, eop: bool) -> Cause:
        if not eop:
            return Cause.NO_EOP
        if frame.total < HEADER_OCTETS:
            return Cause.TOO_SHORT
        if frame.contract is None:
            longest = self._longest() + TAG_OCTETS
        else:
            fcs = 0 if self._host_fcs() else FCS_OCTETS
            longest = min(self._longest(), frame.contract.max_frame - TAG_OCTETS - fcs)
        return Cause.TOO_LONG if frame.total > longest else Cause.NONE

    def _longest(self) -> int:
        """Longest untagged frame as the host gives it."""
        longest = min(self._registers.value(regs.MAX_FRAME), self._buffer_words * WORD - 2 * WORD)
        return longest if self._host_fcs() else longest - FCS_OCTETS

    def _host_fcs(self) -> bool:
        return bool(self._registers.value(regs.MAC_CFG) & regs.MAC_CFG_HOST_FCS)

    # ---- data ----

    def _launch(self, frame: TxFrame) -> bool:
        """Put the frame among the records; a good one needs room in the buffer first."""
        if not frame.bad and frame.words > self._room:
            if not self._flushing():
                return False
            frame.bad = Cause.FLUSHED
        self._taking = None
        self._records.append(frame)
        if frame.bad:
            frame.final = True
            self._drain()
        else:
            self._room -= frame.words
            octets = self._mac.wire_octets(frame.total + len(frame.tag), self._host_fcs())
            self._scheduler.charge(frame.queue, octets)
            self._read(frame)
        return True

    def _read(self, frame: TxFrame) -> None:
        frame.chunks = [b""] * len(frame.pieces)
        left = len(frame.pieces)

        def arrived(number: int, data: bytes | None) -> None:
            nonlocal left
            frame.chunks[number] = data
            left -= 1
            if not left:
                self._assembled(frame)

        for number, (address, length) in enumerate(frame.pieces):
            self._dma.read(AxiReadId.TX_DATA, address, length, partial(arrived, number))

    def _assembled(self, frame: TxFrame) -> None:
        """All data is here: into the fifo, or roll the frame back."""
        good = [chunk for chunk in frame.chunks if chunk is not None]
        data = b"".join(good)
        frame.data = data[:ADDRESS_OCTETS] + frame.tag + data[ADDRESS_OCTETS:]
        if len(good) < len(frame.chunks):
            frame.bad = Cause.BUS_ERROR
        elif len(frame.data) > self._longest() and frame.data[12:14] not in _TAGS:
            frame.bad = Cause.TOO_LONG
        if frame.bad:
            frame.final = True
            self._release(frame)
            self._drain()
        else:
            self._fifo.append(frame)
            self.pump()

    def _release(self, frame: TxFrame) -> None:
        self._room += frame.words
        self.kick()

    # ---- frames out ----

    def pump(self) -> None:
        """Send the head of the fifo: loopback or wire, decided frame by frame."""
        if self._flushing():
            self._flush()
        if self._sending or not self._fifo:
            return
        frame, now = self._fifo[0], self._clock.now_ns()
        frame.looped = bool(self._registers.value(regs.CTRL) & regs.CTRL_LOOPBACK)
        if frame.looped and not self.loop_has_room():
            return
        self._fifo.popleft()
        self._sending = True
        if frame.looped:
            self._clock.call_at(now + self._build.cycles_ns(frame.words), partial(self._come_round, frame))
        else:
            self._mac.transmit(frame.data, now + PIPELINE_NS, partial(self._sent, frame))

    def _come_round(self, frame: TxFrame) -> None:
        self.loop(frame.data)
        self._sent(frame, 0)

    def _sent(self, frame: TxFrame, wire_octets: int) -> None:
        """The verdict: the frame is out, and good."""
        self._sending = False
        frame.final, frame.wire_octets = True, wire_octets
        self._release(frame)
        if not frame.flushed:
            self._drain()
        self.pump()

    # ---- a stopped clock ----

    def set_clock_stopped(self, stopped: bool) -> None:
        """The transmit clock has been still for 64 cycles, or runs."""
        self._clock_stopped = stopped
        self.pump()
        self.kick()

    def _flushing(self) -> bool:
        return self._clock_stopped and any(queue.state is QueueState.DISABLING for queue in self._queues)

    def _flush(self) -> None:
        """Frames that wait for a verdict end now; the verdict that comes later is discarded."""
        for frame in self._records:
            if frame.data and not frame.final:
                frame.final = frame.flushed = True
                frame.bad = Cause.FLUSHED
        self._drain()

    # ---- completions ----

    def _drain(self) -> None:
        while self._records and self._records[0].final:
            self._complete(self._records.popleft())
        self.kick()

    def _complete(self, frame: TxFrame) -> None:
        self._count(frame)
        queue = frame.queue
        status = CompletionStatus.SOP | CompletionStatus.EOP
        status |= CompletionStatus.ERROR if frame.bad else CompletionStatus.OK
        length = 0 if frame.bad else frame.total

        def done() -> None:
            queue.busy -= 1
            self._vcs.leave(frame.vc)
            self.on_done(queue)

        self._completer.write(queue, frame.index, length, status, frame.bad, length, done)

    def _count(self, frame: TxFrame) -> None:
        if frame.vc is not None and not frame.bad:
            frame.vc.counters.add(VcCounter.TX_FRAMES)
            frame.vc.counters.add(VcCounter.TX_OCTETS, max(len(frame.data) + FCS_OCTETS, SHORTEST_WIRE))
        if frame.bad:
            self.counters.add(_DROPS.get(frame.bad, TxCounter.DROP_MALFORMED))
        elif frame.looped:
            self.counters.add(TxCounter.LOOPBACK_FRAMES)
        else:
            count_sent(self.counters, frame.data[:6], frame.total, frame.wire_octets)


def _malformed(descriptor: TxDescriptor, word: int, first: bool) -> Cause:
    """Why a descriptor is malformed; the order is that of docs/nic.md section 8."""
    if not descriptor.length:
        return Cause.ZERO_LENGTH
    if word & TX_DESCRIPTOR_RESERVED:
        return Cause.RESERVED_BITS
    if descriptor.kind != DescriptorKind.DATA:
        return Cause.BAD_KIND
    return Cause.BAD_SOP if descriptor.sop is not first else Cause.NONE

# SPDX-License-Identifier: Apache-2.0
"""Vocabulary of the receive half's tests: an AXI memory that answers late and out of order, a MAC that hands over words, rings.

One coroutine plays every neighbour, one pass per clock cycle; it checks the AXI rules, that no byte outside a posted buffer is
written, and that a completion is written only after the responses of its data.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge

BASE = 0x1_0000_0000
CPL, BUFFERS, SIZE = 0x80_0000, 0x100_0000, 0x200_0000
OWN = bytes.fromhex("020000000001")
BROADCAST = b"\xff" * 6
OK, SOP, EOP, ERROR = 1, 2, 4, 8
MASK32 = 0xFFFFFFFF


@dataclass(slots=True)
class Burst:
    """One write burst on its way."""

    ident: int
    address: int
    beats: int
    number: int
    words: list[tuple[int, int]] = field(default_factory=list)
    apply_at: int = 0
    due: int = 0
    applied: bool = False
    bad: bool = False


@dataclass(frozen=True, slots=True)
class Completion:
    """What was written to a completion ring."""

    rx: int
    queue: int
    entry: int  # free-running completion index
    index: int
    length: int
    status: int
    cause: int
    frame_length: int
    cycle: int


class Bench:
    """The receive half: `bench = await Bench(dut).begin()`; a second one takes over from the first."""

    _tasks: ClassVar[list[Any]] = []

    def __init__(self, dut: Any, seed: int = 1, log2: int = 6, start: int = 0xFFFFFFF0, buf_size: int = 2048) -> None:
        self.dut, self.rng, self.log2, self.buf_size = dut, random.Random(seed), log2, buf_size
        self.queues = len(dut.on_i)
        self.memory, self.writable = bytearray(SIZE), bytearray(SIZE)
        self.latency, self.stall, self.ev_stall = (5, 60), 0.2, 0.2
        self.read_latency = (5, 40)
        self.cycle = 0
        self.start = start
        self.producer = [start] * self.queues
        self.buffers: list[dict[int, int]] = [{} for _ in range(self.queues)]  # descriptor index -> address
        self.next_buffer = BUFFERS
        self.cpl_next = {(d, q): start for d in (0, 1) for q in range(64)}
        self.completions: list[Completion] = []
        self.to_host: dict[int, deque[bytes]] = {q: deque() for q in range(64)}
        self.frames: dict[int, list[tuple[bytes, int, int]]] = {q: [] for q in range(64)}  # data, status, cause
        self._pieces: dict[int, list[bytes]] = {q: [] for q in range(64)}
        self.counters: Counter[str] = Counter()
        self.rx_words: deque[tuple[int, int, int]] = deque()  # not before cycle, word, status
        self.tx_words: deque[tuple[int, int, int]] = deque()  # word, last, count
        self.records: deque[tuple[int, ...]] = deque()
        self.mac_frames: list[int] = []  # verdict lengths of frames that went to the MAC
        self.verdicts: deque[tuple[int, int, int]] = deque()
        self.fail_writes: set[int] = set()
        self.fail_reads: set[int] = set()
        self.writes = self.reads = self.most_outstanding = 0
        self.irqs: list[tuple[int, int]] = []
        self.errors: list[tuple[str, int, int, int]] = []
        self.barriers: list[tuple[int, int, int]] = []
        self.responded_at: dict[tuple[int, int], int] = {}
        self.status_at: list[int] = []
        self.mac_ready = True
        self.visible: dict[tuple[int, int], int] = {}
        self._flights: deque[Burst] = deque()
        self._gathered: deque[list[tuple[int, int]]] = deque([[]])
        self._waiting: dict[int, deque[Burst]] = {0: deque(), 1: deque()}
        self.to_any = False  # whatever arrives is taken
        self.broken: set[tuple[int, int]] = (
            set()
        )  # rings with a failed completion: what is in flight behind it may still come
        self.lossy = False  # frames may be missing, not changed
        self.judge: int | None = None  # cycles until the MAC's good verdict on a frame, None: by hand

    # ---- set-up ------------------------------------------------------------------------------------------------------

    async def begin(self, max_frame: int = 1518, **pins: int) -> Bench:
        d = self.dut
        while Bench._tasks:
            Bench._tasks.pop().cancel()
        Bench._tasks.append(cocotb.start_soon(Clock(d.clk_i, 8, "ns", impl="gpi").start()))
        for handle in d:
            if handle._name.endswith(("_i", "_ni")) and handle._name != "clk_i":
                handle.value = 0
        for name in (
            "rready",
            "rid",
            "rdata",
            "rresp",
            "rlast",
            "rvalid",
            "bid",
            "bresp",
            "bvalid",
            "awready",
            "wready",
            "arready",
        ):
            if name != "rready":
                getattr(d, f"m_axi_{name}").value = 0
        d.ring_log2_i.value, d.buf_size_i.value, d.max_frame_i.value = self.log2, self.buf_size, max_frame
        d.rx_enable_i.value, d.filter_i.value, d.mac_i.value = 1, 0b000011, int.from_bytes(OWN, "little")
        d.on_i.value = d.enabled_i.value = (1 << self.queues) - 1
        for name, value in pins.items():
            getattr(d, name).value = value
        for _ in range(3):
            await RisingEdge(d.clk_i)
        d.rst_ni.value = 1
        self.writable[CPL : CPL + 0x80_0000] = b"\1" * 0x80_0000
        Bench._tasks.append(cocotb.start_soon(self._run()))
        for rx in (0, 1):
            for queue in range(self.queues if rx else max(1, self.tx_queues())):
                await self.start_queue(rx, queue)
        await self.cycles(300)
        return self

    def tx_queues(self) -> int:
        return int(self.dut.NumTxQueues.value)

    async def start_queue(self, rx: int, queue: int, index: int | None = None) -> None:
        d, index = self.dut, self.start if index is None else index
        d.start_valid_i.value, d.start_dir_i.value, d.start_queue_i.value = 1, rx, queue
        d.start_index_i.value = d.start_cpl_index_i.value = index
        await RisingEdge(d.clk_i)
        d.start_valid_i.value = 0
        await self.cycles(14)
        self.cpl_next[rx, queue] = self.visible[rx, queue] = index
        if rx:
            self.producer[queue] = index

    async def cycles(self, count: int) -> None:
        for _ in range(count):
            await RisingEdge(self.dut.clk_i)

    async def until(self, condition: Callable[[], bool], limit: int = 40000) -> None:
        for _ in range(limit):
            if condition():
                return
            await RisingEdge(self.dut.clk_i)
        raise AssertionError(f"not within {limit} cycles; counters {dict(self.counters)}")

    # ---- host side ---------------------------------------------------------------------------------------------------

    async def pulse(self, name: str, **values: int) -> None:
        """One cycle of `name`_valid_i with its fields, held until ready where there is one."""
        d = self.dut
        for key, value in values.items():
            getattr(d, f"{name}_{key}_i").value = value
        getattr(d, f"{name}_valid_i").value = 1
        ready = getattr(d, f"{name}_ready_o", None)
        await RisingEdge(d.clk_i)
        while ready is not None and not int(ready.value):
            await RisingEdge(d.clk_i)
        getattr(d, f"{name}_valid_i").value = 0

    def post(self, queue: int, count: int, align: int | None = None) -> None:
        """Put `count` buffers into the ring, without the doorbell."""
        for _ in range(count):
            if self.next_buffer + 2 * self.buf_size + 64 > SIZE:
                self.next_buffer = BUFFERS
            at = self.next_buffer + (self.rng.randrange(64) if align is None else align)
            self.next_buffer = (
                at + self.buf_size + self.rng.randrange(1, 9) if align is None else (at + self.buf_size + 127) & ~63
            )
            self.memory[at - 1 : at + self.buf_size + 1] = b"\xee" * (self.buf_size + 2)
            self.writable[at : at + self.buf_size] = b"\1" * self.buf_size
            index = self.producer[queue]
            slot = queue * 0x10000 + 16 * (index & ((1 << self.log2) - 1))
            self.memory[slot : slot + 16] = (at + BASE).to_bytes(8, "little") + self.rng.randbytes(8)
            self.buffers[queue][index] = at
            self.producer[queue] = index + 1 & MASK32

    async def doorbell(self, queue: int) -> None:
        await self.pulse("db", queue=queue, index=self.producer[queue])
        await self.cycles(4)

    async def give(self, queue: int, count: int, align: int | None = None) -> None:
        self.post(queue, count, align)
        await self.doorbell(queue)

    async def rearm(self, rx: int, queue: int, index: int) -> None:
        await self.pulse("rearm", dir=rx, queue=queue, index=index)

    def posted(self, queue: int) -> int:
        return len(self.buffers[queue])

    # ---- wire side ---------------------------------------------------------------------------------------------------

    def frame(self, length: int, to: bytes = OWN) -> bytes:
        return to + self.rng.randbytes(length - 6)

    def receive(self, data: bytes, at: int = 0, pace: int = 7, flags: int = 0, wire: int | None = None) -> None:
        """Hand a frame over as the MAC does: words `pace` cycles apart, then the status word."""
        words = [int.from_bytes(data[i : i + 8], "little") for i in range(0, len(data), 8)]
        at = max(at, self.rx_words[-1][0] + pace if self.rx_words else self.cycle)
        for i, word in enumerate(words):
            self.rx_words.append((at + i * pace, word, 0))
        wire = len(data) + 4 if wire is None else wire
        self.rx_words.append((at + len(words) * pace, len(data) | wire << 16 | flags << 32, 1))

    def deliver(self, queue: int, data: bytes, **kwargs: Any) -> bytes:
        """`receive`, and expect it in the host."""
        self.receive(data, **kwargs)
        self.to_host[queue].append(data)
        return data

    def transmit(self, data: bytes, queue: int = 0, index: int = 0) -> None:
        """A frame of the TX buffer, with its record."""
        for i in range(0, len(data), 8):
            piece = data[i : i + 8]
            self.tx_words.append((int.from_bytes(piece, "little"), i + 8 >= len(data), len(piece) - 1))
        self.record(queue, index, len(data), verdict=1)

    def record(
        self, queue: int, index: int, length: int, cause: int = 0, kind: int = 0, verdict: int = 0, barrier: int = 0
    ) -> None:
        self.records.append((barrier, queue, index, length, cause, kind, verdict))

    # ---- every cycle -------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        d, rng = self.dut, self.rng
        edge = RisingEdge(d.clk_i)
        aw_ready = w_ready = ar_ready = b_now = ev_ready = r_now = 0
        reads: deque[tuple[int, int, int, int]] = deque()
        rx_now = tx_now = rec_now = verdict_now = mac_ready = 0
        while True:
            await edge
            self.cycle += 1
            # what was handed over at this edge
            if aw_ready and int(d.m_axi_awvalid.value):
                self._address()
            if w_ready and int(d.m_axi_wvalid.value):
                self._word()
            if b_now and int(d.m_axi_bready.value):
                self._answered()
                b_now = 0
            if ar_ready and int(d.m_axi_arvalid.value):
                self._read(reads)
            if r_now and int(d.m_axi_rready.value):
                reads.popleft()
                r_now = 0
            if rx_now and int(d.rx_ready_o.value):
                if self.rx_words.popleft()[2]:
                    self.status_at.append(self.cycle)
                rx_now = 0
            if tx_now and int(d.tx_ready_o.value):
                self.tx_words.popleft()
                tx_now = 0
            if mac_ready and int(d.mac_tx_valid_o.value) and int(d.mac_tx_last_o.value):
                self.mac_frames.append(self.cycle)
                if self.judge is not None:
                    self.verdicts.append((self.cycle + self.judge, 0, 64))
            if rec_now and int(d.rec_ready_o.value):
                self.records.popleft()
                rec_now = 0
            if verdict_now and int(d.verdict_ready_o.value):
                self.verdicts.popleft()
                verdict_now = 0
            self._events(ev_ready)
            self._memory()
            # what comes next
            aw_ready, w_ready, ar_ready = (int(rng.random() >= self.stall) for _ in range(3))
            d.m_axi_awready.value, d.m_axi_wready.value, d.m_axi_arready.value = aw_ready, w_ready, ar_ready
            if not b_now:
                b_now = self._respond()
            if not r_now and reads and reads[0][0] <= self.cycle and rng.random() >= self.stall:
                r_now = 1
                _, d.m_axi_rdata.value, d.m_axi_rresp.value, d.m_axi_rlast.value = reads[0]
                d.m_axi_rid.value = 1
            d.m_axi_rvalid.value = r_now
            if not rx_now and self.rx_words and self.rx_words[0][0] <= self.cycle:
                rx_now, (_, d.rx_data_i.value, d.rx_status_i.value) = 1, self.rx_words[0]
            d.rx_valid_i.value = rx_now
            if not tx_now and self.tx_words:
                tx_now, (d.tx_data_i.value, d.tx_last_i.value, d.tx_count_i.value) = 1, self.tx_words[0]
            d.tx_valid_i.value = tx_now
            mac_ready = int(self.mac_ready)
            d.mac_tx_ready_i.value = mac_ready
            if not rec_now and self.records:
                rec_now = 1
                for name, value in zip(
                    ("barrier", "queue", "index", "length", "cause", "class", "verdict"), self.records[0], strict=True
                ):
                    getattr(d, f"rec_{name}_i").value = value
            d.rec_valid_i.value = rec_now
            if not verdict_now and self.verdicts and self.verdicts[0][0] <= self.cycle:
                verdict_now, (_, d.verdict_abort_i.value, d.verdict_length_i.value) = 1, self.verdicts[0]
            d.verdict_valid_i.value = verdict_now
            ev_ready = int(rng.random() >= self.ev_stall)
            d.ev_ready_i.value = ev_ready

    def _events(self, ev_ready: int) -> None:
        d = self.dut
        if ev_ready:
            for name, prefix in (("ev0", "rx"), ("ev1", "rx"), ("tx_ev", "tx")):
                if int(getattr(d, f"{name}_valid_o").value):
                    mask = int(getattr(d, f"{name}_mask_o").value)
                    wire = int(getattr(d, f"{name}_wire_o").value) if name != "ev1" else 0
                    length = int(getattr(d, f"{name}_len_o").value) if name != "ev0" else 0
                    for i in range(36):
                        if mask >> i & 1:
                            add = (
                                wire
                                if i == 1
                                else length
                                if i in (3, 5, 7, 9) and not (prefix == "tx" and i == 9)
                                else 1
                            )
                            self.counters[f"{prefix}{i}"] += add
        irq = d.irq_o.value
        if irq != 0:
            assert irq.is_resolvable, "irq_o has an X"
            self.irqs.extend((self.cycle, v) for v in range(len(d.irq_o)) if int(irq) >> v & 1)
        if int(d.cpl_err_valid_o.value):
            self.errors.append(
                ("cpl", int(d.cpl_err_dir_o.value), int(d.cpl_err_queue_o.value), int(d.cpl_err_index_o.value))
            )
        if int(d.fetch_err_valid_o.value):
            self.errors.append(("fetch", 1, int(d.fetch_err_queue_o.value), int(d.fetch_err_index_o.value)))
        if int(d.barrier_valid_o.value):
            self.barriers.append((self.cycle, int(d.barrier_dir_o.value), int(d.barrier_queue_o.value)))

    def _address(self) -> None:
        d = self.dut
        burst = Burst(
            int(d.m_axi_awid.value), int(d.m_axi_awaddr.value) - BASE, int(d.m_axi_awlen.value) + 1, self.writes
        )
        self.writes += 1
        last = (burst.address & ~7) + 8 * burst.beats - 1
        assert (
            burst.address >> 12 == last >> 12
            and 8 * burst.beats <= int(d.MaxBurstBytes.value)
            and burst.ident in (0, 1)
        )
        assert int(d.m_axi_awsize.value) == 3 and int(d.m_axi_awburst.value) == 1 and int(d.m_axi_awcache.value) == 3
        assert 0 <= burst.address and last < SIZE
        burst.bad = burst.number in self.fail_writes
        self._flights.append(burst)
        self._match()
        outstanding = len(self._flights) + sum(len(q) for q in self._waiting.values())
        self.most_outstanding = max(self.most_outstanding, outstanding)
        assert outstanding <= int(d.MaxWrites.value)

    def _word(self) -> None:
        d = self.dut
        self._gathered[-1].append(
            (int(d.m_axi_wdata.value) if d.m_axi_wdata.value.is_resolvable else -1, int(d.m_axi_wstrb.value))
        )
        if self._gathered[-1][-1][0] < 0:  # lanes without strobe may be anything
            word, strobe = str(d.m_axi_wdata.value), int(d.m_axi_wstrb.value)
            for lane in range(8):
                piece = word[(7 - lane) * 8 : (8 - lane) * 8]
                assert not strobe >> lane & 1 or set(piece) <= {"0", "1"}, "X written"
            self._gathered[-1][-1] = (int("".join(c if c in "01" else "0" for c in word), 2), strobe)
        if int(d.m_axi_wlast.value):
            self._gathered.append([])
            self._match()

    def _match(self) -> None:
        while self._flights and len(self._gathered) > 1:
            burst = self._flights.popleft()
            burst.words = self._gathered.popleft()
            assert len(burst.words) == burst.beats, "WLAST does not fit AWLEN"
            queue = self._waiting[burst.ident]
            burst.due = max(self.cycle + self.rng.randint(*self.latency), queue[-1].due if queue else 0)
            burst.apply_at = max(
                self.rng.randint(self.cycle, burst.due), queue[-1].apply_at if queue else 0
            )  # in order per id
            queue.append(burst)
            if burst.ident == 1:
                self._check_completion_order(burst)

    def _memory(self) -> None:
        for queue in self._waiting.values():
            for burst in queue:
                if not burst.applied and burst.apply_at <= self.cycle:
                    self._apply(burst)

    def _apply(self, burst: Burst) -> None:
        burst.applied = True
        at = burst.address & ~7
        for i, (word, strobe) in enumerate(burst.words):
            for lane in range(8):
                if strobe >> lane & 1:
                    a = at + 8 * i + lane
                    assert self.writable[a], f"write outside posted buffers at {a:#x}"
                    if not burst.bad:
                        self.memory[a] = word >> 8 * lane & 0xFF
        first = (burst.address & 7, 7)
        assert burst.words[0][1] & ((1 << first[0]) - 1) == 0 and burst.words[0][1] >> first[0] & 1, (
            "first strobe is not AWADDR's"
        )
        if burst.ident == 1 and burst.bad:
            self.broken.add(self._ring(burst))
            self.cpl_next[self._ring(burst)] = self.cpl_next[self._ring(burst)] + 1 & MASK32
        elif burst.ident == 1:
            self._completed(burst)

    def _ring(self, burst: Burst) -> tuple[int, int]:
        return burst.address >> 22 & 1, burst.address >> 16 & 63

    def _check_completion_order(self, burst: Burst) -> None:
        assert burst.beats == 4 and burst.address % 32 == 0 and all(strobe == 0xFF for _, strobe in burst.words)
        rx, queue = self._ring(burst)
        if not rx:
            return
        index = (burst.words[0][0] & MASK32) - 1 & MASK32
        at = self.buffers[queue][index]
        for data in self._waiting[0]:
            overlap = data.address < at + self.buf_size and (data.address & ~7) + 8 * data.beats > at
            assert not overlap or (data.address & ~7) + 8 * data.beats <= at + 8, (
                "completion before its data's response"
            )

    def _completed(self, burst: Burst) -> None:
        rx, queue = self._ring(burst)
        words = [word for word, _ in burst.words]
        entry = self.cpl_next[rx, queue]
        self.cpl_next[rx, queue] = entry + 1 & MASK32
        assert burst.address & 0xFFFF == 32 * (entry & ((1 << self.log2) - 1)), "wrong completion entry"
        assert words[3] & 0xFFFE == 0 and words[3] >> 32 == 0 and words[1] == words[2] == 0
        assert words[3] & 1 == 1 ^ (entry >> self.log2 & 1), "wrong phase"
        w = words[0]
        c = Completion(
            rx, queue, entry, w & MASK32, w >> 32 & 0xFFFF, w >> 48 & 0xFF, w >> 56, words[3] >> 16 & 0xFFFF, self.cycle
        )
        self.completions.append(c)
        if rx and (rx, queue) not in self.broken:
            self._take(c)

    def _take(self, c: Completion) -> None:
        at = self.buffers[c.queue].pop(c.index - 1 & MASK32)
        data = bytes(self.memory[at : at + c.length])
        assert (
            bytes(self.memory[at + c.length : at + self.buf_size]) == b"\xee" * (self.buf_size - c.length)
            or c.status & ERROR
        )
        self.writable[at : at + self.buf_size] = bytes(self.buf_size)
        pieces = self._pieces[c.queue]
        assert bool(c.status & SOP) == (not pieces), "SOP misplaced"
        pieces.append(data)
        if not c.status & EOP:
            assert c.length == self.buf_size
            return
        frame = b"".join(pieces)
        pieces.clear()
        self.frames[c.queue].append((frame, c.status, c.cause))
        if c.status & OK:
            assert c.cause == 0 and c.frame_length == len(frame)
            if self.to_any:
                return
            expected = self.to_host[c.queue]
            while self.lossy and expected and expected[0] != frame:
                expected.popleft()
            assert expected, f"frame of {len(frame)} bytes was never sent, or not in this order"
            assert frame == expected.popleft(), f"frame of {len(frame)} bytes differs from the one sent"

    def _respond(self) -> int:
        d = self.dut
        ready = [i for i, q in self._waiting.items() if q and q[0].due <= self.cycle and q[0].applied]
        d.m_axi_bvalid.value = int(bool(ready))
        if ready:
            self._answer = self.rng.choice(ready)
            d.m_axi_bid.value, d.m_axi_bresp.value = self._answer, 2 * self._waiting[self._answer][0].bad
        return int(bool(ready))

    def _answered(self) -> None:
        burst = self._waiting[self._answer].popleft()
        if burst.ident == 1 and not burst.bad:
            ring = self._ring(burst)
            self.visible[ring] = self.visible.get(ring, self.start) + 1 & MASK32
            self.responded_at[ring[0], burst.number] = self.cycle

    def _read(self, reads: deque[tuple[int, int, int, int]]) -> None:
        d = self.dut
        at, beats = int(d.m_axi_araddr.value) - BASE, int(d.m_axi_arlen.value) + 1
        bad = self.reads in self.fail_reads
        self.reads += 1
        due = max(self.cycle + self.rng.randint(*self.read_latency), reads[-1][0] if reads else 0)
        for i in range(beats):
            word = int.from_bytes(self.memory[at + 8 * i : at + 8 * i + 8], "little")
            reads.append((due, word, 2 * bad, int(i == beats - 1)))

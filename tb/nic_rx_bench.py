# SPDX-License-Identifier: Apache-2.0
"""Vocabulary of the receive half's tests: posted buffers, a MAC that hands over words, records, what came back.

One coroutine plays every neighbour, one pass per clock cycle. Delivered frames are compared byte for byte.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge
from nic_rx_axi import BASE, BUFFERS, SIZE, AxiMemory, Burst

OWN = bytes.fromhex("020000000001")
BROADCAST = b"\xff" * 6
OK, SOP, EOP, ERROR = 1, 2, 4, 8
MASK32 = 0xFFFFFFFF
RECORD = ("barrier", "queue", "index", "length", "cause", "class", "verdict")
DROPS = range(10, 20)  # RX counters of drop causes
LENGTHS = {"rx": (3, 5, 7, 9), "tx": (3, 5, 7)}  # counters that add the event's length


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
        self.dut, self.rng, self.log2, self.buf_size, self.start = dut, random.Random(seed), log2, buf_size, start
        self.queues = len(dut.on_i)
        self.axi = AxiMemory(dut, self.rng)
        self.axi.on_completion, self.axi.buffer_of = self._completed, self._buffer_of
        self.ev_stall = 0.2
        self.producer = [start] * self.queues
        self.buffers: list[dict[int, int]] = [{} for _ in range(self.queues)]  # descriptor index -> address
        self.next_buffer = BUFFERS
        self.cpl_next = {(rx, queue): start for rx in (0, 1) for queue in range(64)}
        self.broken: set[tuple[int, int]] = set()  # rings with a failed completion: what is in flight may still come
        self.completions: list[Completion] = []
        self.to_host: dict[int, deque[bytes]] = {queue: deque() for queue in range(64)}
        self.frames: dict[int, list[tuple[bytes, int, int]]] = {q: [] for q in range(64)}  # data, status, cause
        self._pieces: dict[int, list[bytes]] = {queue: [] for queue in range(64)}
        self.lossy = False  # frames may be missing, not changed
        self.to_any = False  # whatever arrives is taken
        self.judge: int | None = None  # cycles until the MAC's good verdict on a frame, None: by hand
        self.counters: Counter[str] = Counter()
        self.rx_words: deque[tuple[int, int, int]] = deque()  # not before cycle, word, status
        self.tx_words: deque[tuple[int, int, int]] = deque()  # word, last, count
        self.records: deque[tuple[int, ...]] = deque()
        self.verdicts: deque[tuple[int, int, int]] = deque()  # not before cycle, abort, length
        self.mac_frames: list[int] = []  # cycles in which the MAC took the last word of a frame
        self.status_at: list[int] = []  # cycles in which a status word was taken
        self.irqs: list[tuple[int, int]] = []  # cycle, vector
        self.errors: list[tuple[str, int, int, int]] = []  # kind, direction, queue, index
        self.barriers: list[tuple[int, int, int]] = []  # cycle, direction, queue

    # ---- set-up ------------------------------------------------------------------------------------------------------

    async def begin(self, max_frame: int = 1518, **pins: int) -> Bench:
        d = self.dut
        while Bench._tasks:
            Bench._tasks.pop().cancel()
        Bench._tasks.append(cocotb.start_soon(Clock(d.clk_i, 8, "ns", impl="gpi").start()))
        slave = ("rid", "rdata", "rresp", "rlast", "rvalid", "bid", "bresp", "bvalid", "awready", "wready", "arready")
        inputs = [h._name for h in d if h._name.endswith(("_i", "_ni")) and h._name != "clk_i"]
        for name in (*inputs, *(f"m_axi_{name}" for name in slave)):
            getattr(d, name).value = 0
        d.ring_log2_i.value, d.buf_size_i.value, d.max_frame_i.value = self.log2, self.buf_size, max_frame
        d.rx_enable_i.value, d.filter_i.value, d.mac_i.value = 1, 0b000011, int.from_bytes(OWN, "little")
        d.on_i.value = d.enabled_i.value = (1 << self.queues) - 1
        for name, value in pins.items():
            getattr(d, name).value = value
        for _ in range(3):
            await RisingEdge(d.clk_i)
        d.rst_ni.value = 1
        Bench._tasks.append(cocotb.start_soon(self._run()))
        for rx in (0, 1):
            for queue in range(self.queues if rx else int(d.NumTxQueues.value)):
                await self.start_queue(rx, queue)
        await self.cycles(140)  # irq clears its RAM after reset
        return self

    async def start_queue(self, rx: int, queue: int) -> None:
        d = self.dut
        d.start_valid_i.value, d.start_dir_i.value, d.start_queue_i.value = 1, rx, queue
        d.start_index_i.value = d.start_cpl_index_i.value = self.start
        await RisingEdge(d.clk_i)
        d.start_valid_i.value = 0
        await self.cycles(14)

    @property
    def cycle(self) -> int:
        return self.axi.cycle

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
        size = self.buf_size
        for _ in range(count):
            if self.next_buffer + 2 * size + 64 > SIZE:
                self.next_buffer = BUFFERS
            at = self.next_buffer + (self.rng.randrange(64) if align is None else align)
            self.next_buffer = at + size + self.rng.randrange(1, 9) if align is None else (at + size + 127) & ~63
            self.axi.memory[at : at + size] = b"\xee" * size
            self.axi.writable[at : at + size] = b"\1" * size
            index = self.producer[queue]
            slot = queue * 0x10000 + 16 * (index & ((1 << self.log2) - 1))
            self.axi.memory[slot : slot + 16] = (at + BASE).to_bytes(8, "little") + self.rng.randbytes(8)
            self.buffers[queue][index] = at
            self.producer[queue] = index + 1 & MASK32

    async def give(self, queue: int, count: int, align: int | None = None) -> None:
        """Post buffers and ring the doorbell."""
        self.post(queue, count, align)
        await self.pulse("db", queue=queue, index=self.producer[queue])
        await self.cycles(4)

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

    def deliver(self, queue: int, data: bytes, **kwargs: Any) -> None:
        """`receive`, and expect it in the host."""
        self.receive(data, **kwargs)
        self.to_host[queue].append(data)

    def transmit(self, data: bytes, queue: int = 0, index: int = 0) -> None:
        """A frame of the TX buffer, with its record."""
        for i in range(0, len(data), 8):
            piece = data[i : i + 8]
            self.tx_words.append((int.from_bytes(piece, "little"), i + 8 >= len(data), len(piece) - 1))
        self.record(queue, index, len(data), verdict=1)

    def record(self, queue: int, index: int, length: int, cause: int = 0, verdict: int = 0, barrier: int = 0) -> None:
        self.records.append((barrier, queue, index, length, cause, 0, verdict))

    # ---- every cycle -------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        edge = RisingEdge(self.dut.clk_i)
        neighbours = (self._mac_receives(), self._tx_buffer(), self._tx_records(), self._mac_judges(), self._stats())
        for neighbour in neighbours:
            next(neighbour)
        while True:
            await edge
            self.axi.accept()
            self._observe()
            self.axi.offer()
            for neighbour in neighbours:
                next(neighbour)

    def _mac_receives(self) -> Any:
        """A generator per neighbour: each `yield` is the next clock edge."""
        d, valid = self.dut, 0
        while True:
            if valid and int(d.rx_ready_o.value):
                valid = 0
                if self.rx_words.popleft()[2]:
                    self.status_at.append(self.cycle)
            if not valid and self.rx_words and self.rx_words[0][0] <= self.cycle:
                valid, (_, d.rx_data_i.value, d.rx_status_i.value) = 1, self.rx_words[0]
            d.rx_valid_i.value = valid
            yield

    def _tx_buffer(self) -> Any:
        d, valid = self.dut, 0
        while True:
            if valid and int(d.tx_ready_o.value):
                valid = 0
                self.tx_words.popleft()
            if int(d.mac_tx_ready_i.value) and int(d.mac_tx_valid_o.value) and int(d.mac_tx_last_o.value):
                self.mac_frames.append(self.cycle)
                if self.judge is not None:
                    self.verdicts.append((self.cycle + self.judge, 0, 64))
            if not valid and self.tx_words:
                valid, (d.tx_data_i.value, d.tx_last_i.value, d.tx_count_i.value) = 1, self.tx_words[0]
            d.tx_valid_i.value, d.mac_tx_ready_i.value = valid, 1
            yield

    def _tx_records(self) -> Any:
        d, valid = self.dut, 0
        while True:
            if valid and int(d.rec_ready_o.value):
                valid = 0
                self.records.popleft()
            if not valid and self.records:
                valid = 1
                for name, value in zip(RECORD, self.records[0], strict=True):
                    getattr(d, f"rec_{name}_i").value = value
            d.rec_valid_i.value = valid
            yield

    def _mac_judges(self) -> Any:
        d, valid = self.dut, 0
        while True:
            if valid and int(d.verdict_ready_o.value):
                valid = 0
                self.verdicts.popleft()
            if not valid and self.verdicts and self.verdicts[0][0] <= self.cycle:
                valid, (_, d.verdict_abort_i.value, d.verdict_length_i.value) = 1, self.verdicts[0]
            d.verdict_valid_i.value = valid
            yield

    def _stats(self) -> Any:
        d, ready = self.dut, 0
        while True:
            if ready:
                if int(d.ev0_valid_o.value):
                    self._count("rx", int(d.ev0_mask_o.value), int(d.ev0_wire_o.value), 0)
                if int(d.ev1_valid_o.value):
                    self._count("rx", int(d.ev1_mask_o.value), 0, int(d.ev1_len_o.value))
                if int(d.tx_ev_valid_o.value):
                    self._count("tx", int(d.tx_ev_mask_o.value), int(d.tx_ev_wire_o.value), int(d.tx_ev_len_o.value))
            ready = int(self.rng.random() >= self.ev_stall)
            d.ev_ready_i.value = ready
            yield

    def _count(self, kind: str, mask: int, wire: int, length: int) -> None:
        for i in range(mask.bit_length()):
            if mask >> i & 1:
                self.counters[f"{kind}{i}"] += wire if i == 1 else length if i in LENGTHS[kind] else 1

    def _observe(self) -> None:
        d = self.dut
        irq = int(d.irq_o.value)
        if irq:
            self.irqs.extend((self.cycle, vector) for vector in range(irq.bit_length()) if irq >> vector & 1)
        if int(d.cpl_err_valid_o.value):
            where = int(d.cpl_err_dir_o.value), int(d.cpl_err_queue_o.value), int(d.cpl_err_index_o.value)
            self.errors.append(("cpl", *where))
        if int(d.fetch_err_valid_o.value):
            self.errors.append(("fetch", 1, int(d.fetch_err_queue_o.value), int(d.fetch_err_index_o.value)))
        if int(d.barrier_valid_o.value):
            self.barriers.append((self.cycle, int(d.barrier_dir_o.value), int(d.barrier_queue_o.value)))

    # ---- completions -------------------------------------------------------------------------------------------------

    def _buffer_of(self, burst: Burst) -> tuple[int, int]:
        rx, queue = burst.ring
        at = self.buffers[queue].get((burst.words[0][0] & MASK32) - 1 & MASK32) if rx else 0
        assert at is not None, "completion of a buffer that was not posted"
        return at, at + self.buf_size if rx else 0

    def _completed(self, burst: Burst) -> None:
        rx, queue = burst.ring
        (w0, _), (w1, _), (w2, _), (w3, _) = burst.words
        entry = self.cpl_next[rx, queue]
        self.cpl_next[rx, queue] = entry + 1 & MASK32
        assert burst.address & 0xFFFF == 32 * (entry & ((1 << self.log2) - 1)), "wrong completion entry"
        assert w3 & ~0xFFFF_0001 == 0 and w1 == w2 == 0, "reserved fields are not zero"
        assert w3 & 1 == 1 ^ (entry >> self.log2 & 1), "wrong phase"
        fields = w0 & MASK32, w0 >> 32 & 0xFFFF, w0 >> 48 & 0xFF, w0 >> 56, w3 >> 16
        if burst.bad:
            self.broken.add((rx, queue))
            return
        completion = Completion(rx, queue, entry, *fields, self.cycle)
        self.completions.append(completion)
        if rx and (rx, queue) not in self.broken:
            self._take(completion)

    def _take(self, c: Completion) -> None:
        """Put the frame together, buffer by buffer; compare a good one with what was sent."""
        at, size = self.buffers[c.queue].pop(c.index - 1 & MASK32), self.buf_size
        memory = self.axi.memory
        if c.status & OK:
            assert memory[at + c.length : at + size] == b"\xee" * (size - c.length), "written past the length"
        self.axi.writable[at : at + size] = bytes(size)
        pieces = self._pieces[c.queue]
        assert bool(c.status & SOP) == (not pieces), "SOP misplaced"
        pieces.append(bytes(memory[at : at + c.length]))
        if not c.status & EOP:
            assert c.length == size, "a buffer before the last is not full"
            return
        frame = b"".join(pieces)
        pieces.clear()
        self.frames[c.queue].append((frame, c.status, c.cause))
        if c.status & OK:
            assert c.cause == 0 and c.frame_length == len(frame)
            if not self.to_any:
                self._compare(frame, self.to_host[c.queue])

    def _compare(self, frame: bytes, expected: deque[bytes]) -> None:
        while self.lossy and expected and expected[0] != frame:
            expected.popleft()
        assert expected, f"frame of {len(frame)} bytes was never sent, or not in this order"
        assert frame == expected.popleft(), f"frame of {len(frame)} bytes differs from the one sent"


def conserved(bench: Bench) -> bool:
    """wire_frames = delivered_frames + the sum of the drop causes."""
    count = bench.counters
    return count["rx0"] == count["rx2"] + sum(count[f"rx{i}"] for i in DROPS)


async def settled(bench: Bench, wire_frames: int) -> None:
    """Every frame sent was counted and ended, nothing is under way."""
    await bench.until(lambda: bench.counters["rx0"] == wire_frames and conserved(bench), 80000)
    await bench.until(lambda: int(bench.dut.idle_o.value) == 1)
    await bench.cycles(100)

# SPDX-License-Identifier: Apache-2.0
"""The transmit half, from doorbells to the frame buffer, against a Python memory, byte for byte."""

from __future__ import annotations

import itertools
import random
from collections import deque
from dataclasses import dataclass, field

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge

BASE = 0x1_0000_0000
RING_STRIDE = 0x10000
DATA = BASE + 0x100000
SIZE = 0x400000


@dataclass
class Slave:
    """An AXI read slave: answers in order per id, ids reordered and interleaved per beat at random."""

    dut: object
    rng: random.Random
    latency: tuple[int, int] = (5, 40)
    stall: float = 0.1
    memory: bytearray = field(default_factory=lambda: bytearray(SIZE))
    bursts: list[tuple[int, int, int]] = field(default_factory=list)
    fail: set[int] = field(default_factory=set)  # addresses of bursts that answer SLVERR
    queues: dict[int, deque] = field(default_factory=lambda: {0: deque(), 1: deque(), 2: deque()})
    cycle: int = 0
    most_outstanding: int = 0
    interleave: bool = True

    def accept(self) -> None:
        d = self.dut
        ident, address, beats = int(d.m_axi_arid.value), int(d.m_axi_araddr.value), int(d.m_axi_arlen.value) + 1
        assert address % 8 == 0 and (address & 0xFFF) + 8 * beats <= 4096 and beats * 8 <= 256
        assert int(d.m_axi_arsize.value) == 3 and int(d.m_axi_arburst.value) == 1 and int(d.m_axi_arcache.value) == 3
        due = self.cycle + self.rng.randint(*self.latency)
        if self.queues[ident]:
            due = max(due, self.queues[ident][-1][0])
        bad = address in self.fail
        self.bursts.append((ident, address, beats))
        for i in range(beats):
            at = address + 8 * i - BASE
            inside = 0 <= at < SIZE
            word = int.from_bytes(self.memory[at : at + 8], "little") if inside else 0xDEAD
            self.queues[ident].append((due, word, 2 if bad or not inside else 0, i == beats - 1))
        outstanding = sum(q[3] for queue in self.queues.values() for q in queue)
        self.most_outstanding = max(self.most_outstanding, outstanding)

    async def run(self) -> None:
        d, current, last_id = self.dut, None, 0
        d.m_axi_rvalid.value, d.m_axi_arready.value = 0, 1
        ready_now = True
        while True:
            await RisingEdge(d.clk_i)
            self.cycle += 1
            if ready_now and int(d.m_axi_arvalid.value):
                self.accept()
            if current is not None and int(d.m_axi_rready.value):
                self.queues[current].popleft()
                current = None
            if current is None:
                due = [i for i, q in self.queues.items() if q and q[0][0] <= self.cycle]
                if not self.interleave and last_id in due:
                    due = [last_id]
                if due and self.rng.random() >= self.stall:
                    current = last_id = self.rng.choice(due)
                    _, word, resp, last = self.queues[current][0]
                    d.m_axi_rid.value, d.m_axi_rdata.value, d.m_axi_rresp.value, d.m_axi_rlast.value = (
                        current,
                        word,
                        resp,
                        last,
                    )
            d.m_axi_rvalid.value = int(current is not None)
            ready_now = self.rng.random() >= self.stall
            d.m_axi_arready.value = int(ready_now)


@dataclass
class Frame:
    """What one posted frame must become."""

    queue: int
    data: bytes
    index: int
    cause: int = 0


class Bench:
    """Posts frames to rings, collects frames and records."""

    def __init__(self, dut, seed: int = 1, log2: int = 6, start: int = 0xFFFFFFF0, max_frame: int = 1518) -> None:
        self.dut, self.rng, self.log2 = dut, random.Random(seed), log2
        self.queues = len(dut.on_i)
        self.all_queues = (1 << self.queues) - 1
        self.slave = Slave(dut, self.rng)
        self.producer = [start] * self.queues
        self.start, self.max_frame = start, max_frame
        self.frames: list[bytes] = []
        self.frame_cycles: list[int] = []
        self.records: list[dict[str, int]] = []
        self.errors: list[dict[str, int]] = []
        self.data_at = DATA
        self.tx_stall, self.rec_stall = 0.2, 0.2

    async def begin(self) -> None:
        d = self.dut
        cocotb.start_soon(Clock(d.clk_i, 8, "ns", impl="gpi").start())
        for name in (
            "db_valid_i",
            "start_valid_i",
            "flush_i",
            "barrier_valid_i",
            "host_fcs_i",
            "tx_ready_i",
            "rec_ready_i",
            "rst_ni",
            "csr_queue_i",
            "db_queue_i",
            "db_index_i",
            "start_queue_i",
            "start_index_i",
            "barrier_queue_i",
            "m_axi_rid",
            "m_axi_rdata",
            "m_axi_rlast",
            "m_axi_rresp",
        ):
            getattr(d, name).value = 0
        d.ring_log2_i.value, d.tx_enable_i.value, d.max_frame_i.value = self.log2, 1, self.max_frame
        d.on_i.value = d.enabled_i.value = self.all_queues
        for _ in range(3):
            await RisingEdge(d.clk_i)
        d.rst_ni.value = 1
        cocotb.start_soon(self.slave.run())
        for queue in range(self.queues):
            d.start_valid_i.value, d.start_queue_i.value, d.start_index_i.value = 1, queue, self.start
            await RisingEdge(d.clk_i)
            d.start_valid_i.value = 0
            for _ in range(3):
                await RisingEdge(d.clk_i)
        cocotb.start_soon(self.collect())

    async def collect(self) -> None:
        d, words, tx_ready, rec_ready = self.dut, bytearray(), 0, 0
        while True:
            await RisingEdge(d.clk_i)
            if tx_ready and int(d.tx_valid_o.value):
                last, count = int(d.tx_last_o.value), int(d.tx_count_o.value) + 1
                assert last or count == 8
                words += int(d.tx_data_o.value).to_bytes(8, "little")[:count]
                if last:
                    self.frames.append(bytes(words))
                    self.frame_cycles.append(self.slave.cycle)
                    words.clear()
            if rec_ready and int(d.rec_valid_o.value):
                names = ("barrier", "queue", "index", "length", "cause", "class", "verdict")
                self.records.append(
                    {n: int(getattr(d, f"rec_{n}_o").value) for n in names} | {"cycle": self.slave.cycle}
                )
            if int(d.err_valid_o.value):
                self.errors.append({n: int(getattr(d, f"err_{n}_o").value) for n in ("queue", "cause", "index")})
            tx_ready, rec_ready = int(self.rng.random() >= self.tx_stall), int(self.rng.random() >= self.rec_stall)
            d.tx_ready_i.value, d.rec_ready_i.value = tx_ready, rec_ready

    def store(self, address: int, data: bytes) -> None:
        self.slave.memory[address - BASE : address - BASE + len(data)] = data

    def descriptor(
        self, queue: int, address: int, length: int, sop: int = 0, eop: int = 0, kind: int = 0, reserved: int = 0
    ) -> None:
        value = address | length << 64 | sop << 80 | eop << 81 | kind << 84 | reserved << 88
        slot = self.producer[queue] & ((1 << self.log2) - 1)
        self.store(BASE + queue * RING_STRIDE + 16 * slot, value.to_bytes(16, "little"))
        self.producer[queue] = self.producer[queue] + 1 & 0xFFFFFFFF

    def place(self, data: bytes, align: int) -> int:
        if self.data_at + len(data) + 16 > BASE + SIZE:
            self.data_at = DATA
        at = self.data_at + align
        self.data_at = (at + len(data) + 7) & ~7
        self.store(at, data)
        return at

    def post(self, queue: int, pieces: list[bytes], align: list[int] | None = None) -> Frame:
        for i, piece in enumerate(pieces):
            at = self.place(piece, self.rng.randrange(8) if align is None else align[i])
            self.descriptor(queue, at, len(piece), i == 0, i == len(pieces) - 1)
        return Frame(queue, b"".join(pieces), self.producer[queue])

    async def doorbell(self, queue: int, index: int | None = None) -> None:
        d = self.dut
        d.db_valid_i.value, d.db_queue_i.value = 1, queue
        d.db_index_i.value = self.producer[queue] if index is None else index
        await RisingEdge(d.clk_i)
        d.db_valid_i.value = 0
        await RisingEdge(d.clk_i)

    async def until(self, records: int, limit: int = 20000) -> None:
        for _ in range(limit):
            if len(self.records) >= records and len(self.frames) >= sum(r["verdict"] for r in self.records):
                return
            await RisingEdge(self.dut.clk_i)
        raise AssertionError(f"{len(self.records)} of {records} records, {len(self.frames)} frames")

    def consumed(self, queue: int) -> int:
        last = [r["index"] for r in self.records if r["queue"] == queue and not r["barrier"]]
        return last[-1] if last else self.start

    def room(self, queue: int) -> int:
        return (1 << self.log2) - (self.producer[queue] - self.consumed(queue) & 0xFFFFFFFF)

    def check(self, expected: list[Frame]) -> None:
        sent = deque(self.frames)
        per_queue = {q: deque(f for f in expected if f.queue == q) for q in range(self.queues)}
        for record in self.records:
            if record["barrier"]:
                continue
            frame = per_queue[record["queue"]].popleft()
            assert (record["index"], record["cause"]) == (frame.index, frame.cause), (record, frame.index, frame.cause)
            assert record["verdict"] == (frame.cause == 0)
            if frame.cause == 0:
                assert sent.popleft() == frame.data
                assert record["length"] == len(frame.data)
                kind = 2 if frame.data[:6] == b"\xff" * 6 else frame.data[0] & 1
                assert record["class"] == kind
        assert not sent and not any(per_queue.values())


def random_pieces(rng: random.Random, most: int) -> list[bytes]:
    total = rng.choice([14, 15, 16, 17, 59, 60, 61, 64, rng.randint(14, 300), rng.randint(14, 1514)])
    data = bytearray(rng.randbytes(total))
    kind = rng.randrange(4)
    if kind == 0:
        data[:6] = b"\xff" * 6
    cuts = sorted(rng.sample(range(1, total), min(rng.choice([0, 0, 1, 3, most - 1]), total - 1)))
    if rng.random() < 0.2:
        cuts = list(range(1, min(most, total)))
    edges = [0, *cuts, total]
    return [bytes(data[a:b]) for a, b in itertools.pairwise(edges)]


async def run_random(bench: Bench, count: int, most: int = 16) -> list[Frame]:
    expected: list[Frame] = []
    rng = bench.rng
    while len(expected) < count:
        queue = rng.randrange(bench.queues)
        posted = 0
        for _ in range(rng.randint(1, 4)):
            pieces = random_pieces(rng, most)
            if bench.room(queue) < len(pieces):
                break
            expected.append(bench.post(queue, pieces))
            posted += 1
        if posted:
            await bench.doorbell(queue)
        for _ in range(rng.randint(1, 60)):
            await RisingEdge(bench.dut.clk_i)
    await bench.until(len(expected))
    return expected


@cocotb.test()
async def random_frames_arrive_byte_for_byte_and_in_order_per_queue(dut) -> None:
    bench = Bench(dut, seed=11)
    await bench.begin()
    expected = await run_random(bench, 150)
    bench.check(expected)
    assert bench.slave.most_outstanding <= 16


@cocotb.test()
async def frames_of_64_one_byte_fragments_arrive(dut) -> None:
    bench = Bench(dut, seed=12, log2=7)
    await bench.begin()
    expected = [bench.post(0, [bytes([i ^ n]) for i in range(64)]) for n in range(2)]
    await bench.doorbell(0)
    await bench.until(2)
    bench.check(expected)


@cocotb.test()
async def a_ring_of_two_entries_wraps(dut) -> None:
    bench = Bench(dut, seed=13, log2=1)
    await bench.begin()
    expected = await run_random(bench, 40, most=2)
    bench.check(expected)


@cocotb.test()
async def each_malformed_frame_ends_with_its_cause_and_nothing_is_sent(dut) -> None:
    bench = Bench(dut, seed=14)
    await bench.begin()
    d, at = bench.descriptor, bench.place(bytes(range(256)), 3)
    expected: list[Frame] = []

    def bad(cause: int) -> None:
        expected.append(Frame(0, b"", bench.producer[0], cause))

    def good() -> None:
        expected.append(bench.post(0, [bytes(range(1, 33)), bytes(range(40, 73))]))

    d(0, at, 0, 1, 1)
    bad(1)
    good()
    d(0, at, 64, 1, 1, reserved=1 << 39)
    bad(2)
    d(0, at, 64, 1, 0)
    d(0, at, 64, 0, 1, kind=1)
    bad(3)
    d(0, at, 13, 1, 1)
    bad(5)
    good()
    d(0, at, 64, 0, 1)
    bad(7)
    d(0, at, 64, 1, 0)
    d(0, at, 64, 1, 0)
    d(0, at, 10, 0, 1)
    bad(7)
    d(0, at, 64, 1, 0)
    d(0, at, 0, 0, 0)
    d(0, at, 0, 1, 0, kind=5)
    d(0, at, 64, 0, 1)
    bad(1)
    d(0, at, 200, 1, 0)
    for _ in range(7):
        d(0, at, 200, 0, 0)
    d(0, at, 200, 0, 1)
    bad(6)
    good()
    d(0, DATA, 65535, 1, 0)
    d(0, DATA, 65535, 0, 0)
    d(0, DATA, 65535, 0, 1)
    bad(6)
    good()
    await bench.doorbell(0)
    await bench.until(len(expected))
    bench.check(expected)
    assert not bench.errors


@cocotb.test()
async def a_frame_without_eop_ends_after_ring_size_descriptors(dut) -> None:
    bench = Bench(dut, seed=15, log2=3)
    await bench.begin()
    at = bench.place(bytes(64), 1)
    for i in range(8):
        bench.descriptor(0, at, 20, i == 0, 0)
    expected = [Frame(0, b"", bench.producer[0], 4)]
    await bench.doorbell(0)
    await bench.until(1)
    expected.append(bench.post(0, [bytes(60)]))
    await bench.doorbell(0)
    await bench.until(2)
    bench.check(expected)


@cocotb.test()
async def the_longest_frame_passes_and_one_byte_more_only_with_a_tag(dut) -> None:
    bench = Bench(dut, seed=16)
    await bench.begin()
    tag, qinq, plain = bytes(12) + b"\x81\x00", bytes(12) + b"\x88\xa8", bytes(12) + b"\x08\x00"
    expected = []
    for head, total, cause in (
        (plain, 1514, 0),
        (plain, 1515, 6),
        (plain, 1518, 6),
        (tag, 1518, 0),
        (qinq, 1515, 0),
        (tag, 1519, 6),
        (plain, 1514, 0),
    ):
        frame = bench.post(0, [head, bytes(total - 14)])
        expected.append(Frame(0, frame.data, frame.index, cause))
    await bench.doorbell(0)
    await bench.until(len(expected))
    bench.check(expected)


@cocotb.test()
async def a_bus_error_on_data_ends_one_frame_and_the_queue_goes_on(dut) -> None:
    bench = Bench(dut, seed=17)
    await bench.begin()
    expected = []
    for n in range(9):
        frame = bench.post(0, [bytes([n]) * 100, bytes([n + 1]) * 300])
        if n % 3 == 1:
            slot = (frame.index - 1 - n % 2) % 64
            address = BASE + 16 * slot
            bench.store(address, (BASE + SIZE + 0x1000).to_bytes(8, "little"))
            frame = Frame(0, b"", frame.index, 8)
        expected.append(frame)
    await bench.doorbell(0)
    await bench.until(len(expected))
    bench.check(expected)


@cocotb.test()
async def a_descriptor_fetch_error_is_reported_once_and_ends_the_frame_that_needs_it(dut) -> None:
    bench = Bench(dut, seed=18, start=0)
    await bench.begin()
    bench.slave.fail = {BASE + 0x100}  # descriptor 16 opens the second burst
    expected = [bench.post(0, [bytes(64)]) for _ in range(15)]
    at = bench.place(bytes(80), 5)
    bench.descriptor(0, at, 40, 1, 0)
    bench.descriptor(0, at + 40, 40, 0, 1)
    expected.append(Frame(0, b"", 16, 33))
    await bench.doorbell(0)
    await bench.until(16)
    bench.check(expected)
    assert bench.errors == [{"queue": 0, "cause": 33, "index": 16}]
    dut.enabled_i.value = dut.on_i.value = bench.all_queues & ~1
    for _ in range(20):
        await RisingEdge(dut.clk_i)
    assert int(dut.outstanding_o.value) == 0
    if bench.queues > 1:
        expected.append(bench.post(1, [bytes(100)]))
        await bench.doorbell(1)
        await bench.until(17)
        bench.check(expected)


@cocotb.test()
async def a_doorbell_beyond_the_ring_size_is_reported_and_not_followed(dut) -> None:
    bench = Bench(dut, seed=19)
    await bench.begin()
    expected = [bench.post(last := bench.queues - 1, [bytes(64)])]
    await bench.doorbell(last)
    await bench.until(1)
    consumer = bench.producer[last]
    await bench.doorbell(last, consumer + 65 & 0xFFFFFFFF)
    for _ in range(100):
        await RisingEdge(dut.clk_i)
    assert bench.errors == [{"queue": last, "cause": 32, "index": consumer + 65 & 0xFFFFFFFF}]
    bench.check(expected)


@cocotb.test()
async def a_full_frame_buffer_delays_reads_and_loses_nothing(dut) -> None:
    bench = Bench(dut, seed=20, log2=8)
    await bench.begin()
    bench.tx_stall, bench.rec_stall = 1.0, 0.0
    expected = [bench.post(0, [bytes([n]) * 700, bytes([n]) * 800]) for n in range(50)]
    await bench.doorbell(0)
    for _ in range(6000):
        await RisingEdge(dut.clk_i)
    assert 15 <= len(bench.records) <= 32768 // 1504
    bench.tx_stall = 0.0
    await bench.until(50)
    bench.check(expected)


@cocotb.test()
async def a_frame_that_waits_for_room_is_flushed_when_asked(dut) -> None:
    bench = Bench(dut, seed=21, log2=8)
    await bench.begin()
    bench.tx_stall, bench.rec_stall = 1.0, 0.0
    expected = [bench.post(0, [bytes([n]) * 700, bytes([n]) * 800]) for n in range(30)]
    await bench.doorbell(0)
    for _ in range(6000):
        await RisingEdge(dut.clk_i)
    kept = len(bench.records)
    dut.flush_i.value = 1
    for _ in range(3000):
        await RisingEdge(dut.clk_i)
    assert len(bench.records) == 30
    bench.tx_stall = 0.0
    dut.flush_i.value = 0
    await bench.until(30)
    bench.check([f if n < kept else Frame(0, b"", f.index, 10) for n, f in enumerate(expected)])


@cocotb.test()
async def a_barrier_leaves_after_the_frames_before_it(dut) -> None:
    bench = Bench(dut, seed=22)
    await bench.begin()
    expected = [bench.post(0, [bytes(1000)]) for _ in range(3)]
    await bench.doorbell(0)
    for _ in range(150):
        await RisingEdge(dut.clk_i)
    dut.enabled_i.value = bench.all_queues & ~1
    dut.barrier_valid_i.value, dut.barrier_queue_i.value = 1, 0
    while not int(dut.barrier_ready_o.value):
        await RisingEdge(dut.clk_i)
    dut.barrier_valid_i.value = 0
    for _ in range(1500):
        await RisingEdge(dut.clk_i)
    marks = [r["barrier"] for r in bench.records]
    assert marks[-1] == 1 and sum(marks) == 1
    bench.check(expected[: len(marks) - 1])
    assert int(dut.outstanding_o.value) == 0


@cocotb.test()
async def disabling_ends_a_frame_whose_end_was_never_posted(dut) -> None:
    bench = Bench(dut, seed=23)
    await bench.begin()
    bench.descriptor(0, bench.place(bytes(64), 0), 64, 1, 0)
    index = bench.producer[0]
    await bench.doorbell(0)
    for _ in range(300):
        await RisingEdge(dut.clk_i)
    assert not bench.records
    dut.enabled_i.value = bench.all_queues & ~1
    await bench.until(1)
    bench.check([Frame(0, b"", index, 4)])


async def line_rate(dut, pieces: int) -> float:
    bench = Bench(dut, seed=24, log2=10, start=0)
    await bench.begin()
    bench.slave.latency, bench.slave.stall, bench.tx_stall, bench.rec_stall = (125, 125), 0.0, 0.0, 0.0
    bench.slave.interleave = False
    sizes = {1: [60], 4: [14, 20, 13, 13]}[pieces]
    expected = [bench.post(0, [bench.rng.randbytes(s) for s in sizes]) for _ in range(200)]
    await bench.doorbell(0)
    await bench.until(200)
    bench.check(expected)
    gaps = [b - a for a, b in zip(bench.frame_cycles[20:], bench.frame_cycles[21:], strict=False)]
    dut._log.info(
        "pieces %d: %.1f cycles per frame, first frame after %d", pieces, sum(gaps) / len(gaps), bench.frame_cycles[0]
    )
    return sum(gaps) / len(gaps)


@cocotb.test()
async def short_frames_of_one_fragment_keep_up_with_the_line(dut) -> None:
    assert await line_rate(dut, 1) < 84


@cocotb.test()
async def short_frames_of_four_fragments_keep_up_with_the_line(dut) -> None:
    assert await line_rate(dut, 4) < 84

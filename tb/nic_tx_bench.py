# SPDX-License-Identifier: Apache-2.0
"""The bench of the transmit half: a Python memory on its AXI reads, rings, and what becomes of each posted frame."""

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

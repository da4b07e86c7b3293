# SPDX-License-Identifier: Apache-2.0
"""The blocks of virtual connections by hand (nic_vc_bench.sv): contracts, what was sent when, and what is due.

bench = await Bench.start(dut)
await bench.connect(Contract(5, 7, 100_000_000, burst=3044));  await bench.fill(7)
frames = await bench.run(100, (46, 1514));  expect_rate(frames, 100_000_000)
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge, ValueChange

UNIT = 65536
LINE_BITS = 1_000_000_000
GAP = 20  # preamble and inter-frame gap in octets
LONGEST = 1522
SCHEDULER = 60  # cycles from a frame's end to the next offer and back, at most


@dataclass(frozen=True, slots=True)
class Contract:
    """A VC's draft; rates in bit/s, 0: no limit."""

    vc: int
    queue: int
    rate: int = 0
    burst: int = 0
    peak: int = 0
    peak_burst: int = 0
    quantum: int = 2048
    guaranteed: bool = False
    longest: int = LONGEST

    @property
    def interval(self) -> int:
        return round(UNIT * LINE_BITS / self.rate) if self.rate else 0

    @property
    def peak_interval(self) -> int:
        return round(UNIT * LINE_BITS / self.peak) if self.peak else 0

    def pack(self, vc_bits: int, *, new: bool) -> int:
        """As vc_orders hands it to tx_sched."""
        value = 0
        for width, part in (
            (1, new),
            (1, 1),
            (vc_bits, self.vc),
            (11, self.queue),
            (16, self.vc),
            (16, self.longest),
            (32, self.interval),
            (24, self.burst),
            (32, self.peak_interval),
            (24, self.peak_burst),
            (16, self.quantum),
            (1, self.guaranteed),
        ):
            value = value << width | int(part)
        return value


@dataclass(frozen=True, slots=True)
class Taken:
    """A frame: its queue, when it begins on the line, its octets there, and the cycle in which it was taken."""

    queue: int
    at: int
    octets: int
    cycle: int


class Bench:
    """The wrapper's queues, as desc_fetch would fill them."""

    def __init__(self, dut: Any, seed: int) -> None:
        self.dut, self.random = dut, random.Random(seed)
        self.vc_bits = len(dut.active_i).bit_length() - 1
        self.bound: set[int] = set()
        self.active = 0

    @classmethod
    async def start(cls, dut: Any, seed: int = 1) -> Bench:
        """Out of reset, every queue started."""
        names = "start_valid fill_valid empty_valid queue bytes active set_valid set_data frame_valid frame_tagged"
        names += " frame_tci word_valid word_data strip_begin strip strip_length buf_valid buf_data out_ready"
        names += " request choice_take"
        for name in names.split():
            getattr(dut, f"{name}_i").value = 0
        dut.rst_ni.value = 0
        dut.quantum_i.value = 2048
        Clock(dut.clk_i, 8, "ns", impl="gpi").start()
        await ClockCycles(dut.clk_i, 3)
        dut.rst_ni.value = 1
        return cls(dut, seed)

    async def pulse(self, name: str, queue: int) -> None:
        """One of start, fill, empty."""
        self.dut.queue_i.value = queue
        valid = getattr(self.dut, f"{name}_valid_i")
        valid.value = 1
        await RisingEdge(self.dut.clk_i)
        valid.value = 0

    async def fill(self, *queues: int) -> None:
        """These have frames from now on."""
        for queue in queues:
            await self.pulse("start", queue)
            await ClockCycles(self.dut.clk_i, 30)
            await self.pulse("fill", queue)

    async def connect(self, contract: Contract, *, new: bool = True) -> None:
        """Activate the VC, or change its contract."""
        if new:
            await self.pulse("start", contract.queue)
            await ClockCycles(self.dut.clk_i, 30)
        self.dut.set_data_i.value = contract.pack(self.vc_bits, new=new)
        self.dut.set_valid_i.value = 1
        await RisingEdge(self.dut.set_ready_o)
        await RisingEdge(self.dut.clk_i)
        self.dut.set_valid_i.value = 0
        self.active |= 1 << contract.vc
        self.dut.active_i.value = self.active
        self.bound.add(contract.queue)

    async def run(self, frames: int, lengths: tuple[int, int], until_at: int = 1 << 31) -> list[Taken]:
        """Take frames of random lengths in memory, until so many, or until one begins late enough."""
        found: list[Taken] = []
        while len(found) < frames and (not found or found[-1].at < until_at):
            length = self.random.randint(*lengths)
            self.dut.bytes_i.value = length
            await ValueChange(self.dut.taken_o)
            queue = int(self.dut.taken_queue_o.value)
            assert bool(self.dut.taken_tagged_o.value) is (queue in self.bound)
            octets = max(length + 4 * (queue in self.bound), 60) + 4
            found.append(Taken(queue, int(self.dut.taken_at_o.value), octets, int(self.dut.cycle_o.value)))
        return found


def expect_bucket(frames: list[Taken], interval: int, burst: int, *, late: int = SCHEDULER) -> None:
    """Each frame found MAX_FRAME octets in the bucket, and of a queue that is never empty began as soon as it did."""
    level, before = float(burst), frames[0].at
    for frame in frames:
        level += (frame.at - before) * UNIT / interval
        waited = (min(level, burst) - LONGEST) * interval / UNIT
        assert waited >= -1.01, f"{level:.2f} octets at {frame}"
        level = min(level, burst) - frame.octets
        before = frame.at
    starved = [b.at - a.at - max(interval * a.octets / UNIT, a.octets + GAP) for a, b in pairwise(frames[-50:])]
    assert max(starved) <= late, f"{max(starved):.0f} cycles later than the bucket or the line would have let it"


def expect_rate(frames: list[Taken], rate: int) -> None:
    """Within one hundredth."""
    octets = sum(frame.octets for frame in frames[:-1])
    found = octets / (frames[-1].at - frames[0].at) * LINE_BITS
    cocotb.log.info("%.3f Mbit/s, contract %.0f: %+.3f %%", found / 1e6, rate / 1e6, 100 * (found / rate - 1))
    assert abs(found / rate - 1) <= 0.01, f"{found / 1e6:.2f} Mbit/s, contract {rate / 1e6:.2f}"


def words_of(frame: bytes) -> list[int]:
    """{last, valid bytes - 1, data} per word."""
    words = []
    for at in range(0, len(frame), 8):
        part = frame[at : at + 8]
        last = at + 8 >= len(frame)
        words.append(int(last) << 67 | (len(part) - 1) << 64 | int.from_bytes(part, "little"))
    return words

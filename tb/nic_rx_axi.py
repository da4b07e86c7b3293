# SPDX-License-Identifier: Apache-2.0
"""The host memory of the receive half's tests, as an AXI4 slave that answers late and out of order.

`accept` looks at what was handed over at a clock edge, `offer` drives what comes next. Writes are applied at a random
time before their response; responses of different ids overtake each other. Checked are the AXI rules, that no byte
outside a writable range is touched, and that a completion is written only after the responses of its buffer's data.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

BASE = 0x1_0000_0000
CPL, BUFFERS, SIZE = 0x80_0000, 0x100_0000, 0x200_0000
DATA, COMPLETION = 0, 1  # write ids


@dataclass(slots=True)
class Burst:
    """One write burst on its way; its address counts from BASE."""

    ident: int
    address: int
    beats: int
    number: int
    bad: bool
    words: list[tuple[int, int]] = field(default_factory=list)  # data, strobes
    apply_at: int = 0
    due: int = 0
    applied: bool = False

    @property
    def start(self) -> int:
        return self.address & ~7

    @property
    def end(self) -> int:
        return self.start + 8 * self.beats

    @property
    def ring(self) -> tuple[int, int]:
        """(direction, queue) of a completion."""
        return self.address >> 22 & 1, self.address >> 16 & 63


class AxiMemory:
    """Memory, permissions, and both sides of the AXI4 port."""

    def __init__(self, dut: Any, rng: random.Random) -> None:
        self.dut, self.rng, self.cycle = dut, rng, 0
        self.memory, self.writable = bytearray(SIZE), bytearray(SIZE)
        self.writable[CPL : CPL + 0x80_0000] = b"\1" * 0x80_0000
        self.latency, self.read_latency, self.stall = (5, 60), (5, 40), 0.2
        self.fail_writes: set[int] = set()  # numbers of bursts that answer SLVERR
        self.fail_reads: set[int] = set()
        self.writes = self.reads = self.most_outstanding = 0
        self.responded_at: list[int] = []  # cycles in which completions became visible
        self.on_completion: Callable[[Burst], None] = lambda _: None
        self.buffer_of: Callable[[Burst], tuple[int, int]] = lambda _: (0, 0)  # range that a completion is about
        self._flights: deque[Burst] = deque()
        self._gathered: deque[list[tuple[int, int]]] = deque([[]])
        self._waiting: dict[int, deque[Burst]] = {DATA: deque(), COMPLETION: deque()}
        self._reads: deque[tuple[int, int, int, int]] = deque()
        self._aw = self._w = self._ar = self._b = self._r = 0
        self._answer = 0
        self._limits = int(dut.MaxBurstBytes.value), int(dut.MaxWrites.value)

    # ---- every cycle -------------------------------------------------------------------------------------------------

    def accept(self) -> None:
        d = self.dut
        self.cycle += 1
        if self._aw and int(d.m_axi_awvalid.value):
            self._address()
        if self._w and int(d.m_axi_wvalid.value):
            self._word()
        if self._b and int(d.m_axi_bready.value):
            self._b = 0
            burst = self._waiting[self._answer].popleft()
            if burst.ident == COMPLETION and not burst.bad:
                self.responded_at.append(self.cycle)
        if self._ar and int(d.m_axi_arvalid.value):
            self._read()
        if self._r and int(d.m_axi_rready.value):
            self._reads.popleft()
            self._r = 0
        for queue in self._waiting.values():
            for burst in queue:
                if not burst.applied and burst.apply_at <= self.cycle:
                    self._apply(burst)

    def offer(self) -> None:
        d, rng = self.dut, self.rng
        self._aw, self._w, self._ar = (int(rng.random() >= self.stall) for _ in range(3))
        d.m_axi_awready.value, d.m_axi_wready.value, d.m_axi_arready.value = self._aw, self._w, self._ar
        if not self._b:
            self._respond()
        if not self._r and self._reads and self._reads[0][0] <= self.cycle and rng.random() >= self.stall:
            self._r, d.m_axi_rid.value = 1, 1
            _, d.m_axi_rdata.value, d.m_axi_rresp.value, d.m_axi_rlast.value = self._reads[0]
        d.m_axi_rvalid.value = self._r

    # ---- writes ------------------------------------------------------------------------------------------------------

    def _address(self) -> None:
        d = self.dut
        address, number = int(d.m_axi_awaddr.value) - BASE, self.writes
        burst = Burst(
            int(d.m_axi_awid.value), address, int(d.m_axi_awlen.value) + 1, number, number in self.fail_writes
        )
        self.writes += 1
        assert burst.ident in (DATA, COMPLETION)
        assert burst.address >> 12 == burst.end - 1 >> 12, "burst crosses 4 KiB"
        assert 8 * burst.beats <= self._limits[0], "burst too long"
        assert (int(d.m_axi_awsize.value), int(d.m_axi_awburst.value), int(d.m_axi_awcache.value)) == (3, 1, 3)
        assert burst.address >= 0 and burst.end <= SIZE
        self._flights.append(burst)
        self._match()
        outstanding = len(self._flights) + sum(len(queue) for queue in self._waiting.values())
        self.most_outstanding = max(self.most_outstanding, outstanding)
        assert outstanding <= self._limits[1], "too many writes outstanding"

    def _word(self) -> None:
        d = self.dut
        self._gathered[-1].append((int(d.m_axi_wdata.value), int(d.m_axi_wstrb.value)))
        if int(d.m_axi_wlast.value):
            self._gathered.append([])
            self._match()

    def _match(self) -> None:
        """Give the oldest address its words once they are complete."""
        while self._flights and len(self._gathered) > 1:
            burst = self._flights.popleft()
            burst.words = self._gathered.popleft()
            assert len(burst.words) == burst.beats, "WLAST does not fit AWLEN"
            queue = self._waiting[burst.ident]
            before = queue[-1] if queue else burst
            burst.due = max(self.cycle + self.rng.randint(*self.latency), before.due)
            burst.apply_at = max(self.rng.randint(self.cycle, burst.due), before.apply_at)  # in order per id
            queue.append(burst)
            if burst.ident == COMPLETION:
                self._check_completion(burst)

    def _check_completion(self, burst: Burst) -> None:
        assert burst.beats == 4 and burst.address % 32 == 0, "a completion is one burst of its entry"
        assert all(strobe == 0xFF for _, strobe in burst.words)
        first, end = self.buffer_of(burst)
        for data in self._waiting[DATA]:
            strobes = [at for at, byte in self._bytes(data) if first <= at < end]
            assert not strobes, "completion before the response of its data"

    @staticmethod
    def _bytes(burst: Burst) -> list[tuple[int, int]]:
        """(address, byte) of every strobed lane."""
        return [
            (burst.start + 8 * i + lane, word >> 8 * lane & 0xFF)
            for i, (word, strobe) in enumerate(burst.words)
            for lane in range(8)
            if strobe >> lane & 1
        ]

    def _apply(self, burst: Burst) -> None:
        burst.applied = True
        written = self._bytes(burst)
        assert written and written[0][0] == burst.address, "the first strobe is not AWADDR's"
        assert written[-1][0] - written[0][0] == len(written) - 1, "a hole in the strobes"
        for at, byte in written:
            assert self.writable[at], f"write outside posted buffers at {at:#x}"
            if not burst.bad:
                self.memory[at] = byte
        if burst.ident == COMPLETION:
            self.on_completion(burst)

    def _respond(self) -> None:
        d = self.dut
        ready = [i for i, queue in self._waiting.items() if queue and queue[0].due <= self.cycle and queue[0].applied]
        self._b = int(bool(ready))
        d.m_axi_bvalid.value = self._b
        if ready:
            self._answer = self.rng.choice(ready)
            d.m_axi_bid.value, d.m_axi_bresp.value = self._answer, 2 * self._waiting[self._answer][0].bad

    # ---- reads -------------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        d = self.dut
        at, beats = int(d.m_axi_araddr.value) - BASE, int(d.m_axi_arlen.value) + 1
        bad = self.reads in self.fail_reads
        self.reads += 1
        due = max(self.cycle + self.rng.randint(*self.read_latency), self._reads[-1][0] if self._reads else 0)
        for i in range(beats):
            word = int.from_bytes(self.memory[at + 8 * i : at + 8 * i + 8], "little")
            self._reads.append((due, word, 2 * bad, int(i == beats - 1)))

# SPDX-License-Identifier: Apache-2.0
"""The DMA master: bursts with the latencies of the timing model, checked by the IOMMU, with errors where injected.

Reads and writes of one id keep their order. A burst ends at MaxBurstBytes and at 4 KiB; at most MaxReads reads and
MaxWrites writes are outstanding. Memory is touched at a random time before the response. After `stop()` (surprise
removal) memory is never touched again and nobody is called back.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from hilnic.hw.clock import Clock
from hilnic.hw.memory import HostMemory
from hilnic.hw.regs import AxiReadId, AxiWriteId
from hilnic.hw.timing import TimingModel
from hilnic.model.build import Build

PAGE = 4096
WORD = 8

ReadDone = Callable[[bytes | None], None]
WriteDone = Callable[[bool], None]


@dataclass(slots=True)
class _Read:
    """One request of any length; None in `pieces` is a burst that failed."""

    ident: AxiReadId
    done: ReadDone
    left: int = 0
    pieces: list[bytes | None] = field(default_factory=list)


@dataclass(slots=True)
class _Write:
    """One request of any length."""

    ident: AxiWriteId
    done: WriteDone
    left: int = 0
    ok: bool = True


@dataclass(frozen=True, slots=True)
class DmaStatistics:
    """Bursts so far and now under way."""

    reads: int
    writes: int
    reads_outstanding: int
    writes_outstanding: int


class Dma:
    """Both directions of the AXI master."""

    def __init__(self, clock: Clock, memory: HostMemory, timing: TimingModel, build: Build) -> None:
        self._clock, self._memory, self._timing, self._build = clock, memory, timing, build
        self._random = timing.random("dma")
        self._reads_waiting: deque[tuple[_Read, int, int]] = deque()
        self._writes_waiting: deque[tuple[_Write, int, memoryview]] = deque()
        self._outstanding = Counter[str]()
        self._free_at = {"ar": 0, "aw": 0}
        self._last_at: dict[int, int] = {}
        self._count = {"ar": 0, "aw": 0}
        self._injected: dict[str, set[int]] = {"ar": set(), "aw": set()}
        self._alive = True
        self.on_idle: Callable[[], None] = lambda: None
        self.on_write_slot: Callable[[], None] = lambda: None

    def __repr__(self) -> str:
        """What is under way."""
        return f"<Dma {self.statistics()}>"

    def statistics(self) -> DmaStatistics:
        """Counts of now."""
        under_way = self._outstanding
        return DmaStatistics(self._count["ar"], self._count["aw"], under_way["ar"], under_way["aw"])

    @property
    def idle(self) -> bool:
        """Is no transaction outstanding or waiting?"""
        waiting = self._reads_waiting or self._writes_waiting
        return not (waiting or self._outstanding["ar"] or self._outstanding["aw"])

    @property
    def writes_are_backed_up(self) -> bool:
        """Does a write wait for a place among the outstanding ones?"""
        return bool(self._writes_waiting)

    def inject_error(self, channel: str, number: int) -> None:
        """Answer the `number`-th burst from now on "ar" or "aw" (from 1) with an error."""
        self._injected[channel].add(self._count[channel] + number)

    def stop(self) -> None:
        """Surprise removal: nothing happens any more."""
        self._alive = False

    # ---- reads ----

    def read(self, ident: AxiReadId, address: int, length: int, done: ReadDone) -> None:
        """Read bytes; `done` gets them, or None after a bus error."""
        request = _Read(ident, done)
        for start, size in self._bursts(address, length):
            request.left += 1
            self._reads_waiting.append((request, start, size))
        self._issue_reads()

    def _bursts(self, address: int, length: int) -> Iterator[tuple[int, int]]:
        while length:
            end = min((address & -WORD) + self._build.max_burst_bytes, (address | (PAGE - 1)) + 1, address + length)
            yield address, end - address
            length -= end - address
            address = end

    def _issue_reads(self) -> None:
        while self._reads_waiting and self._outstanding["ar"] < self._build.max_reads:
            request, address, size = self._reads_waiting.popleft()
            failed = self._begin("ar")
            beats = (address % WORD + size + WORD - 1) // WORD
            time = self._data_time("ar", self._timing.dma_read_ns, beats, request.ident)
            self._clock.call_at(time, partial(self._end_read, request, address, size, failed))

    def _begin(self, channel: str) -> bool:
        """Count a burst; is it one that is to fail?"""
        self._outstanding[channel] += 1
        self._count[channel] += 1
        return self._count[channel] in self._injected[channel]

    def _data_time(self, channel: str, latency_ns: int, beats: int, ident: int) -> int:
        """When the last beat has passed: the channel carries one burst at a time, an id keeps its order."""
        timing, cycles = self._timing, beats * 100 // self._timing.bandwidth_percent
        if timing.stall_percent:
            cycles += sum(self._random.randrange(100) < timing.stall_percent for _ in range(beats))
        ready = self._clock.now_ns() + timing.jittered(latency_ns, self._random)
        key = ident if timing.reorder else -1
        start = max(ready, self._free_at[channel] if not timing.reorder else 0, self._last_at.get(key, 0))
        end = start + self._build.cycles_ns(cycles)
        self._free_at[channel] = end
        if channel == "ar":
            self._last_at[key] = end
        return end

    def _end_read(self, request: _Read, address: int, size: int, failed: bool) -> None:
        if not self._alive:
            return
        engine = f"dma_read.{request.ident.name.lower()}"
        request.pieces.append(None if failed else self._memory.dma_read(address, size, engine))
        request.left -= 1
        self._outstanding["ar"] -= 1
        self._issue_reads()
        if not request.left:
            pieces = [piece for piece in request.pieces if piece is not None]
            request.done(b"".join(pieces) if len(pieces) == len(request.pieces) else None)
        if self.idle:
            self.on_idle()

    # ---- writes ----

    def write(self, ident: AxiWriteId, address: int, data: bytes | memoryview, done: WriteDone) -> None:
        """Write bytes; `done` is told after the last response whether all went well."""
        request = _Write(ident, done)
        view = memoryview(data)
        for start, size in self._bursts(address, len(view)):
            request.left += 1
            self._writes_waiting.append((request, start, view[start - address : start - address + size]))
        self._issue_writes()

    def _issue_writes(self) -> None:
        while self._writes_waiting and self._outstanding["aw"] < self._build.max_writes:
            request, address, data = self._writes_waiting.popleft()
            failed = self._begin("aw")
            beats = (address % WORD + len(data) + WORD - 1) // WORD
            taken = self._data_time("aw", 0, beats, request.ident)
            delay = self._timing.jittered(self._timing.write_response_ns, self._random)
            answered = max(taken + delay, self._last_at.get(-2, 0))
            self._last_at[-2] = answered
            if not failed:
                applied = self._random.randrange(taken, answered) if answered > taken else taken
                self._clock.call_at(applied, partial(self._apply, request, address, data))
            self._clock.call_at(answered, partial(self._end_write, request, failed))

    def _apply(self, request: _Write, address: int, data: memoryview) -> None:
        if self._alive:
            self._memory.dma_write(address, data, f"dma_write.{request.ident.name.lower()}")

    def _end_write(self, request: _Write, failed: bool) -> None:
        if not self._alive:
            return
        request.left -= 1
        request.ok = request.ok and not failed
        self._outstanding["aw"] -= 1
        self._issue_writes()
        if not request.left:
            request.done(request.ok)
        if not self._writes_waiting:
            self.on_write_slot()
        if self.idle:
            self.on_idle()

# SPDX-License-Identifier: Apache-2.0
"""The host's processor: the Kernel port (docs/architecture.md) on a Clock, a HostMemory and a TimingModel.

One CPU per host. A DPC starts at S = max(now, CPU free), runs in zero simulated time and keeps the CPU busy for
`cpu_dpc_ns` plus `cpu_frame_ns` per charged frame; `now_ns()` includes what has been charged so far, and a register
write is issued at that time. Coroutines run at PASSIVE_LEVEL and pay for frames in the same way.

    clock   --S------------------------------->
    DPC       |<- 500 ns ->|<- n x 100 ns ->|    next DPC starts here
                           ^ writes made after charge_frames(n) are issued at the end of their charge
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from hilnic.hw.clock import Clock, Event, Handle
from hilnic.hw.device import Device
from hilnic.hw.memory import HostMemory, Region
from hilnic.hw.timing import TimingModel
from hilnic.hw.trace import Trace

__all__ = ["CpuStatistics", "HostCpu", "HostIrql", "HostTimer"]


class HostIrql(IntEnum):
    """Interrupt request levels, with the numbers of `ndis.Irql` (hw knows nothing of ndis)."""

    PASSIVE = 0
    DISPATCH = 2
    DIRQL = 11


@dataclass(frozen=True, slots=True)
class CpuStatistics:
    """What the CPU did."""

    dpcs: int
    frames: int
    busy_ns: int


class HostTimer:
    """A timer that has been set; it fires as a DPC."""

    __slots__ = ("_cpu", "_handle", "_pending", "_routine")

    def __init__(self, cpu: HostCpu, delay_ns: int, routine: Callable[[], None]) -> None:
        self._cpu, self._routine, self._pending = cpu, routine, True
        self._handle: Handle = cpu.clock.call_at(cpu.clock.now_ns() + delay_ns, self._expire)

    def _expire(self) -> None:
        self._cpu.queue_dpc(self._fire)

    def _fire(self) -> None:
        if self._pending:
            self._pending = False
            self._routine()

    def cancel(self) -> bool:
        """Stop the timer; True if its routine will not run and has not run."""
        pending, self._pending = self._pending, False
        self._handle.cancel()
        return pending


class Unarmed:
    """A timer that never fires."""

    __slots__ = ()

    def cancel(self) -> bool:
        """There is nothing to cancel."""
        return False


_UNARMED = Unarmed()


class HostCpu:
    """The Kernel port. Everything is deterministic: equal inputs, equal order."""

    def __init__(
        self,
        clock: Clock,
        memory: HostMemory,
        timing: TimingModel | None = None,
        trace: Trace | None = None,
    ) -> None:
        self.clock, self.memory = clock, memory
        self.timing = timing or TimingModel()
        self.trace = trace or Trace()
        self.trace.set_clock(self.now_ns)
        self.irql: Any = HostIrql.PASSIVE
        self.yield_point: Callable[[str], None] = _no_yield
        memory.now_ns = clock.now_ns
        self._busy_until = 0
        self._dpcs: deque[Callable[[], None]] = deque()
        self._scheduled = False
        self._dpc_count = self._frames = self._busy_ns = 0

    def __repr__(self) -> str:
        """Level and backlog."""
        return f"<HostCpu {self.irql.name}, {len(self._dpcs)} DPCs queued, busy until {self._busy_until} ns>"

    def attach(self, device: Device) -> None:
        """Let a device's posted writes carry this CPU's time."""
        device.issue_time = self.now_ns

    # --- time -------------------------------------------------------------------------------------------------------

    def now_ns(self) -> int:
        """Simulated time with the CPU time that has been charged."""
        now = self.clock.now_ns()
        return now if now > self._busy_until else self._busy_until  # noqa: FURB136 - twice as fast as max()

    def charge_frames(self, count: int) -> None:
        """Spend the CPU time of handling frames."""
        self._frames += count
        self._charge(count * self.timing.cpu_frame_ns)

    def stall(self, duration_ns: int) -> None:
        """Spend CPU time in a busy-wait."""
        self._charge(duration_ns)

    def _charge(self, cost_ns: int) -> None:
        self._busy_until = self.now_ns() + cost_ns
        self._busy_ns += cost_ns

    def sleep(self, delay_ns: int) -> Awaitable[None]:
        """Wait (PASSIVE_LEVEL only)."""
        if self.irql != HostIrql.PASSIVE:
            raise RuntimeError(f"sleep at {self.irql.name}: only PASSIVE_LEVEL may wait")
        return self.clock.sleep(delay_ns)

    def create_event(self) -> Event:
        """A new event, not set."""
        return self.clock.create_event()

    # --- DPCs, timers, work items -----------------------------------------------------------------------------------

    def queue_dpc(self, routine: Callable[[], None]) -> None:
        """Run a routine at DISPATCH_LEVEL as soon as the CPU is free, after those queued before it."""
        self._dpcs.append(routine)
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self.clock.call_at(self.now_ns(), self._run_dpc)

    def _run_dpc(self) -> None:
        self._scheduled = False
        if self._busy_until > self.clock.now_ns():  # passive code has taken the CPU in between
            self._schedule()
            return
        routine = self._dpcs.popleft()
        self._dpc_count += 1
        if self.trace.enabled:
            self.trace.emit("dpc", number=self._dpc_count)
        self._charge(self.timing.cpu_dpc_ns)
        self.irql = HostIrql.DISPATCH
        try:
            routine()
        finally:
            self.irql = HostIrql.PASSIVE
            if self._dpcs:
                self._schedule()

    def set_timer(self, delay_ns: int, routine: Callable[[], None]) -> HostTimer:
        """Run a routine as a DPC after a delay."""
        return HostTimer(self, delay_ns, routine)

    def set_watchdog(self, delay_ns: int, routine: Callable[[], None]) -> Unarmed:
        """A limit of seconds: no simulation lasts that long, and hangs are the bench's business. Never fires."""
        del delay_ns, routine
        return _UNARMED

    def queue_work_item(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Start a coroutine at PASSIVE_LEVEL."""
        self.clock.start(work())

    # --- memory -----------------------------------------------------------------------------------------------------

    def allocate(self, size: int, alignment: int = 64) -> Region:
        """A region of host memory; MemoryError when there is none."""
        return self.memory.allocate(size, alignment, 2)

    def free(self, region: Region) -> None:
        """Give a region back."""
        self.memory.free(region)

    def statistics(self) -> CpuStatistics:
        """Counts since the start."""
        return CpuStatistics(self._dpc_count, self._frames, self._busy_ns)


def _no_yield(name: str) -> None:
    """The default yield point: nobody pre-empts."""

# SPDX-License-Identifier: Apache-2.0
"""Interrupt messages with auto-mask, re-arm and moderation (docs/nic.md sections 3 and 8)."""

from collections.abc import Callable

from hilnic.hw import regs
from hilnic.hw.clock import Clock
from hilnic.hw.timing import TimingModel
from hilnic.model.build import Build
from hilnic.model.queue import U32, Queue
from hilnic.model.registers import Registers

Handler = Callable[[], None]


class Interrupts:
    """All vectors; vector 0 also carries the misc causes."""

    def __init__(self, clock: Clock, timing: TimingModel, build: Build, registers: Registers) -> None:
        self._clock, self._timing, self._build, self._registers = clock, timing, build, registers
        self._handlers: dict[int, Handler] = {}
        self._misc_armed = True
        self._alive = True
        self.sent = [0] * build.num_vectors

    def __repr__(self) -> str:
        """Messages per vector."""
        return f"<Interrupts sent {self.sent}>"

    def connect(self, vector: int, handler: Handler | None) -> None:
        """Who gets a vector's messages."""
        if handler is None:
            self._handlers.pop(vector, None)
        else:
            self._handlers[vector] = handler

    def stop(self) -> None:
        """Surprise removal: not even messages under way arrive."""
        self._alive = False

    def _send(self, vector: int) -> None:
        self.sent[vector] += 1
        delay = self._timing.interrupt_ns
        self._clock.call_at(self._clock.now_ns() + delay, lambda: self._deliver(vector))

    def _deliver(self, vector: int) -> None:
        handler = self._handlers.get(vector)
        if handler is not None and self._alive:
            handler()

    # ---- queues ----

    def rearm(self, queue: Queue, consumer: int) -> None:
        """Unmask; a re-arm that is behind fires at once."""
        queue.masked = False
        queue.reported = consumer
        self._cancel_timer(queue)
        if _behind(queue):
            self._fire(queue)

    def completed(self, queue: Queue) -> None:
        """CPL_PRODUCED has moved."""
        if queue.masked:
            return
        unreported = _behind(queue)
        if unreported >= max(queue.mod_count, 1):
            self._fire(queue)
        elif unreported and queue.mod_ticks and queue.timer is None:
            due = self._clock.now_ns() + self._build.cycles_ns(queue.mod_ticks)
            queue.timer = self._clock.call_at(due, lambda: self._timed_out(queue))

    def _timed_out(self, queue: Queue) -> None:
        queue.timer = None
        if not queue.masked:
            self._fire(queue)

    def _fire(self, queue: Queue) -> None:
        queue.masked = True
        self._cancel_timer(queue)
        self._send(queue.vector)

    def _cancel_timer(self, queue: Queue) -> None:
        if queue.timer is not None:
            queue.timer.cancel()
            queue.timer = None

    def flush(self, queue: Queue) -> None:
        """Before a queue becomes disabled: send what is unreported, then mask."""
        if not queue.masked and _behind(queue):
            self._fire(queue)
        queue.masked = True
        self._cancel_timer(queue)

    # ---- misc ----

    def raise_misc(self, causes: int) -> None:
        """Set bits of MISC_CAUSE."""
        self._registers.store(regs.MISC_CAUSE, self._registers.value(regs.MISC_CAUSE) | causes)
        self.look_at_misc()

    def rearm_misc(self) -> None:
        """MISC_CAUSE was written."""
        self._misc_armed = True
        self.look_at_misc()

    def look_at_misc(self) -> None:
        """Vector 0 is sent once while armed and an enabled cause stands."""
        standing = self._registers.value(regs.MISC_CAUSE) & self._registers.value(regs.MISC_ENABLE)
        if self._misc_armed and standing:
            self._misc_armed = False
            self._send(0)

    def reset(self) -> None:
        """Soft reset: misc is armed again."""
        self._misc_armed = True


def _behind(queue: Queue) -> int:
    """Completions to report; 0 also when software has seen more in memory than the write responses tell yet."""
    distance = (queue.cpl_produced - queue.reported) & U32
    return distance if distance < 1 << 31 else 0

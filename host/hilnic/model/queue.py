# SPDX-License-Identifier: Apache-2.0
"""A queue: its page, its state machine, its indices and its prefetched descriptors.

CONSUMED        fetched          PRODUCER
   v               v                v
 . d d d d d d d d w w w w w w w w w . .      d: in `cache`, w: posted, not read yet

disabled --enable--> enabled --disable--> disabling --nothing outstanding--> disabled
   \\--bad configuration--> error <--queue error-- enabled,  error --disable--> disabling
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING

from hilnic.hw import regs
from hilnic.hw.clock import Handle
from hilnic.hw.regs import Cause, QueueState, VcState
from hilnic.hw.regs_table import RX_PAGE, TX_PAGE, Access, Register
from hilnic.model.build import Build

if TYPE_CHECKING:
    from hilnic.model.vc import Vc

U32 = 0xFFFF_FFFF


class Direction(IntEnum):
    """Which half of the NIC."""

    TX = 0
    RX = 1


class Queue:
    """One transmit or receive queue."""

    def __init__(self, direction: Direction, number: int, build: Build) -> None:
        self.direction, self.number, self._build = direction, number, build
        self._table: dict[int, Register] = {r.offset: r for r in (RX_PAGE if direction else TX_PAGE)}
        self.on_error: Callable[[Queue], None] = lambda _queue: None
        self.vc: Vc | None = None
        """The VC whose frames it carries, or whose leavings it holds back; None: connectionless."""
        self.reset()

    def __repr__(self) -> str:
        """State and indices."""
        place = f"{self.consumed}..{self.producer} cpl {self.cpl_produced}/{self.cpl_next} busy {self.busy}"
        return f"<{self.direction.name} queue {self.number} {self.state.name} {place}>"

    def reset(self) -> None:
        """After reset: disabled, all registers at their reset values."""
        self._page = {offset: r.reset for offset, r in self._table.items()}
        self.state = QueueState.DISABLED
        self.cause = Cause.NONE
        self.error_index = 0
        self.producer = self.consumed = self.fetched = 0
        self.cache: deque[tuple[int, int]] = deque()  # (the two words of each descriptor)
        self.fetching = self.fetch_failed = False
        self.cpl_next = self.cpl_produced = 0
        self.cpl_failed = False
        self.busy = 0  # frames of this queue between taking and the last completion's response
        self.masked = True
        self.reported = 0  # completion consumer index of the last re-arm
        self.timer: Handle | None = None

    # ---- registers ----

    def __contains__(self, offset: int) -> bool:
        return offset in self._table

    def read(self, offset: int) -> int:
        """Value of a register of the page."""
        live: dict[int, int] = {
            regs.QUEUE_CTRL: int(self.state in {QueueState.ENABLED, QueueState.ERROR}),
            regs.QUEUE_STATUS: self.state | self.cause << regs.QUEUE_STATUS_CAUSE_LSB,
            regs.QUEUE_CONSUMED: self.consumed,
            regs.QUEUE_CPL_PRODUCED: self.cpl_produced,
            regs.QUEUE_ERROR_INDEX: self.error_index,
            regs.QUEUE_PRODUCER: self.producer,
        }
        return live[offset] if offset in live else self._page[offset]

    def configure(self, offset: int, value: int) -> None:
        """Write a configuration register; ignored when it is locked."""
        register = self._table[offset]
        if register.locked and self.state is not QueueState.DISABLED:
            return
        mask = register.mask(Access.RW)
        self._page[offset] = self._page[offset] & ~mask | value & mask

    # ---- configuration ----

    @property
    def size(self) -> int:
        """Descriptors in the ring."""
        return self._page[regs.QUEUE_RING_SIZE]

    @property
    def ring(self) -> int:
        """Bus address of the descriptor ring."""
        return self._page[regs.QUEUE_RING_LO] | self._page[regs.QUEUE_RING_HI] << 32

    @property
    def cpl_size(self) -> int:
        """Completions in their ring."""
        return self._page[regs.QUEUE_CPL_SIZE]

    @property
    def cpl_ring(self) -> int:
        """Bus address of the completion ring."""
        return self._page[regs.QUEUE_CPL_LO] | self._page[regs.QUEUE_CPL_HI] << 32

    @property
    def vector(self) -> int:
        """Interrupt vector."""
        return self._page[regs.QUEUE_VECTOR]

    @property
    def mod_count(self) -> int:
        """Completions until an interrupt."""
        return self._page[regs.QUEUE_MOD_COUNT]

    @property
    def mod_ticks(self) -> int:
        """Clock ticks until an interrupt."""
        return self._page[regs.QUEUE_MOD_TICKS]

    @property
    def buf_size(self) -> int:
        """Bytes of a receive buffer."""
        return self._page[regs.QUEUE_BUF_SIZE]

    def _configuration_is_good(self) -> bool:
        aligned = not (self.ring | self.cpl_ring) % regs.BASE_ALIGNMENT
        sizes = all(2 <= n <= 1 << regs.LARGEST_RING_LOG2 and not n & (n - 1) for n in (self.size, self.cpl_size))
        buffer = not self.direction or regs.SMALLEST_BUFFER <= self.buf_size <= regs.LARGEST_BUFFER
        return aligned and sizes and self.cpl_size >= self.size and self.vector < self._build.num_vectors and buffer

    # ---- states ----

    def enable(self) -> None:
        """CTRL.enable written 1: works in state disabled only."""
        if self.state is not QueueState.DISABLED:
            return
        self.cause, self.error_index = Cause.NONE, 0
        if self.vc is not None and self.vc.state is not VcState.ACTIVE:
            self.vc = None
        if not self._configuration_is_good():
            self.fail(Cause.BAD_CONFIG, 0)
            return
        self.state = QueueState.ENABLED
        self.producer = self.consumed = self.fetched = self._page[regs.QUEUE_INIT_INDEX]
        self.cpl_next = self.cpl_produced = self.reported = self._page[regs.QUEUE_CPL_INIT_INDEX]
        self.fetch_failed = self.cpl_failed = False
        self.masked = True

    def disable(self) -> None:
        """CTRL.enable written 0, or soft reset: no new frame is started."""
        if self.state in {QueueState.ENABLED, QueueState.ERROR}:
            self.state = QueueState.DISABLING

    def finish_disable(self) -> None:
        """Nothing of the queue is outstanding any more."""
        self.state = QueueState.DISABLED
        self.cache.clear()
        self.fetched = self.consumed
        self.masked = True

    def fail(self, cause: Cause, index: int) -> None:
        """A queue error: the first one since enable counts."""
        if self.state is QueueState.ERROR:
            return
        self.cause, self.error_index = cause, index
        if self.state is not QueueState.DISABLING:
            self.state = QueueState.ERROR
        self.on_error(self)

    def ring_doorbell(self, index: int) -> bool:
        """A producer index was written; was it taken?"""
        if self.state is not QueueState.ENABLED:
            return False
        if (index - self.consumed) & U32 > self.size:
            self.fail(Cause.PRODUCER_RANGE, index)
            return False
        self.producer = index
        return True

    @property
    def posted(self) -> int:
        """Descriptors posted and not consumed."""
        return (self.producer - self.consumed) & U32

    def pop(self) -> tuple[int, int]:
        """Consume a prefetched descriptor."""
        words = self.cache.popleft()
        self.consumed = (self.consumed + 1) & U32
        return words

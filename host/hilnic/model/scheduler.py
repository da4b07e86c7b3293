# SPDX-License-Identifier: Apache-2.0
"""Which transmit queue begins the next frame; with more queues a frame costs no more, for only those listed are seen.

offer --> | ring, its head first | --enabled, with a descriptor, its buckets open--> begins a frame
             ^      ^               --no descriptor--> leaves the ring until it is offered again
             |      `--account used up: a quantum more, to the end--'
             `--buckets open-- waits <--buckets closed

Without VCs a turn is one frame. With them it lasts as long as the queue's account is above zero (surplus round robin),
and the ring of guaranteed VCs is served before the other one (docs/nic.md sections 11.4 and 11.5).
"""

from collections import deque
from collections.abc import Callable, Iterable
from heapq import heappop, heappush

from hilnic.hw import regs
from hilnic.hw.clock import Clock
from hilnic.hw.regs import QueueState, VcCounter, VcState
from hilnic.model.bucket import FRACTION_BITS
from hilnic.model.build import Build
from hilnic.model.queue import Queue
from hilnic.model.registers import Registers

MOST_AHEAD_OCTETS = 4096
_NS_FRACTION = 1000 << FRACTION_BITS
_MAC_CLK_PS = 8000


class Scheduler:
    """All transmit queues that have something to send."""

    def __init__(self, clock: Clock, build: Build, registers: Registers) -> None:
        self._clock, self._build, self._registers = clock, build, registers
        self._rings: tuple[deque[Queue], deque[Queue]] = (deque(), deque())
        self._listed: set[Queue] = set()
        self._account: dict[Queue, int] = {}
        self._octet = (_MAC_CLK_PS << FRACTION_BITS) // build.sys_clk_ps
        self._line_free_at = self._begin = 0
        self._waiting: list[tuple[int, int, Queue]] = []  # a heap: when its buckets open, its number, the queue
        self._held = False
        self.on_ready: Callable[[], None] = lambda: None

    def __repr__(self) -> str:
        """The rings, heads first."""
        return f"<Scheduler {[[queue.number for queue in ring] for ring in self._rings]}>"

    @property
    def now(self) -> int:
        """In 1/65536 of a cycle."""
        return self._clock.now_ns() * _NS_FRACTION // self._build.sys_clk_ps

    def _at(self, moment: int, action: Callable[[], None]) -> None:
        """Do something when a moment has come."""
        self._clock.call_at(-(-moment * self._build.sys_clk_ps // _NS_FRACTION), action)

    # ---- rings ----

    def offer(self, queue: Queue) -> None:
        """The queue may have a frame to send."""
        if queue in self._listed:
            return
        self._listed.add(queue)
        if self._build.num_vcs:
            self._account[queue] = min(self._account.get(queue, 0), 0) + self._quantum(queue)
        self._ring(queue).append(queue)

    def _ring(self, queue: Queue) -> deque[Queue]:
        contract = queue.vc.contract if queue.vc is not None else None
        return self._rings[0 if contract is not None and contract.guaranteed else 1]

    def _quantum(self, queue: Queue) -> int:
        if queue.vc is not None and queue.vc.contract is not None:
            return queue.vc.contract.quantum
        return max(self._registers.value(regs.VC_SCHED) & regs.VC_SCHED_QUANTUM, 1)

    def next(self) -> Queue | None:
        """The queue whose turn it is; None when no queue may begin a frame now."""
        if self._build.num_vcs:
            self._begin = max(self.now, self._line_free_at)
            if self._is_far_ahead():
                return None
            self._end_waits(self._begin)
        for ring in self._rings:
            while ring:
                if self._may_begin(ring):
                    return ring[0] if self._build.num_vcs else ring[-1]
        return None

    def _may_begin(self, ring: deque[Queue]) -> bool:
        """Does the ring's head begin a frame? If not, the ring has another head now, or ends."""
        queue = ring[0]
        if ring is not self._ring(queue):  # its VC has another contract
            ring.popleft()
            self._ring(queue).append(queue)
        elif not _has_frame(queue) or self._waits(queue):
            ring.popleft()
            self._listed.remove(queue)
        elif not self._build.num_vcs:
            ring.rotate(-1)
            return True
        elif self._account[queue] > 0:
            return True
        else:
            self._end_turn(ring)
        return False

    def _end_turn(self, ring: deque[Queue]) -> None:
        self._account[ring[0]] += self._quantum(ring[0])
        ring.rotate(-1)

    # ---- tokens ----

    def _is_far_ahead(self) -> bool:
        """No frame begins while the line is busy for long: it would only wait in the frame buffer."""
        ahead = self._begin - self.now - MOST_AHEAD_OCTETS * self._octet
        if ahead >= 0 and not self._held:
            self._held = True
            self._at(self._line_free_at - (MOST_AHEAD_OCTETS - 1) * self._octet, self._go_on)
        return ahead >= 0

    def _go_on(self) -> None:
        self._held = False
        self.on_ready()

    def _waits(self, queue: Queue) -> bool:
        """Is a bucket of its VC closed? Then look again when it opens."""
        vc = queue.vc
        opens = max((bucket.opens for bucket in vc.buckets.values()), default=0) if vc is not None else 0
        if vc is None or opens <= self._begin:
            return False
        vc.counters.add(VcCounter.TX_WAITS)
        heappush(self._waiting, (opens, queue.number, queue))
        self._at(opens, self.on_ready)
        return True

    def _end_waits(self, moment: int) -> None:
        """The queues whose buckets are open by then come back."""
        while self._waiting and self._waiting[0][0] <= moment:
            self.offer(heappop(self._waiting)[2])

    def reconsider(self, queues: Iterable[Queue]) -> None:
        """The contract of these may have changed: they are looked at again, also when they wait."""
        for queue in queues:
            self.offer(queue)
        self.on_ready()

    def charge(self, queue: Queue, octets: int) -> None:
        """The frame that has begun is so long: it uses up account, tokens, and the line."""
        if not self._build.num_vcs:
            return
        gap = max(self._registers.value(regs.MAC_CFG) & regs.MAC_CFG_IFG, 8)
        self._line_free_at = self._begin + (octets + 8 + gap) * self._octet
        self._account[queue] -= octets
        ring = self._ring(queue)
        if self._account[queue] <= 0 and ring and ring[0] is queue:
            self._end_turn(ring)
        for bucket in queue.vc.buckets.values() if queue.vc is not None else ():
            bucket.charge(self._begin, octets)


def _has_frame(queue: Queue) -> bool:
    held = queue.vc is not None and queue.vc.state is not VcState.ACTIVE
    return queue.state is QueueState.ENABLED and bool(queue.cache) and not held

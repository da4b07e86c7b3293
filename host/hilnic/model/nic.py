# SPDX-License-Identifier: Apache-2.0
"""The twin: wires the parts together behind the Device port and decodes the address map.

Posted writes arrive after the timing model's latency, in order; a read samples after them. `wire` is the other end. The
controls at the bottom are what a test bench does to a card: cable, clocks, bus errors, surprise removal.
"""

from collections.abc import Callable

from hilnic.hw import regs
from hilnic.hw.clock import Clock
from hilnic.hw.device import BusError
from hilnic.hw.memory import HostMemory
from hilnic.hw.regs import QueueState, RxCounter, TxCounter
from hilnic.hw.timing import TimingModel
from hilnic.model.build import Build
from hilnic.model.completer import Completer
from hilnic.model.dma import Dma
from hilnic.model.fetch import Fetch
from hilnic.model.interrupts import Interrupts
from hilnic.model.mac import Mac
from hilnic.model.queue import Direction, Queue
from hilnic.model.registers import Registers
from hilnic.model.rx import Rx
from hilnic.model.statistics import Counters
from hilnic.model.tx import Tx
from hilnic.model.vc import Vc, VcTable

ALL_ONES = 0xFFFF_FFFF
CLOCK_TIMEOUT_CYCLES = 64
_DOORBELLS = (
    (regs.TX_DOORBELL, Direction.TX, False),
    (regs.RX_DOORBELL, Direction.RX, False),
    (regs.TX_REARM, Direction.TX, True),
    (regs.RX_REARM, Direction.RX, True),
)


class ModelNic:
    """A Device in Python."""

    def __init__(
        self,
        clock: Clock,
        memory: HostMemory,
        timing: TimingModel | None = None,
        build: Build | None = None,
        *,
        name: str = "nic",
        link_up: bool = True,
    ) -> None:
        self.memory, self.issue_time, self.name = memory, clock.now_ns, name
        self._clock, self.timing, self.build = clock, timing or TimingModel(), build or Build()
        self._registers = Registers(self.build)
        tx = [Queue(Direction.TX, number, self.build) for number in range(self.build.num_tx_queues)]
        rx = [Queue(Direction.RX, number, self.build) for number in range(self.build.num_rx_queues)]
        self.queues = {Direction.TX: tx, Direction.RX: rx}
        self._dma = Dma(clock, memory, self.timing, self.build)
        self._interrupts = Interrupts(clock, self.timing, self.build, self._registers)
        completer, fetch = Completer(self._dma, self._interrupts), Fetch(self._dma, self.build)
        self.wire = Mac(clock, self._registers, name)
        self.vcs = VcTable(clock, self.build, tx, rx)
        self._tx = Tx(clock, self._registers, tx, self._dma, fetch, completer, self.wire, self.build, self.vcs)
        self._rx = Rx(self._registers, rx, self._dma, fetch, completer, self.build, self.vcs)
        self._fetch = fetch
        self._last_arrival = 0
        self._removed = False
        self._clock_alive = {"tx": True, "rx": True}
        self._link_up = False
        self._connect()
        self.set_link(link_up)

    def __repr__(self) -> str:
        """Where everything stands."""
        queues = [queue for side in self.queues.values() for queue in side if queue.state]
        return f"<ModelNic {self.name} {self._tx!r} {self._rx!r} {self._dma!r} {queues}>"

    def _connect(self) -> None:
        """Who tells whom."""
        self._fetch.on_fetched = self._fetched
        self._fetch.taking = lambda queue: (self._rx if queue.direction else self._tx).is_taking(queue)
        self._tx.on_done = self._rx.on_done = self._look_at
        self._tx.loop, self._tx.loop_has_room = self._rx.loop, lambda: self._rx.has_room
        self._rx.on_room = self._tx.pump
        self.vcs.on_off = lambda: self._interrupts.raise_misc(regs.MISC_CAUSE_VC_OFF)
        self.vcs.on_change = self._vcs_changed
        self.wire.on_carrier = self._rx.receive
        self._dma.on_idle = self._look_at_reset
        self._dma.on_write_slot = self._rx.kick
        for side in self.queues.values():
            for queue in side:
                queue.on_error = self._queue_failed

    # ---- the Device port ----

    def write32(self, offset: int, value: int) -> None:
        """Post a write."""
        arrival = max(self.issue_time() + self.timing.posted_write_ns, self._last_arrival)
        self._last_arrival = arrival
        self._clock.call_at(arrival, lambda: self._write(offset & ~3, value & ALL_ONES))

    async def read32(self, offset: int) -> int:
        """Read a register after all posted writes."""
        half = self.timing.register_read_ns // 2
        sampled_at = max(self._clock.now_ns() + half, self.issue_time() + half, self._last_arrival)
        self._last_arrival = sampled_at
        answered = self._clock.create_event()
        sampled: list[int | None] = []

        def sample() -> None:
            sampled.append(self._read(offset & ~3))
            self._clock.call_at(self._clock.now_ns() + self.timing.register_read_ns - half, answered.set)

        self._clock.call_at(sampled_at, sample)
        await answered.wait()
        if sampled[0] is None:
            raise BusError(offset)
        return sampled[0]

    def connect_interrupt(self, vector: int, handler: Callable[[], None] | None) -> None:
        """Who gets the messages of a vector."""
        self._interrupts.connect(vector, handler)

    # ---- decoding ----

    def _read(self, offset: int) -> int | None:
        """Value of a register; None where nothing is mapped."""
        if self._removed:
            return ALL_ONES
        if offset == regs.STATUS:
            return self._status()
        if offset in self._registers:
            return self._registers.value(offset)
        counter = self._counter(offset)
        if counter is not None:
            counters, index, high = counter
            return counters.read_word(index, high)
        page = self._page(offset)
        if page is not None:
            return page[0].read(page[1])
        vc = self._vc(offset)
        if vc is not None:
            return vc[0].read(vc[1])
        return 0 if self._bell(offset) is not None else None

    def _write(self, offset: int, value: int) -> None:
        if self._removed:
            return
        counter, page, bell = self._counter(offset), self._page(offset), self._bell(offset)
        if offset in self._registers:
            self._write_global(offset, value)
        elif counter is not None:
            counters, index, high = counter
            counters.preset_word(index, high, value)
        elif page is not None:
            self._write_page(*page, value)
        elif (vc := self._vc(offset)) is not None:
            self._write_vc(*vc, value)
        elif bell is not None:
            self._ring(*bell, value)

    def _counter(self, offset: int) -> tuple[Counters, int, bool] | None:
        for base, counters, count in (
            (regs.TX_COUNTERS, self._tx.counters, len(TxCounter)),
            (regs.RX_COUNTERS, self._rx.counters, len(RxCounter)),
        ):
            index, word = divmod(offset - base, regs.COUNTER_STRIDE)
            if 0 <= index < count:
                return counters, index, bool(word)
        return None

    def _page(self, offset: int) -> tuple[Queue, int] | None:
        for base, side in ((regs.TX_PAGES, Direction.TX), (regs.RX_PAGES, Direction.RX)):
            number, register = divmod(offset - base, regs.PAGE_BYTES)
            if 0 <= number < len(self.queues[side]) and register in self.queues[side][number]:
                return self.queues[side][number], register
        return None

    def _vc(self, offset: int) -> tuple[Vc, int] | None:
        number, register = divmod(offset - regs.VC_PAGES, regs.VC_PAGE_BYTES)
        if 0 <= number < self.build.num_vcs and register in self.vcs.entries[number]:
            return self.vcs.entries[number], register
        return None

    def _bell(self, offset: int) -> tuple[Queue, bool] | None:
        for base, side, rearm in _DOORBELLS:
            number = (offset - base) // regs.DOORBELL_STRIDE
            if 0 <= number < len(self.queues[side]):
                return self.queues[side][number], rearm
        return None

    def _status(self) -> int:
        value = regs.STATUS_LINK_UP if self._link_up else 0
        value |= regs.STATUS_RESET_BUSY if self._rx.resetting else 0
        value |= regs.STATUS_DMA_IDLE if self._dma.idle else 0
        value |= regs.STATUS_TX_CLK_ALIVE if self._clock_alive["tx"] else 0
        return value | (regs.STATUS_RX_CLK_ALIVE if self._clock_alive["rx"] else 0)

    # ---- what writes cause ----

    def _write_global(self, offset: int, value: int) -> None:
        self._registers.write(offset, value)
        if offset == regs.CTRL:
            if value & regs.CTRL_SOFT_RESET or self._rx.resetting:
                self._begin_reset()
            self._tx.pump()
            self._tx.kick()
        elif offset == regs.STATS_CTRL and value & regs.STATS_CTRL_CLEAR:
            self._tx.counters.clear()
            self._rx.counters.clear()
            self._registers.store(regs.STATS_CTRL, 0)
        elif offset == regs.MISC_CAUSE:
            self._interrupts.rearm_misc()
        elif offset == regs.MISC_ENABLE:
            self._interrupts.look_at_misc()

    def _write_page(self, queue: Queue, offset: int, value: int) -> None:
        if offset != regs.QUEUE_CTRL:
            queue.configure(offset, value)
        elif value & regs.QUEUE_CTRL_ENABLE:
            if not self._rx.resetting:
                queue.enable()
        else:
            self._disable(queue)

    def _write_vc(self, vc: Vc, offset: int, value: int) -> None:
        if offset != regs.VC_CTRL:
            vc.write(offset, value)
        elif not self._rx.resetting:
            self.vcs.control(vc, bool(value & regs.VC_CTRL_ENABLE))

    def _vcs_changed(self, tx_queues: list[Queue]) -> None:
        self._rx.kick()
        self._tx.reconsider(tx_queues)
        self._look_at_reset()

    def _disable(self, queue: Queue) -> None:
        queue.disable()
        self._rx.kick()
        self._tx.kick()
        self._tx.pump()
        self._look_at(queue)

    def _ring(self, queue: Queue, rearm: bool, value: int) -> None:
        if rearm and queue.state is QueueState.ENABLED:
            self._interrupts.rearm(queue, value)
        elif not rearm and queue.ring_doorbell(value):
            self._fetch.kick(queue)
            self._rx.kick()

    def _fetched(self, queue: Queue) -> None:
        if queue.direction is Direction.RX:
            self._rx.kick()
        else:
            self._tx.fetched(queue)
        self._look_at(queue)

    def _queue_failed(self, queue: Queue) -> None:
        rx = queue.direction is Direction.RX
        self._interrupts.raise_misc(regs.MISC_CAUSE_RX_QUEUE_ERROR if rx else regs.MISC_CAUSE_TX_QUEUE_ERROR)
        self._rx.kick()
        self._tx.kick()

    def _look_at(self, queue: Queue) -> None:
        """Is a queue that is being disabled idle now?"""
        if queue.state is QueueState.DISABLING and not queue.busy and not queue.fetching:
            self._interrupts.flush(queue)
            queue.finish_disable()
        self._look_at_reset()

    # ---- soft reset ----

    def _begin_reset(self) -> None:
        self._registers.store(regs.CTRL, regs.CTRL_SOFT_RESET)
        self._rx.resetting = True
        for side in self.queues.values():
            for queue in side:
                self._disable(queue)
        self.vcs.deactivate_all()
        self._rx.kick()
        self._look_at_reset()

    def _look_at_reset(self) -> None:
        """Soft reset ends when nothing is under way any more."""
        if not self._rx.resetting:
            return
        queues = [queue for side in self.queues.values() for queue in side]
        stopped = all(queue.state is QueueState.DISABLED for queue in queues)
        if not (stopped and self.vcs.idle and self._rx.idle and self._tx.idle and self._dma.idle):
            return
        self._rx.resetting = False
        self._registers.reset()
        self._interrupts.reset()
        self.vcs.reset()
        for queue in queues:
            queue.reset()

    # ---- what a bench does to a card ----

    def set_link(self, up: bool) -> None:
        """The PHY reports a link, or none; frames are not affected."""
        if up is not self._link_up:
            self._link_up = up
            self._interrupts.raise_misc(regs.MISC_CAUSE_LINK_CHANGE)

    def stop_clock(self, way: str) -> None:
        """The PHY's "tx" or "rx" clock stops."""
        self.wire.stop_clock(way)
        due = self._clock.now_ns() + self.build.cycles_ns(CLOCK_TIMEOUT_CYCLES)
        self._clock_alive[way] = False
        if way == "tx":
            self._clock.call_at(due, lambda: self._tx.set_clock_stopped(not self._clock_alive["tx"]))

    def start_clock(self, way: str) -> None:
        """It runs again."""
        self._clock_alive[way] = True
        self._tx.set_clock_stopped(not self._clock_alive["tx"])
        self.wire.start_clock(way)

    def inject_bus_error(self, channel: str, number: int) -> None:
        """Answer the `number`-th DMA burst from now on, on "ar" or "aw", with SLVERR."""
        self._dma.inject_error(channel, number)

    def remove(self) -> None:
        """Surprise removal: reads give all ones, everything else stops."""
        self._removed = True
        self._dma.stop()
        self._interrupts.stop()
        self.wire.stop()

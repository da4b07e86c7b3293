# SPDX-License-Identifier: Apache-2.0
"""Virtual connections: pages, activation, which frames are whose, drain and acknowledgement (docs/nic.md section 11).

off --CTRL = 1, page is good--> active --CTRL = 0--> draining --no frame of it left in the NIC--> off
                                  CTRL = 1, page is good: another contract from the next frame on
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hilnic.hw import regs
from hilnic.hw.clock import Clock
from hilnic.hw.regs import Cause, QueueState, VcCounter, VcState
from hilnic.hw.regs_table import VC_PAGE, Access, Register
from hilnic.model.bucket import Bucket
from hilnic.model.build import Build
from hilnic.model.queue import Queue
from hilnic.model.statistics import Counters

_TABLE: dict[int, Register] = {r.offset: r for r in VC_PAGE}
HIGHEST_VID = 4094
TAG_OCTETS = 4
ADDRESS_OCTETS = 12
TPID = b"\x81\x00"
DRAIN_PATIENCE_CYCLES = 4096


@dataclass(frozen=True, slots=True)
class Contract:
    """What a page says; a queue is None when the direction is not used, an interval 0 when there is no limit."""

    tci: int
    tx_queue: int | None
    rx_queue: int | None
    max_frame: int
    interval: int
    burst: int
    peak_interval: int
    peak_burst: int
    quantum: int
    guaranteed: bool

    @property
    def vid(self) -> int:
        """VLAN id."""
        return self.tci & regs.VC_VLAN_VID

    @property
    def tag(self) -> bytes:
        """The four octets after the source address of what is sent."""
        return TPID + self.tci.to_bytes(2, "big")

    @property
    def identity(self) -> tuple[int, int | None, int | None]:
        """What no change of the contract changes."""
        return self.vid, self.tx_queue, self.rx_queue

    def buckets(self, now: int, running: dict[str, Bucket]) -> dict[str, Bucket]:
        """The buckets of the intervals that limit, filled like those that run already."""
        limits = {"rate": (self.interval, self.burst), "peak": (self.peak_interval, self.peak_burst)}
        return {
            name: Bucket(interval, burst, self.max_frame, now, running.get(name))
            for name, (interval, burst) in limits.items()
            if interval
        }

    @property
    def is_good(self) -> bool:
        """Is nothing in it impossible?"""
        deep = not self.interval or self.burst >= self.max_frame
        peak_deep = not self.peak_interval or self.peak_burst >= self.max_frame
        return 1 <= self.vid <= HIGHEST_VID and self.max_frame >= regs.SMALLEST_VC_FRAME and deep and peak_deep


class Vc:
    """One entry of the table."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.counters = Counters(len(VcCounter))
        self.reset()

    def __repr__(self) -> str:
        """State, and what is under way."""
        return f"<Vc {self.number} {self.state.name} {self.contract} under way {self.under_way}>"

    def reset(self) -> None:
        """After reset: off, all registers at their reset values."""
        self.page = {offset: register.reset for offset, register in _TABLE.items()}
        self.state, self.cause = VcState.OFF, Cause.NONE
        self.contract: Contract | None = None
        self.buckets: dict[str, Bucket] = {}
        self.under_way = 0  # frames of it in the NIC, both ways
        self.overdue_at = 0  # in ns: when a drain has lasted too long

    def __contains__(self, offset: int) -> bool:
        return offset in self.page or 0 <= offset - regs.VC_COUNTERS < regs.COUNTER_STRIDE * len(VcCounter)

    def read(self, offset: int) -> int:
        """Value of a register of the page."""
        if offset >= regs.VC_COUNTERS:
            index, word = divmod(offset - regs.VC_COUNTERS, regs.COUNTER_STRIDE)
            return self.counters.read_word(index, bool(word))
        if offset == regs.VC_CTRL:
            return int(self.state is VcState.ACTIVE)
        if offset == regs.VC_STATUS:
            return self.state | self.cause << regs.VC_STATUS_CAUSE_LSB
        return self.page[offset]

    def write(self, offset: int, value: int) -> None:
        """Write a register of the page other than CTRL; nothing follows until CTRL is written."""
        if offset not in self.page:
            return  # a counter
        mask = _TABLE[offset].mask(Access.RW)
        self.page[offset] = self.page[offset] & ~mask | value & mask

    def written(self) -> Contract:
        """The contract that the page says."""
        page = self.page
        return Contract(
            tci=page[regs.VC_VLAN],
            tx_queue=_queue(page[regs.VC_TX_QUEUE]),
            rx_queue=_queue(page[regs.VC_RX_QUEUE]),
            max_frame=page[regs.VC_MAX_FRAME],
            interval=page[regs.VC_INTERVAL],
            burst=page[regs.VC_BURST],
            peak_interval=page[regs.VC_PEAK_INTERVAL],
            peak_burst=page[regs.VC_PEAK_BURST],
            quantum=max(page[regs.VC_SHARE] & regs.VC_SHARE_QUANTUM, 1),
            guaranteed=bool(page[regs.VC_SHARE] & regs.VC_SHARE_GUARANTEED),
        )


def _queue(word: int) -> int | None:
    """TX_QUEUE and RX_QUEUE: a number, or that the direction is not used."""
    return word & regs.VC_TX_QUEUE_QUEUE if word & regs.VC_TX_QUEUE_ENABLE else None


class VcTable:
    """All entries; empty in a build without."""

    def __init__(self, clock: Clock, build: Build, tx: Sequence[Queue], rx: Sequence[Queue]) -> None:
        self._clock, self._build, self._tx, self._rx = clock, build, tx, rx
        self.now: Callable[[], int] = lambda: 0
        """The time of buckets."""
        self.entries = [Vc(number) for number in range(build.num_vcs)]
        self._of_vid: dict[int, Vc] = {}
        self._draining: set[Vc] = set()
        self.on_off: Callable[[], None] = lambda: None
        self.on_change: Callable[[list[Queue]], None] = lambda _queues: None

    def __repr__(self) -> str:
        """Those that are not off."""
        return f"<VcTable {[vc for vc in self.entries if vc.state]}>"

    # ---- CTRL ----

    def control(self, vc: Vc, enable: bool) -> None:
        """CTRL was written."""
        if enable and vc.state is VcState.OFF:
            self._activate(vc, vc.written())
        elif enable and vc.state is VcState.ACTIVE:
            self._change(vc, vc.written())
        elif not enable:
            self._deactivate(vc)
        number = vc.contract.tx_queue if vc.contract is not None else None
        self.on_change([self._tx[number]] if number is not None else [])

    def _activate(self, vc: Vc, wanted: Contract) -> None:
        vc.cause = self._refusal(wanted)
        if vc.cause:
            return
        vc.state, vc.contract = VcState.ACTIVE, wanted
        vc.counters.clear()
        vc.buckets = wanted.buckets(self.now(), {})
        self._of_vid[wanted.vid] = vc
        for queue in self._queues(wanted):
            queue.vc = vc

    def _refusal(self, wanted: Contract) -> Cause:
        """Why the VC cannot be activated: the first reason of docs/nic.md section 11.2."""
        sides = ((self._tx, wanted.tx_queue), (self._rx, wanted.rx_queue))
        if not wanted.is_good or any(number is not None and number >= len(side) for side, number in sides):
            return Cause.BAD_CONFIG
        queues = self._queues(wanted)
        if any(queue.state is not QueueState.ENABLED or (queue.vc and queue.vc.state) for queue in queues):
            return Cause.QUEUE_TAKEN
        return Cause.VID_TAKEN if wanted.vid in self._of_vid else Cause.NONE

    def _queues(self, contract: Contract) -> list[Queue]:
        """Of the directions that are used."""
        sides = ((self._tx, contract.tx_queue), (self._rx, contract.rx_queue))
        return [side[number] for side, number in sides if number is not None]

    def _change(self, vc: Vc, wanted: Contract) -> None:
        """Another contract for an active VC, from the next frame on; who it is stays."""
        assert vc.contract is not None
        vc.cause = Cause.NONE if wanted.is_good and wanted.identity == vc.contract.identity else Cause.BAD_CONFIG
        if not vc.cause:
            vc.buckets = wanted.buckets(self.now(), vc.buckets)
            vc.contract = wanted

    def _deactivate(self, vc: Vc) -> None:
        if vc.state is not VcState.ACTIVE:
            return
        assert vc.contract is not None
        vc.state = VcState.DRAINING
        vc.overdue_at = self._clock.now_ns() + self._build.cycles_ns(DRAIN_PATIENCE_CYCLES)
        self._clock.call_at(vc.overdue_at, lambda: self.on_change([]))
        self._draining.add(vc)
        del self._of_vid[vc.contract.vid]
        self._look_at(vc)

    def _look_at(self, vc: Vc) -> None:
        """Is a draining VC off now? Its queues stay bound to it, so that nothing left in them is sent."""
        if vc.state is VcState.DRAINING and not vc.under_way:
            vc.state = VcState.OFF
            self._draining.remove(vc)
            self.on_off()
            self.on_change([])

    @property
    def is_overdue(self) -> bool:
        """Has a VC been draining for so long that what it waits for is dropped?"""
        now = self._clock.now_ns()
        return any(vc.overdue_at <= now for vc in self._draining)

    def deactivate_all(self) -> None:
        """Soft reset begins."""
        for vc in self.entries:
            self._deactivate(vc)

    def reset(self) -> None:
        """Soft reset ends."""
        for vc in self.entries:
            vc.reset()

    @property
    def idle(self) -> bool:
        """Is every entry off?"""
        return all(vc.state is VcState.OFF for vc in self.entries)

    # ---- frames ----

    def of_frame(self, data: bytes) -> Vc | None:
        """The VC that a received frame belongs to."""
        if not self._of_vid or data[12:14] != TPID:
            return None
        vc = self._of_vid.get(int.from_bytes(data[14:16], "big") & regs.VC_VLAN_VID)
        return vc if vc is not None and vc.contract is not None and vc.contract.rx_queue is not None else None

    def enter(self, vc: Vc | None) -> None:
        """A frame of the VC is in the NIC."""
        if vc is not None:
            vc.under_way += 1

    def leave(self, vc: Vc | None) -> None:
        """It is not any more."""
        if vc is not None:
            vc.under_way -= 1
            self._look_at(vc)

# SPDX-License-Identifier: Apache-2.0
"""What the driver's tests share: a minimal Device with knobs, and a bench of stack and raw protocol on it.

`FakeNic` has rings, doorbells, re-arm and counters by docs/nic.md. It is not the twin: one queue each way, no filter,
no moderation timer, frames go out at once. What it adds is control: `hold_tx` keeps frames unfinished, `fail_read`
answers reads with BusError, `gone` is a NIC that was pulled out.
"""

import struct
from collections import Counter, deque

import pytest

from hilnic.hw import regs
from hilnic.hw.clock import VirtualClock
from hilnic.hw.descriptors import COMPLETION_BYTES, Completion, RxDescriptor, TxDescriptor, phase_of
from hilnic.hw.device import BusError
from hilnic.hw.memory import HostMemory
from hilnic.hw.regs import Cause, CompletionStatus, QueueState
from hilnic.miniport.config import NicConfig
from hilnic.protocols.raw import RawProtocol
from hilnic.stack import Stack

U32 = 0xFFFFFFFF
OWN_ADDRESS = NicConfig().mac_address
PAGES = {"tx": regs.tx_page(0), "rx": regs.rx_page(0)}
DOORBELLS = {regs.tx_doorbell(0): "tx", regs.rx_doorbell(0): "rx"}
REARMS = {regs.tx_rearm(0): "tx", regs.rx_rearm(0): "rx"}


class FakeQueue:
    """State of one queue."""

    def __init__(self, kind):
        self.kind, self.state, self.cause = kind, QueueState.DISABLED, 0
        self.config = {}
        self.producer = self.consumer = self.completed = self.armed_at = 0
        self.armed = False

    def get(self, register):
        return self.config.get(register, 0)

    def start(self):
        self.state = QueueState.ENABLED
        self.producer = self.consumer = self.get(regs.QUEUE_INIT_INDEX)
        self.completed = self.get(regs.QUEUE_CPL_INIT_INDEX)
        self.armed = False


class FakeNic:
    def __init__(self, clock, memory=None, *, write_ns=250, read_ns=1000, frame_ns=0):
        self.clock, self.memory = clock, memory or HostMemory(8 << 20)
        self.issue_time = clock.now_ns
        self.write_ns, self.read_ns, self.frame_ns = write_ns, read_ns, frame_ns
        self.registers = {regs.CTRL: 0, regs.STATUS: regs.STATUS_LINK_UP}
        self.queues = {kind: FakeQueue(kind) for kind in ("tx", "rx")}
        self.counters = {"tx": Counter(), "rx": Counter()}
        self.handlers = {}
        self.sent = []
        self.on_send = lambda frame: None
        self.waiting_rx = deque()
        self.hold_tx = False
        self.tx_error = None
        self.gone = False
        self.reset_hangs = False
        self.misc_armed = False
        self.fail_read = lambda offset: False
        self.writes, self.reads = [], []
        self.descriptors_per_frame = []

    # --- Device port

    def connect_interrupt(self, vector, handler):
        self.handlers[vector] = handler

    def write32(self, offset, value):
        if not self.gone:
            self.writes.append((offset, value))
            self.clock.call_at(self.issue_time() + self.write_ns, lambda: self._write(offset, value))

    async def read32(self, offset):
        self.reads.append(offset)
        issued = self.issue_time()
        done = self.clock.create_event()
        answer = []
        self.clock.call_at(issued + self.write_ns, lambda: answer.append(U32 if self.gone else self._read(offset)))
        self.clock.call_at(issued + self.read_ns, done.set)
        await done.wait()
        if self.fail_read(offset):
            raise BusError(offset)
        return answer[0]

    # --- registers

    def _page(self, offset):
        for kind, base in PAGES.items():
            if base <= offset < base + regs.PAGE_BYTES:
                return self.queues[kind], offset - base
        return None, offset

    def _read(self, offset):
        fixed = {regs.ID: regs.ID_VALUE, regs.VERSION: 0x10000, regs.CAPS0: 4 | 4 << 8 | 8 << 16 | 15 << 24}
        if offset in fixed:
            return fixed[offset]
        for kind, base in (("tx", regs.TX_COUNTERS), ("rx", regs.RX_COUNTERS)):
            if base <= offset < base + 0x200:
                value = self.counters[kind][(offset - base) // 8]
                return value >> 32 if offset & 4 else value & U32
        queue, register = self._page(offset)
        if queue is not None:
            return int(queue.state) | queue.cause << 8 if register == regs.QUEUE_STATUS else queue.get(register)
        return self.registers.get(offset, 0)

    def _write(self, offset, value):
        if self.gone:
            return
        queue, register = self._page(offset)
        if offset in DOORBELLS:
            self._doorbell(self.queues[DOORBELLS[offset]], value)
        elif offset in REARMS:
            self._rearm(self.queues[REARMS[offset]], value)
        elif queue is not None and register == regs.QUEUE_CTRL:
            queue.start() if value else self._stop(queue)
        elif queue is not None:
            queue.config[register] = value
        elif offset == regs.CTRL and value & regs.CTRL_SOFT_RESET:
            self._soft_reset()
        elif offset == regs.MISC_CAUSE:
            self.registers[offset] = self.registers.get(offset, 0) & ~value
            self.misc_armed = True
            self._misc()
        else:
            self.registers[offset] = value
            self._run_tx()
            self._run_rx()

    def _soft_reset(self):
        for queue in self.queues.values():
            self._stop(queue)
        link = self.registers[regs.STATUS]
        self.registers = {regs.CTRL: regs.CTRL_SOFT_RESET if self.reset_hangs else 0, regs.STATUS: link}
        self.waiting_rx.clear()

    def _stop(self, queue):
        queue.state, queue.armed = QueueState.DISABLED, False

    # --- rings

    def _doorbell(self, queue, value):
        if queue.state != QueueState.ENABLED:
            return
        assert (value - queue.consumer) & U32 <= queue.get(regs.QUEUE_RING_SIZE), "producer beyond the ring"
        queue.producer = value
        self._run_tx()
        self._run_rx()

    def _descriptor(self, queue, layout):
        base = queue.get(regs.QUEUE_RING_LO) | queue.get(regs.QUEUE_RING_HI) << 32
        address = base + queue.consumer % queue.get(regs.QUEUE_RING_SIZE) * 16
        queue.consumer = (queue.consumer + 1) & U32
        return layout.unpack(self.memory.dma_read(address, 16, f"{queue.kind}_descriptors"))

    def _complete(self, queue, **fields):
        base = queue.get(regs.QUEUE_CPL_LO) | queue.get(regs.QUEUE_CPL_HI) << 32
        size = queue.get(regs.QUEUE_CPL_SIZE)
        entry = Completion(queue.consumer, phase=bool(phase_of(queue.completed, size)), **fields)
        self.memory.dma_write(base + queue.completed % size * COMPLETION_BYTES, entry.pack(), "completions")
        queue.completed = (queue.completed + 1) & U32
        self._interrupt(queue)

    def _interrupt(self, queue):
        if queue.armed and queue.completed != queue.armed_at:
            queue.armed = False
            self._fire(queue.get(regs.QUEUE_VECTOR))

    def _rearm(self, queue, value):
        if queue.state == QueueState.ENABLED:
            queue.armed, queue.armed_at = True, value
            self._interrupt(queue)

    def _fire(self, vector):
        self.clock.call_at(self.clock.now_ns() + 500, lambda: self._message(vector))

    def _message(self, vector):
        handler = self.handlers.get(vector)
        if handler is not None and not self.gone:
            handler()

    def _misc(self):
        if self.misc_armed and self.registers.get(regs.MISC_CAUSE, 0) & self.registers.get(regs.MISC_ENABLE, 0):
            self.misc_armed = False
            self._fire(0)

    # --- frames

    def _run_tx(self):
        queue = self.queues["tx"]
        enabled = self.registers.get(regs.CTRL, 0) & regs.CTRL_TX_ENABLE
        while enabled and not self.hold_tx and queue.state == QueueState.ENABLED and queue.consumer != queue.producer:
            self._send_one(queue)

    def _send_one(self, queue):
        frame, count, more = b"", 0, True
        while more:
            assert queue.consumer != queue.producer, "half a frame was published (RG-08)"
            piece = self._descriptor(queue, TxDescriptor)
            assert piece.sop == (count == 0)
            frame += self.memory.dma_read(piece.address, piece.length, "tx_data")
            count, more = count + 1, not piece.eop
        self.descriptors_per_frame.append(count)
        if self.tx_error is not None:
            self._complete(queue, status=CompletionStatus.ERROR, cause=self.tx_error)
            return
        self.sent.append(frame)
        self.counters["tx"][regs.TxCounter.FRAMES] += 1
        self.counters["tx"][regs.TxCounter.UNICAST_FRAMES] += 1
        self.counters["tx"][regs.TxCounter.UNICAST_OCTETS] += len(frame)
        self._complete(queue, length=len(frame), status=CompletionStatus.OK, frame_length=len(frame))
        self.on_send(frame)

    def resume(self):
        self.hold_tx = False
        self._run_tx()

    def inject(self, *frames, error=None):
        """Frames arrive from the wire."""
        self.waiting_rx.extend((frame, error) for frame in frames)
        self._run_rx()

    def _run_rx(self):
        queue = self.queues["rx"]
        while self.waiting_rx and queue.state == QueueState.ENABLED and not self.gone:
            frame, error = self.waiting_rx[0]
            size = queue.get(regs.QUEUE_BUF_SIZE)
            needed = -(-len(frame) // size)
            if (queue.producer - queue.consumer) & U32 < needed:
                return
            self.waiting_rx.popleft()
            self._receive_one(queue, frame, size, error)

    def _receive_one(self, queue, frame, size, error):
        pieces = [frame[at : at + size] for at in range(0, len(frame), size)]
        self.counters["rx"][regs.RxCounter.UNICAST_FRAMES] += 1
        self.counters["rx"][regs.RxCounter.UNICAST_OCTETS] += len(frame)
        for number, piece in enumerate(pieces):
            address = self._descriptor(queue, RxDescriptor).address
            self.memory.dma_write(address, piece, "rx_data")
            status = CompletionStatus.ERROR if error else CompletionStatus.OK
            status |= CompletionStatus.SOP if number == 0 else 0
            status |= CompletionStatus.EOP if number == len(pieces) - 1 else 0
            self._complete(queue, length=len(piece), status=status, cause=error or 0, frame_length=len(frame))

    def set_link(self, up):
        self.registers[regs.STATUS] = regs.STATUS_LINK_UP if up else 0
        self.raise_misc(regs.MISC_CAUSE_LINK_CHANGE)

    def raise_misc(self, cause):
        self.registers[regs.MISC_CAUSE] = self.registers.get(regs.MISC_CAUSE, 0) | cause
        self._misc()

    def fail_queue(self, kind, cause=Cause.FETCH_ERROR):
        self.queues[kind].state, self.queues[kind].cause = QueueState.ERROR, cause
        self.raise_misc(regs.MISC_CAUSE_TX_QUEUE_ERROR if kind == "tx" else regs.MISC_CAUSE_RX_QUEUE_ERROR)


class Bench:
    """A started stack on a FakeNic, with one raw binding."""

    def __init__(
        self, *, weak=False, verify="full", profile=None, on_receive=None, on_completed=None, nic=None, **config
    ):
        self.clock = VirtualClock()
        self.nic = FakeNic(self.clock, HostMemory(8 << 20, weak=weak))
        self.raw = RawProtocol(on_receive=on_receive, on_completed=on_completed)
        self.config = NicConfig(**{"tx_ring": 16, "rx_ring": 16, "rx_buffers": 32, "rx_low_water": 0, **config})
        self.stack = Stack(
            self.nic, self.clock, protocols=[self.raw], config=self.config, verify=verify, profile=profile
        )
        self.expect_empty = True

    def start(self):
        self.clock.run(self.stack.start())
        return self

    @property
    def binding(self):
        return self.raw.bindings["nic0"]

    @property
    def miniport(self):
        return self.stack.nic

    def run(self, nanoseconds=50_000):
        self.clock.run_until(self.clock.now_ns() + nanoseconds)

    def wait(self, coroutine):
        return self.clock.run(coroutine)

    def idle(self):
        self.wait(self.binding.wait_until_idle())

    def doorbells(self, offset):
        return [value for register, value in self.nic.writes if register == offset]

    def stop(self):
        """Halt; then nothing is mapped, nothing allocated (ST-19, IT-08)."""
        self.wait(self.stack.stop())
        assert self.nic.memory.live_mappings() == []
        assert self.nic.memory.leaks() == []


@pytest.fixture
def make_bench():
    """Builds benches; each is stopped after the test and must leave nothing behind."""
    benches = []

    def make(**settings):
        bench = Bench(**settings)
        benches.append(bench)
        return bench.start()

    yield make
    for bench in benches:
        if bench.expect_empty:
            bench.stop()


@pytest.fixture
def bench(make_bench):
    return make_bench()


@pytest.fixture(scope="session")
def new_bench():
    """The class itself, for tests that begin before the start or make many."""
    return Bench


@pytest.fixture(scope="session")
def fake_nic():
    """The class itself."""
    return FakeNic


@pytest.fixture(scope="session")
def frame():
    """frame(number, length): a frame to the bench's NIC that names its number."""

    def make(number=0, length=60, destination=OWN_ADDRESS, source=b"\x02\0\0\0\0\x99"):
        body = struct.pack(">I", number) + bytes((number + i) & 0xFF for i in range(max(0, length - 18)))
        return (destination + source + b"\x88\xb5" + body)[:length]

    return make

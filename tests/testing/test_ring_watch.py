# SPDX-License-Identifier: Apache-2.0
"""Claims about V13 on nic_1g: the watch is silent over a right driver, and names what one does wrong to its rings."""

import pytest

from hilnic.hw import regs
from hilnic.hw.descriptors import Completion, RxDescriptor, TxDescriptor, phase_of
from hilnic.hw.memory import Direction, HostMemory
from hilnic.testing import NdisBench, expect_violation
from hilnic.testing.ring_watch import RingWatch

SIZE, VECTOR = 4, 1


class Card:
    """A Device that does nothing."""

    def __init__(self):
        self.memory = HostMemory(1 << 20)
        self.handlers = {}

    def write32(self, offset, value):
        pass

    async def read32(self, offset):
        return int(regs.QueueState.ENABLED)

    def connect_interrupt(self, vector, handler):
        self.handlers[vector] = handler


class Driver:
    """A driver's side of transmit queue 0 (or receive), and the card's completions."""

    def __init__(self, is_rx=False):
        self.bench = NdisBench()
        self.ndis, self.card = self.bench.ndis, Card()
        self.watch = RingWatch(self.card, self.ndis, self.bench.fm.adapter)
        memory = self.memory = self.watch.memory
        self.descriptors, self.completions = memory.allocate(16 * SIZE), memory.allocate(32 * SIZE)
        self.buffer = memory.allocate(2048)
        memory.map(self.buffer.address, 2048, Direction.FROM_DEVICE if is_rx else Direction.TO_DEVICE)
        self.is_rx, self.written = is_rx, 0
        self.page = regs.rx_page(0) if is_rx else regs.tx_page(0)
        self.done = self.completed = 0
        for register, value in (
            (regs.QUEUE_RING_LO, self.descriptors.address & 0xFFFFFFFF),
            (regs.QUEUE_RING_HI, self.descriptors.address >> 32),
            (regs.QUEUE_RING_SIZE, SIZE),
            (regs.QUEUE_CPL_LO, self.completions.address & 0xFFFFFFFF),
            (regs.QUEUE_CPL_HI, self.completions.address >> 32),
            (regs.QUEUE_CPL_SIZE, SIZE),
            (regs.QUEUE_VECTOR, VECTOR),
            (regs.QUEUE_BUF_SIZE, 2048),
            (regs.QUEUE_CTRL, regs.QUEUE_CTRL_ENABLE),
        ):
            self.watch.write32(self.page + register, value)
        self.watch.connect_interrupt(VECTOR, lambda: None)

    def enabled(self):
        """Read the status, as section 8 of docs/nic.md wants it before the first doorbell."""
        self.bench.run(self.watch.read32(self.page + regs.QUEUE_STATUS))
        return self

    def write(self, count=1, address=None):
        where = self.buffer.address if address is None else address
        word = RxDescriptor(where).pack() if self.is_rx else TxDescriptor(where, 60, sop=True, eop=True).pack()
        for _ in range(count):
            self.memory.store(self.descriptors.address + self.written % SIZE * 16, word)
            self.written += 1

    def ring(self, producer=None):
        doorbell = regs.rx_doorbell(0) if self.is_rx else regs.tx_doorbell(0)
        self.watch.write32(doorbell, self.written if producer is None else producer)

    def send(self, count=1):
        self.write(count)
        self.memory.wmb()
        self.ring()

    def complete(self, count=1, **fields):
        for _ in range(count):
            self.done += 1
            status = regs.CompletionStatus.ERROR if fields else regs.CompletionStatus.OK
            entry = Completion(self.done, status=status, phase=phase_of(self.completed, SIZE), **fields).pack()
            at = self.completed % SIZE * 32
            self.completions.view[at : at + 32] = entry
            self.completed += 1

    def rearm(self, index=None):
        rearm = regs.rx_rearm(0) if self.is_rx else regs.tx_rearm(0)
        self.watch.write32(rearm, self.completed if index is None else index)


@pytest.mark.parametrize("is_rx", [False, True])
def test_a_right_driver_is_not_spoken_of(is_rx):
    driver = Driver(is_rx).enabled()
    for _ in range(5):  # more than two laps
        driver.send(3)
        driver.complete(3)
        driver.rearm()
    assert driver.ndis.report.violations == []


def doorbell_first(driver):
    driver.ring(1)
    driver.write()


def no_barrier(driver):
    driver.write()
    driver.ring()


def one_too_far(driver):
    driver.write()
    driver.memory.wmb()
    driver.ring(2)


def stale_on_the_second_lap(driver):
    driver.send(SIZE)
    driver.complete(SIZE)
    driver.ring(SIZE + 1)


def past_the_ring(driver):
    driver.write(SIZE)
    driver.memory.wmb()
    driver.ring(SIZE + 1)


def written_while_the_card_has_it(driver):
    driver.send(SIZE)
    driver.write()


def not_mapped(driver):
    driver.write(address=driver.buffer.address + 4096)
    driver.memory.wmb()
    driver.ring()


def rearmed_ahead(driver):
    driver.send()
    driver.complete()
    driver.rearm(2)


MISTAKES = [
    ("RG-04", doorbell_first),
    ("RG-04", no_barrier),
    ("RG-04", one_too_far),
    ("RG-04", stale_on_the_second_lap),
    ("RG-01", past_the_ring),
    ("RG-03", written_while_the_card_has_it),
    ("RG-11", not_mapped),
    ("RG-06", rearmed_ahead),
]


@pytest.mark.rule("RG-01", "RG-03", "RG-04", "RG-06", "RG-11")
@pytest.mark.parametrize(("rule", "mistake"), MISTAKES, ids=[mistake.__name__ for _, mistake in MISTAKES])
def test_a_mistake_is_named_at_the_drivers_line(rule, mistake):
    driver = Driver().enabled()
    with expect_violation(driver.ndis, rule) as found:
        mistake(driver)
    assert "test_ring_watch.py" in found[0].place


def test_receive_buffers_have_to_be_mapped_for_writing():
    driver = Driver(is_rx=True).enabled()
    with expect_violation(driver.ndis, "RG-11") as found:
        not_mapped(driver)
    assert "for the device to write" in found[0].detail


@pytest.mark.parametrize(
    ("happens", "sentence"),
    [
        (lambda driver: driver.send(), "the NIC has descriptors 0 to 0"),
        (lambda driver: (driver.send(), driver.complete(), driver.rearm(0), driver.card.handlers[VECTOR]()), "is off"),
        (lambda driver: (driver.send(), driver.complete(cause=7)), "cause 7 (BAD_SOP)"),
        (lambda driver: driver.watch.write32(regs.CTRL, regs.CTRL_SOFT_RESET) or driver.send(), "1 doorbells were ign"),
    ],
)
def test_a_ring_that_waits_says_for_what(happens, sentence):
    driver = Driver().enabled()
    happens(driver)
    assert sentence in "\n".join(driver.watch.standing())


def test_a_doorbell_before_the_status_was_read_is_told():
    driver = Driver()
    driver.send()
    assert "1 doorbells ignored" in "\n".join(driver.watch.standing())


def test_a_ring_at_rest_says_nothing():
    driver = Driver().enabled()
    driver.send()
    driver.complete()
    driver.rearm()
    assert list(driver.watch.standing()) == []

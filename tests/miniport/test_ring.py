# SPDX-License-Identifier: Apache-2.0
"""Claims about the driver's rings (RG-01 to RG-05)."""

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hilnic.hw.descriptors import COMPLETION_BYTES, pack_completion_into, phase_of
from hilnic.hw.device import DeviceFault
from hilnic.hw.memory import Direction, HostMemory
from hilnic.miniport.ring import DESCRIPTOR_BYTES, CompletionRing, DescriptorRing

SIZES = st.sampled_from([2, 4, 64, 256])
STARTS = st.sampled_from([0, 1, 63, 0x7FFFFFFF, 0xFFFFFFF0, 0xFFFFFFFF])


def build(size=4, start=0, weak=False):
    memory = HostMemory(1 << 20, weak=weak)
    region = memory.allocate(size * DESCRIPTOR_BYTES)
    memory.map(region.address, size * DESCRIPTOR_BYTES, Direction.TO_DEVICE)
    doorbells = []
    return DescriptorRing("tx", memory, region.address, size, start, doorbells.append), memory, doorbells


def device_reads(memory, ring, index):
    return memory.dma_read(ring.address + (index % ring.size) * DESCRIPTOR_BYTES, DESCRIPTOR_BYTES)


@pytest.mark.rule("RG-02")
@pytest.mark.parametrize("size", [2, 4, 256])
@pytest.mark.parametrize("start", [0, 0xFFFFFFF0, 0xFFFFFFFF])
def test_full_is_not_empty(size, start):
    ring, _, _ = build(size, start)
    assert ring.free == size
    for _ in range(size):
        ring.post(bytes(16))
    assert (ring.free, ring.outstanding) == (0, size)
    with pytest.raises(IndexError):
        ring.post(bytes(16))


@pytest.mark.rule("RG-01")
def test_indices_run_through_2_to_the_32():
    ring, memory, doorbells = build(4, 0xFFFFFFFE)
    for byte in range(4):
        ring.post(bytes([byte]) * 16)
    ring.publish()
    assert doorbells == [2]
    assert [device_reads(memory, ring, i)[0] for i in (0xFFFFFFFE, 0xFFFFFFFF, 0, 1)] == [0, 1, 2, 3]
    assert ring.retire(1) == 3
    assert ring.free == 3


@pytest.mark.rule("RG-04")
def test_a_descriptor_is_visible_before_its_doorbell():
    ring, memory, _ = build(4, weak=True)
    seen = []
    ring._doorbell = lambda producer: seen.append(device_reads(memory, ring, producer - 1))
    ring.post(b"descriptor bytes")
    assert device_reads(memory, ring, 0) == bytes(16)
    ring.publish()
    assert seen == [b"descriptor bytes"]


def test_one_doorbell_serves_a_batch_and_none_is_rung_for_nothing():
    ring, _, doorbells = build(64)
    for _ in range(10):
        ring.post(bytes(16))
    assert ring.publish()
    assert not ring.publish()
    assert doorbells == [10]


@pytest.mark.rule("RG-03")
@pytest.mark.parametrize("index", [0, 3, 0xFFFFFFFF, 1000])
def test_a_completion_for_nothing_posted_is_a_device_fault(index):
    ring, _, _ = build(4)
    ring.post(bytes(16))
    ring.post(bytes(16))
    ring.publish()
    ring.post(bytes(16))  # not published: still the driver's
    with pytest.raises(DeviceFault, match="nothing posted"):
        ring.retire(index)


@pytest.mark.parametrize("size", [0, 1, 3, 100])
def test_a_ring_is_a_power_of_two(size):
    memory = HostMemory(1 << 20)
    with pytest.raises(ValueError, match="power of two"):
        DescriptorRing("tx", memory, memory.base, size, 0, lambda _: None)
    with pytest.raises(ValueError, match="power of two"):
        CompletionRing("tx", memoryview(bytearray(8192)), 0, size, 0)


class FakeNic:
    """Writes completions as docs/nic.md, section 2 says."""

    def __init__(self, view, size, start):
        self.view, self.size, self.index = view, size, start

    def complete(self, value):
        offset = (self.index % self.size) * COMPLETION_BYTES
        pack_completion_into(self.view, offset, value, frame_length=60, phase=phase_of(self.index, self.size))
        self.index = (self.index + 1) & 0xFFFFFFFF


@given(SIZES, STARTS, st.lists(st.integers(1, 300), max_size=20))
def test_completions_are_taken_in_order_once_each_whatever_the_lap(size, start, bursts):
    view = memoryview(bytearray(size * COMPLETION_BYTES))
    ring, nic = CompletionRing("rx", view, 0, size, start), FakeNic(view, size, start)
    expected = 0
    for burst in bursts:
        written = min(burst, size)
        for i in range(written):
            nic.complete(expected + i)
        assert ring.pending()
        for _ in range(written):
            assert ring.take() == (expected, 0, 0, 0, 60)
            expected += 1
        assert ring.take() is None
        assert not ring.pending()


class RingMachine(RuleBasedStateMachine):
    """A ring against its model: a queue of (index, bytes) the NIC owns, and the driver's unpublished ones."""

    @initialize(size=SIZES, start=STARTS)
    def setup(self, size, start):
        self.ring, self.memory, self.doorbells = build(size, start)
        self.mine, self.theirs, self.next, self.serial = deque(), deque(), start, 0

    @precondition(lambda self: len(self.mine) + len(self.theirs) < self.ring.size)
    @rule()
    def post(self):
        body = self.serial.to_bytes(16, "little")
        self.mine.append((self.next, body))
        self.next = (self.next + 1) & 0xFFFFFFFF
        self.serial += 1
        assert self.ring.post(body) == self.next

    @rule()
    def publish(self):
        assert self.ring.publish() == bool(self.mine)
        self.theirs.extend(self.mine)
        self.mine.clear()
        for index, body in self.theirs:  # what the NIC owns is what was posted: never overwritten
            assert device_reads(self.memory, self.ring, index) == body

    @precondition(lambda self: self.theirs)
    @rule(data=st.data())
    def retire(self, data):
        count = data.draw(st.integers(1, len(self.theirs)))
        index = (self.theirs[count - 1][0] + 1) & 0xFFFFFFFF
        for _ in range(count):
            self.theirs.popleft()
        assert self.ring.retire(index) == count

    @invariant()
    def counts_agree(self):
        assert self.ring.outstanding == len(self.mine) + len(self.theirs)
        assert self.ring.free == self.ring.size - self.ring.outstanding


TestRingAgainstItsModel = RingMachine.TestCase

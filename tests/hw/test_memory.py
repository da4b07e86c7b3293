# SPDX-License-Identifier: Apache-2.0
"""Claims about HostMemory: allocator, IOMMU, weak ordering."""

import ctypes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilnic.hw.device import DeviceFault
from hilnic.hw.memory import Direction, HostMemory

TO, FROM, BOTH = Direction.TO_DEVICE, Direction.FROM_DEVICE, Direction.BIDIRECTIONAL


@pytest.fixture
def memory():
    return HostMemory(1 << 20)


def test_regions_lie_above_4_gib_and_are_aligned_as_asked(memory):
    for alignment in (64, 256, 4096):
        region = memory.allocate(100, alignment)
        assert region.address > 1 << 32
        assert region.address % alignment == 0
        assert len(region.view) == 100


def test_a_freed_block_is_used_again_and_comes_back_poisoned(memory):
    first = memory.allocate(2048)
    address = first.address
    memory.free(first)
    second = memory.allocate(2000)
    assert second.address == address
    assert set(second.view) == {0xDD}


def test_memory_ends_with_memoryerror_and_free_makes_room_for_other_sizes(memory):
    blocks = [memory.allocate(65536) for _ in range(16)]
    with pytest.raises(MemoryError):
        memory.allocate(65536)
    memory.free(blocks.pop())
    assert len({memory.allocate(1000).address for _ in range(64)}) == 64


def test_free_of_a_stranger_or_twice_is_refused(memory):
    region = memory.allocate(64)
    memory.free(region)
    with pytest.raises(ValueError, match="not allocated"):
        memory.free(region)


@pytest.mark.rule("RG-12")
def test_free_while_the_device_may_access_it_is_refused(memory):
    region = memory.allocate(64)
    mapping = memory.map(region.address + 63, 1, FROM)
    with pytest.raises(ValueError, match="while the device may access it"):
        memory.free(region)
    memory.unmap(mapping)
    memory.free(region)


def test_leaks_name_the_allocating_line(memory):
    region = memory.allocate(64)
    assert memory.leaks() == [region]
    assert "test_memory.py" in repr(region)
    memory.free(region)
    assert memory.leaks() == []


def test_dma_reads_and_writes_inside_of_mappings(memory):
    region = memory.allocate(100)
    region.view[:5] = b"hello"
    out, into = memory.map(region.address, 5, TO), memory.map(region.address + 10, 3, FROM)
    assert memory.dma_read(region.address, 5) == b"hello"
    memory.dma_write(region.address + 10, b"abc")
    assert bytes(region.view[10:13]) == b"abc"
    memory.unmap(out)
    memory.unmap(into)


@pytest.mark.rule("RG-11")
@pytest.mark.parametrize(("direction", "offset", "length"), [(TO, 0, 16), (FROM, 15, 2), (FROM, 0, 17), (None, 0, 1)])
def test_dma_write_outside_of_a_mapping_or_against_its_direction_is_a_fault(memory, direction, offset, length):
    region = memory.allocate(64)
    if direction is not None:
        memory.map(region.address, 16, direction)
    before = bytes(region.view)
    with pytest.raises(DeviceFault) as fault:
        memory.dma_write(region.address + offset, bytes(length), engine="rx_data")
    assert (fault.value.address, fault.value.engine) == (region.address + offset, "rx_data")
    assert bytes(region.view) == before


@pytest.mark.rule("IT-08")
def test_no_access_after_unmap(memory):
    region = memory.allocate(64)
    mapping = memory.map(region.address, 64, BOTH)
    memory.unmap(mapping)
    with pytest.raises(DeviceFault):
        memory.dma_read(region.address, 1)
    with pytest.raises(ValueError, match="twice"):
        memory.unmap(mapping)


def test_a_fault_carries_address_engine_and_time():
    memory = HostMemory(1 << 20, now_ns=lambda: 1234)
    with pytest.raises(DeviceFault, match="tx_data at 0x10\\+8 @1234 ns") as fault:
        memory.dma_read(0x10, 8, "tx_data")
    assert fault.value.time_ns == 1234


def test_overlapping_mappings_count(memory):
    region = memory.allocate(64)
    first = memory.map(region.address, 32, TO)
    second = memory.map(region.address + 16, 32, TO)
    memory.unmap(first)
    memory.dma_read(region.address + 16, 32)
    with pytest.raises(DeviceFault):
        memory.dma_read(region.address + 15, 2)
    memory.unmap(second)
    assert memory.live_mappings() == []


def test_a_byte_mapped_too_often_is_refused_and_not_wrapped(memory):
    region = memory.allocate(64)
    for _ in range(255):
        memory.map(region.address, 1, TO)
    with pytest.raises(ValueError, match="255"):
        memory.map(region.address, 1, TO)
    memory.dma_read(region.address, 1)


@given(
    st.lists(st.tuples(st.integers(0, 255), st.integers(1, 64), st.sampled_from([TO, FROM, BOTH])), max_size=12),
    st.data(),
)
def test_permissions_equal_the_union_of_live_mappings(ranges, data):
    memory = HostMemory(1 << 16)
    region = memory.allocate(512)
    live = [(o, n, d, memory.map(region.address + o, n, d)) for o, n, d in ranges]
    for _ in range(data.draw(st.integers(0, len(live)))):
        memory.unmap(live.pop(data.draw(st.integers(0, len(live) - 1)))[3])
    for offset in range(0, 330, 7):
        allowed = any(o <= offset < o + n and d & TO for o, n, d, _ in live)
        assert _readable(memory, region.address + offset) == allowed


def _readable(memory, address):
    try:
        memory.dma_read(address, 1)
    except DeviceFault:
        return False
    return True


@pytest.mark.rule("RG-04")
def test_weak_memory_shows_stores_at_the_barrier_only():
    memory = HostMemory(1 << 20, weak=True)
    region = memory.allocate(64)
    memory.map(region.address, 64, BOTH)
    memory.store(region.address, b"descriptor")
    assert memory.dma_read(region.address, 10) == bytes(10)
    memory.wmb()
    assert memory.dma_read(region.address, 10) == b"descriptor"


def test_weak_memory_shows_a_buffer_as_it_was_when_mapped():
    memory = HostMemory(1 << 20, weak=True)
    region = memory.allocate(64)
    region.view[:4] = b"data"
    memory.map(region.address, 4, TO)
    region.view[:4] = b"late"
    assert memory.dma_read(region.address, 4) == b"data"


def test_dma_writes_are_seen_by_both_sides_in_weak_memory():
    memory = HostMemory(1 << 20, weak=True)
    region = memory.allocate(64)
    memory.map(region.address, 8, BOTH)
    memory.dma_write(region.address, b"written!")
    assert bytes(region.view[:8]) == b"written!" == memory.dma_read(region.address, 8)


def test_the_pointers_lead_to_the_bytes_and_the_counts(memory):
    region = memory.allocate(64)
    region.view[:2] = b"hi"
    memory.map(region.address, 2, FROM)
    pointers = memory.pointers()
    offset = region.address - pointers.base
    assert ctypes.string_at(pointers.host + offset, 2) == b"hi"
    assert pointers.device == pointers.host
    assert ctypes.string_at(pointers.device_write + offset, 3) == b"\1\1\0"
    assert ctypes.string_at(pointers.device_read + offset, 2) == b"\0\0"

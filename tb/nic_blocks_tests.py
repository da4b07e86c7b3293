# SPDX-License-Identifier: Apache-2.0
"""stats counts every event once whatever the CSR does; rx_filter decides as docs/nic.md section 6 says."""

import random
import zlib

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge

COUNTERS = 36
WIRE, LENGTH = {1}, {3, 5}
OWN_UNICAST, BROADCAST, EXACT, HASH, ALL_MULTICAST, PROMISCUOUS = (1 << n for n in range(6))
OWN = bytes.fromhex("02ab54c3d217")


async def start(dut) -> random.Random:
    names = [f"ev{n}_{end}_i" for n in (0, 1) for end in ("valid", "mask", "wire", "len")]
    names += ["stats_clear_i", "csr_valid_i", "csr_write_i", "csr_index_i", "csr_high_i", "csr_wdata_i", "da_valid_i"]
    names += ["tbl_write_i", "tbl_index_i", "tbl_high_i", "filter_clear_i", "cfg_filter_i", "cfg_hash_i", "rst_ni"]
    for name in names:
        getattr(dut, name).value = 0
    dut.cfg_mac_i.value = int.from_bytes(OWN, "little")
    dut.cfg_default_queue_i.value = 3
    Clock(dut.clk_i, 10, "ns", impl="gpi").start()
    await ClockCycles(dut.clk_i, 3)
    dut.rst_ni.value = 1
    await RisingEdge(dut.clk_i)
    return random.Random(cocotb.RANDOM_SEED)


# stats --------------------------------------------------------------------------------------------------------------


async def event(dut, source: int, mask: int, wire: int = 0, length: int = 0) -> int:
    """Deliver one event; return the cycles until it was taken."""
    valid, ready = getattr(dut, f"ev{source}_valid_i"), getattr(dut, f"ev{source}_ready_o")
    for end, value in (("mask", mask), ("wire", wire), ("len", length)):
        getattr(dut, f"ev{source}_{end}_i").value = value
    valid.value, cycles = 1, 1
    await RisingEdge(dut.clk_i)
    while ready.value != 1:
        cycles += 1
        await RisingEdge(dut.clk_i)
    valid.value = 0
    return cycles


async def access(dut, index: int, high: int, write=None) -> tuple[int, int]:
    """One CSR access to half a counter; returns the word and the cycles it took."""
    dut.csr_valid_i.value, dut.csr_index_i.value, dut.csr_high_i.value = 1, index, high
    dut.csr_write_i.value, dut.csr_wdata_i.value = int(write is not None), write or 0
    cycles = 1
    await RisingEdge(dut.clk_i)
    while dut.csr_ready_o.value != 1:
        cycles += 1
        await RisingEdge(dut.clk_i)
    word = int(dut.csr_rdata_o.value)
    dut.csr_valid_i.value = 0
    await RisingEdge(dut.clk_i)
    return word, cycles


async def counter(dut, index: int) -> int:
    low, _ = await access(dut, index, 0)
    high, _ = await access(dut, index, 1)
    return high << 32 | low


def add(expected: list[int], mask: int, wire: int, length: int):
    for n in range(COUNTERS):
        if mask >> n & 1:
            expected[n] += wire if n in WIRE else length if n in LENGTH else 1


@cocotb.test()
async def events_of_both_sources_are_all_counted_while_the_csr_reads(dut):
    rng = await start(dut)
    expected = [0] * COUNTERS
    running = [cocotb.start_soon(random_events(dut, rng, source, expected)) for source in (0, 1)]
    while not all(task.done() for task in running):
        _, cycles = await access(dut, rng.randrange(COUNTERS), rng.randrange(2))
        assert cycles <= 6
        await ClockCycles(dut.clk_i, rng.randrange(1, 30))
    await ClockCycles(dut.clk_i, 60)
    assert [await counter(dut, n) for n in range(COUNTERS)] == expected


async def random_events(dut, rng, source, expected):
    for _ in range(60):
        mask, wire, length = (
            rng.getrandbits(COUNTERS) & rng.getrandbits(COUNTERS),
            rng.getrandbits(16),
            rng.getrandbits(16),
        )
        add(expected, mask, wire, length)
        await event(dut, source, mask, wire, length)
        await ClockCycles(dut.clk_i, rng.choice((1, 1, 20)))


@cocotb.test()
async def smallest_frames_back_to_back_never_wait_long(dut):
    await start(dut)
    await ClockCycles(dut.clk_i, 50)
    tasks = [cocotb.start_soon(steady_events(dut, source)) for source in (0, 1)]
    for task in tasks:
        await task
    await ClockCycles(dut.clk_i, 20)
    assert await counter(dut, 0) == 60 and await counter(dut, 1) == 60 * 64


async def steady_events(dut, source):
    """Ten counters per event, one event per 67 cycles: 64 octets at line rate with a system clock of 100 MHz."""
    for _ in range(30):
        assert await event(dut, source, 0b11_1111_1111, 64, 60) < 20
        await ClockCycles(dut.clk_i, 40)


@cocotb.test()
async def a_counter_carries_into_its_high_word_and_the_read_is_not_torn(dut):
    await start(dut)
    await ClockCycles(dut.clk_i, 50)
    await access(dut, 4, 0, write=0xFFFF_FFFF)
    await access(dut, 4, 1, write=0x12)
    low, _ = await access(dut, 4, 0)
    await event(dut, 0, 1 << 4)
    await ClockCycles(dut.clk_i, 5)
    high, _ = await access(dut, 4, 1)
    assert (low, high) == (0xFFFF_FFFF, 0x12)
    assert await counter(dut, 4) == 0x13 << 32


@cocotb.test()
async def a_clear_sets_all_to_zero_and_loses_no_later_event(dut):
    rng = await start(dut)
    for _ in range(5):
        await event(dut, 0, rng.getrandbits(COUNTERS), 1000, 1000)
    dut.stats_clear_i.value = 1
    await RisingEdge(dut.clk_i)
    dut.stats_clear_i.value = 0
    await RisingEdge(dut.clk_i)
    assert dut.stats_clear_busy_o.value == 1
    _, cycles = await access(dut, 5, 0)
    assert cycles < 45
    await event(dut, 1, 1 << 35)
    assert dut.stats_clear_busy_o.value == 0
    await ClockCycles(dut.clk_i, 5)
    assert [await counter(dut, n) for n in range(COUNTERS)] == [0] * 35 + [1]


# rx_filter ----------------------------------------------------------------------------------------------------------


def hash_bit(address: bytes) -> int:
    """docs/nic.md, section 6."""
    register = zlib.crc32(address) ^ 0xFFFFFFFF
    return int(f"{register & 0x3F:06b}"[::-1], 2)


async def write_table(dut, index: int, high: int, word: int):
    dut.tbl_write_i.value, dut.tbl_index_i.value, dut.tbl_high_i.value, dut.tbl_data_i.value = 1, index, high, word
    await RisingEdge(dut.clk_i)
    dut.tbl_write_i.value = 0
    await RisingEdge(dut.clk_i)


async def enter(dut, index: int, address: bytes, queue: int | None = None, valid=True):
    """Put an address into the exact table; with a queue, steer it there."""
    steer = 0 if queue is None else 1 << 30 | queue << 16
    await write_table(dut, index, 0, int.from_bytes(address[:4], "little"))
    await write_table(dut, index, 1, int.from_bytes(address[4:], "little") | steer | valid << 31)


async def look_up(dut, address: bytes, filter_bits: int, table=()) -> tuple[bool, int, str]:
    """Accepted, queue, class of an address."""
    dut.cfg_filter_i.value = filter_bits
    dut.da_valid_i.value, dut.da_i.value = 1, int.from_bytes(address, "little")
    await RisingEdge(dut.clk_i)
    dut.da_valid_i.value, cycles = 0, 1
    await RisingEdge(dut.clk_i)
    while dut.hit_valid_o.value != 1:
        cycles += 1
        await RisingEdge(dut.clk_i)
    assert cycles <= (40 if address[0] & 1 else 2)
    kinds = "".join(k for k in ("own", "broadcast", "multicast") if getattr(dut, f"hit_{k}_o").value == 1)
    answer = (dut.hit_accept_o.value == 1, int(dut.hit_queue_o.value), kinds)
    await RisingEdge(dut.clk_i)
    assert dut.hit_valid_o.value == 0
    return answer


@cocotb.test()
async def each_class_passes_with_its_own_bit_only(dut):
    await start(dut)
    group, other = bytes.fromhex("01005e000001"), bytes.fromhex("02ab54c3d218")
    for address, bit, kind in ((OWN, OWN_UNICAST, "own"), (b"\xff" * 6, BROADCAST, "broadcast"),
                               (group, ALL_MULTICAST, "multicast"), (other, PROMISCUOUS, "")):  # fmt: skip
        assert await look_up(dut, address, bit) == (True, 3, kind)
        assert await look_up(dut, address, PROMISCUOUS) == (True, 3, kind)
        assert await look_up(dut, address, 0x3F & ~bit & ~PROMISCUOUS) == (False, 3, kind)


@cocotb.test()
async def the_hash_is_the_upper_six_bits_of_the_crc(dut):
    rng = await start(dut)
    vectors = {"01005e000001": 31, "01005e0000fb": 15, "333300000001": 62, "0180c2000000": 25, "01005e7ffffa": 43}
    assert {address: hash_bit(bytes.fromhex(address)) for address in vectors} == vectors
    for address in [*map(bytes.fromhex, vectors), *(b"\x01" + rng.randbytes(5) for _ in range(40))]:
        dut.cfg_hash_i.value = 1 << hash_bit(address)
        assert await look_up(dut, address, HASH) == (True, 3, "multicast")
        dut.cfg_hash_i.value = ~(1 << hash_bit(address)) & (1 << 64) - 1
        assert await look_up(dut, address, HASH) == (False, 3, "multicast")
        assert await look_up(dut, address, HASH | EXACT) == (False, 3, "multicast")
    dut.cfg_hash_i.value = (1 << 64) - 1
    assert await look_up(dut, bytes.fromhex("02ab54c3d218"), HASH) == (False, 3, "")


@cocotb.test()
async def all_thirty_two_exact_entries_accept_and_steer(dut):
    rng = await start(dut)
    addresses = [b"\x33\x33" + rng.randbytes(4) for _ in range(32)]
    for index, address in enumerate(addresses):
        await enter(dut, index, address, queue=index if index & 1 else None)
    for index, address in enumerate(addresses):
        assert await look_up(dut, address, EXACT) == (True, index if index & 1 else 3, "multicast")
        assert await look_up(dut, address, HASH) == (False, 3, "multicast")
        near = bytes(b ^ (1 << 7) * (n == index % 5 + 1) for n, b in enumerate(address))
        assert await look_up(dut, near, EXACT) == (False, 3, "multicast")


@cocotb.test()
async def an_exact_entry_steers_what_passes_for_other_reasons_too(dut):
    await start(dut)
    group = bytes.fromhex("01005e000001")
    await enter(dut, 9, group, queue=2)
    assert await look_up(dut, group, EXACT | ALL_MULTICAST) == (True, 2, "multicast")
    assert await look_up(dut, group, ALL_MULTICAST) == (True, 3, "multicast")
    await enter(dut, 9, group, queue=2, valid=False)
    assert await look_up(dut, group, EXACT) == (False, 3, "multicast")


@cocotb.test()
async def the_table_reads_back_and_is_zero_after_reset_and_clear(dut):
    await start(dut)
    for _ in range(2):
        assert [await read_table(dut, n) for n in range(32)] == [(0, 0)] * 32
        for n in range(32):
            await write_table(dut, n, 0, 0x01020304 + n)
        await write_table(dut, 5, 1, 0xFFFF_FFFF)
        assert await read_table(dut, 5) == (0x01020309, 0xC03F_FFFF)
        assert await read_table(dut, 6) == (0x0102030A, 0)
        dut.filter_clear_i.value = 1
        await RisingEdge(dut.clk_i)
        dut.filter_clear_i.value = 0


async def read_table(dut, index: int) -> tuple[int, int]:
    words = []
    for high in (0, 1):
        dut.tbl_index_i.value, dut.tbl_high_i.value = index, high
        await RisingEdge(dut.clk_i)
        await RisingEdge(dut.clk_i)
        words.append(int(dut.tbl_rdata_o.value))
    return words[0], words[1]

# SPDX-License-Identifier: Apache-2.0
"""The transmit half, from doorbells to the frame buffer, against a Python memory, byte for byte."""

from __future__ import annotations

import cocotb
from cocotb.triggers import RisingEdge
from nic_tx_bench import BASE, DATA, SIZE, Bench, Frame, run_random


@cocotb.test()
async def random_frames_arrive_byte_for_byte_and_in_order_per_queue(dut) -> None:
    bench = Bench(dut, seed=11)
    await bench.begin()
    expected = await run_random(bench, 150)
    bench.check(expected)
    assert bench.slave.most_outstanding <= 16


@cocotb.test()
async def frames_of_64_one_byte_fragments_arrive(dut) -> None:
    bench = Bench(dut, seed=12, log2=7)
    await bench.begin()
    expected = [bench.post(0, [bytes([i ^ n]) for i in range(64)]) for n in range(2)]
    await bench.doorbell(0)
    await bench.until(2)
    bench.check(expected)


@cocotb.test()
async def a_ring_of_two_entries_wraps(dut) -> None:
    bench = Bench(dut, seed=13, log2=1)
    await bench.begin()
    expected = await run_random(bench, 40, most=2)
    bench.check(expected)


@cocotb.test()
async def each_malformed_frame_ends_with_its_cause_and_nothing_is_sent(dut) -> None:
    bench = Bench(dut, seed=14)
    await bench.begin()
    d, at = bench.descriptor, bench.place(bytes(range(256)), 3)
    expected: list[Frame] = []

    def bad(cause: int) -> None:
        expected.append(Frame(0, b"", bench.producer[0], cause))

    def good() -> None:
        expected.append(bench.post(0, [bytes(range(1, 33)), bytes(range(40, 73))]))

    d(0, at, 0, 1, 1)
    bad(1)
    good()
    d(0, at, 64, 1, 1, reserved=1 << 39)
    bad(2)
    d(0, at, 64, 1, 0)
    d(0, at, 64, 0, 1, kind=1)
    bad(3)
    d(0, at, 13, 1, 1)
    bad(5)
    good()
    d(0, at, 64, 0, 1)
    bad(7)
    d(0, at, 64, 1, 0)
    d(0, at, 64, 1, 0)
    d(0, at, 10, 0, 1)
    bad(7)
    d(0, at, 64, 1, 0)
    d(0, at, 0, 0, 0)
    d(0, at, 0, 1, 0, kind=5)
    d(0, at, 64, 0, 1)
    bad(1)
    d(0, at, 200, 1, 0)
    for _ in range(7):
        d(0, at, 200, 0, 0)
    d(0, at, 200, 0, 1)
    bad(6)
    good()
    d(0, DATA, 65535, 1, 0)
    d(0, DATA, 65535, 0, 0)
    d(0, DATA, 65535, 0, 1)
    bad(6)
    good()
    await bench.doorbell(0)
    await bench.until(len(expected))
    bench.check(expected)
    assert not bench.errors


@cocotb.test()
async def a_frame_without_eop_ends_after_ring_size_descriptors(dut) -> None:
    bench = Bench(dut, seed=15, log2=3)
    await bench.begin()
    at = bench.place(bytes(64), 1)
    for i in range(8):
        bench.descriptor(0, at, 20, i == 0, 0)
    expected = [Frame(0, b"", bench.producer[0], 4)]
    await bench.doorbell(0)
    await bench.until(1)
    expected.append(bench.post(0, [bytes(60)]))
    await bench.doorbell(0)
    await bench.until(2)
    bench.check(expected)


@cocotb.test()
async def the_longest_frame_passes_and_one_byte_more_only_with_a_tag(dut) -> None:
    bench = Bench(dut, seed=16)
    await bench.begin()
    tag, qinq, plain = bytes(12) + b"\x81\x00", bytes(12) + b"\x88\xa8", bytes(12) + b"\x08\x00"
    expected = []
    for head, total, cause in (
        (plain, 1514, 0),
        (plain, 1515, 6),
        (plain, 1518, 6),
        (tag, 1518, 0),
        (qinq, 1515, 0),
        (tag, 1519, 6),
        (plain, 1514, 0),
    ):
        frame = bench.post(0, [head, bytes(total - 14)])
        expected.append(Frame(0, frame.data, frame.index, cause))
    await bench.doorbell(0)
    await bench.until(len(expected))
    bench.check(expected)


@cocotb.test()
async def a_bus_error_on_data_ends_one_frame_and_the_queue_goes_on(dut) -> None:
    bench = Bench(dut, seed=17)
    await bench.begin()
    expected = []
    for n in range(9):
        frame = bench.post(0, [bytes([n]) * 100, bytes([n + 1]) * 300])
        if n % 3 == 1:
            slot = (frame.index - 1 - n % 2) % 64
            address = BASE + 16 * slot
            bench.store(address, (BASE + SIZE + 0x1000).to_bytes(8, "little"))
            frame = Frame(0, b"", frame.index, 8)
        expected.append(frame)
    await bench.doorbell(0)
    await bench.until(len(expected))
    bench.check(expected)


@cocotb.test()
async def a_descriptor_fetch_error_is_reported_once_and_ends_the_frame_that_needs_it(dut) -> None:
    bench = Bench(dut, seed=18, start=0)
    await bench.begin()
    bench.slave.fail = {BASE + 0x100}  # descriptor 16 opens the second burst
    expected = [bench.post(0, [bytes(64)]) for _ in range(15)]
    at = bench.place(bytes(80), 5)
    bench.descriptor(0, at, 40, 1, 0)
    bench.descriptor(0, at + 40, 40, 0, 1)
    expected.append(Frame(0, b"", 16, 33))
    await bench.doorbell(0)
    await bench.until(16)
    bench.check(expected)
    assert bench.errors == [{"queue": 0, "cause": 33, "index": 16}]
    dut.enabled_i.value = dut.on_i.value = bench.all_queues & ~1
    for _ in range(20):
        await RisingEdge(dut.clk_i)
    assert int(dut.outstanding_o.value) == 0
    if bench.queues > 1:
        expected.append(bench.post(1, [bytes(100)]))
        await bench.doorbell(1)
        await bench.until(17)
        bench.check(expected)


@cocotb.test()
async def a_doorbell_beyond_the_ring_size_is_reported_and_not_followed(dut) -> None:
    bench = Bench(dut, seed=19)
    await bench.begin()
    expected = [bench.post(last := bench.queues - 1, [bytes(64)])]
    await bench.doorbell(last)
    await bench.until(1)
    consumer = bench.producer[last]
    await bench.doorbell(last, consumer + 65 & 0xFFFFFFFF)
    for _ in range(100):
        await RisingEdge(dut.clk_i)
    assert bench.errors == [{"queue": last, "cause": 32, "index": consumer + 65 & 0xFFFFFFFF}]
    bench.check(expected)


@cocotb.test()
async def a_full_frame_buffer_delays_reads_and_loses_nothing(dut) -> None:
    bench = Bench(dut, seed=20, log2=8)
    await bench.begin()
    bench.tx_stall, bench.rec_stall = 1.0, 0.0
    expected = [bench.post(0, [bytes([n]) * 700, bytes([n]) * 800]) for n in range(50)]
    await bench.doorbell(0)
    for _ in range(6000):
        await RisingEdge(dut.clk_i)
    assert 15 <= len(bench.records) <= 32768 // 1504
    bench.tx_stall = 0.0
    await bench.until(50)
    bench.check(expected)


@cocotb.test()
async def a_frame_that_waits_for_room_is_flushed_when_asked(dut) -> None:
    bench = Bench(dut, seed=21, log2=8)
    await bench.begin()
    bench.tx_stall, bench.rec_stall = 1.0, 0.0
    expected = [bench.post(0, [bytes([n]) * 700, bytes([n]) * 800]) for n in range(30)]
    await bench.doorbell(0)
    for _ in range(6000):
        await RisingEdge(dut.clk_i)
    kept = len(bench.records)
    dut.flush_i.value = 1
    for _ in range(3000):
        await RisingEdge(dut.clk_i)
    assert len(bench.records) == 30
    bench.tx_stall = 0.0
    dut.flush_i.value = 0
    await bench.until(30)
    bench.check([f if n < kept else Frame(0, b"", f.index, 10) for n, f in enumerate(expected)])


@cocotb.test()
async def a_barrier_leaves_after_the_frames_before_it(dut) -> None:
    bench = Bench(dut, seed=22)
    await bench.begin()
    expected = [bench.post(0, [bytes(1000)]) for _ in range(3)]
    await bench.doorbell(0)
    for _ in range(150):
        await RisingEdge(dut.clk_i)
    dut.enabled_i.value = bench.all_queues & ~1
    dut.barrier_valid_i.value, dut.barrier_queue_i.value = 1, 0
    while not int(dut.barrier_ready_o.value):
        await RisingEdge(dut.clk_i)
    dut.barrier_valid_i.value = 0
    for _ in range(1500):
        await RisingEdge(dut.clk_i)
    marks = [r["barrier"] for r in bench.records]
    assert marks[-1] == 1 and sum(marks) == 1
    bench.check(expected[: len(marks) - 1])
    assert int(dut.outstanding_o.value) == 0


@cocotb.test()
async def disabling_ends_a_frame_whose_end_was_never_posted(dut) -> None:
    bench = Bench(dut, seed=23)
    await bench.begin()
    bench.descriptor(0, bench.place(bytes(64), 0), 64, 1, 0)
    index = bench.producer[0]
    await bench.doorbell(0)
    for _ in range(300):
        await RisingEdge(dut.clk_i)
    assert not bench.records
    dut.enabled_i.value = bench.all_queues & ~1
    await bench.until(1)
    bench.check([Frame(0, b"", index, 4)])


async def line_rate(dut, pieces: int) -> float:
    bench = Bench(dut, seed=24, log2=10, start=0)
    await bench.begin()
    bench.slave.latency, bench.slave.stall, bench.tx_stall, bench.rec_stall = (125, 125), 0.0, 0.0, 0.0
    bench.slave.interleave = False
    sizes = {1: [60], 4: [14, 20, 13, 13]}[pieces]
    expected = [bench.post(0, [bench.rng.randbytes(s) for s in sizes]) for _ in range(200)]
    await bench.doorbell(0)
    await bench.until(200)
    bench.check(expected)
    gaps = [b - a for a, b in zip(bench.frame_cycles[20:], bench.frame_cycles[21:], strict=False)]
    dut._log.info(
        "pieces %d: %.1f cycles per frame, first frame after %d", pieces, sum(gaps) / len(gaps), bench.frame_cycles[0]
    )
    return sum(gaps) / len(gaps)


@cocotb.test()
async def short_frames_of_one_fragment_keep_up_with_the_line(dut) -> None:
    assert await line_rate(dut, 1) < 84


@cocotb.test()
async def short_frames_of_four_fragments_keep_up_with_the_line(dut) -> None:
    assert await line_rate(dut, 4) < 84

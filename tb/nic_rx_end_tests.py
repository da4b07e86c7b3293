# SPDX-License-Identifier: Apache-2.0
"""The receive half when things end otherwise: bus errors, transmit completions, barriers, loopback."""

from __future__ import annotations

from typing import Any

import cocotb
from nic_rx_bench import EOP, ERROR, MASK32, Bench, settled

# ---- errors ----------------------------------------------------------------------------------------------------------


@cocotb.test()
async def a_data_write_error_costs_one_frame(dut: Any) -> None:
    bench = await Bench(dut, seed=16, buf_size=256).begin()
    await bench.give(0, 60)
    frames = [bench.frame(600) for _ in range(6)]
    bench.axi.fail_writes, bench.lossy = {8}, True
    for data in frames:
        bench.deliver(0, data, pace=8)
    await settled(bench, 6)
    (bad,) = (n for n, (_, _, cause) in enumerate(bench.frames[0]) if cause)
    per_frame = [c for c in bench.completions if c.status & ERROR]
    assert bench.frames[0][bad][2] == 8 and len(per_frame) == 3 and {c.cause for c in per_frame} == {8}
    assert (bench.counters["rx18"], bench.counters["rx2"]) == (1, 5)


@cocotb.test()
async def an_error_on_any_write_is_recovered_from(dut: Any) -> None:
    for nth in range(0, 26, 3):
        bench = await Bench(dut, seed=100 + nth, buf_size=256).begin(csr_dir_i=1)
        await bench.give(0, 60)
        bench.axi.fail_writes, bench.lossy = {nth}, True
        for _ in range(8):
            bench.deliver(0, bench.frame(400))
        await settled(bench, 8)
        if bench.errors:
            ((kind, rx, queue, index),) = bench.errors
            assert (kind, rx, queue) == ("cpl", 1, 0) and index not in {c.entry for c in bench.completions}
            assert int(dut.csr_index_o.value) == index
        else:
            assert bench.counters["rx18"] == 1 and bench.counters["rx2"] == 7
            assert [c for _, _, c in bench.frames[0]].count(8) == 1


@cocotb.test()
async def after_a_failed_completion_its_queue_is_dead_and_the_others_go_on(dut: Any) -> None:
    bench = await Bench(dut, seed=17).begin()
    if bench.queues == 1:
        return
    await bench.give(0, 4)
    await bench.give(1, 4)
    bench.axi.fail_writes = {1}  # the first frame's completion
    bench.receive(bench.frame(60))
    await bench.until(lambda: bool(bench.errors))
    assert bench.errors == [("cpl", 1, 0, bench.start)]
    bench.receive(bench.frame(60))
    await bench.until(lambda: bench.counters["rx2"] == 2)
    dut.default_queue_i.value = 1
    bench.deliver(1, bench.frame(60))
    await settled(bench, 3)
    assert [c.queue for c in bench.completions] == [1]
    dut.csr_dir_i.value, dut.csr_queue_i.value = 1, 0
    await bench.cycles(2)
    assert int(dut.csr_index_o.value) == bench.start


@cocotb.test()
async def a_failed_descriptor_fetch_gives_the_buffers_taken_back(dut: Any) -> None:
    bench = await Bench(dut, seed=18, buf_size=64, log2=7).begin(max_frame=9018)
    bench.axi.fail_reads = {4}
    await bench.give(0, 120)
    for length in (6000, 1000, 60):
        bench.receive(bench.frame(length))
    await bench.until(lambda: bool(bench.errors))
    first_bad = bench.errors[0][3]
    dut.enabled_i.value = 0  # as queue_ctrl does
    await settled(bench, 3)
    taken = (first_bad - bench.start) & MASK32
    assert len(bench.completions) == taken and 32 <= taken < 94
    assert {c.cause for c in bench.completions} == {33} and bench.completions[-1].status & EOP
    assert all(c.length == 64 and c.status & ERROR for c in bench.completions)
    assert bench.counters["rx17"] == 2


# ---- transmit completions, barriers ----------------------------------------------------------------------------------


@cocotb.test()
async def transmit_records_complete_in_order_after_their_verdicts(dut: Any) -> None:
    bench = await Bench(dut, seed=19).begin()
    bench.record(0, 5, 0, cause=3)
    bench.transmit(b"\1" * 60, index=6)
    bench.record(0, 7, 0, cause=8)
    bench.transmit(b"\1" * 100, index=9)
    bench.transmit(b"\1" * 200, index=10)
    await bench.until(lambda: len(bench.mac_frames) == 3)
    await bench.cycles(200)
    assert [c.index for c in bench.completions] == [5]
    bench.verdicts.extend([(0, 0, 64), (0, 0, 104), (0, 1, 30)])
    await bench.until(lambda: len(bench.completions) == 5)
    assert [(c.index, c.cause, c.length) for c in bench.completions][1::2] == [(6, 0, 60), (9, 0, 100)]
    assert [(c.index, c.cause) for c in bench.completions][0::2] == [(5, 3), (7, 8), (10, 9)]
    await bench.until(lambda: bench.counters["tx10"] == 1)
    count = bench.counters
    assert (count["tx0"], count["tx1"], count["tx2"], count["tx3"]) == (2, 168, 2, 160)
    assert (count["tx8"], count["tx9"], count["tx12"], count["tx13"]) == (1, 1, 1, 1)


@cocotb.test()
async def flushed_records_end_at_once_and_their_late_verdicts_are_discarded(dut: Any) -> None:
    bench = await Bench(dut, seed=20).begin()
    for n in range(5):
        bench.transmit(bytes(60), index=n)
    await bench.until(lambda: len(bench.mac_frames) == 5)
    dut.tx_flush_i.value = 1
    await bench.until(lambda: len(bench.completions) == 5)
    dut.tx_flush_i.value = 0
    assert {c.cause for c in bench.completions} == {10} and bench.counters["tx11"] == 5
    bench.transmit(bytes(60), index=9)
    bench.verdicts.extend([(0, 1, 64)] * 5)
    await bench.cycles(500)
    assert len(bench.completions) == 5
    bench.verdicts.append((0, 0, 64))
    await bench.until(lambda: len(bench.completions) == 6)
    assert bench.completions[5].cause == 0


@cocotb.test()
async def a_barrier_comes_out_after_all_completions_before_it(dut: Any) -> None:
    bench = Bench(dut, seed=21)
    bench.axi.latency = (200, 300)
    await bench.begin(csr_dir_i=1)
    await bench.give(0, 4)
    for _ in range(4):
        bench.deliver(0, bench.frame(60))
    await bench.until(lambda: bench.counters["rx0"] == 4)
    dut.enabled_i.value = 0
    await bench.pulse("barrier", queue=0)
    await bench.until(lambda: bool(bench.barriers))
    at, rx, queue = bench.barriers[0]
    assert (rx, queue) == (1, 0) and int(dut.idle_o.value) == 1
    await bench.cycles(8)  # irq has the last completion, its register follows
    done = len(bench.completions)
    assert int(dut.csr_index_o.value) == bench.start + done & MASK32 and at >= max(bench.axi.responded_at)
    await bench.cycles(1000)
    assert len(bench.completions) == done
    assert done + bench.counters["rx17"] == 4


@cocotb.test()
async def a_barrier_passes_a_frame_that_waits_for_descriptors(dut: Any) -> None:
    bench = await Bench(dut, seed=22).begin()
    bench.deliver(0, bench.frame(60))
    await bench.cycles(200)
    await bench.pulse("barrier", queue=bench.queues - 1)
    await bench.until(lambda: bool(bench.barriers))
    await bench.give(0, 1)
    await settled(bench, 1)
    assert len(bench.frames[0]) == 1


# ---- loopback --------------------------------------------------------------------------------------------------------


@cocotb.test()
async def looped_frames_come_back_as_sent_and_wire_frames_count_disabled(dut: Any) -> None:
    bench = await Bench(dut, seed=23, log2=7).begin(loopback_i=1)
    await bench.give(0, 60)
    sent = [bench.frame(bench.rng.choice((14, 15, 59, 60, 61, 300, 1514))) for _ in range(40)]
    for n, data in enumerate(sent):
        bench.transmit(data, index=n + 1)
        bench.to_host[0].append(data)
        if n % 3 == 0:
            bench.receive(bench.frame(200), pace=3)
    await settled(bench, 40 + 14)
    await bench.until(lambda: bench.counters["tx19"] == 40)
    assert (bench.counters["rx2"], bench.counters["rx19"], bench.counters["tx0"]) == (40, 14, 0)
    assert all(s & 128 for _, s, _ in bench.frames[0]) and not bench.mac_frames
    assert bench.counters["rx1"] == 14 * 204 + sum(max(len(d), 60) + 4 for d in sent)


@cocotb.test()
async def the_loop_waits_for_room_instead_of_losing_frames(dut: Any) -> None:
    bench = Bench(dut, seed=24, log2=7)
    bench.axi.stall = 0.8
    await bench.begin(loopback_i=1)
    await bench.give(0, 100)
    for n in range(40):
        data = bench.frame(1514)
        bench.transmit(data, index=n + 1)
        bench.to_host[0].append(data)
    await settled(bench, 40)
    assert bench.counters["rx2"] == 40


@cocotb.test()
async def loopback_switches_amid_traffic_without_losing_count(dut: Any) -> None:
    bench = await Bench(dut, seed=25, log2=8).begin(filter_i=0b100000)
    await bench.give(0, 250)
    bench.to_any, bench.judge = True, 100
    sent = 0
    for n in range(60):
        dut.loopback_i.value = n % 2
        for _ in range(2):
            bench.transmit(bench.frame(bench.rng.choice((14, 60, 400))), index=(sent := sent + 1))
            bench.receive(bench.frame(bench.rng.choice((60, 100, 300))), pace=bench.rng.choice((1, 4, 8)))
        await bench.cycles(bench.rng.randrange(300))
    dut.loopback_i.value = 0
    await bench.until(lambda: bench.counters["tx0"] + bench.counters["tx19"] == sent)
    assert 0 < bench.counters["tx19"] < sent
    await settled(bench, sent + bench.counters["tx19"])
    assert [c.index for c in bench.completions if not c.rx] == list(range(1, sent + 1))

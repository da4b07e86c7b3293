# SPDX-License-Identifier: Apache-2.0
"""The receive half (loopback, rx_filter, rx_path, dma_write, completer, irq) from the MAC's words to host memory, byte for byte."""

from __future__ import annotations

from typing import Any

import cocotb

from nic_rx_bench import BROADCAST, EOP, ERROR, MASK32, OK, OWN, SOP, Bench

FCS, RX_ER, RUNT, OVERSIZE, FALSE_CARRIER, NO_SFD, IN_RANGE, OUT_OF_RANGE = (1 << i for i in range(8))
DROPS = range(10, 20)


def conserved(bench: Bench) -> bool:
    """wire_frames = delivered_frames + the sum of the drop causes."""
    count = bench.counters
    return count["rx0"] == count["rx2"] + sum(count[f"rx{i}"] for i in DROPS)


async def settled(bench: Bench, wire_frames: int) -> None:
    """Every frame sent was counted and ended, nothing is under way."""
    await bench.until(lambda: bench.counters["rx0"] == wire_frames and conserved(bench), 80000)
    await bench.until(lambda: int(bench.dut.idle_o.value) == 1)
    await bench.cycles(100)


# ---- delivery --------------------------------------------------------------------------------------------------------


@cocotb.test()
async def a_frame_reaches_its_buffer_and_completes(dut: Any) -> None:
    bench = await Bench(dut, seed=1).begin()
    await bench.give(0, 1)
    bench.deliver(0, bench.frame(60))
    await settled(bench, 1)
    (c,) = bench.completions
    assert (c.index, c.length, c.frame_length, c.cause) == (bench.producer[0], 60, 60, 0)
    assert c.status == OK | SOP | EOP | 16
    assert (bench.counters["rx1"], bench.counters["rx3"], bench.counters["rx28"]) == (64, 60, 1)


@cocotb.test()
async def every_alignment_and_length_is_written_byte_exact(dut: Any) -> None:
    bench = await Bench(dut, seed=2, log2=8).begin()
    for length in (14, 15, 16, 17, 60, 61, 63, 64, 65, 100, 255, 256, 257, 700, 1513, 1514):
        for align in range(8):
            await bench.give(0, 1, align)
            bench.deliver(0, bench.frame(length), wire=max(length, 60) + 4)
    await settled(bench, 128)
    assert bench.counters["rx2"] == 128


@cocotb.test()
async def frames_over_many_buffers_of_odd_sizes_are_complete(dut: Any) -> None:
    for size in (64, 65, 100, 127, 333, 1000):
        bench = await Bench(dut, seed=size, log2=8, buf_size=size).begin()
        frames = [bench.frame(bench.rng.randrange(60, 1515)) for _ in range(12)]
        await bench.give(0, sum(-(-len(f) // size) for f in frames))
        for data in frames:
            bench.deliver(0, data)
        await settled(bench, 12)
        assert len(bench.frames[0]) == 12 and not bench.posted(0)


@cocotb.test()
async def a_jumbo_frame_takes_141_buffers_of_64_bytes(dut: Any) -> None:
    bench = await Bench(dut, seed=3, log2=9, buf_size=64).begin(max_frame=9018)
    await bench.give(0, 2 * 141)
    for _ in range(2):
        bench.deliver(0, bench.frame(9014))
    await settled(bench, 2)
    assert bench.counters["rx2"] == 2 and len(bench.completions) == 282
    assert bench.completions[140].length == 9014 - 140 * 64


@cocotb.test()
async def each_queue_gets_its_frames_in_order_at_random_stalls(dut: Any) -> None:
    bench = Bench(dut, seed=4, log2=5, buf_size=256)
    bench.stall, bench.latency = 0.5, (1, 150)
    await bench.begin()
    for n in range(60):
        queue = bench.rng.randrange(bench.queues)
        dut.default_queue_i.value = queue
        need = -(-(length := bench.rng.randrange(60, 1515)) // 256)
        await bench.until(lambda q=queue, n=need: bench.posted(q) + n <= 32)
        await bench.give(queue, need)
        bench.deliver(queue, bench.frame(length, BROADCAST if n % 3 else OWN), pace=bench.rng.choice((1, 5, 8)))
        await bench.until(lambda n=n: bench.counters["rx0"] == n + 1)
    await settled(bench, 60)
    assert bench.counters["rx2"] == 60 and bench.most_outstanding == 8
    assert (bench.counters["rx4"], bench.counters["rx8"]) == (20, 40)


# ---- waiting and dropping --------------------------------------------------------------------------------------------


@cocotb.test()
async def a_frame_waits_until_enough_descriptors_are_posted(dut: Any) -> None:
    bench = await Bench(dut, seed=5, buf_size=512).begin()
    await bench.give(0, 2)
    bench.deliver(0, bench.frame(1514))
    await bench.cycles(2500)
    assert bench.writes == 0 and bench.counters["rx0"] == 1
    await bench.give(0, 1)
    await settled(bench, 1)
    assert len(bench.frames[0]) == 1


@cocotb.test()
async def waiting_frames_are_dropped_whole_when_the_buffer_fills(dut: Any) -> None:
    bench = await Bench(dut, seed=6, log2=6).begin()
    for _ in range(40):
        bench.deliver(0, bench.frame(1514), pace=2)
    await bench.until(lambda: bench.counters["rx0"] == 40)
    dropped = bench.counters["rx16"]
    assert 18 <= dropped <= 22 and not bench.completions
    bench.lossy = True
    await bench.give(0, 40)
    await settled(bench, 40)
    assert len(bench.frames[0]) == 40 - bench.counters["rx16"]


@cocotb.test()
async def frames_that_arrive_at_a_full_buffer_are_counted_buffer_full(dut: Any) -> None:
    bench = Bench(dut, seed=7, log2=6)
    bench.stall, bench.lossy = 0.9, True
    await bench.begin()
    await bench.give(0, 60)
    for _ in range(60):
        bench.deliver(0, bench.frame(1514), pace=1)
    await bench.until(lambda: bench.counters["rx0"] == 60)
    assert bench.counters["rx15"] > 20 and bench.counters["rx16"] == 0
    bench.stall = 0.1
    await settled(bench, 60)
    assert len(bench.frames[0]) == 60 - bench.counters["rx15"]


@cocotb.test()
async def a_queue_that_is_off_drops_its_frames_at_once(dut: Any) -> None:
    bench = await Bench(dut, seed=8).begin(enabled_i=0)
    for _ in range(3):
        bench.receive(bench.frame(100))
    await settled(bench, 3)
    assert bench.counters["rx17"] == 3


@cocotb.test()
async def a_waiting_frame_is_dropped_when_its_queue_goes_off(dut: Any) -> None:
    bench = await Bench(dut, seed=9).begin()
    bench.receive(bench.frame(100))
    await bench.until(lambda: bench.counters["rx0"] == 1)
    await bench.cycles(50)
    dut.enabled_i.value = 0
    await settled(bench, 1)
    assert bench.counters["rx17"] == 1


@cocotb.test()
async def a_queue_that_is_not_built_counts_as_off(dut: Any) -> None:
    bench = await Bench(dut, seed=10).begin(default_queue_i=63)
    if bench.queues == 64:
        return
    bench.receive(bench.frame(100))
    await settled(bench, 1)
    assert bench.counters["rx17"] == 1


@cocotb.test()
async def soft_reset_drops_what_is_buffered_and_what_arrives_as_disabled(dut: Any) -> None:
    bench = await Bench(dut, seed=11).begin()
    for _ in range(6):
        bench.receive(bench.frame(500))
    await bench.until(lambda: bench.counters["rx0"] == 4)
    dut.flush_i.value = 1
    await settled(bench, 6)
    assert bench.counters["rx19"] == 6


# ---- ingress ---------------------------------------------------------------------------------------------------------

CASES = {  # flags, wire octets, data bytes -> counters beside wire_frames; the drop cause first
    "disabled": (0, 64, 60, {19, 28}),
    "rx_er": (RX_ER | FCS, 64, 60, {11, 28, 35}),
    "oversize": (OVERSIZE, 1600, 1514, {13, 27}),
    "jabber": (OVERSIZE | FCS, 1600, 1514, {13, 26}),
    "runt": (RUNT, 40, 36, {12, 24}),
    "fragment": (RUNT | FCS, 40, 36, {12, 25}),
    "rx_er fragment": (RUNT | FCS | RX_ER, 40, 36, {11, 25}),
    "short runt": (RUNT | FCS, 3, 0, {12, 25}),
    "fcs": (FCS, 300, 296, {10, 31, 35}),
    "filtered": (0, 65, 61, {14, 29}),
    "largest": (OUT_OF_RANGE, 1518, 1514, {23, 33}),
    "tagged": (IN_RANGE, 1522, 1518, {22, 34}),
    "127": (0, 127, 123, {29}),
    "128": (0, 128, 124, {30}),
    "255": (0, 255, 251, {30}),
    "511": (0, 511, 507, {31}),
    "512": (0, 512, 508, {32}),
    "1023": (0, 1023, 1019, {32}),
    "1024": (0, 1024, 1020, {33}),
}


@cocotb.test()
async def each_wire_frame_counts_once_in_each_group(dut: Any) -> None:
    bench = await Bench(dut, seed=12, log2=6).begin()
    await bench.give(0, 30)
    for number, (name, (flags, wire, length, expected)) in enumerate(CASES.items()):
        bench.counters.clear()
        dut.rx_enable_i.value = int(name != "disabled")
        to = OWN if name != "filtered" else bytes.fromhex("020000000002")
        bench.receive(data := (to + bytes(length))[:length], flags=flags, wire=wire)
        if not expected & set(DROPS):
            bench.to_host[0].append(data)
        await settled(bench, 1)
        seen = {int(k[2:]) for k in bench.counters} - {0, 1, 2, 3, 4, 5}
        assert seen == expected, (number, name, seen)
        assert bench.counters["rx1"] == wire


@cocotb.test()
async def carriers_without_a_frame_are_counted_and_no_frames(dut: Any) -> None:
    bench = await Bench(dut, seed=13).begin()
    await bench.give(0, 1)
    bench.receive(b"", wire=0, flags=FALSE_CARRIER)
    bench.receive(b"", wire=0, flags=NO_SFD)
    bench.deliver(0, bench.frame(60))
    await settled(bench, 1)
    assert (bench.counters["rx20"], bench.counters["rx21"], bench.counters["rx2"]) == (1, 1, 1)


@cocotb.test()
async def pass_bad_delivers_bad_frames_with_their_cause(dut: Any) -> None:
    bench = await Bench(dut, seed=14).begin(pass_bad_i=1)
    await bench.give(0, 8)
    for flags, wire in (
        (FCS, 64),
        (RX_ER | FCS, 64),
        (RUNT, 40),
        (OVERSIZE, 1600),
        (IN_RANGE, 64),
        (RUNT | FCS, 18),
        (RUNT | FCS, 17),
    ):
        bench.receive((OWN + bytes(2000))[: min(wire, 1518) - 4], flags=flags, wire=wire)
    await settled(bench, 7)
    assert [(s & (OK | ERROR), c) for _, s, c in bench.frames[0]] == [(ERROR, c) for c in (16, 17, 18, 19, 20, 18)]
    assert bench.counters["rx12"] == 1 and bench.counters["rx2"] == 6


@cocotb.test()
async def back_to_back_fragments_do_not_disturb_the_lookup_of_the_next_frame(dut: Any) -> None:
    bench = await Bench(dut, seed=15).begin(filter_i=0b010011)  # all multicast: the walk takes several cycles
    await bench.give(0, 60)
    multicast = bytes.fromhex("01005e000001")
    for n in range(40):
        bench.receive(multicast[: 1 + n % 6], flags=RUNT | FCS, wire=5 + n % 6, pace=1 + n % 3)
        bench.deliver(0, bench.frame(60, (OWN, multicast, BROADCAST)[n % 3]), pace=1 + n % 4)
    await settled(bench, 80)
    assert (bench.counters["rx2"], bench.counters["rx6"], bench.counters["rx8"]) == (40, 13, 13)


# ---- errors ----------------------------------------------------------------------------------------------------------


@cocotb.test()
async def a_data_write_error_costs_one_frame(dut: Any) -> None:
    bench = await Bench(dut, seed=16, buf_size=256).begin()
    await bench.give(0, 60)
    frames = [bench.frame(600) for _ in range(6)]
    bench.fail_writes, bench.lossy = {8}, True
    for data in frames:
        bench.deliver(0, data, pace=8)
    await settled(bench, 6)
    (bad,) = (n for n, (_, _, cause) in enumerate(bench.frames[0]) if cause)
    per_frame = [c for c in bench.completions if c.status & ERROR]
    assert bench.frames[0][bad][2] == 8 and len(per_frame) == 3 and {c.cause for c in per_frame} == {8}
    assert (bench.counters["rx18"], bench.counters["rx2"]) == (1, 5)


@cocotb.test()
async def an_error_on_any_write_is_recovered_from(dut: Any) -> None:
    for nth in range(0, 40, 3):
        bench = await Bench(dut, seed=100 + nth, buf_size=256).begin(csr_dir_i=1)
        await bench.give(0, 60)
        bench.fail_writes, bench.lossy = {nth}, True
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
    bench.fail_writes = {1}  # the first frame's completion
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
    bench.fail_reads = {4}
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
    bench.latency = (200, 300)
    await bench.begin()
    await bench.give(0, 4)
    for _ in range(4):
        bench.deliver(0, bench.frame(60))
    await bench.until(lambda: bench.counters["rx0"] == 4)
    dut.enabled_i.value = 0
    await bench.pulse("barrier", queue=0)
    await bench.until(lambda: bool(bench.barriers))
    at, rx, queue = bench.barriers[0]
    assert (rx, queue) == (1, 0) and int(dut.idle_o.value) == 1
    done = len(bench.completions)
    assert bench.visible[1, 0] == bench.start + done & MASK32 and at >= max(bench.responded_at.values())
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
    bench.stall = 0.8
    await bench.begin(loopback_i=1)
    await bench.give(0, 100)
    for n in range(60):
        data = bench.frame(1514)
        bench.transmit(data, index=n + 1)
        bench.to_host[0].append(data)
    await settled(bench, 60)
    assert bench.counters["rx2"] == 60


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


# ---- speed -----------------------------------------------------------------------------------------------------------


async def line_rate(dut: Any, cycles: int) -> Bench:
    bench = Bench(dut, seed=26, log2=10)
    bench.latency, bench.stall, bench.ev_stall, bench.read_latency = (63, 63), 0.0, 0.5, (125, 125)
    await bench.begin()
    await bench.give(0, 300)
    start = bench.cycle + 50
    for n in range(300):
        bench.deliver(0, bench.frame(60), at=start + n * cycles, pace=cycles // 9)
        bench.record(0, n + 1, 60, verdict=0, cause=1)
    await settled(bench, 300)
    assert bench.counters["rx2"] == 300
    return bench


@cocotb.test()
async def short_frames_keep_up_at_125_mhz(dut: Any) -> None:
    bench = await line_rate(dut, 84)
    times = [c.cycle for c in bench.completions if c.rx]
    assert times[-1] - bench.status_at[-1] < 2 * 63 + 60


@cocotb.test()
async def short_frames_keep_up_at_100_mhz(dut: Any) -> None:
    bench = await line_rate(dut, 67)
    times = [c.cycle for c in bench.completions if c.rx]
    assert times[-1] - bench.status_at[-1] < 2 * 63 + 60


@cocotb.test()
async def a_short_frame_is_visible_two_write_responses_and_35_cycles_after_its_status(dut: Any) -> None:
    bench = Bench(dut, seed=27)
    bench.latency, bench.stall, bench.ev_stall = (63, 63), 0.0, 0.0
    await bench.begin()
    await bench.give(0, 1, 0)
    await bench.cycles(200)
    bench.deliver(0, bench.frame(60))
    await settled(bench, 1)
    took = max(bench.responded_at.values()) - bench.status_at[0]
    dut._log.info("status word to visible completion: %d cycles with 63-cycle responses", took)
    assert took <= 2 * 63 + 35

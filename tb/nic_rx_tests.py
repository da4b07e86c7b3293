# SPDX-License-Identifier: Apache-2.0
"""The receive half from the MAC's words to host memory, byte for byte: delivery, waiting, counting, speed."""

from __future__ import annotations

from typing import Any

import cocotb
from nic_rx_bench import BROADCAST, DROPS, EOP, ERROR, OK, OWN, SOP, Bench, settled

FCS, RX_ER, RUNT, OVERSIZE, FALSE_CARRIER, NO_SFD, IN_RANGE, OUT_OF_RANGE = (1 << i for i in range(8))


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
    for size in (64, 65, 127, 1000):
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
    bench.axi.stall, bench.axi.latency = 0.5, (1, 150)
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
    assert bench.counters["rx2"] == 60 and bench.axi.most_outstanding == 8
    assert (bench.counters["rx4"], bench.counters["rx8"]) == (20, 40)


# ---- waiting and dropping --------------------------------------------------------------------------------------------


@cocotb.test()
async def a_frame_waits_until_enough_descriptors_are_posted(dut: Any) -> None:
    bench = await Bench(dut, seed=5, buf_size=512).begin()
    await bench.give(0, 2)
    bench.deliver(0, bench.frame(1514))
    await bench.cycles(2500)
    assert bench.axi.writes == 0 and bench.counters["rx0"] == 1
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
    bench.axi.stall, bench.lossy = 0.9, True
    await bench.begin()
    await bench.give(0, 60)
    for _ in range(60):
        bench.deliver(0, bench.frame(1514), pace=1)
    await bench.until(lambda: bench.counters["rx0"] == 60)
    assert bench.counters["rx15"] > 20 and bench.counters["rx16"] == 0
    bench.axi.stall = 0.1
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


# ---- speed -----------------------------------------------------------------------------------------------------------


async def line_rate(dut: Any, cycles: int) -> Bench:
    bench = Bench(dut, seed=26, log2=10)
    bench.axi.latency, bench.axi.stall, bench.ev_stall, bench.axi.read_latency = (63, 63), 0.0, 0.5, (125, 125)
    await bench.begin()
    await bench.give(0, 120)
    start = bench.cycle + 50
    for n in range(120):
        bench.deliver(0, bench.frame(60), at=start + n * cycles, pace=cycles // 9)
        bench.record(0, n + 1, 60, verdict=0, cause=1)
    await settled(bench, 120)
    assert bench.counters["rx2"] == 120
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
    bench.axi.latency, bench.axi.stall, bench.ev_stall = (63, 63), 0.0, 0.0
    await bench.begin()
    await bench.give(0, 1, 0)
    await bench.cycles(200)
    bench.deliver(0, bench.frame(60))
    await settled(bench, 1)
    took = max(bench.axi.responded_at) - bench.status_at[0]
    dut._log.info("status word to visible completion: %d cycles with 63-cycle responses", took)
    assert took <= 2 * 63 + 35

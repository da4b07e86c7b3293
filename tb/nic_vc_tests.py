# SPDX-License-Identifier: Apache-2.0
"""Token buckets to the octet, fair turns, a scheduler whose frames cost the same at any number of VCs, and tags."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import cocotb
from cocotb.triggers import ClockCycles, RisingEdge
from nic_vc_bench import (
    GAP,
    LINE_BITS,
    LONGEST,
    SCHEDULER,
    UNIT,
    Bench,
    Contract,
    expect_bucket,
    expect_rate,
    words_of,
)

LONG = os.environ.get("HILNIC_SOAK") == "1"


RATES = [(100_000_000, (46, 250)), (500_000_000, (46, 1514))]
SLOW_RATES = [(1_000_000, (46, 200)), (10_000_000, (46, 600)), (900_000_000, (46, 1514))]


@cocotb.test()
@cocotb.parametrize(contract=RATES + (SLOW_RATES if LONG else []))
async def a_thousand_frames_keep_the_rate_and_never_more_than_the_bucket(dut, contract) -> None:
    rate, lengths = contract
    bench = await Bench.start(dut)
    made = Contract(5, 7, rate, burst=2 * LONGEST)
    await bench.connect(made)
    await bench.pulse("fill", 7)
    frames = await bench.run(1100, lengths)
    expect_bucket(frames, made.interval, made.burst)
    expect_rate(frames[100:], rate)


@cocotb.test()
async def the_peak_bounds_the_burst_and_the_rate_the_whole(dut) -> None:
    bench = await Bench.start(dut)
    made = Contract(0, 3, 100_000_000, burst=30_000, peak=500_000_000, peak_burst=LONGEST)
    await bench.connect(made)
    await bench.pulse("fill", 3)
    frames = await bench.run(120, (200, 1514))
    expect_bucket(frames, made.interval, made.burst, late=1 << 20)
    expect_bucket(frames, made.peak_interval, made.peak_burst, late=1 << 20)
    expect_rate(frames[:20], 500_000_000)
    expect_rate(frames[50:], 100_000_000)


@cocotb.test()
async def a_new_contract_starts_with_at_most_an_empty_bucket(dut) -> None:
    bench = await Bench.start(dut)
    slow = Contract(0, 3, 10_000_000, burst=LONGEST)
    fast = Contract(0, 3, 400_000_000, burst=2 * LONGEST)
    await bench.connect(slow)
    await bench.pulse("fill", 3)
    await bench.run(2, (1514, 1514))
    await bench.connect(fast, new=False)
    begin = int(dut.cycle_o.value)
    frames = await bench.run(200, (46, 1514))
    assert frames[0].at - begin <= LONGEST * fast.interval / UNIT + SCHEDULER, "it waits for the old contract"
    expect_rate(frames, 400_000_000)
    await bench.connect(Contract(0, 3, 150_000_000, burst=2 * LONGEST), new=False)
    frames = await bench.run(100, (46, 1514))
    expect_bucket(frames[10:], round(UNIT * LINE_BITS / 150_000_000), 2 * LONGEST)


@cocotb.test()
async def the_line_is_shared_by_quantum_whatever_the_lengths(dut) -> None:
    """Two VCs and a connectionless queue, 2 : 4 : 1, each with frames of its own lengths."""
    bench = await Bench.start(dut)
    dut.quantum_i.value = 2048
    await bench.connect(Contract(0, 1, quantum=4096))
    await bench.connect(Contract(1, 2, quantum=8192))
    await bench.fill(1, 2, 3)
    taken: Counter[int] = Counter()
    lengths = {1: (46, 200), 2: (1000, 1514), 3: (46, 1514)}
    (frame,) = await bench.run(1, (60, 60))
    for _ in range(1000):
        # the next frame is most often the same queue's: its length is drawn for that one
        (frame,) = await bench.run(1, lengths[frame.queue])
        taken[frame.queue] += frame.octets
    whole = sum(taken.values())
    for queue, weight in ((1, 2), (2, 4), (3, 1)):  # never further apart than a turn and a frame
        assert abs(taken[queue] - whole * weight / 7) <= 2048 * weight + LONGEST, (queue, taken)


@cocotb.test()
async def overload_takes_nothing_from_a_guaranteed_contract(dut) -> None:
    bench = await Bench.start(dut)
    promised = [
        Contract(0, 1, 300_000_000, 3 * LONGEST, guaranteed=True),
        Contract(1, 2, 50_000_000, 3 * LONGEST, guaranteed=True),
    ]
    for contract in promised:
        await bench.connect(contract)
    await bench.connect(Contract(2, 3))
    await bench.connect(Contract(3, 4, 400_000_000, 3 * LONGEST))
    await bench.fill(0, 1, 2, 3, 4)
    frames = await bench.run(1000, (46, 1514))
    for contract in promised:
        own = [frame for frame in frames[300:] if frame.queue == contract.queue]
        expect_rate(own, contract.rate)
    line = sum(frame.octets + GAP for frame in frames[300:-1])
    assert frames[-1].at - frames[300].at <= line * 1.002, "the line rests with frames waiting"


@cocotb.test()
async def a_vc_may_change_its_class_in_traffic(dut) -> None:
    """Guaranteed and not, again and again, most often while its frame is at work: nobody falls out of the rings."""
    bench = await Bench.start(dut)
    vcs = [Contract(vc, vc + 1, 200_000_000, 2 * LONGEST, quantum=9000) for vc in range(3)]
    guaranteed = dict.fromkeys(range(3), False)
    for contract in vcs:
        await bench.connect(contract)
    await bench.fill(0, 1, 2, 3)
    for _ in range(200):
        frames = await bench.run(bench.random.randrange(1, 6), (46, 700))
        vc = frames[-1].queue - 1 if frames[-1].queue else bench.random.randrange(3)
        guaranteed[vc] = not guaranteed[vc]
        await bench.connect(replace(vcs[vc], guaranteed=guaranteed[vc]), new=False)
    for contract in vcs:
        await bench.connect(contract, new=False)
    frames = await bench.run(60, (46, 700))
    assert {frame.queue for frame in frames} == {0, 1, 2, 3}


@cocotb.test()
async def each_queue_keeps_its_place_until_it_is_empty(dut) -> None:
    """A queue that runs empty is offered no more, and is back with its next descriptor."""
    bench = await Bench.start(dut)
    await bench.fill(4, 5)
    await bench.run(10, (60, 60))
    await bench.pulse("empty", 4)
    frames = await bench.run(12, (60, 60))
    assert {frame.queue for frame in frames[2:]} == {5}
    await bench.pulse("fill", 4)
    frames = await bench.run(80, (60, 60))
    assert {frame.queue for frame in frames} == {4, 5}


@cocotb.test()
async def waiting_vcs_cost_a_frame_nothing(dut) -> None:
    """All VCs but one wait for slow buckets: the other's short frames follow each other at line rate all the same."""
    bench = await Bench.start(dut)
    count = 1 << bench.vc_bits
    for vc in range(count - 1):
        await bench.connect(Contract(vc, vc + 1, 1_000_000, LONGEST))
        await bench.pulse("fill", vc + 1)
    await bench.run(count - 1, (1514, 1514))
    await bench.connect(Contract(count - 1, 0))
    await bench.pulse("fill", 0)
    frames = [frame for frame in await bench.run(600, (46, 46)) if frame.queue == 0]
    distances = [after.at - before.at for before, after in pairwise(frames[60:])]
    assert max(Counter(distances).items(), key=lambda item: item[1])[0] == 64 + GAP
    assert sum(distances) <= len(distances) * (64 + GAP) + LONGEST * 12, "the line rests"


@cocotb.test()
async def all_vcs_get_their_rate_at_once(dut) -> None:
    """Contracts of every VC add up to nine tenths of the line: each within three frames of its due."""
    bench = await Bench.start(dut)
    count = 1 << bench.vc_bits
    weights = [1 + vc % 7 for vc in range(count)]
    unit = 0.9 * LINE_BITS / sum(weights)
    made = [
        Contract(vc, vc, int(unit * weight), 2 * 600, longest=600, guaranteed=True) for vc, weight in enumerate(weights)
    ]
    for contract in made:
        await bench.connect(contract)
    await bench.fill(*range(count))
    warm = 2 * count
    frames = await bench.run(warm + 6 * count, (500, 592))
    begin, end = frames[warm].at, frames[-1].at
    for contract in made:
        octets = sum(frame.octets for frame in frames[warm:] if frame.queue == contract.queue)
        due = (end - begin) * contract.rate / LINE_BITS
        assert abs(octets - due) <= 3 * 600, f"{contract}: {octets} octets, due {due:.0f}"


@cocotb.test()
async def of_2048_queues_each_has_its_turn_within_17_cycles(dut) -> None:
    """Few and many requests, anywhere: the next one above, else the first; none that has fallen."""
    bench = await Bench.start(dut)
    last = -1
    for count in (1, 2, 5, 40, 700, 2048):
        wanted = bench.random.sample(range(2048), count)
        dut.request_i.value = sum(1 << queue for queue in wanted)
        await ClockCycles(dut.clk_i, 40)
        for turn in range(12):
            waited = 0
            while not dut.choice_valid_o.value:
                await RisingEdge(dut.clk_i)
                waited += 1
            found = int(dut.choice_o.value)
            above = [queue for queue in wanted if queue > last]
            assert found in wanted
            assert not turn or found == min(above or wanted), f"{found} after {last}"
            assert waited <= 18
            last = found
            dut.choice_take_i.value = 1
            await RisingEdge(dut.clk_i)
            dut.choice_take_i.value = 0
            await RisingEdge(dut.clk_i)
        dut.request_i.value = 0
        await ClockCycles(dut.clk_i, 3)


@cocotb.test()
async def tags_go_in_behind_the_source_address(dut) -> None:
    """Every length from 14 to 90, with tag and without, back to back but for the two cycles that tx_assemble rests."""
    bench = await Bench.start(dut)
    frames, expected, found = [], [], []
    for length in range(14, 91):
        frame, tci = bench.random.randbytes(length), bench.random.randrange(1 << 16)
        put = bench.random.random() < 0.7
        frames.append((frame, put, tci))
        expected.append(frame[:12] + b"\x81\x00" + tci.to_bytes(2, "big") + frame[12:] if put else frame)

    async def collect() -> None:
        data = b""
        while len(found) < len(expected):
            await RisingEdge(dut.clk_i)
            if dut.tagged_valid_o.value:
                word = int(dut.tagged_data_o.value)
                last, count = word >> 67, (word >> 64 & 7) + 1
                assert last or count == 8
                assert bool(dut.tagged_commit_o.value) is bool(last)
                data += (word & (1 << 64) - 1).to_bytes(8, "little")[:count]
                if last:
                    found.append(data)
                    data = b""

    collector = cocotb.start_soon(collect())
    for frame, put, tci in frames:
        dut.frame_valid_i.value, dut.frame_tagged_i.value, dut.frame_tci_i.value = 1, int(put), tci
        await RisingEdge(dut.clk_i)
        dut.frame_valid_i.value = 0
        await RisingEdge(dut.clk_i)
        for word in words_of(frame):
            dut.word_valid_i.value, dut.word_data_i.value = 1, word
            await RisingEdge(dut.clk_i)
        dut.word_valid_i.value = 0
        await RisingEdge(dut.clk_i)
    await collector
    assert found == expected


@cocotb.test()
async def tags_come_out_again(dut) -> None:
    """Every length from 18 to 90, stripped and not, with pauses on both sides."""
    bench = await Bench.start(dut)
    for length in range(18, 91):
        frame, strip = bench.random.randbytes(length), bench.random.random() < 0.7
        expected = frame[:12] + frame[16:] if strip else frame
        dut.strip_begin_i.value, dut.strip_i.value, dut.strip_length_i.value = 1, int(strip), length
        await RisingEdge(dut.clk_i)
        dut.strip_begin_i.value = 0
        words = [word & (1 << 64) - 1 for word in words_of(frame)]
        data, fed, offered = b"", 0, False
        while len(data) < len(expected):
            offered = fed < len(words) and (offered or bench.random.random() < 0.7)
            dut.buf_valid_i.value = int(offered)
            dut.buf_data_i.value = words[fed] if offered else 0
            dut.out_ready_i.value = int(bench.random.random() < 0.7)
            await RisingEdge(dut.clk_i)
            if dut.buf_valid_i.value and dut.buf_ready_o.value:
                fed, offered = fed + 1, False
            if dut.out_valid_o.value and dut.out_ready_i.value:
                data += int(dut.out_data_o.value).to_bytes(8, "little")
        dut.buf_valid_i.value = dut.out_ready_i.value = 0
        await ClockCycles(dut.clk_i, 2)
        assert fed == len(words)
        assert data[: len(expected)] == expected

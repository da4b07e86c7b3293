# SPDX-License-Identifier: Apache-2.0
"""hdl/common: no crossing loses, doubles, reorders or tears anything at any ratio of the clocks; FIFOs too."""

import random
from collections import Counter, deque

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge, Timer

STREAMS = ("cdc", "fifo", "skid")


def any_clocks(count: int):
    """Pairs of periods from 3 to 20 ns, often nearly equal, in any phase."""
    rng = random.Random(cocotb.RANDOM_SEED)
    for _ in range(count):
        a = rng.randrange(3000, 20000, 2)
        b = rng.choice((a - 2, a, a + 2, rng.randrange(3000, 20000, 2)))
        yield {"a_ps": a, "b_ps": b, "phase_ps": rng.randrange(a)}


class Bench:
    """The wrapper common_bench with its two clocks, out of reset."""

    def __init__(self, dut):
        self.dut = dut
        self.random = random.Random(cocotb.RANDOM_SEED)

    @classmethod
    async def start(cls, dut, a_ps=8000, b_ps=8000, phase_ps=0):
        bench = cls(dut)
        inputs = [f"{name}_{end}_i" for name in STREAMS for end in ("wr_valid", "wr_data", "rd_ready")]
        inputs += [f"frame_{end}_i" for end in ("wr_valid", "wr_data", "wr_commit", "wr_rollback", "rd_ready")]
        for name in (*inputs, "a_rst_ni", "b_rst_ni", "sync_d_i", "pulse_i", "clear_i"):
            getattr(dut, name).value = 0
        dut.word_i.value = 0x1234
        bench.a = Clock(dut.a_clk_i, a_ps, "ps", impl="gpi")
        bench.a.start()
        await Timer(phase_ps + 1, "ps")
        bench.b = Clock(dut.b_clk_i, b_ps, "ps", impl="gpi")
        bench.b.start()
        await ClockCycles(dut.a_clk_i, 3)
        await ClockCycles(dut.b_clk_i, 3)
        dut.a_rst_ni.value = dut.b_rst_ni.value = 1
        await ClockCycles(dut.a_clk_i, 5)
        await ClockCycles(dut.b_clk_i, 5)
        return bench

    async def stop(self):
        self.a.stop()
        self.b.stop()
        await Timer(50, "ns")

    async def write(self, stream: str, words, likely=1.0):
        """Offer each word until it is taken, with pauses."""
        dut = self.dut
        valid, ready = getattr(dut, f"{stream}_wr_valid_i"), getattr(dut, f"{stream}_wr_ready_o")
        for word in words:
            while self.random.random() >= likely:
                await RisingEdge(dut.a_clk_i)
            valid.value, getattr(dut, f"{stream}_wr_data_i").value = 1, word
            await RisingEdge(dut.a_clk_i)
            while ready.value != 1:
                await RisingEdge(dut.a_clk_i)
            valid.value = 0

    async def read(self, stream: str, count: int, clock, likely=1.0) -> list[int]:
        dut, words = self.dut, []
        valid, ready = getattr(dut, f"{stream}_rd_valid_o"), getattr(dut, f"{stream}_rd_ready_i")
        while len(words) < count:
            wants = self.random.random() < likely
            ready.value = int(wants)
            await RisingEdge(clock)
            if wants and valid.value == 1:
                words.append(int(getattr(dut, f"{stream}_rd_data_o").value))
        ready.value = 0
        return words

    async def carry(self, stream: str, clock, count=200, wr_likely=1.0, rd_likely=1.0):
        """Send random words through a stream and compare."""
        words = [self.random.randrange(1 << 16) for _ in range(count)]
        writing = cocotb.start_soon(self.write(stream, words, wr_likely))
        got = await self.read(stream, count, clock, rd_likely)
        await writing
        assert got == words


# Crossings ----------------------------------------------------------------------------------------------------------


@cocotb.test()
async def cdc_fifo_carries_every_word_once_at_any_ratio_and_phase(dut):
    for clocks in any_clocks(12):
        bench = await Bench.start(dut, **clocks)
        for likely in ((1.0, 1.0), (0.3, 1.0), (1.0, 0.3), (0.6, 0.6)):
            await bench.carry("cdc", dut.b_clk_i, 60, *likely)
        await bench.stop()


@cocotb.test()
async def cdc_fifo_passes_a_word_per_cycle(dut):
    bench = await Bench.start(dut, phase_ps=3000)
    before = cocotb.utils.get_sim_time("ns")
    await bench.carry("cdc", dut.b_clk_i, 200)
    assert cocotb.utils.get_sim_time("ns") - before < (200 + 16) * 8


@cocotb.test()
async def cdc_fifo_holds_its_depth_and_the_output_word(dut):
    bench = await Bench.start(dut)
    writing = cocotb.start_soon(bench.write("cdc", range(20)))
    await ClockCycles(dut.b_clk_i, 60)
    assert dut.cdc_wr_ready_o.value == 0
    assert int(dut.cdc_wr_data_i.value) == 9  # nine words are inside, the tenth waits
    assert await bench.read("cdc", 20, dut.b_clk_i) == list(range(20))
    await writing


@cocotb.test()
async def cdc_sync_takes_two_cycles_and_sometimes_three(dut):
    await Bench.start(dut, phase_ps=1000)
    seen = Counter()
    for n in range(60):
        await RisingEdge(dut.a_clk_i)
        dut.sync_d_i.value = level = (n + 1) & 1
        cycles = 0
        await RisingEdge(dut.b_clk_i)
        while dut.sync_q_o.value != level:
            cycles += 1
            await RisingEdge(dut.b_clk_i)
        seen[cycles] += 1
    assert set(seen) == {2, 3} and min(seen.values()) > 10


@cocotb.test()
async def every_pulse_arrives_once(dut):
    for clocks in any_clocks(6):
        bench = await Bench.start(dut, **clocks)
        gap = 5 + 5 * bench.b.period // bench.a.period
        seen = cocotb.start_soon(count_pulses(dut, int(30 * gap * bench.a.period / bench.b.period) + 40))
        for _ in range(25):
            dut.pulse_i.value = 1
            await RisingEdge(dut.a_clk_i)
            dut.pulse_i.value = 0
            await ClockCycles(dut.a_clk_i, int(gap))
        assert await seen == 25
        await bench.stop()


async def count_pulses(dut, cycles: int) -> int:
    count = 0
    for _ in range(cycles):
        await RisingEdge(dut.b_clk_i)
        count += int(dut.pulse_o.value == 1)
    return count


@cocotb.test()
async def a_configuration_word_is_never_torn_and_the_last_one_arrives(dut):
    for clocks in any_clocks(6):
        bench = await Bench.start(dut, **clocks)
        offered = {0x1234}
        watching = cocotb.start_soon(watch_word(dut, offered))
        for _ in range(60):
            word = bench.random.randrange(256) * 0x101
            offered.add(word)
            dut.word_i.value = word
            await ClockCycles(dut.a_clk_i, bench.random.choice((1, 2, 3, 10)))
        await Timer(300, "ns")
        assert dut.word_o.value == word
        watching.cancel()
        await bench.stop()


async def watch_word(dut, offered):
    while True:
        await RisingEdge(dut.b_clk_i)
        assert int(dut.word_o.value) in offered


@cocotb.test()
async def a_stopped_clock_is_noticed_within_seventy_cycles(dut):
    bench = await Bench.start(dut)
    for _ in range(3):
        await ClockCycles(dut.b_clk_i, 80)
        assert dut.a_alive_o.value == 1
        bench.a.stop()
        await ClockCycles(dut.b_clk_i, 25)
        assert dut.a_alive_o.value == 1
        await ClockCycles(dut.b_clk_i, 45)
        assert dut.a_alive_o.value == 0
        bench.a.start()


@cocotb.test()
async def a_slow_clock_counts_as_running(dut):
    await Bench.start(dut, a_ps=8000, b_ps=5000)
    await ClockCycles(dut.b_clk_i, 80)
    for _ in range(400):
        await RisingEdge(dut.b_clk_i)
        assert dut.a_alive_o.value == 1


@cocotb.test()
async def reset_asserts_without_a_clock_and_releases_after_two_edges(dut):
    bench = await Bench.start(dut)
    bench.b.stop()
    await Timer(50, "ns")
    dut.a_rst_ni.value = 0
    await Timer(1, "ns")
    assert dut.a_rst_no.value == 0
    dut.a_rst_ni.value = 1
    await Timer(50, "ns")
    assert dut.a_rst_no.value == 0
    bench.b.start()
    await ClockCycles(dut.b_clk_i, 4)
    assert dut.a_rst_no.value == 1


# Synchronous --------------------------------------------------------------------------------------------------------


@cocotb.test()
async def fifo_and_skid_buffer_keep_every_word_in_order(dut):
    bench = await Bench.start(dut)
    for stream in ("fifo", "skid"):
        for likely in ((1.0, 1.0), (0.3, 1.0), (1.0, 0.3), (0.5, 0.5)):
            await bench.carry(stream, dut.a_clk_i, 150, *likely)


@cocotb.test()
async def fifo_and_skid_buffer_pass_a_word_per_cycle(dut):
    bench = await Bench.start(dut)
    for stream in ("fifo", "skid"):
        before = cocotb.utils.get_sim_time("ns")
        await bench.carry(stream, dut.a_clk_i, 100)
        assert cocotb.utils.get_sim_time("ns") - before < 104 * 8


@cocotb.test()
async def fifo_counts_fills_and_clears(dut):
    bench = await Bench.start(dut)
    await bench.write("fifo", range(8))
    await RisingEdge(dut.a_clk_i)
    assert dut.fifo_count_o.value == 8 and dut.fifo_wr_ready_o.value == 0
    dut.clear_i.value = 1
    await ClockCycles(dut.a_clk_i, 1)
    dut.clear_i.value = 0
    await ClockCycles(dut.a_clk_i, 1)
    assert dut.fifo_count_o.value == 0 and dut.fifo_rd_valid_o.value == 0


@cocotb.test()
async def frame_fifo_shows_a_word_three_cycles_after_its_commit(dut):
    await Bench.start(dut)
    dut.frame_wr_valid_i.value = dut.frame_wr_commit_i.value = 1
    dut.frame_wr_data_i.value = 77
    await RisingEdge(dut.a_clk_i)
    dut.frame_wr_valid_i.value = dut.frame_wr_commit_i.value = 0
    await ClockCycles(dut.a_clk_i, 3)
    assert dut.frame_rd_valid_o.value == 1 and dut.frame_rd_data_o.value == 77


@cocotb.test()
async def frame_fifo_delivers_committed_frames_only(dut):
    bench = await Bench.start(dut)
    expected = deque()
    reading = cocotb.start_soon(read_frames(bench, expected))
    for _ in range(150):
        await write_frame(bench, expected, commit=bench.random.random() < 0.6)
    await ClockCycles(dut.a_clk_i, 150)
    assert not expected and int(dut.frame_free_o.value) == 32
    reading.cancel()


async def write_frame(bench, expected, commit: bool):
    """Up to 12 words; the end comes with the last word or after it, and a rollback may come with nothing written."""
    dut, words = bench.dut, [bench.random.randrange(1 << 16) for _ in range(bench.random.randrange(1, 13))]
    together = bench.random.random() < 0.5
    for at, word in enumerate(words):
        while int(dut.frame_free_o.value) < 2 or bench.random.random() < 0.2:
            await RisingEdge(dut.a_clk_i)
        ends = together and at == len(words) - 1
        dut.frame_wr_valid_i.value, dut.frame_wr_data_i.value = 1, word
        dut.frame_wr_commit_i.value, dut.frame_wr_rollback_i.value = int(ends and commit), int(ends and not commit)
        if ends and commit:
            expected.extend(words)
        await RisingEdge(dut.a_clk_i)
        dut.frame_wr_valid_i.value = dut.frame_wr_commit_i.value = dut.frame_wr_rollback_i.value = 0
        await RisingEdge(dut.a_clk_i)  # free_o speaks of what was written before
    if not together:
        dut.frame_wr_commit_i.value, dut.frame_wr_rollback_i.value = int(commit), int(not commit)
        if commit:
            expected.extend(words)
        await RisingEdge(dut.a_clk_i)
        dut.frame_wr_commit_i.value = dut.frame_wr_rollback_i.value = 0


async def read_frames(bench, expected):
    dut = bench.dut
    while True:
        wants = bench.random.random() < 0.7
        dut.frame_rd_ready_i.value = int(wants)
        await RisingEdge(dut.a_clk_i)
        if wants and dut.frame_rd_valid_o.value == 1:
            assert int(dut.frame_rd_data_o.value) == expected.popleft()


@cocotb.test()
async def frame_fifo_passes_a_word_per_cycle(dut):
    await Bench.start(dut)
    dut.frame_rd_ready_i.value = dut.frame_wr_valid_i.value = dut.frame_wr_commit_i.value = 1
    await ClockCycles(dut.a_clk_i, 4)
    for _ in range(100):
        await RisingEdge(dut.a_clk_i)
        assert dut.frame_rd_valid_o.value == 1 and int(dut.frame_free_o.value) >= 30

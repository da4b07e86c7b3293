# SPDX-License-Identifier: Apache-2.0
"""mac_port with its line looped back: words in, verdicts and words with a status out, whatever the three clocks do."""

import random
import zlib
from dataclasses import dataclass

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge, Timer

RX_ER, RUNT, OVERSIZE = 1 << 33, 1 << 34, 1 << 35


@dataclass
class Received:
    data: bytes  # all octets of the data words
    status: int

    @property
    def length(self) -> int:
        return self.status & 0xFFFF

    @property
    def octets(self) -> int:
        return self.status >> 16 & 0xFFFF

    @property
    def flags(self) -> int:
        return self.status >> 32 << 32

    @property
    def frame(self) -> bytes:
        assert len(self.data) == (self.length + 7) // 8 * 8
        assert not any(self.data[self.length :])
        return self.data[: self.length]


class Bench:
    def __init__(self, dut):
        self.dut = dut
        self.random = random.Random(cocotb.RANDOM_SEED)
        self.verdicts: list[tuple[bool, int]] = []
        self.received: list[Received] = []
        self.rx_likely = 1.0

    @classmethod
    async def start(cls, dut, period_ps=8000, **config):
        bench = cls(dut)
        values = {"ifg": 12, "max_frame": 1518, "keep_fcs": 0, "host_fcs": 0} | config
        for name, value in values.items():
            getattr(dut, f"cfg_{name}_i").value = value
        for name in ("rst_ni", "tx_valid_i", "tx_data_i", "tx_last_i", "tx_count_i", "verdict_ready_i", "rx_ready_i"):
            getattr(dut, name).value = 0
        bench.clock = Clock(dut.clk_i, period_ps, "ps", impl="gpi")
        bench.gmii_clock = Clock(dut.gmii_clk_i, 8000, "ps", impl="gpi")
        bench.clock.start()
        await Timer(bench.random.randrange(1, 8000), "ps")
        bench.gmii_clock.start()
        await ClockCycles(dut.clk_i, 4)
        dut.rst_ni.value = 1
        await ClockCycles(dut.clk_i, 40)
        dut.verdict_ready_i.value = 1
        bench.tasks = [cocotb.start_soon(bench._verdicts()), cocotb.start_soon(bench._words())]
        return bench

    async def stop(self):
        for task in self.tasks:
            task.cancel()
        self.clock.stop()
        self.gmii_clock.stop()
        await Timer(100, "ns")

    def frame(self, size: int) -> bytes:
        return self.random.randbytes(12) + b"\x08\x00" + self.random.randbytes(size - 14)

    async def send(self, frame: bytes):
        dut = self.dut
        for at in range(0, len(frame), 8):
            word = frame[at : at + 8]
            dut.tx_valid_i.value, dut.tx_data_i.value = 1, int.from_bytes(word, "little")
            dut.tx_last_i.value, dut.tx_count_i.value = int(at + 8 >= len(frame)), len(word) - 1
            await RisingEdge(dut.clk_i)
            while dut.tx_ready_o.value != 1:
                await RisingEdge(dut.clk_i)
        dut.tx_valid_i.value = 0

    async def exchange(self, *frames: bytes) -> list[Received]:
        """Send frames and return what came back of them, in order."""
        first = len(self.received)
        for frame in frames:
            await self.send(frame)
        await self.settle(first + len(frames))
        return self.received[first:]

    async def settle(self, count: int, cycles=20_000):
        for _ in range(cycles):
            if len(self.received) >= count and len(self.verdicts) >= count:
                return
            await RisingEdge(self.dut.clk_i)
        raise AssertionError(f"{len(self.received)} frames and {len(self.verdicts)} verdicts of {count}")

    async def _verdicts(self):
        dut = self.dut
        while True:
            await RisingEdge(dut.clk_i)
            if dut.verdict_valid_o.value == 1:
                self.verdicts.append((dut.verdict_abort_o.value == 1, int(dut.verdict_length_o.value)))

    async def _words(self):
        dut, data = self.dut, b""
        while True:
            wants = self.random.random() < self.rx_likely
            dut.rx_ready_i.value = int(wants)
            await RisingEdge(dut.clk_i)
            if wants and dut.rx_valid_o.value == 1:
                word = int(dut.rx_data_o.value)
                if dut.rx_status_o.value == 1:
                    self.received.append(Received(data, word))
                    data = b""
                else:
                    data += word.to_bytes(8, "little")


@cocotb.test()
async def frames_of_any_size_come_back_at_any_system_clock(dut):
    for period_ps in (5000, 7998, 8002, 10000):
        bench = await Bench.start(dut, period_ps)
        frames = [bench.frame(size) for size in (60, 61, 62, 63, 64, 65, 66, 67, 68, 200, 1514)]
        for frame, came in zip(frames, await bench.exchange(*frames), strict=True):
            assert came.frame == frame and not came.flags and came.octets == len(frame) + 4
        assert bench.verdicts == [(False, len(frame) + 4) for frame in frames]
        await bench.stop()


@cocotb.test()
async def short_frames_are_padded_and_the_verdict_counts_the_padding(dut):
    bench = await Bench.start(dut, 10000)
    for size in (14, 20, 59):
        frame = bench.frame(size)
        (came,) = await bench.exchange(frame)
        assert came.frame == frame.ljust(60, b"\0") and bench.verdicts[-1] == (False, 64)


@cocotb.test()
async def a_reader_that_pauses_now_and_then_loses_nothing(dut):
    bench = await Bench.start(dut, 10000)
    bench.rx_likely = 0.3
    frames = [bench.frame(bench.random.choice((60, 100, 333))) for _ in range(20)]
    assert [came.frame for came in await bench.exchange(*frames)] == frames


@cocotb.test()
async def configuration_reaches_the_mac(dut):
    bench = await Bench.start(dut)
    for name, value in (("max_frame", 100), ("keep_fcs", 1), ("host_fcs", 1)):
        getattr(dut, f"cfg_{name}_i").value = value
    await ClockCycles(dut.clk_i, 40)
    frame = bench.frame(96)
    (came,) = await bench.exchange(frame + zlib.crc32(frame).to_bytes(4, "little"))
    assert came.frame == frame + zlib.crc32(frame).to_bytes(4, "little") and not came.flags
    assert bench.verdicts == [(False, 100)]
    (came,) = await bench.exchange(bench.frame(150))
    assert came.flags & OVERSIZE and came.length == 100 and came.octets == 150


@cocotb.test()
async def a_starved_frame_ends_as_an_abort(dut):
    bench = await Bench.start(dut)
    frame = bench.frame(800)
    sending = cocotb.start_soon(bench.send(frame))
    while dut.tx_en_o.value != 1:
        await RisingEdge(dut.clk_i)
    bench.clock.stop()
    await Timer(5, "us")
    bench.clock.start()
    await sending
    await bench.settle(1)
    assert bench.verdicts[0][0] and bench.received[0].flags & RX_ER
    (came,) = await bench.exchange(bench.frame(100))
    assert not came.flags


@cocotb.test()
async def stopped_mac_clocks_are_noticed_and_nothing_is_lost(dut):
    bench = await Bench.start(dut, 7000)
    frames = [bench.frame(300) for _ in range(6)]
    exchanging = cocotb.start_soon(bench.exchange(*frames))
    for _ in range(4):
        await ClockCycles(dut.clk_i, bench.random.randrange(100, 400))
        assert dut.tx_clk_alive_o.value == 1 and dut.rx_clk_alive_o.value == 1
        bench.gmii_clock.stop()
        await ClockCycles(dut.clk_i, 120)
        assert dut.tx_clk_alive_o.value == 0 and dut.rx_clk_alive_o.value == 0
        bench.gmii_clock.start()
    assert [came.frame for came in await exchanging] == frames


@cocotb.test()
async def a_reader_that_stops_loses_frames_but_never_their_borders(dut):
    bench = await Bench.start(dut)
    sent = []
    for _ in range(30):
        bench.rx_likely = 0.0 if bench.random.random() < 0.4 else 1.0
        frame = bench.frame(bench.random.choice((60, 90, 150, 400)))
        sent.append(frame)
        await bench.send(frame)
        await ClockCycles(dut.clk_i, bench.random.randrange(300))
    bench.rx_likely = 1.0
    await ClockCycles(dut.clk_i, 2000)
    assert len(bench.verdicts) == 30 and 5 < len(bench.received) <= 30
    good = [came.frame for came in bench.received if not came.flags]
    spoilt = [came for came in bench.received if came.flags]
    assert good and spoilt and all(came.flags == RX_ER and came.length == len(came.data) for came in spoilt)
    at = 0
    for frame in good:
        at = sent.index(frame, at) + 1  # in order, and exactly what was sent

# SPDX-License-Identifier: Apache-2.0
"""Vocabulary of the MAC's tests: cocotbext-eth on the line, monitors of every cycle of both sides."""

import random
import zlib
from dataclasses import dataclass, field

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, Event, RisingEdge, with_timeout
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamSource
from cocotbext.eth import GmiiFrame, GmiiSink, GmiiSource

PREAMBLE = bytes([0x55] * 7 + [0xD5])
FLAGS = (
    "fcs_bad", "er", "runt", "oversize", "false_carrier", "missing_sfd", "length_mismatch", "length_range", "tagged",
)  # fmt: skip


def fcs(data: bytes) -> bytes:
    """The four octets that 802.3 puts behind `data`."""
    return zlib.crc32(data).to_bytes(4, "little")


def padded(data: bytes) -> bytes:
    return data.ljust(60, b"\0")


@dataclass
class Seen:
    """What left the receiver for one carrier: its beats and the status pulse."""

    data: bytes
    bad: bool  # tuser at tlast
    beats_at: int | None  # cycle of the first beat
    octets: int
    flags: frozenset[str]


@dataclass
class LineFrame:
    """What was on the transmit pins while tx_en was high."""

    data: bytearray = field(default_factory=bytearray)
    error: list[int] = field(default_factory=list)
    start: int = 0
    gap: int = 0  # idle cycles before it

    @property
    def octets(self) -> bytes:
        """The octets behind preamble and SFD."""
        return bytes(self.data[8:])


class MacBench:
    """One eth_mac_1g: `await MacBench.start(dut)`."""

    def __init__(self, dut):
        self.dut = dut
        self.random = random.Random(cocotb.RANDOM_SEED)
        self.cycle = 0  # of both clocks
        self.line: list[LineFrame] = []
        self.verdicts: list[tuple[bool, int]] = []  # aborted, octets
        self.accepted_at: list[int] = []  # cycles of first beats
        self.seen: list[Seen] = []
        self.octet_at: list[int] = []  # cycle of each first octet after an SFD on the receive pins
        self._changed = Event()

    @classmethod
    async def start(cls, dut, ifg=12, host_fcs=0, max_frame=1518, keep_fcs=0):
        bench = cls(dut)
        for name in ("gmii_rxd_i", "gmii_rx_dv_i", "gmii_rx_er_i", "tx_rst_ni", "rx_rst_ni"):
            getattr(dut, name).value = 0
        dut.cfg_ifg_i.value, dut.cfg_host_fcs_i.value = ifg, host_fcs
        dut.cfg_max_frame_i.value, dut.cfg_keep_fcs_i.value = max_frame, keep_fcs
        dut.s_axis_tx_tvalid.value = 0
        cocotb.start_soon(Clock(dut.tx_clk_i, 8, "ns", impl="gpi").start())
        cocotb.start_soon(Clock(dut.rx_clk_i, 8, "ns", impl="gpi").start())
        await ClockCycles(dut.tx_clk_i, 4)
        dut.tx_rst_ni.value = dut.rx_rst_ni.value = 1
        bench.source = GmiiSource(dut.gmii_rxd_i, dut.gmii_rx_er_i, dut.gmii_rx_dv_i, dut.rx_clk_i)
        bench.sink = GmiiSink(dut.gmii_txd_o, dut.gmii_tx_er_o, dut.gmii_tx_en_o, dut.tx_clk_i)
        bus = AxiStreamBus.from_prefix(dut, "s_axis_tx")
        bench.stream = AxiStreamSource(bus, dut.tx_clk_i, dut.tx_rst_ni, reset_active_level=False)
        for end in (bench.source, bench.sink, bench.stream):
            end.log.setLevel("WARNING")
        await ClockCycles(dut.tx_clk_i, 20)
        cocotb.start_soon(bench._watch_tx())
        cocotb.start_soon(bench._watch_rx())
        return bench

    # transmit -----------------------------------------------------------------------------------------------------

    async def transmit(self, *frames: bytes, abort_at=None) -> list[LineFrame]:
        """Send frames through the AXI-Stream; return what was on the line once their verdicts are in."""
        first = len(self.verdicts)
        for frame in frames:
            user = 0 if abort_at is None else [int(i == abort_at) for i in range(len(frame))]
            self.stream.send_nowait(AxiStreamFrame(frame, tuser=user))
        await self._until(lambda: len(self.verdicts) >= first + len(frames))
        await ClockCycles(self.dut.tx_clk_i, 2)
        return self.line[first:]

    async def _watch_tx(self):
        dut, gap, frame, first_beat = self.dut, 0, None, True
        while True:
            await RisingEdge(dut.tx_clk_i)
            self.cycle += 1
            if dut.s_axis_tx_tvalid.value == 1 and dut.s_axis_tx_tready.value == 1:
                if first_beat:
                    self.accepted_at.append(self.cycle)
                first_beat = dut.s_axis_tx_tlast.value == 1
            if dut.gmii_tx_en_o.value == 1:
                if frame is None:
                    frame = LineFrame(start=self.cycle, gap=gap)
                    self.line.append(frame)
                frame.data.append(int(dut.gmii_txd_o.value))
                frame.error.append(int(dut.gmii_tx_er_o.value))
                gap = 0
            else:
                frame, gap = None, gap + 1
            if dut.tx_done_o.value == 1:
                self.verdicts.append((dut.tx_abort_o.value == 1, int(dut.tx_octets_o.value)))
                self._changed.set()

    # receive ------------------------------------------------------------------------------------------------------

    async def receive(self, *carriers: bytes, errors=None, ifg=12) -> list[Seen]:
        """Put carriers (preamble included) on the line; return what the receiver made of each."""
        first = len(self.seen)
        self.source.ifg = ifg
        for carrier in carriers:
            self.source.send_nowait(GmiiFrame(carrier, errors))
        await self._until(lambda: len(self.seen) >= first + len(carriers))
        await ClockCycles(self.dut.rx_clk_i, 20)  # whatever comes unasked shows up too
        return self.seen[first:]

    async def receive_frame(self, data: bytes, **kwargs) -> Seen:
        """One well-formed frame around `data`, which is padded."""
        data = padded(data)
        (seen,) = await self.receive(PREAMBLE + data + fcs(data), **kwargs)
        return seen

    async def drive(self, *pins: tuple[int, int, int]):
        """Drive (data, dv, er) cycle by cycle, past GmiiSource."""
        for data, dv, er in (*pins, (0, 0, 0)):
            self.dut.gmii_rxd_i.value, self.dut.gmii_rx_dv_i.value, self.dut.gmii_rx_er_i.value = data, dv, er
            await RisingEdge(self.dut.rx_clk_i)
        await ClockCycles(self.dut.rx_clk_i, 20)

    async def _watch_rx(self):
        dut, data, bad, beats_at, last, hunting = self.dut, bytearray(), False, None, False, True
        cycle = 0
        while True:
            await RisingEdge(dut.rx_clk_i)
            cycle += 1
            if dut.gmii_rx_dv_i.value == 0:
                hunting = True
            elif hunting and dut.gmii_rxd_i.value == 0xD5:
                hunting = False
                self.octet_at.append(cycle + 1)
            if dut.m_axis_rx_tvalid.value == 1:
                assert not last, "beats after tlast"
                beats_at = cycle if beats_at is None else beats_at
                data.append(int(dut.m_axis_rx_tdata.value))
                last, bad = dut.m_axis_rx_tlast.value == 1, dut.m_axis_rx_tuser.value == 1
                assert last or not bad, "tuser without tlast"
            if dut.rx_valid_o.value == 1:
                assert last or not data, "status before tlast"
                flags = frozenset(name for name in FLAGS if getattr(dut, f"rx_{name}_o").value == 1)
                self.seen.append(Seen(bytes(data), bad, beats_at, int(dut.rx_octets_o.value), flags))
                data, bad, beats_at, last = bytearray(), False, None, False
                self._changed.set()

    async def _until(self, condition, cycles=100_000):
        while not condition():
            self._changed.clear()
            await with_timeout(self._changed.wait(), cycles * 8, "ns")

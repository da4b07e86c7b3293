# SPDX-License-Identifier: Apache-2.0
"""cocotbext-axi and cocotbext-eth as the far ends (`ENDS=cocotbext`): the pins are theirs, behind the same ports.

What is on the buses and when is still the C library's: accesses and their times, latencies, injected errors,
permissions and the ring monitor. Only the transactors of tb/ are replaced, by independent models that wake every cycle.
A carrier with holes between frames under way is more than they can do; such a request raises `Unsupported`.
"""

from __future__ import annotations

import logging
import random
import warnings
from collections import deque
from collections.abc import Iterator
from typing import Any

import cocotb
from cocotb.triggers import RisingEdge
from cocotbext.axi import AxiLiteBus, AxiLiteMaster
from cocotbext.axi.axi_channels import (
    AxiARBus,
    AxiARSink,
    AxiAWBus,
    AxiAWSink,
    AxiBBus,
    AxiBSource,
    AxiRBus,
    AxiRSource,
    AxiWBus,
    AxiWSink,
)
from cocotbext.eth import GmiiFrame, GmiiSink, GmiiSource

from hilnic.cosim import hostmem
from hilnic.cosim.clock import SimClock, simulation_ps
from hilnic.cosim.hostmem import Carrier
from hilnic.cosim.link import HdlLink
from hilnic.wire.fcs import fcs
from hilnic.wire.link import GAP_OCTETS

__all__ = ["CocotbextEnds", "Unsupported"]


_OCTET_PS = 8000

# 0.1.28 still speaks cocotb 1's dialect
warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"cocotbext\.")


class Unsupported(Exception):
    """The models of cocotbext cannot do this."""


class CocotbextEnds:
    """Master, memory and GMII ends of one card; they live until the test ends."""

    def __init__(self, pins: Any, card: int, clock: SimClock, link: HdlLink, seed: int) -> None:
        self.card, self._clock, self._library, self._link = card, clock, clock.library, link
        self._settings = self._library.shared.settings[card]
        self._settings.deliver = 0  # frames come from the sink below
        for name in (pins._name, pins._path):
            logging.getLogger(f"cocotb.{name}").setLevel(logging.WARNING)
        self._pins = pins
        self._attach(pins)
        self._random = random.Random(seed)
        self._busy = False
        self._hold_ps = self._ended_ps = 0
        self._gaps: deque[int] = deque()  # wanted before each frame of the source's queue, the one under way first
        if self._settings.stall_percent:
            for channel in (self._ar, self._aw, self._w, self._r, self._b):
                channel.set_pause_generator(self._pauses())
        link.use_wire(self)
        self._tasks = [cocotb.start_soon(self._serve()), cocotb.start_soon(self._receive())]

    def __repr__(self) -> str:
        """Which card."""
        return f"<CocotbextEnds card {self.card}>"

    def _attach(self, pins: Any) -> None:
        clock, reset = pins.clk_i, pins.rst_ni
        self._cpu = AxiLiteMaster(AxiLiteBus.from_prefix(pins, "s_axil"), clock, reset, reset_active_level=False)
        self._ar = AxiARSink(AxiARBus.from_prefix(pins, "m_axi"), clock, reset, False)
        self._r = AxiRSource(AxiRBus.from_prefix(pins, "m_axi"), clock, reset, False)
        self._aw = AxiAWSink(AxiAWBus.from_prefix(pins, "m_axi"), clock, reset, False)
        self._w = AxiWSink(AxiWBus.from_prefix(pins, "m_axi"), clock, reset, False)
        self._b = AxiBSource(AxiBBus.from_prefix(pins, "m_axi"), clock, reset, False)
        self._source = GmiiSource(pins.gmii_rxd, pins.gmii_rx_er, pins.gmii_rx_dv, pins.end_clk_i)
        self._sink = GmiiSink(pins.gmii_txd, pins.gmii_tx_er, pins.gmii_tx_en, pins.tx_clk_i)

    def _pauses(self) -> Iterator[bool]:
        share = self._settings.stall_percent
        while True:
            yield self._random.randrange(100) < share

    # --- host side ----------------------------------------------------------------------------------------------------

    async def _serve(self) -> None:
        """Once per cycle: hand over what the buses brought, offer what is due."""
        edge = RisingEdge(self._pins.clk_i)
        while True:
            await edge
            if not self._settings.reset_n:
                self._forget()
                continue
            now = simulation_ps()
            self._take(now)
            self._answer(now)
            if not self._busy:
                access = self._library.csr(self.card, now)
                if access:
                    self._busy = True
                    cocotb.start_soon(self._access(access, self._library.csr_wdata(self.card, now)))

    def _forget(self) -> None:
        """In reset: what the models hold of cut bursts is of no use to anybody."""
        self._busy = False
        for channel in (self._ar, self._aw, self._w, self._r, self._b):
            if not channel.empty():
                channel.clear()

    def _take(self, now: int) -> None:
        library, card = self._library, self.card
        while not self._ar.empty():
            ar = self._ar.recv_nowait()
            library.ar(card, int(ar.arid), int(ar.araddr), int(ar.arlen) + 1, now)
        while not self._aw.empty():
            aw = self._aw.recv_nowait()
            library.aw(card, int(aw.awid), int(aw.awaddr), int(aw.awlen) + 1, now)
        while not self._w.empty():
            w = self._w.recv_nowait()
            library.w(card, int(w.wdata), int(w.wstrb), int(w.wlast), now)

    def _answer(self, now: int) -> None:
        library, card = self._library, self.card
        if self._r.count() < 2 and (word := library.r(card, now)):
            beat = self._r._transaction_obj()
            beat.rid, beat.rresp, beat.rlast = word >> 4, word >> 2 & 3, word >> 1 & 1
            beat.rdata = library.rdata(card, now)
            self._r.send_nowait(beat)
        if self._b.empty() and (word := library.b(card, now)):
            answer = self._b._transaction_obj()
            answer.bid, answer.bresp = word >> 4, word >> 2 & 3
            self._b.send_nowait(answer)

    async def _access(self, access: int, data: int) -> None:
        address = access >> 8 & 0xFF_FFFF
        if access >> 1 & 1:
            written = await self._cpu.write(address, data.to_bytes(4, "little"))
            if written is None:  # cut by a reset
                return
            response, value = int(written.resp), 0
        else:
            read = await self._cpu.read(address, 4)
            if read is None:
                return
            response, value = int(read.resp), int.from_bytes(read.data, "little")
        self._library.csr_done(self.card, response, value, simulation_ps())
        self._busy = False

    # --- wire: what HdlLink puts on it --------------------------------------------------------------------------------

    def source_backlog(self, _card: int) -> int:
        """Frames that are not on the wire yet."""
        return int(self._source.count())

    def send_symbols(self, _card: int, symbols: list[int], gap: int, _at_ps: int, _tag: int) -> None:
        """A carrier without holes; or symbols of any kind by hand, while the source has nothing to send."""
        if all(symbol >> 8 & 1 for symbol in symbols):
            self._put([symbol & 0xFF for symbol in symbols], [symbol >> 9 for symbol in symbols], gap, 0)
        elif self._gaps:
            raise Unsupported("cocotbext-eth sends no symbols outside of a carrier")
        else:
            self._hold_ps = simulation_ps() + (len(symbols) + gap + 2) * _OCTET_PS
            cocotb.start_soon(self._play(symbols))

    async def _play(self, symbols: list[int]) -> None:
        pins, edge = self._pins, RisingEdge(self._pins.end_clk_i)
        await edge
        self._link.on_sent(simulation_ps())
        for symbol in [*symbols, 0]:
            pins.gmii_rxd.value, pins.gmii_rx_dv.value, pins.gmii_rx_er.value = (
                symbol & 0xFF, symbol >> 8 & 1, symbol >> 9,
            )  # fmt: skip
            await edge

    def send(self, _card: int, data: bytes, carrier: Carrier, at_ps: int, _tag: int) -> None:
        """Queue a frame."""
        body = (data + _check(data, carrier.fcs))[: carrier.keep]
        octets = b"\x55" * carrier.preamble + b"\xd5" * carrier.sfd + body
        errors = [0] * len(octets)
        first = carrier.preamble + carrier.sfd + carrier.er_from
        errors[first : first + carrier.er_count] = [1] * carrier.er_count
        self._put(list(octets), errors[: len(octets)], carrier.gap, at_ps)

    def _put(self, octets: list[int], errors: list[int], gap: int, at_ps: int) -> None:
        frame = GmiiFrame(octets, errors, tx_complete=self._sent)
        if not self._gaps and self._ended_ps:
            at_ps = max(at_ps, self._ended_ps + gap * _OCTET_PS)
        self._gaps.append(gap)
        self._choose_gap()
        self._hold_ps = max(self._hold_ps, at_ps)
        if self._hold_ps <= simulation_ps():
            self._source.send_nowait(frame)
        else:
            self._clock.call_at(self._clock.to_ns(self._hold_ps) + 1, lambda: self._source.send_nowait(frame))

    def _choose_gap(self) -> None:
        """The source keeps its one `ifg` after each frame: let it be what the frame behind the current one wants."""
        self._source.ifg = self._gaps[1] if len(self._gaps) > 1 else GAP_OCTETS

    def _sent(self, frame: Any) -> None:
        self._gaps.popleft()
        self._choose_gap()
        self._ended_ps = simulation_ps()
        if frame.sim_time_start is not None:
            statistics = self._library.shared.statistics[self.card]
            statistics.rx_frames += 1
            statistics.progress += 1
            self._link.on_sent(frame.sim_time_start)

    async def _receive(self) -> None:
        while True:
            frame = await self._sink.recv()
            octets, error = bytes(frame.data), frame.error is not None and any(frame.error)
            at = octets.find(b"\xd5")
            data_at_ps = frame.sim_time_sfd or frame.sim_time_start
            # the sink does not report the first preamble octet; its count is the checkers' business
            self._link.arrived(octets[at + 1 :], self._clock.to_ns(data_at_ps) + 8, error=error)


def _check(data: bytes, kind: int) -> bytes:
    if kind == hostmem.FCS_NONE:
        return b""
    good = fcs(data)
    return good if kind == hostmem.FCS_GOOD else bytes(octet ^ 0xFF for octet in good)

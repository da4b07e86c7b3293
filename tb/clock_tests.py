# SPDX-License-Identifier: Apache-2.0
"""Clocks that stand, drift, and meet in any phase; the crossings add random cycles all the while (docs/nic.md)."""

import os
import random

import cocotb
from by_hand import RxQueue, TxQueue, started
from stack_bench import Traffic, finish, frame, one

from hilnic import ndis
from hilnic.cosim import hostmem
from hilnic.cosim.harness import Clocks
from hilnic.hw import regs
from hilnic.hw.regs import Cause, CompletionStatus, QueueState
from hilnic.ndis import NdisStatus

FAST = os.environ.get("HILNIC_SIM") == "verilator"
MAC_CLOCKS = (hostmem.RX, hostmem.TX)
ALIVE = regs.STATUS_TX_CLK_ALIVE | regs.STATUS_RX_CLK_ALIVE


def _stop(card):
    for which in MAC_CLOCKS:
        card.stop_clock(which)


def _start(card):
    for which in MAC_CLOCKS:
        card.start_clock(which)


@cocotb.test()
async def every_register_answers_within_64_cycles_while_both_mac_clocks_stand(dut):
    """The checker AXIL-03 measures each access; the status says which clock is alive."""
    harness = await started(dut)
    card = harness.cards[0]
    assert await card.device.read32(regs.STATUS) & ALIVE == ALIVE
    _stop(card)
    await harness.sleep(2_000)
    assert await card.device.read32(regs.STATUS) & ALIVE == 0
    offsets = [regs.ID, regs.CTRL, regs.MAC_CFG, regs.MAX_FRAME, regs.RX_FILTER, regs.TX_COUNTERS, regs.RX_COUNTERS + 4]
    for offset in [*offsets, regs.exact_lo(31), regs.tx_page(0), regs.rx_page(3) + regs.QUEUE_CONSUMED]:
        await card.device.read32(offset)
    for offset, value in ((regs.MAC_CFG, 20), (regs.MAX_FRAME, 9018), (regs.STATS_CTRL, 1), (regs.SCRATCH, 5)):
        card.device.write32(offset, value)
    assert await card.device.read32(regs.SCRATCH) == 5
    assert await card.device.read32(regs.MAC_CFG) == 20
    _start(card)
    await harness.sleep(2_000)
    assert await card.device.read32(regs.STATUS) & ALIVE == ALIVE
    harness.stop()


@cocotb.test()
@cocotb.parametrize(which=["tx", "rx", "both"])
async def a_disable_completes_while_a_mac_clock_stands(dut, which):
    """Frames that wait for a stopped transmitter end with cause 10; queue states and consumed indices are final."""
    harness = await started(dut)
    card = harness.cards[0]
    tx, rx = TxQueue(card), RxQueue(card)
    for queue in (tx, rx):
        queue.enable()
    assert await tx.state() & 7 == await rx.state() & 7 == QueueState.ENABLED
    rx.post(16)
    for n in range(6):
        tx.post(frame(n, 300))
    for queue in (tx, rx):
        queue.doorbell()
    card.link.send(frame(1, 200))
    await harness.sleep(3_000)
    if which in ("tx", "both"):
        card.stop_clock(hostmem.TX)
    if which in ("rx", "both"):
        card.stop_clock(hostmem.RX)
    await harness.sleep(3_000)
    for queue in (tx, rx):
        card.device.write32(queue.page() + regs.QUEUE_CTRL, 0)
        end = harness.now_ns + 100_000
        while await queue.state() & 7 != QueueState.DISABLED:
            assert harness.now_ns < end, harness.watchdog.report()
    done = tx.poll()
    assert len(done) == await card.device.read32(tx.page() + regs.QUEUE_CONSUMED)
    assert [completion.index for completion in done] == list(range(1, len(done) + 1))
    if which != "rx":
        flushed = [completion for completion in done if completion.status & CompletionStatus.ERROR]
        assert flushed and {completion.cause for completion in flushed} == {Cause.FLUSHED}
    harness.stop()


@cocotb.test()
async def a_soft_reset_completes_while_both_mac_clocks_stand_and_traffic_flows_when_they_run(dut):
    """ST-13: the driver's own reset, with the clocks stopped before it and started after it."""
    host = await one(dut)
    for _ in range(8 if FAST else 2):
        host.send(*[frame(n, 400) for n in range(10)])
        host.inject(*[frame(n, 400) for n in range(4)])
        await host.run(7_000)
        _stop(host.card)
        await host.run(2_000)
        assert await ndis.reset_adapter(host.stack.adapter) == NdisStatus.SUCCESS
        assert host.binding.outstanding == 0
        _start(host.card)
        await host.until(lambda: host.card.link.backlog == 0)
        await host.run(50_000)  # what was in the frame buffer is sent now; nobody waits for its verdict
        host.received.clear()
        host.wire.clear()
        await host.both([frame(n, 100) for n in range(20)])
    await finish(host)


@cocotb.test()
async def a_pause_completes_while_the_transmit_clock_stands(dut):
    """ST-03, ST-04: the miniport's part of it; what cannot be sent fails after its stall time, nothing hangs."""
    host = await one(dut, stall_ns=30_000)
    host.card.stop_clock(hostmem.TX)
    host.send(*[frame(n) for n in range(5)])
    await host.run(5_000)
    assert await host.nic.pause() == NdisStatus.SUCCESS
    assert host.binding.outstanding == 0 and host.sent == []
    host.card.start_clock(hostmem.TX)
    assert await host.nic.restart() == NdisStatus.SUCCESS
    await host.run(10_000)
    host.wire.clear()
    await host.both([frame(n) for n in range(30)])
    await finish(host)


@cocotb.test()
async def clocks_that_stop_and_start_under_traffic_lose_only_what_was_cut(dut):
    """RG-13: every NBL completes; what the wire has of each frame is whole, or marked bad, and traffic resumes."""
    host, draw = await one(dut, stall_ns=1_000_000, tx_ring=32), random.Random(12)
    traffic = Traffic(host, draw)
    for _ in range(30 if FAST else 4):
        await host.run(draw.randrange(1_000, 15_000))
        which = draw.choice(MAC_CLOCKS)
        host.card.stop_clock(which)
        await host.run(draw.randrange(100, 15_000))
        host.card.start_clock(which)
    await traffic.stop()
    await host.idle()
    await host.run(20_000)
    statistics = host.binding.statistics()
    assert statistics.completed == statistics.sent and statistics.failed == 0
    assert len(host.wire) == statistics.sent and all(wire.fcs_ok for wire in host.wire)
    counters = await host.rx_counters()
    fates = counters["DELIVERED_FRAMES"] + sum(v for k, v in counters.items() if k.startswith("DROP_"))
    assert counters["WIRE_FRAMES"] == fates == host.card.statistics.rx_frames
    await host.both([frame(n) for n in range(30)])
    await finish(host)


@cocotb.test()
@cocotb.parametrize(system_ps=[5000, 8000, 10000], drift=[-1, 1])
async def any_system_clock_and_100_ppm_either_way_carry_line_rate(dut, system_ps, drift):
    """100, 125 and 200 MHz; the wire 100 ppm fast or slow against the NIC's transmitter; random phases."""
    draw = random.Random(system_ps + drift)
    clocks = Clocks(
        system_ps=system_ps,
        rx_ps=8000 - 0.8 * drift,
        tx_ps=8000 + 0.8 * drift,
        phases_ps=(draw.randrange(8000), draw.randrange(8000), draw.randrange(8000)),
    )
    host = await one(dut, clocks=(clocks,), rx_ring=256, seed=system_ps)
    lengths = [60] * 60 + [1514, 60, 61, 62, 63, 64, 65, 66, 67, 1513]
    frames = [frame(n, length) for n, length in enumerate(lengths * (4 if FAST else 1))]
    for first in range(0, len(frames), 70):
        await host.both(frames[first : first + 70])
    counters = await host.rx_counters()
    assert counters["DELIVERED_FRAMES"] == counters["WIRE_FRAMES"] == len(frames)
    await finish(host)


@cocotb.test()
@cocotb.parametrize(seed=range(10 if FAST else 2))
async def any_phase_between_the_three_clocks_changes_nothing(dut, seed):
    """Periods and phases at random, both ways at once."""
    draw = random.Random(100 + seed)
    clocks = Clocks(
        system_ps=draw.randrange(5000, 10001),
        rx_ps=draw.uniform(7999.2, 8000.8),
        tx_ps=draw.uniform(7999.2, 8000.8),
        phases_ps=(0, draw.randrange(8000), draw.randrange(8000)),
    )
    host = await one(dut, clocks=(clocks,), seed=seed)
    await host.both([frame(n, draw.randrange(14, 300)) for n in range(40)], fragments=2)
    await finish(host)

# SPDX-License-Identifier: Apache-2.0
"""Bus errors on any burst of a run: frame data ends with an error, a ring's burst stops its queue, the driver resets.

The sweep numbers all bursts of a run of 20 frames each way, and lets one burst fail per run: each with the default
timing, a third of them with the hard one, three on Icarus and with cocotbext's ends.
"""

import os
import random

import cocotb
from stack_bench import HARD, finish, frame, one, padded

from hilnic.hw.timing import TimingModel
from hilnic.ndis import NdisStatus

FAST = (os.environ.get("HILNIC_SIM"), os.environ.get("HILNIC_ENDS")) == ("verilator", "hdl")
SLVERR, DECERR = 2, 3
ALLOWED = {NdisStatus.FAILURE, NdisStatus.RESET_IN_PROGRESS}
OPTIONS = {"tx_ring": 64, "rx_ring": 64, "rx_buffers": 128}


async def twenty_frames(host):
    """The run that is disturbed: 20 frames of two pieces each way, within about 60 us."""
    for number in range(20):
        host.send(frame(number, 300), fragments=2)
        host.inject(frame(number, 300))
        await host.run(500)
    await host.idle()
    await host.until(lambda: host.card.link.backlog == 0)


async def recovered(host):
    """Until the driver has come to rest: no reset under way, a register round trip later still none."""
    await host.run(30_000)
    await host.until(lambda: not host.stack.adapter.resetting and host.nic.queues_running)
    await host.run(5_000)


def bursts(host, channel):
    """Read or write bursts so far."""
    return host.card.statistics.reads if channel == "ar" else host.card.statistics.writes


def inject(host, channel, n, response):
    """The n-th burst from now on fails."""
    (host.card.inject_read_error if channel == "ar" else host.card.inject_write_error)(n, response)


async def reach(host, channel, target):
    """More traffic until the burst that fails has been there: timing decides how many bursts a run takes."""
    while bursts(host, channel) < target:
        host.send(frame(0))
        host.inject(frame(0))
        await host.run(5_000)
    await host.idle()
    await recovered(host)


@cocotb.test()
@cocotb.parametrize(channel=["ar", "aw"], timing=["default", "hard"])
async def an_error_on_any_burst_of_a_run_ends_in_recovery_and_100_good_frames(dut, channel, timing):
    """RG-14, RG-13: SLVERR and DECERR in turn on the n-th AR or AW, for every n of the run."""
    model = HARD if timing == "hard" else TimingModel()
    host = await one(dut, timing=model, seed=7, limit_ns=2_000_000_000, **OPTIONS)
    before = bursts(host, channel)
    await twenty_frames(host)
    await recovered(host)
    total = bursts(host, channel) - before
    numbers = range(1, total + 1, 3 if timing == "hard" else 1)
    if not FAST:
        numbers = random.Random(1).sample(numbers, 3)
    for n in numbers:
        statuses, binding = len(host.binding.statuses), host.binding
        sent, target = len(host.wire), bursts(host, channel) + n
        inject(host, channel, n, (SLVERR, DECERR)[n % 2])
        await twenty_frames(host)
        await recovered(host)
        await reach(host, channel, target)
        failed = binding.statuses[statuses:]
        assert set(failed) <= ALLOWED and binding.outstanding == 0, (channel, n)
        assert len(host.wire) - sent >= 20 - len(failed), (channel, n)
        assert all(frame_on_wire.fcs_ok and not frame_on_wire.error for frame_on_wire in host.wire[sent:])
        host.received.clear()
        host.wire.clear()
        await host.both([frame(1000 + k, 60 if k % 4 else 600) for k in range(100)])
    resets = [one for one in host.binding.status_indications if one.status_code == NdisStatus.RESET_START]
    assert resets or not FAST, "no burst of the sweep was one of a ring"
    await finish(host)


@cocotb.test()
async def a_read_error_on_frame_data_costs_one_frame_and_nothing_else(dut):
    """RG-14: the NBL fails, its neighbours are sent, the driver does not reset."""
    host = await one(dut, tx_ring=64)
    frames = [frame(n, 600) for n in range(6)]
    nbls = [host.layouts.build(data) for data in frames]
    # descriptors of all six come in one fetch: burst 1; each frame of 600 bytes then takes two or three data bursts
    host.card.inject_read_error(3)
    host.layouts.send_nbls(nbls)
    await host.until(lambda: len(host.layouts.completed) == 6)
    await host.run(20_000)
    statuses = [status for _, status in host.layouts.completed]
    assert sorted(statuses) == [NdisStatus.SUCCESS] * 5 + [NdisStatus.FAILURE]
    assert len(host.sent) == 5 and all(data in frames for data in host.sent)
    assert (await host.tx_counters())["DROP_DMA"] == 1
    assert (await host.statistics()).if_out_errors == 1
    await finish(host)


@cocotb.test()
async def a_write_error_on_frame_data_costs_one_frame_and_nothing_else(dut):
    """RG-14, R6-17: the damaged frame is never indicated, and counted once."""
    host = await one(dut)
    frames = [frame(n, 600) for n in range(6)]
    host.card.inject_write_error(3)
    host.inject(*frames)
    await host.until(lambda: host.card.link.backlog == 0)
    await host.run(20_000)
    assert len(host.received) == 5 and all(data in frames for data in host.received)
    counters = await host.rx_counters()
    assert (counters["DROP_DMA"], counters["DELIVERED_FRAMES"]) == (1, 5)
    await finish(host)


@cocotb.test()
@cocotb.parametrize(seed=range(2))
async def many_errors_at_random_under_full_duplex_traffic_are_survived(dut, seed):
    """RG-14, S6-02: every NBL completes once, with success, failure or reset."""
    host, draw = await one(dut, timing=HARD, seed=seed + 1, limit_ns=500_000_000, **OPTIONS), random.Random(seed)
    for _ in range(12 if FAST else 3):
        targets = []
        for _ in range(3):
            channel, n = draw.choice(("ar", "aw")), draw.randrange(1, 150)
            targets.append((channel, bursts(host, channel) + n))
            inject(host, channel, n, draw.choice((SLVERR, DECERR)))
        for _ in range(15):
            host.send(*[frame(n, draw.randrange(14, 900)) for n in range(4)], fragments=draw.randrange(1, 4))
            host.inject(*[frame(n, draw.randrange(60, 900)) for n in range(3)])
            await host.run(draw.randrange(5_000, 20_000))
        await host.idle()
        await host.until(lambda: host.card.link.backlog == 0)
        await recovered(host)
        for channel, target in targets:
            await reach(host, channel, target)
    statistics = host.binding.statistics()
    assert statistics.sent == statistics.completed and set(host.binding.statuses) <= ALLOWED
    host.received.clear()
    host.wire.clear()
    frames = [frame(n, 100) for n in range(100)]
    await host.both(frames)
    assert host.sent == [padded(data) for data in frames]
    await finish(host)

# SPDX-License-Identifier: Apache-2.0
"""The whole stack on one card of Verilog under load: polling, completions, line rate, random traffic, guarded memory.

Each test's `finish` also shows that a halt leaves nothing outstanding (ST-18, ST-19).
"""

import os
import random

import cocotb
from stack_bench import HARD, PEER, finish, frame, one, padded

from hilnic import ndis
from hilnic.cosim import hostmem
from hilnic.hw import regs
from hilnic.hw.descriptors import RX_DESCRIPTOR_STRUCT
from hilnic.hw.timing import TimingModel
from hilnic.miniport.rx import Receiver
from hilnic.testing import expect_violation
from hilnic.testing.special_pool import PoolCorruption
from hilnic.wire.link import WireFrame

FAST = os.environ.get("HILNIC_SIM") == "verilator"
"""Random tests take more rounds on the faster simulator."""


# --- completion -------------------------------------------------------------------------------------------------------


@cocotb.test()
@cocotb.parametrize(seed=range(2 if FAST else 1))
async def load_that_begins_and_ends_at_any_moment_is_polled_and_every_frame_comes(dut, seed):
    """RG-06: bursts at line rate in both directions, each followed by silence and one more frame at a random moment."""
    host, draw = await one(dut, timing=HARD, seed=seed), random.Random(seed)
    incoming = 0
    for _ in range(20 if FAST else 4):
        burst = [frame(incoming + n) for n in range(draw.randrange(1, 60))]
        host.inject(*burst)
        host.send(*burst)
        await host.until(lambda: host.card.link.backlog == 0)
        await host.run(draw.randrange(15_000))
        host.inject(frame(incoming + len(burst)))
        incoming += len(burst) + 1
        await host.until(lambda incoming=incoming: len(host.received) == incoming, what="the frame behind the burst")
        await host.idle()
    assert host.received == [frame(n) for n in range(incoming)]
    assert host.card.device.interrupts < incoming // 2
    await finish(host)


@cocotb.test()
async def a_buffer_overwritten_in_its_completion_was_read_before(dut):
    """S6-18: each completion poisons its buffer; the wire has the original bytes."""
    host = await one(dut)

    def poison(binding, nbl):
        for nb in nbl.net_buffers():
            nb.mdl_chain.region.view[:] = b"\xee" * len(nb.mdl_chain.region.view)

    host.raw.on_completed = poison
    frames = [frame(n, 1514 if n % 2 else 60) for n in range(40)]
    for data in frames:
        host.send(data, fragments=3)
    await host.idle()
    assert host.sent == frames
    await finish(host)


@cocotb.test()
async def a_completion_may_be_far_from_the_wire_and_the_frame_is_right_all_the_same(dut):
    """S6-17: the transmit clock stands for 10 000 cycles; buffers are poisoned at completion."""
    host = await one(dut, stall_ns=1_000_000)
    host.raw.on_completed = lambda binding, nbl: nbl.first_net_buffer.mdl_chain.region.view.__setitem__(
        slice(0, 60), b"\xee" * 60
    )
    host.card.stop_clock(hostmem.TX)
    frames = [frame(n) for n in range(10)]
    host.send(*frames)
    await host.run(80_000)
    assert host.sent == []
    host.card.start_clock(hostmem.TX)
    await host.idle()
    await host.until(lambda: len(host.sent) == 10)
    assert host.sent == frames
    await finish(host)


# --- speed and long runs ----------------------------------------------------------------------------------------------


@cocotb.test()
@cocotb.parametrize(fragments=[1, 4])
async def line_rate_of_shortest_frames_in_both_directions_without_a_drop(dut, fragments):
    """RG-13: the default timing model; 84 octets per frame on the wire, gap 12 between any two."""
    total, count = (1000 if FAST else 200), [0]

    def receive(binding, nbls, number, flags):
        count[0] += number
        binding.return_nbls(nbls)

    host = await one(dut, raw={"on_receive": receive})
    host.inject(*[frame(1)] * total)
    sent = 0
    while sent < total:
        burst = min(64 - host.binding.outstanding, total - sent)
        if burst:
            host.send(*[frame(1)] * burst, fragments=fragments)
            sent += burst
        await host.run(1_000)
    await host.idle()
    await host.until(lambda: count[0] == total)
    gaps = {gap: number for gap, number in enumerate(host.card.statistics.gaps) if number}
    assert gaps.get(12, 0) >= total - 2, gaps
    counters = await host.rx_counters()
    assert counters["DELIVERED_FRAMES"] == total
    await finish(host)


@cocotb.test()
@cocotb.parametrize(seed=range(2 if FAST else 1))
async def random_full_duplex_traffic_arrives_in_order_through_small_rings(dut, seed):
    """S6-11, R6-22, RG-03: jitter, random sizes, calls of 1 to 12 NBLs, gaps of 8 to 40."""
    timing = TimingModel(jitter_percent=60, stall_percent=10, weak=True)
    host = await one(dut, timing=timing, seed=seed + 5, tx_ring=16, rx_ring=64, rx_buffers=128, verify="full")
    draw, sent, wired = random.Random(seed), [], []
    for _ in range(60 if FAST else 12):
        out = [frame(len(sent) + n, draw.randrange(14, 600)) for n in range(draw.randrange(1, 13))]
        host.send(*out, fragments=draw.choice((1, 2, 5)))
        sent += [padded(data) for data in out]
        for _ in range(draw.randrange(6)):
            data = frame(len(wired), draw.randrange(60, 900), source=PEER)
            wired.append(data)
            host.inject(WireFrame(data, ifg=draw.randrange(8, 40)))
        await host.run(draw.randrange(1_000, 20_000))
    await host.idle()
    await host.until(lambda: len(host.received) == len(wired), limit_ns=20_000_000)
    assert host.sent == sent and host.received == wired
    assert regs.TxCounter.DROP_DMA.name in await host.tx_counters()
    await finish(host)


@cocotb.test()
async def a_dma_write_past_a_buffer_that_the_mapping_allows_is_found_by_the_special_pool(dut):
    """verify=full: a mutant driver maps and posts its buffers from their second byte on; V14 sees the frame changed."""
    right = Receiver.allocate

    def post_a_byte_too_far(receiver):
        right(receiver)
        for buffer in receiver._buffers:
            buffer.address += 1
            buffer.descriptor = RX_DESCRIPTOR_STRUCT.pack(buffer.address, 0)

    Receiver.allocate = post_a_byte_too_far
    try:
        host = await one(dut, verify="full", rx_buffer_bytes=256, rx_buffers=64, rx_ring=16, tx_ring=16)
    finally:
        Receiver.allocate = right
    with expect_violation(host.stack.host, "V14"):
        host.inject(frame(1, 255))
        await host.run()
        host.stack.special_pool.check()
        host.inject(frame(2, 256))
        await host.run()
    try:
        host.stack.special_pool.check()
    except PoolCorruption as found:
        assert "written behind" in str(found) and "256 bytes" in str(found)
    else:
        raise AssertionError("nobody has noticed")
    host.harness.stop()


@cocotb.test()
async def all_memory_of_a_clean_run_lies_between_guards_that_stay_whole(dut):
    """verify=full: rings, buffers and frames; weak ordering, small rings, a reset and a halt."""
    host = await one(
        dut, verify="full", timing=HARD, seed=3, rx_buffer_bytes=256, rx_ring=32, rx_buffers=64, tx_ring=16
    )
    for _ in range(3):
        await host.both([frame(n, 60 + 97 * n) for n in range(15)], fragments=3)
        await ndis.reset_adapter(host.stack.adapter)
        host.stack.special_pool.check()
    await finish(host)

# SPDX-License-Identifier: Apache-2.0
"""Virtual connections in numbers, and what orders meet: stopped clocks, waiting frames, queues that end meanwhile."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import cocotb
from device_bench import HARD, device

from hilnic.hw import regs
from hilnic.hw.regs import Cause, VcState
from hilnic.testing.checks.connections import connect
from hilnic.testing.checks.contracts import Source, expect_bursts, frames_of, run
from hilnic.testing.nic_adapter import Direction, VcSetup
from hilnic.testing.vcs import counted, tagged

CONNECTIONLESS = 0
LINE_BITS = 1_000_000_000


class Few(Source):
    """A source that keeps four frames in its ring."""

    def pump(self, bench):
        """Take completions, post as many frames."""
        self._waiting -= len(bench.nic.poll(Direction.TX, self.queue))
        while self._waiting < 4:
            bench.nic.post_tx(self.queue, [bench.frame(bench.random.randint(*self.lengths))])
            self._waiting += 1


async def started(dut, **options):
    """Harness and bench after a reset."""
    harness, bench = await device(dut, connections=True, **options)
    await bench.start()
    return harness, bench


async def off(bench, number):
    """Wait for the acknowledgement."""
    await bench.nic_1g.wait_for(regs.vc_page(number) + regs.VC_STATUS, regs.VC_STATUS_STATE, VcState.OFF)


@cocotb.test()
async def sixty_four_vcs_of_different_contracts_keep_them_at_once(dut):
    """Rates from 3 to 20 Mbit/s on all VCs, guaranteed, beside a connectionless queue that takes what is left."""
    harness, bench = await started(dut)
    setups = [
        VcSetup(n, vlan=n + 1, queue=n + 1, rate=(3 + n % 18) * 1_000_000, burst=1000, max_frame=500, guaranteed=True)
        for n in range(64)
    ]
    for setup in setups:
        await connect(bench, setup, size=16)
    await bench.enable(Direction.TX, number=CONNECTIONLESS, size=64)
    sources = [Few(setup.queue, (300, 492)) for setup in setups] + [Source(CONNECTIONLESS)]
    begin = bench.clock.now_ns()
    await run(bench, sources, 2_500_000)
    end = bench.clock.now_ns()
    for setup in setups:
        frames = frames_of(bench, setup.vlan)
        expect_bursts(bench, frames, setup.rate, setup.burst)
        octets = sum(counted(frame.data) for frame in frames)
        due = setup.burst + (end - begin) * setup.rate / 8e9
        assert due - 3 * setup.max_frame <= octets <= due, f"VC {setup.number}: {octets} octets, due {due:.0f}"
    line = sum(counted(frame.data) + 20 for frame in bench.peer.frames if frame.time_ns > begin + 200_000)
    assert line * 8e9 / (end - begin - 200_000) > 0.97 * LINE_BITS
    for number in range(0, 64, 9):
        found = await bench.vcs.counters(number)
        assert found["tx_frames"] >= len(frames_of(bench, number + 1)) - 2
        assert found["tx_waits"] > 0
    for number in range(64):
        bench.vcs.begin_deactivation(number)
    for number in range(64):
        await off(bench, number)
    harness.stop()


@cocotb.test()
async def orders_are_answered_in_time_under_any_load(dut):
    """Checker AXIL-03 gives each access 64 cycles: contracts change while throttled VCs and counters keep all busy."""
    harness, bench = await started(dut)
    contract = VcSetup(0, rate=200_000_000, burst=1600, peak_rate=700_000_000, peak_burst=1600)
    setups = [replace(contract, number=n, vlan=n + 1, queue=n + 1) for n in range(4)]
    for setup in setups:
        await connect(bench, setup)
    sources = [Source(setup.queue, (14, 100)) for setup in setups]
    for turn in range(40):
        await run(bench, sources, 12_000)
        for number in range(24):
            bench.peer.send(tagged(bench.frame(60), 1 + number % 4))
        changed = replace(setups[turn % 4], rate=(100 + turn) * 1_000_000, priority=turn % 8)
        assert await bench.vcs.activate(changed) is Cause.NONE
    harness.stop()


@cocotb.test()
async def a_vc_drains_while_the_transmit_clock_stands(dut):
    """Frames that wait for the MAC end with cause 10, as when a queue is disabled; nothing of it comes later."""
    harness, bench = await started(dut)
    await connect(bench, VcSetup(0, vlan=7))
    bench.controls.stop_clock("tx")
    for _ in range(6):
        bench.nic.post_tx(1, [bench.frame(700)])
    await bench.settle(8_000)
    await bench.vcs.deactivate(0)
    causes = {done.cause for done in bench.nic.poll(Direction.TX, 1)}
    assert causes == {Cause.FLUSHED}
    bench.controls.start_clock("tx")
    await bench.settle(60_000)
    assert bench.nic.poll(Direction.TX, 1) == []
    assert (await bench.vcs.counters(0))["tx_frames"] == 0
    harness.stop()


@cocotb.test()
async def a_frame_that_waits_for_descriptors_does_not_hold_up_a_drain(dut):
    """A connectionless frame without a buffer, then frames of the VC: off after 4096 cycles, the VC's are delivered."""
    harness, bench = await started(dut)
    await connect(bench, VcSetup(0, vlan=7))
    await bench.enable(Direction.RX, number=CONNECTIONLESS)
    bench.peer.send(bench.frame(80))
    frames = [bench.frame(90) for _ in range(5)]
    for frame in frames:
        bench.peer.send(tagged(frame, 7))
    await bench.settle(20_000)
    assert bench.nic.poll(Direction.RX, 1) == []
    begin = bench.clock.now_ns()
    await bench.vcs.deactivate(0)
    assert bench.clock.now_ns() - begin < 4096 * 8 + 20_000
    assert [done.data for done in bench.nic.poll(Direction.RX, 1)] == frames
    await bench.expect_counters(rx_drop_no_descriptor=1)
    assert (await bench.vcs.counters(0))["rx_frames"] == 5
    harness.stop()


@cocotb.test()
async def vcs_and_queues_end_at_the_same_time(dut):
    """Barriers of both kinds under way together, in traffic, on a slow and reordering bus: each ends its own."""
    harness, bench = await started(dut, timing=HARD)
    setups = [VcSetup(n, vlan=n + 1, queue=n + 1) for n in range(4)]
    for turn in range(4):
        for setup in setups:
            await connect(bench, setup, size=32)
        for setup in setups:
            for _ in range(12):
                frame = bench.frame(bench.random.randrange(60, 500))
                bench.nic.post_tx(setup.queue, [frame])
                bench.peer.send(tagged(frame, setup.vlan))
        await bench.settle(3000 + 4000 * turn)
        for setup in setups:
            bench.vcs.begin_deactivation(setup.number)
            for direction in (Direction.TX, Direction.RX) if setup.number % 2 else (Direction.RX, Direction.TX):
                await bench.nic.disable(direction, setup.queue)
        for setup in setups:
            await off(bench, setup.number)
            found = await bench.vcs.counters(setup.number)
            sent = [done for done in bench.nic.poll(Direction.TX, setup.queue) if done.ok]
            received = bench.nic.poll(Direction.RX, setup.queue)
            assert (found["tx_frames"], found["rx_frames"]) == (len(sent), len(received)), f"VC {setup.number}"
            assert {done.vlan for done in received} <= {setup.vlan}
        bench.peer.frames.clear()
    harness.stop()


@cocotb.test()
async def a_vc_waits_for_its_own_barrier_behind_that_of_a_queue(dut):
    """A queue ends, soon after it the VC, while frames of both wait for the wire: off comes after the VC's last one."""
    harness, bench = await started(dut)
    for delay in range(500, 16_000, 2_500):
        await connect(bench, VcSetup(0, vlan=7), size=32)
        await bench.enable(Direction.TX, number=2, size=32)
        for _ in range(16):
            for queue in (1, 2):
                bench.nic.post_tx(queue, [bench.frame(700)])
        await bench.settle(15_000)
        queue_ends = cocotb.start_soon(bench.nic.disable(Direction.TX, 2))
        await bench.settle(delay)
        await bench.vcs.deactivate(0)
        sent = bench.nic.poll(Direction.TX, 1)
        await queue_ends
        await bench.settle(60_000)
        assert bench.nic.poll(Direction.TX, 1) == [], f"completions after the end, {delay} ns behind the queue"
        assert (await bench.vcs.counters(0))["tx_frames"] == len(sent)
        bench.nic.poll(Direction.TX, 2)
        for direction in (Direction.TX, Direction.RX):
            await bench.nic.disable(direction, 1)
    harness.stop()


@cocotb.test()
async def soft_reset_comes_amid_a_drain(dut):
    """With frames in the ring, in the buffer and on the wire: every VC is off when it is over, and may be had again."""
    harness, bench = await started(dut)
    for turn in range(4):
        for number in range(3):
            await connect(bench, VcSetup(number, vlan=number + 1, queue=number + 1))
        for _ in range(10):
            for number in range(3):
                bench.nic.post_tx(number + 1, [frame := bench.frame(300)])
                bench.peer.send(tagged(frame, number + 1))
        await bench.settle(2000 + 3000 * turn)
        bench.vcs.begin_deactivation(turn % 3)
        await bench.nic.reset()
        assert [(await bench.vcs.state(number))[0] for number in range(3)] == [VcState.OFF] * 3
    harness.stop()


@cocotb.test()
async def short_frames_fill_the_line_in_any_build(dut):
    """64 octets, from a VC and from a connectionless queue, alone and together: back to back, with as many arriving."""
    harness, bench = await started(dut)
    await connect(bench, VcSetup(0, vlan=7, guaranteed=True))
    await bench.enable(Direction.TX, number=CONNECTIONLESS, size=64)
    vc, other, received = Source(1, (56, 56)), Source(CONNECTIONLESS, (60, 60)), 0
    for sources in ([vc], [other], [vc, other]):
        for source in sources:
            source.left = 1 << 30
        bench.peer.frames.clear()
        for _ in range(150):
            bench.peer.send(tagged(bench.frame(60), 7))
        await run(bench, sources, 120_000)
        times = [frame.time_ns for frame in bench.peer.frames[60:]]
        distances = [after - before for before, after in pairwise(times)]
        assert len(distances) > 60
        assert sum(distances) <= len(distances) * 84 * 8 * 1.002, f"{sum(distances) / len(distances):.1f} ns per frame"
        for source in sources:
            source.left = 0
            await run(bench, sources, 200_000, source.is_done)
        received += 150
        found = await bench.vcs.counters(0)
        assert found["tx_frames"] == len(vc.sent), "each frame counts once at line rate both ways"
        assert found["rx_frames"] + found["rx_drops"] == received
    harness.stop()


@cocotb.test()
async def the_last_queue_and_the_last_vc_work(dut):
    """Whatever the build: the highest numbers carry frames both ways, and so does queue 0."""
    harness, bench = await started(dut)
    nic = bench.nic_1g
    last = VcSetup(nic.vcs - 1, vlan=4094, queue=min(nic.tx_queues, nic.rx_queues) - 1, rate=300_000_000, burst=4000)
    await connect(bench, last)
    await connect(bench, VcSetup(0, vlan=1, queue=CONNECTIONLESS))
    frames = [bench.frame(bench.random.randrange(60, 800)) for _ in range(20)]
    for frame in frames:
        for setup in (last.queue, CONNECTIONLESS):
            nic.post_tx(setup, [frame])
        bench.peer.send(tagged(frame, 4094))
        bench.peer.send(tagged(frame, 1))
    for queue in (last.queue, CONNECTIONLESS):
        done = await bench.completions(Direction.RX, len(frames), number=queue)
        assert [one.data for one in done] == frames
    await bench.sent(40)
    assert [frame.data for frame in frames_of(bench, 4094)] == [tagged(frame, 4094) for frame in frames]
    harness.stop()

# SPDX-License-Identifier: Apache-2.0
"""Queue disable, soft reset, miniport reset, pause and surprise removal at random cycles under full-duplex traffic.

200 of each on Verilator, 40 with cocotbext's ends, a sample on Icarus. The IOMMU and the ring monitor judge each access
meanwhile: after an idle acknowledgement a DMA into what the driver has unmapped would be a DeviceFault.
"""

import os
import random

import cocotb
from by_hand import RxQueue, TxQueue, started
from stack_bench import Traffic, finish, frame, one, padded

from hilnic import ndis
from hilnic.hw import regs
from hilnic.hw.timing import TimingModel
from hilnic.ndis import NdisStatus

FAST = os.environ.get("HILNIC_SIM") == "verilator"
ROUNDS = (200 if os.environ.get("HILNIC_ENDS") == "hdl" else 40) if FAST else 5
WITHHELD_NS = 10_000
JITTERY = TimingModel(jitter_percent=50, stall_percent=5, weak=True)

# --- the hardware alone -----------------------------------------------------------------------------------------------


class Loaded:
    """A NIC in full-duplex traffic without a driver: one TX and one RX queue, refilled until told otherwise."""

    def __init__(self, harness, draw):
        self.harness, self.card, self.draw = harness, harness.cards[0], draw
        self.read, self.write = self.card.device.read32, self.card.device.write32
        self.wired, self.number = [], 0
        self.card.link.connect(self.wired.append)

    async def start(self):
        """New rings in new memory, both queues enabled and full of work."""
        self.tx, self.rx = TxQueue(self.card, size=32), RxQueue(self.card, size=32)
        for queue in (self.tx, self.rx):
            queue.enable()
        assert await self.tx.state() & 7 == await self.rx.state() & 7 == regs.QueueState.ENABLED
        self.sent = []
        self.rx.post(30)
        for _ in range(10):
            length = self.draw.choice((60, self.draw.randrange(60, 700)))
            self.sent.append(frame(self.number, length))
            self.number += 1
            self.tx.post(self.sent[-1], cuts=(self.draw.randrange(1, length),))
        for queue in (self.tx, self.rx):
            queue.doorbell()
            queue.rearm()
        if self.card.link.backlog < 20:
            for _ in range(12):
                self.card.link.send(frame(self.number, self.draw.randrange(60, 500)))

    def outstanding(self):
        """Bursts that the memory has not answered."""
        library = self.card.library
        return len(library.outstanding(0, write=False)) + len(library.outstanding(0, write=True))

    def withhold(self):
        """Hold back all R or all B, or both, for ten microseconds from now."""
        until = self.harness.clock.to_ps(self.harness.now_ns + WITHHELD_NS)
        channels = self.draw.choice(("r", "b", "rb"))
        if "r" in channels:
            self.card.settings.withhold_r_until = until
        if "b" in channels:
            self.card.settings.withhold_b_until = until

    def give_back(self):
        """The rings' and buffers' memory, unmapped: from here on any access is a fault."""
        memory = self.card.memory
        for mapping in memory.live_mappings():
            memory.unmap(mapping)
        for region in memory.leaks():
            memory.free(region)

    def check_sent(self, consumed):
        """Frames on the wire are those that completed, each whole; nothing completed that was not consumed."""
        completions = self.tx.poll()
        indices = [completion.index for completion in completions]
        assert indices == sorted(indices) and all(index <= consumed for index in indices)
        good = [completion for completion in completions if completion.status & regs.CompletionStatus.OK]
        assert [wire.data for wire in self.wired] == self.sent[: len(good)]
        self.wired.clear()


async def _disable(load):
    """Both queues; the acknowledgements, in the order in which they come."""
    for queue in (load.tx, load.rx):
        load.write(queue.page() + regs.QUEUE_CTRL, 0)
    for queue in load.draw.sample((load.tx, load.rx), 2):
        while await queue.state() & 7 != regs.QueueState.DISABLED:
            pass


async def _soft_reset(load):
    load.write(regs.CTRL, regs.CTRL_SOFT_RESET)
    while await load.read(regs.CTRL) & regs.CTRL_SOFT_RESET:
        pass


@cocotb.test()
@cocotb.parametrize(how=["disable", "soft_reset"])
async def the_idle_acknowledgement_comes_after_the_last_response_at_any_moment(dut, how):
    """RG-12: at random cycles of full-duplex traffic; in every third round R or B are withheld for 10 us."""
    draw = random.Random(how)
    harness = await started(dut, timing=JITTERY, seed=3, limit_ns=2_000_000_000)
    load, busy, late = Loaded(harness, draw), 0, 0
    for number in range(ROUNDS):
        await load.start()
        await harness.sleep(draw.randrange(0, 12_000))
        begun, bursts = harness.now_ns, load.outstanding()
        busy += bursts > 0
        if withheld := number % 3 == 0:
            load.withhold()
        await (_disable(load) if how == "disable" else _soft_reset(load))
        if withheld and bursts:
            late += harness.now_ns - begun >= WITHHELD_NS
        assert load.outstanding() == 0, f"round {number}: acknowledged with bursts outstanding"
        reads, writes = load.card.statistics.reads, load.card.statistics.writes
        if how == "disable":
            load.check_sent(await load.read(load.tx.page() + regs.QUEUE_CONSUMED))
        load.wired.clear()
        load.give_back()
        load.card.link.send(frame(0))
        await harness.sleep(2_000)
        assert (load.card.statistics.reads, load.card.statistics.writes) == (reads, writes), f"round {number}: DMA"
        if how == "soft_reset":
            load.write(regs.RX_FILTER, regs.RX_FILTER_PROMISCUOUS)
            load.write(regs.CTRL, regs.CTRL_TX_ENABLE | regs.CTRL_RX_ENABLE)
    assert busy > ROUNDS // 4, "the traffic was never in the way"
    assert late > ROUNDS // 12, "withheld responses never delayed an acknowledgement"
    harness.stop()


# --- the driver -------------------------------------------------------------------------------------------------------


async def _good_frames(host, number):
    """Frames both ways, all of them arrive."""
    host.received.clear()
    host.wire.clear()
    await host.both([frame(5000 + n, 60 + n % 300) for n in range(number)])


@cocotb.test()
async def a_miniport_reset_at_any_moment_loses_no_nbl_and_traffic_resumes(dut):
    """ST-13, ST-14, RG-12, S6-02: every NBL completes once, with success or RESET_IN_PROGRESS."""
    host = await one(dut, timing=JITTERY, seed=4, tx_ring=16, rx_ring=16, rx_buffers=48, limit_ns=2_000_000_000)
    draw, idle = random.Random(4), []
    end_traffic = host.nic._end_traffic

    def ended(status):
        idle.append(not any(host.card.library.outstanding(0, write) for write in (False, True)))
        end_traffic(status)

    host.nic._end_traffic = ended
    for number in range(ROUNDS):
        traffic = Traffic(host, draw)
        await host.run(draw.randrange(1, 25_000))
        if number % 3 == 0:
            host.card.settings.withhold_b_until = host.harness.clock.to_ps(host.harness.now_ns + WITHHELD_NS)
        assert await ndis.reset_adapter(host.stack.adapter) == NdisStatus.SUCCESS
        if number % 10 == 9:
            await traffic.stop()
            await host.idle()
            await _good_frames(host, 10)
        traffic.on = False
    await host.until(lambda: host.card.link.backlog == 0)
    await host.idle()
    await host.run(20_000)
    statistics = host.binding.statistics()
    assert statistics.completed == statistics.sent > ROUNDS
    assert set(host.binding.statuses) == {NdisStatus.RESET_IN_PROGRESS}
    assert idle == [True] * ROUNDS
    await _good_frames(host, 100)
    await finish(host)


@cocotb.test()
async def pauses_and_restarts_at_any_moment_lose_no_accepted_frame(dut):
    """ST-23, ST-03, S6-25: what was accepted before a pause is on the wire after it, and nothing failed."""
    host = await one(dut, timing=JITTERY, seed=5, tx_ring=16, rx_ring=16, rx_buffers=48, limit_ns=2_000_000_000)
    draw = random.Random(5)
    traffic = Traffic(host, draw)
    for _ in range(ROUNDS // 2):
        await host.run(draw.randrange(1, 25_000))
        await ndis.pause_adapter(host.stack.adapter)
        assert host.binding.outstanding == 0 and len(host.wire) == host.binding.statistics().completed
        assert await ndis.restart_adapter(host.stack.adapter) == NdisStatus.SUCCESS
    await traffic.stop()
    await host.idle()
    assert host.binding.statuses == []
    await _good_frames(host, 100)
    await finish(host)


@cocotb.test()
async def a_surprise_removal_at_any_moment_ends_in_halt_with_nothing_left(dut):
    """ST-17, ST-18, ST-19, S6-02: DMA stops in the middle of a burst; nothing touches the hardware afterwards."""
    host = await one(dut, timing=JITTERY, seed=6, tx_ring=16, rx_ring=16, rx_buffers=48, limit_ns=2_000_000_000)
    draw, failed = random.Random(6), set()
    for number in range(ROUNDS):
        binding = host.binding
        traffic = Traffic(host, draw)
        await host.run(draw.randrange(1, 25_000))
        adapter = host.stack.adapter
        await host.harness.remove(host.card)
        before = host.card.device.writes_after_removal  # those of the time before anybody is told
        await ndis.surprise_remove_adapter(adapter)
        traffic.on = False
        statistics = binding.statistics()
        assert statistics.completed == statistics.sent and binding.outstanding == 0, f"round {number}"
        failed |= set(binding.statuses)
        assert host.card.device.writes_after_removal == before, f"round {number}: a register was written"
        assert host.card.memory.live_mappings() == []
        await host.run(3_000)
        await host.harness.insert(host.card)
        await host.stack.start_adapter()
        if number % 10 == 9:
            await _good_frames(host, 10)
    assert failed == {NdisStatus.NOT_ACCEPTED}
    await _good_frames(host, 100)
    await finish(host)


@cocotb.test()
async def a_halt_under_traffic_leaves_the_nic_silent(dut):
    """ST-18, ST-19, RG-12."""
    host = await one(dut, timing=JITTERY, seed=7)
    traffic = Traffic(host, random.Random(7))
    await host.run(40_000)
    await finish(host)
    traffic.on = False


@cocotb.test()
async def a_reset_with_a_frame_half_sent_does_not_cut_it(dut):
    """docs/nic.md section 5: soft reset drains; the frame on the wire ends with its FCS."""
    harness = await started(dut)
    card, seen = harness.cards[0], []
    card.link.connect(seen.append)
    queue = TxQueue(card)
    queue.enable()
    queue.post(frame(1, 1514))
    queue.post(frame(2, 60))
    queue.doorbell()
    await harness.sleep(8_000)
    card.device.write32(regs.CTRL, regs.CTRL_SOFT_RESET)
    while await card.device.read32(regs.CTRL) & regs.CTRL_SOFT_RESET:
        pass
    assert [wire.data for wire in seen][:1] == [padded(frame(1, 1514))] and all(wire.fcs_ok for wire in seen)
    harness.stop()

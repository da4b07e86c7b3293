# SPDX-License-Identifier: Apache-2.0
"""Queue states: enable, disable with idle acknowledgement, errors, soft reset, loopback, stopped clocks."""

from dataclasses import replace

from hilnic.hw import regs
from hilnic.hw.regs import Cause, QueueState
from hilnic.testing.conformance import CheckBench, check
from hilnic.testing.nic_adapter import Direction, QueueSetup

GOOD = QueueSetup(Direction.RX)
BAD_SETUPS = (
    replace(GOOD, size=3),
    replace(GOOD, size=65536),
    replace(GOOD, size=1),
    replace(GOOD, size=16, cpl_size=8),
    replace(GOOD, cpl_size=24),
    replace(GOOD, vector=255),
    replace(GOOD, buf_size=63),
    replace(GOOD, buf_size=16385),
)


@check("registers")
async def a_bad_configuration_is_refused_at_enable(bench: CheckBench) -> None:
    """Each bad value ends in state error with cause 35, which enable = 0 leaves."""
    nic, page = bench.nic_1g, regs.rx_page(0)
    queue = nic.queues[Direction.RX, 0] = nic.configure(GOOD)
    ring, completions = queue.ring.address, queue.completions.address
    for bad in BAD_SETUPS:
        nic.write_page(bad, ring, completions)
        await _expect_refused(bench, page, f"{bad}")
    for offset in (regs.QUEUE_RING_LO, regs.QUEUE_CPL_LO):
        nic.write_page(GOOD, ring, completions)
        bench.device.write32(page + offset, 32)
        await _expect_refused(bench, page, "an unaligned base")


async def _expect_refused(bench: CheckBench, page: int, what: str) -> None:
    status = page + regs.QUEUE_STATUS
    bench.device.write32(page + regs.QUEUE_CTRL, regs.QUEUE_CTRL_ENABLE)
    await bench.nic_1g.wait_for(status, regs.QUEUE_STATUS_STATE, QueueState.ERROR)
    cause = (await bench.device.read32(status)) >> regs.QUEUE_STATUS_CAUSE_LSB
    bench.expect(cause, Cause.BAD_CONFIG, what)
    bench.device.write32(page + regs.QUEUE_CTRL, 0)
    await bench.nic_1g.wait_for(status, regs.QUEUE_STATUS_STATE, QueueState.DISABLED)


@check("registers")
async def a_producer_beyond_the_ring_stops_the_queue(bench: CheckBench) -> None:
    """A doorbell more than the ring size ahead: state error, cause 32, its value; another queue goes on."""
    await bench.enable(Direction.TX, size=8, start=0xFFFF_FFFE)
    await bench.enable(Direction.RX)
    bench.device.write32(regs.tx_doorbell(0), 7)
    await bench.settle(3000)
    state = await bench.nic_1g.state(Direction.TX, 0)
    bench.expect(state, (QueueState.ERROR, Cause.PRODUCER_RANGE, 7), "state, cause, index")
    bench.nic.post_rx(0, 1)
    bench.peer.send(bench.frame(60))
    await bench.completions(Direction.RX, 1)


@check("registers")
async def a_doorbell_of_a_disabled_queue_is_ignored(bench: CheckBench) -> None:
    """Nothing is read for a queue that is not enabled."""
    bench.device.write32(regs.tx_doorbell(0), 5)
    bench.device.write32(regs.rx_doorbell(0), 5)
    await bench.settle(3000)
    await bench.enable(Direction.TX)
    bench.expect(await bench.device.read32(regs.tx_page(0) + regs.QUEUE_PRODUCER), 0, "PRODUCER")


@check()
async def disable_answers_when_nothing_is_outstanding(bench: CheckBench) -> None:
    """After the acknowledgement the NIC touches no memory, and every consumed descriptor has its completion."""
    await bench.enable(Direction.TX, size=32)
    await bench.enable(Direction.RX, size=32)
    bench.nic.post_rx(0, 32)
    frames = [bench.frame(bench.random.randrange(60, 400)) for _ in range(32)]
    for frame in frames:
        bench.nic.post_tx(0, [frame])
        bench.peer.send(frame)
    await bench.settle(bench.random.randrange(4000, 12000))
    for direction in (Direction.TX, Direction.RX):
        consumed = await bench.nic.disable(direction, 0)
        await bench.settle(2000)
        done = bench.nic.poll(direction, 0)
        bench.expect(done[-1].index if done else 0, consumed, f"last {direction.name} completion against CONSUMED")
        if direction is Direction.TX:
            bench.expect(bench.peer.data, frames[:consumed], "frames on the wire")
        else:
            bench.expect([d.data for d in done], frames[:consumed], "frames received")
    await bench.settle()
    bench.expect(bench.nic.poll(Direction.TX, 0) + bench.nic.poll(Direction.RX, 0), [], "late completions")


@check()
async def a_queue_works_again_after_disable(bench: CheckBench) -> None:
    """Disable and enable in turn, from other start indices."""
    for start in (0, 7, 0xFFFF_FFFF):
        await bench.enable(Direction.TX, size=4, start=start, cpl_start=start ^ 5)
        frames = [bench.frame(60 + i) for i in range(3)]
        for frame in frames:
            bench.nic.post_tx(0, [frame])
        done = await bench.completions(Direction.TX, 3)
        bench.expect([d.index for d in done], [(start + i + 1) & 0xFFFF_FFFF for i in range(3)], "indices")
        await bench.nic.disable(Direction.TX, 0)
        bench.expect(bench.peer.data[-3:], frames, "frames on the wire")


@check()
async def soft_reset_under_traffic_ends_and_the_nic_works_again(bench: CheckBench) -> None:
    """Soft reset drains what is under way; a second life is like the first."""
    await bench.enable(Direction.TX, size=16)
    await bench.enable(Direction.RX, size=16)
    bench.nic.post_rx(0, 16)
    for _ in range(16):
        frame = bench.frame(200)
        bench.nic.post_tx(0, [frame])
        bench.peer.send(frame)
    await bench.settle(bench.random.randrange(3000, 9000))
    await bench.nic.reset()
    await bench.settle(60_000)
    bench.peer.frames.clear()
    await bench.enable(Direction.TX)
    frame = bench.frame(100)
    bench.nic.post_tx(0, [frame])
    await bench.completions(Direction.TX, 1)
    bench.expect(await bench.sent(1), [frame], "the first frame after reset")


@check()
async def loopback_returns_frames_and_leaves_the_wire_alone(bench: CheckBench) -> None:
    """Looped frames come back unpadded with the loopback bit; the wire is silent and frames from it are dropped."""
    await bench.nic.set_loopback(True)
    await bench.enable(Direction.TX)
    await bench.enable(Direction.RX)
    bench.nic.post_rx(0, 4)
    frames = [bench.frame(14), bench.frame(60), bench.frame(1514)]
    for frame in frames:
        bench.nic.post_tx(0, [frame])
    done = await bench.completions(Direction.RX, 3)
    bench.expect([d.data for d in done], frames, "looped frames")
    bench.expect([d.loopback for d in done], [True] * 3, "loopback bits")
    await bench.completions(Direction.TX, 3)
    bench.peer.send(bench.frame(60))
    await bench.settle()
    bench.expect(bench.peer.frames, [], "frames on the wire")
    octets = 64 + 64 + 1518
    await bench.expect_counters(tx_frames=0, tx_loopback_frames=3, rx_wire_frames=4, rx_wire_octets=octets + 64)
    await bench.expect_counters(rx_drop_disabled=1, rx_delivered_frames=3, rx_delivered_octets=14 + 60 + 1514)
    await bench.nic.set_loopback(False)
    bench.nic.post_tx(0, [frames[1]])
    bench.expect(await bench.sent(1), [frames[1]], "the wire afterwards")


@check("clocks")
async def a_stopped_transmit_clock_does_not_hold_up_disable(bench: CheckBench) -> None:
    """Frames that wait for the MAC end with cause 10, the queue is disabled, and the NIC sends again afterwards."""
    await bench.enable(Direction.TX, size=8)
    bench.controls.stop_clock("tx")
    for _ in range(4):
        bench.nic.post_tx(0, [bench.frame(100)])
    await bench.settle(10_000)
    consumed = await bench.nic.disable(Direction.TX, 0)
    done = bench.nic.poll(Direction.TX, 0)
    bench.expect([d.cause for d in done], [Cause.FLUSHED] * len(done), "causes")
    bench.expect(done[-1].index if done else 0, consumed, "last completion against CONSUMED")
    await bench.expect_counters(tx_drop_flushed=len(done), tx_frames=0)
    bench.controls.start_clock("tx")
    await bench.settle(30_000)
    bench.peer.frames.clear()
    await bench.enable(Direction.TX)
    frame = bench.frame(80)
    bench.nic.post_tx(0, [frame])
    bench.expect(await bench.sent(1), [frame], "the first frame afterwards")


@check("clocks", "registers")
async def registers_answer_while_the_mac_clocks_stand_still(bench: CheckBench) -> None:
    """Reads, soft reset and the alive bits do not need the PHY's clocks."""
    for way in ("tx", "rx"):
        bench.controls.stop_clock(way)
    await bench.settle(3000)
    alive = regs.STATUS_TX_CLK_ALIVE | regs.STATUS_RX_CLK_ALIVE
    bench.expect(await bench.device.read32(regs.STATUS) & alive, 0, "alive bits")
    await bench.nic.reset()
    for way in ("tx", "rx"):
        bench.controls.start_clock(way)
    await bench.settle(3000)
    bench.expect(await bench.device.read32(regs.STATUS) & alive, alive, "alive bits")

# SPDX-License-Identifier: Apache-2.0
"""What a NIC must survive: a bus error on any burst, a disable or a soft reset at any moment, memory that answers late.

Each coroutine does the harm under full-duplex traffic, waits for the end that the contract promises, and proves with
good frames both ways that the NIC is as new. CheckFailed or DeviceFault when it is not.
"""

from dataclasses import dataclass, field

from hilnic.hw import regs
from hilnic.hw.device import DeviceFault
from hilnic.hw.regs import Cause, QueueState
from hilnic.testing.conformance import CheckBench, CheckFailed
from hilnic.testing.nic_adapter import Direction, Done
from hilnic.wire.link import GAP_OCTETS, NS_PER_OCTET, as_wire_frame

RING = 32
BOTH = (Direction.TX, Direction.RX)


@dataclass(slots=True)
class Traffic:
    """Full-duplex traffic of one queue each way; keeps what was posted, sent and completed."""

    bench: CheckBench
    sent: list[bytes] = field(default_factory=list)
    arriving: list[bytes] = field(default_factory=list)
    arriving_ns: int = 0
    """How long the wire takes for what arrives."""
    done: dict[Direction, list[Done]] = field(default_factory=lambda: {way: [] for way in BOTH})

    async def begin(self) -> None:
        """Enable both queues and post every receive buffer."""
        for way in BOTH:
            await self.bench.enable(way, size=RING)
        self.bench.nic.post_rx(0, RING)

    def push(self, count: int) -> None:
        """Post frames and put as many on the wire."""
        for _ in range(count):
            self.sent.append(self.bench.frame(self.bench.random.randrange(60, 400)))
            self.bench.nic.post_tx(0, [self.sent[-1]])
            self.arriving.append(self.bench.frame(self.bench.random.randrange(60, 400)))
            self.bench.peer.send(self.arriving[-1])
            self.arriving_ns += as_wire_frame(self.arriving[-1]).duration_ns + GAP_OCTETS * NS_PER_OCTET

    def take(self) -> None:
        """Take what has completed."""
        for way in BOTH:
            self.done[way] += self.bench.nic.poll(way, 0)

    async def finish(self, patience_ns: int) -> None:
        """Wait until all of it has completed, or until patience ends."""
        end = self.bench.clock.now_ns() + patience_ns
        while self.bench.clock.now_ns() < end:
            self.take()
            if all(len(found) >= len(self.sent) for found in self.done.values()):
                return
            await self.bench.clock.sleep(500)

    def expect_order(self) -> None:
        """Good frames that were received came in the order in which they were sent."""
        came = iter(self.arriving)
        for done in self.done[Direction.RX]:
            if done.ok and done.data not in came:
                raise CheckFailed("a frame was received twice, out of order, or never sent")


async def expect_as_new(bench: CheckBench, frames: int = 100) -> None:
    """Good frames both ways, all of them, in order."""
    bench.peer.frames.clear()
    traffic = Traffic(bench)
    await traffic.begin()
    for start in range(0, frames, RING // 2):
        traffic.push(min(RING // 2, frames - start))
        await traffic.finish(400_000)
        bench.nic.post_rx(0, min(RING // 2, frames - start))
    bench.expect([d.ok for d in traffic.done[Direction.TX]], [True] * frames, "verdicts of the frames afterwards")
    bench.expect([d.data for d in traffic.done[Direction.RX]], traffic.arriving, "frames received afterwards")
    bench.expect(await bench.sent(frames), traffic.sent, "frames sent afterwards")


async def survive_bus_error(
    bench: CheckBench, channel: str, number: int, *, frames: int = 20, after: int = 100
) -> bool:
    """An error on the `number`-th burst of "ar" or "aw" in a run of some frames.

    False when the run had no burst of that number: then the error still waits, and the bench is not to be used again.
    """
    await bench.start()
    traffic = Traffic(bench)
    await traffic.begin()
    bench.controls.inject_bus_error(channel, number)
    traffic.push(frames)
    await traffic.finish(frames * 5000)
    traffic.expect_order()
    hit = [done for found in traffic.done.values() for done in found if not done.ok]
    stopped = [way for way in BOTH if await _has_stopped(bench, way)]
    bench.expect({done.cause for done in hit} <= {Cause.BUS_ERROR, Cause.FETCH_ERROR}, True, f"causes of {hit}")
    for way in BOTH:
        if way not in stopped:
            bench.expect(len(traffic.done[way]), frames, f"completions of the {way.name} queue, which goes on")
        await bench.nic.disable(way, 0)
    if not hit and not stopped:
        return False
    await bench.start()
    await expect_as_new(bench, after)
    return True


async def _has_stopped(bench: CheckBench, way: Direction) -> bool:
    state, cause, _ = await bench.nic_1g.state(way, 0)
    if state is QueueState.ENABLED:
        return False
    bench.expect(state, QueueState.ERROR, f"state of the {way.name} queue")
    bench.expect(cause in {Cause.FETCH_ERROR, Cause.COMPLETION_ERROR}, True, f"cause {cause}")
    return True


async def survive_disable(bench: CheckBench, after_ns: int, *, after: int = 20) -> None:
    """Disable both queues some time into traffic; afterwards no DMA, every consumed frame completed, none lost."""
    await bench.start()
    traffic = Traffic(bench)
    await traffic.begin()
    traffic.push(RING)
    await bench.settle(after_ns)
    for way in BOTH:
        consumed = await bench.nic.disable(way, 0)  # unmaps everything: later DMA is a DeviceFault
        await bench.settle(2000)
        traffic.take()
        bench.expect(len(traffic.done[way]), consumed, f"{way.name} completions against CONSUMED")
    bench.expect(bench.peer.data, traffic.sent[: len(bench.peer.frames)], "frames on the wire")
    bench.expect(len(bench.peer.frames), len(traffic.done[Direction.TX]), "frames on the wire against completions")
    traffic.expect_order()
    await _expect_as_new_when_quiet(traffic, after)


async def survive_soft_reset(bench: CheckBench, after_ns: int, *, after: int = 20) -> None:
    """Soft reset some time into traffic; afterwards no DMA, and all state is that after reset."""
    await bench.start()
    traffic = Traffic(bench)
    await traffic.begin()
    traffic.push(RING)
    await bench.settle(after_ns)
    await bench.nic.reset()  # forgets the rings: later DMA is a DeviceFault
    for way in BOTH:
        bench.expect((await bench.nic_1g.state(way, 0))[0], QueueState.DISABLED, f"state of the {way.name} queue")
    await _expect_as_new_when_quiet(traffic, after)


async def survive_stopped_clocks(bench: CheckBench, after_ns: int, *, after: int = 20) -> None:
    """Both MAC clocks stop in the middle of traffic; disable ends all the same; they start again."""
    await bench.start()
    traffic = Traffic(bench)
    await traffic.begin()
    traffic.push(RING)
    await bench.settle(after_ns)
    for way in ("tx", "rx"):
        bench.controls.stop_clock(way)
    await bench.settle(3000)
    for direction in BOTH:
        await bench.nic.disable(direction, 0)
    traffic.take()
    causes = {done.cause for done in traffic.done[Direction.TX]}
    bench.expect(causes <= {Cause.NONE, Cause.FLUSHED}, True, f"causes {causes}")
    for way in ("tx", "rx"):
        bench.controls.start_clock(way)
    await _expect_as_new_when_quiet(traffic, after)


async def _expect_as_new_when_quiet(traffic: Traffic, frames: int) -> None:
    await traffic.bench.settle(traffic.arriving_ns)  # the rest of the wire's frames, whenever it began
    await traffic.bench.start()
    await expect_as_new(traffic.bench, frames)


async def expect_late_acknowledgement(bench: CheckBench, withheld_ns: int) -> int:
    """Disable while the memory withholds its answers: acknowledged only after the last one; how long it took.

    The bench's timing model must answer reads and writes after `withheld_ns`.
    """
    await bench.start()
    await bench.enable(Direction.TX)
    bench.nic.post_tx(0, [bench.frame(60)])
    await bench.settle(regs.DEFAULT_MAX_READS * 50)
    start = bench.clock.now_ns()
    await bench.nic.disable(Direction.TX, 0)
    took = bench.clock.now_ns() - start
    if took < withheld_ns // 2:
        raise DeviceFault(f"idle after {took} ns while answers take {withheld_ns} ns", time_ns=bench.clock.now_ns())
    return took

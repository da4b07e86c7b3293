# SPDX-License-Identifier: Apache-2.0
"""The contracts of virtual connections: rate, burst, shares of the line, changes in traffic (docs/nic.md 11.4)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from hilnic.hw import regs
from hilnic.hw.regs import Cause
from hilnic.testing.checks.connections import connect
from hilnic.testing.conformance import CheckBench, check
from hilnic.testing.nic_adapter import Direction, VcSetup
from hilnic.testing.vcs import counted, vlan_of
from hilnic.wire.link import WireFrame

STEP_NS = 4000
RING = 64
TOLERANCE = 0.01
JITTER_NS = 4000
"""What the DMA may delay one frame more than the next."""
MOST_BITS = 1_000_000_000


@dataclass(slots=True)
class Source:
    """A queue that is kept full of frames of random lengths."""

    queue: int
    lengths: tuple[int, int] = (46, 1514)
    left: int = 1 << 30
    sent: list[bytes] = field(default_factory=list)
    _waiting: int = 0

    def pump(self, bench: CheckBench) -> None:
        """Take completions, post as many frames."""
        done = bench.nic.poll(Direction.TX, self.queue)
        bench.expect([d.cause for d in done], [0] * len(done), f"causes of queue {self.queue}")
        self._waiting -= len(done)
        while self._waiting < RING and self.left:
            frame = bench.frame(bench.random.randint(*self.lengths))
            bench.nic.post_tx(self.queue, [frame])
            self.sent.append(frame)
            self._waiting += 1
            self.left -= 1

    def is_done(self) -> bool:
        """Has everything been sent?"""
        return not self.left and not self._waiting


async def run(bench: CheckBench, sources: Sequence[Source], ns: int, until: Callable[[], bool] | None = None) -> None:
    """Keep the sources going for so long, or until something holds."""
    end = bench.clock.now_ns() + ns
    while bench.clock.now_ns() < end and not (until is not None and until()):
        for source in sources:
            source.pump(bench)
        await bench.clock.sleep(STEP_NS)


def frames_of(bench: CheckBench, vlan: int, since_ns: int = 0) -> list[WireFrame]:
    """What a VC has sent."""
    return [f for f in bench.peer.frames if f.time_ns >= since_ns and vlan_of(f.data) == vlan]


def rate_of(frames: Sequence[WireFrame], skip: int) -> float:
    """Bits per second of counted octets, without the first `skip` octets: while the bucket empties, it fills too."""
    while frames and skip > 0:
        skip -= counted(frames[0].data)
        frames = frames[1:]
    octets = sum(counted(frame.data) for frame in frames[:-1])
    return octets * 8e9 / (frames[-1].time_ns - frames[0].time_ns)


def expect_rate(bench: CheckBench, frames: Sequence[WireFrame], rate: int, skip: int) -> None:
    """Within one hundredth."""
    found = rate_of(frames, skip)
    bench.expect(abs(found / rate - 1) <= TOLERANCE, True, f"rate {found / 1e6:.2f} Mbit/s, contract {rate / 1e6:.2f}")


def expect_bursts(bench: CheckBench, frames: Sequence[WireFrame], rate: int, burst: int) -> None:
    """In no interval more than the bucket and what flowed in, apart from the DMA's jitter."""
    level = float(burst)
    before = frames[0].time_ns
    for frame in frames:
        level = min(burst, level + (frame.time_ns - before) * rate / 8e9) - counted(frame.data)
        before = frame.time_ns
        if level < -JITTER_NS * rate / 8e9:
            bench.expect(f"{-level:.0f} octets", "0", f"octets above the bucket of {burst} at {before} ns")


@check("connections")
async def a_vc_keeps_its_rate_and_its_burst(bench: CheckBench) -> None:
    """1000 frames of random lengths: within one hundredth of the contract, never more than the bucket."""
    setup = VcSetup(0, vlan=7, rate=400_000_000, burst=6000)
    await connect(bench, setup)
    await run(bench, [Source(1, (46, 600))], 20_000_000, lambda: len(bench.peer.frames) >= 1000)
    frames = frames_of(bench, 7)
    bench.expect(len(frames) >= 1000, True, f"{len(frames)} frames")
    expect_rate(bench, frames, setup.rate, 2 * setup.burst)
    expect_bursts(bench, frames, setup.rate, setup.burst)
    first = [frame for frame in frames if frame.time_ns < frames[0].time_ns + setup.burst * 8]
    bench.expect(sum(counted(f.data) for f in first) > setup.burst - 2 * 1522, True, "the full bucket goes at once")


@check("connections")
async def short_frames_are_charged_with_their_padding(bench: CheckBench) -> None:
    """14 bytes in memory are 64 octets on the wire, and take as many from the bucket."""
    setup = VcSetup(0, vlan=7, rate=100_000_000, burst=1522)
    await connect(bench, setup)
    source = Source(1, (14, 14), left=60)
    await run(bench, [source], 400_000, source.is_done)
    bench.expect(len(frames_of(bench, 7)), 60, "frames")
    expect_bursts(bench, frames_of(bench, 7), setup.rate, setup.burst)


@check("connections")
async def a_rested_vc_has_its_burst_again_and_no_more(bench: CheckBench) -> None:
    """After a pause of any length the bucket is full, not fuller."""
    setup = VcSetup(0, vlan=7, rate=100_000_000, burst=5000)
    await connect(bench, setup)
    for pause in (20_000, 400_000, 1_000_000):
        source = Source(1, (300, 1514), left=12)
        await run(bench, [source], 3_000_000, source.is_done)
        await bench.settle(pause)
    expect_bursts(bench, frames_of(bench, 7), setup.rate, setup.burst)


@check("connections")
async def the_peak_bounds_the_burst(bench: CheckBench) -> None:
    """With a second bucket a burst goes at the peak rate, and the whole at the other."""
    setup = VcSetup(0, vlan=7, rate=100_000_000, burst=20_000, peak_rate=400_000_000, peak_burst=1522)
    await connect(bench, setup)
    await run(bench, [Source(1, (600, 1514))], 2_500_000)
    frames = frames_of(bench, 7)
    expect_bursts(bench, frames, setup.peak_rate, setup.peak_burst)
    expect_bursts(bench, frames, setup.rate, setup.burst)
    burst = [frame for frame in frames if frame.time_ns < frames[0].time_ns + 300_000]
    expect_rate(bench, burst, setup.peak_rate, 1522)
    expect_rate(bench, frames, setup.rate, 40_000)


@check("connections")
async def guaranteed_contracts_hold_under_the_overload_of_others(bench: CheckBench) -> None:
    """Two VCs, guaranteed at once and by a change, get their rates beside an unlimited VC and another queue."""
    promised = [
        VcSetup(0, vlan=10, queue=1, rate=100_000_000, burst=4 * 1522, guaranteed=True),
        VcSetup(1, vlan=11, queue=2, rate=500_000_000, burst=4 * 1522, guaranteed=True),
    ]
    greedy = VcSetup(2, vlan=12, queue=3)
    for setup in (promised[0], replace(promised[1], guaranteed=False), greedy):
        await connect(bench, setup)
    bench.expect(await bench.vcs.activate(promised[1]), Cause.NONE, "cause of the change")
    await bench.enable(Direction.TX, number=0, size=RING)
    await run(bench, [Source(queue) for queue in (0, 1, 2, 3)], 3_500_000)
    for setup in promised:  # a frame that has begun may delay the first and the last by 12 us: 2 ms are 1 in 160
        expect_rate(bench, frames_of(bench, setup.vlan), setup.rate, 3 * setup.burst)
        expect_bursts(bench, frames_of(bench, setup.vlan), setup.rate, setup.burst)
    line = sum(counted(frame.data) + 20 for frame in bench.peer.frames)
    span = bench.peer.frames[-1].time_ns - bench.peer.frames[0].time_ns
    bench.expect(line * 8e9 / span > 0.98 * MOST_BITS, True, f"the line is full: {line * 8e9 / span / 1e6:.0f} Mbit/s")


@check("connections")
async def the_line_is_shared_by_quantum_whatever_the_frame_lengths(bench: CheckBench) -> None:
    """Octets follow the quanta 1 : 2 : 1 of two VCs and a connectionless queue, with short frames against long ones."""
    await connect(bench, VcSetup(0, vlan=10, queue=1, quantum=2048))
    await connect(bench, VcSetup(1, vlan=11, queue=2, quantum=4096))
    await bench.enable(Direction.TX, number=0, size=RING)
    sources = [Source(0, (1000, 1514)), Source(1, (60, 300)), Source(2, (1514, 1514))]
    await run(bench, sources, 1_200_000)
    begin = bench.peer.frames[0].time_ns + 200_000
    octets = [
        sum(counted(f.data) for f in frames_of(bench, vlan, begin) if f.time_ns < begin + 900_000)
        for vlan in (0, 10, 11)
    ]
    shares = [4 * part / sum(octets) for part in octets]
    fair = all(abs(share - due) < 0.12 for share, due in zip(shares, (1, 1, 2), strict=True))
    bench.expect(fair, True, f"shares {[f'{share:.2f}' for share in shares]} of 4")


@check("connections")
async def a_new_contract_holds_from_the_next_frame_on(bench: CheckBench) -> None:
    """Rate, burst and priority change in traffic: no frame is lost, doubled or out of order, the new rate is kept."""
    setup = VcSetup(0, vlan=7, priority=1, rate=150_000_000, burst=4000)
    await connect(bench, setup)
    source = Source(1)
    for rate, priority in ((150_000_000, 1), (450_000_000, 2), (100_000_000, 3)):
        setup = replace(setup, rate=rate, priority=priority)
        bench.expect(await bench.vcs.activate(setup), Cause.NONE, "cause of the change")
        await run(bench, [source], 1_200_000)
        frames = [frame for frame in frames_of(bench, 7) if frame.data[14] >> 5 == priority]
        expect_rate(bench, frames, rate, 3 * setup.burst)
        expect_bursts(bench, frames, rate, setup.burst)
    sent = [frame.data[:12] + frame.data[16:] for frame in bench.peer.frames]
    bench.expect(sent, [f.ljust(56, b"\0") for f in source.sent[: len(sent)]], "frames in order")


@check("connections")
async def a_new_contract_does_not_wait_for_the_old_one(bench: CheckBench) -> None:
    """A frame that the old bucket would have allowed in 12 ms goes as soon as an empty bucket of the new one would."""
    slow = VcSetup(0, vlan=7, rate=1_000_000, burst=1522)
    await connect(bench, slow)
    source = Source(1, (1400, 1514), left=4)
    await run(bench, [source], 30_000)
    bench.expect(len(frames_of(bench, 7)), 1, "frames of the slow contract")
    fast = replace(slow, rate=400_000_000)
    bench.expect(await bench.vcs.activate(fast), Cause.NONE, "cause of the change")
    await run(bench, [source], 4 * 1522 * 20 + 20_000, source.is_done)
    bench.expect(len(frames_of(bench, 7)), 4, "frames of the fast one")


@check("connections")
async def a_new_bucket_is_as_deep_as_it_says(bench: CheckBench) -> None:
    """Deeper, then shallower: what goes at once after a rest is the new bucket's, neither more nor less."""
    setup = VcSetup(0, vlan=7, rate=400_000_000, burst=2000)
    await connect(bench, setup)
    for burst in (12_000, 5000):
        setup = replace(setup, burst=burst)
        bench.expect(await bench.vcs.activate(setup), Cause.NONE, "cause of the change")
        await bench.settle(300_000)
        begin, source = bench.clock.now_ns(), Source(1, (900, 1000), left=20)
        await run(bench, [source], 1_000_000, source.is_done)
        frames = frames_of(bench, 7, begin)
        expect_bursts(bench, frames, setup.rate, burst)
        at_once = [frame for frame in frames if frame.time_ns < frames[0].time_ns + burst * 8]
        octets = sum(counted(frame.data) for frame in at_once)
        bench.expect(octets > burst - 2 * 1522, True, f"of a full bucket of {burst} octets {octets} went at once")


@check("connections")
async def throttled_vcs_hold_up_nobody(bench: CheckBench) -> None:
    """Slow VCs with full rings cost a fast one and a connectionless queue nothing but their own octets."""
    for number in range(2):
        slow = VcSetup(number, vlan=10 + number, queue=2 + number, rate=1_000_000, burst=1522, guaranteed=True)
        await connect(bench, slow)
    await connect(bench, VcSetup(5, vlan=20, queue=1, rate=500_000_000, burst=4 * 1522, guaranteed=True))
    await bench.enable(Direction.TX, number=0, size=RING)
    await run(bench, [Source(queue) for queue in range(4)], 1_500_000)
    expect_rate(bench, frames_of(bench, 20), 500_000_000, 16 * 1522)
    for number in range(2):
        bench.expect(len(frames_of(bench, 10 + number)) <= 4, True, f"frames of slow VC {number}")
        bench.expect((await bench.vcs.counters(number))["tx_waits"] > 0, True, "its waits")
    bench.expect(sum(1 for f in bench.peer.frames if not vlan_of(f.data)) > 50, True, "connectionless frames")


@check("connections")
async def a_vc_without_limit_fills_the_line(bench: CheckBench) -> None:
    """Back to back: a VC alone, of full frames, has what a connectionless queue would have."""
    await connect(bench, VcSetup(0, vlan=7))
    await run(bench, [Source(1, (1514, 1514))], 700_000)
    frames = frames_of(bench, 7)[4:-1]
    distances = [after.time_ns - before.time_ns for before, after in pairwise(frames)]
    bench.expect(set(distances) <= set(range(8 * 1542 - 8, 8 * 1542 + 9)), True, f"distances {sorted(set(distances))}")
    bench.expect(await bench.device.read32(regs.vc_page(0) + regs.VC_STATUS) >> regs.VC_STATUS_CAUSE_LSB, 0, "cause")

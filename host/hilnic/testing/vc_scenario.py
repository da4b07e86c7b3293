# SPDX-License-Identifier: Apache-2.0
"""Random scenarios with virtual connections, for `differential.play`: as those of `scenario`, on a build that has VCs.

Queue 0 stays connectionless; the others belong to VCs of random contracts. Receive rings of VCs never run empty, for a
VC's frame does not wait for descriptors.
"""

from dataclasses import replace
from random import Random

from hilnic.hw.timing import TimingModel
from hilnic.testing.nic_adapter import Direction, FilterSetup, QueueSetup, VcSetup
from hilnic.testing.scenario import JUMBO, ORDINARY, OWN, Ending, Phase, Planner, Receive, Scenario
from hilnic.testing.vcs import tagged
from hilnic.wire.link import WireFrame

VLANS = range(100, 104)
RATES = (0, 200_000_000, 400_000_000, 900_000_000)


def make_vc_scenario(seed: int, queues: int = 8, vcs: int = 64, phases: int = 3, steps: int = 24) -> Scenario:
    """The scenario of a seed, for a build with so many queues each way and so many VCs."""
    random = Random(seed)
    timing = TimingModel(
        jitter_percent=random.choice((0, 50, 200)),
        stall_percent=random.choice((0, 0, 20, 60)),
        reorder=random.random() < 0.5,
        weak=random.random() < 0.5,
        seed=seed,
    )
    return Scenario(seed, timing, tuple(_phase(random, min(queues, 4), vcs, steps) for _ in range(phases)))


def _phase(random: Random, queues: int, vcs: int, steps: int) -> Phase:
    max_frame = random.choice((ORDINARY, ORDINARY, JUMBO))
    setups = [_queue(random, direction, number) for direction in Direction for number in range(queues)]
    made = _vcs(random, queues, vcs, max_frame)
    ending = random.choice((Ending.QUIET, Ending.QUIET, Ending.DISABLE, Ending.RESET, Ending.DEACTIVATE))
    rules = FilterSetup(OWN, own_unicast=random.random() < 0.8, promiscuous=random.random() < 0.3)
    planner = _VcPlanner(random, setups, rules, False, False, max_frame, tame=ending is not Ending.QUIET)
    return Phase(
        tuple(setups),
        rules,
        pass_bad=random.random() < 0.3,
        keep_fcs=random.random() < 0.2,
        host_fcs=False,
        max_frame=max_frame,
        loopback=False,
        steps=planner.steps(steps),
        ending=ending,
        vcs=made,
    )


def _queue(random: Random, direction: Direction, number: int) -> QueueSetup:
    large = direction is Direction.RX and number
    return QueueSetup(
        direction,
        number,
        64 if large else random.choice((8, 16, 64)),
        start=random.randrange(1 << 32),
        cpl_start=random.randrange(1 << 32),
        buf_size=random.choice((1522, 2048)) if large else random.choice((256, 1522, 2048)),
        vector=4 * direction + number,
        mod_count=random.choice((0, 1, 4)),
        mod_ticks=500,
    )


def _vcs(random: Random, queues: int, vcs: int, max_frame: int) -> tuple[VcSetup, ...]:
    """One for each queue but the first, in random entries."""
    entries, vlans = random.sample(range(vcs), queues - 1), random.sample(VLANS, queues - 1)
    longest = max_frame + 4
    found = []
    for queue, entry, vlan in zip(range(1, queues), entries, vlans, strict=True):
        rate, peak = random.choice(RATES), random.choice(RATES)
        setup = VcSetup(
            entry,
            vlan,
            queue,
            random.randrange(8),
            max_frame=longest,
            rate=rate,
            burst=longest * random.randint(1, 3),
            peak_rate=peak,
            peak_burst=longest,
            quantum=random.choice((500, 2048)),
            guaranteed=random.random() < 0.3,
        )
        found.append(setup)
    return tuple(found)


class _VcPlanner(Planner):
    """Some of the frames that come are tagged, for a VC or for nobody."""

    def _receive(self) -> Receive | None:
        step = super()._receive()
        if step is None or step.frame.raw or self._random.random() < 0.2:
            return step
        frame: WireFrame = step.frame
        if 60 <= len(frame.data) <= self._longest - 4:
            tag = tagged(frame.data, self._random.choice(VLANS), self._random.randrange(8))
            return Receive(replace(frame, data=tag))
        return step

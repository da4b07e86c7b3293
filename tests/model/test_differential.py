# SPDX-License-Identifier: Apache-2.0
"""Random scenarios on two twins that differ in timing alone, and on a broken twin."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hilnic.hw.regs import Cause
from hilnic.hw.timing import TimingModel
from hilnic.model.build import Build
from hilnic.model.completer import Completer
from hilnic.testing.check_device import CheckBench
from hilnic.testing.differential import Outcome, differences, play
from hilnic.testing.scenario import MALFORMED, BusError, Ending, Scenario, Transmit, make_scenario
from hilnic.testing.vc_scenario import make_vc_scenario

MakeBench = Callable[..., CheckBench]


def played(make_bench: MakeBench, scenario: Scenario, timing: TimingModel) -> list[Outcome]:
    bench = make_bench(timing=timing)
    outcome: list[Outcome] = bench.clock.run(play(bench, scenario))  # type: ignore[attr-defined]
    return outcome


@pytest.mark.parametrize("seed", range(20))
def test_timing_does_not_change_what_a_quiet_phase_gives(seed: int, make_bench: MakeBench) -> None:
    scenario = make_scenario(seed)
    one = played(make_bench, scenario, scenario.timing)
    other = played(make_bench, scenario, TimingModel(dma_read_ns=300, write_response_ns=2000, posted_write_ns=100))
    assert differences(one, other) == []


def test_one_seed_makes_one_scenario() -> None:
    assert make_scenario(3) == make_scenario(3) != make_scenario(4)


def test_scenarios_cover_every_ending_kind_and_fault() -> None:
    phases = [phase for seed in range(40) for phase in make_scenario(seed).phases]
    steps = [step for phase in phases for step in phase.steps]
    assert {phase.ending for phase in phases} == set(Ending) - {Ending.DEACTIVATE}
    assert {queue.size for phase in phases for queue in phase.queues} == {2, 4, 8, 16, 32, 64}
    assert {step.cause for step in steps if isinstance(step, Transmit)} == {Cause.NONE, *MALFORMED}
    assert any(isinstance(step, BusError) for step in steps)
    assert any(phase.loopback for phase in phases)
    assert any(phase.host_fcs for phase in phases)
    sent = [b"".join(step.pieces) for phase in phases for step in phase.steps if isinstance(step, Transmit)]
    assert max(map(len, sent)) > 9000


def test_quiet_phases_are_compared_and_others_are_not(make_bench: MakeBench) -> None:
    scenario = make_scenario(5)
    outcomes = played(make_bench, scenario, scenario.timing)
    assert [o.exact for o in outcomes] == [p.ending is Ending.QUIET for p in scenario.phases]


def test_a_difference_is_named(make_bench: MakeBench) -> None:
    scenario = next(s for s in map(make_scenario, range(20)) if s.phases[0].ending is Ending.QUIET)
    one = played(make_bench, scenario, scenario.timing)
    changed = replace(one[0], counters={**one[0].counters, "tx.frames": 12345})
    (sentence,) = differences(one, [changed, *one[1:]])
    assert "phase 0 counters tx.frames" in sentence
    assert "12345" in sentence


def test_a_twin_with_another_frame_length_disagrees(make_bench: MakeBench, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = next(s for s in map(make_scenario, range(20)) if s.phases[0].ending is Ending.QUIET)
    good = played(make_bench, scenario, scenario.timing)
    original = Completer.write

    def lying(*arguments: Any, **named: Any) -> None:
        *before, frame_length, done = arguments
        original(*before, frame_length ^ 1, done, **named)

    monkeypatch.setattr(Completer, "write", lying)
    assert "phase 0 done" in differences(good, played(make_bench, scenario, scenario.timing))[0]


def test_one_queue_builds_play_too(make_bench: MakeBench) -> None:
    build = Build(num_tx_queues=1, num_rx_queues=1)
    for seed in range(3):
        bench = make_bench(build)
        assert bench.clock.run(play(bench, make_scenario(seed, 1, 1)))  # type: ignore[attr-defined]


VC_BUILD = Build(num_tx_queues=8, num_rx_queues=8, num_vcs=64)


def vc_played(make_bench: MakeBench, scenario: Scenario, timing: TimingModel) -> list[Outcome]:
    bench = make_bench(VC_BUILD, timing=timing)
    outcome: list[Outcome] = bench.clock.run(play(bench, scenario))  # type: ignore[attr-defined]
    return outcome


@pytest.mark.parametrize("seed", range(20))
def test_timing_does_not_change_what_vcs_do_in_a_quiet_phase(seed: int, make_bench: MakeBench) -> None:
    scenario = make_vc_scenario(seed)
    one = vc_played(make_bench, scenario, scenario.timing)
    other = vc_played(make_bench, scenario, TimingModel(dma_read_ns=300, write_response_ns=2000, posted_write_ns=100))
    assert differences(one, other) == []


def test_scenarios_with_vcs_use_them(make_bench: MakeBench) -> None:
    endings, counted = set(), dict.fromkeys(("tx_frames", "rx_frames"), 0)
    for seed in range(20):
        scenario = make_vc_scenario(seed)
        endings |= {phase.ending for phase in scenario.phases}
        for outcome in vc_played(make_bench, scenario, scenario.timing):
            for name in counted:
                counted[name] += sum(value for key, value in outcome.counters.items() if key.endswith(f".{name}"))
    assert endings == set(Ending)
    assert min(counted.values()) > 80

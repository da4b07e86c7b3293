# SPDX-License-Identifier: Apache-2.0
"""The conformance suite on the software twin, in several builds and with a disordered memory."""

from collections.abc import Callable

import pytest

from hilnic.hw.timing import TimingModel
from hilnic.model.build import Build
from hilnic.testing.check_device import CHECKS, CheckBench, checks_for, run_check, run_checks
from hilnic.testing.conformance import CheckFailed
from hilnic.testing.nic_1g import Nic1g
from hilnic.testing.nic_adapter import NicAdapter

BUILDS = {
    "default": (Build(), TimingModel()),
    "one queue, 200 MHz": (Build(num_tx_queues=1, num_rx_queues=1, sys_clk_ps=5000), TimingModel()),
    "disordered": (Build(), TimingModel(jitter_percent=100, stall_percent=30, reorder=True, weak=True, seed=7)),
}


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("name", checks_for(connections=False))
def test_the_twin_passes(name: str, build: str, make_bench: Callable[..., CheckBench]) -> None:
    bench = make_bench(*BUILDS[build])
    result = bench.clock.run(run_check(bench, name))  # type: ignore[attr-defined]
    assert result.passed, result.failure


WITH_VCS = {
    "64 VCs": (Build(num_tx_queues=8, num_rx_queues=8, num_vcs=64), TimingModel()),
    "200 MHz": (Build(num_tx_queues=4, num_rx_queues=4, num_vcs=8, sys_clk_ps=5000), TimingModel()),
}


@pytest.mark.parametrize("build", WITH_VCS)
@pytest.mark.parametrize("name", checks_for(connections=True))
def test_the_twin_with_vcs_passes(name: str, build: str, make_bench: Callable[..., CheckBench]) -> None:
    bench = make_bench(*WITH_VCS[build])
    result = bench.clock.run(run_check(bench, name))  # type: ignore[attr-defined]
    assert result.passed, result.failure or result.skipped


@pytest.mark.parametrize(
    "name", ["vcs_do_not_mix", "an_entry_is_reused_with_frames_in_flight", "soft_reset_ends_every_vc"]
)
def test_a_disordered_memory_changes_nothing(name: str, make_bench: Callable[..., CheckBench]) -> None:
    bench = make_bench(WITH_VCS["64 VCs"][0], BUILDS["disordered"][1])
    result = bench.clock.run(run_check(bench, name))  # type: ignore[attr-defined]
    assert result.passed, result.failure


def test_vcs_leave_everything_else_as_it_was(make_bench: Callable[..., CheckBench]) -> None:
    """But for the turns, which are of octets then and not of frames."""
    bench = make_bench(WITH_VCS["64 VCs"][0])
    names = [name for name in checks_for(connections=False) if name != "tx_queues_take_turns"]
    results = bench.clock.run(run_checks(bench, names))  # type: ignore[attr-defined]
    assert [(r.name, r.failure) for r in results if not r.passed] == []


def test_64_queues_pass_the_register_walk(make_bench: Callable[..., CheckBench]) -> None:
    bench = make_bench(Build(num_tx_queues=64, num_rx_queues=64))
    names = ["every_register_has_its_reset_value", "tx_queues_take_turns", "filter_steers_frames_to_queues"]
    results = bench.clock.run(run_checks(bench, names))  # type: ignore[attr-defined]
    assert [r.failure for r in results] == ["", "", ""]


def test_checks_run_one_after_another_on_the_same_nic(make_bench: Callable[..., CheckBench]) -> None:
    bench = make_bench()
    results = bench.clock.run(run_checks(bench, checks_for(connections=False)))  # type: ignore[attr-defined]
    assert [(r.name, r.failure) for r in results if not r.passed] == []
    assert len(results) > 60


def test_a_bench_without_controls_skips_with_a_reason(make_bench: Callable[..., CheckBench]) -> None:
    bench = make_bench()
    bench.offers = frozenset({"registers"})
    result = bench.clock.run(run_check(bench, "misc_reports_link_changes"))  # type: ignore[attr-defined]
    assert not result.passed
    assert result.skipped == "the bench offers no link"


def test_every_check_is_a_sentence() -> None:
    assert all(c.sentence.endswith(".") and len(c.sentence) > 20 for c in CHECKS.values())


def test_a_failed_expectation_says_what_and_what_not(make_bench: Callable[..., CheckBench]) -> None:
    with pytest.raises(CheckFailed, match="answer: 41, not 42"):
        make_bench().expect(41, 42, "answer")


class OwnNic:
    """Another NIC's adapter: nothing but the NicAdapter Protocol is to be seen of it."""

    def __init__(self, nic: Nic1g) -> None:
        names = [name for name in vars(NicAdapter) if not name.startswith("_")]
        for name in [*names, "reset"]:
            setattr(self, name, getattr(nic, name))

    tx_queues = rx_queues = 4


def test_a_nic_with_another_register_map_runs_the_generic_checks(make_bench: Callable[..., CheckBench]) -> None:
    inner = make_bench()
    bench = CheckBench(inner.clock, inner.device.wire, OwnNic(inner.nic_1g))  # type: ignore[attr-defined]
    results = bench.clock.run(run_checks(bench))  # type: ignore[attr-defined]
    assert [(r.name, r.failure) for r in results if r.failure] == []
    assert len([r for r in results if r.passed]) >= 25
    assert all("registers" in r.skipped or "offers no" in r.skipped for r in results if not r.passed)

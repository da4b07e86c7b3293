# SPDX-License-Identifier: Apache-2.0
"""The conformance suite on the software twin, in several builds and with a disordered memory."""

import pytest

from hilnic.hw.clock import VirtualClock
from hilnic.hw.memory import HostMemory
from hilnic.hw.timing import TimingModel
from hilnic.model.build import Build
from hilnic.model.nic import ModelNic
from hilnic.testing.check_device import CHECKS, CheckBench, run_check
from hilnic.testing.nic_1g import Nic1g

BUILDS = {
    "default": (Build(), TimingModel()),
    "one queue, 200 MHz": (Build(num_tx_queues=1, num_rx_queues=1, sys_clk_ps=5000), TimingModel()),
    "disordered": (Build(), TimingModel(jitter_percent=100, stall_percent=30, reorder=True, weak=True, seed=7)),
}


def bench_for(build: Build, timing: TimingModel) -> CheckBench:
    clock = VirtualClock()
    memory = HostMemory(weak=timing.weak, now_ns=clock.now_ns)
    nic = ModelNic(clock, memory, timing, build)
    return CheckBench(clock, nic.wire, Nic1g(nic, clock), device=nic, controls=nic)


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("name", CHECKS)
def test_the_twin_passes(name: str, build: str) -> None:
    bench = bench_for(*BUILDS[build])
    result = bench.clock.run(run_check(bench, name))
    assert result.passed, result.failure

# SPDX-License-Identifier: Apache-2.0
"""A twin on a bench of its own."""

from collections.abc import Callable

import pytest

from hilnic.hw.clock import VirtualClock
from hilnic.hw.memory import HostMemory
from hilnic.hw.timing import TimingModel
from hilnic.model.build import Build
from hilnic.model.nic import ModelNic
from hilnic.testing.conformance import CheckBench
from hilnic.testing.nic_1g import Nic1g

MakeBench = Callable[..., CheckBench]


@pytest.fixture
def make_bench() -> MakeBench:
    """Build a bench around a new twin."""

    def make(build: Build | None = None, timing: TimingModel | None = None, seed: int = 1) -> CheckBench:
        clock = VirtualClock()
        memory = HostMemory(weak=bool(timing and timing.weak), now_ns=clock.now_ns, size=8 << 20)
        nic = ModelNic(clock, memory, timing, build)
        connections = nic.build.num_vcs > 0
        return CheckBench(
            clock, nic.wire, Nic1g(nic, clock), device=nic, controls=nic, connections=connections, seed=seed
        )

    return make

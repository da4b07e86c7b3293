# SPDX-License-Identifier: Apache-2.0
"""A frame costs the twin no more with many virtual connections than with a few."""

from collections.abc import Callable
from typing import Any

import pytest

from hilnic.model.build import Build
from hilnic.model.scheduler import Scheduler
from hilnic.testing.check_device import CheckBench
from hilnic.testing.nic_adapter import Direction, VcSetup

FRAMES = 100


async def load(bench: CheckBench, vcs: int) -> None:
    """Frames on one VC, while all others wait for their tokens with full rings."""
    await bench.start()
    for number in range(vcs):
        queue = number + 1
        await bench.enable(Direction.TX, number=queue, size=4 if number else 128)
        rest: dict[str, Any] = {"rate": 2_000_000, "burst": 1522} if number else {}
        await bench.vcs.activate(VcSetup(number, vlan=queue, queue=queue, receives=False, **rest))
        if number:
            for _ in range(3):
                bench.nic.post_tx(queue, [bench.frame(60)])
    await bench.settle(2_000_000)
    for _ in range(FRAMES):
        bench.nic.post_tx(1, [bench.frame(300)])
    await bench.completions(Direction.TX, FRAMES, number=1)


@pytest.mark.parametrize("vcs", [4, 400])
def test_what_the_scheduler_looks_at_per_frame(
    vcs: int, make_bench: Callable[..., CheckBench], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = make_bench(Build(num_tx_queues=vcs + 1, num_rx_queues=1, num_vcs=1024, max_reads=16))
    clock: Any = bench.clock
    looks = 0
    may_begin = Scheduler._may_begin

    def counted(self: Scheduler, ring: Any) -> bool:
        nonlocal looks
        looks += 1
        return may_begin(self, ring)

    monkeypatch.setattr(Scheduler, "_may_begin", counted)
    clock.run(load(bench, vcs))
    frames = FRAMES + 3 * (vcs - 1)
    assert looks < 5 * frames

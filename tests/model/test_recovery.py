# SPDX-License-Identifier: Apache-2.0
"""Bus errors on every burst, disable and reset at many moments, surprise removal: the twin survives them."""

from collections.abc import Callable

import pytest

from hilnic.hw import regs
from hilnic.hw.device import DeviceFault
from hilnic.hw.timing import TimingModel
from hilnic.model.dma import Dma
from hilnic.testing.check_device import CheckBench
from hilnic.testing.nic_adapter import Direction
from hilnic.testing.recovery import (
    Traffic,
    expect_late_acknowledgement,
    survive_bus_error,
    survive_disable,
    survive_soft_reset,
    survive_stopped_clocks,
)

MakeBench = Callable[..., CheckBench]


@pytest.mark.parametrize("channel", ["ar", "aw"])
def test_an_error_on_any_burst_of_20_frames_is_survived(channel: str, make_bench: MakeBench) -> None:
    bench = make_bench()
    number = 1
    while bench.clock.run(survive_bus_error(bench, channel, number, after=20)):  # type: ignore[attr-defined]
        number += 1
    assert number > 30


@pytest.mark.parametrize("survive", [survive_disable, survive_soft_reset, survive_stopped_clocks])
def test_harm_at_many_moments_is_survived(survive: Callable[..., object], make_bench: MakeBench) -> None:
    bench = make_bench(timing=TimingModel(jitter_percent=100, stall_percent=20, reorder=True, weak=True, seed=3))
    for after_ns in range(0, 30_000, 1_370):
        bench.clock.run(survive(bench, after_ns))  # type: ignore[attr-defined]


def test_disable_waits_for_answers_that_take_10_us(make_bench: MakeBench) -> None:
    bench = make_bench(timing=TimingModel(dma_read_ns=10_000, write_response_ns=10_000))
    assert bench.clock.run(expect_late_acknowledgement(bench, 10_000)) > 9_000  # type: ignore[attr-defined]


def test_a_twin_that_loses_the_error_is_not_believed(make_bench: MakeBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Dma, "_begin", lambda self, channel: self._outstanding.update([channel]))
    bench = make_bench()
    assert not bench.clock.run(survive_bus_error(bench, "ar", 1, after=4))  # type: ignore[attr-defined]


def test_a_removed_card_reads_all_ones_and_is_silent(make_bench: MakeBench) -> None:
    bench = make_bench()

    async def removed() -> None:
        await bench.start()
        traffic = Traffic(bench)
        await traffic.begin()
        for way in Direction:
            bench.nic.rearm(way, 0)
        traffic.push(10)
        await bench.settle(2500)
        bench.device.remove()  # type: ignore[attr-defined]
        traffic.take()
        before, sent, messages = len(traffic.done[Direction.TX]), len(bench.peer.frames), bench.interrupts.total()
        for mapping in bench.nic_1g.memory.live_mappings():
            bench.nic_1g.memory.unmap(mapping)  # a DMA from now on is a fault
        bench.device.write32(regs.SCRATCH, 5)
        bench.peer.send(bench.frame(60))
        await bench.settle(50_000)
        assert await bench.device.read32(regs.ID) == 0xFFFF_FFFF
        assert await bench.device.read32(0xFF_FFFC) == 0xFFFF_FFFF
        traffic.take()
        assert (len(traffic.done[Direction.TX]), len(bench.peer.frames)) == (before, sent)
        assert bench.interrupts.total() == messages
        assert before < 10

    bench.clock.run(removed())  # type: ignore[attr-defined]


def test_late_answers_are_demanded(make_bench: MakeBench) -> None:
    bench = make_bench()
    with pytest.raises(DeviceFault, match="idle after"):
        bench.clock.run(expect_late_acknowledgement(bench, 100_000))  # type: ignore[attr-defined]

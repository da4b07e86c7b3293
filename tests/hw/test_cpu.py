# SPDX-License-Identifier: Apache-2.0
"""Claims about HostCpu: time, levels, DPCs, timers, work items."""

import pytest

from hilnic.hw.clock import VirtualClock
from hilnic.hw.cpu import HostCpu, HostIrql
from hilnic.hw.memory import HostMemory
from hilnic.hw.timing import TimingModel


@pytest.fixture
def cpu():
    return HostCpu(VirtualClock(), HostMemory(1 << 20), TimingModel(cpu_dpc_ns=500, cpu_frame_ns=100))


def test_a_dpc_runs_at_dispatch_and_leaves_passive(cpu):
    levels = []
    cpu.queue_dpc(lambda: levels.append(cpu.irql))
    cpu.clock.run_idle()
    assert levels == [HostIrql.DISPATCH]
    assert cpu.irql == HostIrql.PASSIVE


def test_time_includes_what_was_charged_and_the_next_dpc_waits_for_the_cpu(cpu):
    times = []

    def first():
        times.append(cpu.now_ns())
        cpu.charge_frames(3)
        times.append(cpu.now_ns())

    cpu.queue_dpc(first)
    cpu.queue_dpc(lambda: times.append(cpu.clock.now_ns()))
    cpu.clock.run_idle()
    assert times == [500, 800, 800]


def test_dpcs_run_first_come_first_served_and_never_nest(cpu):
    order = []

    def outer():
        cpu.queue_dpc(lambda: order.append("inner"))
        order.append("outer")

    cpu.queue_dpc(outer)
    cpu.queue_dpc(lambda: order.append("second"))
    cpu.clock.run_idle()
    assert order == ["outer", "second", "inner"]


def test_passive_work_delays_a_dpc_that_comes_meanwhile(cpu):
    started = []
    cpu.charge_frames(10)
    cpu.queue_dpc(lambda: started.append(cpu.clock.now_ns()))
    cpu.clock.run_idle()
    assert started == [1000]


def test_a_timer_fires_as_a_dpc_and_a_cancelled_one_does_not(cpu):
    fired = []
    cpu.set_timer(2000, lambda: fired.append((cpu.clock.now_ns(), cpu.irql)))
    cancelled = cpu.set_timer(1000, lambda: fired.append("never"))
    assert cancelled.cancel()
    cpu.clock.run_idle()
    assert fired == [(2000, HostIrql.DISPATCH)]
    assert not cancelled.cancel()


@pytest.mark.rule("IT-05")
def test_a_timer_can_be_cancelled_between_expiry_and_its_dpc(cpu):
    fired = []
    timer = cpu.set_timer(100, lambda: fired.append(1))
    cpu.clock.call_at(100, lambda: cpu.charge_frames(10))
    cpu.clock.run_until(100)
    assert timer.cancel()
    cpu.clock.run_idle()
    assert fired == []


def test_a_work_item_runs_at_passive_and_may_sleep(cpu):
    seen = []

    async def work():
        await cpu.sleep(300)
        seen.append((cpu.clock.now_ns(), cpu.irql))

    cpu.queue_dpc(lambda: cpu.queue_work_item(work))
    cpu.clock.run_idle()
    assert seen == [(300, HostIrql.PASSIVE)]


@pytest.mark.rule("CL-05")
def test_sleeping_at_dispatch_is_refused(cpu):
    cpu.queue_dpc(lambda: cpu.sleep(1))
    with pytest.raises(RuntimeError, match="PASSIVE"):
        cpu.clock.run_idle()


def test_a_failing_dpc_stops_the_run_and_gives_the_cpu_back(cpu):
    cpu.queue_dpc(lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        cpu.clock.run_idle()
    assert cpu.irql == HostIrql.PASSIVE

# SPDX-License-Identifier: Apache-2.0
"""VirtualKernel: order, time, IRQL, waiting, memory."""

from __future__ import annotations

import pytest

from hilnic.ndis import Irql
from hilnic.ndis.waiting import Mutex
from hilnic.testing import VirtualKernel


def test_time_passes_only_when_nothing_is_left_to_do():
    kernel = VirtualKernel()
    seen = []

    async def work():
        await kernel.sleep(100)
        seen.append(kernel.now_ns())
        await kernel.sleep(50)
        seen.append(kernel.now_ns())
        return "done"

    assert kernel.run(work()) == "done"
    assert seen == [100, 150]


def test_dpcs_run_in_order_at_dispatch_level():
    kernel = VirtualKernel()
    seen = []
    for n in range(3):
        kernel.queue_dpc(lambda n=n: seen.append((n, kernel.irql)))
    kernel.run()
    assert seen == [(n, Irql.DISPATCH) for n in range(3)]
    assert kernel.irql is Irql.PASSIVE


def test_an_event_wakes_everybody_in_the_order_they_came():
    kernel = VirtualKernel()
    event = kernel.create_event()
    seen = []

    async def waiter(n):
        await event.wait()
        seen.append(n)

    for n in range(3):
        kernel.start(waiter(n))
    kernel.run()
    assert seen == []
    event.set()
    kernel.run()
    assert seen == [0, 1, 2]
    assert event.is_set()


def test_a_wait_for_nothing_is_a_deadlock_not_a_hang():
    kernel = VirtualKernel()

    async def forever():
        await kernel.create_event().wait()

    with pytest.raises(RuntimeError, match="deadlock"):
        kernel.run(forever())


def test_a_cancelled_timer_does_not_fire():
    kernel = VirtualKernel()
    fired = []
    timer = kernel.set_timer(100, lambda: fired.append(1))
    assert timer.cancel()
    assert not timer.cancel()
    kernel.run_for(200)
    assert (fired, kernel.now_ns()) == ([], 200)


def test_memory_is_aligned_and_poisoned_when_freed():
    kernel = VirtualKernel()
    region = kernel.allocate(100, 4096)
    assert region.address % 4096 == 0
    view = region.view
    kernel.free(region)
    assert bytes(view) == b"\xdd" * 100
    assert kernel.regions == {}


def test_injected_failures_run_out():
    kernel = VirtualKernel()
    kernel.fail_allocations = 1
    with pytest.raises(MemoryError):
        kernel.allocate(10)
    kernel.allocate(10)


def test_an_exception_of_a_routine_comes_out_of_run():
    kernel = VirtualKernel()
    kernel.queue_dpc(lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        kernel.run()


def test_a_mutex_lets_one_in_at_a_time_in_order():
    kernel = VirtualKernel()
    mutex = Mutex(kernel)
    seen = []

    async def work(n):
        async with mutex:
            seen.append(f"in {n}")
            await kernel.sleep(10)
            seen.append(f"out {n}")

    for n in range(3):
        kernel.start(work(n))
    kernel.run()
    assert seen == ["in 0", "out 0", "in 1", "out 1", "in 2", "out 2"]

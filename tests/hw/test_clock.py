# SPDX-License-Identifier: Apache-2.0
"""Claims about VirtualClock."""

import pytest

from hilnic.hw.clock import Deadlock, VirtualClock


def test_callbacks_run_in_order_of_time_and_then_of_asking():
    clock, seen = VirtualClock(), []
    clock.call_at(20, lambda: seen.append("c"))
    clock.call_at(10, lambda: seen.append("a"))
    clock.call_at(10, lambda: seen.append("b"))
    clock.run_until(15)
    assert (seen, clock.now_ns()) == (["a", "b"], 15)
    clock.run_idle()
    assert (seen, clock.now_ns()) == (["a", "b", "c"], 20)


def test_a_callback_asked_for_in_the_past_runs_now_and_time_never_goes_back():
    clock, times = VirtualClock(100), []
    clock.call_at(5, lambda: times.append(clock.now_ns()))
    clock.run_idle()
    assert times == [100]


def test_cancel_tells_whether_it_came_in_time():
    clock, seen = VirtualClock(), []
    handle = clock.call_at(10, lambda: seen.append(1))
    assert handle.cancel()
    assert not handle.cancel()
    late = clock.call_at(10, lambda: seen.append(2))
    clock.run_idle()
    assert seen == [2]
    assert not late.cancel()


def test_run_drives_a_coroutine_through_sleeps_and_events():
    clock = VirtualClock()
    event = clock.create_event()

    async def waiter():
        await event.wait()
        await event.wait()  # still set: returns at once
        return clock.now_ns()

    async def main():
        task = clock.start(waiter())
        await clock.sleep(50)
        event.set()
        return await task.wait()

    assert clock.run(main()) == 50


def test_waiting_for_nothing_is_a_deadlock_and_not_a_hang():
    clock = VirtualClock()
    with pytest.raises(Deadlock):
        clock.run(_wait(clock.create_event()))


async def _wait(event):
    await event.wait()


def test_an_exception_reaches_the_caller_of_run():
    clock = VirtualClock()

    async def fails():
        await clock.sleep(1)
        raise KeyError("mine")

    with pytest.raises(KeyError):
        clock.run(fails())


def test_an_exception_of_a_background_task_stops_the_clock():
    clock = VirtualClock()

    async def fails():
        raise KeyError("background")

    clock.start(fails())
    with pytest.raises(KeyError):
        clock.run_until(10)


def test_awaiting_a_foreign_object_is_refused():
    clock = VirtualClock()

    class Foreign:
        def __await__(self):
            yield 1

    async def main():
        await Foreign()

    with pytest.raises(TypeError):
        clock.run(main())

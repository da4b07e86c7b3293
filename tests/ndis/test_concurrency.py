# SPDX-License-Identifier: Apache-2.0
"""CL: handlers on several CPUs at once, pre-empted at every NDIS call and lock; races are found and replayed."""

from __future__ import annotations

import functools
import itertools
import os

import pytest

from hilnic import ndis
from hilnic.ndis import Irql, NdisStatus, NdisViolation, ReceiveFlags
from hilnic.testing import FunctionalMiniport, FunctionalProtocol, NdisBench, expect_violation
from hilnic.testing.concurrent import ConcurrentMiniport, ConcurrentProtocol
from hilnic.testing.schedule import Deadlock, Scenario, Schedule, exhaust, explore, replay


class Lost(Exception):
    """An update of one CPU was overwritten by another."""


MOST = 10_000
"""A seeded race is found in fewer schedules than this."""


def assert_found_and_replayed(build, rule=None, schedules=MOST):
    """The race shows within the schedules, is reported for `rule`, and comes again by its seed."""
    failure = explore(build, schedules)
    assert failure is not None, f"not found in {schedules} schedules"
    assert failure.schedule.seed is not None
    assert failure.switches
    for _ in range(2):
        with pytest.raises(type(failure.error)) as again:
            replay(build, failure.schedule)
        assert str(again.value) == str(failure.error)
    if rule is not None:
        assert failure.error.rule == rule
        assert f"seed={failure.schedule.seed}" in str(failure)


# Races in drivers.


class Counting(FunctionalMiniport):
    """Counts its receives that are out, in a variable of its own; `locked` or not."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.references = 0
        self.lock = ndis.allocate_spin_lock(self.ndis, "references")

    locked = False

    def add(self, number):
        if self.locked:
            with self.lock.held():
                self.references += number
        else:
            references = self.references
            ndis.stall_execution(self.adapter, 1)
            self.references = references + number

    def indicate_nbls(self, nbls, flags=0, count=None):
        self.add(len(nbls))
        super().indicate_nbls(nbls, flags, count)

    def return_net_buffer_lists(self, nbls, return_flags):
        self.add(-ndis.count(nbls))
        super().return_net_buffer_lists(nbls, return_flags)


class LockedCounting(Counting):
    locked = True


def counting(miniport, seed):
    b = NdisBench(miniport=miniport, protocol=ConcurrentProtocol, seed=seed)
    b.fp.hold = True
    b.fm.indicate(*b.frames(2))

    def check():
        b.fp.give_back()
        if b.fm.references:
            raise Lost(f"{b.fm.references} references")
        b.stop()

    return Scenario(b, [lambda: b.fm.indicate(b.frame()), b.fp.give_back], check)


@pytest.mark.rule("CL-01")
def test_an_unlocked_reference_count_is_found_and_replayed():
    assert_found_and_replayed(functools.partial(counting, Counting))


@pytest.mark.rule("CL-01")
def test_a_locked_reference_count_survives_every_schedule():
    tried, failure = exhaust(functools.partial(counting, LockedCounting))
    assert failure is None, failure
    assert tried > 50


class Cancelling(ConcurrentMiniport):
    """Looks for the NBLs to cancel, and removes them later: a completion may have been quicker."""

    def cancel_send(self, cancel_id):
        matching = list(self.captured)
        ndis.stall_execution(self.adapter, 1)
        for nbl in matching:
            nbl.status = NdisStatus.SEND_ABORTED
        ndis.complete_send_net_buffer_lists(self.adapter, ndis.chain(matching))
        self.captured = [nbl for nbl in self.captured if nbl not in matching]


class Careful(ConcurrentMiniport):
    """Completes what it took out of the list under its lock."""

    def cancel_send(self, cancel_id):
        self.complete(*self.captured, status=NdisStatus.SEND_ABORTED)


def cancelling(miniport, seed):
    b = NdisBench(miniport=miniport, seed=seed)
    b.fp.send(*b.frames(2))

    def check():
        assert len(b.fp.completed) == 2
        b.stop()

    return Scenario(b, [b.fm.complete_all, lambda: ndis.cancel_send_net_buffer_lists(b.fp.open, 1)], check)


@pytest.mark.rule("CL-01", "CN-02")
def test_a_cancel_that_races_a_completion_is_found_and_replayed():
    assert_found_and_replayed(functools.partial(cancelling, Cancelling), "S6-02")


@pytest.mark.rule("CL-01", "CN-02")
def test_a_cancel_under_the_lock_survives_every_schedule():
    tried, failure = exhaust(functools.partial(cancelling, Careful))
    assert failure is None, failure
    assert tried > 20


class Interrupted(FunctionalMiniport):
    """Its ISR collects causes that its DPC takes; `synchronized` or not."""

    synchronized = False

    def initialize(self, adapter):
        status = super().initialize(adapter)
        self.causes, self.seen, self.vectors = 0, 0, {}
        characteristics = ndis.InterruptCharacteristics(
            connect=self.vectors.__setitem__,
            message_interrupt=type(self).isr,
            message_interrupt_dpc=type(self).dpc,
            vectors=(0,),
        )
        _, self.interrupt = ndis.register_interrupt(adapter, self, characteristics)
        return status

    def halt(self, action):
        ndis.deregister_interrupt(self.interrupt)
        super().halt(action)

    def isr(self, message_id):
        self.causes += 1
        return True, True

    def dpc(self, message_id, throttle):
        if self.synchronized:
            ndis.synchronize_with_interrupt(self.interrupt, message_id, type(self).take, self)
        else:
            self.take()

    def take(self):
        causes = self.causes
        ndis.stall_execution(self.adapter, 1)
        self.seen += causes
        self.causes = 0
        return True


class Synchronized(Interrupted):
    synchronized = True


def interrupted(miniport, seed):
    b = NdisBench(miniport=miniport, seed=seed)

    def check():
        if b.fm.seen != 2:
            raise Lost(f"{b.fm.seen} of 2 interrupts")
        b.stop()

    return Scenario(b, [b.fm.vectors[0], b.fm.vectors[0]], check)


@pytest.mark.rule("IT-04", "CL-09")
def test_work_shared_with_the_isr_without_synchronization_loses_an_interrupt():
    assert_found_and_replayed(functools.partial(interrupted, Interrupted))


@pytest.mark.rule("IT-04", "CL-09")
def test_synchronized_work_loses_no_interrupt():
    tried, failure = exhaust(functools.partial(interrupted, Synchronized), preemptions=3)
    assert failure is None, failure
    assert tried > 10


def test_a_function_synchronized_with_the_interrupt_runs_at_dirql(bench):
    b = bench(miniport=Interrupted)
    levels = []
    answer = ndis.synchronize_with_interrupt(b.fm.interrupt, 0, lambda _: levels.append(b.kernel.irql) or True)
    assert (answer, levels, b.kernel.irql) == (True, [Irql.DIRQL], Irql.PASSIVE)


# The NDIS core itself.


WORK = {
    "send": lambda b: functools.partial(b.fp.send, *b.frames(2)),
    "complete": lambda b: b.fm.complete_all,
    "indicate": lambda b: b.fm.indicate_spare,
    "lend": lambda b: functools.partial(b.fm.indicate_spare, ReceiveFlags.RESOURCES),
    "return": lambda b: lambda: b.fp.binding and b.fp.give_back(),
    "listen": lambda b: b.fp.listen(),
    "pause": lambda b: ndis.pause_adapter(b.fm.adapter),
    "reset": lambda b: ndis.reset_adapter(b.fm.adapter),
    "halt": lambda b: ndis.halt_adapter(b.fm.adapter),
    "remove": lambda b: ndis.surprise_remove_adapter(b.fm.adapter),
    "unbind": lambda b: ndis.unbind_protocol(b.fp.binding),
}


def at_once(work, protocols, seed):
    """Traffic is out both ways already; afterwards nothing is outstanding and nothing has leaked."""
    b = NdisBench(protocols, miniport=ConcurrentMiniport, protocol=ConcurrentProtocol, completion="deferred", seed=seed)
    b.fp.hold = True
    b.fm.returned = [b.fm.build(frame) for frame in b.frames(2)]
    b.fm.indicate_spare()
    b.fm.returned = [b.fm.build(frame) for frame in b.frames(2)]
    b.fp.send(*b.frames(2))

    def check():
        b.run()
        if b.fp.binding is not None:
            b.fp.give_back()
        b.run()
        assert not b.fm.adapter.sends_outstanding
        assert not b.fm.adapter.receives_outstanding
        assert [fp.in_flight for fp in b.fps] == [0] * protocols
        b.stop()

    return Scenario(b, [WORK[name](b) for name in work], check)


PAIRS = [
    ("send", "complete"), ("send", "pause"), ("complete", "pause"), ("indicate", "return"), ("indicate", "pause"),
    ("lend", "pause"), ("return", "pause"), ("return", "reset"), ("return", "halt"), ("complete", "unbind"),
    ("indicate", "unbind"), ("halt", "unbind"), ("remove", "halt"), ("pause", "reset"), ("send", "reset"),
    ("complete", "listen"),
]  # fmt: skip
THREES = [("indicate", "return", "pause"), ("send", "complete", "pause"), ("return", "reset", "halt")]


@pytest.mark.rule("CL-01", "CL-08")
@pytest.mark.parametrize("work", PAIRS, ids=" and ".join)
def test_the_core_survives_every_schedule_of(work):
    deep = "HILNIC_SOAK" in os.environ
    tried, failure = exhaust(functools.partial(at_once, work, 2 if deep else 1), preemptions=3 if deep else 1)
    assert failure is None, failure
    assert tried > 5


@pytest.mark.rule("CL-01", "CL-08")
@pytest.mark.parametrize("work", THREES, ids=" and ".join)
def test_the_core_survives_random_schedules_of(work):
    failure = explore(functools.partial(at_once, work, 2), 5000 if "HILNIC_SOAK" in os.environ else 50)
    assert failure is None, failure


def a_send_and_a_reset(miniport, seed):
    """A send is pending; on one CPU comes another one, on the other a reset. Only the test completes what is left."""
    b = NdisBench(miniport=miniport, protocol=ConcurrentProtocol, completion="manual", seed=seed)
    b.fp.send(b.frame())

    def check():
        b.run()
        b.fm.complete_all()
        assert not b.fm.adapter.sends_outstanding
        b.stop()

    return Scenario(b, [lambda: b.fp.send(b.frame()), ndis.reset_adapter(b.fm.adapter)], check)


@pytest.mark.rule("ST-13", "ST-14")
def test_a_send_that_reaches_the_miniport_between_its_resets_end_and_ndiss_is_no_sin():
    tried, failure = exhaust(functools.partial(a_send_and_a_reset, ConcurrentMiniport), preemptions=2)
    assert failure is None, failure
    assert tried > 50


class KeepsSends(ConcurrentMiniport):
    def reset(self):
        return NdisStatus.SUCCESS, True


@pytest.mark.rule("ST-13")
@pytest.mark.mutant("ST-13")
def test_mutant_that_keeps_its_sends_over_a_reset_is_found_among_two_cpus():
    _, failure = exhaust(functools.partial(a_send_and_a_reset, KeepsSends), preemptions=1)
    assert failure.error.rule == "ST-13"


# Locks.


@pytest.mark.rule("CL-04")
@pytest.mark.mutant("CL-04")
@pytest.mark.parametrize("length", [2, 3])
def test_mutant_takes_locks_in_a_circle(bench, length):
    b = bench()
    locks = [ndis.allocate_spin_lock(b.fm.adapter, f"lock {n}") for n in range(length)]
    for outer, inner in itertools.pairwise(locks):
        with outer.held(), inner.held():
            pass
    with expect_violation(b.ndis, "CL-04") as found, locks[-1].held(), locks[0].held():
        pass
    assert "elsewhere is acquired inside it" in str(found[0])


@pytest.mark.rule("CL-04")
def test_locks_in_one_order_are_fine(bench):
    b = bench()
    outer, inner = (ndis.allocate_spin_lock(b.fm.adapter, name) for name in ("outer", "inner"))
    for _ in range(3):
        with outer.held(), inner.held():
            assert b.kernel.irql is Irql.DISPATCH
    assert b.kernel.irql is Irql.PASSIVE
    ndis.free_spin_lock(inner)


def locking(orders, seed):
    b = NdisBench(seed=seed, verify="off")
    locks = {name: ndis.allocate_spin_lock(b.fm.adapter, name) for name in "ab"}

    def take(order):
        with locks[order[0]].held(), locks[order[1]].held():
            pass

    return Scenario(b, [functools.partial(take, order) for order in orders])


@pytest.mark.rule("CL-04")
def test_a_deadlock_of_two_cpus_is_found():
    tried, failure = exhaust(functools.partial(locking, ("ab", "ba")))
    assert isinstance(failure.error, Deadlock)
    assert exhaust(functools.partial(locking, ("ab", "ab")))[1] is None
    assert tried > 1


def test_a_lock_keeps_the_other_cpu_out():
    inside = []

    def build(seed):
        b = NdisBench(seed=seed)
        lock = ndis.allocate_spin_lock(b.fm.adapter)
        inside.clear()

        def work(name):
            with lock.held():
                inside.append(name)
                ndis.stall_execution(b.fm.adapter, 1)
                inside.append(name)

        return Scenario(b, [lambda: work("a"), lambda: work("b")], lambda: check(inside))

    def check(order):
        assert order in (list("aabb"), list("bbaa"))

    tried, failure = exhaust(build, preemptions=3)
    assert failure is None, failure
    assert tried > 10


@pytest.mark.rule("CL-03")
@pytest.mark.mutant("CL-03")
def test_mutant_leaves_a_handler_with_its_lock_held(bench):
    class Forgetful(FunctionalProtocol):
        def send_net_buffer_lists_complete(self, nbls, flags):
            super().send_net_buffer_lists_complete(nbls, flags)
            ndis.acquire_spin_lock(self.lock)

    b = bench(protocol=Forgetful)
    b.fp.lock = ndis.allocate_spin_lock(b.fp.driver, "forgotten")
    b.fp.send(b.frame())
    with expect_violation(b.ndis, "CL-03") as found:
        b.fm.complete_all()
    assert "NdisMSendNetBufferListsComplete" in str(found[0])
    assert b.kernel.irql is Irql.PASSIVE


@pytest.mark.rule("CL-03")
@pytest.mark.mutant("CL-03")
def test_mutant_releases_a_lock_that_it_does_not_hold(bench):
    b = bench()
    lock = ndis.allocate_spin_lock(b.fm.adapter)
    with expect_violation(b.ndis, "CL-03"):
        ndis.release_spin_lock(lock)


@pytest.mark.rule("CL-03")
@pytest.mark.mutant("CL-03")
def test_mutant_frees_a_lock_that_is_held(bench):
    b = bench()
    lock = ndis.allocate_spin_lock(b.fm.adapter)
    with lock.held(), expect_violation(b.ndis, "CL-03"):
        ndis.free_spin_lock(lock)


@pytest.mark.rule("CL-03")
@pytest.mark.mutant("CL-03")
def test_mutant_takes_a_lock_by_the_dpr_variant_at_passive(bench):
    b = bench()
    lock = ndis.allocate_spin_lock(b.fm.adapter)
    with expect_violation(b.ndis, "CL-03") as found:
        ndis.dpr_acquire_spin_lock(lock)
        ndis.dpr_release_spin_lock(lock)
    assert len(found) == 2


@pytest.mark.rule("CL-03")
def test_the_dpr_variants_stay_at_dispatch(bench):
    b = bench()
    lock = ndis.allocate_spin_lock(b.fm.adapter)
    levels = []

    def dpc():
        ndis.dpr_acquire_spin_lock(lock)
        levels.append(lock.taken)
        ndis.dpr_release_spin_lock(lock)
        levels.append(b.kernel.irql)

    b.kernel.queue_dpc(dpc)
    b.run()
    assert levels == [True, Irql.DISPATCH]


@pytest.mark.rule("CL-03")
@pytest.mark.mutant("CL-03")
def test_mutant_leaves_a_timer_with_its_lock_held(bench):
    b = bench()
    lock = ndis.allocate_spin_lock(b.fm.adapter)
    timer = ndis.allocate_timer_object(b.fm.adapter, lambda _: ndis.acquire_spin_lock(lock))
    ndis.set_timer_object(timer, 1000)
    with expect_violation(b.ndis, "CL-03"):
        b.run()
    ndis.free_timer_object(timer)


# Waiting.


@pytest.mark.rule("CL-05")
@pytest.mark.mutant("CL-05")
def test_mutant_sleeps_with_its_lock_held(bench):
    b = bench()
    lock = ndis.allocate_spin_lock(b.fm.adapter)

    async def work():
        with lock.held():
            await ndis.sleep(b.fm.adapter, 10)

    with expect_violation(b.ndis, "CL-05"):
        b.run(work())


def test_a_sleep_at_passive_takes_its_time(bench):
    b = bench()
    before = b.kernel.now_ns()
    b.run(ndis.sleep(b.fm.adapter, 10))
    assert b.kernel.now_ns() - before == 10_000


@pytest.mark.rule("CL-06")
@pytest.mark.mutant("CL-06")
def test_mutant_stalls_the_cpu_for_too_long(bench):
    b = bench()
    ndis.stall_execution(b.fm.adapter, 50)
    with expect_violation(b.ndis, "CL-06"):
        ndis.stall_execution(b.fm.adapter, 51)


# The scheduler.


def test_a_cpu_that_spins_for_ever_is_a_deadlock():
    def build(seed):
        b = NdisBench(seed=seed)
        lock = ndis.allocate_spin_lock(b.fm.adapter)
        lock.taken = True  # by nobody
        return Scenario(b, [lambda: ndis.acquire_spin_lock(lock)])

    failure = explore(build, 1)
    assert isinstance(failure.error, Deadlock)
    assert "spin lock" in str(failure.error)


def test_a_violation_on_any_cpu_ends_the_run():
    def build(seed):
        b = NdisBench(seed=seed)
        return Scenario(b, [lambda: None, lambda: ndis.send_net_buffer_lists(b.fp.open, None)])

    with pytest.raises(NdisViolation) as found:
        replay(build, Schedule(seed=7))
    assert (found.value.rule, found.value.seed) == ("S6-21", 7)


def test_irql_and_held_locks_belong_to_a_cpu():
    seen = []

    def build(seed):
        b = NdisBench(seed=seed)
        locks = [ndis.allocate_spin_lock(b.fm.adapter) for _ in range(2)]

        def hold():
            with locks[0].held():
                ndis.stall_execution(b.fm.adapter, 1)

        def look():
            ndis.stall_execution(b.fm.adapter, 1)
            seen.append((b.kernel.irql, list(b.ndis.held_locks)))

        return Scenario(b, [hold, look])

    assert exhaust(build)[1] is None
    assert {irql for irql, _ in seen} == {Irql.PASSIVE}
    assert not any(held for _, held in seen)

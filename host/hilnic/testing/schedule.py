# SPDX-License-Identifier: Apache-2.0
"""Virtual CPUs: a handler on one is suspended at an NDIS call or lock while another runs (CL-01). Found races replay.

    def scenario(seed):                                # built anew for every schedule
        bench = NdisBench(seed=seed)
        return Scenario(bench, [lambda: bench.fp.send(bench.frame()), bench.fm.complete_all], check=...)

    failure = explore(scenario, schedules=1000)        # random, by seed; None = nothing found
    tried, failure = exhaust(scenario, preemptions=2)  # every schedule with up to two pre-emptions
    replay(scenario, failure.schedule)                 # raises the same error again

A CPU is a thread that runs only while it holds the baton, so exactly one runs at a time and nothing depends on the
machine. It may lose the baton at a yield point alone: entry and exit of every WDK function, and each turn of a spin
lock. Simulated IRQL, held locks and the running handler belong to a CPU. A CPU that has ended its routine takes DPCs,
timers and coroutines from the kernel's queue, later ones when all CPUs are idle.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from hilnic.testing.bench import NdisBench
from hilnic.testing.bench5 import Bench5

__all__ = ["Deadlock", "Failure", "Scenario", "Schedule", "exhaust", "explore", "replay"]

Routine = Callable[[], None] | Coroutine[Any, Any, Any]
_MOST_STEPS = 20_000  # yield points; more is a livelock


class Deadlock(BaseException):
    """Every CPU spins on a lock that another one holds, or the schedule never ends. No driver may catch it."""


@dataclass(slots=True)
class Scenario:
    """What runs at once, one routine per CPU (a coroutine: at PASSIVE_LEVEL), and what must hold afterwards."""

    bench: NdisBench | Bench5
    routines: Sequence[Routine]
    check: Callable[[], None] = lambda: None


Build = Callable[[int], Scenario]
"""Makes a scenario; the argument is the seed that its violations print."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Who runs at each yield point: drawn by `seed`, or the `choices` (0 = go on, n = the n-th other CPU), then 0."""

    seed: int | None = None
    choices: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """A schedule that breaks something, the error, and the switches that led there: (CPU, yield point)."""

    schedule: Schedule
    error: BaseException
    switches: tuple[tuple[int, str], ...]

    def __str__(self) -> str:
        path = " ".join(f"cpu{cpu}@{name.replace(' ', '_')}" for cpu, name in self.switches)
        return f"{self.schedule}: {self.error!r}\n  switches: {path}\n{self.error}"


class _Stop(BaseException):
    """Unwinds a CPU whose run is over."""


@dataclass(slots=True)
class _Cpu:
    """One virtual CPU: its state while another one runs."""

    number: int
    baton: threading.Lock
    irql: Any
    held_locks: list[Any] = field(default_factory=list)
    actor: Any = None
    running: list[Any] = field(default_factory=list)  # 5.x receive handlers
    throttles: dict[Any, Any] = field(default_factory=dict)
    spinning: bool = False
    idle: bool = False


class _Machine:
    """One run of a scenario under one schedule."""

    def __init__(self, scenario: Scenario, schedule: Schedule) -> None:
        self.bench = scenario.bench
        self.kernel = scenario.bench.kernel
        self.taken: list[tuple[int, int]] = []  # (choice, number of CPUs to choose from) at each yield point
        self.preemptible: list[bool] = []  # whether a choice other than 0 was a pre-emption there
        self.switches: list[tuple[int, str]] = []
        self.error: BaseException | None = None
        self._random = None if schedule.seed is None else Random(schedule.seed)
        self._planned = schedule.choices
        self._over = threading.Lock()
        self._stopping = False
        self._cpus = [_Cpu(n, _closed_lock(), self.kernel.irql) for n in range(max(2, len(scenario.routines)))]
        self._current = self._cpus[0]
        self._routines = [*scenario.routines, *[None] * (len(self._cpus) - len(scenario.routines))]
        self._threads = [
            threading.Thread(target=self._work, args=(cpu, routine), daemon=True)
            for cpu, routine in zip(self._cpus, self._routines, strict=True)
        ]

    def run(self) -> None:
        """Until every CPU has ended and nothing is queued, or one has failed."""
        self.kernel.yield_point = self._yield
        self._over.acquire()
        for thread in self._threads:
            thread.start()
        self._cpus[0].baton.release()
        self._over.acquire()
        self._stopping = True
        for cpu, thread in zip(self._cpus, self._threads, strict=True):
            cpu.baton.release()
            thread.join()
        self.kernel.yield_point = _nobody_else
        if self.error is not None:
            for routine in self._routines:
                if isinstance(routine, Coroutine):
                    routine.close()

    def _work(self, cpu: _Cpu, routine: Routine | None) -> None:
        """The thread of a CPU: its routine, then whatever is queued."""
        cpu.baton.acquire()
        try:
            if self._stopping:
                return
            if isinstance(routine, Coroutine):
                self.kernel.start(routine)
            elif routine is not None:
                routine()
            while self._take_event(cpu):
                pass
        except _Stop:
            return
        except BaseException as error:
            self.error = error
        self._over.release()

    def _take_event(self, cpu: _Cpu) -> bool:
        """Run one event of the kernel's queue; without one let the others run; False when all is done."""
        cpu.idle = True
        others_idle = all(other.idle for other in self._cpus)
        if self.kernel.due(later=others_idle):
            cpu.idle = False
            self.kernel.step()
        elif others_idle:
            return False
        self._yield("idle")
        return True

    def _yield(self, name: str) -> None:
        """A yield point of the running CPU: the schedule says who goes on."""
        cpu = self._current
        if self._stopping:
            raise _Stop
        if len(self.taken) > _MOST_STEPS:
            raise Deadlock(f"no end after {_MOST_STEPS} yield points, the last at {name}")
        cpu.spinning = name.startswith("spin ")
        blocked = cpu.spinning or cpu.idle
        others = [other for other in self._cpus if other is not cpu and self._can_run(other)]
        if blocked and not others:
            if cpu.spinning:
                raise Deadlock(f"cpu{cpu.number} waits at {name}, and no other CPU can run")
            return
        options = others if blocked else [cpu, *others]
        choice = self._choose(len(options), blocked)
        self.taken.append((choice, len(options)))
        self.preemptible.append(not blocked)
        if options[choice] is not cpu:
            self.switches.append((cpu.number, name))
            self._switch(cpu, options[choice])

    def _can_run(self, cpu: _Cpu) -> bool:
        return not cpu.spinning and (not cpu.idle or self.kernel.due(later=False))

    def _choose(self, number: int, blocked: bool) -> int:
        if self._random is not None:
            if number == 1 or (not blocked and self._random.random() < 0.6):
                return 0
            return self._random.randrange(number)
        step = len(self.taken)
        return self._planned[step] if step < len(self._planned) else 0

    def _switch(self, cpu: _Cpu, to: _Cpu) -> None:
        """Hand the baton over and wait until it comes back."""
        self._save(cpu)
        self._current = to
        self._restore(to)
        to.baton.release()
        cpu.baton.acquire()
        if self._stopping:
            raise _Stop

    def _save(self, cpu: _Cpu) -> None:
        host = self.bench.ndis
        cpu.irql, cpu.held_locks = self.kernel.irql, host.held_locks
        cpu.running = host.ndis5.running
        cpu.throttles = {adapter: adapter.throttle for adapter in host.adapters}
        if host.guard is not None:
            cpu.actor = host.guard.actor

    def _restore(self, cpu: _Cpu) -> None:
        host = self.bench.ndis
        self.kernel.irql, host.held_locks = cpu.irql, cpu.held_locks
        host.ndis5.running = cpu.running
        host.others_busy = any(other is not cpu and not other.idle for other in self._cpus)
        for adapter in host.adapters:
            adapter.throttle = cpu.throttles.get(adapter)
        if host.guard is not None:
            host.guard.actor = cpu.actor
        for other in self._cpus:
            other.spinning = False  # a lock may have been released meanwhile: they look again


def _closed_lock() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


def _nobody_else(name: str) -> None:
    """After the run nobody pre-empts."""


def _run(build: Build, schedule: Schedule) -> tuple[_Machine, Failure | None]:
    scenario = build(schedule.seed or 0)
    machine = _Machine(scenario, schedule)
    machine.run()
    error = machine.error
    if error is None:
        try:
            scenario.check()
        except Exception as found:
            error = found
    if error is None:
        return machine, None
    # drawn or enumerated, the choices say it all
    return machine, Failure(schedule, error, tuple(machine.switches))


def explore(build: Build, schedules: int = 1000, seed: int = 0) -> Failure | None:
    """Try random schedules, numbered from `seed` on; the first that breaks something, or None."""
    for number in range(seed, seed + schedules):
        _, failure = _run(build, Schedule(seed=number))
        if failure is not None:
            return failure
    return None


def exhaust(build: Build, preemptions: int = 2, most: int = 20_000) -> tuple[int, Failure | None]:
    """Try every schedule with at most so many pre-emptions: (number tried, first failure); Deadlock beyond `most`."""
    tried = 0
    for schedule in _Tree(preemptions):
        machine, failure = _run(build, schedule.current)
        tried += 1
        if failure is not None:
            return tried, failure
        if tried >= most:
            raise Deadlock(f"more than {most} schedules; the scenario is too big for {preemptions} pre-emptions")
        schedule.learn(machine)
    return tried, None


class _Tree:
    """Depth-first enumeration: each run tells which choices there were, the next one differs in the last open one."""

    def __init__(self, preemptions: int) -> None:
        self._most = preemptions
        self._next: tuple[int, ...] | None = ()
        self.current = Schedule()

    def __iter__(self) -> Iterator[_Tree]:
        while self._next is not None:
            self.current = Schedule(choices=self._next)
            self._next = None
            yield self

    def learn(self, machine: _Machine) -> None:
        """The run is over without a failure: where does the next one branch off?"""
        taken, preemptible = machine.taken, machine.preemptible
        spent = [0]
        for (choice, _), counts in zip(taken, preemptible, strict=True):
            spent.append(spent[-1] + (counts and choice > 0))
        for step in range(len(taken) - 1, -1, -1):
            choice, number = taken[step]
            if choice + 1 < number and (not preemptible[step] or spent[step] < self._most):
                self._next = (*(c for c, _ in taken[:step]), choice + 1)
                return


def replay(build: Build, schedule: Schedule) -> None:
    """Run one schedule again; raises what it breaks."""
    _, failure = _run(build, schedule)
    if failure is not None:
        raise failure.error

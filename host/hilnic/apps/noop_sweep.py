# SPDX-License-Identifier: Apache-2.0
"""pytest's plugin for `apps.noop`: all tests once, noting who calls what; then each function as a no-op, in a fork.

    collect -> every test, as usual -> {function: tests that called it, quickest first}
            -> a child per function, in which it does nothing: those tests until the first that goes red
            -> a last child without a no-op: the tests that went red are green again, so it was the no-op

A test that does not call the function cannot notice; so these tests are enough, and imports and collection happen once.
A child that takes too long has noticed, too.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, TextIO

import pytest

from hilnic.ndis.ndis import Ndis
from hilnic.testing import noop

__all__ = ["Result", "Sweep"]

_PATIENCE = 10
"""A test may take so many times as long as it did, and _GRACE_S more."""
_GRACE_S = 3.0
_Child = tuple[str, list[Any], TextIO]
"""The function, its tests, and where the child writes which test it begins."""
_SPENT_S = 120.0
"""Tests of a function that are not run any more; none needs that by far."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a function: `red` is the test that noticed, or None; `tests` call it."""

    name: str
    tests: int
    red: str | None


@dataclass(slots=True, eq=False)
class Sweep:
    """The plugin. `broken` are tests that fail without any no-op: then nothing was tried."""

    names: Sequence[str]
    jobs: int
    tell: Callable[[Result], None]
    results: list[Result] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    _calling: dict[str, set[Any]] = field(default_factory=lambda: defaultdict(set))
    _seconds: dict[Any, float] = field(default_factory=dict)
    _failed: bool = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """In place of pytest's own loop."""
        if session.testsfailed:  # of collection
            self.broken.append("collection")
            return True
        self._record(session.items)
        if not self.broken:
            self._sweep()
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test is red."""
        self._failed |= report.failed

    def _play(self, item: Any, following: Any) -> bool:
        """Run a test; is it green?"""
        self._failed = False
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        return not self._failed

    # --- once as usual ------------------------------------------------------------------------------------------------

    def _record(self, items: Sequence[Any]) -> None:
        hosts: list[Ndis] = []
        others = Ndis.created

        def created(host: Ndis) -> None:
            hosts.append(host)
            if others is not None:
                others(host)

        Ndis.created = created
        for item, following in zip(items, [*items[1:], None], strict=True):
            hosts.clear()
            started = perf_counter()
            if not self._play(item, following):
                self.broken.append(item.nodeid)
            self._seconds[item] = perf_counter() - started
            for name in {name for host in hosts for name in host.calls}:
                self._calling[name].add(item)
        Ndis.created = others

    # --- each function ------------------------------------------------------------------------------------------------

    def _sweep(self) -> None:
        self._try_all()
        red = {result.red for result in self.results}
        tests = [item for item in self._seconds if item.nodeid in red]
        ((pid, child),) = self._start("", tests).items()
        _, status = os.waitpid(pid, 0)
        found = self._red_test(status, child[2])
        if found is not None:
            self.broken.append(f"{found}, the second time")

    def _try_all(self) -> None:
        running: dict[int, _Child] = {}
        waiting = list(self.names)
        while waiting or running:
            while waiting and len(running) < self.jobs:
                name = waiting.pop(0)
                tests = sorted(self._calling[name], key=self._seconds.__getitem__)
                running.update(self._start(name, tests))
            pid, status = os.wait()
            if pid in running:
                self._ended(status, *running.pop(pid))

    def _start(self, name: str, tests: list[Any]) -> dict[int, _Child]:
        sys.stdout.flush()
        said = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - closed when the child has ended
        pid = os.fork()
        if not pid:
            self._be_child(name, tests, said)
        return {pid: (name, tests, said)}

    def _be_child(self, name: str, tests: list[Any], said: TextIO) -> None:
        """Run the tests until one is red and say which; never comes back."""
        silent = os.open(os.devnull, os.O_RDWR)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        code = 3
        with suppress(BaseException):
            if name:
                noop.silence(name)
            if tests:
                tests[0].config.pluginmanager.unregister(name="terminalreporter")
            code = 1 if self._until_red(tests, said) else 0
        os._exit(code)

    def _until_red(self, tests: list[Any], said: TextIO) -> bool:
        spent = 0.0
        for item in tests:
            spent += self._seconds[item]
            if spent > _SPENT_S:
                break
            said.write(f"{item.nodeid}\n")
            said.flush()  # the child may be killed
            signal.setitimer(signal.ITIMER_REAL, _PATIENCE * self._seconds[item] + _GRACE_S)
            if not self._play(item, None):
                return True
        return False

    @staticmethod
    def _red_test(status: int, said: TextIO) -> str | None:
        """The last test that a child began, when it has not ended well."""
        with said:
            said.seek(0)
            tried = said.read().splitlines()
        return tried[-1] if status and tried else None

    def _ended(self, status: int, name: str, tests: list[Any], said: TextIO) -> None:
        result = Result(name, len(tests), self._red_test(status, said))
        self.results.append(result)
        self.tell(result)

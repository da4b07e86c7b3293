# SPDX-License-Identifier: Apache-2.0
"""What a run called and which rules it saw broken: `hilnic wdk` and `hilnic rules` print it.

A test session makes one `RunRecord`; it hears of every Ndis instance and adds its counts when the instance is gone. A
test that fails leaves a dump of its instances (`hilnic dump`).

    build/ndis/host.json        the last pytest run
    build/<sim>/<run>/ndis.json  each simulator process, the latest of each
"""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import signal
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO, Any

from hilnic.ndis.ndis import Ndis
from hilnic.ndis.verifier.dump import snapshot

SCHEMA = "hilnic.ndis-run/1"
_FILE = "ndis.json"
DUMP = "ndis.dump.json"
PROCESS = "ndis.pid"
"""In the folder of a simulation while it runs: the process that SIGUSR1 makes write a dump. It holds a lock on the
file, so that what a killed one left behind is not taken for it."""


class RunRecord:
    """Counts of one process; `through` is "host" or "hdl"."""

    def __init__(self, through: str) -> None:
        self.through = through
        self.calls: Counter[str] = Counter()
        self.violated: Counter[str] = Counter()
        self.tests: set[str] = set()
        self._now: list[Ndis] = []  # instances of the test that runs
        self._open: list[weakref.finalize[[Mapping[str, int], Mapping[str, int]], Ndis]] = []

    def start(self) -> RunRecord:
        """Hear of every Ndis instance from now on."""
        Ndis.created = self._watch
        return self

    def stop(self) -> None:
        """Hear of no more, and count the instances that still live."""
        Ndis.created = None
        for instance in self._open:
            instance()
        self._open.clear()
        self._now.clear()

    def _watch(self, ndis: Ndis) -> None:
        ndis.counts_handlers = True
        self._now.append(ndis)
        self._open = [instance for instance in self._open if instance.alive]
        self._open.append(weakref.finalize(ndis, self._add, ndis.calls, ndis.report.counts))

    def _add(self, calls: Mapping[str, int], violated: Mapping[str, int]) -> None:
        self.calls.update(calls)
        self.violated.update(violated)

    def begin_test(self) -> None:
        """The instances before belong to other tests."""
        self._now.clear()

    def dump(self, path: Path, reason: str) -> None:
        """Write what the instances of this test look like now; nothing when there are none."""
        instances = [snapshot(ndis, reason) for ndis in self._now]
        if instances:
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f".{path.name}")
            part.write_text(json.dumps({"instances": instances}, indent=1) + "\n", encoding="utf-8")
            part.replace(path)  # whoever asked waits for the file

    def unfinished(self) -> bool:
        """Whether an instance of this test still has adapters: it was not stopped."""
        return any(ndis.adapters for ndis in self._now)

    def as_data(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "schema": SCHEMA,
            "through": self.through,
            "tests": sorted(self.tests),
            "calls": dict(sorted(self.calls.items())),
            "violated": dict(sorted(self.violated.items())),
        }

    def merge(self, data: dict[str, Any]) -> None:
        """Add another process's record."""
        self.tests.update(data["tests"])
        self._add(data["calls"], data["violated"])

    def write(self, path: Path) -> None:
        """Leave the record for the commands."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.as_data(), indent=1) + "\n", encoding="utf-8")


def host_file() -> Path:
    """Where a pytest run leaves its record."""
    return Path(os.environ.get("HILNIC_BUILD", "build")).absolute() / "ndis" / "host.json"


def of_simulation(folder_of_test: Callable[[], Path | None] = lambda: None) -> RunRecord:
    """The record of a simulator process; it is written into the folder of the run when the process ends.

    A test that ends with adapters still there has failed: its dump is written when the next one begins, or at the end.
    """
    current = getattr(Ndis.created, "__self__", None)
    if isinstance(current, _SimulationRecord):  # another module of this process has begun it
        return current
    record = _SimulationRecord(Path.cwd(), folder_of_test)
    record.start()
    atexit.register(record.end)
    return record


class _SimulationRecord(RunRecord):
    """One simulator process, which runs one test after the other."""

    def __init__(self, folder: Path, folder_of_test: Callable[[], Path | None]) -> None:
        super().__init__("hdl")
        self._folder, self._folder_of_test = folder, folder_of_test
        self._test: Path | None = None
        signal.signal(signal.SIGUSR1, lambda *_: self.dump(folder / DUMP, "asked for"))
        self._marker = self._mark(folder / PROCESS)

    @staticmethod
    def _mark(path: Path) -> IO[str]:
        """The marker, locked before it can be seen."""
        part = path.with_name(f".{path.name}")
        marker = part.open("w", encoding="ascii")
        fcntl.flock(marker, fcntl.LOCK_EX)
        marker.write(f"{os.getpid()}\n")
        marker.flush()
        part.replace(path)
        return marker

    def _watch(self, ndis: Ndis) -> None:
        test = self._folder_of_test()
        if test != self._test or test is None:
            self._leave_dump()
            self.begin_test()
            self._test = test
        super()._watch(ndis)

    def _leave_dump(self) -> None:
        if self.unfinished():
            self.dump((self._test or self._folder) / DUMP, "the test ended with adapters still there")

    def end(self) -> None:
        """The process ends."""
        self._leave_dump()
        self.begin_test()
        self.stop()
        self.write(self._folder / _FILE)
        (self._folder / PROCESS).unlink(missing_ok=True)
        self._marker.close()


def is_running(marker: Path) -> bool:
    """Whether the simulation that left this `PROCESS` file still runs."""
    with marker.open(encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def read(root: Path) -> tuple[RunRecord, RunRecord]:
    """What the last runs below `root` (the build folder) left: (host, hdl)."""
    host, hdl = RunRecord("host"), RunRecord("hdl")
    _merge(host, [root / "ndis" / "host.json"])
    _merge(hdl, sorted(root.glob(f"*/*/{_FILE}")))
    return host, hdl


def _merge(record: RunRecord, paths: Iterable[Path]) -> None:
    for path in paths:
        if path.exists():
            record.merge(json.loads(path.read_text(encoding="utf-8")))

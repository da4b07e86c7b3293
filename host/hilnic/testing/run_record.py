# SPDX-License-Identifier: Apache-2.0
"""What a run called and which rules it saw broken: `hilnic wdk` and `hilnic rules` print it.

A test session makes one `RunRecord`; it hears of every Ndis instance and adds its counts when the instance is gone.

    build/ndis/host.json        the last pytest run
    build/<sim>/<run>/ndis.json  each simulator process, the latest of each
"""

from __future__ import annotations

import atexit
import json
import os
import weakref
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hilnic.ndis.ndis import Ndis

SCHEMA = "hilnic.ndis-run/1"
_FILE = "ndis.json"


class RunRecord:
    """Counts of one process; `through` is "host" or "hdl"."""

    def __init__(self, through: str) -> None:
        self.through = through
        self.calls: Counter[str] = Counter()
        self.violated: Counter[str] = Counter()
        self.tests: set[str] = set()
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

    def _watch(self, ndis: Ndis) -> None:
        ndis.counts_handlers = True
        self._open = [instance for instance in self._open if instance.alive]
        self._open.append(weakref.finalize(ndis, self._add, ndis.calls, ndis.report.counts))

    def _add(self, calls: Mapping[str, int], violated: Mapping[str, int]) -> None:
        self.calls.update(calls)
        self.violated.update(violated)

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


def of_simulation() -> RunRecord:
    """The record of a simulator process; it is written into the folder of the run when the process ends."""
    record = RunRecord("hdl").start()
    path = Path.cwd() / _FILE

    def write() -> None:
        record.stop()
        record.write(path)

    atexit.register(write)
    return record


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

# SPDX-License-Identifier: Apache-2.0
"""Which share of the suite runs with cocotbext's models as far ends; `make sim ENDS=cocotbext` ends with it.

A test counts as in the last line of `make sim`: each set of its parameters, on each simulator of its run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

from hilnic import sources
from hilnic.apps.catalogue import Entry

__all__ = ["Share", "number_of_tests", "share"]


@dataclass(frozen=True, slots=True)
class Share:
    """Tests of the suite, those that ran with cocotbext's ends, and how many each other run has."""

    ran: int
    suite: int
    others: dict[str, int]

    def __str__(self) -> str:
        """As the command says it."""
        left_out = ", ".join(f"{run} {number}" for run, number in self.others.items())
        return (
            f"with cocotbext's ends: {self.ran} of the suite's {self.suite} tests, {100 * self.ran / self.suite:.1f} % "
            f"(each set of parameters on each simulator counts)\nwithout, for the reasons above: {left_out or 'none'}"
        )


def number_of_tests(entries: Sequence[Entry], sim: str) -> dict[str, int]:
    """Tests by run on one simulator."""
    found: dict[str, int] = {}
    for environment in dict.fromkeys(map(_decides, entries)):
        members = [entry for entry in entries if _decides(entry) == environment]
        counted = _count(
            [module for entry in members for module in entry.modules], {"HILNIC_SIM": sim, **dict(environment)}
        )
        found.update((entry.name, sum(counted[module] for module in entry.modules)) for entry in members)
    return found


def _decides(entry: Entry) -> tuple[tuple[str, str], ...]:
    """What of a run's environment can change the number of its tests: not its clocks."""
    return tuple(pair for pair in entry.environment if pair[0] != "HILNIC_CLOCKS")


def _count(modules: Sequence[str], environment: dict[str, str]) -> dict[str, int]:
    path = os.pathsep.join([str(sources.root() / "tb"), *(entry for entry in sys.path if entry)])
    command = [sys.executable, "-m", "hilnic.cosim.count_tests", *dict.fromkeys(modules)]
    with tempfile.TemporaryDirectory() as folder:  # where the modules may leave files
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **environment, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            check=True,
        )
    return dict(json.loads(done.stdout))


def share(entries: Sequence[Entry], sims: Sequence[str], ran: int) -> Share:
    """`ran` tests, of all that the regular runs of the catalogue have on these simulators."""
    suite, others = 0, dict[str, int]()
    for sim in sims:
        regular = [entry for entry in entries if not entry.soak and sim in entry.sims]
        numbers = number_of_tests(regular, sim)
        suite += sum(numbers.values())
        for entry in regular:
            if "cocotbext" not in entry.ends:
                others[entry.name] = others.get(entry.name, 0) + numbers[entry.name]
    return Share(ran, suite, others)

# SPDX-License-Identifier: Apache-2.0
"""The last run as `hilnic rules` shows it: how often each rule was exercised and violated, on the host and the HDL.

A rule is exercised when a test that cites it has run and passed; it is violated when an NDIS instance recorded it,
which the mutants do on purpose. Host: the last pytest run. HDL: the latest run of each simulator test.
"""

import json
from collections import Counter
from dataclasses import dataclass, field

from hilnic.apps import catalogue
from hilnic.apps.citations import Evidence
from hilnic.cosim.build_hostmem import build_root
from hilnic.testing import run_record


@dataclass(slots=True)
class LastRun:
    """Counts by rule."""

    exercised_host: Counter[str] = field(default_factory=Counter)
    exercised_hdl: Counter[str] = field(default_factory=Counter)
    violated_host: Counter[str] = field(default_factory=Counter)
    violated_hdl: Counter[str] = field(default_factory=Counter)
    host_tests: int = 0
    hdl_tests: int = 0

    @property
    def title(self) -> str:
        """What was run."""
        return f"the last runs: {self.host_tests} host tests, {self.hdl_tests} simulator tests"


def last_run(evidence: dict[str, Evidence]) -> LastRun:
    """Read the records below the build folder; zeros when nothing has been run."""
    host, hdl = run_record.read(build_root())
    ran = Counter(host.tests) + _simulator_tests()
    found = LastRun(
        violated_host=host.violated,
        violated_hdl=hdl.violated,
        host_tests=len(host.tests),
        hdl_tests=ran.total() - len(host.tests),
    )
    for rule, known in evidence.items():
        for test in known.tests:
            counts = found.exercised_hdl if test.startswith("tb/") else found.exercised_host
            counts[rule] += ran[test]
    return found


def _simulator_tests() -> Counter[str]:
    """tb/module.py::function -> how many simulators it has passed on."""
    places = {entry.name: entry.places() for entry in catalogue.load()}
    passed: Counter[str] = Counter()
    for path in build_root().glob("*/*/report.json"):
        report = json.loads(path.read_text(encoding="utf-8"))
        run, _, test = report["name"].partition(".")
        function = test.partition("/")[0]
        if report["outcome"] == "passed" and function in places.get(run, ()):
            passed[f"tb/{places[run][function]}.py::{function}"] += 1
    return passed

# SPDX-License-Identifier: Apache-2.0
"""For `hilnic dump`, `rules` and `wdk` after a pytest run of one's own: `hilnic.testing.pytest_plugin` registers it.

    build/ndis/host.json                     calls by WDK name, violations by rule, tests that passed
    build/ndis/failed/<test>/ndis.dump.json  the hosts of a test that failed, as they were

`HILNIC_BUILD` names another folder than `build`. With xdist the workers' records are added up.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

import pytest

from hilnic.ndis import Ndis
from hilnic.testing import run_record

__all__ = ["Recorder", "record_runs"]

_KEY = "hilnic_ndis"


class Recorder:
    """The hooks; one per process."""

    def __init__(self) -> None:
        self.record = run_record.RunRecord("host").start()

    def pytest_runtest_setup(self) -> None:
        """A new test: the hosts of the one before are not its own."""
        self.record.begin_test()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """A test that fails leaves a dump of its hosts, and says where."""
        report = yield
        if report.failed:
            name = re.sub(r"[^\w.-]+", "_", item.nodeid)
            file = run_record.host_file().parent / "failed" / name / run_record.DUMP
            file.unlink(missing_ok=True)
            self.record.dump(file, f"{item.nodeid} failed")
            if file.exists():
                report.sections.append(("NDIS", f"hilnic dump {file.parent}"))
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Which tests ran to a good end."""
        if report.when == "call" and report.passed:
            self.record.tests.add(report.nodeid.partition("[")[0])

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """One of xdist's workers has ended."""
        output = getattr(node, "workeroutput", None)
        if output is not None and _KEY in output:
            self.record.merge(output[_KEY])

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Leave the record."""
        self.record.stop()
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[_KEY] = self.record.as_data()
        elif not session.config.option.collectonly:
            self.record.write(run_record.host_file())


def record_runs(config: pytest.Config) -> None:
    """Record from now on, unless somebody does already."""
    if Ndis.created is None:
        config.pluginmanager.register(Recorder(), "hilnic-record")

# SPDX-License-Identifier: Apache-2.0
"""What every test shares: the last line that outside checks read, the record of the run, and the project's root."""

import gc
import os
import re
from collections.abc import Generator
from pathlib import Path
from time import monotonic

import pytest
from hypothesis import settings

from hilnic.testing import noop, run_record

# no deadline: a slow machine is no failure; derandomized: a property that fails, fails again
settings.register_profile("hilnic", deadline=None, derandomize=True)
settings.load_profile("hilnic")

_STARTED = monotonic()
_RECORD = run_record.RunRecord("host")


def pytest_configure(config: pytest.Config) -> None:
    """The marks by which `hilnic rules` finds the tests of a rule."""
    config.addinivalue_line("markers", "rule(*ids): the rules of the catalogue that the test speaks for")
    config.addinivalue_line(
        "markers", "mutant(id): a driver that breaks exactly this rule is caught by exactly this rule"
    )
    _RECORD.start()
    if "HILNIC_NOOP" in os.environ:  # make soak: without this function some test has to fail
        name = os.environ["HILNIC_NOOP"]
        try:
            noop.silence(name)
        except KeyError:
            raise pytest.UsageError(f"HILNIC_NOOP={name}: no WDK function or handler is called so") from None


def pytest_collection_finish() -> None:
    """Thousands of tests stay to the end: the garbage collector need not walk them again and again."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A new test: the hosts of the one before are not its own."""
    _RECORD.begin_test()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that fails leaves a dump of its hosts."""
    report = yield
    if report.failed:
        name = re.sub(r"[^\w.-]+", "_", item.nodeid)
        _RECORD.dump(run_record.host_file().parent / "failed" / name / run_record.DUMP, f"{item.nodeid} failed")
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Which tests spoke for their rules in this run."""
    if report.when == "call" and report.passed:
        _RECORD.tests.add(report.nodeid.partition("[")[0])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """One of xdist's workers has ended: its calls belong to the run."""
    output = getattr(node, "workeroutput", None)  # None when it crashed
    if output is not None:
        _RECORD.merge(output["ndis"])


@pytest.fixture(scope="session")
def project() -> Path:
    """The checkout's root."""
    return Path(__file__).resolve().parents[1]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, None, None]:
    """End with `N passed, M failed, K skipped in S s`, below the reasons of the skips and pytest's own summary."""
    if session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
        session.exitstatus = 2  # a selection of nothing is a usage error
    _RECORD.stop()
    if hasattr(session.config, "workerinput"):
        session.config.workeroutput["ndis"] = _RECORD.as_data()
    yield
    if not hasattr(session.config, "workerinput") and not session.config.option.collectonly:
        _RECORD.write(run_record.host_file())
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(session.config, "workerinput"):
        return  # one of xdist's workers
    counts = {name: len(reports) for name, reports in reporter.stats.items()}
    passed = counts.get("passed", 0) + counts.get("xpassed", 0)
    failed = counts.get("failed", 0) + counts.get("error", 0)
    skipped = counts.get("skipped", 0) + counts.get("xfailed", 0)
    reporter.ensure_newline()
    reporter.write_line(f"{passed} passed, {failed} failed, {skipped} skipped in {monotonic() - _STARTED:.1f} s")

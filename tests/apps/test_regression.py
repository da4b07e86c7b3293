# SPDX-License-Identifier: Apache-2.0
"""The catalogue of simulator tests, what `make sim` leaves out and why, and what it reports of a test."""

import io
import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest
from rich.console import Console

from hilnic import sources
from hilnic.apps import catalogue, ends_share, regression
from hilnic.apps.catalogue import Selected
from hilnic.apps.outcome import Exit, Stop
from hilnic.apps.results import TestResult, read_cocotb

ENTRIES = catalogue.load()
REGULAR = [entry for entry in ENTRIES if not entry.soak]


def orders_of(ends, **options):
    chosen = [Selected(entry) for entry in REGULAR]
    return regression._orders(chosen, options.get("sim"), ends, 1, False)


def test_every_run_that_cannot_have_cocotbexts_ends_says_why():
    _, left_out = orders_of("cocotbext")
    assert {result.name.partition(".")[0] for result in left_out} == {
        entry.name for entry in REGULAR if "cocotbext" not in entry.ends
    }
    assert all(len(result.message) > len("not with cocotbext: ") + 20 for result in left_out)


def test_a_run_without_a_reason_is_refused(tmp_path):
    path = tmp_path / "catalogue.toml"
    path.write_text('[[run]]\nname = "x"\nmodule = "x_tests"\ntarget = "mac"\nsims = ["icarus"]\n', encoding="utf-8")
    with pytest.raises(ValueError, match="no hdl_only says why"):
        catalogue.load(path)


def test_a_run_that_always_has_cocotbexts_ends_is_made_for_either_and_built_alike():
    for ends in ("hdl", "cocotbext"):
        (order,) = [order for order in orders_of(ends, sim="icarus")[0] if order.entry.name == "mac"]
        assert order.ends == "cocotbext"
        assert order.design.parameters == ()


def test_at_least_60_percent_of_the_suite_run_with_cocotbexts_ends():
    """As declared; `make sim ENDS=cocotbext` says how much did run."""
    found = ends_share.share(ENTRIES, ("icarus", "verilator"), 0)
    declared = found.suite - sum(found.others.values())
    assert declared >= 0.6 * found.suite
    assert found.suite > 600


def test_tests_are_counted_with_their_parameters():
    (smoke,) = [entry for entry in ENTRIES if entry.name == "smoke"]
    (soak,) = [entry for entry in ENTRIES if entry.name == "differential_soak"]
    assert ends_share.number_of_tests([smoke, soak], "verilator") == {
        "smoke": len(smoke.functions()),
        "differential_soak": 500,
    }


def test_no_test_in_the_simulator_is_skipped_without_a_reason_that_is_kept():
    """`artefacts.skip` keeps it; cocotb's own ways do not."""
    for path in sorted(Path(sources.root() / "tb").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert "pytest.skip" not in text, path
        assert "skip=" not in text, path


def test_an_interrupt_ends_what_runs_and_begins_nothing_more(order, tmp_path, monkeypatch):
    """Ctrl-C reaches the main thread alone; the simulators of the others would run the whole regression to its end."""
    runner, begun = regression.runner, []

    def simulate(order, built):
        begun.append(order)
        with (
            (tmp_path / "log").open("w", encoding="utf-8") as log,
            runner._child(["sleep", "60"], tmp_path, os.environ, log) as child,
        ):
            time.sleep(0.2)  # a signal on the very way into a wait is seen only after it, by CPython
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            child.wait()
        return []

    monkeypatch.setattr(runner, "_stopping", threading.Event())
    monkeypatch.setattr(regression, "_build", lambda order: "none")
    monkeypatch.setattr(regression, "_run_one", simulate)
    started = time.monotonic()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    try:
        with pytest.raises(KeyboardInterrupt):
            regression._run_all([order] * 5, 1, Console(quiet=True))
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(begun) == 1
    assert time.monotonic() - started < 30
    with pytest.raises(runner.Stopped), runner._child(["true"], tmp_path, os.environ, io.StringIO()):
        pass


def test_without_a_compiler_a_prerequisite_is_missing_and_nothing_has_failed(tmp_path, monkeypatch, order):
    monkeypatch.setenv("HILNIC_BUILD", str(tmp_path / "fresh"))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(regression.runner.toolchain, "icarus_version", lambda: "11.0")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Stop, match="no C compiler is installed") as stopped:
        regression._build(order)
    assert stopped.value.code is Exit.MISSING


@pytest.fixture
def order(tmp_path, monkeypatch):
    """An order whose folders are in tmp_path."""
    monkeypatch.setenv("HILNIC_BUILD", str(tmp_path))
    return orders_of("hdl", sim="icarus")[0][0]


def test_the_reason_of_a_skip_and_the_frames_of_a_test_with_parameters_are_found(order, tmp_path):
    run = order.entry.name
    skipped, passed = tmp_path / "icarus" / f"{run}.a-x=1", tmp_path / "icarus" / f"{run}.b-y=2"
    for folder in (skipped, passed):
        folder.mkdir(parents=True)
    (skipped / "skipped.txt").write_text("the model has no such thing\n", encoding="utf-8")
    (passed / "counts.json").write_text('{"frames": 7}', encoding="utf-8")
    first = regression._complete(order, TestResult(f"{run}.a/x=1", "icarus", "skipped", "marked as skipped"))
    second = regression._complete(order, TestResult(f"{run}.b/y=2", "icarus", "passed"))
    assert first.message == "the model has no such thing"
    assert second.frames == 7
    assert json.loads((passed / "report.json").read_text(encoding="utf-8"))["frames"] == 7


def test_a_reason_of_an_earlier_run_is_not_taken_for_one_of_this(order, tmp_path):
    folder = tmp_path / "icarus" / f"{order.entry.name}.a"
    folder.mkdir(parents=True)
    (folder / "skipped.txt").write_text("then\n", encoding="utf-8")
    assert regression._complete(order, TestResult(f"{order.entry.name}.a", "icarus", "passed")).message == ""


def test_cocotbs_file_has_no_reason(tmp_path):
    path = tmp_path / "results.xml"
    path.write_text('<x><testcase name="a" classname="m"><skipped/></testcase></x>', encoding="utf-8")
    (result,) = read_cocotb(path, "run", "icarus", 1, "hdl")
    assert result.outcome == "skipped"

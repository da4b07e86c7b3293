# SPDX-License-Identifier: Apache-2.0
"""A WDK function that does nothing is noticed; the runner says which one would not be."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hilnic.apps import noop
from hilnic.apps.noop_sweep import Result
from hilnic.apps.outcome import Exit


def test_a_silenced_function_does_nothing_wherever_it_was_imported() -> None:
    script = """
from hilnic import ndis
from hilnic.testing import NdisBench, noop
bench = NdisBench()
noop.silence("NdisSendNetBufferLists")
bench.fp.send(bench.frame())
assert bench.fm.captured == []
assert bench.ndis.calls["NdisSendNetBufferLists"] == 1
noop.silence("NdisDeregisterProtocolDriver")
bench.run(ndis.deregister_protocol_driver(bench.fp.driver))
assert bench.fp.driver in bench.ndis.protocol_drivers
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_silenced_handler_is_called_in_vain() -> None:
    script = """
from hilnic.testing import NdisBench, noop
noop.silence("MiniportSendNetBufferLists")
bench = NdisBench()
bench.fp.send(bench.frame())
assert bench.fm.captured == []
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_every_function_and_handler_can_be_silenced() -> None:
    script = """
import hilnic.ndis, hilnic.ndis.ndis5, hilnic.testing
from hilnic.ndis.wdk import WDK_FUNCTIONS, WDK_HANDLERS
from hilnic.testing import noop
for name in (*WDK_FUNCTIONS, *WDK_HANDLERS):
    noop.silence(name)
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_an_unknown_name_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert noop.main(["NdisNothing"]) == Exit.USAGE
    assert "NdisNothing" in capsys.readouterr().err


def test_a_survivor_needs_a_reason_and_a_reason_a_survivor() -> None:
    results = [Result("One", 3, "tests/x.py::test_it"), Result("Two", 3, None), Result("Three", 0, None)]
    assert noop.judge(results, {"Two": "nothing to see"}) == [
        "Three can be a no-op, and none of 0 tests that call it notices"
    ]
    assert noop.judge(results, {"One": "", "Two": "", "Three": ""}) == [
        "One needs no reason in noop_reasons.toml: tests/x.py::test_it notices"
    ]


def sweep(tmp_path: Path, suite: Path, *names: str) -> tuple[int, str]:
    """A process that tries these functions with the tests of one file: (exit code, what it said)."""
    script = "import sys; from hilnic.apps import noop; sys.exit(noop.main(sys.argv[2:], [sys.argv[1]]))"
    done = subprocess.run(
        [sys.executable, "-c", script, str(suite), *names],
        env={**os.environ, "HILNIC_BUILD": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_the_sweep_tells_who_notices_and_who_survives(tmp_path: Path, project: Path) -> None:
    code, said = sweep(tmp_path, project / "tests" / "ndis" / "test_unload.py", "NdisFreeTimerObject", "NdisSend")
    assert code == Exit.FAILED
    assert "red       NdisFreeTimerObject  tests/ndis/test_unload.py::test_" in said
    assert "SURVIVED  NdisSend (0 tests call it)" in said
    assert said.splitlines()[-1].startswith("1 passed, 1 failed, 0 skipped")
    assert "NdisSend can be a no-op, and none of 0 tests that call it notices" in said


def test_nothing_is_tried_over_red_tests(tmp_path: Path) -> None:
    red = tmp_path / "test_red.py"
    red.write_text("def test_red():\n    assert False\n")
    code, said = sweep(tmp_path, red, "NdisSend")
    assert code == Exit.FAILED
    assert "red without any no-op: " in said
    assert "SURVIVED" not in said

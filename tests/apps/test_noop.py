# SPDX-License-Identifier: Apache-2.0
"""A WDK function that does nothing is noticed; the runner says which one would not be."""

import subprocess
import sys
from pathlib import Path

import pytest

from hilnic.apps import noop
from hilnic.apps.outcome import Exit
from hilnic.ndis.wdk import WDK_FUNCTIONS


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


def test_every_function_can_be_silenced() -> None:
    script = """
import hilnic.ndis, hilnic.ndis.ndis5, hilnic.testing
from hilnic.ndis.wdk import WDK_FUNCTIONS
from hilnic.testing import noop
for name in WDK_FUNCTIONS:
    noop.silence(name)
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_an_unknown_name_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert noop.main(["NdisNothing"]) == Exit.USAGE
    assert "NdisNothing" in capsys.readouterr().err


def test_a_survivor_fails_the_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    name = next(iter(WDK_FUNCTIONS))
    monkeypatch.setattr(noop, "_green", lambda *_: True)
    assert noop.main([name]) == Exit.FAILED
    assert f"{name} can be a no-op" in capsys.readouterr().out
    ran: list[tuple[str, ...]] = []

    def red(name: str, tests: tuple[str, ...], root: Path) -> bool:
        ran.append(tests)
        return False

    monkeypatch.setattr(noop, "_green", red)
    assert noop.main([name]) == Exit.PASSED
    assert capsys.readouterr().out.splitlines()[-1].startswith("1 passed, 0 failed, 0 skipped")
    assert len(ran) == 1

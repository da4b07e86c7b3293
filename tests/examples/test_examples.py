# SPDX-License-Identifier: Apache-2.0
"""Every example is short, and runs."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.py"))
IN_THE_SIMULATOR = {"replay_capture.py", "live_ping.py"}  # started by tests of their commands


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_has_at_most_40_lines(example: Path) -> None:
    assert len(example.read_text(encoding="utf-8").splitlines()) <= 40


@pytest.mark.parametrize("example", [e for e in EXAMPLES if e.name not in IN_THE_SIMULATOR], ids=lambda path: path.name)
def test_an_example_runs(example: Path) -> None:
    pytest_options = ["-m", "pytest", "-q", "-p", "no:cacheprovider"] if example.name.startswith("test_") else []
    command = [sys.executable, *pytest_options]
    done = subprocess.run([*command, str(example)], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr

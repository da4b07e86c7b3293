# SPDX-License-Identifier: Apache-2.0
"""Every example is short, and runs; `make examples` runs those too that start a simulator."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hilnic.apps.netns import SandboxError, sandbox_command

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.py"))
IN_THE_SIMULATOR = {"replay_capture.py", "live_ping.py"}
HOST_ONLY = [example for example in EXAMPLES if example.name not in IN_THE_SIMULATOR]
FOLDER = EXAMPLES[0].parent


def run(example: Path, *arguments: str, options: tuple[str, ...] = (), timeout: float = 120) -> str:
    """What the example prints; it ends with 0."""
    command = [sys.executable, *options, str(example), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_has_at_most_40_lines(example: Path) -> None:
    assert len(example.read_text(encoding="utf-8").splitlines()) <= 40


def test_the_examples_for_the_simulator_are_there() -> None:
    assert {example.name for example in EXAMPLES} > IN_THE_SIMULATOR


@pytest.mark.parametrize("example", HOST_ONLY, ids=lambda path: path.name)
def test_an_example_runs(example: Path) -> None:
    is_test = example.name.startswith("test_")
    run(example, options=("-m", "pytest", "-q", "-p", "no:cacheprovider") if is_test else ())


@pytest.mark.simulator
def test_the_replayed_capture_arrives_unchanged_both_ways() -> None:
    said = run(
        FOLDER / "replay_capture.py", str(FOLDER.parent / "tests/data/802.1w_rapid_STP.pcap"), "icarus", timeout=600
    )
    assert "tx: 30 of 30 frames arrived unchanged" in said
    assert "rx: 30 of 30 frames arrived unchanged" in said


@pytest.mark.simulator
def test_the_kernel_pings_itself_through_the_nic() -> None:
    try:
        sandbox_command()
    except SandboxError as refused:
        pytest.skip(str(refused))
    if shutil.which("ping") is None:
        pytest.skip("ping is not installed (make setup installs it)")
    said = run(FOLDER / "live_ping.py", "3", "icarus", timeout=600)
    assert "3 of 3 answered" in said
    assert "20000 octets by HTTP, digest equal" in said

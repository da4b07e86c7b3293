# SPDX-License-Identifier: Apache-2.0
"""tools/setup on machines where it must refuse: in words, with the contract's exit codes, touching nothing."""

import shutil
import subprocess
from pathlib import Path

import pytest

# all that a machine without Python, apt or sudo still has
BASE_PROGRAMS = ("bash", "awk", "cat", "cut", "sort", "grep", "mkdir", "dirname", "sha256sum", "tail", "env", "uname")


@pytest.fixture
def bare(project: Path, tmp_path: Path) -> Path:
    """A copy of what set-up reads, and a `bin` with the base programs alone."""
    for name in ("tools/setup", "host/hilnic/apps/prerequisites.txt", "pyproject.toml", "requirements.lock"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(project / name, tmp_path / name)
    (tmp_path / "bin").mkdir()
    for name in BASE_PROGRAMS:
        (tmp_path / "bin" / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    return tmp_path


def stub(tree: Path, name: str, script: str) -> None:
    program = tree / "bin" / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def setup(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(tree / "bin")}
    return subprocess.run(
        [tree / "tools" / "setup", *arguments], env=environment, capture_output=True, text=True, check=False
    )


def test_an_unknown_part_is_a_usage_error(bare: Path) -> None:
    done = setup(bare, "everything")
    assert (done.returncode, done.stderr) == (2, "usage: tools/setup [base|synth|view|plot]\n")


def test_a_debian_without_root_and_sudo_names_what_to_install(bare: Path) -> None:
    stub(bare, "dpkg-query", '[ "$4" = make ] && echo installed')
    stub(bare, "apt-get", "exit 1")
    stub(bare, "id", "echo 1000")
    done = setup(bare)
    assert done.returncode == 3
    assert "not root and no sudo" in done.stderr
    assert "iverilog" in done.stderr
    assert " make " not in done.stderr


def test_a_failing_apt_is_3_and_shows_its_last_words(bare: Path) -> None:
    stub(bare, "dpkg-query", "exit 1")
    stub(bare, "apt-get", "echo E: no candidate; exit 100")
    stub(bare, "id", "echo 0")
    done = setup(bare)
    assert done.returncode == 3
    assert "E: no candidate" in done.stderr


def test_another_system_names_the_missing_programs(bare: Path) -> None:
    done = setup(bare)
    assert done.returncode == 3
    assert "no Debian or Ubuntu" in done.stderr
    assert "iverilog" in done.stderr

# SPDX-License-Identifier: Apache-2.0
"""Claims about the tree itself: nothing of the author's machine in it, locks that pin everything, licence lines."""

import re
import subprocess
from pathlib import Path

import pytest

LOCKS = ("requirements.lock", "requirements-synth.lock", "requirements-plot.lock")
PACKAGE_HOST = re.compile(
    r"pypi\.org|pythonhosted\.org|registry\.npmjs|debian\.org/debian|archive\.ubuntu|--(extra-)?index-url|--find-links"
)
HOME = re.compile(r"(?<![\w.])/(home|Users)/\w+|(?<![\w./$}])/root/")


def tracked(project: Path) -> list[Path]:
    """The text files under version control that exist."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=project, capture_output=True, check=True).stdout
    files = [project / name for name in listing.decode().split("\0") if name]
    return [file for file in files if file.is_file() and b"\0" not in file.read_bytes()[:4096]]


def lines_with(project: Path, pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{file.relative_to(project)}:{number}: {line.strip()}"
        for file in tracked(project)
        if file != Path(__file__)
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), start=1)
        if pattern.search(line)
    ]


def test_no_file_names_a_package_host(project: Path) -> None:
    assert not lines_with(project, PACKAGE_HOST)


def test_no_file_names_a_home_folder_or_this_checkout(project: Path) -> None:
    here = re.compile(rf"{HOME.pattern}|{re.escape(str(project))}(?![\w-])")
    assert not lines_with(project, here)


@pytest.mark.parametrize("text", ["see https://" + "pypi.org/simple", "--index" + "-url x"])
def test_a_package_host_would_be_caught(text: str) -> None:
    assert PACKAGE_HOST.search(text)


@pytest.mark.parametrize("text", ["cd /home" + "/me/x", "'/root" + "/.cache'"])
def test_a_home_folder_would_be_caught(text: str) -> None:
    assert HOME.search(text)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_a_version_and_hashes(project: Path, lock: str) -> None:
    entries = re.split(r"\n(?=\S)", (project / lock).read_text().strip())
    assert entries
    for entry in entries:
        assert re.match(r"[\w.-]+==[\w.!+]+( ; [^\\]+)? \\\n +--hash=sha256:[0-9a-f]{64}", entry), entry.splitlines()[0]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_host(project: Path, lock: str) -> None:
    assert not re.search(r"://|@ |^-", (project / lock).read_text(), re.MULTILINE)


def test_every_source_file_has_its_licence_line(project: Path) -> None:
    suffixes = {".py", ".sv", ".v", ".svh", ".c", ".h", ".rdl"}
    lacking = [
        str(file.relative_to(project))
        for file in tracked(project)
        if file.suffix in suffixes
        and file.stat().st_size
        and "SPDX-License-Identifier: Apache-2.0" not in file.read_text()[:400]
    ]
    assert not lacking

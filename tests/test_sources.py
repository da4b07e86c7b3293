# SPDX-License-Identifier: Apache-2.0
"""hilnic.sources: one manifest for a checkout and an installed wheel."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from hilnic import sources

MANIFEST = """
# a comment
common:
    hdl/fifo.sv
mac eth_mac_1g: common     # with a top
    hdl/mac.sv
    hdl/lint.vlt
    +incdir+hdl
nic nic_1g: mac common
    hdl/nic.sv
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "hdl").mkdir()
    for name in ("fifo.sv", "mac.sv", "lint.vlt", "nic.sv"):
        (tmp_path / "hdl" / name).touch()
    (tmp_path / "hdl" / "manifest.f").write_text(MANIFEST)
    return tmp_path


def names(paths: tuple[Path, ...]) -> list[str]:
    return [path.name for path in paths]


def test_a_target_lists_what_it_builds_on_first_and_once(tree: Path) -> None:
    found = sources.sources("nic", tree)
    assert names(found.files) == ["fifo.sv", "mac.sv", "lint.vlt", "nic.sv"]


def test_control_files_are_verilators_alone(tree: Path) -> None:
    assert names(sources.sources("mac", tree).verilog) == ["fifo.sv", "mac.sv"]


def test_a_target_knows_its_top_and_include_folders(tree: Path) -> None:
    found = sources.sources("mac", tree)
    assert (found.top, names(found.include_dirs)) == ("eth_mac_1g", ["hdl"])


def test_a_missing_file_is_named(tree: Path) -> None:
    (tree / "hdl" / "mac.sv").unlink()
    with pytest.raises(sources.ManifestError, match="'nic': no such file: hdl/mac.sv"):
        sources.sources("nic", tree)


def test_an_unknown_target_is_answered_with_the_known_ones(tree: Path) -> None:
    with pytest.raises(sources.ManifestError, match="no target 'phy'.*common, mac, nic"):
        sources.sources("phy", tree)


@pytest.mark.parametrize("line", ["a: b\nb: a\n", "a: nothing\n"])
def test_a_circle_or_a_dangling_target_is_an_error(tree: Path, line: str) -> None:
    (tree / "hdl" / "manifest.f").write_text(line)
    with pytest.raises(sources.ManifestError, match="no such target, or a circle"):
        sources.sources("a", tree)


@pytest.mark.parametrize("line", ["    hdl/orphan.sv\n", "a:\n  two words\n", "no colon\n"])
def test_an_unreadable_line_is_named_by_its_number(tree: Path, line: str) -> None:
    (tree / "hdl" / "manifest.f").write_text(line)
    with pytest.raises(sources.ManifestError, match=r"manifest\.f:\d: neither"):
        sources.targets(tree)


def test_every_target_of_the_project_expands() -> None:
    for target in sources.targets():
        assert sources.sources(target).target == target


def test_every_verilog_file_of_the_project_stands_in_the_manifest(project: Path) -> None:
    listed = {file for target in sources.targets() for file in sources.sources(target).files}
    present = {file for folder in ("hdl", "tb") for file in (project / folder).rglob("*.[sv]*v")}
    around_a_netlist = set((project / "hdl" / "synth").glob("*.sv"))  # hilnic.apps.synth and netlist name these
    harnesses = set((project / "hdl" / "formal").glob("*.sv"))  # hdl/formal/proofs.toml names these
    assert not sorted(str(file.relative_to(project)) for file in present - listed - around_a_netlist - harnesses)


def test_an_installed_wheel_finds_the_same_files(project: Path, tmp_path: Path) -> None:
    run = [sys.executable, "-m"]
    subprocess.run([*run, "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)], cwd=project, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    subprocess.run([*run, "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    pip = [*run, "pip", "--python", str(python), "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--no-index", "--no-deps", "--no-compile", str(wheel)], check=True)
    script = (
        "from hilnic import sources\n"
        "top = sources.root()\n"
        "print(*[f.relative_to(top) for t in sources.targets() for f in sources.sources(t).files], sep='\\n')\n"
    )
    installed = subprocess.run([python, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    here = [f.relative_to(project) for t in sources.targets() for f in sources.sources(t).files]
    assert installed.stdout.split() == [str(file) for file in here]


def test_the_datasheet_states_the_parameters_and_their_defaults(project: Path) -> None:
    top = (project / "hdl" / "nic" / "nic_1g.sv").read_text()
    page = (project / "docs" / "nic.md").read_text()
    parameters = re.findall(r"parameter int (\w+) *= ([\w +]+?)[ ,]*//", top)
    assert {"NumVcs": "64", "NumTxQueues": "NumVcs + 4"}.items() <= dict(parameters).items()
    for name, default in parameters:
        value = default if default.isdecimal() else f"`{default}`"
        assert f"`{name}`={value}" in page

# SPDX-License-Identifier: Apache-2.0
"""The waveform's view: every signal and state that it shows is in the Verilog, and GTKWave's file holds them all."""

import re
from pathlib import Path

import pytest

from hilnic.apps import gtkw
from hilnic.apps.gtkw import GROUPS, Row, write_view

ROWS = [row for _, rows in GROUPS for row in rows]
INSTANCE = r"\b(\w+)\s+(?:#\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)\s*)?{name}\s*\("


def source(project: Path, module: str) -> str:
    """The text of a module's file, without comments."""
    (file,) = (project / "hdl").rglob(f"{module}.sv")
    return re.sub(r"//.*", "", file.read_text(encoding="utf-8"))


def module_of(project: Path, row: Row) -> str:
    """The module in which a row's signal lives, found along the instances of its path."""
    module = "nic_1g"
    for name in row.path.split(".")[:-1]:
        found = re.search(INSTANCE.format(name=name), source(project, module))
        assert found, f"{module} has no instance {name}"
        module = found[1]
    return module


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.path)
def test_a_row_is_a_signal_of_the_nic(project: Path, row: Row) -> None:
    module = module_of(project, row)
    assert re.search(rf"\b{row.path.rpartition('.')[2]}\b", source(project, module)), module
    assert not row.states or row.states.endswith(f"/{module}")


@pytest.mark.parametrize("row", [row for row in ROWS if row.states], ids=lambda row: row.path)
def test_states_have_names_and_the_row_has_their_width(row: Row) -> None:
    bits, names = gtkw._names(row.states)
    assert bits == row.width
    assert 2 <= len(names) <= 1 << bits
    assert all(name.startswith("St") for name in names)


def test_the_view_has_every_row_of_every_card(tmp_path: Path) -> None:
    view = tmp_path / "wave.gtkw"
    write_view(tmp_path / "wave.fst", view, cards=(0, 1))
    text = view.read_text(encoding="utf-8")
    for card in (0, 1):
        assert all(f"gen_card[{card}].u_card.u_nic.{row.path}" in text for row in ROWS)
    assert len(list(tmp_path.glob("*.states"))) == len({row.states for row in ROWS if row.states})


def test_a_module_without_states_is_refused() -> None:
    with pytest.raises(LookupError, match="declares no states"):
        gtkw._names("nic/nic_1g")

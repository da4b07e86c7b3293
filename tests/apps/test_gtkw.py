# SPDX-License-Identifier: Apache-2.0
"""The waveform's view: every signal and state that it shows is in the Verilog, and GTKWave's file holds them all."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from vcd import VCDWriter

from hilnic.apps import gtkw
from hilnic.apps.gtkw import GROUPS, Row, write_view

ROWS = [row for _, rows in GROUPS for row in rows]
INSTANCE = r"\b(\w+)\s+(?:#\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)\s*)?{name}\s*\("


def source(project: Path, module: str) -> str:
    """The text of a module's file, without comments."""
    (file,) = (path for path in (project / "hdl").rglob(f"{module}.sv") if path.parent.name != "formal")
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
def test_states_have_names(row: Row) -> None:
    bits, names = gtkw._names(row.states)
    assert 2 <= len(names) <= 1 << bits
    assert all(name.startswith("St") for name in names)


def write_wave(path: Path, rows: Sequence[Row], cards: Sequence[int], width: int) -> None:
    """A waveform with these rows' signals and no changes."""
    with path.open("w", encoding="ascii") as stream, VCDWriter(stream) as writer:
        for card in cards:
            for row in rows:
                scope, _, name = gtkw._full(card, row).rpartition(".")
                writer.register_var(scope, name, "wire", size=width)


def test_the_view_has_every_row_of_every_card_as_wide_as_in_the_waveform(tmp_path: Path) -> None:
    wave, view = tmp_path / "wave.vcd", tmp_path / "wave.gtkw"
    write_wave(wave, ROWS, (0, 1), 11)
    write_view(wave, view, cards=(0, 1))
    text = view.read_text(encoding="utf-8")
    for card in (0, 1):
        assert all(f"gen_card[{card}].u_card.u_nic.{row.path}[10:0]" in text for row in ROWS)
    assert len(list(tmp_path.glob("*.states"))) == len({row.states for row in ROWS if row.states})


def test_the_view_has_no_row_that_the_waveform_lacks(tmp_path: Path) -> None:
    wave, view = tmp_path / "wave.vcd", tmp_path / "wave.gtkw"
    write_wave(wave, ROWS[:1], (0,), 1)
    write_view(wave, view)
    assert view.read_text(encoding="utf-8").count(".u_nic.") == 1


def test_states_have_names_in_verilators_waveforms_too(tmp_path: Path) -> None:
    wave, view = tmp_path / "wave.vcd", tmp_path / "wave.gtkw"
    write_wave(wave, [row for row in ROWS if row.states], (0,), 3)
    write_view(wave, view)
    flags, file = view.read_text(encoding="utf-8").partition("-CSR\n")[2].splitlines()[:2]
    assert int(flags.removeprefix("@"), 16) >> 32 & 1, "of the waveform's own enum"
    assert file.endswith(".states"), "of a waveform without"


def test_a_module_without_states_is_refused() -> None:
    with pytest.raises(LookupError, match="declares no states"):
        gtkw._names("nic/nic_1g")

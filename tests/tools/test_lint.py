# SPDX-License-Identifier: Apache-2.0
"""tools/lint.py's own rule: no cast in a branch of `?:` inside a concatenation."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

REFUSED = (
    "assign x = {a, hit ? 6'(wide) : b};",
    "assign x = {a, hit ? b : Bits'(wide)};",
    "assign x = {a, (hit ? (Bits + 1)'(wide) : b)};",
    "assign x = {a, hit ? b : other ? c : 6'(wide), d};",
    "assign x = {2{hit ? 6'(wide) : b}};",
    "u_x u (.data_i({a,\n hit ? 6'(wide) : b}));",
)
CURED = (
    "assign x = {a, hit ? wide[5:0] : b};",
    "assign x = {a, 6'(wide)};",
    "assign x = {a, 6'(wide) == c ? d : b};",
    "assign x = hit ? {a, 6'(wide)} : b;",
    "assign x = {a, hit ? {c, 6'(wide)} : b};",
    "assign x = {hit ? a : b, 6'(wide)};",
    "assign x = {a, hit ? mem[3'(index)] : b};",
    "assign x = hit ? 6'(wide) : b;",
    "// {a, hit ? 6'(wide) : b}\nassign x = {a, hit ? \"6'(\" : b};",
)


@pytest.fixture(scope="module")
def casts() -> Callable[[str], list[int]]:
    path = Path(__file__).resolve().parents[2] / "tools" / "lint.py"
    spec = importlib.util.spec_from_file_location("lint", path)
    assert spec is not None
    assert spec.loader is not None
    lint = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(lint)
    return lint.casts


@pytest.mark.parametrize("line", REFUSED)
def test_a_cast_in_a_branch_inside_a_concatenation_is_refused(casts, line: str) -> None:
    assert casts(f"// first line\n{line}\n") == [2 + line[: line.index("wide")].count("\n")]


@pytest.mark.parametrize("line", CURED)
def test_bits_a_net_and_other_places_of_a_cast_pass(casts, line: str) -> None:
    assert casts(line) == []

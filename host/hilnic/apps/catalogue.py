# SPDX-License-Identifier: Apache-2.0
"""The catalogue of simulator tests (tb/catalogue.toml), and the selection of some of them by name, group or glob."""

from __future__ import annotations

import ast
import difflib
import fnmatch
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilnic import sources

__all__ = ["Entry", "Selected", "UnknownTest", "load", "select"]

_SIMS = ("icarus", "verilator")


class UnknownTest(Exception):
    """A name that selects nothing; the message lists what there is."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One [[run]] of the catalogue."""

    name: str
    modules: tuple[str, ...]
    target: str
    sims: tuple[str, ...]
    parameters: tuple[tuple[str, int], ...] = ()
    defines: tuple[tuple[str, str], ...] = ()
    groups: tuple[str, ...] = ()
    ends: tuple[str, ...] = ("hdl",)
    reason: str = ""
    hdl_only: str = ""
    soak: bool = False
    environment: tuple[tuple[str, str], ...] = ()
    wall_limit_s: float = 900.0
    mutants: str = ""
    """A list of damaged sources in tb/, all of which are built in."""

    @property
    def chooses_ends(self) -> bool:
        """Whether ENDS decides between far ends; else the run has those that `ends` names, whatever is asked for."""
        return "hdl" in self.ends

    def functions(self) -> tuple[str, ...]:
        """The cocotb tests of the modules, in order, read without importing them."""
        return tuple(self.places())

    def places(self) -> dict[str, str]:
        """Each of these tests, and the module where it is."""
        found: dict[str, str] = {}
        for module in self.modules:
            tree = ast.parse((sources.root() / "tb" / f"{module}.py").read_text(encoding="utf-8"))
            tests = [node.name for node in tree.body if isinstance(node, ast.AsyncFunctionDef) and _is_test(node)]
            twice = found.keys() & tests
            if twice:
                raise ValueError(f"run {self.name!r} of the catalogue: several modules have {sorted(twice)}")
            found |= dict.fromkeys(tests, module)
        return found


def _is_test(function: ast.AsyncFunctionDef) -> bool:
    names = {ast.unparse(d.func if isinstance(d, ast.Call) else d) for d in function.decorator_list}
    return "cocotb.test" in names


@dataclass(frozen=True, slots=True)
class Selected:
    """A run that was asked for; `functions` (a name, or name/parameter=value) is empty when all tests are meant."""

    entry: Entry
    functions: tuple[str, ...] = ()


def load(path: Path | None = None) -> tuple[Entry, ...]:
    """The catalogue, in the order of its file."""
    text = (path or sources.root() / "tb" / "catalogue.toml").read_text(encoding="utf-8")
    return tuple(_entry(row) for row in tomllib.loads(text)["run"])


def _entry(row: dict[str, Any]) -> Entry:
    lists: dict[str, Any] = {key: tuple(row[key]) for key in ("sims", "groups", "ends") if key in row}
    unknown = set(lists["sims"]) - set(_SIMS)
    if unknown:
        raise ValueError(f"run {row['name']!r} of the catalogue: unknown simulator {sorted(unknown)}")
    if "cocotbext" not in lists.get("ends", ()) and not row.get("hdl_only"):
        raise ValueError(f"run {row['name']!r} of the catalogue: not with cocotbext's ends, and no hdl_only says why")
    module = row.pop("module")
    lists["modules"] = (module,) if isinstance(module, str) else tuple(module)
    tables = {key: tuple(sorted(row.get(key, {}).items())) for key in ("parameters", "defines", "environment")}
    values: dict[str, Any] = {**row, **lists, **tables}
    return Entry(**values)


def select(entries: Sequence[Entry], names: Sequence[str], *, soak: bool) -> list[Selected]:
    """The runs that `names` mean (all without names); UnknownTest for a name that means nothing."""
    if not names:
        return [Selected(entry) for entry in entries if entry.soak == soak]
    chosen: dict[str, Selected] = {}
    for name in names:
        matches = [found for entry in entries if (found := _match(entry, name)) is not None]
        if not matches:
            raise UnknownTest(_unknown(entries, name))
        for match in matches:
            chosen[match.entry.name] = _merge(chosen.get(match.entry.name), match)
    return list(chosen.values())


def _match(entry: Entry, name: str) -> Selected | None:
    if fnmatch.fnmatchcase(entry.name, name) or name in entry.groups:
        return Selected(entry)
    run, dot, test = name.partition(".")
    if not dot or not fnmatch.fnmatchcase(entry.name, run):
        return None
    function, slash, parameters = test.partition("/")
    functions = tuple(f + slash + parameters for f in entry.functions() if fnmatch.fnmatchcase(f, function))
    return Selected(entry, functions) if functions else None


def _merge(before: Selected | None, more: Selected) -> Selected:
    if before is None:
        return more
    if not before.functions or not more.functions:
        return Selected(more.entry)
    return Selected(more.entry, tuple(dict.fromkeys(before.functions + more.functions)))


def _unknown(entries: Sequence[Entry], name: str) -> str:
    run, dot, _ = name.partition(".")
    of_run = [entry for entry in entries if dot and entry.name == run]
    if of_run:
        return f"no test is called {name!r}; {run} has: {', '.join(of_run[0].functions())}"
    runs = [entry.name for entry in entries]
    groups = sorted({group for entry in entries for group in entry.groups})
    near = difflib.get_close_matches(run, [*runs, *groups], n=3)
    hint = f" (did you mean {' or '.join(near)}?)" if near else ""
    lists = f"runs: {', '.join(runs)}; groups: {', '.join(groups) or 'none'}"
    return f"no test is called {name!r}{hint}; {lists} (see `hilnic sim --list`)"

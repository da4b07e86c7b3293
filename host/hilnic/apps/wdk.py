# SPDX-License-Identifier: Apache-2.0
"""`hilnic wdk`: every WDK name: its Python name, IRQL, tests, and its calls in the last runs, host and HDL.

The names in the specification documents are a list, `ndis/spec_names.toml`; `--check` fails on one that no simulator
run has called, unless the list says why it is not due yet.
"""

import ast
import sys
import tomllib
from collections import defaultdict
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from rich.table import Table

import hilnic.ndis.condis.ndis5  # all of hilnic.ndis
from hilnic import __version__, sources
from hilnic.apps import report as report_file
from hilnic.apps.outcome import Exit
from hilnic.apps.session import console
from hilnic.cosim.build_hostmem import build_root
from hilnic.ndis.wdk import WDK_FUNCTIONS, WDK_HANDLERS
from hilnic.testing import run_record
from hilnic.testing.run_record import RunRecord

SCHEMA = "hilnic.wdk/2"
_HANDLER_IRQL = "<=DISPATCH"
_PASSIVE_HANDLERS = frozenset({"ProtocolCoAfRegisterNotify"})


@dataclass(frozen=True, slots=True)
class SpecName:
    """A function or handler that a specification document names."""

    name: str
    kind: str
    documents: list[int]
    reason: str = ""

    @property
    def due(self) -> bool:
        """Whether a call through the HDL is asked for; otherwise `reason` says why not."""
        return self.kind != "exceptions"


def spec_names() -> list[SpecName]:
    """The list; `kind` is functions, handlers or exceptions."""
    text = resources.files("hilnic.ndis").joinpath("spec_names.toml").read_text(encoding="utf-8")
    return [
        SpecName(name, kind, **row) for kind, members in tomllib.loads(text).items() for name, row in members.items()
    ]


def run(*, check: bool = False, json: Path | None = None) -> Exit:
    """Print the table; with `check`, fail on a function without a test or a name of the documents without HDL call."""
    tests, (host, hdl) = tests_by_function(), run_record.read(build_root())
    gaps = [*untested(tests), *never_called(hdl)]
    if json is not None:
        _write(json, rows(tests, host, hdl), gaps)
    elif not check:
        console().print(_table(rows(tests, host, hdl)))
    if check:
        stream = sys.stderr if json == report_file.STDOUT else sys.stdout
        stream.write("\n".join([*gaps, _summary(tests, hdl)]) + "\n")
        if not hdl.calls:
            stream.write("no simulator run has left a record: make sim comes first\n")
            return Exit.MISSING
    return Exit.FAILED if check and gaps else Exit.PASSED


def untested(tests: dict[str, list[str]]) -> list[str]:
    """One sentence per implemented function that no test reaches by name."""
    return [
        f"{row.wdk_name} ({row.python_name}) has no test"
        for row in WDK_FUNCTIONS.values()
        if not tests[row.python_name]
    ]


def never_called(hdl: RunRecord) -> list[str]:
    """One sentence per due name of the documents that no simulator run has called."""
    return [
        f"{row.name} (document {', '.join(map(str, row.documents))}) was not called through the HDL"
        for row in spec_names()
        if row.due and not hdl.calls[row.name]
    ]


def _summary(tests: dict[str, list[str]], hdl: RunRecord) -> str:
    named = spec_names()
    due = [row for row in named if row.due]
    called = sum(1 for row in due if hdl.calls[row.name])
    tested = len(WDK_FUNCTIONS) - len(untested(tests))
    return (
        f"{tested} of {len(WDK_FUNCTIONS)} WDK functions tested; of {len(due)} names in the documents "
        f"{called} called through the HDL; {len(named) - len(due)} more are excepted"
    )


def rows(tests: dict[str, list[str]], host: RunRecord, hdl: RunRecord) -> list[dict[str, Any]]:
    """The table as data, in the order of the WDK names; a name of the documents without `python` is not there yet."""
    spec = {row.name: row for row in spec_names()}
    functions = {row.wdk_name: row for row in WDK_FUNCTIONS.values()}
    table = []
    for name in sorted(functions.keys() | WDK_HANDLERS.keys() | spec.keys()):
        function, named = functions.get(name), spec.get(name)
        python = f"{function.module}.{function.python_name}" if function else WDK_HANDLERS.get(name, "")
        table.append(
            {
                "wdk": name,
                "python": python,
                "irql": function.irql if function else _handler_irql(name) if python else "",
                "may_call_back": function.callout if function else False,
                "tests": tests.get(function.python_name, []) if function else [],
                "calls": {"host": host.calls[name], "hdl": hdl.calls[name]},
                "documents": named.documents if named else [],
                "due": named.due if named else True,
                "reason": named.reason if named else "",
            }
        )
    return table


def _handler_irql(name: str) -> str:
    return "PASSIVE" if name in _PASSIVE_HANDLERS else _HANDLER_IRQL


def tests_by_function() -> dict[str, list[str]]:
    """Python name -> test files that use it, directly or through the functional miniport and protocol."""
    names = {row.python_name for row in WDK_FUNCTIONS.values()}
    found: defaultdict[str, list[str]] = defaultdict(list)
    root = sources.root()
    kit = sorted((Path(hilnic.__file__).parent / "testing").glob("*.py"))
    files = [*sorted((root / "tests").rglob("*.py")), *sorted((root / "tb").rglob("*_tests.py")), *kit]
    for path in files:
        used = {
            node.attr if isinstance(node, ast.Attribute) else node.id
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Attribute | ast.Name)
        }
        for name in sorted(used & names):
            found[name].append(path.name)
    return found


def _write(path: Path, table: list[dict[str, Any]], gaps: list[str]) -> None:
    report = {"schema": SCHEMA, "version": __version__, "functions": table, "gaps": gaps}
    report_file.write(report, path)


def _table(found: list[dict[str, Any]]) -> Table:
    table = Table(
        "WDK", "Python", "IRQL", "tests", "calls: host", "HDL", "documents", title="WDK functions and handlers"
    )
    for column in table.columns[3:6]:
        column.justify = "right"
    for row in found:
        table.add_row(
            row["wdk"],
            row["python"].removeprefix("hilnic.") or row["reason"],
            row["irql"],
            str(len(row["tests"])),
            str(row["calls"]["host"]),
            str(row["calls"]["hdl"]),
            " ".join(map(str, row["documents"])) + ("" if row["due"] else " (excepted)"),
        )
    return table

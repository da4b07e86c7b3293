# SPDX-License-Identifier: Apache-2.0
"""`hilnic wdk`: every WDK function that is implemented: its Python name, IRQL, module, and the tests that call it."""

import ast
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import hilnic.ndis
from hilnic import __version__, sources
from hilnic.apps import report as report_file
from hilnic.apps.outcome import Exit
from hilnic.ndis.wdk import WDK_FUNCTIONS

SCHEMA = "hilnic.wdk/1"


def run(*, check: bool = False, json: Path | None = None) -> Exit:
    """Print the table; with `check`, fail on a function that no test reaches by name."""
    tests = tests_by_function()
    gaps = [
        f"{row.wdk_name} ({row.python_name}) has no test"
        for row in WDK_FUNCTIONS.values()
        if not tests[row.python_name]
    ]
    if json is not None:
        _write(json, rows(tests), gaps)
    elif not check:
        Console().print(_table(tests))
    if check:
        summary = f"{len(WDK_FUNCTIONS) - len(gaps)} of {len(WDK_FUNCTIONS)} WDK functions tested"
        stream = sys.stderr if json == report_file.STDOUT else sys.stdout
        stream.write("\n".join([*gaps, summary]) + "\n")
    return Exit.FAILED if check and gaps else Exit.PASSED


def rows(tests: dict[str, list[str]]) -> list[dict[str, Any]]:
    """The table as data, in the order of the WDK names."""
    return [
        {
            "wdk": row.wdk_name,
            "python": f"{row.module}.{row.python_name}",
            "irql": row.irql,
            "may_call_back": row.callout,
            "tests": tests.get(row.python_name, []),
        }
        for row in sorted(WDK_FUNCTIONS.values(), key=lambda row: row.wdk_name)
    ]


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


def _table(tests: dict[str, list[str]]) -> Table:
    table = Table("WDK", "Python", "IRQL", "tests", title="WDK functions")
    for row in rows(tests):
        table.add_row(row["wdk"], row["python"].removeprefix("hilnic."), row["irql"], str(len(row["tests"])))
    return table

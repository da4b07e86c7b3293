# SPDX-License-Identifier: Apache-2.0
"""Where the source speaks of a rule: which places implement it, which tests cite it, which mutants break it.

A test cites a rule by `@pytest.mark.rule("S6-02")`, by `@pytest.mark.mutant("S6-02")`, or by naming it in its docstring
(the only way in `tb/`, which knows no pytest). An implementing place is the function, class or Verilog file whose text
names the rule. A rule is enforced when the NDIS core reports it.
"""

import ast
import functools
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import hilnic
from hilnic import sources
from hilnic.ndis.rules import all_rules

RULE = re.compile(r"\b[A-Z][A-Z0-9]-\d\d\b")
_MUTANT_MARKS = {"mutant", "caught"}
_RULE_MARKS = {"rule", "caught", "mutant"}
_NOT_IMPLEMENTING = {"apps", "testing"}

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(slots=True)
class Evidence:
    """What is known of one rule."""

    places: list[str] = field(default_factory=list)
    tests: list[str] = field(default_factory=list)
    mutants: list[str] = field(default_factory=list)
    enforced: bool = False

    @property
    def hdl_tests(self) -> list[str]:
        """The tests that run in a simulator, over the Verilog."""
        return [test for test in self.tests if test.startswith("tb/")]


@functools.cache
def collect() -> dict[str, Evidence]:
    """Evidence for every rule of the catalogue; read once, not to be changed."""
    found: dict[str, Evidence] = {rule: Evidence() for rule in all_rules()}
    package = Path(hilnic.__file__).parent
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).parts
        if parts[0] not in _NOT_IMPLEMENTING and "_data" not in parts:
            _read_implementation(path, ".".join(("hilnic", *parts))[:-3], found, parts[0] == "ndis")
    root = sources.root()
    for path in sorted((root / "hdl").rglob("*.sv")):
        for rule in sorted(set(RULE.findall(path.read_text(encoding="utf-8"))) & found.keys()):
            found[rule].places.append(str(path.relative_to(root)))
    for path in [*sorted((root / "tests").rglob("test_*.py")), *sorted((root / "tb").rglob("*_tests.py"))]:
        _read_tests(path, str(path.relative_to(root)), found)
    return found


def _read_implementation(path: Path, module: str, found: dict[str, Evidence], core: bool) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    lines: defaultdict[str, set[int]] = defaultdict(set)
    for number, line in enumerate(text.splitlines(), 1):
        for rule in RULE.findall(line):
            lines[rule].add(number)
    for rule in lines.keys() & found.keys():
        names = {_innermost(tree, number) for number in lines[rule]}
        found[rule].places += sorted(f"{module}.{name}" if name else module for name in names)
    if core:
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in found:
                found[node.value].enforced = True


def _innermost(tree: ast.AST, line: int) -> str:
    """Dotted name of the innermost definition around a line."""
    best: list[str] = []
    node = tree
    while True:
        inner = next(
            (
                child
                for child in ast.iter_child_nodes(node)
                if isinstance(child, Definition) and child.lineno <= line <= (child.end_lineno or 0)
            ),
            None,
        )
        if inner is None:
            return ".".join(best)
        best.append(inner.name)
        node = inner


def _read_tests(path: Path, place: str, found: dict[str, Evidence]) -> None:
    for function in _functions(ast.parse(path.read_text(encoding="utf-8"))):
        marks = dict(_marks(function))
        cited = set(RULE.findall(ast.get_docstring(function) or ""))
        for name, ids in marks.items():
            if name in _RULE_MARKS:
                cited |= ids
        mutants = set().union(*(ids for name, ids in marks.items() if name in _MUTANT_MARKS))
        test = f"{place}::{function.name}"
        for rule in cited & found.keys():
            found[rule].tests.append(test)
        for rule in mutants & found.keys():
            found[rule].mutants.append(test)


def _functions(tree: ast.AST) -> Iterator[Function]:
    for node in ast.walk(tree):
        if isinstance(node, Function):
            yield node


def _marks(function: Function) -> Iterator[tuple[str, set[str]]]:
    """The decorators with string arguments: (last name, arguments)."""
    ids: defaultdict[str, set[str]] = defaultdict(set)
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call):
            target = decorator.func
            name = target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")
            ids[name] |= {a.value for a in decorator.args if isinstance(a, ast.Constant) and isinstance(a.value, str)}
    yield from ids.items()

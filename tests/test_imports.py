# SPDX-License-Identifier: Apache-2.0
"""Who may import whom: the table of docs/architecture.md, enforced on every import statement of the tree."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

OURS = "hilnic"
EVERYTHING = frozenset({"*"})
NO_SIMULATOR = frozenset({"cocotb", "cocotb_tools", "cocotbext"})

# folder or module -> ours that it may import (itself goes without saying)
ALLOWED: dict[str, frozenset[str]] = {
    "wire": frozenset(),
    "hw": frozenset(),
    "ndis": frozenset(),
    "signalling": frozenset(),
    "miniport": frozenset({"ndis", "hw"}),
    "miniport5": frozenset({"ndis", "hw", "miniport"}),
    "miniport_co": frozenset({"ndis", "hw", "miniport", "miniport5", "mcm"}),
    "mcm": frozenset({"ndis", "signalling"}),
    "protocols": frozenset({"ndis", "wire", "signalling"}),
    "model": frozenset({"hw", "wire"}),
    "cosim": frozenset({"hw", "wire", "sources", "toolchain"}),
    "stack": frozenset(
        {"wire", "hw", "ndis", "miniport", "miniport5", "miniport_co", "protocols", "testing", "signalling"}
    ),
    "testing": frozenset({"ndis", "hw", "wire", "stack"}),
    "sources": frozenset(),
    "toolchain": frozenset(),
    "apps": EVERYTHING,
    "cli": EVERYTHING,
    "__main__": EVERYTHING,
}
# -> others' that it must not import
FORBIDDEN: dict[str, frozenset[str]] = {
    "wire": NO_SIMULATOR,
    "hw": NO_SIMULATOR,
    "ndis": NO_SIMULATOR | {"asyncio", "time", "threading", "concurrent", "multiprocessing", "numpy"},
    "signalling": NO_SIMULATOR | {"asyncio", "time", "threading", "numpy"},
    "miniport": NO_SIMULATOR | {"asyncio", "time", "threading"},
    "miniport5": NO_SIMULATOR | {"asyncio", "time", "threading"},
    "miniport_co": NO_SIMULATOR | {"asyncio", "time", "threading"},
    "protocols": NO_SIMULATOR,
    "model": NO_SIMULATOR,
    "stack": NO_SIMULATOR,
    "testing": NO_SIMULATOR | {"pytest", "hypothesis"},
    "sources": NO_SIMULATOR,
    "toolchain": NO_SIMULATOR,
}
# the one module of a layer that needs a package of its own: a plugin of pytest's imports pytest
PLUGINS = {f"host/hilnic/testing/pytest_{name}.py": frozenset({"pytest"}) for name in ("plugin", "record")}
# what hilnic may import without an extra (the layers), from pyproject's dependencies
CORE = {"numpy"}
LAYERS = (
    "wire",
    "hw",
    "ndis",
    "signalling",
    "miniport",
    "miniport5",
    "miniport_co",
    "protocols",
    "model",
    "stack",
    "testing",
)


def imports(source: str, package: str) -> Iterator[str]:
    """Full dotted names that `source`, a module of `package`, imports; `from a import b` gives `a.b`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def breaches(source: str, layer: str, package: str) -> list[str]:
    """What the module breaks, as sentences; empty when it keeps to the table."""
    found = []
    for name in imports(source, package):
        parts = name.split(".")
        if parts[0] in FORBIDDEN.get(layer, frozenset()) or name == "scapy" or parts[0] == "scapy":
            found.append(f"{layer} must not import {name}")
        if parts[0] != OURS or len(parts) == 1:
            continue
        target = parts[1]
        allowed = ALLOWED[layer]
        if target in ALLOWED and target != layer and allowed is not EVERYTHING and target not in allowed:
            found.append(f"{layer} must not import {OURS}.{target}")
    return found


def modules(project: Path) -> list[tuple[str, Path]]:
    """(layer, file) of every module below host/hilnic."""
    top = project / "host" / OURS
    files = sorted(file for file in top.rglob("*.py") if file != top / "__init__.py")
    return [(file.relative_to(top).parts[0].removesuffix(".py"), file) for file in files]


def package_of(project: Path, file: Path) -> str:
    """The package that relative imports of `file` start from."""
    return ".".join(file.relative_to(project / "host").parent.parts)


def test_every_layer_keeps_to_the_table(project: Path) -> None:
    found = [
        f"{file.relative_to(project)}: {breach}"
        for layer, file in modules(project)
        for breach in breaches(file.read_text(), layer, package_of(project, file))
        if breach.split()[-1].split(".")[0] not in PLUGINS.get(file.relative_to(project).as_posix(), ())
    ]
    assert not found, "\n".join(found)


def test_every_folder_stands_in_the_table(project: Path) -> None:
    assert {layer for layer, _ in modules(project)} <= set(ALLOWED)


def test_nobody_imports_the_tests_or_the_benches(project: Path) -> None:
    files = [file for _, file in modules(project)] + sorted((project / "tests").rglob("*.py"))
    tops = {name.split(".")[0] for file in files for name in imports(file.read_text(), package_of_test(project, file))}
    assert not tops & {"tb", "host"}


def package_of_test(project: Path, file: Path) -> str:
    """A test's folder as a package name, for its relative imports."""
    return ".".join(file.relative_to(project).parent.parts)


def test_host_only_tests_never_import_the_simulator(project: Path) -> None:
    found = [
        f"{file.relative_to(project)}: {name}"
        for file in sorted((project / "tests").rglob("*.py"))
        for name in imports(file.read_text(), package_of_test(project, file))
        if name.split(".")[0] in NO_SIMULATOR or name.startswith(f"{OURS}.cosim")
    ]
    assert not found


def test_the_layers_need_numpy_alone(project: Path) -> None:
    import sys

    found = {
        f"{layer}: {name}"
        for layer, file in modules(project)
        if layer in LAYERS
        for name in imports(file.read_text(), package_of(project, file))
        if name.split(".")[0]
        not in {*sys.stdlib_module_names, OURS, *CORE, *PLUGINS.get(file.relative_to(project).as_posix(), ())}
    }
    assert not found


@pytest.mark.parametrize(
    ("layer", "statement"),
    [
        ("wire", "from hilnic.hw import memory"),
        ("hw", "import hilnic.wire"),
        ("ndis", "import asyncio"),
        ("ndis", "from time import monotonic"),
        ("ndis", "def f():\n    import hilnic.hw.memory"),
        ("ndis", "from ..wire import ethernet"),
        ("miniport", "from hilnic.model.nic import ModelNic"),
        ("miniport", "from hilnic import cosim"),
        ("miniport", "from hilnic.miniport5 import tx"),
        ("protocols", "from hilnic.miniport import tx"),
        ("model", "from hilnic import ndis"),
        ("cosim", "from hilnic.miniport.adapter import Adapter"),
        ("stack", "import cocotb"),
        ("stack", "from hilnic.apps import live"),
        ("testing", "import pytest"),
        ("testing", "from hilnic.model import nic"),
        ("hw", "from hilnic.apps.outcome import Exit"),
        ("wire", "from scapy.all import Ether"),
        ("apps", "import scapy"),
    ],
)
def test_a_forbidden_import_is_caught(layer: str, statement: str) -> None:
    assert breaches(statement, layer, f"hilnic.{layer}")


@pytest.mark.parametrize(
    ("layer", "statement"),
    [
        ("ndis", "from hilnic.ndis import nbl"),
        ("ndis", "from . import nbl"),
        ("miniport", "from hilnic.hw.device import Device"),
        ("miniport5", "from hilnic.miniport.ring import DescriptorRing"),
        ("stack", "from hilnic import miniport, protocols"),
        ("apps", "from hilnic.cosim import runner"),
        ("wire", "import numpy as np"),
        ("cosim", "import cocotb"),
    ],
)
def test_an_allowed_import_passes(layer: str, statement: str) -> None:
    assert not breaches(statement, layer, f"hilnic.{layer}")

# SPDX-License-Identifier: Apache-2.0
"""The Verilog sources of each target, from the one manifest `hdl/manifest.f`, in a checkout and in an installed wheel.

The manifest reads like a Makefile: an unindented line opens a target and names its top module and the targets that it
builds on, the indented lines below are its own files in compile order, relative to the project's root::

    mac eth_mac_1g: common          # target, top module (optional), what comes before it
        hdl/mac/crc32.sv
        hdl/mac/lint.vlt            # Verilator's control files are listed too
        +incdir+tb/include
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_HEADER = re.compile(r"(?P<name>\w+)(?:\s+(?P<top>\w+))?\s*:(?P<builds_on>[\w\s]*)")
_INCDIR = "+incdir+"


class ManifestError(ValueError):
    """The manifest names a target or a file that does not exist, or has a line that cannot be read."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The files of one target with everything it builds on: packages and leaves first, each once."""

    target: str
    top: str | None
    files: tuple[Path, ...]
    include_dirs: tuple[Path, ...]

    @property
    def verilog(self) -> tuple[Path, ...]:
        """The files without Verilator's control files (`.vlt`): what Icarus and yosys read."""
        return tuple(file for file in self.files if file.suffix != ".vlt")


@dataclass(slots=True)
class _Target:
    top: str | None
    builds_on: list[str]
    lines: list[str] = field(default_factory=list)


def root() -> Path:
    """The folder that holds `hdl/` and `tb/`: the checkout, or the package's data when installed from a wheel."""
    package = Path(__file__).resolve().parent
    for folder in (package / "_data", package.parents[1]):
        if (folder / "hdl").is_dir():
            return folder
    raise ManifestError(f"no hdl/ beside {package}: neither a checkout nor a complete installation")


def targets(folder: Path | None = None) -> tuple[str, ...]:
    """Names of all targets, in the manifest's order."""
    return tuple(_read(folder or root()))


def sources(target: str, folder: Path | None = None) -> Sources:
    """The files of `target` below `folder` (default: `root()`). Raises ManifestError for what does not exist."""
    folder = folder or root()
    table = _read(folder)
    if target not in table:
        raise ManifestError(f"no target {target!r} in hdl/manifest.f; there are: {', '.join(table)}")
    lines = dict.fromkeys(_expand(table, target, ()))  # an ordered set
    paths = {line: folder / line.removeprefix(_INCDIR) for line in lines}
    missing = [line for line, path in paths.items() if not path.exists()]
    if missing:
        raise ManifestError(f"hdl/manifest.f, target {target!r}: no such file: {', '.join(missing)}")
    return Sources(
        target=target,
        top=table[target].top,
        files=tuple(path for line, path in paths.items() if not line.startswith(_INCDIR)),
        include_dirs=tuple(path for line, path in paths.items() if line.startswith(_INCDIR)),
    )


def _read(folder: Path) -> dict[str, _Target]:
    table: dict[str, _Target] = {}
    manifest = folder / "hdl" / "manifest.f"
    for number, text in enumerate(manifest.read_text(encoding="utf-8").splitlines(), start=1):
        line = text.partition("#")[0].rstrip()
        if not line:
            continue
        header = _HEADER.fullmatch(line)
        if header:
            table[header["name"]] = _Target(header["top"], header["builds_on"].split())
        elif line[0].isspace() and table and len(line.split()) == 1:
            table[next(reversed(table))].lines.append(line.strip())
        else:
            raise ManifestError(f"hdl/manifest.f:{number}: neither `target: others` nor an indented path: {text!r}")
    return table


def _expand(table: dict[str, _Target], target: str, path: tuple[str, ...]) -> Iterator[str]:
    if target not in table or target in path:
        raise ManifestError(f"hdl/manifest.f: {' -> '.join((*path, target))}: no such target, or a circle")
    for other in table[target].builds_on:
        yield from _expand(table, other, (*path, target))
    yield from table[target].lines

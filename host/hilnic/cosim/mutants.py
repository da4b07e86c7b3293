# SPDX-License-Identifier: Apache-2.0
"""Damaged NICs for the proof that every checker watches (tb/mutants.toml).

All mutants are built into one design: each damaged expression asks the bench whether it is its turn, so one compilation
and one simulator process serve them all, and mutant 0 is the NIC as it is.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path

from hilnic import sources
from hilnic.cosim.build_hostmem import build_root, content_hash

__all__ = ["Mutant", "MutantError", "load", "replaced"]


class MutantError(ValueError):
    """A mutant's place does not stand in its file exactly once: the source has moved on."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One damaged expression."""

    name: str
    file: str
    at: str
    of: str
    by: str
    rule: str
    load: str = ""


def load(path: Path | None = None) -> tuple[Mutant, ...]:
    """The list; mutant n is the n-th, from 1."""
    text = (path or sources.root() / "tb" / "mutants.toml").read_text(encoding="utf-8")
    return tuple(Mutant(**row) for row in tomllib.loads(text)["mutant"])


def damage(text: str, mutant: Mutant, number: int) -> str:
    """The source with one more choice in it."""
    if text.count(mutant.at) != 1 or mutant.of not in mutant.at:
        times = text.count(mutant.at)
        raise MutantError(f"mutant {number} ({mutant.name}): its text stands {times} times in {mutant.file}")
    choice = f"((tb_nic.mutant == 8'd{number}) ? ({mutant.by}) : ({mutant.of}))"
    before, _, after = mutant.at.rpartition(mutant.of)
    return text.replace(mutant.at, before + choice + after)


def _write_whole(path: Path, text: str) -> None:
    """Never half a file: another run may be compiling the same mutants."""
    if path.exists():
        return  # the folder's name is a hash of the texts
    partial = path.with_suffix(f".{os.getpid()}")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def replaced(name: str = "mutants.toml") -> tuple[tuple[str, str], ...]:
    """Damaged copies of the sources, for `runner.Design.replaced`; `name` is a list in tb/."""
    texts: dict[str, str] = {}
    for number, mutant in enumerate(load(sources.root() / "tb" / name), start=1):
        text = texts.get(mutant.file) or (sources.root() / mutant.file).read_text(encoding="utf-8")
        texts[mutant.file] = damage(text, mutant, number)
    folder = build_root() / "mutants" / content_hash(*texts.values())
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in texts.items():
        _write_whole(folder / Path(file).name, text)
    return tuple((file, str(folder / Path(file).name)) for file in texts)

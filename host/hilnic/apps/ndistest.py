# SPDX-License-Identifier: Apache-2.0
"""`hilnic ndistest 1c|2c`: a miniport, ours or a user's, through the suites of `hilnic.testing.ndistest`.

Each case has a bed of its own: fresh cards, fresh hosts. Over the twin that takes seconds; with `--sim` the same cases
run through the Verilog, in one simulator process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from time import perf_counter
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from hilnic import __version__
from hilnic.apps import report as report_file
from hilnic.apps.ndistest_beds import OURS, find_register, twin_bed
from hilnic.apps.outcome import Exit, Stop
from hilnic.apps.session import DEFAULT_SEED, Line, Session, SessionFailed, prepare, run_session
from hilnic.apps.session import console as open_console
from hilnic.ndis import Ndis
from hilnic.testing.ndistest import SUITES, Case
from hilnic.testing.ndistest.port import play, port_bed
from hilnic.testing.run_record import DUMP, RunRecord, host_file

__all__ = ["CARDS", "chosen", "run"]

SCHEMA = "hilnic.ndistest/1"
CARDS = {"1c": 1, "2c": 2}
BEDS: dict[str, Callable[..., Any]] = {"nic": twin_bed, "port": port_bed}


def chosen(suite: str, names: Sequence[str]) -> tuple[Case, ...]:
    """The cases that are asked for, in the suite's order; Stop with USAGE for a name that fits none."""
    cases = SUITES[suite]
    for name in names:
        if not any(fnmatchcase(case.name, name) for case in cases):
            known = ", ".join(case.name for case in cases)
            raise Stop(Exit.USAGE, f"ndistest {suite} has no case {name!r}; it has {known}")
    return tuple(case for case in cases if not names or any(fnmatchcase(case.name, name) for name in names))


def run(
    *,
    suite: str,
    cases: Sequence[str],
    miniport: str | None,
    card: str,
    sim: str | None,
    verify: str,
    seed: int | None,
    json: Path | None,
) -> Exit:
    """Play the cases; FAILED when one of them fails."""
    seed = DEFAULT_SEED if seed is None else seed
    selected = chosen(suite, cases)
    if sim and card == "port":
        raise Stop(Exit.USAGE, "--card port has no Verilog to simulate")
    if card == "port" and (miniport is None or miniport in OURS):
        raise Stop(Exit.USAGE, "--card port needs --miniport module:function: our miniports drive our NIC")
    register = find_register(miniport)
    console = open_console(json == report_file.STDOUT)
    started = perf_counter()
    with console.status(f"{suite}: 0 of {len(selected)} cases") as status:
        if sim:
            job: Line = {"suite": suite, "cases": [case.name for case in selected], "seed": seed, "verify": verify}
            lines = _simulate(sim, {**job, "miniport": miniport, "folder": str(Path.cwd())})
        else:
            lines = _twin(selected, BEDS[card], CARDS[suite], register, seed=seed, verify=verify)
        found = []
        for line in lines:
            found.append(line)
            status.update(f"{suite}: {len(found)} of {len(selected)} cases")
    report: Line = {
        "schema": SCHEMA,
        "version": __version__,
        "suite": suite,
        "miniport": miniport or "hilnic.miniport",
        "card": card,
        "sim": sim,
        "verify": verify,
        "seed": seed,
        "cases": found,
        "passed": len(found) == len(selected) and all(line["passed"] for line in found),
    }
    _print(console, report, perf_counter() - started)
    report_file.write(report, json)
    return Exit.PASSED if report["passed"] else Exit.FAILED


def _twin(
    selected: Sequence[Case], make: Callable[..., Any], cards: int, register: Any, **options: Any
) -> Iterator[Line]:
    record = RunRecord("host").start() if Ndis.created is None else None
    try:
        for case in selected:
            started = perf_counter()
            if record is not None:
                record.begin_test()
            clock, bed = make(cards, register, **options)
            failures = play(case, clock, bed).failures
            if failures and record is not None:
                failures = *failures, _dumped(record, f"{cards}c.{case.name}")
            yield result(case, failures, clock.now_ns(), perf_counter() - started)
    finally:
        if record is not None:
            record.stop()
            record.write(host_file())


def _dumped(record: RunRecord, name: str) -> str:
    """The hosts as the failed case left them, for `hilnic dump`; where that is."""
    file = host_file().parent / "failed" / f"ndistest.{name}" / DUMP
    record.dump(file, f"ndistest {name} failed")
    return f"hilnic dump {file.parent}"


def result(case: Case, failures: Sequence[str], simulated_ns: int, wall_s: float) -> Line:
    """One case of the report."""
    return {
        "case": case.name,
        "sentence": case.sentence,
        "passed": not failures,
        "failures": list(failures),
        "simulated_ns": simulated_ns,
        "wall_s": round(wall_s, 3),
    }


def _simulate(sim: str, job: Line) -> Iterator[Line]:
    """The same cases in a simulator; what breaks the session is the failure of the case it was at."""
    cards = CARDS[job["suite"]]
    session = Session("ndistest_session", sim, f"ndistest-{job['suite']}", job, seed=job["seed"], cards=cards)
    found: list[Line] = []
    prepare(sim, cards=cards)
    try:
        run_session(session, found.append)
    except SessionFailed as failed:
        yield from _broken(found, job, str(failed))
        return
    yield from found


def _broken(found: list[Line], job: Line, sentence: str) -> Iterator[Line]:
    """A session that broke off: the cases that ended, and the one that was played as failed; the others did not run."""
    seen = [text for line in found if "broken" in line for text in line["broken"]]
    ended = [line for line in found if "broken" not in line]
    yield from ended
    if len(ended) < len(job["cases"]):
        (case,) = (case for case in SUITES[job["suite"]] if case.name == job["cases"][len(ended)])
        rest = job["cases"][len(ended) + 1 :]
        unplayed = [f"not played after that: {', '.join(rest)}"] if rest else []
        yield result(case, [*seen, sentence, *unplayed], 0, 0.0)


def _print(console: Console, report: Line, wall_s: float) -> None:
    table = Table(box=box.SIMPLE, pad_edge=False, padding=(0, 1))
    for name in ("case", "claim", "simulated", "wall", "result"):
        table.add_column(name, justify="right" if name in {"simulated", "wall"} else "left", no_wrap=name != "claim")
    for line in report["cases"]:
        verdict = "passed" if line["passed"] else "[red]failed[/red]"
        cells = f"{line['simulated_ns'] / 1e6:.1f} ms", f"{line['wall_s']:.2f} s"
        table.add_row(line["case"], line["sentence"], *cells, verdict)
    console.print(table)
    for line in report["cases"]:
        for failure in line["failures"]:
            console.print(f"[red]{line['case']}[/red]: {failure}", highlight=False, soft_wrap=True)
    good = sum(line["passed"] for line in report["cases"])
    console.print(f"{good} passed, {len(report['cases']) - good} failed, 0 skipped in {wall_s:.1f} s", highlight=False)

# SPDX-License-Identifier: Apache-2.0
"""`hilnic sim`: runs the catalogue of simulator tests, shows progress, and ends with a table and a line of counts.

Every design is compiled once per simulator and parameters; the runs then share the processors. A failed test is run
again alone, with its waveform (equal seeds give equal runs), and its report names the commands that show what happened.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from hilnic import sources
from hilnic.apps import catalogue
from hilnic.apps.catalogue import Entry, Selected
from hilnic.apps.ends_share import Share, share
from hilnic.apps.outcome import Exit, Stop
from hilnic.apps.results import TestResult, read_cocotb, write_junit, write_report
from hilnic.apps.session import DEFAULT_SEED
from hilnic.cosim import mutants, runner
from hilnic.cosim.artefacts import LAST_EVENTS, folder_name, read_frames, read_rates, read_skip, tail
from hilnic.cosim.build_hostmem import BuildError, build_root

__all__ = ["run"]

_SLOWER_ENDS = 4


@dataclass(frozen=True, slots=True)
class Order:
    """One simulator process: what is run, where, how."""

    selected: Selected
    sim: str
    seed: int
    ends: str
    waves: bool

    @property
    def entry(self) -> Entry:
        """The catalogue's row."""
        return self.selected.entry

    @property
    def folder(self) -> Path:
        """Where the process writes; each test has a folder `name.function` beside it."""
        return build_root() / self.sim / self.entry.name

    @property
    def wall_limit_s(self) -> float:
        """After which the process is stopped; cocotbext's ends wake Python with every clock."""
        return self.entry.wall_limit_s * (_SLOWER_ENDS if self.ends == "cocotbext" else 1)

    @property
    def design(self) -> runner.Design:
        """What is compiled."""
        parameters = dict(self.entry.parameters)
        if self.ends == "cocotbext" and self.entry.chooses_ends:
            parameters["Ends"] = 1
        replaced = mutants.replaced(self.entry.mutants) if self.entry.mutants else ()
        return runner.Design(
            self.entry.target, self.sim, tuple(sorted(parameters.items())), self.entry.defines, self.waves, replaced
        )


def run(
    *,
    tests: Sequence[str],
    seed: int | None,
    sim: str | None,
    ends: str,
    waves: bool,
    jobs: int | None,
    soak: bool,
    listing: bool,
) -> int:
    """The command; its exit code."""
    started = time.monotonic()
    console = Console(highlight=False, soft_wrap=True)
    selected = _select(tests, soak)
    if listing:
        return _list(selected)
    seed = DEFAULT_SEED if seed is None else seed
    orders, skipped = _orders(selected, sim and str(sim), str(ends), seed, waves)
    jobs = jobs or os.cpu_count() or 1
    if orders:
        many = "" if len(orders) == 1 else "s"
        console.print(f"{len(orders)} run{many}, seed {seed}, ends {ends}, {jobs} at once")
    results = _run_all(orders, jobs, console) if orders else []
    results = [_again(result, orders, console) for result in results] + skipped
    write_junit(results, build_root() / "reports" / "sim.xml")
    whole = not tests and not soak and str(ends) == "cocotbext"
    return _conclude(results, console, started, _share(results, sim) if whole else None)


def _select(tests: Sequence[str], soak: bool) -> list[Selected]:
    try:
        return catalogue.select(catalogue.load(), tests, soak=soak)
    except catalogue.UnknownTest as unknown:
        raise Stop(Exit.USAGE, str(unknown)) from None


def _list(selected: Sequence[Selected]) -> int:
    for item in selected:
        for function in item.functions or item.entry.functions():
            print(f"{item.entry.name}.{function} ({', '.join(item.entry.sims)})")  # noqa: T201
    return Exit.PASSED


def _orders(
    selected: Sequence[Selected], sim: str | None, ends: str, seed: int, waves: bool
) -> tuple[list[Order], list[TestResult]]:
    """What to start, and what is left out with its reason."""
    orders: list[Order] = []
    skipped: list[TestResult] = []
    for item in selected:
        entry = item.entry
        if entry.chooses_ends and ends not in entry.ends:
            reason = f"not with {ends}: {entry.hdl_only}"
            skipped.append(TestResult(f"{entry.name}.*", sim or entry.sims[0], "skipped", reason, seed=seed, ends=ends))
            continue
        if sim is not None and sim not in entry.sims:
            reason = f"not on {sim}: {entry.reason or 'runs on ' + ', '.join(entry.sims)}"
            skipped.append(TestResult(f"{entry.name}.*", sim, "skipped", reason, seed=seed, ends=ends))
            continue
        own = ends if entry.chooses_ends else entry.ends[0]
        orders.extend(Order(item, s, seed, own, waves) for s in ([sim] if sim else entry.sims))
    return orders, skipped


# --- running ----------------------------------------------------------------------------------------------------------


def _run_all(orders: Sequence[Order], jobs: int, console: Console) -> list[TestResult]:
    """Compile each design once, the long compilations first, and start a run as soon as its design is there."""
    results: dict[int, list[TestResult]] = {}
    with ThreadPoolExecutor(jobs) as pool, _all_or_none(pool):
        builds = {}
        for order in sorted(orders, key=lambda order: order.sim, reverse=True):
            if order.design not in builds:
                builds[order.design] = pool.submit(_build, order)
        futures = {pool.submit(_run_one, order, builds[order.design].result): n for n, order in enumerate(orders)}
        for done, future in enumerate(as_completed(futures), 1):
            number = futures[future]
            results[number] = future.result()
            _progress(console, done, orders, orders[number], results[number])
    return [result for number in sorted(results) for result in results[number]]


@contextmanager
def _all_or_none(pool: ThreadPoolExecutor) -> Iterator[None]:
    """When the body is interrupted or cannot go on, what waits is not begun and what runs is ended."""
    try:
        yield
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        runner.stop_all()
        raise


def _build(order: Order) -> runner.Built | str:
    """The compiled design, or why it does not compile."""
    try:
        return runner.build(order.design)
    except runner.MissingTool as missing:
        raise Stop(Exit.MISSING, str(missing)) from None
    except (BuildError, runner.BuildFailed, OSError) as failed:  # these runs fail, the others go on
        return str(failed)


def _run_one(order: Order, built: Callable[[], runner.Built | str]) -> list[TestResult]:
    """One simulator process; its tests, also those that it did not get to."""
    design = built()
    expected = order.selected.functions or order.entry.functions()
    if isinstance(design, str):
        return [_failed(order, function, design) for function in expected]
    results = order.folder / "results.xml"
    pattern = "|".join(rf"\.{re.escape(function)}(/|$)" for function in order.selected.functions)
    finished = runner.simulate(
        runner.Run(
            design,
            ",".join(order.entry.modules),
            order.folder,
            results,
            test_filter=pattern,
            seed=order.seed,
            environment={
                "HILNIC_ARTEFACTS": f"{order.folder}.",
                "HILNIC_ENDS": order.ends,
                "HILNIC_WAVES": "1" if order.waves else "",
                **dict(order.entry.environment),
            },
            wall_limit_s=order.wall_limit_s,
            python_path=[sources.root() / "tb"],
            wave=order.folder / "wave.fst" if order.waves else None,
        )
    )
    found = read_cocotb(results, order.entry.name, order.sim, order.seed, order.ends)
    names = [result.name.partition(".")[2] for result in found]
    seen = {*names, *(name.partition("/")[0] for name in names)}
    why = f"no end within {order.wall_limit_s:.0f} s" if finished.timed_out else _last_words(finished)
    found.extend(_failed(order, function, why) for function in expected if function not in seen)
    return [_complete(order, result) for result in found]


def _last_words(finished: runner.Finished) -> str:
    lines = finished.log.read_text(encoding="utf-8", errors="replace").splitlines()
    return f"the simulator ended (code {finished.exit_code}) before this test:\n" + "\n".join(lines[-8:])


def _failed(order: Order, function: str, message: str) -> TestResult:
    return TestResult(f"{order.entry.name}.{function}", order.sim, "failed", message, seed=order.seed, ends=order.ends)


def _complete(order: Order, result: TestResult) -> TestResult:
    """Add frames, folder and the commands that show the test, and write its report."""
    folder = build_root() / order.sim / folder_name(result.name)
    commands = []
    wave = order.folder / "wave.fst"
    if order.waves and wave.exists():
        folder.mkdir(parents=True, exist_ok=True)
        commands.append(f"make waves T={result.name} SIM={order.sim}")
    commands.extend(f"wireshark {os.path.relpath(capture)}" for capture in sorted(folder.glob("wire*.pcapng")))
    log = os.path.relpath(order.folder / "sim.log")
    commands.append(f"less {log}")
    message = (read_skip(folder) if result.outcome == "skipped" else "") or result.message
    full = replace(
        result,
        message=message,
        frames=read_frames(folder) if result.outcome != "skipped" else 0,
        folder=os.path.relpath(folder),
        commands=tuple(commands),
        rates=tuple(read_rates(folder)) if result.outcome != "skipped" else (),
    )
    write_report(full, folder)
    return full


def _again(result: TestResult, orders: Sequence[Order], console: Console) -> TestResult:
    """Run a failed test again, alone and with its waveform."""
    run_name, _, function = result.name.partition(".")
    for order in orders:
        if result.outcome != "failed" or order.waves or (order.entry.name, order.sim) != (run_name, result.sim):
            continue
        if function.partition("/")[0] not in order.entry.functions():
            continue
        console.print(f"  {result.sim} {result.name} failed: once more, with its waveform")
        single = replace(order, selected=Selected(order.entry, (function,)), waves=True)
        repeated = _run_one(single, lambda single=single: _build(single))  # type: ignore[misc]
        if repeated and repeated[0].outcome == "failed":
            return replace(result, commands=repeated[0].commands)
        return replace(result, message=f"{result.message}\n(passed when it was run alone)")
    return result


# --- what is shown ----------------------------------------------------------------------------------------------------


def _progress(
    console: Console, done: int, orders: Sequence[Order], order: Order, results: Sequence[TestResult]
) -> None:
    failed = [result for result in results if result.outcome == "failed"]
    skipped = sum(result.outcome == "skipped" for result in results)
    passed = f"[green]{len(results) - skipped} passed[/]" + (f", {skipped} skipped" if skipped else "")
    word = f"[red]{len(failed)} of {len(results)} failed[/]" if failed else passed
    wall = sum(result.wall_s for result in results)
    console.print(f"  {done}/{len(orders)} {order.sim} {order.entry.name}: {word} in {wall:.1f} s")


def _share(results: Sequence[TestResult], sim: str | None) -> Share:
    """How much of the suite these results with cocotbext's ends are."""
    ran = sum(result.ends == "cocotbext" and result.outcome != "skipped" for result in results)
    return share(catalogue.load(), (str(sim),) if sim else runner.SIMULATORS, ran)


def _conclude(results: Sequence[TestResult], console: Console, started: float, of_suite: Share | None) -> int:
    """Table, failures, skips, the share of the suite if it was asked for, and the last line."""
    table = _table(results)
    if table.row_count:
        console.print(table)
    for result in results:
        if result.outcome == "failed":
            _explain(result, console)
    for result in results:
        if result.outcome == "skipped":
            console.print(f"skipped: {result.sim} {result.name}: {result.message}")
    count = {outcome: sum(r.outcome == outcome for r in results) for outcome in ("passed", "failed", "skipped")}
    if not count["passed"] and not count["failed"]:
        console.print("nothing was run")
    if of_suite is not None:
        console.print(str(of_suite))
    seconds = time.monotonic() - started
    console.print(f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped in {seconds:.1f} s")
    if count["failed"]:
        return Exit.FAILED
    return Exit.PASSED if count["passed"] else Exit.USAGE


def _table(results: Sequence[TestResult]) -> Table:
    """A row per run and simulator."""
    table = Table("test", "sim", "tests", "frames", "simulated", "wall", "result")
    for column in table.columns[2:6]:
        column.justify = "right"
    ran = [result for result in results if result.outcome != "skipped" or not result.name.endswith(".*")]
    for key in dict.fromkeys((result.name.partition(".")[0], result.sim) for result in ran):
        rows = [r for r in ran if (r.name.partition(".")[0], r.sim) == key]
        failed = sum(r.outcome == "failed" for r in rows)
        table.add_row(
            key[0],
            key[1],
            str(len(rows)),
            str(sum(r.frames for r in rows)),
            f"{sum(r.sim_ns for r in rows) / 1000:.0f} us",
            f"{sum(r.wall_s for r in rows):.1f} s",
            f"[red]{failed} failed[/]" if failed else "[green]passed[/]",
        )
    return table


def _explain(result: TestResult, console: Console) -> None:
    """One failed test: what, seed, last events, and what to type next."""
    console.print(f"[red]FAILED[/] {result.sim} {result.name} seed={result.seed} ends={result.ends}")
    for line in result.message.splitlines()[:12]:
        console.print(f"    {line}", markup=False)
    for line in tail(Path(result.folder), LAST_EVENTS) if result.folder else ():
        console.print(f"    event {line}", markup=False)
    ends = f" ENDS={result.ends}" if result.ends != "hdl" else ""
    console.print(f"    again: make sim T={result.name} SIM={result.sim} SEED={result.seed}{ends}")
    for command in result.commands:
        console.print(f"    see:   {command}")

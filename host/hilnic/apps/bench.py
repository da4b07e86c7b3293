# SPDX-License-Identifier: Apache-2.0
"""`hilnic bench`: how fast the NIC is in simulated time, and how fast the simulation is in wall time.

Each row is one load (direction, size, frames under way, fragments) on one simulator with one kind of far ends; rows of
the same simulator and ends share a process. Wall time is that of the measured part alone. The result is a table and
build/bench.json (schema hilnic.bench/1). Nothing here is judged by wall time; a lost frame or a changed octet fails.
"""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from hilnic import __version__, sources
from hilnic.apps import report as report_file
from hilnic.apps.latency import Spread
from hilnic.apps.outcome import Exit
from hilnic.apps.session import DEFAULT_SEED, Line, Session, SessionFailed, prepare, run_session
from hilnic.apps.session import console as open_console
from hilnic.apps.traffic import OVERHEAD_OCTETS, Load
from hilnic.cosim.build_hostmem import build_root
from hilnic.hw.timing import TimingModel
from hilnic.wire.link import NS_PER_OCTET

__all__ = ["Row", "plan", "ratios", "report", "run", "write"]

SCHEMA = "hilnic.bench/1"
SYSTEM_CYCLE_NS = 8
SIMULATORS = ("icarus", "verilator")
DIRECTIONS = ("tx", "rx", "both", "roundtrip")
FRAMES = {"icarus": 1_000, "verilator": 10_000}
"""Of a row, after warm-up: what the line rate is measured over."""
MODERATION = (16, 1250)
"""Completions per receive interrupt, and the most ticks until it, when more than one frame is under way."""
_ALONE = {"icarus": 200, "verilator": 2_000}  # frames of a row with one frame under way
_WARM_UP = {"icarus": 128, "verilator": 512}
_LONG = 100_000  # frames over which memory has to stay flat
_SAMPLES = 8
_LATENCIES = ("doorbell_to_preamble", "sfd_to_indication", "last_octet_to_interrupt")


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement that is asked for."""

    sim: str
    ends: str
    load: Load
    verify: str = "fast"

    def job(self) -> Line:
        """What the session inside the simulator is told."""
        moderation = MODERATION if self.load.window > 1 else (1, 0)
        return {"load": asdict(self.load), "verify": self.verify, "samples": _SAMPLES, "rx_moderation": moderation}


def plan(
    sims: Sequence[str],
    ends: Sequence[str],
    sizes: Sequence[int],
    dirs: Sequence[str],
    windows: Sequence[int],
    fragments: Sequence[int],
    frames: int | None,
    verify: str,
) -> list[Row]:
    """The rows: every combination of what is given, or the default set when no load is described."""
    chosen = [str(sim) for sim in sims] or list(SIMULATORS)
    if sizes or dirs or windows or fragments:
        cells = product(dirs or ("roundtrip",), sizes or (64,), windows or (64,), fragments or (1,))
        loads = [Load(size, str(way), 0, window, count) for way, size, window, count in cells]
        rows = [Row(sim, str(end), load) for sim, end, load in product(chosen, ends or ("hdl",), loads)]
    else:
        rows = [row for sim in chosen for row in _default(sim) if not ends or row.ends in ends]
    sized = [replace(row, load=_sized(row, frames), verify=str(verify)) for row in rows]
    return list(dict.fromkeys(sized))  # two that differed in frames alone may be equal now


def _default(sim: str) -> Iterator[Row]:
    """What the project promises figures for."""
    for way in DIRECTIONS:
        yield Row(sim, "hdl", Load(64, way, 0, 64, 1))
    for way in ("both", "roundtrip"):
        yield Row(sim, "hdl", Load(64, way, 0, 64, 4))
    yield Row(sim, "hdl", Load(64, "roundtrip", 0, 1, 1))
    for size in (512, 1518):
        yield Row(sim, "hdl", Load(size, "roundtrip", 0, 64, 1))
    if sim == "verilator":
        yield Row(sim, "hdl", Load(1518, "both", 0, 64, 4))
        yield Row(sim, "hdl", Load(64, "roundtrip", _LONG, 64, 1))
    yield Row(sim, "cocotbext", Load(64, "roundtrip", FRAMES[sim] // 5, 64, 1))


def _sized(row: Row, frames: int | None) -> Load:
    """Frames and warm-up; a load that names its own frames keeps them unless the command names others."""
    load = row.load
    usual = _ALONE[row.sim] if load.window == 1 else FRAMES[row.sim]
    return replace(load, frames=frames or load.frames or usual, warm_up=max(_WARM_UP[row.sim], load.window))


# --- run --------------------------------------------------------------------------------------------------------------


def run(
    *,
    bench: str,
    sims: Sequence[str],
    ends: Sequence[str],
    sizes: Sequence[int],
    dirs: Sequence[str],
    frames: int | None,
    windows: Sequence[int],
    fragments: Sequence[int],
    waves: bool,
    verify: str,
    seed: int | None,
    json: Path | None,
) -> Exit:
    """Measure every row; FAILED when a session breaks or a frame is lost."""
    seed = DEFAULT_SEED if seed is None else seed
    rows = plan(sims, ends, sizes, dirs, windows, fragments, frames, verify)
    console = open_console(json == report_file.STDOUT)
    found: list[Line] = []
    failures: list[str] = []
    for same in sessions(rows):
        failures.extend(_measure(console, same, str(bench), waves, seed, found))
    result = report(found, seed) | {"ratios": ratios(found)}
    _print(console, result, failures)
    write(result, json)
    lost = any(line["drops"] for line in found)
    return Exit.FAILED if failures or lost or not found else Exit.PASSED


def sessions(rows: Sequence[Row]) -> list[list[Row]]:
    """The rows of each simulator process: cocotbext's ends cannot be taken from a NIC, so that each row has its own."""
    groups: dict[tuple[str, str, int], list[Row]] = {}
    for number, row in enumerate(rows):
        groups.setdefault((row.sim, row.ends, number if row.ends == "cocotbext" else 0), []).append(row)
    return list(groups.values())


def _measure(console: Console, rows: list[Row], bench: str, waves: bool, seed: int, found: list[Line]) -> Iterator[str]:
    """Run the rows of one simulator and one kind of ends; yields why it failed, if it did."""
    sim, ends = rows[0].sim, rows[0].ends
    job = {"rows": [row.job() for row in rows], "seed": seed, "profile": "HILNIC_PROFILE" in os.environ}
    session = Session("bench_session", sim, f"bench-{ends}", job, ends=ends, waves=waves, seed=seed)
    with console.status(f"{sim}: compiling") as status:

        def on_line(line: Line) -> None:
            number = line["row"]
            found.append(result(rows[number], line, bench=bench, waves=waves))
            status.update(f"{sim}, ends {ends}: {number + 1} of {len(rows)} rows")

        prepare(sim, ends, waves)
        status.update(f"{sim}, ends {ends}: 0 of {len(rows)} rows")
        try:
            run_session(session, on_line)
        except SessionFailed as failed:
            yield f"{sim}, ends {ends}: {failed}"


def result(row: Row, line: Line, *, bench: str = "nic", waves: bool = False) -> Line:
    """A row of the report, from two snapshots and the latencies."""
    load, start, end = row.load, line["start"], line["end"]
    wall, cycles = end["wall_s"] - start["wall_s"], end["cycles"] - start["cycles"]
    gaps = [after - before for before, after in zip(start["gaps"], end["gaps"], strict=True)]
    latencies = {name: Spread.of(values, SYSTEM_CYCLE_NS) for name, values in line["latencies_ns"].items()}
    return {
        "bench": bench,
        "sim": row.sim,
        "ends": row.ends,
        "size": load.size,
        "dir": load.dir,
        "frames": load.frames,
        "window": load.window,
        "fragments": load.fragments,
        "waves": waves,
        "verify": row.verify,
        "checkers": True,
        "wall_s": round(wall, 4),
        "cpu_s": round(end["cpu_s"] - start["cpu_s"], 4),
        "frames_per_s": round(load.frames / wall, 1),
        "cycles": cycles,
        "cycles_per_s": round(cycles / wall),
        "line_rate_fraction": round(_line_rate(load, start, end), 4),
        "latency_cycles": {name: asdict(spread) if spread else None for name, spread in latencies.items()},
        "rss_growth_bytes": end["resident_bytes"] - start["resident_bytes"],
        "drops": line["drops"],
        "ifg_histogram": {str(gap): count for gap, count in enumerate(gaps) if count},
        "rx_moderation": row.job()["rx_moderation"],
    }


def _line_rate(load: Load, start: Line, end: Line) -> float:
    """Share of the frames that the wire could have carried, of the slower direction."""
    slot_ns = NS_PER_OCTET * (load.size + OVERHEAD_OCTETS)
    ways = [key for key, used in (("sent", load.sends), ("arrived", load.dir in {"rx", "both"})) if used]
    shares = [slot_ns * (end[way][0] - start[way][0]) / (end[way][1] - start[way][1]) for way in ways]
    return float(min(shares))


# --- report -----------------------------------------------------------------------------------------------------------


def report(rows: list[Line], seed: int) -> Line:
    """What every bench's JSON begins with; `ratios` are each bench's own."""
    return {
        "schema": SCHEMA,
        "version": __version__,
        "git": _revision(),
        "seed": seed,
        "host": {
            "cpus": os.cpu_count(),
            "python": platform.python_version(),
            "platform": platform.platform(),
            "load_average": round(os.getloadavg()[0], 2),
        },
        "timing_model": TimingModel().as_dict(),
        "rows": rows,
    }


def _revision() -> str:
    """The commit, with `+` when the tree differs from it; empty outside of a checkout."""
    command = ["git", "-C", str(sources.root()), "describe", "--always", "--dirty=+", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def ratios(rows: Iterable[Line]) -> dict[str, float]:
    """How many times faster: Verilator than Icarus, and our ends than cocotbext's, by load, in frames per second."""
    speed = {
        (row["sim"], row["ends"], row["dir"], row["size"], row["window"], row["fragments"]): row["frames_per_s"]
        for row in rows
        if row["frames"] != _LONG
    }
    found: dict[str, float] = {}
    for (sim, ends, *load), value in speed.items():
        name = "{} {} window {} fragments {}".format(*load)
        slower = speed.get(("icarus", ends, *load)) if sim == "verilator" else None
        if slower:
            found[f"verilator/icarus {ends} {name}"] = round(value / slower, 2)
        other = speed.get((sim, "cocotbext", *load)) if ends == "hdl" else None
        if other:
            found[f"hdl/cocotbext {sim} {name}"] = round(value / other, 2)
    return found


_COLUMNS = ("simulator", "load", "frames", "frames/s", "kcycles/s", "line rate", "latencies", "memory", "drops")
_LEGEND = (
    "load: traffic, octets with FCS, w frames under way, f fragments. frames/s and kcycles/s: wall time. Line rate and "
    "latencies: simulated time; latencies of single frames in cycles of 8 ns, median: doorbell to preamble, SFD to "
    "indication, last octet to interrupt."
)


def _print(console: Console, result: Line, failures: list[str]) -> None:
    table = Table(box=box.SIMPLE, pad_edge=False, padding=(0, 1))
    for name in _COLUMNS:
        table.add_column(name, justify="left" if name in _COLUMNS[:2] else "right", no_wrap=name != "drops")
    for row in result["rows"]:
        table.add_row(*_cells(row))
    console.print(table)
    console.print(_LEGEND, style="dim")
    for name, value in result["ratios"].items():
        console.print(f"{value:6.1f} x  {name}", highlight=False)
    for failure in failures:
        console.print(f"[red]failed[/red] {failure}", highlight=False)


def _cells(row: Line) -> Iterator[str]:
    yield row["sim"] if row["ends"] == "hdl" else f"{row['sim']}, {row['ends']}"
    yield f"{row['dir']} {row['size']} w{row['window']} f{row['fragments']}"
    yield str(row["frames"])
    yield f"{row['frames_per_s']:,.0f}"
    yield f"{row['cycles_per_s'] / 1000:,.1f}"
    yield f"{row['line_rate_fraction']:.4f}"
    spreads = [row["latency_cycles"][name] for name in _LATENCIES]
    yield " ".join(f"{spread['median']:.0f}" if spread else "-" for spread in spreads)
    yield f"{row['rss_growth_bytes'] / (1 << 20):+.1f}M"
    yield ", ".join(f"{name} {count}" for name, count in row["drops"].items()) or "0"


def write(result: Line, json: Path | None) -> None:
    """To build/bench.json, and to the file that was asked for."""
    default = build_root() / "bench.json"
    default.parent.mkdir(parents=True, exist_ok=True)
    report_file.write(result, default)
    report_file.write(result, json)

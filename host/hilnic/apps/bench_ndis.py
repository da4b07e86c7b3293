# SPDX-License-Identifier: Apache-2.0
"""`hilnic bench ndis`: microseconds of CPU time per NBL through NDIS alone, with no hardware and no simulator below.

Each row is one way (send or receive, versions of protocol and miniport, filters, bindings, batch, NBLs outstanding)
with one mode of the verifier. A row is measured in slices and the fastest counts, so that a busy machine disturbs
little; the long rows run a million NBLs and say whether the last cost more than the first, and whether memory grew.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path as File
from time import perf_counter, process_time
from typing import get_args

from rich import box
from rich.console import Console
from rich.table import Table

from hilnic.apps import bench
from hilnic.apps import report as report_file
from hilnic.apps.outcome import Exit
from hilnic.apps.session import DEFAULT_SEED, Line, resident_bytes
from hilnic.apps.session import console as open_console
from hilnic.ndis.ndis import VerifyMode
from hilnic.testing.speed import Direction, Path, SpeedBench

__all__ = ["Row", "measure", "plan", "ratios", "run"]

NBLS = {"off": 20_000, "fast": 20_000, "full": 5_000}
"""Of a row, when nothing else is asked for."""
LONG = 1_000_000
BATCHES = (1, 8, 64, 256, 1024)
FILTERS = (0, 1, 4)
BINDINGS = (1, 8)
CORNERS = tuple(product((5, 6), (5, 6)))
OUTSTANDING = (16, 256)  # batches of 64: 1 024 and 16 384 NBLs
SLICES = 5
PLAIN = Path()
VERIFY: tuple[VerifyMode, ...] = get_args(VerifyMode)


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement that is asked for."""

    path: Path
    nbls: int


def plan(verify: VerifyMode | None = None, nbls: int | None = None, long: int = LONG) -> list[Row]:
    """The rows: one axis at a time around the plain way, every mode of the verifier on each, and the long ones."""
    ways = [replace(way, verify=mode) for way in _ways() for mode in ([verify] if verify else VERIFY)]
    rows = [Row(way, nbls or NBLS[way.verify]) for way in dict.fromkeys(ways)]
    return rows + [Row(Path(direction, verify=verify or "fast"), long) for direction in get_args(Direction) if long]


def _ways() -> Iterator[Path]:
    for direction in get_args(Direction):
        plain = replace(PLAIN, direction=direction)
        yield from (replace(plain, filters=count) for count in FILTERS)
        yield from (replace(plain, bindings=count) for count in BINDINGS)
        yield from (replace(plain, batch=count) for count in BATCHES)
        yield from (replace(plain, outstanding=count) for count in OUTSTANDING)
        yield replace(plain, fresh=True)
        yield from (replace(plain, protocol=upper, miniport=lower) for upper, lower in CORNERS)


def measure(row: Row, slices: int = SLICES) -> Line:
    """Run a row; every NBL has to arrive at the far driver."""
    speed = SpeedBench(row.path)
    turns = max(1, row.nbls // slices // row.path.batch)
    for _ in range(max(1, turns // 4)):  # warm-up
        speed.turn()
    gc.collect()
    before, seen, wall, cpu = resident_bytes(), speed.seen, perf_counter(), process_time()
    costs = [_slice(speed, turns) for _ in range(slices)]
    wall, cpu = perf_counter() - wall, process_time() - cpu
    nbls = turns * slices * row.path.batch
    copies = 1 if row.path.direction == "send" else row.path.bindings
    lost = nbls * copies - (speed.seen - seen)
    growth = resident_bytes() - before
    speed.stop()
    return {
        "bench": "ndis",
        **_as_dict(row.path),
        "frames": nbls,
        "window": row.path.batch * (1 + row.path.outstanding),
        "fragments": 1,
        "us_per_nbl": round(min(costs), 3),
        "first_us_per_nbl": round(costs[0], 3),
        "last_us_per_nbl": round(costs[-1], 3),
        "wall_s": round(wall, 4),
        "cpu_s": round(cpu, 4),
        "frames_per_s": round(nbls / wall, 1),
        "rss_growth_bytes": growth,
        "lost": lost,
    }


def _as_dict(path: Path) -> Line:
    return {"dir" if name == "direction" else name: value for name, value in asdict(path).items()}


def _slice(speed: SpeedBench, turns: int) -> float:
    """Microseconds of CPU time per NBL over so many turns."""
    before, nbls = process_time(), 0
    for _ in range(turns):
        nbls += speed.turn()
    return (process_time() - before) / nbls * 1e6


_AXES = ("filters", "bindings", "batch", "outstanding", "fresh", "protocol", "miniport")


def ratios(rows: Sequence[Line]) -> dict[str, float]:
    """What the verifier costs on each way, and how the cost grows: along each axis, and in the long run."""
    short = [row for row in rows if row["frames"] < LONG // 2]
    cost = {(row["dir"], *(row[axis] for axis in _AXES), row["verify"]): row["us_per_nbl"] for row in short}
    found: dict[str, float] = {}
    for (*way, mode), value in cost.items():
        off = cost.get((*way, "off"))
        if mode != "off" and off:
            found[f"{mode}/off {_name(way)}"] = round(value / off, 2)
    for (direction, *axes, mode), value in cost.items():
        smaller = cost.get((direction, 0, 1, PLAIN.batch, 0, False, 6, 6, mode))
        if smaller and tuple(axes[4:]) == (False, 6, 6) and (axes[2] > PLAIN.batch or axes[3]):
            found[f"growth {mode} {_name([direction, *axes])}"] = round(value / smaller, 2)
    for row in rows:
        if row not in short:
            found[f"last/first {row['verify']} {row['dir']} {row['frames']:,} NBLs"] = round(
                row["last_us_per_nbl"] / row["first_us_per_nbl"], 2
            )
    return found


def _name(way: Sequence[object]) -> str:
    direction, filters, bindings, batch, outstanding, fresh, protocol, miniport = way
    words = [f"{direction} {protocol} on {miniport}", f"batch {batch}"]
    words += [f"{filters} filters"] if filters else []
    words += [f"{bindings} bindings"] if bindings != 1 else []
    words += [f"{outstanding} batches outstanding"] if outstanding else []
    words += ["allocated and freed"] if fresh else []
    return ", ".join(words)


# --- run --------------------------------------------------------------------------------------------------------------


def run(*, verify: VerifyMode | None, nbls: int | None, seed: int | None, json: File | None) -> Exit:
    """Measure every row; FAILED when an NBL is lost. Nothing is judged by time."""
    console = open_console(json == report_file.STDOUT)
    rows = plan(verify, nbls)
    found: list[Line] = []
    with console.status("measuring") as status:
        for row in rows:
            found.append(measure(row, 10 if row.nbls >= LONG else SLICES))
            status.update(f"{len(found)} of {len(rows)} rows")
    report = bench.report(found, DEFAULT_SEED if seed is None else seed) | {"ratios": ratios(found)}
    _print(console, report)
    bench.write(report, json)
    return Exit.FAILED if any(row["lost"] for row in found) else Exit.PASSED


def _print(console: Console, report: Line) -> None:
    table = Table(box=box.SIMPLE, pad_edge=False, padding=(0, 1))
    table.add_column("way (protocol on miniport)", no_wrap=True)
    for name in ("NBLs", *(f"{mode}, us" for mode in VERIFY), "memory", "lost"):
        table.add_column(name, justify="right", no_wrap=True)
    for cells in _table(report["rows"]):
        table.add_row(*cells)
    console.print(table)
    console.print("us: CPU time per NBL in the fastest slice, there and back, drivers included.", style="dim")
    for name, value in report["ratios"].items():
        if name.startswith(("growth", "last/first")):
            console.print(f"{value:6.2f} x  {name}", highlight=False)
    slower = [value for name, value in report["ratios"].items() if name.startswith("fast/off")]
    if slower:
        console.print(f"{max(slower):6.2f} x  fast/off, the largest of {len(slower)}", highlight=False)


def _table(rows: Iterable[Line]) -> Iterator[list[str]]:
    """One line per way, the modes of the verifier side by side."""
    grouped: dict[str, dict[str, Line]] = {}
    for row in rows:
        key = _name([row["dir"], *(row[axis] for axis in _AXES)]) + (" (long)" if row["frames"] >= LONG else "")
        grouped.setdefault(key, {})[row["verify"]] = row
    for key, modes in grouped.items():
        counts = max(row["frames"] for row in modes.values())
        costs = [f"{modes[mode]['us_per_nbl']:.2f}" if mode in modes else "-" for mode in VERIFY]
        growth = max(row["rss_growth_bytes"] for row in modes.values()) / (1 << 20)
        yield [key, f"{counts:,}", *costs, f"{growth:+.1f}M", str(sum(row["lost"] for row in modes.values()))]

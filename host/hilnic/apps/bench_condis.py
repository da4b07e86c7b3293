# SPDX-License-Identifier: Apache-2.0
"""`hilnic bench condis`: what calls and virtual connections cost, through drivers, call managers and two Verilog NICs.

    setup       calls one after the other, with a call manager of its own and with the miniport's
    throughput  SDUs on a VC against connectionless frames that are as long on the wire; many under way, then one
    contract    VCs of different contracts, all with more to send than they may: the rate of each
    growth      data on the last VC alone and on all of them in turn, as more and more are active

Targets are of simulated time: a VC is at most 10 % slower than connectionless, a frame costs at most a tenth more with
every VC of the NIC active than with one, each rate is its contract's within 1 %. Wall and CPU time are not judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console

from hilnic.apps import bench, condis_tables
from hilnic.apps import report as report_file
from hilnic.apps.latency import Spread
from hilnic.apps.outcome import Exit, Stop
from hilnic.apps.session import DEFAULT_SEED, Line, Session, SessionFailed, prepare, run_session
from hilnic.apps.session import console as open_console
from hilnic.apps.vc_rates import WITHIN, VcRate

__all__ = ["Part", "judge", "plan", "result", "run"]

SIZES = (64, 256, 512, 1024, 1500)
VCS = (1, 8, 64, 256, 1023)
"""Active VCs with data; the signalling VC is one more, which fills the table of 1024."""
MANAGERS = {"stand-alone": "6-co", "integrated": "6-mcm"}
LONGEST_SDU = 1500
MOST_SLOWER = 0.10
"""What data on a VC may take longer than connectionless."""
MOST_GROWTH = 1.10
"""What a frame may cost with many VCs, in simulated time, over what it costs with one: flat."""
_FEW, _MANY = 64, 1024  # VCs of the builds
_WINDOW, _WARM_UP = 64, 128
_ALONE = 10
"""So many times fewer frames where the next one leaves when the last one has arrived."""
_CALLS = 20
_FRAMES = 500
_GROWTH_SIZE = 64
_CONTRACTS = 60
_CONTRACT_SIZE = 200
_CONTRACT_NS = 20_000_000
_MEGABYTES = 128  # of a host's memory with 1024 VCs


@dataclass(frozen=True, slots=True)
class Part:
    """What one session does: its rows as they are asked for, on a build with so many VCs."""

    vcs: int
    job: list[Line]
    rows: list[Line]


def plan(sizes: Sequence[int], vcs: Sequence[int], frames: int | None) -> list[Part]:
    """Everything; or the throughput of given sizes, or the growth along given numbers of VCs, alone."""
    frames = frames or _FRAMES
    load = {"frames": frames, "window": _WINDOW, "warm_up": _WARM_UP}
    few: list[Line] = []
    rows: list[Line] = []
    if not sizes and not vcs:
        for manager, miniport in MANAGERS.items():
            few.append({"part": "setup", "row": len(rows), "miniport": miniport, "calls": _CALLS})
            rows.append({"part": "setup", "call_manager": manager, "calls": _CALLS})
        rates = [(2_000_000 + 350_000 * number) // 8 for number in range(_CONTRACTS)]
        few.append({
            "part": "contract", "row": len(rows), "rates": rates, "size": _CONTRACT_SIZE, "duration_ns": _CONTRACT_NS,
        })  # fmt: skip
        rows.append({"part": "contract", "vcs": _CONTRACTS, "size": _CONTRACT_SIZE})
    if sizes or not vcs:
        alone = {"frames": max(1, frames // _ALONE), "window": 1, "warm_up": _WARM_UP // _ALONE}
        cells = [
            {"part": "throughput", "size": size, **each}
            for size in sorted(set(sizes or SIZES))
            for each in (load, alone)
        ]
        few.append({"part": "throughput", "loads": [cell | {"row": len(rows) + n} for n, cell in enumerate(cells)]})
        rows += cells
    parts = [Part(_FEW, few, rows)] if few else []
    if vcs or not sizes:
        parts.append(_growth(sorted(set(vcs or VCS)), load))
    return parts


def _growth(vcs: Sequence[int], load: Line) -> Part:
    build = _FEW if vcs[-1] < _FEW else _MANY
    rows: list[Line] = []
    for number in vcs:  # each VC has carried data before it is measured, and does so again
        least = {key: max(load[key], number) for key in ("frames", "warm_up")}
        rows.append({"part": "growth", "vcs": number, "size": _GROWTH_SIZE, **load, **least})
    loads = [row | {"row": number} for number, row in enumerate(rows)]
    return Part(build, [{"part": "growth", "most_vcs": build, "megabytes": _MEGABYTES, "loads": loads}], rows)


# --- run --------------------------------------------------------------------------------------------------------------


def run(
    *,
    sims: Sequence[str],
    ends: Sequence[str],
    sizes: Sequence[int],
    vcs: Sequence[int],
    frames: int | None,
    waves: bool,
    verify: str,
    seed: int | None,
    json: Path | None,
) -> Exit:
    """Measure everything; FAILED when a session breaks, a frame is lost or a target missed."""
    if any(size > LONGEST_SDU for size in sizes):
        raise Stop(Exit.USAGE, f"--size {max(sizes)}: the longest SDU has {LONGEST_SDU} bytes")
    seed = DEFAULT_SEED if seed is None else seed
    console = open_console(json == report_file.STDOUT)
    found: list[Line] = []
    failures: list[str] = []
    for sim in sims or ("verilator",):
        for end in ends or ("hdl",):
            common = {"bench": "condis", "sim": str(sim), "ends": str(end), "verify": str(verify), "waves": waves}
            for number, part in enumerate(plan(sizes, vcs, frames)):
                job = {"parts": part.job, "seed": seed, "verify": str(verify)}
                name = f"bench-condis-{end}-{number}"
                session = Session(
                    "bench_condis_session", str(sim), name, job, ends=str(end), waves=waves, seed=seed, cards=2,
                    vcs=part.vcs, wall_limit_s=24 * 3600.0,
                )  # fmt: skip
                failures.extend(_measure(console, session, part, common, found))
    report = bench.report(found, seed) | {"ratios": ratios(found), "rates": [r for row in found for r in _rates(row)]}
    report |= judge(report, failures)
    condis_tables.show(console, report)
    for failure in failures:
        console.print(f"[red]failed[/red] {failure}", highlight=False)
    bench.write(report, json)
    return Exit.PASSED if report["passed"] else Exit.FAILED


def _measure(console: Console, session: Session, part: Part, common: Line, found: list[Line]) -> Iterator[str]:
    """Run a part; yields why it failed, if it did."""
    with console.status(f"{session.sim}: compiling for {part.vcs} VCs") as status:
        said = 0

        def on_line(line: Line) -> None:
            nonlocal said
            if "note" in line:
                status.update(f"{session.sim}: {line['note']}")
                return
            said += 1
            found.append(common | result(part.rows[line["row"]], line))

        prepare(session.sim, session.ends, session.waves, session.cards, session.vcs)
        status.update(f"{session.sim}: starting")
        try:
            run_session(session, on_line)
        except SessionFailed as failed:
            yield f"{session.sim}, ends {session.ends}: {failed}"
        else:
            if said < len(part.rows):
                yield f"{session.sim}, ends {session.ends}: {len(part.rows) - said} rows are missing"


def result(row: Line, line: Line) -> Line:
    """A row of the report, from what the session says of it."""
    if row["part"] == "setup":
        return row | _setups(line)
    if row["part"] == "contract":
        return row | {key: line[key] for key in ("simulated_ns", "wall_s", "cpu_s", "rates")}
    ways = ("connectionless", "vc") if row["part"] == "throughput" else ("one", "all")
    found = row | {way: _per_frame(line[way], row["frames"]) for way in ways}
    if row["part"] == "throughput":
        return found | {"ratio": round(line["connectionless"]["simulated_ns"] / line["vc"]["simulated_ns"], 4)}
    calls, opened = line["calls"], line["calls"]["opened"]
    return found | {
        "calls_opened": opened,
        "setup_ns_per_call": round(calls["simulated_ns"] / opened),
        "ms_cpu_per_call": round(calls["cpu_s"] * 1e3 / opened, 1),
    }


def _setups(line: Line) -> Line:
    setups, releases = line["setup"], line["release"]
    times = [one["simulated_ns"] for one in setups]
    wall, cpu = sum(one["wall_s"] for one in setups), sum(one["cpu_s"] for one in setups)
    return {
        "setup_ns": _spread(times),
        "release_ns": _spread([one["simulated_ns"] for one in releases]),
        "setups_per_simulated_s": round(len(times) * 1e9 / sum(times)),
        "setups_per_wall_s": round(len(times) / wall, 1),
        "setups_per_cpu_s": round(len(times) / cpu, 1),
    }


def _spread(times_ns: list[int]) -> Line:
    spread = Spread.of([float(time) for time in times_ns], 1)
    assert spread is not None
    return {"min": spread.min, "median": median(times_ns), "max": spread.max}


def _per_frame(took: Line, frames: int) -> Line:
    return {
        "simulated_ns_per_frame": round(took["simulated_ns"] / frames, 1),
        "us_wall_per_frame": round(took["wall_s"] * 1e6 / frames, 1),
        "us_cpu_per_frame": round(took["cpu_s"] * 1e6 / frames, 1),
    }


def _rates(row: Line) -> list[Line]:
    rates: list[Line] = row.get("rates", [])
    return rates


# --- judgement --------------------------------------------------------------------------------------------------------


def ratios(rows: Sequence[Line]) -> dict[str, float]:
    """Throughput of a VC over connectionless, by size; cost of a frame with so many VCs over that with the fewest."""
    found = {}
    fewest: dict[tuple[str, str], Line] = {}
    for row in rows:
        where = f"{row['sim']} {row['ends']}"
        if row["part"] == "throughput":
            alone = ", one at a time" if row["window"] == 1 else ""
            found[f"vc/connectionless {where} {row['size']}{alone}"] = row["ratio"]
        if row["part"] == "growth":
            first = fewest.setdefault((row["sim"], row["ends"]), row)
            for way in ("one", "all") if row is not first else ():
                cost, least = (each[way]["simulated_ns_per_frame"] for each in (row, first))
                found[f"growth {where} data on {way}, {row['vcs']}/{first['vcs']} VCs"] = round(cost / least, 4)
    return found


def judge(report: Line, failures: Sequence[str] = ()) -> Line:
    """What has to hold; a target whose figures were not asked for is not there."""
    values = report["ratios"]
    throughput = [value for name, value in values.items() if name.startswith("vc/")]
    growth = [value for name, value in values.items() if name.startswith("growth ")]
    checks: dict[str, bool] = {"every part ran to its end": not failures and bool(report["rows"])}
    if throughput:
        checks[f"a VC is at most {100 * MOST_SLOWER:g} % slower than connectionless"] = (
            min(throughput) >= 1 - MOST_SLOWER
        )
    if growth:
        checks[f"a frame costs at most {MOST_GROWTH:.1f} times as much with more VCs"] = max(growth) <= MOST_GROWTH
    if report["rates"]:
        kept = [_rate(rate) for rate in report["rates"]]
        checks[f"every VC's rate is its contract's {WITHIN}"] = all(r.is_measured and r.is_kept for r in kept)
    return {"checks": checks, "passed": all(checks.values())}


def _rate(row: dict[str, Any]) -> VcRate:
    return VcRate(**row)

# SPDX-License-Identifier: Apache-2.0
"""The tables that `hilnic bench condis` prints of its report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from hilnic.apps.vc_rates import VcRate

__all__ = ["show"]

Line = dict[str, Any]
_LEGEND = (
    "Simulated time decides. us: microseconds of this machine per frame, CPU of the whole simulator and wall; "
    "call: one side's co_create_vc until both are connected. The signalling VC is active beside those that are counted."
)


def show(console: Console, report: Line) -> None:
    """Print a table per part that was run, the ratios, and what holds."""
    for part, title, columns, cells in _TABLES:
        rows = [row for row in report["rows"] if row["part"] == part]
        if rows:
            console.print(_table(title, columns, [cells(row) for row in rows]))
    console.print(_LEGEND, style="dim")
    for name, value in report["ratios"].items():
        console.print(f"{value:7.4f} x  {name}", highlight=False)
    for name, fine in report["checks"].items():
        console.print(f"{'[green]yes[/green]' if fine else '[red]NO [/red]'}  {name}", highlight=False)
    console.print("PASSED" if report["passed"] else "FAILED")


def _table(title: str, columns: Sequence[str], rows: Sequence[Iterator[str]]) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE, pad_edge=False, padding=(0, 1))
    for number, name in enumerate(columns):
        table.add_column(name, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table


def _where(row: Line) -> str:
    return row["sim"] if row["ends"] == "hdl" else f"{row['sim']}, {row['ends']}"


def _setup(row: Line) -> Iterator[str]:
    yield f"{_where(row)}, {row['call_manager']}"
    yield str(row["calls"])
    yield f"{row['setup_ns']['median'] / 1e3:.1f} us"
    yield f"{row['release_ns']['median'] / 1e3:.1f} us"
    yield f"{row['setups_per_simulated_s']:,}"
    yield f"{row['setups_per_cpu_s']:.1f}"
    yield f"{row['setups_per_wall_s']:.1f}"


def _contract(row: Line) -> Iterator[str]:
    rates = [VcRate(**rate) for rate in row["rates"]]
    yield f"{_where(row)}, SDUs of {row['size']}"
    yield str(row["vcs"])
    yield f"{min(rate.contract for rate in rates) * 8 / 1e6:g} to {max(rate.contract for rate in rates) * 8 / 1e6:g}"
    yield f"{row['simulated_ns'] / 1e6:.1f} ms"
    yield str(sum(rate.is_kept for rate in rates))
    yield f"{100 * max((rate.deviation for rate in rates), key=abs):+.2f} %"


def _throughput(row: Line) -> Iterator[str]:
    yield f"{_where(row)}, SDUs of {row['size']}"
    yield str(row["window"])
    for way in ("connectionless", "vc"):
        yield f"{row[way]['simulated_ns_per_frame']:.1f} ns"
    yield f"{row['ratio']:.4f}"
    for way in ("connectionless", "vc"):
        yield f"{row[way]['us_cpu_per_frame']:.0f}"


def _growth(row: Line) -> Iterator[str]:
    yield f"{_where(row)}, SDUs of {row['size']}"
    yield str(row["vcs"])
    for way in ("one", "all"):
        yield f"{row[way]['simulated_ns_per_frame']:.1f} ns"
        yield f"{row[way]['us_cpu_per_frame']:.0f} / {row[way]['us_wall_per_frame']:.0f}"
    yield f"{row['setup_ns_per_call'] / 1e3:.1f} us, {row['ms_cpu_per_call']:.0f} ms CPU"


_TABLES = (
    (
        "setup",
        "Calls, one after the other",
        ("call manager", "calls", "set-up", "release", "per simulated s", "per CPU s", "per wall s"),
        _setup,
    ),
    (
        "contract",
        "Contracts, with more to send than they allow",
        ("", "VCs", "Mbit/s", "simulated", "within 1 %", "the worst"),
        _contract,
    ),
    (
        "throughput",
        "Frame to frame on the wire, connectionless and on a VC",
        ("", "under way", "connectionless", "VC", "ratio", "us CPU", "VC, us CPU"),
        _throughput,
    ),
    (
        "growth",
        "Frame to frame, as more VCs are active",
        ("", "VCs", "data on one", "us CPU / wall", "on all in turn", "us CPU / wall", "per call"),
        _growth,
    ),
)

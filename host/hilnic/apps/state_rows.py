# SPDX-License-Identifier: Apache-2.0
"""The states of a trace as a small waveform: a row of text for each adapter, VC and call, and the frames of each wire.

It is made from the trace alone, so that a run without a dump of the Verilog leaves it too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

__all__ = ["write"]

_KINDS = ("adapter", "vc", "call")
_WIRES = {"wire.tx": "sent", "wire.rx": "received"}


def write(trace: Path, waveform: Path) -> Path:
    """Write `waveform` (.vcd) and beside it the GTKWave view with all its rows, whose path is the answer."""
    from vcd import VCDWriter  # the extra `sim`

    events = [json.loads(line) for line in trace.read_text(encoding="utf-8").splitlines()]
    changes = list(_changes(events))
    with waveform.open("w", encoding="ascii") as file, VCDWriter(file, timescale="1 ns", date="", comment="") as writer:
        rows: dict[tuple[str, str], Any] = {}
        for _, scope, name, value in changes:
            if (scope, name) not in rows:
                kind, first = ("string", "-") if isinstance(value, str) else ("integer", 0)
                rows[scope, name] = writer.register_var(scope, name, kind, init=first)
        for time_ns, scope, name, value in changes:
            writer.change(rows[scope, name], time_ns, value)
        writer.close(max((event["t"] for event in events), default=0))
    view = waveform.with_suffix(".gtkw")
    _write_view(waveform, view, sorted(rows))
    return view


def _changes(events: Iterable[dict[str, Any]]) -> Iterator[tuple[int, str, str, str | int]]:
    """Time in ns, scope, row, value; a row counts the frames of a wire, the others name states."""
    counts: dict[tuple[str, str], int] = {}
    for event in sorted(events, key=lambda event: event["t"]):
        what, _, happened = event["kind"].partition(".")
        if happened == "state" and what in _KINDS:
            yield event["t"], event[what], what, event["state"]
        elif event["kind"] in _WIRES:
            row = f"nic{event['card']}", _WIRES[event["kind"]]
            counts[row] = counts.get(row, 0) + 1
            yield event["t"], *row, counts[row]


def _write_view(waveform: Path, view: Path, rows: Iterable[tuple[str, str]]) -> None:
    from vcd.gtkw import GTKWSave

    with view.open("w", encoding="utf-8") as file:
        save = GTKWSave(file)
        save.dumpfile(str(waveform.resolve()), abspath=True)
        save.size(1600, 1000)
        save.signals_width(240)
        save.sst_expanded(False)
        for scope, name in rows:
            save.trace(
                f"{scope}.{name}",
                alias=f"{scope} {name}".replace(".", " "),
                datafmt="ascii" if name in _KINDS else "dec",
            )

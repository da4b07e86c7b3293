# SPDX-License-Identifier: Apache-2.0
"""`hilnic dump`: adapters, bindings, filters and what is pending, of a failed test or of a simulation that runs now.

A test that fails, and a simulation that ends with adapters still there, leaves `ndis.dump.json` beside its trace. In a
folder of a simulation that runs, the process is asked (SIGUSR1) to write one now. Without a path: the latest there is.
"""

import contextlib
import json as json_module
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from hilnic.apps import report as report_file
from hilnic.apps.outcome import Exit, Stop
from hilnic.apps.session import console
from hilnic.cosim.build_hostmem import build_root
from hilnic.testing.run_record import DUMP, PROCESS, is_running

_PATIENCE_S = 10.0
_HISTORY = 6


def run(*, path: Path | None = None, json: Path | None = None) -> Exit:
    """Print a dump."""
    report_file.check_file(json)
    file = _find(path)
    try:
        found = json_module.loads(file.read_text(encoding="utf-8"))
        instances = found["instances"]
    except (ValueError, KeyError, TypeError) as error:
        raise Stop(Exit.USAGE, f"{file} is no dump: {error}") from None
    if json is not None:
        report_file.write(found, json)
        return Exit.PASSED
    out = console()
    out.print(f"{file}")
    for instance in instances:
        _print(instance, out)
    return Exit.PASSED


def _find(path: Path | None) -> Path:
    """The dump's file: as given, of the folder, or the latest below the build folder."""
    if path is None:
        _ask_running(build_root())
        dumps = sorted(build_root().rglob(f"*{DUMP}"), key=lambda file: file.stat().st_mtime)
        if not dumps:
            raise Stop(Exit.USAGE, f"no dump below {build_root()}: no test has failed, and no simulation runs")
        return dumps[-1]
    if path.is_dir():
        _ask_running(path)
        if not (path / DUMP).exists():
            raise Stop(Exit.USAGE, f"{path} has no {DUMP}: nothing failed there, and no simulation runs")
        return path / DUMP
    return path


def _ask_running(folder: Path) -> None:
    """Ask the processes that simulate below `folder` for a dump, and wait until they have written it."""
    for marker in folder.rglob(PROCESS):
        file, asked = marker.with_name(DUMP), time.time()
        with contextlib.suppress(OSError):
            if not is_running(marker):
                continue
            os.kill(int(marker.read_text(encoding="ascii")), signal.SIGUSR1)
            while time.time() - asked < _PATIENCE_S:
                if file.exists() and file.stat().st_mtime >= asked:
                    break
                time.sleep(0.05)
            else:
                sys.stderr.write(f"{marker.parent}: the simulation has not answered within {_PATIENCE_S:.0f} s\n")


def _print(found: dict[str, Any], out: Console) -> None:
    out.print(f"\n{found['reason']}  @{found['time_ns']} ns  seed={found['seed']}  IRQL {found['irql']}", markup=False)
    for lock in found["held_locks"]:
        out.print(f"  holds {lock}", markup=False)
    for adapter in found["adapters"]:
        _print_adapter(adapter, out)
    if found["pending"]:
        _print_pending(found["pending"], out)
    for kind in ("violations", "warnings"):
        for text in found[kind]:
            out.print(f"{kind[:-1]}: {text}", markup=False)


def _print_adapter(adapter: dict[str, Any], out: Console) -> None:
    words = [name for name in ("removed", "resetting") if adapter[name]]
    words += [f"{operation} pending" for operation in adapter["operations"]]
    table = Table(
        "name", "state", "sends", "receives", "OIDs", "filter",
        title=f"adapter {adapter['name']} of {adapter['driver']}: {', '.join([adapter['state'], *words])}",
    )  # fmt: skip
    for column in table.columns[2:]:
        column.justify = "right"
    sends, receives = adapter["sends_outstanding"], adapter["receives_outstanding"]
    table.add_row("miniport", adapter["state"], str(sends), str(receives), "", f"{adapter['packet_filter']:#x}")
    for module in reversed(adapter["filters"]):
        table.add_row(module["name"], module["state"], "", "", "", "")
    for binding in adapter["bindings"]:
        table.add_row(
            binding["name"],
            ", ".join([binding["state"], *(f"{event} pending" for event in binding["events"])]),
            str(binding["sends_outstanding"]),
            str(binding["receives_outstanding"]),
            str(binding["oids_outstanding"]),
            f"{binding['packet_filter']:#x}",
        )
    for vc in adapter.get("connections", ()):
        words = [vc["state"], vc["call"], *(f"{operation} pending" for operation in vc["pending"])]
        sends, receives = str(vc["sends_outstanding"]), str(vc["receives_outstanding"])
        table.add_row(vc["name"], ", ".join(words), sends, receives, "", "")
    out.print(table)
    for request in adapter["oids"]:
        text = f"  {request['request']} of {request['sender']}: with {request['with']}, {_age(request['age_ns'])}"
        out.print(text, markup=False)
    for row in (*adapter["interrupts"], *adapter["timers"], *adapter["dma"]):
        out.print(f"  {row}", markup=False)


def _print_pending(pending: list[dict[str, Any]], out: Console) -> None:
    table = Table("object", "state", "owner", "age", "pool", "history", title=f"pending: {len(pending)}")
    for row in pending:
        history = [f"@{time} {verb} {actor}" for time, verb, actor in row["history"][-_HISTORY:]]
        table.add_row(row["object"], row["state"], row["owner"], _age(row["age_ns"]), row["pool"], "\n".join(history))
    out.print(table)


def _age(age_ns: int) -> str:
    for unit, size in (("s", 10**9), ("ms", 10**6), ("us", 10**3)):
        if age_ns >= size:
            return f"{age_ns / size:.1f} {unit}"
    return f"{age_ns} ns"

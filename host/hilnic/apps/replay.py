# SPDX-License-Identifier: Apache-2.0
"""`hilnic replay`: a capture goes through the NIC, and every octet is compared at the far end, after padding to 60.

Records that are no whole Ethernet frame of legal length are not sent; the report counts them by kind and names them. A
damaged file ends the command before anything runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from hilnic import __version__
from hilnic.apps import report as report_file
from hilnic.apps.outcome import Exit, Stop
from hilnic.apps.session import DEFAULT_SEED, Line, Session, SessionFailed, prepare, run_session
from hilnic.apps.session import console as open_console
from hilnic.wire.pcap import Capture, CaptureError, Kind, read_capture

__all__ = ["open_capture", "run", "skipped"]

SCHEMA = "hilnic.replay/1"
DEFAULT_SIM = "verilator"
_NAMED = 8  # record numbers that are written out per kind


def open_capture(file: Path) -> Capture:
    """The capture; Stop with USAGE when it cannot be read or is damaged."""
    try:
        return read_capture(file)
    except CaptureError as damage:
        raise Stop(Exit.USAGE, f"damaged capture: {damage}") from None
    except OSError as error:
        raise Stop(Exit.USAGE, f"{file}: {error.strerror or error}") from None


def skipped(capture: Capture) -> dict[str, list[int]]:
    """Numbers of the records that are not replayed, by what they are."""
    found: dict[str, list[int]] = {}
    for record in capture.records:
        kind = record.kind()
        if kind is not Kind.FRAME:
            found.setdefault(kind.value, []).append(record.number)
    return found


def run(*, file: Path, direction: str, sim: str | None, seed: int | None, json: Path | None) -> Exit:
    """Replay a capture; FAILED when a frame is lost or changed, USAGE when there is nothing that could be sent."""
    capture = open_capture(file)
    seed = DEFAULT_SEED if seed is None else seed
    simulator, way = str(sim or DEFAULT_SIM), str(direction)
    console = open_console(json == report_file.STDOUT)
    left_out = skipped(capture)
    outcome: Line = {}
    if capture.frames():
        outcome = _simulate(console, file, simulator, way, seed)
    report: Line = {
        "schema": SCHEMA,
        "version": __version__,
        "file": str(file),
        "direction": way,
        "sim": simulator,
        "seed": seed,
        "records": len(capture.records),
        "frames": len(capture.frames()),
        "skipped": left_out,
        **outcome,
        "passed": bool(outcome.get("perfect")),
    }
    _print(console, report)
    report_file.write(report, json)
    if not outcome:
        raise Stop(Exit.USAGE, f"{file}: {len(capture.records)} records, but no Ethernet frame to replay")
    return Exit.PASSED if report["passed"] else Exit.FAILED


def _simulate(console: Console, file: Path, sim: str, direction: str, seed: int) -> Line:
    job: Line = {"file": str(file.absolute()), "direction": direction, "seed": seed}
    session = Session("replay_session", sim, f"replay-{direction}", job, seed=seed)
    found: Line = {}
    with console.status(f"{sim}: compiling") as status:
        prepare(sim)
        status.update(f"{sim}: replaying {file.name}, {direction}")
        try:
            run_session(session, found.update)
        except SessionFailed as failed:
            raise Stop(Exit.FAILED, str(failed)) from None
    found["pcap"] = str(session.folder / "wire0.pcapng")
    return found


def _print(console: Console, report: Line) -> None:
    table = Table(box=box.SIMPLE, show_header=False, pad_edge=False, title=f"{report['file']}, {report['direction']}")
    for name, value in _lines(report):
        table.add_row(name, value)
    console.print(table)
    for sentence in report.get("differences", ()):
        console.print(f"[red]{sentence}[/red]", highlight=False)
    if "pcap" in report:
        console.print(f"pcapng of the wire: {report['pcap']}", highlight=False, soft_wrap=True)
        console.print("PASSED" if report["passed"] else "FAILED")


def _lines(report: Line) -> Iterator[tuple[str, str]]:
    yield "records", str(report["records"])
    for kind, numbers in report["skipped"].items():
        yield f"not sent: {kind}", f"{len(numbers)} (record {_numbers(numbers)})"
    if "sent" not in report:
        return
    yield "frames sent", f"{report['sent']}, {report['octets']} octets, {report['padded']} padded to 60"
    yield "arrived unchanged", str(report["equal"])
    yield "changed, lost, refused", f"{report['different']}, {report['lost']}, {report['refused']}"
    yield "time", f"{report['simulated_ns'] / 1e6:.3f} ms simulated, {report['wall_s']:.2f} s on {report['sim']}"


def _numbers(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:_NAMED]))
    return shown if len(numbers) <= _NAMED else f"{shown}, ..."

# SPDX-License-Identifier: Apache-2.0
"""`hilnic condis`: a call between two simulated hosts, a file over its virtual connection, rate and octets compared.

    client - NDIS - call manager - miniport - Verilog NIC === Verilog NIC - miniport - call manager - NDIS - client

The signalling and the file cross the wire; what is measured is what is on it, in simulated time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from time import monotonic

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hilnic import __version__
from hilnic.apps import gtkw, state_rows
from hilnic.apps import report as report_file
from hilnic.apps.outcome import Exit, Stop
from hilnic.apps.session import DEFAULT_SEED, Line, Session, SessionFailed, prepare, run_session
from hilnic.apps.session import console as open_console
from hilnic.apps.vc_rates import WITHIN, VcRate
from hilnic.hw import regs

__all__ = ["bits", "judge", "run"]

SCHEMA = "hilnic.condis/1"
DEFAULT_SIM = "verilator"
DEFAULT_RATE = "100M"
DEFAULT_BURST = 6088
LONGEST_FRAME = 1522
"""Octets of a frame with an SDU of 1500 bytes, as the NIC counts them; the default burst is four of them."""
VCS = 64
_SCALES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}
_LEAST_RATE = 100_000  # bit/s: below, a frame alone takes more than a tenth of a second of simulation
_MOST = 0xFFFF_FFFE  # bytes per second of a FLOWSPEC; one more means unspecified
_FRAMES_TO_JUDGE = 100


def bits(option: str, text: str) -> int:
    """Bits per second: a number, with k, M or G behind it if wanted; Stop with USAGE for anything else."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([kMG]?)", text, re.ASCII)
    if found is None:
        raise Stop(Exit.USAGE, f"{option} {text}: no rate; give bits per second, as 250000000, 250M or 1.5G")
    return int(float(found[1]) * _SCALES[found[2]])


def run(
    *,
    file: Path,
    rate: str | None,
    burst: int | None,
    peak: str | None,
    cm: str,
    version: str,
    sim: str | None,
    waves: bool,
    seed: int | None,
    json: Path | None,
) -> Exit:
    """Call, stream, compare; FAILED when the call is refused, an octet is wrong, or the contract is not kept."""
    job = _job(file, rate or DEFAULT_RATE, DEFAULT_BURST if burst is None else burst, peak, cm, version)
    job["seed"] = seed = DEFAULT_SEED if seed is None else seed
    console = open_console(json == report_file.STDOUT)
    environment = {"HILNIC_WAVES": "1"} if waves else {}
    name, simulator = f"condis-{cm}-{version}", str(sim or DEFAULT_SIM)
    session = Session(
        "condis_session", simulator, name, job, waves=waves, seed=seed, cards=2, vcs=VCS, wall_limit_s=24 * 3600.0,
        environment=environment,
    )  # fmt: skip
    environment["HILNIC_ARTEFACTS"] = f"{session.folder}/"
    found = _simulate(console, session)
    report: Line = {"schema": SCHEMA, "version": __version__, "sim": simulator, **job, **found, **_artefacts(session)}
    report |= judge(report)
    _print(console, report)
    report_file.write(report, json)
    return Exit.PASSED if report["passed"] else Exit.FAILED


def _job(file: Path, rate: str, burst: int, peak: str | None, cm: str, version: str) -> Line:
    """What the session is to do; Stop with USAGE when that cannot be."""
    _check_file(file)
    asked, most = bits("--rate", rate), None if peak is None else bits("--peak", peak)
    if asked < _LEAST_RATE:
        raise Stop(Exit.USAGE, f"--rate {rate}: at least {_LEAST_RATE // 1000}k; less takes too long to simulate")
    if most is not None and most < asked:
        raise Stop(Exit.USAGE, f"--peak {peak}: below the rate, which is {rate}")
    if burst < LONGEST_FRAME:
        raise Stop(Exit.USAGE, f"--burst {burst}: the bucket has to hold a frame of {LONGEST_FRAME} octets")
    if burst > regs.VC_BURST_OCTETS:
        raise Stop(Exit.USAGE, f"--burst {burst}: the NIC's bucket holds at most {regs.VC_BURST_OCTETS} octets")
    for option, text, value in (("--rate", rate, asked), ("--peak", peak, most or 0)):
        if value // 8 > _MOST:
            raise Stop(Exit.USAGE, f"{option} {text}: a FLOWSPEC holds at most {8 * _MOST} bits per second")
    miniport = f"{version}-mcm" if cm == "integrated" else f"{version}-co"
    return {
        "file": str(file.absolute()), "rate": asked // 8, "burst": burst, "peak": None if most is None else most // 8,
        "call_manager": cm, "client": version, "miniport": miniport,
    }  # fmt: skip


def _check_file(file: Path) -> None:
    """Stop with USAGE for what cannot be sent; what is no regular file has no size, and opening a pipe may wait."""
    try:
        if not (file.is_file() or file.is_dir()):
            file.stat()
            raise Stop(Exit.USAGE, f"{file}: no regular file")
        with file.open("rb") as stream:
            if not stream.read(1):
                raise Stop(Exit.USAGE, f"{file}: empty, there is nothing to send")
    except OSError as error:
        raise Stop(Exit.USAGE, f"{file}: {error.strerror or error}") from None


def _simulate(console: Console, session: Session) -> Line:
    found: Line = {}
    with console.status(f"{session.sim}: compiling") as status:
        prepare(session.sim, session.ends, session.waves, session.cards, session.vcs)
        status.update(f"{session.sim}: calling")

        begun, name = monotonic(), escape(session.job["file"])

        def on_line(line: Line) -> None:
            if progress := line.get("progress"):
                left = (monotonic() - begun) * (1 - progress) / progress
                status.update(f"{session.sim}: {100 * progress:.0f} % of {name}, {_duration(left)} left")
            elif progress is None:
                found.update(line)

        try:
            run_session(session, on_line)
        except SessionFailed as failed:
            raise Stop(Exit.FAILED, str(failed)) from None
    if "rate" in found:
        agreed, measured = found["negotiated"], found.pop("rate")
        found["measured"] = measured
        rate = VcRate(agreed["vc"], agreed["rate"], measured["sustained"], measured["sustained_frames"])
        found["rates"] = [asdict(rate)]
    return found


def _artefacts(session: Session) -> Line:
    folder = session.folder / "stream"
    files: Line = {"pcap": [str(folder / f"wire{card}.pcapng") for card in range(2)]}
    files["trace"] = str(folder / "trace.jsonl")
    files["waves"] = [str(state_rows.write(folder / "trace.jsonl", folder / "states.vcd"))]
    if session.waves:
        view = session.folder / "wave.gtkw"
        gtkw.write_view(session.folder / "wave.fst", view, cards=(0, 1))
        files["waves"].append(str(view))
    return files


def judge(report: Line) -> Line:
    """What has to hold of a report; the rate only where the file is long enough to tell."""
    checks = {"the call was taken": "negotiated" in report}
    if "negotiated" in report:
        agreed, measured = report["negotiated"], report["measured"]
        checks["the file is the same"] = report["received"] == report["size"] and report["sha256"] == report["wanted"]
        checks["never more at once than the bucket and a frame"] = (
            measured["most_at_once"] <= agreed["burst"] + LONGEST_FRAME
        )
        (rate,) = (VcRate(**row) for row in report["rates"])
        if rate.frames >= _FRAMES_TO_JUDGE:
            checks[f"the rate is the contract's {WITHIN}"] = rate.is_kept
    return {"checks": checks, "passed": all(checks.values())}


def _print(console: Console, report: Line) -> None:
    drivers = f"client of NDIS {report['client']}, miniport {report['miniport']}, on {report['sim']}"
    console.print(f"{report['file']}: {drivers}", highlight=False, markup=False, soft_wrap=True)
    table = Table(box=box.SIMPLE, show_header=False, pad_edge=False)
    for name, value in _lines(report):
        table.add_row(name, value)
    console.print(table)
    for name, fine in report["checks"].items():
        console.print(f"{'[green]yes[/green]' if fine else '[red]NO [/red]'}  {name}", highlight=False)
    for name in ("pcap", "waves"):
        for file in report[name]:
            console.print(f"{name}: {file}", highlight=False, markup=False, soft_wrap=True)
    console.print("PASSED" if report["passed"] else "FAILED")


def _lines(report: Line) -> Iterator[tuple[str, str]]:
    if "refused" in report:
        yield "call refused", report["refused"]
    if "negotiated" in report:
        agreed, measured = report["negotiated"], report["measured"]
        peak = "" if agreed["peak"] is None else f", peak {_mbit(agreed['peak'])}"
        yield "asked", f"{_mbit(report['rate'])}, burst {report['burst']} octets"
        contract = f"{_mbit(agreed['rate'])}, burst {agreed['burst']} octets{peak}"
        yield "negotiated", f"{contract}, SDUs of {agreed['max_sdu']} bytes, {agreed['service']}, VLAN {agreed['vlan']}"
        yield "on the wire", f"{measured['frames']} frames, {measured['octets']} octets"
        yield "rate", _rate(agreed, measured)
        yield "bucket", f"{measured['most_at_once']} of {agreed['burst']} octets at once"
        yield "file", f"{report['received']} of {report['size']} bytes, SHA-256 {report['sha256']}"
    yield "time", f"{report['simulated_ns'] / 1e6:.3f} ms simulated in {report['wall_s']:.1f} s"
    for time_ns, what, name, state in report["states"]:
        yield f"{time_ns / 1e6:.3f} ms", f"{what} {name} {state}"


def _rate(agreed: Line, measured: Line) -> str:
    """Achieved against contract; why not, when the file is too short to tell."""
    if measured["frames"] < 2:
        return "none: it takes two frames to tell one"
    over_all = f"{_mbit(measured['average'])} over all"
    if not measured["sustained"]:
        return f"{over_all}; the bucket was never used up, so the contract's rate was not felt"
    share = 100 * measured["sustained"] / agreed["rate"]
    sustained = f"{_mbit(measured['sustained'])} ({share:.2f} % of the contract) after the first burst, {over_all}"
    if measured["sustained_frames"] < _FRAMES_TO_JUDGE:
        return f"{sustained}; not judged with fewer than {_FRAMES_TO_JUDGE} frames after that burst"
    return sustained


def _duration(seconds: float) -> str:
    """About how long."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def _mbit(rate: float) -> str:
    """Bytes per second as people say them."""
    return f"{rate * 8 / 1e6:.3f} Mbit/s"

# SPDX-License-Identifier: Apache-2.0
"""`hilnic live`: the Linux kernel pings and downloads through the simulated NIC.

    namespace A 10.77.0.1   TAP - tap - NDIS - miniport - DMA - Verilog NIC - GMII - wire - TAP   namespace B 10.77.0.2
                                ipv4 protocol 10.77.0.3 /

The command runs itself again in a sandbox (`apps.netns`), makes both namespaces there, starts the simulator and gives
it the TAPs' descriptors over a socket. Everything ends with the sandbox's first process, so nothing is left behind.
"""

from __future__ import annotations

import json as json_module
import os
import re
import shutil
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from time import sleep
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from hilnic import __version__
from hilnic.apps import report as report_file
from hilnic.apps.netns import (
    Interface,
    Namespace,
    SandboxError,
    ToolsMissing,
    end_with_parent,
    enter_sandbox,
    inside_sandbox,
    sandbox_command,
)
from hilnic.apps.outcome import Exit, Stop
from hilnic.apps.session import DEFAULT_SEED, Line, Session, SessionFailed, prepare, run_session
from hilnic.apps.session import console as open_console

__all__ = ["Ping", "run"]

SCHEMA = "hilnic.live/1"
DEFAULT_SIM = "verilator"
HOST = Interface("tap0", "10.77.0.1/24", b"\x02\x48\x4e\x00\x00\x01")
PEER = Interface("tap0", "10.77.0.2/24", b"\x02\x48\x4e\xff\x00\x02")
OURS = "10.77.0.3"  # the address of our own ipv4 protocol
OWN_PINGS = 10
_START_S = 120.0
_STOP_S = 60.0
_PING_S = 30.0  # longest wait for one answer
_IDLE_S = 1.0


# --- what the kernel says ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ping:
    """The summary of a ping: packets, and round trips in ms of wall time."""

    sent: int
    received: int
    least_ms: float
    average_ms: float
    most_ms: float

    @classmethod
    def parse(cls, output: str) -> Ping:
        """Of iputils' or busybox's ping; ValueError when there is no summary."""
        packets = re.search(r"(\d+) packets transmitted, (\d+) (?:packets )?received", output)
        times = re.search(r"(?:rtt|round-trip) min/avg/max(?:/mdev)? = ([\d.]+)/([\d.]+)/([\d.]+)", output)
        if packets is None:
            raise ValueError(f"ping said nothing of packets: {output.strip()!r}")
        least, average, most = map(float, times.groups()) if times else (0.0, 0.0, 0.0)
        return cls(int(packets[1]), int(packets[2]), least, average, most)

    @property
    def complete(self) -> bool:
        """Was every request answered?"""
        return self.received == self.sent > 0


def _ping(namespace: Namespace, address: str, count: int, interval_s: float = 0.2) -> Ping:
    command = ["ping", "-n", "-c", str(count), "-i", f"{interval_s:.3f}", "-W", f"{_PING_S:.0f}", address]
    done = namespace.run(command, timeout=_PING_S * 2 + count * max(interval_s, 1.0))
    try:
        return Ping.parse(done.stdout)
    except ValueError as error:
        raise Stop(Exit.FAILED, f"{' '.join(command)}: {done.stderr.strip() or error}") from None


def _download(client: Namespace, server: Namespace, size: int, folder: Path) -> Line:
    """Random octets from the server to the client by HTTP; what arrived, and what should have."""
    import hashlib

    body = os.urandom(size)
    path = folder / "download"
    path.write_bytes(body)
    helper = [sys.executable, "-m", "hilnic.apps.live_http"]
    process = server.start([*helper, "serve", server.interface.ip, str(path)])
    try:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        if not port.isdigit():
            raise Stop(Exit.FAILED, f"the HTTP server did not start: {port} {process.stdout.read()}")
        done = client.run([*helper, "fetch", f"http://{server.interface.ip}:{port}/", "120"], timeout=3600)
    finally:
        process.kill()
        process.wait()
    wanted = hashlib.sha256(body).hexdigest()
    if done.returncode:
        return {
            "octets": 0,
            "seconds": 0.0,
            "sha256": "",
            "wanted": wanted,
            "equal": False,
            "error": done.stderr[-500:],
        }
    found: Line = json_module.loads(done.stdout)
    return {**found, "wanted": wanted, "equal": found["sha256"] == wanted and found["octets"] == size}


# --- the simulator ----------------------------------------------------------------------------------------------------


class _Simulator:
    """The simulator's process, from a thread; `result` is what it said at its end."""

    def __init__(self, session: Session) -> None:
        self.result: Line = {}
        self.failure: SessionFailed | None = None
        self._session = session
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind("\0" + session.job["socket"])
        self._listener.listen(1)
        self._listener.settimeout(0.2)
        self._control: socket.socket | None = None
        self.pid = 0

    def _run(self) -> None:
        try:
            run_session(self._session, self.result.update)
        except SessionFailed as failed:
            self.failure = failed
        except (OSError, Stop) as error:
            self.failure = SessionFailed(str(error), self._session.folder / "sim.log")

    def start(self, taps: list[int]) -> None:
        """Start it, hand over the TAPs, return when its stack runs."""
        self._thread.start()
        self._control = self._accept()
        self.pid = struct.unpack("iii", self._control.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
        socket.send_fds(self._control, [b"taps"], taps)
        self._control.settimeout(_START_S)
        self.check(self._control.recv(16) == b"ready")

    def _accept(self) -> socket.socket:
        for _ in range(int(_START_S / 0.2)):
            self.check(self._thread.is_alive())
            with suppress(TimeoutError):
                return self._listener.accept()[0]
        raise SessionFailed("the simulator did not start in time", self._session.folder / "sim.log")

    def check(self, fine: bool = True) -> None:
        """Raise what ended it."""
        if self.failure is not None:
            raise self.failure
        if not fine or not self._thread.is_alive():
            self._thread.join(_STOP_S)
            raise self.failure or SessionFailed("the simulator has ended", self._session.folder / "sim.log")

    def cpu_s(self) -> float:
        """CPU time that its process has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """End it in order; SessionFailed if it ended badly."""
        if self._control is not None:
            with suppress(OSError):
                self._control.close()
        self._thread.join(_STOP_S)
        if self.failure is not None:
            raise self.failure


# --- the command ------------------------------------------------------------------------------------------------------


def run(
    *,
    sim: str | None,
    pings: int,
    size: int,
    pcap: Path | None,
    json: Path | None,
    miniport: str = "6",
    protocol: str = "6",
) -> Exit:
    """Ping and download through the NIC; FAILED when an answer is missing or an octet is wrong.

    `miniport` (6, 5 or 5-lookahead) and `protocol` (6 or 5) say of which NDIS version the drivers are.
    """
    drivers = {"miniport": str(miniport), "protocol": str(protocol)}
    simulator = str(sim or DEFAULT_SIM)
    if sys.platform != "linux":
        raise Stop(Exit.IMPOSSIBLE, "hilnic live needs Linux: network namespaces and TAPs are its")
    if inside_sandbox():
        end_with_parent()
        return _inside(simulator, drivers, pings, size, pcap, json)
    for tool in ("ping", "ip", "nsenter", "unshare"):
        if shutil.which(tool) is None:
            raise Stop(Exit.MISSING, f"{tool} is not installed; see `hilnic doctor`")
    try:
        sandbox_command()  # before a minute of compiling
    except ToolsMissing as missing:
        raise Stop(Exit.MISSING, str(missing)) from None
    except SandboxError as refused:
        raise Stop(Exit.IMPOSSIBLE, str(refused)) from None
    prepare(simulator)
    command = [sys.executable, "-m", "hilnic", "live", "--sim", simulator, "--pings", str(pings), "--bytes", str(size)]
    command += ["--miniport", drivers["miniport"], "--protocol", drivers["protocol"]]
    command += ["--pcap", str(pcap)] if pcap else []
    command += ["--json", str(json)] if json else []
    code = enter_sandbox(command)
    return Exit(code) if code in set(Exit) else Exit.FAILED


def _inside(sim: str, drivers: Line, pings: int, size: int, pcap: Path | None, json: Path | None) -> Exit:
    session = _session(sim, drivers, pcap)
    console = open_console(json == report_file.STDOUT)
    try:
        with _network() as (host, peer):
            report = _exercise(console, session, host, peer, pings, size)
    except SandboxError as refused:
        raise Stop(Exit.IMPOSSIBLE, str(refused)) from None
    except SessionFailed as failed:
        raise Stop(Exit.FAILED, f"the simulation failed: {failed}") from None
    except KeyboardInterrupt:
        raise Stop(Exit.INTERRUPTED, "interrupted; nothing is left behind") from None
    _print(console, report)
    report_file.write(report, json)
    return Exit.PASSED if report["passed"] else Exit.FAILED


def _session(sim: str, drivers: Line, pcap: Path | None) -> Session:
    job: Line = {"hardware": HOST.mac.hex(), "address": [int(part) for part in OURS.split(".")], "seed": DEFAULT_SEED}
    job |= drivers
    session = Session("live_session", sim, "live", job, wall_limit_s=24 * 3600.0)
    session.folder.mkdir(parents=True, exist_ok=True)
    job["socket"] = f"hilnic-live-{os.getpid()}"
    job["pcap"] = str((pcap or session.folder / "wire0.pcapng").absolute())
    return session


@contextmanager
def _network() -> Iterator[tuple[Namespace, Namespace]]:
    """Both namespaces, ended in any case."""
    host = Namespace(HOST)
    try:
        peer = Namespace(PEER)
        try:
            yield host, peer
        finally:
            peer.close()
    finally:
        host.close()


def _exercise(console: Console, session: Session, host: Namespace, peer: Namespace, pings: int, size: int) -> Line:
    """Everything that the command promises, in order; the report."""
    simulator = _Simulator(session)
    try:
        with console.status(f"{session.sim}: starting") as status:
            simulator.start([host.tap, peer.tap])
            status.update(f"{session.sim}: {pings} pings {HOST.ip} -> {PEER.ip}")
            first = _ping(host, PEER.ip, 1)  # with ARP; its time sets the pace
            pace_s = max(0.01, first.most_ms / 1000)
            report: Line = {"ping": asdict(_ping(host, PEER.ip, pings, pace_s))}
            simulator.check()
            status.update(f"{session.sim}: {OWN_PINGS} pings {PEER.ip} -> {OURS} (our own ipv4)")
            report["ping_ipv4"] = asdict(_ping(peer, OURS, OWN_PINGS, pace_s))
            simulator.check()
            status.update(f"{session.sim}: download of {size} octets")
            report["download"] = _download(host, peer, size, session.folder)
            simulator.check()
            status.update(f"{session.sim}: idle")
            report["idle_cpu_fraction"] = _idle(simulator)
    finally:
        simulator.stop()
    return _judge(session, report, simulator.result)


def _idle(simulator: _Simulator) -> float:
    """Share of a processor that the simulation takes while nobody says anything."""
    sleep(0.5)
    before = simulator.cpu_s()
    sleep(_IDLE_S)
    return round((simulator.cpu_s() - before) / _IDLE_S, 3)


def _judge(session: Session, report: Line, simulated: Line) -> Line:
    bridge = simulated.get("bridge", {})
    checks = {
        "every ping answered": Ping(**report["ping"]).complete,
        "every ping to our ipv4 protocol answered": Ping(**report["ping_ipv4"]).complete,
        "download equal": bool(report["download"]["equal"]),
        "no frame lost or damaged in the NIC": bool(simulated)
        and not simulated["drops"]
        and not bridge["bad_from_nic"],
    }
    return {
        "schema": SCHEMA,
        "version": __version__,
        "sim": session.sim,
        "miniport": session.job["miniport"],
        "protocol": session.job["protocol"],
        **report,
        "simulated": simulated,
        "pcap": session.job["pcap"],
        "checks": checks,
        "passed": all(checks.values()),
    }


def _print(console: Console, report: Line) -> None:
    table = Table(box=box.SIMPLE, show_header=False, pad_edge=False, title=_title(report))
    for name, value in _lines(report):
        table.add_row(name, value)
    console.print(table)
    for name, fine in report["checks"].items():
        console.print(f"{'[green]yes[/green]' if fine else '[red]NO [/red]'}  {name}", highlight=False)
    console.print(f"pcapng of the wire: {report['pcap']}", highlight=False, soft_wrap=True)
    console.print("PASSED" if report["passed"] else "FAILED")


def _title(report: Line) -> str:
    return (
        f"hilnic live on {report['sim']}, miniport of NDIS {report['miniport']}, protocols of NDIS {report['protocol']}"
    )


def _lines(report: Line) -> Iterator[tuple[str, str]]:
    for key, name in (
        ("ping", f"ping {HOST.ip} -> {PEER.ip}"),
        ("ping_ipv4", f"ping {PEER.ip} -> {OURS} (ipv4 protocol)"),
    ):
        ping = Ping(**report[key])
        yield (
            name,
            f"{ping.received} of {ping.sent}, RTT {ping.least_ms:.1f} / {ping.average_ms:.1f} / {ping.most_ms:.1f} ms",
        )
    download = report["download"]
    rate = download["octets"] * 8 / download["seconds"] / 1e6 if download["seconds"] else 0.0
    equal = "SHA-256 equal" if download["equal"] else f"DIFFERENT {download.get('error', '')}"
    yield "HTTP download", f"{download['octets']} octets in {download['seconds']:.1f} s, {rate:.2f} Mbit/s, {equal}"
    simulated: dict[str, Any] = report["simulated"]
    if simulated:
        bridge = simulated["bridge"]
        yield "frames", f"host to wire {bridge['nic_to_wire']}, wire to host {bridge['nic_to_host']}"
        lost = ", ".join(f"{name} {count}" for name, count in simulated["drops"].items()) or "none"
        yield "lost in the NIC", lost
        busy = bridge["simulated_busy_ns"] / 1e6
        yield (
            "time",
            f"{busy:.2f} ms simulated in {bridge['busy_wall_s']:.1f} s, idle for {bridge['idle_wall_s']:.1f} s",
        )
    yield "CPU when idle", f"{report['idle_cpu_fraction']:.1%}"

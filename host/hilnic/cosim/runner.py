# SPDX-License-Identifier: Apache-2.0
"""Builds a design once per simulator and configuration, and starts simulations of it.

A `Design` names a target of hdl/manifest.f with its parameters; `build` compiles it into build/<sim>/_builds/<hash>
unless that exists, where the hash covers every source, flag and tool version. `simulate` starts the simulator with
cocotb and a test module. The pitfalls that the command lines avoid stand beside them.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from hilnic import sources, toolchain
from hilnic.cosim.build_hostmem import MissingTool, build_cast_memo, build_hostmem, build_root, content_hash

__all__ = [
    "ICARUS", "SIMULATORS", "VERILATOR", "BuildFailed", "Built", "Design", "Finished", "MissingTool", "Run", "Stopped",
    "build", "command_line", "simulate", "stop_all",
]  # fmt: skip

ICARUS, VERILATOR = "icarus", "verilator"
SIMULATORS = (ICARUS, VERILATOR)
_TIMESCALE = "1ps/1ps"
_IN_USE_S = 6 * 3600.0
"""A build that was asked for within this time may still be running."""
_INCLUDE = re.compile(r'^\s*`include\s+"([^"]+)"', re.MULTILINE)


class BuildFailed(RuntimeError):
    """The simulator refused the sources; the message ends with what it said."""


class Stopped(RuntimeError):
    """`stop_all` was called: nothing is started any more."""


_children: set[subprocess.Popen[bytes]] = set()
_stopping = threading.Event()


def stop_all() -> None:
    """End every compilation and simulation of this program: Ctrl-C reaches only its main thread, and others wait."""
    _stopping.set()
    for child in list(_children):
        child.terminate()


@contextmanager
def _child(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], out: IO[str]
) -> Iterator[subprocess.Popen[bytes]]:
    """A process in `folder` that writes to `out`; it does not outlive the block."""
    if _stopping.is_set():
        raise Stopped
    child = subprocess.Popen(
        command, cwd=folder, env=dict(environment), stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
    )
    _children.add(child)
    try:
        yield child
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
        _children.discard(child)


@dataclass(frozen=True, slots=True)
class Design:
    """What is simulated: a target, how it is parametrised, and whether its signals are recorded."""

    target: str
    sim: str
    parameters: tuple[tuple[str, int], ...] = ()
    defines: tuple[tuple[str, str], ...] = ()
    waves: bool = False
    replaced: tuple[tuple[str, str], ...] = ()
    """Sources that another file takes the place of (path from the project's root, path): how mutants are built."""


@dataclass(frozen=True, slots=True)
class Built:
    """A design that can be started."""

    design: Design
    folder: Path
    program: Path
    top: str
    hostmem: Path


@dataclass(frozen=True, slots=True)
class Finished:
    """How a simulator process ended."""

    exit_code: int
    timed_out: bool
    seconds: float
    log: Path


@dataclass(slots=True)
class Run:
    """One simulator process: a built design, cocotb test modules (with commas between), and where its files go."""

    built: Built
    module: str
    folder: Path
    results: Path
    test_filter: str = ""
    seed: int = 1
    plusargs: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    wall_limit_s: float = 600.0
    python_path: Sequence[Path] = ()
    wave: Path | None = None


def _files(design: Design) -> tuple[str, list[Path], list[Path]]:
    """Top module, files and include folders, after replacement."""
    found = sources.sources(design.target)
    if found.top is None:
        raise BuildFailed(f"target {design.target!r} of hdl/manifest.f names no top module")
    replaced = {sources.root() / old: Path(new) for old, new in design.replaced}
    files = found.files if design.sim == VERILATOR else found.verilog
    return found.top, [replaced.get(file, file) for file in files], list(found.include_dirs)


def _contents(files: Sequence[Path], includes: Sequence[Path]) -> list[str]:
    """Texts of all files and of what they include."""
    texts, names = [], set()
    for file in files:
        text = file.read_text(encoding="utf-8")
        texts.append(text)
        names.update(_INCLUDE.findall(text))
    for name in sorted(names):
        texts.extend((folder / name).read_text(encoding="utf-8") for folder in includes if (folder / name).exists())
    return texts


def _is_still(path: Path, descriptor: int) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False


@contextmanager
def _locked(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Alone among all processes inside the block; without `wait`, False when somebody else is.

    Who deletes a build deletes its lock: a lock counts only while it is the file of that name.
    """
    while True:
        with path.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
                return
            if _is_still(path, lock.fileno()):
                yield True
                return


def build(design: Design) -> Built:
    """The design, compiled if it was not yet. Raises BuildFailed or MissingTool.

    Any number of processes may ask for the same; one compiles, and none sees a build that is not complete.
    """
    environment = toolchain.environment()
    program = "iverilog" if design.sim == ICARUS else "verilator"
    version = toolchain.icarus_version() if design.sim == ICARUS else toolchain.verilator_version()
    if version is None:
        raise MissingTool(f"{program} is not installed: run `make setup`, or see `hilnic doctor`")
    top, files, includes = _files(design)
    hostmem = build_hostmem()
    texts = _contents(files, includes)
    key = content_hash(version, repr(design), str(hostmem), *map(str, files), *texts, *_ICARUS_FLAGS, *_VERILATOR_FLAGS)
    folder = build_root() / design.sim / "_builds" / key
    name = "sim.vvp" if design.sim == ICARUS else top
    built = Built(design, folder, folder / name, top, hostmem)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(folder.with_suffix(".lock")):
        if not (folder / "complete").exists():
            _build(built, files, includes, environment)
            if _contents(files, includes) != texts:
                raise BuildFailed(f"the sources of {design.target} changed while they were compiled: try again")
        (folder / "complete").touch()  # the time of the last use
    _forget_old(folder.parent)
    return built


def _build(built: Built, files: Sequence[Path], includes: Sequence[Path], environment: Mapping[str, str]) -> None:
    folder = built.folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    commands = (_icarus if built.design.sim == ICARUS else _verilator)(built, files, includes)
    for command in commands:
        _execute(command, folder, environment, str(folder / "build.log"))
    for file in folder.iterdir():  # hundreds of megabytes of objects and C++
        if file not in {built.program, folder / "build.log"}:
            file.unlink()


def _forget_old(builds: Path, keep: int = 40) -> None:
    """Delete the builds that have not been used for the longest time, and not within the last hours."""
    used = []
    for mark in builds.glob("*/complete"):
        with suppress(FileNotFoundError):  # somebody else deletes, too
            used.append((mark.stat().st_mtime, mark))
    for last_use, mark in sorted(used)[:-keep]:
        if last_use > time.time() - _IN_USE_S:
            return
        lock = mark.parent.with_suffix(".lock")
        with _locked(lock, wait=False) as alone:
            if alone and mark.exists() and mark.stat().st_mtime == last_use:
                shutil.rmtree(mark.parent, ignore_errors=True)
                lock.unlink()


def _execute(command: Sequence[str], folder: Path, environment: Mapping[str, str], log: str) -> None:
    with Path(log).open("a", encoding="utf-8") as out:
        out.write(f"$ {' '.join(command)}\n")
        out.flush()
        with _child(command, folder, environment, out) as child:
            failed = child.wait() != 0
    if failed:
        lines = Path(log).read_text(encoding="utf-8").splitlines()
        errors = [line for line in lines if re.search(r"rror|sorry|syntax", line)][:20] or lines[-20:]
        raise BuildFailed("\n".join([f"{command[0]} failed in {folder}", *errors]))


# Icarus: the module has to be known to the compiler too (-L before -m), or 64-bit functions are cut to 32 bits. All
# files get 1 ps, in which the C library counts. The extra top module writes the waveform of any design when asked to.
_ICARUS_FLAGS = ("-g2012", "-Wall", "-Wno-timescale")
_DUMP = """`default_nettype wire
module hilnic_dump;
  reg [8*512-1:0] name;
  integer start;
  initial if ($value$plusargs("dump_file=%s", name)) begin
    $dumpfile(name);
    start = 0;
    if ($value$plusargs("dump_from=%d", start)) #(start);
    $dumpvars(0, TOP);
  end
endmodule
"""


def _icarus(built: Built, files: Sequence[Path], includes: Sequence[Path]) -> list[list[str]]:
    (built.folder / "timescale.f").write_text(f"+timescale+{_TIMESCALE}\n", encoding="utf-8")
    (built.folder / "hilnic_dump.sv").write_text(_DUMP.replace("TOP", built.top), encoding="utf-8")
    command = [
        "iverilog", *_ICARUS_FLAGS, "-L", str(built.hostmem.parent), "-m", "hostmem",
        "-o", str(built.program), "-s", built.top,
        "-s", "hilnic_dump", "-c", "timescale.f",
        *(f"-I{folder}" for folder in includes),
        *(f"-P{built.top}.{name}={value}" for name, value in built.design.parameters),
        *(f"-D{name}={value}" for name, value in built.design.defines),
        "hilnic_dump.sv", *map(str, files),
    ]  # fmt: skip
    return [command]


# Verilator: only what the target's .vlt names is public (--public-flat-rw halves the speed); a target without one gets
# the flag: cocotb then has to see every port. FST: VM_TRACE would be 0 and cocotb's main would refuse --trace.
# -O3 would inline each card into the top; without, four compile in 64 s of processor time, not 85, and run as fast.
_VERILATOR_FLAGS = (
    "-cc", "--exe", "--vpi", "--timing", "--prefix", "Vtop", "-O3", "--inline-mult", "2000", "--x-assign",
    "fast", "--x-initial", "fast", "--noassert", "-Wno-fatal", "--timescale", _TIMESCALE, "-CFLAGS", "-O2",
)  # fmt: skip


def _verilator(built: Built, files: Sequence[Path], includes: Sequence[Path]) -> list[list[str]]:
    import cocotb_tools.config as cocotb

    listed = any(file.suffix == ".vlt" and file.parent.name == "tb" for file in files)
    trace = ["--trace-fst", "-CFLAGS", "-UVM_TRACE -DVM_TRACE=1"] if built.design.waves else []
    libraries = f"-Wl,-rpath,{cocotb.libs_dir} -L{cocotb.libs_dir} -lcocotbvpi_verilator"
    hostmem = f"-Wl,-rpath,{built.hostmem.parent} {built.hostmem}"
    command = [
        "verilator", *_VERILATOR_FLAGS, "-Mdir", str(built.folder), "--top-module", built.top, "-o", built.top,
        *([] if listed else ["--public-flat-rw"]), *trace, "-LDFLAGS", f"{libraries} {hostmem}",
        *(f"-I{folder}" for folder in includes),
        *(f"-G{name}={value}" for name, value in built.design.parameters),
        *(f"-D{name}={value}" for name, value in built.design.defines),
        str(cocotb.share_dir / "lib" / "verilator" / "verilator.cpp"), *map(str, files),
    ]  # fmt: skip
    # One C++ file for all of the design: a third less processor time than a dozen that each read the same headers.
    make = ["make", "-j", str(os.cpu_count() or 1), "-C", str(built.folder), "-f", "Vtop.mk", "VM_PARALLEL_BUILDS=0"]
    return [command, [*make, "OPT_FAST=-O2"]]


def _cocotb_environment(run: Run) -> dict[str, str]:
    import cocotb_tools.config as cocotb
    import find_libpython

    environment = toolchain.environment()
    library = find_libpython.find_libpython()
    if library is None:
        raise MissingTool("no shared libpython: install python3-dev or libpython3")
    path = [*map(str, run.python_path), *(entry for entry in sys.path if entry)]
    environment.update(
        GPI_USERS=f"{library};{cocotb.pygpi_entry_point()}",
        PYGPI_PYTHON_BIN=sys.executable,
        PYTHONPATH=os.pathsep.join(path),
        COCOTB_TOPLEVEL=run.built.top,
        COCOTB_TEST_MODULES=run.module,
        COCOTB_TEST_FILTER=run.test_filter,
        COCOTB_RESULTS_FILE=str(run.results),
        COCOTB_RANDOM_SEED=str(run.seed),
        COCOTB_TRUST_INERTIAL_WRITES="1" if run.built.design.sim == VERILATOR else "0",
        TOPLEVEL_LANG="verilog",
        OPENBLAS_NUM_THREADS="1",  # numpy's threads would only take a processor away
        HILNIC_HOSTMEM=str(run.built.hostmem),
        HILNIC_SIM=run.built.design.sim,
        **run.environment,
    )
    memo = build_cast_memo() if run.built.design.sim == ICARUS else None
    if memo is not None:
        environment["LD_PRELOAD"] = " ".join(filter(None, (environment.get("LD_PRELOAD"), str(memo))))
    return environment


def command_line(run: Run) -> list[str]:
    """The simulator's command."""
    import cocotb_tools.config as cocotb

    built = run.built
    if built.design.sim == VERILATOR:
        trace = ["--trace", "--trace-file", str(run.wave)] if run.wave else []
        return [str(built.program), *trace, *run.plusargs]
    dump = ["-fst", f"+dump_file={run.wave}"] if run.wave else ["-none"]
    modules = ["-m", cocotb.lib_entry("vpi", "icarus"), "-M", str(built.hostmem.parent), "-m", "hostmem"]
    return ["vvp", *modules, str(built.program), *dump, *run.plusargs]


def simulate(run: Run) -> Finished:
    """Run to the end or to the wall clock's limit; the results are in `run.results`, the output in `sim.log`."""
    run.folder.mkdir(parents=True, exist_ok=True)
    run.results.unlink(missing_ok=True)
    log, started, timed_out = run.folder / "sim.log", time.monotonic(), False
    with (
        log.open("w", encoding="utf-8") as out,
        _child(command_line(run), run.folder, _cocotb_environment(run), out) as process,
    ):
        try:
            process.wait(run.wall_limit_s)
        except subprocess.TimeoutExpired:
            timed_out = True
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
    return Finished(process.returncode, timed_out, time.monotonic() - started, log)

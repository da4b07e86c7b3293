# SPDX-License-Identifier: Apache-2.0
"""Builds the C library `hostmem` (host/hilnic/cosim/native) with the system's compiler, once per content.

Beside it, `cast_memo` (native/preload), which makes Icarus twice as fast.

`python -m hilnic.cosim.build_hostmem` builds and prints the path. One file serves all: Icarus loads it as a VPI module,
Verilator links it, Python attaches to it with ctypes.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from hilnic import sources, toolchain

NAME = "hostmem.vpi"
MEMO = "cast_memo.so"
FLAGS = ("-std=c11", "-O2", "-fPIC", "-shared", "-Wall", "-Wextra", "-Wconversion", "-Werror")


class BuildError(RuntimeError):
    """The compiler refused our source."""


class MissingTool(RuntimeError):
    """A compiler or a simulator is not installed."""


def build_root() -> Path:
    """Where everything that is built goes: `build` in the current folder, or $HILNIC_BUILD."""
    return Path(os.environ.get("HILNIC_BUILD", "build")).absolute()


def native_sources() -> tuple[Path, ...]:
    """The C files, in order."""
    return tuple(sorted((Path(__file__).parent / "native").glob("*.c")))


def include_dirs() -> tuple[Path, ...]:
    """Where our headers, the generated register header and the simulators' vpi_user.h are."""
    found = [Path(__file__).parent / "native", sources.root() / "hdl" / "regs"]
    vpi = [Path("/usr/include/iverilog"), Path("/usr/local/include/iverilog"), Path("/opt/homebrew/include/iverilog")]
    root = toolchain.verilator_root()
    if root is not None:
        vpi.append(root / "include" / "vltstd")
    headers = [folder for folder in vpi if (folder / "vpi_user.h").exists()]
    if not headers:
        raise BuildError("no vpi_user.h: install Icarus Verilog or the verilator package")
    return (*found, headers[0])


def content_hash(*parts: str) -> str:
    """A short name for what a build is made of."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def build_hostmem() -> Path:
    """The built library; compiles only what has not been compiled yet."""
    files, includes = native_sources(), include_dirs()
    headers = [*includes[0].glob("*.h"), includes[1] / "nic_1g.h"]
    text = [file.read_text(encoding="utf-8") for file in (*files, *sorted(headers))]
    target = build_root() / "hostmem" / content_hash(*FLAGS, sys.platform, *text) / NAME
    if not target.exists():
        undefined = ("-undefined", "dynamic_lookup") if sys.platform == "darwin" else (f"-Wl,-soname,{NAME}",)
        _compile(files, (*undefined, *(f"-I{folder}" for folder in includes)), target)
    return target


def build_cast_memo() -> Path | None:
    """What is preloaded into vvp; None where there is no LD_PRELOAD for it (all but Linux)."""
    if sys.platform != "linux":
        return None
    file = Path(__file__).parent / "native" / "preload" / "cast_memo.c"
    target = build_root() / "hostmem" / content_hash(*FLAGS, file.read_text(encoding="utf-8")) / MEMO
    if not target.exists():
        _compile((file,), ("-ftls-model=initial-exec", "-ldl"), target)
    return target


def _compile(files: tuple[Path, ...], flags: tuple[str, ...], target: Path) -> None:
    compiler = os.environ.get("CC") or next(filter(shutil.which, ("gcc", "cc", "clang")), None)
    if compiler is None:
        raise MissingTool("no C compiler is installed: run `make setup`, or see `hilnic doctor`")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as own:  # another thread or process may be compiling the same
        partial = Path(own) / target.name
        command = [compiler, *FLAGS, "-o", str(partial), *map(str, files), *flags]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BuildError(f"{' '.join(command)}\n{done.stderr}")
        partial.replace(target)


if __name__ == "__main__":
    build_cast_memo()
    print(build_hostmem())  # noqa: T201

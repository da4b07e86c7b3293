# SPDX-License-Identifier: Apache-2.0
"""`make lint`: ruff, mypy --strict, and the manifest's Verilog through Verilator -Wall and Icarus.

Every tool runs even when an earlier one complained; exits with 1 when any did.
"""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from hilnic import sources, toolchain

ROOT = Path(__file__).resolve().parents[1]
PYTHON = (sys.executable, "-m")


def commands() -> Iterator[tuple[str, list[str]]]:
    """(name, command line) of each check."""
    yield "ruff check", [*PYTHON, "ruff", "check", "--quiet", "."]
    yield "ruff format", [*PYTHON, "ruff", "format", "--quiet", "--check", "--output-format", "concise", "."]
    yield "mypy", [*PYTHON, "mypy", "--no-error-summary"]
    for target in sources.targets():
        yield from verilog(sources.sources(target))


def verilog(target: sources.Sources) -> Iterator[tuple[str, list[str]]]:
    """Both simulators' front ends on the target's top, or on each module of its own where it names no top."""
    folders = [f"-I{folder}" for folder in target.include_dirs]
    for top in tops(target):
        name = f"{target.target}: {top}"
        files = [str(file) for file in target.files]
        yield (
            f"verilator {name}",
            ["verilator", "--lint-only", "--timing", "-Wall", *folders, "--top-module", top, *files],
        )
        verilog_files = [str(file) for file in target.verilog]
        # -t null writes nothing; never -o /dev/null, which spoils that device when root
        yield f"iverilog {name}", ["iverilog", "-g2012", "-t", "null", *folders, "-s", top, *verilog_files]


def tops(target: sources.Sources) -> Sequence[str]:
    """The modules to elaborate; packages are read on the way."""
    if target.top:
        return [target.top]
    return [file.stem for file in target.verilog if not file.stem.endswith("_pkg")]


def main() -> int:
    """Run everything; say what failed."""
    environment = toolchain.environment()
    failed = []
    for name, command in commands():
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        output = (done.stdout + done.stderr).strip()
        if done.returncode:
            failed.append(name)
        if done.returncode and output:
            print(f"-- {name}\n{output}")
    print(f"lint: {', '.join(failed)} failed" if failed else "lint: clean")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

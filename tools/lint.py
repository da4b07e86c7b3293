# SPDX-License-Identifier: Apache-2.0
"""`make lint`: ruff, mypy --strict, the manifest's Verilog through Verilator -Wall and Icarus, and one rule for yosys.

Every tool runs even when an earlier one complained; exits with 1 when any did.
"""

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from hilnic import sources, toolchain

ROOT = Path(__file__).resolve().parents[1]
PYTHON = (sys.executable, "-m")
BUILDS: dict[str, tuple[dict[str, int], ...]] = {
    "nic_1g": (
        {},
        {"NumVcs": 0},
        {"NumVcs": 1024},
    )
}
"""Parameters that bring other blocks into a top, or leave some out: each build is linted."""


def python() -> Iterator[tuple[str, list[str]]]:
    """(name, command line) of each check of the Python sources."""
    yield "ruff check", [*PYTHON, "ruff", "check", "--quiet", "."]
    yield "ruff format", [*PYTHON, "ruff", "format", "--quiet", "--check", "--output-format", "concise", "."]
    yield "mypy", [*PYTHON, "mypy", "--no-error-summary"]


def verilog(target: sources.Sources) -> Iterator[tuple[str, list[str]]]:
    """Both simulators' front ends on the target's top, or on each module of its own where it names no top.

    What is synthesized keeps to -Wall; a bench, to Verilator's own choice of warnings.
    """
    bench = any(file.is_relative_to(sources.root() / "tb") for file in target.files)
    # the clocks' delays are never zero: the scheduler need not ask
    warnings = ["--no-sched-zero-delay"] if bench else ["-Wall"]
    folders = [f"-I{folder}" for folder in target.include_dirs]
    builds = [(name, build) for name in tops(target) for build in BUILDS.get(name, ({},))]
    for top, build in builds:
        name = " ".join([f"{target.target}: {top}", *(f"{key}={value}" for key, value in build.items())])
        values = [f"-G{key}={value}" for key, value in build.items()]
        files = [str(file) for file in target.files]
        yield (
            f"verilator {name}",
            ["verilator", "--lint-only", "--timing", *warnings, *folders, *values, "--top-module", top, *files],
        )
        verilog_files = [str(file) for file in target.verilog]
        # -t null writes nothing; never -o /dev/null, which spoils that device when root
        values = [f"-P{top}.{key}={value}" for key, value in build.items()]
        yield f"iverilog {name}", ["iverilog", "-g2012", "-t", "null", *folders, *values, "-s", top, *verilog_files]


def tops(target: sources.Sources) -> Sequence[str]:
    """The modules to elaborate; packages are read on the way."""
    if target.top:
        return [target.top]
    return [file.stem for file in target.verilog if not file.stem.endswith("_pkg")]


_TOKEN = re.compile(r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\])*"|(?P<cast>[\w)]\s*'\()|(?P<mark>[][(){}?,;])""", re.DOTALL)


def casts(text: str) -> list[int]:
    """Lines of SystemVerilog with a cast to a width in a branch of `?:` inside a concatenation.

    yosys 0.70 counts `{a, c ? 6'(wide) : b}` as if the cast were as wide as `wide`: what stands left of it moves up.
    The rule reads brackets, not widths: it refuses casts that widen, too, and sees none behind a macro or a function.
    """
    found = []
    open_brackets: list[tuple[str, bool]] = []  # bracket, and whether a `?` stands before here in it
    for token in _TOKEN.finditer(text):
        if token["cast"]:
            if token["cast"][0] == ")" and open_brackets:  # (Width + 1)'(...): the bracket of the width closes here
                open_brackets.pop()
            if _in_branch(open_brackets):
                found.append(text.count("\n", 0, token.start()) + 1)
            open_brackets.append(("(", False))
        elif (mark := token["mark"]) is None:
            continue
        elif mark in "([{":
            open_brackets.append((mark, False))
        elif mark in ")]}" and open_brackets:
            open_brackets.pop()
        elif mark == "?" and open_brackets:
            open_brackets[-1] = (open_brackets[-1][0], True)
        elif mark == "," and open_brackets:  # the next element
            open_brackets[-1] = (open_brackets[-1][0], False)
        elif mark == ";":
            open_brackets.clear()
    return found


def _in_branch(open_brackets: Sequence[tuple[str, bool]]) -> bool:
    """Behind a `?` whose value goes, through parentheses at most, into a concatenation."""
    chosen = False
    for bracket, question in reversed(open_brackets):
        chosen |= question
        if bracket != "(":
            return bracket == "{" and chosen
    return False


def casts_pass() -> bool:
    """Apply the rule of `casts` to hdl/; print each line that it refuses."""
    refused = [
        f"{file.relative_to(ROOT)}:{line}: a cast in ?: in {{}} has its operand's width in yosys: take bits or a net"
        for file in sorted((ROOT / "hdl").rglob("*.sv"))
        for line in casts(file.read_text(encoding="utf-8"))
    ]
    if refused:
        print("-- casts", *refused, sep="\n")
    return not refused


def main() -> int:
    """Run everything; say what failed."""
    failed = [name for name, command in python() if not passes(name, command)]
    if not casts_pass():
        failed.append("casts")
    for target in sources.targets():
        try:
            checks = list(verilog(sources.sources(target)))
        except sources.ManifestError as error:
            print(error)
            failed.append(target)
            continue
        failed += [name for name, command in checks if not passes(name, command)]
    print(f"lint: {', '.join(failed)} failed" if failed else "lint: clean")
    return 1 if failed else 0


def passes(name: str, command: list[str]) -> bool:
    """Run one check; print what it says when it complains."""
    done = subprocess.run(command, cwd=ROOT, env=toolchain.environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"-- {name}\n{(done.stdout + done.stderr).strip()}")
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())

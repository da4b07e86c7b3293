# SPDX-License-Identifier: Apache-2.0
"""`python -m hilnic.apps.noop [NAME]...`: each WDK function and handler becomes a no-op, and some test must go red.

All tests run once, noting which functions each calls; then, for each function, those that call it, until one is red
(apps/noop_sweep.py). Part of `make soak`. Ends with 1 when a function could be taken away and no test noticed, unless
tests/noop_reasons.toml says why that is right; also when a reason there is not needed any more.
"""

import os
import sys
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

from hilnic import sources
from hilnic.apps.noop_sweep import Result, Sweep
from hilnic.apps.outcome import Exit
from hilnic.ndis.wdk import WDK_FUNCTIONS, WDK_HANDLERS

__all__ = ["judge", "main", "reasons"]

SUITES = ("ndis", "ndis5", "xlate", "miniport", "miniport5", "protocols", "testing", "test_stack.py")
"""Below tests/: what calls WDK functions in pytest's own process."""


def main(names: Sequence[str], suites: Sequence[str] = SUITES) -> int:
    """Try these functions, or all."""
    started = time.monotonic()
    known = {*WDK_FUNCTIONS, *WDK_HANDLERS}
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.stderr.write(f"no WDK function or handler is called {', '.join(unknown)}\n")
        return Exit.USAGE
    sweep = Sweep(list(names) or sorted(known), int(os.environ.get("HILNIC_NOOP_JOBS", "1")), _tell)
    os.environ["HILNIC_BUILD"] = str(Path(os.environ.get("HILNIC_BUILD", "build")).absolute() / "noop")
    folder = sources.root() / "tests"
    options = ["-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:xdist", "--rootdir", str(folder.parent)]
    pytest.main([*options, *(str(folder / suite) for suite in suites)], plugins=[sweep])
    if sweep.broken:
        sys.stdout.write(f"red without any no-op: {', '.join(sweep.broken[:5])}; so a red test means nothing\n")
        return Exit.FAILED
    sentences = judge(sweep.results, reasons(folder))
    for sentence in sentences:
        sys.stdout.write(f"{sentence}\n")
    reasoned = sum(result.red is None for result in sweep.results) - len(sentences)
    killed = len(sweep.results) - reasoned - len(sentences)
    seconds = time.monotonic() - started
    sys.stdout.write(f"{killed} passed, {len(sentences)} failed, {max(reasoned, 0)} skipped in {seconds:.1f} s\n")
    return Exit.FAILED if sentences or not sweep.results else Exit.PASSED


def reasons(folder: Path) -> dict[str, str]:
    """Function -> why no test can notice that it does nothing."""
    found: dict[str, str] = tomllib.loads((folder / "noop_reasons.toml").read_text(encoding="utf-8"))
    return found


def judge(results: Sequence[Result], known: dict[str, str]) -> list[str]:
    """What is wrong: survivors without a reason, reasons without a survivor."""
    sentences = []
    for result in results:
        if result.red is None and result.name not in known:
            sentences.append(f"{result.name} can be a no-op, and none of {result.tests} tests that call it notices")
        elif result.red is not None and result.name in known:
            sentences.append(f"{result.name} needs no reason in noop_reasons.toml: {result.red} notices")
    return sentences


def _tell(result: Result) -> None:
    verdict = f"red       {result.name}  {result.red}" if result.red else f"SURVIVED  {result.name}"
    sys.stdout.write(f"{verdict} ({result.tests} tests call it)\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

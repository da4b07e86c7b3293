# SPDX-License-Identifier: Apache-2.0
"""`hilnic rules`: the rule catalogue with what implements, tests and enforces each rule."""

import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from hilnic import __version__
from hilnic.apps import report as report_file
from hilnic.apps.citations import Evidence, collect
from hilnic.apps.outcome import Exit
from hilnic.ndis.rules import Rule, all_rules

SCHEMA = "hilnic.rules/1"
WAVE = 1
"""Rules up to this wave are due; `--check` wants a test for each of them."""


def run(*, check: bool = False, json: Path | None = None) -> Exit:
    """Print the rules; with `check`, fail on a due rule without a test or an enforced one without a mutant."""
    evidence = collect()
    gaps = list(find_gaps(evidence))
    if json is not None:
        _write(json, evidence, gaps)
    elif not check:
        Console().print(_table(evidence))
    if check:
        stream = sys.stderr if json == report_file.STDOUT else sys.stdout
        stream.write("\n".join([*gaps, _summary(evidence, gaps)]) + "\n")
    return Exit.FAILED if check and gaps else Exit.PASSED


def find_gaps(evidence: dict[str, Evidence]) -> list[str]:
    """One sentence per gap."""
    gaps = []
    for rule in all_rules().values():
        known = evidence[rule.id]
        if rule.wave <= WAVE and not known.tests:
            gaps.append(f"{rule.id} has no test: {rule.sentence}")
        if known.enforced and not known.mutants:
            gaps.append(f"{rule.id} is enforced and has no mutant: {rule.sentence}")
    return gaps


def _summary(evidence: dict[str, Evidence], gaps: list[str]) -> str:
    due = [rule for rule in all_rules().values() if rule.wave <= WAVE]
    tested = sum(1 for rule in due if evidence[rule.id].tests)
    enforced = sum(1 for known in evidence.values() if known.enforced)
    return f"{tested} of {len(due)} due rules tested, {enforced} rules enforced, {len(gaps)} gaps"


def _row(rule: Rule, known: Evidence) -> dict[str, Any]:
    return {
        "id": rule.id,
        "level": rule.level,
        "sentence": rule.sentence,
        "source": rule.source,
        "wave": rule.wave,
        "enforced": known.enforced,
        "places": known.places,
        "tests": known.tests,
        "mutants": known.mutants,
    }


def _write(path: Path, evidence: dict[str, Evidence], gaps: list[str]) -> None:
    rows = [_row(rule, evidence[rule.id]) for rule in all_rules().values()]
    report = {"schema": SCHEMA, "version": __version__, "wave": WAVE, "rules": rows, "gaps": gaps}
    report_file.write(report, path)


def _table(evidence: dict[str, Evidence]) -> Table:
    table = Table("rule", "lvl", "sentence", "source", "place", "tests", "mutants", title="NDIS rules")
    for rule in all_rules().values():
        known = evidence[rule.id]
        due = rule.wave <= WAVE
        table.add_row(
            rule.id,
            rule.level,
            rule.sentence,
            rule.source,
            "\n".join(known.places),
            str(len(known.tests)) if known.tests or due else "later",
            str(len(known.mutants)) if known.enforced else "",
            style="" if known.tests or not due else "red",
        )
    table.caption = _summary(evidence, find_gaps(evidence))
    return table

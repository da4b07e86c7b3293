# SPDX-License-Identifier: Apache-2.0
"""`hilnic rules`: the rule catalogue with what implements, tests and enforces each rule."""

import sys
from pathlib import Path
from typing import Any

from rich.table import Table

from hilnic import __version__
from hilnic.apps import report as report_file
from hilnic.apps.citations import Evidence, collect
from hilnic.apps.outcome import Exit
from hilnic.apps.rule_runs import LastRun, last_run
from hilnic.apps.session import console
from hilnic.ndis.rules import Rule, all_rules

SCHEMA = "hilnic.rules/1"
WAVE = 1
"""Rules up to this wave are due; `--check` wants a test for each of them."""


def run(*, check: bool = False, json: Path | None = None) -> Exit:
    """Print the rules; with `check`, fail on a due rule without a test or an enforced one without a mutant."""
    evidence = collect()
    gaps = list(find_gaps(evidence))
    seen = last_run(evidence)
    if json is not None:
        _write(json, evidence, seen, gaps)
    elif not check:
        console().print(_table(evidence, seen))
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
        if rule.proof == "hdl" and not known.hdl_tests:
            gaps.append(f"{rule.id} is to be shown through the HDL, and no test in tb/ cites it: {rule.sentence}")
        if rule.proof == "host-only" and not rule.reason:
            gaps.append(f"{rule.id} is host-only without a reason: {rule.sentence}")
    return gaps


def _summary(evidence: dict[str, Evidence], gaps: list[str]) -> str:
    due = [rule for rule in all_rules().values() if rule.wave <= WAVE]
    tested = sum(1 for rule in due if evidence[rule.id].tests)
    enforced = sum(1 for known in evidence.values() if known.enforced)
    hdl = sum(1 for rule in due if rule.proof == "hdl")
    unsaid = sum(1 for rule in due if rule.proof is None)
    share = f"{hdl} shown through the HDL ({100 * hdl // len(due)} %), {unsaid} not yet marked"
    return f"{tested} of {len(due)} due rules tested, {share}, {enforced} rules enforced, {len(gaps)} gaps"


def _row(rule: Rule, known: Evidence, seen: LastRun) -> dict[str, Any]:
    return {
        "id": rule.id,
        "level": rule.level,
        "sentence": rule.sentence,
        "source": rule.source,
        "wave": rule.wave,
        "versions": rule.versions,
        "proof": rule.proof,
        "reason": rule.reason,
        "enforced": known.enforced,
        "places": known.places,
        "tests": known.tests,
        "mutants": known.mutants,
        "last_run": {
            "exercised": {"host": seen.exercised_host[rule.id], "hdl": seen.exercised_hdl[rule.id]},
            "violated": {"host": seen.violated_host[rule.id], "hdl": seen.violated_hdl[rule.id]},
        },
    }


def _write(path: Path, evidence: dict[str, Evidence], seen: LastRun, gaps: list[str]) -> None:
    rows = [_row(rule, evidence[rule.id], seen) for rule in all_rules().values()]
    due = [rule for rule in all_rules().values() if rule.wave <= WAVE]
    report = {
        "schema": SCHEMA,
        "version": __version__,
        "wave": WAVE,
        "hdl_share": sum(1 for rule in due if rule.proof == "hdl") / len(due),
        "rules": rows,
        "gaps": gaps,
    }
    report_file.write(report, path)


def _table(evidence: dict[str, Evidence], seen: LastRun) -> Table:
    table = Table(
        "rule", "lvl", "sentence", "source", "proof", "place", "tests", "mutants", "ran", "broken", title="NDIS rules"
    )
    for rule in all_rules().values():
        known = evidence[rule.id]
        due = rule.wave <= WAVE
        table.add_row(
            rule.id,
            rule.level,
            rule.sentence,
            rule.source,
            rule.proof or "",
            "\n".join(known.places),
            str(len(known.tests)) if known.tests or due else "later",
            str(len(known.mutants)) if known.enforced else "",
            str(seen.exercised_host[rule.id] + seen.exercised_hdl[rule.id]),
            str(seen.violated_host[rule.id] + seen.violated_hdl[rule.id]),
            style="" if known.tests or not due else "red",
        )
    table.caption = f"{_summary(evidence, find_gaps(evidence))}\nran, broken: in {seen.title}"
    return table

# SPDX-License-Identifier: Apache-2.0
"""Results of simulator tests: read from cocotb's XML, written as report.json per test and one JUnit file for all."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree as ET

__all__ = ["Outcome", "TestResult", "read_cocotb", "write_junit", "write_report"]

Outcome = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class TestResult:
    """One test on one simulator. `name` is run.function; times in seconds of wall and ns of simulation."""

    __test__ = False  # nothing for pytest to collect

    name: str
    sim: str
    outcome: Outcome
    message: str = ""
    wall_s: float = 0.0
    sim_ns: float = 0.0
    frames: int = 0
    seed: int = 0
    ends: str = "hdl"
    folder: str = ""
    commands: tuple[str, ...] = field(default=())
    """What opens the waveform and the capture."""
    rates: tuple[dict[str, Any], ...] = field(default=())
    """Of VCs, in a test that measures contracts: `hilnic.apps.vc_rates`."""


def read_cocotb(path: Path, run: str, sim: str, seed: int, ends: str) -> list[TestResult]:
    """The tests in a results file of cocotb; empty when there is none."""
    if not path.exists():
        return []
    cases = ET.parse(path).iter("testcase")  # noqa: S314
    return [_case(case, run, sim, seed, ends) for case in cases]


def _case(case: ET.Element, run: str, sim: str, seed: int, ends: str) -> TestResult:
    outcome: Outcome = "passed"
    message = ""
    for child in case:
        if child.tag in {"failure", "error"}:
            outcome, message = "failed", child.get("message") or child.get("error_msg") or (child.text or "").strip()
        elif child.tag == "skipped":
            outcome, message = "skipped", child.get("message") or "marked as skipped in its module"
    properties = {node.get("name"): node.get("value") for node in case.iter("property")}
    sim_ns = float(properties.get("sim_time_duration") or case.get("sim_time_ns") or 0.0)
    name = f"{run}.{case.get('name')}"
    return TestResult(name, sim, outcome, message, float(case.get("time") or 0.0), sim_ns, seed=seed, ends=ends)


def write_report(result: TestResult, folder: Path) -> None:
    """`report.json` of a test."""
    folder.mkdir(parents=True, exist_ok=True)
    report = {"schema": "hilnic.test/1", **asdict(result)}
    (folder / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def write_junit(results: Sequence[TestResult], path: Path, suite: str = "sim") -> None:
    """One JUnit file with a test suite per simulator and run."""
    root = ET.Element("testsuites", name=suite)
    for key in dict.fromkeys(_suite(result) for result in results):
        members = [result for result in results if _suite(result) == key]
        node = ET.SubElement(root, "testsuite", {"name": key, **_counts(members)})
        for result in members:
            _write_case(node, result)
    path.parent.mkdir(parents=True, exist_ok=True)
    ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _suite(result: TestResult) -> str:
    return f"{result.sim}.{result.name.partition('.')[0]}"


def _counts(results: Iterable[TestResult]) -> dict[str, str]:
    members = list(results)
    return {
        "tests": str(len(members)),
        "failures": str(sum(result.outcome == "failed" for result in members)),
        "skipped": str(sum(result.outcome == "skipped" for result in members)),
        "time": f"{sum(result.wall_s for result in members):.3f}",
    }


def _write_case(suite: ET.Element, result: TestResult) -> None:
    run, _, function = result.name.partition(".")
    attributes = {"classname": f"{result.sim}.{run}", "name": function, "time": f"{result.wall_s:.3f}"}
    case = ET.SubElement(suite, "testcase", attributes)
    if result.outcome != "passed":
        tag = "failure" if result.outcome == "failed" else "skipped"
        first = result.message.splitlines()[0] if result.message else ""
        ET.SubElement(case, tag, message=first).text = result.message

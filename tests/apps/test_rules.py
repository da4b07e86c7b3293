# SPDX-License-Identifier: Apache-2.0
"""hilnic rules and hilnic wdk: what they list, and that a gap fails the check."""

import json
from pathlib import Path

import pytest

from hilnic.apps import rules, wdk
from hilnic.apps.citations import Evidence, collect
from hilnic.apps.outcome import Exit
from hilnic.ndis.rules import all_rules


def test_a_rule_knows_its_places_tests_and_mutants() -> None:
    known = collect()["S6-02"]
    assert any(place.startswith("hilnic.ndis.verifier.ledger") for place in known.places)
    assert "tests/ndis/test_send.py::test_each_nbl_completes_exactly_once" in known.tests
    assert known.mutants == ["tests/ndis/test_mutants.py::test_mutant_completes_an_nbl_twice"]
    assert known.enforced


def test_a_due_rule_without_a_test_and_an_enforced_one_without_a_mutant_are_gaps() -> None:
    evidence = {rule: Evidence(tests=["t"]) for rule in all_rules()}
    assert rules.find_gaps(evidence) == []
    evidence["S6-01"].tests = []
    evidence["R6-01"].enforced = True
    evidence["CC-01"].tests = []  # a later wave
    assert [gap[:5] for gap in rules.find_gaps(evidence)] == ["S6-01", "R6-01"]


def test_rules_as_json(tmp_path: Path) -> None:
    assert rules.run(json=tmp_path / "rules.json") == Exit.PASSED
    report = json.loads((tmp_path / "rules.json").read_text())
    assert report["schema"] == "hilnic.rules/1"
    assert len(report["rules"]) == 351


def test_the_check_fails_on_a_gap(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(rules, "find_gaps", lambda evidence: ["S6-99 has no test: nothing"])
    assert rules.run(check=True) == Exit.FAILED
    assert "S6-99 has no test" in capsys.readouterr().out


def test_the_tables_print(capsys: pytest.CaptureFixture[str]) -> None:
    assert (rules.run(), wdk.run()) == (Exit.PASSED, Exit.PASSED)
    assert "NDIS rules" in capsys.readouterr().out


def test_every_wdk_function_has_a_test(capsys: pytest.CaptureFixture[str]) -> None:
    assert wdk.run(check=True) == Exit.PASSED, capsys.readouterr().out


def test_wdk_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert wdk.run(json=Path("-")) == Exit.PASSED
    rows = {row["wdk"]: row for row in json.loads(capsys.readouterr().out)["functions"]}
    assert rows["NdisSendNetBufferLists"]["python"] == "hilnic.ndis.send.send_net_buffer_lists"
    assert rows["NdisMAllocateSharedMemory"]["irql"] == "PASSIVE"

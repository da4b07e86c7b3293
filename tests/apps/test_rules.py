# SPDX-License-Identifier: Apache-2.0
"""hilnic rules and hilnic wdk: what they list, and that a gap fails the check."""

import json
from pathlib import Path

import pytest

from hilnic import ndis
from hilnic.apps import rules, wdk
from hilnic.apps.citations import Evidence, collect
from hilnic.apps.outcome import Exit
from hilnic.apps.rule_runs import last_run
from hilnic.ndis.ndis import Ndis
from hilnic.ndis.rules import Proof, Rule, all_rules
from hilnic.ndis.wdk import WDK_FUNCTIONS, WDK_HANDLERS
from hilnic.testing import NdisBench
from hilnic.testing.run_record import RunRecord, read


def test_a_rule_knows_its_places_tests_and_mutants() -> None:
    known = collect()["S6-02"]
    assert any(place.startswith("hilnic.ndis.verifier.ledger") for place in known.places)
    assert "tests/ndis/test_send.py::test_each_nbl_completes_exactly_once" in known.tests
    assert "tests/ndis/test_mutants.py::test_mutant_completes_an_nbl_twice" in known.mutants
    assert known.enforced


def test_a_due_rule_without_a_test_and_an_enforced_one_without_a_mutant_are_gaps() -> None:
    evidence = {rule: Evidence(tests=["tb/t"]) for rule in all_rules()}
    assert rules.find_gaps(evidence) == []
    evidence["S6-01"].tests = []
    evidence["R6-01"].enforced = True
    evidence["OF-01"].tests = []  # a later wave
    assert {gap[:5] for gap in rules.find_gaps(evidence)} == {"S6-01", "R6-01"}


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


def test_every_wdk_function_has_a_test() -> None:
    assert wdk.untested(wdk.tests_by_function()) == []


def test_a_name_of_the_documents_without_a_call_through_the_hdl_is_a_gap() -> None:
    hdl = RunRecord("hdl")
    due = [row.name for row in wdk.spec_names() if row.due]
    assert [gap.split()[0] for gap in wdk.never_called(hdl)] == due
    hdl.calls.update(due)
    assert wdk.never_called(hdl) == []


def test_the_names_of_the_documents_give_their_reasons() -> None:
    for row in wdk.spec_names():
        assert row.due == (not row.reason), row.name
        known = row.name in WDK_FUNCTIONS or row.name in WDK_HANDLERS
        assert known or row.reason, f"{row.name} is due and nothing implements it"


@pytest.mark.parametrize(("calls", "code"), [((), Exit.MISSING), (("NdisOpenAdapterEx",), Exit.FAILED)])
def test_the_check_of_calls_wants_a_simulator_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls: tuple[str, ...], code: Exit
) -> None:
    monkeypatch.setenv("HILNIC_BUILD", str(tmp_path))
    record = RunRecord("hdl")
    record.calls.update(calls)
    record.write(tmp_path / "verilator" / "stack" / "ndis.json")
    assert wdk.run(check=True) == code


def test_calls_are_split_into_host_and_hdl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HILNIC_BUILD", str(tmp_path))
    for through, path, number in (("host", "ndis/host.json", 3), ("hdl", "icarus/stack/ndis.json", 2)):
        record = RunRecord(through)
        record.calls["NdisOpenAdapterEx"] = number
        record.write(tmp_path / path)
    found = wdk.rows({}, *read(tmp_path))
    assert next(row["calls"] for row in found if row["wdk"] == "NdisOpenAdapterEx") == {"host": 3, "hdl": 2}


def test_the_level_of_a_handler_is_that_at_which_ndis_calls_it(tmp_path: Path) -> None:
    levels = {row["wdk"]: row["irql"] for row in wdk.rows({}, *read(tmp_path))}
    assert levels["ProtocolCoAfRegisterNotify"] == "PASSIVE"
    assert levels["ProtocolCoReceivePacket"] == "<=DISPATCH"


def test_a_session_counts_calls_handlers_and_violations_of_every_host() -> None:
    before, record = Ndis.created, RunRecord("host")
    try:
        bench = (record.start(), NdisBench())[1]
        with bench.ndis.report.collect():
            ndis.send_net_buffer_lists(bench.fp.binding, None)
    finally:
        record.stop()
        Ndis.created = before
    assert record.calls["NdisSendNetBufferLists"] == 1
    assert record.violated == {"S6-21": 1}
    bench = NdisBench()
    bench.fp.send(bench.frame())
    assert record.calls["MiniportSendNetBufferLists"] == 0


def test_a_rule_counts_the_tests_that_ran_and_the_violations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HILNIC_BUILD", str(tmp_path))
    record = RunRecord("host")
    record.tests.add("tests/ndis/test_send.py::test_each_nbl_completes_exactly_once")
    record.violated["S6-02"] = 4
    record.write(tmp_path / "ndis" / "host.json")
    report = tmp_path / "verilator" / "stack.x" / "report.json"
    report.parent.mkdir(parents=True)
    function = next(test for test in collect()["S6-02"].hdl_tests if "stack_tests" in test).partition("::")[2]
    report.write_text(json.dumps({"name": f"stack.{function}", "outcome": "passed"}))
    seen = last_run(collect())
    assert (seen.exercised_host["S6-02"], seen.exercised_hdl["S6-02"], seen.violated_host["S6-02"]) == (1, 1, 4)


@pytest.mark.parametrize(
    ("proof", "reason", "tests", "gaps"),
    [
        ("hdl", "", ["tests/t"], 1),
        ("hdl", "", ["tb/t"], 0),
        ("host-only", "", ["t"], 1),
        ("host-only", "why", ["t"], 0),
    ],
)
def test_the_proof_of_a_rule_is_checked(
    monkeypatch: pytest.MonkeyPatch, proof: Proof, reason: str, tests: list[str], gaps: int
) -> None:
    rule = Rule("S6-01", "M", "a sentence", "s2", 1, proof, reason)
    monkeypatch.setattr(rules, "all_rules", lambda: {"S6-01": rule})
    assert len(rules.find_gaps({"S6-01": Evidence(tests=tests)})) == gaps


def test_rules_belong_to_versions() -> None:
    assert all_rules()["S5-01"].versions == ("5.0", "5.1")
    assert "5.1" not in all_rules()["S6-01"].versions


def test_wdk_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert wdk.run(json=Path("-")) == Exit.PASSED
    rows = {row["wdk"]: row for row in json.loads(capsys.readouterr().out)["functions"]}
    assert rows["NdisSendNetBufferLists"]["python"] == "hilnic.ndis.send.send_net_buffer_lists"
    assert rows["NdisMAllocateSharedMemory"]["irql"] == "PASSIVE"

# SPDX-License-Identifier: Apache-2.0
"""The catalogue as data, the numbers of enums, the coverage of the rules, the freshness of docs/ndis.md."""

from __future__ import annotations

import importlib.util
from collections import Counter
from pathlib import Path

import pytest

from hilnic import ndis
from hilnic.apps.citations import collect
from hilnic.ndis import NdisStatus, Oid, ReceiveFlags
from hilnic.ndis.condis import ndis5 as condis5
from hilnic.ndis.oids import oid_name
from hilnic.ndis.rules import all_rules, sentence_of
from hilnic.ndis.wdk import WDK_FUNCTIONS

HARDWARE = {"R6-19", *(f"RG-{n:02d}" for n in (4, 5, 6, 7, 8, 9, 10, 13, 14, 15))}
"""Due rules that only a driver with rings and a device can show; their tests lie beside the miniport and in tb/."""


def test_the_catalogue_is_whole():
    groups = Counter(rule.group for rule in all_rules().values())
    assert sum(groups.values()) == 351
    assert (groups["S6"], groups["R6"], groups["MD"], groups["ST"], groups["RG"]) == (26, 22, 28, 24, 15)
    assert all(rule.sentence and rule.source and rule.level in "MSQD" for rule in all_rules().values())


def test_an_unknown_rule_has_a_sentence_too():
    assert "not in the catalogue" in sentence_of("ZZ-99")


def test_every_due_rule_of_the_core_has_a_test():
    evidence = collect()
    due = {rule.id for rule in all_rules().values() if rule.wave == 1}
    assert {rule for rule in due - HARDWARE if not evidence[rule].tests} == set()


def test_every_enforced_rule_has_a_mutant():
    assert {rule for rule, known in collect().items() if known.enforced and not known.mutants} == set()


@pytest.mark.parametrize(
    ("status", "number"),
    [
        (NdisStatus.PENDING, 0x103),
        (NdisStatus.RESOURCES, 0xC000009A),
        (NdisStatus.REQUEST_ABORTED, 0xC001000C),
        (NdisStatus.SEND_ABORTED, 0xC023000C),
        (NdisStatus.PAUSED, 0xC023002A),
        (ReceiveFlags.STATUS_RESOURCES, 2),
        (Oid.OID_GEN_STATISTICS, 0x00020106),
        (Oid.OID_802_3_MULTICAST_LIST, 0x01010103),
    ],
)
def test_enums_carry_the_windows_numbers(status, number):
    assert status == number


def test_the_two_aborted_statuses_are_different_numbers():
    assert NdisStatus.SEND_ABORTED != NdisStatus.REQUEST_ABORTED


def test_oids_have_names():
    assert (oid_name(0x00010106), oid_name(5)) == ("OID_GEN_MAXIMUM_FRAME_SIZE", "OID 0x00000005")


def test_every_wdk_function_is_exported_by_its_python_name():
    names = {*ndis.__all__, *ndis.ndis5.__all__, *ndis.condis.__all__, *condis5.__all__}
    assert {row.python_name for row in WDK_FUNCTIONS.values()} <= names


def test_the_documentation_is_fresh(project: Path):
    path = project / "tools" / "gen_ndis_docs.py"
    spec = importlib.util.spec_from_file_location("gen_ndis_docs", path)
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.main(["--check"]) == 0, "run tools/gen_ndis_docs.py"


def test_calls_are_counted_by_wdk_name(bench):
    b = bench(completion="inline")
    b.fp.send(b.frame())
    b.fp.send(b.frame())
    assert b.ndis.calls["NdisSendNetBufferLists"] == 2
    assert b.ndis.calls["NdisMSendNetBufferListsComplete"] == 2

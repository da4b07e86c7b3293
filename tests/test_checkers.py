# SPDX-License-Identifier: Apache-2.0
"""Every rule of the simulation's checkers can fail: a damaged NIC, or a test that provokes it, names it."""

import re
import tomllib
from pathlib import Path

SHEET = re.compile(r"\b(?:GMII|AXI|AXIL|AXIS|RING|IRQ|DMA)-\d\d\b")
REPORTED = re.compile(r'(?:`BREACH\(\w+|hm_fault\(\(?[^,]+),\s*"([A-Z]+-\d\d)"')
PROVOKED = {"DMA-03": ("harness_tests.py", "a_write_against_the_mappings_direction_is_a_fault")}
"""Rules whose breach is the host's doing: a mapping that a NIC cannot know of."""
GUARDS = {"AXI-12", "AXI-13"}
"""The memory's own bounds (native/bus.c): it holds its ready lines low before it is full, whatever the NIC does."""


def reported(project: Path) -> set[str]:
    """The rules that a checker reports, in Verilog or in C; HARNESS-nn are bounds of the harness itself."""
    files = [*(project / "tb").glob("*.sv"), *(project / "host/hilnic/cosim/native").glob("*.c")]
    found = {rule for file in files for rule in REPORTED.findall(file.read_text(encoding="utf-8"))}
    return {rule for rule in found if not rule.startswith("HARNESS")}


def damaged(project: Path) -> set[str]:
    """The rules and promises that a mutant names."""
    lists = [tomllib.loads((project / "tb" / name).read_text()) for name in ("mutants.toml", "promises.toml")]
    return {mutant["rule"] for found in lists for mutant in found["mutant"]}


def test_the_rules_are_found(project: Path) -> None:
    rules = reported(project)
    assert len(rules) > 40
    assert {"GMII-01", "AXI-01", "AXIL-06", "AXIS-01", "RING-09", "IRQ-01", "DMA-01"} < rules


def test_every_rule_of_a_checker_has_a_mutant(project: Path) -> None:
    assert reported(project) - damaged(project) == {*PROVOKED, *GUARDS}


def test_every_mutant_names_a_rule_that_a_checker_reports(project: Path) -> None:
    rules = {rule for rule in damaged(project) if SHEET.fullmatch(rule)}
    assert rules <= reported(project)


def test_what_no_mutant_can_break_is_provoked(project: Path) -> None:
    for rule, (file, test) in PROVOKED.items():
        text = (project / "tb" / file).read_text(encoding="utf-8")
        body = text.partition(f"async def {test}(")[2].partition("@cocotb.test()")[0]
        assert rule in body

# SPDX-License-Identifier: Apache-2.0
"""The rule catalogue as data: id, level, sentence, source. Tests cite the ids, violations print the sentences."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

Level = Literal["M", "S", "Q", "D"]
Proof = Literal["hdl", "host-only"]

VERSIONS = ("5.0", "5.1", "6.0", "6.1", "6.20", "6.30")
_NDIS_5, _NDIS_6 = VERSIONS[:2], VERSIONS[2:]
_VERSIONS_OF_GROUP = {"S5": _NDIS_5, "R5": _NDIS_5, "C5": _NDIS_5, "OB": _NDIS_5} | dict.fromkeys(
    ("S6", "R6", "MD", "IM", "IT"), _NDIS_6
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: level M = must, S = should, Q = guarantee of NDIS itself, D = chosen here; `wave` = when it came.

    `proof` says how the rule is shown: "hdl" by a test over the Verilog, "host-only" for `reason`; None = not yet said.
    `versions` are the NDIS versions that know the rule; a row without them takes those of its group.
    `remedy` is what the author of a driver has to do, where the sentence alone does not say it.
    """

    id: str
    level: Level
    sentence: str
    source: str
    wave: int
    proof: Proof | None = None
    reason: str = ""
    remedy: str = ""
    versions: tuple[str, ...] = VERSIONS

    @property
    def group(self) -> str:
        """The letters of the id: S6 send, R6 receive, MD layout, ST states, OI OIDs, CL concurrency, RG rings, ..."""
        return self.id[:2]


@functools.cache
def all_rules() -> dict[str, Rule]:
    """Every rule by id, in the catalogue's order."""
    text = resources.files("hilnic.ndis").joinpath("rules.toml").read_text(encoding="utf-8")
    return {rule: _rule(rule, row) for rule, row in tomllib.loads(text).items()}


def _rule(rule: str, row: dict[str, Any]) -> Rule:
    versions = row.pop("versions", None) or _VERSIONS_OF_GROUP.get(rule[:2], VERSIONS)
    return Rule(rule, **row, versions=tuple(versions))


def sentence_of(rule: str) -> str:
    """The rule in words."""
    if rule == "V14":
        return "The wire carries what the miniport was given to send, and the miniport indicates what the wire carried"
    found = all_rules().get(rule)
    return found.sentence if found else "a rule that is not in the catalogue"


def remedy_of(rule: str) -> str:
    """What to do about a broken rule; "" where its sentence says it."""
    found = all_rules().get(rule)
    return found.remedy if found else ""

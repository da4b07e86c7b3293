# SPDX-License-Identifier: Apache-2.0
"""The rule catalogue as data: id, level, sentence, source. Tests cite the ids, violations print the sentences."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Literal

Level = Literal["M", "S", "Q", "D"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: level M = must, S = should, Q = guarantee of NDIS itself, D = chosen here; `wave` = when it came."""

    id: str
    level: Level
    sentence: str
    source: str
    wave: int

    @property
    def group(self) -> str:
        """The letters of the id: S6 send, R6 receive, MD layout, ST states, OI OIDs, CL concurrency, RG rings, ..."""
        return self.id[:2]


@functools.cache
def all_rules() -> dict[str, Rule]:
    """Every rule by id, in the catalogue's order."""
    text = resources.files("hilnic.ndis").joinpath("rules.toml").read_text(encoding="utf-8")
    return {rule: Rule(rule, **row) for rule, row in tomllib.loads(text).items()}


def sentence_of(rule: str) -> str:
    """The rule in words."""
    found = all_rules().get(rule)
    return found.sentence if found else "a rule that is not in the catalogue"

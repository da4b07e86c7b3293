# SPDX-License-Identifier: Apache-2.0
"""NdisViolation: software broke a rule of the catalogue (V15). Raised in the offender's frame, or collected."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hilnic.ndis.rules import sentence_of

HistoryEntry = tuple[int, str, Any]
"""(virtual time in ns, verb, actor)."""


class NdisViolation(Exception):
    """Which rule, who, on what object, when; prints with the object's history."""

    def __init__(
        self, rule: str, actor: Any, subject: Any, detail: str, time_ns: int, seed: int, history: Iterable[HistoryEntry]
    ) -> None:
        self.rule = rule
        self.actor = actor
        self.object = subject
        self.detail = detail
        self.time_ns = time_ns
        self.seed = seed
        self.history: tuple[HistoryEntry, ...] = tuple(history)
        super().__init__(rule)

    @property
    def sentence(self) -> str:
        """The rule in words, and what happened this time."""
        rule = sentence_of(self.rule)
        return f"{rule} ({self.detail})" if self.detail else rule

    def __str__(self) -> str:
        headline = (
            f"{self.rule} {self.actor!r} {_name(self.object)} @{self.time_ns}ns seed={self.seed}: {self.sentence}"
        )
        return "\n".join([headline, *(f"  @{time}ns {verb} {actor!r}" for time, verb, actor in self.history)])


def _name(subject: Any) -> str:
    return subject if isinstance(subject, str) else repr(subject)

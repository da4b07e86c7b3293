# SPDX-License-Identifier: Apache-2.0
"""NdisViolation: software broke a rule of the catalogue (V15). Raised in the offender's frame, or collected."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hilnic.ndis.rules import remedy_of, sentence_of

HistoryEntry = tuple[int, str, Any]
"""(virtual time in ns, verb, actor)."""


class NdisViolation(Exception):
    """Which rule, who, on what object, when, where; prints with what to do and the object's history."""

    def __init__(
        self,
        rule: str,
        actor: Any,
        subject: Any,
        detail: str,
        time_ns: int,
        seed: int,
        history: Iterable[HistoryEntry],
        place: str = "",
    ) -> None:
        self.rule = rule
        self.actor = actor
        self.object = subject
        self.detail = detail
        self.time_ns = time_ns
        self.seed = seed
        self.history: tuple[HistoryEntry, ...] = tuple(history)
        self.place = place
        """The driver's line: file:line in function; "" when no driver was running."""
        self._headline = f"{rule} {actor!r} {_name(subject)} @{time_ns}ns seed={seed}"  # as they are now
        self._past = [f"  @{time}ns {verb} {who!r}" for time, verb, who in self.history]
        super().__init__(rule)

    @property
    def sentence(self) -> str:
        """The rule in words, and what happened this time."""
        rule = sentence_of(self.rule)
        return f"{rule} ({self.detail})" if self.detail else rule

    def __str__(self) -> str:
        return "\n".join([f"{self._headline}: {self.sentence}", *self.advice(), *self._past])

    def advice(self) -> list[str]:
        """Where it was and what to do, as far as they are known; a line each."""
        remedy = remedy_of(self.rule)
        return [*([f"  at {self.place}"] if self.place else []), *([f"  do: {remedy}"] if remedy else [])]


def _name(subject: Any) -> str:
    return subject if isinstance(subject, str) else repr(subject)

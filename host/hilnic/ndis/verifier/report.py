# SPDX-License-Identifier: Apache-2.0
"""Where violations go (V15): raised in the offender's frame, or collected while a test expects them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hilnic.ndis.verifier.place import driver_place, raised_place
from hilnic.ndis.violation import HistoryEntry, NdisViolation


class Report:
    """All violations and warnings of one Ndis instance, in order; `counts` by rule."""

    __slots__ = ("_collecting", "counts", "seed", "violations", "warnings")

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.violations: list[NdisViolation] = []
        self.warnings: list[NdisViolation] = []
        self.counts: Counter[str] = Counter()
        self._collecting = 0

    def violation(self, rule: str, actor: Any, subject: Any, detail: str, time_ns: int) -> None:
        """Record a broken rule and, unless violations are being collected, raise it."""
        found = NdisViolation(rule, actor, subject, detail, time_ns, self.seed, _history(subject), driver_place())
        self.violations.append(found)
        self.counts[rule] += 1
        if not self._collecting:
            raise found

    def fault(self, found: NdisViolation) -> bool:
        """Record that a driver's handler raised; whether it is to be raised when the driver is out."""
        found.place = raised_place(found.__cause__.__traceback__) if found.__cause__ else ""
        self.violations.append(found)
        self.counts[found.rule] += 1
        return not self._collecting

    def warning(self, rule: str, actor: Any, subject: Any, detail: str, time_ns: int) -> None:
        """Record something a rule frowns upon; never raised."""
        self.counts[rule] += 1
        found = NdisViolation(rule, actor, subject, detail, time_ns, self.seed, _history(subject), driver_place())
        self.warnings.append(found)

    @contextmanager
    def collect(self) -> Iterator[list[NdisViolation]]:
        """Collect instead of raising; gives the violations and warnings found inside."""
        found: list[NdisViolation] = []
        violations, warnings = len(self.violations), len(self.warnings)
        self._collecting += 1
        try:
            yield found
        finally:
            self._collecting -= 1
            found += self.violations[violations:] + self.warnings[warnings:]


def _history(subject: Any) -> list[HistoryEntry]:
    custody = getattr(subject, "ndis_custody", None)
    return [] if custody is None else list(custody.history)

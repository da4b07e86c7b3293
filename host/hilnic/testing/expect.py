# SPDX-License-Identifier: Apache-2.0
"""`with expect_violation(ndis, "S6-02"):` - the block breaks exactly these rules, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hilnic.ndis import Ndis, NdisViolation

__all__ = ["expect_violation"]


@contextmanager
def expect_violation(ndis: Ndis, *rules: str) -> Iterator[list[NdisViolation]]:
    """Collect violations and warnings instead of raising; fail unless exactly `rules` were broken."""
    with ndis.report.collect() as found:
        yield found
    broken = {violation.rule for violation in found}
    if broken != set(rules):
        details = "\n".join(str(violation) for violation in found) or "nothing was broken"
        raise AssertionError(f"expected {sorted(rules)}, found {sorted(broken)}:\n{details}")

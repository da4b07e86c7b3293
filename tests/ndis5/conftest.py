# SPDX-License-Identifier: Apache-2.0
"""What the NDIS 5 tests share: benches that report leaks when the test is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hilnic.testing.bench5 import Bench5


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "rule(*ids): the rules of the catalogue that the test speaks for")
    config.addinivalue_line(
        "markers", "mutant(id): a driver that breaks exactly this rule is caught by exactly this rule"
    )


@pytest.fixture
def bench5() -> Iterator[Callable[..., Bench5]]:
    """Make benches; those without violations are stopped afterwards and must not have leaked anything (V9)."""
    benches: list[Bench5] = []

    def make(**options: Any) -> Bench5:
        made = Bench5(**options)
        benches.append(made)
        return made

    yield make
    for made in benches:
        if not made.ndis.report.violations:
            made.stop()

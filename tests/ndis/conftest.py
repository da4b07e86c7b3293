# SPDX-License-Identifier: Apache-2.0
"""What the NDIS tests share: the rule markers, and a bench that reports leaks when the test is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hilnic.testing import NdisBench


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "rule(*ids): the rules of the catalogue that the test speaks for")
    config.addinivalue_line(
        "markers", "mutant(id): a driver that breaks exactly this rule is caught by exactly this rule"
    )


@pytest.fixture
def bench() -> Iterator[Callable[..., NdisBench]]:
    """Make benches; those without violations are stopped afterwards and must not have leaked anything (V9)."""
    benches: list[NdisBench] = []

    def make(**options: Any) -> NdisBench:
        made = NdisBench(**options)
        benches.append(made)
        return made

    yield make
    for made in benches:
        if not made.ndis.report.violations:
            made.stop()


@pytest.fixture(params=["inline", "deferred"])
def completion(request: pytest.FixtureRequest) -> str:
    """A20: completions inside the send call, or from a later DPC."""
    return str(request.param)

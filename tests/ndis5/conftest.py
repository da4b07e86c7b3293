# SPDX-License-Identifier: Apache-2.0
"""What the NDIS 5 tests share: benches that report leaks when the test is over."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "rule(*ids): the rules of the catalogue that the test speaks for")
    config.addinivalue_line(
        "markers", "mutant(id): a driver that breaks exactly this rule is caught by exactly this rule"
    )

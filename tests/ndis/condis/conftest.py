# SPDX-License-Identifier: Apache-2.0
"""What the CoNDIS tests share: a bench that reports leaks when the test is over, and both kinds of call manager."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from hilnic.testing.co_bench import CoBench
from hilnic.testing.pytest_plugin import benches


@pytest.fixture
def cobench() -> Iterator[Callable[..., CoBench]]:
    """What a test leaves behind fails it (V9)."""
    yield from benches(CoBench)


@pytest.fixture(params=["cm", "mcm"])
def kind(request: pytest.FixtureRequest) -> str:
    """A stand-alone call manager, or one in the miniport."""
    return str(request.param)

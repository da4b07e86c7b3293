# SPDX-License-Identifier: Apache-2.0
"""What the NDIS tests share: the rule markers, and a bench that reports leaks when the test is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from hilnic.testing import NdisBench
from hilnic.testing.pytest_plugin import benches


@pytest.fixture
def bench() -> Iterator[Callable[..., NdisBench]]:
    """What a test leaves behind fails it (V9)."""
    yield from benches(NdisBench)


@pytest.fixture(params=["inline", "deferred"])
def completion(request: pytest.FixtureRequest) -> str:
    """A20: completions inside the send call, or from a later DPC."""
    return str(request.param)

# SPDX-License-Identifier: Apache-2.0
"""What the NDIS 5 tests share: benches that report leaks when the test is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from hilnic.testing.bench5 import Bench5
from hilnic.testing.pytest_plugin import benches


@pytest.fixture
def bench5() -> Iterator[Callable[..., Bench5]]:
    """What a test leaves behind fails it (V9)."""
    yield from benches(Bench5)

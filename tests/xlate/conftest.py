# SPDX-License-Identifier: Apache-2.0
"""Benches with one edge of NDIS 5 each; leaks are reported when the test is over."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hilnic.testing import NdisBench
from hilnic.testing.pytest_plugin import benches


@pytest.fixture
def bench() -> Iterator[Callable[..., NdisBench]]:
    """What a test leaves behind fails it (V9)."""
    yield from benches(NdisBench)


@pytest.fixture(scope="session")
def drivers() -> Any:
    """The module of the test drivers; pytest imports tests without putting their folder on the path."""
    spec = importlib.util.spec_from_file_location("xlate_drivers", Path(__file__).with_name("drivers.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def five_over_six(bench, drivers) -> Callable[..., NdisBench]:
    """A 5.x protocol (`b.fp`) over a 6.x miniport (`b.fm`)."""
    return lambda **options: bench(**{"protocol": drivers.Protocol5, "miniport": drivers.Jumbo} | options)


@pytest.fixture(params=["deserialized", "serialized"])
def six_over_five(bench, drivers, request: pytest.FixtureRequest) -> Callable[..., NdisBench]:
    """A 6.x protocol (`b.fp`) over a 5.x miniport (`b.fm`)."""
    miniport = drivers.SerializedMiniport5 if request.param == "serialized" else drivers.Miniport5
    return lambda **options: bench(miniport=miniport, **options)


@pytest.fixture(params=["inline", "deferred"])
def completion(request: pytest.FixtureRequest) -> str:
    """A20: completions inside the send call, or from a later DPC."""
    return str(request.param)


@pytest.fixture(params=["fast", "full"])
def verify(request: pytest.FixtureRequest) -> str:
    """What the verifier watches."""
    return str(request.param)

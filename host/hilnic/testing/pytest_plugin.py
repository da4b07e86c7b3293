# SPDX-License-Identifier: Apache-2.0
"""The test kit as fixtures of a user's own pytest: `pytest_plugins = ["hilnic.testing.pytest_plugin"]` in conftest.py.

def test_mine(ndis_bench):                 a host of NDIS 6 with functional drivers; ndis5_bench: of NDIS 5
    bench = ndis_bench(protocols=2)
    ...
                                           afterwards everything is stopped, and leaks fail the test
@pytest.mark.parametrize("case", ["reply", "stress"])
def test_my_miniport(ndistest, case):      a case of `hilnic ndistest` on a miniport with a bare port to the wire
    ndistest("2c", case, my_register)      bed=hilnic.apps.ndistest_beds.twin_bed: a miniport for our NIC, on its twin

Each run leaves its record, and each failed test its dump, for `hilnic dump`, `rules` and `wdk` (pytest_record.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hilnic.testing.bench import NdisBench
from hilnic.testing.bench5 import Bench5
from hilnic.testing.ndistest import SUITES
from hilnic.testing.ndistest.bed import Register
from hilnic.testing.ndistest.port import play, port_bed
from hilnic.testing.pytest_record import record_runs

__all__ = ["benches", "ndis5_bench", "ndis_bench", "ndistest"]


def pytest_configure(config: pytest.Config) -> None:
    """Record what this run calls and breaks."""
    record_runs(config)


def benches(kind: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """For a fixture: make benches; where no rule was broken they are stopped afterwards; a leak is an error (V9)."""
    made: list[Any] = []

    def make(**options: Any) -> Any:
        bench = kind(**options)
        made.append(bench)
        return bench

    yield make
    for bench in made:
        if not bench.ndis.report.violations:
            bench.stop()


@pytest.fixture
def ndis_bench() -> Iterator[Callable[..., NdisBench]]:
    """`NdisBench(**options)`, stopped after the test: what a driver has not given back fails it."""
    yield from benches(NdisBench)


@pytest.fixture
def ndis5_bench() -> Iterator[Callable[..., Bench5]]:
    """`Bench5(**options)`, likewise."""
    yield from benches(Bench5)


@pytest.fixture
def ndistest() -> Callable[..., None]:
    """`ndistest(suite, case, register)`: fails with the sentences of what the miniport did wrong.

    `bed` makes the cards: bare ports by default, our NIC's twin with `hilnic.apps.ndistest_beds.twin_bed`. `options`
    are those of `Bed`: seed, rounds, verify.
    """

    def run(suite: str, name: str, register: Register, bed: Callable[..., Any] = port_bed, **options: Any) -> None:
        (case,) = (case for case in SUITES[suite] if case.name == name)
        clock, stands = bed(int(suite[0]), register, **options)
        failures = play(case, clock, stands).failures
        if failures:
            pytest.fail("\n".join(failures), pytrace=False)

    return run

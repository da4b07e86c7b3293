# SPDX-License-Identifier: Apache-2.0
"""What is deregistered or freed is gone: no further adapter is offered to it, and its like may come anew."""

from __future__ import annotations

import pytest

from hilnic import ndis
from hilnic.testing import expect_violation
from hilnic.testing.bench import NdisBench
from hilnic.testing.filter import FunctionalFilter


@pytest.mark.rule("ST-19")
def test_an_unloaded_filter_driver_has_no_modules_and_gets_no_more(bench) -> None:
    b: NdisBench = bench()
    gone = FunctionalFilter(b.ndis, "gone")
    b.run(gone.start())
    assert [module.driver for module in b.fm.adapter.filters] == [gone.driver]
    b.run(gone.stop())
    assert b.fm.adapter.filters == ()
    assert gone.driver not in b.ndis.filter_drivers
    b.run(ndis.halt_adapter(b.fm.adapter))
    b.run(b.fm.start())
    assert b.fm.adapter.filters == ()
    b.fp.send(b.frame())
    assert len(b.fm.captured) == 1
    b.fm.complete_all()


@pytest.mark.rule("ST-21")
@pytest.mark.mutant("ST-21")
def test_mutant_unloads_its_filter_driver_twice(bench) -> None:
    b: NdisBench = bench()
    gone = FunctionalFilter(b.ndis, "gone")
    b.run(gone.start())
    b.run(gone.stop())
    with expect_violation(b.ndis, "ST-21"):
        b.run(gone.stop())


@pytest.mark.rule("ST-18")
def test_a_freed_timer_is_the_adapters_no_more(bench) -> None:
    b: NdisBench = bench()
    before = list(b.fm.adapter.timers)
    timer = ndis.allocate_timer_object(b.fm.adapter, lambda _: None)
    assert b.fm.adapter.timers == [*before, timer]
    ndis.free_timer_object(timer)
    assert b.fm.adapter.timers == before


@pytest.mark.rule("ST-18")
@pytest.mark.mutant("ST-18")
def test_mutant_frees_a_timer_that_is_set(bench) -> None:
    b: NdisBench = bench()
    timer = ndis.allocate_timer_object(b.fm.adapter, lambda _: None)
    ndis.set_timer_object(timer, 1_000_000)
    with expect_violation(b.ndis, "ST-18"):
        ndis.free_timer_object(timer)
    ndis.cancel_timer_object(timer)

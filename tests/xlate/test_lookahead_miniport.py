# SPDX-License-Identifier: Apache-2.0
"""A 5.x miniport that shows lookahead, under 6.x protocols, which get whole frames."""

from __future__ import annotations

import pytest

from hilnic import ndis
from hilnic.ndis import NdisStatus
from hilnic.testing import expect_violation


@pytest.fixture
def showing(bench, drivers):
    """A 6.x protocol over a miniport that shows lookahead."""
    return lambda **options: bench(miniport=drivers.LookaheadMiniport5, **options)


@pytest.mark.rule("XL-09", "XL-15", "R5-27")
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("length", [14, 60, 142, 300, 1514])
@pytest.mark.parametrize("shown", [0, 64, 128, 1500])
def test_the_frame_is_whole_for_6(showing, shown, length, late):
    b = showing()
    b.fm.transfer = "pend" if late else "now"
    frame = b.frame(size=1514)[:length]
    b.fm.indicate_lookahead(frame, shown)
    if b.fm.pending_transfers:
        assert b.fp.received == []
        b.fm.finish_transfer()
    assert b.fp.received == [frame]
    shown = min(shown, length - 14)
    assert b.fm.asked == ([(shown, length - 14 - shown)] if shown < length - 14 else [])
    assert b.ndis.xlate_copies == length
    assert b.fm.xlate.live() == 0


@pytest.mark.rule("R6-15", "XL-21")
def test_a_frame_that_no_6_protocol_asks_for_is_not_put_together(showing):
    b = showing()
    b.fm.indicate_lookahead(b.frame(size=300, destination=b"\x02stran"), 64)
    assert (b.fm.asked, b.ndis.xlate_copies, b.fp.received) == ([], 0, [])


@pytest.mark.rule("XL-09", "R6-08")
def test_its_memory_is_free_when_the_last_protocol_has_returned_it(showing):
    b = showing(protocols=2)
    for fp in b.fps:
        fp.hold = True
    before = len(b.kernel.regions)
    frame = b.frame(size=300, destination=b"\xff" * 6)
    b.fm.indicate_lookahead(frame, 64)
    assert len(b.kernel.regions) == before + 1
    for fp in b.fps:
        assert fp.received == [frame]
        fp.give_back()
    assert len(b.kernel.regions) == before


@pytest.mark.rule("XL-08")
@pytest.mark.parametrize("kth", range(2))
def test_a_frame_without_memory_is_lost_and_nothing_leaks(showing, kth):
    b = showing()
    before = len(b.kernel.regions)
    if kth:
        b.fm.xlate.lists.fault = lambda: True
    else:
        b.kernel.fail_allocations = 1
    b.fm.indicate_lookahead(b.frame(size=300), 64)
    assert (b.fp.received, len(b.kernel.regions), b.fm.xlate.live()) == ([], before, 0)


@pytest.mark.rule("R6-16", "XL-09")
def test_a_frame_whose_transfer_ends_in_a_pause_is_lost_and_nothing_leaks(showing):
    b = showing()
    before = len(b.kernel.regions)
    b.fm.transfer = "pend"
    b.fm.indicate_lookahead(b.frame(size=300), 64)
    b.run(ndis.pause_adapter(b.fm.adapter))
    b.fm.finish_transfer()
    assert (b.fp.received, len(b.kernel.regions), b.fm.xlate.live()) == ([], before, 0)
    b.run(ndis.restart_adapter(b.fm.adapter))
    b.fm.indicate_lookahead(b.frame(size=300), 64)
    b.fm.finish_transfer()
    assert len(b.fp.received) == 1


def test_a_frame_that_the_card_cannot_give_is_lost_and_nothing_leaks(showing):
    b = showing()
    before = len(b.kernel.regions)
    b.fm.transfer = "pend"
    b.fm.indicate_lookahead(b.frame(size=300), 64)
    b.fm.finish_transfer(NdisStatus.FAILURE)
    assert (b.fp.received, len(b.kernel.regions), b.fm.xlate.live()) == ([], before, 0)


def test_a_pause_waits_for_a_frame_that_a_protocol_holds(showing):
    b = showing()
    b.fp.hold = True
    b.fm.indicate_lookahead(b.frame(size=300), 64)
    assert b.fm.adapter.receives_outstanding == 1
    b.run(ndis.pause_adapter(b.fm.adapter))
    assert b.fm.adapter.receives_outstanding == 0


@pytest.mark.rule("C5-12", "XL-09")
def test_a_frame_whose_transfer_pends_at_halt_is_lost_and_nothing_leaks(showing):
    b = showing()
    before = len(b.kernel.regions)
    b.fm.transfer = "pend"
    b.fm.indicate_lookahead(b.frame(size=300), 64)
    b.run(ndis.halt_adapter(b.fm.adapter))
    assert (b.fp.received, len(b.kernel.regions)) == ([], before)


@pytest.mark.rule("C5-12")
@pytest.mark.mutant("C5-12")
def test_mutant_forgets_a_transfer_at_halt(bench, drivers):
    class Forgetful(drivers.LookaheadMiniport5):
        def halt(self):
            self.pending_transfers.clear()
            super().halt()

    b = bench(miniport=Forgetful)
    b.fm.transfer = "pend"
    b.fm.indicate_lookahead(b.frame(size=300), 64)
    with expect_violation(b.ndis, "C5-12"):
        b.run(ndis.halt_adapter(b.fm.adapter))

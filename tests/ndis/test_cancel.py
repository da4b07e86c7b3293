# SPDX-License-Identifier: Apache-2.0
"""CN: cancel ids, in NDIS's own queues, in filters' and in the miniport's; and what a cancel does not promise."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilnic import ndis
from hilnic.ndis import NdisStatus, Profile
from hilnic.testing import FunctionalMiniport, FunctionalProtocol, NdisBench, expect_violation

A, B = 0x0100_0001, 0x0200_0001
HOLDING = Profile(hold_sends_during_reset=True)


class Resetting(FunctionalMiniport):
    """Its reset lasts until the test ends it."""

    def reset(self):
        self.complete_all(NdisStatus.RESET_IN_PROGRESS)
        return NdisStatus.PENDING, False


def marked(b: NdisBench, ids: list[int], which: int = 0) -> list[ndis.NetBufferList]:
    """One NBL per id, sent in one call."""
    nbls = [b.fps[which].build(b.frame(number)) for number in range(len(ids))]
    for nbl, cancel_id in zip(nbls, ids, strict=True):
        ndis.set_net_buffer_list_cancel_id(nbl, cancel_id)
    b.fps[which].send_nbls(nbls)
    return nbls


def held_in_ndis(bench, protocols: int = 1) -> NdisBench:
    """A bench in the middle of a reset that holds what is sent."""
    b = bench(miniport=Resetting, profile=HOLDING, protocols=protocols)
    b.kernel.start(ndis.reset_adapter(b.fm.adapter))
    b.kernel.run_for(0)
    return b


@pytest.mark.rule("CN-01", "CN-06")
def test_what_ndis_holds_over_a_reset_can_be_cancelled(bench):
    b = held_in_ndis(bench, protocols=2)
    first = marked(b, [A, B, A, 0, B])
    second = marked(b, [A, A], which=1)
    ndis.cancel_send_net_buffer_lists(b.fp.open, A)
    assert b.fp.completed == [(first[0], NdisStatus.SEND_ABORTED), (first[2], NdisStatus.SEND_ABORTED)]
    assert b.fps[1].completed == []
    ndis.complete_reset(b.fm.adapter, NdisStatus.SUCCESS, False)
    b.run()
    assert b.fm.captured == [first[1], first[3], first[4], *second]
    b.fm.complete_all()
    assert len(b.fp.completed) == 5
    assert b.fp.open.sends_outstanding == 0


@pytest.mark.rule("CN-01", "CN-03")
@given(
    ids=st.lists(st.sampled_from([A, B, 0]), max_size=12),
    cancelled=st.lists(st.sampled_from([A, B, 0, 7]), max_size=4),
)
def test_every_nbl_ends_once_and_only_matching_ones_are_aborted(ids, cancelled):
    b = NdisBench(miniport=Resetting, profile=HOLDING)
    b.kernel.start(ndis.reset_adapter(b.fm.adapter))
    b.kernel.run_for(0)
    nbls = marked(b, ids) if ids else []
    for cancel_id in cancelled:
        ndis.cancel_send_net_buffer_lists(b.fp.open, cancel_id)
    ndis.complete_reset(b.fm.adapter, NdisStatus.SUCCESS, False)
    b.run()
    b.fm.complete_all()
    ended = dict(b.fp.completed)
    assert len(b.fp.completed) == len(ended) == len(ids)
    for nbl, cancel_id in zip(nbls, ids, strict=True):
        aborted = bool(cancel_id) and cancel_id in cancelled
        assert ended[nbl] is (NdisStatus.SEND_ABORTED if aborted else NdisStatus.SUCCESS)
    b.stop()


@pytest.mark.rule("CN-02")
def test_what_has_completed_already_is_not_cancelled(bench):
    b = bench(completion="inline")
    (nbl,) = marked(b, [A])
    ndis.cancel_send_net_buffer_lists(b.fp.open, A)
    assert b.fp.completed == [(nbl, NdisStatus.SUCCESS)]


@pytest.mark.rule("CN-03")
@pytest.mark.parametrize("order", list(itertools.permutations(["cancel", "cancel", "complete"])))
def test_a_cancel_that_meets_a_completion_ends_each_nbl_once(bench, order):
    b = bench()
    nbls = marked(b, [A, B, A])
    for step in order:
        b.kernel.queue_dpc(
            (lambda: ndis.cancel_send_net_buffer_lists(b.fp.open, A)) if step == "cancel" else b.fm.complete_all
        )
    b.run()
    assert sorted(nbl.id for nbl, _ in b.fp.completed) == [nbl.id for nbl in nbls]


@pytest.mark.rule("CN-04")
def test_every_caller_gets_a_high_byte_of_its_own():
    b = NdisBench(protocols=0)
    partial = [ndis.generate_partial_cancel_id(b.ndis) for _ in range(255)]
    assert len(set(partial)) == 255
    assert all(0 < byte <= 255 for byte in partial)


@pytest.mark.rule("CN-05")
def test_without_a_cancel_handler_a_cancel_does_nothing(bench):
    class Deaf(FunctionalMiniport):
        def characteristics(self):
            return replace(super().characteristics(), cancel_send=None)

    b = bench(miniport=Deaf)
    marked(b, [A, B])
    ndis.cancel_send_net_buffer_lists(b.fp.open, A)
    assert (len(b.fm.captured), b.fp.completed) == (2, [])
    b.fm.complete_all()


@pytest.mark.rule("CN-01", "CN-06", "IM-07")
def test_what_a_filter_has_queued_is_cancelled_there_and_the_rest_goes_on(bench):
    b = bench(protocols=2)
    fi = b.filter()
    fi.queue = True
    first, second = marked(b, [A, 0]), marked(b, [B, 0, B], which=1)
    ndis.cancel_send_net_buffer_lists(b.fps[1].open, B)
    assert b.fps[1].completed == [(second[0], NdisStatus.SEND_ABORTED), (second[2], NdisStatus.SEND_ABORTED)]
    assert (b.fps[0].completed, b.fm.cancelled) == ([], [B])
    fi.pass_on()
    assert b.fm.captured == [*first, second[1]]
    b.fm.complete_all()


@pytest.mark.rule("CN-06")
@pytest.mark.mutant("CN-06")
def test_mutant_uses_an_id_that_is_live_on_another_binding(bench):
    b = bench(protocols=2)
    marked(b, [A])
    with expect_violation(b.ndis, "CN-06") as found:
        marked(b, [A], which=1)
    assert b.ndis.report.violations == []  # a warning
    assert found[0].actor is b.fps[1].binding
    b.fm.complete_all()
    marked(b, [A], which=1)  # the other has ended: nobody minds
    assert len(b.ndis.report.warnings) == 1
    b.fm.complete_all()


@pytest.mark.rule("CN-06")
def test_an_id_may_be_used_on_another_binding_once_it_is_free(bench):
    b = bench(protocols=2)
    marked(b, [A, A])
    b.fm.complete_all()
    marked(b, [A], which=1)
    assert b.ndis.report.warnings == []
    b.fm.complete_all()


@pytest.mark.rule("CN-01", "S6-24")
def test_what_waits_for_the_outermost_send_can_be_cancelled(bench):
    class Deep(FunctionalProtocol):
        def send_net_buffer_lists_complete(self, nbls, flags):
            super().send_net_buffer_lists_complete(nbls, flags)
            depth = self.completion_calls
            if depth < 9:
                nbl = self.build(b.frame(depth))
                ndis.set_net_buffer_list_cancel_id(nbl, A + depth)
                self.send_nbls([nbl])
                ndis.cancel_send_net_buffer_lists(self.open, A + depth)

    b = bench(protocol=Deep, completion="inline")
    b.fp.send(b.frame())
    aborted = [nbl for nbl, status in b.fp.completed if status is NdisStatus.SEND_ABORTED]
    assert [ndis.get_net_buffer_list_cancel_id(nbl) for nbl in aborted] == [A + 8]
    assert len(b.fm.sent_frames) == 8
    assert b.fp.open.sends_outstanding == 0


@pytest.mark.rule("CN-07")
@pytest.mark.parametrize("no_id", [0, None])
def test_no_id_matches_nothing(bench, no_id):
    b = bench()
    marked(b, [0, A])
    ndis.cancel_send_net_buffer_lists(b.fp.open, no_id)
    assert b.fm.cancelled == []
    assert len(b.fm.captured) == 2
    b.fm.complete_all()
    assert [ndis.get_net_buffer_list_cancel_id(nbl) for nbl, _ in b.fp.completed] == [0, A]

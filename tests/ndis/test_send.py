# SPDX-License-Identifier: Apache-2.0
"""S6: the NDIS 6 send path. Every claim holds for completions inside the send call and for later ones (A20)."""

from __future__ import annotations

import random

import pytest

from hilnic import ndis
from hilnic.ndis import NdisStatus, SendFlags
from hilnic.testing import FunctionalMiniport, FunctionalProtocol
from hilnic.testing.frames import build_nbl

OUTCOMES = [
    NdisStatus.SUCCESS,
    NdisStatus.FAILURE,
    NdisStatus.RESOURCES,
    NdisStatus.INVALID_LENGTH,
    NdisStatus.SEND_ABORTED,
]


def statuses(fp: FunctionalProtocol) -> list[int]:
    return [status for _, status in fp.completed]


@pytest.mark.rule("S6-01")
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_send_returns_nothing_and_its_outcome_arrives_by_callback(bench, completion, outcome):
    b = bench(completion=completion)
    b.fm.finish = lambda fm: fm.complete_all(outcome)
    nbl = b.fp.build(b.frame())
    assert ndis.send_net_buffer_lists(b.fp.open, nbl) is None
    b.run()
    assert b.fp.completed == [(nbl, outcome)]


@pytest.mark.rule("S6-02")
def test_each_nbl_completes_exactly_once(bench, completion):
    b = bench(completion=completion)
    nbls = b.fp.send(*b.frames(5))
    b.run()
    assert [nbl for nbl, _ in b.fp.completed] == nbls


@pytest.mark.rule("S6-03")
@pytest.mark.parametrize("seed", range(5))
def test_completions_arrive_in_any_order_and_grouping(bench, completion, seed):
    rng = random.Random(seed)

    def finish(fm: FunctionalMiniport) -> None:
        nbls = list(fm.captured)
        rng.shuffle(nbls)
        while nbls:
            size = rng.randint(1, len(nbls))
            fm.complete(*nbls[:size])
            del nbls[:size]

    b = bench(completion=completion)
    b.fm.finish = finish
    nbls = b.fp.send(*b.frames(8))
    b.run()
    assert {nbl for nbl, _ in b.fp.completed} == set(nbls)


@pytest.mark.rule("S6-04", "S6-05")
def test_a_miniport_may_take_the_list_apart_and_relink_it(bench, completion):
    def finish(fm: FunctionalMiniport) -> None:
        for nbl in list(fm.captured):
            first = nbl.first_net_buffer
            second, mdl = first.next, first.mdl_chain
            rest = mdl.next
            first.next = mdl.next = None  # its own now: separated
            first.next, mdl.next = second, rest  # and back
        fm.complete(*reversed(fm.captured))  # the links between NBLs are free

    b = bench(completion=completion)
    b.fm.finish = finish
    b.fp.send_nbls([b.fp.build(b.frame(n), b.frame(n + 1), cuts=[14]) for n in range(3)])
    b.run()
    assert statuses(b.fp) == [NdisStatus.SUCCESS] * 3


@pytest.mark.rule("S6-06")
def test_one_status_speaks_for_all_frames_of_an_nbl(bench, completion):
    b = bench(completion=completion)
    b.fm.finish = lambda fm: fm.complete_all(NdisStatus.INVALID_LENGTH)
    b.fp.send_nbls([b.fp.build(b.frame(1), b.frame(2, size=3000), b.frame(3))])
    b.run()
    assert statuses(b.fp) == [NdisStatus.INVALID_LENGTH]


@pytest.mark.rule("S6-07")
def test_every_nbl_names_its_sender_in_source_handle(bench, completion):
    b = bench(completion=completion)
    nbls = b.fp.send(*b.frames(3))
    b.run()
    assert all(nbl.source_handle is b.fp.binding for nbl in nbls)


@pytest.mark.rule("S6-08")
def test_a_mixed_completion_is_routed_by_source_handle(bench):
    b = bench(protocols=2)
    first, second = b.fps
    mine, yours = first.send(*b.frames(3)), second.send(*b.frames(3))
    b.fm.complete(mine[0], yours[0], mine[1], yours[1], yours[2], mine[2])
    assert [nbl for nbl, _ in first.completed] == mine
    assert [nbl for nbl, _ in second.completed] == yours


@pytest.mark.rule("S6-09", "S6-04")
def test_an_untouched_list_of_any_layout_completes_in_silence(bench, completion):
    b = bench(completion=completion)
    b.fp.send(*b.frames(2, size=300), cuts=[0, 5, 9, 0, 100], head=33)
    b.run()
    assert statuses(b.fp) == [NdisStatus.SUCCESS] * 2
    assert b.fm.sent_frames == b.frames(2, size=300)


@pytest.mark.rule("S6-10")
def test_a_miniport_takes_sixty_four_nbls_at_once(bench, completion):
    b = bench(completion=completion)
    b.fp.send(*b.frames(64))
    b.run()
    assert statuses(b.fp) == [NdisStatus.SUCCESS] * 64
    assert len(b.fm.sent_frames) == 64


@pytest.mark.rule("S6-11", "S6-12")
def test_frames_reach_the_miniport_in_submission_order(bench, completion):
    b = bench(completion=completion)
    for n in range(0, 9, 3):
        b.fp.send_nbls([b.fp.build(b.frame(n), b.frame(n + 1)), b.fp.build(b.frame(n + 2))])
    b.run()
    assert b.fm.sent_frames == b.frames(9)


@pytest.mark.rule("S6-13")
def test_ndis_passes_a_short_frame_down_unpadded(bench, completion):
    b = bench(completion=completion)
    b.fp.send(b.frame(size=18))
    b.run()
    assert [len(frame) for frame in b.fm.sent_frames] == [18]


@pytest.mark.rule("S6-14")
def test_an_oversize_frame_is_refused_by_the_miniport_with_invalid_length(bench, completion):
    b = bench(completion=completion)
    b.fm.finish = lambda fm: fm.complete_all(NdisStatus.INVALID_LENGTH)
    b.fp.send(b.frame(size=1519))
    b.run()
    assert statuses(b.fp) == [NdisStatus.INVALID_LENGTH]


@pytest.mark.rule("S6-17", "S6-18")
def test_a_completed_buffer_is_the_senders_to_overwrite(bench, completion):
    class Overwriting(FunctionalProtocol):
        def send_net_buffer_lists_complete(self, nbls, flags):
            super().send_net_buffer_lists_complete(nbls, flags)
            for nbl, _ in self.completed:
                nbl.first_net_buffer.mdl_chain.view[:] = bytes(nbl.first_net_buffer.mdl_chain.byte_count)

    b = bench(completion=completion, protocol=Overwriting)
    b.fp.send(b.frame(7))
    b.run()
    assert b.fm.sent_frames == [b.frame(7)]


@pytest.mark.rule("S6-24", "CL-07")
def test_a_sender_may_send_again_from_its_completion(bench):
    class PingPong(FunctionalProtocol):
        left = 1000

        def send_net_buffer_lists_complete(self, nbls, flags):
            super().send_net_buffer_lists_complete(nbls, flags)
            if self.left:
                self.left -= 1
                self.send_nbls([nbls])

    b = bench(completion="deferred", protocol=PingPong)
    b.fp.send(b.frame())
    b.run()
    assert len(b.fp.completed) == 1001


@pytest.mark.rule("S6-25", "ST-05", "ST-02")
def test_a_send_on_a_paused_binding_completes_with_paused(bench, completion):
    b = bench(completion=completion)
    b.run(ndis.pause_adapter(b.fm.adapter))
    b.fp.send(b.frame())
    b.run()
    assert statuses(b.fp) == [NdisStatus.PAUSED]
    assert b.fm.sent_frames == []
    assert [warning.rule for warning in b.ndis.report.warnings] == ["S6-25"]


@pytest.mark.rule("S6-26")
def test_an_unknown_port_is_refused(bench, completion):
    b = bench(completion=completion)
    b.fp.send_nbls([b.fp.build(b.frame())], port=3)
    assert statuses(b.fp) == [NdisStatus.INVALID_PORT]


@pytest.mark.rule("CN-01")
def test_a_cancel_ends_the_queued_nbls_with_that_id(bench):
    b = bench()
    nbls = [b.fp.build(b.frame(n)) for n in range(4)]
    for n, nbl in enumerate(nbls):
        nbl.net_buffer_list_info[ndis.NblInfo.CANCEL_ID] = "AB"[n % 2]
    b.fp.send_nbls(nbls)
    ndis.cancel_send_net_buffer_lists(b.fp.open, "A")
    b.fm.complete_all()
    assert statuses(b.fp) == [NdisStatus.SEND_ABORTED] * 2 + [NdisStatus.SUCCESS] * 2


@pytest.mark.rule("CN-04")
def test_partial_cancel_ids_differ(bench):
    b = bench()
    assert ndis.generate_partial_cancel_id(b.ndis) != ndis.generate_partial_cancel_id(b.ndis)


def test_the_dispatch_flag_reaches_the_miniport_unchanged(bench):
    seen = []

    class Noting(FunctionalMiniport):
        def send_net_buffer_lists(self, nbls, port_number, send_flags):
            seen.append((port_number, send_flags))
            super().send_net_buffer_lists(nbls, port_number, send_flags)

    b = bench(completion="inline", miniport=Noting)
    b.fp.send(b.frame(), flags=SendFlags.CHECK_FOR_LOOPBACK)
    assert seen == [(0, 2)]


def test_a_pattern_captures_only_what_matches(bench):
    b = bench()
    b.fm.capture(14, (1).to_bytes(4, "big"))
    nbls = b.fp.send(*b.frames(3))
    assert b.fm.captured == [nbls[1]]
    b.fm.complete_all()


def test_a_frame_has_one_id_from_send_to_completion(bench):
    b = bench(trace=True, completion="inline")
    nbl = build_nbl(b.fp.pool, b.frame())
    nbl.source_handle = b.fp.binding
    b.fp.send_nbls([nbl])
    kinds = [(kind, fields["frame"]) for _, kind, fields in b.kernel.trace.events if kind.startswith("nbl.")]
    assert kinds == [("nbl.send", 1), ("nbl.complete", 1)]

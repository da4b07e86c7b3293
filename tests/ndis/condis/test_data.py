# SPDX-License-Identifier: Apache-2.0
"""Data on VCs: lists down and up, whose they are, in which order, looped, cancelled (CD-01 to CD-09, LB-11, CN-10)."""

from __future__ import annotations

import random

import pytest

from hilnic import ndis
from hilnic.ndis import NblFlags, NdisStatus, ReceiveFlags, SendFlags, condis
from hilnic.testing import expect_violation
from hilnic.testing.co_bench import call_parameters
from hilnic.testing.co_client import FunctionalCoClient
from hilnic.testing.frames import build_nbl, free_nbl
from hilnic.testing.injection import refuse

LOOP = int(SendFlags.CHECK_FOR_LOOPBACK)
RESOURCES = int(ReceiveFlags.RESOURCES)


def statuses(call):
    return [status for _, status in call.completed]


# Down.


@pytest.mark.rule("CD-01")
@pytest.mark.parametrize("completion", ["inline", "deferred"])
def test_a_send_answers_nothing_and_ends_by_a_completion(cobench, kind, completion):
    b = cobench(kind=kind, completion=completion)
    call = b.client.make_call()
    nbl = call.build(b.frame())
    assert condis.co_send_net_buffer_lists(call.open, nbl) is None
    b.run()
    call.in_flight = 0
    assert call.completed == [(nbl, NdisStatus.SUCCESS)]


@pytest.mark.rule("CD-02")
def test_the_status_of_a_list_speaks_for_all_its_frames(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.make_call()
    call.send_nbls([call.build(*b.frames(3)), call.build(b.frame(9))])
    data = b.data(call)
    data.complete(data.captured[0], status=NdisStatus.FAILURE)
    data.complete_all()
    assert statuses(call) == [NdisStatus.FAILURE, NdisStatus.SUCCESS]
    assert [len(list(nbl.net_buffers())) for nbl, _ in call.completed] == [3, 1]


@pytest.mark.rule("CD-04")
def test_sixteen_lists_of_four_frames_go_down_in_one_call_and_come_back_in_one(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.make_call()
    frames = b.frames(64)
    nbls = [call.build(*frames[at : at + 4]) for at in range(0, 64, 4)]
    call.send_nbls(nbls)
    data = b.data(call)
    assert (data.sent_frames, len(data.captured)) == (frames, 16)
    data.complete(*reversed(nbls))
    assert ([nbl for nbl, _ in call.completed], call.completion_calls) == (nbls[::-1], 1)


@pytest.mark.rule("CD-03")
@pytest.mark.mutant("CD-03")
def test_mutant_sends_with_its_binding_for_a_source_handle(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.make_call()
    nbl = b.client.build(b.frame())
    with expect_violation(b.ndis, "CD-03"):
        condis.co_send_net_buffer_lists(call.open, nbl)
    assert b.data(call).sent_frames == []
    free_nbl(nbl)


@pytest.mark.rule("CD-03")
@pytest.mark.mutant("CD-03")
def test_mutant_miniport_indicates_with_its_adapter_for_a_source_handle(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.make_call()
    nbl = b.co.build(b.frame())
    with expect_violation(b.ndis, "CD-03"):
        condis.mco_indicate_receive_net_buffer_lists(b.data(call).handle, nbl, 1)
    assert call.received == []
    free_nbl(nbl)


@pytest.mark.rule("CD-03")
@pytest.mark.mutant("CD-03")
def test_mutant_miniport_completes_with_another_source_handle(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.make_call()
    (nbl,) = call.send(b.frame())
    nbl.source_handle = b.data(call).handle
    with expect_violation(b.ndis, "CD-03"):
        b.data(call).complete_all()
    assert call.completed == [(nbl, NdisStatus.SUCCESS)]  # it is not lost


@pytest.mark.rule("CC-08")
def test_a_vc_that_is_not_active_carries_nothing_down(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.new_call()
    call.send(b.frame())
    assert (statuses(call), b.data(call).sent_frames) == ([NdisStatus.VC_NOT_ACTIVATED], [])


@pytest.mark.rule("CC-08")
@pytest.mark.mutant("CC-08")
def test_mutant_indicates_on_a_vc_that_is_not_active(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.new_call()
    with expect_violation(b.ndis, "CC-08"):
        b.data(call).indicate(b.frame())
    assert (call.received, len(b.fm.returned)) == ([], 1)


@pytest.mark.rule("CC-04")
def test_mutant_sends_on_a_vc_that_it_has_deleted(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.new_call()
    call.delete()
    with expect_violation(b.ndis, "CC-04"):
        call.send(b.frame())
    assert statuses(call) == [NdisStatus.CLOSING]


def test_a_paused_client_gets_its_sends_back(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.make_call()
    call.send(b.frame())
    b.run(ndis.pause_adapter(b.fm.adapter))
    call.send(b.frame())
    assert statuses(call) == [NdisStatus.PAUSED] * 2
    b.run(ndis.restart_adapter(b.fm.adapter))
    call.send(b.frame())
    b.data(call).complete_all()
    assert statuses(call)[2:] == [NdisStatus.SUCCESS]


def test_a_client_that_answers_each_completion_with_a_send_does_not_recurse(cobench, kind):
    class Pump(FunctionalCoClient):
        left = 300

        def co_send_net_buffer_lists_complete(self, call, nbls, flags):
            super().co_send_net_buffer_lists_complete(call, nbls, flags)
            if self.left:
                self.left -= 1
                call.send(self.frames[self.left % 2])

    b = cobench(kind=kind, client=Pump, completion="inline")
    b.client.frames = b.frames(2)
    call = b.client.make_call()
    call.send(b.frame())
    assert statuses(call) == [NdisStatus.SUCCESS] * 301


@pytest.mark.rule("CD-07")
def test_each_vc_is_in_order_by_itself(cobench, kind):
    b = cobench(kind=kind)
    calls = [b.client.make_call() for _ in range(2)]
    for number in range(10):
        calls[number % 2].send(b.frame(number))
        b.data(calls[number % 2]).indicate(b.frame(100 + number))
    for parity, call in enumerate(calls):
        assert b.data(call).sent_frames == [b.frame(number) for number in range(parity, 10, 2)]
        assert call.received == [b.frame(100 + number) for number in range(parity, 10, 2)]
        b.data(call).complete_all()


# Up.


@pytest.mark.rule("CD-05")
@pytest.mark.mutant("CD-05")
def test_mutant_indicates_a_list_of_two_frames(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.make_call()
    nbl = b.data(call).build(b.frame(1), b.frame(2))
    with expect_violation(b.ndis, "CD-05"):
        condis.mco_indicate_receive_net_buffer_lists(b.data(call).handle, nbl, 1)
    assert call.received == []
    free_nbl(nbl)


@pytest.mark.rule("CD-06")
def test_received_lists_are_returned_one_by_one_mixed_with_those_of_another_vc(cobench, kind):
    b = cobench(kind=kind)
    b.client.hold = True
    one, other = (b.client.make_call() for _ in range(2))
    b.data(one).indicate(*b.frames(4))
    b.data(one).indicate(*b.frames(4))
    b.data(other).indicate(*b.frames(3))
    held = [*one.held, *other.held]
    random.Random(1).shuffle(held)
    for number, nbl in enumerate(held):
        ndis.return_net_buffer_lists(b.client.open, ndis.chain([nbl]))
        assert len(b.fm.returned) == number + 1
    one.held.clear()
    other.held.clear()
    assert b.fm.returned == held


@pytest.mark.rule("CD-06")
def test_one_return_may_mix_vcs_and_connectionless_receives(cobench, kind):
    b = cobench(kind=kind, protocols=0)
    b.client.hold = True
    b.run(b.client.listen())
    call = b.client.make_call()
    b.data(call).indicate(b.frame(1))
    b.fm.indicate(b.frame(2))
    mixed = [*call.held, *b.client.held]
    call.held.clear()
    b.client.held.clear()
    ndis.return_net_buffer_lists(b.client.open, ndis.chain(mixed))
    assert set(b.fm.returned) == set(mixed)
    assert b.fm.adapter.statistics() == {"sends_outstanding": 0, "receives_outstanding": 0}


@pytest.mark.rule("CD-08")
def test_data_of_one_vc_is_never_seen_on_another(cobench, kind):
    b = cobench(kind=kind, clients=2)
    calls = [client.make_call() for client in b.clients for _ in range(2)]
    for number, call in enumerate(calls):
        b.data(call).indicate(b.frame(number))
    assert [call.received for call in calls] == [[b.frame(number)] for number in range(4)]
    assert [client.received for client in b.clients] == [[], []]


@pytest.mark.rule("CD-08")
def test_frames_of_a_closed_call_do_not_reach_the_one_that_follows(cobench, kind):
    b = cobench(kind=kind)
    old = b.client.make_call()
    b.signalling.pend.add("close_call")
    old.close()
    data = b.data(old)
    data.indicate(b.frame(1))  # in flight when it was closed
    b.signalling.finish_close(b.managed(old))
    b.signalling.pend.clear()
    old.delete()
    new = b.client.make_call()
    b.data(new).indicate(b.frame(2))
    assert (old.received, new.received) == ([], [b.frame(2)])


@pytest.mark.rule("CD-09", "R6-04")
def test_with_resources_the_miniport_has_its_lists_back_at_once(cobench, kind):
    b = cobench(kind=kind)
    b.client.hold = True
    call = b.client.make_call()
    nbls = b.data(call).indicate(*b.frames(3), flags=RESOURCES)
    assert (call.received, call.held, b.fm.return_calls) == (b.frames(3), [], 0)
    assert [nbl.ndis_custody.state for nbl in nbls] == ["home"] * 3


@pytest.mark.rule("CD-09", "R6-05")
def test_mutant_returns_what_was_lent_on_a_vc(cobench, kind):
    class Returns(FunctionalCoClient):
        def co_receive_net_buffer_lists(self, call, nbls, count, flags):
            ndis.return_net_buffer_lists(self.open, nbls)

    b = cobench(kind=kind, client=Returns)
    call = b.client.make_call()
    with expect_violation(b.ndis, "R6-05"):
        b.data(call).indicate(b.frame(), flags=RESOURCES)


@pytest.mark.rule("CD-09", "R6-05")
def test_mutant_relinks_what_was_lent_on_a_vc(cobench, kind):
    class Relinks(FunctionalCoClient):
        def co_receive_net_buffer_lists(self, call, nbls, count, flags):
            nbls.next = None

    b = cobench(kind=kind, client=Relinks)
    call = b.client.make_call()
    with expect_violation(b.ndis, "R6-05"):
        b.data(call).indicate(*b.frames(2), flags=RESOURCES)


def test_received_bytes_are_poisoned_when_they_are_home(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.make_call()
    (nbl,) = b.data(call).indicate(b.frame())
    assert nbl.first_net_buffer.tobytes() == b"\xdd" * 60


@pytest.mark.rule("R6-02")
def test_mutant_miscounts_what_it_indicates_on_a_vc(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.make_call()
    with expect_violation(b.ndis, "R6-02"):
        b.data(call).indicate_nbls([b.data(call).build(b.frame())], count=2)


@pytest.mark.rule("CD-13")
def test_a_status_of_a_vc_reaches_its_owner_alone(cobench, kind):
    b = cobench(kind=kind, clients=2)
    calls = [client.make_call() for client in b.clients]
    b.co.indicate_co_status(b.data(calls[1]), NdisStatus.WAN_LINE_DOWN, "why")
    assert [len(client.co_statuses) for client in b.clients] == [0, 1]
    assert b.clients[1].co_statuses == [(calls[1], NdisStatus.WAN_LINE_DOWN, "why")]


def test_a_status_of_the_adapter_reaches_every_client(cobench, kind):
    b = cobench(kind=kind, clients=2)
    b.co.indicate_co_status(None, NdisStatus.LINK_STATE)
    assert [client.co_statuses[0][0] for client in b.clients] == [None, None]


# Loopback and cancel.


@pytest.mark.rule("LB-11")
def test_a_send_that_asks_for_it_comes_back_on_the_same_vc_and_goes_out_too(cobench, kind):
    b = cobench(kind=kind, clients=2)
    call, other = (client.make_call(call_parameters()) for client in b.clients)
    second = b.client.make_call(call_parameters())
    call.send_nbls([call.build(b.frame(1), b.frame(2))], flags=LOOP)
    b.run()
    b.data(call).complete_all()
    assert (b.data(call).sent_frames, call.received) == (b.frames(3)[1:], b.frames(3)[1:])
    assert all(flags & NblFlags.IS_LOOPBACK_PACKET for flags in call.nbl_flags)
    assert (other.received, second.received) == ([], [])
    assert b.fm.returned == []  # the copies were NDIS's own


@pytest.mark.rule("LB-11")
@pytest.mark.parametrize(("flags", "receives"), [(0, True), (LOOP, False)])
def test_without_the_flag_or_on_a_vc_that_only_sends_nothing_comes_back(cobench, kind, flags, receives):
    b = cobench(kind=kind)
    call = b.client.make_call(call_parameters(receives=receives))
    call.send(b.frame(), flags=flags)
    b.run()
    b.data(call).complete_all()
    assert (call.received, b.data(call).sent_frames) == ([], [b.frame()])


@pytest.mark.rule("LB-11", "CC-09")
def test_a_copy_comes_back_while_a_change_of_its_vc_pends(cobench):
    b = cobench()
    call = b.client.make_call(call_parameters())
    b.co.pend.add("activate_vc")
    b.signalling.activate(b.managed(call), call_parameters(rate=7))
    call.send(b.frame(), flags=LOOP)
    b.run()
    b.co.complete_activate(b.data(call))
    b.data(call).complete_all()
    assert call.received == [b.frame()]


@pytest.mark.rule("LB-11", "CC-08")
def test_no_copy_comes_up_on_a_vc_that_has_been_deactivated_meanwhile(cobench):
    b = cobench(completion="inline")
    _, own = condis.co_create_vc(b.cm.open, None, b.cm)
    condis.cm_activate_vc(own, call_parameters())
    nbl = build_nbl(b.cm.pool, b.frame())
    nbl.source_handle = own
    condis.co_send_net_buffer_lists(own, nbl, LOOP)
    assert condis.cm_deactivate_vc(own) is NdisStatus.SUCCESS
    b.run()
    assert (b.cm.own, len(b.cm.own_completed)) == ([], 1)
    b.cm.completed += b.cm.own_completed
    condis.co_delete_vc(own)


@pytest.mark.rule("LB-11")
def test_a_looped_copy_outlives_send_call_and_vc(cobench, kind):
    b = cobench(kind=kind)
    b.client.hold = True
    call = b.client.make_call(call_parameters())
    call.send(b.frame(), flags=LOOP)
    b.run()
    b.data(call).complete_all()
    (copy,) = call.held
    b.end(call)
    assert copy.first_net_buffer.tobytes() == b.frame()
    ndis.return_net_buffer_lists(b.client.open, copy)


@pytest.mark.rule("LB-11")
def test_without_memory_a_copy_is_not_made_and_the_frame_goes_out(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.make_call(call_parameters())
    nbls = [call.build(frame) for frame in b.frames(3)]
    failed = refuse(b, kth=2)
    call.send_nbls(nbls, flags=LOOP)
    b.run()
    b.data(call).complete_all()
    assert failed() == 1
    assert (b.data(call).sent_frames, call.received) == (b.frames(3), [b.frame(0), b.frame(2)])


@pytest.mark.rule("CN-10")
def test_queued_sends_of_a_vc_are_cancelled_by_their_id(cobench, kind):
    b = cobench(kind=kind)
    call, other = (b.client.make_call() for _ in range(2))
    for number in range(10):
        call.send(b.frame(number), cancel_id=1 + number % 2)
    other.send(b.frame(), cancel_id=1)
    b.client.cancel(1)
    assert statuses(call) == [NdisStatus.SEND_ABORTED] * 5
    assert statuses(other) == [NdisStatus.SEND_ABORTED]
    b.data(call).complete_all()
    assert statuses(call) == [NdisStatus.SEND_ABORTED] * 5 + [NdisStatus.SUCCESS] * 5


class Nests(FunctionalCoClient):
    """Sends from its completions: nested deeper than eight they wait in NDIS (S6-24); then somebody cancels them."""

    depth = 0
    kept = ()

    def co_send_net_buffer_lists_complete(self, call, nbls, flags):
        super().co_send_net_buffer_lists_complete(call, nbls, flags)
        self.depth += 1
        if self.depth <= 12:
            call.send(self.a_frame, cancel_id=7)
        if self.depth == 12:
            self.kept = [len(call.open.vc.deferred)]
            self.canceller.cancel(7)
            self.kept.append(len(call.open.vc.deferred))


@pytest.mark.rule("CN-10", "CN-06")
@pytest.mark.parametrize("who", [0, 1], ids=["its sender", "another client"])
def test_what_ndis_keeps_of_a_vcs_sends_is_cancelled_there_by_its_sender_alone(cobench, kind, who):
    b = cobench(kind=kind, clients=2, client=Nests, completion="inline")
    b.client.a_frame, b.client.canceller = b.frame(), b.clients[who]
    call = b.client.make_call()
    call.send(b.frame())
    assert b.client.kept == [1, who]
    assert (NdisStatus.SEND_ABORTED in statuses(call)) is (who == 0)
    assert call.in_flight == 0


@pytest.mark.rule("CN-06", "CN-10")
def test_another_clients_sends_with_the_same_id_are_frowned_upon(cobench):
    b = cobench(clients=2)
    one, other = (client.make_call() for client in b.clients)
    one.send(b.frame(), cancel_id=5)
    with expect_violation(b.ndis, "CN-06"):
        other.send(b.frame(), cancel_id=5)
    one_data, other_data = b.data(one), b.data(other)
    one_data.complete_all()
    other_data.complete_all()
    two = b.client.make_call()
    two.send(b.frame(), cancel_id=5)  # nobody has the id in use any more
    b.data(two).complete_all()


# Ownership.


def test_mutant_completes_a_vcs_send_as_a_connectionless_one(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.make_call()
    (nbl,) = call.send(b.frame())
    with expect_violation(b.ndis, "S6-16"):
        ndis.complete_send_net_buffer_lists(b.fm.adapter, nbl)
    b.data(call).complete_all()


def test_mutant_completes_a_list_of_another_vc(cobench, kind):
    b = cobench(kind=kind)
    one, other = (b.client.make_call() for _ in range(2))
    (nbl,) = one.send(b.frame())
    with expect_violation(b.ndis, "S6-16"):
        condis.mco_complete_send_net_buffer_lists(b.data(other).handle, nbl)
    b.data(one).complete_all()
    assert (len(one.completed), other.completed) == (1, [])


def test_mutant_completes_a_vcs_send_twice(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.make_call()
    (nbl,) = call.send(b.frame())
    b.data(call).complete_all()
    with expect_violation(b.ndis, "S6-02"):
        b.data(call).complete(nbl)
    assert call.completion_calls == 1


def test_mutant_sends_a_list_that_is_out(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.make_call()
    (nbl,) = call.send(b.frame())
    with expect_violation(b.ndis, "S6-09"):
        call.send_nbls([nbl])
    b.data(call).complete_all()
    call.in_flight = 0


def test_mutant_writes_into_a_list_that_is_on_a_vc(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.make_call()
    (nbl,) = call.send(b.frame())
    nbl.first_net_buffer.mdl_chain.view[0] = 0xEE
    with expect_violation(b.ndis, "S6-09"):
        b.data(call).complete_all()


def test_mutant_touches_a_list_that_is_on_a_vc_from_its_handler(cobench, kind):
    """`full` names the handler that does it."""

    class Touches(FunctionalCoClient):
        def co_receive_net_buffer_lists(self, call, nbls, count, flags):
            self.sent.scratch = "mine"
            super().co_receive_net_buffer_lists(call, nbls, count, flags)

    b = cobench(kind=kind, client=Touches, verify="full")
    call = b.client.make_call()
    (b.client.sent,) = call.send(b.frame())
    with expect_violation(b.ndis, "MD-28"):
        b.data(call).indicate(b.frame())


def test_a_run_with_full_verification_is_clean(cobench, kind):
    b = cobench(kind=kind, verify="full", completion="deferred")
    call = b.client.make_call(call_parameters())
    for number in range(20):
        call.send(*b.frames(3), flags=LOOP if number % 2 else 0)
        b.data(call).indicate(*b.frames(2))
    b.run()
    assert len(call.completed) == 60
    assert len(call.received) == 40 + 30


def test_connectionless_traffic_goes_on_beside_the_calls(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.make_call()
    b.fp.send(b.frame(1))
    call.send(b.frame(2))
    b.fm.indicate(b.frame(3))
    b.data(call).indicate(b.frame(4))
    b.fm.complete_all()
    b.data(call).complete_all()
    assert (b.fm.sent_frames, b.fp.received) == ([b.frame(1)], [b.frame(3)])
    assert (b.data(call).sent_frames, call.received) == ([b.frame(2)], [b.frame(4)])


def test_a_call_manager_has_a_vc_of_its_own(cobench):
    b = cobench()
    _, own = condis.co_create_vc(b.cm.open, None, b.cm)
    condis.cm_activate_vc(own, call_parameters())
    nbl = build_nbl(b.cm.pool, b.frame(1))
    nbl.source_handle = own
    condis.co_send_net_buffer_lists(own, nbl)
    vc = b.co.vcs[0]
    vc.indicate(b.frame(2))
    vc.complete_all()
    assert (vc.sent_frames, b.cm.own) == ([b.frame(1)], [b.frame(2)])
    assert b.client.calls == []
    b.cm.completed += b.cm.own_completed
    condis.cm_deactivate_vc(own)
    condis.co_delete_vc(own)

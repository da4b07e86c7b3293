# SPDX-License-Identifier: Apache-2.0
"""Lightweight filters: order, bypass, own and foreign lists, queues, cancel, OIDs, status, attach and detach."""

from __future__ import annotations

import pytest

from hilnic import ndis
from hilnic.ndis import FilterState, NdisStatus, NetEvent, Oid, PacketFilter, ReceiveFlags
from hilnic.ndis.faults import DriverFault
from hilnic.testing import FunctionalFilter, expect_violation
from hilnic.testing.frames import free_nbl


def three(b, trace: list[str], **options) -> list[FunctionalFilter]:
    """Filters c, b, a from top to bottom, with one trace."""
    return [b.filter(name=name, trace=trace, **options) for name in "abc"]


# Order and identity.


@pytest.mark.rule("IM-15")
def test_filters_are_called_in_stack_order_down_and_reversed_up(bench):
    b = bench(completion="inline")
    trace: list[str] = []
    three(b, trace)
    trace.clear()
    b.fp.send(b.frame())
    assert trace == ["c send", "b send", "a send", "a complete", "b complete", "c complete"]
    trace.clear()
    b.fm.indicate(b.frame())
    assert trace == ["a receive", "b receive", "c receive", "c return", "b return", "a return"]


@pytest.mark.rule("ST-12")
def test_a_stack_pauses_from_the_top_and_restarts_from_the_bottom(bench):
    b = bench()
    trace: list[str] = b.fm.trace
    b.fp.trace = trace
    three(b, trace)
    trace.clear()
    b.run(ndis.pause_adapter(b.fm.adapter))
    assert trace == ["pause", "c pause", "b pause", "a pause", "pause"]
    trace.clear()
    b.run(ndis.restart_adapter(b.fm.adapter))
    assert trace == ["restart", "a restart", "b restart", "c restart", "restart"]
    assert b.fp.events[-2:] == [NetEvent.PAUSE, NetEvent.RESTART]


@pytest.mark.rule("IM-14")
def test_a_filter_without_handlers_is_bypassed_and_the_objects_are_the_same(bench):
    b = bench()
    fi = b.filter(bypass={name for name in vars(FunctionalFilter) if name.startswith(("send", "receive", "return"))})
    fi.trace.clear()
    sent = b.fp.send(*b.frames(3))
    assert b.fm.captured == sent
    b.fm.complete_all()
    assert [nbl for nbl, _ in b.fp.completed] == sent
    b.fp.hold = True
    indicated = b.fm.indicate(*b.frames(2))
    assert b.fp.held == indicated
    b.fp.give_back()
    assert (b.fm.returned, fi.trace) == (indicated, [])


@pytest.mark.rule("IM-14", "IM-06")
@pytest.mark.parametrize("bypass", [set(), {"send_net_buffer_lists_complete"}, {"send_net_buffer_lists"}])
def test_bytes_and_objects_are_identical_below_and_above_a_filter(bench, bypass):
    b = bench(protocols=2)
    b.filter(bypass=bypass)
    b.filter(bypass=bypass)
    first = b.fps[0].send(*b.frames(3), cuts=[5, 0, 9])
    second = b.fps[1].send(*b.frames(2))
    assert b.fm.captured == first + second
    assert b.fm.sent_frames == b.frames(3) + b.frames(2)
    b.fm.complete(second[1], first[2], second[0], first[0], first[1])
    assert [nbl for nbl, _ in b.fps[0].completed] == [first[2], first[0], first[1]]
    assert [nbl for nbl, _ in b.fps[1].completed] == [second[1], second[0]]


@pytest.mark.rule("IM-06", "S6-12")
def test_a_filter_with_a_queue_keeps_the_order(bench):
    b = bench()
    fi = b.filter()
    fi.queue = True
    for number in range(4):
        b.fp.send(b.frame(number))
    fi.pass_on()
    assert b.fm.sent_frames == b.frames(4)


@pytest.mark.rule("S6-12")
def test_three_calls_reach_the_miniport_as_the_concatenated_order(bench):
    b = bench()
    for numbers in ((0, 1), (2,), (3, 4, 5)):
        b.fp.send(*(b.frame(number) for number in numbers))
    assert b.fm.sent_frames == b.frames(6)


# Own and foreign lists.


@pytest.mark.rule("IM-12")
def test_own_and_foreign_completions_are_told_apart_in_any_order(bench):
    b = bench(protocols=2)
    low, high = b.filter(), b.filter()
    own_low = low.send(b.frame(1), b.frame(2))
    own_high = high.send(b.frame(3))
    foreign = [*b.fps[0].send(b.frame(4)), *b.fps[1].send(b.frame(5))]
    mixed = [foreign[1], own_low[1], own_high[0], foreign[0], own_low[0]]
    b.fm.complete(*mixed)
    assert [nbl for nbl, _ in low.finished] == [own_low[1], own_low[0]]
    assert [nbl for nbl, _ in high.finished] == own_high
    assert [fp.completed[0][0] for fp in b.fps] == foreign
    assert b.fp.open.sends_outstanding == b.fm.adapter.sends_outstanding == 0


@pytest.mark.rule("IM-12")
def test_what_a_filter_indicates_itself_comes_back_to_it_alone(bench):
    b = bench(protocols=2)
    low, high = b.filter(), b.filter()
    for fp in b.fps:
        fp.hold = True
    (own,) = low.indicate(b.frame(1))
    (theirs,) = b.fm.indicate(b.frame(2))
    assert [fp.received for fp in b.fps] == [[b.frame(1), b.frame(2)]] * 2
    b.fps[0].give_back()
    assert (low.indicated, b.fm.returned) == ([own], [])
    b.fps[1].give_back()
    assert (low.indicated, high.indicated, b.fm.returned) == ([], [], [theirs])


@pytest.mark.rule("IM-12")
def test_a_filter_lends_its_own_and_foreign_lists(bench):
    b = bench()
    fi = b.filter()
    fi.hold = True
    (kept,) = b.fm.indicate(b.frame(1))
    fi.indicate_held(flags=ReceiveFlags.RESOURCES)
    fi.indicate(b.frame(2), flags=ReceiveFlags.RESOURCES)
    assert b.fp.received == [b.frame(1), b.frame(2)]
    assert (fi.held, b.fm.returned) == ([kept], [])
    fi.give_back()
    assert b.fm.returned == [kept]


@pytest.mark.rule("IM-12")
def test_under_resources_the_miniport_owns_all_again_when_the_call_returns(bench):
    b = bench()
    b.filter()
    b.filter()
    b.fp.hold = True
    nbls = b.fm.indicate(*b.frames(3), flags=ReceiveFlags.RESOURCES)
    assert b.fp.received == b.frames(3)
    assert (b.fm.return_calls, b.fm.returned) == (0, nbls)


@pytest.mark.rule("S6-04")
def test_a_filter_may_separate_and_relink_what_it_holds(bench):
    b = bench()
    fi = b.filter()
    fi.queue = True
    nbl = b.fp.build(b.frame(1), b.frame(2), cuts=[20])
    b.fp.send_nbls([nbl])
    first = nbl.first_net_buffer
    second, first.next = first.next, None  # only the first frame goes on
    fi.pass_on(nbl)
    assert b.fm.sent_frames == [b.frame(1)]
    original = FunctionalFilter.send_net_buffer_lists_complete

    def relink(self, nbls, flags):
        first.next = second
        original(self, nbls, flags)

    fi.module.complete_handler = relink
    b.fm.complete_all()
    assert b.fp.completed == [(nbl, NdisStatus.SUCCESS)]


@pytest.mark.rule("S6-05")
def test_the_link_between_nbls_is_not_part_of_the_restored_form(bench):
    b = bench()
    sent = b.fp.send(*b.frames(4))
    b.fm.complete(*reversed(sent))
    assert [nbl for nbl, _ in b.fp.completed] == sent[::-1]


# Queues, cancel.


@pytest.mark.rule("IM-07", "CN-01", "CN-06")
def test_cancel_empties_the_filters_queue_and_goes_on_to_the_miniport(bench):
    b = bench(protocols=2)
    fi = b.filter()
    mine, other = (ndis.generate_partial_cancel_id(b.ndis) << 8 | 1 for _ in range(2))
    below, queued = [b.fp.build(f) for f in b.frames(2)], [b.fp.build(f) for f in b.frames(2)]
    for nbl in (*below, *queued):
        ndis.set_net_buffer_list_cancel_id(nbl, mine)
    b.fp.send_nbls(below)
    fi.queue = True
    b.fp.send_nbls(queued)
    (kept,) = (b.fps[1].build(b.frame(9)),)
    ndis.set_net_buffer_list_cancel_id(kept, other)
    b.fps[1].send_nbls([kept])
    ndis.cancel_send_net_buffer_lists(b.fp.open, mine)
    assert b.fp.completed == [(nbl, NdisStatus.SEND_ABORTED) for nbl in (*queued, *below)]
    assert (fi.queued, b.fm.cancelled, b.fps[1].completed) == ([kept], [mine], [])
    fi.pass_on()
    b.fm.complete_all()


@pytest.mark.rule("IM-15")
def test_a_filter_may_end_sends_itself(bench):
    b = bench()
    fi = b.filter()
    fi.queue = True
    sent = b.fp.send(*b.frames(3))
    fi.drop(sent[1], status=NdisStatus.FAILURE)
    fi.pass_on()
    b.fm.complete_all()
    assert [(nbl, status) for nbl, status in b.fp.completed] == [
        (sent[1], NdisStatus.FAILURE), (sent[0], NdisStatus.SUCCESS), (sent[2], NdisStatus.SUCCESS),
    ]  # fmt: skip
    assert b.fm.sent_frames == [b.frame(0), b.frame(2)]


# Pause, attach, detach.


@pytest.mark.rule("ST-03", "ST-05")
def test_a_pause_empties_the_filters_queue_with_paused(bench):
    b = bench()
    fi = b.filter()
    fi.queue = fi.hold = True
    b.fp.send(*b.frames(2))
    b.fm.indicate(b.frame(7))
    b.run(ndis.pause_adapter(b.fm.adapter))
    assert [status for _, status in b.fp.completed] == [NdisStatus.PAUSED] * 2
    assert (fi.module.state, len(b.fm.returned), b.fm.sent_frames) == (FilterState.PAUSED, 1, [])


@pytest.mark.rule("ST-03")
def test_a_filters_pause_waits_for_its_own_lists(bench):
    b = bench()
    fi = b.filter()
    fi.send(b.frame())
    paused = b.kernel.start(ndis.pause_adapter(b.fm.adapter))
    b.run()
    assert (paused, fi.module.state) == ([], FilterState.PAUSING)
    b.fm.complete_all()
    b.run()
    assert (paused, fi.module.state) == ([None], FilterState.PAUSED)


@pytest.mark.rule("ST-12")
def test_a_filter_whose_attach_raises_leaves_the_stack_running(bench):
    class Broken(FunctionalFilter):
        def attach(self, module):
            raise RuntimeError(module)

    b = bench(completion="inline")
    b.kernel.start(Broken(b.ndis, "broken").start())
    with pytest.raises(DriverFault, match=r"FilterDriver\(broken\) attach"):
        b.run()
    assert b.ndis.filter_drivers == []
    (nbl,) = b.fp.send(b.frame())
    assert b.fp.completed == [(nbl, NdisStatus.SUCCESS)]


@pytest.mark.rule("ST-12")
def test_attach_and_detach_pause_and_restart_a_running_stack(bench):
    b = bench(completion="inline")
    fi = b.filter()
    assert b.fp.events == [NetEvent.RESTART, NetEvent.PAUSE, NetEvent.RESTART]
    assert fi.module.state is FilterState.RUNNING
    b.fp.send(b.frame())
    b.run(ndis.detach_filter(fi.module))
    assert (b.fm.adapter.filters, fi.module.state) == ((), FilterState.DETACHED)
    b.fp.send(b.frame())
    assert [status for _, status in b.fp.completed] == [NdisStatus.SUCCESS] * 2


@pytest.mark.rule("ST-07")
def test_changes_of_a_stack_wait_for_each_other(bench):
    b = bench()
    fi = b.filter()
    ndis.restart_filter(fi.module)
    second = FunctionalFilter(b.ndis, "second")
    b.fis.append(second)
    pausing = b.kernel.start(ndis.pause_adapter(b.fm.adapter))
    attaching = b.kernel.start(second.start())
    detaching = b.kernel.start(ndis.detach_filter(fi.module))
    restarting = b.kernel.start(ndis.restart_adapter(b.fm.adapter))
    b.run()
    assert [len(each) for each in (pausing, attaching, detaching, restarting)] == [1, 1, 1, 1]
    assert (b.fm.adapter.state, b.fm.adapter.filters) == (ndis.AdapterState.RUNNING, (second.module,))


def test_a_filter_that_refuses_an_adapter_is_not_in_its_stack(bench):
    class Refusing(FunctionalFilter):
        def attach(self, module):
            self.module = module
            return NdisStatus.RESOURCES

    b = bench()
    fi = b.filter(Refusing)
    assert (b.fm.adapter.filters, fi.module.state) == ((), FilterState.DETACHED)
    assert b.fm.adapter.state is ndis.AdapterState.RUNNING


def test_a_filter_may_ask_for_its_own_restart(bench):
    b = bench()
    fi = b.filter()
    fi.trace.clear()
    ndis.restart_filter(fi.module)
    b.run()
    assert fi.trace == ["fi0 pause", "fi0 restart"]
    assert b.fp.events[-2:] == [NetEvent.PAUSE, NetEvent.RESTART]


@pytest.mark.rule("ST-06")
def test_a_filters_restart_may_pend(bench):
    class Slow(FunctionalFilter):
        def restart(self, parameters):
            return NdisStatus.PENDING

    b = bench()
    slow = Slow(b.ndis)
    attached = b.kernel.start(slow.start())
    b.run()
    assert (attached, slow.module.state) == ([], FilterState.RESTARTING)
    ndis.complete_filter_restart(slow.module, NdisStatus.SUCCESS)
    b.run()
    assert (attached, slow.module.state) == ([None], FilterState.RUNNING)
    with expect_violation(b.ndis, "ST-06"):
        ndis.complete_filter_restart(slow.module, NdisStatus.SUCCESS)


@pytest.mark.rule("ST-09")
def test_a_filter_that_cannot_restart_leaves_the_stack_paused(bench):
    class Broken(FunctionalFilter):
        works = True

        def restart(self, parameters):
            return NdisStatus.SUCCESS if self.works else NdisStatus.RESOURCES

    b = bench()
    fi = b.filter(Broken)
    b.run(ndis.pause_adapter(b.fm.adapter))
    fi.works = False
    assert b.run(ndis.restart_adapter(b.fm.adapter)) is NdisStatus.RESOURCES
    assert b.fm.adapter.state is ndis.AdapterState.PAUSED
    fi.works = True
    assert b.run(ndis.restart_adapter(b.fm.adapter)) is NdisStatus.SUCCESS


@pytest.mark.rule("ST-17")
def test_what_a_filter_sends_to_a_removed_or_resetting_adapter_comes_back(bench):
    b = bench()
    fi = b.filter()
    fi.queue = True
    (nbl,) = b.fp.send(b.frame())
    b.fm.adapter.removed = True
    b.fm.adapter.update_bindings()
    fi.pass_on()
    assert b.fp.completed == [(nbl, NdisStatus.NOT_ACCEPTED)]
    own = fi.send(b.frame())
    assert fi.finished == [(own[0], NdisStatus.NOT_ACCEPTED)]
    b.fm.adapter.removed = False
    b.fm.adapter.update_bindings()


# Requests and statuses.


@pytest.mark.rule("OI-17")
def test_requests_pass_filters_as_clones_and_each_original_ends_once(bench):
    b = bench()
    fis = [b.filter() for _ in range(3)]
    b.fm.answers[Oid.OID_GEN_VENDOR_DESCRIPTION] = b"hilnic"
    request = ndis.query(Oid.OID_GEN_VENDOR_DESCRIPTION, 16)
    assert b.run(b.fp.request(request)) is NdisStatus.SUCCESS
    assert request.answer() == b"hilnic"
    asked = [request, *(fi.requests[-1] for fi in fis), b.fm.oids[-1]]
    assert len({id(each) for each in asked}) == 4  # the top filter has the very request, all below have clones
    assert all(isinstance(each, ndis.OidRequest) for each in asked)
    assert b.ndis.oid_clones == {}


@pytest.mark.rule("OI-17")
@pytest.mark.parametrize("size", [0, 5, 16])
def test_a_clone_brings_the_sizes_back(bench, size):
    b = bench()
    b.filter()
    b.fm.answers[Oid.OID_GEN_VENDOR_DESCRIPTION] = b"hilnic"
    request = ndis.query(Oid.OID_GEN_VENDOR_DESCRIPTION, size)
    status = b.run(b.fp.request(request))
    expected = (NdisStatus.SUCCESS, 6, 0) if size == 16 else (NdisStatus.BUFFER_TOO_SHORT, 0, 6)
    assert (status, request.bytes_written, request.bytes_needed) == expected


def test_filter_sets_reach_the_miniport_through_filters(bench):
    b = bench()
    b.filter()
    b.run(b.fp.set_filter(PacketFilter.PROMISCUOUS))
    assert b.fm.packet_filter == PacketFilter.PROMISCUOUS


def test_a_filter_may_ask_below_while_it_holds_a_request(bench):
    class Curious(FunctionalFilter):
        own = None

        def oid_request(self, request):
            self.requests.append(request)
            self.own = ndis.query(Oid.OID_GEN_VENDOR_DESCRIPTION, 16)
            return ndis.filter_oid_request(self.module, self.own)

        def oid_request_complete(self, request, status):
            ndis.filter_complete_oid_request(self.module, self.requests[-1], ndis.answer_query(self.requests[-1], b"X"))

    b = bench()
    fi = b.filter(Curious)
    b.fm.answers[Oid.OID_GEN_VENDOR_DESCRIPTION] = b"hilnic"
    request = ndis.query(Oid.OID_GEN_VENDOR_DESCRIPTION, 16)
    assert b.run(b.fp.request(request)) is NdisStatus.SUCCESS
    assert (request.answer(), fi.own.answer()) == (b"X", b"hilnic")


@pytest.mark.rule("OI-18")
def test_a_cancelled_request_ends_through_the_filters(bench):
    b = bench()
    b.filter()
    b.fm.hold_oids = True
    request = ndis.query(Oid.OID_GEN_VENDOR_DESCRIPTION, 16)
    request.request_id = 7
    asked = b.kernel.start(b.fp.request(request))
    b.run()
    assert b.fm.held_oid is not None
    ndis.cancel_oid_request(b.fp.open, 7)
    b.run()
    assert asked == [NdisStatus.REQUEST_ABORTED]


@pytest.mark.rule("OI-20")
def test_a_status_reaches_all_bindings_and_a_filter_may_swallow_it(bench):
    b = bench(protocols=2)
    low, high = b.filter(), b.filter()
    b.fm.link(False)
    assert [len(each.statuses) for each in (low, high, *b.fps)] == [1, 1, 1, 1]
    low.swallow = True
    b.fm.link(True)
    assert [len(each.statuses) for each in (low, high, *b.fps)] == [2, 1, 1, 1]
    ndis.filter_indicate_status(low.module, low.statuses[-1])  # later, after all
    assert [len(each.statuses) for each in (low, high, *b.fps)] == [2, 2, 2, 2]


# Tidiness.


def test_a_filter_that_drops_received_frames_gives_them_back_itself(bench):
    b = bench()
    b.filter()
    fi = b.filter()
    fi.hold = True
    nbls = b.fm.indicate(*b.frames(3))
    fi.give_back(nbls[2], nbls[0])
    assert (b.fm.returned, b.fp.received) == ([nbls[2], nbls[0]], [])
    fi.indicate_held()
    assert b.fp.received == [b.frame(1)]


@pytest.mark.rule("ST-19")
def test_a_filter_that_leaves_a_pool_behind_is_named(bench):
    class Untidy(FunctionalFilter):
        def detach(self):
            self.trace.append("gone")

    b = bench()
    fi = b.filter(Untidy)
    with expect_violation(b.ndis, "ST-19") as found:
        b.run(ndis.detach_filter(fi.module))
    assert found[0].actor is fi.module


def test_filters_leave_the_counts_at_zero(bench):
    b = bench(protocols=3, completion="deferred")
    b.filter()
    b.filter()
    for number in range(20):
        b.fps[number % 3].send(*b.frames(3))
        b.fm.indicate(*b.frames(2))
    b.run()
    assert b.fm.adapter.statistics() == {"sends_outstanding": 0, "receives_outstanding": 0}
    for nbl in b.fm.returned:
        free_nbl(nbl)
    b.fm.returned.clear()

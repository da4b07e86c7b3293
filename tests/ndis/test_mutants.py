# SPDX-License-Identifier: Apache-2.0
"""Mutants: functional drivers that break one rule each, and are caught by exactly that rule.

A test marked `mutant("X")` is what `hilnic rules --check` looks for next to every rule that the verifier enforces.
Hardware services have theirs in test_hardware_services.py, the state machines in test_states.py.
"""

from __future__ import annotations

import pytest

from hilnic import ndis
from hilnic.ndis import NdisStatus, NdisViolation, NetEvent, Oid, ReceiveFlags, StatisticsInfo
from hilnic.ndis.nbl import NetBufferList
from hilnic.testing import FunctionalMiniport, FunctionalProtocol, NdisBench, expect_violation
from hilnic.testing.frames import build_nbl, free_nbl


def caught(rule: str):
    """Both markers at once."""

    def mark(test):
        return pytest.mark.rule(rule)(pytest.mark.mutant(rule)(test))

    return mark


# Send: what miniports do wrong.


@caught("S6-02")
def test_mutant_completes_an_nbl_twice(bench):
    b = bench()
    (nbl,) = b.fp.send(b.frame())
    b.fm.complete(nbl)
    with expect_violation(b.ndis, "S6-02") as found:
        b.fm.complete(nbl)
    assert "DOUBLE_COMPLETE" in str(found[0])
    assert b.fp.completion_calls == 1


def forget_the_second_frame(nbl: NetBufferList) -> None:
    nbl.first_net_buffer.next = None


def forget_the_second_mdl(nbl: NetBufferList) -> None:
    nbl.first_net_buffer.mdl_chain.next = None


def move_the_offset(nbl: NetBufferList) -> None:
    ndis.advance_net_buffer_data_start(nbl.first_net_buffer, 14)


def cut_the_length(nbl: NetBufferList) -> None:
    nbl.first_net_buffer.data_length -= 1


def swap_the_frames(nbl: NetBufferList) -> None:
    first = nbl.first_net_buffer
    nbl.first_net_buffer, first.next.next, first.next = first.next, first, None


def shorten_an_mdl(nbl: NetBufferList) -> None:
    nbl.first_net_buffer.mdl_chain.byte_count -= 1


def overwrite_the_out_of_band(nbl: NetBufferList) -> None:
    nbl.net_buffer_list_info[ndis.NblInfo.IEEE_8021Q] = 5


@caught("S6-04")
@pytest.mark.parametrize(
    "breach",
    [
        forget_the_second_frame,
        forget_the_second_mdl,
        move_the_offset,
        cut_the_length,
        swap_the_frames,
        shorten_an_mdl,
        overwrite_the_out_of_band,
    ],
)
def test_mutant_returns_a_list_in_another_form(bench, breach):
    b = bench()
    b.fp.send_nbls([b.fp.build(b.frame(1), b.frame(2), cuts=[20])])
    breach(b.fm.captured[0])
    with expect_violation(b.ndis, "S6-04") as found:
        b.fm.complete_all()
    assert "NBL_MUTATED" in str(found[0])


@pytest.mark.rule("S6-04")
def test_an_nbl_that_only_used_its_own_fields_is_not_mutated(bench):
    b = bench()
    (nbl,) = b.fp.send(b.frame())
    nbl.scratch, nbl.miniport_reserved[0] = "mine", "mine"
    nbl.first_net_buffer.miniport_reserved[2] = "mine"
    nbl.net_buffer_list_info[ndis.NblInfo.TCP_LARGE_SEND] = 1460  # a completion may report here (OF-09)
    b.fm.complete_all()
    assert b.fp.completed == [(nbl, NdisStatus.SUCCESS)]


@caught("S6-14")
def test_mutant_reports_success_for_an_oversize_frame(bench):
    b = bench()
    b.fp.send(b.frame(size=1519))
    with expect_violation(b.ndis, "S6-14"):
        b.fm.complete_all()


@caught("S6-15")
def test_mutant_completes_with_pending(bench):
    b = bench()
    b.fp.send(b.frame())
    with expect_violation(b.ndis, "S6-15"):
        b.fm.complete_all(NdisStatus.PENDING)


@caught("S6-15")
def test_mutant_completes_with_an_unheard_of_status(bench):
    b = bench()
    b.fp.send(b.frame())
    with expect_violation(b.ndis, "S6-15"):
        b.fm.complete_all(NdisStatus.NO_CABLE)
    assert b.ndis.report.violations == []  # a warning


@caught("S6-16")
@pytest.mark.parametrize("what", ["receive", "never sent", "freed", "foreign"])
def test_mutant_completes_what_it_does_not_hold(bench, what):
    b = bench()
    if what == "receive":
        nbl = b.fm.build(b.frame())
    elif what == "foreign":
        second = FunctionalMiniport(b.ndis, "second")
        b.run(second.start())
        (nbl,) = b.fp.send(b.frame())
        with expect_violation(b.ndis, "S6-16"):
            second.complete(nbl)
        b.fm.complete_all()
        return
    else:
        nbl = b.fp.build(b.frame())
        if what == "freed":
            free_nbl(nbl)
    with expect_violation(b.ndis, "S6-16"):
        b.fm.complete(nbl)


@caught("S6-16")
def test_mutant_frees_an_nbl_that_is_out(bench):
    b = bench()
    (nbl,) = b.fp.send(b.frame())
    with expect_violation(b.ndis, "S6-16"):
        ndis.free_net_buffer_list(nbl)
    b.fm.complete_all()


# Send: what protocols do wrong.


@caught("S6-07")
def test_mutant_forgets_the_source_handle_of_the_third_nbl(bench):
    b = bench()
    nbls = [b.fp.build(b.frame(n)) for n in range(3)]
    nbls[2].source_handle = None
    with expect_violation(b.ndis, "S6-07") as found:
        b.fp.send_nbls(nbls)
    assert b.fm.captured == nbls[:2]
    assert found[0].object is nbls[2]
    b.fm.complete_all()


@caught("S6-09")
def test_mutant_flips_a_byte_in_flight(bench):
    b = bench()
    (nbl,) = b.fp.send(b.frame())
    nbl.first_net_buffer.mdl_chain.view[30] ^= 1
    with expect_violation(b.ndis, "S6-09") as found:
        b.fm.complete_all()
    assert found[0].actor is b.fp.binding


@caught("S6-09")
def test_mutant_sends_an_nbl_that_is_pending(bench):
    b = bench()
    (nbl,) = b.fp.send(b.frame())
    with expect_violation(b.ndis, "S6-09"):
        ndis.send_net_buffer_lists(b.fp.open, nbl)
    b.fm.complete_all()
    assert b.fp.completion_calls == 1


@caught("S6-21")
@pytest.mark.parametrize("what", ["nothing", "a cycle", "no frame"])
def test_mutant_sends_an_impossible_list(bench, what):
    b = bench()
    nbls = [b.fp.build(b.frame(n)) for n in range(3)]
    first = ndis.chain(nbls)
    if what == "a cycle":
        nbls[2].next = nbls[0]
    elif what == "no frame":
        nbls[1].first_net_buffer = None
    with expect_violation(b.ndis, "S6-21"):
        ndis.send_net_buffer_lists(b.fp.open, None if what == "nothing" else first)


@caught("S6-22")
@pytest.mark.parametrize("what", ["hand-built", "freed", "a receive"])
def test_mutant_sends_what_is_not_its_own(bench, what):
    b = bench()
    b.fp.hold = True
    if what == "hand-built":
        nbl = NetBufferList(b.fp.pool, 0)
    elif what == "freed":
        nbl = b.fp.build(b.frame())
        free_nbl(nbl)
    else:
        (nbl,) = b.fm.indicate(b.frame())
    nbl.source_handle = b.fp.binding
    with expect_violation(b.ndis, "S6-22"):
        ndis.send_net_buffer_lists(b.fp.open, nbl)


@caught("S6-25")
def test_mutant_sends_after_its_pause_event(bench):
    b = bench()
    b.run(ndis.pause_adapter(b.fm.adapter))
    with expect_violation(b.ndis, "S6-25"):
        b.fp.send(b.frame())
    assert [status for _, status in b.fp.completed] == [NdisStatus.PAUSED]


# Layout.


@caught("MD-02")
def test_mutant_sends_with_a_current_mdl_that_disagrees_with_the_offset(bench):
    b = bench()
    nbl = b.fp.build(b.frame(), head=10)
    nbl.first_net_buffer.current_mdl_offset = 9
    with expect_violation(b.ndis, "MD-02"):
        b.fp.send_nbls([nbl])


@caught("MD-03")
def test_mutant_sends_more_bytes_than_the_chain_has(bench):
    b = bench()
    nbl = b.fp.build(b.frame())
    nbl.first_net_buffer.data_length += 1
    with expect_violation(b.ndis, "MD-03"):
        b.fp.send_nbls([nbl])


@caught("MD-03")
def test_mutant_indicates_more_bytes_than_the_chain_has(bench):
    b = bench()
    nbl = b.fm.build(b.frame())
    nbl.first_net_buffer.data_length += 1
    with expect_violation(b.ndis, "MD-03"):
        b.fm.indicate_nbls([nbl])


@caught("MD-09")
def test_mutant_changes_the_chain_of_a_held_receive(bench):
    b = bench()
    b.fp.hold = True
    b.fm.indicate(b.frame(), cuts=[20])
    b.fp.held[0].first_net_buffer.mdl_chain.next = None
    with expect_violation(b.ndis, "MD-09"):
        b.fp.give_back()


@caught("MD-17")
def test_mutant_takes_a_pair_from_a_pool_for_nbls_alone(bench):
    b = bench()
    alone = ndis.NetBufferListPoolParameters(allocate_net_buffer=False)
    pool = ndis.allocate_net_buffer_list_pool(b.ndis, alone)
    with expect_violation(b.ndis, "MD-17"):
        ndis.allocate_net_buffer_and_net_buffer_list(pool)


@caught("MD-20")
@pytest.mark.parametrize("context_size", [1, 15, 24])
def test_mutant_asks_for_a_crooked_context(bench, context_size):
    b = bench()
    with expect_violation(b.ndis, "MD-20"):
        ndis.allocate_net_buffer_list(b.fp.pool, context_size)


@caught("MD-21")
def test_mutant_destroys_a_pool_with_live_nbls(bench):
    b = bench()
    b.fp.build(b.frame())
    with expect_violation(b.ndis, "MD-21") as found:
        ndis.free_net_buffer_list_pool(b.fp.pool)
    assert "frames.py" in str(found[0])  # the allocation site


@caught("MD-22")
@pytest.mark.parametrize("direction", ["send", "receive"])
def test_mutant_gives_an_original_back_before_its_clone_is_freed(bench, direction):
    b = bench()
    b.fp.hold = True
    if direction == "send":
        (nbl,) = b.fp.send(b.frame())
        clone = ndis.allocate_clone_net_buffer_list(nbl, b.fm.pool)
    else:
        (nbl,) = b.fm.indicate(b.frame())
        clone = ndis.allocate_clone_net_buffer_list(nbl, b.fp.pool)
    with expect_violation(b.ndis, "MD-22"):
        (b.fm.complete_all if direction == "send" else b.fp.give_back)()
    ndis.free_clone_net_buffer_list(clone)


# Receive.


@caught("R6-01")
def test_mutant_indicates_without_its_handle(bench):
    b = bench()
    nbl = b.fm.build(b.frame())
    nbl.source_handle = None
    with expect_violation(b.ndis, "R6-01"):
        b.fm.indicate_nbls([nbl])
    assert b.fp.received == []


@caught("R6-02")
@pytest.mark.parametrize("error", [-1, 1])
def test_mutant_counts_its_list_wrongly(bench, error):
    b = bench()
    with expect_violation(b.ndis, "R6-02"):
        b.fm.indicate_nbls([b.fm.build(b.frame(n)) for n in range(3)], count=3 + error)


class ReturnsBorrowed(FunctionalProtocol):
    def receive_net_buffer_lists(self, nbls, port, count, flags):
        ndis.return_net_buffer_lists(self.open, nbls)


class Relinks(FunctionalProtocol):
    def receive_net_buffer_lists(self, nbls, port, count, flags):
        nbls.next = nbls.next.next


class Scribbles(FunctionalProtocol):
    def receive_net_buffer_lists(self, nbls, port, count, flags):
        nbls.first_net_buffer.mdl_chain.view[20] ^= 0xFF


@caught("R6-05")
@pytest.mark.parametrize(
    ("protocol", "word"),
    [(ReturnsBorrowed, "RETURN_UNDER_RESOURCES"), (Relinks, "CHAIN_CHANGED"), (Scribbles, "CHAIN_CHANGED")],
)
def test_mutant_does_not_leave_a_borrowed_list_alone(bench, protocol, word):
    b = bench(protocol=protocol)
    with expect_violation(b.ndis, "R6-05") as found:
        b.fm.indicate(*b.frames(3), flags=ReceiveFlags.RESOURCES)
    assert word in str(found[0])
    assert b.fm.return_calls == 0


@caught("R6-06")
def test_mutant_device_overwrites_a_held_frame(bench):
    b = bench()
    b.fp.hold = True
    (nbl,) = b.fm.indicate(b.frame())
    nbl.first_net_buffer.mdl_chain.view[40] ^= 1
    with expect_violation(b.ndis, "R6-06"):
        b.fp.give_back()


@caught("R6-09")
def test_mutant_indicates_an_nbl_that_is_out(bench):
    b = bench()
    b.fp.hold = True
    (nbl,) = b.fm.indicate(b.frame())
    with expect_violation(b.ndis, "R6-09"):
        b.fm.indicate_nbls([nbl])
    b.fp.give_back(nbl)


@caught("R6-10")
def test_mutant_returns_the_nbl_of_another_protocol(bench):
    b = bench(protocols=2)
    for fp in b.fps:
        fp.hold = True
    b.fm.indicate(b.frame())
    with expect_violation(b.ndis, "R6-10"):
        ndis.return_net_buffer_lists(b.fps[1].open, b.fps[0].held[0])


@caught("R6-10")
def test_mutant_returns_an_nbl_twice(bench):
    b = bench()
    b.fp.hold = True
    (nbl,) = b.fm.indicate(b.frame())
    b.fp.give_back(nbl)
    with expect_violation(b.ndis, "R6-10") as found:
        b.fp.give_back(nbl)
    assert "DOUBLE_RETURN" in str(found[0])


@caught("R6-11")
def test_mutant_indicates_two_frames_in_one_nbl(bench):
    b = bench()
    with expect_violation(b.ndis, "R6-11"):
        b.fm.indicate_nbls([b.fm.build(b.frame(1), b.frame(2))])


@caught("R6-16")
@pytest.mark.parametrize("flags", [0, ReceiveFlags.RESOURCES])
def test_mutant_indicates_while_paused(bench, flags):
    b = bench()
    b.run(ndis.pause_adapter(b.fm.adapter))
    with expect_violation(b.ndis, "R6-16"):
        b.fm.indicate(b.frame(), flags=flags)
    assert b.fp.received == []


# States.


@caught("ST-03")
def test_mutant_reports_its_pause_complete_with_a_send_out(bench):
    class Hasty(FunctionalMiniport):
        def pause(self, parameters):
            return NdisStatus.SUCCESS

    b = bench(miniport=Hasty)
    b.fp.send(b.frame())
    with expect_violation(b.ndis, "ST-03"):
        b.run(ndis.pause_adapter(b.fm.adapter))


@caught("ST-04")
def test_mutant_fails_its_pause(bench):
    class Failing(FunctionalMiniport):
        def pause(self, parameters):
            return NdisStatus.FAILURE

    b = bench(miniport=Failing)
    with expect_violation(b.ndis, "ST-04"):
        b.run(ndis.pause_adapter(b.fm.adapter))


@caught("ST-06")
@pytest.mark.parametrize("complete", [ndis.complete_pause, lambda a: ndis.complete_restart(a, NdisStatus.SUCCESS)])
def test_mutant_completes_a_pause_or_restart_that_is_not_pending(bench, complete):
    b = bench()
    with expect_violation(b.ndis, "ST-06"):
        complete(b.fm.adapter)


@caught("ST-06")
def test_mutant_answers_its_pause_and_completes_it_too(bench):
    class Both(FunctionalMiniport):
        def pause(self, parameters):
            ndis.complete_pause(self.adapter)
            return NdisStatus.SUCCESS

    b = bench(miniport=Both)
    with expect_violation(b.ndis, "ST-06"):
        b.run(ndis.pause_adapter(b.fm.adapter))


@caught("ST-06")
def test_mutant_completes_its_pause_twice(bench):
    class Twice(FunctionalMiniport):
        def pause(self, parameters):
            ndis.complete_pause(self.adapter)
            ndis.complete_pause(self.adapter)
            return NdisStatus.PENDING

    b = bench(miniport=Twice)
    with expect_violation(b.ndis, "ST-06"):
        b.run(ndis.pause_adapter(b.fm.adapter))


@caught("ST-06")
def test_mutant_completes_a_pnp_event_that_is_not_pending(bench):
    b = bench()
    with expect_violation(b.ndis, "ST-06"):
        ndis.complete_net_pnp_event(b.fp.open, ndis.NetPnpEvent(NetEvent.PAUSE), NdisStatus.SUCCESS)


@caught("ST-13")
def test_mutant_ends_its_reset_with_sends_pending(bench):
    class Keeping(FunctionalMiniport):
        def reset(self):
            return NdisStatus.SUCCESS, False

    b = bench(miniport=Keeping)
    b.fp.send(b.frame())
    with expect_violation(b.ndis, "ST-13"):
        b.run(ndis.reset_adapter(b.fm.adapter))


@caught("ST-15")
def test_mutant_completes_a_reset_that_nobody_asked_for(bench):
    b = bench()
    with expect_violation(b.ndis, "ST-15"):
        ndis.complete_reset(b.fm.adapter, NdisStatus.SUCCESS, False)


@caught("ST-18")
def test_mutant_indicates_status_after_its_halt(bench):
    b = bench()
    b.run(ndis.halt_adapter(b.fm.adapter))
    with expect_violation(b.ndis, "ST-18"):
        b.fm.link(up=False)


@caught("ST-19")
def test_mutant_keeps_its_pool_over_the_halt(bench):
    class Keeping(FunctionalMiniport):
        def halt(self, action):
            self.release()

    b = bench(miniport=Keeping)
    with expect_violation(b.ndis, "ST-19") as found:
        b.run(ndis.halt_adapter(b.fm.adapter))
    assert "fm rx" in str(found[0].object) or "pool" in str(found[0])


@caught("ST-21")
def test_mutant_deregisters_with_live_nbls(bench):
    b = bench()
    b.fp.build(b.frame())
    with expect_violation(b.ndis, "ST-21") as found:
        b.run(ndis.deregister_protocol_driver(b.fp.driver))
    assert "allocated at" in str(found[0])


@caught("ST-21")
def test_mutant_leaves_nbls_at_the_end_of_the_run(bench):
    b = bench()
    b.fp.build(b.frame())
    with expect_violation(b.ndis, "ST-21") as found:
        b.ndis.check_leaks()
    assert any("test_mutants.py" in str(violation) or "frames.py" in str(violation) for violation in found)


@caught("ST-22")
def test_mutant_ends_its_unbind_before_the_close(bench):
    class Hasty(FunctionalProtocol):
        def unbind_adapter(self, unbind_context):
            self._unbinding = unbind_context
            ndis.close_adapter(self.open)
            return NdisStatus.SUCCESS

    b = bench(protocol=Hasty)
    b.fp.send(b.frame())
    with expect_violation(b.ndis, "ST-22"):
        b.run(ndis.unbind_protocol(b.fp.open))
    b.fm.complete_all()
    b.run()


@caught("ST-22")
def test_mutant_opens_outside_of_its_bind(bench):
    b = bench()
    with expect_violation(b.ndis, "ST-22"):
        ndis.open_adapter(b.fp.driver, b.fp, ndis.OpenParameters(), b.fp._bind_context)


@caught("ST-22")
def test_mutant_refuses_its_bind_after_it_opened(bench):
    class Undecided(FunctionalProtocol):
        def bind_adapter(self, bind_context, parameters):
            super().bind_adapter(bind_context, parameters)
            return NdisStatus.FAILURE

    b = bench()
    second = Undecided(b.ndis, "second")
    with expect_violation(b.ndis, "ST-22"):
        b.run(second.start())


# OIDs.


@caught("OI-02")
@pytest.mark.parametrize("when", ["never pending", "twice", "as well"])
def test_mutant_completes_a_request_too_often(bench, when):
    class Eager(FunctionalMiniport):
        def oid_request(self, request):
            answer = super().oid_request(request)
            if when == "as well" and self.eager:
                ndis.complete_oid_request(self.adapter, request, answer)
            return answer

        eager = False

    b = bench(miniport=Eager)
    b.fm.eager, b.fm.hold_oids = True, when == "twice"
    request = ndis.query(Oid.OID_GEN_VENDOR_ID, 4)
    with expect_violation(b.ndis, "OI-02"):
        if when == "never pending":
            ndis.complete_oid_request(b.fm.adapter, request, NdisStatus.SUCCESS)
        else:
            b.kernel.start(b.fp.request(request))
            b.run()
        if when == "twice":
            b.fm.complete_oid(NdisStatus.SUCCESS)
            ndis.complete_oid_request(b.fm.adapter, request, NdisStatus.SUCCESS)
    b.run()


@caught("OI-02")
def test_mutant_issues_a_request_again_while_it_is_pending(bench):
    b = bench()
    b.fm.hold_oids = True
    request = ndis.query(Oid.OID_GEN_VENDOR_ID, 4)
    ndis.oid_request(b.fp.open, request)
    with expect_violation(b.ndis, "OI-02"):
        ndis.oid_request(b.fp.open, request)
    b.run()
    b.fm.complete_oid()
    b.run()


@caught("OI-03")
def test_mutant_completes_a_request_with_pending(bench):
    b = bench()
    b.fm.hold_oids = True
    b.kernel.start(b.fp.request(ndis.query(Oid.OID_GEN_VENDOR_ID, 4)))
    b.run()
    with expect_violation(b.ndis, "OI-03"):
        ndis.complete_oid_request(b.fm.adapter, b.fm.held_oid, NdisStatus.PENDING)
    b.fm.complete_oid()
    b.run()


@caught("OI-05")
def test_mutant_reports_more_bytes_than_the_buffer_has(bench):
    class Boasting(FunctionalMiniport):
        def answer(self, request):
            status = super().answer(request)
            if request.oid == Oid.OID_GEN_VENDOR_ID:
                request.bytes_written = len(request.buffer) + 1
            return status

    b = bench(miniport=Boasting)
    with expect_violation(b.ndis, "OI-05"):
        b.run(b.fp.request(ndis.query(Oid.OID_GEN_VENDOR_ID, 4)))


@caught("OI-13")
def test_mutant_counts_octets_that_do_not_add_up(bench):
    b = bench()
    b.fm.answers[Oid.OID_GEN_STATISTICS] = StatisticsInfo(if_hc_in_octets=60).pack()
    with expect_violation(b.ndis, "OI-13"):
        b.run(b.fp.request(ndis.query(Oid.OID_GEN_STATISTICS, 512)))


# The violation itself.


@pytest.mark.rule("S6-02")
def test_a_violation_is_raised_in_the_offenders_frame_and_tells_the_history():
    b = NdisBench(seed=7)
    (nbl,) = b.fp.send(b.frame())
    b.fm.complete(nbl)
    with pytest.raises(NdisViolation) as raised:
        b.fm.complete(nbl)
    lines = str(raised.value).splitlines()
    assert lines[0] == (
        f"S6-02 Adapter(fm, Running) NBL#{nbl.id} @{b.kernel.now_ns()}ns seed=7: "
        "Each NBL completes exactly once (DOUBLE_COMPLETE)"
    )
    assert [line.split()[0] for line in lines[1:3]] == ["at", "do:"]
    assert [line.split()[1:3] for line in lines[3:]] == [["allocated", "by"], ["sent", "by"], ["completed", "by"]]


def test_verify_off_keeps_silent():
    b = NdisBench(verify="off")
    (nbl,) = b.fp.send(b.frame())
    nbl.first_net_buffer.mdl_chain.view[0] ^= 1
    b.fm.complete_all()
    b.stop()
    assert b.ndis.report.violations == []


def test_expect_violation_fails_on_another_rule():
    b = NdisBench()
    with pytest.raises(AssertionError, match="expected .'S6-02'., found .'S6-21'."), expect_violation(b.ndis, "S6-02"):
        ndis.send_net_buffer_lists(b.fp.open, None)


def test_a_send_of_a_hand_made_object_names_the_rule_not_a_traceback(bench):
    b = bench()
    nbl = build_nbl(b.fp.pool, b.frame())
    with pytest.raises(NdisViolation, match="S6-07"):
        ndis.send_net_buffer_lists(b.fp.open, nbl)

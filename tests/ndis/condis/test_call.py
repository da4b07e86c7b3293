# SPDX-License-Identifier: Apache-2.0
"""Calls out and in, their parameters, their end in every state (CC-13 to CC-17, CC-20, CC-24 to CC-26)."""

from __future__ import annotations

import pytest

from hilnic.ndis import NdisStatus, condis
from hilnic.ndis.condis import CallFlags
from hilnic.ndis.condis.machines import CallState, VcState
from hilnic.testing import expect_violation
from hilnic.testing.co_bench import call_parameters
from hilnic.testing.co_cm import Signalling

SECOND = 1_000_000_000


@pytest.mark.rule("CC-13")
def test_a_call_manager_may_change_the_parameters_when_it_says_so(cobench, kind):
    b = cobench(kind=kind)
    b.signalling.pend.add("make_call")
    call = b.client.make_call(call_parameters(rate=5000))
    agreed = call_parameters(rate=4000, flags=CallFlags.CALL_PARAMETERS_CHANGED)
    b.signalling.connect(b.managed(call), agreed)
    assert call.parameters.call_manager.transmit.token_rate == 4000
    assert call.parameters.flags & CallFlags.CALL_PARAMETERS_CHANGED


@pytest.mark.rule("CC-13")
def test_a_call_manager_may_change_them_where_they_are_when_it_says_so(cobench, kind):
    b = cobench(kind=kind)
    b.signalling.pend.add("make_call")
    asked = call_parameters(rate=5000)
    call = b.client.make_call(asked)
    asked.call_manager.transmit = call_parameters(rate=4000).call_manager.transmit
    asked.flags |= CallFlags.CALL_PARAMETERS_CHANGED
    b.signalling.connect(b.managed(call), asked)
    assert call.parameters.call_manager.transmit.token_rate == 4000


@pytest.mark.rule("CC-13")
@pytest.mark.mutant("CC-13")
def test_mutant_client_writes_into_the_parameters_of_a_call_that_is_being_made(cobench, kind):
    b = cobench(kind=kind)
    b.signalling.pend.add("make_call")
    parameters = call_parameters(rate=5000)
    call = b.client.make_call(parameters)
    parameters.call_manager.transmit = call_parameters(rate=1).call_manager.transmit
    with expect_violation(b.ndis, "CC-13"):
        b.signalling.connect(b.managed(call))


@pytest.mark.rule("CC-13")
@pytest.mark.mutant("CC-13")
def test_mutant_call_manager_changes_the_parameters_and_says_nothing(cobench, kind):
    b = cobench(kind=kind)
    b.signalling.pend.add("make_call")
    call = b.client.make_call(call_parameters(rate=5000))
    with expect_violation(b.ndis, "CC-13"):
        b.signalling.connect(b.managed(call), call_parameters(rate=4000))


@pytest.mark.rule("CC-13")
@pytest.mark.mutant("CC-13")
@pytest.mark.parametrize("operation", ["modify_call_qos", "add_party"])
def test_mutant_client_writes_into_the_parameters_of_a_change_or_a_party(cobench, kind, operation):
    b = cobench(kind=kind)
    b.signalling.pend.add(operation)
    call = b.client.make_call(call_parameters(), party="one")
    parameters = call_parameters(rate=5000)
    if operation == "add_party":
        party = call.add_party("two", parameters)
    else:
        call.modify(parameters)
    parameters.media.receive_priority = 7
    with expect_violation(b.ndis, "CC-13"):
        if operation == "add_party":
            context = b.managed(call).parties[1]
            b.signalling.call("complete_add_party")(party.open, NdisStatus.SUCCESS, context, parameters)
        else:
            b.signalling.finish_modify(b.managed(call))


@pytest.mark.rule("CC-14")
def test_a_call_is_made_after_its_vc_is_active(cobench):
    b = cobench()
    b.co.pend.add("activate_vc")
    call = b.client.make_call()
    assert (call.status, b.client.heard[1:]) == (NdisStatus.PENDING, [])
    b.co.complete_activate(b.data(call))
    assert (call.status, b.client.heard[1:]) == (NdisStatus.SUCCESS, ["make_call_complete SUCCESS"])


class NeverActivates(Signalling):
    """Says that a call is made before its VC is active."""

    def make_call(self, vc, parameters, party):
        return NdisStatus.SUCCESS, None


@pytest.mark.rule("CC-14")
@pytest.mark.mutant("CC-14")
def test_mutant_makes_a_call_on_a_vc_that_is_not_active(cobench, kind):
    b = cobench(kind=kind, signals=NeverActivates)
    with expect_violation(b.ndis, "CC-14"):
        b.client.make_call()


@pytest.mark.rule("CC-14")
def test_a_failed_activation_fails_the_call_which_may_be_made_again(cobench):
    b = cobench()
    b.co.refuse["activate_vc"] = NdisStatus.CELLRATE_NOT_AVAILABLE
    call = b.client.make_call()
    assert call.status is NdisStatus.CELLRATE_NOT_AVAILABLE
    b.co.refuse.clear()
    status, _ = condis.cl_make_call(call.open, call_parameters())
    call.is_connected = status is NdisStatus.SUCCESS
    assert call.open.vc.call.state is CallState.CONNECTED


@pytest.mark.rule("CC-15")
def test_an_incoming_call_is_offered_answered_and_connected_in_this_order(cobench, kind):
    b = cobench(kind=kind, trace=True)
    b.client.pend.add("incoming_call")
    b.client.register_sap(b"here")
    b.signalling.offer(b"here")
    call = b.client.calls[0]
    assert (call.open.vc.state, call.open.vc.call.state) == (VcState.ACTIVE, CallState.OFFERED)
    b.client.accept(call)
    assert call.is_connected
    assert b.client.heard[1:] == ["create_vc", "incoming_call b'here'", "call_connected"]
    states = [fields["state"] for _, kind, fields in b.kernel.trace.events if kind in {"vc.state", "call.state"}]
    assert states == ["Activating", "Active", "Offered", "Accepted", "Connected"]


@pytest.mark.rule("CC-15")
def test_what_arrives_before_the_call_is_connected_waits_for_it(cobench, kind):
    b = cobench(kind=kind)
    b.client.pend.add("incoming_call")
    b.client.register_sap(b"here")
    b.signalling.offer(b"here")
    call = b.client.calls[0]
    b.data(call).indicate(b.frame(1), b.frame(2))
    assert call.received == []
    b.client.accept(call)
    b.data(call).indicate(b.frame(3))
    b.run()
    assert call.received == [b.frame(1), b.frame(2), b.frame(3)]


@pytest.mark.rule("CC-15")
@pytest.mark.mutant("CC-15")
def test_mutant_offers_a_call_on_an_inactive_vc(cobench, kind):
    class Hasty(Signalling):
        def activate(self, vc, parameters):
            return NdisStatus.SUCCESS

    b = cobench(kind=kind, signals=Hasty)
    b.client.register_sap(b"here")
    sap = b.signalling.afs[0].saps[b"here"]
    b.signalling.deactivate = lambda vc: NdisStatus.SUCCESS
    with expect_violation(b.ndis, "CC-15"):
        b.signalling.offer(b"here")
    assert sap.af.vcs == []


@pytest.mark.rule("CC-15")
@pytest.mark.mutant("CC-15")
def test_mutant_sends_on_a_call_that_is_not_connected(cobench, kind):
    b = cobench(kind=kind)
    b.signalling.pend.add("connected")
    call = b.incoming()
    with expect_violation(b.ndis, "CC-15"):
        call.send(b.frame())
    assert [status for _, status in call.completed] == [NdisStatus.VC_NOT_ACTIVATED]
    assert b.data(call).sent_frames == []


@pytest.mark.rule("CC-16")
@pytest.mark.parametrize("pends", [False, True])
def test_a_rejected_call_leaves_no_vc(cobench, kind, pends):
    b = cobench(kind=kind)
    b.client.register_sap(b"here")
    if pends:
        b.client.pend.add("incoming_call")
        b.signalling.offer(b"here")
        b.data(b.client.calls[0]).indicate(b.frame())  # somebody sends all the same: nobody sees it
        b.client.reject(b.client.calls[0])
    else:
        b.client.refuse["incoming_call"] = NdisStatus.FAILURE
        b.signalling.offer(b"here")
    assert (b.client.calls, b.co.vcs, b.signalling.vcs, b.fm.adapter.co.vcs) == ([], [], [], [])
    assert b.client.heard[-1] == "delete_vc"
    assert b.fm.adapter.receives_outstanding == 0


class KeepsRejected(Signalling):
    """Forgets to delete the VC of a call that was rejected."""

    def incoming_call_complete(self, vc, status, parameters):
        self.deactivate(vc)


@pytest.mark.rule("CC-16")
@pytest.mark.mutant("CC-16")
def test_mutant_leaks_the_vc_of_a_rejected_call(cobench, kind):
    b = cobench(kind=kind, signals=KeepsRejected)
    b.client.register_sap(b"here")
    b.client.refuse["incoming_call"] = NdisStatus.FAILURE
    b.signalling.offer(b"here")
    with expect_violation(b.ndis, "CC-16"):
        b.ndis.check_leaks()


@pytest.mark.rule("CC-17")
@pytest.mark.mutant("CC-17")
def test_mutant_sends_after_it_has_closed_the_call(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.make_call()
    b.signalling.pend.add("close_call")
    assert call.close() is NdisStatus.PENDING
    sent = list(b.data(call).sent_frames)
    with expect_violation(b.ndis, "CC-17"):
        call.send(b.frame())
    assert [status for _, status in call.completed] == [NdisStatus.CLOSING]
    assert b.data(call).sent_frames == sent


@pytest.mark.rule("CC-17", "CD-12")
@pytest.mark.mutant("CC-17")
def test_mutant_closes_with_sends_out_and_none_is_lost(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.make_call()
    call.send(*b.frames(5))
    data = b.data(call)
    with expect_violation(b.ndis, "CC-17"):
        assert call.close() is NdisStatus.PENDING
    data.complete(*data.captured[:4])
    assert (len(call.completed), call.is_closed) == (4, False)
    data.complete_all()
    assert [status for _, status in call.completed] == [NdisStatus.SUCCESS] * 5
    assert call.close_status is NdisStatus.SUCCESS


@pytest.mark.rule("CC-20", "CD-12")
def test_a_close_from_the_other_side_that_meets_one_which_still_drains_is_not_told(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.make_call()
    call.send(b.frame())
    with expect_violation(b.ndis, "CC-17"):
        assert call.close() is NdisStatus.PENDING
    b.signalling.hang_up(b.managed(call))  # it cannot know yet that the client has closed
    assert not [event for event in b.client.heard if event.startswith("incoming_close_call")]
    b.data(call).complete_all()
    b.run()
    assert (call.is_closed, len(call.completed)) == (True, 1)


@pytest.mark.rule("CC-20")
def test_a_close_from_the_other_side_is_answered_by_a_close(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.make_call()
    b.signalling.hang_up(b.managed(call), data=b"bye")
    assert b.client.heard[-1] == "incoming_close_call SUCCESS b'bye'"
    b.run()
    assert (call.is_closed, call.delete()) == (True, NdisStatus.SUCCESS)


@pytest.mark.rule("CC-20")
@pytest.mark.mutant("CC-20")
def test_mutant_never_answers_a_close_from_the_other_side(cobench, kind):
    b = cobench(kind=kind)
    b.client.closes_at_once = False
    call = b.client.make_call()
    with expect_violation(b.ndis, "CC-20"):
        b.signalling.hang_up(b.managed(call))
        b.kernel.run_for(11 * SECOND)


@pytest.mark.rule("CC-20")
def test_mutant_hangs_up_a_call_that_is_over(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.new_call()
    with expect_violation(b.ndis, "CC-20"):
        b.signalling.hang_up(b.managed(call))


@pytest.mark.rule("CC-24")
@pytest.mark.mutant("CC-24")
@pytest.mark.parametrize("handler", ["close_af", "close_call"])
def test_mutant_waits_inside_a_close_handler(cobench, kind, handler):
    class Waits(Signalling):
        async def wait(self, *_):
            return NdisStatus.SUCCESS

        def close_af(self, af):
            return self.wait() if handler == "close_af" else super().close_af(af)

        def close_call(self, vc, party, data):
            return self.wait() if handler == "close_call" else super().close_call(vc, party, data)

    b = cobench(kind=kind, signals=Waits)
    call = b.client.make_call()
    with expect_violation(b.ndis, "CC-24"):
        if handler == "close_call":
            call.close()
        else:
            b.client.close_family()


@pytest.mark.rule("CC-25")
@pytest.mark.parametrize("pends", [False, True])
def test_a_client_asks_for_another_quality_of_service(cobench, kind, pends):
    b = cobench(kind=kind)
    call = b.client.make_call(call_parameters(rate=1000))
    if pends:
        b.signalling.pend.add("modify_call_qos")
    status = call.modify(call_parameters(rate=2000))
    if pends:
        b.signalling.finish_modify(b.managed(call))
        assert b.client.heard[-1] == "modify_call_qos_complete SUCCESS"
    assert status is (NdisStatus.PENDING if pends else NdisStatus.SUCCESS)
    assert call.open.vc.parameters.call_manager.transmit.token_rate == 2000
    assert call.open.vc.call.state is CallState.CONNECTED


@pytest.mark.rule("CC-25")
def test_the_network_changes_the_quality_of_service(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.make_call(call_parameters(rate=1000))
    b.signalling.change(b.managed(call), call_parameters(rate=500))
    assert b.client.heard[-1] == "incoming_call_qos_change"
    assert call.parameters.call_manager.transmit.token_rate == 500
    assert call.open.vc.parameters.call_manager.transmit.token_rate == 500


@pytest.mark.rule("CC-25")
@pytest.mark.mutant("CC-25")
def test_mutant_changes_the_quality_of_a_call_that_is_not_connected(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.new_call()
    with expect_violation(b.ndis, "CC-25"):
        b.signalling.call("dispatch_incoming_call_qos_change")(b.managed(call).open, call_parameters())


@pytest.mark.rule("CC-26")
@pytest.mark.parametrize("while_", ["making", "activating", "accepted", "modifying", "left", "leaving", "withdrawn"])
def test_a_call_is_closed_in_every_state(cobench, while_):
    b = cobench()
    b.client.closes_at_once = False
    call = STATES[while_](b)
    call.close()
    if while_ == "activating":
        b.co.complete_activate(b.data(call))
        b.run()
    b.run()
    assert (call.is_closed, call.open.vc.call.state) == (True, CallState.CLOSED)
    if call.is_own:
        assert call.delete() is NdisStatus.SUCCESS
    assert b.co.vcs == []


def making(b):
    b.signalling.pend.add("make_call")
    return b.client.make_call()


def activating(b):
    b.co.pend.add("activate_vc")
    return b.client.make_call()


def accepted(b):
    b.signalling.pend.add("connected")
    return b.incoming()


def modifying(b):
    b.signalling.pend.add("modify_call_qos")
    call = b.client.make_call()
    call.modify(call_parameters(rate=7))
    return call


def left(b):
    call = b.client.make_call()
    b.signalling.hang_up(b.managed(call))
    return call


def leaving(b):
    call = modifying(b)
    b.signalling.hang_up(b.managed(call))
    return call


def withdrawn(b):
    b.client.pend.add("incoming_call")
    call = b.incoming()
    b.signalling.hang_up(b.managed(call))
    return call


STATES = {
    "making": making,
    "activating": activating,
    "accepted": accepted,
    "modifying": modifying,
    "left": left,
    "leaving": leaving,
    "withdrawn": withdrawn,
}


class ForgetsTheCall(Signalling):
    """Ends the close and never the call that was being made."""

    def close_call(self, vc, party, data):
        return NdisStatus.SUCCESS


@pytest.mark.rule("CC-26")
@pytest.mark.mutant("CC-26")
def test_mutant_closes_a_call_and_never_ends_its_making(cobench, kind):
    b = cobench(kind=kind, signals=ForgetsTheCall)
    b.signalling.pend.add("make_call")
    call = b.client.make_call()
    with expect_violation(b.ndis, "CC-26"):
        assert call.close() is NdisStatus.SUCCESS
    assert b.client.heard[-1] == "make_call_complete REQUEST_ABORTED"


@pytest.mark.rule("CC-26")
@pytest.mark.mutant("CC-26")
@pytest.mark.parametrize("event", ["close", "modify", "make"])
def test_mutant_does_what_its_call_is_not_ready_for(cobench, kind, event):
    b = cobench(kind=kind)
    call = b.client.make_call() if event == "make" else b.client.new_call()
    with expect_violation(b.ndis, "CC-26") as found:
        if event == "make":
            condis.cl_make_call(call.open, call_parameters())
        elif event == "close":
            call.close()
        else:
            call.modify(call_parameters())
    assert "in state" in found[0].detail


@pytest.mark.rule("CC-23")
def test_a_client_hears_the_same_of_both_kinds_of_call_manager(cobench):
    heard = []
    for kind in ("cm", "mcm"):
        b = cobench(kind=kind)
        play_everything(b)
        heard.append((b.client.heard, b.client.trace))
    assert heard[0] == heard[1]
    assert len(heard[0][0]) > 20


def play_everything(b):
    """Each kind of operation, answered at once and later."""
    call = b.client.make_call(call_parameters())
    call.send(*b.frames(3))
    b.data(call).complete_all()
    b.data(call).indicate(*b.frames(2))
    call.modify(call_parameters(rate=3))
    b.signalling.change(b.managed(call), call_parameters(rate=9))
    b.end(call)
    b.end(b.incoming())
    for operation in ("make_call", "modify_call_qos", "close_call", "add_party", "drop_party"):
        b.signalling.pend.add(operation)
    call = b.client.make_call(party="one")
    vc = b.managed(call)
    b.signalling.connect(vc)
    two = call.add_party("two", call_parameters())
    b.signalling.call("complete_add_party")(two.open, NdisStatus.SUCCESS, vc.parties[1], call_parameters())
    call.modify(call_parameters(rate=4))
    b.signalling.finish_modify(vc)
    two.drop(b"now")
    b.signalling.call("complete_drop_party")(two.open, NdisStatus.SUCCESS)
    call.close()
    b.signalling.finish_close(vc)
    call.delete()
    call = b.client.make_call()
    b.signalling.fail(b.managed(call))
    call.delete()
    b.signalling.pend.clear()
    b.client.refuse["incoming_call"] = NdisStatus.FAILURE
    b.signalling.offer(b"here")
    b.client.refuse.clear()
    call = b.incoming()
    b.signalling.hang_up(b.managed(call), data=b"bye")
    b.run()
    call = b.client.make_call(party="one")
    call.add_party("two", call_parameters())
    b.signalling.leave(b.managed(call).parties[0])
    call.parties[0].drop()
    call.parties.pop(0)
    b.signalling.hang_up(b.managed(call))
    b.run()
    call.delete()
    b.client.deregister_sap(b.client.saps[0])
    assert b.client.close_family() is NdisStatus.SUCCESS

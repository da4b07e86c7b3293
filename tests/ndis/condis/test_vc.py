# SPDX-License-Identifier: Apache-2.0
"""VCs: created and deleted synchronously by all, activated, changed and deactivated (CC-07 to CC-12, CC-22)."""

from __future__ import annotations

import pytest

from hilnic import ndis
from hilnic.ndis import NdisStatus, condis
from hilnic.ndis.condis.machines import VcState
from hilnic.testing import expect_violation
from hilnic.testing.co_bench import call_parameters
from hilnic.testing.co_cm import Signalling
from hilnic.testing.co_miniport import FunctionalCoMiniport


@pytest.mark.rule("CC-07")
def test_all_drivers_know_a_new_vc_when_its_creation_returns(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.new_call()
    assert (call.status, len(b.signalling.vcs), len(b.co.vcs)) == (NdisStatus.SUCCESS, 1, 1)
    assert call.delete() is NdisStatus.SUCCESS
    assert (b.signalling.vcs, b.co.vcs, b.client.opened.vcs) == ([], [], [])


@pytest.mark.rule("CC-07")
@pytest.mark.parametrize("kth", [1, 2])
def test_a_failure_of_the_miniport_undoes_the_call_managers_vc(cobench, kth):
    b = cobench()
    b.co.fail_at("create_vc", kth)
    answers = [b.client.new_call().status for _ in range(3)]
    assert answers.index(NdisStatus.RESOURCES) == kth - 1
    assert (len(b.signalling.vcs), len(b.co.vcs), len(b.client.opened.vcs)) == (2, 2, 2)


@pytest.mark.rule("CC-07")
def test_a_failure_of_the_peer_leaves_nothing_in_the_miniport(cobench, kind):
    b = cobench(kind=kind)
    b.signalling.script.fail_at("create_vc", 1)
    assert b.client.new_call().status is NdisStatus.RESOURCES
    assert (b.signalling.vcs, b.co.vcs, b.client.opened.vcs) == ([], [], [])


@pytest.mark.rule("CC-07")
def test_a_client_without_resources_gets_no_incoming_call(cobench, kind):
    b = cobench(kind=kind)
    b.client.register_sap(b"here")
    b.client.script.fail_at("create_vc", 1)
    status, _ = b.signalling.offer(b"here")
    assert (status, b.co.vcs, b.client.calls) == (NdisStatus.RESOURCES, [], [])


@pytest.mark.rule("CC-07")
@pytest.mark.mutant("CC-07")
def test_mutant_miniport_answers_pending_to_a_creation(cobench):
    class Pends(FunctionalCoMiniport):
        def create_vc(self, handle):
            _, vc = super().create_vc(handle)
            return NdisStatus.PENDING, vc

    b = cobench(co_miniport=Pends)
    with expect_violation(b.ndis, "CC-07"):
        assert b.client.new_call().status is NdisStatus.FAILURE
    assert (b.signalling.vcs, b.co.vcs) == ([], [])


@pytest.mark.rule("CC-07")
@pytest.mark.mutant("CC-07")
def test_mutant_call_manager_answers_pending_to_a_creation(cobench, kind):
    class Pends(Signalling):
        def create_vc(self, af, handle):
            _, vc = super().create_vc(af, handle)
            return NdisStatus.PENDING, vc

    b = cobench(kind=kind, signals=Pends)
    with expect_violation(b.ndis, "CC-07"):
        assert b.client.new_call().status is NdisStatus.FAILURE
    assert (b.signalling.vcs, b.co.vcs) == ([], [])


@pytest.mark.rule("CC-09")
def test_a_second_activation_brings_new_parameters(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.make_call(call_parameters(rate=1000))
    b.signalling.activate(b.managed(call), call_parameters(rate=2000))
    assert call.open.vc.parameters.call_manager.transmit.token_rate == 2000
    assert call.open.vc.state is VcState.ACTIVE


@pytest.mark.rule("CC-09")
@pytest.mark.parametrize("pends", [False, True])
def test_a_failed_change_leaves_the_old_parameters_working(cobench, pends):
    b = cobench()
    call = b.client.make_call(call_parameters(rate=1000))
    vc = b.managed(call)
    if pends:
        b.co.pend.add("activate_vc")
        assert b.signalling.activate(vc, call_parameters(rate=2000)) is NdisStatus.PENDING
        b.co.complete_activate(b.data(call), NdisStatus.INVALID_DATA)
    else:
        b.co.refuse["activate_vc"] = NdisStatus.INVALID_DATA
        assert b.signalling.activate(vc, call_parameters(rate=2000)) is NdisStatus.INVALID_DATA
    call.send(b.frame())
    b.data(call).complete_all()
    assert call.open.vc.parameters.call_manager.transmit.token_rate == 1000
    assert [status for _, status in call.completed] == [NdisStatus.SUCCESS]


@pytest.mark.rule("CC-09")
def test_data_pass_both_ways_while_a_change_pends(cobench):
    b = cobench()
    call = b.client.make_call()
    b.co.pend.add("activate_vc")
    assert b.signalling.activate(b.managed(call), call_parameters(rate=2000)) is NdisStatus.PENDING
    call.send(b.frame(1))
    b.data(call).indicate(b.frame(2))
    b.data(call).complete_all()
    b.co.complete_activate(b.data(call))
    assert ([status for _, status in call.completed], call.received) == ([NdisStatus.SUCCESS], [b.frame(2)])


@pytest.mark.rule("CC-09")
@pytest.mark.mutant("CC-09")
def test_mutant_activates_while_an_activation_pends(cobench):
    b = cobench()
    call = b.client.make_call()
    b.co.pend.add("activate_vc")
    b.signalling.activate(b.managed(call), call_parameters())
    with expect_violation(b.ndis, "CC-09"):
        b.signalling.activate(b.managed(call), call_parameters())
    b.co.complete_activate(b.data(call))


@pytest.mark.rule("CC-10")
def test_a_deactivation_waits_for_the_receive_that_the_client_holds(cobench, kind):
    b = cobench(kind=kind)
    b.client.hold = True
    call = b.client.make_call()
    b.data(call).indicate(b.frame())
    assert call.close() is NdisStatus.PENDING
    call.give_back()
    assert (call.close_status, call.open.vc.state) == (NdisStatus.SUCCESS, VcState.CREATED)
    call.delete()


@pytest.mark.rule("CC-10")
def test_what_the_nic_still_has_may_be_indicated_while_a_vc_is_being_deactivated(cobench):
    b = cobench()
    b.client.hold = True
    call = b.client.make_call()
    b.data(call).indicate(b.frame(1))
    assert call.close() is NdisStatus.PENDING
    assert call.open.vc.state is VcState.DEACTIVATING
    b.data(call).indicate(b.frame(2))
    assert (call.received, len(b.fm.returned)) == ([b.frame(1)], 1)  # its call is being closed: nobody sees it
    call.give_back()
    assert call.is_closed
    call.delete()


@pytest.mark.rule("CC-10")
def test_one_deactivation_undoes_many_activations(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.make_call()
    for rate in (1000, 2000, 3000):
        b.signalling.activate(b.managed(call), call_parameters(rate))
    b.end(call)
    assert b.co.vcs == []


@pytest.mark.rule("CC-10")
@pytest.mark.mutant("CC-10")
def test_mutant_miniport_deactivates_a_vc_that_has_sends(cobench):
    class Hasty(FunctionalCoMiniport):
        drains = False

    b = cobench(co_miniport=Hasty)
    call = b.client.make_call()
    call.send(b.frame())
    with expect_violation(b.ndis, "CC-10"):
        b.signalling.deactivate(b.managed(call))


@pytest.mark.rule("CC-10")
@pytest.mark.mutant("CC-10")
def test_mutant_deactivates_what_is_not_active(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.new_call()
    with expect_violation(b.ndis, "CC-10"):
        b.signalling.call("deactivate_vc")(b.managed(call).open)


@pytest.mark.rule("CC-11")
def test_a_vc_is_activated_and_deactivated_a_hundred_times(cobench):
    b = cobench()
    status, own = condis.co_create_vc(b.cm.open, None, b.cm)
    assert status is NdisStatus.SUCCESS
    for number in range(100):
        assert condis.cm_activate_vc(own, call_parameters()) is NdisStatus.SUCCESS
        nbl = b.cm.build(b.frame(number))
        nbl.source_handle = own
        condis.co_send_net_buffer_lists(own, nbl)
        b.co.vcs[0].complete_all()
        assert condis.cm_deactivate_vc(own) is NdisStatus.SUCCESS
    assert condis.co_delete_vc(own) is NdisStatus.SUCCESS
    b.cm.completed += b.cm.own_completed
    assert [status for _, status in b.cm.own_completed] == [NdisStatus.SUCCESS] * 100


@pytest.mark.rule("CC-12")
def test_a_vc_is_deleted_only_when_it_is_inactive(cobench):
    b = cobench()
    status, own = condis.co_create_vc(b.cm.open, None, b.cm)
    answers = {}
    b.co.pend.update({"activate_vc", "deactivate_vc"})
    condis.cm_activate_vc(own, call_parameters())
    answers["activating"] = condis.co_delete_vc(own)
    b.co.complete_activate(b.co.vcs[0])
    answers["active"] = condis.co_delete_vc(own)
    condis.cm_activate_vc(own, call_parameters(rate=7))
    answers["changing"] = condis.co_delete_vc(own)
    b.co.complete_activate(b.co.vcs[0])
    condis.cm_deactivate_vc(own)
    answers["deactivating"] = condis.co_delete_vc(own)
    b.co.check_drained(b.co.vcs[0])
    answers["inactive"] = condis.co_delete_vc(own)
    assert answers == {
        "activating": NdisStatus.NOT_ACCEPTED,
        "active": NdisStatus.NOT_ACCEPTED,
        "changing": NdisStatus.NOT_ACCEPTED,
        "deactivating": NdisStatus.CLOSING,
        "inactive": NdisStatus.SUCCESS,
    }
    assert status is NdisStatus.SUCCESS


@pytest.mark.rule("CC-12")
@pytest.mark.mutant("CC-12")
def test_mutant_deletes_a_vc_of_somebody_else(cobench):
    b = cobench()
    call = b.client.new_call()
    with expect_violation(b.ndis, "CC-12"):
        condis.co_delete_vc(b.managed(call).open)


@pytest.mark.rule("CC-12")
def test_a_vc_with_a_call_is_not_deleted(cobench, kind):
    b = cobench(kind=kind)
    b.signalling.pend.add("make_call")
    call = b.client.make_call()
    assert call.delete() is NdisStatus.NOT_ACCEPTED
    b.signalling.fail(b.managed(call))


@pytest.mark.rule("CC-04")
@pytest.mark.mutant("CC-04")
def test_mutant_uses_a_vc_that_it_has_deleted(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.new_call()
    call.delete()
    with expect_violation(b.ndis, "CC-04") as found:
        condis.cl_make_call(call.open, call_parameters())
    assert "STALE_HANDLE" in str(found[0])


@pytest.mark.rule("CC-22")
def test_an_mcm_is_asked_for_vcs_by_its_call_managers_half_alone(cobench):
    b = cobench(kind="mcm")  # its miniport's half raises when NDIS asks it for a VC
    call = b.incoming()
    b.end(call)
    assert b.ndis.calls["NdisMCmCreateVc"] == b.ndis.calls["NdisMCmDeleteVc"] == 1
    assert [name for name in b.ndis.calls if name.startswith(("NdisCm", "NdisCo"))] == []


@pytest.mark.rule("CC-22")
@pytest.mark.mutant("CC-22")
@pytest.mark.parametrize(("of", "uses"), [("cm", "mcm"), ("mcm", "cm")])
def test_mutant_call_manager_uses_the_others_functions(cobench, of, uses):
    b = cobench(kind=of)
    call = b.client.make_call()
    vc = b.managed(call).open
    with expect_violation(b.ndis, "CC-22"):
        getattr(condis, f"{uses}_activate_vc")(vc, call_parameters())


@pytest.mark.rule("CC-22")
@pytest.mark.mutant("CC-22")
def test_mutant_mcm_sends_and_deletes_as_a_protocol(cobench):
    b = cobench(kind="mcm")
    vc = b.incoming().open.vc.call_manager
    nbl = b.fm.build(b.frame())
    nbl.source_handle = vc
    with expect_violation(b.ndis, "CC-22"):
        condis.co_send_net_buffer_lists(vc, nbl)
        condis.co_delete_vc(vc)
    ndis.free_net_buffer_list(nbl)


def test_a_handle_of_another_driver_is_refused(cobench):
    b = cobench()
    call = b.client.make_call()
    with expect_violation(b.ndis, "OI-21"):
        condis.cm_deactivate_vc(call.open)
        condis.mco_complete_deactivate_vc(call.open, NdisStatus.SUCCESS)
        condis.cl_close_call(b.managed(call).open)


def test_the_creation_wants_the_callers_own_family(cobench):
    b = cobench(clients=2)
    one, other = b.clients
    assert condis.co_create_vc(one.open, other.opened, None) == (NdisStatus.FAILURE, None)
    assert condis.co_create_vc(one.open, None, None) == (NdisStatus.FAILURE, None)

# SPDX-License-Identifier: Apache-2.0
"""Address families and SAPs: who hears of them, when they open and close, which handles are dead (CC-01 to CC-06)."""

from __future__ import annotations

import pytest

from hilnic import ndis
from hilnic.ndis import NdisStatus, condis
from hilnic.ndis.kernel import Irql
from hilnic.testing import NdisBench, expect_violation
from hilnic.testing.co_client import FAMILY, FunctionalCoClient
from hilnic.testing.co_cm import FunctionalCallManager, Signalling


@pytest.mark.rule("CC-01")
def test_every_client_on_the_adapter_is_told_of_an_address_family(cobench, kind):
    b = cobench(kind=kind, clients=2)
    assert [client.heard for client in b.clients] == [["notify 1"], ["notify 1"]]
    assert [client.af_status for client in b.clients] == [NdisStatus.SUCCESS] * 2


@pytest.mark.rule("CC-01")
def test_clients_that_were_bound_before_the_call_manager_are_told_too(cobench):
    b = NdisBench(miniport=cobench().fm.__class__, protocols=0)
    client = b.add(FunctionalCoClient(b.ndis))
    assert client.families == []
    b.add(FunctionalCallManager(b.ndis))
    assert client.families == [FAMILY]
    client.close_family()
    b.stop()


@pytest.mark.rule("CC-01")
def test_opens_that_pend_change_nothing(cobench, kind):
    b = cobench(kind=kind, profile=ndis.Profile(pend_open=True))
    assert (b.client.heard, b.client.af_status) == (["notify 1"], NdisStatus.SUCCESS)
    b.end(b.client.make_call())


@pytest.mark.rule("CC-01")
def test_a_client_hears_at_passive_level_of_an_open_that_was_completed_at_dispatch(cobench, kind):
    """NdisCmOpenAddressFamilyComplete: up to DISPATCH_LEVEL; ProtocolClOpenAfCompleteEx: PASSIVE_LEVEL."""
    levels = []

    class Notes(FunctionalCoClient):
        def open_af_complete(self, af, status):
            levels.append(self.ndis.kernel.irql)
            super().open_af_complete(af, status)

    b = cobench(kind=kind, client=Notes)
    b.client.close_family()
    b.signalling.pend.add("open_af")
    assert b.client.open_family() is NdisStatus.PENDING
    af, context = b.client.opened, b.signalling.afs[0]
    complete = b.signalling.call("complete_open_address_family")
    b.kernel.queue_dpc(lambda: complete(af, NdisStatus.SUCCESS, context))
    b.run()
    assert (levels, b.client.af_status) == ([Irql.PASSIVE], NdisStatus.SUCCESS)
    b.signalling.pend.clear()
    b.end(b.client.make_call())


@pytest.mark.rule("CC-01")
def test_a_second_call_manager_of_the_same_family_is_refused(cobench, kind):
    b = cobench(kind=kind)
    second = b.add(FunctionalCallManager(b.ndis, "second"))
    assert second.registered is NdisStatus.FAILURE
    assert b.client.families == [FAMILY]


def test_another_family_on_the_same_adapter_is_fine(cobench):
    b = cobench()
    other = condis.CoAddressFamily(condis.AddressFamilyType.PPP)
    assert condis.cm_register_address_family(b.cm.open, other) is NdisStatus.SUCCESS
    b.client.opens_at_once = False
    b.run()
    assert [family.address_family for family in b.client.families] == [1, 6]
    assert condis.cm_deregister_address_family(b.cm.open, other) is NdisStatus.SUCCESS


def test_a_connectionless_adapter_has_no_address_families():
    b = NdisBench(protocols=0)
    manager = b.add(FunctionalCallManager(b.ndis))
    assert manager.registered is NdisStatus.NOT_SUPPORTED
    b.stop()


@pytest.mark.rule("CC-02")
@pytest.mark.mutant("CC-02")
def test_mutant_opens_an_address_family_that_it_has_not_been_told_of(cobench):
    b = cobench()
    with expect_violation(b.ndis, "CC-02"):
        assert b.client.open_family(condis.CoAddressFamily(condis.AddressFamilyType.PPP)) is NdisStatus.FAILURE


@pytest.mark.rule("CC-02")
def test_an_address_family_may_be_opened_later(cobench, kind):
    class Later(FunctionalCoClient):
        def __init__(self, *args):
            super().__init__(*args)
            self.opens_at_once = False

    b = cobench(kind=kind, client=Later)
    assert (b.client.families, b.client.af) == ([FAMILY], None)
    assert b.client.open_family() is NdisStatus.SUCCESS


@pytest.mark.rule("CC-03")
@pytest.mark.parametrize("what", ["vc", "sap"])
def test_a_family_with_vcs_or_saps_is_not_closed(cobench, kind, what):
    b = cobench(kind=kind)
    if what == "vc":
        b.client.new_call()
    else:
        b.client.register_sap(b"here")
    assert b.client.close_family() is NdisStatus.NOT_ACCEPTED
    assert b.client.make_call().status is NdisStatus.SUCCESS  # the handle is alive


@pytest.mark.rule("CC-03")
def test_a_close_may_pend_until_the_family_is_empty(cobench, kind):
    b = cobench(kind=kind)
    call, sap, af = b.client.make_call(), b.client.register_sap(b"here"), b.client.opened
    b.signalling.pend.add("close_af")
    assert b.client.close_family() is NdisStatus.PENDING
    b.end(call)
    assert b.client.deregister_sap(sap) is NdisStatus.SUCCESS
    b.signalling.call("complete_close_address_family")(af, NdisStatus.SUCCESS)
    assert (b.client.heard[-1], b.client.af) == ("close_af_complete SUCCESS", None)


class ClosesEarly(Signalling):
    """Answers SUCCESS whatever is still there."""

    def close_af(self, af):
        self.afs.remove(af)
        return NdisStatus.SUCCESS


@pytest.mark.rule("CC-03")
@pytest.mark.mutant("CC-03")
@pytest.mark.parametrize("what", ["vc", "sap"])
def test_mutant_closes_a_family_that_has_a_vc_or_a_sap(cobench, kind, what):
    b = cobench(kind=kind, signals=ClosesEarly)
    if what == "vc":
        b.client.new_call()
    else:
        b.client.register_sap(b"here")
    with expect_violation(b.ndis, "CC-03"):
        b.client.close_family()


@pytest.mark.rule("CC-04")
@pytest.mark.mutant("CC-04")
@pytest.mark.parametrize("use", ["register", "create", "close"])
def test_mutant_uses_an_address_family_after_its_close(cobench, kind, use):
    b = cobench(kind=kind)
    af = b.client.opened
    b.signalling.pend.add("close_af")
    assert condis.cl_close_address_family(af) is NdisStatus.PENDING
    uses = {"register": b.client.register_sap, "create": lambda _: b.client.new_call(), "close": lambda _: None}
    with expect_violation(b.ndis, "CC-04") as found:
        if use == "close":
            condis.cl_close_address_family(af)
        else:
            uses[use](b"x")
    assert "STALE_HANDLE" in str(found[0])


@pytest.mark.rule("CC-04")
def test_mutant_deregisters_a_sap_twice(cobench, kind):
    b = cobench(kind=kind)
    sap = b.client.register_sap(b"here")
    b.client.deregister_sap(sap)
    with expect_violation(b.ndis, "CC-04"):
        condis.cl_deregister_sap(sap.handle)


@pytest.mark.rule("CC-05")
def test_a_sap_that_is_taken_is_in_use_and_a_bad_one_invalid(cobench, kind):
    b = cobench(kind=kind, clients=2)
    assert b.clients[0].register_sap(b"here").status is NdisStatus.SUCCESS
    assert b.clients[1].register_sap(b"here").status is NdisStatus.SAP_IN_USE
    assert b.clients[1].register_sap(b"").status is NdisStatus.INVALID_SAP
    assert [len(client.opened.saps) for client in b.clients] == [1, 0]


@pytest.mark.rule("CC-06")
def test_deregistering_a_sap_leaves_its_calls_alone(cobench, kind):
    b = cobench(kind=kind)
    call = b.incoming(b"here")
    b.client.deregister_sap(b.client.saps[0])
    call.send(b.frame())
    b.data(call).complete_all()
    b.data(call).indicate(b.frame(1))
    assert ([status for _, status in call.completed], call.received) == ([NdisStatus.SUCCESS], [b.frame(1)])


@pytest.mark.rule("CC-06")
def test_a_sap_that_is_being_deregistered_gets_no_new_call(cobench, kind):
    b = cobench(kind=kind)
    sap = b.client.register_sap(b"here")
    known = b.signalling.afs[0].saps[b"here"]
    b.signalling.pend.add("deregister_sap")
    assert b.client.deregister_sap(sap) is NdisStatus.PENDING
    b.signalling.afs[0].saps[b"here"] = known  # the network's call has crossed
    status, _ = b.signalling.offer(b"here")
    assert status is NdisStatus.INVALID_SAP
    assert "incoming_call b'here'" not in b.client.heard
    del b.signalling.afs[0].saps[b"here"]
    b.signalling.call("complete_deregister_sap")(sap.handle, NdisStatus.SUCCESS)


def test_a_call_manager_asks_its_clients_to_leave(cobench, kind):
    b = cobench(kind=kind)
    b.client.pend.add("notify_close_af")
    af = b.client.opened
    assert b.signalling.call("notify_close_address_family")(af) is NdisStatus.PENDING
    assert b.signalling.call("notify_close_address_family")(af) is NdisStatus.FAILURE  # it is leaving already
    condis.cl_complete_notify_close_address_family(af, NdisStatus.SUCCESS)
    assert b.signalling.script.asked[-1] == "notify_close_af_complete SUCCESS"


def test_a_binding_with_an_open_family_does_not_close(cobench):
    b = cobench()
    with expect_violation(b.ndis, "ST-22"):
        assert ndis.close_adapter(b.client.open) is NdisStatus.FAILURE


def test_a_family_with_clients_is_not_deregistered(cobench, kind):
    b = cobench(kind=kind)
    owner = b.cm.open if kind == "cm" else b.fm.adapter
    deregister = b.signalling.call("deregister_address_family")
    assert deregister(owner, FAMILY) is NdisStatus.NOT_ACCEPTED
    b.client.close_family()
    assert deregister(owner, FAMILY) is NdisStatus.SUCCESS
    assert b.client.open_family() is NdisStatus.FAILURE

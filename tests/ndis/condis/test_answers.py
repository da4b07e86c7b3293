# SPDX-License-Identifier: Apache-2.0
"""The twelve functions that may pend: an answer or one completion, never both, never neither (CC-21)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hilnic.ndis import NdisStatus, condis
from hilnic.testing import expect_violation
from hilnic.testing.co_bench import call_parameters
from hilnic.testing.co_client import FunctionalCoClient

OK = NdisStatus.SUCCESS


class LateClient(FunctionalCoClient):
    """Opens no family by itself."""

    def __init__(self, *args):
        super().__init__(*args)
        self.opens_at_once = False


def open_af(b):
    b.client.af_status, b.client.af = condis.cl_open_address_family(b.client.open, b.client.families[0], b.client)
    return b.client.af_status


def end_open_af(b):
    b.signalling.call("complete_open_address_family")(b.client.af, OK, b.signalling.afs[0])


def close_af(b):
    b.af = b.client.opened
    return b.client.close_family()


def end_close_af(b):
    b.signalling.call("complete_close_address_family")(b.af, OK)


def register_sap(b):
    b.sap = b.client.register_sap(b"here")
    return b.sap.status


def end_register_sap(b):
    b.signalling.call("complete_register_sap")(b.sap.handle, OK, b.signalling.afs[0].saps[b"here"])


def deregister_sap(b):
    if not b.client.saps:
        b.client.register_sap(b"here")
    b.sap = b.client.saps[0]
    return b.client.deregister_sap(b.sap)


def end_deregister_sap(b):
    b.signalling.call("complete_deregister_sap")(b.sap.handle, OK)


def make_call(b):
    b.call = b.client.make_call(call_parameters())
    return b.call.status


def end_make_call(b):
    b.signalling.connect(b.managed(b.call))


def close_call(b):
    b.call = b.client.make_call()
    return b.call.close()


def end_close_call(b):
    b.signalling.finish_close(b.managed(b.call))


def modify(b):
    b.call = b.client.make_call()
    return b.call.modify(call_parameters(rate=3))


def end_modify(b):
    b.signalling.finish_modify(b.managed(b.call))


def add_party(b):
    b.call = b.client.make_call(party="one")
    b.party = b.call.add_party("two", call_parameters())
    return b.party.status


def end_add_party(b):
    context = b.managed(b.call).parties[1]
    b.signalling.call("complete_add_party")(b.party.open, OK, context, call_parameters())


def drop_party(b):
    b.call = b.client.make_call(party="one")
    b.party = b.call.add_party("two", call_parameters())
    status = b.party.drop()
    if status is OK:
        b.call.parties.remove(b.party)
    return status


def end_drop_party(b):
    b.signalling.call("complete_drop_party")(b.party.open, OK)


CLIENTS = {
    "open_af": (open_af, end_open_af, "open_af_complete"),
    "close_af": (close_af, end_close_af, "close_af_complete"),
    "register_sap": (register_sap, end_register_sap, "register_sap_complete"),
    "deregister_sap": (deregister_sap, end_deregister_sap, "deregister_sap_complete"),
    "make_call": (make_call, end_make_call, "make_call_complete"),
    "close_call": (close_call, end_close_call, "close_call_complete"),
    "modify_call_qos": (modify, end_modify, "modify_call_qos_complete"),
    "add_party": (add_party, end_add_party, "add_party_complete"),
    "drop_party": (drop_party, end_drop_party, "drop_party_complete"),
}


def tidy(b):
    """What the bench's own end does not know."""
    for call in list(b.client.calls):
        while len(call.parties) > 1:
            call.parties[-1].drop()
            b.run()
            if len(call.parties) > 1 and call.parties[-1].handle.vc.call.parties == [call.parties[0].handle]:
                call.parties.pop()


@pytest.mark.rule("CC-21")
@pytest.mark.parametrize("operation", CLIENTS)
def test_an_operation_that_is_answered_has_no_completion(cobench, kind, operation):
    begin, _, callback = CLIENTS[operation]
    b = cobench(kind=kind, client=LateClient)
    if operation != "open_af":
        b.client.open_family()
    assert begin(b) is OK
    b.run()
    assert [event for event in b.client.heard if event.startswith(callback)] == []
    tidy(b)


@pytest.mark.rule("CC-21")
@pytest.mark.parametrize("operation", CLIENTS)
def test_an_operation_that_pends_has_exactly_one(cobench, kind, operation):
    begin, end, callback = CLIENTS[operation]
    b = cobench(kind=kind, client=LateClient)
    if operation != "open_af":
        b.client.open_family()
    b.signalling.pend.add(operation)
    assert begin(b) is NdisStatus.PENDING
    assert [event for event in b.client.heard if event.startswith(callback)] == []
    end(b)
    assert [event.split()[:2] for event in b.client.heard if event.startswith(callback)] == [[callback, "SUCCESS"]]
    b.signalling.pend.clear()
    tidy(b)


@pytest.mark.rule("CC-21")
@pytest.mark.mutant("CC-21")
@pytest.mark.parametrize("operation", ["open_af", "close_af", "register_sap", "deregister_sap"])
def test_mutant_completes_what_it_has_answered(cobench, kind, operation):
    begin, end, _ = CLIENTS[operation]
    b = cobench(kind=kind, client=LateClient)
    if operation != "open_af":
        b.client.open_family()
    b.signalling.pend.add(operation)
    begin(b)
    context = b.signalling.afs[0] if b.signalling.afs else None
    end_args = end
    if operation == "register_sap":
        assert context is not None
    end_args(b)
    with expect_violation(b.ndis, "CC-21"):
        if operation == "open_af":
            b.signalling.call("complete_open_address_family")(b.client.af, OK, context)
        elif operation == "deregister_sap":
            b.signalling.call("complete_deregister_sap")(b.sap.handle, OK)
        else:
            end(b)


@pytest.mark.rule("CC-21")
@pytest.mark.mutant("CC-21")
def test_mutant_completes_with_pending(cobench, kind):
    b = cobench(kind=kind)
    b.signalling.pend.add("make_call")
    call = b.client.make_call()
    vc = b.managed(call)
    with expect_violation(b.ndis, "CC-21"):
        b.signalling.fail(vc, NdisStatus.PENDING)


@pytest.mark.rule("CC-21")
@pytest.mark.mutant("CC-21")
def test_mutant_answers_and_completes_as_well(cobench, kind):
    b = cobench(kind=kind)

    def register(af, sap, handle):
        b.signalling.call("complete_register_sap")(handle, OK, None)
        return OK, None

    af = b.client.opened.provider
    af.handlers = replace(af.handlers, register_sap=register)
    with expect_violation(b.ndis, "CC-21"):
        b.client.register_sap(b"here")
    assert [event for event in b.client.heard if "register_sap" in event] == ["register_sap_complete SUCCESS b'here'"]


@pytest.mark.rule("CC-21")
def test_a_completion_may_come_inside_the_call(cobench, kind):
    b = cobench(kind=kind)

    provider = b.client.opened.provider
    original = provider.handlers.register_sap

    def register(af, sap, handle):
        status, context = original(af, sap, handle)
        b.signalling.call("complete_register_sap")(handle, status, context)
        return NdisStatus.PENDING, None

    provider.handlers = replace(provider.handlers, register_sap=register)
    assert b.client.register_sap(b"here").status is NdisStatus.PENDING
    assert b.client.heard[-1] == "register_sap_complete SUCCESS b'here'"


@pytest.mark.rule("CC-21")
@pytest.mark.parametrize("operation", ["activate_vc", "deactivate_vc"])
@pytest.mark.parametrize("pends", [False, True])
def test_activation_and_deactivation_are_answered_once(cobench, operation, pends):
    b = cobench()
    _, own = condis.co_create_vc(b.cm.open, None, b.cm)
    heard = b.signalling.script.asked
    if operation == "deactivate_vc":
        condis.cm_activate_vc(own, call_parameters())
    if pends:
        b.co.pend.add(operation)
    told = []
    provider = own.vc.provider
    provider.handlers = replace(
        provider.handlers,
        activate_vc_complete=lambda *_: told.append("activate_vc"),
        deactivate_vc_complete=lambda *_: told.append("deactivate_vc"),
    )
    data = b.co.vcs[0]
    if operation == "activate_vc":
        status = condis.cm_activate_vc(own, call_parameters())
        if pends:
            b.co.complete_activate(data)
        b.co.pend.clear()
        condis.cm_deactivate_vc(own)
    else:
        status = condis.cm_deactivate_vc(own)
        if pends:
            b.co.check_drained(data)
    assert status is (NdisStatus.PENDING if pends else OK)
    assert told == ([operation] if pends else [])
    assert heard == ["open_af"]
    condis.co_delete_vc(own)


@pytest.mark.rule("CC-21")
@pytest.mark.parametrize("pends", [False, True])
def test_an_incoming_call_is_answered_once(cobench, kind, pends):
    b = cobench(kind=kind)
    told = []
    provider = b.client.opened.provider
    provider.handlers = replace(provider.handlers, incoming_call_complete=lambda *args: told.append(args[1]))
    if pends:
        b.client.pend.add("incoming_call")
    call = b.incoming()
    if pends:
        b.client.accept(call)
        b.signalling.accepted(b.managed(call))
    assert told == ([OK] if pends else [])
    assert call.is_connected

# SPDX-License-Identifier: Apache-2.0
"""Multipoint calls: parties come and go, and the last one goes with the call (CC-18, CC-19)."""

from __future__ import annotations

import pytest

from hilnic.ndis import NdisStatus, condis
from hilnic.testing import expect_violation
from hilnic.testing.co_bench import call_parameters


def three_parties(b):
    call = b.client.make_call(call_parameters(), party="one")
    call.add_party("two", call_parameters())
    call.add_party("three", call_parameters())
    return call


@pytest.mark.rule("CC-18")
def test_the_others_are_dropped_before_the_call_is_closed_with_the_last(cobench, kind):
    b = cobench(kind=kind)
    call = three_parties(b)
    assert [party.status for party in call.parties[1:]] == [NdisStatus.SUCCESS] * 2
    for party in list(call.parties[:2]):
        assert party.drop() is NdisStatus.SUCCESS
        call.parties.remove(party)
    assert call.close() is NdisStatus.SUCCESS
    assert call.delete() is NdisStatus.SUCCESS


@pytest.mark.rule("CC-18")
@pytest.mark.mutant("CC-18")
def test_mutant_closes_a_call_that_has_two_parties(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.make_call(party="one")
    call.add_party("two", call_parameters())
    with expect_violation(b.ndis, "CC-18"):
        assert call.close() is NdisStatus.FAILURE
    assert len(b.managed(call).parties) == 2


@pytest.mark.rule("CC-18")
@pytest.mark.mutant("CC-18")
def test_mutant_closes_a_multipoint_call_without_its_last_party(cobench, kind):
    b = cobench(kind=kind)
    call, other = (b.client.make_call(party="one") for _ in range(2))
    with expect_violation(b.ndis, "CC-18"):
        assert condis.cl_close_call(call.open) is NdisStatus.FAILURE
        assert condis.cl_close_call(call.open, other.parties[0].open) is NdisStatus.FAILURE
    assert call.close() is NdisStatus.SUCCESS


@pytest.mark.rule("CC-18")
def test_the_only_party_is_not_dropped(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.make_call(party="one")
    assert call.parties[0].drop() is NdisStatus.FAILURE


@pytest.mark.rule("CC-18")
def test_a_point_to_point_call_gets_no_parties(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.make_call()
    assert call.add_party("two", call_parameters()).status is NdisStatus.FAILURE
    call.parties.clear()


@pytest.mark.rule("CC-04")
def test_mutant_drops_a_party_twice(cobench, kind):
    b = cobench(kind=kind)
    call = three_parties(b)
    one = call.parties.pop(0)
    one.drop()
    with expect_violation(b.ndis, "CC-04"):
        one.drop()


@pytest.mark.rule("CC-19")
def test_a_party_that_leaves_is_dropped_and_the_last_one_closes_the_call(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.make_call(party="one")
    call.add_party("two", call_parameters())
    b.signalling.leave(b.managed(call).parties[0], b"bye")
    assert b.client.heard[-1] == "incoming_drop_party SUCCESS one b'bye'"
    assert call.parties.pop(0).drop() is NdisStatus.SUCCESS
    b.signalling.hang_up(b.managed(call))
    b.run()
    assert (call.is_closed, call.delete()) == (True, NdisStatus.SUCCESS)


@pytest.mark.rule("CC-19")
@pytest.mark.mutant("CC-19")
def test_mutant_lets_the_last_party_leave_without_closing_the_call(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.make_call(party="one")
    with expect_violation(b.ndis, "CC-19"):
        b.signalling.leave(b.managed(call).parties[0])
    assert not [event for event in b.client.heard if event.startswith("incoming_drop_party")]


def test_a_party_that_could_not_be_added_is_gone(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.make_call(party="one")
    b.signalling.refuse["add_party"] = NdisStatus.DEST_OUT_OF_ORDER
    assert call.add_party("two", call_parameters()).status is NdisStatus.DEST_OUT_OF_ORDER
    call.parties.pop()
    assert len(call.open.vc.call.parties) == 1


def test_a_refused_drop_leaves_the_party(cobench, kind):
    b = cobench(kind=kind)
    call = three_parties(b)
    b.signalling.refuse["drop_party"] = NdisStatus.FAILURE
    assert call.parties[0].drop() is NdisStatus.FAILURE
    b.signalling.refuse.clear()
    for party in list(call.parties[:2]):
        assert party.drop() is NdisStatus.SUCCESS
        call.parties.remove(party)


def test_a_multipoint_call_that_fails_has_no_party(cobench, kind):
    b = cobench(kind=kind)
    b.signalling.pend.add("make_call")
    call = b.client.make_call(party="one")
    b.signalling.fail(b.managed(call))
    assert (call.parties[0].handle, call.open.vc.call.parties) == (None, [])
    assert condis.co_delete_vc(call.open) is NdisStatus.SUCCESS
    b.client.calls.remove(call)

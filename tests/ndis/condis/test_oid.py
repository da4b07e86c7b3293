# SPDX-License-Identifier: Apache-2.0
"""Requests between client, call manager and miniport: about a VC, a family, or neither."""

from __future__ import annotations

import pytest

from hilnic import ndis
from hilnic.ndis import NdisStatus, condis
from hilnic.testing import expect_violation


@pytest.mark.parametrize("pends", [False, True])
def test_a_client_asks_the_miniport_about_a_vc(cobench, kind, pends):
    b = cobench(kind=kind)
    b.fm.answers[0x1234] = b"four"
    call = b.client.make_call()
    request = ndis.query(0x1234, 8)
    if pends:
        b.co.pend.add("oid_request")
    status = b.client.ask(None, call, request)
    assert b.fm.co_requests == [(b.data(call), request)]
    if pends:
        assert (status, b.client.open.oids_outstanding) == (NdisStatus.PENDING, 1)
        condis.mco_complete_oid_request(b.fm.adapter, None, request, ndis.answer_query(request, b"four"))
        assert b.client.co_answers == [(request, NdisStatus.SUCCESS)]
        status = b.client.co_answers[0][1]
    assert (status, request.answer(), b.client.open.oids_outstanding) == (NdisStatus.SUCCESS, b"four", 0)


def test_a_request_may_be_about_the_adapter(cobench, kind):
    b = cobench(kind=kind)
    request = ndis.query(0x1234, 8)
    assert b.client.ask(None, None, request) is NdisStatus.NOT_SUPPORTED
    assert b.fm.co_requests == [(None, request)]


@pytest.mark.parametrize("pends", [False, True])
def test_a_client_asks_the_call_manager(cobench, kind, pends):
    b = cobench(kind=kind)
    b.signalling.data[0x77] = b"cm"
    af, call, request = b.client.opened, b.client.make_call(), ndis.query(0x77, 8)
    if pends:
        b.signalling.pend.add("oid_request")
    status = b.client.ask(af, call, request)
    if pends:
        assert status is NdisStatus.PENDING
        condis.co_complete_oid_request(af, None, None, request, ndis.answer_query(request, b"cm"))
        status = b.client.co_answers[0][1]
    assert (status, request.answer(), b.signalling.requests) == (NdisStatus.SUCCESS, b"cm", [request])


@pytest.mark.parametrize("pends", [False, True])
def test_a_call_manager_asks_a_client(cobench, kind, pends):
    b = cobench(kind=kind)
    af, request = b.client.opened, ndis.query(0x77, 8)
    if pends:
        b.client.pend.add("oid_request")
    if kind == "cm":
        status = condis.co_oid_request(b.cm.open, af, None, None, request)
    else:
        status = condis.mcm_oid_request(af, None, None, request)
    if pends:
        condis.co_complete_oid_request(af, None, None, request, NdisStatus.SUCCESS)
        assert b.signalling.answers == [(request, NdisStatus.SUCCESS)]
    assert status is (NdisStatus.PENDING if pends else NdisStatus.SUCCESS)
    assert b.client.co_requests == [request]


@pytest.mark.rule("OI-02")
def test_mutant_issues_a_request_again_and_completes_it_twice(cobench, kind):
    b = cobench(kind=kind)
    b.co.pend.add("oid_request")
    request = ndis.query(0x77, 8)
    b.client.ask(None, None, request)
    with expect_violation(b.ndis, "OI-02"):
        assert b.client.ask(None, None, request) is NdisStatus.FAILURE
    condis.mco_complete_oid_request(b.fm.adapter, None, request, NdisStatus.FAILURE)
    with expect_violation(b.ndis, "OI-02"):
        condis.mco_complete_oid_request(b.fm.adapter, None, request, NdisStatus.FAILURE)
    assert len(b.client.co_answers) == 1


@pytest.mark.rule("OI-03")
def test_mutant_completes_a_request_with_pending(cobench, kind):
    b = cobench(kind=kind)
    b.co.pend.add("oid_request")
    request = ndis.query(0x77, 8)
    b.client.ask(None, None, request)
    with expect_violation(b.ndis, "OI-03"):
        condis.mco_complete_oid_request(b.fm.adapter, None, request, NdisStatus.PENDING)
    condis.mco_complete_oid_request(b.fm.adapter, None, request, NdisStatus.FAILURE)


@pytest.mark.rule("CC-04")
def test_mutant_asks_over_a_family_that_is_closing(cobench, kind):
    b = cobench(kind=kind)
    af = b.client.opened
    b.signalling.pend.add("close_af")
    b.client.close_family()
    with expect_violation(b.ndis, "CC-04"):
        assert b.client.ask(af, None, ndis.query(0x77, 8)) is NdisStatus.FAILURE

# SPDX-License-Identifier: Apache-2.0
"""Direct requests: at once, side by side, through filters as clones, each ended once."""

from __future__ import annotations

import dataclasses

import pytest

from hilnic import ndis
from hilnic.ndis import NdisStatus, Oid, OidRequest
from hilnic.testing import FunctionalMiniport, FunctionalProtocol, expect_violation


class DirectMiniport(FunctionalMiniport):
    """Answers direct requests at once, or holds them."""

    def characteristics(self):
        self.direct: list[OidRequest] = []
        self.holds = False
        kind = type(self)
        return dataclasses.replace(
            super().characteristics(),
            direct_oid_request=kind.direct_oid_request,
            cancel_direct_oid_request=kind.cancel_direct_oid_request,
        )

    def direct_oid_request(self, request):
        if self.holds:
            self.direct.append(request)
            return NdisStatus.PENDING
        return ndis.answer_query(request, b"direct")

    def cancel_direct_oid_request(self, request_id):
        for request in [held for held in self.direct if held.request_id == request_id]:
            self.direct.remove(request)
            ndis.complete_direct_oid_request(self.adapter, request, NdisStatus.REQUEST_ABORTED)


class DirectProtocol(FunctionalProtocol):
    """Notes the ends of its direct requests."""

    def characteristics(self):
        self.ended: list[tuple[OidRequest, NdisStatus]] = []
        return dataclasses.replace(
            super().characteristics(),
            direct_oid_request_complete=lambda self, request, status: self.ended.append((request, status)),
        )


@pytest.fixture
def direct(bench):
    """A bench whose drivers have the direct handlers, with this many filters."""

    def make(filters: int = 0):
        b = bench(miniport=DirectMiniport, protocol=DirectProtocol)
        for _ in range(filters):
            b.filter()
        return b

    return make


def query(request_id: int = 0) -> OidRequest:
    request = ndis.query(Oid.OID_GEN_VENDOR_DESCRIPTION, 16)
    request.request_id = request_id
    return request


@pytest.mark.rule("OI-17")
@pytest.mark.parametrize("filters", [0, 1, 3])
def test_a_direct_request_is_answered_within_the_call(direct, filters):
    b = direct(filters)
    request = query()
    assert ndis.direct_oid_request(b.fp.open, request) is NdisStatus.SUCCESS
    assert (request.answer(), b.fp.ended, b.ndis.oid_clones) == (b"direct", [], {})


@pytest.mark.rule("OI-17", "OI-02")
@pytest.mark.parametrize("filters", [0, 2])
def test_direct_requests_are_not_one_at_a_time(direct, filters):
    b = direct(filters)
    b.fm.holds = True
    requests = [query(number) for number in range(3)]
    assert [ndis.direct_oid_request(b.fp.open, request) for request in requests] == [NdisStatus.PENDING] * 3
    held = list(b.fm.direct)
    for request in (held[2], held[0], held[1]):
        ndis.complete_direct_oid_request(b.fm.adapter, request, ndis.answer_query(request, b"late"))
    assert b.fp.ended == [(requests[n], NdisStatus.SUCCESS) for n in (2, 0, 1)]
    assert {request.answer() for request in requests} == {b"late"}
    assert (b.fp.open.oids_outstanding, b.ndis.oid_clones) == (0, {})


@pytest.mark.rule("OI-18")
@pytest.mark.parametrize("filters", [0, 2])
def test_a_direct_request_can_be_cancelled(direct, filters):
    b = direct(filters)
    b.fm.holds = True
    kept, gone = query(1), query(2)
    for request in (kept, gone):
        ndis.direct_oid_request(b.fp.open, request)
    ndis.cancel_direct_oid_request(b.fp.open, 2)
    assert b.fp.ended == [(gone, NdisStatus.REQUEST_ABORTED)]
    ndis.cancel_direct_oid_request(b.fp.open, 1)
    assert b.fp.ended[1:] == [(kept, NdisStatus.REQUEST_ABORTED)]


def test_a_miniport_without_the_handler_does_not_support_direct_requests(bench):
    b = bench(protocol=DirectProtocol)
    assert ndis.direct_oid_request(b.fp.open, query()) is NdisStatus.NOT_SUPPORTED
    ndis.cancel_direct_oid_request(b.fp.open, 1)  # nobody to ask


@pytest.mark.rule("OI-19")
def test_a_direct_request_to_a_removed_adapter_is_not_accepted(direct):
    b = direct()
    b.fm.adapter.removed = True
    assert ndis.direct_oid_request(b.fp.open, query()) is NdisStatus.NOT_ACCEPTED
    b.fm.adapter.removed = False


@pytest.mark.rule("OI-02")
@pytest.mark.mutant("OI-02")
def test_mutant_ends_a_direct_request_twice(direct):
    b = direct()
    b.fm.holds = True
    ndis.direct_oid_request(b.fp.open, query())
    (held,) = b.fm.direct
    ndis.complete_direct_oid_request(b.fm.adapter, held, NdisStatus.SUCCESS)
    with expect_violation(b.ndis, "OI-02"):
        ndis.complete_direct_oid_request(b.fm.adapter, held, NdisStatus.SUCCESS)
    assert len(b.fp.ended) == 1


@pytest.mark.rule("OI-03")
@pytest.mark.mutant("OI-03")
def test_mutant_ends_a_direct_request_with_pending(direct):
    b = direct()
    b.fm.holds = True
    ndis.direct_oid_request(b.fp.open, query())
    with expect_violation(b.ndis, "OI-03"):
        ndis.complete_direct_oid_request(b.fm.adapter, b.fm.direct[0], NdisStatus.PENDING)
    ndis.complete_direct_oid_request(b.fm.adapter, b.fm.direct[0], NdisStatus.SUCCESS)


@pytest.mark.rule("OI-02")
@pytest.mark.mutant("OI-02")
def test_mutant_issues_a_direct_request_again_while_it_is_pending(direct):
    b = direct()
    b.fm.holds = True
    request = query()
    ndis.direct_oid_request(b.fp.open, request)
    with expect_violation(b.ndis, "OI-02"):
        ndis.direct_oid_request(b.fp.open, request)
    ndis.complete_direct_oid_request(b.fm.adapter, b.fm.direct[0], NdisStatus.SUCCESS)


@pytest.mark.rule("OI-17")
@pytest.mark.mutant("OI-17")
def test_mutant_filter_passes_the_direct_original_on(direct):
    b = direct(1)
    object.__setattr__(
        b.fis[0].module.handlers,
        "direct_oid_request",
        lambda fi, request: ndis.filter_direct_oid_request(fi.module, request),
    )
    with expect_violation(b.ndis, "OI-17"):
        assert ndis.direct_oid_request(b.fp.open, query()) is NdisStatus.FAILURE

# SPDX-License-Identifier: Apache-2.0
"""C5-06 to C5-09: NdisRequest, and what a 5.x miniport is asked."""

from __future__ import annotations

import pytest

from hilnic.ndis import (
    NdisStatus,
    Oid,
    PacketFilter,
    RequestType,
    ndis5,
)
from hilnic.ndis.ndis5 import NdisRequest, ProtocolOptions
from hilnic.testing import expect_violation
from hilnic.testing.miniport5 import FunctionalMiniport5
from hilnic.testing.protocol5 import FunctionalProtocol5


@pytest.mark.rule("C5-06")
def test_a_request_that_ndis_answers_has_no_callback(bench5):
    b = bench5()
    request = NdisRequest(RequestType.QUERY_INFORMATION, Oid.OID_GEN_MAXIMUM_TOTAL_SIZE, bytearray(4))
    before = len(b.fp.requests)
    assert ndis5.request(b.fp.open, request) is NdisStatus.SUCCESS
    assert int.from_bytes(request.answer(), "little") == 1514
    assert len(b.fp.requests) == before


@pytest.mark.rule("C5-06")
@pytest.mark.parametrize("hold", [False, True])
def test_a_request_that_pends_has_one_callback(bench5, hold):
    b = bench5()
    b.fm.answers[Oid.OID_GEN_VENDOR_DESCRIPTION] = b"a card"
    b.fm.hold_requests = hold
    request = NdisRequest(RequestType.QUERY_INFORMATION, Oid.OID_GEN_VENDOR_DESCRIPTION, bytearray(10))
    before = len(b.fp.requests)
    assert ndis5.request(b.fp.open, request) is NdisStatus.PENDING
    b.run()
    if hold:
        assert len(b.fp.requests) == before
        b.fm.complete_request()
        b.run()
    assert b.fp.requests[before:] == [(request, NdisStatus.SUCCESS)]
    assert request.answer() == b"a card"


@pytest.mark.rule("C5-06")
@pytest.mark.mutant("C5-06")
@pytest.mark.parametrize("fault", ["twice", "wrong kind", "pending"])
def test_mutant_completes_a_request_that_does_not_pend(bench5, fault):
    b = bench5()
    b.fm.answers[Oid.OID_GEN_VENDOR_DESCRIPTION] = b"a card"
    b.fm.hold_requests = True
    b.kernel.start(b.fp.query(Oid.OID_GEN_VENDOR_DESCRIPTION))
    b.run()
    with expect_violation(b.ndis, "C5-06"):
        if fault == "twice":
            ndis5.query_information_complete(b.fm.adapter, NdisStatus.FAILURE)
            ndis5.query_information_complete(b.fm.adapter, NdisStatus.FAILURE)
        elif fault == "wrong kind":
            ndis5.set_information_complete(b.fm.adapter, NdisStatus.SUCCESS)
        else:
            ndis5.query_information_complete(b.fm.adapter, NdisStatus.PENDING)


@pytest.mark.rule("C5-06")
@pytest.mark.mutant("C5-06")
def test_mutant_issues_a_request_again_while_it_pends(bench5):
    b = bench5()
    b.fm.hold_requests = True
    request = NdisRequest(RequestType.QUERY_INFORMATION, Oid.OID_GEN_VENDOR_DESCRIPTION, bytearray(10))
    ndis5.request(b.fp.open, request)
    with expect_violation(b.ndis, "C5-06"):
        assert ndis5.request(b.fp.open, request) is NdisStatus.FAILURE


@pytest.mark.rule("C5-06")
@pytest.mark.mutant("C5-06")
def test_mutant_answers_a_request_and_completes_it_as_well(bench5):
    class Both(FunctionalMiniport5):
        def query_information(self, request):
            ndis5.query_information_complete(self.adapter, NdisStatus.SUCCESS)
            return super().query_information(request)

    with pytest.raises(Exception, match="C5-06"):
        bench5(miniport=Both)


@pytest.mark.rule("C5-07")
def test_the_miniport_sees_one_request_at_a_time_in_order(bench5):
    b = bench5(handlers=("both", "both"))
    b.fm.hold_requests = True
    oids = [Oid.OID_GEN_VENDOR_DESCRIPTION, Oid.OID_GEN_VENDOR_ID]
    for fp, oid in zip(b.fps, oids, strict=True):
        b.kernel.start(fp.query(oid))
    b.run()
    assert [request.oid for request in b.fm.requests] == oids[:1]
    b.fm.complete_request()
    b.run()
    assert [request.oid for request in b.fm.requests] == oids
    b.fm.complete_request()


@pytest.mark.rule("C5-08")
def test_the_miniport_is_asked_for_the_or_of_all_filters(bench5):
    b = bench5(handlers=("both", "both"), listen=False)
    b.run(b.fps[0].set_filter(PacketFilter.DIRECTED))
    b.run(b.fps[1].set_filter(PacketFilter.BROADCAST))
    assert b.fm.packet_filter == PacketFilter.DIRECTED | PacketFilter.BROADCAST
    status, own = b.run(b.fps[0].query(Oid.OID_GEN_CURRENT_PACKET_FILTER))
    assert (status, int.from_bytes(own, "little")) == (NdisStatus.SUCCESS, PacketFilter.DIRECTED)


@pytest.mark.rule("C5-08")
def test_the_miniport_is_told_the_largest_lookahead(bench5):
    b = bench5(handlers=("both", "both"))
    for fp, size in zip(b.fps, (256, 128), strict=True):
        assert b.run(fp.set(Oid.OID_GEN_CURRENT_LOOKAHEAD, size)) is NdisStatus.SUCCESS
    b.run()
    assert b.fm.lookahead == 256
    assert b.run(b.fp.set(Oid.OID_GEN_CURRENT_LOOKAHEAD, 2000)) is NdisStatus.INVALID_LENGTH


@pytest.mark.rule("C5-08")
def test_protocol_options_are_ndis_own_matter(bench5):
    b = bench5(handlers=("both", "both"))
    b.run(b.fp.set(Oid.OID_GEN_PROTOCOL_OPTIONS, ProtocolOptions.NO_LOOPBACK))
    answers = [b.run(fp.query(Oid.OID_GEN_PROTOCOL_OPTIONS))[1] for fp in b.fps]
    assert answers == [b"\2\0\0\0", bytes(4)]
    assert b.fm.requests == []


@pytest.mark.rule("C5-08")
def test_a_5x_protocol_is_told_the_5x_oids(bench5):
    b = bench5()
    status, oids = b.run(b.fp.query(Oid.OID_GEN_SUPPORTED_LIST, 512))
    numbers = {int.from_bytes(oids[at : at + 4], "little") for at in range(0, len(oids), 4)}
    assert status is NdisStatus.SUCCESS
    assert {Oid.OID_GEN_PROTOCOL_OPTIONS, Oid.OID_GEN_MAXIMUM_SEND_PACKETS} <= numbers
    assert Oid.OID_GEN_STATISTICS not in numbers


@pytest.mark.rule("C5-08")
def test_the_longest_array_is_what_the_miniport_says(bench5):
    class Four(FunctionalMiniport5):
        def known(self):
            return super().known() | {Oid.OID_GEN_MAXIMUM_SEND_PACKETS: b"\4\0\0\0"}

    b = bench5(miniport=Four)
    assert b.run(b.fp.query(Oid.OID_GEN_MAXIMUM_SEND_PACKETS))[1] == b"\4\0\0\0"
    b.fp.send_array(*b.frames(10))
    assert b.fm.arrays == [4, 4, 2]


QUERIES = {
    Oid.OID_GEN_MAXIMUM_FRAME_SIZE: 4,
    Oid.OID_GEN_MAXIMUM_TOTAL_SIZE: 4,
    Oid.OID_GEN_LINK_SPEED: 4,
    Oid.OID_GEN_MAC_OPTIONS: 4,
    Oid.OID_GEN_MEDIA_CONNECT_STATUS: 4,
    Oid.OID_GEN_CURRENT_PACKET_FILTER: 4,
    Oid.OID_GEN_CURRENT_LOOKAHEAD: 4,
    Oid.OID_GEN_PROTOCOL_OPTIONS: 4,
    Oid.OID_GEN_MAXIMUM_SEND_PACKETS: 4,
    Oid.OID_802_3_CURRENT_ADDRESS: 6,
    Oid.OID_802_3_PERMANENT_ADDRESS: 6,
    Oid.OID_802_3_MAXIMUM_LIST_SIZE: 4,
    Oid.OID_GEN_VENDOR_DESCRIPTION: 6,
}


@pytest.mark.rule("C5-09")
@pytest.mark.parametrize("oid", QUERIES)
def test_a_query_that_is_too_small_is_told_how_much_it_needs(bench5, oid):
    b = bench5()
    b.fm.answers[Oid.OID_GEN_VENDOR_DESCRIPTION] = b"a card"
    for size in range(QUERIES[oid]):
        request = NdisRequest(RequestType.QUERY_INFORMATION, oid, bytearray(size))
        assert b.run(b.fp.request(request)) is NdisStatus.INVALID_LENGTH
        assert (request.bytes_needed, request.bytes_written) == (QUERIES[oid], 0)
    assert b.run(b.fp.query(oid, QUERIES[oid]))[0] is NdisStatus.SUCCESS


@pytest.mark.rule("C5-09")
def test_sets_that_are_too_small_and_unknown_oids_are_refused(bench5):
    b = bench5()
    for oid in (Oid.OID_GEN_CURRENT_PACKET_FILTER, Oid.OID_GEN_CURRENT_LOOKAHEAD, Oid.OID_GEN_PROTOCOL_OPTIONS):
        assert b.run(b.fp.set(oid, b"\1")) is NdisStatus.INVALID_LENGTH
    assert b.run(b.fp.query(0x12345678))[0] is NdisStatus.INVALID_OID
    assert b.run(b.fp.set(0x12345678, 1)) is NdisStatus.INVALID_OID


def test_the_functional_protocol_tells_each_request_its_own_end(bench5):
    class Busy(FunctionalProtocol5):
        """Another request ends before the one who waits runs again."""

        def request_complete(self, request, status):
            super().request_complete(request, status)
            self.requests.append((other, NdisStatus.FAILURE))

    other = NdisRequest(RequestType.QUERY_INFORMATION, Oid.OID_GEN_LINK_SPEED, bytearray(4))
    b = bench5(protocol=Busy)
    assert b.run(b.fp.set(Oid.OID_802_3_MULTICAST_LIST, b"")) is NdisStatus.SUCCESS

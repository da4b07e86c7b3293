# SPDX-License-Identifier: Apache-2.0
"""OI: OID requests, merged filters, status indications, statistics."""

from __future__ import annotations

import random
import struct

import pytest

from hilnic import ndis
from hilnic.ndis import LinkState, MediaConnectState, NdisStatus, Oid, PacketFilter, StatisticsInfo
from hilnic.ndis.oid_answers import QUERIES
from hilnic.testing import MAC_ADDRESS, FunctionalMiniport

GROUPS = [bytes.fromhex(f"01005e0000{n:02x}") for n in range(40)]
STATISTICS = StatisticsInfo(
    if_in_discards=4,
    if_hc_in_octets=0x1_0000_0005,
    if_hc_in_ucast_octets=0x1_0000_0005,
    if_hc_out_ucast_pkts=1,
    if_hc_out_multicast_pkts=2,
    if_hc_out_broadcast_pkts=3,
    if_hc_out_octets=600,
    if_hc_out_broadcast_octets=600,
)


def ask(b, oid: int, size: int) -> tuple[NdisStatus, ndis.OidRequest]:
    request = ndis.query(oid, size)
    return b.run(b.fp.request(request)), request


@pytest.mark.rule("OI-01")
def test_the_miniport_sees_one_request_at_a_time(bench):
    class Slow(FunctionalMiniport):
        inside = most = 0

        async def oid_request(self, request):
            self.inside += 1
            self.most = max(self.most, self.inside)
            await self.ndis.kernel.sleep(100)
            self.inside -= 1
            return self.answer(request)

    b = bench(protocols=3, miniport=Slow, listen=False)
    b.fm.answers[Oid.OID_GEN_VENDOR_DESCRIPTION] = b"hilnic\0"
    results = [
        b.kernel.start(fp.request(ndis.query(Oid.OID_GEN_VENDOR_DESCRIPTION, 20))) for fp in b.fps for _ in range(3)
    ]
    b.run()
    assert results == [[NdisStatus.SUCCESS]] * 9
    assert b.fm.most == 1


@pytest.mark.rule("OI-02")
@pytest.mark.parametrize("hold", [False, True])
def test_a_request_ends_once_whichever_way_the_miniport_answers(bench, hold):
    b = bench()
    b.fm.answers[Oid.OID_GEN_VENDOR_DESCRIPTION] = b"hilnic\0"
    b.fm.hold_oids = hold
    request = ndis.query(Oid.OID_GEN_VENDOR_DESCRIPTION, 20)
    b.fp.requests.clear()
    assert ndis.oid_request(b.fp.open, request) is NdisStatus.PENDING
    b.run()
    if hold:
        assert b.fp.requests == []
        b.fm.complete_oid()
        b.run()
    assert b.fp.requests == [(request, NdisStatus.SUCCESS)]
    assert request.answer() == b"hilnic\0"


@pytest.mark.rule("OI-02", "OI-09")
def test_what_ndis_answers_itself_has_no_callback_and_no_miniport_call(bench):
    b = bench()
    b.fm.oids.clear()
    b.fp.requests.clear()
    for oid in QUERIES:
        request = ndis.query(oid, 512)
        assert ndis.oid_request(b.fp.open, request) is NdisStatus.SUCCESS, oid
        assert len(request.answer()) == request.bytes_written
    assert (b.fm.oids, b.fp.requests) == ([], [])


@pytest.mark.rule("OI-03")
def test_a_pending_request_is_completed_with_a_final_status(bench):
    b = bench()
    b.fm.hold_oids = True
    result = b.kernel.start(b.fp.request(ndis.query(Oid.OID_GEN_VENDOR_ID, 4)))
    b.run()
    b.fm.complete_oid(NdisStatus.NOT_SUPPORTED)
    b.run()
    assert result == [NdisStatus.NOT_SUPPORTED]


@pytest.mark.rule("OI-04")
@pytest.mark.parametrize("oid", [*QUERIES, Oid.OID_GEN_STATISTICS])
def test_a_buffer_too_small_is_refused_with_bytes_needed(bench, oid):
    b = bench()
    b.run(b.fp.set_multicast(GROUPS[0]))
    b.fm.answers[Oid.OID_GEN_STATISTICS] = STATISTICS.pack()
    _, whole = ask(b, oid, 512)
    for size in range(whole.bytes_written):
        status, request = ask(b, oid, size)
        assert status is NdisStatus.BUFFER_TOO_SHORT
        assert (request.bytes_needed, request.bytes_written) == (whole.bytes_written, 0)
        assert bytes(request.buffer) == bytes(size)


@pytest.mark.rule("OI-04")
def test_a_set_that_is_too_short_says_what_it_needs(bench):
    b = bench()
    request = ndis.set_information(Oid.OID_GEN_CURRENT_PACKET_FILTER, b"\1\0")
    assert b.run(b.fp.request(request)) is NdisStatus.BUFFER_TOO_SHORT
    assert (request.bytes_needed, request.bytes_read) == (4, 0)


@pytest.mark.rule("OI-05")
def test_bytes_beyond_the_answer_are_untouched(bench):
    b = bench()
    request = ndis.OidRequest(
        ndis.RequestType.QUERY_INFORMATION, Oid.OID_GEN_MAXIMUM_FRAME_SIZE, bytearray(b"\xa5" * 9)
    )
    assert b.run(b.fp.request(request)) is NdisStatus.SUCCESS
    assert bytes(request.buffer[4:]) == b"\xa5" * 5


@pytest.mark.rule("OI-06")
@pytest.mark.parametrize(
    ("size", "answer"), [(0, b""), (3, b""), (4, b"\5\0\0\0"), (7, b"\5\0\0\0"), (8, b"\5\0\0\0\1\0\0\0")]
)
def test_a_64_bit_counter_fits_4_or_8_bytes(bench, size, answer):
    b = bench()
    b.fm.answers[Oid.OID_GEN_STATISTICS] = STATISTICS.pack()
    status, request = ask(b, Oid.OID_GEN_BYTES_RCV, size)
    assert status is (NdisStatus.SUCCESS if answer else NdisStatus.BUFFER_TOO_SHORT)
    assert request.answer() == answer
    assert request.bytes_needed == (0 if size >= 8 else 8)


@pytest.mark.rule("OI-07")
def test_an_unknown_oid_is_not_supported(bench):
    b = bench()
    assert ask(b, 0x0BADF00D, 64)[0] is NdisStatus.NOT_SUPPORTED


@pytest.mark.rule("OI-10")
@pytest.mark.parametrize("seed", range(4))
def test_the_adapter_filter_is_the_or_over_all_bindings(bench, seed):
    rng = random.Random(seed)
    b = bench(protocols=3)
    bits = [PacketFilter.DIRECTED, PacketFilter.MULTICAST, PacketFilter.ALL_MULTICAST, PacketFilter.BROADCAST]
    for _ in range(20):
        wanted = sum(rng.sample(bits, rng.randrange(5)))
        assert b.run(rng.choice(b.fps).set_filter(wanted)) is NdisStatus.SUCCESS
        assert (
            b.fm.packet_filter
            == b.fps[0].open.packet_filter | b.fps[1].open.packet_filter | b.fps[2].open.packet_filter
        )


@pytest.mark.rule("OI-10")
def test_a_close_takes_its_part_out_of_the_adapter_filter(bench):
    b = bench(protocols=2)
    b.run(b.fps[0].set_filter(PacketFilter.PROMISCUOUS))
    b.run(b.fps[1].set_filter(PacketFilter.DIRECTED))
    b.run(ndis.unbind_protocol(b.fps[0].open))
    b.run()
    assert b.fm.packet_filter == PacketFilter.DIRECTED


@pytest.mark.rule("OI-10")
def test_a_filter_that_the_miniport_does_not_support_is_refused(bench):
    b = bench()
    before = b.fm.packet_filter
    assert b.run(b.fp.set_filter(PacketFilter.SMT)) is NdisStatus.NOT_SUPPORTED
    assert (b.fm.packet_filter, b.fp.open.packet_filter) == (before, before)


@pytest.mark.rule("OI-10")
def test_a_filter_that_the_miniport_refuses_stays_as_it_was(bench):
    class Refusing(FunctionalMiniport):
        refuses = False

        def answer(self, request):
            return NdisStatus.FAILURE if self.refuses else super().answer(request)

    b = bench(miniport=Refusing)
    before = b.fp.open.packet_filter
    b.fm.refuses = True
    assert b.run(b.fp.set_filter(PacketFilter.PROMISCUOUS)) is NdisStatus.FAILURE
    assert b.fp.open.packet_filter == before
    b.fm.refuses = False


@pytest.mark.rule("OI-11")
def test_multicast_lists_are_merged_without_duplicates(bench):
    b = bench(protocols=3)
    b.run(b.fps[0].set_multicast(GROUPS[0], GROUPS[1]))
    b.run(b.fps[1].set_multicast(GROUPS[1], GROUPS[2]))
    b.run(b.fps[2].set_multicast(GROUPS[1]))
    union = b"".join(GROUPS[:3])
    assert b.fm.multicast_list == union
    assert ask(b, Oid.OID_802_3_MULTICAST_LIST, 100)[1].answer() == union
    b.run(b.fps[0].set_multicast())
    assert b.fm.multicast_list == b"".join(GROUPS[1:3])


@pytest.mark.rule("OI-11")
def test_a_multicast_list_has_its_limits(bench):
    b = bench(protocols=2)
    full = b.run(b.fps[0].set_multicast(*GROUPS[:32]))
    assert full is NdisStatus.SUCCESS
    assert b.run(b.fps[1].set_multicast(GROUPS[5])) is NdisStatus.SUCCESS
    assert b.run(b.fps[1].set_multicast(GROUPS[33])) is NdisStatus.MULTICAST_FULL
    assert b.run(b.fps[1].set_multicast(MAC_ADDRESS)) is NdisStatus.MULTICAST_FULL
    odd = ndis.set_information(Oid.OID_802_3_MULTICAST_LIST, b"\1\2\3\4\5\6\7")
    assert b.run(b.fps[1].request(odd)) is NdisStatus.INVALID_LENGTH


@pytest.mark.rule("OI-13")
def test_statistics_pack_parse_and_obey_their_identities(bench):
    b = bench()
    b.fm.answers[Oid.OID_GEN_STATISTICS] = STATISTICS.pack()
    status, request = ask(b, Oid.OID_GEN_STATISTICS, 512)
    assert status is NdisStatus.SUCCESS
    assert StatisticsInfo.parse(request.answer()) == STATISTICS
    assert STATISTICS.broken_identity() is None


@pytest.mark.rule("OI-13")
def test_single_counters_are_taken_from_the_statistics(bench):
    b = bench()
    b.fm.answers[Oid.OID_GEN_STATISTICS] = STATISTICS.pack()
    assert ask(b, Oid.OID_GEN_XMIT_OK, 8)[1].answer() == struct.pack("<Q", 6)
    assert ask(b, Oid.OID_GEN_RCV_NO_BUFFER, 8)[1].answer() == struct.pack("<Q", 4)


@pytest.mark.rule("OI-14")
def test_the_frame_size_excludes_the_header_and_the_total_size_includes_it(bench):
    b = bench()
    assert ask(b, Oid.OID_GEN_MAXIMUM_FRAME_SIZE, 4)[1].answer() == struct.pack("<I", 1500)
    assert ask(b, Oid.OID_GEN_MAXIMUM_TOTAL_SIZE, 4)[1].answer() == struct.pack("<I", 1514)


@pytest.mark.rule("OI-15")
def test_the_lookahead_is_the_largest_that_a_binding_set(bench):
    b = bench(protocols=2)
    for fp, wanted in zip(b.fps, (256, 128), strict=True):
        request = ndis.set_information(Oid.OID_GEN_CURRENT_LOOKAHEAD, struct.pack("<I", wanted))
        assert b.run(fp.request(request)) is NdisStatus.SUCCESS
    assert ask(b, Oid.OID_GEN_CURRENT_LOOKAHEAD, 4)[1].answer() == struct.pack("<I", 256)
    too_much = ndis.set_information(Oid.OID_GEN_CURRENT_LOOKAHEAD, struct.pack("<I", 1501))
    assert b.run(b.fp.request(too_much)) is NdisStatus.INVALID_LENGTH


@pytest.mark.rule("OI-16", "OI-20")
def test_every_link_change_is_indicated_and_queried_alike(bench):
    b = bench(protocols=2)
    for up, media_state in ((False, 1), (True, 0)):
        b.fm.link(up)
        answered = LinkState.parse(ask(b, Oid.OID_GEN_LINK_STATE, 64)[1].answer())
        assert [fp.statuses[-1].buffer for fp in b.fps] == [answered] * 2
        assert (answered.media_connect_state is MediaConnectState.CONNECTED) is up
        assert ask(b, Oid.OID_GEN_MEDIA_CONNECT_STATUS, 4)[1].answer() == struct.pack("<I", media_state)


@pytest.mark.rule("OI-18")
def test_a_cancelled_request_ends_once_with_request_aborted(bench):
    b = bench()
    b.fm.hold_oids = True
    results = []
    for request_id in (1, 2):
        request = ndis.query(Oid.OID_GEN_VENDOR_ID, 4)
        request.request_id = request_id
        results.append(b.kernel.start(b.fp.request(request)))
    b.run()
    ndis.cancel_oid_request(b.fp.open, 2)  # in line
    ndis.cancel_oid_request(b.fp.open, 1)  # in the miniport
    b.run()
    assert results == [[NdisStatus.REQUEST_ABORTED]] * 2


@pytest.mark.rule("OI-18")
def test_a_binding_cannot_cancel_what_another_binding_asked(bench):
    b = bench(protocols=2)
    b.fm.hold_oids = True
    result = b.kernel.start(b.fps[0].request(ndis.query(Oid.OID_GEN_VENDOR_ID, 4)))
    b.run()
    ndis.cancel_oid_request(b.fps[1].open, 0)
    assert b.fm.held_oid is not None
    b.fm.complete_oid(NdisStatus.NOT_SUPPORTED)
    b.run()
    assert result == [NdisStatus.NOT_SUPPORTED]


@pytest.mark.rule("OI-22")
def test_a_request_pending_across_a_reset_ends(bench):
    class Ending(FunctionalMiniport):
        def reset(self):
            self.hold_oids = False
            self.complete_oid(NdisStatus.REQUEST_ABORTED)
            return super().reset()

    b = bench(miniport=Ending)
    b.fm.hold_oids = True
    result = b.kernel.start(b.fp.set_multicast(GROUPS[0]))
    b.run()
    assert b.run(ndis.reset_adapter(b.fm.adapter)) is NdisStatus.SUCCESS
    b.run()
    assert result == [NdisStatus.REQUEST_ABORTED]


@pytest.mark.rule("ST-22")
def test_requests_in_line_end_when_their_binding_closes(bench):
    b = bench()
    b.fm.hold_oids = True
    results = [b.kernel.start(b.fp.request(ndis.query(Oid.OID_GEN_VENDOR_ID, 4))) for _ in range(2)]
    b.run()
    b.kernel.start(ndis.unbind_protocol(b.fp.open))
    b.run()
    b.fm.hold_oids = False
    b.fm.complete_oid()
    b.run()
    assert results == [[NdisStatus.NOT_SUPPORTED], [NdisStatus.REQUEST_ABORTED]]
    assert b.fp.closed == 1

# SPDX-License-Identifier: Apache-2.0
"""OI, the finer points: any OID and any buffer, single addresses, headers of answers and indications, versions."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilnic import ndis
from hilnic.ndis import NdisStatus, NdisVersion, Oid, OidRequest, Profile, RequestType, StatisticsInfo
from hilnic.ndis.oid_answers import QUERIES
from hilnic.testing import FunctionalMiniport, NdisBench, expect_violation

ADD, DELETE = Oid.OID_802_3_ADD_MULTICAST_ADDRESS, Oid.OID_802_3_DELETE_MULTICAST_ADDRESS
GROUPS = [bytes.fromhex(f"01005e0000{number:02x}") for number in range(40)]


def change(b: NdisBench, which: int, oid: int, address: bytes) -> NdisStatus:
    return b.run(b.fps[which].request(ndis.set_information(oid, address)))


@pytest.mark.rule("OI-07", "OI-05")
@given(oid=st.integers(0, 0xFFFFFFFF), size=st.integers(0, 64), kind=st.sampled_from(list(RequestType)))
def test_any_request_is_answered_within_its_buffer_by_a_status(oid, size, kind):
    b = NdisBench()
    buffer = bytearray(b"\xc5" * (size + 8))
    request = OidRequest(kind, oid, buffer[:size])
    status = b.run(b.fp.request(request))
    assert status in {NdisStatus.NOT_SUPPORTED, NdisStatus.SUCCESS, NdisStatus.BUFFER_TOO_SHORT} or oid in set(Oid)
    assert len(request.buffer) == size
    assert max(request.bytes_written, request.bytes_read) <= size
    b.stop()


@pytest.mark.rule("OI-04", "OI-05", "OI-09")
@pytest.mark.parametrize("oid", sorted(QUERIES), ids=lambda oid: Oid(oid).name)
def test_what_ndis_answers_fits_its_length_exactly_and_touches_nothing_beyond(bench, oid):
    b = bench()
    asked = len(b.fm.oids)
    whole = ndis.query(oid, 1024)
    assert b.run(b.fp.request(whole)) is NdisStatus.SUCCESS
    length = whole.bytes_written
    assert bytes(whole.buffer[length:]) == bytes(1024 - length)
    for size in range(length):
        short = ndis.query(oid, size)
        assert b.run(b.fp.request(short)) is NdisStatus.BUFFER_TOO_SHORT
        assert (short.bytes_written, short.bytes_needed, bytes(short.buffer)) == (0, length, bytes(size))
    assert len(b.fm.oids) == asked  # the miniport was not called


@pytest.mark.rule("OI-11")
def test_single_addresses_join_and_leave_the_list_of_their_binding(bench):
    b = bench(protocols=2)
    assert change(b, 0, ADD, GROUPS[0]) is NdisStatus.SUCCESS
    assert change(b, 0, ADD, GROUPS[0]) is NdisStatus.MULTICAST_EXISTS
    assert change(b, 1, ADD, GROUPS[0]) is NdisStatus.SUCCESS  # each binding has its own
    assert change(b, 1, ADD, GROUPS[1]) is NdisStatus.SUCCESS
    assert b.fm.multicast_list == GROUPS[0] + GROUPS[1]
    assert change(b, 0, DELETE, GROUPS[1]) is NdisStatus.MULTICAST_NOT_FOUND
    assert change(b, 0, DELETE, GROUPS[0]) is NdisStatus.SUCCESS
    assert b.fm.multicast_list == GROUPS[0] + GROUPS[1]
    assert change(b, 1, DELETE, GROUPS[0]) is NdisStatus.SUCCESS
    assert b.fm.multicast_list == GROUPS[1]
    assert change(b, 0, ADD, GROUPS[2][:5]) is NdisStatus.BUFFER_TOO_SHORT
    assert change(b, 0, ADD, b"\x02" + GROUPS[2][1:]) is NdisStatus.MULTICAST_FULL


@pytest.mark.rule("OI-11")
def test_single_addresses_count_towards_the_limit_of_the_adapter(bench):
    b = bench(protocols=2)
    limit = b.fm.adapter.attributes.max_multicast_list_size
    b.run(b.fps[1].set_multicast(*GROUPS[: limit - 1]))
    assert change(b, 0, ADD, GROUPS[limit]) is NdisStatus.SUCCESS
    assert change(b, 0, ADD, GROUPS[limit + 1]) is NdisStatus.MULTICAST_FULL
    assert change(b, 0, ADD, GROUPS[0]) is NdisStatus.SUCCESS  # already in the union


@pytest.mark.rule("OI-11")
def test_an_address_that_the_miniport_refuses_is_not_in_the_list(bench):
    class Full(FunctionalMiniport):
        def answer(self, request):
            multicast = request.oid == Oid.OID_802_3_MULTICAST_LIST
            return NdisStatus.MULTICAST_FULL if multicast and request.buffer else super().answer(request)

    b = bench(miniport=Full)
    assert change(b, 0, ADD, GROUPS[0]) is NdisStatus.MULTICAST_FULL
    assert b.fp.open.multicast_list == frozenset()


@pytest.mark.rule("OI-15")
def test_protocol_options_are_taken_by_ndis(bench):
    b = bench()
    request = ndis.set_information(Oid.OID_GEN_PROTOCOL_OPTIONS, (2).to_bytes(4, "little"))
    assert b.run(b.fp.request(request)) is NdisStatus.SUCCESS
    assert b.fp.open.protocol_options == 2
    short = ndis.set_information(Oid.OID_GEN_PROTOCOL_OPTIONS, b"\2")
    assert b.run(b.fp.request(short)) is NdisStatus.BUFFER_TOO_SHORT


@pytest.mark.rule("OI-21")
@pytest.mark.mutant("OI-21")
@pytest.mark.parametrize("at", [0, 1, 2, 3])
def test_mutant_answers_statistics_with_a_wrong_object_header(bench, at):
    b = bench()
    good = StatisticsInfo().pack()
    b.fm.answers[Oid.OID_GEN_STATISTICS] = good
    b.run(b.fp.request(ndis.query(Oid.OID_GEN_STATISTICS, 512)))
    b.fm.answers[Oid.OID_GEN_STATISTICS] = good[:at] + bytes([good[at] ^ 0x40]) + good[at + 1 :]
    with expect_violation(b.ndis, "OI-21"):
        b.run(b.fp.request(ndis.query(Oid.OID_GEN_STATISTICS, 512)))


@pytest.mark.rule("OI-21")
@pytest.mark.mutant("OI-21")
def test_mutant_answers_statistics_cut_short(bench):
    b = bench()
    b.fm.answers[Oid.OID_GEN_STATISTICS] = StatisticsInfo().pack()[:-8]
    with expect_violation(b.ndis, "OI-21"):
        b.run(b.fp.request(ndis.query(Oid.OID_GEN_STATISTICS, 512)))


@pytest.mark.rule("OI-21", "OI-20")
@pytest.mark.mutant("OI-21")
@pytest.mark.parametrize("buffer", [None, b"", 7])
def test_mutant_indicates_a_link_state_without_one(bench, buffer):
    b = bench()
    before = b.fm.adapter.link_state
    with expect_violation(b.ndis, "OI-21"):
        ndis.indicate_status(b.fm.adapter, ndis.StatusIndication(NdisStatus.LINK_STATE, buffer))
    assert (b.fm.adapter.link_state, b.fp.statuses) == (before, [])


# Registration versions.


def of_version(version: NdisVersion) -> type[FunctionalMiniport]:
    class Versioned(FunctionalMiniport):
        def characteristics(self):
            return replace(super().characteristics(), ndis_version=version)

        def reset(self):
            return NdisStatus.SUCCESS, False  # captured sends stay

    return Versioned


@pytest.mark.rule("ST-13")
@pytest.mark.parametrize("version", [NdisVersion.NDIS_6_0, NdisVersion.NDIS_6_1, NdisVersion.NDIS_6_20])
def test_before_6_30_sends_may_stay_pending_over_a_reset(bench, version):
    b = bench(miniport=of_version(version))
    b.fp.send(b.frame())
    assert b.run(ndis.reset_adapter(b.fm.adapter)) is NdisStatus.SUCCESS
    b.fm.complete_all()
    assert [status for _, status in b.fp.completed] == [NdisStatus.SUCCESS]


@pytest.mark.rule("ST-13")
@pytest.mark.mutant("ST-13")
def test_mutant_of_6_30_keeps_a_send_over_a_reset(bench):
    b = bench(miniport=of_version(NdisVersion.NDIS_6_30))
    b.fp.send(b.frame())
    with expect_violation(b.ndis, "ST-13"):
        b.run(ndis.reset_adapter(b.fm.adapter))
    b.fm.complete_all()


@pytest.mark.rule("OI-09")
@pytest.mark.parametrize("version", [v for v in NdisVersion if v >= NdisVersion.NDIS_6_0])
def test_the_version_of_the_registration_is_what_a_query_says(bench, version):
    b = bench(miniport=of_version(version))
    request = ndis.query(Oid.OID_GEN_DRIVER_VERSION, 2)
    assert b.run(b.fp.request(request)) is NdisStatus.SUCCESS
    assert int.from_bytes(request.answer(), "little") == version


# States.


@pytest.mark.rule("ST-16", "OI-22")
def test_a_request_that_is_stuck_over_two_looks_leads_to_one_reset(bench):
    b = bench(profile=Profile(check_for_hang=True))
    b.fm.hold_oids = True
    asked = b.kernel.start(b.fp.request(ndis.query(Oid.OID_GEN_STATISTICS, 512)))
    b.kernel.run_for(3_900_000_000)
    assert b.fm.trace.count("reset") == 0
    b.fm.hold_oids = False
    b.kernel.run_for(300_000_000)
    assert b.fm.trace.count("reset") == 1
    b.fm.complete_oid(NdisStatus.FAILURE)
    b.kernel.run_for(8_000_000_000)
    assert (asked, b.fm.trace.count("reset")) == ([NdisStatus.FAILURE], 1)
    b.run(ndis.halt_adapter(b.fm.adapter))


@pytest.mark.rule("ST-16")
def test_the_hang_check_comes_every_two_seconds_or_as_registered(bench):
    calls: list[int] = []

    class Watched(FunctionalMiniport):
        def check_for_hang(self):
            calls.append(self.ndis.kernel.now_ns())
            return False

    b = bench(miniport=Watched, profile=Profile(check_for_hang=True))
    b.kernel.run_for(10_000_000_001)
    assert [round((later - sooner) / 1e9) for sooner, later in pairwise(calls)] == [2] * 4
    b.run(ndis.halt_adapter(b.fm.adapter))


@pytest.mark.rule("ST-07", "ST-01")
def test_nothing_else_is_asked_of_a_miniport_while_it_pauses(bench):
    class SlowPause(FunctionalMiniport):
        def pause(self, parameters):
            super().pause(parameters)
            return NdisStatus.PENDING

    b = bench(miniport=SlowPause)
    b.kernel.start(ndis.pause_adapter(b.fm.adapter))
    b.kernel.start(ndis.restart_adapter(b.fm.adapter))
    b.kernel.start(ndis.halt_adapter(b.fm.adapter))
    b.kernel.run_for(1000)
    asked = list(b.fm.trace)
    assert asked[-1] == "pause"
    ndis.complete_pause(b.fm.adapter)
    b.kernel.run_for(1000)
    assert b.fm.trace[len(asked)] in {"restart", "halt DEVICE_DISABLED"}
    if "pause" in b.fm.adapter.pending:
        ndis.complete_pause(b.fm.adapter)
    b.run()

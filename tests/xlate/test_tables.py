# SPDX-License-Identifier: Apache-2.0
"""The pure tables of the translation: statuses, link changes, OIDs."""

from __future__ import annotations

import asyncio
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilnic.ndis import LinkState, MediaConnectState, NdisStatus, Oid, RequestType, StatisticsInfo
from hilnic.ndis.flags import MediaDuplexState, MediaState
from hilnic.ndis.oid_request import OidRequest, answer_query, query, set_information
from hilnic.ndis.statistics import COUNTER_OIDS, StatisticsFlags
from hilnic.ndis.verifier.custody import FINAL_STATUSES
from hilnic.ndis.xlate import link, oid, status

# Statuses (XL-13).


@pytest.mark.rule("XL-13")
@pytest.mark.parametrize(
    ("six", "five"),
    [
        (NdisStatus.SUCCESS, NdisStatus.SUCCESS),
        (NdisStatus.SEND_ABORTED, NdisStatus.REQUEST_ABORTED),
        (NdisStatus.PAUSED, NdisStatus.FAILURE),
        (NdisStatus.LOW_POWER_STATE, NdisStatus.FAILURE),
        (NdisStatus.INVALID_PORT, NdisStatus.FAILURE),
        (NdisStatus.INVALID_LENGTH, NdisStatus.INVALID_PACKET),
        (NdisStatus.RESOURCES, NdisStatus.RESOURCES),
        (NdisStatus.RESET_IN_PROGRESS, NdisStatus.RESET_IN_PROGRESS),
        (NdisStatus.CLOSING, NdisStatus.CLOSING),
        (NdisStatus.NOT_ACCEPTED, NdisStatus.NOT_ACCEPTED),
        (NdisStatus.MEDIA_DISCONNECTED, NdisStatus.NO_CABLE),
    ],
)
def test_the_status_of_a_6_send_in_5(six, five):
    assert status.to_5(six) == five


@pytest.mark.rule("XL-13")
@pytest.mark.parametrize(
    ("five", "six"),
    [
        (NdisStatus.SUCCESS, NdisStatus.SUCCESS),
        (NdisStatus.REQUEST_ABORTED, NdisStatus.SEND_ABORTED),
        (NdisStatus.INVALID_PACKET, NdisStatus.INVALID_LENGTH),
        (NdisStatus.INVALID_LENGTH, NdisStatus.INVALID_LENGTH),
        (NdisStatus.RESOURCES, NdisStatus.RESOURCES),
        (NdisStatus.RESET_IN_PROGRESS, NdisStatus.RESET_IN_PROGRESS),
        (NdisStatus.INVALID_DATA, NdisStatus.FAILURE),
        (NdisStatus.ADAPTER_NOT_READY, NdisStatus.FAILURE),
        (NdisStatus.NOT_COPIED, NdisStatus.SUCCESS),
    ],
)
def test_the_status_of_a_5_send_in_6(five, six):
    assert status.to_6(five) == six


@pytest.mark.rule("XL-13")
@pytest.mark.parametrize("five", [s for s in NdisStatus if s is not NdisStatus.PENDING])
def test_every_5_status_becomes_one_that_may_end_a_6_send(five):
    assert status.to_6(five) in FINAL_STATUSES


@pytest.mark.rule("XL-13")
@pytest.mark.parametrize("six", sorted(FINAL_STATUSES))
def test_no_number_of_6_alone_reaches_a_5_protocol(six):
    assert status.to_5(six) >> 16 != 0xC023


@pytest.mark.rule("XL-13")
def test_success_stays_success_and_failure_failure():
    for each in NdisStatus:
        if each not in {NdisStatus.PENDING, NdisStatus.NOT_ACCEPTED}:  # the latter is no success, whatever its number
            assert (status.to_6(each) == NdisStatus.SUCCESS) == (each < 0x80000000)
            assert (status.to_5(each) < 0x80000000) == (each < 0x80000000)


# Link changes (XL-14).

UP = LinkState(MediaConnectState.CONNECTED, MediaDuplexState.FULL, 1_000_000_000, 1_000_000_000)
SLOW = LinkState(MediaConnectState.CONNECTED, MediaDuplexState.FULL, 100_000_000, 100_000_000)
DOWN = LinkState(MediaConnectState.DISCONNECTED, MediaDuplexState.UNKNOWN, link.UNKNOWN_SPEED, link.UNKNOWN_SPEED)
GIGABIT = struct.pack("<I", 10_000_000)


@pytest.mark.rule("XL-14")
@pytest.mark.parametrize(
    ("before", "after", "news"),
    [
        (DOWN, UP, [(NdisStatus.MEDIA_CONNECT, b""), (NdisStatus.LINK_SPEED_CHANGE, GIGABIT)]),
        (UP, DOWN, [(NdisStatus.MEDIA_DISCONNECT, b"")]),
        (SLOW, UP, [(NdisStatus.LINK_SPEED_CHANGE, GIGABIT)]),
        (UP, UP, []),
        (DOWN, DOWN, []),
        (None, UP, [(NdisStatus.MEDIA_CONNECT, b""), (NdisStatus.LINK_SPEED_CHANGE, GIGABIT)]),
        (None, DOWN, [(NdisStatus.MEDIA_DISCONNECT, b"")]),
    ],
)
def test_a_link_state_as_5_hears_it(before, after, news):
    assert link.to_5(before, after) == news


@pytest.mark.rule("XL-14")
def test_a_connect_has_the_speed_that_the_oid_says_in_100_bit_units():
    assert link.to_6(NdisStatus.MEDIA_CONNECT, 10_000_000, UP) == UP
    assert link.to_6(NdisStatus.MEDIA_CONNECT, 1_000_000).xmit_link_speed == 100_000_000


@pytest.mark.rule("XL-14")
def test_a_disconnected_link_has_no_speed():
    assert link.to_6(NdisStatus.MEDIA_DISCONNECT, 10_000_000, UP) == DOWN


@pytest.mark.rule("XL-14")
def test_a_speed_change_leaves_the_cable_as_it_was():
    assert link.to_6(NdisStatus.LINK_SPEED_CHANGE, 1_000_000, UP) == SLOW
    assert link.to_6(NdisStatus.LINK_SPEED_CHANGE, 1_000_000, DOWN) == DOWN


@pytest.mark.rule("XL-14")
def test_the_values_of_the_two_media_states_differ():
    assert link.media_state(MediaConnectState.CONNECTED) == MediaState.CONNECTED == 0
    assert link.media_state(MediaConnectState.DISCONNECTED) == MediaState.DISCONNECTED == 1
    assert link.media_state(MediaConnectState.UNKNOWN) == MediaState.CONNECTED
    assert link.media_connect_state(0) is MediaConnectState.CONNECTED
    assert link.media_connect_state(1) is MediaConnectState.DISCONNECTED


@pytest.mark.rule("XL-14")
def test_each_side_hears_only_its_own_news():
    assert not link.reaches_5(NdisStatus.LINK_STATE)
    assert not link.reaches_5(NdisStatus.TASK_OFFLOAD_CURRENT_CONFIG)
    assert link.reaches_5(NdisStatus.RESET_START)
    assert link.reaches_6(NdisStatus.RESET_END)
    assert not any(link.reaches_6(each) for each in link.LINK_STATUSES)


@pytest.mark.rule("XL-14")
@given(st.integers(0, 0xFFFFFFFF))
def test_a_speed_survives_both_ways(units):
    assert link.speed_units(link.to_6(NdisStatus.MEDIA_CONNECT, units)) == units


# Requests (XL-20).


class Miniport5:
    """A 5.x miniport's query handler over a dictionary: OID -> bytes."""

    def __init__(self, answers: dict[int, bytes]) -> None:
        self.answers = answers
        self.asked: list[int] = []

    async def ask(self, request: OidRequest) -> NdisStatus:
        self.asked.append(request.oid)
        if request.oid not in self.answers:
            return NdisStatus.INVALID_OID
        answered = answer_query(request, self.answers[request.oid])
        return NdisStatus.INVALID_LENGTH if answered is NdisStatus.BUFFER_TOO_SHORT else answered


def serve(miniport: Miniport5, request: OidRequest, counters: oid.Counters | None = None) -> NdisStatus:
    return asyncio.run(oid.ask_miniport_5(miniport.ask, counters or oid.Counters(), request))


def u32(value: int) -> bytes:
    return struct.pack("<I", value)


def u64(value: int) -> bytes:
    return struct.pack("<Q", value)


@pytest.mark.rule("XL-20")
@pytest.mark.parametrize("size", [0, 3, 4, 7, 8])
@pytest.mark.parametrize("value", [5, 0x1_0000_0005])
def test_a_64_bit_counter_through_buffers_of_every_size(size, value):
    request = query(Oid.OID_GEN_XMIT_OK, size)
    answered = serve(Miniport5({Oid.OID_GEN_XMIT_OK: u64(value)}), request)
    if size < 4:
        assert (answered, request.bytes_needed) == (NdisStatus.BUFFER_TOO_SHORT, 8)
    elif size < 8:
        assert (answered, request.answer(), request.bytes_needed) == (NdisStatus.SUCCESS, u32(5), 8)
    else:
        assert (answered, request.answer(), request.bytes_needed) == (NdisStatus.SUCCESS, u64(value), 0)


@pytest.mark.rule("XL-20")
def test_a_32_bit_counter_that_goes_round_is_a_64_bit_one_above():
    counters, seen = oid.Counters(), []
    for value in (0xFFFFFFF0, 0xFFFFFFFF, 3, 7, 2):
        request = query(Oid.OID_GEN_RCV_OK, 8)
        serve(Miniport5({Oid.OID_GEN_RCV_OK: u32(value)}), request, counters)
        seen.append(int.from_bytes(request.answer(), "little"))
    assert seen == [0xFFFFFFF0, 0xFFFFFFFF, 0x1_0000_0003, 0x1_0000_0007, 0x2_0000_0002]


@pytest.mark.rule("XL-20")
def test_each_counter_goes_round_on_its_own():
    counters = oid.Counters()
    assert counters.widen(Oid.OID_GEN_XMIT_OK, u32(9)) == 9
    assert counters.widen(Oid.OID_GEN_RCV_OK, u32(3)) == 3
    assert counters.widen(Oid.OID_GEN_XMIT_OK, u32(8)) == 0x1_0000_0008


@pytest.mark.rule("XL-20")
def test_the_statistics_block_is_made_of_single_counters():
    single = {code: names[0] for code, names in COUNTER_OIDS.items() if len(names) == 1}
    answers = {code: u64(number + 1) for number, code in enumerate(single)}
    request = query(Oid.OID_GEN_STATISTICS, 256)
    assert serve(Miniport5(answers), request) is NdisStatus.SUCCESS
    info = StatisticsInfo.parse(request.answer())
    assert info.broken_identity() is None
    assert info.if_hc_out_ucast_pkts == int.from_bytes(answers[Oid.OID_GEN_DIRECTED_FRAMES_XMIT], "little")
    assert info.if_in_discards == int.from_bytes(answers[Oid.OID_GEN_RCV_NO_BUFFER], "little")
    parts = (Oid.OID_GEN_DIRECTED_BYTES_RCV, Oid.OID_GEN_MULTICAST_BYTES_RCV, Oid.OID_GEN_BROADCAST_BYTES_RCV)
    assert info.if_hc_in_octets == sum(int.from_bytes(answers[part], "little") for part in parts)


@pytest.mark.rule("XL-20")
def test_the_statistics_block_claims_only_what_the_miniport_counts():
    request = query(Oid.OID_GEN_STATISTICS, 256)
    serve(Miniport5({Oid.OID_GEN_XMIT_ERROR: u32(4), Oid.OID_GEN_DIRECTED_BYTES_XMIT: u32(60)}), request)
    supported = struct.unpack_from("<I", request.answer(), 4)[0]
    assert supported == StatisticsFlags.XMIT_ERROR | StatisticsFlags.DIRECTED_BYTES_XMIT
    assert StatisticsInfo.parse(request.answer()).if_out_errors == 4


@pytest.mark.rule("XL-20")
def test_statuses_of_requests_both_ways():
    assert oid.status_to_5(NdisStatus.BUFFER_TOO_SHORT) is NdisStatus.INVALID_LENGTH
    assert oid.status_to_5(NdisStatus.NOT_SUPPORTED) is NdisStatus.INVALID_OID
    assert oid.status_to_5(NdisStatus.MULTICAST_FULL) is NdisStatus.MULTICAST_FULL
    assert oid.status_to_5(NdisStatus.SUCCESS) is NdisStatus.SUCCESS
    ask, tell = RequestType.QUERY_INFORMATION, RequestType.SET_INFORMATION
    assert oid.status_to_6(ask, NdisStatus.INVALID_LENGTH) is NdisStatus.BUFFER_TOO_SHORT
    assert oid.status_to_6(tell, NdisStatus.INVALID_LENGTH) is NdisStatus.INVALID_LENGTH
    assert oid.status_to_6(ask, NdisStatus.INVALID_OID) is NdisStatus.NOT_SUPPORTED
    assert oid.status_to_6(ask, NdisStatus.REQUEST_ABORTED) is NdisStatus.REQUEST_ABORTED


@pytest.mark.rule("XL-20")
def test_an_unknown_oid_and_a_short_buffer_and_a_set_reach_the_miniport_as_they_are():
    miniport = Miniport5({Oid.OID_GEN_VENDOR_ID: u32(7)})
    assert serve(miniport, query(Oid.OID_GEN_VENDOR_DESCRIPTION, 4)) is NdisStatus.NOT_SUPPORTED
    assert serve(miniport, query(Oid.OID_GEN_VENDOR_ID, 3)) is NdisStatus.BUFFER_TOO_SHORT
    assert serve(miniport, set_information(Oid.OID_GEN_VENDOR_DESCRIPTION, b"x")) is NdisStatus.NOT_SUPPORTED
    assert miniport.asked == [Oid.OID_GEN_VENDOR_DESCRIPTION, Oid.OID_GEN_VENDOR_ID, Oid.OID_GEN_VENDOR_DESCRIPTION]


@pytest.mark.rule("XL-20")
def test_lists_of_oids_name_what_the_other_side_knows():
    six = struct.pack("<3I", Oid.OID_GEN_STATISTICS, Oid.OID_GEN_XMIT_OK, Oid.OID_GEN_LINK_STATE)
    five = oid.supported_list_to_5(six)
    known = {Oid.OID_GEN_PROTOCOL_OPTIONS, Oid.OID_GEN_MAXIMUM_SEND_PACKETS, Oid.OID_GEN_XMIT_OK}
    assert set(struct.unpack("<3I", five)) == known
    back = oid.supported_list_to_6(five + u32(0xFF123456))
    assert set(back) == {Oid.OID_GEN_STATISTICS, Oid.OID_GEN_XMIT_OK, Oid.OID_GEN_LINK_STATE}


@pytest.mark.rule("XL-20")
def test_the_attributes_of_a_5_miniport_are_its_answers():
    own = bytes.fromhex("02484e000001")
    miniport = Miniport5(
        {
            Oid.OID_802_3_CURRENT_ADDRESS: own,
            Oid.OID_802_3_PERMANENT_ADDRESS: own,
            Oid.OID_802_3_MAXIMUM_LIST_SIZE: u32(16),
            Oid.OID_GEN_MAXIMUM_FRAME_SIZE: u32(9000),
            Oid.OID_GEN_MAXIMUM_LOOKAHEAD: u32(256),
            Oid.OID_GEN_MAC_OPTIONS: u32(0xD),
            Oid.OID_GEN_LINK_SPEED: u32(1_000_000),
            Oid.OID_GEN_MEDIA_CONNECT_STATUS: u32(MediaState.DISCONNECTED),
        }
    )
    attributes = oid.general_attributes(asyncio.run(oid.read_attributes(miniport.ask)))
    assert (attributes.mac_address, attributes.permanent_mac_address) == (own, own)
    assert (attributes.mtu_size, attributes.lookahead_size, attributes.mac_options) == (9000, 256, 0xD)
    assert attributes.max_multicast_list_size == 16
    assert attributes.max_xmit_link_speed == 100_000_000
    assert attributes.xmit_link_speed == link.UNKNOWN_SPEED
    assert attributes.media_connect_state is MediaConnectState.DISCONNECTED

# SPDX-License-Identifier: Apache-2.0
"""Link, requests, cancel and refused calls across the versions."""

from __future__ import annotations

import struct

import pytest

from hilnic import ndis
from hilnic.ndis import MediaConnectState, NdisStatus, Oid, RequestType, ndis5
from hilnic.ndis.ndis5 import NdisRequest
from hilnic.ndis.oid_request import query
from hilnic.ndis.xlate import oid as xlate_oid
from hilnic.testing import expect_violation
from hilnic.testing.packets import free_built_packet

# Link (XL-14).


@pytest.mark.rule("XL-14")
def test_a_5_protocol_hears_connect_disconnect_and_speed(five_over_six):
    b = five_over_six()
    b.fm.link(False)
    b.fm.link(True)
    assert b.fp.statuses == [
        (NdisStatus.MEDIA_DISCONNECT, b""),
        (NdisStatus.MEDIA_CONNECT, b""),
        (NdisStatus.LINK_SPEED_CHANGE, struct.pack("<I", 10_000_000)),
    ]


@pytest.mark.rule("XL-14")
def test_a_5_protocol_hears_a_new_speed_alone(five_over_six):
    b = five_over_six()
    slow = ndis.LinkState(MediaConnectState.CONNECTED, ndis.MediaDuplexState.FULL, 100_000_000, 100_000_000)
    ndis.indicate_status(b.fm.adapter, ndis.StatusIndication(NdisStatus.LINK_STATE, slow))
    assert b.fp.statuses == [(NdisStatus.LINK_SPEED_CHANGE, struct.pack("<I", 1_000_000))]


@pytest.mark.rule("XL-14")
def test_an_unknown_connect_state_counts_as_connected_in_the_news_and_in_the_answer(five_over_six):
    b = five_over_six()
    for state in (MediaConnectState.DISCONNECTED, MediaConnectState.UNKNOWN):
        link = ndis.LinkState(state, ndis.MediaDuplexState.UNKNOWN, 1_000_000_000, 1_000_000_000)
        ndis.indicate_status(b.fm.adapter, ndis.StatusIndication(NdisStatus.LINK_STATE, link))
    assert [code for code, _ in b.fp.statuses][:2] == [NdisStatus.MEDIA_DISCONNECT, NdisStatus.MEDIA_CONNECT]
    assert b.run(b.fp.query(Oid.OID_GEN_MEDIA_CONNECT_STATUS, 4)) == (NdisStatus.SUCCESS, bytes(4))


@pytest.mark.rule("XL-14")
def test_what_6_alone_says_does_not_reach_a_5_protocol(five_over_six):
    b = five_over_six()
    for code in (NdisStatus.TASK_OFFLOAD_CURRENT_CONFIG, NdisStatus.PORT_STATE, NdisStatus.RING_STATUS):
        ndis.indicate_status(b.fm.adapter, ndis.StatusIndication(code, b""))
    assert b.fp.statuses == [(NdisStatus.RING_STATUS, b"")]


@pytest.mark.rule("XL-14")
def test_a_6_protocol_hears_the_link_state_with_the_speed_that_the_miniport_answers(six_over_five):
    b = six_over_five()
    b.fm.link(False)
    b.run()
    b.fm.answers[Oid.OID_GEN_LINK_SPEED] = (1_000_000).to_bytes(4, "little")
    b.fm.link(True)
    b.run()
    states = [one.buffer for one in b.fp.statuses if one.status_code is NdisStatus.LINK_STATE]
    assert [state.media_connect_state for state in states] == [
        MediaConnectState.DISCONNECTED,
        MediaConnectState.CONNECTED,
    ]
    assert states[1].xmit_link_speed == 100_000_000
    assert {one.status_code for one in b.fp.statuses} == {NdisStatus.LINK_STATE}
    request = query(Oid.OID_GEN_LINK_SPEED, 4)
    assert b.run(b.fp.request(request)) is NdisStatus.SUCCESS
    assert request.answer() == (1_000_000).to_bytes(4, "little")


# Requests (XL-20).


def ask5(b, oid: int, size: int) -> tuple[NdisStatus, bytes, int]:
    request = NdisRequest(RequestType.QUERY_INFORMATION, oid, bytearray(size))
    status = b.run(b.fp.request(request))
    return status, request.answer(), request.bytes_needed


@pytest.mark.rule("XL-20", "OI-06")
@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (8, (NdisStatus.SUCCESS, struct.pack("<Q", 0x1_0000_0005), 0)),
        (4, (NdisStatus.SUCCESS, struct.pack("<I", 5), 8)),
        (0, (NdisStatus.INVALID_LENGTH, b"", 8)),
    ],
)
def test_a_5_protocol_sees_32_bits_of_a_64_bit_counter(five_over_six, size, expected):
    b = five_over_six()
    statistics = ndis.StatisticsInfo(if_hc_in_ucast_pkts=0x1_0000_0005)
    b.fm.answers[Oid.OID_GEN_STATISTICS] = statistics.pack()
    assert ask5(b, Oid.OID_GEN_RCV_OK, size) == expected


@pytest.mark.rule("XL-20")
def test_a_6_protocol_sees_64_bits_of_a_32_bit_counter_that_went_round(six_over_five):
    b = six_over_five()
    seen = []
    for value in (0xFFFFFFFE, 3):
        b.fm.answers[Oid.OID_GEN_XMIT_OK] = value.to_bytes(4, "little")
        request = query(Oid.OID_GEN_XMIT_OK, 8)
        assert b.run(b.fp.request(request)) is NdisStatus.SUCCESS
        seen.append(int.from_bytes(request.answer(), "little"))
    assert seen == [0xFFFFFFFE, 0x1_0000_0003]


@pytest.mark.rule("XL-20")
def test_a_6_protocol_gets_the_statistics_block_of_a_5_miniport(six_over_five):
    b = six_over_five()
    b.fm.answers[Oid.OID_GEN_DIRECTED_FRAMES_XMIT] = (7).to_bytes(4, "little")
    request = query(Oid.OID_GEN_STATISTICS, 256)
    assert b.run(b.fp.request(request)) is NdisStatus.SUCCESS
    assert ndis.StatisticsInfo.parse(request.answer()).if_hc_out_ucast_pkts == 7


@pytest.mark.rule("XL-20")
def test_filter_and_lookahead_of_a_5_protocol_are_ndis_s_business_over_6(five_over_six):
    b = five_over_six()
    assert b.fm.packet_filter == 0xB
    looks = NdisRequest(RequestType.SET_INFORMATION, Oid.OID_GEN_CURRENT_LOOKAHEAD, bytearray(struct.pack("<I", 256)))
    assert b.run(b.fp.request(looks)) is NdisStatus.SUCCESS
    assert ask5(b, Oid.OID_GEN_CURRENT_LOOKAHEAD, 4) == (NdisStatus.SUCCESS, struct.pack("<I", 256), 0)


@pytest.mark.rule("XL-20")
def test_the_filters_of_6_protocols_reach_a_5_miniport_as_one(six_over_five):
    b = six_over_five(protocols=2)
    b.run(b.fps[1].set_filter(ndis.PacketFilter.PROMISCUOUS))
    assert b.fm.packet_filter == 0xB | 0x20


@pytest.mark.rule("XL-20")
def test_answers_have_the_words_of_who_asks(five_over_six):
    b = five_over_six()
    assert ask5(b, Oid.OID_GEN_VENDOR_ID, 4)[0] is NdisStatus.INVALID_OID
    assert ask5(b, Oid.OID_GEN_MAXIMUM_FRAME_SIZE, 3) == (NdisStatus.INVALID_LENGTH, b"", 4)


@pytest.mark.rule("XL-20")
def test_a_6_protocol_s_short_query_is_too_short_and_an_unknown_one_not_supported(six_over_five):
    b = six_over_five()
    b.fm.answers[Oid.OID_GEN_VENDOR_ID] = bytes(4)
    assert b.run(b.fp.request(query(Oid.OID_GEN_VENDOR_ID, 3))) is NdisStatus.BUFFER_TOO_SHORT
    assert b.run(b.fp.request(query(Oid.OID_GEN_VENDOR_DESCRIPTION, 3))) is NdisStatus.NOT_SUPPORTED


@pytest.mark.rule("XL-20")
def test_a_list_of_oids_may_be_longer_than_ndis_expects(bench, drivers):
    known = sorted(int(oid) for oid in Oid)
    data = struct.pack(f"<{300 + len(known)}I", *range(0xFF000000, 0xFF000000 + 300), *known)

    class Talkative(drivers.Miniport5):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            self.answers[Oid.OID_GEN_SUPPORTED_LIST] = data

    b = bench(miniport=Talkative)
    assert set(b.fm.adapter.attributes.supported_oids) >= set(Oid) - xlate_oid.ONLY_5


@pytest.mark.rule("XL-20")
def test_a_5_protocol_reads_a_list_of_oids_that_mean_something_to_it(five_over_six):
    b = five_over_six()
    _, answer, _ = ask5(b, Oid.OID_GEN_SUPPORTED_LIST, 512)
    known = struct.unpack(f"<{len(answer) // 4}I", answer)
    assert Oid.OID_GEN_MAXIMUM_SEND_PACKETS in known
    assert Oid.OID_GEN_STATISTICS not in known
    assert Oid.OID_GEN_LINK_SPEED in known


# Cancel (A10).


@pytest.mark.rule("XL-13", "CN-09")
def test_a_5_protocol_cancels_over_6_and_hears_request_aborted(five_over_six):
    b = five_over_six()
    packets = [b.fp.build(frame) for frame in b.frames(4)]
    for number, packet in enumerate(packets):
        ndis5.set_packet_cancel_id(packet, "AB"[number % 2])
    b.fp.send_packets(*packets)
    ndis5.cancel_send_packets(b.fp.binding, "A")
    assert b.fp.completed == [(packets[0], NdisStatus.REQUEST_ABORTED), (packets[2], NdisStatus.REQUEST_ABORTED)]
    b.fm.complete_all()


@pytest.mark.rule("XL-13", "CN-09")
def test_a_6_protocol_cancels_over_5_and_hears_send_aborted(six_over_five):
    b = six_over_five()
    nbls = [b.fp.build(frame) for frame in b.frames(4)]
    for number, nbl in enumerate(nbls):
        nbl.net_buffer_list_info[ndis.NblInfo.CANCEL_ID] = "AB"[number % 2]
    b.fp.send_nbls(nbls)
    ndis.cancel_send_net_buffer_lists(b.fp.binding, "A")
    assert b.fp.completed == [(nbls[0], NdisStatus.SEND_ABORTED), (nbls[2], NdisStatus.SEND_ABORTED)]
    b.fm.complete_all()


# NDIS 5 calls of NDIS 6 drivers (XL-16).

BY_MINIPORTS = {
    "NdisMIndicateReceivePacket": lambda adapter: ndis5.indicate_receive_packet(adapter, []),
    "NdisMSendComplete": lambda adapter: ndis5.send_complete(adapter, None, 0),
    "NdisMSendResourcesAvailable": ndis5.send_resources_available,
    "NdisMEthIndicateReceive": lambda adapter: ndis5.eth_indicate_receive(
        adapter, None, memoryview(b""), memoryview(b""), 0
    ),
    "NdisMEthIndicateReceiveComplete": ndis5.eth_indicate_receive_complete,
    "NdisMTransferDataComplete": lambda adapter: ndis5.transfer_data_complete(adapter, None, NdisStatus.SUCCESS, 0),
    "NdisMIndicateStatus": lambda adapter: ndis5.indicate_status(adapter, NdisStatus.MEDIA_CONNECT),
    "NdisMIndicateStatusComplete": ndis5.indicate_status_complete,
    "NdisMQueryInformationComplete": lambda adapter: ndis5.query_information_complete(adapter, NdisStatus.SUCCESS),
    "NdisMSetInformationComplete": lambda adapter: ndis5.set_information_complete(adapter, NdisStatus.SUCCESS),
    "NdisMSetAttributesEx": lambda adapter: ndis5.set_attributes_ex(adapter, None),
}


@pytest.mark.rule("XL-16")
@pytest.mark.mutant("XL-16")
@pytest.mark.parametrize("call", BY_MINIPORTS)
def test_mutant_miniport_of_6_calls_ndis_5(five_over_six, call):
    b = five_over_six()
    with expect_violation(b.ndis, "XL-16") as found:
        BY_MINIPORTS[call](b.fm.adapter)
    assert "NdisM" in str(found[0])


BY_PROTOCOLS = {
    "NdisSend": ndis5.send,
    "NdisSendPackets": lambda binding, packet: ndis5.send_packets(binding, [packet]),
    "NdisCancelSendPackets": lambda binding, packet: ndis5.cancel_send_packets(binding, 1),
    "NdisTransferData": lambda binding, packet: ndis5.transfer_data(binding, None, 0, 0, packet),
    "NdisGetReceivedPacket": lambda binding, packet: ndis5.get_received_packet(binding, None),
    "NdisRequest": lambda binding, packet: ndis5.request(
        binding, NdisRequest(RequestType.QUERY_INFORMATION, Oid.OID_GEN_LINK_SPEED, bytearray(4))
    ),
    "NdisReset": lambda binding, packet: ndis5.reset(binding),
    "NdisCloseAdapter": lambda binding, packet: ndis5.close_adapter(binding),
}


@pytest.mark.rule("XL-16")
@pytest.mark.mutant("XL-16")
@pytest.mark.parametrize("call", BY_PROTOCOLS)
def test_mutant_protocol_of_6_calls_ndis_5(six_over_five, call):
    b = six_over_five()
    packet = b.fm.build(b.frame())
    with expect_violation(b.ndis, "XL-16") as found:
        BY_PROTOCOLS[call](b.fp.binding, packet)
    assert call in str(found[0])
    free_built_packet(packet)

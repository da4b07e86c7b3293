# SPDX-License-Identifier: Apache-2.0
"""The WAN miniport on the twin: PPP over Ethernet both ways, and what NDISWAN asks of adapter and links."""

from hilnic.miniport5.wan import HEADER_PADDING
from hilnic.ndis import NdisStatus, Oid, ndis5
from hilnic.ndis.ndis5 import TapiMakeCall, WanInfo, WanLinkInfo, WanMediumSubtype

from .conftest import OWN, PEER
from .wan_host import HEADER, PPP

OTHER = b"\x02\0\0\0\0\x66"


# --- frames -----------------------------------------------------------------------------------------------------------


def test_a_frame_goes_out_with_both_headers_and_nothing_else_is_touched(wan):
    handle, _ = wan.dial()
    frames = [PPP + bytes([n]) for n in range(12)]
    wan.up.send(handle, *frames)
    wan.wait(wan.up.wait_until_idle())
    assert wan.wire[2:] == [PEER + OWN + HEADER + len(frame).to_bytes(2, "big") + frame for frame in frames]
    assert wan.up.statuses == [NdisStatus.SUCCESS] * 12


def test_a_frame_of_the_session_comes_in_without_headers_and_padding(wan):
    _, line = wan.dial()
    short = b"\xc0\x21\x09"
    wan.inject(OWN + PEER + HEADER + b"\x00\x03" + short)
    wan.run()
    assert wan.up.received == [(line, short)]
    assert wan.up.receive_completes == 1


def test_anything_else_is_discarded(wan):
    wan.dial()
    bad = [
        OWN + PEER + b"\x08\x00" + bytes(50),
        OWN + PEER + b"\x88\x64\x11\x00\x12\x35\x00\x02\x00\x21" + bytes(40),
        OWN + PEER + b"\x88\x64\x11\x07\x12\x34\x00\x02\x00\x21" + bytes(40),
        OWN + OTHER + HEADER + b"\x00\x02\x00\x21" + bytes(40),
    ]
    for frame in bad:
        wan.inject(frame)
    wan.run()
    assert wan.up.received == []
    assert wan.stack.nic5.rx.statistics().discarded == len(bad)


def test_a_frame_that_is_cut_is_a_fragment_of_its_line(wan):
    _, line = wan.dial()
    wan.inject(OWN + PEER + HEADER + b"\x07\xd0" + bytes(60))
    wan.run()
    assert (line.fragments, wan.up.received) == (1, [])


def test_what_cannot_be_sent_is_refused(wan):
    handle, _ = wan.dial()
    for link in ("no link", [], handle + 1):
        wan.up.send(link, PPP)
    wan.up.send(handle, bytes(1495))
    wan.up.header_padding = HEADER_PADDING - 1
    wan.up.send(handle, PPP)
    assert wan.up.statuses == [NdisStatus.FAILURE] * 3 + [NdisStatus.INVALID_PACKET] * 2


# --- requests ---------------------------------------------------------------------------------------------------------


def u32(value):
    return value.to_bytes(4, "little")


ANSWERS = [
    (Oid.OID_WAN_PERMANENT_ADDRESS, OWN),
    (Oid.OID_WAN_CURRENT_ADDRESS, OWN),
    (Oid.OID_WAN_QUALITY_OF_SERVICE, u32(0)),
    (Oid.OID_WAN_MEDIUM_SUBTYPE, u32(WanMediumSubtype.PPPOE)),
    (Oid.OID_WAN_HEADER_FORMAT, u32(1)),
    (Oid.OID_WAN_LINE_COUNT, u32(4)),
    (Oid.OID_WAN_GET_INFO, WanInfo(1492, 4, 20, 0, 4, 0, (1 << 64) - 1, 0x300, 0).pack()),
]


def test_what_the_adapter_is_it_says_and_how_long_the_answer_is(wan):
    for oid, answer in ANSWERS:
        assert wan.wait(wan.up.query(oid, bytes(64))) == (NdisStatus.SUCCESS, answer)
        assert wan.wait(wan.up.query(oid, bytes(len(answer) - 1))) == (NdisStatus.INVALID_LENGTH, b"")
        assert int(oid) in wan.stack.nic5.own_oids


def test_a_link_tells_what_it_can_do_and_does_less_when_told(wan):
    handle, line = wan.dial()
    best = WanLinkInfo(handle, 1494, 1494, 20, 0, 0x300, 0x300)
    asked = WanLinkInfo(handle).pack()
    assert wan.wait(wan.up.query(Oid.OID_WAN_GET_LINK_INFO, asked)) == (NdisStatus.SUCCESS, best.pack())
    less = WanLinkInfo(handle, 80, 70, 32, 8, 0, 0x300)
    assert wan.wait(wan.up.set(Oid.OID_WAN_SET_LINK_INFO, less.pack())) is NdisStatus.SUCCESS
    now = WanLinkInfo.parse(wan.wait(wan.up.query(Oid.OID_WAN_GET_LINK_INFO, asked))[1])
    assert now == WanLinkInfo(handle, 80, 70, 32, 8, 0x300, 0x300)
    wan.up.send(handle, bytes(80), bytes(81))
    wan.wait(wan.up.wait_until_idle())
    assert sorted(wan.up.statuses) == [NdisStatus.SUCCESS, NdisStatus.INVALID_PACKET]
    for length in (70, 71):
        wan.inject(OWN + PEER + HEADER + length.to_bytes(2, "big") + bytes(length))
    wan.run()
    assert wan.up.received == [(line, bytes(70))]


SETS = [
    (Oid.OID_WAN_SET_LINK_INFO, WanLinkInfo(99, 80, 80, 20).pack(), NdisStatus.INVALID_DATA),
    (Oid.OID_WAN_SET_LINK_INFO, WanLinkInfo(1, 1495, 80, 20).pack(), NdisStatus.INVALID_DATA),
    (Oid.OID_WAN_SET_LINK_INFO, WanLinkInfo(1, 80, 0, 20).pack(), NdisStatus.INVALID_DATA),
    (Oid.OID_WAN_SET_LINK_INFO, WanLinkInfo(1, 80, 80, 19).pack(), NdisStatus.INVALID_DATA),
    (Oid.OID_WAN_SET_LINK_INFO, WanLinkInfo(1, 80, 80, 20, 0, 0x400).pack(), NdisStatus.INVALID_DATA),
    (Oid.OID_WAN_SET_LINK_INFO, WanLinkInfo(1, 80, 80, 20, 0, 0, 0, 1).pack(), NdisStatus.INVALID_DATA),
    (Oid.OID_WAN_SET_LINK_INFO, bytes(47), NdisStatus.INVALID_LENGTH),
    (Oid.OID_WAN_HEADER_FORMAT, u32(1), NdisStatus.SUCCESS),
    (Oid.OID_WAN_HEADER_FORMAT, u32(0), NdisStatus.INVALID_DATA),
    (Oid.OID_WAN_PROTOCOL_TYPE, b"\xcc", NdisStatus.SUCCESS),
    (Oid.OID_WAN_PROTOCOL_TYPE, b"\x80\0\0\0\x08\x00", NdisStatus.SUCCESS),
    (Oid.OID_WAN_PROTOCOL_TYPE, b"\x81\0\0\0\x08\x00", NdisStatus.INVALID_DATA),
    (Oid.OID_WAN_PROTOCOL_TYPE, b"\x08\x00", NdisStatus.INVALID_LENGTH),
    (Oid.OID_TAPI_DROP, ndis5.pack_drop(99), NdisStatus.INVALID_DATA),
    (Oid.OID_TAPI_DROP, bytes(23), NdisStatus.INVALID_LENGTH),
]


def test_a_set_that_makes_no_sense_is_refused(wan):
    wan.dial()
    for oid, data, status in SETS:
        assert wan.wait(wan.up.set(oid, data)) is status, (oid.name, data)
        assert wan.discovery.calls[1].info == wan.stack.nic5.link_info(1)


WRONG_CALLS = [
    (bytes(43), NdisStatus.INVALID_LENGTH),
    (bytes(44), NdisStatus.INVALID_DATA),  # not with the default call parameters
    (TapiMakeCall(1, b"name").pack()[:-1], NdisStatus.INVALID_DATA),
    (TapiMakeCall(1, b"name").pack().replace(b"\x2c", b"\x2b"), NdisStatus.INVALID_DATA),
]


def test_a_call_that_is_put_wrongly_is_not_made(wan):
    for data, status in WRONG_CALLS:
        assert wan.wait(wan.up.query(Oid.OID_TAPI_MAKE_CALL, data)) == (status, b"")
        assert wan.discovery.calls == {}


def test_a_link_is_only_known_while_it_is_up(wan):
    asked = WanLinkInfo(1).pack()
    wan.ac.deaf_to = 9
    handle = wan.wait(wan.up.dial())
    assert handle == 1
    assert wan.wait(wan.up.query(Oid.OID_WAN_GET_LINK_INFO, asked))[0] is NdisStatus.INVALID_DATA
    assert wan.wait(wan.up.query(Oid.OID_WAN_GET_LINK_INFO, asked[:40]))[0] is NdisStatus.INVALID_LENGTH

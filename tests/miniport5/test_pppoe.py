# SPDX-License-Identifier: Apache-2.0
"""Calls of the WAN miniport on the twin: PPPoE discovery (RFC 2516) by the book, late, doubled, hostile."""

import struct
from random import Random

from hilnic.miniport5.discovery import ENDPOINTS, FIRST_WAIT_MS, TRIES
from hilnic.ndis import (
    DevicePowerState,
    NdisStatus,
    Oid,
    halt_adapter,
    reset_adapter,
    set_adapter_power,
    surprise_remove_adapter,
)
from hilnic.ndis.ndis5 import LineDisconnectMode, TapiMakeCall
from hilnic.protocols.wan5 import WanLine
from hilnic.wire.pppoe import PppoeCode, PppoeFrame, PppoeTag

from .conftest import OWN, PEER, padded
from .wan_host import HEADER, PPP, SESSION

MS = 1_000_000
UNIQ, NAME, AC = PppoeTag.HOST_UNIQ, PppoeTag.SERVICE_NAME, PppoeTag.AC_NAME


# --- a call -----------------------------------------------------------------------------------------------------------


def test_a_line_goes_up_when_the_session_is_confirmed_and_down_at_padt(wan):
    wan.ac.extra = {PppoeTag.AC_COOKIE: b"c" * 20, PppoeTag.RELAY_SESSION_ID: b"r" * 12}
    handle, line = wan.dial()
    assert wan.codes() == [PppoeCode.PADI, PppoeCode.PADR]
    padi, padr = (frame.tags for frame in wan.ac.heard)
    assert list(padi) == [NAME, UNIQ]
    assert padr == {**padi, **wan.ac.extra}
    assert wan.wire[0][:6] == b"\xff" * 6
    assert wan.wire[1][:12] == PEER + OWN
    assert line.handle == handle
    wan.ac.terminate(SESSION)
    wan.run()
    assert not line.is_up
    assert wan.up.ended == {handle: LineDisconnectMode.NORMAL}
    assert wan.discovery.calls == {}


def test_a_call_is_hung_up_with_padt_and_nothing_follows_it(wan):
    handle, line = wan.dial()
    frames = [PPP + bytes([n]) for n in range(9)]
    wan.up.send(handle, *frames)  # four fit into the ring
    assert wan.wait(wan.up.hang_up(handle)) is NdisStatus.SUCCESS
    wan.wait(wan.up.wait_until_idle())
    wan.run()
    assert wan.codes()[-1] is PppoeCode.PADT
    assert wan.wire[-1] == padded(PEER + OWN + b"\x88\x63\x11\xa7\x12\x34\0\0")
    assert wan.up.statuses.count(NdisStatus.SUCCESS) == len(wan.wire) - 3
    assert wan.up.statuses.count(NdisStatus.FAILURE) == 9 + 3 - len(wan.wire) > 0
    assert (line.is_up, wan.ac.sessions) == (False, {})
    wan.up.send(handle, PPP)
    assert wan.up.statuses[-1] is NdisStatus.FAILURE
    assert wan.wait(wan.up.hang_up(handle)) is NdisStatus.INVALID_DATA


def test_the_cable_takes_all_lines_down_and_brings_none_back(wan):
    lines = [wan.dial()[1] for _ in range(ENDPOINTS)]
    assert sorted(wan.ac.sessions) == [SESSION + n for n in range(ENDPOINTS)]
    status, _ = wan.wait(wan.up.query(Oid.OID_TAPI_MAKE_CALL, TapiMakeCall(9).pack()))
    assert status is NdisStatus.RESOURCES
    for up in (False, True):
        wan.nic.set_link(up)
        wan.run(2 * MS)
        assert not any(line.is_up for line in lines)
        status, _ = wan.wait(wan.up.query(Oid.OID_TAPI_MAKE_CALL, TapiMakeCall(9).pack()))
        assert status is (NdisStatus.SUCCESS if up else NdisStatus.NO_CABLE)
    assert PppoeCode.PADT not in wan.codes()


def test_what_is_not_answered_is_repeated_with_doubled_waits_and_then_given_up(wan):
    wan.ac.deaf_to = TRIES
    handle = wan.wait(wan.up.dial())
    sent = []
    for _ in range(TRIES):
        sent.append(len(wan.wire))
        wan.run((FIRST_WAIT_MS << len(sent) - 1) * MS)
    assert sent == [0, 1, 2]
    assert wan.wait(wan.up.wait_for(handle)) is LineDisconnectMode.NO_ANSWER
    assert wan.codes() == [PppoeCode.PADI] * TRIES
    wan.dial()  # and the line is free again


def test_a_padr_without_answer_ends_in_another_padi(wan):
    wan.wait(wan.up.dial())
    wan.run(5_000)
    wan.ac.deaf_to = TRIES
    wan.run(20_000 * MS)
    assert wan.codes() == [PppoeCode.PADI, *[PppoeCode.PADR] * TRIES, PppoeCode.PADI, PppoeCode.PADR]
    assert [line.is_up for line in wan.up.lines.values()] == [True]


def test_a_refusal_ends_the_call(wan):
    handle = wan.wait(wan.up.dial())
    wan.ac.extra = {PppoeTag.AC_COOKIE: b"first"}
    wan.run(5_000)
    wan.ac.extra = {PppoeTag.AC_COOKIE: b"second"}
    assert wan.wait(wan.up.wait_for(handle)) is LineDisconnectMode.REJECT


def test_a_service_is_asked_for_by_name(wan):
    wan.ac.services = (b"video",)
    handle = wan.wait(wan.up.dial(b"voice"))
    wan.run()
    assert wan.codes() == [PppoeCode.PADI]
    wan.dial(b"video")
    assert wan.wait(wan.up.wait_for(handle)) is LineDisconnectMode.NO_ANSWER
    wan.ac.services = (b"",)
    wan.ac.extra = {NAME: b"what there is"}  # an offer of another name than the empty one that was asked for
    wan.dial()
    too_long = TapiMakeCall(7, bytes(1484)).pack()
    assert wan.wait(wan.up.query(Oid.OID_TAPI_MAKE_CALL, too_long))[0] is NdisStatus.RESOURCES


def test_sleep_and_halt_end_the_sessions_on_the_wire(wan):
    _, line = wan.dial()
    for state in (DevicePowerState.D3, DevicePowerState.D0):
        assert wan.wait(set_adapter_power(wan.stack.adapter, state)) is NdisStatus.SUCCESS
    assert (line.is_up, wan.ac.sessions) == (False, {})
    wan.dial()
    wan.wait(halt_adapter(wan.stack.adapter))
    assert wan.ac.sessions == {}
    assert wan.codes().count(PppoeCode.PADT) == 2


def test_a_nic_that_is_pulled_out_takes_its_lines_along(wan):
    _, line = wan.dial()
    wan.wait(surprise_remove_adapter(wan.stack.adapter))
    assert not line.is_up
    assert PppoeCode.PADT not in wan.codes()


# --- discovery frames that do nothing ---------------------------------------------------------------------------------


def tags(**options):
    return {NAME: b"s", AC: b"ac", **{PppoeTag[key]: value for key, value in options.items()}}


def discovery_frame(code, session_id=0, fields=None, source=PEER):
    return OWN + source + b"\x88\x63" + PppoeFrame.discovery(code, session_id, fields or {}).emit()


def raw(code, payload, session_id=0, version=0x11, length=None):
    length = len(payload) if length is None else length
    return OWN + PEER + b"\x88\x63" + struct.pack(">BBHH", version, code, session_id, length) + payload


OTHER = b"\x02\0\0\0\0\x66"
NOISE = [
    ("an offer to nobody", lambda uniq: discovery_frame(PppoeCode.PADO, 0, tags())),
    ("of another's call", lambda uniq: discovery_frame(PppoeCode.PADO, 0, tags(HOST_UNIQ=uniq + b"x"))),
    ("with a session", lambda uniq: discovery_frame(PppoeCode.PADO, 5, tags(HOST_UNIQ=uniq))),
    ("without a name", lambda uniq: discovery_frame(PppoeCode.PADO, 0, {NAME: b"s", UNIQ: uniq})),
    ("of another service", lambda uniq: discovery_frame(PppoeCode.PADO, 0, {AC: b"a", NAME: b"x", UNIQ: uniq})),
    ("an error", lambda uniq: discovery_frame(PppoeCode.PADO, 0, tags(HOST_UNIQ=uniq, AC_SYSTEM_ERROR=b""))),
    ("confirmed before asked", lambda uniq: discovery_frame(PppoeCode.PADS, 7, tags(HOST_UNIQ=uniq))),
    ("from a group", lambda uniq: discovery_frame(PppoeCode.PADO, 0, tags(HOST_UNIQ=uniq), b"\x03\0\0\0\0\x01")),
    ("the end of no session", lambda uniq: discovery_frame(PppoeCode.PADT, 0)),
    ("what hosts send", lambda uniq: discovery_frame(PppoeCode.PADI, 0, {NAME: b"s", UNIQ: uniq})),
    ("what hosts ask", lambda uniq: discovery_frame(PppoeCode.PADR, 0, {NAME: b"s", UNIQ: uniq})),
    ("an unknown code", lambda uniq: discovery_frame(0x42, 0, tags(HOST_UNIQ=uniq))),
    ("a tag beyond the end", lambda uniq: raw(PppoeCode.PADO, b"\x01\x01\xff\xff")),
    ("half a tag", lambda uniq: raw(PppoeCode.PADO, b"\x01\x01\0")),
    ("longer than it is", lambda uniq: raw(PppoeCode.PADO, b"", length=1400)),
    ("another version", lambda uniq: raw(PppoeCode.PADO, b"", version=0x12)),
    ("two cookies", lambda uniq: raw(
        PppoeCode.PADO, PppoeFrame.discovery(7, 0, tags(HOST_UNIQ=uniq)).payload + b"\x01\x04\0\x01a" * 2
    )),
    ("two calls", lambda uniq: raw(
        PppoeCode.PADO, PppoeFrame.discovery(7, 0, tags(HOST_UNIQ=uniq)).payload + b"\x01\x03\0\x01a"
    )),
]  # fmt: skip


def test_a_discovery_frame_that_does_not_belong_to_the_call_does_nothing(wan):
    wan.ac.deaf_to, wan.ac.services = 1, (b"s",)
    handle = wan.wait(wan.up.dial(b"s"))
    wan.run(20_000)
    for number, (what, make) in enumerate(NOISE, 1):
        wan.inject(make(wan.ac.heard[0].tags[UNIQ]))
        wan.run(20_000)
        assert wan.discovery.ignored == number, what
        assert (wan.codes(), wan.up.lines, wan.up.ended) == ([PppoeCode.PADI], {}, {}), what
    assert isinstance(wan.wait(wan.up.wait_for(handle)), WanLine)  # by the next PADI


def test_a_confirmation_counts_once_from_the_chosen_one_with_a_new_number(wan):
    wan.ac.services = (b"s",)
    first, _ = wan.dial(b"s")
    handle = wan.wait(wan.up.dial(b"s"))
    wan.run(5_000)
    wan.ac.deaf_to = 1
    wan.run(20_000)
    uniq = wan.ac.heard[-1].tags[UNIQ]
    back = {NAME: b"s", UNIQ: uniq}
    bad = [
        discovery_frame(PppoeCode.PADS, 7, back, source=OTHER),
        discovery_frame(PppoeCode.PADS, 0, back),
        discovery_frame(PppoeCode.PADS, 0xFFFF, back),
        discovery_frame(PppoeCode.PADS, SESSION, back),
        discovery_frame(PppoeCode.PADS, 7, {UNIQ: uniq}),
        discovery_frame(PppoeCode.PADS, 7, {NAME: b"other", UNIQ: uniq}),
        discovery_frame(PppoeCode.PADO, 0, {AC: b"second", **back}, source=OTHER),
    ]
    for frame in bad:
        wan.inject(frame)
    wan.run()
    assert (wan.discovery.ignored, set(wan.up.lines)) == (len(bad), {first})
    for _ in range(2):
        wan.inject(discovery_frame(PppoeCode.PADS, 7, back))
    wan.run()
    assert (wan.discovery.ignored, set(wan.up.lines)) == (len(bad) + 1, {first, handle})
    wan.inject(discovery_frame(PppoeCode.PADT, 7, source=OTHER))
    wan.inject(discovery_frame(PppoeCode.PADT, 8))
    wan.run()
    assert set(wan.up.lines) == {first, handle}
    for _ in range(2):
        wan.inject(discovery_frame(PppoeCode.PADT, 7))
    wan.run()
    assert (wan.discovery.ignored, set(wan.up.lines)) == (len(bad) + 4, {first})
    wan.inject(discovery_frame(PppoeCode.PADS, 9, back))  # late
    wan.run()
    assert set(wan.up.lines) == {first}


def test_damaged_frames_of_a_call_leave_a_driver_that_dials(wan):
    draw = Random(1)
    for _ in range(40):
        wan.ac.deaf_to = 1
        handle = wan.wait(wan.up.dial())
        wan.run(5_000)
        uniq = wan.ac.heard[-1].tags[UNIQ]
        for code, session_id in ((PppoeCode.PADO, 0), (PppoeCode.PADS, 0x77), (PppoeCode.PADT, 0x77)):
            frame = bytearray(discovery_frame(code, session_id, tags(HOST_UNIQ=uniq, AC_COOKIE=b"c")))
            for _ in range(draw.randrange(1, 4)):
                frame[draw.randrange(12, len(frame))] = draw.randrange(256)
            wan.inject(bytes(frame[: draw.choice((len(frame), draw.randrange(14, len(frame))))]))
        wan.run(20_000)
        if handle in wan.discovery.calls:
            assert wan.wait(wan.up.hang_up(handle)) is NdisStatus.SUCCESS
        assert handle in wan.up.ended
    wan.dial()


def test_discovery_frames_that_find_no_room_are_repeated(wan):
    wan.stack.nic5.tx.running = False
    handle = wan.wait(wan.up.dial())
    assert wan.stack.nic5.tx.control_lost == 1
    wan.stack.nic5.tx.running = True
    assert isinstance(wan.wait(wan.up.wait_for(handle)), WanLine)


def test_a_reset_leaves_the_sessions_as_they_are(wan):
    handle, line = wan.dial()
    assert wan.wait(reset_adapter(wan.stack.adapter)) is NdisStatus.SUCCESS
    wan.inject(OWN + PEER + HEADER + b"\x00\x03" + b"\xc0\x21\x09")
    wan.up.send(handle, PPP)
    wan.wait(wan.up.wait_until_idle())
    wan.run()
    assert (line.is_up, len(wan.up.received), wan.up.statuses) == (True, 1, [NdisStatus.SUCCESS])

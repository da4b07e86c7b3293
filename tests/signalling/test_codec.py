# SPDX-License-Identifier: Apache-2.0
"""The codec: every message survives the wire; whatever else comes is refused by name."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilnic.signalling import (
    CalledAddress,
    CallingAddress,
    Cause,
    CauseElement,
    ConnectionIdentifier,
    DecodeError,
    Flow,
    GroupAddress,
    Header,
    Malformed,
    MessageType,
    TrafficContract,
    UserData,
    decode,
    decode_elements,
    encode,
    encode_elements,
)
from hilnic.signalling.codec import HEADER_OCTETS, LONGEST_MESSAGE
from hilnic.signalling.elements import Element
from hilnic.signalling.messages import LAYOUTS, ConnectAcknowledge, Release, Setup

from .strategies import EXAMPLES, SAMPLES, A, B, headers_of, messages_of

CALL = Header(B, A, tag=0x01020304, reference=5)
SETUP = Setup(CalledAddress(B, b"file"), CallingAddress(A), TrafficContract(), ConnectionIdentifier((100, 101)))
RELEASE = Release(CauseElement(Cause.NORMAL_CALL_CLEARING))


@pytest.mark.parametrize("kind", MessageType)
@settings(max_examples=10)
@given(data=st.data())
def test_every_message_survives_the_wire(kind: MessageType, data: st.DataObject) -> None:
    layout = LAYOUTS[kind]
    header, message = data.draw(headers_of(layout.scope)), data.draw(messages_of(layout))
    assert decode(encode(header, message)) == (header, message)


def test_padding_behind_a_message_is_left_alone() -> None:
    for packet in SAMPLES:
        assert decode(encode(*packet) + bytes(46)) == packet


def test_no_part_of_a_message_is_a_message() -> None:
    for packet in SAMPLES:
        octets = encode(*packet)
        for length in range(len(octets)):
            with pytest.raises(DecodeError):
                decode(octets[:length])


def test_a_message_with_a_wrong_octet_is_refused_or_read() -> None:
    for packet in SAMPLES:
        good = encode(*packet)
        for at in range(len(good)):
            for flip in (1, 0x80, 0xFF):
                reads_or_refuses(good[:at] + bytes((good[at] ^ flip,)) + good[at + 1 :])


@given(st.sampled_from(MessageType), st.binary(max_size=80))
def test_random_octets_behind_half_a_header_are_refused_or_read(kind: MessageType, octets: bytes) -> None:
    reads_or_refuses(bytes((0x48, 1, kind)) + octets)


def reads_or_refuses(octets: bytes) -> None:
    """Octets that are read are a message, which survives the wire; DecodeError is the one error."""
    try:
        packet = decode(octets)
    except DecodeError:
        return
    assert decode(encode(*packet)) == packet


def test_the_header_lies_as_the_table_says() -> None:
    octets = encode(Header(B, A, 0xA1A2A3A4, 5, True, 7), ConnectAcknowledge())
    assert octets == bytes.fromhex("48 01 0f 07 80 05 00 00 a1 a2 a3 a4") + B + A


def test_an_element_lies_as_the_table_says() -> None:
    octets = encode(CALL, Release(CauseElement(Cause.USER_BUSY), UserData(b"bye")))
    assert octets[HEADER_OCTETS:].hex(" ") == "08 01 00 02 11 00 7e 01 00 03 62 79 65"


def element(identifier: int, contents: bytes, instruction: int = 1) -> bytes:
    return bytes((identifier, instruction)) + len(contents).to_bytes(2, "big") + contents


def release_of(elements: bytes, length: int | None = None) -> bytes:
    size = len(elements) if length is None else length
    return encode(CALL, RELEASE)[:6] + size.to_bytes(2, "big") + bytes(4) + B + A + elements


CAUSE = element(0x08, b"\x10\x00")
GOOD = encode(CALL, RELEASE)
MALFORMED = {
    "nothing": (b"", Malformed.TOO_SHORT),
    "half a header": (GOOD[:23], Malformed.TOO_SHORT),
    "octets missing": (GOOD[:-1], Malformed.TRUNCATED),
    "longer than any message": (release_of(bytes(600)), Malformed.TOO_LONG),
    "another protocol": (b"\x09" + GOOD[1:], Malformed.OTHER_PROTOCOL),
    "another version": (b"\x48\x02" + GOOD[2:], Malformed.OTHER_VERSION),
    "an unknown message": (GOOD[:2] + b"\xee" + GOOD[3:], Malformed.UNKNOWN_MESSAGE),
    "RELEASE of the link": (GOOD[:4] + bytes(2) + GOOD[6:], Malformed.WRONG_REFERENCE),
    "RESTART of a call": (GOOD[:2] + b"\x46" + GOOD[3:], Malformed.WRONG_REFERENCE),
    "half an element header": (release_of(CAUSE + b"\x7e\x01"), Malformed.ELEMENT_OVERRUN),
    "an element over the end": (release_of(CAUSE + b"\x7e\x01\x00\x09abc"), Malformed.ELEMENT_OVERRUN),
    "too many elements": (release_of(CAUSE + element(0xF0, b"", 0) * 16), Malformed.TOO_MANY_ELEMENTS),
    "an unknown element": (release_of(CAUSE + element(0xF0, b"")), Malformed.UNKNOWN_ELEMENT),
    "an element twice": (release_of(CAUSE + CAUSE), Malformed.REPEATED_ELEMENT),
    "a short element": (release_of(element(0x08, b"\x10")), Malformed.WRONG_ELEMENT_LENGTH),
    "long user data": (release_of(CAUSE + element(0x7E, bytes(129))), Malformed.WRONG_ELEMENT_LENGTH),
    "no element": (release_of(b""), Malformed.MISSING_ELEMENT),
    "VLAN id 0": (encode(CALL, SETUP).replace(b"\x00\x64\x00\x65", bytes(4)), Malformed.WRONG_ELEMENT_VALUE),
    "a group station": (encode(CALL, SETUP).replace(B + b"file", b"\x03" + bytes(9)), Malformed.WRONG_ELEMENT_VALUE),
}


@pytest.mark.parametrize(("octets", "kind"), MALFORMED.values(), ids=MALFORMED)
def test_what_is_wrong_has_a_name(octets: bytes, kind: Malformed) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(octets)
    assert caught.value.kind is kind


def test_the_table_of_wrong_octets_knows_every_name() -> None:
    assert {kind for _, kind in MALFORMED.values()} == set(Malformed)


def test_an_unknown_element_may_allow_to_be_skipped() -> None:
    assert decode(release_of(CAUSE + element(0xF0, b"later", 0))).message == RELEASE


def test_an_error_names_message_and_element() -> None:
    with pytest.raises(DecodeError) as caught:
        decode(release_of(element(0x08, b"\x10")))
    error = caught.value
    assert (error.header, error.message_type, error.element) == (Header(B, A, reference=5), MessageType.RELEASE, 0x08)


def test_an_unknown_cause_reads_as_a_protocol_error() -> None:
    assert decode(release_of(element(0x08, b"\x7f\x00"))).message == Release(CauseElement(Cause.PROTOCOL_ERROR))


def test_the_longest_setup_fits() -> None:
    longest = Setup(
        CalledAddress(B, bytes(32)),
        CallingAddress(A, bytes(32)),
        TrafficContract(),
        ConnectionIdentifier(tuple(range(1, 9))),
        GroupAddress(b"\x03" + bytes(5)),
        None,
        UserData(bytes(128)),
    )
    assert len(encode(CALL, longest)) < LONGEST_MESSAGE


@pytest.mark.parametrize(
    "make",
    [
        lambda: Flow(rate=1000, peak=999),
        lambda: Flow(rate=1000, burst=100, max_sdu=1500),
        lambda: Flow(rate=1 << 32),
        lambda: ConnectionIdentifier((7, 7)),
        lambda: ConnectionIdentifier(()),
        lambda: ConnectionIdentifier((1,), 8),
        lambda: GroupAddress(b"\xff" * 6),
        lambda: GroupAddress(A),
        lambda: CalledAddress(b"\x03" + bytes(5)),
        lambda: CalledAddress(A, bytes(33)),
        lambda: UserData(bytes(129)),
    ],
)
def test_an_element_refuses_values_that_it_cannot_carry(make) -> None:
    with pytest.raises(ValueError):
        make()


@given(st.permutations(list(EXAMPLES.values())))
def test_elements_alone_survive_in_any_order(elements: list[Element]) -> None:
    assert decode_elements(encode_elements(*elements)) == {type(each): each for each in elements}


@pytest.mark.parametrize(
    ("octets", "kind"),
    [
        (CAUSE + CAUSE, Malformed.REPEATED_ELEMENT),
        (element(0xF0, b"", 0), Malformed.UNKNOWN_ELEMENT),
        (CAUSE[:-1], Malformed.ELEMENT_OVERRUN),
        (element(0x59, bytes(33) + b"\x09"), Malformed.WRONG_ELEMENT_VALUE),
    ],
)
def test_elements_alone_are_all_known_and_whole(octets: bytes, kind: Malformed) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_elements(octets)
    assert caught.value.kind is kind

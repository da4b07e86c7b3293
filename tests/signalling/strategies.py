# SPDX-License-Identifier: Apache-2.0
"""Any legal message, for property tests."""

from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from hilnic.signalling import (
    UNSPECIFIED,
    CalledAddress,
    CallingAddress,
    CallState,
    Cause,
    CauseElement,
    ConnectionIdentifier,
    EndpointReference,
    Flow,
    GroupAddress,
    Header,
    Incarnation,
    Packet,
    Service,
    TrafficContract,
    UserData,
    Versions,
)
from hilnic.signalling.messages import LAYOUTS, Layout, Message, Scope

u8 = st.integers(0, 255)
u32 = st.integers(0, 0xFFFFFFFF)
stations = st.binary(min_size=6, max_size=6).map(lambda octets: bytes([octets[0] & 0xFE]) + octets[1:])
groups = st.binary(min_size=6, max_size=6).map(lambda octets: bytes([octets[0] & 0xFD | 1]) + octets[1:])
selectors = st.binary(max_size=32)
rates = st.integers(1, UNSPECIFIED - 1)
flows = st.one_of(
    st.just(Flow()),
    st.just(Flow(0, 0, 0, 0)),
    st.builds(lambda rate, sdu, more: Flow(rate, sdu + more, UNSPECIFIED, sdu), rates, st.integers(0, 9000), u8),
    st.builds(lambda rate, more: Flow(rate, 3000, min(rate + more, UNSPECIFIED), 1500, Service.GUARANTEED), rates, u32),
)
versions = st.tuples(st.integers(1, 255), st.integers(1, 255)).map(lambda pair: Versions(min(pair), max(pair)))
ELEMENTS: dict[type[Any], st.SearchStrategy[Any]] = {
    CauseElement: st.builds(CauseElement, st.sampled_from(Cause), u8),
    CallState: st.builds(CallState, st.integers(0, 63)),
    CalledAddress: st.builds(CalledAddress, stations, selectors),
    CallingAddress: st.builds(CallingAddress, stations, selectors),
    TrafficContract: st.builds(TrafficContract, flows, flows),
    ConnectionIdentifier: st.builds(
        ConnectionIdentifier,
        st.lists(st.integers(1, 4094), min_size=1, max_size=8, unique=True).map(tuple),
        st.integers(0, 7),
    ),
    GroupAddress: st.builds(GroupAddress, groups),
    EndpointReference: st.builds(EndpointReference, st.integers(0, 0x7FFF)),
    UserData: st.builds(UserData, st.binary(max_size=128)),
    Versions: versions,
    Incarnation: st.builds(Incarnation, st.integers(1, 0xFFFFFFFF)),
}


def messages_of(layout: Layout) -> st.SearchStrategy[Message]:
    """Any message of a kind."""
    fields = {
        part.name: ELEMENTS[part.element] if part.mandatory else st.none() | ELEMENTS[part.element]
        for part in layout.parts
    }
    return st.builds(layout.message, **fields)


def headers_of(scope: Scope) -> st.SearchStrategy[Header]:
    """Any header that a message of this scope may have."""
    references = {Scope.LINK: st.just(0), Scope.CALL: st.integers(1, 0x7FFF), Scope.EITHER: st.integers(0, 0x7FFF)}
    return st.builds(Header, stations, stations, u32, references[scope], st.booleans(), u8)


A, B = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
EXAMPLES: dict[type[Any], Any] = {
    CauseElement: CauseElement(Cause.CALL_REJECTED, 0x70),
    CallState: CallState(10),
    CalledAddress: CalledAddress(B, b"file"),
    CallingAddress: CallingAddress(A),
    TrafficContract: TrafficContract(Flow(12_500_000, 3000, 25_000_000, 1500), Flow(0, 0, 0, 0)),
    ConnectionIdentifier: ConnectionIdentifier((100, 101), 5),
    GroupAddress: GroupAddress(bytes.fromhex("030000000001")),
    EndpointReference: EndpointReference(3),
    UserData: UserData(b"hello"),
    Versions: Versions(1, 3),
    Incarnation: Incarnation(0x01020304),
}


def samples() -> Iterator[Packet]:
    """Each message twice: with what must be there, and with all that may."""
    for layout in LAYOUTS.values():
        header = Header(B, A, 0xA1A2A3A4, 0 if layout.scope is Scope.LINK else 5)
        for full in (False, True):
            parts = [part for part in layout.parts if full or part.mandatory]
            yield Packet(header, layout.message(**{part.name: EXAMPLES[part.element] for part in parts}))


SAMPLES = list(samples())

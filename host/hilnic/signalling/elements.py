# SPDX-License-Identifier: Apache-2.0
"""The information elements: each a frozen value that packs itself into octets and unpacks itself strictly.

octet 0     identifier
octet 1     instruction: 0 = an old receiver may skip it, 1 = who does not know it refuses the message
octet 2-3   length of the contents
octet 4..   contents
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from hilnic.signalling.causes import Cause
from hilnic.signalling.contents import BadLength, exactly, within
from hilnic.signalling.contract import TrafficContract

ADDRESS_OCTETS = 6
LONGEST_SELECTOR = 32
LONGEST_USER_DATA = 128
MOST_CONNECTIONS = 8
LOWEST_VLAN_ID, HIGHEST_VLAN_ID = 1, 4094
"""IEEE 802.1Q table 9-2: 0 is no VLAN, 4095 is reserved."""


@dataclass(frozen=True, slots=True)
class CauseElement:
    """Why; `element` is the identifier of the information element at fault, 0 for none."""

    IDENTIFIER: ClassVar[int] = 0x08
    cause: Cause
    element: int = 0

    def pack(self) -> bytes:
        """Contents."""
        return bytes((self.cause, self.element))

    @classmethod
    def unpack(cls, contents: bytes) -> Self:
        """Of 2 octets; a cause that is not known reads as PROTOCOL_ERROR."""
        exactly(contents, 2)
        known = contents[0] in Cause.__members__.values()
        return cls(Cause(contents[0]) if known else Cause.PROTOCOL_ERROR, contents[1])


@dataclass(frozen=True, slots=True)
class CallState:
    """The state of a call, of a party or of a link at the sender; the numbers of docs/signalling.md."""

    IDENTIFIER: ClassVar[int] = 0x14
    value: int

    def __post_init__(self) -> None:
        """A number of 6 bits."""
        within(self.value, 0, 63, "state")

    def pack(self) -> bytes:
        """Contents."""
        return bytes((self.value,))

    @classmethod
    def unpack(cls, contents: bytes) -> Self:
        """Of 1 octet."""
        exactly(contents, 1)
        return cls(contents[0])


@dataclass(frozen=True, slots=True)
class SapAddress:
    """A service access point: the station (EUI-48) and which of its services."""

    station: bytes
    selector: bytes = b""

    def __post_init__(self) -> None:
        """An individual station address, a selector that is not too long."""
        if len(self.station) != ADDRESS_OCTETS:
            raise ValueError(f"a station address has {ADDRESS_OCTETS} octets, not {len(self.station)}")
        if self.station[0] & 1:
            raise ValueError("a station address is an individual one")
        if len(self.selector) > LONGEST_SELECTOR:
            raise ValueError(f"a selector has at most {LONGEST_SELECTOR} octets, not {len(self.selector)}")

    def pack(self) -> bytes:
        """Contents."""
        return self.station + self.selector

    @classmethod
    def unpack(cls, contents: bytes) -> Self:
        """Of 6 to 38 octets."""
        if not ADDRESS_OCTETS <= len(contents) <= ADDRESS_OCTETS + LONGEST_SELECTOR:
            raise BadLength(f"{len(contents)} octets")
        return cls(contents[:ADDRESS_OCTETS], contents[ADDRESS_OCTETS:])

    def __str__(self) -> str:
        """Station and selector."""
        return f"{self.station.hex(':')}/{self.selector.hex()}"


class CalledAddress(SapAddress):
    """Called party number: who is called."""

    __slots__ = ()
    IDENTIFIER: ClassVar[int] = 0x70


class CallingAddress(SapAddress):
    """Calling party number: who calls."""

    __slots__ = ()
    IDENTIFIER: ClassVar[int] = 0x6C


@dataclass(frozen=True, slots=True)
class ConnectionIdentifier:
    """The VLAN id of the virtual connection: candidates in order of preference, one when it is assigned."""

    IDENTIFIER: ClassVar[int] = 0x5A
    vlan_ids: tuple[int, ...]
    priority: int = 0

    def __post_init__(self) -> None:
        """One to eight different ids, 802.1p priority."""
        within(len(self.vlan_ids), 1, MOST_CONNECTIONS, "number of VLAN ids")
        within(self.priority, 0, 7, "priority")
        for vlan_id in self.vlan_ids:
            within(vlan_id, LOWEST_VLAN_ID, HIGHEST_VLAN_ID, "VLAN id")
        if len(set(self.vlan_ids)) != len(self.vlan_ids):
            raise ValueError("a VLAN id twice")

    def pack(self) -> bytes:
        """Contents: the priority, then 2 octets an id."""
        return bytes((self.priority,)) + b"".join(vlan_id.to_bytes(2, "big") for vlan_id in self.vlan_ids)

    @classmethod
    def unpack(cls, contents: bytes) -> Self:
        """Of 3, 5, ... 17 octets."""
        if len(contents) % 2 != 1 or not 3 <= len(contents) <= 1 + 2 * MOST_CONNECTIONS:
            raise BadLength(f"{len(contents)} octets")
        ids = tuple(int.from_bytes(contents[at : at + 2], "big") for at in range(1, len(contents), 2))
        return cls(ids, contents[0])


@dataclass(frozen=True, slots=True)
class GroupAddress:
    """The group address (EUI-48) that the root of a multipoint call sends its frames to."""

    IDENTIFIER: ClassVar[int] = 0x5B
    address: bytes

    def __post_init__(self) -> None:
        """A group address other than broadcast."""
        if len(self.address) != ADDRESS_OCTETS or not self.address[0] & 1 or self.address == b"\xff" * ADDRESS_OCTETS:
            raise ValueError(f"{self.address.hex(':')} is no group address")

    def pack(self) -> bytes:
        """Contents."""
        return self.address

    @classmethod
    def unpack(cls, contents: bytes) -> Self:
        """Of 6 octets."""
        exactly(contents, ADDRESS_OCTETS)
        return cls(contents)


@dataclass(frozen=True, slots=True)
class EndpointReference:
    """Which party of a multipoint call; the root numbers them, the first one is 0."""

    IDENTIFIER: ClassVar[int] = 0x54
    party_id: int

    def __post_init__(self) -> None:
        """15 bits."""
        within(self.party_id, 0, 0x7FFF, "party id")

    def pack(self) -> bytes:
        """Contents."""
        return self.party_id.to_bytes(2, "big")

    @classmethod
    def unpack(cls, contents: bytes) -> Self:
        """Of 2 octets."""
        exactly(contents, 2)
        return cls(int.from_bytes(contents, "big"))


@dataclass(frozen=True, slots=True)
class UserData:
    """User-user information: what one client says to the other with the call or with its end."""

    IDENTIFIER: ClassVar[int] = 0x7E
    data: bytes

    def __post_init__(self) -> None:
        """Not too long."""
        within(len(self.data), 0, LONGEST_USER_DATA, "octets of user data")

    def pack(self) -> bytes:
        """Contents."""
        return self.data

    @classmethod
    def unpack(cls, contents: bytes) -> Self:
        """Of at most 128 octets."""
        if len(contents) > LONGEST_USER_DATA:
            raise BadLength(f"{len(contents)} octets")
        return cls(contents)


@dataclass(frozen=True, slots=True)
class Versions:
    """Which versions of this protocol the sender speaks, or the one it has chosen."""

    IDENTIFIER: ClassVar[int] = 0x60
    lowest: int
    highest: int

    def __post_init__(self) -> None:
        """A range of octets above 0."""
        within(self.lowest, 1, 255, "lowest version")
        within(self.highest, self.lowest, 255, "highest version")

    def pack(self) -> bytes:
        """Contents."""
        return bytes((self.lowest, self.highest))

    @classmethod
    def unpack(cls, contents: bytes) -> Self:
        """Of 2 octets."""
        exactly(contents, 2)
        return cls(*contents)


@dataclass(frozen=True, slots=True)
class Incarnation:
    """Which life of the sender's end of the link this is; the peer's messages carry it as their tag."""

    IDENTIFIER: ClassVar[int] = 0x61
    number: int

    def __post_init__(self) -> None:
        """32 bits, not 0."""
        within(self.number, 1, 0xFFFFFFFF, "incarnation")

    def pack(self) -> bytes:
        """Contents."""
        return self.number.to_bytes(4, "big")

    @classmethod
    def unpack(cls, contents: bytes) -> Self:
        """Of 4 octets."""
        exactly(contents, 4)
        return cls(int.from_bytes(contents, "big"))


Element = (
    CauseElement
    | CallState
    | CalledAddress
    | CallingAddress
    | TrafficContract
    | ConnectionIdentifier
    | GroupAddress
    | EndpointReference
    | UserData
    | Versions
    | Incarnation
)

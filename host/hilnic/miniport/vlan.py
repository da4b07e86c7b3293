# SPDX-License-Identifier: Apache-2.0
"""802.1Q tags by the driver, for a NIC that neither inserts nor removes them (OB-09).

    sent      | addresses 12 |                        | type and data |     pieces of the frame's own MDLs
                              \\ 0x8100, TCI: 4 octets /                  the driver's memory, a place per descriptor

    received  | addresses 12 | 0x8100, TCI | type and data |             the frame starts 4 octets later:
                    \\--- moved up by 4 --->|                             the addresses move, the data stays

The option is the WDK's keyword *PriorityVLANTag. A tag goes into what is sent if the Ieee8021Q slot has anything that
the option lets through, and the frame has none yet. Received frames lose theirs whatever the option, for not every
receiver can parse them; the slot gets what the option lets through. None stands for a driver without the keyword: it
leaves frames as they are.

    slot:  VlanId 15:4, CanonicalFormatId 3 (always 0), UserPriority 2:0        TCI:  PCP 15:13, DEI 12, VID 11:0
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Final

from hilnic.hw.memory import HostMemory
from hilnic.ndis import MacOptions, ScatterGatherElement

__all__ = [
    "ADDRESSES",
    "TAG_BYTES",
    "PriorityVlanTag",
    "TagMemory",
    "add_tag",
    "insert",
    "slot_of",
    "tag_of",
    "take_out",
]


class PriorityVlanTag(IntEnum):
    """*PriorityVLANTag, with the WDK's numbers."""

    DISABLED = 0
    PRIORITY = 1
    VLAN = 2
    PRIORITY_AND_VLAN = 3

    @property
    def mac_options(self) -> int:
        """What the driver tells of it in its MAC options."""
        told = MacOptions.PRIORITY_8021P if self & PriorityVlanTag.PRIORITY else 0
        return told | (MacOptions.VLAN_8021Q if self & PriorityVlanTag.VLAN else 0)

    @property
    def bits(self) -> int:
        """Those of the slot that count."""
        return _BITS[self]


TAG_BYTES: Final = 4
ADDRESSES: Final = 12
_USER_PRIORITY, _VLAN_ID = 0x0007, 0xFFF0
_BITS = (0, _USER_PRIORITY, _VLAN_ID, _USER_PRIORITY | _VLAN_ID)
_TYPE = b"\x81\x00"
_tag = struct.Struct(">2sH")


def tag_of(slot: int | None, option: PriorityVlanTag | None, header: Callable[[int], bytes]) -> bytes | None:
    """The tag that a sent frame gets for its slot; None without one. `header(n)` is the frame's first n bytes."""
    bits = slot & option.bits if slot and option else 0
    if not bits or header(ADDRESSES + 2)[ADDRESSES:] == _TYPE:
        return None
    return _tag.pack(_TYPE, (bits & _USER_PRIORITY) << 13 | bits >> 4)


def slot_of(tag: bytes, option: PriorityVlanTag) -> int | None:
    """What a received frame's slot says of the tag that it had; None where the option lets nothing through."""
    _, tci = _tag.unpack(tag)
    return (tci >> 13 | (tci & 0xFFF) << 4) & option.bits if option.bits else None


def add_tag(frame: bytes, tag: bytes | None) -> bytes:
    """A frame as it is on the wire."""
    return frame[:ADDRESSES] + tag + frame[ADDRESSES:] if tag else frame


def take_out(view: memoryview) -> bytes | None:
    """Remove the tag of a received frame, which then starts `TAG_BYTES` later; None, and nothing done, without one."""
    end = ADDRESSES + TAG_BYTES
    if view[ADDRESSES : ADDRESSES + 2] != _TYPE:
        return None
    tag = bytes(view[ADDRESSES:end])
    view[TAG_BYTES:end] = bytes(view[:ADDRESSES])
    return tag


class TagMemory:
    """Room for the tags of all frames in a ring; a frame's tag lies at the place of its first descriptor."""

    def __init__(self, memory: HostMemory, address: int, places: int) -> None:
        self._memory, self._address, self._mask = memory, address, places - 1

    def store(self, index: int, tag: bytes) -> ScatterGatherElement:
        """Write a tag for the frame whose first descriptor is `index`; the NIC sees it from the next barrier on."""
        address = self._address + (index & self._mask) * TAG_BYTES
        self._memory.store(address, tag)
        return ScatterGatherElement(address, TAG_BYTES)


def insert(elements: Sequence[ScatterGatherElement], tag: ScatterGatherElement) -> list[ScatterGatherElement]:
    """A frame's pieces with the tag behind its addresses."""
    pieces: list[ScatterGatherElement] = []
    left = ADDRESSES
    for number, (address, length) in enumerate(elements):
        if length >= left:
            pieces += [ScatterGatherElement(address, left), tag]
            if length > left:
                pieces.append(ScatterGatherElement(address + left, length - left))
            return [*pieces, *elements[number + 1 :]]
        pieces.append(ScatterGatherElement(address, length))
        left -= length
    raise ValueError(f"{elements} are shorter than an Ethernet header")

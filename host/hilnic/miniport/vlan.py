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

OID_GEN_VLAN_ID gives the NIC a VLAN of its own (0: none; the keyword is VlanId). Then, as the WDK's pages on marked
frames want it, an untagged or priority-tagged frame is sent with that VLAN, one for another VLAN fails, and only frames
of that VLAN are indicated. Slow protocols (802.3ad) and GVRP are the link's own: they pass as they are.

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
    "InPlace",
    "PriorityVlanTag",
    "TagMemory",
    "add_tag",
    "insert",
    "is_for_another_vlan",
    "is_from_vlan",
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


class InPlace(bytes):
    """A tag that stands where the frame has one."""

    __slots__ = ()


TAG_BYTES: Final = 4
ADDRESSES: Final = 12
_USER_PRIORITY, _VLAN_ID = 0x0007, 0xFFF0
_BITS = (0, _USER_PRIORITY, _VLAN_ID, _USER_PRIORITY | _VLAN_ID)
_TYPE = b"\x81\x00"
_SLOW_PROTOCOLS = b"\x88\x09"
_GVRP = bytes.fromhex("0180c2000021")
_VID = 0xFFF
LARGEST_VLAN_ID: Final = 0xFFE
_tag = struct.Struct(">2sH")


def tag_of(
    slot: int | None, option: PriorityVlanTag | None, header: Callable[[int], bytes], vlan_id: int = 0
) -> bytes | None:
    """The tag that a sent frame gets for its slot, or on a NIC in a VLAN; None without one.

    `header(n)` is the frame's first n bytes.
    """
    bits = slot & option.bits if slot and option else 0
    if vlan_id:
        return _tag_of_vlan(bits, header(ADDRESSES + TAG_BYTES), vlan_id)
    if not bits or header(ADDRESSES + 2)[ADDRESSES:] == _TYPE:
        return None
    return _tag.pack(_TYPE, (bits & _USER_PRIORITY) << 13 | bits >> 4)


def _tag_of_vlan(bits: int, start: bytes, vlan_id: int) -> bytes | None:
    if _is_of_the_link(start):
        return None
    if start[ADDRESSES : ADDRESSES + 2] != _TYPE:
        return _tag.pack(_TYPE, (bits & _USER_PRIORITY) << 13 | vlan_id)
    tci = int.from_bytes(start[ADDRESSES + 2 :], "big")
    is_of_none = len(start) == ADDRESSES + TAG_BYTES and not tci & _VID
    return InPlace(_tag.pack(_TYPE, tci | vlan_id)) if is_of_none else None


def _is_of_the_link(start: bytes) -> bool:
    return start[ADDRESSES : ADDRESSES + 2] == _SLOW_PROTOCOLS or start[: len(_GVRP)] == _GVRP


def is_for_another_vlan(slot: int | None, header: Callable[[int], bytes], vlan_id: int) -> bool:
    """Whether a NIC in this VLAN may not send a frame: slot or tag name another one, or both name one."""
    start = header(ADDRESSES + TAG_BYTES)
    if not vlan_id or _is_of_the_link(start):
        return False
    wanted = ((slot or 0) & _VLAN_ID) >> 4
    has_tag = start[ADDRESSES : ADDRESSES + 2] == _TYPE
    tagged = int.from_bytes(start[ADDRESSES + 2 :], "big") & _VID if has_tag else 0
    return bool(wanted and tagged) or (wanted or tagged or vlan_id) != vlan_id


def is_from_vlan(view: memoryview, vlan_id: int) -> bool:
    """Whether a NIC in this VLAN indicates a received frame; 0: it does."""
    start = bytes(view[: ADDRESSES + TAG_BYTES])
    if not vlan_id or _is_of_the_link(start):
        return True
    return start[ADDRESSES : ADDRESSES + 2] == _TYPE and int.from_bytes(start[ADDRESSES + 2 :], "big") & _VID == vlan_id


def slot_of(tag: bytes, option: PriorityVlanTag) -> int | None:
    """What a received frame's slot says of the tag that it had; None where the option lets nothing through."""
    _, tci = _tag.unpack(tag)
    return (tci >> 13 | (tci & 0xFFF) << 4) & option.bits if option.bits else None


def add_tag(frame: bytes, tag: bytes | None) -> bytes:
    """A frame as it is on the wire."""
    if not tag:
        return frame
    return frame[:ADDRESSES] + tag + frame[ADDRESSES + _taken(tag) :]


def _taken(tag: bytes) -> int:
    """How many octets of the frame the tag stands for."""
    return TAG_BYTES if isinstance(tag, InPlace) else 0


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

    def tagged(self, index: int, elements: Sequence[ScatterGatherElement], tag: bytes) -> list[ScatterGatherElement]:
        """A frame's pieces with its tag, written for the frame whose first descriptor is `index`.

        The NIC sees it from the next barrier on.
        """
        address = self._address + (index & self._mask) * TAG_BYTES
        self._memory.store(address, tag)
        return insert(elements, ScatterGatherElement(address, TAG_BYTES), _taken(tag))


def insert(
    elements: Sequence[ScatterGatherElement], tag: ScatterGatherElement, taken: int = 0
) -> list[ScatterGatherElement]:
    """A frame's pieces with the tag behind its addresses, in place of `taken` octets."""
    before, behind = _cut(elements, ADDRESSES)
    return [*before, tag, *_cut(behind, taken)[1]]


def _cut(
    elements: Sequence[ScatterGatherElement], length: int
) -> tuple[list[ScatterGatherElement], list[ScatterGatherElement]]:
    """The pieces of the first `length` octets, and those of the rest."""
    before: list[ScatterGatherElement] = []
    for number, (address, size) in enumerate(elements):
        if not length:
            return before, list(elements[number:])
        if size > length:
            before.append(ScatterGatherElement(address, length))
            rest = ScatterGatherElement(address + length, size - length)
            return before, [rest, *elements[number + 1 :]]
        before.append(ScatterGatherElement(address, size))
        length -= size
    if length:
        raise ValueError(f"{elements} are shorter than an Ethernet header")
    return before, []

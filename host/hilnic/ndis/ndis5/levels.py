# SPDX-License-Identifier: Apache-2.0
"""Where a packet goes back to: one `Level` per driver it was handed to, kept in the packet stack.

A protocol's send or a miniport's indication pushes a level, the completion or the last return pops it. An intermediate
driver that passes the same packet on makes a second level; the default stack has two (OB-06).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from hilnic.ndis.ndis5.packet import Packet, PacketStackSlot

if TYPE_CHECKING:
    from hilnic.ndis.ndis5.protocol_edge import BindingEdge


class SendRoute(Protocol):
    """Who sent a packet: a binding, or the translation for a NET_BUFFER_LIST."""

    def send_completed(self, packet: Packet, status: int) -> None: ...


class ReceiveRoute(Protocol):
    """Who indicated a packet: a 5.x miniport, the translation for a NET_BUFFER_LIST, or NDIS for a looped copy."""

    def packet_returned(self, packet: Packet) -> None: ...


class Level:
    """One hand-over of a packet, up or down."""

    __slots__ = (
        "calling",
        "holders",
        "is_lent",
        "is_settled",
        "outstanding",
        "owner_before",
        "route",
        "shadow",
        "shared",
        "unnamed",
        "up",
    )

    def __init__(self, route: Any, up: bool) -> None:
        self.route = route
        self.up = up
        self.is_lent = False  # indicated with RESOURCES
        self.is_settled = not up  # every receiver has been called
        self.calling: BindingEdge | None = None  # whose receive handler has not answered yet
        self.shared = False  # several receivers look at it
        self.outstanding = 0  # references that have not been returned; below 0 while a handler returns early (A3)
        self.holders: dict[BindingEdge | None, int] = {}
        self.unnamed = 0  # returns of which NDIS cannot tell whose of several holders they are
        self.shadow: Any = None  # the verifier's
        self.owner_before: Any = None

    def add(self, holder: BindingEdge | None, number: int) -> None:
        """`holder` owes `number` returns; None is the translation to NDIS 6."""
        self.outstanding += number
        self.holders[holder] = self.holders.get(holder, 0) + number


def push(packet: Packet, level: Level) -> bool:
    """Hand the packet over; False when the packet stack has no location left (OB-06)."""
    index = packet.stack_index = packet.stack_index + 1
    in_stack = index < len(packet.stack)
    if not in_stack:
        packet.stack.append(PacketStackSlot())  # NDIS goes on all the same, once it has said so
    packet.stack[index].ndis_reserved[0] = level
    return in_stack


def pop(packet: Packet) -> Level:
    """The packet came back from the driver that had it last."""
    slot = packet.stack[packet.stack_index]
    level: Level = slot.ndis_reserved[0]
    slot.ndis_reserved[0] = None
    slot.im_reserved[:] = None, None
    packet.stack_index -= 1
    return level


def top(packet: Packet) -> Level | None:
    """The latest hand-over, or None when the packet is at home."""
    index = packet.stack_index
    return packet.stack[index].ndis_reserved[0] if index >= 0 else None


def level_of(packet: Packet, holder: BindingEdge | None) -> Level | None:
    """The upward level that `holder` owes a return to, or the topmost upward one."""
    topmost: Level | None = None
    for index in range(packet.stack_index, -1, -1):
        level: Level = packet.stack[index].ndis_reserved[0]
        if level.up:
            if holder is None or level.holders.get(holder):
                return level
            topmost = topmost or level
    return topmost

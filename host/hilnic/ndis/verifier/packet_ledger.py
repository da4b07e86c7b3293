# SPDX-License-Identifier: Apache-2.0
"""The ledger of NDIS_PACKETs: one owner per packet at any time, as ledger.py does for NET_BUFFER_LISTs (V1, V4, V5).

    HOME      with the driver whose pool it came from
    SENT      given to NDIS and the miniport below; comes back by one completion
    INDICATED given upwards; the miniport's again when every reference has been returned
    TRANSFER  being filled by NdisTransferData; comes back by its answer or by one completion
    FREED     back in its pool

An intermediate driver may hand on what it holds: the state before is kept in the packet's `Level` and comes back.
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import TYPE_CHECKING, Any

from hilnic.ndis.flags import NdisMedium
from hilnic.ndis.mdl import Mdl, chain_fault, chain_length, is_circular
from hilnic.ndis.ndis5.constants import Attributes5
from hilnic.ndis.ndis5.packet import PAGE
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.verifier import packet_shadow
from hilnic.ndis.verifier.batch import LOOK_EVERY

if TYPE_CHECKING:
    from hilnic.ndis.ndis import Ndis
    from hilnic.ndis.ndis5.levels import Level
    from hilnic.ndis.ndis5.miniport_edge import MiniportEdge
    from hilnic.ndis.ndis5.packet import Packet
    from hilnic.ndis.ndis5.protocol_edge import BindingEdge

HISTORY_LENGTH = 16
HEADER_SIZES = {NdisMedium.MEDIUM_802_3: (14, 14), NdisMedium.MEDIUM_802_5: (14, 32), NdisMedium.FDDI: (13, 21)}
"""Bytes that a media header has, least and most; a medium that is not here is not checked."""

Fault = tuple[str, str] | None
Event = tuple[int, str, Any]
"""(time in ns, verb, who)."""

_IGNORE_PACKET_TIMEOUT = int(Attributes5.IGNORE_PACKET_TIMEOUT)
_INTERMEDIATE_DRIVER = int(Attributes5.INTERMEDIATE_DRIVER)
_SUCCESS, _PENDING, _RESOURCES = NdisStatus.SUCCESS, NdisStatus.PENDING, NdisStatus.RESOURCES
_ETHERNET = NdisMedium.MEDIUM_802_3
_ETHERNET_SIZES, _NO_SIZES = HEADER_SIZES[_ETHERNET], (0, 0)


class PacketState(Enum):
    """Where a packet is."""

    HOME = "with its owner"
    SENT = "sent"
    INDICATED = "indicated"
    TRANSFER = "being filled by NdisTransferData"
    FREED = "freed"


_HOME, _SENT, _INDICATED, _TRANSFER, _FREED = PacketState  # an attribute of an Enum costs more than a comparison


class PacketCustody:
    """Who has the packet, and what happened to it."""

    __slots__ = ("history", "owner", "sends", "state")

    late_rule = "S5-07"
    """What a send breaks that does not end in time (V8)."""

    def __init__(self, owner: Any, time_ns: int) -> None:
        self.history: deque[Event] = deque(maxlen=HISTORY_LENGTH)
        self.sends = 0  # since it came from its pool; of NDIS's own, that stand for lists, altogether
        self.begin(owner, time_ns)

    def begin(self, owner: Any, time_ns: int) -> None:
        """The packet comes from its pool."""
        self.state = _HOME
        self.owner = owner
        self.history.clear()
        self.history.append((time_ns, "allocated by", owner))

    @property
    def is_untimed(self) -> bool:
        """Whether the miniport that has it says that packets take as long as they take."""
        flags = getattr(getattr(self.owner, "context", None), "flags", 0)
        return isinstance(flags, int) and flags & _IGNORE_PACKET_TIMEOUT != 0


class PacketLedger:
    """Called by ndis5 at every hand-over; False means that an offending packet does not go on."""

    __slots__ = ("ndis",)

    def __init__(self, ndis: Ndis) -> None:
        self.ndis = ndis

    # Allocation.

    def allocated(self, packet: Packet) -> None:
        """A packet left its pool, for the first time or again."""
        if packet.ndis_custody is None:
            packet.ndis_custody = PacketCustody(packet.pool.owner, self.ndis.kernel.now_ns())
        else:
            packet.ndis_custody.begin(packet.pool.owner, self.ndis.kernel.now_ns())
            if packet.pool.poisons:
                packet.ndis_custody.sends = 0

    def freed(self, packet: Packet) -> bool:
        """A packet goes back to its pool: it is at home."""
        custody = packet.ndis_custody
        if custody.state is _HOME:
            custody.state = _FREED
            return True
        detail = "freed twice" if custody.state is _FREED else f"freed while {custody.state.value}"
        self.ndis.violation("S5-12", custody.owner, packet, detail)
        return False

    # Send.

    def sent(self, edge: BindingEdge, packet: Packet, *, has_header: bool = True) -> bool:
        """A protocol sends: what it holds, its media header in one buffer (S5-15); an SDU of a VC has none."""
        fault = self._send_fault(edge, packet, has_header)
        return fault is None or self._passes(edge, packet, fault)

    def _send_fault(self, edge: BindingEdge, packet: Packet, has_header: bool) -> Fault:
        custody = packet.ndis_custody
        if custody is None or custody.state is _FREED:
            return "S5-12", "sent, but no pool has given it out"
        if custody.state is not _HOME and not self._holds(edge, custody):
            return "S5-08", f"TOUCH_WHILE_PENDING: sent again while {custody.state.value}"
        if not has_header:
            least = 0
        else:
            least, _ = _ETHERNET_SIZES if edge.medium is _ETHERNET else HEADER_SIZES.get(edge.medium, _NO_SIZES)
        head = packet.head
        if head is None or head.byte_count < least:
            return "S5-15", f"the first buffer has fewer than the {least} bytes of the media header"
        return None if _is_one_buffer(packet, head) else self._buffers_fault(edge, packet)

    def _holds(self, edge: BindingEdge, custody: PacketCustody) -> bool:
        """An intermediate driver sends on what its virtual miniport was given, or what its lower edge received."""
        owner = custody.owner
        upper = edge.driver.upper_edge
        return owner is edge or (upper is not None and getattr(owner, "driver", None) is upper)

    def handed_down(self, packet: Packet, level: Level, by: Any, to: Any) -> None:
        """The packet is the miniport's (or the translation's) until it completes."""
        custody: PacketCustody = packet.ndis_custody
        custody.sends = sends = custody.sends + 1
        whole = sends % LOOK_EVERY == 1 or self.ndis.guard is not None
        shadow = None if whole else packet_shadow.take_piece(packet)
        level.shadow = packet_shadow.take_sent(packet, whole) if shadow is None else shadow
        if not self.ndis.watchdogs.armed:
            self.ndis.watchdogs.watch_sends()
        level.owner_before = custody.state, custody.owner
        custody.state, custody.owner = _SENT, to
        custody.history.append((self.ndis.kernel.now_ns(), "sent by", by))

    def completed(self, edge: MiniportEdge, packet: Packet, status: int) -> None:
        """A miniport ends a packet that it held: with a final status, and unchanged (S5-07, S5-10, S5-11, S5-14)."""
        if status == _PENDING:
            self.ndis.violation("S5-07", edge.adapter, packet, "completed with PENDING")
        head = packet.head
        if status == _SUCCESS and head is not None and (head.next is None or not is_circular(head)):
            length = head.byte_count if head.next is None else chain_length(head)
            if length > edge.adapter.largest_frame:
                self.ndis.violation("S5-11", edge.adapter, packet, f"{length} bytes completed with SUCCESS")

    def came_back(self, packet: Packet, level: Level, by: Any) -> None:
        """The sender owns the packet again: as it gave it."""
        change = packet_shadow.sent_change(packet, level.shadow)
        if change is not None:
            self.ndis.violation(change[0], by, packet, change[1])
        custody: PacketCustody = packet.ndis_custody
        custody.state, custody.owner = level.owner_before
        custody.history.append((self.ndis.kernel.now_ns(), "completed by", by))

    def unknown_completion(self, edge: MiniportEdge, packet: Packet) -> None:
        """A miniport ends what it does not hold (S5-12)."""
        custody = packet.ndis_custody
        last = custody.history[-1][1] if custody is not None else ""
        detail = "DOUBLE_COMPLETE" if last == "completed by" else "completed, but this miniport does not hold it"
        self.ndis.violation("S5-12", edge.adapter, packet, detail)

    # Receive.

    def indicated(self, edge: MiniportEdge, packet: Packet, has_header: bool = True) -> bool:
        """A miniport indicates: what it holds, OOB status and header size set (OB-01, OB-02; a VC has no header)."""
        fault = self._indicate_fault(edge, packet, has_header)
        return fault is None or self._passes(edge.adapter, packet, fault)

    def _indicate_fault(self, edge: MiniportEdge, packet: Packet, has_header: bool) -> Fault:
        custody = packet.ndis_custody
        if custody is None or custody.state is _FREED:
            return "S5-12", "indicated, but no pool has given it out"
        passes_on = custody.state is _INDICATED and self._may_pass_up(edge, packet)
        if custody.state is not _HOME and not passes_on:
            return "R5-08", f"indicated while {custody.state.value}"
        status = packet.oob.status
        if status != _SUCCESS and status != _RESOURCES:
            return "OB-01", f"OOB status is {status:#010x}"
        size = packet.oob.header_size
        head = packet.head
        if head is None or not _is_one_buffer(packet, head):
            fault = self._buffers_fault(edge.adapter, packet)
            if fault is not None:
                return fault
        if not has_header:
            return ("OB-02", f"header size is {size} on a VC, where there is no header") if size else None
        least, most = _ETHERNET_SIZES if edge.medium is _ETHERNET else HEADER_SIZES.get(edge.medium, _NO_SIZES)
        if most and not least <= size <= most:
            return "OB-02", f"header size is {size}"
        return None

    def _may_pass_up(self, edge: MiniportEdge, packet: Packet) -> bool:
        """The edge is a virtual miniport of the intermediate driver that received the packet."""
        protocol = edge.adapter.driver.lower_edge
        running = self.ndis.ndis5.running
        return protocol is not None and (
            any(receiver.driver is protocol for receiver in running)
            or getattr(packet.ndis_custody.owner, "driver", None) is protocol
        )

    def handed_up(self, packet: Packet, level: Level, by: Any) -> None:
        """The packet is on its way up: NDIS's until a protocol gets it."""
        level.shadow = packet_shadow.take_received(packet)
        custody: PacketCustody = packet.ndis_custody
        level.owner_before = custody.state, custody.owner
        custody.state, custody.owner = _INDICATED, self.ndis
        custody.history.append((self.ndis.kernel.now_ns(), "indicated by", by))

    def given(self, packet: Packet, edge: BindingEdge) -> None:
        """A protocol's receive handler is called with the packet."""
        custody = packet.ndis_custody
        custody.owner = edge
        custody.history.append((self.ndis.kernel.now_ns(), "given to", edge))

    def came_home(self, packet: Packet, level: Level, to: Any) -> None:
        """Nobody holds the packet any more: unchanged (R5-12), then poisoned (R5-35), and its miniport's again."""
        custody: PacketCustody = packet.ndis_custody
        if packet_shadow.received_change(packet, level.shadow):
            self.ndis.violation("R5-12", custody.owner, packet, "its buffers or bytes changed while held")
        if packet.stack_index < 0 and packet.pool.poisons and not self._is_intermediate(to):
            packet_shadow.poison(packet)
        custody.state, custody.owner = level.owner_before
        custody.history.append((self.ndis.kernel.now_ns(), "returned to", to))

    def _is_intermediate(self, route: Any) -> bool:
        return getattr(route, "flags", 0) & _INTERMEDIATE_DRIVER != 0

    # Transfer.

    def transfer_begins(self, edge: BindingEdge | MiniportEdge, packet: Packet) -> bool:
        """The destination of a transfer is the miniport's while it pends (R5-21)."""
        custody = packet.ndis_custody
        fault = self._buffers_fault(edge, packet)
        if custody.state is not _HOME:
            fault = "R5-21", f"transferred into while {custody.state.value}"
        if fault is not None:
            return self._passes(edge, packet, fault)
        custody.state = _TRANSFER
        custody.history.append((self.ndis.kernel.now_ns(), "to be filled for", edge))
        return True

    def transfer_ends(self, packet: Packet) -> None:
        """The destination is the protocol's again."""
        packet.ndis_custody.state = _HOME

    # Common.

    def _passes(self, actor: Any, packet: Packet, fault: tuple[str, str]) -> bool:
        self.ndis.violation(fault[0], actor, packet, fault[1])
        return False

    def _buffers_fault(self, actor: Any, packet: Packet) -> Fault:
        """A chain in a circle, or a piece outside of its memory; counts that are not the chain's are put right."""
        what = chain_fault(packet.head)
        if what is not None:
            return "OI-21", what
        if packet.valid_counts:
            said = packet.buffer_count, packet.total_length, packet.physical_count
            packet.count()
            true = packet.buffer_count, packet.total_length, packet.physical_count
            if said != true:
                detail = f"the valid counts say {said} buffers, bytes and pages; the chain has {true}"
                self.ndis.violation("S5-16", actor, packet, detail)
        return None


def _is_one_buffer(packet: Packet, head: Mdl) -> bool:
    """What most packets are: one buffer in its memory, and counts that are its, if they are called valid."""
    size, start, region = head.byte_count, head.byte_offset, head.region
    if head.next is not None or start < 0 or size < 0 or start + size > len(region.view):
        return False
    if not packet.valid_counts:
        return True
    pages = ((region.address + start) % PAGE + size + PAGE - 1) // PAGE  # of no byte maybe one: asked again
    return packet.total_length == size and packet.buffer_count == 1 and packet.physical_count == pages

# SPDX-License-Identifier: Apache-2.0
"""Where translated objects come from: NDIS's own packets and lists of one edge, used again and again.

With verify=off the last one that came back is the next one to go. With `fast` it rests until `RESTING` more have come
back, so that whoever still uses it is caught; with `full` each is used once.

A translated packet's `wrapper_reserved` is the NBL it was made of; a translated NBL has its packet in
`protocol_reserved[0]` (a send) or `miniport_reserved[0]` (a receive), the fields that its maker gets back untouched.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hilnic.ndis.mdl import Mdl, chain_length
from hilnic.ndis.nbl import NblQueue, NetBufferList
from hilnic.ndis.ndis5.packet import Packet
from hilnic.ndis.ndis5.packet_pool import PacketPool, new_packet
from hilnic.ndis.pool import NetBufferListPool, NetBufferListPoolParameters, allocation_site
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.xlate import oob, rx, tx

if TYPE_CHECKING:
    from hilnic.ndis.ndis import Ndis
    from hilnic.ndis.net_buffer import NetBuffer

_UNBOUNDED = 1 << 30
RESTING = 256


class PacketSource(PacketPool):
    """Packets that stand for the NET_BUFFERs of lists."""

    __slots__ = ("edge", "fault", "resting")

    poisons = False

    def __init__(self, edge: Any, tag: str) -> None:
        super().__init__(edge, _UNBOUNDED, 0, tag)
        self.edge = edge
        self.fault: Callable[[], bool] | None = None  # asked before each allocation; True = there is no memory
        self.resting: deque[Packet] = deque()

    def take(self, nbl: NetBufferList, nb: NetBuffer) -> Packet | None:
        """A packet that describes exactly the used data of `nb`, on the same buffers; None without memory."""
        if self.fault is not None and self.fault():
            return None
        if len(self.resting) > RESTING:
            packet = self.resting.popleft()
            _clean(packet)
        else:
            packet = self.free.pop() if self.free else new_packet(self)
        packet.wrapper_reserved = nbl
        packet.frame_id = nb.frame_id
        describe(nb, packet)
        self.live[packet] = _SITE
        ledger = self.ndis.ndis5.ledger
        if ledger is not None:
            ledger.allocated(packet)
        return packet

    def give(self, packet: Packet) -> bool:
        """The packet has served its purpose; False when it had done so before."""
        if self.live.pop(packet, None) is None:
            return False
        ledger = self.ndis.ndis5.ledger
        if ledger is None:
            _clean(packet)
            self.free.append(packet)
        elif ledger.freed(packet) and self.ndis.guard is None:
            self.resting.append(packet)
        return True


class ListSource(NetBufferListPool):
    """Lists of one NET_BUFFER that stand for packets."""

    __slots__ = ("edge", "fault", "free", "resting")

    poisons = False

    def __init__(self, edge: Any, tag: str) -> None:
        super().__init__(edge, NetBufferListPoolParameters(tag=tag))
        self.edge = edge
        self.free: list[NetBufferList] = []
        self.resting: deque[NetBufferList] = deque()
        self.fault: Callable[[], bool] | None = None

    def take(self, packet: Packet, source_handle: Any) -> NetBufferList | None:
        """A list whose one NET_BUFFER describes the packet's buffers from their first byte on; None without memory."""
        if self.fault is not None and self.fault():
            return None
        if len(self.resting) > RESTING:
            nbl = self.resting.popleft()
            _clean_list(nbl)
        else:
            nbl = self.free.pop() if self.free else self._new()
        nb = nbl.first_net_buffer
        assert nb is not None
        nb.mdl_chain = nb.current_mdl = packet.head
        nb.data_length = chain_length(packet.head)
        nb.frame_id = packet.frame_id
        nbl.source_handle = source_handle
        self.live[nbl] = _SITE
        if self.ndis.verifier is not None:
            self.ndis.verifier.allocated(nbl)
        return nbl

    def give(self, nbl: NetBufferList) -> bool:
        """The list has served its purpose; False when it had done so before."""
        if self.live.pop(nbl, None) is None:
            return False
        verifier = self.ndis.verifier
        if verifier is None:
            _clean_list(nbl)
            self.free.append(nbl)
        elif verifier.freed(nbl) and self.ndis.guard is None:
            self.resting.append(nbl)
        return True

    def _new(self) -> NetBufferList:
        ndis = self.ndis
        ndis.last_nbl_id += 1
        nbl = ndis.net_buffer_list_type(self, ndis.last_nbl_id)
        nbl.first_net_buffer = ndis.net_buffer_type(self)
        return nbl


class Translation:
    """What one edge has translated and not yet got back; the route of its translated packets."""

    __slots__ = ("dropped", "edge", "lists", "packets", "returning", "translated")

    def __init__(self, edge: Any) -> None:
        name = f"translation of {edge!r}"
        self.edge = edge  # a BindingPort or a MiniportPort
        self.packets = PacketSource(edge, name)
        self.lists = ListSource(edge, name)
        self.returning: NblQueue | None = None  # while a receive handler runs: what goes back at its end
        self.translated = 0  # frames, both directions
        self.dropped = 0  # received frames lost for want of memory

    def send_completed(self, packet: Packet, status: int) -> None:
        """A 5.x miniport is done with a packet that stands for a NET_BUFFER."""
        tx.packet_completed(self.edge, packet, status)

    def packet_returned(self, packet: Packet) -> None:
        """No 5.x protocol holds a packet any more that stands for a received list."""
        rx.packet_returned(self.edge, packet)

    def live(self) -> int:
        """Translated objects that are out."""
        return len(self.packets.live) + len(self.lists.live)

    def close(self) -> None:
        """The edge goes: everything must have come back (XL-22)."""
        for pool in (self.packets, self.lists):
            if pool.live:
                pool.ndis.violation("XL-22", pool.owner, pool, f"{len(pool.live)} still out: {list(pool.live)}")
            if pool in pool.ndis.pools:
                pool.ndis.pools.remove(pool)


def _clean(packet: Packet) -> None:
    """Nothing of its last use is left in a packet (OB-08); its counts are not valid, its stack is empty as it is."""
    packet.head = packet.tail = packet.wrapper_reserved = None
    packet.flags = 0
    if packet.packet_info != oob.EMPTY_5:
        packet.packet_info = oob.EMPTY_5.copy()
    packet.protocol_reserved[:] = None, None, None, None
    packet.miniport_reserved[:] = None, None
    packet.miniport_reserved_ex[:] = None, None, None
    packet.oob.reset()


def _clean_list(nbl: NetBufferList) -> None:
    """Nothing of its last use is left in a list."""
    nb = nbl.first_net_buffer
    assert nb is not None
    nb.mdl_chain = nb.current_mdl = None
    nb.data_offset = nb.current_mdl_offset = nb.data_length = nb.frame_id = 0
    nb.scatter_gather_list = None
    if nbl.net_buffer_list_info != oob.EMPTY_6:
        nbl.net_buffer_list_info = oob.EMPTY_6.copy()
    nbl.next = nbl.scratch = None
    nbl.status, nbl.nbl_flags, nbl.flags = NdisStatus.SUCCESS, 0, 0
    nbl.protocol_reserved[0] = nbl.miniport_reserved[0] = None


def note(ndis: Ndis, way: str, nbl: NetBufferList, packet: Packet) -> None:
    """An event for the trace: `way` is "send 5>6" and its like; the frame keeps its id on both sides."""
    if ndis.trace.enabled:
        ndis.trace.emit("xlate", frame=packet.frame_id, way=way, nbl=nbl.id, packet=packet.id)


def describe(nb: NetBuffer, packet: Packet) -> None:
    """Make the packet's buffer chain the used data of `nb`, no byte copied (XL-02, XL-06).

    NDIS 5 has no data offset, and its chain ends where the frame does. Where the NET_BUFFER begins or ends inside an
    MDL, partial descriptors stand in the packet; the MDLs themselves stay as they are.
    """
    head, offset, left = nb.current_mdl, nb.current_mdl_offset, nb.data_length
    packet.valid_counts = False
    if head is None:
        return
    while head.byte_count == offset and head.next is not None:  # an empty piece holds no media header
        head, offset = head.next, 0
    if offset == 0 and _ends_with(head, left):
        packet.head = head
        packet.tail = _last(head)
        return
    first = last = _partial(head, offset, min(head.byte_count - offset, left))
    left -= first.byte_count
    mdl = head.next
    if mdl is not None and _ends_with(mdl, left):
        first.next = mdl
        last = _last(mdl)
    else:
        while left > 0 and mdl is not None:
            last.next = _partial(mdl, 0, min(mdl.byte_count, left))
            last = last.next
            left -= last.byte_count
            mdl = mdl.next
    packet.head, packet.tail = first, last


def _partial(mdl: Mdl, offset: int, length: int) -> Mdl:
    """A descriptor of part of what `mdl` describes (IoBuildPartialMdl)."""
    return Mdl(mdl.region, mdl.byte_offset + offset, length)


def _ends_with(mdl: Mdl | None, length: int) -> bool:
    """Whether the chain from `mdl` on is exactly `length` bytes."""
    while mdl is not None:
        length -= mdl.byte_count
        mdl = mdl.next
    return length == 0


def _last(mdl: Mdl) -> Mdl:
    while mdl.next is not None:
        mdl = mdl.next
    return mdl


_SITE = allocation_site(0)
"""Every translated object is NDIS's own: a leak report names the pool's edge."""

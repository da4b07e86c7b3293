# SPDX-License-Identifier: Apache-2.0
"""How NDIS hands packets to a 5.x miniport, and who gets each one back.

A serialized miniport is called with one array at a time. What it refuses with RESOURCES, and every packet behind it,
waits here in order until it completes a packet or says that resources are available (S5-03 to S5-05). A deserialized
miniport queues itself: it takes everything at once and ends everything by NdisMSendComplete (S5-06, S5-07).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from hilnic.ndis.ndis5 import dma, levels
from hilnic.ndis.ndis5.levels import Level, SendRoute
from hilnic.ndis.ndis5.packet import Packet
from hilnic.ndis.status import NdisStatus

if TYPE_CHECKING:
    from hilnic.ndis.ndis5.miniport_edge import MiniportEdge


class SendQueue:
    """Packets on their way to one miniport: `waiting` in NDIS, `in_miniport` below."""

    __slots__ = ("_answers", "_edge", "in_miniport", "is_blocked", "waiting")

    def __init__(self, edge: MiniportEdge) -> None:
        self._edge = edge
        self.waiting: deque[Packet] = deque()
        self.in_miniport: dict[Packet, None] = {}
        self.is_blocked = False  # the miniport said RESOURCES
        self._answers: dict[Packet, NdisStatus] = {}  # NdisSend calls that run now

    # From above.

    def submit(self, packets: list[Packet], route: SendRoute) -> None:
        """Take packets; each comes back by one `route.send_completed`."""
        edge = self._edge
        for packet in packets:
            self._take(packet, route)
        if edge.lock.serialized:
            self.waiting.extend(packets)
            edge.lock.run(self._drain)
        elif edge.adapter.resetting or self.waiting:  # what is held over a reset goes first (S5-09)
            self.waiting.extend(packets)
        else:
            edge.lock.run(lambda: self._hand_over_at_once(packets))

    def submit_one(self, packet: Packet, route: SendRoute) -> NdisStatus:
        """NdisSend: a final status when the miniport gave one in the call; no `send_completed` follows then (S5-01)."""
        lock = self._edge.lock
        if not lock.serialized or lock.is_busy:
            self.submit([packet], route)
            return NdisStatus.PENDING
        self._take(packet, route)
        self._answers[packet] = NdisStatus.PENDING
        self.waiting.append(packet)
        lock.run(self._drain)
        return self._answers.pop(packet)

    def _take(self, packet: Packet, route: SendRoute) -> None:
        edge = self._edge
        level = Level(route, up=False)
        if not levels.push(packet, level):
            edge.ndis.violation("OB-06", route, packet, "passed on although its packet stack has no location left")
        if edge.ledger is not None:
            edge.ledger.handed_down(packet, level, route, edge.adapter)

    # To the miniport.

    def _drain(self) -> None:
        """Serialized: give the miniport what waits, as long as it takes it."""
        while self.waiting and not self.is_blocked and not self._edge.adapter.resetting:
            if self._edge.send_packets_handler is not None:
                self._hand_over_array(self._next_array())
            else:
                self._hand_over_one(self.waiting.popleft())

    def _next_array(self) -> list[Packet]:
        number = min(len(self.waiting), self._edge.maximum_send_packets)
        return [self.waiting.popleft() for _ in range(number)]

    def _hand_over_array(self, packets: list[Packet]) -> None:
        self._call_with_array(packets)
        for at, packet in enumerate(packets):
            if packet not in self.in_miniport:
                continue  # completed inside the call
            status = packet.oob.status
            if status == NdisStatus.RESOURCES:
                self._take_back(packets[at:])
                return
            if status != NdisStatus.PENDING:
                self.end(packet, status)

    def _call_with_array(self, packets: list[Packet]) -> None:
        edge = self._edge
        for packet in packets:
            packet.oob.status = NdisStatus.PENDING
            self._enter(packet)
        array = packets.copy()
        edge.send_packets_handler(edge.context, array)
        if array != packets:
            edge.ndis.violation("S5-10", edge.adapter, edge.adapter, "the array of packets was changed")

    def _hand_over_one(self, packet: Packet) -> None:
        edge = self._edge
        self._enter(packet)
        status = edge.send_handler(edge.context, packet, packet.flags)
        if packet not in self.in_miniport:
            return
        if status == NdisStatus.RESOURCES:
            self._take_back([packet])
        elif status != NdisStatus.PENDING:
            self.end(packet, status)

    def _take_back(self, packets: list[Packet]) -> None:
        """RESOURCES: this packet and all behind it go back to the head of the line, in order (S5-04, S5-05)."""
        self.is_blocked = True
        kept = [packet for packet in packets if packet in self.in_miniport]
        for packet in kept:
            self._leave(packet, NdisStatus.RESOURCES)
        self.waiting.extendleft(reversed(kept))

    def _enter(self, packet: Packet) -> None:
        """The miniport is about to hold the packet."""
        edge = self._edge
        self.in_miniport[packet] = None
        if edge.maps_sends:
            dma.map_packet(edge, packet)
        if not self.is_translated(packet):
            edge.adapter.sends_outstanding += 1
        if edge.adapter.wire_watch is not None:
            edge.adapter.wire_watch.sent(packet)

    def _leave(self, packet: Packet, status: int) -> None:
        edge = self._edge
        del self.in_miniport[packet]
        if edge.adapter.wire_watch is not None:
            edge.adapter.wire_watch.ended(packet, status)
        if edge.maps_sends:
            dma.unmap_packet(edge, packet)
        if not self.is_translated(packet):
            edge.adapter.sends_outstanding -= 1

    def is_translated(self, packet: Packet) -> bool:
        """Whether it stands for a NET_BUFFER, which the core counts."""
        level = levels.top(packet)
        return level is not None and level.route is self._edge.xlate

    def _hand_over_at_once(self, packets: list[Packet]) -> None:
        """Deserialized: the miniport takes everything."""
        edge = self._edge
        if edge.send_packets_handler is not None:
            self._call_with_array(packets)
            for packet in packets:
                if packet.oob.status == NdisStatus.RESOURCES and packet in self.in_miniport:
                    edge.ndis.violation("S5-06", edge.adapter, packet, "OOB status RESOURCES in a send")
            return
        for packet in packets:
            self._enter(packet)
            status = edge.send_handler(edge.context, packet, packet.flags)
            if status == NdisStatus.PENDING or edge.adapter.driver.faulted:
                continue
            if status == NdisStatus.RESOURCES:
                edge.ndis.violation("S5-06", edge.adapter, packet, "MiniportSend answered RESOURCES")
            else:
                edge.ndis.violation("S5-07", edge.adapter, packet, "MiniportSend answered instead of completing")
            if packet in self.in_miniport:
                self.end(packet, status)

    # Back up.

    def completed(self, packet: Packet, status: int) -> None:
        """NdisMSendComplete: the packet goes back, and what waited for resources is tried again (S5-04)."""
        if packet not in self.in_miniport:
            if self._edge.ledger is not None:
                self._edge.ledger.unknown_completion(self._edge, packet)
            return
        self.end(packet, status, answered=False)
        self.resume()

    def resume(self) -> None:
        """Resources may be there again, or the reset over which packets were held has ended."""
        self.is_blocked = False
        lock = self._edge.lock
        if self.waiting and lock.serialized:
            lock.run(self._drain)
        elif self.waiting:
            held = list(self.waiting)
            self.waiting.clear()
            lock.run(lambda: self._hand_over_at_once(held))

    def end(self, packet: Packet, status: int, answered: bool = True) -> None:
        """The miniport is done with a packet; `answered`: by what its send handler said, not by a completion."""
        edge = self._edge
        self._leave(packet, status)
        if edge.ledger is not None:
            edge.ledger.completed(edge, packet, status)
        self._give_back(packet, status, answered)

    def _give_back(self, packet: Packet, status: int, answered: bool = False) -> None:
        edge = self._edge
        level = levels.pop(packet)
        if edge.ledger is not None:
            edge.ledger.came_back(packet, level, edge.adapter)
        if answered and packet in self._answers:
            self._answers[packet] = NdisStatus(status)
            level.route.sends_ended(1)
        else:
            level.route.send_completed(packet, status)
        edge.check_idle()

    def abort(self, status: NdisStatus, matches: Callable[[Packet], bool] | None = None) -> None:
        """NDIS ends what still waits, or those of it that match."""
        ending: list[Packet] = []
        kept: deque[Packet] = deque()
        for packet in self.waiting:
            (ending if matches is None or matches(packet) else kept).append(packet)
        self.waiting = kept  # before anybody hears of it: a sender may send or cancel again from its completion
        for packet in ending:
            self._give_back(packet, status)

# SPDX-License-Identifier: Apache-2.0
"""Transmit of the deserialized driver: arrays of packets, and a queue of its own for what does not fit.

    send_packets -> waiting ----------> in flight ------------> NdisMSendComplete
                    (no limit, S5-06)   (the NIC's, in order)

NDIS has mapped each packet: its scatter/gather list is what becomes descriptors. No packet overtakes another.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hilnic.miniport.config import NicConfig
from hilnic.miniport.tx_frame import TxStatistics
from hilnic.miniport.vlan import add_tag
from hilnic.miniport5.tx import Element, InFlight, TransmitRing, is_sendable
from hilnic.ndis import NdisStatus, ndis5
from hilnic.ndis.ndis5 import Packet

if TYPE_CHECKING:
    from hilnic.miniport5.nic import Nic5

__all__ = ["PacketTransmitter"]

_SG_LIST = int(ndis5.PacketInfo.SCATTER_GATHER_LIST)


class PacketTransmitter(TransmitRing):
    """Deserialized: MiniportSendPackets takes everything, keeps what does not fit, and completes all of it (S5-06)."""

    header_elements = 0
    """Pieces that `framed` puts before a packet's own."""

    def __init__(self, nic: Nic5, queue: int = 0, config: NicConfig | None = None) -> None:
        super().__init__(nic, queue, config)
        self._waiting: deque[Packet] = deque()
        self._pumping = False

    @property
    def busy(self) -> bool:
        """Does anything wait, here or for its completion?"""
        return bool(self._waiting or self._in_flight)

    def statistics(self) -> TxStatistics:
        """Counts of now."""
        queued = len(self._waiting) + len(self._in_flight)
        return TxStatistics(self._sent, self._errors, self._refused, self._aborted, self._copied, queued)

    def send_packets(self, packets: list[Packet]) -> None:
        """MiniportSendPackets."""
        for packet in packets:
            if self.refusal is not None:
                self.hand_back(packet, self.refusal)
            elif not self.is_sendable(packet):
                self._refused += 1
                self.hand_back(packet, NdisStatus.INVALID_PACKET)
            elif self.is_for_another_vlan(packet):
                self._refused += 1
                self.hand_back(packet, NdisStatus.FAILURE)
            else:
                ndis5.set_packet_status(packet, NdisStatus.PENDING)
                self._waiting.append(packet)
                if self._trace.enabled:
                    packet.frame_id = self._trace.tag("tx", self.on_wire(packet), packet.frame_id)
        self._pump()

    def on_wire(self, packet: Packet) -> bytes:
        """A frame as the wire will have it, for the trace."""
        return add_tag(packet.tobytes(), self.tag_of(packet))

    def is_sendable(self, packet: Packet) -> bool:
        """Is the frame as long as the NIC takes it?"""
        return is_sendable(packet, self._config)

    def framed(self, packet: Packet, elements: Sequence[Element]) -> Sequence[Element]:
        """What goes to the NIC for a packet: here the protocol's bytes are the whole of it."""
        del packet
        return elements

    def hand_back(self, packet: Packet, status: NdisStatus) -> None:
        """NdisMSendComplete (S5-07)."""
        ndis5.send_complete(self._adapter, packet, status)

    def _pump(self) -> None:
        """Move waiting frames to the ring, oldest first, as long as whole frames fit; one doorbell."""
        if self._pumping:
            return
        self._pumping = True
        placed = 0
        while self._waiting and self.running and self._post(self._waiting[0]):
            self._waiting.popleft()
            placed += 1
        self._pumping = False
        if placed:
            self.publish(placed)

    def _post(self, packet: Packet) -> bool:
        """Place a packet; False if it has to wait for descriptors or for a copy buffer."""
        if not self.ring.free:
            return False
        tag, bounce = self.tag_of(packet), None
        elements = self.tagged(packet.packet_info[_SG_LIST].elements, tag)
        if len(elements) > self._max_fragments:
            if not self._bounces or self.ring.free <= self.header_elements:
                return False
            data = add_tag(packet.tobytes(), tag)
            bounce = self.gather(data)
            elements = [Element(bounce.address, len(data))]
        elements = self.framed(packet, elements)
        if len(elements) > self.ring.free:
            return False
        self.place(packet, packet.frame_id, elements).bounce = bounce
        return True

    def after_reap(self) -> None:
        """What waited may fit now."""
        self._pump()

    def done(self, frame: InFlight, status: NdisStatus) -> None:
        """Complete a packet, with the time at which the completion was seen (OB-03)."""
        ndis5.set_packet_time_sent(frame.owner, self._kernel.now_ns())
        self.hand_back(frame.owner, status)

    def abort(self, status: NdisStatus) -> None:
        """End what is in flight, then what waits."""
        super().abort(status)
        self._end_waiting(list(self._waiting), status)

    def cancel(self, cancel_id: Any) -> None:
        """MiniportCancelSendPackets: what waits with this id ends with REQUEST_ABORTED (CN-09)."""
        matching = [packet for packet in self._waiting if ndis5.get_packet_cancel_id(packet) == cancel_id]
        self._end_waiting(matching, NdisStatus.REQUEST_ABORTED)

    def _end_waiting(self, packets: list[Packet], status: NdisStatus) -> None:
        ending = set(packets)
        self._waiting = deque(packet for packet in self._waiting if packet not in ending)
        for packet in packets:
            self._aborted += 1
            self.hand_back(packet, status)

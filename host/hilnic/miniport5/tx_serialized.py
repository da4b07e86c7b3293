# SPDX-License-Identifier: Apache-2.0
"""Transmit of the serialized driver: MiniportSend posts at once, or says NDIS_STATUS_RESOURCES (S5-03 to S5-05).

It maps each buffer with one map register, which is free again when the frame has been sent. Whoever was refused is
told by NdisMSendResourcesAvailable as soon as frames have come back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic import ndis
from hilnic.miniport.vlan import add_tag
from hilnic.miniport5.tx import Element, InFlight, TransmitRing, is_sendable
from hilnic.ndis import NdisStatus, ndis5
from hilnic.ndis.ndis5 import Packet

if TYPE_CHECKING:
    from hilnic.miniport5.nic import Nic5

__all__ = ["MappedTransmitter", "SerializedTransmitter"]

_PIECES_OF_A_TAG = 2  # the tag, and the piece that it cuts in two


class MappedTransmitter(TransmitRing):
    """Frames of buffers that are mapped one by one; there are as many map registers as descriptors."""

    def __init__(self, nic: Nic5) -> None:
        super().__init__(nic)
        self._registers = list(range(nic.config.tx_ring))

    def post(self, owner: Any, frame_id: int, buffers: list[ndis.Mdl], tag: bytes | None = None) -> bool:
        """Map a frame's buffers and hand it to the NIC; False, and nothing done, when resources are short."""
        pieces = len(buffers) + (_PIECES_OF_A_TAG if tag else 0)
        if pieces > self._max_fragments:
            return self._post_copy(owner, frame_id, add_tag(b"".join(mdl.view for mdl in buffers), tag))
        if pieces > self.ring.free or len(buffers) > len(self._registers):
            return False
        mapped = [(mdl, self._registers.pop()) for mdl in buffers]
        elements = [
            element
            for mdl, register in mapped
            for element in ndis5.start_buffer_physical_mapping(self._adapter, mdl, register, True)
        ]
        self.place(owner, frame_id, self.tagged(elements, tag)).mapped = mapped
        self.publish(1)
        return True

    def _post_copy(self, owner: Any, frame_id: int, data: bytes) -> bool:
        if not self._bounces or not self.ring.free:
            return False
        bounce = self.gather(data)
        self.place(owner, frame_id, [Element(bounce.address, len(data))]).bounce = bounce
        self.publish(1)
        return True

    def unmap(self, frame: InFlight) -> None:
        """The NIC reads a frame's buffers no more (IT-08)."""
        for mdl, register in frame.mapped:
            ndis5.complete_buffer_physical_mapping(self._adapter, mdl, register)
            self._registers.append(register)


class SerializedTransmitter(MappedTransmitter):
    """MiniportSend; NDIS queues what there is no room for."""

    def __init__(self, nic: Nic5) -> None:
        super().__init__(nic)
        self.refused_for_now = 0
        """How often it said RESOURCES."""
        self._starved = False  # since frames last came back

    def send(self, packet: Packet) -> NdisStatus:
        """PENDING: NdisMSendComplete follows. RESOURCES: NDIS tries it again."""
        if self.refusal is not None:
            return self.refusal
        if not is_sendable(packet, self._config):
            self._refused += 1
            return NdisStatus.INVALID_PACKET
        if self.is_for_another_vlan(packet):
            self._refused += 1
            return NdisStatus.FAILURE
        buffers = [mdl for mdl in packet.buffers() if mdl.byte_count]
        tag = self.tag_of(packet)
        if self._trace.enabled:
            self._trace.tag("tx", add_tag(packet.tobytes(), tag), packet.frame_id)
        if self.post(packet, packet.frame_id, buffers, tag):
            return NdisStatus.PENDING
        self._starved = True
        self.refused_for_now += 1
        return NdisStatus.RESOURCES

    def done(self, frame: InFlight, status: NdisStatus) -> None:
        """NdisMSendComplete."""
        self.unmap(frame)
        ndis5.send_complete(self._adapter, frame.owner, status)

    def after_reap(self) -> None:
        """NdisMSendResourcesAvailable, when somebody waits for them (S5-04)."""
        if self._starved:
            self._starved = False
            ndis5.send_resources_available(self._adapter)

# SPDX-License-Identifier: Apache-2.0
"""Receive of the deserialized driver: full packets, by NdisMIndicateReceivePacket.

            free -> posted (the NIC's, in ring order) -> filled -> indicated ---> held by protocols -> free
                                                              \\-> RESOURCES: back when the call returns -> free

A packet is the first buffer's; a frame longer than a buffer chains those of the following ones behind it (RG-10). A
buffer is mapped for the device only while it is posted (RG-11), so what a protocol holds cannot change. With fewer than
`rx_low_water` buffers left, packets carry NDIS_STATUS_RESOURCES (R5-07), the last ones of the array.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilnic import ndis
from hilnic.hw.memory import Direction, Mapping
from hilnic.miniport.config import NicConfig
from hilnic.miniport.vlan import slot_of
from hilnic.miniport5.rx import HEADER_BYTES, Buffer, Frame, ReceiveRing
from hilnic.ndis import NdisStatus, ndis5
from hilnic.ndis.ndis5 import Packet

if TYPE_CHECKING:
    from hilnic.miniport5.nic import Nic5

__all__ = ["PacketReceiver"]

_FROM_DEVICE = int(Direction.FROM_DEVICE)
_IS_LOOPBACK = int(ndis5.PacketFlags.IS_LOOPBACK_PACKET)
_TAG_SLOT = int(ndis5.PacketInfo.IEEE_8021Q)


class _PacketBuffer(Buffer):
    """A receive buffer with its packet."""

    __slots__ = ("mapping", "mdl", "packet", "receiver", "region", "start")

    def __init__(self, receiver: PacketReceiver, region: ndis.Region, mdl: ndis.Mdl, packet: Packet) -> None:
        super().__init__(mdl.address, mdl.view)
        self.receiver = receiver
        self.region, self.mdl, self.packet, self.start = region, mdl, packet, mdl.byte_offset
        self.mapping: Mapping | None = None


class PacketReceiver(ReceiveRing):
    """Full packets in arrays, each with its status out of band (R5-01 to R5-10)."""

    header_shown = HEADER_BYTES
    """Of each packet, its first bytes that are a header of the medium."""

    def __init__(self, nic: Nic5, queue: int = 0, config: NicConfig | None = None) -> None:
        super().__init__(nic, queue, config)
        self._packets: ndis5.PacketPool | None = None
        self._descriptors: ndis5.BufferPool | None = None
        self._array: list[Packet] = []  # the driver's for all indications (R5-10)

    def make_buffers(self) -> None:
        """A region, its descriptor and its packet for each."""
        config, number = self._config, self._config.rx_buffers
        _, self._packets = ndis5.allocate_packet_pool(self._adapter, number, tag="receive")
        _, self._descriptors = ndis5.allocate_buffer_pool(self._adapter, number, tag="receive")
        if self._packets is None or self._descriptors is None:
            raise MemoryError(f"no pool of {number} packets")
        for _ in range(number):
            region = self._kernel.allocate(config.rx_buffer_bytes + config.rx_buffer_offset)
            _, mdl = ndis5.allocate_buffer(self._descriptors, region, config.rx_buffer_offset, config.rx_buffer_bytes)
            _, packet = ndis5.allocate_packet(self._packets)
            assert mdl is not None
            assert packet is not None
            self._buffers.append(_PacketBuffer(self, region, mdl, packet))

    def free_buffers(self) -> None:
        """Packets, descriptors, memory, pools."""
        for buffer in self._buffers:
            ndis5.free_packet(buffer.packet)
            ndis5.free_buffer(buffer.mdl)
            self._kernel.free(buffer.region)
        if self._packets is not None:
            ndis5.free_packet_pool(self._packets)
        if self._descriptors is not None:
            ndis5.free_buffer_pool(self._descriptors)

    def map(self, buffer: _PacketBuffer) -> None:
        """The device may write to it."""
        buffer.mapping = self._memory.map(buffer.address, self._config.rx_buffer_bytes, _FROM_DEVICE)

    def unmap(self, buffer: _PacketBuffer) -> None:
        """It may not any more."""
        if buffer.mapping is not None:
            self._memory.unmap(buffer.mapping)
            buffer.mapping = None

    def indicate(self, frames: list[Frame]) -> None:
        """One array; those with RESOURCES are ours again when the call returns (R5-07, R5-09)."""
        limit = len(self._buffers) - self._config.rx_low_water if self._config.rx_low_water else len(self._buffers)
        packets, scarce = self._array, list[Frame]()
        packets.clear()
        for frame in frames:
            packet = self._describe(frame)
            if scarce or self.lent + len(frame.buffers) > limit:  # from the first one on (A2)
                ndis5.set_packet_status(packet, NdisStatus.RESOURCES)
                scarce.append(frame)
            else:
                ndis5.set_packet_status(packet, NdisStatus.SUCCESS)
                self.lent += len(frame.buffers)
            packets.append(packet)
        self._indicated += len(packets) - len(scarce)
        self._with_resources += len(scarce)
        if packets:
            self.hand_up(packets)
        for frame in scarce:
            self.recycle(frame.buffers)

    def hand_up(self, packets: list[Packet]) -> None:
        """NdisMIndicateReceivePacket."""
        ndis5.indicate_receive_packet(self._adapter, packets)

    def shown(self, frame: Frame) -> tuple[int, int]:
        """First byte and number of bytes that are shown of a frame: here all but a tag that was taken out."""
        return frame.start, frame.length

    def _describe(self, frame: Frame) -> Packet:
        """A packet over the frame's buffers, the descriptors as long as what is in them."""
        packet: Packet = frame.buffers[0].packet
        ndis5.reinitialize_packet(packet)
        skip, left = self.shown(frame)
        for buffer in frame.buffers:
            buffer.mdl.next = None
            buffer.mdl.byte_offset = buffer.start + skip
            buffer.mdl.byte_count = min(left, self._config.rx_buffer_bytes - skip)
            left -= buffer.mdl.byte_count
            skip = 0
            ndis5.chain_buffer_at_back(packet, buffer.mdl)
        ndis5.set_packet_header_size(packet, self.header_shown)
        ndis5.set_packet_time_received(packet, self._kernel.now_ns())
        if frame.is_looped:
            ndis5.set_packet_flags(packet, _IS_LOOPBACK)
        if frame.tag is not None and self._config.priority_vlan_tag is not None:
            packet.packet_info[_TAG_SLOT] = slot_of(frame.tag, self._config.priority_vlan_tag)
        packet.miniport_reserved[0] = frame.buffers
        packet.frame_id = self.find(frame)
        return packet

    def give_back(self, packet: Packet) -> None:
        """MiniportReturnPacket: any order, also from inside the indication."""
        buffers = packet.miniport_reserved[0]
        self.lent -= len(buffers)
        self.recycle(buffers)

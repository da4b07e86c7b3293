# SPDX-License-Identifier: Apache-2.0
"""The signalling connection of the 5.x driver: packets of its own, in memory that it shares with the NIC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic import ndis
from hilnic.hw.regs import BASE_ALIGNMENT
from hilnic.mcm.half import LONGEST_MESSAGE
from hilnic.miniport_co.connection5 import PacketConnection
from hilnic.miniport_co.connections import Connections
from hilnic.miniport_co.entry import VcEntry
from hilnic.miniport_co.rx5 import VcPacketReceiver
from hilnic.miniport_co.signals import MOST_WAITING, Hear, Signals
from hilnic.miniport_co.tx5 import VcPacketTransmitter
from hilnic.ndis import NdisStatus, ndis5
from hilnic.ndis.ndis5 import Packet

if TYPE_CHECKING:
    from hilnic.miniport_co.nic5 import CoNic5

__all__ = ["SignalConnection5"]

_SG_LIST = int(ndis5.PacketInfo.SCATTER_GATHER_LIST)


class SignalConnection5(Signals, PacketConnection):
    """Of packets."""

    tx: SignalTransmitter5 | None
    rx: SignalReceiver5 | None

    def __init__(self, nic: CoNic5, connections: Connections, entry: VcEntry, hear: Hear) -> None:
        super().__init__(nic, connections, None, entry)  # type: ignore[arg-type]  # NDIS has no VC for it
        self.hear = hear
        memory = ndis5.allocate_shared_memory(nic.handle, MOST_WAITING * LONGEST_MESSAGE, BASE_ALIGNMENT)
        _, packets = ndis5.allocate_packet_pool(nic.handle, MOST_WAITING, tag="signalling")
        _, buffers = ndis5.allocate_buffer_pool(nic.handle, MOST_WAITING, tag="signalling")
        if memory is None or packets is None or buffers is None:
            raise MemoryError(f"no memory for {MOST_WAITING} messages")
        self._memory, self._packets, self._buffers = memory, packets, buffers
        self._spare: list[Packet] = []
        self._made = 0

    def make_queues(self, slot: int) -> tuple[SignalTransmitter5, SignalReceiver5]:
        """Those that bring the messages here."""
        return SignalTransmitter5(self, slot), SignalReceiver5(self, slot + 1)

    def put(self, octets: bytes) -> None:
        """In a packet of its own; its place is known to the NIC."""
        assert self.tx is not None
        packet = self._spare.pop() if self._spare else self._new()
        mdl = packet.head
        assert mdl is not None
        mdl.byte_count = len(octets)
        self.nic.memory.store(mdl.address, octets)  # shared memory, which nobody maps: the doorbell's barrier shows it
        packet.valid_counts = False
        packet.frame_id = 0  # the trace gives each message its own
        owner: Any = packet
        place = ndis.ScatterGatherElement(mdl.address, len(octets))
        packet.packet_info[_SG_LIST] = ndis.ScatterGatherList(owner, [place], [])
        self._waiting += 1
        self.tx.send_packets([packet])

    def _new(self) -> Packet:
        offset = self._made * LONGEST_MESSAGE
        _, packet = ndis5.allocate_packet(self._packets)
        _, mdl = ndis5.allocate_buffer(self._buffers, self._memory.region, offset, LONGEST_MESSAGE)
        assert packet is not None  # there are as many as there is memory for
        assert mdl is not None
        ndis5.chain_buffer_at_front(packet, mdl)
        self._made += 1
        return packet

    def said(self, packet: Packet) -> None:
        """A message has gone, or been lost."""
        self._waiting -= 1
        self._spare.append(packet)

    def heard(self, packets: list[Packet]) -> None:
        """Copy what has come; the buffers go back at once."""
        messages = [packet.tobytes() for packet in packets]
        for packet in packets:
            if ndis5.get_packet_status(packet) != NdisStatus.RESOURCES:
                assert self.rx is not None
                self.rx.give_back(packet)
        for octets in messages:
            self.hear(octets)

    def free_messages(self) -> None:
        """Packets, descriptors, pools, memory."""
        for packet in self._spare:
            mdl = ndis5.unchain_buffer_at_front(packet)
            assert mdl is not None
            ndis5.free_buffer(mdl)
            ndis5.free_packet(packet)
        ndis5.free_packet_pool(self._packets)
        ndis5.free_buffer_pool(self._buffers)
        ndis5.free_shared_memory(self._memory)


class SignalTransmitter5(VcPacketTransmitter):
    """Completes to the connection instead of NDIS."""

    _connection: SignalConnection5

    def hand_back(self, packet: Packet, status: NdisStatus) -> None:
        """They are the driver's own."""
        del status
        self._connection.said(packet)


class SignalReceiver5(VcPacketReceiver):
    """Indicates to the connection instead of NDIS."""

    _connection: SignalConnection5

    def hand_up(self, packets: list[Packet]) -> None:
        """Nobody else sees them."""
        self._connection.heard(list(packets))

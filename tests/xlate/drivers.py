# SPDX-License-Identifier: Apache-2.0
"""The functional drivers of NDIS 5 as `NdisBench` takes them, next to those of NDIS 6 (b.fp, b.fm)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hilnic import ndis
from hilnic.ndis import NdisStatus, NetBufferList, Oid, ndis5
from hilnic.ndis.ndis5.packet import Packet
from hilnic.testing import FunctionalMiniport, FunctionalProtocol
from hilnic.testing.miniport5 import FunctionalMiniport5
from hilnic.testing.protocol5 import FunctionalProtocol5, Handlers

Protocol6 = FunctionalProtocol


class Protocol5(FunctionalProtocol5):
    """A 5.x protocol with ProtocolReceivePacket."""

    receives_by: Handlers = "packet"

    def __init__(self, host: ndis.Ndis, name: str = "p5") -> None:
        super().__init__(host, name, self.receives_by)
        self.oob_statuses: list[int] = []
        self.again = 0  # how often it sends again from its completion

    @property
    def xlate(self) -> Any:
        """What NDIS has translated for this binding."""
        return self.open.xlate

    def send_packets(self, *packets: Packet) -> None:
        """NdisSendPackets."""
        ndis5.send_packets(self.open, list(packets))

    def unbind_adapter(self, unbind_context: ndis.UnbindContext) -> NdisStatus:
        """Pay what is owed, then close."""
        if self.held:
            self.give_back()
        return super().unbind_adapter(unbind_context)

    def send_complete(self, packet: Packet, status: int) -> None:
        """Note it; perhaps send it again."""
        super().send_complete(packet, status)
        if self.again:
            self.again -= 1
            self.send_packets(packet)

    def receive_packet(self, packet: Packet) -> int:
        """Note the out-of-band status besides."""
        self.oob_statuses.append(packet.oob.status)
        return super().receive_packet(packet)


class LookaheadProtocol5(Protocol5):
    """A 5.x protocol with ProtocolReceive alone; it transfers what lies behind the first `looks` bytes all the same."""

    receives_by = "lookahead"
    looks = 64

    def receive(self, context: Any, header: Any, lookahead: Any, packet_size: int) -> NdisStatus:
        """Look at the beginning, transfer the rest."""
        seen = bytes(ndis5.copy_lookahead_data(lookahead))
        assert len(seen) == packet_size
        self.last = header, lookahead
        start = min(self.looks, packet_size)
        self.fetch(context, start, packet_size - start, bytes(header) + seen[:start])
        return NdisStatus.SUCCESS


class Jumbo(FunctionalMiniport):
    """A 6.x miniport that takes frames of 9018 bytes and keeps (send flags, number of lists) of every call."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.calls: list[tuple[int, int]] = []
        super().__init__(*arguments, **options)

    def attributes(self) -> ndis.GeneralAttributes:
        """With a larger MTU."""
        return replace(super().attributes(), mtu_size=9004)

    def send_net_buffer_lists(self, nbls: NetBufferList, port_number: int, send_flags: int) -> None:
        """Note how it was called."""
        self.calls.append((send_flags, ndis.count(nbls)))
        super().send_net_buffer_lists(nbls, port_number, send_flags)


class Miniport5(FunctionalMiniport5):
    """A 5.x miniport, deserialized, that takes frames of 9018 bytes."""

    is_serialized = False

    def __init__(self, host: ndis.Ndis, name: str = "m5", completion: str = "hold") -> None:
        super().__init__(host, name, serialized=self.is_serialized)
        self.completion = completion
        self.hold_oids = False
        self.answers[Oid.OID_GEN_MAXIMUM_FRAME_SIZE] = (9004).to_bytes(4, "little")
        self.answers[Oid.OID_GEN_SUPPORTED_LIST] = int(Oid.OID_GEN_XMIT_OK).to_bytes(4, "little")

    @property
    def xlate(self) -> Any:
        """What NDIS has translated for this adapter."""
        return self.adapter.context.xlate

    def complete_all(self, status: int = NdisStatus.SUCCESS) -> None:
        """Complete everything captured, in order."""
        self.complete(status=status)

    def take(self, packet: Packet) -> int:
        """Capture a packet of any length."""
        self.sent_frames.append(packet.tobytes())
        self.captured.append(packet)
        return NdisStatus.PENDING

    def send_packets(self, packets: list[Packet]) -> None:
        """Capture, then end as `completion` says."""
        super().send_packets(packets)
        if self.completion == "inline":
            self.complete(*packets)
        elif self.completion == "deferred":
            self.ndis.kernel.queue_dpc(lambda: self.complete(*packets))


class SerializedMiniport5(Miniport5):
    """The same with NDIS's lock around its handlers."""

    is_serialized = True


class LookaheadMiniport5(SerializedMiniport5):
    """Notes what it is asked to transfer."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.asked: list[tuple[int, int]] = []

    def transfer_data(self, context: Any, offset: int, number: int, packet: Packet) -> tuple[NdisStatus, int]:
        """Note it."""
        self.asked.append((offset, number))
        return super().transfer_data(context, offset, number, packet)

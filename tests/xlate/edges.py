# SPDX-License-Identifier: Apache-2.0
"""The smallest two edges that the translation can work between, over the functional drivers of NDIS 6.

`Protocol5` is a 5.x protocol's binding (BindingPort): it notes what comes up and keeps packets on command.
`Miniport5` is a 5.x miniport's adapter (MiniportPort): it captures packets and completes and indicates them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hilnic import ndis
from hilnic.ndis import Mdl, NdisStatus, NetBufferList, ndis5
from hilnic.ndis.ndis5.packet import Packet
from hilnic.ndis.xlate import rx, tx
from hilnic.ndis.xlate.objects import Translation
from hilnic.testing import FunctionalMiniport, FunctionalProtocol
from hilnic.testing.frames import GARBAGE


class Packets:
    """A pool of packets over memory of its own, cut into buffers at will."""

    def __init__(self, host: ndis.Ndis) -> None:
        self.host = host
        _, self.pool = ndis5.allocate_packet_pool(host, 4096, tag="test packets")

    def build(self, frame: bytes, cuts: Sequence[int] = ()) -> Packet:
        """A packet; `cuts` are the lengths of its leading buffers, the last one takes the rest."""
        status, packet = ndis5.allocate_packet(self.pool)
        assert status is NdisStatus.SUCCESS
        at = 0
        for length in [*cuts, len(frame) - sum(cuts)]:
            region = self.host.kernel.allocate(length + 32)
            region.view[:] = bytes([GARBAGE]) * len(region.view)
            region.view[16 : 16 + length] = frame[at : at + length]
            ndis5.chain_buffer_at_back(packet, Mdl(region, 16, length))
            at += length
        return packet

    def free(self) -> None:
        """Everything that came back, and then the pool."""
        for packet in list(self.pool.live):
            ndis5.free_packet(packet)
        ndis5.free_packet_pool(self.pool)


class Protocol5(FunctionalProtocol):
    """A 5.x protocol on whatever adapter there is."""

    protocol_options = 0

    async def start(self) -> None:
        await super().start()
        self.packets = Packets(self.ndis)
        self.keep = False
        self.sent: list[tuple[Packet, int]] = []
        self.delivered: list[Packet] = []
        self.frames: list[bytes] = []
        self.kept: list[Packet] = []
        self.statuses5: list[int] = []
        self.completes = 0

    async def stop(self) -> None:
        await super().stop()
        self.xlate.close()
        self.packets.free()

    def bind_adapter(self, bind_context: ndis.BindContext, parameters: ndis.BindParameters) -> NdisStatus:
        status = super().bind_adapter(bind_context, parameters)
        self.xlate = Translation(self)
        handler = type(self).protocol_receive_packet
        self.receive_packet = self.ndis.guarded(handler, self.binding, "ProtocolReceivePacket")
        return status

    def protocol_receive_packet(self, packet: Packet) -> None:
        self.delivered.append(packet)

    def send_packets(self, *packets: Packet) -> None:
        tx.packets_to_nbls(self, packets)

    @property
    def core(self) -> ndis.Binding:
        return self.open

    def return_packet(self, packet: Packet) -> None:
        self.kept.remove(packet)
        self.xlate.packet_returned(packet)

    # BindingPort.

    def packet_sent(self, packet: Packet, status: int) -> None:
        self.sent.append((packet, status))

    def deliver(self, packet: Packet, route: Translation) -> None:
        self.receive_packet(self, packet)
        self.frames.append(packet.tobytes())
        self.statuses5.append(packet.oob.status)
        keeps = self.keep and packet.oob.status != NdisStatus.RESOURCES
        if keeps:
            self.kept.append(packet)
        else:
            route.packet_returned(packet)

    def receive_complete(self) -> None:
        self.completes += 1

    # What NDIS calls.

    def receive_net_buffer_lists(self, nbls: NetBufferList, port: int, count: int, flags: int) -> None:
        rx.nbls_to_packets(self, nbls, flags)

    def send_net_buffer_lists_complete(self, nbls: NetBufferList, flags: int) -> None:
        self.completion_calls += 1
        tx.nbls_completed(self, nbls)

    async def net_pnp_event(self, event: ndis.NetPnpEvent) -> NdisStatus:
        for packet in list(self.kept):
            self.return_packet(packet)
        return NdisStatus.SUCCESS


class Jumbo(FunctionalMiniport):
    """A 6.x miniport that takes frames of 9018 bytes."""

    def attributes(self) -> ndis.GeneralAttributes:
        return replace(super().attributes(), mtu_size=9004)


class Miniport5(Jumbo):
    """A 5.x miniport below whatever protocol there is."""

    def initialize(self, adapter: ndis.Adapter) -> Any:
        status = super().initialize(adapter)
        self.xlate = Translation(self)
        self.packets = Packets(self.ndis)
        self.taken: list[Packet] = []
        self.sent_packets: list[Packet] = []
        self.submits = 0
        self.references: dict[Packet, int] = {}
        self.came_back: list[Packet] = []
        return status

    def halt(self, action: ndis.HaltAction) -> None:
        super().halt(action)
        self.xlate.close()
        self.packets.free()

    def finish_packets(self, *packets: Packet, status: int = NdisStatus.SUCCESS) -> None:
        for packet in packets:
            self.taken.remove(packet)
            self.xlate.send_completed(packet, status)

    def indicate_packets(self, *packets: Packet) -> None:
        for packet in packets:
            self.references[packet] = 1
        rx.packets_to_nbls(self, packets, self.adapter.receivers)
        for packet in packets:
            self.release(packet)

    # MiniportPort.

    def submit(self, packets: list[Packet], route: Translation) -> None:
        self.submits += 1
        self.taken += packets
        self.sent_packets += packets
        self.sent_frames += [packet.tobytes() for packet in packets]
        if self.completion == "inline":
            self.finish_packets(*packets)
        elif self.completion == "deferred":
            self.ndis.kernel.queue_dpc(lambda: self.finish_packets(*packets))

    def hold(self, packet: Packet) -> None:
        self.references[packet] += 1

    def release(self, *packets: Packet) -> None:
        for packet in packets:
            self.references[packet] -= 1
            if not self.references[packet]:
                self.came_back.append(packet)

    # What NDIS calls.

    def send_net_buffer_lists(self, nbls: NetBufferList, port_number: int, send_flags: int) -> None:
        tx.nbls_to_packets(self, nbls, send_flags)

    def return_net_buffer_lists(self, nbls: NetBufferList, return_flags: int) -> None:
        self.return_calls += 1
        rx.nbls_returned(self, nbls)

    def pause(self, parameters: ndis.PauseParameters) -> NdisStatus:
        self.finish_packets(*list(self.taken), status=NdisStatus.REQUEST_ABORTED)
        return super().pause(parameters)

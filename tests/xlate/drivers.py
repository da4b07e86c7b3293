# SPDX-License-Identifier: Apache-2.0
"""NDIS 5 drivers for the tests of the translation, as small as they can be, with the words of the functional drivers.

`Protocol5` sends packets, notes what comes up and keeps packets on command; `LookaheadProtocol5` has no
ProtocolReceivePacket. `Miniport5` captures packets, completes and indicates them on command.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hilnic import ndis
from hilnic.ndis import NdisMedium, NdisStatus, NetBufferList, Oid, RequestType, ndis5
from hilnic.ndis.ndis5.buffers import scatter
from hilnic.ndis.ndis5.packet import Packet
from hilnic.testing import FunctionalMiniport, FunctionalProtocol
from hilnic.testing.frames import GARBAGE
from hilnic.testing.miniport import MAC_ADDRESS


class Packets:
    """Pools of packets and buffers over memory of their own."""

    def __init__(self, host: ndis.Ndis) -> None:
        self.host = host
        _, self.pool = ndis5.allocate_packet_pool(host, 4096, tag="test packets")
        _, self.buffers = ndis5.allocate_buffer_pool(host, 1 << 16, tag="test buffers")

    def build(self, frame: bytes, cuts: Sequence[int] = ()) -> Packet:
        """A packet; `cuts` are the lengths of its leading buffers, the last one takes the rest."""
        status, packet = ndis5.allocate_packet(self.pool)
        assert status is NdisStatus.SUCCESS
        at = 0
        for length in [*cuts, len(frame) - sum(cuts)]:
            region = self.host.kernel.allocate(length + 32)
            region.view[:] = bytes([GARBAGE]) * len(region.view)
            region.view[16 : 16 + length] = frame[at : at + length]
            _, mdl = ndis5.allocate_buffer(self.buffers, region, 16, length)
            ndis5.chain_buffer_at_back(packet, mdl)
            at += length
        packet.oob.header_size = 14
        return packet

    def free(self) -> None:
        """Everything, which has come back by now."""
        for packet in list(self.pool.live):
            for mdl in list(packet.buffers()):
                ndis5.free_buffer(mdl)
            ndis5.free_packet(packet)
        ndis5.free_packet_pool(self.pool)
        ndis5.free_buffer_pool(self.buffers)


class Protocol5:
    """A 5.x protocol with ProtocolReceivePacket, on whatever adapter there is."""

    options = 0

    def __init__(self, host: ndis.Ndis, name: str = "p5") -> None:
        self.ndis = host
        self.name = name
        self.binding: Any = None
        self.keep = 0  # how many references it keeps of each packet that it may keep
        self.sent: list[tuple[Packet, int]] = []
        self.frames: list[bytes] = []
        self.delivered: list[Packet] = []
        self.oob_statuses: list[int] = []
        self.kept: list[Packet] = []
        self.completes = 0
        self.statuses: list[tuple[int, Any]] = []
        self.again = 0  # packets to send again from the completion
        self._answered: dict[Any, Any] = {}

    def characteristics(self) -> ndis5.ProtocolCharacteristics5:
        """The handlers."""
        kind = type(self)
        return ndis5.ProtocolCharacteristics5(
            name=self.name,
            bind_adapter=kind.bind_adapter,
            unbind_adapter=kind.unbind_adapter,
            open_adapter_complete=kind.open_adapter_complete,
            close_adapter_complete=kind.close_adapter_complete,
            send_complete=kind.send_complete,
            request_complete=kind.request_complete,
            reset_complete=kind.reset_complete,
            status=kind.status,
            status_complete=kind.status_complete,
            receive_complete=kind.receive_complete,
            **self.receive_handlers(),
        )

    def receive_handlers(self) -> dict[str, Any]:
        """Which of the two it has."""
        return {"receive_packet": type(self).receive_packet}

    async def start(self) -> None:
        """Register; NDIS binds it to the adapters there are."""
        self.packets = Packets(self.ndis)
        _, self.driver = await ndis5.register_protocol(self.ndis, self.characteristics(), self)

    async def stop(self) -> None:
        """Unregister."""
        await ndis5.deregister_protocol(self.driver)
        self.packets.free()

    async def listen(self) -> None:
        """Ask for directed, broadcast and listed multicast frames."""
        wanted = ndis.PacketFilter.DIRECTED | ndis.PacketFilter.BROADCAST | ndis.PacketFilter.MULTICAST
        data = bytearray(wanted.to_bytes(4, "little"))
        await self.request(ndis5.NdisRequest(RequestType.SET_INFORMATION, Oid.OID_GEN_CURRENT_PACKET_FILTER, data))

    async def request(self, request: ndis5.NdisRequest) -> NdisStatus:
        """Ask and wait."""
        done = self._answered[request] = [self.ndis.kernel.create_event(), None]
        status = ndis5.request(self.binding, request)
        if status is NdisStatus.PENDING:
            await done[0].wait()
            status = done[1]
        return status

    @property
    def xlate(self) -> Any:
        """What NDIS has translated for this binding."""
        return self.binding.xlate

    def send_packets(self, *packets: Packet) -> None:
        """NdisSendPackets."""
        ndis5.send_packets(self.binding, list(packets))

    def send(self, *frames: bytes) -> list[Packet]:
        """One packet per frame, in one call."""
        packets = [self.packets.build(frame) for frame in frames]
        self.send_packets(*packets)
        return packets

    def return_packet(self, packet: Packet) -> None:
        """Pay one reference."""
        self.kept.remove(packet)
        ndis5.return_packets([packet], self.binding)

    # Handlers.

    def bind_adapter(self, bind_context: ndis.BindContext, adapter_name: str) -> NdisStatus:
        protocol = bind_context.protocol
        media = [NdisMedium.MEDIUM_802_3]
        status, _, self.binding = ndis5.open_adapter(protocol, self, media, bind_context, self.options)
        return status

    def unbind_adapter(self, unbind_context: ndis.UnbindContext) -> NdisStatus:
        self._unbinding = unbind_context
        for packet in list(self.kept):
            self.return_packet(packet)
        return ndis5.close_adapter(self.binding)

    def open_adapter_complete(self, status: NdisStatus) -> None:
        raise AssertionError("the open did not pend")

    def close_adapter_complete(self, status: NdisStatus) -> None:
        ndis5.complete_unbind_adapter(self._unbinding)

    def send_complete(self, packet: Packet, status: int) -> None:
        self.sent.append((packet, status))
        if self.again:
            self.again -= 1
            self.send_packets(packet)

    def request_complete(self, request: ndis5.NdisRequest, status: NdisStatus) -> None:
        self._answered[request][1] = status
        self._answered[request][0].set()

    def reset_complete(self, status: NdisStatus) -> None:
        self.statuses.append((NdisStatus.RESET_END, status))

    def status(self, code: NdisStatus, buffer: Any) -> None:
        self.statuses.append((code, buffer))

    def status_complete(self) -> None:
        pass

    def receive_packet(self, packet: Packet) -> int:
        self.delivered.append(packet)
        self.frames.append(packet.tobytes())
        self.oob_statuses.append(packet.oob.status)
        keeps = 0 if packet.oob.status == NdisStatus.RESOURCES else self.keep
        self.kept += [packet] * keeps
        return keeps

    def receive_complete(self) -> None:
        self.completes += 1


class LookaheadProtocol5(Protocol5):
    """A 5.x protocol with ProtocolReceive alone; it transfers what lies behind the first `looks` bytes anyway."""

    looks = 64

    def receive_handlers(self) -> dict[str, Any]:
        return {"receive": type(self).receive, "transfer_data_complete": type(self).transfer_data_complete}

    def receive(self, receive_context: Any, header: Any, lookahead: Any, packet_size: int) -> NdisStatus:
        seen = bytes(ndis5.copy_lookahead_data(lookahead))
        assert len(seen) == packet_size
        start = min(self.looks, packet_size)
        packet = self.packets.build(bytes(packet_size - start))
        status, moved = ndis5.transfer_data(self.binding, receive_context, start, packet_size - start, packet)
        assert (status, moved) == (NdisStatus.SUCCESS, packet_size - start)
        self.frames.append(bytes(header) + seen[:start] + packet.tobytes())
        self.last = header, lookahead
        return NdisStatus.SUCCESS

    def transfer_data_complete(self, packet: Packet, status: NdisStatus, moved: int) -> None:
        raise AssertionError("no transfer pends")


class Jumbo(FunctionalMiniport):
    """A 6.x miniport that takes frames of 9018 bytes."""

    def attributes(self) -> ndis.GeneralAttributes:
        return replace(super().attributes(), mtu_size=9004)


class Listening(Jumbo):
    """Keeps the send flags of every call, and how many lists it brought."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.calls: list[tuple[int, int]] = []
        super().__init__(*arguments, **options)

    def send_net_buffer_lists(self, nbls: NetBufferList, port_number: int, send_flags: int) -> None:
        self.calls.append((send_flags, ndis.count(nbls)))
        super().send_net_buffer_lists(nbls, port_number, send_flags)


class Miniport5:
    """A 5.x miniport, deserialized; driver and adapter context in one."""

    attribute_flags = int(ndis5.Attributes5.DESERIALIZE)

    def __init__(self, host: ndis.Ndis, name: str = "m5", completion: str = "hold") -> None:
        self.ndis = host
        self.name = name
        self.mac_address = MAC_ADDRESS
        self.completion = completion
        self.hold_oids = False
        self.taken: list[Packet] = []
        self.sent_packets: list[Packet] = []
        self.sent_frames: list[bytes] = []
        self.arrays: list[int] = []
        self.came_back: list[Packet] = []
        self.cancelled: list[Any] = []
        self.adapter: ndis.Adapter
        self.answers: dict[int, bytes] = {
            Oid.OID_802_3_CURRENT_ADDRESS: MAC_ADDRESS,
            Oid.OID_802_3_PERMANENT_ADDRESS: MAC_ADDRESS,
            Oid.OID_802_3_MAXIMUM_LIST_SIZE: (32).to_bytes(4, "little"),
            Oid.OID_GEN_MAXIMUM_FRAME_SIZE: (9004).to_bytes(4, "little"),
            Oid.OID_GEN_MAC_OPTIONS: int(ndis.MacOptions.COPY_LOOKAHEAD_DATA | ndis.MacOptions.NO_LOOPBACK).to_bytes(
                4, "little"
            ),
            Oid.OID_GEN_LINK_SPEED: (10_000_000).to_bytes(4, "little"),
            Oid.OID_GEN_SUPPORTED_LIST: int(Oid.OID_GEN_XMIT_OK).to_bytes(4, "little"),
        }
        self.sets: list[tuple[int, bytes]] = []
        _, self.driver = ndis5.register_miniport(host, self.characteristics(), self)

    def characteristics(self) -> ndis5.MiniportCharacteristics5:
        """The handlers."""
        kind = type(self)
        return ndis5.MiniportCharacteristics5(
            name=self.name,
            initialize=_initialize,
            halt=kind.halt,
            reset=kind.reset,
            query_information=kind.query_information,
            set_information=kind.set_information,
            send_packets=kind.send_packets,
            return_packet=kind.return_packet,
            cancel_send_packets=kind.cancel_send_packets,
        )

    async def start(self) -> NdisStatus:
        """Initialise, bind, restart."""
        status, self.adapter = await ndis.start_adapter(self.ndis, self.driver, self.name)
        return status

    @property
    def xlate(self) -> Any:
        """What NDIS has translated for this adapter."""
        return self.adapter.context.xlate

    def finish_packets(self, *packets: Packet, status: int = NdisStatus.SUCCESS) -> None:
        """NdisMSendComplete for each."""
        for packet in packets:
            self.taken.remove(packet)
            ndis5.send_complete(self.adapter, packet, status)

    def complete_all(self, status: int = NdisStatus.SUCCESS) -> None:
        """Complete everything captured, in order."""
        self.finish_packets(*list(self.taken), status=status)

    def indicate_packets(self, *packets: Packet) -> None:
        """NdisMIndicateReceivePacket; what is this miniport's again afterwards has come back."""
        ndis5.indicate_receive_packet(self.adapter, list(packets))
        serialized = not self.attribute_flags
        mine = {NdisStatus.RESOURCES, NdisStatus.SUCCESS} if serialized else {NdisStatus.RESOURCES}
        self.came_back += [packet for packet in packets if packet.oob.status in mine]

    def indicate(self, *frames: bytes, flags: int = 0) -> list[Packet]:
        """One packet per frame, all with RESOURCES when the flag says so."""
        packets = [self.packets.build(frame) for frame in frames]
        for packet in packets:
            packet.oob.status = NdisStatus.RESOURCES if flags & ndis.ReceiveFlags.RESOURCES else NdisStatus.SUCCESS
        self.indicate_packets(*packets)
        return packets

    def link(self, up: bool) -> None:
        """Pull or plug the cable."""
        ndis5.indicate_status(self.adapter, NdisStatus.MEDIA_CONNECT if up else NdisStatus.MEDIA_DISCONNECT)
        ndis5.indicate_status_complete(self.adapter)

    # Handlers.

    def initialize(self, adapter: ndis.Adapter) -> tuple[NdisStatus, NdisMedium]:
        self.adapter = adapter
        ndis5.set_attributes_ex(adapter, self, 0, self.attribute_flags)
        self.packets = Packets(self.ndis)
        return NdisStatus.SUCCESS, NdisMedium.MEDIUM_802_3

    def halt(self) -> None:
        self.packets.free()

    def reset(self) -> tuple[NdisStatus, bool]:
        self.complete_all(NdisStatus.RESET_IN_PROGRESS)
        return NdisStatus.SUCCESS, True

    def query_information(self, request: ndis5.NdisRequest) -> NdisStatus:
        answer = self.answers.get(request.oid)
        return NdisStatus.INVALID_OID if answer is None else request.reply(answer)

    def set_information(self, request: ndis5.NdisRequest) -> NdisStatus:
        self.sets.append((request.oid, bytes(request.buffer)))
        request.bytes_read = len(request.buffer)
        return NdisStatus.SUCCESS

    def send_packets(self, packets: list[Packet]) -> None:
        self.arrays.append(len(packets))
        self.taken += packets
        self.sent_packets += packets
        self.sent_frames += [packet.tobytes() for packet in packets]
        if self.completion == "inline":
            self.finish_packets(*packets)
        elif self.completion == "deferred":
            self.ndis.kernel.queue_dpc(lambda: self.finish_packets(*packets))

    def return_packet(self, packet: Packet) -> None:
        self.came_back.append(packet)

    def cancel_send_packets(self, cancel_id: Any) -> None:
        self.cancelled.append(cancel_id)
        slot = ndis5.PacketInfo.CANCEL_ID
        matching = [packet for packet in self.taken if packet.packet_info[slot] == cancel_id]
        self.finish_packets(*matching, status=NdisStatus.REQUEST_ABORTED)


class SerializedMiniport5(Miniport5):
    """The same with NDIS's lock around its handlers."""

    attribute_flags = 0


class LookaheadMiniport5(SerializedMiniport5):
    """A serialized miniport that shows the first bytes behind the header and transfers the rest, at once or late."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.frame = b""
        self.asked: list[tuple[int, int]] = []
        self.late = False
        self.fails = False
        self.pending: Packet | None = None

    def characteristics(self) -> ndis5.MiniportCharacteristics5:
        return replace(super().characteristics(), transfer_data=type(self).transfer_data, return_packet=None)

    def show(self, frame: bytes, shown: int) -> None:
        """NdisMEthIndicateReceive and its Complete, over buffers that are gone afterwards."""
        self.frame = frame
        header, lookahead = bytearray(frame[:14]), bytearray(frame[14 : 14 + shown])
        size = len(frame) - 14
        ndis5.eth_indicate_receive(self.adapter, frame, memoryview(header), memoryview(lookahead), size)
        header[:], lookahead[:] = b"\xdd" * len(header), b"\xdd" * len(lookahead)
        ndis5.eth_indicate_receive_complete(self.adapter)

    def transfer_data(self, receive_context: Any, offset: int, number: int, packet: Packet) -> tuple[NdisStatus, int]:
        self.asked.append((offset, number))
        if self.fails:
            return NdisStatus.FAILURE, 0
        moved = scatter(packet, 0, receive_context[14 + offset : 14 + offset + number])
        if not self.late:
            return NdisStatus.SUCCESS, moved
        self.pending = packet
        return NdisStatus.PENDING, 0

    def finish_transfer(self) -> None:
        """NdisMTransferDataComplete."""
        assert self.pending is not None
        ndis5.transfer_data_complete(self.adapter, self.pending, NdisStatus.SUCCESS, self.pending.length())


class Protocol6(FunctionalProtocol):
    """A 6.x protocol."""


def _initialize(
    adapter: ndis.Adapter, miniport: Miniport5, mediums: Sequence[NdisMedium]
) -> tuple[NdisStatus, NdisMedium]:
    assert NdisMedium.MEDIUM_802_3 in mediums
    return miniport.initialize(adapter)

# SPDX-License-Identifier: Apache-2.0
"""A minimal NDIS 5.1 protocol driver: sends frames as they are, hands received ones to a callback or keeps them.

It receives as `handlers` says: ProtocolReceivePacket, ProtocolReceive (copy the lookahead, transfer the rest), or both.
Frames are bytes from the destination address to the last data octet, without FCS. `fragments` cuts a frame into that
many buffers; packets5.py keeps packets with their buffers, so that they are used again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal

from hilnic import ndis
from hilnic.ndis import NdisMedium, NdisStatus, Oid, RequestType, ndis5
from hilnic.ndis.ndis5 import BindingEdge, NdisRequest, Packet
from hilnic.protocols.packets5 import PacketStore
from hilnic.protocols.raw import DEFAULT_FILTER, RawStatistics

__all__ = ["Handlers5", "RawBinding5", "RawProtocol5"]

Handlers5 = Literal["packet", "lookahead", "both"]
ReceiveFrame = Callable[["RawBinding5", bytes], None]


class RawBinding5:
    """The protocol on one adapter: the ProtocolBindingContext."""

    def __init__(self, protocol: RawProtocol5, adapter_name: str) -> None:
        self.protocol, self.adapter_name = protocol, adapter_name
        self.handle: BindingEdge | None = None
        self.running = False
        """May frames be sent? From the bind until the unbind; NDIS 5 knows no pause."""
        self.statuses: list[int] = []
        """Status of every send that failed, in order."""
        self.received: list[bytes] = []
        """Received frames, when the protocol has no callback."""
        self.status_indications: list[tuple[NdisStatus, Any]] = []
        self.receive_completes = self.status_completes = 0
        self.transferred = 0
        """Frames of which a part came by NdisTransferData."""
        self._kernel = protocol.handle.ndis.kernel
        self.store = PacketStore(protocol.handle, protocol.packets, protocol.buffer_bytes, protocol.name)
        """Where packets come from, and go back to."""
        self._held: list[Packet] = []
        self._partial: dict[Packet, bytes] = {}  # header and lookahead of frames whose rest is being transferred
        self._requests: dict[NdisRequest, tuple[Any, list[NdisStatus]]] = {}
        self._idle: Any = None
        self._closed: Any = None
        self._outstanding = self._sent = self._completed = self._failed = self._received = 0

    def __repr__(self) -> str:
        """Adapter and traffic."""
        return f"<RawBinding5 {self.adapter_name}: {self.statistics()}>"

    def statistics(self) -> RawStatistics:
        """Counts since the bind."""
        return RawStatistics(self._sent, self._completed, self._failed, self._received, len(self._held))

    @property
    def outstanding(self) -> int:
        """Packets sent and not completed."""
        return self._outstanding

    @property
    def _open(self) -> BindingEdge:
        if self.handle is None:
            raise RuntimeError(f"{self!r} is closed")
        return self.handle

    # --- send ---------------------------------------------------------------------------------------------------------

    def send(self, *frames: bytes, fragments: int = 1, cancel_id: Any = None, flags: int = 0) -> None:
        """Send frames, one packet each, in one call of NdisSendPackets; `flags`: PacketFlags.

        RuntimeError, and nothing is sent, on a binding that is closed or short of packets.
        """
        binding, packets = self._open, self.store.build(frames, fragments)
        for packet in packets:
            ndis5.set_packet_cancel_id(packet, cancel_id)
            ndis5.set_packet_flags(packet, flags)
        self._sent += len(packets)
        self._outstanding += len(packets)
        ndis5.send_packets(binding, packets)

    def send_one(self, frame: bytes, fragments: int = 1) -> NdisStatus:
        """Send one frame by NdisSend; what it answered. RuntimeError as for `send`."""
        binding, (packet,) = self._open, self.store.build([frame], fragments)
        self._sent += 1
        self._outstanding += 1
        status = ndis5.send(binding, packet)
        if status is not NdisStatus.PENDING:
            self.completed(packet, status)
        return status

    def completed(self, packet: Packet, status: int) -> None:
        """ProtocolSendComplete."""
        self._outstanding -= 1
        self._completed += 1
        if status:
            self._failed += 1
            self.statuses.append(status)
        self.store.keep(packet)
        if not self._outstanding and self._idle is not None:
            self._idle.set()

    async def wait_until_idle(self) -> None:
        """Wait until every sent packet has completed."""
        while self._outstanding:
            self._idle = self._kernel.create_event()
            await self._idle.wait()

    # --- receive ------------------------------------------------------------------------------------------------------

    def receive_packet(self, packet: Packet) -> int:
        """ProtocolReceivePacket: copied and returned at once, or held when the protocol wants it and may."""
        self._deliver(packet.tobytes())
        if not self.protocol.holds or ndis5.get_packet_status(packet) == NdisStatus.RESOURCES:
            return 0
        self._held.append(packet)
        return 1

    def release(self, number: int | None = None) -> None:
        """Return the oldest held packets, all by default."""
        taken, self._held = self._held[:number], self._held[len(self._held[:number]) :]
        if taken:
            ndis5.return_packets(taken, self._open)

    def receive(self, context: Any, header: Any, lookahead: Any, packet_size: int) -> NdisStatus:
        """ProtocolReceive: copy the lookahead, transfer the rest into a packet of our own."""
        seen = bytes(header) + ndis5.copy_lookahead_data(lookahead)
        rest = packet_size - len(lookahead)
        if not rest:
            self._deliver(seen)
            return NdisStatus.SUCCESS
        packet = self.store.empty(rest)
        if packet is None:
            return NdisStatus.NOT_ACCEPTED
        self._partial[packet] = seen
        status, moved = ndis5.transfer_data(self._open, context, len(lookahead), rest, packet)
        if status is not NdisStatus.PENDING:
            self.transfer_complete(packet, status, moved)
        return NdisStatus.SUCCESS

    def transfer_complete(self, packet: Packet, status: NdisStatus, moved: int) -> None:
        """ProtocolTransferDataComplete: the rest is there, or the frame is lost."""
        seen, rest = self._partial.pop(packet), packet.tobytes()
        self.store.free(packet)
        if status is NdisStatus.SUCCESS and moved == len(rest):
            self.transferred += 1
            self._deliver(seen + rest)

    def receive_complete(self) -> None:
        """ProtocolReceiveComplete."""
        self.receive_completes += 1

    def status_complete(self) -> None:
        """ProtocolStatusComplete."""
        self.status_completes += 1

    def _deliver(self, frame: bytes) -> None:
        self._received += 1
        if self.protocol.on_receive is None:
            self.received.append(frame)
        else:
            self.protocol.on_receive(self, frame)

    # --- control ------------------------------------------------------------------------------------------------------

    async def request(self, request: NdisRequest) -> NdisStatus:
        """Issue a request and wait for its end."""
        done, answer = self._kernel.create_event(), list[NdisStatus]()
        self._requests[request] = done, answer
        status = ndis5.request(self._open, request)
        if status is NdisStatus.PENDING:
            await done.wait()
            status = answer[0]
        self._requests.pop(request, None)
        return status

    def request_complete(self, request: NdisRequest, status: NdisStatus) -> None:
        """ProtocolRequestComplete."""
        done, answer = self._requests.pop(request)
        answer.append(status)
        done.set()

    async def query(self, oid: int, size: int = 256) -> bytes:
        """The answer to a query; RuntimeError unless SUCCESS."""
        request = NdisRequest(RequestType.QUERY_INFORMATION, oid, bytearray(size))
        status = await self.request(request)
        if status is not NdisStatus.SUCCESS:
            raise RuntimeError(f"{request!r}: {status.name}")
        return request.answer()

    async def set(self, oid: int, data: bytes) -> NdisStatus:
        """Set an OID."""
        return await self.request(NdisRequest(RequestType.SET_INFORMATION, oid, bytearray(data)))

    async def set_filter(self, packet_filter: int) -> NdisStatus:
        """OID_GEN_CURRENT_PACKET_FILTER."""
        return await self.set(Oid.OID_GEN_CURRENT_PACKET_FILTER, packet_filter.to_bytes(4, "little"))

    async def set_lookahead(self, number: int) -> NdisStatus:
        """OID_GEN_CURRENT_LOOKAHEAD."""
        return await self.set(Oid.OID_GEN_CURRENT_LOOKAHEAD, number.to_bytes(4, "little"))

    async def set_multicast_list(self, addresses: Iterable[bytes]) -> NdisStatus:
        """OID_802_3_MULTICAST_LIST."""
        return await self.set(Oid.OID_802_3_MULTICAST_LIST, b"".join(addresses))

    async def open(self, bind_context: ndis.BindContext) -> NdisStatus:
        """Open the adapter that a bind offers and say what is wanted of it."""
        status, _, self.handle = ndis5.open_adapter(
            self.protocol.handle, self, (NdisMedium.MEDIUM_802_3,), bind_context, self.protocol.options
        )
        if status is NdisStatus.SUCCESS:
            self.running = True
            await self.set_filter(self.protocol.packet_filter)
        else:
            self.store.close()
        return status

    async def close(self) -> None:
        """Pay what is owed, close, wait until it is closed, give the memory back."""
        self.running = False
        self.release()
        self._closed = self._kernel.create_event()
        if ndis5.close_adapter(self._open) is NdisStatus.PENDING:
            await self._closed.wait()
        self.store.close()
        self.handle = None

    def close_complete(self, status: NdisStatus) -> None:
        """ProtocolCloseAdapterComplete."""
        del status
        self._closed.set()


def _nothing_to_do(*_: Any) -> None:
    """A handler that NDIS wants and this protocol has no use for."""


class RawProtocol5:
    """The driver: `await RawProtocol5(...).register(host)`, then `protocol.bindings`."""

    def __init__(
        self,
        *,
        name: str = "raw5",
        handlers: Handlers5 = "both",
        packet_filter: int = DEFAULT_FILTER,
        on_receive: ReceiveFrame | None = None,
        holds: bool = False,
        options: int = 0,
        buffer_bytes: int = 2048,
        packets: int = 4096,
    ) -> None:
        self.name, self.handlers, self.packet_filter = name, handlers, packet_filter
        self.on_receive, self.holds = on_receive, holds
        self.options, self.buffer_bytes = options, buffer_bytes
        self.bindings: dict[str, RawBinding5] = {}
        self.handle: ndis.ProtocolDriver
        self.packets = packets

    def __repr__(self) -> str:
        """Name and adapters."""
        return f"<RawProtocol5 {self.name} on {list(self.bindings)}>"

    async def register(self, host: ndis.Ndis) -> None:
        """Register with NDIS, which binds to every adapter there is."""
        status, driver = await ndis5.register_protocol(host, self._characteristics(), self)
        if driver is None:
            raise RuntimeError(f"NdisRegisterProtocol: {status.name}")
        self.handle = driver

    async def deregister(self) -> None:
        """Unbind from all adapters and leave NDIS."""
        await ndis5.deregister_protocol(self.handle)

    def _characteristics(self) -> ndis5.ProtocolCharacteristics5:
        by_lookahead = self.handlers in {"lookahead", "both"}
        return ndis5.ProtocolCharacteristics5(
            name=self.name,
            bind_adapter=RawProtocol5._bind,
            unbind_adapter=RawProtocol5._unbind,
            open_adapter_complete=_nothing_to_do,  # NDIS opens at once
            close_adapter_complete=RawBinding5.close_complete,
            send_complete=RawBinding5.completed,
            request_complete=RawBinding5.request_complete,
            reset_complete=lambda binding, status: binding.status_indications.append((status, "reset")),
            status=lambda binding, code, buffer: binding.status_indications.append((code, buffer)),
            status_complete=RawBinding5.status_complete,
            receive=RawBinding5.receive if by_lookahead else None,
            receive_complete=RawBinding5.receive_complete,
            receive_packet=RawBinding5.receive_packet if self.handlers in {"packet", "both"} else None,
            transfer_data_complete=RawBinding5.transfer_complete,
        )

    async def _bind(self, bind_context: ndis.BindContext, adapter_name: str) -> NdisStatus:
        self.handle = bind_context.protocol
        binding = RawBinding5(self, adapter_name)
        status = await binding.open(bind_context)
        if status is NdisStatus.SUCCESS:
            self.bindings[adapter_name] = binding
        return status

    @staticmethod
    async def _unbind(binding: RawBinding5, unbind_context: ndis.UnbindContext) -> NdisStatus:
        del unbind_context
        await binding.close()
        binding.protocol.bindings.pop(binding.adapter_name, None)
        return NdisStatus.SUCCESS

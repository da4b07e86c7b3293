# SPDX-License-Identifier: Apache-2.0
"""The functional protocol of NDIS 5: sends what a test says, keeps what comes back, answers receives as it is told.

    fp = FunctionalProtocol5(ndis, handlers="packet")
    kernel.run(fp.start())
    fp.send_array(frame, frame)    one call of NdisSendPackets
    fp.references = 2              ProtocolReceivePacket answers 2; fp.give_back(packet) pays one
A *mutant* is a subclass that breaks one rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from hilnic import ndis
from hilnic.ndis import Ndis, NdisMedium, NdisStatus, Oid, PacketFilter, RequestType, ndis5
from hilnic.ndis.ndis5 import BindingEdge, NdisRequest, Packet, ProtocolCharacteristics5, WanPacket
from hilnic.testing.packets import build_packet, fill_info, free_built_packet

__all__ = ["FunctionalProtocol5", "Handlers"]

Handlers = Literal["packet", "lookahead", "both"]
"""ProtocolReceivePacket alone, ProtocolReceive alone, or both."""


class FunctionalProtocol5:
    """Driver and binding context in one; binds to the first adapter offered, or to the one it is told."""

    mediums: Sequence[NdisMedium] = (NdisMedium.MEDIUM_802_3, NdisMedium.MEDIUM_802_5, NdisMedium.FDDI, NdisMedium.WAN)
    version = (5, 1)

    def __init__(
        self, host: Ndis, name: str = "fp5", handlers: Handlers = "both", adapter_name: str | None = None
    ) -> None:
        self.ndis = host
        self.name = name
        self.handlers: Handlers = handlers
        self.adapter_name = adapter_name
        self.options = 0
        self.references = 0  # what ProtocolReceivePacket answers
        self.binding: BindingEdge | None = None
        self.driver: ndis.ProtocolDriver
        self.pool: ndis5.PacketPool
        self.completed: list[tuple[Packet, int]] = []
        self.received: list[bytes] = []
        self.received_by: list[str] = []
        self.held: list[Packet] = []  # once per reference
        self.transfers: list[tuple[Packet, NdisStatus, int]] = []
        self.partial: dict[Packet, bytes] = {}  # header and lookahead of frames whose rest is being transferred
        self.receive_completes = 0
        self.requests: list[tuple[NdisRequest, NdisStatus]] = []
        self.statuses: list[tuple[NdisStatus, Any]] = []
        self.status_completes = 0
        self.resets: list[NdisStatus] = []
        self.trace: list[str] = []
        self._events: dict[Any, Any] = {}

    def characteristics(self) -> ProtocolCharacteristics5:
        """The handlers: this class's methods, or a mutant's."""
        kind = type(self)
        lookahead = self.handlers in {"lookahead", "both"}
        return ProtocolCharacteristics5(
            name=self.name,
            version=self.version,
            bind_adapter=kind.bind_adapter,
            unbind_adapter=kind.unbind_adapter,
            open_adapter_complete=kind.open_adapter_complete,
            close_adapter_complete=kind.close_adapter_complete,
            send_complete=kind.send_complete,
            request_complete=kind.request_complete,
            reset_complete=kind.reset_complete,
            status=kind.status,
            status_complete=kind.status_complete,
            receive=kind.receive if lookahead else None,
            receive_complete=kind.receive_complete,
            receive_packet=kind.receive_packet if self.handlers in {"packet", "both"} else None,
            transfer_data_complete=kind.transfer_data_complete,
            wan_receive=kind.wan_receive,
            wan_send_complete=kind.wan_send_complete,
        )

    async def start(self) -> None:
        """Register; NDIS binds it to the adapters there are."""
        status, driver = await ndis5.register_protocol(self.ndis, self.characteristics(), self)
        assert driver is not None, status
        self.driver = driver
        pool = ndis5.allocate_packet_pool(driver, 64, tag=f"{self.name} tx")[1]
        assert pool is not None
        self.pool = pool

    async def stop(self) -> None:
        """Free what was allocated and unregister."""
        for packet, _ in self.completed:
            if packet in self.pool.live:
                free_built_packet(packet)
        for binding in list(self.driver.bindings):
            await ndis.unbind_protocol(binding)
        ndis5.free_packet_pool(self.pool)
        await ndis5.deregister_protocol(self.driver)

    @property
    def open(self) -> BindingEdge:
        """The binding, which must be there."""
        assert self.binding is not None
        return self.binding

    # What a test commands.

    def build(self, frame: bytes, cuts: Sequence[int] = ()) -> Packet:
        """A packet of this protocol's pool."""
        return build_packet(self.pool, frame, cuts)

    def send(self, frame: bytes, cuts: Sequence[int] = ()) -> tuple[Packet, NdisStatus]:
        """NdisSend."""
        packet = self.build(frame, cuts)
        status = ndis5.send(self.open, packet)
        if status is not NdisStatus.PENDING:
            self.completed.append((packet, status))
        return packet, status

    def send_array(
        self,
        *frames: bytes,
        cuts: Sequence[int] = (),
        info: Mapping[int, Any] | None = None,
        cancel_id: Any = None,
    ) -> list[Packet]:
        """NdisSendPackets, one packet per frame; `info` is per-packet information by PacketInfo slot."""
        packets = [self.build(frame, cuts) for frame in frames]
        for packet in packets:
            fill_info(packet, info)
            if cancel_id is not None:
                ndis5.set_packet_cancel_id(packet, cancel_id)
        ndis5.send_packets(self.open, packets)
        return packets

    def cancel(self, cancel_id: Any) -> None:
        """NdisCancelSendPackets: each packet of this id still ends once."""
        ndis5.cancel_send_packets(self.open, cancel_id)

    def give_back(self, *packets: Packet) -> None:
        """Pay one reference per packet named; all that are owed when none is."""
        giving = list(packets) or list(self.held)
        for packet in giving:
            if packet in self.held:
                self.held.remove(packet)
        ndis5.return_packets(giving, self.open)

    async def request(self, request: NdisRequest) -> NdisStatus:
        """Issue a request and wait for its end."""
        done = self._events[request] = self.ndis.kernel.create_event()
        status = ndis5.request(self.open, request)
        if status is NdisStatus.PENDING:
            await done.wait()
            status = next(ended for asked, ended in reversed(self.requests) if asked is request)
        del self._events[request]
        return status

    async def query(self, oid: int, size: int = 64) -> tuple[NdisStatus, bytes]:
        """Query an OID."""
        request = NdisRequest(RequestType.QUERY_INFORMATION, oid, bytearray(size))
        status = await self.request(request)
        return status, request.answer()

    async def set(self, oid: int, data: bytes | int) -> NdisStatus:
        """Set an OID to bytes or to a 32-bit number."""
        value = data.to_bytes(4, "little") if isinstance(data, int) else data
        return await self.request(NdisRequest(RequestType.SET_INFORMATION, oid, bytearray(value)))

    async def set_filter(self, packet_filter: int) -> NdisStatus:
        """Set this binding's packet filter."""
        return await self.set(Oid.OID_GEN_CURRENT_PACKET_FILTER, int(packet_filter))

    async def listen(self) -> None:
        """Ask for directed, broadcast and listed multicast frames."""
        await self.set_filter(PacketFilter.DIRECTED | PacketFilter.BROADCAST | PacketFilter.MULTICAST)

    # Handlers.

    def bind_adapter(self, bind_context: ndis.BindContext, adapter_name: str) -> NdisStatus:
        """ProtocolBindAdapter."""
        if self.binding is not None or (self.adapter_name or adapter_name) != adapter_name:
            return NdisStatus.NOT_RECOGNIZED
        self._bind_context = bind_context
        status, _, self.binding = ndis5.open_adapter(
            bind_context.protocol, self, self.mediums, bind_context, self.options
        )
        return status

    def unbind_adapter(self, unbind_context: ndis.UnbindContext) -> NdisStatus:
        """ProtocolUnbindAdapter: close, and pend until the close has completed."""
        self._unbind_context = unbind_context
        if ndis5.close_adapter(self.open) is NdisStatus.PENDING:
            return NdisStatus.PENDING
        self.binding = None
        return NdisStatus.SUCCESS

    def open_adapter_complete(self, status: NdisStatus) -> None:
        """ProtocolOpenAdapterComplete."""
        self.trace.append(f"opened {status.name}")
        ndis5.complete_bind_adapter(self._bind_context, status)

    def close_adapter_complete(self, status: NdisStatus) -> None:
        """ProtocolCloseAdapterComplete."""
        self.trace.append(f"closed {status.name}")
        self.binding = None
        ndis5.complete_unbind_adapter(self._unbind_context)

    def send_complete(self, packet: Packet, status: int) -> None:
        """ProtocolSendComplete."""
        self.completed.append((packet, status))

    def receive_packet(self, packet: Packet) -> int:
        """ProtocolReceivePacket: note the bytes, answer `references` (0 for what may not be kept)."""
        self.received.append(packet.tobytes())
        self.received_by.append("packet")
        if ndis5.get_packet_status(packet) == NdisStatus.RESOURCES:
            return 0
        self.held += [packet] * self.references
        return self.references

    def receive(self, context: Any, header: Any, lookahead: Any, packet_size: int) -> NdisStatus:
        """ProtocolReceive: copy the lookahead, transfer the rest."""
        self.received_by.append("lookahead")
        seen = bytes(header) + bytes(lookahead)
        rest = packet_size - len(lookahead)
        if rest:
            self.fetch(context, len(lookahead), rest, seen)
        else:
            self.received.append(seen)
        return NdisStatus.SUCCESS

    def fetch(self, context: Any, offset: int, number: int, seen: bytes) -> NdisStatus:
        """NdisTransferData into a packet of the protocol's own."""
        packet = self.build(bytes(number))
        self.partial[packet] = seen
        status, moved = ndis5.transfer_data(self.open, context, offset, number, packet)
        if status is not NdisStatus.PENDING:
            self.transferred(packet, status, moved)
        return status

    def transferred(self, packet: Packet, status: NdisStatus, moved: int) -> None:
        """The rest is there."""
        self.transfers.append((packet, status, moved))
        seen = self.partial.pop(packet)
        if status is NdisStatus.SUCCESS:
            self.received.append(seen + packet.tobytes()[:moved])
        free_built_packet(packet)

    def transfer_data_complete(self, packet: Packet, status: NdisStatus, moved: int) -> None:
        """ProtocolTransferDataComplete."""
        self.trace.append("transfer_data_complete")
        self.transferred(packet, status, moved)

    def receive_complete(self) -> None:
        """ProtocolReceiveComplete."""
        self.receive_completes += 1

    def request_complete(self, request: NdisRequest, status: NdisStatus) -> None:
        """ProtocolRequestComplete."""
        self.requests.append((request, status))
        if request in self._events:
            self._events[request].set()

    def reset_complete(self, status: NdisStatus) -> None:
        """ProtocolResetComplete."""
        self.resets.append(status)

    def status(self, code: NdisStatus, buffer: Any) -> None:
        """ProtocolStatus."""
        self.statuses.append((code, buffer))

    def status_complete(self) -> None:
        """ProtocolStatusComplete."""
        self.status_completes += 1

    def wan_receive(self, link_context: Any, frame: memoryview) -> NdisStatus:
        """ProtocolWanReceive: the whole frame."""
        del link_context
        self.received.append(bytes(frame))
        self.received_by.append("wan")
        return NdisStatus.SUCCESS

    def wan_send_complete(self, packet: WanPacket, status: NdisStatus) -> None:
        """ProtocolWanSendComplete."""
        self.trace.append(f"wan_send_complete {status.name} {packet!r}")

    def __repr__(self) -> str:
        return f"FunctionalProtocol5({self.name})"

# SPDX-License-Identifier: Apache-2.0
"""The functional intermediate driver of NDIS 5: a pass-through with any number of virtual adapters over one binding.

It passes the packet itself on while the packet stack has a location left, else a packet of its own over the same
buffers, with the out-of-band data copied (OB-05, OB-06). What its ProtocolReceivePacket answers is the number of
indications that it made (`counts_uppers`), or 1, and it counts the upper returns itself (R5-34).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hilnic import ndis
from hilnic.ndis import MacOptions, Ndis, NdisMedium, NdisStatus, Oid, RequestType, ndis5
from hilnic.ndis.ndis5 import (
    Attributes5,
    BindingEdge,
    MiniportCharacteristics5,
    NdisRequest,
    Packet,
    ProtocolCharacteristics5,
)
from hilnic.testing.miniport import MAC_ADDRESS

__all__ = ["FunctionalIntermediate5", "VirtualMiniport"]


class VirtualMiniport:
    """One virtual adapter: the context of its NDIS handle."""

    def __init__(self, driver: FunctionalIntermediate5, adapter: ndis.Adapter) -> None:
        self.im = driver
        self.adapter = adapter
        self.packet_filter = 0


class FunctionalIntermediate5:
    """Both halves in one object; `virtual` the virtual adapters once they run."""

    def __init__(
        self, host: Ndis, lower: str, name: str = "im5", uppers: int = 1, counts_uppers: bool = True, reuse: bool = True
    ) -> None:
        self.ndis = host
        self.name = name
        self.lower = lower  # the adapter that it binds to
        self.uppers = uppers
        self.counts_uppers = counts_uppers
        self.reuse = reuse
        self.virtual: list[VirtualMiniport] = []
        self.binding: BindingEdge | None = None
        self.driver: ndis.MiniportDriver
        self.protocol: ndis.ProtocolDriver
        self.pool: ndis5.PacketPool
        self.passed = 0  # packets handed on as they are
        self.copied = 0  # packets made anew
        self.owed: dict[Packet, int] = {}  # lower packet -> upper returns to come

    async def start(self) -> None:
        """Register both halves, bind, and create the virtual adapters."""
        status, driver = ndis5.im_register_layered_miniport(self.ndis, self.upper_half(), self)
        assert driver is not None, status
        self.driver = driver
        status, protocol = await ndis5.register_protocol(self.ndis, self.lower_half(), self)
        assert protocol is not None, status
        self.protocol = protocol
        ndis.im_associate_miniport(driver, protocol)
        pool = ndis5.allocate_packet_pool(protocol, 256, tag=f"{self.name} packets")[1]
        assert pool is not None
        self.pool = pool
        for number in range(self.uppers):
            await ndis.start_adapter(self.ndis, driver, f"{self.name}.{number}", f"instance {number}")

    async def stop(self) -> None:
        """Halt the virtual adapters, unbind, unregister."""
        for miniport in list(self.virtual):
            await ndis.halt_adapter(miniport.adapter)
        for binding in list(self.protocol.bindings):
            await ndis.unbind_protocol(binding)
        ndis5.free_packet_pool(self.pool)
        await ndis5.deregister_protocol(self.protocol)

    @property
    def open(self) -> BindingEdge:
        """The lower binding."""
        assert self.binding is not None
        return self.binding

    def upper_half(self) -> MiniportCharacteristics5:
        """The virtual miniport."""
        return MiniportCharacteristics5(
            name=self.name,
            initialize=_initialize,
            halt=_halt,
            reset=_reset,
            query_information=_query,
            set_information=_set,
            send_packets=_send_packets,
            return_packet=_return_packet,
        )

    def lower_half(self) -> ProtocolCharacteristics5:
        """The protocol."""
        kind = type(self)
        return ProtocolCharacteristics5(
            name=self.name,
            bind_adapter=kind.bind_adapter,
            unbind_adapter=kind.unbind_adapter,
            open_adapter_complete=_ignore,
            close_adapter_complete=kind.close_adapter_complete,
            send_complete=kind.send_complete,
            request_complete=_ignore,
            reset_complete=_ignore,
            status=kind.status,
            status_complete=kind.status_complete,
            receive_packet=kind.receive_packet,
        )

    # The lower half.

    def bind_adapter(self, bind_context: ndis.BindContext, adapter_name: str) -> NdisStatus:
        """ProtocolBindAdapter."""
        if adapter_name != self.lower:
            return NdisStatus.NOT_RECOGNIZED
        opened = ndis5.open_adapter(bind_context.protocol, self, [NdisMedium.MEDIUM_802_3], bind_context)
        self.binding = opened[2]
        return opened[0]

    def unbind_adapter(self, unbind_context: ndis.UnbindContext) -> NdisStatus:
        """ProtocolUnbindAdapter."""
        self._unbind_context = unbind_context
        return ndis5.close_adapter(self.open)

    def close_adapter_complete(self, status: NdisStatus) -> None:
        """ProtocolCloseAdapterComplete."""
        del status
        ndis5.complete_unbind_adapter(self._unbind_context)

    def receive_packet(self, packet: Packet) -> int:
        """ProtocolReceivePacket: pass the packet itself up, or one of its own to each virtual adapter that wants it."""
        takers = [miniport for miniport in self.virtual if miniport.packet_filter]
        _, remaining = ndis5.im_get_current_packet_stack(packet)
        if not takers:
            return 0
        if self.reuse and remaining and len(takers) == 1:
            return self.pass_up(takers[0], packet)
        return self.copy_up(takers, packet)

    def pass_up(self, miniport: VirtualMiniport, packet: Packet) -> int:
        """The packet itself: one level more in its stack."""
        self.passed += 1
        scarce = ndis5.get_packet_status(packet) == NdisStatus.RESOURCES
        ndis5.indicate_receive_packet(miniport.adapter, [packet])
        return 0 if scarce else 1

    def copy_up(self, takers: Sequence[VirtualMiniport], packet: Packet) -> int:
        """New packets over the same buffers; each remembers the packet below."""
        status = ndis5.get_packet_status(packet)
        scarce = status == NdisStatus.RESOURCES
        if not scarce:
            self.owed[packet] = len(takers)
        for miniport in takers:
            mine = self.copy_of(packet)
            ndis5.set_packet_status(mine, status)
            ndis5.indicate_receive_packet(miniport.adapter, [mine])
            if scarce:
                self.forget(mine)
        if scarce:
            return 0
        return len(takers) if self.counts_uppers else 1

    def copy_of(self, packet: Packet) -> Packet:
        """A packet of this driver's own over the buffers of another."""
        status, mine = ndis5.allocate_packet(self.pool)
        assert mine is not None, status
        self.copied += 1
        mine.head, mine.tail, mine.valid_counts = packet.head, packet.tail, False
        mine.frame_id = packet.frame_id
        ndis5.copy_out_of_band(mine, packet)
        ndis5.im_copy_send_per_packet_info(mine, packet)
        ndis5.set_packet_flags(mine, ndis5.get_packet_flags(packet))
        ndis5.set_original_packet(mine, ndis5.get_original_packet(packet) or packet)
        mine.protocol_reserved[0] = mine.miniport_reserved[0] = packet
        return mine

    def forget(self, mine: Packet) -> None:
        """A packet of its own has served its purpose; the buffers are another's."""
        mine.head = mine.tail = None
        ndis5.free_packet(mine)

    def send_complete(self, packet: Packet, status: int) -> None:
        """ProtocolSendComplete: the upper sender's packet goes back, with the results of the offloads."""
        if packet not in self.pool.live:
            slot, _ = ndis5.im_get_current_packet_stack(packet)
            assert slot is not None
            ndis5.send_complete(slot.im_reserved[0].adapter, packet, status)
            return
        original, miniport = packet.protocol_reserved[:2]
        ndis5.im_copy_send_complete_per_packet_info(original, packet)
        self.forget(packet)
        ndis5.send_complete(miniport.adapter, original, status)

    def status(self, code: NdisStatus, buffer: Any) -> None:
        """ProtocolStatus: pass it up."""
        for miniport in self.virtual:
            ndis5.indicate_status(miniport.adapter, code, buffer)

    def status_complete(self) -> None:
        """ProtocolStatusComplete: pass it up."""
        for miniport in self.virtual:
            ndis5.indicate_status_complete(miniport.adapter)

    # The upper half.

    def initialize(self, adapter: ndis.Adapter, mediums: Sequence[NdisMedium]) -> tuple[NdisStatus, NdisMedium | None]:
        """MiniportInitialize of a virtual adapter."""
        assert NdisMedium.MEDIUM_802_3 in mediums
        miniport = VirtualMiniport(self, adapter)
        attributes = Attributes5.INTERMEDIATE_DRIVER | Attributes5.DESERIALIZE
        ndis5.set_attributes_ex(adapter, miniport, attribute_flags=attributes)
        self.virtual.append(miniport)
        return NdisStatus.SUCCESS, NdisMedium.MEDIUM_802_3

    def send_packets(self, miniport: VirtualMiniport, packets: list[Packet]) -> None:
        """MiniportSendPackets: pass each on, itself or as a packet of its own."""
        for packet in packets:
            slot, remaining = ndis5.im_get_current_packet_stack(packet)
            going = packet
            if self.reuse and remaining and slot is not None:
                self.passed += 1
                slot.im_reserved[0] = miniport
            else:
                going = self.copy_of(packet)
                going.protocol_reserved[:2] = packet, miniport
            ndis5.set_packet_flags(going, ndis5.PacketFlags.DONT_LOOPBACK)  # the level above has looped already
            ndis5.send_packets(self.open, [going])

    def return_packet(self, packet: Packet) -> None:
        """MiniportReturnPacket: the upper protocols are done."""
        if packet not in self.pool.live:
            ndis5.return_packets([packet], self.open)
            return
        below: Packet = packet.miniport_reserved[0]
        self.forget(packet)
        self.owed[below] -= 1
        last = not self.owed[below]
        if last:
            del self.owed[below]
        if last or self.counts_uppers:
            ndis5.return_packets([below], self.open)


def _ignore(*_: Any) -> None:
    """Nothing to do."""


def _initialize(
    adapter: ndis.Adapter, im: FunctionalIntermediate5, mediums: Sequence[NdisMedium]
) -> tuple[NdisStatus, NdisMedium | None]:
    return im.initialize(adapter, mediums)


def _halt(miniport: VirtualMiniport) -> None:
    miniport.im.virtual.remove(miniport)


def _reset(miniport: VirtualMiniport) -> tuple[NdisStatus, bool]:
    del miniport
    return NdisStatus.SUCCESS, False


def _send_packets(miniport: VirtualMiniport, packets: list[Packet]) -> None:
    miniport.im.send_packets(miniport, packets)


def _return_packet(miniport: VirtualMiniport, packet: Packet) -> None:
    miniport.im.return_packet(packet)


def _query(miniport: VirtualMiniport, request: NdisRequest) -> NdisStatus:
    del miniport
    known = {
        Oid.OID_802_3_CURRENT_ADDRESS: MAC_ADDRESS,
        Oid.OID_GEN_MAC_OPTIONS: int(MacOptions.COPY_LOOKAHEAD_DATA | MacOptions.NO_LOOPBACK).to_bytes(4, "little"),
        Oid.OID_802_3_MAXIMUM_LIST_SIZE: (32).to_bytes(4, "little"),
    }
    data = known.get(Oid(request.oid)) if request.oid in known else None
    return NdisStatus.INVALID_OID if data is None else request.reply(data)


def _set(miniport: VirtualMiniport, request: NdisRequest) -> NdisStatus:
    assert request.request_type is RequestType.SET_INFORMATION
    if request.oid == Oid.OID_GEN_CURRENT_PACKET_FILTER:
        status, data = request.take(4)
        miniport.packet_filter = int.from_bytes(data, "little")
        miniport.im.ndis.kernel.queue_work_item(lambda: _set_below(miniport.im))
        return status
    return NdisStatus.SUCCESS if request.oid == Oid.OID_802_3_MULTICAST_LIST else NdisStatus.INVALID_OID


async def _set_below(im: FunctionalIntermediate5) -> None:
    """The lower binding asks for what the upper ones together want."""
    wanted = 0
    for miniport in im.virtual:
        wanted |= miniport.packet_filter
    if im.binding is not None and im.binding.core.adapter.state is ndis.AdapterState.RUNNING:
        data = bytearray(wanted.to_bytes(4, "little"))
        ndis5.request(im.binding, NdisRequest(RequestType.SET_INFORMATION, Oid.OID_GEN_CURRENT_PACKET_FILTER, data))

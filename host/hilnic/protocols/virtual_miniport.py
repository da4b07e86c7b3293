# SPDX-License-Identifier: Apache-2.0
"""A virtual adapter of an intermediate driver: everything but the data path, which mux.py and splitter.py bring."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from hilnic import ndis
from hilnic.ndis import NdisStatus, NetBufferList, Oid, OidRequest, RequestType

if TYPE_CHECKING:
    from hilnic.protocols.intermediate import LowerEdge

__all__ = ["VirtualMiniport"]


class VirtualMiniport(ABC):
    """The adapter context of one virtual adapter. Subclasses bring `forward`, `receive` and the ends of both."""

    def __init__(self, edge: LowerEdge, name: str, mac_address: bytes) -> None:
        self.edge = edge
        self.name = name
        self.mac_address = mac_address
        self.adapter: ndis.Adapter | None = None
        self.running = False
        self.packet_filter = 0
        self.multicast_list: frozenset[bytes] = frozenset()
        self.waiting = ndis.NblQueue()  # sends held over a reset of the adapter below (IM-17)
        self.outstanding = 0  # NBLs of protocols above that this adapter holds

    @property
    def handle(self) -> ndis.Adapter:
        """The NDIS handle, which must be there."""
        assert self.adapter is not None
        return self.adapter

    # The data path.

    def send_net_buffer_lists(self, nbls: NetBufferList, port_number: int, send_flags: int) -> None:
        """MiniportSendNetBufferLists: on to below, held over a reset (IM-17), or back when there is nothing below."""
        del port_number
        self.outstanding += sum(1 for _ in ndis.walk(nbls))
        if not self.running or not self.edge.running:
            self.finish(nbls, NdisStatus.PAUSED)
        elif self.edge.low_power:
            self.finish(nbls, NdisStatus.LOW_POWER_STATE)
        elif self.edge.resetting:
            self.waiting.extend(nbls)
        else:
            self.forward(nbls, send_flags)

    @abstractmethod
    def forward(self, nbls: NetBufferList, send_flags: int) -> None:
        """Send a chain on."""

    def finish(self, nbls: NetBufferList, status: int | None = None) -> None:
        """Complete a chain upwards, with one status for all or the one in each."""
        for nbl in ndis.walk(nbls):
            self.outstanding -= 1
            if status is not None:
                nbl.status = status
        ndis.complete_send_net_buffer_lists(self.handle, nbls)
        self.check_paused()

    def release_waiting(self) -> None:
        """The reset below is over: what was held goes on, in order (IM-06)."""
        nbls = self.waiting.take()
        if nbls is None:
            return
        if self.edge.running:
            self.forward(nbls, 0)
        else:  # a pause came meanwhile (ST-13)
            self.finish(nbls, NdisStatus.PAUSED)

    def cancel_send(self, cancel_id: Any) -> None:
        """MiniportCancelSend: what waits here ends, the rest is asked for below (IM-07)."""
        aborted, kept = ndis.NblQueue(), ndis.NblQueue()
        for nbl in ndis.walk(self.waiting.take()):
            (aborted if ndis.get_net_buffer_list_cancel_id(nbl) == cancel_id else kept).append(nbl)
        self.waiting = kept
        if aborted.first is not None:
            self.finish(aborted.first, NdisStatus.SEND_ABORTED)
        if self.edge.binding is not None:
            ndis.cancel_send_net_buffer_lists(self.edge.binding, cancel_id)

    def return_net_buffer_lists(self, nbls: NetBufferList, return_flags: int) -> None:
        """MiniportReturnNetBufferLists: on to below, once nobody above has them any more (IM-16)."""
        self.edge.give_back(nbls, return_flags)
        self.check_paused()

    def check_paused(self) -> None:
        """End a pause that waits for the last list."""
        if self.adapter is not None and "pause" in self.adapter.pending and not self._busy():
            ndis.complete_pause(self.adapter)

    def _busy(self) -> bool:
        return bool(self.outstanding or self.handle.receives_outstanding)

    # Control.

    def initialize(self, adapter: ndis.Adapter) -> NdisStatus:
        """MiniportInitializeEx: the attributes of the adapter below, with a MAC address of its own."""
        self.adapter = adapter
        ndis.set_miniport_attributes(adapter, ndis.RegistrationAttributes(self))
        below, link = self.edge.parameters, self.edge.link
        attributes = ndis.GeneralAttributes(
            mac_address=self.mac_address,
            media_type=below.media_type,
            mtu_size=below.mtu_size,
            lookahead_size=below.lookahead_size,
            mac_options=below.mac_options,
            supported_packet_filters=below.supported_packet_filters,
            max_multicast_list_size=below.max_multicast_list_size,
            media_connect_state=link.media_connect_state,
            media_duplex_state=link.media_duplex_state,
            xmit_link_speed=link.xmit_link_speed,
            rcv_link_speed=link.rcv_link_speed,
        )
        return ndis.set_miniport_attributes(adapter, attributes)

    def halt(self, action: ndis.HaltAction) -> None:
        """MiniportHaltEx."""
        del action
        self.adapter = None

    def pause(self, parameters: ndis.PauseParameters) -> NdisStatus:
        """MiniportPause: what waits ends with PAUSED; what is below or above comes back first."""
        del parameters
        self.running = False
        waiting = self.waiting.take()
        if waiting is not None:
            self.finish(waiting, NdisStatus.PAUSED)
        return NdisStatus.PENDING if self._busy() else NdisStatus.SUCCESS

    def restart(self, parameters: ndis.RestartParameters) -> NdisStatus:
        """MiniportRestart."""
        del parameters
        self.running = True
        return NdisStatus.SUCCESS

    async def oid_request(self, request: OidRequest) -> NdisStatus:
        """MiniportOidRequest: filter and multicast list are this adapter's own; the rest is asked below by a clone."""
        if request.request_type is RequestType.SET_INFORMATION and request.oid == Oid.OID_GEN_CURRENT_PACKET_FILTER:
            status, data = ndis.take_set(request, 4)
            self.packet_filter = int.from_bytes(data, "little")
            return status if status is not NdisStatus.SUCCESS else await self.edge.set_filter()
        if request.request_type is RequestType.SET_INFORMATION and request.oid == Oid.OID_802_3_MULTICAST_LIST:
            _, data = ndis.take_set(request, len(request.buffer))
            self.multicast_list = frozenset(data[at : at + 6] for at in range(0, len(data), 6))
            return await self.edge.set_multicast()
        _, clone = ndis.allocate_clone_oid_request(self.handle, request)
        status = await self.edge.ask(clone)
        request.bytes_written, request.bytes_read = clone.bytes_written, clone.bytes_read
        request.bytes_needed = clone.bytes_needed
        ndis.free_clone_oid_request(self.handle, clone)
        return status

    def __repr__(self) -> str:
        return f"VirtualMiniport({self.name})"

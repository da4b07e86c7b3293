# SPDX-License-Identifier: Apache-2.0
"""What intermediate drivers have in common: one lower edge, virtual adapters above it, and everything but the data.

    IntermediateDriver          the driver: both registrations; binds to one adapter
      LowerEdge                 the binding: link, reset, pause, requests to below
      VirtualMiniport ...       its virtual adapters, each with a MAC address of its own

mux.py and splitter.py are the two data paths. They are drivers like any protocol: hence here, and not in the test kit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hilnic import ndis
from hilnic.ndis import NdisStatus, NetBufferList, NetEvent, Oid, OidRequest, PacketFilter, RequestType

__all__ = ["IntermediateDriver", "LowerEdge", "VirtualMiniport"]


class VirtualMiniport:
    """The adapter context of one virtual adapter. Subclasses bring `forward`, `receive` and the ends of both."""

    def __init__(self, edge: LowerEdge, name: str, mac_address: bytes) -> None:
        self.edge = edge
        self.name = name
        self.mac_address = mac_address
        self.adapter: ndis.Adapter | None = None
        self.running = False
        self.packet_filter = 0
        self.multicast_list: tuple[bytes, ...] = ()
        self.waiting = ndis.NblQueue()  # sends held over a reset of the adapter below (IM-17)
        self.outstanding = 0  # NBLs of protocols above that this adapter holds
        self.frames_sent = self.frames_received = 0

    @property
    def handle(self) -> ndis.Adapter:
        """The NDIS handle, which must be there."""
        assert self.adapter is not None
        return self.adapter

    # The data path.

    def send_net_buffer_lists(self, nbls: NetBufferList, port_number: int, send_flags: int) -> None:
        """MiniportSendNetBufferLists: on to below, held over a reset (IM-17), or back when there is nothing below."""
        del port_number
        for nbl in ndis.walk(nbls):
            self.outstanding += 1
            self.frames_sent += sum(1 for _ in nbl.net_buffers())
        if not self.running or not self.edge.running:
            self.finish(nbls, NdisStatus.PAUSED)
        elif self.edge.low_power:
            self.finish(nbls, NdisStatus.LOW_POWER_STATE)
        elif self.edge.resetting:
            self.waiting.extend(nbls)
        else:
            self.forward(nbls, send_flags)

    def forward(self, nbls: NetBufferList, send_flags: int) -> None:
        """Send a chain on."""
        raise NotImplementedError

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
            self.multicast_list = tuple(data[at : at + 6] for at in range(0, len(data), 6))
            return await self.edge.set_multicast()
        _, clone = ndis.allocate_clone_oid_request(self.handle, request)
        status = await self.edge.ask(clone)
        request.bytes_written, request.bytes_read = clone.bytes_written, clone.bytes_read
        request.bytes_needed = clone.bytes_needed
        ndis.free_clone_oid_request(self.handle, clone)
        return status

    def __repr__(self) -> str:
        return f"VirtualMiniport({self.name})"


class LowerEdge:
    """The binding context: the intermediate driver on one adapter. Subclasses bring the data path."""

    virtual_type: type[VirtualMiniport]

    def __init__(self, driver: IntermediateDriver, bind_context: Any, parameters: ndis.BindParameters) -> None:
        self.driver = driver
        self.ndis = driver.ndis
        self.parameters = parameters
        self.binding: ndis.Binding | None = None
        self.link = ndis.LinkState(
            parameters.media_connect_state, ndis.MediaDuplexState.FULL,
            parameters.xmit_link_speed, parameters.rcv_link_speed,
        )  # fmt: skip
        self.running = False
        self.resetting = False
        self.low_power = False
        self.sends_below = 0
        self.receives_held = 0
        self.virtuals = [self.virtual_type(self, name, mac) for name, mac in driver.addresses(parameters)]
        self._bind_context = bind_context
        self._drained: Any = None
        self._asked: dict[OidRequest, tuple[Any, list[NdisStatus]]] = {}

    @property
    def handle(self) -> ndis.Binding:
        """The NDIS handle, which must be there."""
        assert self.binding is not None
        return self.binding

    # The data path.

    def receive_net_buffer_lists(self, nbls: NetBufferList, port: int, count: int, flags: int) -> None:
        """ProtocolReceiveNetBufferLists."""
        raise NotImplementedError

    def send_net_buffer_lists_complete(self, nbls: NetBufferList, flags: int) -> None:
        """ProtocolSendNetBufferListsComplete."""
        raise NotImplementedError

    def give_back(self, nbls: NetBufferList, return_flags: int) -> None:
        """A virtual adapter has these receives back from above."""
        raise NotImplementedError

    def check_drained(self) -> None:
        """Let a pause go on once nothing is below and nothing above."""
        if self._drained is not None and not (self.sends_below or self.receives_held):
            self._drained.set()

    # Control.

    def open(self) -> NdisStatus:
        """Open the adapter below and create the virtual ones."""
        status, self.binding = ndis.open_adapter(
            self._bind_context.protocol, self, ndis.OpenParameters(), self._bind_context
        )
        if status is NdisStatus.SUCCESS:
            for virtual in self.virtuals:
                ndis.im_initialize_device_instance(self.driver.miniport, virtual.name, virtual)
        return status

    async def close(self) -> NdisStatus:
        """Take the virtual adapters away, then the binding."""
        for virtual in self.virtuals:
            ndis.im_cancel_initialize_device_instance(self.driver.miniport, virtual.name)
            if virtual.adapter is not None:
                await ndis.im_deinitialize_device_instance(virtual.adapter)
        self.driver.edges.remove(self)
        return ndis.close_adapter(self.handle)

    async def net_pnp_event(self, event: ndis.NetPnpEvent) -> NdisStatus:
        """ProtocolNetPnPEvent: a pause waits until everything is back; power goes on to the protocols above (IM-18)."""
        if event.event is NetEvent.RESTART:
            self.running = True
        elif event.event is NetEvent.PAUSE:
            self.running = False
            while self.sends_below or self.receives_held:
                self._drained = self.ndis.kernel.create_event()
                await self._drained.wait()
            self._drained = None
        elif event.event is NetEvent.SET_POWER:
            self.low_power = bool(event.buffer)  # 0 = D0
            for virtual in self.virtuals:
                if virtual.adapter is not None:
                    await ndis.im_notify_pnp_event(virtual.adapter, event)
        return NdisStatus.SUCCESS

    def status(self, indication: ndis.StatusIndication) -> None:
        """ProtocolStatusEx: hold and resume over a reset (IM-17); the link is every virtual adapter's link (IM-18)."""
        if indication.status_code is NdisStatus.RESET_START:
            self.resetting = True
        elif indication.status_code is NdisStatus.RESET_END:
            self.resetting = False
            for virtual in self.virtuals:
                virtual.release_waiting()
        elif indication.status_code is NdisStatus.LINK_STATE:
            self.link = indication.buffer
            for virtual in self.virtuals:
                if virtual.adapter is not None:
                    ndis.indicate_status(virtual.adapter, indication)

    async def set_filter(self) -> NdisStatus:
        """Ask below for what the virtual adapters want together: everything, when their addresses are not the NIC's."""
        wanted = 0
        for virtual in self.virtuals:
            wanted |= virtual.packet_filter
            if virtual.packet_filter and virtual.mac_address != self.parameters.mac_address:
                wanted |= PacketFilter.PROMISCUOUS
        return await self.ask(ndis.set_information(Oid.OID_GEN_CURRENT_PACKET_FILTER, wanted.to_bytes(4, "little")))

    async def set_multicast(self) -> NdisStatus:
        """Ask below for the union of the virtual adapters' lists."""
        union = sorted({address for virtual in self.virtuals for address in virtual.multicast_list})
        return await self.ask(ndis.set_information(Oid.OID_802_3_MULTICAST_LIST, b"".join(union)))

    async def ask(self, request: OidRequest) -> NdisStatus:
        """Issue a request below and wait for its end."""
        done, answers = self.ndis.kernel.create_event(), list[NdisStatus]()
        self._asked[request] = done, answers
        status = ndis.oid_request(self.handle, request)
        if status is NdisStatus.PENDING:
            await done.wait()
            status = answers[0]
        del self._asked[request]
        return status

    def oid_request_complete(self, request: OidRequest, status: NdisStatus) -> None:
        """ProtocolOidRequestComplete."""
        done, answers = self._asked[request]
        answers.append(status)
        done.set()


class IntermediateDriver:
    """The driver of both edges; binds to the adapter `lower`, or to the first that NDIS offers."""

    edge_type: type[LowerEdge]

    def __init__(self, host: ndis.Ndis, name: str, lower: str = "", addresses: Sequence[bytes] = ()) -> None:
        self.ndis = host
        self.name = name
        self.lower = lower
        self._addresses = addresses
        self.edges: list[LowerEdge] = []
        self.protocol: ndis.ProtocolDriver
        virtual = self.edge_type.virtual_type
        self.miniport = ndis.register_miniport_driver(
            host,
            ndis.MiniportCharacteristics(
                name=name,
                initialize=_initialize,
                halt=virtual.halt,
                pause=virtual.pause,
                restart=virtual.restart,
                send_net_buffer_lists=virtual.send_net_buffer_lists,
                return_net_buffer_lists=virtual.return_net_buffer_lists,
                oid_request=virtual.oid_request,
                cancel_send=virtual.cancel_send,
            ),
            self,
        )

    def addresses(self, parameters: ndis.BindParameters) -> list[tuple[str, bytes]]:
        """Name and MAC address of each virtual adapter; without addresses one, with the address of the NIC below."""
        found = self._addresses or (parameters.mac_address,)
        return [(f"{self.name}{number}", address) for number, address in enumerate(found)]

    async def start(self) -> None:
        """Register the lower edge; NDIS binds it, and the virtual adapters follow."""
        edge = self.edge_type
        self.protocol = await ndis.register_protocol_driver(
            self.ndis,
            ndis.ProtocolCharacteristics(
                name=self.name,
                bind_adapter=_bind_adapter,
                unbind_adapter=_unbind_adapter,
                receive_net_buffer_lists=edge.receive_net_buffer_lists,
                send_net_buffer_lists_complete=edge.send_net_buffer_lists_complete,
                net_pnp_event=edge.net_pnp_event,
                oid_request_complete=edge.oid_request_complete,
                status=edge.status,
            ),
            self,
        )

    async def stop(self) -> None:
        """Unbind, which takes the virtual adapters away, and unregister both edges."""
        await ndis.deregister_protocol_driver(self.protocol)
        ndis.deregister_miniport_driver(self.miniport)

    @property
    def edge(self) -> LowerEdge:
        """The only lower edge."""
        (found,) = self.edges
        return found

    @property
    def virtuals(self) -> list[VirtualMiniport]:
        """The virtual adapters of the only lower edge."""
        return self.edge.virtuals


def _initialize(adapter: ndis.Adapter, driver: IntermediateDriver, parameters: ndis.InitializeParameters) -> NdisStatus:
    del driver
    virtual: VirtualMiniport = parameters.resources
    return virtual.initialize(adapter)


def _bind_adapter(driver: IntermediateDriver, bind_context: Any, parameters: ndis.BindParameters) -> NdisStatus:
    if driver.edges or (driver.lower or parameters.adapter_name) != parameters.adapter_name:
        return NdisStatus.NOT_RECOGNIZED
    ndis.im_associate_miniport(driver.miniport, bind_context.protocol)
    edge = driver.edge_type(driver, bind_context, parameters)
    driver.edges.append(edge)
    return edge.open()


async def _unbind_adapter(unbind_context: ndis.UnbindContext, edge: LowerEdge) -> NdisStatus:
    del unbind_context
    return await edge.close()

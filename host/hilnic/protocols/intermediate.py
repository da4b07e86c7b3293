# SPDX-License-Identifier: Apache-2.0
"""What intermediate drivers have in common: one lower edge, virtual adapters above it, and everything but the data.

    IntermediateDriver          the driver: both registrations; binds to one adapter
      LowerEdge                 the binding: link, reset, pause, requests to below
      VirtualMiniport ...       its virtual adapters, each with a MAC address of its own (virtual_miniport.py)

mux.py and splitter.py are the two data paths. They are drivers like any protocol: hence here, and not in the test kit.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from hilnic import ndis
from hilnic.ndis import DevicePowerState, NdisStatus, NetBufferList, NetEvent, Oid, OidRequest, PacketFilter
from hilnic.protocols.virtual_miniport import VirtualMiniport

__all__ = ["IntermediateDriver", "LowerEdge"]


class LowerEdge(ABC):
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

    @abstractmethod
    def receive_net_buffer_lists(self, nbls: NetBufferList, port: int, count: int, flags: int) -> None:
        """ProtocolReceiveNetBufferLists."""

    @abstractmethod
    def send_net_buffer_lists_complete(self, nbls: NetBufferList, flags: int) -> None:
        """ProtocolSendNetBufferListsComplete."""

    @abstractmethod
    def give_back(self, nbls: NetBufferList, return_flags: int) -> None:
        """A virtual adapter has these receives back from above."""

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
        status = ndis.close_adapter(self.handle)
        self.free()
        return status

    @abstractmethod
    def free(self) -> None:
        """Give back what the data path has allocated: the edge is closed, or could not be opened."""

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
            self.low_power = event.buffer != DevicePowerState.D0
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
    status = edge.open()
    if status is NdisStatus.SUCCESS:
        driver.edges.append(edge)
    else:
        edge.free()
    return status


async def _unbind_adapter(unbind_context: ndis.UnbindContext, edge: LowerEdge) -> NdisStatus:
    del unbind_context
    return await edge.close()

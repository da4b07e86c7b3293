# SPDX-License-Identifier: Apache-2.0
"""The edge between the core and a 5.x protocol: the core sees a 6.x protocol, the driver sees NDIS 5.

`ProtocolEdge` is the core driver's context. `BindingEdge` is the core binding's context and, for the 5.x driver, its
NdisBindingHandle. `direct` names the miniport edge when the adapter is a 5.x one: without filters between, packets then
go from driver to driver as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic.ndis.binding import BindContext, Binding, UnbindContext
from hilnic.ndis.driver import BindParameters, NetPnpEvent, ProtocolDriver
from hilnic.ndis.ethernet import filter_accepts
from hilnic.ndis.flags import NdisMedium, NetEvent, RequestType
from hilnic.ndis.ndis5 import ghost, levels, miniport_edge, receive
from hilnic.ndis.ndis5.characteristics import ProtocolCharacteristics5
from hilnic.ndis.ndis5.constants import MAXIMUM_DESCRIPTORS
from hilnic.ndis.ndis5.levels import ReceiveRoute
from hilnic.ndis.ndis5.packet import Packet
from hilnic.ndis.ndis5.request import NdisRequest, finish
from hilnic.ndis.ndis5.serializer import at_dispatch
from hilnic.ndis.oid_request import OidRequest
from hilnic.ndis.oids import Oid
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.status_indication import LinkState, StatusIndication
from hilnic.ndis.waiting import answer_of
from hilnic.ndis.xlate import link as xlate_link
from hilnic.ndis.xlate import rx, tx
from hilnic.ndis.xlate.objects import Translation

if TYPE_CHECKING:
    from hilnic.ndis.nbl import NetBufferList
    from hilnic.ndis.ndis import Ndis
    from hilnic.ndis.ndis5.miniport_edge import MiniportEdge

_ADDRESSED_MEDIA = frozenset({NdisMedium.MEDIUM_802_3})


class ProtocolEdge:
    """One registered 5.x protocol driver."""

    __slots__ = ("characteristics", "context", "ndis")

    def __init__(self, ndis: Ndis, characteristics: ProtocolCharacteristics5, context: Any) -> None:
        self.ndis = ndis
        self.characteristics = characteristics
        self.context = context

    async def bind_adapter(self, bind_context: BindContext, parameters: BindParameters) -> NdisStatus:
        """ProtocolBindAdapter; open_adapter is called inside it."""
        answer = self.characteristics.bind_adapter(self.context, bind_context, parameters.adapter_name)
        return await answer_of(answer)


class BindingEdge:
    """One 5.x protocol on one adapter. Drivers treat it as an opaque handle."""

    def __init__(self, driver: ProtocolDriver, context: Any, adapter_context: Any, options: int) -> None:
        edge: ProtocolEdge = driver.context
        self.ndis = driver.ndis
        self.driver = driver
        self.context = context
        self.characteristics = edge.characteristics
        self.core: Binding  # set by open_adapter
        is_5 = isinstance(adapter_context, miniport_edge.MiniportEdge)
        self.direct: MiniportEdge | None = adapter_context if is_5 else None
        self.medium = NdisMedium.MEDIUM_802_3
        self.protocol_options = options
        self.requests: dict[OidRequest, NdisRequest] = {}
        self.co_requests: dict[OidRequest, NdisRequest] = {}  # CoNDIS requests that are under way
        self.ledger = self.ndis.ndis5.ledger
        self.is_receive_complete_due = False
        self.is_reset_pending = False
        self.link_state: LinkState | None = None  # as the protocol knows it
        self.xlate = Translation(self)
        self.receive_handler: Any = self._handler("receive", "ProtocolReceive", NdisStatus.NOT_ACCEPTED)
        self.receive_packet_handler: Any = self._handler("receive_packet", "ProtocolReceivePacket", 0)
        self.receive_complete_handler: Any = self._handler("receive_complete", "ProtocolReceiveComplete")
        self.transfer_complete_handler: Any = self._handler("transfer_data_complete", "ProtocolTransferDataComplete")
        self.send_complete_handler: Any = self._handler("send_complete", "ProtocolSendComplete")
        self.request_complete_handler: Any = self._handler("request_complete", "ProtocolRequestComplete")
        self.reset_complete_handler: Any = self._handler("reset_complete", "ProtocolResetComplete")
        self.status_handler: Any = self._handler("status", "ProtocolStatus")
        self.status_complete_handler: Any = self._handler("status_complete", "ProtocolStatusComplete")
        self.wan_receive_handler: Any = self._handler("wan_receive", "ProtocolWanReceive", NdisStatus.NOT_ACCEPTED)
        self.wan_send_complete_handler: Any = self._handler("wan_send_complete", "ProtocolWanSendComplete")
        self.co_receive_handler: Any = self._handler("co_receive_packet", "ProtocolCoReceivePacket", 0)
        self.co_send_complete_handler: Any = self._handler("co_send_complete", "ProtocolCoSendComplete")

    def _handler(self, name: str, wdk_name: str, refused: Any = None) -> Any:
        """A handler as NDIS calls it."""
        handler = self.ndis.guarded(getattr(self.characteristics, name), self, wdk_name)
        return ghost.contained(handler, lambda: self.core, name, refused)

    def connect(self) -> None:
        """What the core calls is this edge, whatever becomes of the driver."""
        core = self.core
        core.receive_handler = BindingEdge.receive_net_buffer_lists
        core.complete_handler = BindingEdge.send_net_buffer_lists_complete
        core.request_handler = BindingEdge.oid_request_complete
        core.status_handler = BindingEdge.status

    def haunt(self) -> None:
        """The driver has been taken out (ndis/faults.py)."""
        ghost.haunt_protocol(self)

    @property
    def lower(self) -> MiniportEdge | None:
        """The 5.x miniport that packets go to as they are; None when they have to become NET_BUFFER_LISTs."""
        return None if self.core.adapter.filters else self.direct

    def accepts(self, header: bytes) -> bool:
        """Whether this binding's own packet filter asks for a frame that begins with `header` (R6-15)."""
        return asks_for(self.core, header)

    def __repr__(self) -> str:
        return f"BindingEdge({self.core.name})" if hasattr(self, "core") else "BindingEdge(opening)"

    # Open and close.

    def open_adapter_complete(self, status: NdisStatus) -> None:
        """ProtocolOpenAdapterComplete (C5-10)."""
        self.characteristics.open_adapter_complete(self.context, status)

    def close_adapter_complete(self) -> None:
        """ProtocolCloseAdapterComplete: everything outstanding has ended (C5-10, R5-32)."""
        self.xlate.close()
        self.characteristics.close_adapter_complete(self.context, NdisStatus.SUCCESS)

    async def unbind_adapter(self, unbind_context: UnbindContext) -> NdisStatus:
        """ProtocolUnbindAdapter."""
        return await answer_of(self.characteristics.unbind_adapter(self.context, unbind_context))

    async def net_pnp_event(self, event: NetPnpEvent) -> NdisStatus:
        """ProtocolPnPEvent; pause and restart are unknown to NDIS 5: new sends are refused meanwhile, no more."""
        handler = self.characteristics.pnp_event
        if handler is None or event.event in {NetEvent.PAUSE, NetEvent.RESTART}:
            return NdisStatus.SUCCESS
        return await answer_of(handler(self.context, event))

    # Send: the way back.

    def send_completed(self, packet: Packet, status: int) -> None:
        """A 5.x miniport, or NDIS for it, ends a packet of this binding."""
        at_dispatch(self.ndis.kernel, self.send_complete_handler, self.context, packet, status)
        self.sends_ended(1)

    def sends_ended(self, number: int) -> None:
        """Packets that went directly to a 5.x miniport are done with."""
        self.core.sends_outstanding -= number
        self.core.check_close()

    def packet_sent(self, packet: Packet, status: int) -> None:
        """The NET_BUFFER_LIST made of a packet has completed; `status` is in NDIS 5's words (XL-03)."""
        level = levels.pop(packet)
        if self.ledger is not None:
            self.ledger.came_back(packet, level, self.core.adapter)
        at_dispatch(self.ndis.kernel, self.send_complete_handler, self.context, packet, status)

    # Receive.

    def deliver(self, packet: Packet, route: ReceiveRoute) -> None:
        """One received packet for this binding alone; one `route.packet_returned` follows, perhaps inside this call."""
        receive.present(packet, route, [self])

    # What the core calls.

    def send_net_buffer_lists_complete(self, nbls: NetBufferList, flags: int) -> None:
        """Lists that the translation made of packets have completed."""
        del flags
        tx.nbls_completed(self, nbls)

    def receive_net_buffer_lists(self, nbls: NetBufferList, port: int, count: int, flags: int) -> None:
        """Lists from below become packets."""
        del port, count
        rx.nbls_to_packets(self, nbls, flags)

    def oid_request_complete(self, request: OidRequest, status: NdisStatus) -> None:
        """ProtocolRequestComplete (C5-06)."""
        ndis_request = self.requests[request]
        ended = finish(self, request, status)
        at_dispatch(self.ndis.kernel, self.request_complete_handler, self.context, ndis_request, ended)

    def status(self, indication: StatusIndication) -> None:
        """The core's indication in NDIS 5's words; a 5.x miniport's comes as it is while no filter is between."""
        code = indication.status_code
        before = self.link_state
        if code is NdisStatus.LINK_STATE and isinstance(indication.buffer, LinkState):
            self.link_state = indication.buffer
        if self.lower is not None and code not in {NdisStatus.RESET_START, NdisStatus.RESET_END}:
            return
        if code is NdisStatus.LINK_STATE and self.link_state is not None:
            for news, buffer in xlate_link.to_5(before, self.link_state):
                self.indicate(news, buffer)
                self.indicate_complete()
        elif xlate_link.reaches_5(code):
            self.indicate(code, indication.buffer)
            self.indicate_complete()

    # Up into the protocol.

    def indicate(self, code: NdisStatus, buffer: Any) -> None:
        """ProtocolStatus."""
        at_dispatch(self.ndis.kernel, self.status_handler, self.context, code, buffer)

    def indicate_complete(self) -> None:
        """ProtocolStatusComplete (C5-13)."""
        at_dispatch(self.ndis.kernel, self.status_complete_handler, self.context)

    def receive_complete(self) -> None:
        """ProtocolReceiveComplete, when something was received since the last one (R5-23)."""
        if self.is_receive_complete_due:
            self.is_receive_complete_due = False
            if self.receive_complete_handler is not None:
                at_dispatch(self.ndis.kernel, self.receive_complete_handler, self.context)

    def answer(self, request: NdisRequest) -> NdisStatus | None:
        """What NDIS answers for each binding itself (C5-08): protocol options, and how many packets a send may have."""
        is_set = request.request_type is RequestType.SET_INFORMATION
        if request.oid == Oid.OID_GEN_PROTOCOL_OPTIONS:
            if not is_set:
                return request.reply(self.protocol_options.to_bytes(4, "little"))
            status, data = request.take(4)
            if status is NdisStatus.SUCCESS:
                self.protocol_options = int.from_bytes(data, "little")
            return status
        if request.oid == Oid.OID_GEN_MAXIMUM_SEND_PACKETS and not is_set:
            number = MAXIMUM_DESCRIPTORS if self.direct is None else self.direct.maximum_send_packets
            return request.reply(number.to_bytes(4, "little"))
        return None


def is_foreign(binding: Any, call: str) -> bool:
    """An NDIS 5 call with the binding of an NDIS 6 protocol: refused (XL-16)."""
    if isinstance(binding, BindingEdge):
        return False
    binding.ndis.violation("XL-16", binding, binding, f"{call} called by a driver of NDIS 6")
    return True


def asks_for(binding: Binding, header: bytes) -> bool:
    """Whether a binding of either version asks for a frame that begins with `header`: six bytes at least (R6-15)."""
    attributes = binding.adapter.attributes
    if attributes.media_type not in _ADDRESSED_MEDIA:
        return True
    return filter_accepts(binding.packet_filter, attributes.mac_address, binding.multicast_list, header[:6])


def edges_of(adapter: Any) -> list[BindingEdge]:
    """The 5.x bindings of an adapter that frames may be delivered to now."""
    return [binding.context for binding in adapter.receivers if isinstance(binding.context, BindingEdge)]


def bindings_of_6(adapter: Any) -> list[Binding]:
    """The 6.x bindings of an adapter that frames may be delivered to now."""
    return [binding for binding in adapter.receivers if not isinstance(binding.context, BindingEdge)]

# SPDX-License-Identifier: Apache-2.0
"""The edge between the core and a 5.x miniport: the core sees a 6.x miniport, the driver sees NDIS 5.

Each handler of the core's characteristics is a method here, hence the length; `adapter.context` is the edge. Pause and
restart are NDIS's own: a 5.x miniport knows neither. Requests and lists are translated by `ndis.xlate`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hilnic.ndis.adapter import Adapter, set_miniport_attributes
from hilnic.ndis.driver import (
    InitializeParameters,
    MiniportCharacteristics,
    MiniportDriver,
    PauseParameters,
    RegistrationAttributes,
    RestartParameters,
)
from hilnic.ndis.flags import DevicePnpEvent, HaltAction, NdisMedium, ShutdownAction
from hilnic.ndis.kernel import Event
from hilnic.ndis.ndis5 import ghost, levels, miniport_resources, receive, request
from hilnic.ndis.ndis5.characteristics import VERSIONS, MiniportCharacteristics5
from hilnic.ndis.ndis5.constants import MAXIMUM_DESCRIPTORS, Attributes5, PacketInfo
from hilnic.ndis.ndis5.levels import SendRoute
from hilnic.ndis.ndis5.packet import Packet
from hilnic.ndis.ndis5.send_queue import SendQueue
from hilnic.ndis.ndis5.serializer import Serializer, at_dispatch
from hilnic.ndis.oid_request import OidRequest, query
from hilnic.ndis.oids import Oid
from hilnic.ndis.states import ADAPTER_OPERATIONS, AdapterState, Operation
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.waiting import answer_of
from hilnic.ndis.xlate import oid as xlate_oid
from hilnic.ndis.xlate import rx, tx
from hilnic.ndis.xlate.objects import Translation

if TYPE_CHECKING:
    from hilnic.ndis.dma import DmaHandle
    from hilnic.ndis.nbl import NetBufferList
    from hilnic.ndis.ndis import Ndis

MEDIA = (
    NdisMedium.MEDIUM_802_3,
    NdisMedium.MEDIUM_802_5,
    NdisMedium.FDDI,
    NdisMedium.WAN,
    NdisMedium.ATM,
    NdisMedium.CO_WAN,
)
"""The media that NDIS offers to MiniportInitialize."""

_CANCEL_ID = int(PacketInfo.CANCEL_ID)


class Miniport5:
    """What NDIS keeps of a registered 5.x miniport driver; the context of its core MiniportDriver."""

    __slots__ = ("characteristics", "context", "ndis")

    def __init__(self, ndis: Ndis, characteristics: MiniportCharacteristics5, context: Any) -> None:
        self.ndis = ndis
        self.characteristics = characteristics
        self.context = context


class MiniportEdge:
    """One adapter of a 5.x miniport."""

    def __init__(self, adapter: Adapter, driver: Miniport5, resources: Any) -> None:
        self.ndis = adapter.ndis
        self.adapter = adapter
        self.miniport = driver
        self.resources = resources
        self.ledger = self.ndis.ndis5.ledger
        self.context: Any = None
        self.flags = 0
        self.has_attributes = False
        self.check_for_hang_seconds = 0
        self.medium = NdisMedium.MEDIUM_802_3
        self.maximum_send_packets = MAXIMUM_DESCRIPTORS
        self.lock = Serializer(self.ndis.kernel, serialized=True)
        self.queue = SendQueue(self)
        self.requests = request.MiniportRequests(self)
        self.counters = xlate_oid.Counters()
        self.status_watch: Any = None  # the verifier's timer until the complete call comes
        self.receive_watch: Any = None
        self.shutdown_handler: Any = None  # NdisMRegisterAdapterShutdownHandler's
        self.shutdown_context: Any = None
        self.wants_isr = True
        self.dma: DmaHandle | None = None
        self.maps_sends = False
        self.map_registers: list[Any] = []
        self.wan_sends: dict[Any, Any] = {}  # WanPacket -> the binding that sent it
        self.wan_late: set[Any] = set()
        self.transfers: dict[Packet, Any] = {}  # destination of a transfer that pends -> who waits for it
        self.xlate = Translation(self)
        self.is_haunted = False  # the driver has been taken out
        self._idle: Event | None = None
        self.send_handler: Any = self._handler("send", "MiniportSend", NdisStatus.FAILURE)
        self.send_packets_handler: Any = self._handler("send_packets", "MiniportSendPackets", None)
        self.return_handler: Any = self._handler("return_packet", "MiniportReturnPacket", None)
        self.transfer_handler: Any = self._handler("transfer_data", "MiniportTransferData", (NdisStatus.FAILURE, 0))
        self.cancel_handler: Any = self._handler("cancel_send_packets", "MiniportCancelSendPackets", None)
        self.wan_send_handler: Any = self._handler("wan_send", "MiniportWanSend", NdisStatus.FAILURE)
        self.co_send_handler: Any = self._handler("co_send_packets", "MiniportCoSendPackets", None)
        self.co_requests: dict[OidRequest, Any] = {}  # CoNDIS requests of an MCM that are under way
        self.co_sends: dict[Packet, Any] = {}  # packets that the miniport holds on VCs -> the VC

    def _handler(self, name: str, wdk_name: str, refused: Any) -> Any:
        """A handler of the data path as NDIS calls it."""
        handler = self.ndis.guarded(getattr(self.characteristics, name), self, wdk_name)
        return ghost.contained(handler, lambda: self.adapter, name, refused)

    def haunt(self) -> None:
        """The driver has been taken out (ndis/faults.py)."""
        ghost.haunt_miniport(self)

    @property
    def characteristics(self) -> MiniportCharacteristics5:
        """What the driver registered."""
        return self.miniport.characteristics

    @property
    def is_intermediate(self) -> bool:
        """Whether the driver said so in its attributes."""
        return bool(self.flags & Attributes5.INTERMEDIATE_DRIVER)

    def __repr__(self) -> str:
        return f"MiniportEdge({self.adapter.name})"

    # Life.

    async def initialize(self) -> NdisStatus:
        """MiniportInitialize, then the questions whose answers a 6.x miniport would have volunteered (C5-02)."""
        set_miniport_attributes(self.adapter, RegistrationAttributes(self))
        answer = self.characteristics.initialize(self.adapter, self.miniport.context, MEDIA)
        status, medium = await answer_of(answer)
        if status is NdisStatus.SUCCESS and not (self.has_attributes and medium in MEDIA):
            detail = "no attributes were set" if medium in MEDIA else f"medium {medium!r} was not offered"
            self.ndis.violation("C5-02", self.adapter, self.adapter, detail)
            status = NdisStatus.FAILURE
        if status is not NdisStatus.SUCCESS or medium is None:
            self.xlate.close()
            miniport_resources.check_released(self, "a failed initialize")
            return status
        self.medium = medium
        registration = RegistrationAttributes(self, check_for_hang_seconds=self.check_for_hang_seconds)
        set_miniport_attributes(self.adapter, registration)
        attributes = xlate_oid.general_attributes(await xlate_oid.read_attributes(self.requests.ask))
        set_miniport_attributes(self.adapter, replace(attributes, media_type=medium))
        await self._read_maximum_send_packets()
        return NdisStatus.SUCCESS

    async def _read_maximum_send_packets(self) -> None:
        request = query(Oid.OID_GEN_MAXIMUM_SEND_PACKETS, 4)
        if await self.requests.ask(request) is NdisStatus.SUCCESS:
            self.maximum_send_packets = max(1, int.from_bytes(request.answer(), "little"))

    async def halt(self, action: HaltAction) -> None:
        """MiniportHalt, which frees everything (C5-12)."""
        del action
        async with self.lock:
            await answer_of(self.characteristics.halt(self.context))
        self.xlate.close()
        miniport_resources.check_released(self, "halt")

    async def pause(self, parameters: PauseParameters) -> NdisStatus:
        """NDIS's own: end what waits, let the miniport finish what it has, let 6.x drivers return what they have."""
        del parameters
        self.queue.abort(NdisStatus.REQUEST_ABORTED)
        while self.adapter.sends_outstanding or self.adapter.receives_outstanding:
            self._idle = self.ndis.kernel.create_event()
            await self._idle.wait()
        return NdisStatus.SUCCESS

    def restart(self, parameters: RestartParameters) -> NdisStatus:
        """NDIS's own."""
        del parameters
        self.queue.resume()
        return NdisStatus.SUCCESS

    def check_idle(self) -> None:
        """Something came back: a pause that waits may look again."""
        if self._idle is not None:
            self._idle.set()
        if self.is_haunted:
            ghost.check_paused(self.adapter)

    async def reset(self) -> tuple[NdisStatus, bool]:
        """MiniportReset; what waits in NDIS ends now, or goes down afterwards (C5-11)."""
        handler = self.ndis.guarded(self.characteristics.reset, self.adapter, "MiniportReset")
        holds = self.ndis.profile.hold_sends_during_reset
        async with self.lock:
            self.queue.abort(NdisStatus.RESET_IN_PROGRESS, self.queue.is_translated if holds else None)
            answer: tuple[NdisStatus, bool] = at_dispatch(self.ndis.kernel, handler, self.context)
        self.ndis.kernel.queue_work_item(self._after_reset)
        return answer

    async def _after_reset(self) -> None:
        while self.adapter.resetting:
            await self.adapter.reset_ended.wait()
        self.queue.resume()

    async def check_for_hang(self) -> bool:
        """MiniportCheckForHang."""
        handler = self.characteristics.check_for_hang
        if handler is None:
            return False
        async with self.lock:
            hangs: bool = at_dispatch(self.ndis.kernel, handler, self.context)
        return hangs

    def device_pnp_event_notify(self, event: DevicePnpEvent) -> None:
        """MiniportPnPEventNotify (5.1)."""
        if self.characteristics.pnp_event_notify is not None:
            self.characteristics.pnp_event_notify(self.context, event)

    def shutdown(self, action: ShutdownAction) -> None:
        """MiniportShutdown, at once and without the lock (C5-14)."""
        del action
        if self.shutdown_handler is not None:
            self.shutdown_handler(self.shutdown_context)
        elif self.characteristics.shutdown is not None:
            self.characteristics.shutdown(self.context)

    # Requests and data of 6.x drivers above.

    async def oid_request(self, request: OidRequest) -> NdisStatus:
        """A 6.x request; one at a time, for the core queues (C5-07)."""
        return await xlate_oid.ask_miniport_5(self.requests.ask, self.counters, request)

    def send_net_buffer_lists(self, nbls: NetBufferList, port_number: int, send_flags: int) -> None:
        """Lists from above become packets."""
        del port_number
        tx.nbls_to_packets(self, nbls, send_flags)

    def submit(self, packets: list[Packet], route: SendRoute) -> None:
        """Packets that the translation made: each comes back by one `route.send_completed(packet, status)`."""
        self.queue.submit(packets, route)

    def return_net_buffer_lists(self, nbls: NetBufferList, return_flags: int) -> None:
        """Lists over this miniport's packets come back from 6.x drivers."""
        del return_flags
        rx.nbls_returned(self, nbls)
        self.check_idle()

    def cancel_send(self, cancel_id: Any) -> None:
        """6.x drivers cancel: what of theirs waits here ends, then the miniport is asked (CN-06, CN-09)."""
        is_translated = self.queue.is_translated
        self.cancel(cancel_id, lambda packet: packet.packet_info[_CANCEL_ID] == cancel_id and is_translated(packet))

    def cancel(self, cancel_id: Any, matches: Any) -> None:
        """End matching packets that wait, and ask the miniport for the rest."""
        self.queue.abort(NdisStatus.REQUEST_ABORTED, matches)
        if self.cancel_handler is not None:
            self.lock.run(lambda: self.cancel_handler(self.context, cancel_id))

    # Receive.

    def hold(self, packet: Packet) -> None:
        """The translation keeps a packet that is being indicated: one more reference."""
        level = levels.level_of(packet, None)
        assert level is not None
        level.add(None, 1)

    def release(self, packet: Packet) -> None:
        """The translation pays its reference."""
        receive.release(packet, None)

    def packet_returned(self, packet: Packet) -> None:
        """Nobody above holds the packet any more: MiniportReturnPacket (R5-01)."""
        if self.return_handler is not None:
            self.lock.run(lambda: self.return_handler(self.context, packet))
        self.check_idle()


def may_indicate(edge: MiniportEdge) -> bool:
    """Whether frames go up now (R6-16).

    A 5.x miniport knows no pause: what it indicates while its adapter is Paused is nobody's, and no mistake of its.
    """
    state = edge.adapter.state
    if Operation.INDICATE in ADAPTER_OPERATIONS[state]:
        return True
    if state is not AdapterState.PAUSED:
        edge.ndis.violation("R6-16", edge.adapter, edge.adapter, f"receive indicated while {state.value}")
    return False


def edge_of(adapter: Adapter, call: str) -> MiniportEdge | None:
    """The edge of a 5.x adapter; an NDIS 5 call of a 6.x miniport is refused (XL-16)."""
    edge = adapter.context
    if isinstance(edge, MiniportEdge):
        return edge
    adapter.ndis.violation("XL-16", adapter, adapter, f"{call} called by a driver of NDIS 6")
    return None


def core_driver(ndis: Ndis, characteristics: MiniportCharacteristics5, context: Any) -> MiniportDriver:
    """The driver as the core sees it."""
    miniport = Miniport5(ndis, characteristics, context)
    core = MiniportCharacteristics(
        name=characteristics.name,
        ndis_version=VERSIONS[characteristics.version],
        initialize=_initialize,
        halt=MiniportEdge.halt,
        pause=MiniportEdge.pause,
        restart=MiniportEdge.restart,
        send_net_buffer_lists=MiniportEdge.send_net_buffer_lists,
        return_net_buffer_lists=MiniportEdge.return_net_buffer_lists,
        oid_request=MiniportEdge.oid_request,
        cancel_send=MiniportEdge.cancel_send,
        reset=MiniportEdge.reset,
        check_for_hang=MiniportEdge.check_for_hang,
        device_pnp_event_notify=MiniportEdge.device_pnp_event_notify,
        shutdown=MiniportEdge.shutdown,
    )
    driver = MiniportDriver(ndis, core, miniport)
    if characteristics.co_send_packets is not None:
        from hilnic.ndis.condis.ndis5.handlers import miniport_handlers

        driver.co_handlers = miniport_handlers(characteristics)
    return driver


async def _initialize(adapter: Adapter, driver: Miniport5, parameters: InitializeParameters) -> NdisStatus:
    return await MiniportEdge(adapter, driver, parameters.resources).initialize()

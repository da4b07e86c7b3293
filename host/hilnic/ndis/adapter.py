# SPDX-License-Identifier: Apache-2.0
"""The miniport adapter: one NIC instance as NDIS knows it (the NdisMiniportAdapterHandle)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from hilnic.ndis.driver import GeneralAttributes, MiniportDriver, RegistrationAttributes
from hilnic.ndis.ethernet import HEADER_SIZE, VLAN_TAG_SIZE
from hilnic.ndis.flags import DevicePowerState
from hilnic.ndis.kernel import Event
from hilnic.ndis.oid import OidQueue
from hilnic.ndis.states import ADAPTER_MACHINE, ADAPTER_OPERATIONS, AdapterEvent, AdapterState, Operation
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.status_indication import LinkState
from hilnic.ndis.verifier.wire_watch import watched
from hilnic.ndis.waiting import Mutex
from hilnic.ndis.wdk import wdk

if TYPE_CHECKING:
    from hilnic.ndis.binding import Binding
    from hilnic.ndis.filter import FilterModule
    from hilnic.ndis.nbl import NetBufferList
    from hilnic.ndis.ndis import Ndis
    from hilnic.ndis.oid_request import OidRequest


class Adapter:
    """State, bindings, and what is outstanding. Drivers treat it as an opaque handle."""

    __slots__ = (
        "attributes",
        "bindings",
        "bottom_completer",
        "bottom_receiver",
        "co",
        "context",
        "deferred_sends",
        "direct_requests",
        "dma_handles",
        "driver",
        "filters",
        "halted",
        "hang_timer",
        "held_sends",
        "interrupts",
        "largest_frame",
        "link_state",
        "loopback",
        "looped",
        "merged_filter",
        "merged_multicast",
        "name",
        "ndis",
        "oids",
        "paused_for_power",
        "pending",
        "pending_answer",
        "pnp_lock",
        "power",
        "receivers",
        "receives_outstanding",
        "refusal",
        "registration",
        "removed",
        "reset_count",
        "reset_ended",
        "resetting",
        "resources",
        "return_handler",
        "send_handler",
        "sending",
        "sends_outstanding",
        "state",
        "throttle",
        "timers",
        "top_returner",
        "top_sender",
        "wire_watch",
        "work_items",
    )

    def __init__(self, ndis: Ndis, driver: MiniportDriver, name: str) -> None:
        self.ndis: Ndis = ndis
        self.driver: MiniportDriver = driver
        self.name = name
        self.state = AdapterState.HALTED
        self.context: Any = None
        self.resources: Any = None  # what the bus gave it, or an intermediate driver
        self.registration: RegistrationAttributes | None = None
        self.attributes: GeneralAttributes = GeneralAttributes(mac_address=bytes(6))
        self.largest_frame = 0  # MAC header, VLAN tag and payload, without FCS (S6-14)
        self.link_state: LinkState | None = None
        self.bindings: list[Binding] = []
        self.receivers: tuple[Binding, ...] = ()  # the bindings that frames may be delivered to now
        self.filters: tuple[FilterModule, ...] = ()  # top to bottom
        self.top_sender: FilterModule | None = None  # the first module that sees sends, and so on; None = there is none
        self.bottom_completer: FilterModule | None = None
        self.bottom_receiver: FilterModule | None = None
        self.top_returner: FilterModule | None = None
        self.refusal: NdisStatus | None = NdisStatus.PAUSED  # how NDIS answers what a filter sends to the miniport now
        self.sends_outstanding = 0  # NBLs the miniport holds
        self.receives_outstanding = 0  # NBLs indicated without RESOURCES and not yet returned
        self.merged_filter = 0
        self.merged_multicast: tuple[bytes, ...] = ()
        self.resetting = False
        self.reset_count: int = 0  # resets that have ended well (OID_GEN_RESET_COUNTS)
        self.reset_ended = ndis.kernel.create_event()
        self.removed = False
        self.power = DevicePowerState.D0
        self.paused_for_power = False  # it was Running when it was sent to sleep: it restarts when it wakes
        self.loopback = 0  # CHECK_FOR_LOOPBACK while some binding or filter listens to what others send (LB-03)
        self.looped: list[tuple[tuple[Binding, ...], NetBufferList]] = []  # copies on their way up
        self.sending = 0  # send calls that are under way, one inside the other (S6-24)
        self.deferred_sends: deque[tuple[Binding, NetBufferList, int, int, int]] = deque()  # for the outermost
        self.held_sends: list[tuple[Binding, NetBufferList, int, int, int]] = []
        self.oids = OidQueue(self)
        self.pending: dict[str, Event] = {}  # operations the miniport answered with PENDING (V4)
        self.pending_answer: dict[str, Any] = {}
        self.pnp_lock = Mutex(ndis.kernel)
        self.interrupts: list[Any] = []
        self.dma_handles: list[Any] = []
        self.direct_requests: list[OidRequest] = []  # that the miniport has, first come first
        self.timers: list[Any] = []
        self.work_items = 0  # queued or running, of the miniport (IT-05)
        self.hang_timer: Any = None
        self.halted: Event | None = None  # from the beginning of a halt on; set at its end
        self.throttle: Any = None  # the receive throttle of the DPC that runs now
        self.co: Any = None  # CoAdapter, of a connection-oriented miniport
        if driver.co_handlers is not None:
            from hilnic.ndis.condis.state import CoAdapter

            self.co = CoAdapter(self, driver.co_handlers)
        characteristics = driver.characteristics
        self.wire_watch = ndis.wire_watches.get(name)  # V14: who compares what passes here with the wire
        send_handler = ndis.guarded(characteristics.send_net_buffer_lists, self, "MiniportSendNetBufferLists")
        self.send_handler = watched(self.wire_watch, driver, send_handler)
        self.return_handler = ndis.guarded(
            characteristics.return_net_buffer_lists, self, "MiniportReturnNetBufferLists"
        )

    def step(self, event: AdapterEvent) -> bool:
        """Move by the table; a missing pair is a violation that names state and event (ST-01)."""
        target = ADAPTER_MACHINE[self.state].get(event)
        if target is None:
            self.ndis.violation("ST-01", self, self, f"{event.value} in state {self.state.value}")
            return False
        self.state = target
        self.ndis.emit("adapter.state", adapter=self.name, state=target.value)
        self.update_bindings()
        return True

    def update_bindings(self) -> None:
        """Recompute what the data path asks per call: who receives, and how each binding's sends are answered."""
        indicating = self.state in {AdapterState.RESTARTING, AdapterState.RUNNING, AdapterState.PAUSING}
        self.receivers = tuple(b for b in self.bindings if b.receives) if indicating else ()
        self.refusal = self.send_refusal()
        for binding in self.bindings:
            binding.refusal = binding.send_refusal()
        if self.co is not None:
            self.co.drop_what_nobody_receives()
        self.update_loopback()

    def update_loopback(self) -> None:
        """Bindings, their filters or the filter modules have changed: does anybody listen in?"""
        from hilnic.ndis.loopback import always

        self.loopback = always(self)

    def send_refusal(self) -> NdisStatus | None:
        """How NDIS answers a send that has come down to the miniport in its present state; None = it goes down."""
        if self.removed:
            return NdisStatus.NOT_ACCEPTED
        if self.power is not DevicePowerState.D0:
            return NdisStatus.LOW_POWER_STATE
        if self.state is not AdapterState.RUNNING:
            return NdisStatus.PAUSED
        return NdisStatus.RESET_IN_PROGRESS if self.resetting else None

    def request_refusal(self) -> NdisStatus | None:
        """How NDIS answers a request that comes down to the miniport; None = the miniport gets it."""
        if self.removed:
            return NdisStatus.NOT_ACCEPTED
        return None if Operation.OID in ADAPTER_OPERATIONS[self.state] else NdisStatus.ADAPTER_NOT_READY

    def set_filters(self, filters: tuple[FilterModule, ...]) -> None:
        """Lay the data path anew: each module knows its neighbours, and one without a handler is bypassed (IM-14)."""
        self.filters = filters
        self.top_sender = self.top_returner = None
        for position, module in reversed(list(enumerate(filters))):
            module.position = position
            module.lower_sender, module.lower_returner = self.top_sender, self.top_returner
            if module.send_handler is not None:
                self.top_sender = module
            if module.return_handler is not None:
                self.top_returner = module
        self.bottom_completer = self.bottom_receiver = None
        for module in filters:
            module.upper_completer, module.upper_receiver = self.bottom_completer, self.bottom_receiver
            if module.complete_handler is not None:
                self.bottom_completer = module
            if module.receive_handler is not None:
                self.bottom_receiver = module
        self.update_loopback()

    def statistics(self) -> dict[str, int]:
        """What is outstanding."""
        return {"sends_outstanding": self.sends_outstanding, "receives_outstanding": self.receives_outstanding}

    def __repr__(self) -> str:
        return f"Adapter({self.name}, {self.state.value})"


@wdk("NdisMSetMiniportAttributes", irql="PASSIVE")
def set_miniport_attributes(adapter: Adapter, attributes: RegistrationAttributes | GeneralAttributes) -> NdisStatus:
    """Called from MiniportInitializeEx: registration attributes (the context) first, then the general ones."""
    if not isinstance(attributes, RegistrationAttributes | GeneralAttributes):
        raise TypeError(f"{attributes!r} are no attributes of a miniport")
    if adapter.state is not AdapterState.INITIALIZING:
        return NdisStatus.INVALID_STATE
    if isinstance(attributes, RegistrationAttributes):
        adapter.registration = attributes
        adapter.context = attributes.adapter_context
        return NdisStatus.SUCCESS
    if adapter.registration is None:
        return NdisStatus.INVALID_STATE
    adapter.attributes = attributes
    adapter.largest_frame = attributes.mtu_size + HEADER_SIZE + VLAN_TAG_SIZE
    adapter.link_state = LinkState(
        attributes.media_connect_state,
        attributes.media_duplex_state,
        attributes.xmit_link_speed,
        attributes.rcv_link_speed,
    )
    return NdisStatus.SUCCESS

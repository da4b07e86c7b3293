# SPDX-License-Identifier: Apache-2.0
"""The binding of a protocol to an adapter (the NdisBindingHandle): open, close, filter, and what is outstanding.

protocol.bind_adapter -> open_adapter -> Paused -> Running ... close_adapter -> protocol.close_adapter_complete
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic.ndis import loopback
from hilnic.ndis.driver import OpenParameters, ProtocolDriver
from hilnic.ndis.ethernet import destination, ether_type, filter_accepts
from hilnic.ndis.flags import NblFlags, NblInfo, NdisMedium
from hilnic.ndis.kernel import Event
from hilnic.ndis.states import BINDING_MACHINE, AdapterState, BindingEvent, BindingState
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.nbl import NetBufferList
    from hilnic.ndis.ndis import Ndis
    from hilnic.ndis.net_buffer import NetBuffer

_BELOW_FIRST = frozenset({NdisStatus.NOT_ACCEPTED, NdisStatus.LOW_POWER_STATE})
"""Answers of the adapter that a binding's own state does not change."""
_IS_LOOPBACK = int(NblFlags.IS_LOOPBACK_PACKET)
_FRAME_TYPE = int(NblInfo.FRAME_TYPE)


class BindContext:
    """What NDIS gives to bind_adapter and open_adapter gives back: opens happen inside a bind only (BC7C 0x16)."""

    __slots__ = ("adapter", "binding", "done", "ndis", "protocol", "status")

    def __init__(self, protocol: ProtocolDriver, adapter: Adapter) -> None:
        self.ndis = protocol.ndis
        self.protocol = protocol
        self.adapter = adapter
        self.binding: Binding | None = None
        self.status: NdisStatus | None = None
        self.done: Event = self.ndis.kernel.create_event()

    def __repr__(self) -> str:
        return f"BindContext({self.protocol.characteristics.name} -> {self.adapter.name})"


class Binding:
    """One protocol on one adapter. Drivers treat it as an opaque handle."""

    __slots__ = (
        "adapter",
        "close_event",
        "co",
        "complete_handler",
        "context",
        "driver",
        "forwards",
        "frame_types",
        "lookahead",
        "multicast_list",
        "name",
        "ndis",
        "oids_outstanding",
        "packet_filter",
        "pending",
        "protocol_options",
        "receive_handler",
        "receives_outstanding",
        "refusal",
        "request_handler",
        "sends_outstanding",
        "state",
        "status_handler",
    )

    def __init__(self, protocol: ProtocolDriver, adapter: Adapter, context: Any) -> None:
        ndis: Ndis = protocol.ndis
        self.ndis = ndis
        self.driver = protocol
        self.adapter: Adapter = adapter
        self.context = context
        self.forwards = protocol.upper_edge is not None  # an intermediate driver's lower edge
        self.name = f"{protocol.characteristics.name}->{adapter.name}"
        self.state = BindingState.UNBOUND
        self.packet_filter: int = 0
        self.multicast_list: frozenset[bytes] = frozenset()
        self.lookahead: int = 0
        self.protocol_options = 0  # OID_GEN_PROTOCOL_OPTIONS
        self.frame_types: frozenset[int] = frozenset()  # the EtherTypes it wants; empty: all (R6-14)
        self.sends_outstanding = 0
        self.receives_outstanding = 0
        self.oids_outstanding = 0
        self.refusal: NdisStatus | None = NdisStatus.PAUSED  # how NDIS answers a send now; None = it goes down
        self.pending: dict[str, tuple[Event, list[NdisStatus]]] = {}
        self.close_event: Event | None = None
        self.co: Any = None  # CoBinding, of a client or a call manager
        if protocol.co_handlers is not None:
            from hilnic.ndis.condis.state import CoBinding

            self.co = CoBinding(self, protocol.co_handlers)
        characteristics = protocol.characteristics
        self.receive_handler = ndis.guarded(
            characteristics.receive_net_buffer_lists, self, "ProtocolReceiveNetBufferLists"
        )
        self.complete_handler = ndis.guarded(
            characteristics.send_net_buffer_lists_complete, self, "ProtocolSendNetBufferListsComplete"
        )
        self.request_handler = ndis.guarded(characteristics.oid_request_complete, self)
        self.status_handler = ndis.guarded(characteristics.status, self)

    def step(self, event: BindingEvent) -> bool:
        """Move by the table; a missing pair is a violation that names state and event (ST-10)."""
        target = BINDING_MACHINE[self.state].get(event)
        if target is None:
            self.ndis.violation("ST-10", self, self, f"{event.value} in state {self.state.value}")
            return False
        self.state = target
        self.ndis.emit("binding.state", binding=self.name, state=target.value)
        self.adapter.update_bindings()
        return True

    @property
    def receives(self) -> bool:
        """Whether frames may be delivered: from Running until the pause event has been answered (R6-16, ST-22)."""
        return self.state in {BindingState.RESTARTING, BindingState.RUNNING, BindingState.PAUSING}

    def send_refusal(self) -> NdisStatus | None:
        """How NDIS answers a send in the present states (S6-25, ST-05, ST-14, ST-17, ST-22); None = it goes down."""
        if self.state in {BindingState.CLOSING, BindingState.UNBOUND}:
            return NdisStatus.CLOSING
        below = self.adapter.send_refusal()
        if self.state is not BindingState.RUNNING and below not in _BELOW_FIRST:
            return NdisStatus.PAUSED
        return below

    def accepts(self, nbl: NetBufferList) -> bool:
        """Whether this binding's own packet filter and frame types ask for the frame (R6-15, R6-14)."""
        nb = nbl.first_net_buffer
        if nb is None or self.adapter.attributes.media_type is not NdisMedium.MEDIUM_802_3:
            return True
        if self.frame_types and not self._wants_type(nbl, nb):
            return False
        if nbl.nbl_flags & _IS_LOOPBACK:
            return loopback.accepts(self, nbl, destination(nb))
        own = self.adapter.attributes.mac_address
        return filter_accepts(self.packet_filter, own, self.multicast_list, destination(nb))

    def _wants_type(self, nbl: NetBufferList, nb: NetBuffer) -> bool:
        """The frame's type, from the out-of-band slot or, if the miniport has left it empty, from the frame itself."""
        kind = nbl.net_buffer_list_info[_FRAME_TYPE]
        return (ether_type(nb) if kind is None else kind) in self.frame_types

    def idle(self) -> bool:
        """Nothing outstanding: a close may complete (ST-22)."""
        return not (self.sends_outstanding or self.receives_outstanding or self.oids_outstanding)

    def check_close(self) -> None:
        """Let a pending close go on when the last thing outstanding has ended."""
        if self.close_event is not None and self.idle():
            self.close_event.set()

    def statistics(self) -> dict[str, int]:
        """What is outstanding."""
        return {
            "sends_outstanding": self.sends_outstanding,
            "receives_outstanding": self.receives_outstanding,
            "oids_outstanding": self.oids_outstanding,
        }

    def __repr__(self) -> str:
        return f"Binding({self.name}, {self.state.value})"


@wdk("NdisOpenAdapterEx", irql="PASSIVE", callout=True)
def open_adapter(
    protocol: ProtocolDriver, binding_context: Any, parameters: OpenParameters, bind_context: BindContext
) -> tuple[NdisStatus, Binding | None]:
    """Open the adapter that `bind_context` offers; only inside bind_adapter. The binding is Paused afterwards.

    With Profile.pend_open the answer is PENDING and open_adapter_complete follows from a work item.
    """
    adapter = bind_context.adapter
    if bind_context.status is not None or bind_context.protocol is not protocol or bind_context.binding is not None:
        protocol.ndis.violation("ST-22", protocol, bind_context, "open outside of its bind")
        return NdisStatus.OPEN_FAILED, None
    if adapter.removed or adapter.state in {AdapterState.HALTED, AdapterState.INITIALIZING, AdapterState.SHUTDOWN}:
        return NdisStatus.ADAPTER_NOT_READY, None
    binding = Binding(protocol, adapter, binding_context)
    binding.frame_types = frozenset(parameters.frame_types)
    adapter.bindings.append(binding)
    protocol.bindings.append(binding)
    bind_context.binding = binding
    binding.step(BindingEvent.OPEN)
    if protocol.ndis.profile.pend_open:
        protocol.ndis.kernel.queue_work_item(lambda: _finish_open(binding))
        return NdisStatus.PENDING, binding
    binding.step(BindingEvent.OPENED)
    return NdisStatus.SUCCESS, binding


async def _finish_open(binding: Binding) -> None:
    binding.step(BindingEvent.OPENED)
    handler = binding.driver.characteristics.open_adapter_complete
    if handler is not None:
        handler(binding.context, NdisStatus.SUCCESS)


@wdk("NdisCompleteBindAdapterEx")
def complete_bind_adapter(bind_context: BindContext, status: NdisStatus) -> None:
    """Ends a bind that bind_adapter answered with PENDING."""
    bind_context.status = status
    bind_context.done.set()


@wdk("NdisCloseAdapterEx", irql="PASSIVE", callout=True)
def close_adapter(binding: Binding) -> NdisStatus:
    """Give the binding up; its handle is dead for new requests from here on.

    SUCCESS when nothing is outstanding, else PENDING and close_adapter_complete once every send, request and receive
    has ended (ST-22).
    """
    if binding.co is not None and not binding.co.idle():
        binding.ndis.violation("ST-22", binding, binding, f"closed with {binding.co.opens + binding.co.providers} open")
        return NdisStatus.FAILURE
    if not binding.step(BindingEvent.CLOSE):
        return NdisStatus.FAILURE
    binding.adapter.oids.remove_binding(binding)
    if binding.idle():
        _closed(binding)
        return NdisStatus.SUCCESS
    binding.close_event = binding.ndis.kernel.create_event()
    binding.ndis.kernel.queue_work_item(lambda: _finish_close(binding))
    return NdisStatus.PENDING


async def _finish_close(binding: Binding) -> None:
    while not binding.idle():
        assert binding.close_event is not None
        await binding.close_event.wait()
        if not binding.idle():
            binding.close_event = binding.ndis.kernel.create_event()
    _closed(binding)
    handler = binding.driver.characteristics.close_adapter_complete
    if handler is not None:
        handler(binding.context)


def _closed(binding: Binding) -> None:
    binding.step(BindingEvent.CLOSED)
    binding.adapter.bindings.remove(binding)
    binding.driver.bindings.remove(binding)
    binding.adapter.update_bindings()


class UnbindContext:
    """What NDIS gives to unbind_adapter, for complete_unbind_adapter."""

    __slots__ = ("binding", "done", "ndis")

    def __init__(self, binding: Binding) -> None:
        self.ndis = binding.ndis
        self.binding = binding
        self.done: Event = self.ndis.kernel.create_event()


@wdk("NdisCompleteUnbindAdapterEx")
def complete_unbind_adapter(unbind_context: UnbindContext) -> None:
    """Ends an unbind that unbind_adapter answered with PENDING."""
    unbind_context.done.set()


@wdk("NdisUnbindAdapter")
def unbind_adapter(binding: Binding) -> None:
    """A protocol asks NDIS to unbind it; unbind_adapter is called from a work item."""
    from hilnic.ndis.pnp import unbind_protocol

    binding.ndis.kernel.queue_work_item(lambda: unbind_protocol(binding))

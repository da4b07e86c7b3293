# SPDX-License-Identifier: Apache-2.0
"""Lightweight filters: drivers that sit between the protocols and the miniport of an adapter, one module per adapter.

    protocols
       |  ^
    module 0      adapter.filters, top to bottom; each sees what is sent, completed, indicated, returned, cancelled,
    module 1      requested and reported, as far as it has a handler for it (without one it is bypassed, IM-14)
       |  ^
    miniport

What a module calls is in filter_path.py (data) and filter_oid.py (requests).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hilnic.ndis.driver import Answer, PauseParameters, RestartParameters
from hilnic.ndis.faults import contained
from hilnic.ndis.flags import NdisVersion
from hilnic.ndis.kernel import Event
from hilnic.ndis.oid_request import OidRequest
from hilnic.ndis.pending import PAUSE, RESTART, complete
from hilnic.ndis.request_port import RequestPort
from hilnic.ndis.states import FILTER_MACHINE, FilterEvent, FilterState
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.nbl import NetBufferList
    from hilnic.ndis.ndis import Ndis
    from hilnic.ndis.status_indication import StatusIndication


@dataclass(frozen=True, slots=True)
class FilterAttachParameters:
    """NDIS_FILTER_ATTACH_PARAMETERS: what a module learns about the adapter below it."""

    adapter_name: str
    mac_address: bytes
    mtu_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterCharacteristics:
    """NDIS_FILTER_DRIVER_CHARACTERISTICS; `ctx` below is what set_filter_attributes was given."""

    name: str
    attach: Callable[[FilterModule, Any, FilterAttachParameters], Answer]  # (P) (module, driver_context, parameters)
    detach: Callable[[Any], Awaitable[None] | None]  # (P) (ctx)
    pause: Callable[[Any, PauseParameters], Answer]  # (P) SUCCESS or PENDING
    restart: Callable[[Any, RestartParameters], Answer]  # (P)
    send_net_buffer_lists: Callable[[Any, NetBufferList, int, int], None] | None = None  # (ctx, nbls, port, flags)
    send_net_buffer_lists_complete: Callable[[Any, NetBufferList, int], None] | None = None  # (ctx, nbls, flags)
    cancel_send_net_buffer_lists: Callable[[Any, Any], None] | None = None  # (ctx, cancel_id)
    receive_net_buffer_lists: Callable[[Any, NetBufferList, int, int, int], None] | None = None
    return_net_buffer_lists: Callable[[Any, NetBufferList, int], None] | None = None  # (ctx, nbls, return_flags)
    oid_request: Callable[[Any, OidRequest], NdisStatus] | None = None
    oid_request_complete: Callable[[Any, OidRequest, NdisStatus], None] | None = None
    cancel_oid_request: Callable[[Any, int], None] | None = None
    direct_oid_request: Callable[[Any, OidRequest], NdisStatus] | None = None
    direct_oid_request_complete: Callable[[Any, OidRequest, NdisStatus], None] | None = None
    cancel_direct_oid_request: Callable[[Any, int], None] | None = None
    status: Callable[[Any, StatusIndication], None] | None = None
    ndis_version: NdisVersion = NdisVersion.NDIS_6_30


class FilterDriver:
    """NdisFRegisterFilterDriver's handle."""

    __slots__ = ("characteristics", "context", "faulted", "modules", "ndis", "registered")

    def __init__(self, ndis: Ndis, characteristics: FilterCharacteristics, context: Any) -> None:
        self.ndis = ndis
        self.faulted = False  # a handler raised, and the driver is being taken out
        self.registered = characteristics  # as the driver has made them
        self.characteristics: FilterCharacteristics = contained(self, characteristics)
        self.context = context
        self.modules: list[FilterModule] = []

    def __repr__(self) -> str:
        return f"FilterDriver({self.characteristics.name})"


class FilterModule:
    """One filter driver on one adapter (the NdisFilterHandle). Drivers treat it as an opaque handle."""

    __slots__ = (
        "adapter",
        "cancel_forwarded",
        "cancel_handler",
        "complete_handler",
        "context",
        "direct_requests",
        "driver",
        "ghost",
        "handlers",
        "lower_returner",
        "lower_sender",
        "name",
        "ndis",
        "oids",
        "pending",
        "pending_answer",
        "position",
        "receive_handler",
        "return_handler",
        "send_handler",
        "state",
        "status_handler",
        "upper_completer",
        "upper_receiver",
    )

    def __init__(self, driver: FilterDriver, adapter: Adapter) -> None:
        ndis = driver.ndis
        self.ndis: Ndis = ndis
        self.driver = driver
        self.adapter: Adapter = adapter
        self.name = f"{driver.characteristics.name}@{adapter.name}"
        self.context: Any = None
        self.state = FilterState.DETACHED
        self.position = 0  # in adapter.filters, the top one is 0
        # the neighbours with a handler; None = the miniport, or the protocols
        self.lower_sender: FilterModule | None = None
        self.lower_returner: FilterModule | None = None
        self.upper_completer: FilterModule | None = None
        self.upper_receiver: FilterModule | None = None
        self.cancel_forwarded = False
        self.pending: dict[str, Event] = {}
        self.pending_answer: dict[str, Any] = {}
        self.direct_requests: list[OidRequest] = []  # that the filter has, first come first
        self.ghost: Any = None  # who stands in for a driver that has raised (ghosts/filter.py)
        handlers = self.handlers = contained(driver, driver.registered, lambda: self.handlers)
        guarded = ndis.guarded
        self.send_handler: Any = guarded(handlers.send_net_buffer_lists, self, "FilterSendNetBufferLists")
        self.complete_handler: Any = guarded(
            handlers.send_net_buffer_lists_complete, self, "FilterSendNetBufferListsComplete"
        )
        self.cancel_handler: Any = guarded(
            handlers.cancel_send_net_buffer_lists, self, "FilterCancelSendNetBufferLists"
        )
        self.receive_handler: Any = guarded(handlers.receive_net_buffer_lists, self, "FilterReceiveNetBufferLists")
        self.return_handler: Any = guarded(handlers.return_net_buffer_lists, self, "FilterReturnNetBufferLists")
        self.status_handler: Any = guarded(handlers.status, self, "FilterStatus")
        self.oids = RequestPort(
            self, guarded(handlers.oid_request, self, "FilterOidRequest"), handlers.cancel_oid_request
        )

    def request_refusal(self) -> NdisStatus | None:
        """How NDIS answers a request that comes down to this module; None = the module gets it."""
        return NdisStatus.NOT_ACCEPTED if self.adapter.removed else None

    @property
    def largest_frame(self) -> int:
        """The longest frame the adapter below takes."""
        return self.adapter.largest_frame

    def step(self, event: FilterEvent) -> bool:
        """Move by the table; a missing pair is a violation that names state and event (ST-01)."""
        target = FILTER_MACHINE[self.state].get(event)
        if target is None:
            self.ndis.violation("ST-01", self, self, f"{event.value} in state {self.state.value}")
            return False
        self.state = target
        self.ndis.emit("filter.state", filter=self.name, state=target.value)
        return True

    def __repr__(self) -> str:
        return f"FilterModule({self.name}, {self.state.value})"


@wdk("NdisFRegisterFilterDriver", irql="PASSIVE")
async def register_filter_driver(
    ndis: Ndis, characteristics: FilterCharacteristics, driver_context: Any = None
) -> FilterDriver:
    """Driver entry of a filter; NDIS offers it every adapter there is, on top of the filters there are."""
    from hilnic.ndis.filter_pnp import attach_filter

    driver = FilterDriver(ndis, characteristics, driver_context)
    ndis.filter_drivers.append(driver)
    for adapter in list(ndis.adapters):
        await attach_filter(driver, adapter)
    return driver


@wdk("NdisFDeregisterFilterDriver", irql="PASSIVE")
async def deregister_filter_driver(driver: FilterDriver) -> None:
    """Unload: every module is detached first; what is still allocated is a leak (ST-19)."""
    from hilnic.ndis.filter_pnp import detach_filter

    if driver not in driver.ndis.filter_drivers:
        if not driver.faulted:
            driver.ndis.violation("ST-21", driver, driver, "deregistered twice")
        return
    for module in list(driver.modules):
        await detach_filter(module)
    if not driver.faulted:  # else NDIS does the rest
        driver.ndis.filter_drivers.remove(driver)
        driver.ndis.leaks_of(driver)


@wdk("NdisFSetAttributes", irql="PASSIVE")
def set_filter_attributes(module: FilterModule, filter_module_context: Any) -> NdisStatus:
    """Called from FilterAttach: what the handlers get as their context."""
    if module.state is not FilterState.ATTACHING:
        return NdisStatus.INVALID_STATE
    module.context = filter_module_context
    return NdisStatus.SUCCESS


@wdk("NdisFPauseComplete")
def complete_filter_pause(module: FilterModule) -> None:
    """Ends a pause that the filter answered with PENDING: nothing of anybody's is with it any more (ST-03)."""
    complete(module, PAUSE, NdisStatus.SUCCESS)


@wdk("NdisFRestartComplete", irql="PASSIVE")
def complete_filter_restart(module: FilterModule, status: NdisStatus) -> None:
    """Ends a restart that the filter answered with PENDING."""
    complete(module, RESTART, status)


@wdk("NdisFRestartFilter")
def restart_filter(module: FilterModule) -> None:
    """A filter wants to be paused and restarted; it comes from a work item."""
    from hilnic.ndis.filter_pnp import pause_and_restart

    module.ndis.kernel.queue_work_item(lambda: pause_and_restart(module))

# SPDX-License-Identifier: Apache-2.0
"""Plug and play: how the system starts, pauses, restarts, removes and halts an adapter and its bindings.

Down goes top-down (protocols are told to pause before the miniport), up goes bottom-up (ST-12). One operation at a time
per adapter; reset (reset.py) is separate, for it may overlap a pause and leaves the state alone (ST-13).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic.ndis import filter_pnp
from hilnic.ndis.adapter import Adapter
from hilnic.ndis.binding import BindContext, Binding, UnbindContext
from hilnic.ndis.condis.address_family import announce
from hilnic.ndis.driver import (
    BindParameters,
    InitializeParameters,
    MiniportDriver,
    NetPnpEvent,
    PauseParameters,
    ProtocolDriver,
    RestartParameters,
)
from hilnic.ndis.flags import DevicePnpEvent, HaltAction, NetEvent, PauseReason, ShutdownAction
from hilnic.ndis.pending import PAUSE, RESTART, ask, complete
from hilnic.ndis.reset import stop_watching, watch_for_hang
from hilnic.ndis.states import AdapterEvent, AdapterState, BindingEvent, BindingState, FilterState
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.verifier.watchdog import PAUSE_LIMIT_S, UNBIND_LIMIT_S
from hilnic.ndis.waiting import answer_of
from hilnic.ndis.wdk import wdk

if TYPE_CHECKING:
    from hilnic.ndis.ndis import Ndis

# Start and halt.


async def start_adapter(
    ndis: Ndis, driver: MiniportDriver, name: str, resources: Any = None
) -> tuple[NdisStatus, Adapter]:
    """Initialise a miniport on a device, bind every protocol, restart: the adapter is Running on SUCCESS."""
    adapter = Adapter(ndis, driver, name)
    adapter.resources = resources
    adapter.step(AdapterEvent.INITIALIZE)
    parameters = InitializeParameters(name, resources)
    status = await answer_of(driver.characteristics.initialize(adapter, driver.context, parameters))
    if status is not NdisStatus.SUCCESS:
        ndis.leaks_of(adapter)
        adapter.step(AdapterEvent.INITIALIZE_FAILED)
        return status, adapter
    adapter.step(AdapterEvent.INITIALIZED)
    ndis.adapters.append(adapter)
    driver.adapters.append(adapter)
    watch_for_hang(adapter)
    for filter_driver in list(ndis.filter_drivers):
        await filter_pnp.attach(filter_driver, adapter, 0)
    for protocol in list(ndis.protocol_drivers):
        await _bind(protocol, adapter)
    return await restart_adapter(adapter), adapter


async def halt_adapter(adapter: Adapter, action: HaltAction = HaltAction.DEVICE_DISABLED) -> None:
    """Pause, unbind every protocol, halt; whatever the miniport still holds is a leak (ST-18, ST-19).

    A pause, restart or reset that runs already ends first; a second halt waits for the first.
    """
    if adapter.halted is not None:
        await adapter.halted.wait()
        return
    adapter.halted = adapter.ndis.kernel.create_event()
    while adapter.resetting:
        await adapter.reset_ended.wait()
    async with adapter.pnp_lock:
        if adapter.state is AdapterState.RUNNING:
            await pause_stack(adapter, PauseReason.MINIPORT_DEVICE_REMOVE)
    for binding in list(adapter.bindings):
        await _unbind(binding)
    async with adapter.pnp_lock:
        await adapter.oids.drain()
        stop_watching(adapter)
        for module in adapter.filters:
            await filter_pnp.detach(module)
        await answer_of(adapter.driver.characteristics.halt(adapter.context, action))
        adapter.ndis.leaks_of(adapter)
        adapter.step(AdapterEvent.HALT)
        adapter.ndis.adapters.remove(adapter)
        adapter.driver.adapters.remove(adapter)
    adapter.halted.set()


async def surprise_remove_adapter(adapter: Adapter) -> None:
    """The device is gone: tell the miniport, pause, unbind, halt; sends and OIDs end with NOT_ACCEPTED (ST-17)."""
    if adapter.removed:
        return
    adapter.removed = True
    adapter.update_bindings()
    notify = adapter.driver.characteristics.device_pnp_event_notify
    if notify is not None:
        notify(adapter.context, DevicePnpEvent.SURPRISE_REMOVED)
    await halt_adapter(adapter, HaltAction.DEVICE_SURPRISE_REMOVED)


def shutdown_adapter(adapter: Adapter, action: ShutdownAction = ShutdownAction.POWER_OFF) -> None:
    """The host goes down: silence the device, nothing else."""
    if adapter.step(AdapterEvent.SHUTDOWN) and adapter.driver.characteristics.shutdown is not None:
        adapter.driver.characteristics.shutdown(adapter.context, action)


@wdk("NdisMRemoveMiniport")
def remove_miniport(adapter: Adapter) -> None:
    """A miniport says that its hardware is beyond recovery; removal follows from a work item."""
    adapter.ndis.kernel.queue_work_item(lambda: surprise_remove_adapter(adapter))


# Pause and restart.


async def pause_adapter(adapter: Adapter, reason: PauseReason = PauseReason.NDIS_INTERNAL) -> None:
    """Pause the protocols, the filters top-down, then the miniport (ST-12). The pause cannot fail (ST-04)."""
    async with adapter.pnp_lock:
        await pause_stack(adapter, reason)


async def pause_stack(adapter: Adapter, reason: PauseReason) -> None:
    """Pause everything, with the PnP lock held."""
    for binding in list(adapter.bindings):
        if binding.state is BindingState.RUNNING:
            await _pause_binding(binding, reason)
    for module in adapter.filters:
        if module.state is FilterState.RUNNING:
            await filter_pnp.pause(module, reason)
    if not adapter.step(AdapterEvent.PAUSE):
        return
    status = await ask(adapter, PAUSE, adapter.driver.characteristics.pause, PauseParameters(reason))
    if status is not NdisStatus.SUCCESS:
        adapter.ndis.violation("ST-04", adapter, adapter, f"pause answered {NdisStatus(status).name}")
    if adapter.sends_outstanding or adapter.receives_outstanding:
        adapter.ndis.violation("ST-03", adapter, adapter, f"paused with {adapter.statistics()}")
    adapter.step(AdapterEvent.PAUSED)


async def restart_adapter(adapter: Adapter) -> NdisStatus:
    """Restart the miniport, the filters, then the protocols. A failure leaves the adapter Paused (ST-09)."""
    async with adapter.pnp_lock:
        return await restart_stack(adapter)


async def restart_stack(adapter: Adapter) -> NdisStatus:
    """Restart everything, with the PnP lock held."""
    if not adapter.step(AdapterEvent.RESTART):
        return NdisStatus.INVALID_STATE
    status = await ask(adapter, RESTART, adapter.driver.characteristics.restart, RestartParameters())
    if status is not NdisStatus.SUCCESS:
        adapter.step(AdapterEvent.RESTART_FAILED)
        return NdisStatus(status)
    adapter.step(AdapterEvent.RESTARTED)
    for module in reversed(adapter.filters):
        failed = await filter_pnp.restart(module)
        if failed is not NdisStatus.SUCCESS:
            await pause_stack(adapter, PauseReason.NDIS_INTERNAL)
            return failed
    for binding in list(adapter.bindings):
        if binding.state is BindingState.PAUSED:
            await _restart_binding(binding)
    return NdisStatus.SUCCESS


@wdk("NdisMPauseComplete", callout=True)
def complete_pause(adapter: Adapter) -> None:
    """Ends a pause that the miniport answered with PENDING: all sends completed, all receives back (ST-03)."""
    complete(adapter, PAUSE, NdisStatus.SUCCESS)


@wdk("NdisMRestartComplete", callout=True)
def complete_restart(adapter: Adapter, status: NdisStatus) -> None:
    """Ends a restart that the miniport answered with PENDING."""
    complete(adapter, RESTART, status)


async def _pause_binding(binding: Binding, reason: PauseReason) -> None:
    binding.step(BindingEvent.PAUSE)
    with binding.ndis.time_limit(PAUSE_LIMIT_S, "ST-11", binding, binding, "the pause of the protocol"):
        await notify_protocol(binding, NetPnpEvent(NetEvent.PAUSE, reason))
    binding.step(BindingEvent.PAUSED)


async def _restart_binding(binding: Binding) -> None:
    binding.step(BindingEvent.RESTART)
    status = await notify_protocol(binding, NetPnpEvent(NetEvent.RESTART))
    binding.step(BindingEvent.RESTARTED if status is NdisStatus.SUCCESS else BindingEvent.RESTART_FAILED)


async def notify_protocol(binding: Binding, event: NetPnpEvent) -> NdisStatus:
    """Tell a protocol and wait for its final answer."""
    handler = binding.driver.characteristics.net_pnp_event
    if handler is None:
        return NdisStatus.SUCCESS
    done = binding.ndis.kernel.create_event()
    answers: list[NdisStatus] = []
    binding.pending[event.event.name] = (done, answers)
    status = await answer_of(handler(binding.context, event))
    if status is NdisStatus.PENDING:
        await done.wait()
        status = answers[0]
    binding.pending.pop(event.event.name, None)
    return status


@wdk("NdisCompleteNetPnPEvent")
def complete_net_pnp_event(binding: Binding, event: NetPnpEvent, status: NdisStatus) -> None:
    """Ends an event that net_pnp_event answered with PENDING, once (ST-06)."""
    pending = binding.pending.get(event.event.name)
    if pending is None or pending[1]:
        binding.ndis.violation("ST-06", binding, event.event.name, "completed, but it is not pending")
        return
    pending[1].append(status)
    pending[0].set()


# Bind and unbind.


async def bind_protocol(protocol: ProtocolDriver, adapter: Adapter) -> tuple[NdisStatus, Binding | None]:
    """Offer the adapter to the protocol; on SUCCESS the binding is Running when the adapter is."""
    status, binding = await _bind(protocol, adapter)
    if binding is not None and adapter.state is AdapterState.RUNNING:
        async with adapter.pnp_lock:
            await _restart_binding(binding)
    return status, binding


async def _bind(protocol: ProtocolDriver, adapter: Adapter) -> tuple[NdisStatus, Binding | None]:
    if protocol.upper_edge is adapter.driver:
        return NdisStatus.NOT_RECOGNIZED, None  # an intermediate driver is not offered its own virtual adapters
    context = BindContext(protocol, adapter)
    async with adapter.pnp_lock:
        protocol.binds.append(context)
        answer = protocol.characteristics.bind_adapter(protocol.context, context, _bind_parameters(adapter))
        status = await answer_of(answer)
        if status is NdisStatus.PENDING:
            await context.done.wait()
            status = context.status or NdisStatus.SUCCESS
        protocol.binds.remove(context)
        context.status = status
        if (
            not protocol.faulted
            and context.binding is not None
            and (
                context.binding.state is BindingState.OPENING
                or (status is not NdisStatus.SUCCESS and context.binding.state is not BindingState.UNBOUND)
            )
        ):
            protocol.ndis.violation(
                "ST-22", protocol, context, f"bind ended with {status.name} and a half-open binding"
            )
    if status is not NdisStatus.SUCCESS:
        return status, None
    if context.binding is not None:
        announce(context.binding)
    return status, context.binding


def _bind_parameters(adapter: Adapter) -> BindParameters:
    attributes = adapter.attributes
    return BindParameters(
        adapter_name=adapter.name,
        media_type=attributes.media_type,
        mtu_size=attributes.mtu_size,
        mac_address=attributes.mac_address,
        media_connect_state=attributes.media_connect_state,
        xmit_link_speed=attributes.xmit_link_speed,
        rcv_link_speed=attributes.rcv_link_speed,
        mac_options=attributes.mac_options,
        supported_packet_filters=attributes.supported_packet_filters,
        max_multicast_list_size=attributes.max_multicast_list_size,
        lookahead_size=attributes.lookahead_size,
    )


async def unbind_protocol(binding: Binding) -> None:
    """Pause the binding, let the protocol close it, and wait until it is closed."""
    await _unbind(binding)


async def _unbind(binding: Binding) -> None:
    async with binding.adapter.pnp_lock:
        if binding.state is BindingState.UNBOUND:  # somebody else has unbound it meanwhile
            return
        if binding.state is BindingState.RUNNING:
            await _pause_binding(binding, PauseReason.UNBIND_PROTOCOL)
        context = UnbindContext(binding)
        binding.driver.unbinds.append(context)
        with binding.ndis.time_limit(UNBIND_LIMIT_S, "ST-22", binding, binding, "the unbind"):
            status = await answer_of(binding.driver.characteristics.unbind_adapter(context, binding.context))
            if status is NdisStatus.PENDING:
                await context.done.wait()
        binding.driver.unbinds.remove(context)
        if binding in binding.adapter.bindings:
            binding.ndis.violation("ST-22", binding, binding, "unbind ended before the close did")

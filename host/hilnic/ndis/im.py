# SPDX-License-Identifier: Apache-2.0
"""Intermediate drivers: a protocol at its lower edge, a miniport at its upper one, whose adapters are virtual.

    protocols above                                 bind to the virtual adapters as to any other
    virtual adapter(s)   MiniportDriver  \\
                                          > one driver: im_associate_miniport
    binding              ProtocolDriver  /
    adapter below

The driver sends on through its binding what its virtual miniport was given, with the binding as the source handle, and
restores the handle before it completes; likewise upwards (IM-01 to IM-03).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic.ndis.flags import HaltAction
from hilnic.ndis.pnp import halt_adapter, notify_protocol, start_adapter
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.binding import Binding
    from hilnic.ndis.driver import MiniportDriver, NetPnpEvent, ProtocolDriver


@wdk("NdisIMAssociateMiniport", irql="PASSIVE")
def im_associate_miniport(driver: MiniportDriver, protocol: ProtocolDriver) -> None:
    """Say that these two are the edges of one intermediate driver; before it opens its first adapter."""
    driver.lower_edge, protocol.upper_edge = protocol, driver
    for binding in protocol.bindings:
        binding.forwards = True


@wdk("NdisIMInitializeDeviceInstanceEx", irql="PASSIVE")
def im_initialize_device_instance(driver: MiniportDriver, name: str, device_context: Any = None) -> NdisStatus:
    """Create the virtual adapter `name`: its MiniportInitializeEx follows from a work item, then protocols bind to it.

    `device_context` is InitializeParameters.resources, and what im_get_binding_context gives.
    """
    if not isinstance(name, str):
        raise TypeError(f"{name!r} is no name of an adapter")
    if name in driver.initializing or any(adapter.name == name for adapter in driver.adapters):
        return NdisStatus.FAILURE
    driver.initializing.append(name)

    async def initialize() -> None:
        if name in driver.initializing:
            driver.initializing.remove(name)
            await start_adapter(driver.ndis, driver, name, device_context)

    driver.ndis.kernel.queue_work_item(initialize)
    return NdisStatus.SUCCESS


@wdk("NdisIMCancelInitializeDeviceInstance", irql="PASSIVE")
def im_cancel_initialize_device_instance(driver: MiniportDriver, name: str) -> NdisStatus:
    """Take an initialisation back that has not begun: SUCCESS; afterwards it is too late: FAILURE."""
    if name not in driver.initializing:
        return NdisStatus.FAILURE
    driver.initializing.remove(name)
    return NdisStatus.SUCCESS


@wdk("NdisIMDeInitializeDeviceInstance", irql="PASSIVE")
async def im_deinitialize_device_instance(adapter: Adapter) -> NdisStatus:
    """Halt a virtual adapter: pause it, unbind the protocols above, MiniportHaltEx."""
    if adapter not in adapter.driver.adapters:
        return NdisStatus.FAILURE
    await halt_adapter(adapter, HaltAction.DEVICE_INSTANCE_DEINITIALIZED)
    return NdisStatus.SUCCESS


@wdk("NdisIMGetBindingContext")
def im_get_binding_context(binding: Binding) -> Any:
    """For a protocol bound to a virtual adapter: the device context that the intermediate driver gave it."""
    return binding.adapter.resources


@wdk("NdisIMNotifyPnPEvent", irql="PASSIVE")
async def im_notify_pnp_event(adapter: Adapter, event: NetPnpEvent) -> NdisStatus:
    """Pass an event of the lower edge (power, above all) on to every protocol above a virtual adapter."""
    answers = [await notify_protocol(binding, event) for binding in list(adapter.bindings)]
    return next((status for status in answers if status is not NdisStatus.SUCCESS), NdisStatus.SUCCESS)

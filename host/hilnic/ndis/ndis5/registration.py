# SPDX-License-Identifier: Apache-2.0
"""Registration of NDIS 5 drivers, and the attributes of an adapter (C5-01, C5-02)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hilnic.ndis import driver as core
from hilnic.ndis.adapter import Adapter
from hilnic.ndis.driver import MiniportDriver, ProtocolCharacteristics, ProtocolDriver
from hilnic.ndis.ndis5.characteristics import (
    VERSIONS,
    MiniportCharacteristics5,
    ProtocolCharacteristics5,
    check_miniport,
    check_protocol,
)
from hilnic.ndis.ndis5.constants import Attributes5
from hilnic.ndis.ndis5.miniport_edge import core_driver, edge_of
from hilnic.ndis.ndis5.protocol_edge import BindingEdge, ProtocolEdge
from hilnic.ndis.ndis5.serializer import Serializer
from hilnic.ndis.states import AdapterState
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk

if TYPE_CHECKING:
    from hilnic.ndis.ndis import Ndis


@wdk("NdisMRegisterMiniport", irql="PASSIVE")
def register_miniport(
    ndis: Ndis, characteristics: MiniportCharacteristics5, driver_context: Any = None
) -> tuple[NdisStatus, MiniportDriver | None]:
    """Driver entry of a 5.x miniport; adapters follow by `start_adapter`. BAD_VERSION, BAD_CHARACTERISTICS (C5-01)."""
    return enter(ndis, characteristics, driver_context)


def enter(
    ndis: Ndis, characteristics: MiniportCharacteristics5, driver_context: Any
) -> tuple[NdisStatus, MiniportDriver | None]:
    """Take a miniport driver in, or the upper half of an intermediate one."""
    status = check_miniport(characteristics)
    if status is not NdisStatus.SUCCESS:
        return status, None
    driver = core_driver(ndis, characteristics, driver_context)
    ndis.miniport_drivers.append(driver)
    return status, driver


def deregister_miniport(driver: MiniportDriver) -> None:
    """NdisTerminateWrapper: unload; every adapter has been halted before."""
    core.deregister_miniport_driver(driver)


@wdk("NdisMSetAttributesEx", irql="PASSIVE")
def set_attributes_ex(
    adapter: Adapter, context: Any, check_for_hang_seconds: int = 0, attribute_flags: int = 0
) -> None:
    """Called from MiniportInitialize before the hardware is touched: the driver's context, and Attributes5 (C5-02)."""
    edge = edge_of(adapter, "NdisMSetAttributesEx")
    if edge is None:
        return
    if adapter.state is not AdapterState.INITIALIZING:
        adapter.ndis.violation("C5-02", adapter, adapter, f"attributes set while {adapter.state.value}")
        return
    edge.context = context
    edge.flags = attribute_flags
    edge.check_for_hang_seconds = check_for_hang_seconds
    edge.lock = Serializer(adapter.ndis.kernel, serialized=not attribute_flags & Attributes5.DESERIALIZE)
    edge.has_attributes = True


def query_adapter_resources(adapter: Adapter) -> Any:
    """NdisMQueryAdapterResources: what the bus gave the adapter (a Device port, for our NIC)."""
    edge = edge_of(adapter, "NdisMQueryAdapterResources")
    return None if edge is None else edge.resources


@wdk("NdisMRegisterAdapterShutdownHandler", irql="PASSIVE")
def register_adapter_shutdown_handler(adapter: Adapter, context: Any, handler: Callable[[Any], None]) -> None:
    """How a 5.0 miniport, from initialize, has handler(context) called when the host goes down (C5-14)."""
    edge = edge_of(adapter, "NdisMRegisterAdapterShutdownHandler")
    if edge is not None:
        edge.shutdown_handler, edge.shutdown_context = handler, context


@wdk("NdisMDeregisterAdapterShutdownHandler", irql="PASSIVE")
def deregister_adapter_shutdown_handler(adapter: Adapter) -> None:
    """From halt: no more."""
    edge = edge_of(adapter, "NdisMDeregisterAdapterShutdownHandler")
    if edge is not None:
        edge.shutdown_handler = None


@wdk("NdisRegisterProtocol", irql="PASSIVE")
async def register_protocol(
    ndis: Ndis, characteristics: ProtocolCharacteristics5, driver_context: Any = None
) -> tuple[NdisStatus, ProtocolDriver | None]:
    """Driver entry of a 5.x protocol; NDIS offers it every adapter before this returns."""
    status = check_protocol(characteristics, ndis.profile.receive_required)
    if status is not NdisStatus.SUCCESS:
        return status, None
    edge = ProtocolEdge(ndis, characteristics, driver_context)
    return status, await core.register_protocol_driver(ndis, _core_protocol(characteristics), edge)


@wdk("NdisDeregisterProtocol", irql="PASSIVE")
async def deregister_protocol(protocol: ProtocolDriver) -> None:
    """Unload: unbinds from every adapter first."""
    await core.deregister_protocol_driver(protocol)


def _core_protocol(characteristics: ProtocolCharacteristics5) -> ProtocolCharacteristics:
    from hilnic.ndis.condis.ndis5.handlers import set_options

    return ProtocolCharacteristics(
        name=characteristics.name,
        set_options=set_options,
        ndis_version=VERSIONS[characteristics.version],
        bind_adapter=ProtocolEdge.bind_adapter,
        unbind_adapter=_unbind_adapter,
        receive_net_buffer_lists=BindingEdge.receive_net_buffer_lists,
        send_net_buffer_lists_complete=BindingEdge.send_net_buffer_lists_complete,
        open_adapter_complete=BindingEdge.open_adapter_complete,
        close_adapter_complete=BindingEdge.close_adapter_complete,
        net_pnp_event=BindingEdge.net_pnp_event,
        oid_request_complete=BindingEdge.oid_request_complete,
        status=BindingEdge.status,
    )


async def _unbind_adapter(unbind_context: Any, edge: BindingEdge) -> NdisStatus:
    return await edge.unbind_adapter(unbind_context)

# SPDX-License-Identifier: Apache-2.0
"""What connection-oriented protocols have in common, clients and call managers: registration, bind, unbind.

A binding (its context) has `handle`, NDIS's, `leave`, which ends what it has to do with others, and `free`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from hilnic import ndis
from hilnic.ndis import NdisStatus, NetBufferList, ReceiveFlags, condis
from hilnic.ndis.condis.characteristics import OptionalHandlers

__all__ = ["CoDriver", "CoProtocol", "ignore", "take_sdus"]


def ignore(*_: Any) -> None:
    """What NDIS tells, and nobody here waits for."""


def take_sdus(binding: ndis.Binding, nbls: NetBufferList, flags: int) -> list[bytes]:
    """Copy what has come, and return the lists at once."""
    sdus = [nb.tobytes() for nbl in ndis.walk(nbls) for nb in nbl.net_buffers()]
    if not flags & ReceiveFlags.RESOURCES:
        ndis.return_net_buffer_lists(binding, nbls)
    return sdus


def _return(binding: Any, nbls: NetBufferList, port_number: int, count: int, flags: int) -> None:
    """Connectionless frames, which it has not asked for."""
    del port_number, count
    if not flags & ReceiveFlags.RESOURCES:
        ndis.return_net_buffer_lists(binding.handle, nbls)


class CoDriver(ABC):
    """A driver of either version: `await driver.register(host)`, then `driver.bindings` by adapter name."""

    handle: ndis.ProtocolDriver

    def __init__(self, name: str) -> None:
        self.name = name
        self.bindings: dict[str, Any] = {}

    def __repr__(self) -> str:
        """Name and adapters."""
        return f"<{type(self).__name__} {self.name} on {list(self.bindings)}>"

    @abstractmethod
    async def register(self, host: ndis.Ndis) -> None:
        """Register with NDIS, which binds to every adapter there is."""

    @abstractmethod
    async def deregister(self) -> None:
        """Unbind from all adapters and leave NDIS."""


class CoProtocol(CoDriver):
    """A driver of NDIS 6."""

    handlers: ClassVar[tuple[OptionalHandlers, ...]]
    """For NdisSetOptionalHandlers."""

    async def register(self, host: ndis.Ndis) -> None:
        """Register with NDIS, which binds to every adapter there is."""
        characteristics = ndis.ProtocolCharacteristics(
            name=self.name,
            set_options=_set_options,
            bind_adapter=_bind,
            unbind_adapter=_unbind,
            net_pnp_event=_pnp_event,
            receive_net_buffer_lists=_return,
            send_net_buffer_lists_complete=ignore,
        )
        self.handle = await ndis.register_protocol_driver(host, characteristics, self)

    async def deregister(self) -> None:
        """Unbind from all adapters and leave NDIS."""
        await ndis.deregister_protocol_driver(self.handle)

    @abstractmethod
    def new_binding(self, parameters: ndis.BindParameters) -> Any:
        """The context of a binding that is being opened."""

    def opened(self, binding: Any, parameters: ndis.BindParameters) -> NdisStatus:
        """The adapter is open; anything but SUCCESS closes it again."""
        del binding, parameters
        return NdisStatus.SUCCESS


def _set_options(driver: ndis.ProtocolDriver, context: CoProtocol) -> NdisStatus:
    context.handle = driver
    for handlers in context.handlers:
        condis.set_optional_handlers(driver, handlers)
    return NdisStatus.SUCCESS


def _bind(driver: CoProtocol, bind_context: ndis.BindContext, parameters: ndis.BindParameters) -> NdisStatus:
    binding = driver.new_binding(parameters)
    status, binding.handle = ndis.open_adapter(bind_context.protocol, binding, ndis.OpenParameters(), bind_context)
    if status is NdisStatus.SUCCESS:
        status = driver.opened(binding, parameters)
        if status is NdisStatus.SUCCESS:
            driver.bindings[parameters.adapter_name] = binding
            return status
        ndis.close_adapter(binding.handle)
    binding.free()
    return status


async def _unbind(unbind_context: ndis.UnbindContext, binding: Any) -> NdisStatus:
    del unbind_context
    await binding.leave()
    status = ndis.close_adapter(binding.handle)
    binding.free()
    binding.driver.bindings.pop(binding.adapter_name, None)
    return status


async def _pnp_event(binding: Any, event: ndis.NetPnpEvent) -> NdisStatus:
    status: NdisStatus = await binding.pnp_event(event)
    return status

# SPDX-License-Identifier: Apache-2.0
"""What connection-oriented protocols of NDIS 5 have in common, clients and call managers: see `co_protocol`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from hilnic import ndis
from hilnic.ndis import NdisMedium, NdisStatus, ndis5
from hilnic.ndis.ndis5 import Packet, ProtocolCharacteristics5
from hilnic.protocols.co_protocol import CoDriver, ignore

__all__ = ["Closing", "CoProtocol5"]


class Closing:
    """A binding that can wait for the end of NdisCloseAdapter."""

    handle: Any
    kernel: Any
    _closed: Any

    async def close(self) -> None:
        """NdisCloseAdapter, to its end."""
        self._closed = self.kernel.create_event()
        if ndis5.close_adapter(self.handle) is NdisStatus.PENDING:
            await self._closed.wait()

    def close_complete(self, status: NdisStatus) -> None:
        """ProtocolCloseAdapterComplete."""
        del status
        self._closed.set()


class CoProtocol5(CoDriver):
    """A driver of NDIS 5."""

    def characteristics(
        self,
        receive_packet: Callable[[Any, Any, Packet], int],
        send_complete: Callable[[Any, Packet, int], None],
    ) -> ProtocolCharacteristics5:
        """Handlers of a protocol that takes and sends packets on VCs, and does nothing else; subclasses add theirs."""
        return ProtocolCharacteristics5(
            name=self.name,
            bind_adapter=_bind,
            unbind_adapter=_unbind,
            open_adapter_complete=ignore,
            close_adapter_complete=Closing.close_complete,
            send_complete=ignore,
            request_complete=ignore,
            reset_complete=ignore,
            status=ignore,
            status_complete=ignore,
            receive_packet=_unwanted,
            co_receive_packet=receive_packet,
            co_send_complete=send_complete,
        )

    @abstractmethod
    def own_characteristics(self) -> ProtocolCharacteristics5:
        """All handlers."""

    async def register(self, host: ndis.Ndis) -> None:
        """Register with NDIS, which binds to every adapter there is."""
        status, driver = await ndis5.register_protocol(host, self.own_characteristics(), self)
        if driver is None:
            raise RuntimeError(f"NdisRegisterProtocol: {status.name}")
        self.handle = driver

    async def deregister(self) -> None:
        """Unbind from all adapters and leave NDIS."""
        await ndis5.deregister_protocol(self.handle)

    @abstractmethod
    def new_binding(self, adapter_name: str) -> Any:
        """The context of a binding that is being opened."""

    async def opened(self, binding: Any) -> NdisStatus:
        """The adapter is open; anything but SUCCESS closes it again."""
        del binding
        return NdisStatus.SUCCESS


async def _bind(driver: CoProtocol5, bind_context: ndis.BindContext, adapter_name: str) -> NdisStatus:
    driver.handle = bind_context.protocol
    binding = driver.new_binding(adapter_name)
    mediums = (NdisMedium.MEDIUM_802_3,)
    status, _, binding.handle = ndis5.open_adapter(driver.handle, binding, mediums, bind_context)
    if status is NdisStatus.SUCCESS:
        status = await driver.opened(binding)
        if status is NdisStatus.SUCCESS:
            driver.bindings[adapter_name] = binding
            return status
        await binding.close()
    binding.free()
    return status


async def _unbind(binding: Any, unbind_context: ndis.UnbindContext) -> NdisStatus:
    del unbind_context
    await binding.leave()
    await binding.close()
    binding.free()
    binding.driver.bindings.pop(binding.adapter_name, None)
    return NdisStatus.SUCCESS


def _unwanted(binding: Any, packet: Packet) -> int:
    """ProtocolReceivePacket: connectionless frames, which it has not asked for."""
    del binding, packet
    return 0

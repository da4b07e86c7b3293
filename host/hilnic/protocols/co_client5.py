# SPDX-License-Identifier: Apache-2.0
"""The CoNDIS client for applications, of NDIS 5: co_client with packets instead of lists."""

from __future__ import annotations

from typing import Any

from hilnic import ndis
from hilnic.ndis import NdisMedium, NdisStatus, ndis5
from hilnic.ndis.condis import AfHandle, CoAddressFamily
from hilnic.ndis.condis import ndis5 as condis5
from hilnic.ndis.ndis5 import Packet
from hilnic.protocols.co_client import CLIENT, LONGEST_SDU, CoBinding, CoClient
from hilnic.protocols.co_connection import Connection
from hilnic.protocols.sdu import PacketPool

__all__ = ["CoBinding5", "CoClient5"]

_PACKETS = 4096
"""That may be outstanding at a time."""


class CoBinding5(CoBinding):
    """The client on one adapter."""

    def make_pool(self) -> PacketPool:
        """What SDUs are sent from: packets."""
        return PacketPool(self.client.handle, LONGEST_SDU, _PACKETS, self.client.name)

    def open_family(self, family: CoAddressFamily) -> tuple[NdisStatus, AfHandle | None]:
        """NdisClOpenAddressFamily: the handlers come with the call."""
        return condis5.cl_open_address_family(self.open_handle, family, self, CLIENT)

    async def close(self) -> None:
        """NdisCloseAdapter, to its end."""
        self._closed = self.kernel.create_event()
        if ndis5.close_adapter(self.open_handle) is NdisStatus.PENDING:
            await self._closed.wait()

    def close_complete(self, status: NdisStatus) -> None:
        """ProtocolCloseAdapterComplete."""
        del status
        self._closed.set()


def _receive_packet(binding: CoBinding5, connection: Connection, packet: Packet) -> int:
    """ProtocolCoReceivePacket: copied, none is kept."""
    del binding
    connection.arrived([packet.tobytes()])
    return 0


def _send_complete(connection: Connection, packet: Packet, status: int) -> None:
    """ProtocolCoSendComplete."""
    pool = connection.binding.sdus
    assert isinstance(pool, PacketPool)
    connection.returned(*pool.completed(packet, status))


def _unwanted(binding: CoBinding5, packet: Packet) -> int:
    """ProtocolReceivePacket: connectionless frames, which it has not asked for."""
    del binding, packet
    return 0


def _ignore(*_: Any) -> None:
    """What NDIS tells, and nobody here waits for."""


class CoClient5(CoClient):
    """The driver: `await CoClient5(...).register(host)`, then `client.bindings`."""

    async def register(self, host: ndis.Ndis) -> None:
        """Register with NDIS, which binds to every adapter there is."""
        characteristics = ndis5.ProtocolCharacteristics5(
            name=self.name,
            bind_adapter=CoClient5._bind5,
            unbind_adapter=CoClient5._unbind5,
            open_adapter_complete=_ignore,
            close_adapter_complete=CoBinding5.close_complete,
            send_complete=_ignore,
            request_complete=_ignore,
            reset_complete=_ignore,
            status=_ignore,
            status_complete=_ignore,
            receive_packet=_unwanted,
            pnp_event=CoBinding5.pnp_event,
            co_receive_packet=_receive_packet,
            co_send_complete=_send_complete,
            co_af_register_notify=CoBinding5.af_register_notify,
        )
        status, driver = await ndis5.register_protocol(host, characteristics, self)
        if driver is None:
            raise RuntimeError(f"NdisRegisterProtocol: {status.name}")
        self.handle = driver

    async def deregister(self) -> None:
        """Unbind from all adapters and leave NDIS."""
        await ndis5.deregister_protocol(self.handle)

    def _bind5(self, bind_context: ndis.BindContext, adapter_name: str) -> NdisStatus:
        self.handle = bind_context.protocol
        binding = CoBinding5(self, adapter_name)
        mediums = (NdisMedium.MEDIUM_802_3,)
        status, _, binding.handle = ndis5.open_adapter(self.handle, binding, mediums, bind_context)
        if status is NdisStatus.SUCCESS:
            self.bindings[adapter_name] = binding
        else:
            binding.sdus.close()
        return status

    @staticmethod
    async def _unbind5(binding: CoBinding5, unbind_context: ndis.UnbindContext) -> NdisStatus:
        del unbind_context
        await binding.leave()
        await binding.close()
        binding.sdus.close()
        binding.client.bindings.pop(binding.adapter_name, None)
        return NdisStatus.SUCCESS

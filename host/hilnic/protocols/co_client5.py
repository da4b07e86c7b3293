# SPDX-License-Identifier: Apache-2.0
"""The CoNDIS client for applications, of NDIS 5: co_client with packets instead of lists."""

from __future__ import annotations

from dataclasses import replace

from hilnic.ndis import NdisStatus
from hilnic.ndis.condis import AfHandle, CoAddressFamily
from hilnic.ndis.condis import ndis5 as condis5
from hilnic.ndis.ndis5 import Packet, ProtocolCharacteristics5
from hilnic.protocols.co_client import CLIENT, LONGEST_SDU, CoBinding
from hilnic.protocols.co_connection import Connection
from hilnic.protocols.co_protocol5 import Closing, CoProtocol5
from hilnic.protocols.sdu import PacketPool

__all__ = ["CoBinding5", "CoClient5"]

_PACKETS = 4096
"""That may be outstanding at a time."""


class CoBinding5(Closing, CoBinding):
    """The client on one adapter."""

    def make_pool(self) -> PacketPool:
        """What SDUs are sent from: packets."""
        return PacketPool(self.driver.handle, LONGEST_SDU, _PACKETS, self.driver.name)

    def open_family(self, family: CoAddressFamily) -> tuple[NdisStatus, AfHandle | None]:
        """NdisClOpenAddressFamily: the handlers come with the call."""
        return condis5.cl_open_address_family(self.open_handle, family, self, CLIENT)


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


class CoClient5(CoProtocol5):
    """The driver: `await CoClient5(...).register(host)`, then `client.bindings`."""

    def __init__(self, *, name: str = "co client") -> None:
        super().__init__(name)

    def own_characteristics(self) -> ProtocolCharacteristics5:
        """Those of any such protocol, and the way to an address family."""
        return replace(
            self.characteristics(_receive_packet, _send_complete),
            pnp_event=CoBinding5.pnp_event,
            co_af_register_notify=CoBinding5.af_register_notify,
        )

    def new_binding(self, adapter_name: str) -> CoBinding5:
        """On one adapter."""
        return CoBinding5(self, adapter_name)

# SPDX-License-Identifier: Apache-2.0
"""The functional CoNDIS client of NDIS 5: a functional 5.x protocol that makes and takes calls (co_calls.py).

    call.send(frame, frame)                 one array of packets
    client.references = 1                   co_receive_packet keeps packets, in call.held until call.give_back()
A *mutant* is a subclass that breaks one rule.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import Any

from hilnic import ndis
from hilnic.ndis import NdisStatus, ndis5
from hilnic.ndis.condis import AfHandle, CoAddressFamily
from hilnic.ndis.condis import ndis5 as condis5
from hilnic.ndis.ndis5 import BindingEdge, NdisRequest, Packet, ProtocolCharacteristics5
from hilnic.testing.co_calls import Call, CallScript
from hilnic.testing.packets import free_built_packet
from hilnic.testing.protocol5 import FunctionalProtocol5

__all__ = ["ClientCall5", "FunctionalCoClient5"]


class ClientCall5(Call):
    """A call, with the packets that it sends and receives."""

    in_flight = 0
    """Packets sent and not completed."""

    def build(self, frame: bytes) -> Packet:
        """A packet of the client's pool."""
        packet: Packet = self.client.build(frame)
        return packet

    def send(self, *frames: bytes) -> list[Packet]:
        """Send one packet per frame in one call."""
        packets = [self.build(frame) for frame in frames]
        self.in_flight += len(packets)
        condis5.co_send_packets(self.open, packets)
        return packets

    def give_back(self, *packets: Packet) -> None:
        """Pay one reference per packet named; all that are owed when none is."""
        giving = list(packets) or list(self.held)
        for packet in giving:
            self.held.remove(packet)
        ndis5.return_packets(giving, self.client.open)


class FunctionalCoClient5(CallScript, FunctionalProtocol5):
    """Driver and binding context in one."""

    call_type = ClientCall5

    def __init__(self, host: ndis.Ndis, name: str = "client") -> None:
        super().__init__(host, name)

    @property
    def co_binding(self) -> BindingEdge:
        """The binding."""
        return self.open

    def open_af(self, family: CoAddressFamily) -> tuple[NdisStatus, AfHandle | None]:
        """NdisClOpenAddressFamily."""
        return condis5.cl_open_address_family(self.open, family, self, self.client_handlers())

    def characteristics(self) -> ProtocolCharacteristics5:
        """The handlers of a functional 5.x protocol, and those of CoNDIS."""
        kind = type(self)
        return replace(
            super().characteristics(),
            co_receive_packet=kind.co_receive_packet,
            co_send_complete=_co_send_complete,
            co_status=kind.co_status,
            co_af_register_notify=kind.af_register_notify,
        )

    async def stop(self) -> None:
        """Free what was allocated and unregister."""
        for packet, _ in chain.from_iterable([self.spent, *(call.completed for call in self.calls)]):
            free_built_packet(packet)
        await super().stop()

    def ask(self, af: AfHandle | None, call: ClientCall5 | None, request: NdisRequest) -> NdisStatus:
        """NdisCoRequest."""
        return condis5.co_request(self.open, af, None if call is None else call.handle, None, request)

    # Handlers of data and status.

    def co_receive_packet(self, call: ClientCall5, packet: Packet) -> int:
        """ProtocolCoReceivePacket: note the bytes, answer `references` (0 for what may not be kept)."""
        call.received.append(packet.tobytes())
        if ndis5.get_packet_status(packet) == NdisStatus.RESOURCES:
            return 0
        call.held += [packet] * self.references
        return self.references

    def co_send_complete(self, call: ClientCall5, packet: Packet, status: int) -> None:
        """ProtocolCoSendComplete."""
        call.completed.append((packet, status))
        call.in_flight -= 1

    def co_status(self, call: ClientCall5 | None, code: NdisStatus, buffer: Any) -> None:
        """ProtocolCoStatus."""
        self.co_statuses.append((call, code, buffer))

    def __repr__(self) -> str:
        return f"FunctionalCoClient5({self.name})"


def _co_send_complete(call: ClientCall5, packet: Packet, status: int) -> None:
    call.client.co_send_complete(call, packet, status)

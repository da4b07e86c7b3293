# SPDX-License-Identifier: Apache-2.0
"""The stand-alone call manager of NDIS 5: call_manager with packets instead of lists.

A bind brings the adapter's name alone: the station's address is asked for by NdisRequest, and the speed of the line by
NdisCoRequest, again whenever the miniport says that it has changed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hilnic.ndis import NdisStatus, Oid, RequestType, ndis5
from hilnic.ndis.condis import ndis5 as condis5
from hilnic.ndis.ndis5 import NdisRequest, Packet, ProtocolCharacteristics5
from hilnic.protocols.cm_binding import FAMILY, HANDLERS, CmBinding
from hilnic.protocols.co_protocol5 import Closing, CoProtocol5
from hilnic.protocols.sdu import PacketPool
from hilnic.signalling import LONGEST_MESSAGE
from hilnic.signalling.control import TimerValues

__all__ = ["CallManager5", "CmBinding5"]

OID_GEN_CO_LINK_SPEED = 0x00010105
"""NDIS_CO_LINK_SPEED: outbound and inbound, four bytes each, in units of 100 bit/s."""
_SPEED_UNIT = 100
_PACKETS = 1024
"""Messages on their way; more are lost, as on a wire."""
_SPEED_NEWS = {NdisStatus.MEDIA_CONNECT, NdisStatus.LINK_SPEED_CHANGE}


class CmBinding5(Closing, CmBinding):
    """The call manager on one adapter."""

    sdus: PacketPool
    _answered: Any = None
    _answer = NdisStatus.PENDING

    def make_pool(self, tag: str) -> PacketPool:
        """What messages are sent from: packets."""
        return PacketPool(self.driver.handle, LONGEST_MESSAGE, _PACKETS, tag)

    def register_family(self) -> NdisStatus:
        """NdisCmRegisterAddressFamily: the handlers come with the call."""
        handlers = replace(HANDLERS, oid_request_complete=self._speed_told)
        return condis5.cm_register_address_family(self.open_handle, FAMILY, handlers)

    async def open_family(self) -> NdisStatus:
        """Ask for the address, offer the family, ask for the speed."""
        self.is_running = True  # NDIS 5 knows no pause: what cannot be sent comes back
        request = NdisRequest(RequestType.QUERY_INFORMATION, Oid.OID_802_3_CURRENT_ADDRESS, bytearray(6))
        self._answered = self.kernel.create_event()
        status = ndis5.request(self.open_handle, request)
        if status is NdisStatus.PENDING:
            await self._answered.wait()
            status = self._answer
        if status is NdisStatus.SUCCESS:
            status = self.start(request.answer())
        if status is NdisStatus.SUCCESS:
            self.ask_speed()
        return status

    def address_told(self, request: NdisRequest, status: NdisStatus) -> None:
        """ProtocolRequestComplete."""
        del request
        self._answer = status
        self._answered.set()

    def ask_speed(self) -> None:
        """NdisCoRequest, to the miniport."""
        request = NdisRequest(RequestType.QUERY_INFORMATION, OID_GEN_CO_LINK_SPEED, bytearray(8))
        status = condis5.co_request(self.open_handle, None, None, None, request)
        if status is not NdisStatus.PENDING:
            self._speed_told(None, None, None, request, status)

    def _speed_told(self, af: Any, vc: Any, party: Any, request: NdisRequest, status: NdisStatus) -> None:
        """ProtocolCoRequestComplete. Without a link there is no speed; promises stay as they were."""
        del af, vc, party
        outbound = int.from_bytes(request.answer()[:4], "little") if status is NdisStatus.SUCCESS else 0
        if outbound:
            self.learn_speed(outbound * _SPEED_UNIT)

    def status(self, vc_context: Any, code: NdisStatus, buffer: Any) -> None:
        """ProtocolCoStatus."""
        del buffer
        if vc_context is None and code in _SPEED_NEWS:
            self.ask_speed()


def _receive_packet(binding: CmBinding5, signalling: CmBinding5, packet: Packet) -> int:
    """ProtocolCoReceivePacket, of the signalling VC: copied, none is kept."""
    del signalling
    binding.hear([packet.tobytes()])
    return 0


def _send_complete(signalling: CmBinding5, packet: Packet, status: int) -> None:
    """ProtocolCoSendComplete."""
    signalling.sdus.completed(packet, status)
    signalling.sent()


class CallManager5(CoProtocol5):
    """The driver: `await CallManager5().register(host)`."""

    def __init__(self, *, name: str = "call manager", timers: TimerValues | None = None) -> None:
        super().__init__(name)
        self.timers = timers

    def own_characteristics(self) -> ProtocolCharacteristics5:
        """Those of any such protocol, and the ends of requests, and status."""
        return replace(
            self.characteristics(_receive_packet, _send_complete),
            request_complete=CmBinding5.address_told,
            co_status=CmBinding5.status,
        )

    def new_binding(self, adapter_name: str) -> CmBinding5:
        """On one adapter."""
        return CmBinding5(self, adapter_name, self.timers)

    async def opened(self, binding: CmBinding5) -> NdisStatus:
        """Offer the address family there."""
        return await binding.open_family()

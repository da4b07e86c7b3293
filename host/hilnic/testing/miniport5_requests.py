# SPDX-License-Identifier: Apache-2.0
"""What the functional miniport of NDIS 5 answers to requests, and the notes that it takes of its handlers' calls."""

from __future__ import annotations

from collections.abc import Callable

from hilnic import ndis
from hilnic.ndis import MacOptions, NdisStatus, Oid, RequestType, ndis5
from hilnic.ndis.ndis5 import NdisRequest

__all__ = ["AnsweringMiniport5"]


class AnsweringMiniport5:
    """Keeps filter, multicast list and lookahead; holds requests when a test says so."""

    mac_options = MacOptions.TRANSFERS_NOT_PEND | MacOptions.COPY_LOOKAHEAD_DATA | MacOptions.NO_LOOPBACK
    adapter: ndis.Adapter

    def __init__(self, mac_address: bytes) -> None:
        self.mac_address = mac_address
        self.calls: list[str] = []  # handlers, in order
        self.inside: list[str] = []  # handlers that run now
        self.overlaps: list[tuple[str, ...]] = []
        self.on_call: Callable[[str], None] = lambda _: None
        self.requests: list[NdisRequest] = []
        self.held_request: NdisRequest | None = None
        self.hold_requests = False
        self.answers: dict[int, bytes] = {}
        self.packet_filter = 0
        self.multicast_list = b""
        self.lookahead = 0

    def enter(self, handler: str) -> None:
        """A handler begins: note it, and whether another one has not ended (CL-10)."""
        self.calls.append(handler)
        if self.inside:
            self.overlaps.append((*self.inside, handler))
        self.inside.append(handler)
        self.on_call(handler)

    def leave(self) -> None:
        """It ends."""
        self.inside.pop()

    def query_information(self, request: NdisRequest) -> NdisStatus:
        """MiniportQueryInformation: answers from `answers` and the attributes, or holds."""
        return self.serve("query_information", request)

    def set_information(self, request: NdisRequest) -> NdisStatus:
        """MiniportSetInformation: keeps filter, multicast list and lookahead."""
        return self.serve("set_information", request)

    def serve(self, handler: str, request: NdisRequest) -> NdisStatus:
        """Answer a request, or hold it."""
        self.enter(handler)
        self.requests.append(request)
        self.leave()
        if self.hold_requests:
            self.held_request = request
            return NdisStatus.PENDING
        return self.answer(request)

    def answer(self, request: NdisRequest) -> NdisStatus:
        """The final answer to a request."""
        if request.request_type is not RequestType.SET_INFORMATION:
            data = self.answers.get(request.oid) or self.known().get(request.oid)
            return NdisStatus.INVALID_OID if data is None else request.reply(data)
        if request.oid == Oid.OID_802_3_MULTICAST_LIST:
            status, self.multicast_list = request.take(len(request.buffer))
            return status
        if request.oid == Oid.OID_GEN_CURRENT_PACKET_FILTER:
            status, data = request.take(4)
            self.packet_filter = int.from_bytes(data, "little")
            return status
        if request.oid == Oid.OID_GEN_CURRENT_LOOKAHEAD:
            status, data = request.take(4)
            self.lookahead = int.from_bytes(data, "little")
            return status
        return NdisStatus.INVALID_OID

    def known(self) -> dict[int, bytes]:
        """What an Ethernet card of 1 Gbit/s answers."""
        return {
            Oid.OID_802_3_CURRENT_ADDRESS: self.mac_address,
            Oid.OID_802_3_PERMANENT_ADDRESS: self.mac_address,
            Oid.OID_802_3_MAXIMUM_LIST_SIZE: _u32(32),
            Oid.OID_GEN_MAXIMUM_FRAME_SIZE: _u32(1500),
            Oid.OID_GEN_MAXIMUM_LOOKAHEAD: _u32(1500),
            Oid.OID_GEN_MAC_OPTIONS: _u32(self.mac_options),
            Oid.OID_GEN_LINK_SPEED: _u32(10_000_000),
            Oid.OID_GEN_MEDIA_CONNECT_STATUS: _u32(0),
        }

    def complete_request(self, status: NdisStatus | None = None) -> None:
        """End the held request."""
        request, self.held_request = self.held_request, None
        assert request is not None
        ended = self.answer(request) if status is None else status
        if request.request_type is RequestType.SET_INFORMATION:
            ndis5.set_information_complete(self.adapter, ended)
        else:
            ndis5.query_information_complete(self.adapter, ended)


def _u32(value: int) -> bytes:
    return int(value).to_bytes(4, "little")

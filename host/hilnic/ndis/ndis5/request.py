# SPDX-License-Identifier: Apache-2.0
"""NDIS_REQUEST: what a 5.x protocol asks, and what a 5.x miniport is asked (C5-06 to C5-09).

The core's queue is behind it: one request at a time per miniport, merged packet filters and multicast lists. Here the
request changes its form: a 5.x driver never sees an OidRequest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilnic.ndis import oid as core_oid
from hilnic.ndis.adapter import Adapter
from hilnic.ndis.faults import failed
from hilnic.ndis.flags import RequestType
from hilnic.ndis.kernel import Event
from hilnic.ndis.ndis5.serializer import at_dispatch
from hilnic.ndis.oid_request import OidRequest, set_information
from hilnic.ndis.oids import Oid, oid_name
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk
from hilnic.ndis.xlate import oid as xlate_oid

if TYPE_CHECKING:
    from hilnic.ndis.ndis5.miniport_edge import MiniportEdge
    from hilnic.ndis.ndis5.protocol_edge import BindingEdge


class NdisRequest:
    """NDIS_REQUEST. The caller owns the buffer; a query fills it, a set is read from it."""

    __slots__ = ("buffer", "bytes_needed", "bytes_read", "bytes_written", "ndis_reserved", "oid", "request_type")

    def __init__(self, request_type: RequestType, oid: int, buffer: bytearray) -> None:
        self.request_type = request_type
        self.oid = oid
        self.buffer = buffer
        self.bytes_written = 0
        self.bytes_read = 0
        self.bytes_needed = 0
        self.ndis_reserved: OidRequest | None = None  # while it pends

    def answer(self) -> bytes:
        """What a successful query wrote."""
        return bytes(self.buffer[: self.bytes_written])

    def reply(self, data: bytes) -> NdisStatus:
        """A miniport answers a query; too small: INVALID_LENGTH, bytes_needed set, nothing written (C5-09)."""
        if len(data) > len(self.buffer):
            self.bytes_written, self.bytes_needed = 0, len(data)
            return NdisStatus.INVALID_LENGTH
        self.buffer[: len(data)] = data
        self.bytes_written, self.bytes_needed = len(data), 0
        return NdisStatus.SUCCESS

    def take(self, length: int) -> tuple[NdisStatus, bytes]:
        """A miniport reads a set of `length` bytes; too short: INVALID_LENGTH and bytes_needed (C5-09)."""
        if len(self.buffer) < length:
            self.bytes_read, self.bytes_needed = 0, length
            return NdisStatus.INVALID_LENGTH, b""
        self.bytes_read, self.bytes_needed = length, 0
        return NdisStatus.SUCCESS, bytes(self.buffer[:length])

    def __repr__(self) -> str:
        return f"NdisRequest({self.request_type.name}, {oid_name(self.oid)}, {len(self.buffer)} bytes)"


# What a protocol calls.


@wdk("NdisRequest", callout=True)
def request(binding: BindingEdge, ndis_request: NdisRequest) -> NdisStatus:
    """Ask NDIS or the miniport. A final status: done. PENDING: request_complete follows once (C5-06)."""
    from hilnic.ndis.ndis5.protocol_edge import is_foreign

    if is_foreign(binding, "NdisRequest"):
        return NdisStatus.FAILURE
    if ndis_request.ndis_reserved is not None:
        binding.ndis.violation("C5-06", binding, ndis_request, "issued again while pending")
        return NdisStatus.FAILURE
    own = binding.answer(ndis_request)
    if own is not None:
        return own
    asked = OidRequest(ndis_request.request_type, ndis_request.oid, ndis_request.buffer)
    ndis_request.ndis_reserved = asked
    binding.requests[asked] = ndis_request
    status = core_oid.oid_request(binding.core, asked)
    if status is NdisStatus.PENDING:
        return status
    return finish(binding, asked, status)


def finish(binding: BindingEdge, asked: OidRequest, status: NdisStatus) -> NdisStatus:
    """The core's request has ended: carry its result over; the status as a 5.x driver knows it."""
    ndis_request = binding.requests.pop(asked)
    ndis_request.ndis_reserved = None
    ndis_request.bytes_written = asked.bytes_written
    ndis_request.bytes_read = asked.bytes_read
    ndis_request.bytes_needed = asked.bytes_needed
    if status is NdisStatus.SUCCESS and asked.oid == Oid.OID_GEN_CURRENT_LOOKAHEAD:
        _tell_lookahead(binding, asked)
    if status is NdisStatus.SUCCESS and asked.oid == Oid.OID_GEN_SUPPORTED_LIST:
        return ndis_request.reply(xlate_oid.supported_list_to_5(asked.answer()))
    return xlate_oid.status_to_5(status)


def _tell_lookahead(binding: BindingEdge, asked: OidRequest) -> None:
    """A 5.x miniport is told the largest lookahead that any binding wants (C5-08)."""
    adapter = binding.core.adapter
    if asked.request_type is RequestType.SET_INFORMATION and binding.direct is not None:
        largest = max(other.lookahead for other in adapter.bindings)
        told = set_information(Oid.OID_GEN_CURRENT_LOOKAHEAD, largest.to_bytes(4, "little"))
        adapter.oids.submit(None, told, _ignore)


def _ignore(request: OidRequest, status: NdisStatus) -> None:
    """Nobody waits for NDIS's own request."""


# What a miniport is asked, and how it answers late.


class MiniportRequests:
    """The requests of one 5.x miniport; the core lets one in at a time."""

    __slots__ = ("_active", "_done", "_edge", "_status")

    def __init__(self, edge: MiniportEdge) -> None:
        self._edge = edge
        self._active: NdisRequest | None = None
        self._done: Event | None = None
        self._status: NdisStatus | None = None

    async def ask(self, asked: OidRequest) -> NdisStatus:
        """MiniportQueryInformation or MiniportSetInformation at DISPATCH_LEVEL; the final status, in NDIS 5's words."""
        edge = self._edge
        is_set = asked.request_type is RequestType.SET_INFORMATION
        handlers = edge.characteristics
        handler = handlers.set_information if is_set else handlers.query_information
        if edge.adapter.driver.faulted:
            return NdisStatus.FAILURE
        self._active = ndis_request = NdisRequest(asked.request_type, asked.oid, asked.buffer)
        self._status, self._done = None, edge.ndis.kernel.create_event()
        async with edge.lock:
            try:
                status: NdisStatus = at_dispatch(edge.ndis.kernel, handler, edge.context, ndis_request)
            except Exception as error:
                failed(edge.adapter, "set_information" if is_set else "query_information", error)
                status = NdisStatus.FAILURE
        if status is NdisStatus.PENDING:
            await self._done.wait()
            status = self._status or NdisStatus.SUCCESS
        elif self._done.is_set() and not edge.adapter.driver.faulted:
            edge.ndis.violation("C5-06", edge.adapter, ndis_request, "answered and completed as well")
        self._active = None
        asked.bytes_written = ndis_request.bytes_written
        asked.bytes_read = ndis_request.bytes_read
        asked.bytes_needed = ndis_request.bytes_needed
        return status

    def abandon(self) -> None:
        """The driver is gone: nobody waits for it any more."""
        if self._active is not None and self._done is not None:
            self._status = NdisStatus.FAILURE
            self._done.set()

    def complete(self, status: NdisStatus, is_set: bool) -> None:
        """The miniport ends the request that it answered with PENDING: once, by the function of its kind (C5-06)."""
        ndis, adapter, active = self._edge.ndis, self._edge.adapter, self._active
        matches = active is not None and (active.request_type is RequestType.SET_INFORMATION) is is_set
        if not matches or self._status is not None or self._done is None:
            ndis.violation("C5-06", adapter, active or adapter, "completed, but it is not pending")
        elif status is NdisStatus.PENDING:
            ndis.violation("C5-06", adapter, active, "completed with PENDING")
        else:
            self._status = status
            self._done.set()


@wdk("NdisMQueryInformationComplete", callout=True)
def query_information_complete(adapter: Adapter, status: NdisStatus) -> None:
    """A miniport ends a query that it answered with PENDING; the request has its result."""
    _complete(adapter, status, is_set=False)


@wdk("NdisMSetInformationComplete", callout=True)
def set_information_complete(adapter: Adapter, status: NdisStatus) -> None:
    """A miniport ends a set that it answered with PENDING."""
    _complete(adapter, status, is_set=True)


def _complete(adapter: Adapter, status: NdisStatus, is_set: bool) -> None:
    from hilnic.ndis.ndis5.miniport_edge import edge_of

    edge = edge_of(adapter, "NdisMSetInformationComplete" if is_set else "NdisMQueryInformationComplete")
    if edge is not None:
        edge.requests.complete(status, is_set)

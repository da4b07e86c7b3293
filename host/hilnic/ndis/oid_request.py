# SPDX-License-Identifier: Apache-2.0
"""NDIS_OID_REQUEST, and how a miniport answers one: query, counter, set."""

from __future__ import annotations

import struct
from collections.abc import Callable

from hilnic.ndis.flags import RequestType
from hilnic.ndis.oids import oid_name
from hilnic.ndis.status import NdisStatus


class OidRequest:
    """NDIS_OID_REQUEST. The caller owns the buffer; a query fills it, a set is read from it."""

    __slots__ = (
        "buffer",
        "bytes_needed",
        "bytes_read",
        "bytes_written",
        "ndis_done",
        "ndis_original",
        "ndis_pending",
        "ndis_since",
        "oid",
        "request_id",
        "request_type",
    )

    def __init__(
        self, request_type: RequestType, oid: int, buffer: bytearray | None = None, request_id: int = 0
    ) -> None:
        self.request_type = request_type
        self.oid = oid
        self.buffer = bytearray() if buffer is None else buffer
        self.request_id = request_id
        self.bytes_written = 0
        self.bytes_read = 0
        self.bytes_needed = 0
        self.ndis_pending = False
        self.ndis_since = 0  # when it was put in line, ns
        self.ndis_original: OidRequest | None = None  # set in a clone
        self.ndis_done: list[Callable[[OidRequest, NdisStatus], None]] = []  # who waits for a direct request

    def answer(self) -> bytes:
        """What a successful query wrote."""
        return bytes(self.buffer[: self.bytes_written])

    def __repr__(self) -> str:
        return f"OidRequest({self.request_type.name}, {oid_name(self.oid)}, {len(self.buffer)} bytes)"


def query(oid: int, size: int) -> OidRequest:
    """A query with a buffer of `size` bytes."""
    return OidRequest(RequestType.QUERY_INFORMATION, oid, bytearray(size))


def set_information(oid: int, data: bytes) -> OidRequest:
    """A set of `data`."""
    return OidRequest(RequestType.SET_INFORMATION, oid, bytearray(data))


def answer_query(request: OidRequest, data: bytes) -> NdisStatus:
    """Fill the query's buffer; too small: BUFFER_TOO_SHORT, bytes_needed set, nothing written (OI-04)."""
    if len(data) > len(request.buffer):
        request.bytes_written, request.bytes_needed = 0, len(data)
        return NdisStatus.BUFFER_TOO_SHORT
    request.buffer[: len(data)] = data
    request.bytes_written, request.bytes_needed = len(data), 0
    return NdisStatus.SUCCESS


def answer_counter(request: OidRequest, value: int) -> NdisStatus:
    """A 64-bit counter: 8 bytes give all, 4 the low half with bytes_needed 8, fewer an error (OI-06)."""
    if len(request.buffer) >= 8:
        return answer_query(request, struct.pack("<Q", value & 0xFFFFFFFFFFFFFFFF))
    if len(request.buffer) >= 4:
        status = answer_query(request, struct.pack("<I", value & 0xFFFFFFFF))
        request.bytes_needed = 8
        return status
    request.bytes_written, request.bytes_needed = 0, 8
    return NdisStatus.BUFFER_TOO_SHORT


def take_set(request: OidRequest, length: int) -> tuple[NdisStatus, bytes]:
    """The first `length` bytes of a set; too short: BUFFER_TOO_SHORT and bytes_needed (OI-04)."""
    if len(request.buffer) < length:
        request.bytes_read, request.bytes_needed = 0, length
        return NdisStatus.BUFFER_TOO_SHORT, b""
    request.bytes_read, request.bytes_needed = length, 0
    return NdisStatus.SUCCESS, bytes(request.buffer[:length])

# SPDX-License-Identifier: Apache-2.0
"""Requests of every OID with every length of the buffer (OI-04 to OI-07)."""

from __future__ import annotations

import struct
from random import Random

from hilnic import ndis
from hilnic.ndis import NdisStatus, Oid, OidRequest, oid_name
from hilnic.testing.ndistest.bed import Bed, expect
from hilnic.testing.ndistest.host import CANARY, GROUPS, Host

__all__ = ["every_query_length", "every_set_length", "unknown_oids"]

TOO_SHORT = {NdisStatus.BUFFER_TOO_SHORT, NdisStatus.INVALID_LENGTH}
UNSUPPORTED = {NdisStatus.NOT_SUPPORTED, NdisStatus.INVALID_OID}
LARGEST = 4096
VALUES: dict[Oid, bytes] = {
    Oid.OID_GEN_CURRENT_PACKET_FILTER: (ndis.PacketFilter.DIRECTED | ndis.PacketFilter.MULTICAST).to_bytes(4, "little"),
    Oid.OID_GEN_CURRENT_LOOKAHEAD: (128).to_bytes(4, "little"),
    Oid.OID_802_3_MULTICAST_LIST: b"".join(GROUPS[:2]),
}
"""What can be set and read back: a valid value for each."""
WHERE_KNOWN: dict[Oid, bytes] = {Oid.OID_GEN_VLAN_ID: (777).to_bytes(4, "little")}
"""Likewise, of what only some miniports list."""
MOVES_THE_ADAPTER = {Oid.OID_PNP_SET_POWER}
"""Not for protocols: the power manager's."""


async def every_query_length(bed: Bed) -> None:
    """Too short: an error, the length that is needed, and not a byte written. Long enough: nothing behind it."""
    station = await bed.started()
    fp = station.fp
    status, whole = await fp.ask(Oid.OID_GEN_SUPPORTED_LIST, LARGEST)
    expect(status is NdisStatus.SUCCESS, f"OID_GEN_SUPPORTED_LIST: {status.name}")
    data = whole.answer()
    listed = set(struct.unpack(f"<{len(data) // 4}I", data))
    for oid in sorted({*listed, *Oid}):
        await _query(fp, oid, bed.rounds)


async def _query(fp: Host, oid: int, rounds: int) -> None:
    status, whole = await fp.ask(oid, LARGEST)
    if status is not NdisStatus.SUCCESS:
        expect(status in UNSUPPORTED, f"{oid_name(oid)}: a query of {LARGEST} bytes ends with {status.name}")
        return
    length = whole.bytes_written
    for size in _sizes(length, rounds):
        status, request = await fp.ask(oid, size)
        where = f"{oid_name(oid)}, {size} of {length} bytes: {status.name}"
        untouched = bytes([CANARY]) * (size - request.bytes_written)
        expect(bytes(request.buffer[request.bytes_written :]) == untouched, f"{where}, and wrote behind its answer")
        if status is NdisStatus.SUCCESS:
            expect(request.bytes_written <= size, f"{where}, and claims {request.bytes_written} bytes written")
        else:
            expect(status in TOO_SHORT and size < length, f"{where}")
            expect(request.bytes_written == 0, f"{where}, and {request.bytes_written} bytes written")
            expect(size < request.bytes_needed <= length, f"{where}, and needs {request.bytes_needed}")


def _sizes(length: int, rounds: int) -> list[int]:
    """Every length to a little more than enough; where time is dear those around the edges."""
    if rounds > 1:
        return list(range(length + 9))
    return sorted({size for size in (0, 1, 3, 4, 5, 8, length - 1, length, length + 1) if size >= 0})


async def every_set_length(bed: Bed) -> None:
    """Too short: an error, and the value is as before. Any other OID: a final status, whatever the length."""
    station = await bed.started()
    fp = station.fp
    for oid, value in VALUES.items():
        await _set(fp, oid, value)
    for oid, value in WHERE_KNOWN.items():
        status, before = await fp.ask(oid, LARGEST)
        if status is NdisStatus.SUCCESS:
            await _set(fp, oid, value)
            await _set(fp, oid, before.answer())
    for oid in sorted({*Oid} - {*VALUES} - MOVES_THE_ADAPTER):
        for size in range(0, 17, 1 if bed.rounds > 1 else 4):
            status = await fp.request(ndis.set_information(oid, bytes(size)))
            expect(status is not NdisStatus.PENDING, f"{oid_name(oid)}, set with {size} bytes: PENDING")
    await fp.listen()


async def _set(fp: Host, oid: Oid, value: bytes) -> None:
    status = await fp.request(ndis.set_information(oid, value))
    expect(status is NdisStatus.SUCCESS, f"{oid.name}: a valid set ends with {status.name}")
    for size in range(1, len(value)):
        if oid is Oid.OID_802_3_MULTICAST_LIST and size % 6 == 0:
            continue
        request: OidRequest = ndis.set_information(oid, bytes(size))
        status = await fp.request(request)
        expect(status in TOO_SHORT, f"{oid.name}: a set of {size} bytes ends with {status.name}")
        status, read = await fp.ask(oid, LARGEST)
        expect(read.answer() == value, f"{oid.name}: a refused set of {size} bytes has changed the value")


async def unknown_oids(bed: Bed) -> None:
    """Random numbers: NOT_SUPPORTED, queried or set."""
    station = await bed.started()
    draw = Random(bed.seed)
    known = {int(oid) for oid in Oid}
    for _ in range(16 * bed.rounds):
        oid = draw.choice((0x00010000, 0xFF000000, 0)) + draw.getrandbits(12)
        for request in (ndis.query(oid, 8), ndis.set_information(oid, bytes(8))):
            status = await station.fp.request(request)
            expect(oid in known or status in UNSUPPORTED, f"{oid:#010x}, which nobody knows, ends with {status.name}")

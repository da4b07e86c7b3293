# SPDX-License-Identifier: Apache-2.0
"""Requests about the adapter or about one connection (MiniportCoOidRequest).

The numbers of OID_GEN_CO_* begin as those of OID_GEN_* do and mean something else from some point on, so they have a
table of their own. What is not in it is a question that a connectionless protocol could ask, and is answered as there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from hilnic import ndis
from hilnic.hw.device import BusError
from hilnic.hw.regs import VcCounter
from hilnic.miniport.link import GIGABIT
from hilnic.miniport.oids import oid_request
from hilnic.ndis import NdisStatus, condis

if TYPE_CHECKING:
    from hilnic.miniport_co.adapter import CoNic
    from hilnic.miniport_co.connection import Connection

__all__ = ["COUNTED", "KNOWN", "SPEED_UNIT", "CoOid", "co_oid_request"]


class CoOid(IntEnum):
    """OID_GEN_CO_*, those that this driver answers."""

    OID_GEN_CO_LINK_SPEED = 0x00010105
    OID_GEN_CO_XMIT_PDUS_OK = 0x00020101
    OID_GEN_CO_RCV_PDUS_OK = 0x00020102
    OID_GEN_CO_XMIT_PDUS_ERROR = 0x00020103
    OID_GEN_CO_RCV_PDUS_ERROR = 0x00020104
    OID_GEN_CO_RCV_PDUS_NO_BUFFER = 0x00020105
    OID_GEN_CO_TRANSMIT_QUEUE_LENGTH = 0x00020202
    OID_GEN_CO_BYTES_XMIT = 0x00020203
    OID_GEN_CO_BYTES_RCV = 0x00020204


SPEED_UNIT = 100
COUNTED = {
    CoOid.OID_GEN_CO_XMIT_PDUS_OK: VcCounter.TX_FRAMES,
    CoOid.OID_GEN_CO_RCV_PDUS_OK: VcCounter.RX_FRAMES,
    CoOid.OID_GEN_CO_RCV_PDUS_NO_BUFFER: VcCounter.RX_DROPS,
    CoOid.OID_GEN_CO_BYTES_XMIT: VcCounter.TX_OCTETS,
    CoOid.OID_GEN_CO_BYTES_RCV: VcCounter.RX_OCTETS,
}


def _send_errors(connection: Connection) -> int:
    if connection.tx is None:
        return 0
    statistics = connection.tx.statistics()
    return statistics.errors + statistics.refused + statistics.aborted


def _queue_length(connection: Connection) -> int:
    return connection.tx.statistics().queue_length if connection.tx is not None else 0


def _receive_errors(connection: Connection) -> int:
    return connection.rx.statistics().errors if connection.rx is not None else 0


KNOWN: dict[int, Callable[[Connection], int]] = {
    CoOid.OID_GEN_CO_XMIT_PDUS_ERROR: _send_errors,
    CoOid.OID_GEN_CO_RCV_PDUS_ERROR: _receive_errors,
    CoOid.OID_GEN_CO_TRANSMIT_QUEUE_LENGTH: _queue_length,
}


def co_oid_request(nic: CoNic, connection: Connection | None, request: ndis.OidRequest) -> NdisStatus:
    """MiniportCoOidRequest: what the driver knows is answered at once, what the NIC counts pends."""
    if request.request_type != ndis.RequestType.QUERY_INFORMATION:
        return NdisStatus.NOT_SUPPORTED if connection is not None else _later(nic, None, request, _ordinary)
    if request.oid == CoOid.OID_GEN_CO_LINK_SPEED:
        speed = (GIGABIT if nic.link.up else 0) // SPEED_UNIT
        return ndis.answer_query(request, speed.to_bytes(4, "little") * 2)  # NDIS_CO_LINK_SPEED: outbound, inbound
    if connection is None:
        return _later(nic, None, request, _ordinary)
    if request.oid in KNOWN:
        return ndis.answer_counter(request, KNOWN[request.oid](connection))
    if request.oid in COUNTED:
        return _later(nic, connection, request, _counted)
    return NdisStatus.NOT_SUPPORTED


Answer = Callable[["CoNic", "Connection | None", ndis.OidRequest], Awaitable[NdisStatus]]


def _later(nic: CoNic, connection: Connection | None, request: ndis.OidRequest, answer: Answer) -> NdisStatus:
    """Read the NIC at PASSIVE_LEVEL."""

    async def work(context: Any) -> None:
        del context
        try:
            status = await answer(nic, connection, request) if nic.hardware.present else NdisStatus.NOT_ACCEPTED
        except BusError:
            status = NdisStatus.FAILURE
        vc = connection.vc if connection is not None else None
        condis.mco_complete_oid_request(nic.handle, vc, request, status)

    ndis.queue_io_work_item(nic.handle, work, None)
    return NdisStatus.PENDING


async def _ordinary(nic: CoNic, connection: Connection | None, request: ndis.OidRequest) -> NdisStatus:
    del connection
    return await oid_request(nic, request)


async def _counted(nic: CoNic, connection: Connection | None, request: ndis.OidRequest) -> NdisStatus:
    del nic
    assert connection is not None
    return ndis.answer_counter(request, await connection.entry.counter(COUNTED[CoOid(request.oid)]))

# SPDX-License-Identifier: Apache-2.0
"""MiniportCoRequest: what `oids` answers, as NDIS 5 asks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic import ndis
from hilnic.hw.device import BusError
from hilnic.miniport.link import GIGABIT
from hilnic.miniport_co.oids import COUNTED, KNOWN, SPEED_UNIT, CoOid
from hilnic.ndis import NdisStatus
from hilnic.ndis.condis import ndis5 as condis5
from hilnic.ndis.ndis5 import NdisRequest

if TYPE_CHECKING:
    from hilnic.miniport_co.connection5 import Connection5
    from hilnic.miniport_co.nic5 import CoNic5

__all__ = ["co_request"]


def co_request(nic: CoNic5, connection: Connection5 | None, request: NdisRequest) -> NdisStatus:
    """What the driver knows is answered at once, what the NIC counts pends; of the adapter only its speed."""
    if request.request_type != ndis.RequestType.QUERY_INFORMATION:
        return NdisStatus.NOT_SUPPORTED
    if request.oid == CoOid.OID_GEN_CO_LINK_SPEED:
        speed = (GIGABIT if nic.link.up else 0) // SPEED_UNIT
        return request.reply(speed.to_bytes(4, "little") * 2)
    if connection is None:
        return NdisStatus.INVALID_OID
    if request.oid in KNOWN:
        return request.reply(KNOWN[request.oid](connection).to_bytes(4, "little"))
    if request.oid in COUNTED:
        ndis.queue_io_work_item(nic.handle, _read_counter, (nic, connection, request))
        return NdisStatus.PENDING
    return NdisStatus.INVALID_OID


async def _read_counter(context: Any) -> None:
    nic, connection, request = context
    status = NdisStatus.NOT_ACCEPTED
    try:
        if nic.hardware.present:
            value = await connection.entry.counter(COUNTED[CoOid(request.oid)])
            length = 8 if len(request.buffer) >= 8 else 4
            status = request.reply((value & ((1 << 8 * length) - 1)).to_bytes(length, "little"))
    except BusError:
        status = NdisStatus.FAILURE
    condis5.mco_request_complete(nic.handle, request, status)

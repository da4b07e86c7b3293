# SPDX-License-Identifier: Apache-2.0
"""How a send ended, in the words of the other version (XL-13).

Most numbers are the same in both. Those of NDIS 6 alone have a neighbour in NDIS 5; a 5.x error that no NDIS 6 sender
expects becomes FAILURE. What a request (OID) answers has tables of its own in oid.py.
"""

from __future__ import annotations

from typing import Final

from hilnic.ndis.status import NdisStatus

TO_5: Final[dict[int, NdisStatus]] = {
    NdisStatus.SEND_ABORTED: NdisStatus.REQUEST_ABORTED,
    NdisStatus.INVALID_LENGTH: NdisStatus.INVALID_PACKET,
    NdisStatus.PAUSED: NdisStatus.FAILURE,
    NdisStatus.LOW_POWER_STATE: NdisStatus.FAILURE,
    NdisStatus.INVALID_PORT: NdisStatus.FAILURE,
    NdisStatus.INVALID_PORT_STATE: NdisStatus.FAILURE,
    NdisStatus.MEDIA_DISCONNECTED: NdisStatus.NO_CABLE,
    NdisStatus.INTERFACE_NOT_FOUND: NdisStatus.ADAPTER_NOT_FOUND,
    NdisStatus.UNSUPPORTED_REVISION: NdisStatus.BAD_VERSION,
}
"""NDIS 6 -> NDIS 5; what is not here stays as it is."""

TO_6: Final[dict[int, NdisStatus]] = {
    NdisStatus.REQUEST_ABORTED: NdisStatus.SEND_ABORTED,
    NdisStatus.INVALID_PACKET: NdisStatus.INVALID_LENGTH,
}
"""NDIS 5 -> NDIS 6, where the two differ."""

SAME: Final[frozenset[int]] = frozenset(
    {
        NdisStatus.SUCCESS,
        NdisStatus.PENDING,
        NdisStatus.FAILURE,
        NdisStatus.RESOURCES,
        NdisStatus.RESET_IN_PROGRESS,
        NdisStatus.CLOSING,
        NdisStatus.NOT_ACCEPTED,
        NdisStatus.INVALID_LENGTH,
        NdisStatus.VC_NOT_ACTIVATED,
    }
)
"""Statuses with the same number and meaning on both sides. PENDING ends nothing: whoever gets it names the offender."""

_SEVERITY = 0x80000000  # set in warnings and errors


def to_5(status: int) -> NdisStatus | int:
    """The status of a completed NET_BUFFER_LIST as an NDIS 5 protocol knows it."""
    return TO_5.get(status, status)


def to_6(status: int) -> NdisStatus | int:
    """The status of a completed packet as an NDIS 6 sender knows it.

    A 5.x success with information (NOT_COPIED, for one) is SUCCESS, any error without a counterpart FAILURE.
    """
    if status in SAME:
        return status
    known = TO_6.get(status)
    if known is not None:
        return known
    return NdisStatus.FAILURE if status & _SEVERITY else NdisStatus.SUCCESS

# SPDX-License-Identifier: Apache-2.0
"""OID requests that reach the miniport; what follows from the attributes NDIS answers itself (OI-09).

Statistics come from the NIC's 64-bit counters plus what the driver itself refused. The totals are sums of their parts,
so the identities of OI-13 hold also while traffic moves the counters between two reads.
"""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

from hilnic import ndis
from hilnic.hw import regs
from hilnic.hw.device import BusError
from hilnic.hw.regs import RxCounter, TxCounter
from hilnic.miniport.link import GIGABIT
from hilnic.miniport.vlan import LARGEST_VLAN_ID
from hilnic.ndis import Oid
from hilnic.ndis.statistics import COUNTER_OIDS
from hilnic.ndis.waiting import answer_of

if TYPE_CHECKING:
    from hilnic.miniport.adapter import NicAdapter
    from hilnic.miniport.hardware import Hardware
    from hilnic.miniport.rx import RxStatistics
    from hilnic.miniport.tx_frame import TxStatistics

__all__ = [
    "DRIVER_VERSION",
    "OIDS_WITH_VLAN",
    "SUPPORTED_OIDS",
    "VENDOR_ID",
    "Counted",
    "oid_request",
    "read_counter",
    "read_statistics",
]

VENDOR_ID = 0xFFFFFF  # no registered OUI
DRIVER_VERSION = 0x00010000
DESCRIPTION = b"hilnic nic_1g\0"
_PHYSICAL_MEDIUM_802_3 = 14
_READY = 0
_PAUSE_NONE = 1  # NetIfPauseUnsupported 0, NetIfPauseSend.. follow; the MAC sends and honours none

_IN_OCTETS = (RxCounter.UNICAST_OCTETS, RxCounter.MULTICAST_OCTETS, RxCounter.BROADCAST_OCTETS)
_OUT_OCTETS = (TxCounter.UNICAST_OCTETS, TxCounter.MULTICAST_OCTETS, TxCounter.BROADCAST_OCTETS)
_FIELDS: dict[str, tuple[RxCounter | TxCounter, ...]] = {
    "if_in_discards": (RxCounter.DROP_BUFFER_FULL, RxCounter.DROP_NO_DESCRIPTOR),
    "if_in_errors": (
        RxCounter.DROP_FCS,
        RxCounter.DROP_RX_ER,
        RxCounter.DROP_RUNT,
        RxCounter.DROP_OVERSIZE,
        RxCounter.DROP_DMA,
    ),
    "if_hc_in_octets": _IN_OCTETS,
    "if_hc_in_ucast_pkts": (RxCounter.UNICAST_FRAMES,),
    "if_hc_in_multicast_pkts": (RxCounter.MULTICAST_FRAMES,),
    "if_hc_in_broadcast_pkts": (RxCounter.BROADCAST_FRAMES,),
    "if_hc_out_octets": _OUT_OCTETS,
    "if_hc_out_ucast_pkts": (TxCounter.UNICAST_FRAMES,),
    "if_hc_out_multicast_pkts": (TxCounter.MULTICAST_FRAMES,),
    "if_hc_out_broadcast_pkts": (TxCounter.BROADCAST_FRAMES,),
    "if_out_errors": (TxCounter.DROP_MALFORMED, TxCounter.DROP_DMA, TxCounter.DROP_ABORT),
    "if_out_discards": (TxCounter.DROP_FLUSHED,),
    "if_hc_in_ucast_octets": _IN_OCTETS[:1],
    "if_hc_in_multicast_octets": _IN_OCTETS[1:2],
    "if_hc_in_broadcast_octets": _IN_OCTETS[2:],
    "if_hc_out_ucast_octets": _OUT_OCTETS[:1],
    "if_hc_out_multicast_octets": _OUT_OCTETS[1:2],
    "if_hc_out_broadcast_octets": _OUT_OCTETS[2:],
}
"""Field of NDIS_STATISTICS_INFO -> the NIC's counters that make it, apart from what the driver counts itself."""


class _Transmits(Protocol):
    def statistics(self) -> TxStatistics: ...


class _Receives(Protocol):
    def statistics(self) -> RxStatistics: ...


class Counted(Protocol):
    """A driver's adapter, of any NDIS version, whose statistics can be read."""

    @property
    def hardware(self) -> Hardware: ...
    @property
    def tx(self) -> _Transmits: ...
    @property
    def rx(self) -> _Receives: ...


def _u32(value: int) -> bytes:
    return value.to_bytes(4, "little")


async def _tx(nic: Counted, counter: TxCounter) -> int:
    return await nic.hardware.read64(regs.tx_counter(counter))


async def _rx(nic: Counted, counter: RxCounter) -> int:
    return await nic.hardware.read64(regs.rx_counter(counter))


async def _read(nic: Counted, counter: RxCounter | TxCounter) -> int:
    return await (_rx(nic, counter) if isinstance(counter, RxCounter) else _tx(nic, counter))


def _counted_by_driver(nic: Counted) -> dict[str, int]:
    """What the NIC does not see, by field."""
    tx, rx = nic.tx.statistics(), nic.rx.statistics()
    return {"if_in_discards": rx.discarded, "if_out_errors": tx.refused, "if_out_discards": tx.aborted}


async def read_statistics(nic: Counted) -> ndis.StatisticsInfo:
    """OID_GEN_STATISTICS, from the counters of now; each is read once, so that sums agree (OI-13)."""
    found: dict[tuple[type, int], int] = {}  # their numbers alone do not tell receive from transmit
    for counter in (counter for field in _FIELDS.values() for counter in field):
        if (type(counter), counter) not in found:
            found[type(counter), counter] = await _read(nic, counter)
    own = _counted_by_driver(nic)
    sums = {name: sum(found[type(c), c] for c in field) + own.get(name, 0) for name, field in _FIELDS.items()}
    return ndis.StatisticsInfo(**sums)


async def read_counter(nic: Counted, oid: int) -> int:
    """One of COUNTER_OIDS; no more registers are read than it needs."""
    own, total = _counted_by_driver(nic), 0
    for name in COUNTER_OIDS[oid]:
        total += own.get(name, 0) + sum([await _read(nic, counter) for counter in _FIELDS[name]])
    return total


async def _crc_errors(nic: NicAdapter) -> int:
    return await _rx(nic, RxCounter.CRC_ALIGN_ERRORS)


async def _never_happens(nic: NicAdapter) -> int:
    """Full duplex knows no collision, GMII no part of an octet."""
    del nic
    return 0


async def _queue_length(nic: NicAdapter) -> int:
    return nic.tx.statistics().queue_length


_MODERATION = struct.Struct("<BBHII")  # NDIS_INTERRUPT_MODERATION_PARAMETERS: header, flags, state
_LINK_PARAMETERS = struct.Struct("<BBHIQQII")  # NDIS_LINK_PARAMETERS: header, duplex, speeds, pause, auto-negotiation
_ENABLED, _DISABLED = 2, 3
_OBJECT_DEFAULT = 0x80


def _moderation(on: bool) -> bytes:
    return _MODERATION.pack(_OBJECT_DEFAULT, 1, _MODERATION.size, 0, _ENABLED if on else _DISABLED)


_FIXED: dict[int, Callable[[NicAdapter], bytes]] = {
    Oid.OID_GEN_HARDWARE_STATUS: lambda _: _u32(_READY),
    Oid.OID_GEN_PHYSICAL_MEDIUM: lambda _: _u32(_PHYSICAL_MEDIUM_802_3),
    Oid.OID_GEN_TRANSMIT_BUFFER_SPACE: lambda nic: _u32(nic.config.tx_ring * (nic.config.max_frame - 4)),
    Oid.OID_GEN_RECEIVE_BUFFER_SPACE: lambda nic: _u32(nic.config.rx_buffers * nic.config.rx_buffer_bytes),
    Oid.OID_GEN_TRANSMIT_BLOCK_SIZE: lambda nic: _u32(nic.config.max_frame - 4),
    Oid.OID_GEN_RECEIVE_BLOCK_SIZE: lambda nic: _u32(nic.config.rx_buffer_bytes),
    Oid.OID_GEN_VENDOR_ID: lambda _: _u32(VENDOR_ID),
    Oid.OID_GEN_VENDOR_DESCRIPTION: lambda _: DESCRIPTION,
    Oid.OID_GEN_VENDOR_DRIVER_VERSION: lambda _: _u32(DRIVER_VERSION),
    Oid.OID_GEN_MAXIMUM_SEND_PACKETS: lambda nic: _u32(nic.config.tx_ring),
    Oid.OID_PNP_CAPABILITIES: lambda _: bytes(16),  # it cannot wake the system
    Oid.OID_PNP_QUERY_POWER: lambda _: b"",  # always ready for any state
    Oid.OID_GEN_INTERRUPT_MODERATION: lambda nic: _moderation(nic.rx.moderated and nic.tx.moderated),
    Oid.OID_GEN_VLAN_ID: lambda nic: _u32(nic.rx.vlan_id),
}
_COUNTERS: dict[int, Callable[[NicAdapter], Awaitable[int]]] = {
    Oid.OID_GEN_RCV_CRC_ERROR: _crc_errors,
    Oid.OID_GEN_TRANSMIT_QUEUE_LENGTH: _queue_length,
    Oid.OID_802_3_RCV_ERROR_ALIGNMENT: _never_happens,
    Oid.OID_802_3_XMIT_ONE_COLLISION: _never_happens,
    Oid.OID_802_3_XMIT_MORE_COLLISIONS: _never_happens,
}


def _set_packet_filter(nic: NicAdapter, request: ndis.OidRequest) -> ndis.NdisStatus:
    status, data = ndis.take_set(request, 4)
    if status == ndis.NdisStatus.SUCCESS:
        nic.filter.set_packet_filter(int.from_bytes(data, "little"))
    return status


def _set_multicast_list(nic: NicAdapter, request: ndis.OidRequest) -> ndis.NdisStatus:
    if len(request.buffer) % 6:
        return ndis.NdisStatus.INVALID_LENGTH
    data = bytes(request.buffer)
    request.bytes_read = len(data)
    nic.filter.set_multicast_list([data[at : at + 6] for at in range(0, len(data), 6)])
    return ndis.NdisStatus.SUCCESS


def _set_moderation(nic: NicAdapter, request: ndis.OidRequest) -> ndis.NdisStatus:
    """Enabled: as configured; disabled: an interrupt per completion."""
    status, data = ndis.take_set(request, _MODERATION.size)
    if status != ndis.NdisStatus.SUCCESS:
        return status
    wanted = _MODERATION.unpack(data)[-1]
    if wanted not in {_ENABLED, _DISABLED}:
        return ndis.NdisStatus.INVALID_DATA
    nic.rx.moderate(wanted == _ENABLED)
    nic.tx.moderate(wanted == _ENABLED)
    return ndis.NdisStatus.SUCCESS


def _set_link_parameters(nic: NicAdapter, request: ndis.OidRequest) -> ndis.NdisStatus:
    """The MAC does 1 Gbit/s full duplex without pause frames: that may be asked for, or left open, and nothing else."""
    del nic
    status, data = ndis.take_set(request, _LINK_PARAMETERS.size)
    if status != ndis.NdisStatus.SUCCESS:
        return status
    _, _, _, duplex, transmit, receive, pause, _ = _LINK_PARAMETERS.unpack(data)
    states = {ndis.MediaDuplexState.UNKNOWN, ndis.MediaDuplexState.FULL}
    possible = duplex in states and {transmit, receive} <= {0, GIGABIT} and pause <= _PAUSE_NONE
    return ndis.NdisStatus.SUCCESS if possible else ndis.NdisStatus.INVALID_DATA


async def _set_power(nic: NicAdapter, request: ndis.OidRequest) -> ndis.NdisStatus:
    status, data = ndis.take_set(request, 4)
    if status != ndis.NdisStatus.SUCCESS:
        return status
    return await (nic.wake() if int.from_bytes(data, "little") == ndis.DevicePowerState.D0 else nic.sleep())


def _set_vlan_id(nic: NicAdapter, request: ndis.OidRequest) -> ndis.NdisStatus:
    status, data = ndis.take_set(request, 4)
    if status != ndis.NdisStatus.SUCCESS:
        return status
    vlan_id = int.from_bytes(data, "little")
    if vlan_id > LARGEST_VLAN_ID:
        return ndis.NdisStatus.INVALID_DATA
    nic.rx.vlan_id = nic.tx.vlan_id = vlan_id
    return status


Change = Callable[["NicAdapter", ndis.OidRequest], ndis.NdisStatus | Awaitable[ndis.NdisStatus]]
_SETS: dict[int, Change] = {
    Oid.OID_GEN_CURRENT_PACKET_FILTER: _set_packet_filter,
    Oid.OID_802_3_MULTICAST_LIST: _set_multicast_list,
    Oid.OID_GEN_INTERRUPT_MODERATION: _set_moderation,
    Oid.OID_GEN_LINK_PARAMETERS: _set_link_parameters,
    Oid.OID_GEN_VLAN_ID: _set_vlan_id,
    Oid.OID_PNP_SET_POWER: _set_power,
}
OIDS_WITH_VLAN: tuple[Oid, ...] = tuple(
    sorted((Oid(oid) for oid in {Oid.OID_GEN_STATISTICS, *_FIXED, *_COUNTERS, *_SETS}), key=int)
)
SUPPORTED_OIDS = tuple(oid for oid in OIDS_WITH_VLAN if oid is not Oid.OID_GEN_VLAN_ID)
"""Those of a driver whose option has no VLANs."""


async def oid_request(nic: NicAdapter, request: ndis.OidRequest) -> ndis.NdisStatus:
    """MiniportOidRequest: one at a time, at PASSIVE_LEVEL."""
    try:
        return await _answer(nic, request)
    except BusError:
        return ndis.NdisStatus.FAILURE


async def _answer(nic: NicAdapter, request: ndis.OidRequest) -> ndis.NdisStatus:
    if not nic.hardware.present:
        return ndis.NdisStatus.NOT_ACCEPTED
    if request.oid == Oid.OID_GEN_VLAN_ID and not nic.config.has_vlan:
        return ndis.NdisStatus.NOT_SUPPORTED
    if request.request_type == ndis.RequestType.SET_INFORMATION:
        change = _SETS.get(request.oid)
        status = ndis.NdisStatus.NOT_SUPPORTED if change is None else await answer_of(change(nic, request))
        if status == ndis.NdisStatus.SUCCESS:
            await nic.hardware.flush()  # whoever asked may rely on it from now on
        return status
    if request.request_type not in {ndis.RequestType.QUERY_INFORMATION, ndis.RequestType.QUERY_STATISTICS}:
        return ndis.NdisStatus.NOT_SUPPORTED
    if request.oid == Oid.OID_GEN_STATISTICS:
        return ndis.answer_query(request, (await read_statistics(nic)).pack())
    if request.oid in _COUNTERS:
        return ndis.answer_counter(request, await _COUNTERS[request.oid](nic))
    if request.oid in _FIXED:
        return ndis.answer_query(request, _FIXED[request.oid](nic))
    return ndis.NdisStatus.NOT_SUPPORTED

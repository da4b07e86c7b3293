# SPDX-License-Identifier: Apache-2.0
"""MiniportQueryInformation and MiniportSetInformation: what needs no register is answered at once, the rest pends.

A counter is read by a work item and ends with NdisMQueryInformationComplete. A set is written at once; a work item
waits until it has arrived and ends it with NdisMSetInformationComplete. The counters are those of the NIC plus what the
driver itself refused or gave up, as the 6.x driver has them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from hilnic import ndis
from hilnic.hw.device import BusError
from hilnic.miniport.filter import MULTICAST_LIST_SIZE
from hilnic.miniport.link import GIGABIT
from hilnic.miniport.oids import DRIVER_VERSION, VENDOR_ID, read_counter
from hilnic.miniport.vlan import LARGEST_VLAN_ID
from hilnic.miniport5.lookahead import LookaheadReceiver
from hilnic.ndis import NdisMedium, NdisStatus, Oid, ndis5
from hilnic.ndis.ndis5 import NdisRequest
from hilnic.ndis.statistics import COUNTER_OIDS

if TYPE_CHECKING:
    from hilnic.miniport5.nic import Nic5

__all__ = ["query_information", "set_information"]

DESCRIPTION = b"hilnic nic_1g, NDIS 5\0"
NDIS_VERSION = 0x0501
_READY = 0
_CONNECTED, _DISCONNECTED = 0, 1
_SPEED_UNIT = 100
_MAC_OPTIONS = ndis.MacOptions.COPY_LOOKAHEAD_DATA


def _u32(value: int) -> bytes:
    return int(value).to_bytes(4, "little")


def _mac_options(nic: Nic5) -> int:
    options = (
        _MAC_OPTIONS if isinstance(nic.rx, LookaheadReceiver) else _MAC_OPTIONS | ndis.MacOptions.TRANSFERS_NOT_PEND
    )
    if nic.config.priority_vlan_tag:
        options |= nic.config.priority_vlan_tag.mac_options
    return options if nic.config.loopback else options | ndis.MacOptions.NO_LOOPBACK


_KNOWN: dict[int, Callable[[Nic5], bytes]] = {
    Oid.OID_GEN_SUPPORTED_LIST: lambda nic: b"".join(_u32(oid) for oid in supported_oids(nic)),
    Oid.OID_GEN_HARDWARE_STATUS: lambda _: _u32(_READY),
    Oid.OID_GEN_MEDIA_SUPPORTED: lambda nic: _u32(nic.medium),
    Oid.OID_GEN_MEDIA_IN_USE: lambda nic: _u32(nic.medium),
    Oid.OID_GEN_MAXIMUM_LOOKAHEAD: lambda nic: _u32(nic.config.mtu),
    Oid.OID_GEN_MAXIMUM_FRAME_SIZE: lambda nic: _u32(nic.config.mtu),
    Oid.OID_GEN_MAXIMUM_TOTAL_SIZE: lambda nic: _u32(nic.config.max_frame - 4),
    Oid.OID_GEN_LINK_SPEED: lambda _: _u32(GIGABIT // _SPEED_UNIT),
    Oid.OID_GEN_TRANSMIT_BUFFER_SPACE: lambda nic: _u32(nic.config.tx_ring * (nic.config.max_frame - 4)),
    Oid.OID_GEN_RECEIVE_BUFFER_SPACE: lambda nic: _u32(nic.config.rx_buffers * nic.config.rx_buffer_bytes),
    Oid.OID_GEN_TRANSMIT_BLOCK_SIZE: lambda nic: _u32(nic.config.max_frame - 4),
    Oid.OID_GEN_RECEIVE_BLOCK_SIZE: lambda nic: _u32(nic.config.rx_buffer_bytes),
    Oid.OID_GEN_VENDOR_ID: lambda _: _u32(VENDOR_ID),
    Oid.OID_GEN_VENDOR_DESCRIPTION: lambda _: DESCRIPTION,
    Oid.OID_GEN_VENDOR_DRIVER_VERSION: lambda _: _u32(DRIVER_VERSION),
    Oid.OID_GEN_DRIVER_VERSION: lambda _: NDIS_VERSION.to_bytes(2, "little"),
    Oid.OID_GEN_MAC_OPTIONS: lambda nic: _u32(_mac_options(nic)),
    Oid.OID_GEN_MEDIA_CONNECT_STATUS: lambda nic: _u32(_CONNECTED if nic.link.up else _DISCONNECTED),
    Oid.OID_GEN_MAXIMUM_SEND_PACKETS: lambda nic: _u32(nic.config.tx_ring),
    Oid.OID_GEN_TRANSMIT_QUEUE_LENGTH: lambda nic: _u32(nic.tx.statistics().queue_length),
    Oid.OID_PNP_CAPABILITIES: lambda _: bytes(16),  # it cannot wake the system
    Oid.OID_PNP_QUERY_POWER: lambda _: b"",  # always ready for any state
    Oid.OID_GEN_VLAN_ID: lambda nic: _u32(nic.rx.vlan_id),
}
_KNOWN_OF_ETHERNET: dict[int, Callable[[Nic5], bytes]] = {
    Oid.OID_802_3_PERMANENT_ADDRESS: lambda nic: nic.config.mac_address,
    Oid.OID_802_3_CURRENT_ADDRESS: lambda nic: nic.config.mac_address,
    Oid.OID_802_3_MAXIMUM_LIST_SIZE: lambda _: _u32(MULTICAST_LIST_SIZE),
    Oid.OID_802_3_RCV_ERROR_ALIGNMENT: lambda _: _u32(0),  # full duplex knows no collisions, the GMII no half octets
    Oid.OID_802_3_XMIT_ONE_COLLISION: lambda _: _u32(0),
    Oid.OID_802_3_XMIT_MORE_COLLISIONS: lambda _: _u32(0),
}


def _unknown(nic: Nic5) -> set[int]:
    """What only some of the drivers know: a VLAN of its own has an Ethernet NIC whose option says so."""
    is_known = nic.medium is NdisMedium.MEDIUM_802_3 and nic.config.has_vlan
    return set() if is_known else {Oid.OID_GEN_VLAN_ID}


def query_information(nic: Nic5, request: NdisRequest) -> NdisStatus:
    """MiniportQueryInformation, at DISPATCH_LEVEL."""
    known = None if request.oid in _unknown(nic) else _KNOWN.get(request.oid)
    if known is None and nic.medium is NdisMedium.MEDIUM_802_3:
        known = _KNOWN_OF_ETHERNET.get(request.oid)
    if known is not None:
        return request.reply(known(nic))
    own = nic.query_own(request)
    if own is not None:
        return own
    if request.oid in COUNTER_OIDS:
        return _later(nic, _read_counter, request, ndis5.query_information_complete)
    return NdisStatus.INVALID_OID


async def _read_counter(nic: Nic5, request: NdisRequest) -> NdisStatus:
    """4 or 8 bytes, as much as the caller has room for (OI-06)."""
    value = await read_counter(nic, request.oid)
    if len(request.buffer) >= 8:
        return request.reply(value.to_bytes(8, "little"))
    return request.reply(_u32(value & 0xFFFFFFFF))


def _later(
    nic: Nic5,
    work: Callable[[Nic5, NdisRequest], Awaitable[NdisStatus]],
    request: NdisRequest,
    complete: Callable[[ndis.Adapter, NdisStatus], None],
) -> NdisStatus:
    """Do it at PASSIVE_LEVEL."""

    async def routine(context: object) -> None:
        del context
        try:
            status = await work(nic, request) if nic.hardware.present else NdisStatus.NOT_ACCEPTED
        except BusError:
            status = NdisStatus.FAILURE
        complete(nic.handle, status)

    ndis.queue_io_work_item(nic.handle, routine, None)
    return NdisStatus.PENDING


def _set_packet_filter(nic: Nic5, request: NdisRequest) -> NdisStatus:
    status, data = request.take(4)
    if status is NdisStatus.SUCCESS:
        nic.filter.set_packet_filter(int.from_bytes(data, "little"))
    return status


def _set_multicast_list(nic: Nic5, request: NdisRequest) -> NdisStatus:
    if len(request.buffer) % 6:
        return NdisStatus.INVALID_LENGTH
    status, data = request.take(len(request.buffer))
    nic.filter.set_multicast_list([data[at : at + 6] for at in range(0, len(data), 6)])
    return status


def _set_lookahead(nic: Nic5, request: NdisRequest) -> NdisStatus:
    """The most that any protocol wants; a driver of full packets shows everything anyway."""
    status, data = request.take(4)
    wanted = int.from_bytes(data, "little")
    if status is NdisStatus.SUCCESS and wanted > nic.config.mtu:
        return NdisStatus.INVALID_DATA
    if status is NdisStatus.SUCCESS and isinstance(nic.rx, LookaheadReceiver):
        nic.rx.show(wanted)
    return status


def _set_vlan_id(nic: Nic5, request: NdisRequest) -> NdisStatus:
    status, data = request.take(4)
    if status is not NdisStatus.SUCCESS:
        return status
    vlan_id = int.from_bytes(data, "little")
    if vlan_id > LARGEST_VLAN_ID:
        return NdisStatus.INVALID_DATA
    nic.rx.vlan_id = nic.tx.vlan_id = vlan_id
    return status


_SETS: dict[int, Callable[[Nic5, NdisRequest], NdisStatus]] = {
    Oid.OID_GEN_CURRENT_PACKET_FILTER: _set_packet_filter,
    Oid.OID_GEN_CURRENT_LOOKAHEAD: _set_lookahead,
    Oid.OID_802_3_MULTICAST_LIST: _set_multicast_list,
    Oid.OID_GEN_VLAN_ID: _set_vlan_id,
}


def set_information(nic: Nic5, request: NdisRequest) -> NdisStatus:
    """MiniportSetInformation, at DISPATCH_LEVEL."""
    if request.oid == Oid.OID_PNP_SET_POWER:
        return _later(nic, _set_power, request, ndis5.set_information_complete)
    own = nic.set_own(request)
    if own is not None:
        return own
    change = _SETS.get(request.oid)
    if change is None or request.oid in _unknown(nic):
        return NdisStatus.INVALID_OID
    status = change(nic, request)
    return _later(nic, _flush, request, ndis5.set_information_complete) if status is NdisStatus.SUCCESS else status


async def _flush(nic: Nic5, request: NdisRequest) -> NdisStatus:
    """Whoever asked may rely on it from now on."""
    del request
    await nic.hardware.flush()
    return NdisStatus.SUCCESS


async def _set_power(nic: Nic5, request: NdisRequest) -> NdisStatus:
    status, data = request.take(4)
    if status is not NdisStatus.SUCCESS:
        return status
    return await nic.set_power(ndis.DevicePowerState(int.from_bytes(data, "little")))


def supported_oids(nic: Nic5) -> list[int]:
    """OID_GEN_SUPPORTED_LIST."""
    oids = {*_KNOWN, *COUNTER_OIDS, *_SETS, *nic.own_oids, Oid.OID_PNP_SET_POWER} - _unknown(nic)
    return sorted(oids | set(_KNOWN_OF_ETHERNET) if nic.medium is NdisMedium.MEDIUM_802_3 else oids)

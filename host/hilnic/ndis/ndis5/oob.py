# SPDX-License-Identifier: Apache-2.0
"""Out-of-band data of a packet: NDIS_GET_PACKET_* and NDIS_SET_PACKET_*, per-packet information, packet stack.

The macros of ndis.h. Drivers use these and not the fields, because the block's place behind the packet is NDIS's own.
"""

from __future__ import annotations

from typing import Any

from hilnic.ndis.ndis5 import levels
from hilnic.ndis.ndis5.constants import PacketFlags, PacketInfo
from hilnic.ndis.ndis5.packet import Packet, PacketStackSlot
from hilnic.ndis.wdk import wdk

_CANCEL_ID = int(PacketInfo.CANCEL_ID)
_ORIGINAL_PACKET = int(PacketInfo.ORIGINAL_PACKET)

SEND_INFO = tuple(
    int(slot)
    for slot in (
        PacketInfo.TCP_IP_CHECKSUM,
        PacketInfo.IPSEC,
        PacketInfo.TCP_LARGE_SEND,
        PacketInfo.CLASSIFICATION_HANDLE,
        PacketInfo.IEEE_8021Q,
        PacketInfo.CANCEL_ID,
    )
)
"""What a new packet for the same frame takes along, down or up."""

SEND_COMPLETE_INFO = (int(PacketInfo.TCP_IP_CHECKSUM), int(PacketInfo.IPSEC), int(PacketInfo.TCP_LARGE_SEND))
"""What the original gets from the new packet on completion: the results of the offloads."""


def get_packet_status(packet: Packet) -> int:
    """NDIS_GET_PACKET_STATUS: on receive, who owns the packet."""
    return packet.oob.status


def set_packet_status(packet: Packet, status: int) -> None:
    """NDIS_SET_PACKET_STATUS."""
    packet.oob.status = status


def get_packet_header_size(packet: Packet) -> int:
    """NDIS_GET_PACKET_HEADER_SIZE: bytes of the media header."""
    return packet.oob.header_size


def set_packet_header_size(packet: Packet, size: int) -> None:
    """NDIS_SET_PACKET_HEADER_SIZE."""
    packet.oob.header_size = size


def get_packet_time_to_send(packet: Packet) -> int:
    """NDIS_GET_PACKET_TIME_TO_SEND."""
    return packet.oob.time_to_send


def set_packet_time_to_send(packet: Packet, time: int) -> None:
    """NDIS_SET_PACKET_TIME_TO_SEND."""
    packet.oob.time_to_send = time


def get_packet_time_sent(packet: Packet) -> int:
    """NDIS_GET_PACKET_TIME_SENT."""
    return packet.oob.time_sent


def set_packet_time_sent(packet: Packet, time: int) -> None:
    """NDIS_SET_PACKET_TIME_SENT."""
    packet.oob.time_sent = time


def get_packet_time_received(packet: Packet) -> int:
    """NDIS_GET_PACKET_TIME_RECEIVED."""
    return packet.oob.time_received


def set_packet_time_received(packet: Packet, time: int) -> None:
    """NDIS_SET_PACKET_TIME_RECEIVED."""
    packet.oob.time_received = time


def get_packet_media_specific_info(packet: Packet) -> bytes:
    """NDIS_GET_PACKET_MEDIA_SPECIFIC_INFO: the information and, by its length, its size."""
    return packet.oob.media_specific_information


def set_packet_media_specific_info(packet: Packet, information: bytes) -> None:
    """NDIS_SET_PACKET_MEDIA_SPECIFIC_INFO."""
    packet.oob.media_specific_information = information


def get_packet_cancel_id(packet: Packet) -> Any:
    """NDIS_GET_PACKET_CANCEL_ID."""
    return packet.packet_info[_CANCEL_ID]


def set_packet_cancel_id(packet: Packet, cancel_id: Any) -> None:
    """NDIS_SET_PACKET_CANCEL_ID."""
    packet.packet_info[_CANCEL_ID] = cancel_id


def get_original_packet(packet: Packet) -> Packet | None:
    """NDIS_GET_ORIGINAL_PACKET: the first packet, through any number of levels (OB-07); None when this is the first."""
    original = packet.original
    while original is not None and original.original is not None:
        original = original.original
    return original


def set_original_packet(packet: Packet, original: Packet | None) -> None:
    """NDIS_SET_ORIGINAL_PACKET."""
    packet.packet_info[_ORIGINAL_PACKET] = original
    if original is None:
        packet.flags &= ~PacketFlags.USES_ORIGINAL_PACKET
    else:
        packet.flags |= PacketFlags.USES_ORIGINAL_PACKET


def get_packet_flags(packet: Packet) -> int:
    """NdisGetPacketFlags."""
    return packet.flags


def set_packet_flags(packet: Packet, flags: int) -> None:
    """NdisSetPacketFlags: these bits besides those that are set."""
    packet.flags |= flags


def clear_packet_flags(packet: Packet, flags: int) -> None:
    """NdisClearPacketFlags."""
    packet.flags &= ~flags


@wdk("NdisIMGetCurrentPacketStack")
def im_get_current_packet_stack(packet: Packet) -> tuple[PacketStackSlot | None, bool]:
    """(location for the intermediate driver that holds the packet, whether it may hand the packet itself on) (OB-06).

    It may not when the locations are used up, or when other receivers look at the same packet.
    """
    index = packet.stack_index
    level = levels.top(packet)
    if level is None:
        return None, False
    return packet.stack[index], index + 1 < len(packet.stack) and not level.shared


@wdk("NdisIMCopySendPerPacketInfo")
def im_copy_send_per_packet_info(destination: Packet, source: Packet) -> None:
    """Give a packet's information to the one that an intermediate driver made of it, also of a received one (OB-05)."""
    for slot in SEND_INFO:
        destination.packet_info[slot] = source.packet_info[slot]


@wdk("NdisIMCopySendCompletePerPacketInfo")
def im_copy_send_complete_per_packet_info(destination: Packet, source: Packet) -> None:
    """Give the results of a completed send back to the packet it was made of (OB-05)."""
    for slot in SEND_COMPLETE_INFO:
        destination.packet_info[slot] = source.packet_info[slot]


def copy_out_of_band(destination: Packet, source: Packet) -> None:
    """The block itself, status excepted: what NdisMoveMemory of NDIS_OOB_DATA_FROM_PACKET does in a driver (OB-05)."""
    to, of = destination.oob, source.oob
    to.time_to_send, to.time_sent, to.time_received = of.time_to_send, of.time_sent, of.time_received
    to.header_size = of.header_size
    to.media_specific_information = of.media_specific_information

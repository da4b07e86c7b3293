# SPDX-License-Identifier: Apache-2.0
"""Copies between objects: the bytes of a frame, and the out-of-band information of a list, per direction (IM-10)."""

from __future__ import annotations

from typing import Any

from hilnic.ndis.clone import describe
from hilnic.ndis.flags import NblInfo
from hilnic.ndis.mdl import Mdl, walk_mdls
from hilnic.ndis.nbl import NetBufferList
from hilnic.ndis.net_buffer import NetBuffer
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk

SEND_INFO = (
    NblInfo.TCP_IP_CHECKSUM,
    NblInfo.IPSEC_V1,
    NblInfo.TCP_LARGE_SEND,
    NblInfo.IEEE_8021Q,
    NblInfo.CANCEL_ID,
    NblInfo.MEDIA_SPECIFIC,
    NblInfo.PROTOCOL_ID,
    NblInfo.IPSEC_V2_TUNNEL,
    NblInfo.IPSEC_V2_HEADER,
    NblInfo.FILTERING_INFO,
)
"""What the helper of the send direction copies (D:ndiscopysendnetbufferlistinfo)."""

RECEIVE_INFO = (
    NblInfo.TCP_IP_CHECKSUM,
    NblInfo.IPSEC_V1,
    NblInfo.TCP_RECV_NO_PUSH,
    NblInfo.IEEE_8021Q,
    NblInfo.MEDIA_SPECIFIC,
    NblInfo.FRAME_TYPE,
    NblInfo.HASH_VALUE,
    NblInfo.HASH_INFO,
    NblInfo.IPSEC_V2_TUNNEL,
    NblInfo.IPSEC_V2_HEADER,
    NblInfo.FILTERING_INFO,
)
"""Likewise for the receive direction (D:ndiscopyreceivenetbufferlistinfo)."""


@wdk("NdisCopyFromNetBufferToNetBuffer")
def copy_from_net_buffer_to_net_buffer(
    destination: NetBuffer, destination_offset: int, bytes_to_copy: int, source: NetBuffer, source_offset: int
) -> tuple[NdisStatus, int]:
    """Copy used bytes to used bytes; offsets count from each one's data start (MD-15). Gives (status, bytes copied).

    It ends at the shorter side. Neither side's fields change. INVALID_PARAMETER for an offset or a number below zero.
    """
    if min(destination_offset, bytes_to_copy, source_offset) < 0:
        return NdisStatus.INVALID_PARAMETER, 0
    length = min(bytes_to_copy, destination.data_length - destination_offset, source.data_length - source_offset)
    if length <= 0:
        return NdisStatus.SUCCESS, 0
    data = b"".join(bytes(mdl.view) for mdl in walk_mdls(describe(source, source_offset, length)))
    _write(describe(destination, destination_offset, length), data)
    return NdisStatus.SUCCESS, length


def _write(mdl: Mdl | None, data: bytes) -> None:
    at = 0
    while mdl is not None:
        mdl.view[:] = data[at : at + mdl.byte_count]
        at += mdl.byte_count
        mdl = mdl.next


@wdk("NdisCopySendNetBufferListInfo")
def copy_send_net_buffer_list_info(destination: NetBufferList, source: NetBufferList) -> None:
    """Take over what belongs to a send; the other slots of `destination` stay as they are (IM-09, IM-10)."""
    _copy_info(destination.net_buffer_list_info, source.net_buffer_list_info, SEND_INFO)


@wdk("NdisCopyReceiveNetBufferListInfo")
def copy_receive_net_buffer_list_info(destination: NetBufferList, source: NetBufferList) -> None:
    """Take over what belongs to a receive; the other slots of `destination` stay as they are (IM-09, IM-10)."""
    _copy_info(destination.net_buffer_list_info, source.net_buffer_list_info, RECEIVE_INFO)


def _copy_info(destination: list[Any], source: list[Any], slots: tuple[NblInfo, ...]) -> None:
    for slot in slots:
        destination[slot] = source[slot]

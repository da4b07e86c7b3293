# SPDX-License-Identifier: Apache-2.0
"""Link changes (XL-14): NDIS 6 tells one LINK_STATE; NDIS 5 says connect, disconnect and speed change one by one.

NDIS 5 counts speed in 100 bit/s; its media state has the values 0 and 1 where NDIS 6 has 1 and 2.
"""

from __future__ import annotations

import struct
from typing import Final

from hilnic.ndis.flags import MediaConnectState, MediaDuplexState, MediaState
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.status_indication import LinkState

SPEED_UNIT: Final = 100
"""bit/s per unit of OID_GEN_LINK_SPEED and of NDIS_STATUS_LINK_SPEED_CHANGE."""

UNKNOWN_SPEED: Final = 0xFFFFFFFFFFFFFFFF
"""NDIS_LINK_SPEED_UNKNOWN."""

LINK_STATUSES: Final[frozenset[int]] = frozenset(
    {NdisStatus.MEDIA_CONNECT, NdisStatus.MEDIA_DISCONNECT, NdisStatus.LINK_SPEED_CHANGE}
)
"""What a 5.x miniport indicates of its link; 6.x drivers hear of it by LINK_STATE alone."""

_OF_6_ALONE: Final[frozenset[int]] = frozenset(
    {
        NdisStatus.LINK_STATE,
        NdisStatus.NETWORK_CHANGE,
        NdisStatus.PORT_STATE,
        NdisStatus.OPER_STATUS,
        NdisStatus.PACKET_FILTER,
        NdisStatus.TASK_OFFLOAD_CURRENT_CONFIG,
        NdisStatus.TASK_OFFLOAD_HARDWARE_CAPABILITIES,
    }
)
_LARGEST_UNITS: Final = 0xFFFFFFFF
_SPEED = struct.Struct("<I")


def to_5(before: LinkState | None, after: LinkState) -> list[tuple[NdisStatus, bytes]]:
    """What a 5.x protocol hears of a link that was `before` and is `after`: (status, status buffer), in order.

    A connect state that is unknown counts as connected, for NDIS 5 has no third value. No change: no news.
    """
    news: list[tuple[NdisStatus, bytes]] = []
    is_up = _is_up(after)
    if before is None or _is_up(before) != is_up:
        news.append((NdisStatus.MEDIA_CONNECT if is_up else NdisStatus.MEDIA_DISCONNECT, b""))
    if is_up and (before is None or speed_units(before) != speed_units(after)):
        news.append((NdisStatus.LINK_SPEED_CHANGE, _SPEED.pack(speed_units(after))))
    return news


def to_6(status: int, link_speed_units: int, before: LinkState | None = None) -> LinkState:
    """The link state behind one of LINK_STATUSES; `link_speed_units` is what OID_GEN_LINK_SPEED answers then.

    A disconnected link has no speed and no duplex. NDIS 5 does not tell the duplex: that of `before` stays.
    """
    state = MediaConnectState.CONNECTED
    if status == NdisStatus.MEDIA_DISCONNECT:
        state = MediaConnectState.DISCONNECTED
    elif status == NdisStatus.LINK_SPEED_CHANGE and before is not None:
        state = before.media_connect_state
    if state is MediaConnectState.DISCONNECTED:
        return LinkState(state, MediaDuplexState.UNKNOWN, UNKNOWN_SPEED, UNKNOWN_SPEED)
    speed = link_speed_units * SPEED_UNIT
    duplex = MediaDuplexState.UNKNOWN if before is None else before.media_duplex_state
    return LinkState(state, duplex, speed, speed)


def reaches_5(status: int) -> bool:
    """Whether a 6.x indication means something to a 5.x protocol as it is; a LINK_STATE comes as `to_5` says."""
    return status not in _OF_6_ALONE


def reaches_6(status: int) -> bool:
    """Whether a 5.x indication means something to a 6.x driver as it is; LINK_STATUSES come as `to_6` says."""
    return status not in LINK_STATUSES


def speed_units(link: LinkState) -> int:
    """The transmit speed in 100 bit/s, at most 32 bits."""
    return min(link.xmit_link_speed // SPEED_UNIT, _LARGEST_UNITS)


def media_state(state: MediaConnectState) -> MediaState:
    """OID_GEN_MEDIA_CONNECT_STATUS's value (connected 0) for NDIS 6's (connected 1)."""
    return MediaState.DISCONNECTED if state is MediaConnectState.DISCONNECTED else MediaState.CONNECTED


def media_connect_state(state: int) -> MediaConnectState:
    """NDIS 6's value (disconnected 2) for OID_GEN_MEDIA_CONNECT_STATUS's (disconnected 1)."""
    return MediaConnectState.DISCONNECTED if state == MediaState.DISCONNECTED else MediaConnectState.CONNECTED


def _is_up(link: LinkState) -> bool:
    return link.media_connect_state is not MediaConnectState.DISCONNECTED

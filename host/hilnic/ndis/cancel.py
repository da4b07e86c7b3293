# SPDX-License-Identifier: Apache-2.0
"""Cancel ids: the mark in an NBL's out-of-band data by which its sender may ask for it back (CN-01, CN-07).

An id is any value the sender chooses, its high byte from generate_partial_cancel_id, so that no two drivers meet by
chance (CN-04); None and 0 are no id.
"""

from __future__ import annotations

from typing import Any

from hilnic.ndis.flags import NblInfo
from hilnic.ndis.nbl import NetBufferList
from hilnic.ndis.wdk import wdk

_CANCEL_ID = int(NblInfo.CANCEL_ID)


@wdk("NDIS_SET_NET_BUFFER_LIST_CANCEL_ID", irql="any")
def set_net_buffer_list_cancel_id(nbl: NetBufferList, cancel_id: Any) -> None:
    """Mark the NBL; its present owner only."""
    nbl.net_buffer_list_info[_CANCEL_ID] = cancel_id


@wdk("NDIS_GET_NET_BUFFER_LIST_CANCEL_ID", irql="any")
def get_net_buffer_list_cancel_id(nbl: NetBufferList) -> Any:
    """The NBL's cancel id; None or 0 when it has none."""
    return nbl.net_buffer_list_info[_CANCEL_ID]

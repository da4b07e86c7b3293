# SPDX-License-Identifier: Apache-2.0
"""NDIS's own copies of frames: looped sends (LB-07) and, by profile, receives lent with RESOURCES (R6-07)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilnic.ndis.ethernet import ether_type
from hilnic.ndis.flags import NblInfo
from hilnic.ndis.mdl import Mdl
from hilnic.ndis.nbl import NetBufferList
from hilnic.ndis.net_buffer import NetBuffer
from hilnic.ndis.pool import new_nbl, release

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter

_FRAME_TYPE = int(NblInfo.FRAME_TYPE)


def copy_frame(adapter: Adapter, nb: NetBuffer) -> NetBufferList | None:
    """An NBL of NDIS's own, ready to be indicated, over a copy of the used bytes; None without memory."""
    ndis = adapter.ndis
    length = nb.data_length
    try:
        region = ndis.kernel.allocate(max(length, 1))
    except MemoryError:
        return None
    region.view[:length] = nb.tobytes()
    nbl = new_nbl(ndis.copy_pool)
    copy = ndis.net_buffer_type(ndis.copy_pool, Mdl(region, 0, length, ndis), 0, length)
    copy.frame_id = nb.frame_id
    nbl.first_net_buffer = copy
    nbl.source_handle = adapter
    nbl.net_buffer_list_info[_FRAME_TYPE] = ether_type(copy)
    return nbl


def free_copy(nbl: NetBufferList) -> None:
    """The last holder has returned the copy: the memory goes."""
    nb = nbl.first_net_buffer
    if release(nbl) and nb is not None and nb.mdl_chain is not None:
        nbl.ndis.kernel.free(nb.mdl_chain.region)

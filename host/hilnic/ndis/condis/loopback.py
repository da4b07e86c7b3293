# SPDX-License-Identifier: Apache-2.0
"""Loopback on a VC (LB-11): with CHECK_FOR_LOOPBACK a copy of each frame comes back to the sender on the same VC.

The frame goes out all the same. The copy is NDIS's own, made before the miniport gets the list, and comes up from a
DPC; nobody but the VC's user ever sees it, and none is made on a VC that does not receive.
"""

from __future__ import annotations

from hilnic.ndis.condis import receive
from hilnic.ndis.condis.constants import MediaFlags
from hilnic.ndis.condis.handles import Vc
from hilnic.ndis.condis.machines import VcState
from hilnic.ndis.flags import NblFlags, ReceiveFlags
from hilnic.ndis.nbl import NblQueue, NetBufferList, walk
from hilnic.ndis.own_copy import copy_frame, free_copy

_RECEIVE_VC = int(MediaFlags.RECEIVE_VC)
_IS_LOOPBACK = int(NblFlags.IS_LOOPBACK_PACKET)
_DISPATCH = int(ReceiveFlags.DISPATCH_LEVEL)
_CARRYING = frozenset({VcState.ACTIVE, VcState.REACTIVATING})


def loop_back(vc: Vc, nbls: NetBufferList) -> None:
    """Copy the frames of a chain that is about to be sent, as far as there is memory."""
    if vc.parameters is None or not vc.parameters.media.flags & _RECEIVE_VC:
        return
    for nbl in walk(nbls):
        for nb in nbl.net_buffers():
            copy = copy_frame(vc.adapter, nb)
            if copy is None:
                continue
            copy.nbl_flags |= _IS_LOOPBACK
            copy.source_handle = vc.miniport
            if not vc.looped:
                vc.ndis.kernel.queue_dpc(lambda: _deliver(vc))
            vc.looped.append(copy)


def _deliver(vc: Vc) -> None:
    looped, vc.looped = vc.looped, []
    if vc.state not in _CARRYING:
        for nbl in looped:
            free_copy(nbl)
        return
    queue = NblQueue()
    for nbl in looped:
        queue.append(nbl)
    count = queue.count
    nbls = queue.take()
    if vc.ndis.vc_ledger is not None:
        nbls = vc.ndis.vc_ledger.indicated(vc.miniport, nbls, count, _DISPATCH)
    if nbls is not None:
        receive.indicate(vc, nbls, _DISPATCH, free_copy)

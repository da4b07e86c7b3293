# SPDX-License-Identifier: Apache-2.0
"""A CoNDIS miniport whose handler has raised: sends on VCs end, VCs drain; an MCM's other half has a ghost, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic.ndis.condis import ghost_manager
from hilnic.ndis.condis.activation import (
    ACTIVATE,
    DEACTIVATE,
    mco_complete_activate_vc,
    mco_complete_deactivate_vc,
)
from hilnic.ndis.condis.characteristics import MiniportCoCharacteristics
from hilnic.ndis.condis.co_oid import mco_complete_oid_request
from hilnic.ndis.condis.handles import Vc, VcHandle
from hilnic.ndis.condis.parameters import CallParameters
from hilnic.ndis.condis.send import mco_complete_send_net_buffer_lists
from hilnic.ndis.nbl import NetBufferList, chain, walk
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.verifier.custody import SENT

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter


def haunt_adapter(adapter: Adapter) -> None:
    """The miniport is out: nothing reaches it any more."""
    co = adapter.co
    co.handlers = _GHOST
    if not hasattr(adapter.context, "haunt"):  # a 5.x driver's edge translates on
        co.send_handler = _complete
    for vc in co.vcs:
        vc.miniport.context = vc.miniport
    for provider in co.providers:
        if provider.is_mcm:
            ghost_manager.haunt_manager(provider)


def end_pending(adapter: Adapter) -> None:
    """From the work item: what waited for the miniport ends."""
    for request in list(adapter.co.requests):
        mco_complete_oid_request(adapter, None, request, NdisStatus.FAILURE)
    complete_held(adapter)
    for vc in list(adapter.co.vcs):
        if ACTIVATE in vc.pending:
            mco_complete_activate_vc(vc.miniport, NdisStatus.FAILURE, CallParameters())
    check_drained(adapter)
    for provider in list(adapter.co.providers):
        if provider.is_mcm:
            ghost_manager.end_pending(provider)


def complete_held(adapter: Adapter) -> None:
    """The lists that the miniport holds on VCs; the verifier knows them."""
    from hilnic.ndis.ghosts.custody import in_custody

    for vc in list(adapter.co.vcs):
        held = chain(in_custody(vc.miniport, SENT))
        if held is not None:
            _complete(None, held, 0)


def _complete(_: Any, nbls: NetBufferList, __: int) -> None:
    vc: Vc = nbls.source_handle.vc
    for nbl in walk(nbls):
        nbl.status = NdisStatus.FAILURE
    mco_complete_send_net_buffer_lists(vc.miniport, nbls)


def check_drained(adapter: Adapter) -> None:
    """A receive has come back: the deactivation of its VC may end."""
    for vc in list(adapter.co.vcs):
        if vc.receives_outstanding or vc.sends_outstanding:
            continue
        if DEACTIVATE in vc.pending:
            mco_complete_deactivate_vc(vc.miniport, NdisStatus.SUCCESS)
        elif vc.call_manager is vc.miniport and vc.provider.handlers is ghost_manager.MANAGER and vc.call.pending:
            ghost_manager.go_on(vc.miniport)


def _deactivate(handle: VcHandle) -> NdisStatus:
    vc = handle.vc
    return NdisStatus.PENDING if vc.receives_outstanding or vc.sends_outstanding else NdisStatus.SUCCESS


_GHOST = MiniportCoCharacteristics(
    create_vc=lambda *_: (NdisStatus.FAILURE, None),
    delete_vc=lambda _: NdisStatus.SUCCESS,
    activate_vc=lambda *_: NdisStatus.FAILURE,
    deactivate_vc=_deactivate,
    send_net_buffer_lists=_complete,
    oid_request=lambda *_: NdisStatus.FAILURE,
)

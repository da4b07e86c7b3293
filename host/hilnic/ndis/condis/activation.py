# SPDX-License-Identifier: Apache-2.0
"""A call manager has a VC activated, changed and deactivated.

    cm   cm_activate_vc -> miniport's activate_vc -> activate_vc_complete; again: new parameters (CC-09)
    cm   cm_deactivate_vc -> miniport's deactivate_vc: after the last send and the last held receive (CC-10)

An MCM does the miniport's part itself, and tells NDIS.
"""

from __future__ import annotations

from typing import Any

from hilnic.ndis.condis import receive
from hilnic.ndis.condis.answers import answered, completed
from hilnic.ndis.condis.callout import ask, tell
from hilnic.ndis.condis.handles import Vc, VcHandle
from hilnic.ndis.condis.machines import VcEvent
from hilnic.ndis.condis.parameters import CallParameters
from hilnic.ndis.condis.vc import is_miniports
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk

ACTIVATE, DEACTIVATE = "activate", "deactivate"


def activate(handle: VcHandle, parameters: CallParameters) -> NdisStatus:
    """A stand-alone call manager has the miniport activate the VC, or change its parameters (CC-09)."""
    vc, adapter = handle.vc, handle.adapter
    if not vc.step(VcEvent.ACTIVATE, handle.actor):
        return NdisStatus.FAILURE
    vc.pending.add(ACTIVATE)
    status = ask(adapter, "activate_vc", adapter.co.handlers.activate_vc, vc.miniport.context, parameters)
    if not answered(vc, ACTIVATE, adapter, status):
        return NdisStatus.PENDING
    _activated(vc, status, parameters)
    return NdisStatus(status)


def _activated(vc: Vc, status: NdisStatus, parameters: CallParameters) -> None:
    if status is NdisStatus.SUCCESS:
        vc.parameters = parameters.copy()
        vc.step(VcEvent.ACTIVATED, vc.adapter)
    else:
        vc.step(VcEvent.ACTIVATE_FAILED, vc.adapter)


@wdk("NdisMCoActivateVcComplete", callout=True)
def mco_complete_activate_vc(vc: VcHandle, status: NdisStatus, parameters: CallParameters) -> None:
    """A miniport ends an activation that it answered with PENDING; a failure leaves what was (CC-09)."""
    if is_miniports(vc, "NdisMCoActivateVcComplete") and completed(vc.vc, ACTIVATE, vc.adapter, status):
        _activated(vc.vc, status, parameters)
        _tell_call_manager(vc.vc, "activate_vc_complete", status, parameters)


def activate_by_mcm(handle: VcHandle, parameters: CallParameters) -> NdisStatus:
    """An integrated call manager has activated the VC itself."""
    vc = handle.vc
    if not vc.step(VcEvent.ACTIVATE, handle.actor):
        return NdisStatus.FAILURE
    _activated(vc, NdisStatus.SUCCESS, parameters)
    return NdisStatus.SUCCESS


def deactivate(handle: VcHandle) -> NdisStatus:
    """A stand-alone call manager has the miniport deactivate the VC, whatever it was activated with (CC-10)."""
    vc, adapter = handle.vc, handle.adapter
    if not vc.step(VcEvent.DEACTIVATE, handle.actor):
        return NdisStatus.FAILURE
    receive.drop_early(vc)
    vc.pending.add(DEACTIVATE)
    status = ask(adapter, "deactivate_vc", adapter.co.handlers.deactivate_vc, vc.miniport.context, refused=None)
    if status is None:  # it has raised: its ghost answers
        ghost = adapter.co.handlers.deactivate_vc
        status = ghost(vc.miniport.context) if adapter.driver.faulted else NdisStatus.FAILURE
    if not answered(vc, DEACTIVATE, adapter, status):
        return NdisStatus.PENDING
    _deactivated(vc, status)
    return NdisStatus(status)


def _deactivated(vc: Vc, status: NdisStatus) -> None:
    if status is not NdisStatus.SUCCESS:
        vc.step(VcEvent.DEACTIVATE_FAILED, vc.adapter)
        return
    if vc.sends_outstanding or vc.receives_outstanding:
        out = f"{vc.sends_outstanding} sends and {vc.receives_outstanding} receives"
        vc.ndis.violation("CC-10", vc.adapter, vc, f"deactivated with {out} outstanding")
    vc.step(VcEvent.DEACTIVATED, vc.adapter)


@wdk("NdisMCoDeactivateVcComplete", callout=True)
def mco_complete_deactivate_vc(vc: VcHandle, status: NdisStatus) -> None:
    """A miniport ends a deactivation that it answered with PENDING: sends completed, receives back (CC-10)."""
    if is_miniports(vc, "NdisMCoDeactivateVcComplete") and completed(vc.vc, DEACTIVATE, vc.adapter, status):
        _deactivated(vc.vc, status)
        _tell_call_manager(vc.vc, "deactivate_vc_complete", status)


def deactivate_by_mcm(handle: VcHandle) -> NdisStatus:
    """An integrated call manager has deactivated the VC itself, after the last send and the last return."""
    vc = handle.vc
    if not vc.step(VcEvent.DEACTIVATE, handle.actor):
        return NdisStatus.FAILURE
    receive.drop_early(vc)
    _deactivated(vc, NdisStatus.SUCCESS)
    return NdisStatus.SUCCESS


def _tell_call_manager(vc: Vc, name: str, *args: Any) -> None:
    """To the call manager that had asked."""
    handle = vc.call_manager
    assert handle is not None
    tell(handle.actor, name, getattr(vc.provider.handlers, name), handle.context, *args)

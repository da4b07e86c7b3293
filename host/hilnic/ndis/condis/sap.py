# SPDX-License-Identifier: Apache-2.0
"""Service access points: where a client wants to be called. The call manager judges them (CC-05)."""

from __future__ import annotations

from typing import Any

from hilnic.ndis.condis.answers import answered, completed
from hilnic.ndis.condis.callout import ask, is_stale, tell
from hilnic.ndis.condis.handles import AfHandle, SapHandle
from hilnic.ndis.condis.machines import AfState, SapEvent, SapState
from hilnic.ndis.condis.parameters import Sap
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk

_FAILED = (NdisStatus.FAILURE, None)
REGISTER, DEREGISTER = "register", "deregister"


@wdk("NdisClRegisterSap", callout=True)
def cl_register_sap(af: AfHandle, sap_context: Any, sap: Sap) -> tuple[NdisStatus, SapHandle | None]:
    """Be called at `sap` from now on. PENDING: register_sap_complete follows. INVALID_SAP, SAP_IN_USE (CC-05)."""
    if is_stale(af, af.binding, "NdisClRegisterSap", af.state is not AfState.OPEN):
        return _FAILED
    handle = SapHandle(af, sap, sap_context)
    af.saps.append(handle)
    handle.pending.add(REGISTER)
    provider = af.provider
    status, cm_context = ask(
        provider.actor, "register_sap", provider.handlers.register_sap, af.cm_context, sap, handle, refused=_FAILED
    )
    if not answered(handle, REGISTER, provider.actor, status):
        return NdisStatus.PENDING, handle
    _registered(handle, status, cm_context)
    return status, handle if status is NdisStatus.SUCCESS else None


def _registered(handle: SapHandle, status: NdisStatus, cm_context: Any) -> None:
    if status is NdisStatus.SUCCESS:
        handle.cm_context = cm_context
        handle.step(SapEvent.REGISTERED, handle.af.provider.actor)
    else:
        handle.step(SapEvent.REGISTER_FAILED, handle.af.provider.actor)
        handle.af.saps.remove(handle)


def complete_register(handle: SapHandle, status: NdisStatus, cm_context: Any) -> None:
    """The call manager ends a registration that it answered with PENDING."""
    if completed(handle, REGISTER, handle.af.provider.actor, status):
        _registered(handle, status, cm_context)
        af = handle.af
        told = af.handlers.register_sap_complete
        tell(af.binding, "register_sap_complete", told, handle.client_context, status, handle.sap, handle)


@wdk("NdisClDeregisterSap", callout=True)
def cl_deregister_sap(sap: SapHandle) -> NdisStatus:
    """No new calls there; those that there are go on (CC-06). PENDING: deregister_sap_complete follows.

    The handle is dead from here on (CC-04).
    """
    af = sap.af
    if is_stale(sap, af.binding, "NdisClDeregisterSap", sap.state is not SapState.REGISTERED):
        return NdisStatus.FAILURE
    sap.step(SapEvent.DEREGISTER, af.binding)
    sap.pending.add(DEREGISTER)
    provider = af.provider
    status = ask(provider.actor, "deregister_sap", provider.handlers.deregister_sap, sap.cm_context)
    if not answered(sap, DEREGISTER, provider.actor, status):
        return NdisStatus.PENDING
    _deregistered(sap, status)
    return NdisStatus(status)


def _deregistered(sap: SapHandle, status: NdisStatus) -> None:
    if status is NdisStatus.SUCCESS:
        sap.step(SapEvent.DEREGISTERED, sap.af.provider.actor)
        sap.af.saps.remove(sap)
    else:
        sap.step(SapEvent.DEREGISTER_FAILED, sap.af.provider.actor)


def complete_deregister(sap: SapHandle, status: NdisStatus) -> None:
    """The call manager ends a deregistration that it answered with PENDING."""
    if completed(sap, DEREGISTER, sap.af.provider.actor, status):
        _deregistered(sap, status)
        af = sap.af
        tell(af.binding, "deregister_sap_complete", af.handlers.deregister_sap_complete, sap.client_context, status)

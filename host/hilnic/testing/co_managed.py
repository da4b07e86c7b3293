# SPDX-License-Identifier: Apache-2.0
"""What a functional call manager keeps of its clients' families, SAPs, VCs and parties: its contexts."""

from __future__ import annotations

from typing import Any

from hilnic.ndis.condis import AfHandle, CallParameters, PartyHandle, Sap, SapHandle, VcHandle

__all__ = ["ManagedAf", "ManagedParty", "ManagedSap", "ManagedVc"]


class ManagedAf:
    """A client that has opened the address family; the call manager's context."""

    def __init__(self, signalling: Any, handle: AfHandle) -> None:
        self.signalling = signalling
        self.handle = handle
        self.saps: dict[bytes, ManagedSap] = {}
        self.vcs: list[ManagedVc] = []


class ManagedSap:
    """A SAP of a client's; the call manager's context."""

    def __init__(self, af: ManagedAf, sap: Sap, handle: SapHandle) -> None:
        self.af = af
        self.sap = sap
        self.handle = handle


class ManagedParty:
    """A party; the call manager's context."""

    def __init__(self, vc: ManagedVc, handle: PartyHandle) -> None:
        self.vc = vc
        self.handle = handle


class ManagedVc:
    """The call manager's state of one VC; its context. `data` is an MCM's other half."""

    def __init__(self, af: ManagedAf, handle: VcHandle | None, is_own: bool) -> None:
        self.af = af
        self.handle = handle
        self.is_own = is_own  # this call manager has created it
        self.is_active = False
        self.is_activating = False
        self.is_making = False
        self.is_modifying = False
        self.is_closing = False
        self.is_gone = False
        self.is_permanent = False  # provisioned: active before its call and after it
        self.offered_at: ManagedSap | None = None  # a call for this SAP waits for the activation
        self.parameters = CallParameters()
        self.parties: list[ManagedParty] = []
        self.data: Any = None

    @property
    def open(self) -> VcHandle:
        """The handle, which must be there."""
        assert self.handle is not None
        return self.handle

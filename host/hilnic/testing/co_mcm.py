# SPDX-License-Identifier: Apache-2.0
"""The functional miniport call manager: a functional CoNDIS miniport and the call manager of co_cm.py in one driver."""

from __future__ import annotations

from typing import Any

from hilnic import ndis
from hilnic.ndis import NdisStatus, NetBufferList, OidRequest, condis
from hilnic.ndis.condis import AfHandle, CallParameters, VcHandle
from hilnic.testing.co_client import FAMILY
from hilnic.testing.co_cm import ManagedVc, Signalling
from hilnic.testing.co_miniport import CoVc, FunctionalCoMiniport

__all__ = ["FunctionalMcm"]


class FunctionalMcm(FunctionalCoMiniport):
    """Registers `FAMILY` when it initialises; `signalling` is its call manager's half."""

    signals: type[Signalling] = Signalling

    def __init__(self, *args: Any, **options: Any) -> None:
        self.signalling = self.signals(self, "mcm")
        self.closing: dict[CoVc, ManagedVc] = {}
        super().__init__(*args, **options)

    def co_characteristics(self) -> condis.MiniportCoCharacteristics:
        """The data handlers; NDIS asks the call manager's half for the rest."""
        return condis.MiniportCoCharacteristics(
            activate_vc=_never_called,
            deactivate_vc=_never_called,
            send_net_buffer_lists=_co_send,
            oid_request=_co_oid_request,
        )

    def set_options(self, driver: ndis.MiniportDriver) -> NdisStatus:
        """MiniportSetOptions."""
        super().set_options(driver)
        return condis.set_optional_handlers(driver, self.signalling.handlers())

    def initialize(self, adapter: ndis.Adapter) -> Any:
        """MiniportInitializeEx, with the registration of the address family."""
        status = super().initialize(adapter)
        self.registered = condis.mcm_register_address_family(adapter, FAMILY)
        return status

    # What Signalling wants of its host.

    def new_vc(self, af: AfHandle, context: ManagedVc) -> tuple[NdisStatus, VcHandle | None]:
        """A VC for an incoming call."""
        status, context.handle = condis.mcm_create_vc(self.adapter, af, context)
        if context.handle is not None:
            self.vc_created(context)
        return status, context.handle

    def delete(self, vc: ManagedVc) -> NdisStatus:
        """Delete it."""
        return condis.mcm_delete_vc(vc.open)

    def activate(self, vc: ManagedVc, parameters: CallParameters) -> NdisStatus:
        """Tell NDIS that it is active."""
        return condis.mcm_activate_vc(vc.open, parameters)

    def deactivate(self, vc: ManagedVc) -> NdisStatus:
        """End its sends, wait for its receives, and tell NDIS then."""
        assert vc.data is not None
        vc.data.complete_all(NdisStatus.FAILURE)
        if vc.data.indicated:
            self.closing[vc.data] = vc
            return NdisStatus.PENDING
        return condis.mcm_deactivate_vc(vc.open)

    def check_drained(self, vc: CoVc) -> None:
        """The last receive of a VC that is being deactivated is back."""
        waiting = self.closing.get(vc)
        if waiting is not None and not vc.indicated:
            del self.closing[vc]
            self.signalling.deactivate_vc_complete(waiting, condis.mcm_deactivate_vc(waiting.open))

    def family_closed(self) -> None:
        """A client has closed its family: nothing waits for that."""

    def vc_created(self, vc: ManagedVc) -> None:
        """The data half of the VC."""
        vc.data = CoVc(self, vc.open)
        self.vcs.append(vc.data)

    def vc_deleted(self, vc: ManagedVc) -> None:
        """It goes, too."""
        assert vc.data is not None
        self.vcs.remove(vc.data)


def _never_called(*_: Any) -> NdisStatus:
    raise AssertionError("NDIS asks an MCM's miniport half for a VC")


def _co_send(vc: ManagedVc, nbls: NetBufferList, send_flags: int) -> None:
    assert vc.data is not None
    vc.data.miniport.co_send_net_buffer_lists(vc.data, nbls, send_flags)


def _co_oid_request(miniport: FunctionalMcm, vc: ManagedVc | None, request: OidRequest) -> NdisStatus:
    return miniport.co_oid_request(None if vc is None else vc.data, request)

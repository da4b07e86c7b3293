# SPDX-License-Identifier: Apache-2.0
"""The functional stand-alone call manager of NDIS 5: co_cm.py's, registered and asked as NDIS 5 does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hilnic import ndis
from hilnic.ndis import NdisStatus, condis
from hilnic.ndis.condis import AfHandle, CallParameters, VcHandle
from hilnic.ndis.condis import ndis5 as condis5
from hilnic.ndis.ndis5 import NdisRequest, Packet, ProtocolCharacteristics5
from hilnic.testing.co_calls import FAMILY
from hilnic.testing.co_managed import ManagedVc
from hilnic.testing.co_signalling import Signalling
from hilnic.testing.protocol5 import FunctionalProtocol5

__all__ = ["FunctionalCallManager5"]


class FunctionalCallManager5(FunctionalProtocol5):
    """A 5.x protocol that is a stand-alone call manager; registers `FAMILY` when it binds. It has no VC of its own."""

    def __init__(self, host: ndis.Ndis, name: str = "cm5") -> None:
        super().__init__(host, name)
        self.signalling = Signalling(self, "cm")
        self.registered = NdisStatus.PENDING

    def characteristics(self) -> ProtocolCharacteristics5:
        """The handlers of a functional 5.x protocol, and those that make it one of CoNDIS."""
        return replace(super().characteristics(), co_receive_packet=_receive, co_send_complete=_sent)

    def bind_adapter(self, bind_context: ndis.BindContext, adapter_name: str) -> NdisStatus:
        """ProtocolBindAdapter, with NdisCmRegisterAddressFamily."""
        status = super().bind_adapter(bind_context, adapter_name)
        if status is NdisStatus.SUCCESS:
            handlers = self.signalling.handlers()
            self.registered = condis5.cm_register_address_family(self.open, FAMILY, handlers)
        return status

    def unbind_adapter(self, unbind_context: ndis.UnbindContext) -> NdisStatus:
        """ProtocolUnbindAdapter: the clients have left."""
        condis.cm_deregister_address_family(self.open, FAMILY)
        return super().unbind_adapter(unbind_context)

    # What Signalling wants of its host.

    def new_vc(self, af: AfHandle, context: ManagedVc) -> tuple[NdisStatus, VcHandle | None]:
        """A VC for an incoming call."""
        return condis.co_create_vc(self.open, af, context)

    def delete(self, vc: ManagedVc) -> NdisStatus:
        """Delete it."""
        return condis.co_delete_vc(vc.open)

    def activate(self, vc: ManagedVc, parameters: CallParameters) -> NdisStatus:
        """Activate it, or change it."""
        return condis.cm_activate_vc(vc.open, parameters)

    def deactivate(self, vc: ManagedVc) -> NdisStatus:
        """Deactivate it."""
        return condis.cm_deactivate_vc(vc.open)

    def family_closed(self) -> None:
        """A client has closed its family: nothing waits for that."""

    def vc_created(self, vc: ManagedVc) -> None:
        """The miniport keeps its own state."""

    def vc_deleted(self, vc: ManagedVc) -> None:
        """The miniport keeps its own state."""

    def ask(self, af: AfHandle, request: NdisRequest) -> NdisStatus:
        """NdisCoRequest, of a client."""
        return condis5.co_request(self.open, af, None, None, request)


def _receive(manager: FunctionalCallManager5, vc: Any, packet: Packet) -> int:
    raise AssertionError(f"{manager!r} has no VC of its own, and hears {packet!r} on {vc!r}")


def _sent(vc: Any, packet: Packet, status: int) -> None:
    raise AssertionError(f"nothing was sent on {vc!r}, and {packet!r} has ended with {status}")

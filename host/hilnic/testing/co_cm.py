# SPDX-License-Identifier: Apache-2.0
"""The functional call manager, stand-alone (`FunctionalCallManager`) and in the miniport (co_mcm.py): no wire, no peer.

Both have one `Signalling`, which does what the network would bring about only when a test says so:

    cm.signalling.pend.add("make_call")        the next call waits
    cm.signalling.connect(vc);  .fail(vc, status)
    cm.signalling.offer(b"sap")                somebody calls the client that has registered this SAP
    cm.signalling.hang_up(vc);  .leave(party);  .change(vc, parameters)
A *mutant* is a subclass of Signalling that breaks one rule.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hilnic import ndis
from hilnic.ndis import NdisStatus, NetBufferList, ReceiveFlags, condis
from hilnic.ndis.condis import AfHandle, CallParameters, VcHandle
from hilnic.testing.co_calls import FAMILY
from hilnic.testing.co_managed import ManagedAf, ManagedParty, ManagedSap, ManagedVc
from hilnic.testing.co_signalling import Signalling
from hilnic.testing.protocol import FunctionalProtocol

__all__ = ["FunctionalCallManager", "ManagedAf", "ManagedParty", "ManagedSap", "ManagedVc", "Signalling"]


class FunctionalCallManager(FunctionalProtocol):
    """A protocol that is a stand-alone call manager; registers `FAMILY` when it binds."""

    signals: type[Signalling] = Signalling

    def __init__(self, host: ndis.Ndis, name: str = "cm", adapter_name: str | None = None) -> None:
        super().__init__(host, name, adapter_name)
        self.signalling = self.signals(self, "cm")
        self.registered = NdisStatus.PENDING
        self._leaving: ndis.UnbindContext | None = None  # an unbind that waits for the clients
        self.own: list[bytes] = []  # received on VCs of its own
        self.own_completed: list[tuple[NetBufferList, int]] = []

    def characteristics(self) -> ndis.ProtocolCharacteristics:
        """The handlers of a functional protocol, and set_options."""
        return replace(super().characteristics(), set_options=_set_options)

    def set_options(self, driver: ndis.ProtocolDriver) -> NdisStatus:
        """ProtocolSetOptions."""
        kind = type(self)
        data = condis.ProtocolCoCharacteristics(
            receive_net_buffer_lists=kind.co_receive_net_buffer_lists,
            send_net_buffer_lists_complete=_co_complete,
        )
        condis.set_optional_handlers(driver, data)
        return condis.set_optional_handlers(driver, self.signalling.handlers())

    def bind_adapter(self, bind_context: ndis.BindContext, parameters: ndis.BindParameters) -> NdisStatus:
        """ProtocolBindAdapterEx, with the registration of the address family."""
        status = super().bind_adapter(bind_context, parameters)
        if status is NdisStatus.SUCCESS:
            self.registered = condis.cm_register_address_family(self.open, FAMILY)
        return status

    def open_adapter_complete(self, status: NdisStatus) -> None:
        """ProtocolOpenAdapterCompleteEx: the registration follows the open."""
        if status is NdisStatus.SUCCESS:
            self.registered = condis.cm_register_address_family(self.open, FAMILY)
        super().open_adapter_complete(status)

    def unbind_adapter(self, unbind_context: ndis.UnbindContext) -> NdisStatus:
        """ProtocolUnbindAdapterEx: the clients are asked to leave first, and the last one's leaving ends it."""
        if self.registered is not NdisStatus.SUCCESS or self._deregister():
            return super().unbind_adapter(unbind_context)
        self._leaving = unbind_context
        for af in list(self.signalling.afs):
            condis.cm_notify_close_address_family(af.handle)
        return NdisStatus.PENDING

    def _deregister(self) -> bool:
        return condis.cm_deregister_address_family(self.open, FAMILY) is not NdisStatus.NOT_ACCEPTED

    def family_closed(self) -> None:
        """A client has closed its family."""
        if self._leaving is not None and not self.signalling.afs:
            self.ndis.kernel.queue_work_item(self._leave)

    async def _leave(self) -> None:
        context, self._leaving = self._leaving, None
        assert context is not None
        self._deregister()
        if super().unbind_adapter(context) is NdisStatus.SUCCESS:
            ndis.complete_unbind_adapter(context)

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

    def vc_created(self, vc: ManagedVc) -> None:
        """The miniport keeps its own state."""

    def vc_deleted(self, vc: ManagedVc) -> None:
        """The miniport keeps its own state."""

    def ask(self, af: AfHandle, request: ndis.OidRequest) -> NdisStatus:
        """NdisCoOidRequest, of a client."""
        return condis.co_oid_request(self.open, af, None, None, request)

    # Data on VCs of its own.

    def co_receive_net_buffer_lists(self, vc: Any, nbls: NetBufferList, count: int, flags: int) -> None:
        """ProtocolCoReceiveNetBufferLists."""
        del vc, count
        for nbl in ndis.walk(nbls):
            self.own += [nb.tobytes() for nb in nbl.net_buffers()]
        if not flags & ReceiveFlags.RESOURCES:
            ndis.return_net_buffer_lists(self.open, nbls)


def _co_complete(vc: Any, nbls: NetBufferList, flags: int) -> None:
    del flags
    for nbl in ndis.walk(nbls):
        vc.own_completed.append((nbl, nbl.status))


def _set_options(driver: ndis.ProtocolDriver, manager: FunctionalCallManager) -> NdisStatus:
    return manager.set_options(driver)

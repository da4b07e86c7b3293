# SPDX-License-Identifier: Apache-2.0
"""The call manager's handlers and what a test commands, of a stand-alone one and of one in the miniport alike.

One class and one file, for every handler ends what a command has begun.
"""

from __future__ import annotations

from typing import Any

from hilnic import ndis
from hilnic.ndis import NdisStatus, OidRequest, condis
from hilnic.ndis.condis import AfHandle, CallParameters, CoAddressFamily, PartyHandle, Sap, SapHandle, VcHandle
from hilnic.testing.co_managed import ManagedAf, ManagedParty, ManagedSap, ManagedVc
from hilnic.testing.co_miniport import Scripted
from hilnic.testing.co_spelling import SPELLINGS

__all__ = ["Signalling"]


class Signalling:
    """The call manager's handlers and what a test commands; `host` is the driver that has them."""

    def __init__(self, host: Any, prefix: str) -> None:
        self.host = host
        self.prefix = prefix
        self.script = Scripted()
        self.afs: list[ManagedAf] = []
        self.vcs: list[ManagedVc] = []
        self.requests: list[OidRequest] = []
        self.answers: list[tuple[OidRequest, NdisStatus]] = []
        self.data: dict[int, bytes] = {}  # what it answers to requests, by OID

    @property
    def pend(self) -> set[str]:
        """Operations that answer PENDING."""
        return self.script.pend

    @property
    def refuse(self) -> dict[str, NdisStatus]:
        """Operations that answer this status."""
        return self.script.refuse

    def call(self, name: str) -> Any:
        """NdisCm... or NdisMCm..., as this call manager has to."""
        return SPELLINGS[self.prefix][name]

    def handlers(self) -> condis.CallManagerHandlers:
        """The handlers: this class's methods, or a mutant's."""
        return condis.CallManagerHandlers(
            create_vc=self.create_vc,
            delete_vc=self.delete_vc,
            open_af=lambda _, family, af: self.open_af(family, af),
            close_af=self.close_af,
            register_sap=self.register_sap,
            deregister_sap=self.deregister_sap,
            make_call=self.make_call,
            close_call=self.close_call,
            incoming_call_complete=self.incoming_call_complete,
            add_party=self.add_party,
            drop_party=self.drop_party,
            modify_call_qos=self.modify_call_qos,
            activate_vc_complete=self.activate_vc_complete,
            deactivate_vc_complete=self.deactivate_vc_complete,
            notify_close_af_complete=self.notify_close_af_complete,
            oid_request=self.oid_request,
            oid_request_complete=self.oid_request_complete,
        )

    # What a test commands.

    def activate(self, vc: ManagedVc, parameters: CallParameters) -> NdisStatus:
        """Activate the VC, or change its parameters."""
        status: NdisStatus = self.host.activate(vc, parameters)
        vc.is_active |= status is NdisStatus.SUCCESS
        vc.is_activating = status is NdisStatus.PENDING
        return status

    def deactivate(self, vc: ManagedVc) -> NdisStatus:
        """Deactivate the VC."""
        status: NdisStatus = self.host.deactivate(vc)
        vc.is_active &= status is not NdisStatus.SUCCESS
        return status

    def provision(self, vc: ManagedVc, parameters: CallParameters) -> NdisStatus:
        """Activate a VC for good: no call changes it, and what is asked of calls on it can be answered at once."""
        vc.is_permanent, vc.parameters = True, parameters
        return self.activate(vc, parameters)

    def connect(self, vc: ManagedVc, parameters: CallParameters | None = None) -> None:
        """The network has taken a call that waits in make_call."""
        vc.parameters = parameters or vc.parameters
        if vc.is_active or self.activate(vc, vc.parameters) is NdisStatus.SUCCESS:
            self._made(vc, NdisStatus.SUCCESS)

    def fail(self, vc: ManagedVc, status: NdisStatus = NdisStatus.NO_ROUTE_TO_DESTINATION) -> None:
        """The network has refused it."""
        self._made(vc, status)

    def offer(self, sap_name: bytes, parameters: CallParameters | None = None) -> tuple[NdisStatus, ManagedVc]:
        """A call for whoever has registered `sap_name`: create, activate, dispatch; connected when it is accepted.

        An activation that pends is answered PENDING, and the rest follows it.
        """
        sap = next(af.saps[sap_name] for af in self.afs if sap_name in af.saps)
        vc = ManagedVc(sap.af, None, is_own=True)
        vc.parameters = parameters or CallParameters()
        status, vc.handle = self.host.new_vc(sap.af.handle, vc)
        if vc.handle is None:
            return status, vc
        self.vcs.append(vc)
        sap.af.vcs.append(vc)
        vc.offered_at = sap
        status = self.activate(vc, vc.parameters)
        if status is not NdisStatus.PENDING:
            status = self._dispatch(vc, sap, status)
        return status, vc

    def _dispatch(self, vc: ManagedVc, sap: ManagedSap, status: NdisStatus) -> NdisStatus:
        """The VC of an offer is active, or not."""
        vc.offered_at = None
        if status is not NdisStatus.SUCCESS:
            self._discard(vc)
            return status
        answer: NdisStatus = self.call("dispatch_incoming_call")(sap.handle, vc.open, vc.parameters)
        if answer is not NdisStatus.PENDING:
            self.incoming_call_complete(vc, answer, vc.parameters)
        return answer

    def hang_up(self, vc: ManagedVc, status: NdisStatus = NdisStatus.SUCCESS, data: bytes = b"") -> None:
        """The other side has closed the call."""
        self.call("dispatch_incoming_close_call")(vc.open, status, data)

    def leave(self, party: ManagedParty, data: bytes = b"") -> None:
        """A party has left."""
        self.call("dispatch_incoming_drop_party")(party.handle, NdisStatus.SUCCESS, data)

    def change(self, vc: ManagedVc, parameters: CallParameters) -> None:
        """The network has changed the call's parameters."""
        self.activate(vc, parameters)
        self.call("dispatch_incoming_call_qos_change")(vc.open, parameters)

    def finish_modify(self, vc: ManagedVc, status: NdisStatus = NdisStatus.SUCCESS) -> None:
        """End a modify_call_qos that pends."""
        if status is NdisStatus.SUCCESS and not vc.is_permanent:
            status = self.activate(vc, vc.parameters)
        if status is not NdisStatus.PENDING:
            self._modified(vc, status)

    def _modified(self, vc: ManagedVc, status: NdisStatus) -> None:
        vc.is_modifying = False
        self.call("complete_modify_call_qos")(vc.open, status, vc.parameters)

    def finish_close(self, vc: ManagedVc) -> None:
        """End a close_call that pends, once the VC is inactive."""
        if vc.is_active and not vc.is_permanent and self.deactivate(vc) is NdisStatus.PENDING:
            return
        self._closed(vc)

    def _made(self, vc: ManagedVc, status: NdisStatus) -> None:
        vc.is_making = False
        first = vc.parties[0] if vc.parties else None
        handle = None if first is None else first.handle
        if status is not NdisStatus.SUCCESS:
            vc.parties.clear()
        self.call("complete_make_call")(vc.open, status, handle, first, vc.parameters)

    def _closed(self, vc: ManagedVc, status: NdisStatus = NdisStatus.SUCCESS) -> None:
        vc.is_closing = False
        vc.parties.clear()
        self.call("complete_close_call")(vc.open, status, None)
        self._discard(vc)

    def _discard(self, vc: ManagedVc) -> None:
        """A VC of its own without a call is deleted."""
        if vc.is_own and not vc.is_gone and not vc.is_active and self.host.delete(vc) is NdisStatus.SUCCESS:
            self.delete_vc(vc)

    # Handlers.

    def open_af(self, family: CoAddressFamily, handle: AfHandle) -> tuple[NdisStatus, ManagedAf | None]:
        """ProtocolCmOpenAf."""
        del family
        af = ManagedAf(self, handle)
        status = self.script.answer("open_af")
        if status in {NdisStatus.SUCCESS, NdisStatus.PENDING}:
            self.afs.append(af)
        return status, af

    def close_af(self, af: ManagedAf) -> NdisStatus:
        """ProtocolCmCloseAf: refused while VCs or SAPs are there (CC-03)."""
        status = self.script.answer("close_af")
        if status is NdisStatus.SUCCESS and (af.vcs or af.saps):
            return NdisStatus.NOT_ACCEPTED
        if status in {NdisStatus.SUCCESS, NdisStatus.PENDING}:
            self.afs.remove(af)
            self.host.family_closed()
        return status

    def notify_close_af_complete(self, af: ManagedAf, status: NdisStatus) -> None:
        """ProtocolCmNotifyCloseAfComplete."""
        del af
        self.script.asked.append(f"notify_close_af_complete {status.name}")

    def register_sap(self, af: ManagedAf, sap: Sap, handle: SapHandle) -> tuple[NdisStatus, ManagedSap | None]:
        """ProtocolCmRegisterSap: empty ones are bad, and each is registered once (CC-05)."""
        status = self.script.answer("register_sap")
        if status is NdisStatus.SUCCESS and not sap.sap:
            return NdisStatus.INVALID_SAP, None
        if status is NdisStatus.SUCCESS and any(sap.sap in each.saps for each in self.afs):
            return NdisStatus.SAP_IN_USE, None
        managed = ManagedSap(af, sap, handle)
        if status in {NdisStatus.SUCCESS, NdisStatus.PENDING}:
            af.saps[sap.sap] = managed
        return status, managed

    def deregister_sap(self, sap: ManagedSap) -> NdisStatus:
        """ProtocolCmDeregisterSap."""
        status = self.script.answer("deregister_sap")
        if status in {NdisStatus.SUCCESS, NdisStatus.PENDING}:
            del sap.af.saps[sap.sap.sap]
        return status

    def create_vc(self, af: ManagedAf, handle: VcHandle) -> tuple[NdisStatus, ManagedVc | None]:
        """ProtocolCoCreateVc: the client is about to call."""
        status = self.script.answer("create_vc")
        if status is not NdisStatus.SUCCESS:
            return status, None
        vc = ManagedVc(af, handle, is_own=False)
        self.vcs.append(vc)
        af.vcs.append(vc)
        self.host.vc_created(vc)
        return status, vc

    def delete_vc(self, vc: ManagedVc) -> NdisStatus:
        """ProtocolCoDeleteVc, and what it does for VCs of its own."""
        vc.is_gone = True
        self.vcs.remove(vc)
        vc.af.vcs.remove(vc)
        self.host.vc_deleted(vc)
        return self.script.answer("delete_vc")

    def make_call(
        self, vc: ManagedVc, parameters: CallParameters, party: PartyHandle | None
    ) -> tuple[NdisStatus, ManagedParty | None]:
        """ProtocolCmMakeCall: the network takes every call, unless the script says otherwise."""
        first = None if party is None else ManagedParty(vc, party)
        status = self.script.answer("make_call")
        vc.parameters = parameters
        if status is NdisStatus.SUCCESS and not vc.is_permanent:
            status = self.activate(vc, parameters)
        if status in {NdisStatus.SUCCESS, NdisStatus.PENDING}:
            vc.is_making = status is NdisStatus.PENDING
            if first is not None:
                vc.parties.append(first)
        return status, first

    def activate_vc_complete(self, vc: Any, status: NdisStatus, parameters: CallParameters) -> None:
        """ProtocolCmActivateVcComplete: a call that waited for it is made, or not, is offered, changed or closed."""
        del parameters
        if not isinstance(vc, ManagedVc):
            return  # a VC of its own, without a call
        vc.is_activating = False
        vc.is_active |= status is NdisStatus.SUCCESS
        if vc.is_closing:
            self.finish_close(vc)
        elif vc.is_making:
            self._made(vc, status)
        elif vc.is_modifying:
            self._modified(vc, status)
        elif vc.offered_at is not None:
            self._dispatch(vc, vc.offered_at, status)

    def deactivate_vc_complete(self, vc: Any, status: NdisStatus) -> None:
        """ProtocolCmDeactivateVcComplete: a close that waited for it ends."""
        if not isinstance(vc, ManagedVc):
            return
        vc.is_active &= status is not NdisStatus.SUCCESS
        if vc.is_closing:
            self._closed(vc)
        else:
            self._discard(vc)

    def close_call(self, vc: ManagedVc, party: ManagedParty | None, data: bytes) -> NdisStatus:
        """ProtocolCmCloseCall: what waits is ended first, and the VC deactivated."""
        del party, data
        status = self.script.answer("close_call")
        if vc.is_making:
            self._made(vc, NdisStatus.REQUEST_ABORTED)
        if vc.is_modifying:
            self.finish_modify(vc, NdisStatus.REQUEST_ABORTED)
        if status is NdisStatus.SUCCESS and vc.is_activating:
            status = NdisStatus.PENDING  # the activation has to end first
        elif status is NdisStatus.SUCCESS and vc.is_active and not vc.is_permanent:
            status = self.deactivate(vc)
        vc.is_closing = status is NdisStatus.PENDING
        if status is NdisStatus.SUCCESS:
            vc.parties.clear()
            if vc.is_own:
                self.host.ndis.kernel.queue_dpc(lambda: self._discard(vc))
        return status

    def incoming_call_complete(self, vc: ManagedVc, status: NdisStatus, parameters: CallParameters) -> None:
        """ProtocolCmIncomingCallComplete: connected, or the VC goes (CC-16)."""
        vc.parameters = parameters
        if status is NdisStatus.SUCCESS:
            self.accepted(vc)
        elif self.deactivate(vc) is NdisStatus.SUCCESS:
            self._discard(vc)

    def accepted(self, vc: ManagedVc) -> None:
        """The client has accepted: connected, unless the script lets it wait."""
        if self.script.answer("connected") is NdisStatus.SUCCESS:
            self.call("dispatch_call_connected")(vc.open)

    def add_party(
        self, vc: ManagedVc, parameters: CallParameters, party: PartyHandle
    ) -> tuple[NdisStatus, ManagedParty | None]:
        """ProtocolCmAddParty."""
        del parameters
        status = self.script.answer("add_party")
        added = ManagedParty(vc, party)
        if status in {NdisStatus.SUCCESS, NdisStatus.PENDING}:
            vc.parties.append(added)
        return status, added

    def drop_party(self, party: ManagedParty, data: bytes) -> NdisStatus:
        """ProtocolCmDropParty."""
        del data
        status = self.script.answer("drop_party")
        if status in {NdisStatus.SUCCESS, NdisStatus.PENDING}:
            party.vc.parties.remove(party)
        return status

    def modify_call_qos(self, vc: ManagedVc, parameters: CallParameters) -> NdisStatus:
        """ProtocolCmModifyCallQoS: leads to another activation (CC-25)."""
        status = self.script.answer("modify_call_qos")
        vc.parameters = parameters
        if status is NdisStatus.SUCCESS and not vc.is_permanent:
            status = self.activate(vc, parameters)
        vc.is_modifying = status is NdisStatus.PENDING
        return status

    def oid_request(self, af: ManagedAf, vc: ManagedVc | None, party: Any, request: OidRequest) -> NdisStatus:
        """ProtocolCoOidRequest: a client asks."""
        del af, vc, party
        self.requests.append(request)
        status = self.script.answer("oid_request")
        data = self.data.get(request.oid)
        if status is not NdisStatus.SUCCESS:
            return status
        return NdisStatus.NOT_SUPPORTED if data is None else ndis.answer_query(request, data)

    def oid_request_complete(
        self, af: ManagedAf, vc: ManagedVc | None, party: Any, request: OidRequest, status: NdisStatus
    ) -> None:
        """ProtocolCoOidRequestComplete."""
        del af, vc, party
        self.answers.append((request, status))

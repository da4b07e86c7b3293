# SPDX-License-Identifier: Apache-2.0
"""The functional CoNDIS miniport: a functional miniport that carries VCs, too, and does with them what a test says.

    fm.pend.add("activate_vc")                     answers PENDING from now on
    fm.refuse["activate_vc"] = NdisStatus.FAILURE  or this
    fm.fail_at("create_vc", 3)                     or fails the third time
    fm.vcs[0].complete_all()                       ends the sends that it has captured on the first VC
A *mutant* is a subclass that breaks one rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hilnic import ndis
from hilnic.ndis import NdisStatus, NetBufferList, OidRequest, ReceiveFlags, condis
from hilnic.ndis.condis import CallParameters, VcHandle
from hilnic.testing.miniport import FunctionalMiniport

__all__ = ["CoVc", "FunctionalCoMiniport", "Scripted"]


class Scripted:
    """Answers that a test decides: by operation, PENDING, a refusal, or a failure at the k-th time."""

    def __init__(self) -> None:
        self.pend: set[str] = set()
        self.refuse: dict[str, NdisStatus] = {}
        self.asked: list[str] = []
        self._fail_at: dict[str, int] = {}

    def fail_at(self, operation: str, kth: int) -> None:
        """The `kth` time from now on that it is asked it answers RESOURCES."""
        self._fail_at[operation] = kth

    def answer(self, operation: str) -> NdisStatus:
        """The answer of now."""
        self.asked.append(operation)
        left = self._fail_at.get(operation, 0)
        if left:
            self._fail_at[operation] = left - 1
            if left == 1:
                return NdisStatus.RESOURCES
        if operation in self.refuse:
            return self.refuse[operation]
        return NdisStatus.PENDING if operation in self.pend else NdisStatus.SUCCESS


class CoVc:
    """The miniport's state of one VC, its context."""

    def __init__(self, miniport: FunctionalCoMiniport, handle: VcHandle) -> None:
        self.miniport = miniport
        self.handle = handle
        self.captured: list[NetBufferList] = []
        self.sent_frames: list[bytes] = []
        self.send_flags: list[int] = []
        self.parameters: CallParameters | None = None
        self.asked: CallParameters | None = None
        self.indicated = 0  # lists that are above, without RESOURCES
        self.is_deactivating = False

    def complete(self, *nbls: NetBufferList, status: int = NdisStatus.SUCCESS) -> None:
        """Complete captured lists in one call, in this order."""
        for nbl in nbls:
            nbl.status = status
            if nbl in self.captured:
                self.captured.remove(nbl)
        condis.mco_complete_send_net_buffer_lists(self.handle, ndis.chain(nbls))
        self.miniport.check_drained(self)

    def complete_all(self, status: int = NdisStatus.SUCCESS) -> None:
        """Complete everything captured, in order."""
        if self.captured:
            self.complete(*self.captured, status=status)

    def build(self, *frames: bytes) -> NetBufferList:
        """A list of the miniport's pool, ready to be indicated on this VC."""
        nbl = self.miniport.build(*frames)
        nbl.source_handle = self.handle
        return nbl

    def indicate(self, *frames: bytes, flags: int = 0) -> list[NetBufferList]:
        """Indicate one list per frame in one call."""
        nbls = [self.build(frame) for frame in frames]
        self.indicate_nbls(nbls, flags)
        return nbls

    def indicate_nbls(self, nbls: Sequence[NetBufferList], flags: int = 0, count: int | None = None) -> None:
        """Indicate prepared lists; with RESOURCES they are the miniport's again afterwards."""
        if not flags & ReceiveFlags.RESOURCES:
            self.indicated += len(nbls)
            for nbl in nbls:
                self.miniport.out[nbl] = self
        number = len(nbls) if count is None else count
        condis.mco_indicate_receive_net_buffer_lists(self.handle, ndis.chain(nbls), number, flags)
        if flags & ReceiveFlags.RESOURCES:
            self.miniport.returned += nbls

    def __repr__(self) -> str:
        return f"CoVc({self.handle!r}, {len(self.captured)} captured)"


class FunctionalCoMiniport(FunctionalMiniport):
    """Driver and adapter context in one; `vcs` are the live VCs, oldest first."""

    drains = True
    """Deactivation waits for the last send and the last return; a mutant does not."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self.script = Scripted()
        self.vcs: list[CoVc] = []
        self.out: dict[NetBufferList, CoVc] = {}
        self.co_requests: list[tuple[CoVc | None, OidRequest]] = []
        super().__init__(*args, **options)

    @property
    def pend(self) -> set[str]:
        """Operations that answer PENDING."""
        return self.script.pend

    @property
    def refuse(self) -> dict[str, NdisStatus]:
        """Operations that answer this status."""
        return self.script.refuse

    def fail_at(self, operation: str, kth: int) -> None:
        """See Scripted."""
        self.script.fail_at(operation, kth)

    def characteristics(self) -> ndis.MiniportCharacteristics:
        """The handlers of a functional miniport, and set_options."""
        return replace(super().characteristics(), set_options=_set_options)

    def co_characteristics(self) -> condis.MiniportCoCharacteristics:
        """The CoNDIS handlers: this class's methods, or a mutant's."""
        kind = type(self)
        return condis.MiniportCoCharacteristics(
            create_vc=kind.create_vc,
            delete_vc=_delete_vc,
            activate_vc=_activate_vc,
            deactivate_vc=_deactivate_vc,
            send_net_buffer_lists=_co_send,
            oid_request=kind.co_oid_request,
        )

    def set_options(self, driver: ndis.MiniportDriver) -> NdisStatus:
        """MiniportSetOptions."""
        return condis.set_optional_handlers(driver, self.co_characteristics())

    # What a test commands.

    def complete_activate(self, vc: CoVc, status: NdisStatus = NdisStatus.SUCCESS) -> None:
        """End an activation that pends."""
        assert vc.asked is not None
        if status is NdisStatus.SUCCESS:
            vc.parameters = vc.asked.copy()
        condis.mco_complete_activate_vc(vc.handle, status, vc.asked)

    def check_drained(self, vc: CoVc) -> None:
        """The last send or return of a VC that is being deactivated ends that."""
        if vc.is_deactivating and not vc.captured and not vc.indicated:
            vc.is_deactivating = False
            condis.mco_complete_deactivate_vc(vc.handle, NdisStatus.SUCCESS)

    def indicate_co_status(self, vc: CoVc | None, code: NdisStatus, buffer: Any = None) -> None:
        """A status of one VC, or of the adapter."""
        handle = None if vc is None else vc.handle
        condis.mco_indicate_status(self.adapter, handle, ndis.StatusIndication(code, buffer))

    # Handlers.

    def create_vc(self, handle: VcHandle) -> tuple[NdisStatus, CoVc | None]:
        """MiniportCoCreateVc."""
        status = self.script.answer("create_vc")
        if status is not NdisStatus.SUCCESS:
            return status, None
        vc = CoVc(self, handle)
        self.vcs.append(vc)
        return status, vc

    def delete_vc(self, vc: CoVc) -> NdisStatus:
        """MiniportCoDeleteVc."""
        status = self.script.answer("delete_vc")
        if status is NdisStatus.SUCCESS:
            self.vcs.remove(vc)
        return status

    def activate_vc(self, vc: CoVc, parameters: CallParameters) -> NdisStatus:
        """MiniportCoActivateVc."""
        vc.asked = parameters
        status = self.script.answer("activate_vc")
        if status is NdisStatus.SUCCESS:
            vc.parameters = parameters.copy()
        return status

    def deactivate_vc(self, vc: CoVc) -> NdisStatus:
        """MiniportCoDeactivateVc: captured sends end, held receives have to come back first."""
        status = self.script.answer("deactivate_vc")
        if status is not NdisStatus.SUCCESS:
            vc.is_deactivating = status is NdisStatus.PENDING
            return status
        if not self.drains:
            return status
        if vc.captured:
            vc.complete_all(NdisStatus.FAILURE)
        vc.is_deactivating = bool(vc.indicated)
        return NdisStatus.PENDING if vc.is_deactivating else status

    def co_send_net_buffer_lists(self, vc: CoVc, nbls: NetBufferList, send_flags: int) -> None:
        """MiniportCoSendNetBufferLists: capture, then end as `completion` says."""
        vc.send_flags.append(send_flags)
        for nbl in ndis.walk(nbls):
            vc.sent_frames += [nb.tobytes() for nb in nbl.net_buffers()]
            vc.captured.append(nbl)
        if self.completion == "inline":
            vc.complete_all()
        elif self.completion == "deferred":
            self.ndis.kernel.queue_dpc(vc.complete_all)

    def return_net_buffer_lists(self, nbls: NetBufferList, return_flags: int) -> None:
        """MiniportReturnNetBufferLists, for both kinds of receive."""
        members = list(ndis.walk(nbls))
        super().return_net_buffer_lists(nbls, return_flags)
        for nbl in members:
            vc = self.out.pop(nbl, None)
            if vc is not None:
                vc.indicated -= 1
                self.check_drained(vc)

    def cancel_send(self, cancel_id: Any) -> None:
        """MiniportCancelSend: also what waits on VCs."""
        super().cancel_send(cancel_id)
        for vc in self.vcs:
            matching = [nbl for nbl in vc.captured if ndis.get_net_buffer_list_cancel_id(nbl) == cancel_id]
            if matching:
                vc.complete(*matching, status=NdisStatus.SEND_ABORTED)

    def co_oid_request(self, vc: CoVc | None, request: OidRequest) -> NdisStatus:
        """MiniportCoOidRequest: answers from `answers`, or as the script says."""
        self.co_requests.append((vc, request))
        status = self.script.answer("oid_request")
        data = self.answers.get(request.oid)
        if status is not NdisStatus.SUCCESS:
            return status
        return NdisStatus.NOT_SUPPORTED if data is None else ndis.answer_query(request, data)

    def device_pnp_event_notify(self, event: ndis.DevicePnpEvent) -> None:
        """MiniportDevicePnPEventNotify: a removed device takes what waits on VCs with it, too."""
        if event is ndis.DevicePnpEvent.SURPRISE_REMOVED:
            for vc in self.vcs:
                vc.complete_all(NdisStatus.NOT_ACCEPTED)
        super().device_pnp_event_notify(event)

    def pause(self, parameters: ndis.PauseParameters) -> NdisStatus:
        """MiniportPause: captured sends of VCs end with PAUSED, too."""
        for vc in self.vcs:
            vc.complete_all(NdisStatus.PAUSED)
        return super().pause(parameters)


def _set_options(driver: ndis.MiniportDriver, miniport: FunctionalCoMiniport) -> NdisStatus:
    return miniport.set_options(driver)


def _delete_vc(vc: CoVc) -> NdisStatus:
    return vc.miniport.delete_vc(vc)


def _activate_vc(vc: CoVc, parameters: CallParameters) -> NdisStatus:
    return vc.miniport.activate_vc(vc, parameters)


def _deactivate_vc(vc: CoVc) -> NdisStatus:
    return vc.miniport.deactivate_vc(vc)


def _co_send(vc: CoVc, nbls: NetBufferList, send_flags: int) -> None:
    vc.miniport.co_send_net_buffer_lists(vc, nbls, send_flags)

# SPDX-License-Identifier: Apache-2.0
"""The functional filter: passes everything on, queues, drops, sends and indicates lists of its own, as a test commands.

    fi = FunctionalFilter(ndis)
    kernel.run(fi.start())                     attached on top of the filters there are
    fi.queue = True                            sends stay here until fi.pass_on() or fi.drop()
    fi.send(frame); fi.indicate(frame)         lists of its own
A *mutant* is a subclass that breaks one rule; `bypass` names the handlers that the filter does without.
"""

from __future__ import annotations

from collections.abc import Awaitable, Collection
from typing import Any

from hilnic import ndis
from hilnic.ndis import Ndis, NdisStatus, NetBufferList, OidRequest, ReceiveFlags
from hilnic.testing.frames import build_nbl, free_nbl

__all__ = ["FunctionalFilter"]

_OPTIONAL = (
    "send_net_buffer_lists",
    "send_net_buffer_lists_complete",
    "cancel_send_net_buffer_lists",
    "receive_net_buffer_lists",
    "return_net_buffer_lists",
    "oid_request",
    "oid_request_complete",
    "cancel_oid_request",
    "direct_oid_request",
    "direct_oid_request_complete",
    "cancel_direct_oid_request",
    "status",
)


class FunctionalFilter:
    """Driver and module context in one; attaches to the first adapter offered, or to the one it is told."""

    def __init__(
        self,
        host: Ndis,
        name: str = "fi",
        bypass: Collection[str] = (),
        trace: list[str] | None = None,
        adapter_name: str = "",
    ) -> None:
        self.ndis = host
        self.name = name
        self.bypass = bypass
        self.adapter_name = adapter_name
        self.attached = False
        self.queue = False  # sends wait in `queued`
        self.hold = False  # receives wait in `held`
        self.swallow = False  # statuses end here
        self.queued: list[NetBufferList] = []
        self.held: list[NetBufferList] = []
        self.sent: list[NetBufferList] = []  # own lists that are out below
        self.indicated: list[NetBufferList] = []  # own lists that are out above
        self.finished: list[tuple[NetBufferList, int]] = []  # own sends that have come back
        self.statuses: list[ndis.StatusIndication] = []
        self.requests: list[OidRequest] = []
        self.originals: dict[OidRequest, OidRequest] = {}  # clone -> what it was made from
        self.trace = trace if trace is not None else []
        self.module: ndis.FilterModule
        self.driver: ndis.FilterDriver
        self.pool: ndis.NetBufferListPool

    def characteristics(self) -> ndis.FilterCharacteristics:
        """The handlers: this class's methods, or a mutant's, without those that are bypassed."""
        kind = type(self)
        optional: dict[str, Any] = {name: getattr(kind, name) for name in _OPTIONAL if name not in self.bypass}
        return ndis.FilterCharacteristics(
            name=self.name, attach=_attach, detach=kind.detach, pause=kind.pause, restart=kind.restart, **optional
        )

    async def start(self) -> None:
        """Register; NDIS attaches it to the adapters there are."""
        self.driver = await ndis.register_filter_driver(self.ndis, self.characteristics(), self)

    async def stop(self) -> None:
        """Detach and unregister."""
        await ndis.deregister_filter_driver(self.driver)

    # What a test commands.

    def pass_on(self, *nbls: NetBufferList, flags: int = 0) -> None:
        """Send queued lists on in one call, in this order; all of them when none is named."""
        going = list(nbls) or list(self.queued)
        self.queued = [nbl for nbl in self.queued if nbl not in going]
        ndis.filter_send_net_buffer_lists(self.module, ndis.chain(going), 0, flags)

    def drop(self, *nbls: NetBufferList, status: int = NdisStatus.SUCCESS) -> None:
        """Complete queued lists upwards; all of them when none is named."""
        going = list(nbls) or list(self.queued)
        self.queued = [nbl for nbl in self.queued if nbl not in going]
        for nbl in going:
            nbl.status = status
        ndis.filter_complete_send_net_buffer_lists(self.module, ndis.chain(going))

    def give_back(self, *nbls: NetBufferList) -> None:
        """Return held receives downwards; all of them when none is named."""
        going = list(nbls) or list(self.held)
        self.held = [nbl for nbl in self.held if nbl not in going]
        ndis.filter_return_net_buffer_lists(self.module, ndis.chain(going))

    def indicate_held(self, *nbls: NetBufferList, flags: int = 0) -> None:
        """Indicate held receives upwards; all of them when none is named."""
        going = list(nbls) or list(self.held)
        if not flags & ReceiveFlags.RESOURCES:
            self.held = [nbl for nbl in self.held if nbl not in going]
        ndis.filter_indicate_receive_net_buffer_lists(self.module, ndis.chain(going), 0, len(going), flags)

    def build(self, *frames: bytes) -> NetBufferList:
        """An NBL of the filter's own, its handle set."""
        nbl = build_nbl(self.pool, *frames)
        nbl.source_handle = self.module
        return nbl

    def send(self, *frames: bytes) -> list[NetBufferList]:
        """Send lists of its own, one per frame, in one call."""
        nbls = [self.build(frame) for frame in frames]
        self.sent += nbls
        ndis.filter_send_net_buffer_lists(self.module, ndis.chain(nbls))
        return nbls

    def indicate(self, *frames: bytes, flags: int = 0) -> list[NetBufferList]:
        """Indicate lists of its own, one per frame, in one call."""
        nbls = [self.build(frame) for frame in frames]
        self.indicated += nbls
        ndis.filter_indicate_receive_net_buffer_lists(self.module, ndis.chain(nbls), 0, len(nbls), flags)
        if flags & ReceiveFlags.RESOURCES:
            for nbl in nbls:
                self._consume_receive(nbl)
        return nbls

    # Handlers.

    def attach(self, module: ndis.FilterModule) -> NdisStatus | Awaitable[NdisStatus]:
        """FilterAttach."""
        self.trace.append(f"{self.name} attach")
        self.attached = True
        self.module = module
        self.pool = ndis.allocate_net_buffer_list_pool(module, ndis.NetBufferListPoolParameters(tag=self.name))
        return ndis.set_filter_attributes(module, self)

    def detach(self) -> None:
        """FilterDetach: free everything."""
        self.trace.append(f"{self.name} detach")
        self.attached = False
        for nbl, _ in self.finished:
            free_nbl(nbl)
        self.finished.clear()
        ndis.free_net_buffer_list_pool(self.pool)

    def pause(self, parameters: ndis.PauseParameters) -> NdisStatus:
        """FilterPause: queues are emptied; own lists that are out come back first."""
        del parameters
        self.trace.append(f"{self.name} pause")
        if self.queued:
            self.drop(status=NdisStatus.PAUSED)
        if self.held:
            self.give_back()
        return NdisStatus.PENDING if self.sent or self.indicated else NdisStatus.SUCCESS

    def restart(self, parameters: ndis.RestartParameters) -> NdisStatus:
        """FilterRestart."""
        del parameters
        self.trace.append(f"{self.name} restart")
        return NdisStatus.SUCCESS

    def send_net_buffer_lists(self, nbls: NetBufferList, port_number: int, send_flags: int) -> None:
        """FilterSendNetBufferLists: queue, or pass on."""
        self.trace.append(f"{self.name} send")
        if self.queue:
            self.queued += ndis.walk(nbls)
        else:
            ndis.filter_send_net_buffer_lists(self.module, nbls, port_number, send_flags)

    def send_net_buffer_lists_complete(self, nbls: NetBufferList, flags: int) -> None:
        """FilterSendNetBufferListsComplete: own lists end here, foreign ones go up."""
        self.trace.append(f"{self.name} complete")
        foreign = ndis.NblQueue()
        for nbl in ndis.walk(nbls):
            if nbl.source_handle is self.module:
                self.sent.remove(nbl)
                self.finished.append((nbl, nbl.status))
            else:
                foreign.append(nbl)
        if foreign.first is not None:
            ndis.filter_complete_send_net_buffer_lists(self.module, foreign.first, flags)
        self._check_paused()

    def cancel_send_net_buffer_lists(self, cancel_id: Any) -> None:
        """FilterCancelSendNetBufferLists: its own queue first, then those below."""
        matching = [nbl for nbl in self.queued if ndis.get_net_buffer_list_cancel_id(nbl) == cancel_id]
        if matching:
            self.drop(*matching, status=NdisStatus.SEND_ABORTED)
        ndis.filter_cancel_send_net_buffer_lists(self.module, cancel_id)

    def receive_net_buffer_lists(self, nbls: NetBufferList, port: int, count: int, flags: int) -> None:
        """FilterReceiveNetBufferLists: hold what it may, or pass on."""
        self.trace.append(f"{self.name} receive")
        if self.hold and not flags & ReceiveFlags.RESOURCES:
            self.held += ndis.walk(nbls)
        else:
            ndis.filter_indicate_receive_net_buffer_lists(self.module, nbls, port, count, flags)

    def return_net_buffer_lists(self, nbls: NetBufferList, flags: int) -> None:
        """FilterReturnNetBufferLists: own lists end here, foreign ones go down."""
        self.trace.append(f"{self.name} return")
        foreign = ndis.NblQueue()
        for nbl in ndis.walk(nbls):
            if nbl.source_handle is self.module:
                self._consume_receive(nbl)
            else:
                foreign.append(nbl)
        if foreign.first is not None:
            ndis.filter_return_net_buffer_lists(self.module, foreign.first, flags)
        self._check_paused()

    def oid_request(self, request: OidRequest) -> NdisStatus:
        """FilterOidRequest: a clone goes on, the original waits."""
        self.trace.append(f"{self.name} oid")
        self.requests.append(request)
        status, clone = ndis.allocate_clone_oid_request(self.module, request, self.name)
        self.originals[clone] = request
        status = ndis.filter_oid_request(self.module, clone)
        if status is not NdisStatus.PENDING:
            return self._end_clone(clone, status)
        return status

    def oid_request_complete(self, request: OidRequest, status: NdisStatus) -> None:
        """FilterOidRequestComplete: what the clone has brought is the original's."""
        original = self.originals[request]
        status = self._end_clone(request, status)
        ndis.filter_complete_oid_request(self.module, original, status)

    def cancel_oid_request(self, request_id: int) -> None:
        """FilterCancelOidRequest."""
        ndis.filter_cancel_oid_request(self.module, request_id)

    def direct_oid_request(self, request: OidRequest) -> NdisStatus:
        """FilterDirectOidRequest: likewise, at once."""
        self.requests.append(request)
        _, clone = ndis.allocate_clone_oid_request(self.module, request, self.name)
        self.originals[clone] = request
        status = ndis.filter_direct_oid_request(self.module, clone)
        return status if status is NdisStatus.PENDING else self._end_clone(clone, status)

    def direct_oid_request_complete(self, request: OidRequest, status: NdisStatus) -> None:
        """FilterDirectOidRequestComplete."""
        original = self.originals[request]
        status = self._end_clone(request, status)
        ndis.filter_complete_direct_oid_request(self.module, original, status)

    def cancel_direct_oid_request(self, request_id: int) -> None:
        """FilterCancelDirectOidRequest."""
        ndis.filter_cancel_direct_oid_request(self.module, request_id)

    def status(self, indication: ndis.StatusIndication) -> None:
        """FilterStatus: note it, and pass it on unless it is to end here."""
        self.statuses.append(indication)
        if not self.swallow:
            ndis.filter_indicate_status(self.module, indication)

    def _end_clone(self, clone: OidRequest, status: NdisStatus) -> NdisStatus:
        original = self.originals.pop(clone)
        original.bytes_written, original.bytes_read = clone.bytes_written, clone.bytes_read
        original.bytes_needed = clone.bytes_needed
        ndis.free_clone_oid_request(self.module, clone)
        return status

    def _consume_receive(self, nbl: NetBufferList) -> None:
        self.indicated.remove(nbl)
        free_nbl(nbl)

    def _check_paused(self) -> None:
        pausing = self.module.pending.get("pause")
        if pausing is not None and not (pausing.is_set() or self.sent or self.indicated):
            ndis.complete_filter_pause(self.module)

    def __repr__(self) -> str:
        return f"FunctionalFilter({self.name})"


def _attach(
    module: ndis.FilterModule, driver: FunctionalFilter, parameters: ndis.FilterAttachParameters
) -> NdisStatus | Awaitable[NdisStatus]:
    if driver.attached or (driver.adapter_name or parameters.adapter_name) != parameters.adapter_name:
        return NdisStatus.NOT_RECOGNIZED
    return driver.attach(module)

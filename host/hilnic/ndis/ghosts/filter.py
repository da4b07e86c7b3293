# SPDX-License-Identifier: Apache-2.0
"""The ghost of a filter: it passes everything on, untouched, until its modules have been detached.

What the driver held goes back to where it came from: sends complete with FAILURE, receives return. A request that the
driver was working on ends with its clone, or with FAILURE. What it sent or indicated itself ends here, and the pause
before the detach waits for it.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from hilnic.ndis import direct_oid, filter_path
from hilnic.ndis.filter_oid import port_below
from hilnic.ndis.filter_pnp import detach_filter, held_by
from hilnic.ndis.flags import ReceiveFlags
from hilnic.ndis.ghosts.custody import in_custody, reclaim
from hilnic.ndis.nbl import NblQueue, NetBufferList, chain, walk
from hilnic.ndis.oid_request import OidRequest
from hilnic.ndis.pending import PAUSE, RESTART, complete
from hilnic.ndis.states import FilterState
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.verifier.custody import INDICATED, SENT

if TYPE_CHECKING:
    from hilnic.ndis.filter import FilterDriver, FilterModule

_CONTROL = (
    "detach", "pause", "restart", "cancel_send_net_buffer_lists", "oid_request", "oid_request_complete",
    "cancel_oid_request", "direct_oid_request", "direct_oid_request_complete", "cancel_direct_oid_request",
)  # fmt: skip


def replace(driver: FilterDriver) -> None:
    """The ghosts' handlers instead of the driver's: one ghost for each module."""

    def attach(module: FilterModule, *_: Any) -> NdisStatus:
        reclaim(module)
        return NdisStatus.FAILURE

    driver.characteristics = dataclasses.replace(driver.characteristics, attach=attach)
    for module in driver.modules:
        ghost = _Ghost(module)
        handlers = {name: getattr(ghost, name) for name in _CONTROL if getattr(module.handlers, name) is not None}
        module.handlers = dataclasses.replace(module.handlers, **handlers)
        module.ghost = ghost


def haunt(driver: FilterDriver) -> None:
    """Nothing reaches the driver any more; a handler that it did without is still bypassed (IM-14)."""
    for module in driver.modules:
        ghost = module.ghost
        if module.send_handler is not None:
            module.send_handler = ghost.send
        if module.complete_handler is not None:
            module.complete_handler = ghost.complete
        if module.receive_handler is not None:
            module.receive_handler = ghost.receive
        if module.return_handler is not None:
            module.return_handler = ghost.give_back
        if module.status_handler is not None:
            module.status_handler = ghost.status


async def unload(driver: FilterDriver) -> None:
    """Give back what the driver held, then detach it everywhere: the stacks pause and go on without it."""
    for module in list(driver.modules):
        module.ghost.let_go()
        await detach_filter(module)
    reclaim(driver)
    if driver in driver.ndis.filter_drivers:
        driver.ndis.filter_drivers.remove(driver)


class _Ghost:
    """Stands in for the driver in one module."""

    def __init__(self, module: FilterModule) -> None:
        self.module = module
        self.ndis = module.ndis
        active = module.oids.active
        self.stranded: list[OidRequest] = [] if active is None else [active]  # nobody works on them any more
        self.stranded_direct = list(module.direct_requests)

    # The data path.

    def send(self, _: Any, nbls: NetBufferList, port_number: int, send_flags: int) -> None:
        """FilterSendNetBufferLists."""
        filter_path.filter_send_net_buffer_lists(self.module, nbls, port_number, send_flags)

    def complete(self, _: Any, nbls: NetBufferList, flags: int) -> None:
        """FilterSendNetBufferListsComplete."""
        foreign = self._foreign(nbls)
        if foreign is not None:
            filter_path.filter_complete_send_net_buffer_lists(self.module, foreign, flags)
        self._go_on()

    def receive(self, _: Any, nbls: NetBufferList, port_number: int, number: int, flags: int) -> None:
        """FilterReceiveNetBufferLists; a module that is not yet running may not indicate, and gives back."""
        module = self.module
        if module.state is not FilterState.PAUSED:
            filter_path.filter_indicate_receive_net_buffer_lists(module, nbls, port_number, number, flags)
        elif not flags & ReceiveFlags.RESOURCES:
            filter_path.filter_return_net_buffer_lists(module, nbls)

    def give_back(self, _: Any, nbls: NetBufferList, flags: int) -> None:
        """FilterReturnNetBufferLists."""
        foreign = self._foreign(nbls)
        if foreign is not None:
            filter_path.filter_return_net_buffer_lists(self.module, foreign, flags)
        self._go_on()

    def status(self, _: Any, indication: Any) -> None:
        """FilterStatus."""
        filter_path.filter_indicate_status(self.module, indication)

    def cancel_send_net_buffer_lists(self, _: Any, cancel_id: Any) -> None:
        """FilterCancelSendNetBufferLists."""
        filter_path.filter_cancel_send_net_buffer_lists(self.module, cancel_id)

    def _foreign(self, nbls: NetBufferList) -> NetBufferList | None:
        foreign = NblQueue()
        for nbl in walk(nbls):
            if nbl.source_handle is not self.module:
                foreign.append(nbl)
        return foreign.first

    # What the driver has left.

    def let_go(self) -> None:
        """End what waits for the driver."""
        self._go_on()
        module = self.module
        for request in self.stranded:
            if request is module.oids.active and not self._is_answered(request):
                module.oids.complete(request, NdisStatus.FAILURE)
        for request in self.stranded_direct:
            if request in module.direct_requests and self._clone_of(request) is None:
                direct_oid.filter_complete_direct_oid_request(module, request, NdisStatus.FAILURE)
        restarting = module.pending.get(RESTART)
        if restarting is not None and not restarting.is_set():
            complete(module, RESTART, NdisStatus.SUCCESS)

    def _go_on(self) -> None:
        """Lists that wait for nothing more go back; a pause ends when nothing is left."""
        module = self.module
        sends = in_custody(module, SENT)
        for nbl in sends:
            if nbl.ndis_custody.history[-1][1] not in {"completed by", "refused by"}:  # not yet on its way back
                nbl.status = NdisStatus.FAILURE
            nbl.source_handle = nbl.ndis_custody.source
        if sends:
            filter_path.filter_complete_send_net_buffer_lists(module, chain(sends))
        receives = in_custody(module, INDICATED)
        for nbl in receives:
            nbl.source_handle = nbl.ndis_custody.source
        if receives:
            filter_path.filter_return_net_buffer_lists(module, chain(receives))
        pausing = module.pending.get(PAUSE)
        if pausing is not None and not pausing.is_set() and not held_by(module):
            complete(module, PAUSE, NdisStatus.SUCCESS)

    # PnP.

    def pause(self, _: Any, __: Any) -> NdisStatus:
        """FilterPause."""
        self._go_on()
        return NdisStatus.PENDING

    def restart(self, _: Any, __: Any) -> NdisStatus:
        """FilterRestart: the stack may run; the detach is on its way."""
        return NdisStatus.SUCCESS

    def detach(self, _: Any) -> None:
        """FilterDetach."""
        reclaim(self.module)

    # Requests.

    def oid_request(self, _: Any, request: OidRequest) -> Any:
        """FilterOidRequest: on to below as it is; one that the driver has passed on ends with its clone."""
        module = self.module
        if self._is_answered(request):
            return NdisStatus.PENDING
        if request in self.stranded:
            self.stranded.remove(request)
        return port_below(module.adapter, module.position + 1).call(request)

    def oid_request_complete(self, _: Any, clone: OidRequest, status: NdisStatus) -> None:
        """FilterOidRequestComplete: the original ends as its clone has."""
        original = self._end_clone(clone)
        if original is not None and original is self.module.oids.active:
            self.module.oids.complete(original, status)

    def cancel_oid_request(self, _: Any, request_id: int) -> None:
        """FilterCancelOidRequest."""
        port_below(self.module.adapter, self.module.position + 1).cancel(request_id)

    def direct_oid_request(self, _: Any, request: OidRequest) -> NdisStatus:
        """FilterDirectOidRequest: likewise."""
        module = self.module
        if request not in module.direct_requests or self._clone_of(request) is not None:
            return NdisStatus.PENDING
        if request in self.stranded_direct:
            self.stranded_direct.remove(request)
        return direct_oid.pass_on(module, request)

    def direct_oid_request_complete(self, _: Any, clone: OidRequest, status: NdisStatus) -> None:
        """FilterDirectOidRequestComplete."""
        original = self._end_clone(clone)
        if original is not None and original in self.module.direct_requests:
            direct_oid.filter_complete_direct_oid_request(self.module, original, status)

    def cancel_direct_oid_request(self, _: Any, request_id: int) -> None:
        """FilterCancelDirectOidRequest."""
        direct_oid.filter_cancel_direct_oid_request(self.module, request_id)

    def _is_answered(self, request: OidRequest) -> bool:
        """The driver has ended it, or passed it on."""
        return self.module.oids.is_answered or self._clone_of(request) is not None

    def _clone_of(self, request: OidRequest) -> OidRequest | None:
        for clone, (handle, _) in self.ndis.oid_clones.items():
            if handle is self.module and clone.ndis_original is request and (clone.ndis_pending or clone.ndis_done):
                return clone
        return None

    def _end_clone(self, clone: OidRequest) -> OidRequest | None:
        if self.ndis.oid_clones.pop(clone, None) is None:
            return None
        original: OidRequest | None = clone.ndis_original
        if original is not None:
            original.bytes_written, original.bytes_read = clone.bytes_written, clone.bytes_read
            original.bytes_needed = clone.bytes_needed
        return original

# SPDX-License-Identifier: Apache-2.0
"""Direct requests: not queued, not one at a time, at IRQL <= DISPATCH, through the filters to the miniport and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hilnic.ndis.oid_request import OidRequest
from hilnic.ndis.states import BindingState
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.binding import Binding
    from hilnic.ndis.filter import FilterModule

Done = Callable[[OidRequest, NdisStatus], None]


def _ask(adapter: Adapter, position: int, request: OidRequest, done: Done) -> NdisStatus:
    """Give the request to the first driver from filter number `position` down that has a handler."""
    request.ndis_done.append(done)
    holder, handler = _holder(adapter, position)
    holder.direct_requests.append(request)
    status = NdisStatus.NOT_SUPPORTED if handler is None else handler(holder.context, request)
    if status is not NdisStatus.PENDING:
        if request in holder.direct_requests:
            holder.direct_requests.remove(request)
        if request.ndis_done and request.ndis_done[-1] is done:
            request.ndis_done.pop()
        elif holder.driver.faulted:
            return NdisStatus.PENDING  # it was completed, and then the handler raised
        else:
            adapter.ndis.violation("OI-02", adapter, request, "answered and completed as well")
    return NdisStatus(status)


def _holder(adapter: Adapter, position: int) -> tuple[Adapter | FilterModule, Any]:
    """The first driver from filter number `position` down that has a handler, and the handler; or the miniport."""
    for module in adapter.filters[position:]:
        if module.handlers.direct_oid_request is not None:
            return module, module.handlers.direct_oid_request
    return adapter, adapter.driver.characteristics.direct_oid_request


def pass_on(module: FilterModule, request: OidRequest) -> NdisStatus:
    """A request that a filter has goes on below as it is, and ends for both when it ends there."""
    return _ask(module.adapter, module.position + 1, request, lambda ended, status: _complete(module, ended, status))


def _complete(actor: Adapter | FilterModule, request: OidRequest, status: NdisStatus) -> None:
    if status is NdisStatus.PENDING:
        actor.ndis.violation("OI-03", actor, request, "completed with PENDING")
    elif not request.ndis_done:
        actor.ndis.violation("OI-02", actor, request, "completed, but it is not pending")
    else:
        if request in actor.direct_requests:
            actor.direct_requests.remove(request)
        request.ndis_done.pop()(request, status)


def end_all(adapter: Adapter) -> None:
    """The miniport is gone: what it answered with PENDING ends with FAILURE."""
    for request in list(adapter.direct_requests):
        _complete(adapter, request, NdisStatus.FAILURE)


@wdk("NdisDirectOidRequest", callout=True)
def direct_oid_request(binding: Binding, request: OidRequest) -> NdisStatus:
    """Ask the drivers below at once. A final status: done. PENDING: direct_oid_request_complete follows once."""
    if request.ndis_done:
        binding.ndis.violation("OI-02", binding, request, "issued again while pending")
        return NdisStatus.FAILURE
    if binding.state in {BindingState.CLOSING, BindingState.UNBOUND}:
        return NdisStatus.CLOSING
    refusal = binding.adapter.request_refusal()
    if refusal is not None:
        return refusal
    binding.oids_outstanding += 1

    def done(ended: OidRequest, status: NdisStatus) -> None:
        binding.oids_outstanding -= 1
        handler = binding.driver.characteristics.direct_oid_request_complete
        if handler is not None:
            handler(binding.context, ended, status)
        binding.check_close()

    status = _ask(binding.adapter, 0, request, done)
    if status is not NdisStatus.PENDING:
        binding.oids_outstanding -= 1
    return status


@wdk("NdisMDirectOidRequestComplete", callout=True)
def complete_direct_oid_request(adapter: Adapter, request: OidRequest, status: NdisStatus) -> None:
    """A miniport ends the direct request that it answered with PENDING."""
    _complete(adapter, request, status)


@wdk("NdisCancelDirectOidRequest", callout=True)
def cancel_direct_oid_request(binding: Binding, request_id: int) -> None:
    """Ask to give up direct requests with this id; each still ends once."""
    _cancel(binding.adapter, 0, request_id)


@wdk("NdisFDirectOidRequest", callout=True)
def filter_direct_oid_request(module: FilterModule, request: OidRequest) -> NdisStatus:
    """Ask below: with a clone, or a request of the filter's own; PENDING: direct_oid_request_complete follows."""
    if request.ndis_done:
        module.ndis.violation("OI-17", module, request, "the original was passed on instead of a clone")
        return NdisStatus.FAILURE

    def done(ended: OidRequest, status: NdisStatus) -> None:
        handler = module.handlers.direct_oid_request_complete
        if handler is not None:
            handler(module.context, ended, status)

    return _ask(module.adapter, module.position + 1, request, done)


@wdk("NdisFDirectOidRequestComplete", callout=True)
def filter_complete_direct_oid_request(module: FilterModule, request: OidRequest, status: NdisStatus) -> None:
    """End the original that the filter answered with PENDING."""
    _complete(module, request, status)


@wdk("NdisFCancelDirectOidRequest", callout=True)
def filter_cancel_direct_oid_request(module: FilterModule, request_id: int) -> None:
    """Pass a cancel of a direct request on."""
    _cancel(module.adapter, module.position + 1, request_id)


def _cancel(adapter: Adapter, position: int, request_id: int) -> None:
    for module in adapter.filters[position:]:
        handler = module.handlers.cancel_direct_oid_request
        if handler is not None:
            handler(module.context, request_id)
            return
    below = adapter.driver.characteristics.cancel_direct_oid_request
    if below is not None:
        below(adapter.context, request_id)

# SPDX-License-Identifier: Apache-2.0
"""Requests through filters, and clones of requests: a filter passes on a clone, never the original (OI-17)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic.ndis.oid_request import OidRequest
from hilnic.ndis.pool import allocation_site
from hilnic.ndis.request_port import RequestPort
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.filter import FilterModule


@wdk("NdisAllocateCloneOidRequest")
def allocate_clone_oid_request(handle: Any, original: OidRequest, tag: str = "") -> tuple[NdisStatus, OidRequest]:
    """A request of the caller's own over the original's buffer, to be passed on instead; freed by its maker."""
    del tag
    clone = OidRequest(original.request_type, original.oid, original.buffer, original.request_id)
    clone.ndis_original = original
    handle.ndis.oid_clones[clone] = (handle, allocation_site(2))
    return NdisStatus.SUCCESS, clone


@wdk("NdisFreeCloneOidRequest")
def free_clone_oid_request(handle: Any, clone: OidRequest) -> None:
    """Free a clone, once, when it is not pending."""
    if clone.ndis_pending:
        handle.ndis.violation("OI-17", handle, clone, "a clone freed while it is pending")
    elif handle.ndis.oid_clones.pop(clone, None) is None:
        handle.ndis.violation("OI-17", handle, clone, "freed, but it is no clone, or freed twice")


def port_below(adapter: Adapter, position: int) -> RequestPort:
    """Who gets a request that comes down to filter number `position` and below: the first with a handler."""
    for module in adapter.filters[position:]:
        if module.oids.exists:
            return module.oids
    return adapter.oids.miniport


@wdk("NdisFOidRequest", callout=True)
def filter_oid_request(module: FilterModule, request: OidRequest) -> NdisStatus:
    """Ask below, with a clone of what came from above or a request of its own; PENDING, and its end follows (OI-02)."""
    ndis = module.ndis
    handler = module.handlers.oid_request_complete
    if request is module.oids.active or request.ndis_pending:
        ndis.violation("OI-17", module, request, "the original was passed on instead of a clone")
        return NdisStatus.FAILURE
    if handler is None:
        ndis.violation("OI-17", module, request, "a request without a handler for its completion")
        return NdisStatus.FAILURE
    request.ndis_pending = True

    async def work() -> None:
        status = await port_below(module.adapter, module.position + 1).call(request)
        request.ndis_pending = False
        handler(module.context, request, status)

    ndis.kernel.queue_work_item(work)
    return NdisStatus.PENDING


@wdk("NdisFOidRequestComplete", callout=True)
def filter_complete_oid_request(module: FilterModule, request: OidRequest, status: NdisStatus) -> None:
    """End the original that the filter answered with PENDING, once (OI-17)."""
    module.oids.complete(request, status)


@wdk("NdisFCancelOidRequest", callout=True)
def filter_cancel_oid_request(module: FilterModule, request_id: int) -> None:
    """Ask below to give up the filter's request with this id; it still ends once (OI-18)."""
    port_below(module.adapter, module.position + 1).cancel(request_id)

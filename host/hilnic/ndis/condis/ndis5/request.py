# SPDX-License-Identifier: Apache-2.0
"""NdisCoRequest and its relatives: CoNDIS requests of 5.x drivers, which see NDIS_REQUESTs and never an OidRequest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hilnic.ndis.adapter import Adapter
from hilnic.ndis.condis import co_oid
from hilnic.ndis.condis.handles import AfHandle, PartyHandle, Role, VcHandle
from hilnic.ndis.ndis5.miniport_edge import MiniportEdge, edge_of
from hilnic.ndis.ndis5.protocol_edge import BindingEdge, is_foreign
from hilnic.ndis.ndis5.request import NdisRequest
from hilnic.ndis.oid_request import OidRequest
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk
from hilnic.ndis.xlate import oid as xlate_oid

Ask5 = Callable[[Any, Any, Any, NdisRequest], NdisStatus]
Done5 = Callable[[Any, Any, Any, NdisRequest, NdisStatus], None]

# A 5.x driver asks.


@wdk("NdisCoRequest", callout=True)
def co_request(
    binding: BindingEdge,
    af: AfHandle | None,
    vc: VcHandle | None,
    party: PartyHandle | None,
    request: NdisRequest,
) -> NdisStatus:
    """Ask the miniport (af None), or the other side of `af`. PENDING: oid_request_complete follows, with `request`."""
    if is_foreign(binding, "NdisCoRequest"):
        return NdisStatus.FAILURE
    return _ask(binding, request, lambda asked: co_oid.co_oid_request(binding.core, af, vc, party, asked))


@wdk("NdisMCmRequest", callout=True)
def mcm_request(af: AfHandle, vc: VcHandle | None, party: PartyHandle | None, request: NdisRequest) -> NdisStatus:
    """An integrated call manager of NDIS 5 asks a client."""
    edge = edge_of(af.provider.adapter, "NdisMCmRequest")
    if edge is None:
        return NdisStatus.FAILURE
    return _ask(edge, request, lambda asked: co_oid.ask_peer(af, Role.CALL_MANAGER, vc, party, asked))


def _ask(edge: Any, request: NdisRequest, ask: Callable[[OidRequest], NdisStatus]) -> NdisStatus:
    if request.ndis_reserved is not None:
        edge.ndis.violation("C5-06", edge, request, "issued again while pending")
        return NdisStatus.FAILURE
    asked = OidRequest(request.request_type, request.oid, request.buffer)
    request.ndis_reserved = asked
    edge.co_requests[asked] = request
    status = ask(asked)
    return status if status is NdisStatus.PENDING else _finish(edge, asked, status)


def _finish(edge: Any, asked: OidRequest, status: NdisStatus) -> NdisStatus:
    request: NdisRequest = edge.co_requests.pop(asked)
    request.ndis_reserved = None
    carry(asked, request)
    return xlate_oid.status_to_5(status)


def carry(source: Any, destination: Any) -> None:
    """What came of a request, into its other form."""
    destination.bytes_written = source.bytes_written
    destination.bytes_read = source.bytes_read
    destination.bytes_needed = source.bytes_needed


def completed_to_5(edge: Any, handler: Done5 | None) -> Any:
    """ProtocolCoRequestComplete as the core calls it."""
    if handler is None:
        return None
    told = handler

    def done(af_context: Any, vc_context: Any, party_context: Any, asked: OidRequest, status: NdisStatus) -> None:
        request = edge.co_requests[asked]
        told(af_context, vc_context, party_context, request, _finish(edge, asked, status))

    return done


# A 5.x driver is asked.


def to_5(handler: Ask5 | None) -> Any:
    """ProtocolCoRequest as the core calls it."""
    if handler is None:
        return None
    asked_of = handler

    def ask(af_context: Any, vc_context: Any, party_context: Any, asked: OidRequest) -> NdisStatus:
        request = _form_of(asked)
        status = asked_of(af_context, vc_context, party_context, request)
        return _answer(asked, request, status)

    return ask


def ask_miniport(edge: MiniportEdge, vc_context: Any, asked: OidRequest) -> NdisStatus:
    """MiniportCoRequest."""
    request = _form_of(asked)
    handler = edge.characteristics.co_request
    assert handler is not None
    return _answer(asked, request, handler(edge.context, vc_context, request))


def _form_of(asked: OidRequest) -> NdisRequest:
    request = NdisRequest(asked.request_type, asked.oid, asked.buffer)
    request.ndis_reserved = asked
    return request


def _answer(asked: OidRequest, request: NdisRequest, status: NdisStatus) -> NdisStatus:
    if status is NdisStatus.PENDING:
        return status
    request.ndis_reserved = None
    carry(request, asked)
    return NdisStatus(xlate_oid.status_to_6(asked.request_type, status))


def _completed(request: NdisRequest, status: NdisStatus) -> tuple[OidRequest | None, NdisStatus]:
    asked, request.ndis_reserved = request.ndis_reserved, None
    if asked is None:
        return None, status
    carry(request, asked)
    return asked, NdisStatus(xlate_oid.status_to_6(asked.request_type, status))


@wdk("NdisCoRequestComplete", callout=True)
def co_request_complete(
    af: AfHandle, vc: VcHandle | None, party: PartyHandle | None, request: NdisRequest, status: NdisStatus
) -> None:
    """A 5.x client or call manager ends a request that it answered with PENDING (C5-06)."""
    asked, ended = _completed(request, status)
    if asked is None:
        af.ndis.violation("C5-06", af, request, "completed, but it is not pending")
        return
    co_oid.co_complete_oid_request(af, vc, party, asked, ended)


@wdk("NdisMCoRequestComplete", callout=True)
def mco_request_complete(adapter: Adapter, request: NdisRequest, status: NdisStatus) -> None:
    """A 5.x miniport ends a request that it answered with PENDING (C5-06)."""
    asked, ended = _completed(request, status)
    if asked is None:
        adapter.ndis.violation("C5-06", adapter, request, "completed, but it is not pending")
        return
    co_oid.mco_complete_oid_request(adapter, None, asked, ended)

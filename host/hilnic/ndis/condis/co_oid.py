# SPDX-License-Identifier: Apache-2.0
"""Requests between the drivers of a VC: to the miniport (no address family given), or to the other side of the family.

They are not queued: each goes at once to whom it is for, who answers, or answers PENDING and completes it once.
"""

from __future__ import annotations

from typing import Any

from hilnic.ndis.adapter import Adapter
from hilnic.ndis.binding import Binding
from hilnic.ndis.condis.callout import ask, is_stale, tell
from hilnic.ndis.condis.characteristics import CallManagerHandlers, ClientHandlers
from hilnic.ndis.condis.handles import AfHandle, PartyHandle, Role, VcHandle
from hilnic.ndis.condis.machines import AfState
from hilnic.ndis.oid_request import OidRequest
from hilnic.ndis.states import ADAPTER_OPERATIONS, BindingState, Operation
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk


class _Sender:
    """Who asked, and what it wants to hear when the request has ended."""

    __slots__ = ("actor", "binding", "contexts", "handler")

    def __init__(self, actor: Any, binding: Binding | None, handler: Any, contexts: tuple[Any, Any, Any]) -> None:
        self.actor = actor
        self.binding = binding
        self.handler = handler
        self.contexts = contexts

    def done(self, request: OidRequest, status: NdisStatus) -> None:
        tell(self.actor, "oid_request_complete", self.handler, *self.contexts, request, status)
        if self.binding is not None:
            self.binding.oids_outstanding -= 1
            self.binding.check_close()


@wdk("NdisCoOidRequest", callout=True)
def co_oid_request(
    binding: Binding, af: AfHandle | None, vc: VcHandle | None, party: PartyHandle | None, request: OidRequest
) -> NdisStatus:
    """Ask the miniport (af None), or the other side of `af`; about a VC or a party, or about neither.

    A final status: done. PENDING: oid_request_complete follows once.
    """
    if binding.state in {BindingState.CLOSING, BindingState.UNBOUND}:
        return NdisStatus.CLOSING
    if binding.co is None or binding.adapter.co is None:
        return NdisStatus.NOT_SUPPORTED
    if af is not None:
        is_client = af.binding is binding
        if is_stale(af, binding, "NdisCoOidRequest", af.state is not AfState.OPEN):
            return NdisStatus.FAILURE
        return ask_peer(af, Role.CLIENT if is_client else Role.CALL_MANAGER, vc, party, request)
    return _ask_miniport(binding, vc, request)


def ask_peer(
    af: AfHandle, role: Role, vc: VcHandle | None, party: PartyHandle | None, request: OidRequest
) -> NdisStatus:
    """The driver on one side of `af` asks the one on the other."""
    provider = af.provider
    own, other = af.handlers, provider.handlers
    contexts, theirs = _contexts(af, vc, party)
    asker: Any = af.binding
    answerer: Any = provider.actor
    binding: Binding | None = af.binding
    if role is Role.CALL_MANAGER:
        own, other = other, own  # type: ignore[assignment]
        contexts, theirs = theirs, contexts
        asker, answerer, binding = answerer, asker, provider.binding
    if other.oid_request is None:
        return NdisStatus.NOT_SUPPORTED
    sender = _Sender(asker, binding, own.oid_request_complete, contexts)
    return _ask(af.provider.adapter, sender, request, answerer, other.oid_request, *theirs)


def _contexts(
    af: AfHandle, vc: VcHandle | None, party: PartyHandle | None
) -> tuple[tuple[Any, Any, Any], tuple[Any, Any, Any]]:
    """(the client's, the call manager's) contexts of family, VC and party."""
    connection = None if vc is None else vc.vc
    client = None if connection is None or connection.client is None else connection.client.context
    manager = None if connection is None or connection.call_manager is None else connection.call_manager.context
    return (
        (af.client_context, client, None if party is None else party.client_context),
        (af.cm_context, manager, None if party is None else party.cm_context),
    )


def _ask_miniport(binding: Binding, vc: VcHandle | None, request: OidRequest) -> NdisStatus:
    adapter = binding.adapter
    if adapter.removed or Operation.OID not in ADAPTER_OPERATIONS[adapter.state]:
        return NdisStatus.ADAPTER_NOT_READY
    handlers, af_context = _end_of(binding, None if vc is None else vc.vc.af)
    done = None if handlers is None else handlers.oid_request_complete
    sender = _Sender(binding, binding, done, (af_context, None if vc is None else vc.context, None))
    vc_context = None if vc is None else vc.vc.miniport.context
    return _ask(adapter, sender, request, adapter, adapter.co.handlers.oid_request, adapter.context, vc_context)


def _end_of(binding: Binding, af: AfHandle | None) -> tuple[ClientHandlers | CallManagerHandlers | None, Any]:
    """(the handlers that hear of the end, the family's context); without a family, those that the driver has."""
    if af is not None and af.binding is binding:
        return af.handlers, af.client_context
    if af is not None:
        return af.provider.handlers, af.cm_context
    co = binding.co
    given = [each.handlers for each in (*co.opens, *co.providers)]  # NDIS 5 gives them with the family
    return co.client or co.call_manager or next(iter(given), None), None


def _ask(
    adapter: Adapter, sender: _Sender, request: OidRequest, answerer: Any, handler: Any, *contexts: Any
) -> NdisStatus:
    if request.ndis_pending:
        adapter.ndis.violation("OI-02", sender.actor, request, "issued again while pending")
        return NdisStatus.FAILURE
    pending = adapter.co.requests
    pending[request] = sender
    request.ndis_pending = True
    request.ndis_since = adapter.ndis.kernel.now_ns()
    if sender.binding is not None:
        sender.binding.oids_outstanding += 1
    status = ask(answerer, "oid_request", handler, *contexts, request)
    if status is NdisStatus.PENDING:
        return NdisStatus.PENDING
    if request not in pending:
        adapter.ndis.violation("OI-02", answerer, request, "answered and completed as well")
        return NdisStatus.PENDING
    del pending[request]
    request.ndis_pending = False
    if sender.binding is not None:
        sender.binding.oids_outstanding -= 1
        sender.binding.check_close()
    return NdisStatus(status)


def _complete(adapter: Adapter, actor: Any, request: OidRequest, status: NdisStatus) -> None:
    if status is NdisStatus.PENDING:
        adapter.ndis.violation("OI-03", actor, request, "completed with PENDING")
        return
    sender = adapter.co.requests.pop(request, None)
    if sender is None:
        adapter.ndis.violation("OI-02", actor, request, "completed, but it is not pending")
        return
    request.ndis_pending = False
    sender.done(request, status)


@wdk("NdisCoOidRequestComplete", callout=True)
def co_complete_oid_request(
    af: AfHandle, vc: VcHandle | None, party: PartyHandle | None, request: OidRequest, status: NdisStatus
) -> None:
    """A client or a call manager ends a request that it answered with PENDING."""
    del vc, party
    _complete(af.provider.adapter, af, request, status)


@wdk("NdisMCoOidRequestComplete", callout=True)
def mco_complete_oid_request(adapter: Adapter, vc: VcHandle | None, request: OidRequest, status: NdisStatus) -> None:
    """A miniport ends a request that it answered with PENDING."""
    del vc
    _complete(adapter, adapter, request, status)

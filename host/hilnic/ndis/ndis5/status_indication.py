# SPDX-License-Identifier: Apache-2.0
"""NdisMIndicateStatus and its Complete: every binding hears both, 6.x ones in the words of NDIS 6 (C5-13).

Without filters a 5.x binding hears what the miniport says. With a filter everything passes the filters in the words of
NDIS 6, so that each may see, change or swallow it (OI-20), and is translated back for 5.x bindings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic.ndis import status_indication as core
from hilnic.ndis.adapter import Adapter
from hilnic.ndis.ndis5 import miniport_edge, protocol_edge
from hilnic.ndis.oid_request import query
from hilnic.ndis.oids import Oid
from hilnic.ndis.states import ADAPTER_OPERATIONS, Operation
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.status_indication import StatusIndication
from hilnic.ndis.wdk import wdk
from hilnic.ndis.xlate import link

if TYPE_CHECKING:
    from hilnic.ndis.ndis5.miniport_edge import MiniportEdge

COMPLETE_WITHIN_NS = 1_000_000_000
"""A miniport that indicates a status calls NdisMIndicateStatusComplete within this time."""


@wdk("NdisMIndicateStatus", callout=True)
def indicate_status(adapter: Adapter, code: NdisStatus, buffer: Any = None) -> None:
    """Tell every binding; filters and 6.x protocols hear of a link change as LINK_STATE, with its speed (XL-14)."""
    edge = miniport_edge.edge_of(adapter, "NdisMIndicateStatus")
    if edge is None:
        return
    if Operation.STATUS not in ADAPTER_OPERATIONS[adapter.state]:
        adapter.ndis.violation("C5-13", adapter, adapter, f"status {code.name} while {adapter.state.value}")
        return
    if edge.status_watch is None and edge.ledger is not None:
        edge.status_watch = adapter.ndis.kernel.set_watchdog(COMPLETE_WITHIN_NS, lambda: _miss_complete(edge))
    for receiver in _receivers(adapter):
        receiver.indicate(code, buffer)
    if code in link.LINK_STATUSES:
        adapter.ndis.kernel.queue_work_item(lambda: _tell_link_state(edge, code))
    elif link.reaches_6(code):
        _tell_6(adapter, StatusIndication(code, buffer))


@wdk("NdisMIndicateStatusComplete", callout=True)
def indicate_status_complete(adapter: Adapter) -> None:
    """Ends one status indication, or several."""
    edge = miniport_edge.edge_of(adapter, "NdisMIndicateStatusComplete")
    if edge is None:
        return
    if edge.status_watch is not None:
        edge.status_watch.cancel()
        edge.status_watch = None
    for receiver in _receivers(adapter):
        receiver.indicate_complete()


def _receivers(adapter: Adapter) -> list[protocol_edge.BindingEdge]:
    """The 5.x bindings that hear the miniport directly."""
    if adapter.filters:
        return []
    return [b.context for b in adapter.bindings if isinstance(b.context, protocol_edge.BindingEdge)]


def _miss_complete(edge: MiniportEdge) -> None:
    edge.status_watch = None
    edge.ndis.violation("C5-13", edge.adapter, edge.adapter, "no NdisMIndicateStatusComplete after NdisMIndicateStatus")


async def _tell_link_state(edge: MiniportEdge, code: NdisStatus) -> None:
    """Ask for the speed, remember the link state, tell the 6.x drivers."""
    adapter = edge.adapter
    request = query(Oid.OID_GEN_LINK_SPEED, 4)
    answered = await adapter.oids.call_miniport(request)
    units = int.from_bytes(request.answer(), "little") if answered is NdisStatus.SUCCESS else 0
    if Operation.STATUS not in ADAPTER_OPERATIONS[adapter.state]:
        return
    adapter.link_state = link.to_6(code, units, adapter.link_state)
    _tell_6(adapter, StatusIndication(NdisStatus.LINK_STATE, adapter.link_state))


def _tell_6(adapter: Adapter, indication: StatusIndication) -> None:
    core.deliver_status(adapter, indication)  # without filters a 5.x binding has heard it already and does not listen

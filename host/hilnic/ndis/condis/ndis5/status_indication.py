# SPDX-License-Identifier: Apache-2.0
"""NdisMCoIndicateStatus: a 5.x miniport's status of a VC or of the adapter, and any status for a 5.x client (CD-13)."""

from __future__ import annotations

from typing import Any

from hilnic.ndis.adapter import Adapter
from hilnic.ndis.condis import status_indication as core
from hilnic.ndis.condis.handles import VcHandle
from hilnic.ndis.ndis5.miniport_edge import edge_of
from hilnic.ndis.ndis5.protocol_edge import BindingEdge
from hilnic.ndis.ndis5.serializer import at_dispatch
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.status_indication import LinkState, StatusIndication
from hilnic.ndis.wdk import wdk
from hilnic.ndis.xlate import link


@wdk("NdisMCoIndicateStatus", callout=True)
def mco_indicate_status(adapter: Adapter, vc: VcHandle | None, code: NdisStatus, buffer: Any = None) -> None:
    """Tell the VC's user, or without a VC every protocol with CoNDIS handlers, each in the words of its version."""
    if edge_of(adapter, "NdisMCoIndicateStatus") is not None:
        core.mco_indicate_status(adapter, vc, StatusIndication(code, buffer))


def tell(edge: BindingEdge, vc_context: Any, indication: StatusIndication) -> None:
    """ProtocolCoStatus; a LINK_STATE comes as connect, disconnect and speed change (XL-14)."""
    handler = edge.characteristics.co_status
    if handler is None:
        return
    code, buffer = indication.status_code, indication.buffer
    news = [(code, buffer)] if link.reaches_5(code) else []
    if code is NdisStatus.LINK_STATE and isinstance(buffer, LinkState):
        news = list(link.to_5(None, buffer))
    for each, content in news:
        at_dispatch(edge.ndis.kernel, handler, edge.context, vc_context, each, content)

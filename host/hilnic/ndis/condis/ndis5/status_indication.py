# SPDX-License-Identifier: Apache-2.0
"""NdisMCoIndicateStatus: a 5.x miniport's status of a VC or of the adapter, and any status for a 5.x client (CD-13)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from hilnic.ndis.adapter import Adapter
from hilnic.ndis.condis import status_indication as core
from hilnic.ndis.condis.handles import VcHandle
from hilnic.ndis.flags import MediaConnectState
from hilnic.ndis.ndis5.miniport_edge import edge_of
from hilnic.ndis.ndis5.protocol_edge import BindingEdge
from hilnic.ndis.ndis5.serializer import at_dispatch
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.status_indication import LinkState, StatusIndication
from hilnic.ndis.wdk import wdk
from hilnic.ndis.xlate import link


@dataclass(frozen=True, slots=True)
class LinkIndication(StatusIndication):
    """A LINK_STATE for 6.x drivers that a 5.x miniport has told in its own words, as 5.x drivers get it."""

    told: tuple[NdisStatus, Any] = (NdisStatus.LINK_STATE, None)


@wdk("NdisMCoIndicateStatus", callout=True)
def mco_indicate_status(adapter: Adapter, vc: VcHandle | None, code: NdisStatus, buffer: Any = None) -> None:
    """Tell the VC's user, or without a VC every protocol with CoNDIS handlers, each in the words of its version.

    The buffer of LINK_SPEED_CHANGE is the speed in 100 bit/s, four bytes.
    """
    if edge_of(adapter, "NdisMCoIndicateStatus") is None:
        return
    indication = StatusIndication(code, buffer)
    if code in link.LINK_STATUSES:
        indication = LinkIndication(NdisStatus.LINK_STATE, _link_state(adapter, code, buffer), (code, buffer))
    core.mco_indicate_status(adapter, vc, indication)


def _link_state(adapter: Adapter, code: NdisStatus, buffer: Any) -> LinkState:
    """What has a new speed is connected; a connection whose speed is not told has the adapter's."""
    if code is NdisStatus.LINK_SPEED_CHANGE:
        return link.to_6(code, int.from_bytes(buffer, "little"))
    known = adapter.link_state or LinkState()
    state = link.to_6(code, 0, known)
    if state.media_connect_state is MediaConnectState.DISCONNECTED:
        return state
    return replace(state, xmit_link_speed=known.xmit_link_speed, rcv_link_speed=known.rcv_link_speed)


def tell(edge: BindingEdge, vc_context: Any, indication: StatusIndication) -> None:
    """ProtocolCoStatus; a LINK_STATE comes as connect, disconnect and speed change (XL-14)."""
    handler = edge.characteristics.co_status
    if handler is None:
        return
    code, buffer = indication.status_code, indication.buffer
    news = [(code, buffer)] if link.reaches_5(code) else []
    if isinstance(indication, LinkIndication):
        news = [indication.told]
    elif code is NdisStatus.LINK_STATE and isinstance(buffer, LinkState):
        news = list(link.to_5(None, buffer))
    for each, content in news:
        at_dispatch(edge.ndis.kernel, handler, edge.context, vc_context, each, content)

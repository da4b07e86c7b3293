# SPDX-License-Identifier: Apache-2.0
"""Open and close of a binding by a 5.x protocol (C5-10, C5-15)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hilnic.ndis import binding as core
from hilnic.ndis.binding import BindContext, UnbindContext
from hilnic.ndis.driver import OpenParameters, ProtocolDriver
from hilnic.ndis.flags import NdisMedium
from hilnic.ndis.ndis5.protocol_edge import BindingEdge, is_foreign
from hilnic.ndis.states import BindingEvent, BindingState
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk

CONNECTION_ORIENTED = frozenset({NdisMedium.ATM, NdisMedium.CO_WAN})

OpenAnswer = tuple[NdisStatus, NdisMedium | None, BindingEdge | None]


@wdk("NdisOpenAdapter", irql="PASSIVE", callout=True)
def open_adapter(
    protocol: ProtocolDriver,
    binding_context: Any,
    mediums: Sequence[NdisMedium],
    bind_context: BindContext,
    open_options: int = 0,
) -> OpenAnswer:
    """Open the adapter that `bind_context` offers; only inside bind_adapter. `open_options`: ProtocolOptions.

    UNSUPPORTED_MEDIA when the adapter's medium is not among `mediums`. A connection-oriented adapter needs the handler
    co_receive_packet: BAD_CHARACTERISTICS (R5-14). PENDING: open_adapter_complete follows.
    """
    adapter = bind_context.adapter
    medium = adapter.attributes.media_type
    if medium not in mediums:
        return NdisStatus.UNSUPPORTED_MEDIA, None, None
    edge = BindingEdge(protocol, binding_context, adapter.context, open_options)
    if medium in CONNECTION_ORIENTED and edge.characteristics.co_receive_packet is None:
        edge.xlate.close()
        return NdisStatus.BAD_CHARACTERISTICS, None, None
    edge.medium = medium
    status, binding = core.open_adapter(protocol, edge, OpenParameters(), bind_context)
    if binding is None:
        edge.xlate.close()
        return status, None, None
    edge.core = binding
    edge.link_state = adapter.link_state
    binding.forwards = True  # its frames have their ids already
    return status, medium, edge


@wdk("NdisCompleteBindAdapter")
def complete_bind_adapter(bind_context: BindContext, status: NdisStatus) -> None:
    """Ends a bind that bind_adapter answered with PENDING."""
    core.complete_bind_adapter(bind_context, status)


@wdk("NdisCloseAdapter", irql="PASSIVE", callout=True)
def close_adapter(binding: BindingEdge) -> NdisStatus:
    """Give the binding up. PENDING: close_adapter_complete follows when packets, requests and sends have ended."""
    if is_foreign(binding, "NdisCloseAdapter"):
        return NdisStatus.FAILURE
    if binding.core.state is BindingState.RUNNING:  # a 5.x protocol may close whenever it likes; it knows no pause
        binding.core.step(BindingEvent.PAUSE)
        binding.core.step(BindingEvent.PAUSED)
    status = core.close_adapter(binding.core)
    if status is NdisStatus.SUCCESS:
        binding.xlate.close()
    return status


@wdk("NdisCompleteUnbindAdapter")
def complete_unbind_adapter(unbind_context: UnbindContext) -> None:
    """Ends an unbind that unbind_adapter answered with PENDING."""
    core.complete_unbind_adapter(unbind_context)

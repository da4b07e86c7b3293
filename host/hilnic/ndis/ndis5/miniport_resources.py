# SPDX-License-Identifier: Apache-2.0
"""What a 5.x miniport has to give back before halt or a failed initialize ends (C5-12), and its order (C5-02)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilnic.ndis import interrupt as core_interrupt
from hilnic.ndis.pool import describe_site
from hilnic.ndis.status import NdisStatus

if TYPE_CHECKING:
    from hilnic.ndis.ndis5.miniport_edge import MiniportEdge


def check_attributes(edge: MiniportEdge, call: str) -> None:
    """The hardware is not touched before NdisMSetAttributesEx (C5-02)."""
    if not edge.has_attributes:
        edge.ndis.violation("C5-02", edge.adapter, edge.adapter, f"{call} before NdisMSetAttributesEx")


def check_released(edge: MiniportEdge, when: str) -> None:
    """Name everything that is left, once each, and let go of it (C5-12)."""
    from hilnic.ndis.ndis5 import transfer

    adapter, ndis = edge.adapter, edge.ndis
    left: list[str] = []
    for destination in list(edge.transfers):
        left.append(f"a transfer to {destination!r}")
        transfer.complete(edge, destination, NdisStatus.REQUEST_ABORTED, 0)
    for interrupt in list(adapter.interrupts):
        left.append(repr(interrupt))
        core_interrupt.deregister_interrupt(interrupt)
    for timer in adapter.timers:
        if timer.pending:
            left.append(repr(timer))
            timer.cancel()
    adapter.timers.clear()
    if edge.map_registers:
        left.append(f"{len(edge.map_registers)} map registers")
    if edge.dma is not None:
        left += [f"{shared!r} allocated at {describe_site(site)}" for shared, site in edge.dma.shared.items()]
    forget_dma(edge)
    for pool in [pool for pool in ndis.pools if pool.owner is adapter]:
        left += pool.leaks() or [repr(pool)]
        ndis.pools.remove(pool)
    if left:
        ndis.violation("C5-12", adapter, adapter, f"not released when {when} ended: " + "; ".join(left))


def forget_dma(edge: MiniportEdge) -> None:
    """The adapter does no more DMA."""
    if edge.dma is not None and edge.dma in edge.adapter.dma_handles:
        edge.adapter.dma_handles.remove(edge.dma)
    edge.dma = None
    edge.maps_sends = False
    edge.map_registers = []

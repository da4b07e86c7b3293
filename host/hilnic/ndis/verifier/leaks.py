# SPDX-License-Identifier: Apache-2.0
"""V9: what an owner left behind, with the line that allocated it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic.ndis.adapter import Adapter
from hilnic.ndis.driver import ProtocolDriver
from hilnic.ndis.pool import describe_site

if TYPE_CHECKING:
    from hilnic.ndis.ndis import Ndis


def report_leaks(ndis: Ndis, owner: Any) -> None:
    """Report everything that `owner` (an adapter, a driver) should have released by now."""
    if isinstance(owner, Adapter):
        _report_hardware(ndis, owner)
    rule = "ST-21" if isinstance(owner, ProtocolDriver) else "ST-19"
    for pool in list(ndis.pools):
        if pool.owner is owner:
            lines = pool.leaks() or ["the pool itself"]
            ndis.violation(rule, owner, pool, "; ".join(lines))


def _report_hardware(ndis: Ndis, adapter: Adapter) -> None:
    for interrupt in adapter.interrupts:
        ndis.violation("IT-01", adapter, interrupt, "still registered when halt or a failed initialize ended")
    for timer in adapter.timers:
        if timer.pending:
            ndis.violation("ST-18", adapter, timer, "still pending when halt ended")
    if adapter.work_items:
        ndis.violation("IT-05", adapter, adapter, f"{adapter.work_items} work items still queued when halt ended")
    for dma in adapter.dma_handles:
        left = [f"{sg_list!r}" for sg_list in dma.live]
        left += [f"{shared!r} allocated at {describe_site(site)}" for shared, site in dma.shared.items()]
        rule = "IT-08" if left else "ST-19"
        ndis.violation(rule, adapter, dma, "not released: " + ("; ".join(left) or "the DMA handle"))


def report_everything(ndis: Ndis) -> None:
    """The end of a run: live NBLs of every pool, MDLs, and what is still outstanding on every binding."""
    for pool in list(ndis.pools):
        if pool.live:
            ndis.violation("ST-21", pool.owner, pool, "; ".join(pool.leaks()))
    for mdl, site in list(ndis.mdls.items()):
        ndis.violation("ST-21", ndis, mdl, f"MDL allocated at {describe_site(site)}")
    for clone, (handle, site) in list(ndis.oid_clones.items()):
        ndis.violation("OI-17", handle, clone, f"a clone made at {describe_site(site)} is not freed")
    for adapter in ndis.adapters:
        _report_connections(adapter)
        for binding in adapter.bindings:
            if not binding.idle():
                ndis.violation("ST-21", binding, binding, f"outstanding: {binding.statistics()}")


def _report_connections(adapter: Adapter) -> None:
    """VCs that nobody has deleted; one of a rejected or ended call is its call manager's (CC-16)."""
    for vc in adapter.co.vcs if adapter.co is not None else ():
        is_over = vc.call.state.value == "Closed" and vc.creator is vc.call_manager
        rule = "CC-16" if is_over else "ST-21"
        adapter.ndis.violation(rule, vc.creator.actor, vc, f"not deleted: {vc.call.state.value}")

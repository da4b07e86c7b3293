# SPDX-License-Identifier: Apache-2.0
"""What a driver that is taken out had: the verifier knows which lists it held, and which of its own were out."""

from __future__ import annotations

from typing import Any

from hilnic.ndis.mdl import Mdl
from hilnic.ndis.nbl import NetBufferList
from hilnic.ndis.verifier.custody import FREED, HOME, INDICATED, SENT


def ends_of(driver: Any) -> list[Any]:
    """The handles of a driver that may hold lists: its adapters, bindings or modules."""
    for name in ("adapters", "bindings", "modules"):
        if hasattr(driver, name):
            return list(getattr(driver, name))
    return []


def lists_of(ndis: Any) -> list[NetBufferList]:
    """Every live list, pool by pool, oldest first."""
    return [nbl for pool in ndis.pools for nbl in list(pool.live) if isinstance(nbl, NetBufferList)]


def outstanding(driver: Any) -> list[str]:
    """What `driver` holds of others, and what others hold of it."""
    ends = ends_of(driver)
    found = []
    for nbl in lists_of(driver.ndis):
        custody = nbl.ndis_custody
        if custody is None or custody.state not in {SENT, INDICATED}:
            continue
        if custody.owner in ends:
            found.append(f"{nbl!r}, which it held")
        elif custody.source in ends and not custody.hop:
            found.append(f"{nbl!r} of its own, which {custody.owner!r} has")
    return found


def in_custody(owner: Any, state: str) -> list[NetBufferList]:
    """The lists that `owner` holds in this state and may give back now: none of its clones of them is out."""
    return [nbl for nbl in lists_of(owner.ndis) if _is_held(nbl, owner, state) and _let_go(nbl)]


def _is_held(nbl: NetBufferList, owner: Any, state: str) -> bool:
    custody = nbl.ndis_custody
    return custody is not None and custody.owner is owner and custody.state is state


def _let_go(nbl: NetBufferList) -> bool:
    """Forget the clones and child references that the driver made; False while some of its lists is still out."""
    custody = nbl.ndis_custody
    if custody.clones > custody.clones_before:
        for child in lists_of(nbl.ndis):
            if child.parent_net_buffer_list is nbl and child.ndis_custody.state not in {HOME, FREED}:
                return False
        custody.clones = custody.clones_before
    if custody.pieces:
        return False
    nbl.child_ref_count = custody.children_before
    return True


def reclaim(owner: Any) -> None:
    """Free the pools, and the clones of requests, that `owner` has left behind."""
    ndis = owner.ndis
    for clone, (handle, _) in list(ndis.oid_clones.items()):
        if handle is owner and not (clone.ndis_pending or clone.ndis_done):
            del ndis.oid_clones[clone]
    for pool in [pool for pool in ndis.pools if pool.owner is owner]:
        for nbl in pool.live:
            for nb in nbl.net_buffers() if isinstance(nbl, NetBufferList) else ():
                _forget_mdls(ndis, nb.mdl_chain)
        ndis.pools.remove(pool)


def _forget_mdls(ndis: Any, mdl: Mdl | None) -> None:
    while mdl is not None and mdl in ndis.mdls:
        ndis.forget_mdl(mdl)
        mdl = mdl.next

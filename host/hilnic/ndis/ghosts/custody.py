# SPDX-License-Identifier: Apache-2.0
"""What a driver that is taken out had: the verifier knows which lists it held, and which of its own were out."""

from __future__ import annotations

from typing import Any

from hilnic.ndis.mdl import Mdl, is_circular, walk_mdls
from hilnic.ndis.nbl import NetBufferList
from hilnic.ndis.verifier.custody import FREED, HOME, INDICATED, SENT
from hilnic.ndis.verifier.shadow import put_back, put_back_received, received_change, sent_change


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
    _put_back(nbl)
    return True


def _put_back(nbl: NetBufferList) -> None:
    """The form in which the driver got the list; an MDL that it linked in front of it goes."""
    shadow = nbl.ndis_custody.shadow
    before = _mdls_of(nbl)
    if nbl.ndis_custody.state is SENT:
        if sent_change(nbl, shadow) is not None:
            put_back(nbl, shadow)
    elif shadow is not None and received_change(nbl, shadow) is not None:
        put_back_received(nbl, shadow)
    for mdl in set(before).difference(_mdls_of(nbl)):
        if mdl.ndis_reserved is not None:  # a retreat has linked it in front
            nbl.ndis.forget_mdl(mdl)


def close_edge(context: Any) -> None:
    """The context of a 5.x driver is NDIS's own edge, whose translation ends with it."""
    translation = getattr(context, "xlate", None)
    if translation is not None:
        translation.close()


def reclaim(owner: Any) -> None:
    """Free the pools, and the clones of requests, that `owner` has left behind."""
    ndis = owner.ndis
    for clone, (handle, _) in list(ndis.oid_clones.items()):
        if handle is owner and not (clone.ndis_pending or clone.ndis_done):
            del ndis.oid_clones[clone]
    pools = [pool for pool in ndis.pools if pool.owner is owner]
    if not pools:
        return
    ndis.pools[:] = [pool for pool in ndis.pools if pool.owner is not owner]
    others = {mdl for nbl in lists_of(ndis) for mdl in _mdls_of(nbl)}  # that pieces and clones may have described
    for pool in pools:
        for nbl in pool.live:
            for mdl in _mdls_of(nbl) if isinstance(nbl, NetBufferList) else ():
                if mdl not in others:
                    ndis.forget_mdl(mdl)


def _mdls_of(nbl: NetBufferList) -> list[Mdl]:
    """Those that can be reached; the driver may have left circles."""
    first = nbl.first_net_buffer
    nbs = [] if is_circular(first) else nbl.net_buffers()
    return [mdl for nb in nbs if not is_circular(nb.mdl_chain) for mdl in walk_mdls(nb.mdl_chain)]

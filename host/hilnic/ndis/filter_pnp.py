# SPDX-License-Identifier: Apache-2.0
"""Filter modules come and go: attach, detach, pause and restart, the stack around them paused meanwhile (ST-12)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from hilnic.ndis.driver import PauseParameters, RestartParameters
from hilnic.ndis.filter import FilterAttachParameters, FilterDriver, FilterModule
from hilnic.ndis.flags import PauseReason
from hilnic.ndis.pending import PAUSE, RESTART, ask
from hilnic.ndis.pool import describe_site
from hilnic.ndis.states import AdapterState, FilterEvent, FilterState
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.verifier.custody import INDICATED, SENT
from hilnic.ndis.waiting import answer_of

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter


async def attach_filter(
    driver: FilterDriver, adapter: Adapter, position: int = 0
) -> tuple[NdisStatus, FilterModule | None]:
    """Put a module of `driver` into the adapter's stack, `position` filters from the top; it pauses for it."""
    async with adapter.pnp_lock, _paused(adapter, PauseReason.ATTACH_FILTER):
        return await attach(driver, adapter, position)


@asynccontextmanager
async def _paused(adapter: Adapter, reason: PauseReason) -> AsyncIterator[None]:
    """Pause a running stack, then restart it, also when a handler raises; the caller has the PnP lock (ST-07)."""
    from hilnic.ndis.pnp import pause_stack, restart_stack

    running = adapter.state is AdapterState.RUNNING
    if running:
        await pause_stack(adapter, reason)
    try:
        yield
    finally:
        if running:
            await restart_stack(adapter)


async def attach(driver: FilterDriver, adapter: Adapter, position: int) -> tuple[NdisStatus, FilterModule | None]:
    """FilterAttach, on an adapter that is not running; the module is Paused on SUCCESS."""
    module = FilterModule(driver, adapter)
    module.step(FilterEvent.ATTACH)
    attributes = adapter.attributes
    parameters = FilterAttachParameters(adapter.name, attributes.mac_address, attributes.mtu_size)
    status = await answer_of(driver.characteristics.attach(module, driver.context, parameters))
    if status is NdisStatus.SUCCESS and module.context is None:
        status = NdisStatus.FAILURE  # without NdisFSetAttributes there is nothing to call its handlers with
    if driver.faulted and status is NdisStatus.SUCCESS:  # on another adapter, while this one was attached
        status = await answer_of(driver.characteristics.attach(module, driver.context, parameters))
    if status is not NdisStatus.SUCCESS:
        module.step(FilterEvent.ATTACH_FAILED)
        driver.ndis.leaks_of(module)
        return NdisStatus(status), None
    module.step(FilterEvent.ATTACHED)
    driver.modules.append(module)
    adapter.set_filters((*adapter.filters[:position], module, *adapter.filters[position:]))
    return status, module


async def detach_filter(module: FilterModule) -> None:
    """Take a module out of its stack, which is paused for it."""
    async with module.adapter.pnp_lock:
        if module.state is FilterState.DETACHED:  # somebody else has detached it meanwhile
            return
        async with _paused(module.adapter, PauseReason.DETACH_FILTER):
            await detach(module)


async def detach(module: FilterModule) -> None:
    """FilterDetach, from Paused only; whatever the module has not freed by its end is a leak (ST-19)."""
    if not module.step(FilterEvent.DETACH):
        return
    await answer_of(module.handlers.detach(module.context))
    module.adapter.set_filters(tuple(other for other in module.adapter.filters if other is not module))
    module.driver.modules.remove(module)
    for clone, (handle, site) in list(module.ndis.oid_clones.items()):
        if handle is module and not module.driver.faulted:
            module.ndis.violation("OI-17", module, clone, f"not freed, made at {describe_site(site)}")
    module.ndis.leaks_of(module)


async def pause(module: FilterModule, reason: PauseReason) -> None:
    """FilterPause: when it has ended, nothing of anybody's is with the module any more (ST-03)."""
    module.step(FilterEvent.PAUSE)
    status = await ask(module, PAUSE, module.handlers.pause, PauseParameters(reason))
    if status is not NdisStatus.SUCCESS:
        module.ndis.violation("ST-04", module, module, f"pause answered {NdisStatus(status).name}")
    left = held_by(module)
    if left:
        module.ndis.violation("ST-03", module, module, f"paused with {', '.join(left)}")
    module.step(FilterEvent.PAUSED)


def held_by(module: FilterModule) -> list[str]:
    """What the verifier knows to be with the module, or out for it, as text; nothing with verify=off."""
    found = []
    for pool in module.ndis.pools:
        for item in pool.live:
            custody = getattr(item, "ndis_custody", None)
            if custody is None or custody.state not in {SENT, INDICATED}:
                continue
            if custody.owner is module:
                found.append(f"{item!r} held")
            elif custody.source is module:
                found.append(f"{item!r} out")
    return found


async def restart(module: FilterModule) -> NdisStatus:
    """FilterRestart; a failure leaves the module Paused."""
    module.step(FilterEvent.RESTART)
    status = await ask(module, RESTART, module.handlers.restart, RestartParameters())
    module.step(FilterEvent.RESTARTED if status is NdisStatus.SUCCESS else FilterEvent.RESTART_FAILED)
    return NdisStatus(status)


async def pause_and_restart(module: FilterModule) -> None:
    """NdisFRestartFilter: the stack around the module pauses and starts again."""
    async with module.adapter.pnp_lock:
        if module.state is FilterState.RUNNING:
            async with _paused(module.adapter, PauseReason.FILTER_RESTART):
                pass

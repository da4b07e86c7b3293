# SPDX-License-Identifier: Apache-2.0
"""The ghost of a miniport: it fails what is sent, takes what comes back, and lets go of the hardware."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hilnic.ndis.condis import ghost_miniport as of_connections
from hilnic.ndis.direct_oid import end_all
from hilnic.ndis.dma import deregister_scatter_gather_dma, free_net_buffer_sg_list, free_shared_memory
from hilnic.ndis.ghosts import im
from hilnic.ndis.ghosts.custody import close_edge, in_custody, reclaim
from hilnic.ndis.ghosts.protocol import haunt_edge
from hilnic.ndis.interrupt import deregister_interrupt
from hilnic.ndis.nbl import NetBufferList, chain, walk
from hilnic.ndis.pending import PAUSE, RESET, complete
from hilnic.ndis.pnp import complete_pause, surprise_remove_adapter
from hilnic.ndis.reset import stop_watching
from hilnic.ndis.send import complete_send_net_buffer_lists
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.timer import cancel_timer_object, free_timer_object
from hilnic.ndis.verifier.custody import SENT

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.driver import MiniportDriver


def replace(driver: MiniportDriver) -> None:
    """The ghost's handlers instead of the driver's."""

    def initialize(adapter: Adapter, *_: Any) -> NdisStatus:
        release_hardware(adapter)
        return NdisStatus.FAILURE

    def halt(context: Any, _: Any) -> None:
        release_hardware(_adapter_of(driver, context))

    def pause(context: Any, _: Any) -> NdisStatus:
        adapter = _adapter_of(driver, context)
        complete_held(adapter)
        check_paused(adapter)
        return NdisStatus.PENDING

    def reset(context: Any) -> tuple[NdisStatus, bool]:
        complete_held(_adapter_of(driver, context))
        return NdisStatus.FAILURE, False

    driver.initializing.clear()
    driver.characteristics = dataclasses.replace(
        driver.characteristics,
        initialize=initialize,
        halt=halt,
        pause=pause,
        restart=lambda *_: NdisStatus.FAILURE,
        oid_request=lambda *_: NdisStatus.FAILURE,
        direct_oid_request=None,
        cancel_direct_oid_request=None,
        reset=reset,
        check_for_hang=lambda _: False,
        cancel_send=None,
        cancel_oid_request=None,
        device_pnp_event_notify=None,
        shutdown=None,
    )


def haunt(driver: MiniportDriver) -> None:
    """Nothing reaches the driver any more."""
    for adapter in driver.adapters:
        adapter.send_handler = _completer(adapter)
        adapter.return_handler = _receiver(adapter)
        _silence(adapter)
        if adapter.co is not None:
            of_connections.haunt_adapter(adapter)
        haunt_edge(adapter.context)


def _silence(adapter: Adapter) -> None:
    """No timer and no interrupt reaches the driver."""
    stop_watching(adapter)
    for timer in adapter.timers:
        timer.period_ns = 0
        timer.cancel()  # at any IRQL, for NDIS does it
    for interrupt in adapter.interrupts:
        interrupt.isr_handler = lambda *_: (True, False)
        interrupt.dpc_handler = lambda *_: None
        if interrupt.characteristics.line is not None:
            interrupt.characteristics.line.connect(None)  # nobody will let go of it


def _completer(adapter: Adapter) -> Callable[..., None]:
    def fail(_: Any, nbls: NetBufferList, __: int, ___: int) -> None:
        _fail(adapter, nbls)

    return fail


def _receiver(adapter: Adapter) -> Callable[..., None]:
    def take(_: Any, __: NetBufferList, ___: int) -> None:
        im.settle(adapter.driver)
        if adapter.co is not None:
            of_connections.check_drained(adapter)

    return take


def _fail(adapter: Adapter, nbls: NetBufferList | None) -> None:
    for nbl in walk(nbls):
        nbl.status = NdisStatus.FAILURE
        custody = nbl.ndis_custody
        if custody is not None:
            custody.alone()
            nbl.source_handle = custody.source
    if nbls is not None:
        complete_send_net_buffer_lists(adapter, nbls)


def complete_held(adapter: Adapter) -> None:
    """The sends that the driver held, and that no piece of is out."""
    _free_sg_lists(adapter)
    _fail(adapter, chain(in_custody(adapter, SENT)))
    if adapter.co is not None:
        of_connections.end_pending(adapter)


def check_paused(adapter: Adapter) -> None:
    """End a pause that waits for what is above, and below an intermediate driver."""
    pausing = adapter.pending.get(PAUSE)
    if pausing is not None and not (pausing.is_set() or adapter.sends_outstanding or adapter.receives_outstanding):
        complete_pause(adapter)


async def unload(driver: MiniportDriver) -> None:
    """End what waits for the driver, give back what it held, remove its adapters."""
    im.settle(driver)
    for adapter in list(driver.adapters):
        request = adapter.oids.miniport.active
        if request is not None:
            adapter.oids.miniport.complete(request, NdisStatus.FAILURE)
        end_all(adapter)
        for operation, event in list(adapter.pending.items()):
            if operation != PAUSE and not event.is_set():
                complete(adapter, operation, (NdisStatus.FAILURE, False) if operation == RESET else NdisStatus.FAILURE)
        await surprise_remove_adapter(adapter)
    reclaim(driver)
    if driver in driver.ndis.miniport_drivers:
        driver.ndis.miniport_drivers.remove(driver)


def release_hardware(adapter: Adapter) -> None:
    """Interrupts, timers, DMA and pools of a driver that does it no more."""
    for interrupt in list(adapter.interrupts):
        deregister_interrupt(interrupt)
    for timer in list(adapter.timers):
        cancel_timer_object(timer)
        free_timer_object(timer)
    _free_sg_lists(adapter)
    for dma in list(adapter.dma_handles):
        for shared in list(dma.shared):
            free_shared_memory(shared)
        deregister_scatter_gather_dma(dma)
    close_edge(adapter.context)
    reclaim(adapter)


def _free_sg_lists(adapter: Adapter) -> None:
    for dma in adapter.dma_handles:
        for sg_list in list(dma.live):
            free_net_buffer_sg_list(dma, sg_list, sg_list.net_buffer)


def _adapter_of(driver: MiniportDriver, context: Any) -> Adapter:
    return next(adapter for adapter in driver.adapters if adapter.context is context)

# SPDX-License-Identifier: Apache-2.0
"""An exception inside a driver's handler: the driver is taken out, the others go on, and the report says which it was.

The call that NDIS was making goes on as if the handler had refused. From then on a *ghost* stands in for the driver: it
completes what comes down, returns what comes up, and answers PnP, so that the ordinary paths unbind and remove it. What
the driver held is completed or returned by NDIS. When it is gone, the fault is raised out of the kernel's work item
(unless violations are being collected), so that nobody overlooks it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from hilnic.ndis.flags import ReceiveFlags
from hilnic.ndis.nbl import NetBufferList, chain, walk
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.verifier.custody import INDICATED, SENT
from hilnic.ndis.violation import NdisViolation

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.binding import Binding, UnbindContext
    from hilnic.ndis.driver import MiniportDriver, ProtocolDriver
    from hilnic.ndis.filter import FilterDriver

RULE = "FAULT"

_MINIPORT = (
    "initialize", "halt", "pause", "restart", "oid_request", "cancel_oid_request", "reset", "check_for_hang",
    "direct_oid_request", "cancel_direct_oid_request", "device_pnp_event_notify", "shutdown",
)  # fmt: skip
_PROTOCOL = (
    "bind_adapter", "unbind_adapter", "open_adapter_complete", "close_adapter_complete", "net_pnp_event",
    "direct_oid_request_complete",
)  # fmt: skip
_FILTER = (
    "attach", "detach", "pause", "restart", "cancel_send_net_buffer_lists", "oid_request", "oid_request_complete",
    "cancel_oid_request", "direct_oid_request", "direct_oid_request_complete", "cancel_direct_oid_request",
)  # fmt: skip


class DriverFault(NdisViolation):
    """A handler raised: which handler of which driver, and the exception, which is also the cause of this one."""

    def __init__(self, driver: Any, handler: str, error: BaseException, time_ns: int, seed: int) -> None:
        super().__init__(RULE, driver, handler, repr(error), time_ns, seed, ())
        self.handler = handler
        self.error = error
        self.__cause__ = error

    def __str__(self) -> str:
        return f"{RULE} {self.actor!r} {self.handler} @{self.time_ns}ns seed={self.seed}: raised {self.error!r}"


def failed(actor: Any, handler: str, error: Exception) -> None:
    """NDIS called `handler` of `actor` (adapter, binding, module) and it raised; what is not its fault goes on up."""
    if not _is_of_the_driver(error):
        raise error
    _take_out(actor.driver, handler, error)


def _is_of_the_driver(error: Exception) -> bool:
    """Violations speak for themselves; a device that breaks its contract says so by `of_the_device`."""
    return not (isinstance(error, NdisViolation) or getattr(error, "of_the_device", False))


def _take_out(driver: Any, handler: str, error: Exception) -> None:
    """Record the fault and put the ghost in, once per driver."""
    from hilnic.ndis.driver import MiniportDriver, ProtocolDriver

    ndis = driver.ndis
    fault = DriverFault(driver, handler, error, ndis.kernel.now_ns(), ndis.report.seed)
    raised = ndis.report.fault(fault)
    if not isinstance(driver, MiniportDriver | ProtocolDriver):
        raise fault
    if driver.faulted:
        return
    driver.faulted = True
    if isinstance(driver, MiniportDriver):
        _haunt_miniport(driver)
    else:
        _haunt_protocol(driver)

    async def work() -> None:
        if isinstance(driver, MiniportDriver):
            await _unload_miniport(driver)
        else:
            await _unload_protocol(driver)
        if raised:
            raise fault

    ndis.kernel.queue_work_item(work)


def contained(driver: MiniportDriver | ProtocolDriver | FilterDriver, characteristics: Any) -> Any:
    """The characteristics with handlers that may raise; those of the data path NDIS calls in a `try`."""
    names: tuple[str, ...] = _PROTOCOL
    if hasattr(characteristics, "initialize"):
        names = _MINIPORT
    elif hasattr(characteristics, "attach"):
        names = _FILTER
    handlers = {name: getattr(characteristics, name) for name in names}
    wrapped = {name: _contain(driver, name, handler) for name, handler in handlers.items() if handler is not None}
    return dataclasses.replace(characteristics, **wrapped)


def _contain(driver: Any, name: str, handler: Callable[..., Any]) -> Callable[..., Any]:
    def fall_back(args: tuple[Any, ...], error: Exception) -> Any:
        if not _is_of_the_driver(error):
            raise error
        _take_out(driver, name, error)
        ghost = getattr(driver.characteristics, name)
        return NdisStatus.FAILURE if ghost is None else ghost(*args)

    async def wait(args: tuple[Any, ...], answer: Awaitable[Any]) -> Any:
        try:
            return await answer
        except Exception as error:
            return fall_back(args, error)

    def call(*args: Any) -> Any:
        try:
            answer = handler(*args)
        except Exception as error:
            return fall_back(args, error)
        return wait(args, answer) if isinstance(answer, Awaitable) else answer

    return call


def _haunt_edge(context: Any) -> None:
    """The context of a 5.x driver is NDIS's own edge, which has more to let go of."""
    haunt = getattr(context, "haunt", None)
    if haunt is not None:
        haunt()


# A protocol's ghost.


def _haunt_protocol(driver: ProtocolDriver) -> None:
    unbinding: dict[Any, UnbindContext] = {}

    def unbind(context: UnbindContext, _: Any) -> NdisStatus:
        from hilnic.ndis.binding import close_adapter

        unbinding[context.binding.context] = context
        return close_adapter(context.binding)

    def closed(binding_context: Any) -> None:
        from hilnic.ndis.binding import complete_unbind_adapter

        complete_unbind_adapter(unbinding[binding_context])

    driver.characteristics = dataclasses.replace(
        driver.characteristics,
        bind_adapter=lambda *_: NdisStatus.FAILURE,
        unbind_adapter=unbind,
        open_adapter_complete=None,
        close_adapter_complete=closed,
        direct_oid_request_complete=None,
        net_pnp_event=lambda *_: NdisStatus.SUCCESS,
    )
    for binding in driver.bindings:
        binding.receive_handler = _returner(binding)
        binding.complete_handler = binding.request_handler = binding.status_handler = _nothing
        if binding.co is not None:
            from hilnic.ndis.condis.ghost import haunt_binding

            haunt_binding(binding)
        _haunt_edge(binding.context)


def _returner(binding: Binding) -> Callable[..., None]:
    def give_back(_: Any, nbls: NetBufferList, __: int, ___: int, flags: int) -> None:
        from hilnic.ndis.receive import return_net_buffer_lists

        if not flags & ReceiveFlags.RESOURCES:
            return_net_buffer_lists(binding, nbls)

    return give_back


async def _unload_protocol(driver: ProtocolDriver) -> None:
    from hilnic.ndis.binding import complete_bind_adapter
    from hilnic.ndis.pnp import unbind_protocol
    from hilnic.ndis.receive import return_net_buffer_lists

    for context in driver.binds:
        complete_bind_adapter(context, NdisStatus.FAILURE)
    for binding in list(driver.bindings):
        held = chain(in_custody(binding, INDICATED))
        if held is not None:
            return_net_buffer_lists(binding, held)
        if binding.co is not None:
            from hilnic.ndis.condis.ghost import leave

            await leave(binding)
        await unbind_protocol(binding)
    _reclaim(driver)
    if driver in driver.ndis.protocol_drivers:
        driver.ndis.protocol_drivers.remove(driver)


# A miniport's ghost.


def _haunt_miniport(driver: MiniportDriver) -> None:
    def initialize(adapter: Adapter, *_: Any) -> NdisStatus:
        _release_hardware(adapter)
        return NdisStatus.FAILURE

    def halt(context: Any, _: Any) -> None:
        _release_hardware(_adapter_of(driver, context))

    def pause(context: Any, _: Any) -> NdisStatus:
        adapter = _adapter_of(driver, context)
        _complete_held(adapter)
        return NdisStatus.PENDING if adapter.receives_outstanding else NdisStatus.SUCCESS

    driver.characteristics = dataclasses.replace(
        driver.characteristics,
        initialize=initialize,
        halt=halt,
        pause=pause,
        restart=lambda *_: NdisStatus.FAILURE,
        oid_request=lambda *_: NdisStatus.FAILURE,
        direct_oid_request=None,
        cancel_direct_oid_request=None,
        reset=lambda *_: (NdisStatus.FAILURE, False),
        check_for_hang=lambda _: False,
        cancel_send=None,
        cancel_oid_request=None,
        device_pnp_event_notify=None,
        shutdown=None,
    )
    for adapter in driver.adapters:
        adapter.send_handler = _completer(adapter)
        adapter.return_handler = _receiver(adapter)
        if adapter.co is not None:
            from hilnic.ndis.condis.ghost_miniport import haunt_adapter

            haunt_adapter(adapter)
        _haunt_edge(adapter.context)


def _completer(adapter: Adapter) -> Callable[..., None]:
    def complete(_: Any, nbls: NetBufferList, __: int, ___: int) -> None:
        _complete(adapter, nbls)

    return complete


def _receiver(adapter: Adapter) -> Callable[..., None]:
    def take(_: Any, __: NetBufferList, ___: int) -> None:
        from hilnic.ndis.pnp import complete_pause

        if "pause" in adapter.pending and not adapter.receives_outstanding:
            complete_pause(adapter)
        if adapter.co is not None:
            from hilnic.ndis.condis.ghost_miniport import check_drained

            check_drained(adapter)

    return take


def _complete(adapter: Adapter, nbls: NetBufferList | None) -> None:
    from hilnic.ndis.send import complete_send_net_buffer_lists

    for nbl in walk(nbls):
        nbl.status = NdisStatus.FAILURE
    if nbls is not None:
        complete_send_net_buffer_lists(adapter, nbls)


def _complete_held(adapter: Adapter) -> None:
    _free_sg_lists(adapter)
    _complete(adapter, chain(in_custody(adapter, SENT)))
    if adapter.co is not None:
        from hilnic.ndis.condis.ghost_miniport import end_pending

        end_pending(adapter)


async def _unload_miniport(driver: MiniportDriver) -> None:
    from hilnic.ndis.direct_oid import end_all
    from hilnic.ndis.pending import complete
    from hilnic.ndis.pnp import surprise_remove_adapter

    for adapter in list(driver.adapters):
        _complete_held(adapter)
        request = adapter.oids.miniport.active
        if request is not None:
            adapter.oids.miniport.complete(request, NdisStatus.FAILURE)
        end_all(adapter)
        for operation in list(adapter.pending):
            if operation != "pause" or not adapter.receives_outstanding:
                complete(
                    adapter, operation, (NdisStatus.FAILURE, False) if operation == "reset" else NdisStatus.SUCCESS
                )
        await surprise_remove_adapter(adapter)
    _reclaim(driver)
    if driver in driver.ndis.miniport_drivers:
        driver.ndis.miniport_drivers.remove(driver)


def _release_hardware(adapter: Adapter) -> None:
    """Interrupts, timers, DMA and pools of a driver that does it no more."""
    from hilnic.ndis.dma import deregister_scatter_gather_dma, free_shared_memory
    from hilnic.ndis.interrupt import deregister_interrupt
    from hilnic.ndis.timer import cancel_timer_object, free_timer_object

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
    _reclaim(adapter)


def _free_sg_lists(adapter: Adapter) -> None:
    from hilnic.ndis.dma import free_net_buffer_sg_list

    for dma in adapter.dma_handles:
        for sg_list in list(dma.live):
            free_net_buffer_sg_list(dma, sg_list, sg_list.net_buffer)


# Both.


def _adapter_of(driver: MiniportDriver, context: Any) -> Adapter:
    return next(adapter for adapter in driver.adapters if adapter.context is context)


def in_custody(owner: Any, state: str) -> list[NetBufferList]:
    """The NBLs that `owner` holds in this state, oldest first; the verifier knows them."""
    return [
        nbl
        for pool in owner.ndis.pools
        for nbl in list(pool.live)
        if isinstance(nbl, NetBufferList) and _is_held(nbl, owner, state)
    ]


def _is_held(nbl: NetBufferList, owner: Any, state: str) -> bool:
    custody = nbl.ndis_custody
    return custody is not None and custody.owner is owner and custody.state is state


def _reclaim(owner: Any) -> None:
    """Free the pools that a driver has left behind."""
    ndis = owner.ndis
    for pool in [pool for pool in ndis.pools if pool.owner is owner]:
        for nbl in pool.live:
            for nb in nbl.net_buffers() if isinstance(nbl, NetBufferList) else ():
                mdl = nb.mdl_chain
                while mdl is not None:
                    ndis.forget_mdl(mdl)
                    mdl = mdl.next
        ndis.pools.remove(pool)


def _nothing(*_: Any) -> None:
    """A ghost takes what it is told."""

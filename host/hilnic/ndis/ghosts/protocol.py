# SPDX-License-Identifier: Apache-2.0
"""The ghost of a protocol: it returns what is indicated, keeps no completion, and closes its bindings."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hilnic.ndis.binding import close_adapter, complete_bind_adapter, complete_unbind_adapter
from hilnic.ndis.condis.ghost import haunt_binding, leave
from hilnic.ndis.flags import ReceiveFlags
from hilnic.ndis.ghosts import im
from hilnic.ndis.ghosts.custody import close_edge, in_custody, reclaim
from hilnic.ndis.nbl import NetBufferList, chain
from hilnic.ndis.pnp import unbind_protocol
from hilnic.ndis.receive import return_net_buffer_lists
from hilnic.ndis.states import BindingState
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.verifier.custody import INDICATED

if TYPE_CHECKING:
    from hilnic.ndis.binding import Binding, UnbindContext
    from hilnic.ndis.driver import ProtocolDriver


def replace(driver: ProtocolDriver) -> None:
    """The ghost's handlers instead of the driver's."""

    def closed(_: Any) -> None:
        _end_unbinds(driver)

    driver.characteristics = dataclasses.replace(
        driver.characteristics,
        bind_adapter=lambda *_: NdisStatus.FAILURE,
        unbind_adapter=_unbind,
        open_adapter_complete=None,
        close_adapter_complete=closed,
        direct_oid_request_complete=None,
        net_pnp_event=lambda *_: NdisStatus.SUCCESS,
    )


def _unbind(context: UnbindContext, _: Any) -> NdisStatus:
    """Close, unless the driver has done so before it raised; the end of the close ends the unbind."""
    binding = context.binding
    if binding.state is BindingState.PAUSED:
        return close_adapter(binding)
    return NdisStatus.SUCCESS if binding.state is BindingState.UNBOUND else NdisStatus.PENDING


def _end_unbinds(driver: ProtocolDriver) -> None:
    """Those whose binding is closed."""
    for context in driver.unbinds:
        if context.binding.state is BindingState.UNBOUND and not context.done.is_set():
            complete_unbind_adapter(context)


def haunt(driver: ProtocolDriver) -> None:
    """Nothing reaches the driver any more."""
    for binding in driver.bindings:
        binding.receive_handler = _returner(binding)
        binding.complete_handler = binding.request_handler = binding.status_handler = _nothing
        if driver.upper_edge is not None:
            binding.complete_handler = im.completer(driver.upper_edge)
        if binding.co is not None:
            haunt_binding(binding)
        haunt_edge(binding.context)


def haunt_edge(context: Any) -> None:
    """The context of a 5.x driver is NDIS's own edge, which has more to let go of."""
    edge_haunt = getattr(context, "haunt", None)
    if edge_haunt is not None:
        edge_haunt()


def _returner(binding: Binding) -> Callable[..., None]:
    def give_back(_: Any, nbls: NetBufferList, __: int, ___: int, flags: int) -> None:
        if not flags & ReceiveFlags.RESOURCES:
            return_net_buffer_lists(binding, nbls)

    return give_back


async def unload(driver: ProtocolDriver) -> None:
    """End what waits for the driver, give back what it held, unbind it everywhere."""
    for context in driver.binds:
        complete_bind_adapter(context, NdisStatus.FAILURE)
    _end_unbinds(driver)
    for binding in list(driver.bindings):
        return_held(binding)
        _end_events(binding)
        if binding.co is not None:
            await leave(binding)
        await _close(binding)
        close_edge(binding.context)
    reclaim(driver)
    if driver in driver.ndis.protocol_drivers:
        driver.ndis.protocol_drivers.remove(driver)


def return_held(binding: Binding) -> None:
    """The received lists that the driver held and that no clone of its own is out for."""
    held = chain(in_custody(binding, INDICATED))
    if held is not None:
        return_net_buffer_lists(binding, held)


def _end_events(binding: Binding) -> None:
    """PnP events that the driver answered with PENDING."""
    for done, answers in list(binding.pending.values()):
        if not answers:
            answers.append(NdisStatus.SUCCESS)
            done.set()


async def _close(binding: Binding) -> None:
    """Through an unbind, or by ending the one that the driver was in when it raised."""
    if binding.state is BindingState.PAUSED and any(context.binding is binding for context in binding.driver.unbinds):
        close_adapter(binding)
    _end_unbinds(binding.driver)
    await unbind_protocol(binding)


def _nothing(*_: Any) -> None:
    """A ghost takes what it is told."""

# SPDX-License-Identifier: Apache-2.0
"""`@wdk("NdisSendNetBufferLists")`: each public function says, for people and for machines, which WDK function it is.

The decorator records name and IRQL (docs/ndis.md and `hilnic wdk` print the table), counts the calls of each `Ndis`
instance, checks the simulated IRQL (CL-05) and that no spin lock is held where NDIS may call back (CL-02), and gives
a scheduler its yield points at entry and exit.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, ParamSpec, TypeVar, cast

from hilnic.ndis.kernel import Irql

P = ParamSpec("P")
R = TypeVar("R")

IrqlRule = Literal["PASSIVE", "<=DISPATCH", "=DISPATCH", "any"]

_HIGHEST: dict[IrqlRule, Irql] = {
    "PASSIVE": Irql.PASSIVE,
    "<=DISPATCH": Irql.DISPATCH,
    "=DISPATCH": Irql.DISPATCH,  # the lower bound is not checked: drivers here do not raise IRQL around a send
    "any": Irql.DIRQL,
}


@dataclass(frozen=True, slots=True)
class WdkFunction:
    """One row of the WDK table."""

    wdk_name: str
    python_name: str
    module: str
    irql: IrqlRule
    callout: bool


WDK_FUNCTIONS: dict[str, WdkFunction] = {}
"""WDK name -> row. Filled while the modules are imported and constant from then on."""


WDK_HANDLERS: dict[str, str] = {
    "MiniportSendNetBufferLists": "MiniportCharacteristics.send_net_buffer_lists",
    "MiniportReturnNetBufferLists": "MiniportCharacteristics.return_net_buffer_lists",
    "ProtocolSendNetBufferListsComplete": "ProtocolCharacteristics.send_net_buffer_lists_complete",
    "ProtocolReceiveNetBufferLists": "ProtocolCharacteristics.receive_net_buffer_lists",
    "FilterSendNetBufferLists": "FilterCharacteristics.send_net_buffer_lists",
    "FilterSendNetBufferListsComplete": "FilterCharacteristics.send_net_buffer_lists_complete",
    "FilterCancelSendNetBufferLists": "FilterCharacteristics.cancel_send_net_buffer_lists",
    "FilterReceiveNetBufferLists": "FilterCharacteristics.receive_net_buffer_lists",
    "FilterReturnNetBufferLists": "FilterCharacteristics.return_net_buffer_lists",
    "FilterStatus": "FilterCharacteristics.status",
    "FilterOidRequest": "FilterCharacteristics.oid_request",
    "MiniportSend": "MiniportCharacteristics5.send",
    "MiniportSendPackets": "MiniportCharacteristics5.send_packets",
    "MiniportReturnPacket": "MiniportCharacteristics5.return_packet",
    "MiniportTransferData": "MiniportCharacteristics5.transfer_data",
    "MiniportWanSend": "MiniportCharacteristics5.wan_send",
    "MiniportReset": "MiniportCharacteristics5.reset",
    "ProtocolReceive": "ProtocolCharacteristics5.receive",
    "ProtocolReceivePacket": "ProtocolCharacteristics5.receive_packet",
    "ProtocolReceiveComplete": "ProtocolCharacteristics5.receive_complete",
    "ProtocolTransferDataComplete": "ProtocolCharacteristics5.transfer_data_complete",
    "ProtocolSendComplete": "ProtocolCharacteristics5.send_complete",
    "ProtocolRequestComplete": "ProtocolCharacteristics5.request_complete",
    "ProtocolResetComplete": "ProtocolCharacteristics5.reset_complete",
    "ProtocolStatus": "ProtocolCharacteristics5.status",
    "ProtocolStatusComplete": "ProtocolCharacteristics5.status_complete",
    "ProtocolWanReceive": "ProtocolCharacteristics5.wan_receive",
    "ProtocolWanSendComplete": "ProtocolCharacteristics5.wan_send_complete",
}
"""WDK name of a handler -> the attribute that holds it; NDIS calls it by `Ndis.guarded(handler, actor, WDK name)`."""


def wdk(
    name: str, irql: IrqlRule = "<=DISPATCH", callout: bool = False, array: bool = False
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Mark the implementation of WDK function `name`; `callout` = NDIS may call a driver before it returns.

    The first argument is the handle; with `array` it is a list of objects instead, and never empty.
    """
    highest = _HIGHEST[irql]

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        WDK_FUNCTIONS[name] = WdkFunction(name, function.__name__, function.__module__, irql, callout)
        if inspect.iscoroutinefunction(function):
            return cast("Callable[P, R]", _passive(function, name))

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            handle = cast("Any", args[0])
            ndis = handle[0].ndis if array else handle.ndis
            ndis.calls[name] += 1
            if ndis.kernel.irql > highest:
                ndis.violation("CL-05", args[0], name, f"{name} is for {irql}, called at {ndis.kernel.irql.name}")
            held = len(ndis.held_locks) if callout else 0
            if held:
                ndis.violation("CL-02", args[0], ndis.held_locks[-1], f"{name} may call back; a spin lock is held")
            ndis.kernel.yield_point(name)
            if ndis.guard is None:
                result = function(*args, **kwargs)
            else:
                with ndis.guard.inside_ndis():
                    result = function(*args, **kwargs)
            if callout and len(ndis.held_locks) > held:
                release_forgotten(ndis, name, held)
            ndis.kernel.yield_point(name)
            return result

        return call

    return decorate


def release_forgotten(ndis: Any, where: str, held: int = 0) -> None:
    """A handler has ended and left a lock behind (CL-03), more than the `held` ones; it is released for the others."""
    while len(ndis.held_locks) > held:
        lock = ndis.held_locks.pop()
        lock.taken = False
        ndis.kernel.irql = lock.before
        ndis.violation("CL-03", lock.owner, lock, f"still held when a handler ended, in {where}")


def _passive(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Wrap a coroutine function: counted and IRQL-checked at the call, free to wait afterwards."""

    @functools.wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        ndis = args[0].ndis
        ndis.calls[name] += 1
        if ndis.kernel.irql > Irql.PASSIVE:
            ndis.violation("CL-05", args[0], name, f"{name} is for PASSIVE, called at {ndis.kernel.irql.name}")
        return await function(*args, **kwargs)

    return call

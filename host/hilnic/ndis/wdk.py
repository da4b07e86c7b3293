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
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.violation import NdisViolation

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
    "MiniportCancelSendPackets": "MiniportCharacteristics5.cancel_send_packets",
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
    "MiniportCoSendNetBufferLists": "MiniportCoCharacteristics.send_net_buffer_lists",
    "ProtocolCoReceiveNetBufferLists": "ProtocolCoCharacteristics.receive_net_buffer_lists",
    "ProtocolCoSendNetBufferListsComplete": "ProtocolCoCharacteristics.send_net_buffer_lists_complete",
    "MiniportCoSendPackets": "MiniportCharacteristics5.co_send_packets",
    "ProtocolCoReceivePacket": "ProtocolCharacteristics5.co_receive_packet",
    "ProtocolCoSendComplete": "ProtocolCharacteristics5.co_send_complete",
    "ProtocolCoStatusEx": "ProtocolCoCharacteristics.status",
    "ProtocolCoAfRegisterNotify": "ProtocolCoCharacteristics.af_register_notify",
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

        kinds = "Any" if array else _handle_kinds(function)
        known: set[type] = set()  # classes of first arguments that have been found right

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                handle = cast("Any", args[0])[0] if array else cast("Any", args[0])
                ndis = handle.ndis
                ndis.calls[name] += 1
            except (AttributeError, LookupError, TypeError):
                raise bad_handle(name, args) from None
            if handle.__class__ not in known and not _is_handle(handle, kinds, known):
                return cast("R", misused(ndis, name, args, TypeError(f"the handle is to be {kinds}")))
            if ndis.kernel.irql > highest:
                ndis.violation("CL-05", args[0], name, f"{name} is for {irql}, called at {ndis.kernel.irql.name}")
            held = len(ndis.held_locks) if callout else 0
            if held:
                ndis.violation("CL-02", args[0], ndis.held_locks[-1], f"{name} may call back; a spin lock is held")
            ndis.kernel.yield_point(name)
            try:
                if ndis.guard is None:
                    result = function(*args, **kwargs)
                else:
                    with ndis.guard.inside_ndis():
                        result = function(*args, **kwargs)
            except (NdisViolation, MemoryError):
                raise
            except Exception as error:
                return cast("R", misused(ndis, name, args, error))
            if callout and len(ndis.held_locks) > held:
                release_forgotten(ndis, name, held)
            ndis.kernel.yield_point(name)
            return result

        return call

    return decorate


def _handle_kinds(function: Callable[..., Any]) -> str:
    """The first parameter's annotation, as written: "Binding", "Ndis | Adapter", "Any"."""
    first = next(iter(inspect.signature(function).parameters.values()), None)
    return str(first.annotation) if first is not None else ""


def _is_handle(handle: Any, kinds: str, known: set[type]) -> bool:
    """Whether the handle's class is one of the annotation's; right ones are remembered in `known`."""
    wanted = {kind.strip() for kind in kinds.split("|")}
    if "BindingEdge" in wanted:
        wanted.add("Binding")  # of another version: NDIS 5 has its own word for that (XL-16)
    right = "Any" in wanted or any(base.__name__ in wanted for base in handle.__class__.__mro__)
    if right:
        known.add(handle.__class__)
    return right


def bad_handle(name: str, args: tuple[Any, ...]) -> NdisViolation:
    """NDIS was called with something that is no handle at all (BC7C 0x21: object header)."""
    what = repr(args[0]) if args else "nothing"
    return NdisViolation("OI-21", what, name, f"{what} is no handle for {name}", 0, 0, ())


def misused(ndis: Any, name: str, args: tuple[Any, ...], error: Exception) -> Any:
    """An argument of the wrong kind got into NDIS: a violation by the caller, not a traceback of ours (BC7C 0x21)."""
    if ndis.verifier is None or getattr(error, "of_the_device", False):
        raise error
    try:
        ndis.violation("OI-21", args[0], name, f"{name} cannot work with {args[1:]!r}: {error!r}")
    except NdisViolation as violation:
        raise violation from error
    return NdisStatus.FAILURE


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
        try:
            ndis = args[0].ndis
            ndis.calls[name] += 1
        except (AttributeError, LookupError, TypeError):
            raise bad_handle(name, args) from None
        if ndis.kernel.irql > Irql.PASSIVE:
            ndis.violation("CL-05", args[0], name, f"{name} is for PASSIVE, called at {ndis.kernel.irql.name}")
        try:
            return await function(*args, **kwargs)
        except (NdisViolation, MemoryError):
            raise
        except Exception as error:
            return misused(ndis, name, args, error)

    return call

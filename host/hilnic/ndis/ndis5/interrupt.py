# SPDX-License-Identifier: Apache-2.0
"""The interrupt of a 5.x miniport: ISR at DIRQL, MiniportHandleInterrupt at DISPATCH, then MiniportEnableInterrupt.

    line --> isr -> (recognized, queue) --> handle_interrupt -> enable_interrupt    off in between (C5-04)
         \\-> disable_interrupt, when the driver wants no ISR

The core's `Interrupt` does the work. While a serialized miniport is in one of its handlers the line waits (C5-03).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hilnic.ndis import interrupt as core
from hilnic.ndis.adapter import Adapter
from hilnic.ndis.faults import failed
from hilnic.ndis.interrupt import Connect, Interrupt, InterruptCharacteristics, ReceiveThrottle
from hilnic.ndis.kernel import Irql
from hilnic.ndis.ndis5 import miniport_edge, miniport_resources
from hilnic.ndis.ndis5.miniport_edge import MiniportEdge
from hilnic.ndis.states import AdapterState
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk


@wdk("NdisMRegisterInterrupt", irql="PASSIVE")
def register_interrupt(
    adapter: Adapter, connect: Connect, vector: int = 0, request_isr: bool = True, shared_interrupt: bool = False
) -> tuple[NdisStatus, Interrupt | None]:
    """Connect the line, from initialize. Without `request_isr` the ISR runs only for a shared line or in initialize."""
    edge = miniport_edge.edge_of(adapter, "NdisMRegisterInterrupt")
    if edge is None:
        return NdisStatus.FAILURE, None
    miniport_resources.check_attributes(edge, "NdisMRegisterInterrupt")
    if edge.characteristics.isr is None:
        return NdisStatus.BAD_CHARACTERISTICS, None
    edge.wants_isr = request_isr or shared_interrupt
    characteristics = InterruptCharacteristics(
        connect=lambda at, handler: connect(at, None if handler is None else _in_turn(edge, handler)),
        message_interrupt=_isr,
        message_interrupt_dpc=_handle_interrupt,
        vectors=(vector,),
    )
    return core.register_interrupt(adapter, edge, characteristics)


@wdk("NdisMDeregisterInterrupt", irql="PASSIVE")
def deregister_interrupt(interrupt: Interrupt) -> None:
    """Disconnect the line."""
    core.deregister_interrupt(interrupt)


@wdk("NdisMSynchronizeWithInterrupt", irql="any")
def synchronize_with_interrupt(interrupt: Interrupt, function: Callable[[Any], bool], context: Any) -> bool:
    """Call function(context) at DIRQL: the ISR does not run meanwhile."""
    kernel = interrupt.ndis.kernel
    before, kernel.irql = kernel.irql, Irql.DIRQL
    try:
        return function(context)
    except Exception as error:
        failed(interrupt.adapter, "a function synchronized with the ISR", error)
        return False
    finally:
        kernel.irql = before


def _in_turn(edge: MiniportEdge, handler: Callable[[], None]) -> Callable[[], None]:
    def late() -> None:
        if edge.adapter.interrupts:  # not deregistered meanwhile, by the halt that it waited for
            handler()

    def arrive() -> None:
        if edge.lock.serialized and edge.lock.is_busy:
            edge.lock.run(late)
        else:
            handler()

    return arrive


def _isr(edge: MiniportEdge, message_id: int) -> tuple[bool, bool]:
    del message_id
    handlers = edge.characteristics
    if not edge.wants_isr and edge.adapter.state is not AdapterState.INITIALIZING:
        if handlers.disable_interrupt is not None:
            handlers.disable_interrupt(edge.context)
        return True, True
    assert handlers.isr is not None
    recognized, queue = handlers.isr(edge.context)
    if queue and not recognized:
        edge.ndis.violation("C5-05", edge.adapter, edge.adapter, "asked for a DPC of an interrupt it did not recognize")
        queue = False
    return recognized, queue


def _handle_interrupt(edge: MiniportEdge, message_id: int, throttle: ReceiveThrottle) -> None:
    del message_id, throttle
    handlers = edge.characteristics

    def handle() -> None:
        if handlers.handle_interrupt is None or not edge.adapter.interrupts:
            return
        handlers.handle_interrupt(edge.context)
        if handlers.enable_interrupt is not None:
            handlers.enable_interrupt(edge.context)

    edge.lock.run(handle)

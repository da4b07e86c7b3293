# SPDX-License-Identifier: Apache-2.0
"""Interrupts: the bus calls the ISR at DIRQL, the ISR asks for its DPC, NDIS runs it at DISPATCH with a throttle.

device --vector--> message_interrupt (DIRQL) --queue--> message_interrupt_dpc (DISPATCH, at most n NBLs)
^-------- more_nbls_pending: queued again (IT-03)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hilnic.ndis.faults import failed
from hilnic.ndis.kernel import Irql
from hilnic.ndis.states import AdapterState
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import release_forgotten, wdk

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.ndis import Ndis

Connect = Callable[[int, Callable[[], None] | None], None]
"""connect(vector, handler) attaches a handler to a vector of the device, None detaches: Device.connect_interrupt."""


class ReceiveThrottle:
    """NDIS_RECEIVE_THROTTLE_PARAMETERS of one DPC."""

    __slots__ = ("_adapter", "indicated", "max_nbls_to_indicate", "more_nbls_pending")

    def __init__(self, adapter: Adapter, max_nbls_to_indicate: int) -> None:
        self._adapter = adapter
        self.max_nbls_to_indicate = max_nbls_to_indicate
        self.more_nbls_pending = False
        self.indicated = 0

    def account(self, number: int) -> None:
        """NDIS counts what the DPC indicates (IT-03)."""
        self.indicated += number
        if self.indicated > self.max_nbls_to_indicate:
            detail = f"{self.indicated} NBLs in a DPC that may indicate {self.max_nbls_to_indicate}"
            self._adapter.ndis.violation("IT-03", self._adapter, self, detail)

    def __repr__(self) -> str:
        return f"ReceiveThrottle({self.indicated} of {self.max_nbls_to_indicate})"


@dataclass(frozen=True, slots=True, kw_only=True)
class InterruptCharacteristics:
    """NDIS_MINIPORT_INTERRUPT_CHARACTERISTICS, and where the bus connects the vectors."""

    connect: Connect
    message_interrupt: Callable[[Any, int], tuple[bool, bool]]  # DIRQL: (recognized, queue_default_dpc)
    message_interrupt_dpc: Callable[[Any, int, ReceiveThrottle], None]  # DISPATCH
    vectors: tuple[int, ...] = (0,)


class Interrupt:
    """NdisMRegisterInterruptEx's handle."""

    __slots__ = (
        "adapter",
        "characteristics",
        "connected",
        "context",
        "dpc_handler",
        "isr_handler",
        "locked",
        "ndis",
        "queued",
    )

    def __init__(self, adapter: Adapter, context: Any, characteristics: InterruptCharacteristics) -> None:
        self.ndis: Ndis = adapter.ndis
        self.adapter = adapter
        self.context = context
        self.characteristics = characteristics
        self.isr_handler = adapter.ndis.guarded(characteristics.message_interrupt, adapter)
        self.dpc_handler = adapter.ndis.guarded(characteristics.message_interrupt_dpc, adapter)
        self.queued: set[int] = set()
        self.connected = True
        self.locked: set[int] = set()  # vectors whose ISR runs, or somebody who synchronises with it

    def fire(self, message_id: int) -> None:
        """The bus signals a vector: run the ISR at DIRQL."""
        if not self.connected:
            self.ndis.violation("IT-01", self.adapter, self, "interrupt without a registered handler")
            return
        queue_default_dpc = False
        with self.at_dirql(message_id):
            try:
                _, queue_default_dpc = self.isr_handler(self.context, message_id)
            except Exception as error:
                failed(self.adapter, "message_interrupt", error)
        if queue_default_dpc:
            self.queue(message_id)

    @contextmanager
    def at_dirql(self, message_id: int) -> Iterator[None]:
        """Hold the vector's lock at DIRQL; another CPU that wants it spins."""
        kernel = self.ndis.kernel
        while message_id in self.locked:
            kernel.yield_point("spin interrupt")
        before, kernel.irql = kernel.irql, Irql.DIRQL
        self.locked.add(message_id)
        try:
            yield
        finally:
            self.locked.discard(message_id)
            kernel.irql = before

    def queue(self, message_id: int) -> None:
        """Queue the DPC of a vector unless it is queued already."""
        if message_id not in self.queued:
            self.queued.add(message_id)
            self.ndis.kernel.queue_dpc(lambda: self._dpc(message_id))

    def _dpc(self, message_id: int) -> None:
        self.queued.discard(message_id)
        if not self.connected:
            return
        adapter = self.adapter
        throttle = ReceiveThrottle(adapter, self.ndis.profile.max_nbls_to_indicate)
        outer, adapter.throttle = adapter.throttle, throttle
        try:
            self.dpc_handler(self.context, message_id, throttle)
        except Exception as error:
            failed(adapter, "message_interrupt_dpc", error)
        finally:
            adapter.throttle = outer
        if self.ndis.held_locks:
            release_forgotten(self.ndis, "message_interrupt_dpc")
        if throttle.more_nbls_pending:
            self.queue(message_id)

    def __repr__(self) -> str:
        return f"Interrupt({self.adapter.name}, vectors {self.characteristics.vectors})"


@wdk("NdisMRegisterInterruptEx", irql="PASSIVE")
def register_interrupt(
    adapter: Adapter, interrupt_context: Any, characteristics: InterruptCharacteristics
) -> tuple[NdisStatus, Interrupt]:
    """Connect the vectors, from initialize; undone before halt or a failed initialize ends (IT-01)."""
    if adapter.state is not AdapterState.INITIALIZING:
        adapter.ndis.violation("IT-01", adapter, adapter, f"interrupt registered while {adapter.state.value}")
    interrupt = Interrupt(adapter, interrupt_context, characteristics)
    adapter.interrupts.append(interrupt)
    for vector in characteristics.vectors:
        characteristics.connect(vector, lambda vector=vector: interrupt.fire(vector))  # type: ignore[misc]
    return NdisStatus.SUCCESS, interrupt


@wdk("NdisMDeregisterInterruptEx", irql="PASSIVE")
def deregister_interrupt(interrupt: Interrupt) -> None:
    """Disconnect the vectors; DPCs that are still queued do nothing."""
    if interrupt not in interrupt.adapter.interrupts:
        interrupt.ndis.violation("IT-01", interrupt.adapter, interrupt, "deregistered twice")
        return
    interrupt.connected = False
    interrupt.adapter.interrupts.remove(interrupt)
    for vector in interrupt.characteristics.vectors:
        interrupt.characteristics.connect(vector, None)


@wdk("NdisMQueueDpcEx", irql="any")
def queue_dpc(interrupt: Interrupt, message_id: int = 0) -> None:
    """Ask for the vector's DPC without an interrupt."""
    interrupt.queue(message_id)


@wdk("NdisMSynchronizeWithInterruptEx", irql="any")
def synchronize_with_interrupt(
    interrupt: Interrupt, message_id: int, function: Callable[[Any], bool], context: Any = None
) -> bool:
    """Run function(context) at DIRQL under the lock of the vector's ISR: what both touch is safe there (IT-04)."""
    with interrupt.at_dirql(message_id):
        return function(context)

# SPDX-License-Identifier: Apache-2.0
"""Interrupts: the bus calls the ISR at DIRQL, the ISR asks for its DPC, NDIS runs it at DISPATCH with a throttle.

device --vector--> message_interrupt (DIRQL) --queue--> message_interrupt_dpc (DISPATCH, at most n NBLs)
^-------- more_nbls_pending: queued again (IT-03)

line ----> interrupt (DIRQL) of each device on it, until one has recognized it --queue--> interrupt_dpc

A driver has both pairs of handlers; which are used depends on what the bus gives it, a line or messages. Of another
device's interrupt on its line an ISR says so, touches nothing and asks for no DPC (IT-02).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Protocol

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


class InterruptType(IntEnum):
    """NDIS_INTERRUPT_TYPE: what the adapter was given."""

    LINE_BASED = 1
    MESSAGE_BASED = 2


class InterruptLinePin(Protocol):
    """A device's pin on a line that it shares with others: `hilnic.hw.line.LinePin` fits."""

    accesses: int
    """Acknowledgements and register writes of this device, for the verifier."""

    def connect(self, isr: Callable[[], bool] | None, /) -> None:
        """Who is asked whether an interrupt is this device's; None detaches."""
        ...

    def asserted(self) -> bool:
        """Does this device pull the line?"""
        ...


LINE = 0
"""The message id of a line's DPC and lock."""


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
    """NDIS_MINIPORT_INTERRUPT_CHARACTERISTICS, and where the bus connects the vectors, or the line if it gives one."""

    connect: Connect
    message_interrupt: Callable[[Any, int], tuple[bool, bool]]  # DIRQL: (recognized, queue_default_dpc)
    message_interrupt_dpc: Callable[[Any, int, ReceiveThrottle], None]  # DISPATCH
    vectors: tuple[int, ...] = (0,)
    line: InterruptLinePin | None = None
    interrupt: Callable[[Any], tuple[bool, bool]] | None = None  # DIRQL: (recognized, queue_default_dpc)
    interrupt_dpc: Callable[[Any, ReceiveThrottle], None] | None = None  # DISPATCH

    @property
    def messages(self) -> tuple[int, ...]:
        """Ids of the DPCs that there are."""
        return self.vectors if self.line is None else (LINE,)


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
        "type",
    )

    def __init__(self, adapter: Adapter, context: Any, characteristics: InterruptCharacteristics) -> None:
        self.ndis: Ndis = adapter.ndis
        self.adapter = adapter
        self.context = context
        self.characteristics = characteristics
        self.type = InterruptType.MESSAGE_BASED if characteristics.line is None else InterruptType.LINE_BASED
        isr, dpc = characteristics.message_interrupt, characteristics.message_interrupt_dpc
        if characteristics.line is not None:
            isr, dpc = _line_handlers(characteristics)
        self.isr_handler = adapter.ndis.guarded(isr, adapter)
        self.dpc_handler = adapter.ndis.guarded(dpc, adapter)
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

    def fire_line(self) -> bool:
        """The line is low: ask the ISR whether its device did it (IT-02)."""
        line = self.characteristics.line
        assert line is not None
        ours, accesses = line.asserted(), line.accesses
        recognized, queue_default_dpc = True, False
        with self.at_dirql(LINE):
            try:
                recognized, queue_default_dpc = self.isr_handler(self.context, LINE)
            except Exception as error:
                line.connect(None)  # nobody will let go of it
                failed(self.adapter, "interrupt", error)
        if not ours and line.accesses != accesses:
            self.ndis.violation("IT-02", self.adapter, self, "its ISR touched the device in another one's interrupt")
        if recognized and not ours:
            self.ndis.violation("IT-02", self.adapter, self, "its ISR claimed another device's interrupt")
        if queue_default_dpc and not recognized:
            self.ndis.violation("IT-02", self.adapter, self, "its ISR wants a DPC of an interrupt it did not recognize")
            queue_default_dpc = False
        if queue_default_dpc:
            self.queue(LINE)
        return recognized

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
    """Connect the line or the vectors, from initialize; undone before halt or a failed initialize ends (IT-01)."""
    if adapter.state is not AdapterState.INITIALIZING:
        adapter.ndis.violation("IT-01", adapter, adapter, f"interrupt registered while {adapter.state.value}")
    interrupt = Interrupt(adapter, interrupt_context, characteristics)
    adapter.interrupts.append(interrupt)
    if characteristics.line is not None:
        characteristics.line.connect(interrupt.fire_line)
        return NdisStatus.SUCCESS, interrupt
    for vector in characteristics.vectors:
        characteristics.connect(vector, lambda vector=vector: interrupt.fire(vector))  # type: ignore[misc]
    return NdisStatus.SUCCESS, interrupt


def _line_handlers(
    characteristics: InterruptCharacteristics,
) -> tuple[Callable[[Any, int], tuple[bool, bool]], Callable[[Any, int, ReceiveThrottle], None]]:
    """Those of a line, with a message id that tells them nothing."""
    interrupt, dpc = characteristics.interrupt, characteristics.interrupt_dpc
    if interrupt is None or dpc is None:
        raise TypeError("a line needs the handlers interrupt and interrupt_dpc")
    return lambda context, _: interrupt(context), lambda context, _, throttle: dpc(context, throttle)


@wdk("NdisMDeregisterInterruptEx", irql="PASSIVE")
def deregister_interrupt(interrupt: Interrupt) -> None:
    """Disconnect the line or the vectors; DPCs that are still queued do nothing."""
    if interrupt not in interrupt.adapter.interrupts:
        interrupt.ndis.violation("IT-01", interrupt.adapter, interrupt, "deregistered twice")
        return
    interrupt.connected = False
    interrupt.adapter.interrupts.remove(interrupt)
    if interrupt.characteristics.line is not None:
        interrupt.characteristics.line.connect(None)
        return
    for vector in interrupt.characteristics.vectors:
        interrupt.characteristics.connect(vector, None)


@wdk("NdisMQueueDpcEx", irql="any")
def queue_dpc(interrupt: Interrupt, message_id: int = 0) -> None:
    """Ask for the vector's DPC without an interrupt; of a line there is one."""
    if message_id not in interrupt.characteristics.messages:
        detail = f"a DPC of message {message_id}; there are {interrupt.characteristics.messages}"
        interrupt.ndis.violation("IT-02", interrupt.adapter, interrupt, detail)
        return
    interrupt.queue(message_id)


@wdk("NdisMSynchronizeWithInterruptEx", irql="any")
def synchronize_with_interrupt(
    interrupt: Interrupt, message_id: int, function: Callable[[Any], bool], context: Any = None
) -> bool:
    """Run function(context) at DIRQL under the lock of the vector's ISR: what both touch is safe there (IT-04)."""
    with interrupt.at_dirql(message_id):
        try:
            return function(context)
        except Exception as error:
            failed(interrupt.adapter, "a function synchronized with the ISR", error)
            return False

# SPDX-License-Identifier: Apache-2.0
"""The Device port: all that a driver sees of a NIC, be it the Verilog or the software twin.

Writes are posted and keep their order with reads, as on PCIe. A read is a round trip. Interrupts are messages: one
call of the connected handler per pulse of `irq_o[vector]`, after the interrupt latency. Registers: docs/nic.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from hilnic.hw.memory import HostMemory

__all__ = ["BusError", "Device", "DeviceFault"]


class DeviceFault(Exception):
    """The hardware broke its contract (a DMA outside of a live mapping, a completion for nothing posted)."""

    of_the_device = True
    """NDIS blames no driver for it, in whose handler ever it shows."""

    def __init__(self, sentence: str, *, address: int = 0, length: int = 0, engine: str = "", time_ns: int = 0) -> None:
        place = f" at 0x{address:x}+{length}" if length else ""
        super().__init__(f"{engine or 'device'}{place} @{time_ns} ns: {sentence}")
        self.sentence, self.address, self.length = sentence, address, length
        self.engine, self.time_ns = engine, time_ns


class BusError(Exception):
    """A register read was answered with SLVERR or DECERR."""

    def __init__(self, offset: int, response: int = 2) -> None:
        name = {2: "SLVERR", 3: "DECERR"}.get(response, f"response {response}")
        super().__init__(f"register read of 0x{offset:06x}: {name}")
        self.offset, self.response = offset, response


class Device(Protocol):
    """A NIC's host side."""

    memory: HostMemory
    issue_time: Callable[[], int]
    """Time in ns at which a write is issued; HostCpu sets it, so that posted writes carry the CPU time spent before."""

    def write32(self, offset: int, value: int) -> None:
        """Post a write; returns at once, never fails."""
        ...

    async def read32(self, offset: int) -> int:
        """Read a register after all posted writes; raises BusError."""
        ...

    def connect_interrupt(self, vector: int, handler: Callable[[], None] | None) -> None:
        """Who is called for a vector's messages; None disconnects."""
        ...

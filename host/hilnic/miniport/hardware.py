# SPDX-License-Identifier: Apache-2.0
"""The NIC's registers as the driver uses them: a presence guard, waiting, queue pages.

After a surprise removal nothing is written and reads answer all ones, as a PCIe bus does (ST-17). Only code at
PASSIVE_LEVEL reads; the data path writes doorbells and reads none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hilnic import ndis
from hilnic.hw import regs
from hilnic.hw.device import BusError, Device
from hilnic.ndis.kernel import Kernel

if TYPE_CHECKING:
    from hilnic.miniport.ring import CompletionRing, DescriptorRing

__all__ = ["ALL_ONES", "Hardware", "QueuePage", "allocate_ring"]

ALL_ONES = 0xFFFFFFFF
_POLL_NS = 2_000


def allocate_ring(dma: ndis.DmaHandle, length: int) -> ndis.SharedMemory:
    """Shared memory for a ring; MemoryError when there is none."""
    shared = ndis.allocate_shared_memory(dma, length, regs.BASE_ALIGNMENT)
    if shared is None:
        raise MemoryError(f"no {length} bytes for a ring")
    return shared


class Hardware:
    """The Device port, as long as there is a device."""

    __slots__ = ("device", "kernel", "present")

    def __init__(self, device: Device, kernel: Kernel) -> None:
        self.device, self.kernel = device, kernel
        self.present = True

    def write(self, offset: int, value: int) -> None:
        """Post a register write."""
        if self.present:
            self.device.write32(offset, value)

    async def read(self, offset: int) -> int:
        """Read a register; all ones once the device is gone. BusError when the NIC answers with an error."""
        if not self.present:
            return ALL_ONES
        return await self.device.read32(offset)

    async def flush(self) -> None:
        """Wait until every posted write has arrived: a read pushes them."""
        await self.read(regs.STATUS)

    async def read64(self, offset: int) -> int:
        """Read a counter: the low word latches the high one."""
        low = await self.read(offset)
        return low | await self.read(offset + 4) << 32

    async def until(self, offset: int, mask: int, value: int, timeout_ns: int) -> bool:
        """Wait until the masked register has a value; False when it took too long, or the NIC does not answer."""
        deadline = self.kernel.now_ns() + timeout_ns
        while self.present:
            try:
                if await self.read(offset) & mask == value:
                    return True
            except BusError:
                return False
            if self.kernel.now_ns() >= deadline:
                return False
            await self.kernel.sleep(_POLL_NS)
        return False

    async def soft_reset(self, timeout_ns: int) -> bool:
        """Stop the NIC: all queues disabled, no DMA outstanding, registers at their reset values."""
        self.write(regs.CTRL, regs.CTRL_SOFT_RESET)
        return await self.until(regs.CTRL, regs.CTRL_SOFT_RESET, 0, timeout_ns)


@dataclass(frozen=True, slots=True)
class QueuePage:
    """One queue's control page and doorbells."""

    hardware: Hardware
    page: int
    doorbell: int
    rearm: int

    @classmethod
    def tx(cls, hardware: Hardware, queue: int) -> QueuePage:
        """The page of a transmit queue."""
        return cls(hardware, regs.tx_page(queue), regs.tx_doorbell(queue), regs.tx_rearm(queue))

    @classmethod
    def rx(cls, hardware: Hardware, queue: int) -> QueuePage:
        """The page of a receive queue."""
        return cls(hardware, regs.rx_page(queue), regs.rx_doorbell(queue), regs.rx_rearm(queue))

    def ring_doorbell(self, producer: int) -> None:
        """Tell the NIC the producer index."""
        self.hardware.write(self.doorbell, producer)

    def ring_rearm(self, consumer: int) -> None:
        """Unmask the queue's interrupt; it comes at once if the NIC is ahead of `consumer` (RG-06)."""
        self.hardware.write(self.rearm, consumer)

    def configure(self, **values: int) -> None:
        """Write configuration registers by name (`ring_lo=`, `buf_size=` ...); 64-bit ones as `ring=`, `cpl=`."""
        for name, value in values.items():
            if name in {"ring", "cpl"}:
                self.configure(**{f"{name}_lo": value & ALL_ONES, f"{name}_hi": value >> 32})
            else:
                self.hardware.write(self.page + _CONFIGURATION[name], value)

    def configure_rings(self, ring: DescriptorRing, completions: CompletionRing, vector: int) -> None:
        """Tell a stopped queue where its rings are, at which indices they begin, and its interrupt vector."""
        self.configure(
            ring=ring.address,
            ring_size=ring.size,
            cpl=completions.address,
            cpl_size=completions.size,
            init_index=ring.producer,
            cpl_init_index=completions.index,
            vector=vector,
        )

    async def enable(self) -> bool:
        """Start the queue; False if the NIC refuses its configuration."""
        self.hardware.write(self.page + regs.QUEUE_CTRL, regs.QUEUE_CTRL_ENABLE)
        return await self.state() == regs.QueueState.ENABLED

    async def disable(self, timeout_ns: int) -> bool:
        """Stop the queue; True once nothing of it is outstanding."""
        self.hardware.write(self.page + regs.QUEUE_CTRL, 0)
        return await self.hardware.until(
            self.page + regs.QUEUE_STATUS, regs.QUEUE_STATUS_STATE, regs.QueueState.DISABLED, timeout_ns
        )

    async def state(self) -> int:
        """The queue's state; no valid one when the device is gone or answers with an error."""
        try:
            return await self.hardware.read(self.page + regs.QUEUE_STATUS) & regs.QUEUE_STATUS_STATE
        except BusError:
            return regs.QUEUE_STATUS_STATE


_CONFIGURATION = {
    "ring_lo": regs.QUEUE_RING_LO,
    "ring_hi": regs.QUEUE_RING_HI,
    "ring_size": regs.QUEUE_RING_SIZE,
    "cpl_lo": regs.QUEUE_CPL_LO,
    "cpl_hi": regs.QUEUE_CPL_HI,
    "cpl_size": regs.QUEUE_CPL_SIZE,
    "init_index": regs.QUEUE_INIT_INDEX,
    "cpl_init_index": regs.QUEUE_CPL_INIT_INDEX,
    "vector": regs.QUEUE_VECTOR,
    "mod_count": regs.QUEUE_MOD_COUNT,
    "mod_ticks": regs.QUEUE_MOD_TICKS,
    "buf_size": regs.QUEUE_BUF_SIZE,
}

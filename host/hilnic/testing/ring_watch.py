# SPDX-License-Identifier: Apache-2.0
"""Watches how a driver uses the rings of nic_1g: a Device that passes everything on and looks at what it sees.

    driver --store, wmb--> WatchedMemory --> HostMemory      what is written, and whether a barrier followed
           --write32-----> RingWatch ------> Device          queue pages, doorbells, re-arms
           <--interrupt--- RingWatch <------ Device          which queues are masked now

A mistake is named in the driver's frame, by the rule that it breaks (RG-01, RG-03, RG-04, RG-06, RG-11). `standing`
says in words where each ring is, for whoever finds nothing moving. Descriptors that a driver writes by a view of its
memory, not by `store`, are not seen when they are written; of them only what is in memory at the doorbell is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from hilnic.hw import regs
from hilnic.hw.regs_table import RX_COUNTER_NAMES, TX_COUNTER_NAMES
from hilnic.ndis import Ndis
from hilnic.testing.ring_queue import GRANULE, RingQueue

__all__ = ["RingWatch", "WatchedMemory"]

_QUEUES = regs.MOST_QUEUES * regs.DOORBELL_STRIDE


class WatchedMemory:
    """HostMemory; notes which descriptors were stored, and which of them no barrier has followed."""

    def __init__(self, memory: Any) -> None:
        self._memory = memory
        self.stored: set[int] = set()
        """Granules that were stored and not handed over since."""
        self.unordered: set[int] = set()
        self.owned: Callable[[int], None] = lambda _: None
        """Told of each granule before it is stored."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._memory, name)

    def store(self, address: int, data: bytes) -> None:
        """HostMemory.store."""
        for granule in range(address // GRANULE, (address + len(data) - 1) // GRANULE + 1):
            self.owned(granule)
            self.stored.add(granule)
            self.unordered.add(granule)
        self._memory.store(address, data)

    def wmb(self) -> None:
        """HostMemory.wmb."""
        self.unordered.clear()
        self._memory.wmb()


class RingWatch:
    """A Device between a driver and a NIC; every mistake is a violation by `actor`."""

    def __init__(self, device: Any, host: Ndis, actor: Any) -> None:
        self._device, self._host, self._actor = device, host, actor
        self.memory = WatchedMemory(device.memory)
        self.memory.owned = self._before_store
        self._queues: dict[tuple[bool, int], RingQueue] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._device, name)

    def write32(self, offset: int, value: int) -> None:
        """Device.write32."""
        if offset == regs.CTRL and value & regs.CTRL_SOFT_RESET:
            for queue in self._queues.values():
                queue.stop()
        elif regs.TX_PAGES <= offset < regs.TX_DOORBELL:
            queue, register = self._of_page(offset)
            queue.write(register, value)
        elif regs.TX_DOORBELL <= offset < regs.RX_REARM + _QUEUES:
            self._doorbell(offset - regs.TX_DOORBELL, value)
        self._device.write32(offset, value)

    async def read32(self, offset: int) -> int:
        """Device.read32; what a queue's status says is noted."""
        value: int = await self._device.read32(offset)
        if regs.TX_PAGES <= offset < regs.TX_DOORBELL:
            queue, register = self._of_page(offset)
            if register == regs.QUEUE_STATUS:
                queue.state = value & regs.QUEUE_STATUS_STATE
        return value

    def connect_interrupt(self, vector: int, handler: Callable[[], None] | None) -> None:
        """Device.connect_interrupt."""

        def arrives() -> None:
            for queue in self._queues.values():
                queue.interrupted(vector)
            if handler is not None:
                handler()

        self._device.connect_interrupt(vector, None if handler is None else arrives)

    def standing(self) -> Iterator[str]:
        """A sentence for each queue that has work which nobody takes."""
        for queue in self._queues.values():
            said = queue.standing()
            if said:
                yield said

    async def drops(self) -> str:
        """What the NIC's counters say of frames that it did not deliver or send, since they were last cleared."""
        found = []
        for side, names, offset in (
            ("rx", RX_COUNTER_NAMES, regs.RX_COUNTERS),
            ("tx", TX_COUNTER_NAMES, regs.TX_COUNTERS),
        ):
            for number, name in enumerate(names):
                if name.startswith("drop_"):
                    count = await self._device.read32(offset + number * regs.COUNTER_STRIDE)
                    found += [f"{side}.{name} {count}"] if count else []
        return ", ".join(found)

    def _of_page(self, offset: int) -> tuple[RingQueue, int]:
        is_rx = offset >= regs.RX_PAGES
        number, register = divmod(offset - (regs.RX_PAGES if is_rx else regs.TX_PAGES), regs.PAGE_BYTES)
        return self._queue(is_rx, number), register

    def _queue(self, is_rx: bool, number: int) -> RingQueue:
        queue = self._queues.get((is_rx, number))
        if queue is None:
            queue = self._queues[is_rx, number] = RingQueue(is_rx, number, self.memory, self._wrong)
        return queue

    def _doorbell(self, at: int, value: int) -> None:
        kind, rest = divmod(at, regs.RX_DOORBELL - regs.TX_DOORBELL)
        queue = self._queue(bool(kind & 1), rest // regs.DOORBELL_STRIDE)
        if kind < 2:
            queue.ring(value)
        else:
            queue.rearm(value)

    def _wrong(self, rule: str, queue: RingQueue, detail: str) -> None:
        self._host.violation(rule, self._actor, queue, detail)

    def _before_store(self, granule: int) -> None:
        for queue in self._queues.values():
            queue.before_store(granule)

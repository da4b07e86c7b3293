# SPDX-License-Identifier: Apache-2.0
"""Queues driven by hand, without a driver: what tests of the hardware alone use."""

from __future__ import annotations

from hilnic.cosim.harness import Card, Harness
from hilnic.hw import regs
from hilnic.hw.descriptors import (
    COMPLETION_BYTES,
    RX_DESCRIPTOR_BYTES,
    TX_DESCRIPTOR_BYTES,
    Completion,
    RxDescriptor,
    TxDescriptor,
    phase_of,
)
from hilnic.hw.memory import Direction

BUFFER = 2048


class Queue:
    """One TX or RX queue: rings in host memory, indices, registers."""

    def __init__(self, card: Card, number: int = 0, size: int = 64, start: int = 0, vector: int = 1) -> None:
        self.card, self.number, self.size, self.vector = card, number, size, vector
        self.producer = self.consumer = start & 0xFFFF_FFFF
        self.completed = 0
        self.ring = card.memory.allocate(size * self.descriptor_bytes, 64)
        self.cpl = card.memory.allocate(size * COMPLETION_BYTES, 64)
        card.memory.map(self.ring.address, len(self.ring), Direction.TO_DEVICE)
        card.memory.map(self.cpl.address, len(self.cpl), Direction.FROM_DEVICE)
        for entry in range(size):
            self.cpl.view[entry * COMPLETION_BYTES + 24] = 1 ^ phase_of(entry, size)

    descriptor_bytes = TX_DESCRIPTOR_BYTES
    buffer_bytes = BUFFER

    def page(self) -> int:
        return regs.tx_page(self.number)

    def enable(self) -> None:
        write, page = self.card.device.write32, self.page()
        for register, value in (
            (regs.QUEUE_RING_LO, self.ring.address), (regs.QUEUE_RING_HI, self.ring.address >> 32),
            (regs.QUEUE_RING_SIZE, self.size), (regs.QUEUE_CPL_LO, self.cpl.address),
            (regs.QUEUE_CPL_HI, self.cpl.address >> 32), (regs.QUEUE_CPL_SIZE, self.size),
            (regs.QUEUE_INIT_INDEX, self.producer), (regs.QUEUE_CPL_INIT_INDEX, self.completed),
            (regs.QUEUE_VECTOR, self.vector), (regs.QUEUE_BUF_SIZE, self.buffer_bytes), (regs.QUEUE_CTRL, 1),
        ):  # fmt: skip
            write(page + register, value)

    async def state(self) -> int:
        return await self.card.device.read32(self.page() + regs.QUEUE_STATUS)

    def put(self, descriptor: bytes) -> None:
        place = self.ring.address + (self.producer % self.size) * self.descriptor_bytes
        self.card.memory.store(place, descriptor)
        self.producer = (self.producer + 1) & 0xFFFF_FFFF

    def doorbell(self) -> None:
        self.card.memory.wmb()
        self.card.device.write32(self.doorbell_register(), self.producer)

    def doorbell_register(self) -> int:
        return regs.tx_doorbell(self.number)

    def rearm(self) -> None:
        self.card.device.write32(regs.tx_rearm(self.number), self.completed)

    def poll(self) -> list[Completion]:
        """Completions that have become visible since the last call."""
        found = []
        while True:
            place = (self.completed % self.size) * COMPLETION_BYTES
            entry = bytes(self.cpl.view[place : place + COMPLETION_BYTES])
            if entry[24] & 1 != phase_of(self.completed, self.size):
                return found
            completion = Completion.unpack(entry)
            self.completed = (self.completed + 1) & 0xFFFF_FFFF
            found.append(completion)


class TxQueue(Queue):
    """Transmit by hand: one mapped buffer per fragment."""

    def post(self, frame: bytes, cuts: tuple[int, ...] = (), offset: int = 0) -> None:
        """Write the descriptors of one frame, cut at these places, each piece at `offset` in a buffer of its own."""
        pieces = [frame[a:b] for a, b in zip((0, *cuts), (*cuts, len(frame)), strict=True)]
        for number, piece in enumerate(pieces):
            region = self.card.memory.allocate(len(piece) + offset, 4096 if offset > 64 else 64)
            region.view[offset : offset + len(piece)] = piece
            self.card.memory.map(region.address + offset, len(piece), Direction.TO_DEVICE)
            descriptor = TxDescriptor(
                region.address + offset, len(piece), sop=number == 0, eop=number == len(pieces) - 1
            )
            self.put(descriptor.pack())


class RxQueue(Queue):
    """Receive by hand."""

    descriptor_bytes = RX_DESCRIPTOR_BYTES

    def __init__(self, card: Card, number: int = 0, size: int = 64, start: int = 0, vector: int = 2) -> None:
        super().__init__(card, number, size, start, vector)
        self.buffers = []

    def page(self) -> int:
        return regs.rx_page(self.number)

    def doorbell_register(self) -> int:
        return regs.rx_doorbell(self.number)

    def rearm(self) -> None:
        self.card.device.write32(regs.rx_rearm(self.number), self.completed)

    def post(self, count: int) -> None:
        for _ in range(count):
            region = self.card.memory.allocate(BUFFER)
            self.card.memory.map(region.address, BUFFER, Direction.FROM_DEVICE)
            self.buffers.append(region)
            self.put(RxDescriptor(region.address).pack())

    def frames(self) -> list[bytes]:
        """Frames received since the last call, one buffer each."""
        found = []
        for completion in self.poll():
            region = self.buffers[(completion.index - 1) % self.size]
            found.append(bytes(region.view[: completion.length]))
        return found


async def started(dut, **options) -> Harness:
    """A harness with clocks running and the NICs enabled both ways, promiscuous."""
    harness = Harness(dut, **options)
    await harness.start()
    for card in harness.cards:
        card.device.write32(regs.RX_FILTER, regs.RX_FILTER_PROMISCUOUS)
        card.device.write32(regs.CTRL, regs.CTRL_TX_ENABLE | regs.CTRL_RX_ENABLE)
    return harness

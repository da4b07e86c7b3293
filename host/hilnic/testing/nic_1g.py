# SPDX-License-Identifier: Apache-2.0
"""The adapter of nic_1g: a driver without NDIS, small enough to be read beside the datasheet.

Every buffer and ring is mapped for exactly as long as the NIC may touch it, so that HostMemory faults any other DMA.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from hilnic.hw import regs
from hilnic.hw.clock import Clock
from hilnic.hw.descriptors import (
    COMPLETION_BYTES,
    COMPLETION_RESERVED,
    TX_DESCRIPTOR_BYTES,
    Completion,
    RxDescriptor,
    TxDescriptor,
    phase_of,
)
from hilnic.hw.device import Device, DeviceFault
from hilnic.hw.memory import Direction as Dma
from hilnic.hw.memory import HostMemory, Mapping, Region
from hilnic.hw.regs import CompletionStatus, QueueState, RxCounter, TxCounter
from hilnic.hw.regs_table import RX_COUNTER_NAMES, TX_COUNTER_NAMES
from hilnic.testing.nic_adapter import Direction, Done, FilterSetup, QueueSetup

U32 = 0xFFFF_FFFF
_HASH_POLYNOMIAL = 0x04C1_1DB7


@dataclass(slots=True)
class _Buffer:
    """Memory of one descriptor; `index` is the one past it."""

    index: int
    region: Region
    offset: int
    mapping: Mapping


@dataclass(slots=True)
class Queue:
    """The host's side of an enabled queue."""

    setup: QueueSetup
    ring: Region
    completions: Region
    mappings: tuple[Mapping, Mapping]
    producer: int
    consumer: int  # of completions
    buffers: deque[_Buffer] = field(default_factory=deque)

    @property
    def cpl_size(self) -> int:
        """Entries of the completion ring."""
        return self.setup.cpl_size or self.setup.size


class Nic1g:
    """A Device with this project's register map."""

    def __init__(self, device: Device, clock: Clock) -> None:
        self.device, self.clock = device, clock
        self.memory: HostMemory = device.memory
        self.queues: dict[tuple[Direction, int], Queue] = {}
        self.tx_queues = self.rx_queues = self.vectors = self.vcs = 0

    def __repr__(self) -> str:
        """Queues that are enabled."""
        return f"<Nic1g {sorted((d.name, n) for d, n in self.queues)}>"

    # ---- the whole NIC ----

    async def reset(self) -> None:
        """Soft reset, counters cleared, both ways on, promiscuous."""
        write = self.device.write32
        write(regs.CTRL, regs.CTRL_SOFT_RESET)
        await self.wait_for(regs.CTRL, regs.CTRL_SOFT_RESET, 0)
        for key in list(self.queues):
            self._forget(*key)
        write(regs.STATS_CTRL, regs.STATS_CTRL_CLEAR)
        await self.wait_for(regs.STATS_CTRL, regs.STATS_CTRL_CLEAR, 0)
        queues, caps = await self.device.read32(regs.QUEUES), await self.device.read32(regs.CAPS0)
        self.tx_queues = (queues & regs.QUEUES_NUM_TX_QUEUES) >> regs.QUEUES_NUM_TX_QUEUES_LSB
        self.rx_queues = (queues & regs.QUEUES_NUM_RX_QUEUES) >> regs.QUEUES_NUM_RX_QUEUES_LSB
        self.vcs = await self.device.read32(regs.NUM_VCS)
        self.vectors = (caps & regs.CAPS0_NUM_VECTORS) >> regs.CAPS0_NUM_VECTORS_LSB
        write(regs.RX_FILTER, regs.RX_FILTER_PROMISCUOUS)
        write(regs.CTRL, regs.CTRL_TX_ENABLE | regs.CTRL_RX_ENABLE)

    async def wait_for(self, offset: int, mask: int, value: int, tries: int = 2000) -> int:
        """Read a register until its masked bits have a value."""
        for _ in range(tries):
            word = await self.device.read32(offset)
            if word & mask == value:
                return word
            await self.clock.sleep(200)
        raise DeviceFault(f"register 0x{offset:x} never had 0x{value:x} under 0x{mask:x}", time_ns=self.clock.now_ns())

    async def set_loopback(self, on: bool) -> None:
        """CTRL.loopback."""
        value = regs.CTRL_TX_ENABLE | regs.CTRL_RX_ENABLE | (regs.CTRL_LOOPBACK if on else 0)
        self.device.write32(regs.CTRL, value)
        await self.device.read32(regs.CTRL)

    async def set_filter(self, setup: FilterSetup) -> None:
        """Own address, exact table, hash, flags."""
        write = self.device.write32
        write(regs.MAC_ADDR_LO, int.from_bytes(setup.address[:4], "little"))
        write(regs.MAC_ADDR_HI, int.from_bytes(setup.address[4:], "little"))
        for entry in range(regs.EXACT_ENTRIES):
            low, high = exact_words(*setup.exact[entry]) if entry < len(setup.exact) else (0, 0)
            write(regs.exact_lo(entry), low)
            write(regs.exact_hi(entry), high)
        table = sum({1 << multicast_hash(address) for address in setup.hashed})
        write(regs.HASH_LO, table & U32)
        write(regs.HASH_HI, table >> 32)
        write(regs.RX_STEER, setup.default_queue)
        flags = {
            regs.RX_FILTER_OWN_UNICAST: setup.own_unicast,
            regs.RX_FILTER_BROADCAST: setup.broadcast,
            regs.RX_FILTER_MULTICAST_EXACT: bool(setup.exact),
            regs.RX_FILTER_MULTICAST_HASH: bool(setup.hashed),
            regs.RX_FILTER_ALL_MULTICAST: setup.all_multicast,
            regs.RX_FILTER_PROMISCUOUS: setup.promiscuous,
        }
        write(regs.RX_FILTER, sum(bit for bit, on in flags.items() if on))
        await self.device.read32(regs.RX_FILTER)

    async def counter(self, name: str) -> int:
        """Low word, then the high word that it latched."""
        side, _, counter = name.partition(".")
        if side == "tx":
            offset = regs.tx_counter(TxCounter(TX_COUNTER_NAMES.index(counter)))
        else:
            offset = regs.rx_counter(RxCounter(RX_COUNTER_NAMES.index(counter)))
        low = await self.device.read32(offset)
        return low | await self.device.read32(offset + regs.COUNTER_STRIDE // 2) << 32

    # ---- queues ----

    def page(self, direction: Direction, number: int) -> int:
        """Offset of a queue's page."""
        return regs.rx_page(number) if direction is Direction.RX else regs.tx_page(number)

    def configure(self, setup: QueueSetup) -> Queue:
        """Allocate and map the rings, write every configuration register."""
        cpl_size = setup.cpl_size or setup.size
        ring = self.memory.allocate(setup.size * TX_DESCRIPTOR_BYTES)
        completions = self.memory.allocate(cpl_size * COMPLETION_BYTES)
        for index in range(setup.cpl_start, setup.cpl_start + cpl_size):
            old = Completion(0, phase=not phase_of(index & U32, cpl_size))
            self.memory.store(completions.address + index % cpl_size * COMPLETION_BYTES, old.pack())
        self.memory.wmb()
        mappings = (
            self.memory.map(ring.address, len(ring), Dma.TO_DEVICE),
            self.memory.map(completions.address, len(completions), Dma.FROM_DEVICE),
        )
        self.write_page(setup, ring.address, completions.address)
        return Queue(setup, ring, completions, mappings, setup.start, setup.cpl_start)

    def write_page(self, setup: QueueSetup, ring: int, completions: int) -> None:
        """Write every configuration register of a queue."""
        page = self.page(setup.direction, setup.number)
        for offset, value in (
            (regs.QUEUE_RING_LO, ring & U32),
            (regs.QUEUE_RING_HI, ring >> 32),
            (regs.QUEUE_RING_SIZE, setup.size),
            (regs.QUEUE_CPL_LO, completions & U32),
            (regs.QUEUE_CPL_HI, completions >> 32),
            (regs.QUEUE_CPL_SIZE, setup.cpl_size or setup.size),
            (regs.QUEUE_INIT_INDEX, setup.start),
            (regs.QUEUE_CPL_INIT_INDEX, setup.cpl_start),
            (regs.QUEUE_VECTOR, setup.vector),
            (regs.QUEUE_MOD_COUNT, setup.mod_count),
            (regs.QUEUE_MOD_TICKS, setup.mod_ticks),
            (regs.QUEUE_BUF_SIZE, setup.buf_size),
        ):
            self.device.write32(page + offset, value)

    async def enable(self, setup: QueueSetup) -> None:
        """Configure, enable, wait for state enabled."""
        self.queues[setup.direction, setup.number] = self.configure(setup)
        page = self.page(setup.direction, setup.number)
        self.device.write32(page + regs.QUEUE_CTRL, regs.QUEUE_CTRL_ENABLE)
        await self.wait_for(page + regs.QUEUE_STATUS, regs.QUEUE_STATUS_STATE, QueueState.ENABLED)

    async def disable(self, direction: Direction, number: int) -> int:
        """Disable, wait for the idle acknowledgement, unmap rings and buffers; what completed stays to be polled."""
        page = self.page(direction, number)
        self.device.write32(page + regs.QUEUE_CTRL, 0)
        await self.wait_for(page + regs.QUEUE_STATUS, regs.QUEUE_STATUS_STATE, QueueState.DISABLED)
        consumed = await self.device.read32(page + regs.QUEUE_CONSUMED)
        self._unmap(self.queues[direction, number])
        return consumed

    async def state(self, direction: Direction, number: int) -> tuple[QueueState, int, int]:
        """State, cause, error index."""
        page = self.page(direction, number)
        status = await self.device.read32(page + regs.QUEUE_STATUS)
        index = await self.device.read32(page + regs.QUEUE_ERROR_INDEX)
        cause = (status & regs.QUEUE_STATUS_CAUSE) >> regs.QUEUE_STATUS_CAUSE_LSB
        return QueueState(status & regs.QUEUE_STATUS_STATE), cause, index

    def _unmap(self, queue: Queue) -> None:
        for mapping in (*queue.mappings, *(buffer.mapping for buffer in queue.buffers)):
            if mapping.live:
                self.memory.unmap(mapping)

    def _forget(self, direction: Direction, number: int) -> None:
        queue = self.queues.pop((direction, number))
        self._unmap(queue)
        for buffer in queue.buffers:
            self.memory.free(buffer.region)
        self.memory.free(queue.ring)
        self.memory.free(queue.completions)

    # ---- descriptors ----

    def post_tx(self, number: int, pieces: Sequence[bytes], *, offset: int = 0, ring: bool = True) -> int:
        """One frame; `ring` false leaves the doorbell to the caller."""
        for position, piece in enumerate(pieces):
            first, last = position == 0, position == len(pieces) - 1
            address = self.place(Direction.TX, number, piece, offset)
            self.post(Direction.TX, number, TxDescriptor(address, len(piece), sop=first, eop=last).pack())
        return self.ring(Direction.TX, number) if ring else self.queues[Direction.TX, number].producer

    def post_rx(self, number: int, count: int, *, offset: int = 0) -> int:
        """Buffers of the queue's size."""
        queue = self.queues[Direction.RX, number]
        for _ in range(count):
            address = self.place(Direction.RX, number, bytes(queue.setup.buf_size), offset)
            self.post(Direction.RX, number, RxDescriptor(address).pack())
        return self.ring(Direction.RX, number)

    def place(self, direction: Direction, number: int, data: bytes, offset: int = 0) -> int:
        """A mapped buffer for the queue's next descriptor; its bus address."""
        queue = self.queues[direction, number]
        region = self.memory.allocate(offset + len(data) + 1)
        region.view[offset : offset + len(data)] = data
        way = Dma.FROM_DEVICE if direction is Direction.RX else Dma.TO_DEVICE
        mapping = self.memory.map(region.address + offset, max(len(data), 1), way)
        queue.buffers.append(_Buffer((queue.producer + 1) & U32, region, offset, mapping))
        return region.address + offset

    def post(self, direction: Direction, number: int, descriptor: bytes) -> None:
        """Store a descriptor, whatever it says."""
        queue = self.queues[direction, number]
        slot = queue.producer % queue.setup.size
        self.memory.store(queue.ring.address + slot * TX_DESCRIPTOR_BYTES, descriptor)
        queue.producer = (queue.producer + 1) & U32

    def ring(self, direction: Direction, number: int) -> int:
        """Barrier, then the doorbell."""
        producer = self.queues[direction, number].producer
        self.memory.wmb()
        bell = regs.rx_doorbell(number) if direction is Direction.RX else regs.tx_doorbell(number)
        self.device.write32(bell, producer)
        return producer

    # ---- completions ----

    def rearm(self, direction: Direction, number: int) -> None:
        """Re-arm with the completions polled so far."""
        bell = regs.rx_rearm(number) if direction is Direction.RX else regs.tx_rearm(number)
        self.device.write32(bell, self.queues[direction, number].consumer)

    def poll(self, direction: Direction, number: int) -> list[Done]:
        """Take every completion whose phase has come; reserved fields and indices are checked."""
        queue = self.queues[direction, number]
        found: list[Done] = []
        while True:
            slot = queue.consumer % queue.cpl_size * COMPLETION_BYTES
            completion = Completion.unpack(queue.completions.view, slot)
            if completion.phase is not bool(phase_of(queue.consumer, queue.cpl_size)):
                return found
            self._check(queue, completion, bytes(queue.completions.view[slot : slot + COMPLETION_BYTES]))
            queue.consumer = (queue.consumer + 1) & U32
            found.append(self._done(queue, completion))

    def _check(self, queue: Queue, completion: Completion, raw: bytes) -> None:
        vlan = 0 if self.vcs and queue.setup.direction is Direction.RX else completion.vlan
        unbuilt = vlan, completion.rss_type, completion.checksum, completion.rss_hash, completion.timestamp
        if any(unbuilt) or int.from_bytes(raw, "little") & COMPLETION_RESERVED:
            raise DeviceFault(f"a completion has unbuilt or reserved fields set: {raw.hex()}", engine="completer")

    def _done(self, queue: Queue, completion: Completion) -> Done:
        """Retire the buffers up to the completion's index."""
        data = b""
        retired = False
        while queue.buffers and not retired:
            buffer = queue.buffers.popleft()
            retired = buffer.index == completion.index
            if queue.setup.direction is Direction.RX:
                data = bytes(buffer.region.view[buffer.offset : buffer.offset + completion.length])
            if buffer.mapping.live:
                self.memory.unmap(buffer.mapping)
            self.memory.free(buffer.region)
        if not retired:
            raise DeviceFault(f"completion {completion} for nothing posted", engine="completer")
        status = CompletionStatus(completion.status)
        return Done(
            index=completion.index,
            ok=CompletionStatus.OK in status and CompletionStatus.ERROR not in status,
            cause=completion.cause,
            length=completion.length,
            sop=CompletionStatus.SOP in status,
            eop=CompletionStatus.EOP in status,
            data=data,
            own_unicast=CompletionStatus.OWN_UNICAST in status,
            broadcast=CompletionStatus.BROADCAST in status,
            multicast=CompletionStatus.MULTICAST in status,
            loopback=CompletionStatus.LOOPBACK in status,
            frame_length=completion.frame_length,
            vlan=completion.vlan,
        )


def exact_words(address: bytes, queue: int | None) -> tuple[int, int]:
    """The two words of a valid exact entry."""
    high = int.from_bytes(address[4:], "little") | regs.EXACT_HI_VALID
    if queue is not None:
        high |= regs.EXACT_HI_STEER | queue << regs.EXACT_HI_QUEUE_LSB
    return int.from_bytes(address[:4], "little"), high


def multicast_hash(address: bytes) -> int:
    """Bit of the hash table, by the bit-serial definition of docs/nic.md section 6."""
    register = U32
    for octet in address:
        for bit in range(8):
            feedback = register >> 31 ^ octet >> bit & 1
            register = register << 1 & U32 ^ (_HASH_POLYNOMIAL if feedback else 0)
    return register >> 26

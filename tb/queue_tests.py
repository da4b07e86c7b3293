# SPDX-License-Identifier: Apache-2.0
"""Several queues at once, driven by hand, in builds of 1, 4 and 64 queues; any alignment of receive buffers."""

import os
import random
from collections import Counter

import cocotb
from by_hand import RxQueue, TxQueue, started
from stack_bench import HARD, frame

from hilnic.hw import regs
from hilnic.hw.descriptors import RxDescriptor
from hilnic.hw.memory import Direction
from hilnic.hw.regs import QueueState

FAST = os.environ.get("HILNIC_SIM") == "verilator"
ROUNDS = 12
GROUP = b"\x01\0\x5e\0\0"


async def queues_of(card):
    """How many TX and RX queues this build has."""
    caps = await card.device.read32(regs.CAPS0)
    return caps & regs.CAPS0_NUM_TX_QUEUES, (caps & regs.CAPS0_NUM_RX_QUEUES) >> regs.CAPS0_NUM_RX_QUEUES_LSB


async def enabled(queues):
    """Enable queues and wait until the NIC says so."""
    for queue in queues:
        queue.enable()
    for queue in queues:
        assert await queue.state() & 7 == QueueState.ENABLED


async def until(harness, condition, limit_ns=5_000_000):
    end = harness.now_ns + limit_ns
    while not condition():
        assert harness.now_ns < end, harness.watchdog.report()
        await harness.sleep(1_000)


@cocotb.test()
async def all_transmit_queues_take_turns_frame_by_frame(dut):
    """Round robin: while all have work, each sends one frame per turn; the order within a queue stays."""
    harness = await started(dut)
    card, seen = harness.cards[0], []
    card.link.connect(lambda one: seen.append((one.data[0], one.data[17])))
    number, _ = await queues_of(card)
    queues = [TxQueue(card, n, size=16) for n in range(number)]
    await enabled(queues)
    each = 8
    card.device.write32(regs.CTRL, regs.CTRL_RX_ENABLE)  # nothing starts before all have work
    for queue in queues:
        for n in range(each):
            queue.post(bytes([2 * queue.number]) + frame(n, 60)[1:])
        queue.doorbell()
    await harness.sleep(40_000 if number > 4 else 8_000)
    card.device.write32(regs.CTRL, regs.CTRL_TX_ENABLE)
    await until(harness, lambda: len(seen) == each * number)
    await harness.sleep(3_000)
    for queue in queues:
        assert [n for q, n in seen if q == 2 * queue.number] == list(range(each))
        assert [completion.index for completion in queue.poll()] == list(range(1, each + 1))
    turns = [Counter(q for q, _ in seen[start : start + number]) for start in range(0, len(seen), number)]
    fair = sum(turn == Counter(2 * queue.number for queue in queues) for turn in turns)
    assert fair >= each - 2, turns
    harness.stop()


@cocotb.test()
async def steered_groups_arrive_in_their_queues_with_their_own_vectors(dut):
    """Exact entries with a queue number; everything else goes to the default queue."""
    harness = await started(dut)
    card, fired = harness.cards[0], Counter()
    _, number = await queues_of(card)
    chosen = sorted({0, 1, number // 2, number - 1} & set(range(number)))
    queues = {n: RxQueue(card, n, size=16, vector=1 + place) for place, n in enumerate(chosen)}
    for queue in queues.values():
        card.device.connect_interrupt(queue.vector, lambda v=queue.vector: fired.update([v]))
    await enabled(queues.values())
    for entry, n in enumerate(chosen):
        card.device.write32(regs.exact_lo(entry), int.from_bytes(GROUP[:4], "little"))
        card.device.write32(regs.exact_hi(entry), 1 << 31 | 1 << 30 | n << 16 | n << 8 | GROUP[4])
    card.device.write32(regs.RX_FILTER, regs.RX_FILTER_PROMISCUOUS | regs.RX_FILTER_MULTICAST_EXACT)
    card.device.write32(regs.RX_STEER, chosen[-1])
    for queue in queues.values():
        queue.post(12)
        queue.doorbell()
        queue.rearm()
    await harness.sleep(5_000)
    sent = {n: [frame(k, 60 + k, destination=GROUP + bytes([n])) for k in range(5)] for n in chosen}
    for k in range(5):
        for n in chosen:
            card.link.send(sent[n][k])
    stray = frame(77, 64)
    card.link.send(stray)
    await until(harness, lambda: card.link.backlog == 0)
    await harness.sleep(8_000)
    for n, queue in queues.items():
        assert queue.frames() == sent[n] + ([stray] if n == chosen[-1] else [])
        assert fired[queue.vector] == 1
    harness.stop()


@cocotb.test()
@cocotb.parametrize(seed=range(2))
async def all_queues_at_once_with_slow_memory_keep_their_orders(dut, seed):
    """RG-03, RG-13: random sizes, lengths, start indices near 2^32; every queue's frames are whole and in order."""
    harness = await started(dut, timing=HARD, seed=seed + 1)
    card, seen, draw = harness.cards[0], [], random.Random(seed)
    card.link.connect(seen.append)
    number, _ = await queues_of(card)
    chosen = range(number) if number <= 4 else sorted(draw.sample(range(number), 12))
    queues = [
        TxQueue(card, n, size=draw.choice((2, 4, 8, 64)), start=draw.choice((0, 0xFFFF_FFFE)), vector=1 + n % 7)
        for n in chosen
    ]
    await enabled(queues)
    for queue in queues:
        queue.rearm()
    sent = {queue.number: [] for queue in queues}
    done = {queue.number: 0 for queue in queues}
    waiting = 20 if FAST else 6
    while any(len(sent[q.number]) < waiting or done[q.number] < waiting for q in queues):
        for queue in queues:
            done[queue.number] += len(queue.poll())
            if len(sent[queue.number]) < waiting and len(sent[queue.number]) - done[queue.number] < queue.size // 2:
                length = draw.choice((60, draw.randrange(60, 500)))
                data = bytes([2 * queue.number]) + frame(len(sent[queue.number]), length)[1:]
                queue.post(data, cuts=(draw.randrange(1, length),), offset=draw.randrange(8))
                sent[queue.number].append(data)
                queue.doorbell()
        await harness.sleep(2_000)
    for queue in queues:
        assert [one.data for one in seen if one.data[0] == 2 * queue.number] == sent[queue.number]
    harness.stop()


@cocotb.test()
async def queues_of_one_vector_send_in_the_order_in_which_they_are_looked_at(dut):
    """Moderated ones whose time has come; a host that re-arms one of those that have news, whoever sent (RING-08)."""
    harness = await started(dut)
    card, draw, completed = harness.cards[0], random.Random(5), Counter()
    number, _ = await queues_of(card)
    queues = [TxQueue(card, n, size=64) for n in sorted({*range(4), *range(number - 4, number)} & set(range(number)))]
    waiting = []

    def message():
        for queue in queues:
            if found := queue.poll():
                completed[queue.number] += len(found)
                waiting.append(queue)
        if waiting:
            waiting.pop(draw.randrange(len(waiting))).rearm()

    card.device.connect_interrupt(1, message)
    for queue in queues:
        card.device.write32(queue.page() + regs.QUEUE_MOD_COUNT, 50)
        card.device.write32(queue.page() + regs.QUEUE_MOD_TICKS, 100)
    await enabled(queues)
    for queue in queues:
        queue.rearm()
    for _ in range(ROUNDS):
        for queue in draw.sample(queues, len(queues)):
            queue.post(frame(queue.number, 60))
            queue.doorbell()
        await harness.sleep(20_000)
        for queue in waiting:
            queue.rearm()
        waiting.clear()
    message()
    assert completed == {queue.number: ROUNDS for queue in queues}
    harness.stop()


@cocotb.test()
async def one_queue_is_disabled_while_the_others_go_on(dut):
    """RG-12: its acknowledgement needs nothing of the others, whose traffic does not stop."""
    harness = await started(dut)
    card, seen = harness.cards[0], []
    card.link.connect(seen.append)
    number, _ = await queues_of(card)
    queues = [TxQueue(card, n, size=64) for n in range(min(number, 3))]
    await enabled(queues)
    for queue in queues:
        for n in range(40):
            queue.post(bytes([2 * queue.number]) + frame(n, 400)[1:])
        queue.doorbell()
    await harness.sleep(6_000)
    first = queues[0]
    card.device.write32(first.page() + regs.QUEUE_CTRL, 0)
    while await first.state() & 7 != QueueState.DISABLED:
        pass
    consumed = await card.device.read32(first.page() + regs.QUEUE_CONSUMED)
    assert 0 < consumed < 40
    assert len(first.poll()) == consumed
    others = queues[1:]
    await until(harness, lambda: sum(one.data[0] > 0 for one in seen) == 40 * len(others))
    assert sum(one.data[0] == 0 for one in seen) == consumed
    harness.stop()


async def polled(harness, queue, number):
    """This many completions, once they are there."""
    found = []
    await until(harness, lambda: found.extend(queue.poll()) or len(found) == number)
    return found


class Placed(RxQueue):
    """A receive queue whose buffers lie where a test says."""

    def put_at(self, address, length):
        self.card.memory.map(address, length, Direction.FROM_DEVICE)
        self.put(RxDescriptor(address).pack())


@cocotb.test()
async def receive_buffers_at_any_place_before_a_4_kib_border_get_exactly_their_bytes(dut):
    """RG-15, RG-10: starts 0 to 63 before the border; last buffers with 1 to 64 bytes; canaries on both sides."""
    harness, draw = await started(dut, limit_ns=2_000_000_000), random.Random(16)
    card = harness.cards[0]
    size = 64
    pairs = [(start, length) for start in range(64) for length in range(1, 65)]
    chosen = pairs if FAST else draw.sample(pairs, 40)
    pages = [card.memory.allocate(8192, 4096) for _ in range(64)]
    queue = Placed(card, size=64)
    queue.buffer_bytes = size
    await enabled([queue])
    for first in range(0, len(chosen), 20):
        batch, places = chosen[first : first + 20], []
        for number, (start, length) in enumerate(batch):
            # a frame of 64 + length bytes: a whole buffer and one with the rest
            for half in range(2):
                page = pages[2 * number + half]
                page.view[:] = b"\xc3" * 8192
                queue.put_at(page.address + 4096 - start, size)
            places.append((pages[2 * number], pages[2 * number + 1], 4096 - start, length))
        queue.doorbell()
        frames = [frame(first + number, size + length) for number, (_, length) in enumerate(batch)]
        for data in frames:
            card.link.send(data)
        found = await polled(harness, queue, 2 * len(batch))
        for (whole, rest, at, length), data in zip(places, frames, strict=True):
            assert bytes(whole.view[at - 64 : at + size + 64]) == b"\xc3" * 64 + data[:size] + b"\xc3" * 64
            assert bytes(rest.view[at - 64 : at + length + 64]) == b"\xc3" * 64 + data[size:] + b"\xc3" * 64
        assert [c.length for c in found] == [n for _, length in batch for n in (size, length)]
        for mapping in card.memory.live_mappings():
            if mapping.length == size:
                card.memory.unmap(mapping)
    harness.stop()

# SPDX-License-Identifier: Apache-2.0
"""Promises of docs/nic.md that no checker at the pins can judge: the NIC keeps each, each damaged NIC breaks its own.

A promise is a function; it runs on the NIC as it is, and on every mutant of tb/promises.toml that names it, which must
break it. Frame buffers of 4 KiB make full ones cheap.
"""

from __future__ import annotations

from pathlib import Path

import cocotb
from by_hand import RxQueue, TxQueue, started
from cocotb.triggers import Event
from stack_bench import BROADCAST, OWN, PEER, frame, padded

from hilnic.cosim import mutants
from hilnic.cosim.harness import ProtocolBreach
from hilnic.hw import regs
from hilnic.hw.descriptors import TxDescriptor
from hilnic.hw.device import BusError, DeviceFault
from hilnic.hw.memory import Direction
from hilnic.hw.regs import Cause, CompletionStatus, QueueState, RxCounter, TxCounter
from hilnic.wire.link import WireFrame

MUTANTS = mutants.load(Path(__file__).with_name("promises.toml"))
PROMISES = {}
GROUP, OTHER = b"\x01\0\x5e\0\0\1", b"\x01\0\x5e\0\0\2"
OK, SOP, EOP = CompletionStatus.OK, CompletionStatus.SOP, CompletionStatus.EOP


def promise(function):
    """Collect a promise under its name."""
    PROMISES[function.__name__] = function
    return function


class Bench:
    """One card by hand: what it sends, and the words of the promises."""

    def __init__(self, harness):
        self.harness, self.card = harness, harness.cards[0]
        self.write, self.read = self.card.device.write32, self.card.device.read32
        self.link, self.wire = self.card.link, []
        self.link.connect(lambda one: self.wire.append(one.data))

    async def run(self, nanoseconds=10_000):
        await self.harness.sleep(nanoseconds)

    async def until(self, condition, limit_ns=40_000):
        """True as soon as it holds, False when it does not within the limit."""
        end = self.harness.now_ns + limit_ns
        while not condition():
            if self.harness.now_ns > end:
                return False
            await self.harness.sleep(500)
        return True

    async def rx(self, *names):
        """Receive counters by name."""
        return [await self.read(regs.rx_counter(RxCounter[name])) for name in names]

    async def queue(self, kind, number=0, **options):
        """An enabled queue; `registers` are written before."""
        registers = options.pop("registers", {})
        queue = kind(self.card, number, **options)
        queue.buffer_bytes = registers.pop(regs.QUEUE_BUF_SIZE, 2048)
        for register, value in registers.items():
            self.write(queue.page() + register, value)
        queue.enable()
        assert await queue.state() & 7 == QueueState.ENABLED
        return queue

    async def receiver(self, buffers=12, **options):
        """An enabled receive queue with posted buffers."""
        queue = await self.queue(RxQueue, size=16, **options)
        if buffers:
            queue.post(buffers)
            queue.doorbell()
            await self.run(3_000)
        return queue

    async def hear(self, *frames):
        """Send frames to the NIC and wait until they are in."""
        for data in frames:
            self.link.send(data)
        await self.until(lambda: self.link.backlog == 0, 2_000_000)
        await self.run(5_000)


# --- receive ----------------------------------------------------------------------------------------------------------


@promise
async def bad_frames_are_dropped_each_with_its_cause(bench):
    queue = await bench.receiver()
    bad = [
        WireFrame(frame(1, 100), fcs_ok=False), WireFrame(frame(2, 100), error=True), WireFrame(frame(3, 40)),
        WireFrame(frame(4, 1515)),
    ]  # fmt: skip
    await bench.hear(*bad, frame(5, 100))
    assert queue.frames() == [frame(5, 100)]
    assert await bench.rx("DROP_FCS", "DROP_RX_ER", "DROP_RUNT", "DROP_OVERSIZE") == [1, 1, 1, 1]
    assert await bench.rx("WIRE_FRAMES", "DELIVERED_FRAMES") == [5, 1]


@promise
async def any_preamble_and_a_lost_carrier_are_taken_as_the_standard_says(bench):
    queue = await bench.receiver()
    await bench.hear(WireFrame(frame(1), preamble=1), WireFrame(frame(2), preamble=15))
    await bench.hear(WireFrame(b"\x55" * 30, preamble=7, sfd=False))
    bench.link.send_cut(WireFrame(frame(3)), 30)
    bench.link.send_symbols([1 << 9 | 0x0E] * 3)
    bench.link.send_symbols([1 << 9 | 0x0F] * 3)
    await bench.hear(frame(4))
    assert queue.frames() == [frame(1), frame(2), frame(4)]
    assert await bench.rx("MISSING_SFD", "FRAGMENTS", "FALSE_CARRIER", "WIRE_FRAMES") == [1, 1, 1, 4]


@promise
async def length_errors_are_counted_and_delivered(bench):
    queue = await bench.receiver()
    header = OWN + PEER
    frames = [header + length.to_bytes(2, "big") + bytes(60) for length in (60, 61, 1510)]
    await bench.hear(*frames)
    assert queue.frames() == frames
    assert await bench.rx("IN_RANGE_LENGTH_ERRORS", "OUT_OF_RANGE_LENGTH") == [1, 1]


def set_own_address(bench, own=OWN):
    bench.write(regs.MAC_ADDR_LO, int.from_bytes(own[:4], "little"))
    bench.write(regs.MAC_ADDR_HI, int.from_bytes(own[4:], "little"))


def set_entry(bench, entry, group, *, valid=True, queue=None):
    bench.write(regs.exact_lo(entry), int.from_bytes(group[:4], "little"))
    steer = 0 if queue is None else regs.EXACT_HI_STEER | queue << 16
    bench.write(regs.exact_hi(entry), int.from_bytes(group[4:], "little") | steer | valid * regs.EXACT_HI_VALID)


@promise
async def the_filter_takes_what_it_is_set_to_and_nothing_else(bench):
    queue = await bench.receiver()
    set_own_address(bench)
    set_entry(bench, 0, GROUP)
    set_entry(bench, 1, OTHER, valid=False)
    near, near_group = OWN[:5] + b"\x77", GROUP[:5] + b"\x77"
    everybody = [OWN, near, BROADCAST, GROUP, near_group, OTHER]
    for bits, accepted in (
        (0, []),
        (regs.RX_FILTER_OWN_UNICAST | regs.RX_FILTER_MULTICAST_EXACT, [OWN, GROUP]),
        (regs.RX_FILTER_BROADCAST, [BROADCAST]),
    ):
        bench.write(regs.RX_FILTER, bits)
        await bench.run(1_000)
        await bench.hear(*[frame(0, destination=to) for to in everybody])
        assert [data[:6] for data in queue.frames()] == accepted, hex(bits)


@promise
async def the_hash_table_of_the_datasheet_is_the_one_of_the_nic(bench):
    queue = await bench.receiver()
    bench.write(regs.RX_FILTER, regs.RX_FILTER_MULTICAST_HASH)
    table = {"01005e000001": 31, "333300000001": 62, "01005e7ffffa": 43, "01005e0000fb": 15, "0180c2000000": 25}
    groups = {bytes.fromhex(text): bit for text, bit in table.items()}
    for group, bit in groups.items():
        bench.write(regs.HASH_LO, (1 << bit) & 0xFFFF_FFFF)
        bench.write(regs.HASH_HI, 1 << bit >> 32)
        await bench.run(1_000)
        await bench.hear(*[frame(0, destination=other) for other in groups])
        assert [data[:6] for data in queue.frames()] == [group], group.hex()


@promise
async def a_steered_group_goes_to_its_queue(bench):
    first, second = await bench.receiver(), await bench.receiver(number=1)
    bench.write(regs.RX_FILTER, regs.RX_FILTER_MULTICAST_EXACT)
    set_entry(bench, 3, GROUP, queue=1)
    set_entry(bench, 4, OTHER)
    await bench.run(1_000)
    await bench.hear(frame(1, destination=GROUP), frame(2, destination=OTHER))
    assert second.frames() == [frame(1, destination=GROUP)]
    assert first.frames() == [frame(2, destination=OTHER)]


@promise
async def nothing_moves_while_a_direction_is_off(bench):
    receiver, sender = await bench.receiver(), await bench.queue(TxQueue, size=16)
    bench.write(regs.CTRL, regs.CTRL_RX_ENABLE)
    sender.post(frame(1))
    sender.doorbell()
    await bench.run()
    assert bench.wire == [], "sent while tx_enable is off"
    bench.write(regs.CTRL, regs.CTRL_TX_ENABLE)
    await bench.run(1_000)
    await bench.hear(frame(2))
    assert bench.wire == [frame(1)]
    assert receiver.frames() == [] and await bench.rx("DROP_DISABLED") == [1]


@promise
async def without_descriptors_whole_frames_are_dropped_and_counted(bench):
    queue = await bench.receiver(buffers=0)
    frames = [frame(n, 1000) for n in range(8)]
    await bench.hear(*frames)
    dropped, full = await bench.rx("DROP_NO_DESCRIPTOR", "DROP_BUFFER_FULL")
    assert dropped > 0
    queue.post(8)
    queue.doorbell()
    await bench.run()
    delivered = queue.frames()
    assert len(delivered) == 8 - dropped - full and all(data in frames for data in delivered)
    assert await bench.rx("WIRE_FRAMES", "DELIVERED_FRAMES") == [8, len(delivered)]


@promise
async def a_frame_over_several_buffers_has_its_lengths_and_flags(bench):
    queue = await bench.receiver(registers={regs.QUEUE_BUF_SIZE: 64})
    await bench.hear(frame(1, 150), frame(2, 64))
    done = queue.poll()
    assert [one.length for one in done] == [64, 64, 22, 64]
    assert [one.status & (SOP | EOP) for one in done] == [SOP, 0, EOP, SOP | EOP]
    assert [one.frame_length for one in done] == [150, 150, 150, 64]
    assert b"".join(bytes(region.view[:64]) for region in queue.buffers[:3])[:150] == frame(1, 150)


@promise
async def a_bus_error_on_data_costs_its_frame_only(bench):
    sender, receiver = await bench.queue(TxQueue, size=16), await bench.receiver()
    bench.card.inject_read_error(2)  # burst 1 brings the descriptors
    sender.post(frame(1, 100))
    sender.post(frame(2, 100))
    sender.doorbell()
    await bench.run()
    assert [one.cause for one in sender.poll()] == [Cause.BUS_ERROR, 0] and bench.wire == [frame(2, 100)]
    bench.card.inject_write_error(1)
    await bench.hear(frame(3, 100), frame(4, 100))
    assert [one.cause for one in receiver.poll()] == [Cause.BUS_ERROR, 0]
    assert await bench.rx("DROP_DMA", "DELIVERED_FRAMES") == [1, 1]


# --- transmit ---------------------------------------------------------------------------------------------------------


@promise
async def padding_is_zero(bench):
    sender = await bench.queue(TxQueue, size=16)
    frames = [frame(9, 20), frame(9, 59)]
    for data in frames:
        sender.post(data)
    sender.doorbell()
    await bench.until(lambda: len(bench.wire) == 2)
    assert bench.wire == [padded(data) for data in frames]


@promise
async def fragments_of_any_length_and_place_join_to_one_frame(bench):
    sender, frames = await bench.queue(TxQueue, size=64), []
    for offset in range(8):
        for number in range(2):
            data = frame(len(frames), 70)
            first = 15 + (offset + 4 * number) % 8
            sender.post(data, cuts=(first, first + 3 + offset), offset=offset)
            frames.append(data)
    sender.doorbell()
    await bench.until(lambda: len(bench.wire) == len(frames))
    assert bench.wire == frames


@promise
async def malformed_frames_end_with_their_cause_and_are_not_sent(bench):
    sender = await bench.queue(TxQueue, size=16)

    def put(length, *, sop=True, kind=0, reserved=0):
        region = bench.card.memory.allocate(64)
        bench.card.memory.map(region.address, 64, Direction.TO_DEVICE)
        packed = int.from_bytes(TxDescriptor(region.address, length, sop, True, kind).pack(), "little")
        sender.put((packed | reserved << 96).to_bytes(16, "little"))

    put(0)
    put(60, reserved=1)
    put(60, kind=5)
    put(13)
    put(60, sop=False)
    sender.post(frame(1))
    sender.doorbell()
    await bench.until(lambda: bool(bench.wire))
    await bench.run()
    causes = [Cause.ZERO_LENGTH, Cause.RESERVED_BITS, Cause.BAD_KIND, Cause.TOO_SHORT, Cause.BAD_SOP, 0]
    assert [one.cause for one in sender.poll()] == causes
    assert bench.wire == [frame(1)]


@promise
async def queues_take_turns(bench):
    bench.write(regs.CTRL, 0)
    senders = [await bench.queue(TxQueue, n, size=16) for n in range(2)]
    for sender in senders:
        for n in range(4):
            sender.post(frame(10 * sender.number + n))
        sender.doorbell()
    await bench.run(4_000)
    bench.write(regs.CTRL, regs.CTRL_TX_ENABLE)
    await bench.until(lambda: len(bench.wire) == 8)
    assert sorted(bench.wire) == sorted(frame(10 * q + n) for q in range(2) for n in range(4))
    assert {data[17] // 10 for data in bench.wire[2:4]} == {data[17] // 10 for data in bench.wire[4:6]} == {0, 1}


# --- rings and doorbells ----------------------------------------------------------------------------------------------


@promise
async def a_producer_beyond_the_ring_stops_the_queue(bench):
    sender = await bench.queue(TxQueue, size=16)
    bench.write(regs.tx_doorbell(0), 17)
    await bench.run(3_000)
    status = await sender.state()
    assert (status & 7, status >> 8) == (QueueState.ERROR, Cause.PRODUCER_RANGE)


@promise
async def indices_pass_2_to_the_32(bench):
    sender = await bench.queue(TxQueue, size=16, start=0xFFFF_FFFC)
    for number in range(8):
        sender.post(frame(number))
        sender.doorbell()
        assert await bench.until(lambda number=number: len(bench.wire) > number), f"frame {number} is not sent"
    assert bench.wire == [frame(number) for number in range(8)]


@promise
async def doorbells_at_any_moment_are_heard(bench):
    sender = await bench.queue(TxQueue, size=16)
    for number, delay in enumerate(range(0, 320, 16)):
        sender.post(frame(2 * number))
        sender.doorbell()
        await bench.run(delay)
        sender.post(frame(2 * number + 1))
        sender.doorbell()
        heard = await bench.until(lambda number=number: len(bench.wire) == 2 * number + 2, 6_000)
        assert heard, f"a doorbell {delay} ns after another one was lost"


@promise
async def a_queue_is_idle_only_when_its_fetches_are(bench):
    """Judged by RING-09: descriptors are being fetched, for a transmitter that is off, when the queue is disabled."""
    bench.write(regs.CTRL, 0)
    sender = await bench.queue(TxQueue, size=16)
    sender.post(frame(1))
    sender.doorbell()
    bench.card.settings.withhold_r_until = bench.harness.clock.to_ps(bench.harness.now_ns + 20_000)
    await bench.run(1_000)
    bench.write(sender.page() + regs.QUEUE_CTRL, 0)
    begun = bench.harness.now_ns
    while await sender.state() & 7 != QueueState.DISABLED:
        assert bench.harness.now_ns < begun + 100_000
    assert bench.harness.now_ns > begun + 15_000


# --- completions and interrupts ---------------------------------------------------------------------------------------


class Messages:
    """Times of the messages of one vector."""

    def __init__(self, bench, vector):
        self.times = []
        bench.card.device.connect_interrupt(vector, lambda: self.times.append(bench.harness.now_ns))

    def __len__(self):
        return len(self.times)


@promise
async def a_failed_completion_write_stops_its_queue(bench):
    sender = await bench.queue(TxQueue, size=16)
    bench.card.inject_write_error(2)
    for number in range(3):
        sender.post(frame(number))
        sender.doorbell()
        await bench.run(5_000)
    status = await sender.state()
    assert (status & 7, status >> 8) == (QueueState.ERROR, Cause.COMPLETION_ERROR)
    assert await bench.read(sender.page() + regs.QUEUE_CPL_PRODUCED) == 1
    assert await bench.read(sender.page() + regs.QUEUE_ERROR_INDEX) == 1


@promise
async def a_re_arm_that_is_behind_fires_at_once(bench):
    receiver = await bench.receiver()
    messages = Messages(bench, receiver.vector)
    await bench.hear(frame(1))
    assert len(messages) == 0, "the queue is masked until its first re-arm"
    receiver.rearm()
    assert await bench.until(lambda: len(messages) == 1, 3_000)


@promise
async def moderation_counts_and_the_timer_brings_the_rest(bench):
    receiver = await bench.receiver(registers={regs.QUEUE_MOD_COUNT: 4, regs.QUEUE_MOD_TICKS: 2_000})
    messages = Messages(bench, receiver.vector)
    receiver.rearm()
    await bench.hear(*[frame(n) for n in range(3)])
    assert len(messages) == 0
    bench.link.send(frame(3))
    assert await bench.until(lambda: len(messages) == 1, 5_000), "the fourth completion sends nothing"
    assert len(receiver.poll()) == 4
    receiver.rearm()
    began = bench.harness.now_ns
    bench.link.send(frame(4))
    assert await bench.until(lambda: len(messages) == 2, 25_000), "the timer sends nothing"
    assert messages.times[-1] - began > 16_000


@promise
async def a_disable_sends_the_pending_interrupt(bench):
    receiver = await bench.receiver(registers={regs.QUEUE_MOD_COUNT: 10})
    messages = Messages(bench, receiver.vector)
    receiver.rearm()
    await bench.hear(frame(1))
    assert len(messages) == 0
    bench.write(receiver.page() + regs.QUEUE_CTRL, 0)
    assert await bench.until(lambda: len(messages) == 1, 5_000)


# --- registers and counters -------------------------------------------------------------------------------------------


@promise
async def registers_are_mapped_kept_and_reset_as_the_datasheet_says(bench):
    try:
        await bench.read(0x0F0)
    except BusError:
        pass
    else:
        raise AssertionError("a register that is not mapped answers OKAY")
    values = {regs.SCRATCH: 0x1234_5678, regs.RX_FILTER: 0x3F, regs.MAX_FRAME: 9018, regs.HASH_LO: 0xA5A5_A5A5}
    for offset, value in values.items():
        bench.write(offset, value)
    assert [await bench.read(offset) for offset in values] == list(values.values())
    bench.write(regs.CTRL, regs.CTRL_SOFT_RESET)
    while await bench.read(regs.CTRL) & regs.CTRL_SOFT_RESET:
        pass
    assert [await bench.read(offset) for offset in values] == [0x1234_5678, 0, 1518, 0]


@promise
async def a_link_change_sends_vector_0_once(bench):
    messages = Messages(bench, 0)
    bench.write(regs.MISC_CAUSE, 7)
    bench.write(regs.MISC_ENABLE, regs.MISC_ENABLE_LINK_CHANGE)
    await bench.run(3_000)
    before = len(messages)
    bench.card.settings.link_up = 0
    await bench.run(5_000)
    assert len(messages) == before + 1
    assert await bench.read(regs.MISC_CAUSE) == regs.MISC_CAUSE_LINK_CHANGE
    assert not await bench.read(regs.STATUS) & regs.STATUS_LINK_UP


@promise
async def counters_agree_with_the_wire_and_pass_2_to_the_32(bench):
    sender = await bench.queue(TxQueue, size=16)
    frames, octets = regs.tx_counter(TxCounter.FRAMES), regs.tx_counter(TxCounter.OCTETS)
    bench.write(frames, 0xFFFF_FFFF)
    bench.write(frames + 4, 0)
    assert await bench.read(frames) == 0xFFFF_FFFF
    sender.post(frame(1, 20))
    sender.post(frame(2, 100))
    sender.doorbell()
    await bench.run()
    assert await bench.read(frames + 4) == 0, "the high word is not the one of the low word's reading"
    assert [await bench.read(frames), await bench.read(frames + 4)] == [1, 1]
    assert await bench.read(octets) == 64 + 104


# --- the tests --------------------------------------------------------------------------------------------------------


async def bench_of(dut):
    return Bench(await started(dut))


@cocotb.test()
@cocotb.parametrize(name=list(PROMISES))
async def the_nic_keeps_its_promise(dut, name):
    dut.mutant.value = 0
    bench = await bench_of(dut)
    await PROMISES[name](bench)
    bench.harness.stop()


@cocotb.test()
@cocotb.parametrize(number=list(range(1, len(MUTANTS) + 1)))
async def the_mutant_breaks_its_promise(dut, number):
    mutant = MUTANTS[number - 1]
    bench = await bench_of(dut)
    dut.mutant.value = number
    found = await outcome(bench, PROMISES[mutant.load or mutant.rule])
    dut.mutant.value = 0
    bench.harness.stop()
    expected = mutant.rule if mutant.load else "promise"
    assert found, f"{mutant.name}: nobody noticed"
    assert expected in found, f"{mutant.name}: reported as {found}"
    dut._log.info("mutant %d, %s: caught by %s after %d ns", number, mutant.name, mutant.rule, bench.harness.now_ns)


async def outcome(bench, function):
    """How a promise ends: empty when it is kept, ("promise",) when it is broken, else the checkers' rules."""
    found, over, check = [], Event(), bench.harness.clock.on_wake

    def listen():
        try:
            check()
        except (ProtocolBreach, DeviceFault):
            found.extend(bench.harness.breached_rules())
            bench.harness.library.shared.breach.count = 0
            over.set()

    async def work():
        try:
            await function(bench)
        except AssertionError:
            found.append("promise")
        over.set()

    bench.harness.clock.on_wake = listen
    task = cocotb.start_soon(work())
    await over.wait()
    task.cancel()
    return tuple(found)

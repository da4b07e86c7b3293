# SPDX-License-Identifier: Apache-2.0
"""The harness itself: stray DMA faults, hangs become reports, disorder keeps the order of AXI, time is exact."""

import re

import cocotb
import pytest
from by_hand import RxQueue, TxQueue, started

from hilnic.cosim import hostmem
from hilnic.cosim.harness import Clocks
from hilnic.cosim.watchdog import Hang
from hilnic.hw import regs
from hilnic.hw.descriptors import RxDescriptor, TxDescriptor
from hilnic.hw.device import BusError, DeviceFault
from hilnic.hw.timing import TimingModel

UNMAPPED = 0x000F00
"""No register lives here: SLVERR."""

FRAME = bytes.fromhex("ffffffffffff02484e00000188b5") + bytes(range(46))
HARD = TimingModel(jitter_percent=100, stall_percent=30, reorder=True, weak=True, bandwidth_percent=60, seed=5)


async def fault_of(harness, delay_ns: int) -> DeviceFault:
    """What the memory side reports within a time; the pump then goes on."""
    caught, check = [], harness.clock.on_wake

    def listen() -> None:
        try:
            check()
        except DeviceFault as fault:
            caught.append(fault)
            harness.library.shared.breach.count = 0

    harness.clock.on_wake = listen
    await harness.sleep(delay_ns)
    harness.stop()
    return caught[0]


def stray_tx(card, address: int) -> None:
    queue = TxQueue(card)
    queue.enable()
    queue.put(TxDescriptor(address, 60, sop=True, eop=True).pack())
    queue.doorbell()


@cocotb.test()
async def a_read_outside_of_a_mapping_is_a_fault_with_address_engine_and_time(dut):
    """RG-11, IT-08: the memory side knows every mapping and its direction."""
    harness = await started(dut)
    card = harness.cards[0]
    region = card.memory.allocate(64)  # not mapped
    stray_tx(card, region.address)
    fault = await fault_of(harness, 20_000)
    assert fault.address == region.address and fault.engine == "TX data read" and 0 < fault.time_ns < 20_000
    assert "DMA-02" in str(fault)


@cocotb.test()
async def a_read_outside_of_host_memory_is_a_fault(dut):
    harness = await started(dut)
    stray_tx(harness.cards[0], 0x1000)
    assert "DMA-01" in str(await fault_of(harness, 20_000))


@cocotb.test()
async def a_write_against_the_mappings_direction_is_a_fault(dut):
    harness = await started(dut)
    card = harness.cards[0]
    queue = RxQueue(card)
    queue.enable()
    region = card.memory.allocate(2048)
    card.memory.map(region.address, 2048, 1)  # for the device to read
    queue.put(RxDescriptor(region.address).pack())
    queue.doorbell()
    card.link.send(FRAME, at=harness.now_ns + 5_000)
    fault = await fault_of(harness, 30_000)
    assert "DMA-03" in str(fault) and fault.address == region.address and fault.engine == "RX data write"


@cocotb.test()
async def a_buffer_may_be_in_many_descriptors_at_once(dut):
    """RING-07 takes neither a later frame's read nor a neighbour's in one bus word for that of the completed frame."""
    harness = await started(dut)
    card = harness.cards[0]
    queue = TxQueue(card)
    queue.enable()
    region = card.memory.allocate(2048)
    card.memory.map(region.address, 2048, 1)
    sent = 40
    for number in range(sent):
        first = 1003 * (number % 3 == 2)  # every third frame begins in the bus word in which the others end
        queue.put(TxDescriptor(region.address + first, 1003, sop=True, eop=True).pack())
    queue.doorbell()
    await harness.sleep(sent * 1024 * 8 + 20_000)
    assert len(queue.poll()) == sent


@cocotb.test()
async def a_hang_becomes_a_report(dut):
    harness = await started(dut)
    card = harness.cards[0]
    queue = TxQueue(card)
    queue.enable()
    await harness.sleep(5_000)
    card.settings.withhold_r_until = hostmem.NEVER
    queue.post(FRAME)
    queue.doorbell()
    hangs, look = [], harness.watchdog._look

    def looked() -> None:
        try:
            look()
        except Hang as hang:
            hangs.append(str(hang))

    harness.watchdog._look = looked
    while not hangs and harness.now_ns < 5_000_000:
        await cocotb.triggers.Timer(100, "us")
    harness.stop()
    assert re.search(r"nothing has moved for 2 ms", hangs[0])
    assert re.search(r"TX queue 0 on: ring of 64: done 0, fetched 1, producer 1", hangs[0])
    assert re.search(r"read outstanding: id 0 0x[0-9a-f]+\+16 since \d+ ns", hangs[0])


@cocotb.test()
async def under_disorder_frames_arrive_whole_and_in_order(dut):
    harness = await started(dut, timing=HARD)
    card = harness.cards[0]
    card.settings.wire_mode = hostmem.WIRE_LOOP
    card.settings.interleave = 1
    tx, rx = TxQueue(card, size=64), RxQueue(card, size=64)
    tx.enable()
    rx.enable()
    rx.post(40)
    rx.doorbell()
    await harness.sleep(30_000)
    sent = [(FRAME * 30)[: 60 + 37 * n] for n in range(30)]
    for number, frame in enumerate(sent):
        tx.post(frame, (13 + number,), offset=number % 8)
    tx.doorbell()
    await harness.sleep(600_000)
    assert rx.frames() == sent
    assert [completion.index for completion in tx.poll()] == list(range(2, 62, 2))
    harness.stop()


@cocotb.test()
async def an_injected_error_hits_the_nth_burst_and_no_other(dut):
    harness = await started(dut)
    card = harness.cards[0]
    queue = TxQueue(card)
    queue.enable()
    for _ in range(4):
        queue.post(FRAME)
    card.inject_read_error(3)  # the descriptors are burst 1, the second frame's data burst 3
    queue.doorbell()
    await harness.sleep(30_000)
    assert [completion.cause for completion in queue.poll()] == [0, 8, 0, 0]
    harness.stop()


@cocotb.test()
async def an_unmapped_register_is_a_bus_error(dut):
    harness = await started(dut)
    with pytest.raises(BusError):
        await harness.cards[0].device.read32(UNMAPPED)
    harness.stop()


@cocotb.test()
async def a_register_read_takes_its_round_trip_and_stays_behind_writes(dut):
    harness = await started(dut)
    device, before = harness.cards[0].device, harness.now_ns
    device.write32(regs.SCRATCH, 0x1234_5678)
    assert await device.read32(regs.SCRATCH) == 0x1234_5678
    assert 1_000 <= harness.now_ns - before < 1_400
    harness.stop()


@cocotb.test()
@cocotb.parametrize(ppm=[-100, 0, 100])
async def a_clock_runs_as_many_ppm_off_as_asked(dut, ppm):
    harness = await started(dut, clocks=[Clocks(system_ps=8000 * (1 + ppm / 1e6))])
    statistics, began = harness.cards[0].statistics, harness.now_ns
    before = statistics.cycles
    await harness.sleep(400_000)
    cycles, elapsed = statistics.cycles - before, harness.now_ns - began
    assert abs(elapsed / cycles - 8 * (1 + ppm / 1e6)) < 8 * 25e-6  # an edge in 50 000
    harness.stop()

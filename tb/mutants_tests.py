# SPDX-License-Identifier: Apache-2.0
"""Every rule of the checkers catches a NIC that breaks it (tb/mutants.toml); none complains about the NIC as it is."""

import contextlib

import cocotb
from by_hand import RxQueue, TxQueue, started
from cocotb.triggers import Event

from hilnic.cosim import mutants
from hilnic.cosim.harness import ProtocolBreach
from hilnic.hw import regs
from hilnic.hw.device import DeviceFault
from hilnic.hw.timing import TimingModel

UNMAPPED = 0x000F00
"""No register lives here: SLVERR."""

MUTANTS = mutants.load()
LOADS = ("", "stalls", "withhold", "reset", "late")
SENT = ((1514, ()), (1514, ()), (1514, ()), (20, ()), (60, (14, 15)), (1580, ()), (1514, (700,)), (61, ()))
RECEIVED = (60, 61, 1514, 300, 64, 1000, 60, 60, 60)
HEADER = bytes.fromhex("ffffffffffff02484e00000188b5")


def frame(size: int) -> bytes:
    return (HEADER + bytes(range(256)) * 6)[:size]


async def exercise(harness, load: str, strike=lambda: None) -> None:
    """Traffic both ways that touches every rule: odd sizes and addresses, ring and page ends, errors, interrupts."""
    card = harness.cards[0]
    device = card.device
    tx, rx = TxQueue(card, size=16, start=12), RxQueue(card, size=16, start=5)
    device.connect_interrupt(tx.vector, lambda: (tx.poll(), tx.rearm()))
    device.connect_interrupt(rx.vector, lambda: (rx.poll(), rx.rearm()))
    for queue in (tx, rx):
        queue.enable()
        queue.rearm()
    rx.post(12)
    rx.doorbell()
    device.write32(UNMAPPED, 0)  # unmapped
    assert await device.read32(regs.ID) == regs.ID_VALUE
    await harness.sleep(3_000)
    for size, cuts in SENT:
        tx.post(frame(size), cuts, offset=4096 - 100 if size == 1514 else 3)
    tx.doorbell()
    for size in RECEIVED:
        card.link.send(frame(size))
    if load == "withhold":
        await harness.sleep(1_600)  # the descriptors are there, the data are asked for
        card.settings.withhold_r_until = card.settings.withhold_b_until = harness.clock.to_ps(harness.now_ns + 30_000)
    await harness.sleep(110_000)
    if load == "late":  # one completion, then nothing more to write
        strike()
        tx.post(frame(60))
        tx.doorbell()
        await harness.sleep(40_000)
    if load == "reset":
        await harness.hard_reset(card)
    else:
        await check_all_arrived(tx, rx, len(SENT) + (load == "late"))
    harness.stop()


async def check_all_arrived(tx, rx, sent: int) -> None:
    assert tx.completed == sent and rx.completed == len(RECEIVED)
    for queue in (tx, rx):
        queue.card.device.write32(queue.page() + regs.QUEUE_CTRL, 0)
        while await queue.state() & 7:
            pass


def timing(load: str) -> TimingModel:
    return TimingModel(stall_percent=40 if load == "stalls" else 0, seed=3)


@cocotb.test()
@cocotb.parametrize(load=LOADS)
async def no_rule_complains_about_the_nic_as_it_is(dut, load):
    dut.mutant.value = 0
    await exercise(await started(dut, timing=timing(load)), load)


@cocotb.test()
@cocotb.parametrize(number=list(range(1, len(MUTANTS) + 1)))
async def the_mutant_is_caught_by_its_rule(dut, number):
    mutant, caught = MUTANTS[number - 1], []
    harness = await started(dut, timing=timing(mutant.load))

    def strike() -> None:
        dut.mutant.value = number

    if mutant.load != "late":
        strike()
    over, check = Event(), harness.clock.on_wake

    def listen() -> None:
        try:
            check()
        except (ProtocolBreach, DeviceFault):
            caught.append(harness.breached_rules())
            harness.library.shared.breach.count = 0
            over.set()

    harness.clock.on_wake = listen
    work = cocotb.start_soon(guarded(exercise(harness, mutant.load, strike), over))
    await over.wait()
    work.cancel()
    dut.mutant.value = 0
    harness.stop()
    assert caught, f"{mutant.name}: nobody noticed"
    assert mutant.rule in caught[0], f"{mutant.name}: reported as {caught[0]}"


async def guarded(work, over: Event) -> None:
    """A damaged NIC may end the exercise badly before it is caught; that alone is not a catch."""
    with contextlib.suppress(AssertionError):
        await work
    over.set()

# SPDX-License-Identifier: Apache-2.0
"""The simulator's side of `hilnic ndistest --sim`: the slots hold the Verilog NIC."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import cocotb
from cocotb.triggers import SimTimeoutError, with_timeout

from hilnic.apps import session
from hilnic.apps.ndistest import CARDS, chosen, result
from hilnic.apps.ndistest_beds import find_register
from hilnic.cosim import hostmem
from hilnic.cosim.harness import Card, Clocks, Harness
from hilnic.hw.cpu import HostCpu
from hilnic.testing import run_record
from hilnic.testing.ndistest import Bed, Case, Slot, run_case
from hilnic.testing.ndistest.bed import Hear, Register
from hilnic.testing.ndistest.port import LIMIT_NS
from hilnic.wire.link import WireFrame

run_record.of_simulation()
ROUNDS = {"icarus": 1, "verilator": 4}


class Slots:
    """The cards of the harness as slots; a card that was taken out, or that a case has left broken, is put back."""

    def __init__(self, harness: Harness) -> None:
        self.harness = harness
        self.removed: set[int] = set()
        self.ears: dict[int, Hear] = {}

    def slot(self, card: Card) -> Slot:
        """One card; the host above it is new."""
        cpu = HostCpu(self.harness.clock, card.memory, self.harness.timing)
        cpu.attach(card.device)

        async def remove() -> None:
            self.removed.add(card.index)
            await self.harness.remove(card)

        return Slot(
            cpu, card.device, card.link, lambda: [*card.memory.live_mappings(), *card.memory.leaks()], remove,
            lambda hear: self.tap(card, hear),
        )  # fmt: skip

    def tap(self, card: Card, hear: Hear) -> None:
        """Of two that are joined, what one sends is what comes to the other."""
        self.ears[card.index] = hear
        for each in self.harness.cards:
            each.link.record = partial(self._hear, each.index)

    def _hear(self, index: int, from_nic: bool, frame: WireFrame) -> None:
        for listener, hear in self.ears.items():
            if listener == index:
                hear(from_nic, frame)
            elif from_nic:
                hear(False, frame)

    def set_cable(self, up: bool) -> None:
        """Join the cards, or let each see no carrier."""
        for card in self.harness.cards:
            joined = up and len(self.harness.cards) > 1
            card.settings.wire_mode = hostmem.WIRE_CROSS if joined else hostmem.WIRE_ENDS
            card.settings.link_up = int(up)

    async def repair(self, broken: bool) -> None:
        """Cards as after power-on where that is needed."""
        for card in self.harness.cards:
            if card.index in self.removed:
                await self.harness.insert(card)
            elif broken:
                await self.harness.hard_reset(card)
        self.removed.clear()
        self.set_cable(True)


async def play(case: Case, slots: Slots, register: Register, seed: int, rounds: int, verify: Any) -> tuple[str, ...]:
    """Run a case on fresh hosts; its failures. Afterwards the cards are in order again."""
    await slots.repair(broken=False)
    slots.ears.clear()
    stands = [slots.slot(card) for card in slots.harness.cards]
    bed = Bed(stands, register, slots.set_cable, seed, rounds, verify)
    try:
        failures = await _failures(case, bed)
    except BaseException:  # a checker of the simulation ends it: what the verifier saw before may be the cause
        session.say(case=case.name, broken=bed.violations())
        raise
    await slots.repair(broken=bool(failures))
    return failures


async def _failures(case: Case, bed: Bed) -> tuple[str, ...]:
    try:
        return (await with_timeout(cocotb.start_soon(run_case(case, bed)), LIMIT_NS, "ns")).failures
    except SimTimeoutError:
        return (f"no end within {LIMIT_NS // 1_000_000} ms of simulated time",)


@cocotb.test()
async def ndistest(dut: Any) -> None:
    job = session.job()
    register = find_register(job["miniport"], Path(job["folder"]))
    clocks = [Clocks(phases_ps=(0, 0, 0))] * CARDS[job["suite"]]
    harness = Harness(dut, clocks=clocks, cards=CARDS[job["suite"]], seed=job["seed"], limit_ns=10**13)
    await harness.start()
    slots = Slots(harness)
    for case in chosen(job["suite"], job["cases"]):
        wall, from_ns = perf_counter(), harness.now_ns
        failures = await play(case, slots, register, job["seed"], ROUNDS[os.environ["HILNIC_SIM"]], job["verify"])
        session.say(**result(case, failures, harness.now_ns - from_ns, perf_counter() - wall))
    harness.stop()

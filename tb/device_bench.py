# SPDX-License-Identifier: Apache-2.0
"""The Verilog NIC as `hilnic.testing` sees a device: a CheckBench on one card, with controls of what surrounds it."""

from __future__ import annotations

from typing import Any

from hilnic.cosim import hostmem
from hilnic.cosim.harness import Card, Harness
from hilnic.hw.timing import TimingModel
from hilnic.testing.check_device import CheckBench
from hilnic.testing.nic_1g import Nic1g

HARD = TimingModel(jitter_percent=100, stall_percent=20, reorder=True, weak=True, seed=3)


class CardControls:
    """What a test does to a card from outside."""

    def __init__(self, card: Card) -> None:
        self.card = card

    def set_link(self, up: bool) -> None:
        """Plug or pull the cable."""
        self.card.settings.link_up = int(up)

    def stop_clock(self, way: str) -> None:
        """Stop the MAC clock of a direction."""
        self.card.stop_clock(hostmem.TX if way == "tx" else hostmem.RX)

    def start_clock(self, way: str) -> None:
        """Let it run again."""
        self.card.start_clock(hostmem.TX if way == "tx" else hostmem.RX)

    def inject_bus_error(self, channel: str, number: int) -> None:
        """SLVERR for the number-th burst from now on."""
        (self.card.inject_read_error if channel == "ar" else self.card.inject_write_error)(number)


async def device(
    dut: Any, timing: TimingModel | None = None, seed: int = 0, *, connections: bool = False
) -> tuple[Harness, CheckBench]:
    """A started harness, and the bench on its first card."""
    harness = Harness(dut, timing=timing, memory_bytes=8 << 20, seed=seed)
    await harness.start()
    card = harness.cards[0]
    nic = Nic1g(card.device, harness.clock)
    controls = CardControls(card)
    bench = CheckBench(harness.clock, card.link, nic, device=card.device, controls=controls, connections=connections)
    return harness, bench

# SPDX-License-Identifier: Apache-2.0
"""One host with two Verilog cards on one interrupt line: one CPU, one memory, one NDIS, an adapter for each card.

host = await two_on_a_line(dut)
host.cards[0].link.send(frame(1)); host.binding(1).send(frame(2))
await host.until(lambda: host.binding(0).received)
await host.finish()
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stack_bench import address

from hilnic import ndis
from hilnic.cosim.harness import Harness
from hilnic.hw.line import CardOnLine, InterruptLine
from hilnic.miniport import driver
from hilnic.miniport.config import NicConfig
from hilnic.protocols.raw import RawProtocol
from hilnic.stack import Stack

VECTORS = 8
"""As the bench builds the NIC."""


class LineHost:
    """The host; `pins` are those of the cards."""

    def __init__(self, harness: Harness, **config: Any) -> None:
        self.harness, self.cards, self.line = harness, harness.cards, InterruptLine()
        devices = [CardOnLine(card.device, self.line, f"card {card.index}", VECTORS) for card in self.cards]
        self.pins = [device.pin for device in devices]
        self.raw = RawProtocol()
        configs = [NicConfig(mac_address=address(card.index), **config) for card in self.cards]
        self.stack = Stack(
            devices[0], harness.clock, protocols=[self.raw], config=configs[0], timing=harness.timing,
            trace=harness.trace,
        )  # fmt: skip
        self.stack.cpu.attach(devices[1])
        self._second, self._driver = devices[1], driver.register(self.stack.host, configs[1])

    async def start(self) -> None:
        """Both adapters run."""
        await self.stack.start()
        status, self._adapter = await ndis.start_adapter(self.stack.host, self._driver, "nic1", self._second)
        assert status is ndis.NdisStatus.SUCCESS

    def binding(self, number: int) -> Any:
        """Of the raw protocol on a card."""
        return self.raw.bindings[f"nic{number}"]

    async def run(self, nanoseconds: int) -> None:
        """Let time pass."""
        await self.harness.sleep(nanoseconds)

    async def until(self, condition: Callable[[], Any], limit_ns: int = 3_000_000) -> None:
        """Until a condition holds."""
        end = self.harness.now_ns + limit_ns
        while not condition():
            assert self.harness.now_ns < end, self.harness.watchdog.report()
            await self.run(1_000)

    async def finish(self) -> None:
        """Halt both; nothing is left behind."""
        await ndis.halt_adapter(self._adapter)
        ndis.deregister_miniport_driver(self._driver)
        await self.stack.stop()
        memory = self.cards[0].memory
        assert memory.live_mappings() == memory.leaks() == []
        assert self.stack.host.report.violations == []
        self.harness.stop()


async def two_on_a_line(dut: Any, **config: Any) -> LineHost:
    """Start them; the cards' cables end at the bench."""
    harness = Harness(dut, cards=2, one_host=True)
    await harness.start()
    host = LineHost(harness, **config)
    await host.start()
    return host

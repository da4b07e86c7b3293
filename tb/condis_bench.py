# SPDX-License-Identifier: Apache-2.0
"""Hosts with connections on Verilog NICs, joined by their wires, each with a client and a call manager of its own.

one, other = await co_hosts(dut)                   # two cards, crossed; three or four: at a switch
ours, theirs = await calls(one, other, vlan=100)   # both ends of a call, told the same VLAN id
ours.send(b"...");  await one.until(lambda: theirs.received)
await finish(one, other)                           # halt; nothing is left behind
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stack_bench import padded

from hilnic.cosim import hostmem
from hilnic.cosim.artefacts import Recorder
from hilnic.cosim.harness import Clocks, Harness
from hilnic.hw.timing import TimingModel
from hilnic.stack import CoConfig
from hilnic.testing import run_record
from hilnic.testing.co_client import ClientCall
from hilnic.testing.co_host import CoHost
from hilnic.wire.link import WireFrame
from hilnic.wire.switch import Switch

run_record.of_simulation(Recorder.current_folder)

__all__ = ["CardHost", "both_ways", "calls", "co_hosts", "finish", "padded"]

SMALL = CoConfig(tx_ring=32, rx_ring=32, rx_buffers=48, rx_low_water=8)
"""Rings and pools that let many connections fit into a small memory."""


class CardHost(CoHost):
    """A CoHost over one card of the bench; `wire` has what its NIC has sent."""

    def __init__(self, harness: Harness, number: int, **options: Any) -> None:
        self.harness, self.card = harness, harness.cards[number]
        super().__init__(self.card.device, harness.clock, number=number, timing=harness.timing, **options)
        self.wire: list[WireFrame] = []
        self.card.link.record = self._record

    def _record(self, from_nic: bool, frame: WireFrame) -> None:
        if from_nic:
            self.wire.append(frame)

    async def until(self, condition: Any, what: str = "", limit_ns: int = 3_000_000) -> None:
        """Until a condition holds; AssertionError with the watchdog's report when it takes too long."""
        try:
            await super().until(condition, what, limit_ns)
        except AssertionError as late:
            raise AssertionError(f"{late}\n{self.harness.watchdog.report()}") from late


async def co_hosts(
    dut: Any,
    cards: int = 2,
    *,
    timing: TimingModel | None = None,
    clocks: tuple[Clocks, ...] = (),
    seed: int = 0,
    limit_ns: int = 200_000_000,
    connections: CoConfig = SMALL,
    protocols: Callable[[int], tuple[Any, ...]] = lambda _number: (),
    drivers: Sequence[Mapping[str, Any]] = (),
    **options: Any,
) -> list[CardHost]:
    """Hosts, running; two are connected to each other, more to a switch. `drivers`: options of each host's own."""
    harness = Harness(dut, timing=timing, clocks=clocks, cards=cards, seed=seed, limit_ns=limit_ns)
    await harness.start()
    if cards > 2:
        Switch([card.link for card in harness.cards])
    found = []
    for card in harness.cards:
        if cards == 2:
            card.settings.wire_mode = hostmem.WIRE_CROSS
        more = protocols(card.index)
        own = {**options, **(drivers[card.index] if drivers else {})}
        host = CardHost(harness, card.index, trace=harness.trace, connections=connections, protocols=more, **own)
        await host.start()
        found.append(host)
    return found


async def calls(one: CoHost, other: CoHost, vlan: int = 100, **parameters: Any) -> tuple[ClientCall, ClientCall]:
    """Both ends of a call."""
    return await one.call(vlan, **parameters), await other.take(vlan, **parameters)


async def both_ways(host: CoHost, ours: ClientCall, theirs: ClientCall) -> None:
    """Data on a VC, there and back."""
    for end, far, data in ((ours, theirs, b"there"), (theirs, ours, b"and back")):
        before = len(far.received)
        end.send(data)
        await host.until(lambda far=far, before=before: len(far.received) > before, "an SDU")
        assert far.received[-1] == data


async def finish(*hosts: CardHost) -> None:
    """Halt everything; every buffer, mapping and burst is gone."""
    for host in hosts:
        await host.stop()
    for host in hosts:
        assert host.card.memory.live_mappings() == []
        assert host.card.memory.leaks() == []
        assert not any(host.card.library.outstanding(host.card.index, write) for write in (False, True))
    hosts[0].harness.stop()

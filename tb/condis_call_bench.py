# SPDX-License-Identifier: Apache-2.0
"""Hosts on Verilog NICs that call each other: a call manager, of either kind, and a client for applications on each.

one, other = await call_hosts(dut, "6-mcm", "6-co")      # miniports: 6-co has a stand-alone call manager on it
ours, theirs = await connected(one, other, sends=Qos(rate=12_500_000, burst=4000, max_sdu=1500))
await finish(one, other)                                 # leave, halt; nothing is left behind
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hilnic.cosim import hostmem
from hilnic.cosim.artefacts import Recorder
from hilnic.cosim.harness import Clocks, Harness
from hilnic.mcm.peer import Settings
from hilnic.miniport_co.mcm import McmConfig
from hilnic.protocols.call_manager import CallManager
from hilnic.protocols.co_client import CoBinding, CoClient, Connection, Qos
from hilnic.protocols.co_client5 import CoClient5
from hilnic.signalling import MessageType, decode
from hilnic.signalling.control import TimerValues
from hilnic.stack import NicConfig, Stack
from hilnic.testing import run_record
from hilnic.wire.ethernet import EthernetFrame

run_record.of_simulation(Recorder.current_folder)

SELECTOR = b"there"
SIGNALLING = 5
REPEAT_NS, TIMES = 250_000, 4
QUIET_NS = 500_000
QUICK = TimerValues(t303=REPEAT_NS, t308=REPEAT_NS, t309=QUIET_NS, t316=REPEAT_NS, t322=REPEAT_NS, attempts=TIMES)
"""A silent peer is given up sooner than by default: simulated time is dear."""
QUICK_MCM = Settings(repeat_ns=REPEAT_NS, quiet_ns=QUIET_NS, times=TIMES)
CARDS = McmConfig(tx_ring=32, rx_ring=32, rx_buffers=48, rx_low_water=8, signalling=QUICK_MCM)
"""Rings and pools that let many connections fit into a small memory."""


class CallHost:
    """One card's host; `wire` has what its NIC has sent, `accepted` the connections that it was offered."""

    def __init__(
        self, harness: Harness, number: int, miniport: Any, client: type[CoClient], connections: McmConfig = CARDS
    ) -> None:
        self.harness, self.card = harness, harness.cards[number]
        self.clock, self.number = harness.clock, number
        self.address = b"\x02\x48\x4e\x00\x00" + bytes([number + 1])
        managers = [] if miniport == "6-mcm" else [CallManager(timers=QUICK)]
        self.stack = Stack(
            self.card.device,
            harness.clock,
            protocols=[*managers, client()],
            config=NicConfig(mac_address=self.address),
            timing=harness.timing,
            trace=harness.trace if number == 0 else None,
            name=f"nic{number}",
            miniport=miniport,
            connections=connections,
        )
        self.accepted: list[Connection] = []
        self.wire: list[Any] = []
        self.card.link.connect(self.wire.append)

    @property
    def client(self) -> CoBinding:
        """The client on the adapter."""
        return self.stack.protocols[-1].bindings[self.stack.name]

    async def start(self) -> None:
        """The client can call and be called."""
        await self.stack.start()
        await self.client.wait_until_ready()
        self.client.listen(SELECTOR, self._accept)

    def _accept(self, connection: Connection) -> bool:
        self.accepted.append(connection)
        return True

    async def call(self, other: CallHost, sends: Qos | None, receives: Qos | None = None, **options: Any) -> Connection:
        """A call to the other host's client."""
        return await self.client.open(other.address, SELECTOR, sends, receives, **options)

    async def until(self, condition: Any, what: str, limit_ns: int = 3_000_000) -> None:
        """Until a condition holds."""
        end = self.clock.now_ns() + limit_ns
        while not condition():
            assert self.clock.now_ns() < end, f"{what}: not within {limit_ns} ns\n{self.harness.watchdog.report()}"
            await self.clock.sleep(1_000)

    def said(self) -> list[MessageType]:
        """The signalling that its NIC has sent."""
        frames = [EthernetFrame.parse(frame.data) for frame in self.wire]
        return [
            decode(frame.payload).message.TYPE for frame in frames if frame.tags and frame.tags[0].vlan == SIGNALLING
        ]


async def call_hosts(
    dut: Any,
    *miniports: Any,
    client: type[CoClient | CoClient5] = CoClient,
    seed: int = 0,
    timing: Any = None,
    connections: McmConfig = CARDS,
    clocks: Sequence[Clocks] = (),
    limit_ns: int = 200_000_000,
) -> list[CallHost]:
    """Two hosts, running, connected to each other."""
    harness = Harness(dut, timing=timing, clocks=clocks, cards=2, seed=seed, limit_ns=limit_ns)
    await harness.start()
    hosts = []
    for number, miniport in enumerate(miniports):
        harness.cards[number].settings.wire_mode = hostmem.WIRE_CROSS
        hosts.append(CallHost(harness, number, miniport, client, connections))
    for host in hosts:
        await host.start()
    await harness.clock.sleep(100_000)  # until the signalling VCs are active
    return hosts


async def connected(
    one: CallHost, other: CallHost, sends: Qos | None, receives: Qos | None = None, **options: Any
) -> tuple[Connection, Connection]:
    """Both ends of a call."""
    ours = await one.call(other, sends, receives, **options)
    theirs = other.accepted[-1]
    await one.until(lambda: theirs.state is ours.state, "the connection at the other end")
    return ours, theirs


async def finish(*hosts: CallHost) -> None:
    """Leave and halt everything; every buffer, mapping and burst is gone."""
    for host in hosts:
        await host.client.leave()
    await hosts[0].clock.sleep(200_000)
    for host in hosts:
        await host.stack.stop()
    for host in hosts:
        assert host.card.memory.live_mappings() == []
        assert host.card.memory.leaks() == []
        assert not any(host.card.library.outstanding(host.card.index, write) for write in (False, True))
    hosts[0].harness.stop()

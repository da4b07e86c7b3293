# SPDX-License-Identifier: Apache-2.0
"""Hosts on Verilog NICs that call each other: a call manager, of either kind, and a client for applications on each.

one, other = await call_hosts(dut, "6-mcm", "5-co")      # miniports: on -co there is a stand-alone call manager
ours, theirs = await connected(one, other, sends=Qos(rate=12_500_000, burst=4000, max_sdu=1500))
pull(one, other);  plug(one, other)                      # the cable between two; three or four hosts are at a switch
await finish(one, other)                                 # leave, halt; nothing is left behind
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hilnic.cosim import hostmem
from hilnic.cosim.artefacts import Recorder
from hilnic.cosim.harness import Clocks, Harness
from hilnic.mcm.peer import Settings
from hilnic.miniport_co.mcm import McmConfig
from hilnic.ndis.ndis import VerifyMode
from hilnic.protocols.call_manager import CallManager
from hilnic.protocols.call_manager5 import CallManager5
from hilnic.protocols.cm_resources import HIGHEST, LOWEST
from hilnic.protocols.co_client import CoBinding, CoClient, Connection, Qos
from hilnic.protocols.co_client5 import CoClient5
from hilnic.signalling import MessageType, decode
from hilnic.signalling.control import TimerValues
from hilnic.stack import HostProtocol, NicConfig, Stack
from hilnic.testing import run_record
from hilnic.testing.vcs import vlan_of
from hilnic.wire.ethernet import EthernetFrame
from hilnic.wire.link import WireFrame
from hilnic.wire.switch import Switch

run_record.of_simulation(Recorder.current_folder)

SELECTOR = b"there"
SIGNALLING = 5


@dataclass(frozen=True, slots=True)
class Patience:
    """When either call manager gives a silent peer up: sooner than by default, for simulated time is dear."""

    repeat_ns: int = 250_000
    quiet_ns: int = 500_000
    times: int = 4

    @property
    def timers(self) -> TimerValues:
        """Of the stand-alone call manager."""
        repeated = dict.fromkeys(("t303", "t308", "t313", "t316", "t322", "t360", "t398", "t399"), self.repeat_ns)
        return TimerValues(t309=self.quiet_ns, attempts=self.times, **repeated)

    @property
    def settings(self) -> Settings:
        """Of the integrated one."""
        return Settings(repeat_ns=self.repeat_ns, quiet_ns=self.quiet_ns, times=self.times)


QUICK = Patience()
CARDS = McmConfig(tx_ring=32, rx_ring=32, rx_buffers=48, rx_low_water=8, signalling=QUICK.settings)
"""Rings and pools that let many connections fit into a small memory."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a host has of everything that calls take; promises in bytes per second."""

    vlan_ids: int
    promised: int
    vcs: int
    entries: int


class CallHost:
    """One card's host; `wire` has what its NIC has sent, `accepted` the connections that it was offered."""

    def __init__(
        self,
        harness: Harness,
        number: int,
        miniport: Any,
        client: type[CoClient],
        connections: McmConfig = CARDS,
        *,
        nic: NicConfig | None = None,
        others: Sequence[HostProtocol] = (),
        verify: VerifyMode = "fast",
        patience: Patience = QUICK,
    ) -> None:
        self.harness, self.card = harness, harness.cards[number]
        self.clock, self.number, self.miniport = harness.clock, number, miniport
        self.address = b"\x02\x48\x4e\x00\x00" + bytes([number + 1])
        self.is_integrated = miniport.endswith("-mcm")
        manager = CallManager5 if client is CoClient5 else CallManager  # of its client's version
        managers = [] if self.is_integrated else [manager(timers=patience.timers)]
        self.stack = Stack(
            self.card.device,
            harness.clock,
            protocols=[*managers, *others, client()],
            verify=verify,
            config=replace(nic or NicConfig(), mac_address=self.address),
            timing=harness.timing,
            trace=harness.trace,
            name=f"nic{number}",
            miniport=miniport,
            connections=connections,
        )
        self.accepted: list[Connection] = []
        self.wire: list[WireFrame] = []
        self.on_message: Callable[[MessageType], None] | None = None
        """Hears of each message that its NIC has sent to another station."""
        self.card.link.record = self._record

    def _record(self, from_nic: bool, frame: WireFrame) -> None:
        if from_nic:
            self.wire.append(frame)
            if self.on_message is not None and (message := message_in(frame)) is not None:
                self.on_message(message)

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
        return [message for _, message in self.said_at()]

    def said_at(self) -> list[tuple[int, MessageType]]:
        """With the times at which it was on the wire."""
        return [(frame.time_ns, message) for frame in self.wire if (message := message_in(frame)) is not None]

    def left_to_promise(self) -> int:
        """Bytes per second that new calls may still be promised."""
        return self.ledger.left if self.is_integrated else self.manager.line.free

    # What calls take.

    @property
    def manager(self) -> Any:
        """The stand-alone call manager on the adapter."""
        return self.stack.protocols[0].bindings[self.stack.name]

    @property
    def ledger(self) -> Any:
        """What the integrated one has handed out."""
        return self.stack.connections.nic.mcm.ledger

    def holdings(self) -> Holdings:
        """What the host holds now."""
        if self.is_integrated:
            vlan_ids, promised = len(self.ledger.ids), sum(self.ledger.promises.values())
        else:
            vlan_ids, promised = len(self.manager.ids), self.manager.line.rate - self.manager.line.free
        vcs, entries = self.stack.adapter.co.vcs, self.stack.connections.by_entry
        return Holdings(vlan_ids, promised, len(vcs), len(entries))

    def leave_ids(self, *free: int) -> None:
        """Take every other VLAN id that calls could have, for good."""
        every = [vlan_id for vlan_id in range(LOWEST, HIGHEST + 1) if vlan_id not in free]
        for vlan_id in every:
            if self.is_integrated:
                self.ledger.take_one_of(self, (vlan_id,))
            else:
                self.manager.ids.choose((vlan_id,))

    def give_ids(self, *vlan_ids: int) -> None:
        """Calls may have these again."""
        if self.is_integrated:
            self.ledger.back(*vlan_ids)
        else:
            self.manager.ids.give_back(*vlan_ids)


def message_in(frame: WireFrame) -> MessageType | None:
    """The signalling message of a frame."""
    if vlan_of(frame.data) != SIGNALLING:
        return None
    return decode(EthernetFrame.parse(frame.data).payload).message.TYPE


async def call_hosts(
    dut: Any,
    *miniports: Any,
    client: type[CoClient | CoClient5] | Sequence[type[CoClient | CoClient5]] = CoClient,
    seed: int = 0,
    timing: Any = None,
    connections: McmConfig = CARDS,
    clocks: Sequence[Clocks] = (),
    limit_ns: int = 200_000_000,
    patience: Patience = QUICK,
    others: Callable[[int], Sequence[HostProtocol]] = lambda _number: (),
) -> list[CallHost]:
    """A running host for each miniport; two are connected to each other, more to a switch."""
    number_of = len(miniports)
    clients = list(client) if isinstance(client, Sequence) else [client] * number_of
    harness = Harness(dut, timing=timing, clocks=clocks, cards=number_of, seed=seed, limit_ns=limit_ns)
    await harness.start()
    if number_of > 2:
        Switch([card.link for card in harness.cards])
    hosts = []
    for number, (miniport, kind) in enumerate(zip(miniports, clients, strict=True)):
        more = others(number)
        hosts.append(CallHost(harness, number, miniport, kind, connections, others=more, patience=patience))
    if number_of == 2:
        plug(*hosts)
    for host in hosts:
        await host.start()
    await harness.clock.sleep(100_000)  # until the signalling VCs are active
    return hosts


def plug(*hosts: CallHost) -> None:
    """The cable is in: what one of two NICs sends the other receives."""
    for host in hosts:
        host.card.settings.wire_mode, host.card.settings.link_up = hostmem.WIRE_CROSS, 1


def pull(*hosts: CallHost) -> None:
    """The cable is out: what a NIC sends is lost."""
    for host in hosts:
        host.card.settings.wire_mode, host.card.settings.link_up = hostmem.WIRE_ENDS, 0


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

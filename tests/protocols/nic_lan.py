# SPDX-License-Identifier: Apache-2.0
"""Hosts with the NIC's twin, its connection-oriented driver, a call manager and a client, on a cable or a switch."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from hilnic.hw.clock import VirtualClock
from hilnic.hw.memory import HostMemory
from hilnic.model.build import Build
from hilnic.model.nic import ModelNic
from hilnic.protocols.call_manager import CallManager
from hilnic.protocols.call_manager5 import CallManager5
from hilnic.protocols.co_client import CoBinding, CoClient, Connection, Qos
from hilnic.protocols.co_client5 import CoClient5
from hilnic.stack import CoConfig, MiniportKind, NicConfig, Stack
from hilnic.wire.link import WireFrame, join
from hilnic.wire.switch import Switch

FAST = Qos(rate=12_500_000, burst=4000, max_sdu=1500)
SMALL = CoConfig(tx_ring=32, rx_ring=32, rx_buffers=48, rx_low_water=8)


class NicLan:
    """`cut` NICs are off the wire. Of NDIS 5 are all drivers of a host whose miniport is."""

    def __init__(self, hosts: int = 2, vcs: int = 8, miniport: MiniportKind = "6-co") -> None:
        self.clock = VirtualClock()
        build = Build(num_tx_queues=vcs + 1, num_rx_queues=vcs + 1, num_vcs=vcs)
        self.memories = [HostMemory(4 << 20) for _ in range(hosts)]
        self.nics = [
            ModelNic(self.clock, memory, None, build, name=f"nic{n}") for n, memory in enumerate(self.memories)
        ]
        self.cut: set[int] = set()
        self.frames: list[tuple[int, WireFrame]] = []
        plugs = [Plug(self, number, nic) for number, nic in enumerate(self.nics)]
        if hosts == 2:
            join(*plugs)
        else:
            self.switch = Switch(plugs)
        self.stacks = [self._stack(number, nic, miniport) for number, nic in enumerate(self.nics)]
        for stack in self.stacks:
            self.run(stack.start())
        self.clients: list[CoBinding] = [stack.protocols[-1].bindings[stack.name] for stack in self.stacks]
        for client in self.clients:
            self.run(client.wait_until_ready())
        self.sleep(100_000)  # until the signalling VCs are active
        self.accepted: list[Connection] = []

    def _stack(self, number: int, nic: ModelNic, miniport: MiniportKind) -> Stack:
        config = NicConfig(mac_address=self.address(number))
        of_5 = miniport.startswith("5")
        protocols: list[Any] = [] if miniport.endswith("mcm") else [CallManager5() if of_5 else CallManager()]
        protocols.append(CoClient5() if of_5 else CoClient())
        return Stack(
            nic,
            self.clock,
            protocols=protocols,
            config=config,
            name=f"nic{number}",
            miniport=miniport,
            connections=SMALL,
        )

    @staticmethod
    def address(number: int) -> bytes:
        return b"\x02\x48\x4e\x00\x00" + bytes([number + 1])

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.clock.run(work)

    def sleep(self, ns: int) -> None:
        self.run(self.clock.sleep(ns))

    def accept(self, connection: Connection) -> bool:
        self.accepted.append(connection)
        return True

    def open(self, caller: int = 0, called: int = 1, sends: Qos | None = FAST, receives: Qos | None = FAST, **more):
        if b"there" not in self.clients[called].listeners:
            self.clients[called].listen(b"there", self.accept)
        connection = self.run(self.clients[caller].open(self.address(called), b"there", sends, receives, **more))
        self.sleep(50_000)
        return connection, self.accepted[-1]

    def stop(self) -> None:
        for client in self.clients:
            self.run(client.leave())
        self.sleep(10_000_000)
        for stack in self.stacks:
            self.run(stack.stop())
        for memory in self.memories:
            assert memory.live_mappings() == []
            assert memory.leaks() == []


class Plug:
    """A NIC's wire end; frames of a NIC that is cut off go nowhere."""

    def __init__(self, lan: NicLan, number: int, nic: ModelNic) -> None:
        self._lan, self._number, self._link = lan, number, nic.wire

    def send(self, frame: bytes | WireFrame, at: int | None = None) -> None:
        if self._number not in self._lan.cut:
            self._link.send(frame, at)

    def connect(self, receiver: Any) -> None:
        def hear(frame: WireFrame) -> None:
            self._lan.frames.append((self._number, frame))
            if self._number not in self._lan.cut:
                receiver(frame)

        self._link.connect(hear)

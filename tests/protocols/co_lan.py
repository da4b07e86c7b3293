# SPDX-License-Identifier: Apache-2.0
"""Hosts with a call manager and an application-like client each, on one functional wire."""

from __future__ import annotations

import pytest

from hilnic.ndis import NdisStatus
from hilnic.protocols.call_manager import CallManager
from hilnic.protocols.co_client import CallFailed, CoBinding, CoClient, Connection, Qos
from hilnic.testing.co_wire import CoHost, CoLan, WiredCoMiniport

from .wired_mcm import WiredMcm

FAST = Qos(rate=12_500_000, burst=4000, max_sdu=1500)


class Lan:
    """Hosts with a call manager and a client each."""

    def __init__(self, kinds: str = "cc", slow_ns: int = 0) -> None:
        """A letter a host: c has a stand-alone call manager, m an integrated one."""
        miniports = [WiredMcm if kind == "m" else WiredCoMiniport for kind in kinds]
        self.lan = CoLan(miniports, slow_ns=slow_ns)
        for kind, host in zip(kinds, self.lan.hosts, strict=True):
            if kind == "c":
                host.add(CallManager())
            host.add(CoClient())
            host.start()
        self.lan.run_for(0.1)
        self.clients = [self.client_of(host) for host in self.lan.hosts]
        self.accepted: list[Connection] = []
        self.heard: list[dict[Connection | None, list[str]]] = [{} for _ in self.clients]
        for client, heard in zip(self.clients, self.heard, strict=True):
            client.on_heard = lambda connection, what, heard=heard: heard.setdefault(connection, []).append(what)

    @staticmethod
    def client_of(host: CoHost) -> CoBinding:
        return host.drivers[-1].bindings[host.miniport.name]

    def resources(self, number: int) -> tuple[int, int]:
        """(VLAN ids taken, promised octets per second) of a host's call manager."""
        host = self.lan.hosts[number]
        if isinstance(host.miniport, WiredMcm):
            ledger = host.miniport.mcm.ledger
            return len(ledger.ids), sum(ledger.promises.values())
        manager = host.drivers[0].bindings[host.miniport.name]
        return len(manager.ids), manager.line.rate - manager.line.free

    def accept(self, connection: Connection) -> bool:
        self.accepted.append(connection)
        return True

    def open(self, caller: int = 0, called: int = 1, sends: Qos | None = FAST, receives: Qos | None = FAST, **more):
        self.listen(called)
        connection = self.lan.run(
            self.clients[caller].open(self.lan.hosts[called].address, b"there", sends, receives, **more)
        )
        self.lan.run_for(0.1)
        return connection, self.accepted[-1]

    def listen(self, number: int) -> None:
        if b"there" not in self.clients[number].listeners:
            self.clients[number].listen(b"there", self.accept)

    def stop(self) -> None:
        for client in self.clients:
            self.lan.run(client.leave())
        self.lan.run_for(10)
        assert {self.resources(number) for number in range(len(self.clients))} == {(0, 0)}
        self.lan.stop()

    def refuses(self, status: NdisStatus, **options) -> None:
        with pytest.raises(CallFailed) as caught:
            self.open(**options)
        assert caught.value.status is status

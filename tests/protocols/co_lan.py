# SPDX-License-Identifier: Apache-2.0
"""Hosts with a call manager and an application-like client each, on one functional wire."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from hilnic.ndis import NdisStatus
from hilnic.protocols.call_manager import CallManager
from hilnic.protocols.call_manager5 import CallManager5
from hilnic.protocols.co_client import CallFailed, CoBinding, CoClient, Connection, Qos
from hilnic.protocols.co_client5 import CoClient5
from hilnic.testing.co_wire import CoHost, CoLan, WiredCoMiniport, WiredCoMiniport5

from .wired_mcm import McmPlug, WiredMcm, WiredMcm5

FAST = Qos(rate=12_500_000, burst=4000, max_sdu=1500)


@dataclass(frozen=True)
class Kind:
    """The drivers of a host; without a call manager the miniport is one."""

    miniport: Any
    manager: Any
    client: Any

    def __str__(self) -> str:
        """Versions of miniport, call manager and client."""
        of_5 = [each in OF_5 for each in (self.miniport, self.manager, self.client)]
        miniport, manager, client = ("5" if five else "6" for five in of_5)
        return f"client {client}, {f'manager {manager}, miniport' if self.manager else 'MCM'} {miniport}"


OF_5 = {WiredCoMiniport5, WiredMcm5, CallManager5, CoClient5}
CLIENTS = (CoClient, CoClient5)
STAND_ALONE = [
    Kind(*drivers)
    for drivers in itertools.product((WiredCoMiniport, WiredCoMiniport5), (CallManager, CallManager5), CLIENTS)
]
INTEGRATED = [Kind(miniport, None, client) for miniport in (WiredMcm, WiredMcm5) for client in CLIENTS]
KINDS = {
    "c": STAND_ALONE[0],  # of NDIS 6
    "C": STAND_ALONE[-1],  # of NDIS 5
    "m": INTEGRATED[0],
    "M": INTEGRATED[-1],
}
"""c: with a stand-alone call manager; m: with an integrated one; in capitals: everything is of NDIS 5."""


class Lan:
    """Hosts with a call manager and a client each."""

    def __init__(self, kinds: str | Sequence[Kind] = "cc", slow_ns: int = 0) -> None:
        """A letter of KINDS for each host, or the drivers themselves."""
        kinds = [KINDS[kind] if isinstance(kind, str) else kind for kind in kinds]
        self.lan = CoLan([kind.miniport for kind in kinds], slow_ns=slow_ns)
        for kind, host in zip(kinds, self.lan.hosts, strict=True):
            if kind.manager is not None:
                host.add(kind.manager())
            host.add(kind.client())
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
        if isinstance(host.miniport, McmPlug):
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

# SPDX-License-Identifier: Apache-2.0
"""Clients that do anything at any time over a wire that harms anything: no violation, no leak, agreement in the end."""

from __future__ import annotations

import os
import random

import pytest

from hilnic.protocols.co_client import CallFailed, Connection, ConnectionState, Qos
from hilnic.signalling import CalledAddress

from .co_lan import Lan

SOAK = "HILNIC_SOAK" in os.environ


class Chaos:
    """Three hosts, and a wish now and then."""

    def __init__(self, seed: int, kinds: str) -> None:
        self.dice = random.Random(seed)
        self.lan = Lan(kinds, slow_ns=self.dice.choice((0, 3000, 50_000)))
        self.lan.accept = self.accept
        for number in range(3):
            self.lan.listen(number)
        self.lan.lan.harm = self.harm
        self.harms = True
        self.failed = 0

    def accept(self, connection: Connection) -> bool:
        self.lan.accepted.append(connection)
        return self.dice.randrange(5) > 0

    def harm(self, sdu: bytes) -> list[bytes]:
        if not self.harms:
            return [sdu]
        fate = self.dice.randrange(20)
        return [] if fate < 3 else [sdu[: self.dice.randrange(len(sdu))]] if fate < 5 else [sdu] * (1 + (fate < 8))

    def rage(self, steps: int) -> None:
        for _ in range(steps):
            self.lan.lan.kernel.start(self.wish())
            self.lan.lan.kernel.run_for(self.dice.randrange(200_000))

    async def wish(self) -> None:
        number = self.dice.randrange(3)
        client = self.lan.clients[number]
        others = [host.address for host in self.lan.lan.hosts if host is not self.lan.lan.hosts[number]]
        live = [each for each in client.connections if each.state is ConnectionState.OPEN]
        mine = [each for each in live if each.is_own]
        kind = self.dice.randrange(10)
        try:
            if kind < 3 or not live:
                await client.open(self.dice.choice(others), b"there", self.qos(), self.qos())
            elif kind < 4:
                await client.open_multipoint(self.dice.sample(others, 2), b"there", self.qos())
            elif kind < 6:
                await self.dice.choice(live).close(b"x")
            elif kind < 8 and mine:
                await self.dice.choice(mine).change(self.qos(), self.qos())
            elif kind < 9 and mine:
                await self.dice.choice(mine).add_party(CalledAddress(self.dice.choice(others), b"there"))
            else:
                self.dice.choice(live).send(bytes(self.dice.randrange(1, 1400)))
        except CallFailed:
            self.failed += 1

    def qos(self) -> Qos:
        return Qos(rate=self.dice.choice((1_000_000, 20_000_000, 100_000_000)), burst=4000, max_sdu=1500)


@pytest.mark.parametrize("kinds", ["ccc", "mmm", "cMC"])
@pytest.mark.parametrize("seed", range(60 if SOAK else 2))
def test_any_wishes_over_any_wire_leave_nothing(seed: int, kinds: str) -> None:
    chaos = Chaos(seed, kinds)
    chaos.rage(80)
    chaos.harms = False
    chaos.lan.lan.run_for(100)
    clients = chaos.lan.clients
    ends = sum(len([each for each in client.connections if not each.is_multipoint]) for client in clients)
    assert ends % 2 == 0
    assert {each.state for client in clients for each in client.connections} <= {ConnectionState.OPEN}
    chaos.lan.stop()

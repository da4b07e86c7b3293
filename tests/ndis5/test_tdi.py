# SPDX-License-Identifier: Apache-2.0
"""R5-33: a highest-level protocol whose clients keep the received packet until each has returned it."""

from __future__ import annotations

import random

import pytest

from hilnic.ndis import NdisStatus, ndis5
from hilnic.ndis.ndis5 import Tsdu, tdi_return_chained_receives
from hilnic.testing import expect_violation
from hilnic.testing.protocol5 import FunctionalProtocol5


class Client:
    """Wants the frames whose number it divides; keeps them until told."""

    def __init__(self, divisor: int) -> None:
        self.divisor = divisor
        self.held: list[tuple[Tsdu, bytes]] = []

    def wants(self, frame: bytes) -> bool:
        return frame[17] % self.divisor == 0

    def give_back(self, number: int) -> None:
        going, self.held = self.held[:number], self.held[number:]
        for tsdu, frame in going:
            assert tsdu.tobytes() == frame  # readable, and unchanged, until its own return
        if going:
            tdi_return_chained_receives([tsdu for tsdu, _ in going])

    def __repr__(self) -> str:
        return f"Client({self.divisor})"


class HighestLevel(FunctionalProtocol5):
    """Forwards each packet to the clients that want it and answers their number."""

    clients: tuple[Client, ...] = ()

    def receive_packet(self, packet):
        frame = packet.tobytes()
        takers = [client for client in self.clients if client.wants(frame)]
        if ndis5.get_packet_status(packet) == NdisStatus.RESOURCES:
            return 0
        for client in takers:
            client.held.append((Tsdu(self.open, packet, client), frame))
        return len(takers)


def started(bench5, *divisors: int, **options):
    b = bench5(handlers=("packet",), protocol=HighestLevel, **options)
    b.fp.clients = tuple(Client(divisor) for divisor in divisors)
    return b, b.fp.clients


@pytest.mark.rule("R5-33")
@pytest.mark.parametrize("serialized", [True, False])
def test_each_client_pays_for_its_own_access(bench5, serialized):
    b, clients = started(bench5, 1, 1, 2, serialized=serialized)
    (packet,) = b.fm.indicate(b.frame(2))
    for client in clients:
        assert b.fm.returned == []
        client.give_back(1)
    assert b.fm.returned == [packet]


@pytest.mark.rule("R5-33")
def test_no_interested_client_means_0(bench5):
    b, _ = started(bench5, 2, 4)
    (packet,) = b.fm.indicate(b.frame(3))
    assert b.fm.returned == [packet]


@pytest.mark.rule("R5-33")
@pytest.mark.parametrize("seed", range(3))
def test_clients_hold_subsets_for_random_times_while_ten_times_the_pool_comes_in(bench5, seed):
    rng = random.Random(seed)
    b, clients = started(bench5, 1, 2, 3, serialized=bool(seed % 2))
    size, sent, scarce = b.fm.pool.size, 0, 0
    while sent < 10 * size:
        free = size - len(b.fm.pool.live)
        if free > 4:
            packets = b.fm.indicate(b.frame(sent % 250))
        elif free:
            packets = b.fm.indicate(b.frame(sent % 250), status=NdisStatus.RESOURCES)
            scarce += 1
        else:
            packets = []
        sent += len(packets)
        client = rng.choice(clients)
        client.give_back(rng.randrange(len(client.held) + 1) if free > 2 else len(client.held))
        for packet in b.fm.returned:
            assert packet.tobytes() == b"\xdd" * 60  # the card sees a buffer again only after the last client
        b.fm.release()
    for client in clients:
        client.give_back(len(client.held))
    b.fm.release()
    assert len(b.fm.pool.live) == 0
    assert b.ndis.report.violations == []


@pytest.mark.rule("R5-33")
@pytest.mark.mutant("R5-33")
def test_mutant_client_returns_twice(bench5):
    b, clients = started(bench5, 1, 1)
    b.fm.indicate(b.frame())
    tsdu = clients[0].held[0][0]
    tdi_return_chained_receives([tsdu])
    with expect_violation(b.ndis, "R5-33"):
        tdi_return_chained_receives([tsdu])
    assert b.fm.returned == []  # the other client still has its reference


@pytest.mark.rule("R5-33")
@pytest.mark.mutant("R5-33")
def test_mutant_client_reads_after_its_return(bench5):
    b, clients = started(bench5, 1, 1)
    b.fm.indicate(b.frame())
    tsdu = clients[0].held[0][0]
    tdi_return_chained_receives([tsdu])
    with expect_violation(b.ndis, "R5-33"):
        tsdu.tobytes()

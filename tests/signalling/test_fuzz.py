# SPDX-License-Identifier: Apache-2.0
"""Whatever the wire does, both ends agree in the end and nobody keeps anything; hostile octets change nothing."""

import os
import random

import pytest

from hilnic.signalling import Flow, TrafficContract, decode, encode
from hilnic.signalling.control import Counted, Limits
from hilnic.signalling.control.leg import Link

from .network import FAST, MICROSECOND, MILLISECOND, A, B, Clock, Station, Wire
from .strategies import SAMPLES

SOAK = "HILNIC_SOAK" in os.environ
HARM = {
    "loss": {"loss": 25},
    "doubling": {"doubling": 60},
    "shuffling": {"shuffling": 60},
    "cutting": {"cutting": 25},
    "all": {"loss": 15, "doubling": 30, "shuffling": 40, "cutting": 10},
    "storm": {"loss": 60, "doubling": 30, "shuffling": 50, "cutting": 10},
}


class Chaos:
    """Two stations whose clients do anything at any time, on a wire that harms anything."""

    def __init__(self, seed: int, harm: dict[str, int]) -> None:
        self.dice = random.Random(seed)
        self.clock = Clock()
        self.wire = Wire(self.clock, self.dice, **harm)
        self.stations = [self.station(A), self.station(B)]

    def station(self, address: bytes) -> Station:
        station = Station(self.wire, address)
        station.answers = lambda: self.dice.randrange(100) < 80
        station.slow_ns = lambda: self.dice.choice((0, 0, 100 * MICROSECOND, 2 * MILLISECOND))
        return station

    def rage(self, steps: int) -> None:
        for _ in range(steps):
            self.clock.run_for(self.dice.randrange(MILLISECOND))
            me, other = self.dice.sample(self.stations, 2)
            live = [record for record in me.records if not record.confirms]
            wish = self.dice.randrange(10)
            if wish < 4 or not live:
                me.call(other.address)
            elif wish < 5:
                me.add_party(other.address)
            elif wish < 7:
                me.modify(self.dice.choice(live), TrafficContract(Flow(self.dice.randrange(1, 999), 3000), FAST))
            else:
                me.hang_up(self.dice.choice(live))

    def settle(self) -> None:
        """A good wire, and time for every timer to run out."""
        self.wire.heal()
        self.clock.run_for(150 * MILLISECOND)

    def end(self) -> None:
        for station in self.stations:
            for record in station.records:
                station.hang_up(record)
        self.clock.run_for(150 * MILLISECOND)


@pytest.mark.parametrize("harm", HARM)
@pytest.mark.parametrize("seed", range(100 if SOAK else 5))
def test_after_any_harm_both_ends_agree_and_nothing_is_left(harm: str, seed: int) -> None:
    chaos = Chaos(seed, HARM[harm])
    chaos.rage(60)
    chaos.settle()
    one, other = chaos.stations
    assert one.active == other.active
    assert (one.live, other.live) == (len(one.active), len(other.active))
    chaos.end()
    records = one.records + other.records
    assert {record.confirms for record in records} == {1}
    assert {record.indications for record in records} <= {0, 1}
    assert (one.kept, other.kept, chaos.clock.pending()) == (0, 0, 0)


def test_harm_is_done() -> None:
    chaos = Chaos(1, HARM["all"])
    chaos.rage(60)
    counts = [station.control.statistics for station in chaos.stations]
    assert sum(count.repeated for count in counts) > 20
    assert {Counted.MALFORMED, Counted.LATE} <= {why for count in counts for why in count.not_taken}


class Attacked:
    """A connected pair, and somebody on the wire who says what he likes in B's name."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.dice = random.Random(7)
        self.clock = Clock()
        self.wire = Wire(self.clock, self.dice)
        self.a, self.b = Station(self.wire, A, limits=limits), Station(self.wire, B)
        self.a.call(B)
        self.b.call(A)
        self.clock.run_for(2 * MILLISECOND)

    def size(self) -> int:
        """All that A keeps for its peers."""
        control = self.a.control
        return len(control.links) + control.leg_count + sum(len(link.waiting) for link in control.links.values())


def test_random_octets_do_no_harm() -> None:
    attacked = Attacked()
    for _ in range(2000):
        attacked.a.receive(attacked.dice.randbytes(attacked.dice.randrange(120)))
        attacked.a.receive(b"\x48\x01" + attacked.dice.randbytes(attacked.dice.randrange(120)))
    attacked.clock.run_for(20 * MILLISECOND)
    assert attacked.a.active == attacked.b.active
    assert len(attacked.a.active) == 2


def test_damaged_copies_of_true_messages_never_raise() -> None:
    attacked = Attacked()
    for octets in list(attacked.wire.sent) * 40:
        damaged = bytearray(octets)
        damaged[attacked.dice.randrange(len(damaged))] ^= 1 << attacked.dice.randrange(8)
        attacked.a.receive(bytes(damaged))
        attacked.b.receive(bytes(damaged))
        attacked.clock.run_for(10 * MICROSECOND)
    attacked.clock.run_for(150 * MILLISECOND)
    assert attacked.a.active == attacked.b.active


def test_any_message_in_any_state_never_raises_and_both_ends_agree() -> None:
    attacked = Attacked()
    for _ in range(2500):
        header, message = attacked.dice.choice(SAMPLES)
        tag = attacked.a.control.links[B].incarnation if B in attacked.a.control.links else 0
        forged = type(header)(
            A, B, tag, attacked.dice.randrange(4) if header.reference else 0, attacked.dice.random() < 0.5,
            attacked.dice.randrange(3),
        )  # fmt: skip
        attacked.a.receive(encode(forged, message) if header.reference == 0 or forged.reference else b"")
        attacked.clock.run_for(attacked.dice.randrange(50 * MICROSECOND))
    attacked.clock.run_for(200 * MILLISECOND)
    assert attacked.a.active == attacked.b.active


def test_a_flood_of_calls_is_refused_at_the_limit() -> None:
    attacked = Attacked(Limits(peers=8, legs=20, incoming_legs=10))
    attacked.a.slow_ns = lambda: 1000 * MILLISECOND
    for _ in range(100):
        attacked.b.call(A)
    attacked.clock.run_for(5 * MILLISECOND)
    assert attacked.a.control.links[B].incoming == 10
    assert attacked.a.control.leg_count <= 20


def test_a_flood_of_strangers_takes_no_more_links_than_the_limit() -> None:
    attacked = Attacked(Limits(peers=8, legs=20, incoming_legs=10))
    restart = next(octets for octets in attacked.wire.sent if type(decode(octets).message).__name__ == "Restart")
    for number in range(500):
        header, message = decode(restart)
        stranger = bytes((2, 1)) + number.to_bytes(4, "big")
        attacked.a.receive(encode(type(header)(A, stranger, 0), message))
    assert len(attacked.a.control.links) <= 8
    attacked.clock.run_for(20 * MILLISECOND)
    assert attacked.a.active == attacked.b.active
    assert len(attacked.a.active) == 2


def test_what_a_station_keeps_does_not_grow_with_what_it_hears() -> None:
    attacked = Attacked()
    before = attacked.size()
    for octets in list(attacked.wire.sent) * 50:
        attacked.a.receive(octets)
    assert attacked.size() == before


def test_no_answer_is_longer_than_twice_its_question() -> None:
    attacked = Attacked()
    header, _ = decode(attacked.wire.sent[-1])
    for _, message in SAMPLES:
        if message.TYPE.name.startswith("RESTART"):
            continue
        tag = attacked.a.control.links[B].incarnation
        attacked.a.answers = lambda: False
        question = encode(type(header)(A, B, tag, 999), message)
        before = len(attacked.wire.sent)
        attacked.a.receive(question)
        answers = attacked.wire.sent[before:]
        assert sum(map(len, answers)) <= 2 * len(question)


@pytest.mark.parametrize("wrap", [0x7FF0, 0])
def test_references_are_told_apart_over_their_wrap(wrap: int) -> None:
    link = Link(B, 1)
    link.next_reference = wrap or 1
    for _ in range(10_000):
        reference = link.allot_reference()
        assert not link.is_used(reference)
        link.note_reference(reference)
        assert link.is_used(reference)
        assert 1 <= reference <= 0x7FFF

# SPDX-License-Identifier: Apache-2.0
"""Whatever the wire does, both ends agree in the end and nobody keeps anything; hostile octets change nothing."""

import os
import random

import pytest

from hilnic.mcm.peer import Settings
from hilnic.signalling import Cause, Flow, Header, Incarnation, Message, TrafficContract, Versions, encode
from hilnic.signalling.control import Counted, Limits
from hilnic.signalling.control.leg import Link
from hilnic.signalling.messages import LAYOUTS, Restart, Scope

from .mcm_end import McmEnd
from .network import FAST, MICROSECOND, MILLISECOND, A, B, Clock, Station, Wire
from .strategies import SAMPLES

SOAK = "HILNIC_SOAK" in os.environ
HARM = {
    "loss": {"loss": 25},
    "doubling": {"doubling": 60},
    "shuffling": {"shuffling": 60},
    "cutting": {"cutting": 25},
    "all": {"loss": 15, "doubling": 30, "shuffling": 40, "cutting": 10},
    "drizzle": {"loss": 4, "doubling": 10, "shuffling": 2},
    "storm": {"loss": 60, "doubling": 30, "shuffling": 50, "cutting": 10},
}
PEACEFUL = {"doubling", "drizzle"}
"""Harm that repetition makes good."""
FAILURES = {Cause.DESTINATION_OUT_OF_ORDER, Cause.RECOVERY_ON_TIMER_EXPIRY, Cause.TEMPORARY_FAILURE}
KINDS = {"tables": (Station, Station), "mcm": (McmEnd, McmEnd), "both": (Station, McmEnd)}
"""Of call control: the stand-alone call manager's, the integrated one's, one of each."""


class Chaos:
    """Two stations whose clients do anything at any time, on a wire that harms anything."""

    def __init__(self, seed: int, harm: dict[str, int], kinds: str = "tables") -> None:
        self.dice = random.Random(seed)
        self.clock = Clock()
        self.wire = Wire(self.clock, self.dice, **harm)
        one, other = KINDS[kinds]
        self.stations = [self.station(one(self.wire, A)), self.station(other(self.wire, B))]

    def station(self, station: Station | McmEnd) -> Station | McmEnd:
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

    def errors(self) -> set[Counted]:
        """What no honest station gives another cause for, whatever the wire does."""
        counts = [station.control.statistics for station in self.stations if isinstance(station, Station)]
        return {Counted.WRONG_STATE, Counted.REPORTED} & {why for count in counts for why in count.not_taken}

    def end(self) -> None:
        for station in self.stations:
            for record in station.records:
                station.hang_up(record)
        self.clock.run_for(150 * MILLISECOND)


@pytest.mark.parametrize("kinds", KINDS)
@pytest.mark.parametrize("harm", HARM)
@pytest.mark.parametrize("seed", range(100 if SOAK else 2))
def test_after_any_harm_both_ends_agree_and_nothing_is_left(harm: str, kinds: str, seed: int) -> None:
    chaos = Chaos(seed, HARM[harm], kinds)
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
    assert not chaos.errors()
    assert harm not in PEACEFUL or not {*one.causes, *other.causes} & FAILURES


@pytest.mark.parametrize("harm", HARM)
def test_both_kinds_of_call_control_say_the_same_word_for_word(harm: str) -> None:
    said = []
    for kinds in ("tables", "mcm"):
        chaos = Chaos(9, HARM[harm], kinds)
        chaos.rage(60)
        # but for what concerns the link, and its tags
        said.append([octets[:8] + octets[12:] for octets in chaos.wire.sent if octets[4:6] != bytes(2)])
    assert said[0] == said[1]
    assert len(said[0]) > 100


def test_harm_is_done() -> None:
    chaos = Chaos(1, HARM["all"])
    chaos.rage(60)
    counts = [station.control.statistics for station in chaos.stations]
    assert sum(count.repeated for count in counts) > 20
    assert {Counted.MALFORMED, Counted.LATE} <= {why for count in counts for why in count.not_taken}


class Attacked:
    """A connected pair, and somebody on the wire who says what he likes in B's name to A, of either kind."""

    def __init__(self, kind: str, small: bool = False) -> None:
        self.dice = random.Random(7)
        self.clock = Clock()
        self.wire = Wire(self.clock, self.dice)
        if kind == "tables":
            limits = Limits(peers=8, legs=20, incoming_legs=10) if small else Limits()
            self.a: Station | McmEnd = Station(self.wire, A, limits=limits)
        else:
            self.a = McmEnd(self.wire, A, Settings(peers=8, dialogues=20, dialogues_of_one=10) if small else None)
        self.b = Station(self.wire, B)
        self.a.call(B)
        self.b.call(A)
        self.clock.run_for(2 * MILLISECOND)

    @property
    def links(self) -> int:
        return len(self.a.station.peers if isinstance(self.a, McmEnd) else self.a.control.links)

    @property
    def tag(self) -> int:
        """What A calls its present life with B."""
        if isinstance(self.a, McmEnd):
            return self.a.station.peers[B].mine if B in self.a.station.peers else 0
        return self.a.control.links[B].incarnation if B in self.a.control.links else 0

    def forge(self, message: Message, reference: int, to_originator: bool = False, transaction: int = 0) -> None:
        """Say it to A in B's name, with the right tag."""
        header = Header(A, B, self.tag, reference, to_originator, transaction)
        self.a.receive(encode(header, message))


either = pytest.mark.parametrize("kind", ["tables", "mcm"])


@either
def test_random_octets_do_no_harm(kind: str) -> None:
    attacked = Attacked(kind)
    for _ in range(1000):
        attacked.a.receive(attacked.dice.randbytes(attacked.dice.randrange(120)))
        attacked.a.receive(b"\x48\x01" + attacked.dice.randbytes(attacked.dice.randrange(120)))
    attacked.clock.run_for(20 * MILLISECOND)
    assert attacked.a.active == attacked.b.active
    assert len(attacked.a.active) == 2


@either
def test_damaged_copies_of_true_messages_never_raise(kind: str) -> None:
    attacked = Attacked(kind)
    for octets in list(attacked.wire.sent) * 20:
        damaged = bytearray(octets)
        damaged[attacked.dice.randrange(len(damaged))] ^= 1 << attacked.dice.randrange(8)
        attacked.a.receive(bytes(damaged))
        attacked.b.receive(bytes(damaged))
        attacked.clock.run_for(10 * MICROSECOND)
    attacked.clock.run_for(150 * MILLISECOND)
    assert attacked.a.active == attacked.b.active


@either
def test_any_message_in_any_state_never_raises_and_both_ends_agree(kind: str) -> None:
    attacked = Attacked(kind)
    for _ in range(1000):
        message = attacked.dice.choice(SAMPLES).message
        scope = LAYOUTS[message.TYPE].scope
        reference = 0 if scope is Scope.LINK else attacked.dice.randrange(scope is Scope.CALL, 4)
        attacked.forge(message, reference, attacked.dice.random() < 0.5, attacked.dice.randrange(3))
        attacked.clock.run_for(attacked.dice.randrange(50 * MICROSECOND))
    attacked.clock.run_for(200 * MILLISECOND)
    assert attacked.a.active == attacked.b.active


@either
def test_a_flood_of_calls_is_refused_at_the_limit(kind: str) -> None:
    attacked = Attacked(kind, small=True)
    attacked.a.slow_ns = lambda: 1000 * MILLISECOND
    for _ in range(100):
        attacked.b.call(A)
    attacked.clock.run_for(5 * MILLISECOND)
    assert attacked.a.kept == 11  # ten that B has begun


@either
def test_a_flood_of_strangers_takes_no_more_links_than_the_limit(kind: str) -> None:
    attacked = Attacked(kind, small=True)
    restart = Restart(Versions(1, 1), Incarnation(7))
    for number in range(300):
        stranger = bytes((2, 1)) + number.to_bytes(4, "big")
        attacked.a.receive(encode(Header(A, stranger), restart))
    assert attacked.links <= 8
    attacked.clock.run_for(20 * MILLISECOND)
    assert attacked.a.active == attacked.b.active
    assert len(attacked.a.active) == 2


@either
def test_what_a_station_keeps_does_not_grow_with_what_it_hears(kind: str) -> None:
    attacked = Attacked(kind)
    before = (attacked.links, attacked.a.kept)
    for octets in list(attacked.wire.sent) * 50:
        attacked.a.receive(octets)
    assert (attacked.links, attacked.a.kept) == before


@either
def test_no_answer_is_longer_than_twice_its_question(kind: str) -> None:
    attacked = Attacked(kind)
    attacked.a.answers = lambda: False
    for _, message in SAMPLES:
        if LAYOUTS[message.TYPE].scope is not Scope.LINK:
            before = len(attacked.wire.sent)
            attacked.forge(message, 999)
            answers = attacked.wire.sent[before:]
            assert sum(map(len, answers)) <= 2 * len(encode(Header(A, B, 1, 999), message))


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

# SPDX-License-Identifier: Apache-2.0
"""Two machines on a wire: calls, parties, modification, what a broken wire does to them."""

import random

import pytest

from hilnic.signalling import Cause, Flow, TrafficContract, decode
from hilnic.signalling.control import (
    LegState,
    LinkState,
    ModifyConfirm,
    ProceedingIndication,
    ReleaseConfirm,
    ReleaseIndication,
    SetupCompleteIndication,
    SetupConfirm,
    SetupIndication,
)

from .network import FAST, MILLISECOND, A, B, C, Clock, Station, Wire

SLOW = TrafficContract(Flow(1_000_000, 3000, 1_000_000, 1500))


class Pair:
    """Stations A and B on one wire."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.wire = Wire(self.clock, random.Random(1))
        self.a, self.b = Station(self.wire, A), Station(self.wire, B)

    def run(self, milliseconds: float = 2) -> None:
        self.clock.run_for(int(milliseconds * MILLISECOND))

    def connected(self):
        record = self.a.call(B)
        self.run()
        assert self.a.active == self.b.active != {}
        return record

    def names(self) -> list[str]:
        return [type(decode(octets).message).__name__ for octets in self.wire.sent]


@pytest.fixture
def pair() -> Pair:
    return Pair()


def test_a_call_is_set_up_by_the_messages_of_q_2931(pair: Pair) -> None:
    pair.connected()
    link, call = (
        ["Restart", "RestartAcknowledge"],
        ["Setup", "CallProceeding", "Connect", "Status", "ConnectAcknowledge"],
    )
    assert pair.names() == link + call


def test_the_caller_hears_proceeding_then_confirm(pair: Pair) -> None:
    pair.connected()
    assert [type(told) for told in pair.a.told] == [ProceedingIndication, SetupConfirm]


def test_the_called_side_hears_setup_then_complete(pair: Pair) -> None:
    pair.connected()
    assert [type(told) for told in pair.b.told] == [SetupIndication, SetupCompleteIndication]


@pytest.mark.parametrize("end", ["a", "b"])
def test_either_side_may_end_a_call(pair: Pair, end: str) -> None:
    pair.connected()
    station = getattr(pair, end)
    station.hang_up(station.records[0])
    pair.run()
    assert (pair.a.kept, pair.b.kept) == (0, 0)
    other = pair.b if end == "a" else pair.a
    assert [type(told) for told in other.told[-2:]] == [ReleaseIndication, ReleaseConfirm]
    assert [type(told) for told in station.told[-1:]] == [ReleaseConfirm]


def test_both_sides_may_end_a_call_at_once(pair: Pair) -> None:
    pair.connected()
    for station in (pair.a, pair.b):
        station.hang_up(station.records[0])
    pair.run()
    assert [record.confirms for record in pair.a.records + pair.b.records] == [1, 1]
    assert pair.clock.pending() == 0 or pair.a.kept + pair.b.kept == 0


def test_a_refused_call_ends_with_the_reason(pair: Pair) -> None:
    pair.b.answers = lambda: False
    pair.a.call(B)
    pair.run()
    assert [told.cause for told in pair.a.told if isinstance(told, ReleaseIndication)] == [Cause.CALL_REJECTED]
    assert pair.a.kept == pair.b.kept == 0


def test_a_caller_that_hangs_up_early_leaves_nothing(pair: Pair) -> None:
    pair.b.slow_ns = lambda: 10 * MILLISECOND
    record = pair.a.call(B)
    pair.run(1)
    pair.a.hang_up(record)
    pair.run(30)
    assert pair.a.kept == pair.b.kept == 0
    assert not pair.a.active


def test_a_call_before_the_link_is_up_may_be_taken_back(pair: Pair) -> None:
    pair.a.hang_up(pair.a.call(B))
    pair.run()
    assert [type(told) for told in pair.a.told] == [ReleaseConfirm]
    assert not pair.b.records


def test_a_modified_contract_holds_at_both_ends(pair: Pair) -> None:
    pair.a.modify(pair.connected(), SLOW)
    pair.run()
    assert list(pair.a.active.values()) == list(pair.b.active.values()) == [SLOW]


def test_a_refused_modification_leaves_the_old_contract(pair: Pair) -> None:
    record = pair.connected()
    pair.b.answers = lambda: False
    pair.a.modify(record, SLOW)
    pair.run()
    assert isinstance(pair.a.told[-1], ModifyConfirm)
    assert pair.a.told[-1].cause is Cause.USER_CELL_RATE_NOT_AVAILABLE
    assert list(pair.a.active.values()) == list(pair.b.active.values()) == [TrafficContract(FAST, FAST)]


def test_only_the_originator_may_modify(pair: Pair) -> None:
    pair.connected()
    assert not pair.b.control.modify(pair.b.records[0].leg, SLOW)


def test_a_party_is_added_and_dropped(pair: Pair) -> None:
    record = pair.a.add_party(B)
    pair.run()
    assert pair.a.active == pair.b.active != {}
    pair.a.hang_up(record)
    pair.run()
    up, down = pair.names()[2:6], pair.names()[6:]
    assert up == ["AddParty", "PartyAlerting", "AddPartyAcknowledge", "ConnectAcknowledge"]
    assert down == ["DropParty", "Status", "DropPartyAcknowledge"]


def test_a_party_may_leave(pair: Pair) -> None:
    pair.a.add_party(B)
    pair.run()
    pair.b.hang_up(pair.b.records[0])
    pair.run()
    assert [type(told) for told in pair.a.told[-2:]] == [ReleaseIndication, ReleaseConfirm]
    assert pair.a.kept == pair.b.kept == 0


def test_a_party_may_refuse(pair: Pair) -> None:
    pair.b.answers = lambda: False
    pair.a.add_party(B)
    pair.run()
    assert [told.cause for told in pair.a.told if isinstance(told, ReleaseIndication)] == [Cause.CALL_REJECTED]


def test_a_slow_party_is_waited_for(pair: Pair) -> None:
    pair.b.slow_ns = lambda: 12 * MILLISECOND
    pair.a.add_party(B)
    pair.run(20)
    assert pair.a.active == pair.b.active != {}


def test_an_answer_that_never_comes_ends_the_call_by_t310(pair: Pair) -> None:
    pair.b.slow_ns = lambda: 1000 * MILLISECOND
    pair.a.call(B)
    pair.run(60)
    assert [told.cause for told in pair.a.told if isinstance(told, ReleaseIndication)] == [Cause.NO_USER_RESPONDING]


def test_a_silent_station_fails_the_call_by_t316(pair: Pair) -> None:
    pair.wire.cut.add(pair.b)
    pair.a.call(B)
    pair.run(5)
    assert [told.cause for told in pair.a.told if isinstance(told, ReleaseIndication)] == [
        Cause.DESTINATION_OUT_OF_ORDER
    ]
    assert pair.a.kept == 0


def test_a_station_that_falls_silent_ends_its_calls_at_both_ends(pair: Pair) -> None:
    pair.connected()
    pair.wire.cut.add(pair.b)
    pair.run(20)
    assert pair.a.kept == pair.b.kept == 0
    assert {
        told.cause for station in (pair.a, pair.b) for told in station.told if isinstance(told, ReleaseIndication)
    } == {Cause.DESTINATION_OUT_OF_ORDER}


def test_a_quiet_link_with_calls_is_asked_and_kept(pair: Pair) -> None:
    pair.connected()
    pair.run(100)
    assert "StatusEnquiry" in pair.names()
    assert pair.a.active == pair.b.active != {}


def test_without_calls_nothing_is_asked(pair: Pair) -> None:
    pair.a.hang_up(pair.connected())
    pair.run(20)
    before = len(pair.wire.sent)
    pair.run(100)
    assert len(pair.wire.sent) == before
    assert pair.clock.pending() == 0


def test_a_station_that_begins_anew_loses_its_old_calls_everywhere(pair: Pair) -> None:
    pair.connected()
    pair.b.control.close()
    pair.wire.stations.remove(pair.b)
    pair.b = Station(pair.wire, B)
    pair.b.call(A)
    pair.run(20)
    assert [told.cause for told in pair.a.told if isinstance(told, ReleaseIndication)] == [Cause.TEMPORARY_FAILURE]
    assert pair.a.active == pair.b.active
    assert len(pair.a.active) == 1


def test_a_call_to_a_station_that_has_failed_the_link_meanwhile_goes_through(pair: Pair) -> None:
    pair.a.hang_up(pair.connected())
    pair.run()
    link = pair.b.control.links[A]
    pair.b.control.fail_link(link, Cause.TEMPORARY_FAILURE)
    assert link.state is LinkState.DOWN
    pair.a.call(B)
    pair.run()
    assert pair.a.active == pair.b.active
    assert len(pair.a.active) == 1


def test_three_stations_hear_only_what_is_for_them(pair: Pair) -> None:
    third = Station(pair.wire, C)
    pair.connected()
    assert not third.records
    assert not third.control.links


def test_a_station_does_not_call_itself(pair: Pair) -> None:
    assert pair.a.call(A) is None


def test_sixty_four_calls_at_once(pair: Pair) -> None:
    for _ in range(64):
        pair.a.call(B)
        pair.b.call(A)
    pair.run(5)
    assert pair.a.active == pair.b.active
    assert len(pair.a.active) == 128


def test_a_leg_shows_its_peer_and_state(pair: Pair) -> None:
    record = pair.connected()
    assert repr(record.leg) == "<leg 1 to 02:00:00:00:00:02: ACTIVE>"
    assert record.leg.state is LegState.ACTIVE

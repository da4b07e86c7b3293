# SPDX-License-Identifier: Apache-2.0
"""The link between two stations, of either kind of call control: versions, incarnations, silence."""

from __future__ import annotations

import random
from typing import Any

import pytest

from hilnic.signalling import Cause, ConnectionIdentifier, Header, Incarnation, Versions, decode, encode
from hilnic.signalling.elements import CallState, CauseElement
from hilnic.signalling.messages import Connect, Message, Restart, RestartAcknowledge, Setup, Status, StatusEnquiry

from .mcm_end import McmEnd
from .network import MILLISECOND, A, B, Clock, Station, Wire

THEIRS = Incarnation(70_000)


class Alone:
    """Station A, and a test that speaks for B."""

    def __init__(self, kind: type[Any]) -> None:
        self.clock = Clock()
        self.wire = Wire(self.clock, random.Random(1))
        self.a = kind(self.wire, A)
        self.seen = 0

    def hears(self, message: Message, tag: int = 0, reference: int = 0) -> list[Message]:
        """What A says to this of B's."""
        self.a.receive(encode(Header(A, B, tag, reference), message))
        return self.says()

    def says(self) -> list[Message]:
        """What A has said since the last time."""
        said, self.seen = self.wire.sent[self.seen :], len(self.wire.sent)
        return [decode(octets).message for octets in said]

    def run(self, milliseconds: float) -> None:
        self.clock.run_for(int(milliseconds * MILLISECOND))

    def call(self) -> int:
        """A calls B: A's incarnation, from its RESTART."""
        self.a.call(B)
        (restart,) = self.says()
        assert isinstance(restart, Restart)
        return restart.incarnation.number

    def connected(self) -> int:
        """The link is up, with a call on it."""
        ours = self.call()
        (setup,) = self.hears(RestartAcknowledge(Versions(1, 1), THEIRS), ours)
        assert isinstance(setup, Setup)
        return ours


@pytest.fixture(params=[Station, McmEnd])
def alone(request: pytest.FixtureRequest) -> Alone:
    return Alone(request.param)


def test_a_peer_of_later_versions_hears_which_one_holds(alone: Alone) -> None:
    (answer,) = alone.hears(Restart(Versions(1, 3), THEIRS))
    assert (type(answer), answer.versions) == (RestartAcknowledge, Versions(1, 1))


def test_a_peer_without_a_version_in_common_is_told_the_range(alone: Alone) -> None:
    (answer,) = alone.hears(Restart(Versions(2, 3), THEIRS))
    assert answer.versions == Versions(1, 1)
    alone.a.call(B)
    assert isinstance(alone.says()[0], Restart)  # the link is down


@pytest.mark.parametrize("versions", [Versions(2, 3), Versions(2, 2), Versions(1, 2)], ids=str)
def test_a_call_to_a_station_without_a_version_in_common_ends(alone: Alone, versions: Versions) -> None:
    ours = alone.call()
    assert alone.hears(RestartAcknowledge(versions, THEIRS), ours) == []
    assert alone.a.causes == [Cause.INCOMPATIBLE_DESTINATION]
    assert alone.a.kept == 0


def test_a_peer_that_changes_its_version_loses_its_calls(alone: Alone) -> None:
    alone.connected()
    alone.hears(Restart(Versions(2, 3), Incarnation(THEIRS.number + 1)))
    assert alone.a.causes == [Cause.INCOMPATIBLE_DESTINATION]


def test_a_restart_is_acknowledged_as_often_as_it_comes(alone: Alone) -> None:
    for _ in range(3):
        (answer,) = alone.hears(Restart(Versions(1, 1), THEIRS))
        assert isinstance(answer, RestartAcknowledge)


def test_a_restart_of_a_former_life_is_not_heeded(alone: Alone) -> None:
    alone.connected()
    assert alone.hears(Restart(Versions(1, 1), Incarnation(THEIRS.number - 1))) == []
    assert alone.a.kept == 1


def test_a_new_life_of_the_peer_hears_the_call_again_that_it_may_not_know(alone: Alone) -> None:
    alone.connected()
    said = alone.hears(Restart(Versions(1, 1), Incarnation(THEIRS.number + 1)))
    assert [type(each).__name__ for each in said] == ["RestartAcknowledge", "Setup"]
    assert not alone.a.causes


def test_an_acknowledgement_with_another_tag_is_none(alone: Alone) -> None:
    ours = alone.call()
    assert alone.hears(RestartAcknowledge(Versions(1, 1), THEIRS), ours + 1) == []


def test_restarts_that_cross_bring_the_link_up(alone: Alone) -> None:
    alone.call()
    said = alone.hears(Restart(Versions(1, 1), THEIRS))
    assert [type(each).__name__ for each in said] == ["RestartAcknowledge", "Setup"]


def test_a_message_to_a_former_life_is_dropped(alone: Alone) -> None:
    ours = alone.connected()
    assert alone.hears(StatusEnquiry(), ours + 1) == []


def test_a_message_to_a_life_that_failed_makes_it_restart(alone: Alone) -> None:
    ours = alone.connected()
    alone.run(10)
    assert alone.a.kept == 0
    alone.says()
    (answer,) = alone.hears(StatusEnquiry(), ours)
    assert isinstance(answer, Restart)
    assert answer.incarnation.number > ours


def test_a_stranger_is_not_answered(alone: Alone) -> None:
    assert alone.hears(StatusEnquiry(), 5) == []


def test_the_link_tells_its_state(alone: Alone) -> None:
    ours = alone.connected()
    (answer,) = alone.hears(StatusEnquiry(), ours)
    assert answer == Status(CauseElement(Cause.RESPONSE_TO_STATUS_ENQUIRY), CallState(62))


def test_silence_is_asked_about_and_then_believed(alone: Alone) -> None:
    ours = alone.connected()
    active_call(alone, ours)
    alone.run(11)
    assert any(isinstance(each, StatusEnquiry) for each in alone.says())
    alone.run(10)
    assert alone.a.causes == [Cause.DESTINATION_OUT_OF_ORDER]


def test_any_answer_ends_the_questions(alone: Alone) -> None:
    ours = alone.connected()
    active_call(alone, ours)
    for _ in range(6):
        alone.run(5.2)
        alone.hears(Status(CauseElement(Cause.RESPONSE_TO_STATUS_ENQUIRY), CallState(62)), ours)
    assert not alone.a.causes


def active_call(alone: Alone, ours: int) -> None:
    """B takes A's call."""
    contract = alone.a.records[0].contract
    octets = encode(Header(A, B, ours, 1, True), Connect(contract, ConnectionIdentifier((100,))))
    alone.a.receive(octets)
    assert [type(each).__name__ for each in alone.says()] == ["Status", "ConnectAcknowledge"]

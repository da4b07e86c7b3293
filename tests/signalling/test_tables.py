# SPDX-License-Identifier: Apache-2.0
"""Each row of the tables does what it says when its input comes as octets, as a request or as a timer."""

import random

import pytest

from hilnic.signalling import Cause, CauseElement, ConnectionIdentifier, Header, TrafficContract, decode, encode
from hilnic.signalling.control.leg import Leg
from hilnic.signalling.control.states import Action, LegInput, LegState, LinkInput, LinkState
from hilnic.signalling.control.tables import CALL_MACHINE, LINK_MACHINE, PARTY_MACHINE, LegRow
from hilnic.signalling.control.timers import LEG_TIMERS, LINK_TIMERS
from hilnic.signalling.elements import CallState, EndpointReference
from hilnic.signalling.messages import AddParty, AddPartyAcknowledge, Connect, MessageType, Status

from .network import GROUP, MILLISECOND, A, B, Clock, Station, Wire, invitation
from .strategies import SAMPLES

CONTRACT = TrafficContract()
PARTY_ID = EndpointReference(1)
MESSAGES = {packet.message.TYPE: packet.message for packet in SAMPLES[1::2]}
PRIMITIVES = {
    LegInput.SETUP_RESPONSE: lambda c, leg: c.accept(leg, answer_to(leg)),
    LegInput.SETUP_COMPLETE_REQUEST: lambda c, leg: c.complete(leg),
    LegInput.RELEASE_REQUEST: lambda c, leg: c.release(leg, Cause.NORMAL_CALL_CLEARING),
    LegInput.RELEASE_RESPONSE: lambda c, leg: c.release_response(leg),
    LegInput.MODIFY_REQUEST: lambda c, leg: c.modify(leg, CONTRACT),
    LegInput.MODIFY_RESPONSE: lambda c, leg: c.accept_modify(leg, CONTRACT),
    LegInput.MODIFY_REFUSAL: lambda c, leg: c.refuse_modify(leg, Cause.CALL_REJECTED),
    LegInput.SETUP_REQUEST: lambda c, leg: c._request(leg, LegInput.SETUP_REQUEST),
    LegInput.LINK_FAILED: lambda c, leg: c._request(leg, LegInput.LINK_FAILED, (Cause.TEMPORARY_FAILURE, b"")),
    LegInput.PEER_RESTARTED: lambda c, leg: c._request(leg, LegInput.PEER_RESTARTED, (Cause.TEMPORARY_FAILURE, b"")),
}
BY_CALLEE = {
    LegInput.SETUP,
    LegInput.CONNECT_ACKNOWLEDGE,
    LegInput.ADD_PARTY,
    LegInput.MODIFY_REQUESTED,
    LegInput.MODIFY_REPEATED,
}
"""What only the side that was called hears."""
CALLEE_STATES = {
    LegState.INCOMING_CALL_PROCEEDING,
    LegState.CONNECT_REQUEST,
    LegState.MODIFY_RECEIVED,
    LegState.ADD_PARTY_RECEIVED,
    LegState.PARTY_CONNECT_REQUEST,
}
ENDING_STATES = {
    LegState.RELEASE_REQUEST,
    LegState.RELEASE_INDICATION,
    LegState.DROP_PARTY_INITIATED,
    LegState.DROP_PARTY_RECEIVED,
}
MACHINES = {"call": CALL_MACHINE, "party": PARTY_MACHINE}
STATES = [
    pytest.param(machine, state, id=f"{name}-{state.name}") for name, machine in MACHINES.items() for state in machine
]


def answer_to(leg: Leg):
    if isinstance(leg.invitation, AddParty):
        return AddPartyAcknowledge(leg.invitation.endpoint)
    return Connect(CONTRACT, ConnectionIdentifier((100,)))


class Prepared:
    """Station A with one leg in the state of a row."""

    def __init__(self, machine: dict[LegState, LegRow], state: LegState, event: LegInput) -> None:
        self.clock = Clock()
        self.wire = Wire(self.clock, random.Random(1))
        self.station = Station(self.wire, A)
        self.station.slow_ns = lambda: 1000 * MILLISECOND  # its owner does nothing by itself
        self.control = self.station.control
        link = self.control.link_to(B)
        link.state, link.peer_incarnation = LinkState.UP, 77
        called = state in CALLEE_STATES or event in BY_CALLEE
        setup = invitation(A, B, CONTRACT)
        add = AddParty(setup.called, setup.calling, CONTRACT, setup.connection, GROUP, PARTY_ID)
        self.invitation = add if machine is PARTY_MACHINE else setup
        self.leg = self.control.add_leg(link, 5, not called, self.invitation)
        self.station._record(self.leg, CONTRACT)
        self.leg.state, self.leg.last, self.leg.transaction = state, self.invitation, 3
        if state is LegState.NULL and event in {LegInput.SETUP, LegInput.ADD_PARTY}:
            self.control.remove_leg(self.leg)  # the message makes it
        self.control.start_leg_timer(self.leg)

    def feed(self, event: LegInput) -> None:
        if event is LegInput.UNANSWERED:
            self.leg.transmissions = 99
            self.leg.timer.routine()
        elif event in PRIMITIVES:
            assert PRIMITIVES[event](self.control, self.leg)
        else:
            self.control.receive(self.octets(event))

    def sent(self) -> list[str]:
        return [type(decode(octets).message).__name__ for octets in self.wire.sent]

    def told(self) -> list[str]:
        return [type(each).__name__ for each in self.station.told]

    def octets(self, event: LegInput) -> bytes:
        transaction = 4 if event is LegInput.MODIFY_REQUESTED else 3
        if event is LegInput.STATUS_NULL:
            message = Status(CauseElement(Cause.INVALID_CALL_REFERENCE), CallState(0))
        elif event is LegInput.STATUS:
            message = Status(CauseElement(Cause.NORMAL_UNSPECIFIED), CallState(10))
        else:
            is_modify = event in {LegInput.MODIFY_REQUESTED, LegInput.MODIFY_REPEATED}
            name = "MODIFY_REQUEST" if is_modify else event.name
            message = MESSAGES[MessageType[name]]
        link = self.leg.link
        header = Header(A, B, link.incarnation, 5, self.leg.originated, transaction)
        return encode(header, message)


def class_name(action: Action) -> str:
    """SEND_CALL_PROCEEDING -> CallProceeding."""
    return action.name.removeprefix("SEND_").replace("_", " ").title().replace(" ", "")


@pytest.mark.parametrize(("machine", "state"), STATES)
def test_each_row_of_a_state_does_what_it_says(machine: dict[LegState, LegRow], state: LegState) -> None:
    for event, (target, actions) in machine[state].items():
        prepared = Prepared(machine, state, event)
        link = prepared.leg.link
        prepared.feed(event)
        leg = link.legs.get(prepared.leg.key, prepared.leg)
        assert leg.state is target, event
        assert (leg.timer is not None) is (target in LEG_TIMERS), event
        assert prepared.sent() == sends(actions, prepared.invitation), event
        assert prepared.told() == tells(actions), event
        assert (link.state is LinkState.DOWN) is (Action.FAIL_LINK in actions), event


def sends(actions: tuple[Action, ...], invitation: object) -> list[str]:
    named = [class_name(action) for action in actions if action.name.startswith("SEND_")]
    return named + [type(invitation).__name__] * (Action.REPEAT in actions)


def tells(actions: tuple[Action, ...]) -> list[str]:
    return [class_name(action) for action in actions if action.name.endswith(("INDICATION", "CONFIRM"))]


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)
class TestEveryMachine:
    def test_no_state_is_out_of_reach(self, machine: dict[LegState, LegRow]) -> None:
        reached = {LegState.NULL}
        while more := {target for state in reached for target, _ in machine[state].values()} - reached:
            reached |= more
        assert reached == set(machine)

    def test_a_state_has_a_timer_exactly_when_it_can_go_unanswered(self, machine: dict[LegState, LegRow]) -> None:
        assert {state for state in machine if state in LEG_TIMERS} == {
            state for state, row in machine.items() if LegInput.UNANSWERED in row
        }

    def test_who_reaches_null_says_so_once(self, machine: dict[LegState, LegRow]) -> None:
        for state, row in machine.items():
            for event, (target, actions) in row.items():
                ends = target is LegState.NULL
                assert actions.count(Action.RELEASE_CONFIRM) == ends, (state, event)

    def test_no_failure_finds_a_state_unprepared(self, machine: dict[LegState, LegRow]) -> None:
        for state, row in machine.items():
            assert LegInput.LINK_FAILED in row
            assert LegInput.RELEASE_REQUEST in row
            assert (LegInput.PEER_RESTARTED in row) is (state is not LegState.NULL)

    def test_every_state_but_the_first_hears_of_the_end_and_answers_questions(
        self, machine: dict[LegState, LegRow]
    ) -> None:
        of_a_call = {LegInput.RELEASE, LegInput.RELEASE_COMPLETE}
        of_a_party = {LegInput.DROP_PARTY, LegInput.DROP_PARTY_ACKNOWLEDGE}
        wanted = (of_a_call if machine is CALL_MACHINE else of_a_party) | {
            LegInput.STATUS,
            LegInput.STATUS_NULL,
            LegInput.STATUS_ENQUIRY,
        }
        for state in machine.keys() - {LegState.NULL}:
            assert wanted <= machine[state].keys(), state

    def test_nothing_is_answered_that_ends_a_call(self, machine: dict[LegState, LegRow]) -> None:
        ends = ("RELEASE_COMPLETE", "STATUS", "STATUS_NULL", "ADD_PARTY_REJECT", "DROP_PARTY_ACKNOWLEDGE")
        for row in machine.values():
            for name in ends:
                _, actions = row.get(LegInput[name], (None, ()))
                assert not any(action.name.startswith("SEND_") for action in actions)

    def test_a_state_whose_owner_was_told_of_the_end_tells_it_no_more(self, machine: dict[LegState, LegRow]) -> None:
        for state in machine.keys() & ENDING_STATES:
            assert not any(Action.RELEASE_INDICATION in actions for _, actions in machine[state].values())


def test_every_link_state_with_a_timer_knows_what_to_do_when_it_has_run_out() -> None:
    assert set(LINK_TIMERS) == {state for state, row in LINK_MACHINE.items() if LinkInput.UNANSWERED in row}


@pytest.mark.parametrize("state", LINK_MACHINE)
def test_every_link_state_takes_a_new_restart(state: LinkState) -> None:
    target, actions = LINK_MACHINE[state][LinkInput.RESTART]
    assert target is LinkState.UP
    assert actions[-1] in {Action.SEND_RESTART_ACKNOWLEDGE, Action.START_LEGS, Action.RESTART_LEGS}


def test_a_message_that_no_row_names_is_answered_with_the_state() -> None:
    prepared = Prepared(CALL_MACHINE, LegState.CALL_INITIATED, LegInput.CONNECT)
    prepared.control.receive(prepared.octets(LegInput.MODIFY_ACKNOWLEDGE))
    answer = decode(prepared.wire.sent[-1]).message
    assert answer == Status(CauseElement(Cause.MESSAGE_NOT_COMPATIBLE_WITH_STATE), CallState(LegState.CALL_INITIATED))
    assert prepared.leg.state is LegState.CALL_INITIATED

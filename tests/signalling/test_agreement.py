# SPDX-License-Identifier: Apache-2.0
"""In every state every message and wish has the same effect on both kinds of call control, which share no code.

A peer without a mind of its own, a script, leads a station of either kind into a state, says or lets happen one thing,
and then is silent for good. What the station says, what its owner hears, and what is left are compared.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from hilnic.signalling import Cause, CauseElement, Flow, Header, Incarnation, Message, TrafficContract, decode, encode
from hilnic.signalling.control import Counted
from hilnic.signalling.control.tables import CALL_MACHINE, LINK_MACHINE, PARTY_MACHINE
from hilnic.signalling.elements import CallState, ConnectionIdentifier, EndpointReference, Versions
from hilnic.signalling.messages import (
    AddParty,
    AddPartyAcknowledge,
    AddPartyReject,
    CallProceeding,
    Connect,
    ConnectAcknowledge,
    DropParty,
    DropPartyAcknowledge,
    ModifyAcknowledge,
    ModifyReject,
    ModifyRequest,
    PartyAlerting,
    Release,
    ReleaseComplete,
    Restart,
    RestartAcknowledge,
    Setup,
    Status,
    StatusEnquiry,
)

from .mcm_end import McmEnd
from .network import FAST, GROUP, MILLISECOND, A, B, Clock, Station, Wire, invitation

OTHER = TrafficContract(Flow(1000, 3000, 1000, 1500), FAST)
CONTRACT = TrafficContract(FAST, FAST)
NORMAL = CauseElement(Cause.NORMAL_CALL_CLEARING)
PARTY = EndpointReference(1)

HIS_REFERENCE = 9
"""Of what the peer begins."""
SILENCE_NS = 200 * MILLISECOND


class Faced:
    """A station, and the peer that the script speaks for."""

    def __init__(self, kind: type[Station | McmEnd]) -> None:
        self.clock = Clock()
        self.wire = Wire(self.clock, random.Random(1))
        self.station: Any = kind(self.wire, A)
        self.life = 77
        self.tag = 0
        self.waits = False
        self.learnt = 0  # how much of what it has said the peer has understood
        self.station.slow_ns = lambda: 10 * SILENCE_NS * self.waits
        self.reference, self.is_his, self.transaction = 1, False, 0
        self.say(Restart(Versions(1, 1), Incarnation(self.life)), reference=0, tag=0)

    def say(self, message: Message, reference: int | None = None, **header: Any) -> None:
        """From the peer, to the end of what is under way."""
        self.learn()
        reference = self.reference if reference is None else reference
        fields = {"tag": self.tag, "to_originator": not self.is_his and reference != 0, "transaction": self.transaction}
        fields |= header
        self.station.receive(encode(Header(A, B, fields.pop("tag"), reference, **fields), message))
        self.clock.run_for(1000)
        self.learn()

    def learn(self) -> None:
        """What the station's latest life is called, and its latest leg."""
        for octets in self.wire.sent[self.learnt :]:
            header, message = decode(octets)
            if isinstance(message, Restart | RestartAcknowledge):
                self.tag = message.incarnation.number
            elif isinstance(message, Setup | AddParty):
                self.reference, self.is_his = header.reference, False
            elif isinstance(message, ModifyRequest):
                self.transaction = header.transaction
        self.learnt = len(self.wire.sent)

    def invites(self, message: Setup | AddParty) -> None:
        """The peer calls."""
        self.is_his, self.reference = True, HIS_REFERENCE
        self.say(message)

    def said(self) -> list[Any]:
        """What the station has said, but for names of lives."""
        # all but the tag; of what concerns the link, the kind of message alone
        return [
            octets[:8] + octets[12:] if octets[4:6] != bytes(2) else decode(octets).message.TYPE
            for octets in self.wire.sent
        ]

    def known(self) -> list[Any]:
        """What its owner knows."""
        records = [(each.connected, each.indications, each.confirms, each.contract) for each in self.station.records]
        return [records, list(self.station.causes), self.station.kept]


def setup() -> Setup:
    return invitation(B, A, CONTRACT)


def add_party() -> AddParty:
    call = setup()
    return AddParty(call.called, call.calling, TrafficContract(FAST), ConnectionIdentifier((100,)), GROUP, PARTY)


CONNECT = Connect(CONTRACT, ConnectionIdentifier((100,)))


# How to get into each state, from a link that is up.


def initiated(f: Faced) -> None:
    f.station.call(B)
    f.learn()


def proceeding(f: Faced) -> None:
    initiated(f)
    f.say(CallProceeding())


def connect_indication(f: Faced) -> None:
    proceeding(f)
    f.waits = True
    f.say(CONNECT)


def active(f: Faced) -> None:
    proceeding(f)
    f.say(CONNECT)


def modify_request(f: Faced) -> None:
    active(f)
    f.station.modify(f.station.records[0], OTHER)
    f.learn()


def release_request(f: Faced) -> None:
    active(f)
    f.station.hang_up(f.station.records[0])


def release_indication(f: Faced) -> None:
    active(f)
    f.waits = True
    f.say(Release(NORMAL))


def offered(f: Faced) -> None:
    f.waits = True
    f.invites(setup())


def connect_request(f: Faced) -> None:
    f.invites(setup())


def called_active(f: Faced) -> None:
    f.invites(setup())
    f.say(ConnectAcknowledge())


def modified_once(f: Faced) -> None:
    called_active(f)
    f.transaction = 1
    f.say(ModifyRequest(OTHER))


def modify_received(f: Faced) -> None:
    called_active(f)
    f.waits, f.transaction = True, 1
    f.say(ModifyRequest(OTHER))


def modify_refused(f: Faced) -> None:
    called_active(f)
    f.station.answers = lambda: False
    f.transaction = 1
    f.say(ModifyRequest(OTHER))


def call_refused(f: Faced) -> None:
    f.station.answers = lambda: False
    f.invites(setup())


def party_refused(f: Faced) -> None:
    f.station.answers = lambda: False
    f.invites(add_party())


def called_release_request(f: Faced) -> None:
    called_active(f)
    f.station.hang_up(f.station.records[0])


def called_release_indication(f: Faced) -> None:
    called_active(f)
    f.waits = True
    f.say(Release(NORMAL))


def party_initiated(f: Faced) -> None:
    f.station.add_party(B)
    f.learn()


def party_alerting(f: Faced) -> None:
    party_initiated(f)
    f.say(PartyAlerting(PARTY))


def party_active(f: Faced) -> None:
    party_alerting(f)
    f.say(AddPartyAcknowledge(PARTY))


def drop_initiated(f: Faced) -> None:
    party_active(f)
    f.station.hang_up(f.station.records[0])


def drop_received(f: Faced) -> None:
    party_active(f)
    f.waits = True
    f.say(DropParty(NORMAL, PARTY))


def party_offered(f: Faced) -> None:
    f.waits = True
    f.invites(add_party())


def party_connect_request(f: Faced) -> None:
    f.invites(add_party())


def called_party_active(f: Faced) -> None:
    f.invites(add_party())
    f.say(ConnectAcknowledge())


def called_drop_initiated(f: Faced) -> None:
    called_party_active(f)
    f.station.hang_up(f.station.records[0])


def called_drop_received(f: Faced) -> None:
    called_party_active(f)
    f.waits = True
    f.say(DropParty(NORMAL, PARTY))


def nobody(f: Faced) -> None:
    f.is_his, f.reference = True, HIS_REFERENCE


def nobody_of_its_own(f: Faced) -> None:
    f.is_his, f.reference = False, HIS_REFERENCE


def over(f: Faced) -> None:
    called_active(f)
    f.say(Release(NORMAL))


def its_own_is_over(f: Faced) -> None:
    active(f)
    f.say(Release(NORMAL))


def link_down(f: Faced) -> None:
    """The peer has fallen silent before."""
    f.station.call(B)
    f.clock.run_for(SILENCE_NS)


def link_restarting(f: Faced) -> None:
    link_down(f)
    f.station.call(B)
    f.learn()


def party_waiting(f: Faced) -> None:
    link_down(f)
    f.station.add_party(B)
    f.learn()


def link_asked(f: Faced) -> None:
    """The peer has been quiet for so long that it is asked whether it is there."""
    active(f)
    before = len(f.wire.sent)
    while len(f.wire.sent) == before:  # the next thing it says by itself is STATUS ENQUIRY
        f.clock.run_for(MILLISECOND // 10)
    f.wire.sent.clear()
    f.learnt = 0


STATES: list[Callable[[Faced], None]] = [
    initiated, proceeding, connect_indication, active, modify_request, release_request, release_indication,
    offered, connect_request, called_active, modified_once, modify_received, modify_refused, call_refused,
    party_refused, called_release_request, called_release_indication, party_initiated, party_alerting,
    party_active, drop_initiated, drop_received,
    party_offered, party_connect_request, called_party_active, called_drop_initiated, called_drop_received,
    nobody, nobody_of_its_own, over, its_own_is_over, link_down, link_restarting, party_waiting, link_asked,
]  # fmt: skip

MESSAGES: dict[str, Message] = {
    "SETUP": setup(),
    "CALL PROCEEDING": CallProceeding(),
    "CONNECT": CONNECT,
    "CONNECT ACKNOWLEDGE": ConnectAcknowledge(),
    "RELEASE": Release(NORMAL),
    "RELEASE COMPLETE": ReleaseComplete(NORMAL),
    "ADD PARTY": add_party(),
    "ADD PARTY ACKNOWLEDGE": AddPartyAcknowledge(PARTY),
    "ADD PARTY REJECT": AddPartyReject(NORMAL),
    "PARTY ALERTING": PartyAlerting(PARTY),
    "DROP PARTY": DropParty(NORMAL, PARTY),
    "DROP PARTY ACKNOWLEDGE": DropPartyAcknowledge(NORMAL, PARTY),
    "MODIFY REQUEST": ModifyRequest(CONTRACT),
    "MODIFY ACKNOWLEDGE": ModifyAcknowledge(OTHER),
    "MODIFY REJECT": ModifyReject(NORMAL),
    "STATUS": Status(CauseElement(Cause.NORMAL_UNSPECIFIED), CallState(10)),
    "STATUS of an error": Status(CauseElement(Cause.MESSAGE_NOT_COMPATIBLE_WITH_STATE), CallState(10)),
    "STATUS of nothing": Status(CauseElement(Cause.INVALID_CALL_REFERENCE), CallState(0)),
    "STATUS ENQUIRY": StatusEnquiry(),
}
EVENTS: dict[str, Callable[[Faced], None]] = {
    name: lambda f, message=message: f.say(message) for name, message in MESSAGES.items()
}
EVENTS |= {f"{name} twice": lambda f, each=EVENTS[name]: (each(f), each(f)) for name in ("RELEASE", "DROP PARTY")}


def _new_request(f: Faced) -> None:
    f.transaction += 1
    f.say(ModifyRequest(CONTRACT))


def _late_answer(f: Faced) -> None:
    f.say(ModifyAcknowledge(OTHER), transaction=(f.transaction - 1) % 256)


def _is_reborn(f: Faced) -> None:
    f.life += 1
    f.say(Restart(Versions(1, 1), Incarnation(f.life)), reference=0, tag=0)


def _is_reborn_and_answers(f: Faced) -> None:
    _is_reborn(f)
    f.say(CallProceeding())
    f.say(StatusEnquiry(), reference=0)


def _repeats_its_birth(f: Faced) -> None:
    f.say(Restart(Versions(1, 1), Incarnation(f.life)), reference=0, tag=0)


def _is_of_the_past(f: Faced) -> None:
    f.say(Restart(Versions(1, 1), Incarnation(f.life - 1)), reference=0, tag=0)


def _speaks_otherwise(f: Faced) -> None:
    f.say(Restart(Versions(7, 9), Incarnation(f.life)), reference=0, tag=0)


def _acknowledges(f: Faced) -> None:
    f.say(RestartAcknowledge(Versions(1, 1), Incarnation(f.life)), reference=0)


def _acknowledges_otherwise(f: Faced) -> None:
    f.say(RestartAcknowledge(Versions(7, 7), Incarnation(f.life)), reference=0)


def _speaks_to_a_former_life(f: Faced) -> None:
    f.say(StatusEnquiry(), tag=5)


def _asks_for_the_link(f: Faced) -> None:
    f.say(StatusEnquiry(), reference=0)


def _hangs_up(f: Faced) -> None:
    for record in f.station.records[-1:]:
        f.station.hang_up(record)


def _changes(f: Faced) -> None:
    for record in f.station.records[-1:]:
        f.station.modify(record, OTHER)


def _calls_once_more(f: Faced) -> None:
    f.station.call(B)


def _asks_late(f: Faced) -> None:
    f.clock.run_for(1_300_000)  # it has said twice more what it said
    f.say(MESSAGES["STATUS"])


def _is_there_and_says_no_more(f: Faced) -> None:
    for _ in range(30):
        f.clock.run_for(2 * MILLISECOND)
        f.say(StatusEnquiry(), reference=0)


EVENTS |= {
    "STATUS after repetitions": _asks_late,
    "the peer is there and says no more": _is_there_and_says_no_more,
    "a new MODIFY REQUEST": _new_request,
    "MODIFY ACKNOWLEDGE of the one before": _late_answer,
    "the peer is reborn": _is_reborn,
    "the peer is reborn and speaks": _is_reborn_and_answers,
    "RESTART again": _repeats_its_birth,
    "RESTART of a former life": _is_of_the_past,
    "RESTART of other versions": _speaks_otherwise,
    "RESTART ACKNOWLEDGE": _acknowledges,
    "RESTART ACKNOWLEDGE of other versions": _acknowledges_otherwise,
    "a strange tag": _speaks_to_a_former_life,
    "STATUS ENQUIRY for the link": _asks_for_the_link,
    "the owner hangs up": _hangs_up,
    "the owner wants a change": _changes,
    "the owner calls once more": _calls_once_more,
    "nothing": lambda f: None,
}


def effect(kind: type[Station | McmEnd], lead: Callable[[Faced], None], event: Callable[[Faced], None]) -> Any:
    """(what its owner knows at once, and when the peer has been silent for long; what it has said until then)."""
    faced = Faced(kind)
    lead(faced)
    event(faced)
    at_once = faced.known()
    faced.clock.run_for(SILENCE_NS)
    return at_once, faced.known(), faced.said()


@pytest.mark.parametrize("lead", STATES, ids=lambda lead: lead.__name__)
def test_every_event_has_the_same_effect_on_both_kinds(lead: Callable[[Faced], None]) -> None:
    differ = []
    for name, event in EVENTS.items():
        tables, mcm = effect(Station, lead, event), effect(McmEnd, lead, event)
        if tables != mcm:
            differ.append(name)
    assert not differ


ENDS = ("STATUS", "STATUS of nothing", "RELEASE COMPLETE", "DROP PARTY ACKNOWLEDGE", "ADD PARTY REJECT")
"""What both sides say at the end, when it may cross what the other one says."""


@pytest.mark.parametrize("name", ENDS)
def test_the_end_is_never_out_of_place(name: str) -> None:
    for lead in STATES[: STATES.index(nobody)]:
        faced = Faced(Station)
        lead(faced)
        leg = faced.station.records[-1].leg
        is_party = isinstance(leg.invitation, AddParty)
        is_of_its_kind = name.startswith("STATUS") or is_party == ("PARTY" in name)
        if is_of_its_kind and (name != "ADD PARTY REJECT" or leg.originated):
            EVENTS[name](faced)
            assert not faced.station.control.statistics.not_taken[Counted.WRONG_STATE], lead.__name__


@pytest.mark.parametrize("lead", STATES[: STATES.index(nobody)], ids=lambda lead: lead.__name__)
def test_a_release_is_taken_in_every_state(lead: Callable[[Faced], None]) -> None:
    for again in (lambda c, leg: c.release(leg, Cause.NORMAL_CALL_CLEARING), lambda c, leg: c.release_response(leg)):
        faced = Faced(Station)
        lead(faced)
        leg, control = faced.station.records[-1].leg, faced.station.control
        assert control.release(leg, Cause.NORMAL_CALL_CLEARING)
        if leg.state.name != "NULL":
            assert again(control, leg)


class Noted(dict[Any, Any]):
    """A row of the tables that notes which of its inputs are asked for."""

    asked: ClassVar[set[tuple[str, Any, Any]]] = set()

    def __init__(self, machine: str, state: Any, row: dict[Any, Any]) -> None:
        super().__init__(row)
        self.of = machine, state

    def get(self, key: Any, default: Any = None) -> Any:
        if key in self:
            Noted.asked.add((*self.of, key))
        return super().get(key, default)


TABLES: dict[str, dict[Any, Any]] = {"call": CALL_MACHINE, "party": PARTY_MACHINE, "link": LINK_MACHINE}
NOTHING_FOLLOWS = {
    f"{machine} {state} {event}"
    for machine, event, states in (
        # the patience of a timer that does not run
        (
            "call",
            "STATUS",
            "OUTGOING_CALL_PROCEEDING CONNECT_INDICATION INCOMING_CALL_PROCEEDING ACTIVE MODIFY_RECEIVED",
        ),
        ("party", "STATUS", "PARTY_ALERTING_RECEIVED ADD_PARTY_RECEIVED PARTY_ACTIVE"),
        # late ends, which are never answered
        ("call", "STATUS", "RELEASE_INDICATION"),
        ("call", "STATUS_NULL", "RELEASE_INDICATION"),
        ("call", "RELEASE_COMPLETE", "RELEASE_INDICATION"),
        ("party", "STATUS", "DROP_PARTY_RECEIVED"),
        ("party", "STATUS_NULL", "DROP_PARTY_RECEIVED"),
        ("party", "DROP_PARTY_ACKNOWLEDGE", "DROP_PARTY_RECEIVED"),
        ("party", "ADD_PARTY_REJECT", "DROP_PARTY_RECEIVED"),
        # what the owner wants, and has already
        ("call", "RELEASE_REQUEST", "RELEASE_REQUEST"),
        ("call", "RELEASE_RESPONSE", "RELEASE_REQUEST"),
        ("party", "RELEASE_REQUEST", "DROP_PARTY_INITIATED"),
        ("party", "RELEASE_RESPONSE", "DROP_PARTY_INITIATED"),
        # of a link: it stays as it is
        ("link", "WANTED", "RESTART_REQUEST"),
        ("link", "STRANGE_TAG", "RESTART_REQUEST UP ENQUIRY"),
        ("link", "RESTART_ACKNOWLEDGE", "UP"),
    )
    for state in states.split()
}
"""Rows that are there so that nothing is counted as an error; without them the wire and the owner see the same."""


def test_every_other_row_of_the_tables_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it something is said, told or left that was not: the agreement above would fail."""
    for name, machine in TABLES.items():
        for state, row in machine.items():
            monkeypatch.setitem(machine, state, Noted(name, state, row))
    effects: dict[tuple[Any, str], Any] = {}
    seen_by: dict[tuple[str, Any, Any], list[tuple[Any, str]]] = {}
    for lead in STATES:
        for name, event in EVENTS.items():
            Noted.asked.clear()
            effects[lead, name] = effect(Station, lead, event)
            for row in Noted.asked:
                seen_by.setdefault(row, []).append((lead, name))
    unseen = set()
    for machine, table in TABLES.items():
        for state, row in table.items():
            for event in list(row):
                kept = row.pop(event)
                if not any(differs(effects, *pair) for pair in seen_by.get((machine, state, event), ())):
                    unseen.add(f"{machine} {state.name} {event.name}")
                row[event] = kept
    assert unseen == NOTHING_FOLLOWS


def differs(effects: dict[tuple[Any, str], Any], lead: Callable[[Faced], None], name: str) -> bool:
    """Whether the pair has another effect now; a script that cannot go on is one."""
    try:
        return bool(effect(Station, lead, EVENTS[name]) != effects[lead, name])
    except (AssertionError, AttributeError, LookupError, RuntimeError):
        return True

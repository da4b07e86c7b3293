# SPDX-License-Identifier: Apache-2.0
"""A wire that harms what it carries, and stations on it whose owners behave: what the fuzz tests are made of."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from hilnic.signalling import (
    CalledAddress,
    CallingAddress,
    Cause,
    ConnectionIdentifier,
    Flow,
    GroupAddress,
    TrafficContract,
)
from hilnic.signalling.control import (
    CallControl,
    Leg,
    Limits,
    ModifyConfirm,
    ModifyIndication,
    Primitive,
    ReleaseConfirm,
    ReleaseIndication,
    SetupCompleteIndication,
    SetupConfirm,
    SetupIndication,
    TimerValues,
)
from hilnic.signalling.elements import EndpointReference
from hilnic.signalling.messages import AddParty, AddPartyAcknowledge, Connect, Setup

MICROSECOND, MILLISECOND = 1_000, 1_000_000
A, B, C = (bytes.fromhex(f"02000000000{number}") for number in (1, 2, 3))
GROUP = GroupAddress(bytes.fromhex("030000000001"))
FAST = Flow(12_500_000, 3000, 12_500_000, 1500)


class Clock:
    """Virtual time with timers; the machine's timer service."""

    def __init__(self) -> None:
        self.now = 0
        self.calls: list[tuple[int, int, Entry]] = []
        self.number = 0

    def now_ns(self) -> int:
        return self.now

    def set_timer(self, delay_ns: int, routine: Callable[[], None]) -> Entry:
        self.number += 1
        entry = Entry(routine)
        heapq.heappush(self.calls, (self.now + delay_ns, self.number, entry))
        return entry

    def run(self, until_ns: int) -> None:
        while self.calls and self.calls[0][0] <= until_ns:
            self.now, _, entry = heapq.heappop(self.calls)
            routine, entry.routine = entry.routine, None
            if routine is not None:
                routine()
        self.now = until_ns

    def run_for(self, delay_ns: int) -> None:
        self.run(self.now + delay_ns)

    def pending(self) -> int:
        return sum(entry.routine is not None for _, _, entry in self.calls)


@dataclass(eq=False)
class Entry:
    """A call to come."""

    routine: Callable[[], None] | None

    def cancel(self) -> bool:
        was, self.routine = self.routine is not None, None
        return was


class Receiver(Protocol):
    """A station's ear."""

    def receive(self, octets: bytes) -> None: ...


@dataclass
class Wire:
    """Everybody hears everything; each copy has a fate of its own. Probabilities are in percent."""

    clock: Clock
    dice: random.Random
    loss: int = 0
    doubling: int = 0
    shuffling: int = 0
    cutting: int = 0
    delay_ns: int = 5 * MICROSECOND
    stations: list[Receiver] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    cut: set[Any] = field(default_factory=set)

    def heal(self) -> None:
        self.loss = self.doubling = self.shuffling = self.cutting = 0

    def send(self, sender: Receiver, octets: bytes) -> None:
        self.sent.append(octets)
        for station in self.stations:
            if station is not sender and not {station, sender} & self.cut:
                for _ in range(1 + (self.dice.randrange(100) < self.doubling)):
                    self._copy(station, octets)

    def _copy(self, station: Receiver, octets: bytes) -> None:
        if self.dice.randrange(100) < self.loss:
            return
        if self.dice.randrange(100) < self.cutting:
            octets = octets[: self.dice.randrange(len(octets))]
        late = self.dice.randrange(100) < self.shuffling
        delay = self.delay_ns + (self.dice.randrange(3 * MILLISECOND) if late else 0)
        self.clock.set_timer(delay, lambda: station.receive(octets))


@dataclass(eq=False)
class CallRecord:
    """What the owner keeps of one leg."""

    leg: Any
    contract: TrafficContract
    connected: bool = False
    indications: int = 0
    confirms: int = 0


class Station:
    """The table-driven machine and an owner: it accepts what it is offered, unless told, and answers all it must."""

    def __init__(
        self, wire: Wire, address: bytes, values: TimerValues | None = None, limits: Limits | None = None
    ) -> None:
        self.wire, self.address = wire, address
        self.records: list[CallRecord] = []
        self.told: list[Primitive] = []
        self.causes: list[Cause] = []
        self.answers: Callable[[], bool] = lambda: True
        self.slow_ns: Callable[[], int] = lambda: 0
        self.control = CallControl(
            address, 1, lambda octets: wire.send(self, octets), wire.clock, self._hear, limits, values
        )
        wire.stations.append(self)

    def receive(self, octets: bytes) -> None:
        self.control.receive(octets)

    # What its client wants.

    def call(self, peer: bytes, contract: TrafficContract | None = None) -> CallRecord | None:
        contract = contract or TrafficContract(FAST, FAST)
        return self._record(self.control.setup(invitation(self.address, peer, contract)), contract)

    def add_party(self, peer: bytes, party_id: int = 1) -> CallRecord | None:
        contract = TrafficContract(FAST)
        called, calling = CalledAddress(peer), CallingAddress(self.address)
        message = AddParty(called, calling, contract, ConnectionIdentifier((100,)), GROUP, EndpointReference(party_id))
        return self._record(self.control.setup(message), contract)

    def hang_up(self, record: CallRecord) -> None:
        self.control.release(record.leg, Cause.NORMAL_CALL_CLEARING)

    def modify(self, record: CallRecord, contract: TrafficContract) -> None:
        self.control.modify(record.leg, contract)

    @property
    def active(self) -> dict[tuple[bytes, bool, int], TrafficContract]:
        """What it believes to be connected, named alike at both ends."""
        found = {}
        for record in self.records:
            if record.connected and not record.confirms and not record.indications:
                leg = record.leg
                originator = self.address if leg.originated else leg.link.peer
                found[originator, isinstance(leg.invitation, AddParty), leg.reference] = record.contract
        return found

    @property
    def live(self) -> int:
        """Legs that have not ended."""
        return sum(not record.confirms for record in self.records)

    @property
    def kept(self) -> int:
        """Legs that the machine still has."""
        return self.control.leg_count

    # What its machine tells.

    def _record(self, leg: Leg | None, contract: TrafficContract) -> CallRecord | None:
        if leg is None:
            return None
        leg.owner = CallRecord(leg, contract)
        self.records.append(leg.owner)
        return leg.owner

    def _hear(self, told: Primitive) -> None:
        self.told.append(told)
        record = told.leg.owner
        match told:
            case SetupIndication(leg, message):
                self._record(leg, message.contract)
                self._later(lambda: self._answer(leg, message))
            case SetupConfirm(leg, message):
                if isinstance(message, Connect):
                    record.contract = message.contract
                    self._later(lambda: self._complete(record))
                else:
                    record.connected = True
            case SetupCompleteIndication():
                record.connected = True
            case ReleaseIndication(leg, cause):
                record.indications += 1
                self.causes.append(cause)
                self._later(lambda: self.control.release_response(leg))
            case ReleaseConfirm():
                record.confirms += 1
            case ModifyIndication(leg, contract):
                self._later(lambda: self._modified(record, contract))
            case ModifyConfirm(_, contract):
                record.contract = contract or record.contract

    def _later(self, action: Callable[[], Any]) -> None:
        """Now, or as late as its client is slow."""
        delay = self.slow_ns()
        if delay:
            self.wire.clock.set_timer(delay, action)
        else:
            action()

    def _answer(self, leg: Leg, message: Setup | AddParty) -> None:
        if not self.answers():
            self.control.release(leg, Cause.CALL_REJECTED)
        elif isinstance(message, AddParty):
            self.control.accept(leg, AddPartyAcknowledge(message.endpoint))
        else:
            first = ConnectionIdentifier(message.connection.vlan_ids[:1])
            self.control.accept(leg, Connect(message.contract, first))

    def _complete(self, record: CallRecord) -> None:
        record.connected = self.control.complete(record.leg)

    def _modified(self, record: CallRecord, contract: TrafficContract) -> None:
        if not self.answers():
            self.control.refuse_modify(record.leg, Cause.USER_CELL_RATE_NOT_AVAILABLE)
        elif self.control.accept_modify(record.leg, contract):
            record.contract = contract


def invitation(caller: bytes, called: bytes, contract: TrafficContract) -> Setup:
    """A plain SETUP."""
    return Setup(CalledAddress(called), CallingAddress(caller), contract, ConnectionIdentifier((100, 101)))

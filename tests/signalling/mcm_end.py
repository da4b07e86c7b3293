# SPDX-License-Identifier: Apache-2.0
"""The integrated call manager's station as an end of the fuzzed wire, as network.Station is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hilnic.mcm.dialogue import Dialogue, Phase
from hilnic.mcm.peer import Settings
from hilnic.mcm.station import Station as McmStation
from hilnic.signalling import CalledAddress, CallingAddress, Cause, CauseElement, ConnectionIdentifier, TrafficContract
from hilnic.signalling.elements import EndpointReference
from hilnic.signalling.messages import (
    AddParty,
    AddPartyAcknowledge,
    Connect,
    ModifyAcknowledge,
    ModifyReject,
)

from .network import FAST, GROUP, CallRecord, Wire, invitation


class McmEnd:
    """A station of `hilnic.mcm` and an owner that accepts what it is offered, unless told."""

    def __init__(self, wire: Wire, address: bytes, settings: Settings | None = None) -> None:
        self.wire, self.address = wire, address
        self.records: list[CallRecord] = []
        self.answers: Callable[[], bool] = lambda: True
        self.slow_ns: Callable[[], int] = lambda: 0
        self.causes: list[Cause] = []
        self.station = McmStation(address, wire.clock, lambda octets: wire.send(self, octets), self, settings)
        wire.stations.append(self)

    def receive(self, octets: bytes) -> None:
        self.station.receive(octets)

    def call(self, peer: bytes, contract: TrafficContract | None = None) -> CallRecord | None:
        contract = contract or TrafficContract(FAST, FAST)
        return self._begin(invitation(self.address, peer, contract), contract)

    def add_party(self, peer: bytes, party_id: int = 1) -> CallRecord | None:
        contract = TrafficContract(FAST)
        called, calling = CalledAddress(peer), CallingAddress(self.address)
        connection = ConnectionIdentifier((100,))
        return self._begin(
            AddParty(called, calling, contract, connection, GROUP, EndpointReference(party_id)), contract
        )

    def _begin(self, message: Any, contract: TrafficContract) -> CallRecord | None:
        record = CallRecord(None, contract)
        record.leg = self.station.invite(message, record)
        if record.leg is not None:
            self.records.append(record)
        return record

    def hang_up(self, record: CallRecord) -> None:
        record.leg.leave(Cause.NORMAL_CALL_CLEARING)

    def modify(self, record: CallRecord, contract: TrafficContract) -> None:
        record.leg.change(contract)

    @property
    def active(self) -> dict[tuple[bytes, bool, int], TrafficContract]:
        found = {}
        for record in self.records:
            if record.connected and not record.confirms and not record.indications:
                dialogue: Dialogue = record.leg
                originator = self.address if dialogue.invites else dialogue.peer.address
                found[originator, dialogue.is_party, dialogue.reference] = record.contract
        return found

    @property
    def live(self) -> int:
        return sum(not record.confirms for record in self.records)

    @property
    def kept(self) -> int:
        return self.station.dialogues

    def _later(self, action: Callable[[], Any]) -> None:
        delay = self.slow_ns()
        if delay:
            self.wire.clock.set_timer(delay, action)
        else:
            action()

    # What it hears.

    def offered(self, dialogue: Dialogue) -> None:
        record = CallRecord(dialogue, dialogue.invitation.contract)
        dialogue.owner = record
        self.records.append(record)
        self._later(lambda: self._answer(dialogue))

    def _answer(self, dialogue: Dialogue) -> None:
        message = dialogue.invitation
        if not self.answers():
            dialogue.leave(Cause.CALL_REJECTED)
        elif isinstance(message, AddParty):
            dialogue.answer(AddPartyAcknowledge(message.endpoint))
        else:
            dialogue.answer(Connect(message.contract, ConnectionIdentifier(message.connection.vlan_ids[:1])))

    def agreed(self, dialogue: Dialogue, answer: Any) -> None:
        record = dialogue.owner
        if isinstance(answer, Connect):
            record.contract = answer.contract
            self._later(lambda: self._ready(dialogue))
        else:
            record.connected = True

    def _ready(self, dialogue: Dialogue) -> None:
        dialogue.owner.connected = dialogue.phase is Phase.AGREED
        dialogue.ready()

    def settled(self, dialogue: Dialogue) -> None:
        dialogue.owner.connected = True

    def left(self, dialogue: Dialogue, cause: Cause, data: bytes) -> None:
        self.causes.append(cause)
        dialogue.owner.indications += 1
        self._later(lambda: dialogue.leave(Cause.NORMAL_CALL_CLEARING))

    def over(self, dialogue: Dialogue) -> None:
        dialogue.owner.confirms += 1

    def change_wanted(self, dialogue: Dialogue, contract: TrafficContract) -> None:
        self._later(lambda: self._change(dialogue, contract))

    def _change(self, dialogue: Dialogue, contract: TrafficContract) -> None:
        if not self.answers():
            dialogue.settle_change(ModifyReject(CauseElement(Cause.USER_CELL_RATE_NOT_AVAILABLE)))
        elif dialogue.settle_change(ModifyAcknowledge(contract)):
            dialogue.owner.contract = contract

    def change_answered(self, dialogue: Dialogue, answer: ModifyAcknowledge | ModifyReject) -> None:
        if isinstance(answer, ModifyAcknowledge):
            dialogue.owner.contract = answer.contract

# SPDX-License-Identifier: Apache-2.0
"""A VC and its call, in the integrated call manager. What happens to it waits in a queue and is done step by step.

A step is a coroutine at PASSIVE_LEVEL: it may wait for the hardware, and the next one begins when it has ended. So a
close that comes while the VC is being activated simply comes after it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from hilnic.mcm.dialogue import Dialogue
from hilnic.mcm.party import McmParty
from hilnic.mcm.terms import SILENT, Wish, agreement, as_status, wish_of
from hilnic.ndis import NdisStatus, condis
from hilnic.ndis.condis import CallFlags, CallParameters, MediaFlags, PartyHandle, VcHandle
from hilnic.ndis.condis.vlan_media import VlanMedia
from hilnic.signalling import (
    CallingAddress,
    Cause,
    CauseElement,
    ConnectionIdentifier,
    EndpointReference,
    Flow,
    GroupAddress,
    TrafficContract,
)
from hilnic.signalling.elements import LONGEST_USER_DATA
from hilnic.signalling.messages import AddParty, AddPartyAcknowledge, Connect, ModifyAcknowledge, ModifyReject, Setup

if TYPE_CHECKING:
    from hilnic.mcm.half import Mcm, McmAf, McmSap

__all__ = ["McmVc", "Stage"]

_OFFERED_IDS = 4
_OFFERS = 3
Step = Callable[[], Coroutine[Any, Any, None]]


class Stage(Enum):
    """What the client knows of the call."""

    IDLE = auto()
    MAKING = auto()
    COMING = auto()
    KNOWN = auto()  # connected, or offered to the client
    CLOSING = auto()
    GONE = auto()


class McmVc:
    """The VC context of both halves; `data` is the miniport's own."""

    def __init__(self, mcm: Mcm, af: McmAf, is_own: bool) -> None:
        self.mcm, self.af, self.is_own = mcm, af, is_own
        self.handle: VcHandle
        self.data: Any = None
        self.stage = Stage.IDLE
        self.is_active = False
        self.asked = self.parameters = CallParameters()
        self.sends: Flow = SILENT
        self.receives: Flow = SILENT
        self.peer = b""
        self.group: GroupAddress | None = None
        self.ids: tuple[int, ...] = ()
        self.priority = 0
        self.dialogue: Dialogue | None = None
        self.open_dialogues = 0
        self.parties: list[McmParty] = []
        self.changing: CallParameters | None = None
        self._wish = Wish()
        self._offers = 0
        self.next_party = 1
        self._steps: deque[Step] = deque()
        self._works = False

    def __repr__(self) -> str:
        """Stage and dialogues."""
        return f"<McmVc {self.stage.name}, {self.open_dialogues} dialogues>"

    @property
    def is_up(self) -> bool:
        """Whether the client has the call, and keeps it."""
        return self.stage is Stage.KNOWN

    @property
    def contract(self) -> TrafficContract:
        """Seen from whoever has begun the call."""
        return TrafficContract(*((self.receives, self.sends) if self.is_own else (self.sends, self.receives)))

    @contract.setter
    def contract(self, contract: TrafficContract) -> None:
        flows = (contract.forward, contract.backward)
        self.receives, self.sends = flows if self.is_own else flows[::-1]

    def agreed(self) -> CallParameters:
        """The parameters of the present contract."""
        destination = self.peer if self.group is None else self.group.address
        return agreement(self.asked, self.sends, self.receives, VlanMedia(self.ids[0], self.priority, destination))

    # Steps.

    def then(self, step: Step) -> None:
        """Do this when everything before has been done."""
        self._steps.append(step)
        if not self._works:
            self._works = True
            self.mcm.work(self._work)

    async def _work(self) -> None:
        while self._steps:
            await self._steps.popleft()()
        self._works = False

    async def activate(self, parameters: CallParameters) -> NdisStatus:
        """Have the miniport do it, and tell NDIS."""
        was_active, self.is_active = self.is_active, True  # its id is in use from now on
        status = await self.mcm.board.activate(self.data, parameters)
        if status is NdisStatus.SUCCESS:
            self.parameters = parameters
            condis.mcm_activate_vc(self.handle, parameters)
        else:
            self.is_active = was_active
        return status

    async def quieten(self) -> None:
        """Nothing flows on it any more; its place on the line is free."""
        if self.is_active:
            await self.mcm.board.deactivate(self.data)
            self.is_active = False
            condis.mcm_deactivate_vc(self.handle)
        self.mcm.ledger.promises.pop(self, None)
        self.free_ids()

    def free_ids(self) -> None:
        """Once neither a frame nor a dialogue has them."""
        if not self.is_active and not self.open_dialogues:
            self.mcm.ledger.back(*self.ids)
            self.ids = ()

    def dialogue_over(self) -> None:
        """One less."""
        self.open_dialogues -= 1
        self.free_ids()

    # Outgoing.

    def make(self, parameters: CallParameters, party: PartyHandle | None) -> tuple[NdisStatus, McmParty | None]:
        """ProtocolCmMakeCall."""
        wish = wish_of(parameters)
        if wish.called is None:
            return wish.problem, None
        if wish.called.station == self.mcm.address:
            return NdisStatus.NO_ROUTE_TO_DESTINATION, None
        ledger = self.mcm.ledger
        self.sends, self.receives = wish.sends, SILENT if party is not None else wish.receives
        if not ledger.promise(self, self.sends):
            if not parameters.media.flags & MediaFlags.ROUND_DOWN_FLOW or ledger.left <= 0:
                return NdisStatus.CELLRATE_NOT_AVAILABLE, None
            self.sends = replace(self.sends, rate=ledger.left)
            ledger.promise(self, self.sends)
        self.asked, self.peer, self._wish, self._offers = parameters, wish.called.station, wish, 0
        first = None if party is None else McmParty(self, party, self.peer)
        status = self._offer(first is not None)
        if status is not NdisStatus.PENDING:
            ledger.promises.pop(self, None)
            return status, None
        self.stage = Stage.MAKING
        if first is not None and self.dialogue is not None:
            first.dialogue = self.dialogue
            self.parties = [first]
        return status, first

    def _offer(self, for_many: bool) -> NdisStatus:
        assert self._wish.called is not None
        ledger, mcm = self.mcm.ledger, self.mcm
        self._offers += 1
        self.ids = ledger.lend_for_many(self) if for_many else ledger.lend(self, self.peer, _OFFERED_IDS)
        if not self.ids:
            return NdisStatus.VC_NOT_AVAILABLE
        self.group = mcm.group if for_many else None
        selector = self._wish.calling.selector if self._wish.calling else b""
        invitation = Setup(
            self._wish.called,
            CallingAddress(mcm.address, selector),
            self.contract,
            ConnectionIdentifier(self.ids, self.priority),
            self.group,
            EndpointReference(0) if for_many else None,
            self._wish.data,
        )
        self.dialogue = mcm.station.invite(invitation, self)
        if self.dialogue is None:
            self.free_ids()
            return NdisStatus.RESOURCES
        self.open_dialogues += 1
        return NdisStatus.PENDING

    async def accepted(self, dialogue: Dialogue, answer: Connect) -> None:
        """The peer has taken the call."""
        if not self._is_making() or dialogue is not self.dialogue:
            return
        chosen = answer.connection.vlan_ids
        if len(chosen) != 1 or chosen[0] not in self.ids or answer.contract.forward.promised > self.sends.promised:
            await self._not_made(NdisStatus.VC_NOT_AVAILABLE, Cause.CONNECTION_NOT_AVAILABLE)
            return
        self.mcm.ledger.back(*(each for each in self.ids if each != chosen[0]))
        self.ids, self.contract = chosen, answer.contract
        self.mcm.ledger.promise(self, self.sends)
        status = await self.activate(self.agreed())
        if not self._is_making():
            return  # the client has closed meanwhile: the next step takes it down
        if status is not NdisStatus.SUCCESS:
            await self._not_made(status, Cause.RESOURCE_UNAVAILABLE)
            return
        self.stage = Stage.KNOWN
        dialogue.ready()
        first = self.parties[0] if self.parties else None
        handle = None if first is None else first.handle
        condis.mcm_complete_make_call(self.handle, NdisStatus.SUCCESS, handle, first, self.parameters)

    def _is_making(self) -> bool:
        return self.stage is Stage.MAKING

    async def _not_made(self, status: NdisStatus, cause: Cause = Cause.NORMAL_CALL_CLEARING) -> None:
        await self.quieten()
        dialogue, self.dialogue = self.dialogue, None
        self.parties = []
        if dialogue is not None:
            dialogue.leave(cause)
        if self.stage is Stage.MAKING:
            self.stage = Stage.IDLE
            condis.mcm_complete_make_call(self.handle, status, None, None, self.asked)

    # Incoming.

    async def arrive(self, sap: McmSap) -> None:
        """Activate, then offer it to the client (CC-15)."""
        if self._has_gone():
            await self._refuse(Cause.NORMAL_CALL_CLEARING)
            return
        status = await self.activate(self.agreed())
        if status is not NdisStatus.SUCCESS or self._has_gone():
            await self._refuse(Cause.RESOURCE_UNAVAILABLE)
            return
        if not self.mcm.has(sap):  # it has been deregistered meanwhile
            await self._refuse(Cause.UNALLOCATED_NUMBER)
            return
        self.stage = Stage.KNOWN
        self.parameters.flags &= ~int(CallFlags.CALL_PARAMETERS_CHANGED)
        answer = condis.mcm_dispatch_incoming_call(sap.handle, self.handle, self.parameters)
        if answer is not NdisStatus.PENDING:
            await self.decided(answer, self.parameters)

    def _has_gone(self) -> bool:
        return self.stage is Stage.GONE

    async def decided(self, status: NdisStatus, parameters: CallParameters) -> None:
        """The client has taken the call, or not."""
        if status is not NdisStatus.SUCCESS:
            await self._refuse(Cause.CALL_REJECTED)
            return
        dialogue = self.dialogue
        assert dialogue is not None
        if parameters.flags & CallFlags.CALL_PARAMETERS_CHANGED:
            wish = wish_of(parameters, needs_address=False)
            if wish.problem is NdisStatus.SUCCESS and wish.sends.promised <= self.sends.promised:
                self.sends, self.receives = wish.sends, wish.receives
                self.mcm.ledger.promise(self, self.sends)
            await self.activate(self.agreed())
        if isinstance(dialogue.invitation, AddParty):
            dialogue.answer(AddPartyAcknowledge(dialogue.invitation.endpoint))
        else:
            dialogue.answer(Connect(self.contract, ConnectionIdentifier(self.ids, self.priority)))

    async def _refuse(self, cause: Cause) -> None:
        assert self.dialogue is not None
        await self.quieten()
        self.dialogue.leave(cause)
        self.mcm.delete(self)

    async def settled(self) -> None:
        """The caller is ready: data may flow."""
        if self.stage is Stage.KNOWN:
            condis.mcm_dispatch_call_connected(self.handle)

    # Change.

    def change(self, parameters: CallParameters) -> NdisStatus:
        """ProtocolCmModifyCallQoS: by whoever has called, point to point."""
        if self.is_own or self.group is not None or self.dialogue is None:
            return NdisStatus.NOT_SUPPORTED
        wish = wish_of(parameters, needs_address=False)
        if wish.problem is not NdisStatus.SUCCESS:
            return wish.problem
        if not self._promise_the_larger(wish.sends):
            return NdisStatus.CELLRATE_NOT_AVAILABLE
        if not self.dialogue.change(TrafficContract(wish.sends, wish.receives)):
            return NdisStatus.FAILURE
        self.changing = parameters
        return NdisStatus.PENDING

    def _promise_the_larger(self, flow: Flow) -> bool:
        return flow.promised <= self.sends.promised or self.mcm.ledger.promise(self, flow)

    async def change_answered(self, answer: ModifyAcknowledge | ModifyReject) -> None:
        """The peer agrees, or not."""
        if self.changing is None:
            return  # the client has closed, or it is the way back
        if isinstance(answer, ModifyReject):
            self._changed(as_status(answer.cause.cause), self.changing)
            return
        before, asked_before = self.contract, self.asked
        self.contract, self.asked = answer.contract, self.changing
        status = await self.activate(self.agreed())
        if status is not NdisStatus.SUCCESS:
            self.contract, self.asked = before, asked_before
            if self.dialogue is not None:
                self.dialogue.change(before)
        if self.changing is not None:
            self._changed(status, self.parameters if status is NdisStatus.SUCCESS else self.changing)

    def _changed(self, status: NdisStatus, parameters: CallParameters) -> None:
        self.changing = None
        self.mcm.ledger.promise(self, self.sends)
        condis.mcm_complete_modify_call_qos(self.handle, status, parameters)

    async def change_wanted(self, dialogue: Dialogue, contract: TrafficContract) -> None:
        """The caller wants another contract (CC-25)."""
        if self.stage is not Stage.KNOWN or not self._promise_the_larger(contract.backward):
            dialogue.settle_change(ModifyReject(CauseElement(Cause.USER_CELL_RATE_NOT_AVAILABLE)))
            return
        before, self.contract = self.contract, contract
        status = await self.activate(self.agreed())
        if status is NdisStatus.SUCCESS and dialogue.settle_change(ModifyAcknowledge(contract)):
            if self.is_up:
                condis.mcm_dispatch_incoming_call_qos_change(self.handle, self.parameters)
        else:
            self.contract = before
            dialogue.settle_change(ModifyReject(CauseElement(Cause.QUALITY_OF_SERVICE_UNAVAILABLE)))
        self.mcm.ledger.promise(self, self.sends)

    # The end.

    async def peer_left(self, dialogue: Dialogue, cause: Cause, data: bytes) -> None:
        """The peer has ended it, or is not there."""
        status = as_status(cause)
        if dialogue is not self.dialogue or self.stage is Stage.CLOSING:
            dialogue.leave(Cause.NORMAL_CALL_CLEARING)
        elif self.stage is Stage.MAKING:
            if cause is Cause.CONNECTION_NOT_AVAILABLE and self.group is None and self._offers < _OFFERS:
                self._offer_again(dialogue)
            else:
                await self._not_made(NdisStatus.NOT_ACCEPTED if status is NdisStatus.SUCCESS else status)
        elif self.stage is Stage.KNOWN:
            if self.changing is not None:
                self._changed(NdisStatus.REQUEST_ABORTED, self.changing)
            condis.mcm_dispatch_incoming_close_call(self.handle, status, data)

    def _offer_again(self, dialogue: Dialogue) -> None:
        """Other ids, for the peer has none of those."""
        before = self.ids
        status = self._offer(for_many=False)
        self.mcm.ledger.back(*before)
        dialogue.leave(Cause.NORMAL_CALL_CLEARING)
        if status is not NdisStatus.PENDING:
            self.then(lambda: self._not_made(NdisStatus.VC_NOT_AVAILABLE))

    def close(self, party: McmParty | None, data: bytes) -> NdisStatus:
        """ProtocolCmCloseCall: what is under way ends now (CC-26), the rest step by step."""
        if self.stage is Stage.MAKING:
            condis.mcm_complete_make_call(self.handle, NdisStatus.REQUEST_ABORTED, None, None, self.asked)
        if self.changing is not None:
            self._changed(NdisStatus.REQUEST_ABORTED, self.changing)
        self.stage = Stage.CLOSING
        self.then(lambda: self._close(party, data[:LONGEST_USER_DATA]))
        return NdisStatus.PENDING

    async def _close(self, party: McmParty | None, data: bytes) -> None:
        await self.quieten()
        dialogue = self.dialogue if party is None else party.dialogue
        if dialogue is not None:
            dialogue.leave(Cause.NORMAL_CALL_CLEARING, data)
        self.parties, self.dialogue, self.stage = [], None, Stage.IDLE
        condis.mcm_complete_close_call(self.handle, NdisStatus.SUCCESS, None if party is None else party.handle)
        if self.is_own:
            self.mcm.delete(self)

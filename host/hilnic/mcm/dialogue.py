# SPDX-License-Identifier: Apache-2.0
"""One call, or one party of it, between this station and a peer, told by what is heard in which phase.

WAITING -> INVITING -> ALERTED -> AGREED -> TALKING      the side that invites
INVITED -> ANSWERED -> TALKING                           the side that is invited
TALKING <-> CHANGING, TALKING <-> ASKED                  modification
any -> LEAVING -> OVER                                   this side has left
any -> LEFT -> OVER                                      the peer has left, and waits until this side is quiet
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from hilnic.mcm.exchange import Exchange
from hilnic.mcm.words import OF_CALL, OF_PARTY
from hilnic.signalling import (
    CallState,
    Cause,
    CauseElement,
    EndpointReference,
    Header,
    Message,
    TrafficContract,
    UserData,
)
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
    Setup,
    Status,
    StatusEnquiry,
)

if TYPE_CHECKING:
    from hilnic.mcm.peer import Peer

__all__ = ["Dialogue", "Phase"]


class Phase(Enum):
    """How far it has got."""

    WAITING = auto()
    INVITING = auto()
    ALERTED = auto()
    AGREED = auto()
    INVITED = auto()
    ANSWERED = auto()
    TALKING = auto()
    CHANGING = auto()
    ASKED = auto()
    LEAVING = auto()
    LEFT = auto()
    OVER = auto()


_NUMBERS = {
    Phase.WAITING: (0, 0),
    Phase.INVITING: (1, 33),
    Phase.ALERTED: (3, 34),
    Phase.AGREED: (13, 39),
    Phase.INVITED: (9, 35),
    Phase.ANSWERED: (8, 36),
    Phase.TALKING: (10, 39),
    Phase.CHANGING: (14, 39),
    Phase.ASKED: (15, 39),
    Phase.LEAVING: (11, 37),
    Phase.LEFT: (12, 38),
    Phase.OVER: (0, 0),
}
"""In STATUS: of a call, of a party (docs/signalling.md)."""
_NORMAL = CauseElement(Cause.NORMAL_CALL_CLEARING)


class Dialogue:
    """`owner` is the user's. What it learns goes to the station's observer."""

    def __init__(self, peer: Peer, reference: int, invites: bool, invitation: Setup | AddParty, owner: Any) -> None:
        self.peer, self.reference, self.invites = peer, reference, invites
        self.invitation, self.owner = invitation, owner
        self.phase = Phase.WAITING
        self.transaction = 0
        self._exchange: Exchange | None = None
        self._last_answer: Message | None = None

    @property
    def is_party(self) -> bool:
        """Whether ADD PARTY has begun it."""
        return isinstance(self.invitation, AddParty)

    @property
    def number(self) -> int:
        """Of its phase, in STATUS."""
        return _NUMBERS[self.phase][self.is_party]

    def __repr__(self) -> str:
        """Peer, reference, phase."""
        return f"<dialogue {self.reference} with {self.peer.address.hex(':')}: {self.phase.name}>"

    # What this side does.

    def invite(self) -> None:
        """SETUP, or ADD PARTY."""
        self._enter(Phase.INVITING, self.peer.settings.repeat_ns, self.invitation, Cause.DESTINATION_OUT_OF_ORDER)

    def answer(self, message: Connect | AddPartyAcknowledge) -> None:
        """Take the call."""
        if self.phase is Phase.INVITED:
            self._last_answer = message
            self._enter(Phase.ANSWERED, self.peer.settings.repeat_ns, message, Cause.RECOVERY_ON_TIMER_EXPIRY)

    def ready(self) -> None:
        """The connection that CONNECT has named is active."""
        if self.phase is Phase.AGREED:
            self.phase = Phase.TALKING
            self._say(ConnectAcknowledge())

    def leave(self, cause: Cause, data: bytes = b"") -> None:
        """End it, in whatever phase; this side is quiet already."""
        if self.phase is Phase.LEFT:
            self._say(DropPartyAcknowledge(_NORMAL, self._endpoint()) if self.is_party else ReleaseComplete(_NORMAL))
            self._over()
        elif self.phase is Phase.WAITING:
            self._over()
        elif self.phase not in {Phase.LEAVING, Phase.OVER}:
            self._part(cause, data)
        self.peer.station.tell()

    def change(self, contract: TrafficContract) -> bool:
        """Ask for another contract; False when that cannot be."""
        if not self.invites or self.is_party or self.phase is not Phase.TALKING:
            return False
        self.transaction = (self.transaction + 1) % 256
        message = ModifyRequest(contract)
        self._enter(Phase.CHANGING, self.peer.settings.repeat_ns, message, Cause.RECOVERY_ON_TIMER_EXPIRY)
        return True

    def settle_change(self, message: ModifyAcknowledge | ModifyReject) -> bool:
        """Answer the peer's wish for another contract; False when it has left."""
        if self.phase is not Phase.ASKED:
            return False
        self.phase, self._last_answer = Phase.TALKING, message
        self._say(message)
        return True

    # What is heard.

    def hear(self, header: Header, message: Message) -> bool:
        """A message of the present incarnations; False when it does not belong into this phase, and nothing follows."""
        if isinstance(message, ModifyAcknowledge | ModifyReject) and header.transaction != self.transaction:
            return True  # late: to an older wish
        if message.TYPE not in (OF_PARTY if self.is_party else OF_CALL):
            return False
        match message:
            case Release() | DropParty():
                self._hear_leaving(message)
            case ReleaseComplete() | DropPartyAcknowledge() | AddPartyReject():
                self._hear_end(message.cause.cause, getattr(message, "user_data", None))
            case Status(cause=cause, state=state):
                if state.value == 0:
                    self._hear_end(Cause.MESSAGE_NOT_COMPATIBLE_WITH_STATE, None)
                elif cause.cause < Cause.INVALID_CALL_REFERENCE and self._exchange is not None:
                    self._exchange.encourage()
            case StatusEnquiry():
                self._tell_state(Cause.RESPONSE_TO_STATUS_ENQUIRY)
            case _ if self.phase not in {Phase.LEAVING, Phase.LEFT}:
                return self._hear_progress(header, message)
        return True  # with the end under way the rest is late

    def _hear_progress(self, header: Header, message: Message) -> bool:
        """What brings the dialogue further; False as from `hear`."""
        match message:
            case ModifyRequest():
                return self._hear_wish(header.transaction, message)
            case ModifyAcknowledge() | ModifyReject():
                return self._hear_answer_to_wish(message)
            case _ if self.invites:
                self._hear_invited(message)
                return True
            case _:
                return self._hear_inviting(message)

    def _hear_invited(self, message: Message) -> None:
        """What only the side that was invited says; what has got further already is late."""
        match message:
            case CallProceeding() | PartyAlerting() if self.phase is Phase.INVITING:
                self._quiet()
                self.phase = Phase.ALERTED
                settings = self.peer.settings
                self._exchange = Exchange(self.peer.clock, settings.answer_ns, 1, None, self._not_answered)
            case Connect() if self.phase in {Phase.INVITING, Phase.ALERTED}:
                self._quiet()
                self.phase = Phase.AGREED
                self._tell_state()
                self.peer.news(self.peer.observer.agreed, self, message)
            case AddPartyAcknowledge() if self.phase in {Phase.INVITING, Phase.ALERTED}:
                self._quiet()
                self.phase = Phase.TALKING
                self._say(ConnectAcknowledge())
                self.peer.news(self.peer.observer.agreed, self, message)
            case Connect() if self.phase is Phase.AGREED:
                self._tell_state()
            case Connect() | AddPartyAcknowledge() if self.phase in {Phase.TALKING, Phase.CHANGING}:
                self._say(ConnectAcknowledge())

    def _hear_answer_to_wish(self, message: ModifyAcknowledge | ModifyReject) -> bool:
        """Of a change; a second one is late."""
        if self.phase is Phase.CHANGING:
            self._quiet()
            self.phase = Phase.TALKING
            self.peer.news(self.peer.observer.change_answered, self, message)
            return True
        return self.phase is Phase.TALKING

    def _hear_inviting(self, message: Message) -> bool:
        """What only the side that invites says; what has got further already is late."""
        match message:
            case Setup() if self.phase is Phase.INVITED:
                self._say(CallProceeding())
            case AddParty() if self.phase is Phase.INVITED:
                self._say(PartyAlerting(message.endpoint))
            case ConnectAcknowledge() if self.phase is Phase.INVITED:
                return False  # of what has not been answered
            case ConnectAcknowledge() if self.phase is Phase.ANSWERED:
                self._quiet()
                self.phase = Phase.TALKING
                self.peer.news(self.peer.observer.settled, self)
        return True

    def invited(self) -> None:
        """The peer's invitation has made this dialogue."""
        self.phase = Phase.INVITED
        self._say(PartyAlerting(self._endpoint()) if self.is_party else CallProceeding())
        self.peer.news(self.peer.observer.offered, self)

    def _hear_wish(self, transaction: int, message: ModifyRequest) -> bool:
        """For another contract: a new one, or one heard before."""
        age = (transaction - self.transaction) % 256
        if age >= 128:
            return True  # late: older than the last one
        if self.phase is Phase.TALKING:
            if age:
                self.transaction, self.phase = transaction, Phase.ASKED
                self._tell_state()
                self.peer.news(self.peer.observer.change_wanted, self, message.contract)
            elif self._last_answer is not None:
                self._say(self._last_answer)
            return True
        if self.phase is Phase.ASKED and not age:
            self._tell_state()
            return True
        return self.phase is Phase.ANSWERED and age > 0  # then it has overtaken CONNECT ACKNOWLEDGE, and is repeated

    def _hear_leaving(self, message: Release | DropParty) -> None:
        if self.phase is Phase.LEAVING:
            self._say(DropPartyAcknowledge(_NORMAL, self._endpoint()) if self.is_party else ReleaseComplete(_NORMAL))
            self._over()
            return
        first = self.phase is not Phase.LEFT
        self._quiet()
        self.phase = Phase.LEFT
        self._tell_state()
        if first:
            data = message.user_data.data if message.user_data else b""
            self.peer.news(self.peer.observer.left, self, message.cause.cause, data)

    def _hear_end(self, cause: Cause, user_data: UserData | None) -> None:
        """The peer knows nothing of it (any more)."""
        if self.phase is not Phase.LEFT:
            self.lost(cause, user_data.data if user_data else b"")

    # What the peer's link does to it.

    def lost(self, cause: Cause, data: bytes = b"") -> None:
        """It has ended at the peer, or the peer has."""
        if self.phase not in {Phase.LEAVING, Phase.LEFT, Phase.OVER}:
            self.peer.news(self.peer.observer.left, self, cause, data)
        if self.phase is not Phase.OVER:
            self._over()

    def peer_restarted(self) -> None:
        """What the peer has not yet answered is said to its new life; the rest has gone."""
        if self.phase is Phase.INVITING and self._exchange is not None:
            self._exchange.again()
        elif self.phase is not Phase.WAITING:
            self.lost(Cause.TEMPORARY_FAILURE)

    def silence(self) -> None:
        """No timer of it runs any more."""
        self._quiet()

    # Small things.

    def _endpoint(self) -> EndpointReference:
        assert isinstance(self.invitation, AddParty)
        return self.invitation.endpoint

    def _part(self, cause: Cause, data: bytes) -> None:
        user_data = UserData(data) if data else None
        element = CauseElement(cause)
        message = DropParty(element, self._endpoint(), user_data) if self.is_party else Release(element, user_data)
        self._enter(Phase.LEAVING, self.peer.settings.repeat_ns, message, Cause.RECOVERY_ON_TIMER_EXPIRY)

    def _not_answered(self) -> None:
        """Nobody has taken the call."""
        self.peer.news(self.peer.observer.left, self, Cause.NO_USER_RESPONDING, b"")
        self._part(Cause.NO_USER_RESPONDING, b"")

    def _enter(self, phase: Phase, every_ns: int, message: Message, otherwise: Cause) -> None:
        self._quiet()
        self.phase = phase

        def nobody_answers() -> None:
            if phase is Phase.LEAVING:
                self._over()
            self.peer.fail(otherwise)

        times = self.peer.settings.times
        self._exchange = Exchange(self.peer.clock, every_ns, times, lambda: self._say(message), nobody_answers)

    def _tell_state(self, cause: Cause = Cause.NORMAL_UNSPECIFIED) -> None:
        self._say(Status(CauseElement(cause), CallState(self.number)))

    def _say(self, message: Message) -> None:
        self.peer.say(message, self.reference, not self.invites, self.transaction)

    def _quiet(self) -> None:
        if self._exchange is not None:
            self._exchange.end()
            self._exchange = None

    def _over(self) -> None:
        self._quiet()
        self.phase = Phase.OVER
        self.peer.forget(self)
        self.peer.news(self.peer.observer.over, self)

# SPDX-License-Identifier: Apache-2.0
"""A peer: both ends' incarnations, the dialogues with it, and whether it is there."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from hilnic.mcm.dialogue import Dialogue
from hilnic.mcm.exchange import Exchange
from hilnic.mcm.words import INVITED, INVITING, SILENT
from hilnic.signalling import VERSION, CallState, Cause, CauseElement, Header, Incarnation, Message, Versions
from hilnic.signalling.messages import (
    HIGHEST_REFERENCE,
    AddParty,
    AddPartyReject,
    DropParty,
    DropPartyAcknowledge,
    MessageType,
    Release,
    ReleaseComplete,
    Restart,
    RestartAcknowledge,
    Setup,
    Status,
    StatusEnquiry,
)

if TYPE_CHECKING:
    from hilnic.mcm.station import Observer, Station

__all__ = ["Peer", "Settings"]

_REMEMBERED = 4096
_VERSIONS = Versions(VERSION, VERSION)
_UNKNOWN = CauseElement(Cause.INVALID_CALL_REFERENCE)


@dataclass(frozen=True, slots=True)
class Settings:
    """Nanoseconds, counts, bounds; docs/signalling.md has the timers' names for them."""

    repeat_ns: int = 500_000
    answer_ns: int = 50_000_000
    quiet_ns: int = 5_000_000
    times: int = 6
    peers: int = 64
    dialogues: int = 2048
    dialogues_of_one: int = 1024


class _Link(Enum):
    DOWN = auto()
    RESTARTING = auto()
    UP = auto()


class Peer:
    """One other station."""

    def __init__(self, station: Station, address: bytes) -> None:
        self.station, self.address = station, address
        self.settings, self.clock = station.settings, station.clock
        self.mine = station.incarnation()
        self.theirs = 0
        self.link = _Link.DOWN
        self.dialogues: dict[tuple[bool, int], Dialogue] = {}
        self.begun_there = 0
        self._waiting: list[Dialogue] = []
        self._next = 1
        self._used: set[int] = set()
        self._order: deque[int] = deque()
        self._watch: Exchange | None = None

    @property
    def observer(self) -> Observer:
        """Who wants to know."""
        return self.station.observer

    @property
    def is_up(self) -> bool:
        """Whether both ends know each other's incarnation."""
        return self.link is _Link.UP

    def news(self, tell: Callable[..., None], *args: Any) -> None:
        """Tell the observer something, when all is done."""
        self.station.news(tell, *args)

    # Dialogues.

    def begin(self, invitation: Setup | AddParty, owner: Any) -> Dialogue:
        """A dialogue that this side begins."""
        while (True, self._next) in self.dialogues:
            self._next = self._next % HIGHEST_REFERENCE + 1
        dialogue = Dialogue(self, self._next, True, invitation, owner)
        self._next = self._next % HIGHEST_REFERENCE + 1
        self.dialogues[True, dialogue.reference] = dialogue
        self._waiting.append(dialogue)
        if self.link is _Link.UP:
            self._invite_waiting()
        elif self.link is _Link.DOWN:
            self.restart()
        return dialogue

    def forget(self, dialogue: Dialogue) -> None:
        """It is over."""
        if self.dialogues.pop((dialogue.invites, dialogue.reference), None) is not None:
            self.begun_there -= not dialogue.invites
        if dialogue in self._waiting:
            self._waiting.remove(dialogue)

    def _invite_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        for dialogue in waiting:
            dialogue.invite()
        self._listen()

    # The link.

    def restart(self) -> None:
        """Say that this end lives anew."""
        self._end_watch()
        self.link = _Link.RESTARTING
        message = Restart(_VERSIONS, Incarnation(self.mine))
        self._watch = Exchange(
            self.clock,
            self.settings.repeat_ns,
            self.settings.times,
            lambda: self.say(message, tag=0),
            lambda: self.fail(Cause.DESTINATION_OUT_OF_ORDER),
        )

    def hear_restart(self, message: Restart) -> None:
        """The peer says that it lives anew."""
        number = message.incarnation.number
        if not message.versions.lowest <= VERSION <= message.versions.highest:
            self.say(RestartAcknowledge(_VERSIONS, Incarnation(self.mine)), tag=number)
            self.fail(Cause.INCOMPATIBLE_DESTINATION)
            return
        was_up = self.link is _Link.UP
        if was_up and number != self.theirs:
            if (number - self.theirs) % (1 << 32) >= 1 << 31:
                return  # from a former life
            self.mine = self.station.incarnation(self.mine)
        if not was_up or number != self.theirs:
            self._come_up(number)
            self._acknowledge()
            for dialogue in list(self.dialogues.values()) if was_up else ():
                dialogue.peer_restarted()
            self._invite_waiting()
        else:
            self._acknowledge()
            self._is_there()

    def hear_acknowledge(self, header: Header, message: RestartAcknowledge) -> None:
        """The peer has heard that this end lives anew."""
        if header.tag != self.mine or self.link is _Link.DOWN:
            return
        if not message.versions.lowest == message.versions.highest == VERSION:
            self.fail(Cause.INCOMPATIBLE_DESTINATION)
        elif self.link is _Link.RESTARTING:
            self._come_up(message.incarnation.number)
            self._invite_waiting()
        else:
            self._is_there()

    def _is_there(self) -> None:
        """It has been heard: if it was being asked, it need not be any more."""
        self._end_watch()
        self._listen()

    def _come_up(self, theirs: int) -> None:
        self._end_watch()
        self.link, self.theirs = _Link.UP, theirs
        self._used.clear()
        self._order.clear()

    def _acknowledge(self) -> None:
        self.say(RestartAcknowledge(_VERSIONS, Incarnation(self.mine)))

    def fail(self, cause: Cause) -> None:
        """It is not there: everything with it has ended, and what it still says is of a former life."""
        self._end_watch()
        self.mine, self.theirs = self.station.incarnation(self.mine), 0
        self.link = _Link.DOWN
        for dialogue in list(self.dialogues.values()):
            dialogue.lost(cause)

    def strange(self) -> None:
        """It speaks to a former life of this end."""
        if self.link is _Link.DOWN:
            self.restart()

    def hear(self, header: Header, message: Message) -> None:
        """A message of both ends' present lives."""
        self._end_watch()
        if header.reference == 0:
            if isinstance(message, StatusEnquiry):
                state = CallState(62)
                self.say(Status(CauseElement(Cause.RESPONSE_TO_STATUS_ENQUIRY), state))
        else:
            dialogue = self.dialogues.get((header.to_originator, header.reference))
            if message.TYPE in (INVITING if header.to_originator else INVITED):
                self._hear_misplaced(header, message)
            elif dialogue is None:
                self._hear_stray(header, message)
            elif not dialogue.hear(header, message):
                self._hear_misplaced(header, message)
        self._listen()

    def _listen(self) -> None:
        """Ask, when nothing is heard for a while although there are dialogues."""
        if self._watch is None and self.dialogues and self.link is _Link.UP:
            self._watch = Exchange(self.clock, self.settings.quiet_ns, 1, None, self._ask)

    def _ask(self) -> None:
        if not self.dialogues:
            self._watch = None
            return
        self._watch = Exchange(
            self.clock,
            self.settings.repeat_ns,
            self.settings.times,
            lambda: self.say(StatusEnquiry()),
            lambda: self.fail(Cause.DESTINATION_OUT_OF_ORDER),
        )

    def _end_watch(self) -> None:
        if self._watch is not None:
            self._watch.end()
            self._watch = None

    def silence(self) -> None:
        """No timer runs any more."""
        self._end_watch()
        for dialogue in self.dialogues.values():
            dialogue.silence()

    # What belongs to no dialogue.

    def _hear_misplaced(self, header: Header, message: Message) -> None:
        """Said by the wrong side, or in a phase that has no place for it."""
        if message.TYPE not in SILENT:
            self.complain(header, CauseElement(Cause.MESSAGE_NOT_COMPATIBLE_WITH_STATE))

    def _hear_stray(self, header: Header, message: Message) -> None:
        match message:
            case Setup() | AddParty() if not header.to_originator:
                self._hear_invitation(header, message)
            case Release() | DropParty():
                if not header.to_originator:
                    self._use(header.reference)
                ended = ReleaseComplete(_UNKNOWN) if isinstance(message, Release) else DropPartyAcknowledge(_UNKNOWN)
                self._reply(header, ended)
            case StatusEnquiry():
                self._reply(header, Status(CauseElement(Cause.RESPONSE_TO_STATUS_ENQUIRY), CallState(0)))
            case Status(state=state) if state.value:
                self._reply(header, Status(_UNKNOWN, CallState(0)))
            case _ if message.TYPE not in SILENT:
                self._reply(header, Status(_UNKNOWN, CallState(0)))

    def _hear_invitation(self, header: Header, message: Setup | AddParty) -> None:
        if header.reference in self._used:
            self.refuse(header, message.TYPE, _UNKNOWN)
            return
        if not self.station.has_room or self.begun_there >= self.settings.dialogues_of_one:
            self.refuse(header, message.TYPE, CauseElement(Cause.RESOURCE_UNAVAILABLE))
            return
        self._use(header.reference)
        dialogue = Dialogue(self, header.reference, False, message, None)
        self.dialogues[False, header.reference] = dialogue
        self.begun_there += 1
        dialogue.invited()

    def refuse(self, header: Header, message_type: int, cause: CauseElement) -> None:
        """No to an invitation, now and whenever it is repeated."""
        self._use(header.reference)
        self._reply(header, AddPartyReject(cause) if message_type == MessageType.ADD_PARTY else ReleaseComplete(cause))

    def _use(self, reference: int) -> None:
        if reference not in self._used:
            self._used.add(reference)
            self._order.append(reference)
            if len(self._order) > _REMEMBERED:
                self._used.discard(self._order.popleft())

    def _reply(self, header: Header, message: Message) -> None:
        self.say(message, header.reference, not header.to_originator, header.transaction)

    def complain(self, header: Header, cause: CauseElement) -> None:
        """What came was no message, or not the time for it."""
        dialogue = self.dialogues.get((header.to_originator, header.reference))
        state = 62 if header.reference == 0 else 0 if dialogue is None else dialogue.number
        self._reply(header, Status(cause, CallState(state)))

    def say(
        self,
        message: Message,
        reference: int = 0,
        to_originator: bool = False,
        transaction: int = 0,
        tag: int | None = None,
    ) -> None:
        """Send to it."""
        known = self.theirs if tag is None else tag
        header = Header(self.address, self.station.address, known, reference, to_originator, transaction)
        self.station.transmit(header, message)

# SPDX-License-Identifier: Apache-2.0
"""What the machine keeps of a leg and of a link."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hilnic.signalling.causes import Cause
from hilnic.signalling.control.states import LegState, LinkState
from hilnic.signalling.control.tables import CALL_MACHINE, PARTY_MACHINE, LegRow
from hilnic.signalling.control.timers import Timer
from hilnic.signalling.messages import HIGHEST_REFERENCE, AddParty, Message, Setup

WINDOW = 4096
"""How many of the latest references of a peer are told apart; older ones count as used."""


class Leg:
    """One call between this station and a peer, or one party of it."""

    __slots__ = (
        "invitation",
        "last",
        "link",
        "originated",
        "owner",
        "reference",
        "state",
        "timer",
        "transaction",
        "transmissions",
    )

    def __init__(self, link: Link, reference: int, originated: bool, invitation: Setup | AddParty) -> None:
        self.link = link
        self.reference = reference
        self.originated = originated
        self.invitation = invitation
        self.state = LegState.NULL
        self.transaction = 0  # of the latest modification
        self.last: Message | None = None  # what is sent again
        self.transmissions = 0  # of it, without an answer
        self.timer: Timer | None = None
        self.owner: Any = None  # the owner's to use

    @property
    def table(self) -> dict[LegState, LegRow]:
        """A party's leg has messages of its own."""
        return PARTY_MACHINE if isinstance(self.invitation, AddParty) else CALL_MACHINE

    @property
    def key(self) -> tuple[bool, int]:
        """By which its link knows it."""
        return self.originated, self.reference

    def __repr__(self) -> str:
        """Peer, reference, state."""
        way = "to" if self.originated else "from"
        return f"<leg {self.reference} {way} {self.link.peer.hex(':')}: {self.state.name}>"


class Link:
    """What is common to all legs with one peer."""

    __slots__ = (
        "failure",
        "heard",
        "incarnation",
        "incoming",
        "legs",
        "next_reference",
        "peer",
        "peer_incarnation",
        "seen",
        "seen_highest",
        "state",
        "timer",
        "transmissions",
        "waiting",
    )

    def __init__(self, peer: bytes, incarnation: int) -> None:
        self.peer = peer
        self.incarnation = incarnation
        self.peer_incarnation = 0  # not known
        self.state = LinkState.DOWN
        self.legs: dict[tuple[bool, int], Leg] = {}
        self.incoming = 0  # of the legs, those that the peer has begun
        self.waiting: list[Leg] = []  # for the link to come up
        self.timer: Timer | None = None
        self.transmissions = 0
        self.heard = False  # since T309 was started
        self.failure = Cause.DESTINATION_OUT_OF_ORDER  # why it went down last
        self.next_reference = 1
        self.forget_references()

    def forget_references(self) -> None:
        """The peer counts anew."""
        self.seen = 0  # bit n: reference seen_highest - n has been used
        self.seen_highest = 0

    def allot_reference(self) -> int:
        """A reference that no leg has; they are given out in order, so that the peer knows a new one from an old."""
        while (True, self.next_reference) in self.legs:
            self.next_reference = self.next_reference % HIGHEST_REFERENCE + 1
        reference, self.next_reference = self.next_reference, self.next_reference % HIGHEST_REFERENCE + 1
        return reference

    def is_used(self, reference: int) -> bool:
        """Whether the peer has used this reference already: what comes with it is late."""
        ahead = (reference - self.seen_highest) % HIGHEST_REFERENCE
        if not self.seen or 0 < ahead <= HIGHEST_REFERENCE // 2:
            return False
        behind = (self.seen_highest - reference) % HIGHEST_REFERENCE
        return behind >= WINDOW or bool(self.seen >> behind & 1)

    def note_reference(self, reference: int) -> None:
        """From now on it is used."""
        ahead = (reference - self.seen_highest) % HIGHEST_REFERENCE
        if not self.seen or 0 < ahead <= HIGHEST_REFERENCE // 2:
            self.seen = (self.seen << ahead | 1) & ((1 << WINDOW) - 1) if self.seen and ahead < WINDOW else 1
            self.seen_highest = reference
        else:
            behind = (self.seen_highest - reference) % HIGHEST_REFERENCE
            if behind < WINDOW:
                self.seen |= 1 << behind

    def started_legs(self) -> Iterator[Leg]:
        """Those that the peer knows, or may know of; a copy, for they may go on the way."""
        return iter([leg for leg in self.legs.values() if leg.state is not LegState.NULL])

    def __repr__(self) -> str:
        """Peer and state."""
        return f"<link to {self.peer.hex(':')}: {self.state.name}, {len(self.legs)} legs>"

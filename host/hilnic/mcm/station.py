# SPDX-License-Identifier: Apache-2.0
"""This station: who is spoken to, what is heard, who wants to know."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from hilnic.mcm.dialogue import Dialogue
from hilnic.mcm.exchange import Clock
from hilnic.mcm.peer import Peer, Settings
from hilnic.mcm.words import INVITATIONS, SILENT
from hilnic.signalling import (
    Cause,
    CauseElement,
    DecodeError,
    Header,
    Malformed,
    Message,
    TrafficContract,
    decode,
    encode,
)
from hilnic.signalling.messages import (
    AddParty,
    AddPartyAcknowledge,
    Connect,
    ModifyAcknowledge,
    ModifyReject,
    Restart,
    RestartAcknowledge,
    Setup,
)

__all__ = ["Observer", "Station"]


class Observer(Protocol):
    """What a user of the station hears; of each dialogue `left` at most once, `over` exactly once, last."""

    def offered(self, dialogue: Dialogue) -> None:
        """A peer invites: `dialogue.answer` or `dialogue.leave`."""
        ...

    def agreed(self, dialogue: Dialogue, answer: Connect | AddPartyAcknowledge) -> None:
        """The peer has taken the call; a call wants `dialogue.ready`."""
        ...

    def settled(self, dialogue: Dialogue) -> None:
        """The peer that invited is ready."""
        ...

    def left(self, dialogue: Dialogue, cause: Cause, data: bytes) -> None:
        """The peer, or the network, has ended it: `dialogue.leave` once this side is quiet."""
        ...

    def over(self, dialogue: Dialogue) -> None:
        """Nothing of it is left."""
        ...

    def change_wanted(self, dialogue: Dialogue, contract: TrafficContract) -> None:
        """The peer that invited wants another contract: `dialogue.settle_change`."""
        ...

    def change_answered(self, dialogue: Dialogue, answer: ModifyAcknowledge | ModifyReject) -> None:
        """It has it, or not."""
        ...


class _TellingClock:
    """A clock after whose timers the observer hears what they have brought about."""

    def __init__(self, clock: Clock, tell: Callable[[], None]) -> None:
        self._clock, self._tell = clock, tell
        self.now_ns = clock.now_ns

    def set_timer(self, delay_ns: int, routine: Callable[[], None]) -> Any:
        """See Clock."""

        def run() -> None:
            routine()
            self._tell()

        return self._clock.set_timer(delay_ns, run)


class Station:
    """All peers of this address."""

    def __init__(
        self,
        address: bytes,
        clock: Clock,
        send: Callable[[bytes], None],
        observer: Observer,
        settings: Settings | None = None,
    ) -> None:
        self.address, self.clock, self.observer = address, _TellingClock(clock, self.tell), observer
        self.settings = settings or Settings()
        self.peers: dict[bytes, Peer] = {}
        self._send = send
        self._news: deque[Callable[[], None]] = deque()
        self._telling = False

    def __repr__(self) -> str:
        """Address and peers."""
        return f"<station {self.address.hex(':')}: {len(self.peers)} peers>"

    @property
    def dialogues(self) -> int:
        """How many there are."""
        return sum(len(peer.dialogues) for peer in self.peers.values())

    @property
    def has_room(self) -> bool:
        """For one more dialogue."""
        return self.dialogues < self.settings.dialogues

    def invite(self, invitation: Setup | AddParty, owner: Any) -> Dialogue | None:
        """Begin a dialogue; None when there is no room, or nobody else to speak to."""
        address = invitation.called.station
        peer = None if address == self.address else self._peer(address)
        if peer is None or not self.has_room:
            return None
        dialogue = peer.begin(invitation, owner)
        self.tell()
        return dialogue

    def receive(self, octets: bytes) -> None:
        """What came over the signalling VC."""
        try:
            header, message = decode(octets)
        except DecodeError as error:
            self._hear_noise(error)
        else:
            if header.destination == self.address != header.source and not header.source[0] & 1:
                self._hear(header, message)
        self.tell()

    def _hear(self, header: Header, message: Message) -> None:
        if isinstance(message, Restart):
            peer = self._peer(header.source)
            if peer is not None:
                peer.hear_restart(message)
            return
        peer = self.peers.get(header.source)
        if peer is None:
            return
        if isinstance(message, RestartAcknowledge):
            peer.hear_acknowledge(header, message)
        elif header.tag != peer.mine:
            peer.strange()
        elif peer.is_up:
            peer.hear(header, message)

    def _hear_noise(self, error: DecodeError) -> None:
        """Tell a peer that it has sent no message; one cut short counts as lost."""
        header = error.header
        if header is None or error.kind is Malformed.TRUNCATED or error.message_type in SILENT:
            return
        peer = self.peers.get(header.source) if header.destination == self.address else None
        if peer is None or not peer.is_up or header.tag != peer.mine:
            return
        cause = CauseElement(error.kind.cause, error.element)
        is_new = (header.to_originator, header.reference) not in peer.dialogues and header.reference
        if is_new and error.message_type in INVITATIONS:
            peer.refuse(header, error.message_type, cause)
        else:
            peer.complain(header, cause)

    def _peer(self, address: bytes) -> Peer | None:
        """The peer of this address, the latest one in the table; one without dialogues makes room."""
        peer = self.peers.pop(address, None)
        if peer is None and len(self.peers) >= self.settings.peers:
            idle = next((each for each in self.peers.values() if not each.dialogues), None)
            if idle is None:
                return None
            idle.silence()
            del self.peers[idle.address]
        self.peers[address] = peer = peer or Peer(self, address)
        return peer

    def incarnation(self, above: int = 0) -> int:
        """A number for a new life of an end of a link."""
        return max(self.clock.now_ns() // 1000 % 0xFFFFFFFF, above % 0xFFFFFFFF) + 1

    def transmit(self, header: Header, message: Message) -> None:
        """Onto the signalling VC."""
        self._send(encode(header, message))

    def news(self, tell: Callable[..., None], *args: Any) -> None:
        """Something for the observer."""
        self._news.append(partial(tell, *args))

    def tell(self) -> None:
        """Let the observer hear what there is; not while it is hearing."""
        if self._telling:
            return
        self._telling = True
        try:
            while self._news:
                self._news.popleft()()
        finally:
            self._telling = False

    def close(self) -> None:
        """Forget everybody at once."""
        for peer in self.peers.values():
            peer.silence()
        self.peers.clear()
        self._news.clear()

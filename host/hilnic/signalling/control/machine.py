# SPDX-License-Identifier: Apache-2.0
"""Call control of a station: its owner's requests and its peers' messages in, messages and primitives out.

    control = CallControl(address, incarnation, send, timers, deliver)
    leg = control.setup(Setup(...))     ... deliver(SetupConfirm(leg, ...)) ... control.complete(leg)
    control.receive(octets)             ... deliver(SetupIndication(leg, ...)) ... control.accept(leg, Connect(...))
    control.release(leg, cause)         ... deliver(ReleaseConfirm(leg))

Pure: it knows no NDIS, no wire and no time but that of the timer service. What the tables say is done to its end before
anybody hears of it: primitives are delivered when no transition is under way, so their receiver may call back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from hilnic.signalling.causes import Cause
from hilnic.signalling.codec import encode
from hilnic.signalling.contract import TrafficContract
from hilnic.signalling.control import actions, reception
from hilnic.signalling.control.leg import Leg, Link
from hilnic.signalling.control.limits import Limits, Statistics
from hilnic.signalling.control.primitives import Primitive
from hilnic.signalling.control.states import LegInput, LegState, LinkInput, LinkState
from hilnic.signalling.control.tables import LINK_MACHINE
from hilnic.signalling.control.timers import LEG_TIMERS, LINK_TIMERS, TimerRule, TimerService, TimerValues
from hilnic.signalling.messages import AddParty, AddPartyAcknowledge, Connect, Header, Message, Setup

__all__ = ["CallControl"]


class CallControl:
    """One station's end of all its links."""

    def __init__(
        self,
        address: bytes,
        incarnation: int,
        send: Callable[[bytes], None],
        timers: TimerService,
        deliver: Callable[[Primitive], None],
        limits: Limits | None = None,
        values: TimerValues | None = None,
    ) -> None:
        self.address = address
        self.first_incarnation = incarnation
        self.limits = limits or Limits()
        self.values = values or TimerValues()
        self.statistics = Statistics()
        self.links: dict[bytes, Link] = {}
        self.leg_count = 0
        self._send, self._timers, self._deliver = send, timers, deliver
        self._primitives: deque[Primitive] = deque()
        self._depth = 0

    def __repr__(self) -> str:
        """Address and how much it has."""
        return f"<CallControl {self.address.hex(':')}: {len(self.links)} links, {self.leg_count} legs>"

    # What the owner asks for. False, or None: the leg is not in a state for it, or a limit is reached.

    def setup(self, invitation: Setup | AddParty) -> Leg | None:
        """Call a station, or invite a party; the answer is a primitive. None when a limit is reached."""
        peer = invitation.called.station
        link = self.link_to(peer) if peer != self.address else None
        if link is None or self.leg_count >= self.limits.legs:
            return None
        leg = self.add_leg(link, link.allot_reference(), True, invitation)
        link.waiting.append(leg)
        with self._running():
            self.link_input(link, LinkInput.WANTED)
        return leg

    def accept(self, leg: Leg, answer: Connect | AddPartyAcknowledge) -> bool:
        """Setup response: the called client takes the call."""
        return self._request(leg, LegInput.SETUP_RESPONSE, answer)

    def complete(self, leg: Leg) -> bool:
        """Setup complete request: the calling side's connection is active."""
        return self._request(leg, LegInput.SETUP_COMPLETE_REQUEST)

    def release(self, leg: Leg, cause: Cause, user_data: bytes = b"") -> bool:
        """End the call, or refuse it; the connection is down already."""
        return self._request(leg, LegInput.RELEASE_REQUEST, (cause, user_data))

    def release_response(self, leg: Leg) -> bool:
        """After a ReleaseIndication: the connection is down here, too."""
        return self._request(leg, LegInput.RELEASE_RESPONSE, (Cause.NORMAL_CALL_CLEARING, b""))

    def modify(self, leg: Leg, contract: TrafficContract) -> bool:
        """Ask for another contract; the originator's right alone."""
        return leg.originated and self._request(leg, LegInput.MODIFY_REQUEST, contract)

    def accept_modify(self, leg: Leg, contract: TrafficContract) -> bool:
        """The contract holds here."""
        return self._request(leg, LegInput.MODIFY_RESPONSE, contract)

    def refuse_modify(self, leg: Leg, cause: Cause) -> bool:
        """The old contract stays."""
        return self._request(leg, LegInput.MODIFY_REFUSAL, cause)

    def receive(self, octets: bytes) -> None:
        """What came on the signalling VC; nothing that it holds does harm."""
        with self._running():
            reception.receive(self, octets)

    def close(self) -> None:
        """Forget everything at once; the peers find out by their timers."""
        for link in self.links.values():
            self._stop(link)
            for leg in link.legs.values():
                self._stop(leg)
        self.links.clear()
        self.leg_count = 0

    # What the tables do.

    def leg_input(self, leg: Leg, event: LegInput, data: Any = None) -> bool:
        """One transition of a leg; False when its state has no row for the input."""
        row = leg.table[leg.state].get(event)
        if row is None:
            return False
        before, (leg.state, todo) = leg.state, row
        if leg.state is not before:
            self._stop(leg)
        for action in todo:
            actions.LEG_ACTIONS[action](self, leg, data)
        if leg.state is not before and leg.state is not LegState.NULL:
            self.start_leg_timer(leg)
        return True

    def link_input(self, link: Link, event: LinkInput, data: Any = None) -> bool:
        """One transition of a link; False when its state has no row for the input."""
        row = LINK_MACHINE[link.state].get(event)
        if row is None:
            return False
        before, (link.state, todo) = link.state, row
        if link.state is not before:
            self._stop(link)
        for action in todo:
            actions.LINK_ACTIONS[action](self, link, data)
        if link.timer is None:
            self._start_link_timer(link)
        return True

    def fail_link(self, link: Link, cause: Cause) -> None:
        """The peer is not there: its legs end with this cause."""
        link.failure = cause
        self.link_input(link, LinkInput.UNANSWERED)

    def emit(self, primitive: Primitive) -> None:
        """Tell the owner, when the transition is over."""
        self._primitives.append(primitive)

    def transmit(self, link: Link, message: Message, leg: Leg | None = None, **header: Any) -> None:
        """Send a message of a leg, or of the link."""
        fields: dict[str, Any] = {"tag": link.peer_incarnation}
        if leg is not None:
            fields |= {"reference": leg.reference, "to_originator": not leg.originated, "transaction": leg.transaction}
        self.transmit_to(link.peer, message, **fields | header)

    def transmit_to(self, peer: bytes, message: Message, **header: Any) -> None:
        """Send a message to a station with which there may be no link."""
        self.statistics.sent += 1
        self._send(encode(Header(peer, self.address, **header), message))

    def add_leg(self, link: Link, reference: int, originated: bool, invitation: Setup | AddParty) -> Leg:
        """A new leg in state NULL."""
        leg = Leg(link, reference, originated, invitation)
        link.legs[leg.key] = leg
        self.leg_count += 1
        link.incoming += not originated
        if link.timer is None:
            self._start_link_timer(link)
        return leg

    def remove_leg(self, leg: Leg) -> None:
        """It is over."""
        if leg.link.legs.pop(leg.key, None) is leg:
            self.leg_count -= 1
            leg.link.incoming -= not leg.originated
        if leg in leg.link.waiting:
            leg.link.waiting.remove(leg)

    def link_to(self, peer: bytes) -> Link | None:
        """The link with a station, made when there is none; one without legs makes room. None when all are in use."""
        link = self.links.pop(peer, None)
        if link is None:
            if len(self.links) >= self.limits.peers and not self._forget_an_idle_link():
                return None
            link = Link(peer, self.incarnation())
        self.links[peer] = link  # at the end: the first is the one that was not used for longest
        return link

    def incarnation(self, above: int = 0) -> int:
        """A number for a new life of a link's end: it grows with time."""
        microseconds = self._timers.now_ns() // 1000
        return max((self.first_incarnation + microseconds) % 0xFFFFFFFF, above % 0xFFFFFFFF) + 1

    # Timers.

    def start_leg_timer(self, leg: Leg) -> None:
        """That of the leg's state; the message that the state began with is its first transmission."""
        rule = LEG_TIMERS.get(leg.state)
        if rule is not None:
            leg.transmissions = 1
            leg.timer = self._set(rule, partial(self._leg_timer, leg, rule))

    def _leg_timer(self, leg: Leg, rule: TimerRule) -> None:
        leg.timer = None
        with self._running():
            if not rule.repeats or leg.transmissions >= self.values.attempts:
                self.leg_input(leg, LegInput.UNANSWERED, (rule.cause, b""))
                return
            leg.transmissions += 1
            actions.repeat(self, leg)
            leg.timer = self._set(rule, partial(self._leg_timer, leg, rule))

    def _start_link_timer(self, link: Link) -> None:
        rule = LINK_TIMERS.get(link.state)
        if rule is not None and (link.legs or rule.repeats):
            link.transmissions, link.heard = 1, False
            link.timer = self._set(rule, partial(self._link_timer, link, rule))

    def _link_timer(self, link: Link, rule: TimerRule) -> None:
        link.timer = None
        with self._running():
            if link.state is LinkState.UP:
                self._listen_again(link)
            elif link.transmissions >= self.values.attempts:
                self.fail_link(link, rule.cause)
            else:
                link.transmissions += 1
                self.statistics.repeated += 1
                actions.repeat_on_link(self, link)
                link.timer = self._set(rule, partial(self._link_timer, link, rule))

    def _listen_again(self, link: Link) -> None:
        """T309: ask a peer that said nothing; without legs nobody is listened to."""
        if link.heard or not link.legs:
            self._start_link_timer(link)
        else:
            self.link_input(link, LinkInput.QUIET)

    def _set(self, rule: TimerRule, routine: Callable[[], None]) -> Any:
        return self._timers.set_timer(getattr(self.values, rule.name), routine)

    @staticmethod
    def _stop(timed: Leg | Link) -> None:
        if timed.timer is not None:
            timed.timer.cancel()
            timed.timer = None

    def _forget_an_idle_link(self) -> bool:
        for peer, link in self.links.items():
            if not link.legs:
                self._stop(link)
                del self.links[peer]
                return True
        return False

    def _request(self, leg: Leg, event: LegInput, data: Any = None) -> bool:
        if leg.link.legs.get(leg.key) is not leg:
            return False  # it has ended
        with self._running():
            return self.leg_input(leg, event, data)

    @contextmanager
    def _running(self) -> Iterator[None]:
        """Around every way in: primitives wait until the outermost is done."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
        if self._depth == 0:
            self._depth = 1  # what a receiver asks for is done at once, what it causes to be told waits its turn
            try:
                while self._primitives:
                    self._deliver(self._primitives.popleft())
            finally:
                self._depth = 0

# SPDX-License-Identifier: Apache-2.0
"""The timers: which state has which, how long, how often, and what it means when the last one ran out.

The names are those of Q.2931, Q.2971 and Q.2963.1. The values are those of a wire of a microsecond's length, where the
ITU's seconds would be eternities; all are the owner's to choose.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from hilnic.signalling.causes import Cause
from hilnic.signalling.control.states import LegState, LinkState

MICROSECOND = 1_000
MILLISECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class TimerValues:
    """Nanoseconds; `attempts` is how often a message is sent in all before it counts as unanswered."""

    t303: int = 500 * MICROSECOND  # SETUP
    t308: int = 500 * MICROSECOND  # RELEASE
    t309: int = 5 * MILLISECOND  # nothing heard of the peer while there are legs
    t310: int = 50 * MILLISECOND  # CALL PROCEEDING received, no CONNECT
    t313: int = 500 * MICROSECOND  # CONNECT, ADD PARTY ACKNOWLEDGE
    t316: int = 500 * MICROSECOND  # RESTART
    t322: int = 500 * MICROSECOND  # STATUS ENQUIRY
    t360: int = 500 * MICROSECOND  # MODIFY REQUEST
    t397: int = 50 * MILLISECOND  # PARTY ALERTING received, no ADD PARTY ACKNOWLEDGE
    t398: int = 500 * MICROSECOND  # DROP PARTY
    t399: int = 500 * MICROSECOND  # ADD PARTY
    attempts: int = 6


@dataclass(frozen=True, slots=True)
class TimerRule:
    """A state's timer: the field of TimerValues, whether its end repeats the last message, the cause when all is over.

    A timer that repeats nothing runs out once.
    """

    name: str
    repeats: bool
    cause: Cause


_RECOVERY = Cause.RECOVERY_ON_TIMER_EXPIRY
LEG_TIMERS: dict[LegState, TimerRule] = {
    LegState.CALL_INITIATED: TimerRule("t303", True, Cause.DESTINATION_OUT_OF_ORDER),
    LegState.OUTGOING_CALL_PROCEEDING: TimerRule("t310", False, Cause.NO_USER_RESPONDING),
    LegState.CONNECT_REQUEST: TimerRule("t313", True, _RECOVERY),
    LegState.MODIFY_REQUEST: TimerRule("t360", True, _RECOVERY),
    LegState.RELEASE_REQUEST: TimerRule("t308", True, _RECOVERY),
    LegState.ADD_PARTY_INITIATED: TimerRule("t399", True, Cause.DESTINATION_OUT_OF_ORDER),
    LegState.PARTY_CONNECT_REQUEST: TimerRule("t313", True, _RECOVERY),
    LegState.PARTY_ALERTING_RECEIVED: TimerRule("t397", False, Cause.NO_USER_RESPONDING),
    LegState.DROP_PARTY_INITIATED: TimerRule("t398", True, _RECOVERY),
}
LINK_TIMERS: dict[LinkState, TimerRule] = {
    LinkState.RESTART_REQUEST: TimerRule("t316", True, Cause.DESTINATION_OUT_OF_ORDER),
    LinkState.UP: TimerRule("t309", False, Cause.DESTINATION_OUT_OF_ORDER),
    LinkState.ENQUIRY: TimerRule("t322", True, Cause.DESTINATION_OUT_OF_ORDER),
}


class Timer(Protocol):
    """A timer that runs."""

    def cancel(self) -> bool:
        """Stop it."""
        ...


class TimerService(Protocol):
    """What the owner provides; NDIS's kernel port is one."""

    def now_ns(self) -> int:
        """The time."""
        ...

    def set_timer(self, delay_ns: int, routine: Callable[[], None]) -> Timer:
        """Call `routine` once, later."""
        ...

# SPDX-License-Identifier: Apache-2.0
"""V8: what has to end in time, in virtual time: OIDs 12 s, pauses 10 s, sends 30 s and moving at least every 22 s.

A time limit is a watchdog of the kernel: it fires when so much virtual time has passed, or when nothing else is left
to happen and somebody still waits. Sends are looked at together, lists and packets, from what is live in the pools.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from hilnic.ndis.verifier.custody import SENT
from hilnic.ndis.verifier.dump import pending

if TYPE_CHECKING:
    from hilnic.ndis.nbl import NetBufferList
    from hilnic.ndis.ndis import Ndis
    from hilnic.ndis.ndis5.packet import Packet

    Sent: TypeAlias = NetBufferList | Packet

SECOND = 1_000_000_000
OID_LIMIT_S, PAUSE_LIMIT_S, UNBIND_LIMIT_S = 12, 10, 10
_NAMED = 3
"""How many of the lists that are out a late pause, request or unbind names."""
PROGRESS_LIMIT_S, SEND_LIMIT_S = 22, 30


class Watchdogs:
    """The time limits of one Ndis instance."""

    __slots__ = ("_ndis", "_slow", "armed")

    def __init__(self, ndis: Ndis) -> None:
        self._ndis = ndis
        self._slow: set[Sent] = set()  # reported already: hung, or late
        self.armed = False

    @contextmanager
    def limit(self, seconds: int, rule: str, actor: Any, subject: Any, what: str) -> Iterator[None]:
        """The block has to end within so many seconds of virtual time."""

        def late() -> None:
            waits = "; ".join(
                f"{row['object']} {row['state']}, with {row['owner']}" for row in pending(self._ndis)[:_NAMED]
            )
            out = f" (out: {waits})" if waits else ""
            self._ndis.violation(rule, actor, subject, f"{what} has not ended within {seconds} s{out}")

        timer = self._ndis.kernel.set_watchdog(seconds * SECOND, late)
        try:
            yield
        finally:
            timer.cancel()

    def watch_sends(self) -> None:
        """Something is sent and nothing was out before: look again when the first of it may be late."""
        self.armed = True
        self._look_in(PROGRESS_LIMIT_S * SECOND)

    def _look_in(self, delay_ns: int) -> None:
        self._ndis.kernel.set_watchdog(delay_ns, self._look)

    def _look(self) -> None:
        now = self._ndis.kernel.now_ns()
        pending = [nbl for pool in self._ndis.pools for nbl in pool.live if _is_sent(nbl)]
        self._slow &= set(pending)
        self.armed = bool(pending)
        waits = [
            wait
            for nbl in pending
            for wait in (
                _moved_at(nbl) + PROGRESS_LIMIT_S * SECOND - now,
                _sent_at(nbl) + SEND_LIMIT_S * SECOND - now,
            )
            if wait > 0
        ]
        if waits:
            self._look_in(min(waits))
        else:
            self.armed = False
        for nbl in pending:
            self._judge(nbl, now)

    def _judge(self, nbl: Sent, now: int) -> None:
        holder, rule = nbl.ndis_custody.owner, getattr(nbl.ndis_custody, "late_rule", "S6-02")
        if now - _sent_at(nbl) >= SEND_LIMIT_S * SECOND:
            if nbl in self._slow:
                self._slow.discard(nbl)
                self._ndis.violation(rule, holder, nbl, f"a send has not completed within {SEND_LIMIT_S} s")
        elif now - _moved_at(nbl) >= PROGRESS_LIMIT_S * SECOND and nbl not in self._slow:
            self._slow.add(nbl)
            self._ndis.warning(rule, holder, nbl, f"a send has not moved for {PROGRESS_LIMIT_S} s")


def _is_sent(thing: Any) -> bool:
    custody = getattr(thing, "ndis_custody", None)
    state = getattr(custody, "state", None)
    return getattr(state, "value", state) == SENT and not getattr(custody, "is_untimed", False)


def _moved_at(nbl: Sent) -> int:
    """When it last changed hands."""
    time_ns: int = nbl.ndis_custody.history[-1][0]
    return time_ns


def _sent_at(nbl: Sent) -> int:
    """When its first sender gave it away."""
    for time_ns, verb, _ in reversed(nbl.ndis_custody.history):
        if verb == "sent by":
            return int(time_ns)
    return _moved_at(nbl)

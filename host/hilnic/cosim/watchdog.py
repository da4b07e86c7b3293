# SPDX-License-Identifier: Apache-2.0
"""Turns a hang into a report: what the rings, the buses and the state machines were doing when nothing moved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hilnic.cosim.clock import SimClock
from hilnic.cosim.hostmem import Library

__all__ = ["Hang", "Watchdog"]

_LOOK_NS = 50_000
_STATES = ("off", "on", "leaving", "failed")
_DIRECTIONS = ("TX", "RX")
_QUIET_LOOKS = 40


class Hang(Exception):
    """Nothing moves, or the test has used up its simulated time; the message is the report."""


class Watchdog:
    """Looks every 50 us of simulated time; 2 ms without any movement, and without a timer of the host, are a hang."""

    def __init__(self, library: Library, clock: SimClock, cards: int, dut: Any, limit_ns: int) -> None:
        self._library, self._clock, self._cards, self._dut = library, clock, cards, dut
        self._limit_ns = limit_ns
        self._progress = -1
        self._quiet = 0

    def start(self) -> None:
        """Begin to look."""
        self._clock.call_at(self._clock.now_ns() + _LOOK_NS, self._look)

    def _look(self) -> None:
        progress = sum(self._library.shared.statistics[card].progress for card in range(self._cards))
        idle = progress == self._progress and self._clock.pending == 0
        self._quiet = self._quiet + 1 if idle else 0
        self._progress = progress
        if self._quiet >= _QUIET_LOOKS:
            raise Hang(f"nothing has moved for {_QUIET_LOOKS * _LOOK_NS // 1_000_000} ms\n{self.report()}")
        if self._clock.now_ns() > self._limit_ns:
            raise Hang(f"the test's {self._limit_ns // 1_000_000} ms of simulated time are over\n{self.report()}")
        self.start()

    def report(self) -> str:
        """Rings, outstanding bursts, queues of the harness and state machines, a line each."""
        lines = [f"time {self._clock.now_ns()} ns"]
        for card in range(self._cards):
            lines.extend(f"card {card} {line}" for line in self._card(card))
        return "\n".join([*lines, *_machines(self._dut)])

    def _card(self, card: int) -> Iterator[str]:
        s = self._library.shared.statistics[card]
        yield (
            f"cycles {s.cycles}, frames sent {s.tx_frames}, received {s.rx_frames}, register writes {s.csr_writes}, "
            f"reads {s.csr_reads}, interrupts {s.interrupts}, "
            f"frames waiting for the wire {self._library.source_backlog(card)}"
        )
        for row in self._library.rings(card):
            direction, queue, state, size, producer, fetched, done, cpl_size, written, visible, consumer, armed = row
            yield (
                f"{_DIRECTIONS[direction]} queue {queue} {_STATES[state]}: "
                f"ring of {size}: done {done}, fetched {fetched}, "
                f"producer {producer}; completions of {cpl_size}: written {written}, visible {visible}, "
                f"consumer {consumer}, interrupt {'armed' if armed else 'masked'}"
            )
        for write in (False, True):
            for identifier, address, length, accepted in self._library.outstanding(card, write):
                verb = "write" if write else "read"
                since = self._clock.to_ns(accepted)
                yield f"{verb} outstanding: id {identifier} 0x{address:x}+{length} since {since} ns"


def _machines(dut: Any) -> Iterator[str]:
    """State registers (named *state_q) that the simulator shows."""
    found: list[str] = []
    _walk(dut, found, 0)
    yield from sorted(found)


def _walk(handle: Any, found: list[str], depth: int) -> None:
    if depth > 8:
        return
    for child in handle:
        name = child._name
        if name.endswith("state_q"):
            found.append(f"{child._path} = {child.value}")
        elif hasattr(child, "_sub_handles") or hasattr(child, "_discover_all"):
            try:
                _walk(child, found, depth + 1)
            except TypeError:  # a handle that is no scope
                continue

# SPDX-License-Identifier: Apache-2.0
"""A Link that does harm: drops, corrupts, duplicates or delays frames, as one seed says."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Flag, auto
from random import Random
from typing import Protocol

from hilnic.wire.link import Link, Receiver, WireFrame, as_wire_frame


class Timer(Protocol):
    """What a delay needs of a clock (hilnic.hw.clock fits)."""

    def now_ns(self) -> int:
        """Simulated time in ns."""
        ...

    def call_at(self, time_ns: int, function: Callable[[], None]) -> object:
        """Call a function at a time."""
        ...


class Way(Flag):
    """Which way frames are harmed."""

    SENT = auto()
    RECEIVED = auto()
    BOTH = SENT | RECEIVED


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Chances in percent per frame; each frame meets at most one fault of the first three."""

    drop: float = 0
    corrupt: float = 0
    duplicate: float = 0
    delay: float = 0
    longest_delay_ns: int = 100_000
    way: Way = Way.BOTH


@dataclass(frozen=True, slots=True)
class FaultStatistics:
    """What was done so far."""

    frames: int = 0
    dropped: int = 0
    corrupted: int = 0
    duplicated: int = 0
    delayed: int = 0


class Faults:
    """Wraps a link; corruption flips one bit and leaves the FCS of the original, hence wrong."""

    def __init__(self, link: Link, timer: Timer, plan: FaultPlan, seed: int) -> None:
        self._link, self._timer, self._plan, self._seed = link, timer, plan, seed
        self._random = Random(seed)
        self._statistics = FaultStatistics()

    def __repr__(self) -> str:
        """Plan and seed, enough to repeat it."""
        return f"<Faults {self._plan} seed={self._seed}>"

    def statistics(self) -> FaultStatistics:
        """Counts of now."""
        return self._statistics

    def send(self, frame: bytes | WireFrame, at: int | None = None) -> None:
        """Send through the faults."""
        if Way.SENT not in self._plan.way:
            self._link.send(frame, at)
            return
        self._pass(as_wire_frame(frame), lambda harmed: self._link.send(harmed, at))

    def connect(self, receiver: Receiver) -> None:
        """Receive through the faults."""
        harming = Way.RECEIVED in self._plan.way
        self._link.connect((lambda frame: self._pass(frame, receiver)) if harming else receiver)

    def _count(self, **more: int) -> None:
        self._statistics = replace(
            self._statistics, **{name: getattr(self._statistics, name) + n for name, n in more.items()}
        )

    def _pass(self, frame: WireFrame, onwards: Receiver) -> None:
        self._count(frames=1)
        plan, draw = self._plan, self._random.random() * 100
        late = self._random.random() * 100 < plan.delay
        copies = [frame]
        if draw < plan.drop:
            self._count(dropped=1)
            copies = []
        elif draw < plan.drop + plan.corrupt:
            self._count(corrupted=1)
            copies = [self._corrupted(frame)]
        elif draw < plan.drop + plan.corrupt + plan.duplicate:
            self._count(duplicated=1)
            copies = [frame, frame]
        for copy in copies:
            self._forward(copy, onwards, late)

    def _corrupted(self, frame: WireFrame) -> WireFrame:
        octets = bytearray(frame.octets)
        if octets:
            bit = self._random.randrange(8 * len(octets))
            octets[bit // 8] ^= 1 << bit % 8
        return replace(frame, data=bytes(octets), raw=True, fcs_ok=False)

    def _forward(self, frame: WireFrame, onwards: Receiver, late: bool) -> None:
        if not late:
            onwards(frame)
            return
        self._count(delayed=1)
        delay = self._random.randrange(1, self._plan.longest_delay_ns + 1)
        self._timer.call_at(self._timer.now_ns() + delay, lambda: onwards(frame))

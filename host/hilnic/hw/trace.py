# SPDX-License-Identifier: Apache-2.0
"""The event trace in simulated time, across host and hardware.

One id follows a frame, as field `frame` of its events. NDIS numbers what is sent from 1, a second host that shares the
trace from 10 000 001; `tag()` numbers what enters on
the wire from FIRST_WIRE_ID, and remembers the bytes of either; descriptor events carry the id, and `find()` recognises
the frame by its bytes where it leaves (on the wire, in the receive buffer). Frames of equal bytes are matched in order,
so a dropped one shifts only its own duplicates.

Off costs one attribute test: `if trace.enabled: trace.emit(...)`. Two runs with one seed write the same JSONL bytes.
"""

from __future__ import annotations

import json
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

__all__ = ["FIRST_WIRE_ID", "Trace"]

FIRST_WIRE_ID = 1_000_000_001
_IDS_OF_A_HOST = 10_000_000
_MINIMUM = 60  # octets without FCS: the transmitter pads with zeros (802.3 4.2.3.3)


def _key(direction: str, data: bytes | bytearray | memoryview) -> tuple[str, int]:
    return direction, zlib.crc32(bytes(data).ljust(_MINIMUM, b"\0"))


class Trace:
    """A list of events, each (time_ns, kind, fields)."""

    __slots__ = ("_clock", "_listeners", "_next_host", "_next_id", "_waiting", "enabled", "events", "limit")

    def __init__(
        self, now_ns: Callable[[], int] = lambda: 0, *, enabled: bool = False, limit: int | None = None
    ) -> None:
        self.enabled = enabled
        self.limit = limit
        self.events: deque[tuple[int, str, dict[str, Any]]] = deque(maxlen=limit)
        self._listeners: tuple[Callable[[int, str, dict[str, Any]], None], ...] = ()
        self._clock = now_ns
        self._next_id = FIRST_WIRE_ID
        self._next_host = 0
        self._waiting: dict[tuple[str, int], deque[int]] = {}

    def __repr__(self) -> str:
        """On or off, and how many events."""
        return f"<Trace {'on' if self.enabled else 'off'}, {len(self.events)} events>"

    def set_clock(self, now_ns: Callable[[], int]) -> None:
        """Whose time the events carry."""
        self._clock = now_ns

    def emit(self, kind: str, /, **fields: Any) -> None:
        """Record an event at the current time. Values: int, str, bool, None."""
        if not self.enabled:
            return
        now = self._clock()
        self.events.append((now, kind, fields))
        for hear in self._listeners:
            hear(now, kind, fields)

    def emit_at(self, time_ns: int, kind: str, /, **fields: Any) -> None:
        """Record an event that happened at a known time (the wire's and the simulator's events)."""
        if not self.enabled:
            return
        self.events.append((time_ns, kind, fields))
        for hear in self._listeners:
            hear(time_ns, kind, fields)

    def listen(self, hear: Callable[[int, str, dict[str, Any]], None]) -> None:
        """Tell somebody of each event from now on: time in ns, kind, fields."""
        self._listeners += (hear,)

    def new_host(self) -> int:
        """The id before a host's first frame: hosts that share a trace number their frames apart."""
        first = self._next_host
        self._next_host += _IDS_OF_A_HOST
        return first

    def new_id(self) -> int:
        """A fresh id for a frame that enters on the wire."""
        frame_id = self._next_id
        self._next_id += 1
        return frame_id

    def tag(self, direction: str, data: bytes | bytearray | memoryview, frame_id: int = 0) -> int:
        """A frame enters (direction "tx" or "rx"): its id, new unless given, to be found again by `find`."""
        if not self.enabled:
            return 0
        frame_id = frame_id or self.new_id()
        self._waiting.setdefault(_key(direction, data), deque(maxlen=65536)).append(frame_id)
        return frame_id

    def find(self, direction: str, data: bytes | bytearray | memoryview) -> int:
        """The id of the frame with these bytes, oldest first; 0 if none entered."""
        queue = self._waiting.get(_key(direction, data))
        if not queue:
            return 0
        frame_id = queue.popleft()
        if not queue:
            del self._waiting[_key(direction, data)]
        return frame_id

    def follow(self, frame_id: int) -> list[tuple[int, str, dict[str, Any]]]:
        """All events of one frame, in order of time."""
        return sorted((e for e in self.events if e[2].get("frame") == frame_id), key=lambda event: event[0])

    def lines(self) -> Iterator[str]:
        """The events as JSON lines, ordered by time (stable)."""
        for time_ns, kind, fields in sorted(self.events, key=lambda event: event[0]):
            yield json.dumps({"t": time_ns, "kind": kind, **fields}, separators=(",", ":"))

    def write(self, path: Path) -> None:
        """Write the JSONL file."""
        path.write_text("".join(f"{line}\n" for line in self.lines()), encoding="utf-8")

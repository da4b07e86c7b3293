# SPDX-License-Identifier: Apache-2.0
"""What the trace says of the frames that are under way, for the comments of a capture: NBL or packet, descriptors."""

from __future__ import annotations

from typing import Any

from hilnic.hw.trace import Trace

__all__ = ["FrameNotes"]

_MOST_NOTED = 4096
_INDICES = 1 << 32  # free-running
_OBJECTS = {"nbl": "NBL", "packet": "packet"}
_INDICATED = {"nbl.indicate", "packet.indicate"}
_HEARD = {"nbl.send", "packet.send", "tx.descriptors", "rx.completion"} | _INDICATED


class FrameNotes:
    """What the events of a trace say of the frames that are under way."""

    def __init__(self, trace: Trace) -> None:
        self._notes: dict[int, dict[str, str]] = {}
        self._indicated: set[int] = set()
        trace.listen(self._hear)

    def __repr__(self) -> str:
        """How many frames are known."""
        return f"<FrameNotes of {len(self._notes)} frames>"

    def _hear(self, time_ns: int, kind: str, fields: dict[str, Any]) -> None:
        del time_ns
        frame = fields.get("frame")
        if not frame or kind not in _HEARD:
            return
        notes = self._notes.setdefault(frame, {})
        for key, name in _OBJECTS.items():
            if key in fields:
                notes[key] = f"{name} {fields[key]}"
        if kind == "tx.descriptors":
            first, last = (fields["end"] - fields["count"]) % _INDICES, (fields["end"] - 1) % _INDICES
            some = f"descriptor {last}" if first == last else f"descriptors {first} to {last}"
            notes["descriptors"] = f"TX queue {fields['queue']} {some}"
        elif kind == "rx.completion":
            notes["descriptors"] = f"RX queue {fields['queue']} descriptor {(fields['index'] - 1) % _INDICES}"
        elif kind in _INDICATED:
            self._indicated.add(frame)
        if len(self._notes) > _MOST_NOTED:  # frames that never came to a wire, or are known by now
            self.take(next(iter(self._notes)))

    def is_indicated(self, frame: int) -> bool:
        """Whether a protocol has been told of a received frame."""
        return frame in self._indicated

    def take(self, frame: int) -> tuple[str, ...]:
        """The comments for a frame; they are forgotten."""
        self._indicated.discard(frame)
        return tuple(self._notes.pop(frame, {}).values())

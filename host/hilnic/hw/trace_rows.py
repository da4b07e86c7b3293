# SPDX-License-Identifier: Apache-2.0
"""The trace as rows of text in the waveform: what happens to frames, and the states of calls and VCs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["CallRow", "EventRow"]

_CHARACTERS = 128  # of a row
# fields that the text has room for
_SHOWN = {"frame", "queue", "producer", "index", "bytes", "status", "cause"}


class EventRow:
    """The host's events as text in the waveform: the bench's signal `events`."""

    def __init__(self, signal: Any, now_ns: Callable[[], int]) -> None:
        self._signal, self._now_ns, self._time_ns, self._text = signal, now_ns, -1, ""

    def show(self, time_ns: int, kind: str, fields: dict[str, Any]) -> None:
        """Show DPCs and what happens to frames; events of one moment stand side by side, the latest one last."""
        if "frame" not in fields and not kind.startswith(("tx.", "rx.", "dpc")):
            return
        del time_ns  # of the CPU, ahead of the simulation's
        now = self._now_ns()
        words = " ".join(f"{name}={value}" for name, value in fields.items() if name in _SHOWN and value is not None)
        text = f"{kind} {words}".strip()
        self._text = f"{self._text} | {text}" if now == self._time_ns else text
        self._time_ns = now
        self._signal.value = _row(self._text[-_CHARACTERS:])


class CallRow:
    """States of calls and VCs as text in the waveform, the latest first: the bench's signal `calls`."""

    def __init__(self, signal: Any) -> None:
        self._signal = signal
        self._states: dict[str, dict[str, str]] = {}  # of what a VC's name names, latest last

    def show(self, time_ns: int, kind: str, fields: dict[str, Any]) -> None:
        """Show what happens to calls and VCs; a deleted one stays until something else happens."""
        what, _, event = kind.partition(".")
        if event != "state" or what not in {"call", "vc"}:
            return
        del time_ns  # of the CPU, ahead of the simulation's
        name, state = fields[what], fields["state"]
        states = self._states.pop(name, {}) | {what: state}
        self._states[name] = states
        self._signal.value = _row(self.text[:_CHARACTERS])
        if what == "vc" and state == "Deleted":
            del self._states[name]

    @property
    def text(self) -> str:
        """`nic0.vc1 call Connected vc Active | nic0.vc2 ...`."""
        latest_first = reversed(self._states.items())
        return " | ".join(
            " ".join((name, *(f"{what} {state}" for what, state in sorted(states.items()))))
            for name, states in latest_first
        )


def _row(text: str) -> int:
    """What a signal of text gets."""
    return int.from_bytes(text.encode("ascii", "replace"), "big")

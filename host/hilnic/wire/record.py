# SPDX-License-Identifier: Apache-2.0
"""A wire's pcapng in which each frame names what it was in the host: its id, its NBL or packet, its descriptors.

What is sent has its NBL and descriptors when it is on the wire. What is received gets them later: it waits, and what
came behind it, until NDIS has indicated it, or `MOST_WAITING` frames wait, or the file is closed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from hilnic.wire.link import WireFrame
from hilnic.wire.pcapng import Direction, PcapngWriter

__all__ = ["MOST_WAITING", "Notes", "WireRecord"]

MOST_WAITING = 256


class Notes(Protocol):
    """Who knows what a frame was: `hilnic.hw.frame_notes`."""

    def is_indicated(self, frame: int) -> bool:
        """Whether a protocol has been told of a received frame."""
        ...

    def take(self, frame: int) -> tuple[str, ...]:
        """The comments for a frame; they are forgotten."""
        ...


class WireRecord:
    """Writes the frames of one wire; times are those of the frames."""

    def __init__(self, writer: PcapngWriter, name: str, notes: Notes) -> None:
        self._writer, self._notes = writer, notes
        self._interface = writer.add_interface(name, "GMII of the NIC")
        self._waiting: deque[tuple[int, bool, Callable[[tuple[str, ...]], None]]] = deque()

    def __repr__(self) -> str:
        """How many frames wait for their NBL."""
        return f"<WireRecord, {len(self._waiting)} frames wait>"

    def add(self, from_nic: bool, frame: WireFrame, known: int) -> None:
        """The next frame; `known` is its id in the trace, 0 when it has none."""

        def write(comments: tuple[str, ...]) -> None:
            self._writer.write(
                self._interface,
                frame.data,
                round(frame.time_ns),
                Direction.OUTBOUND if from_nic else Direction.INBOUND,
                crc_error=not frame.fcs_ok,
                symbol_error=frame.error,
                comments=comments,
            )

        self._waiting.append((known, from_nic or not known or not frame.fcs_ok, write))
        while self._waiting and (self._is_ready() or len(self._waiting) > MOST_WAITING):
            self._write_first()

    def _is_ready(self) -> bool:
        known, ready, _ = self._waiting[0]
        return ready or self._notes.is_indicated(known)

    def _write_first(self) -> None:
        known, _, write = self._waiting.popleft()
        write((f"frame {known}", *self._notes.take(known)) if known else ())

    def close(self) -> None:
        """Write what waits, and end the file."""
        while self._waiting:
            self._write_first()
        self._writer.close()

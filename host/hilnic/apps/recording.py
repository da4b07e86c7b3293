# SPDX-License-Identifier: Apache-2.0
"""Writes every frame of a simulated wire to a pcapng file, at its simulated time, with its direction and its NBL."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hilnic.hw.frame_notes import FrameNotes
from hilnic.hw.trace import Trace
from hilnic.wire.link import WireFrame
from hilnic.wire.pcapng import PcapngWriter
from hilnic.wire.record import WireRecord

__all__ = ["recorded"]


@contextmanager
def recorded(path: Path | str, link: Any, trace: Trace) -> Iterator[None]:
    """Let `link`, an HdlLink, write all frames of the block; `trace` is that of the host behind the card."""
    wire = WireRecord(PcapngWriter.create(path), "wire0", FrameNotes(trace))

    def record(from_nic: bool, frame: WireFrame) -> None:
        wire.add(from_nic, frame, trace.find("tx", frame.data) if from_nic else trace.tag("rx", frame.data))

    link.record = record
    try:
        yield
    finally:
        wire.close()

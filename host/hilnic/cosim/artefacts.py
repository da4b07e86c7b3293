# SPDX-License-Identifier: Apache-2.0
"""What a test leaves behind: trace.jsonl, a pcapng per wire, and counts, in a folder of its own.

Inside the simulator a `Recorder` writes while the test runs; outside, the regression reads. The folder is
$HILNIC_ARTEFACTS + the test's name, so that one simulator process serves many tests. Equal seeds give equal bytes.
"""

from __future__ import annotations

import atexit
import json
import os
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NoReturn

from cocotb.task import current_task

from hilnic.hw.frame_notes import FrameNotes
from hilnic.hw.trace import Trace
from hilnic.wire.link import WireFrame
from hilnic.wire.pcapng import PcapngWriter
from hilnic.wire.record import WireRecord

__all__ = [
    "LAST_EVENTS", "Recorder", "folder_name", "note_rates", "read_frames", "read_rates", "read_skip", "skip", "tail",
]  # fmt: skip

LAST_EVENTS = 8
"""Lines of the trace that a failure's report shows."""

_LIMIT = 200_000  # events kept, the latest ones

_COUNTS, _TRACE, _SKIP, _RATES = "counts.json", "trace.jsonl", "skipped.txt", "rates.json"


def folder_name(test: str) -> str:
    """The folder of a test: its name, in which a parameter follows a slash, as one part of a path."""
    return test.replace("/", "-")


def read_frames(folder: Path) -> int:
    """Frames that crossed the wires of a test; 0 when it had none."""
    path = folder / _COUNTS
    return int(json.loads(path.read_text(encoding="utf-8"))["frames"]) if path.exists() else 0


def read_rates(folder: Path) -> list[dict[str, Any]]:
    """What a test has noted of its VCs; empty when it noted nothing."""
    path = folder / _RATES
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return rows


def note_rates(rates: Sequence[Mapping[str, Any]]) -> None:
    """For the running test's report: contract and measured rate of its VCs, as `hilnic.apps.vc_rates` has them."""
    folder = Recorder.current_folder()
    if folder is not None:
        (folder / _RATES).write_text(json.dumps(list(rates)) + "\n", encoding="utf-8")


def skip(reason: str) -> NoReturn:
    """End the running test as skipped and leave the reason, for which cocotb's results file has no place."""
    import pytest  # which cocotb has in the simulator, and the commands need not have

    prefix = os.environ.get("HILNIC_ARTEFACTS")
    if prefix:
        folder = Path(prefix + folder_name(_current_test()))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _SKIP).write_text(reason + "\n", encoding="utf-8")
    pytest.skip(reason)


def read_skip(folder: Path) -> str:
    """The reason that a skipped test left; empty when it left none."""
    path = folder / _SKIP
    return path.read_text(encoding="utf-8").strip() if path.exists() else ""


def tail(folder: Path, lines: int) -> list[str]:
    """The last lines of a test's trace."""
    path = folder / _TRACE
    if not path.exists():
        return []
    with path.open(encoding="utf-8") as stream:
        return [line.rstrip("\n") for line in deque(stream, lines)]


class Recorder:
    """One test's files: opened at its start, closed at its end, or when the next one starts."""

    _open: ClassVar[Recorder | None] = None

    def __init__(self, folder: Path, cards: int) -> None:
        if Recorder._open is not None:
            Recorder._open.close()
        Recorder._open = self
        folder.mkdir(parents=True, exist_ok=True)
        for old in (*folder.glob("wire*.pcapng"), folder / _RATES):
            old.unlink(missing_ok=True)
        self.folder, self.frames = folder, 0
        self.trace = Trace(enabled=True, limit=_LIMIT)
        notes = FrameNotes(self.trace)
        self._wires = [
            WireRecord(PcapngWriter.create(folder / f"wire{card}.pcapng"), f"nic{card}", notes) for card in range(cards)
        ]

    @classmethod
    def current_folder(cls) -> Path | None:
        """Where the running test's files go; None when nobody asked for them."""
        return None if cls._open is None else cls._open.folder

    @classmethod
    def of_current_test(cls, cards: int) -> Recorder | None:
        """The recorder of the running cocotb test; None when nobody asked for artefacts."""
        prefix = os.environ.get("HILNIC_ARTEFACTS")
        return cls(Path(prefix + folder_name(_current_test())), cards) if prefix else None

    def on_wire(self, card: int) -> Callable[[bool, WireFrame], None]:
        """What hears of every frame on one card's wire."""
        wire, trace = self._wires[card], self.trace

        def hear(from_nic: bool, frame: WireFrame) -> None:
            self.frames += 1
            time_ns = round(frame.time_ns)
            known = trace.find("tx", frame.data) if from_nic else trace.tag("rx", frame.data)
            trace.emit_at(
                time_ns,
                "wire.tx" if from_nic else "wire.rx",
                frame=known,
                card=card,
                bytes=len(frame.data),
                fcs_ok=frame.fcs_ok,
            )
            wire.add(from_nic, frame, known)

        return hear

    def close(self) -> None:
        """Write trace and counts, close the captures. Closing twice is fine."""
        if Recorder._open is self:
            Recorder._open = None
            for wire in self._wires:
                wire.close()
            self.trace.write(self.folder / _TRACE)
            (self.folder / _COUNTS).write_text(json.dumps({"frames": self.frames}) + "\n", encoding="utf-8")


def _close_last() -> None:
    if Recorder._open is not None:
        Recorder._open.close()


atexit.register(_close_last)


def _current_test() -> str:
    """The name of the running test: cocotb calls its task `Test NAME`; a parameter's value is part of it."""
    return current_task().get_name().removeprefix("Test ")

# SPDX-License-Identifier: Apache-2.0
"""Whose line it was: the driver's frame that called NDIS when a rule was broken, or that raised.

    hw/clock.py run_until                the system: nobody's line below it
    hw/cpu.py   a DPC starts
    ndis/interrupt.py
    acme.py     dpc
    acme.py     done                     <- this one
    ndis/send.py complete_send_net_buffer_lists
    ndis/verifier/report.py

Where the innermost driver is one of the test kit, the line outside of hilnic that commanded it is named besides.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import FrameType, TracebackType

_PACKAGE = Path(__file__).parents[2]
_STDLIB = str(Path(os.__file__).parent)


def _inside(*parts: str) -> str:
    """A file of the package, or with "" last everything in a folder."""
    return f"{_PACKAGE.joinpath(*parts)}{os.sep if parts[-1] == '' else ''}"


_NDIS = (
    _inside("ndis", ""),
    _inside("testing", "ndistest", ""),
    *(_inside("testing", f"{name}.py") for name in ("wire_oracle", "ring_watch", "ring_queue")),
)
"""What only stands between a driver and NDIS."""
_SYSTEM = (
    _inside("hw", ""),
    _inside("model", ""),
    _inside("cosim", ""),
    _inside("testing", "kernel.py"),
    _inside("testing", "schedule.py"),
)


def driver_place(depth: int = 1) -> str:
    """The driver's line on the stack, `depth` frames above the caller or further out; "" when there is none."""
    return frame_place(sys._getframe(depth + 1))


def frame_place(frame: FrameType | None) -> str:
    """The driver's line at a frame or further out; "" when there is none."""
    frames = []
    while frame is not None and not _is_system(frame.f_code.co_filename):
        frames.append((frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name))
        frame = frame.f_back
    return _place(frames)


def raised_place(traceback: TracebackType | None) -> str:
    """The driver's innermost line of a traceback; "" without one."""
    frames = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append((code.co_filename, traceback.tb_lineno, code.co_name))
        traceback = traceback.tb_next
    frames.reverse()
    return _place([frame for frame in frames if not _is_system(frame[0])])


def _place(frames: list[tuple[str, int, str]]) -> str:
    """Innermost first: the first that is neither NDIS's nor Python's own."""
    own = [frame for frame in frames if not frame[0].startswith((*_NDIS, "<")) and not _is_stdlib(frame[0])]
    if not own:
        return ""
    place = _said(own[0])
    if own[0][0].startswith(_inside("testing", "")):
        users = [frame for frame in own if not frame[0].startswith(_inside(""))]
        place += f", called from {_said(users[0])}" if users else ""
    return place


def _is_system(name: str) -> bool:
    return name.startswith(_SYSTEM) or "cocotb" in Path(name).parts or name.endswith("ndistest_session.py")


def _is_stdlib(name: str) -> bool:
    return name.startswith(_STDLIB) and "-packages" not in name


def _said(frame: tuple[str, int, str]) -> str:
    name, line, function = frame
    try:
        shown = os.path.relpath(name)
    except ValueError:  # another drive
        shown = name
    return f"{name if shown.startswith('..') else shown}:{line} in {function}"

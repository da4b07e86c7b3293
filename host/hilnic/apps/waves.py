# SPDX-License-Identifier: Apache-2.0
"""`hilnic waves`: runs a test with its waveform recorded and opens it in GTKWave, or makes a picture of it.

Without a display it ends with 3 and the path of the view, which GTKWave opens elsewhere.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

from hilnic import sources
from hilnic.apps import catalogue, gtkw, regression
from hilnic.apps.outcome import Exit, Stop
from hilnic.cosim.build_hostmem import build_root

__all__ = ["run"]

DEFAULT_TEST = "tour.a_frame_goes_out_and_comes_back"
_SCREEN = ":93"
_HEIGHT, _SHOT_HEIGHT = 1000, 1480  # of the window; the picture has room for every group
_SHOT_SIZE = f"1600x{_SHOT_HEIGHT}"
_WAVES_ONLY = f"1600x{_SHOT_HEIGHT - 110}+0+105"  # without the title, which names the folder
_START_S, _DRAW_S = 3.0, 4.0


def run(*, test: str | None, sim: str | None, shot: bool) -> int:
    """The command; its exit code."""
    name, sim = test or DEFAULT_TEST, str(sim or "icarus")
    _check_name(name)
    code = regression.run(tests=[name], seed=None, sim=sim, ends="hdl", waves=True, jobs=1, soak=False, listing=False)
    view = prepare(name, sim, _SHOT_HEIGHT if shot else _HEIGHT)
    if shot:
        picture = sources.root() / "docs" / "waveform.png" if test is None else view.with_name("wave.png")
        _photograph(view, picture)
        print(picture)  # noqa: T201
        return code
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise Stop(Exit.MISSING, f"there is no display to open a window on; the view is {view}: gtkwave {view}")
    return subprocess.run([_tool("gtkwave"), str(view)], check=False).returncode or code


def _check_name(name: str) -> None:
    """Stop with USAGE unless the name means one test."""
    try:
        selected = catalogue.select(catalogue.load(), [name], soak=False)
    except catalogue.UnknownTest as unknown:
        raise Stop(Exit.USAGE, str(unknown)) from None
    if len(selected) != 1 or len(selected[0].functions) != 1:
        raise Stop(Exit.USAGE, f"{name!r} means many tests; name one: `hilnic sim --list {name}`")


def prepare(name: str, sim: str, height: int = _HEIGHT) -> Path:
    """The view (.gtkw) of a test that ran with its waveform."""
    folder, run_name = build_root() / sim / name, name.partition(".")[0]
    wave = build_root() / sim / run_name / "wave.fst"
    if not wave.exists():
        raise Stop(Exit.FAILED, f"no waveform was written: {wave}")
    folder.mkdir(parents=True, exist_ok=True)
    own = folder / "wave.fst"
    shutil.copyfile(wave, own)
    view = folder / "wave.gtkw"
    gtkw.write_view(own, view, height=height)
    return view


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Stop(Exit.MISSING, f"{name} is not installed: `make waves` and `make shot` install it on Debian")
    return found


def _zoom(trace: Path) -> str:
    """GTKWave's order to show the time in which NBLs were on their way; everything when there were none."""
    lines = trace.read_text(encoding="utf-8").splitlines() if trace.exists() else []
    times = [event["t"] for event in map(json.loads, lines) if event["kind"].startswith("nbl.")]
    if not times:
        return "gtkwave::/Time/Zoom/Zoom_Full\n"
    margin = max(500, (max(times) - min(times)) // 10)
    return f"gtkwave::setZoomRangeTimes {min(times) - margin}ns {max(times) + margin}ns\n"


def _photograph(view: Path, picture: Path) -> None:
    """Draw the view in GTKWave on a screen of its own and save what is seen."""
    xvfb, viewer, camera = _tool("Xvfb"), _tool("gtkwave"), _tool("import")
    environment = {**os.environ, "DISPLAY": _SCREEN}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    screen = subprocess.Popen([xvfb, _SCREEN, "-screen", "0", f"{_SHOT_SIZE}x24"], **quiet)  # type: ignore[call-overload]
    try:
        time.sleep(_START_S)
        script = view.with_name("zoom.tcl")
        script.write_text(_zoom(view.with_name("trace.jsonl")), encoding="utf-8")
        window = subprocess.Popen([viewer, "-S", str(script), str(view)], env=environment, **quiet)  # type: ignore[call-overload]
        try:
            time.sleep(_DRAW_S)
            subprocess.run(
                [camera, "-window", "root", "-crop", _WAVES_ONLY, "+repage", str(picture)], env=environment, check=True
            )
        finally:
            window.terminate()
            window.wait()
    finally:
        screen.terminate()
        screen.wait()

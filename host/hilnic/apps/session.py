# SPDX-License-Identifier: Apache-2.0
"""A simulator process that works for a command: it runs one of tb/*_session.py instead of a test.

    command:   for line in ... run_session(Session("bench_session", "verilator", "bench", {...}), on_line)
    inside:    job = session.job();  session.say(row=1, ...)

The job goes in as JSON, what the session says comes back as JSON lines while it runs; its own output is in `sim.log`.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from xml.etree import ElementTree as ET

from rich.console import Console

from hilnic import sources
from hilnic.apps.outcome import Exit, Stop
from hilnic.cosim import runner
from hilnic.cosim.build_hostmem import BuildError, build_root

__all__ = [
    "DEFAULT_SEED",
    "Line",
    "Session",
    "SessionFailed",
    "console",
    "job",
    "prepare",
    "resident_bytes",
    "run_session",
    "say",
]

_JOB, _LINES = "HILNIC_JOB", "HILNIC_LINES"
_POLL_S = 0.1
DEFAULT_SEED = 1
Line = dict[str, Any]


class SessionFailed(Exception):
    """The session ended badly; the message says how, `log` is the simulator's output."""

    def __init__(self, why: str, log: Path) -> None:
        super().__init__(f"{why}\nthe simulator's output: {log}")
        self.why, self.log = why, log


@dataclass(frozen=True, slots=True)
class Session:
    """What is run: a module of tb/, on which simulator and ends, with which job."""

    module: str
    sim: str
    name: str
    job: Line
    ends: str = "hdl"
    waves: bool = False
    seed: int = DEFAULT_SEED
    cards: int = 1
    vcs: int = 0
    wall_limit_s: float = 3600.0
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where its files go."""
        return build_root() / self.sim / self.name


def prepare(sim: str, ends: str = "hdl", waves: bool = False, cards: int = 1, vcs: int = 0) -> runner.Built:
    """The NIC's bench, compiled. Stop with MISSING or FAILED when that does not work."""
    wanted = {"Ends": 1} if ends == "cocotbext" else {}
    if cards > 1:
        wanted["NumCards"] = cards
    if vcs:
        wanted |= {"NumVcs": vcs, "NumTxQueues": vcs + 1, "NumRxQueues": vcs + 1}
    parameters = tuple(sorted(wanted.items()))  # as the catalogue has them: equal builds are shared
    try:
        return runner.build(runner.Design("tb_nic", sim, parameters, waves=waves))
    except runner.MissingTool as missing:
        raise Stop(Exit.MISSING, str(missing)) from None
    except (BuildError, runner.BuildFailed) as failed:
        raise Stop(Exit.FAILED, str(failed)) from None


def run_session(session: Session, on_line: Callable[[Line], None]) -> None:
    """Run a session to its end, handing over each line that it says; SessionFailed when it ends badly."""
    built, folder = prepare(session.sim, session.ends, session.waves, session.cards, session.vcs), session.folder
    folder.mkdir(parents=True, exist_ok=True)
    request, lines = folder / "job.json", folder / "lines.jsonl"
    request.write_text(json.dumps(session.job), encoding="utf-8")
    lines.unlink(missing_ok=True)
    run = runner.Run(
        built,
        session.module,
        folder,
        folder / "results.xml",
        seed=session.seed,
        environment={**session.environment, _JOB: str(request), _LINES: str(lines), "HILNIC_ENDS": session.ends},
        wall_limit_s=session.wall_limit_s,
        python_path=[sources.root() / "tb", Path(__file__).resolve().parents[2]],
        wave=folder / "wave.fst" if session.waves else None,
    )
    with _following(lines, on_line):
        finished = runner.simulate(run)
    _judge(session, run, finished)


def _judge(session: Session, run: runner.Run, finished: runner.Finished) -> None:
    """A simulator's exit code says little: its results file has to be there and without failure."""
    if finished.timed_out:
        raise SessionFailed(f"no end within {session.wall_limit_s:.0f} s", finished.log)
    if not run.results.exists():
        raise SessionFailed(f"the simulator ended with code {finished.exit_code} before its session", finished.log)
    failures = [node for node in ET.parse(run.results).iter() if node.tag in {"failure", "error"}]  # noqa: S314
    if failures:
        raise SessionFailed(_sentence(failures[0], finished.log), finished.log)


def _sentence(failure: ET.Element, log: Path) -> str:
    """The exception that ended the session."""
    text = failure.get("error_msg") or failure.get("message") or failure.text or ""
    if not text:
        found = [line for line in log.read_text(encoding="utf-8").splitlines() if "Error" in line or "failed" in line]
        text = found[-1] if found else "the session failed"
    return text.strip()


@contextmanager
def _following(path: Path, on_line: Callable[[Line], None]) -> Iterator[None]:
    """Hand over lines as they are written, from a thread, until the body has ended; then the rest."""
    ended = threading.Event()

    def follow() -> None:
        position = 0
        while True:
            last = ended.is_set()
            position = _read_on(path, position, on_line)
            if last:
                return
            ended.wait(_POLL_S)

    thread = threading.Thread(target=follow, name="session-lines", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _read_on(path: Path, position: int, on_line: Callable[[Line], None]) -> int:
    """Hand over the whole lines after a position; the position behind them."""
    if not path.exists():
        return position
    with path.open("rb") as stream:
        stream.seek(position)
        body = stream.read()
    whole = body[: body.rfind(b"\n") + 1]
    for line in whole.splitlines():
        on_line(json.loads(line))
    return position + len(whole)


def console(to_stderr: bool = False) -> Console:
    """Where a command's tables go: as wide as the terminal, 120 columns in a file."""
    found = Console(stderr=to_stderr)
    return found if found.is_terminal else Console(stderr=to_stderr, width=120)


# --- inside of the simulator ------------------------------------------------------------------------------------------


def job() -> Line:
    """What the command wants."""
    found: Line = json.loads(Path(os.environ[_JOB]).read_text(encoding="utf-8"))
    return found


def say(**line: Any) -> None:
    """Tell the command something."""
    with _stream() as stream:
        stream.write(json.dumps(line) + "\n")


def _stream() -> IO[str]:
    return Path(os.environ[_LINES]).open("a", encoding="utf-8") if _LINES in os.environ else os.fdopen(os.dup(1), "w")


def resident_bytes() -> int:
    """Memory that this process occupies; 0 where the system does not say."""
    if sys.platform != "linux":
        return 0
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")

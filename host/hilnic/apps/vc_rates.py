# SPDX-License-Identifier: Apache-2.0
"""Contract and measured rate of each VC, as the reports of runs have them: `rates`, a list of rows.

    {"vc": "nic0.vc2", "contract": 12500000, "measured": 12499361.2, "frames": 195}

Rates are bytes per second of frames as the NIC counts them; `frames` is how many `measured` is over. They are in the
reports of `hilnic condis`, of `hilnic bench condis`, and in report.json of the tests that measure contracts.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilnic.apps.outcome import Exit, Stop

__all__ = ["TOLERANCE", "WITHIN", "VcRate", "of_frames", "read"]

TOLERANCE = 0.01
"""Of the contract's rate: what a VC may be off."""
WITHIN = f"within {100 * TOLERANCE:g} %"
FRAMES_TO_TELL = 5
"""With fewer, the rate says more about when the measurement began and ended."""
SCHEMAS = ("hilnic.condis/1", "hilnic.bench/1", "hilnic.test/1")


@dataclass(frozen=True, slots=True)
class VcRate:
    """One VC; bytes per second."""

    vc: str
    contract: float
    measured: float
    frames: int

    @property
    def deviation(self) -> float:
        """Of the measured rate from the contract's, as a share of it."""
        return self.measured / self.contract - 1

    @property
    def is_measured(self) -> bool:
        """Whether there were frames enough to tell."""
        return self.frames >= FRAMES_TO_TELL

    @property
    def is_kept(self) -> bool:
        """Whether the rate is the contract's."""
        return abs(self.deviation) <= TOLERANCE


def of_frames(vc: str, contract: float, frames: Sequence[tuple[float, int]]) -> VcRate:
    """From when frames began, in ns, and their octets; the last one's octets are not counted, its time is not over."""
    if len(frames) < 2:
        return VcRate(vc, contract, 0.0, 0)
    octets = sum(octets for _, octets in frames[:-1])
    return VcRate(vc, contract, octets * 1e9 / (frames[-1][0] - frames[0][0]), len(frames) - 1)


def read(file: Path) -> list[VcRate]:
    """The rates in a report; Stop with USAGE when there are none, or it is no report."""
    try:
        report = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:  # also of octets that are no text
        raise Stop(Exit.USAGE, f"{file}: no JSON ({error}); `hilnic condis --json FILE` writes a report") from None
    schema = report.get("schema") if isinstance(report, dict) else None
    if schema not in SCHEMAS:
        raise Stop(Exit.USAGE, f"{file}: its schema is {schema!r}; rates are in {', '.join(SCHEMAS)}")
    rows = report.get("rates")
    if not isinstance(rows, list) or not rows:
        raise Stop(Exit.USAGE, f"{file}: no rates in it; `hilnic condis` and `hilnic bench condis` measure some")
    return [_row(file, number, row) for number, row in enumerate(rows)]


def _row(file: Path, number: int, row: Any) -> VcRate:
    match row:
        case {
            "vc": str(vc),
            "contract": int() | float() as contract,
            "measured": int() | float() as measured,
            "frames": int(frames),
        } if 0 < contract < math.inf and 0 <= measured < math.inf and frames >= 0:
            return VcRate(vc, contract, measured, frames)
    raise Stop(Exit.USAGE, f"{file}: rates[{number}] is {row!r}, which is no rate of a VC")

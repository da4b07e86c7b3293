# SPDX-License-Identifier: Apache-2.0
"""`hilnic plot rates`: each VC's measured rate against its contract, as SVG or PNG, from the reports of runs.

Above, the measured rate over the contract's; below, by how much it is off, with the band of 1 % in which it has to be.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilnic.apps import vc_rates
from hilnic.apps.outcome import Exit, Stop
from hilnic.apps.vc_rates import FRAMES_TO_TELL, TOLERANCE, WITHIN, VcRate

__all__ = ["Picture", "picture", "run"]

FORMATS = (".svg", ".png")
_KEPT, _OFF, _BAND = "#1f6fb2", "#c8102e", "#9bc79b"
_MOST_NAMES = 8  # of VCs that are off, in the picture
_WIDEST_GROUP = 1.001  # contracts closer than that need no logarithm to be told apart


@dataclass(frozen=True, slots=True)
class Picture:
    """What is drawn; rates in Mbit/s, deviations in percent."""

    title: str
    kept: list[VcRate]
    off: list[VcRate]
    unmeasured: list[VcRate]

    @property
    def is_logarithmic(self) -> bool:
        """Whether contracts differ by more than a factor of ten."""
        contracts = [rate.contract for rate in (*self.kept, *self.off)]
        return max(contracts) > 10 * min(contracts)

    @property
    def summary(self) -> str:
        """One line: how many keep it, and which one is worst."""
        measured = [*self.kept, *self.off]
        worst = max(measured, key=lambda rate: abs(rate.deviation))
        without = f", {len(self.unmeasured)} with too few frames to tell" if self.unmeasured else ""
        return (
            f"{len(self.kept)} of {len(measured)} VCs {WITHIN} of their contract{without}; "
            f"the worst is {worst.vc}: {100 * worst.deviation:+.2f} % over {worst.frames} frames"
        )


def picture(title: str, rates: Sequence[VcRate]) -> Picture:
    """Who keeps the contract, who does not, and who was not measured; Stop with USAGE when nobody was."""
    measured = [rate for rate in rates if rate.is_measured]
    if not measured:
        why = f"no VC was measured over {FRAMES_TO_TELL} frames after its first burst; send a longer file"
        raise Stop(Exit.USAGE, f"{title}: {why}")
    kept = [rate for rate in measured if rate.is_kept]
    off = [rate for rate in measured if not rate.is_kept]
    return Picture(title, kept, off, [rate for rate in rates if not rate.is_measured])


def run(*, what: str, reports: Sequence[Path], out: Path, check: bool) -> Exit:
    """Draw; with `check`, FAILED when a VC is off its contract."""
    assert what == "rates"
    _check_out(out)
    rates = [rate for file in reports for rate in vc_rates.read(file)]
    found = picture(", ".join(_name(file) for file in reports), rates)
    _draw(found, out)
    print(found.summary)  # noqa: T201
    print(out)  # noqa: T201
    return Exit.FAILED if check and found.off else Exit.PASSED


def _name(report: Path) -> str:
    """A report's own name; that of its folder, the test's, for `report.json`."""
    return report.absolute().parent.name if report.name == "report.json" else report.name


def _check_out(out: Path) -> None:
    """Stop with USAGE when there could be no picture."""
    if out.suffix.lower() not in FORMATS:
        raise Stop(Exit.USAGE, f"--out {out}: draws {' or '.join(FORMATS)}, by the file's extension")
    if out.is_dir() or not os.access(out if out.exists() else out.absolute().parent, os.W_OK):
        raise Stop(Exit.USAGE, f"--out {out}: cannot be written")


# --- the drawing ------------------------------------------------------------------------------------------------------


def _draw(found: Picture, out: Path) -> None:
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        raise Stop(Exit.MISSING, f"matplotlib is not installed: {_how_to_install()}") from None
    style = {"svg.fonttype": "none", "svg.hashsalt": "hilnic", "font.size": 10, "axes.grid": True, "grid.alpha": 0.3}
    with mpl.rc_context(style):  # text stays text, and equal reports give equal files
        figure = Figure(figsize=(8, 6.4), layout="constrained")
        figure.suptitle(f"Contract and measured rate per VC\n{found.title}", fontsize=12)
        rates, deviations = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        _draw_rates(rates, found)
        _draw_deviations(deviations, found)
        figure.savefig(out, dpi=150, metadata={"Date": None} if out.suffix.lower() == ".svg" else None)


def _how_to_install() -> str:
    from hilnic import sources

    return "make setup-plot" if (sources.root() / "Makefile").exists() else "pip install 'hilnic[plot]'"


def _draw_rates(axes: Any, found: Picture) -> None:
    """Measured rate over the contract's."""
    from matplotlib.ticker import LogLocator, NullFormatter

    contracts = [_mbit(rate.contract) for rate in (*found.kept, *found.off)]
    least, most = min(contracts), max(contracts)
    if most <= least * _WIDEST_GROUP:
        least, most = 0.8 * least, 1.2 * most
    axes.plot([least, most], [least, most], color="grey", linewidth=1, label="contract", zorder=1)
    for rates, colour, marker, label in _groups(found):
        x, y = [_mbit(rate.contract) for rate in rates], [_mbit(rate.measured) for rate in rates]
        axes.scatter(x, y, s=26, c=colour, marker=marker, alpha=0.75, label=label, zorder=2)
    if found.is_logarithmic:
        axes.set_xscale("log")
        axes.set_yscale("log")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.set_major_formatter("{x:g}")
            axis.set_minor_formatter(NullFormatter())
    axes.set_ylabel("measured rate, Mbit/s")
    axes.legend(loc="upper left")


def _draw_deviations(axes: Any, found: Picture) -> None:
    """How far each is off, and the band."""
    percent = 100 * TOLERANCE
    axes.axhspan(-percent, percent, color=_BAND, alpha=0.35, label=f"±{percent:g} %", zorder=0)
    axes.axhline(0, color="grey", linewidth=1, zorder=1)
    for rates, colour, marker, _ in _groups(found):
        x, y = [_mbit(rate.contract) for rate in rates], [100 * rate.deviation for rate in rates]
        axes.scatter(x, y, s=26, c=colour, marker=marker, alpha=0.75, zorder=2)
    for rate in sorted(found.off, key=lambda rate: -abs(rate.deviation))[:_MOST_NAMES]:
        at = (_mbit(rate.contract), 100 * rate.deviation)
        axes.annotate(rate.vc, at, xytext=(6, 3), textcoords="offset points", fontsize=8, color=_OFF)
    widest = max(100 * abs(rate.deviation) for rate in (*found.kept, *found.off))
    axes.set_ylim(-1.25 * max(widest, percent * 1.2), 1.25 * max(widest, percent * 1.2))
    axes.set_xlabel("contract, Mbit/s of frames with header, tag and FCS")
    axes.set_ylabel("off the contract, %")
    axes.legend(loc="upper left")


def _groups(found: Picture) -> list[tuple[list[VcRate], str, str, str]]:
    """(rates, colour, marker, label) of who keeps the contract and who does not."""
    groups = [
        (found.kept, _KEPT, "o", f"{_count(found.kept)} {WITHIN}"),
        (found.off, _OFF, "X", f"{_count(found.off)} off the contract"),
    ]
    return [group for group in groups if group[0]]


def _count(rates: Sequence[VcRate]) -> str:
    return f"{len(rates)} VC{'s' * (len(rates) != 1)}"


def _mbit(rate: float) -> float:
    """Bytes per second in Mbit/s."""
    return rate * 8 / 1e6

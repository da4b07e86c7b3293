# SPDX-License-Identifier: Apache-2.0
"""`hilnic plot rates`: who keeps the contract, what is drawn, and what is refused with which sentence."""

import builtins
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hilnic import cli
from hilnic.apps import plot, vc_rates
from hilnic.apps.outcome import Exit, Stop
from hilnic.apps.vc_rates import VcRate


def row(number=1, measured=1.0, contract=1_000_000, frames=50):
    return {"vc": f"nic0.vc{number}", "contract": contract, "measured": contract * measured, "frames": frames}


@pytest.fixture
def report(tmp_path):
    """Writes a report with these rates, and names it."""

    def write(rates, schema="hilnic.condis/1"):
        path = tmp_path / "report.json"
        path.write_text(json.dumps({"schema": schema, "rates": rates}))
        return path

    return write


def command(*arguments):
    return CliRunner().invoke(cli.app, ["plot", "rates", *map(str, arguments)])


# --- the judge --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("measured", "is_kept"), [(1.0, True), (1.0099, True), (0.9901, True), (1.02, False), (0.98, False), (0.0, False)]
)
def test_a_rate_is_kept_within_one_percent(measured, is_kept):
    assert VcRate(**row(measured=measured)).is_kept is is_kept


def test_a_picture_has_who_is_off_and_who_was_not_measured():
    found = plot.picture("x", [VcRate(**one) for one in (row(1), row(2, 0.98), row(3, 0.9, frames=4))])
    assert [[rate.vc for rate in rates] for rates in (found.kept, found.off, found.unmeasured)] == [
        ["nic0.vc1"], ["nic0.vc2"], ["nic0.vc3"],
    ]  # fmt: skip
    assert "1 of 2 VCs within 1 %" in found.summary
    assert "1 with too few frames to tell" in found.summary
    assert "nic0.vc2: -2.00 % over 50 frames" in found.summary


@pytest.mark.parametrize(("rates", "logarithmic"), [((1e6, 9e6), False), ((1e6, 11e6), True)])
def test_contracts_far_apart_have_logarithmic_axes(rates, logarithmic):
    assert plot.picture("x", [VcRate("a", rate, rate, 9) for rate in rates]).is_logarithmic is logarithmic


def test_frames_give_the_rate_between_their_beginnings():
    assert vc_rates.of_frames("a", 9.0, [(0, 10), (1e9, 7), (3e9, 100)]) == VcRate("a", 9.0, 17 / 3, 2)
    assert not vc_rates.of_frames("a", 9.0, [(0, 10)]).is_measured


@pytest.mark.parametrize(("measured", "code"), [(1.0, Exit.PASSED), (0.98, Exit.FAILED)])
def test_check_fails_on_a_vc_off_its_contract(report, monkeypatch, tmp_path, measured, code):
    drawn = []
    monkeypatch.setattr(plot, "_draw", lambda found, out: drawn.append(found))
    file, out = report([row(1), row(2, measured)]), tmp_path / "x.svg"
    assert command(file, "--out", out, "--check").exit_code == code
    assert command(file, "--out", out).exit_code == Exit.PASSED
    assert len(drawn) == 2


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe\x00", "no JSON"),
        (b"[]", "its schema is None"),
        (b'"hilnic.condis/1"', "its schema is None"),
        (b'{"schema": "hilnic.wdk/2"}', "its schema is 'hilnic.wdk/2'"),
        (b'{"schema": ["x"]}', "its schema is"),
        (b'{"schema": "hilnic.bench/1"}', "no rates in it"),
        (b'{"schema": "hilnic.test/1", "rates": []}', "no rates in it"),
        (b'{"schema": "hilnic.test/1", "rates": {"vc": 1}}', "no rates in it"),
        (b'{"schema": "hilnic.test/1", "rates": [7]}', r"rates\[0\] is 7"),
        (b'{"schema": "hilnic.test/1", "rates": [{}]}', r"rates\[0\]"),
    ],
)
def test_a_file_without_rates_is_a_usage_error(tmp_path, text, why):
    path = tmp_path / "x.json"
    path.write_bytes(text)
    with pytest.raises(Stop, match=why) as stop:
        vc_rates.read(path)
    assert stop.value.code == Exit.USAGE


@pytest.mark.parametrize(
    "wrong",
    [
        {"vc": 7}, {"contract": 0}, {"contract": -1}, {"contract": "1M"}, {"measured": None}, {"measured": -1},
        {"frames": 1.5}, {"frames": -1}, {"measured": float("nan")}, {"contract": float("inf")},
    ],
)  # fmt: skip
def test_a_row_that_is_no_rate_is_named(report, wrong):
    with pytest.raises(Stop, match=r"rates\[1\] is .* no rate of a VC") as stop:
        vc_rates.read(report([row(), row() | wrong]))
    assert stop.value.code == Exit.USAGE


@pytest.mark.parametrize(
    ("out", "why"), [("rates.pdf", "draws .svg or .png"), ("rates", "draws"), ("no/folder/x.svg", "cannot be written")]
)
def test_a_picture_that_cannot_be_is_refused_before_the_work(monkeypatch, tmp_path, out, why):
    monkeypatch.chdir(tmp_path)
    done = command("missing.json", "--out", out)
    assert done.exit_code == Exit.USAGE
    assert why in done.output


def test_a_missing_report_and_a_directory_are_usage_errors(tmp_path):
    for file in (tmp_path / "missing.json", tmp_path):
        done = command(file, "--out", tmp_path / "x.svg")
        assert (done.exit_code, str(file) in done.output) == (Exit.USAGE, True)
    assert command().exit_code == Exit.USAGE


def test_a_report_in_which_nobody_was_measured_says_so(report, tmp_path):
    done = command(report([row(frames=0)]), "--out", tmp_path / "x.svg")
    assert (done.exit_code, "no VC was measured over 5 frames" in done.output) == (Exit.USAGE, True)


def test_without_matplotlib_the_one_command_to_run_is_said(report, tmp_path, monkeypatch):
    real = builtins.__import__

    def missing(name, *rest):
        if name.startswith("matplotlib"):
            raise ModuleNotFoundError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    done = command(report([row()]), "--out", tmp_path / "x.svg")
    assert (done.exit_code, "make setup-plot" in done.output) == (Exit.MISSING, True)


# --- the drawing ------------------------------------------------------------------------------------------------------


def test_an_svg_has_title_axes_units_band_points_and_names(report, tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is an extra: make setup-plot")
    file, out = report([row(1), row(2, 1.001, 30_000_000), row(3, 0.98, 2_000_000)]), tmp_path / "x.svg"
    assert command(file, "--out", out).exit_code == Exit.PASSED
    picture = out.read_text()
    ET.fromstring(picture)
    for text in (
        "Contract and measured rate per VC", "measured rate, Mbit/s", "contract, Mbit/s", "off the contract, %", "±1 %",
        "2 VCs within 1 %", "1 VC off the contract", "nic0.vc3",
    ):  # fmt: skip
        assert text in picture
    command(file, "--out", tmp_path / "y.svg")
    assert (tmp_path / "y.svg").read_text() == picture


def test_a_png_is_a_png(report, tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is an extra: make setup-plot")
    out = tmp_path / "x.PNG"
    assert command(report([row()]), "--out", out).exit_code == Exit.PASSED
    assert out.read_bytes().startswith(b"\x89PNG")


def test_a_report_of_a_test_is_named_after_its_folder():
    assert plot._name(Path("build/verilator/vc_load.x/report.json")) == "vc_load.x"
    assert plot._name(Path("condis.json")) == "condis.json"

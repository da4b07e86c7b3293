# SPDX-License-Identifier: Apache-2.0
"""`hilnic bench condis` without a simulator: what it plans, what it makes of what sessions say, and what fails it."""

import copy
import json

import pytest
from typer.testing import CliRunner

from hilnic import cli
from hilnic.apps import bench, bench_condis
from hilnic.apps.outcome import Exit, Stop
from hilnic.apps.session import SessionFailed
from hilnic.signalling import SIGNALLING_FLOW

OPTIONS = {"sims": [], "ends": [], "sizes": [], "vcs": [], "frames": None, "waves": False, "verify": "fast"}


def took(simulated_ns, cpu_s=1.0, wall_s=2.0):
    return {"simulated_ns": simulated_ns, "cpu_s": cpu_s, "wall_s": wall_s}


def rate(measured=1.0, contract=1_000_000, frames=50, vc="nic0.vc2"):
    return {"vc": vc, "contract": contract, "measured": contract * measured, "frames": frames}


def said(row):
    """What the session says of a row when everything is as it should be."""
    if row["part"] == "setup":
        return {"setup": [took(29_000), took(31_000), took(41_000)], "release": [took(13_000)] * 3}
    if row["part"] == "contract":
        return {"rates": [rate(), rate(0.9995)], **took(20_000_000)}
    if row["part"] == "throughput":
        return {"connectionless": took(1_000_000), "vc": took(1_010_000)}
    return {
        "calls": took(1, cpu_s=0.5) | {"opened": 5},
        "one": took(848 * row["frames"]),
        "all": took(852 * row["frames"]),
    }


@pytest.fixture
def sessions(monkeypatch, tmp_path):
    """The sessions that were run, and `change(row, line)`, which says what is wrong with one."""
    monkeypatch.setenv("HILNIC_BUILD", str(tmp_path))
    found, changes = [], []

    def run_session(session, on_line):
        found.append(session)
        part = bench_condis.plan(*PLANNED)[len(found) - 1]
        on_line({"note": "8 calls"})
        for number, row in enumerate(part.rows):
            line = copy.deepcopy(said(row))
            for change in changes:
                change(row, line)
            on_line({"row": number, **line})

    monkeypatch.setattr(bench_condis, "prepare", lambda *_: None)
    monkeypatch.setattr(bench_condis, "run_session", run_session)
    return found, changes


PLANNED = ([], [], None)


def run(tmp_path, **options):
    file = tmp_path / "bench.json"
    code = bench_condis.run(**OPTIONS | options, seed=None, json=file)
    return code, json.loads(file.read_text())


# --- the plan ---------------------------------------------------------------------------------------------------------


def rows_of(part, sizes=(), vcs=()):
    return [row for found in bench_condis.plan(sizes, vcs, None) for row in found.rows if row["part"] == part]


def test_everything_is_measured_when_nothing_is_asked_for():
    assert [row["call_manager"] for row in rows_of("setup")] == ["stand-alone", "integrated"]
    assert [row["size"] for row in rows_of("throughput")] == [64, 256, 512, 1024, 1500]
    assert [row["vcs"] for row in rows_of("growth")] == [1, 8, 64, 256, 1023]
    assert len(rows_of("contract")) == 1


def test_sizes_and_numbers_of_vcs_are_measured_alone_where_they_are_given():
    assert [row["size"] for row in rows_of("throughput", sizes=[1500, 64])] == [64, 1500]
    assert not rows_of("growth", sizes=[64])
    assert [row["vcs"] for row in rows_of("growth", vcs=[8, 1, 8])] == [1, 8]
    assert not rows_of("setup", vcs=[8])


def test_every_vc_carries_data_however_many_there_are():
    assert [row["frames"] for row in rows_of("growth")] == [500, 500, 500, 500, 1023]


def test_the_guaranteed_rates_are_what_calls_may_be_promised():
    (job,) = (job for part in bench_condis.plan(*PLANNED) for job in part.job if job["part"] == "contract")
    assert sum(job["rates"]) <= 112_500_000 - SIGNALLING_FLOW.rate
    assert len(set(job["rates"])) == len(job["rates"])


@pytest.mark.parametrize(("vcs", "build"), [([1, 63], 64), ([64], 1024), ([1, 1023], 1024)])
def test_the_build_has_room_for_the_vcs_and_the_signalling(vcs, build):
    (part,) = bench_condis.plan([], vcs, None)
    assert (part.vcs, part.job[0]["most_vcs"]) == (build, build)


def test_each_session_is_told_the_rows_that_it_answers_with():
    for part in bench_condis.plan(*PLANNED):
        numbers = [cell["row"] for job in part.job for cell in job.get("loads", [job])]
        assert numbers == list(range(len(part.rows)))


# --- what is made of it -----------------------------------------------------------------------------------------------


def test_the_report_has_rows_ratios_rates_and_what_holds(sessions, tmp_path, capsys):
    code, report = run(tmp_path)
    assert (code, report["schema"], report["passed"]) == (Exit.PASSED, bench.SCHEMA, True)
    assert {row["bench"] for row in report["rows"]} == {"condis"}
    assert [session.vcs for session in sessions[0]] == [64, 1024]
    assert len(report["rates"]) == 2
    assert len(report["checks"]) == 4
    assert "1023" in capsys.readouterr().out


def test_a_setup_row_has_calls_per_second():
    row = bench_condis.result({"part": "setup", "call_manager": "stand-alone"}, said({"part": "setup"}))
    assert row["setup_ns"] == {"min": 29_000, "median": 31_000, "max": 41_000}
    assert row["setups_per_simulated_s"] == round(3e9 / 101_000)
    assert (row["setups_per_wall_s"], row["setups_per_cpu_s"]) == (0.5, 1.0)


def test_a_throughput_row_has_times_per_frame_and_the_ratio():
    row = bench_condis.result({"part": "throughput", "size": 64, "frames": 1000}, said({"part": "throughput"}))
    assert row["vc"] == {"simulated_ns_per_frame": 1010.0, "us_wall_per_frame": 2000.0, "us_cpu_per_frame": 1000.0}
    assert row["ratio"] == 0.9901


# --- the judge --------------------------------------------------------------------------------------------------------


def of(part, **where):
    return lambda row: row["part"] == part and all(row[key] == value for key, value in where.items())


@pytest.mark.parametrize(
    ("matches", "change", "check"),
    [
        (of("throughput", size=1500), {"vc": took(1_112_000)}, "a VC is at most 10 % slower"),
        (of("growth", vcs=1023), {"all": took(938 * 1023)}, "a frame costs at most 1.1 times"),
        (of("growth", vcs=8), {"one": took(934 * 500)}, "a frame costs at most 1.1 times"),
        (of("contract"), {"rates": [rate(), rate(0.98)]}, "within 1 %"),
        (of("contract"), {"rates": [rate(), rate(1.02)]}, "within 1 %"),
        (of("contract"), {"rates": [rate(), rate(frames=0)]}, "within 1 %"),
    ],
)
def test_a_target_that_is_missed_fails(sessions, tmp_path, capsys, matches, change, check):
    sessions[1].append(lambda row, line: line.update(change) if matches(row) else None)
    code, report = run(tmp_path)
    (missed,) = [name for name, fine in report["checks"].items() if not fine]
    assert (code, report["passed"]) == (Exit.FAILED, False)
    assert check in missed
    assert f"NO   {missed}" in capsys.readouterr().out


def test_what_stays_within_the_targets_passes(sessions, tmp_path):
    def limit(row, line):
        line.update({
            "setup": {},
            "throughput": {"vc": took(1_110_000)},
            "growth": {"one": took((932 if row.get("vcs", 1) > 1 else 848) * row.get("frames", 1))},
            "contract": {"rates": [rate(1.0099), rate(0.9901)]},
        }[row["part"]])  # fmt: skip

    sessions[1].append(limit)
    assert run(tmp_path)[0] == Exit.PASSED


def test_a_session_that_breaks_fails_and_leaves_what_was_measured(sessions, tmp_path, monkeypatch, capsys):
    inner = bench_condis.run_session

    def run_session(session, on_line):
        if session.vcs == 1024:
            on_line({"row": 0, **said({"part": "growth", "frames": 500})})
            raise SessionFailed("RING-08 card 0", tmp_path / "sim.log")
        inner(session, on_line)

    monkeypatch.setattr(bench_condis, "run_session", run_session)
    code, report = run(tmp_path)
    assert (code, report["checks"]["every part ran to its end"]) == (Exit.FAILED, False)
    assert "RING-08 card 0" in capsys.readouterr().out
    assert [row["vcs"] for row in report["rows"] if row["part"] == "growth"] == [1]


def test_a_session_that_says_too_little_fails(sessions, tmp_path, monkeypatch):
    monkeypatch.setattr(bench_condis, "run_session", lambda *_: None)
    code, report = run(tmp_path)
    assert (code, report["rows"]) == (Exit.FAILED, [])


# --- the command ------------------------------------------------------------------------------------------------------


def test_an_sdu_that_no_frame_carries_is_a_usage_error(monkeypatch):
    monkeypatch.setattr(bench_condis, "prepare", lambda *_: pytest.fail("something ran"))
    with pytest.raises(Stop, match="longest SDU has 1500") as stop:
        bench_condis.run(**OPTIONS | {"sizes": [64, 1501]}, seed=None, json=None)
    assert stop.value.code == Exit.USAGE


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["condis", "--window", "8"], "--window"),
        (["condis", "--dir", "tx"], "--dir"),
        (["nic", "--vcs", "8"], "--vcs"),
        (["nic", "--size", "13"], "at least 14"),
        (["ndis", "--sim", "icarus"], "--sim"),
        (["condis", "--vcs", "1024"], "1023"),
    ],
)
def test_an_option_of_another_bench_is_a_usage_error(monkeypatch, arguments, word):
    monkeypatch.setattr(cli, "_run", lambda *_, **__: pytest.fail("something ran"))
    done = CliRunner().invoke(cli.app, ["bench", *arguments])
    assert done.exit_code == Exit.USAGE
    assert word in done.output.replace("\n", " ")

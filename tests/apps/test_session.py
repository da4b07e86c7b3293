# SPDX-License-Identifier: Apache-2.0
"""A session's lines arrive whole and in order, and a bad end is never taken for a good one."""

from types import SimpleNamespace

import pytest

from hilnic.apps import session
from hilnic.apps.session import Session, SessionFailed

GOOD = '<testsuites><testsuite><testcase name="rows"/></testsuite></testsuites>'
BAD = (
    '<testsuites><testsuite><testcase name="rows"><failure error_type="Miscompare" '
    'error_msg="received frame 3 is not what was sent"/></testcase></testsuite></testsuites>'
)


def test_what_is_said_is_heard_in_order(tmp_path, monkeypatch):
    heard = []
    monkeypatch.setenv(session._LINES, str(tmp_path / "lines"))
    with session._following(tmp_path / "lines", heard.append):
        for row in range(3):
            session.say(row=row)
    assert heard == [{"row": 0}, {"row": 1}, {"row": 2}]


def test_half_a_line_waits_for_its_end(tmp_path):
    path, heard = tmp_path / "lines", []
    path.write_text('{"row": 1}\n{"ro', encoding="utf-8")
    position = session._read_on(path, 0, heard.append)
    path.write_text('{"row": 1}\n{"row": 2}\n', encoding="utf-8")
    session._read_on(path, position, heard.append)
    assert heard == [{"row": 1}, {"row": 2}]


def test_the_job_comes_in_as_it_was_given(tmp_path, monkeypatch):
    (tmp_path / "job.json").write_text('{"file": "x", "seed": 3}', encoding="utf-8")
    monkeypatch.setenv(session._JOB, str(tmp_path / "job.json"))
    assert session.job() == {"file": "x", "seed": 3}


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        ({}, ()),
        ({"ends": "cocotbext", "cards": 2}, (("Ends", 1), ("NumCards", 2))),
        ({"cards": 2, "vcs": 64}, (("NumCards", 2), ("NumRxQueues", 65), ("NumTxQueues", 65), ("NumVcs", 64))),
    ],
)
def test_the_bench_has_what_the_session_wants_in_the_catalogues_order(monkeypatch, options, parameters):
    monkeypatch.setattr(session.runner, "build", lambda design: design)
    assert session.prepare("icarus", **options).parameters == parameters


def judged(tmp_path, results, *, timed_out=False):
    run = SimpleNamespace(results=tmp_path / "results.xml")
    log = tmp_path / "sim.log"
    log.write_text("", encoding="utf-8")
    if results is not None:
        run.results.write_text(results, encoding="utf-8")
    finished = SimpleNamespace(timed_out=timed_out, exit_code=0, log=log)
    session._judge(Session("bench_session", "icarus", "bench", {}), run, finished)


def test_a_session_that_passed_passes(tmp_path):
    judged(tmp_path, GOOD)


@pytest.mark.parametrize(
    ("results", "timed_out", "why"),
    [
        (BAD, False, "received frame 3 is not what was sent"),
        (None, False, "before its session"),
        (GOOD, True, "no end within"),
    ],
)
def test_every_bad_end_is_told_with_the_log(tmp_path, results, timed_out, why):
    with pytest.raises(SessionFailed, match=why) as failed:
        judged(tmp_path, results, timed_out=timed_out)
    assert "sim.log" in str(failed.value)


def test_this_process_occupies_memory():
    assert session.resident_bytes() > 1 << 20

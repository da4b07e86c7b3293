# SPDX-License-Identifier: Apache-2.0
"""hilnic dump: what an NDIS host looks like, from a file, a folder, the latest failure, or a process that runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from hilnic import ndis
from hilnic.apps import dump
from hilnic.apps.outcome import Exit, Stop
from hilnic.ndis import Oid
from hilnic.ndis.ndis import Ndis
from hilnic.ndis.verifier.dump import snapshot
from hilnic.testing import NdisBench, run_record
from hilnic.testing.run_record import DUMP, PROCESS, RunRecord


@pytest.fixture
def busy() -> NdisBench:
    """A host with a send, a receive and two OID requests under way, and a violation on record."""
    bench = NdisBench(seed=7)
    bench.fp.hold = bench.fm.hold_oids = True
    bench.fp.send(bench.frame())
    bench.kernel.run_for(3000)
    bench.fm.indicate(bench.frame())
    for oid in (Oid.OID_GEN_VENDOR_DESCRIPTION, Oid.OID_GEN_STATISTICS):
        bench.kernel.start(bench.fp.request(ndis.query(oid, 64)))
    bench.kernel.run_for(500)
    with bench.ndis.report.collect():
        ndis.send_net_buffer_lists(bench.fp.open, None)
    return bench


def left(folder: Path, bench: NdisBench) -> Path:
    """The dump as a failed test leaves it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DUMP).write_text(json.dumps({"instances": [snapshot(bench.ndis, "it failed")]}))
    return folder / DUMP


def test_a_snapshot_knows_owner_age_and_history(busy: NdisBench) -> None:
    found = snapshot(busy.ndis, "asked for")
    (adapter,) = found["adapters"]
    assert (found["schema"], found["time_ns"], found["seed"]) == ("hilnic.dump/1", 3500, 7)
    assert (adapter["state"], adapter["sends_outstanding"], adapter["receives_outstanding"]) == ("Running", 1, 1)
    assert [(row["state"], row["owner"], row["age_ns"]) for row in found["pending"]] == [
        ("sent", "Adapter(fm, Running)", 3500),
        ("indicated", "Binding(fp0->fm, Running)", 500),
    ]
    assert [verb for _, verb, _ in found["pending"][0]["history"]] == ["allocated by", "sent by"]
    assert [(row["with"], row["sender"], row["age_ns"]) for row in adapter["oids"]] == [
        ("Adapter(fm, Running)", "fp0->fm", 500),
        ("NDIS, in line", "fp0->fm", 500),
    ]
    assert "S6-21" in found["violations"][0]


def test_what_is_at_home_is_not_pending(busy: NdisBench) -> None:
    busy.fm.complete_all()
    busy.fp.give_back()
    assert snapshot(busy.ndis, "")["pending"] == []


def test_a_dump_prints_from_its_file_and_from_its_folder(
    tmp_path: Path, busy: NdisBench, capsys: pytest.CaptureFixture[str]
) -> None:
    file = left(tmp_path / "stack.test", busy)
    assert dump.run(path=file) == dump.run(path=file.parent) == Exit.PASSED
    out = capsys.readouterr().out
    for word in ("adapter fm of fm: Running", "fp0->fm", "NBL#1", "sent by", "OID_GEN_STATISTICS", "S6-21", "3.5 us"):
        assert word in out, word


def test_without_a_path_the_latest_dump_is_printed(
    tmp_path: Path, busy: NdisBench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HILNIC_BUILD", str(tmp_path))
    with pytest.raises(Stop, match="no test has failed"):
        dump.run()
    old, new = left(tmp_path / "icarus" / "old", busy), left(tmp_path / "verilator" / "new", busy)
    os.utime(old, (1, 1))
    assert dump.run() == Exit.PASSED
    assert str(new.parent.name) in capsys.readouterr().out.replace("\n", "")


@pytest.mark.parametrize("text", ["", "[]", '{"schema": 1}'])
def test_what_is_no_dump_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "file").write_text(text)
    with pytest.raises(Stop, match="is no dump"):
        dump.run(path=tmp_path / "file")


def test_a_folder_without_a_dump_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Stop, match="nothing failed there"):
        dump.run(path=tmp_path)


def test_json_gives_the_dump_itself(tmp_path: Path, busy: NdisBench) -> None:
    assert dump.run(path=left(tmp_path / "a", busy), json=tmp_path / "out.json") == Exit.PASSED
    assert json.loads((tmp_path / "out.json").read_text())["instances"][0]["reason"] == "it failed"


def test_a_failed_test_leaves_a_dump_of_its_own_hosts_only(tmp_path: Path) -> None:
    before, record = Ndis.created, RunRecord("host")
    try:
        record.start()
        NdisBench()
        record.begin_test()
        NdisBench(protocols=2)
        record.dump(tmp_path / DUMP, "it failed")
    finally:
        record.stop()
        Ndis.created = before
    (instance,) = json.loads((tmp_path / DUMP).read_text())["instances"]
    assert len(instance["protocols"]) == 2


def test_a_running_simulation_is_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = """
        import time
        from hilnic.testing import NdisBench, run_record
        run_record.of_simulation()
        bench = NdisBench()
        bench.fp.send(bench.frame())
        while True:
            time.sleep(0.01)
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], cwd=tmp_path)
    try:
        while not (tmp_path / PROCESS).exists():
            time.sleep(0.01)
        time.sleep(0.2)
        assert run_record.is_running(tmp_path / PROCESS)
        assert dump.run(path=tmp_path) == Exit.PASSED
    finally:
        process.kill()
        process.wait()
    assert "asked for" in capsys.readouterr().out
    assert not run_record.is_running(tmp_path / PROCESS)


def test_what_a_killed_simulation_left_is_nobodys_process_number(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as stranger:  # SIGUSR1 would end it
        (tmp_path / PROCESS).write_text(f"{stranger.pid}\n", encoding="ascii")
        with pytest.raises(Stop, match="no simulation runs"):
            dump.run(path=tmp_path)
        assert stranger.poll() is None
        stranger.kill()
        assert stranger.wait() == -signal.SIGKILL


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):  # hilnic.cli says which
        dump.run(path=tmp_path / "none")


def test_a_simulation_that_ends_unfinished_leaves_a_dump(tmp_path: Path) -> None:
    script = "from hilnic.testing import NdisBench, run_record; run_record.of_simulation(); b = NdisBench()"
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)
    (instance,) = json.loads((tmp_path / DUMP).read_text())["instances"]
    assert instance["reason"] == "the test ended with adapters still there"
    assert not (tmp_path / PROCESS).exists()
    script = script.replace("b = NdisBench()", "NdisBench().stop()")
    (tmp_path / DUMP).unlink()
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)
    assert not (tmp_path / DUMP).exists()

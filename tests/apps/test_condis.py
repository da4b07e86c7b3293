# SPDX-License-Identifier: Apache-2.0
"""`hilnic condis` without a simulator: what is refused before it runs, how a contract is measured, what is said."""

import json
import os
import re

import pytest

from hilnic.apps import condis
from hilnic.apps.contract_rate import RateMeter
from hilnic.apps.outcome import Exit, Stop
from hilnic.apps.session import SessionFailed
from hilnic.hw.trace_rows import CallRow, EventRow

RATE, BURST = 12_500_000, 6088
CONTRACT = {"rate": RATE, "burst": BURST, "max_sdu": 1500, "peak": None, "service": "GUARANTEED"}
AGREED = {**CONTRACT, "vc": "nic0.vc2", "vlan": 16}
MEASURED = {
    "frames": 200,
    "octets": 300_000,
    "average": 12.6e6,
    "sustained": 12.49e6,
    "sustained_frames": 195,
    "most_at_once": 6087,
}
LINES = [
    {"negotiated": AGREED},
    {"progress": 0.5},
    {"size": 9, "received": 9, "refused_sdus": 0, "sdus": 1, "wanted": "ab", "sha256": "ab", "rate": MEASURED},
    {"simulated_ns": 24_000_000, "wall_s": 30.0},
    {"states": [[143_000, "call", "nic0.vc2", "Making"], [184_000, "call", "nic0.vc2", "Connected"]]},
]
OPTIONS = {"rate": None, "burst": None, "peak": None, "cm": "stand-alone", "version": "6"}
NO_OPTIONS = {"sim": None, "waves": False, "seed": None, "json": None}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "song"
    path.write_bytes(b"some song")
    return path


@pytest.fixture
def simulated(monkeypatch):
    """The sessions that were run; what `lines` holds is what they say."""
    sessions, lines = [], list(LINES)

    def run_session(session, on_line):
        sessions.append(session)
        trace = session.folder / "stream" / "trace.jsonl"
        trace.parent.mkdir(parents=True, exist_ok=True)
        trace.write_text('{"t":1000,"kind":"call.state","call":"nic0.vc2","state":"Making"}\n')
        for line in lines:
            on_line(dict(line))

    monkeypatch.setattr(condis, "prepare", lambda *_: None)
    monkeypatch.setattr(condis, "run_session", run_session)
    return sessions, lines


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"rate": "fast"}, "--rate fast: no rate; give bits per second"),
        ({"rate": "-5M"}, "--rate -5M: no rate"),
        ({"rate": "99k"}, "--rate 99k: at least 100k"),
        ({"rate": "100M", "peak": "99M"}, "--peak 99M: below the rate"),
        ({"peak": "1T"}, "--peak 1T: no rate"),
        ({"burst": 0}, "--burst 0: the bucket has to hold a frame of 1522 octets"),
        ({"burst": 1521}, "--burst 1521: the bucket has to hold a frame of 1522 octets"),
        ({"burst": 0}, "--burst 0: the bucket has to hold"),
        ({"rate": "35G"}, "--rate 35G: a FLOWSPEC holds at most 34359738352"),
        ({"burst": 1 << 24}, "--burst 16777216: the NIC's bucket holds at most 16777215"),
        ({"peak": "35G"}, "--peak 35G: a FLOWSPEC holds at most 34359738352"),
    ],
)
def test_a_contract_that_cannot_be_is_a_usage_error(file, monkeypatch, options, why):
    monkeypatch.setattr(condis, "prepare", lambda *_: pytest.fail("something ran"))
    with pytest.raises(Stop, match=why) as stop:
        condis.run(file=file, **OPTIONS | options, **NO_OPTIONS)
    assert stop.value.code == Exit.USAGE


@pytest.mark.parametrize(("name", "why"), [("nothing", "No such file"), (".", "Is a directory"), ("empty", "empty")])
def test_a_file_that_cannot_be_sent_is_a_usage_error(tmp_path, monkeypatch, name, why):
    monkeypatch.setattr(condis, "prepare", lambda *_: pytest.fail("something ran"))
    (tmp_path / "empty").touch()
    with pytest.raises(Stop, match=why) as stop:
        condis.run(file=tmp_path / name, **OPTIONS, **NO_OPTIONS)
    assert stop.value.code == Exit.USAGE


@pytest.mark.parametrize("name", ["/dev/zero", "pipe"])
def test_what_has_no_size_is_a_usage_error(tmp_path, monkeypatch, name):
    monkeypatch.setattr(condis, "prepare", lambda *_: pytest.fail("something ran"))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Stop, match="no regular file") as stop:
        condis.run(file=tmp_path / name, **OPTIONS, **NO_OPTIONS)
    assert stop.value.code == Exit.USAGE


@pytest.mark.parametrize(
    ("measured", "said"),
    [
        ({"frames": 1, "sustained": 0, "average": 0}, "none: it takes two frames"),
        ({"frames": 3, "sustained": 0}, "100.800 Mbit/s over all; the bucket was never used up"),
        (
            {"sustained_frames": 99},
            r"99.920 Mbit/s \(99.92 % of the contract\) .* not judged with fewer than 100 frames",
        ),
        ({}, r"99.920 Mbit/s \(99.92 % of the contract\) after the first burst, 100.800 Mbit/s over all$"),
    ],
)
def test_a_rate_that_the_file_is_too_short_to_tell_is_not_told(measured, said):
    assert re.match(said, condis._rate(AGREED, MEASURED | measured))


@pytest.mark.parametrize("name", ["[red]x", "a[/bold]b", "große datei ü"])
def test_a_file_may_be_called_as_it_likes(tmp_path, simulated, monkeypatch, capsys, name):
    file = tmp_path / name  # a folder "a[" is one, too
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"some song")
    monkeypatch.setenv("COLUMNS", "300")
    assert condis.run(file=file, **OPTIONS, **NO_OPTIONS) == Exit.PASSED
    assert f"{name}: client of NDIS 6" in capsys.readouterr().out


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (119, "119 s"), (120, "2 min"), (36_000, "10 h")])
def test_what_is_left_is_said_in_a_fitting_unit(seconds, text):
    assert condis._duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "value"), [("1000000", 10**6), ("250M", 250 * 10**6), ("1.5G", 1.5 * 10**9), ("64k", 64_000)]
)
def test_a_rate_may_have_a_scale(text, value):
    assert condis.bits("--rate", text) == value


# --- what is run and said ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cm", "version", "miniport"),
    [
        ("stand-alone", "6", "6-co"),
        ("stand-alone", "5", "5-co"),
        ("integrated", "6", "6-mcm"),
        ("integrated", "5", "5-mcm"),
    ],
)
def test_call_manager_and_version_choose_the_drivers(file, simulated, cm, version, miniport):
    assert condis.run(file=file, **OPTIONS | {"cm": cm, "version": version}, **NO_OPTIONS) == Exit.PASSED
    (session,) = simulated[0]
    assert (session.job["miniport"], session.job["client"], session.cards) == (miniport, version, 2)
    assert (session.job["rate"], session.job["burst"], session.job["peak"]) == (12_500_000, 6088, None)


def test_the_summary_says_contract_rate_file_and_states(file, simulated, capsys):
    condis.run(file=file, **OPTIONS, **NO_OPTIONS)
    said = capsys.readouterr().out
    for part in (
        "100.000 Mbit/s, burst 6088 octets, SDUs of 1500 bytes, GUARANTEED, VLAN 16",
        "99.920 Mbit/s (99.92 % of the contract) after the first burst",
        "6087 of 6088 octets at once",
        "9 of 9 bytes, SHA-256 ab",
        "call nic0.vc2 Connected",
        "/stream/states.gtkw",
        "PASSED",
    ):
        assert part in said


def test_json_has_everything(file, simulated, tmp_path):
    report = tmp_path / "report.json"
    condis.run(file=file, **OPTIONS, **NO_OPTIONS | {"json": report})
    found = json.loads(report.read_text())
    assert (found["schema"], found["passed"]) == ("hilnic.condis/1", True)
    assert (found["negotiated"], found["measured"]) == (AGREED, MEASURED)
    assert found["rates"] == [{"vc": "nic0.vc2", "contract": RATE, "measured": 12.49e6, "frames": 195}]
    assert [path.rpartition("/")[2] for path in found["pcap"]] == ["wire0.pcapng", "wire1.pcapng"]


@pytest.mark.parametrize(
    ("line", "changed", "check"),
    [
        (2, {"sha256": "cd"}, "the file is the same"),
        (2, {"received": 8}, "the file is the same"),
        (2, {"rate": MEASURED | {"most_at_once": 7611}}, "never more at once than the bucket and a frame"),
        (2, {"rate": MEASURED | {"sustained": 12.3e6}}, "the rate is the contract's within 1 %"),
        (2, {"rate": MEASURED | {"sustained": 12.7e6}}, "the rate is the contract's within 1 %"),
    ],
)
def test_a_promise_that_is_not_kept_fails(file, simulated, capsys, line, changed, check):
    simulated[1][line] = simulated[1][line] | changed
    assert condis.run(file=file, **OPTIONS, **NO_OPTIONS) == Exit.FAILED
    assert f"NO   {check}" in capsys.readouterr().out


def test_the_rate_of_a_short_file_is_not_judged(file, simulated):
    simulated[1][2] = simulated[1][2] | {"rate": MEASURED | {"sustained_frames": 99, "sustained": 1.0}}
    assert condis.run(file=file, **OPTIONS, **NO_OPTIONS) == Exit.PASSED


def test_a_refused_call_fails_with_its_status(file, simulated, capsys):
    simulated[1][:3] = [{"refused": "CELLRATE_NOT_AVAILABLE"}]
    assert condis.run(file=file, **OPTIONS, **NO_OPTIONS) == Exit.FAILED
    assert "CELLRATE_NOT_AVAILABLE" in capsys.readouterr().out


def test_a_simulation_that_ends_badly_fails_with_its_log(file, simulated, monkeypatch, tmp_path):
    def fail(_session, _on_line):
        raise SessionFailed("a hang", tmp_path / "sim.log")

    monkeypatch.setattr(condis, "run_session", fail)
    with pytest.raises(Stop, match="a hang") as stop:
        condis.run(file=file, **OPTIONS, **NO_OPTIONS)
    assert stop.value.code == Exit.FAILED


# --- how a contract is measured ---------------------------------------------------------------------------------------


def metered(times, octets=1000, rate=1_000_000, burst=3000):
    meter = RateMeter(rate, burst)
    for time_ns in times:
        meter.add(time_ns, octets)
    return meter.result()


def test_frames_at_the_contracts_rate_use_one_frame_of_the_bucket():
    found = metered(range(5000, 50_000_000, 1_000_000))
    assert (found.frames, found.octets, found.most_at_once) == (50, 50_000, 1000)
    assert (found.average, found.sustained, found.sustained_frames) == (1_000_000, 0.0, 0)


def test_a_burst_is_in_the_average_and_not_in_the_sustained_rate():
    found = metered([0, 0, 0, *range(1_000_000, 21_000_000, 1_000_000)])
    assert (found.most_at_once, found.sustained_frames) == (3000, 20)
    assert found.sustained == 1_000_000
    assert found.average == pytest.approx(1_100_000)


def test_a_burst_at_nearly_the_contracts_rate_is_long():
    """Frames each 0.8 ms against one per ms: the bucket of three is full after eleven."""
    found = metered([*range(0, 8_000_001, 800_000), *range(9_000_000, 30_000_000, 1_000_000)])
    assert found.most_at_once == 3000
    assert found.sustained == 1_000_000


def test_a_frame_too_many_at_once_is_seen_wherever_it_is():
    assert metered([*range(0, 30_000_000, 1_000_000), *[29_000_000] * 3]).most_at_once == 4000


@pytest.mark.parametrize("times", [[], [7]])
def test_one_frame_has_no_rate(times):
    found = metered(times)
    assert (found.frames, found.average, found.sustained) == (len(times), 0.0, 0.0)


# --- the row of the waveform ------------------------------------------------------------------------------------------


class Signal:
    value = 0

    @property
    def text(self):
        return self.value.to_bytes(128, "big").strip(b"\0").decode()


def test_the_waveform_shows_calls_and_vcs_the_latest_first():
    row = CallRow(signal := Signal())
    for kind, name, state in [
        ("vc", "nic0.vc1", "Active"), ("call", "nic0.vc2", "Making"), ("vc", "nic0.vc2", "Active"),
        ("call", "nic0.vc2", "Connected"),
    ]:  # fmt: skip
        row.show(0, f"{kind}.state", {kind: name, "state": state})
    row.show(0, "sap.state", {"sap": "s", "state": "Registered"})
    row.show(0, "nbl.send", {"frame": 1})
    assert signal.text == "nic0.vc2 call Connected vc Active | nic0.vc1 vc Active"


def test_a_deleted_vc_leaves_the_row_with_the_next_event():
    row = CallRow(signal := Signal())
    row.show(0, "vc.state", {"vc": "a", "state": "Deleted"})
    assert signal.text == "a vc Deleted"
    row.show(0, "vc.state", {"vc": "b", "state": "Active"})
    assert signal.text == "b vc Active"


def test_the_row_is_cut_at_128_characters():
    row = CallRow(signal := Signal())
    for number in range(9):
        row.show(0, "vc.state", {"vc": f"nic0.vc{number}", "state": "Deactivating"})
    assert signal.text == " | ".join(f"nic0.vc{number} vc Deactivating" for number in range(8, 3, -1))[:128]
    assert len(signal.text) == 128


def test_the_waveform_shows_dpcs_and_frames_the_latest_last():
    row = EventRow(signal := Signal(), iter([10, 10, 10, 20]).__next__)
    row.show(10, "dpc", {"number": 1})
    row.show(10, "oid", {"oid": "OID_GEN_LINK_STATE"})
    row.show(10, "nbl.send", {"frame": 1, "nbl": 7, "bytes": 60})
    row.show(10, "tx.doorbell", {"queue": 0, "producer": 1})
    assert signal.text == "dpc | nbl.send frame=1 bytes=60 | tx.doorbell queue=0 producer=1"
    row.show(20, "dpc", {"number": 2})
    assert signal.text == "dpc"

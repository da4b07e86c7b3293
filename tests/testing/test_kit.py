# SPDX-License-Identifier: Apache-2.0
"""What the functional drivers of both versions can be told: patterns, out-of-band data, calls in parts, cancel."""

from __future__ import annotations

import json

import pytest

from hilnic.apps.ndistest_beds import default_register, twin_bed
from hilnic.ndis import NblInfo, NdisStatus, ReceiveFlags
from hilnic.ndis.ndis5 import PacketInfo
from hilnic.testing import NdisBench
from hilnic.testing.bench5 import Bench5
from hilnic.testing.pytest_plugin import ndis5_bench, ndis_bench, ndistest

__all__ = ["ndis5_bench", "ndis_bench", "ndistest"]


def test_a_pattern_picks_what_is_captured(ndis_bench):
    bench = ndis_bench()
    bench.fm.capture(14, (1).to_bytes(4, "big"))
    _, second, _ = bench.fp.send(*bench.frames(3))
    assert bench.fm.captured == [second]
    bench.fm.complete(second, status=NdisStatus.FAILURE)
    assert [status for nbl, status in bench.fp.completed if nbl is second] == [NdisStatus.FAILURE]


@pytest.mark.parametrize("serialized", [True, False])
def test_a_pattern_picks_packets_too(ndis5_bench, serialized):
    bench = ndis5_bench(serialized=serialized)
    bench.fm.capture(14, (1).to_bytes(4, "big"))
    _, second, _ = bench.fp.send_array(*bench.frames(3))
    assert bench.fm.captured == [second]
    bench.fm.complete(second, status=NdisStatus.FAILURE)
    assert [status for packet, status in bench.fp.completed if packet is second] == [NdisStatus.FAILURE]


def test_receives_come_in_parts_with_their_out_of_band_data(ndis_bench):
    bench = ndis_bench()
    bench.fp.hold = True
    nbls = bench.fm.indicate(*bench.frames(5), info={NblInfo.IEEE_8021Q: 3}, parts=[1, 3])
    assert len(bench.fp.receive_flags) == 3
    assert [nbl.net_buffer_list_info[NblInfo.IEEE_8021Q] for nbl in bench.fp.held] == [3] * 5
    assert bench.fp.held == nbls
    bench.fp.give_back()


def test_a_card_that_is_short_lends_part_of_its_frames(ndis_bench):
    bench = ndis_bench()
    bench.fp.hold = True
    kept = bench.fm.indicate(*bench.frames(2))
    bench.fm.indicate(*bench.frames(2), flags=ReceiveFlags.RESOURCES)
    assert bench.fp.held == kept
    assert len(bench.fp.received) == 4
    bench.fp.give_back()


def test_packets_come_in_parts_with_their_out_of_band_data(ndis5_bench):
    bench = ndis5_bench(handlers=["packet"], serialized=False)
    bench.fp.references = 1
    bench.fm.indicate(*[bench.frame(n) for n in range(3)], info={PacketInfo.IEEE_8021Q: 5}, time_received=9, parts=[2])
    assert [packet.packet_info[PacketInfo.IEEE_8021Q] for packet in bench.fp.held] == [5] * 3
    assert {packet.oob.time_received for packet in bench.fp.held} == {9}
    bench.fp.give_back()


def test_a_protocol_cancels_by_id(ndis_bench):
    bench = ndis_bench()
    bench.fp.send(bench.frame(0), info={NblInfo.IEEE_8021Q: 1})
    (cancelled,) = bench.fp.send(bench.frame(1), cancel_id=7)
    bench.fp.cancel(7)
    assert bench.fp.completed == [(cancelled, NdisStatus.SEND_ABORTED)]
    bench.fm.complete_all()


def test_an_ndis_5_protocol_cancels_by_id(ndis5_bench):
    bench = ndis5_bench()
    bench.fp.send_array(bench.frames(1)[0], info={PacketInfo.IEEE_8021Q: 1})
    (cancelled,) = bench.fp.send_array(bench.frames(1)[0], cancel_id=7)
    bench.fp.cancel(7)
    assert bench.fp.completed == [(cancelled, NdisStatus.REQUEST_ABORTED)]


def test_the_fixtures_report_what_was_left_behind(pytester_folder):
    outcome = pytester_folder(
        "def test_leaks(ndis_bench):\n    bench = ndis_bench()\n    bench.fp.build(bench.frame())\n"
    )
    assert "MD-21" in outcome


def test_the_ndistest_fixture_fails_with_sentences(pytester_folder):
    outcome = pytester_folder(
        "from hilnic.testing import FunctionalMiniport\n"
        "def test_silent(ndistest):\n"
        "    ndistest('1c', 'frame_lengths', lambda host, n: FunctionalMiniport(host).driver, rounds=1)\n"
    )
    assert "frames reach the wire: not within" in outcome


@pytest.fixture
def pytester_folder(tmp_path):
    """Runs a test module of a user's, with the plugin; what pytest says."""
    import subprocess
    import sys

    def run(text: str) -> str:
        (tmp_path / "test_mine.py").write_text('pytest_plugins = ["hilnic.testing.pytest_plugin"]\n' + text)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 1, done.stdout + done.stderr
        return done.stdout

    return run


def test_a_failed_test_leaves_a_dump_and_the_run_its_record(pytester_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HILNIC_BUILD", str(tmp_path / "out"))
    outcome = pytester_folder(
        "def test_sent_and_forgotten(ndis_bench):\n"
        "    bench = ndis_bench()\n"
        "    bench.fp.send(bench.frame())\n"
        "    bench.fm.complete(*bench.fm.captured, *bench.fm.captured)\n"
    )
    (dump,) = (tmp_path / "out").rglob("ndis.dump.json")
    assert f"hilnic dump {dump.parent}" in outcome
    record = json.loads((tmp_path / "out" / "ndis" / "host.json").read_text())
    assert record["calls"]["NdisSendNetBufferLists"] == 1
    assert sum(record["violated"].values()) == 1


def test_a_miniport_for_our_nic_is_played_on_its_twin(ndistest):
    ndistest("1c", "frame_lengths", default_register, bed=twin_bed, rounds=1)


def test_the_benches_are_those_of_the_kit(ndis_bench, ndis5_bench):
    assert isinstance(ndis_bench(), NdisBench)
    assert isinstance(ndis5_bench(), Bench5)

# SPDX-License-Identifier: Apache-2.0
"""`hilnic bench ndis`: what it plans, that every NBL arrives on every way, and what it makes of the figures."""

from itertools import product

import pytest

from hilnic.apps import bench_ndis
from hilnic.apps.bench_ndis import Row
from hilnic.testing.speed import Path, SpeedBench

PLAN = bench_ndis.plan()
WAYS = list(dict.fromkeys(row.path for row in PLAN))  # in order: xdist's workers collect alike


def test_every_axis_is_measured_with_every_mode_of_the_verifier():
    for direction, verify in product(("send", "receive"), ("off", "fast", "full")):
        mine = [way for way in WAYS if (way.direction, way.verify) == (direction, verify)]
        assert {way.filters for way in mine} == {0, 1, 4}
        assert {way.bindings for way in mine} == {1, 8}
        assert {way.batch for way in mine} >= {1, 1024}
        assert {(way.protocol, way.miniport) for way in mine} == {(5, 5), (5, 6), (6, 5), (6, 6)}


def test_memory_is_watched_over_a_million_nbls_each_way():
    assert [row.path.direction for row in PLAN if row.nbls >= 1_000_000] == ["send", "receive"]


@pytest.mark.parametrize("way", [way for way in WAYS if way.verify == "fast" and way.batch <= 64], ids=str)
def test_every_nbl_arrives_and_nothing_is_left_behind(way: Path):
    outstanding = 2 * (way.direction == "send")
    path = Path(way.direction, way.protocol, way.miniport, way.filters, way.bindings, 5, outstanding, fresh=way.fresh)
    line = bench_ndis.measure(Row(path, 50), slices=2)
    assert (line["frames"], line["lost"]) == (50, 0)
    assert line["us_per_nbl"] > 0


def test_a_lost_nbl_is_counted(monkeypatch):
    speed = SpeedBench(Path(batch=4))
    monkeypatch.setattr(bench_ndis, "SpeedBench", lambda _: speed)
    monkeypatch.setattr(type(speed), "seen", property(lambda bench: bench.miniport.seen * 3 // 4))
    assert bench_ndis.measure(Row(speed.path, 80), slices=2)["lost"] == 20


def line(mode="fast", us=1.0, frames=1000, **way):
    plain = {"filters": 0, "bindings": 1, "batch": 64, "outstanding": 0, "fresh": False, "protocol": 6, "miniport": 6}
    figures = {"us_per_nbl": us, "first_us_per_nbl": us, "last_us_per_nbl": us * 2}
    return {"dir": "send", **plain, **way, "verify": mode, "frames": frames, **figures}


def test_ratios_compare_the_modes_and_say_what_grows():
    rows = [line("off", 2.0), line("fast", 3.0), line("fast", 6.0, batch=1024), line(frames=1_000_000)]
    assert bench_ndis.ratios(rows) == {
        "fast/off send 6 on 6, batch 64": 1.5,
        "growth fast send 6 on 6, batch 1024": 2.0,
        "last/first fast send 1,000,000 NBLs": 2.0,
    }

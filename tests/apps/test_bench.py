# SPDX-License-Identifier: Apache-2.0
"""The bench: which rows it plans, what it makes of snapshots, and that its traffic, over the twin, finds faults."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from hilnic.apps import bench, latency
from hilnic.apps.latency import Spread
from hilnic.apps.traffic import Load, Miscompare, Snapshot, Traffic
from hilnic.hw.clock import VirtualClock
from hilnic.hw.memory import HostMemory
from hilnic.model.nic import ModelNic
from hilnic.stack import Stack
from hilnic.wire.link import echo

KEYS = {
    "bench", "sim", "ends", "size", "dir", "frames", "window", "fragments", "waves", "verify", "checkers", "wall_s",
    "frames_per_s", "cycles", "cycles_per_s", "line_rate_fraction", "latency_cycles", "rss_growth_bytes",
}  # fmt: skip


def plan(**given):
    empty = {axis: [] for axis in ("sims", "ends", "sizes", "dirs", "windows", "fragments")}
    return bench.plan(**{**empty, "frames": None, "verify": "fast", **given})


def test_the_default_set_measures_every_direction_on_both_simulators():
    rows = plan()
    for sim in ("icarus", "verilator"):
        assert {row.load.dir for row in rows if row.sim == sim} == {"tx", "rx", "both", "roundtrip"}
        assert {row.load.fragments for row in rows if row.sim == sim} == {1, 4}
        assert {row.load.size for row in rows if row.sim == sim} == {64, 512, 1518}


def test_line_rate_is_measured_over_ten_thousand_frames_and_a_thousand_on_icarus():
    for row in plan(ends=["hdl"]):
        if row.load.window == 64:
            assert row.load.frames >= {"icarus": 1_000, "verilator": 10_000}[row.sim]
            assert row.load.warm_up >= row.load.window


def test_memory_is_watched_over_a_hundred_thousand_frames():
    assert any(row.load.frames == 100_000 for row in plan())


def test_what_is_given_is_combined():
    rows = plan(sims=["icarus"], sizes=[64, 512], dirs=["tx", "rx"], fragments=[1, 4], frames=7)
    assert len(rows) == 8
    assert {row.load.frames for row in rows} == {7}
    assert {row.sim for row in rows} == {"icarus"}


def test_rows_share_a_process_but_for_those_with_cocotbexts_ends():
    rows = plan(sims=["verilator"], ends=["hdl", "cocotbext"], sizes=[64], fragments=[1, 4])
    assert [[(row.ends, row.load.fragments) for row in same] for same in bench.sessions(rows)] == [
        [("hdl", 1), ("hdl", 4)], [("cocotbext", 1)], [("cocotbext", 4)],
    ]  # fmt: skip


def test_one_simulator_and_one_kind_of_ends_select_from_the_default_set():
    rows = plan(sims=["verilator"], ends=["cocotbext"])
    assert {(row.sim, row.ends) for row in rows} == {("verilator", "cocotbext")}


def snapshot(frames, time_ns, wall_s):
    return Snapshot(
        wall_s, wall_s, time_ns, time_ns // 8, (frames, time_ns), (0, 0), 1000 + frames, (0,) * 12 + (frames,)
    )


def test_a_row_is_computed_from_two_snapshots():
    from dataclasses import asdict

    load = Load(64, "tx", 1000, 64)
    line = {"start": asdict(snapshot(0, 0, 1.0)), "end": asdict(snapshot(1000, 1_344_000, 3.0)), "drops": {}}
    line["latencies_ns"] = {"doorbell_to_preamble": [2400.0, 2408.0, 2480.0], "sfd_to_indication": []}
    row = bench.result(bench.Row("verilator", "hdl", load), line)
    assert set(row) >= KEYS
    assert (row["frames_per_s"], row["cycles_per_s"]) == (500.0, 84_000)
    assert row["line_rate_fraction"] == 0.5  # 672 ns are a frame's share of the wire, 1344 ns were used
    assert row["latency_cycles"]["doorbell_to_preamble"] == {"min": 300.0, "median": 301.0, "max": 310.0}
    assert row["latency_cycles"]["sfd_to_indication"] is None
    assert row["ifg_histogram"] == {"12": 1000}


def test_ratios_compare_like_with_like():
    def row(sim, ends, speed, frames=1000, size=64):
        cell = {"sim": sim, "ends": ends, "dir": "roundtrip", "size": size, "window": 64, "fragments": 1}
        return {**cell, "frames": frames, "frames_per_s": speed}

    rows = [row("icarus", "hdl", 200), row("verilator", "hdl", 3000), row("icarus", "cocotbext", 100)]
    rows += [row("verilator", "hdl", 9, size=512), row("verilator", "hdl", 1, frames=100_000)]
    load = "roundtrip 64 window 64 fragments 1"
    assert bench.ratios(rows) == {f"hdl/cocotbext icarus {load}": 2.0, f"verilator/icarus hdl {load}": 15.0}


def test_a_spread_is_in_cycles():
    assert Spread.of([8, 80, 16], 8) == Spread(1, 2, 10)
    assert Spread.of([], 8) is None


# --- the traffic ------------------------------------------------------------------------------------------------------


class Card:
    """A twin with its stack, the traffic on it and the snapshots of its wire."""

    def __init__(self, load, spoil=None):
        self.clock = VirtualClock()
        self.nic = ModelNic(self.clock, HostMemory(16 << 20))
        self.traffic = Traffic(load, seed=3)
        raw = self.traffic.protocol()
        self.stack = Stack(self.nic, self.clock, protocols=[raw])
        self.clock.run(self.stack.start())
        self.link = self.nic.wire
        if spoil is not None:
            send = self.nic.wire.send
            self.link = SimpleNamespace(send=lambda frame: send(spoil(frame)), connect=self.nic.wire.connect)
        self.traffic.attach(self.stack, raw, self.link, self.clock, self.snapshot)
        if load.dir == "roundtrip":
            echo(self.nic.wire)

    def snapshot(self):
        now = self.clock.now_ns()
        return Snapshot(now / 1e9, now / 1e9, now, now // 8, (0, now), (0, now))

    def run(self):
        return self.clock.run(self.traffic.run())

    def stop(self):
        self.clock.run(self.stack.stop())


@pytest.mark.parametrize("direction", ["tx", "rx", "both", "roundtrip"])
@pytest.mark.parametrize("fragments", [1, 4])
def test_traffic_of_every_direction_arrives_whole(direction, fragments):
    card = Card(Load(64, direction, 300, 16, fragments, warm_up=20))
    start, end = card.run()
    assert end.now_ns > start.now_ns
    assert card.clock.run(card.traffic.drops()) == {}
    card.stop()


def test_one_frame_at_a_time_is_possible():
    card = Card(Load(1518, "roundtrip", 5, 1, warm_up=1))
    card.run()
    card.stop()


def test_a_changed_octet_stops_the_bench():
    def spoil(frame):
        return replace(frame, data=frame.data[:-1] + bytes([frame.data[-1] ^ 1]))

    card = Card(Load(64, "rx", 20, 4, warm_up=1), spoil)
    with pytest.raises(Miscompare, match="received frame 0 is not what was sent"):
        card.run()


def test_a_frame_lost_on_the_wire_stops_the_bench():
    lost = []

    def spoil(frame):
        lost.append(frame)
        return replace(frame, fcs_ok=len(lost) != 30)

    card = Card(Load(64, "rx", 100, 4, warm_up=1), spoil)
    with pytest.raises(Miscompare):
        card.run()


def test_drops_of_the_nic_are_reported_by_name():
    card = Card(Load(64, "rx", 20, 4, warm_up=1))
    card.run()
    card.nic.wire.send(bytes(60))  # nobody's address
    card.clock.run_until(card.clock.now_ns() + 10_000)
    assert card.clock.run(card.traffic.drops()) == {"rx_drop_filtered": 1}
    card.stop()


@pytest.mark.parametrize("direction", ["tx", "roundtrip"])
def test_latency_is_taken_from_doorbell_to_preamble(direction):
    card = Card(Load(64, direction, 10, 2, warm_up=1))
    card.run()
    if direction == "roundtrip":
        connect = card.nic.wire.connect

        def both(receiver):
            def heard(frame):
                receiver(frame)
                card.nic.wire.send(frame)

            connect(heard)

        card.link = SimpleNamespace(connect=both)
    found = card.clock.run(latency.measure(card.traffic, card.link, 4, lambda: 0, card.clock.now_ns))
    assert len(found.doorbell_to_preamble) == 4
    assert all(0 < value < 10_000 for value in found.doorbell_to_preamble)
    assert len(found.sfd_to_indication) == (4 if direction == "roundtrip" else 0)
    assert "write32" not in vars(card.nic)  # the listener at the doorbell is gone
    card.stop()

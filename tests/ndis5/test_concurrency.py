# SPDX-License-Identifier: Apache-2.0
"""R5-31, CL-10: NDIS 5 on several CPUs, pre-empted at every NDIS call."""

from __future__ import annotations

import pytest

from hilnic.ndis import NdisStatus, ndis5
from hilnic.testing.bench5 import Bench5
from hilnic.testing.miniport5 import FunctionalMiniport5
from hilnic.testing.protocol5 import FunctionalProtocol5
from hilnic.testing.schedule import Scenario, exhaust, explore

SCHEDULES = 150


class AtOnce(FunctionalProtocol5):
    """Answers 2 for each packet, and its receive handler may be pre-empted while it works."""

    def receive_packet(self, packet):
        ndis5.query_packet(packet)
        self.received.append(packet.tobytes())
        self.held += [packet, packet]
        ndis5.query_packet(packet)
        return 2


def give_everything_back(b: Bench5, fp: FunctionalProtocol5) -> None:
    while fp.held:
        packet = fp.held.pop()
        ndis5.return_packets([packet], fp.open)


@pytest.mark.rule("R5-31", "R5-03", "R5-06")
@pytest.mark.parametrize("serialized", [True, False])
def test_receives_and_returns_on_several_cpus_balance_exactly(serialized):
    def build(seed: int) -> Scenario:
        b = Bench5(handlers=("packet", "packet"), protocol=AtOnce, serialized=serialized)

        def check() -> None:
            for fp in b.fps:
                give_everything_back(b, fp)
            b.run()
            assert len(b.fm.returned) == 4
            assert all(len(fp.received) == 4 for fp in b.fps)
            assert all(fp.open.core.idle() for fp in b.fps)
            assert b.ndis.report.violations == []

        routines = [
            lambda: b.fm.indicate_packets([b.fm.build(b.frame(n)) for n in (0, 1)]),
            lambda: b.fm.indicate_packets([b.fm.build(b.frame(n)) for n in (2, 3)]),
            lambda: [give_everything_back(b, fp) for fp in b.fps],
        ]
        return Scenario(b, routines[1:] if serialized else routines, check if not serialized else lambda: None)

    assert explore(build, SCHEDULES) is None


class Slow(FunctionalMiniport5):
    """Calls NDIS inside its handlers, so that it may be pre-empted there."""

    def enter(self, handler):
        super().enter(handler)
        ndis5.packet_pool_usage(self.pool)


@pytest.mark.rule("CL-10", "S5-03", "C5-03")
@pytest.mark.parametrize("style", ["packets", "send"])
def test_a_serialized_miniport_needs_no_locks(style):
    def build(seed: int) -> Scenario:
        b = Bench5(handlers=("packet", "packet"), miniport=Slow, style=style)
        b.fm.answer_with = NdisStatus.SUCCESS
        packets = {fp: [fp.build(frame) for frame in b.frames(2)] for fp in b.fps}

        def check() -> None:
            b.run()
            assert b.fm.overlaps == []
            assert len(b.fm.sent_frames) == 4
            assert all(len(fp.completed) == 2 for fp in b.fps)

        def send(fp: FunctionalProtocol5) -> None:
            ndis5.send_packets(fp.open, packets[fp])

        return Scenario(b, [lambda: send(b.fps[0]), lambda: send(b.fps[1])], check)

    assert explore(build, SCHEDULES) is None
    tried, failure = exhaust(build, preemptions=2)
    assert tried > 10
    assert failure is None


@pytest.mark.rule("CL-10")
def test_a_deserialized_miniport_does_overlap():
    def build(seed: int) -> Scenario:
        b = Bench5(handlers=("packet", "packet"), miniport=Slow, serialized=False)
        packets = {fp: [fp.build(frame) for frame in b.frames(1)] for fp in b.fps}

        def check() -> None:
            assert b.fm.overlaps == []

        routines = [lambda fp=fp: ndis5.send_packets(fp.open, packets[fp]) for fp in b.fps]
        return Scenario(b, routines, check)

    assert explore(build, SCHEDULES) is not None

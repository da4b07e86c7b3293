# SPDX-License-Identifier: Apache-2.0
"""Protocols of both versions on one adapter, random traffic: every frame to everybody, everything back exactly once."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilnic import ndis
from hilnic.ndis import NdisStatus, ReceiveFlags
from hilnic.testing import PEER, NdisBench
from hilnic.testing.frames import free_nbl
from hilnic.testing.packets import free_built_packet

BROADCAST = b"\xff" * 6
MINIPORTS = ["Miniport5", "SerializedMiniport5", "Jumbo"]


class Mixed(NdisBench):
    """Two 5.x protocols and two 6.x ones over one miniport."""

    def __init__(self, drivers, miniport: str, **options) -> None:
        super().__init__(protocols=0, miniport=getattr(drivers, miniport), **options)
        self.is_5 = miniport != "Jumbo"
        kinds = [drivers.Protocol5, drivers.Protocol6, drivers.LookaheadProtocol5, drivers.Protocol6]
        self.sent: list[list] = [[] for _ in kinds]
        for number, kind in enumerate(kinds):
            fp = kind(self.ndis, f"p{number}")
            self.run(fp.start())
            self.run(fp.listen())
            self.fps.append(fp)

    def send(self, which: int, count: int) -> None:
        frames = [self.frame(n, destination=PEER) for n in range(count)]
        fp = self.fps[which]
        self.sent[which] += fp.send_array(*frames) if which in {0, 2} else fp.send(*frames)

    def indicate(self, count: int, scarce: bool) -> list[bytes]:
        frames = [self.frame(n, destination=BROADCAST) for n in range(count)]
        if self.is_5:
            self.fm.indicate(*frames, status=NdisStatus.RESOURCES if scarce else NdisStatus.SUCCESS)
        else:
            self.fm.indicate(*frames, flags=int(ReceiveFlags.RESOURCES) * scarce)
        return frames

    def keep(self, yes: bool) -> None:
        for number, fp in enumerate(self.fps):
            if number in {0, 2}:
                fp.references = int(yes)
            else:
                fp.hold = yes

    def held(self) -> list[tuple[int, object]]:
        return [(number, each) for number, fp in enumerate(self.fps) for each in fp.held]


@pytest.mark.rule("XL-09", "XL-10", "R6-08", "R5-03", "XL-22")
@pytest.mark.parametrize("miniport", MINIPORTS)
def test_a_frame_for_all_is_home_after_the_last_of_all(drivers, miniport):
    b = Mixed(drivers, miniport)
    b.keep(True)
    (frame,) = b.indicate(1, scarce=False)
    assert [fp.received for fp in b.fps] == [[frame]] * 4
    assert [number for number, _ in b.held()] == [0, 1, 3]
    for number, each in b.held():
        assert b.fm.returned == []
        b.fps[number].give_back(each)
    assert len(b.fm.returned) == 1
    b.stop()


@pytest.mark.rule("XL-03", "XL-04", "XL-09", "XL-10", "XL-19", "XL-22")
@settings(max_examples=12)
@given(seed=st.integers(0, 2**32))
@pytest.mark.parametrize("miniport", MINIPORTS)
def test_random_traffic_of_both_versions_ends_exactly_once(drivers, miniport, seed):
    b, draw = Mixed(drivers, miniport), random.Random(seed)
    shown: list[bytes] = []
    for _ in range(40):
        action = draw.randrange(6)
        if action <= 1:
            b.send(draw.randrange(4), draw.randrange(1, 4))
        elif action == 2 and b.fm.captured:
            chosen = draw.sample(b.fm.captured, draw.randrange(1, len(b.fm.captured) + 1))
            b.fm.complete(*chosen, status=draw.choice((NdisStatus.SUCCESS, NdisStatus.FAILURE)))
        elif action == 3:
            b.keep(draw.randrange(2) == 0)
            shown += b.indicate(draw.randrange(1, 4), scarce=draw.randrange(3) == 0)
        elif action == 4 and b.held():
            for number, each in draw.sample(b.held(), draw.randrange(1, len(b.held()) + 1)):
                b.fps[number].give_back(each)
        elif action == 5:
            b.run()
    for number, each in b.held():
        b.fps[number].give_back(each)
    b.fm.complete_all()
    b.run()
    for number, fp in enumerate(b.fps):
        assert fp.received == shown
        assert Counter(id(each) for each, _ in fp.completed) == Counter(id(each) for each in b.sent[number])
    assert len(b.fm.returned) == len(shown)
    b.stop()


@pytest.mark.rule("XL-13", "ST-13", "ST-14", "C5-11")
@pytest.mark.parametrize("miniport", MINIPORTS)
def test_a_reset_ends_what_is_out_on_both_sides_and_traffic_goes_on(drivers, miniport):
    b = Mixed(drivers, miniport)
    b.send(0, 2)
    b.send(1, 2)
    b.run(ndis.reset_adapter(b.fm.adapter))
    for fp in b.fps[:2]:
        assert [status for _, status in fp.completed] == [NdisStatus.RESET_IN_PROGRESS] * 2
    b.send(0, 1)
    b.send(1, 1)
    b.fm.complete_all()
    assert [fp.completed[-1][1] for fp in b.fps[:2]] == [NdisStatus.SUCCESS] * 2
    b.stop()


@pytest.mark.rule("XL-13", "ST-17")
@pytest.mark.parametrize("miniport", MINIPORTS)
def test_a_removed_adapter_ends_everything_on_both_sides(drivers, miniport):
    b = Mixed(drivers, miniport)
    b.send(0, 2)
    b.send(1, 2)
    b.run(ndis.surprise_remove_adapter(b.fm.adapter))
    for number in (0, 1):
        assert len(b.fps[number].completed) == 2
        assert {status for _, status in b.fps[number].completed} == {NdisStatus.NOT_ACCEPTED}
    b.stop()


@pytest.mark.rule("ST-23", "XL-22")
@pytest.mark.parametrize("miniport", MINIPORTS)
def test_200_pauses_in_traffic_lose_nothing_that_was_accepted(drivers, miniport):
    b, draw = Mixed(drivers, miniport, completion="deferred"), random.Random(23)
    for _ in range(200):
        b.send(draw.randrange(4), draw.randrange(1, 3))
        if draw.randrange(2):
            b.run()
        b.run(ndis.pause_adapter(b.fm.adapter))
        b.run(ndis.restart_adapter(b.fm.adapter))
        for fp in b.fps:
            well = sum(status == NdisStatus.SUCCESS for _, status in fp.completed)
            assert well == len(fp.completed)
            b.sent[b.fps.index(fp)].clear()
            tidy(fp)
    b.stop()


def tidy(fp) -> None:
    """Free what has completed: the pools of the kit's protocols are small."""
    for each, _ in fp.completed:
        if isinstance(each, ndis.NetBufferList):
            free_nbl(each)
        else:
            free_built_packet(each)
    fp.completed.clear()

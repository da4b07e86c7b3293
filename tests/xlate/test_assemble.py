# SPDX-License-Identifier: Apache-2.0
"""A 5.x miniport that shows lookahead, under 6.x protocols: the frame is made whole."""

from __future__ import annotations

import pytest

from hilnic import ndis
from hilnic.ndis import NdisStatus
from hilnic.ndis.ndis5.buffers import scatter
from hilnic.ndis.xlate import assemble


class Card:
    """A frame in the card: header and lookahead are shown, the rest is transferred now or later."""

    def __init__(self, b, frame: bytes, lookahead: int, late: bool = False, fails: bool = False) -> None:
        self.b, self.frame, self.shown = b, frame, lookahead
        self.late, self.fails = late, fails
        self.asked: list[tuple[int, int]] = []
        self.pending = None

    def show(self) -> None:
        header, rest = bytearray(self.frame[:14]), bytearray(self.frame[14 : 14 + self.shown])
        size = len(self.frame) - 14
        receivers = self.b.fm.adapter.receivers
        assemble.lookahead_to_nbl(self.b.fm, receivers, memoryview(header), memoryview(rest), size, self.transfer)
        header[:], rest[:] = b"\xdd" * len(header), b"\xdd" * len(rest)

    def transfer(self, offset, number, packet):
        self.asked.append((offset, number))
        if self.fails:
            return NdisStatus.FAILURE, 0
        moved = scatter(packet, 0, self.frame[14 + offset : 14 + offset + number])
        if not self.late:
            return NdisStatus.SUCCESS, moved
        self.pending = packet
        return NdisStatus.PENDING, 0

    def finish(self) -> None:
        assemble.transfer_completed(self.b.fm, self.pending, NdisStatus.SUCCESS, self.pending.length())


@pytest.mark.rule("XL-15")
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("length", [14, 60, 142, 300, 1514])
@pytest.mark.parametrize("lookahead", [0, 64, 128, 1500])
def test_the_frame_is_whole_for_6(six_over_five, lookahead, length, late):
    b = six_over_five()
    card = Card(b, b.frame(size=max(length, 18))[:length], lookahead, late)
    card.show()
    if card.pending is not None:
        assert b.fp.received == []
        card.finish()
    assert b.fp.received == [card.frame]
    shown = min(lookahead, length - 14)
    assert card.asked == ([(shown, length - 14 - shown)] if shown < length - 14 else [])
    assert b.ndis.xlate_copies == length
    assert b.fm.xlate.live() == 0


def test_its_memory_is_free_when_the_last_protocol_has_returned_it(six_over_five):
    b = six_over_five(protocols=2)
    for fp in b.fps:
        fp.hold = True
    before = len(b.kernel.regions)
    frame = b.frame(size=300, destination=b"\xff" * 6)
    Card(b, frame, 64).show()
    assert len(b.kernel.regions) == before + 1
    for fp in b.fps:
        assert fp.received == [frame]
        fp.give_back()
    assert len(b.kernel.regions) == before


def test_a_frame_that_nobody_wants_is_not_transferred(six_over_five):
    b = six_over_five()
    card = Card(b, b.frame(size=300, destination=bytes.fromhex("02484e000077")), 64)
    card.show()
    assert (card.asked, b.ndis.xlate_copies) == ([], 0)


@pytest.mark.rule("XL-08")
@pytest.mark.parametrize("kth", range(3))
def test_a_frame_without_memory_is_dropped_and_counted(six_over_five, kth):
    b = six_over_five()
    asked = iter(range(100))
    b.fm.xlate.packets.fault = b.fm.xlate.lists.fault = lambda: next(asked) == kth
    before = len(b.kernel.regions)
    Card(b, b.frame(size=300), 64).show()
    assert (b.fp.received, b.fm.xlate.dropped, len(b.kernel.regions)) == ([], 1, before)


@pytest.mark.rule("XL-08")
def test_a_frame_without_a_region_is_dropped_and_counted(six_over_five):
    b = six_over_five()
    b.kernel.fail_allocations = 1
    Card(b, b.frame(size=300), 64).show()
    assert (b.fp.received, b.fm.xlate.dropped) == ([], 1)


def test_a_frame_that_the_card_cannot_give_is_dropped_and_counted(six_over_five):
    b = six_over_five()
    Card(b, b.frame(size=300), 64, fails=True).show()
    assert (b.fp.received, b.fm.xlate.dropped, b.fm.xlate.live()) == ([], 1, 0)


def test_a_halt_waits_for_a_frame_that_a_protocol_holds(six_over_five):
    b = six_over_five()
    b.fp.hold = True
    Card(b, b.frame(size=300), 64).show()
    assert b.fm.adapter.receives_outstanding == 1
    b.run(ndis.pause_adapter(b.fm.adapter))
    assert b.fm.adapter.receives_outstanding == 0

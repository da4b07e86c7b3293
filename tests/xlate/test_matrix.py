# SPDX-License-Identifier: Apache-2.0
"""The same claims in all four corners: {protocol 5, protocol 6} x {miniport 5, miniport 6}.

A corner hides what differs: `send(frames)` one packet or list per frame in one call, `finish(...)` of the miniport in
any order, `went_out` at the miniport, `ended` at the protocol as (number of the frame, went well).
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilnic import ndis
from hilnic.ndis import NdisStatus, ReceiveFlags
from hilnic.testing import PEER, FunctionalFilter, NdisBench

RESOURCES = int(ReceiveFlags.RESOURCES)


class Corner:
    """One protocol over one miniport, whatever their versions."""

    def __init__(self, drivers, protocol: int, miniport: str, **options) -> None:
        kinds = {
            "6": drivers.Jumbo,
            "5": drivers.Miniport5,
            "5 serialized": drivers.SerializedMiniport5,
        }
        self.protocol = protocol
        self.miniport = miniport
        kind = drivers.Protocol5 if protocol == 5 else drivers.Protocol6
        self.b = NdisBench(protocol=kind, miniport=kinds[miniport], **options)
        self.sent: list = []

    # Sends.

    def outgoing(self, count: int) -> list[bytes]:
        """Numbered frames to the peer, which nobody here sees again."""
        return [self.b.frame(number, destination=PEER) for number in range(count)]

    def send(self, *frames: bytes) -> None:
        send = self.b.fp.send_array if self.protocol == 5 else self.b.fp.send
        self.sent += send(*frames)

    def finish(self, *numbers: int, well: bool = True) -> None:
        status = NdisStatus.SUCCESS if well else NdisStatus.FAILURE
        chosen = [self.b.fm.captured[number] for number in numbers]
        for each in chosen:
            self.b.fm.complete(each, status=status)

    @property
    def went_out(self) -> list[bytes]:
        return self.b.fm.sent_frames

    @property
    def ended(self) -> list[tuple[int, bool]]:
        return [(self.sent.index(each), status == NdisStatus.SUCCESS) for each, status in self.b.fp.completed]

    # Receives.

    def indicate(self, *frames: bytes, scarce: bool = False) -> None:
        if self.miniport == "6":
            self.indicated = self.b.fm.indicate(*frames, flags=RESOURCES * scarce)
        else:
            status = NdisStatus.RESOURCES if scarce else NdisStatus.SUCCESS
            self.indicated = self.b.fm.indicate(*frames, status=status)

    def keep(self) -> None:
        if self.protocol == 5:
            self.b.fp.references = 1
        else:
            self.b.fp.hold = True

    @property
    def kept(self) -> list:
        return self.b.fp.held

    def give_back(self, number: int) -> None:
        self.b.fp.give_back(self.kept[number])

    @property
    def came_up(self) -> list[bytes]:
        return self.b.fp.received

    @property
    def home(self) -> list[int]:
        return [self.indicated.index(each) for each in self.b.fm.returned]

    def translated(self) -> int:
        """Translated objects that are out, of both edges."""
        edges = [edge for edge in (self.b.fp.binding, self.b.fm.adapter.context) if hasattr(edge, "xlate")]
        return sum(edge.xlate.live() for edge in edges)


CORNERS = [(protocol, miniport) for protocol in (5, 6) for miniport in ("5", "5 serialized", "6")]


@pytest.fixture(params=CORNERS, ids=[f"{protocol} over {miniport}" for protocol, miniport in CORNERS])
def corner(request, drivers):
    made: list[Corner] = []

    def make(**options) -> Corner:
        made.append(Corner(drivers, *request.param, **options))
        return made[-1]

    yield make
    for each in made:
        if not each.b.ndis.report.violations:
            each.b.stop()
            assert each.b.ndis.xlate_copies == 0


@pytest.mark.rule("XL-02", "XL-04", "XL-19", "S6-01", "S6-03", "S5-02")
def test_what_is_sent_goes_out_in_order_and_ends_once_each(corner, completion, verify):
    c = corner(completion=completion, verify=verify)
    c.send(*c.outgoing(6))
    c.b.run()
    assert c.went_out == c.outgoing(6)
    assert c.ended == [(number, True) for number in range(6)]
    assert c.translated() == 0


@pytest.mark.rule("XL-03", "XL-05", "XL-13", "S6-03")
def test_completions_in_any_order_and_with_any_status_find_their_sends(corner):
    c = corner()
    c.send(*c.outgoing(4))
    c.finish(2)
    c.finish(0, well=False)
    c.finish(1, 0)
    assert c.ended == [(2, True), (0, False), (3, True), (1, True)]


@pytest.mark.rule("XL-09", "XL-10", "R6-03", "R5-01")
def test_what_comes_up_is_kept_and_given_back_in_any_order(corner, verify):
    c = corner(verify=verify)
    c.keep()
    c.indicate(*c.b.frames(4))
    assert c.came_up == c.b.frames(4)
    assert c.home == []
    for number in (2, 0, 1, 0):
        c.give_back(number)
    assert c.home == [2, 0, 3, 1]
    assert c.translated() == 0


@pytest.mark.rule("XL-09", "XL-10", "R5-02", "R6-20")
def test_what_nobody_keeps_is_home_after_the_call(corner):
    c = corner()
    c.indicate(*c.b.frames(5))
    assert c.came_up == c.b.frames(5)
    assert sorted(c.home) == [0, 1, 2, 3, 4]


@pytest.mark.rule("XL-09", "XL-10", "R6-04", "R5-07")
def test_scarce_frames_are_looked_at_and_not_kept(corner):
    c = corner()
    c.keep()
    c.indicate(*c.b.frames(3), scarce=True)
    assert c.came_up == c.b.frames(3)
    assert c.kept == []
    assert c.home == [0, 1, 2]
    assert c.translated() == 0


@pytest.mark.rule("XL-10", "R6-15")
def test_a_frame_for_somebody_else_is_not_seen(corner):
    c = corner()
    c.indicate(c.b.frame(destination=bytes.fromhex("02484e000077")))
    assert c.came_up == []
    assert c.home == [0]


@pytest.mark.rule("XL-13", "S6-25", "ST-05")
def test_a_paused_adapter_refuses_and_runs_again_afterwards(corner):
    c = corner(completion="inline")
    c.b.run(ndis.pause_adapter(c.b.fm.adapter))
    c.send(*c.outgoing(1))
    c.b.run(ndis.restart_adapter(c.b.fm.adapter))
    c.send(c.outgoing(2)[1])
    c.b.run()
    assert c.ended == [(0, False), (1, True)]
    assert c.went_out == c.outgoing(2)[1:]


@pytest.mark.rule("XL-22", "ST-03")
def test_a_pause_waits_for_what_is_out_and_leaves_nothing_translated(corner):
    c = corner(completion="deferred")
    c.send(*c.outgoing(3))
    c.indicate(*c.b.frames(2))
    c.b.run(ndis.pause_adapter(c.b.fm.adapter))
    assert len(c.ended) == 3
    assert c.translated() == 0


@pytest.mark.rule("XL-22", "C5-15")
def test_unbinding_in_traffic_leaves_nothing_translated(corner):
    c = corner(completion="deferred")
    for round_ in range(20):
        c.keep()
        c.send(*c.outgoing(3))
        c.indicate(*c.b.frames(3))
        while c.kept:
            c.give_back(0)
        c.b.run()
        assert len(c.ended) == 3 * (round_ + 1)
    binding = c.b.fp.binding
    c.b.run(ndis.unbind_protocol(getattr(binding, "core", binding)))
    c.b.fp.binding = None
    assert sum(len(pool.live) for pool in c.b.ndis.pools if type(pool).__module__.endswith("xlate.objects")) == 0


@pytest.mark.rule("XL-01", "XL-15")
def test_a_filter_between_any_two_sees_lists_and_changes_nothing(corner, completion):
    c = corner(completion=completion)
    module = FunctionalFilter(c.b.ndis)
    c.b.add(module)
    c.keep()
    c.send(*c.outgoing(3))
    c.indicate(*c.b.frames(2))
    c.b.run()
    assert c.went_out == c.outgoing(3)
    assert sorted(c.ended) == [(number, True) for number in range(3)]
    assert c.came_up == c.b.frames(2)
    while c.kept:
        c.give_back(0)
    c.b.run()
    assert sorted(c.home) == [0, 1]
    assert c.translated() == 0


@pytest.mark.rule("XL-15", "XL-21")
@settings(max_examples=8)
@given(lengths=st.lists(st.integers(14, 9018), min_size=1, max_size=6))
@pytest.mark.parametrize(("protocol", "miniport"), CORNERS)
def test_bytes_are_equal_both_ways(drivers, protocol, miniport, lengths):
    c = Corner(drivers, protocol, miniport, completion="inline")
    own = c.b.fm.mac_address
    frames = [own + bytes((n + number) & 0xFF for n in range(length - 6)) for number, length in enumerate(lengths)]
    outgoing = [PEER + frame[6:] for frame in frames]
    c.send(*outgoing)
    c.indicate(*frames)
    assert c.went_out == outgoing
    assert c.came_up == frames
    assert c.b.ndis.xlate_copies == 0
    assert c.translated() == 0
    c.b.stop()

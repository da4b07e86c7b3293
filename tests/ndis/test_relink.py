# SPDX-License-Identifier: Apache-2.0
"""Separate, relink, complete as a property: in any order, through any stack, each list comes back once as it was."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hilnic import ndis
from hilnic.ndis import NdisStatus, ReceiveFlags
from hilnic.protocols.mux import Mux
from hilnic.protocols.splitter import Splitter
from hilnic.testing import FunctionalFilter, NdisBench

ADDRESSES = [bytes.fromhex(f"02484e0001{number:02x}") for number in range(2)]
BROADCAST = b"\xff" * 6
counts = st.integers(1, 4)
layouts = st.lists(st.integers(0, 14), max_size=4)


class Relinking(FunctionalFilter):
    """Keeps what it gets; takes the frames of a list apart before it goes on, and puts them back when it returns."""

    def __init__(self, *args, **options) -> None:
        super().__init__(*args, **options)
        self.queue = True
        self.apart: dict[ndis.NetBufferList, list[ndis.NetBuffer]] = {}

    def reverse(self, nbl: ndis.NetBufferList) -> None:
        """The frames the other way round."""
        self.apart[nbl] = frames = list(nbl.net_buffers())
        self._link(nbl, frames[::-1])

    def send_net_buffer_lists_complete(self, nbls, flags):
        for nbl in ndis.walk(nbls):
            if nbl in self.apart:
                self._link(nbl, self.apart.pop(nbl))
        super().send_net_buffer_lists_complete(nbls, flags)

    @staticmethod
    def _link(nbl: ndis.NetBufferList, frames: list[ndis.NetBuffer]) -> None:
        nbl.first_net_buffer = frames[0]
        for nb, following in zip(frames, [*frames[1:], None], strict=True):
            nb.next = following


class Stack(RuleBasedStateMachine):
    """MUX, filter, splitter, miniport; sends, completions, receives, returns, resets, cancels in any order."""

    cut = "frames"
    share = "lend"

    def __init__(self) -> None:
        super().__init__()
        self.bench = b = NdisBench(protocols=0)
        b.add(Splitter(b.ndis, "split", "fm", cut=self.cut))
        b.add(Mux(b.ndis, "mux", "split0", ADDRESSES, share=self.share))
        self.ups = [b.protocol("mux0"), b.protocol("mux1")]
        self.filter: Relinking = b.filter(Relinking, adapter_name="mux0")
        for up in self.ups:
            up.hold = True
        self.sent: dict[ndis.NetBufferList, tuple] = {}
        self.indicated: list[ndis.NetBufferList] = []
        self.number = 0

    def form(self, nbl: ndis.NetBufferList) -> tuple:
        return tuple((nb, tuple(ndis.walk_mdls(nb.mdl_chain)), nb.tobytes()) for nb in nbl.net_buffers())

    @rule(which=st.integers(0, 1), lists=counts, frames=counts, cuts=layouts)
    def send(self, which: int, lists: int, frames: int, cuts: list[int]) -> None:
        up, nbls = self.ups[which], []
        for _ in range(lists):
            self.number += frames
            content = [self.bench.frame(self.number + n, destination=bytes(6)) for n in range(frames)]
            nbls.append(up.build(*content, cuts=cuts))
        for nbl in nbls:
            self.sent[nbl] = self.form(nbl)
            if nbl.id % 2:
                ndis.set_net_buffer_list_cancel_id(nbl, which + 1)
        up.send_nbls(nbls)

    @precondition(lambda self: self.filter.queued)
    @rule(data=st.data(), how=st.sampled_from(["pass", "reverse", "drop"]))
    def release(self, data: st.DataObject, how: str) -> None:
        nbl = data.draw(st.sampled_from(self.filter.queued))
        if how == "drop":
            self.filter.drop(nbl, status=NdisStatus.FAILURE)
            return
        if how == "reverse":
            self.filter.reverse(nbl)
        self.filter.pass_on(nbl)

    @precondition(lambda self: self.bench.fm.captured)
    @rule(data=st.data())
    def complete(self, data: st.DataObject) -> None:
        fm = self.bench.fm
        chosen = data.draw(st.permutations(fm.captured))[: data.draw(counts)]
        fm.complete(*chosen, status=data.draw(st.sampled_from([NdisStatus.SUCCESS, NdisStatus.RESOURCES])))

    @rule(count=counts, to=st.sampled_from([*ADDRESSES, BROADCAST]), resources=st.booleans(), cuts=layouts)
    def indicate(self, count: int, to: bytes, resources: bool, cuts: list[int]) -> None:
        frames = [self.bench.frame(number, destination=to) for number in range(count)]
        flags = ReceiveFlags.RESOURCES if resources else 0
        self.indicated += self.bench.fm.indicate(*frames, flags=flags, cuts=cuts)

    @rule(which=st.integers(0, 1), data=st.data())
    def give_back(self, which: int, data: st.DataObject) -> None:
        up = self.ups[which]
        if up.held:
            up.give_back(*data.draw(st.permutations(up.held))[: data.draw(counts)])

    @rule()
    def reset(self) -> None:
        assert self.bench.run(ndis.reset_adapter(self.bench.fm.adapter)) is NdisStatus.SUCCESS

    @rule(which=st.integers(0, 1))
    def cancel(self, which: int) -> None:
        ndis.cancel_send_net_buffer_lists(self.ups[which].open, which + 1)

    @invariant()
    def nothing_is_counted_twice_or_lost(self) -> None:
        for up in self.ups:
            assert up.open.sends_outstanding == up.in_flight
            assert up.open.receives_outstanding == len(up.held)
        adapter = self.bench.fm.adapter
        assert adapter.sends_outstanding == len(self.bench.fm.captured)
        assert adapter.receives_outstanding == len(self.indicated) - len(self.bench.fm.returned)

    def teardown(self) -> None:
        if self.filter.queued:
            self.filter.pass_on()
        while self.bench.fm.captured:
            self.bench.fm.complete_all()
        for up in self.ups:
            if up.held:
                up.give_back()
        ended = [nbl for up in self.ups for nbl, _ in up.completed]
        assert sorted(nbl.id for nbl in ended) == sorted(nbl.id for nbl in self.sent)
        for nbl, form in self.sent.items():
            assert self.form(nbl) == form
        assert sorted(nbl.id for nbl in self.bench.fm.returned) == sorted(nbl.id for nbl in self.indicated)
        assert self.bench.ndis.report.violations == []
        self.bench.stop()


class StackOfMdls(Stack):
    """The same where MDLs go on in new NET_BUFFERs, and receives are cloned."""

    cut = "mdls"
    share = "clone"


Stack.TestCase.settings = StackOfMdls.TestCase.settings = settings(max_examples=20, stateful_step_count=25)
TestStack = Stack.TestCase
TestStackOfMdls = StackOfMdls.TestCase


@given(
    frames=st.integers(1, 6),
    layout=layouts,
    order=st.randoms(use_true_random=False),
    cut=st.sampled_from(["frames", "mdls"]),
)
@settings(max_examples=40)
def test_pieces_completed_in_any_order_give_the_original_back_as_it_was(frames, layout, order, cut):
    b = NdisBench(protocols=0)
    b.add(Splitter(b.ndis, "split", "fm", cut=cut))
    up = b.protocol("split0")
    content = [b.frame(number, destination=bytes(6)) for number in range(frames)]
    nbl = up.build(*content, cuts=layout, head=3)
    before = [(nb, list(ndis.walk_mdls(nb.mdl_chain)), nb.tobytes()) for nb in nbl.net_buffers()]
    up.send_nbls([nbl])
    pieces = list(b.fm.captured)
    order.shuffle(pieces)
    for piece in pieces:
        assert up.completed == []
        b.fm.complete(piece)
    assert up.completed == [(nbl, NdisStatus.SUCCESS)]
    assert [(nb, list(ndis.walk_mdls(nb.mdl_chain)), nb.tobytes()) for nb in nbl.net_buffers()] == before
    assert b.fm.sent_frames == content
    b.stop()

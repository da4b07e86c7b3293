# SPDX-License-Identifier: Apache-2.0
"""Ownership as a property: whatever correct drivers do, in any order, each NBL ends once and nothing leaks."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hilnic import ndis
from hilnic.ndis import AdapterState, BindingState, NdisStatus, ReceiveFlags
from hilnic.testing import NdisBench

counts = st.integers(1, 4)
layouts = st.lists(st.integers(0, 14), max_size=4)


class Traffic(RuleBasedStateMachine):
    """Sends, completions, indications, returns, pause, restart and reset in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = NdisBench(protocols=2)
        self.sent: list[list[ndis.NetBufferList]] = [[], []]
        self.indicated: list[ndis.NetBufferList] = []
        for fp in self.bench.fps:
            fp.hold = True

    @rule(which=st.integers(0, 1), count=counts, cuts=layouts)
    def send(self, which: int, count: int, cuts: list[int]) -> None:
        fp = self.bench.fps[which]
        self.sent[which] += fp.send(*self.bench.frames(count), cuts=cuts)

    @precondition(lambda self: self.bench.fm.captured)
    @rule(data=st.data())
    def complete(self, data: st.DataObject) -> None:
        fm = self.bench.fm
        chosen = data.draw(st.permutations(fm.captured))[: data.draw(counts)]
        fm.complete(*chosen, status=data.draw(st.sampled_from([NdisStatus.SUCCESS, NdisStatus.FAILURE])))

    @precondition(lambda self: self.bench.fm.adapter.state is AdapterState.RUNNING)
    @rule(count=counts, cuts=layouts, resources=st.booleans())
    def indicate(self, count: int, cuts: list[int], resources: bool) -> None:
        flags = ReceiveFlags.RESOURCES if resources else 0
        self.indicated += self.bench.fm.indicate(*self.bench.frames(count), flags=flags, cuts=cuts)

    @rule(which=st.integers(0, 1), data=st.data())
    def give_back(self, which: int, data: st.DataObject) -> None:
        fp = self.bench.fps[which]
        if fp.held:
            fp.give_back(*data.draw(st.permutations(fp.held))[: data.draw(counts)])

    @precondition(lambda self: self.bench.fm.adapter.state is AdapterState.RUNNING)
    @rule()
    def pause(self) -> None:
        self.bench.run(ndis.pause_adapter(self.bench.fm.adapter))

    @precondition(lambda self: self.bench.fm.adapter.state is AdapterState.PAUSED)
    @rule()
    def restart(self) -> None:
        assert self.bench.run(ndis.restart_adapter(self.bench.fm.adapter)) is NdisStatus.SUCCESS

    @rule()
    def reset(self) -> None:
        assert self.bench.run(ndis.reset_adapter(self.bench.fm.adapter)) is NdisStatus.SUCCESS

    @invariant()
    def what_is_outstanding_agrees_with_the_drivers(self) -> None:
        adapter = self.bench.fm.adapter
        assert adapter.sends_outstanding == len(self.bench.fm.captured)
        assert adapter.receives_outstanding == len(self.indicated) - len(self.bench.fm.returned)
        for fp in self.bench.fps:
            assert fp.open.receives_outstanding == len(fp.held)
            assert fp.open.sends_outstanding == fp.in_flight
            expected = BindingState.RUNNING if adapter.state is AdapterState.RUNNING else BindingState.PAUSED
            assert fp.open.state is expected

    def teardown(self) -> None:
        self.bench.fm.complete_all()
        for fp in self.bench.fps:
            if fp.held:
                fp.give_back()
        for fp, sent in zip(self.bench.fps, self.sent, strict=True):
            assert sorted(nbl.id for nbl, _ in fp.completed) == [nbl.id for nbl in sent]
        assert sorted(nbl.id for nbl in self.bench.fm.returned) == sorted(nbl.id for nbl in self.indicated)
        assert self.bench.ndis.report.violations == []
        self.bench.stop()


Traffic.TestCase.settings = settings(max_examples=40, stateful_step_count=30)
TestTraffic = Traffic.TestCase

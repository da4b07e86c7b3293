# SPDX-License-Identifier: Apache-2.0
"""Any order of PnP operations and traffic: the state machines, the ownership, cancels and pauses stay consistent.

The machine keeps a model of its own: which NBLs are out, what each binding should have seen, which state is next.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hilnic import ndis
from hilnic.ndis import AdapterState, BindingState, NblInfo, NdisStatus
from hilnic.ndis.verifier.custody import HOME, INDICATED, SENT
from hilnic.testing import NdisBench


class Stack(RuleBasedStateMachine):
    """One adapter, two protocols; the first one sends and holds."""

    @initialize(hold=st.booleans())
    def start(self, hold):
        self.b = NdisBench(protocols=2)
        self.b.fps[0].hold = hold
        self.number = 0
        self.sent = []  # every NBL that was ever sent
        self.cancel_ids = {}

    @property
    def state(self):
        return self.b.fm.adapter.state

    def frames(self, number):
        self.number += number
        return [self.b.frame(n) for n in range(self.number - number, self.number)]

    # Traffic.

    @rule(number=st.integers(1, 3), cancel_id=st.integers(1, 3))
    def send(self, number, cancel_id):
        before = len(self.b.fm.sent_frames)
        frames = self.frames(number)
        nbls = [self.b.fp.build(frame) for frame in frames]
        for nbl in nbls:
            nbl.net_buffer_list_info[NblInfo.CANCEL_ID] = self.cancel_ids[nbl] = cancel_id
        with self.b.ndis.report.collect():  # a send while paused is frowned upon (S6-25)
            self.b.fp.send_nbls(nbls)
        self.sent += nbls
        if self.b.fp.open.state is BindingState.RUNNING:
            assert self.b.fm.sent_frames[before:] == frames
        else:
            assert self.b.fp.completed[-number:] == [(nbl, NdisStatus.PAUSED) for nbl in nbls]

    @rule(data=st.data())
    def complete(self, data):
        some = data.draw(st.lists(st.sampled_from(self.b.fm.captured), unique=True)) if self.b.fm.captured else []
        if some:
            self.b.fm.complete(*some)
            assert [nbl for nbl, _ in self.b.fp.completed[-len(some) :]] == some

    @rule(cancel_id=st.integers(1, 4))
    def cancel(self, cancel_id):
        matching = [nbl for nbl in self.b.fm.captured if self.cancel_ids[nbl] == cancel_id]
        before = len(self.b.fp.completed)
        ndis.cancel_send_net_buffer_lists(self.b.fp.open, cancel_id)
        assert self.b.fp.completed[before:] == [(nbl, NdisStatus.SEND_ABORTED) for nbl in matching]

    @precondition(lambda self: self.state is AdapterState.RUNNING)
    @rule(number=st.integers(1, 3))
    def indicate(self, number):
        before = [len(fp.received) for fp in self.b.fps]
        frames = self.frames(number)
        self.b.fm.indicate(*frames)
        for fp, had in zip(self.b.fps, before, strict=True):
            expected = frames if fp.open.state is BindingState.RUNNING else []
            assert fp.received[had:] == expected

    @rule(data=st.data())
    def give_back(self, data):
        if self.b.fp.held:
            self.b.fp.give_back(*data.draw(st.lists(st.sampled_from(self.b.fp.held), min_size=1, unique=True)))

    # Plug and play.

    @precondition(lambda self: self.state is AdapterState.RUNNING)
    @rule()
    def pause(self):
        self.b.run(ndis.pause_adapter(self.b.fm.adapter))
        assert self.state is AdapterState.PAUSED
        assert not self.b.fm.captured
        assert not self.b.fp.held

    @precondition(lambda self: self.state is AdapterState.PAUSED)
    @rule()
    def restart(self):
        assert self.b.run(ndis.restart_adapter(self.b.fm.adapter)) is NdisStatus.SUCCESS

    @rule()
    def reset(self):
        assert self.b.run(ndis.reset_adapter(self.b.fm.adapter)) is NdisStatus.SUCCESS
        assert not self.b.fm.captured

    @rule(which=st.integers(0, 1))
    def rebind(self, which):
        fp = self.b.fps[which]
        if which == 0 and self.b.fm.captured:
            self.b.fm.complete_all()
        self.b.run(ndis.unbind_protocol(fp.open))
        assert fp.binding is None
        status, binding = self.b.run(ndis.bind_protocol(fp.driver, self.b.fm.adapter))
        assert status is NdisStatus.SUCCESS
        assert binding is fp.binding
        self.b.run(fp.listen())

    @rule()
    def halt_and_start(self):
        self.b.run(ndis.halt_adapter(self.b.fm.adapter))
        assert self.state is AdapterState.HALTED
        assert [fp.binding for fp in self.b.fps] == [None, None]
        assert self.b.run(self.b.fm.start()) is NdisStatus.SUCCESS
        for fp in self.b.fps:
            self.b.run(fp.listen())

    # What always holds.

    @invariant()
    def nothing_is_lost_or_doubled(self):
        completed = [nbl for nbl, _ in self.b.fp.completed]
        assert sorted(nbl.id for nbl in [*completed, *self.b.fm.captured]) == sorted(nbl.id for nbl in self.sent)
        assert self.b.fp.in_flight == len(self.b.fm.captured)

    @invariant()
    def counts_and_custody_agree(self):
        adapter = self.b.fm.adapter
        assert adapter.sends_outstanding == len(self.b.fm.captured)
        assert self.b.fp.open.receives_outstanding == len(self.b.fp.held)
        assert {nbl.ndis_custody.state for nbl in self.b.fm.captured} <= {SENT}
        assert {nbl.ndis_custody.state for nbl in self.b.fp.held} <= {INDICATED}
        assert {nbl.ndis_custody.state for nbl, _ in self.b.fp.completed} <= {HOME}
        assert {nbl.ndis_custody.owner for nbl in self.b.fm.captured} <= {adapter}

    @invariant()
    def binding_follows_adapter(self):
        states = {fp.open.state for fp in self.b.fps}
        assert states == {BindingState.RUNNING if self.state is AdapterState.RUNNING else BindingState.PAUSED}

    def teardown(self):
        assert not self.b.ndis.report.violations
        self.b.fm.complete_all()
        self.b.stop()


Stack.TestCase.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
test_stack = Stack.TestCase

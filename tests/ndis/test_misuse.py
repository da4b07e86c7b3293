# SPDX-License-Identifier: Apache-2.0
"""Whatever a driver hands to NDIS, the answer is a status or a violation that names a rule.

Never a traceback from inside the core, never a corrupted later frame.
"""

from __future__ import annotations

import importlib
import inspect
import random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hilnic import ndis
from hilnic.ndis import NdisStatus, NdisViolation, NetBufferList, Oid
from hilnic.ndis.rules import all_rules
from hilnic.ndis.wdk import WDK_FUNCTIONS
from hilnic.testing import NdisBench, build_nbl, expect_violation

SEEDS = range(4)


class Alien:
    """An object of somebody else."""

    def __repr__(self):
        return "Alien()"


def arsenal(b):
    """Everything that a confused driver might pass: all kinds of handles, dead objects, nonsense, absurd numbers."""
    freed = b.fp.build(b.frame())
    ndis.free_net_buffer_list(freed)
    circle = b.fp.build(b.frame())
    circle.next = circle
    lock = ndis.allocate_spin_lock(b.fm.adapter)
    stray = NetBufferList(b.fp.pool, 1 << 20)
    return [
        None, 0, -1, 1 << 70, "handle", b"\0" * 6, 3.5, Alien(), [], {}, object, len,
        b.ndis, b.fm.adapter, b.fp.binding, b.fp.driver, b.fm.driver, b.fp.pool, b.fm, b.fp,
        freed, circle, stray, b.fp.build(b.frame()), b.fm.build(b.frame()), freed.first_net_buffer, lock,
        ndis.query(Oid.OID_GEN_VENDOR_ID, 4), NdisStatus.PENDING, b.fp.build(b.frame()).first_net_buffer.mdl_chain,
    ]  # fmt: skip


def call(function, arguments):
    """The call ends with an answer or a violation of a known rule; a coroutine is run to its first wait."""
    try:
        answer = function(*arguments)
        if inspect.iscoroutine(answer):
            try:
                answer.send(None)
            except StopIteration:
                pass
            finally:
                answer.close()
    except NdisViolation as found:
        violation = found
    else:
        return
    assert violation.rule in all_rules()
    assert str(violation)


def functions():
    """Every public function of the core with a WDK name."""
    for row in sorted(WDK_FUNCTIONS.values(), key=lambda row: row.wdk_name):
        yield pytest.param(getattr(importlib.import_module(row.module), row.python_name), id=row.wdk_name)


@pytest.mark.rule("OI-21")
@pytest.mark.parametrize("function", list(functions()))
def test_no_argument_brings_a_traceback_out_of(function):
    b = NdisBench()
    count = len([p for p in inspect.signature(function).parameters.values() if p.default is p.empty])
    for handle in arsenal(b):
        call(function, [handle, *[None] * (count - 1)])
    for seed in SEEDS:
        b = NdisBench()
        choice = random.Random(seed)
        things = arsenal(b)
        for _ in range(3):
            call(function, choice.choices(things, k=count))


@pytest.mark.rule("OI-21")
@pytest.mark.mutant("OI-21")
def test_mutant_passes_one_handle_for_another(bench):
    b = bench()
    with expect_violation(b.ndis, "OI-21") as found:
        ndis.return_net_buffer_lists(b.fm.adapter, None)
    assert "NdisReturnNetBufferLists" in str(found[0])


@pytest.mark.parametrize("handle", [None, 42, "nic0", Alien()])
def test_what_is_no_handle_is_named(handle):
    with pytest.raises(NdisViolation, match="OI-21 .* is no handle for NdisSendNetBufferLists"):
        ndis.send_net_buffer_lists(handle, None)


def test_a_call_without_any_argument_is_refused():
    with pytest.raises(NdisViolation, match="OI-21"):
        ndis.send_net_buffer_lists()


@pytest.mark.parametrize(("offset", "length"), [(0, 1 << 40), (1 << 40, 1), (-1, 10), (0, -1), (60, 1)])
def test_absurd_lengths_are_refused_and_nothing_is_sent(bench, offset, length):
    b = bench()
    nbl = b.fp.build(b.frame())
    nb = nbl.first_net_buffer
    true = nb.data_offset, nb.data_length
    nb.data_offset, nb.data_length = offset, length
    with b.ndis.report.collect() as found:
        b.fp.send_nbls([nbl])
    assert {violation.rule for violation in found} <= {"MD-02", "MD-01", "MD-03", "MD-04"}
    assert found
    assert b.fm.captured == []
    nb.data_offset, nb.data_length = true
    b.fp.in_flight = 0
    b.fp.completed.append((nbl, 0))


class Confusion(RuleBasedStateMachine):
    """Right and wrong calls in any order. After each, a frame still goes both ways with its bytes."""

    @initialize()
    def start(self):
        self.bench = NdisBench()
        self.collecting = self.bench.ndis.report.collect()
        self.collecting.__enter__()
        self.number = 0

    def call(self, function, *arguments):
        call(function, arguments)
        self.bench.run()

    @rule(seed=st.integers(0, 1 << 16), which=st.integers(0, 1 << 16))
    def anything(self, seed, which):
        names = sorted(name for name, row in WDK_FUNCTIONS.items() if name not in TAKES_THE_STACK_DOWN)
        row = WDK_FUNCTIONS[names[which % len(names)]]
        function = getattr(importlib.import_module(row.module), row.python_name)
        count = len([p for p in inspect.signature(function).parameters.values() if p.default is p.empty])
        things = [thing for thing in arsenal(self.bench) if not isinstance(thing, ndis.Adapter | ndis.Binding)]
        self.call(function, *random.Random(seed).choices(things, k=count))

    @rule()
    def complete_twice(self):
        (nbl,) = self.bench.fp.send(self.bench.frame())
        self.bench.fm.complete(nbl)
        self.call(ndis.complete_send_net_buffer_lists, self.bench.fm.adapter, nbl, 0)

    @rule()
    def send_twice(self):
        (nbl,) = self.bench.fp.send(self.bench.frame())
        self.call(ndis.send_net_buffer_lists, self.bench.fp.binding, nbl)
        self.bench.fm.complete(nbl)

    @rule()
    def free_while_sent(self):
        (nbl,) = self.bench.fp.send(self.bench.frame())
        self.call(ndis.free_net_buffer_list, nbl)
        self.bench.fm.complete(nbl)

    @rule()
    def send_freed(self):
        nbl = self.bench.fp.build(self.bench.frame())
        ndis.free_net_buffer_list(nbl)
        self.call(ndis.send_net_buffer_lists, self.bench.fp.binding, nbl)

    @rule(length=st.integers(1, 4))
    def send_circle(self, length):
        nbls = [self.bench.fp.build(self.bench.frame()) for _ in range(length)]
        ndis.chain(nbls)
        nbls[-1].next = nbls[0]
        self.call(ndis.send_net_buffer_lists, self.bench.fp.binding, nbls[0])
        for nbl in nbls:
            if nbl in self.bench.fm.captured:
                self.bench.fm.complete(nbl)

    @rule()
    def return_what_was_not_received(self):
        nbl = build_nbl(self.bench.fp.pool, self.bench.frame())
        self.call(ndis.return_net_buffer_lists, self.bench.fp.binding, nbl)

    @rule()
    def indicate_with_a_wrong_count(self):
        nbls = [self.bench.fm.build(frame) for frame in self.bench.frames(2)]
        self.call(ndis.indicate_receive_net_buffer_lists, self.bench.fm.adapter, ndis.chain(nbls), 0, 7, 0)

    @rule(status=st.sampled_from([NdisStatus.PENDING, 12345, None, "status"]))
    def complete_with_a_strange_status(self, status):
        (nbl,) = self.bench.fp.send(self.bench.frame())
        nbl.status = status
        self.call(ndis.complete_send_net_buffer_lists, self.bench.fm.adapter, nbl, 0)
        self.bench.fm.captured.clear()

    @rule()
    def pause_and_restart(self):
        self.bench.run(ndis.pause_adapter(self.bench.fm.adapter))
        self.bench.run(ndis.restart_adapter(self.bench.fm.adapter))

    @invariant()
    def a_frame_goes_both_ways(self):
        b = self.bench
        self.number += 1
        down, up = b.frame(self.number), b.frame(self.number + 1000)
        received, completed = len(b.fp.received), len(b.fp.completed)
        (nbl,) = b.fp.send(down)
        assert b.fm.sent_frames[-1] == down
        b.fm.complete(nbl)
        assert len(b.fp.completed) == completed + 1
        b.fm.indicate(up)
        assert b.fp.received[received:] == [up]

    def teardown(self):
        self.collecting.__exit__(None, None, None)


TAKES_THE_STACK_DOWN = {
    "NdisMDeregisterMiniportDriver", "NdisDeregisterProtocolDriver", "NdisMRegisterMiniportDriver",
    "NdisAcquireSpinLock", "NdisDprAcquireSpinLock",  # a lock that is kept is a state of its own
}  # fmt: skip

Confusion.TestCase.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
test_confusion = Confusion.TestCase


@pytest.mark.rule("OI-21")
@pytest.mark.parametrize("attributes", [None, 3.5, "attributes", Alien()])
def test_what_are_no_attributes_of_a_miniport_is_named(bench, attributes):
    b = bench()
    with expect_violation(b.ndis, "OI-21"):
        ndis.set_miniport_attributes(b.fm.adapter, attributes)
    b.run(ndis.pause_adapter(b.fm.adapter))  # reads the attributes
    b.run(ndis.restart_adapter(b.fm.adapter))


def test_attributes_are_set_in_initialize_and_nowhere_else(bench):
    b = bench()
    before = b.fm.adapter.context, b.fm.adapter.attributes
    for attributes in (ndis.RegistrationAttributes("another context"), b.fm.attributes()):
        assert ndis.set_miniport_attributes(b.fm.adapter, attributes) is NdisStatus.INVALID_STATE
    assert (b.fm.adapter.context, b.fm.adapter.attributes) == before


@pytest.mark.rule("OI-21")
@pytest.mark.parametrize("name", [None, [], {}, Alien()])
def test_what_is_no_name_of_a_virtual_adapter_is_named(bench, name):
    b = bench()
    with expect_violation(b.ndis, "OI-21"):
        ndis.im_initialize_device_instance(b.fm.driver, name)
    b.run()

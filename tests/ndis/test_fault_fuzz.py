# SPDX-License-Identifier: Apache-2.0
"""Random calls, with a driver among them that raises in some handler, chains in circles, and rubbish.

What must not be: a traceback that is no violation, a hang, a fault with the wrong name, a send that never ends, a wrong
frame on the drivers that are left. `HILNIC_SOAK=1` runs thousands of seeds; a seed alone says everything.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import inspect
import os
import random

import pytest

from hilnic import ndis
from hilnic.ndis import AdapterState, BindingState, FilterState, NdisStatus, NdisViolation, Oid
from hilnic.ndis.faults import DriverFault
from hilnic.ndis.wdk import WDK_FUNCTIONS
from hilnic.testing import FunctionalFilter, FunctionalMiniport, FunctionalProtocol, NdisBench

SEEDS = 3000 if "HILNIC_SOAK" in os.environ else 60
CALLS = 25
BLOCK = 30
"""Seeds in one test."""


class Crash(Exception):
    """What a broken handler raises."""


class Fuse:
    """How many handler calls a driver still has, and what it raised in; None: it is sound."""

    def __init__(self):
        self.left = None
        self.after = False
        self.blown = None

    def burns(self):
        if self.left is None or self.blown is not None:
            return False
        self.left -= 1
        return self.left < 0


def fused(kind, handlers):
    """A functional driver whose handlers share one fuse."""

    def wrap(name):
        sound = getattr(kind, name)

        def handler(self, *args):
            if not self.fuse.burns():
                return sound(self, *args)
            self.fuse.blown = name
            if self.fuse.after:
                answer = sound(self, *args)
                if hasattr(answer, "send"):
                    return _raise_after(answer, name)
            raise Crash(name)

        return handler

    def init(self, *args, **options):
        self.fuse = Fuse()
        kind.__init__(self, *args, **options)

    return type(f"Fused{kind.__name__}", (kind,), {"__init__": init, **{name: wrap(name) for name in handlers}})


async def _raise_after(answer, name):
    await answer
    raise Crash(name)


class DirectMiniport(FunctionalMiniport):
    """With direct requests."""

    def characteristics(self):
        kind = type(self)
        return dataclasses.replace(super().characteristics(), direct_oid_request=kind.direct_oid_request)

    def direct_oid_request(self, request):
        return NdisStatus.PENDING


class DirectProtocol(FunctionalProtocol):
    """Likewise."""

    def characteristics(self):
        kind = type(self)
        return dataclasses.replace(
            super().characteristics(), direct_oid_request_complete=kind.direct_oid_request_complete
        )

    def direct_oid_request_complete(self, request, status):
        self.requests.append((request, status))


Protocol = fused(
    DirectProtocol,
    ["receive_net_buffer_lists", "send_net_buffer_lists_complete", "oid_request_complete", "status", "net_pnp_event",
     "direct_oid_request_complete"],
)  # fmt: skip
Miniport = fused(
    DirectMiniport,
    ["send_net_buffer_lists", "return_net_buffer_lists", "oid_request", "cancel_send", "reset", "pause", "restart",
     "direct_oid_request"],
)  # fmt: skip
Filter = fused(
    FunctionalFilter,
    ["send_net_buffer_lists", "send_net_buffer_lists_complete", "cancel_send_net_buffer_lists",
     "receive_net_buffer_lists", "return_net_buffer_lists", "oid_request", "oid_request_complete",
     "direct_oid_request", "direct_oid_request_complete", "status", "pause", "restart"],
)  # fmt: skip

_HARMLESS = (
    "NdisSend", "NdisReturn", "NdisMIndicate", "NdisFSend", "NdisFReturn", "NdisFIndicate", "NdisGet", "NdisCopy",
    "NdisAllocateClone", "NdisRetreat", "NdisAdvance", "NdisCancel", "NdisQuery",
)  # fmt: skip
HARMLESS = sorted(name for name in WDK_FUNCTIONS if name.startswith(_HARMLESS))


class Run:
    """One seed."""

    def __init__(self, seed):
        self.random = choice = random.Random(seed)
        self.b = b = NdisBench(
            protocols=2, miniport=Miniport, protocol=Protocol, verify="full" if seed % 4 == 0 else "fast", seed=seed
        )
        for _ in range(choice.randrange(3)):
            b.filter(Filter)
        self.victim = choice.choice([b.fm, b.fps[1], *b.fis, *b.fis])
        self.victim.fuse.left = choice.randrange(12)
        self.victim.fuse.after = choice.random() < 0.5
        self.misused = 0
        self.is_pausing = False

    # Calls.

    def send(self):
        self._alive(0).send(*self.b.frames(self.random.randrange(1, 4)), cancel_id=self.random.choice([None, 3]))

    def complete(self):
        if self.b.fm.captured:
            self.b.fm.complete(*self.random.sample(self.b.fm.captured, k=1))

    def indicate(self):
        if self._is_running():
            cuts = self.random.choice([(), (20, 20)])
            self.b.fm.indicate(*self.b.frames(self.random.randrange(1, 4)), cuts=cuts)

    def hold(self):
        self.random.choice(self.b.fps).hold ^= True

    def queue(self):
        for fi in self.b.fis:
            fi.queue, fi.hold = self.random.random() < 0.5, self.random.random() < 0.3

    def let_through(self):
        for fi in self.b.fis:
            if not fi.driver.faulted and fi.queued:
                fi.pass_on()
            if not fi.driver.faulted and fi.held and self._is_running():
                fi.indicate_held()

    def of_the_filters_own(self):
        for fi in self.b.fis:
            if not fi.driver.faulted and self._is_running():
                fi.send(self.b.frame(70))
                fi.indicate(self.b.frame(71))

    def give_back(self):
        for fp in self.b.fps:
            if fp.held and not fp.driver.faulted:
                fp.give_back()

    def ask(self):
        ndis.oid_request(self._alive(0).open, ndis.query(Oid.OID_GEN_VENDOR_DESCRIPTION, 64))

    def ask_directly(self):
        ndis.direct_oid_request(self._alive(0).open, ndis.query(Oid.OID_GEN_VENDOR_ID, 64))

    def end_direct(self):
        for request in list(self.b.fm.adapter.direct_requests):
            ndis.complete_direct_oid_request(self.b.fm.adapter, request, NdisStatus.SUCCESS)

    def cancel(self):
        self._alive(0).cancel(3)

    def link(self):
        self.b.fm.link(self.random.random() < 0.5)

    def pause_and_restart(self):
        if not self.is_pausing and self.b.fm.adapter.state is AdapterState.RUNNING:
            self.is_pausing = True
            self.b.kernel.start(self._pause_and_restart())

    async def _pause_and_restart(self):
        await ndis.pause_adapter(self.b.fm.adapter)
        if not self.b.fm.driver.faulted:
            await ndis.restart_adapter(self.b.fm.adapter)
        self.is_pausing = False

    def reset(self):
        ndis.reset_miniport(self.b.fm.adapter)

    def send_a_circle(self):
        fp = self._alive(0)
        nbl = fp.build(self.b.frame(), cuts=(20, 20))
        mdls = list(ndis.walk_mdls(nbl.first_net_buffer.mdl_chain))
        mdls[-1].next = self.random.choice(mdls)
        self.misused += 1
        ndis.send_net_buffer_lists(fp.open, nbl)
        mdls[-1].next = None
        fp.completed.append((nbl, NdisStatus.FAILURE))

    def indicate_a_circle(self):
        if not self._is_running():
            return
        nbl = self.b.fm.build(self.b.frame(), cuts=(20, 20))
        mdls = list(ndis.walk_mdls(nbl.first_net_buffer.mdl_chain))
        mdls[-1].next = self.random.choice(mdls)
        self.misused += 1
        ndis.indicate_receive_net_buffer_lists(self.b.fm.adapter, nbl, 0, 1, 0)
        mdls[-1].next = None
        self.b.fm.returned.append(nbl)

    def rubbish(self):
        name = self.random.choice(HARMLESS)
        row = WDK_FUNCTIONS[name]
        function = getattr(importlib.import_module(row.module), row.python_name)
        number = len([each for each in inspect.signature(function).parameters.values() if each.default is each.empty])
        things = [None, 0, -1, 1 << 70, "handle", object(), self.b.ndis, self.b.fps[0].driver, self.b.fps[0].pool]
        self.misused += 1
        with contextlib.suppress(NdisViolation):  # of what is no handle at all it is raised, whoever collects
            function(*self.random.choices(things, k=number))

    def _is_running(self):
        """The whole stack: a filter that is paused indicates nothing (R6-16), and the functional one does not look."""
        adapter = self.b.fm.adapter
        return adapter.state is AdapterState.RUNNING and all(
            module.state is FilterState.RUNNING for module in adapter.filters
        )

    def _alive(self, at):
        fp = self.b.fps[at]
        if fp.binding is None or fp.open.state in {BindingState.CLOSING, BindingState.UNBOUND}:
            raise NothingToDo
        return fp

    ACTS = (
        send, send, complete, indicate, indicate, hold, queue, let_through, of_the_filters_own, give_back, ask,
        ask_directly, end_direct, cancel, link, pause_and_restart, reset, send_a_circle, indicate_a_circle, rubbish,
    )  # fmt: skip

    # The run and what is asked of it.

    def go(self):
        with self.b.ndis.report.collect() as found:
            for _ in range(CALLS):
                act = self.random.choice(Run.ACTS)
                if self.b.fm.driver.faulted and act not in {Run.send, Run.give_back, Run.rubbish, Run.cancel}:
                    continue
                try:
                    act(self)
                except NothingToDo:
                    continue
                if self.random.random() < 0.7:
                    self.b.run()
            self.victim.fuse.left = None
            for _ in range(4):
                self.wind_up()
        self.judge(found)

    def wind_up(self):
        b = self.b
        b.run()
        for fi in b.fis:
            fi.queue = fi.hold = False
        for fp in b.fps:
            fp.hold = False
        self.give_back()
        self.let_through()
        if not b.fm.driver.faulted:
            b.fm.complete_all()
            self.end_direct()
        b.run()

    def judge(self, found):
        b = self.b
        faults = [each for each in found if isinstance(each, DriverFault)]
        blown = self.victim.fuse.blown
        assert [(each.actor, each.handler) for each in faults] == (
            [] if blown is None else [(self.victim.driver, blown)]
        )
        others = [each for each in found if each.rule not in {"FAULT", "S6-25", "CN-06"}]
        assert len(others) <= self.misused
        assert {each.rule for each in others} <= {"OI-21", "S6-21"}, [str(each) for each in others]
        assert b.fps[0].in_flight == 0
        alive = {*b.ndis.miniport_drivers, *b.ndis.protocol_drivers, *b.ndis.filter_drivers}
        assert (self.victim.driver in alive) == (blown is None)
        if self.victim is b.fm and blown is not None:
            assert b.ndis.adapters == []
        else:
            self.frames_go_both_ways()
        assert b.ndis.oid_clones == {}

    def frames_go_both_ways(self):
        b = self.b
        assert b.fm.adapter.state is AdapterState.RUNNING
        (nbl,) = b.fp.send(b.frame(900))
        assert b.fm.sent_frames[-1] == b.frame(900)
        b.fm.complete(nbl)
        assert b.fp.completed[-1] == (nbl, NdisStatus.SUCCESS)
        b.fm.indicate(b.frame(901))
        assert b.fp.received[-1] == b.frame(901)
        b.stop()


class NothingToDo(Exception):
    """The call has nobody to make it."""


@pytest.mark.rule("OI-21")
@pytest.mark.parametrize("first", range(0, SEEDS, BLOCK))
def test_whatever_is_called_and_whoever_raises(first):
    for seed in range(first, first + BLOCK):
        try:
            Run(seed).go()
        except Exception as error:
            error.add_note(f"Run({seed}).go()")
            raise

# SPDX-License-Identifier: Apache-2.0
"""A filter whose handler raises, whichever: it is named and detached, what it had goes home, the stack goes on."""

from __future__ import annotations

import dataclasses
import os

import pytest

from hilnic import ndis
from hilnic.ndis import AdapterState, FilterState, NdisStatus, Oid
from hilnic.ndis.faults import DriverFault
from hilnic.testing import FunctionalFilter, FunctionalMiniport, FunctionalProtocol, NdisBench

LOADS = [False, True] if "HILNIC_SOAK" in os.environ else [True]
"""With nothing that is out or held, and with all that a driver may have."""


class Crash(Exception):
    """What a broken handler raises."""


def breaking(handler, when):
    """A functional filter whose `handler` raises while it is armed, `before` it does anything or `after` it has."""

    def broken(self, *args):
        if not self.armed:
            return getattr(FunctionalFilter, handler)(self, *args)
        if when == "after":
            getattr(FunctionalFilter, handler)(self, *args)
        raise Crash(handler)

    return type("Breaking", (FunctionalFilter,), {"armed": False, handler: broken})


class Miniport(FunctionalMiniport):
    """It answers direct requests when it is told to."""

    pends = False
    direct = None

    def characteristics(self):
        kind = type(self)
        return dataclasses.replace(
            super().characteristics(),
            direct_oid_request=kind.direct_oid_request,
            cancel_direct_oid_request=lambda *_: None,
        )

    def direct_oid_request(self, request):
        self.direct = request
        return NdisStatus.PENDING if self.pends else NdisStatus.SUCCESS

    def end_direct(self):
        request, self.direct = self.direct, None
        ndis.complete_direct_oid_request(self.adapter, request, NdisStatus.SUCCESS)


class Protocol(FunctionalProtocol):
    """It notes how direct requests end."""

    ended = 0

    def characteristics(self):
        return dataclasses.replace(
            super().characteristics(), direct_oid_request_complete=type(self).direct_oid_request_complete
        )

    def direct_oid_request_complete(self, request, status):
        self.ended += 1


def stack(kind, loaded):
    """Two protocols, three filters, a miniport; the middle filter is broken, and loaded with all that it may have."""
    b = NdisBench(protocols=2, miniport=Miniport, protocol=Protocol)
    b.filter(name="bottom")
    fi = b.filter(kind, name="broken")
    b.filter(name="top")
    if loaded:
        fi.send(b.frame(70))
        b.fps[1].hold = True
        fi.indicate(b.frame(71))
        fi.queue = fi.hold = True
        b.fps[0].send(*b.frames(2))
        b.fm.indicate(*b.frames(2))
    return b, fi


def request(oid=Oid.OID_GEN_VENDOR_DESCRIPTION):
    asked = ndis.query(oid, 64)
    asked.request_id = 7
    return asked


def give_back_one(b, fi):
    b.fps[1].hold = True
    fi.hold = False
    b.fm.indicate(b.frame(5))
    fi.armed = True
    b.fps[1].give_back(b.fps[1].held[-1])


def complete_one(b, fi):
    fi.queue = False
    (nbl,) = b.fp.send(b.frame(5))
    fi.armed = True
    b.fm.complete(nbl)


def cancel_request(b, fi):
    b.fm.hold_oids = True
    asked = len(b.fm.oids)
    ndis.oid_request(b.fp.open, request())
    while len(b.fm.oids) == asked:
        b.kernel.step()
    fi.armed = True
    ndis.cancel_oid_request(b.fp.open, 7)
    b.run()
    if b.fm.held_oid is not None:
        b.fm.complete_oid()
    b.fm.hold_oids = False


def ask_directly(b, fi):
    b.fm.pends = True
    fi.armed = True
    ndis.direct_oid_request(b.fp.open, request())
    b.run()
    if b.fm.direct is not None:
        b.fm.end_direct()


def cancel_direct(b, fi):
    b.fm.pends = True
    ndis.direct_oid_request(b.fp.open, request())
    fi.armed = True
    ndis.cancel_direct_oid_request(b.fp.open, 7)
    b.run()
    b.fm.end_direct()


def restart(b, fi):
    fi.armed = True
    b.kernel.start(_pause_and_restart(b))


async def _pause_and_restart(b):
    await ndis.pause_adapter(b.fm.adapter)
    await ndis.restart_adapter(b.fm.adapter)


def armed(act):
    def call(b, fi):
        fi.armed = True
        act(b)

    return call


CALLS = {
    "send_net_buffer_lists": armed(lambda b: b.fp.send(*b.frames(2))),
    "send_net_buffer_lists_complete": complete_one,
    "cancel_send_net_buffer_lists": armed(lambda b: b.fp.cancel(3)),
    "receive_net_buffer_lists": armed(lambda b: b.fm.indicate(*b.frames(2))),
    "return_net_buffer_lists": give_back_one,
    "oid_request": armed(lambda b: b.kernel.start(b.fp.request(request()))),
    "oid_request_complete": armed(lambda b: b.kernel.start(b.fp.request(request()))),
    "cancel_oid_request": cancel_request,
    "direct_oid_request": ask_directly,
    "direct_oid_request_complete": ask_directly,
    "cancel_direct_oid_request": cancel_direct,
    "status": armed(lambda b: b.fm.link(False)),
    "pause": restart,
    "restart": restart,
    "detach": armed(lambda b: b.kernel.start(b.fis[1].stop())),
}


@pytest.mark.parametrize("loaded", LOADS)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("handler", CALLS)
def test_the_filter_is_named_and_detached_and_the_stack_goes_on(handler, when, loaded):
    b, fi = stack(breaking(handler, when), loaded)
    with b.ndis.report.collect() as found:
        CALLS[handler](b, fi)
        for _ in range(4):
            b.run()
            end_what_is_out(b)
    assert [str(each) for each in found if not isinstance(each, DriverFault)] == []
    assert [(each.actor, each.handler, type(each.__cause__)) for each in found] == [(fi.driver, handler, Crash)]
    assert b.fm.adapter.state is AdapterState.RUNNING
    assert [module.driver.characteristics.name for module in b.fm.adapter.filters] == ["top", "bottom"]
    assert fi.driver not in b.ndis.filter_drivers
    assert fi.module.state is FilterState.DETACHED
    assert [fp.in_flight for fp in b.fps] == [0, 0]
    assert b.fm.adapter.statistics() == {"sends_outstanding": 0, "receives_outstanding": 0}
    assert all(fp.open.idle() for fp in b.fps)
    assert b.ndis.oid_clones == {}
    a_frame_goes_both_ways(b)
    b.stop()


def end_what_is_out(b):
    """Everybody else gives back what he has."""
    b.fm.complete_all()
    for fp in b.fps:
        fp.hold = False
        if fp.held:
            fp.give_back()


def a_frame_goes_both_ways(b):
    seen = len(b.fis[0].trace), len(b.fis[2].trace)
    (nbl,) = b.fp.send(b.frame(40))
    assert b.fm.sent_frames[-1] == b.frame(40)
    b.fm.complete(nbl)
    assert b.fp.completed[-1] == (nbl, NdisStatus.SUCCESS)
    b.fm.indicate(b.frame(41))
    assert [fp.received[-1] for fp in b.fps] == [b.frame(41)] * 2
    assert (len(b.fis[0].trace), len(b.fis[2].trace)) == (seen[0] + 4, seen[1] + 4)


def test_what_the_filter_had_is_in_the_report():
    b, fi = stack(breaking("status", "before"), True)
    fi.armed = True
    with b.ndis.report.collect() as found:
        b.fm.link(False)
    text = str(found[0])
    assert text.startswith("FAULT FilterDriver(broken) status @0ns seed=0: raised Crash('status')")
    assert text.count(", which it held") == 4
    assert text.count("of its own, which") == 2


@pytest.mark.rule("S6-04")
@pytest.mark.parametrize("verify", ["fast", "full"])
@pytest.mark.parametrize("cuts", [(), (20, 20)])
def test_a_list_that_the_filter_had_changed_goes_home_as_it_was(verify, cuts):
    class Spoiling(FunctionalFilter):
        def send_net_buffer_lists(self, nbls, port_number, send_flags):
            ndis.retreat_net_buffer_list_data_start(nbls, 8, 0, None, None)
            nbls.first_net_buffer.mdl_chain.next = None
            ndis.allocate_net_buffer_list_context(nbls, 16)
            nbls.child_ref_count += 1
            raise Crash("send")

    b = NdisBench(verify=verify)
    b.filter(Spoiling)
    with b.ndis.report.collect() as found:
        (nbl,) = b.fp.send(b.frame(3), cuts=cuts)
        b.run()
    assert [each.rule for each in found] == ["FAULT"]
    assert b.fp.completed == [(nbl, NdisStatus.FAILURE)]
    assert nbl.first_net_buffer.tobytes() == b.frame(3)
    b.fp.send_nbls([nbl])
    assert b.fm.sent_frames == [b.frame(3)]
    b.fm.complete_all()
    b.stop()


@pytest.mark.rule("MD-09")
@pytest.mark.parametrize("cuts", [(), (20, 20)])
def test_a_received_list_that_the_filter_had_changed_goes_home_as_it_was(cuts):
    class Spoiling(FunctionalFilter):
        def receive_net_buffer_lists(self, nbls, port_number, number, flags):
            ndis.advance_net_buffer_list_data_start(nbls, 14)
            mdl = nbls.first_net_buffer.mdl_chain
            mdl.next = mdl
            raise Crash("receive")

    b = NdisBench()
    b.filter(Spoiling)
    with b.ndis.report.collect() as found:
        (nbl,) = b.fm.indicate(b.frame(3), cuts=cuts)
        b.run()
    assert [each.rule for each in found] == ["FAULT"]
    assert b.fm.returned == [nbl]
    assert len(nbl.first_net_buffer.tobytes()) == 60
    b.stop()


@pytest.mark.rule("OI-02")
def test_requests_that_the_filter_was_sitting_on_end():
    class Sitting(FunctionalFilter):
        def oid_request(self, request):
            return NdisStatus.PENDING

        def direct_oid_request(self, request):
            return NdisStatus.PENDING

        def status(self, indication):
            raise Crash("status")

    b = NdisBench(miniport=Miniport, protocol=Protocol)
    b.filter(Sitting)
    ndis.oid_request(b.fp.open, request())
    assert ndis.direct_oid_request(b.fp.open, request()) is NdisStatus.PENDING
    while b.kernel.due(later=False):
        b.kernel.step()
    before = len(b.fp.requests)
    with b.ndis.report.collect() as found:
        b.fm.link(False)
        b.run()
    assert [each.rule for each in found] == ["FAULT"]
    assert [status for _, status in b.fp.requests[before:]] == [NdisStatus.FAILURE]
    assert b.fp.ended == 1
    assert b.fm.adapter.filters == ()
    b.stop()


def test_a_filter_that_raises_twice_is_taken_out_once():
    class Twice(FunctionalFilter):
        def send_net_buffer_lists(self, nbls, port_number, send_flags):
            super().send_net_buffer_lists(nbls, port_number, send_flags)
            raise Crash("send")

        def send_net_buffer_lists_complete(self, nbls, flags):
            raise Crash("complete")

    b = NdisBench(completion="inline")
    b.filter(Twice)
    (nbl,) = b.fp.send(b.frame(3))
    with pytest.raises(DriverFault, match="send_net_buffer_lists_complete"):
        b.run()
    b.run()  # nothing more is raised
    handlers = [each.handler for each in b.ndis.report.violations]
    assert handlers == ["send_net_buffer_lists_complete", "send_net_buffer_lists"]
    b.ndis.report.violations.clear()
    assert b.ndis.filter_drivers == []
    assert b.fp.completed == [(nbl, NdisStatus.SUCCESS)]
    b.stop()


def test_a_filter_is_unloaded_by_its_owner_while_ndis_takes_it_out():
    b, fi = stack(breaking("status", "before"), False)
    fi.armed = True
    with b.ndis.report.collect() as found:
        b.fm.link(False)
        b.kernel.start(ndis.deregister_filter_driver(fi.driver))
        b.kernel.start(ndis.detach_filter(fi.module))
        b.run()
    assert [each.rule for each in found] == ["FAULT"]
    assert fi.driver not in b.ndis.filter_drivers
    a_frame_goes_both_ways(b)
    b.stop()


@pytest.mark.parametrize("handler", ["oid_request", "direct_oid_request", "restart"])
def test_a_filter_that_has_completed_before_it_raises_is_blamed_for_the_exception_alone(handler):
    complete = {
        "oid_request": lambda fi, asked: ndis.filter_complete_oid_request(fi.module, asked, NdisStatus.SUCCESS),
        "direct_oid_request": lambda fi, asked: ndis.filter_complete_direct_oid_request(
            fi.module, asked, NdisStatus.SUCCESS
        ),
        "restart": lambda fi, _: ndis.complete_filter_restart(fi.module, NdisStatus.SUCCESS),
    }[handler]

    def broken(self, argument):
        if not self.armed:
            return getattr(FunctionalFilter, handler)(self, argument)
        complete(self, argument)
        raise Crash(handler)

    b, fi = stack(type("Completing", (FunctionalFilter,), {"armed": False, handler: broken}), False)
    with b.ndis.report.collect() as found:
        CALLS[handler](b, fi)
        b.run()
    assert [(each.rule, each.actor) for each in found] == [("FAULT", fi.driver)]
    a_frame_goes_both_ways(b)
    b.stop()


@pytest.mark.parametrize("verify", ["fast", "full"])
def test_a_filter_that_cannot_cancel_has_queued_nothing_when_it_raises(verify):
    b = NdisBench(verify=verify)
    b.filter(breaking("send_net_buffer_lists", "before"), bypass=("cancel_send_net_buffer_lists",)).armed = True
    with b.ndis.report.collect() as found:
        b.fp.send(b.frame())
        b.run()
    assert [each.rule for each in found] == ["FAULT"]
    assert [status for _, status in b.fp.completed] == [NdisStatus.FAILURE]
    b.stop()


def test_a_filter_that_raises_while_it_is_attached_elsewhere_is_attached_nowhere():
    class Slow(FunctionalFilter):
        modules = ()

        async def attach(self, module):
            self.modules = (*self.modules, module)
            if len(self.modules) == 2:
                await self.go_on.wait()
            status = super().attach(module)
            self.attached = False  # it wants every adapter
            return status

        def status(self, indication):
            raise Crash("status")

    b = NdisBench()
    b.filter(Slow).go_on = b.kernel.create_event()
    other = FunctionalMiniport(b.ndis, "other")
    b.kernel.start(other.start())
    with b.ndis.report.collect() as found:
        while b.kernel.due(later=False):
            b.kernel.step()
        assert len(b.fis[0].modules) == 2
        b.fm.link(False)
        b.fis[0].go_on.set()
        b.run()
    assert [each.rule for each in found] == ["FAULT"]
    assert (b.fm.adapter.filters, other.adapter.filters) == ((), ())
    assert other.adapter.state is AdapterState.RUNNING
    assert [pool for pool in b.ndis.pools if "Slow" in repr(pool) or pool.owner in b.fis[0].modules] == []
    b.run(ndis.halt_adapter(other.adapter))
    b.stop()

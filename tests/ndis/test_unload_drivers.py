# SPDX-License-Identifier: Apache-2.0
"""Protocols and miniports of NDIS 6, every handler: the one that raises is named and out, the others lose nothing."""

from __future__ import annotations

import dataclasses
import os

import pytest

from hilnic import ndis
from hilnic.ndis import AdapterState, NdisStatus, NetEvent, Oid, Profile
from hilnic.ndis.faults import DriverFault
from hilnic.testing import FunctionalFilter, FunctionalMiniport, FunctionalProtocol, NdisBench
from hilnic.testing.kernel import VirtualMapper
from hilnic.testing.miniport import MAC_ADDRESS

WHEN = pytest.mark.parametrize("when", ["before", "after"])


LOADS = [False, True] if "HILNIC_SOAK" in os.environ else [True]
"""With nothing that is out or held, and with all that a driver may have."""
LOADED = pytest.mark.parametrize("loaded", LOADS)


class Crash(Exception):
    """What a broken handler raises."""


def breaking(kind, handler, when):
    """A driver of this kind whose `handler` raises while it is armed, `before` it does anything or `after` it has."""

    def broken(self, *args):
        if not self.armed:
            return getattr(kind, handler)(self, *args)
        if when == "after":
            answer = getattr(kind, handler)(self, *args)
            if hasattr(answer, "send"):
                return _after(answer, handler)
        raise Crash(handler)

    return type(f"Breaking{kind.__name__}", (kind,), {"armed": False, handler: broken})


async def _after(answer, handler):
    await answer
    raise Crash(handler)


class Protocol(FunctionalProtocol):
    """With direct requests."""

    def characteristics(self):
        kind = type(self)
        return dataclasses.replace(
            super().characteristics(), direct_oid_request_complete=kind.direct_oid_request_complete
        )

    def direct_oid_request_complete(self, request, status):
        self.requests.append((request, status))


class Miniport(FunctionalMiniport):
    """With direct requests, which pend, an interrupt, a timer and a work item."""

    direct = None

    def characteristics(self):
        kind = type(self)
        return dataclasses.replace(
            super().characteristics(),
            direct_oid_request=kind.direct_oid_request,
            cancel_direct_oid_request=kind.cancel_direct_oid_request,
        )

    def initialize(self, adapter):
        status = super().initialize(adapter)
        self.vectors = {}
        kind = type(self)
        pins = ndis.InterruptCharacteristics(
            connect=self.vectors.__setitem__, message_interrupt=kind.isr, message_interrupt_dpc=kind.dpc
        )
        _, self.interrupt = ndis.register_interrupt(adapter, self, pins)
        self.timer = ndis.allocate_timer_object(adapter, kind.expired, self)
        return status

    def halt(self, action):
        ndis.deregister_interrupt(self.interrupt)
        ndis.free_timer_object(self.timer)
        super().halt(action)

    def isr(self, message_id):
        self.trace.append("isr")
        return True, True

    def dpc(self, message_id, throttle):
        """Nothing to do."""

    def expired(self):
        """Nothing to do."""

    async def work(self):
        """Nothing to do."""

    def synchronized(self):
        return True

    def direct_oid_request(self, request):
        self.direct = request
        return NdisStatus.PENDING

    def cancel_direct_oid_request(self, request_id):
        """It is not given up."""


def request(oid=Oid.OID_GEN_VENDOR_DESCRIPTION):
    asked = ndis.query(oid, 64)
    asked.request_id = 7
    return asked


def load(b, protocol):
    """Sends that are out, receives that are held, a request in line and one that is direct."""
    b.fps[0].send(*b.frames(2))
    protocol.hold = True
    b.fm.indicate(*b.frames(2))
    b.fm.hold_oids = True
    ndis.oid_request(protocol.open, request())
    ndis.direct_oid_request(protocol.open, request())
    b.run()


def end_what_is_out(b):
    """Everybody who is left gives back what he has."""
    b.run()
    b.fm.hold_oids = False
    if not b.fm.driver.faulted:
        b.fm.complete_all()
        if b.fm.held_oid is not None:
            b.fm.complete_oid()
        for asked in list(b.fm.adapter.direct_requests):
            ndis.complete_direct_oid_request(b.fm.adapter, asked, NdisStatus.SUCCESS)
    for fp in b.fps:
        fp.hold = False
        if fp.held:
            fp.give_back()
    b.run()


def only_fault(found, driver, name):
    assert [str(each) for each in found if not isinstance(each, DriverFault)] == []
    assert [(each.actor, each.handler, type(each.__cause__)) for each in found] == [(driver, name, Crash)]


def frames_go_both_ways(b):
    (nbl,) = b.fp.send(b.frame(40))
    assert b.fm.sent_frames[-1] == b.frame(40)
    b.fm.complete(nbl)
    assert b.fp.completed[-1] == (nbl, NdisStatus.SUCCESS)
    b.fm.indicate(b.frame(41))
    assert b.fp.received[-1] == b.frame(41)


# Protocols.


async def pause_and_restart(b):
    await ndis.pause_adapter(b.fm.adapter)
    await ndis.restart_adapter(b.fm.adapter)


def end_direct(b, p):
    ndis.direct_oid_request(p.open, request())
    ndis.complete_direct_oid_request(b.fm.adapter, b.fm.direct, NdisStatus.SUCCESS)


def complete_one(b, p):
    (nbl,) = p.send(b.frame(5))
    b.fm.complete(nbl)


def finish_requests(b, p):
    ndis.oid_request(p.open, request())
    b.fm.hold_oids = False
    if b.fm.held_oid is not None:
        b.fm.complete_oid()


PROTOCOL = {
    "receive_net_buffer_lists": lambda b, p: b.fm.indicate(*b.frames(2)),
    "send_net_buffer_lists_complete": complete_one,
    "oid_request_complete": finish_requests,
    "direct_oid_request_complete": end_direct,
    "status": lambda b, p: b.fm.link(False),
    "net_pnp_event": lambda b, p: b.kernel.start(pause_and_restart(b)),
    "unbind_adapter": lambda b, p: b.kernel.start(ndis.unbind_protocol(p.binding)),
    "close_adapter_complete": lambda b, p: b.kernel.start(ndis.unbind_protocol(p.binding)),
}


@WHEN
@LOADED
@pytest.mark.parametrize("handler", PROTOCOL)
def test_the_protocol_is_named_and_out_and_the_others_go_on(handler, when, loaded):
    b = NdisBench(protocols=2, miniport=Miniport)
    b.filter(FunctionalFilter)
    broken = breaking(Protocol, handler, when)(b.ndis, "broken")
    b.run(broken.start())
    b.run(broken.listen())
    if loaded or handler == "close_adapter_complete":
        load(b, broken)
    broken.armed = True
    with b.ndis.report.collect() as found:
        PROTOCOL[handler](b, broken)
        end_what_is_out(b)
    only_fault(found, broken.driver, handler)
    assert broken.driver not in b.ndis.protocol_drivers
    assert (broken.driver.bindings, broken.driver.binds) == ([], [])
    assert [fp.in_flight for fp in b.fps] == [0, 0]
    assert b.fm.adapter.state is AdapterState.RUNNING
    assert b.fm.adapter.statistics() == {"sends_outstanding": 0, "receives_outstanding": 0}
    assert [pool for pool in b.ndis.pools if pool.owner is broken.driver] == []
    frames_go_both_ways(b)
    b.stop()


@WHEN
@pytest.mark.parametrize("handler", ["bind_adapter", "open_adapter_complete"])
@pytest.mark.parametrize("pends", [False, True])
def test_a_protocol_that_raises_in_its_bind_is_out(handler, when, pends):
    b = NdisBench(miniport=Miniport, profile=Profile(pend_open=pends))
    broken = breaking(Protocol, handler, when)(b.ndis, "broken")
    broken.armed = True
    with b.ndis.report.collect() as found:
        b.run(broken.start())
        end_what_is_out(b)
    if handler == "open_adapter_complete" and not pends:
        assert found == []
        b.run(broken.stop())
    else:
        only_fault(found, broken.driver, handler)
        assert broken.driver not in b.ndis.protocol_drivers
        assert broken.driver.bindings == []
    frames_go_both_ways(b)
    b.stop()


@WHEN
def test_a_protocol_that_raises_when_it_is_deregistered_is_out(when):
    b = NdisBench(miniport=Miniport)
    broken = breaking(Protocol, "unbind_adapter", when)(b.ndis, "broken")
    b.run(broken.start())
    broken.send(b.frame())
    broken.armed = True
    with b.ndis.report.collect() as found:
        b.kernel.start(ndis.deregister_protocol_driver(broken.driver))
        end_what_is_out(b)
    only_fault(found, broken.driver, "unbind_adapter")
    assert broken.driver not in b.ndis.protocol_drivers
    frames_go_both_ways(b)
    b.stop()


# Miniports.


def cancel_queued(b):
    b.fm.hold_oids = True
    if b.fm.held_oid is None:
        ndis.oid_request(b.fps[1].open, request())
        b.run()
    ndis.cancel_oid_request(b.fps[1].open, 7)


def cancel_direct(b):
    ndis.direct_oid_request(b.fp.open, request())
    ndis.cancel_direct_oid_request(b.fp.open, 7)


def give_back(b):
    b.fp.hold = True
    nbls = b.fm.indicate(b.frame(5))
    b.fm.armed = True
    b.fp.give_back(*nbls)


def check_for_hang(b):
    b.kernel.run_for(3_000_000_000)


MINIPORT = {
    "send_net_buffer_lists": lambda b: b.fp.send(b.frame()),
    "return_net_buffer_lists": give_back,
    "oid_request": lambda b: b.kernel.start(b.fp.request(request())),
    "cancel_oid_request": cancel_queued,
    "cancel_send": lambda b: b.fp.cancel(3),
    "direct_oid_request": lambda b: ndis.direct_oid_request(b.fp.open, request()),
    "cancel_direct_oid_request": cancel_direct,
    "reset": lambda b: ndis.reset_miniport(b.fm.adapter),
    "check_for_hang": check_for_hang,
    "pause": lambda b: b.kernel.start(pause_and_restart(b)),
    "restart": lambda b: b.kernel.start(pause_and_restart(b)),
    "halt": lambda b: b.kernel.start(ndis.halt_adapter(b.fm.adapter)),
    "device_pnp_event_notify": lambda b: ndis.remove_miniport(b.fm.adapter),
    "isr": lambda b: b.fm.vectors[0](),
    "dpc": lambda b: b.fm.vectors[0](),
    "expired": lambda b: ndis.set_timer_object(b.fm.timer, 10, 10),
    "work": lambda b: ndis.queue_io_work_item(b.fm.adapter, type(b.fm).work, b.fm),
    "synchronized": lambda b: ndis.synchronize_with_interrupt(b.fm.interrupt, 0, type(b.fm).synchronized, b.fm),
}
NAMES = {
    "isr": "message_interrupt", "dpc": "message_interrupt_dpc", "expired": "a timer", "work": "a work item",
    "synchronized": "a function synchronized with the ISR",
}  # fmt: skip


@WHEN
@LOADED
@pytest.mark.parametrize("handler", MINIPORT)
def test_the_miniport_is_named_and_removed_and_another_goes_on(handler, when, loaded):
    kind = breaking(Miniport, handler, when)
    b = NdisBench(protocols=2, miniport=kind, profile=Profile(check_for_hang=handler == "check_for_hang"))
    b.filter(FunctionalFilter)
    other = NextDoor(b)
    if loaded:
        load(b, b.fps[1])
    b.fm.armed = handler != "return_net_buffer_lists"
    with b.ndis.report.collect() as found:
        MINIPORT[handler](b)
        end_what_is_out(b)
    only_fault(found, b.fm.driver, NAMES.get(handler, handler))
    assert b.fm.driver not in b.ndis.miniport_drivers
    assert (b.fm.adapter.state, b.fm.adapter.bindings) == (AdapterState.HALTED, [])
    assert (b.fm.adapter.interrupts, b.fm.adapter.timers, b.fm.adapter.direct_requests) == ([], [], [])
    assert b.fm.adapter.oids.pending() == []
    assert [fp.in_flight for fp in b.fps] == [0, 0]
    assert [pool for pool in b.ndis.pools if pool.owner is b.fm.adapter] == []
    other.frames_go_both_ways()
    other.stop()
    b.stop()


def test_no_handler_of_a_driver_is_called_after_one_has_raised():
    kind = breaking(Miniport, "send_net_buffer_lists", "before")
    b = NdisBench(miniport=kind)
    ndis.oid_request(b.fp.open, request())
    ndis.queue_io_work_item(b.fm.adapter, lambda _: b.fm.pool.no_such_thing)
    description = ndis.ScatterGatherDmaDescription(VirtualMapper(), lambda *_: b.fm.trace.append("process_sg_list"))
    _, dma = ndis.register_scatter_gather_dma(b.fm.adapter, description)
    asked = len(b.fm.oids)
    b.fm.armed = True
    with b.ndis.report.collect() as found:
        b.fp.send(b.frame())
        dma.process(None, None)  # from a DPC, as late as it may come
        b.fm.vectors[0]()
        b.run()
    only_fault(found, b.fm.driver, "send_net_buffer_lists")
    assert (len(b.fm.oids), {"process_sg_list", "isr"} & set(b.fm.trace)) == (asked, set())
    assert [status for _, status in b.fp.requests][-1] is NdisStatus.FAILURE
    b.stop()


@WHEN
def test_a_miniport_that_raises_in_initialize_is_out(when):
    b = NdisBench()
    b.stop()
    broken = breaking(Miniport, "initialize", when)(b.ndis, "broken")
    broken.armed = True
    with b.ndis.report.collect() as found:
        assert b.run(broken.start()) is NdisStatus.FAILURE
        b.run()
    only_fault(found, broken.driver, "initialize")
    assert (b.ndis.miniport_drivers, b.ndis.adapters, b.ndis.pools) == ([b.fm.driver], [], b.ndis.pools[:2])
    b.ndis.check_leaks()


@WHEN
def test_a_miniport_that_raises_at_the_shutdown_is_out(when):
    b = NdisBench(miniport=breaking(Miniport, "shutdown", when))
    b.fm.armed = True
    with b.ndis.report.collect() as found:
        ndis.shutdown_adapter(b.fm.adapter)
    only_fault(found, b.fm.driver, "shutdown")


class Unwatched(FunctionalMiniport):
    """Nobody asks whether it hangs: the bench would never come to its end."""

    def characteristics(self):
        return dataclasses.replace(super().characteristics(), check_for_hang=None)


class NextDoor:
    """A second miniport, and a protocol on it."""

    def __init__(self, b):
        self.b = b
        self.fm = Unwatched(b.ndis, "next", MAC_ADDRESS)
        b.run(self.fm.start())
        self.fp = FunctionalProtocol(b.ndis, "neighbour", "next")
        b.run(self.fp.start())
        b.run(self.fp.listen())

    def frames_go_both_ways(self):
        frame = self.b.frame(40)
        (nbl,) = self.fp.send(frame)
        assert self.fm.sent_frames == [frame]
        self.fm.complete(nbl)
        self.fm.indicate(frame)
        assert self.fp.received == [frame]

    def stop(self):
        self.b.run(ndis.halt_adapter(self.fm.adapter))
        self.b.run(self.fp.stop())


@pytest.mark.rule("ST-06")
def test_a_pause_that_the_protocol_left_pending_ends_when_it_is_out():
    class Pending(FunctionalProtocol):
        def net_pnp_event(self, event):
            return NdisStatus.PENDING if event.event is NetEvent.PAUSE else NdisStatus.SUCCESS

        def status(self, indication):
            raise Crash("status")

    b = NdisBench(miniport=Miniport)
    broken = Pending(b.ndis, "broken")
    b.run(broken.start())
    paused = b.kernel.start(ndis.pause_adapter(b.fm.adapter))
    while b.kernel.due(later=False):
        b.kernel.step()
    assert paused == []
    with b.ndis.report.collect() as found:
        b.fm.link(False)
        b.run()
    only_fault(found, broken.driver, "status")
    assert b.fm.adapter.state is AdapterState.PAUSED
    assert broken.driver not in b.ndis.protocol_drivers
    b.run(ndis.restart_adapter(b.fm.adapter))
    frames_go_both_ways(b)
    b.stop()


@pytest.mark.parametrize("handler", ["oid_request", "direct_oid_request"])
def test_a_miniport_that_has_completed_before_it_raises_is_blamed_for_the_exception_alone(handler):
    complete = {"oid_request": ndis.complete_oid_request, "direct_oid_request": ndis.complete_direct_oid_request}

    def broken(self, asked):
        if asked.oid != Oid.OID_GEN_VENDOR_DESCRIPTION:
            return NdisStatus.SUCCESS
        complete[handler](self.adapter, asked, NdisStatus.SUCCESS)
        raise Crash(handler)

    b = NdisBench(miniport=type("Completing", (Miniport,), {handler: broken}), protocol=Protocol)
    before = len(b.fp.requests)
    with b.ndis.report.collect() as found:
        (ndis.oid_request if handler == "oid_request" else ndis.direct_oid_request)(b.fp.open, request())
        b.run()
    only_fault(found, b.fm.driver, handler)
    assert len(b.fp.requests) == before + 1
    b.stop()

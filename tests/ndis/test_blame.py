# SPDX-License-Identifier: Apache-2.0
"""Who is to blame when something raises inside of nested calls: the driver whose handler raised, never its caller."""

from __future__ import annotations

import dataclasses

import pytest

from hilnic import ndis
from hilnic.ndis import NdisStatus, NdisViolation, Oid, Profile
from hilnic.ndis.faults import DriverFault
from hilnic.testing import FunctionalFilter, FunctionalMiniport, FunctionalProtocol, NdisBench
from hilnic.testing.frames import free_nbl
from hilnic.testing.kernel import VirtualMapper


class Crash(Exception):
    """What a broken handler raises."""


def crash(*args):
    raise Crash(args)


def stack(miniport=FunctionalMiniport, protocol=FunctionalProtocol, profile=None):
    """Two protocols over a miniport, of the given kinds."""
    return NdisBench(protocols=2, miniport=miniport, protocol=protocol, profile=profile)


def direct(handler):
    """A miniport that answers direct requests with PENDING, and one handler that raises."""

    def pend(self, request):
        self.direct = request
        return NdisStatus.PENDING

    def initialize(self, adapter):
        status = FunctionalMiniport.initialize(self, adapter)
        pins = ndis.InterruptCharacteristics(
            connect=lambda *_: None, message_interrupt=lambda *_: (True, True), message_interrupt_dpc=lambda *_: None
        )
        _, self.interrupt = ndis.register_interrupt(adapter, self, pins)
        return status

    def halt(self, action):
        ndis.deregister_interrupt(self.interrupt)
        FunctionalMiniport.halt(self, action)

    def characteristics(self):
        kind = type(self)
        return dataclasses.replace(
            FunctionalMiniport.characteristics(self),
            direct_oid_request=kind.direct_oid_request,
            cancel_direct_oid_request=kind.cancel_direct_oid_request,
        )

    handlers = {
        "characteristics": characteristics, "initialize": initialize, "halt": halt,
        "direct_oid_request": pend, "cancel_direct_oid_request": lambda *_: None, handler: crash,
    }  # fmt: skip
    return type("Direct", (FunctionalMiniport,), handlers)


class Unhappy(FunctionalProtocol):
    """Raises when a direct request of its ends."""

    def characteristics(self):
        return dataclasses.replace(super().characteristics(), direct_oid_request_complete=crash)


def request(oid):
    asked = ndis.query(oid, 64)
    asked.request_id = 7
    return asked


def ask_directly(b):
    return ndis.direct_oid_request(b.fp.open, request(Oid.OID_GEN_VENDOR_ID))


def cancel_direct(b):
    ask_directly(b)
    ndis.cancel_direct_oid_request(b.fp.open, 7)


def cancel_queued(b):
    b.fm.hold_oids = True
    asked = len(b.fm.oids)
    ndis.oid_request(b.fp.open, request(Oid.OID_GEN_VENDOR_DESCRIPTION))
    while len(b.fm.oids) == asked:
        b.kernel.step()
    ndis.cancel_oid_request(b.fp.open, 7)


def remove(b):
    ndis.remove_miniport(b.fm.adapter)


def map_a_frame(b):
    description = ndis.ScatterGatherDmaDescription(VirtualMapper(), crash)
    _, dma = ndis.register_scatter_gather_dma(b.fm.adapter, description)
    nbl = b.fp.build(b.frame())
    ndis.allocate_net_buffer_sg_list(dma, nbl.first_net_buffer, None)
    free_nbl(nbl)


def synchronize(b):
    ndis.synchronize_with_interrupt(b.fm.interrupt, 0, crash)


MINIPORT = [
    ("direct_oid_request", ask_directly, "direct_oid_request"),
    ("cancel_direct_oid_request", cancel_direct, "cancel_direct_oid_request"),
    ("cancel_oid_request", cancel_queued, "cancel_oid_request"),
    ("device_pnp_event_notify", remove, "device_pnp_event_notify"),
    ("unused", map_a_frame, "process_sg_list"),
    ("unused", synchronize, "a function synchronized with the ISR"),
]


@pytest.mark.parametrize(("broken", "call", "name"), MINIPORT)
def test_the_miniport_whose_handler_raises_is_named_and_out_and_its_caller_goes_on(broken, call, name):
    b = stack(miniport=direct(broken))
    with b.ndis.report.collect() as found:
        call(b)
        b.run()
    assert [str(each) for each in found if not isinstance(each, DriverFault)] == []
    assert [(repr(each.actor), each.handler) for each in found] == [("MiniportDriver(fm)", name)]
    assert isinstance(found[0].__cause__, Crash)
    assert b.ndis.miniport_drivers == []
    assert [fp.open for fp in b.fps if fp.driver.bindings] == []  # unbound, and still there
    assert len(b.ndis.protocol_drivers) == 2
    b.stop()


def test_the_protocol_whose_handler_raises_is_named_not_the_miniport_that_completed():
    b = stack(miniport=direct("unused"), protocol=Unhappy)
    ask_directly(b)
    with b.ndis.report.collect() as found:
        ndis.complete_direct_oid_request(b.fm.adapter, b.fm.direct, NdisStatus.SUCCESS)
        b.run()
    assert [(repr(each.actor), each.handler) for each in found] == [
        ("ProtocolDriver(fp0)", "direct_oid_request_complete")
    ]
    assert [repr(driver) for driver in b.ndis.protocol_drivers] == ["ProtocolDriver(fp1)"]
    assert b.fm.adapter.state.value == "Running"
    b.stop()


def test_a_protocol_that_raises_when_its_open_completes_is_out_and_the_bind_has_ended():
    broken = type("Broken", (FunctionalProtocol,), {"open_adapter_complete": crash})
    b = NdisBench(profile=Profile(pend_open=True))
    third = broken(b.ndis, "broken")
    with b.ndis.report.collect() as found:
        b.run(third.start())
        b.run()
    assert [(repr(each.actor), each.handler) for each in found] == [("ProtocolDriver(broken)", "open_adapter_complete")]
    assert third.driver not in b.ndis.protocol_drivers
    assert third.driver.bindings == []
    b.stop()


@pytest.mark.parametrize("handler", ["oid_request", "oid_request_complete", "direct_oid_request", "pause"])
def test_a_filter_whose_handler_raises_is_named(handler):
    b = NdisBench()
    fi = b.filter(type("Broken", (FunctionalFilter,), {handler: crash}))
    calls = {
        "direct_oid_request": lambda: ask_directly(b),
        "pause": lambda: b.run(ndis.pause_adapter(b.fm.adapter)),
    }
    call = calls.get(handler, lambda: b.run(b.fp.request(request(Oid.OID_GEN_VENDOR_DESCRIPTION))))
    with b.ndis.report.collect() as found:
        call()
        b.run()
    assert [(each.actor, each.handler) for each in found] == [(fi.driver, handler)]


# Nested: a call inside a handler inside a call.


@pytest.mark.rule("OI-21")
def test_rubbish_that_a_handler_hands_to_ndis_is_the_handlers_driver_s_not_its_caller_s():
    """protocol: send -> miniport: send handler -> complete(nonsense)."""

    class Careless(FunctionalMiniport):
        def send_net_buffer_lists(self, nbls, port_number, send_flags):
            super().send_net_buffer_lists(nbls, port_number, send_flags)
            ndis.indicate_status(self.adapter, "no indication")

    b = stack(miniport=Careless)
    with pytest.raises(NdisViolation) as found:
        b.fp.send(b.frame())
    assert (found.value.rule, found.value.actor) == ("OI-21", b.fm.adapter)
    assert "NdisMIndicateStatusEx" in str(found.value)


def test_a_handler_that_raises_three_calls_deep_is_named_and_the_two_above_it_go_on():
    """first protocol: send -> miniport: indicate a status -> second protocol: status handler raises."""

    class Telling(FunctionalMiniport):
        def send_net_buffer_lists(self, nbls, port_number, send_flags):
            super().send_net_buffer_lists(nbls, port_number, send_flags)
            self.link(False)

    b = stack(miniport=Telling)
    third = type("Broken", (FunctionalProtocol,), {"status": lambda self, indication: crash()})(b.ndis, "broken")
    b.run(third.start())
    b.run(third.listen())
    with b.ndis.report.collect() as found:
        (nbl,) = b.fp.send(b.frame())
        b.fm.complete(nbl)
        b.run()
    assert [(repr(each.actor), each.handler) for each in found] == [("ProtocolDriver(broken)", "status")]
    assert b.fp.completed[0][0] is nbl
    assert b.fm.adapter.state.value == "Running"
    b.stop()


@pytest.mark.parametrize("raising", [{1}, {2}, {3}, {1, 2}, {1, 3}, {2, 3}, {1, 2, 3}])
def test_of_three_handlers_inside_of_each_other_s_calls_each_answers_for_its_own_exception(raising):
    """1: a protocol sends from its receive handler -> 2: a miniport tells a status from its send -> 3: a protocol."""

    class Answering(FunctionalProtocol):
        def receive_net_buffer_lists(self, nbls, port, count, flags):
            super().receive_net_buffer_lists(nbls, port, count, flags)
            self.send(b.frame(1))
            if 1 in raising:
                crash(1)

    class Telling(FunctionalMiniport):
        def send_net_buffer_lists(self, nbls, port_number, send_flags):
            super().send_net_buffer_lists(nbls, port_number, send_flags)
            self.link(False)
            if 2 in raising:
                crash(2)

    class Listening(FunctionalProtocol):
        def status(self, indication):
            if 3 in raising and indication.status_code is NdisStatus.LINK_STATE:
                crash(3)

    b = NdisBench(miniport=Telling)
    first, third = Answering(b.ndis, "first"), Listening(b.ndis, "third")
    for protocol in (first, third):
        b.run(protocol.start())
    b.run(first.listen())
    with b.ndis.report.collect() as found:
        b.fm.indicate(b.frame())
        b.run()
        if 2 not in raising:
            b.fm.complete_all()
            b.run()
    names = {1: ("first", "receive_net_buffer_lists"), 2: ("fm", "send_net_buffer_lists"), 3: ("third", "status")}
    assert [(each.actor.characteristics.name, each.handler) for each in found] == [
        names[level] for level in sorted(raising, reverse=True)
    ]
    assert all(each.__cause__.args == ((level,),) for each, level in zip(found, sorted(raising)[::-1], strict=True))
    alive = {driver.characteristics.name for driver in [*b.ndis.protocol_drivers, *b.ndis.miniport_drivers]}
    assert alive == {"fp0", "first", "fm", "third"} - {names[level][0] for level in raising}

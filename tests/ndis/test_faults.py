# SPDX-License-Identifier: Apache-2.0
"""An exception in a handler: NDIS takes that driver out, completes and returns what it held, and the others go on."""

from __future__ import annotations

import pytest

from hilnic import ndis
from hilnic.ndis import AdapterState, NdisStatus, NetEvent, Oid
from hilnic.ndis.faults import DriverFault
from hilnic.testing import FunctionalMiniport, FunctionalProtocol, NdisBench, VirtualMapper, expect_violation


class Crash(Exception):
    """What a broken handler raises."""


def crashing(kind, handler):
    """A functional driver whose `handler` raises while `armed`."""

    def broken(self, *args):
        if self.armed:
            raise Crash(handler)
        return getattr(super(driver, self), handler)(*args)

    driver = type(f"Crashing{kind.__name__}", (kind,), {"armed": False, handler: broken})
    return driver


PROTOCOL = [
    "receive_net_buffer_lists", "send_net_buffer_lists_complete", "oid_request_complete", "status", "net_pnp_event",
    "unbind_adapter",
]  # fmt: skip
MINIPORT = [
    "send_net_buffer_lists",
    "return_net_buffer_lists",
    "oid_request",
    "cancel_send",
    "pause",
    "restart",
    "halt",
]


@pytest.mark.parametrize("handler", PROTOCOL)
def test_a_protocol_whose_handler_raises_is_taken_out_and_the_other_goes_on(handler):
    b = NdisBench(protocols=2)
    broken = crashing(FunctionalProtocol, handler)
    third = broken(b.ndis, "broken")
    b.run(third.start())
    b.run(third.listen())
    third.hold = True
    b.fm.indicate(*b.frames(2))  # it holds these
    waiting = third.send(*b.frames(2))  # and these are out
    third.armed = True
    with b.ndis.report.collect() as found:
        exercise_with(b, third, handler)
        b.fm.complete(*[nbl for nbl in waiting if nbl in b.fm.captured])
        b.run()
    faults = [fault for fault in found if isinstance(fault, DriverFault)]
    assert [fault.handler for fault in faults] == [handler] * len(faults)
    assert faults
    assert "ProtocolDriver(broken)" in str(faults[0])
    assert isinstance(faults[0].__cause__, Crash)
    assert third.driver not in b.ndis.protocol_drivers
    assert third.driver.bindings == []
    assert not b.fm.adapter.receives_outstanding
    before = len(b.fps[1].received)
    b.fm.indicate(b.frame(9))
    assert len(b.fps[1].received) == before + 1
    b.stop()


def exercise_with(b, protocol, handler):
    """Make NDIS call one handler of a protocol."""
    match handler:
        case "receive_net_buffer_lists":
            b.fm.indicate(*b.frames(2))
        case "send_net_buffer_lists_complete":
            b.fm.complete_all()
        case "oid_request_complete":
            request = ndis.query(Oid.OID_GEN_VENDOR_DESCRIPTION, 64)
            ndis.oid_request(protocol.open, request)
        case "status":
            b.fm.link(False)
        case "net_pnp_event":
            b.kernel.start(ndis.pause_adapter(b.fm.adapter))
        case "unbind_adapter":
            b.kernel.start(ndis.unbind_protocol(protocol.binding))
    b.run()
    if handler == "net_pnp_event":
        b.run(ndis.restart_adapter(b.fm.adapter))


@pytest.mark.parametrize("handler", MINIPORT)
def test_a_miniport_whose_handler_raises_is_removed_and_its_lists_come_back(handler):
    b = NdisBench(miniport=crashing(FunctionalMiniport, handler))
    b.fp.hold = True
    held = b.fm.indicate(*b.frames(2))
    b.fp.send(*b.frames(2))
    b.fm.armed = True
    with b.ndis.report.collect() as found:
        match handler:
            case "send_net_buffer_lists":
                b.fp.send(b.frame())
            case "return_net_buffer_lists":
                b.fp.give_back(held[0])
            case "oid_request":
                assert b.run(b.fp.request(ndis.query(Oid.OID_GEN_VENDOR_DESCRIPTION, 64))) is NdisStatus.FAILURE
            case "cancel_send":
                ndis.cancel_send_net_buffer_lists(b.fp.open, 1)
            case "pause":
                b.kernel.start(ndis.pause_adapter(b.fm.adapter))
            case "restart":
                b.run(ndis.pause_adapter(b.fm.adapter))
                assert b.run(ndis.restart_adapter(b.fm.adapter)) is NdisStatus.FAILURE
            case "halt":
                b.kernel.start(ndis.halt_adapter(b.fm.adapter))
        b.run()
    faults = [fault for fault in found if isinstance(fault, DriverFault)]
    assert [fault.handler for fault in faults] == [handler]
    assert [str(other) for other in found if other not in faults] == []
    assert b.ndis.miniport_drivers == []
    assert b.fm.adapter.state is AdapterState.HALTED
    assert b.fp.in_flight == 0, "a send was lost"
    assert not b.fp.held or handler == "halt"
    b.stop()


def test_a_miniport_that_raises_in_initialize_leaves_nothing():
    class Broken(FunctionalMiniport):
        def initialize(self, adapter):
            super().initialize(adapter)
            interrupt = ndis.InterruptCharacteristics(
                connect=lambda *_: None,
                message_interrupt=lambda *_: (True, True),
                message_interrupt_dpc=lambda *_: None,
            )
            ndis.register_interrupt(adapter, self, interrupt)
            description = ndis.ScatterGatherDmaDescription(mapper=VirtualMapper(), process_sg_list=lambda *_: None)
            _, dma = ndis.register_scatter_gather_dma(adapter, description)
            ndis.allocate_shared_memory(dma, 64)
            ndis.set_timer_object(ndis.allocate_timer_object(adapter, lambda _: None), 1000)
            raise Crash("initialize")

    b = NdisBench()
    b.stop()
    broken = Broken(b.ndis, "broken")
    with expect_violation(b.ndis, "FAULT"):
        assert b.run(broken.start()) is NdisStatus.FAILURE
        b.run()
    b.ndis.check_leaks()


@pytest.mark.parametrize("where", ["isr", "dpc", "timer"])
def test_an_exception_above_passive_is_the_drivers_fault(where):
    class Broken(FunctionalMiniport):
        def initialize(self, adapter):
            status = super().initialize(adapter)
            self.vectors = {}
            characteristics = ndis.InterruptCharacteristics(
                connect=self.vectors.__setitem__, message_interrupt=type(self).isr, message_interrupt_dpc=type(self).dpc
            )
            ndis.register_interrupt(adapter, self, characteristics)
            self.timer = ndis.allocate_timer_object(adapter, type(self).expired, self)
            return status

        def isr(self, message_id):
            if where == "isr":
                raise Crash(where)
            return True, True

        def dpc(self, message_id, throttle):
            raise Crash(where)

        def expired(self):
            raise Crash(where)

    b = NdisBench(miniport=Broken)
    b.fp.send(b.frame())
    with expect_violation(b.ndis, "FAULT"):
        if where == "timer":
            ndis.set_timer_object(b.fm.timer, 10)
        else:
            b.fm.vectors[0]()
        b.run()
    assert b.fp.in_flight == 0
    assert b.kernel.irql is ndis.Irql.PASSIVE
    b.stop()


def test_a_fault_is_raised_when_the_driver_is_out():
    b = NdisBench(protocols=2, protocol=crashing(FunctionalProtocol, "receive_net_buffer_lists"))
    b.fps[0].armed = True
    b.fm.indicate(b.frame(1))
    assert b.fps[1].received == [b.frame(1)]
    with pytest.raises(DriverFault, match=r"receive_net_buffer_lists .* raised Crash"):
        b.run()
    assert b.fps[0].driver not in b.ndis.protocol_drivers


def test_a_coroutine_handler_that_raises_is_contained_too():
    class Broken(FunctionalProtocol):
        async def net_pnp_event(self, event):
            if event.event is NetEvent.PAUSE:
                raise Crash("pause")
            return NdisStatus.SUCCESS

    b = NdisBench(protocol=Broken)
    with expect_violation(b.ndis, "FAULT"):
        b.run(ndis.pause_adapter(b.fm.adapter))
        b.run()
    assert b.fm.adapter.state is AdapterState.PAUSED
    b.stop()


def test_a_violation_in_a_handler_is_still_a_violation():
    class Careless(FunctionalProtocol):
        def receive_net_buffer_lists(self, nbls, port, count, flags):
            super().receive_net_buffer_lists(nbls, port, count, flags)
            ndis.send_net_buffer_lists(self.open, None)

    b = NdisBench(protocol=Careless)
    with pytest.raises(ndis.NdisViolation) as found:
        b.fm.indicate(b.frame())
    assert found.value.rule == "S6-21"

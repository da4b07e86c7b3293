# SPDX-License-Identifier: Apache-2.0
"""Drivers of NDIS 5, every handler: the one that raises is named and out, the others lose nothing."""

from __future__ import annotations

import dataclasses
import os

import pytest

from hilnic import ndis
from hilnic.ndis import AdapterState, NdisStatus, NetEvent, Oid, Profile, ndis5
from hilnic.ndis.faults import DriverFault
from hilnic.testing.bench import PEER
from hilnic.testing.bench5 import Bench5
from hilnic.testing.miniport5 import FunctionalMiniport5
from hilnic.testing.protocol5 import FunctionalProtocol5

WHEN = pytest.mark.parametrize("when", ["before", "after"])
SERIALIZED = pytest.mark.parametrize("serialized", [True, False])


LOADS = [False, True] if "HILNIC_SOAK" in os.environ else [True]
"""With nothing that is out or held, and with all that a driver may have."""


class Crash(Exception):
    """What a broken handler raises."""


def breaking(kind, handler, when):
    """A driver of this kind whose `handler` raises while it is armed, `before` it does anything or `after` it has."""

    def broken(self, *args):
        if not self.armed:
            return getattr(kind, handler)(self, *args)
        if when == "after":
            getattr(kind, handler)(self, *args)
        raise Crash(handler)

    return type(f"Breaking{kind.__name__}", (kind,), {"armed": False, handler: broken})


class Protocol(FunctionalProtocol5):
    """With ProtocolPnPEvent."""

    def characteristics(self):
        return dataclasses.replace(super().characteristics(), pnp_event=type(self).pnp_event)

    def pnp_event(self, event):
        return NdisStatus.SUCCESS


class Miniport(FunctionalMiniport5):
    """With an interrupt and a timer."""

    def characteristics(self):
        kind = type(self)
        return dataclasses.replace(
            super().characteristics(), isr=kind.isr, handle_interrupt=kind.handle_interrupt,
            enable_interrupt=kind.enable_interrupt,
        )  # fmt: skip

    def initialize(self, adapter, mediums):
        answer = super().initialize(adapter, mediums)
        self.vectors = {}
        _, self.interrupt = ndis5.register_interrupt(adapter, self.vectors.__setitem__)
        self.timer = ndis5.initialize_timer(adapter, type(self).expired, self)
        return answer

    def halt(self):
        ndis5.deregister_interrupt(self.interrupt)
        ndis5.cancel_timer(self.timer)
        super().halt()

    def isr(self):
        return True, True

    def handle_interrupt(self):
        """Nothing to do."""

    def enable_interrupt(self):
        """Nothing to do."""

    def expired(self):
        """Nothing to do."""


class Unwatched(FunctionalMiniport5):
    """Nobody asks whether it hangs: the bench would never come to its end."""

    def characteristics(self):
        return dataclasses.replace(super().characteristics(), check_for_hang=None)


def only_fault(found, driver, name):
    assert [str(each) for each in found if not isinstance(each, DriverFault)] == []
    assert [(each.actor, each.handler, type(each.__cause__)) for each in found] == [(driver, name, Crash)]


def end_what_is_out(b):
    """Everybody who is left gives back what he has."""
    b.run()
    b.fm.hold_requests = False
    if not b.fm.driver.faulted:
        while b.fm.pending_transfers:
            b.fm.finish_transfer()
        b.fm.complete()
    if b.fp.held:
        b.fp.give_back()
    b.run()


def frames_go_both_ways(b):
    (packet,) = b.fp.send_array(b.frame(40, destination=PEER))
    b.fm.complete()
    assert b.fp.completed[-1] == (packet, NdisStatus.SUCCESS)
    assert b.fm.sent_frames[-1][14:18] == (40).to_bytes(4, "big")
    b.fm.indicate(b.frame(41))
    assert b.fp.received[-1] == b.frame(41)


# Protocols.


def tell(b):
    return ndis.im_notify_pnp_event(b.fm.adapter, ndis.NetPnpEvent(NetEvent.SET_POWER, ndis.DevicePowerState.D3))


def complete_one(b, p):
    ndis5.send_packets(p.open, [p.build(b.frames(1)[0])])
    b.fm.complete()


def unbind_late(b, p):
    b.kernel.start(ndis.unbind_protocol(p.open.core))
    b.run()
    p.give_back()


PROTOCOL = {
    "receive_packet": lambda b, p: b.fm.indicate(*b.frames(1), b.frame(2)),
    "receive_complete": lambda b, p: b.fm.indicate(b.frame(2)),
    "receive": lambda b, p: b.fm.indicate_lookahead(b.frame(0, 600), 128),
    "transfer_data_complete": lambda b, p: b.fm.indicate_lookahead(b.frame(0, 600), 128),
    "send_complete": complete_one,
    "request_complete": lambda b, p: b.kernel.start(p.listen()),
    "reset_complete": lambda b, p: ndis5.reset(p.open),
    "status": lambda b, p: b.fm.link(False),
    "status_complete": lambda b, p: b.fm.link(False),
    "pnp_event": lambda b, p: b.kernel.start(tell(b)),
    "unbind_adapter": lambda b, p: b.kernel.start(ndis.unbind_protocol(p.open.core)),
    "close_adapter_complete": unbind_late,
}
CORE_NAMES = {"pnp_event": "net_pnp_event"}


@WHEN
@SERIALIZED
@pytest.mark.parametrize("handler", PROTOCOL)
def test_the_protocol_is_named_and_out_and_the_others_go_on(handler, serialized, when):
    b = Bench5(("packet",), miniport=Miniport, serialized=serialized, transfer="pend")
    broken = breaking(Protocol, handler, when)(b.ndis, "broken", "both")
    b.run(broken.start())
    b.run(broken.listen())
    broken.references = 2
    held = b.fm.indicate(b.frame(), b.frame(1))
    broken.references = 0
    ndis5.send_packets(broken.open, [broken.build(b.frames(1)[0])])
    broken.armed = True
    with b.ndis.report.collect() as found:
        PROTOCOL[handler](b, broken)
        end_what_is_out(b)
    only_fault(found, broken.driver, CORE_NAMES.get(handler, handler))
    assert broken.driver not in b.ndis.protocol_drivers
    assert broken.driver.bindings == []
    assert set(held) <= set(b.fm.returned)
    assert b.fm.adapter.state is AdapterState.RUNNING
    assert b.fm.adapter.statistics() == {"sends_outstanding": 0, "receives_outstanding": 0}
    assert [pool for pool in b.ndis.pools if "broken" in repr(pool.owner)] == []
    frames_go_both_ways(b)
    b.stop()


@WHEN
@pytest.mark.parametrize("handler", ["bind_adapter", "open_adapter_complete"])
@pytest.mark.parametrize("pends", [False, True])
def test_a_protocol_that_raises_in_its_bind_is_out(handler, when, pends):
    b = Bench5(("packet",), miniport=Miniport, profile=Profile(pend_open=pends))
    broken = breaking(Protocol, handler, when)(b.ndis, "broken", "both")
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
        assert [pool for pool in b.ndis.pools if "broken" in repr(pool.owner)] == []
    frames_go_both_ways(b)
    b.stop()


# Miniports.


def transfer(b):
    other = FunctionalProtocol5(b.ndis, "other", "lookahead")
    b.run(other.start())
    b.fm.armed = False
    b.run(other.listen())
    b.fm.armed = True
    b.fm.indicate_lookahead(b.frame(0, 600), 128)


def give_back(b):
    b.fm.armed = False
    b.fp.references = 1
    b.fm.indicate(b.frame(5))
    b.fm.armed = True
    b.fp.give_back()


MINIPORT = {
    "send_packets": lambda b: b.fp.send_array(*b.frames(2)),
    "return_packet": give_back,
    "transfer_data": transfer,
    "query_information": lambda b: b.kernel.start(b.fp.query(Oid.OID_GEN_XMIT_OK, 8)),
    "set_information": lambda b: b.kernel.start(b.fp.set_filter(1)),
    "reset": lambda b: ndis5.reset(b.fp.open),
    "cancel_send_packets": lambda b: b.fp.cancel(1),
    "check_for_hang": lambda b: b.kernel.run_for(3_000_000_000),
    "isr": lambda b: b.fm.vectors[0](),
    "handle_interrupt": lambda b: b.fm.vectors[0](),
    "enable_interrupt": lambda b: b.fm.vectors[0](),
    "expired": lambda b: ndis5.set_periodic_timer(b.fm.timer, 10),
    "pnp_event_notify": lambda b: ndis.remove_miniport(b.fm.adapter),
    "halt": lambda b: b.kernel.start(ndis.halt_adapter(b.fm.adapter)),
}
MINIPORT_NAMES = {
    "isr": "message_interrupt", "handle_interrupt": "message_interrupt_dpc",
    "enable_interrupt": "message_interrupt_dpc", "expired": "a timer", "pnp_event_notify": "device_pnp_event_notify",
}  # fmt: skip


@WHEN
@SERIALIZED
@pytest.mark.parametrize("loaded", LOADS)
@pytest.mark.parametrize("handler", MINIPORT)
def test_the_miniport_is_named_and_removed_and_another_goes_on(handler, serialized, when, loaded):
    kind = breaking(Miniport, handler, when)
    profile = Profile(check_for_hang=handler == "check_for_hang")
    b = Bench5(("packet",), miniport=kind, serialized=serialized, transfer="pend", profile=profile)
    sent = []
    if loaded:
        sent = b.fp.send_array(*b.frames(2))
        b.fp.references = 1
        b.fm.indicate(b.frame())
    b.fm.armed = True
    with b.ndis.report.collect() as found:
        MINIPORT[handler](b)
        end_what_is_out(b)
    only_fault(found, b.fm.driver, MINIPORT_NAMES.get(handler, handler))
    assert b.fm.driver not in b.ndis.miniport_drivers
    assert (b.fm.adapter.state, b.fm.adapter.bindings) == (AdapterState.HALTED, [])
    assert (b.fm.adapter.interrupts, b.fm.adapter.timers) == ([], [])
    assert b.fm.adapter.oids.pending() == []
    assert set(sent) <= {packet for packet, _ in b.fp.completed}
    assert [repr(pool) for pool in b.ndis.pools if "fm5" in repr(pool.owner)] == []
    assert b.fp.binding is None
    another_goes_on(b)


def another_goes_on(b):
    fm = Unwatched(b.ndis, "next")
    b.run(fm.start())
    fp = FunctionalProtocol5(b.ndis, "neighbour", "packet")
    b.run(fp.start())
    b.run(fp.listen())
    fp.send_array(*b.frames(1))
    fm.complete()
    fm.indicate(b.frame(41))
    assert (fm.sent_frames, fp.received) == (b.frames(1), [b.frame(41)])


@WHEN
@SERIALIZED
def test_a_miniport_that_raises_in_initialize_is_out(when, serialized):
    b = Bench5(("packet",))
    b.stop()
    before = list(b.ndis.pools)
    broken = breaking(Miniport, "initialize", when)(b.ndis, "broken", serialized=serialized)
    broken.armed = True
    with b.ndis.report.collect() as found:
        assert b.run(broken.start()) is NdisStatus.FAILURE
        b.run()
    only_fault(found, broken.driver, "initialize")
    assert broken.driver not in b.ndis.miniport_drivers
    assert (b.ndis.adapters, b.ndis.pools) == ([], before)


@WHEN
@SERIALIZED
@pytest.mark.parametrize("name", ["NdisSend", "NdisSendPackets"])
def test_a_miniport_that_raises_in_miniport_send_ends_it(when, serialized, name):
    kind = breaking(Miniport, "send", when)
    b = Bench5(("packet",), miniport=kind, serialized=serialized, style="send")
    b.fm.armed = True
    with b.ndis.report.collect() as found:
        if name == "NdisSend":
            packet, _ = b.fp.send(b.frames(1)[0])
        else:
            (packet,) = b.fp.send_array(*b.frames(1))
        end_what_is_out(b)
    only_fault(found, b.fm.driver, "send")
    assert [each for each, _ in b.fp.completed] == [packet]
    assert b.fp.binding is None
    another_goes_on(b)


@WHEN
def test_a_client_of_a_highest_level_protocol_is_that_protocol(when):
    """TDI: what a client's handler raises comes out of the protocol's handler that calls it (R5-33)."""
    returned = []

    class Highest(Protocol):
        def receive_packet(self, packet):
            tsdus = [ndis5.Tsdu(self.open, packet, client) for client in ("first", "second")]
            for tsdu in tsdus:
                self.client_receives(tsdu)
            return len(tsdus)

        def client_receives(self, tsdu):
            ndis5.tdi_return_chained_receives([tsdu])
            returned.append(tsdu)

    b = Bench5(("packet",), miniport=Miniport)
    broken = breaking(Highest, "client_receives", when)(b.ndis, "broken", "packet")
    b.run(broken.start())
    b.run(broken.listen())
    broken.armed = True
    with b.ndis.report.collect() as found:
        b.fm.indicate(b.frame(2))
        end_what_is_out(b)
    found = [each for each in found if each.rule != "R5-06"]  # a return inside the handler: frowned upon (A3)
    only_fault(found, broken.driver, "receive_packet")
    assert b.fp.received == [b.frame(2)]
    assert b.fm.adapter.statistics() == {"sends_outstanding": 0, "receives_outstanding": 0}
    frames_go_both_ways(b)
    b.stop()

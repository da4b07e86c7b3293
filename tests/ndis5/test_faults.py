# SPDX-License-Identifier: Apache-2.0
"""An exception in a handler of a 5.x driver: NDIS takes that driver out, ends what it held, and the others go on."""

from __future__ import annotations

import pytest

from hilnic.ndis import NdisStatus, ndis5
from hilnic.ndis.faults import DriverFault
from hilnic.testing.bench5 import Bench5
from hilnic.testing.miniport5 import FunctionalMiniport5
from hilnic.testing.protocol5 import FunctionalProtocol5


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


def faults_of(found) -> list[DriverFault]:
    return [fault for fault in found if isinstance(fault, DriverFault)]


PROTOCOL = ["receive_packet", "send_complete", "status", "request_complete", "receive_complete"]


@pytest.mark.parametrize("handler", PROTOCOL)
@pytest.mark.parametrize("serialized", [True, False])
def test_a_protocol_whose_handler_raises_is_taken_out_and_the_other_goes_on(handler, serialized):
    b = Bench5(serialized=serialized)
    broken = crashing(FunctionalProtocol5, handler)(b.ndis, "broken", "packet")
    b.run(broken.start())
    b.run(broken.listen())
    broken.references = 2
    held = b.fm.indicate(b.frame(), b.frame(1))
    broken.armed = True
    with b.ndis.report.collect() as found:
        match handler:
            case "receive_packet" | "receive_complete":
                b.fm.indicate(b.frame(2))
            case "send_complete":
                ndis5.send_packets(broken.open, [broken.build(b.frames(1)[0])])
                b.fm.complete()
            case "status":
                b.fm.link(False)
            case "request_complete":
                b.kernel.start(broken.listen())
        b.run()
    assert [fault.handler for fault in faults_of(found)][:1] == [handler]
    assert "ProtocolDriver(broken)" in str(faults_of(found)[0])
    assert broken.driver not in b.ndis.protocol_drivers
    assert set(held) <= set(b.fm.returned)
    b.fm.indicate(b.frame(9))
    assert b.fp.received[-1] == b.frame(9)


@pytest.mark.parametrize("serialized", [True, False])
def test_a_transfer_that_pends_with_a_miniport_that_raises_fails_and_the_close_goes_on(serialized):
    kind = crashing(FunctionalMiniport5, "send_packets")
    b = Bench5(("lookahead",), miniport=kind, serialized=serialized, transfer="pend")
    b.fm.indicate_lookahead(b.frame(0, 600), 128)
    b.fm.armed = True
    with b.ndis.report.collect() as found:
        b.fp.send_array(*b.frames(1))
        b.run()
    assert [fault.handler for fault in faults_of(found)] == ["send_packets"]
    assert [(status, moved) for _, status, moved in b.fp.transfers] == [(NdisStatus.FAILURE, 0)]
    assert b.fp.binding is None


MINIPORT = ["send_packets", "return_packet", "transfer_data", "set_information", "reset", "cancel_send_packets"]


@pytest.mark.parametrize("handler", MINIPORT)
@pytest.mark.parametrize("serialized", [True, False])
def test_a_miniport_whose_handler_raises_is_taken_out_with_what_it_held(handler, serialized):
    b = Bench5(miniport=crashing(FunctionalMiniport5, handler), serialized=serialized)
    packets = b.fp.send_array(*b.frames(2))
    b.fp.references = 1
    b.fm.indicate(b.frame())
    b.fm.armed = True
    with b.ndis.report.collect() as found:
        match handler:
            case "send_packets":
                packets += b.fp.send_array(*b.frames(2))
            case "return_packet":
                b.fp.give_back()
            case "transfer_data":
                other = FunctionalProtocol5(b.ndis, "other", "lookahead")
                b.run(other.start())
                b.run(other.listen())
                b.fm.indicate_lookahead(b.frame(0, 600), 128)
            case "set_information":
                b.kernel.start(b.fp.set_filter(1))
            case "reset":
                ndis5.reset(b.fp.open)
            case "cancel_send_packets":
                ndis5.cancel_send_packets(b.fp.open, 1)
        if b.fp.held:
            b.fp.give_back()
        b.run()
    assert faults_of(found)[0].handler == handler
    assert "MiniportDriver(fm5)" in str(faults_of(found)[0])
    assert b.fm.driver not in b.ndis.miniport_drivers
    assert [packet for packet, _ in b.fp.completed] == packets
    assert {status for _, status in b.fp.completed} <= {NdisStatus.FAILURE, NdisStatus.RESET_IN_PROGRESS}
    assert b.fp.binding is None

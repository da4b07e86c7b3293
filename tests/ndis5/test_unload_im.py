# SPDX-License-Identifier: Apache-2.0
"""Intermediate drivers of NDIS 5: when a handler of either half raises, both go, and the adapter below goes on."""

from __future__ import annotations

import os

import pytest

from hilnic.ndis import AdapterState, NdisStatus
from hilnic.ndis.faults import DriverFault
from hilnic.testing.bench5 import Bench5
from hilnic.testing.im5 import FunctionalIntermediate5
from hilnic.testing.protocol5 import FunctionalProtocol5

LOWER = ["receive_packet", "send_complete", "status"]
UPPER = ["send_packets", "return_packet"]


LOADS = [False, True] if "HILNIC_SOAK" in os.environ else [True]
"""With nothing that is out or held, and with all that a driver may have."""


class Crash(Exception):
    """What a broken handler raises."""


def breaking(handler, when):
    """An intermediate driver whose `handler` raises while it is armed, `before` it does anything or `after` it has."""

    def broken(self, *args):
        if not self.armed:
            return getattr(FunctionalIntermediate5, handler)(self, *args)
        if when == "after":
            getattr(FunctionalIntermediate5, handler)(self, *args)
        raise Crash(handler)

    return type("Breaking", (FunctionalIntermediate5,), {"armed": False, handler: broken})


def provoke(b, upper, handler):
    match handler:
        case "receive_packet":
            b.fm.indicate(b.frame(3))
        case "send_complete":
            upper.send_array(*b.frames(1))
            b.fm.complete()
        case "status":
            b.fm.link(False)
        case "send_packets":
            upper.send_array(*b.frames(1))
        case "return_packet":
            upper.references = 1
            b.fm.indicate(b.frame(3))
            upper.give_back()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("loaded", LOADS)
@pytest.mark.parametrize("reuse", [True, False])
@pytest.mark.parametrize("handler", LOWER + UPPER)
def test_both_halves_go_and_the_adapter_below_goes_on(handler, reuse, loaded, when):
    b = Bench5(("packet",), serialized=False)
    im = breaking(handler, when)(b.ndis, b.fm.name, "im", reuse=reuse)
    b.run(im.start())
    upper = FunctionalProtocol5(b.ndis, "upper", "packet", adapter_name="im.0")
    b.run(upper.start())
    b.run(upper.listen())
    b.run()
    sent = []
    if loaded:
        sent = upper.send_array(*b.frames(2))
        upper.references = 1
        b.fm.indicate(*[b.frame(number) for number in range(2)])
    im.armed = True
    with b.ndis.report.collect() as found:
        provoke(b, upper, handler)
        for _ in range(3):
            b.run()
            b.fm.complete()
            if upper.held and upper.binding is not None:
                upper.give_back()
        b.run()
    found = [each for each in found if each.rule != "R5-06"]  # a return inside of a handler is frowned upon (A3)
    assert [str(each) for each in found if not isinstance(each, DriverFault)] == []
    driver = im.protocol if handler in LOWER else im.driver
    assert [(each.actor, each.handler) for each in found] == [(driver, handler)]
    assert im.protocol not in b.ndis.protocol_drivers
    assert im.driver not in b.ndis.miniport_drivers
    assert [adapter.name for adapter in b.ndis.adapters] == [b.fm.name]
    ends = dict(upper.completed)
    assert set(sent) <= set(ends)
    if reuse and handler != "send_complete":  # they were with the adapter below, which has sent them
        assert {ends[packet] for packet in sent} <= {NdisStatus.SUCCESS}
    assert upper.binding is None
    assert b.fm.adapter.state is AdapterState.RUNNING
    assert b.fm.adapter.statistics() == {"sends_outstanding": 0, "receives_outstanding": 0}
    assert [repr(pool) for pool in b.ndis.pools if "im" in repr(pool.owner)] == []
    b.fp.send_array(*b.frames(1))
    b.fm.complete()
    assert b.fp.completed[-1][1] is NdisStatus.SUCCESS
    b.fm.indicate(b.frame(41))
    assert b.fp.received[-1] == b.frame(41)

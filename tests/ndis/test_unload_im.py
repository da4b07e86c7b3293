# SPDX-License-Identifier: Apache-2.0
"""Intermediate drivers: when a handler of either edge raises, both edges go, and the adapter below goes on."""

from __future__ import annotations

import os

import pytest

from hilnic import ndis
from hilnic.ndis import AdapterState, NdisStatus, Oid
from hilnic.ndis.faults import DriverFault
from hilnic.protocols.mux import Mux, MuxEdge, MuxMiniport
from hilnic.protocols.splitter import Splitter, SplitterEdge, SplitterMiniport
from hilnic.testing import NdisBench

WHEN = pytest.mark.parametrize("when", ["before", "after"])


LOADS = [False, True] if "HILNIC_SOAK" in os.environ else [True]
"""With nothing that is out or held, and with all that a driver may have."""


class Crash(Exception):
    """What a broken handler raises."""


def breaking(kind, edge, virtual, half, handler, when):
    """An intermediate driver of which one handler, of its `half`, raises while the driver is armed."""
    owner = {"lower": edge, "upper": virtual}[half]

    def is_armed(self):
        return (self.driver if half == "lower" else self.edge.driver).armed

    def broken(self, *args):
        if not is_armed(self):
            return getattr(owner, handler)(self, *args)
        answer = getattr(owner, handler)(self, *args) if when == "after" else None
        if hasattr(answer, "send"):
            return _after(answer, handler)
        raise Crash(handler)

    changed = type(f"Breaking{owner.__name__}", (owner,), {handler: broken})
    lower = changed if half == "lower" else type("Lower", (edge,), {"virtual_type": changed})
    return type(f"Breaking{kind.__name__}", (kind,), {"edge_type": lower, "armed": False})


async def _after(answer, handler):
    await answer
    raise Crash(handler)


DRIVERS = {"mux": (Mux, MuxEdge, MuxMiniport), "splitter": (Splitter, SplitterEdge, SplitterMiniport)}


async def pause_and_restart(adapter):
    await ndis.pause_adapter(adapter)
    await ndis.restart_adapter(adapter)


def complete(b, upper):
    upper.send(b.frame(5))
    b.fm.complete_all()


def give_back(b, upper):
    upper.hold = True
    b.fm.indicate(b.frame(5))
    upper.give_back()


CALLS = {
    ("lower", "receive_net_buffer_lists"): lambda b, upper: b.fm.indicate(b.frame(3)),
    ("lower", "send_net_buffer_lists_complete"): complete,
    ("lower", "status"): lambda b, upper: b.fm.link(False),
    ("lower", "net_pnp_event"): lambda b, upper: b.kernel.start(pause_and_restart(b.fm.adapter)),
    ("lower", "oid_request_complete"): lambda b, upper: b.kernel.start(upper.set_filter(1)),
    ("upper", "send_net_buffer_lists"): lambda b, upper: upper.send(b.frame(3)),
    ("upper", "return_net_buffer_lists"): give_back,
    ("upper", "cancel_send"): lambda b, upper: upper.cancel(3),
    ("upper", "oid_request"): lambda b, upper: b.kernel.start(
        upper.request(ndis.query(Oid.OID_GEN_VENDOR_DESCRIPTION, 64))
    ),
    ("upper", "pause"): lambda b, upper: b.kernel.start(pause_and_restart(upper.open.adapter)),
    ("upper", "restart"): lambda b, upper: b.kernel.start(pause_and_restart(upper.open.adapter)),
    ("upper", "halt"): lambda b, upper: b.kernel.start(ndis.halt_adapter(upper.open.adapter)),
}


@WHEN
@pytest.mark.parametrize("loaded", LOADS)
@pytest.mark.parametrize("name", DRIVERS)
@pytest.mark.parametrize(("half", "handler"), CALLS)
def test_both_edges_go_and_the_adapter_below_goes_on(half, handler, name, loaded, when):
    b = NdisBench(protocols=1)
    kind = breaking(*DRIVERS[name], half, handler, when)
    im = kind(b.ndis, "im", "fm")
    b.run(im.start())
    b.run()
    upper = b.protocol("im0")
    if loaded:
        upper.send(*b.frames(2))
        upper.hold = True
        b.fm.indicate(*b.frames(2))
    im.armed = True
    with b.ndis.report.collect() as found:
        CALLS[half, handler](b, upper)
        for _ in range(3):
            b.run()
            b.fm.complete_all()
            upper.hold = False
            if upper.held and upper.binding is not None:
                upper.give_back()
    assert [str(each) for each in found if not isinstance(each, DriverFault)] == []
    driver = im.protocol if half == "lower" else im.miniport
    assert [(each.actor, each.handler, type(each.__cause__)) for each in found] == [(driver, handler, Crash)]
    assert im.protocol not in b.ndis.protocol_drivers
    assert im.miniport not in b.ndis.miniport_drivers
    assert [adapter.name for adapter in b.ndis.adapters] == ["fm"]
    assert (upper.in_flight, upper.binding) == (0, None)
    assert b.fm.adapter.state is AdapterState.RUNNING
    assert b.fm.adapter.statistics() == {"sends_outstanding": 0, "receives_outstanding": 0}
    assert b.ndis.oid_clones == {}
    (nbl,) = b.fp.send(b.frame(40))
    assert b.fm.sent_frames[-1] == b.frame(40)
    b.fm.complete(nbl)
    assert b.fp.completed[-1] == (nbl, NdisStatus.SUCCESS)
    b.fm.indicate(b.frame(41))
    assert b.fp.received[-1] == b.frame(41)
    b.stop()

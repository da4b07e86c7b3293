# SPDX-License-Identifier: Apache-2.0
"""The functional miniport and protocol as a user's own pytest would use them."""

from __future__ import annotations

import pytest

from hilnic import ndis
from hilnic.ndis import NdisStatus, ReceiveFlags
from hilnic.testing import (
    MAC_ADDRESS,
    PEER,
    FunctionalMiniport,
    FunctionalProtocol,
    NdisBench,
    VirtualKernel,
    ethernet,
    expect_violation,
)


def test_capture_inspect_complete():
    bench = NdisBench()
    first, second = bench.fp.send(*bench.frames(2))
    assert bench.fm.captured == [first, second]
    bench.fm.complete(second, status=NdisStatus.FAILURE)
    bench.fm.complete(first)
    assert bench.fp.completed == [(second, NdisStatus.FAILURE), (first, NdisStatus.SUCCESS)]
    bench.stop()


def test_inject_hold_return():
    bench = NdisBench()
    bench.fp.hold = True
    bench.fm.indicate(*bench.frames(3), cuts=[14, 0, 20], head=8)
    bench.fm.indicate(bench.frame(9), flags=ReceiveFlags.RESOURCES)
    assert bench.fp.received == [*bench.frames(3), bench.frame(9)]
    bench.fp.give_back(*reversed(bench.fp.held))
    assert len(bench.fm.returned) == 4
    bench.stop()


def test_a_kit_without_the_bench():
    kernel = VirtualKernel()
    host = ndis.Ndis(kernel)
    fp, fm = FunctionalProtocol(host), FunctionalMiniport(host, completion="inline")
    kernel.run(fp.start())
    assert kernel.run(fm.start()) is NdisStatus.SUCCESS
    fp.send(ethernet(PEER, MAC_ADDRESS, b"hello"))
    assert fm.sent_frames == [ethernet(PEER, MAC_ADDRESS, b"hello")]
    kernel.run(ndis.halt_adapter(fm.adapter))
    kernel.run(fp.stop())
    host.check_leaks()


def test_a_protocol_may_pick_its_adapter():
    kernel = VirtualKernel()
    host = ndis.Ndis(kernel)
    miniports = [FunctionalMiniport(host, name) for name in ("left", "right")]
    for fm in miniports:
        kernel.run(fm.start())
    fp = FunctionalProtocol(host, "picky", adapter_name="right")
    kernel.run(fp.start())
    assert fp.open.adapter is miniports[1].adapter


def test_stop_reports_what_was_not_given_back():
    bench = NdisBench()
    bench.fp.build(bench.frame())
    with expect_violation(bench.ndis, "MD-21", "ST-21"):
        bench.stop()


def test_equal_seeds_give_equal_traces():
    def run() -> list[tuple[int, str, dict[str, object]]]:
        bench = NdisBench(trace=True, completion="deferred", protocols=2)
        bench.fp.send(*bench.frames(5))
        bench.fm.indicate(*bench.frames(5))
        bench.stop()
        return bench.kernel.trace.events

    assert run() == run()


@pytest.mark.parametrize("cuts", [[100], [30, 40]])
def test_cuts_longer_than_the_frame_are_refused(cuts):
    bench = NdisBench()
    with pytest.raises(ValueError, match="longer than 60 bytes"):
        bench.fp.build(bench.frame(), cuts=cuts)


def test_everything_introduces_itself():
    bench = NdisBench()
    texts = [repr(x) for x in (bench.ndis, bench.fm, bench.fp, bench.fm.adapter, bench.fp.open, bench.fm.pool)]
    assert texts[3:5] == ["Adapter(fm, Running)", "Binding(fp0->fm, Running)"]
    assert bench.fm.adapter.statistics() == {"sends_outstanding": 0, "receives_outstanding": 0}


def test_deregistering_everything_leaves_an_empty_host():
    bench = NdisBench()
    bench.run(ndis.halt_adapter(bench.fm.adapter))
    ndis.deregister_miniport_driver(bench.fm.driver)
    bench.run(bench.fp.stop())
    bench.ndis.check_leaks()
    assert (bench.ndis.adapters, bench.ndis.miniport_drivers, bench.ndis.protocol_drivers) == ([], [], [])

# SPDX-License-Identifier: Apache-2.0
"""C5-10, C5-11, C5-15: open, close and reset by 5.x protocols."""

from __future__ import annotations

import pytest

from hilnic.ndis import (
    NdisStatus,
    Oid,
    PacketFilter,
    Profile,
    bind_protocol,
    complete_reset,
    ndis5,
    unbind_protocol,
)
from hilnic.testing.miniport5 import FunctionalMiniport5


@pytest.mark.rule("C5-10")
def test_an_open_that_pends_has_one_completion(bench5):
    b = bench5(profile=Profile(pend_open=True))
    assert b.fp.trace == ["opened SUCCESS"]
    b.fm.indicate(b.frame())
    assert b.fp.received == [b.frame()]


@pytest.mark.rule("C5-10")
@pytest.mark.parametrize("what", ["send", "receive", "request"])
def test_a_close_waits_for_what_is_outstanding(bench5, what):
    b = bench5()
    binding = b.fp.open
    if what == "send":
        b.fp.send_array(*b.frames(1))
    elif what == "receive":
        b.fp.references = 1
        b.fm.indicate(b.frame())
    else:
        b.fm.hold_requests = True
        b.kernel.start(b.fp.query(Oid.OID_GEN_VENDOR_DESCRIPTION))
        b.kernel.run_for(0)
    closing = b.kernel.start(unbind_protocol(binding.core))
    b.kernel.run_for(1_000_000)
    assert not closing
    if what == "send":
        b.fm.complete()
    elif what == "receive":
        b.fp.held.clear()
        ndis5.return_packets([*b.fm.pool.live], binding)
    else:
        b.fm.hold_requests = False
        b.fm.complete_request()
    b.run()
    assert b.fp.trace == ["closed SUCCESS"]
    assert closing


@pytest.mark.rule("C5-10")
def test_a_protocol_may_close_on_its_own(bench5):
    b = bench5()
    assert ndis5.close_adapter(b.fp.open) is NdisStatus.SUCCESS
    b.fp.binding = None
    assert b.fm.adapter.bindings == []


@pytest.mark.rule("C5-15")
def test_a_protocol_is_unbound_and_bound_again_under_traffic(bench5):
    b = bench5(handlers=("both", "both"))
    for number in range(100):
        b.fp.send_array(*b.frames(2))
        b.fm.indicate(b.frame(number))
        closing = b.kernel.start(unbind_protocol(b.fp.open.core))
        b.kernel.run_for(0)
        b.fm.complete()
        b.run()
        assert closing
        b.run(bind_protocol(b.fp.driver, b.fm.adapter))
        b.run(b.fp.listen())
        for packet, _ in b.fp.completed:
            b.kernel.free(packet.head.region)
            ndis5.free_packet(packet)
        b.fp.completed.clear()
        b.fm.release()
    assert [len(fp.received) for fp in b.fps] == [100, 100]


@pytest.mark.rule("C5-11")
def test_a_reset_by_a_protocol_is_seen_by_all(bench5):
    b = bench5(handlers=("both", "both"))
    b.fp.send_array(*b.frames(1))
    assert ndis5.reset(b.fp.open) is NdisStatus.PENDING
    assert ndis5.reset(b.fp.open) is NdisStatus.RESET_IN_PROGRESS
    b.run()
    assert b.fp.resets == [NdisStatus.SUCCESS]
    for fp in b.fps:
        assert [code for code, _ in fp.statuses] == [NdisStatus.RESET_START, NdisStatus.RESET_END]
        assert fp.status_completes == 2
    assert b.fp.completed[0][1] is NdisStatus.RESET_IN_PROGRESS
    assert b.fm.packet_filter == PacketFilter.DIRECTED | PacketFilter.BROADCAST | PacketFilter.MULTICAST  # set again
    assert b.fps[1].resets == []


@pytest.mark.rule("C5-11")
def test_a_send_during_a_reset_is_told_so(bench5):
    class Slow(FunctionalMiniport5):
        def reset(self):
            return NdisStatus.PENDING, False

    b = bench5(miniport=Slow)
    ndis5.reset(b.fp.open)
    b.kernel.run_for(0)
    assert b.fp.send(b.frames(1)[0])[1] is NdisStatus.RESET_IN_PROGRESS
    complete_reset(b.fm.adapter, NdisStatus.SUCCESS, False)
    b.run()
    assert b.fp.resets == [NdisStatus.SUCCESS]


@pytest.mark.rule("C5-10", "C5-11")
def test_a_close_waits_for_a_reset_that_the_protocol_asked_for(bench5):
    class Slow(FunctionalMiniport5):
        def reset(self):
            return NdisStatus.PENDING, False

    b = bench5(miniport=Slow)
    ndis5.reset(b.fp.open)
    b.kernel.run_for(0)
    closing = b.kernel.start(unbind_protocol(b.fp.open.core))
    b.kernel.run_for(1_000_000)
    assert not closing
    complete_reset(b.fm.adapter, NdisStatus.SUCCESS, False)
    b.run()
    assert closing
    assert b.fp.resets == [NdisStatus.SUCCESS]

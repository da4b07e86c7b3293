# SPDX-License-Identifier: Apache-2.0
"""S6, the finer points: order through everything that may hold a list, recursion, ports, headers, levels."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilnic import ndis
from hilnic.ndis import Irql, NdisStatus, Profile, SendFlags
from hilnic.testing import FunctionalMiniport, FunctionalProtocol, NdisBench, expect_violation
from hilnic.testing.bench import PEER
from hilnic.testing.frames import ethernet
from hilnic.testing.miniport import MAC_ADDRESS


class Holding(FunctionalMiniport):
    """Its reset lasts until the test ends it."""

    def reset(self):
        self.complete_all(NdisStatus.RESET_IN_PROGRESS)
        return NdisStatus.PENDING, False


@pytest.mark.rule("S6-05")
def test_a_miniport_may_complete_the_lists_linked_in_reverse(bench):
    b = bench()
    nbls = b.fp.send(*b.frames(5))
    b.fm.complete(*reversed(nbls))
    assert [nbl for nbl, _ in b.fp.completed] == nbls[::-1]


@pytest.mark.rule("S6-06")
def test_an_nbl_whose_second_frame_is_too_long_has_one_status(bench):
    class Strict(FunctionalMiniport):
        def send_net_buffer_lists(self, nbls, port_number, send_flags):
            super().send_net_buffer_lists(nbls, port_number, send_flags)
            for nbl in list(self.captured):
                long = any(nb.data_length > self.adapter.largest_frame for nb in nbl.net_buffers())
                self.complete(nbl, status=NdisStatus.INVALID_LENGTH if long else NdisStatus.SUCCESS)

    b = bench(miniport=Strict)
    nbl = b.fp.build(b.frame(1), b.frame(2, size=1600), b.frame(3))
    b.fp.send_nbls([nbl])
    assert b.fp.completed == [(nbl, NdisStatus.INVALID_LENGTH)]


@pytest.mark.rule("S6-12", "ST-14")
@given(calls=st.lists(st.integers(1, 4), min_size=1, max_size=6), during=st.integers(0, 6))
def test_a_binding_s_lists_reach_the_miniport_in_order_also_through_a_reset(calls, during):
    b = NdisBench(miniport=Holding, profile=Profile(hold_sends_during_reset=True), completion="inline")
    sent = 0
    for number, size in enumerate(calls):
        if number == during:
            b.kernel.start(ndis.reset_adapter(b.fm.adapter))
            b.kernel.run_for(0)
        b.fp.send(*[b.frame(sent + n) for n in range(size)])
        sent += size
    if b.fm.adapter.resetting:
        ndis.complete_reset(b.fm.adapter, NdisStatus.SUCCESS, False)
        b.run()
    assert b.fm.sent_frames == b.frames(sent)
    b.stop()


@pytest.mark.rule("S6-12", "ST-14", "LB-02")
def test_what_was_held_goes_first_and_is_looped_as_ever(bench):
    class Answering(FunctionalProtocol):
        def send_net_buffer_lists_complete(self, nbls, flags):
            super().send_net_buffer_lists_complete(nbls, flags)
            if self.completion_calls <= 4:
                self.send(b.frame(100 + self.completion_calls))

    profile = Profile(hold_sends_during_reset=True)
    b = bench(miniport=Holding, profile=profile, completion="inline", protocol=Answering)
    b.kernel.start(ndis.reset_adapter(b.fm.adapter))
    b.kernel.run_for(0)
    for number in range(4):
        b.fp.send(b.frame(number), flags=SendFlags.CHECK_FOR_LOOPBACK)
    assert b.fm.sent_frames == []
    ndis.complete_reset(b.fm.adapter, NdisStatus.SUCCESS, False)
    b.run()
    assert b.fm.sent_frames == b.frames(4) + [b.frame(number) for number in range(101, 105)]
    assert b.fp.received == b.frames(4)


@pytest.mark.rule("S6-24")
def test_an_error_amid_nested_sends_does_not_leave_the_rest_behind(bench):
    class Broken(BaseException):  # what is an Exception, NDIS catches at the handler
        pass

    class Failing(FunctionalProtocol):
        def send_net_buffer_lists_complete(self, nbls, flags):
            super().send_net_buffer_lists_complete(nbls, flags)
            call = self.completion_calls
            if call < 12:
                self.send(b.frame(call))
                self.send(b.frame(50 + call))
            if call == 10:
                raise Broken

    b = bench(protocol=Failing, completion="inline", verify="off")
    with pytest.raises(Broken):
        b.fp.send(b.frame(0))
    assert b.fm.adapter.sending == 0
    left = sum(number for _, _, number, _, _ in b.fm.adapter.deferred_sends)
    sent = len(b.fm.sent_frames)
    b.fp.send(b.frame(99))
    assert not b.fm.adapter.deferred_sends
    assert len(b.fm.sent_frames) >= sent + left + 1


@pytest.mark.rule("S6-24", "S6-12", "CL-07")
@pytest.mark.parametrize("verify", ["off", "fast", "full"])
def test_ten_thousand_sends_from_inside_of_completions_need_no_stack(bench, verify):
    class PingPong(FunctionalProtocol):
        sent = 0

        def send_net_buffer_lists_complete(self, nbls, flags):
            super().send_net_buffer_lists_complete(nbls, flags)
            self.more(nbls)

        def more(self, nbl):
            if self.sent < 10_000:
                self.sent += 1
                nbl.first_net_buffer.mdl_chain.view[14:18] = self.sent.to_bytes(4, "big")
                self.send_nbls([nbl])

    b = bench(protocol=PingPong, completion="inline", verify=verify)
    b.fp.more(b.fp.build(b.frame()))
    b.run()
    assert b.fp.completion_calls == 10_000
    assert [int.from_bytes(frame[14:18], "big") for frame in b.fm.sent_frames] == list(range(1, 10_001))
    assert (b.fm.adapter.sending, list(b.fm.adapter.deferred_sends)) == (0, [])


@pytest.mark.rule("S6-24", "S6-12", "S6-11")
def test_two_sends_from_each_completion_keep_the_order_of_the_calls(bench):
    class Branching(FunctionalProtocol):
        sent = 1

        def send_net_buffer_lists_complete(self, nbls, flags):
            super().send_net_buffer_lists_complete(nbls, flags)
            for _ in range(2):
                if self.sent < 500:
                    self.sent += 1
                    self.send(b.frame(self.sent))

    b = bench(protocol=Branching, completion="inline")
    b.fp.send(b.frame(1))
    assert b.fm.sent_frames == [b.frame(number) for number in range(1, 501)]


@pytest.mark.rule("S6-24", "S6-25")
def test_what_waits_for_the_outermost_send_is_refused_when_the_binding_has_stopped_meanwhile(bench):
    class Stopping(FunctionalProtocol):
        def send_net_buffer_lists_complete(self, nbls, flags):
            super().send_net_buffer_lists_complete(nbls, flags)
            if self.completion_calls == 20:
                self.open.refusal = NdisStatus.PAUSED
            if self.completion_calls < 20:
                self.send_nbls([nbls])

    b = bench(protocol=Stopping, completion="inline")
    b.fp.send(b.frame())
    b.fm.adapter.update_bindings()
    assert len(b.fm.sent_frames) == 20
    assert b.fp.open.sends_outstanding == 0


@pytest.mark.rule("S6-26")
@pytest.mark.parametrize(("port", "status"), [(0, NdisStatus.SUCCESS), (1, NdisStatus.INVALID_PORT)])
def test_port_0_is_there_from_the_start_and_no_other(bench, port, status):
    b = bench(completion="inline")
    nbl = b.fp.build(b.frame())
    b.fp.send_nbls([nbl], port=port)
    assert b.fp.completed == [(nbl, status)]
    assert len(b.fm.sent_frames) == (status is NdisStatus.SUCCESS)


@pytest.mark.rule("S6-23")
def test_at_dispatch_level_the_flag_may_be_set_or_not(bench):
    b = bench(completion="inline")
    b.kernel.queue_dpc(lambda: b.fp.send(b.frame(1), flags=SendFlags.DISPATCH_LEVEL) and None)
    b.kernel.queue_dpc(lambda: b.fp.send(b.frame(2)) and None)
    b.run()
    assert b.fm.sent_frames == [b.frame(1), b.frame(2)]


@pytest.mark.rule("S6-23")
@pytest.mark.mutant("S6-23")
def test_mutant_says_dispatch_at_passive_level(bench):
    b = bench(completion="inline")
    assert b.kernel.irql is Irql.PASSIVE
    with expect_violation(b.ndis, "S6-23"):
        b.fp.send(b.frame(), flags=SendFlags.DISPATCH_LEVEL)


IPV4 = bytes.fromhex("45000028000100004011") + b"\0\0" + bytes([10, 0, 0, 1, 10, 0, 0, 2])
OTHER = IPV4[:-1] + b"\x03"


def flows(kind: str) -> tuple[bytes, bytes]:
    """Two frames that should not share an NBL."""
    first = ethernet(MAC_ADDRESS, PEER, IPV4 + bytes(20), 0x0800)
    return first, {
        "address": ethernet(PEER, PEER, IPV4 + bytes(20), 0x0800),
        "type": ethernet(MAC_ADDRESS, PEER, IPV4 + bytes(20), 0x86DD),
        "flow": ethernet(MAC_ADDRESS, PEER, OTHER + bytes(20), 0x0800),
    }[kind]


@pytest.mark.rule("S6-19")
@pytest.mark.mutant("S6-19")
@pytest.mark.parametrize("kind", ["address", "type", "flow"])
def test_mutant_mixes_flows_in_one_nbl(bench, kind):
    b = bench(completion="inline")
    first, second = flows(kind)
    b.fp.send_nbls([b.fp.build(first, first)])
    assert b.ndis.report.warnings == []
    with expect_violation(b.ndis, "S6-19"):
        b.fp.send_nbls([b.fp.build(first, second)])
    assert (b.fm.sent_frames[2:], b.ndis.report.violations) == ([first, second], [])  # a warning: it is sent
    b.fp.send_nbls([b.fp.build(first, second)])
    assert len(b.ndis.report.warnings) == 1  # said once


@pytest.mark.rule("S6-20", "MD-27")
@pytest.mark.mutant("S6-20")
@pytest.mark.parametrize(("cut", "kind"), [(7, 0x88B5), (13, 0x0800), (16, 0x8100), (0, 0x88B5)])
def test_mutant_splits_the_mac_header(bench, cut, kind):
    b = bench(completion="inline")
    frame = ethernet(MAC_ADDRESS, PEER, bytes(60), kind)
    with expect_violation(b.ndis, *(["S6-20"] if cut else [])):
        b.fp.send(frame, cuts=[cut])
    assert b.fm.sent_frames == [frame]  # legal by MD-27: frowned upon, and sent


@pytest.mark.rule("S6-20")
@pytest.mark.mutant("S6-20")
def test_mutant_splits_the_mac_header_where_that_is_an_error(bench):
    b = bench(completion="inline", profile=Profile(split_header="error"))
    b.fp.send(b.frame(), cuts=[14])
    with expect_violation(b.ndis, "S6-20"):
        b.fp.send(b.frame(), cuts=[7])
    assert b.fm.sent_frames == [b.frame()]

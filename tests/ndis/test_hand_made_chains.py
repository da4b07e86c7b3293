# SPDX-License-Identifier: Apache-2.0
"""Chains of MDLs and lists of NET_BUFFERs, linked by hand: circles, absurd lengths. Named, never walked."""

from __future__ import annotations

import signal

import pytest

from hilnic import ndis
from hilnic.testing import FunctionalFilter, NdisBench, expect_violation

LIMIT_S = 5.0


@pytest.fixture(autouse=True)
def _hangs_are_noticed():
    """A chain without an end would be walked for ever."""

    def late(*_: object) -> None:
        pytest.fail(f"NDIS walks the chain for more than {LIMIT_S} s", pytrace=False)

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, LIMIT_S)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def mdls_of(nbl):
    return list(ndis.walk_mdls(nbl.first_net_buffer.mdl_chain))


def to_itself(nbl):
    mdls = mdls_of(nbl)
    mdls[0].next = mdls[0]


def to_the_head(nbl):
    mdls = mdls_of(nbl)
    mdls[-1].next = mdls[0]


def of_empty_ones(nbl):
    mdls = mdls_of(nbl)
    mdls[-1].next = mdls[-1]
    nbl.first_net_buffer.data_length = 1 << 40
    for mdl in mdls[1:]:
        mdl.byte_count = 0


def of_net_buffers(nbl):
    nbl.first_net_buffer.next = nbl.first_net_buffer


def absurdly_long(nbl):
    mdls_of(nbl)[-1].byte_count = 1 << 40


def before_its_memory(nbl):
    mdls_of(nbl)[-1].byte_offset = -1


def behind_its_memory(nbl):
    mdls_of(nbl)[-1].byte_offset = 1 << 20


MDL_CIRCLES = [to_itself, to_the_head, of_empty_ones]
CIRCLES = [*MDL_CIRCLES, of_net_buffers]
ABSURD = [absurdly_long, before_its_memory, behind_its_memory]
LAYOUTS = [(), (100, 200)]


def spoil(nbl, how):
    """Change a list of one frame by hand; gives what puts it right."""
    nb, mdls = nbl.first_net_buffer, mdls_of(nbl)
    before = [(mdl, mdl.next, mdl.byte_offset, mdl.byte_count) for mdl in mdls]
    length = nb.data_length
    how(nbl)

    def mend():
        nb.next, nb.data_length = None, length
        for mdl, following, offset, count in before:
            mdl.next, mdl.byte_offset, mdl.byte_count = following, offset, count

    return mend


def frames_go_both_ways(b):
    (nbl,) = b.fp.send(b.frame(8))
    assert b.fm.sent_frames[-1] == b.frame(8)
    b.fm.complete(nbl)
    b.fm.indicate(b.frame(9))
    assert b.fp.received[-1] == b.frame(9)


@pytest.mark.rule("OI-21", "S6-21")
@pytest.mark.parametrize("verify", ["fast", "full"])
@pytest.mark.parametrize("cuts", LAYOUTS)
@pytest.mark.parametrize("how", CIRCLES + ABSURD)
def test_a_spoilt_list_is_not_sent_and_its_sender_is_named(how, cuts, verify):
    b = NdisBench(verify=verify)
    nbl = b.fp.build(b.frame(0, 600), cuts=cuts)
    mend = spoil(nbl, how)
    with expect_violation(b.ndis, "S6-21" if how is of_net_buffers else "OI-21") as found:
        ndis.send_net_buffer_lists(b.fp.open, nbl)
    assert [(each.actor, each.object) for each in found] == [(b.fp.open, nbl)]
    assert str(found[0])
    assert b.fm.captured == []
    mend()
    frames_go_both_ways(b)
    b.fp.send_nbls([nbl])  # it has stayed its sender's
    b.fm.complete_all()
    b.stop()


@pytest.mark.rule("OI-21", "R6-11")
@pytest.mark.parametrize("cuts", LAYOUTS)
@pytest.mark.parametrize("how", CIRCLES + ABSURD)
def test_a_spoilt_list_is_not_indicated_and_its_miniport_is_named(how, cuts):
    b = NdisBench()
    nbl = b.fm.build(b.frame(0, 600), cuts=cuts)
    mend = spoil(nbl, how)
    with expect_violation(b.ndis, "R6-11" if how is of_net_buffers else "OI-21") as found:
        ndis.indicate_receive_net_buffer_lists(b.fm.adapter, nbl, 0, 1, 0)
    assert [(each.actor, each.object) for each in found] == [(b.fm.adapter, nbl)]
    assert b.fp.received == []
    mend()
    frames_go_both_ways(b)


@pytest.mark.rule("OI-21", "S6-21")
@pytest.mark.parametrize("cuts", LAYOUTS)
@pytest.mark.parametrize("how", CIRCLES + ABSURD)
def test_a_filter_that_spoils_what_it_sends_is_named(how, cuts):
    class Spoiling(FunctionalFilter):
        def send_net_buffer_lists(self, nbls, port_number, send_flags):
            if nbls.first_net_buffer.data_length != 600:
                return super().send_net_buffer_lists(nbls, port_number, send_flags)
            mend = spoil(nbls, how)
            super().send_net_buffer_lists(nbls, port_number, send_flags)
            mend()
            return self.drop(nbls)

    b = NdisBench()
    fi = b.filter(Spoiling)
    with expect_violation(b.ndis, "S6-21" if how is of_net_buffers else "OI-21") as found:
        b.fp.send(b.frame(0, 600), cuts=cuts)
    assert [each.actor for each in found] == [fi.module]
    frames_go_both_ways(b)
    b.stop()


@pytest.mark.rule("S6-04")
@pytest.mark.parametrize("verify", ["fast", "full"])
@pytest.mark.parametrize("cuts", LAYOUTS)
@pytest.mark.parametrize("how", CIRCLES)
def test_a_miniport_that_makes_a_circle_of_what_it_holds_is_named_when_it_completes(how, cuts, verify):
    b = NdisBench(verify=verify)
    (nbl,) = b.fp.send(b.frame(0, 600), cuts=cuts)
    mend = spoil(nbl, how)
    with b.ndis.report.collect() as found:
        ndis.complete_send_net_buffer_lists(b.fm.adapter, nbl)
    assert "S6-04" in {each.rule for each in found}
    assert b.fp.completed[-1][0] is nbl
    mend()
    frames_go_both_ways(b)


@pytest.mark.rule("MD-09")
@pytest.mark.parametrize("cuts", LAYOUTS)
@pytest.mark.parametrize("how", CIRCLES)
def test_a_protocol_that_makes_a_circle_of_what_it_holds_is_named_when_it_returns(how, cuts):
    b = NdisBench()
    b.fp.hold = True
    (nbl,) = b.fm.indicate(b.frame(0, 600), cuts=cuts)
    mend = spoil(nbl, how)
    with expect_violation(b.ndis, "MD-09"):
        b.fp.give_back()
    mend()
    b.fp.hold = False
    frames_go_both_ways(b)


SERVICES = {
    "NdisAdjustNetBufferCurrentMdl": lambda b, nbl: ndis.adjust_net_buffer_current_mdl(nbl.first_net_buffer),
    "NdisGetDataBuffer": lambda b, nbl: ndis.get_data_buffer(nbl.first_net_buffer, 500, bytearray(500)),
    "NdisRetreatNetBufferDataStart": lambda b, nbl: ndis.retreat_net_buffer_data_start(nbl.first_net_buffer, 0),
    "NdisAdvanceNetBufferDataStart": lambda b, nbl: ndis.advance_net_buffer_data_start(nbl.first_net_buffer, 1),
    "NdisQueryNetBufferPhysicalCount": lambda b, nbl: ndis.query_net_buffer_physical_count(nbl.first_net_buffer),
    "NdisCopyFromNetBufferToNetBuffer": lambda b, nbl: ndis.copy_from_net_buffer_to_net_buffer(
        b.fp.build(b.frame(0, 600)).first_net_buffer, 0, 600, nbl.first_net_buffer, 0
    ),
    "NdisAllocateCloneNetBufferList": lambda b, nbl: ndis.allocate_clone_net_buffer_list(nbl, b.fp.pool),
    "NdisAllocateFragmentNetBufferList": lambda b, nbl: ndis.allocate_fragment_net_buffer_list(
        nbl, b.fp.pool, None, 0, 64
    ),
    "NdisAllocateNetBuffer": lambda b, nbl: ndis.allocate_net_buffer(
        ndis.allocate_net_buffer_pool(b.fp.driver), nbl.first_net_buffer.mdl_chain, 1 << 30, 4
    ),
}


@pytest.mark.rule("OI-21")
@pytest.mark.parametrize("how", MDL_CIRCLES)
@pytest.mark.parametrize("name", SERVICES)
def test_a_service_never_walks_a_circle(how, name):
    b = NdisBench()
    nbl = b.fp.build(b.frame(0, 600), cuts=(100, 200))
    mend = spoil(nbl, how)
    with b.ndis.report.collect() as found:
        SERVICES[name](b, nbl)
    assert {each.rule for each in found} <= {"OI-21"}
    assert [each for each in found if "cyclic" not in str(each)] == []
    mend()
    frames_go_both_ways(b)


@pytest.mark.rule("OI-21")
@pytest.mark.parametrize("name", ["NdisAllocateCloneNetBufferList", "NdisAllocateFragmentNetBufferList"])
def test_a_service_never_walks_a_circle_of_net_buffers(name):
    b = NdisBench()
    nbl = b.fp.build(b.frame(0, 600))
    mend = spoil(nbl, of_net_buffers)
    with expect_violation(b.ndis, "OI-21"):
        SERVICES[name](b, nbl)
    mend()
    frames_go_both_ways(b)

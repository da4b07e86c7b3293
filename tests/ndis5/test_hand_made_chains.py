# SPDX-License-Identifier: Apache-2.0
"""Chains of NDIS_BUFFERs, linked by hand: circles, absurd lengths, false counts. Named, never walked."""

from __future__ import annotations

import signal

import pytest

from hilnic.ndis import NdisStatus, NdisViolation, ndis5
from hilnic.testing import expect_violation
from hilnic.testing.bench5 import Bench5
from hilnic.testing.protocol5 import FunctionalProtocol5

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


def to_itself(mdls):
    mdls[0].next = mdls[0]


def to_the_head(mdls):
    mdls[-1].next = mdls[0]


def to_the_middle(mdls):
    mdls[-1].next = mdls[1]


def of_empty_ones(mdls):
    to_the_head(mdls)
    for mdl in mdls[1:]:
        mdl.byte_count = 0


def absurdly_long(mdls):
    mdls[-1].byte_count = 1 << 40


def before_its_memory(mdls):
    mdls[-1].byte_offset = -1


def behind_its_memory(mdls):
    mdls[-1].byte_offset = 1 << 20


def of_negative_length(mdls):
    mdls[-1].byte_count = -1


CIRCLES = [to_itself, to_the_head, to_the_middle, of_empty_ones]
ABSURD = [absurdly_long, before_its_memory, behind_its_memory, of_negative_length]


def spoil(packet, how):
    """Link or change the packet's three buffers by hand; gives what puts them right."""
    mdls = list(packet.buffers())
    before = [(mdl, mdl.next, mdl.byte_offset, mdl.byte_count) for mdl in mdls]
    how(mdls)

    def mend():
        for mdl, following, offset, count in before:
            mdl.next, mdl.byte_offset, mdl.byte_count = following, offset, count

    return mend


def frames_go_both_ways(b):
    b.fp.send_array(b.frames(1)[0])
    b.fm.complete()
    assert b.fp.completed[-1][1] is NdisStatus.SUCCESS
    assert b.fm.sent_frames[-1] == b.frames(1)[0]
    b.fm.indicate(b.frame(9))
    assert b.fp.received[-1] == b.frame(9)


@pytest.mark.rule("OI-21")
@pytest.mark.parametrize("how", CIRCLES + ABSURD)
@pytest.mark.parametrize("serialized", [True, False])
def test_a_spoilt_packet_is_not_sent_and_its_sender_is_named(how, serialized):
    b = Bench5(serialized=serialized)
    packet = b.fp.build(b.frame(0, 600), cuts=(100, 200))
    mend = spoil(packet, how)
    with expect_violation(b.ndis, "OI-21") as found:
        assert ndis5.send(b.fp.open, packet) is NdisStatus.FAILURE
        ndis5.send_packets(b.fp.open, [packet])
    assert [(each.actor, each.object) for each in found] == [(b.fp.open, packet)] * 2
    assert b.fm.captured == []
    mend()
    frames_go_both_ways(b)
    ndis5.send_packets(b.fp.open, [packet])  # it has stayed its sender's
    b.fm.complete()
    b.stop()


@pytest.mark.rule("OI-21")
@pytest.mark.parametrize("how", CIRCLES + ABSURD)
def test_a_spoilt_packet_is_not_indicated_and_its_miniport_is_named(how):
    b = Bench5()
    packet = b.fm.build(b.frame(0, 600), cuts=(100, 200))
    mend = spoil(packet, how)
    with expect_violation(b.ndis, "OI-21") as found:
        b.fm.indicate_packets([packet])
    assert [(each.actor, each.object) for each in found] == [(b.fm.adapter, packet)]
    assert b.fp.received == []
    mend()
    frames_go_both_ways(b)


@pytest.mark.rule("OI-21")
@pytest.mark.parametrize("how", CIRCLES + ABSURD)
def test_a_spoilt_packet_is_no_destination_of_a_transfer(how):
    answers = []

    class Transferring(FunctionalProtocol5):
        def receive(self, *args):
            packet = self.build(bytes(600), cuts=(100, 200))
            self.mend = spoil(packet, how)
            answers.append(ndis5.transfer_data(self.open, args[0], 0, 400, packet))
            return NdisStatus.SUCCESS

    b = Bench5(("lookahead",), protocol=Transferring)
    with expect_violation(b.ndis, "OI-21"):
        b.fm.indicate_lookahead(b.frame(0, 600), 128)
    assert [status for status, *_ in answers] == [NdisStatus.FAILURE]


SERVICES = {
    "NdisQueryPacket": lambda packet, other: ndis5.query_packet(packet),
    "NdisRecalculatePacketCounts": lambda packet, other: ndis5.recalculate_packet_counts(packet),
    "NdisGetFirstBufferFromPacket": lambda packet, other: ndis5.get_first_buffer_from_packet(packet),
    "NdisCopyFromPacketToPacket": lambda packet, other: ndis5.copy_from_packet_to_packet(other, 0, 600, packet, 0),
    "NdisUnchainBufferAtBack": lambda packet, other: ndis5.unchain_buffer_at_back(packet),
}


@pytest.mark.rule("OI-21")
@pytest.mark.parametrize("how", CIRCLES)
@pytest.mark.parametrize("name", SERVICES)
def test_a_service_that_would_walk_a_circle_names_it(how, name):
    b = Bench5()
    packet, other = (b.fp.build(b.frame(0, 600), cuts=(100, 200)) for _ in range(2))
    mend = spoil(packet, how)
    packet.valid_counts = False
    with pytest.raises(NdisViolation, match=f"OI-21.*{name}.*cyclic"):
        SERVICES[name](packet, other)
    mend()
    frames_go_both_ways(b)


@pytest.mark.rule("S5-10")
@pytest.mark.parametrize("how", CIRCLES)
def test_a_miniport_that_makes_a_circle_of_what_it_holds_is_named_when_it_completes(how):
    b = Bench5()
    packet = b.fp.build(b.frame(0, 600), cuts=(100, 200))
    ndis5.send_packets(b.fp.open, [packet])
    mend = spoil(packet, how)
    with pytest.raises(NdisViolation, match="S5-10"):
        ndis5.send_complete(b.fm.adapter, packet, NdisStatus.SUCCESS)
    mend()


@pytest.mark.rule("R5-12")
@pytest.mark.parametrize("how", CIRCLES)
def test_a_protocol_that_makes_a_circle_of_what_it_holds_is_named_when_it_returns(how):
    b = Bench5()
    b.fp.references = 1
    packet = b.fm.build(b.frame(0, 600), cuts=(100, 200))
    b.fm.indicate_packets([packet])
    mend = spoil(packet, how)
    with expect_violation(b.ndis, "R5-12"):
        b.fp.give_back()
    mend()
    b.fp.references = 0
    frames_go_both_ways(b)


@pytest.mark.rule("S5-16")
@pytest.mark.mutant("S5-16")
@pytest.mark.parametrize("field", ["buffer_count", "total_length", "physical_count"])
@pytest.mark.parametrize("absurd", [0, -1, 1 << 40])
def test_false_counts_are_named_and_put_right(field, absurd):
    b = Bench5()
    packet = b.fp.build(b.frame(0, 600), cuts=(100, 200))
    true = ndis5.query_packet(packet)
    setattr(packet, field, absurd)
    with expect_violation(b.ndis, "S5-16"):
        ndis5.send_packets(b.fp.open, [packet])
    assert ndis5.query_packet(b.fm.captured[0]) == true
    b.fm.complete()
    frames_go_both_ways(b)
    b.stop()

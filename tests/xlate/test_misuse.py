# SPDX-License-Identifier: Apache-2.0
"""Who breaks a rule is named on his own side of the translation; what the other side sees of it is named there."""

from __future__ import annotations

import pytest

from hilnic import ndis
from hilnic.ndis import NdisStatus, ndis5
from hilnic.testing import expect_violation


def poke(mdl) -> None:
    mdl.view[20] ^= 0xFF


# A 6.x miniport below a 5.x protocol.


@pytest.mark.rule("XL-03", "S6-02")
def test_a_6_miniport_that_completes_twice_is_heard_once(five_over_six):
    b = five_over_six()
    (packet,) = b.fp.send_array(b.frame())
    (nbl,) = b.fm.captured
    b.fm.complete(nbl)
    with expect_violation(b.ndis, "S6-16"):  # the list is back in its pool
        b.fm.complete(nbl)
    assert b.fp.completed == [(packet, NdisStatus.SUCCESS)]


@pytest.mark.rule("S6-04", "S5-10")
def test_a_6_miniport_that_cuts_the_chain_of_a_packet_is_named_on_both_sides(five_over_six):
    b = five_over_six()
    packet = b.fp.build(b.frame(size=100), cuts=(50,))
    b.fp.send_packets(packet)
    packet.head.next = None
    with expect_violation(b.ndis, "S6-04", "S5-10") as found:
        b.fm.complete_all()
    assert {violation.actor for violation in found} == {b.fm.adapter}


@pytest.mark.rule("S5-08", "S6-09")
def test_a_5_protocol_that_writes_into_a_pending_packet_is_named(five_over_six):
    b = five_over_six()
    packet = b.fp.build(b.frame(size=100))
    b.fp.send_packets(packet)
    poke(packet.head)
    with expect_violation(b.ndis, "S5-08", "S6-09"):
        b.fm.complete_all()
    assert b.fp.completed == [(packet, NdisStatus.SUCCESS)]


@pytest.mark.rule("XL-10", "R5-05")
def test_a_5_protocol_that_returns_a_packet_twice_is_named_and_the_list_goes_back_once(five_over_six):
    b = five_over_six()
    b.fp.references = 1
    (nbl,) = b.fm.indicate(b.frame())
    (packet,) = b.fp.held
    b.fp.give_back(packet)
    with expect_violation(b.ndis, "R5-05"):
        ndis5.return_packets([packet], b.fp.binding)
    assert b.fm.returned == [nbl]


@pytest.mark.rule("XL-10", "R5-12", "R6-06")
def test_a_5_protocol_that_writes_into_received_data_is_named(five_over_six):
    b = five_over_six()
    b.fp.references = 1
    b.fm.indicate(b.frame(size=100))
    poke(b.fp.held[0].head)
    with expect_violation(b.ndis, "R5-12", "R6-06"):
        b.fp.give_back()


@pytest.mark.rule("XL-10", "R5-07")
def test_a_5_protocol_that_keeps_a_scarce_packet_is_named_and_the_list_goes_back(five_over_six):
    b = five_over_six()
    b.fp.binding.receive_packet_handler = lambda context, packet: 2
    with expect_violation(b.ndis, "R5-07"):
        nbls = b.fm.indicate(b.frame(), flags=ndis.ReceiveFlags.RESOURCES)
    assert b.fm.returned == nbls


@pytest.mark.rule("XL-10", "R6-06")
def test_what_a_5_protocol_reads_after_its_return_is_poison(five_over_six):
    b = five_over_six()
    b.fp.references = 1
    b.fm.indicate(b.frame())
    view = b.fp.held[0].head.view
    b.fp.give_back()
    assert set(view) == {0xDD}


# A 5.x miniport below a 6.x protocol.


@pytest.mark.rule("XL-04", "S5-12")
def test_a_5_miniport_that_completes_twice_is_heard_once(six_over_five):
    b = six_over_five()
    nbl = b.fp.build(*b.frames(2))
    b.fp.send_nbls([nbl])
    one, two = b.fm.captured
    b.fm.complete(one)
    with expect_violation(b.ndis, "S5-12"):
        b.fm.complete(one)
    assert b.fp.completed == []
    b.fm.complete(two)
    assert b.fp.completed == [(nbl, NdisStatus.SUCCESS)]


@pytest.mark.rule("S6-04", "S5-10")
def test_a_5_miniport_that_cuts_the_chain_of_a_list_is_named_on_both_sides(six_over_five):
    b = six_over_five()
    b.fp.send(b.frame(size=100), cuts=(50,))
    (packet,) = b.fm.captured
    packet.head.next = None
    with expect_violation(b.ndis, "S6-04", "S5-10") as found:
        b.fm.complete(packet)
    assert {violation.actor for violation in found} == {b.fm.adapter}


@pytest.mark.rule("XL-09", "R6-06", "R5-12")
def test_a_6_protocol_that_writes_into_received_data_is_named(six_over_five):
    b = six_over_five()
    b.fp.hold = True
    b.fm.indicate(b.frame(size=100))
    poke(b.fp.held[0].first_net_buffer.mdl_chain)
    with expect_violation(b.ndis, "R6-06", "R5-12"):
        b.fp.give_back()


@pytest.mark.rule("XL-09", "R6-10")
def test_a_6_protocol_that_returns_a_list_twice_is_named_and_the_packet_goes_back_once(six_over_five):
    b = six_over_five()
    b.fp.hold = True
    (packet,) = b.fm.indicate(b.frame())
    (nbl,) = b.fp.held
    b.fp.give_back(nbl)
    with expect_violation(b.ndis, "R6-10"):
        ndis.return_net_buffer_lists(b.fp.binding, nbl)
    assert b.fm.returned == [packet]


@pytest.mark.rule("XL-09", "R5-08")
def test_a_5_miniport_that_indicates_a_packet_again_while_it_is_out_is_named(six_over_five):
    b = six_over_five()
    b.fp.hold = True
    (packet,) = b.fm.indicate(b.frame())
    packet.oob.status = NdisStatus.SUCCESS
    with expect_violation(b.ndis, "R5-08"):
        ndis5.indicate_receive_packet(b.fm.adapter, [packet])
    assert len(b.fp.received) == 1
    b.fp.give_back()


@pytest.mark.rule("XL-09", "R6-06")
def test_what_a_6_protocol_reads_after_its_return_is_poison(six_over_five):
    b = six_over_five()
    b.fp.hold = True
    b.fm.indicate(b.frame())
    view = b.fp.held[0].first_net_buffer.mdl_chain.view
    b.fp.give_back()
    assert set(view) == {0xDD}

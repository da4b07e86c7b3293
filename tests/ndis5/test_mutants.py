# SPDX-License-Identifier: Apache-2.0
"""Mutants of NDIS 5: functional drivers that break one rule each, and are caught by exactly that rule.

Those of receives, lookahead, control path and intermediate drivers lie beside the tests of those rules.
"""

from __future__ import annotations

import pytest

from hilnic.ndis import NdisStatus, halt_adapter, ndis5, pause_adapter
from hilnic.ndis.ndis5 import Attributes5
from hilnic.testing import expect_violation
from hilnic.testing.miniport5 import FunctionalMiniport5
from hilnic.testing.protocol5 import FunctionalProtocol5

STYLES = pytest.mark.parametrize("style", ["packets", "send"])


def caught(rule: str):
    """Both markers at once."""

    def mark(test):
        return pytest.mark.rule(rule)(pytest.mark.mutant(rule)(test))

    return mark


@caught("S5-06")
@STYLES
def test_mutant_deserialized_answers_resources(bench5, style):
    b = bench5(serialized=False, style=style)
    b.fm.room = 0
    with expect_violation(b.ndis, "S5-06"):
        b.fp.send_array(*b.frames(1))


@caught("S5-06")
def test_mutant_deserialized_says_that_resources_are_available(bench5):
    b = bench5(serialized=False)
    with expect_violation(b.ndis, "S5-06"):
        ndis5.send_resources_available(b.fm.adapter)


@caught("S5-07")
def test_mutant_deserialized_answers_instead_of_completing(bench5):
    class Answering(FunctionalMiniport5):
        def take(self, packet):
            return NdisStatus.SUCCESS

    b = bench5(miniport=Answering, serialized=False, style="send")
    with expect_violation(b.ndis, "S5-07"):
        (packet,) = b.fp.send_array(*b.frames(1))
    assert b.fp.completed == [(packet, NdisStatus.SUCCESS)]


@caught("S5-07")
def test_mutant_completes_with_pending(bench5):
    b = bench5(serialized=False)
    b.fp.send_array(*b.frames(1))
    with expect_violation(b.ndis, "S5-07"):
        b.fm.complete(status=NdisStatus.PENDING)


@caught("S5-07")
@pytest.mark.parametrize("serialized", [True, False])
def test_mutant_keeps_a_packet_for_half_a_minute(bench5, serialized):
    b = bench5(serialized=serialized)
    b.fp.send_array(*b.frames(1))
    b.kernel.run_for(25_000_000_000)
    assert [warning.rule for warning in b.ndis.report.warnings] == ["S5-07"]
    with expect_violation(b.ndis, "S5-07"):
        b.kernel.run_for(10_000_000_000)


@pytest.mark.rule("S5-07")
def test_a_miniport_may_say_that_its_packets_take_as_long_as_they_take(bench5):
    class Patient(FunctionalMiniport5):
        def attributes(self):
            return super().attributes() | Attributes5.IGNORE_PACKET_TIMEOUT

    b = bench5(miniport=Patient)
    b.fp.send_array(*b.frames(1))
    b.kernel.run_for(60_000_000_000)
    assert b.ndis.report.warnings == []


@caught("S5-08")
def test_mutant_sends_a_packet_that_is_pending(bench5):
    b = bench5()
    (packet,) = b.fp.send_array(*b.frames(1))
    with expect_violation(b.ndis, "S5-08"):
        ndis5.send_packets(b.fp.open, [packet])
    assert b.fm.captured == [packet]


@caught("S5-08")
def test_mutant_writes_to_a_packet_that_is_pending(bench5):
    b = bench5()
    (packet,) = b.fp.send_array(*b.frames(1))
    packet.head.view[30] ^= 1
    with expect_violation(b.ndis, "S5-08"):
        b.fm.complete()


@caught("S5-10")
def test_mutant_rewrites_the_time_to_send(bench5):
    b = bench5()
    (packet,) = b.fp.send_array(*b.frames(1))
    ndis5.set_packet_time_to_send(packet, 5)
    with expect_violation(b.ndis, "S5-10"):
        b.fm.complete()


@caught("S5-10")
def test_mutant_takes_a_buffer_off_what_it_sends(bench5):
    b = bench5()
    (packet,) = b.fp.send_array(*b.frames(1), cuts=(20,))
    ndis5.unchain_buffer_at_back(packet)
    with expect_violation(b.ndis, "S5-10"):
        b.fm.complete()


@caught("S5-10")
def test_mutant_changes_the_array_that_it_was_given(bench5):
    class Thief(FunctionalMiniport5):
        def send_packets(self, packets):
            super().send_packets(packets)
            packets.reverse()

    b = bench5(miniport=Thief)
    with expect_violation(b.ndis, "S5-10"):
        b.fp.send_array(*b.frames(2))
    b.fm.complete()


@caught("S5-11")
def test_mutant_completes_an_oversize_packet_with_success(bench5):
    class Blind(FunctionalMiniport5):
        def take(self, packet):
            return NdisStatus.SUCCESS

    b = bench5(miniport=Blind)
    with expect_violation(b.ndis, "S5-11"):
        b.fp.send_array(b.frame(0, 1600, b"\2" * 6))


@caught("S5-12")
@pytest.mark.parametrize("serialized", [True, False])
def test_mutant_completes_a_packet_twice(bench5, serialized):
    b = bench5(serialized=serialized)
    (packet,) = b.fp.send_array(*b.frames(1))
    b.fm.complete(packet)
    with expect_violation(b.ndis, "S5-12") as found:
        ndis5.send_complete(b.fm.adapter, packet, NdisStatus.SUCCESS)
    assert "DOUBLE_COMPLETE" in str(found[0])
    assert len(b.fp.completed) == 1


@caught("S5-12")
def test_mutant_completes_a_packet_that_it_refused(bench5):
    b = bench5()
    b.fm.room = 0
    (packet,) = b.fp.send_array(*b.frames(1))
    with expect_violation(b.ndis, "S5-12"):
        ndis5.send_complete(b.fm.adapter, packet, NdisStatus.SUCCESS)


@caught("S5-12")
def test_mutant_sends_a_packet_that_it_has_freed(bench5):
    b = bench5()
    packet = b.fp.build(b.frames(1)[0])
    ndis5.free_packet(packet)
    with expect_violation(b.ndis, "S5-12"):
        assert ndis5.send(b.fp.open, packet) is NdisStatus.FAILURE


@caught("S5-12")
def test_mutant_frees_a_packet_that_is_pending(bench5):
    b = bench5()
    (packet,) = b.fp.send_array(*b.frames(1))
    with expect_violation(b.ndis, "S5-12"):
        ndis5.free_packet(packet)


@caught("S5-14")
def test_mutant_writes_to_the_protocols_reserved_area(bench5):
    b = bench5()
    (packet,) = b.fp.send_array(*b.frames(1))
    packet.protocol_reserved[0] = "mine"
    with expect_violation(b.ndis, "S5-14"):
        b.fm.complete()


@caught("S5-15")
@pytest.mark.parametrize("cuts", [(7,), (13,), (0, 14)])
def test_mutant_splits_the_media_header(bench5, cuts):
    b = bench5()
    with expect_violation(b.ndis, "S5-15"):
        b.fp.send_array(*b.frames(1), cuts=cuts)
    assert b.fm.captured == []


@pytest.mark.rule("S5-15")
def test_the_media_header_alone_may_be_the_first_buffer(bench5):
    b = bench5()
    b.fp.send_array(*b.frames(1), cuts=(14,))
    assert b.fm.sent_frames == b.frames(1)


@caught("OB-01")
@pytest.mark.parametrize("status", [NdisStatus.PENDING, NdisStatus.FAILURE])
def test_mutant_indicates_with_a_stale_status(bench5, status):
    b = bench5()
    packet = b.fm.build(b.frame(), status=status)
    with expect_violation(b.ndis, "OB-01"):
        ndis5.indicate_receive_packet(b.fm.adapter, [packet])
    assert b.fp.received == []


@caught("OB-02")
@pytest.mark.parametrize("size", [0, 13, 15])
def test_mutant_indicates_with_a_wrong_header_size(bench5, size):
    b = bench5()
    packet = b.fm.build(b.frame())
    ndis5.set_packet_header_size(packet, size)
    with expect_violation(b.ndis, "OB-02"):
        ndis5.indicate_receive_packet(b.fm.adapter, [packet])


@pytest.mark.rule("OB-02")
def test_a_protocol_splits_header_and_payload_by_the_header_size(bench5):
    class Splitter(FunctionalProtocol5):
        def receive_packet(self, packet):
            data, size = packet.tobytes(), ndis5.get_packet_header_size(packet)
            self.received += [data[:size], data[size:]]
            return 0

    b = bench5(protocol=Splitter)
    b.fm.indicate(b.frame())
    assert b.fp.received == [b.frame()[:14], b.frame()[14:]]


@caught("R5-08")
def test_mutant_indicates_a_packet_that_is_still_held(bench5):
    b = bench5()
    b.fp.references = 1
    (packet,) = b.fm.indicate(b.frame())
    ndis5.set_packet_status(packet, NdisStatus.SUCCESS)
    with expect_violation(b.ndis, "R5-08"):
        ndis5.indicate_receive_packet(b.fm.adapter, [packet])
    assert len(b.fp.received) == 1


@caught("S5-12")
def test_mutant_indicates_a_packet_that_it_has_freed(bench5):
    b = bench5()
    packet = b.fm.build(b.frame())
    ndis5.free_packet(packet)
    with expect_violation(b.ndis, "S5-12"):
        ndis5.indicate_receive_packet(b.fm.adapter, [packet])


@caught("R6-16")
def test_mutant_indicates_after_its_halt(bench5):
    b = bench5()
    b.run(halt_adapter(b.fm.adapter))
    with expect_violation(b.ndis, "R6-16"):
        b.fm.indicate_lookahead(b.frame())


@pytest.mark.parametrize("serialized", [True, False])
def test_what_is_indicated_while_paused_is_nobodys_for_the_miniport_knows_no_pause(bench5, serialized):
    b = bench5(serialized=serialized)
    b.run(pause_adapter(b.fm.adapter))
    packet = b.fm.build(b.frame())
    b.fm.indicate_packets([packet])
    assert b.fm.returned == [packet]
    b.fm.indicate_lookahead(b.frame())
    assert b.fp.received == []

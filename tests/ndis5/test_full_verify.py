# SPDX-License-Identifier: Apache-2.0
"""verify=full for packets: a handler that touches a packet which is not its own is named at once, in its own frame."""

from __future__ import annotations

import pytest

from hilnic.ndis import NdisStatus, ndis5
from hilnic.testing import expect_violation
from hilnic.testing.miniport5 import FunctionalMiniport5
from hilnic.testing.protocol5 import FunctionalProtocol5


def caught(rule: str):
    """Both markers at once."""

    def mark(test):
        return pytest.mark.rule(rule)(pytest.mark.mutant(rule)(test))

    return mark


@pytest.mark.rule("S5-08", "R5-01", "R5-04")
@pytest.mark.parametrize("serialized", [True, False])
def test_drivers_that_keep_the_rules_are_left_alone(bench5, serialized):
    b = bench5(handlers=("both", "lookahead"), verify="full", serialized=serialized)
    b.fp.references = 2
    b.fp.send_array(*b.frames(3), b.frame(destination=b"\xff" * 6))
    b.fm.indicate(b.frame(), b.frame(1), cuts=(14,))
    b.fm.indicate(b.frame(2), status=NdisStatus.RESOURCES)
    b.fm.indicate_lookahead(b.frame(3, 600))
    b.fm.complete()
    b.fp.give_back()
    b.run()
    assert b.ndis.report.violations == []


@caught("S5-08")
def test_mutant_reads_the_status_of_a_packet_that_is_pending(bench5):
    class Peeker(FunctionalProtocol5):
        def send_complete(self, packet, status):
            ndis5.get_packet_status(self.others[0])
            super().send_complete(packet, status)

    b = bench5(protocol=Peeker, verify="full")
    first, second = b.fp.send_array(*b.frames(2))
    b.fp.others = [second]
    with expect_violation(b.ndis, "S5-08"):
        b.fm.complete(first)


@caught("R5-02")
def test_mutant_reads_a_packet_that_it_has_given_back(bench5):
    class Reader(FunctionalProtocol5):
        def receive_packet(self, packet):
            self.before, old = packet, getattr(self, "before", None)
            if old is not None:
                old.tobytes()
            return 0

    b = bench5(protocol=Reader, verify="full")
    b.fm.indicate(b.frame())
    with expect_violation(b.ndis, "R5-02"):
        b.fm.indicate(b.frame(1))


@caught("S5-07")
def test_mutant_touches_a_packet_that_it_has_completed(bench5):
    class Scribbler(FunctionalMiniport5):
        def take(self, packet):
            ndis5.send_complete(self.adapter, packet, NdisStatus.SUCCESS)
            packet.miniport_reserved[0] = "late"
            return NdisStatus.PENDING

    b = bench5(miniport=Scribbler, serialized=False, verify="full")
    with expect_violation(b.ndis, "S5-07"):
        b.fp.send_array(*b.frames(1))


@caught("R5-08")
def test_mutant_touches_a_packet_that_is_held_above(bench5):
    class Scribbler(FunctionalMiniport5):
        def take(self, packet):
            for indicated in self.pool.live:
                ndis5.set_packet_header_size(indicated, 14)
            return super().take(packet)

    b = bench5(miniport=Scribbler, verify="full")
    b.fp.references = 1
    b.fm.indicate(b.frame())
    with expect_violation(b.ndis, "R5-08"):
        b.fp.send_array(*b.frames(1))


@caught("R5-21")
def test_mutant_touches_the_destination_of_a_transfer_that_pends(bench5):
    class Peeker(FunctionalProtocol5):
        def receive(self, context, header, lookahead, packet_size):
            answer = super().receive(context, header, lookahead, packet_size)
            next(iter(self.partial)).length()
            return answer

    b = bench5(handlers=("lookahead",), protocol=Peeker, transfer="pend", verify="full")
    with expect_violation(b.ndis, "R5-21"):
        b.fm.indicate_lookahead(b.frame(0, 600), 128)


@caught("S5-12")
def test_mutant_reads_a_packet_that_it_has_freed(bench5):
    class Reader(FunctionalProtocol5):
        def send_complete(self, packet, status):
            ndis5.free_packet(packet)
            packet.tobytes()

    b = bench5(protocol=Reader, verify="full")
    b.fp.send_array(*b.frames(1))
    with expect_violation(b.ndis, "S5-12"):
        b.fm.complete()

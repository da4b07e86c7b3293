# SPDX-License-Identifier: Apache-2.0
"""R5: full-packet receives of NDIS 5, the counts that protocols answer, and the returns (s3, s4)."""

from __future__ import annotations

import pytest

from hilnic.ndis import NdisStatus, PacketFilter, Profile, ndis5
from hilnic.testing import expect_violation
from hilnic.testing.miniport import MAC_ADDRESS
from hilnic.testing.protocol5 import FunctionalProtocol5

KINDS = pytest.mark.parametrize("serialized", [True, False])


@pytest.mark.rule("R5-01")
@KINDS
@pytest.mark.parametrize("references", [1, 2, 3, 4, 5])
def test_a_packet_comes_back_after_as_many_returns_as_the_handler_answered(bench5, serialized, references):
    b = bench5(serialized=serialized)
    b.fp.references = references
    (packet,) = b.fm.indicate(b.frame())
    for _ in range(references):
        assert b.fm.returned == []
        b.fp.give_back(packet)
    assert b.fm.returned == [packet]


@pytest.mark.rule("R5-02")
@KINDS
def test_a_packet_whose_handler_answers_0_is_released_when_it_returns(bench5, serialized):
    b = bench5(serialized=serialized)
    (packet,) = b.fm.indicate(b.frame())
    assert b.fp.received == [b.frame()]
    assert b.fm.returned == [packet]
    assert packet.tobytes() == b"\xdd" * 60


@pytest.mark.rule("R5-03")
def test_the_counts_of_several_protocols_add_up(bench5):
    b = bench5(handlers=("packet", "packet", "packet"))
    for fp, references in zip(b.fps, (2, 0, 3), strict=True):
        fp.references = references
    (packet,) = b.fm.indicate(b.frame())
    for fp in (b.fps[2], b.fps[0], b.fps[2], b.fps[2]):
        fp.give_back(packet)
        assert b.fm.returned == []
    b.fps[0].give_back(packet)
    assert b.fm.returned == [packet]


@pytest.mark.rule("R5-04")
def test_each_protocol_gets_the_same_packet_after_the_one_before_has_answered(bench5):
    order: list[tuple[str, object]] = []

    class Noting(FunctionalProtocol5):
        def receive_packet(self, packet):
            order.append((f"{self.name} in", packet))
            super().receive_packet(packet)
            order.append((f"{self.name} out", packet))
            return 0

    b = bench5(handlers=("packet", "packet"), protocol=Noting)
    (packet,) = b.fm.indicate(b.frame())
    assert order == [(name, packet) for name in ("fp0 in", "fp0 out", "fp1 in", "fp1 out")]


@pytest.mark.rule("R5-05")
@pytest.mark.mutant("R5-05")
def test_mutant_returns_a_packet_once_too_often(bench5):
    b = bench5()
    b.fp.references = 1
    (packet,) = b.fm.indicate(b.frame())
    b.fp.give_back(packet)
    with expect_violation(b.ndis, "R5-05"):
        ndis5.return_packets([packet], b.fp.open)
    assert b.fm.returned == [packet]


@pytest.mark.rule("R5-05")
@pytest.mark.mutant("R5-05")
def test_mutant_pays_with_the_reference_of_another_protocol(bench5):
    b = bench5(handlers=("packet", "packet"))
    b.fps[0].references = 1
    (packet,) = b.fm.indicate(b.frame())
    with expect_violation(b.ndis, "R5-05"):
        ndis5.return_packets([packet], b.fps[1].open)
    assert b.fm.returned == []


@pytest.mark.rule("R5-05")
def test_a_return_too_few_is_a_leak(bench5):
    b = bench5()
    b.fp.references = 2
    (packet,) = b.fm.indicate(b.frame())
    b.fp.give_back(packet)
    with expect_violation(b.ndis, "ST-21") as found:
        b.ndis.check_leaks()
    assert any("receives_outstanding': 1" in str(violation) for violation in found)


def two_holders(bench5):
    """A packet that two protocols hold, one reference each."""
    b = bench5(handlers=("packet", "packet"))
    for fp in b.fps:
        fp.references = 1
    (packet,) = b.fm.indicate(b.frame())
    for fp in b.fps:
        fp.held.clear()
    return b, packet


@pytest.mark.rule("R5-01", "R5-03")
@pytest.mark.parametrize("named", [0, 1])
def test_a_return_without_a_binding_is_charged_to_nobody_while_several_hold_the_packet(bench5, named):
    b, packet = two_holders(bench5)
    ndis5.return_packets([packet])
    assert [fp.open.core.receives_outstanding for fp in b.fps] == [1, 1]
    assert b.fm.returned == []
    ndis5.return_packets([packet], b.fps[named].open)
    assert b.fm.returned == [packet]
    assert [fp.open.core.receives_outstanding for fp in b.fps] == [0, 0]


@pytest.mark.rule("R5-05")
def test_returns_without_a_binding_that_are_too_many_name_no_protocol(bench5):
    b, packet = two_holders(bench5)
    ndis5.return_packets([packet, packet])
    assert b.fm.returned == [packet]
    with expect_violation(b.ndis, "R5-05") as found:
        ndis5.return_packets([packet])
    assert found[0].actor is b.ndis


@pytest.mark.rule("R5-32")
def test_a_close_waits_until_a_packet_is_home_of_which_nobody_knows_who_returned_it(bench5):
    from hilnic.ndis import unbind_protocol

    b, packet = two_holders(bench5)
    closings = [b.kernel.start(unbind_protocol(fp.open.core)) for fp in b.fps]
    ndis5.return_packets([packet])
    b.kernel.run_for(1_000_000)
    assert closings == [[], []]
    ndis5.return_packets([packet])
    b.run()
    assert all(closings)
    assert b.fps[0].trace == ["closed SUCCESS"]


@pytest.mark.rule("R5-06")
@KINDS
def test_a_return_from_inside_the_handler_is_tolerated_and_counted(bench5, serialized):
    class Early(FunctionalProtocol5):
        def receive_packet(self, packet):
            ndis5.return_packets([packet])
            return 2

    b = bench5(protocol=Early, serialized=serialized)
    (packet,) = b.fm.indicate(b.frame())
    assert b.fm.returned == []
    assert ["EARLY_RETURN" in warning.detail for warning in b.ndis.report.warnings] == [True]
    ndis5.return_packets([packet], b.fp.open)
    assert b.fm.returned == [packet]


@pytest.mark.rule("R5-06")
@pytest.mark.mutant("R5-06")
def test_mutant_returns_from_inside_the_handler_in_the_strict_profile(bench5):
    class Early(FunctionalProtocol5):
        def receive_packet(self, packet):
            ndis5.return_packets([packet])
            return 1

    b = bench5(protocol=Early, profile=Profile(early_return_is_error=True))
    with expect_violation(b.ndis, "R5-06"):
        (packet,) = b.fm.indicate(b.frame())
    assert b.fm.returned == [packet]


@pytest.mark.rule("R5-05")
@pytest.mark.mutant("R5-05")
def test_mutant_returns_inside_the_handler_more_than_it_answers(bench5):
    class Early(FunctionalProtocol5):
        def receive_packet(self, packet):
            ndis5.return_packets([packet, packet])
            return 1

    b = bench5(protocol=Early)
    with expect_violation(b.ndis, "R5-05", "R5-06"):  # frowned upon for being early, and wrong for being too many
        (packet,) = b.fm.indicate(b.frame())
    assert b.fm.returned == [packet]


@pytest.mark.rule("R5-07")
@KINDS
def test_a_resources_packet_is_shown_and_comes_back_at_once(bench5, serialized):
    b = bench5(serialized=serialized)
    b.fp.references = 3
    (packet,) = b.fm.indicate(b.frame(), status=NdisStatus.RESOURCES)
    assert (b.fp.received, b.fp.received_by) == ([b.frame()], ["packet"])
    assert b.fm.returned == [packet]
    assert "return_packet" not in b.fm.calls
    assert packet.tobytes() == b"\xdd" * 60


class Keeper(FunctionalProtocol5):
    """Keeps whatever it gets."""

    def receive_packet(self, packet):
        self.received.append(packet.tobytes())
        return 2


@pytest.mark.rule("R5-07")
@pytest.mark.mutant("R5-07")
def test_mutant_keeps_a_resources_packet(bench5):
    b = bench5(protocol=Keeper)
    with expect_violation(b.ndis, "R5-07"):
        (packet,) = b.fm.indicate(b.frame(), status=NdisStatus.RESOURCES)
    assert b.fm.returned == [packet]
    assert b.fp.open.core.idle()


@pytest.mark.rule("R5-07")
@pytest.mark.mutant("R5-07")
def test_mutant_returns_a_resources_packet(bench5):
    class Returner(FunctionalProtocol5):
        def receive_packet(self, packet):
            ndis5.return_packets([packet])
            return 0

    b = bench5(protocol=Returner)
    with expect_violation(b.ndis, "R5-07"):
        b.fm.indicate(b.frame(), status=NdisStatus.RESOURCES)


@pytest.mark.rule("R5-07")
def test_the_older_way_shows_resources_packets_to_protocol_receive(bench5):
    b = bench5(profile=Profile(resources_via_receive=True))
    b.fm.indicate(b.frame(), b.frame(1), status=NdisStatus.RESOURCES)
    b.fm.indicate(b.frame(2))
    assert b.fp.received_by == ["lookahead", "lookahead", "packet"]
    assert b.fp.received == [b.frame(), b.frame(1), b.frame(2)]


@pytest.mark.rule("R5-07")
def test_an_array_where_success_follows_resources_is_frowned_upon(bench5):
    b = bench5()
    packets = [b.fm.build(b.frame(n), status=NdisStatus.RESOURCES if n == 0 else NdisStatus.SUCCESS) for n in (0, 1)]
    b.fm.indicate_packets(packets)
    assert ["RES_NOT_STICKY" in warning.detail for warning in b.ndis.report.warnings] == [True]
    assert b.fm.returned == packets


@pytest.mark.rule("R5-08")
def test_after_the_call_the_status_says_whose_each_packet_is(bench5):
    class Choosy(FunctionalProtocol5):
        def receive_packet(self, packet):
            self.references = int(packet.tobytes()[17] % 2)
            return super().receive_packet(packet)

    b = bench5(protocol=Choosy)
    statuses = [NdisStatus.SUCCESS, NdisStatus.SUCCESS, NdisStatus.RESOURCES, NdisStatus.RESOURCES]
    packets = [b.fm.build(b.frame(n), status=status) for n, status in enumerate(statuses)]
    b.fm.indicate_packets(packets)
    after = [ndis5.get_packet_status(packet) for packet in packets]
    assert after == [NdisStatus.SUCCESS, NdisStatus.PENDING, NdisStatus.RESOURCES, NdisStatus.RESOURCES]
    assert "return_packet" not in b.fm.calls
    b.fp.give_back()
    assert b.fm.calls.count("return_packet") == 1


@pytest.mark.rule("R5-09")
def test_a_deserialized_miniport_gets_every_packet_back_by_its_handler_but_scarce_ones(bench5):
    b = bench5(serialized=False)
    b.fm.indicate(b.frame(), b.frame(1))
    b.fm.indicate(b.frame(2), status=NdisStatus.RESOURCES)
    assert b.fm.calls.count("return_packet") == 2


@pytest.mark.rule("R5-10")
def test_the_array_stays_the_miniports(bench5):
    b = bench5()
    b.fp.references = 1
    packets = [b.fm.build(b.frame(n)) for n in range(3)]
    array = list(packets)
    ndis5.indicate_receive_packet(b.fm.adapter, array)
    assert array == packets
    array.clear()
    b.fp.give_back()
    assert b.fm.returned == packets


@pytest.mark.rule("R5-11")
def test_the_packets_of_an_array_come_one_at_a_time_in_order(bench5):
    b = bench5()
    b.fm.indicate(*[b.frame(n) for n in range(8)])
    assert b.fp.received == [b.frame(n) for n in range(8)]
    assert b.fp.received_by == ["packet"] * 8


@pytest.mark.rule("R5-12")
@pytest.mark.mutant("R5-12")
def test_mutant_writes_to_a_received_packet(bench5):
    class Writer(FunctionalProtocol5):
        def receive_packet(self, packet):
            packet.head.view[20] ^= 1
            return 0

    b = bench5(protocol=Writer)
    with expect_violation(b.ndis, "R5-12"):
        b.fm.indicate(b.frame())


@pytest.mark.rule("R5-12")
@pytest.mark.mutant("R5-12")
def test_mutant_writes_to_a_lookahead(bench5):
    class Writer(FunctionalProtocol5):
        def receive(self, context, header, lookahead, packet_size):
            lookahead[0] ^= 1
            return NdisStatus.SUCCESS

    b = bench5(handlers=("lookahead",), protocol=Writer)
    with expect_violation(b.ndis, "R5-12"):
        b.fm.indicate(b.frame())


@pytest.mark.rule("R5-13")
@pytest.mark.parametrize(("cuts", "copies"), [((), 0), ((14,), 1), ((14, 20), 1)])
def test_without_receive_packet_the_whole_packet_is_the_lookahead(bench5, cuts, copies):
    sizes: list[tuple[int, int, int]] = []

    class Noting(FunctionalProtocol5):
        def receive(self, context, header, lookahead, packet_size):
            sizes.append((len(header), len(lookahead), packet_size))
            return super().receive(context, header, lookahead, packet_size)

    b = bench5(handlers=("lookahead",), protocol=Noting)
    (packet,) = b.fm.indicate(b.frame(), cuts=cuts)
    assert (b.fp.received, sizes) == ([b.frame()], [(14, 46, 46)])
    assert b.ndis.ndis5.copies == copies
    assert b.fm.returned == [packet]


@pytest.mark.rule("R5-14")
@pytest.mark.mutant("R5-14")
def test_mutant_has_no_receive_packet_for_arrays_and_out_of_band_data(bench5):
    b = bench5(handlers=("lookahead",))
    b.fm.indicate(b.frame())
    assert b.ndis.report.warnings == []
    b.fm.indicate(b.frame(), b.frame(1))
    packet = b.fm.build(b.frame())
    ndis5.set_packet_media_specific_info(packet, b"tag")
    b.fm.indicate_packets([packet])
    assert [warning.rule for warning in b.ndis.report.warnings] == ["R5-14"] * 3


@pytest.mark.rule("R5-23")
def test_receive_complete_follows_an_array_once(bench5):
    b = bench5(handlers=("both", "lookahead"))
    b.fm.indicate(b.frame(), b.frame(1), b.frame(2))
    assert [fp.receive_completes for fp in b.fps] == [1, 1]


@pytest.mark.rule("R5-25")
def test_a_frame_that_nobody_wants_is_silently_dropped(bench5):
    class Unwilling(FunctionalProtocol5):
        def receive(self, context, header, lookahead, packet_size):
            return NdisStatus.NOT_ACCEPTED

    b = bench5(handlers=("lookahead",), protocol=Unwilling)
    (packet,) = b.fm.indicate(b.frame())
    b.fm.indicate_lookahead(b.frame())
    assert b.fm.returned == [packet]
    assert b.fp.received == []


@pytest.mark.rule("R6-15")
def test_a_binding_gets_only_what_its_own_filter_asks_for(bench5):
    b = bench5(handlers=("packet", "packet"))
    b.run(b.fps[1].set_filter(PacketFilter.PROMISCUOUS))
    b.fm.indicate(b.frame(destination=b"\2" * 6))
    b.fm.indicate(b.frame(1))
    assert [len(fp.received) for fp in b.fps] == [1, 2]


@pytest.mark.rule("R5-32")
def test_a_close_waits_for_the_packets_that_the_protocol_keeps(bench5):
    from hilnic.ndis import unbind_protocol

    b = bench5()
    b.fp.references = 2
    (packet,) = b.fm.indicate(b.frame())
    binding = b.fp.open
    closing = b.kernel.start(unbind_protocol(binding.core))
    b.kernel.run_for(1_000_000)
    ndis5.return_packets([packet], binding)
    b.kernel.run_for(1_000_000)
    assert not closing
    assert "closed SUCCESS" not in b.fp.trace
    b.fp.held.clear()
    ndis5.return_packets([packet], binding)
    b.run()
    assert closing
    assert b.fp.trace == ["closed SUCCESS"]


@pytest.mark.rule("R5-35", "OB-03")
def test_a_protocol_that_copies_takes_the_out_of_band_block_along(bench5):
    copies: list[ndis5.Packet] = []

    class Copier(FunctionalProtocol5):
        def receive_packet(self, packet):
            copy = self.build(packet.tobytes())
            ndis5.copy_out_of_band(copy, packet)
            copies.append(copy)
            return 0

    b = bench5(protocol=Copier)
    packet = b.fm.build(b.frame())
    ndis5.set_packet_time_received(packet, 99)
    ndis5.set_packet_media_specific_info(packet, b"media")
    b.fm.indicate_packets([packet])
    (copy,) = copies
    assert (copy.tobytes(), copy.oob.time_received, copy.oob.header_size) == (b.frame(), 99, 14)
    assert ndis5.get_packet_media_specific_info(copy) == b"media"
    assert ndis5.get_packet_time_received(packet) != 99  # what was not copied is poison now
    assert ndis5.get_packet_media_specific_info(packet) == b"\xdd" * 5
    b.fp.completed.append((copy, 0))


@pytest.mark.rule("OB-04")
def test_out_of_band_data_is_the_same_by_both_receive_handlers(bench5):
    seen: list[object] = []

    class Reader(FunctionalProtocol5):
        def receive_packet(self, packet):
            seen.append((packet, packet.oob.time_received))
            return 0

        def receive(self, context, header, lookahead, packet_size):
            packet = ndis5.get_received_packet(self.open, context)
            seen.append((packet, packet and packet.oob.time_received))
            return NdisStatus.SUCCESS

    b = bench5(handlers=("packet", "lookahead"), protocol=Reader)
    packet = b.fm.build(b.frame())
    ndis5.set_packet_time_received(packet, 1234)
    b.fm.indicate_packets([packet])
    b.fm.indicate_lookahead(b.frame(destination=MAC_ADDRESS))
    assert seen == [(packet, 1234), (packet, 1234), (None, None)]


@pytest.mark.rule("R5-03")
def test_a_handler_may_return_a_packet_that_another_binding_holds(bench5):
    others: list[ndis5.Packet] = []

    class Crossing(FunctionalProtocol5):
        def receive_packet(self, packet):
            if others:
                ndis5.return_packets(others)
            return 0

    b = bench5(handlers=("packet",), protocol=Crossing)
    keeper = FunctionalProtocol5(b.ndis, "keeper", "packet", b.fm.name)
    b.run(keeper.start())
    b.run(keeper.listen())
    keeper.references = 2
    (packet,) = b.fm.indicate(b.frame())
    others += [packet, packet]
    keeper.references = 0
    b.fm.indicate(b.frame(1))
    assert b.fm.returned[0] is packet
    assert keeper.open.core.idle()
    assert b.ndis.report.warnings == []
    b.run(keeper.stop())

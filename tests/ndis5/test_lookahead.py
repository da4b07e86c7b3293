# SPDX-License-Identifier: Apache-2.0
"""R5: ProtocolReceive with lookahead, NdisTransferData, ReceiveComplete; Ethernet, token ring, FDDI, WAN."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hilnic.ndis import (
    MacOptions,
    NdisMedium,
    NdisStatus,
    Oid,
    complete_reset,
    ndis5,
    reset_adapter,
    unbind_protocol,
)
from hilnic.ndis.ndis5 import WanPacket
from hilnic.testing import expect_violation
from hilnic.testing.miniport5 import FunctionalMiniport5
from hilnic.testing.protocol5 import FunctionalProtocol5

KINDS = pytest.mark.parametrize("serialized", [True, False])


@pytest.mark.rule("R5-16", "R5-18", "R5-19")
@KINDS
@pytest.mark.parametrize("lookahead", [64, 128, 256, 1500])
@pytest.mark.parametrize("size", [14, 60, 64 + 14, 200, 1514])
def test_header_lookahead_and_transfer_make_the_frame(bench5, serialized, lookahead, size):
    b = bench5(handlers=("lookahead",), serialized=serialized)
    b.run(b.fp.set(Oid.OID_GEN_CURRENT_LOOKAHEAD, lookahead))
    b.run()
    assert b.fm.lookahead == lookahead
    frame = (b.frame() + bytes(range(256)) * 6)[:size]
    b.fm.indicate_lookahead(frame, min(lookahead, size - 14))
    assert b.fp.received == [frame]
    assert len(b.fp.transfers) == (size - 14 > lookahead)


@pytest.mark.rule("R5-16")
@pytest.mark.mutant("R5-16")
def test_mutant_shows_less_than_the_lookahead_that_was_asked_for(bench5):
    b = bench5(handlers=("lookahead",))
    b.run(b.fp.set(Oid.OID_GEN_CURRENT_LOOKAHEAD, 256))
    with expect_violation(b.ndis, "R5-16"):
        b.fm.indicate_lookahead(b.frame(0, 600), 128)


@pytest.mark.rule("R5-17")
def test_header_and_lookahead_are_poison_after_the_call(bench5):
    kept: list[memoryview] = []

    class Keeper(FunctionalProtocol5):
        def receive(self, context, header, lookahead, packet_size):
            kept.extend([header, lookahead])
            return NdisStatus.SUCCESS

    b = bench5(handlers=("lookahead",), protocol=Keeper)
    b.fm.indicate_lookahead(b.frame())
    assert [bytes(view) for view in kept] == [b"\xdd" * 14, b"\xdd" * 46]


class Transferrer(FunctionalProtocol5):
    """Transfers what the test says and notes the answer."""

    ask = (0, 0)
    room = 64
    contexts: list[object]

    def receive(self, context, header, lookahead, packet_size):
        self.contexts = [context]
        packet = self.build(bytes(self.room))
        status, moved = ndis5.transfer_data(self.open, context, *self.ask, packet)
        self.transfers.append((packet, status, moved))
        self.received.append(packet.tobytes()[:moved])
        self.completed.append((packet, 0))
        return NdisStatus.SUCCESS


@pytest.mark.rule("R5-19", "R5-20")
@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize(
    ("offset", "number", "room", "status", "moved"),
    [
        (0, 46, 64, NdisStatus.SUCCESS, 46),
        (10, 20, 64, NdisStatus.SUCCESS, 20),
        (45, 1, 64, NdisStatus.SUCCESS, 1),
        (46, 0, 64, NdisStatus.SUCCESS, 0),
        (0, 0, 64, NdisStatus.SUCCESS, 0),
        (0, 46, 30, NdisStatus.SUCCESS, 30),  # clipped to the destination
        (0, 47, 64, NdisStatus.FAILURE, 0),
        (46, 1, 64, NdisStatus.FAILURE, 0),
        (-1, 1, 64, NdisStatus.FAILURE, 0),
    ],
)
def test_a_transfer_copies_from_behind_the_header(bench5, full, offset, number, room, status, moved):
    b = bench5(handlers=("lookahead",), protocol=Transferrer)
    b.fp.ask, b.fp.room = (offset, number), room
    frame = b.frame()
    if full:
        b.fm.indicate(frame)
    else:
        b.fm.indicate_lookahead(frame)
    assert [(s, m) for _, s, m in b.fp.transfers] == [(status, moved)]
    assert b.fp.received == [frame[14 + offset :][:moved] if moved else b""]


@pytest.mark.rule("R5-20")
def test_a_transfer_is_refused_during_a_reset(bench5):
    class Slow(FunctionalMiniport5):
        def reset(self):
            return NdisStatus.PENDING, False

    b = bench5(handlers=("lookahead",), protocol=Transferrer, miniport=Slow)
    b.kernel.start(reset_adapter(b.fm.adapter))
    b.kernel.run_for(0)
    b.fm.indicate_lookahead(b.frame())
    assert b.fp.transfers[-1][1] is NdisStatus.RESET_IN_PROGRESS
    complete_reset(b.fm.adapter, NdisStatus.SUCCESS, False)
    b.run()


@pytest.mark.rule("R5-20")
def test_a_transfer_is_refused_on_a_closing_binding(bench5):
    b = bench5()
    b.fp.references = 1
    (held,) = b.fm.indicate(b.frame())
    binding = b.fp.open
    b.kernel.start(unbind_protocol(binding.core))
    b.kernel.run_for(0)
    packet = b.fp.build(bytes(8))
    assert ndis5.transfer_data(binding, None, 0, 4, packet) == (NdisStatus.REQUEST_ABORTED, 0)
    b.fp.completed.append((packet, 0))
    b.fp.held.clear()
    ndis5.return_packets([held], binding)
    b.run()
    assert b.fp.binding is None


@pytest.mark.rule("R5-21")
def test_a_transfer_that_pends_completes_once_later(bench5):
    b = bench5(handlers=("lookahead",), transfer="pend")
    frame = b.frame(0, 600)
    b.fm.indicate_lookahead(frame, 128)
    assert b.fp.received == []
    assert b.fp.open.core.receives_outstanding == 1  # a close would wait
    b.fm.finish_transfer()
    assert b.fp.received == [frame]
    assert b.fp.trace == ["transfer_data_complete"]


@pytest.mark.rule("R5-21")
def test_a_transfer_may_complete_before_the_call_returns(bench5):
    b = bench5(handlers=("lookahead",), transfer="early")
    frame = b.frame(0, 600)
    b.fm.indicate_lookahead(frame, 128)
    assert b.fp.received == [frame]
    assert b.fp.trace == ["transfer_data_complete"]


@pytest.mark.rule("R5-21")
@pytest.mark.mutant("R5-21")
def test_mutant_completes_a_transfer_and_answers_it_as_well(bench5):
    class Both(FunctionalMiniport5):
        def transfer_data(self, context, offset, number, packet):
            ndis5.transfer_data_complete(self.adapter, packet, NdisStatus.SUCCESS, self.fill(packet, offset, number))
            return NdisStatus.SUCCESS, number

    b = bench5(handlers=("lookahead",), miniport=Both)
    with expect_violation(b.ndis, "R5-21"):
        b.fm.indicate_lookahead(b.frame(0, 600), 128)
    assert b.fp.received == [b.frame(0, 600)]


@pytest.mark.rule("R5-21")
@pytest.mark.mutant("R5-21")
def test_mutant_completes_a_transfer_twice(bench5):
    b = bench5(handlers=("lookahead",), transfer="pend")
    b.fm.indicate_lookahead(b.frame(0, 600), 128)
    b.fm.pending_transfers *= 2
    b.fm.finish_transfer()
    with expect_violation(b.ndis, "R5-21"):
        b.fm.finish_transfer(NdisStatus.FAILURE)
    assert len(b.fp.received) == 1


@pytest.mark.rule("R5-21")
@pytest.mark.mutant("R5-21")
def test_mutant_transfers_into_a_packet_that_is_being_filled(bench5):
    class Twice(FunctionalProtocol5):
        def receive(self, context, header, lookahead, packet_size):
            packet = self.build(bytes(100))
            self.partial[packet] = b""
            ndis5.transfer_data(self.open, context, 0, 10, packet)
            self.second = ndis5.transfer_data(self.open, context, 10, 10, packet)
            return NdisStatus.SUCCESS

    b = bench5(handlers=("lookahead",), protocol=Twice, transfer="pend")
    with expect_violation(b.ndis, "R5-21"):
        b.fm.indicate_lookahead(b.frame(0, 600), 128)
    assert b.fp.second == (NdisStatus.FAILURE, 0)


@pytest.mark.rule("R5-22")
@pytest.mark.mutant("R5-22")
@pytest.mark.parametrize("full", [True, False])
def test_mutant_transfers_after_the_indication(bench5, full):
    b = bench5(handlers=("lookahead",), protocol=Transferrer)
    if full:
        b.fm.indicate(b.frame())
    else:
        b.fm.indicate_lookahead(b.frame())
    packet = b.fp.build(bytes(64))
    with expect_violation(b.ndis, "R5-22"):
        assert ndis5.transfer_data(b.fp.open, b.fp.contexts[0], 0, 10, packet) == (NdisStatus.FAILURE, 0)
    with expect_violation(b.ndis, "R5-22"):
        assert ndis5.get_received_packet(b.fp.open, b.fp.contexts[0]) is None


@pytest.mark.rule("R5-23")
def test_several_indications_may_share_one_receive_complete(bench5):
    b = bench5(handlers=("lookahead", "lookahead"))
    for number in range(5):
        b.fm.indicate_lookahead(b.frame(number), complete=False)
    assert [fp.receive_completes for fp in b.fps] == [0, 0]
    ndis5.eth_indicate_receive_complete(b.fm.adapter)
    assert [fp.receive_completes for fp in b.fps] == [1, 1]
    ndis5.eth_indicate_receive_complete(b.fm.adapter)
    assert [fp.receive_completes for fp in b.fps] == [1, 1]


@pytest.mark.rule("R5-24")
@pytest.mark.mutant("R5-24")
def test_mutant_forgets_the_receive_complete(bench5):
    b = bench5(handlers=("lookahead",))
    with expect_violation(b.ndis, "R5-24"):
        b.fm.indicate_lookahead(b.frame(), complete=False)
        b.kernel.run_for(2_000_000_000)


@pytest.mark.rule("R5-26")
def test_a_miniport_of_full_packets_is_never_asked_to_transfer(bench5):
    b = bench5(handlers=("lookahead",), protocol=Transferrer)
    b.fp.ask = (20, 26)
    b.fm.indicate(b.frame(), cuts=(14, 3))
    assert b.fp.received == [b.frame()[34:]]
    assert "transfer_data" not in b.fm.calls


def test_a_transfer_from_a_miniport_without_the_handler_fails(bench5):
    class Whole(FunctionalMiniport5):
        def characteristics(self):
            from dataclasses import replace

            return replace(super().characteristics(), transfer_data=None)

    b = bench5(handlers=("lookahead",), miniport=Whole)
    b.fm.indicate_lookahead(b.frame(0, 600), 128)
    assert [status for _, status, _ in b.fp.transfers] == [NdisStatus.FAILURE]


class WithoutCopyOption(FunctionalMiniport5):
    """Its lookahead lies in the card."""

    mac_options = MacOptions.NO_LOOPBACK


@pytest.mark.rule("R5-30")
def test_a_lookahead_in_the_card_is_read_with_the_helper(bench5):
    class Careful(FunctionalProtocol5):
        def receive(self, context, header, lookahead, packet_size):
            self.received.append(bytes(header) + ndis5.copy_lookahead_data(lookahead))
            return NdisStatus.SUCCESS

    for miniport in (FunctionalMiniport5, WithoutCopyOption):
        b = bench5(handlers=("lookahead",), protocol=Careful, miniport=miniport)
        b.fm.indicate_lookahead(b.frame())
        assert b.fp.received == [b.frame()]
        assert b.ndis.report.warnings == []


@pytest.mark.rule("R5-30")
@pytest.mark.mutant("R5-30")
def test_mutant_reads_a_lookahead_in_the_card_directly(bench5):
    b = bench5(handlers=("lookahead",), miniport=WithoutCopyOption)
    with expect_violation(b.ndis, "R5-30"):
        b.fm.indicate_lookahead(b.frame())
    assert b.fp.received == [b.frame()]


class TokenRing(FunctionalMiniport5):
    """A miniport of another medium."""

    medium = NdisMedium.MEDIUM_802_5


@pytest.mark.rule("R5-29")
@pytest.mark.parametrize("header_size", [14, 16, 32])
def test_a_token_ring_header_may_be_longer(bench5, header_size):
    headers: list[int] = []

    class Noting(FunctionalProtocol5):
        def receive(self, context, header, lookahead, packet_size):
            headers.append(len(header))
            return super().receive(context, header, lookahead, packet_size)

    b = bench5(handlers=("lookahead",), miniport=TokenRing, protocol=Noting, listen=False)
    frame = bytes(range(header_size + 100))
    header, data = memoryview(bytearray(frame[:header_size])), memoryview(bytearray(frame[header_size:]))
    ndis5.tr_indicate_receive(b.fm.adapter, b.fm, header, data, 100)
    ndis5.tr_indicate_receive_complete(b.fm.adapter)
    assert (headers, b.fp.received, b.fp.receive_completes) == ([header_size], [frame], 1)


@pytest.mark.rule("R5-29")
@pytest.mark.mutant("R5-29")
@pytest.mark.parametrize("header_size", [13, 33])
def test_mutant_indicates_a_token_ring_header_of_a_wrong_size(bench5, header_size):
    b = bench5(handlers=("lookahead",), miniport=TokenRing, listen=False)
    with expect_violation(b.ndis, "R5-29"):
        header, data = memoryview(bytearray(header_size)), memoryview(bytearray(10))
        ndis5.tr_indicate_receive(b.fm.adapter, b.fm, header, data, 10)
        ndis5.tr_indicate_receive_complete(b.fm.adapter)


@pytest.mark.rule("R5-29")
def test_fddi_has_its_own_indication(bench5):
    class Fddi(FunctionalMiniport5):
        medium = NdisMedium.FDDI

    b = bench5(handlers=("lookahead",), miniport=Fddi, listen=False)
    header, data = memoryview(bytearray(range(13))), memoryview(bytearray(40))
    ndis5.fddi_indicate_receive(b.fm.adapter, b.fm, header, data, 40)
    ndis5.fddi_indicate_receive_complete(b.fm.adapter)
    assert (b.fp.received, b.fp.receive_completes) == ([bytes(range(13)) + bytes(40)], 1)


class Wan(FunctionalMiniport5):
    """A WAN miniport."""

    medium = NdisMedium.WAN


def wan_packet(b, frame: bytes) -> WanPacket:
    packet = WanPacket(b.kernel.allocate(64), 16, len(frame), 8)
    packet.frame[:] = frame
    return packet


@pytest.mark.rule("R5-28")
def test_a_wan_frame_comes_as_a_whole_and_cannot_be_transferred(bench5):
    b = bench5(handlers=("lookahead",), miniport=Wan, listen=False)
    status = ndis5.wan_indicate_receive(b.fm.adapter, "link 1", memoryview(b"\xff\x03\xc0\x21 PPP"))
    assert status is NdisStatus.SUCCESS
    ndis5.wan_indicate_receive_complete(b.fm.adapter, "link 1")
    assert (b.fp.received, b.fp.received_by, b.fp.receive_completes) == ([b"\xff\x03\xc0\x21 PPP"], ["wan"], 1)
    packet = b.fp.build(bytes(8))
    assert ndis5.transfer_data(b.fp.open, "link 1", 0, 4, packet) == (NdisStatus.FAILURE, 0)
    b.fp.completed.append((packet, 0))


@pytest.mark.rule("R5-28")
def test_a_wan_frame_that_nobody_takes_is_not_accepted(bench5):
    class Unwilling(FunctionalProtocol5):
        def wan_receive(self, link_context, frame):
            return NdisStatus.NOT_ACCEPTED

    b = bench5(miniport=Wan, protocol=Unwilling, listen=False)
    assert ndis5.wan_indicate_receive(b.fm.adapter, 1, memoryview(b"x")) is NdisStatus.NOT_ACCEPTED


@pytest.mark.rule("R5-23", "R5-28")
def test_a_protocol_that_hears_no_wan_frames_hears_no_end_of_them(bench5):
    class Deaf(FunctionalProtocol5):
        def characteristics(self):
            return replace(super().characteristics(), wan_receive=None, wan_send_complete=None)

    b = bench5(miniport=Wan, protocol=Deaf, listen=False)
    ndis5.wan_indicate_receive(b.fm.adapter, 1, memoryview(b"x"))
    ndis5.wan_indicate_receive_complete(b.fm.adapter, 1)
    assert b.fp.receive_completes == 0


@pytest.mark.rule("S5-13", "R5-28")
@KINDS
def test_a_wan_send_goes_to_its_own_handler(bench5, serialized):
    b = bench5(miniport=Wan, serialized=serialized, listen=False)
    b.fm.answer_with = NdisStatus.SUCCESS
    assert ndis5.wan_send(b.fp.open, "link 1", wan_packet(b, b"frame")) is NdisStatus.SUCCESS
    assert (b.fm.calls, b.fm.sent_frames, b.fp.trace) == (["wan_send"], [b"frame"], [])


@pytest.mark.rule("S5-13")
def test_a_wan_send_that_pends_completes_once(bench5):
    b = bench5(miniport=Wan, listen=False)
    packet = wan_packet(b, b"frame")
    assert ndis5.wan_send(b.fp.open, "link 1", packet) is NdisStatus.PENDING
    ndis5.wan_send_complete(b.fm.adapter, packet, NdisStatus.SUCCESS)
    assert b.fp.trace == ["wan_send_complete SUCCESS WanPacket(5 bytes)"]
    with expect_violation(b.ndis, "S5-12"):
        ndis5.wan_send_complete(b.fm.adapter, packet, NdisStatus.SUCCESS)


@pytest.mark.rule("S5-08", "S5-13")
@pytest.mark.mutant("S5-08")
def test_mutant_sends_a_wan_packet_again_while_it_pends(bench5):
    b = bench5(miniport=Wan, listen=False)
    packet = wan_packet(b, b"frame")
    ndis5.wan_send(b.fp.open, "link 1", packet)
    with expect_violation(b.ndis, "S5-08"):
        assert ndis5.wan_send(b.fp.open, "link 1", packet) is NdisStatus.FAILURE
    ndis5.wan_send_complete(b.fm.adapter, packet, NdisStatus.SUCCESS)
    assert b.fp.open.core.idle()


@pytest.mark.rule("S5-13", "S5-03")
def test_a_wan_send_from_inside_a_handler_of_the_miniport_waits_for_its_turn(bench5):
    b = bench5(miniport=Wan, listen=False)
    b.fm.answer_with = NdisStatus.SUCCESS
    answers: list[NdisStatus] = []

    def again(call: str) -> None:
        b.fm.on_call = lambda _: None
        answers.append(ndis5.wan_send(b.fp.open, 1, wan_packet(b, b"second")))

    b.fm.on_call = again
    ndis5.wan_send(b.fp.open, 1, wan_packet(b, b"first"))
    assert (answers, b.fm.overlaps) == ([NdisStatus.PENDING], [])
    assert b.fm.sent_frames == [b"first", b"second"]
    assert b.fp.trace == ["wan_send_complete SUCCESS WanPacket(6 bytes)"]


def test_a_wan_send_on_another_medium_is_not_supported(bench5):
    b = bench5()
    assert ndis5.wan_send(b.fp.open, 1, wan_packet(b, b"x")) is NdisStatus.NOT_SUPPORTED


def test_a_wan_packet_fits_into_its_buffer(bench5):
    b = bench5()
    with pytest.raises(ValueError, match="do not fit"):
        WanPacket(b.kernel.allocate(16), 8, 8, 8)


@pytest.mark.rule("S5-13")
def test_a_wan_packet_that_waited_once_is_answered_at_once_the_next_time(bench5):
    b = bench5(miniport=Wan, listen=False)
    b.fm.answer_with = NdisStatus.SUCCESS
    packet = wan_packet(b, b"again")

    def during(call: str) -> None:
        b.fm.on_call = lambda _: None
        ndis5.wan_send(b.fp.open, 1, packet)

    b.fm.on_call = during
    ndis5.wan_send(b.fp.open, 1, wan_packet(b, b"first"))
    assert len(b.fp.trace) == 1
    assert ndis5.wan_send(b.fp.open, 1, packet) is NdisStatus.SUCCESS
    assert len(b.fp.trace) == 1  # no callback this time


@pytest.mark.rule("C5-10")
def test_a_close_waits_for_a_wan_send(bench5):
    b = bench5(miniport=Wan, listen=False)
    packet = wan_packet(b, b"frame")
    ndis5.wan_send(b.fp.open, 1, packet)
    closing = b.kernel.start(unbind_protocol(b.fp.open.core))
    b.kernel.run_for(1_000_000)
    assert not closing
    ndis5.wan_send_complete(b.fm.adapter, packet, NdisStatus.SUCCESS)
    b.run()
    assert closing

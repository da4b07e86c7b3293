# SPDX-License-Identifier: Apache-2.0
"""S5: sends of NDIS 5 to serialized and deserialized miniports, queueing, completion, cancel."""

from __future__ import annotations

import pytest

from hilnic.ndis import NdisStatus, Profile, ndis5, pause_adapter, reset_adapter
from hilnic.ndis.ndis5 import PacketInfo
from hilnic.testing.miniport5 import FunctionalMiniport5
from hilnic.testing.protocol5 import FunctionalProtocol5

STYLES = pytest.mark.parametrize("style", ["packets", "send"])
KINDS = pytest.mark.parametrize("serialized", [True, False])


@pytest.mark.rule("S5-01")
@STYLES
@pytest.mark.parametrize("status", [NdisStatus.SUCCESS, NdisStatus.FAILURE])
def test_a_final_status_of_a_send_ends_it_without_a_callback(bench5, style, status):
    b = bench5(style=style)
    b.fm.answer_with = status
    packet, answered = b.fp.send(b.frames(1)[0])
    assert answered is status
    assert b.fp.completed == [(packet, status)]  # the functional protocol's own note, no callback
    assert b.ndis.calls["ProtocolSendComplete"] == 0
    assert b.fp.open.core.idle()


@pytest.mark.rule("S5-01", "S5-07")
@STYLES
@KINDS
def test_a_pending_send_ends_with_one_callback(bench5, style, serialized):
    b = bench5(style=style, serialized=serialized)
    packet, answered = b.fp.send(b.frames(1)[0])
    assert answered is NdisStatus.PENDING
    assert b.fp.completed == []
    b.fm.complete()
    assert b.fp.completed == [(packet, NdisStatus.SUCCESS)]


@pytest.mark.rule("S5-01")
@KINDS
def test_a_completion_may_come_before_the_send_call_returns(bench5, serialized):
    class Inline(FunctionalMiniport5):
        def take(self, packet):
            ndis5.send_complete(self.adapter, packet, NdisStatus.SUCCESS)
            return NdisStatus.PENDING

    b = bench5(miniport=Inline, serialized=serialized)
    packet, answered = b.fp.send(b.frames(1)[0])
    assert answered is NdisStatus.PENDING
    assert b.fp.completed == [(packet, NdisStatus.SUCCESS)]


@pytest.mark.rule("S5-02")
@STYLES
def test_each_packet_of_an_array_ends_with_one_callback_whatever_the_miniport_answers(bench5, style):
    b = bench5(style=style)

    def finish_three(call: str) -> None:
        b.fm.answer_with = NdisStatus.SUCCESS if len(b.fm.sent_frames) < 3 else NdisStatus.PENDING

    b.fm.answer_with = NdisStatus.SUCCESS
    b.fm.on_call = finish_three
    packets = b.fp.send_array(*b.frames(3))
    b.fm.answer_with = NdisStatus.PENDING
    b.fm.on_call = lambda _: None
    packets += b.fp.send_array(*b.frames(3))
    assert [packet for packet, _ in b.fp.completed] == packets[:3]
    b.fm.complete()
    assert [packet for packet, _ in b.fp.completed] == packets


@pytest.mark.rule("S5-09")
@STYLES
@KINDS
def test_the_order_of_the_array_is_the_order_at_the_miniport(bench5, style, serialized):
    b = bench5(style=style, serialized=serialized)
    frames = b.frames(8)
    b.fp.send_array(*frames[:5])
    b.fp.send_array(*frames[5:])
    assert b.fm.sent_frames == frames


@pytest.mark.rule("S5-03", "CL-10")
@STYLES
def test_a_serialized_miniport_is_not_called_again_while_one_of_its_handlers_runs(bench5, style):
    b = bench5(handlers=("both", "both"), style=style)

    def send_more(call: str) -> None:
        b.fm.on_call = lambda _: None
        assert b.kernel.irql == 2
        assert b.fps[1].send(b.frame(9, destination=b"\2" * 6))[1] is NdisStatus.PENDING

    b.fm.on_call = send_more
    b.fp.send_array(*b.frames(2))
    assert b.fm.overlaps == []
    assert b.fm.sent_frames == [*b.frames(2), b.frame(9, destination=b"\2" * 6)]


@pytest.mark.rule("CL-10")
def test_a_deserialized_miniport_is_called_at_once(bench5):
    b = bench5(handlers=("both", "both"), serialized=False)

    def send_more(call: str) -> None:
        b.fm.on_call = lambda _: None
        b.fps[1].send_array(b.frame(9, destination=b"\2" * 6))

    b.fm.on_call = send_more
    b.fp.send_array(*b.frames(1))
    assert b.fm.overlaps == [("send_packets", "send_packets")]


@pytest.mark.rule("S5-04", "S5-05")
@STYLES
def test_what_a_serialized_miniport_refuses_waits_in_order_for_the_next_completion(bench5, style):
    b = bench5(style=style)
    b.fm.room = 2
    packets = b.fp.send_array(*b.frames(6))
    assert b.fm.captured == packets[:2]
    assert b.fp.completed == []  # the sender is not told
    b.fm.room = 3
    b.fm.complete(packets[0])
    assert b.fm.captured == packets[1:5]
    b.fm.room = 9
    b.fm.complete()
    b.fm.complete()
    assert [packet for packet, _ in b.fp.completed] == packets
    assert b.fm.sent_frames == b.frames(6)


@pytest.mark.rule("S5-04")
@STYLES
def test_resources_available_has_the_waiting_packets_submitted_again(bench5, style):
    b = bench5(style=style)
    b.fm.room = 0
    packets = b.fp.send_array(*b.frames(3))
    assert b.fm.captured == []
    b.fm.room = 9
    ndis5.send_resources_available(b.fm.adapter)
    assert b.fm.captured == packets


@pytest.mark.rule("S5-04")
def test_resources_are_sticky_in_a_send_array(bench5):
    class Picky(FunctionalMiniport5):
        def take(self, packet):
            if packet.tobytes()[17] == 1 and self.room > 0:  # the second frame has to wait
                self.room = 0
                return NdisStatus.RESOURCES
            self.sent_frames.append(packet.tobytes())
            return NdisStatus.SUCCESS

    b = bench5(miniport=Picky)
    packets = b.fp.send_array(*b.frames(4))
    assert [packet for packet, _ in b.fp.completed] == packets[:1]
    b.fm.sent_frames.clear()
    ndis5.send_resources_available(b.fm.adapter)
    assert [packet for packet, _ in b.fp.completed] == packets
    assert b.fm.sent_frames == b.frames(4)[1:]


@pytest.mark.rule("S5-04")
def test_a_packet_sent_behind_waiting_ones_waits_behind_them(bench5):
    b = bench5()
    b.fm.room = 0
    first = b.fp.send_array(*b.frames(1))
    b.fm.room = 9
    late, status = b.fp.send(b.frames(2)[1])
    assert status is NdisStatus.PENDING
    assert b.fm.captured == []
    ndis5.send_resources_available(b.fm.adapter)
    assert b.fm.captured == [*first, late]


@pytest.mark.rule("S5-06", "S5-07")
@STYLES
def test_a_deserialized_miniport_gets_everything_and_completes_everything(bench5, style):
    b = bench5(serialized=False, style=style)
    packets = b.fp.send_array(*b.frames(6))
    assert b.fm.captured == packets
    b.fm.complete()
    assert [packet for packet, _ in b.fp.completed] == packets


@pytest.mark.rule("S5-06")
def test_the_status_that_a_deserialized_miniport_leaves_in_a_packet_means_nothing(bench5):
    class Scribbler(FunctionalMiniport5):
        def take(self, packet):
            self.captured.append(packet)
            return NdisStatus.FAILURE

    b = bench5(miniport=Scribbler, serialized=False)
    (packet,) = b.fp.send_array(b.frames(1)[0])
    assert b.fp.completed == []
    b.fm.complete()
    assert b.fp.completed == [(packet, NdisStatus.SUCCESS)]


@pytest.mark.rule("S5-11")
@KINDS
def test_an_oversize_packet_is_refused_and_stays_off_the_wire(bench5, serialized):
    b = bench5(serialized=serialized)
    (packet,) = b.fp.send_array(b.frame(0, 1600, b"\2" * 6))
    assert b.fp.completed == [(packet, NdisStatus.INVALID_PACKET)]
    assert b.fm.sent_frames == []


@pytest.mark.rule("S5-13")
def test_a_miniport_with_both_send_handlers_is_called_with_arrays(bench5):
    b = bench5(style="both")
    b.fp.send(b.frames(1)[0])
    b.fp.send_array(*b.frames(2))
    assert b.fm.calls == ["send_packets", "send_packets"]


@pytest.mark.rule("S5-14")
def test_a_protocol_finds_its_reserved_area_as_it_left_it(bench5):
    class Scribbler(FunctionalMiniport5):
        def take(self, packet):
            packet.miniport_reserved[:] = ["a", "b"]
            packet.miniport_reserved_ex[:] = ["c", "d", "e"]
            return super().take(packet)

    b = bench5(miniport=Scribbler)
    packet = b.fp.build(b.frames(1)[0])
    packet.protocol_reserved[:] = [1, 2, 3, 4]
    ndis5.send_packets(b.fp.open, [packet])
    b.fm.complete()
    assert packet.protocol_reserved == [1, 2, 3, 4]


@pytest.mark.rule("OB-03")
def test_out_of_band_data_of_a_send_reaches_the_miniport(bench5):
    b = bench5()
    packet = b.fp.build(b.frames(1)[0])
    ndis5.set_packet_time_to_send(packet, 0x1234)
    ndis5.set_packet_media_specific_info(packet, b"priority")
    packet.packet_info[PacketInfo.IEEE_8021Q] = 0xE005
    ndis5.send_packets(b.fp.open, [packet])
    (got,) = b.fm.captured
    assert got is packet
    assert (got.oob.time_to_send, got.oob.media_specific_information) == (0x1234, b"priority")
    assert got.packet_info[PacketInfo.IEEE_8021Q] == 0xE005
    ndis5.set_packet_time_sent(got, 0x5678)
    b.fm.complete()
    assert ndis5.get_packet_time_sent(packet) == 0x5678


@pytest.mark.rule("CN-09")
def test_cancel_ends_matching_packets_and_no_others(bench5):
    b = bench5()
    b.fm.room = 6
    packets = [b.fp.build(frame) for frame in b.frames(10)]
    for number, packet in enumerate(packets):
        ndis5.set_packet_cancel_id(packet, "AB"[number % 2])
    ndis5.send_packets(b.fp.open, packets)
    ndis5.cancel_send_packets(b.fp.open, "A")
    ended = dict(b.fp.completed)
    assert set(ended) == set(packets[::2])  # below and in NDIS's own queue
    assert set(ended.values()) == {NdisStatus.REQUEST_ABORTED}
    assert b.fm.cancelled == ["A"]


@pytest.mark.rule("CN-09")
def test_cancel_leaves_the_packets_of_other_bindings_that_wait_in_ndis(bench5):
    b = bench5(handlers=("both", "both"))
    b.fm.room = 0
    for fp in b.fps:
        packet = fp.build(b.frames(1)[0])
        ndis5.set_packet_cancel_id(packet, 7)
        ndis5.send_packets(fp.open, [packet])
    ndis5.cancel_send_packets(b.fp.open, 7)
    assert [len(fp.completed) for fp in b.fps] == [1, 0]


@pytest.mark.rule("CN-07")
def test_cancel_without_an_id_matches_nothing(bench5):
    b = bench5()
    b.fm.room = 1
    b.fp.send_array(*b.frames(3))
    for nothing in (None, 0):
        b.fp.cancel(nothing)
    assert b.fp.completed == []
    assert b.fm.cancelled == []


@pytest.mark.rule("CN-03", "CN-09")
def test_a_protocol_may_cancel_again_from_inside_the_completion_of_what_it_cancelled(bench5):
    class Impatient(FunctionalProtocol5):
        def send_complete(self, packet, status):
            super().send_complete(packet, status)
            self.cancel(7)

    b = bench5(protocol=Impatient)
    b.fm.room = 0
    packets = b.fp.send_array(*b.frames(4), cancel_id=7)
    b.fp.cancel(7)
    assert [packet for packet, _ in b.fp.completed] == packets


@pytest.mark.rule("CN-09")
def test_cancel_without_a_handler_does_nothing_below(bench5):
    class Old(FunctionalMiniport5):
        version = (5, 0)

    b = bench5(miniport=Old)
    packet = b.fp.build(b.frames(1)[0])
    ndis5.set_packet_cancel_id(packet, 7)
    ndis5.send_packets(b.fp.open, [packet])
    ndis5.cancel_send_packets(b.fp.open, 7)
    assert b.fp.completed == []


def test_a_send_on_a_paused_binding_is_refused_at_once(bench5):
    b = bench5()
    b.run(pause_adapter(b.fm.adapter))
    _, status = b.fp.send(b.frames(1)[0])
    assert status is NdisStatus.FAILURE
    b.fp.send_array(*b.frames(2))
    assert [status for _, status in b.fp.completed] == [NdisStatus.FAILURE] * 3


def test_a_pause_ends_what_waits_in_ndis(bench5):
    b = bench5()
    b.fm.room = 0
    b.fp.send_array(*b.frames(2))
    b.run(pause_adapter(b.fm.adapter))
    assert [status for _, status in b.fp.completed] == [NdisStatus.REQUEST_ABORTED] * 2


@pytest.mark.rule("C5-11")
def test_a_reset_ends_what_waits_and_what_is_below(bench5):
    b = bench5()
    b.fm.room = 1
    b.fp.send_array(*b.frames(3))
    b.run(reset_adapter(b.fm.adapter))
    assert sorted(status for _, status in b.fp.completed) == [NdisStatus.RESET_IN_PROGRESS] * 3


@pytest.mark.rule("C5-11")
@KINDS
def test_sends_may_be_held_over_a_reset(bench5, serialized):
    class Slow(FunctionalMiniport5):
        def reset(self):
            super().reset()
            return NdisStatus.PENDING, False

    b = bench5(miniport=Slow, serialized=serialized, profile=Profile(hold_sends_during_reset=True))
    done = b.kernel.start(reset_adapter(b.fm.adapter))
    b.kernel.run_for(0)
    (packet,) = b.fp.send_array(b.frames(1)[0])
    assert b.fm.captured == b.fp.completed == []
    from hilnic.ndis import complete_reset

    complete_reset(b.fm.adapter, NdisStatus.SUCCESS, False)
    b.run()
    assert done == [NdisStatus.SUCCESS]
    assert b.fm.captured == [packet]


@pytest.mark.rule("S5-09")
@KINDS
def test_what_was_held_over_a_reset_goes_before_what_is_sent_when_it_ends(bench5, serialized):
    class SendsAtTheEnd(FunctionalProtocol5):
        def status(self, code, buffer):
            super().status(code, buffer)
            if code is NdisStatus.RESET_END:
                self.send_array(frames[2])

    profile = Profile(hold_sends_during_reset=True)
    b = bench5(protocol=SendsAtTheEnd, serialized=serialized, profile=profile)
    frames = b.frames(3)
    b.fm.on_call = lambda handler: b.fp.send_array(*frames[:2]) if handler == "reset" else None
    b.run(reset_adapter(b.fm.adapter))
    b.run()
    assert b.fm.sent_frames == frames


def test_a_protocol_may_send_again_from_inside_its_completion(bench5):
    class PingPong(FunctionalProtocol5):
        left = 200

        def send_complete(self, packet, status):
            super().send_complete(packet, status)
            if self.left:
                self.left -= 1
                self.send_array(packet.tobytes())

    class Inline(FunctionalMiniport5):
        def take(self, packet):
            self.sent_frames.append(packet.tobytes())
            return NdisStatus.SUCCESS

    class BigPool(PingPong):
        async def start(self):
            await super().start()
            ndis5.free_packet_pool(self.pool)
            self.pool = ndis5.allocate_packet_pool(self.driver, 1000)[1]

    b = bench5(miniport=Inline, protocol=BigPool)
    b.fp.send_array(b.frames(1)[0])
    assert len(b.fm.sent_frames) == len(b.fp.completed) == 201
    assert b.fm.overlaps == []

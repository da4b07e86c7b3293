# SPDX-License-Identifier: Apache-2.0
"""LB-10, LB-12, LB-13, R5-15: software loopback of NDIS 5 sends."""

from __future__ import annotations

import pytest

from hilnic.ndis import MacOptions, NdisStatus, Oid, PacketFilter, ndis5
from hilnic.ndis.ndis5 import PacketFlags, ProtocolOptions
from hilnic.testing.bench import PEER
from hilnic.testing.miniport import MAC_ADDRESS
from hilnic.testing.miniport5 import FunctionalMiniport5
from hilnic.testing.protocol5 import FunctionalProtocol5

BROADCAST = b"\xff" * 6


@pytest.mark.rule("LB-12")
@pytest.mark.parametrize("option", [False, True])
@pytest.mark.parametrize("flag", [False, True])
@pytest.mark.parametrize(("destination", "own"), [(BROADCAST, True), (MAC_ADDRESS, True), (PEER, False)])
def test_a_sender_gets_its_own_frame_unless_packet_or_options_say_no(bench5, option, flag, destination, own):
    b = bench5()
    if option:
        b.run(b.fp.set(Oid.OID_GEN_PROTOCOL_OPTIONS, ProtocolOptions.NO_LOOPBACK))
    frame = b.frame(destination=destination)
    packet = b.fp.build(frame)
    if flag:
        ndis5.set_packet_flags(packet, PacketFlags.DONT_LOOPBACK)
    ndis5.send_packets(b.fp.open, [packet])
    b.run()
    assert b.fp.received == ([frame] if own and not option and not flag else [])
    assert b.fm.sent_frames == [frame]


@pytest.mark.rule("LB-12")
def test_other_bindings_get_a_frame_only_while_somebody_listens_in(bench5):
    b = bench5(handlers=("both", "both"))
    b.fp.send_array(b.frame(destination=BROADCAST))
    b.run()
    assert b.fps[1].received == []
    b.run(b.fps[1].set_filter(PacketFilter.PROMISCUOUS))
    b.fp.send_array(b.frame(1, destination=PEER))
    b.run()
    assert b.fps[1].received == [b.frame(1, destination=PEER)]
    b.run(b.fps[1].set_filter(PacketFilter.PROMISCUOUS | PacketFilter.NO_LOCAL))
    b.fp.send_array(b.frame(2, destination=PEER))
    b.run()
    assert len(b.fps[1].received) == 1


@pytest.mark.rule("LB-10")
@pytest.mark.parametrize("array", [False, True])
def test_a_packet_for_loopback_only_stays_off_the_wire_and_completes(bench5, array):
    b = bench5()
    frame = b.frame(destination=MAC_ADDRESS)
    packet = b.fp.build(frame)
    ndis5.set_packet_flags(packet, PacketFlags.LOOPBACK_ONLY)
    if array:
        ndis5.send_packets(b.fp.open, [packet])
        assert b.fp.completed == [(packet, NdisStatus.SUCCESS)]
    else:
        assert ndis5.send(b.fp.open, packet) is NdisStatus.SUCCESS
        b.fp.completed.append((packet, NdisStatus.SUCCESS))
    b.run()
    assert (b.fm.sent_frames, b.fp.received) == ([], [frame])


@pytest.mark.rule("LB-09", "LB-10")
@pytest.mark.parametrize("array", [False, True])
def test_over_a_nic_that_loops_ndis_loops_what_the_nic_does_not_get(bench5, array):
    class Looping(FunctionalMiniport5):
        mac_options = FunctionalMiniport5.mac_options & ~MacOptions.NO_LOOPBACK

    b = bench5(handlers=("both", "both"), miniport=Looping)
    b.run(b.fps[1].set_filter(PacketFilter.PROMISCUOUS))
    frames = [b.frame(number, destination=destination) for number, destination in enumerate((MAC_ADDRESS, PEER))]
    for frame in frames:
        packet = b.fp.build(frame)
        ndis5.set_packet_flags(packet, PacketFlags.LOOPBACK_ONLY)
        if array:
            ndis5.send_packets(b.fp.open, [packet])
        else:
            assert ndis5.send(b.fp.open, packet) is NdisStatus.SUCCESS
            b.fp.completed.append((packet, NdisStatus.SUCCESS))
    b.fp.send_array(b.frame(9, destination=MAC_ADDRESS))
    b.run()
    assert b.fm.sent_frames == [b.frame(9, destination=MAC_ADDRESS)]
    assert (b.fp.received, b.fps[1].received) == (frames[:1], frames)


@pytest.mark.rule("LB-13", "R5-15")
@pytest.mark.parametrize(("handlers", "by"), [("packet", "packet"), ("lookahead", "lookahead")])
def test_a_looped_frame_comes_whole_by_either_handler(bench5, handlers, by):
    b = bench5(handlers=(handlers,))
    frame = b.frame(0, 1514, BROADCAST)
    b.fp.send_array(frame, cuts=(14, 100))
    b.run()
    assert (b.fp.received, b.fp.received_by) == ([frame], [by])
    assert b.fp.receive_completes == 1


@pytest.mark.rule("LB-13")
def test_a_looped_frame_can_be_transferred_from_any_offset(bench5):
    class Transferrer(FunctionalProtocol5):
        def receive(self, context, header, lookahead, packet_size):
            self.fetch(context, 1000, packet_size - 1000, b"")
            return NdisStatus.SUCCESS

    b = bench5(handlers=("lookahead",), protocol=Transferrer)
    frame = bytes(BROADCAST) + bytes(n % 251 for n in range(1508))
    b.fp.send_array(frame)
    b.run()
    assert b.fp.received == [frame[1014:]]


@pytest.mark.rule("LB-12", "R5-15")
def test_a_looped_packet_is_marked_and_lives_on_its_own(bench5):
    marks: list[int] = []

    class Noting(FunctionalProtocol5):
        def receive_packet(self, packet):
            marks.append(ndis5.get_packet_flags(packet) & PacketFlags.IS_LOOPBACK_PACKET)
            return super().receive_packet(packet)

    b = bench5(protocol=Noting)
    b.fp.references = 1
    frame = b.frame(destination=BROADCAST)
    (packet,) = b.fp.send_array(frame)
    b.run()
    b.fm.complete()
    packet.head.view[20:] = bytes(40)
    assert marks == [PacketFlags.IS_LOOPBACK_PACKET]
    assert b.fp.held[0].tobytes() == frame


@pytest.mark.rule("LB-12")
def test_a_card_that_loops_itself_is_left_to_it(bench5):
    class Looping(FunctionalMiniport5):
        mac_options = MacOptions.COPY_LOOKAHEAD_DATA

    b = bench5(miniport=Looping)
    b.fp.send_array(b.frame(destination=BROADCAST))
    b.run()
    assert b.fp.received == []

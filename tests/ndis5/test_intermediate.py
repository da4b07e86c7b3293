# SPDX-License-Identifier: Apache-2.0
"""R5-34, OB-05 to OB-07: intermediate drivers of NDIS 5, with the packet itself or with packets of their own."""

from __future__ import annotations

import random
from typing import Any

import pytest

from hilnic.ndis import Ndis, NdisStatus, ndis5
from hilnic.ndis.ndis5 import PacketFlags, PacketInfo
from hilnic.testing import VirtualKernel, expect_violation
from hilnic.testing.bench import PEER
from hilnic.testing.frames import ethernet
from hilnic.testing.im5 import FunctionalIntermediate5
from hilnic.testing.miniport import MAC_ADDRESS
from hilnic.testing.miniport5 import FunctionalMiniport5
from hilnic.testing.protocol5 import FunctionalProtocol5


class Stack:
    """A miniport, intermediate drivers above one another, and a protocol over each virtual adapter of the topmost."""

    def __init__(self, levels: int = 1, serialized: bool = True, **options: Any) -> None:
        self.kernel = VirtualKernel()
        self.ndis = Ndis(self.kernel)
        self.fm = FunctionalMiniport5(self.ndis, serialized=serialized)
        self.run(self.fm.start())
        self.ims: list[FunctionalIntermediate5] = []
        lower = self.fm.name
        kind = options.pop("im", FunctionalIntermediate5)
        uppers = options.pop("uppers", 1)
        for level in range(levels):
            last = level == levels - 1
            im = kind(self.ndis, lower, f"im{level}", uppers=uppers if last else 1, **options)
            self.run(im.start())
            self.ims.append(im)
            lower = f"im{level}.0"
        self.fps = [FunctionalProtocol5(self.ndis, f"fp{n}", adapter_name=f"im{levels - 1}.{n}") for n in range(uppers)]
        for fp in self.fps:
            self.run(fp.start())
            self.run(fp.listen())
        self.run()

    def run(self, work: Any = None) -> Any:
        return self.kernel.run(work)

    def stop(self) -> None:
        while self.fm.captured:
            self.fm.complete()
        for fp in self.fps:
            if fp.held:
                fp.give_back()
        for fp in self.fps:
            self.run(fp.stop())
        for im in reversed(self.ims):
            self.run(im.stop())
        from hilnic.ndis import halt_adapter

        self.run(halt_adapter(self.fm.adapter))
        self.ndis.check_leaks()


def frame(number: int = 0, destination: bytes = MAC_ADDRESS) -> bytes:
    return ethernet(destination, PEER, bytes([number]) * 46)


REUSE = pytest.mark.parametrize("reuse", [True, False])
COUNTING = pytest.mark.parametrize("counts_uppers", [True, False])


@pytest.mark.rule("OB-05", "OB-06")
@REUSE
def test_a_send_goes_through_and_its_completion_back(reuse):
    s = Stack(reuse=reuse)
    (packet,) = s.fps[0].send_array(frame(destination=PEER))
    assert s.fm.sent_frames == [frame(destination=PEER)]
    assert (s.fm.captured[0] is packet) is reuse
    s.fm.complete()
    assert s.fps[0].completed == [(packet, NdisStatus.SUCCESS)]
    assert packet.stack_index == -1
    s.stop()


@pytest.mark.rule("R5-34")
@REUSE
@COUNTING
@pytest.mark.parametrize("references", [0, 1, 3])
def test_a_receive_goes_through_and_its_returns_back(reuse, counts_uppers, references):
    s = Stack(reuse=reuse, counts_uppers=counts_uppers)
    s.fps[0].references = references
    (packet,) = s.fm.indicate(frame())
    assert s.fps[0].received == [frame()]
    for _ in range(references):
        assert s.fm.returned == []
        s.fps[0].give_back(s.fps[0].held[0])
    assert s.fm.returned == [packet]
    s.stop()


@pytest.mark.rule("R5-34")
@COUNTING
def test_several_virtual_adapters_share_one_packet_below(counts_uppers):
    s = Stack(uppers=3, counts_uppers=counts_uppers)
    answers: list[int] = []
    receive_packet = FunctionalIntermediate5.receive_packet

    for fp, references in zip(s.fps, (2, 0, 1), strict=True):
        fp.references = references
    (packet,) = s.fm.indicate(frame())
    level = ndis5.levels.top(packet)
    answers.append(sum(level.holders.values()))
    assert answers == [(2 if counts_uppers else 1)]  # one of three came back inside the indication
    assert s.fm.returned == []
    random.Random(1).shuffle(s.fps)
    for fp in s.fps:
        if fp.held:
            fp.give_back()
    assert s.fm.returned == [packet]
    assert receive_packet is FunctionalIntermediate5.receive_packet
    s.stop()


@pytest.mark.rule("R5-34")
@REUSE
@COUNTING
@pytest.mark.parametrize("seed", range(3))
def test_uppers_that_hold_at_random_are_balanced_exactly(reuse, counts_uppers, seed):
    rng = random.Random(seed)
    s = Stack(uppers=2, reuse=reuse, counts_uppers=counts_uppers, serialized=bool(seed % 2))
    held: list[tuple[FunctionalProtocol5, ndis5.Packet]] = []
    sent = 0
    for number in range(60):
        for fp in s.fps:
            fp.references = rng.randrange(4)
        s.fm.indicate(frame(number % 250))
        sent += 1
        held = [(fp, packet) for fp in s.fps for packet in fp.held]
        rng.shuffle(held)
        for fp, packet in held[: rng.randrange(len(held) + 1)]:
            fp.give_back(packet)
    for fp in s.fps:
        if fp.held:
            fp.give_back()
    assert len(s.fm.returned) == sent
    assert all(im.owed == {} for im in s.ims)
    s.stop()


@pytest.mark.rule("R5-34")
@REUSE
def test_a_scarce_packet_is_scarce_above_too(reuse):
    s = Stack(reuse=reuse)
    s.fps[0].references = 2
    (packet,) = s.fm.indicate(frame(), status=NdisStatus.RESOURCES)
    assert s.fps[0].received == [frame()]
    assert s.fps[0].held == []
    assert s.fm.returned == [packet]
    s.stop()


@pytest.mark.rule("OB-06")
def test_the_packet_itself_goes_through_as_many_levels_as_the_stack_has(monkeypatch):
    s = Stack(levels=2)
    (packet,) = s.fps[0].send_array(frame(destination=PEER))
    assert [(im.passed, im.copied) for im in s.ims] == [(0, 1), (1, 0)]  # the lower one finds no location left
    s.fm.complete()
    assert s.fps[0].completed == [(packet, NdisStatus.SUCCESS)]
    s.fm.indicate(frame())
    assert [(im.passed, im.copied) for im in s.ims] == [(1, 1), (1, 1)]
    assert s.fps[0].received == [frame()]
    s.stop()


@pytest.mark.rule("OB-06")
def test_what_an_im_driver_keeps_in_its_stack_location_is_its_own():
    s = Stack(levels=1)
    (packet,) = s.fps[0].send_array(frame(destination=PEER))
    assert packet.stack[0].im_reserved[0] is s.ims[0].virtual[0]
    assert packet.stack[1].im_reserved == [None, None]
    s.fm.complete()
    assert packet.stack[0].im_reserved == [None, None]
    s.stop()


@pytest.mark.rule("OB-06")
@pytest.mark.mutant("OB-06")
def test_mutant_passes_a_packet_on_without_a_location_left():
    class Careless(FunctionalIntermediate5):
        def send_packets(self, miniport, packets):
            for packet in packets:
                slot, _ = ndis5.im_get_current_packet_stack(packet)
                slot.im_reserved[0] = miniport
                ndis5.send_packets(self.open, [packet])

    s = Stack(levels=2, im=Careless)
    with expect_violation(s.ndis, "OB-06"):
        s.fps[0].send_array(frame(destination=PEER))
    s.fm.complete()
    assert len(s.fps[0].completed) == 1


@pytest.mark.rule("OB-06")
def test_a_packet_that_others_look_at_too_may_not_be_passed_on():
    s = Stack(levels=1)
    beside = FunctionalProtocol5(s.ndis, "beside", adapter_name=s.fm.name)
    s.run(beside.start())
    s.run(beside.listen())
    s.fps[0].references = beside.references = 1
    (packet,) = s.fm.indicate(frame())
    assert (s.ims[0].passed, s.ims[0].copied) == (0, 1)
    beside.give_back()
    assert s.fm.returned == []
    s.fps[0].give_back()
    assert s.fm.returned == [packet]
    s.fps.append(beside)
    s.stop()


@pytest.mark.rule("R5-34")
@pytest.mark.mutant("R5-34")
def test_mutant_returns_a_packet_that_is_still_held_above():
    class Hasty(FunctionalIntermediate5):
        def pass_up(self, miniport, packet):
            super().pass_up(miniport, packet)
            return 1

    s = Stack(im=Hasty)
    s.fps[0].references = 1
    (packet,) = s.fm.indicate(frame())
    with expect_violation(s.ndis, "R5-34"):
        ndis5.return_packets([packet], s.ims[0].open)
    assert s.fm.returned == []
    s.fps[0].give_back()  # the return that did not count is still owed
    assert s.fm.returned == [packet]


SEND_SLOTS = (
    PacketInfo.TCP_IP_CHECKSUM,
    PacketInfo.IPSEC,
    PacketInfo.TCP_LARGE_SEND,
    PacketInfo.CLASSIFICATION_HANDLE,
    PacketInfo.IEEE_8021Q,
    PacketInfo.CANCEL_ID,
)


@pytest.mark.rule("OB-05")
@pytest.mark.parametrize("slot", list(PacketInfo))
def test_the_send_helper_copies_the_slots_of_a_send_and_no_others(slot):
    s = Stack()
    source, target = s.fps[0].build(frame()), s.fps[0].build(frame())
    source.packet_info[slot] = "value"
    ndis5.im_copy_send_per_packet_info(target, source)
    assert (target.packet_info[slot] == "value") is (slot in SEND_SLOTS)
    back = s.fps[0].build(frame())
    ndis5.im_copy_send_complete_per_packet_info(back, source)
    assert (back.packet_info[slot] == "value") is (slot in SEND_SLOTS[:3])
    s.fps[0].completed += [(packet, 0) for packet in (source, target, back)]
    s.stop()


@pytest.mark.rule("OB-05", "OB-07")
def test_out_of_band_data_reaches_the_card_through_a_packet_of_the_drivers_own():
    s = Stack(reuse=False)
    packet = s.fps[0].build(frame(destination=PEER))
    ndis5.set_packet_time_to_send(packet, 77)
    ndis5.set_packet_media_specific_info(packet, b"media")
    packet.packet_info[PacketInfo.IEEE_8021Q] = 0x2064
    ndis5.send_packets(s.fps[0].open, [packet])
    (below,) = s.fm.captured
    assert below is not packet
    assert (below.oob.time_to_send, below.oob.media_specific_information) == (77, b"media")
    assert below.packet_info[PacketInfo.IEEE_8021Q] == 0x2064
    assert ndis5.get_original_packet(below) is packet
    below.packet_info[PacketInfo.TCP_LARGE_SEND] = 1460  # what the card reports
    s.fm.complete()
    assert packet.packet_info[PacketInfo.TCP_LARGE_SEND] == 1460
    s.stop()


@pytest.mark.rule("OB-05")
def test_out_of_band_data_of_a_receive_reaches_the_protocol_through_a_packet_of_the_drivers_own():
    seen: list[tuple[Any, ...]] = []

    class Reader(FunctionalProtocol5):
        def receive_packet(self, packet):
            seen.append((packet.oob.time_received, packet.oob.header_size, packet.oob.media_specific_information))
            return 0

    s = Stack(reuse=False)
    s.run(s.fps[0].stop())
    s.fps[0] = Reader(s.ndis, "reader", adapter_name="im0.0")
    s.run(s.fps[0].start())
    s.run(s.fps[0].listen())
    s.run()
    packet = s.fm.build(frame())
    ndis5.set_packet_time_received(packet, 55)
    ndis5.set_packet_media_specific_info(packet, b"tag")
    s.fm.indicate_packets([packet])
    assert seen == [(55, 14, b"tag")]
    s.stop()


def test_status_indications_pass_through():
    s = Stack(uppers=2)
    s.fm.link(False)
    assert [[code for code, _ in fp.statuses] for fp in s.fps] == [[NdisStatus.MEDIA_DISCONNECT]] * 2
    assert [fp.status_completes for fp in s.fps] == [1, 1]
    s.stop()


def test_a_virtual_adapter_finds_the_context_of_its_instance():
    s = Stack(uppers=2)
    contexts = [ndis5.im_get_device_context(miniport.adapter) for miniport in s.ims[0].virtual]
    assert contexts == ["instance 0", "instance 1"]
    s.stop()


def test_what_the_im_driver_sends_on_does_not_loop_again():
    s = Stack()
    s.fps[0].send_array(frame(destination=b"\xff" * 6))
    s.run()
    assert s.fps[0].received == [frame(destination=b"\xff" * 6)]  # once, at the upper level
    assert s.fm.captured[0].flags & PacketFlags.DONT_LOOPBACK
    s.stop()


@REUSE
def test_a_frame_keeps_its_id_through_an_intermediate_driver(reuse):
    s = Stack(reuse=reuse)
    (packet,) = s.fps[0].send_array(frame(destination=PEER))
    (below,) = s.fm.captured
    assert below.frame_id == packet.frame_id == s.ndis.last_frame_id == 1
    s.fps[0].references = 1
    (arrived,) = s.fm.indicate(frame())
    assert {held.frame_id for held in s.fps[0].held} == {arrived.frame_id} != {0}
    s.stop()

# SPDX-License-Identifier: Apache-2.0
"""LB: who gets a copy of what is sent. The decision against an independent reference, then the copies themselves."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import pytest

from hilnic import ndis
from hilnic.ndis import (
    MacOptions,
    NblFlags,
    NblInfo,
    NdisMedium,
    NdisStatus,
    PacketFilter,
    Profile,
    SendFlags,
)
from hilnic.ndis.loopback import Station, looped_to
from hilnic.testing import FunctionalMiniport, FunctionalProtocol, NdisBench
from hilnic.testing.frames import ethernet
from hilnic.testing.miniport import MAC_ADDRESS

CHECK = SendFlags.CHECK_FOR_LOOPBACK
LISTED, UNLISTED = bytes.fromhex("01005e000001"), bytes.fromhex("01005e000002")
STRANGER, BROADCAST = bytes.fromhex("02484e0000aa"), b"\xff" * 6
DESTINATIONS = (MAC_ADDRESS, BROADCAST, LISTED, UNLISTED, STRANGER)
USUAL = PacketFilter.DIRECTED | PacketFilter.BROADCAST | PacketFilter.MULTICAST


@dataclass(eq=False)
class One:
    """A binding, as the decision sees it."""

    packet_filter: int
    multicast_list: frozenset[bytes]


def reference(station, filters, sender, asked, address):
    """The page on looping back NDIS packets, read step by step, with A15 and R6-15 applied; independent of the code."""
    others_flag = asked and station.literal
    medium = station.medium in {NdisMedium.MEDIUM_802_3, NdisMedium.MEDIUM_802_5}
    crowd = len(filters) >= 2 or station.filter_receives
    promiscuous = any(f & PacketFilter.PROMISCUOUS and not f & PacketFilter.NO_LOCAL for f in filters)
    all_local = any(f & PacketFilter.ALL_LOCAL for f in filters)
    door_open = medium and ((promiscuous and crowd) or (all_local and crowd) or others_flag)
    got = set()
    for number, wanted in enumerate(filters):
        kinds = {
            MAC_ADDRESS: PacketFilter.DIRECTED,
            BROADCAST: PacketFilter.BROADCAST,
            LISTED: PacketFilter.MULTICAST,
        }
        own = wanted & (PacketFilter.PROMISCUOUS | PacketFilter.ALL_LOCAL) or wanted & kinds.get(address, 0)
        for_sender, for_other = medium and asked, door_open and not wanted & PacketFilter.NO_LOCAL
        if own and (for_sender if number == sender else for_other):
            got.add(number)
    return got


EXTRA = (0, PacketFilter.PROMISCUOUS, PacketFilter.ALL_LOCAL)
FILTERS = [base | extra | local for base in (0, USUAL) for extra in EXTRA for local in (0, PacketFilter.NO_LOCAL)]


@pytest.mark.rule("LB-03", "LB-04", "LB-02", "LB-01", "LB-06")
@pytest.mark.parametrize("literal", [False, True])
@pytest.mark.parametrize("medium", [NdisMedium.MEDIUM_802_3, NdisMedium.MEDIUM_802_5, NdisMedium.IP])
def test_the_decision_is_the_reference_s_over_the_whole_truth_table(medium, literal):
    cases = wrong = 0
    for number in (1, 2, 3):
        rest = FILTERS if number < 3 else FILTERS[::3]
        for filters in itertools.product(rest, repeat=number):
            for filter_receives, asked, address in itertools.product((False, True), (False, True), DESTINATIONS):
                station = Station(MAC_ADDRESS, medium, filter_receives, literal)
                listeners = [One(wanted, frozenset({LISTED})) for wanted in filters]
                found = {listeners.index(one) for one in looped_to(station, listeners, listeners[0], asked, address)}
                cases += 1
                wrong += found != reference(station, filters, 0, asked, address)
    assert cases > 3000
    assert wrong == 0


def looping(b: NdisBench, *addresses: bytes, flags: int = 0, sender: int = 0) -> None:
    """One send of one frame to each address, completed; everything that follows has happened."""
    b.fps[sender].send(*[frame_to(address) for address in addresses], flags=flags)
    b.fm.complete_all()
    b.run()


def frame_to(address: bytes) -> bytes:
    return ethernet(address, MAC_ADDRESS, bytes(50))


@pytest.mark.rule("LB-01")
def test_a_sender_does_not_see_its_own_frames(bench):
    b = bench()
    looping(b, *DESTINATIONS)
    assert b.fp.received == []


@pytest.mark.rule("LB-02", "LB-05")
def test_a_sender_that_asks_gets_back_what_its_own_filter_wants(bench):
    b = bench()
    b.run(b.fp.set_multicast(LISTED))
    looping(b, *DESTINATIONS, flags=CHECK)
    assert b.fp.received == [frame_to(address) for address in (MAC_ADDRESS, BROADCAST, LISTED)]
    assert len(b.fm.sent_frames) == 5
    assert b.fm.returned == []  # the copies are none of the miniport's


@pytest.mark.rule("LB-02")
def test_of_an_nbl_of_three_frames_the_one_that_matches_comes_back(bench):
    b = bench()
    frames = [frame_to(address) for address in (STRANGER, MAC_ADDRESS, UNLISTED)]
    b.fp.send_nbls([b.fp.build(*frames, cuts=[20], head=6)], flags=CHECK)
    b.fm.complete_all()
    b.run()
    assert b.fp.received == [frames[1]]
    assert b.fm.sent_frames == frames


class Watching(FunctionalProtocol):
    """Keeps what stands in each received list."""

    def receive_net_buffer_lists(self, nbls, port, count, flags):
        self.seen = [(nbl.nbl_flags, nbl.net_buffer_list_info[:], nbl.source_handle) for nbl in ndis.walk(nbls)]
        super().receive_net_buffer_lists(nbls, port, count, flags)


@pytest.mark.rule("LB-05", "LB-08")
def test_a_looped_frame_says_so_and_says_nothing_about_checksums(bench):
    b = bench(protocol=Watching)
    nbl = b.fp.build(frame_to(MAC_ADDRESS))
    nbl.net_buffer_list_info[NblInfo.TCP_IP_CHECKSUM] = 0x5
    nbl.net_buffer_list_info[NblInfo.IEEE_8021Q] = 77
    b.fp.send_nbls([nbl], flags=CHECK)
    b.fm.complete_all()
    b.run()
    ((flags, info, source),) = b.fp.seen
    assert flags & NblFlags.IS_LOOPBACK_PACKET
    assert (info[NblInfo.TCP_IP_CHECKSUM], info[NblInfo.IEEE_8021Q], info[NblInfo.FRAME_TYPE]) == (None, 77, 0x88B5)
    assert source is b.fm.adapter
    b.fm.indicate(frame_to(MAC_ADDRESS))
    assert not b.fp.seen[0][0] & NblFlags.IS_LOOPBACK_PACKET


@pytest.mark.rule("LB-07")
def test_a_looped_copy_lives_on_when_the_send_has_completed(bench):
    b = bench()
    b.fp.hold = True
    (nbl,) = b.fp.send(frame_to(MAC_ADDRESS), flags=CHECK)
    b.run()
    b.fm.complete_all()
    nbl.first_net_buffer.mdl_chain.view[20] = 0x99
    assert b.fp.held[0].first_net_buffer.tobytes() == frame_to(MAC_ADDRESS)
    b.fp.give_back()
    assert not b.ndis.copy_pool.live


@pytest.mark.rule("LB-03", "LB-04")
@pytest.mark.parametrize("flags", [0, CHECK])
def test_another_binding_listens_in_only_while_somebody_asked_for_it(bench, flags):
    b = bench(protocols=3)
    looping(b, BROADCAST, STRANGER, flags=flags)
    own = [frame_to(BROADCAST)] if flags else []
    assert [fp.received for fp in b.fps] == [own, [], []]
    b.run(b.fps[2].set_filter(PacketFilter.PROMISCUOUS))
    looping(b, BROADCAST, STRANGER, flags=flags)
    assert b.fps[0].received == own * 2
    assert b.fps[1].received == [frame_to(BROADCAST)]
    assert b.fps[2].received == [frame_to(BROADCAST), frame_to(STRANGER)]
    b.run(b.fps[2].set_filter(PacketFilter.PROMISCUOUS | PacketFilter.NO_LOCAL))
    looping(b, BROADCAST, STRANGER, flags=flags)
    assert len(b.fps[2].received) == 2
    assert b.fm.adapter.loopback == 0


@pytest.mark.rule("LB-04")
def test_read_literally_the_flag_opens_for_the_other_bindings_too(bench):
    b = bench(protocols=2, profile=Profile(loopback_algorithm="literal"))
    looping(b, BROADCAST)
    assert b.fps[1].received == []
    looping(b, BROADCAST, flags=CHECK)
    assert [fp.received for fp in b.fps] == [[frame_to(BROADCAST)]] * 2


@pytest.mark.rule("LB-03")
def test_all_local_is_answered_by_ndis_and_kept_from_the_miniport(bench):
    b = bench(protocols=2)
    assert b.run(b.fps[1].set_filter(PacketFilter.ALL_LOCAL)) is NdisStatus.SUCCESS
    assert b.fm.packet_filter == USUAL
    looping(b, STRANGER)
    b.fm.indicate(b.frame(destination=STRANGER))
    assert b.fps[1].received == [frame_to(STRANGER)]
    b.run(b.fps[1].set_filter(0))
    looping(b, STRANGER)
    assert len(b.fps[1].received) == 1


@pytest.mark.rule("LB-02", "S6-24")
def test_a_sender_that_answers_its_own_frames_does_not_recurse(bench):
    class Echo(FunctionalProtocol):
        def receive_net_buffer_lists(self, nbls, port, count, flags):
            super().receive_net_buffer_lists(nbls, port, count, flags)
            if len(self.received) < 2000:
                self.send(frame_to(MAC_ADDRESS), flags=CHECK)

    b = bench(protocol=Echo, completion="inline")
    looping(b, MAC_ADDRESS, flags=CHECK)
    assert len(b.fp.received) == 2000


@pytest.mark.rule("LB-01")
def test_what_is_refused_is_not_looped(bench):
    b = bench()
    b.run(ndis.pause_adapter(b.fm.adapter))
    b.fp.send(frame_to(MAC_ADDRESS), flags=CHECK)
    b.run()
    assert b.fp.received == []
    assert [status for _, status in b.fp.completed] == [NdisStatus.PAUSED]


@pytest.mark.rule("LB-07")
def test_a_copy_that_comes_too_late_for_the_adapter_is_dropped(bench):
    b = bench()
    fi = b.filter()
    b.fp.send(frame_to(MAC_ADDRESS), flags=CHECK)
    b.kernel._heap, waiting = [], b.kernel._heap  # the DPC is late
    b.run(ndis.pause_adapter(b.fm.adapter))
    fi.trace.clear()
    b.kernel._heap += waiting
    b.run()
    assert (b.fp.received, fi.trace) == ([], [])
    assert not b.ndis.copy_pool.live


def test_without_memory_a_frame_is_sent_and_not_looped(bench):
    b = bench()
    nbl = b.fp.build(frame_to(MAC_ADDRESS))
    b.kernel.fail_allocations = 1
    b.fp.send_nbls([nbl], flags=CHECK)
    b.fm.complete_all()
    b.run()
    assert (b.fp.received, len(b.fp.completed)) == ([], 1)


class HardwareLooping(FunctionalMiniport):
    """A NIC that returns what it sends, marked, and says so in its MAC options."""

    def attributes(self):
        options = MacOptions.TRANSFERS_NOT_PEND | MacOptions.COPY_LOOKAHEAD_DATA
        return ndis.GeneralAttributes(mac_address=self.mac_address, mac_options=options)

    def send_net_buffer_lists(self, nbls, port_number, send_flags):
        frames = [nb.tobytes() for nbl in ndis.walk(nbls) for nb in nbl.net_buffers()]
        super().send_net_buffer_lists(nbls, port_number, send_flags)
        looped = [self.build(frame) for frame in frames]
        for nbl in looped:
            nbl.nbl_flags |= NblFlags.IS_LOOPBACK_PACKET
        self.indicate_nbls(looped)


@pytest.mark.rule("LB-09")
@pytest.mark.parametrize("miniport", [FunctionalMiniport, HardwareLooping])
def test_one_copy_whether_ndis_or_the_nic_loops(bench, miniport):
    b = bench(protocols=2, miniport=miniport)
    b.run(b.fps[1].set_filter(PacketFilter.PROMISCUOUS))
    assert bool(b.fm.adapter.loopback) == (miniport is FunctionalMiniport)
    looping(b, BROADCAST, flags=CHECK)
    assert [fp.received for fp in b.fps] == [[frame_to(BROADCAST)]] * 2


@pytest.mark.rule("LB-09", "LB-03")
def test_what_the_nic_loops_does_not_reach_a_no_local_binding(bench):
    b = bench(protocols=2, miniport=HardwareLooping)
    b.run(b.fps[1].set_filter(PacketFilter.PROMISCUOUS | PacketFilter.NO_LOCAL))
    looping(b, BROADCAST)
    assert b.fps[1].received == []
    b.fm.indicate(b.frame(destination=BROADCAST))
    assert len(b.fps[1].received) == 1


@pytest.mark.rule("LB-06")
def test_a_medium_without_broadcast_does_not_loop(bench):
    class Tunnel(FunctionalMiniport):
        def attributes(self):
            return ndis.GeneralAttributes(mac_address=self.mac_address, media_type=NdisMedium.IP)

    b = bench(miniport=Tunnel)
    looping(b, MAC_ADDRESS, flags=CHECK)
    assert b.fp.received == []


@pytest.mark.rule("LB-03")
def test_a_filter_that_receives_counts_as_a_second_listener_and_sees_the_copies(bench):
    b = bench()
    b.run(b.fp.set_filter(PacketFilter.PROMISCUOUS))
    looping(b, STRANGER)
    assert not b.fm.adapter.loopback
    fi = b.filter()
    fi.trace.clear()
    looping(b, STRANGER)
    assert [entry for entry in fi.trace if "receive" in entry] == [f"{fi.name} receive"]
    assert b.fp.received == []
    assert not b.ndis.copy_pool.live


@pytest.mark.rule("LB-02")
def test_a_looped_frame_passes_the_filters_on_its_way_up(bench):
    b = bench()
    fi = b.filter()
    fi.trace.clear()
    looping(b, MAC_ADDRESS, flags=CHECK)
    assert b.fp.received == [frame_to(MAC_ADDRESS)]
    assert fi.trace == [f"{fi.name} {what}" for what in ("send", "complete", "receive", "return")]

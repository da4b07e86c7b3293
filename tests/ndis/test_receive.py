# SPDX-License-Identifier: Apache-2.0
"""R6: the NDIS 6 receive path."""

from __future__ import annotations

import random

import pytest

from hilnic import ndis
from hilnic.ndis import AdapterState, PacketFilter, ReceiveFlags
from hilnic.testing import MAC_ADDRESS, PEER, FunctionalMiniport, FunctionalProtocol
from hilnic.testing.frames import ethernet, free_nbl

BROADCAST = b"\xff" * 6
GROUP = bytes.fromhex("01005e000001")
OTHER_GROUP = bytes.fromhex("01005e000002")


@pytest.mark.rule("R6-01", "R6-02", "R6-11")
def test_a_well_formed_indication_reaches_the_protocol(bench):
    b = bench()
    b.fm.indicate(*b.frames(3))
    assert b.fp.received == b.frames(3)
    assert len(b.fm.returned) == 3


@pytest.mark.rule("R6-03", "R6-08", "R6-20")
@pytest.mark.parametrize("seed", range(5))
def test_each_nbl_is_returned_once_however_three_protocols_return_it(bench, seed):
    b = bench(protocols=3)
    rng = random.Random(seed)
    for fp in b.fps:
        fp.hold = True
    nbls = b.fm.indicate(*b.frames(6, 80))
    held = [(fp, nbl) for fp in b.fps for nbl in fp.held]
    rng.shuffle(held)
    for fp, nbl in held:
        assert set(b.fm.returned) < set(nbls)
        fp.give_back(nbl)
    assert sorted(nbl.id for nbl in b.fm.returned) == [nbl.id for nbl in nbls]


@pytest.mark.rule("R6-08")
def test_a_shared_nbl_goes_back_after_its_last_holder(bench):
    b = bench(protocols=3)
    for fp in b.fps:
        fp.hold = True
    b.fm.indicate(b.frame())
    for fp in b.fps:
        assert b.fm.return_calls == 0
        fp.give_back()
    assert b.fm.return_calls == 1


@pytest.mark.rule("R6-08")
def test_no_two_protocols_hold_the_same_object(bench):
    b = bench(protocols=3)
    for fp in b.fps:
        fp.hold = True
    b.fm.indicate(b.frame())
    assert len({id(fp.held[0]) for fp in b.fps}) == 3
    for fp in b.fps:
        fp.give_back()


@pytest.mark.rule("R6-04", "R6-21")
def test_with_resources_the_miniport_owns_the_nbls_when_the_call_returns(bench):
    b = bench(protocols=2)
    nbls = b.fm.indicate(*b.frames(3), flags=ReceiveFlags.RESOURCES)
    assert b.fps[0].received == b.fps[1].received == b.frames(3)
    assert b.fm.return_calls == 0
    assert all(nbl.ndis_custody.owner is b.fm.adapter for nbl in nbls)
    assert b.fm.adapter.receives_outstanding == 0


@pytest.mark.rule("R6-05")
def test_bytes_read_after_a_resources_indication_are_poison(bench):
    kept = []

    class Keeping(FunctionalProtocol):
        def receive_net_buffer_lists(self, nbls, port, count, flags):
            kept.append(nbls.first_net_buffer.mdl_chain.view)

    b = bench(protocol=Keeping)
    b.fm.indicate(b.frame(), flags=ReceiveFlags.RESOURCES)
    assert bytes(kept[0]) == b"\xdd" * 60


@pytest.mark.rule("R6-06")
def test_held_bytes_stay_intact_for_a_second_under_traffic(bench):
    b = bench()
    b.fp.hold = True
    b.fm.indicate(b.frame(1))
    (held,) = b.fp.held
    b.fp.hold = False
    for n in range(100):
        b.fm.indicate(b.frame(n))
        b.kernel.run_for(10_000_000)
    assert held.first_net_buffer.tobytes() == b.frame(1)
    b.fp.give_back(held)


@pytest.mark.rule("R6-09")
def test_a_returned_nbl_may_be_indicated_again(bench):
    b = bench()
    (nbl,) = b.fm.indicate(b.frame())
    b.fm.returned.clear()
    nbl.first_net_buffer.mdl_chain.view[:] = b.frame(2)
    b.fm.indicate_nbls([nbl])
    assert b.fp.received[-1] == b.frame(2)


@pytest.mark.rule("R6-10")
def test_one_return_may_mix_several_indications(bench):
    b = bench()
    b.fp.hold = True
    b.fm.indicate(*b.frames(2))
    b.fm.indicate(*b.frames(3))
    b.fp.give_back(*reversed(b.fp.held))
    assert b.fm.return_calls == 1
    assert len(b.fm.returned) == 5


@pytest.mark.rule("R6-15", "OI-12")
def test_a_binding_sees_only_what_its_own_filter_asks_for(bench):
    b = bench(protocols=2, listen=False)
    promiscuous, directed = b.fps
    b.run(promiscuous.set_filter(PacketFilter.PROMISCUOUS))
    b.run(directed.set_filter(PacketFilter.DIRECTED))
    frames = [ethernet(to, PEER, b"x" * 46) for to in (MAC_ADDRESS, PEER, BROADCAST, GROUP)]
    b.fm.indicate(*frames)
    assert promiscuous.received == frames
    assert directed.received == frames[:1]


@pytest.mark.rule("R6-15")
@pytest.mark.parametrize(
    ("packet_filter", "wanted"),
    [
        (0, []),
        (PacketFilter.DIRECTED, [MAC_ADDRESS]),
        (PacketFilter.BROADCAST, [BROADCAST]),
        (PacketFilter.MULTICAST, [GROUP]),
        (PacketFilter.ALL_MULTICAST, [GROUP, OTHER_GROUP]),
        (PacketFilter.PROMISCUOUS, [MAC_ADDRESS, PEER, BROADCAST, GROUP, OTHER_GROUP]),
    ],
)
def test_a_packet_filter_lets_through_its_own_kind(bench, packet_filter, wanted):
    b = bench(listen=False)
    b.run(b.fp.set_filter(packet_filter))
    b.run(b.fp.set_multicast(GROUP))
    b.fm.indicate(*(ethernet(to, PEER, b"x" * 46) for to in (MAC_ADDRESS, PEER, BROADCAST, GROUP, OTHER_GROUP)))
    assert [frame[:6] for frame in b.fp.received] == wanted
    assert len(b.fm.returned) == 5


@pytest.mark.rule("R6-16", "ST-02")
def test_an_indication_while_restarting_is_delivered_or_dropped(bench):
    class Early(FunctionalMiniport):
        def restart(self, parameters):
            assert self.adapter.state is AdapterState.RESTARTING
            self.indicate(ethernet(BROADCAST, PEER, b"x" * 46))
            return super().restart(parameters)

    b = bench(miniport=Early)
    assert b.fm.adapter.state is AdapterState.RUNNING
    assert len(b.fm.returned) == 1


@pytest.mark.rule("R6-18")
def test_traffic_resumes_when_a_hoarding_protocol_returns(bench):
    b = bench()
    b.fp.hold = True
    b.fm.indicate(*b.frames(32))
    assert b.fm.returned == []
    b.fp.give_back()
    b.fp.hold = False
    b.fm.indicate(*b.frames(32))
    assert len(b.fm.returned) == 64


@pytest.mark.rule("R6-20", "CL-07")
def test_a_protocol_may_answer_a_frame_from_its_receive_handler(bench):
    class Echo(FunctionalProtocol):
        def receive_net_buffer_lists(self, nbls, port, count, flags):
            data = nbls.first_net_buffer.tobytes()
            super().receive_net_buffer_lists(nbls, port, count, flags)
            self.send(data[6:12] + data[:6] + data[12:])

    b = bench(protocol=Echo, completion="inline")
    b.fm.indicate(b.frame(5))
    assert [frame[:6] for frame in b.fm.sent_frames] == [PEER]
    assert len(b.fp.completed) == 1


@pytest.mark.rule("MD-09")
def test_parsing_by_advance_leaves_the_chain_alone(bench):
    class Parser(FunctionalProtocol):
        def receive_net_buffer_lists(self, nbls, port, count, flags):
            nb = nbls.first_net_buffer
            before = list(ndis.walk_mdls(nb.mdl_chain))
            ndis.advance_net_buffer_data_start(nb, 14)
            self.received.append(nb.tobytes())
            assert list(ndis.walk_mdls(nb.mdl_chain)) == before
            ndis.return_net_buffer_lists(self.open, nbls)

    b = bench(protocol=Parser)
    b.fm.indicate(b.frame(), cuts=[7, 20])
    assert b.fp.received == [b.frame()[14:]]


def test_a_frame_of_many_mdls_arrives_whole(bench):
    b = bench(protocols=2)
    b.fm.indicate(b.frame(size=400), cuts=[3, 0, 4, 7, 100], head=9)
    assert b.fps[0].received == b.fps[1].received == [b.frame(size=400)]


def test_unwanted_frames_go_straight_back(bench):
    b = bench(listen=False)
    nbls = b.fm.indicate(*b.frames(2))
    assert b.fm.returned == nbls


def test_freeing_returned_buffers_leaves_nothing(bench):
    b = bench()
    for nbl in b.fm.indicate(*b.frames(4)):
        free_nbl(nbl)
    b.fm.returned.clear()
    assert not b.fm.pool.live

# SPDX-License-Identifier: Apache-2.0
"""Claims about data on connections: SDUs arrive as they were sent, on their own connection, within the contract."""

import random
from dataclasses import replace

import pytest

from hilnic import ndis
from hilnic.hw.timing import TimingModel
from hilnic.miniport_co.header import sdu_bytes
from hilnic.ndis import NdisStatus
from hilnic.ndis.condis import ServiceType
from hilnic.protocols.raw import RawProtocol
from hilnic.stack import CoConfig
from hilnic.testing.co_host import address
from hilnic.testing.vcs import counted, tagged, vlan_of

LENGTHS = (1, 2, 41, 42, 43, 45, 46, 47, 100, 1499, 1500)


def sdu(number, length):
    return bytes((number + i) & 0xFF for i in range(length))


SDUS = [sdu(number, length) for number, length in enumerate(LENGTHS)]


def test_an_sdu_of_any_length_arrives_as_it_was_sent(pair):
    ours, theirs = pair.calls()
    ours.send(*SDUS)
    theirs.send(*SDUS)
    pair.until(lambda: len(ours.received) == len(theirs.received) == len(SDUS))
    assert ours.received == theirs.received == SDUS
    assert [status for _, status in ours.completed] == [NdisStatus.SUCCESS] * len(SDUS)


def test_the_frame_has_addresses_tag_and_length(pair):
    ours, theirs = pair.calls(vlan=0x123, priority=5, destination=address(1))
    ours.send(b"twelve bytes")
    pair.until(lambda: theirs.received)
    header = address(1) + address(0) + (12).to_bytes(2, "big")
    assert pair.wire[-1].data == tagged(header + b"twelve bytes", 0x123, 5).ljust(60, b"\0")


@pytest.mark.rule("CD-04")
@pytest.mark.rule("CD-07")
def test_lists_of_many_buffers_keep_their_order(pair):
    ours, theirs = pair.calls()
    groups = [[sdu(16 * i + k, 20 + 40 * k) for k in range(16)] for i in range(4)]
    ours.send_nbls([ours.build(*group, cuts=(3, 0, 9)) for group in groups])
    pair.until(lambda: len(theirs.received) == 64)
    assert theirs.received == [data for group in groups for data in group]
    assert len(ours.completed) == 4


def test_jumbo_sdus_have_a_type_instead_of_a_length(make_pair):
    pair = make_pair(mtu=9000)
    ours, theirs = pair.calls()
    sdus = [sdu(n, length) for n, length in enumerate((1500, 1501, 4000, 9000, 30))]
    ours.send(*sdus)
    pair.until(lambda: len(theirs.received) == len(sdus))
    assert theirs.received == sdus


def test_what_is_too_long_or_empty_is_refused(pair):
    ours, _ = pair.calls(max_sdu=200)
    ours.send(bytes(201))
    ours.send(bytes(200))
    pair.until(lambda: len(ours.completed) == 2)
    assert [status for _, status in ours.completed] == [NdisStatus.INVALID_LENGTH, NdisStatus.SUCCESS]


def test_a_chain_of_too_many_pieces_is_copied_once(make_pair):
    pair = make_pair(max_fragments=4)
    ours, theirs = pair.calls()
    data = sdu(1, 300)
    ours.send_nbls([ours.build(data, cuts=[10] * 20), ours.build(data, cuts=[100])])
    pair.until(lambda: len(theirs.received) == 2)
    assert theirs.received == [data, data]
    (connection,) = pair.one.stack.connections.by_entry.values()
    assert connection.tx.statistics().copied == 1


@pytest.mark.rule("CD-08")
def test_connections_and_the_connectionless_path_do_not_mix(make_pair):
    raws = [RawProtocol(), RawProtocol()]
    pair = make_pair(
        protocols=lambda number: (raws[number],), timing=TimingModel(jitter_percent=100, weak=True, seed=3)
    )
    ends = [pair.calls(vlan) for vlan in (10, 20, 30)]
    draw = random.Random(1)
    sent = {0: [], 1: [], 2: [], "raw": []}
    for number in range(120):
        which = draw.choice([0, 1, 2, "raw"])
        data = sdu(number, draw.randrange(1, 400))
        if which == "raw":
            data = address(1) + address(0) + b"\x88\xb5" + data.ljust(46, b"\0")
            raws[0].bindings["nic0"].send(data)
        else:
            ends[which][0].send(data)
        sent[which].append(data)
        if number % 10 == 0:
            pair.sleep(5_000)
    raw = raws[1].bindings["nic1"]
    pair.until(lambda: len(raw.received) == len(sent["raw"]))
    for number, (ours, theirs) in enumerate(ends):
        pair.until(lambda theirs=theirs, number=number: len(theirs.received) == len(sent[number]))
        assert theirs.received == sent[number]
        assert [status for _, status in ours.completed] == [NdisStatus.SUCCESS] * len(sent[number])
    assert raw.received == sent["raw"]


@pytest.mark.parametrize("rate", [12_500_000, 50_000_000])
def test_the_wire_carries_what_the_contract_says(make_pair, rate):
    pair = make_pair()
    ours, theirs = pair.calls(rate=rate, burst=4000, service=ServiceType.GUARANTEED)
    draw = random.Random(2)
    ours.send(*[sdu(n, draw.randrange(100, 1500)) for n in range(150)])
    pair.until(lambda: len(theirs.received) == 150, 40_000_000)
    frames = [frame for frame in pair.wire if vlan_of(frame.data) == 100][12:]
    octets = sum(counted(frame.data) for frame in frames[:-1])
    found = octets * 10**9 / (frames[-1].time_ns - frames[0].time_ns)
    assert abs(found / rate - 1) < 0.01


@pytest.mark.rule("CD-09")
def test_with_few_buffers_left_sdus_are_lent_for_the_call_only(make_pair, small):
    pair = make_pair(verify="full", connections=small)
    ours, theirs = pair.calls()
    pair.other.client.hold = True
    ours.send(*[sdu(n, 50) for n in range(30)])
    pair.until(lambda: len(theirs.received) == 30)
    flags = ndis.ReceiveFlags.RESOURCES
    assert len(theirs.held) == 8
    assert all(each & flags for each in theirs.receive_flags[-5:])
    theirs.give_back()


@pytest.mark.rule("CD-06")
def test_sdus_of_two_connections_come_back_mixed_in_any_order(pair):
    first, second = pair.calls(10), pair.calls(20)
    pair.other.client.hold = True
    for ours, _ in (first, second):
        ours.send(*[sdu(n, 60) for n in range(8)])
    pair.until(lambda: len(first[1].held) == len(second[1].held) == 8)
    mixed = [nbl for both in zip(first[1].held, reversed(second[1].held), strict=True) for nbl in both]
    ndis.return_net_buffer_lists(pair.other.client.open, ndis.chain(mixed[:11]))
    ndis.return_net_buffer_lists(pair.other.client.open, ndis.chain(mixed[11:]))
    first[1].held.clear()
    second[1].held.clear()
    pair.other.client.hold = False
    for ours, theirs in (first, second):
        ours.send(*[sdu(n, 60) for n in range(100)])
        pair.until(lambda theirs=theirs: len(theirs.received) == 108, 5_000_000)


def test_frames_of_a_vlan_that_are_no_sdus_are_counted_and_not_shown(pair):
    ours, theirs = pair.calls(100)
    head = address(1) + address(0)
    bad = [
        head + (100).to_bytes(2, "big") + bytes(46),  # says more than it has
        head + b"\x08\x00" + bytes(46),  # IPv4
        head + bytes(2) + bytes(46),  # nothing
        head + b"\x88\xb5" + bytes(60),  # the type of long SDUs, and short
    ]
    for frame in bad:
        pair.nics[1].wire.send(tagged(frame, 100))
    ours.send(b"good")
    pair.until(lambda: theirs.received)
    assert theirs.received == [b"good"]
    (connection,) = pair.other.stack.connections.by_entry.values()
    assert connection.rx.statistics().errors == len(bad)


@pytest.mark.parametrize(
    ("kind", "length", "shown"),
    [(5, 60, 5), (46, 60, 46), (47, 60, 0), (0, 60, 0), (0x88B5, 1515, 1501), (0x88B5, 1514, 0), (0x0800, 60, 0)],
)
def test_the_header_tells_how_long_an_sdu_is(kind, length, shown):
    assert sdu_bytes(kind, length) == shown


@pytest.mark.rule("CN-10")
def test_sends_that_wait_can_be_cancelled(make_pair, small):
    pair = make_pair(verify="full", connections=replace(small, tx_ring=8))
    ours, theirs = pair.calls(rate=1_000_000, burst=1522)
    ours.send(*[sdu(n, 1500) for n in range(3)])
    ours.send(*[sdu(n, 1400) for n in range(6)], cancel_id=7)
    ndis.cancel_send_net_buffer_lists(pair.one.client.open, 7)
    pair.until(lambda: len(ours.completed) == 9, 40_000_000)
    statuses = [status for _, status in ours.completed]
    assert NdisStatus.SEND_ABORTED in statuses
    pair.until(lambda: len(theirs.received) == statuses.count(NdisStatus.SUCCESS), 40_000_000)


def test_a_connectionless_protocol_that_keeps_every_buffer_holds_up_no_connection(make_pair):
    kept = []
    raws = [RawProtocol(), RawProtocol(on_receive=lambda _binding, nbls, _count, _flags: kept.append(nbls))]
    few = {"rx_ring": 4, "rx_buffers": 4, "rx_low_water": 0}
    pair = make_pair(protocols=lambda number: (raws[number],), connections=CoConfig(rx_low_water=16), **few)
    ours, theirs = pair.calls()
    frame = address(1) + address(0) + b"\x88\xb5" + bytes(60)
    raws[0].bindings["nic0"].send(*[frame] * 10)
    pair.sleep(50_000)
    ours.send(b"an SDU behind them")
    pair.until(lambda: theirs.received)
    assert sum(1 for nbls in kept for _ in ndis.walk(nbls)) == 4
    for nbls in kept:
        raws[1].bindings["nic1"].return_nbls(nbls)

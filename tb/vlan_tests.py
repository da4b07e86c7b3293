# SPDX-License-Identifier: Apache-2.0
"""802.1Q tags between the out-of-band slot and the wire, for both versions of protocol and miniport (OB-09)."""

import random

import cocotb
from stack_bench import HARD, OWN, PEER, finish, frame
from xlate_bench import CORNERS, Five, corner

from hilnic import ndis
from hilnic.miniport import tx
from hilnic.miniport.vlan import PriorityVlanTag
from hilnic.ndis import NblInfo, NdisStatus, Oid, ndis5
from hilnic.ndis.ndis5 import PacketInfo
from hilnic.testing import expect_violation

BOTH = PriorityVlanTag.PRIORITY_AND_VLAN
LENGTHS = [14, 15, 42, 45, 46, 55, 56, 57, 59, 60, 61, 64, 300, 1513, 1514]
"""Around the shortest frame, which a tag makes four octets longer, and up to the longest."""
MINIPORTS = ["6", "5", "5 lookahead"]


def out(number, length=60):
    return frame(number, length, PEER, OWN)


def slot(priority, vlan):
    """TagHeader of NDIS_NET_BUFFER_LIST_8021Q_INFO and NDIS_PACKET_8021Q_INFO."""
    return priority | vlan << 4


def tagged(data, priority, vlan):
    """As 802.1Q 9.6 has it: type; priority, DEI and VLAN id."""
    return data[:12] + b"\x81\x00" + (priority << 13 | vlan).to_bytes(2, "big") + data[12:]


def go(up, *pairs, cuts=()):
    """Send (frame, slot) pairs in one call; `cuts` are the lengths of the leading buffers."""
    if isinstance(up, Five):
        packets = [up.build(data, cuts) for data, _ in pairs]
        for packet, (_, value) in zip(packets, pairs, strict=True):
            packet.packet_info[PacketInfo.IEEE_8021Q] = value
        ndis5.send_packets(up.open, packets)
        return
    nbls = [up.build(data, cuts=cuts) for data, _ in pairs]
    for nbl, (_, value) in zip(nbls, pairs, strict=True):
        nbl.net_buffer_list_info[NblInfo.IEEE_8021Q] = value
    up.send_nbls(nbls)


def slots_of(up):
    """The slots of what the protocol holds."""
    if isinstance(up, Five):
        return [packet.packet_info[PacketInfo.IEEE_8021Q] for packet in up.kept]
    return [nbl.net_buffer_list_info[NblInfo.IEEE_8021Q] for nbl in up.kept]


async def sent(host, number):
    await host.until(lambda: host.up.ended == number and len(host.sent) == number)
    assert set(host.up.results) == {NdisStatus.SUCCESS}
    return host.sent


@cocotb.test()
@cocotb.parametrize(which=CORNERS)
async def the_slot_of_what_is_sent_is_the_tag_on_the_wire(dut, which):
    """OB-09, XL-12, S6-13: every length class; frames with a slot and without one in turn."""
    host = await corner(dut, *which, priority_vlan_tag=BOTH)
    pairs, expected = [], []
    for n, length in enumerate(LENGTHS * 2):
        data, priority, vlan = out(n, length), n % 8, n * 137 % 4095
        pairs.append((data, slot(priority, vlan) if n % 3 else None))
        expected.append((tagged(data, priority, vlan) if n % 3 else data).ljust(60, b"\0"))
    go(host.up, *pairs)
    assert await sent(host, len(pairs)) == expected
    assert host.copies == 0
    await finish(host)


@cocotb.test()
@cocotb.parametrize(which=CORNERS)
async def a_received_tag_leaves_the_frame_and_is_in_the_slot(dut, which):
    """OB-09, OB-04, XL-12: shortest frames too, which get four octets shorter; a bare lookahead has no slot."""
    host = await corner(dut, *which, priority_vlan_tag=BOTH, rx_low_water=0)
    host.up.keep()
    for n, length in enumerate(LENGTHS):
        data = frame(n, length)
        host.inject((tagged(data, n % 7 + 1, 2000 + n) if n % 3 else data).ljust(60, b"\0"))
    await host.until(lambda: len(host.up.received) == len(LENGTHS))
    padded = [frame(n, length).ljust(56 if n % 3 else 60, b"\0") for n, length in enumerate(LENGTHS)]
    assert host.up.received == padded
    if host.up.kept:
        slots = [slot(n % 7 + 1, 2000 + n) if n % 3 else None for n in range(len(LENGTHS))]
        assert slots_of(host.up) == (slots if which[1] != "5 lookahead" else [None] * len(LENGTHS))
        host.up.give_back()
    else:
        assert "5 lookahead" in which
    await finish(host)


@cocotb.test()
@cocotb.parametrize(miniport=MINIPORTS)
async def without_the_option_no_frame_is_touched(dut, miniport):
    """OB-09: the keyword is absent: the slot is not honoured, a received tag stays."""
    host = await corner(dut, "6", miniport)
    go(host.up, (out(1), slot(7, 5)), (tagged(out(2), 3, 6), None))
    assert await sent(host, 2) == [out(1), tagged(out(2), 3, 6)]
    host.inject(tagged(frame(3), 3, 6))
    await host.until(lambda: host.up.received == [tagged(frame(3), 3, 6)])
    await finish(host)


@cocotb.test()
@cocotb.parametrize(miniport=MINIPORTS, option=list(PriorityVlanTag)[:3])
async def the_option_says_what_of_the_slot_counts(dut, miniport, option):
    """OB-09: off, priority alone, VLAN alone; received tags go in any case."""
    host = await corner(dut, "5 both", miniport, priority_vlan_tag=option)
    on_the_wire = {0: out(1), 1: tagged(out(1), 6, 0), 2: tagged(out(1), 0, 77)}
    go(host.up, (out(1), slot(6, 77)))
    assert await sent(host, 1) == [on_the_wire[option]]
    host.up.keep()
    host.inject(tagged(frame(3), 5, 99))
    await host.until(lambda: host.up.received == [frame(3)])
    if host.up.kept:
        assert slots_of(host.up) == [{0: None, 1: slot(5, 0), 2: slot(0, 99)}[option]]
        host.up.give_back()
    await finish(host)


@cocotb.test()
@cocotb.parametrize(miniport=MINIPORTS)
async def a_nic_in_a_vlan_marks_what_it_sends_and_indicates_its_vlan_alone(dut, miniport):
    """OB-09, OI-01: OID_GEN_VLAN_ID set, read back, seen on the wire; back to none."""
    host = await corner(dut, "6", miniport, priority_vlan_tag=BOTH)
    await put_into_vlan(host, 777)
    go(host.up, (out(1), None), (out(2), slot(5, 777)), (tagged(out(3), 3, 0), None), (out(4), slot(5, 778)))
    await host.until(lambda: host.up.ended == 4 and len(host.sent) == 3)
    assert host.sent == [tagged(out(1), 0, 777), tagged(out(2), 5, 777), tagged(out(3), 3, 777)]
    assert sorted(host.up.results) == sorted([NdisStatus.SUCCESS] * 3 + [NdisStatus.FAILURE])
    for data in (frame(1), tagged(frame(2), 5, 777), tagged(frame(3), 5, 778), tagged(frame(4), 0, 777)):
        host.inject(data)
    await host.until(lambda: host.up.received == [frame(2), frame(4)])
    await put_into_vlan(host, 0)
    host.inject(frame(5))
    await host.until(lambda: host.up.received[2:] == [frame(5)])
    await finish(host)


async def put_into_vlan(host, number):
    """Set OID_GEN_VLAN_ID, and tell the oracle on the wire."""
    value = number.to_bytes(4, "little")
    assert await host.up.request(ndis.set_information(Oid.OID_GEN_VLAN_ID, value)) is NdisStatus.SUCCESS
    read = ndis.query(Oid.OID_GEN_VLAN_ID, 4)
    assert (await host.up.request(read), read.answer()) == (NdisStatus.SUCCESS, value)
    for oracle in host.stack.host.wire_watches.values():
        oracle.vlan_id = number


@cocotb.test()
@cocotb.parametrize(miniport=MINIPORTS)
async def tags_among_pieces_of_any_length_through_a_small_ring(dut, miniport):
    """OB-09, RG-04, RG-08, RG-09: random latencies, stores that need the barrier, frames that wait and are copied."""
    host = await corner(dut, "6", miniport, priority_vlan_tag=BOTH, timing=HARD, tx_ring=8, max_fragments=6)
    draw, expected = random.Random(9), []
    for n in range(30):
        data = out(n, draw.randrange(40, 500))
        cuts = [draw.randrange(14, 20), *draw.choices(range(1, 4), k=draw.randrange(6))]
        priority, vlan = draw.randrange(8), draw.randrange(1, 4095)
        go(host.up, (data, slot(priority, vlan)), cuts=cuts)
        expected.append(tagged(data, priority, vlan).ljust(60, b"\0"))
    assert await sent(host, 30) == expected
    assert 0 < host.nic.tx.statistics().copied < 30
    await finish(host)


@cocotb.test()
async def a_driver_that_writes_another_tag_is_named_by_the_wire_oracle(dut):
    """OB-09, V14: the wire is compared with what NDIS gave the miniport, not with what the miniport made of it."""
    host = await corner(dut, "6", priority_vlan_tag=BOTH)
    right = tx.tag_of
    tx.tag_of = lambda slot, option, *rest: right(slot, PriorityVlanTag.PRIORITY, *rest)
    try:
        with expect_violation(host.stack.host, "V14") as found:
            go(host.up, (out(1), slot(6, 77)))
            assert await sent(host, 1) == [tagged(out(1), 6, 0)]
            host.stack.host.wire_watches["nic0"].finish()
    finally:
        tx.tag_of = right
    assert "is not due" in found[0].detail
    await finish(host)


@cocotb.test()
@cocotb.parametrize(miniport=MINIPORTS)
async def the_wire_oracle_has_compared_every_frame(dut, miniport):
    """V14, S6-13: what was sent and received is right, and none of it was looked past."""
    host = await corner(dut, "6", miniport, priority_vlan_tag=BOTH)
    go(host.up, *[(out(n, length), slot(n % 8, n) or None) for n, length in enumerate(LENGTHS)])
    host.inject(*[tagged(frame(n, max(56, length)), 5, 9) for n, length in enumerate(LENGTHS)])
    await sent(host, len(LENGTHS))
    await host.until(lambda: len(host.up.received) == len(LENGTHS))
    oracle = host.stack.host.wire_watches["nic0"]
    assert (oracle.checked_sent, oracle.checked_received) == (len(LENGTHS), len(LENGTHS))
    await finish(host)

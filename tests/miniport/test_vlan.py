# SPDX-License-Identifier: Apache-2.0
"""Claims about 802.1Q tags by the driver: what the option lets through, where the tag goes, what a receiver sees."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilnic import ndis
from hilnic.hw.memory import HostMemory
from hilnic.miniport.config import NicConfig
from hilnic.miniport.vlan import (
    InPlace,
    PriorityVlanTag,
    TagMemory,
    add_tag,
    is_for_another_vlan,
    is_from_vlan,
    slot_of,
    tag_of,
    take_out,
)
from hilnic.ndis import MacOptions, NblInfo, NdisStatus, Oid, ScatterGatherElement
from hilnic.wire.ethernet import EthernetView, Tag

BOTH = PriorityVlanTag.PRIORITY_AND_VLAN
SLOT = NblInfo.IEEE_8021Q


def slot(priority=0, vlan=0, canonical=0):
    """NDIS_NET_BUFFER_LIST_8021Q_INFO.Value, and NDIS_PACKET_8021Q_INFO's."""
    return priority | canonical << 3 | vlan << 4


def send(bench, tag, *frames, fragments=1):
    nbl = bench.binding.build(frames, fragments=fragments)
    nbl.net_buffer_list_info[SLOT] = tag
    bench.binding.send_nbls([nbl])
    bench.idle()


def tags(frame):
    return [(tag.priority, tag.vlan) for tag in EthernetView(frame).tags]


@pytest.mark.rule("OB-09")
@pytest.mark.parametrize(
    ("option", "expected"),
    [
        (None, []),
        (PriorityVlanTag.DISABLED, []),
        (PriorityVlanTag.PRIORITY, [(5, 0)]),
        (PriorityVlanTag.VLAN, [(0, 777)]),
        (BOTH, [(5, 777)]),
    ],
)
def test_the_option_decides_what_of_the_slot_is_on_the_wire(make_bench, frame, option, expected):
    bench = make_bench(priority_vlan_tag=option)
    send(bench, slot(5, 777), frame(1, 100))
    assert tags(bench.nic.sent[0]) == expected
    assert bench.nic.sent[0][:12] + bench.nic.sent[0][-88:] == frame(1, 100)


@pytest.mark.rule("OB-09")
@pytest.mark.parametrize(
    ("option", "value"),
    [(PriorityVlanTag.PRIORITY, slot(0, 777)), (PriorityVlanTag.VLAN, slot(7, 0)), (BOTH, 0), (BOTH, None), (BOTH, 8)],
)
def test_a_slot_with_nothing_that_the_option_lets_through_gives_no_tag(make_bench, frame, option, value):
    bench = make_bench(priority_vlan_tag=option)
    send(bench, value, frame(1, 100))
    assert bench.nic.sent == [frame(1, 100)]


@pytest.mark.rule("OB-09")
def test_a_frame_that_has_a_tag_already_gets_no_second_one(make_bench, frame):
    bench = make_bench(priority_vlan_tag=BOTH)
    own = add_tag(frame(1, 100), b"\x81\x00\x60\x02")
    send(bench, slot(5, 777), own)
    assert bench.nic.sent == [own]


@pytest.mark.rule("OB-09")
@pytest.mark.parametrize("fragments", [1, 2, 3, 6])
def test_the_tag_is_a_descriptor_among_those_of_the_frame_and_nothing_is_copied(make_bench, frame, fragments):
    bench = make_bench(priority_vlan_tag=BOTH)
    send(bench, slot(1, 2), frame(1, 60), fragments=fragments)
    assert bench.nic.sent == [add_tag(frame(1, 60), b"\x81\x00\x20\x02")]
    a_cut_at_12 = any(60 * n // fragments == 12 for n in range(fragments))
    assert bench.nic.descriptors_per_frame == [fragments + 2 - a_cut_at_12]
    assert bench.miniport.tx.statistics().copied == 0


@pytest.mark.rule("OB-09", "RG-09")
def test_a_frame_with_too_many_pieces_is_copied_with_its_tag(make_bench, frame):
    bench = make_bench(priority_vlan_tag=BOTH, max_fragments=4)
    send(bench, slot(1, 2), frame(1, 1514), fragments=4)
    assert bench.nic.sent == [add_tag(frame(1, 1514), b"\x81\x00\x20\x02")]
    assert bench.miniport.tx.statistics().copied == 1


@pytest.mark.rule("OB-09", "RG-08")
def test_every_frame_in_the_ring_has_a_tag_of_its_own(make_bench, frame):
    """Held by the NIC while the ring is full: a tag must not be written over one that is still to be read."""
    bench = make_bench(priority_vlan_tag=BOTH, tx_ring=8, weak=True)
    for lap in range(3):
        bench.nic.sent.clear()
        bench.nic.hold_tx = True
        for n in range(1, 20):
            nbl = bench.binding.build([frame(n, 70)])
            nbl.net_buffer_list_info[SLOT] = slot(n & 7, n + lap)
            bench.binding.send_nbls([nbl])
        bench.run()
        bench.nic.resume()
        bench.idle()
        assert [tags(data) for data in bench.nic.sent] == [[(n & 7, n + lap)] for n in range(1, 20)]


@pytest.mark.rule("OB-09", "S6-14")
def test_the_longest_frame_gets_its_tag_and_a_longer_one_is_refused(make_bench, frame):
    bench = make_bench(priority_vlan_tag=BOTH)
    send(bench, slot(3, 4), frame(1, 1514))
    send(bench, slot(3, 4), frame(1, 1515))
    assert [len(data) for data in bench.nic.sent] == [1518]
    assert bench.binding.statuses == [NdisStatus.INVALID_LENGTH]


@pytest.mark.rule("OB-09")
@pytest.mark.parametrize(
    ("option", "value"),
    [
        (PriorityVlanTag.DISABLED, None),
        (PriorityVlanTag.PRIORITY, slot(6)),
        (PriorityVlanTag.VLAN, slot(0, 100)),
        (BOTH, slot(6, 100)),
    ],
)
@pytest.mark.parametrize("length", [60, 64, 1514])
def test_a_received_tag_is_taken_out_and_goes_to_the_slot(make_bench, frame, option, value, length):
    seen = []

    def note(binding, nbls, count, flags):
        for nbl in ndis.walk(nbls):
            info = nbl.net_buffer_list_info
            seen.append((nbl.first_net_buffer.tobytes(), info[SLOT], info[NblInfo.FRAME_TYPE]))
        binding.return_nbls(nbls)

    bench = make_bench(priority_vlan_tag=option, on_receive=note, rx_buffer_bytes=64, rx_buffer_offset=6, rx_ring=32)
    bench.nic.inject(add_tag(frame(1, length), b"\x81\x00\xd0\x64"), frame(2, length))
    bench.run()
    assert seen == [(frame(1, length), value, 0x88B5), (frame(2, length), None, 0x88B5)]


@pytest.mark.rule("OB-09")
def test_without_the_keyword_a_received_tag_stays_where_it_is(bench, frame):
    tagged = add_tag(frame(1, 60), b"\x81\x00\xd0\x64")
    bench.nic.inject(tagged)
    bench.run()
    assert bench.binding.received == [tagged]


@pytest.mark.rule("OB-09", "OI-01")
@pytest.mark.parametrize(
    ("option", "told"),
    [
        (None, 0),
        (PriorityVlanTag.DISABLED, 0),
        (PriorityVlanTag.PRIORITY, 0x40),
        (PriorityVlanTag.VLAN, 0x200),
        (BOTH, 0x240),
    ],
)
def test_the_mac_options_tell_of_it(make_bench, option, told):
    bench = make_bench(priority_vlan_tag=option)
    answer = bench.wait(bench.binding.query(Oid.OID_GEN_MAC_OPTIONS, 4))
    assert int.from_bytes(answer, "little") & (MacOptions.PRIORITY_8021P | MacOptions.VLAN_8021Q) == told


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6).filter(lambda cuts: sum(cuts) >= 14), st.integers(0, 100))
def test_the_pieces_with_the_tag_are_the_tagged_frame(lengths, index):
    memory = HostMemory(1 << 20)
    frame, elements, start = bytes(range(sum(lengths))), [], 0
    for length in lengths:
        region = memory.allocate(length)
        region.view[:] = frame[start : start + length]
        elements.append(ScatterGatherElement(region.address, length))
        start += length
    tag = tag_of(slot(4, 0xABC), BOTH, lambda size: frame[:size])
    tags = TagMemory(memory, memory.allocate(16).address, 4)
    for inserted in (tag, InPlace(tag)) if len(frame) >= 16 else (tag,):
        pieces = tags.tagged(index, elements, inserted)
        assert b"".join(bytes(memory.view(*piece)) for piece in pieces) == add_tag(frame, inserted)


@given(st.integers(0, 7), st.integers(0, 0xFFF))
def test_a_slot_comes_back_as_it_went(priority, vlan):
    value = slot(priority, vlan)
    tag = tag_of(value, BOTH, bytes)
    if tag is None:
        assert value == 0
    else:
        assert slot_of(tag, BOTH) == value
        assert tag == b"\x81\x00" + Tag(vlan, priority).control.to_bytes(2, "big")
        frame = bytearray(add_tag(bytes(range(60)), tag))
        assert take_out(memoryview(frame)) == tag
        assert frame[4:] == bytes(range(60))


# A VLAN of the NIC's own: OID_GEN_VLAN_ID, and the WDK's tables of 802.1Q-marked frames.


def set_vlan(bench, number):
    return bench.wait(bench.binding.request(ndis.set_information(Oid.OID_GEN_VLAN_ID, number.to_bytes(4, "little"))))


def mark(frame, priority, vlan):
    return add_tag(frame, b"\x81\x00" + (priority << 13 | vlan).to_bytes(2, "big"))


@pytest.mark.rule("OI-01", "OB-09")
def test_the_vlan_id_is_zero_at_first_or_the_keyword_s_and_reads_back_as_it_was_set(make_bench):
    bench = make_bench(priority_vlan_tag=BOTH)
    assert bench.wait(bench.binding.query(Oid.OID_GEN_VLAN_ID, 4)) == bytes(4)
    assert set_vlan(bench, 777) is NdisStatus.SUCCESS
    assert bench.wait(bench.binding.query(Oid.OID_GEN_VLAN_ID, 4)) == (777).to_bytes(4, "little")
    for wrong in (0xFFF, 0x1000, 1 << 31):
        assert set_vlan(bench, wrong) is NdisStatus.INVALID_DATA
    assert bench.wait(bench.binding.query(Oid.OID_GEN_VLAN_ID, 4)) == (777).to_bytes(4, "little")


def test_the_keyword_puts_the_nic_into_a_vlan_from_the_start(make_bench, frame):
    bench = make_bench(priority_vlan_tag=BOTH, vlan_id=9)
    send(bench, None, frame(1, 60))
    assert bench.nic.sent == [mark(frame(1, 60), 0, 9)]


@pytest.mark.parametrize("option", [None, PriorityVlanTag.DISABLED, PriorityVlanTag.PRIORITY])
def test_without_vlans_in_the_option_nobody_knows_the_oid(make_bench, option):
    bench = make_bench(priority_vlan_tag=option)
    assert set_vlan(bench, 5) is NdisStatus.NOT_SUPPORTED
    listed = bench.wait(bench.binding.query(Oid.OID_GEN_SUPPORTED_LIST, 1024))
    assert (0x0001021C).to_bytes(4, "little") not in [listed[at : at + 4] for at in range(0, len(listed), 4)]


@pytest.mark.parametrize("vlan", [-1, 0xFFF])
def test_a_vlan_that_cannot_be_is_no_setting(vlan):
    with pytest.raises(ValueError, match="vlan_id"):
        NicConfig(priority_vlan_tag=BOTH, vlan_id=vlan)


@pytest.mark.rule("OB-09")
@pytest.mark.parametrize("fragments", [1, 4])
@pytest.mark.parametrize(
    ("info", "tag", "expected"),  # the slot's, the frame's own, and the one on the wire; None: it fails
    [
        (slot(0, 0), None, (0, 777)),
        (slot(5, 0), None, (5, 777)),
        (slot(5, 777), None, (5, 777)),
        (slot(5, 777), (3, 0), (3, 777)),
        (slot(0, 0), (3, 0), (3, 777)),
        (slot(0, 0), (3, 777), (3, 777)),
        (slot(0, 778), None, None),
        (slot(0, 0), (3, 778), None),
        (slot(0, 777), (3, 777), None),
    ],
)
def test_what_a_nic_in_a_vlan_sends(make_bench, frame, info, tag, expected, fragments):
    bench = make_bench(priority_vlan_tag=BOTH)
    set_vlan(bench, 777)
    data = frame(1, 100)
    send(bench, info, mark(data, *tag) if tag else data, fragments=fragments)
    assert bench.nic.sent == ([mark(data, *expected)] if expected else [])
    assert bench.binding.statuses == ([] if expected else [NdisStatus.FAILURE])


@pytest.mark.rule("OB-09")
@pytest.mark.parametrize(
    ("tag", "seen"), [((5, 777), True), ((0, 777), True), ((5, 0), False), ((5, 778), False), (None, False)]
)
def test_what_a_nic_in_a_vlan_indicates(make_bench, frame, tag, seen):
    bench = make_bench(priority_vlan_tag=BOTH)
    set_vlan(bench, 777)
    data = frame(1, 100)
    bench.nic.inject(mark(data, *tag) if tag else data)
    bench.run()
    assert bench.binding.received == ([data] if seen else [])
    statistics = ndis.StatisticsInfo.parse(bench.wait(bench.binding.query(Oid.OID_GEN_STATISTICS, 256)))
    assert statistics.if_in_discards == (not seen)


@pytest.mark.parametrize("start", [b"\x01\x80\xc2\0\0\x02" + bytes(6) + b"\x88\x09", bytes.fromhex("0180c2000021")])
def test_what_belongs_to_the_link_is_neither_marked_nor_dropped(start):
    data = start.ljust(60, b"\x01")
    assert tag_of(slot(5), BOTH, lambda size: data[:size], 777) is None
    assert not is_for_another_vlan(slot(0, 778), lambda size: data[:size], 777)
    assert is_from_vlan(memoryview(data), 777)


@pytest.mark.rule("OB-09")
def test_back_in_no_vlan_everything_is_as_before(make_bench, frame):
    bench = make_bench(priority_vlan_tag=BOTH, vlan_id=777)
    set_vlan(bench, 0)
    send(bench, None, frame(1, 60))
    bench.nic.inject(frame(2, 60))
    bench.run()
    assert (bench.nic.sent, bench.binding.received) == ([frame(1, 60)], [frame(2, 60)])

# SPDX-License-Identifier: Apache-2.0
"""Claims about 802.1Q tags by the NDIS 5 drivers: what they tell of them, and frames in several buffers."""

import pytest

from hilnic.miniport.vlan import PriorityVlanTag, add_tag
from hilnic.ndis import MacOptions, NdisStatus, Oid, ndis5
from hilnic.ndis.ndis5 import PacketInfo

from .conftest import OWN, frame, out

BOTH = PriorityVlanTag.PRIORITY_AND_VLAN
TAG = b"\x81\x00\xa0\x09"  # priority 5, VLAN 9
SLOT = 5 | 9 << 4
EITHER = pytest.mark.parametrize("miniport", ["5", "5-lookahead"])


@pytest.mark.rule("OB-09")
@EITHER
@pytest.mark.parametrize(
    ("option", "told"), [(None, 0), (PriorityVlanTag.DISABLED, 0), (PriorityVlanTag.PRIORITY, 0x40), (BOTH, 0x240)]
)
def test_the_mac_options_tell_of_it(host, miniport, option, told):
    h = host(miniport, priority_vlan_tag=option)
    answer = int.from_bytes(h.wait(h.binding.query(Oid.OID_GEN_MAC_OPTIONS, 4)), "little")
    assert answer & (MacOptions.PRIORITY_8021P | MacOptions.VLAN_8021Q) == told


@pytest.mark.rule("OB-09", "RG-09")
@EITHER
@pytest.mark.parametrize("fragments", [1, 3, 4, 5])
def test_a_tag_is_one_more_piece_and_too_many_pieces_are_copied_with_it(host, miniport, fragments, monkeypatch):
    h = host(miniport, priority_vlan_tag=BOTH, max_fragments=5)
    right = ndis5.send_packets

    def with_slots(binding, packets):
        for packet in packets:
            packet.packet_info[PacketInfo.IEEE_8021Q] = SLOT
        right(binding, packets)

    monkeypatch.setattr(ndis5, "send_packets", with_slots)
    h.binding.send(out(1, 300), out(2, 14), fragments=fragments)
    h.idle()
    h.run()
    assert h.sent == [add_tag(out(1, 300), TAG), add_tag(out(2, 14), TAG).ljust(60, b"\0")]
    assert h.miniport.tx.statistics().copied == (fragments > 3)  # the shortest frame is one buffer


@pytest.mark.rule("OB-09", "RG-10")
@EITHER
@pytest.mark.parametrize("length", [60, 64, 128, 200, 1514])
def test_a_received_tag_is_taken_out_of_a_frame_in_several_buffers(host, miniport, length):
    h = host(miniport, priority_vlan_tag=BOTH, rx_buffer_bytes=64, rx_ring=32, rx_buffers=64)
    h.inject(add_tag(frame(1, length), TAG), frame(2, length))
    h.run()
    assert h.received == [frame(1, length), frame(2, length)]
    assert h.received[0][:6] == OWN


# A VLAN of the NIC's own: OID_GEN_VLAN_ID.


def set_vlan(h, number):
    return h.wait(h.binding.set(Oid.OID_GEN_VLAN_ID, number.to_bytes(4, "little")))


@pytest.mark.rule("OB-09", "OI-01")
@EITHER
def test_a_nic_in_a_vlan_marks_what_it_sends_and_indicates_its_vlan_alone(host, miniport):
    h = host(miniport, priority_vlan_tag=BOTH)
    assert set_vlan(h, 0xFFF) is NdisStatus.INVALID_DATA
    assert set_vlan(h, 9) is NdisStatus.SUCCESS
    assert h.wait(h.binding.query(Oid.OID_GEN_VLAN_ID, 4)) == b"\x09\0\0\0"
    h.binding.send(out(1, 300), add_tag(out(2, 60), b"\x81\x00\x00\x0a"), out(3, 60), fragments=2)
    h.idle()
    assert h.sent == [add_tag(out(1, 300), b"\x81\x00\x00\x09"), add_tag(out(3, 60), b"\x81\x00\x00\x09")]
    assert h.binding.statuses == [NdisStatus.FAILURE]
    h.inject(frame(4, 60), add_tag(frame(5, 60), TAG), add_tag(frame(6, 60), b"\x81\x00\x00\x0a"))
    h.run()
    assert h.received == [frame(5, 60)]
    assert int.from_bytes(h.wait(h.binding.query(Oid.OID_GEN_RCV_DISCARDS, 8)), "little") == 2


@EITHER
def test_without_vlans_in_the_option_nobody_knows_the_oid(host, miniport):
    h = host(miniport, priority_vlan_tag=PriorityVlanTag.PRIORITY)
    assert set_vlan(h, 9) in {NdisStatus.INVALID_OID, NdisStatus.NOT_SUPPORTED}


@EITHER
def test_the_keyword_puts_the_nic_into_a_vlan_from_the_start(host, miniport):
    h = host(miniport, priority_vlan_tag=BOTH, vlan_id=9)
    h.binding.send(out(1, 60))
    h.idle()
    assert h.sent == [add_tag(out(1, 60), b"\x81\x00\x00\x09")]

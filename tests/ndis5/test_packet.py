# SPDX-License-Identifier: Apache-2.0
"""NDIS_PACKET, its pools, its buffer chain, its out-of-band block."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilnic.ndis import Mdl, Ndis, NdisStatus, ndis5
from hilnic.ndis.ndis5 import PacketFlags, PacketInfo
from hilnic.ndis.ndis5.packet import PAGE
from hilnic.testing import VirtualKernel, expect_violation
from hilnic.testing.bench5 import Bench5
from hilnic.testing.packets import build_packet


@pytest.fixture
def host() -> Ndis:
    return Ndis(VirtualKernel())


def packet_of(host: Ndis) -> ndis5.Packet:
    _, pool = ndis5.allocate_packet_pool(host, 8)
    return ndis5.allocate_packet(pool)[1]


def buffer(host: Ndis, data: bytes) -> Mdl:
    region = host.kernel.allocate(max(1, len(data)))
    region.view[: len(data)] = data
    return Mdl(region, 0, len(data))


def test_a_packet_comes_empty(host):
    packet = packet_of(host)
    assert ndis5.query_packet(packet) == (0, 0, None, 0)
    assert packet.tobytes() == b""


def test_a_pool_that_is_out_refuses_with_resources_and_gives_again_what_was_freed(host):
    _, pool = ndis5.allocate_packet_pool(host, 1, overflow=1)
    packets = [ndis5.allocate_packet(pool) for _ in range(3)]
    assert [status for status, _ in packets] == [NdisStatus.SUCCESS, NdisStatus.SUCCESS, NdisStatus.RESOURCES]
    assert ndis5.packet_pool_usage(pool) == 2
    ndis5.free_packet(packets[0][1])
    assert ndis5.allocate_packet(pool)[0] is NdisStatus.SUCCESS


@pytest.mark.parametrize("number", [0, 0x10000])
def test_a_pool_takes_1_to_ffff_descriptors(host, number):
    assert ndis5.allocate_packet_pool(host, number) == (NdisStatus.RESOURCES, None)


@pytest.mark.rule("MD-21")
def test_freeing_a_pool_with_live_packets_is_a_leak_that_names_the_line(host):
    _, pool = ndis5.allocate_packet_pool(host, 1)
    ndis5.allocate_packet(pool)
    with expect_violation(host, "MD-21") as found:
        ndis5.free_packet_pool(pool)
    assert "test_packet.py" in str(found[0])


def test_a_buffer_pool_counts_its_descriptors(host):
    region = host.kernel.allocate(100)
    _, pool = ndis5.allocate_buffer_pool(host, 1)
    status, mdl = ndis5.allocate_buffer(pool, region, 10, 20)
    assert (status, mdl.byte_count, mdl.address) == (NdisStatus.SUCCESS, 20, region.address + 10)
    assert ndis5.allocate_buffer(pool, region) == (NdisStatus.RESOURCES, None)
    ndis5.free_buffer(mdl)
    ndis5.free_buffer_pool(pool)
    assert pool not in host.pools


def test_a_chain_is_linked_and_unlinked_at_both_ends(host):
    packet = packet_of(host)
    a, b, c = (buffer(host, name) for name in (b"aa", b"b", b"ccc"))
    ndis5.chain_buffer_at_back(packet, b)
    ndis5.chain_buffer_at_front(packet, a)
    ndis5.chain_buffer_at_back(packet, c)
    assert packet.tobytes() == b"aabccc"
    assert ndis5.unchain_buffer_at_back(packet) is c
    assert ndis5.unchain_buffer_at_front(packet) is a
    assert packet.tobytes() == b"b"
    assert ndis5.unchain_buffer_at_back(packet) is b
    assert ndis5.unchain_buffer_at_back(packet) is ndis5.unchain_buffer_at_front(packet) is None
    assert packet.head is packet.tail is None


@pytest.mark.rule("S5-16")
def test_counts_are_computed_anew_when_the_chain_has_changed(host):
    packet = packet_of(host)
    ndis5.chain_buffer_at_back(packet, buffer(host, bytes(10)))
    assert ndis5.query_packet(packet).total_packet_length == 10
    ndis5.chain_buffer_at_back(packet, buffer(host, bytes(5)))
    assert not packet.valid_counts
    assert ndis5.query_packet(packet)[1:] == (2, packet.head, 15)
    assert packet.valid_counts


@pytest.mark.rule("S5-16")
def test_stale_counts_are_used_until_they_are_marked_invalid_or_recalculated(host):
    packet = packet_of(host)
    ndis5.chain_buffer_at_back(packet, buffer(host, bytes(10)))
    ndis5.query_packet(packet)
    packet.head.byte_count = 4  # behind NDIS's back: ValidCounts still says yes
    assert packet.length() == 10
    ndis5.recalculate_packet_counts(packet)
    assert packet.length() == 4


@pytest.mark.rule("S5-16")
@pytest.mark.parametrize(("offset", "length", "pages"), [(0, 1, 1), (4095, 1, 1), (4095, 2, 2), (1, 2 * PAGE, 3)])
def test_the_physical_count_is_the_pages_that_the_buffer_touches(host, offset, length, pages):
    packet = packet_of(host)
    region = host.kernel.allocate(4 * PAGE, alignment=PAGE)
    ndis5.chain_buffer_at_back(packet, Mdl(region, offset, length))
    assert ndis5.query_packet(packet).physical_buffer_count == pages


@given(
    pieces=st.lists(st.binary(max_size=9), max_size=5),
    offset=st.integers(0, 12),
    number=st.integers(0, 50),
    destination=st.lists(st.integers(0, 9), max_size=4),
)
def test_copying_between_packets_stops_at_the_shorter_side(pieces, offset, number, destination):
    host = Ndis(VirtualKernel())
    source, target = packet_of(host), packet_of(host)
    for piece in pieces:
        ndis5.chain_buffer_at_back(source, buffer(host, piece))
    for size in destination:
        ndis5.chain_buffer_at_back(target, buffer(host, b"." * size))
    copied = ndis5.copy_from_packet_to_packet(target, 0, number, source, offset)
    wanted = b"".join(pieces)[offset : offset + number][: sum(destination)]
    assert copied == len(wanted)
    assert target.tobytes() == wanted + b"." * (sum(destination) - copied)


def test_the_first_buffer_is_told_with_the_whole_length(host):
    packet = packet_of(host)
    first = buffer(host, b"head")
    ndis5.chain_buffer_at_back(packet, first)
    ndis5.chain_buffer_at_back(packet, buffer(host, b"body"))
    mdl, view, length, total = ndis5.get_first_buffer_from_packet(packet)
    assert (mdl, bytes(view), length, total) == (first, b"head", 4, 8)
    assert ndis5.query_buffer(ndis5.get_next_buffer(mdl))[1] == 4


def fill_out_of_band(packet: ndis5.Packet) -> None:
    ndis5.set_packet_status(packet, NdisStatus.RESOURCES)
    ndis5.set_packet_header_size(packet, 14)
    ndis5.set_packet_time_to_send(packet, 1)
    ndis5.set_packet_time_sent(packet, 2)
    ndis5.set_packet_time_received(packet, 3)
    ndis5.set_packet_media_specific_info(packet, b"media")
    ndis5.set_packet_cancel_id(packet, 0x0100)
    ndis5.set_packet_flags(packet, PacketFlags.DONT_LOOPBACK | PacketFlags.MULTICAST_PACKET)
    packet.packet_info[PacketInfo.IEEE_8021Q] = 0x1234


def out_of_band(packet: ndis5.Packet) -> tuple[object, ...]:
    return (
        ndis5.get_packet_status(packet),
        ndis5.get_packet_header_size(packet),
        ndis5.get_packet_time_to_send(packet),
        ndis5.get_packet_time_sent(packet),
        ndis5.get_packet_time_received(packet),
        ndis5.get_packet_media_specific_info(packet),
        ndis5.get_packet_cancel_id(packet),
        ndis5.get_packet_flags(packet),
        packet.packet_info[PacketInfo.IEEE_8021Q],
    )


FRESH = (NdisStatus.SUCCESS, 0, 0, 0, 0, b"", None, 0, None)


def test_the_macros_read_what_they_wrote(host):
    packet = packet_of(host)
    fill_out_of_band(packet)
    assert out_of_band(packet) == (NdisStatus.RESOURCES, 14, 1, 2, 3, b"media", 0x0100, 0x90, 0x1234)
    ndis5.clear_packet_flags(packet, PacketFlags.DONT_LOOPBACK)
    assert ndis5.get_packet_flags(packet) == PacketFlags.MULTICAST_PACKET


@pytest.mark.rule("OB-08")
def test_a_reinitialized_packet_has_no_stale_information(host):
    packet = packet_of(host)
    fill_out_of_band(packet)
    packet.protocol_reserved[0] = "mine"
    ndis5.reinitialize_packet(packet)
    assert out_of_band(packet) == FRESH
    assert packet.protocol_reserved[0] == "mine"


@pytest.mark.rule("OB-08")
def test_a_packet_that_comes_from_its_pool_again_has_no_stale_information(host):
    packet = packet_of(host)
    fill_out_of_band(packet)
    ndis5.free_packet(packet)
    again = ndis5.allocate_packet(packet.pool)[1]
    assert again is packet
    assert out_of_band(again) == FRESH


@pytest.mark.rule("OB-07")
def test_the_original_packet_is_found_through_two_levels(host):
    first, second, third = packet_of(host), packet_of(host), packet_of(host)
    ndis5.set_original_packet(second, first)
    ndis5.set_original_packet(third, second)
    assert [ndis5.get_original_packet(p) for p in (first, second, third)] == [None, first, first]
    assert ndis5.get_packet_flags(third) & PacketFlags.USES_ORIGINAL_PACKET
    ndis5.set_original_packet(third, None)
    assert not ndis5.get_packet_flags(third)


@pytest.mark.rule("S5-12")
@pytest.mark.mutant("S5-12")
def test_mutant_frees_a_packet_twice(host):
    packet = packet_of(host)
    ndis5.free_packet(packet)
    with expect_violation(host, "S5-12"):
        ndis5.free_packet(packet)


def test_a_packet_that_is_freed_twice_is_given_out_once_also_without_the_verifier():
    packet = packet_of(Ndis(VirtualKernel(), "off"))
    ndis5.free_packet(packet)
    ndis5.free_packet(packet)
    assert ndis5.allocate_packet(packet.pool)[1] is not ndis5.allocate_packet(packet.pool)[1]


@pytest.mark.rule("MD-18")
@pytest.mark.mutant("MD-18")
def test_mutant_frees_a_buffer_that_no_pool_has(host):
    with expect_violation(host, "MD-18"):
        mdl = buffer(host, b"x")
        mdl.ndis = host
        ndis5.free_buffer(mdl)


@pytest.mark.rule("OI-21")
@pytest.mark.parametrize("chain", [ndis5.chain_buffer_at_back, ndis5.chain_buffer_at_front])
@pytest.mark.parametrize("which", ["the first", "the last", "a circle"])
def test_a_chain_of_buffers_never_becomes_a_circle(chain, which):
    b = Bench5()
    packet = build_packet(b.fp.pool, b.frame(), cuts=(20, 20))
    one = {"the first": packet.head, "the last": packet.tail}.get(which)
    if one is None:
        one = build_packet(b.fp.pool, b.frame(), cuts=(20,)).head
        one.next.next = one
    before = list(packet.buffers())
    with expect_violation(b.ndis, "OI-21"):
        chain(packet, one)
    assert list(packet.buffers()) == before

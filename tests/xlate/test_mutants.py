# SPDX-License-Identifier: Apache-2.0
"""Mutants of the translation itself: each says something else on one side, and is caught by exactly its rule (V12)."""

from __future__ import annotations

import pytest

from hilnic.ndis import NblInfo, NdisStatus
from hilnic.ndis.ndis5 import PacketInfo
from hilnic.ndis.xlate import objects, oob, rx, status
from hilnic.testing import expect_violation


def caught(rule: str):
    """Both markers at once."""

    def mark(test):
        return pytest.mark.rule(rule)(pytest.mark.mutant(rule)(test))

    return mark


def show_lists(edge, nbls, flags):
    edge.receive_packet_handler(edge.context, nbls)


@caught("XL-01")
def test_mutant_shows_a_list_to_a_5_protocol(five_over_six, drivers, monkeypatch):
    monkeypatch.setattr(drivers.Protocol5, "receive_packet", lambda self, packet: 0)
    b = five_over_six(verify="full")
    monkeypatch.setattr(rx, "nbls_to_packets", show_lists)
    with expect_violation(b.ndis, "XL-01"):
        b.fm.indicate(b.frame())


@caught("XL-01")
def test_mutant_shows_packets_to_a_6_protocol(six_over_five, monkeypatch):
    b = six_over_five(verify="full")
    receive = b.ndis.guarded(lambda context, packets: None, b.fp.binding, "ProtocolReceiveNetBufferLists")
    monkeypatch.setattr(rx, "packets_to_nbls", lambda edge, packets, receivers: receive(b.fp, packets))
    with expect_violation(b.ndis, "XL-01"):
        b.fm.indicate(b.frame())


@caught("XL-12")
@pytest.mark.parametrize("slot", [PacketInfo.IEEE_8021Q, PacketInfo.CANCEL_ID, PacketInfo.TCP_IP_CHECKSUM])
def test_mutant_forgets_a_slot_of_a_5_send(five_over_six, monkeypatch, slot):
    b = five_over_six()
    monkeypatch.setattr(oob, "send_to_6", lambda packet, nbl: None)
    packet = b.fp.build(b.frame())
    packet.packet_info[slot] = 1
    with expect_violation(b.ndis, "XL-12"):
        b.fp.send_packets(packet)


@caught("XL-12")
def test_mutant_passes_the_loopback_bit_of_a_checksum_on(five_over_six, monkeypatch):
    b = five_over_six()
    monkeypatch.setattr(oob, "receive_checksum", lambda word: word << 1)
    nbl = b.fm.build(b.frame())
    nbl.net_buffer_list_info[NblInfo.TCP_IP_CHECKSUM] = 0b100
    with expect_violation(b.ndis, "XL-12"):
        b.fm.indicate_nbls([nbl])


@caught("XL-12")
def test_mutant_forgets_the_loopback_mark_of_a_received_packet(six_over_five, monkeypatch):
    b = six_over_five()
    monkeypatch.setattr(oob, "receive_to_6", lambda packet, nbl, frame_type: None)
    packet = b.fm.build(b.frame())
    packet.flags = 0x100
    with expect_violation(b.ndis, "XL-12"):
        b.fm.indicate_packets([packet])


@caught("XL-13")
@pytest.mark.parametrize("ended", [NdisStatus.FAILURE, NdisStatus.SEND_ABORTED, NdisStatus.RESOURCES])
def test_mutant_calls_a_failure_a_success(five_over_six, monkeypatch, ended):
    b = five_over_six()
    monkeypatch.setattr(status, "to_5", lambda _: NdisStatus.SUCCESS)
    b.fp.send_packets(b.fp.build(b.frame()))
    with expect_violation(b.ndis, "XL-13"):
        b.fm.complete_all(status=ended)


@caught("XL-13")
def test_mutant_renames_resources(six_over_five, monkeypatch):
    b = six_over_five()
    monkeypatch.setattr(status, "to_6", lambda _: NdisStatus.FAILURE)
    b.fp.send(b.frame())
    with expect_violation(b.ndis, "XL-13"):
        b.fm.complete(*list(b.fm.captured), status=NdisStatus.RESOURCES)


def forgets_the_offset(nb, packet):
    packet.head = packet.tail = nb.mdl_chain
    packet.count()


def forgets_to_end_the_chain(nb, packet):
    packet.head = objects._partial(nb.current_mdl, nb.current_mdl_offset, nb.data_length + 1)
    packet.tail = packet.head
    packet.count()


@caught("XL-15")
@pytest.mark.parametrize("mutant", [forgets_the_offset, forgets_to_end_the_chain])
def test_mutant_sends_other_bytes(six_over_five, monkeypatch, mutant):
    b = six_over_five()
    monkeypatch.setattr(objects, "describe", mutant)
    with expect_violation(b.ndis, "XL-15"):
        b.fp.send(b.frame(), head=14)


@caught("XL-15")
@pytest.mark.parametrize("mutant", [forgets_the_offset, forgets_to_end_the_chain])
def test_mutant_indicates_other_bytes(five_over_six, monkeypatch, mutant):
    b = five_over_six()
    monkeypatch.setattr(objects, "describe", mutant)
    with expect_violation(b.ndis, "XL-15"):
        b.fm.indicate(b.frame(), head=14)


@caught("XL-22")
def test_mutant_forgets_to_free_the_list_of_a_send(five_over_six, monkeypatch):
    b = five_over_six(completion="inline")
    monkeypatch.setattr(objects.ListSource, "give", lambda self, nbl: True)
    b.fp.send_packets(b.fp.build(b.frame()))
    with expect_violation(b.ndis, "XL-22") as found:
        b.fp.xlate.close()
    assert "1 still out" in str(found[0])


@caught("XL-22")
def test_mutant_forgets_to_free_the_packet_of_a_send(six_over_five, monkeypatch):
    b = six_over_five(completion="inline")
    monkeypatch.setattr(objects.PacketSource, "give", lambda self, packet: True)
    b.fp.send(b.frame())
    with expect_violation(b.ndis, "XL-22"):
        b.fm.xlate.close()

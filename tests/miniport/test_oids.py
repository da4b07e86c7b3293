# SPDX-License-Identifier: Apache-2.0
"""Claims about OIDs, filter and link, through NDIS down to the registers."""

import struct

import pytest

from hilnic import ndis
from hilnic.hw import regs
from hilnic.hw.regs import RxCounter, TxCounter
from hilnic.miniport.filter import MULTICAST_LIST_SIZE, hash_index
from hilnic.miniport.oids import SUPPORTED_OIDS
from hilnic.ndis import NdisStatus, Oid, PacketFilter


def u32(data):
    return int.from_bytes(data, "little")


# --- statistics


def fill_counters(nic):
    for index in RxCounter:
        nic.counters["rx"][index] = (1 << 33) + 1000 + index
    for index in TxCounter:
        nic.counters["tx"][index] = (1 << 34) + 2000 + index


@pytest.mark.rule("OI-13")
def test_statistics_are_the_hardware_counters_in_64_bits(bench):
    fill_counters(bench.nic)
    info = ndis.StatisticsInfo.parse(bench.wait(bench.binding.query(Oid.OID_GEN_STATISTICS)))
    rx = {c: (1 << 33) + 1000 + c for c in RxCounter}
    tx = {c: (1 << 34) + 2000 + c for c in TxCounter}
    assert info.if_hc_in_ucast_pkts == rx[RxCounter.UNICAST_FRAMES]
    assert info.if_hc_in_broadcast_octets == rx[RxCounter.BROADCAST_OCTETS]
    assert info.if_hc_out_multicast_pkts == tx[TxCounter.MULTICAST_FRAMES]
    assert info.if_in_discards == rx[RxCounter.DROP_BUFFER_FULL] + rx[RxCounter.DROP_NO_DESCRIPTOR]
    errors = ("DROP_FCS", "DROP_RX_ER", "DROP_RUNT", "DROP_OVERSIZE", "DROP_DMA")
    assert info.if_in_errors == sum(rx[RxCounter[name]] for name in errors)
    assert info.if_out_errors == sum(tx[TxCounter[name]] for name in ("DROP_MALFORMED", "DROP_DMA", "DROP_ABORT"))
    assert info.broken_identity() is None


@pytest.mark.rule("S6-14", "OI-13")
@pytest.mark.parametrize("before", [0, 2])
def test_every_frame_of_a_list_the_driver_refused_is_an_output_error(bench, frame, before):
    """ifOutErrors counts frames, not lists: none of the list's frames was sent."""
    frames = [frame(n) for n in range(before)]
    bench.binding.send_nbls([bench.binding.build([*frames, frame(9, 2000)])])
    bench.idle()
    statistics = ndis.StatisticsInfo.parse(bench.wait(bench.binding.query(Oid.OID_GEN_STATISTICS)))
    assert statistics.if_out_errors == before + 1


@pytest.mark.rule("OI-06")
def test_a_64_bit_counter_gives_its_low_half_to_four_bytes_and_names_eight(bench):
    bench.nic.counters["rx"][RxCounter.CRC_ALIGN_ERRORS] = 0x1_0000_0005
    request = ndis.query(Oid.OID_GEN_RCV_CRC_ERROR, 4)
    assert bench.wait(bench.binding.request(request)) == NdisStatus.SUCCESS
    assert (u32(request.answer()), request.bytes_needed) == (5, 8)
    assert u32(bench.wait(bench.binding.query(Oid.OID_GEN_RCV_CRC_ERROR, 8))) == 0x1_0000_0005


# --- general


SET_ONLY = {Oid.OID_GEN_LINK_PARAMETERS, Oid.OID_PNP_SET_POWER}


@pytest.mark.rule("OI-04")
@pytest.mark.parametrize("oid", sorted({*SUPPORTED_OIDS} - SET_ONLY), ids=lambda oid: oid.name)
def test_every_supported_oid_answers_and_refuses_short_buffers(bench, oid):
    answer = bench.wait(bench.binding.query(oid, 512))
    for size in {0, 1, 3} - {len(answer)}:
        if size < min(len(answer), 4):
            request = ndis.query(oid, size)
            assert bench.wait(bench.binding.request(request)) == NdisStatus.BUFFER_TOO_SHORT
            assert request.bytes_written == 0
            assert request.bytes_needed >= min(len(answer), 8)


@pytest.mark.rule("OI-07")
@pytest.mark.parametrize("oid", [0x00010299, 0xFF000001, 0])
def test_an_unknown_oid_is_not_supported(bench, oid):
    for request in (ndis.query(oid, 8), ndis.set_information(oid, bytes(8))):
        assert bench.wait(bench.binding.request(request)) == NdisStatus.NOT_SUPPORTED


@pytest.mark.rule("OI-14")
def test_frame_size_excludes_the_header_and_total_size_includes_it(make_bench):
    for mtu in (1500, 9000):
        bench = make_bench(mtu=mtu, rx_buffer_bytes=2048)
        assert u32(bench.wait(bench.binding.query(Oid.OID_GEN_MAXIMUM_FRAME_SIZE))) == mtu
        assert u32(bench.wait(bench.binding.query(Oid.OID_GEN_MAXIMUM_TOTAL_SIZE))) == mtu + 14
        assert bench.nic.registers[regs.MAX_FRAME] == mtu + 18


@pytest.mark.rule("OI-19")
def test_oids_after_a_removal_are_not_accepted(new_bench):
    bench = new_bench().start()
    binding = bench.binding
    bench.nic.gone = True
    bench.miniport.surprise_removed()
    request = ndis.query(Oid.OID_GEN_STATISTICS, 512)
    assert bench.wait(binding.request(request)) == NdisStatus.NOT_ACCEPTED
    bench.wait(ndis.surprise_remove_adapter(bench.stack.adapter))
    bench.stop()


# --- filter


@pytest.mark.rule("OI-10")
@pytest.mark.parametrize(
    ("packet_filter", "bits"),
    [
        (0, 0),
        (PacketFilter.DIRECTED, regs.RX_FILTER_OWN_UNICAST),
        (PacketFilter.BROADCAST, regs.RX_FILTER_BROADCAST),
        (PacketFilter.MULTICAST, regs.RX_FILTER_MULTICAST_EXACT | regs.RX_FILTER_MULTICAST_HASH),
        (PacketFilter.ALL_MULTICAST, regs.RX_FILTER_ALL_MULTICAST),
        (PacketFilter.PROMISCUOUS, regs.RX_FILTER_PROMISCUOUS),
        (PacketFilter.DIRECTED | PacketFilter.BROADCAST, regs.RX_FILTER_OWN_UNICAST | regs.RX_FILTER_BROADCAST),
    ],
)
def test_the_packet_filter_reaches_the_register(bench, packet_filter, bits):
    assert bench.wait(bench.binding.set_filter(packet_filter)) == NdisStatus.SUCCESS
    bench.run(1_000)
    assert bench.nic.registers[regs.RX_FILTER] == bits


def test_the_own_address_is_programmed_first_octet_lowest(make_bench):
    bench = make_bench(mac_address=b"\x02\x11\x22\x33\x44\x55")
    assert bench.nic.registers[regs.MAC_ADDR_LO] == 0x33221102
    assert bench.nic.registers[regs.MAC_ADDR_HI] == 0x5544


def group(number):
    return b"\x01\x00\x5e" + struct.pack(">I", number)[1:]


def table(nic):
    """The addresses of valid exact entries."""
    found = set()
    for entry in range(regs.EXACT_ENTRIES):
        high = nic.registers.get(regs.exact_hi(entry), 0)
        if high & regs.EXACT_HI_VALID:
            found.add(struct.pack("<IH", nic.registers[regs.exact_lo(entry)], high & regs.EXACT_HI_OCTETS))
    return found


@pytest.mark.rule("OI-11")
def test_a_set_replaces_the_multicast_table_and_an_empty_one_clears_it(bench):
    for numbers in (range(3), range(2, 20), [7], []):
        assert bench.wait(bench.binding.set_multicast_list([group(n) for n in numbers])) == NdisStatus.SUCCESS
        bench.run(1_000)
        assert table(bench.nic) == {group(n) for n in numbers}


@pytest.mark.rule("OI-12")
def test_addresses_beyond_the_table_go_to_the_hash(bench):
    groups = [group(n) for n in range(MULTICAST_LIST_SIZE)]
    assert bench.wait(bench.binding.set_multicast_list(groups)) == NdisStatus.SUCCESS
    bench.run(1_000)
    exact = table(bench.nic)
    assert len(exact) == regs.EXACT_ENTRIES
    buckets = bench.nic.registers[regs.HASH_LO] | bench.nic.registers[regs.HASH_HI] << 32
    assert buckets == sum(1 << i for i in {hash_index(g) for g in groups if g not in exact})


@pytest.mark.rule("OI-11")
def test_a_list_over_the_limit_is_refused_and_the_old_one_stays(bench):
    bench.wait(bench.binding.set_multicast_list([group(1)]))
    too_many = [group(n) for n in range(MULTICAST_LIST_SIZE + 1)]
    assert bench.wait(bench.binding.set_multicast_list(too_many)) == NdisStatus.MULTICAST_FULL
    bench.run(1_000)
    assert table(bench.nic) == {group(1)}


@pytest.mark.parametrize(
    ("address", "bucket"),
    [
        ("01005e000001", 31),
        ("333300000001", 62),
        ("01005e7ffffa", 43),
        ("01005e0000fb", 15),
        ("0180c2000000", 25),
        ("ffffffffffff", 63),
    ],
)
def test_the_hash_is_that_of_the_datasheet(address, bucket):
    assert hash_index(bytes.fromhex(address)) == bucket


# --- link


def link_changes(binding):
    return [
        i.buffer.media_connect_state.name for i in binding.status_indications if i.status_code == NdisStatus.LINK_STATE
    ]


@pytest.mark.rule("OI-16")
def test_every_change_of_the_link_is_indicated_and_the_query_agrees(bench):
    for up, name in ((False, "DISCONNECTED"), (True, "CONNECTED"), (False, "DISCONNECTED")):
        bench.nic.set_link(up)
        bench.run()
        assert link_changes(bench.binding)[-1] == name
        answer = ndis.LinkState.parse(bench.wait(bench.binding.query(Oid.OID_GEN_LINK_STATE)))
        assert answer.media_connect_state.name == name
        assert answer.xmit_link_speed == (1_000_000_000 if up else 0)
    assert len(link_changes(bench.binding)) == 3


@pytest.mark.rule("OI-16")
def test_a_link_that_flaps_ends_in_the_right_state(new_bench):
    for delay in range(0, 4_000, 130):
        bench = new_bench(verify="fast").start()
        bench.nic.set_link(False)
        bench.run(delay)
        bench.nic.set_link(True)
        bench.run()
        answer = ndis.LinkState.parse(bench.wait(bench.binding.query(Oid.OID_GEN_LINK_STATE)))
        assert answer.media_connect_state.name == "CONNECTED"
        assert [name for name in link_changes(bench.binding)[-1:] if name != "CONNECTED"] == []
        bench.stop()


@pytest.mark.rule("OI-16")
def test_a_link_that_has_not_changed_is_not_indicated_again(bench):
    bench.wait(ndis.reset_adapter(bench.stack.adapter))
    bench.nic.raise_misc(regs.MISC_CAUSE_LINK_CHANGE)
    bench.run()
    assert link_changes(bench.binding) == []


@pytest.mark.rule("ST-08")
def test_the_link_is_watched_while_paused(bench):
    bench.wait(ndis.pause_adapter(bench.stack.adapter))
    bench.nic.set_link(False)
    bench.run()
    assert link_changes(bench.binding) == ["DISCONNECTED"]


def test_an_adapter_may_start_without_link(new_bench, frame):
    bench = new_bench()
    bench.nic.registers[regs.STATUS] = 0
    bench.start()
    answer = ndis.LinkState.parse(bench.wait(bench.binding.query(Oid.OID_GEN_LINK_STATE)))
    assert answer.media_connect_state.name == "DISCONNECTED"
    bench.stop()


# --- interrupt moderation, link parameters


def moderation(state: int) -> bytes:
    return struct.pack("<BBHII", 0x80, 1, 12, 0, state)


@pytest.mark.rule("OI-04")
def test_interrupt_moderation_is_switched_in_the_registers_and_stays_over_a_pause(make_bench):
    bench = make_bench(tx_ring=128, tx_moderation=(16, 500), rx_moderation=(4, 100))

    def registers() -> list[int]:
        pages = [bench.nic.queues[kind] for kind in ("rx", "tx")]
        return [page.get(register) for page in pages for register in (regs.QUEUE_MOD_COUNT, regs.QUEUE_MOD_TICKS)]

    configured = registers()
    assert configured == [4, 100, 16, 500]
    assert bench.wait(bench.binding.query(Oid.OID_GEN_INTERRUPT_MODERATION, 12)) == moderation(2)
    for state, expected in ((3, [1, 0, 1, 0]), (2, configured), (3, [1, 0, 1, 0])):
        request = ndis.set_information(Oid.OID_GEN_INTERRUPT_MODERATION, moderation(state))
        assert bench.wait(bench.binding.request(request)) == NdisStatus.SUCCESS
        assert registers() == expected
        assert bench.wait(bench.binding.query(Oid.OID_GEN_INTERRUPT_MODERATION, 12)) == moderation(state)
    bench.wait(ndis.pause_adapter(bench.stack.adapter))
    bench.wait(ndis.restart_adapter(bench.stack.adapter))
    assert registers() == [1, 0, 1, 0]
    request = ndis.set_information(Oid.OID_GEN_INTERRUPT_MODERATION, moderation(7))
    assert bench.wait(bench.binding.request(request)) == NdisStatus.INVALID_DATA


@pytest.mark.rule("OI-04")
@pytest.mark.parametrize(
    ("duplex", "speed", "status"),
    [(2, 10**9, NdisStatus.SUCCESS), (0, 0, NdisStatus.SUCCESS), (1, 10**9, NdisStatus.INVALID_DATA),
     (2, 10**8, NdisStatus.INVALID_DATA)],
)  # fmt: skip
def test_link_parameters_are_what_the_mac_does_or_refused(bench, duplex, speed, status):
    data = struct.pack("<BBHIQQII", 0x80, 1, 32, duplex, speed, speed, 0, 0)
    request = ndis.set_information(Oid.OID_GEN_LINK_PARAMETERS, data)
    assert bench.wait(bench.binding.request(request)) == status
    short = ndis.set_information(Oid.OID_GEN_LINK_PARAMETERS, data[:31])
    assert bench.wait(bench.binding.request(short)) == NdisStatus.BUFFER_TOO_SHORT

# SPDX-License-Identifier: Apache-2.0
"""The NDIS 5 drivers of the NIC on the Verilog: what both the one for packets and the one for lookahead do.

Each test's `finish` also shows that nothing is left anywhere: no packet, no map register, no mapping, no burst.
"""

import random

import cocotb
from ndis5_bench import DRIVERS, FAST, all_received, host5, out
from stack_bench import HARD, finish, frame, padded

from hilnic import ndis
from hilnic.hw import regs
from hilnic.ndis import NdisStatus, Oid, ndis5
from hilnic.ndis.ndis5 import NdisRequest

ROUNDS = 60 if FAST else 8
LENGTHS = [14, 15, 59, 60, 61, 77, 78, 79, 128, 255, 512, 1023, 1513, 1514]
WAYS = [("5", "packet"), ("5", "lookahead"), ("5", "both"), ("5-lookahead", "lookahead"), ("5-lookahead", "both")]


@cocotb.test()
@cocotb.parametrize(way=WAYS)
async def frames_of_every_length_pass_byte_for_byte(dut, way):
    """S5-02, S5-09, R5-02, R5-11, R5-19, R5-23: each frame once, in order, both ways at once; NDIS copies nothing."""
    host = await host5(dut, *way)
    incoming = [frame(n, length) for n, length in enumerate(LENGTHS)]
    host.inject(*incoming)
    host.send(*[out(n, length) for n, length in enumerate(LENGTHS)])
    await host.idle()
    await all_received(host, len(LENGTHS))
    await host.until(lambda: len(host.sent) == len(LENGTHS))
    assert host.sent == [padded(out(n, length)) for n, length in enumerate(LENGTHS)]
    assert host.received == [padded(data) for data in incoming]
    assert host.stack.host.xlate_copies == 0
    assert host.nic.rx.lent == 0
    assert 0 < host.binding.receive_completes <= len(LENGTHS)
    await finish(host)


@cocotb.test()
@cocotb.parametrize(miniport=DRIVERS)
async def packets_of_any_number_of_buffers_are_one_frame(dut, miniport):
    """S5-14, RG-08, RG-09, RG-15: a descriptor per buffer, a copy of too many; random latencies."""
    host = await host5(dut, miniport, timing=HARD, seed=5, tx_ring=16, max_fragments=8)
    draw, sent = random.Random(5), []
    for _ in range(ROUNDS // 2):
        fragments = draw.choice((1, 2, 3, 7, 8, 9, 14))
        frames = [out(len(sent) + n, draw.randrange(14, 700)) for n in range(4)]
        host.send(*frames, fragments=fragments)
        sent += frames
        await host.run(draw.randrange(4_000))
    host.send(out(len(sent), 300), fragments=20)
    sent.append(out(len(sent), 300))
    await host.idle()
    await host.until(lambda: len(host.sent) == len(sent))
    assert host.sent == [padded(data) for data in sent]
    assert host.nic.tx.statistics().copied > 0
    await finish(host)


@cocotb.test()
@cocotb.parametrize(miniport=DRIVERS)
async def one_packet_at_a_time_by_ndis_send(dut, miniport):
    """S5-01, S5-11: PENDING and one ProtocolSendComplete; too long a frame is INVALID_PACKET."""
    host = await host5(dut, miniport)
    for number in range(5):
        assert host.binding.send_one(out(number)) is NdisStatus.PENDING
    host.binding.send_one(out(9, 1600))
    await host.idle()
    await host.until(lambda: len(host.sent) == 5)
    assert host.sent == [out(n) for n in range(5)]
    assert host.binding.statuses == [NdisStatus.INVALID_PACKET]
    await finish(host)


@cocotb.test()
@cocotb.parametrize(miniport=DRIVERS)
async def ring_indices_pass_two_to_the_thirty_second(dut, miniport):
    """RG-01, RG-02: small rings, many laps, over the end of the number."""
    host = await host5(dut, miniport, start_index=0xFFFFFFF4, tx_ring=8, rx_ring=8, rx_buffers=16, rx_low_water=0)
    for first in range(0, 4 * ROUNDS, 4):
        host.inject(*[frame(n) for n in range(first, first + 4)])
        host.send(*[out(n) for n in range(first, first + 4)], fragments=2)
        await host.idle()
        await all_received(host, first + 4)
    await host.until(lambda: len(host.sent) == 4 * ROUNDS)
    assert host.sent == [out(n) for n in range(4 * ROUNDS)]
    assert host.received == [frame(n) for n in range(4 * ROUNDS)]
    await finish(host)


@cocotb.test()
@cocotb.parametrize(miniport=DRIVERS)
async def a_reset_under_traffic(dut, miniport):
    """C5-11, S5-07: each packet ends once; what ended well is on the wire once; afterwards everything works."""
    host = await host5(dut, miniport, tx_ring=8)
    frames = [out(n, 400) for n in range(30)]
    host.send(*frames)
    host.inject(*[frame(n) for n in range(5)])
    await host.run(9_000)
    assert ndis5.reset(host.binding.handle) is NdisStatus.PENDING
    await host.idle()
    done = (NdisStatus.SUCCESS, "reset")
    await host.until(lambda: done in host.binding.status_indications)
    assert set(host.binding.statuses) == {NdisStatus.RESET_IN_PROGRESS}
    before = len(host.wire)
    host.inject(frame(77))
    host.send(out(78))
    await host.idle()
    await host.until(lambda: frame(77) in host.received and len(host.wire) > before)
    assert host.sent[-1] == out(78)
    assert len(set(host.sent)) == len(host.sent)
    await finish(host)


@cocotb.test()
@cocotb.parametrize(miniport=DRIVERS)
async def a_pause_is_not_the_drivers_business(dut, miniport):
    """ST-03, R6-16: NDIS pauses the adapter; frames that arrive meanwhile are nobody's, and buffers come back."""
    host = await host5(dut, miniport)
    for number in range(ROUNDS // 4):
        host.inject(frame(number))
        await all_received(host, number + 1)
        await ndis.pause_adapter(host.stack.adapter)
        host.inject(frame(1000 + number, 800))
        await host.run(20_000)
        await ndis.restart_adapter(host.stack.adapter)
    assert host.received == [frame(n) for n in range(ROUNDS // 4)]
    assert host.nic.rx.lent == 0
    await finish(host)


@cocotb.test()
@cocotb.parametrize(miniport=DRIVERS)
async def asleep_the_nic_is_silent_and_wakes_as_it_was(dut, miniport):
    """ST-24, OI-20: OID_PNP_SET_POWER by MiniportSetInformation; its filter and list are set again."""
    host = await host5(dut, miniport)
    adapter = host.stack.adapter
    assert await ndis.set_adapter_power(adapter, ndis.DevicePowerState.D3) is NdisStatus.SUCCESS
    assert await host.stack.hardware.read(regs.RX_FILTER) == 0
    host.inject(frame(1))
    host.send(out(2))
    await host.idle()
    await host.run(20_000)
    assert (host.sent, host.received, len(host.binding.statuses)) == ([], [], 1)
    assert await ndis.set_adapter_power(adapter, ndis.DevicePowerState.D0) is NdisStatus.SUCCESS
    host.inject(frame(3))
    host.send(out(4))
    await host.until(lambda: host.received == [frame(3)] and host.sent == [out(4)])
    await finish(host)


@cocotb.test()
@cocotb.parametrize(miniport=DRIVERS)
async def requests_are_served_from_the_registers(dut, miniport):
    """C5-06, C5-09, C5-13, OI-06: filter and list are in the NIC, counters are the NIC's, the cable is told of."""
    host = await host5(dut, miniport)
    group, binding = b"\x01\0\x5e\0\0\x07", host.binding
    wanted = ndis.PacketFilter.DIRECTED | ndis.PacketFilter.MULTICAST
    assert await binding.set_filter(wanted) is NdisStatus.SUCCESS
    assert await binding.set_multicast_list([group]) is NdisStatus.SUCCESS
    assert await host.stack.hardware.read(regs.RX_FILTER) & regs.RX_FILTER_OWN_UNICAST
    host.inject(frame(1, 60, group), frame(2, 60, b"\x01\0\x5e\0\0\x08"), frame(3, 60, b"\xff" * 6), frame(4))
    host.send(*[out(n, 100) for n in range(6)])
    await host.idle()
    await host.until(lambda: len(host.received) == 2)
    assert host.received == [frame(1, 60, group), frame(4)]
    assert int.from_bytes(await binding.query(Oid.OID_GEN_XMIT_OK, 4), "little") == 6
    assert int.from_bytes(await binding.query(Oid.OID_GEN_DIRECTED_BYTES_XMIT), "little") == 600
    assert int.from_bytes(await binding.query(Oid.OID_GEN_RCV_OK), "little") == 2
    for up in (0, 1):
        host.card.settings.link_up = up
        await host.run(30_000)
    codes = [code for code, _ in binding.status_indications]
    assert codes == [NdisStatus.MEDIA_DISCONNECT, NdisStatus.MEDIA_CONNECT]
    assert binding.status_completes == 2
    short = NdisRequest(ndis.RequestType.QUERY_INFORMATION, Oid.OID_802_3_CURRENT_ADDRESS, bytearray(5))
    assert await binding.request(short) is NdisStatus.INVALID_LENGTH
    assert (short.bytes_needed, short.bytes_written) == (6, 0)
    unknown = NdisRequest(ndis.RequestType.QUERY_INFORMATION, 0x00990001, bytearray(8))
    assert await binding.request(unknown) is NdisStatus.INVALID_OID
    await finish(host)


@cocotb.test()
@cocotb.parametrize(miniport=DRIVERS)
async def a_card_that_is_pulled_out_gives_everything_back(dut, miniport):
    """ST-17, C5-12: pending sends end, nothing is left mapped, no register is touched any more."""
    host = await host5(dut, miniport, tx_ring=4)
    binding = host.binding
    host.send(*[out(n, 1000) for n in range(20)])
    host.inject(frame(1))
    await host.run(3_000)
    adapter = host.stack.adapter
    await host.harness.remove(host.card)
    before = host.card.device.writes_after_removal
    await ndis.surprise_remove_adapter(adapter)
    assert host.card.device.writes_after_removal == before
    assert host.card.memory.live_mappings() == []
    assert binding.outstanding == 0
    assert set(binding.statuses) <= {NdisStatus.NOT_ACCEPTED, NdisStatus.REQUEST_ABORTED, NdisStatus.FAILURE}
    await host.harness.insert(host.card)
    await finish(host)


@cocotb.test()
@cocotb.parametrize(miniport=DRIVERS)
async def full_verification_is_silent_over_real_traffic(dut, miniport):
    """V1 to V15: packets are touched by their owners alone, rings and mappings are kept."""
    host, draw = await host5(dut, miniport, verify="full", timing=HARD, seed=9), random.Random(9)
    number = 12
    incoming = [frame(n, draw.randrange(60, 900)) for n in range(number)]
    host.inject(*incoming)
    host.send(*[out(n, draw.randrange(14, 500)) for n in range(number)], fragments=3)
    await host.idle()
    await all_received(host, number)
    assert host.received == incoming
    assert host.stack.host.report.violations == []
    await finish(host)

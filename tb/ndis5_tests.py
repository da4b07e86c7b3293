# SPDX-License-Identifier: Apache-2.0
"""The NDIS 5 drivers of the NIC on the Verilog: packets and lookahead, what NDIS 5 asks of each, and the WAN miniport.

Each test's `finish` also shows that nothing is left anywhere: no packet, no map register, no mapping, no burst.
One module, because each is a simulator process of its own, whose start costs more than most tests
(docs/architecture.md); the sections are its themes.
"""

import os
import random

import cocotb
from stack_bench import HARD, OWN, PEER, finish, frame, hosts, padded
from wan_bench import SECOND, ppp_frame, pppoe, wan

from hilnic import ndis
from hilnic.hw import regs
from hilnic.miniport5.wan import HEADER_PADDING
from hilnic.ndis import NdisMedium, NdisStatus, Oid, ndis5
from hilnic.ndis.ndis5 import LineDisconnectMode, NdisRequest
from hilnic.protocols.ipv4 import Ipv4Protocol
from hilnic.protocols.ipv4_5 import Ipv4Protocol5
from hilnic.protocols.raw5 import RawProtocol5
from hilnic.wire.arp import ArpPacket, Operation
from hilnic.wire.ethernet import EthernetFrame, EtherType
from hilnic.wire.icmp import IcmpEcho, IcmpType
from hilnic.wire.ipv4 import IpProtocol, Ipv4Packet
from hilnic.wire.pppoe import PppoeCode, PppoeTag

FAST = os.environ.get("HILNIC_SIM") == "verilator"
ROUNDS = 60 if FAST else 8
LENGTHS = [14, 15, 59, 60, 61, 77, 78, 79, 128, 255, 512, 1023, 1513, 1514]
DRIVERS = ["5", "5-lookahead"]
WAYS = [("5", "packet"), ("5", "lookahead"), ("5", "both"), ("5-lookahead", "lookahead"), ("5-lookahead", "both")]


def out(number, length=60):
    """A frame that does not loop back."""
    return frame(number, length, PEER, OWN)


async def host5(dut, miniport="5", handlers="both", *, raw5=None, **options):
    """A raw protocol of NDIS 5 on a driver of NDIS 5."""
    protocol = RawProtocol5(handlers=handlers, **(raw5 or {}))
    (host,) = await hosts(dut, protocols=lambda _: [protocol], miniport=miniport, **options)
    return host


async def all_received(host, number, what="all frames received"):
    await host.until(lambda: host.binding.statistics().received >= number, what=what)


# --- both drivers -----------------------------------------------------------------------------------------------------


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


# --- full packets -----------------------------------------------------------------------------------------------------


@cocotb.test()
async def what_a_protocol_keeps_stays_intact_and_shortage_is_told(dut):
    """R5-01, R5-03, R5-07, R5-09: held at random while the ring goes round; the others come with RESOURCES, copied."""
    host = await host5(dut, "5", "packet", raw5={"holds": True}, rx_ring=16, rx_buffers=32, rx_low_water=12)
    draw = random.Random(7)
    frames = [frame(n, draw.randrange(60, 400)) for n in range(5 * ROUNDS)]
    for first in range(0, len(frames), 20):
        part = frames[first : first + 20]
        host.inject(*part)
        await all_received(host, first + len(part))
        if first % 40:
            host.binding.release()
    assert host.received == frames
    counts = host.nic.rx.statistics()
    assert counts.indicated + counts.indicated_with_resources == len(frames)
    assert counts.indicated_with_resources > 0
    host.binding.release()
    assert host.nic.rx.lent == 0
    await finish(host)


@cocotb.test()
@cocotb.parametrize(way=WAYS)
async def a_frame_may_lie_in_several_buffers(dut, way):
    """RG-10, R5-13: receive buffers of 256 bytes; a packet of several, or a lookahead put together."""
    host = await host5(dut, *way, rx_buffer_bytes=256)
    await host.binding.set_lookahead(700)
    frames = [frame(n, length) for n, length in enumerate((60, 255, 256, 257, 512, 513, 1514))]
    host.inject(*frames)
    await all_received(host, len(frames))
    assert host.received == frames
    await finish(host)


@cocotb.test()
async def a_cancelled_packet_is_aborted_or_on_the_wire(dut):
    """CN-09: MiniportCancelSendPackets; the wire has exactly the frames that ended well."""
    host = await host5(dut, "5", tx_ring=8)
    for number in range(40):
        host.binding.send(out(number, 600), cancel_id="AB"[number % 2])
    await host.run(3_000)
    ndis5.cancel_send_packets(host.binding.handle, "A")
    await host.idle()
    aborted = len(host.binding.statuses)
    assert set(host.binding.statuses) == {NdisStatus.REQUEST_ABORTED}
    await host.until(lambda: len(host.sent) == 40 - aborted)
    numbers = [int.from_bytes(data[14:18], "big") for data in host.sent]
    assert numbers == sorted(numbers)
    assert set(range(1, 40, 2)) <= set(numbers)
    await finish(host)


# --- lookahead --------------------------------------------------------------------------------------------------------


@cocotb.test()
@cocotb.parametrize(lookahead=[64, 65, 127, 128, 500, 1499, 1500])
async def the_rest_of_a_frame_comes_by_transfer(dut, lookahead):
    """R5-16, R5-18, R5-21, R5-22, R5-27: some at once, some in a later DPC; byte for byte whatever the lookahead."""
    host = await host5(dut, "5-lookahead", "lookahead", seed=lookahead)
    assert await host.binding.set_lookahead(lookahead) is NdisStatus.SUCCESS
    lengths = [60, 14 + lookahead - 1, 14 + lookahead, min(1514, 14 + lookahead + 1), 1000, 1513, 1514]
    frames = [frame(n, max(60, length)) for n, length in enumerate(lengths * (4 if FAST else 2))]
    host.inject(*frames)
    await all_received(host, len(frames))
    assert host.received == frames
    longer = sum(len(data) > 14 + lookahead for data in frames)
    rx = host.nic.rx
    assert host.binding.transferred == longer == rx.pended + rx.at_once
    if longer > 8:
        assert rx.pended > 0
        assert rx.at_once > 0
    await finish(host)


@cocotb.test()
async def every_lookahead_rebuilds_the_frame(dut):
    """R5-16: 64 to 1514 octets with the header, in a draw; the protocol changes its mind in traffic."""
    host, draw = await host5(dut, "5-lookahead", "both", rx_ring=8, rx_buffers=8, rx_low_water=0), random.Random(3)
    wanted = []
    for number in range(2 * ROUNDS):
        lookahead = draw.randrange(64, 1501)
        assert await host.binding.set_lookahead(lookahead) is NdisStatus.SUCCESS
        wanted += [frame(2 * number + n, draw.randrange(60, 1515)) for n in range(2)]
        host.inject(*wanted[-2:])
        await all_received(host, len(wanted))
    assert host.received == wanted
    await finish(host)


@cocotb.test()
async def buffers_are_the_nics_again_only_after_the_transfer(dut):
    """R5-27: four buffers, the wire at full rate: what is transferred later is what was received."""
    host = await host5(dut, "5-lookahead", "lookahead", rx_ring=4, rx_buffers=4, rx_low_water=0)
    frames = [frame(n, 700 + n) for n in range(2 * ROUNDS)]
    for first in range(0, len(frames), 4):
        host.inject(*frames[first : first + 4])
        await all_received(host, first + 4)
    assert host.received == frames
    assert host.nic.rx.pended > ROUNDS // 4
    await finish(host)


@cocotb.test()
async def a_full_ring_is_resources_and_its_end_is_told(dut):
    """S5-03 to S5-05: MiniportSend says RESOURCES, NDIS queues, NdisMSendResourcesAvailable; all go, in order."""
    host = await host5(dut, "5-lookahead", tx_ring=4)
    frames = [out(n, 300) for n in range(4 * ROUNDS)]
    host.send(*frames, fragments=2)
    await host.idle()
    await host.until(lambda: len(host.sent) == len(frames))
    assert host.sent == frames
    assert host.nic.tx.refused_for_now > 0
    await finish(host)


# --- a host of either version -----------------------------------------------------------------------------------------


@cocotb.test()
@cocotb.parametrize(protocol=[Ipv4Protocol5, Ipv4Protocol], miniport=["6", "5", "5-lookahead"])
async def a_host_answers_arp_and_echo_in_every_corner(dut, protocol, miniport):
    """XL-10, S5-02: each request is answered from inside the receive handler, through the other version or not."""
    ours, theirs = b"\x0a\x4d\0\x03", b"\x0a\x4d\0\x02"
    ipv4 = protocol(ours, OWN)
    (host,) = await hosts(dut, protocols=lambda _: [ipv4], miniport=miniport)
    request = ArpPacket(Operation.REQUEST, PEER, theirs, bytes(6), ours)
    host.inject(EthernetFrame(b"\xff" * 6, PEER, EtherType.ARP, request.emit()).emit())
    await host.until(lambda: len(host.sent) == 1)
    assert ArpPacket.parse(host.sent[0][14:]).sender_hardware == OWN
    for number in range(10):
        echo = IcmpEcho(IcmpType.ECHO_REQUEST, 7, number, bytes([number]) * (140 * number))
        datagram = Ipv4Packet(theirs, ours, IpProtocol.ICMP, echo.emit()).emit()
        host.inject(EthernetFrame(OWN, PEER, EtherType.IPV4, datagram).emit())
    await host.until(lambda: len(host.sent) == 11)
    replies = [IcmpEcho.parse(Ipv4Packet.parse(data[14:]).payload) for data in host.sent[1:]]
    assert [(each.type, each.sequence) for each in replies] == [(IcmpType.ECHO_REPLY, n) for n in range(10)]
    assert [each.data for each in replies] == [bytes([n]) * (140 * n) for n in range(10)]
    assert (ipv4.statistics().echo_replies, ipv4.statistics().malformed) == (10, 0)
    await finish(host)


# --- WAN --------------------------------------------------------------------------------------------------------------


@cocotb.test()
async def ppp_frames_are_framed_for_their_session(dut):
    """S5-13, C5-02, R5-28: out and in, of two sessions, whole and without the padding that Ethernet added."""
    bench = await wan(dut, tx_ring=8)
    host, protocol = bench.host, bench.protocol
    assert host.stack.adapter.attributes.media_type is NdisMedium.WAN
    links = [(await bench.dial(b"one"), 0x0101, PEER), (await bench.dial(b"two"), 0x0202, SECOND)]
    frames = [ppp_frame(n, length) for n, length in enumerate((3, 38, 39, 40, 41, 500, 1492, 1494))]
    number = len(frames) * (4 if FAST else 1)
    wanted = [(links[n % 2], frames[n % len(frames)]) for n in range(number)]
    for (handle, session, peer), ppp in wanted:
        protocol.send(handle, ppp)
        host.inject(padded(pppoe(session, ppp, OWN, peer)))
    await protocol.wait_until_idle()
    await host.until(lambda: len(protocol.received) == number and len(bench.data()) == number)
    assert bench.data() == [padded(pppoe(session, ppp, peer, OWN)) for (_, session, peer), ppp in wanted]
    assert [(line.handle, ppp) for line, ppp in protocol.received] == [(link[0], ppp) for link, ppp in wanted]
    assert set(protocol.statuses) == {NdisStatus.SUCCESS}
    assert protocol.receive_completes > 0
    await finish(host)


@cocotb.test()
async def a_session_is_opened_and_ended_on_the_wire(dut):
    """C5-13, R5-28: PADI to PADS, PADT from either side and by halt; noise of discovery changes nothing; the cable."""
    bench = await wan(dut)
    host, protocol, ac = bench.host, bench.protocol, bench.peers[0]
    first, second = await bench.dial(), await bench.dial()
    asked = [PppoeCode.PADI, PppoeCode.PADR]
    assert [PppoeCode(frame.code) for frame in ac.heard] == asked * 2
    uniq = ac.heard[0].tags[PppoeTag.HOST_UNIQ]
    tags = {PppoeTag.SERVICE_NAME: b"one", PppoeTag.HOST_UNIQ: uniq, PppoeTag.AC_NAME: b"late"}
    for code, session in ((PppoeCode.PADO, 0), (PppoeCode.PADS, 7), (PppoeCode.PADT, 9), (0x42, 0)):
        ac.answer(OWN, code, session, tags)
    host.inject(OWN + PEER + b"\x88\x63\x11\x65\0\0\x05\xdc" + bytes(40))
    await host.until(lambda: host.nic.discovery.ignored == 5)
    assert set(protocol.lines) == {first, second}
    lines = list(protocol.lines.values())
    assert await protocol.hang_up(first) is NdisStatus.SUCCESS
    await host.until(lambda: list(ac.sessions) == [0x0102])
    ac.terminate(0x0102)
    await host.until(lambda: not protocol.lines)
    third = await bench.dial()
    host.card.settings.link_up = 0
    await host.until(lambda: third in protocol.ended, what="the cable's end")
    assert protocol.ended == {
        first: LineDisconnectMode.NORMAL,
        second: LineDisconnectMode.NORMAL,
        third: LineDisconnectMode.UNAVAILABLE,
    }
    assert [line.is_up for line in lines] == [False, False]
    host.card.settings.link_up = 1
    await host.until(lambda: protocol.media[-1:] == [NdisStatus.MEDIA_CONNECT])
    await bench.dial()
    ended = len(ac.heard) + 1
    await finish(host)
    assert len(ac.heard) == ended
    assert PppoeCode(ac.heard[-1].code) is PppoeCode.PADT


@cocotb.test()
async def what_is_no_session_of_ours_is_discarded(dut):
    """R5-28: another code, session, peer; a frame that is cut is a fragment; NOT_ACCEPTED is counted."""
    bench = await wan(dut)
    host, protocol, ppp = bench.host, bench.protocol, ppp_frame(1, 60)
    handle = await bench.dial()
    good = pppoe(0x0101, ppp, OWN, PEER)
    host.inject(
        pppoe(0x0101, ppp, OWN, PEER, code=9),
        pppoe(9, ppp, OWN, PEER),
        pppoe(0x0101, ppp, OWN, SECOND),
        good[:18] + b"\x05\x00" + good[20:],
        frame(1),
        good,
    )
    await host.until(lambda: len(protocol.received) == 1)
    line = protocol.lines[handle]
    assert protocol.received == [(line, ppp)]
    assert (host.nic.rx.statistics().discarded, line.fragments) == (5, 1)
    protocol.accepts = False
    host.inject(good)
    await host.until(lambda: host.nic.rx.not_accepted == 1)
    assert len(protocol.received) == 1
    await finish(host)


@cocotb.test()
async def a_wan_packet_without_room_or_link_is_refused(dut):
    """S5-13: too little header padding, too long a frame, a link that is none."""
    bench = await wan(dut)
    protocol, handle = bench.protocol, await bench.dial()
    protocol.send(handle, ppp_frame(1, 1495))
    protocol.send("no link", ppp_frame(1, 60))
    protocol.header_padding = HEADER_PADDING - 1
    protocol.send(handle, ppp_frame(1, 60))
    assert protocol.statuses == [NdisStatus.INVALID_PACKET, NdisStatus.FAILURE, NdisStatus.INVALID_PACKET]
    protocol.header_padding = HEADER_PADDING
    protocol.send(handle, ppp_frame(2, 60))
    await protocol.wait_until_idle()
    assert protocol.statuses[-1] is NdisStatus.SUCCESS
    assert bench.data() == [pppoe(0x0101, ppp_frame(2, 60), PEER, OWN)]
    await finish(bench.host)

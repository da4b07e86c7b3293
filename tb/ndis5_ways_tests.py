# SPDX-License-Identifier: Apache-2.0
"""The NDIS 5 drivers of the NIC on the Verilog: packets kept, lookahead and transfers, hosts of either version.

Each test's `finish` also shows that nothing is left anywhere: no packet, no map register, no mapping, no burst.
"""

import random

import cocotb
from ndis5_bench import FAST, all_received, host5, out
from stack_bench import OWN, PEER, finish, frame, hosts

from hilnic.ndis import NdisStatus, ndis5
from hilnic.protocols.ipv4 import Ipv4Protocol
from hilnic.protocols.ipv4_5 import Ipv4Protocol5
from hilnic.wire.arp import ArpPacket, Operation
from hilnic.wire.ethernet import EthernetFrame, EtherType
from hilnic.wire.icmp import IcmpEcho, IcmpType
from hilnic.wire.ipv4 import IpProtocol, Ipv4Packet

ROUNDS = 60 if FAST else 8
WAYS = [("5", "packet"), ("5", "lookahead"), ("5", "both"), ("5-lookahead", "lookahead"), ("5-lookahead", "both")]


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

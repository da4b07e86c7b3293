# SPDX-License-Identifier: Apache-2.0
"""Two hosts, each with its stack and its Verilog NIC, connected to each other by a cable."""

import os
import random

import cocotb
from line_bench import two_on_a_line
from stack_bench import BROADCAST, HARD, PEER, Traffic, address, finish, frame, hosts, padded

from hilnic import ndis
from hilnic.cosim import hostmem
from hilnic.cosim.harness import Clocks
from hilnic.ndis import NdisStatus, PacketFilter
from hilnic.protocols.ipv4 import Ipv4Protocol

FAST = os.environ.get("HILNIC_SIM") == "verilator"
FIRST, SECOND = address(0), address(1)


def to_second(number, length=60):
    return frame(number, length, SECOND, FIRST)


def to_first(number, length=60):
    return frame(number, length, FIRST, SECOND)


def reply(binding, nbls, count, flags):
    """Answer each frame with itself, addresses exchanged."""
    frames = [nbl.first_net_buffer.tobytes() for nbl in ndis.walk(nbls)]
    if not flags & ndis.ReceiveFlags.RESOURCES:
        binding.return_nbls(nbls)
    if binding.running:
        binding.send(*[data[6:12] + data[:6] + data[12:] for data in frames])


async def wire_agrees(one, other):
    """What one NIC has sent, the other one has counted on its wire, and each frame has one fate."""
    sent, heard = await one.tx_counters(), await other.rx_counters()
    assert sent["FRAMES"] == heard["WIRE_FRAMES"] and sent["OCTETS"] == heard["WIRE_OCTETS"]
    assert heard["WIRE_FRAMES"] == heard["DELIVERED_FRAMES"] + sum(v for k, v in heard.items() if k.startswith("DROP_"))


@cocotb.test()
async def what_one_host_sends_the_other_one_receives(dut):
    one, other = await hosts(dut, 2)
    lengths = [14, 59, 60, 61, 64, 65, 128, 1000, 1513, 1514]
    frames = [to_second(n, length) for n, length in enumerate(lengths)]
    one.send(*frames, fragments=3)
    await other.until(lambda: len(other.received) == len(frames))
    assert other.received == [padded(data) for data in frames]
    await wire_agrees(one, other)
    await finish(one, other)


@cocotb.test()
async def every_request_gets_its_reply(dut):
    """S6-24: the reply is sent from inside the receive handler."""
    one, other = await hosts(dut, 2)
    other.raw.on_receive = reply
    for n in range(30):
        one.send(to_second(n, 60 + n))
    await one.until(lambda: len(one.received) == 30)
    assert one.received == [to_first(n, 60 + n) for n in range(30)]
    await finish(one, other)


@cocotb.test()
async def calls_of_100_nbls_arrive_in_order(dut):
    """S6-11, R6-22: both ways at once, through rings of 64."""
    one, other = await hosts(dut, 2, tx_ring=64, rx_ring=128, rx_buffers=256)
    calls = 10 if FAST else 2
    for call in range(calls):
        one.send(*[to_second(100 * call + n) for n in range(100)])
        other.send(*[to_first(100 * call + n) for n in range(100)], fragments=2)
    total = 100 * calls
    await one.until(lambda: len(one.received) == len(other.received) == total, limit_ns=10_000_000)
    assert other.received == [to_second(n) for n in range(total)]
    assert one.received == [to_first(n) for n in range(total)]
    await finish(one, other)


@cocotb.test()
@cocotb.parametrize(seed=range(2))
async def stress_with_slow_memory_and_clocks_apart_loses_and_changes_nothing(dut, seed):
    """RG-13: random stalls, jitter and reordering; 200 ppm between the two ends, other phases and system clocks."""
    clocks = (
        Clocks(system_ps=8000, rx_ps=7999.2, tx_ps=7999.2, phases_ps=(0, 100, 5100)),
        Clocks(system_ps=5000 if seed else 10000, rx_ps=8000.8, tx_ps=8000.8, phases_ps=(1700, 2300, 900)),
    )
    one, other = await hosts(dut, 2, clocks=clocks, timing=HARD, seed=seed + 1, tx_ring=32, rx_buffers=512)
    draw, frames = random.Random(seed), ([], [])
    for _ in range(60 if FAST else 10):
        for host, destination, sent in ((one, SECOND, frames[0]), (other, FIRST, frames[1])):
            source = address(host.card.index)
            lengths = [draw.randrange(14, 1515) for _ in range(draw.randrange(1, 7))]
            batch = [frame(len(sent) + n, length, destination, source) for n, length in enumerate(lengths)]
            host.send(*batch, fragments=draw.randrange(1, 6))
            sent.extend(batch)
        await one.run(draw.randrange(10_000, 60_000))
    await one.until(lambda: [len(other.received), len(one.received)] == [len(f) for f in frames], limit_ns=20_000_000)
    assert [other.received, one.received] == [[padded(data) for data in sent] for sent in frames]
    await wire_agrees(one, other)
    await wire_agrees(other, one)
    await finish(one, other)


GROUP, OTHER_GROUP, STRANGER = b"\x01\0\x5e\0\0\1", b"\x01\0\x5e\0\0\2", b"\x02\xaa\0\0\0\1"
MATRIX = {
    0: [],
    PacketFilter.DIRECTED: [SECOND],
    PacketFilter.MULTICAST: [GROUP],
    PacketFilter.ALL_MULTICAST: [GROUP, OTHER_GROUP],
    PacketFilter.BROADCAST: [BROADCAST],
    PacketFilter.DIRECTED | PacketFilter.BROADCAST | PacketFilter.MULTICAST: [SECOND, GROUP, BROADCAST],
    PacketFilter.PROMISCUOUS: [SECOND, STRANGER, GROUP, OTHER_GROUP, BROADCAST],
}


@cocotb.test()
async def the_receiver_gets_what_its_filter_asks_for(dut):
    """OI-10, OI-11: filters and multicast lists against five kinds of destination."""
    one, other = await hosts(dut, 2)
    await other.binding.set_multicast_list([GROUP])
    for packet_filter, accepted in MATRIX.items():
        await other.binding.set_filter(packet_filter)
        await other.run(5_000)
        other.received.clear()
        one.send(*[frame(0, 60, to, FIRST) for to in (SECOND, STRANGER, GROUP, OTHER_GROUP, BROADCAST)])
        await one.idle()
        await other.run(15_000)
        assert [data[:6] for data in other.received] == accepted, packet_filter
    await finish(one, other)


async def _good_both_ways(one, other, number):
    one.received.clear()
    other.received.clear()
    one.send(*[to_second(n) for n in range(number)])
    other.send(*[to_first(n) for n in range(number)])
    await one.until(lambda: len(one.received) == len(other.received) == number)
    assert other.received == [to_second(n) for n in range(number)]
    assert one.received == [to_first(n) for n in range(number)]


def _traffic(one, other, draw):
    return Traffic(one, draw, to=SECOND, inject=False), Traffic(other, draw, to=FIRST, inject=False)


@cocotb.test()
async def a_pause_on_one_side_under_traffic_costs_the_other_side_nothing(dut):
    """ST-03, ST-23, S6-25: accepted frames still go out; the other side's frames meanwhile are dropped and counted."""
    one, other = await hosts(dut, 2)
    draw = random.Random(8)
    flows = _traffic(one, other, draw)
    for _ in range(12 if FAST else 3):
        await one.run(draw.randrange(10_000, 40_000))
        sent, wired = one.binding.statistics(), len(one.wire)
        await ndis.pause_adapter(one.stack.adapter)
        assert one.binding.outstanding == 0 and one.binding.statuses == []
        assert len(one.wire) == one.binding.statistics().completed and wired <= sent.sent
        quiet = len(one.wire), len(one.received)
        await one.run(20_000)
        assert (len(one.wire), len(one.received)) == quiet
        assert await ndis.restart_adapter(one.stack.adapter) == NdisStatus.SUCCESS
    for flow in flows:
        await flow.stop()
    await one.idle()
    await other.idle()
    assert other.binding.statuses == []
    await one.run(20_000)
    await wire_agrees(other, one)
    await wire_agrees(one, other)
    await _good_both_ways(one, other, 20)
    await finish(one, other)


@cocotb.test()
async def a_reset_on_one_side_under_traffic_costs_the_other_side_nothing(dut):
    """ST-13, ST-14."""
    one, other = await hosts(dut, 2)
    draw = random.Random(9)
    flows = _traffic(one, other, draw)
    for _ in range(12 if FAST else 3):
        await one.run(draw.randrange(10_000, 40_000))
        assert await ndis.reset_adapter(one.stack.adapter) == NdisStatus.SUCCESS
    for flow in flows:
        await flow.stop()
    for host in (one, other):
        await host.until(lambda host=host: not host.binding.outstanding, what="every send completed")
    await one.run(20_000)
    for host in (one, other):
        statistics = host.binding.statistics()
        assert statistics.completed == statistics.sent
    assert set(one.binding.statuses) <= {NdisStatus.RESET_IN_PROGRESS} and other.binding.statuses == []
    await wire_agrees(other, one)
    await _good_both_ways(one, other, 20)
    await finish(one, other)


@cocotb.test()
async def a_cable_that_is_pulled_and_plugged_under_traffic_is_indicated_and_traffic_resumes(dut):
    """OI-16: what is on the wire at that moment is lost, nothing else happens."""
    one, other = await hosts(dut, 2)
    draw = random.Random(10)
    flows = _traffic(one, other, draw)
    for _ in range(6 if FAST else 2):
        await one.run(draw.randrange(10_000, 40_000))
        for host in (one, other):
            host.card.settings.wire_mode, host.card.settings.link_up = hostmem.WIRE_ENDS, 0
        await one.run(draw.randrange(10_000, 20_000))
        for host in (one, other):
            host.card.settings.wire_mode, host.card.settings.link_up = hostmem.WIRE_CROSS, 1
    for flow in flows:
        await flow.stop()
    for host in (one, other):
        await host.until(lambda host=host: not host.binding.outstanding, what="every send completed")
    await one.run(20_000)
    for host in (one, other):
        states = [indication.buffer.media_connect_state for indication in host.binding.status_indications]
        rounds = 6 if FAST else 2
        assert states == [ndis.MediaConnectState.DISCONNECTED, ndis.MediaConnectState.CONNECTED] * rounds
        statistics = host.binding.statistics()
        assert statistics.completed == statistics.sent and statistics.failed == 0
    await _good_both_ways(one, other, 20)
    await finish(one, other)


@cocotb.test()
async def two_ipv4_hosts_ping_each_other(dut):
    """ARP, then echo and reply, from protocol to protocol through both NICs."""
    addresses = [bytes([10, 0, 0, 1 + n]) for n in range(2)]
    protocols = [Ipv4Protocol(addresses[n], address(n)) for n in range(2)]
    one, other = await hosts(dut, 2, protocols=lambda n: [protocols[n]])
    trips = [await protocols[0].ping(addresses[1], bytes(n)) for n in range(0, 1400, 100)]
    back = await protocols[1].ping(addresses[0])
    assert protocols[1].statistics().echo_replies == len(trips) and protocols[1].statistics().arp_replies == 1
    assert all(0 < trip < 100_000 for trip in [*trips, back]) and trips == sorted(trips)
    await finish(one, other)


# --- one host, one interrupt line -------------------------------------------------------------------------------------


@cocotb.test()
async def two_cards_on_one_interrupt_line_are_served_by_their_own_drivers(dut):
    """IT-02: pulses of irq_o become a held line; every ISR is asked, one claims; traffic both ways on both cards."""
    host = await two_on_a_line(dut)
    draw = random.Random(11)
    frames = ([], [])
    for _ in range(20 if FAST else 5):
        for card in range(2):
            batch = [to_first(n, draw.randrange(60, 300)) for n in range(draw.randrange(1, 5))]
            batch = [address(card) + data[6:] for data in batch]
            frames[card].extend(batch)
            for data in batch:
                host.cards[card].link.send(data)
            host.binding(card).send(*[frame(n, 60 + n, PEER, address(card)) for n in range(3)], fragments=2)
        await host.run(draw.randrange(2_000, 20_000))
    await host.until(lambda: all(host.binding(n).received == frames[n] for n in range(2)))
    await host.until(lambda: not any(host.binding(n).outstanding for n in range(2)))
    assert [host.binding(n).statuses for n in range(2)] == [[], []]
    assert all(card.device.unclaimed_interrupts == 0 for card in host.cards)
    assert host.line.asked > max(card.device.interrupts for card in host.cards) > 0
    await host.finish()


@cocotb.test()
async def an_interrupt_of_one_card_touches_nothing_of_the_other_on_the_line(dut):
    """IT-02: the idle card gets no register write and its driver no DPC."""
    host = await two_on_a_line(dut)
    await host.run(20_000)
    idle, dpcs = host.pins[0].accesses, host.stack.cpu.statistics().dpcs
    for number in range(5):
        host.cards[1].link.send(frame(number, 60, address(1)))
        await host.run(20_000)
    assert host.binding(1).received == [frame(number, 60, address(1)) for number in range(5)]
    assert host.pins[0].accesses == idle
    assert host.stack.cpu.statistics().dpcs == dpcs + 5
    await host.finish()


@cocotb.test()
async def the_cable_of_one_card_is_told_over_the_line_by_its_own_driver(dut):
    """IT-02, OI-16: vector 0 and the queues' vector are causes of one line; traffic of the other card goes on."""
    host = await two_on_a_line(dut)
    for up in (0, 1):
        host.cards[0].settings.link_up = up
        host.cards[1].link.send(frame(up, 60, address(1)))
        await host.run(20_000)
    states = [one.buffer.media_connect_state for one in host.binding(0).status_indications]
    assert states == [ndis.MediaConnectState.DISCONNECTED, ndis.MediaConnectState.CONNECTED]
    assert host.binding(1).status_indications == []
    assert len(host.binding(1).received) == 2
    await host.finish()


@cocotb.test()
async def messages_name_their_vector(dut):
    """IT-02: link and errors are message 0, the queues the message that each adapter was given."""
    one, other = await hosts(dut, 2, vector=2)
    seen = []
    for host in (one, other):
        (interrupt,) = host.stack.adapter.interrupts
        assert interrupt.type is ndis.InterruptType.MESSAGE_BASED
        claim, card = interrupt.isr_handler, host.card.index
        interrupt.isr_handler = lambda nic, message, claim=claim, card=card: (
            seen.append((card, message)),
            claim(nic, message),
        )[1]
    one.send(to_second(1))
    await other.until(lambda: other.received)
    await one.idle()
    assert set(seen) == {(0, 2), (1, 2)}
    seen.clear()
    one.card.settings.link_up = 0
    await one.until(lambda: seen)
    assert set(seen) == {(0, 0)}
    await finish(one, other)

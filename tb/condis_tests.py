# SPDX-License-Identifier: Apache-2.0
"""Virtual connections from client to client: two hosts, two Verilog NICs, a cable."""

import random

import cocotb
from condis_bench import calls, co_hosts, finish, padded
from stack_bench import HARD

from hilnic import ndis
from hilnic.hw.regs import VcCounter
from hilnic.ndis import NdisStatus
from hilnic.ndis.condis import ServiceType
from hilnic.protocols.raw import RawProtocol
from hilnic.stack import CoConfig
from hilnic.testing.co_host import address
from hilnic.testing.vcs import counted, tagged, vlan_of

BURST = 4 * 1522
LENGTHS = (1, 2, 14, 41, 42, 43, 46, 47, 200, 1499, 1500)


def sdu(number, length):
    """SDU `number`."""
    return bytes((number + i) & 0xFF for i in range(length))


def met(host, kind):
    """Of each frame on a host's wire: what the trace has of it, from which captures take its names."""
    trace, card = host.harness.trace, host.card.index
    frames = [fields["frame"] for _, event, fields in trace.events if event == kind and fields["card"] == card]
    return [{event for _, event, _ in trace.follow(frame)} for frame in frames]


@cocotb.test()
@cocotb.parametrize(versions=[("6", "6-co"), ("5", "6-co"), ("6", "5-co"), ("5", "5-co")])
async def an_sdu_goes_from_client_to_client(dut, versions):
    """CD-01, CD-02, CD-07, CD-10, CD-11, XL-17, XL-18: sent on a VC of host A, received on host B; tag and length."""
    client, miniport = versions
    one, other = await co_hosts(dut, client=client, miniport=miniport)
    ours, theirs = await calls(one, other, vlan=0x123, priority=5, destination=address(1))
    sdus = [sdu(n, length) for n, length in enumerate(LENGTHS)]
    ours.send(*sdus)
    theirs.send(*sdus)
    await one.until(lambda: len(ours.received) == len(theirs.received) == len(sdus), "all SDUs")
    assert ours.received == theirs.received == sdus
    await one.until(lambda: len(ours.completed) == len(sdus), "their completions")
    assert [status for _, status in ours.completed] == [NdisStatus.SUCCESS] * len(sdus)
    heads = [address(1) + address(0) + len(data).to_bytes(2, "big") for data in sdus]
    wire = [padded(tagged(head + data, 0x123, 5)) for head, data in zip(heads, sdus, strict=True)]
    assert [frame.data for frame in one.wire] == wire
    for host in (one, other):
        assert all("tx.descriptors" in each and each & {"nbl.send", "packet.send"} for each in met(host, "wire.tx"))
        assert all(
            "rx.completion" in each and each & {"nbl.indicate", "packet.indicate"} for each in met(host, "wire.rx")
        )
        assert len(met(host, "wire.tx")) == len(met(host, "wire.rx")) == len(sdus)
    (connection,) = one.stack.connections.by_entry.values()
    assert await connection.entry.counter(VcCounter.TX_FRAMES) == len(sdus)
    assert await connection.entry.counter(VcCounter.TX_OCTETS) == sum(map(counted, wire))
    await finish(one, other)


@cocotb.test()
async def connections_keep_apart_and_connectionless_frames_go_beside_them(dut):
    """CD-07, CD-08: four VCs and a raw protocol, interleaved, slow and disordered memory."""
    raws = [RawProtocol(), RawProtocol()]
    hosts = await co_hosts(dut, timing=HARD, seed=4, protocols=lambda number: (raws[number],))
    one, other = hosts
    ends = [await calls(one, other, vlan) for vlan in (10, 20, 30, 40)]
    draw, sent = random.Random(1), {n: [] for n in range(5)}
    for number in range(100):
        which, data = draw.randrange(5), sdu(number, draw.randrange(1, 400))
        if which == 4:
            data = address(1) + address(0) + b"\x88\xb5" + data.ljust(46, b"\0")
            raws[0].bindings["nic0"].send(data)
        else:
            ends[which][0].send(data)
        sent[which].append(data)
        if number % 8 == 0:
            await one.clock.sleep(5_000)
    received = [*(theirs.received for _, theirs in ends), raws[1].bindings["nic1"].received]
    for which, found in enumerate(received):
        await one.until(lambda found=found, which=which: len(found) == len(sent[which]), f"all of {which}")
        assert found == sent[which]
    for ours, _ in ends:
        assert {status for _, status in ours.completed} <= {NdisStatus.SUCCESS}
    await finish(one, other)


@cocotb.test()
async def contracts_hold_from_client_to_client(dut):
    """CC-25: two guaranteed VCs, one of them changed in traffic, beside an unlimited one."""
    one, other = await co_hosts(dut)
    rates = {10: 25_000_000, 20: 37_500_000}
    promised = {
        vlan: await calls(one, other, vlan, rate=rate, burst=BURST, service=ServiceType.GUARANTEED)
        for vlan, rate in rates.items()
    }
    greedy, _ = await calls(one, other, 30)
    greedy.send(*[sdu(n, 1500) for n in range(140)])
    for vlan, (ours, _) in promised.items():
        ours.send(*[sdu(n, 700) for n in range(rates[vlan] // 500_000)])
    await one.clock.sleep(1_200_000)
    for vlan, rate in rates.items():
        assert abs(rate_on(one.wire, vlan, 2 * BURST) / rate - 1) < 0.02, vlan
    ours, theirs = promised[10]
    await one.change(ours, 10, rate=62_500_000, burst=BURST, service=ServiceType.GUARANTEED)
    changed = one.clock.now_ns()
    before = len(one.wire)
    ours.send(*[sdu(n, 700) for n in range(150)])
    await one.until(lambda: len(theirs.received) == 200, "all SDUs")
    assert one.clock.now_ns() - changed < 2_500_000
    assert abs(rate_on(one.wire[before:], 10, 2 * BURST) / 62_500_000 - 1) < 0.02
    await finish(one, other)


def rate_on(wire, vlan, skip):
    """Bytes per second of a VC, without the first `skip` octets."""
    frames = [frame for frame in wire if vlan_of(frame.data) == vlan]
    while skip > 0:
        skip -= counted(frames.pop(0).data)
    octets = sum(counted(frame.data) for frame in frames[:-1])
    return octets * 10**9 / (frames[-1].time_ns - frames[0].time_ns)


@cocotb.test()
async def an_entry_is_reused_with_frames_in_flight(dut):
    """CC-10, CD-08: hung up in traffic, called again with another VLAN id: nobody gets another's SDU."""
    one, other = await co_hosts(dut)
    for life in range(5):
        ours, theirs = await calls(one, other, 100 + life)
        ours.send(*[bytes([life]) * 900 for _ in range(20)])
        await one.clock.sleep(60_000 + 7_000 * life)
        await other.hang_up(theirs)
        await one.hang_up(ours)
        assert set(theirs.received) == {bytes([life]) * 900}
    await finish(one, other)


@cocotb.test()
@cocotb.parametrize(miniport=["6-co", "5-co"])
async def a_pause_waits_200_us_for_tokens_and_the_counters_begin_again(dut, miniport):
    """ST-03, ST-23: what waits longer ends with PAUSED; a 5.x miniport knows no pause, and NDIS waits for the sends."""
    one, other = await co_hosts(dut, miniport=miniport)
    ours, theirs = await calls(one, other, rate=5_000_000, burst=1522)  # a frame of 1522 octets each 304 us
    (connection,) = one.stack.connections.by_entry.values()
    ours.send(*[sdu(n, 1500) for n in range(3)])
    await one.until(lambda: ours.completed, "the first one's completion")
    await ndis.pause_adapter(one.stack.adapter)
    sent = 1 if miniport == "6-co" else 3
    statuses = [status for _, status in ours.completed]
    assert statuses == [NdisStatus.SUCCESS] * sent + [NdisStatus.PAUSED] * (3 - sent)
    assert await connection.entry.counter(VcCounter.TX_FRAMES) == sent
    assert await ndis.restart_adapter(one.stack.adapter) is NdisStatus.SUCCESS
    ours.send(b"afterwards")
    await one.until(lambda: theirs.received[-1] == b"afterwards", "what is sent afterwards")
    assert theirs.received == [*[sdu(n, 1500) for n in range(sent)], b"afterwards"]
    assert await connection.entry.counter(VcCounter.TX_FRAMES) == (1 if miniport == "6-co" else 4)
    await finish(one, other)


@cocotb.test()
async def a_reset_in_traffic_brings_connections_back(dut):
    """ST-13: sends end, contracts stay, data flows again."""
    one, other = await co_hosts(dut)
    ends = [await calls(one, other, 100 + n, rate=25_000_000) for n in range(3)]
    for ours, _ in ends:
        ours.send(*[sdu(n, 600) for n in range(40)])
    await one.clock.sleep(150_000)
    assert await ndis.reset_adapter(one.stack.adapter) is NdisStatus.SUCCESS
    for number, (ours, theirs) in enumerate(ends):
        assert not ours.in_flight
        before = len(theirs.received)
        ours.send(bytes([number]) * 100)
        await one.until(lambda theirs=theirs, before=before: len(theirs.received) > before, "data after the reset")
        assert theirs.received[-1] == bytes([number]) * 100
    await finish(one, other)


@cocotb.test()
async def many_connections_at_once(dut):
    """64 VCs of different contracts, data on all of them both ways."""
    one, other = await co_hosts(dut)
    most = one.stack.connections.entries
    ends = [await calls(one, other, 100 + n, rate=1_250_000 * (1 + n % 8)) for n in range(most)]
    for number, (ours, theirs) in enumerate(ends):
        ours.send(*[sdu(number + n, 100 + n) for n in range(3)])
        theirs.send(sdu(number, 60))
    for number, (ours, theirs) in enumerate(ends):
        await one.until(
            lambda ours=ours, theirs=theirs: len(theirs.received) == 3 and ours.received, f"data of {number}"
        )
        assert theirs.received == [sdu(number + n, 100 + n) for n in range(3)]
        assert ours.received == [sdu(number, 60)]
    await finish(one, other)


@cocotb.test()
@cocotb.parametrize(length=[46, 1496])
async def data_on_a_connection_is_as_fast_as_without(dut, length):
    """Octets on the wire per time: within one hundredth of those of the connectionless path, which fills the line."""
    raws = [RawProtocol(), RawProtocol()]
    one, other = await co_hosts(dut, protocols=lambda number: (raws[number],), connections=CoConfig())
    ours, theirs = await calls(one, other)
    number = 200 if length < 100 else 80
    raws[0].bindings["nic0"].send(*[address(1) + address(0) + b"\x88\xb5" + sdu(n, length) for n in range(number)])
    received = raws[1].bindings["nic1"].received
    await one.until(lambda: len(received) == number, "all frames")
    without = wire_share(one.wire)
    one.wire.clear()
    ours.send(*[sdu(n, length) for n in range(number)])
    await one.until(lambda: len(theirs.received) == number, "all SDUs")
    assert wire_share(one.wire) > 0.99 * without > 0.97
    await finish(one, other)


def wire_share(wire):
    """The part of the line's time that the frames took, with preamble and gap."""
    octets = sum(counted(frame.data) + 20 for frame in wire[:-1])
    return octets * 8 / (wire[-1].time_ns - wire[0].time_ns)

# SPDX-License-Identifier: Apache-2.0
"""The whole stack on one card of Verilog: what is received, filtered, counted, moderated and said of the link.

Each test's `finish` also shows that a halt leaves nothing outstanding (ST-18, ST-19).
"""

import os
import random

import cocotb
from stack_bench import BROADCAST, OWN, finish, frame, one

from hilnic import ndis
from hilnic.miniport.filter import hash_index
from hilnic.ndis import PacketFilter
from hilnic.wire.link import WireFrame

FAST = os.environ.get("HILNIC_SIM") == "verilator"
"""Random tests take more rounds on the faster simulator."""


# --- receive ----------------------------------------------------------------------------------------------------------


@cocotb.test()
async def bad_frames_are_counted_and_never_indicated(dut):
    """R6-17: wrong FCS, RX_ER, runt and oversize, a good frame between any two."""
    host = await one(dut)
    bad = [
        WireFrame(frame(1, 100), fcs_ok=False), WireFrame(frame(2, 100), error=True), WireFrame(frame(3, 40)),
        WireFrame(frame(4, 1515)), WireFrame(frame(5, 40), fcs_ok=False), WireFrame(frame(6, 2000), fcs_ok=False),
    ]  # fmt: skip
    for number, one_bad in enumerate(bad):
        host.inject(one_bad, frame(100 + number))
    await host.until(lambda: len(host.received) == len(bad))
    await host.run(10_000)
    assert host.received == [frame(100 + number) for number in range(len(bad))]
    assert (await host.statistics()).if_in_errors == len(bad)
    await finish(host)


def _hold(binding, nbls, count, flags):
    if not flags & ndis.ReceiveFlags.RESOURCES:
        binding.hold(nbls)


@cocotb.test()
async def without_buffers_frames_are_dropped_and_counted_and_traffic_resumes(dut):
    """R6-18: the protocol keeps every buffer; what it holds stays intact (R6-06); all is well when it lets go."""
    host = await one(dut, raw={"on_receive": _hold}, rx_ring=8, rx_buffers=8, rx_low_water=0)
    frames = [frame(n, 1514) for n in range(36)]
    host.inject(*frames)
    await host.until(lambda: host.card.link.backlog == 0, limit_ns=2_000_000)
    await host.run(10_000)
    held = [nbl.first_net_buffer.tobytes() for nbl in host.binding._held]
    discards = (await host.statistics()).if_in_discards
    assert held == frames[:8] and discards > 0
    host.raw.on_receive = None
    host.binding.release()
    await host.until(lambda: len(host.received) == 36 - 8 - discards)
    host.inject(*frames[:20])
    await host.until(lambda: host.received[-20:] == frames[:20])
    await finish(host)


@cocotb.test()
async def when_buffers_get_scarce_frames_are_lent_for_the_call_only_until_they_come_back(dut):
    """R6-19, R6-21, R6-22: RESOURCES from the low-water mark on, gone after the returns; nothing lost or overtaken."""
    seen = []

    def receive(binding, nbls, count, flags):
        lent = bool(flags & ndis.ReceiveFlags.RESOURCES)
        seen.extend((nbl.first_net_buffer.tobytes(), lent) for nbl in ndis.walk(nbls))
        if not lent:
            binding.hold(nbls)

    host = await one(dut, raw={"on_receive": receive}, rx_ring=16, rx_buffers=24, rx_low_water=8)
    frames = [frame(n) for n in range(60)]
    host.inject(*frames[:40])
    await host.until(lambda: len(seen) == 40)
    assert seen == [(data, n >= 16) for n, data in enumerate(frames[:40])]
    host.binding.release()
    host.inject(*frames[40:50])
    await host.until(lambda: len(seen) == 50)
    assert seen[40:] == [(data, False) for data in frames[40:50]]
    assert (await host.statistics()).if_in_discards == 0
    await finish(host)


@cocotb.test()
@cocotb.parametrize(mtu_and_buffer=[(1500, 64), (9000, 2048), *([(1500, 256), (9000, 16384)] if FAST else [])])
async def a_frame_longer_than_a_buffer_takes_several_and_overruns_none(dut, mtu_and_buffer):
    """RG-10: a stray byte behind a buffer would be a DeviceFault; a longer frame than the maximum is dropped."""
    mtu, buffer = mtu_and_buffer
    host = await one(dut, mtu=mtu, rx_buffer_bytes=buffer, rx_buffer_offset=3, raw={"buffer_bytes": 9100})
    lengths = [60, buffer - 1, buffer, buffer + 1, 2 * buffer, 2 * buffer + 1, mtu + 14]
    frames = [frame(n, min(mtu + 14, max(60, length))) for n, length in enumerate(lengths)]
    host.inject(frame(99, mtu + 15))
    await host.both(frames)
    assert (await host.statistics()).if_in_errors == 1
    await finish(host)


# --- filter, statistics, moderation, link -----------------------------------------------------------------------------

GROUP, OTHER_GROUP = b"\x01\0\x5e\0\0\1", b"\x01\0\x5e\0\0\2"
DESTINATIONS = {"own": OWN, "stranger": b"\x02\xaa\0\0\0\1", "group": GROUP, "other": OTHER_GROUP, "all": BROADCAST}
ACCEPTED = {
    0: set(),
    PacketFilter.DIRECTED: {"own"},
    PacketFilter.MULTICAST: {"group"},
    PacketFilter.ALL_MULTICAST: {"group", "other"},
    PacketFilter.BROADCAST: {"all"},
    PacketFilter.PROMISCUOUS: set(DESTINATIONS),
    PacketFilter.DIRECTED | PacketFilter.MULTICAST | PacketFilter.BROADCAST: {"own", "group", "all"},
}


@cocotb.test()
async def each_packet_filter_lets_in_what_it_says(dut):
    """OI-10, OI-11: the matrix of filters and destinations, in the NIC as well as at the protocol."""
    host = await one(dut)
    await host.binding.set_multicast_list([GROUP])
    for packet_filter, accepted in ACCEPTED.items():
        await host.binding.set_filter(packet_filter)
        await host.run(5_000)
        before, have = await host.rx_counters(), len(host.received)
        host.inject(*[frame(0, destination=destination) for destination in DESTINATIONS.values()])
        await host.until(lambda: host.card.link.backlog == 0)
        await host.run(8_000)
        after = await host.rx_counters()
        names = {name for name, a in DESTINATIONS.items() if frame(0, destination=a) in host.received[have:]}
        assert names == accepted, packet_filter
        assert after["DELIVERED_FRAMES"] - before["DELIVERED_FRAMES"] == len(accepted)
        assert after["DROP_FILTERED"] - before["DROP_FILTERED"] == 5 - len(accepted)
    await finish(host)


def _colliding(address):
    """Another group address in the same hash bucket."""
    for number in range(1, 100_000):
        other = b"\x01\0\x5e" + number.to_bytes(3, "big")
        if other != address and hash_index(other) == hash_index(address):
            return other
    raise AssertionError("64 buckets and no collision")


@cocotb.test()
async def a_stranger_in_a_hash_bucket_passes_the_nic_and_not_ndis(dut):
    """OI-12: 32 groups in the exact table, the 33rd in the hash; a collision is filtered once more above the driver."""
    host = await one(dut)
    groups = [b"\x01\0\x5e\x01\0" + bytes([n]) for n in range(33)]
    stranger = _colliding(groups[32])
    await host.binding.set_filter(PacketFilter.MULTICAST)
    await host.binding.set_multicast_list(groups)
    await host.run(20_000)
    frames = [frame(n, destination=group) for n, group in enumerate(groups)]
    host.inject(frame(99, destination=stranger), *frames)
    await host.until(lambda: len(host.received) >= 33)
    counters = await host.rx_counters()
    assert host.received == frames
    assert counters["DELIVERED_FRAMES"] == 34
    await finish(host)


@cocotb.test()
async def statistics_agree_with_the_wire_and_every_frame_has_one_fate(dut):
    """OI-13: random good and bad traffic; wire frames = delivered + the sum of all drop causes."""
    host, draw, wired = await one(dut), random.Random(3), []
    await host.binding.set_filter(PacketFilter.DIRECTED | PacketFilter.BROADCAST)
    await host.run(5_000)
    totals = dict.fromkeys(DESTINATIONS, (0, 0))
    for number in range(400 if FAST else 60):
        name = draw.choice(list(DESTINATIONS))
        data = frame(number, draw.choice((60, draw.randrange(60, 1515))), destination=DESTINATIONS[name])
        host.send(data)
        packets, octets = totals[name]
        totals[name] = packets + 1, octets + len(data)
        wired.append(WireFrame(data, fcs_ok=draw.random() > 0.1, error=draw.random() < 0.1))
    host.inject(*wired)
    await host.idle()
    await host.until(lambda: host.card.link.backlog == 0, limit_ns=20_000_000)
    await host.run(20_000)
    info, rx, tx = await host.statistics(), await host.rx_counters(), await host.tx_counters()
    good = [one_frame for one_frame in wired if one_frame.fcs_ok and not one_frame.error]
    assert rx["WIRE_FRAMES"] == len(wired) and rx["WIRE_OCTETS"] == sum(len(w.octets) for w in wired)
    assert rx["WIRE_FRAMES"] == rx["DELIVERED_FRAMES"] + sum(v for k, v in rx.items() if k.startswith("DROP_"))
    assert info.if_in_errors == len(wired) - len(good)
    assert info.if_hc_in_ucast_pkts == sum(w.data[:6] == OWN for w in good)
    assert info.if_hc_in_broadcast_octets == sum(len(w.data) for w in good if w.data[:6] == BROADCAST)
    unicast = [totals[name] for name in ("own", "stranger")]
    assert info.if_hc_out_ucast_octets == sum(octets for _, octets in unicast)
    assert info.if_hc_out_multicast_pkts == totals["group"][0] + totals["other"][0]
    assert tx["FRAMES"] == len(host.wire) == len(wired) and tx["OCTETS"] == sum(len(w.octets) for w in host.wire)
    assert info.broken_identity() is None
    await finish(host)


@cocotb.test()
async def moderation_by_count_saves_interrupts_and_the_timer_brings_the_rest(dut):
    """docs/nic.md section 8: eight frames per interrupt; three that come alone are reported when the ticks are over."""
    host = await one(dut, rx_moderation=(8, 6_000))
    before = host.card.device.interrupts
    host.inject(*[WireFrame(frame(n), ifg=500) for n in range(32)])  # a DPC is over before the next one comes
    await host.until(lambda: len(host.received) == 32)
    assert host.card.device.interrupts - before == 4
    began = host.harness.now_ns
    host.inject(*[frame(n) for n in range(3)])
    await host.until(lambda: len(host.received) == 35)
    assert host.harness.now_ns - began > 6_000 * 8
    assert host.card.device.interrupts - before == 5
    await finish(host)


@cocotb.test()
async def a_dpc_stops_at_its_budget_and_comes_again(dut):
    """IT-03: a flood with a budget of 4 frames per DPC loses nothing."""
    sizes = []

    def receive(binding, nbls, count, flags):
        sizes.append(count)
        binding.received.extend(nbl.first_net_buffer.tobytes() for nbl in ndis.walk(nbls))
        binding.return_nbls(nbls)

    host = await one(dut, raw={"on_receive": receive}, dpc_budget=4, rx_moderation=(32, 2000))
    frames = [frame(n) for n in range(100)]
    host.inject(*frames)
    await host.until(lambda: len(host.received) == 100)
    assert host.received == frames and max(sizes) == 4
    await finish(host)


@cocotb.test()
async def pulling_and_plugging_the_cable_is_indicated_each_time(dut):
    """OI-16."""
    host = await one(dut)
    for up in (0, 1, 0, 1):
        host.card.settings.link_up = up
        await host.run(20_000)
    states = [indication.buffer.media_connect_state for indication in host.binding.status_indications]
    assert states == [ndis.MediaConnectState.DISCONNECTED, ndis.MediaConnectState.CONNECTED] * 2
    await finish(host)

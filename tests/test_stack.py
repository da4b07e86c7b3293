# SPDX-License-Identifier: Apache-2.0
"""Claims about the whole host, protocol to Device port, over the software twin."""

import random
import struct

import pytest

from hilnic import ndis
from hilnic.hw.clock import VirtualClock
from hilnic.hw.memory import HostMemory
from hilnic.hw.timing import TimingModel
from hilnic.hw.trace import FIRST_WIRE_ID, Trace
from hilnic.miniport.config import NicConfig
from hilnic.model.nic import ModelNic
from hilnic.ndis import NdisStatus, Oid, PacketFilter
from hilnic.protocols.raw import RawProtocol
from hilnic.stack import Stack
from hilnic.wire.link import WireFrame, join

OWN = NicConfig().mac_address
PEER = b"\x02\0\0\0\0\x99"
LINE_RATE_NS = 672  # a frame of 64 octets with preamble and gap


def frame(number=0, length=60, destination=OWN, source=PEER):
    body = struct.pack(">I", number) + bytes((number + i) & 0xFF for i in range(max(0, length - 18)))
    return (destination + source + b"\x88\xb5" + body)[:length]


class Host:
    """A stack over a twin, with one raw binding and a list of what reached the wire."""

    def __init__(self, clock=None, *, timing=None, verify="fast", trace=None, on_receive=None, profile=None, **config):
        timing = timing or TimingModel()
        self.clock = clock or VirtualClock()
        self.memory = HostMemory(16 << 20, weak=timing.weak)
        self.nic = ModelNic(self.clock, self.memory, timing)
        self.wire = []
        self.nic.wire.connect(self.wire.append)
        self.raw = RawProtocol(on_receive=on_receive)
        self.stack = Stack(
            self.nic,
            self.clock,
            protocols=[self.raw],
            config=NicConfig(**config),
            verify=verify,
            timing=timing,
            trace=trace,
            profile=profile,
        )
        self.clock.run(self.stack.start())
        self.binding = self.raw.bindings["nic0"]

    @property
    def sent(self):
        return [wire_frame.data for wire_frame in self.wire]

    @property
    def received(self):
        return self.binding.received

    def inject(self, *frames):
        for data in frames:
            self.nic.wire.send(data)

    def run(self, nanoseconds=100_000):
        self.clock.run_until(self.clock.now_ns() + nanoseconds)

    def idle(self):
        self.clock.run(self.binding.wait_until_idle())

    def stop(self):
        self.clock.run(self.stack.stop())
        assert self.memory.live_mappings() == []
        assert self.memory.leaks() == []

    def statistics(self):
        return ndis.StatisticsInfo.parse(self.clock.run(self.binding.query(Oid.OID_GEN_STATISTICS)))


@pytest.fixture
def host():
    host = Host()
    yield host
    host.stop()


# --- traffic


def test_frames_go_out_and_come_in_byte_for_byte(host):
    frames = [frame(i, 60 + 13 * i) for i in range(60)]
    host.binding.send(*frames, fragments=3)
    host.inject(*frames)
    host.idle()
    host.run(500_000)
    assert host.sent == frames
    assert host.received == frames


@pytest.mark.rule("S6-13")
@pytest.mark.parametrize("length", [14, 20, 59, 60])
def test_a_short_frame_is_padded_with_zeros_and_the_senders_bytes_stay(host, length):
    host.binding.send(frame(1, length))
    host.idle()
    assert host.sent == [frame(1, length).ljust(60, b"\0")]


@pytest.mark.rule("RG-10")
@pytest.mark.parametrize(("mtu", "buffer"), [(1500, 256), (9000, 2048), (9000, 16384)])
def test_the_longest_frames_pass_both_ways_and_longer_ones_neither(mtu, buffer):
    host = Host(mtu=mtu, rx_buffer_bytes=buffer)
    longest = frame(1, mtu + 14)
    host.binding.send(longest, frame(2, mtu + 15))
    host.inject(longest, frame(2, mtu + 15))
    host.run(400_000)
    assert (host.sent, host.received) == ([longest], [longest])
    assert host.binding.statuses == [NdisStatus.INVALID_LENGTH]
    host.stop()


@pytest.mark.rule("RG-01")
@pytest.mark.parametrize("start", [0xFFFFFFF0, 0xFFFFFFFF])
def test_indices_near_2_to_the_32_change_nothing(start):
    host = Host(start_index=start, tx_ring=8, rx_ring=8, rx_buffers=16)
    frames = [frame(i) for i in range(50)]
    host.binding.send(*frames, fragments=2)
    for data in frames:
        host.inject(data)
    host.idle()
    host.run()
    assert (host.sent, host.received) == (frames, frames)
    host.stop()


@pytest.mark.rule("RG-02")
@pytest.mark.parametrize("size", [2, 4, 64])
def test_small_rings_carry_everything_in_order(size):
    host = Host(tx_ring=size, rx_ring=size, rx_buffers=2 * size, rx_low_water=0)
    frames = [frame(i, 60 + i) for i in range(100)]
    host.binding.send(*frames, fragments=2)
    host.inject(*frames)
    host.idle()
    host.run(500_000)
    assert (host.sent, host.received) == (frames, frames)
    host.stop()


@pytest.mark.parametrize("fragments", [1, 4])
def test_64_byte_frames_at_line_rate_in_both_directions_with_the_default_timing(fragments):
    def give_back(binding, nbls, count, flags):
        host.count += count
        binding.return_nbls(nbls)

    host = Host(on_receive=give_back)
    host.count = 0
    data, total = frame(), 1000
    for _ in range(total):
        host.nic.wire.send(data)
    began = host.clock.now_ns()
    sent = 0
    while sent < total:
        burst = min(64 - host.binding.outstanding, total - sent)
        host.binding.send(*[data] * burst, fragments=fragments)
        sent += burst
        host.run(2_000)
    host.idle()
    assert host.wire[-1].time_ns - host.wire[0].time_ns == (total - 1) * LINE_RATE_NS
    host.run(10_000)
    assert host.count == total
    assert host.clock.now_ns() - began < total * LINE_RATE_NS + 30_000
    assert host.statistics().if_in_discards == 0
    host.stop()


@pytest.mark.rule("RG-04", "RG-13")
@pytest.mark.parametrize("seed", range(6))
def test_jitter_reordering_and_weak_memory_change_no_result(seed):
    host = Host(timing=TimingModel(jitter_percent=100, stall_percent=30, reorder=True, weak=True, seed=seed))
    draw = random.Random(seed)
    frames = [frame(i, draw.randrange(14, 1515)) for i in range(80)]
    for data in frames:
        host.binding.send(data, fragments=draw.randrange(1, 6))
    host.inject(*frames)
    host.idle()
    host.run(2_000_000)
    padded = [data.ljust(60, b"\0") for data in frames]
    assert (host.sent, host.received) == (padded, padded)
    host.stop()


# --- two cards


def test_two_hosts_talk_over_a_cable_request_and_reply():
    clock = VirtualClock()

    def reply(binding, nbls, count, flags):
        for nbl in ndis.walk(nbls):
            data = nbl.first_net_buffer.tobytes()
            binding.send(data[6:12] + data[:6] + data[12:])
        if not flags & ndis.ReceiveFlags.RESOURCES:
            binding.return_nbls(nbls)

    client = Host(clock)
    server = Host(clock, mac_address=PEER, on_receive=reply)
    join(client.nic.wire, server.nic.wire)
    client.binding.send(*[frame(i, 60 + i, destination=PEER, source=OWN) for i in range(100)])
    client.idle()
    client.run(500_000)
    assert client.received == [frame(i, 60 + i) for i in range(100)]
    client.stop()
    server.stop()


# --- filter and statistics

GROUP, OTHER_GROUP, BROADCAST = b"\x01\0\x5e\0\0\1", b"\x01\0\x5e\0\0\2", b"\xff" * 6
DESTINATIONS = {"own": OWN, "stranger": b"\x02\xaa\0\0\0\1", "group": GROUP, "other": OTHER_GROUP, "all": BROADCAST}
ACCEPTED = {
    0: set(),
    PacketFilter.DIRECTED: {"own"},
    PacketFilter.MULTICAST: {"group"},
    PacketFilter.ALL_MULTICAST: {"group", "other"},
    PacketFilter.BROADCAST: {"all"},
    PacketFilter.PROMISCUOUS: {"own", "stranger", "group", "other", "all"},
    PacketFilter.DIRECTED | PacketFilter.MULTICAST | PacketFilter.BROADCAST: {"own", "group", "all"},
}


@pytest.mark.rule("OI-10", "OI-11")
@pytest.mark.parametrize("packet_filter", ACCEPTED)
def test_the_filter_matrix(host, packet_filter):
    host.clock.run(host.binding.set_multicast_list([GROUP]))
    host.clock.run(host.binding.set_filter(packet_filter))
    host.run(5_000)
    for address in DESTINATIONS.values():
        host.inject(frame(0, destination=address))
    host.run()
    found = {name for name, address in DESTINATIONS.items() if frame(0, destination=address) in host.received}
    assert found == ACCEPTED[packet_filter]


@pytest.mark.rule("OI-13")
def test_statistics_agree_with_the_wire_after_random_traffic(host):
    draw, totals = random.Random(3), {"own": [], "group": [], "all": []}
    host.clock.run(host.binding.set_filter(PacketFilter.PROMISCUOUS))
    host.run(5_000)
    for i in range(120):
        name = draw.choice(list(totals))
        data = frame(i, draw.randrange(60, 1400), destination=DESTINATIONS[name])
        totals[name].append(len(data))
        host.binding.send(data)
        host.inject(data)
    host.idle()
    host.run(2_000_000)
    info = host.statistics()
    for way in ("in", "out"):
        for kind, name in (("ucast", "own"), ("multicast", "group"), ("broadcast", "all")):
            assert getattr(info, f"if_hc_{way}_{kind}_pkts") == len(totals[name])
            assert getattr(info, f"if_hc_{way}_{kind}_octets") == sum(totals[name])
    assert (info.if_in_errors, info.if_in_discards, info.if_out_errors) == (0, 0, 0)


@pytest.mark.rule("R6-17")
def test_bad_frames_are_counted_and_never_indicated(host):
    host.nic.wire.send(WireFrame(frame(1, 100), fcs_ok=False))
    host.nic.wire.send(WireFrame(frame(2, 100), error=True))
    host.nic.wire.send(WireFrame(frame(3, 40)))
    host.inject(frame(4))
    host.run()
    assert host.received == [frame(4)]
    assert host.statistics().if_in_errors == 3


@pytest.mark.rule("R6-18")
def test_without_buffers_frames_are_discarded_and_counted_and_traffic_resumes():
    host = Host(
        on_receive=lambda binding, nbls, count, flags: binding.hold(nbls), rx_ring=8, rx_buffers=8, rx_low_water=0
    )
    host.inject(*[frame(i, 1514) for i in range(60)])
    host.run(2_000_000)
    kept = host.binding.statistics().received
    discards = host.statistics().if_in_discards
    assert kept == 8
    assert discards > 0
    host.raw.on_receive = None
    host.binding.release()
    host.run(200_000)
    assert len(host.received) == 60 - kept - discards
    host.inject(*[frame(100 + i) for i in range(20)])
    host.run()
    assert host.received[-20:] == [frame(100 + i) for i in range(20)]
    host.stop()


# --- link


@pytest.mark.rule("OI-16")
def test_pulling_and_plugging_the_cable_is_indicated_each_time(host):
    for up in (False, True, False, True):
        host.nic.set_link(up)
        host.run(20_000)
    changes = [i.buffer.media_connect_state for i in host.binding.status_indications]
    state = ndis.MediaConnectState
    assert changes == [state.DISCONNECTED, state.CONNECTED] * 2


# --- errors, reset, removal


class Traffic:
    """Full-duplex random traffic that notices nothing of what happens below."""

    def __init__(self, host, draw):
        self.host, self.draw, self.on, self.sent = host, draw, True, 0
        host.clock.call_at(host.clock.now_ns(), self._tick)

    def _tick(self):
        if not self.on:
            return
        lengths = [self.draw.randrange(14, 400) for _ in range(self.draw.randrange(1, 4))]
        if self.host.raw.bindings:
            frames = [frame(self.sent + i, length) for i, length in enumerate(lengths)]
            self.host.binding.send(*frames, fragments=self.draw.choice((1, 3)))
            self.sent += len(lengths)
        self.host.inject(*[frame(i, 60 + i) for i in range(len(lengths))])
        self.host.clock.call_at(self.host.clock.now_ns() + self.draw.randrange(500, 6_000), self._tick)


def good_frames_both_ways(host, number=100):
    """100 frames each way, all of them arrive."""
    host.wire.clear()
    host.received.clear()
    frames = [frame(1000 + i) for i in range(number)]
    host.binding.send(*frames)
    host.inject(*frames)
    host.idle()
    host.run(200_000)
    assert host.sent[-number:] == frames
    assert host.received[-number:] == frames


@pytest.mark.rule("ST-13", "ST-14")
@pytest.mark.parametrize("seed", range(20))
def test_ten_resets_at_random_times_under_full_duplex_traffic(seed):
    draw = random.Random(seed)
    host = Host(tx_ring=16, rx_ring=16, rx_buffers=32)
    traffic, idle = Traffic(host, draw), []
    end_traffic = host.stack.nic._end_traffic
    host.stack.nic._end_traffic = lambda status: idle.append(host.nic._dma.idle) or end_traffic(status)
    for _ in range(10):
        host.run(draw.randrange(1, 30_000))
        assert host.clock.run(ndis.reset_adapter(host.stack.adapter)) == NdisStatus.SUCCESS
    traffic.on = False
    host.run(300_000)
    statistics = host.binding.statistics()
    assert statistics.completed == statistics.sent > 0
    assert set(host.binding.statuses) <= {NdisStatus.RESET_IN_PROGRESS}
    assert idle == [True] * 10  # no memory changes hands before the NIC is idle (RG-12)
    good_frames_both_ways(host)
    host.stop()


@pytest.mark.rule("ST-17")
@pytest.mark.parametrize("seed", range(60))
def test_a_removal_at_a_random_time_under_full_duplex_traffic(seed):
    draw = random.Random(seed)
    host = Host(tx_ring=16, rx_ring=16, rx_buffers=32)
    traffic = Traffic(host, draw)
    host.run(draw.randrange(1, 80_000))
    host.nic.remove()
    host.clock.run(ndis.surprise_remove_adapter(host.stack.adapter))
    traffic.on = False
    statistics = host.binding.statistics()
    assert statistics.completed == statistics.sent
    assert set(host.binding.statuses) <= {NdisStatus.NOT_ACCEPTED}
    host.run()
    host.stop()


@pytest.mark.rule("RG-14")
@pytest.mark.parametrize("channel", ["ar", "aw"])
@pytest.mark.parametrize("first", [1, 21, 41])
def test_a_bus_error_on_any_burst_ends_in_recovery_and_100_good_frames(channel, first):
    for number in range(first, first + 20, 3):  # each one of them: tb/error_tests.py, over the Verilog
        host = Host(tx_ring=64, rx_ring=64, rx_buffers=128)
        host.nic.inject_bus_error(channel, number)
        frames = [frame(i, 300) for i in range(20)]
        for data in frames:
            host.binding.send(data, fragments=2)
            host.inject(data)
            host.run(500)
        host.run(200_000)
        assert host.binding.outstanding == 0
        assert len(host.sent) >= 20 - len(host.binding.statuses)
        good_frames_both_ways(host)
        host.stop()


@pytest.mark.rule("RG-12")
def test_a_stopped_transmit_clock_ends_the_pause_and_traffic_resumes_with_it():
    host = Host(stall_ns=50_000)
    host.nic.stop_clock("tx")
    host.binding.send(*[frame(i) for i in range(5)])
    host.run(5_000)
    pause = host.clock.start(host.stack.nic.pause())
    host.run(500_000)
    assert pause.done()
    assert host.binding.outstanding == 0
    host.nic.start_clock("tx")
    assert host.clock.run(host.stack.nic.restart()) == NdisStatus.SUCCESS
    good_frames_both_ways(host)
    host.stop()


@pytest.mark.rule("ST-18", "RG-12")
def test_after_halt_the_nic_touches_no_memory():
    host = Host()
    traffic = Traffic(host, random.Random(1))
    host.run(50_000)
    host.stop()
    host.inject(*[frame(i) for i in range(20)])
    host.run(500_000)
    traffic.on = False
    assert host.nic._dma.idle
    assert host.memory.live_mappings() == []


# --- trace


def traced(seed):
    trace = Trace(enabled=True)
    host = Host(trace=trace, timing=TimingModel(jitter_percent=50, seed=seed))

    def reaches_wire(wire_frame):
        trace.emit_at(wire_frame.time_ns, "wire.tx", frame=trace.find("tx", wire_frame.data))

    host.nic.wire.connect(reaches_wire)
    for i in range(5):
        trace.emit("wire.rx", frame=trace.tag("rx", frame(i)))
        host.inject(frame(i))
        host.binding.send(frame(i, 20), fragments=2)
    host.idle()
    host.run()
    host.stop()
    return trace


def test_one_id_follows_a_frame_from_nbl_to_descriptor_to_wire_and_back():
    trace = traced(1)
    sent = [kind for _, kind, _ in trace.follow(1)]
    assert sent == ["nbl.send", "tx.descriptors", "wire.tx", "tx.completion", "nbl.complete"]
    received = [kind for _, kind, _ in trace.follow(FIRST_WIRE_ID)]
    assert received == ["wire.rx", "rx.completion", "nbl.indicate", "nbl.return"]


def test_equal_seeds_give_equal_traces_byte_for_byte():
    assert list(traced(7).lines()) == list(traced(7).lines())
    assert list(traced(7).lines()) != list(traced(8).lines())


def test_the_data_path_reads_no_register(host):
    reads = []
    read32 = host.nic.read32
    host.nic.read32 = lambda offset: reads.append(offset) or read32(offset)
    for i in range(30):
        host.binding.send(frame(i))
        host.inject(frame(i))
        host.run(2_000)
    host.run()
    assert len(host.received) == 30
    assert reads == []

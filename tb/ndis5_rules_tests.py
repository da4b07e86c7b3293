# SPDX-License-Identifier: Apache-2.0
"""What NDIS promises to NDIS 5 drivers, shown by drivers of the card: several protocols, transfers, loopback."""

from dataclasses import replace

import cocotb
from ndis5_bench import DRIVERS, FAST, Curious, out, stack
from stack_bench import BROADCAST, OWN, finish, frame

from hilnic import ndis
from hilnic.ndis import NdisStatus, ndis5
from hilnic.ndis.ndis5 import PacketFlags
from hilnic.protocols.raw5 import RawProtocol5

ROUNDS = 40 if FAST else 8


# --- receive ----------------------------------------------------------------------------------------------------------


@cocotb.test()
async def three_protocols_share_a_packet_one_after_the_other(dut):
    """R5-03, R5-04, R5-10, C5-08: the same packet for all; it is the driver's again after the last return."""
    seen, ups = [], []

    def peek(binding, packet):
        seen.append((ups.index(binding.protocol), packet))
        return binding.receive_packet(packet)

    ups += [Curious(peek, name=f"up{n}", handlers="packet", holds=n != 1) for n in range(3)]
    host = await stack(dut, *ups, rx_ring=16, rx_buffers=64, rx_low_water=0)
    bindings = [up.bindings["nic0"] for up in ups]
    await bindings[1].set_filter(ndis.PacketFilter.BROADCAST)
    frames = [frame(n, 100, BROADCAST) for n in range(10)]
    host.inject(*frames)
    await host.until(lambda: len(seen) == 30)
    assert [number for number, _ in seen] == [0, 1, 2] * 10
    assert all(seen[n][1] is seen[n + 1][1] is seen[n + 2][1] for n in range(0, 30, 3))
    assert all(binding.received == frames for binding in bindings)
    assert host.nic.rx.lent == 10
    bindings[0].release()
    assert host.nic.rx.lent == 10
    bindings[2].release()
    assert host.nic.rx.lent == 0
    host.inject(frame(11))
    await host.until(lambda: bindings[0].received[-1] == bindings[2].received[-1] == frame(11))
    assert bindings[1].received == frames
    await finish(host)


@cocotb.test()
@cocotb.parametrize(miniport=DRIVERS)
async def a_transfer_moves_what_there_is_and_no_more(dut, miniport):
    """R5-19, R5-20, R5-26, R5-30: offsets count behind the header; beyond the end FAILURE; too short, it is filled."""
    data, found, asked = frame(1, 900), [], {}

    def fetch(binding, context, offset, number, room):
        packet = binding.store.empty(room)
        asked[packet] = offset, number
        status, moved = ndis5.transfer_data(binding.handle, context, offset, number, packet)
        if status is not NdisStatus.PENDING:
            transferred(binding, packet, status, moved)

    def transferred(binding, packet, status, moved):
        found.append((*asked.pop(packet), status, packet.tobytes()[:moved]))
        binding.store.free(packet)

    def peek(binding, context, header, lookahead, size):
        assert bytes(header) + bytes(lookahead) == data[: 14 + len(lookahead)]
        for offset, number, room in ((0, 886, 886), (100, 50, 50), (100, 50, 20), (800, 87, 87), (886, 0, 1)):
            fetch(binding, context, offset, number, room)
        return NdisStatus.SUCCESS

    class Fetching(Curious):
        def _characteristics(self):
            return replace(super()._characteristics(), transfer_data_complete=transferred)

    up = Fetching(peek, handlers="lookahead")
    host = await stack(dut, up, miniport=miniport, seed=4)
    host.inject(data)
    await host.until(lambda: len(found) == 5)
    well = [(offset, number, content) for offset, number, status, content in found if status is NdisStatus.SUCCESS]
    assert sorted(well) == sorted(
        [(0, 886, data[14:]), (100, 50, data[114:164]), (100, 50, data[114:134]), (886, 0, b"")]
    )
    assert [(offset, number) for offset, number, status, _ in found if status is NdisStatus.FAILURE] == [(800, 87)]
    assert host.stack.host.report.warnings == []
    await finish(host)


@cocotb.test()
@cocotb.parametrize(miniport=DRIVERS)
async def what_nobody_accepts_is_dropped_and_what_was_shown_is_gone(dut, miniport):
    """R5-17, R5-25: NOT_ACCEPTED is no error; header and lookahead are poisoned after the call; buffers come back."""
    shown = []

    def peek(binding, context, header, lookahead, size):
        shown.append((header, lookahead, bytes(header)))
        return NdisStatus.NOT_ACCEPTED

    host = await stack(
        dut, Curious(peek, handlers="lookahead"), miniport=miniport, rx_ring=4, rx_buffers=8, rx_low_water=0
    )
    for first in range(0, ROUNDS, 4):
        host.inject(*[frame(n, 500) for n in range(first, first + 4)])
        await host.until(lambda wanted=first + 4: len(shown) == wanted)
    assert all(bytes(header) != was and bytes(header) == bytes(header[:1]) * 14 for header, _, was in shown)
    assert all(bytes(lookahead) == bytes(lookahead[:1]) * len(lookahead) for _, lookahead, _ in shown)
    assert host.nic.rx.lent == 0
    await finish(host)


@cocotb.test()
async def times_travel_out_of_band(dut):
    """OB-03, OB-04: when a frame was received, by both receive handlers; when a packet was sent."""
    times, sent = [], []

    def by_packet(binding, packet):
        times.append(ndis5.get_packet_time_received(packet))
        return 0

    def by_lookahead(binding, context, header, lookahead, size):
        packet = ndis5.get_received_packet(binding.handle, context)
        times.append(ndis5.get_packet_time_received(packet))
        return NdisStatus.SUCCESS

    class Sending(Curious):
        def _characteristics(self):
            return replace(super()._characteristics(), send_complete=completed)

    def completed(binding, packet, status):
        sent.append(ndis5.get_packet_time_sent(packet))
        binding.completed(packet, status)

    one = Sending(by_packet, name="one", handlers="packet")
    host = await stack(dut, one, Curious(by_lookahead, name="two", handlers="lookahead"))
    for number in range(3):
        begun = host.harness.now_ns
        host.inject(frame(number))
        one.bindings["nic0"].send(out(number))
        await host.until(lambda wanted=number + 1: len(times) == 2 * wanted and len(sent) == wanted)
        assert times[-1] == times[-2]
        latest = host.harness.now_ns + 1_000  # what the CPU has done is charged behind the clock
        assert begun < times[-1] <= latest
        assert begun < sent[-1] <= latest
    await finish(host)


# --- loopback ---------------------------------------------------------------------------------------------------------


@cocotb.test()
@cocotb.parametrize(miniport=DRIVERS, handlers=["packet", "lookahead"])
async def a_packet_to_ourselves_loops_unless_it_says_no(dut, miniport, handlers):
    """LB-10, LB-12, LB-13, R5-15: NDIS loops for a 5.x miniport; looped and from the wire arrive the same way."""
    up = RawProtocol5(handlers=handlers)
    host = await stack(dut, up, miniport=miniport)
    ours = [frame(n, 300, OWN, OWN) for n in range(4)]
    host.send(ours[0])
    host.binding.send(ours[1], flags=int(PacketFlags.DONT_LOOPBACK))
    host.binding.send(ours[2], flags=int(PacketFlags.LOOPBACK_ONLY))
    host.send(ours[3])
    await host.idle()
    await host.until(lambda: len(host.sent) == 3)
    assert host.sent == [ours[0], ours[1], ours[3]]
    assert host.received == [ours[0], ours[2], ours[3]]
    await finish(host)


@cocotb.test()
@cocotb.parametrize(miniport=[*DRIVERS, "6"])
async def a_nic_that_loops_and_ndis_make_one_copy_of_each_packet(dut, miniport):
    """LB-09, LB-10: what the NIC gets it turns round, what it does not get NDIS does; nothing is there twice."""
    host = await stack(dut, RawProtocol5(), miniport=miniport, loopback=True)
    ours = [frame(n, 300, OWN, OWN) for n in range(3)]
    host.send(ours[0])
    await host.until(lambda: len(host.received) == 1)
    host.binding.send(ours[1], flags=int(PacketFlags.LOOPBACK_ONLY))
    await host.until(lambda: len(host.received) == 2)
    host.send(ours[2])
    await host.idle()
    await host.run(10_000)
    assert host.received == ours
    assert host.sent == []
    await finish(host)

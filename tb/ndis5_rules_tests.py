# SPDX-License-Identifier: Apache-2.0
"""What NDIS promises to NDIS 5 drivers, shown by drivers of the card: several protocols, transfers, loopback, order.

One module, because each is a simulator process of its own, whose start costs more than most tests
(docs/architecture.md); the sections are its themes.
"""

import itertools
import os
import random
from dataclasses import replace

import cocotb
from stack_bench import BROADCAST, OWN, PEER, finish, frame, hosts

from hilnic import ndis
from hilnic.ndis import NdisStatus, Oid, ndis5
from hilnic.ndis.ndis5 import NdisRequest, PacketFlags, Tsdu, tdi_return_chained_receives
from hilnic.protocols.ipv4_5 import Ipv4Protocol5
from hilnic.protocols.raw5 import RawBinding5, RawProtocol5
from hilnic.testing.im5 import FunctionalIntermediate5
from hilnic.testing.protocol5 import FunctionalProtocol5
from hilnic.wire.arp import ArpPacket, Operation
from hilnic.wire.ethernet import EthernetFrame, EtherType

FAST = os.environ.get("HILNIC_SIM") == "verilator"
ROUNDS = 40 if FAST else 8
DRIVERS = ["5", "5-lookahead"]


def out(number, length=60):
    return frame(number, length, PEER, OWN)


async def stack(dut, *protocols, miniport="5", **options):
    (host,) = await hosts(dut, protocols=lambda _: list(protocols), miniport=miniport, **options)
    return host


class Curious(RawProtocol5):
    """A raw protocol whose receive handlers are the test's: `peek(binding, context, header, lookahead, size)`."""

    def __init__(self, peek, **options):
        super().__init__(**options)
        self.peek = peek

    def _characteristics(self):
        plain = super()._characteristics()
        if self.handlers == "packet":
            return replace(plain, receive_packet=self.peek)
        return replace(plain, receive=self.peek)


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


# --- control ----------------------------------------------------------------------------------------------------------


@cocotb.test()
async def a_serialized_driver_is_called_once_at_a_time(dut):
    """C5-03, C5-04, S5-03: answers from inside a receive handler wait until MiniportHandleInterrupt has returned."""
    up = Ipv4Protocol5(b"\x0a\x4d\0\x03", OWN)
    host = await stack(dut, up, miniport="5-lookahead")
    edge, running, events = host.stack.adapter.context, [], []

    def watched(name, handler):
        def call(*arguments):
            assert not running, f"{name} inside of {running}"
            running.append(name)
            events.append(name)
            result = handler(*arguments)
            running.pop()
            return result

        return call

    plain = edge.miniport.characteristics
    names = ("isr", "handle_interrupt", "enable_interrupt", "query_information", "set_information")
    edge.miniport.characteristics = replace(plain, **{name: watched(name, getattr(plain, name)) for name in names})
    edge.send_handler = watched("send", edge.send_handler)
    request = ArpPacket(Operation.REQUEST, PEER, b"\x0a\x4d\0\x02", bytes(6), b"\x0a\x4d\0\x03").emit()
    for _ in range(ROUNDS):
        host.inject(EthernetFrame(BROADCAST, PEER, EtherType.ARP, request).emit())
    binding = up.raw.bindings["nic0"]
    await binding.set_filter(ndis.PacketFilter.BROADCAST | ndis.PacketFilter.ALL_MULTICAST)
    await binding.query(Oid.OID_GEN_TRANSMIT_BUFFER_SPACE)
    await host.until(lambda: len(host.sent) == ROUNDS)
    assert {*names, "send"} == set(events)
    assert events.count("handle_interrupt") == events.count("enable_interrupt")
    order = [name for name in events if name in {"isr", "handle_interrupt", "enable_interrupt"}]
    assert all(b == "enable_interrupt" for a, b in itertools.pairwise(order) if a == "handle_interrupt")
    edge.miniport.characteristics = plain
    await finish(host)


@cocotb.test()
@cocotb.parametrize(miniport=DRIVERS)
async def requests_queue_and_each_ends_once(dut, miniport):
    """C5-06, C5-07: sixteen at once, one at a time below, completed in order."""
    ended, asked = [], []

    class Asking(RawProtocol5):
        def _characteristics(self):
            return replace(super()._characteristics(), request_complete=completed)

    def completed(binding, request, status):
        if request in asked:
            ended.append((request, status))
        else:
            binding.request_complete(request, status)

    up = Asking()
    host = await stack(dut, up, miniport=miniport)
    query = ndis.RequestType.QUERY_INFORMATION
    asked += [NdisRequest(query, Oid.OID_GEN_XMIT_ERROR, bytearray(4)) for _ in range(16)]
    answers = [ndis5.request(host.binding.handle, request) for request in asked]
    assert set(answers) == {NdisStatus.PENDING}
    await host.until(lambda: len(ended) == 16)
    assert ended == [(request, NdisStatus.SUCCESS) for request in asked]
    await finish(host)


@cocotb.test()
async def a_close_waits_for_what_is_held_and_a_bind_works_again(dut):
    """C5-10, C5-15, R5-32: the unbind ends with the last return."""
    up = RawProtocol5(handlers="packet", holds=True)
    host = await stack(dut, up, rx_low_water=0)
    for number in range(3):
        binding, held = host.binding, []
        host.inject(*[frame(n) for n in range(4)])
        await host.until(lambda: len(host.received) == 4)
        held, binding._held = binding._held, []  # the protocol forgets to return before it closes
        unbind = cocotb.start_soon(ndis.unbind_protocol(binding.handle.core))
        await host.run(20_000)
        assert not unbind.done(), f"round {number}"
        ndis5.return_packets(held, binding.handle)
        await unbind
        assert "nic0" not in up.bindings
        await ndis.bind_protocol(up.handle, host.stack.adapter)
    host.inject(frame(9))
    await host.until(lambda: host.received == [frame(9)])
    await finish(host)


@cocotb.test()
@cocotb.parametrize(miniport=DRIVERS)
async def a_shutdown_silences_the_nic_and_does_nothing_else(dut, miniport):
    """C5-14: MiniportShutdown; no DMA afterwards."""
    host = await stack(dut, RawProtocol5(), miniport=miniport)
    host.inject(frame(1))
    await host.until(lambda: host.received == [frame(1)])
    ndis.shutdown_adapter(host.stack.adapter)
    await host.run(20_000)
    before = (host.card.statistics.reads, host.card.statistics.writes)
    host.inject(frame(2))
    await host.run(20_000)
    assert (host.card.statistics.reads, host.card.statistics.writes) == before
    assert host.received == [frame(1)]
    assert isinstance(host.binding, RawBinding5)
    host.harness.stop()


# --- drivers in between, and above ------------------------------------------------------------------------------------


class Tower:
    """Intermediate drivers above one another over the card, and functional protocols on the topmost; a HostProtocol."""

    async def register(self, host):
        """The adapter is not there yet: `build` does the work."""
        self.host = host

    async def deregister(self):
        """`take_down` has done it."""

    async def build(self, levels, uppers, **options):
        self.ims, lower = [], "nic0"
        for level in range(levels):
            number = uppers if level == levels - 1 else 1
            self.ims.append(FunctionalIntermediate5(self.host, lower, f"im{level}", uppers=number, **options))
            await self.ims[-1].start()
            lower = f"im{level}.0"
        self.fps = [FunctionalProtocol5(self.host, f"fp{n}", "packet", f"im{levels - 1}.{n}") for n in range(uppers)]
        for fp in self.fps:
            await fp.start()
            await fp.listen()

    async def take_down(self):
        for fp in self.fps:
            await fp.stop()
        for im in reversed(self.ims):
            await im.stop()


WAYS = {  # levels, virtual adapters, reuse, counts_uppers
    "the packet itself": (1, 1, True, True),
    "copies": (1, 1, False, True),
    "two above, counted by NDIS": (1, 2, True, True),
    "two above, counted by the driver": (1, 2, True, False),
    "two deep": (2, 1, True, True),
}


@cocotb.test()
@cocotb.parametrize(way=list(WAYS))
async def intermediate_drivers_of_ndis_5_stand_over_the_card(dut, way):
    """R5-34, R5-35, OB-05, OB-06: the packet itself, or one of its own with the out-of-band data; returns balance."""
    levels, uppers, reuse, counts_uppers = WAYS[way]
    tower = Tower()
    host = await stack(dut, tower, rx_ring=16, rx_buffers=64, rx_low_water=0)
    await tower.build(levels, uppers, reuse=reuse, counts_uppers=counts_uppers)
    await host.run(20_000)
    draw, number = random.Random(3), ROUNDS
    for first in range(0, number, 8):
        for fp in tower.fps:
            fp.references = draw.randrange(3)
        host.inject(*[frame(n, draw.randrange(60, 400), BROADCAST) for n in range(first, first + 8)])
        tower.fps[0].send_array(*[out(n, 200) for n in range(first, first + 8)])
        await host.until(lambda wanted=first + 8: all(len(fp.received) == wanted for fp in tower.fps))
        for fp in tower.fps:
            for packet in draw.sample(fp.held, len(fp.held) // 2):
                assert packet.tobytes() in fp.received
                assert ndis5.get_packet_time_received(packet) > 0
                fp.give_back(packet)
    await host.until(lambda: len(tower.fps[0].completed) == number and len(host.sent) == number)
    assert host.sent == [out(n, 200) for n in range(number)]
    assert {status for _, status in tower.fps[0].completed} == {NdisStatus.SUCCESS}
    assert all(fp.received == tower.fps[0].received for fp in tower.fps)
    for fp in tower.fps:
        if fp.held:
            fp.give_back()
    assert host.nic.rx.lent == 0
    assert all(im.owed == {} for im in tower.ims)
    lowest = tower.ims[0]
    assert (lowest.passed > 0, lowest.copied > 0) == (reuse, not reuse or uppers > 1 or levels > 1)
    await tower.take_down()
    await finish(host)


@cocotb.test()
async def a_highest_level_driver_answers_the_number_of_its_clients(dut):
    """R5-33: each client returns the chained receive once; the buffer is the card's after the last of them."""
    clients = [[], [], []]

    def peek(binding, packet):
        data = packet.tobytes()
        takers = [held for divisor, held in enumerate(clients, 1) if data[17] % divisor == 0]
        for held in takers:
            held.append((Tsdu(binding.handle, packet, held), data))
        return len(takers)

    host = await stack(dut, Curious(peek, handlers="packet"), rx_ring=16, rx_buffers=64, rx_low_water=0)
    host.inject(*[frame(n, 100 + n) for n in range(12)])
    await host.until(lambda: len(clients[0]) == 12)
    assert [len(held) for held in clients] == [12, 6, 4]
    assert host.nic.rx.lent == 12
    for held, left in zip(clients, (8, 4, 0), strict=True):
        assert all(tsdu.tobytes() == data for tsdu, data in held)
        tdi_return_chained_receives([tsdu for tsdu, _ in held])
        assert host.nic.rx.lent == left
    await finish(host)

# SPDX-License-Identifier: Apache-2.0
"""What NDIS promises to NDIS 5 drivers, shown by drivers of the card: order of calls, and drivers in between."""

import itertools
import random
from dataclasses import replace

import cocotb
from ndis5_bench import DRIVERS, FAST, Curious, out, stack
from stack_bench import BROADCAST, OWN, PEER, finish, frame

from hilnic import ndis
from hilnic.ndis import NdisStatus, Oid, ndis5
from hilnic.ndis.ndis5 import NdisRequest, Tsdu, tdi_return_chained_receives
from hilnic.protocols.ipv4_5 import Ipv4Protocol5
from hilnic.protocols.raw5 import RawBinding5, RawProtocol5
from hilnic.testing.im5 import FunctionalIntermediate5
from hilnic.testing.protocol5 import FunctionalProtocol5
from hilnic.wire.arp import ArpPacket, Operation
from hilnic.wire.ethernet import EthernetFrame, EtherType

ROUNDS = 40 if FAST else 8


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

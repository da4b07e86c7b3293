# SPDX-License-Identifier: Apache-2.0
"""The connectionless data path of NDIS 6 over the Verilog: sends that are unusual, receives, frame types, copies.

Each test's `finish` also shows that a halt leaves nothing outstanding (ST-18, ST-19).
"""

import os
import random

import cocotb
from paths_bench import Protocol, with_protocols
from stack_bench import OWN, PEER, finish, frame

from hilnic import ndis
from hilnic.ndis import NdisStatus, Profile, ReceiveFlags, SendFlags

FAST = os.environ.get("HILNIC_SIM") == "verilator"


# --- sends ------------------------------------------------------------------------------------------------------------


@cocotb.test()
async def one_frame_too_long_spoils_its_nbl_and_no_other(dut):
    """S6-06, S6-14, S6-05: the status speaks for three frames, of which none leaves."""
    host, (sender,) = await with_protocols(dut, "sender")
    bad = sender.build(frame(1), frame(2, 1519), frame(3))
    good = [sender.build(frame(4)), sender.build(frame(5), frame(6))]
    sender.send_nbls([good[0], bad, good[1]])
    await sender.settle(host)
    await host.run()
    assert dict(sender.completed) == {good[0]: 0, bad: NdisStatus.INVALID_LENGTH, good[1]: 0}
    assert host.sent == [frame(4), frame(5), frame(6)]
    await finish(host)


@cocotb.test()
async def a_sender_that_sends_again_from_every_completion_keeps_the_order(dut):
    """S6-24, S6-12, CL-07: 200 frames (2 000 on Verilator), each sent by the completion of one before it."""
    total = 2000 if FAST else 200

    class Chaining(Protocol):
        started = 0

        def send_net_buffer_lists_complete(self, nbls, flags):
            super().send_net_buffer_lists_complete(nbls, flags)
            for nbl in ndis.walk(nbls):
                self.more(nbl)

        def more(self, nbl):
            if self.started < total:
                nbl.first_net_buffer.mdl_chain.view[14:18] = self.started.to_bytes(4, "big")
                self.started += 1
                self.send_nbls([nbl])

    host, (sender,) = await with_protocols(dut, Chaining("sender"), tx_ring=8)
    nbls = [sender.build(frame(0)) for _ in range(4)]
    for nbl in nbls:
        sender.more(nbl)
    await host.until(lambda: len(sender.completed) == total, limit_ns=20_000_000)
    assert [int.from_bytes(data[14:18], "big") for data in host.sent] == list(range(total))
    sender.completed = [(nbl, 0) for nbl in nbls]
    await finish(host)


@cocotb.test()
async def unusual_sends_are_frowned_upon_and_go_out_whole(dut):
    """S6-19, S6-20, S6-23, S6-26, MD-27: split headers, mixed addresses, the DISPATCH flag in a DPC, a wrong port."""
    host, (sender,) = await with_protocols(dut, "sender")
    sender.send_nbls([sender.build(frame(1, 90), cuts=[7, 0, 4, 1])])
    sender.send_nbls([sender.build(frame(2), frame(3, destination=PEER))])
    host.stack.cpu.queue_dpc(lambda: sender.send(frame(4), flags=SendFlags.DISPATCH_LEVEL) and None)
    sender.send_nbls([sender.build(frame(5))], port=3)
    await sender.settle(host)
    await host.until(lambda: len(host.sent) == 4)
    assert sorted(host.sent) == sorted([frame(1, 90), frame(2), frame(3, destination=PEER), frame(4)])
    assert sorted(status for _, status in sender.completed) == [0, 0, 0, NdisStatus.INVALID_PORT]
    assert {warning.rule for warning in host.stack.host.report.warnings} == {"S6-19", "S6-20"}
    await finish(host)


# --- receives ---------------------------------------------------------------------------------------------------------


@cocotb.test()
async def protocols_with_frame_types_get_these_and_no_other(dut):
    """R6-14, R6-15: IPv4 alone, ARP and IPv6, everything; mixed traffic from the wire, order kept (R6-22)."""
    kinds = (0x0800, 0x0806, 0x86DD, 0x88B5)
    wanted = [Protocol("ip", frame_types=(0x0800,)), Protocol("arp", frame_types=(0x0806, 0x86DD)), Protocol("all")]
    host, found = await with_protocols(dut, *wanted)
    draw, frames = random.Random(14), []
    for number in range(60):
        kind = draw.choice(kinds)
        frames.append(OWN + PEER + kind.to_bytes(2, "big") + bytes([number]) * draw.randrange(46, 300))
    host.inject(*frames)
    await host.until(lambda: len(found[2].received) == 60)
    assert found[2].received == frames
    for one_of, types in zip(found, [(0x0800,), (0x0806, 0x86DD)], strict=False):
        assert one_of.received == [data for data in frames if int.from_bytes(data[12:14], "big") in types]
    await finish(host)


@cocotb.test()
@cocotb.parametrize(copied=[False, True])
async def lent_frames_read_the_same_whether_ndis_copies_them_or_not(dut, copied):
    """R6-07, R6-04, R6-19, R6-21: all but two buffers are held; what follows is lent, or copied by profile."""
    profile = Profile(copy_lent_receives=copied)
    host, (holder, reader) = await with_protocols(
        dut, "holder", "reader", profile=profile, rx_ring=8, rx_buffers=12, rx_low_water=4
    )
    holder.hold = True
    frames = [frame(n, 80 + n) for n in range(40)]
    for data in frames:
        host.inject(data)
        await host.run(1_500)
    await host.until(lambda: len(reader.received) == 40)
    assert reader.received == holder.received == frames
    lent = [flags for flags in reader.receive_flags if flags & ReceiveFlags.RESOURCES]
    assert bool(lent) == (not copied)
    assert host.nic.rx.statistics().indicated_with_resources > 0
    assert [nbl.first_net_buffer.tobytes() for nbl in holder.held] == frames[: len(holder.held)]
    assert (len(holder.held) == 40) == copied
    holder.give_back()
    await finish(host)


@cocotb.test()
async def small_buffers_may_cut_a_frame_behind_its_headers(dut):
    """R6-12, RG-10: TCP over IPv4 in buffers of 64 bytes: 54 bytes of headers, the rest in further MDLs."""
    host, (reader,) = await with_protocols(dut, "reader", rx_buffer_bytes=64, rx_ring=64, rx_buffers=128)
    header = bytes.fromhex("450001000001000040060000") + bytes(8)
    tcp = bytes(12) + b"\x50" + bytes(7)
    frames = [OWN + PEER + b"\x08\0" + header + tcp + bytes([n]) * (100 + n) for n in range(10)]
    host.inject(*frames)
    await host.until(lambda: len(reader.received) == 10)
    assert reader.received == frames
    assert host.stack.host.report.violations == []
    await finish(host)


@cocotb.test()
async def a_protocol_returns_inside_the_handler_or_from_a_dpc_or_in_the_pause(dut):
    """R6-20, R6-03, R6-08, R6-10: three protocols share every frame and return it at three moments."""

    class Later(Protocol):
        def receive_net_buffer_lists(self, nbls, port, count, flags):
            self.hold = True
            super().receive_net_buffer_lists(nbls, port, count, flags)
            self.ndis.kernel.queue_dpc(lambda: self.give_back() if self.held else None)

    host, (at_once, later, hoarder) = await with_protocols(dut, "at once", Later("later"), "hoarder", rx_low_water=0)
    hoarder.hold = True
    frames = [frame(n) for n in range(20)]
    host.inject(*frames)
    await host.until(lambda: len(hoarder.held) == 20 and not later.held)
    assert at_once.received == later.received == hoarder.received == frames
    assert host.nic.rx.lent == 20
    await ndis.pause_adapter(host.stack.adapter)
    assert (host.nic.rx.lent, hoarder.held) == (0, [])
    await finish(host)


@cocotb.test()
async def a_header_cut_by_small_buffers_is_read_in_place_or_through_storage(dut):
    """MD-01, MD-11, MD-12, MD-13, MD-14, MD-06: what a receiver does to parse; a failed retreat."""
    host, (reader,) = await with_protocols(
        dut, "reader", rx_buffer_bytes=64, rx_ring=64, rx_buffers=128, rx_low_water=0
    )
    reader.hold = True
    host.inject(frame(1, 200))
    await host.until(lambda: reader.held)
    nb = reader.held[0].first_net_buffer
    gathered = b"".join(bytes(mdl.view) for mdl in ndis.walk_mdls(nb.mdl_chain))
    assert gathered[nb.data_offset :][: nb.data_length] == nb.tobytes() == frame(1, 200)
    assert bytes(ndis.get_data_buffer(nb, 64)) == frame(1, 200)[:64]
    assert ndis.get_data_buffer(nb, 65) is None and ndis.get_data_buffer(nb, 201, bytearray(201)) is None
    storage = bytearray(120)
    assert bytes(ndis.get_data_buffer(nb, 120, storage)) == frame(1, 200)[:120]
    storage[:] = bytes(120)
    assert nb.tobytes() == frame(1, 200)
    first = nb.current_mdl.address
    assert ndis.get_data_buffer(nb, 14, None, 4, first % 4) is not None
    assert ndis.get_data_buffer(nb, 14, None, 4, first % 4 + 1) is None
    before = nb.data_offset, nb.data_length, nb.mdl_chain

    def refuse(size):
        raise MemoryError(size)

    assert ndis.retreat_net_buffer_data_start(nb, 4, 0, refuse) is NdisStatus.RESOURCES
    assert (nb.data_offset, nb.data_length, nb.mdl_chain) == before
    reader.give_back()
    await finish(host)


@cocotb.test()
async def completions_find_their_sender_and_a_paused_stack_answers_for_the_miniport(dut):
    """S6-08, S6-03, S6-07, S6-22, S6-25, ST-02, ST-05, ST-10, ST-22: two senders at once, a pause, a close."""
    host, (first, second) = await with_protocols(dut, "first", "second", tx_ring=8)
    mine = {first: [], second: []}
    for n in range(20):
        for protocol in (first, second):
            mine[protocol] += protocol.send(frame(n, 60 + n))
    for protocol in (first, second):
        await protocol.settle(host)
        assert sorted(nbl.id for nbl, _ in protocol.completed) == [nbl.id for nbl in mine[protocol]]
        assert {status for _, status in protocol.completed} == {NdisStatus.SUCCESS}
    sent = len(host.sent)
    await ndis.pause_adapter(host.stack.adapter)
    first.send(frame(99))
    assert first.completed[-1][1] == NdisStatus.PAUSED
    assert await first.request(ndis.query(ndis.Oid.OID_GEN_STATISTICS, 512)) == NdisStatus.SUCCESS
    assert await ndis.restart_adapter(host.stack.adapter) == NdisStatus.SUCCESS
    await ndis.unbind_protocol(second.open)
    first.send(frame(7))
    await first.settle(host)
    await host.until(lambda: len(host.sent) == sent + 1)
    await finish(host)

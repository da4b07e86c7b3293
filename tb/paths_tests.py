# SPDX-License-Identifier: Apache-2.0
"""The connectionless data path of NDIS 6 over the Verilog: buffer services, loopback, cancel, frame types, copies.

Each test's `finish` also shows that a halt leaves nothing outstanding (ST-18, ST-19).
One module, because each is a simulator process of its own, whose start costs more than most tests
(docs/architecture.md); the sections are its themes.
"""

import os
import random

import cocotb
from paths_bench import Protocol, with_protocols
from stack_bench import BROADCAST, OWN, PEER, finish, frame, padded

from hilnic import ndis
from hilnic.hw import regs
from hilnic.ndis import NblFlags, NblInfo, NdisStatus, PacketFilter, Profile, ReceiveFlags, SendFlags
from hilnic.testing.frames import free_nbl

FAST = os.environ.get("HILNIC_SIM") == "verilator"
CHECK = SendFlags.CHECK_FOR_LOOPBACK
LISTED, UNLISTED = bytes.fromhex("01005e000001"), bytes.fromhex("01005e000002")

# --- buffer services --------------------------------------------------------------------------------------------------


@cocotb.test()
async def a_header_pushed_in_front_by_retreat_is_on_the_wire_and_gone_at_the_completion(dut):
    """MD-04, MD-05, MD-07, MD-10, MD-08, MD-02: three frames of one NBL, in head room, in new MDLs of either kind."""
    host, (sender,) = await with_protocols(dut, "sender")
    kernel, made = host.stack.cpu, []

    def allocate(size):
        made.append(ndis.allocate_mdl(sender.pool, kernel.allocate(size)))
        return made[-1]

    def free(mdl):
        made.remove(mdl)
        ndis.free_mdl(mdl)
        kernel.free(mdl.region)

    frames = [frame(n, 100 + n) for n in range(3)]
    for head, handlers in ((14, ()), (3, ()), (0, (allocate, free))):
        nbl = sender.build(*[data[14:] for data in frames], cuts=[20], head=head)
        assert ndis.retreat_net_buffer_list_data_start(nbl, 14, 2, *handlers) is NdisStatus.SUCCESS
        for nb, data in zip(nbl.net_buffers(), frames, strict=True):
            write(nb, data[:14])
        sender.send_nbls([nbl])
        await sender.settle(host)
        ndis.advance_net_buffer_list_data_start(nbl, 14, True, handlers[1] if handlers else None)
        assert [nb.tobytes() for nb in nbl.net_buffers()] == [data[14:] for data in frames]
        assert not made
        sender.forget()
    assert host.sent == frames * 3
    await finish(host)


def write(nb, data):
    """Put bytes at the start of the used data, wherever the MDLs cut it."""
    at = 0
    for mdl, offset, length in nb.used():
        piece = data[at : at + length]
        mdl.view[offset : offset + len(piece)] = piece
        at += len(piece)


@cocotb.test()
async def a_datagram_leaves_in_fragments_and_is_reassembled_from_what_came_in(dut):
    """MD-23, MD-24, MD-25, S6-04: 3 000 bytes in frames of 1 000, a header before each; the far end sends them back."""
    host, (sender,) = await with_protocols(dut, "sender")
    payload = random.Random(23).randbytes(3000)
    datagram = sender.build(payload, cuts=[7, 0, 500])
    fragments = ndis.allocate_fragment_net_buffer_list(datagram, sender.pool, None, 0, 1000, 14, 4)
    datagram.child_ref_count = 3
    for nb in fragments.net_buffers():
        write(nb, frame()[:14])
    assert [ndis.query_net_buffer_physical_count(nb) >= 1 for nb in fragments.net_buffers()] == [True] * 3
    fragments.source_handle = sender.binding
    sender.send_nbls([fragments])
    await sender.settle(host)
    wire = host.sent
    assert [data[14:] for data in wire] == [payload[at : at + 1000] for at in (0, 1000, 2000)]
    whole = ndis.allocate_reassembled_net_buffer_list(fragments, None, 14)
    assert whole.first_net_buffer.tobytes() == payload
    ndis.free_reassembled_net_buffer_list(whole)
    sender.completed.clear()
    ndis.free_fragment_net_buffer_list(fragments, 14)
    datagram.child_ref_count = 0
    free_nbl(datagram)
    host.inject(*wire)
    await host.until(lambda: len(sender.received) == 3)
    assert b"".join(data[14:] for data in sender.received) == payload
    await finish(host)


@cocotb.test()
@cocotb.parametrize(flags=[0, 2])
async def a_clone_is_sent_while_its_original_stays_at_home(dut, flags):
    """MD-22: new MDLs or the original's own, head room and odd cuts; the same frame twice on the wire."""
    host, (sender,) = await with_protocols(dut, "sender")
    original = sender.build(frame(1, 90), frame(2, 200), cuts=[3, 0, 30], head=9)
    clone = ndis.allocate_clone_net_buffer_list(original, sender.pool, None, flags)
    clone.source_handle = sender.binding
    sender.send_nbls([clone])
    await sender.settle(host)
    sender.completed.clear()
    ndis.free_clone_net_buffer_list(clone, flags)
    sender.send_nbls([original])
    await sender.settle(host)
    assert host.sent == [frame(1, 90), frame(2, 200)] * 2
    await finish(host)


@cocotb.test()
async def what_comes_in_is_copied_and_sent_on(dut):
    """MD-15, MD-18, MD-09: received frames, parsed by advance, copied to memory that came with a NET_BUFFER."""
    host, (echo,) = await with_protocols(dut, "echo")
    pool = ndis.allocate_net_buffer_pool(echo.driver, "echo", data_size=1514)
    frames = [frame(n, 60 + 97 * n) for n in range(12)]
    echo.hold = True
    host.inject(*frames)
    await host.until(lambda: len(echo.held) == 12)
    nbls = []
    for received in echo.held:
        source = received.first_net_buffer
        ndis.advance_net_buffer_data_start(source, 14)
        target = ndis.allocate_net_buffer_mdl_and_data(pool)
        assert ndis.retreat_net_buffer_data_start(target, source.data_length + 14) is NdisStatus.SUCCESS
        write(target, PEER + OWN + b"\x88\xb5")
        copied = ndis.copy_from_net_buffer_to_net_buffer(target, 14, 2000, source, 0)
        assert copied == (NdisStatus.SUCCESS, source.data_length)
        ndis.retreat_net_buffer_data_start(source, 14)
        nbl = ndis.allocate_net_buffer_list(echo.pool)
        nbl.first_net_buffer, nbl.source_handle = target, echo.binding
        nbls.append(nbl)
    echo.give_back()
    echo.send_nbls(nbls)
    await echo.settle(host)
    assert host.sent == [PEER + OWN + data[12:] for data in frames]
    for nbl in nbls:
        ndis.free_net_buffer(nbl.first_net_buffer)
        ndis.free_net_buffer_list(nbl)
    echo.completed.clear()
    ndis.free_net_buffer_pool(pool)
    await finish(host)


@cocotb.test()
async def contexts_and_reserved_fields_survive_what_the_miniport_does(dut):
    """MD-19, MD-20, MD-28, MD-16, S6-09, ST-21: a context and the sender's fields come back as they were, in `full`."""
    host, (sender,) = await with_protocols(dut, "sender", verify="full")
    nbls = [sender.build(frame(n, 80), cuts=[20]) for n in range(8)]
    for number, nbl in enumerate(nbls):
        assert ndis.allocate_net_buffer_list_context(nbl, 32, 16) is NdisStatus.SUCCESS
        ndis.net_buffer_list_context_data_start(nbl)[:32] = bytes([number]) * 32
        nbl.protocol_reserved[2] = nbl.first_net_buffer.protocol_reserved[5] = number
    sender.send_nbls(nbls)
    await sender.settle(host)
    for number, nbl in enumerate(nbls):
        assert bytes(ndis.net_buffer_list_context_data_start(nbl)[:32]) == bytes([number]) * 32
        assert nbl.protocol_reserved[2] == nbl.first_net_buffer.protocol_reserved[5] == number
        ndis.free_net_buffer_list_context(nbl, 32)
    assert host.sent == [frame(n, 80) for n in range(8)]
    await finish(host)


@cocotb.test()
async def the_out_of_band_helpers_carry_each_direction_s_slots(dut):
    """IM-10, OF-15: a copy of a received list has its frame type, a copy of a sent one its cancel id."""
    host, (sender,) = await with_protocols(dut, "sender")
    sender.hold = True
    host.inject(frame(1))
    await host.until(lambda: sender.held)
    (received,) = sender.held
    copy = sender.build(frame(2))
    ndis.copy_receive_net_buffer_list_info(copy, received)
    assert copy.net_buffer_list_info[NblInfo.FRAME_TYPE] == 0x88B5
    ndis.set_net_buffer_list_cancel_id(copy, 7)
    another = sender.build(frame(3))
    ndis.copy_send_net_buffer_list_info(another, copy)
    assert ndis.get_net_buffer_list_cancel_id(another) == 7
    sender.give_back()
    sender.send_nbls([copy, another])
    await sender.settle(host)
    assert host.sent == [frame(2), frame(3)]
    await finish(host)


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


# --- loopback ---------------------------------------------------------------------------------------------------------


@cocotb.test()
async def ndis_loops_what_is_asked_for_and_the_wire_has_everything(dut):
    """LB-01, LB-02, LB-03, LB-04, LB-05, LB-07: own loopback by flag, listening in, ALL_LOCAL, NO_LOCAL."""
    host, (sender, other) = await with_protocols(dut, "sender", "other")
    await sender.set_multicast(LISTED)
    frames = [frame(n, 60, to, OWN) for n, to in enumerate((OWN, BROADCAST, LISTED, UNLISTED, PEER))]
    own = frames[:3]
    total = 0

    async def send(flags, to_sender, to_other):
        nonlocal total
        sender.received.clear()
        other.received.clear()
        sender.send(*frames, flags=flags)
        total += len(frames)
        await sender.settle(host)
        await host.run()
        assert (sender.received, other.received) == (to_sender, to_other)

    await send(0, [], [])
    await send(CHECK, own, [])
    await other.set_filter(PacketFilter.PROMISCUOUS)
    await send(0, [], frames)
    await send(CHECK, own, frames)
    await other.set_filter(PacketFilter.PROMISCUOUS | PacketFilter.NO_LOCAL)
    await send(CHECK, own, [])
    await other.set_filter(PacketFilter.ALL_LOCAL)
    assert not await host.nic.hardware.read(regs.RX_FILTER) & regs.RX_FILTER_PROMISCUOUS
    await send(0, [], frames)
    assert host.sent == frames * (total // len(frames))
    await finish(host)


@cocotb.test()
@cocotb.parametrize(hardware=[False, True])
async def each_frame_is_looped_once_by_ndis_or_by_the_nic(dut, hardware):
    """LB-09, LB-05, LB-08: MAC option NO_LOOPBACK set, or clear and the NIC's own loopback on: one copy each."""

    class Marked(Protocol):
        marks = ()

        def receive_net_buffer_lists(self, nbls, port, count, flags):
            self.marks += tuple(bool(nbl.nbl_flags & NblFlags.IS_LOOPBACK_PACKET) for nbl in ndis.walk(nbls))
            assert all(nbl.net_buffer_list_info[NblInfo.TCP_IP_CHECKSUM] is None for nbl in ndis.walk(nbls))
            super().receive_net_buffer_lists(nbls, port, count, flags)

    protocols = Marked("sender"), Marked("other"), "deaf"
    host, (sender, other, deaf) = await with_protocols(dut, *protocols, loopback=hardware)
    options = int.from_bytes(await host.binding.query(ndis.Oid.OID_GEN_MAC_OPTIONS), "little")
    assert bool(options & ndis.MacOptions.NO_LOOPBACK) != hardware
    await other.set_filter(PacketFilter.PROMISCUOUS)
    await deaf.set_filter(PacketFilter.PROMISCUOUS | PacketFilter.NO_LOCAL)
    frames = [frame(n, 60 + n, to, OWN) for n, to in enumerate((OWN, BROADCAST))]
    sender.send(*frames, flags=CHECK)
    await sender.settle(host)
    await host.until(lambda: len(other.received) == 2)
    await host.run()
    assert [padded(data) for data in sender.received] == frames
    assert [padded(data) for data in other.received] == frames
    assert (sender.marks, other.marks, deaf.received) == ((True, True), (True, True), [])
    assert len(host.sent) == (0 if hardware else 2)
    looped = (await host.tx_counters())["LOOPBACK_FRAMES"]
    assert looped == (2 if hardware else 0)
    await finish(host)


# --- cancel -----------------------------------------------------------------------------------------------------------


@cocotb.test()
@cocotb.parametrize(seed=range(3))
async def a_cancelled_send_ends_once_and_is_on_the_wire_or_aborted_never_both(dut, seed):
    """CN-01, CN-02, CN-03, CN-08, S6-02: NBLs of one to three frames through a ring of 4, cancels at random moments."""
    host, (sender,) = await with_protocols(dut, "sender", tx_ring=4)
    draw = random.Random(seed)
    partial = ndis.generate_partial_cancel_id(host.stack.host) << 24
    nbls, count = [], 0
    for _ in range(30):
        frames = [frame(count + n, 60) for n in range(draw.choice((1, 1, 2, 3)))]
        count += len(frames)
        nbl = sender.build(*frames)
        ndis.set_net_buffer_list_cancel_id(nbl, partial | draw.randrange(1, 4))
        nbls.append((nbl, frames))
    sender.send_nbls([nbl for nbl, _ in nbls])
    for cancel_id in (1, 2):
        await host.run(draw.randrange(0, 12_000))
        ndis.cancel_send_net_buffer_lists(sender.open, partial | cancel_id)
    await sender.settle(host)
    await host.run()
    assert len(sender.completed) == 30
    ended = dict(sender.completed)
    expected = []
    for nbl, frames in nbls:
        assert ended[nbl] in {NdisStatus.SUCCESS, NdisStatus.SEND_ABORTED}
        assert ndis.get_net_buffer_list_cancel_id(nbl) & 3 != 3 or ended[nbl] == NdisStatus.SUCCESS
        if ended[nbl] == NdisStatus.SUCCESS:
            expected += frames
    assert host.sent == expected
    assert len(expected) < count
    await finish(host)


@cocotb.test()
async def a_cancel_at_any_clock_step_of_a_send_leaves_it_whole_or_ends_it(dut):
    """CN-02, CN-03, CN-08, S6-18: two frames in one NBL behind two others, in a ring of 2; ever later cancels."""
    host, (sender,) = await with_protocols(dut, "sender", tx_ring=2)
    aborted, steps = [], range(0, 4_800, 8 if FAST else 160)
    for step in steps:
        del host.wire[:]
        first, nbl = sender.build(frame(0), frame(1)), sender.build(frame(2), frame(3))
        for one_of in (first, nbl):
            ndis.set_net_buffer_list_cancel_id(one_of, 1 if one_of is nbl else 2)
        sender.send_nbls([first, nbl])
        await host.run(step)
        ndis.cancel_send_net_buffer_lists(sender.open, 1)
        await sender.settle(host)
        await host.run(1_500)
        ended = dict(sender.completed)
        assert ended[first] == NdisStatus.SUCCESS and ended[nbl] in {NdisStatus.SUCCESS, NdisStatus.SEND_ABORTED}
        assert host.sent == [frame(n) for n in range(4 if ended[nbl] == NdisStatus.SUCCESS else 2)]
        aborted.append(ended[nbl] == NdisStatus.SEND_ABORTED)
        sender.forget()
    assert aborted == sorted(aborted, reverse=True) and aborted[0] and not aborted[-1]
    await finish(host)


@cocotb.test()
async def a_cancel_meets_the_queues_of_one_binding_in_a_reset_and_no_other_s(dut):
    """CN-04, CN-05, CN-06, CN-07, ST-14: what NDIS holds over a reset is cancelled there; no id, no match."""
    profile = Profile(hold_sends_during_reset=True)
    host, (first, second) = await with_protocols(dut, "first", "second", profile=profile)
    ids = [ndis.generate_partial_cancel_id(host.stack.host) << 24 | 1 for _ in range(2)]
    assert ids[0] != ids[1]
    reset = cocotb.start_soon(ndis.reset_adapter(host.stack.adapter))
    await host.run(100)
    assert host.stack.adapter.resetting
    kept = []
    for protocol, cancel_id in zip((first, second), ids, strict=True):
        nbls = [protocol.build(frame(n)) for n in range(4)]
        for nbl in nbls[::2]:
            ndis.set_net_buffer_list_cancel_id(nbl, cancel_id)
        protocol.send_nbls(nbls)
        kept += nbls[1::2]
    for cancel_id in (ids[0], 0, None, ids[1] + 1):
        ndis.cancel_send_net_buffer_lists(first.open, cancel_id)
    assert [status for _, status in first.completed] == [NdisStatus.SEND_ABORTED] * 2
    assert second.completed == []
    assert await reset is NdisStatus.SUCCESS
    await first.settle(host)
    await second.settle(host)
    assert host.sent == [frame(1), frame(3), frame(0), frame(1), frame(2), frame(3)]
    await finish(host)

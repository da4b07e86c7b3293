# SPDX-License-Identifier: Apache-2.0
"""Loopback and cancel of NDIS 6 over the Verilog.

Each test's `finish` also shows that a halt leaves nothing outstanding (ST-18, ST-19).
"""

import os
import random

import cocotb
from paths_bench import Protocol, with_protocols
from stack_bench import BROADCAST, OWN, PEER, finish, frame, padded

from hilnic import ndis
from hilnic.hw import regs
from hilnic.ndis import NblFlags, NblInfo, NdisStatus, PacketFilter, Profile, SendFlags

FAST = os.environ.get("HILNIC_SIM") == "verilator"
CHECK = SendFlags.CHECK_FOR_LOOPBACK
LISTED, UNLISTED = bytes.fromhex("01005e000001"), bytes.fromhex("01005e000002")


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

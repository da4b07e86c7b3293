# SPDX-License-Identifier: Apache-2.0
"""Filters and intermediate drivers over the Verilog NIC: a MUX over a splitter, a filter that queues, byte for byte.

Each test's `finish` also shows that nothing is left anywhere: no NBL, no clone, no mapping, no burst.
"""

import os
import random

import cocotb
from im_bench import VIRTUAL, mux, over, splitter
from stack_bench import BROADCAST, HARD, OWN, PEER, finish, frame, padded

from hilnic import ndis
from hilnic.ndis import NdisStatus, Oid, SendFlags, StatisticsInfo
from hilnic.testing.filter import FunctionalFilter

FAST = os.environ.get("HILNIC_SIM") == "verilator"
ROUNDS = 60 if FAST else 12


def out(number: int, length: int = 60, source: bytes = OWN) -> bytes:
    """A frame to the peer that says which one it is."""
    return frame(number, length, PEER, source)


def build(up, draw: random.Random, frames: list[bytes]):
    """One NBL of these frames, cut anywhere behind the header, with head and tail room."""
    cuts = sorted(draw.randrange(1, 40) for _ in range(draw.randrange(3)))
    head = draw.choice((0, 0, 5))
    return up.build(*frames, cuts=[14 + head, *cuts][: draw.randrange(3)], head=head, tail=draw.choice((0, 9)))


# --- two levels deep --------------------------------------------------------------------------------------------------


@cocotb.test()
@cocotb.parametrize(cut=["frames", "mdls"], verify=["fast", "full"])
async def a_mux_over_a_splitter_carries_every_frame_byte_for_byte(dut, cut, verify):
    """IM-01, IM-02, IM-04, IM-05, IM-06, S6-04, S6-11: lists of several frames, any layout; order kept, whole again."""
    host, draw = (
        await over(dut, splitter(cut=cut), mux(2, "split0"), timing=HARD, seed=3, verify=verify),
        random.Random(3),
    )
    expected: list[bytes] = []
    forms = {}
    for number in range(ROUNDS):
        up = host.ups[number % 2]
        frames = [out(len(expected) + n, draw.randrange(14 if n else 60, 600)) for n in range(draw.randrange(1, 5))]
        nbl = build(up, draw, frames)
        forms[nbl] = [(nb, tuple(ndis.walk_mdls(nb.mdl_chain)), nb.tobytes()) for nb in nbl.net_buffers()]
        up.send_nbls([nbl])
        expected += frames
    await host.ended(*host.ups, number=ROUNDS)
    assert host.sent == [padded(data) for data in expected]
    assert {status for up in host.ups for _, status in up.completed} == {NdisStatus.SUCCESS}
    for nbl, form in forms.items():
        assert [(nb, tuple(ndis.walk_mdls(nb.mdl_chain)), nb.tobytes()) for nb in nbl.net_buffers()] == form
    await finish(host)


@cocotb.test()
@cocotb.parametrize(share=["lend", "clone"])
async def each_virtual_adapter_receives_its_own_frames_and_all_buffers_come_back(dut, share):
    """IM-03, IM-11, IM-16, R6-15: directed to each, to all, to nobody; held above while the ring goes round."""
    host = await over(
        dut, splitter(), mux(3, "split0", share=share), on=("mux0", "mux1", "mux2"), rx_ring=16, rx_buffers=64
    )
    targets = [VIRTUAL[0], VIRTUAL[1], BROADCAST, VIRTUAL[2], VIRTUAL[3], OWN, BROADCAST, VIRTUAL[0]]
    draw = random.Random(5)
    frames = [frame(n, draw.randrange(60, 300), targets[n % len(targets)]) for n in range(ROUNDS * 2)]
    wanted = [[data for data in frames if data[:6] in (mac, BROADCAST)] for mac in VIRTUAL[:3]]
    for first in range(0, len(frames), 20):
        for up in host.ups:
            up.hold = first % 40 == 0
        host.inject(*frames[first : first + 20])
        await host.until(lambda: host.card.link.backlog == 0)
        await host.run(20_000)
        for up in host.ups:
            for nbl in draw.sample(up.held, len(up.held)):
                up.give_back(nbl)
    await host.until(lambda: [len(up.received) for up in host.ups] == [len(each) for each in wanted])
    assert [up.received for up in host.ups] == wanted
    assert host.stack.adapter.receives_outstanding == 0
    await finish(host)


@cocotb.test()
async def a_splitter_that_passes_on_part_returns_the_whole(dut):
    """S6-04, IM-05: the odd frames of each list reach the wire, the even ones do not; each list is back as it was."""
    host = await over(dut, splitter(cut="mdls", passes=lambda nb: nb.tobytes()[17] & 1), on=["split0"])
    (up,) = host.ups
    lists = [[out(4 * n + k, 60 + 7 * k) for k in range(4)] for n in range(ROUNDS)]
    nbls = [up.build(*frames, cuts=[20, 0, 5]) for frames in lists]
    for nbl in nbls:
        up.send_nbls([nbl])
    await host.ended(up, number=ROUNDS)
    assert host.sent == [data for frames in lists for data in frames if data[17] & 1]
    for nbl, frames in zip(nbls, lists, strict=True):
        assert [nb.tobytes() for nb in nbl.net_buffers()] == frames
        assert (nbl.status, len(list(ndis.walk_mdls(nbl.first_net_buffer.mdl_chain)))) == (NdisStatus.SUCCESS, 4)
    await finish(host)


@cocotb.test()
async def one_frame_that_is_too_long_makes_its_whole_list_a_failure(dut):
    """IM-04, S6-06, S6-14: the other frames of the list are on the wire, the list says INVALID_LENGTH, once."""
    host = await over(dut, splitter(), mux(1, "split0"), on=["mux0"])
    (up,) = host.ups
    bad = up.build(out(1), out(2, 1600), out(3))
    good = up.build(out(4), out(5))
    up.send_nbls([bad, good])
    await host.ended(up, number=2)
    assert dict(up.completed) == {bad: NdisStatus.INVALID_LENGTH, good: NdisStatus.SUCCESS}
    assert host.sent == [out(1), out(3), out(4), out(5)]
    await finish(host)


# --- filters ----------------------------------------------------------------------------------------------------------


@cocotb.test()
async def a_filter_that_queues_gives_up_what_is_cancelled_and_passes_on_the_rest(dut):
    """IM-07, CN-01, CN-03, CN-06: half in the filter, half at the NIC; the wire has what says SUCCESS and no more."""
    host = await over(dut, mux(2), filters=[(FunctionalFilter, "nic0")], tx_ring=8)
    (fi,) = host.filters
    draw = random.Random(7)
    ids = [ndis.generate_partial_cancel_id(host.stack.host) << 8 for _ in host.ups]
    expected = 0
    for number in range(ROUNDS):
        for which, up in enumerate(host.ups):
            fi.queue = False
            going = [up.build(out(8 * number + 2 * which))]
            waiting = [up.build(out(8 * number + 2 * which + 1)) for _ in range(2)]
            for nbl in (*going, *waiting):
                ndis.set_net_buffer_list_cancel_id(nbl, ids[which] | 1)
            up.send_nbls(going)
            fi.queue = True
            up.send_nbls(waiting)
            expected += 3
        await host.run(draw.randrange(1, 4_000))
        ndis.cancel_send_net_buffer_lists(host.ups[0].open, ids[0] | 1)
        assert {nbl.source_handle for nbl in fi.queued} == {host.drivers[0].edge.binding}
        assert len(fi.queued) == 2  # those of the other binding
        fi.pass_on()
        await host.ended(*host.ups, number=expected)
    done = [(nbl, status) for up in host.ups for nbl, status in up.completed]
    success = [nbl.first_net_buffer.tobytes() for nbl, status in done if status == NdisStatus.SUCCESS]
    assert {status for _, status in done} == {NdisStatus.SUCCESS, NdisStatus.SEND_ABORTED}
    assert sorted(success) == sorted(host.sent)
    await finish(host)


@cocotb.test()
async def a_cancel_finds_the_pieces_of_a_splitter_by_the_id_that_they_inherit(dut):
    """IM-09, IM-07, CN-01, CN-08: a list that says SUCCESS is on the wire whole, an aborted one is not."""
    host = await over(dut, splitter(cut="mdls"), mux(1, "split0"), on=["mux0"], tx_ring=4)
    (up,) = host.ups
    lists = [[out(4 * n + k, 400) for k in range(4)] for n in range(16)]
    nbls = [up.build(*frames, cuts=[50]) for frames in lists]
    cancel_id = ndis.generate_partial_cancel_id(host.stack.host) << 8 | 3
    for nbl in nbls[::2]:
        ndis.set_net_buffer_list_cancel_id(nbl, cancel_id)
    up.send_nbls(nbls)
    await host.run(6_000)
    ndis.cancel_send_net_buffer_lists(up.open, cancel_id)
    await host.ended(up, number=len(nbls))
    statuses, wire = dict(up.completed), set(host.sent)
    assert {statuses[nbl] for nbl in nbls[1::2]} == {NdisStatus.SUCCESS}
    assert NdisStatus.SEND_ABORTED in {statuses[nbl] for nbl in nbls[::2]}
    for nbl, frames in zip(nbls, lists, strict=True):
        assert (set(frames) <= wire) == (statuses[nbl] == NdisStatus.SUCCESS)
    await finish(host)


class Separates(FunctionalFilter):
    """Takes each list apart while it holds it, sends it on with its frames the other way round, and restores it."""

    def send_net_buffer_lists(self, nbls, port_number, send_flags):
        for nbl in ndis.walk(nbls):
            frames = list(nbl.net_buffers())
            self.originals[nbl] = frames
            self.link(nbl, frames[::-1])
        super().send_net_buffer_lists(nbls, port_number, send_flags)

    def send_net_buffer_lists_complete(self, nbls, flags):
        for nbl in ndis.walk(nbls):
            self.link(nbl, self.originals.pop(nbl))
        super().send_net_buffer_lists_complete(nbls, flags)

    @staticmethod
    def link(nbl, frames):
        nbl.first_net_buffer = frames[0]
        for nb, following in zip(frames, [*frames[1:], None], strict=True):
            nb.next = following


@cocotb.test()
async def a_filter_between_the_mux_and_the_nic_may_separate_and_relink(dut):
    """S6-04, IM-12: the verifier is silent while it does, and every list is as its sender gave it."""
    host = await over(dut, mux(2), filters=[(Separates, "nic0"), (Separates, "mux0"), (FunctionalFilter, "mux0")])
    up, other = host.ups
    lists = [[out(3 * n + k) for k in range(3)] for n in range(ROUNDS)]
    for number, frames in enumerate(lists):
        (up, other)[number % 2].send_nbls([(up, other)[number % 2].build(*frames, cuts=[30])])
    await host.ended(up, other, number=ROUNDS)
    assert host.sent == [data for n, each in enumerate(lists) for data in (each if n % 2 == 0 else each[::-1])]
    for one in host.ups:
        for number, (nbl, status) in enumerate(one.completed):
            whole = lists[2 * number + host.ups.index(one)]
            assert ([nb.tobytes() for nb in nbl.net_buffers()], status) == (whole, NdisStatus.SUCCESS)
    await finish(host)


def takes_lists_apart(nic, remembers: bool = True) -> None:
    """Have the NIC's driver unlink the frames of every list that it accepts, and link them again in the end."""
    frames = {}
    accept, complete = nic.tx._accept, nic.tx._complete

    def apart(nbl):
        accept(nbl)
        frames[nbl] = list(nbl.net_buffers())
        for nb in frames[nbl]:
            nb.next = None

    def together(queue):
        for nbl in ndis.walk(queue.first):
            if remembers and nbl in frames:
                Separates.link(nbl, frames.pop(nbl))
        complete(queue)

    nic.tx._accept, nic.tx._complete = apart, together


@cocotb.test()
async def the_nics_driver_may_take_lists_apart_while_it_owns_them(dut):
    """S6-04: the verifier is silent, the wire has every frame, and each list is as its sender gave it."""
    host = await over(dut, mux(2))
    takes_lists_apart(host.nic)
    lists = [[out(3 * n + k, 60 + n) for k in range(3)] for n in range(ROUNDS)]
    for number, frames in enumerate(lists):
        up = host.ups[number % 2]
        up.send_nbls([up.build(*frames, cuts=[20])])
    await host.ended(*host.ups, number=ROUNDS)
    assert host.sent == [data for frames in lists for data in frames]
    ended = [[nb.tobytes() for nb in nbl.net_buffers()] for up in host.ups for nbl, _ in up.completed]
    assert ended == lists[::2] + lists[1::2]
    await finish(host)


@cocotb.test()
async def a_driver_of_the_nic_that_forgets_to_put_a_list_together_is_named(dut):
    """S6-04: every frame is on the wire, and still the list is not what it was."""
    host = await over(dut, mux(1), on=["mux0"])
    (up,) = host.ups
    nbl = up.build(out(1), out(2), out(3))
    frames = list(nbl.net_buffers())
    takes_lists_apart(host.nic, remembers=False)
    with host.stack.host.report.collect() as found:
        up.send_nbls([nbl])
        await host.ended(up, number=1)
    assert {violation.rule for violation in found} == {"S6-04"}
    assert found[0].actor is host.stack.adapter
    assert host.sent == [out(1), out(2), out(3)]
    Separates.link(nbl, frames)
    await finish(host)


@cocotb.test()
async def a_filter_comes_and_goes_under_traffic(dut):
    """ST-07, ST-12, ST-03, IM-14, IM-15: attached, detached, restarted between sends; each frame once, none lost."""
    host = await over(dut, mux(1), filters=[(FunctionalFilter, "nic0")], on=["mux0"])
    (up,), (fi,) = host.ups, host.filters
    sent: list[bytes] = []
    for number in range(ROUNDS // 4):
        for burst in range(4):
            frames = [out(16 * number + 4 * burst + n) for n in range(4)]
            sent += frames
            up.send(*frames)
        if number % 3 == 0:
            await ndis.detach_filter(fi.module)
        elif number % 3 == 1:
            fi.finished.clear()
            status, _ = await ndis.attach_filter(fi.driver, host.stack.adapter)
            assert status == NdisStatus.SUCCESS
        else:
            ndis.restart_filter(fi.module)
        await host.until(lambda: up.open.refusal is None and host.drivers[0].edge.running)
    await host.ended(up, number=len(sent))
    accepted = [nbl.first_net_buffer.tobytes() for nbl, status in up.completed if status == NdisStatus.SUCCESS]
    assert host.sent == accepted == sent
    await finish(host)


# --- control ----------------------------------------------------------------------------------------------------------


@cocotb.test()
async def the_cable_is_every_virtual_adapters_cable_unless_a_filter_swallows_it(dut):
    """IM-18, OI-20, OI-16: pulled and plugged at the PHY; seen by every protocol above two levels and a filter."""
    host = await over(dut, splitter(), mux(2, "split0"), filters=[(FunctionalFilter, "nic0")])
    (fi,) = host.filters
    for connected in (0, 1, 0, 1):
        host.card.settings.link_up = connected
        await host.run(20_000)
    connect, disconnect = ndis.MediaConnectState.CONNECTED, ndis.MediaConnectState.DISCONNECTED
    for up in host.ups:
        assert [each.buffer.media_connect_state for each in up.statuses] == [disconnect, connect] * 2
    fi.swallow = True
    host.card.settings.link_up = 0
    await host.run(20_000)
    assert [len(up.statuses) for up in host.ups] == [4, 4]
    assert fi.statuses[-1].buffer.media_connect_state is disconnect
    await finish(host)


@cocotb.test()
async def a_reset_of_the_nic_holds_the_traffic_above_and_loses_none_of_it(dut):
    """IM-17, ST-13: what was accepted before ends once, what is sent meanwhile waits and goes out afterwards."""
    host = await over(dut, mux(2), limit_ns=2_000_000_000)
    draw = random.Random(9)
    nbls = []
    for number in range(ROUNDS // 3):
        up = host.ups[number % 2]
        nbls += up.send(*[out(8 * number + n) for n in range(3)])
        await host.run(draw.randrange(1, 3_000))
        resetting = cocotb.start_soon(ndis.reset_adapter(host.stack.adapter))
        await host.until(lambda: host.drivers[0].edge.resetting)
        held = up.send(*[out(8 * number + 3 + n) for n in range(5)])
        assert not [nbl for nbl, _ in up.completed if nbl in held]
        nbls += held
        assert await resetting == NdisStatus.SUCCESS
        await host.ended(*host.ups, number=len(nbls))
    done = [(nbl, status) for up in host.ups for nbl, status in up.completed]
    assert {status for _, status in done} <= {NdisStatus.SUCCESS, NdisStatus.RESET_IN_PROGRESS}
    success = {nbl for nbl, status in done if status == NdisStatus.SUCCESS}
    assert len(success) >= 5 * (ROUNDS // 3)
    wire = host.sent
    assert len(wire) == len(set(wire))
    assert {nbl.first_net_buffer.tobytes() for nbl in success} <= set(wire)
    await finish(host)


@cocotb.test()
async def requests_reach_the_nics_counters_through_two_levels_and_a_filter(dut):
    """OI-17: each level asks by a clone; the answer is what the Verilog counts, and the filter is set in it."""
    host = await over(
        dut, splitter(), mux(2, "split0"), filters=[(FunctionalFilter, "nic0"), (FunctionalFilter, "mux0")]
    )
    up, other = host.ups
    up.send(*[out(n) for n in range(7)])
    await host.ended(up, number=7)
    request = ndis.query(Oid.OID_GEN_STATISTICS, 256)
    assert await up.request(request) == NdisStatus.SUCCESS
    seen = StatisticsInfo.parse(request.answer())
    assert seen == await host.statistics()
    assert seen.if_hc_out_ucast_pkts == 7
    assert all(fi.requests for fi in host.filters)
    assert host.stack.host.oid_clones == {}
    group = b"\x01\0\x5e\0\0\x09"
    await other.set_multicast(group)
    host.inject(frame(1, 60, group), frame(2, 60, VIRTUAL[1]))
    await host.until(lambda: len(other.received) == 2)
    assert (up.received, other.received) == ([], [frame(1, 60, group), frame(2, 60, VIRTUAL[1])])
    await finish(host)


@cocotb.test()
async def a_frame_to_oneself_is_looped_once_above_two_levels(dut):
    """IM-08: the upper NDIS level has looped it; the levels below are not asked again."""
    host = await over(dut, splitter(), mux(1, "split0"), on=["mux0"])
    (up,) = host.ups
    data = frame(1, 60, VIRTUAL[0], VIRTUAL[0])
    up.send_nbls([up.build(data)], flags=SendFlags.CHECK_FOR_LOOPBACK)
    await host.ended(up, number=1)
    await host.run(20_000)
    assert (up.received, host.sent) == ([data], [data])
    await finish(host)


@cocotb.test()
async def pauses_of_the_nic_lose_nothing_above_two_levels(dut):
    """ST-12, ST-23, IM-18: protocols, filters, intermediate drivers and miniport pause and go on; accepted is sent."""
    host = await over(dut, splitter(), mux(2, "split0"), filters=[(FunctionalFilter, "nic0")])
    draw, number = random.Random(11), 0
    for _ in range(ROUNDS // 4):
        for up in host.ups:
            up.send_nbls([up.build(*[out(number + n) for n in range(3)])])
            number += 3
        await host.run(draw.randrange(1, 6_000))
        await ndis.pause_adapter(host.stack.adapter)
        assert host.stack.adapter.statistics() == {"sends_outstanding": 0, "receives_outstanding": 0}
        assert await ndis.restart_adapter(host.stack.adapter) == NdisStatus.SUCCESS
    await host.ended(*host.ups, number=number // 3)
    ended = {status for up in host.ups for _, status in up.completed}
    assert ended == {NdisStatus.SUCCESS}
    assert sorted(host.sent) == sorted(out(n) for n in range(number))
    await finish(host)

# SPDX-License-Identifier: Apache-2.0
"""Calls over two Verilog NICs: the signalling and the data both cross the wire; both kinds of call manager."""

from dataclasses import replace
from itertools import pairwise

import cocotb
from condis_call_bench import CARDS, Patience, call_hosts, connected, finish
from stack_bench import HARD

from hilnic.hw import regs
from hilnic.ndis import NdisStatus
from hilnic.ndis.condis.vlan_media import VlanMedia
from hilnic.protocols.co_client import CallFailed, CoClient, ConnectionState, Qos
from hilnic.protocols.co_client5 import CoClient5

FAST = Qos(rate=25_000_000, burst=4 * 1522, max_sdu=1500)
PAIRS = [("6-co", "5-co"), ("5-mcm", "6-mcm"), ("6-co", "6-mcm")]


def sdus(number, length=700):
    """Numbered SDUs."""
    return [n.to_bytes(2, "big") * (length // 2) for n in range(number)]


@cocotb.test()
@cocotb.parametrize(pair=PAIRS, client=[CoClient, CoClient5])
async def a_call_is_set_up_used_and_released_over_the_wire(dut, pair, client):
    """CC-01, CC-14, CC-15, CC-20, CC-22, CC-23: SETUP to RELEASE COMPLETE on the signalling VC, data on the call's."""
    one, other = await call_hosts(dut, *pair, client=client)
    ours, theirs = await connected(one, other, FAST, FAST, data=b"hello")
    ours.send(*sdus(20))
    theirs.send(*sdus(20))
    await one.until(lambda: len(ours.received) == len(theirs.received) == 20, "all SDUs")
    assert list(ours.received) == list(theirs.received) == sdus(20)
    await ours.close(b"bye")
    await one.until(lambda: theirs.state is ConnectionState.CLOSED, "the close at the other end")
    assert (theirs.close_status, theirs.close_data) == (NdisStatus.SUCCESS, b"bye")
    said = [kind.name for kind in one.said()]
    assert said[:3] == ["RESTART", "SETUP", "STATUS"]
    assert "RELEASE" in said
    assert [kind.name for kind in other.said()][:3] == ["RESTART_ACKNOWLEDGE", "CALL_PROCEEDING", "CONNECT"]
    await finish(one, other)


@cocotb.test()
@cocotb.parametrize(pair=PAIRS[:2])
async def ids_and_entries_are_used_again_with_frames_in_flight(dut, pair):
    """CD-08: no frame of an old call reaches a new one with the same VLAN id, over slow and disordered memory."""
    one, other = await call_hosts(dut, *pair, timing=HARD, seed=5)
    for host in (one, other):
        host.leave_ids(16)
    free = [host.holdings() for host in (one, other)]
    for number in range(6):
        ours, theirs = await connected(one, other, FAST, FAST)
        mark = bytes([number])
        ours.send(*[mark * 900] * 5)
        theirs.send(*[mark * 900] * 5)
        await (ours if number % 2 else theirs).close()
        for end in (ours, theirs):
            await one.until(lambda end=end: end.state is ConnectionState.CLOSED, "the close")
            assert {sdu[:1] for sdu in end.received} <= {mark}
            assert VlanMedia.parse(end.parameters.media.specific).vlan_id == 16
        await one.until(lambda: [one.holdings(), other.holdings()] == free, "the id to be free at both ends")
    await finish(one, other)


@cocotb.test()
@cocotb.parametrize(pair=PAIRS[:2])
async def a_stopped_peer_makes_calls_fail_by_timer(dut, pair):
    """The peer's NIC takes nothing any more: an active call ends by T309, a new one by T316."""
    short = Patience(repeat_ns=100_000, quiet_ns=150_000, times=2)
    cards = replace(CARDS, signalling=short.settings)
    one, other = await call_hosts(dut, *pair, connections=cards, patience=short)
    ours, _ = await connected(one, other, FAST)
    other.stack.hardware.write(regs.CTRL, 0)
    await one.until(lambda: ours.state is ConnectionState.CLOSED, "T309 and T322")
    assert ours.close_status is NdisStatus.DEST_OUT_OF_ORDER
    try:
        await one.call(other, FAST)
    except CallFailed as failed:
        assert failed.status is NdisStatus.DEST_OUT_OF_ORDER
    else:
        raise AssertionError("a call to a stopped NIC went through")
    other.stack.hardware.write(regs.CTRL, regs.CTRL_TX_ENABLE | regs.CTRL_RX_ENABLE)
    await finish(one, other)


@cocotb.test()
@cocotb.parametrize(pair=PAIRS[:2])
async def a_change_of_contract_is_felt_in_traffic(dut, pair):
    """CC-25: MODIFY REQUEST while frames wait for the shaper."""
    one, other = await call_hosts(dut, *pair)
    slow = Qos(rate=5_000_000, burst=2 * 1522, max_sdu=1500)
    ours, theirs = await connected(one, other, slow)
    ours.send(*sdus(20, 1400))
    await one.clock.sleep(400_000)
    assert len(theirs.received) < 5
    await ours.change(Qos(rate=100_000_000, burst=4 * 1522, max_sdu=1500), None)
    await one.until(lambda: len(theirs.received) == 20, "the rest", limit_ns=1_000_000)
    await finish(one, other)


DATA_VCS = 6
BURST = 24 * 1522
LONGEST_OCTETS = 1522 + 20
"""Octet times of a data frame, with preamble and gap."""
BEGUN_OCTETS = 4096
"""Octet times of frames that the NIC has begun before (docs/nic.md, section 11.4)."""
HOST_NS = 30_000
"""DMA, interrupts, DPCs, and the activation of a VC before the answer."""
MOST_NS = 8 * (DATA_VCS * (CARDS.quantum + LONGEST_OCTETS) + BEGUN_OCTETS) + HOST_NS


@cocotb.test()
@cocotb.parametrize(pair=PAIRS[:2])
async def a_message_waits_for_one_turn_of_each_data_vc(dut, pair):
    """Both ways are promised wholly and full of bursts: each message of a call set-up beside them goes in time."""
    one, other = await call_hosts(dut, *pair)
    whole = Qos(rate=one.left_to_promise() // DATA_VCS, burst=BURST, max_sdu=1500)
    ends = [end for _ in range(DATA_VCS) for end in await connected(one, other, whole, whole)]
    for end in ends:
        end.send(*sdus(30, 1500))
    await one.clock.sleep(100_000)
    one.wire.clear()
    other.wire.clear()
    before = one.clock.now_ns()
    await connected(one, other, Qos())
    assert all(end.outstanding for end in ends)
    said = sorted(one.said_at() + other.said_at())
    assert [message.name for _, message in said][:3] == ["SETUP", "CALL_PROCEEDING", "CONNECT"]
    times = [before, *(time_ns for time_ns, _ in said)]
    delays = [after - time_ns for time_ns, after in pairwise(times)]
    cocotb.log.info("the longest of %d messages took %d ns, %d are allowed", len(said), max(delays), MOST_NS)
    assert max(delays) <= MOST_NS, (said, delays)
    await finish(one, other)

# SPDX-License-Identifier: Apache-2.0
"""Calls and data for which something runs out: memory, entries of the NIC's table, VLAN ids, the line, descriptors.

Two Verilog NICs, both kinds of call manager, both data versions. What cannot be had is refused with its status, leaves
nothing behind at either end, and the next call works.
"""

import os
from dataclasses import replace
from types import SimpleNamespace

import cocotb
from condis_call_bench import CARDS, call_hosts, connected, finish

from hilnic.hw.regs import VcCounter
from hilnic.ndis import NdisStatus
from hilnic.protocols.co_client import CallFailed, CoClient, ConnectionState, Qos
from hilnic.protocols.co_client5 import CoClient5
from hilnic.testing.ndistest.faults import fail_allocation, steps_of

LONG = os.environ.get("HILNIC_SOAK") == "1"
CLOSED = ConnectionState.CLOSED
ANY = Qos(max_sdu=1500)
SOME = Qos(rate=10_000_000, burst=2 * 1522, max_sdu=1500)
HALF = Qos(rate=60_000_000, burst=2 * 1522, max_sdu=1500)
TINY = replace(CARDS, tx_ring=64, rx_ring=4, rx_buffers=4, rx_low_water=0, most_vcs=5)
KINDS = [("6-co", CoClient), ("5-co", CoClient5), ("6-mcm", CoClient5), ("5-mcm", CoClient)]
OTHER_KINDS = [("6-co", CoClient5), ("5-co", CoClient), ("6-mcm", CoClient), ("5-mcm", CoClient5)]


def memory_of(host):
    """A host as `fail_allocation` knows it."""
    return SimpleNamespace(slot=SimpleNamespace(kernel=host.stack.host.kernel, resources=host.card.device))


async def attempt(one, other, sends=SOME, receives=SOME, **options):
    """Call, and close what came of it; how the call ended."""
    try:
        ours = await one.call(other, sends, receives, **options)
    except CallFailed as failed:
        return failed.status
    await ours.close()
    return NdisStatus.SUCCESS


async def free_again(before, *hosts):
    """Until all that the calls took is there again; a pool may have grown by a message, which `finish` sees freed."""
    for host, (held, regions) in zip(hosts, before, strict=True):
        await host.until(lambda host=host, held=held: host.holdings() == held, f"host {host.number} to hold {held}")
        assert host.card.memory.statistics().regions <= regions + 2


async def carries(one, ours, theirs, number=3):
    """Whether both ends hear each other."""
    for sender, receiver in ((ours, theirs), (theirs, ours)):
        sdus, before = [bytes([n]) * 400 for n in range(number)], len(receiver.received)
        for sdu in sdus:
            sender.send(sdu)
            await sender.wait_for_room()
        await one.until(lambda end=receiver, before=before: len(end.received) == before + number, "all SDUs")
        assert list(receiver.received)[before:] == sdus


async def hosts_between_calls(dut, kind):
    """Two hosts, after a call that has filled the pools of messages and SDUs; what they hold."""
    miniport, client = kind
    one, other = await call_hosts(dut, miniport, miniport, client=client, connections=TINY)
    idle = [host.holdings() for host in (one, other)]
    ours, theirs = await connected(one, other, ANY, ANY)
    await carries(one, ours, theirs)
    await ours.close()
    await one.until(lambda: [host.holdings() for host in (one, other)] == idle, "the end of the first call")
    return one, other, [(host.holdings(), host.card.memory.statistics().regions) for host in (one, other)]


@cocotb.test()
@cocotb.parametrize(kind=KINDS[:3] + (KINDS[3:] + OTHER_KINDS) * LONG)
async def a_call_for_which_no_memory_is_left_ends_with_resources_and_is_rolled_back(dut, kind):
    """CC-07, CC-09, CC-16, CD-13: the k-th allocation of a call fails, at the caller and at the called side."""
    one, other, before = await hosts_between_calls(dut, kind)
    for host in (one, other):
        with fail_allocation(memory_of(host), None) as calls:
            assert await attempt(one, other) is NdisStatus.SUCCESS
            await free_again(before, one, other)
        steps = steps_of(len(calls), 2)
        assert len(steps) >= 6
        for step in steps if LONG else [*steps[:-1:3], steps[-1]]:
            with fail_allocation(memory_of(host), step):
                status = await attempt(one, other)
                await free_again(before, one, other)
            assert status is NdisStatus.RESOURCES, f"allocation {step} of host {host.number}: {status.name}"
    ours, theirs = await connected(one, other, ANY, ANY)
    await carries(one, ours, theirs)
    await finish(one, other)


@cocotb.test()
@cocotb.parametrize(kind=KINDS[1::2] + (KINDS[::2] + OTHER_KINDS) * LONG)
async def entries_ids_and_the_line_run_out_at_either_end_and_are_there_again(dut, kind):
    """CC-07, CC-16, CC-25: RESOURCES, VC_NOT_AVAILABLE and CELLRATE_NOT_AVAILABLE; the VCs that there are go on."""
    one, other, before = await hosts_between_calls(dut, kind)
    ends = [await connected(one, other, HALF, None), await connected(one, other, None, HALF)]
    table = other.stack.connections
    table._free, free = [], table._free
    assert await attempt(one, other) is NdisStatus.RESOURCES, "the called side has no entry"
    table._free = free
    assert await attempt(one, other, HALF, None) is NdisStatus.CELLRATE_NOT_AVAILABLE, "one sends too much"
    assert await attempt(one, other, None, HALF) is NdisStatus.CELLRATE_NOT_AVAILABLE, "the other sends too much"
    assert await attempt(one, other, HALF, None, round_down=True) is NdisStatus.SUCCESS, "less would do"
    ends += [await connected(one, other, ANY, ANY) for _ in range(2)]  # with the signalling's there are five
    assert await attempt(one, other) is NdisStatus.RESOURCES, "the caller has no entry"
    await carries(one, *ends[-1])
    for ours, _ in ends:
        await ours.close()
    await free_again(before, one, other)
    one.leave_ids(16)
    other.leave_ids(18)
    assert await attempt(one, other) is NdisStatus.VC_NOT_AVAILABLE, "no id is free at both ends"
    one.leave_ids()
    assert await attempt(one, other) is NdisStatus.VC_NOT_AVAILABLE, "no id is free at the caller"
    for host in (one, other):
        host.give_ids(16)
    ours, theirs = await connected(one, other, ANY, ANY)
    await carries(one, ours, theirs)
    await finish(one, other)


@cocotb.test()
@cocotb.parametrize(kind=KINDS[:2] + (KINDS[2:] + OTHER_KINDS) * LONG)
async def data_for_which_something_runs_out_is_lost_whole_and_told(dut, kind):
    """CD-02, CD-04, CD-13: memory of SDUs, then receive descriptors; every send ends once."""
    one, other, _ = await hosts_between_calls(dut, kind)
    ours, theirs = await connected(one, other, ANY, ANY)
    for number in range(2, 6):  # more at once than ever before: one of them needs new memory
        before = len(theirs.received)
        with fail_allocation(memory_of(one), 0):
            try:
                ours.send(*[bytes([number]) * 200] * number)
            except MemoryError:
                assert ours.outstanding == 0
            else:
                raise AssertionError(f"{number} SDUs found memory")
        ours.send(*[bytes([number]) * 200] * number)
        await one.until(lambda n=before + number: len(theirs.received) == n, "the SDUs of the second try")
        await ours.wait_for_room()
    theirs.received.clear()
    sdus = [n.to_bytes(2, "big") * 20 for n in range(80)]  # twenty times the receive buffers
    ours.send(*sdus)
    await ours.wait_for_room()
    assert (ours.sent, ours.failed) == (ours.completed, 0)
    await one.clock.sleep(20_000)
    (entry,) = [each.entry for each in other.stack.connections.active() if each.entry.number]  # 0 is the signalling's
    lost = await entry.counter(VcCounter.RX_DROPS)
    assert 0 < lost == len(sdus) - len(theirs.received)
    came = iter(sdus)
    assert all(sdu in came for sdu in theirs.received), "out of order, twice, or never sent"
    await carries(one, ours, theirs)
    await finish(one, other)

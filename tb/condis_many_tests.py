# SPDX-License-Identifier: Apache-2.0
"""The whole table of virtual connections at once: 63 calls and the signalling, all of different contracts, under load.

The hardware's part, without drivers, is `vc_load_tests`.
"""

import os
from dataclasses import asdict, dataclass, replace

import cocotb
from cocotb.triggers import Combine
from condis_call_bench import CARDS, Patience, call_hosts, finish

from hilnic.apps.contract_rate import RateMeter
from hilnic.apps.vc_rates import of_frames
from hilnic.cosim.artefacts import note_rates
from hilnic.ndis.condis.vlan_media import VlanMedia
from hilnic.protocols.co_client import CoClient, ConnectionState, Qos
from hilnic.protocols.co_client5 import CoClient5
from hilnic.protocols.raw import RawProtocol
from hilnic.testing.vcs import counted, vlan_of

LONG = os.environ.get("HILNIC_SOAK") == "1"
SETTLING_NS = 600_000
"""At first every call sends what its bucket holds."""
CALLS = 63
"""The sixty-fourth virtual connection of the NIC carries the signalling."""
LONGEST_SDU = 250
OVERHEAD = 22
"""Octets of a frame besides its SDU: header, tag, FCS."""
PATIENT = Patience(repeat_ns=1_000_000, quiet_ns=10_000_000, times=4)
POOLS = replace(CARDS, tx_ring=16, rx_ring=16, rx_buffers=16, rx_low_water=0, signalling=PATIENT.settings)
MIXED = ("6-co", "6-mcm"), (CoClient, CoClient5)


@dataclass(frozen=True, slots=True)
class Load:
    """Contracts of number n: `slowest` + n mod `steps` * `step` bytes per second, for so long."""

    slowest: int
    step: int
    steps: int
    duration_ns: int

    def rate(self, number: int) -> int:
        """Bytes per second."""
        return self.slowest + number % self.steps * self.step


FAST = Load(1_000_000, 125_000, 9, 2_600_000)
"""8 to 16 Mbit/s, 757 Mbit/s together; with gaps and preambles 82 % of the line."""
SLOW = Load(50_000, 25_000, 20, 40_000_000)
"""400 kbit/s to 4.2 Mbit/s; a frame of the slowest takes up to 5.4 ms, and a rate is told from five on."""
CASES = [(MIXED, FAST)]
LONG_CASES = [
    (MIXED, SLOW),
    ((("5-co", "5-co"), (CoClient5, CoClient)), FAST),
    ((("6-mcm", "6-co"), (CoClient, CoClient)), FAST),
    ((("6-mcm", "5-co"), (CoClient5, CoClient5)), SLOW),
]


async def all_of(works):
    """Begin all, wait for the end of all; their results."""
    tasks = [cocotb.start_soon(work) for work in works]
    await Combine(*tasks)
    return [task.result() for task in tasks]


@cocotb.test()
@cocotb.parametrize(case=CASES + LONG_CASES * LONG)
async def sixty_four_calls_keep_their_contracts_at_once(dut, case):
    """CD-07, CD-08: each rate within 1 %, no burst above its bucket, beside connectionless frames both ways."""
    (miniports, clients), load = case
    raws = [RawProtocol(), RawProtocol()]
    one, other = hosts = await call_hosts(
        dut, *miniports, client=clients, connections=POOLS, patience=PATIENT, others=lambda number: [raws[number]]
    )
    free = [host.holdings() for host in hosts]
    burst = 2 * (LONGEST_SDU + OVERHEAD)
    contracts = [Qos(rate=load.rate(number), burst=burst, max_sdu=LONGEST_SDU) for number in range(CALLS)]
    calls = await all_of(one.call(other, qos, Qos(), data=bytes([n])) for n, qos in enumerate(contracts))
    assert [len(host.stack.connections.by_entry) for host in hosts] == [CALLS + 1] * 2
    of_vlan = {vlan(ours): qos.rate for ours, qos in zip(calls, contracts, strict=True)}
    theirs = {vlan(end): end for end in other.accepted}
    assert set(of_vlan) == set(theirs)
    wire = {vlan_id: [] for vlan_id in of_vlan}

    def measure(from_nic, frame):
        if from_nic and (frames := wire.get(vlan_of(frame.data))) is not None:
            frames.append((frame.time_ns, counted(frame.data)))

    one.card.link.record = measure
    begin = one.clock.now_ns()
    sent = {}
    for number, ours in enumerate(calls):
        length = LONGEST_SDU - 20 * (number % 3)
        count = of_vlan[vlan(ours)] * load.duration_ns // (length + OVERHEAD) // 10**9 + 2
        sent[vlan(ours)] = [bytes([number, n & 0xFF]) * (length // 2) for n in range(count)]
        ours.send(*sent[vlan(ours)])
    pushing = [cocotb.start_soon(push(host, raw, load.duration_ns)) for host, raw in zip(hosts, raws, strict=True)]
    for ours in calls:
        await ours.wait_for_room()
    await Combine(*pushing)
    await one.clock.sleep(100_000)
    rates = []
    for vlan_id, frames in wire.items():
        rate = of_vlan[vlan_id]
        assert most_at_once(frames, rate) <= burst + 2, f"VLAN {vlan_id}: {frames}"
        rates.append(of_frames(f"VLAN {vlan_id}", rate, [each for each in frames if each[0] >= begin + SETTLING_NS]))
        assert list(theirs[vlan_id].received) == sent[vlan_id]
    note_rates([asdict(each) for each in rates])
    cocotb.log.info("%d contracts, the worst off by %.2f %%", len(rates), 100 * max(abs(r.deviation) for r in rates))
    assert all(each.is_measured and each.is_kept for each in rates), rates
    for raw, peer in ((raws[0], raws[1].bindings["nic1"]), (raws[1], raws[0].bindings["nic0"])):
        (binding,) = raw.bindings.values()
        assert len(peer.received) == binding.statistics().sent > 20
    await all_of(ours.close() for ours in calls)
    assert {ours.state for ours in calls} == {ConnectionState.CLOSED}
    for host, had in zip(hosts, free, strict=True):
        await host.until(lambda host=host, had=had: host.holdings() == had, f"host {host.number} to be free")
    await finish(one, other)


def most_at_once(frames, rate):
    """How much of a bucket of this rate the frames used at once."""
    meter = RateMeter(rate, 1 << 30)
    for time_ns, octets in frames:
        meter.add(time_ns, octets)
    return meter.result().most_at_once


def vlan(connection):
    """A connection's VLAN id."""
    return VlanMedia.parse(connection.parameters.media.specific).vlan_id


async def push(host, raw, duration_ns):
    """Connectionless frames, four at a time, as fast as the NIC takes them."""
    (binding,) = raw.bindings.values()
    frame = bytes([2, 0x48, 0x4E, 0, 0, 2 - host.number]) + host.address + b"\x88\xb5" + bytes(1000)
    end = host.clock.now_ns() + duration_ns
    while host.clock.now_ns() < end:
        binding.send(*[frame] * (4 - binding.outstanding))
        await host.clock.sleep(10_000)
    await host.until(lambda: not binding.outstanding, "the connectionless sends")

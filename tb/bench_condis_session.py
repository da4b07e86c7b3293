# SPDX-License-Identifier: Apache-2.0
"""The simulator's side of `hilnic bench condis`: one part after the other, a line for each row of the report.

Every part has two hosts on two Verilog NICs joined by a cable, with the call managers and clients of condis_call_bench.
"""

import gc
from dataclasses import asdict
from functools import partial
from itertools import cycle, islice
from time import perf_counter, process_time

import cocotb
from condis_call_bench import CallHost, finish

from hilnic.apps import session
from hilnic.apps.vc_rates import of_frames
from hilnic.cosim import hostmem
from hilnic.cosim.harness import ALIGNED, Harness
from hilnic.miniport_co.mcm import McmConfig
from hilnic.ndis.condis.vlan_media import VlanMedia
from hilnic.protocols.co_client import CoClient, ConnectionState, Qos
from hilnic.protocols.raw import RawProtocol
from hilnic.stack import NicConfig
from hilnic.testing.vcs import counted, vlan_of

LIMIT_NS = 10**12
STEP_NS, FINE_STEP_NS = 1_000, 50
PATIENCE_NS = 20_000_000
EXPERIMENTS = b"\x88\xb5"
HEADER = 18  # octets before an SDU on the wire: addresses, tag, length
LONGEST = 1500
CONTRACT_FRAMES = 4  # in the bucket, and at least as many to send
REFILL_NS = 20_000
SETTLING_NS = 1_000_000
NOTE_EVERY = 16  # calls
MTU = LONGEST + 4  # so that a connectionless frame may be as long as an SDU's with its tag
SMALL_BUFFER = 256  # bytes: 96 receive buffers of 1024 connections fit into the memory
MEGABYTE = 1 << 20


@cocotb.test()
async def parts(dut):
    job = session.job()
    for part in job["parts"]:
        await PARTS[part["part"]](dut, part, job)


async def hosts(dut, job, *, miniport="6-co", connections=None, megabytes=32, nic=None, raw=False):
    """Two hosts that can call each other; with `raw`, a connectionless protocol on each beside the client."""
    memory, seed = megabytes * MEGABYTE, job["seed"]
    harness = Harness(dut, clocks=[ALIGNED] * 2, cards=2, memory_bytes=memory, seed=seed, limit_ns=LIMIT_NS)
    await harness.start()
    found = []
    for number, card in enumerate(harness.cards):
        card.settings.wire_mode, card.settings.batch_ps = hostmem.WIRE_CROSS, 10_000_000
        others = [RawProtocol()] if raw else []
        settings = connections or McmConfig()
        host = CallHost(harness, number, miniport, CoClient, settings, nic=nic, others=others, verify=job["verify"])
        card.link.record = None  # nobody reads the host's list of frames
        found.append(host)
    for host in found:
        await host.start()
    await harness.sleep(100_000)  # until the signalling VCs are active
    return found


async def call(one, other, qos):
    """Both ends of a call, once both are connected; the other one keeps what it receives."""
    ours = await one.call(other, qos)
    theirs = other.accepted[-1]
    await one.until(lambda: theirs.state is ConnectionState.OPEN, "the connection at the other end")
    return ours, theirs


class Watch:
    """Time since it was made."""

    def __init__(self, host):
        self._host = host
        self._start = self._now()

    def _now(self):
        return self._host.clock.now_ns(), perf_counter(), process_time()

    def read(self):
        """Simulated, wall and CPU time."""
        simulated, wall, cpu = (end - start for start, end in zip(self._start, self._now(), strict=True))
        return {"simulated_ns": simulated, "wall_s": wall, "cpu_s": cpu}


class Heard:
    """Takes SDUs, which all have to be the same."""

    def __init__(self, content):
        self.content, self.number = content, 0

    def take(self, sdu):
        assert sdu == self.content, "other octets have arrived"
        self.number += 1


# --- calls per second -------------------------------------------------------------------------------------------------


async def setup(dut, part, job):
    """Calls one after the other; each is released before the next one."""
    one, other = await hosts(dut, job, miniport=part["miniport"])
    found = {"setup": [], "release": []}
    for _ in range(part["calls"]):
        watch = Watch(one)
        ours, theirs = await call(one, other, Qos(rate=1_000_000, burst=4000, max_sdu=LONGEST))
        found["setup"].append(watch.read())
        watch = Watch(one)
        await ours.close()
        await one.until(lambda theirs=theirs: theirs.state is ConnectionState.CLOSED, "the close at the other end")
        found["release"].append(watch.read())
    session.say(row=part["row"], **found)
    await finish(one, other)


# --- contracts --------------------------------------------------------------------------------------------------------


async def contract(dut, part, job):
    """Guaranteed VCs of different rates; each always has more to send than it may."""
    one, other = await hosts(dut, job)
    size, ends, begun = part["size"], [], {}
    heard = Heard(bytes(range(size)))

    def on_wire(from_nic, frame):
        if from_nic and (starts := begun.get(vlan_of(frame.data))) is not None:
            starts.append((frame.time_ns, counted(frame.data)))

    for rate in part["rates"]:
        ours, theirs = await call(one, other, Qos(rate=rate, burst=CONTRACT_FRAMES * (size + 22), max_sdu=size))
        theirs.on_receive = heard.take
        ends.append(ours)
    session.say(note=f"{len(ends)} contracts")
    await keep_busy(one, ends, heard.content, SETTLING_NS)  # what the buckets hold goes out all at once
    begun |= {vlan(end): [] for end in ends}
    one.card.link.record, watch = on_wire, Watch(one)
    await keep_busy(one, ends, heard.content, part["duration_ns"])
    took = watch.read()
    rates = [rate_of(end, begun[vlan(end)]) for end in ends]
    for end in ends:
        await end.wait_for_room()
    await one.until(lambda: heard.number == sum(end.sent for end in ends), "all SDUs")
    session.say(row=part["row"], rates=rates, **took)
    await finish(one, other)


async def keep_busy(one, ends, sdu, duration_ns):
    """All of them have something to send, for so long."""
    end_ns = one.clock.now_ns() + duration_ns
    while one.clock.now_ns() < end_ns:
        for end in ends:
            if end.outstanding < CONTRACT_FRAMES:
                end.send(*[sdu] * CONTRACT_FRAMES)
        await one.clock.sleep(REFILL_NS)


def rate_of(connection, starts):
    """A row of `rates`: against what was agreed, not what was asked for."""
    agreed = connection.parameters.call_manager.transmit.token_rate
    return asdict(of_frames(connection.open_handle.vc.name, agreed, starts))


def vlan(connection):
    """The VLAN id that a connection has got."""
    return VlanMedia.parse(connection.parameters.media.specific).vlan_id


# --- data -------------------------------------------------------------------------------------------------------------


class Wire:
    """When the frames of at least so many octets began to leave a host's NIC; signalling is shorter."""

    def __init__(self, host):
        self.starts_ns, self._least = [], 0
        host.card.link.record = self._record

    def begin(self, least):
        """Forget what was; listen for frames of `least` octets without FCS or more."""
        self._least = least
        self.starts_ns.clear()

    def _record(self, from_nic, frame):
        if from_nic and len(frame.data) >= self._least:
            self.starts_ns.append(frame.time_ns)


async def flow(one, wire, load, send, arrived):
    """Send `warm_up` and `frames` more, `window` under way: what the latter take on the wire, and of the machine.

    `arrived()` says how many the other host has received.
    """
    frames, total = load["frames"], load["warm_up"] + load["frames"]
    step_ns = STEP_NS if load["window"] > 1 else FINE_STEP_NS  # with one under way, what a step adds counts
    wire.begin(load["size"] + HEADER)
    sent, begun, latest = 0, None, one.clock.now_ns()
    while (here := arrived()) < total:
        if begun is None and here >= load["warm_up"]:
            begun, first = Watch(one), here
        if (room := min(load["window"] - (sent - here), total - sent)) > 0:
            send(room)
            sent, latest = sent + room, one.clock.now_ns()
        late = one.clock.now_ns() - latest > PATIENCE_NS
        assert not late, f"{here} of {total} frames have arrived\n{one.harness.watchdog.report()}"
        await one.clock.sleep(step_ns)
    took = begun.read()
    await one.until(lambda: len(wire.starts_ns) == total, "the wire's news of the last frames")
    share = frames / (total - first)  # frames arrive in batches
    simulated = wire.starts_ns[-1] - wire.starts_ns[-1 - frames]
    return {"simulated_ns": simulated, "wall_s": took["wall_s"] * share, "cpu_s": took["cpu_s"] * share}


async def throughput(dut, part, job):
    """Frames of one connection, then as many connectionless ones of the same length."""
    one, other = await hosts(dut, job, nic=NicConfig(mtu=MTU), raw=True)
    ours, theirs = await call(one, other, Qos(max_sdu=LONGEST))
    raw, heard = (host.stack.protocols[1].bindings[host.stack.name] for host in (one, other))
    wire = Wire(one)
    for load in part["loads"]:
        sdu = load["size"].to_bytes(2, "big") * (load["size"] // 2) + bytes(load["size"] % 2)
        frame = (other.address + one.address + EXPERIMENTS).ljust(HEADER, b"\0") + sdu
        took = {}
        for way, send, content, received in (
            ("connectionless", raw.send, frame, heard.received),
            ("vc", ours.send, sdu, theirs.received),
        ):
            took[way] = await flow(
                one, wire, load, lambda count, send=send, content=content: send(*[content] * count), received.__len__
            )
            assert set(received) == {content}, f"{way}, {load['size']} bytes: other octets have arrived"
            received.clear()
        session.say(row=load["row"], **took)
    await finish(one, other)


async def growth(dut, part, job):
    """More and more connections; data on the last one alone, then on all of them in turn."""
    connections = McmConfig(most_vcs=part["most_vcs"])
    nic = NicConfig(rx_buffer_bytes=SMALL_BUFFER)
    one, other = await hosts(dut, job, connections=connections, megabytes=part["megabytes"], nic=nic)
    wire, ends, heard = Wire(one), [], Heard(b"")
    for load in part["loads"]:
        watch, opened = Watch(one), load["vcs"] - len(ends)
        while len(ends) < load["vcs"]:
            ours, theirs = await call(one, other, Qos(max_sdu=load["size"]))
            theirs.on_receive = heard.take
            ends.append(ours)
            if not len(ends) % NOTE_EVERY:
                session.say(note=f"{len(ends)} calls")
        gc.collect()  # each call has some thousand objects: the collector's walk is its cost, not a frame's
        took = {"calls": watch.read() | {"opened": opened}}
        session.say(note=f"data with {len(ends)} VCs")
        heard.content = bytes([load["row"] + 1]) * load["size"]
        for way, used in (("one", ends[-1:]), ("all", ends)):
            heard.number, send = 0, partial(share_out, cycle(used), heard.content)
            took[way] = await flow(one, wire, load, send, lambda: heard.number)
        session.say(row=load["row"], **took)
    await finish(one, other)


def share_out(turns, sdu, count):
    """Send `count` SDUs, the next one on the next connection; one call for all that a connection gets."""
    batches = {}
    for end in islice(turns, count):
        batches.setdefault(end, []).append(sdu)
    for end, sdus in batches.items():
        end.send(*sdus)


PARTS = {"setup": setup, "contract": contract, "throughput": throughput, "growth": growth}

# SPDX-License-Identifier: Apache-2.0
"""The simulator's side of `hilnic condis`."""

import hashlib
from dataclasses import asdict
from pathlib import Path
from time import perf_counter

import cocotb
from condis_call_bench import call_hosts, finish

from hilnic.apps import session
from hilnic.apps.contract_rate import RateMeter
from hilnic.cosim.harness import ALIGNED
from hilnic.miniport_co.mcm import McmConfig
from hilnic.ndis.condis.vlan_media import VlanMedia
from hilnic.protocols.co_client import CallFailed, CoClient, ConnectionState, Qos
from hilnic.protocols.co_client5 import CoClient5
from hilnic.testing.vcs import counted, vlan_of

SDU = 1500
OUTSTANDING = 64  # SDUs that the sender keeps with the NIC
FRAME = SDU + 22  # with header, tag and FCS
STATES = {"call.state": "call", "vc.state": "vc"}


@cocotb.test()
async def stream(dut):
    job = session.job()
    client = CoClient5 if job["client"] == "5" else CoClient
    miniports = [job["miniport"]] * 2
    one, other = await call_hosts(
        dut,
        *miniports,
        client=client,
        seed=job["seed"],
        clocks=(ALIGNED,) * 2,
        connections=McmConfig(),
        limit_ns=10**13,
    )
    asked = Qos(rate=job["rate"], burst=job["burst"], peak=job["peak"], max_sdu=SDU)
    started = perf_counter()
    try:
        ours = await one.call(other, asked, data=Path(job["file"]).name.encode()[:100], round_down=True)
    except CallFailed as refused:
        session.say(refused=refused.status.name)
    else:
        theirs = other.accepted[-1]
        await one.until(lambda: theirs.state is ConnectionState.OPEN, "the connection at the other end")
        await transfer(job, one, ours, theirs)
        await ours.close()
        await one.until(lambda: theirs.state is ConnectionState.CLOSED, "the close at the other end")
    session.say(simulated_ns=one.clock.now_ns(), wall_s=perf_counter() - started)
    trace = one.harness.trace.events
    await finish(one, other)
    states = [(t, STATES[kind], row[STATES[kind]], row["state"]) for t, kind, row in trace if kind in STATES]
    session.say(states=sorted(states, key=lambda state: state[0]))


async def transfer(job, one, ours, theirs):
    """Send the file, take it, say what was agreed, how fast it went, and whether it is the same."""
    flow = ours.parameters.call_manager.transmit
    vlan = VlanMedia.parse(ours.parameters.media.specific).vlan_id
    session.say(
        negotiated={
            "vc": ours.open_handle.vc.name, "rate": flow.token_rate, "burst": flow.token_bucket_size,
            "max_sdu": flow.max_sdu_size, "peak": None if job["peak"] is None else flow.peak_bandwidth,
            "service": flow.service_type.name, "vlan": vlan,
        }
    )  # fmt: skip
    meter = RateMeter(flow.token_rate, flow.token_bucket_size)

    def on_wire(from_nic, frame):
        if from_nic and vlan_of(frame.data) == vlan:
            meter.add(frame.time_ns, counted(frame.data))

    one.card.link.record = on_wire
    wanted, found, taken = hashlib.sha256(), hashlib.sha256(), 0

    def take(sdu):
        nonlocal taken
        found.update(sdu)
        taken += len(sdu)

    theirs.on_receive = take
    sent, size = 0, file_size(job)
    for batch in batches(job):
        wanted.update(batch)
        ours.send(*[batch[at : at + SDU] for at in range(0, len(batch), SDU)])
        sent += len(batch)
        await ours.wait_for_room(OUTSTANDING // 2)
        session.say(progress=taken / size)
    await ours.wait_for_room()
    await arrival(one, lambda: taken, sent, flow.token_rate)
    await one.until(lambda: meter.frames == ours.sent - ours.failed, "the wire's news of the last frames")
    session.say(
        size=sent, received=taken, refused_sdus=ours.failed, sdus=ours.sent,
        wanted=wanted.hexdigest(), sha256=found.hexdigest(), rate=asdict(meter.result()),
    )  # fmt: skip


def file_size(job):
    """Bytes of the file."""
    return Path(job["file"]).stat().st_size


def batches(job):
    """The file, in pieces of as many SDUs as are sent in one call."""
    with Path(job["file"]).open("rb") as file:
        while batch := file.read(SDU * OUTSTANDING // 2):
            yield batch


async def arrival(one, taken, sent, rate):
    """Until everything has arrived, or nothing comes any more for ten of the longest frames and a millisecond."""
    silence_ns = 1_000_000 + 10 * FRAME * 10**9 // rate
    before = -1
    while before != taken() < sent:
        before = taken()
        for _ in range(100):
            await one.clock.sleep(silence_ns // 100)
            if taken() == sent:
                return

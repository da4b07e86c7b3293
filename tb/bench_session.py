# SPDX-License-Identifier: Apache-2.0
"""Runs the rows of `hilnic bench` inside the simulator, one after the other, and says a line per row."""

import cProfile
import io
import pstats
from dataclasses import asdict
from time import perf_counter, process_time

import cocotb

from hilnic.apps import latency, session
from hilnic.apps.traffic import Load, Snapshot, Traffic
from hilnic.cosim import hostmem
from hilnic.cosim.harness import ALIGNED, Harness
from hilnic.hw.timing import TimingModel
from hilnic.miniport.config import NicConfig
from hilnic.stack import Stack


class Meter:
    """Snapshots of one card, and the times of the last frame towards the NIC and of its last interrupt."""

    def __init__(self, harness):
        self.harness, self.card = harness, harness.cards[0]
        self.arrived, self.arrival_ns, self.interrupt_ns = 0, 0, 0.0
        self.card.link.record = self.on_record

    def on_record(self, from_nic, frame):
        if not from_nic:
            self.arrived += 1
            self.arrival_ns = frame.time_ns

    def watch_interrupts(self):
        inner, to_ns = self.harness.clock.on_event, self.harness.clock.to_ns

        def on_event(event):
            if event[2] == hostmem.EVENT_IRQ:
                self.interrupt_ns = to_ns(event[0])
            inner(event)

        self.harness.clock.on_event = on_event

    def snapshot(self):
        s = self.card.statistics
        return Snapshot(
            wall_s=perf_counter(),
            cpu_s=process_time(),
            now_ns=self.harness.now_ns,
            cycles=s.cycles,
            sent=(s.tx_frames, s.last_tx_ps / 1000),
            arrived=(self.arrived, self.arrival_ns),
            resident_bytes=session.resident_bytes(),
            gaps=tuple(s.gaps),
        )


@cocotb.test()
async def rows(dut):
    job = session.job()
    for number, row in enumerate(job["rows"]):
        session.say(row=number, **await measure(dut, row, job))


async def measure(dut, row, job):
    load = Load(**row["load"])
    timing = TimingModel()
    harness = Harness(dut, timing=timing, clocks=[ALIGNED], seed=job["seed"], limit_ns=60_000_000_000)
    await harness.start()
    card, meter = harness.cards[0], Meter(harness)
    looped = load.dir == "roundtrip"
    card.settings.wire_mode = hostmem.WIRE_LOOP if looped else hostmem.WIRE_ENDS
    card.settings.deliver = int(load.dir in {"tx", "both"})
    card.settings.batch_ps = 10_000_000
    traffic = Traffic(load, job["seed"])
    raw = traffic.protocol()
    config = NicConfig(rx_moderation=tuple(row["rx_moderation"]))
    stack = Stack(card.device, harness.clock, protocols=[raw], verify=row["verify"], timing=timing, config=config)
    await stack.start()
    traffic.attach(stack, raw, card.link, harness.clock, meter.snapshot)
    profile = cProfile.Profile() if job.get("profile") else None
    if profile:
        profile.enable()
    start, end = await traffic.run()
    if profile:
        profile.disable()
        print(report(profile))  # noqa: T201 - for sim.log
    card.settings.deliver, card.settings.batch_ps = 1, 0
    drops = await traffic.drops()
    meter.watch_interrupts()
    stack.nic.rx.page.configure(mod_count=1, mod_ticks=0)
    await harness.sleep(5_000)  # these writes have arrived: the first doorbell finds an idle NIC too
    found = await latency.measure(
        traffic, card.link, row["samples"], lambda: meter.arrival_ns, lambda: meter.interrupt_ns
    )
    await stack.stop()
    harness.stop()
    return {"start": asdict(start), "end": asdict(end), "drops": drops, "latencies_ns": asdict(found)}


def report(profile):
    stream = io.StringIO()
    pstats.Stats(profile, stream=stream).sort_stats("tottime").print_stats(45)
    return stream.getvalue()

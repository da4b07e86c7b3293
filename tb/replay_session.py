# SPDX-License-Identifier: Apache-2.0
"""The simulator's side of `hilnic replay`."""

from dataclasses import asdict
from pathlib import Path
from time import perf_counter

import cocotb

from hilnic.apps import session
from hilnic.apps.recording import recorded
from hilnic.apps.replayer import Replayer
from hilnic.cosim.harness import ALIGNED, Harness
from hilnic.hw.trace import Trace
from hilnic.stack import Stack
from hilnic.wire.pcap import read_capture


@cocotb.test()
async def replay(dut):
    job = session.job()
    replayer = Replayer(read_capture(Path(job["file"])).frames(), job["direction"])
    harness = Harness(dut, clocks=[ALIGNED], seed=job["seed"], limit_ns=10**13)
    await harness.start()
    card, raw = harness.cards[0], replayer.protocol()
    card.settings.batch_ps = 10_000_000
    trace = Trace(enabled=True, limit=1)  # heard by the capture, not kept
    stack = Stack(card.device, harness.clock, protocols=[raw], trace=trace, seed=job["seed"])
    await stack.start()
    with recorded("wire0.pcapng", card.link, trace):
        started, from_ns = perf_counter(), harness.now_ns
        outcome = await replayer.run(raw, card.link, harness.clock)
        wall_s, simulated_ns = perf_counter() - started, harness.now_ns - from_ns
        await stack.stop()
    session.say(**asdict(outcome), perfect=outcome.perfect, simulated_ns=simulated_ns, wall_s=wall_s)
    harness.stop()

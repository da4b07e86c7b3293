# SPDX-License-Identifier: Apache-2.0
"""A real capture through the NIC, both ways, on many and on few frames under way; and a fault that must be found."""

import os
from dataclasses import replace
from pathlib import Path

import cocotb

from hilnic import sources
from hilnic.apps.replayer import Replayer
from hilnic.cosim.artefacts import skip
from hilnic.cosim.harness import Harness
from hilnic.stack import Stack
from hilnic.testing import run_record
from hilnic.wire.pcap import Kind, read_capture

run_record.of_simulation()


def capture():
    """The capture that ships with the tests; a wheel has none, then this run is not for it."""
    return read_capture(Path(sources.root()) / "tests/data/802.1w_rapid_STP.pcap")


async def replayed(dut, direction, *, window=64, records=None):
    replayer = Replayer(capture().frames() if records is None else records, direction, window)
    harness = Harness(dut)
    await harness.start()
    card, raw = harness.cards[0], replayer.protocol()
    stack = Stack(card.device, harness.clock, protocols=[raw])
    await stack.start()
    outcome = await replayer.run(raw, card.link, harness.clock)
    await stack.stop()
    harness.stop()
    return outcome


def takes_two_harnesses():
    """For a test that replays twice."""
    if os.environ.get("HILNIC_ENDS") == "cocotbext":
        skip("replays twice, and cocotbext's models of the first harness stay on the pins until the test ends")


@cocotb.test()
async def every_octet_of_a_real_capture_leaves_the_host(dut):
    outcome = await replayed(dut, "tx")
    assert capture().kinds() == {Kind.FRAME: outcome.sent}
    assert outcome.perfect, outcome.differences


@cocotb.test()
async def every_octet_of_a_real_capture_reaches_the_protocol(dut):
    outcome = await replayed(dut, "rx")
    assert outcome.perfect, outcome.differences


@cocotb.test()
async def frames_under_60_octets_arrive_padded_both_ways(dut):
    takes_two_harnesses()
    first = capture().records[0]
    records = [replace(first, number=n, data=first.data[:n]) for n in (14, 15, 31, 42, 59, 60)]
    for direction in ("tx", "rx"):
        outcome = await replayed(dut, direction, window=2, records=list(records))
        assert (outcome.padded, outcome.perfect) == (5, True), outcome.differences


@cocotb.test()
async def a_frame_that_the_nic_refuses_is_told(dut):
    takes_two_harnesses()
    first = capture().records[0]
    long = replace(first, number=2, data=first.data.ljust(1515, b"x"))
    outcome = await replayed(dut, "tx", records=[first, long])
    assert not outcome.perfect
    assert outcome.refused == 1
    outcome = await replayed(dut, "rx", records=[first, long, first])
    assert (outcome.equal, outcome.lost) == (2, 1)

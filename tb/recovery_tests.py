# SPDX-License-Identifier: Apache-2.0
"""The NIC survives bus errors on every burst, disable and reset at any moment, stopped clocks, late answers."""

import os

import cocotb
from device_bench import HARD, device

from hilnic.hw.timing import TimingModel
from hilnic.testing.recovery import (
    expect_late_acknowledgement,
    survive_bus_error,
    survive_disable,
    survive_soft_reset,
    survive_stopped_clocks,
)

FAST = os.environ.get("HILNIC_ENDS") == "hdl"
"""cocotbext's ends take ten times as long: fewer moments and frames."""
MOMENTS_NS = range(0, 30_000, 150 if FAST else 3_000)
AFTER = 100 if FAST else 20


@cocotb.test()
@cocotb.parametrize(channel=["ar", "aw"])
async def an_error_on_any_burst_is_survived(dut, channel):
    """SLVERR on the n-th burst for every n of a run of 20 frames; each time good frames follow (RG-14)."""
    harness, bench = await device(dut)
    number = 1
    while await survive_bus_error(bench, channel, number, frames=20, after=AFTER):
        number += 1
    harness.stop()
    assert number > 20


@cocotb.test()
async def a_queue_disabled_at_any_moment_of_traffic_comes_to_rest_and_works_again(dut):
    """At all moments of full-duplex traffic under random stalls (RG-12)."""
    await at_every_moment(dut, survive_disable)


@cocotb.test()
async def a_soft_reset_at_any_moment_of_traffic_ends_and_the_nic_works_again(dut):
    """At all moments of full-duplex traffic under random stalls (RG-12)."""
    await at_every_moment(dut, survive_soft_reset)


@cocotb.test()
async def both_mac_clocks_may_stop_at_any_moment_and_run_again(dut):
    """Registers answer, queues can be disabled, traffic resumes."""
    await at_every_moment(dut, survive_stopped_clocks)


@cocotb.test()
async def the_idle_acknowledgement_waits_for_the_last_answer(dut):
    """Also when the memory withholds R and B for 10 us (RG-12)."""
    harness, bench = await device(dut, TimingModel(dma_read_ns=10_000, write_response_ns=10_000))
    await expect_late_acknowledgement(bench, 10_000)
    harness.stop()


async def at_every_moment(dut, survive):
    """The same again and again, each time a little later in the traffic."""
    harness, bench = await device(dut, HARD)
    for moment_ns in MOMENTS_NS:
        try:
            await survive(bench, moment_ns)
        except Exception as error:
            raise AssertionError(f"{survive.__name__} {moment_ns} ns into the traffic: {error}") from error
    harness.stop()

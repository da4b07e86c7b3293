# SPDX-License-Identifier: Apache-2.0
"""The conformance checks of virtual connections, which the twin passes under pytest, on the Verilog."""

import cocotb
from device_bench import device

from hilnic.testing.check_device import checks_for, run_check


@cocotb.test()
@cocotb.parametrize(promise=checks_for(connections=True))
async def the_device_keeps_its_promise(dut, promise):
    """Each check of `hilnic.testing.check_device` that needs virtual connections."""
    harness, bench = await device(dut, connections=True)
    result = await run_check(bench, promise)
    harness.stop()
    assert result.passed, result.failure or result.skipped

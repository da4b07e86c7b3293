# SPDX-License-Identifier: Apache-2.0
"""The conformance suite that the twin passes under pytest, on the Verilog."""

import cocotb
from device_bench import device

from hilnic.testing.check_device import checks_for, run_check


@cocotb.test()
@cocotb.parametrize(promise=checks_for(connections=False))
async def the_device_keeps_its_promise(dut, promise):
    """Each check of `hilnic.testing.check_device` (RG-01, RG-02, RG-08, RG-10, RG-12, RG-13)."""
    harness, bench = await device(dut)
    result = await run_check(bench, promise)
    harness.stop()
    assert result.passed, result.failure or result.skipped

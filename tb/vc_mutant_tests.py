# SPDX-License-Identifier: Apache-2.0
"""Each damaged NIC of tb/vc_mutants.toml fails the conformance check that it names."""

from __future__ import annotations

from pathlib import Path

import cocotb
from device_bench import device

from hilnic.cosim import mutants
from hilnic.testing.check_device import run_check

MUTANTS = mutants.load(Path(__file__).with_name("vc_mutants.toml"))


@cocotb.test()
@cocotb.parametrize(number=list(range(1, len(MUTANTS) + 1)))
async def the_mutant_fails_its_check(dut, number):
    """A check that passes on the NIC as it is (tb/vc_tests.py) does not pass on this one."""
    mutant = MUTANTS[number - 1]
    harness, bench = await device(dut, connections=True)
    dut.mutant.value = number
    result = await run_check(bench, mutant.rule)
    dut.mutant.value = 0
    harness.stop()
    assert not result.skipped
    assert not result.passed, f"{mutant.name}: nobody noticed"
    dut._log.info("mutant %d, %s: %s", number, mutant.name, result.failure)

# SPDX-License-Identifier: Apache-2.0
"""The suites of `hilnic ndistest` on our miniport over the Verilog: one short round of each case.

The catalogue says by HILNIC_NDISTEST which suite the process runs.
"""

import os

import cocotb
from ndistest_session import Slots, play

from hilnic.apps.ndistest import CARDS
from hilnic.apps.ndistest_beds import default_register
from hilnic.cosim.harness import Harness
from hilnic.testing.ndistest import SUITES

SUITE = os.environ.get("HILNIC_NDISTEST", "1c")
CASES = {case.name: case for case in SUITES[SUITE]}


@cocotb.test()
@cocotb.parametrize(case=list(CASES))
async def our_miniport_passes(dut, case):
    harness = Harness(dut, cards=CARDS[SUITE])
    await harness.start()
    failures = await play(CASES[case], Slots(harness), default_register, 1, 1, "fast")
    assert not failures, "\n".join(failures)
    harness.stop()

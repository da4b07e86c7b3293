# SPDX-License-Identifier: Apache-2.0
"""The suites of `hilnic ndistest` on our miniports over the Verilog: one short round of each case.

The catalogue says which suite the process runs (HILNIC_NDISTEST), and on which miniports (HILNIC_NDISTEST_MINIPORTS).
"""

import os

import cocotb
from ndistest_session import Slots, play

from hilnic.apps.ndistest import CARDS
from hilnic.apps.ndistest_beds import OURS
from hilnic.cosim.harness import Harness
from hilnic.testing.ndistest import SUITES

SUITE = os.environ.get("HILNIC_NDISTEST", "1c")
MINIPORTS = os.environ.get("HILNIC_NDISTEST_MINIPORTS", "6").split()
CASES = {case.name: case for case in SUITES[SUITE]}


@cocotb.test()
@cocotb.parametrize(miniport=MINIPORTS, case=list(CASES))
async def our_miniport_passes(dut, miniport, case):
    harness = Harness(dut, cards=CARDS[SUITE])
    await harness.start()
    failures = await play(CASES[case], Slots(harness), OURS[miniport], 1, 1, "fast")
    assert not failures, "\n".join(failures)
    harness.stop()

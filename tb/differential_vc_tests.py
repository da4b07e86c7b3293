# SPDX-License-Identifier: Apache-2.0
"""Random scenarios with virtual connections on the Verilog and on its software twin; see `differential_tests`."""

import cocotb
from differential_tests import SEEDS, plays_alike

from hilnic.model.build import Build
from hilnic.testing.vc_scenario import make_vc_scenario

BUILD = Build(num_tx_queues=8, num_rx_queues=8, num_vcs=64)


@cocotb.test()
@cocotb.parametrize(seed=list(SEEDS))
async def a_random_scenario_with_vcs_ends_alike_on_both(dut, seed):
    """CD-08: whatever the bus does, tags, queues and counters are the same."""
    await plays_alike(dut, make_vc_scenario(seed), seed, BUILD)

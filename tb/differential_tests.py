# SPDX-License-Identifier: Apache-2.0
"""Random scenarios on the Verilog and on its software twin: stalls, errors, disable, ring sizes from 2 to 64.

Equal must be the wire's bytes, each queue's completions in their order, the counters wherever no drop depends on
timing, and the conservation law always. $HILNIC_SEEDS sets how many (20; 500 in `make soak`).
"""

import os

import cocotb
from device_bench import CardControls

from hilnic.cosim.harness import Harness
from hilnic.hw.clock import VirtualClock
from hilnic.hw.memory import HostMemory
from hilnic.model.nic import ModelNic
from hilnic.testing.check_device import CheckBench
from hilnic.testing.differential import differences, play
from hilnic.testing.nic_1g import Nic1g
from hilnic.testing.scenario import make_scenario

MEMORY = 8 << 20
FIRST = int(os.environ.get("COCOTB_RANDOM_SEED", "1")) - 1
SEEDS = range(FIRST, FIRST + int(os.environ.get("HILNIC_SEEDS", "20")))


def on_the_twin(scenario, build=None):
    """The scenario's outcome on the model."""
    clock = VirtualClock()
    memory = HostMemory(MEMORY, weak=scenario.timing.weak, now_ns=clock.now_ns)
    nic = ModelNic(clock, memory, scenario.timing, build)
    bench = CheckBench(clock, nic.wire, Nic1g(nic, clock), device=nic, controls=nic)
    return clock.run(play(bench, scenario))


@cocotb.test()
@cocotb.parametrize(seed=list(SEEDS))
async def a_random_scenario_ends_alike_on_both(dut, seed):
    """RG-03, RG-04, RG-13, RG-14: whatever the bus does, the two NICs do the same."""
    await plays_alike(dut, make_scenario(seed), seed)


async def plays_alike(dut, scenario, seed, build=None):
    """AssertionError unless the Verilog and the twin agree."""
    harness = Harness(dut, timing=scenario.timing, memory_bytes=MEMORY, seed=seed)
    await harness.start()
    card = harness.cards[0]
    nic = Nic1g(card.device, harness.clock)
    bench = CheckBench(harness.clock, card.link, nic, device=card.device, controls=CardControls(card))
    hardware = await play(bench, scenario)
    harness.stop()
    assert not differences(on_the_twin(scenario, build), hardware)

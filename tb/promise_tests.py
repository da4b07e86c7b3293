# SPDX-License-Identifier: Apache-2.0
"""Promises of docs/nic.md that no checker at the pins can judge: the NIC keeps each, each damaged NIC breaks its own.

A promise is a function in one of tb/promise_*.py; it runs on the NIC as it is, and on every mutant of tb/promises.toml
that names it, which must break it. Frame buffers of 4 KiB make full ones cheap.
"""

from __future__ import annotations

from pathlib import Path

import cocotb
import promise_registers  # noqa: F401 - importing these collects their promises
import promise_rings  # noqa: F401
import promise_rx  # noqa: F401
import promise_tx  # noqa: F401
from by_hand import started
from cocotb.triggers import Event
from promise_bench import PROMISES, Bench

from hilnic.cosim import mutants
from hilnic.cosim.harness import ProtocolBreach
from hilnic.hw.device import DeviceFault

MUTANTS = mutants.load(Path(__file__).with_name("promises.toml"))


async def bench_of(dut):
    return Bench(await started(dut))


@cocotb.test()
@cocotb.parametrize(name=list(PROMISES))
async def the_nic_keeps_its_promise(dut, name):
    dut.mutant.value = 0
    bench = await bench_of(dut)
    await PROMISES[name](bench)
    bench.harness.stop()


@cocotb.test()
@cocotb.parametrize(number=list(range(1, len(MUTANTS) + 1)))
async def the_mutant_breaks_its_promise(dut, number):
    mutant = MUTANTS[number - 1]
    bench = await bench_of(dut)
    dut.mutant.value = number
    found = await outcome(bench, PROMISES[mutant.load or mutant.rule])
    dut.mutant.value = 0
    bench.harness.stop()
    expected = mutant.rule if mutant.load else "promise"
    assert found, f"{mutant.name}: nobody noticed"
    assert expected in found, f"{mutant.name}: reported as {found}"
    dut._log.info("mutant %d, %s: caught by %s after %d ns", number, mutant.name, mutant.rule, bench.harness.now_ns)


async def outcome(bench, function):
    """How a promise ends: empty when it is kept, ("promise",) when it is broken, else the checkers' rules."""
    found, over, check = [], Event(), bench.harness.clock.on_wake

    def listen():
        try:
            check()
        except (ProtocolBreach, DeviceFault):
            found.extend(bench.harness.breached_rules())
            bench.harness.library.shared.breach.count = 0
            over.set()

    async def work():
        try:
            await function(bench)
        except AssertionError:
            found.append("promise")
        over.set()

    bench.harness.clock.on_wake = listen
    task = cocotb.start_soon(work())
    await over.wait()
    task.cancel()
    return tuple(found)

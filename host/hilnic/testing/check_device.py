# SPDX-License-Identifier: Apache-2.0
"""The conformance suite that any NIC of this contract must pass: the Verilog, its twin, a user's own.

    bench = CheckBench(clock, link, Nic1g(device, clock), device=device, controls=controls)
    results = await run_checks(bench)            # or run_check(bench, "tx_wraps_at_two_to_the_32")

A NIC with another register map brings a NicAdapter and runs the checks that need no registers.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from hilnic.hw.device import DeviceFault
from hilnic.testing.checks import (
    connections,
    contracts,
    errors,
    filters,
    interrupts,
    lifecycle,
    receive,
    registers,
    statistics,
    transmit,
)
from hilnic.testing.conformance import CHECKS, Check, CheckBench, CheckFailed

__all__ = ["CHECKS", "Check", "CheckBench", "CheckFailed", "Result", "checks_for", "run_check", "run_checks"]

MODULES = (
    registers,
    lifecycle,
    transmit,
    receive,
    filters,
    interrupts,
    errors,
    statistics,
    connections,
    contracts,
)
"""Where the checks are; importing them fills the registry."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a check."""

    name: str
    passed: bool
    skipped: str = ""  # what the bench does not offer
    failure: str = ""
    simulated_ns: int = 0


async def run_check(bench: CheckBench, name: str) -> Result:
    """Run one check on a freshly reset NIC; a NIC at fault is a failed Result, any other exception is the bench's."""
    chosen = CHECKS[name]
    missing = chosen.needs - bench.offers
    if missing:
        return Result(name, passed=False, skipped=f"the bench offers no {', '.join(sorted(missing))}")
    start = bench.clock.now_ns()
    try:
        await bench.start()
        await chosen.function(bench)
    except (CheckFailed, DeviceFault) as failure:
        return Result(name, passed=False, failure=str(failure), simulated_ns=bench.clock.now_ns() - start)
    return Result(name, passed=True, simulated_ns=bench.clock.now_ns() - start)


def checks_for(*, connections: bool) -> list[str]:
    """The names of the checks for a build with virtual connections that need them, or of all others."""
    return [name for name, found in CHECKS.items() if ("connections" in found.needs) is connections]


async def run_checks(bench: CheckBench, names: Iterable[str] | None = None) -> list[Result]:
    """Run checks one after another on the same NIC; all of them when no names are given."""
    return [await run_check(bench, name) for name in (CHECKS if names is None else names)]

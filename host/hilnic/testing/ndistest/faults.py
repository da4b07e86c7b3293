# SPDX-License-Identifier: Apache-2.0
"""Faults during a start: the n-th allocation has no memory, the n-th register read is answered with an error."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hilnic.hw.device import BusError

if TYPE_CHECKING:
    from hilnic.testing.ndistest.bed import Station

__all__ = ["Calls", "fail_allocation", "fail_read", "steps_of"]


class Calls:
    """How often it was called; `step` fails, None lets all pass. `resources` is what the start is to be given."""

    def __init__(self, resources: Any, step: int | None) -> None:
        self.resources, self.step = resources, step
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def fails(self) -> bool:
        """One more call; whether it is the one."""
        self._count += 1
        return self._count - 1 == self.step


@contextmanager
def fail_allocation(station: Station, step: int | None) -> Iterator[Calls]:
    """Inside the block allocation number `step` (from 0) raises MemoryError."""
    kernel: Any = station.slot.kernel
    calls = Calls(station.slot.resources, step)
    allocate = kernel.allocate

    def limited(size: int, alignment: int = 64) -> Any:
        if calls.fails():
            raise MemoryError(f"injected: {size} bytes")
        region = allocate(size, alignment)
        caller = sys._getframe(1)
        region.site = caller.f_code, caller.f_lineno  # the driver's line, not this one
        return region

    kernel.allocate = limited
    try:
        yield calls
    finally:
        kernel.allocate = allocate


class _Failing:
    """A Device of which one read fails; everything else is the real one's."""

    def __init__(self, device: Any, calls: Calls) -> None:
        self._device, self._calls = device, calls

    def __getattr__(self, name: str) -> Any:
        return getattr(self._device, name)

    async def read32(self, offset: int) -> int:
        """The read, or BusError."""
        fails = self._calls.fails()
        found: int = await self._device.read32(offset)  # the round trip happens all the same
        if fails:
            raise BusError(offset)
        return found


@contextmanager
def fail_read(station: Station, step: int | None) -> Iterator[Calls]:
    """Inside the block register read number `step` (from 0) is a BusError, if the card has registers at all."""
    resources = station.slot.resources
    calls = Calls(resources, step)
    if hasattr(resources, "read32"):
        station.slot.resources = calls.resources = _Failing(resources, calls)
    try:
        yield calls
    finally:
        station.slot.resources = resources


def steps_of(number: int, rounds: int) -> list[int]:
    """Every step, or where time is dear about ten of them, the first and the last among them."""
    stride = 1 if rounds > 1 else max(1, number // 10)
    return sorted({*range(0, number, stride), *([number - 1] if number else [])})

# SPDX-License-Identifier: Apache-2.0
"""The special pool of verify=full: guard bytes around all memory, and freed memory that nobody may write any more.

| guard 0xAB | the region that the driver gets | guard 0xAB |        checked when it is freed, and at the end
| 0xDD ...                                                 |        after the free, never used again
"""

from __future__ import annotations

from typing import Any

__all__ = ["PoolCorruption", "SpecialPool"]

_GUARD, _FREED = 0xAB, 0xDD


class PoolCorruption(Exception):
    """Somebody has written before or behind a region, or after its free."""


class GuardedRegion:
    """A region with guards around it."""

    __slots__ = ("address", "guard", "view", "whole")

    def __init__(self, whole: Any, guard: int) -> None:
        self.whole = whole
        self.guard = guard
        self.address = whole.address + guard
        self.view = whole.view[guard : len(whole.view) - guard]
        whole.view[:guard] = whole.view[len(whole.view) - guard :] = bytes([_GUARD]) * guard

    def __repr__(self) -> str:
        return f"GuardedRegion({self.address:#x}, {len(self.view)} bytes)"

    def check(self) -> None:
        """Raise when a guard has changed."""
        expected = bytes([_GUARD]) * self.guard
        for place, found in (("before", self.whole.view[: self.guard]), ("behind", self.whole.view[-self.guard :])):
            if bytes(found) != expected:
                raise PoolCorruption(f"written {place} {self!r}")


class SpecialPool:
    """Takes a kernel's `allocate` and `free` over."""

    def __init__(self, kernel: Any) -> None:
        self._allocate = kernel.allocate
        self._live: set[GuardedRegion] = set()
        self._freed: list[GuardedRegion] = []
        kernel.allocate, kernel.free = self.allocate, self.free

    def allocate(self, size: int, alignment: int = 64) -> GuardedRegion:
        """Memory between guards as wide as its alignment."""
        region = GuardedRegion(self._allocate(size + 2 * alignment, alignment), alignment)
        self._live.add(region)
        return region

    def free(self, region: GuardedRegion) -> None:
        """Check the guards, poison everything, and keep it."""
        if region not in self._live:
            raise PoolCorruption(f"freed twice, or never allocated: {region!r}")
        self._live.remove(region)
        region.check()
        region.whole.view[:] = bytes([_FREED]) * len(region.whole.view)
        self._freed.append(region)

    def check(self) -> None:
        """Look at everything that was ever allocated."""
        for region in self._live:
            region.check()
        for region in self._freed:
            if bytes(region.whole.view) != bytes([_FREED]) * len(region.whole.view):
                raise PoolCorruption(f"written after its free: {region!r}")

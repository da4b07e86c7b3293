# SPDX-License-Identifier: Apache-2.0
"""The special pool of verify=full: guard bytes around all memory, and freed memory that nobody may write any more.

| guard 0xAB | the region that the driver gets | guard 0xAB |        checked when it is freed, and at the end
| 0xDD ...                                                 |        after the free; used again only much later

It finds what the IOMMU lets pass: a CPU's write, and a DMA write inside of a mapping that is larger than its region.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

__all__ = ["PoolCorruption", "SpecialPool"]

_GUARD, _FREED = 0xAB, 0xDD
_QUARANTINE = 2 << 20


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

    def check_freed(self) -> None:
        """Raise when it was written since its free."""
        if bytes(self.whole.view) != bytes([_FREED]) * len(self.whole.view):
            raise PoolCorruption(f"written after its free: {self!r}")


class SpecialPool:
    """Takes a kernel's `allocate` and `free` over.

    `allocate` and `free` are the functions behind them, the kernel's own by default: a memory that notes who allocates
    is told by its own function. So many freed bytes are kept from being used again.
    """

    def __init__(
        self,
        kernel: Any,
        allocate: Callable[[int, int], Any] | None = None,
        free: Callable[[Any], None] | None = None,
        quarantine: int = _QUARANTINE,
    ) -> None:
        self._allocate, self._free = allocate or kernel.allocate, free or kernel.free
        self._quarantine = quarantine
        self._live: set[GuardedRegion] = set()
        self._freed: deque[GuardedRegion] = deque()
        self._kept = 0  # bytes in `_freed`
        self._found: PoolCorruption | None = None
        kernel.allocate, kernel.free = self.allocate, self.free

    def allocate(self, size: int, alignment: int = 64) -> GuardedRegion:
        """Memory between guards as wide as its alignment."""
        region = GuardedRegion(self._allocate(size + 2 * alignment, alignment), alignment)
        self._live.add(region)
        return region

    def free(self, region: GuardedRegion) -> None:
        """Check the guards, poison everything, and keep it for a while."""
        if region not in self._live:
            raise PoolCorruption(f"freed twice, or never allocated: {region!r}")
        self._live.remove(region)
        try:
            region.check()
        except PoolCorruption as found:
            self._found = self._found or found
            raise
        region.whole.view[:] = bytes([_FREED]) * len(region.whole.view)
        self._freed.append(region)
        self._kept += len(region.whole.view)
        while self._kept > self._quarantine:
            self._let_go()

    def _let_go(self) -> None:
        """The longest freed region may be used again."""
        region = self._freed.popleft()
        self._kept -= len(region.whole.view)
        region.check_freed()
        self._free(region.whole)

    def check(self) -> None:
        """Look at everything that is allocated or kept; what a free has found is said again, lest a handler hide it."""
        if self._found is not None:
            raise self._found
        for region in self._live:
            region.check()
        for region in self._freed:
            region.check_freed()

    def close(self) -> None:
        """The end: check everything, and give back what is free."""
        self.check()
        while self._freed:
            self._let_go()

# SPDX-License-Identifier: Apache-2.0
"""V11, off unless asked for: memory that is refused, completions in any order and late. And `full`'s special pool.

    refuse(bench, kth=3)              the third allocation from now on fails
    refuse(bench, share=0.2, seed=7)  every fifth or so, the same ones for the same seed
    shuffle(bench, seed=7)            sends complete in random order and groups, some of them much later

`Profile(pend_open=True, pend_requests=True, late_sg_callback=True)` lets everything pend that may.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from hilnic.testing.bench import NdisBench
from hilnic.testing.miniport import FunctionalMiniport

__all__ = ["refuse", "shuffle"]

_LATEST_NS = 1_000_000


def refuse(bench: NdisBench, kth: int = 0, share: float = 0.0, seed: int = 0) -> Callable[[], int]:
    """Let allocations of memory fail: the k-th one, or a share of them. The result tells how many have failed."""
    kernel: Any = bench.kernel
    allocate, random = kernel.allocate, Random(seed)
    asked = failed = 0

    def allocate_or_not(size: int, alignment: int = 64) -> Any:
        nonlocal asked, failed
        asked += 1
        if asked == kth or random.random() < share:
            failed += 1
            raise MemoryError(f"injected: {size} bytes, allocation {asked}")
        return allocate(size, alignment)

    kernel.allocate = allocate_or_not
    return lambda: failed


def shuffle(bench: NdisBench, seed: int = 0) -> None:
    """Let the miniport complete its sends in random order and groups, up to 1 ms late; every send completes once."""
    random, kernel = Random(seed), bench.kernel

    def finish(miniport: FunctionalMiniport) -> None:
        waiting = [nbl for nbl in miniport.captured if nbl not in booked]
        random.shuffle(waiting)
        while waiting:
            number = random.randint(1, len(waiting))
            group, waiting = waiting[:number], waiting[number:]
            booked.update(group)
            kernel.set_timer(random.randrange(_LATEST_NS), lambda group=group: end(miniport, group))  # type: ignore[misc]

    def end(miniport: FunctionalMiniport, group: list[Any]) -> None:
        booked.difference_update(group)
        miniport.complete(*(nbl for nbl in group if nbl in miniport.captured))

    booked: set[Any] = set()
    bench.fm.finish = finish
    bench.fm.completion = "inline"

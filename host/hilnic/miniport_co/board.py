# SPDX-License-Identifier: Apache-2.0
"""Which of many completion rings have something new: one numpy gather, whatever their number.

All rings that share a vector lie in one piece of memory. For each the board knows the byte where the next completion's
phase will be, and the phase that it will have. The cost of a look is that of a few array operations; what depends on
the number of rings is a nanosecond or two for each, a thousandth of what a frame costs.

    memory     [ ring 0 . . C . ][ ring 1 C . . . ][ ring 2 . . . . ] ...       C the next completion's place
    places           ^ 24             ^ ...
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hilnic.hw.descriptors import COMPLETION_BYTES, COMPLETION_PHASE_BYTE
from hilnic.miniport.ring import CompletionRing

__all__ = ["CompletionBoard", "RingMemory"]


class RingMemory:
    """A piece of the board's memory, as a ring wants it: `address` and `view`."""

    __slots__ = ("address", "offset", "view")

    def __init__(self, memory: Any, offset: int, length: int) -> None:
        self.offset = offset
        self.address: int = memory.address + offset
        self.view: memoryview = memory.view[offset : offset + length]


class CompletionBoard:
    """Completion rings in `slots` slots of at most `size` completions each, all in the shared memory `memory`."""

    def __init__(self, memory: Any, slots: int, size: int) -> None:
        self._memory, self._stride = memory, size * COMPLETION_BYTES
        self._bytes: npt.NDArray[np.uint8] = np.frombuffer(memory.view, np.uint8)
        self._places: npt.NDArray[np.int64] = np.zeros(slots, np.int64)
        self._phases: npt.NDArray[np.uint8] = np.full(slots, 2, np.uint8)  # no byte has phase 2: not watched
        self._rings: list[CompletionRing | None] = [None] * slots

    def __repr__(self) -> str:
        """How many rings are watched."""
        return f"<CompletionBoard {sum(ring is not None for ring in self._rings)} of {len(self._rings)} rings>"

    @staticmethod
    def bytes_for(slots: int, size: int) -> int:
        """How much memory a board needs."""
        return slots * size * COMPLETION_BYTES

    def memory(self, slot: int, length: int) -> RingMemory:
        """Where the slot's ring of so many bytes lies."""
        return RingMemory(self._memory, slot * self._stride, length)

    def watch(self, slot: int, ring: CompletionRing) -> None:
        """From now on the slot's ring is this one."""
        self._rings[slot] = ring
        self.seen(slot)

    def unwatch(self, slot: int) -> None:
        """The slot has no ring any more."""
        self._rings[slot] = None
        self._phases[slot] = 2

    def seen(self, slot: int) -> None:
        """Completions of the slot's ring have been taken."""
        ring = self._rings[slot]
        if ring is not None:
            index, size = ring.index, ring.size
            self._places[slot] = slot * self._stride + (index & (size - 1)) * COMPLETION_BYTES + COMPLETION_PHASE_BYTE
            self._phases[slot] = 0 if index & size else 1

    def ready(self) -> list[int]:
        """The slots whose rings have a completion to take."""
        found: list[int] = np.flatnonzero((self._bytes.take(self._places) & 1) == self._phases).tolist()
        return found

    def has_news(self, slot: int) -> bool:
        """Has the slot's ring a completion to take?"""
        ring = self._rings[slot]
        return ring is not None and ring.pending()

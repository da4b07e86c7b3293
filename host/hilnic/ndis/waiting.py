# SPDX-License-Identifier: Apache-2.0
"""Waiting at PASSIVE_LEVEL: answers that may be coroutines, operations that pend, one operation at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable
from typing import TypeVar

from hilnic.ndis.kernel import Event, Kernel

T = TypeVar("T")


async def answer_of(result: T | Awaitable[T]) -> T:
    """What a (P) handler answered: the value itself, or what its coroutine returns."""
    if isinstance(result, Awaitable):
        return await result
    return result


class Mutex:
    """Serialises PASSIVE_LEVEL operations in the order they came: `async with mutex`."""

    __slots__ = ("_held", "_kernel", "_waiting")

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._held = False
        self._waiting: deque[Event] = deque()

    async def __aenter__(self) -> None:
        if self._held:
            turn = self._kernel.create_event()
            self._waiting.append(turn)
            await turn.wait()
        self._held = True

    async def __aexit__(self, *exc: object) -> None:
        if self._waiting:
            self._waiting.popleft().set()  # stays held: the next one in line owns it now
        else:
            self._held = False

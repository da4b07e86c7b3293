# SPDX-License-Identifier: Apache-2.0
"""The operating system as NDIS and its drivers see it: memory, DPCs, timers, work items, IRQL, virtual time.

A port. It is implemented by `hilnic.hw.cpu.HostCpu` (over a simulator's clock or a virtual one) and, for tests without
hardware, by `hilnic.testing.VirtualKernel`. Nothing in this package reads a wall clock or starts a thread.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from enum import IntEnum
from typing import Any, Protocol


class Irql(IntEnum):
    """Interrupt request levels, in order of priority."""

    PASSIVE = 0
    DISPATCH = 2
    DIRQL = 11


class Event(Protocol):
    """A notification event: once set, every present and future wait ends."""

    def set(self) -> None: ...
    def is_set(self) -> bool: ...
    def wait(self) -> Awaitable[Any]: ...


class Region(Protocol):
    """A piece of host memory that buffers live in; `len(view)` is its size, `address` its bus address."""

    @property
    def address(self) -> int: ...
    @property
    def view(self) -> memoryview: ...


class Timer(Protocol):
    """A pending one-shot timer."""

    def cancel(self) -> bool: ...


class Trace(Protocol):
    """The event trace in simulated time; one `frame` id follows a frame from NBL to descriptor to wire."""

    @property
    def enabled(self) -> bool: ...
    def emit(self, kind: str, /, **fields: Any) -> None: ...


class Kernel(Protocol):
    """What the simulated operating system offers to drivers."""

    irql: Irql

    @property
    def trace(self) -> Trace: ...
    def now_ns(self) -> int: ...
    def queue_dpc(self, routine: Callable[[], None]) -> None: ...
    def set_timer(self, delay_ns: int, routine: Callable[[], None]) -> Timer: ...
    def set_watchdog(self, delay_ns: int, routine: Callable[[], None]) -> Timer: ...
    def queue_work_item(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None: ...
    def create_event(self) -> Event: ...
    def sleep(self, delay_ns: int) -> Awaitable[Any]: ...
    def allocate(self, size: int, alignment: int = 64) -> Region: ...
    def free(self, region: Any) -> None: ...
    def charge_frames(self, count: int) -> None: ...
    def stall(self, duration_ns: int) -> None: ...
    def yield_point(self, name: str) -> None: ...

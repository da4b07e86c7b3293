# SPDX-License-Identifier: Apache-2.0
"""NDIS spin locks: they raise IRQL; the verifier watches balance (CL-03), order (CL-04) and call-outs (CL-02).

A lock that another CPU holds is spun on: each turn is a yield point `spin ...`, where a scheduler lets others run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hilnic.ndis.kernel import Irql
from hilnic.ndis.wdk import wdk

STALL_LIMIT_US = 50


class SpinLock:
    """NDIS_SPIN_LOCK; `with lock.held():` acquires and releases."""

    __slots__ = ("before", "name", "ndis", "owner", "taken", "taken_before")

    def __init__(self, owner: Any, name: str) -> None:
        self.ndis = owner.ndis
        self.owner = owner
        self.name = name
        self.before = Irql.PASSIVE
        self.taken = False
        self.taken_before: set[SpinLock] = set()  # locks that were acquired while this one was held

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock for a block."""
        acquire_spin_lock(self)
        try:
            yield
        finally:
            release_spin_lock(self)

    def __repr__(self) -> str:
        return f"SpinLock({self.name} of {self.owner!r})"


@wdk("NdisAllocateSpinLock")
def allocate_spin_lock(handle: Any, name: str = "lock") -> SpinLock:
    """A lock owned by `handle`."""
    return SpinLock(handle, name)


@wdk("NdisFreeSpinLock")
def free_spin_lock(lock: SpinLock) -> None:
    """The lock is done with; nobody holds it."""
    if lock.taken:
        lock.ndis.violation("CL-03", lock.owner, lock, "freed while held")


@wdk("NdisAcquireSpinLock")
def acquire_spin_lock(lock: SpinLock) -> None:
    """Raise to DISPATCH_LEVEL and take the lock; taking it twice on one CPU is a deadlock (CL-02)."""
    before = lock.ndis.kernel.irql
    _acquire(lock)
    lock.before = before
    lock.ndis.kernel.irql = Irql.DISPATCH


@wdk("NdisReleaseSpinLock")
def release_spin_lock(lock: SpinLock) -> None:
    """Release the lock and go back to the IRQL before it."""
    if _release(lock):
        lock.ndis.kernel.irql = lock.before


@wdk("NdisDprAcquireSpinLock", irql="=DISPATCH")
def dpr_acquire_spin_lock(lock: SpinLock) -> None:
    """Take the lock where IRQL is DISPATCH_LEVEL already (CL-03)."""
    _check_dispatch(lock, "acquired")
    _acquire(lock)
    lock.before = lock.ndis.kernel.irql


@wdk("NdisDprReleaseSpinLock", irql="=DISPATCH")
def dpr_release_spin_lock(lock: SpinLock) -> None:
    """Release the lock and stay at DISPATCH_LEVEL."""
    _check_dispatch(lock, "released")
    _release(lock)


def _check_dispatch(lock: SpinLock, verb: str) -> None:
    irql = lock.ndis.kernel.irql
    if irql != Irql.DISPATCH:
        lock.ndis.violation("CL-03", lock.owner, lock, f"{verb} by the DPR variant at {irql.name}")


def _acquire(lock: SpinLock) -> None:
    ndis = lock.ndis
    if lock in ndis.held_locks:
        ndis.violation("CL-02", lock.owner, lock, "acquired while held: deadlock")
    for outer in ndis.held_locks:
        if lock is not outer and outer in _reachable(lock):
            ndis.violation(
                "CL-04", lock.owner, lock, f"acquired inside {outer!r}, which elsewhere is acquired inside it"
            )
        outer.taken_before.add(lock)
    while lock.taken and lock not in ndis.held_locks:
        ndis.kernel.yield_point(f"spin {lock.name}")
    lock.taken = True
    ndis.held_locks.append(lock)


def _release(lock: SpinLock) -> bool:
    ndis = lock.ndis
    if lock not in ndis.held_locks:
        ndis.violation("CL-03", lock.owner, lock, "released, but this CPU does not hold it")
        return False
    ndis.held_locks.remove(lock)
    lock.taken = False
    return True


def _reachable(lock: SpinLock) -> set[SpinLock]:
    """The locks that somebody has acquired inside `lock`, directly or by way of others."""
    found: set[SpinLock] = set()
    more = [lock]
    while more:
        for inner in more.pop().taken_before - found:
            found.add(inner)
            more.append(inner)
    return found


@wdk("NdisStallExecution", irql="any")
def stall_execution(handle: Any, microseconds: int) -> None:
    """Busy-wait: the CPU is lost to everybody for as long, so not for more than 50 us (CL-06)."""
    if microseconds > STALL_LIMIT_US:
        handle.ndis.violation("CL-06", handle, "stall", f"{microseconds} us at once; the limit is {STALL_LIMIT_US} us")
    handle.ndis.kernel.stall(microseconds * 1000)


@wdk("NdisMSleep", irql="PASSIVE")
async def sleep(handle: Any, microseconds: int) -> None:
    """Wait at PASSIVE_LEVEL; at DISPATCH_LEVEL, which a held lock means too, a wait is an error (CL-05)."""
    await handle.ndis.kernel.sleep(microseconds * 1000)

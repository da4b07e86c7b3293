# SPDX-License-Identifier: Apache-2.0
"""NDIS spin locks: they raise IRQL, and none may be held across a call that may call back (CL-02)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hilnic.ndis.kernel import Irql
from hilnic.ndis.wdk import wdk


class SpinLock:
    """NDIS_SPIN_LOCK; `with lock.held():` acquires and releases."""

    __slots__ = ("before", "name", "ndis", "owner")

    def __init__(self, owner: Any, name: str) -> None:
        self.ndis = owner.ndis
        self.owner = owner
        self.name = name
        self.before = Irql.PASSIVE

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


@wdk("NdisAcquireSpinLock")
def acquire_spin_lock(lock: SpinLock) -> None:
    """Raise to DISPATCH_LEVEL and take the lock; on one CPU taking it twice is a deadlock (CL-02)."""
    ndis = lock.ndis
    ndis.kernel.yield_point(f"acquire {lock.name}")
    if lock in ndis.held_locks:
        ndis.violation("CL-02", lock.owner, lock, "acquired while held: deadlock")
    lock.before = ndis.kernel.irql
    ndis.kernel.irql = Irql.DISPATCH
    ndis.held_locks.append(lock)


@wdk("NdisReleaseSpinLock")
def release_spin_lock(lock: SpinLock) -> None:
    """Release the lock and go back to the IRQL before it."""
    ndis = lock.ndis
    ndis.held_locks.remove(lock)
    ndis.kernel.irql = lock.before
    ndis.kernel.yield_point(f"release {lock.name}")

# SPDX-License-Identifier: Apache-2.0
"""Buffers without drivers, for tests of the buffer services: an NDIS with a pool, frames of any layout, snapshots.

nb = frame(cuts=[3, 0, 20], head=8)       # one NET_BUFFER of an NDIS of its own, in four MDLs
before = snapshot(nb)
...
assert snapshot(nb) == before
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hilnic import ndis
from hilnic.ndis import Mdl, Ndis, NetBuffer, NetBufferList
from hilnic.testing.frames import build_nbl
from hilnic.testing.kernel import VirtualKernel

__all__ = ["DATA", "fail_after", "frame", "frames_of", "host", "mdls", "nbl_of", "snapshot"]

DATA = bytes(range(1, 201))
"""200 different bytes."""


def host() -> tuple[Ndis, ndis.NetBufferListPool]:
    """An NDIS with one pool."""
    made = Ndis(VirtualKernel())
    return made, ndis.allocate_net_buffer_list_pool(made, ndis.NetBufferListPoolParameters())


def nbl_of(*frames: bytes, cuts: Sequence[int] = (), head: int = 0, tail: int = 0) -> NetBufferList:
    """An NBL of an NDIS of its own."""
    _, pool = host()
    return build_nbl(pool, *frames, cuts=cuts, head=head, tail=tail)


def frame(data: bytes = DATA, cuts: Sequence[int] = (), head: int = 0, tail: int = 0) -> NetBuffer:
    """One frame of an NDIS of its own."""
    nb = nbl_of(data, cuts=cuts, head=head, tail=tail).first_net_buffer
    assert nb is not None
    return nb


def mdls(nb: NetBuffer) -> list[Mdl]:
    """The chain as a list."""
    return list(ndis.walk_mdls(nb.mdl_chain))


def snapshot(nb: NetBuffer) -> tuple[Any, ...]:
    """Everything that an undone operation must leave as it was."""
    return nb.data_offset, nb.data_length, nb.current_mdl, nb.current_mdl_offset, mdls(nb), nb.tobytes()


def frames_of(nbl: NetBufferList) -> list[bytes]:
    """The used bytes of each frame."""
    return [nb.tobytes() for nb in nbl.net_buffers()]


def fail_after(ndis_or_kernel: Any, number: int) -> None:
    """From now on `number` allocations of memory succeed and every later one raises MemoryError."""
    kernel = getattr(ndis_or_kernel, "kernel", ndis_or_kernel)
    allocate, left = kernel.allocate, number

    def limited(size: int, alignment: int = 64) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise MemoryError(f"injected: {size} bytes")
        return allocate(size, alignment)

    kernel.allocate = limited

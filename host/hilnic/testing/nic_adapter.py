# SPDX-License-Identifier: Apache-2.0
"""What the conformance suite needs of a NIC: the adapter that a user writes for his own, and its vocabulary.

A NIC with another register map passes the generic checks of `check_device` through this Protocol; `nic_1g.Nic1g` is the
adapter of ours. Queue numbers start at 0, indices are free-running u32.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol


class Direction(IntEnum):
    """Which half of the NIC."""

    TX = 0
    RX = 1


@dataclass(frozen=True, slots=True)
class QueueSetup:
    """How a queue is enabled; `cpl_size` 0 means as many completions as descriptors."""

    direction: Direction
    number: int = 0
    size: int = 16
    cpl_size: int = 0
    start: int = 0
    cpl_start: int = 0
    buf_size: int = 2048
    vector: int = 1
    mod_count: int = 0
    mod_ticks: int = 0


@dataclass(frozen=True, slots=True)
class VcSetup:
    """How a virtual connection is activated; `queue` is its number on both sides, rates are in bit/s (0: no limit)."""

    number: int = 0
    vlan: int = 100
    queue: int = 1
    priority: int = 0
    transmits: bool = True
    receives: bool = True
    max_frame: int = 1522
    rate: int = 0
    burst: int = 0
    peak_rate: int = 0
    peak_burst: int = 0
    quantum: int = 2048
    guaranteed: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """A completion: a transmitted frame, or a receive buffer that was filled."""

    index: int
    ok: bool
    cause: int = 0
    length: int = 0
    sop: bool = True
    eop: bool = True
    data: bytes = b""  # receive: what lies in the buffer
    own_unicast: bool = False
    broadcast: bool = False
    multicast: bool = False
    loopback: bool = False
    frame_length: int = 0
    vlan: int = 0  # receive: the tag control information that was removed


@dataclass(frozen=True, slots=True)
class FilterSetup:
    """Which destinations are accepted; `exact` entries may name the queue of their frames (None: the default queue)."""

    address: bytes = b"\x02\x00\x00\x00\x00\x01"
    own_unicast: bool = False
    broadcast: bool = False
    all_multicast: bool = False
    promiscuous: bool = False
    exact: tuple[tuple[bytes, int | None], ...] = ()
    hashed: tuple[bytes, ...] = ()
    default_queue: int = 0


class NicAdapter(Protocol):
    """Everything that a generic check does to a NIC."""

    tx_queues: int
    rx_queues: int

    async def reset(self) -> None:
        """Everything disabled, counters zero, then both directions of the MAC on and the filter promiscuous."""
        ...

    async def enable(self, setup: QueueSetup) -> None:
        """Enable a queue that is disabled; the caller posts nothing before this returns."""
        ...

    async def disable(self, direction: Direction, number: int) -> int:
        """Disable a queue; returns after the idle acknowledgement, with the final consumed index."""
        ...

    def post_tx(self, number: int, pieces: Sequence[bytes], *, offset: int = 0) -> int:
        """Post one frame of some pieces, each `offset` bytes past a 64-byte boundary, and ring; the index past it."""
        ...

    def post_rx(self, number: int, count: int, *, offset: int = 0) -> int:
        """Post buffers and ring; the index past them."""
        ...

    def poll(self, direction: Direction, number: int) -> list[Done]:
        """Completions since the last poll, in order. Reads memory only."""
        ...

    def rearm(self, direction: Direction, number: int) -> None:
        """Unmask the queue's interrupt, telling what was polled so far."""
        ...

    async def set_filter(self, setup: FilterSetup) -> None:
        """Program the receive filter."""
        ...

    async def set_loopback(self, on: bool) -> None:
        """Turn sent frames round inside the NIC."""
        ...

    async def counter(self, name: str) -> int:
        """A statistics counter by the name that docs/nic.md gives it: "tx.frames", "rx.drop_fcs"."""
        ...

# SPDX-License-Identifier: Apache-2.0
"""The timing model of host and bus: settings that are printed with every result.

With zeros everywhere each figure would flatter the design; the defaults are those of an ordinary PCIe host.
"""

from __future__ import annotations

import zlib
from dataclasses import asdict, dataclass, replace
from random import Random
from typing import Any

__all__ = ["TimingModel"]


@dataclass(frozen=True, slots=True)
class TimingModel:
    """Latencies in ns, and the seeded disorder of random tests. Equal models with equal seeds give equal runs."""

    posted_write_ns: int = 250
    """From the CPU's store to the register."""
    register_read_ns: int = 1000
    """Register read, round trip."""
    dma_read_ns: int = 1000
    """From AR accepted to the first R beat."""
    write_response_ns: int = 500
    """From the last W beat to B."""
    interrupt_ns: int = 500
    """From irq_o to the ISR."""
    cpu_dpc_ns: int = 500
    """CPU time of a DPC."""
    cpu_frame_ns: int = 100
    """CPU time per frame, in a DPC or in a send call."""
    jitter_percent: int = 0
    """Each DMA latency is drawn from the nominal value to this much above it."""
    stall_percent: int = 0
    """Share of bus cycles in which the memory side withholds ready or valid, at random."""
    bandwidth_percent: int = 100
    """Share of bus cycles in which the memory side moves data, evenly spread."""
    reorder: bool = False
    """Answers of different AXI ids may overtake each other."""
    weak: bool = False
    """Host stores reach DMA only at a write barrier."""
    seed: int = 0
    """Feeds every random draw made under this model."""

    def random(self, stream: str) -> Random:
        """An independent random stream of this model's seed, by name."""
        return Random((self.seed << 32) | zlib.crc32(stream.encode()))

    def jittered(self, nominal_ns: int, draw: Random) -> int:
        """A latency with this model's jitter."""
        if not self.jitter_percent:
            return nominal_ns
        return nominal_ns + draw.randrange(nominal_ns * self.jitter_percent // 100 + 1)

    def with_seed(self, seed: int) -> TimingModel:
        """The same model with another seed."""
        return replace(self, seed=seed)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for reports."""
        return asdict(self)

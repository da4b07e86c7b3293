# SPDX-License-Identifier: Apache-2.0
"""The traffic contract of a virtual connection: what may flow each way."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import IntEnum
from typing import ClassVar, Self

from hilnic.signalling.contents import exactly, within

UNSPECIFIED = 0xFFFFFFFF
"""A traffic parameter that its author leaves open."""
_FLOW = struct.Struct(">IIIIB")


class Service(IntEnum):
    """What the network promises of a direction; the values of FLOWSPEC's ServiceType."""

    NO_TRAFFIC = 0
    BEST_EFFORT = 1
    CONTROLLED_LOAD = 2
    GUARANTEED = 3


@dataclass(frozen=True, slots=True)
class Flow:
    """One direction of a contract: octets per second, octets; UNSPECIFIED leaves a parameter open."""

    rate: int = UNSPECIFIED
    burst: int = UNSPECIFIED
    peak: int = UNSPECIFIED
    max_sdu: int = UNSPECIFIED
    service: Service = Service.BEST_EFFORT

    def __post_init__(self) -> None:
        """Numbers of 32 bits that make sense together."""
        object.__setattr__(self, "service", Service(self.service))
        for name in ("rate", "burst", "peak", "max_sdu"):
            within(getattr(self, name), 0, UNSPECIFIED, name)
        if self.peak < self.rate != UNSPECIFIED:
            raise ValueError(f"a peak rate of {self.peak} below the rate of {self.rate}")
        if self.rate not in {0, UNSPECIFIED} and self.max_sdu != UNSPECIFIED and self.burst < self.max_sdu:
            raise ValueError(f"a burst of {self.burst} octets holds no SDU of {self.max_sdu}")

    def pack(self) -> bytes:
        """17 octets."""
        return _FLOW.pack(self.rate, self.burst, self.peak, self.max_sdu, self.service)

    @property
    def promised(self) -> int:
        """Octets per second that nobody else may have."""
        return self.rate if self.service >= Service.CONTROLLED_LOAD and self.rate != UNSPECIFIED else 0


@dataclass(frozen=True, slots=True)
class TrafficContract:
    """ATM traffic descriptor: what may flow from the originator of the call (forward) and to it (backward)."""

    IDENTIFIER: ClassVar[int] = 0x59
    forward: Flow = field(default_factory=Flow)
    backward: Flow = field(default_factory=Flow)

    def pack(self) -> bytes:
        """Contents."""
        return self.forward.pack() + self.backward.pack()

    @classmethod
    def unpack(cls, contents: bytes) -> Self:
        """Of 34 octets."""
        exactly(contents, 2 * _FLOW.size)
        forward, backward = (Flow(*values) for values in _FLOW.iter_unpack(contents))
        return cls(forward, backward)

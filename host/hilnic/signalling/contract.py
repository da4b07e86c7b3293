# SPDX-License-Identifier: Apache-2.0
"""The traffic contract of a virtual connection: what may flow each way."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import ClassVar, Self

from hilnic.signalling.contents import exactly, within

UNSPECIFIED = 0xFFFFFFFF
"""A traffic parameter that its author leaves open."""
_FLOW = struct.Struct(">IIII")


@dataclass(frozen=True, slots=True)
class Flow:
    """One direction of a contract: octets per second, octets; UNSPECIFIED leaves a parameter open.

    `rate` 0 and `max_sdu` 0: nothing flows this way.
    """

    rate: int = UNSPECIFIED
    burst: int = UNSPECIFIED
    peak: int = UNSPECIFIED
    max_sdu: int = UNSPECIFIED

    def __post_init__(self) -> None:
        """Numbers of 32 bits that make sense together."""
        for name in ("rate", "burst", "peak", "max_sdu"):
            within(getattr(self, name), 0, UNSPECIFIED, name)
        if self.peak < self.rate != UNSPECIFIED:
            raise ValueError(f"a peak rate of {self.peak} below the rate of {self.rate}")
        if self.rate not in {0, UNSPECIFIED} and self.max_sdu != UNSPECIFIED and self.burst < self.max_sdu:
            raise ValueError(f"a burst of {self.burst} octets holds no SDU of {self.max_sdu}")

    def pack(self) -> bytes:
        """16 octets."""
        return _FLOW.pack(self.rate, self.burst, self.peak, self.max_sdu)


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
        """Of 32 octets."""
        exactly(contents, 2 * _FLOW.size)
        return cls(Flow(*_FLOW.unpack_from(contents)), Flow(*_FLOW.unpack_from(contents, _FLOW.size)))

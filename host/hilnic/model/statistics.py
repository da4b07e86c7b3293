# SPDX-License-Identifier: Apache-2.0
"""The 64-bit counters of one direction (docs/nic.md section 4), as software reads them."""

from hilnic.hw.regs import RxCounter, TxCounter
from hilnic.wire.fcs import FCS_OCTETS
from hilnic.wire.link import SHORTEST_DATA

_U64 = (1 << 64) - 1
SHORTEST_WIRE = SHORTEST_DATA + FCS_OCTETS
_SIZES = (64, 127, 255, 511, 1023, 1518)


class Counters:
    """One counter per index; reading the low word latches the high word."""

    def __init__(self, count: int) -> None:
        self._values = [0] * count
        self._latched_high = 0
        self._preset_low = 0

    def __repr__(self) -> str:
        """Those that are not zero."""
        return f"<Counters { {i: v for i, v in enumerate(self._values) if v} }>"

    def __getitem__(self, index: int) -> int:
        return self._values[index]

    def add(self, index: int, amount: int = 1) -> None:
        """Count."""
        self._values[index] = (self._values[index] + amount) & _U64

    def clear(self) -> None:
        """All to zero."""
        self._values = [0] * len(self._values)

    def read_word(self, index: int, high: bool) -> int:
        """What a register read gives."""
        if high:
            return self._latched_high
        self._latched_high = self._values[index] >> 32
        return self._values[index] & 0xFFFF_FFFF

    def preset_word(self, index: int, high: bool, value: int) -> None:
        """What a register write does in simulation: low word, then high word commits."""
        if high:
            self._values[index] = value << 32 | self._preset_low
        else:
            self._preset_low = value


def size_class(octets: int) -> int:
    """Which of the seven pkts_* counters, counted from pkts_64."""
    return next((i for i, longest in enumerate(_SIZES) if octets <= longest), len(_SIZES))


def count_sent(counters: Counters, destination: bytes, length: int, wire_octets: int) -> None:
    """A frame of so many bytes as it was fetched went out whole."""
    counters.add(TxCounter.FRAMES)
    counters.add(TxCounter.OCTETS, wire_octets)
    counters.add(TxCounter.PKTS_64 + size_class(wire_octets))
    first = TxCounter.UNICAST_FRAMES
    if destination[0] & 1:
        first = TxCounter.BROADCAST_FRAMES if destination == b"\xff" * 6 else TxCounter.MULTICAST_FRAMES
    counters.add(first)
    counters.add(first + 1, length)


def count_delivered(counters: Counters, length: int, broadcast: bool, multicast: bool) -> None:
    """A frame was written to buffers."""
    counters.add(RxCounter.DELIVERED_FRAMES)
    counters.add(RxCounter.DELIVERED_OCTETS, length)
    first = RxCounter.UNICAST_FRAMES
    if broadcast or multicast:
        first = RxCounter.BROADCAST_FRAMES if broadcast else RxCounter.MULTICAST_FRAMES
    counters.add(first)
    counters.add(first + 1, length)

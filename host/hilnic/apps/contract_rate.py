# SPDX-License-Identifier: Apache-2.0
"""What a wire carries of one connection, against its contract: a token bucket that watches."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Rate", "RateMeter"]

_SECOND_NS = 10**9
_SHORTEST_FRAME = 64
"""Octets. A bucket with less is used up: what waits for it starts at once when there is enough."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Octets as the NIC counts them (header, tag, padding, FCS), bytes per second.

    `average` is over everything, `sustained` from when the bucket was first used up (0 of 0 frames when it never was);
    `most_at_once` is how much of it was ever used.
    """

    frames: int
    octets: int
    average: float
    sustained: float
    sustained_frames: int
    most_at_once: int


class RateMeter:
    """Hears of every frame of a connection; `rate` in bytes per second and `burst` in bytes are the contract."""

    def __init__(self, rate: int, burst: int) -> None:
        self.rate, self.burst = rate, burst
        self.frames = self.octets = 0
        self._first_ns = self._last_ns = self._last_octets = 0
        self._settled: tuple[int, int, int] | None = None  # time, octets and frames before it
        self._used = self._most = 0.0  # of the bucket: after the last frame, ever

    def add(self, start_ns: int, octets: int) -> None:
        """A frame of `octets` began at `start_ns`."""
        if self._settled is None and self._used > self.burst - _SHORTEST_FRAME:
            self._settled = start_ns, self.octets, self.frames
        if not self.frames:
            self._first_ns = start_ns
        else:
            self._used = max(0.0, self._used - (start_ns - self._last_ns) * self.rate / _SECOND_NS)
        self._used += octets
        self._most = max(self._most, self._used)
        self.frames, self.octets = self.frames + 1, self.octets + octets
        self._last_ns, self._last_octets = start_ns, octets

    def result(self) -> Rate:
        """So far; rates are of the octets before the last frame, whose time is not over."""
        begun = self.octets - self._last_octets
        settled_ns, settled_octets, settled_frames = self._settled or (self._last_ns, begun, self.frames)
        return Rate(
            frames=self.frames,
            octets=self.octets,
            average=_per_second(begun, self._last_ns - self._first_ns),
            sustained=_per_second(begun - settled_octets, self._last_ns - settled_ns),
            sustained_frames=self.frames - settled_frames,
            most_at_once=round(self._most),
        )


def _per_second(octets: int, duration_ns: int) -> float:
    return octets * _SECOND_NS / duration_ns if duration_ns > 0 else 0.0

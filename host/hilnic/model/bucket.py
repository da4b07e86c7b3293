# SPDX-License-Identifier: Apache-2.0
"""A token bucket as the moment from which it holds a longest frame (docs/nic.md section 11.4).

All times are in 1/65536 of a system clock cycle, so an octet comes back in INTERVAL of them and nothing is rounded.
`begin` is the moment at which a frame will begin on the wire.
"""

from __future__ import annotations

FRACTION_BITS = 16


class Bucket:
    """One bucket of a VC that is limited: INTERVAL is not 0."""

    __slots__ = ("_interval", "_tolerance", "opens")

    def __init__(self, interval: int, burst: int, max_frame: int, now: int, running: Bucket | None = None) -> None:
        """Full, or as full as the one that was running until now, but with no more debt than an empty one."""
        self._interval, self._tolerance = interval, (burst - max_frame) * interval
        self.opens = now - self._tolerance
        if running is not None:
            self.opens = min(running.opens, now + max_frame * interval)

    def __repr__(self) -> str:
        """When it opens."""
        return f"<Bucket opens at {self.opens >> FRACTION_BITS}>"

    def charge(self, begin: int, octets: int) -> None:
        """A frame of so many octets begins."""
        self.opens = max(self.opens, begin - self._tolerance) + octets * self._interval

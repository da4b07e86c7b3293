# SPDX-License-Identifier: Apache-2.0
"""Two TAPs joined by the NIC: what `hilnic live` runs inside the simulator.

    TAP A (host) -> tap protocol -> NDIS -> miniport -> NIC -> wire -> TAP B, and back

Simulated time runs in slices while anything moves. When nothing has moved for `QUIET_NS` the bridge blocks in select()
on the TAPs; it wakes now and then to let a little simulated time pass (timers), for at most a fiftieth of the wall
time. Both queues are bounded: what does not fit stays in the TAP, whose own queue the kernel bounds.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable
from dataclasses import asdict, dataclass
from time import monotonic
from typing import Any

from hilnic.hw.clock import Clock
from hilnic.protocols.tap import TapProtocol
from hilnic.protocols.tap5 import TapProtocol5
from hilnic.wire.link import Link, WireFrame

__all__ = ["Bridge", "BridgeStatistics"]

SLICE_NS = 2_000
QUIET_NS = 20_000
"""Longer than the interrupt moderation and everything else that a frame can leave behind."""
WIRE_BACKLOG = 32
_LARGEST = 65536
_SHORTEST_NAP_S = 0.1
_DUTY = 50  # an idle link sleeps so many times longer than it simulates


@dataclass(slots=True)
class BridgeStatistics:
    """Frames by way, and time."""

    host_to_nic: int = 0
    nic_to_host: int = 0
    wire_to_nic: int = 0
    nic_to_wire: int = 0
    bad_from_nic: int = 0
    refused_by_kernel: int = 0
    idle_wall_s: float = 0.0
    busy_wall_s: float = 0.0
    simulated_busy_ns: int = 0


class Bridge:
    """`host_tap` stands above the protocol, `wire_tap` at the wire end; a message or the end of `control` stops it.

    `movement` returns a number that changes whenever the NIC does something. The descriptors are non-blocking. The tap
    protocol is one of NDIS 6, or of NDIS 5.
    """

    def __init__(
        self,
        host_tap: int,
        wire_tap: int,
        control: int,
        clock: Clock,
        link: Link,
        movement: Callable[[], int],
        protocol: str = "6",
    ) -> None:
        self.tap = (TapProtocol5 if protocol == "5" else TapProtocol)(self._to_host)
        self.statistics = BridgeStatistics()
        self._host_tap, self._wire_tap, self._control = host_tap, wire_tap, control
        self._clock, self._link, self._movement = clock, link, movement
        link.connect(self._to_wire_tap)

    def __repr__(self) -> str:
        """Traffic so far."""
        return f"<Bridge {asdict(self.statistics)}>"

    async def run(self) -> None:
        """Until `control` says stop."""
        quiet_since, movement = self._clock.now_ns(), self._movement()
        while not self._stopped():
            started = monotonic()
            moved = self._pull()
            await self._clock.sleep(SLICE_NS)
            now, before = self._clock.now_ns(), movement
            movement = self._movement()
            spent = monotonic() - started
            self.statistics.busy_wall_s += spent
            self.statistics.simulated_busy_ns += SLICE_NS
            if moved or movement != before:
                quiet_since = now
            elif now - quiet_since >= QUIET_NS:
                self._nap(max(_SHORTEST_NAP_S, _DUTY * spent))

    def _stopped(self) -> bool:
        return bool(select.select([self._control], [], [], 0)[0])

    def _nap(self, longest_s: float) -> None:
        """Block until a TAP or the control has something."""
        started = monotonic()
        select.select([self._host_tap, self._wire_tap, self._control], [], [], longest_s)
        self.statistics.idle_wall_s += monotonic() - started

    # --- into the NIC -------------------------------------------------------------------------------------------------

    def _pull(self) -> bool:
        """Take what there is room for from both TAPs; was there anything?"""
        moved = False
        while self.tap.room and (frame := _read(self._host_tap)) is not None:
            moved = self.tap.transmit(frame)
            self.statistics.host_to_nic += 1
        link: Any = self._link
        while link.backlog < WIRE_BACKLOG and (frame := _read(self._wire_tap)) is not None:
            link.send(frame)
            self.statistics.wire_to_nic += 1
            moved = True
        return moved

    # --- out of the NIC -----------------------------------------------------------------------------------------------

    def _to_host(self, frame: bytes) -> None:
        self.statistics.nic_to_host += 1
        self._write(self._host_tap, frame)

    def _to_wire_tap(self, frame: WireFrame) -> None:
        if not frame.fcs_ok or frame.error:
            self.statistics.bad_from_nic += 1
            return
        self.statistics.nic_to_wire += 1
        self._write(self._wire_tap, frame.data)

    def _write(self, tap: int, frame: bytes) -> None:
        try:
            os.write(tap, frame)
        except OSError:  # the interface is down or its queue is full: the kernel's own loss
            self.statistics.refused_by_kernel += 1


def _read(tap: int) -> bytes | None:
    try:
        return os.read(tap, _LARGEST) or None
    except BlockingIOError:
        return None

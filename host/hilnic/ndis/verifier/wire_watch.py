# SPDX-License-Identifier: Apache-2.0
"""V14, the core's half: what goes over a miniport's upper edge, told to whoever compares it with the wire.

A bench that has a tap on the wire sets `ndis.wire_watches[adapter name]` before the adapter starts, for instance to a
`hilnic.testing.wire_oracle.WireOracle`. An NBL goes to a 6.x miniport, a packet to a 5.x one, translated or not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from hilnic.ndis.flags import NdisVersion
from hilnic.ndis.nbl import NetBufferList, walk

if TYPE_CHECKING:
    from hilnic.ndis.driver import MiniportDriver
    from hilnic.ndis.ndis5.packet import Packet

SendHandler = Callable[[Any, NetBufferList, int, int], None]


class WireWatch(Protocol):
    """Hears of every frame in the form in which it crosses the edge."""

    def sent(self, item: NetBufferList | Packet, /) -> None:
        """The miniport is about to get it."""
        ...

    def ended(self, item: NetBufferList | Packet, status: int, /) -> None:
        """The miniport has completed it, or given it back to try again (RESOURCES)."""
        ...

    def received(self, item: NetBufferList | Packet, /) -> None:
        """The miniport indicates it."""
        ...

    def shown(self, seen: bytes, length: int, /) -> None:
        """The miniport shows the beginning of a frame of so many bytes."""
        ...


def watched(watch: WireWatch | None, driver: MiniportDriver, handler: SendHandler) -> SendHandler:
    """The send handler of a 6.x miniport as NDIS calls it when its wire is watched."""
    if watch is None or driver.characteristics.ndis_version < NdisVersion.NDIS_6_0:
        return handler
    tell = watch.sent

    def send(context: Any, nbls: NetBufferList, port_number: int, send_flags: int) -> None:
        for nbl in walk(nbls):
            tell(nbl)
        handler(context, nbls, port_number, send_flags)

    return send


def tell_ended(watch: WireWatch, nbls: NetBufferList) -> None:
    """A 6.x miniport completes a chain."""
    for nbl in walk(nbls):
        watch.ended(nbl, nbl.status)


def tell_received(watch: WireWatch, nbls: NetBufferList) -> None:
    """A 6.x miniport indicates a chain."""
    for nbl in walk(nbls):
        watch.received(nbl)

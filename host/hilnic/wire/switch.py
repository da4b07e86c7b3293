# SPDX-License-Identifier: Apache-2.0
"""A simple switch: joins several wire ends, learns who is where, keeps VLANs apart (IEEE 802.1Q, clause 8).

    switch = Switch([card.link for card in cards])
    switch.ports[2].vlans = frozenset({100, 101})      # this port is a member of these alone

Store and forward: a frame leaves once its last octet has come and `latency_ns` have passed, unchanged, tag included.
A frame for an address that has spoken on a VLAN goes to its port; one for a group, or for an unknown address, to every
other port of the VLAN. Frames that are damaged, too short, too long, or of an illegal sender go nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from hilnic.wire.ethernet import ADDRESS_OCTETS, EthernetView, is_group
from hilnic.wire.fcs import FCS_OCTETS
from hilnic.wire.link import NS_PER_OCTET, SHORTEST_DATA, Link, WireFrame

__all__ = ["Port", "PortStatistics", "Switch"]

UNTAGGED = 0
"""The VLAN of frames without a tag, and of those with a priority alone (802.1Q 9.6)."""
LONGEST_DATA = 9018
"""Octets without FCS; jumbo frames pass."""
MOST_ADDRESSES = 8192
"""In the table; what does not fit any more is flooded."""


@dataclass(slots=True)
class PortStatistics:
    """Frames; `received` = forwarded + filtered + bad. `sent` counts each copy at the port that it leaves by."""

    received: int = 0
    sent: int = 0
    flooded: int = 0
    filtered: int = 0
    """Of a VLAN that the port is no member of, or for somebody on the port that they came from."""
    bad: int = 0


class Port:
    """One of the switch's ends."""

    __slots__ = ("link", "number", "statistics", "vlans")

    def __init__(self, number: int, link: Link) -> None:
        self.number, self.link = number, link
        self.vlans: frozenset[int] | None = None
        """The VLANs that it is a member of; None: all."""
        self.statistics = PortStatistics()

    def is_member(self, vlan: int) -> bool:
        """Whether frames of this VLAN come in and go out here."""
        return self.vlans is None or vlan in self.vlans

    def __repr__(self) -> str:
        """Number and counts."""
        return f"<Port {self.number}: {self.statistics}>"


class Switch:
    """Connects itself to every link; nobody else receives from them any more."""

    def __init__(self, links: Sequence[Link], *, latency_ns: int = 1_000, ageing_ns: int = 300_000_000_000) -> None:
        self.latency_ns, self.ageing_ns = latency_ns, ageing_ns
        self.ports = [Port(number, link) for number, link in enumerate(links)]
        self._where: dict[tuple[int, bytes], tuple[Port, int]] = {}
        for port in self.ports:
            port.link.connect(partial(self._receive, port))

    def __repr__(self) -> str:
        """How many ports and addresses."""
        return f"<Switch of {len(self.ports)} ports, {len(self._where)} addresses>"

    def port_of(self, address: bytes, vlan: int = UNTAGGED) -> int | None:
        """The port where an address was heard last; None when it was not, or too long ago."""
        known = self._where.get((vlan, address))
        return None if known is None else known[0].number

    def _receive(self, port: Port, frame: WireFrame) -> None:
        statistics = port.statistics
        statistics.received += 1
        view = EthernetView(frame.data)
        if not _is_good(frame) or is_group(view.source):
            statistics.bad += 1
            return
        vlan = view.tags[0].vlan if view.tags else UNTAGGED
        if not port.is_member(vlan):
            statistics.filtered += 1
            return
        self._learn(port, vlan, view.source, frame.time_ns)
        exits = self._exits(port, vlan, view.destination, frame.time_ns)
        if not exits:
            statistics.filtered += 1
        end_ns = frame.time_ns + NS_PER_OCTET * (len(frame.data) + FCS_OCTETS)
        for each in exits:
            each.statistics.sent += 1
            each.link.send(WireFrame(frame.data, origin=frame.origin), at=end_ns + self.latency_ns)

    def _learn(self, port: Port, vlan: int, source: bytes, now_ns: int) -> None:
        key = (vlan, source)
        if key in self._where or len(self._where) < MOST_ADDRESSES:
            self._where[key] = (port, now_ns)

    def _exits(self, port: Port, vlan: int, destination: bytes, now_ns: int) -> list[Port]:
        """Where a frame goes."""
        known = None if is_group(destination) else self._where.get((vlan, destination))
        if known is not None and now_ns - known[1] > self.ageing_ns:
            del self._where[vlan, destination]
            known = None
        if known is not None:
            return [known[0]] if known[0] is not port and known[0].is_member(vlan) else []
        port.statistics.flooded += 1
        return [each for each in self.ports if each is not port and each.is_member(vlan)]


def _is_good(frame: WireFrame) -> bool:
    """A whole, undamaged frame of legal length."""
    is_whole = frame.sfd and not frame.raw and not frame.error and frame.fcs_ok
    return is_whole and max(SHORTEST_DATA, 2 * ADDRESS_OCTETS) <= len(frame.data) <= LONGEST_DATA

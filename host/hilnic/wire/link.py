# SPDX-License-Identifier: Apache-2.0
"""The wire end as a port.

A Link is where a NIC meets the wire: `send` goes into the NIC, what the NIC sends arrives at the receiver given to
`connect`. Instruments (pcapng tap, faults) are Links that wrap Links.

    peer --send--> [faults] --send--> [tap] --send--> NIC's receiver
    peer <--receiver-- [faults] <--receiver-- [tap] <--receiver-- NIC's transmitter
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from hilnic.wire.fcs import FCS_OCTETS, fcs, fcs_is_good

SHORTEST_DATA = 60
"""Octets of the shortest frame without FCS (802.3 4.4.2: minFrameSize 64)."""
PREAMBLE_OCTETS = 7
GAP_OCTETS = 12
NS_PER_OCTET = 8
"""Of a gigabit wire."""


@dataclass(frozen=True, slots=True)
class WireFrame:
    """A frame on the wire, octet for octet; also what no legal sender sends.

    `data` has no FCS: a right one follows it, a wrong one when `fcs_ok` is false, none when `raw` (then `data` is all
    that follows the SFD). `time_ns` is the time of the first octet after the SFD, 0 before it is known. `error` is
    RX_ER or TX_ER inside the frame. Without `sfd` nothing marks the end of the preamble: `data` follows it as it is.
    An error without preamble, SFD and data is a false carrier. `ifg` is the least idle time before it, in octets.
    """

    data: bytes
    time_ns: int = 0
    fcs_ok: bool = True
    error: bool = False
    origin: str = ""
    raw: bool = False
    preamble: int = PREAMBLE_OCTETS
    sfd: bool = True
    ifg: int = GAP_OCTETS

    @property
    def octets(self) -> bytes:
        """Everything after the SFD."""
        if self.raw or not self.sfd:
            return self.data
        check = fcs(self.data)
        return self.data + (check if self.fcs_ok else bytes(octet ^ 0xFF for octet in check))

    @property
    def duration_ns(self) -> int:
        """From the first preamble octet to the last of the frame."""
        length = len(self.data) + (0 if self.raw or not self.sfd else FCS_OCTETS)
        return NS_PER_OCTET * (self.preamble + self.sfd + length)

    @property
    def is_false_carrier(self) -> bool:
        """RX_ER without a carrier: no frame at all."""
        return self.error and not (self.preamble or self.sfd or self.data)


Receiver = Callable[[WireFrame], None]


class Link(Protocol):
    """One end of a wire."""

    def send(self, frame: bytes | WireFrame, at: int | None = None) -> None:
        """Send after everything sent before, not before the time `at`; bytes are first padded to a legal frame."""
        ...

    def connect(self, receiver: Receiver) -> None:
        """Who gets the frames that arrive; the last one connected."""
        ...


def as_wire_frame(frame: bytes | WireFrame) -> WireFrame:
    """What `send` puts on the wire: a WireFrame as it is, bytes with zero padding to 60 octets."""
    return frame if isinstance(frame, WireFrame) else WireFrame(bytes(frame).ljust(SHORTEST_DATA, b"\0"))


def from_octets(octets: bytes, time_ns: int = 0, *, error: bool = False, origin: str = "") -> WireFrame:
    """What a receiver reports of the octets after an SFD; fewer than four stay `raw`."""
    if len(octets) < FCS_OCTETS:
        return WireFrame(octets, time_ns, fcs_ok=False, error=error, origin=origin, raw=True)
    good = fcs_is_good(octets)
    return WireFrame(octets[:-FCS_OCTETS], time_ns, fcs_ok=good, error=error, origin=origin)


def join(one: Link, other: Link) -> None:
    """A cable between two wire ends, both ways."""
    one.connect(other.send)
    other.connect(one.send)


def echo(link: Link) -> None:
    """A plug that sends every good frame back."""
    link.connect(lambda frame: link.send(frame) if frame.fcs_ok and not frame.error else None)

# SPDX-License-Identifier: Apache-2.0
"""The Link port on the GMII ends: frames go into the C library's queue, the NIC's frames come back as events.

`record` hears of every frame at the time at which it was on the wire, in both directions; pcapng and trace hang on it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from hilnic.cosim import hostmem
from hilnic.cosim.clock import SimClock
from hilnic.cosim.hostmem import Carrier
from hilnic.wire.fcs import FCS_OCTETS
from hilnic.wire.link import NS_PER_OCTET, Receiver, WireFrame, as_wire_frame, from_octets

__all__ = ["HdlLink", "Record"]

Record = Callable[[bool, WireFrame], None]
"""(True for a frame of the NIC, the frame with its time)"""

_ALL = 0xFFFF_FFFF
_FALSE_CARRIER = [1 << 9 | 0x0E]


class Wire(Protocol):
    """What puts symbols on the pins: the C library's queue, or a model in Python."""

    def send(self, card: int, data: bytes, carrier: Carrier, at_ps: int, tag: int, /) -> None:
        """Queue a frame."""
        ...

    def send_symbols(self, card: int, symbols: list[int], gap: int, at_ps: int, tag: int, /) -> None:
        """Queue raw symbols."""
        ...

    def source_backlog(self, card: int, /) -> int:
        """Carriers that have not begun."""
        ...


class HdlLink:
    """The wire end of one card."""

    def __init__(self, card: int, clock: SimClock) -> None:
        self.card = card
        self.record: Record | None = None
        self.tap: Record | None = None
        """As `record`, for the recorder of the test's artefacts."""
        self._clock, self._library = clock, clock.library
        self._wire: Wire = clock.library
        self._receiver: Receiver = _nobody
        self._sent: deque[tuple[int, WireFrame]] = deque()
        self._number = 0
        self._plain = Carrier(preamble=7, sfd=1, fcs=hostmem.FCS_GOOD, gap=12, keep=_ALL)

    def __repr__(self) -> str:
        """Which card, and how many frames wait for the wire."""
        return f"<HdlLink card {self.card}, {self.backlog} frames to send>"

    def use_wire(self, wire: Wire) -> None:
        """Send through another end than the Verilog's."""
        self._wire = wire

    @property
    def backlog(self) -> int:
        """Frames that are not on the wire yet."""
        return int(self._wire.source_backlog(self.card))

    def connect(self, receiver: Receiver) -> None:
        """Who gets the frames of the NIC; the last one connected."""
        self._receiver = receiver

    def send(self, frame: bytes | WireFrame, at: int | None = None) -> None:
        """Send after everything sent before, not before the time `at`."""
        exact = as_wire_frame(frame)
        number = self._remember(exact)
        at_ps = 0 if at is None else self._clock.to_ps(at)
        if exact.is_false_carrier:
            self._wire.send_symbols(self.card, _FALSE_CARRIER, exact.ifg, at_ps, number)
        else:
            self._wire.send(self.card, exact.data, self._carrier(exact), at_ps, number)

    def _remember(self, frame: WireFrame) -> int:
        """The tag by which the frame's start will be told."""
        self._number += 1
        self._sent.append((self._number, frame))
        return self._number

    def send_cut(self, frame: WireFrame, keep: int) -> None:
        """Send a frame whose carrier is lost after `keep` octets."""
        number = self._remember(replace(frame, data=frame.octets[:keep], raw=True))
        self._wire.send(self.card, frame.data, self._carrier(frame, keep), 0, number)

    def send_symbols(self, symbols: list[int], gap: int = 12) -> None:
        """Send raw GMII symbols, each er << 9 | dv << 8 | octet."""
        octets = bytes(symbol & 0xFF for symbol in symbols)
        number = self._remember(WireFrame(octets, raw=True, preamble=0, sfd=False))
        self._wire.send_symbols(self.card, symbols, gap, 0, number)

    def _carrier(self, frame: WireFrame, keep: int = _ALL) -> Carrier:
        plain = frame.fcs_ok and frame.sfd and not frame.error and not frame.raw and keep == _ALL
        if plain and frame.preamble == 7 and frame.ifg == 12:
            return self._plain
        fcs = hostmem.FCS_NONE if frame.raw or not frame.sfd else hostmem.FCS_GOOD if frame.fcs_ok else hostmem.FCS_BAD
        return Carrier(
            preamble=frame.preamble, sfd=int(frame.sfd), fcs=fcs, gap=frame.ifg,
            er_from=len(frame.data) // 2, er_count=int(frame.error), keep=keep,
        )  # fmt: skip

    def on_sent(self, time_ps: int, tag: int | None = None) -> None:
        """A carrier towards the NIC has started (from the harness); those before it were lost in a reset of the card.

        An end that loses none says no tag.
        """
        number, frame = self._sent.popleft()
        while tag is not None and number != tag:
            number, frame = self._sent.popleft()
        if self.record is None and self.tap is None:
            return
        data_at = self._clock.to_ns(time_ps) + NS_PER_OCTET * (frame.preamble + frame.sfd)
        self._hear(False, replace(frame, time_ns=data_at))

    def on_frame(self, time_ps: int, place: int, what: int) -> None:
        """A carrier of the NIC has ended (from the harness)."""
        length, preamble, flags = what & 0xFFFF, what >> 16 & 0xFFFF, what >> 32
        octets = self._library.frames[self.card][place : place + length].tobytes()
        data_at = self._clock.to_ns(time_ps) + NS_PER_OCTET * (preamble + 1)
        error = bool(flags & hostmem.FRAME_ERROR)
        if flags & hostmem.FRAME_FCS_OK and preamble == 7:
            frame = WireFrame(octets[:-FCS_OCTETS], data_at, error=error)
        else:
            frame = from_octets(octets, data_at, error=error)
            frame = replace(frame, preamble=preamble, sfd=not flags & hostmem.FRAME_NO_SFD)
        self._take(frame)

    def arrived(self, octets: bytes, data_at_ns: int, *, error: bool) -> None:
        """A model has received what follows an SFD."""
        self._take(from_octets(octets, data_at_ns, error=error))

    def _take(self, frame: WireFrame) -> None:
        self._hear(True, frame)
        self._receiver(frame)

    def _hear(self, from_nic: bool, frame: WireFrame) -> None:
        if self.tap is not None:
            self.tap(from_nic, frame)
        if self.record is not None:
            self.record(from_nic, frame)


def _nobody(frame: WireFrame) -> None:
    """Frames that nobody waits for."""

# SPDX-License-Identifier: Apache-2.0
"""The MAC and its wire: timing of frames at a gigabit, padding and FCS on transmit, judgement on receive.

`Mac` is the NIC's wire end (a `wire.link.Link`). What counts as which error: docs/nic.md section 7.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from hilnic.hw import regs
from hilnic.hw.clock import Clock
from hilnic.hw.regs import Cause
from hilnic.model.registers import Registers
from hilnic.model.statistics import SHORTEST_WIRE
from hilnic.wire.fcs import FCS_OCTETS, fcs_is_good
from hilnic.wire.link import NS_PER_OCTET, Receiver, WireFrame, as_wire_frame, from_octets

SFD = 0xD5
PREAMBLE = 0x55
LEAD_NS = 8 * NS_PER_OCTET  # preamble and SFD
SHORTEST_GAP = 8
PIPELINE_NS = 80
LONGEST_OCTETS = 0xFFFF
_TAGS = (b"\x81\x00", b"\x88\xa8")


@dataclass(frozen=True, slots=True)
class Carrier:
    """What the receiver says of a carrier; `data` is what it passes on."""

    data: bytes
    wire_octets: int
    false_carrier: bool = False
    missing_sfd: bool = False
    rx_er: bool = False
    oversize: bool = False
    runt: bool = False
    fcs_bad: bool = False
    length_mismatch: bool = False
    length_out_of_range: bool = False

    @property
    def cause(self) -> Cause:
        """The first error of the frame."""
        for bad, cause in (
            (self.rx_er, Cause.RX_ER),
            (self.oversize, Cause.OVERSIZE),
            (self.runt, Cause.RUNT),
            (self.fcs_bad, Cause.FCS_ERROR),
        ):
            if bad:
                return cause
        return Cause.NONE


def judge(frame: WireFrame, max_frame: int, keep_fcs: bool) -> Carrier:
    """What the receiver makes of a frame on the wire."""
    if frame.is_false_carrier:
        return Carrier(b"", 0, false_carrier=True)
    octets = frame.octets
    if not frame.sfd:  # it hunts for an SFD in what comes
        start = octets.find(SFD) + 1
        octets = octets[start:] if start else b""
    if not octets:
        return Carrier(b"", 0, missing_sfd=True)
    limit = max_frame + 4 * (octets[12:14] in _TAGS)
    runt, oversize, fcs_bad = len(octets) < SHORTEST_WIRE, len(octets) > limit, not fcs_is_good(octets)
    passed = octets[:limit]
    carrier = Carrier(
        passed if keep_fcs else passed[:-FCS_OCTETS],
        min(len(octets), LONGEST_OCTETS),
        rx_er=frame.error,
        oversize=oversize,
        runt=runt,
        fcs_bad=fcs_bad,
    )
    return carrier if carrier.cause else _with_length_checked(carrier, octets)


def _with_length_checked(carrier: Carrier, octets: bytes) -> Carrier:
    """802.3 3.2.6: the length field (the inner one of a tagged frame) against the data."""
    offset = 16 if octets[12:14] in _TAGS else 12
    length = int.from_bytes(octets[offset : offset + 2], "big")
    if length > 1500:
        return replace(carrier, length_out_of_range=length < 1536)
    expected = max(offset + 2 + length + FCS_OCTETS, SHORTEST_WIRE)
    return replace(carrier, length_mismatch=len(octets) != expected)


class Mac:
    """One frame at a time each way; a stopped clock holds what is under way."""

    def __init__(self, clock: Clock, registers: Registers, name: str) -> None:
        self._clock, self._registers, self.name = clock, registers, name
        self._receiver: Receiver = lambda _frame: None
        self.on_carrier: Callable[[WireFrame], None] = lambda _frame: None
        self._stopped = {"tx": False, "rx": False}
        self._held: dict[str, deque[Callable[[], None]]] = {"tx": deque(), "rx": deque()}
        self._tx_free_at = self._rx_free_at = 0
        self._alive = True

    def __repr__(self) -> str:
        """Name and clocks."""
        return f"<Mac {self.name} stopped={[way for way, s in self._stopped.items() if s]}>"

    # ---- the Link ----

    def send(self, frame: bytes | WireFrame, at: int | None = None) -> None:
        """A frame for this NIC, after those sent before."""
        exact = as_wire_frame(frame)
        start = max(self._clock.now_ns(), at or 0, self._rx_free_at + NS_PER_OCTET * exact.ifg)
        self._rx_free_at = end = start + exact.duration_ns
        arrived = replace(exact, time_ns=start + NS_PER_OCTET * (exact.preamble + exact.sfd))
        self._clock.call_at(end, partial(self._run, "rx", partial(self._arrive, arrived)))

    def connect(self, receiver: Receiver) -> None:
        """Who gets what this NIC sends."""
        self._receiver = receiver

    def _arrive(self, frame: WireFrame) -> None:
        if self._alive:
            self.on_carrier(frame)

    # ---- clocks ----

    def stop_clock(self, way: str) -> None:
        """The "tx" or "rx" clock of the PHY stops."""
        self._stopped[way] = True

    def start_clock(self, way: str) -> None:
        """It runs again; what was held goes on."""
        self._stopped[way] = False
        held, self._held[way] = self._held[way], deque()
        for step in held:
            self._clock.call_at(self._clock.now_ns(), partial(self._run, way, step))

    def _run(self, way: str, step: Callable[[], None]) -> None:
        if self._stopped[way]:
            self._held[way].append(step)
        else:
            step()

    def stop(self) -> None:
        """Surprise removal: nothing is sent or received any more."""
        self._alive = False

    # ---- transmit ----

    def wire_octets(self, length: int, host_fcs: bool) -> int:
        """Octets on the wire of a frame of so many bytes, with padding and FCS."""
        return length if host_fcs else max(length + FCS_OCTETS, SHORTEST_WIRE)

    def transmit(self, data: bytes, ready_at: int, done: Callable[[int], None]) -> None:
        """Send a frame, not before `ready_at`; `done` gets its octets on the wire when the last one is out."""
        host_fcs = bool(self._registers.value(regs.MAC_CFG) & regs.MAC_CFG_HOST_FCS)
        start = max(self._clock.now_ns(), ready_at, self._tx_free_at)
        octets = self.wire_octets(len(data), host_fcs)
        time_ns = start + LEAD_NS
        end = time_ns + NS_PER_OCTET * octets
        padded = data.ljust(octets - FCS_OCTETS, b"\0")
        frame = (
            from_octets(data, time_ns, origin=self.name) if host_fcs else WireFrame(padded, time_ns, origin=self.name)
        )
        self._tx_free_at = end + NS_PER_OCTET * self._gap()
        self._clock.call_at(end, partial(self._run, "tx", partial(self._sent, frame, octets, done)))

    def _gap(self) -> int:
        return max(self._registers.value(regs.MAC_CFG) & regs.MAC_CFG_IFG, SHORTEST_GAP)

    def _sent(self, frame: WireFrame, octets: int, done: Callable[[int], None]) -> None:
        if self._alive:
            done(octets)
            self._receiver(frame)

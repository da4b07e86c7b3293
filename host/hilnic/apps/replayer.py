# SPDX-License-Identifier: Apache-2.0
"""Frames of a capture on their way through the NIC, `window` at a time, each compared at the far end octet for octet.

    tx    raw protocol -> NDIS -> miniport -> NIC -> wire, compared there
    rx    wire -> NIC (promiscuous) -> miniport -> NDIS -> raw protocol, compared there

Frames keep their order. One that does not arrive is found by the next one that does. It knows no simulator.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from hilnic import ndis
from hilnic.hw.clock import Clock
from hilnic.protocols.raw import RawBinding, RawProtocol
from hilnic.wire.link import SHORTEST_DATA, Link, WireFrame
from hilnic.wire.pcap import Record

__all__ = ["Outcome", "Replayer"]

_RESOURCES = int(ndis.ReceiveFlags.RESOURCES)
_SETTLE_NS = 5_000
_LOOK_NS = 20_000
_PATIENCE = 100  # looks without an arrival until the rest counts as lost
_NAMED = 20  # differences that are told one by one


@dataclass(slots=True)
class Outcome:
    """What became of the frames."""

    sent: int = 0
    octets: int = 0
    padded: int = 0
    equal: int = 0
    different: int = 0
    lost: int = 0
    refused: int = 0
    """Frames that the miniport did not send."""
    differences: tuple[str, ...] = ()

    @property
    def perfect(self) -> bool:
        """Did every frame arrive, unchanged?"""
        return self.equal == self.sent and not self.different and not self.lost and not self.refused


class Replayer:
    """Made of the records to replay and a direction; `protocol()` goes into the stack, then `run`."""

    def __init__(self, records: Sequence[Record], direction: str, window: int = 64) -> None:
        self.outcome = Outcome()
        self._records, self._outbound, self._window = deque(records), direction == "tx", window
        self._expected: deque[tuple[int, bytes]] = deque()
        self._binding: RawBinding
        self._link: Link

    def __repr__(self) -> str:
        """How far it is."""
        return f"<Replayer {len(self._records)} to send, {len(self._expected)} under way, {self.outcome}>"

    def protocol(self) -> RawProtocol:
        """The protocol that sends or receives."""
        wanted = ndis.PacketFilter.PROMISCUOUS
        return RawProtocol(packet_filter=wanted, on_receive=self._on_receive, on_completed=self._on_completed)

    async def run(self, raw: RawProtocol, link: Link, clock: Clock) -> Outcome:
        """Replay everything on a started stack."""
        (self._binding,) = raw.bindings.values()
        self._link = link
        link.connect(self._on_wire_frame)
        await clock.sleep(_SETTLE_NS)  # the driver's last posted writes reach the NIC
        self._send_more()
        waited, before = 0, -1
        while (self._expected or self._records) and waited < _PATIENCE:
            arrived = self.outcome.equal + self.outcome.different
            waited = 0 if arrived != before else waited + 1
            before = arrived
            self._send_more()
            await clock.sleep(_LOOK_NS)
        self.outcome.lost += len(self._expected) + len(self._records)
        return self.outcome

    def _send_more(self) -> None:
        """Fill the window."""
        room = self._window - len(self._expected)
        batch = [self._records.popleft() for _ in range(min(room, len(self._records)))]
        if not batch:
            return
        outcome = self.outcome
        for record in batch:
            self._expected.append((record.number, record.data.ljust(SHORTEST_DATA, b"\0")))
            outcome.octets += len(record.data)
            outcome.padded += len(record.data) < SHORTEST_DATA
        outcome.sent += len(batch)
        if self._outbound:
            self._binding.send(*(record.data for record in batch))
        else:
            for record in batch:
                self._link.send(record.data)

    # --- arrivals -----------------------------------------------------------------------------------------------------

    def _on_receive(self, binding: RawBinding, nbls: ndis.NetBufferList, count: int, flags: int) -> None:
        del count
        for nbl in ndis.walk(nbls):
            assert nbl.first_net_buffer is not None
            self._arrived(nbl.first_net_buffer.tobytes())
        if not flags & _RESOURCES:
            binding.return_nbls(nbls)
        self._send_more()

    def _on_wire_frame(self, frame: WireFrame) -> None:
        if not frame.fcs_ok or frame.error or not self._outbound:
            self._differs(f"a frame that nobody sent: {frame!r}")
            return
        self._arrived(frame.data)

    def _on_completed(self, binding: RawBinding, nbl: ndis.NetBufferList) -> None:
        del binding
        if nbl.status:
            self.outcome.refused += 1
            self._tell(f"a send was refused: {ndis.NdisStatus(nbl.status).name}")
        if nbl.next is None:
            self._send_more()

    def _arrived(self, data: bytes) -> None:
        """Compare with the oldest frame under way; if it is a later one, those before it are lost."""
        for position, (_, wanted) in enumerate(islice(self._expected, self._window)):
            if data == wanted:
                self.outcome.lost += position
                for _ in range(position):
                    self._tell(f"record {self._expected.popleft()[0]} was lost")
                self._expected.popleft()
                self.outcome.equal += 1
                return
        self._differs(self._difference(data))

    def _difference(self, data: bytes) -> str:
        if not self._expected:
            return f"a frame of {len(data)} octets that nobody sent"
        number, wanted = self._expected.popleft()
        if len(data) != len(wanted):
            return f"record {number}: {len(wanted)} octets were sent, {len(data)} arrived"
        at = next(index for index, (one, other) in enumerate(zip(wanted, data, strict=True)) if one != other)
        return f"record {number}: octet {at} was 0x{wanted[at]:02x} and arrived as 0x{data[at]:02x}"

    def _differs(self, sentence: str) -> None:
        self.outcome.different += 1
        self._tell(sentence)

    def _tell(self, sentence: str) -> None:
        if len(self.outcome.differences) < _NAMED:
            self.outcome.differences += (sentence,)

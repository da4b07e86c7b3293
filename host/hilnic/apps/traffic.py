# SPDX-License-Identifier: Apache-2.0
"""Load for a measurement: frames through raw protocol, NDIS, miniport and NIC, `window` under way, each one compared.

    tx          protocol -> wire          one credit per send completion
    rx          wire -> protocol          one credit per indication
    both        the two at once, each with its own window
    roundtrip   protocol -> wire -> loop -> protocol, one credit per indication

After `warm_up` frames of each way a first snapshot is taken, after `frames` more of each the second; traffic does not
stop in between. Then everything drains and the NIC's drop counters can be read. `single` sends one frame when idle. It
knows nothing of simulators: who runs it gives a clock, a stack, a link and a function that takes snapshots.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hilnic import ndis
from hilnic.hw import regs
from hilnic.hw.clock import Clock
from hilnic.protocols.raw import RawBinding, RawProtocol
from hilnic.stack import Stack
from hilnic.wire.fcs import FCS_OCTETS
from hilnic.wire.link import SHORTEST_DATA, Link, WireFrame

__all__ = ["OVERHEAD_OCTETS", "Load", "Miscompare", "Snapshot", "Traffic"]

OVERHEAD_OCTETS = 20
"""Preamble, SFD and the shortest gap of each frame on the wire."""
_KINDS = 256  # different frames
_PEER = b"\x02\x48\x4e\xff\x00\x02"
_EXPERIMENTS = b"\x88\xb5"
_RESOURCES = int(ndis.ReceiveFlags.RESOURCES)
_DRAIN_NS = 20_000
_SETTLE_NS = 5_000  # the driver's last posted writes reach the NIC
_TX_DROPS = ("DROP_MALFORMED", "DROP_DMA", "DROP_ABORT", "DROP_FLUSHED")


class Miscompare(Exception):
    """A frame arrived changed, out of order or not at all."""

    of_the_device = True  # NDIS blames no driver for it, though one finds it


@dataclass(frozen=True, slots=True)
class Load:
    """What is sent; `size` is with FCS."""

    size: int
    dir: str
    frames: int
    window: int
    fragments: int = 1
    warm_up: int = 256

    @property
    def sends(self) -> bool:
        """Does the protocol send?"""
        return self.dir != "rx"

    @property
    def receives(self) -> bool:
        """Does the protocol receive?"""
        return self.dir != "tx"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Where everything stands at a moment.

    `sent` and `arrived` are the wire's, as the NIC's transmitter and receiver have it: frames, and the last one's time.
    """

    wall_s: float
    cpu_s: float
    now_ns: int
    cycles: int
    sent: tuple[int, float]
    arrived: tuple[int, float]
    resident_bytes: int = 0
    gaps: tuple[int, ...] = ()


class Traffic:
    """One load on one started stack with one `RawProtocol`, made by `protocol()`."""

    def __init__(self, load: Load, seed: int = 0) -> None:
        self.load = load
        self._random = random.Random(seed)
        self.stack: Stack
        self._clock: Clock
        self._binding: RawBinding
        self._link: Link
        self._snapshot: Callable[[], Snapshot]
        self._counting = False
        self._done: Any = None
        self._sent = self._received = self._on_wire = self._wire_arrived = self._completed = 0
        self._credits = 0
        self._targets = (0, 0)
        self._marks: list[Snapshot] = []
        self.on_indication: Callable[[], None] = _nothing
        """Called at each indication, before anything else."""
        self._frames: list[bytes] = []
        self._wire_frames: list[WireFrame] = []

    def protocol(self) -> RawProtocol:
        """The protocol that sends and receives."""
        return RawProtocol(
            on_receive=self._on_receive, on_completed=self._on_completed, buffer_bytes=max(2048, self.load.size)
        )

    def attach(
        self, stack: Stack, raw: RawProtocol, link: Link, clock: Clock, snapshot: Callable[[], Snapshot]
    ) -> None:
        """Take over a started stack and its wire end."""
        self.stack, self._link, self._clock, self._snapshot = stack, link, clock, snapshot
        (self._binding,) = raw.bindings.values()
        own = stack.nic.config.mac_address
        destination = _PEER if self.load.dir in {"tx", "both"} else own
        self._frames = self._make(destination, own)
        towards = self._make(own, _PEER) if self.load.dir == "both" else self._frames
        self._wire_frames = [WireFrame(frame) for frame in towards]
        link.connect(self.on_wire_frame)

    def _make(self, destination: bytes, source: bytes) -> list[bytes]:
        """Frames of random bytes, without FCS; one shorter than 60 octets would come back padded."""
        head = destination + source + _EXPERIMENTS
        return [head + self._random.randbytes(self.octets - len(head)) for _ in range(_KINDS)]

    @property
    def octets(self) -> int:
        """Octets of a frame without FCS."""
        return max(self.load.size - FCS_OCTETS, SHORTEST_DATA)

    # --- the loop -----------------------------------------------------------------------------------------------------

    async def run(self) -> tuple[Snapshot, Snapshot]:
        """Warm up, measure, drain; the two snapshots."""
        load = self.load
        await self._clock.sleep(_SETTLE_NS)
        self._counting, self._done = True, self._clock.create_event()
        self._targets = (load.warm_up if load.sends else 0, load.warm_up if load.receives else 0)
        if load.sends:
            self._send(load.window)
        if load.dir in {"rx", "both"}:
            self._inject(load.window)
        await self._done.wait()
        await self._drain()
        start, end = self._marks
        return start, end

    def _send(self, count: int) -> None:
        frames, at = self._frames, self._sent
        self._sent += count
        self._binding.send(*(frames[(at + k) % _KINDS] for k in range(count)), fragments=self.load.fragments)

    def _inject(self, count: int) -> None:
        frames, send = self._wire_frames, self._link.send
        for number in range(self._on_wire, self._on_wire + count):
            send(frames[number % _KINDS])
        self._on_wire += count

    def _on_receive(self, binding: RawBinding, nbls: ndis.NetBufferList, count: int, flags: int) -> None:
        self.on_indication()
        frames = self._wire_frames
        number = self._received
        for nbl in ndis.walk(nbls):
            nb = nbl.first_net_buffer
            assert nb is not None
            if nb.tobytes() != frames[number % _KINDS].data:
                raise Miscompare(f"received frame {number} is not what was sent: {nb.tobytes().hex()}")
            number += 1
        self._received = number
        if not flags & _RESOURCES:
            binding.return_nbls(nbls)
        if self._counting:
            self._mark()
            if self.load.dir == "roundtrip":
                self._send(count)
            else:
                self._inject(count)

    def _on_completed(self, binding: RawBinding, nbl: ndis.NetBufferList) -> None:
        if nbl.status:
            raise Miscompare(f"a send of {binding!r} failed: {ndis.NdisStatus(nbl.status).name}")
        self._completed += 1
        self._credits += 1
        if nbl.next is None:  # the last one of this completion
            earned, self._credits = self._credits, 0
            if self._counting and self.load.dir in {"tx", "both"}:
                self._mark()
                self._send(earned)

    def on_wire_frame(self, frame: WireFrame) -> None:
        """The wire's receiver: compares what the NIC sent."""
        number = self._wire_arrived
        if frame.data != self._frames[number % _KINDS] or not frame.fcs_ok or frame.error:
            raise Miscompare(f"frame {number} on the wire is not what was sent: {frame!r}")
        self._wire_arrived = number + 1

    def _mark(self) -> None:
        """Take a snapshot when every way has come to its target; after the second one the traffic ends."""
        to_send, to_receive = self._targets
        if self._completed < to_send or self._received < to_receive:
            return
        self._marks.append(self._snapshot())
        frames = self.load.frames
        self._targets = (self._completed + frames if to_send else 0, self._received + frames if to_receive else 0)
        if len(self._marks) == 2:
            self._counting = False
            self._done.set()

    async def single(self) -> None:
        """One frame of each way of this load, alone; returns when it has arrived."""
        if self.load.sends:
            self._send(1)
        if self.load.dir in {"rx", "both"}:
            self._inject(1)
        await self._drain()

    async def _drain(self) -> None:
        """Until everything that was sent has arrived; Miscompare when something never does."""
        for _ in range(1000):
            if self._idle():
                return
            await self._clock.sleep(_DRAIN_NS)
        raise Miscompare(f"frames were lost: {self!r}")

    def _idle(self) -> bool:
        looped = self.load.dir == "roundtrip"
        arrived = looped or self._wire_arrived == self._sent
        expected = self._sent if looped else self._on_wire
        return arrived and self._completed == self._sent and self._received == expected

    def __repr__(self) -> str:
        """The load and how far it is."""
        done = f"sent {self._sent}, completed {self._completed}, injected {self._on_wire}, received {self._received}"
        return f"<Traffic {self.load.dir} {self.load.size} {done}>"

    async def drops(self) -> dict[str, int]:
        """The NIC's drop counters that are not zero, by name."""
        read = self.stack.nic.hardware.read64
        found = {f"tx_{name.lower()}": await read(regs.tx_counter(regs.TxCounter[name])) for name in _TX_DROPS}
        for counter in regs.RxCounter:
            if counter.name.startswith("DROP_"):
                found[f"rx_{counter.name.lower()}"] = await read(regs.rx_counter(counter))
        return {name: value for name, value in found.items() if value}


def _nothing() -> None:
    """Nobody waits for indications."""

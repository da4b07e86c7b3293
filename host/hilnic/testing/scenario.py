# SPDX-License-Identifier: Apache-2.0
"""Random scenarios by seed: what a host and a wire do to a NIC, in phases, as plain values.

A phase enables queues of random sizes (2 to 64) and start indices, does some steps and ends quietly, by disabling
every queue, or by soft reset. What a quiet phase does has one outcome whatever the timing: rings are never overrun,
frames on the wire never exceed the frame buffer, configuration changes only between phases.
"""

from dataclasses import dataclass
from enum import Enum
from random import Random

from hilnic.hw.regs import Cause
from hilnic.hw.timing import TimingModel
from hilnic.testing.nic_adapter import Direction, FilterSetup, QueueSetup, VcSetup
from hilnic.wire.fcs import FCS_OCTETS, fcs
from hilnic.wire.link import WireFrame

OWN = bytes.fromhex("020000000001")
GROUPS = tuple(bytes.fromhex("01005e0000") + bytes([n]) for n in range(1, 4))
DESTINATIONS = (OWN, bytes.fromhex("020000000009"), b"\xff" * 6, *GROUPS)
MOST_WIRE_BYTES = 12_000
"""Of a phase: with a longest frame more it still fits into the smallest frame buffer."""
SIZES = (2, 4, 8, 16, 32, 64)
TYPES = (0x88B5, 0x88B5, 0x88B5, 0x0010, 0x05DC, 0x05F0, 0x8100, 0x88A8)
"""Type fields: mostly no length; some lengths, right or wrong, one in no range, two tags."""
MALFORMED = (
    Cause.ZERO_LENGTH,
    Cause.RESERVED_BITS,
    Cause.BAD_KIND,
    Cause.NO_EOP,
    Cause.BAD_SOP,
    Cause.TOO_SHORT,
    Cause.TOO_LONG,
)
ORDINARY, JUMBO = 1518, 9018
"""MAX_FRAME: octets of the longest frame, with FCS."""


class Ending(Enum):
    """How a phase ends; only the outcome of a quiet one is free of timing."""

    QUIET = "wait until everything has come to rest"
    DISABLE = "disable every queue in the middle of it"
    RESET = "soft reset in the middle of it"
    DEACTIVATE = "deactivate every VC, then disable every queue, in the middle of it"


@dataclass(frozen=True, slots=True)
class Transmit:
    """Post a frame: its bytes in pieces, placed `offset` bytes past an aligned address; malformed when `cause`."""

    queue: int
    pieces: tuple[bytes, ...]
    offset: int
    cause: Cause = Cause.NONE


@dataclass(frozen=True, slots=True)
class Receive:
    """A frame comes on the wire."""

    frame: WireFrame


@dataclass(frozen=True, slots=True)
class Pause:
    """Time passes."""

    ns: int


@dataclass(frozen=True, slots=True)
class BusError:
    """Come to rest, then let the data of one frame meet an error on the bus."""

    queue: int
    direction: Direction
    frame: bytes


Step = Transmit | Receive | Pause | BusError


@dataclass(frozen=True, slots=True)
class Phase:
    """Configuration, steps, ending."""

    queues: tuple[QueueSetup, ...]
    filter: FilterSetup
    pass_bad: bool
    keep_fcs: bool
    host_fcs: bool  # the frames to be sent bring their FCS
    max_frame: int
    loopback: bool
    steps: tuple[Step, ...]
    ending: Ending
    vcs: tuple[VcSetup, ...] = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """Phases, and the memory's manners."""

    seed: int
    timing: TimingModel
    phases: tuple[Phase, ...]


def make_scenario(seed: int, tx_queues: int = 4, rx_queues: int = 4, phases: int = 3, steps: int = 24) -> Scenario:
    """The scenario of a seed, for a build with so many queues."""
    random = Random(seed)
    timing = TimingModel(
        jitter_percent=random.choice((0, 50, 200)),
        stall_percent=random.choice((0, 0, 20, 60)),
        reorder=random.random() < 0.5,
        weak=random.random() < 0.5,
        seed=seed,
    )
    made = (_phase(random, min(tx_queues, 4), min(rx_queues, 4), steps) for _ in range(phases))
    return Scenario(seed, timing, tuple(made))


def _phase(random: Random, tx_queues: int, rx_queues: int, steps: int) -> Phase:
    tx = sorted(random.sample(range(tx_queues), random.randint(1, tx_queues)))
    rx = sorted(random.sample(range(rx_queues), random.randint(1, rx_queues)))
    queues = [_queue(random, Direction.TX, n) for n in tx] + [_queue(random, Direction.RX, n) for n in rx]
    loopback = random.random() < 0.2
    if loopback:  # the order of frames of several queues depends on timing
        queues = [q for q in queues if q.direction is Direction.RX or q.number == tx[0]]
    ending = random.choice((Ending.QUIET, Ending.QUIET, Ending.DISABLE, Ending.RESET))
    rules = _filter(random, rx_queues)
    host_fcs = not loopback and random.random() < 0.2
    max_frame = random.choice((ORDINARY, ORDINARY, ORDINARY, JUMBO))
    planner = Planner(random, queues, rules, loopback, host_fcs, max_frame, tame=ending is not Ending.QUIET)
    return Phase(
        tuple(queues),
        rules,
        pass_bad=random.random() < 0.3,
        keep_fcs=random.random() < 0.2,
        host_fcs=host_fcs,
        max_frame=max_frame,
        loopback=loopback,
        steps=planner.steps(steps),
        ending=ending,
    )


def _queue(random: Random, direction: Direction, number: int) -> QueueSetup:
    size = random.choice(SIZES)
    return QueueSetup(
        direction,
        number,
        size,
        cpl_size=size * random.choice((1, 1, 2)),
        start=random.choice((0, random.randrange(1 << 32), 0xFFFF_FFFF - random.randrange(8))),
        cpl_start=random.choice((0, random.randrange(1 << 32), 0xFFFF_FFFF - random.randrange(8))),
        buf_size=random.choice((64, 65, 128, 256, 1522, 2048)),
        vector=4 * direction + number,
        mod_count=random.choice((0, 1, 4)),
        mod_ticks=random.choice((0, 500)),
    )


def _filter(random: Random, rx_queues: int) -> FilterSetup:
    entries = random.sample(GROUPS, random.randint(0, 3))
    return FilterSetup(
        OWN,
        own_unicast=random.random() < 0.8,
        broadcast=random.random() < 0.8,
        all_multicast=random.random() < 0.3,
        promiscuous=random.random() < 0.3,
        exact=tuple((group, random.choice((None, random.randrange(rx_queues)))) for group in entries),
        hashed=tuple(random.sample(GROUPS, random.randint(0, 2))),
        default_queue=random.randrange(rx_queues),
    )


class Planner:
    """Draws steps that no timing can make fail: what fits the rings and the frame buffer."""

    def __init__(
        self,
        random: Random,
        queues: list[QueueSetup],
        rules: FilterSetup,
        loopback: bool,
        host_fcs: bool,
        max_frame: int,
        *,
        tame: bool,
    ) -> None:
        self._random, self._loopback, self._tame = random, loopback, tame
        self._host_fcs, self._max_frame = host_fcs, max_frame
        self._tx = [q for q in queues if q.direction is Direction.TX]
        rx = [q for q in queues if q.direction is Direction.RX]
        # a frame may go to any queue, and must fit into a full ring of it (with its FCS)
        self._longest = min(max_frame - FCS_OCTETS, *(q.size * q.buf_size - FCS_OCTETS for q in rx))
        self._wire_left = MOST_WIRE_BYTES
        # the queue that frames to the own address reach for certain, if there is one
        reached = rules.own_unicast and rules.default_queue in {q.number for q in rx}
        self._certain = rules.default_queue if reached else None

    def steps(self, count: int) -> tuple[Step, ...]:
        found = (self._step() for _ in range(count))
        return tuple(step for step in found if step is not None)

    def _step(self) -> Step | None:
        draw = self._random.random()
        if draw < 0.45:
            return self._transmit()
        if draw < 0.85:
            return self._receive()
        if draw < 0.95 or self._tame or self._loopback:
            return Pause(self._random.choice((200, 2000, 10_000)))
        return self._bus_error()

    def _bytes(self, length: int, queue: int = 0xFF) -> bytes:
        """A frame whose source address names the queue that sends it."""
        destination, kind = self._random.choice(DESTINATIONS), self._random.choice(TYPES)
        body = self._random.randbytes(max(length - 14, 0))
        return (destination + bytes((2, 0, 0, 0, 1, queue)) + kind.to_bytes(2, "big") + body)[:length]

    def _length(self, shortest: int) -> int:
        longest = max(self._longest, shortest)
        return self._random.choice((shortest, longest, self._random.randint(shortest, longest)))

    def _fits(self, length: int) -> bool:
        self._wire_left -= length + 8
        return self._wire_left > 0

    def _transmit(self) -> Transmit | None:
        queue = self._random.choice(self._tx)
        cause = self._random.choice(MALFORMED) if self._random.random() < 0.15 else Cause.NONE
        if cause is Cause.NO_EOP:  # as many descriptors as the ring has
            pieces = tuple(self._random.randbytes(self._random.randint(1, 4)) for _ in range(queue.size))
            return Transmit(queue.number, pieces, self._random.randrange(8), cause)
        data = self._bytes(self._length(60 if self._host_fcs else 14), queue.number)
        if self._host_fcs:
            data += fcs(data)
        if self._loopback and not self._fits(len(data)):
            return None
        most = min(queue.size, 5, len(data))
        cuts = sorted(self._random.sample(range(1, len(data)), self._random.randint(1, most) - 1))
        pieces = tuple(data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True))
        return Transmit(queue.number, pieces, self._random.randrange(8), cause)

    def _receive(self) -> Receive | None:
        length, random = self._length(60), self._random
        if not self._fits(length):
            return None
        draw = random.random()
        if draw < 0.7:
            frame = WireFrame(
                self._bytes(length), preamble=random.choice((7, 7, 1, 15)), ifg=random.choice((12, 12, 8))
            )
        elif draw < 0.8:
            frame = WireFrame(self._bytes(length), fcs_ok=False)
        elif draw < 0.85:
            frame = WireFrame(self._bytes(length), error=True, fcs_ok=random.random() < 0.5)
        elif draw < 0.92:
            frame = WireFrame(self._bytes(random.randint(1, 59)), fcs_ok=random.random() < 0.5)
        elif draw < 0.96 and self._longest == self._max_frame - FCS_OCTETS:
            octets = random.randint(self._max_frame + 1, self._max_frame + 200)  # too long for a tagged one too
            frame = WireFrame(self._bytes(octets), fcs_ok=random.random() < 0.5)
        else:
            frame = WireFrame(b"", preamble=random.randint(1, 15), sfd=False, raw=True)
        return Receive(frame)

    def _bus_error(self) -> BusError:
        if self._certain is not None and self._random.random() < 0.5:
            frame = OWN + bytes((2, 0, 0, 0, 1, 0xFF, 0x88, 0xB5)) + self._random.randbytes(46)
            return BusError(self._certain, Direction.RX, frame)
        queue = self._random.choice(self._tx)
        return BusError(queue.number, queue.direction, self._bytes(self._random.randint(60, 64), queue.number))
